//! What a program is applied to.

use std::collections::HashMap;

use super::{Headers, KeyPair};
use crate::json::Node;
use crate::mapping::facts::Facts;
use crate::mapping::program::Tables;

/// The message being read, and what is known besides.
#[derive(Debug)]
pub struct Input<'m> {
    /// Root of the body, `$`; none reads as an empty object.
    pub body: Option<Node<'m>>,
    /// The element of the body that is mapped, `@`; none: the root.
    pub scope: Option<Node<'m>>,
    /// Where the scope stands in its array, for scripts; none where it is no element.
    pub index: Option<usize>,
    /// Query parameters, decoded.
    pub query: &'m [(String, String)],
    /// Path parameters, decoded.
    pub path: &'m [(String, String)],
    /// Headers, names in lower case.
    pub headers: &'m Headers,
    /// What scripts see as `facts`.
    pub facts: &'m dyn Facts,
    /// What [`super::references()`] asked for.
    pub references: &'m References,
    /// Pairs of keys that earlier messages of the entity left ([`super::Applied::keys`]).
    pub remembered: &'m [KeyPair],
    /// Code tables in the place of those that the program names.
    pub tables: &'m Tables,
    /// Bounds of what may be written.
    pub limits: Limits,
}

impl<'m> Input<'m> {
    /// A message with this body and nothing else; set what else there is.
    pub fn new(body: Option<Node<'m>>, facts: &'m dyn Facts, references: &'m References) -> Self {
        Self {
            body,
            scope: None,
            index: None,
            query: &[],
            path: &[],
            headers: Headers::none(),
            facts,
            references,
            remembered: &[],
            tables: &Tables::NONE,
            limits: Limits::default(),
        }
    }
}

/// Bounds of one application. Beyond one of the first three it ends with a failure of the mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most values (members and elements) written.
    pub values_max: usize,
    /// Most comparisons of elements in joins, keyed elements and queries from the root; of those that look
    /// through the whole message, its nodes.
    pub comparisons_max: usize,
    /// Most steps that its scripts take together: each is bounded by itself, but a message has many elements, and
    /// whoever waits for it has a deadline that no script looks at. Some two seconds of work.
    pub steps_max: u64,
    /// Most failures, and most findings, that are told; mapping ends with the last.
    pub failures_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { values_max: 200_000, comparisons_max: 5_000_000, steps_max: 10_000_000, failures_max: 100 }
    }
}

/// Ids of other entities, resolved before a program runs: per kind, from the source side's to the target's.
#[derive(Debug, Default)]
pub struct References {
    ids: HashMap<String, HashMap<String, String>>,
}

impl References {
    /// None resolved.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the target id of a source id.
    pub fn insert(&mut self, kind: &str, source: impl Into<String>, target: impl Into<String>) {
        self.ids.entry(kind.to_owned()).or_default().insert(source.into(), target.into());
    }

    /// The target id of a source id.
    pub fn get(&self, kind: &str, source: &str) -> Option<&str> {
        self.ids.get(kind)?.get(source).map(String::as_str)
    }
}
