//! What goes on after an operation was answered: what it made is asked for until it is done (`complete:`), and what was
//! reserved for it is given back when it has expired (`expires:`). Both are tasks, so that a crash forgets neither.

use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{
    call,
    calls::{ITEM_LEGACY_IDS, Origin, Planned, Prepared},
    error::ExchangeError,
    facts::{EntityFacts, StoryTexts, facts},
    news::Telling,
    reply::Reply,
    request::Received,
    story::Story,
    subject::Subject,
    tasks::End,
    timers::task_id,
    ways::{Way, keeper},
    work::Work,
};
use crate::{
    custody::{Machines, Owner, kind_of},
    ids::{BackendId, SonataId},
    json::{Document, Node},
    legacy::BackendSettings,
    mapping::{
        apply::{KeyPair, KeyText},
        operation::{Answer, Call, Complete, OperationProgram},
        program::Shared,
    },
    plan::{MappedOperation, PartnerPlan, Route, Understanding},
    sonata::{
        Function,
        entity::{EntityKind, creation_of},
    },
    store::{Change, Queue, Task},
};

/// What a task of following needs to know beside its entity.
#[derive(Debug, Serialize, Deserialize)]
struct Following {
    /// The item that is asked for; none: the entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<String>,
}

/// The tasks that follow what an operation made; none where it is done already, or nothing is to be followed.
pub fn following(
    story: &Story<'_>,
    work: &Work<'_>,
    (id, document): (&SonataId, &Document),
    replies: &[Reply],
    keys: &[KeyPair],
) -> Vec<Change> {
    let Some(complete) = &work.operation.program.complete else { return Vec::new() };
    if is_final(work.duty.kind, document, None) {
        return Vec::new();
    }
    let open = |reply: &&Reply| !is_last(complete, reply);
    if !complete.each_item {
        let last = replies.last().filter(open);
        return last.and_then(|_| task(story, work, id, None, complete)).into_iter().collect();
    }
    let items = keys.iter().filter(|pair| &*pair.group == ITEM_LEGACY_IDS);
    let items = items.filter_map(|pair| match &pair.sonata {
        KeyText::Text(item) if !is_final(work.duty.kind, document, Some(item)) => Some(item.to_string()),
        _ => None,
    });
    items.filter_map(|item| task(story, work, id, Some(item), complete)).collect()
}

fn task(
    story: &Story<'_>,
    work: &Work<'_>,
    id: &SonataId,
    item: Option<String>,
    complete: &Complete,
) -> Option<Change> {
    let (kind, now_ms) = (kind_of(work.duty.kind), story.now_ms());
    // One after the other, so that two askings about one entity do not change it at once.
    let lane = format!("{}/{id}", kind.as_str());
    let partner = work.owner.partner.clone();
    let purpose = ["poll", kind.as_str(), id.as_str(), item.as_deref().unwrap_or_default()];
    let task = task_id(story, &purpose).ok()?;
    let payload = serde_json::to_vec(&Following { item }).ok()?;
    let task = Task::new(task, partner, Queue::Poll, lane, now_ms, Bytes::from(payload));
    let due_ms = now_ms.saturating_add(ms(complete.every_ms));
    Some(Change::Schedule(Box::new(Task { due_ms, subject: Some((kind, id.clone())), ..task })))
}

fn ms(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Whether a reply says that nothing more is to come.
pub fn is_last(complete: &Complete, reply: &Reply) -> bool {
    let root = reply.document.as_ref().map(Document::root);
    root.is_some_and(|root| complete.until.holds(root, root))
}

/// Whether nothing follows the state of an entity, or of its item.
pub(super) fn is_final(kind: EntityKind, document: &Document, item: Option<&str>) -> bool {
    let root = document.root();
    let machines = Machines::of(kind, Some(root));
    let state = |node: Node<'_>| node.get(kind.facts().state?)?.as_str().map(std::borrow::Cow::into_owned);
    let own = machines.own.zip(state(root)).is_some_and(|(machine, state)| machine.is_terminal(&state));
    let of_item = || {
        let mut items = root.get(kind.facts().items?)?.elements();
        let item =
            items.find(|node| node.get("id").is_some_and(|id| item.is_some_and(|item| id.is_text(item))))?;
        Some(machines.item?.is_terminal(&state(item)?))
    };
    own || of_item().unwrap_or(false)
}

/// Asks how what was made stands, and keeps what is answered.
///
/// # Errors
/// The legacy system did not answer, or what it answered cannot be mapped or kept: it is asked again.
pub async fn poll(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    subject: &Subject,
    task: &Task,
) -> Result<End, ExchangeError> {
    let Ok(Following { item }) = serde_json::from_slice(&task.payload) else {
        return Ok(End::Dead("the task says nothing that is understood".to_owned()));
    };
    let document = subject.document.as_ref();
    if document.is_some_and(|document| is_final(subject.kind, document, item.as_deref())) {
        return Ok(End::Settled(Vec::new()));
    }
    let Some((function, way)) = made_by(story, partner, subject) else {
        return Ok(End::Dead("no mapping makes such an entity at its backend any more".to_owned()));
    };
    let Some(complete) = &way.operation.program.complete else { return Ok(End::Settled(Vec::new())) };
    let Some(understanding) = Understanding::of(partner, subject.kind, &way.operation, &complete.poll) else {
        return Ok(End::Dead(format!("{} cannot be looked up in this release", subject.kind.name())));
    };
    let later = story.now_ms().saturating_add(ms(complete.every_ms));
    let is_late = story.now_ms().saturating_sub(task.made_ms) >= ms(complete.give_up_ms);
    let asked = ask(story, partner, subject, parts(&way), (&complete.poll, item.as_deref())).await;
    let reply = match asked {
        Ok(reply) => reply,
        Err(error) if is_late => return Ok(End::Dead(format!("given up; last: {error}"))),
        Err(error) => {
            let kind = subject.kind.name();
            tracing::warn!(kind, id = subject.id.as_str(), %error, "it could not be asked for; asked again");
            return Ok(End::Later(later, Vec::new()));
        }
    };
    story.route = Some((understanding.contract, understanding.operation));
    let Answer::Reply(program) = &complete.poll.answer else { return Ok(End::Settled(Vec::new())) };
    let items = subject.kind.facts().items.filter(|_| item.is_some());
    let (understanding, backend) = (&understanding, &*way.backend);
    let telling = Telling { partner, understanding, items, program, backend, reply: &reply, creates: false };
    let changes = telling.changes(story, subject, item.as_deref(), None).await?;
    tracing::debug!(
        function = function.name(),
        id = subject.id.as_str(),
        changes = changes.len(),
        "asked for"
    );
    Ok(match (is_last(complete, &reply), is_late) {
        (true, _) => End::Settled(changes),
        (false, true) => End::Dead("given up: it is not done".to_owned()),
        (false, false) => End::Later(later, changes),
    })
}

/// The way by which an entity was made.
fn made_by(story: &Story<'_>, partner: &PartnerPlan, subject: &Subject) -> Option<(Function, Way)> {
    let (function, operation) = creation_of(subject.kind)?;
    let way = keeper(&story.plan, partner, (function, operation), subject.backend.as_ref()?)?;
    Some((function, way))
}

/// Makes one call about an entity that needs no request of a partner.
///
/// # Errors
/// The legacy system did not answer, or refuses.
pub async fn ask(
    story: &Story<'_>,
    partner: &PartnerPlan,
    subject: &Subject,
    (operation, backend, home): (&MappedOperation, &BackendSettings, &BackendId),
    (program, item): (&Arc<OperationProgram>, Option<&str>),
) -> Result<Reply, ExchangeError> {
    let missing = || ExchangeError::Internal("there is nothing to call".to_owned());
    let call = program.calls.first().ok_or_else(missing)?;
    let mapped = MappedOperation { program: Arc::clone(program), ..operation.clone() };
    let understanding = Understanding::of(partner, subject.kind, operation, program).ok_or_else(missing)?;
    let received = Received::nothing();
    let route = Route::to(understanding.contract, understanding.operation);
    let entity = subject.entity.as_ref();
    let owner = Owner {
        partner: partner.id().clone(),
        buyer: entity.and_then(|entity| entity.buyer.clone()),
        seller: entity.and_then(|entity| entity.seller.clone()),
    };
    let work = Work {
        partner,
        route: &route,
        operation: &mapped,
        duty: understanding.duty,
        received: &received,
        owner: &owner,
        backend,
        home,
        subject: Some(subject),
        once: None,
    };
    let texts = StoryTexts::of(story);
    let href = work.href(story, &subject.id);
    let (stored, parent) = work.relations();
    let entity = EntityFacts { id: subject.id.as_str(), href: &href, stored, parent };
    let facts = facts(partner, (route.contract, route.operation), &texts, Some(entity));
    let remembered = subject.all_keys();
    let origin = Origin { remembered: &remembered, item_id: item, ..work.origin(story, &facts) };
    let planned = [Planned { index: 0, call, element: None }];
    let prepared: Vec<Prepared<'_>> = origin.prepare(&planned)?;
    let calling = work.calling(story, &origin, &HeaderMap::new());
    call::one(story, &calling, prepared.first().ok_or_else(missing)?, &[]).await
}

fn parts(way: &Way) -> (&MappedOperation, &BackendSettings, &BackendId) {
    (&way.operation, &way.backend, &way.home)
}

/// The task that gives back what was reserved for what was made and cannot be provided in time.
pub fn giving_back(story: &Story<'_>, work: &Work<'_>, id: &SonataId) -> Vec<Change> {
    let has_call = work.operation.program.expires.is_some();
    has_call.then(|| release_task(story, work.partner, work.duty.kind, id)).flatten().into_iter().collect()
}

fn release_task(story: &Story<'_>, partner: &PartnerPlan, kind: EntityKind, id: &SonataId) -> Option<Change> {
    let kind = kind_of(kind);
    let lane = format!("{}/{id}", kind.as_str());
    let purpose = ["release", kind.as_str(), id.as_str()];
    let (task, now_ms) = (task_id(story, &purpose).ok()?, story.now_ms());
    let task = Task::new(task, partner.id().clone(), Queue::Continue, lane, now_ms, Bytes::new());
    Some(Change::Schedule(Box::new(Task { subject: Some((kind, id.clone())), ..task })))
}

/// The task that gives back what was reserved for an entity that has expired; none where the mapping does not say how.
pub fn releasing(story: &Story<'_>, subject: &Subject) -> Vec<Change> {
    let release = || {
        let partner = story.partner.as_ref()?;
        let (_, way) = made_by(story, partner, subject)?;
        way.operation.program.expires.as_ref()?;
        release_task(story, partner, subject.kind, &subject.id)
    };
    release().into_iter().collect()
}

/// Gives back what was reserved for an entity that has expired.
///
/// # Errors
/// The legacy system did not answer, or refuses: it is told again.
pub async fn release(
    story: &Story<'_>,
    partner: &PartnerPlan,
    subject: &Subject,
) -> Result<End, ExchangeError> {
    let done = || Ok(End::Settled(Vec::new()));
    let Some((_, way)) = made_by(story, partner, subject) else { return done() };
    let Some(call) = way.operation.program.expires.as_deref() else { return done() };
    let program = Arc::new(alone(&way.operation.program, call));
    ask(story, partner, subject, parts(&way), (&program, None)).await?;
    tracing::info!(kind = subject.kind.name(), id = subject.id.as_str(), "what was reserved is given back");
    done()
}

/// A program of one call, whose reply says nothing.
fn alone(own: &OperationProgram, call: &Call) -> OperationProgram {
    OperationProgram {
        calls: Box::new([call.clone()]),
        answer: Answer::Empty,
        on: Shared::default(),
        complete: None,
        expires: None,
        ..own.clone()
    }
}
