//! What is made of an object, or of a member of it, as a whole.

use super::splice::{Splice, choice, only_step, splice};
use super::{Action, Rule};
use crate::json::Name;
use crate::mapping::direction::Direction;
use crate::mapping::path::Part;

/// What is made of the members of a member.
#[derive(Debug, Clone)]
pub struct Hoist {
    /// The rule.
    pub rule: Rule,
    /// The element of the member that is meant; none: the member itself.
    pub element: Option<usize>,
    /// What becomes of it: members, or a choice between such.
    pub inner: Splice,
}

/// What is made of an object beside what its single members become.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The rule.
    pub rule: Rule,
    /// The name of the member that it becomes, and whether it is the one element of an array there; none: its members become
    /// members of the object itself.
    pub at: Option<(Name, bool)>,
    /// What becomes of it; without a name members, or a choice between such.
    pub inner: Splice,
}

/// What becomes of the members of a member.
pub(super) fn hoisted(rule: &Rule, way: Direction) -> Option<Hoist> {
    let Action::Group(group) = &rule.action else { return None };
    let is_plain = group.condition.is_none() && group.also.is_empty() && group.target.is_scope();
    let (_, element) = only_step(&group.source).filter(|_| is_plain)?;
    let inner = splice(&group.rules, &[], way).filter(is_of_members)?;
    Some(Hoist { rule: rule.clone(), element, inner })
}

/// What becomes of an object as a whole.
pub(super) fn whole(rule: &Rule, way: Direction) -> Option<Whole> {
    let (at, inner) = match &rule.action {
        Action::OneOf(one_of) => (None, choice(rule, one_of, way)),
        Action::Group(group)
            if group.source.is_scope() && group.condition.is_none() && group.also.is_empty() =>
        {
            let at = if group.target.is_scope() {
                (!group.required).then_some(None)?
            } else {
                let (name, index) = only_step(&group.target)?;
                (index.is_none_or(|index| index == 0) && group.target.part == Part::Body).then_some(())?;
                Some((name.clone(), index.is_some()))
            };
            (at, splice(&group.rules, &[], way)?)
        }
        _ => return None,
    };
    (at.is_some() || is_of_members(&inner)).then(|| Whole { rule: rule.clone(), at, inner })
}

/// Whether what becomes of an object are members, so that they can be members of another one.
fn is_of_members(splice: &Splice) -> bool {
    match splice {
        Splice::Members(_) => true,
        Splice::Choice(choice) => {
            choice.branches.iter().chain([&choice.otherwise]).flatten().all(is_of_members)
        }
        _ => false,
    }
}
