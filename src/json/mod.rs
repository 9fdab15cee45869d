//! The document: JSON as it came, shared and lossless.
//!
//! A [`Document`] is the exact text of one JSON value beside a table of its nodes. Nothing is turned into
//! floats, maps or owned strings: a [`Node`] is a place in the table, and its raw text is what was received,
//! so numbers, escapes and member order leave as they came. A [`Builder`] makes new documents, splicing
//! copied nodes text and table alike, so that nothing is parsed twice on its way from wire to wire.
//! [`query`] runs RFC 9535 queries and bare conditions on nodes; [`number`] compares numbers by their exact
//! decimal value.
//!
//! Unlike `serde_json`, which configuration and the admin listener use, this room never rounds, never
//! reorders and refuses what two readers could understand differently: duplicate members, lone surrogates,
//! a byte order mark.

mod builder;
mod document;
mod names;
mod node;
pub mod number;
mod parse;
mod plain;
pub mod query;
mod table;
mod unescape;
pub mod writer;

pub use builder::{Builder, Fresh, Name, Patch, Placing, Seen, Slot};
pub use document::Document;
pub use names::{Named, Names};
pub use node::{Elements, Kind, Members, Node, NodeId};
pub use parse::{Limits, ParseCode, ParseError};

#[cfg(test)]
mod tests;
