//! Which tasks may be done next, where the database cannot tell, and who does which.
//!
//! The database marks the first open task of each lane and finds those that are due by an index. Lanes in which
//! something changed that it has not taken in are here, with their first task once somebody asks; they are forgotten
//! when the database has them. So memory holds as many lanes as the overlay has changes, however many tasks wait.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::watch;

use super::{
    LOOK_MS_MAX, Lease, Queue, Task,
    agenda::{Agenda, LaneKey, SubjectKey, subject_of},
    overlay::HashMap,
};
use crate::ids::TaskId;

/// The first open task of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) due_ms: i64,
    /// Its place in the order of all tasks.
    pub(super) seq: i64,
    pub(super) id: TaskId,
    pub(super) lane: LaneKey,
}

/// What is known of a lane that changed.
#[derive(Debug, Default)]
struct Near {
    /// `None` where it has no open task, or nobody has looked.
    head: Option<Head>,
    is_known: bool,
    /// How often it changed: whoever looked before the last time knows nothing.
    touches: u64,
    /// That of the last change.
    generation: u64,
}

/// A task that somebody does.
#[derive(Debug)]
pub(super) struct Held {
    token: u64,
    until_ms: i64,
    pub(super) task: Arc<Task>,
    pub(super) seq: i64,
}

/// One queue.
#[derive(Debug)]
struct Line {
    /// The known first tasks of lanes that changed, by when they are due.
    ready: BTreeMap<(i64, i64), Head>,
    /// Lanes that changed since somebody looked.
    unknown: Vec<LaneKey>,
    /// Entities whose tasks were given up since somebody looked, with the generation of that.
    subjects: Vec<(u64, SubjectKey)>,
    /// No task that the database marks, and that is neither held nor in a lane that changed, is due before this;
    /// `None` where nobody has looked.
    far_ms: Option<i64>,
    signal: watch::Sender<u64>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Desk {
    /// Of the overlay that is filled.
    generation: u64,
    /// How often the database has taken something in or a lease was given back: what was found before may be wrong.
    pub(super) thaws: u64,
    lanes: HashMap<LaneKey, Near>,
    leases: HashMap<TaskId, Held>,
    tokens_made: u64,
    lines: [Line; 5],
}

/// Whether a task was scheduled for so late that whoever waits for its queue looks before that by itself. A quote's timer is
/// such a task: nobody is woken for every quote.
fn is_far(group: &Agenda, id: &TaskId) -> bool {
    let planned = group.tasks.get(id).and_then(Option::as_ref);
    planned.is_some_and(|one| one.task.due_ms.saturating_sub(one.task.made_ms) > LOOK_MS_MAX)
}

impl Default for Desk {
    fn default() -> Self {
        let line = || Line {
            ready: BTreeMap::new(),
            unknown: Vec::new(),
            subjects: Vec::new(),
            far_ms: None,
            signal: watch::Sender::new(0),
        };
        Self {
            generation: 1,
            thaws: 0,
            lanes: HashMap::default(),
            leases: HashMap::default(),
            tokens_made: 0,
            lines: [line(), line(), line(), line(), line()],
        }
    }
}

impl Desk {
    fn line(&mut self, queue: Queue) -> &mut Line {
        let [timer, poll, go_on, delivery, work] = &mut self.lines;
        match queue {
            Queue::Timer => timer,
            Queue::Poll => poll,
            Queue::Continue => go_on,
            Queue::Delivery => delivery,
            Queue::Work => work,
        }
    }

    /// Tells of changes in a queue.
    pub(super) fn watch(&mut self, queue: Queue) -> watch::Receiver<u64> {
        self.line(queue).signal.subscribe()
    }

    /// A group was committed.
    pub(super) fn follow(&mut self, group: &Agenda) {
        let mut changed = [false; 5];
        let mut mark = |queue: Queue| {
            if let Some(one) = changed.get_mut(queue.index()) {
                *one = true;
            }
        };
        for id in group.tasks.keys() {
            self.leases.remove(id);
        }
        for (subject, last) in &group.unscheduled {
            mark(subject.1);
            let generation = self.generation;
            self.line(subject.1).subjects.push((generation, subject.clone()));
            self.leases
                .retain(|_, held| held.seq > *last || subject_of(&held.task).as_ref() != Some(subject));
        }
        for (lane, added) in &group.lanes {
            if added.is_empty() || !added.iter().all(|(_, id)| is_far(group, id)) {
                mark(lane.1);
            }
            self.touch(lane);
        }
        for (queue, _) in Queue::ALL.into_iter().zip(changed).filter(|(_, changed)| *changed) {
            self.signal(queue);
        }
    }

    /// Something changed in a queue.
    pub(super) fn signal(&mut self, queue: Queue) {
        self.line(queue).signal.send_modify(|times| *times = times.wrapping_add(1));
    }

    /// A lane changed.
    pub(super) fn touch(&mut self, lane: &LaneKey) {
        let generation = self.generation;
        let near = self.lanes.entry(lane.clone()).or_default();
        let is_first = near.is_known || near.touches == 0;
        let former = near.head.take();
        (near.is_known, near.generation) = (false, generation);
        near.touches += 1;
        let line = self.line(lane.1);
        if let Some(head) = former {
            line.ready.remove(&(head.due_ms, head.seq));
        }
        if is_first {
            line.unknown.push(lane.clone());
        }
    }

    /// Entities whose tasks were given up since this was asked before.
    pub(super) fn take_subjects(&mut self, queue: Queue) -> Vec<SubjectKey> {
        let subjects = std::mem::take(&mut self.line(queue).subjects);
        subjects.into_iter().map(|(_, subject)| subject).collect()
    }

    /// Some of the lanes of which nobody knows the first task, with what [`Desk::know`] is to be told.
    pub(super) fn take_unknown(&mut self, queue: Queue, most: usize) -> Vec<(LaneKey, u64)> {
        let unknown = &mut self.line(queue).unknown;
        let lanes = unknown.split_off(unknown.len().saturating_sub(most));
        let touches = |lane: LaneKey| {
            let near = self.lanes.get(&lane)?;
            (!near.is_known).then_some((lane, near.touches))
        };
        lanes.into_iter().filter_map(touches).collect()
    }

    /// This is the first task of a lane, unless it changed since `touches`, or the database has changed since `thaws`.
    pub(super) fn know(&mut self, lane: LaneKey, touches: u64, thaws: u64, head: Option<Head>) {
        let is_late = self.thaws != thaws;
        let Some(near) = self.lanes.get_mut(&lane) else { return };
        if near.is_known {
            return;
        }
        if is_late || near.touches != touches {
            self.line(lane.1).unknown.push(lane);
            return;
        }
        near.is_known = true;
        near.head.clone_from(&head);
        if let Some(head) = head {
            self.line(lane.1).ready.insert((head.due_ms, head.seq), head);
        }
    }

    /// What is changed from here on is in the database later than what was changed before, whose number this is.
    pub(super) fn freeze(&mut self) -> u64 {
        let frozen = self.generation;
        self.generation += 1;
        frozen
    }

    /// The database has taken in what was changed up to then.
    pub(super) fn thaw(&mut self, generation: u64, has_tasks: bool) {
        self.thaws = self.thaws.wrapping_add(1);
        if !has_tasks {
            return;
        }
        let Self { lanes, lines, .. } = self;
        lanes.retain(|lane, near| {
            let is_kept = near.generation > generation;
            if let (false, Some(head), Some(line)) = (is_kept, &near.head, lines.get_mut(lane.1.index())) {
                line.ready.remove(&(head.due_ms, head.seq));
            }
            is_kept
        });
        for line in lines {
            line.far_ms = None;
            line.unknown.retain(|lane| lanes.contains_key(lane));
            line.subjects.retain(|(made, _)| *made > generation);
        }
    }

    /// The first tasks of lanes that changed which are due and which nobody does: at most `most`, the earliest first.
    pub(super) fn due(&self, queue: Queue, now_ms: i64, most: usize) -> Vec<Head> {
        let ready = self.lines.get(queue.index()).map(|line| &line.ready);
        let due = ready.into_iter().flat_map(|ready| ready.range(..=(now_ms, i64::MAX)));
        let free = due.filter(|(_, head)| !self.is_held(&head.id, now_ms));
        free.take(most).map(|(_, head)| head.clone()).collect()
    }

    /// Whether the database may have a task that is due.
    pub(super) fn needs_far(&self, queue: Queue, now_ms: i64) -> bool {
        let far_ms = self.lines.get(queue.index()).and_then(|line| line.far_ms);
        far_ms.is_none_or(|far_ms| far_ms <= now_ms)
            || self.leases.values().any(|held| held.task.queue == queue && held.until_ms <= now_ms)
    }

    /// See [`Line::far_ms`].
    pub(super) fn set_far(&mut self, queue: Queue, far_ms: Option<i64>) {
        self.line(queue).far_ms = far_ms;
    }

    /// Whether anything must be looked up before [`Desk::next_due`] is right.
    pub(super) fn is_sure(&self, queue: Queue) -> bool {
        self.lines
            .get(queue.index())
            .is_some_and(|line| line.far_ms.is_some() && line.unknown.is_empty() && line.subjects.is_empty())
    }

    /// When the next task may be due that nobody does, or somebody's lease ends.
    pub(super) fn next_due(&self, queue: Queue) -> Option<i64> {
        let line = self.lines.get(queue.index())?;
        let held = self.leases.values().filter(|held| held.task.queue == queue).map(|held| held.until_ms);
        let near =
            line.ready.values().find(|head| !self.leases.contains_key(&head.id)).map(|head| head.due_ms);
        let far = line.far_ms.filter(|far_ms| *far_ms < i64::MAX);
        held.min().into_iter().chain(near).chain(far).min()
    }

    /// Whether the database can tell the first task of a lane, and whether it is free.
    pub(super) fn is_free_far(&self, lane: &LaneKey, id: &TaskId, now_ms: i64) -> bool {
        !self.lanes.contains_key(lane) && !self.is_held(id, now_ms)
    }

    /// Whether it is still the first task of a lane that changed, and free.
    pub(super) fn is_free_near(&self, head: &Head, now_ms: i64) -> bool {
        let known = self.lanes.get(&head.lane).and_then(|near| near.head.as_ref());
        known == Some(head) && !self.is_held(&head.id, now_ms)
    }

    fn is_held(&self, id: &TaskId, now_ms: i64) -> bool {
        self.leases.get(id).is_some_and(|held| held.until_ms > now_ms)
    }

    /// Gives a task to somebody; whoever had it before has lost it.
    pub(super) fn lend(&mut self, task: &Arc<Task>, seq: i64, until_ms: i64) -> Lease {
        self.tokens_made += 1;
        let token = self.tokens_made;
        self.leases.insert(task.id.clone(), Held { token, until_ms, task: Arc::clone(task), seq });
        Lease { id: task.id.clone(), queue: Some(task.queue), lane: 0, token }
    }

    /// What is lent by this lease.
    pub(super) fn held(&self, lease: &Lease) -> Option<&Held> {
        self.leases.get(&lease.id).filter(|held| held.token == lease.token)
    }

    /// Takes back what nothing was done about.
    pub(super) fn release(&mut self, lease: &Lease) {
        let Some(queue) = self.held(lease).map(|held| held.task.queue) else { return };
        self.leases.remove(&lease.id);
        self.thaws = self.thaws.wrapping_add(1);
        let line = self.line(queue);
        line.far_ms = None;
        self.signal(queue);
    }

    /// Whether anybody does it.
    pub(super) fn is_lent(&self, id: &TaskId) -> bool {
        self.leases.contains_key(id)
    }

    /// How many lanes and leases are in memory.
    #[cfg(test)]
    pub(super) fn held_in_memory(&self) -> (usize, usize) {
        (self.lanes.len(), self.leases.len())
    }
}
