//! Tasks: lending them, and showing them.

use tokio_postgres::{Row, types::ToSql};

use bytes::Bytes;

use super::{
    super::{Lease, Queue, StoreError, Task, TaskPage},
    connect::Connection,
    get,
    read::{count, id, id_or_null},
};
use crate::{
    ids::{PartnerId, SonataId, TaskId},
    store::Kind,
};

const TASK: &str =
    "id, partner, queue, lane, kind, subject, due_ms, made_ms, attempts, note, dead_ms, payload,
    seq, lane_key, lease";

/// The first tasks of lanes that are due and that nobody has; what another instance is about to lend is passed over. The
/// earliest are found by an index, whatever waits behind them.
const CLAIM: &str = "WITH due AS MATERIALIZED (
        SELECT seq FROM tasks
        WHERE queue = $1 AND head AND due_ms <= $2 AND (lease IS NULL OR lease_until_ms <= $2)
        ORDER BY due_ms, seq LIMIT $4 FOR UPDATE SKIP LOCKED)
    UPDATE tasks SET lease = nextval('leases_made'), lease_until_ms = $3 FROM due WHERE tasks.seq = due.seq
    RETURNING id, partner, queue, lane, kind, subject, due_ms, made_ms, attempts, note, dead_ms, payload,
        tasks.seq, lane_key, lease";

fn queue(row: &Row, at: usize) -> Result<Queue, StoreError> {
    let unknown = || StoreError::Failed("the database has a task in a queue that is none".to_owned());
    Queue::parse(get(row, at)?).ok_or_else(unknown)
}

fn task(row: &Row) -> Result<Task, StoreError> {
    let kind = get::<Option<String>>(row, 4)?.map(Kind::new);
    let attempts: i64 = get(row, 8)?;
    Ok(Task {
        id: id(row, 0, TaskId::parse)?,
        partner: id(row, 1, PartnerId::parse)?,
        queue: queue(row, 2)?,
        lane: get(row, 3)?,
        subject: kind.zip(id_or_null(row, 5, SonataId::parse)?),
        due_ms: get(row, 6)?,
        made_ms: get(row, 7)?,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        note: get(row, 9)?,
        dead_ms: get(row, 10)?,
        payload: Bytes::copy_from_slice(get(row, 11)?),
    })
}

pub(super) async fn claim(
    db: &Connection,
    queue: Queue,
    (now_ms, until_ms): (i64, i64),
    limit: usize,
) -> Result<Vec<(Lease, Task)>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = db.query(CLAIM, &[&queue.as_str(), &now_ms, &until_ms, &limit]).await?;
    let mut lent = Vec::with_capacity(rows.len());
    for row in &rows {
        let (task, seq, token): (_, i64, i64) = (task(row)?, get(row, 12)?, get(row, 14)?);
        let token = u64::try_from(token).unwrap_or_default();
        let lease = Lease { id: task.id.clone(), queue: Some(queue), lane: get(row, 13)?, token };
        lent.push((seq, lease, task));
    }
    lent.sort_by_key(|(seq, _, task)| (task.due_ms, *seq));
    Ok(lent.into_iter().map(|(_, lease, task)| (lease, task)).collect())
}

pub(super) async fn release(db: &Connection, leases: &[Lease]) -> Result<(), StoreError> {
    let sql = "UPDATE tasks SET lease = NULL, lease_until_ms = NULL
        FROM unnest($1::text[], $2::int8[]) AS held (id, lease)
        WHERE tasks.id = held.id AND tasks.lease = held.lease";
    let ids: Vec<&str> = leases.iter().map(|lease| lease.id.as_str()).collect();
    let tokens: Vec<i64> =
        leases.iter().map(|lease| i64::try_from(lease.token).unwrap_or(i64::MAX)).collect();
    db.execute(sql, &[&ids, &tokens]).await.map(drop)
}

pub(super) async fn next_due(db: &Connection, queue: Queue) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT least(
            (SELECT due_ms FROM tasks WHERE queue = $1 AND head AND lease IS NULL ORDER BY due_ms, seq LIMIT 1),
            (SELECT lease_until_ms FROM tasks WHERE queue = $1 AND lease IS NOT NULL
                ORDER BY lease_until_ms LIMIT 1))";
    let rows = db.query(sql, &[&queue.as_str()]).await?;
    rows.first().map_or(Ok(None), |row| get(row, 0))
}

pub(super) async fn page(
    db: &Connection,
    partner: &PartnerId,
    queue: Queue,
    is_dead: bool,
    (offset, limit): (u64, u64),
) -> Result<TaskPage, StoreError> {
    let (state, order) =
        if is_dead { ("dead_ms IS NOT NULL", "dead_ms") } else { ("dead_ms IS NULL", "due_ms") };
    let rows = format!("FROM tasks WHERE partner = $1 AND queue = $2 AND {state}");
    let (partner, queue) = (partner.as_str(), queue.as_str());
    let whose: [&(dyn ToSql + Sync); 2] = [&partner, &queue];
    let total = db.query(&format!("SELECT count(*) {rows}"), &whose).await?;
    let total = total.first().map_or(Ok(0), |row| count(row, 0))?;
    let most = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let sql = format!("SELECT {TASK} {rows} ORDER BY {order}, seq LIMIT $3 OFFSET $4");
    let found = db.query(&sql, &[&partner, &queue, &most(limit), &most(offset)]).await?;
    Ok(TaskPage { tasks: found.iter().map(task).collect::<Result<_, _>>()?, total })
}

/// Moves open tasks that nobody has to an earlier time; the queues in which any was moved.
pub(super) async fn hasten(
    db: &Connection,
    partner: &PartnerId,
    wanted: &[TaskId],
    due_ms: i64,
) -> Result<Vec<Queue>, StoreError> {
    let sql = "UPDATE tasks SET due_ms = $3
        WHERE partner = $1 AND id = ANY($2) AND dead_ms IS NULL AND lease IS NULL AND due_ms > $3
        RETURNING queue";
    let ids: Vec<&str> = wanted.iter().map(TaskId::as_str).collect();
    let rows = db.query(sql, &[&partner.as_str(), &ids, &due_ms]).await?;
    let mut queues = rows.iter().map(|row| queue(row, 0)).collect::<Result<Vec<_>, _>>()?;
    queues.sort_unstable();
    queues.dedup();
    Ok(queues)
}
