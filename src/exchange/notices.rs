//! Where changes of entities are committed, what is to be told of them is committed with them.
//!
//! Whoever changes entities commits through [`commit`]. What was kept before is read here, and only where somebody has
//! subscribed to what may have happened, so that nobody else pays for it.

use std::{pin::pin, sync::Arc};

use tokio::time::{Duration, timeout};

use super::{
    bridge,
    story::{Story, time_text},
};
use crate::{
    ids::{SonataId, TaskId},
    json::{Document, Limits},
    notify::{self, About, By, Subscriptions, When},
    plan::PartnerPlan,
    server::Written,
    sonata::{
        Function,
        entity::EntityKind,
        events::{EVENTS, events_of},
    },
    store::{Batch, Change, Entity, StoreError},
};

/// Time between the end of an answer and the first event of its exchange, in milliseconds: both are on their way at
/// the same time then, and the answer must be there first.
const AFTER_ANSWER_MS: i64 = 50;

/// Time beyond that which writing an answer may take, in milliseconds, until its events are told in any case.
const SLACK_MS: i64 = 1000;

/// Commits a batch together with the deliveries that its changes of entities make necessary.
///
/// Those of a partner's own exchange are held back until its answer is written, or its connection was cut.
///
/// # Errors
/// The store's; nothing was done then, but after [`StoreError::Unknown`].
pub async fn commit(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    batch: Batch,
    by: By,
) -> Result<(), StoreError> {
    let now_ms = story.gateway.ports.clock.now().as_millisecond();
    let due_ms = match by {
        By::Other => now_ms,
        By::Partner => {
            let write_max = story.plan.settings().gateway.limits.answer_write_max;
            let write_ms = i64::try_from(write_max.as_millis()).unwrap_or(i64::MAX);
            now_ms.saturating_add(write_ms).saturating_add(SLACK_MS)
        }
    };
    let tasks = pin!(tasks(story, partner, &batch, by, When { now_ms, due_ms })).await?;
    let held: Vec<TaskId> = tasks.iter().map(|task| task.id.clone()).collect();
    let scheduled = tasks.into_iter().map(|task| Change::Schedule(Box::new(task)));
    let batch = scheduled.fold(batch, Batch::with);
    pin!(story.gateway.store.commit(batch)).await?;
    if by == By::Partner {
        story.held.extend(held);
    }
    Ok(())
}

/// Whether something of a kind may be told, by the hub of which function.
fn told(partner: &PartnerPlan, kind: &str) -> Option<(EntityKind, Function)> {
    let settings = partner.notifications()?;
    let kind = EntityKind::parse(kind)?;
    let function = EVENTS.iter().find(|event| event.kind == kind)?.function;
    settings.tells(function).then_some((kind, function))
}

async fn tasks(
    story: &Story<'_>,
    partner: &PartnerPlan,
    batch: &Batch,
    by: By,
    when: When,
) -> Result<Vec<crate::store::Task>, StoreError> {
    let mut tasks = Vec::new();
    for change in &batch.changes {
        let (entity, is_new) = match change {
            Change::Create(entity) => (entity, true),
            Change::Update(entity) => (entity, false),
            _ => continue,
        };
        let Some((kind, function)) = told(partner, entity.kind.as_str()) else { continue };
        // Its first state is in the answer.
        if is_new && by == By::Partner && kind != EntityKind::ProductOfferingQualification {
            continue;
        }
        let subscriptions = Subscriptions::load(&story.gateway.store, partner.id(), function).await?;
        let parties = (entity.buyer.as_ref(), entity.seller.as_ref());
        let theirs: Vec<_> = subscriptions.list.iter().filter(|one| one.is_of(parties)).collect();
        let wanted = theirs.iter().any(|one| events_of(kind).any(|event| one.takes(event)));
        let Some(after) = document(Some(entity)).filter(|_| wanted) else { continue };
        let before = if is_new { None } else { kept(story, partner, entity).await? };
        let events = notify::changed(kind, before.as_ref().map(Document::root), after.root(), by);
        let at = time_text(story.gateway.ports.clock.now());
        let about = About { partner: partner.id(), kind, id: &entity.id, document: after.root(), at: &at };
        for event in events.iter().filter(|event| bridge::may_tell(partner, event.facts)) {
            let event_id = story.gateway.ports.ids.next().to_string();
            for one in theirs.iter().filter(|one| one.takes(event.facts)) {
                let id = TaskId::parse(&story.gateway.ports.ids.next().to_string())
                    .map_err(|error| StoreError::Failed(error.to_string()))?;
                tasks.push(notify::task((id, &event_id), event, &about, one, when));
            }
        }
    }
    Ok(tasks)
}

/// The document that an entity has before the batch. Where another exchange changes it meanwhile, the batch fails.
async fn kept(
    story: &Story<'_>,
    partner: &PartnerPlan,
    entity: &Entity,
) -> Result<Option<Document>, StoreError> {
    let before: Option<Entity> =
        story.gateway.store.entity(partner.id(), &entity.kind, &SonataId::clone(&entity.id)).await?;
    Ok(document(before.as_ref()))
}

fn document(entity: Option<&Entity>) -> Option<Document> {
    let bytes = entity?.document.clone()?;
    Document::parse(bytes, &Limits { bytes_max: usize::MAX, ..Limits::default() }).ok()
}

/// Has what was held back told once the answer is written. Where it never is, it is told when it is due.
pub fn release(story: &mut Story<'_>) -> Option<Written> {
    let held = std::mem::take(&mut story.held);
    let partner = story.partner.as_ref().map(Arc::clone)?;
    if held.is_empty() {
        return None;
    }
    let (written, store, clock) =
        (Written::default(), story.gateway.store.clone(), story.gateway.ports.clock.clone());
    let write_max = story.plan.settings().gateway.limits.answer_write_max;
    let answered = written.clone();
    tokio::spawn(async move {
        if timeout(write_max + Duration::from_millis(1), answered.told()).await.is_err() {
            return;
        }
        let due_ms = clock.now().as_millisecond().saturating_add(AFTER_ANSWER_MS);
        if let Err(error) = store.hasten(partner.id(), held, due_ms).await {
            tracing::warn!(%error, "events of an exchange wait longer than they must");
        }
    });
    Some(written)
}
