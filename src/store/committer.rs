//! The one thread that writes, and groups what waits into one commit.
//!
//! While one commit waits for the disk, further batches queue up; the next commit takes them all. Where one of them
//! does not fit, the group is written again with a savepoint per batch, which keeps a conflict in one from touching
//! its neighbours. Nothing is acknowledged before the commit
//! returned, conflicts included: a conflict with a neighbour that was then not committed is none.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{Batch, StoreError, open::Place, write};
use crate::telemetry::Metrics;

/// Most batches in one commit.
const GROUP_MAX: usize = 128;

/// Work on the committer's connection, or word of why there is none.
pub(super) type Work = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// What the thread is asked to do.
pub(super) enum Job {
    /// A batch, and whom to tell.
    Commit(Batch, oneshot::Sender<Result<(), StoreError>>),
    /// Work on the connection between two commits: reads of a store in memory, housekeeping.
    Work(Work),
    /// Only an answer once everything before it is done.
    Flush(oneshot::Sender<()>),
}

/// The thread's state.
pub(super) struct Committer {
    place: Place,
    /// `None` after a commit that failed: what is in the database is then learnt by opening it again.
    connection: Option<Connection>,
    jobs: mpsc::Receiver<Job>,
    metrics: Option<Arc<Metrics>>,
}

type Waiting = (Batch, oneshot::Sender<Result<(), StoreError>>);

impl Committer {
    pub(super) fn new(
        place: Place,
        connection: Connection,
        jobs: mpsc::Receiver<Job>,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        Self { place, connection: Some(connection), jobs, metrics }
    }

    /// Works until every handle is gone and the queue is empty.
    pub(super) fn run(mut self) {
        let mut group = Vec::new();
        while let Some(first) = self.jobs.blocking_recv() {
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Commit(batch, tell) => group.push((batch, tell)),
                    other => {
                        // What came before it is done before it.
                        self.commit(&mut group);
                        self.other(other);
                    }
                }
                next = if group.len() < GROUP_MAX { self.jobs.try_recv().ok() } else { None };
            }
            self.commit(&mut group);
        }
    }

    fn other(&mut self, job: Job) {
        match job {
            Job::Work(work) => match self.connection() {
                Ok(connection) => work(Ok(connection)),
                Err(error) => work(Err(error)),
            },
            // A caller that no longer waits needs no answer.
            Job::Flush(tell) => drop(tell.send(())),
            Job::Commit(..) => {}
        }
    }

    fn connection(&mut self) -> Result<&mut Connection, StoreError> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            empty => {
                let connection =
                    self.place.writer().map_err(|error| StoreError::Failed(error.to_string()))?;
                Ok(empty.insert(connection))
            }
        }
    }

    fn commit(&mut self, group: &mut Vec<Waiting>) {
        if group.is_empty() {
            return;
        }
        let started = Instant::now();
        let outcome = self.connection().and_then(|connection| transaction(connection, group));
        if let Some(metrics) = &self.metrics {
            metrics.store_commit(group.len(), outcome.is_ok(), started.elapsed());
        }
        match outcome {
            Ok(results) => {
                for ((_, tell), result) in group.drain(..).zip(results) {
                    let _ = tell.send(result);
                }
            }
            Err(error) => {
                tracing::error!(%error, batches = group.len(), "the store did not commit");
                if matches!(error, StoreError::Unknown(_)) && matches!(self.place, Place::File(_)) {
                    self.connection = None;
                }
                for (_, tell) in group.drain(..) {
                    let _ = tell.send(Err(error.clone()));
                }
            }
        }
    }
}

/// What became of each batch of a group, once all that fit are on disk.
fn transaction(
    connection: &mut Connection,
    group: &[Waiting],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    if together(connection, group)? {
        return Ok(group.iter().map(|_| Ok(())).collect());
    }
    apart(connection, group)
}

/// Commits a group in which every batch fits, which most do; false, and nothing is written, where one does not.
fn together(connection: &Connection, group: &[Waiting]) -> Result<bool, StoreError> {
    // Prepared once: these two run as often as all others together.
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let fits = group.iter().all(|(batch, _)| write::apply(connection, batch).is_ok());
    let committed = if fits {
        connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map(drop)
    } else {
        Ok(())
    };
    // Where the disk is full SQLite has rolled back by itself.
    let left = if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") };
    committed.and(left).map_err(|error| StoreError::Unknown(error.to_string()))?;
    Ok(fits)
}

/// Commits what fits of a group, each batch behind a savepoint of its own.
fn apart(connection: &mut Connection, group: &[Waiting]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(group.len());
    for (batch, _) in group {
        let savepoint = transaction.savepoint()?;
        let result = write::apply(&savepoint, batch);
        match &result {
            Ok(()) => savepoint.commit()?,
            // Dropped without commit, a savepoint rolls back.
            Err(_) => drop(savepoint),
        }
        // A full disk ends the whole transaction; what follows would then be committed one by one.
        if transaction.is_autocommit() {
            return Err(result.err().unwrap_or_else(|| StoreError::Failed("rolled back".to_owned())));
        }
        results.push(result);
    }
    transaction.commit().map_err(|error| StoreError::Unknown(error.to_string()))?;
    Ok(results)
}
