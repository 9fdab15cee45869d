//! Making the calls: in order, side by side where allowed, inside the deadline, taken back where one fails.

use std::borrow::Cow;

use futures_util::future::join_all;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header::InvalidHeaderValue, uri::PathAndQuery};
use tokio::time::Instant;

use super::{
    buyer,
    calls::{Origin, Planned, Prepared, place},
    error::{ExchangeError, SellerProblem},
    reply::{Reading, Reply, Sender, understand},
    story::Story,
};
use crate::{
    format::{self, Format, Outgoing},
    json::{Document, Limits},
    legacy::{BackendSettings, LegacyReply, LegacyRequest},
    mapping::operation::{Call, OperationProgram},
};

/// What the calls of one exchange share.
pub struct Calling<'c, 'm> {
    /// The operation.
    pub program: &'m OperationProgram,
    /// What requests are mapped from.
    pub origin: &'c Origin<'m>,
    /// The backend.
    pub backend: &'c BackendSettings,
    /// Headers passed on from the partner, and the trace.
    pub forwarded: HeaderMap,
    /// Bounds of a reply as a document.
    pub limits: Limits,
}

impl<'m> Calling<'_, 'm> {
    /// The same by another program.
    pub fn with(&self, program: &'m OperationProgram) -> Self {
        let (forwarded, limits) = (self.forwarded.clone(), self.limits);
        Self { program, origin: self.origin, backend: self.backend, forwarded, limits }
    }
}

/// The calls did not all end well.
#[derive(Debug)]
pub struct Broken {
    /// What ended them.
    pub error: ExchangeError,
    /// What was answered and not taken back.
    pub replies: Vec<Reply>,
    /// How many of these were made before, and could not be taken back.
    pub left: usize,
    /// Whether a call that failed may have done something all the same.
    pub unclear: bool,
}

/// A call that did not end well.
struct Failed {
    error: ExchangeError,
    /// The answer, where there was one that does not say that nothing was done.
    reply: Option<Reply>,
    unclear: bool,
}

impl From<ExchangeError> for Failed {
    fn from(error: ExchangeError) -> Self {
        let unclear = matches!(&error, ExchangeError::Legacy { error, .. } if !error.retry_is_safe());
        Self { error, reply: None, unclear }
    }
}

/// Makes all calls. Calls of one `each` run up to `parallel` at a time; the calls of an operation follow each other.
///
/// # Errors
/// The first call that did not end well, with the replies that came before and could not be taken back.
pub async fn run(
    story: &mut Story<'_>,
    calling: &Calling<'_, '_>,
    prepared: &[Prepared<'_>],
) -> Result<Vec<Reply>, Box<Broken>> {
    let mut replies: Vec<Reply> = Vec::with_capacity(prepared.len());
    for group in prepared.chunk_by(|left, right| left.planned.index == right.planned.index) {
        let started = Instant::now();
        let (made, failed) = side_by_side(story, calling, group, &replies).await;
        story.legacy += started.elapsed();
        story.legacy_calls += group.len();
        replies.extend(made);
        if !failed.is_empty() {
            return Err(Box::new(broken(story, calling, replies, failed).await));
        }
    }
    Ok(replies)
}

/// Makes one call that changes nothing; its address may name what was replied earlier.
///
/// # Errors
/// Why it did not end well.
pub async fn one(
    story: &Story<'_>,
    calling: &Calling<'_, '_>,
    prepared: &Prepared<'_>,
    earlier: &[Reply],
) -> Result<Reply, ExchangeError> {
    make(story, calling, prepared, earlier).await.map_err(|failed| failed.error)
}

/// The calls of one `each`: what was answered, in the order of the elements, and those that failed. Calls that were
/// under way when one failed are waited for, so that what they did is known.
async fn side_by_side(
    story: &Story<'_>,
    calling: &Calling<'_, '_>,
    group: &[Prepared<'_>],
    earlier: &[Reply],
) -> (Vec<Reply>, Vec<Failed>) {
    let parallel = group.first().map_or(1, |one| usize::from(one.planned.call.parallel.max(1)));
    let (mut made, mut failed) = (Vec::with_capacity(group.len()), Vec::new());
    for wave in group.chunks(parallel) {
        let calls = wave.iter().map(|one| make(story, calling, one, earlier));
        for result in join_all(calls).await {
            match result {
                Ok(reply) => made.push(reply),
                Err(one) => failed.push(*one),
            }
        }
        if !failed.is_empty() {
            break;
        }
    }
    (made, failed)
}

/// The first failure is told; what any of them may have done is kept.
async fn broken(
    story: &Story<'_>,
    calling: &Calling<'_, '_>,
    replies: Vec<Reply>,
    failed: Vec<Failed>,
) -> Broken {
    let mut replies = take_back(story, calling, replies).await;
    let left = replies.len();
    let unclear = failed.iter().any(|one| one.unclear);
    let mut told = None;
    for one in failed {
        replies.extend(one.reply);
        told = told.or(Some(one.error));
    }
    let error = told.unwrap_or_else(|| ExchangeError::Internal("no call failed".to_owned()));
    Broken { error, replies, left, unclear }
}

async fn make(
    story: &Story<'_>,
    calling: &Calling<'_, '_>,
    one: &Prepared<'_>,
    earlier: &[Reply],
) -> Result<Reply, Box<Failed>> {
    let Planned { index, call, element } = one.planned;
    let failed = |error: ExchangeError| Box::new(Failed::from(error));
    let address = match &one.address {
        Some(address) => address.clone(),
        None => calling.origin.address(&call.target, &one.query, element, earlier, None).map_err(failed)?,
    };
    let deadline = story.moment.deadline;
    let answer = send(story, calling, call, &address, (one.message.clone(), &one.headers), deadline).await;
    let sender = Sender {
        scope: element.map(|(_, element)| element),
        root: calling.origin.received.body.as_ref().map(crate::json::Document::root),
    };
    let item = element.map(|(position, _)| position);
    let reading = Reading { wire: calling.origin.wire, limits: &calling.limits };
    let understood = understand(calling.program, (index, item), answer.map_err(failed)?, reading, sender);
    understood.map_err(|not| {
        let unclear = !not.says_no;
        let error = match not.error {
            ExchangeError::LegacyStatus { status, call } if calling.backend.is_seller => {
                ExchangeError::Seller(Box::new(of_seller(calling, &one.planned, (status, &call), &not.reply)))
            }
            error => error,
        };
        Box::new(Failed { error, reply: unclear.then_some(not.reply), unclear })
    })
}

/// What a Seller says is wrong that stands in the place of a legacy system, and that the mapping says nothing about.
fn of_seller<'m>(
    calling: &Calling<'_, 'm>,
    planned: &Planned<'m>,
    (status, call): (u16, &str),
    reply: &Reply,
) -> SellerProblem {
    let document = Document::parse(reply.raw.clone(), &calling.limits).ok();
    let status = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    calling.origin.told_back(planned, buyer::problem(call, status, document.as_ref()))
}

async fn send(
    story: &Story<'_>,
    calling: &Calling<'_, '_>,
    call: &Call,
    address: &str,
    (message, headers): (Option<Outgoing>, &[(String, String)]),
    deadline: Instant,
) -> Result<LegacyReply, ExchangeError> {
    let internal = |what: &str| ExchangeError::Internal(format!("call `{}`: {what}", call.name));
    let mut all = calling.forwarded.clone();
    for (name, value) in headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| internal("a header has no name"))?;
        let value =
            HeaderValue::from_str(value).map_err(|_| internal("a header's value is no header text"))?;
        all.insert(name, value);
    }
    if let Some(action) = message.as_ref().and_then(|message| message.soap_action.as_deref()) {
        let action = HeaderValue::from_str(action).map_err(|_| internal("no SOAP action"))?;
        all.insert(HeaderName::from_static("soapaction"), action);
    }
    let body = message.map(|message| Ok((media_type(message.content_type)?, message.body))).transpose();
    let body = body.map_err(|_: InvalidHeaderValue| internal("no media type"))?;
    let request = LegacyRequest {
        method: Method::from_bytes(call.target.method.as_bytes()).map_err(|_| internal("no method"))?,
        path_and_query: PathAndQuery::try_from(address).map_err(|_| internal("no address"))?,
        headers: all,
        body,
    };
    let taped = story.taping.as_ref().map(|taping| (taping, taping.sent(&request)));
    let answer = story.gateway.legacy.call(calling.backend, request, deadline).await;
    if let Some((taping, number)) = taped {
        taping.answered(number, &answer);
    }
    answer.map_err(|error| ExchangeError::Legacy { call: call.name.to_string(), error })
}

fn media_type(text: Cow<'static, str>) -> Result<HeaderValue, InvalidHeaderValue> {
    match text {
        Cow::Borrowed(text) => Ok(HeaderValue::from_static(text)),
        Cow::Owned(text) => HeaderValue::try_from(text),
    }
}

/// Takes back what was done before a call failed, last first. What could not be taken back is returned: it stays in
/// the journal.
pub async fn take_back(story: &Story<'_>, calling: &Calling<'_, '_>, done: Vec<Reply>) -> Vec<Reply> {
    let mut left = Vec::new();
    for reply in done.into_iter().rev() {
        let undo = calling.program.calls.get(reply.call).and_then(|call| call.undo.as_deref());
        let undone = match undo {
            Some(undo) => take_back_one(story, calling, undo, &reply).await,
            None => false,
        };
        if !undone {
            left.push(reply);
        }
    }
    left
}

async fn take_back_one(story: &Story<'_>, calling: &Calling<'_, '_>, undo: &Call, reply: &Reply) -> bool {
    let Ok(address) = calling.origin.address(&undo.target, &[], None, &[], Some(reply)) else { return false };
    let Some(call) = calling.program.calls.get(reply.call) else { return false };
    // It is mapped from the same request as the call that it takes back.
    let planned = Planned { index: reply.call, call, element: None };
    let Ok(message) = calling.origin.map(&planned, undo) else { return false };
    // What is taken back is so often because time is over: it gets time of its own, and the caller does not wait.
    let deadline = Instant::now() + std::time::Duration::from_millis(calling.backend.answer_ms_max);
    match send(story, calling, undo, &address, (message, &[]), deadline).await {
        Ok(answer) if answer.status.is_success() && !is_fault(calling, &answer) => true,
        Ok(answer) => {
            let status = answer.status.as_u16();
            tracing::error!(exchange = story.id.as_str(), call = &*undo.name, status, "not taken back");
            false
        }
        Err(error) => {
            tracing::error!(exchange = story.id.as_str(), call = &*undo.name, %error, "not taken back");
            false
        }
    }
}

/// Whether an answer is a SOAP fault, which may come with any status.
fn is_fault(calling: &Calling<'_, '_>, answer: &LegacyReply) -> bool {
    let wire = calling.origin.wire;
    if !matches!(wire.format, Format::Soap(_)) {
        return false;
    }
    let read =
        format::decode(wire.format, wire.names, (answer.content_type(), &answer.body), &calling.limits);
    read.map_or(true, |incoming| incoming.fault.is_some())
}

/// The legacy id that a reply names for what was made.
pub fn legacy_id(program: &OperationProgram, reply: &Reply) -> Option<String> {
    let path = program.calls.get(reply.call)?.legacy_id.as_ref()?;
    place(path, reply.document.as_ref()?.root())
}
