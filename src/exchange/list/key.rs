//! What lists of several legacy systems are merged by.

use std::{borrow::Cow, cmp::Ordering};

use jiff::Timestamp;

use crate::{
    json::{Node, number},
    mapping::operation::Order,
};

/// The value of an attribute, as it is ordered by. Numbers come before times, these before other texts; an entity
/// without the attribute comes last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key<'d> {
    /// A number, as its exact JSON text.
    Number(&'d str),
    /// A time, in whatever zone it was written.
    Time(Timestamp),
    /// Any other text, by its bytes.
    Text(Cow<'d, str>),
    /// Nothing.
    Absent,
}

impl<'d> Key<'d> {
    /// The key of an entity.
    pub fn of(entity: Node<'d>, order: &Order) -> Self {
        let found = order.members.iter().try_fold(entity, |node, member| node.get(member));
        let Some(node) = found else { return Self::Absent };
        if let Some(number) = node.number() {
            return Self::Number(number);
        }
        match node.as_str() {
            Some(text) => text.parse().map_or(Self::Text(text), Self::Time),
            None => Self::Absent,
        }
    }

    /// Which comes first; `is_falling`: the greatest does, and what has none comes last all the same.
    pub fn compare(&self, other: &Self, is_falling: bool) -> Ordering {
        let rank = |key: &Self| match key {
            Self::Number(_) => 0,
            Self::Time(_) => 1,
            Self::Text(_) => 2,
            Self::Absent => 3,
        };
        let within = match (self, other) {
            (Self::Number(left), Self::Number(right)) => number::compare(left, right),
            (Self::Time(left), Self::Time(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => return rank(self).cmp(&rank(other)),
        };
        if is_falling { within.reverse() } else { within }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn values_are_ordered_by_what_they_mean() {
        let order = |is_falling| Order { members: ["a".into(), "b".into()].into(), is_falling };
        let rows = [
            (r#"{"a":{"b":9}}"#, r#"{"a":{"b":10.0}}"#),
            (r#"{"a":{"b":"2026-01-01T00:30:00+02:00"}}"#, r#"{"a":{"b":"2025-12-31T23:00:00Z"}}"#),
            (r#"{"a":{"b":"B10"}}"#, r#"{"a":{"b":"B9"}}"#),
        ];
        for (less, more) in rows {
            let (less, more) = (Document::from_text(less).unwrap(), Document::from_text(more).unwrap());
            let none = Document::from_text("{}").unwrap();
            for is_falling in [false, true] {
                let key = |document: &Document| format!("{:?}", Key::of(document.root(), &order(is_falling)));
                let (left, right) =
                    (Key::of(less.root(), &order(is_falling)), Key::of(more.root(), &order(is_falling)));
                let expected = if is_falling { Ordering::Greater } else { Ordering::Less };
                assert_eq!(left.compare(&right, is_falling), expected, "{} {}", key(&less), key(&more));
                let absent = Key::of(none.root(), &order(is_falling));
                assert_eq!(absent.compare(&left, is_falling), Ordering::Greater);
            }
        }
    }
}
