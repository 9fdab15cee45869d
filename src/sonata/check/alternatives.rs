//! Alternatives (`oneOf`): exactly one holds, and if none does, which was meant.

use super::{
    walk::{Finding, Walk, describes},
    words::some_of,
};
use crate::{
    json::Node,
    sonata::{FaultCode, TypeId, Types, types::Group},
};
use std::borrow::Cow;

/// One alternative, tried.
struct Tried {
    id: TypeId,
    findings: Vec<Finding>,
    unknown: Vec<crate::json::NodeId>,
    more: bool,
}

/// Checks a group of alternatives. `describes_members`: whether they, not the type that has them, say which
/// members the value has.
pub(super) fn check(
    walk: &mut Walk<'_>,
    node: Node<'_>,
    types: &Types,
    group: &Group,
    describes_members: bool,
) {
    let tag = group.tag.as_ref().and_then(|tag| Some((tag, node.get(&tag.member)?.as_str()?)));
    let may_hold = match &tag {
        Some((tag, text)) => tag.allowing(text.as_bytes()),
        None => &group.types,
    };
    let before = walk.unknown.len();
    let mut held = 0;
    for id in may_hold {
        let others = walk.unknown.len();
        if !lacks_a_member(node, types, *id) && walk.ask(node, types, *id) {
            held += 1;
        }
        if held > 1 || !describes_members {
            walk.unknown.truncate(others);
        }
        if held > 1 {
            break;
        }
    }
    match held {
        1 => {}
        0 => explain(walk, node, types, &group.types, describes_members),
        _ => {
            walk.unknown.truncate(before);
            let names = some_of(group.types.iter().filter_map(|id| public_name(types, *id)));
            let names = if names.is_empty() { String::new() } else { format!(" of {names}") };
            walk.add(node, None, FaultCode::InvalidValue, || {
                format!("several alternatives hold at once{names}")
            });
        }
    }
}

/// Whether an object lacks a member that the type requires first: many alternatives differ in that.
fn lacks_a_member(node: Node<'_>, types: &Types, id: TypeId) -> bool {
    let rules = types.get(id).object.as_ref().filter(|rules| rules.choice.is_none() && node.is_object());
    let first = rules.and_then(|rules| rules.members.iter().find(|member| member.required));
    first.is_some_and(|member| node.get(&member.name).is_none())
}

/// No alternative holds: what is wrong is told of the one that was meant, where that is clear.
#[cold]
fn explain(walk: &mut Walk<'_>, node: Node<'_>, types: &Types, group: &[TypeId], describes_members: bool) {
    if walk.asks_only() {
        return walk.add(node, None, FaultCode::InvalidValue, String::new);
    }
    let mut tried: Vec<Tried> = group.iter().map(|id| attempt(walk, node, types, *id)).collect();
    match meant(node, types, &tried) {
        Some(index) => {
            let tried = tried.swap_remove(index);
            walk.take(tried.findings, tried.more);
            if describes_members {
                walk.unknown.extend(tried.unknown);
            }
        }
        None => none_holds(walk, node, types, &tried),
    }
}

fn attempt(walk: &Walk<'_>, node: Node<'_>, types: &Types, id: TypeId) -> Tried {
    let mut own = walk.another();
    own.value(node, types, id);
    Tried { id, findings: own.findings, unknown: own.unknown, more: own.more }
}

/// The alternative that was clearly meant: the only one whose enumerations the value's members fit, as the
/// alternatives' `mapType` does; else the only one that describes the most of the members that are there; else,
/// where members tell nothing, the only one of the value's kind.
fn meant(node: Node<'_>, types: &Types, tried: &[Tried]) -> Option<usize> {
    let is_tagged = |tried: &Tried| {
        let fits = texts(node).filter_map(|(name, value)| {
            enumeration(types, tried.id, name).map(|allowed| allowed.contains(&value.as_ref()))
        });
        let fits: Vec<bool> = fits.collect();
        !fits.is_empty() && fits.into_iter().all(|fits| fits)
    };
    let mut tagged = (0..tried.len()).filter(|index| tried.get(*index).is_some_and(is_tagged));
    if let (Some(only), None) = (tagged.next(), tagged.next()) {
        return Some(only);
    }
    let described =
        |tried: &Tried| node.members().filter(|(name, _)| describes(types, tried.id, name, 0)).count();
    let counts: Vec<usize> = tried.iter().map(described).collect();
    let most = counts.iter().copied().max().filter(|most| *most > 0);
    let only = |found: Vec<usize>| if let [index] = found.as_slice() { Some(*index) } else { None };
    if let Some(most) = most {
        return only((0..tried.len()).filter(|index| counts.get(*index) == Some(&most)).collect());
    }
    let is_of_kind = |tried: &Tried| tried.findings.iter().all(|finding| finding.node != node.id());
    only((0..tried.len()).filter(|index| tried.get(*index).is_some_and(is_of_kind)).collect())
}

/// Members that are texts.
fn texts(node: Node<'_>) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    node.members().filter_map(|(name, value)| Some((name, value.as_str()?)))
}

/// Values that a type allows for a member; none if it does not enumerate them.
fn enumeration(types: &Types, id: TypeId, name: impl AsRef<str>) -> Option<Vec<&str>> {
    let values = types.texts(id, name.as_ref());
    (!values.is_empty()).then(|| values.iter().map(AsRef::as_ref).collect())
}

/// The member whose value no alternative allows, though each enumerates it: then that is the fault.
fn wrong_tag<'d>(node: Node<'d>, types: &Types, tried: &[Tried]) -> Option<(Node<'d>, String)> {
    texts(node).find_map(|(name, value)| {
        let allowed: Option<Vec<Vec<&str>>> =
            tried.iter().map(|tried| enumeration(types, tried.id, &name)).collect();
        let allowed = allowed?.concat();
        let member = node.get(&name)?;
        (!allowed.contains(&value.as_ref())).then(|| (member, some_of(allowed.into_iter())))
    })
}

fn none_holds(walk: &mut Walk<'_>, node: Node<'_>, types: &Types, tried: &[Tried]) {
    if let Some((member, allowed)) = wrong_tag(node, types, tried) {
        return walk.add(member, None, FaultCode::InvalidValue, || {
            format!("{} is none of {allowed}", member.name().unwrap_or_default())
        });
    }
    let is_missing = |finding: &Finding| finding.node == node.id() && finding.missing.is_some();
    let only_missing = tried.iter().all(|tried| tried.findings.iter().all(is_missing));
    if only_missing {
        let groups = tried.iter().map(|tried| {
            let names: Vec<&str> =
                tried.findings.iter().filter_map(|finding| finding.missing.as_deref()).collect();
            names.join(" and ")
        });
        let names: Vec<String> = groups.collect();
        let names = some_of(names.iter().map(String::as_str));
        return walk
            .add(node, None, FaultCode::MissingProperty, || format!("one of these is required: {names}"));
    }
    // Where every alternative finds the same kind of fault in the value itself, that is the fault's kind.
    let mut codes =
        tried.iter().flat_map(|tried| tried.findings.iter().map(|finding| (finding.node, finding.code)));
    let first = codes.next();
    let code = match first {
        Some((at, code)) if at == node.id() && codes.all(|other| other == (at, code)) => code,
        _ => FaultCode::InvalidValue,
    };
    let names = some_of(tried.iter().filter_map(|tried| public_name(types, tried.id)));
    let names = if names.is_empty() { String::new() } else { format!(": {names}") };
    walk.add(node, None, code, || format!("none of the alternatives holds{names}"));
}

/// The standard's name of a type; none for those that it leaves unnamed.
fn public_name(types: &Types, id: TypeId) -> Option<&str> {
    types.get(id).name.as_deref().filter(|name| !name.contains('/'))
}
