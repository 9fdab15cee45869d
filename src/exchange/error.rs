//! How an exchange fails: whose fault it is, what the partner may know, what only the operator may.

use std::fmt;

use crate::{
    legacy::LegacyError,
    mapping::apply::Failure,
    plan::NoRoute,
    sonata::{Fault, check::QueryFault},
    store::StoreError,
};

/// Why an exchange did not end as its operation promises.
///
/// A variant says what happened, not which status that becomes; `problem.rs` alone decides that.
#[derive(Debug)]
pub enum ExchangeError {
    /// Nobody is configured for this caller.
    UnknownPartner,
    /// No operation of the partner's release has this path.
    NoSuchPath,
    /// The path exists, not with this method.
    MethodNotAllowed {
        /// The methods it exists with, as the `Allow` header lists them.
        allow: String,
    },
    /// The query is not one of the operation.
    Query(Vec<QueryFault>),
    /// The body is no JSON document within the limits.
    Body(String),
    /// The body is a document and breaks the contract.
    Contract(Vec<Fault>),
    /// What the path names is not there, or not the partner's.
    NotFound,
    /// The entity's state does not allow what was asked.
    Conflict {
        /// JSON Pointer into the request, where a member of it is to blame.
        pointer: Option<String>,
        /// What is in the way.
        reason: String,
    },
    /// The same request was sent before, and has not ended or ended with nobody knowing how.
    InProgress,
    /// Another request was sent before under the same key.
    OtherRequest {
        /// Whether the key is the message's `externalId`, or else a header.
        by_external_id: bool,
    },
    /// The operation is not offered to this partner.
    NotServed,
    /// The Seller's release does not have the operation.
    NotSold {
        /// Why.
        why: String,
    },
    /// No route of the partner takes the request.
    NotRouted(NoRoute),
    /// The operation is to be answered by people, and its answer cannot wait for them.
    Manual,
    /// The mapping refuses what the sender sent.
    Refused(Vec<Failure>),
    /// The legacy system complained, and the mapping says how that is told.
    LegacyProblem(LegacyProblem),
    /// The legacy system complained, and the mapping says nothing about it.
    LegacyStatus {
        /// Its status.
        status: u16,
        /// The name of the call.
        call: String,
    },
    /// The legacy system answered with a SOAP fault, and the mapping says nothing about it.
    LegacyFault {
        /// The fault's code, without prefix.
        code: String,
        /// The name of the call.
        call: String,
    },
    /// The legacy system's answer is not what its format promises.
    LegacyGarbage {
        /// The name of the call.
        call: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The legacy system was not reached, or did not answer.
    Legacy {
        /// The name of the call.
        call: String,
        /// What happened.
        error: LegacyError,
    },
    /// The mapping failed on our side: a script, a limit, an answer that it cannot say.
    Mapping(Vec<Failure>),
    /// The Seller that we buy from complained.
    Seller(Box<SellerProblem>),
    /// What we were about to answer breaks the contract.
    AnswerContract(Vec<Fault>),
    /// The store did not take or give what it should.
    Store(StoreError),
    /// The exchange's own time was over.
    Deadline,
    /// A defect of the program, with the panic's text.
    Panicked(String),
    /// Something that cannot be, told rather than panicked about.
    Internal(String),
}

/// A legacy complaint in the mapping's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegacyProblem {
    /// The code of Error422.
    pub code: crate::mapping::program::FailureCode,
    /// JSON Pointer into the sender's payload.
    pub pointer: Option<String>,
    /// What the partner is told.
    pub reason: String,
}

/// Whose fault a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// The request.
    Buyer,
    /// The legacy system.
    Legacy,
    /// Ourselves: mapping, store, program.
    Gateway,
    /// Nobody's: not offered.
    NotOffered,
}

/// What a Seller that we buy from says is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SellerProblem {
    /// The operation.
    pub call: String,
    /// HTTP status.
    pub status: u16,
    /// What it complains of; of a problem that is no list, the whole.
    pub complaints: Vec<Complaint>,
}

/// One complaint of a Seller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Complaint {
    /// The standard's code.
    pub code: Option<String>,
    /// Why, in the Seller's words.
    pub reason: Option<String>,
    /// JSON Pointer into what we sent.
    pub path: Option<String>,
    /// JSON Pointer into what our procurement system sent, where that was made of it.
    pub at: Option<String>,
}

impl SellerProblem {
    /// Whether the Seller says by it that it did nothing.
    #[must_use]
    pub fn says_no(&self) -> bool {
        (400..500).contains(&self.status) && self.status != 408 || self.status == 501
    }
}

impl ExchangeError {
    /// Whose fault it is.
    #[must_use]
    pub fn blame(&self) -> Blame {
        match self {
            Self::UnknownPartner
            | Self::NoSuchPath
            | Self::MethodNotAllowed { .. }
            | Self::Query(_)
            | Self::Body(_)
            | Self::Contract(_)
            | Self::NotFound
            | Self::Conflict { .. }
            | Self::InProgress
            | Self::OtherRequest { .. }
            | Self::Refused(_)
            | Self::LegacyProblem(_)
            | Self::NotRouted(NoRoute::Party { .. } | NoRoute::Body { .. }) => Blame::Buyer,
            Self::Seller(problem) if problem.says_no() => Blame::Buyer,
            Self::LegacyStatus { .. }
            | Self::LegacyFault { .. }
            | Self::LegacyGarbage { .. }
            | Self::Seller(_)
            | Self::Legacy { .. } => Blame::Legacy,
            Self::NotServed | Self::NotSold { .. } | Self::Manual | Self::NotRouted(NoRoute::Operation) => {
                Blame::NotOffered
            }
            Self::Mapping(_)
            | Self::AnswerContract(_)
            | Self::Store(_)
            | Self::Deadline
            | Self::Panicked(_)
            | Self::Internal(_) => Blame::Gateway,
        }
    }
}

/// The internal text: for the log, never for the partner.
impl fmt::Display for ExchangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPartner => f.write_str("nobody is configured for this caller"),
            Self::NoSuchPath => f.write_str("no operation has this path"),
            Self::MethodNotAllowed { allow } => write!(f, "the path allows {allow}"),
            Self::Query(faults) => f.write_str(faults.first().map_or("", |fault| fault.reason.as_str())),
            Self::Body(reason) | Self::Conflict { reason, .. } => f.write_str(reason),
            Self::Contract(faults) => write!(f, "{} faults in the request", faults.len()),
            Self::NotFound => f.write_str("no such entity of this partner"),
            Self::InProgress => f.write_str("the first request under the same key has not ended"),
            Self::OtherRequest { .. } => f.write_str("another request was sent before under the same key"),
            Self::NotServed => f.write_str("the operation is not offered to this partner"),
            Self::NotSold { why } => write!(f, "the Seller's release does not have this: {why}"),
            Self::NotRouted(NoRoute::Operation) => f.write_str("no route of the partner takes the operation"),
            Self::NotRouted(NoRoute::Party { parameter }) => {
                write!(f, "no route of the partner is for this {parameter}")
            }
            Self::NotRouted(NoRoute::Body { pointer, reason }) => {
                write!(f, "no route of the partner takes the request: at {pointer:?}, {reason}")
            }
            Self::Manual => {
                f.write_str("the operation is set to manual, and its answer cannot wait for a person")
            }
            Self::Refused(failures) => write!(f, "refused by the mapping: {}", Failures(failures)),
            Self::LegacyProblem(problem) => write!(f, "the legacy system refused: {}", problem.reason),
            Self::LegacyStatus { status, call } => {
                write!(f, "call `{call}` was answered with status {status}")
            }
            Self::LegacyFault { code, call } => {
                write!(f, "call `{call}` was answered with the fault {code:?}")
            }
            Self::LegacyGarbage { call, detail } => write!(f, "call `{call}` was answered with {detail}"),
            Self::Legacy { call, error } => write!(f, "call `{call}`: {error}"),
            Self::Seller(problem) => {
                write!(f, "the Seller answered `{}` with status {}", problem.call, problem.status)?;
                let first = problem.complaints.first().and_then(|one| one.reason.as_deref());
                first.map_or(Ok(()), |reason| write!(f, ": {reason}"))
            }
            Self::Mapping(failures) => write!(f, "the mapping failed: {}", Failures(failures)),
            Self::AnswerContract(faults) => match faults.first() {
                Some(first) => {
                    write!(f, "our answer breaks the contract at {}: {}", first.pointer, first.reason)?;
                    if faults.len() > 1 { write!(f, " and {} more", faults.len() - 1) } else { Ok(()) }
                }
                None => f.write_str("our answer breaks the contract"),
            },
            Self::Store(error) => write!(f, "the store: {error}"),
            Self::Deadline => f.write_str("the time of the exchange was over"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::Internal(text) => f.write_str(text),
        }
    }
}

impl From<StoreError> for ExchangeError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

struct Failures<'f>(&'f [Failure]);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, failure) in self.0.iter().enumerate().take(5) {
            let sep = if index == 0 { "" } else { "; " };
            write!(
                f,
                "{sep}{} ({}) at {:?}: {}",
                failure.origin, failure.origin.address, failure.source_pointer, failure.message
            )?;
        }
        if self.0.len() > 5 { write!(f, "; and {} more", self.0.len() - 5) } else { Ok(()) }
    }
}
