//! A message that a legacy system sends by itself, on the internal listener: `receives:` in the mappings.
//!
//! The path says which entry of which mapping sets it is, the id in it whose entity is meant: every partner that has the
//! entity is told by the same message. It is answered when everything is committed, so that what was answered with
//! success need not be sent again; what is sent again changes nothing. Who calls is our own system, and gets plain JSON.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use hyper::body::Body;
use percent_encoding::percent_decode_str;

use super::{
    Gateway, buyer,
    concerned::Concerned,
    error::ExchangeError,
    identify,
    news::{Element, Message, Telling, as_reply},
    problem,
    reply::Reply,
    request::json_limits,
    story::Story,
    wire::Answer,
};
use crate::{
    body::{self, BodyLimits},
    format,
    ids::BackendId,
    json::{Builder, Document, Limits, Node},
    legacy::BackendSettings,
    plan::{PartnerPlan, Plan, Received, Receiver, Understanding},
    server::PeerIdentity,
};

/// A message for one partner, as one entry of its mapping set understands it.
struct Way<'p> {
    partner: &'p Arc<PartnerPlan>,
    receiver: &'p Receiver,
    backend: &'p BackendSettings,
    path: Arc<Vec<(String, String)>>,
}

/// What came of a message.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Things that it said which somebody was told.
    pub told: usize,
    /// Ids that nobody has.
    pub unknown: Vec<String>,
}

/// Takes one message in. It always answers.
pub async fn exchange<B>(gateway: &Gateway, request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
{
    let _in_flight = gateway.metrics.in_flight();
    let (head, body) = request.into_parts();
    let mut story = Story::begin(gateway, &head);
    story.is_ours();
    if buyer::is_exposed(&story.plan, head.uri.path()) {
        return buyer::exchange(story, &head, body).await;
    }
    let result = super::seller::guarded(pin!(received(&mut story, &head, body))).await;
    story.end_ours(result)
}

async fn received<B>(story: &mut Story<'_>, head: &Parts, body: B) -> Result<Answer, ExchangeError>
where
    B: Body<Data = Bytes>,
{
    let plan = Arc::clone(&story.plan);
    admit(&plan, head)?;
    let ways = ways(&plan, &head.method, head.uri.path())?;
    let limits = &plan.settings().gateway.limits;
    let deadline = story.moment.deadline.min(story.moment.started + limits.body_read_max);
    let bytes = body::read(&head.headers, body, &BodyLimits::of(limits.body_bytes_max), deadline).await;
    let bytes = bytes.map_err(|error| ExchangeError::Body(error.to_string()))?;
    story.read(&bytes);
    let mut all = Done::default();
    let status = ways.first().map_or(StatusCode::OK.as_u16(), |way| way.receiver.receive.status);
    let mut unknown: Option<Vec<String>> = None;
    let replies = understood(&ways, (head, &bytes), &json_limits(limits))?;
    let messages: Vec<_> = ways.iter().zip(&replies).map(|(way, reply)| message(way, reply)).collect();
    let concerned = Concerned::by(&story.gateway.store, &messages).await?;
    for (way, message) in ways.iter().zip(messages) {
        let done = told(story, way, &message, &concerned).await?;
        all.told += done.told;
        // What one partner does not have another may: unknown is what nobody has.
        unknown = Some(match unknown {
            None => done.unknown,
            Some(before) => before.into_iter().filter(|id| done.unknown.contains(id)).collect(),
        });
    }
    all.unknown = unknown.unwrap_or_default();
    Ok(answer(status, &all))
}

/// Only this machine, or who knows the token.
pub(super) fn admit(plan: &Plan, head: &Parts) -> Result<(), ExchangeError> {
    let known = match &plan.settings().gateway.listeners.internal_token {
        Some(token) => {
            let shown = identify::token(head).unwrap_or_default();
            // Hashes of this kind compare in constant time.
            blake3::hash(shown.as_bytes()) == blake3::hash(token.reveal().as_bytes())
        }
        None => head.extensions.get::<PeerIdentity>().is_some_and(PeerIdentity::is_loopback),
    };
    if known { Ok(()) } else { Err(ExchangeError::UnknownPartner) }
}

/// Who understands a message: partners whose mappings receive it, by the backends that may send it. The path may begin
/// with the name of the backend, where several speak one mapping set.
fn ways<'p>(plan: &'p Plan, method: &Method, path: &str) -> Result<Vec<Way<'p>>, ExchangeError> {
    let named = path.strip_prefix('/').and_then(|path| path.split('/').next());
    let named = named.and_then(|name| BackendId::parse(name).ok()).filter(|id| plan.backend(id).is_some());
    let below = named.as_ref().and_then(|id| path.strip_prefix('/')?.strip_prefix(id.as_str()));
    let whole = plan.received(path).map(|(row, values)| (row, values, None));
    let mut rows: Vec<(&Received, Vec<_>, Option<&BackendId>)> = whole.collect();
    for (row, values) in below.into_iter().flat_map(|below| plan.received(below)) {
        if !rows.iter().any(|(known, ..)| std::ptr::eq(*known, row)) {
            rows.push((row, values, named.as_ref()));
        }
    }
    let (rows, others): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|(row, ..)| *row.receive.method == *method.as_str());
    let mut meant = Vec::new();
    for (row, values, sender) in &rows {
        let path = values.iter().map(|(name, value)| {
            ((*name).to_owned(), percent_decode_str(value).decode_utf8_lossy().into_owned())
        });
        let path = Arc::new(path.collect::<Vec<_>>());
        meant.extend(row.by.iter().map(|(id, index)| (id, *index, Arc::clone(&path), *sender)));
    }
    meant.sort_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    let mut ways = Vec::new();
    for (id, index, path, sender) in meant {
        let partner = plan.partner(id.as_str());
        let found = partner.and_then(|partner| Some((partner, partner.receivers().get(index)?)));
        let Some((partner, receiver)) = found else { continue };
        let senders = receiver.backends.iter().filter(|own| sender.is_none_or(|sender| sender == *own));
        let settings = senders.filter_map(|id| plan.backend(id));
        ways.extend(settings.map(|backend| Way { partner, receiver, backend, path: Arc::clone(&path) }));
    }
    if !ways.is_empty() {
        return Ok(ways);
    }
    let mut methods: Vec<&str> = others.iter().map(|(row, ..)| &*row.receive.method).collect();
    methods.sort_unstable();
    methods.dedup();
    Err(match methods.as_slice() {
        [] => ExchangeError::NoSuchPath,
        methods => ExchangeError::MethodNotAllowed { allow: methods.join(", ") },
    })
}

/// The message as each way has it, in the place of a reply.
fn understood(
    ways: &[Way<'_>],
    (head, bytes): (&Parts, &Bytes),
    limits: &Limits,
) -> Result<Vec<Arc<Reply>>, ExchangeError> {
    let mut replies = Vec::<Arc<Reply>>::with_capacity(ways.len());
    for (index, way) in ways.iter().enumerate() {
        // Partners share what their overlays leave alone, so that a message is mostly read once for all of them.
        let read = ways.iter().take(index).position(|before| before.reads_as(way));
        let read = read.and_then(|read| replies.get(read)).map(Arc::clone);
        replies.push(read.map_or_else(|| in_format(way, head, bytes, limits).map(Arc::new), Ok)?);
    }
    Ok(replies)
}

impl Way<'_> {
    /// Whether a message is the same document for another partner.
    fn reads_as(&self, other: &Self) -> bool {
        let names = |way: &Self| Arc::as_ptr(&way.receiver.understanding.mapped.names);
        std::ptr::eq(self.backend, other.backend) && names(self) == names(other) && self.path == other.path
    }
}

/// The message as the backend's format has it.
fn in_format(way: &Way<'_>, head: &Parts, bytes: &Bytes, limits: &Limits) -> Result<Reply, ExchangeError> {
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let names = &way.receiver.understanding.mapped.names;
    let incoming = format::decode(&way.backend.format, names, (content_type, bytes), limits);
    let incoming = incoming.map_err(|error| ExchangeError::Body(error.to_string()))?;
    let query = form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes());
    let query = query.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    let document = incoming.document;
    Ok(as_reply(head.headers.clone(), (content_type, bytes), document, (query, Vec::clone(&way.path))))
}

/// The message as one partner's mapping understands it.
fn message<'m>(way: &'m Way<'_>, reply: &'m Reply) -> Message<'m> {
    let (understanding, news) = (&way.receiver.understanding, &way.receiver.receive.news);
    let telling = Telling {
        partner: way.partner,
        understanding,
        items: news.items.as_deref(),
        program: &news.program,
        backend: way.backend,
        reply,
        creates: news.creates,
    };
    Message { telling, news }
}

/// Tells one partner's entities.
async fn told(
    story: &mut Story<'_>,
    way: &Way<'_>,
    message: &Message<'_>,
    concerned: &Concerned,
) -> Result<Done, ExchangeError> {
    meant_for(story, way.partner, &way.receiver.understanding);
    let mut all = Done::default();
    for element in elements(message) {
        if concerned.concerns(message, element) {
            let done = one(story, message, element).await?;
            all.told += done.told;
            all.unknown.extend(done.unknown);
        } else {
            all.unknown.extend(message.legacy_id(element).map(|id| id.as_str().to_owned()));
        }
    }
    Ok(all)
}

/// Has the exchange be about one partner, and what is said read as the answer to a look-up.
pub(super) fn meant_for(story: &mut Story<'_>, partner: &Arc<PartnerPlan>, understanding: &Understanding) {
    story.partner = Some(Arc::clone(partner));
    story.route = Some((understanding.contract, understanding.operation));
    story.mapping = Some(Arc::clone(&understanding.mapped));
}

/// What a message speaks of: its elements, or it is about one thing as a whole.
pub(super) fn elements<'m>(message: &Message<'m>) -> Vec<Element<'m>> {
    let Some(each) = &message.news.each else { return vec![None] };
    let root = message.telling.reply.document.as_ref().map(Document::root);
    let array = root.and_then(|root| each.array().read(root, root).ok().flatten());
    array.into_iter().flat_map(Node::elements).enumerate().map(Some).collect()
}

/// Tells one partner's entity what an element says of it.
///
/// # Errors
/// The element does not say of what it speaks or cannot be mapped, or the store's.
pub(super) async fn one(
    story: &mut Story<'_>,
    message: &Message<'_>,
    element: Element<'_>,
) -> Result<Done, ExchangeError> {
    let Some(legacy) = message.legacy_id(element) else {
        return Err(ExchangeError::Body("the message does not name what it speaks of".to_owned()));
    };
    let unknown = || Done { told: 0, unknown: vec![legacy.as_str().to_owned()] };
    let done = match message.meant(story, &legacy).await? {
        Some(meant) => message.telling.update(story, &meant, element).await,
        None if message.news.creates => message.create(story, legacy.clone(), element).await,
        None => return Ok(unknown()),
    };
    match done {
        Ok(()) => Ok(Done { told: 1, unknown: Vec::new() }),
        Err(ExchangeError::NotFound) => Ok(unknown()),
        Err(error) => Err(error),
    }
}

/// Success, with the ids that nobody has; 404 where that is all of them.
fn answer(status: u16, done: &Done) -> Answer {
    if done.unknown.is_empty() {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::NO_CONTENT);
        return Answer { status, body: Bytes::new(), headers: HeaderMap::new() };
    }
    let mut builder = Builder::new();
    let root = builder.object();
    if done.told == 0 {
        let text = builder.string("nothing that any partner knows has this id");
        builder.set(root, "error", text);
    }
    let list = builder.array();
    for id in &done.unknown {
        let id = builder.string(id.as_str());
        builder.push(list, id);
    }
    builder.set(root, "unknown", list);
    let status = if done.told == 0 { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Answer { status, body: builder.finish(root).bytes(), headers: HeaderMap::new() }
}

/// The answer in place of a message that could not be taken in, and a word for the log.
pub fn refusal(error: &ExchangeError) -> (Answer, &'static str) {
    let (status, code) = problem::for_legacy(error);
    let mut builder = Builder::new();
    let root = builder.object();
    let text = match error {
        ExchangeError::Panicked(_) | ExchangeError::Internal(_) => "internal error".to_owned(),
        error => error.to_string(),
    };
    let text = builder.string(text);
    builder.set(root, "error", text);
    let mut headers = HeaderMap::new();
    if let ExchangeError::MethodNotAllowed { allow } = error
        && let Ok(allow) = HeaderValue::from_str(allow)
    {
        headers.insert(header::ALLOW, allow);
    }
    (Answer { status, body: builder.finish(root).bytes(), headers }, code)
}
