//! Finding tasks that are due, and lending them.
//!
//! What changed and is not in the database is told by the overlay, lane by lane (see `desk`), the rest by an index of
//! the database. Nothing keeps commits waiting meanwhile: what was found is held against what is known by then once
//! more, before it is lent.

use std::sync::Arc;

use rusqlite::Connection;

use super::{
    Lease, Queue, StoreError, Task,
    agenda::{LaneKey, SubjectKey, is_unscheduled, lane_of, planned, subject_of},
    core::Core,
    desk::Head,
    overlay::Layers,
    tasks::{self, Marked},
};

/// How often it is begun anew because the database took something in meanwhile.
const TRIES_MAX: usize = 16;

/// Lanes that are looked at before others may change what is known.
const LANES_AT_ONCE: usize = 256;

/// Rows of the database that are looked at beyond those that are wanted, as some are lent or changed.
const ROWS_MORE: usize = 32;

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    pub(super) queue: Queue,
    pub(super) now_ms: i64,
    pub(super) lease_ms: i64,
    pub(super) limit: usize,
}

/// Lends tasks that are due, the earliest first.
pub(super) fn claim(core: &Core, db: &Connection, want: Want) -> Result<Vec<(Lease, Task)>, StoreError> {
    for _ in 0..TRIES_MAX {
        resolve(core, db, want.queue)?;
        let (thaws, mut heads, needs_far) = {
            let desk = core.desk();
            let heads = desk.due(want.queue, want.now_ms, want.limit);
            (desk.thaws, heads, desk.needs_far(want.queue, want.now_ms))
        };
        let near = heads.len();
        let far = if needs_far { Some(far(core, db, want)?) } else { None };
        heads.extend(far.iter().flat_map(|far| far.heads.iter().cloned()));
        let mut found = Vec::with_capacity(heads.len());
        for (at, head) in heads.into_iter().enumerate() {
            if let Some(task) = task(core, db, &head)? {
                found.push((at < near, head, task));
            }
        }
        found.sort_by_key(|(_, head, _)| (head.due_ms, head.seq));
        if let Some(lent) = lend(core, want, thaws, found, far.map(|far| far.next_ms)) {
            return Ok(lent);
        }
    }
    Err(StoreError::Overloaded)
}

/// When the next task may be due that nobody does, or somebody's lease ends.
pub(super) fn next_due(core: &Core, db: &Connection, queue: Queue) -> Result<Option<i64>, StoreError> {
    for _ in 0..TRIES_MAX {
        resolve(core, db, queue)?;
        let thaws = core.desk().thaws;
        let is_sure = core.desk().is_sure(queue);
        let far_ms = if is_sure {
            None
        } else {
            // No time at all: the first that is found is the next.
            Some(far(core, db, Want { queue, now_ms: i64::MIN, lease_ms: 0, limit: 0 })?.next_ms)
        };
        let mut desk = core.desk();
        if desk.thaws == thaws {
            if far_ms.is_some() {
                desk.set_far(queue, far_ms);
            }
            return Ok(desk.next_due(queue));
        }
    }
    Err(StoreError::Overloaded)
}

/// Finds the first task of each lane that changed.
fn resolve(core: &Core, db: &Connection, queue: Queue) -> Result<(), StoreError> {
    let subjects = core.desk().take_subjects(queue);
    if !subjects.is_empty() {
        let lanes = lanes_of(core, db, &subjects)?;
        let mut desk = core.desk();
        for lane in &lanes {
            desk.touch(lane);
        }
    }
    loop {
        let (unknown, thaws) = {
            let mut desk = core.desk();
            (desk.take_unknown(queue, LANES_AT_ONCE), desk.thaws)
        };
        if unknown.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        for (lane, touches) in unknown {
            let head = match failed {
                None => head(core, db, &lane).unwrap_or_else(|error| {
                    failed = Some(error);
                    None
                }),
                Some(_) => None,
            };
            // A lane at which nobody could look is looked at again.
            let touches = if failed.is_some() { u64::MAX } else { touches };
            core.desk().know(lane, touches, thaws, head);
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
}

/// The lanes in which tasks about these entities were.
fn lanes_of(core: &Core, db: &Connection, subjects: &[SubjectKey]) -> Result<Vec<LaneKey>, StoreError> {
    let mut lanes = Vec::new();
    {
        let layers = core.layers();
        let planned = layers.each().flat_map(|one| one.agenda.tasks.values().flatten());
        let about = planned.filter(|one| subject_of(&one.task).is_some_and(|key| subjects.contains(&key)));
        lanes.extend(about.map(|one| lane_of(&one.task)));
    }
    for subject in subjects {
        lanes.extend(tasks::lanes(db, subject)?);
    }
    lanes.sort_unstable();
    lanes.dedup();
    Ok(lanes)
}

/// The first open task of a lane.
fn head(core: &Core, db: &Connection, lane: &LaneKey) -> Result<Option<Head>, StoreError> {
    // Before the database is asked: what it takes in meanwhile is then there or here.
    let added: Vec<_> = {
        let layers = core.layers();
        let frozen = layers.frozen.as_ref().map(|frozen| &frozen.overlay);
        let levels = frozen.into_iter().chain([&layers.current]);
        levels.filter_map(|one| one.agenda.lanes.get(lane)).flatten().cloned().collect()
    };
    let mut first = None;
    tasks::open(db, lane, |row| {
        let layers = core.layers();
        first = match planned(layers.agendas(), &row.head.id) {
            Some(Some(one)) if one.seq == row.head.seq => {
                open_head(&layers, &row.head.id, row.head.seq, lane)
            }
            Some(_) => None,
            None if is_unscheduled(layers.agendas(), row.subject.as_ref(), row.head.seq) => None,
            None => Some(row.head),
        };
        first.is_none()
    })?;
    if first.is_none() {
        let layers = core.layers();
        first = added.iter().find_map(|(seq, id)| open_head(&layers, id, *seq, lane));
    }
    Ok(first)
}

/// A task of the overlay, if it is open and at this place.
fn open_head(layers: &Layers, id: &crate::ids::TaskId, seq: i64, lane: &LaneKey) -> Option<Head> {
    let one = planned(layers.agendas(), id)??;
    let is_open = one.seq == seq
        && one.task.dead_ms.is_none()
        && !is_unscheduled(layers.agendas(), subject_of(&one.task).as_ref(), seq);
    is_open.then(|| Head { due_ms: one.task.due_ms, seq, id: id.clone(), lane: lane.clone() })
}

/// What the database knows of tasks that are due.
struct Far {
    heads: Vec<Head>,
    /// None but these is due before.
    next_ms: i64,
}

/// Looks through what the database marks, from the earliest on.
fn far(core: &Core, db: &Connection, want: Want) -> Result<Far, StoreError> {
    let mut far = Far { heads: Vec::new(), next_ms: i64::MAX };
    let mut after = (i64::MIN, 0);
    loop {
        let rows = tasks::marked(db, want.queue, after, want.limit + ROWS_MORE)?;
        let Some(Marked { head: last, .. }) = rows.last() else { return Ok(far) };
        after = (last.due_ms, last.seq);
        let (layers, desk) = (core.layers(), core.desk());
        for Marked { head, subject } in rows {
            if !desk.is_free_far(&head.lane, &head.id, want.now_ms)
                || is_unscheduled(layers.agendas(), subject.as_ref(), head.seq)
            {
                continue;
            }
            if head.due_ms > want.now_ms || far.heads.len() >= want.limit {
                far.next_ms = head.due_ms;
                return Ok(far);
            }
            far.heads.push(head);
        }
    }
}

/// The task as it is, with its place.
fn task(core: &Core, db: &Connection, head: &Head) -> Result<Option<Arc<Task>>, StoreError> {
    if let Some(known) = planned(core.layers().agendas(), &head.id) {
        return Ok(known.map(|one| Arc::clone(&one.task)));
    }
    let found = tasks::task(db, &head.id)?;
    Ok(found.filter(|(_, seq)| *seq == head.seq).map(|(task, _)| Arc::new(task)))
}

/// Lends what is still as it was found; `None` where the database has taken something in meanwhile. With each task:
/// whether its lane is one that changed.
fn lend(
    core: &Core,
    want: Want,
    thaws: u64,
    found: Vec<(bool, Head, Arc<Task>)>,
    far_ms: Option<i64>,
) -> Option<Vec<(Lease, Task)>> {
    let (layers, mut desk) = (core.layers(), core.desk());
    if desk.thaws != thaws {
        return None;
    }
    let (mut lent, mut far_ms) = (Vec::new(), far_ms);
    for (is_near, head, task) in found {
        if lent.len() >= want.limit {
            if !is_near {
                far_ms = far_ms.map(|far_ms| far_ms.min(head.due_ms));
            }
            continue;
        }
        let is_free = if is_near {
            desk.is_free_near(&head, want.now_ms)
        } else {
            desk.is_free_far(&head.lane, &head.id, want.now_ms)
        };
        if is_free && !is_unscheduled(layers.agendas(), subject_of(&task).as_ref(), head.seq) {
            let lease = desk.lend(&task, head.seq, want.now_ms.saturating_add(want.lease_ms));
            lent.push((lease, Task::clone(&task)));
        }
    }
    if far_ms.is_some() {
        desk.set_far(want.queue, far_ms);
    }
    Some(lent)
}
