//! Events of a Seller: taken in on the Sonata listener, and told to our procurement system.
//!
//! What is answered 204 is on disk: the event's id, so that it counts once, and a task. The task looks the entity up at the
//! Seller, as an event carries its id and nothing else, keeps what it is now, and tells our procurement system, again
//! until it has heard. Tasks about one entity follow each other.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, request::Parts, uri::PathAndQuery};
use hyper::body::Body;

use super::{
    super::{
        calls::{Origin, Wire},
        error::ExchangeError,
        facts::{Known, StoryTexts, facts},
        request::{Received, receive},
        story::Story,
        tasks::End,
        wire::Answer,
    },
    ask::{Asked, ask},
    keep::{self, Keeping},
    map,
    message::{self, Way},
    reply,
};
use crate::{
    custody::{Begun, begin, kind_of},
    format,
    ids::{SonataId, TaskId},
    json::{Document, Node},
    legacy::LegacyRequest,
    mapping::{apply::References, exposed, operation::CallTarget},
    plan::{Notifier, PartnerPlan, Plan},
    server::PeerIdentity,
    store::{Batch, Change, IdempotencyKey, Queue, Task},
};

/// What the payload of a task about an event begins with.
const MARK: &str = "heard\n";

/// How long our procurement system is tried to be told, in milliseconds: three days.
const TELL_MS_MAX: i64 = 3 * 86_400_000;

/// Whether a path is one of a listener, and of somebody we buy from; to all others it is a path like any.
pub fn is_listener(plan: &Plan, path: &str) -> bool {
    path.contains("/listener/") && plan.loopback_seller(path).is_some()
}

/// Takes one event in.
///
/// # Errors
/// Nobody is known to tell it, or it is none of the release.
pub async fn hear<B>(story: &mut Story<'_>, head: &Parts, body: B) -> Result<Answer, ExchangeError>
where
    B: Body<Data = Bytes>,
{
    let plan = Arc::clone(&story.plan);
    let partner = identify(&plan, head)?;
    story.partner = Some(Arc::clone(partner));
    let (_, route) = partner.listener(head.uri.path()).ok_or(ExchangeError::NoSuchPath)?;
    if head.method != Method::POST {
        return Err(ExchangeError::MethodNotAllowed { allow: "POST".to_owned() });
    }
    story.route = Some((route.contract, route.operation));
    let received = pin!(receive(story, partner, &route, head, body)).await?;
    let (event_id, event, id) = said(received.body.as_ref())
        .ok_or_else(|| ExchangeError::Body("the event does not say what it is about".to_owned()))?;
    // What nobody is to be told of is heard all the same: it may be asked for.
    if notifier(partner, &event).is_some() {
        note(story, partner, (&event_id, &event, &id)).await?;
    }
    story.entity = Some(id.as_str().to_owned());
    Ok(Answer { status: StatusCode::NO_CONTENT, body: Bytes::new(), headers: HeaderMap::new() })
}

/// The id of an event, its type, and the id of what it is about.
fn said(body: Option<&Document>) -> Option<(String, String, SonataId)> {
    let root = body?.root();
    let text = |node: Node<'_>| node.as_str().map(std::borrow::Cow::into_owned);
    let id = SonataId::parse(&text(root.get("event")?.get("id")?)?).ok()?;
    Some((text(root.get("eventId")?)?, text(root.get("eventType")?)?, id))
}

fn identify<'p>(plan: &'p Plan, head: &Parts) -> Result<&'p Arc<PartnerPlan>, ExchangeError> {
    let peer = head.extensions.get::<PeerIdentity>();
    if !peer.is_some_and(PeerIdentity::is_loopback) {
        return Err(ExchangeError::UnknownPartner);
    }
    plan.loopback_seller(head.uri.path()).ok_or(ExchangeError::UnknownPartner)
}

fn notifier<'p>(partner: &'p PartnerPlan, event: &str) -> Option<&'p Notifier> {
    partner.notifiers().iter().find(|one| *one.notify.event == *event)
}

/// Commits the event's id and what is to be done, once.
async fn note(
    story: &Story<'_>,
    partner: &PartnerPlan,
    (event_id, event, id): (&str, &str, &SonataId),
) -> Result<(), ExchangeError> {
    let key = IdempotencyKey { operation: "listener".to_owned(), key: short(event_id) };
    let (now_ms, task) = (story.now_ms(), task(story, partner, event, id)?);
    let taken = Change::Begin {
        key: key.clone(),
        body_hash: *blake3::hash(event_id.as_bytes()).as_bytes(),
        exchange: story.id.clone(),
        at_ms: now_ms,
    };
    let finished = Change::Finish { key, status: 204, answer: Bytes::new(), entity: None };
    let batch = Batch {
        partner: partner.id().clone(),
        changes: vec![taken, finished, Change::Schedule(Box::new(task))],
    };
    match begin(&story.gateway.store, batch).await? {
        Begun::Fresh | Begun::Again(_) | Begun::Running(_) | Begun::OtherBody(_) => Ok(()),
    }
}

/// What is to be done for an event; after what is to be done for those about the same before it.
fn task(story: &Story<'_>, partner: &PartnerPlan, event: &str, id: &SonataId) -> Result<Task, ExchangeError> {
    let task_id = TaskId::parse(&story.gateway.ports.ids.next().hyphenated().to_string());
    let task_id = task_id.map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let (lane, payload) = (format!("heard/{id}"), format!("{MARK}{event}\n{id}"));
    Ok(Task::new(task_id, partner.id().clone(), Queue::Continue, lane, story.now_ms(), payload.into()))
}

/// An event's id as a key; of one that is long its hash.
fn short(event_id: &str) -> String {
    if event_id.len() <= 128 { event_id.to_owned() } else { blake3::hash(event_id.as_bytes()).to_string() }
}

/// The event and the id that a task is about, where it is such a task.
pub fn about(task: &Task) -> Option<(String, SonataId)> {
    let (event, id) = std::str::from_utf8(&task.payload).ok()?.strip_prefix(MARK)?.split_once('\n')?;
    Some((event.to_owned(), SonataId::parse(id).ok()?))
}

/// Follows an event up.
///
/// # Errors
/// Something failed that may go better the next time.
pub async fn run(
    story: &mut Story<'_>,
    partner: &Arc<PartnerPlan>,
    (event, id): (&str, &SonataId),
    task: &Task,
) -> Result<End, ExchangeError> {
    let plan = Arc::clone(&story.plan);
    let Some(notifier) = notifier(partner, event) else { return Ok(End::Settled(Vec::new())) };
    let Some(way) = message::way_to(&plan, partner, &notifier.exposer) else {
        return Ok(End::Dead("the procurement system or the endpoint is not configured any more".to_owned()));
    };
    let made = message::look_up(&way, id)?;
    let asked = match ask(story, &way, &made).await {
        Err(ExchangeError::Seller(problem)) if problem.says_no() => {
            return Ok(End::Dead(format!(
                "the Seller does not tell of {id}: {}",
                ExchangeError::Seller(problem)
            )));
        }
        asked => asked?,
    };
    let own = number(story, &way, id).await?;
    let status = tell(story, (&way, notifier), &asked, &own).await?;
    let changes =
        Keeping::new(&way, &Received::nothing(), &made).entity(story, Some(id), &asked, &made).await?;
    let is_old = story.now_ms().saturating_sub(task.made_ms) > TELL_MS_MAX;
    match (status.is_success(), is_passing(status) && !is_old) {
        (true, _) => Ok(End::Settled(changes)),
        (false, true) => {
            let (status, call) = (status.as_u16(), event.to_owned());
            Err(ExchangeError::LegacyStatus { status, call })
        }
        (false, false) => {
            Ok(End::Dead(format!("the procurement system answered {status} to {event} of {id}")))
        }
    }
}

/// Our procurement system's number of something, or else the Seller's id.
async fn number(story: &Story<'_>, way: &Way<'_>, id: &SonataId) -> Result<String, ExchangeError> {
    let kind = kind_of(way.exposer.duty.kind);
    let kept = story.gateway.store.entity(way.partner.id(), &kind, id).await?;
    let own = kept.and_then(|kept| kept.legacy_id);
    Ok(own.as_ref().map_or_else(|| id.as_str().to_owned(), |own| own.as_str().to_owned()))
}

/// Whether a status of our procurement system may be another one later.
fn is_passing(status: StatusCode) -> bool {
    let passing = [StatusCode::REQUEST_TIMEOUT, StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || passing.contains(&status)
}

/// Tells our procurement system what the Seller answered; the status that it answers with.
async fn tell(
    story: &mut Story<'_>,
    (way, notifier): (&Way<'_>, &Notifier),
    asked: &Asked,
    own: &str,
) -> Result<StatusCode, ExchangeError> {
    let texts = StoryTexts::of(story);
    let known = facts(way.partner, (way.exposer.contract, way.exposer.operation), &texts, None);
    let (Some(document), exposed::Answer::Whole(program)) = (&asked.document, &way.exposer.expose.answer)
    else {
        return Err(ExchangeError::Internal("an event is followed by one answer".to_owned()));
    };
    let keys = keep::keys(story, way, asked, &[]).await?;
    let said = map(story, way, program, (document, &reply(asked)), &known, &keys, None).await?;
    let request = request(&known, (way, notifier), own, said.as_ref())?;
    let told = story.gateway.legacy.call(way.backend, request, story.moment.deadline).await;
    let call = notifier.notify.event.to_string();
    told.map(|reply| reply.status).map_err(|error| ExchangeError::Legacy { call, error })
}

/// The call that tells our procurement system.
fn request(
    known: &Known<'_>,
    (way, notifier): (&Way<'_>, &Notifier),
    own: &str,
    said: Option<&Document>,
) -> Result<LegacyRequest, ExchangeError> {
    let internal = |error: &dyn std::fmt::Display| ExchangeError::Internal(error.to_string());
    let wire = Wire { format: &way.backend.format, names: &way.exposer.names };
    let target = &notifier.notify.target;
    let address = told_at(known, (way, wire), target, own)?;
    let written = format::encode(wire.format, wire.names, target.soap.as_deref(), said);
    let written = written.map_err(|error| internal(&error))?;
    let body = written.and_then(|one| Some((HeaderValue::try_from(&*one.content_type).ok()?, one.body)));
    Ok(LegacyRequest {
        method: Method::from_bytes(target.method.as_bytes()).map_err(|error| internal(&error))?,
        path_and_query: PathAndQuery::try_from(address).map_err(|error| internal(&error))?,
        headers: HeaderMap::new(),
        body,
    })
}

/// Where our procurement system is told of what has this number there.
fn told_at(
    known: &Known<'_>,
    (way, wire): (&Way<'_>, Wire<'_>),
    target: &CallTarget,
    own: &str,
) -> Result<String, ExchangeError> {
    let (nothing, received) = (References::new(), Received::nothing());
    let origin = Origin {
        received: &received,
        stored: None,
        facts: known,
        references: &nothing,
        remembered: &[],
        tables: &way.exposer.tables,
        legacy_id: Some(own),
        item_id: None,
        calls_max: 1,
        wire,
    };
    origin.address(target, &[], None, &[], None)
}
