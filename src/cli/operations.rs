//! `segue operations`: every operation of the standard, how a partner is served it, and how many cases hold that.

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use anyhow::Context as _;
use http::Method;
use serde_json::json;

use super::{Format, OperationsArguments, message::load, output::say};
use crate::{
    cases::form::{self, Case},
    mapping::operation::{CallTarget, TemplatePart},
    plan::{PartnerPlan, Plan, Served},
    sonata::{
        Contract, Function, Operation, catalogue,
        entity::{Act, duty_of},
    },
    workbench::find_partner,
};

/// Cases of an operation by what they expect.
#[derive(Clone, Copy, Default)]
struct Cases {
    /// Answered 2xx.
    good: usize,
    /// Answered otherwise.
    faulty: usize,
}

/// One operation of one partner.
struct Row {
    partner: String,
    release: &'static str,
    function: &'static str,
    operation_id: &'static str,
    method: &'static str,
    path: String,
    served: &'static str,
    /// Legacy calls as the mapping writes them; empty unless mapped.
    calls: Vec<String>,
    cases: Cases,
}

/// Prints the table.
pub fn run(config: &Path, arguments: &OperationsArguments) -> anyhow::Result<ExitCode> {
    if let Some(release) = &arguments.release {
        return super::releases::operations(release, arguments.format);
    }
    let Some(plan) = load(config, arguments.partner.as_deref()) else { return Ok(ExitCode::FAILURE) };
    let partners: Vec<&PartnerPlan> = match &arguments.partner {
        Some(name) => vec![find_partner(&plan, name)?],
        None => plan.partners().collect(),
    };
    let counted = count(&plan, &form::find(&plan.settings().gateway.mappings)?);
    let rows: Vec<Row> = partners.iter().flat_map(|partner| rows(partner, &counted)).collect();
    match arguments.format {
        Format::Text => print_text(&rows),
        Format::Json => say(&serde_json::to_string_pretty(&as_json(&rows)).context("the table")?),
    }
    Ok(ExitCode::SUCCESS)
}

/// A partner, a function's name and an operationId.
type Key = (String, &'static str, &'static str);

/// The cases of every operation. A case that means none (an unknown path, a wrong method) counts for none.
fn count(plan: &Plan, cases: &[Case]) -> BTreeMap<Key, Cases> {
    let mut counted: BTreeMap<Key, Cases> = BTreeMap::new();
    for case in cases {
        let Some(partner) = plan.partner(&case.partner) else { continue };
        let path = case.request.path.split('?').next().unwrap_or_default();
        let Ok(method) = Method::from_bytes(case.request.method.as_bytes()) else { continue };
        let Ok(route) = partner.route(&method, path) else { continue };
        let key =
            (case.partner.clone(), route.contract.function.name(), route.operation.operation_id.as_str());
        let cases = counted.entry(key).or_default();
        match case.answer.as_ref().map(|answer| answer.status) {
            Some(200..=299) => cases.good += 1,
            _ => cases.faulty += 1,
        }
    }
    counted
}

fn rows(partner: &PartnerPlan, counted: &BTreeMap<Key, Cases>) -> Vec<Row> {
    let contracts =
        Function::all().filter_map(|function| catalogue().contract(partner.release(function), function));
    let operations =
        contracts.flat_map(|contract| contract.operations.iter().map(move |one| (contract, one)));
    let rows = operations.map(|(contract, operation)| {
        let id = operation.operation_id.as_str();
        let key = (partner.id().as_str().to_owned(), contract.function.name(), id);
        row(partner, contract, operation, counted.get(&key).copied().unwrap_or_default())
    });
    rows.collect()
}

fn row(
    partner: &PartnerPlan,
    contract: &'static Contract,
    operation: &'static Operation,
    cases: Cases,
) -> Row {
    // What it is behind the partner's edge, if there is one.
    let meant = partner.meant(contract.function, &operation.operation_id);
    let served = meant.map(|id| partner.served(contract.function, id));
    let mapped = meant.map(|id| partner.mapped(contract.function, id)).unwrap_or_default();
    let is_one = partner.mappings().nth(1).is_none();
    let calls = mapped.iter().flat_map(|(mapping, mapped)| {
        let calls = mapped.program.calls.iter().map(|call| written(&call.target));
        calls.map(move |call| if is_one { call } else { format!("{mapping}: {call}") })
    });
    let calls = calls.collect();
    Row {
        partner: partner.id().as_str().to_owned(),
        release: partner.release(contract.function).as_str(),
        function: contract.function.name(),
        operation_id: &operation.operation_id,
        method: operation.method.as_str(),
        path: operation.path_text(),
        served: match served {
            _ if contract.function.is_notification() => "by the Buyer",
            None => "not carried over, 501",
            Some(Served::Mapped(_)) => "legacy",
            Some(Served::Gateway) => "gateway",
            Some(Served::Manual) if meant.is_some_and(|id| waits(contract.function, id)) => "manual",
            Some(Served::Manual) => "manual, 501",
            Some(Served::Off) => "off, 501",
            Some(Served::Unmapped) => "not mapped, 501",
            Some(Served::Unrouted) => "no route, 501",
        },
        calls,
        cases,
    }
}

/// Whether the answer of an operation may wait for a person, or is read from what one said.
fn waits(function: Function, operation_id: &str) -> bool {
    duty_of(function, operation_id).is_some_and(|duty| duty.act != Act::Ask)
}

/// A call as the mapping has it, without its query.
fn written(target: &CallTarget) -> String {
    let mut text = format!("{} ", target.method);
    for part in &target.path {
        match part {
            TemplatePart::Literal(literal) => text.push_str(literal),
            TemplatePart::LegacyId => text.push_str("{legacy.id}"),
            TemplatePart::ItemLegacyId => text.push_str("{item.legacy.id}"),
            _ => text.push_str("{…}"),
        }
    }
    text
}

fn print_text(rows: &[Row]) {
    let cells = rows.iter().map(|row| {
        [
            row.partner.clone(),
            row.release.to_owned(),
            format!("{}.{}", row.function, row.operation_id),
            format!("{} {}", row.method, row.path),
            row.served.to_owned(),
            format!("{} good, {} faulty", row.cases.good, row.cases.faulty),
            row.calls.join("; "),
        ]
    });
    let heading = ["partner", "release", "operation", "request", "served", "cases", "legacy calls"];
    let table: Vec<[String; 7]> = std::iter::once(heading.map(str::to_owned)).chain(cells).collect();
    let mut widths = [0usize; 7];
    for line in &table {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in &table {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        say(padded.collect::<Vec<_>>().join("  ").trim_end());
    }
    let served = rows.iter().filter(|row| row.served == "legacy").count();
    let untested = rows.iter().filter(|row| row.served == "legacy" && row.cases.good == 0).count();
    let own = rows.iter().filter(|row| row.served == "gateway").count();
    let all = rows.len();
    say(&format!(
        "{all} operations, {served} served by legacy calls ({untested} of them without a good case), {own} by the gateway"
    ));
}

fn as_json(rows: &[Row]) -> serde_json::Value {
    let rows = rows.iter().map(|row| {
        json!({
            "partner": row.partner,
            "release": row.release,
            "function": row.function,
            "operationId": row.operation_id,
            "method": row.method,
            "path": row.path,
            "served": row.served,
            "calls": row.calls,
            "casesGood": row.cases.good,
            "casesFaulty": row.cases.faulty,
        })
    });
    serde_json::Value::Array(rows.collect())
}
