//! The handle that everyone holds.

use std::{collections::HashMap, path::Path, sync::Arc, thread};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    Batch, Entity, IdempotencyKey, JournalEntry, KeyPair, Kind, ListFilter, Page, Remembered, StoreError,
    committer::{Committer, Job},
    open::Place,
    read,
    readers::Readers,
    write,
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { queue_max: 4096, readers_max: 4 }
    }
}

/// The embedded store. Cheap to clone; the file is closed when the last clone is gone.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    /// `None` in memory, where only the committer's connection sees the rows.
    readers: Option<Arc<Readers>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
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
        let connection = place.writer()?;
        let (jobs, queue) = mpsc::channel(limits.queue_max.max(1));
        let readers = matches!(place, Place::File(_))
            .then(|| Arc::new(Readers::new(place.clone(), limits.readers_max)));
        let committer = Committer::new(place, connection, queue, metrics);
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || committer.run())
            .map_err(|error| StoreError::Open(error.to_string()))?;
        Ok(Self { jobs, readers })
    }

    /// Does all changes of the batch or none, and returns when they are on disk.
    ///
    /// # Errors
    /// After [`StoreError::Conflict`], [`StoreError::Overloaded`] and [`StoreError::Failed`] nothing was done;
    /// after [`StoreError::Unknown`] only reading tells. A caller that stops waiting does not stop the commit.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        self.jobs.try_send(Job::Commit(batch, tell)).map_err(refused)?;
        told.await.unwrap_or_else(|_| Err(StoreError::Unknown("the store's thread is gone".to_owned())))
    }

    /// One entity.
    ///
    /// # Errors
    /// [`StoreError::Failed`] or [`StoreError::Overloaded`].
    pub async fn entity(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        id: &SonataId,
    ) -> Result<Option<Entity>, StoreError> {
        let (partner, kind, id) = (partner.clone(), kind.clone(), id.clone());
        self.read(move |db| read::entity(db, &partner, &kind, &id)).await
    }

    /// One page of the entities of a kind, oldest first.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn list(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        filter: ListFilter,
    ) -> Result<Page, StoreError> {
        let (partner, kind) = (partner.clone(), kind.clone());
        self.read(move |db| read::list(db, &partner, &kind, &filter)).await
    }

    /// The legacy ids of many entities at once; what this partner does not have is missing from the map.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn to_legacy(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        wanted: Vec<(Kind, SonataId)>,
    ) -> Result<HashMap<(Kind, SonataId), LegacyId>, StoreError> {
        let (partner, backend) = (partner.clone(), backend.clone());
        self.read(move |db| {
            let mut found = HashMap::with_capacity(wanted.len());
            for (kind, id) in wanted {
                let row = [partner.as_str(), backend.as_str(), kind.as_str(), id.as_str()];
                if let Some(legacy) = read::legacy_id(db, row)? {
                    found.insert((kind, id), legacy);
                }
            }
            Ok(found)
        })
        .await
    }

    /// The Sonata ids of many legacy ids at once; what this partner does not have is missing from the map.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn to_sonata(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        wanted: Vec<(Kind, LegacyId)>,
    ) -> Result<HashMap<(Kind, LegacyId), SonataId>, StoreError> {
        let (partner, backend) = (partner.clone(), backend.clone());
        self.read(move |db| {
            let mut found = HashMap::with_capacity(wanted.len());
            for (kind, id) in wanted {
                let row = [partner.as_str(), backend.as_str(), kind.as_str(), id.as_str()];
                if let Some(sonata) = read::sonata_id(db, row)? {
                    found.insert((kind, id), sonata);
                }
            }
            Ok(found)
        })
        .await
    }

    /// The remembered key pairs of an entity's elements.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn keys(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        id: &SonataId,
    ) -> Result<Vec<KeyPair>, StoreError> {
        let (partner, kind, id) = (partner.clone(), kind.clone(), id.clone());
        self.read(move |db| read::keys(db, &partner, &kind, &id)).await
    }

    /// What is kept under an idempotency key.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn idempotency(
        &self,
        partner: &PartnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Remembered>, StoreError> {
        let (partner, key) = (partner.clone(), key.clone());
        self.read(move |db| read::idempotency(db, &partner, &key)).await
    }

    /// The steps of one exchange, in order.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn journal(
        &self,
        partner: &PartnerId,
        exchange: &ExchangeId,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        let (partner, exchange) = (partner.clone(), exchange.clone());
        self.read(move |db| read::journal(db, &partner, &exchange)).await
    }

    /// Exchanges that meant to change something before `before_ms` and never came to a [`Step::Done`] of the
    /// whole exchange (a `call` that is empty): at most `limit`, oldest first. They need attention.
    ///
    /// [`Step::Done`]: super::Step::Done
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn unfinished(
        &self,
        partner: &PartnerId,
        before_ms: i64,
        limit: u32,
    ) -> Result<Vec<ExchangeId>, StoreError> {
        let partner = partner.clone();
        self.read(move |db| read::unfinished(db, &partner, before_ms, limit)).await
    }

    /// Housekeeping over all partners: forgets journals of exchanges that were done before the first time and
    /// idempotency keys taken before the second. Returns the number of rows.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn forget(
        &self,
        journal_before_ms: i64,
        idempotency_before_ms: i64,
    ) -> Result<usize, StoreError> {
        self.work(move |db| write::forget(db, journal_before_ms, idempotency_before_ms)).await
    }

    /// Returns when everything that was asked before is done.
    pub async fn flush(&self) {
        let (tell, told) = oneshot::channel();
        if self.jobs.send(Job::Flush(tell)).await.is_ok() {
            let _ = told.await;
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.readers {
            Some(readers) => readers.read(query).await,
            None => self.work(query).await,
        }
    }

    /// Runs on the committer's own connection.
    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = oneshot::channel();
        let job = Job::Work(Box::new(move |connection| {
            let _ = tell.send(connection.and_then(work));
        }));
        self.jobs.try_send(job).map_err(refused)?;
        told.await.unwrap_or_else(|_| Err(StoreError::Failed("the store's thread is gone".to_owned())))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in `map_err`")]
fn refused(error: mpsc::error::TrySendError<Job>) -> StoreError {
    match error {
        mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
        mpsc::error::TrySendError::Closed(_) => StoreError::Failed("the store's thread is gone".to_owned()),
    }
}
