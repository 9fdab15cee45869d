//! Tasks in the database.
//!
//! The first open task of each lane is marked (`head`), so that those which are due are found by an index, however many
//! wait behind one that is postponed.

use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension as _, Row, params};

use super::{
    Kind, Queue, StoreError, Task, TaskPage,
    agenda::{Agenda, LaneKey, Planned, SubjectKey, is_unscheduled, lane_of, subject_of},
    column::{Cell, Words},
    desk::Head,
    read::{id, id_or_null},
};
use crate::ids::{PartnerId, SonataId, TaskId};

type Sql<T> = Result<T, rusqlite::Error>;

const TASK: &str = "id, (SELECT word FROM words WHERE number = partner),
    (SELECT word FROM words WHERE number = queue), lane, (SELECT word FROM words WHERE number = kind), subject,
    due_ms, made_ms, attempts, note, dead_ms, payload, seq";

/// The rows of one lane; the parameters are partner, queue and lane.
const LANE: &str = "partner = (SELECT number FROM words WHERE word = ?1)
    AND queue = (SELECT number FROM words WHERE word = ?2) AND lane = ?3 AND dead_ms IS NULL";

/// The first tasks of lanes, after a time and place.
pub(super) const MARKED: &str =
    "SELECT due_ms, seq, id, (SELECT word FROM words WHERE number = partner), lane,
        (SELECT word FROM words WHERE number = kind), subject
    FROM tasks INDEXED BY tasks_by_due
    WHERE queue = (SELECT number FROM words WHERE word = ?1) AND head = 1 AND (due_ms, seq) > (?2, ?3)
    ORDER BY due_ms, seq LIMIT ?4";

/// A row that the database marks as the first of its lane, or one in its order.
pub(super) struct Marked {
    pub(super) head: Head,
    pub(super) subject: Option<SubjectKey>,
}

fn queue_of(row: &Row<'_>, at: usize) -> Sql<Queue> {
    let word = row.get_ref(at)?.as_str()?;
    let unknown = || rusqlite::Error::InvalidColumnType(at, word.to_owned(), rusqlite::types::Type::Text);
    Queue::parse(word).ok_or_else(unknown)
}

fn subject(row: &Row<'_>, at: usize) -> Sql<Option<(Kind, SonataId)>> {
    let kind = id_or_null(row, at, |text| Ok(Kind::new(text.to_owned())))?;
    Ok(kind.zip(id_or_null(row, at + 1, SonataId::parse)?))
}

fn task_of(row: &Row<'_>) -> Sql<(Task, i64)> {
    let task = Task {
        id: id(row, 0, TaskId::parse)?,
        partner: id(row, 1, PartnerId::parse)?,
        queue: queue_of(row, 2)?,
        lane: row.get(3)?,
        subject: subject(row, 4)?,
        due_ms: row.get(6)?,
        made_ms: row.get(7)?,
        attempts: row.get(8)?,
        note: row.get(9)?,
        dead_ms: row.get(10)?,
        payload: Bytes::from(row.get::<_, Vec<u8>>(11)?),
    };
    Ok((task, row.get(12)?))
}

/// A task and its place in the order of all.
pub(super) fn task(db: &Connection, id: &TaskId) -> Result<Option<(Task, i64)>, StoreError> {
    let sql = format!("SELECT {TASK} FROM tasks WHERE id = ?1");
    Ok(db.prepare_cached(&sql)?.query_row([Cell::id(id.as_str())], task_of).optional()?)
}

/// The greatest place in the order of all tasks.
pub(super) fn last(db: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(seq), 0) FROM tasks";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Tells the open tasks of a lane in order, for as long as `each` wants another.
pub(super) fn open(
    db: &Connection,
    lane: &LaneKey,
    mut each: impl FnMut(Marked) -> bool,
) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT due_ms, seq, id, (SELECT word FROM words WHERE number = kind), subject FROM tasks
         WHERE {LANE} ORDER BY seq"
    );
    let (partner, queue, name) = lane;
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query(params![partner.as_str(), queue.as_str(), name])?;
    while let Some(row) = rows.next()? {
        let (due_ms, seq, id) = (row.get(0)?, row.get(1)?, id(row, 2, TaskId::parse)?);
        let subject = subject(row, 3)?.map(|(kind, id)| (partner.clone(), *queue, kind, id));
        if !each(Marked { head: Head { due_ms, seq, id, lane: lane.clone() }, subject }) {
            break;
        }
    }
    Ok(())
}

/// The tasks of a queue that are the first of their lanes, those that are due first before others: at most `most` that
/// come after the time and place given.
pub(super) fn marked(
    db: &Connection,
    queue: Queue,
    (after_ms, after): (i64, i64),
    most: usize,
) -> Result<Vec<Marked>, StoreError> {
    let marked = |row: &Row<'_>| {
        let (due_ms, seq, task) = (row.get(0)?, row.get(1)?, id(row, 2, TaskId::parse)?);
        let partner = id(row, 3, PartnerId::parse)?;
        let subject = subject(row, 5)?.map(|(kind, id)| (partner.clone(), queue, kind, id));
        let lane = (partner, queue, row.get_ref(4)?.as_str()?.into());
        Ok(Marked { head: Head { due_ms, seq, id: task, lane }, subject })
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let row = params![queue.as_str(), after_ms, after, most];
    Ok(db.prepare_cached(MARKED)?.query_map(row, marked)?.collect::<Sql<_>>()?)
}

/// The lanes with open tasks about an entity.
pub(super) fn lanes(db: &Connection, subject: &SubjectKey) -> Result<Vec<LaneKey>, StoreError> {
    let sql = "SELECT DISTINCT lane FROM tasks WHERE partner = (SELECT number FROM words WHERE word = ?1)
        AND queue = (SELECT number FROM words WHERE word = ?2)
        AND kind = (SELECT number FROM words WHERE word = ?3) AND subject = ?4 AND dead_ms IS NULL";
    let (partner, queue, kind, id) = subject;
    let lane = |row: &Row<'_>| Ok((partner.clone(), *queue, row.get_ref(0)?.as_str()?.into()));
    let row = params![partner.as_str(), queue.as_str(), kind.as_str(), Cell::id(id.as_str())];
    Ok(db.prepare_cached(sql)?.query_map(row, lane)?.collect::<Sql<_>>()?)
}

/// One page of a partner's tasks in a queue.
pub(super) fn page(
    db: &Connection,
    (partner, queue): (&PartnerId, Queue),
    is_dead: bool,
    (offset, limit): (u64, u64),
) -> Result<TaskPage, StoreError> {
    let (state, order) =
        if is_dead { ("dead_ms IS NOT NULL", "dead_ms") } else { ("dead_ms IS NULL", "due_ms") };
    let rows = format!(
        "FROM tasks WHERE partner = (SELECT number FROM words WHERE word = ?1)
            AND queue = (SELECT number FROM words WHERE word = ?2) AND {state}"
    );
    let whose = [partner.as_str(), queue.as_str()];
    let total: i64 =
        db.prepare_cached(&format!("SELECT count(*) {rows}"))?.query_row(whose, |row| row.get(0))?;
    let most = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let sql = format!("SELECT {TASK} {rows} ORDER BY {order}, seq LIMIT ?3 OFFSET ?4");
    let tasks = db
        .prepare_cached(&sql)?
        .query_map(params![whose[0], whose[1], most(limit), most(offset)], |row| Ok(task_of(row)?.0))?
        .collect::<Sql<_>>()?;
    Ok(TaskPage { tasks, total: u64::try_from(total).unwrap_or_default() })
}

/// Moves an open task to an earlier time; its lane, where it was moved.
pub(super) fn hasten(db: &Connection, id: &TaskId, due_ms: i64) -> Result<Option<LaneKey>, StoreError> {
    let changed = db
        .prepare_cached("UPDATE tasks SET due_ms = ?2 WHERE id = ?1 AND dead_ms IS NULL AND due_ms > ?2")?
        .execute(params![Cell::id(id.as_str()), due_ms])?;
    Ok(if changed == 0 { None } else { task(db, id)?.map(|(task, _)| lane_of(&task)) })
}

/// Brings what changed into the database, inside the caller's transaction. A part may be in there already where that is
/// unsure.
pub(super) fn apply(
    db: &Connection,
    words: &mut Words,
    agenda: &Agenda,
    is_unsure: bool,
) -> Result<(), StoreError> {
    if agenda.is_empty() {
        return Ok(());
    }
    let mut firsts: HashMap<LaneKey, bool> = agenda.lanes.keys().map(|lane| (lane.clone(), false)).collect();
    for (subject, last) in &agenda.unscheduled {
        firsts.extend(give_up(db, subject, *last)?.into_iter().map(|lane| (lane, false)));
    }
    let mut delete = db.prepare_cached("DELETE FROM tasks WHERE id = ?1")?;
    let mut planned: Vec<&Planned> = Vec::with_capacity(agenda.tasks.len());
    for (id, state) in &agenda.tasks {
        if is_unsure || state.as_ref().is_none_or(|one| !one.is_new) {
            delete.execute([Cell::id(id.as_str())])?;
        }
        let is_given_up = |one: &Planned| {
            let subject = subject_of(&one.task);
            one.task.dead_ms.is_none() && is_unscheduled([agenda].into_iter(), subject.as_ref(), one.seq)
        };
        planned.extend(state.as_ref().filter(|one| !is_given_up(one)));
    }
    planned.sort_unstable_by_key(|one| one.seq);
    let mut insert = Insert::prepare(db)?;
    for one in planned {
        if one.task.dead_ms.is_some() {
            insert.row(words, one, false)?;
            continue;
        }
        // The first of them may be the first of all: what follows it is not.
        let has_first = firsts.entry(lane_of(&one.task)).or_default();
        let is_first = !*has_first && !has_before(db, &one.task, one.seq)?;
        *has_first |= is_first;
        insert.row(words, one, is_first)?;
    }
    for lane in firsts.into_iter().filter(|(_, has_first)| !has_first).map(|(lane, _)| lane) {
        mark(db, &lane)?;
    }
    Ok(())
}

/// Deletes the open tasks about an entity up to a place; returns their lanes.
fn give_up(db: &Connection, subject: &SubjectKey, last: i64) -> Result<Vec<LaneKey>, StoreError> {
    let sql = "DELETE FROM tasks WHERE partner = (SELECT number FROM words WHERE word = ?1)
        AND queue = (SELECT number FROM words WHERE word = ?2)
        AND kind = (SELECT number FROM words WHERE word = ?3) AND subject = ?4 AND dead_ms IS NULL AND seq <= ?5
        RETURNING lane";
    let (partner, queue, kind, id) = subject;
    let lane = |row: &Row<'_>| Ok((partner.clone(), *queue, row.get_ref(0)?.as_str()?.into()));
    let row = params![partner.as_str(), queue.as_str(), kind.as_str(), Cell::id(id.as_str()), last];
    Ok(db.prepare_cached(sql)?.query_map(row, lane)?.collect::<Sql<_>>()?)
}

/// Whether an open task of its lane comes before this place.
fn has_before(db: &Connection, task: &Task, seq: i64) -> Result<bool, StoreError> {
    let sql = format!("SELECT 1 FROM tasks WHERE {LANE} AND seq < ?4 LIMIT 1");
    let row = params![task.partner.as_str(), task.queue.as_str(), task.lane, seq];
    Ok(db.prepare_cached(&sql)?.exists(row)?)
}

/// Marks the first open task of a lane.
fn mark(db: &Connection, (partner, queue, name): &LaneKey) -> Result<(), StoreError> {
    let sql = format!("SELECT seq, head FROM tasks WHERE {LANE} ORDER BY seq LIMIT 1");
    let row = params![partner.as_str(), queue.as_str(), name];
    let first = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?));
    if let Some((seq, false)) = db.prepare_cached(&sql)?.query_row(row, first).optional()? {
        db.prepare_cached("UPDATE tasks SET head = 1 WHERE seq = ?1")?.execute([seq])?;
    }
    Ok(())
}

/// The statement that writes tasks.
struct Insert<'c> {
    db: &'c Connection,
    statement: CachedStatement<'c>,
}

impl<'c> Insert<'c> {
    fn prepare(db: &'c Connection) -> Result<Self, StoreError> {
        Ok(Self { db, statement: db.prepare_cached(&Self::sql("INSERT"))? })
    }

    fn sql(verb: &str) -> String {
        format!(
            "{verb} INTO tasks (seq, id, partner, queue, lane, kind, subject, due_ms, made_ms, attempts, note,
                dead_ms, payload, head)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        )
    }

    fn row(&mut self, words: &mut Words, planned: &Planned, is_head: bool) -> Result<(), StoreError> {
        let Planned { task, seq, .. } = planned;
        let (kind, subject) = task.subject.as_ref().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
        let partner = words.number(self.db, task.partner.as_str())?;
        let queue = words.number(self.db, task.queue.as_str())?;
        let kind = words.number_or_null(self.db, kind)?;
        let (id, subject) = (Cell::id(task.id.as_str()), subject.map(Cell::id));
        let row = params![
            seq,
            id,
            partner,
            queue,
            task.lane,
            kind,
            subject,
            task.due_ms,
            task.made_ms,
            task.attempts,
            task.note,
            task.dead_ms,
            &task.payload[..],
            is_head,
        ];
        match self.statement.execute(row) {
            // Ids are made once; if one came again, a store that takes in nothing more would be worse. Not said at once: a
            // statement that may replace keeps what it changes in memory until it has ended.
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::ConstraintViolation => {
                self.db.prepare_cached(&Self::sql("INSERT OR REPLACE"))?.execute(row)?
            }
            inserted => inserted?,
        };
        Ok(())
    }
}
