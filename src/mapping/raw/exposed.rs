//! What our own procurement system is offered, as written: `exposes:` and `problems:`.

use super::{Body, Text};
use crate::text::Span;

/// One entry of `exposes:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expose {
    /// The whole entry.
    pub span: Span,
    /// Method and path: `POST /procurement/quotes`.
    pub call: Text,
    /// The function of the file.
    pub function: Option<Text>,
    /// operationId of the Seller's operation.
    pub operation: Option<Text>,
    /// Which Seller is meant.
    pub seller: Seller,
    /// What becomes of the message.
    pub request: Option<Body>,
    /// What becomes of the Seller's answer.
    pub answer: Option<Body>,
    /// The array of our answer that the elements of a list go to.
    pub each: Option<Text>,
    /// The status that our answer has.
    pub status: Option<u64>,
    /// Where the message has the procurement system's own id of what is bought.
    pub correlation: Option<Text>,
    /// Holds of the Seller's answer that our answer waits for.
    pub wait: Option<Text>,
}

/// How a message says which Seller it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seller {
    /// There is one only.
    Only,
    /// By the partner's name, at this place.
    Name(Text),
    /// By a setting of partners, which this place repeats.
    Setting(Text, Text),
}

/// One entry of `notifies:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notify {
    /// The Seller's event: `quoteStateChangeEvent`.
    pub event: Text,
    /// The function of the file.
    pub function: Option<Text>,
    /// operationId of the look-up that follows it.
    pub follow: Option<Text>,
    /// Method and address that our procurement system is told at.
    pub call: Option<Text>,
    /// What it is told.
    pub request: Option<Body>,
}

/// `problems:`, how a problem is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    /// The whole entry.
    pub span: Span,
    /// The status that every problem has; none: that of the problem.
    pub status: Option<u64>,
    /// What becomes of it.
    pub body: Body,
}
