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
        identify::caller,
        request::{Received, receive},
        story::Story,
        tasks::End,
        wire::Answer,
    },
    ask::{Asked, ask},
    keep::{self, Keeping},
    map,
    message::{self, Parties, Way},
    reply,
};
use crate::{
    config::Side,
    custody::{Begun, begin, kind_of},
    format,
    ids::{SonataId, TaskId},
    json::{Document, Node},
    legacy::LegacyRequest,
    mapping::{apply::References, exposed, operation::CallTarget},
    plan::{Notifier, PartnerPlan, Plan},
    sonata::entity::EntityKind,
    store::{Batch, Change, Entity, IdempotencyKey, Queue, Task},
};

/// What the payload of a task about an event begins with.
const MARK: &str = "heard\n";

/// How long our procurement system is tried to be told, in milliseconds: three days.
const TELL_MS_MAX: i64 = 3 * 86_400_000;

/// Whether a path is one of a listener, and of somebody we buy from; to all others it is a path like any.
pub fn is_listener(plan: &Plan, path: &str) -> bool {
    path.contains("/listener/") && plan.is_of_sellers(path)
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
    let partner = &caller(&plan, Side::Buyer, head)?;
    story.partner = Some(Arc::clone(partner));
    let (_, route) = partner.listener(head.uri.path()).ok_or(ExchangeError::NoSuchPath)?;
    if head.method != Method::POST {
        return Err(ExchangeError::MethodNotAllowed { allow: "POST".to_owned() });
    }
    story.route = Some((route.contract, route.operation));
    let received = pin!(receive(story, partner, &route, head, body)).await?;
    let said = Said::of(&received)
        .ok_or_else(|| ExchangeError::Body("the event does not say what it is about".to_owned()))?;
    // What nobody is to be told of is heard all the same: it may be asked for.
    let own = partner.notifiers().iter().find(|one| *one.event_type == *said.event);
    if let Some(own) = own {
        // From here on it is called as we call it: the partner may be on another release when it is followed.
        let said = Said { event: own.notify.event.to_string(), ..said.clone() };
        note(story, partner, &said).await?;
    }
    story.entity = Some(said.id.as_str().to_owned());
    Ok(Answer { status: StatusCode::NO_CONTENT, body: Bytes::new(), headers: HeaderMap::new() })
}

/// What an event says.
#[derive(Debug, Clone)]
pub struct Said {
    event_id: String,
    event: String,
    id: SonataId,
    parties: Parties,
}

impl Said {
    fn of(received: &Received) -> Option<Self> {
        let root = received.body.as_ref()?.root();
        let about = root.get("event")?;
        let text = |node: Node<'_>, name: &str| Some(node.get(name)?.as_str()?.into_owned());
        // From kylie on the address says for whom it is.
        let party = |name: &str| text(about, name).or_else(|| received.parameter(name).map(str::to_owned));
        Some(Self {
            event_id: text(root, "eventId")?,
            event: text(root, "eventType")?,
            id: SonataId::parse(&text(about, "id")?).ok()?,
            parties: Parties { buyer: party("buyerId"), seller: party("sellerId") },
        })
    }

    /// What a task needs to know of it.
    fn payload(&self) -> Bytes {
        let party = |id: &Option<String>| id.clone().unwrap_or_default();
        let (buyer, seller) = (party(&self.parties.buyer), party(&self.parties.seller));
        format!("{MARK}{}\n{}\n{buyer}\n{seller}", self.event, self.id).into()
    }
}

fn notifier<'p>(partner: &'p PartnerPlan, event: &str) -> Option<&'p Notifier> {
    partner.notifiers().iter().find(|one| *one.notify.event == *event)
}

/// How our procurement system is told of a kind.
pub fn notifier_of(partner: &PartnerPlan, kind: EntityKind) -> Option<&Notifier> {
    partner.notifiers().iter().find(|one| one.exposer.duty.kind == kind)
}

/// What is told of one thing is told in order.
pub fn lane(id: &SonataId) -> String {
    format!("heard/{id}")
}

/// Commits the event's id and what is to be done, once.
async fn note(story: &Story<'_>, partner: &PartnerPlan, said: &Said) -> Result<(), ExchangeError> {
    let key = IdempotencyKey { operation: "listener".to_owned(), key: short(&said.event_id) };
    let (now_ms, task) = (story.now_ms(), task(story, partner, said)?);
    let taken = Change::Begin {
        key: key.clone(),
        body_hash: *blake3::hash(said.event_id.as_bytes()).as_bytes(),
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
fn task(story: &Story<'_>, partner: &PartnerPlan, said: &Said) -> Result<Task, ExchangeError> {
    let task_id = TaskId::parse(&story.gateway.ports.ids.next().hyphenated().to_string());
    let task_id = task_id.map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let (lane, payload) = (lane(&said.id), said.payload());
    Ok(Task::new(task_id, partner.id().clone(), Queue::Continue, lane, story.now_ms(), payload))
}

/// An event's id as a key; of one that is long its hash.
fn short(event_id: &str) -> String {
    if event_id.len() <= 128 { event_id.to_owned() } else { blake3::hash(event_id.as_bytes()).to_string() }
}

/// What a task is about, where it is such a task.
pub fn about(task: &Task) -> Option<Said> {
    let mut lines = std::str::from_utf8(&task.payload).ok()?.strip_prefix(MARK)?.split('\n');
    let (event, id) = (lines.next()?.to_owned(), SonataId::parse(lines.next()?).ok()?);
    let mut party = || lines.next().filter(|id| !id.is_empty()).map(str::to_owned);
    Some(Said { event_id: String::new(), event, id, parties: Parties { buyer: party(), seller: party() } })
}

/// Follows an event up.
///
/// # Errors
/// Something failed that may go better the next time.
pub async fn run(
    story: &mut Story<'_>,
    partner: &Arc<PartnerPlan>,
    said: &Said,
    task: &Task,
) -> Result<End, ExchangeError> {
    let (plan, id) = (Arc::clone(&story.plan), &said.id);
    let Some(notifier) = notifier(partner, &said.event) else { return Ok(End::Settled(Vec::new())) };
    let Some(way) = message::way_to(&plan, partner, &notifier.exposer) else {
        return Ok(End::Dead("the procurement system or the endpoint is not configured any more".to_owned()));
    };
    let kept = kept(story, &way, id).await?;
    // For whom it is asked is said by what was bought; of what was not, by the event.
    let parties = kept.as_ref().map_or_else(|| said.parties.clone(), Parties::of);
    let made = message::look_up(&way, id, &parties)?;
    let asked = match ask(story, &way, &made).await {
        Err(ExchangeError::Seller(problem)) if problem.says_no() => {
            return Ok(End::Dead(format!(
                "the Seller does not tell of {id}: {}",
                ExchangeError::Seller(problem)
            )));
        }
        asked => asked?,
    };
    let status = tell_of(story, (&way, notifier), &asked, id).await?;
    let changes =
        Keeping::new(&way, &Received::nothing(), &made).entity(story, Some(id), &asked, &made).await?;
    let is_old = story.now_ms().saturating_sub(task.made_ms) > TELL_MS_MAX;
    if status.is_success() {
        return Ok(End::Settled(changes));
    }
    match not_heard(status, notifier, id) {
        Err(_) if is_old => Ok(End::Dead(format!("the procurement system answers {status} for days"))),
        ended => ended,
    }
}

/// What becomes of the telling of something that our procurement system did not take.
///
/// # Errors
/// It may take it later.
pub fn not_heard(status: StatusCode, notifier: &Notifier, id: &SonataId) -> Result<End, ExchangeError> {
    let event = &*notifier.notify.event;
    if is_passing(status) {
        return Err(ExchangeError::LegacyStatus { status: status.as_u16(), call: event.to_owned() });
    }
    Ok(End::Dead(format!("the procurement system answered {status} to {event} of {id}")))
}

async fn kept(story: &Story<'_>, way: &Way<'_>, id: &SonataId) -> Result<Option<Entity>, ExchangeError> {
    let kind = kind_of(way.exposer.duty.kind);
    Ok(story.gateway.store.entity(way.partner.id(), &kind, id).await?)
}

/// Tells our procurement system of something by its own number, or else by the Seller's id; the status that it answers
/// with.
///
/// # Errors
/// It was not reached, or what the Seller answered cannot be said.
pub async fn tell_of(
    story: &mut Story<'_>,
    (way, notifier): (&Way<'_>, &Notifier),
    asked: &Asked,
    id: &SonataId,
) -> Result<StatusCode, ExchangeError> {
    let own = kept(story, way, id).await?.and_then(|kept| kept.legacy_id);
    let own = own.as_ref().map_or_else(|| id.as_str().to_owned(), |own| own.as_str().to_owned());
    tell(story, (way, notifier), asked, &own).await
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
