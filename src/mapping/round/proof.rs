//! What is known of claims without trying.

use super::{
    claims::{Claim, Trimmed},
    report::{Loss, LossKind},
};
use crate::{
    json::query::Condition,
    mapping::{
        convert::Class,
        direction::Direction,
        path::Step,
        program::{Action, Body, Branch, CodesUse, Key, Otherwise, Rule, Transform},
        value::Value,
    },
};

/// The member that names an element in every message of the standard, and is unique there.
const UNIQUE: &str = "id";

/// Whether there and back is the same value by what tables and converters are.
pub(super) fn is_exact(claim: &Claim) -> bool {
    let exact = |transform: &Transform| match transform {
        Transform::Codes(codes) => codes.table.is_exact() && codes.otherwise.is_none(),
        Transform::Convert(convert) => convert.converter.class() == Class::Exact,
        Transform::Ref { .. } | Transform::Key { .. } => true,
        Transform::Script(_) => false,
    };
    let is_plain = claim.to_legacy.is_empty() && claim.to_sonata.is_empty();
    is_plain || (claim.is_pair() && claim.to_legacy.iter().all(exact) && claim.to_sonata.iter().all(exact))
}

/// Whether the way to each place is open both ways: conditions that can be written, keys that are unique.
pub(super) fn is_sound(trimmed: &Trimmed) -> bool {
    let mut sound = true;
    for program in [&trimmed.there, &trimmed.back] {
        each_rule(&program.rules, &mut |rule| {
            let (condition, branches) = condition_of(rule);
            let own = branches.iter().map(|branch| branch.condition.as_ref()).chain([condition]);
            sound &= own.flatten().all(Condition::is_equalities_only);
            sound &= !matches!(rule.action, Action::Join(_) | Action::Append(_) | Action::Gather(_));
        });
    }
    sound
        && trimmed.claims.iter().all(is_alone(trimmed))
        && keys(trimmed).iter().all(|(_, key)| is_unique(key))
}

/// Whether no other claim has one of the places of a claim.
fn is_alone(trimmed: &Trimmed) -> impl Fn(&Claim) -> bool {
    move |claim| {
        let same = |other: &Claim| {
            (claim.sonata == other.sonata || claim.legacy == other.legacy) && claim.there != other.there
        };
        !trimmed.claims.iter().any(same)
    }
}

/// Losses that a table or a key has whatever the document.
pub(super) fn losses(trimmed: &Trimmed) -> Vec<Loss> {
    let mut found = Vec::new();
    for claim in trimmed.claims.iter().filter(|claim| claim.holds(Direction::ToLegacy)) {
        let (Some(Transform::Codes(there)), Some(Transform::Codes(back))) =
            (claim.to_legacy.first(), claim.to_sonata.first())
        else {
            continue;
        };
        found.extend(merged(there, back).map(|(sent, came)| Loss {
            direction: Direction::ToLegacy,
            kind: LossKind::Code,
            rule: Some(claim.there.clone()),
            other: (!claim.is_pair()).then(|| claim.back.clone()),
            place: claim.sonata.clone(),
            sent,
            came,
            example: None,
        }));
    }
    for (rule, key) in keys(trimmed) {
        if !is_unique(key) && rule.lossy.to_legacy.is_none() {
            found.push(Loss {
                direction: Direction::ToLegacy,
                kind: LossKind::Key,
                rule: Some(rule.origin.clone()),
                other: None,
                place: rule.origin.address.to_string(),
                sent: format!("two elements with one `{}`, which nothing forbids", key.source),
                came: "nothing: the message is refused".to_owned(),
                example: None,
            });
        }
    }
    found
}

/// The first Sonata code that comes back as another one, and that one.
fn merged(there: &CodesUse, back: &CodesUse) -> Option<(String, String)> {
    let kind = there.table.writes(Direction::ToSonata);
    there.table.read(Direction::ToLegacy).find_map(|code| {
        let legacy = there.table.translate(Direction::ToLegacy, &kind.write(code)).ok()?.into_owned();
        let came = back.table.translate(Direction::ToSonata, &legacy).ok()?.into_owned();
        let text = came.as_scalar_text()?;
        (text != code).then(|| (shown(&Value::text(code.to_owned())), shown(&came)))
    })
}

fn shown(value: &Value<'_>) -> String {
    super::back::excerpt(value)
}

fn is_unique(key: &Key) -> bool {
    matches!(key.source.steps.last(), Some(Step::Member(name)) if **name == *UNIQUE)
}

/// The keys that elements of the Sonata side are told apart by.
pub(super) fn keys(trimmed: &Trimmed) -> Vec<(&Rule, &Key)> {
    let mut found = Vec::new();
    each_rule(&trimmed.there.rules, &mut |rule| {
        if let Action::Each(each) = &rule.action
            && let Some(key) = &each.key
        {
            found.push((rule, key));
        }
    });
    found
}

fn condition_of(rule: &Rule) -> (Option<&Condition>, &[Branch]) {
    match &rule.action {
        Action::Pair(pair) => (pair.condition.as_ref(), &[]),
        Action::Group(group) => (group.condition.as_ref(), &[]),
        Action::Each(each) => (each.condition.as_ref(), rows(&each.body)),
        Action::Join(join) => (join.condition.as_ref(), rows(&join.body)),
        Action::Append(append) => (append.condition.as_ref(), &[]),
        Action::Gather(gather) => (None, &gather.branches),
        Action::OneOf(one_of) => (None, &one_of.branches),
    }
}

fn rows(body: &Body) -> &[Branch] {
    match body {
        Body::Rules(_) => &[],
        Body::Rows(branches) => branches,
    }
}

fn each_rule<'p>(list: &'p [Rule], visit: &mut dyn FnMut(&'p Rule)) {
    for rule in list {
        visit(rule);
        let (_, branches) = condition_of(rule);
        for branch in branches {
            each_rule(&branch.rules, visit);
        }
        match &rule.action {
            Action::Group(group) => each_rule(&group.rules, visit),
            Action::Append(append) => each_rule(&append.rules, visit),
            Action::Each(each) => each_of(&each.body, visit),
            Action::Join(join) => each_of(&join.body, visit),
            Action::OneOf(one_of) => {
                if let Otherwise::Rules(rules) = &one_of.otherwise {
                    each_rule(rules, visit);
                }
            }
            Action::Pair(_) | Action::Gather(_) => {}
        }
    }
}

fn each_of<'p>(body: &'p Body, visit: &mut dyn FnMut(&'p Rule)) {
    if let Body::Rules(rules) = body {
        each_rule(rules, visit);
    }
}
