//! What a mapping would do: a message tried, a partner's coverage counted, with the mapping files as they are or as
//! somebody is about to save them.
//!
//! The command line and the admin listener ask the same questions here; nothing is served, kept or sent.

pub mod coverage;
mod find;
mod message;

pub use find::{FoundOperation, find_operation, find_partner, known};
pub use message::{Message, Outcome, Refusal, rehearse};

/// A question about something that is not there: a partner, an operation, a call. One sentence, with the nearest
/// that there is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Misuse(pub String);
