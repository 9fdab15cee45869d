//! `segue check`.

use std::{path::Path, process::ExitCode};

use super::{CheckArguments, CheckFormat, output::say};
use crate::{
    plan,
    text::{Diagnostics, Severity},
};

/// Reads everything and prints every finding; warnings alone do not fail.
pub fn run(config: &Path, arguments: &CheckArguments) -> ExitCode {
    let built = plan::load(config, None);
    match arguments.format {
        CheckFormat::Json => say(&built.diagnostics.render_json(&built.sources)),
        CheckFormat::Sarif => say(&built.diagnostics.render_sarif(&built.sources, plan::meanings())),
        CheckFormat::Text => {
            let text = built.diagnostics.render_text(&built.sources);
            if !text.is_empty() {
                say(text.trim_end());
            }
            if let Some(plan) = &built.plan {
                say(&summary(plan, &built.diagnostics));
            }
        }
    }
    if built.plan.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a good plan has; of another one the findings have said enough.
fn summary(plan: &plan::Plan, told: &Diagnostics) -> String {
    let warnings = told.iter().filter(|told| told.severity == Severity::Warning).count();
    let partners = plan.partners().count();
    let served = plan.partners().flat_map(plan::PartnerPlan::operations);
    let mapped = served.filter(|(_, _, served)| matches!(served, plan::Served::Mapped(_))).count();
    let (partners, mapped) = (counted(partners, "partner"), counted(mapped, "operation"));
    format!("good: {partners}, {mapped} mapped, {}", counted(warnings, "warning"))
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
