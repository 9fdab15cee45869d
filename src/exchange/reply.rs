//! What a legacy answer is: an answer to map, a problem to tell, or garbage.

use bytes::Bytes;

use super::{
    calls::place,
    error::{ExchangeError, LegacyProblem},
};
use crate::{
    json::{Document, Limits, Node},
    legacy::LegacyReply,
    mapping::operation::{On, OperationProgram, Then},
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
    pub headers: Vec<(String, String)>,
    /// The body as received.
    pub raw: Bytes,
    /// The body as a document, or what `on:` says in its place; none for an empty body.
    pub document: Option<Document>,
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
    call: usize,
    item: Option<usize>,
    answer: &LegacyReply,
    limits: &Limits,
    sender: Sender<'_>,
) -> Result<Reply, Box<NotAnAnswer>> {
    let status = answer.status.as_u16();
    let parsed = parse(answer, limits);
    let document = parsed.as_ref().ok().and_then(Option::as_ref);
    let fitting = program.on.iter().find(|on| fits(on, call, status, document, &answer.body));
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
    let headers = answer.headers.iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let headers = headers.collect();
    let (document, error) = match meaning {
        Ok(document) => (document, None),
        Err(error) => (None, Some(error)),
    };
    let reply = Reply { call, item, status, headers, raw: answer.body.clone(), document };
    match error {
        None => Ok(reply),
        Some(error) => {
            let refused =
                matches!(error, ExchangeError::LegacyProblem(_) | ExchangeError::LegacyStatus { .. });
            Err(Box::new(NotAnAnswer { error, reply, says_no: refused && status < 500 }))
        }
    }
}

/// An answer that `on:` says nothing about.
fn good(
    program: &OperationProgram,
    call: usize,
    status: http::StatusCode,
    parsed: Result<Option<Document>, String>,
) -> Result<Option<Document>, ExchangeError> {
    let made = program.calls.get(call);
    let name = made.map_or_else(String::new, |call| call.name.to_string());
    if !status.is_success() {
        return Err(ExchangeError::LegacyStatus { status: status.as_u16(), call: name });
    }
    let garbage = |detail| ExchangeError::LegacyGarbage { call: name.clone(), detail };
    let document = parsed.map_err(garbage)?;
    let Some(path) = made.and_then(|call| call.legacy_id.as_ref()) else { return Ok(document) };
    match document.as_ref().and_then(|document| place(path, document.root())) {
        Some(_) => Ok(document),
        None => Err(garbage("a body without the id of what was made (`legacy_id`)".to_owned())),
    }
}

/// The body as a document; `Err` says why it is none. An empty body is none without being wrong.
fn parse(answer: &LegacyReply, limits: &Limits) -> Result<Option<Document>, String> {
    if answer.body.is_empty() {
        return Ok(None);
    }
    if let Some(media_type) = answer.content_type.as_deref().filter(|_| !answer.is_json()) {
        return Err(format!("media type {media_type:?}, not JSON"));
    }
    Document::parse(answer.body.clone(), limits)
        .map(Some)
        .map_err(|error| format!("no JSON document: {error}"))
}

fn fits(on: &On, call: usize, status: u16, document: Option<&Document>, raw: &[u8]) -> bool {
    let of_call = on.call.is_none_or(|wanted| wanted == call);
    let of_status = on.status.is_none_or(|wanted| wanted.holds(status));
    let of_body = on.condition.as_ref().is_none_or(|condition| {
        document.is_some_and(|document| condition.holds(document.root(), document.root()))
    });
    let of_text = on.text.as_deref().is_none_or(|text| {
        document.is_none() && std::str::from_utf8(raw).is_ok_and(|body| body.contains(text))
    });
    // A SOAP fault needs a SOAP body, which this version's JSON backends do not have.
    of_call && of_status && of_body && of_text && on.fault.is_none()
}
