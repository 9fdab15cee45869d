//! The document itself: text and node table behind one `Arc`.
//!
//! Parsing ([`super::parse`]) and building ([`super::Builder`]) both end here; both keep the law that the
//! table describes the text exactly, which [`Node`] relies on.

use std::{fmt, sync::Arc};

use bytes::Bytes;

use super::{
    Builder,
    node::{Node, NodeId},
    parse::{Limits, ParseError, parse},
    table::Record,
};

/// One JSON value: its exact text and the table of its nodes. Cloning shares both.
#[derive(Clone)]
pub struct Document(Arc<Inner>);

/// Whether both have the same text, which says more than the same value.
impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

struct Inner {
    /// A `String` rather than `Bytes`, so that slices of it are text without being checked again.
    text: String,
    nodes: Vec<Record>,
}

impl Document {
    /// Reads one JSON value (RFC 8259) that fills `bytes`, white space around it allowed.
    ///
    /// A buffer that is owned alone is taken over; a shared one is copied once.
    ///
    /// # Errors
    /// [`ParseError`] says what is wrong and where: the first thing that breaks the grammar, one of
    /// `limits`, or one of the rules stricter than RFC 8259 (see [`super::ParseCode`]).
    pub fn parse(bytes: impl Into<Bytes>, limits: &Limits) -> Result<Self, ParseError> {
        let (text, nodes) = parse(bytes.into(), limits)?;
        Ok(Self::from_parts(text, nodes))
    }

    /// Reads a text under the default limits.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn from_text(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes().to_vec(), &Limits::default())
    }

    /// A copy of one node as a document of its own; its text is the node's raw text.
    #[must_use]
    pub fn of(node: Node<'_>) -> Self {
        let mut builder = Builder::new();
        let root = builder.copy(node);
        builder.finish(root)
    }

    pub(super) fn from_parts(text: String, nodes: Vec<Record>) -> Self {
        Self(Arc::new(Inner { text, nodes }))
    }

    /// The value itself.
    #[inline]
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        self.node(NodeId::ROOT)
    }

    /// The node with this id. An id of another document names some node or, past the end, a null without text.
    #[inline]
    #[must_use]
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node::new(self, id)
    }

    /// The exact text, as received or as built, white space around the value included.
    #[inline]
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The exact text as a shared buffer, ready to be sent: no copy, the buffer keeps the document alive.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        Bytes::from_owner(self.clone())
    }

    /// Number of nodes, at least 1.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.0.nodes.len()
    }

    #[inline]
    pub(super) fn records(&self) -> &[Record] {
        &self.0.nodes
    }
}

impl AsRef<[u8]> for Document {
    fn as_ref(&self) -> &[u8] {
        self.0.text.as_bytes()
    }
}

/// Sizes only: a document may hold a partner's private data, and `{:?}` ends up in logs.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} bytes, {} nodes)", self.text().len(), self.node_count())
    }
}
