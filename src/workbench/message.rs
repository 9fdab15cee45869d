//! One message, mapped as an exchange would.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use super::{
    Misuse,
    find::{find_operation, known},
};
use crate::{
    exchange::{
        error::ExchangeError,
        rehearsal::{Rehearsal, Rehearsed},
    },
    format::Format,
    json::{Document, Limits},
    legacy::LegacyReply,
    mapping::{apply::Failure, direction::Direction},
    plan::Plan,
    sonata::{Fault, check::QueryFault},
};

/// A message to try.
#[derive(Debug, Clone)]
pub struct Message {
    /// The partner whose mapping is applied.
    pub partner: String,
    /// The operation, such as `quote.createQuote`.
    pub operation: String,
    /// The mapping set, where the partner's routes speak several; else the first that has the operation.
    pub mapping: Option<String>,
    /// A partner's request to the legacy system, or a legacy reply to the partner.
    pub direction: Direction,
    /// Only this call; towards Sonata the call that was answered, else the last.
    pub call: Option<String>,
    /// Query parameters of the request, decoded.
    pub query: Vec<(String, String)>,
    /// Path parameters of the request, decoded.
    pub path: Vec<(String, String)>,
    /// HTTP status of the reply.
    pub status: u16,
    /// The time that mappings see.
    pub now: Timestamp,
    /// The body.
    pub body: Bytes,
}

/// What came of a message.
#[derive(Debug)]
pub struct Outcome {
    /// What was wrong before the mapping, or instead of it.
    pub refusals: Vec<Refusal>,
    /// What was mapped, with failures where the mapping has some.
    pub messages: Vec<Rehearsed>,
}

impl Outcome {
    /// Whether nothing was refused and everything could be mapped.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.refusals.is_empty() && self.messages.iter().all(|message| message.result.is_ok())
    }

    fn refused(refusals: Vec<Refusal>) -> Self {
        Self { refusals, messages: Vec::new() }
    }
}

/// Something that an exchange would not go on with, or would tell its operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The standard's code, where a partner would be told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// JSON Pointer into the sender's message, where the place is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// The rule that says so, as `file:line:column address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A line: code, place, reason, rule.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, &self.pointer) {
            (Some(code), Some(pointer)) => write!(f, "{code} {pointer}: ")?,
            (Some(code), None) => write!(f, "{code}: ")?,
            (None, _) => {}
        }
        f.write_str(&self.reason)?;
        self.rule.as_ref().map_or(Ok(()), |rule| write!(f, " ({rule})"))
    }
}

impl From<&Failure> for Refusal {
    fn from(failure: &Failure) -> Self {
        let Failure { code, source_pointer, origin, message, .. } = failure;
        Self {
            code: Some(code.as_str()),
            pointer: Some(source_pointer.clone()),
            reason: message.clone(),
            rule: Some(format!("{origin} {}", origin.address)),
        }
    }
}

impl From<&QueryFault> for Refusal {
    fn from(fault: &QueryFault) -> Self {
        Self { code: Some(fault.code.as_str()), ..Self::plain(fault.reason.clone()) }
    }
}

impl From<&Fault> for Refusal {
    fn from(fault: &Fault) -> Self {
        Self {
            code: Some(fault.code.as_str()),
            pointer: Some(fault.pointer.clone()),
            ..Self::plain(fault.reason.clone())
        }
    }
}

impl Refusal {
    fn plain(reason: String) -> Self {
        Self { code: None, pointer: None, reason, rule: None }
    }

    fn of_error(error: &ExchangeError) -> Vec<Self> {
        match error {
            ExchangeError::Refused(failures) | ExchangeError::Mapping(failures) => {
                failures.iter().map(Self::from).collect()
            }
            ExchangeError::LegacyProblem(problem) => vec![Self {
                code: Some(problem.code.as_str()),
                pointer: Some(problem.pointer.clone().unwrap_or_default()),
                ..Self::plain(problem.reason.clone())
            }],
            other => vec![Self::plain(other.to_string())],
        }
    }
}

/// Maps the message as an exchange of its partner would, as far as that goes without a store and a legacy system.
///
/// # Errors
/// [`Misuse`]: a partner, an operation, a call or a parameter that is not there.
pub fn rehearse(plan: &Plan, message: &Message) -> Result<Outcome, Misuse> {
    let found = find_operation(plan, &message.partner, &message.operation)?;
    let (partner, operation) = (found.partner, found.operation);
    if let Some(name) = &message.mapping {
        known("mapping set", name, partner.mappings().map(|name| &**name))?;
    }
    let mut targets = partner.targets(found.written.function, &found.meant.operation_id).iter();
    let way = targets.find_map(|target| {
        let is_meant = message.mapping.as_deref().is_none_or(|name| *target.mapping == *name);
        Some((target, target.served.mapped().filter(|_| is_meant)?))
    });
    let Some((target, mapped)) = way else {
        return Err(Misuse(format!("`{}` is not mapped for `{}`", message.operation, message.partner)));
    };
    if let Some(name) = &message.call {
        known("call", name, mapped.program.calls.iter().map(|call| &*call.name))?;
    }
    let names_entity = operation.path_text().contains("{id}") && message.direction == Direction::ToLegacy;
    if names_entity && message.path.is_empty() {
        return Err(Misuse(format!("`{}` names an entity in its path: give path id=…", message.operation)));
    }
    let rehearsal = Rehearsal {
        partner,
        spoken: (found.contract, operation),
        route: (found.written, found.meant),
        mapped,
        format: plan.backend(&target.backend).map_or(&Format::Json, |backend| &backend.format),
        query: message.query.clone(),
        path: message.path.clone(),
        now: message.now,
    };
    match message.direction {
        Direction::ToLegacy => Ok(request(&rehearsal, message)),
        Direction::ToSonata => reply(&rehearsal, message),
    }
}

fn request(rehearsal: &Rehearsal<'_>, message: &Message) -> Outcome {
    let limits = Limits { bytes_max: usize::MAX, ..Limits::default() };
    let has_body = rehearsal.spoken.1.request.is_some();
    let body = has_body.then(|| Document::parse(message.body.clone(), &limits)).transpose();
    let body = match body {
        Ok(body) => body,
        Err(error) => {
            return Outcome::refused(vec![Refusal::plain(format!("the body is not JSON: {error}"))]);
        }
    };
    let (query, faults) = rehearsal.check(body.as_ref());
    let refusals = query.iter().map(Refusal::from).chain(faults.iter().map(Refusal::from)).collect();
    outcome(rehearsal.to_legacy(body, message.call.as_deref()), refusals)
}

fn reply(rehearsal: &Rehearsal<'_>, message: &Message) -> Result<Outcome, Misuse> {
    let status = http::StatusCode::from_u16(message.status)
        .map_err(|_| Misuse(format!("{} is no HTTP status", message.status)))?;
    let reply = LegacyReply::new(status, http::HeaderMap::new(), message.body.clone());
    Ok(outcome(rehearsal.to_sonata(message.call.as_deref(), &reply), Vec::new()))
}

fn outcome(result: Result<Vec<Rehearsed>, ExchangeError>, mut refusals: Vec<Refusal>) -> Outcome {
    match result {
        Ok(messages) => Outcome { refusals, messages },
        Err(error) => {
            refusals.extend(Refusal::of_error(&error));
            Outcome::refused(refusals)
        }
    }
}
