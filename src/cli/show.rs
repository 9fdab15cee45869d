//! `segue show`.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, bail};

use super::{ShowArguments, message::load, output::say};
use crate::{
    config,
    mapping::compile::{RECEIVES, WATCH},
    plan,
    text::Diagnostics,
    workbench::{find_operation, find_partner},
};

/// Prints a partner's effective mapping with the place of every rule, or every setting with its place.
pub fn run(config: &Path, arguments: &ShowArguments) -> anyhow::Result<ExitCode> {
    match (arguments.what.as_deref(), &arguments.partner) {
        (Some("config"), None) => Ok(settings(config)),
        (what, Some(partner)) => mapping(config, partner, what),
        (_, None) => bail!("give --partner NAME, or `config`"),
    }
}

fn mapping(config: &Path, partner: &str, operation: Option<&str>) -> anyhow::Result<ExitCode> {
    let Some(plan) = load(config, Some(partner)) else { return Ok(ExitCode::FAILURE) };
    // A mapping set has names of its own, where a bridge stands between.
    let (mapped, meant) = match operation {
        None | Some(RECEIVES | WATCH) => {
            find_partner(&plan, partner)?;
            (operation.map(str::to_owned), None)
        }
        Some(operation) => {
            let found = find_operation(&plan, partner, operation)?;
            let (name, mapped) = (found.name(), found.mapped_name());
            let meant = (name != mapped).then(|| format!("# {name} of {partner} is {mapped} here"));
            (Some(mapped), meant)
        }
    };
    let text =
        plan::effective_mapping(config, partner, mapped.as_deref()).context("the mapping cannot be read")?;
    if text.is_empty() {
        let what = operation.unwrap_or("any operation");
        bail!("the mapping of `{partner}` does not have `{what}`");
    }
    if let Some(meant) = &meant {
        say(meant);
    }
    say(text.trim_end());
    Ok(ExitCode::SUCCESS)
}

fn settings(folder: &Path) -> ExitCode {
    let loaded = config::load(folder);
    let diagnostics: &Diagnostics = &loaded.diagnostics;
    let Some(settings) = &loaded.settings else {
        super::output::complain(diagnostics.render_text(&loaded.sources).trim_end());
        return ExitCode::FAILURE;
    };
    for (heading, rows) in config::effective(settings, &loaded.files) {
        say(&heading);
        let width = rows.iter().map(|row| row.path.chars().count() + row.value.chars().count()).max();
        let width = width.unwrap_or(0).min(80) + 2;
        for row in &rows {
            let text = format!("{}: {}", row.path, row.value);
            say(&format!("  {text:<width$} # {}", row.origin.as_deref().unwrap_or("default")));
        }
    }
    ExitCode::SUCCESS
}
