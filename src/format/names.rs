//! What a mapping set says once about the elements of its XML.

use std::collections::{HashMap, HashSet};

/// Namespaces and list elements of a mapping set. Names are local names; paths hold no prefixes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    namespaces: Vec<Namespace>,
    of: HashMap<Box<str>, usize>,
    rest: Option<usize>,
    lists: HashSet<Box<str>>,
}

/// One namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its URI; empty: none.
    pub uri: Box<str>,
    /// Its elements; empty: all that no other namespace has.
    pub elements: Vec<Box<str>>,
}

impl Names {
    /// Namespaces in the order of their prefixes `n0`, `n1`, …, and elements that are arrays even where they occur once.
    #[must_use]
    pub fn new(namespaces: Vec<Namespace>, lists: impl IntoIterator<Item = Box<str>>) -> Self {
        let mut of = HashMap::new();
        let mut rest = None;
        for (index, namespace) in namespaces.iter().enumerate() {
            if namespace.elements.is_empty() {
                rest = rest.or(Some(index));
            }
            for element in &namespace.elements {
                of.entry(element.clone()).or_insert(index);
            }
        }
        Self { namespaces, of, rest, lists: lists.into_iter().collect() }
    }

    /// Whether an element is an array even where it occurs once.
    #[must_use]
    pub fn is_list(&self, element: &str) -> bool {
        self.lists.contains(element)
    }

    /// The number in the prefix of an element; none where it is in no namespace.
    pub(super) fn prefix(&self, element: &str) -> Option<usize> {
        let index = self.of.get(element).copied().or(self.rest)?;
        self.namespaces.get(index).is_some_and(|namespace| !namespace.uri.is_empty()).then_some(index)
    }

    /// Prefix numbers and URIs, without the one that is no namespace.
    pub(super) fn declared(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.namespaces.iter().enumerate().map(|(index, namespace)| (index, &*namespace.uri));
        all.filter(|(_, uri)| !uri.is_empty())
    }
}
