//! Documents that are there already: those of cases. What is claimed of one is what its mapping really read.

use std::collections::BTreeSet;

use super::{
    Example,
    back::Road,
    fill::{Filled, by_rule, is_keyed, mark},
    leaf::expected,
    tree::{Leaf, Seg, Tree, joined, names},
};
use crate::mapping::{
    apply::{Input, References, apply_traced},
    direction::Direction,
    program::{Action, Program, Rule, Source},
    trace::{Outcome, Row},
    value::Value,
};

/// Elements of one message that are tried by themselves.
const ELEMENTS_MAX: usize = 20;

/// The documents of an example: one, or one for each element where those are mapped by themselves.
pub(super) fn adopted(road: &Road<'_>, example: &Example) -> Vec<Filled> {
    let whole = tree(&Value::Node(example.body.root()), &mut Vec::new(), &keyed(road, example.direction));
    let mut scopes = vec![Vec::new()];
    if example.direction == Direction::ToLegacy && !road.base.is_empty() {
        let count = whole.len(road.base).min(ELEMENTS_MAX);
        scopes = (0..count).map(|index| joined(road.base, Seg::At(index))).collect();
    }
    let one = |scope: Vec<Seg>| {
        let mut filled = Filled { tree: whole.clone(), scope };
        claim(road, example, &mut filled).then_some(filled)
    };
    scopes.into_iter().filter_map(one).collect()
}

fn program<'r>(road: &Road<'r>, direction: Direction) -> &'r Program {
    match direction {
        Direction::ToLegacy => &road.trimmed.there,
        Direction::ToSonata => &road.trimmed.back,
    }
}

/// Marks what the program reads and writes; whether there is any.
fn claim(road: &Road<'_>, example: &Example, filled: &mut Filled) -> bool {
    let program = program(road, example.direction);
    let references = References::new();
    let mut input = Input::new(Some(example.body.root()), road.facts, &references);
    input.scope = example.body.root().resolve(&super::tree::pointer(&filled.scope));
    let (_, rows) = apply_traced(program, &input);
    let by_rule = by_rule(&road.trimmed.claims, example.direction);
    let mut any = false;
    for row in rows.iter().filter(|row| row.outcome == Outcome::Written) {
        let Some(place) = place_of(&filled.tree, row) else { continue };
        let Some(index) = by_rule.get(&mark(&row.origin, names(&place))).copied() else { continue };
        let (Some(claim), Some(there)) = (road.trimmed.claims.get(index), filled.tree.get_mut(&place)) else {
            continue;
        };
        let value = there.value();
        let expected = expected(claim, example.direction, &value);
        *there = Tree::Leaf(Leaf { expected, value, claim: Some(index), is_pinned: false });
        any = true;
    }
    any
}

fn place_of(tree: &Tree, row: &Row) -> Option<Vec<Seg>> {
    let mut place = Vec::new();
    for token in row.source.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        let seg = match (tree.get(&place)?, name.parse()) {
            (Tree::Array { .. }, Ok(index)) => Seg::At(index),
            _ => Seg::Name(name.as_str().into()),
        };
        place.push(seg);
    }
    tree.get(&place).map(|_| place)
}

fn tree(value: &Value<'_>, place: &mut Vec<Seg>, sets: &BTreeSet<String>) -> Tree {
    if let Some(members) = value.members() {
        let members = members.into_iter().map(|(name, value)| {
            place.push(Seg::Name((&*name).into()));
            let tree = tree(&value, place, sets);
            place.pop();
            (Box::from(&*name), tree)
        });
        return Tree::Object(members.collect());
    }
    if let Some(elements) = value.elements() {
        let is_set = sets.contains(&names(place));
        let elements = elements.into_iter().enumerate().map(|(index, value)| {
            place.push(Seg::At(index));
            let tree = tree(&value, place, sets);
            place.pop();
            tree
        });
        return Tree::Array { elements: elements.collect(), is_set };
    }
    Tree::Leaf(Leaf { is_pinned: true, ..Leaf::new(value.clone().into_owned(), None) })
}

/// Arrays whose elements are told apart by their members, by the last member's name.
fn keyed(road: &Road<'_>, direction: Direction) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    super::walk::each_source(program(road, direction), road.base, &mut |rule: &Rule, at| {
        let path = match &rule.action {
            Action::Pair(pair) => match &pair.source {
                Source::Path(path) => path,
                _ => return,
            },
            Action::Group(group) => &group.source,
            Action::Append(append) => &append.source,
            _ => return,
        };
        if is_keyed(path) {
            found.extend(super::walk::keyed_arrays(at, path));
        }
    });
    found
}
