//! `segue check`.

use std::{path::Path, process::ExitCode};

use super::{CheckArguments, CheckFormat, output::say};
use crate::plan;

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
            say(&summary(&built));
        }
    }
    if built.plan.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn summary(built: &plan::Built) -> String {
    let errors = built.diagnostics.error_count();
    let is_warning = |told: &&crate::text::Diagnostic| told.severity == crate::text::Severity::Warning;
    let others = built.diagnostics.iter().filter(is_warning).count();
    match &built.plan {
        Some(plan) => {
            let partners = plan.partners().count();
            let served = plan.partners().flat_map(plan::PartnerPlan::operations);
            let mapped = served.filter(|(_, _, served)| matches!(served, plan::Served::Mapped(_))).count();
            format!("good: {partners} partners, {mapped} operations mapped, {others} warnings")
        }
        None => format!("{errors} errors, {others} warnings"),
    }
}
