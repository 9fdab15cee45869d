//! Work that the store keeps until it is done: timers, polls, calls that follow a change. `app` runs the loops.
//!
//! Each task is done on the plan of the moment, looks at what is kept anew, and ends with one commit in which the task is
//! settled, postponed or buried together with what it changed.

use std::{pin::pin, sync::Arc};

use http::Request;

use super::{
    Gateway, buyer,
    error::ExchangeError,
    follow, notices, recover,
    report::move_to,
    seller::guarded,
    story::Story,
    subject::{self, Subject},
    timers, watch,
};
use crate::{
    custody::{self, Owner},
    ids::SonataId,
    notify::By,
    plan::PartnerPlan,
    sonata::entity::EntityKind,
    store::{Batch, Change, Conflict, Lease, Queue, StoreError, Task},
};

/// How often what another exchange changed meanwhile is read again at once.
const TRIES_MAX: usize = 8;

/// How long a task waits after its first failure, in milliseconds; twice as long after each further one.
const PAUSE_MS_MIN: i64 = 1000;

/// How long it waits at most, in milliseconds.
const PAUSE_MS_MAX: i64 = 600_000;

/// How a task ends.
#[derive(Debug)]
pub enum End {
    /// It is done.
    Settled(Vec<Change>),
    /// It is to be done again at this time, in milliseconds since 1970.
    Later(i64, Vec<Change>),
    /// It cannot be done, for this reason; it is kept for the operator.
    Dead(String),
}

/// Does one task of the queues that are ours to do.
pub async fn run(gateway: &Gateway, lease: Lease, task: Task) {
    if watch::is_ours(&task) {
        return watch::run(gateway, lease, task).await;
    }
    let (head, ()) = Request::new(()).into_parts();
    let mut story = Story::begin(gateway, &head);
    story.is_ours();
    let plan = Arc::clone(&story.plan);
    let partner = plan.partner(task.partner.as_str()).cloned();
    for _ in 0..TRIES_MAX {
        let end = match &partner {
            Some(partner) => {
                story.partner = Some(Arc::clone(partner));
                guarded(pin!(done(&mut story, partner, &task))).await
            }
            None => Ok(End::Dead("the partner is not configured any more".to_owned())),
        };
        let end = end.unwrap_or_else(|error| failed(&story, &task, &error));
        let batch = Batch { partner: task.partner.clone(), changes: changes(&story, &lease, end) };
        let committed = match &partner {
            Some(partner) => notices::commit(&mut story, partner, batch, By::Other).await,
            None => gateway.store.commit(batch).await,
        };
        match committed {
            Err(StoreError::Conflict(Conflict::Version | Conflict::Exists)) => {}
            // Somebody else has it, or what it was about is over.
            Ok(()) | Err(StoreError::Conflict(Conflict::Lease)) => return,
            Err(error) => {
                let (queue, id) = (task.queue.as_str(), task.id.as_str());
                tracing::warn!(queue, id, %error, "what a task did could not be kept; it is done again");
                return;
            }
        }
    }
}

async fn done(story: &mut Story<'_>, partner: &Arc<PartnerPlan>, task: &Task) -> Result<End, ExchangeError> {
    let nothing = || Ok(End::Settled(Vec::new()));
    if let Some(said) = buyer::news::about(task) {
        return buyer::news::run(story, partner, &said, task).await;
    }
    if let Some(bought) = buyer::poll::about(task) {
        return buyer::poll::run(story, partner, bought, task).await;
    }
    if let (Queue::Continue, Some(exchange)) = (task.queue, recover::about(task)) {
        return recover::run(story, partner, (&exchange, task)).await;
    }
    let Some((kind, id)) = &task.subject else {
        return if task.queue == Queue::Poll { watch::row(story, partner, task).await } else { nothing() };
    };
    let Some(kind) = EntityKind::parse(kind.as_str()) else { return nothing() };
    let Some(subject) = load(story, partner, kind, id).await? else { return nothing() };
    match task.queue {
        Queue::Timer => Ok(expire(story, partner, &subject)),
        Queue::Poll => follow::poll(story, partner, &subject, task).await,
        Queue::Continue => follow::release(story, partner, &subject).await,
        Queue::Delivery | Queue::Work => nothing(),
    }
}

/// What is kept of the entity that a task is about; none where nothing is.
///
/// # Errors
/// The store's.
pub async fn load(
    story: &Story<'_>,
    partner: &PartnerPlan,
    kind: EntityKind,
    id: &SonataId,
) -> Result<Option<Subject>, ExchangeError> {
    let store = &story.gateway.store;
    let Some(entity) = store.entity(partner.id(), &custody::kind_of(kind), id).await? else {
        return Ok(None);
    };
    let backend = entity.backend.clone();
    let owner = Owner { partner: partner.id().clone(), buyer: entity.buyer, seller: entity.seller };
    subject::load(story, &owner, backend.as_slice(), kind, id.clone()).await
}

/// The time of an entity has come, unless it was moved meanwhile.
fn expire(story: &mut Story<'_>, partner: &PartnerPlan, subject: &Subject) -> End {
    let due = subject.document.as_ref().and_then(|document| timers::due(subject.kind, document));
    match due {
        None => End::Settled(Vec::new()),
        Some(due) if due.at_ms > story.now_ms() => End::Later(due.at_ms, Vec::new()),
        Some(due) => {
            tracing::info!(
                kind = subject.kind.name(),
                id = subject.id.as_str(),
                to = due.to,
                "its time is over"
            );
            let mut changes = move_to(story, partner.id(), subject, due.to);
            changes.extend(follow::releasing(story, subject));
            End::Settled(changes)
        }
    }
}

/// What failed is tried again, later each time.
fn failed(story: &Story<'_>, task: &Task, error: &ExchangeError) -> End {
    let (queue, id) = (task.queue.as_str(), task.id.as_str());
    tracing::warn!(exchange = story.id.as_str(), queue, id, %error, "a task failed; it is tried again");
    End::Later(story.now_ms().saturating_add(pause_ms(task)), Vec::new())
}

/// How long a task waits after another failure, in milliseconds.
pub fn pause_ms(task: &Task) -> i64 {
    PAUSE_MS_MIN.checked_shl(task.attempts.min(30)).unwrap_or(PAUSE_MS_MAX).min(PAUSE_MS_MAX)
}

fn changes(story: &Story<'_>, lease: &Lease, end: End) -> Vec<Change> {
    let lease = lease.clone();
    let (mut changes, last) = match end {
        End::Settled(changes) => (changes, Change::Settle { lease }),
        End::Later(due_ms, changes) => (changes, Change::Postpone { lease, due_ms, note: None }),
        End::Dead(note) => {
            let at_ms = story.now_ms();
            tracing::warn!(note, "a task cannot be done; it is kept for you");
            (Vec::new(), Change::Bury { lease, note, at_ms })
        }
    };
    changes.push(last);
    changes
}
