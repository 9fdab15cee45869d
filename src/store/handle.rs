//! The handle that everyone holds, whatever is behind it.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use tokio::sync::watch;

use super::{
    Batch, Bookmark, Entity, Holding, IdempotencyKey, JournalEntry, KeyPair, Kind, Lease, ListFilter, Page,
    PostgresSettings, Queue, Remembered, Retired, Retirement, Sizes, StoreError, Task, TaskPage,
    embedded::{Embedded, Limits},
    postgres::Postgres,
};
use crate::{
    ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId, TaskId},
    telemetry::Metrics,
};

/// The store. Cheap to clone; what is behind it is closed when the last clone is gone.
#[derive(Clone)]
pub struct Store(Adapter);

#[derive(Clone)]
enum Adapter {
    Embedded(Embedded),
    Postgres(Postgres),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// Asks the adapter, whichever it is. What waits for PostgreSQL is large and stands apart: else whoever waits for either
/// would have room for it, and be moved with that.
macro_rules! both {
    ($self:ident, $store:ident => $call:expr) => {
        match &$self.0 {
            Adapter::Embedded($store) => $call.await,
            Adapter::Postgres($store) => Box::pin($call).await,
        }
    };
}

impl Store {
    /// Opens the file of the embedded store, creating it and its folder where they are missing, and brings it up to
    /// date.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the file cannot be used.
    pub fn open(path: &Path, limits: Limits, metrics: Option<Arc<Metrics>>) -> Result<Self, StoreError> {
        Embedded::open(path, limits, metrics).map(Adapter::Embedded).map(Self)
    }

    /// Opens a PostgreSQL database, which other instances may share, and brings its tables up to date; two instances that
    /// start at once do so one after the other. Must be called within the runtime that serves.
    ///
    /// # Errors
    /// [`StoreError::Open`] when the database cannot be reached or used.
    pub async fn postgres(
        settings: &PostgresSettings,
        metrics: Option<Arc<Metrics>>,
    ) -> Result<Self, StoreError> {
        Postgres::open(settings, metrics).await.map(Adapter::Postgres).map(Self)
    }

    /// An embedded store without a file, for tests and benches: what it acknowledges does not outlive it.
    ///
    /// # Errors
    /// [`StoreError::Open`] when there is no memory or no thread for it.
    pub fn memory() -> Result<Self, StoreError> {
        Embedded::memory().map(Adapter::Embedded).map(Self)
    }

    #[cfg(test)]
    pub(super) fn embedded(&self) -> Option<&Embedded> {
        match &self.0 {
            Adapter::Embedded(store) => Some(store),
            Adapter::Postgres(_) => None,
        }
    }

    /// Does all changes of the batch or none, and returns when they are on disk.
    ///
    /// # Errors
    /// After [`StoreError::Conflict`], [`StoreError::Overloaded`] and [`StoreError::Failed`] nothing was done;
    /// after [`StoreError::Unknown`] only reading tells. A caller that stops waiting does not stop the commit.
    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        both!(self, store => store.commit(batch))
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
        both!(self, store => store.entity(partner, kind, id))
    }

    /// Many entities of a kind at once; what this partner does not have is missing from the map.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn entities(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        wanted: Vec<SonataId>,
    ) -> Result<HashMap<SonataId, Entity>, StoreError> {
        both!(self, store => store.entities(partner, kind, wanted))
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
        both!(self, store => store.list(partner, kind, filter))
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
        both!(self, store => store.to_legacy(partner, backend, wanted))
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
        both!(self, store => store.to_sonata(partner, backend, wanted))
    }

    /// Which partners have entities by these ids of a legacy system, whoever they are: what a legacy system says by itself
    /// names no partner. It may name some whose entity has another legacy id by now, and never leaves one out; what is
    /// read of an entity afterwards is read as its partner's, as everywhere.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn holders(
        &self,
        backend: &BackendId,
        wanted: Vec<(Kind, LegacyId)>,
    ) -> Result<HashSet<Holding>, StoreError> {
        both!(self, store => store.holders(backend, wanted))
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
        both!(self, store => store.keys(partner, kind, id))
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
        both!(self, store => store.idempotency(partner, key))
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
        both!(self, store => store.journal(partner, exchange))
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
        both!(self, store => store.unfinished(partner, before_ms, limit))
    }

    /// Housekeeping over all partners: forgets journals of exchanges that were done before the first time and
    /// idempotency keys taken before the second, and dead letters buried before the third; some thousand rows at most, so
    /// that nobody waits long. Returns the number of rows: 0 where nothing is left.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn forget(
        &self,
        journal_before_ms: i64,
        idempotency_before_ms: i64,
        dead_before_ms: i64,
    ) -> Result<usize, StoreError> {
        both!(self, store => store.forget(journal_before_ms, idempotency_before_ms, dead_before_ms))
    }

    /// One step of a walk over what ended long ago, of all partners: looks at up to `limit` entities from `from` on (`None`:
    /// the first step) and removes those that nothing needs any more (see [`Retirement`]). A kind without a rule stays,
    /// and so does what belongs to one of it.
    ///
    /// # Errors
    /// As [`Store::entity`]; nothing was removed by this step then.
    pub async fn retire(
        &self,
        rules: Arc<[Retirement]>,
        from: Option<Bookmark>,
        limit: usize,
    ) -> Result<Retired, StoreError> {
        both!(self, store => store.retire(rules, from, limit))
    }

    /// How much there is; entities are counted only where they are asked for, since that reads an index from end to end.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn sizes(&self, entities: bool) -> Result<Sizes, StoreError> {
        both!(self, store => store.sizes(entities))
    }

    /// Whether a change can be acknowledged now: one that changes nothing goes the way of all others, to the disk.
    ///
    /// # Errors
    /// As [`Store::commit`].
    pub async fn probe(&self) -> Result<(), StoreError> {
        both!(self, store => store.probe())
    }

    /// Returns when everything that was asked before is done and in the database.
    pub async fn flush(&self) {
        both!(self, store => store.flush());
    }

    /// Lends up to `limit` tasks of all partners that are due at `now_ms` and that nobody does, the earliest first; at
    /// most `CLAIM_TASKS_MAX`. Of each lane it is the first open one. Whoever has it must settle, postpone or bury it
    /// within `lease_ms`, or another may get it.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn claim(
        &self,
        queue: Queue,
        now_ms: i64,
        lease_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Lease, Task)>, StoreError> {
        both!(self, store => store.claim(queue, now_ms, lease_ms, limit))
    }

    /// Gives tasks back about which nothing was done: another may have them at once.
    pub async fn release(&self, leases: Vec<Lease>) {
        match &self.0 {
            Adapter::Embedded(store) => store.release(&leases),
            Adapter::Postgres(store) => store.release(leases).await,
        }
    }

    /// When [`Store::claim`] may next find something, in milliseconds since 1970: a task is due or a lease ends. It may
    /// be too early, where what waited is gone, and never is too late. `None` where nothing waits.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn next_due(&self, queue: Queue) -> Result<Option<i64>, StoreError> {
        both!(self, store => store.next_due(queue))
    }

    /// Changes whenever something in a queue did: what was scheduled, settled or given back. Taken before
    /// [`Store::claim`] is called, it misses nothing that is due within [`super::LOOK_MS_MAX`].
    pub fn wake(&self, queue: Queue) -> watch::Receiver<u64> {
        match &self.0 {
            Adapter::Embedded(store) => store.wake(queue),
            Adapter::Postgres(store) => store.wake(queue),
        }
    }

    /// One page of a partner's tasks in a queue: those that are open by when they are due, or those that are buried by
    /// when they were.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn tasks(
        &self,
        partner: &PartnerId,
        queue: Queue,
        is_dead: bool,
        window: (u64, u64),
    ) -> Result<TaskPage, StoreError> {
        both!(self, store => store.tasks(partner, queue, is_dead, window))
    }

    /// Makes open tasks due at `due_ms` that would be due later; those that somebody does or that are gone stay as they
    /// are. This alone is not kept: after a sudden end they may be due when they were.
    ///
    /// # Errors
    /// As [`Store::entity`].
    pub async fn hasten(
        &self,
        partner: &PartnerId,
        wanted: Vec<TaskId>,
        due_ms: i64,
    ) -> Result<(), StoreError> {
        both!(self, store => store.hasten(partner, wanted, due_ms))
    }
}
