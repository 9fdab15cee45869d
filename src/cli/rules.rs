//! `segue rules`: the numbered requirements of the guides, what looks after each, and what a partner has set.

use std::{path::Path, process::ExitCode};

use anyhow::Context as _;
use serde_json::json;

use super::{Format, RulesArguments, message::load, output::say};
use crate::{
    config::Partner,
    sonata::rules::{self, Rule},
    workbench::find_partner,
};

/// Prints the table.
pub fn run(config: &Path, arguments: &RulesArguments) -> anyhow::Result<ExitCode> {
    let plan = match &arguments.partner {
        Some(name) => match load(config, Some(name)) {
            Some(plan) => Some(plan),
            None => return Ok(ExitCode::FAILURE),
        },
        None => None,
    };
    let partner = match (&plan, &arguments.partner) {
        (Some(plan), Some(name)) => Some(find_partner(plan, name)?.settings()),
        _ => None,
    };
    let rules: Vec<&Rule> = rules::all().iter().filter(|rule| speaks(partner, rule)).collect();
    match arguments.format {
        Format::Text if !arguments.json => print_text(&rules, partner),
        Format::Text | Format::Json => {
            let rows = rules.iter().map(|rule| as_json(rule, partner)).collect();
            let rows = serde_json::Value::Array(rows);
            say(&serde_json::to_string_pretty(&rows).context("the table")?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a partner's releases have the rule.
fn speaks(partner: Option<&Partner>, rule: &Rule) -> bool {
    partner.is_none_or(|partner| {
        rule.functions.iter().any(|function| rule.is_of(*function, partner.releases.of(*function)))
    })
}

fn functions(rule: &Rule) -> Vec<&'static str> {
    rule.functions.iter().map(|function| function.name()).collect()
}

/// What becomes of a message that breaks the rule, unless a partner sets something else.
fn kept(rule: &Rule) -> String {
    match (rule.kept_by(), rule.not_checked()) {
        (Some((part, _)), _) => format!("always, by {part}"),
        (None, Some(_)) => "not checked".to_owned(),
        (None, None) => rule.default.as_str().to_owned(),
    }
}

/// What a partner has of it, where that can be set.
fn set(rule: &Rule, partner: Option<&Partner>) -> Option<&'static str> {
    partner.filter(|_| rule.is_checked()).map(|partner| partner.rules.level(rule).as_str())
}

fn print_text(rules: &[&Rule], partner: Option<&Partner>) {
    let heading = ["rule", "function", "of", "default", "set", "asks"].map(str::to_owned);
    let rows = rules.iter().map(|rule| {
        let note = rule.why.or(rule.not_checked()).map(|why| format!(" ({why})")).unwrap_or_default();
        [
            rule.id.to_owned(),
            functions(rule).join(", "),
            rule.side.letter().to_owned(),
            kept(rule),
            set(rule, partner).unwrap_or("-").to_owned(),
            format!("{}{note}", rule.asks),
        ]
    });
    let table: Vec<[String; 6]> = std::iter::once(heading).chain(rows).collect();
    let mut widths = [0usize; 6];
    for line in &table {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in &table {
        let cells = line.iter().zip(widths).enumerate();
        let shown = cells.filter(|(column, _)| *column != 4 || partner.is_some());
        let padded = shown.map(|(_, (cell, width))| format!("{cell:<width$}"));
        say(padded.collect::<Vec<_>>().join("  ").trim_end());
    }
    let checked = rules.iter().filter(|rule| rule.is_checked()).count();
    let kept = rules.iter().filter(|rule| rule.kept_by().is_some()).count();
    let not = rules.len() - checked - kept;
    say(&format!(
        "{} rules: {checked} by these levels, {kept} always by another part, {not} not checked; \
         B of the Buyer's message, S of ours, X beside what else is known",
        rules.len()
    ));
}

fn as_json(rule: &Rule, partner: Option<&Partner>) -> serde_json::Value {
    json!({
        "id": rule.id,
        "functions": functions(rule),
        "side": rule.side.letter(),
        "default": rule.is_checked().then(|| rule.default.as_str()),
        "set": set(rule, partner),
        "asks": rule.asks,
        "why": rule.why,
        "keptBy": rule.kept_by().map(|(part, _)| part),
        "notChecked": rule.not_checked(),
    })
}
