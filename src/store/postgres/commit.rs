//! The task that commits: what waits becomes one transaction.
//!
//! All statements of a group are sent at once, and its commit once all of them did what they should. Where one did not,
//! nothing of the group has happened, and each batch is tried alone: those that fit are committed, the others know why.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, timeout, timeout_at},
};
use tokio_postgres::error::SqlState;

use super::{
    super::{Batch, Conflict, Queue, StoreError},
    Bells,
    change::{Fault, LANES, Lanes, MARK, Sender, Statements, check, in_order},
    connect::{Connection, Connector, GRACE, Role},
    failed, get,
};
use crate::telemetry::Metrics;

/// Most batches in one transaction.
const GROUP_MAX: usize = 128;

/// Bytes of documents from which on a transaction takes no further batch.
const GROUP_BYTES: usize = 32 * 1024 * 1024;

/// Most changes in one transaction from which on it takes no further batch: each lane that it changes is a lock of the
/// server's.
const GROUP_CHANGES: usize = 1024;

/// How often a batch is tried that another instance stood in the way of.
const TRIES_MAX: usize = 8;

/// What the task is asked to do.
pub(super) enum Job {
    /// A batch, and whom to tell.
    Commit(Batch, oneshot::Sender<Result<(), StoreError>>),
    /// To tell that all before is done.
    Fence(oneshot::Sender<()>),
}

/// The task's state.
pub(super) struct Committer {
    pub(super) connector: Arc<Connector>,
    pub(super) metrics: Option<Arc<Metrics>>,
    pub(super) bells: Bells,
    /// How long one transaction may take.
    pub(super) transaction_max: Duration,
    /// `None` before the first group, and after the connection broke.
    pub(super) session: Option<Session>,
}

/// A connection with its statements.
pub(super) struct Session {
    db: Connection,
    statements: Statements,
}

impl Session {
    pub(super) async fn open(connector: &Connector) -> Result<Self, StoreError> {
        let db = connector.connect(Role::Commits).await?;
        let statements = Statements::prepare(&db).await.map_err(|error| failed(&error))?;
        Ok(Self { db, statements })
    }
}

/// What became of a transaction. But for the first and the last, nothing of it happened.
enum Tried {
    Committed,
    Conflict(Conflict),
    /// Another instance stood in the way.
    Again(StoreError),
    Failed(StoreError),
    /// The connection is gone.
    Lost(StoreError),
    /// It is gone, and the commit was sent.
    Unknown(StoreError),
}

type Waiting = (Batch, oneshot::Sender<Result<(), StoreError>>);

impl Committer {
    /// Works until every handle is gone and nothing waits.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut next = jobs.recv().await;
        while let Some(job) = next.take() {
            let (mut group, mut bytes, mut changes) = (Vec::new(), 0, 0);
            let mut fence = None;
            let mut job = Some(job);
            while let Some(one) = job.take() {
                match one {
                    Job::Fence(tell) => fence = Some(tell),
                    Job::Commit(batch, tell) => {
                        bytes += batch.document_bytes();
                        changes += batch.changes.len();
                        group.push((batch, tell));
                    }
                }
                let is_full = group.len() >= GROUP_MAX || bytes >= GROUP_BYTES || changes >= GROUP_CHANGES;
                if fence.is_none() && !is_full {
                    job = jobs.try_recv().ok();
                }
            }
            self.commit(group).await;
            if let Some(tell) = fence {
                let _ = tell.send(());
            }
            next = jobs.recv().await;
        }
    }

    async fn commit(&mut self, group: Vec<Waiting>) {
        // What cannot be asked for keeps nobody else from being committed.
        let (mut batches, mut waiting) = (Vec::with_capacity(group.len()), Vec::with_capacity(group.len()));
        for (batch, tell) in group {
            match check(&batch) {
                Ok(()) => {
                    batches.push(batch);
                    waiting.push(tell);
                }
                Err(error) => drop(tell.send(Err(error))),
            }
        }
        if batches.is_empty() {
            return;
        }
        let started = Instant::now();
        let results = self.group(&batches).await;
        let broken = results.iter().find_map(|result| match result {
            Err(StoreError::Conflict(_)) | Ok(()) => None,
            Err(error) => Some(error),
        });
        if let Some(metrics) = &self.metrics {
            metrics.store_commit(batches.len(), broken.is_none(), started.elapsed());
        }
        if let Some(error) = broken {
            tracing::error!(%error, batches = batches.len(), "the store did not commit");
        }
        for (batch, result) in batches.iter().zip(&results) {
            if result.is_ok() {
                self.bells.ring(batch);
            }
        }
        for (tell, result) in waiting.into_iter().zip(results) {
            let _ = tell.send(result);
        }
    }

    /// What became of each batch.
    async fn group(&mut self, batches: &[Batch]) -> Vec<Result<(), StoreError>> {
        let all = |error: StoreError| batches.iter().map(|_| Err(error.clone())).collect();
        match self.try_all(batches).await {
            Tried::Committed => batches.iter().map(|_| Ok(())).collect(),
            Tried::Lost(error) | Tried::Unknown(error) => all(error),
            Tried::Conflict(conflict) if batches.len() == 1 => all(conflict.into()),
            Tried::Failed(error) if batches.len() == 1 => all(error),
            Tried::Conflict(_) | Tried::Failed(_) | Tried::Again(_) => {
                let mut results = Vec::with_capacity(batches.len());
                for batch in batches {
                    results.push(self.alone(batch).await);
                }
                results
            }
        }
    }

    async fn alone(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut last = StoreError::Overloaded;
        for _ in 0..TRIES_MAX {
            match self.try_all(std::slice::from_ref(batch)).await {
                Tried::Committed => return Ok(()),
                Tried::Conflict(conflict) => return Err(conflict.into()),
                Tried::Failed(error) | Tried::Lost(error) | Tried::Unknown(error) => return Err(error),
                Tried::Again(error) => last = error,
            }
        }
        Err(last)
    }

    /// One transaction.
    async fn try_all(&mut self, batches: &[Batch]) -> Tried {
        let session = match self.session.take().filter(|session| !session.db.is_closed()) {
            Some(session) => session,
            None => match Session::open(&self.connector).await {
                Ok(session) => session,
                Err(error) => return Tried::Lost(error),
            },
        };
        let by = Instant::now() + self.transaction_max + GRACE;
        let silent = || StoreError::Failed("the database does not answer".to_owned());
        let Ok(changed) = timeout_at(by, change(&session, batches)).await else {
            // The session ends with what it began.
            return Tried::Lost(silent());
        };
        if let Err(fault) = changed {
            let rolled_back =
                timeout(self.transaction_max, session.db.client.batch_execute("ROLLBACK")).await;
            let is_whole = matches!(rolled_back, Ok(Ok(())));
            if is_whole {
                self.session = Some(session);
            }
            return match fault {
                Fault::Conflict(conflict) if is_whole => Tried::Conflict(conflict),
                Fault::Conflict(_) => Tried::Lost(silent()),
                Fault::Database(error) if !is_whole => Tried::Lost(failed(&error)),
                Fault::Database(error) if is_in_the_way(&error) => Tried::Again(failed(&error)),
                Fault::Database(error) => Tried::Failed(failed(&error)),
            };
        }
        match timeout_at(by, session.db.client.batch_execute("COMMIT")).await {
            Ok(Ok(())) => {
                self.session = Some(session);
                Tried::Committed
            }
            // The server said why it did not.
            Ok(Err(error)) if error.as_db_error().is_some() && is_in_the_way(&error) => {
                Tried::Again(failed(&error))
            }
            Ok(Err(error)) => Tried::Unknown(StoreError::Unknown(failed(&error).to_string())),
            Err(_) => Tried::Unknown(StoreError::Unknown("the database does not answer".to_owned())),
        }
    }
}

/// Whether it may do when it is tried again: another transaction was in the way.
fn is_in_the_way(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        [&SqlState::T_R_DEADLOCK_DETECTED, &SqlState::T_R_SERIALIZATION_FAILURE].contains(&code)
    })
}

/// Begins a transaction, and does all changes in it.
async fn change(session: &Session, batches: &[Batch]) -> Result<(), Fault> {
    let Session { db, statements } = session;
    let lanes = Lanes::of(batches);
    let held: Vec<i64> = if lanes.is_empty() {
        Vec::new()
    } else {
        let statement = db.prepare(LANES).await?;
        let begin = db.client.batch_execute("BEGIN");
        let [partners, queues, kinds, ids] = &lanes.subjects;
        let params: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&lanes.known, partners, queues, kinds, ids, &lanes.tasks];
        let (begun, rows) = futures_util::future::join(begin, db.client.query(&statement, &params)).await;
        begun?;
        rows?.iter().filter_map(|row| get(row, 0).ok()).collect()
    };
    let sender = Sender { db, statements, lanes: &held };
    let mark = if lanes.loses { Some(db.prepare(MARK).await?) } else { None };
    let mut asked: Vec<Asked<'_>> = Vec::new();
    if lanes.is_empty() {
        asked.push(Box::pin(async { Ok(db.client.batch_execute("BEGIN").await?) }));
    }
    for batch in batches {
        let sender = &sender;
        let send = |change| -> Asked<'_> { Box::pin(sender.change(&batch.partner, change)) };
        asked.extend(in_order(batch).map(send));
    }
    if let Some(mark) = &mark {
        asked.push(Box::pin(async { Ok(db.client.execute(mark, &[&held]).await.map(drop)?) }));
    }
    all(asked).await
}

type Asked<'a> = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

/// Waits for all, each of which is sent in its turn before any answer is waited for. The first fault is what is wrong: all
/// after it fail because of it.
async fn all(mut asked: Vec<Asked<'_>>) -> Result<(), Fault> {
    let mut first: Vec<Option<Result<(), Fault>>> = Vec::with_capacity(asked.len());
    std::future::poll_fn(|cx| {
        first.extend(asked.iter_mut().map(|one| match one.as_mut().poll(cx) {
            std::task::Poll::Ready(done) => Some(done),
            std::task::Poll::Pending => None,
        }));
        std::task::Poll::Ready(())
    })
    .await;
    let mut fault = Ok(());
    for (one, done) in asked.into_iter().zip(first) {
        let done = match done {
            Some(done) => done,
            None => one.await,
        };
        fault = match (fault, done) {
            // An error of the database ends the transaction; a conflict before it is no reason any more.
            (Err(Fault::Conflict(_)), Err(Fault::Database(error))) => Err(Fault::Database(error)),
            (Ok(()), done) => done,
            (fault, _) => fault,
        };
    }
    fault
}

/// The queues of which a batch changes tasks; `None`: it may be any.
pub(super) fn queues(batch: &Batch) -> Vec<Option<Queue>> {
    use super::super::Change;
    let queue = |change: &Change| match change {
        Change::Schedule(task) => Some(Some(task.queue)),
        Change::Unschedule { queue, .. } => Some(Some(*queue)),
        Change::Settle { lease } | Change::Postpone { lease, .. } | Change::Bury { lease, .. } => {
            Some(lease.queue)
        }
        Change::Revive { .. } => Some(None),
        _ => None,
    };
    batch.changes.iter().filter_map(queue).collect()
}
