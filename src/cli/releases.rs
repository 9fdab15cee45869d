//! `segue releases` and `segue operations --release`: what the catalogue of the standard has.

use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Format, ReleasesArguments, output::say};
use crate::{
    plan::comparison::{Comparison, Loss, Outcome},
    sonata::{Contract, Function, Operation, Release, catalogue},
};

/// Releases that have one contract in common, with the version that each gives it.
type Group = Vec<(Release, &'static Contract)>;

/// Prints releases, and which of them share contracts.
pub fn run(arguments: &ReleasesArguments) -> anyhow::Result<ExitCode> {
    if let (Some(partner), Some(mapping)) = (&arguments.partner, &arguments.mapping) {
        let compared =
            Comparison::between(known(partner)?, known(mapping)?).context("no bridge between them")?;
        match arguments.format {
            Format::Text => say(&compared.lines().join("\n")),
            Format::Json => {
                say(&serde_json::to_string_pretty(&comparison_as_json(&compared)).context("the report")?);
            }
        }
        return Ok(ExitCode::SUCCESS);
    }
    match arguments.format {
        Format::Text => print_text(),
        Format::Json => {
            let releases: Vec<Value> = catalogue().releases().map(as_json).collect();
            let functions: Vec<Value> = Function::all().map(function_as_json).collect();
            let all = json!({ "releases": releases, "functions": functions });
            say(&serde_json::to_string_pretty(&all).context("the table")?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the operations of one release.
pub fn operations(name: &str, format: Format) -> anyhow::Result<ExitCode> {
    let release = known(name)?;
    let contracts = catalogue().functions(release).filter_map(|one| catalogue().contract(release, one));
    let rows: Vec<(&Contract, &Operation)> =
        contracts.flat_map(|contract| contract.operations.iter().map(move |one| (contract, one))).collect();
    if format == Format::Json {
        let rows: Vec<Value> = rows.iter().map(|row| operation_as_json(release, *row)).collect();
        say(&serde_json::to_string_pretty(&Value::Array(rows)).context("the table")?);
        return Ok(ExitCode::SUCCESS);
    }
    let cells = rows.iter().map(|(contract, operation)| {
        let request = operation.request.and_then(|id| contract.view(id).name()).unwrap_or_default();
        [
            format!("{}.{}", contract.function, operation.operation_id),
            format!("{} {}{}", operation.method, contract.base_path(), operation.path_text()),
            request.to_owned(),
            format!("{} {}", operation.success_status, answer(contract, operation)).trim_end().to_owned(),
        ]
    });
    table(["operation", "request", "body", "answer"], cells);
    say(&format!("{} operations of {release}", rows.len()));
    Ok(ExitCode::SUCCESS)
}

/// A release by its name.
fn known(name: &str) -> anyhow::Result<Release> {
    let known = || catalogue().releases().map(Release::as_str);
    Release::parse(name).with_context(|| {
        let near = crate::text::suggest(name, known()).map(|near| format!("; did you mean `{near}`?"));
        let known = known().collect::<Vec<_>>().join(", ");
        format!("no release `{name}`{}", near.unwrap_or_else(|| format!(" (there are: {known})")))
    })
}

/// The type of the good answer; a list in brackets.
fn answer(contract: &Contract, operation: &Operation) -> String {
    let Some(body) = operation.success_body() else { return String::new() };
    let name = |id| contract.view(id).name().unwrap_or_default().to_owned();
    match body.item {
        Some(item) => format!("[{}]", name(item)),
        None => name(body.value),
    }
}

/// The contracts of a function, oldest first, each with the releases that have it.
fn groups(function: Function) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for release in catalogue().releases() {
        let Some(contract) = catalogue().contract(release, function) else { continue };
        let is_same = |group: &&mut Group| group.first().is_some_and(|(_, known)| known.is_same_as(contract));
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push((release, contract)),
            None => groups.push(vec![(release, contract)]),
        }
    }
    groups
}

fn print_text() {
    let cells = catalogue().releases().map(|release| {
        [
            release.to_string(),
            release.published().to_owned(),
            catalogue().functions(release).count().to_string(),
            catalogue().operations(release).count().to_string(),
            catalogue().products(release).urns().count().to_string(),
        ]
    });
    table(["release", "published", "APIs", "operations", "products"], cells);
    say("\nReleases in one pair of brackets have the same contract:");
    let cells = Function::all().map(|function| {
        let groups = groups(function).into_iter().map(|group| {
            let names = group.iter().map(|(release, contract)| format!("{release} v{}", contract.major()));
            format!("[{}]", names.collect::<Vec<_>>().join(", "))
        });
        [function.name().to_owned(), groups.collect::<Vec<_>>().join(" ")]
    });
    table(["function", "contracts"], cells);
    say(
        "\nEntities, states, events and numbered rules are known as grace has them: a mapping set is written in the",
    );
    say(
        "words of a release whose contract is grace's, and partners on releases that share it are served by it.",
    );
    say("The SDK has no products of kylie: their schemas are given below `products/`.");
}

fn as_json(release: Release) -> Value {
    json!({
        "release": release.as_str(),
        "published": release.published(),
        "functions": catalogue().functions(release).map(Function::name).collect::<Vec<_>>(),
        "operations": catalogue().operations(release).count(),
        "products": catalogue().products(release).urns().collect::<Vec<_>>(),
    })
}

fn function_as_json(function: Function) -> Value {
    let contracts = groups(function).into_iter().map(|group| {
        let releases = group.iter().map(|(release, contract)| {
            json!({
                "release": release.as_str(),
                "version": contract.version,
                "path": contract.base_path(),
            })
        });
        Value::Array(releases.collect())
    });
    json!({ "function": function.name(), "contracts": contracts.collect::<Vec<_>>() })
}

fn operation_as_json(release: Release, (contract, operation): (&Contract, &Operation)) -> Value {
    json!({
        "release": release.as_str(),
        "function": contract.function.name(),
        "operationId": operation.operation_id,
        "method": operation.method.as_str(),
        "path": format!("{}{}", contract.base_path(), operation.path_text()),
        "query": operation.query.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(),
        "request": operation.request.and_then(|id| contract.view(id).name()),
        "status": operation.success_status,
        "answer": answer(contract, operation),
        "statuses": operation.responses.iter().map(|one| one.status).collect::<Vec<_>>(),
    })
}

fn comparison_as_json(compared: &Comparison) -> Value {
    let functions = compared.functions.iter().map(|one| {
        let operations =
            one.operations.iter().map(|(id, outcome)| outcome_as_json("operationId", id, outcome));
        json!({
            "function": one.function.name(),
            "operations": operations.collect::<Vec<_>>(),
            "losses": one.losses.iter().map(loss_as_json).collect::<Vec<_>>(),
        })
    });
    let products = |is_back: bool| -> Vec<Value> {
        let own = compared.products.iter().filter(|product| product.is_back == is_back);
        own.map(|product| outcome_as_json("product", &product.urn, &product.outcome)).collect()
    };
    json!({
        "partner": compared.partner.as_str(),
        "mapping": compared.mapping.as_str(),
        "functions": functions.collect::<Vec<_>>(),
        "products": { way(false): products(false), way(true): products(true) },
    })
}

fn outcome_as_json(key: &str, name: &str, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Same => json!({ key: name, "fate": "same" }),
        Outcome::Carried(other) => json!({ key: name, "fate": "carried", "as": other }),
        Outcome::Refused { between, reason } => {
            json!({ key: name, "fate": "refused", "between": between, "reason": reason })
        }
    }
}

fn loss_as_json(loss: &Loss) -> Value {
    json!({
        "way": way(loss.is_back),
        "between": loss.between,
        "type": loss.type_name,
        "place": loss.place,
        "fate": loss.fate.as_str(),
        "reason": loss.reason,
    })
}

/// As a reader of JSON has it: where the message comes from.
fn way(is_back: bool) -> &'static str {
    if is_back { "to-partner" } else { "from-partner" }
}

/// Columns as wide as what stands in them.
fn table<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = [String; N]>) {
    let lines: Vec<[String; N]> = std::iter::once(heading.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0usize; N];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for line in &lines {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        say(padded.collect::<Vec<_>>().join("  ").trim_end());
    }
}
