//! Tasks as the overlay has them: what was scheduled, done or given up, and is not in the database like that.

use std::sync::Arc;

use super::{
    Kind, Queue, Task,
    overlay::{HashMap, IndexMap},
};
use crate::ids::{PartnerId, SonataId, TaskId};

/// A lane of a partner.
pub(super) type LaneKey = (PartnerId, Queue, Arc<str>);

/// The tasks of a queue that are about an entity.
pub(super) type SubjectKey = (PartnerId, Queue, Kind, SonataId);

/// The lane of a task.
pub(super) fn lane_of(task: &Task) -> LaneKey {
    (task.partner.clone(), task.queue, task.lane.as_str().into())
}

/// The entity of a task.
pub(super) fn subject_of(task: &Task) -> Option<SubjectKey> {
    let (kind, id) = task.subject.as_ref()?;
    Some((task.partner.clone(), task.queue, kind.clone(), id.clone()))
}

/// A task as it is to be.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) task: Arc<Task>,
    /// Its place in the order of all tasks.
    pub(super) seq: i64,
    /// Whether the database surely has no row of it when it takes this in.
    pub(super) is_new: bool,
}

/// Changes of tasks.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    /// `None`: done.
    pub(super) tasks: IndexMap<TaskId, Option<Planned>>,
    /// The lanes in which something changed, each with what was added at its end: places and tasks.
    pub(super) lanes: IndexMap<LaneKey, Vec<(i64, TaskId)>>,
    /// Open tasks of these up to this place are given up.
    pub(super) unscheduled: HashMap<SubjectKey, i64>,
}

impl Agenda {
    /// Takes over what a later one says, which is empty then.
    pub(super) fn take(&mut self, later: &mut Self) {
        for (id, state) in later.tasks.drain(..) {
            let is_new =
                self.tasks.get(&id).is_some_and(|known| known.as_ref().is_some_and(|one| one.is_new));
            match state {
                // The database never hears of it.
                None if is_new => drop(self.tasks.swap_remove(&id)),
                None => drop(self.tasks.insert(id, None)),
                Some(planned) => {
                    let is_new = planned.is_new || is_new;
                    self.tasks.insert(id, Some(Planned { is_new, ..planned }));
                }
            }
        }
        for (lane, mut added) in later.lanes.drain(..) {
            self.lanes.entry(lane).or_default().append(&mut added);
        }
        self.unscheduled.extend(later.unscheduled.drain());
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty() && self.lanes.is_empty() && self.unscheduled.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.tasks.clear();
        self.lanes.clear();
        self.unscheduled.clear();
    }

    /// Adds a task at the end of its lane.
    pub(super) fn add(&mut self, planned: Planned) {
        let (lane, id) = (lane_of(&planned.task), planned.task.id.clone());
        self.lanes.entry(lane).or_default().push((planned.seq, id.clone()));
        self.tasks.insert(id, Some(planned));
    }

    /// Changes a task where it is; `None`: done.
    pub(super) fn put(&mut self, former: &Task, planned: Option<Planned>) {
        self.lanes.entry(lane_of(former)).or_default();
        self.tasks.insert(former.id.clone(), planned);
    }
}

/// The task as the newest of `levels` has it that knows of it; inner `None` where it is done.
#[expect(clippy::option_option, reason = "not known, and done, are two answers")]
pub(super) fn planned<'a>(
    mut levels: impl Iterator<Item = &'a Agenda>,
    id: &TaskId,
) -> Option<Option<&'a Planned>> {
    levels.find_map(|one| one.tasks.get(id)).map(Option::as_ref)
}

/// Whether a task at this place was given up with its entity.
pub(super) fn is_unscheduled<'a>(
    mut levels: impl Iterator<Item = &'a Agenda>,
    subject: Option<&SubjectKey>,
    seq: i64,
) -> bool {
    let Some(subject) = subject else { return false };
    levels.any(|one| one.unscheduled.get(subject).is_some_and(|last| seq <= *last))
}
