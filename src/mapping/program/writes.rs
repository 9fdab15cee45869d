//! Names of members that rules write.

use super::{Action, JoinTarget, OneOf, Otherwise, Rule};
use crate::mapping::path::{Anchor, FieldPath, Part, Step, Term};

/// Names of the members of its scope that a rule may write; none where it may write anything else.
pub(super) fn writes(rule: &Rule) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    add_writes(rule, &mut names)?;
    names.sort_unstable();
    names.dedup();
    Some(names)
}

fn add_writes<'r>(rule: &'r Rule, names: &mut Vec<&'r str>) -> Option<()> {
    match &rule.action {
        Action::Pair(pair) => {
            names.extend(pair.also.iter().filter_map(first_of_term));
            if pair.target.part == Part::Body {
                names.push(first(&pair.target)?);
            }
        }
        Action::Group(group) if group.target.is_scope() => {
            names.extend(group.also.iter().filter_map(first_of_term));
            group.rules.iter().try_for_each(|rule| add_writes(rule, names))?;
        }
        Action::Group(group) => names.push(first(&group.target)?),
        Action::Each(each) => names.push(first(&each.target)?),
        Action::Join(join) => {
            let (JoinTarget::One(target) | JoinTarget::Every(target)) = &join.target;
            names.push(first(target)?);
        }
        Action::OneOf(one_of) => add_choices(one_of, names)?,
        Action::Append(_) | Action::Gather(_) => return None,
    }
    Some(())
}

fn add_choices<'r>(one_of: &'r OneOf, names: &mut Vec<&'r str>) -> Option<()> {
    for branch in &one_of.branches {
        names.extend(branch.also.iter().filter_map(first_of_term));
        branch.rules.iter().try_for_each(|rule| add_writes(rule, names))?;
    }
    match &one_of.otherwise {
        Otherwise::Rules(rules) => rules.iter().try_for_each(|rule| add_writes(rule, names)),
        Otherwise::Nothing | Otherwise::Refuse(_) => Some(()),
    }
}

pub(super) fn first(path: &FieldPath) -> Option<&str> {
    match path.steps.first() {
        Some(Step::Member(name)) if path.anchor == Anchor::Scope && path.part == Part::Body => Some(name),
        _ => None,
    }
}

/// The one member that a term is.
pub(super) fn only(term: &Term) -> Option<&str> {
    first_of_term(term).filter(|_| term.members.len() == 1)
}

fn first_of_term(term: &Term) -> Option<&str> {
    term.members.first().map(|name| &**name)
}
