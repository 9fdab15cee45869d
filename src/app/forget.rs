//! Housekeeping: what has been kept for long enough is forgotten. What needs attention stays.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::MissedTickBehavior};

use crate::{
    custody,
    exchange::Gateway,
    store::{Kind, Retirement},
};

/// How often it is looked, in seconds. The limits are hours, so more often would find nothing.
const EVERY_S: u64 = 600;

/// How often what ended is looked through, in seconds: retention is days.
const RETIRE_EVERY_S: u64 = 3600;

/// Entities that one step of that looks at.
const RETIRE_ROWS: usize = 500;

/// Pause after each step, in milliseconds: the store has others to serve.
const PAUSE_MS: u64 = 20;

/// How often the metrics are told how much there is, in seconds.
const SIZES_EVERY_S: u64 = 60;

/// What it is time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Forget,
    Retire,
    Measure,
}

/// Forgets at the start and from time to time, until `stopped` says so.
pub async fn run(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(Duration::from_secs(EVERY_S));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sizes = tokio::time::interval(Duration::from_secs(SIZES_EVERY_S));
    sizes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut walks = tokio::time::interval(Duration::from_secs(RETIRE_EVERY_S));
    walks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let due = tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return,
            _ = tick.tick() => Due::Forget,
            _ = walks.tick() => Due::Retire,
            _ = sizes.tick() => Due::Measure,
        };
        match due {
            Due::Forget => once(&gateway, &stopped).await,
            Due::Retire => retire(&gateway, &stopped).await,
            Due::Measure => {}
        }
        measure(&gateway, due == Due::Forget).await;
    }
}

/// Removes what has been kept for long enough after its end, in small steps.
async fn retire(gateway: &Gateway, stopped: &watch::Receiver<bool>) {
    let plan = gateway.plan.load();
    let now_ms = gateway.ports.clock.now().as_millisecond();
    let rules: Arc<[Retirement]> = plan
        .settings()
        .gateway
        .retention
        .0
        .iter()
        .flat_map(|(kind, kept)| {
            let before_ms = now_ms.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
            let own = Retirement {
                kind: custody::kind_of(*kind),
                items: kind.facts().items.map(Kind::new),
                ended: custody::ended(*kind).into_iter().map(str::to_owned).collect(),
                before_ms,
            };
            // Belongs to the entity, and so goes after it.
            let (kind, ended) = custody::sent_kind(*kind);
            let ended = ended.into_iter().map(str::to_owned).collect();
            [own, Retirement { kind, items: None, ended, before_ms }]
        })
        .collect();
    let mut from = None;
    while !*stopped.borrow() {
        match gateway.store.retire(Arc::clone(&rules), from, RETIRE_ROWS).await {
            Ok(retired) => {
                for (kind, entities) in &retired.removed {
                    tracing::info!(kind = kind.as_str(), entities, "kept for long enough after their end");
                    gateway.metrics.store_retired(kind.as_str(), *entities);
                }
                from = retired.next;
            }
            Err(error) => {
                return tracing::warn!(%error, "what ended long ago stays for now; tried again later");
            }
        }
        if from.is_none() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
    }
}

/// Tells the metrics how much there is.
async fn measure(gateway: &Gateway, entities: bool) {
    match gateway.store.sizes(entities).await {
        Ok(sizes) => {
            for (part, bytes) in sizes.bytes {
                gateway.metrics.store_bytes(part, bytes);
            }
            if entities {
                gateway
                    .metrics
                    .store_entities(sizes.entities.iter().map(|(kind, count)| (kind.as_str(), *count)));
            }
            for (queue, open, dead) in sizes.tasks {
                gateway.metrics.store_tasks(queue.as_str(), open, dead);
            }
        }
        Err(error) => tracing::warn!(%error, "it is not known how much the store has"),
    }
}

async fn once(gateway: &Gateway, stopped: &watch::Receiver<bool>) {
    // The limits are those of the live plan: a reload may change them.
    let plan = gateway.plan.load();
    let limits = &plan.settings().gateway.limits;
    let now_ms = gateway.ports.clock.now().as_millisecond();
    let before = |kept: Duration| now_ms.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
    let (journal_ms, idempotency_ms, dead_ms) =
        (before(limits.journal_max), before(limits.idempotency_max), before(limits.dead_letter_max));
    let mut sum: usize = 0;
    while !*stopped.borrow() {
        match gateway.store.forget(journal_ms, idempotency_ms, dead_ms).await {
            Ok(0) => break,
            Ok(rows) => sum = sum.saturating_add(rows),
            Err(error) => {
                tracing::warn!(%error, "could not forget; tried again later");
                break;
            }
        }
        tokio::time::sleep(Duration::from_millis(PAUSE_MS)).await;
    }
    if sum > 0 {
        tracing::info!(rows = sum, "forgot what was kept for long enough");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ports::{Clock, Ids, Ports},
        ids::{ExchangeId, PartnerId},
        legacy::Backends,
        plan::{self, PlanHandle},
        store::{Batch, Change, JournalEntry, Step, Store},
        telemetry::Metrics,
    };

    #[tokio::test]
    async fn only_what_ended_long_ago_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("segue.yaml"), "limits: { journal_hours_max: 2 }\nmappings: .\n")
            .unwrap();
        let built = plan::load(folder.path(), None);
        let plan = built.plan.unwrap_or_else(|| panic!("{}", built.diagnostics.render_text(&built.sources)));
        let metrics = Arc::new(Metrics::new().unwrap());
        let now: jiff::Timestamp = "2026-10-01T12:00:00Z".parse().unwrap();
        let gateway = Gateway {
            plan: PlanHandle::new(plan),
            store: Store::memory().unwrap(),
            legacy: Arc::new(Backends::new(Arc::clone(&metrics))),
            metrics,
            ports: Ports { clock: Clock::Fixed(now), ids: Ids::counted() },
            recorder: Arc::default(),
        };
        let partner = PartnerId::parse("globex").unwrap();
        let id = |name: &str| ExchangeId::parse(name).unwrap();
        let rows = [
            ("old-done", Step::Intent, 3),
            ("old-done", Step::Done, 3),
            ("old-open", Step::Intent, 3),
            ("new-done", Step::Intent, 3),
            ("new-done", Step::Done, 1),
        ];
        for (name, step, hours) in rows {
            let entry = JournalEntry {
                exchange: id(name),
                operation: "quote.createQuote".to_owned(),
                call: String::new(),
                step,
                backend: None,
                request_crc: None,
                status: None,
                reply: None,
                at_ms: now.as_millisecond() - hours * 3_600_000,
            };
            let batch = Batch::new(partner.clone()).with(Change::Journal(Box::new(entry)));
            gateway.store.commit(batch).await.unwrap();
            // What began and ended before the database took it in would leave nothing to forget.
            gateway.store.flush().await;
        }
        let (_stop, stopped) = watch::channel(false);
        once(&gateway, &stopped).await;
        for (name, rows) in [("old-done", 0), ("old-open", 1), ("new-done", 2)] {
            let kept = gateway.store.journal(&partner, &id(name)).await.unwrap();
            assert_eq!(kept.len(), rows, "{name}");
        }
    }
}
