//! What `problems:` reads: how a problem looks before it is put into the procurement system's words.
//!
//! It is none of the standard's messages. Each release has its own, one per status, and Segue has troubles that no
//! Seller told of; this one form stands for all of them.

use super::schema::{Kind, Lookup, Member, OperationFacts, Schema, TypeId, Types};

/// A word for what is wrong, in `code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TroubleCode {
    /// 400: the message cannot be read.
    InvalidBody,
    /// 401: nobody knows who asks.
    UnknownCaller,
    /// 404: no such path, or nothing of that number.
    NotFound,
    /// 405: not with this method.
    MethodNotAllowed,
    /// 409: the same was asked before and has not ended.
    InProgress,
    /// 409: something else was asked before under the same number.
    OtherRequest,
    /// 422: the message is wrong where `errors` says.
    InvalidMessage,
    /// 500: our own fault.
    InternalError,
    /// 501: the Seller does not offer it, or no mapping says it.
    NotImplemented,
    /// 502: the Seller failed, or what it answered says nothing to us.
    SellerFailed,
    /// 502: the Seller does not let us in.
    SellerRefuses,
    /// 503 where nothing was sent, 504 where nobody knows: the Seller did not answer.
    SellerUnavailable,
    /// 503: worth another try.
    Unavailable,
}

impl TroubleCode {
    /// All of them, by their statuses.
    pub const ALL: [Self; 13] = [
        Self::InvalidBody,
        Self::UnknownCaller,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::InProgress,
        Self::OtherRequest,
        Self::InvalidMessage,
        Self::InternalError,
        Self::NotImplemented,
        Self::SellerFailed,
        Self::SellerRefuses,
        Self::SellerUnavailable,
        Self::Unavailable,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidBody => "invalidBody",
            Self::UnknownCaller => "unknownCaller",
            Self::NotFound => "notFound",
            Self::MethodNotAllowed => "methodNotAllowed",
            Self::InProgress => "inProgress",
            Self::OtherRequest => "otherRequest",
            Self::InvalidMessage => "invalidMessage",
            Self::InternalError => "internalError",
            Self::NotImplemented => "notImplemented",
            Self::SellerFailed => "sellerFailed",
            Self::SellerRefuses => "sellerRefuses",
            Self::SellerUnavailable => "sellerUnavailable",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Types begin here, far from those of contracts.
const BASE: u64 = 1 << 63;
const ROOT: TypeId = TypeId(BASE);
const ERRORS: TypeId = TypeId(BASE + 1);
const ERROR: TypeId = TypeId(BASE + 2);
const TEXT: TypeId = TypeId(BASE + 3);
const INTEGER: TypeId = TypeId(BASE + 4);
const CODE: TypeId = TypeId(BASE + 5);

/// Members of a problem, with whether they are always there.
const PROBLEM: &[(&str, Member)] = &[
    ("status", Member { ty: INTEGER, required: true }),
    ("code", Member { ty: CODE, required: true }),
    ("reason", Member { ty: TEXT, required: true }),
    ("errors", Member { ty: ERRORS, required: true }),
];

/// Members of an entry of `errors`. Its `code` is the standard's, or whatever a Seller says.
const ENTRY: &[(&str, Member)] = &[
    ("code", Member { ty: TEXT, required: true }),
    ("reason", Member { ty: TEXT, required: true }),
    ("propertyPath", Member { ty: TEXT, required: false }),
];

/// The checker's questions about problems; of everything else it knows nothing.
#[derive(Debug, Clone, Copy)]
pub struct ProblemSchema;

impl ProblemSchema {
    /// The type of a problem.
    #[must_use]
    pub fn problem(self) -> TypeId {
        ROOT
    }
}

fn members(ty: TypeId) -> &'static [(&'static str, Member)] {
    match ty {
        ROOT => PROBLEM,
        ERROR => ENTRY,
        _ => &[],
    }
}

impl Types for ProblemSchema {
    fn title(&self) -> &'static str {
        "a problem"
    }

    fn kind(&self, ty: TypeId) -> Kind {
        match ty {
            ROOT | ERROR => Kind::Object,
            ERRORS => Kind::Array,
            TEXT | CODE => Kind::Text,
            INTEGER => Kind::Integer,
            _ => Kind::Any,
        }
    }

    fn element(&self, ty: TypeId) -> Option<TypeId> {
        (ty == ERRORS).then_some(ERROR)
    }

    fn member(&self, ty: TypeId, name: &str, _discriminator: Option<&str>) -> Lookup {
        let found = members(ty).iter().find(|(own, _)| *own == name);
        found.map_or(Lookup::Missing, |(_, member)| Lookup::Found(*member))
    }

    fn members(&self, ty: TypeId, _discriminator: Option<&str>) -> Vec<(String, Member)> {
        members(ty).iter().map(|(name, member)| ((*name).to_owned(), *member)).collect()
    }

    fn values(&self, ty: TypeId) -> Vec<String> {
        let all = TroubleCode::ALL.iter().filter(|_| ty == CODE);
        all.map(|code| code.as_str().to_owned()).collect()
    }
}

impl Schema for ProblemSchema {
    fn functions(&self) -> Vec<String> {
        Vec::new()
    }

    fn operations(&self, _function: &str) -> Vec<String> {
        Vec::new()
    }

    fn operation(&self, _function: &str, _operation_id: &str) -> Option<OperationFacts> {
        None
    }

    fn type_names(&self, _function: &str) -> Vec<String> {
        Vec::new()
    }

    fn root(&self, _function: &str, _name: &str) -> Option<TypeId> {
        None
    }
}
