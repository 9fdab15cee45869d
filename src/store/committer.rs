//! The one thread that writes.
//!
//! What waits becomes one group. Each of its batches is held against what is known; those that fit become one record
//! of the log, written with one write and one fsync, and then they are acknowledged, conflicts included: a conflict
//! with a neighbour that was then not written is none. What is acknowledged is read from the overlay until the
//! database has it, which takes in hundreds of batches in one transaction: what several of them changed is written
//! once, and so are the pages that all of them touch. Documents stay in the log; the database knows where.

use std::{
    collections::VecDeque,
    ops::Range,
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    Batch, Limits, StoreError,
    checkpoint::Checkpointer,
    column::Words,
    log::{Log, Position, Spot},
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
    pub(super) place: Place,
    pub(super) segment_bytes: u64,
    apply_batches: usize,
    apply_idle: Duration,
    /// `None` after a commit that failed: what is in the database is then learnt by opening it again.
    pub(super) connection: Option<Connection>,
    queue: Arc<Queue<Job>>,
    overlay: Arc<RwLock<Overlay>>,
    newest: Newest,
    words: Words,
    /// None in memory.
    pub(super) log: Option<(Log, Checkpointer)>,
    /// Batches in the overlay.
    pending: usize,
    pending_bytes: usize,
    /// The first segment of the log that the database does not know.
    segments: u64,
    /// Up to which segment it was looked which are hardly needed.
    pub(super) cleared: u64,
    /// A commit to the database failed, and may have happened nonetheless.
    is_unsure: bool,
    /// When the last group came.
    last: Option<Instant>,
    /// Others will come soon, and the disk keeps nobody waiting: waiting for them costs less than being woken for each.
    lingers: bool,
    /// The record that is put together.
    buffer: Vec<u8>,
    metrics: Option<Arc<Metrics>>,
}

/// What became of a group.
pub(super) struct Written {
    /// Of each of its batches.
    pub(super) results: Vec<Result<(), StoreError>>,
    /// A reference changed, which the database must take in before anybody asks.
    moved: bool,
}

/// How long it is waited for others where they come one after the other: nobody notices, and callers that come
/// meanwhile need not wake the thread, nor are they woken one by one.
const LINGER: Duration = Duration::from_micros(50);

/// A group that follows another one within this is followed by others.
const BUSY: Duration = Duration::from_millis(1);

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
        let mut this = Self {
            segment_bytes: limits.segment_bytes,
            apply_batches: limits.apply_batches.max(1),
            apply_idle: Duration::from_millis(limits.apply_idle_ms),
            connection: None,
            queue,
            overlay,
            newest: Newest::default(),
            words: Words::default(),
            log: None,
            pending: 0,
            pending_bytes: 0,
            segments: 0,
            cleared: 0,
            is_unsure: false,
            last: None,
            lingers: false,
            buffer: Vec::new(),
            metrics,
            place,
        };
        if let Place::File(path) = this.place.clone() {
            this.place.make_folder()?;
            let held = Log::hold(&path, HELD)?;
            let connection = this.connection.insert(this.place.writer()?);
            let from = write::position(connection)?;
            let (log, records) = Log::open(&path, limits.segment_bytes, from, held)?;
            let cannot = |error: StoreError| StoreError::Open(format!("the log could not be read: {error}"));
            let (found, batches) = replay(connection, records).map_err(cannot)?;
            *this.overlay.write().unwrap_or_else(PoisonError::into_inner) = found;
            this.pending = batches;
            this.segments = from.segment;
            this.log = Some((log, Checkpointer::start(this.place.clone())?));
            this.apply().map_err(cannot)?;
        } else {
            this.connection = Some(this.place.writer()?);
        }
        Ok(this)
    }

    /// Works until every handle is gone and the queue is empty.
    pub(super) fn run(mut self) {
        let (mut jobs, mut group, mut group_bytes) = (VecDeque::new(), Vec::new(), 0);
        loop {
            if std::mem::take(&mut self.lingers) {
                thread::sleep(LINGER);
            }
            let idle = (self.pending > 0).then_some(self.apply_idle);
            match self.queue.take(&mut jobs, idle) {
                Taken::Jobs => {}
                Taken::Idle => {
                    self.settle();
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

    pub(super) fn has_pending(&self) -> bool {
        self.pending > 0
    }

    pub(super) fn connection(&mut self) -> Result<&mut Connection, StoreError> {
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
        let (batches, waiting): (Vec<Batch>, Vec<_>) = group.drain(..).unzip();
        let outcome = self.write(batches, false);
        if let Some(metrics) = &self.metrics {
            metrics.store_commit(waiting.len(), outcome.is_ok(), started.elapsed());
        }
        let is_busy = self.last.replace(started).is_some_and(|last| started - last < BUSY);
        self.lingers = is_busy && started.elapsed() < LINGER;
        match outcome {
            Ok(Written { results, moved }) => {
                if moved {
                    self.apply_or_warn();
                }
                for (tell, result) in waiting.into_iter().zip(results) {
                    let _ = tell.send(result);
                }
            }
            Err(error) => {
                tracing::error!(%error, batches = waiting.len(), "the store did not commit");
                for tell in waiting {
                    let _ = tell.send(Err(error.clone()));
                }
            }
        }
        if self.pending >= self.apply_batches || self.pending_bytes >= APPLY_BYTES {
            self.settle();
        }
    }

    /// What became of each batch of a group, once all that fit are on disk. Those that are decided are what it was
    /// already, elsewhere in the log, and need not be asked whether they fit.
    pub(super) fn write(&mut self, group: Vec<Batch>, is_decided: bool) -> Result<Written, StoreError> {
        if self.pending >= PENDING_TIMES_MAX * self.apply_batches {
            self.apply()?;
        }
        self.connection()?;
        let Some(db) = &self.connection else { return Err(StoreError::Failed("no database".to_owned())) };
        let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
        let mut stage = Stage::new(&overlay, db, &mut self.newest, is_decided);
        let mut results = Vec::with_capacity(group.len());
        self.buffer.clear();
        let at = self.log.as_mut().map(|(log, _)| log.begin(&mut self.buffer));
        let mut entities = Vec::new();
        for batch in group {
            let before = self.buffer.len();
            entities.clear();
            record::write(&batch, &mut self.buffer, &mut entities);
            let result = stage.add(batch, &spots(at, 0, &entities));
            if result.is_err() {
                self.buffer.truncate(before);
            }
            results.push(result);
        }
        let mut staged = stage.staged;
        drop(overlay);
        let (moved, written) = (staged.moved, results.iter().filter(|result| result.is_ok()).count());
        if written > 0 {
            if let Some((log, _)) = &mut self.log {
                log.append(&mut self.buffer)?;
            }
            self.pending += written;
            self.pending_bytes += self.buffer.len();
            self.overlay.write().unwrap_or_else(PoisonError::into_inner).take(&mut staged);
        }
        Ok(Written { results, moved })
    }

    fn apply_or_warn(&mut self) {
        if let Err(error) = self.apply() {
            tracing::error!(%error, batches = self.pending, "the database does not take in what the log has");
        }
    }

    /// Brings what is pending into the database, and then clears what is hardly needed of the log.
    fn settle(&mut self) {
        self.apply_or_warn();
        if let Err(error) = self.clear() {
            tracing::warn!(%error, "a part of the log that is hardly needed could not be cleared");
        }
    }

    /// Brings what is pending into the database.
    pub(super) fn apply(&mut self) -> Result<(), StoreError> {
        if self.pending == 0 {
            return Ok(());
        }
        let end = self.log.as_ref().map(|(log, _)| log.end());
        self.connection()?;
        let Some(db) = &self.connection else { return Err(StoreError::Failed("no database".to_owned())) };
        // Where a commit failed before, it may have happened.
        let is_done = end.is_some() && Some(write::position(db)?) == end;
        if !is_done {
            let overlay = self.overlay.read().unwrap_or_else(PoisonError::into_inner);
            let words = &mut self.words;
            if let Err(error) = apply(db, words, &overlay, self.is_unsure, self.segments, end) {
                drop(overlay);
                self.words.forget();
                self.is_unsure = true;
                if matches!(self.place, Place::File(_)) {
                    self.connection = None;
                }
                return Err(error);
            }
        }
        let done = std::mem::take(&mut *self.overlay.write().unwrap_or_else(PoisonError::into_inner));
        drop(done);
        self.is_unsure = false;
        self.pending = 0;
        self.pending_bytes = 0;
        if let (Some((_, checkpointer)), Some(end)) = (&self.log, end) {
            self.segments = end.segment + 1;
            checkpointer.applied(end);
        }
        Ok(())
    }

    /// Leaves behind the database, with all in it, and those files of the log that it needs.
    fn close(mut self) {
        if let Err(error) = self.apply() {
            tracing::error!(%error, "the log keeps what the database did not take in");
            return;
        }
        if let Err(error) = self.leave() {
            tracing::warn!(%error, "more of the log than is needed stays beside the database");
        }
    }
}

/// Where a record's entities are in the log; `before` are the bytes of the record before those that ranges count.
fn spots(at: Option<Position>, before: u64, entities: &[Option<Range<usize>>]) -> Vec<Option<Spot>> {
    let spot = |range: &Range<usize>| {
        let Position { segment, start_bytes, .. } = at?;
        let start_bytes = start_bytes + before + range.start as u64;
        Some(Spot { segment, start_bytes, length: u32::try_from(range.len()).ok()? })
    };
    entities.iter().map(|entity| entity.as_ref().and_then(spot)).collect()
}

/// One transaction: what the overlay holds, and up to where the log is in the database with it. `segments` is the
/// first segment of the log that the database does not know.
fn apply(
    db: &Connection,
    words: &mut Words,
    overlay: &Overlay,
    is_unsure: bool,
    segments: u64,
    end: Option<Position>,
) -> Result<(), StoreError> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let written = write::apply(db, words, overlay, is_unsure).and_then(|()| {
        let Some(end) = end else { return Ok(()) };
        for segment in segments..=end.segment {
            write::begin_segment(db, segment)?;
        }
        write::move_to(db, end)
    });
    let committed = written.and_then(|()| Ok(db.prepare_cached("COMMIT")?.execute([]).map(drop)?));
    // Where the disk is full SQLite has rolled back by itself.
    if committed.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    committed
}

/// What records of the log say, and of how many batches they are.
fn replay(db: &Connection, records: Vec<(bytes::Bytes, Position)>) -> Result<(Overlay, usize), StoreError> {
    let foreign = || StoreError::Open("the log holds what this version of Segue cannot read".to_owned());
    let (mut overlay, mut batches, mut newest) = (Overlay::default(), 0, Newest::default());
    for (payload, end) in records {
        let payload_bytes = payload.len();
        let at = Position { start_bytes: end.start_bytes - payload_bytes as u64, ..end };
        let mut rest = payload;
        while !rest.is_empty() {
            let (before, mut entities) = (payload_bytes - rest.len(), Vec::new());
            let batch = record::read(&mut rest, &mut entities).ok_or_else(foreign)?;
            let mut stage = Stage::new(&overlay, db, &mut newest, true);
            stage.add(batch, &spots(Some(at), before as u64, &entities))?;
            let mut staged = stage.staged;
            overlay.take(&mut staged);
            batches += 1;
        }
    }
    Ok((overlay, batches))
}
