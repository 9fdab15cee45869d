//! Finding elements by a key member without comparing each with each.
//!
//! Joins and keys are defined by JSON equality; comparing every element with every other would make a message of
//! a thousand lines cost a million comparisons per rule. An index preselects, equality decides.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::json::{Kind, Node, number};
use crate::mapping::value::Value;

/// Up to here comparing all is cheaper than hashing.
const FEW: usize = 16;

/// Places of key values, in ascending order.
#[derive(Debug)]
pub(super) enum Index<'k> {
    /// Few, of which nothing is known but how many were added.
    Few(usize),
    Many(HashMap<Bucket<'k>, Vec<usize>>),
}

/// Places from an [`Index`], in ascending order.
pub(super) enum Candidates<'i> {
    All(Range<usize>),
    These(std::slice::Iter<'i, usize>),
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        match self {
            Self::All(places) => places.next(),
            Self::These(places) => places.next().copied(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::All(places) => places.size_hint(),
            Self::These(places) => places.size_hint(),
        }
    }
}

impl ExactSizeIterator for Candidates<'_> {}

/// What is hashed of a value. Equal values have equal buckets; the reverse holds but for [`Bucket::Other`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Bucket<'k> {
    Text(Cow<'k, str>),
    /// A number that is an integer, however it is spelled.
    Integer(i64),
    /// Anything else: fractions, numbers beyond 64 bits, booleans.
    Other,
}

impl<'k> Bucket<'k> {
    pub fn of(node: Node<'k>) -> Self {
        match node.kind() {
            Kind::String => Self::Text(node.as_str().unwrap_or_default()),
            Kind::Number => Self::of_number(node.raw()),
            _ => Self::Other,
        }
    }

    pub fn of_value<'v: 'k>(value: &'k Value<'v>) -> Self {
        match (value.as_number(), value.as_text()) {
            (Some(number), _) => Self::of_number(number),
            (None, Some(text)) => Self::Text(text),
            (None, None) => Self::Other,
        }
    }

    pub fn of_number(text: &str) -> Self {
        number::to_i64(text).map_or(Self::Other, Self::Integer)
    }
}

impl<'k> Index<'k> {
    /// Of so many places at most.
    pub fn of(len: usize) -> Self {
        if len > FEW { Self::Many(HashMap::with_capacity(len)) } else { Self::Few(0) }
    }

    /// Adds the next place; every place is added, or left out by a place without a key.
    pub fn add(&mut self, bucket: impl FnOnce() -> Bucket<'k>, place: usize) {
        match self {
            Self::Few(len) => *len = place + 1,
            Self::Many(places) => places.entry(bucket()).or_default().push(place),
        }
    }

    /// Places whose value may equal one in this bucket.
    #[inline]
    pub fn candidates<'i>(&'i self, bucket: impl FnOnce() -> Bucket<'i>) -> Candidates<'i> {
        match self {
            Self::Few(len) => Candidates::All(0..*len),
            Self::Many(places) => {
                Candidates::These(places.get(&bucket()).map(Vec::as_slice).unwrap_or_default().iter())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn equal_values_are_candidates_however_many_there_are() {
        for count in [3_usize, 40] {
            let elements: Vec<_> = (0..count).map(|n| format!("{n},\"{n}\",{n}.0,{n}.5")).collect();
            let document = Document::from_text(&format!("[{}]", elements.join(","))).unwrap();
            let mut index = Index::of(document.root().len());
            for (place, node) in document.root().elements().enumerate() {
                index.add(|| Bucket::of(node), place);
            }
            for (place, node) in document.root().elements().enumerate() {
                let found: Vec<_> = index.candidates(|| Bucket::of(node)).collect();
                let equal = document.root().elements().enumerate().filter(|(_, other)| other.eq_value(node));
                let equal: Vec<_> = equal.map(|(at, _)| at).collect();
                assert!(found.contains(&place) && found.is_sorted());
                assert!(equal.iter().all(|at| found.contains(at)), "{}", node.raw());
            }
        }
    }
}
