//! The tasks that the exchange does: timers, polls, and calls that follow a change.

use std::sync::Arc;

use tokio::{sync::watch, task::JoinHandle};

use super::workers::{self, Doing, Handler, LEASE_MARGIN_MS};
use crate::{
    exchange::{Gateway, tasks},
    store::{Lease, Queue, Task},
};

/// How many tasks of each queue are done side by side.
const AT_ONCE_MAX: [(Queue, usize); 3] = [(Queue::Timer, 8), (Queue::Poll, 16), (Queue::Continue, 8)];

struct Works {
    gateway: Arc<Gateway>,
    queue: Queue,
    at_once_max: usize,
}

impl Handler for Works {
    fn queue(&self) -> Queue {
        self.queue
    }

    fn at_once_max(&self) -> usize {
        self.at_once_max
    }

    fn lease_ms(&self) -> i64 {
        let deadline = self.gateway.plan.load().settings().gateway.limits.exchange_deadline_max;
        i64::try_from(deadline.as_millis()).unwrap_or(i64::MAX).saturating_add(LEASE_MARGIN_MS)
    }

    fn run(&self, lease: Lease, task: Task) -> Doing<'_> {
        Box::pin(tasks::run(&self.gateway, lease, task))
    }
}

/// Starts the loops; they end when `stopped` says so.
pub fn start(gateway: &Arc<Gateway>, stopped: &watch::Receiver<bool>) -> Vec<JoinHandle<()>> {
    let loops = AT_ONCE_MAX.map(|(queue, at_once_max)| {
        let works = Works { gateway: Arc::clone(gateway), queue, at_once_max };
        let (store, clock) = (gateway.store.clone(), gateway.ports.clock.clone());
        tokio::spawn(workers::run(store, clock, Arc::new(works), stopped.clone()))
    });
    loops.into()
}
