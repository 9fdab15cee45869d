//! The thread that commits where the disk keeps callers waiting: what waits becomes one group (see `core`).

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::oneshot;

use super::{
    Batch, StoreError,
    core::{Ask, Core, Written},
    inbox::{Inbox, Taken},
};

/// Most batches in one record of the log.
const GROUP_MAX: usize = 1024;

/// Bytes of documents from which on a record takes no further batch.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// What the thread is asked to do.
pub(super) enum Job {
    /// A batch, and whom to tell.
    Commit(Batch, oneshot::Sender<Result<(), StoreError>>),
    /// To pass this on once all that came before is done.
    Then(Ask),
}

/// The thread's state.
pub(super) struct Committer {
    pub(super) core: Arc<Core>,
    pub(super) queue: Arc<Inbox<Job>>,
}

impl Drop for Committer {
    /// However it ends: nobody waits for it any longer, and the other thread comes to its end.
    fn drop(&mut self) {
        self.queue.end();
        self.core.asked.close();
    }
}

type Waiting = (Batch, oneshot::Sender<Result<(), StoreError>>);

impl Committer {
    /// Works until every handle is gone and the queue is empty.
    pub(super) fn run(self) {
        let (mut jobs, mut group, mut group_bytes) = (VecDeque::new(), Vec::new(), 0);
        while self.queue.take(&mut jobs, None) != Taken::Closed {
            for job in jobs.drain(..) {
                match job {
                    Job::Commit(batch, tell) => {
                        group_bytes += batch.document_bytes();
                        group.push((batch, tell));
                        if group.len() >= GROUP_MAX || group_bytes >= GROUP_BYTES {
                            self.commit(&mut group);
                            group_bytes = 0;
                        }
                    }
                    Job::Then(ask) => {
                        // What came before it is done before it.
                        self.commit(&mut group);
                        self.pass(ask);
                    }
                }
            }
            self.commit(&mut group);
            group_bytes = 0;
        }
    }

    /// Whoever waits for an answer learns from its absence that there is none.
    fn pass(&self, ask: Ask) {
        if let Err(error) = self.core.asked.push(ask) {
            tracing::warn!(%error, "the store's database is asked for too much");
        }
    }

    fn commit(&self, group: &mut Vec<Waiting>) {
        if group.is_empty() {
            return;
        }
        let (batches, waiting): (Vec<Batch>, Vec<_>) = group.drain(..).unzip();
        match self.write(batches) {
            Ok(Written { results, moved }) => {
                if moved && let Err(error) = self.applied() {
                    tracing::error!(%error, "the database does not take in what the log has");
                }
                for (tell, result) in waiting.into_iter().zip(results) {
                    let _ = tell.send(result);
                }
            }
            Err(error) => {
                for tell in waiting {
                    let _ = tell.send(Err(error.clone()));
                }
            }
        }
    }

    fn write(&self, batches: Vec<Batch>) -> Result<Written, StoreError> {
        if self.core.is_full() {
            self.applied()?;
        }
        let (core, mut batches) = (&self.core, Some(batches));
        core.readers
            .with(|db| core.commit(&mut *core.writer()?, batches.take().unwrap_or_default(), Some(db)))
    }

    /// Waits until all that is acknowledged is in the database.
    fn applied(&self) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        self.core.asked.push(Ask::Flush(tell))?;
        let gone = |_| Err(StoreError::Failed("the thread of the store's database is gone".to_owned()));
        told.blocking_recv().unwrap_or_else(gone)
    }
}
