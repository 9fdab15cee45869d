//! The one thread that writes.
//!
//! What waits becomes one group. Each of its batches is held against what is known; those that fit become one record
//! of the log, written with one write and one fsync, and then they are acknowledged, conflicts included: a conflict
//! with a neighbour that was then not written is none. What is acknowledged is read from the overlay until the
//! database has it, which takes in hundreds of batches in one transaction: there the pages that all of them touch are
//! written once.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    Batch, Limits, StoreError,
    checkpoint::Checkpointer,
    log::{Log, Position},
    open::Place,
    overlay::{Newest, Overlay, Stage},
    queue::{Queue, Taken},
    record, write,
};
use crate::telemetry::Metrics;

/// Most batches in one record of the log.
const GROUP_MAX: usize = 128;

/// Bytes of documents from which on a record takes no further batch.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of batches that the database takes in at once.
const APPLY_BYTES: usize = 8 * 1024 * 1024;

/// Most batches that are acknowledged and not in the database while that refuses, in times of what it takes at once.
const PENDING_TIMES_MAX: usize = 8;

/// How long another process may still have the log: one that is about to end.
const HELD: Duration = Duration::from_secs(5);

/// Work on the thread's connection, or word of why there is none.
pub(super) type Work = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// What the thread is asked to do.
pub(super) enum Job {
    /// A batch, and whom to tell.
    Commit(Batch, oneshot::Sender<Result<(), StoreError>>),
    /// Work on the connection between two groups; all that was acknowledged is in the database by then.
    Work(Work),
    /// Only an answer once everything before it is done and in the database.
    Flush(oneshot::Sender<Result<(), StoreError>>),
}

/// The thread's state.
pub(super) struct Committer {
    place: Place,
    apply_batches: usize,
    apply_idle: Duration,
    /// `None` after a commit that failed: what is in the database is then learnt by opening it again.
    connection: Option<Connection>,
    queue: Arc<Queue<Job>>,
    overlay: Arc<RwLock<Overlay>>,
    newest: Newest,
    /// None in memory.
    log: Option<(Log, Checkpointer)>,
    /// What is acknowledged and not in the database, in order.
    pending: Vec<Batch>,
    pending_bytes: usize,
    /// The record that is put together.
    buffer: Vec<u8>,
    metrics: Option<Arc<Metrics>>,
}

/// What became of a group.
struct Written {
    /// Of each of its batches.
    results: Vec<Result<(), StoreError>>,
    /// A reference changed, which the database must take in before anybody asks.
    moved: bool,
}

type Waiting = (Batch, oneshot::Sender<Result<(), StoreError>>);

impl Committer {
    /// Opens database and log, and brings into the database what only the log has.
    pub(super) fn open(
        place: Place,
        limits: Limits,
        queue: Arc<Queue<Job>>,
        overlay: Arc<RwLock<Overlay>>,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<Self, StoreError> {
        let (connection, log) = match &place {
            Place::Memory => (place.writer()?, None),
            Place::File(path) => {
                place.make_folder()?;
                let held = Log::hold(path, HELD)?;
                let connection = place.writer()?;
                let from = write::position(&connection)?;
                let (log, records) = Log::open(path, limits.segment_bytes, from, held)?;
                for group in records.chunks(GROUP_MAX) {
                    recover(&connection, group)?;
                }
                let checkpointer = Checkpointer::start(place.clone())?;
                (connection, Some((log, checkpointer)))
            }
        };
        Ok(Self {
            place,
            apply_batches: limits.apply_batches.max(1),
            apply_idle: Duration::from_millis(limits.apply_idle_ms),
            connection: Some(connection),
            queue,
            overlay,
            newest: Newest::default(),
            log,
            pending: Vec::new(),
            pending_bytes: 0,
            buffer: Vec::new(),
            metrics,
        })
    }

    /// Works until every handle is gone and the queue is empty.
    pub(super) fn run(mut self) {
        let (mut jobs, mut group, mut group_bytes) = (VecDeque::new(), Vec::new(), 0);
        loop {
            let idle = (!self.pending.is_empty()).then_some(self.apply_idle);
            match self.queue.take(&mut jobs, idle) {
                Taken::Jobs => {}
                Taken::Idle => {
                    self.apply_or_warn();
                    continue;
                }
                Taken::Closed => break,
            }
            for job in jobs.drain(..) {
                match job {
                    Job::Commit(batch, tell) => {
                        group_bytes += record::document_bytes(&batch);
                        group.push((batch, tell));
                        if group.len() >= GROUP_MAX || group_bytes >= GROUP_BYTES {
                            self.commit(&mut group);
                            group_bytes = 0;
                        }
                    }
                    other => {
                        // What came before it is done before it.
                        self.commit(&mut group);
                        self.other(other);
                    }
                }
            }
            self.commit(&mut group);
            group_bytes = 0;
        }
        self.close();
    }

    fn other(&mut self, job: Job) {
        let applied = self.apply();
        match job {
            Job::Work(work) => {
                match applied.and_then(|()| self.connection().map(|connection| &*connection)) {
                    Ok(connection) => work(Ok(connection)),
                    Err(error) => work(Err(error)),
                }
            }
            // A caller that no longer waits needs no answer.
            Job::Flush(tell) => drop(tell.send(applied)),
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
        #[expect(clippy::disallowed_methods, reason = "how long a commit takes, for the metrics")]
        let started = Instant::now();
        let outcome = self.write(group);
        if let Some(metrics) = &self.metrics {
            metrics.store_commit(group.len(), outcome.is_ok(), started.elapsed());
        }
        match outcome {
            Ok(Written { results, moved }) => {
                let mut told = Vec::with_capacity(results.len());
                for ((batch, tell), result) in group.drain(..).zip(results) {
                    if result.is_ok() {
                        self.pending.push(batch);
                    }
                    told.push((tell, result));
                }
                if moved {
                    self.apply_or_warn();
                }
                for (tell, result) in told {
                    let _ = tell.send(result);
                }
            }
            Err(error) => {
                tracing::error!(%error, batches = group.len(), "the store did not commit");
                for (_, tell) in group.drain(..) {
                    let _ = tell.send(Err(error.clone()));
                }
            }
        }
        if self.pending.len() >= self.apply_batches || self.pending_bytes >= APPLY_BYTES {
            self.apply_or_warn();
        }
    }

    /// What became of each batch of a group, once all that fit are on disk.
    fn write(&mut self, group: &[Waiting]) -> Result<Written, StoreError> {
        if self.pending.len() >= PENDING_TIMES_MAX * self.apply_batches {
            self.apply()?;
        }
        self.make_room()?;
        self.connection()?;
        let Some(db) = &self.connection else { return Err(StoreError::Failed("no database".to_owned())) };
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        let mut stage = Stage { staged: Overlay::default(), overlay: &overlay, db, newest: &mut self.newest };
        let mut results = Vec::with_capacity(group.len());
        Log::begin(&mut self.buffer);
        let head_bytes = self.buffer.len();
        for (batch, _) in group {
            let result = stage.add(batch);
            if result.is_ok() {
                record::write(batch, &mut self.buffer);
            }
            results.push(result);
        }
        let staged = stage.staged;
        drop(overlay);
        let moved = staged.moved;
        if self.buffer.len() > head_bytes {
            if let Some((log, _)) = &mut self.log {
                log.append(&mut self.buffer)?;
            }
            self.pending_bytes += self.buffer.len();
            self.overlay.write().unwrap_or_else(PoisonError::into_inner).take(staged);
        }
        Ok(Written { results, moved })
    }

    /// Sees to it that the log may go on: what is in the file it comes to must be in the database for good.
    fn make_room(&mut self) -> Result<(), StoreError> {
        let full = |this: &Self| this.log.as_ref().is_some_and(|(log, done)| log.is_full(done.durable()));
        if !full(self) {
            return Ok(());
        }
        self.apply()?;
        if let (Some(connection), Some((_, checkpointer))) = (&self.connection, &self.log) {
            checkpointer.now(connection)?;
        }
        if full(self) { Err(StoreError::Failed("the log is full".to_owned())) } else { Ok(()) }
    }

    fn apply_or_warn(&mut self) {
        if let Err(error) = self.apply() {
            tracing::error!(%error, batches = self.pending.len(), "the database does not take in what the log has");
        }
    }

    /// Brings what is pending into the database.
    fn apply(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let end = self.log.as_ref().map(|(log, _)| log.end());
        self.connection()?;
        let Some(db) = &self.connection else { return Err(StoreError::Failed("no database".to_owned())) };
        // Where a commit failed before, it may have happened.
        let is_done = end.is_some() && Some(write::position(db)?) == end;
        if !is_done && let Err(error) = apply(db, &self.pending, end) {
            if matches!(self.place, Place::File(_)) {
                self.connection = None;
            }
            return Err(error);
        }
        let done = std::mem::take(&mut *self.overlay.write().unwrap_or_else(PoisonError::into_inner));
        drop(done);
        self.pending.clear();
        self.pending_bytes = 0;
        if let (Some((_, checkpointer)), Some(end)) = (&self.log, end) {
            checkpointer.applied(end);
        }
        Ok(())
    }

    /// Leaves the database alone behind, with all in it.
    fn close(mut self) {
        if let Err(error) = self.apply() {
            tracing::error!(%error, "the log keeps what the database did not take in");
            return;
        }
        if let (Some(connection), Some((log, checkpointer))) = (&self.connection, self.log) {
            let next = log.after();
            let closed = write::move_to(connection, next).and_then(|()| checkpointer.now(connection));
            match closed {
                Ok(()) => log.remove(),
                Err(error) => tracing::warn!(%error, "the log stays beside the database"),
            }
        }
    }
}

/// One transaction: the batches, and up to where the log is in the database with them.
fn apply(db: &Connection, batches: &[Batch], end: Option<Position>) -> Result<(), StoreError> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let written = batches.iter().try_for_each(|batch| write::apply(db, batch));
    let written = written.and_then(|()| end.map_or(Ok(()), |end| write::move_to(db, end)));
    let committed = written.and_then(|()| Ok(db.prepare_cached("COMMIT")?.execute([]).map(drop)?));
    // Where the disk is full SQLite has rolled back by itself.
    if committed.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    committed
}

/// Brings records of the log into the database.
fn recover(db: &Connection, records: &[(bytes::Bytes, Position)]) -> Result<(), StoreError> {
    let foreign = || StoreError::Open("the log holds what this version of Segue cannot read".to_owned());
    let mut batches = Vec::new();
    for (payload, _) in records {
        let mut payload = payload.clone();
        while !payload.is_empty() {
            batches.push(record::read(&mut payload).ok_or_else(foreign)?);
        }
    }
    let end = records.last().map(|(_, end)| *end);
    apply(db, &batches, end).map_err(|error| StoreError::Open(format!("the log could not be read: {error}")))
}
