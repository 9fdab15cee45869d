//! Paths: where a query begins and which steps it takes from there.

use std::fmt;

use super::{super::node::Node, expression::Expression};

/// Where a path begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// At `@`: the element in scope.
    Scope,
    /// At `$`: the root of the message that is read.
    Root,
}

/// One step to at most one node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// To the member of this name.
    Name(Box<str>),
    /// To the element at this index, from the end if negative.
    Index(i64),
}

impl Step {
    /// The node that this step leads to.
    #[must_use]
    pub fn take<'d>(&self, node: Node<'d>) -> Option<Node<'d>> {
        match self {
            Self::Name(name) => node.get(name),
            Self::Index(index) => {
                let distance = usize::try_from(index.unsigned_abs()).ok()?;
                node.at(if *index < 0 { node.len().checked_sub(distance)? } else { distance })
            }
        }
    }
}

/// `['name']` or `[0]`, as RFC 9535 normalizes them.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(f, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// A path to at most one node (RFC 9535 clause 2.3.5.1, singular query).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Singular {
    /// Where it begins.
    pub origin: Origin,
    /// The steps from there.
    pub steps: Vec<Step>,
}

impl Singular {
    /// The node that the path leads to. Never allocates.
    #[must_use]
    pub fn resolve<'d>(&self, scope: Node<'d>, root: Node<'d>) -> Option<Node<'d>> {
        self.steps.iter().try_fold(start(self.origin, scope, root), |node, step| step.take(node))
    }
}

/// The path in normalized form, beginning with `@` or `$`.
impl fmt::Display for Singular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.origin {
            Origin::Scope => "@",
            Origin::Root => "$",
        })?;
        self.steps.iter().try_for_each(|step| write!(f, "{step}"))
    }
}

/// Any path. Singular ones are apart because they are most, and need no visiting.
#[derive(Debug, Clone)]
pub(super) enum Path {
    Singular(Singular),
    Plural(Plural),
}

/// A path that may lead to many nodes.
#[derive(Debug, Clone)]
pub(super) struct Plural {
    pub origin: Origin,
    pub segments: Vec<Vec<Selector>>,
}

/// What one segment selects from the children of a node.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    Step(Step),
    All,
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Expression),
}

impl Path {
    /// Passes every selected node to `found` until that says false; false if it did.
    pub(super) fn visit<'d>(
        &self,
        scope: Node<'d>,
        root: Node<'d>,
        found: &mut dyn FnMut(Node<'d>) -> bool,
    ) -> bool {
        match self {
            Self::Singular(singular) => singular.resolve(scope, root).is_none_or(found),
            Self::Plural(plural) => {
                visit_segments(&plural.segments, start(plural.origin, scope, root), root, found)
            }
        }
    }

    pub(super) fn first<'d>(&self, scope: Node<'d>, root: Node<'d>) -> Option<Node<'d>> {
        if let Self::Singular(singular) = self {
            return singular.resolve(scope, root);
        }
        let mut first = None;
        self.visit(scope, root, &mut |node| {
            first = Some(node);
            false
        });
        first
    }
}

fn start<'d>(origin: Origin, scope: Node<'d>, root: Node<'d>) -> Node<'d> {
    match origin {
        Origin::Scope => scope,
        Origin::Root => root,
    }
}

fn visit_segments<'d>(
    segments: &[Vec<Selector>],
    node: Node<'d>,
    root: Node<'d>,
    found: &mut dyn FnMut(Node<'d>) -> bool,
) -> bool {
    let Some((selectors, rest)) = segments.split_first() else {
        return found(node);
    };
    let mut deeper = |child: Node<'d>| visit_segments(rest, child, root, &mut *found);
    selectors.iter().all(|selector| match selector {
        Selector::Step(step) => step.take(node).is_none_or(&mut deeper),
        Selector::All => node.values().all(&mut deeper),
        Selector::Slice { start, end, step } => slice(node, *start, *end, *step).into_iter().all(&mut deeper),
        Selector::Filter(condition) => {
            node.values().filter(|child| condition.holds(*child, root)).all(&mut deeper)
        }
    })
}

/// The elements that a slice selects (RFC 9535 clause 2.3.4.2).
fn slice(node: Node<'_>, start: Option<i64>, end: Option<i64>, step: i64) -> Vec<Node<'_>> {
    let len = i64::try_from(if node.is_array() { node.len() } else { 0 }).unwrap_or(i64::MAX);
    let normal = |index: i64| if index >= 0 { index } else { len.saturating_add(index) };
    let stride = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    let between = |lower: i64, upper: i64| {
        let bound = |index: i64| usize::try_from(index).unwrap_or(0);
        node.elements().skip(bound(lower)).take(bound(upper.saturating_sub(lower)))
    };
    match step {
        0 => Vec::new(),
        1.. => {
            let lower = normal(start.unwrap_or(0)).clamp(0, len);
            let upper = normal(end.unwrap_or(len)).clamp(0, len);
            between(lower, upper).step_by(stride).collect()
        }
        _ => {
            let upper = start.map_or(len - 1, normal).clamp(-1, len - 1);
            let lower = end.map_or(-1, normal).clamp(-1, len - 1);
            let mut selected: Vec<_> = between(lower.saturating_add(1), upper.saturating_add(1)).collect();
            selected.reverse();
            selected.into_iter().step_by(stride).collect()
        }
    }
}
