//! What operators ask about deliveries, and dead letters that they have tried again.

use std::{ops::ControlFlow, sync::Arc};

use http::StatusCode;
use serde_json::{Value, json};

use super::walk::walk;
use crate::{
    admin::{EventAnswer, EventRequest, Events},
    exchange::Gateway,
    ids::{PartnerId, TaskId},
    notify::Message,
    store::{Batch, Change, Conflict, Queue, StoreError, Task},
};

/// Deliveries that are looked through for one, and dead letters that one command has tried again.
const WALKED_MAX: u64 = 100_000;

/// Who answers.
pub(super) fn events(gateway: Arc<Gateway>) -> Events {
    Arc::new(move |request| {
        let gateway = Arc::clone(&gateway);
        Box::pin(async move {
            match answer(&gateway, request).await {
                Ok(answer) => answer,
                Err(error) => (StatusCode::SERVICE_UNAVAILABLE, json!({ "error": error.to_string() })),
            }
        })
    })
}

async fn answer(gateway: &Gateway, request: EventRequest) -> Result<EventAnswer, StoreError> {
    let (EventRequest::List { partner, .. }
    | EventRequest::Show { partner, .. }
    | EventRequest::Replay { partner, .. }) = &request;
    let Ok(partner) = PartnerId::parse(partner) else { return Ok(refused("no such partner")) };
    match request {
        EventRequest::List { is_dead, offset, limit, .. } => {
            let page = gateway.store.tasks(&partner, Queue::Delivery, is_dead, (offset, limit)).await?;
            let events: Vec<Value> = page.tasks.iter().map(shown).collect();
            Ok((StatusCode::OK, json!({ "total": page.total, "events": events })))
        }
        EventRequest::Show { id, .. } => Ok(match find(gateway, &partner, &id).await? {
            Some(task) => (StatusCode::OK, whole(&task)),
            None => refused("no such event"),
        }),
        EventRequest::Replay { ids, .. } => replay(gateway, &partner, ids).await,
    }
}

fn refused(why: &str) -> EventAnswer {
    (StatusCode::NOT_FOUND, json!({ "error": why }))
}

/// A delivery that waits or is dead. The store finds tasks in their order only; an operator has time.
async fn find(gateway: &Gateway, partner: &PartnerId, id: &str) -> Result<Option<Task>, StoreError> {
    for is_dead in [true, false] {
        let mut found = None;
        let which = (Queue::Delivery, is_dead);
        walk(gateway, partner, which, WALKED_MAX, |task| {
            if task.id.as_str() != id {
                return ControlFlow::Continue(());
            }
            found = Some(task);
            ControlFlow::Break(())
        })
        .await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

async fn replay(gateway: &Gateway, partner: &PartnerId, ids: Vec<String>) -> Result<EventAnswer, StoreError> {
    let mut ids: Vec<TaskId> = ids.iter().filter_map(|id| TaskId::parse(id).ok()).collect();
    let wanted = ids.len();
    if ids.is_empty() {
        walk(gateway, partner, (Queue::Delivery, true), WALKED_MAX, |task| {
            ids.push(task.id);
            ControlFlow::Continue(())
        })
        .await?;
    }
    let due_ms = gateway.ports.clock.now().as_millisecond();
    let mut replayed = 0usize;
    // Each by itself, and in their order: one that somebody else was faster with does not keep the others back.
    for id in ids {
        let batch = Batch::new(partner.clone()).with(Change::Revive { id, due_ms });
        match gateway.store.commit(batch).await {
            Ok(()) => replayed += 1,
            Err(StoreError::Conflict(Conflict::Task)) => {}
            Err(error) => return Err(error),
        }
    }
    tracing::info!(partner = partner.as_str(), replayed, "dead letters are tried again");
    if wanted > 0 && replayed == 0 {
        return Ok(refused("none of these is a dead letter"));
    }
    Ok((StatusCode::OK, json!({ "replayed": replayed })))
}

fn shown(task: &Task) -> Value {
    let message = Message::read(&task.payload);
    let time = |ms: i64| jiff::Timestamp::from_millisecond(ms).map(|at| at.to_string()).ok();
    json!({
        "id": task.id.as_str(),
        "eventId": message.as_ref().map(|message| message.event_id.clone()),
        "eventType": message.as_ref().map(|message| message.facts.event_type),
        "subscription": message.as_ref().map(|message| message.subscription.clone()),
        "entity": task.subject.as_ref().map(|(kind, id)| format!("{}/{}", kind.as_str(), id.as_str())),
        "made": time(task.made_ms),
        "due": time(task.due_ms),
        "dead": task.dead_ms.and_then(time),
        "putOff": task.attempts,
        "note": task.note,
    })
}

fn whole(task: &Task) -> Value {
    let mut shown = shown(task);
    let message = Message::read(&task.payload);
    let message = message.and_then(|message| serde_json::from_slice::<Value>(&message.body).ok());
    if let Some(object) = shown.as_object_mut() {
        object.insert("message".to_owned(), message.unwrap_or(Value::Null));
    }
    shown
}
