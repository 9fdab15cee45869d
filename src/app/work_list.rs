//! What people have to do, for the admin port: listed, shown, answered, done.

use std::{ops::ControlFlow, sync::Arc};

use http::StatusCode;
use serde_json::{Value, json};

use super::walk::walk;
use crate::{
    admin::{WorkAnswer, WorkList, WorkRequest},
    custody::OF_EXCHANGE,
    exchange::{
        Gateway,
        by_hand::{self, NotTaken, Todo},
    },
    ids::PartnerId,
    sonata::entity::EntityKind,
    store::{Batch, Change, Entity, Queue, StoreError, Task},
};

/// Pieces of one partner that are listed or looked through.
const WALKED_MAX: u64 = 10_000;

/// Who answers.
pub(super) fn work_list(gateway: Arc<Gateway>) -> WorkList {
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

async fn answer(gateway: &Gateway, request: WorkRequest) -> Result<WorkAnswer, StoreError> {
    let no_such = || refused(StatusCode::NOT_FOUND, "no such piece of work");
    match request {
        WorkRequest::List { partner } => list(gateway, partner.as_deref()).await,
        WorkRequest::Show { id } => Ok(match find(gateway, &id).await? {
            Some(task) => (StatusCode::OK, whole(&task, entity(gateway, &task).await?.as_ref())),
            None => no_such(),
        }),
        WorkRequest::Answer { id, body } => {
            let Some(task) = find(gateway, &id).await? else { return Ok(no_such()) };
            let about =
                task.subject.as_ref().and_then(|(kind, id)| Some((EntityKind::parse(kind.as_str())?, id)));
            let Some(about) = about else {
                return Ok(refused(
                    StatusCode::CONFLICT,
                    "this is about no entity: there is no answer to it",
                ));
            };
            Ok(match by_hand::take(gateway, &task.partner, about, body).await {
                Ok(answered) => {
                    (StatusCode::OK, json!({ "state": answered.state, "isDone": answered.is_done }))
                }
                Err(NotTaken::NotThere(why)) => refused(StatusCode::NOT_FOUND, why),
                Err(NotTaken::Failed(why)) => refused(StatusCode::SERVICE_UNAVAILABLE, &why),
                Err(NotTaken::Faults(faults)) => {
                    let told = faults.iter().map(|fault| {
                        json!({ "code": fault.code.as_str(), "at": fault.pointer, "reason": fault.reason })
                    });
                    let told: Vec<Value> = told.collect();
                    let error = "nothing was kept";
                    (StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": error, "faults": told }))
                }
            })
        }
        WorkRequest::Done { id } => {
            let Some(task) = find(gateway, &id).await? else { return Ok(no_such()) };
            done(gateway, &task).await
        }
    }
}

fn refused(status: StatusCode, why: &str) -> WorkAnswer {
    (status, json!({ "error": why }))
}

/// The pieces of work of a partner, oldest first, and how many it has.
async fn of(gateway: &Gateway, partner: &PartnerId) -> Result<(Vec<Task>, u64), StoreError> {
    let mut tasks = Vec::new();
    let total = walk(gateway, partner, (Queue::Work, false), WALKED_MAX, |task| {
        tasks.push(task);
        ControlFlow::Continue(())
    });
    let total = total.await?;
    Ok((tasks, total))
}

async fn find(gateway: &Gateway, id: &str) -> Result<Option<Task>, StoreError> {
    for partner in partners(gateway, None) {
        let (tasks, _) = of(gateway, &partner).await?;
        if let Some(task) = tasks.into_iter().find(|task| task.id.as_str() == id) {
            return Ok(Some(task));
        }
    }
    Ok(None)
}

fn partners(gateway: &Gateway, only: Option<&str>) -> Vec<PartnerId> {
    let plan = gateway.plan.load();
    let all = plan.partners().map(|partner| partner.id().clone());
    all.filter(|partner| only.is_none_or(|only| partner.as_str() == only)).collect()
}

async fn list(gateway: &Gateway, only: Option<&str>) -> Result<WorkAnswer, StoreError> {
    let partners = partners(gateway, only);
    if only.is_some() && partners.is_empty() {
        return Ok(refused(StatusCode::NOT_FOUND, "there is no such partner"));
    }
    let (mut rows, mut all) = (Vec::new(), 0);
    for partner in partners {
        let (tasks, total) = of(gateway, &partner).await?;
        all += total;
        for task in &tasks {
            rows.push((task.made_ms, shown(task, entity(gateway, task).await?.as_ref())));
        }
    }
    rows.sort_by_key(|(made_ms, _)| *made_ms);
    let rows: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
    Ok((StatusCode::OK, json!({ "total": all, "work": rows })))
}

async fn entity(gateway: &Gateway, task: &Task) -> Result<Option<Entity>, StoreError> {
    let Some((kind, id)) = &task.subject else { return Ok(None) };
    gateway.store.entity(&task.partner, kind, id).await
}

/// What there is no answer to: an entity in its last state. What is to be taken back is settled where it needs attention.
async fn done(gateway: &Gateway, task: &Task) -> Result<WorkAnswer, StoreError> {
    let Some((kind, id)) = task.subject.clone() else {
        return Ok(refused(StatusCode::CONFLICT, "this is about nothing"));
    };
    if kind.as_str() == OF_EXCHANGE {
        let why = format!("say what is left of it: `segue attention settle {id} --effect none|made`");
        return Ok(refused(StatusCode::CONFLICT, &why));
    }
    let entity = entity(gateway, task).await?;
    if entity.is_some_and(|entity| !by_hand::is_over(&entity)) {
        return Ok(refused(StatusCode::CONFLICT, "the partner waits for an answer to this"));
    }
    let batch = Batch::new(task.partner.clone()).with(Change::Unschedule { queue: Queue::Work, kind, id });
    gateway.store.commit(batch).await?;
    tracing::info!(partner = task.partner.as_str(), id = task.id.as_str(), "done by a person");
    Ok((StatusCode::OK, json!({ "isDone": true })))
}

fn shown(task: &Task, entity: Option<&Entity>) -> Value {
    let todo: Option<Todo> = serde_json::from_slice(&task.payload).ok();
    let (kind, about) = task.subject.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
    json!({
        "id": task.id.as_str(),
        "partner": task.partner.as_str(),
        "operation": todo.as_ref().map(|todo| todo.operation.clone()),
        "kind": kind,
        "entity": about,
        "externalId": entity.and_then(|entity| entity.external_id.clone()),
        "state": entity.and_then(|entity| entity.state.clone()),
        "since": jiff::Timestamp::from_millisecond(task.made_ms).map(|at| at.to_string()).unwrap_or_default(),
        "isTest": todo.as_ref().is_some_and(|todo| todo.is_test),
        "exchange": todo.as_ref().map(|todo| todo.exchange.clone()),
        "note": todo.and_then(|todo| todo.note),
    })
}

fn whole(task: &Task, entity: Option<&Entity>) -> Value {
    let mut shown = shown(task, entity);
    let document = entity.and_then(|entity| entity.document.as_ref());
    let document = document.and_then(|document| serde_json::from_slice::<Value>(document).ok());
    if let Some(object) = shown.as_object_mut() {
        object.insert("document".to_owned(), document.unwrap_or(Value::Null));
    }
    shown
}
