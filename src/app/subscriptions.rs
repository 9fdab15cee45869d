//! Keeps the subscriptions at Sellers: at the start, where a reload brings others, and again where a hub did not take one.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::exchange::{Gateway, buyer::subscribe};

/// How often is looked whether there is another plan, in milliseconds.
const LOOK_MS: u64 = 500;

/// How long a hub that did not take a subscription is left alone, in milliseconds.
const AGAIN_MS: u64 = 30_000;

/// Looks until `stopped` says so.
pub async fn run(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let (mut kept, mut again) = (None, None::<Instant>);
    while !*stopped.borrow() {
        let generation = gateway.plan.load().generation();
        if kept != Some(generation) || again.is_some_and(|again| again <= Instant::now()) {
            let failed = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                failed = subscribe::keep(&gateway) => failed,
            };
            kept = Some(generation);
            again = (failed > 0).then(|| Instant::now() + Duration::from_millis(AGAIN_MS));
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {}
        }
    }
}
