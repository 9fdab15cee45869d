//! Operations that people answer (`manual`): what is asked is checked as ever, kept in the state in which it begins, told
//! to be there, and put on the list of work. What a person answers later goes the way of every other report.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Gateway,
    answer::{echo, hold, success},
    error::ExchangeError,
    notices,
    once::Once,
    quotes,
    report::{self, Said},
    request::Received,
    rules,
    story::Story,
    subject::{self, Subject},
    timers::id_of,
    ways,
    wire::Answer,
    work::Work,
};
use crate::{
    custody::{Machines, OF_EXCHANGE, Owner, kind_of},
    ids::{PartnerId, SonataId},
    json::{Document, Node},
    notify::By,
    plan::{PartnerPlan, Route, Served},
    sonata::{
        Fault, FaultCode,
        entity::{Act, Duty, EntityKind, creation_of},
    },
    store::{Batch, Change, Conflict, Entity, Kind, Queue, StoreError, Task},
};

/// How often what another exchange changed meanwhile is read again.
const TRIES_MAX: usize = 8;

/// Members by which a Buyer asks to wait for the answer.
const AT_ONCE: [&str; 2] = ["instantSyncQuote", "instantSyncQualification"];

/// What a piece of work says beside its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Todo {
    /// Function and operation that was asked for, such as `order.createProductOrder`.
    pub operation: String,
    /// The exchange that asked for it.
    pub exchange: String,
    /// Whether it is about a test.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_test: bool,
    /// What is to be done, where that does not follow from the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether people carry out what an operation does. What only asks cannot wait for them.
pub fn is_served(served: &Served, duty: &Duty) -> bool {
    matches!(served, Served::Manual) && matches!(duty.act, Act::Create | Act::Update | Act::Move { .. })
}

/// Whether people make entities of a kind for this partner.
pub fn is_made(partner: &PartnerPlan, kind: EntityKind) -> bool {
    creation_of(kind).is_some_and(|(function, id)| matches!(partner.served(function, id), Served::Manual))
}

/// Whether an operation is answered here: people serve it, or made what it names, of which no legacy system knows.
pub fn is_asked(
    (partner, route, duty): (&PartnerPlan, &Route<'_>, &Duty),
    subject: Option<&Subject>,
) -> bool {
    let served = partner.served(route.function(), &route.operation.operation_id);
    let is_off = matches!(served, Served::Off | Served::Unmapped);
    is_served(served, duty) || (!is_off && subject.is_some_and(was_made))
}

/// Whether people made it.
fn was_made(subject: &Subject) -> bool {
    let entity = subject.entity.as_ref();
    entity.is_some_and(|entity| {
        entity.backend.is_none() && entity.legacy_id.is_none() && entity.document.is_some()
    })
}

/// Keeps what is asked for, and answers that it is there.
///
/// # Errors
/// 422 for what is not as it must be; the store's.
pub async fn answer(
    story: &mut Story<'_>,
    (partner, route, duty): (&PartnerPlan, &Route<'_>, &'static Duty),
    (received, owner): (&Received, &Owner),
    once: Option<&Once>,
) -> Result<Answer, ExchangeError> {
    let way = ways::nowhere(&story.plan, partner, route)?;
    at_once(received)?;
    for left in (0..TRIES_MAX).rev() {
        let subject = subject::find(story, owner, partner, duty, received).await?;
        let work = Work {
            partner,
            route,
            operation: &way.operation,
            duty,
            received,
            owner,
            backend: &way.backend,
            home: &way.home,
            subject: subject.as_ref(),
            once,
        };
        work.may_move()?;
        rules::of_change(story, &work)?;
        quotes::check(story, &work).await?;
        match one(story, &work).await {
            Err(ExchangeError::Store(StoreError::Conflict(Conflict::Version))) if left > 0 => {}
            Err(ExchangeError::Store(StoreError::Conflict(Conflict::Key))) => {
                let first = match once {
                    Some(once) => once.look(story).await?,
                    None => None,
                };
                return first.ok_or(ExchangeError::InProgress);
            }
            ended => return ended,
        }
    }
    Err(ExchangeError::Internal("the entity does not come to rest".to_owned()))
}

/// A Buyer that waits for the answer cannot be served by people.
fn at_once(received: &Received) -> Result<(), ExchangeError> {
    let root = received.body.as_ref().map(Document::root);
    let asks = |name: &&str| root.and_then(|root| root.get(name)).is_some_and(|value| value.raw() == "true");
    let faults = AT_ONCE.into_iter().filter(asks).map(|name| {
        let reason = "this is answered by people: ask for it with false, and it is answered later";
        Fault::new(FaultCode::OtherIssue, format!("/{name}"), reason)
    });
    let faults: Vec<Fault> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(ExchangeError::Contract(faults)) }
}

async fn one(story: &mut Story<'_>, work: &Work<'_>) -> Result<Answer, ExchangeError> {
    let missing = || ExchangeError::Internal("the operation names nothing".to_owned());
    let (mut changes, id, document) = match work.duty.act {
        Act::Create | Act::Update => {
            let id = work.entity_id(story)?.ok_or_else(missing)?;
            let href = work.href(story, &id);
            let said = Said { mapped: None, replies: &[], keys: &[], is_part: true, is_heard: false };
            let reported = report::report(story, work, (&id, &href), &said);
            (reported.changes, id, reported.document)
        }
        Act::Move { state } => {
            let id = work.subject.ok_or_else(missing)?.id.clone();
            (report::moved(story, work, state), id, echo(work, None))
        }
        Act::Retrieve => {
            let subject = work.subject.ok_or_else(missing)?;
            (Vec::new(), subject.id.clone(), work.stored().cloned().ok_or_else(missing)?)
        }
        Act::List | Act::Ask => return Err(ExchangeError::Manual),
    };
    let document = hold(story, work, document)?;
    let answer = success(work, &document);
    story.entity = Some(id.as_str().to_owned());
    if work.duty.act == Act::Retrieve {
        return Ok(answer);
    }
    for change in &mut changes {
        if let Change::Create(entity) = change {
            entity.backend = None;
        }
    }
    let accepted = quotes::accept(story, work, &changes).await?;
    changes.extend(accepted);
    changes.extend(todo(story, work, &id)?);
    if let Some(once) = work.once {
        changes.extend(once.taken(story));
        changes.extend(once.finish(work.duty, Some(&id), &answer));
    }
    let batch = Batch { partner: work.owner.partner.clone(), changes };
    notices::commit(story, work.partner, batch, By::Partner).await?;
    let (partner, kind) = (work.partner.id().as_str(), work.duty.kind.name());
    tracing::info!(partner, kind, id = id.as_str(), "waits for a person: see `segue work list`");
    Ok(answer)
}

/// The piece of work that an operation makes; there is one for an entity, the newest.
fn todo(story: &Story<'_>, work: &Work<'_>, id: &SonataId) -> Result<[Change; 2], ExchangeError> {
    let (kind, operation) = (kind_of(work.duty.kind), work.operation_name());
    let is_test = story.is_test() || work.subject.is_some_and(Subject::is_test);
    let todo = Todo { operation, exchange: story.id.as_str().to_owned(), is_test, note: None };
    piece(story, &work.owner.partner, (kind, id.clone()), &todo)
}

/// The changes that put a piece of work in the place of an earlier one about the same.
fn piece(
    story: &Story<'_>,
    partner: &PartnerId,
    (kind, id): (Kind, SonataId),
    todo: &Todo,
) -> Result<[Change; 2], ExchangeError> {
    let parts = [Queue::Work.as_str(), partner.as_str(), kind.as_str(), id.as_str(), story.id.as_str()];
    let payload = serde_json::to_vec(todo).map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let lane = format!("{}/{id}", kind.as_str());
    let task_id = id_of(parts.into_iter())?;
    let task = Task::new(task_id, partner.clone(), Queue::Work, lane, story.now_ms(), Bytes::from(payload));
    let task = Task { subject: Some((kind.clone(), id.clone())), ..task };
    Ok([Change::Unschedule { queue: Queue::Work, kind, id }, Change::Schedule(Box::new(task))])
}

/// What puts an exchange on the list of work of which calls could not be taken back; nothing where it cannot be named.
pub fn not_taken_back(story: &Story<'_>, work: &Work<'_>, calls: usize) -> Vec<Change> {
    let note = format!("{calls} of its calls were made and could not be taken back: take them back by hand");
    let (operation, exchange) = (work.operation_name(), story.id.as_str().to_owned());
    let todo = Todo { operation, exchange, is_test: story.is_test(), note: Some(note) };
    let Ok(id) = SonataId::parse(story.id.as_str()) else { return Vec::new() };
    let made = piece(story, &work.owner.partner, (Kind::new(OF_EXCHANGE), id), &todo);
    made.map(Vec::from).unwrap_or_default()
}

/// What a person's answer came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The entity's state now; none where it has none.
    pub state: Option<String>,
    /// Whether nothing can follow, so that it is no work any more.
    pub is_done: bool,
}

/// Why a person's answer is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The entity is not there, or its partner or release is not configured any more.
    #[error("{0}")]
    NotThere(&'static str),
    /// It is no message of the entity: everything that is wrong with it.
    #[error("{} faults", .0.len())]
    Faults(Vec<Fault>),
    /// It could not be kept.
    #[error("{0}")]
    Failed(String),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Takes what a person answers of an entity: as much of it in Sonata as there is to say. It is held against the entity
/// and the contract; if anything is wrong nothing is kept. A partner is told of what changed as ever.
///
/// # Errors
/// [`NotTaken`].
pub async fn take(
    gateway: &Gateway,
    partner: &PartnerId,
    (kind, id): (EntityKind, &SonataId),
    body: Bytes,
) -> Result<Answered, NotTaken> {
    let (head, ()) = http::Request::new(()).into_parts();
    let mut story = Story::begin(gateway, &head);
    story.is_ours();
    let plan = std::sync::Arc::clone(&story.plan);
    let partner = plan.partner(partner.as_str()).cloned();
    let partner = partner.ok_or(NotTaken::NotThere("the partner is not configured any more"))?;
    story.partner = Some(std::sync::Arc::clone(&partner));
    let limits = super::request::json_limits(&plan.settings().gateway.limits);
    let said = Document::parse(body, &limits).map_err(|error| fault("", error.to_string()))?;
    if said.root().kind() != crate::json::Kind::Object {
        return Err(fault("", "an object is expected"));
    }
    for _ in 0..TRIES_MAX {
        match taken(&mut story, &partner, (kind, id), &said).await {
            Err(ExchangeError::Store(StoreError::Conflict(Conflict::Version))) => {}
            Ok(answered) => return answered,
            Err(ExchangeError::AnswerContract(faults) | ExchangeError::Contract(faults)) => {
                return Err(NotTaken::Faults(faults));
            }
            Err(error) => return Err(NotTaken::Failed(error.to_string())),
        }
    }
    Err(NotTaken::Failed("the entity does not come to rest".to_owned()))
}

fn fault(pointer: &str, reason: impl AsRef<str>) -> NotTaken {
    NotTaken::Faults(vec![Fault::new(FaultCode::InvalidValue, pointer, reason)])
}

async fn taken(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    (kind, id): (EntityKind, &SonataId),
    said: &Document,
) -> Result<Result<Answered, NotTaken>, ExchangeError> {
    let not_there = |what| Ok(Err(NotTaken::NotThere(what)));
    let Some(subject) = super::tasks::load(story, partner, kind, id).await? else {
        return not_there("the entity is not there");
    };
    let Some((route, duty)) = looked_up(partner, kind) else {
        return not_there("it cannot be looked up in the partner's release");
    };
    let entity = subject.entity.as_ref();
    let owner = Owner {
        partner: partner.id().clone(),
        buyer: entity.and_then(|entity| entity.buyer.clone()),
        seller: entity.and_then(|entity| entity.seller.clone()),
    };
    let (received, way) = (Received::nothing(), ways::nowhere(&story.plan, partner, &route)?);
    story.route = Some((route.contract, route.operation));
    let work = Work {
        partner,
        route: &route,
        operation: &way.operation,
        duty,
        received: &received,
        owner: &owner,
        backend: &way.backend,
        home: &way.home,
        subject: Some(&subject),
        once: None,
    };
    let told = Said { mapped: Some(said), replies: &[], keys: &[], is_part: true, is_heard: false };
    let href = work.href(story, id);
    let mut faults: Vec<Fault> = report::findings(&work, (id, &href), &story.now_text(), &told)
        .into_iter()
        .map(|finding| Fault::new(FaultCode::InvalidValue, "", finding.message))
        .collect();
    let reported = report::report(story, &work, (id, &href), &told);
    faults.extend(super::answer::new_faults(&work, subject.document.as_ref(), &reported.document)?);
    if !faults.is_empty() {
        return Ok(Err(NotTaken::Faults(faults)));
    }
    rules::of_answer(story, &work, reported.document.root())?;
    let root = reported.document.root();
    let state = kind.facts().state.and_then(|name| root.get(name)).and_then(Node::as_str);
    let machine = Machines::of(kind, Some(root)).own;
    let is_done = state.as_ref().zip(machine).is_some_and(|(state, machine)| machine.is_terminal(state));
    let answered = Answered { state: state.map(std::borrow::Cow::into_owned), is_done };
    let mut changes = reported.changes;
    if is_done {
        changes.push(Change::Unschedule { queue: Queue::Work, kind: kind_of(kind), id: id.clone() });
    }
    if !changes.is_empty() {
        let batch = Batch { partner: partner.id().clone(), changes };
        notices::commit(story, partner, batch, By::Other).await?;
    }
    let (partner, kind) = (partner.id().as_str(), kind.name());
    tracing::info!(partner, kind, id = id.as_str(), state = answered.state, "answered by a person");
    Ok(Ok(answered))
}

/// Whether nothing can follow the state of an entity.
pub fn is_over(entity: &Entity) -> bool {
    let document = entity.document.as_ref().and_then(|document| subject::stored(document).ok());
    let over = || {
        let kind = EntityKind::parse(entity.kind.as_str())?;
        let machine = Machines::of(kind, document.as_ref().map(Document::root)).own?;
        Some(machine.is_terminal(entity.state.as_deref()?))
    };
    over().unwrap_or(false)
}

/// The operation that looks up an entity of a kind, in the partner's release.
fn looked_up(partner: &PartnerPlan, kind: EntityKind) -> Option<(Route<'static>, &'static Duty)> {
    let (function, id) = crate::sonata::entity::retrieval_of(kind)?;
    let contract = partner.contract(function)?;
    Some((Route::to(contract, contract.operation(id)?), crate::sonata::entity::duty_of(function, id)?))
}
