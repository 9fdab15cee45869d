//! Permits of one backend, and a bounded queue before them.
//!
//! hyper's pool has no cap per host: without this, a slow backend would collect every exchange in flight.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::{LegacyError, LegacyErrorKind, Sent};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Gate {
    permits: Mutex<Option<(usize, Arc<Semaphore>)>>,
    waiting: AtomicUsize,
}

/// One place in the queue, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    /// Waits for one of `in_flight_max` permits, at most until `deadline`, unless `queue_max` wait already.
    pub(super) async fn enter(
        &self,
        in_flight_max: usize,
        queue_max: usize,
        deadline: Instant,
    ) -> Result<OwnedSemaphorePermit, LegacyError> {
        let overloaded = || LegacyError::new(LegacyErrorKind::Overloaded, Sent::No);
        let permits = self.permits(in_flight_max);
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            return Ok(permit);
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= queue_max {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(overloaded());
        }
        let _place = Place(&self.waiting);
        match timeout_at(deadline, permits.acquire_owned()).await {
            Ok(permit) => permit.map_err(|_| overloaded()),
            Err(_) => {
                Err(LegacyError::new(LegacyErrorKind::Deadline, Sent::No).with_detail("waiting for a permit"))
            }
        }
    }

    /// The permits of this size. A reload with another size starts anew; what runs on the old ones ends there.
    fn permits(&self, in_flight_max: usize) -> Arc<Semaphore> {
        let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
        match &*permits {
            Some((size, semaphore)) if *size == in_flight_max => Arc::clone(semaphore),
            _ => {
                let semaphore = Arc::new(Semaphore::new(in_flight_max.min(Semaphore::MAX_PERMITS)));
                *permits = Some((in_flight_max, Arc::clone(&semaphore)));
                semaphore
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_queue_is_bounded_in_length_and_time() {
        let gate = Arc::new(Gate::default());
        let deadline = Instant::now() + Duration::from_secs(1);
        let held = gate.enter(1, 1, deadline).await.unwrap();
        let queued = tokio::spawn({
            let gate = Arc::clone(&gate);
            async move { gate.enter(1, 1, deadline + Duration::from_mins(1)).await }
        });
        tokio::task::yield_now().await;
        let error = gate.enter(1, 1, deadline).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (LegacyErrorKind::Overloaded, Sent::No));
        drop(held);
        let held = queued.await.unwrap().unwrap();
        let error = gate.enter(1, 1, deadline).await.unwrap_err();
        assert_eq!((error.kind, Instant::now() >= deadline), (LegacyErrorKind::Deadline, true));
        // A wait that was given up frees its place.
        assert_eq!(gate.waiting.load(Ordering::Relaxed), 0);
        drop(held);
        assert!(gate.enter(1, 0, deadline).await.is_ok());
    }
}
