//! The PostgreSQL adapter: one database, which several instances share.
//!
//! One connection commits: what waits becomes one transaction (see `commit`). Others read beside it and lend tasks. Leases
//! are columns with an end, so that what a killed instance had is taken over. Which task of a lane is the first is decided
//! under a lock of the lane that lasts as long as the transaction.

mod change;
mod commit;
mod connect;
mod pool;
mod read;
mod retire;
mod schema;
mod tasks;

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use rustls::ClientConfig;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_postgres::{Row, types::FromSql};

use self::{
    commit::{Committer, Job, Session},
    connect::Connector,
    pool::Pool,
};
use super::{
    Batch, Bookmark, CLAIM_TASKS_MAX, Entity, Holding, IdempotencyKey, JournalEntry, KeyPair, Kind, Lease,
    ListFilter, Page, Queue, Remembered, Retired, Retirement, Sizes, StoreError, Task, TaskPage,
};
use crate::{
    ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId, TaskId},
    telemetry::{Metrics, Secret},
};

/// Where the database is, and how much is asked of it.
#[derive(Clone)]
pub struct Settings {
    /// `postgresql://user:password@host/database`, or the same as `key=value` pairs.
    pub url: Secret,
    /// TLS to the server, which is then required; `None`: none.
    pub tls: Option<Arc<ClientConfig>>,
    /// Most connections that read, beside the one that commits.
    pub connections_max: usize,
    /// How long connecting may take.
    pub connect_max: Duration,
    /// How long one statement may take; the server ends it.
    pub statement_max: Duration,
    /// Most batches waiting to be committed; one more is refused at once.
    pub queue_max: usize,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settings")
    }
}

/// The handle. Cheap to clone; connections are closed when the last clone is gone.
#[derive(Clone)]
pub(super) struct Postgres {
    jobs: mpsc::Sender<Job>,
    pool: Arc<Pool>,
    bells: Bells,
}

/// Tells this instance's workers of what it changed.
#[derive(Clone)]
struct Bells(Arc<[watch::Sender<u64>; 5]>);

impl Bells {
    /// Tells of a batch that was committed.
    fn ring(&self, batch: &Batch) {
        for queue in commit::queues(batch) {
            match queue {
                Some(queue) => self.ring_one(queue),
                None => Queue::ALL.into_iter().for_each(|queue| self.ring_one(queue)),
            }
        }
    }

    fn ring_one(&self, queue: Queue) {
        if let Some(bell) = self.0.get(queue.index()) {
            bell.send_modify(|times| *times = times.wrapping_add(1));
        }
    }
}

/// What the database said, for operators: never the values that it was about.
fn failed(error: &tokio_postgres::Error) -> StoreError {
    StoreError::Failed(match error.as_db_error() {
        Some(told) => format!("the database: {} ({})", told.message(), told.code().code()),
        None => format!("the database: {error}"),
    })
}

/// A column.
fn get<'r, T: FromSql<'r>>(row: &'r Row, at: usize) -> Result<T, StoreError> {
    row.try_get(at).map_err(|error| failed(&error))
}

/// PostgreSQL's integers have a sign.
fn signed(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Failed("a number beyond 63 bits".to_owned()))
}

impl Postgres {
    pub(super) async fn open(settings: &Settings, metrics: Option<Arc<Metrics>>) -> Result<Self, StoreError> {
        let connector = Arc::new(Connector::new(settings)?);
        let cannot = |error: StoreError| match error {
            StoreError::Failed(text) => StoreError::Open(text),
            other => other,
        };
        let first = connector.connect(connect::Role::Commits).await.map_err(cannot)?;
        schema::migrate(&first).await?;
        drop(first);
        let session = Session::open(&connector).await.map_err(cannot)?;
        let bell = || watch::Sender::new(0);
        let bells = Bells(Arc::new([bell(), bell(), bell(), bell(), bell()]));
        let (jobs, waiting) = mpsc::channel(settings.queue_max.max(1));
        let committer = Committer {
            connector: Arc::clone(&connector),
            metrics,
            bells: bells.clone(),
            transaction_max: settings.statement_max,
            session: Some(session),
        };
        tokio::spawn(committer.run(waiting));
        Ok(Self { jobs, pool: Arc::new(Pool::new(connector, settings.connections_max)), bells })
    }

    fn ask(&self, job: Job) -> Result<(), StoreError> {
        self.jobs.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Failed("the store's task is gone".to_owned()),
        })
    }

    pub async fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let (tell, told) = oneshot::channel();
        self.ask(Job::Commit(batch, tell))?;
        told.await.unwrap_or_else(|_| Err(StoreError::Unknown("the store's task is gone".to_owned())))
    }

    pub async fn entity(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        id: &SonataId,
    ) -> Result<Option<Entity>, StoreError> {
        Ok(self.entities(partner, kind, vec![id.clone()]).await?.remove(id))
    }

    pub async fn entities(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        wanted: Vec<SonataId>,
    ) -> Result<HashMap<SonataId, Entity>, StoreError> {
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        read::entities(&*self.pool.get().await?, partner, kind, &wanted).await
    }

    pub async fn list(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        filter: ListFilter,
    ) -> Result<Page, StoreError> {
        read::list(&*self.pool.get().await?, partner, kind, &filter).await
    }

    pub async fn to_legacy(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        wanted: Vec<(Kind, SonataId)>,
    ) -> Result<HashMap<(Kind, SonataId), LegacyId>, StoreError> {
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        read::to_legacy(&*self.pool.get().await?, partner, backend, &wanted).await
    }

    pub async fn to_sonata(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        wanted: Vec<(Kind, LegacyId)>,
    ) -> Result<HashMap<(Kind, LegacyId), SonataId>, StoreError> {
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        read::to_sonata(&*self.pool.get().await?, partner, backend, &wanted).await
    }

    pub async fn holders(
        &self,
        backend: &BackendId,
        wanted: Vec<(Kind, LegacyId)>,
    ) -> Result<HashSet<Holding>, StoreError> {
        if wanted.is_empty() {
            return Ok(HashSet::new());
        }
        read::holders(&*self.pool.get().await?, backend, &wanted).await
    }

    pub async fn keys(
        &self,
        partner: &PartnerId,
        kind: &Kind,
        id: &SonataId,
    ) -> Result<Vec<KeyPair>, StoreError> {
        read::keys(&*self.pool.get().await?, partner, kind, id).await
    }

    pub async fn idempotency(
        &self,
        partner: &PartnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Remembered>, StoreError> {
        read::idempotency(&*self.pool.get().await?, partner, key).await
    }

    pub async fn journal(
        &self,
        partner: &PartnerId,
        exchange: &ExchangeId,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        read::journal(&*self.pool.get().await?, partner, exchange).await
    }

    pub async fn unfinished(
        &self,
        partner: &PartnerId,
        before_ms: i64,
        limit: u32,
    ) -> Result<Vec<ExchangeId>, StoreError> {
        read::unfinished(&*self.pool.get().await?, partner, before_ms, limit).await
    }

    pub async fn forget(
        &self,
        journal_before_ms: i64,
        idempotency_before_ms: i64,
        dead_before_ms: i64,
    ) -> Result<usize, StoreError> {
        read::forget(&*self.pool.get().await?, journal_before_ms, idempotency_before_ms, dead_before_ms).await
    }

    pub async fn retire(
        &self,
        rules: Arc<[Retirement]>,
        from: Option<Bookmark>,
        limit: usize,
    ) -> Result<Retired, StoreError> {
        retire::step(&*self.pool.get().await?, &rules, from, limit).await
    }

    pub async fn sizes(&self, entities: bool) -> Result<Sizes, StoreError> {
        read::sizes(&*self.pool.get().await?, entities).await
    }

    pub async fn probe(&self) -> Result<(), StoreError> {
        let partner = PartnerId::parse("probe").map_err(|error| StoreError::Failed(error.to_string()))?;
        self.commit(Batch::new(partner)).await
    }

    pub async fn flush(&self) {
        let (tell, told) = oneshot::channel();
        if let Err(error) = self.ask(Job::Fence(tell)) {
            tracing::warn!(%error, "it cannot be waited for what the store was asked");
            return;
        }
        let _ = told.await;
    }

    pub async fn claim(
        &self,
        queue: Queue,
        now_ms: i64,
        lease_ms: i64,
        limit: usize,
    ) -> Result<Vec<(Lease, Task)>, StoreError> {
        let limit = limit.min(CLAIM_TASKS_MAX);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let until_ms = now_ms.saturating_add(lease_ms);
        tasks::claim(&*self.pool.get().await?, queue, (now_ms, until_ms), limit).await
    }

    pub async fn release(&self, leases: Vec<Lease>) {
        let released = async { tasks::release(&*self.pool.get().await?, &leases).await };
        if let Err(error) = released.await {
            tracing::warn!(%error, "tasks that nobody does stay lent until their leases end");
        }
        for queue in leases.iter().filter_map(|lease| lease.queue) {
            self.bells.ring_one(queue);
        }
    }

    pub async fn next_due(&self, queue: Queue) -> Result<Option<i64>, StoreError> {
        tasks::next_due(&*self.pool.get().await?, queue).await
    }

    pub fn wake(&self, queue: Queue) -> watch::Receiver<u64> {
        match self.bells.0.get(queue.index()) {
            Some(bell) => bell.subscribe(),
            None => watch::channel(0).1,
        }
    }

    pub async fn tasks(
        &self,
        partner: &PartnerId,
        queue: Queue,
        is_dead: bool,
        window: (u64, u64),
    ) -> Result<TaskPage, StoreError> {
        tasks::page(&*self.pool.get().await?, partner, queue, is_dead, window).await
    }

    pub async fn hasten(
        &self,
        partner: &PartnerId,
        wanted: Vec<TaskId>,
        due_ms: i64,
    ) -> Result<(), StoreError> {
        for queue in tasks::hasten(&*self.pool.get().await?, partner, &wanted, due_ms).await? {
            self.bells.ring_one(queue);
        }
        Ok(())
    }
}
