//! `segue diff`: what another configuration changes on the wire.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::{DiffArguments, Format, output::say};
use crate::{
    cases::{
        differ::{Changed, Key, Operation, Side, differ},
        form,
    },
    plan::{self, PlanHandle},
    workbench::known,
};

/// Changes of one operation that are printed for people; more are counted.
const LINES_MAX: usize = 30;

/// Plays the cases of both folders with both, and prints what differs.
pub fn run(arguments: &DiffArguments) -> anyhow::Result<ExitCode> {
    let (old, new) = (side(&arguments.old)?, side(&arguments.new)?);
    if let Some(partner) = &arguments.partner {
        let (old, new) = (old.plan.load(), new.plan.load());
        let names: BTreeSet<&str> =
            old.partners().chain(new.partners()).map(|partner| partner.id().as_str()).collect();
        known("partner", partner, names.into_iter())?;
    }
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let found = differ(&old, &new, arguments.partner.as_deref(), threads)?;
    let played: usize = found.values().map(|operation| operation.played).sum();
    let other: BTreeMap<&Key, &Operation> = found.iter().filter(|(_, one)| !one.is_same()).collect();
    match arguments.format {
        Format::Json => say(&serde_json::to_string_pretty(&as_json(&other, played)).context("the changes")?),
        Format::Text => {
            for (key, operation) in &other {
                print(key, operation);
            }
            let differing: usize = other.values().map(|operation| operation.differing).sum();
            say(&format!("{played} cases, {differing} differ, in {} operations", other.len()));
        }
    }
    Ok(if other.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A configuration that cannot be compared is wrong use: nothing is known of what would change.
fn side(config: &Path) -> anyhow::Result<Side> {
    let built = plan::load(config, None);
    let Some(plan) = built.plan else {
        bail!(
            "{} is no valid configuration:\n{}",
            config.display(),
            built.diagnostics.render_text(&built.sources)
        );
    };
    let mappings = plan.settings().gateway.mappings.clone();
    let cases = form::find(&mappings).with_context(|| format!("the cases of {}", config.display()))?;
    let cases = cases.into_iter().map(|case| (case.name.clone(), case)).collect();
    Ok(Side { plan: PlanHandle::new(plan), cases })
}

fn named((partner, operation): &Key) -> String {
    format!("{partner} {}", operation.as_deref().unwrap_or("(no operation)"))
}

fn print(key: &Key, operation: &Operation) {
    say(&named(key));
    if operation.old != operation.new {
        let how = |served: &Option<String>| served.clone().unwrap_or_else(|| "not there".to_owned());
        say(&format!("  served: {} -> {}", how(&operation.old), how(&operation.new)));
    }
    if operation.differing > 0 {
        say(&format!("  {} of {} cases differ:", operation.differing, operation.played));
    }
    for one in operation.changes.iter().take(LINES_MAX) {
        let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
        let place =
            if one.change.place.is_empty() { String::new() } else { format!(" {}", one.change.place) };
        let (old, new) = (side(&one.change.old), side(&one.change.new));
        say(&format!("  {}{place}: {old} -> {new}   ({})", one.change.at.as_str(), cases_of(one)));
    }
    let more = operation.changes.len().saturating_sub(LINES_MAX);
    if more > 0 {
        say(&format!("  and {more} places more"));
    }
}

fn cases_of(one: &Changed) -> String {
    match one.cases {
        1 => one.example.clone(),
        cases => format!("{cases} cases, such as {}", one.example),
    }
}

fn as_json(found: &BTreeMap<&Key, &Operation>, played: usize) -> Value {
    let operations = found.iter().map(|((partner, name), operation)| {
        let changes = operation.changes.iter().map(|one| {
            json!({
                "where": one.change.at.as_str(),
                "place": one.change.place,
                "old": one.change.old,
                "new": one.change.new,
                "cases": one.cases,
                "example": one.example,
            })
        });
        json!({
            "partner": partner,
            "operation": name,
            "servedOld": operation.old,
            "servedNew": operation.new,
            "cases": operation.played,
            "casesDiffering": operation.differing,
            "changes": changes.collect::<Vec<_>>(),
        })
    });
    json!({ "cases": played, "operations": operations.collect::<Vec<_>>() })
}
