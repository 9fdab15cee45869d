//! Which places a query can read, for whoever checks it against a schema before any message comes.

use std::fmt;

use super::{
    expression::{Expression, Operand},
    path::{Origin, Path, Plural, Selector, Singular, Step},
};

/// A place that a query or condition can read; wildcards, slices and filters are one kind of step here.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Read {
    /// Where the path begins, as seen from outside the query.
    pub origin: Origin,
    /// The steps from there.
    pub steps: Vec<ReadStep>,
}

/// One step of a [`Read`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReadStep {
    /// To one node.
    One(Step),
    /// To some or all members or elements.
    Any,
}

impl Read {
    fn begin(origin: Origin) -> Self {
        Self { origin, steps: Vec::new() }
    }

    fn then(&self, step: ReadStep) -> Self {
        let mut longer = self.clone();
        longer.steps.push(step);
        longer
    }
}

/// The path in normalized form, `[*]` for what selects many.
impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.origin {
            Origin::Scope => "@",
            Origin::Root => "$",
        })?;
        self.steps.iter().try_for_each(|step| match step {
            ReadStep::One(step) => write!(f, "{step}"),
            ReadStep::Any => f.write_str("[*]"),
        })
    }
}

pub(super) fn of_path(path: &Path) -> Vec<Read> {
    let mut reads = Vec::new();
    read_path(path, &Read::begin(Origin::Scope), &mut reads);
    reads
}

pub(super) fn of_expression(expression: &Expression) -> Vec<Read> {
    let mut reads = Vec::new();
    read_expression(expression, &Read::begin(Origin::Scope), &mut reads);
    reads
}

/// `scope` is what `@` stands for: inside a filter, the elements that the filter is applied to.
fn read_expression(expression: &Expression, scope: &Read, reads: &mut Vec<Read>) {
    match expression {
        Expression::Or(terms) | Expression::And(terms) => {
            for term in terms {
                read_expression(term, scope, reads);
            }
        }
        Expression::Not(term) => read_expression(term, scope, reads),
        Expression::Exists(path) => read_path(path, scope, reads),
        Expression::Compare(left, _, right) => {
            read_operand(left, scope, reads);
            read_operand(right, scope, reads);
        }
        Expression::Matches(operand, _) => read_operand(operand, scope, reads),
    }
}

fn read_operand(operand: &Operand, scope: &Read, reads: &mut Vec<Read>) {
    match operand {
        Operand::Literal(_) => {}
        Operand::Path(path) => read_singular(path, scope, reads),
        Operand::Length(operand) => read_operand(operand, scope, reads),
        Operand::Count(path) | Operand::Value(path) => read_path(path, scope, reads),
    }
}

fn read_path(path: &Path, scope: &Read, reads: &mut Vec<Read>) {
    match path {
        Path::Singular(path) => read_singular(path, scope, reads),
        Path::Plural(path) => read_plural(path, scope, reads),
    }
}

fn read_singular(path: &Singular, scope: &Read, reads: &mut Vec<Read>) {
    let mut read = start(path.origin, scope);
    read.steps.extend(path.steps.iter().cloned().map(ReadStep::One));
    note(read, reads);
}

fn read_plural(path: &Plural, scope: &Read, reads: &mut Vec<Read>) {
    let mut ends = vec![start(path.origin, scope)];
    for selectors in &path.segments {
        let mut longer = Vec::new();
        for end in &ends {
            for selector in selectors {
                let next = match selector {
                    Selector::Step(step) => end.then(ReadStep::One(step.clone())),
                    Selector::All | Selector::Slice { .. } => end.then(ReadStep::Any),
                    Selector::Filter(condition) => {
                        let element = end.then(ReadStep::Any);
                        read_expression(condition, &element, reads);
                        element
                    }
                };
                if !longer.contains(&next) {
                    longer.push(next);
                }
            }
        }
        ends = longer;
    }
    for end in ends {
        note(end, reads);
    }
}

fn start(origin: Origin, scope: &Read) -> Read {
    match origin {
        Origin::Scope => scope.clone(),
        Origin::Root => Read::begin(Origin::Root),
    }
}

fn note(read: Read, reads: &mut Vec<Read>) {
    if !reads.contains(&read) {
        reads.push(read);
    }
}
