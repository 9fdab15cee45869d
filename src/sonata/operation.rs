//! Operations: the one table that router, checks, documentation and tests read.
//!
//! An operation is named by its function and its operationId; the latter alone is not enough, because
//! `registerListener` and others repeat.

use super::{Function, TypeId};
use http::Method;

/// Response header: how many entities there are in all.
pub const TOTAL_COUNT_HEADER: &str = "x-total-count";
/// Response header: how many entities this answer has.
pub const RESULT_COUNT_HEADER: &str = "x-result-count";
/// Response header: `true` if there are more than the answering party will tell.
pub const PAGINATION_THROTTLED_HEADER: &str = "x-pagination-throttled";

/// One operation of an API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// The API.
    pub function: Function,
    /// The standard's name of it, unique within the function.
    pub operation_id: String,
    /// HTTP method.
    pub method: Method,
    /// Path below the version.
    pub path: Vec<Segment>,
    /// Query parameters.
    pub query: Vec<QueryParameter>,
    /// Type of the request body; none if there is no body.
    pub request: Option<TypeId>,
    /// The status that is not an error; the lowest where there are several.
    pub success_status: u16,
    /// All statuses, ascending: the operation's response set.
    pub responses: Vec<Response>,
    /// Whether the answer is a list with paging headers.
    pub paged: bool,
}

/// A part of a path between slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// Must be exactly this.
    Literal(String),
    /// Anything; called so.
    Parameter(String),
}

/// A parameter after the `?`.
#[derive(Debug, Clone)]
pub struct QueryParameter {
    /// Its name.
    pub name: String,
    /// Whether it must be given. Never so in the releases up to grace.
    pub required: bool,
    /// What its value must be, as a type of the contract.
    pub value: TypeId,
    /// Whether it may be given several times.
    pub repeatable: bool,
}

/// One status of an operation.
#[derive(Debug, Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// The body; none if there is none.
    pub body: Option<Body>,
    /// Whether `X-Total-Count` and the other paging headers belong to it.
    pub paged: bool,
}

/// The body of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    /// Type of the whole body.
    pub value: TypeId,
    /// Type of its elements if it is a list.
    pub item: Option<TypeId>,
}

impl Body {
    /// Whether the body is a list.
    pub fn is_array(self) -> bool {
        self.item.is_some()
    }
}

impl Operation {
    /// The response of this status.
    pub fn response(&self, status: u16) -> Option<&Response> {
        self.responses.iter().find(|response| response.status == status)
    }

    /// Whether the response set has this status.
    pub fn has_status(&self, status: u16) -> bool {
        self.response(status).is_some()
    }

    /// The body of the status that is not an error.
    pub fn success_body(&self) -> Option<Body> {
        self.response(self.success_status)?.body
    }

    /// The path as the standard writes it, such as `/quote/{id}`.
    pub fn path_text(&self) -> String {
        let mut text = String::new();
        for segment in &self.path {
            match segment {
                Segment::Literal(name) => text.extend(["/", name]),
                Segment::Parameter(name) => text.extend(["/{", name, "}"]),
            }
        }
        text
    }

    /// Raw values of the path's parameters if the path is this operation's; still percent-encoded.
    pub fn match_path<'o, 'p>(&'o self, path: &'p str) -> Option<Vec<(&'o str, &'p str)>> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let mut values = Vec::new();
        for segment in &self.path {
            let part = parts.next()?;
            match segment {
                Segment::Literal(name) if name == part => {}
                Segment::Parameter(name) if !part.is_empty() => values.push((name.as_str(), part)),
                _ => return None,
            }
        }
        if parts.next().is_some() { None } else { Some(values) }
    }
}

/// What stands at a path.
#[derive(Debug)]
pub enum Found<'c, 'p> {
    /// This operation, with the raw values of the path's parameters.
    Operation(&'c Operation, Vec<(&'c str, &'p str)>),
    /// Other methods only: what belongs into `Allow`.
    OtherMethods(Vec<&'c Method>),
    /// Nothing.
    Nothing,
}
