//! Field paths: places that can be read and written.
//!
//! A field path is the one notation of the language that works in both directions: the same text is read
//! where its side is the source and written where its side is the target. A query (`json::query`) only
//! reads and may select many nodes; a field path names one place (or, ending in `[*]`, one array).
//!
//! ```text
//! hdr.custRef                 members, from the scope
//! $.adr[*]                    from the root of that side; every element (last step only)
//! lines[0]['any name']        one element; a member whose name is no plain word
//! .                           the scope itself
//! place[?@.role=='A' && @['@type']=='B']     the element with those members
//! query:state path:id header:x-ref           parts other than the body
//! ```
//!
//! Paths are lowered to [`Step`]s when the mapping is loaded; reading allocates nothing.

mod parse;
mod read;

pub use parse::PathError;
pub use read::Ambiguous;
pub(super) use read::push_token;

use std::sync::Arc;

use crate::json::Name;

/// A place in a message that can be read and written.
///
/// Equality is that of the lowered form: `a['b']` equals `a.b`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    /// Which part of the message holds the place.
    pub part: Part,
    /// Where the steps begin; [`Anchor::Root`] for every part but the body.
    pub anchor: Anchor,
    /// The steps from there; empty for `.`, exactly one [`Step::Member`] for parts other than the body. Shared by all that are
    /// made of one text: programs have most paths more than once.
    pub steps: Arc<[Step]>,
    /// True where the path ends in `[*]`: it names the elements of the array at `steps`.
    pub every: bool,
}

/// A part of a message that has places of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The JSON body.
    Body,
    /// A query parameter, `query:state`; may have several values.
    Query,
    /// A path parameter, `path:id`.
    Path,
    /// A header, `header:x-ref`; names compare without case.
    Header,
}

/// Where the steps of a path begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// At the scope of the rule: the element or object its group is at.
    Scope,
    /// At the root of that side's message, `$.`.
    Root,
}

/// One step of a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// The member of an object.
    Member(Name),
    /// The element of an array, from zero. Writing is possible only at an existing element or right after
    /// the last one.
    Index(usize),
    /// The one element of an array whose members equal these terms (at least one). Reading fails where two
    /// match; writing finds that element or creates it with those members.
    Keyed(Box<[Term]>),
}

/// `path == literal`: one term of a keyed element, or of a condition that stands on the written side.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Term {
    /// Member names from the element; never empty.
    pub members: Box<[Name]>,
    /// What stands there.
    pub value: Literal,
}

/// A constant of the mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as its exact JSON text.
    Number(Box<str>),
    /// A string, unescaped.
    Text(Box<str>),
    /// `[]`
    EmptyArray,
    /// `{}`
    EmptyObject,
}

impl FieldPath {
    /// The scope itself, `.`.
    pub fn scope() -> Self {
        Self { part: Part::Body, anchor: Anchor::Scope, steps: Arc::default(), every: false }
    }

    /// Parses the text of a path.
    ///
    /// # Errors
    /// [`PathError`] with the byte offset of the first character that does not fit.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        parse::parse(text)
    }

    /// True for `.`: the path that names the scope itself.
    pub fn is_scope(&self) -> bool {
        self.part == Part::Body && self.anchor == Anchor::Scope && self.steps.is_empty() && !self.every
    }

    /// Whether it is a place of the body that names of members alone lead to.
    pub fn is_members(&self) -> bool {
        self.part == Part::Body && self.steps.iter().all(|step| matches!(step, Step::Member(_)))
    }

    /// The path of the array whose elements this `[*]` path names; the same path for any other.
    #[must_use]
    pub fn array(&self) -> Self {
        Self { every: false, ..self.clone() }
    }
}
