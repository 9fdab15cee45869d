//! The handle that everyone holds.

mod tasks;

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    path::Path,
    sync::{Arc, RwLockReadGuard},
    thread,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    Batch, Bookmark, Entity, Holding, IdempotencyKey, JournalEntry, KeyPair, Kind, ListFilter, Page,
    Remembered, Retired, Retirement, Sizes, StoreError,
    applier::Applier,
    committer::{Committer, Job},
    core::{Ask, Core, Work},
    inbox::Inbox,
    open::Place,
    overlay::{Layers, Staged, remember},
    read, retire, write,
};
use crate::{
    ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId},
    telemetry::Metrics,
};

/// Limits of one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most batches waiting for the committer; one more is refused at once.
    pub queue_max: usize,
    /// Most reads at once.
    pub readers_max: usize,
    /// Batches that are acknowledged before the database takes them in, all at once. Where it is late, up to four
    /// times as many are set apart for it, and as many again may come.
    pub apply_batches: usize,
    /// The same in bytes of memory, about: batches are held there without their documents.
    pub apply_held_bytes: usize,
    /// The same in bytes of the log, which are read again after a sudden end.
    pub apply_log_bytes: u64,
    /// How long nothing must have come before the database takes in what is left, in milliseconds; where more keeps
    /// coming, twenty times as long.
    pub apply_idle_ms: u64,
    /// An fsync within this keeps nobody waiting, in microseconds: where several in a row were so, callers commit by
    /// themselves.
    pub quick_us: u64,
    /// Bytes of one of the files of the log; one record may begin before this and end after it.
    pub segment_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_max: 4096,
            readers_max: 4,
            apply_batches: 4096,
            apply_held_bytes: 8 * 1024 * 1024,
            apply_log_bytes: 64 * 1024 * 1024,
            apply_idle_ms: 200,
            quick_us: 30,
            segment_bytes: 16 * 1024 * 1024,
        }
    }
}

/// The embedded store. Cheap to clone; the file is closed when the last clone is gone.
#[derive(Clone)]
pub struct Embedded {
    shared: Arc<Shared>,
}

/// What the handles share. The threads end once the last handle has dropped it.
struct Shared {
    core: Arc<Core>,
    /// What waits for the thread that commits.
    queue: Arc<Inbox<Job>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Embedded {
    /// Opens the file, creating it and its folder where they are missing, and brings it up to date.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the file cannot be used.
    pub fn open(path: &Path, limits: Limits, metrics: Option<Arc<Metrics>>) -> Result<Self, StoreError> {
        Self::start(Place::File(path.to_owned()), limits, metrics)
    }

    /// A store without a file, for tests and benches: what it acknowledges does not outlive it.
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is no memory or no thread for it.
    pub fn memory() -> Result<Self, StoreError> {
        Self::start(Place::Memory, Limits::default(), None)
    }

    fn start(place: Place, limits: Limits, metrics: Option<Arc<Metrics>>) -> Result<Self, StoreError> {
        let applier = Applier::open(place, limits, metrics)?;
        let (core, queue) = (Arc::clone(&applier.core), Arc::new(Inbox::new(limits.queue_max)));
        let committer = Committer { core: Arc::clone(&core), queue: Arc::clone(&queue) };
        applier.start()?;
        let shared = Arc::new(Shared { core, queue });
        // Where there is no thread for it, it is dropped, which ends the other one.
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| StoreError::Open(error.to_string()))?;
        Ok(Self { shared })
    }

    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let batch = match self.shared.core.commit_here(batch) {
            Ok(result) => return result,
            Err(batch) => batch,
        };
        let (tell, told) = oneshot::channel();
        self.shared.queue.push(Job::Commit(batch, tell))?;
        told.await.unwrap_or_else(|_| Err(StoreError::Unknown("the store's thread is gone".to_owned())))
    }

    #[cfg(test)]
    pub(super) fn shared_core(&self) -> &Core {
        &self.shared.core
    }

    /// What is acknowledged and not in the database. Whoever finds nothing here looks there afterwards, not before.
    fn layers(&self) -> RwLockReadGuard<'_, Layers> {
        self.shared.core.layers()
    }

    pub async fn entity(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        id: &SonataId,
    ) -> Result<Option<Entity>, StoreError> {
        let near = self.layers().entity(&(partner.clone(), kind.clone(), id.clone())).cloned();
        let near = match near {
            Some(Staged { entity, spot: None, .. }) => return Ok(Some(*entity)),
            near => near,
        };
        let (partner, kind, id) = (partner.clone(), kind.clone(), id.clone());
        let place = self.shared.core.place.clone();
        self.read(move |db| read::near_or_far(db, &place, near, (&partner, &kind, &id))).await
    }

    pub async fn entities(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        wanted: Vec<SonataId>,
    ) -> Result<HashMap<SonataId, Entity>, StoreError> {
        let wanted: Vec<_> = {
            let layers = self.layers();
            let near = |id: &SonataId| layers.entity(&(partner.clone(), kind.clone(), id.clone())).cloned();
            wanted.into_iter().map(|id| (near(&id), id)).collect()
        };
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let (partner, kind) = (partner.clone(), kind.clone());
        let place = self.shared.core.place.clone();
        self.read(move |db| {
            let mut found = HashMap::with_capacity(wanted.len());
            for (near, id) in wanted {
                if let Some(entity) = read::near_or_far(db, &place, near, (&partner, &kind, &id))? {
                    found.insert(id, entity);
                }
            }
            Ok(found)
        })
        .await
    }

    pub async fn list(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        filter: ListFilter,
    ) -> Result<Page, StoreError> {
        self.applied().await?;
        let (partner, kind) = (partner.clone(), kind.clone());
        let place = self.shared.core.place.clone();
        self.read(move |db| read::list(db, &place, &partner, &kind, &filter)).await
    }

    pub async fn to_legacy(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        wanted: Vec<(Kind, SonataId)>,
    ) -> Result<HashMap<(Kind, SonataId), LegacyId>, StoreError> {
        let near = |layers: &Layers, key: &_| layers.legacy_id(key).cloned();
        self.other_ids((partner, backend), wanted, near, read::legacy_id).await
    }

    pub async fn to_sonata(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        wanted: Vec<(Kind, LegacyId)>,
    ) -> Result<HashMap<(Kind, LegacyId), SonataId>, StoreError> {
        let near = |layers: &Layers, key: &_| layers.sonata_id(key).cloned();
        self.other_ids((partner, backend), wanted, near, read::sonata_id).await
    }

    /// The other ids of entities: those that are not in the database yet are found near, the rest is read there.
    async fn other_ids<Id, Other, Far>(
        &self,
        (partner, backend): (&PartnerId, &BackendId),
        mut wanted: Vec<(Kind, Id)>,
        near: impl Fn(&Layers, &(PartnerId, BackendId, Kind, Id)) -> Option<Other>,
        far: Far,
    ) -> Result<HashMap<(Kind, Id), Other>, StoreError>
    where
        Far: Fn(&Connection, &PartnerId, &BackendId, (&Kind, &Id)) -> Result<Option<Other>, StoreError>
            + Send
            + 'static,
        Id: Clone + Eq + Hash + Send + 'static,
        Other: Send + 'static,
    {
        let mut found = HashMap::with_capacity(wanted.len());
        {
            let layers = self.layers();
            wanted.retain(|(kind, id)| {
                let key = (partner.clone(), backend.clone(), kind.clone(), id.clone());
                let other = near(&layers, &key);
                let is_far = other.is_none();
                found.extend(other.map(|other| ((key.2, key.3), other)));
                is_far
            });
        }
        if wanted.is_empty() {
            return Ok(found);
        }
        let (partner, backend) = (partner.clone(), backend.clone());
        self.read(move |db| {
            for (kind, id) in wanted {
                if let Some(other) = far(db, &partner, &backend, (&kind, &id))? {
                    found.insert((kind, id), other);
                }
            }
            Ok(found)
        })
        .await
    }

    pub async fn holders(
        &self,
        backend: &BackendId,
        wanted: Vec<(Kind, LegacyId)>,
    ) -> Result<HashSet<Holding>, StoreError> {
        if wanted.is_empty() {
            return Ok(HashSet::new());
        }
        let mut found = self.layers().holders(backend, &wanted);
        let backend = backend.clone();
        self.read(move |db| {
            for (kind, id) in wanted {
                for partner in read::holders(db, &backend, (&kind, &id))? {
                    found.insert((partner, kind.clone(), id.clone()));
                }
            }
            Ok(found)
        })
        .await
    }

    pub async fn keys(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        id: &SonataId,
    ) -> Result<Vec<KeyPair>, StoreError> {
        let newer = self.layers().keys(&(partner.clone(), kind.clone(), id.clone()));
        let (partner, kind, id) = (partner.clone(), kind.clone(), id.clone());
        let mut pairs = self.read(move |db| read::keys(db, &partner, &kind, &id)).await?;
        remember(&mut pairs, newer);
        Ok(pairs)
    }

    pub async fn idempotency(
        &self,
        partner: &PartnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Remembered>, StoreError> {
        if let Some(known) = self.layers().idempotency(&(partner.clone(), key.clone())) {
            return Ok(known.cloned());
        }
        let (partner, key) = (partner.clone(), key.clone());
        self.read(move |db| read::idempotency(db, &partner, &key)).await
    }

    pub async fn journal(
        &self,
        partner: &PartnerId,
        exchange: &ExchangeId,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        self.applied().await?;
        let (partner, exchange) = (partner.clone(), exchange.clone());
        self.read(move |db| read::journal(db, &partner, &exchange)).await
    }

    pub async fn unfinished(
        &self,
        partner: &PartnerId,
        before_ms: i64,
        limit: u32,
    ) -> Result<Vec<ExchangeId>, StoreError> {
        self.applied().await?;
        let partner = partner.clone();
        self.read(move |db| read::unfinished(db, &partner, before_ms, limit)).await
    }

    pub async fn forget(
        &self,
        journal_before_ms: i64,
        idempotency_before_ms: i64,
        dead_before_ms: i64,
    ) -> Result<usize, StoreError> {
        self.work(move |db| write::forget(db, journal_before_ms, idempotency_before_ms, dead_before_ms)).await
    }

    pub async fn retire(
        &self,
        rules: Arc<[Retirement]>,
        from: Option<Bookmark>,
        limit: usize,
    ) -> Result<Retired, StoreError> {
        self.asked(Ask::Thin, move |db| retire::step(db, &rules, from.as_ref(), limit)).await
    }

    pub async fn sizes(&self, entities: bool) -> Result<Sizes, StoreError> {
        let place = self.shared.core.place.clone();
        self.read(move |db| read::sizes(db, &place, entities)).await
    }

    pub async fn probe(&self) -> Result<(), StoreError> {
        let partner = PartnerId::parse("probe").map_err(|error| StoreError::Failed(error.to_string()))?;
        self.commit(Batch::new(partner)).await
    }

    pub async fn flush(&self) {
        if let Err(error) = self.applied().await {
            tracing::warn!(%error, "the log keeps what the database did not take in");
        }
    }

    /// Has the database take in what is acknowledged: for queries over many rows.
    async fn applied(&self) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        self.shared.queue.push(Job::Then(Ask::Flush(tell)))?;
        told.await.unwrap_or_else(|_| Err(StoreError::Failed("the store's thread is gone".to_owned())))
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.shared.core.readers.read(query).await
    }

    /// Runs on the connection that writes.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.asked(Ask::Work, work).await
    }

    async fn asked<T: Send + 'static>(
        &self,
        ask: fn(Work) -> Ask,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let work = ask(Box::new(move |connection| {
            let _ = tell.send(connection.and_then(work));
        }));
        self.shared.queue.push(Job::Then(work))?;
        told.await.unwrap_or_else(|_| Err(StoreError::Failed("the store's thread is gone".to_owned())))
    }
}
