//! What waits for one of the store's threads.
//!
//! The thread takes all that waits at once, and is woken only where it sleeps: a hand-over to a thread that works
//! costs no call of the system.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::StoreError;

/// A bounded queue with one taker.
#[derive(Debug)]
pub(super) struct Inbox<T> {
    inner: Mutex<Inner<T>>,
    filled: Condvar,
    max: usize,
}

#[derive(Debug)]
struct Inner<T> {
    jobs: VecDeque<T>,
    is_closed: bool,
    /// Whether the thread sleeps.
    sleeps: bool,
}

/// What the thread woke up to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// Jobs are in the vector.
    Jobs,
    /// Nothing came in the time given.
    Idle,
    /// Nothing comes any more, and nothing is left.
    Closed,
}

impl<T> Inbox<T> {
    pub(super) fn new(max: usize) -> Self {
        let inner = Inner { jobs: VecDeque::new(), is_closed: false, sleeps: false };
        Self { inner: Mutex::new(inner), filled: Condvar::new(), max: max.max(1) }
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`] where `max` are waiting, [`StoreError::Failed`] where nobody takes any more.
    pub(super) fn push(&self, job: T) -> Result<(), StoreError> {
        let mut inner = self.lock();
        if inner.is_closed {
            return Err(StoreError::Failed("the store's thread is gone".to_owned()));
        }
        if inner.jobs.len() >= self.max {
            return Err(StoreError::Overloaded);
        }
        inner.jobs.push_back(job);
        let wake = std::mem::replace(&mut inner.sleeps, false);
        drop(inner);
        if wake {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// No job is taken any more; those that wait still are.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// As [`Inbox::close`], and those that wait are dropped.
    pub(super) fn end(&self) {
        self.close();
        let left = std::mem::take(&mut self.lock().jobs);
        drop(left);
    }

    /// Moves all that waits into `jobs`, in order; sleeps while there is nothing, for `idle` at most.
    pub(super) fn take(&self, jobs: &mut VecDeque<T>, idle: Option<Duration>) -> Taken {
        let mut inner = self.lock();
        while inner.jobs.is_empty() {
            if inner.is_closed {
                return Taken::Closed;
            }
            inner.sleeps = true;
            match idle {
                None => inner = self.filled.wait(inner).unwrap_or_else(PoisonError::into_inner),
                Some(idle) => {
                    let (guard, timed) =
                        self.filled.wait_timeout(inner, idle).unwrap_or_else(PoisonError::into_inner);
                    inner = guard;
                    if timed.timed_out() && inner.jobs.is_empty() && !inner.is_closed {
                        inner.sleeps = false;
                        return Taken::Idle;
                    }
                }
            }
        }
        inner.sleeps = false;
        jobs.append(&mut inner.jobs);
        Taken::Jobs
    }
}
