//! What stands after `?`: the tree of a condition.

use super::{
    path::{Path, Singular},
    pattern::Pattern,
};

/// A value written in a condition.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(Box<str>),
    /// A string, without quotes and escapes.
    Text(Box<str>),
}

/// A condition: yes or no for a scope and a root.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    /// Whether the path selects any node.
    Exists(Path),
    Compare(Operand, Operator, Operand),
    /// `match` and `search`; the pattern is anchored for `match`.
    Matches(Operand, Pattern),
}

/// One side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(Literal),
    Path(Singular),
    /// `length()` of a value.
    Length(Box<Operand>),
    /// `count()` of nodes.
    Count(Path),
    /// `value()` of the one node.
    Value(Path),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
