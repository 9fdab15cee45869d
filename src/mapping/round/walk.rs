//! Which places of both sides the rules of a program have to do with, by member names.

use std::collections::BTreeMap;

use crate::mapping::{
    direction::Direction,
    path::{Anchor, FieldPath, Step, Term},
    program::{Action, Body, Branch, Join, JoinTarget, Origin, Otherwise, Pair, Program, Rule, Source},
};

/// Where a rule stands on both sides: member names from the root, `$.quoteItem.action`.
#[derive(Clone, Debug)]
pub(super) struct At {
    source: String,
    target: String,
    source_root: String,
    target_root: String,
    /// Whether a rule around it says that what leaves to the legacy side, to the Sonata side, is lost.
    lossy: [bool; 2],
}

/// Where the Sonata scope of two programs stands in its whole message.
#[derive(Clone, Debug, Default)]
pub(super) struct Bases {
    /// `$`, or `$.productOrderItem` where elements are mapped by themselves.
    pub sonata: String,
}

/// What a rule takes to a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Carries<'p> {
    Value(&'p Pair),
    Key,
    Constant,
}

impl PartialEq for Carries<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// One place that is written, and the one that it is written from.
#[derive(Clone, Debug)]
pub(super) struct Carried<'p> {
    pub rule: &'p Rule,
    pub carries: Carries<'p>,
    pub source: Option<String>,
    pub target: String,
    /// Whether nothing is claimed of what leaves to the legacy side, to the Sonata side.
    pub lossy: [bool; 2],
}

/// The array that a rule reads and the place that its elements go to.
pub(super) fn arrays(rule: &Rule) -> Option<(&FieldPath, &FieldPath)> {
    match &rule.action {
        Action::Each(each) => Some((&each.source, &each.target)),
        Action::Join(join) => {
            let (JoinTarget::One(target) | JoinTarget::Every(target)) = &join.target;
            Some((&join.source, target))
        }
        Action::Append(append) => Some((&append.source, &append.target)),
        Action::Gather(gather) => Some((&gather.source, &gather.target)),
        Action::Pair(_) | Action::Group(_) | Action::OneOf(_) => None,
    }
}

/// Places that are written because of a condition or of a keyed path, and the rule that does.
pub(super) type Terms = BTreeMap<String, Origin>;

/// The directions in the order of [`Carried::lossy`].
pub(super) const DIRECTIONS: [Direction; 2] = [Direction::ToLegacy, Direction::ToSonata];

impl Bases {
    pub fn there(&self) -> At {
        At {
            source: self.sonata.clone(),
            target: "$".to_owned(),
            source_root: "$".to_owned(),
            target_root: "$".to_owned(),
            lossy: [false; 2],
        }
    }

    pub fn back(&self) -> At {
        At {
            source: "$".to_owned(),
            target: self.sonata.clone(),
            source_root: "$".to_owned(),
            target_root: self.sonata.clone(),
            lossy: [false; 2],
        }
    }
}

/// A place from a scope by its member names.
pub(super) fn named(scope: &str, root: &str, path: &FieldPath) -> String {
    let from = if path.anchor == Anchor::Root { root } else { scope };
    path.steps.iter().fold(from.to_owned(), |place, step| match step {
        Step::Member(name) => format!("{place}.{name}", name = &**name),
        Step::Index(_) | Step::Keyed(_) => place,
    })
}

impl At {
    pub fn source(&self, path: &FieldPath) -> String {
        named(&self.source, &self.source_root, path)
    }

    pub fn target(&self, path: &FieldPath) -> String {
        named(&self.target, &self.target_root, path)
    }

    /// The place that a pair reads, if it reads one.
    pub fn source_of(&self, pair: &Pair) -> Option<String> {
        match &pair.source {
            Source::Path(path) => Some(self.source(path)),
            Source::Query(_) | Source::Constant(_) | Source::Script(_) => None,
        }
    }

    pub fn inside(&self, source: &FieldPath, target: &FieldPath) -> Self {
        Self { source: self.source(source), target: self.target(target), ..self.clone() }
    }

    /// The same, knowing what a rule says of itself.
    fn under(&self, rule: &Rule) -> Self {
        let mut at = self.clone();
        for (lossy, direction) in at.lossy.iter_mut().zip(DIRECTIONS) {
            *lossy |= rule.lossy.reason(direction).is_some();
        }
        at
    }

    pub fn joined(&self, join: &Join) -> Self {
        let (JoinTarget::One(target) | JoinTarget::Every(target)) = &join.target;
        self.inside(&join.source, target)
    }
}

/// Every place that a program writes.
pub(super) fn carried<'p>(program: &'p Program, at: &At) -> Vec<Carried<'p>> {
    let mut found = Vec::new();
    rules(&program.rules, at, &mut |rule, at| match &rule.action {
        Action::Pair(pair) => {
            let source = at.source_of(pair);
            let carries = if source.is_some() { Carries::Value(pair) } else { Carries::Constant };
            found.push(Carried { rule, carries, source, target: at.target(&pair.target), lossy: at.lossy });
        }
        Action::Each(each) => {
            if let Some(key) = &each.key {
                let at = at.inside(&each.source, &each.target);
                let (source, target) = (Some(at.source(&key.source)), at.target(&key.target));
                found.push(Carried { rule, carries: Carries::Key, source, target, lossy: at.lossy });
            }
        }
        _ => {}
    });
    found
}

/// Every place that a program writes because of a condition or of a keyed path, and that has to come back.
pub(super) fn terms(program: &Program, at: &At) -> Terms {
    let mut found = Terms::new();
    // It is the way home of what leaves in the other direction.
    let lossy = DIRECTIONS.iter().position(|direction| *direction == program.direction.reverse());
    rules(&program.rules, at, &mut |rule, at| {
        if lossy.and_then(|place| at.lossy.get(place)) == Some(&true) {
            return;
        }
        let (path, also, branches): (Option<&FieldPath>, &[Term], &[Branch]) = match &rule.action {
            Action::Pair(pair) => {
                add(&mut found, &at.target, &pair.also, &rule.origin);
                (Some(&pair.target), &[], &[])
            }
            Action::Group(group) => (Some(&group.target), &group.also, &[]),
            Action::Each(each) => (Some(&each.target), &each.also, rows(&each.body)),
            Action::Join(join) => {
                let (JoinTarget::One(target) | JoinTarget::Every(target)) = &join.target;
                (Some(target), &join.also, rows(&join.body))
            }
            Action::Append(append) => (Some(&append.target), &append.also, &[]),
            Action::Gather(gather) => (Some(&gather.target), &[], &gather.branches),
            Action::OneOf(one_of) => (None, &[], &one_of.branches),
        };
        let inner = path.map_or_else(|| at.target.clone(), |path| keyed(&mut found, at, path, &rule.origin));
        add(&mut found, &inner, also, &rule.origin);
        for branch in branches {
            add(&mut found, &inner, &branch.also, &branch.origin);
        }
    });
    found
}

fn rows(body: &Body) -> &[Branch] {
    match body {
        Body::Rules(_) => &[],
        Body::Rows(branches) => branches,
    }
}

fn add(found: &mut Terms, scope: &str, also: &[Term], origin: &Origin) {
    for term in also {
        let members: Vec<&str> = term.members.iter().map(|name| &**name).collect();
        found.entry(format!("{scope}.{}", members.join("."))).or_insert_with(|| origin.clone());
    }
}

/// Adds the terms of keyed steps; the place of the path.
fn keyed(found: &mut Terms, at: &At, path: &FieldPath, origin: &Origin) -> String {
    let mut place = if path.anchor == Anchor::Root { at.target_root.clone() } else { at.target.clone() };
    for step in path.steps.iter() {
        match step {
            Step::Member(name) => place = format!("{place}.{name}", name = &**name),
            Step::Index(_) => {}
            Step::Keyed(terms) => add(found, &place, terms, origin),
        }
    }
    place
}

/// Every rule with where it stands, outer ones first.
fn rules<'p>(list: &'p [Rule], at: &At, visit: &mut dyn FnMut(&'p Rule, &At)) {
    for rule in list {
        let at = &at.under(rule);
        visit(rule, at);
        match &rule.action {
            Action::Pair(_) => {}
            Action::Group(group) => rules(&group.rules, &at.inside(&group.source, &group.target), visit),
            Action::Each(each) => body(&each.body, &at.inside(&each.source, &each.target), visit),
            Action::Join(join) => body(&join.body, &at.joined(join), visit),
            Action::Append(append) => {
                rules(&append.rules, &at.inside(&append.source, &append.target), visit);
            }
            Action::Gather(gather) => {
                branches(&gather.branches, &at.inside(&gather.source, &gather.target), visit);
            }
            Action::OneOf(one_of) => {
                branches(&one_of.branches, at, visit);
                if let Otherwise::Rules(list) = &one_of.otherwise {
                    rules(list, at, visit);
                }
            }
        }
    }
}

fn body<'p>(body: &'p Body, at: &At, visit: &mut dyn FnMut(&'p Rule, &At)) {
    match body {
        Body::Rules(list) => rules(list, at, visit),
        Body::Rows(list) => branches(list, at, visit),
    }
}

fn branches<'p>(list: &'p [Branch], at: &At, visit: &mut dyn FnMut(&'p Rule, &At)) {
    for branch in list {
        rules(&branch.rules, at, visit);
    }
}

/// Every rule of a program with where it stands on the side that is read.
pub(super) fn each_source(program: &Program, base: &[super::tree::Seg], visit: &mut dyn FnMut(&Rule, &At)) {
    each_rule(program, &Bases { sonata: super::tree::names(base) }, visit);
}

/// The same.
pub(super) fn each_rule(program: &Program, bases: &Bases, visit: &mut dyn FnMut(&Rule, &At)) {
    let at = match program.direction {
        Direction::ToLegacy => bases.there(),
        Direction::ToSonata => bases.back(),
    };
    rules(&program.rules, &at, &mut |rule, at| visit(rule, at));
}

/// The arrays in which a path picks an element by its members, on the side that is read.
pub(super) fn keyed_arrays(at: &At, path: &FieldPath) -> Vec<String> {
    let mut place = if path.anchor == Anchor::Root { at.source_root.clone() } else { at.source.clone() };
    let mut found = Vec::new();
    for step in path.steps.iter() {
        match step {
            Step::Member(name) => place = format!("{place}.{name}", name = &**name),
            Step::Index(_) => {}
            Step::Keyed(_) => found.push(place.clone()),
        }
    }
    found
}
