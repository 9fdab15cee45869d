//! Finding elements by a key member without comparing each with each.
//!
//! Joins and keys are defined by JSON equality; comparing every element with every other would make a message of
//! a thousand lines cost a million comparisons per rule. An index preselects, equality decides.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::{Kind, Node, number};
use crate::mapping::value::Value;

/// Up to here comparing all is cheaper than hashing.
const FEW: usize = 16;

/// Places of key values, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Index<'k> {
    /// While there are few: all.
    few: Vec<(Bucket<'k>, usize)>,
    many: HashMap<Bucket<'k>, Vec<usize>>,
}

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
    pub fn add(&mut self, bucket: Bucket<'k>, place: usize) {
        if self.many.is_empty() && self.few.len() < FEW {
            self.few.push((bucket, place));
            return;
        }
        for (bucket, place) in self.few.drain(..) {
            self.many.entry(bucket).or_default().push(place);
        }
        self.many.entry(bucket).or_default().push(place);
    }

    /// Places whose value may equal one in this bucket.
    pub fn candidates<'i>(&'i self, bucket: &'i Bucket<'_>) -> impl Iterator<Item = usize> + 'i {
        let few = self.few.iter().filter(move |(own, _)| own == bucket).map(|(_, place)| *place);
        let many = if self.many.is_empty() { None } else { self.many.get(bucket) };
        few.chain(many.into_iter().flatten().copied())
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
            let mut index = Index::default();
            for (place, node) in document.root().elements().enumerate() {
                index.add(Bucket::of(node), place);
            }
            for (place, node) in document.root().elements().enumerate() {
                let bucket = Bucket::of(node);
                let found: Vec<_> = index.candidates(&bucket).collect();
                let equal = document.root().elements().enumerate().filter(|(_, other)| other.eq_value(node));
                let equal: Vec<_> = equal.map(|(at, _)| at).collect();
                assert!(found.contains(&place) && found.is_sorted());
                assert!(equal.iter().all(|at| found.contains(at)), "{}", node.raw());
            }
        }
    }
}
