//! Changes that happen together.

use bytes::Bytes;

use super::{Entity, Kind, Lease, Queue, Task};
use crate::ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId, TaskId};

/// Changes of one partner's rows: all of them or none.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Whose rows they are.
    pub partner: PartnerId,
    /// In the order in which they are done.
    pub changes: Vec<Change>,
}

impl Batch {
    /// Nothing yet.
    #[must_use]
    pub fn new(partner: PartnerId) -> Self {
        Self { partner, changes: Vec::new() }
    }

    /// Bytes of its documents, beside which the rest is small.
    pub(super) fn document_bytes(&self) -> usize {
        let of = |all: &[Option<&Bytes>]| all.iter().copied().flatten().map(Bytes::len).sum();
        let of_change = |change: &Change| match change {
            Change::Create(e) | Change::Update(e) => {
                of(&[e.document.as_ref(), e.request.as_ref(), e.legacy.as_ref()])
            }
            Change::Finish { answer, .. } => answer.len(),
            Change::Journal(entry) => of(&[entry.reply.as_ref()]),
            Change::Schedule(task) => task.payload.len(),
            _ => 0,
        };
        self.changes.iter().map(of_change).sum()
    }

    /// Adds one change.
    #[must_use]
    pub fn with(mut self, change: Change) -> Self {
        self.changes.push(change);
        self
    }
}

/// One change.
#[derive(Debug, Clone)]
pub enum Change {
    /// A new entity, with its reference where backend and legacy id are known; [`Conflict::Exists`] when its id
    /// is taken.
    ///
    /// [`Conflict::Exists`]: super::Conflict::Exists
    Create(Box<Entity>),
    /// The entity as it is to be, its `version` being the one that was read; the stored one is one more.
    /// [`Conflict::Version`] when another exchange was first.
    ///
    /// [`Conflict::Version`]: super::Conflict::Version
    Update(Box<Entity>),
    /// A pair of ids; a pair that is there already stays.
    Refer(Reference),
    /// Key pairs of an entity's elements, added to those remembered; a Sonata key that is there gets the new
    /// legacy key.
    Remember {
        /// The entity's kind.
        kind: Kind,
        /// The entity.
        id: SonataId,
        /// The pairs.
        pairs: Vec<KeyPair>,
    },
    /// Takes an idempotency key; [`Conflict::Key`] when it is taken.
    ///
    /// [`Conflict::Key`]: super::Conflict::Key
    Begin {
        /// The key.
        key: IdempotencyKey,
        /// BLAKE3 of the request's body.
        body_hash: [u8; 32],
        /// The exchange that takes it.
        exchange: ExchangeId,
        /// When, in milliseconds since 1970.
        at_ms: i64,
    },
    /// Keeps the answer under a key that was begun.
    Finish {
        /// The key.
        key: IdempotencyKey,
        /// HTTP status.
        status: u16,
        /// The body as sent.
        answer: Bytes,
        /// The entity that was created.
        entity: Option<(Kind, SonataId)>,
    },
    /// Frees a key whose exchange had no effect, so that it may be tried again. A finished one stays.
    Abandon {
        /// The key.
        key: IdempotencyKey,
        /// The exchange that took it.
        exchange: ExchangeId,
    },
    /// One step of the journal.
    Journal(Box<JournalEntry>),
    /// A new task, at the end of its lane.
    Schedule(Box<Task>),
    /// The task is done and goes; [`Conflict::Lease`] when somebody else has it or it was given up.
    ///
    /// [`Conflict::Lease`]: super::Conflict::Lease
    Settle {
        /// The right to do it.
        lease: Lease,
    },
    /// The task is to be tried once more later, and its lane waits for it. As [`Change::Settle`].
    Postpone {
        /// The right to do it.
        lease: Lease,
        /// When it is due now, in milliseconds since 1970.
        due_ms: i64,
        /// Why it waits.
        note: Option<String>,
    },
    /// The task is given up and kept as a dead letter: listed and no longer claimed; its lane goes on. As
    /// [`Change::Settle`].
    Bury {
        /// The right to do it.
        lease: Lease,
        /// Why it was given up.
        note: String,
        /// When, in milliseconds since 1970.
        at_ms: i64,
    },
    /// A task that was buried is open again, at the end of its lane; [`Conflict::Task`] when none is.
    ///
    /// [`Conflict::Task`]: super::Conflict::Task
    Revive {
        /// The task.
        id: TaskId,
        /// When it is due, in milliseconds since 1970.
        due_ms: i64,
    },
    /// All open tasks of a queue that are about an entity go, those included that somebody is about to do: that one
    /// learns it by its lease. Those that this batch schedules after this stay.
    Unschedule {
        /// The queue.
        queue: Queue,
        /// The entity's kind.
        kind: Kind,
        /// The entity.
        id: SonataId,
    },
}

/// A pair of ids for one entity. A legacy id that comes again for another entity belongs to the newer one:
/// old systems reuse numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it is.
    pub kind: Kind,
    /// The id that the partner knows.
    pub sonata_id: SonataId,
    /// The legacy system.
    pub backend: BackendId,
    /// The id there.
    pub legacy_id: LegacyId,
}

/// The keys of one element on both sides, such as a quote item's `id` and its `lineNo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPair {
    /// The group of the mapping, such as `quoteItem`.
    pub group: String,
    /// The key in the Sonata message.
    pub sonata: String,
    /// The key in the legacy message, as text.
    pub legacy: String,
}

/// What names a repeated request.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey {
    /// Function and operation, such as `quote.createQuote`.
    pub operation: String,
    /// The partner's key, or its `externalId`.
    pub key: String,
}

/// Where a call that changes something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// About to be sent: from here on the legacy system may act.
    Intent,
    /// It answered; the answer is kept with the step.
    Answered,
    /// It failed with nothing sent.
    Unsent,
    /// What it did is in an entity, or it did nothing: no more attention is needed.
    Done,
}

impl Step {
    pub(super) const ALL: [Self; 4] = [Self::Intent, Self::Answered, Self::Unsent, Self::Done];

    /// The word that is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Answered => "answered",
            Self::Unsent => "unsent",
            Self::Done => "done",
        }
    }
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The exchange.
    pub exchange: ExchangeId,
    /// Function and operation, such as `order.createProductOrder`.
    pub operation: String,
    /// The call's name in the mapping, with the element's index where it has one (`uni[2]`); empty for the
    /// exchange as a whole.
    pub call: String,
    /// Where it stands.
    pub step: Step,
    /// The legacy system.
    pub backend: Option<BackendId>,
    /// CRC-32 of what was sent, so that a message of the legacy system's own log is known again.
    pub request_crc: Option<u32>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// The answer as received; of the exchange as a whole a note of its own: at its intent the keys that it took, at its
    /// end why it needs attention.
    pub reply: Option<Bytes>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// What is kept under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// BLAKE3 of the first request's body; another one is another request under the same key.
    pub body_hash: [u8; 32],
    /// The exchange that took the key.
    pub exchange: ExchangeId,
    /// When, in milliseconds since 1970.
    pub begun_ms: i64,
    /// The answer; `None` while that exchange runs, or when it ended without one.
    pub answer: Option<RememberedAnswer>,
}

/// A first answer, to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedAnswer {
    /// HTTP status.
    pub status: u16,
    /// The body as sent.
    pub body: Bytes,
    /// The entity that was created.
    pub entity: Option<(Kind, SonataId)>,
}
