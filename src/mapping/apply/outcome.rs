//! What comes of applying a program.

use super::KeyPair;
use crate::json::Document;
use crate::mapping::path::Part;
use crate::mapping::program::{FailureCode, Origin};

/// A mapped message.
#[derive(Debug, Default)]
pub struct Applied {
    /// The body; none where no rule wrote to it.
    pub body: Option<Document>,
    /// Query parameters in the order of the rules; one entry per value, not percent-encoded.
    pub query: Vec<(String, String)>,
    /// Path parameters, not percent-encoded.
    pub path: Vec<(String, String)>,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Attributes of an answer that were left out, and why; at most [`super::Limits::failures_max`].
    pub findings: Vec<Failure>,
    /// Pairs of keys to remember for later messages: those not remembered already.
    pub keys: Vec<KeyPair>,
}

/// Something that could not be mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The rule.
    pub origin: Origin,
    /// Who has to mend it.
    pub fault: Fault,
    /// What is wrong, for the sender.
    pub code: FailureCode,
    /// The part of the sender's message that is to blame.
    pub part: Part,
    /// Where in that part: a JSON Pointer, `/quoteItem/1/action`; of a query or path parameter `/name`.
    pub source_pointer: String,
    /// Where it should have been written, as the mapping has it.
    pub target: String,
    /// One sentence; holds at most an excerpt of the sender's own value.
    pub message: String,
}

/// Who has to mend a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The sender of the message: a partner's request is answered 422; a legacy answer is a finding or 500.
    Sender,
    /// The mapping: a script that failed, a limit, two rules in each other's way. Never told in detail to a
    /// partner.
    Mapping,
}
