//! What commits, whoever's thread it is on.
//!
//! A group of batches is held against what is known; those that fit become one record of the log, written with one
//! write and one fsync, and then they are acknowledged, conflicts included: a conflict with a neighbour that was then
//! not written is none. One lock keeps the groups apart.
//!
//! Where the disk keeps nobody waiting (a RAM disk, a battery-backed cache), whoever commits does it on its own thread
//! and nobody is woken. Where it does, or a batch can only be decided by a look into the database, the store's thread
//! does it (see `committer`). Which of both it is, each fsync tells for the next one.

use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    Batch, StoreError,
    agenda::LaneKey,
    desk::Desk,
    handle::Limits,
    inbox::Inbox,
    log::{Log, Position, Spot},
    open::Place,
    overlay::{Frozen, Layers, Pending},
    readers::Readers,
    record,
    stage::{Newest, Overlays, Stage},
    tasks,
};
use crate::telemetry::Metrics;

/// So many quick fsyncs one after the other let callers commit by themselves. One that is not ends that.
const QUICK_MIN: u8 = 8;

/// How often a caller looks whether another one has done, which takes some microseconds, before it hands over.
const LOOKS_MAX: usize = 64;

/// Most that is acknowledged and that the database has not begun to take in, in times of what it takes in at once.
const PENDING_TIMES_MAX: usize = 4;

/// What an entity holds in memory beside its texts, in bytes; about.
const HELD_BYTES: usize = 512;

/// Work on the connection that writes, or word of why there is none.
pub(super) type Work = Box<dyn FnOnce(Result<&Connection, StoreError>) + Send>;

/// What the thread that applies is asked (see `applier`).
pub(super) enum Ask {
    /// To look: something is pending that was not, or much is.
    Look,
    /// For an answer once everything before is in the database.
    Flush(oneshot::Sender<Result<(), StoreError>>),
    /// Work on its connection; all that was acknowledged before is in the database by then.
    Work(Work),
    /// The same, of which less of the log is needed afterwards.
    Thin(Work),
}

/// What all threads share.
pub(super) struct Core {
    pub(super) place: Place,
    pub(super) readers: Readers,
    pub(super) limits: Limits,
    pub(super) asked: Inbox<Ask>,
    /// What the database takes in at once.
    at_once: Pending,
    layers: RwLock<Layers>,
    /// Taken after the layers, where both are.
    desk: Mutex<Desk>,
    writer: Mutex<Writer>,
    /// Whether callers may commit by themselves.
    is_quick: AtomicBool,
    metrics: Option<Arc<Metrics>>,
}

/// What one thread at a time writes with.
pub(super) struct Writer {
    /// `None` in memory.
    pub(super) log: Option<Log>,
    newest: Newest,
    /// Quick fsyncs, one after the other.
    quick: u8,
    /// Overlays that are empty, for the next group.
    spare: Option<Overlays>,
    /// The record that is put together.
    buffer: Vec<u8>,
    /// Where in the buffer the entities of a batch are that have documents.
    entities: Vec<Option<Range<usize>>>,
}

/// What became of a group.
pub(super) struct Written {
    /// Of each of its batches.
    pub(super) results: Vec<Result<(), StoreError>>,
    /// A reference changed, which the database must take in before anybody asks.
    pub(super) moved: bool,
}

impl Core {
    pub(super) fn new(
        place: Place,
        limits: Limits,
        log: Option<Log>,
        layers: Layers,
        newest: Newest,
        metrics: Option<Arc<Metrics>>,
    ) -> Self {
        let writer = Writer { newest, quick: 0, spare: None, buffer: Vec::new(), entities: Vec::new(), log };
        Self {
            readers: Readers::new(place.clone(), limits.readers_max),
            asked: Inbox::new(limits.queue_max),
            at_once: Pending {
                batches: limits.apply_batches.max(1),
                held_bytes: limits.apply_held_bytes,
                log_bytes: limits.apply_log_bytes,
            },
            layers: RwLock::new(layers),
            desk: Mutex::default(),
            // In memory there is no disk to wait for.
            is_quick: AtomicBool::new(writer.log.is_none()),
            writer: Mutex::new(writer),
            metrics,
            place,
            limits,
        }
    }

    /// What is acknowledged and not in the database. Whoever finds nothing here looks there afterwards, not before.
    pub(super) fn layers(&self) -> RwLockReadGuard<'_, Layers> {
        self.layers.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn layers_mut(&self) -> RwLockWriteGuard<'_, Layers> {
        self.layers.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which tasks may be done next, and who does which.
    pub(super) fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A task of this lane is due earlier.
    pub(super) fn hastened(&self, lane: &LaneKey) {
        let mut desk = self.desk();
        desk.touch(lane);
        desk.signal(lane.1);
    }

    /// Waits until nobody else writes.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where a defect ended an earlier writer in the middle of its work: what is known may be
    /// wrong then, and only what the log has is right.
    pub(super) fn writer(&self) -> Result<MutexGuard<'_, Writer>, StoreError> {
        self.writer.lock().map_err(|_| StoreError::Failed("a defect ended the store; start again".to_owned()))
    }

    /// `None` where another one writes for longer than a short while.
    fn free_writer(&self) -> Option<MutexGuard<'_, Writer>> {
        for _ in 0..LOOKS_MAX {
            match self.writer.try_lock() {
                Ok(writer) => return Some(writer),
                Err(TryLockError::Poisoned(_)) => return None,
                Err(TryLockError::WouldBlock) => std::hint::spin_loop(),
            }
        }
        None
    }

    /// From here on the database must take in what is pending before more comes.
    fn most(&self) -> Pending {
        Pending {
            batches: self.at_once.batches.saturating_mul(PENDING_TIMES_MAX),
            held_bytes: self.at_once.held_bytes.saturating_mul(PENDING_TIMES_MAX),
            log_bytes: self.at_once.log_bytes.saturating_mul(PENDING_TIMES_MAX as u64),
        }
    }

    /// Whether as much is pending as may be.
    pub(super) fn is_full(&self) -> bool {
        self.layers().pending.reaches(self.most())
    }

    /// Whether there is enough for the database to take in.
    pub(super) fn is_due(&self) -> bool {
        self.layers().pending.reaches(self.at_once)
    }

    /// Commits a batch on the caller's thread, or gives it back: then only the store's thread can do it without
    /// keeping the caller's waiting.
    pub(super) fn commit_here(&self, batch: Batch) -> Result<Result<(), StoreError>, Batch> {
        if !self.is_quick.load(Ordering::Relaxed) {
            return Err(batch);
        }
        let Some(mut writer) = self.free_writer() else { return Err(batch) };
        let layers = self.layers();
        if layers.pending.reaches(self.most()) || !writer.newest.suffices(&layers, &batch) {
            return Err(batch);
        }
        drop(layers);
        let result = self.commit(&mut writer, [batch], None);
        Ok(result.and_then(|written| written.results.into_iter().next().unwrap_or(Ok(()))))
    }

    /// Commits a group, and tells metrics and log of it.
    pub(super) fn commit(
        &self,
        writer: &mut Writer,
        group: impl IntoIterator<Item = Batch, IntoIter: ExactSizeIterator>,
        db: Option<&Connection>,
    ) -> Result<Written, StoreError> {
        #[expect(clippy::disallowed_methods, reason = "how long a commit takes, for the metrics")]
        let started = Instant::now();
        let group = group.into_iter();
        let batches = group.len();
        let outcome = self.write(writer, group, db, false);
        if let Some(metrics) = &self.metrics {
            metrics.store_commit(batches, outcome.is_ok(), started.elapsed());
        }
        if let Err(error) = &outcome {
            self.is_quick.store(false, Ordering::Relaxed);
            tracing::error!(%error, batches, "the store did not commit");
        }
        outcome
    }

    /// What became of each batch of a group, once all that fit are on disk. Those that are decided are what it was
    /// already, elsewhere in the log, and need not be asked whether they fit.
    pub(super) fn write(
        &self,
        writer: &mut Writer,
        group: impl Iterator<Item = Batch>,
        db: Option<&Connection>,
        is_decided: bool,
    ) -> Result<Written, StoreError> {
        let Writer { log, newest, quick, spare, buffer, entities } = writer;
        let layers = self.layers();
        let overlays = spare.take().unwrap_or_default();
        let mut stage = Stage::new(overlays, &layers, db, newest, is_decided).with_desk(&self.desk);
        let (mut results, mut more) = (Vec::with_capacity(group.size_hint().0), Pending::default());
        buffer.clear();
        let at = log.as_mut().map(|log| log.begin(buffer));
        for batch in group {
            let before = buffer.len();
            entities.clear();
            record::write(&batch, buffer, entities);
            let result = stage.add(batch, &spots(at, 0, entities));
            if result.is_ok() {
                more.add(size(buffer.len() - before, entities));
            } else {
                buffer.truncate(before);
            }
            results.push(result);
        }
        let (mut staged, batch) = stage.end();
        drop(layers);
        let moved = staged.moved;
        if more.batches > 0 {
            if let Some(log) = log {
                let synced = log.append(buffer, Duration::from_micros(self.limits.quick_us))?;
                self.learn(quick, synced);
            }
            let mut layers = self.layers_mut();
            let (was_empty, was_due) = (layers.is_empty(), layers.pending.reaches(self.at_once));
            if !staged.agenda.is_empty() {
                self.desk().follow(&staged.agenda);
            }
            let freed_bytes = layers.current.take(&mut staged);
            layers.pending.add(more);
            layers.pending.free(freed_bytes);
            let is_due = layers.pending.reaches(self.at_once);
            drop(layers);
            if was_empty || (is_due && !was_due) {
                // A queue that is full has the thread look soon enough.
                let _ = self.asked.push(Ask::Look);
            }
        }
        *spare = Some((staged, batch));
        Ok(Written { results, moved })
    }

    /// Takes from an fsync whether the next ones may be on the caller's thread.
    fn learn(&self, quick: &mut u8, synced: Duration) {
        let is_quick = synced <= Duration::from_micros(self.limits.quick_us);
        *quick = if is_quick { quick.saturating_add(1) } else { 0 };
        if !is_quick || *quick == QUICK_MIN {
            self.is_quick.store(is_quick, Ordering::Relaxed);
        }
    }

    /// Sets apart what the database takes in next: what it could not take in before, or all that came since; `None`
    /// where nothing did.
    pub(super) fn freeze(&self) -> Result<Option<Arc<Frozen>>, StoreError> {
        // Nobody writes: the log ends with the last of it.
        let writer = self.writer()?;
        let mut layers = self.layers_mut();
        if layers.frozen.is_none() && layers.pending.batches > 0 {
            let overlay = std::mem::take(&mut layers.current);
            layers.pending = Pending::default();
            let (end, generation) = (writer.log.as_ref().map(Log::end), self.desk().freeze());
            layers.frozen = Some(Arc::new(Frozen { overlay, end, generation }));
        }
        Ok(layers.frozen.clone())
    }

    /// The database has taken in what was set apart.
    pub(super) fn thaw(&self, frozen: &Frozen) -> Result<(), StoreError> {
        let mut writer = self.writer()?;
        writer.newest.raise(&frozen.overlay);
        let mut layers = self.layers_mut();
        layers.frozen = None;
        self.desk().thaw(frozen.generation, !frozen.overlay.agenda.is_empty());
        Ok(())
    }
}

/// How much a batch of so many bytes adds to what is pending.
fn size(bytes: usize, entities: &[Option<Range<usize>>]) -> Pending {
    let (mut held_bytes, entities) = (bytes, entities.iter().flatten());
    for entity in entities {
        held_bytes = held_bytes.saturating_sub(entity.len()) + HELD_BYTES;
    }
    Pending { batches: 1, held_bytes, log_bytes: bytes as u64 }
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

/// Records of the log as what they make of the store, read at start.
pub(super) struct Replay<'c> {
    pub(super) layers: Layers,
    pub(super) newest: Newest,
    db: &'c Connection,
}

impl<'c> Replay<'c> {
    pub(super) fn new(db: &'c Connection) -> Result<Self, StoreError> {
        let newest = Newest::after(tasks::last(db)?);
        Ok(Self { layers: Layers::default(), newest, db })
    }

    /// Adds the record that ends there.
    pub(super) fn add(&mut self, mut payload: bytes::Bytes, end: Position) -> Result<(), StoreError> {
        let foreign = || StoreError::Open("the log holds what this version of Segue cannot read".to_owned());
        let payload_bytes = payload.len();
        let at = Position { start_bytes: end.start_bytes - payload_bytes as u64, ..end };
        while !payload.is_empty() {
            let (before, mut entities) = (payload_bytes - payload.len(), Vec::new());
            let batch = record::read(&mut payload, &mut entities).ok_or_else(foreign)?;
            let bytes = payload_bytes - payload.len() - before;
            let empty = Overlays::default();
            let mut stage = Stage::new(empty, &self.layers, Some(self.db), &mut self.newest, true);
            stage.add(batch, &spots(Some(at), before as u64, &entities))?;
            let (mut staged, _) = stage.end();
            let freed_bytes = self.layers.current.take(&mut staged);
            self.layers.pending.add(size(bytes, &entities));
            self.layers.pending.free(freed_bytes);
        }
        Ok(())
    }
}
