//! `segue coverage`: what of the standard's messages each mapped operation has something behind.

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{
    CoverageArguments, Format,
    message::load,
    output::say,
    words::{find_operation, find_partner},
};
use crate::{
    mapping::{
        coverage::{Attribute, Cover, Coverage, coverage},
        schema::Schema as _,
    },
    plan::{ContractSchema, MappedOperation, PartnerPlan, Served},
    sonata::{Function, catalogue},
};

/// One operation of one partner.
struct Row {
    partner: String,
    operation: String,
    coverage: Coverage,
}

/// How many attributes there are, by what is behind them.
#[derive(Clone, Copy, Default)]
struct Count {
    always: usize,
    conditionally: usize,
    never: usize,
}

impl Count {
    fn of<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Self {
        let mut count = Self::default();
        for attribute in attributes {
            match attribute.cover {
                Cover::Always => count.always += 1,
                Cover::Conditionally => count.conditionally += 1,
                Cover::Never => count.never += 1,
            }
        }
        count
    }

    fn covered(self) -> usize {
        self.always + self.conditionally
    }

    fn all(self) -> usize {
        self.covered() + self.never
    }

    /// In percent, rounded down: only what is whole is 100. Of nothing everything is covered.
    fn percent(self) -> usize {
        (self.covered() * 100).checked_div(self.all()).unwrap_or(100)
    }

    fn cell(self) -> String {
        match (self.all(), self.conditionally) {
            (0, _) => "-".to_owned(),
            (all, 0) => format!("{}/{all}", self.always),
            (all, some) => format!("{}+{some}/{all}", self.always),
        }
    }
}

impl Row {
    fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.coverage.request.iter().chain(&self.coverage.answer)
    }

    fn count(&self) -> Count {
        Count::of(self.attributes())
    }
}

/// Prints the table; a total below `--min` fails.
pub fn run(config: &Path, arguments: &CoverageArguments) -> anyhow::Result<ExitCode> {
    let Some(plan) = load(config) else { return Ok(ExitCode::FAILURE) };
    let partners: Vec<&PartnerPlan> = match &arguments.partner {
        Some(name) => vec![find_partner(&plan, name)?],
        None => plan.partners().collect(),
    };
    if let Some(operation) = &arguments.operation {
        for partner in &partners {
            let _ = find_operation(&plan, partner.id().as_str(), operation)?;
        }
    }
    let wanted = |row: &Row| arguments.operation.as_ref().is_none_or(|name| row.operation == *name);
    let rows: Vec<Row> = partners.into_iter().flat_map(rows).filter(wanted).collect();
    let total = Count::of(rows.iter().flat_map(Row::attributes));
    match arguments.format {
        Format::Text => print_text(&rows, total, arguments.operation.is_some()),
        Format::Json => say(&serde_json::to_string_pretty(&as_json(&rows, total)).context("the table")?),
    }
    let good = arguments.min.is_none_or(|min| total.covered() * 100 >= usize::from(min) * total.all());
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn rows(partner: &PartnerPlan) -> Vec<Row> {
    let mapped = partner.operations().filter_map(|(function, id, served)| match served {
        Served::Mapped(mapped) => Some((function, id, mapped)),
        _ => None,
    });
    mapped.filter_map(|(function, id, mapped)| row(partner, function, id, mapped)).collect()
}

fn row(partner: &PartnerPlan, function: Function, id: &str, mapped: &MappedOperation) -> Option<Row> {
    let contract = catalogue().contract(partner.release(function), function)?;
    let schema = ContractSchema::new(vec![contract], partner.products(function)?.clone());
    let facts = schema.operation(function.name(), id)?;
    Some(Row {
        partner: partner.id().as_str().to_owned(),
        operation: format!("{}.{id}", function.name()),
        coverage: coverage(function.name(), &mapped.program, &mapped.echo_off, &facts, &schema),
    })
}

fn print_text(rows: &[Row], total: Count, attributes: bool) {
    let heading = ["partner", "operation", "request", "optional", "answer", "optional", "covered", "no code"];
    let mut table = vec![heading.map(str::to_owned)];
    for row in rows {
        let cell = |list: &[Attribute], required: bool| {
            Count::of(list.iter().filter(|one| one.required == required)).cell()
        };
        let (request, answer) = (&row.coverage.request, &row.coverage.answer);
        let uncoded: usize = row.attributes().map(|one| one.uncoded.len()).sum();
        table.push([
            row.partner.clone(),
            row.operation.clone(),
            cell(request, true),
            cell(request, false),
            cell(answer, true),
            cell(answer, false),
            format!("{} %", row.count().percent()),
            uncoded.to_string(),
        ]);
    }
    print_table(&table);
    if attributes {
        for row in rows {
            print_attributes(row);
        }
    }
    say("always + conditionally / all, of required and of optional attributes");
    let (covered, all) = (total.covered(), total.all());
    say(&format!("{} operations, {covered} of {all} attributes covered: {} %", rows.len(), total.percent()));
}

fn print_attributes(row: &Row) {
    for (message, list) in [("request", &row.coverage.request), ("answer", &row.coverage.answer)] {
        say("");
        say(&format!("{} {}, {message}:", row.partner, row.operation));
        let mut table = Vec::new();
        for one in list {
            let uncoded = match one.uncoded.as_slice() {
                [] => String::new(),
                values => format!("no code for {}", values.join(", ")),
            };
            let required = if one.required { "required" } else { "optional" };
            table.push([
                format!("  {}", one.cover.as_str()),
                by(one).join(" "),
                required.to_owned(),
                one.place.clone(),
                uncoded,
            ]);
        }
        print_table(&table);
    }
    say("");
}

fn by(attribute: &Attribute) -> Vec<&'static str> {
    attribute.by.iter().map(|by| by.as_str()).collect()
}

fn print_table<const N: usize>(table: &[[String; N]]) {
    let mut widths = [0usize; N];
    for line in table {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in table {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        say(padded.collect::<Vec<_>>().join("  ").trim_end());
    }
}

fn as_json(rows: &[Row], total: Count) -> Value {
    let counted = |count: Count| {
        json!({
            "attributes": count.all(),
            "always": count.always,
            "conditionally": count.conditionally,
            "never": count.never,
            "percent": count.percent(),
        })
    };
    let attributes = |list: &[Attribute]| -> Vec<Value> {
        let rows = list.iter().map(|one| {
            json!({
                "place": one.place,
                "required": one.required,
                "cover": one.cover.as_str(),
                "by": by(one),
                "uncoded": one.uncoded,
            })
        });
        rows.collect()
    };
    let operations = rows.iter().map(|row| {
        let mut value = counted(row.count());
        value["partner"] = row.partner.clone().into();
        value["operation"] = row.operation.clone().into();
        value["request"] = attributes(&row.coverage.request).into();
        value["answer"] = attributes(&row.coverage.answer).into();
        value
    });
    let operations: Vec<Value> = operations.collect();
    let mut value = counted(total);
    value["operations"] = operations.into();
    value
}
