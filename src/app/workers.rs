//! Workers: what the store keeps as tasks is done when it is due, each queue by a loop of its own.
//!
//! A task is lent for a while, and whoever does it ends it by a commit: settled, postponed or buried. A run that ends
//! otherwise (a crash, a defect) is done again when the lease ends, by whichever instance comes first.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};

use crate::{
    exchange::ports::Clock,
    store::{LOOK_MS_MAX, Lease, Queue, Store, Task},
};

/// How long it sleeps at least where what is due cannot be had, in milliseconds: its lane is at work.
const SLEEP_MS_MIN: i64 = 20;

/// How long a task is lent beyond the time that it may take, in milliseconds: for its commit, and for the clocks of several
/// instances, which must not differ by more. What a killed instance had is taken over by another within the time that
/// its task may take, this and [`LOOK_MS_MAX`].
pub const LEASE_MARGIN_MS: i64 = 10_000;

/// A task under way.
pub type Doing<'h> = Pin<Box<dyn Future<Output = ()> + Send + 'h>>;

/// Does the tasks of one queue.
pub trait Handler: Send + Sync + 'static {
    /// Which queue.
    fn queue(&self) -> Queue;

    /// How many tasks are done side by side, at least 1.
    fn at_once_max(&self) -> usize;

    /// How long a task is lent, in milliseconds: longer than it can take.
    fn lease_ms(&self) -> i64;

    /// Does one task and ends it by a commit with its lease.
    fn run(&self, lease: Lease, task: Task) -> Doing<'_>;
}

/// Does what is due in one queue until `stopped` says so; what is under way then comes to its end.
pub async fn run(store: Store, clock: Clock, handler: Arc<dyn Handler>, mut stopped: watch::Receiver<bool>) {
    let queue = handler.queue();
    let mut wake = store.wake(queue);
    let mut running = JoinSet::new();
    while !*stopped.borrow() {
        wake.borrow_and_update();
        let free = handler.at_once_max().max(1).saturating_sub(running.len());
        let found = lend(&store, &clock, &handler, free, &mut running).await;
        let pause = if found < free { pause(&store, &clock, queue).await } else { LOOK_MS_MAX };
        let pause = Duration::from_millis(u64::try_from(pause).unwrap_or_default());
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => {}
            changed = wake.changed() => if changed.is_err() { break },
            Some(ended) = running.join_next() => note(queue, ended),
            () = tokio::time::sleep(pause) => {}
        }
    }
    while let Some(ended) = running.join_next().await {
        note(queue, ended);
    }
}

/// Begins as many tasks as are due and may be done; how many those were.
async fn lend(
    store: &Store,
    clock: &Clock,
    handler: &Arc<dyn Handler>,
    free: usize,
    running: &mut JoinSet<()>,
) -> usize {
    if free == 0 {
        return 0;
    }
    let now_ms = clock.now().as_millisecond();
    match store.claim(handler.queue(), now_ms, handler.lease_ms(), free).await {
        Ok(tasks) => {
            let found = tasks.len();
            for (lease, task) in tasks {
                let handler = Arc::clone(handler);
                running.spawn(async move { handler.run(lease, task).await });
            }
            found
        }
        Err(error) => {
            tracing::warn!(queue = handler.queue().as_str(), %error, "no tasks to be had; tried again");
            0
        }
    }
}

/// How long nothing is due, in milliseconds and within bounds.
async fn pause(store: &Store, clock: &Clock, queue: Queue) -> i64 {
    match store.next_due(queue).await {
        Ok(Some(due_ms)) => (due_ms - clock.now().as_millisecond()).clamp(SLEEP_MS_MIN, LOOK_MS_MAX),
        Ok(None) | Err(_) => LOOK_MS_MAX,
    }
}

fn note(queue: Queue, ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(queue = queue.as_str(), %error, "a task ended in a defect; it is done again");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use bytes::Bytes;

    use super::*;
    use crate::{
        ids::{PartnerId, TaskId},
        store::{Batch, Change},
    };

    struct Counting {
        store: Store,
        done: Mutex<Vec<String>>,
        at_once: AtomicUsize,
        most: AtomicUsize,
    }

    impl Handler for Counting {
        fn queue(&self) -> Queue {
            Queue::Poll
        }

        fn at_once_max(&self) -> usize {
            2
        }

        fn lease_ms(&self) -> i64 {
            60_000
        }

        fn run(&self, lease: Lease, task: Task) -> Doing<'_> {
            Box::pin(async move {
                let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.at_once.fetch_sub(1, Ordering::SeqCst);
                let change = if task.attempts == 0 && task.id.as_str() == "again" {
                    Change::Postpone { lease, due_ms: 0, note: None }
                } else {
                    Change::Settle { lease }
                };
                self.store.commit(Batch::new(task.partner.clone()).with(change)).await.unwrap();
                self.done.lock().unwrap().push(task.id.as_str().to_owned());
            })
        }
    }

    #[tokio::test]
    async fn what_is_due_is_done_and_no_more_at_once_than_allowed() {
        let store = Store::memory().unwrap();
        let partner = PartnerId::parse("globex").unwrap();
        let handler = Arc::new(Counting {
            store: store.clone(),
            done: Mutex::default(),
            at_once: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let (stop, stopped) = watch::channel(false);
        let clock = Clock::Fixed("2026-10-01T12:00:00Z".parse().unwrap());
        let now_ms = clock.now().as_millisecond();
        let own = Arc::clone(&handler) as Arc<dyn Handler>;
        let loops = tokio::spawn(run(store.clone(), clock, own, stopped));
        let task = |id: &str, due_ms| {
            let id = TaskId::parse(id).unwrap();
            let lane = id.as_str().to_owned();
            let task = Task { due_ms, ..Task::new(id, partner.clone(), Queue::Poll, lane, 0, Bytes::new()) };
            Change::Schedule(Box::new(task))
        };
        let mut batch = Batch::new(partner.clone()).with(task("later", now_ms + 1)).with(task("again", 0));
        for number in 0..8 {
            batch = batch.with(task(&format!("t{number}"), now_ms));
        }
        store.commit(batch).await.unwrap();
        while handler.done.lock().unwrap().len() < 10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.send_replace(true);
        loops.await.unwrap();
        let done = handler.done.lock().unwrap().clone();
        assert_eq!(done.iter().filter(|id| *id == "again").count(), 2, "{done:?}");
        assert!(!done.iter().any(|id| id == "later"), "{done:?}");
        assert_eq!(handler.most.load(Ordering::SeqCst), 2);
    }
}
