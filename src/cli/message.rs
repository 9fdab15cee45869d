//! What `segue map` and `segue trace` have in common: one message, named by words and standard input.

use std::{io::Read as _, path::Path, process::ExitCode};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::{output::complain, words::find_operation};
use crate::{
    exchange::{
        error::ExchangeError,
        ports::Clock,
        rehearsal::{Rehearsal, Rehearsed},
    },
    format::Format,
    json::{Document, Limits},
    legacy::LegacyReply,
    mapping::apply::Failure,
    plan::{self, Plan},
};

/// Which message, and how it is read. The body comes from standard input.
#[derive(Debug, Args)]
pub struct MessageArguments {
    /// The partner whose mapping is applied.
    #[arg(long)]
    partner: String,
    /// The operation, such as quote.createQuote.
    #[arg(long, value_name = "FUNCTION.OPERATION")]
    operation: String,
    /// The mapping set, where the partner's routes speak several; the first that has the operation unless said.
    #[arg(long)]
    mapping: Option<String>,
    /// Which way: the partner's request to the legacy system, or a legacy reply to the partner.
    #[arg(long, value_enum)]
    direction: Way,
    /// Only this call; with `to_sonata` the call that was answered (otherwise the last).
    #[arg(long)]
    call: Option<String>,
    /// Query parameters of the request, form-encoded.
    #[arg(long, default_value = "")]
    query: String,
    /// A path parameter of the request.
    #[arg(long = "path", value_name = "NAME=VALUE")]
    path: Vec<String>,
    /// HTTP status of the reply.
    #[arg(long, default_value_t = 200)]
    status: u16,
    /// The time that mappings see; the machine's unless said.
    #[arg(long)]
    now: Option<Timestamp>,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Way {
    /// The partner's request.
    ToLegacy,
    /// The legacy system's reply.
    ToSonata,
}

/// What came of the message.
pub struct Outcome {
    /// What was mapped, with failures where the mapping has some.
    pub messages: Vec<Rehearsed>,
    /// Whether nothing was wrong before the mapping.
    pub is_good: bool,
}

/// Maps the message of standard input. What is wrong before or instead of mapping is written to standard error.
///
/// # Errors
/// Wrong use: a partner, operation or parameter that is not there.
pub fn rehearse(config: &Path, arguments: &MessageArguments) -> anyhow::Result<Outcome> {
    let Some(plan) = load(config) else { return Ok(Outcome { messages: Vec::new(), is_good: false }) };
    let (partner, contract, operation) = find_operation(&plan, &arguments.partner, &arguments.operation)?;
    if let Some(name) = &arguments.mapping {
        super::words::known("mapping set", name, partner.mappings().map(|name| &**name))?;
    }
    let mut targets = partner.targets(contract.function, &operation.operation_id).iter();
    let found = targets.find_map(|target| {
        let is_meant = arguments.mapping.as_deref().is_none_or(|name| *target.mapping == *name);
        Some((target, target.served.mapped().filter(|_| is_meant)?))
    });
    let Some((target, mapped)) = found else {
        bail!("`{}` is not mapped for `{}`", arguments.operation, arguments.partner);
    };
    if let Some(name) = &arguments.call {
        super::words::known("call", name, mapped.program.calls.iter().map(|call| &*call.name))?;
    }
    let path = arguments.path.iter().map(|pair| {
        let (name, value) = pair.split_once('=').with_context(|| format!("`{pair}` is not NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    let rehearsal = Rehearsal {
        partner,
        route: (contract, operation),
        mapped,
        format: plan.backend(&target.backend).map_or(&Format::Json, |backend| &backend.format),
        query: form_urlencoded::parse(arguments.query.as_bytes()).into_owned().collect(),
        path: path.collect::<anyhow::Result<_>>()?,
        now: arguments.now.unwrap_or_else(|| Clock::System.now()),
    };
    if operation.path_text().contains("{id}")
        && rehearsal.path.is_empty()
        && arguments.direction == Way::ToLegacy
    {
        bail!("`{}` names an entity in its path: give --path id=…", arguments.operation);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).context("standard input")?;
    Ok(match arguments.direction {
        Way::ToLegacy => request(&rehearsal, arguments, bytes.into()),
        Way::ToSonata => reply(&rehearsal, arguments, bytes.into())?,
    })
}

/// The plan; what is wrong with it is written to standard error.
pub fn load(config: &Path) -> Option<Plan> {
    let built = plan::load(config, None);
    if built.plan.is_none() {
        complain(built.diagnostics.render_text(&built.sources).trim_end());
    }
    built.plan
}

fn request(rehearsal: &Rehearsal<'_>, arguments: &MessageArguments, bytes: Bytes) -> Outcome {
    let limits = Limits { bytes_max: usize::MAX, ..Limits::default() };
    let has_body = rehearsal.route.1.request.is_some();
    let body = if has_body { Some(Document::parse(bytes, &limits)) } else { None };
    let body = match body.transpose() {
        Ok(body) => body,
        Err(error) => {
            complain(&format!("the body is not JSON: {error}"));
            return Outcome { messages: Vec::new(), is_good: false };
        }
    };
    let (query, faults) = rehearsal.check(body.as_ref());
    for fault in &query {
        complain(&format!("{}: {}", fault.code.as_str(), fault.reason));
    }
    for fault in &faults {
        complain(&format!("{} {}: {}", fault.code, fault.pointer, fault.reason));
    }
    let is_good = query.is_empty() && faults.is_empty();
    outcome(rehearsal.to_legacy(body, arguments.call.as_deref()), is_good)
}

fn reply(rehearsal: &Rehearsal<'_>, arguments: &MessageArguments, bytes: Bytes) -> anyhow::Result<Outcome> {
    let status = http::StatusCode::from_u16(arguments.status).context("--status")?;
    let reply = LegacyReply::new(status, http::HeaderMap::new(), bytes);
    Ok(outcome(rehearsal.to_sonata(arguments.call.as_deref(), &reply), true))
}

fn tell(failures: &[Failure]) {
    for failure in failures {
        complain(&line(failure));
    }
}

fn tell_error(error: &ExchangeError) {
    match error {
        ExchangeError::Refused(failures) | ExchangeError::Mapping(failures) => tell(failures),
        ExchangeError::LegacyProblem(problem) => {
            let pointer = problem.pointer.as_deref().unwrap_or_default();
            complain(&format!("{} {pointer}: {}", problem.code.as_str(), problem.reason));
        }
        other => complain(&other.to_string()),
    }
}

fn outcome(result: Result<Vec<Rehearsed>, ExchangeError>, is_good: bool) -> Outcome {
    match result {
        Ok(messages) => {
            for message in &messages {
                match &message.result {
                    Ok(applied) => tell(&applied.findings),
                    Err(failures) => tell(failures),
                }
            }
            let is_good = is_good && messages.iter().all(|message| message.result.is_ok());
            Outcome { messages, is_good }
        }
        Err(error) => {
            tell_error(&error);
            Outcome { messages: Vec::new(), is_good: false }
        }
    }
}

/// A failure as a line: what, where in the message, by which rule, why.
fn line(failure: &Failure) -> String {
    let Failure { code, source_pointer, origin, message, .. } = failure;
    format!("{} {source_pointer}: {message} ({origin} {})", code.as_str(), origin.address)
}

/// The exit status of a command that prints what it found.
pub fn status(is_good: bool) -> ExitCode {
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
