//! Comparing two documents to the letter: member order, number text and text of strings count, white space and
//! the form of escapes do not.

use crate::json::{Kind, Node};

/// One place where two documents differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// JSON Pointer of the place.
    pub pointer: String,
    /// What was expected there; nothing where the member should not be there.
    pub expected: Option<String>,
    /// What is there.
    pub actual: Option<String>,
}

/// Differences that are listed at most; a wrong root would otherwise list everything.
pub const DIFFERENCES_MAX: usize = 20;

/// Lists where `actual` is not what `expected` says. Pointers in `ignore` are not looked at; a `*` in one stands
/// for any one step.
#[must_use]
pub fn compare(expected: Node<'_>, actual: Node<'_>, ignore: &[String]) -> Vec<Difference> {
    let mut walk = Walk { ignore, found: Vec::new() };
    walk.node("", expected, actual);
    walk.found
}

struct Walk<'i> {
    ignore: &'i [String],
    found: Vec<Difference>,
}

impl Walk<'_> {
    fn node(&mut self, pointer: &str, expected: Node<'_>, actual: Node<'_>) {
        if self.found.len() >= DIFFERENCES_MAX || self.is_ignored(pointer) {
            return;
        }
        let same = match (expected.kind(), actual.kind()) {
            (Kind::Object, Kind::Object) => return self.members(pointer, expected, actual),
            (Kind::Array, Kind::Array) => return self.elements(pointer, expected, actual),
            (Kind::String, Kind::String) => expected.as_str() == actual.as_str(),
            (left, right) => left == right && expected.raw() == actual.raw(),
        };
        if !same {
            self.differ(pointer, Some(expected), Some(actual));
        }
    }

    fn members(&mut self, pointer: &str, expected: Node<'_>, actual: Node<'_>) {
        let before = self.found.len();
        for (name, value) in expected.members() {
            let place = step(pointer, &name);
            match actual.get(&name) {
                Some(other) => self.node(&place, value, other),
                None if self.is_ignored(&place) => {}
                None => self.differ(&place, Some(value), None),
            }
        }
        for (name, value) in actual.members() {
            let place = step(pointer, &name);
            if expected.get(&name).is_none() && !self.is_ignored(&place) {
                self.differ(&place, None, Some(value));
            }
        }
        if self.found.len() == before {
            self.order(pointer, expected, actual);
        }
    }

    /// Members that both have must stand in one order; ignored ones may move.
    fn order(&mut self, pointer: &str, expected: Node<'_>, actual: Node<'_>) {
        let names = |node: Node<'_>, other: Node<'_>| -> Vec<String> {
            let shared = node.members().map(|(name, _)| name.into_owned());
            shared
                .filter(|name| other.get(name).is_some() && !self.is_ignored(&step(pointer, name)))
                .collect()
        };
        let (left, right) = (names(expected, actual), names(actual, expected));
        if left != right {
            self.found.push(Difference {
                pointer: pointer.to_owned(),
                expected: Some(format!("members in the order {}", left.join(", "))),
                actual: Some(format!("members in the order {}", right.join(", "))),
            });
        }
    }

    fn elements(&mut self, pointer: &str, expected: Node<'_>, actual: Node<'_>) {
        for index in 0..expected.len().max(actual.len()) {
            let place = format!("{pointer}/{index}");
            match (expected.at(index), actual.at(index)) {
                (Some(left), Some(right)) => self.node(&place, left, right),
                (left, right) if !self.is_ignored(&place) => self.differ(&place, left, right),
                _ => {}
            }
        }
    }

    fn differ(&mut self, pointer: &str, expected: Option<Node<'_>>, actual: Option<Node<'_>>) {
        self.found.push(Difference {
            pointer: pointer.to_owned(),
            expected: expected.map(|node| node.raw().to_owned()),
            actual: actual.map(|node| node.raw().to_owned()),
        });
    }

    fn is_ignored(&self, pointer: &str) -> bool {
        self.ignore.iter().any(|pattern| {
            let mut steps = pointer.split('/');
            let fits =
                pattern.split('/').all(|want| steps.next().is_some_and(|is| want == "*" || want == is));
            fits && steps.next().is_none()
        })
    }
}

fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn differences(expected: &str, actual: &str, ignore: &[&str]) -> Vec<String> {
        let ignore: Vec<String> = ignore.iter().map(|text| (*text).to_owned()).collect();
        let expected = Document::from_text(expected).unwrap();
        let actual = Document::from_text(actual).unwrap();
        compare(expected.root(), actual.root(), &ignore).into_iter().map(|found| found.pointer).collect()
    }

    #[test]
    fn what_counts_and_what_does_not() {
        let none: [&str; 0] = [];
        assert_eq!(differences(r#"{"a": 1.10}"#, r#"{"a":1.10}"#, &[]), none);
        assert_eq!(differences(r#"{"a":1.10}"#, r#"{"a":1.1}"#, &[]), ["/a"]);
        assert_eq!(differences(r#"{"a":"\u0041"}"#, r#"{"a":"A"}"#, &[]), none);
        assert_eq!(differences(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, &[]), [""]);
        assert_eq!(differences(r#"{"a":[1,2]}"#, r#"{"a":[1]}"#, &[]), ["/a/1"]);
        assert_eq!(differences(r#"{"a":[{"id":1}]}"#, r#"{"a":[{"id":2}]}"#, &["/a/*/id"]), none);
        assert_eq!(differences("{}", r#"{"x":null}"#, &[]), ["/x"]);
        assert_eq!(differences("{}", r#"{"x":null}"#, &["/x"]), none);
    }
}
