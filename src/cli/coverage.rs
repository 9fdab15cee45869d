//! `segue coverage`: what of the standard's messages each mapped operation has something behind.

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;

use super::{
    CoverageArguments, Format,
    message::load,
    output::{complain, say},
};
use crate::{
    mapping::coverage::Attribute,
    workbench::coverage::{Count, Row, Totals, as_json, covered, totals},
};

/// Prints the table; a total below its minimum fails.
pub fn run(config: &Path, arguments: &CoverageArguments) -> anyhow::Result<ExitCode> {
    let Some(plan) = load(config, arguments.partner.as_deref()) else { return Ok(ExitCode::FAILURE) };
    let rows = covered(&plan, arguments.partner.as_deref(), arguments.operation.as_deref())?;
    let totals = totals(&rows);
    match arguments.format {
        Format::Text => print_text(&rows, totals, arguments.operation.is_some()),
        Format::Json => say(&serde_json::to_string_pretty(&as_json(&rows)).context("the table")?),
    }
    let wanted = [
        ("--min", arguments.min, totals.messages),
        ("--min-products", arguments.min_products, totals.products),
        ("--min-legacy", arguments.min_legacy, totals.replies),
    ];
    let mut good = true;
    for (option, min, count) in wanted {
        let Some(min) = min else { continue };
        if count.all() == 0 {
            complain(&format!("{option} {min}: there is nothing to count"));
        } else if count.covered() * 100 < usize::from(min) * count.all() {
            complain(&format!("{option} {min}: {} of {} are less", count.covered(), count.all()));
            good = false;
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_text(rows: &[Row], totals: Totals, attributes: bool) {
    let heading = [
        "partner",
        "operation",
        "request",
        "optional",
        "answer",
        "optional",
        "covered",
        "no code",
        "products",
        "legacy",
    ];
    let mut table = vec![heading.map(str::to_owned)];
    for row in rows {
        let count = |list: &[Attribute], required: bool| {
            cell(Count::of(list.iter().filter(|one| one.required == required)))
        };
        let (request, answer) = (&row.coverage.request, &row.coverage.answer);
        let uncoded: usize = row.attributes().map(|one| one.uncoded.len()).sum();
        table.push([
            row.partner.clone(),
            row.operation.clone(),
            count(request, true),
            count(request, false),
            count(answer, true),
            count(answer, false),
            format!("{} %", row.count().percent()),
            uncoded.to_string(),
            cell(Count::of(row.of_products())),
            cell(Count::of(row.of_replies())),
        ]);
    }
    print_table(&table);
    if attributes {
        for row in rows {
            print_attributes(row);
        }
    }
    say(
        "always + conditionally / all; of request and answer required and optional attributes, of the products that rules",
    );
    say("name those of their configurations, of what the legacy system replies those that are read");
    if attributes {
        say("rule: of the mapping; echo: the answer repeats what the request said; duty: Segue does it");
    }
    let told = |count: Count, what: &str| {
        (count.all() > 0)
            .then(|| format!("{} of {} {what}: {} %", count.covered(), count.all(), count.percent()))
    };
    let parts = [
        told(totals.messages, "attributes covered"),
        told(totals.products, "of products"),
        told(totals.replies, "of legacy replies read"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    say(&format!("{} operations, {}", rows.len(), parts.join("; ")));
}

fn print_attributes(row: &Row) {
    let coverage = &row.coverage;
    let mut lists = vec![("request".to_owned(), &coverage.request), ("answer".to_owned(), &coverage.answer)];
    for product in &coverage.products {
        let title = |message| format!("{message}, {} of {}", product.place, product.urn);
        lists.push((title("request"), &product.request));
        lists.push((title("answer"), &product.answer));
    }
    for reply in &coverage.replies {
        lists.push((format!("what the legacy system replies to {}", reply.call), &reply.attributes));
    }
    for (message, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
        say("");
        say(&format!("{} {}, {message}:", row.partner, row.operation));
        let mut table = Vec::new();
        for one in *list {
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

/// Always, conditionally and all, as one cell.
fn cell(count: Count) -> String {
    match (count.all(), count.conditionally) {
        (0, _) => "-".to_owned(),
        (all, 0) => format!("{}/{all}", count.always),
        (all, some) => format!("{}+{some}/{all}", count.always),
    }
}
