//! Changes as statements: one each, so that those of many batches are on their way at once.

use std::borrow::Cow;

use tokio_postgres::{Statement, types::ToSql};

use super::{
    super::{
        Batch, Change, Conflict, Entity, IdempotencyKey, JournalEntry, KeyPair, Kind, Reference, StoreError,
        Task, task,
    },
    connect::Connection,
    signed,
};
use crate::ids::{BackendId, BuyerId, LegacyId, PartnerId, SellerId, SonataId};

const CREATE: &str =
    "INSERT INTO entities (partner, kind, id, buyer, seller, backend, legacy_id, parent, version,
        state, external_id, created_ms, updated_ms, document, request, legacy)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE entities SET buyer = $4, seller = $5, backend = $6, legacy_id = $7, parent = $8,
        version = $9 + 1, state = $10, external_id = $11, created_ms = $12, updated_ms = $13, document = $14,
        request = $15, legacy = $16
    WHERE partner = $1 AND kind = $2 AND id = $3 AND version = $9";
const REFER: &str =
    "INSERT INTO refs (partner, backend, kind, sonata_id, legacy_id) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (partner, backend, kind, sonata_id) DO UPDATE SET legacy_id = excluded.legacy_id
    WHERE refs.legacy_id <> excluded.legacy_id";
const REMEMBER: &str = "INSERT INTO keys (partner, kind, id, key_group, sonata, legacy)
    SELECT $1, $2, $3, * FROM unnest($4::text[], $5::text[], $6::text[])
    ON CONFLICT (partner, kind, id, key_group, sonata) DO UPDATE SET legacy = excluded.legacy";
const BEGIN: &str = "INSERT INTO idempotency (partner, operation, key, body_hash, exchange, begun_ms)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const FINISH: &str = "UPDATE idempotency SET status = $4, answer = $5, entity_kind = $6, entity_id = $7
    WHERE partner = $1 AND operation = $2 AND key = $3";
const ABANDON: &str = "DELETE FROM idempotency
    WHERE partner = $1 AND operation = $2 AND key = $3 AND exchange = $4 AND status IS NULL";
const JOURNAL: &str =
    "INSERT INTO journal (partner, exchange, operation, call, step, backend, request_crc, status,
        reply, at_ms)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const SCHEDULE: &str =
    "INSERT INTO tasks (id, partner, queue, lane, lane_key, kind, subject, due_ms, made_ms,
        attempts, note, payload, head)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
        NOT EXISTS (SELECT 1 FROM tasks WHERE lane_key = $5 AND dead_ms IS NULL))
    ON CONFLICT (id) DO NOTHING";
const SETTLE: &str = "DELETE FROM tasks WHERE id = $1 AND partner = $2 AND lease = $3";
const POSTPONE: &str = "UPDATE tasks SET due_ms = $4, note = $5, attempts = attempts + 1, lease = NULL,
        lease_until_ms = NULL
    WHERE id = $1 AND partner = $2 AND lease = $3";
const BURY: &str =
    "UPDATE tasks SET dead_ms = $4, note = $5, head = false, lease = NULL, lease_until_ms = NULL
    WHERE id = $1 AND partner = $2 AND lease = $3";
const REVIVE: &str = "UPDATE tasks SET due_ms = $3, attempts = 0, dead_ms = NULL, seq = nextval('tasks_made'),
        head = NOT EXISTS (SELECT 1 FROM tasks AS open WHERE open.lane_key = tasks.lane_key AND open.dead_ms IS NULL)
    WHERE id = $1 AND partner = $2 AND dead_ms IS NOT NULL AND lane_key = ANY($4)";
const UNSCHEDULE: &str = "DELETE FROM tasks WHERE partner = $1 AND queue = $2 AND kind = $3 AND subject = $4
    AND dead_ms IS NULL AND lane_key = ANY($5)";

/// Holds lanes until the transaction ends, always in the same order: those that are known, those in which tasks about
/// entities are, and those of tasks that come back. Only who holds a lane changes which task is its first.
pub(super) const LANES: &str = "SELECT lane_key, pg_advisory_xact_lock(lane_key) FROM (
        SELECT lane_key FROM unnest($1::int8[]) AS known (lane_key)
        UNION SELECT tasks.lane_key FROM tasks
            JOIN unnest($2::text[], $3::text[], $4::text[], $5::text[]) AS about (partner, queue, kind, subject)
            USING (partner, queue, kind, subject)
            WHERE tasks.dead_ms IS NULL
        UNION SELECT tasks.lane_key FROM tasks WHERE id = ANY($6)
        ORDER BY 1) AS lanes";

/// Marks the first open task of lanes that lost theirs.
pub(super) const MARK: &str = "UPDATE tasks SET head = true WHERE seq IN (
        SELECT first.seq FROM unnest($1::int8[]) AS lanes (lane_key) CROSS JOIN LATERAL (
            SELECT seq, head FROM tasks WHERE tasks.lane_key = lanes.lane_key AND dead_ms IS NULL
            ORDER BY seq LIMIT 1) AS first
        WHERE NOT first.head)";

/// Why a change does not happen.
#[derive(Debug)]
pub(super) enum Fault {
    /// What stands against it.
    Conflict(Conflict),
    /// The database or the way to it.
    Database(tokio_postgres::Error),
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

/// The statements of all changes, prepared once for each connection.
pub(super) struct Statements {
    create: Statement,
    update: Statement,
    refer: Statement,
    remember: Statement,
    begin: Statement,
    finish: Statement,
    abandon: Statement,
    journal: Statement,
    schedule: Statement,
    settle: Statement,
    postpone: Statement,
    bury: Statement,
    revive: Statement,
    unschedule: Statement,
}

impl Statements {
    pub(super) async fn prepare(db: &Connection) -> Result<Self, tokio_postgres::Error> {
        let one = |sql| db.client.prepare(sql);
        Ok(Self {
            create: one(CREATE).await?,
            update: one(UPDATE).await?,
            refer: one(REFER).await?,
            remember: one(REMEMBER).await?,
            begin: one(BEGIN).await?,
            finish: one(FINISH).await?,
            abandon: one(ABANDON).await?,
            journal: one(JOURNAL).await?,
            schedule: one(SCHEDULE).await?,
            settle: one(SETTLE).await?,
            postpone: one(POSTPONE).await?,
            bury: one(BURY).await?,
            revive: one(REVIVE).await?,
            unschedule: one(UNSCHEDULE).await?,
        })
    }
}

/// The lane of a task as a number. Two that share one are done one after the other, which harms nobody.
pub(super) fn lane_key(task: &Task) -> i64 {
    let mut hasher = blake3::Hasher::new();
    for part in [task.partner.as_str(), task.queue.as_str(), &task.lane] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    i64::from_le_bytes(first)
}

/// PostgreSQL's texts have no NUL.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// Whether a batch can be asked for at all.
pub(super) fn check(batch: &Batch) -> Result<(), StoreError> {
    batch.changes.iter().try_for_each(|change| match change {
        Change::Schedule(task) => task.check(&batch.partner),
        Change::Create(entity) | Change::Update(entity) => signed(entity.version).map(drop),
        _ => Ok(()),
    })
}

/// The lanes in which a group changes which task is the first: as numbers, by entities, by tasks.
#[derive(Default)]
pub(super) struct Lanes<'b> {
    pub(super) known: Vec<i64>,
    pub(super) subjects: [Vec<&'b str>; 4],
    pub(super) tasks: Vec<&'b str>,
    /// Whether a lane may lose its first task.
    pub(super) loses: bool,
}

impl<'b> Lanes<'b> {
    pub(super) fn of(batches: &'b [Batch]) -> Self {
        let mut lanes = Self::default();
        for batch in batches {
            for change in &batch.changes {
                match change {
                    Change::Schedule(task) => lanes.known.push(lane_key(task)),
                    Change::Settle { lease } | Change::Bury { lease, .. } => {
                        lanes.loses = true;
                        lanes.known.push(lease.lane);
                    }
                    Change::Unschedule { queue, kind, id } => {
                        lanes.loses = true;
                        let subject = [batch.partner.as_str(), queue.as_str(), kind.as_str(), id.as_str()];
                        lanes.subjects.iter_mut().zip(subject).for_each(|(all, one)| all.push(one));
                    }
                    Change::Revive { id, .. } => lanes.tasks.push(id.as_str()),
                    _ => {}
                }
            }
        }
        lanes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.tasks.is_empty() && self.subjects.iter().all(Vec::is_empty)
    }
}

/// Leases first: what gives a task back may give up all others about its entity.
pub(super) fn in_order(batch: &Batch) -> impl Iterator<Item = &Change> {
    let gives_back = |change: &&Change| {
        matches!(change, Change::Settle { .. } | Change::Postpone { .. } | Change::Bury { .. })
    };
    let all = || batch.changes.iter();
    all().filter(gives_back).chain(all().filter(move |change| !gives_back(change)))
}

/// Sends changes on one connection.
pub(super) struct Sender<'c> {
    pub(super) db: &'c Connection,
    pub(super) statements: &'c Statements,
    /// The lanes that are held.
    pub(super) lanes: &'c [i64],
}

type Done = Result<(), Fault>;

impl Sender<'_> {
    async fn run(&self, statement: &Statement, params: &[&(dyn ToSql + Sync)]) -> Result<u64, Fault> {
        Ok(self.db.client.execute(statement, params).await?)
    }

    /// A change that meets exactly one row, or stands against something.
    async fn one(&self, statement: &Statement, params: &[&(dyn ToSql + Sync)], conflict: Conflict) -> Done {
        match self.run(statement, params).await? {
            0 => Err(Fault::Conflict(conflict)),
            _ => Ok(()),
        }
    }

    /// Does one change. All that it asks is sent when it is first polled.
    pub(super) async fn change(&self, partner: &PartnerId, change: &Change) -> Done {
        let (s, whose) = (self.statements, partner.as_str());
        match change {
            Change::Create(entity) => self.entity(partner, entity, (&s.create, Conflict::Exists)).await,
            Change::Update(entity) => self.entity(partner, entity, (&s.update, Conflict::Version)).await,
            Change::Refer(Reference { kind, sonata_id, backend, legacy_id }) => {
                self.refer(partner, (kind, sonata_id), (backend, legacy_id)).await
            }
            Change::Remember { kind, id, pairs } => self.remember(partner, (kind, id), pairs).await,
            Change::Begin { key, body_hash, exchange, at_ms } => {
                let (operation, key) = names(key);
                let row: [&(dyn ToSql + Sync); 6] =
                    [&whose, &operation, &key, &&body_hash[..], &exchange.as_str(), at_ms];
                self.one(&s.begin, &row, Conflict::Key).await
            }
            Change::Finish { key, status, answer, entity } => {
                let (operation, key) = names(key);
                let (kind, id) = entity.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
                let row: [&(dyn ToSql + Sync); 7] =
                    [&whose, &operation, &key, &i32::from(*status), &&answer[..], &kind, &id];
                self.one(&s.finish, &row, Conflict::Key).await
            }
            Change::Abandon { key, exchange } => {
                let (operation, key) = names(key);
                self.run(&s.abandon, &[&whose, &operation, &key, &exchange.as_str()]).await.map(drop)
            }
            Change::Journal(entry) => self.journal(partner, entry).await,
            Change::Schedule(_)
            | Change::Settle { .. }
            | Change::Postpone { .. }
            | Change::Bury { .. }
            | Change::Revive { .. }
            | Change::Unschedule { .. } => self.task_change(partner, change).await,
        }
    }

    async fn task_change(&self, partner: &PartnerId, change: &Change) -> Done {
        let (s, whose) = (self.statements, partner.as_str());
        match change {
            Change::Schedule(task) => self.schedule(task).await,
            Change::Settle { lease } => {
                self.one(&s.settle, &[&lease.id.as_str(), &whose, &token(lease.token)], Conflict::Lease).await
            }
            Change::Postpone { lease, due_ms, note } => {
                let note = note.clone().map(task::cut);
                let note = note.as_deref().map(text);
                let row: [&(dyn ToSql + Sync); 5] =
                    [&lease.id.as_str(), &whose, &token(lease.token), due_ms, &note];
                self.one(&s.postpone, &row, Conflict::Lease).await
            }
            Change::Bury { lease, note, at_ms } => {
                let note = task::cut(note.clone());
                let row: [&(dyn ToSql + Sync); 5] =
                    [&lease.id.as_str(), &whose, &token(lease.token), at_ms, &text(&note)];
                self.one(&s.bury, &row, Conflict::Lease).await
            }
            Change::Revive { id, due_ms } => {
                self.one(&s.revive, &[&id.as_str(), &whose, due_ms, &self.lanes], Conflict::Task).await
            }
            Change::Unschedule { queue, kind, id } => {
                let row: [&(dyn ToSql + Sync); 5] =
                    [&whose, &queue.as_str(), &kind.as_str(), &id.as_str(), &self.lanes];
                self.run(&s.unschedule, &row).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    async fn entity(
        &self,
        partner: &PartnerId,
        e: &Entity,
        (statement, conflict): (&Statement, Conflict),
    ) -> Done {
        // Held against the bounds before.
        let version = i64::try_from(e.version).unwrap_or(i64::MAX);
        let row: [&(dyn ToSql + Sync); 16] = [
            &partner.as_str(),
            &e.kind.as_str(),
            &e.id.as_str(),
            &e.buyer.as_ref().map(BuyerId::as_str),
            &e.seller.as_ref().map(SellerId::as_str),
            &e.backend.as_ref().map(BackendId::as_str),
            &e.legacy_id.as_ref().map(LegacyId::as_str),
            &e.parent.as_ref().map(SonataId::as_str),
            &version,
            &e.state.as_deref().map(text),
            &e.external_id.as_deref().map(text),
            &e.created_ms,
            &e.updated_ms,
            &e.document.as_deref(),
            &e.request.as_deref(),
            &e.legacy.as_deref(),
        ];
        let kept = self.one(statement, &row, conflict);
        match (&e.backend, &e.legacy_id) {
            (Some(backend), Some(legacy_id)) => {
                let referred = self.refer(partner, (&e.kind, &e.id), (backend, legacy_id));
                let (kept, referred) = futures_util::future::join(kept, referred).await;
                kept.and(referred)
            }
            _ => kept.await,
        }
    }

    async fn refer(
        &self,
        partner: &PartnerId,
        (kind, sonata_id): (&Kind, &SonataId),
        (backend, legacy_id): (&BackendId, &LegacyId),
    ) -> Done {
        let row: [&(dyn ToSql + Sync); 5] =
            [&partner.as_str(), &backend.as_str(), &kind.as_str(), &sonata_id.as_str(), &legacy_id.as_str()];
        self.run(&self.statements.refer, &row).await.map(drop)
    }

    async fn remember(&self, partner: &PartnerId, (kind, id): (&Kind, &SonataId), pairs: &[KeyPair]) -> Done {
        // One statement changes a row once: of pairs that stand twice the last counts.
        let last = pairs.iter().enumerate().filter(|(at, pair)| {
            let later = pairs.get(at + 1..).unwrap_or_default();
            !later.iter().any(|one| one.group == pair.group && one.sonata == pair.sonata)
        });
        let (mut groups, mut sonatas, mut legacies) = (Vec::new(), Vec::new(), Vec::new());
        for (_, pair) in last {
            groups.push(text(&pair.group));
            sonatas.push(text(&pair.sonata));
            legacies.push(text(&pair.legacy));
        }
        let row: [&(dyn ToSql + Sync); 6] =
            [&partner.as_str(), &kind.as_str(), &id.as_str(), &groups, &sonatas, &legacies];
        self.run(&self.statements.remember, &row).await.map(drop)
    }

    async fn journal(&self, partner: &PartnerId, e: &JournalEntry) -> Done {
        let row: [&(dyn ToSql + Sync); 10] = [
            &partner.as_str(),
            &e.exchange.as_str(),
            &text(&e.operation),
            &text(&e.call),
            &e.step.as_str(),
            &e.backend.as_ref().map(BackendId::as_str),
            &e.request_crc.map(i64::from),
            &e.status.map(i32::from),
            &e.reply.as_deref(),
            &e.at_ms,
        ];
        self.run(&self.statements.journal, &row).await.map(drop)
    }

    async fn schedule(&self, task: &Task) -> Done {
        let (kind, subject) = task.subject.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
        let row: [&(dyn ToSql + Sync); 12] = [
            &task.id.as_str(),
            &task.partner.as_str(),
            &task.queue.as_str(),
            &text(&task.lane),
            &lane_key(task),
            &kind,
            &subject,
            &task.due_ms,
            &task.made_ms,
            &i64::from(task.attempts),
            &task.note.as_deref().map(text),
            &&task.payload[..],
        ];
        self.one(&self.statements.schedule, &row, Conflict::Exists).await
    }
}

fn names(key: &IdempotencyKey) -> (Cow<'_, str>, Cow<'_, str>) {
    (text(&key.operation), text(&key.key))
}

/// Tokens come from a sequence of the database.
fn token(token: u64) -> i64 {
    i64::try_from(token).unwrap_or(i64::MAX)
}
