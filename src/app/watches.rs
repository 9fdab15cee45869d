//! Has every list asked for that the live plan watches: at the start, and where a reload brings new ones.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use crate::exchange::{Gateway, watch as watches};

/// How often is looked whether there is another plan, in milliseconds.
const LOOK_MS: u64 = 500;

/// Looks until `stopped` says so.
pub async fn run(gateway: Arc<Gateway>, mut stopped: watch::Receiver<bool>) {
    let mut begun = None;
    while !*stopped.borrow() {
        let plan = gateway.plan.load();
        if begun != Some(plan.generation()) {
            let now_ms = gateway.ports.clock.now().as_millisecond();
            match watches::begin(&gateway.store, &plan, now_ms).await {
                Ok(()) => begun = Some(plan.generation()),
                Err(error) => tracing::warn!(%error, "what is watched cannot be kept; tried again"),
            }
        }
        // One that is replaced in the pause ends without waiting for it.
        drop(plan);
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            () = tokio::time::sleep(Duration::from_millis(LOOK_MS)) => {}
        }
    }
}
