//! Work that is to be done later, whoever crashes meanwhile: timers, polls, calls that go on, deliveries.

use bytes::Bytes;

use super::{Conflict, Kind, StoreError};
use crate::ids::{PartnerId, SonataId, TaskId};

/// Bytes of a lane's name.
pub const LANE_BYTES_MAX: usize = 1024;

/// Bytes of a note; the rest of a longer one is cut off.
pub const NOTE_BYTES_MAX: usize = 4096;

/// Bytes of a payload.
pub const PAYLOAD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Most tasks that one call of [`Store::claim`] lends.
///
/// [`Store::claim`]: super::Store::claim
pub const CLAIM_TASKS_MAX: usize = 1024;

/// How long whoever waits for a queue sleeps at most until it looks by itself, in milliseconds: another instance may have
/// scheduled something, and what is due later than that wakes nobody.
pub const LOOK_MS_MAX: i64 = 1000;

/// What kind of worker does a task: each has its own limits and never waits for another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// Something is to happen at a time: a quote expires.
    Timer,
    /// The legacy system is asked how it stands.
    Poll,
    /// An exchange that was answered goes on.
    Continue,
    /// An event goes to a listener.
    Delivery,
    /// A person has something to do. Nobody claims these: they are listed, and given up when it is done.
    Work,
}

impl Queue {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Timer, Self::Poll, Self::Continue, Self::Delivery, Self::Work];

    /// The word that is stored, shown and typed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timer => "timer",
            Self::Poll => "poll",
            Self::Continue => "continue",
            Self::Delivery => "delivery",
            Self::Work => "work",
        }
    }

    /// The queue of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|queue| queue.as_str() == word)
    }

    /// Its place in [`Queue::ALL`].
    pub(super) fn index(self) -> usize {
        match self {
            Self::Timer => 0,
            Self::Poll => 1,
            Self::Continue => 2,
            Self::Delivery => 3,
            Self::Work => 4,
        }
    }
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id, which stays the same however often it is tried.
    pub id: TaskId,
    /// Whose it is.
    pub partner: PartnerId,
    /// Who does it.
    pub queue: Queue,
    /// Tasks of one partner, queue and lane are done in the order in which they were committed, one at a time; one
    /// that is postponed is waited for, one that is buried is not. At most [`LANE_BYTES_MAX`].
    pub lane: String,
    /// The entity it is about: for lists, and to give up all that concerns it.
    pub subject: Option<(Kind, SonataId)>,
    /// When it is to be done, in milliseconds since 1970.
    pub due_ms: i64,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// How often it was tried and postponed.
    pub attempts: u32,
    /// Why it waits or was buried: for operators only. At most [`NOTE_BYTES_MAX`].
    pub note: Option<String>,
    /// When it was buried, in milliseconds since 1970; `None` while it is open.
    pub dead_ms: Option<i64>,
    /// What its owner needs to do it, in its own JSON. At most [`PAYLOAD_BYTES_MAX`].
    pub payload: Bytes,
}

impl Task {
    /// A task that was never tried and is about nothing in particular. It is due when it is made.
    #[must_use]
    pub fn new(
        id: TaskId,
        partner: PartnerId,
        queue: Queue,
        lane: String,
        made_ms: i64,
        payload: Bytes,
    ) -> Self {
        Self {
            id,
            partner,
            queue,
            lane,
            subject: None,
            due_ms: made_ms,
            made_ms,
            attempts: 0,
            note: None,
            dead_ms: None,
            payload,
        }
    }

    /// Whether it can be scheduled in a batch of `partner`.
    pub(super) fn check(&self, partner: &PartnerId) -> Result<(), StoreError> {
        let refuse = |why: &str| Err(StoreError::Failed(format!("a task that cannot be scheduled: {why}")));
        match self {
            _ if self.partner != *partner => refuse("it is another partner's"),
            _ if self.lane.len() > LANE_BYTES_MAX => refuse("its lane's name is too long"),
            _ if self.payload.len() > PAYLOAD_BYTES_MAX => refuse("its payload is too long"),
            _ if self.dead_ms.is_some() => refuse("it is buried"),
            _ => Ok(()),
        }
    }

    /// As it is after it was tried in vain.
    pub(super) fn postponed(&self, due_ms: i64, note: Option<String>) -> Self {
        let attempts = self.attempts.saturating_add(1);
        Self { due_ms, attempts, note: note.map(cut), ..self.clone() }
    }

    /// As it is once it is given up.
    pub(super) fn buried(&self, at_ms: i64, note: String) -> Self {
        Self { dead_ms: Some(at_ms), note: Some(cut(note)), ..self.clone() }
    }

    /// As it is when it is taken up again: as if it was never tried. The note stays, as word of what was.
    pub(super) fn revived(&self, due_ms: i64) -> Result<Self, StoreError> {
        match self.dead_ms {
            Some(_) => Ok(Self { due_ms, attempts: 0, dead_ms: None, ..self.clone() }),
            None => Err(Conflict::Task.into()),
        }
    }
}

/// A note within its bound.
pub(super) fn cut(mut note: String) -> String {
    if note.len() > NOTE_BYTES_MAX {
        let end = (0..=NOTE_BYTES_MAX).rev().find(|at| note.is_char_boundary(*at)).unwrap_or(0);
        note.truncate(end);
    }
    note
}

/// The right to do a task, for a time. Whoever settles, postpones or buries the task gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub(super) id: TaskId,
    /// Its queue, where it is known.
    pub(super) queue: Option<Queue>,
    /// Its lane as PostgreSQL's adapter numbers it.
    pub(super) lane: i64,
    /// Another one for each claim.
    pub(super) token: u64,
}

impl Lease {
    /// The task.
    #[must_use]
    pub fn id(&self) -> &TaskId {
        &self.id
    }
}

/// One page of a list of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// The tasks: open ones by the time at which they are due, buried ones by that at which they were buried.
    pub tasks: Vec<Task>,
    /// How many there are in all.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        let (id, partner) = (TaskId::parse("t-1").unwrap(), PartnerId::parse("globex").unwrap());
        Task::new(id, partner, Queue::Poll, "lane".to_owned(), 5, Bytes::new())
    }

    #[test]
    fn every_queue_has_a_word_and_a_place() {
        for (at, queue) in Queue::ALL.into_iter().enumerate() {
            assert_eq!((Queue::parse(queue.as_str()), queue.index()), (Some(queue), at));
        }
        assert_eq!(Queue::parse("timers"), None);
    }

    #[test]
    fn bounds_hold() {
        let globex = PartnerId::parse("globex").unwrap();
        assert_eq!(task().check(&globex), Ok(()));
        let long = |bytes: usize| Task { lane: "x".repeat(bytes), ..task() };
        assert_eq!(long(LANE_BYTES_MAX).check(&globex), Ok(()));
        let too_much = Bytes::from(vec![0; PAYLOAD_BYTES_MAX + 1]);
        let refused = [
            long(LANE_BYTES_MAX + 1),
            Task { payload: too_much.clone(), ..task() },
            Task { partner: PartnerId::parse("initech").unwrap(), ..task() },
            task().buried(7, "why".to_owned()),
        ];
        for task in refused {
            assert!(matches!(task.check(&globex), Err(StoreError::Failed(_))));
        }
        assert_eq!(Task { payload: too_much.slice(1..), ..task() }.check(&globex), Ok(()));
    }

    #[test]
    fn a_note_is_cut_between_characters() {
        assert_eq!(cut("ä".to_owned()), "ä");
        assert_eq!(cut("x".repeat(NOTE_BYTES_MAX + 1)).len(), NOTE_BYTES_MAX);
        assert_eq!(cut(format!("x{}", "ä".repeat(NOTE_BYTES_MAX))).len(), NOTE_BYTES_MAX - 1);
    }

    #[test]
    fn what_is_revived_begins_anew() {
        let tried = task().postponed(9, Some("busy".to_owned()));
        assert_eq!((tried.attempts, tried.due_ms), (1, 9));
        assert_eq!(tried.revived(10), Err(Conflict::Task.into()));
        let again = tried.buried(20, "gone".to_owned()).revived(30).unwrap();
        assert_eq!((again.attempts, again.due_ms, again.dead_ms), (0, 30, None));
        assert_eq!(again.note.as_deref(), Some("gone"));
    }
}
