//! What `segue map` and `segue trace` have in common: one message, named by words and standard input.

use std::{io::Read as _, path::Path, process::ExitCode};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::output::complain;
use crate::{
    exchange::ports::Clock,
    mapping::direction::Direction,
    plan::{self, Plan},
    workbench::{self, Message, Outcome, Refusal},
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

/// Maps the message of standard input. What is wrong is written to standard error.
///
/// # Errors
/// Wrong use: a partner, operation or parameter that is not there.
pub fn rehearse(config: &Path, arguments: &MessageArguments) -> anyhow::Result<Option<Outcome>> {
    let Some(plan) = load(config, Some(&arguments.partner)) else { return Ok(None) };
    let outcome = workbench::rehearse(&plan, &message(arguments)?)?;
    outcome.refusals.iter().for_each(tell);
    for message in &outcome.messages {
        let told = message.result.as_ref().map_or_else(|failures| failures, |applied| &applied.findings);
        told.iter().map(Refusal::from).for_each(|one| tell(&one));
    }
    Ok(Some(outcome))
}

/// The plan, of one partner alone where one is asked for; what is wrong with it is written to standard error.
pub fn load(config: &Path, partner: Option<&str>) -> Option<Plan> {
    let built = match partner {
        Some(partner) => plan::load_partner(config, partner),
        None => plan::load(config, None),
    };
    if built.plan.is_none() {
        complain(built.diagnostics.render_text(&built.sources).trim_end());
    }
    built.plan
}

fn message(arguments: &MessageArguments) -> anyhow::Result<Message> {
    let path = arguments.path.iter().map(|pair| {
        let (name, value) = pair.split_once('=').with_context(|| format!("`{pair}` is not NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    let path = path.collect::<anyhow::Result<_>>()?;
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body).context("standard input")?;
    Ok(Message {
        partner: arguments.partner.clone(),
        operation: arguments.operation.clone(),
        mapping: arguments.mapping.clone(),
        direction: match arguments.direction {
            Way::ToLegacy => Direction::ToLegacy,
            Way::ToSonata => Direction::ToSonata,
        },
        call: arguments.call.clone(),
        query: form_urlencoded::parse(arguments.query.as_bytes()).into_owned().collect(),
        path,
        status: arguments.status,
        now: arguments.now.unwrap_or_else(|| Clock::System.now()),
        body: body.into(),
    })
}

fn tell(refusal: &Refusal) {
    complain(&refusal.to_string());
}

/// The exit status of a command that prints what it found.
pub fn status(outcome: &Outcome) -> ExitCode {
    if outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
