//! Housekeeping: what has been kept for long enough is forgotten. What needs attention stays.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::MissedTickBehavior};

use crate::exchange::Gateway;

/// How often it is looked, in seconds. The limits are hours, so more often would find nothing.
const EVERY_S: u64 = 600;

/// How often the metrics are told how much there is, in seconds.
const SIZES_EVERY_S: u64 = 60;

/// Forgets at the start and from time to time, until `stopped` says so.
pub async fn run(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(Duration::from_secs(EVERY_S));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sizes = tokio::time::interval(Duration::from_secs(SIZES_EVERY_S));
    sizes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let is_time_to_forget = tokio::select! {
            biased;
            _ = stopped.wait_for(|stop| *stop) => return,
            _ = tick.tick() => true,
            _ = sizes.tick() => false,
        };
        if is_time_to_forget {
            once(&gateway).await;
        }
        measure(&gateway, is_time_to_forget).await;
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

async fn once(gateway: &Gateway) {
    // The limits are those of the live plan: a reload may change them.
    let plan = gateway.plan.load();
    let limits = &plan.settings().gateway.limits;
    let now_ms = gateway.ports.clock.now().as_millisecond();
    let before = |kept: Duration| now_ms.saturating_sub(i64::try_from(kept.as_millis()).unwrap_or(i64::MAX));
    match gateway
        .store
        .forget(before(limits.journal_max), before(limits.idempotency_max), before(limits.dead_letter_max))
        .await
    {
        Ok(0) => {}
        Ok(rows) => tracing::info!(rows, "forgot what was kept for long enough"),
        Err(error) => tracing::warn!(%error, "could not forget; tried again later"),
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
        once(&gateway).await;
        for (name, rows) in [("old-done", 0), ("old-open", 1), ("new-done", 2)] {
            let kept = gateway.store.journal(&partner, &id(name)).await.unwrap();
            assert_eq!(kept.len(), rows, "{name}");
        }
    }
}
