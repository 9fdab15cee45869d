//! Coverage of operations, counted.

use serde_json::{Value, json};

use super::{
    Misuse,
    find::{find_operation, find_partner},
};
use crate::{
    mapping::{
        coverage::{Attribute, Cover, Coverage, coverage},
        schema::Schema as _,
    },
    plan::{ContractSchema, MappedOperation, PartnerPlan, Plan, Served},
    sonata::{Function, catalogue},
};

/// One operation of one partner.
#[derive(Debug)]
pub struct Row {
    /// The partner.
    pub partner: String,
    /// The operation, such as `quote.createQuote`.
    pub operation: String,
    /// What is behind its attributes.
    pub coverage: Coverage,
}

/// How many attributes there are, by what is behind them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// Something is behind them in every message.
    pub always: usize,
    /// Under a condition, or for some elements.
    pub conditionally: usize,
    /// Nothing is.
    pub never: usize,
}

impl Count {
    /// Counts attributes.
    pub fn of<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Self {
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

    /// Those that something is behind.
    #[must_use]
    pub fn covered(self) -> usize {
        self.always + self.conditionally
    }

    /// How many there are.
    #[must_use]
    pub fn all(self) -> usize {
        self.covered() + self.never
    }

    /// In percent, rounded down: only what is whole is 100. Of nothing everything is covered.
    #[must_use]
    pub fn percent(self) -> usize {
        (self.covered() * 100).checked_div(self.all()).unwrap_or(100)
    }
}

impl Row {
    /// Those of request and answer.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.coverage.request.iter().chain(&self.coverage.answer)
    }

    /// The count of all its attributes.
    #[must_use]
    pub fn count(&self) -> Count {
        Count::of(self.attributes())
    }
}

/// The operations of one partner, or of all, or the one of this name of theirs.
///
/// # Errors
/// [`Misuse`]: a partner or an operation that is not there.
pub fn covered(plan: &Plan, partner: Option<&str>, operation: Option<&str>) -> Result<Vec<Row>, Misuse> {
    let partners: Vec<&PartnerPlan> = match partner {
        Some(name) => vec![find_partner(plan, name)?],
        None => plan.partners().collect(),
    };
    if let Some(operation) = operation {
        for partner in &partners {
            let _ = find_operation(plan, partner.id().as_str(), operation)?;
        }
    }
    let wanted = |row: &Row| operation.is_none_or(|name| row.operation == name);
    Ok(partners.into_iter().flat_map(rows).filter(wanted).collect())
}

/// The count of all attributes of these operations.
#[must_use]
pub fn total(rows: &[Row]) -> Count {
    Count::of(rows.iter().flat_map(Row::attributes))
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

/// All of it as JSON: the total, and under `operations` each operation with its attributes.
#[must_use]
pub fn as_json(rows: &[Row]) -> Value {
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
                "by": one.by.iter().map(|by| by.as_str()).collect::<Vec<_>>(),
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
    let mut value = counted(total(rows));
    value["operations"] = operations.into();
    value
}
