//! What a legacy answer is: an answer to map, a problem to tell, or garbage.

use bytes::Bytes;

use super::{
    calls::{Wire, place},
    error::{ExchangeError, LegacyProblem},
};
use crate::{
    format::{self, Format, FormatError, Incoming},
    json::{Document, Kind, Limits, Node},
    legacy::LegacyReply,
    mapping::{
        apply::Headers,
        operation::{On, OperationProgram, Then},
    },
};

/// One legacy answer, understood.
#[derive(Debug)]
pub struct Reply {
    /// Index of the call in the operation.
    pub call: usize,
    /// Position of the element that it was made for, where it was one of several.
    pub item: Option<usize>,
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Headers,
    /// The body as received.
    pub raw: Bytes,
    /// The body as text where it is none in UTF-8.
    pub text: Option<String>,
    /// The body as a document, or what `on:` says in its place; none for an empty body.
    pub document: Option<Document>,
    /// Query parameters, where it is a message that the legacy system sent by itself.
    pub query: Vec<(String, String)>,
    /// Values of the path, likewise.
    pub path: Vec<(String, String)>,
}

/// How an answer is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'r> {
    /// The format.
    pub wire: Wire<'r>,
    /// Bounds of an answer as a document.
    pub limits: &'r Limits,
}

/// Where a problem of `on:` may point to: the scope that the call was mapped from, and the sender's message.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'m> {
    /// The element or root that was mapped.
    pub scope: Option<Node<'m>>,
    /// The root of the sender's body.
    pub root: Option<Node<'m>>,
}

/// An answer that is none to map.
#[derive(Debug)]
pub struct NotAnAnswer {
    /// What it is instead.
    pub error: ExchangeError,
    /// The answer as it came.
    pub reply: Reply,
    /// Whether it says that nothing was done: a refusal, by its status or by the mapping's word. An error of the
    /// legacy system's own (5xx) and an answer that cannot be read say nothing.
    pub says_no: bool,
}

impl From<Box<NotAnAnswer>> for ExchangeError {
    fn from(not: Box<NotAnAnswer>) -> Self {
        not.error
    }
}

/// Decides what an answer means. `on:` is looked at in order, and the first that fits decides; what is not listed
/// is good with a 2xx status, and otherwise the gateway's own problem. So is a good answer that does not name what
/// was made where the mapping says that it does: an error that pretends to be an answer.
///
/// # Errors
/// The problem that the mapping tells for it, or that it is no answer at all.
pub fn understand(
    program: &OperationProgram,
    (call, item): (usize, Option<usize>),
    answer: LegacyReply,
    reading: Reading<'_>,
    sender: Sender<'_>,
) -> Result<Reply, Box<NotAnAnswer>> {
    let status = answer.status.as_u16();
    let body = (answer.content_type(), &answer.body);
    let parsed = format::decode(reading.wire.format, reading.wire.names, body, reading.limits);
    // What was read as JSON is UTF-8.
    let is_utf8 =
        (parsed.is_ok() && *reading.wire.format == Format::Json) || std::str::from_utf8(&answer.body).is_ok();
    let text = if is_utf8 { None } else { format::text(answer.content_type(), &answer.body).ok() };
    let raw = || text.as_deref().or_else(|| std::str::from_utf8(&answer.body).ok());
    let fitting = program.on.iter().find(|on| fits(on, call, status, parsed.as_ref().ok(), raw));
    let fault = parsed.as_ref().ok().and_then(|incoming| incoming.fault.clone());
    let meaning = match fitting.map(|on| &on.then) {
        Some(Then::Problem { code, at, reason }) => {
            let each = program.calls.get(call).and_then(|call| call.each.as_ref());
            let pointer = at.as_ref().zip(sender.root).map(|(at, root)| {
                let own = each.is_some_and(|each| each.steps == at.path.steps);
                match (&at.within, sender.scope.filter(|_| own)) {
                    (Some(within), Some(scope)) => within.pointer(scope, root),
                    _ => at.path.pointer(root, root),
                }
            });
            let reason = reason.as_deref().unwrap_or("The request cannot be carried out.").to_owned();
            Err(ExchangeError::LegacyProblem(LegacyProblem { code: *code, pointer, reason }))
        }
        Some(Then::Answer(instead)) => Ok(Some(instead.clone())),
        None => good(program, call, answer.status, parsed),
    };
    let (document, error) = match meaning {
        Ok(document) => (document, None),
        Err(error) => (None, Some(error)),
    };
    let headers = Headers::new(answer.headers);
    let (query, path) = (Vec::new(), Vec::new());
    let reply = Reply { call, item, status, headers, raw: answer.body, text, document, query, path };
    match error {
        None => Ok(reply),
        Some(error) => {
            let says_no = match (&error, fault) {
                // The status of a fault says nothing: SOAP 1.1 has 500 for all of them.
                (ExchangeError::LegacyProblem(_), Some(_)) => true,
                (ExchangeError::LegacyFault { .. }, Some(fault)) => fault.blames_sender(),
                (ExchangeError::LegacyProblem(_) | ExchangeError::LegacyStatus { .. }, _) => status < 500,
                _ => false,
            };
            Err(Box::new(NotAnAnswer { error, reply, says_no }))
        }
    }
}

/// An answer that `on:` says nothing about.
fn good(
    program: &OperationProgram,
    call: usize,
    status: http::StatusCode,
    parsed: Result<Incoming, FormatError>,
) -> Result<Option<Document>, ExchangeError> {
    let made = program.calls.get(call);
    let name = || made.map_or_else(String::new, |call| call.name.to_string());
    if let Ok(Incoming { fault: Some(fault), .. }) = &parsed {
        return Err(ExchangeError::LegacyFault { call: name(), code: fault.code.clone() });
    }
    if !status.is_success() {
        return Err(ExchangeError::LegacyStatus { status: status.as_u16(), call: name() });
    }
    let garbage = |detail| ExchangeError::LegacyGarbage { call: name(), detail };
    let document = parsed.map_err(|error| garbage(error.to_string()))?.document;
    let Some(path) = made.and_then(|call| call.legacy_id.as_ref()) else { return Ok(document) };
    match document.as_ref().and_then(|document| place(path, document.root())) {
        Some(_) => Ok(document),
        None => Err(garbage("a body without the id of what was made (`legacy_id`)".to_owned())),
    }
}

fn fits<'r>(
    on: &On,
    call: usize,
    status: u16,
    read: Option<&Incoming>,
    raw: impl Fn() -> Option<&'r str>,
) -> bool {
    let document = read.and_then(|read| read.document.as_ref());
    // What costs least is asked first: most replies are of another call or status.
    if on.call.is_some_and(|wanted| wanted != call) || on.status.is_some_and(|wanted| !wanted.holds(status)) {
        return false;
    }
    let of_body = || {
        on.condition.as_ref().is_none_or(|condition| {
            document.is_some_and(|document| condition.holds(document.root(), document.root()))
        })
    };
    let of_fault = || {
        on.fault
            .as_deref()
            .is_none_or(|code| read.and_then(|read| read.fault.as_ref()).is_some_and(|fault| fault.is(code)))
    };
    // Plain text is a document where the backend's format has it.
    let of_text = || {
        on.text.as_deref().is_none_or(|text| {
            document.is_none_or(|document| document.root().kind() == Kind::String)
                && raw().is_some_and(|body| body.contains(text))
        })
    };
    of_body() && of_fault() && of_text()
}
