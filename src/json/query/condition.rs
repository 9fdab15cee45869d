//! A bare condition: what RFC 9535 allows after `?`, on its own.
//!
//! Beside being tested, a condition can be written: its `path == literal` terms say which members an
//! element must get for the condition to hold.

use super::{
    super::node::Node,
    QueryError, Read,
    expression::{Expression, Literal, Operand, Operator},
    lower::{self, Lowering},
    path::Singular,
    reads, scan,
};

/// What stands before a condition when the parser sees it, which knows whole queries only.
const PREFIX: &str = "$[?";

/// A condition, parsed once and tested many times.
#[derive(Debug, Clone)]
pub struct Condition {
    text: Box<str>,
    pub(super) expression: Expression,
    from_root: bool,
}

/// One `path == literal` term of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Equality<'c> {
    /// The path that is compared.
    pub path: &'c Singular,
    /// What it must equal.
    pub literal: &'c Literal,
}

/// Whether both were written alike.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Condition {
    /// Reads a condition, such as `@.role == 'SELLER' && @.n < 3`.
    ///
    /// # Errors
    /// [`QueryError`] says what is no condition of RFC 9535, or not ours (see [`super::Query`]), and where.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let scanned = scan::condition(text)?;
        let parsed = lower::parse(&format!("{PREFIX}{}]", scanned.plain), PREFIX.len())?;
        let expression = Lowering::new(&scanned).only_filter(&parsed.segments)?;
        Ok(Self { text: text.into(), expression, from_root: text.contains('$') })
    }

    /// The condition as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it may look at the root, which may mean to look through the whole document.
    #[must_use]
    pub fn from_root(&self) -> bool {
        self.from_root
    }

    /// Whether the condition holds, `@` being `scope` and `$` being `root`.
    #[must_use]
    pub fn holds<'d>(&self, scope: Node<'d>, root: Node<'d>) -> bool {
        self.expression.holds(scope, root)
    }

    /// Every path that the condition can read, those of inner filters included.
    #[must_use]
    pub fn reads(&self) -> Vec<Read> {
        reads::of_expression(&self.expression)
    }

    /// The `path == literal` terms that must all hold for the condition to hold, in the order written.
    #[must_use]
    pub fn equalities(&self) -> Vec<Equality<'_>> {
        let mut terms = Vec::new();
        collect(&self.expression, &mut terms);
        terms
    }

    /// Of every part that must hold, the equalities of which one must: a term alone, or those of `(a || b)`. Parts that
    /// say anything else are left out.
    #[must_use]
    pub fn choices(&self) -> Vec<Vec<Equality<'_>>> {
        let parts = match &self.expression {
            Expression::And(parts) => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        parts.iter().filter_map(choice).collect()
    }

    /// Every comparison of a path with a literal, whatever the operator and wherever in the condition.
    #[must_use]
    pub fn comparisons(&self) -> Vec<Equality<'_>> {
        let mut terms = Vec::new();
        compared(&self.expression, &mut terms);
        terms
    }

    /// Whether the condition is made of its [`Condition::equalities`] alone, so that writing them makes it hold.
    #[must_use]
    pub fn is_equalities_only(&self) -> bool {
        collect(&self.expression, &mut Vec::new())
    }
}

fn compared<'c>(expression: &'c Expression, terms: &mut Vec<Equality<'c>>) {
    match expression {
        Expression::Or(parts) | Expression::And(parts) => parts.iter().for_each(|part| compared(part, terms)),
        Expression::Not(inner) => compared(inner, terms),
        Expression::Compare(Operand::Path(path), _, Operand::Literal(literal))
        | Expression::Compare(Operand::Literal(literal), _, Operand::Path(path)) => {
            terms.push(Equality { path, literal });
        }
        Expression::Exists(_) | Expression::Compare(..) | Expression::Matches(..) => {}
    }
}

/// The equalities of which one must hold; none where something else may hold as well.
fn choice(expression: &Expression) -> Option<Vec<Equality<'_>>> {
    match expression {
        Expression::Or(parts) => {
            let parts: Option<Vec<Vec<_>>> = parts.iter().map(choice).collect();
            Some(parts?.into_iter().flatten().collect())
        }
        Expression::And(_) => None,
        one => {
            let mut terms = Vec::new();
            collect(one, &mut terms).then_some(terms)
        }
    }
}

/// Adds the terms of `expression`; false if it also says anything else.
fn collect<'c>(expression: &'c Expression, terms: &mut Vec<Equality<'c>>) -> bool {
    match expression {
        Expression::And(parts) => {
            // Not `all`: the terms behind one that is no equality count too.
            let others = parts.iter().filter(|part| !collect(part, terms)).count();
            others == 0
        }
        Expression::Compare(Operand::Path(path), Operator::Equal, Operand::Literal(literal))
        | Expression::Compare(Operand::Literal(literal), Operator::Equal, Operand::Path(path)) => {
            terms.push(Equality { path, literal });
            true
        }
        _ => false,
    }
}
