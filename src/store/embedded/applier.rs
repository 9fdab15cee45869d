//! The thread that brings into the database what is acknowledged, beside those that commit.
//!
//! It takes in thousands of batches in one transaction: what several of them changed is written once, and so are the
//! pages that all of them touch. The database is written without an fsync of its own: until a checkpoint, what is in
//! it may be lost when the power fails, and Segue's log still has it. After the checkpoint the log's files up to there
//! are only needed for their documents.

use std::{collections::VecDeque, sync::Arc, thread, time::Duration};

use rusqlite::Connection;

use super::{
    StoreError,
    column::Words,
    core::{Ask, Core, Replay, Work},
    handle::Limits,
    inbox::Taken,
    log::{Log, Position},
    open::Place,
    overlay::{Frozen, Layers},
    stage::Newest,
    write,
};
use crate::telemetry::Metrics;

/// How long another process may still have the log: one that is about to end.
const HELD: Duration = Duration::from_secs(5);

/// For how many times of the idle time something may be pending while more comes.
const IDLE_TIMES_MAX: usize = 20;

/// The thread's state.
pub(super) struct Applier {
    pub(super) core: Arc<Core>,
    /// `None` in memory, where readers and writer share one, and after a commit that failed: what is in the database is
    /// then learnt by opening it again.
    connection: Option<Connection>,
    words: Words,
    /// A commit to the database failed, and may have happened nonetheless.
    is_unsure: bool,
    /// The first segment of the log that the database does not know.
    segments: u64,
    /// Up to where the database has everything on disk. Until the first checkpoint nothing counts as such: what a
    /// process that was killed has written may still be lost with the power.
    pub(super) durable: Position,
    /// Up to which segment it was looked which are hardly needed.
    pub(super) cleared: u64,
    /// Whether rows were removed since: what a power failure brings back of them needs the log as it was.
    pub(super) is_thinner: bool,
    /// Batches that were pending when it was idle last, and how often it was since the database had everything.
    idle: (usize, usize),
}

impl Drop for Applier {
    /// However it ends: nobody waits for it any longer.
    fn drop(&mut self) {
        self.core.asked.end();
    }
}

impl Applier {
    /// Opens database and log, and brings into the database what only the log has.
    pub(super) fn open(
        place: Place,
        limits: Limits,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<Self, StoreError> {
        let cannot = |error: StoreError| StoreError::Open(format!("the log could not be read: {error}"));
        let mut segments = 0;
        let (core, connection) = match &place {
            Place::Memory => {
                (Core::new(place, limits, None, Layers::default(), Newest::default(), metrics), None)
            }
            Place::File(path) => {
                place.make_folder()?;
                let held = Log::hold(path, HELD)?;
                let connection = place.writer()?;
                let from = write::position(&connection)?;
                segments = from.segment;
                let mut replay = Replay::new(&connection)?;
                let log = Log::open(path, limits.segment_bytes, from, held, |payload, end| {
                    replay.add(payload, end).map_err(cannot)
                })?;
                let Replay { layers, newest, .. } = replay;
                (Core::new(place.clone(), limits, Some(log), layers, newest, metrics), Some(connection))
            }
        };
        let durable = Position { segment: 0, start_bytes: 0, chain: 0 };
        let (words, is_unsure, cleared, idle) = (Words::default(), false, 0, (0, 0));
        let core = Arc::new(core);
        let mut this =
            Self { core, connection, words, is_unsure, segments, durable, cleared, is_thinner: false, idle };
        this.apply().map_err(cannot)?;
        Ok(this)
    }

    /// Works until nobody commits any more.
    pub(super) fn run(mut self) {
        let mut jobs = VecDeque::new();
        let idle = Duration::from_millis(self.core.limits.apply_idle_ms);
        loop {
            let wait = (!self.core.layers().is_empty()).then_some(idle);
            match self.core.asked.take(&mut jobs, wait) {
                Taken::Jobs => jobs.drain(..).for_each(|job| self.answer(job)),
                Taken::Idle => self.look_again(),
                Taken::Closed => break,
            }
        }
        self.close();
    }

    fn answer(&mut self, ask: Ask) {
        match ask {
            Ask::Look if self.core.is_due() => self.settle(),
            Ask::Look => {}
            // A caller that no longer waits needs no answer.
            Ask::Flush(tell) => drop(tell.send(self.apply())),
            Ask::Work(work) => self.work(work),
            Ask::Thin(work) => {
                // What the log lost by it, it lost for good only once that is on disk.
                self.is_thinner = true;
                self.work(work);
                self.clear_or_warn();
            }
        }
    }

    fn work(&mut self, work: Work) {
        if let Err(error) = self.apply() {
            return work(Err(error));
        }
        let mut work = Some(work);
        let done = self.with(|db, _| {
            if let Some(work) = work.take() {
                work(Ok(db));
            }
            Ok(())
        });
        if let (Err(error), Some(work)) = (done, work) {
            work(Err(error));
        }
    }

    /// Nothing was asked for a while: the database takes in what is pending if nothing has come, or it is old.
    fn look_again(&mut self) {
        let (batches, has_frozen) = {
            let layers = self.core.layers();
            (layers.pending.batches, layers.frozen.is_some())
        };
        let (before, times) = self.idle;
        self.idle = (batches, times + 1);
        if batches == before || has_frozen || times >= IDLE_TIMES_MAX {
            self.settle();
        }
    }

    /// Brings what is pending into the database, and then clears what is hardly needed of the log.
    fn settle(&mut self) {
        if let Err(error) = self.apply() {
            tracing::error!(%error, "the database does not take in what the log has");
            return;
        }
        self.clear_or_warn();
    }

    fn clear_or_warn(&mut self) {
        if let Err(error) = self.clear() {
            tracing::warn!(%error, "a part of the log that is hardly needed could not be cleared");
        }
    }

    /// Works on the connection that writes.
    pub(super) fn with<T>(
        &mut self,
        work: impl FnOnce(&Connection, &mut Words) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let words = &mut self.words;
        if matches!(self.core.place, Place::Memory) {
            return self.core.readers.with(|db| work(db, words));
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let opened = self.core.place.writer();
                none.insert(opened.map_err(|error| StoreError::Failed(error.to_string()))?)
            }
        };
        work(connection, words)
    }

    /// Brings into the database all that is acknowledged when this is called.
    pub(super) fn apply(&mut self) -> Result<(), StoreError> {
        let was_left = self.core.layers().frozen.is_some();
        let any = self.apply_once()?;
        if was_left && any {
            self.apply_once()?;
        }
        Ok(())
    }

    /// Brings into the database what it could not take in before, or all that came since. Whether there was any.
    fn apply_once(&mut self) -> Result<bool, StoreError> {
        let Some(frozen) = self.core.freeze()? else { return Ok(false) };
        let (segments, is_unsure) = (self.segments, self.is_unsure);
        if let Err(error) = self.with(|db, words| apply(db, words, &frozen, is_unsure, segments)) {
            self.is_unsure = true;
            self.words.forget();
            self.connection = None;
            return Err(error);
        }
        self.core.thaw(&frozen)?;
        self.is_unsure = false;
        self.idle = (0, 0);
        if let Some(end) = frozen.end {
            self.segments = end.segment + 1;
            // A checkpoint is due once a file of the log can be given free by it.
            if end.segment > self.durable.segment
                && let Err(error) = self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)")
            {
                tracing::warn!(%error, "the database could not be brought to disk; tried again later");
            }
        }
        Ok(true)
    }

    /// Copies SQLite's own log into its file and waits for the disk. Whether all of it was copied: readers may be in
    /// the way.
    pub(super) fn checkpoint(&mut self, sql: &str) -> Result<bool, StoreError> {
        let (copied, position) = self.with(|db, _| {
            let position = write::position(db)?;
            let row = |row: &rusqlite::Row<'_>| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            };
            let (busy, frames, copied) = db.prepare_cached(sql)?.query_row([], row)?;
            Ok((busy == 0 && frames == copied, position))
        })?;
        if copied {
            self.durable = position;
        }
        Ok(copied)
    }

    /// Leaves behind the database, with all in it, and those files of the log that it needs.
    fn close(mut self) {
        if let Err(error) = self.apply() {
            tracing::error!(%error, "the log keeps what the database did not take in");
            return;
        }
        self.core.readers.close();
        if let Err(error) = self.leave() {
            tracing::warn!(%error, "more of the log than is needed stays beside the database");
        }
    }

    /// Starts the thread.
    pub(super) fn start(self) -> Result<(), StoreError> {
        let started = thread::Builder::new().name("store-apply".to_owned()).spawn(move || self.run());
        started.map(drop).map_err(|error| StoreError::Open(error.to_string()))
    }
}

/// One transaction: what was set apart, and up to where the log is in the database with it. `segments` is the first
/// segment of the log that the database does not know.
fn apply(
    db: &Connection,
    words: &mut Words,
    frozen: &Frozen,
    is_unsure: bool,
    segments: u64,
) -> Result<(), StoreError> {
    // Where a commit failed before, it may have happened.
    if is_unsure && frozen.end.is_some() && Some(write::position(db)?) == frozen.end {
        return Ok(());
    }
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let written = write::apply(db, words, &frozen.overlay, is_unsure).and_then(|()| {
        let Some(end) = frozen.end else { return Ok(()) };
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
