//! What needs attention: found from time to time for the metric and the log, and for the admin port when it asks.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::{sync::watch, time::MissedTickBehavior};

use crate::{
    admin::{Attention, AttentionAnswer, AttentionRequest},
    config,
    custody::{self, Effect, NotSettled, Open},
    exchange::{Gateway, recover},
    ids::{ExchangeId, PartnerId},
    store::{Batch, Change, Conflict, StoreError},
};

/// How often it is looked, in seconds. Who asks is told at once; this is for the metric.
const EVERY_S: u64 = 300;
/// What an exchange may take beyond its deadline, in milliseconds: what was done before a call failed is taken back then.
const TAKING_BACK_MS_MAX: i64 = 600_000;

/// Looks at the start and from time to time, until `stopped` says so.
pub(super) async fn run(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let began_ms = now_ms(&gateway);
    let mut tick = tokio::time::interval(Duration::from_secs(EVERY_S));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = 0;
    let mut asked = BTreeSet::new();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            _ = tick.tick() => {}
        }
        match all(&gateway, began_ms, None).await {
            Ok(open) => {
                look_into(&gateway, &open, &mut asked).await;
                gateway.metrics.attention(open.len());
                if open.len() > known {
                    tracing::warn!(exchanges = open.len(), "need attention: see `segue attention list`");
                }
                known = open.len();
            }
            Err(error) => tracing::warn!(%error, "could not look for what needs attention"),
        }
    }
}

/// Has those looked into of which the mapping says how; `asked` has those of which that was seen to.
async fn look_into(gateway: &Gateway, open: &[Open], asked: &mut BTreeSet<ExchangeId>) {
    asked.retain(|exchange| open.iter().any(|one| one.exchange == *exchange));
    for one in open.iter().filter(|one| one.kept.is_some()) {
        if asked.contains(&one.exchange) {
            continue;
        }
        let Ok(task) = recover::task(&one.partner, &one.exchange, now_ms(gateway)) else { continue };
        let batch = Batch::new(one.partner.clone()).with(Change::Schedule(Box::new(task)));
        match gateway.store.commit(batch).await {
            // It is looked into already, or was and people have to.
            Ok(()) | Err(StoreError::Conflict(Conflict::Exists)) => {
                asked.insert(one.exchange.clone());
            }
            Err(error) => tracing::warn!(%error, "an exchange cannot be looked into yet"),
        }
    }
}

/// What answers the admin port.
pub(super) fn attention(gateway: Arc<Gateway>) -> Attention {
    let began_ms = now_ms(&gateway);
    Arc::new(move |request| {
        let gateway = Arc::clone(&gateway);
        Box::pin(async move {
            match request {
                AttentionRequest::List { partner } => list(&gateway, began_ms, partner.as_deref()).await,
                AttentionRequest::Show { exchange } => show(&gateway, began_ms, &exchange).await,
                AttentionRequest::Settle { exchange, is_made } => {
                    settle(&gateway, began_ms, &exchange, is_made).await
                }
            }
        })
    })
}

fn now_ms(gateway: &Gateway) -> i64 {
    gateway.ports.clock.now().as_millisecond()
}

/// What began before this and has not ended never will: a process that has a store for itself knows that nothing of an
/// earlier one is at work.
fn quiet_ms(gateway: &Gateway, began_ms: i64) -> i64 {
    let plan = gateway.plan.load();
    let settings = &plan.settings().gateway;
    let deadline = i64::try_from(settings.limits.exchange_deadline_max.as_millis()).unwrap_or(i64::MAX);
    let late = now_ms(gateway).saturating_sub(deadline).saturating_sub(TAKING_BACK_MS_MAX);
    if matches!(settings.store, config::Store::Embedded(_)) { late.max(began_ms) } else { late }
}

/// What needs attention of all partners of the live plan, or of one.
async fn all(gateway: &Gateway, began_ms: i64, only: Option<&str>) -> Result<Vec<Open>, StoreError> {
    let (plan, quiet_ms) = (gateway.plan.load(), quiet_ms(gateway, began_ms));
    let mut found = Vec::new();
    for partner in plan.partners().filter(|one| only.is_none_or(|only| one.id().as_str() == only)) {
        found.extend(custody::open(&gateway.store, partner.id(), quiet_ms).await?);
    }
    Ok(found)
}

async fn list(gateway: &Gateway, began_ms: i64, partner: Option<&str>) -> AttentionAnswer {
    let plan = gateway.plan.load();
    if let Some(name) = partner
        && !plan.partners().any(|one| one.id().as_str() == name)
    {
        return refused(StatusCode::NOT_FOUND, "there is no such partner");
    }
    match all(gateway, began_ms, partner).await {
        Ok(open) => {
            let rows: Vec<Value> = open.iter().map(|one| shown(gateway, one)).collect();
            (StatusCode::OK, json!({ "total": rows.len(), "attention": rows }))
        }
        Err(error) => unavailable(&error),
    }
}

async fn show(gateway: &Gateway, began_ms: i64, exchange: &str) -> AttentionAnswer {
    match all(gateway, began_ms, None).await {
        Ok(open) => match open.iter().find(|one| one.exchange.as_str() == exchange) {
            Some(one) => (StatusCode::OK, shown(gateway, one)),
            None => refused(StatusCode::NOT_FOUND, "no such exchange needs attention"),
        },
        Err(error) => unavailable(&error),
    }
}

async fn settle(gateway: &Gateway, began_ms: i64, exchange: &str, is_made: bool) -> AttentionAnswer {
    let Ok(id) = ExchangeId::parse(exchange) else {
        return refused(StatusCode::BAD_REQUEST, "this is no id of an exchange");
    };
    let plan = gateway.plan.load();
    let effect = if is_made { Effect::Made } else { Effect::None };
    for partner in plan.partners().map(|partner| partner.id().clone()).collect::<Vec<PartnerId>>() {
        let times = (now_ms(gateway), quiet_ms(gateway, began_ms));
        match custody::settle(&gateway.store, (&partner, &id), effect, times).await {
            Ok(open) => {
                tracing::warn!(
                    exchange,
                    partner = partner.as_str(),
                    operation = open.operation,
                    is_made,
                    "settled by a person"
                );
                return (StatusCode::OK, json!({ "settled": shown(gateway, &open) }));
            }
            Err(NotSettled::NotOpen) => {}
            Err(NotSettled::Store(error)) => return unavailable(&error),
        }
    }
    refused(StatusCode::NOT_FOUND, "no such exchange needs attention")
}

fn shown(gateway: &Gateway, open: &Open) -> Value {
    let plan = gateway.plan.load();
    let partner = plan.partner(open.partner.as_str());
    let calls = open.calls.iter().map(|call| {
        json!({
            "call": call.name,
            "step": call.step.as_str(),
            "requestCrc32": call.request_crc.map(|crc| format!("{crc:08x}")),
            "status": call.status,
            "replyBytes": call.reply.as_ref().map(bytes::Bytes::len),
        })
    });
    json!({
        "exchange": open.exchange.as_str(),
        "partner": open.partner.as_str(),
        "operation": open.operation,
        "backend": open.backend.as_ref().map(crate::ids::BackendId::as_str),
        "since": Timestamp::from_millisecond(open.at_ms).map(|at| at.to_string()).unwrap_or_default(),
        "why": open.why.as_deref().unwrap_or("the process ended under it"),
        "repeatsRefused": !open.keys.is_empty(),
        "lookedInto": open.kept.is_some(),
        "isTest": partner.is_some_and(|partner| partner.settings().policy.is_test),
        "calls": calls.collect::<Vec<_>>(),
    })
}

fn refused(status: StatusCode, reason: &str) -> AttentionAnswer {
    (status, json!({ "error": reason }))
}

fn unavailable(error: &StoreError) -> AttentionAnswer {
    refused(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}
