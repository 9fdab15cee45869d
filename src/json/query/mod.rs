//! `JSONPath` (RFC 9535) on documents: queries that select nodes, and bare conditions that hold or not.
//!
//! `jsonpath-rust` parses; what it understood is lowered into a tree of our own and run on
//! [`Node`]s without copying them. Parsing happens when configuration is loaded, never per message. Narrower
//! than RFC 9535 in two points, each refused with a reason: no `..` (its cost grows with the message), and the
//! pattern of `match` and `search` must be a literal (it is compiled once). Wider in one: a query may begin
//! with `@` and is then read from the scope. Numbers are compared by exact decimal value, those in the query included.

mod condition;
mod evaluate;
mod expression;
mod lower;
mod path;
mod pattern;
mod reads;
mod scan;
mod witness;

pub use self::{
    condition::{Condition, Equality},
    expression::Literal,
    path::{Origin, Singular, Step},
    reads::{Read, ReadStep},
    witness::{Demand, Wanted},
};
use self::{lower::Lowering, path::Path};
use super::node::Node;

/// Longest accepted query or condition, in bytes.
pub const QUERY_BYTES_MAX: usize = 4096;

/// Why a text is no query or condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QueryError {
    /// Byte of the text at which the trouble is.
    pub offset: usize,
    /// What is wrong there, for whoever wrote the query.
    pub message: String,
}

impl QueryError {
    fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { offset, message: message.into() }
    }
}

/// A query of RFC 9535, parsed once and run many times.
#[derive(Debug, Clone)]
pub struct Query {
    text: Box<str>,
    path: Path,
}

/// Whether both were written alike.
impl PartialEq for Query {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Query {
    /// Reads a query, which begins with `$` (the root) or `@` (the scope).
    ///
    /// # Errors
    /// [`QueryError`] says what is not RFC 9535, or not ours, and where.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let origin = match text.as_bytes().first() {
            Some(b'$') => Origin::Root,
            Some(b'@') => Origin::Scope,
            _ => return Err(QueryError::new(0, "a query begins with `$` or `@`")),
        };
        let scanned = scan::query(text)?;
        let mut plain = scanned.plain.clone();
        plain.replace_range(..1, "$");
        let parsed = lower::parse(&plain, 0)?;
        let path = Lowering::new(&scanned).path(origin, &parsed.segments)?;
        Ok(Self { text: text.into(), path })
    }

    /// The query as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The steps of a query that can select at most one node.
    #[must_use]
    pub fn singular(&self) -> Option<&Singular> {
        match &self.path {
            Path::Singular(singular) => Some(singular),
            Path::Plural(_) => None,
        }
    }

    /// All nodes selected, in the order of RFC 9535. `@` is `scope`, `$` is `root`.
    #[must_use]
    pub fn select<'d>(&self, scope: Node<'d>, root: Node<'d>) -> Vec<Node<'d>> {
        let mut found = Vec::new();
        self.path.visit(scope, root, &mut |node| {
            found.push(node);
            true
        });
        found
    }

    /// The first node selected. Never allocates for a singular query.
    #[must_use]
    pub fn first<'d>(&self, scope: Node<'d>, root: Node<'d>) -> Option<Node<'d>> {
        self.path.first(scope, root)
    }

    /// Every path that the query can read, those of its filters included.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        reads::of_path(&self.path)
    }
}
