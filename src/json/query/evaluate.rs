//! Running conditions on nodes, by RFC 9535 clause 2.3.5.2.

use std::{borrow::Cow, cmp::Ordering};

use super::{
    super::{node::Kind, node::Node, number, plain::same},
    expression::{Expression, Literal, Operand, Operator},
    path::Path,
};

/// What an operand comes to.
enum Value<'v> {
    /// No node: equal to itself and to nothing else.
    Nothing,
    Null,
    Bool(bool),
    Number(Cow<'v, str>),
    Text(Cow<'v, str>),
    /// An array or object.
    Structure(Node<'v>),
}

impl Expression {
    pub(super) fn holds<'d>(&self, scope: Node<'d>, root: Node<'d>) -> bool {
        match self {
            Self::Or(terms) => terms.iter().any(|term| term.holds(scope, root)),
            Self::And(terms) => terms.iter().all(|term| term.holds(scope, root)),
            Self::Not(term) => !term.holds(scope, root),
            Self::Exists(path) => path.first(scope, root).is_some(),
            // Most conditions ask whether a member is a word.
            Self::Compare(Operand::Path(path), Operator::Equal, Operand::Literal(Literal::Text(text))) => {
                path.resolve(scope, root).is_some_and(|node| match node.plain_text() {
                    Some(own) => same(own, text.as_bytes()),
                    None => node.is_text(text),
                })
            }
            Self::Compare(left, operator, right) => {
                operator.compare(&left.value(scope, root), &right.value(scope, root))
            }
            Self::Matches(operand, pattern) => match operand.value(scope, root) {
                Value::Text(text) => pattern.is_match(&text),
                _ => false,
            },
        }
    }
}

impl Operand {
    fn value<'v>(&'v self, scope: Node<'v>, root: Node<'v>) -> Value<'v> {
        match self {
            Self::Literal(Literal::Null) => Value::Null,
            Self::Literal(Literal::Bool(value)) => Value::Bool(*value),
            Self::Literal(Literal::Number(text)) => Value::Number(Cow::Borrowed(text)),
            Self::Literal(Literal::Text(text)) => Value::Text(Cow::Borrowed(text)),
            Self::Path(path) => path.resolve(scope, root).map_or(Value::Nothing, Value::of),
            Self::Length(operand) => match operand.value(scope, root) {
                Value::Text(text) => Value::count(text.chars().count()),
                Value::Structure(node) => Value::count(node.len()),
                _ => Value::Nothing,
            },
            Self::Count(path) => Value::count(count(path, scope, root)),
            Self::Value(path) => match only(path, scope, root) {
                Some(node) => Value::of(node),
                None => Value::Nothing,
            },
        }
    }
}

fn count<'d>(path: &Path, scope: Node<'d>, root: Node<'d>) -> usize {
    let mut count = 0;
    path.visit(scope, root, &mut |_| {
        count += 1;
        true
    });
    count
}

/// The node selected, if it is one alone.
fn only<'d>(path: &Path, scope: Node<'d>, root: Node<'d>) -> Option<Node<'d>> {
    let mut only = None;
    let alone = path.visit(scope, root, &mut |node| only.replace(node).is_none());
    only.filter(|_| alone)
}

impl<'v> Value<'v> {
    fn of(node: Node<'v>) -> Self {
        match node.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(node.raw() == "true"),
            Kind::Number => Self::Number(Cow::Borrowed(node.raw())),
            Kind::String => Self::Text(node.as_str().unwrap_or_default()),
            Kind::Array | Kind::Object => Self::Structure(node),
        }
    }

    fn count(count: usize) -> Self {
        Self::Number(Cow::Owned(count.to_string()))
    }

    fn equals(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Self::Nothing, Value::Nothing) | (Self::Null, Value::Null) => true,
            (Self::Bool(left), Value::Bool(right)) => left == right,
            (Self::Number(left), Value::Number(right)) => number::equal(left, right),
            (Self::Text(left), Value::Text(right)) => left == right,
            (Self::Structure(left), Value::Structure(right)) => left.eq_value(*right),
            _ => false,
        }
    }

    /// Order of two numbers or two strings; other values have none.
    fn order(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(left), Value::Number(right)) => Some(number::compare(left, right)),
            // Bytes of UTF-8 order as the Unicode scalar values that RFC 9535 compares.
            (Self::Text(left), Value::Text(right)) => Some(left.cmp(right)),
            _ => None,
        }
    }
}

impl Operator {
    fn compare(self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let order = || left.order(right);
        match self {
            Self::Equal => left.equals(right),
            Self::NotEqual => !left.equals(right),
            Self::Less => order() == Some(Ordering::Less),
            Self::Greater => order() == Some(Ordering::Greater),
            // Two nulls, say, have no order but are equal, and so `<=` holds.
            Self::LessOrEqual => order() == Some(Ordering::Less) || left.equals(right),
            Self::GreaterOrEqual => order() == Some(Ordering::Greater) || left.equals(right),
        }
    }
}
