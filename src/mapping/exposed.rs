//! What our own procurement system is offered, compiled: its messages, and what they become at a Seller.

use std::sync::Arc;

use super::{
    news::{Segment, values},
    operation::CallTarget,
    path::FieldPath,
    program::{Origin, Program},
};
use crate::json::query::Condition;

/// A message of our procurement system that becomes an operation at a Seller, and the Seller's answer on its way back.
#[derive(Clone, Debug, PartialEq)]
pub struct Expose {
    /// Where it was written, with a name for logs: `POST /procurement/quotes`.
    pub origin: Origin,
    /// Upper case: `POST`.
    pub method: Box<str>,
    /// The segments of its path.
    pub path: Box<[Segment]>,
    /// The function of the Seller's operation: `quote`.
    pub function: Box<str>,
    /// The Seller's operation: `createQuote`.
    pub operation_id: Box<str>,
    /// Which Seller is meant.
    pub seller: Seller,
    /// Maps the message; none: nothing of it goes on.
    pub request: Option<Arc<Program>>,
    /// What is made of the Seller's answer.
    pub answer: Answer,
    /// The status of our answer, 200 to 299; none: that of the Seller's.
    pub status: Option<u16>,
    /// Where the message has the procurement system's own id of what is bought.
    pub correlation: Option<FieldPath>,
    /// Holds of what the Seller says once it is what our answer waits for; none: what it says first.
    pub wait: Option<Condition>,
    /// How problems are told; none: in the gateway's own way.
    pub problems: Option<Arc<Problems>>,
}

/// How a message says which Seller it is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Seller {
    /// There is one only.
    Only,
    /// By the partner's name.
    Name(FieldPath),
    /// By a setting of partners, which this place repeats.
    Setting(Box<str>, FieldPath),
}

/// What is made of a Seller's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Nothing: our answer has no body.
    Empty,
    /// One message.
    Whole(Arc<Program>),
    /// One element for each of a list.
    Each {
        /// The array that they go to (`every` is set), from the root of our answer.
        into: FieldPath,
        /// Per element.
        program: Arc<Program>,
    },
}

/// An event of a Seller that our procurement system is told of.
#[derive(Clone, Debug)]
pub struct Notify {
    /// The event: `quoteStateChangeEvent`.
    pub event: Box<str>,
    /// The look-up that follows it, and what becomes of its answer: an entry that no message is.
    pub follow: Arc<Expose>,
    /// Where our procurement system is told.
    pub target: CallTarget,
}

/// How problems are told: `problems:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Problems {
    /// The status that every problem has; none: that of the problem.
    pub status: Option<u16>,
    /// Maps what is told (`status`, `code`, `reason`, `errors[*]` with `code`, `reason` and `propertyPath`).
    pub program: Arc<Program>,
}

impl Expose {
    /// The values of the path's parameters, where this is a path of this message; still percent-encoded.
    #[must_use]
    pub fn values<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        values(&self.path, path)
    }
}
