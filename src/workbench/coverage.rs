//! Coverage of operations, counted.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Misuse,
    find::{find_operation, find_partner},
};
use crate::{
    mapping::{
        coverage::{Attribute, Cover, Coverage, coverage, replies},
        schema::Schema as _,
    },
    plan::{ContractSchema, MappedOperation, PartnerPlan, Plan, Target},
    sonata::Function,
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

    /// Those of product configurations, read of requests and written to answers.
    pub fn of_products(&self) -> impl Iterator<Item = &Attribute> {
        self.coverage.products.iter().flat_map(|product| product.request.iter().chain(&product.answer))
    }

    /// Those of legacy replies.
    pub fn of_replies(&self) -> impl Iterator<Item = &Attribute> {
        self.coverage.replies.iter().flat_map(|reply| &reply.attributes)
    }

    /// The count of request and answer.
    #[must_use]
    pub fn count(&self) -> Count {
        Count::of(self.attributes())
    }
}

/// The counts of several operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests and answers.
    pub messages: Count,
    /// Product configurations.
    pub products: Count,
    /// Legacy replies.
    pub replies: Count,
}

/// The mapped operations of one partner, or of all; or the one of this name of theirs, which need not be mapped: then
/// its attributes are listed all the same.
///
/// # Errors
/// [`Misuse`]: a partner or an operation that is not there.
pub fn covered(plan: &Plan, partner: Option<&str>, operation: Option<&str>) -> Result<Vec<Row>, Misuse> {
    let partners: Vec<&PartnerPlan> = match partner {
        Some(name) => vec![find_partner(plan, name)?],
        None => plan.partners().collect(),
    };
    let mut all = Vec::new();
    for partner in partners {
        let meant = operation
            .map(|name| Ok(find_operation(plan, partner.id().as_str(), name)?.mapped_name()))
            .transpose()?;
        all.extend(rows(plan, partner, meant.as_deref()));
    }
    Ok(all)
}

/// The counts of all attributes of these operations.
#[must_use]
pub fn totals(rows: &[Row]) -> Totals {
    Totals {
        messages: Count::of(rows.iter().flat_map(Row::attributes)),
        products: Count::of(rows.iter().flat_map(Row::of_products)),
        replies: Count::of(rows.iter().flat_map(Row::of_replies)),
    }
}

fn rows(plan: &Plan, partner: &PartnerPlan, operation: Option<&str>) -> Vec<Row> {
    let wanted = partner.operations().filter(|(function, id, served)| match operation {
        Some(name) => name.split_once('.') == Some((function.name(), id)),
        None => served.mapped().is_some(),
    });
    wanted.filter_map(|(function, id, served)| row(plan, partner, function, id, served.mapped())).collect()
}

fn row(
    plan: &Plan,
    partner: &PartnerPlan,
    function: Function,
    id: &str,
    mapped: Option<&Arc<MappedOperation>>,
) -> Option<Row> {
    // What a bridge carries over is not the mapping's: it is counted by the contract that it is written for.
    let contract = partner.contract(function)?;
    let schema = ContractSchema::new(vec![contract], partner.products(function)?.clone());
    let facts = schema.operation(function.name(), id)?;
    let spoken = partner.edge(function).and_then(|edge| edge.spoken_as(id)).unwrap_or(id);
    let echo_off = mapped.map(|mapped| &*mapped.echo_off).unwrap_or_default();
    let whole = mapped.map(|mapped| mapped.whole().program);
    let program = whole.as_deref();
    let mut coverage = coverage(function.name(), program, echo_off, &facts, &schema);
    let is_its = |target: &&Target| {
        mapped.is_some_and(|mapped| target.served.mapped().is_some_and(|own| Arc::ptr_eq(own, mapped)))
    };
    let backend = partner.targets(function, id).iter().find(is_its).map(|target| &target.backend);
    if let (Some(program), Some(api)) = (program, backend.and_then(|own| plan.interface(own.as_str()))) {
        coverage.replies = replies(program, &*api);
    }
    Some(Row {
        partner: partner.id().as_str().to_owned(),
        operation: format!("{}.{spoken}", function.name()),
        coverage,
    })
}

/// All of it as JSON: the totals, and under `operations` each operation with its attributes. What is counted of product
/// configurations stands under `products`, of legacy replies under `replies`.
#[must_use]
pub fn as_json(rows: &[Row]) -> Value {
    let operations = rows.iter().map(|row| {
        let mut value = counted(row.count());
        value["partner"] = row.partner.clone().into();
        value["operation"] = row.operation.clone().into();
        value["request"] = attributes(&row.coverage.request);
        value["answer"] = attributes(&row.coverage.answer);
        let mut products = counted(Count::of(row.of_products()));
        let list = row.coverage.products.iter().map(|one| {
            json!({
                "place": one.place,
                "type": one.urn,
                "request": attributes(&one.request),
                "answer": attributes(&one.answer),
            })
        });
        products["list"] = list.collect();
        value["products"] = products;
        let mut replies = counted(Count::of(row.of_replies()));
        let list = row.coverage.replies.iter();
        let list = list.map(|one| json!({ "call": one.call, "attributes": attributes(&one.attributes) }));
        replies["list"] = list.collect();
        value["replies"] = replies;
        value
    });
    let operations: Vec<Value> = operations.collect();
    let totals = totals(rows);
    let mut value = counted(totals.messages);
    value["products"] = counted(totals.products);
    value["replies"] = counted(totals.replies);
    value["operations"] = operations.into();
    value
}

fn counted(count: Count) -> Value {
    json!({
        "attributes": count.all(),
        "always": count.always,
        "conditionally": count.conditionally,
        "never": count.never,
        "percent": count.percent(),
    })
}

fn attributes(list: &[Attribute]) -> Value {
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
}
