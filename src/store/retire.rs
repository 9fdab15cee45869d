//! Retention: entities that ended long ago, and that nothing needs any more, go.
//!
//! An adapter walks what has ended, by partner, kind and state and from the oldest on, in steps that each take a bounded
//! number of rows. An entity stays while a task about it is open, while the entity that it belongs to is kept (the charges
//! of an order, the quote that it accepted), and while one that belongs to it has not ended. With it go its pairs of ids,
//! those of its items and the keys of its elements.

use super::Kind;

/// Which entities of one kind may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retirement {
    /// The kind.
    pub kind: Kind,
    /// The kind under which pairs of ids of its items are kept, each by the entity's id, a `/` and its own.
    pub items: Option<Kind>,
    /// The states in which one has ended.
    pub ended: Vec<String>,
    /// When it must have changed last, in milliseconds since 1970: before this.
    pub before_ms: i64,
}

/// How far a walk has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// Partner, kind and state, as the adapter has them.
    pub(super) place: [String; 3],
    /// The last row that was looked at there.
    pub(super) seq: i64,
}

/// What one step of a walk did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Retired {
    /// How many entities of each kind are gone; none of a kind that is not named.
    pub removed: Vec<(Kind, u64)>,
    /// Where to go on; `None` at the end.
    pub next: Option<Bookmark>,
}

impl Retired {
    /// Counts what is gone.
    pub(super) fn add(&mut self, kind: &Kind, count: u64) {
        match self.removed.iter_mut().find(|(known, _)| known == kind) {
            Some((_, sum)) => *sum += count,
            None if count > 0 => self.removed.push((kind.clone(), count)),
            None => {}
        }
    }
}
