//! Which places of a side a program reads or writes, how surely, and with which values.

use crate::json::query::{self, Condition, Equality, Read, ReadStep};
use crate::mapping::direction::Direction;
use crate::mapping::operation::{Call, TemplatePart};
use crate::mapping::path::{Anchor, FieldPath, Literal, Part, Step, Term};
use crate::mapping::program::{
    Action, Argument, Body, Branch, Constant, JoinTarget, Otherwise, Pair, Program, Rule, Source, Transform,
};
use std::collections::{BTreeMap, BTreeSet};

/// Values that can pass at a place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Values {
    /// It is only looked at.
    #[default]
    None,
    /// These: of code tables, constants and conditions that are written.
    These(BTreeSet<String>),
    /// Whatever there is.
    Any,
}

/// What rules do at one place.
#[derive(Debug, Clone, Default)]
pub(super) struct Touch {
    /// Whether no condition stands before one of them.
    pub always: bool,
    /// Whether one of them carries all that is below the place.
    pub whole: bool,
    /// What can pass.
    pub values: Values,
}

/// By member names from the root, `$.quoteItem.action`.
pub(super) type Touched = BTreeMap<String, Touch>;

/// An object by what its `@type` says: its place and that text.
pub(super) type Typed = (String, String);

/// What rules do on one side.
#[derive(Debug, Clone, Default)]
pub(super) struct Touches {
    /// All of it.
    pub all: Touched,
    /// What is done to objects whatever their `@type` says.
    pub untyped: Touched,
    /// What is done to objects only where their `@type` says this; how surely, is seen from there.
    pub typed: BTreeMap<Typed, Touched>,
}

/// Where a rule stands on the side that is looked at.
#[derive(Clone)]
struct At {
    place: String,
    certain: bool,
    /// Objects whose `@type` is one of these here.
    types: Vec<(String, BTreeSet<String>)>,
    /// Whether it is certain where they are.
    given: bool,
}

struct Walk<'p> {
    direction: Direction,
    /// Whether the side that is read is looked at, else the one that is written.
    reads: bool,
    root: &'p str,
    out: Touches,
}

/// The member that says what an object is.
const TYPE: &str = "@type";

/// Whether a condition asks for nothing but what type something has.
fn is_by_type(condition: Option<&Condition>) -> bool {
    let reads = condition.map(Condition::reads).unwrap_or_default();
    let is_type = |read: &Read| matches!(read.steps.last(), Some(ReadStep::One(query::Step::Name(name))) if **name == *TYPE);
    !reads.is_empty() && reads.iter().all(is_type)
}

fn add(touched: &mut Touched, place: String, touch: Touch) {
    let own = touched.entry(place).or_default();
    own.always |= touch.always;
    own.whole |= touch.whole;
    own.values.add(touch.values);
}

/// Adds what branches do of which one is taken; a place is only sure where each has it, and one is taken in `every` case.
fn merge(into: &mut Touched, taken: Vec<Touched>, every: bool) {
    let sure =
        |place: &str| every && taken.iter().all(|branch| branch.get(place).is_some_and(|touch| touch.always));
    let sure: BTreeSet<String> = taken.iter().flat_map(Touched::keys).filter(|p| sure(p)).cloned().collect();
    for (place, touch) in taken.into_iter().flatten() {
        let always = sure.contains(&place);
        add(into, place, Touch { always, ..touch });
    }
}

fn by_type(branches: &[Branch]) -> bool {
    branches.iter().all(|branch| is_by_type(branch.condition.as_ref()))
}

impl Values {
    fn add(&mut self, other: Self) {
        match (&mut *self, other) {
            (_, Self::None) | (Self::Any, _) => {}
            (Self::These(own), Self::These(other)) => own.extend(other),
            (_, other) => *self = other,
        }
    }

    fn text(literal: &Literal) -> Self {
        match literal {
            Literal::Text(text) => Self::These(BTreeSet::from([text.to_string()])),
            _ => Self::Any,
        }
    }

    fn constant(constant: &Constant) -> Self {
        match constant {
            Constant::Literal(literal) => Self::text(literal),
            Constant::Document(_) => Self::Any,
        }
    }
}

/// What a call reads of the request: its body's program, its condition and its address.
pub(super) fn of_call(call: &Call, out: &mut Touches) {
    let mut walk = Walk { direction: Direction::ToLegacy, reads: true, root: "$", out: std::mem::take(out) };
    let mut at = At::root("$");
    if let Some(each) = &call.each {
        at = walk.at(each, &at);
    }
    let at = walk.under(call.condition.as_ref(), at);
    let query = call.target.query.iter().flat_map(|(_, template)| template.iter());
    for part in call.target.path.iter().chain(query) {
        if let TemplatePart::Request(path) = part {
            walk.touch(path, &at, Values::Any);
        }
    }
    if let Some(program) = &call.request {
        walk.rules(&program.rules, &at);
    }
    *out = walk.out;
}

/// What a program writes into the message that stands at `root`.
pub(super) fn written(program: &Program, root: &str) -> Touches {
    let mut walk = Walk { direction: program.direction, reads: false, root, out: Touches::default() };
    walk.rules(&program.rules, &At::root(root));
    walk.out
}

/// Notes what a program reads of a message, whose part that it stands in is at `scope`.
pub(super) fn read(program: &Program, scope: &str, out: &mut Touches) {
    let mut walk = Walk { direction: program.direction, reads: true, root: "$", out: std::mem::take(out) };
    walk.rules(&program.rules, &At::root(scope));
    *out = walk.out;
}

/// Notes what else is read of a reply: places, and what conditions and queries look at.
pub(super) fn looked_at(paths: &[(&str, &FieldPath)], reads: Vec<Read>, out: &mut Touches) {
    let mut walk = Walk { direction: Direction::ToSonata, reads: true, root: "$", out: std::mem::take(out) };
    for (scope, path) in paths {
        walk.touch(path, &At::root(scope), Values::Any);
    }
    walk.looked_at(reads, &At::root("$"), &Values::None);
    *out = walk.out;
}

/// The place of a path by its member names.
pub(super) fn names(from: &str, path: &FieldPath) -> String {
    let members = path.steps.iter().filter_map(|step| match step {
        Step::Member(name) => Some(name),
        Step::Index(_) | Step::Keyed(_) => None,
    });
    members.fold(from.to_owned(), |place, name| format!("{place}.{name}"))
}

impl At {
    fn root(place: &str) -> Self {
        Self { place: place.to_owned(), certain: true, types: Vec::new(), given: true }
    }

    /// The same, only sure if no more is asked.
    fn unsure(&mut self) {
        self.certain = false;
        self.given = false;
    }

    /// The same where an object has one of these types.
    fn typed(&mut self, place: String, types: BTreeSet<String>) {
        if !types.is_empty() {
            self.types.retain(|(known, _)| *known != place);
            self.types.push((place, types));
        }
    }

    /// The types of the innermost object that the place is in.
    fn types_of(&self, place: &str) -> Option<&(String, BTreeSet<String>)> {
        let inside = |own: &str| place.strip_prefix(own).is_some_and(|rest| rest.starts_with('.'));
        self.types.iter().filter(|(own, _)| inside(own)).max_by_key(|(own, _)| own.len())
    }
}

impl Walk<'_> {
    /// The path of the side that is looked at, among the two of a rule.
    fn side<'r>(&self, source: &'r FieldPath, target: &'r FieldPath) -> &'r FieldPath {
        if self.reads { source } else { target }
    }

    /// Notes something that is done at a place from where a rule stands; sure unless that is not.
    fn note(&mut self, place: String, at: &At, whole: bool, values: Values) {
        if let Some((object, types)) = at.types_of(&place) {
            for ty in types {
                let touch = Touch { always: at.given, whole, values: values.clone() };
                let own = self.out.typed.entry((object.clone(), ty.clone())).or_default();
                add(own, place.clone(), touch);
            }
        } else {
            let touch = Touch { always: at.certain, whole, values: values.clone() };
            add(&mut self.out.untyped, place.clone(), touch);
        }
        add(&mut self.out.all, place, Touch { always: at.certain, whole, values });
    }

    /// The scope that a path leads to; what keyed elements on the way know is touched along.
    fn at(&mut self, path: &FieldPath, from: &At) -> At {
        let root = path.anchor == Anchor::Root;
        let mut at = from.clone();
        if root {
            at.place = self.root.to_owned();
        }
        for step in path.steps.iter() {
            match step {
                Step::Member(name) => at.place = format!("{}.{name}", at.place),
                Step::Index(_) => {}
                Step::Keyed(terms) => {
                    at.unsure();
                    self.terms(terms, &at);
                }
            }
        }
        at
    }

    fn terms(&mut self, terms: &[Term], at: &At) {
        for term in terms {
            let place = format!("{}.{}", at.place, term.members.join("."));
            let values = Values::text(&term.value);
            self.note(place, at, true, values);
        }
    }

    /// Terms that a rule writes along, where that side is written; they may say what an object is.
    fn also(&mut self, terms: &[Term], mut at: At) -> At {
        if self.reads {
            return at;
        }
        for term in terms {
            if let (Some((last, object)), Literal::Text(text)) = (term.members.split_last(), &term.value)
                && **last == *TYPE
            {
                let place = object.iter().fold(at.place.clone(), |place, name| format!("{place}.{name}"));
                at.typed(place, BTreeSet::from([text.to_string()]));
            }
        }
        self.terms(terms, &at);
        at
    }

    /// A pair carries all that is below its place.
    fn touch(&mut self, path: &FieldPath, at: &At, values: Values) {
        self.touch_as(path, at, true, values);
    }

    fn touch_as(&mut self, path: &FieldPath, at: &At, whole: bool, values: Values) {
        if path.part == Part::Body {
            let at = self.at(path, at);
            self.note(at.place.clone(), &at, whole, values);
        }
    }

    /// A query, a condition or a script may look at an object for one of its members only: what is below is not
    /// counted.
    fn looked_at(&mut self, reads: Vec<Read>, at: &At, values: &Values) {
        for read in reads {
            let root = read.origin == query::Origin::Root;
            let mut place = if root { self.root } else { &at.place }.to_owned();
            for step in &read.steps {
                if let ReadStep::One(query::Step::Name(name)) = step {
                    place = format!("{place}.{name}");
                }
            }
            self.note(place, at, false, values.clone());
        }
    }

    /// What a condition looks at, where that side is read.
    fn condition(&mut self, condition: Option<&Condition>, at: &At) {
        if let (Some(condition), true) = (condition, self.reads) {
            self.looked_at(condition.reads(), at, &Values::None);
        }
    }

    fn rules(&mut self, rules: &[Rule], at: &At) {
        let at = self.stated(rules, at.clone());
        for rule in rules {
            self.action(&rule.action, &at);
        }
    }

    /// What rules say of the type of an object that they write: `{ sonata: "@type", value: … }`.
    fn stated(&self, rules: &[Rule], mut at: At) -> At {
        for rule in rules {
            let Action::Pair(pair) = &rule.action else { continue };
            let Source::Constant(Constant::Literal(Literal::Text(text))) = &pair.source else { continue };
            let steps = &pair.target.steps;
            let is_here = !self.reads && pair.condition.is_none() && pair.target.anchor != Anchor::Root;
            if let (true, Some((Step::Member(last), object))) = (is_here, steps.split_last())
                && **last == *TYPE
            {
                let object = FieldPath { steps: object.into(), ..pair.target.clone() };
                at.typed(names(&at.place, &object), BTreeSet::from([text.to_string()]));
            }
        }
        at
    }

    fn action(&mut self, action: &Action, at: &At) {
        match action {
            Action::Pair(pair) => self.pair(pair, at),
            Action::Group(group) => {
                let at = self.at(self.side(&group.source, &group.target), at);
                let at = self.under(group.condition.as_ref(), at);
                let at = self.also(&group.also, at);
                self.rules(&group.rules, &at);
            }
            Action::Each(each) => {
                let at = self.at(self.side(&each.source, &each.target), at);
                let at = self.under(each.condition.as_ref(), at);
                if let Some(key) = &each.key {
                    self.touch(self.side(&key.source, &key.target), &at, Values::Any);
                }
                let at = self.also(&each.also, at);
                self.body(&each.body, &at);
            }
            Action::Join(join) => {
                let (JoinTarget::One(target) | JoinTarget::Every(target)) = &join.target;
                let outer = at;
                let at = self.at(self.side(&join.source, target), at);
                for (element, scope) in if self.reads { &*join.on } else { &[] } {
                    self.touch(element, &at, Values::Any);
                    self.touch(scope, outer, Values::Any);
                }
                let at = self.under(join.condition.as_ref(), at);
                let at = self.also(&join.also, at);
                self.body(&join.body, &at);
            }
            Action::Append(append) => {
                let at = self.at(self.side(&append.source, &append.target), at);
                let at = self.under(append.condition.as_ref(), at);
                let at = self.also(&append.also, at);
                if !self.reads {
                    for (_, own) in &append.copy {
                        self.touch(own, &at, Values::Any);
                    }
                }
                self.rules(&append.rules, &at);
            }
            Action::Gather(gather) => {
                let at = self.at(self.side(&gather.source, &gather.target), at);
                if self.reads {
                    for path in &gather.row_key {
                        self.touch(path, &at, Values::Any);
                    }
                }
                self.branches(&gather.branches, None, true, &at);
            }
            Action::OneOf(one_of) => {
                let (rules, every) = match &one_of.otherwise {
                    // The contract knows which types there are; a message of another is refused before.
                    Otherwise::Nothing => (None, !self.reads && by_type(&one_of.branches)),
                    Otherwise::Rules(rules) => (Some(&**rules), true),
                    Otherwise::Refuse(_) => (None, true),
                };
                self.branches(&one_of.branches, rules, every, at);
            }
        }
    }

    fn under(&mut self, condition: Option<&Condition>, at: At) -> At {
        self.condition(condition, &at);
        let mut at = self.narrowed(condition, at);
        at.certain &= condition.is_none();
        at.given &= condition.is_none() || (self.reads && is_by_type(condition));
        at
    }

    /// What a condition says of the types of objects, where the side that it is about is read.
    fn narrowed(&self, condition: Option<&Condition>, mut at: At) -> At {
        for choice in condition.filter(|_| self.reads).map(Condition::choices).unwrap_or_default() {
            let mut found: Option<(String, BTreeSet<String>)> = None;
            let of_one = choice.iter().all(|one| {
                let Some((place, text)) = self.type_test(one, &at) else { return false };
                let (own, types) = found.get_or_insert_with(|| (place.clone(), BTreeSet::new()));
                types.insert(text);
                *own == place
            });
            if let (true, Some((place, types))) = (of_one, found) {
                at.typed(place, types);
            }
        }
        at
    }

    /// The object and the type that are asked for.
    fn type_test(&self, one: &Equality<'_>, at: &At) -> Option<(String, String)> {
        let query::Literal::Text(text) = one.literal else { return None };
        let (query::Step::Name(last), object) = one.path.steps.split_last()? else { return None };
        let root = one.path.origin == query::Origin::Root;
        let mut place = if root { self.root } else { &at.place }.to_owned();
        for step in object {
            if let query::Step::Name(name) = step {
                place = format!("{place}.{name}");
            }
        }
        (**last == *TYPE).then(|| (place, text.to_string()))
    }

    fn body(&mut self, body: &Body, at: &At) {
        match body {
            Body::Rules(rules) => self.rules(rules, at),
            Body::Rows(branches) => self.branches(branches, None, true, at),
        }
    }

    /// Branches of which one is taken.
    fn branches(&mut self, branches: &[Branch], otherwise: Option<&[Rule]>, every: bool, at: &At) {
        let before = std::mem::take(&mut self.out);
        let mut taken = Vec::new();
        for branch in branches {
            let mut inner = self.narrowed(branch.condition.as_ref(), at.clone());
            // Where a branch is also decided by something else, its type alone does not say that it is taken.
            inner.given &= !self.reads || inner.types == at.types || is_by_type(branch.condition.as_ref());
            let inner = self.also(&branch.also, inner);
            taken.push(self.branch(&branch.rules, &inner));
        }
        if let Some(rules) = otherwise {
            taken.push(self.branch(rules, at));
        }
        self.out = before;
        self.merge(taken, every, at);
        for branch in branches {
            self.condition(branch.condition.as_ref(), at);
        }
    }

    fn branch(&mut self, rules: &[Rule], at: &At) -> Touches {
        // A type that nothing is done for is one that this branch does nothing for.
        for (object, types) in &at.types {
            for ty in types {
                self.out.typed.entry((object.clone(), ty.clone())).or_default();
            }
        }
        self.rules(rules, at);
        std::mem::take(&mut self.out)
    }

    fn merge(&mut self, taken: Vec<Touches>, every: bool, at: &At) {
        let (mut all, mut untyped) = (Vec::new(), Vec::new());
        let mut typed: BTreeMap<Typed, Vec<Touched>> = BTreeMap::new();
        for branch in taken {
            all.push(branch.all);
            untyped.push(branch.untyped);
            for (key, touched) in branch.typed {
                typed.entry(key).or_default().push(touched);
            }
        }
        merge(&mut self.out.all, all, every);
        merge(&mut self.out.untyped, untyped, every);
        for ((object, ty), touched) in typed {
            // Of branches that a type is decided by, one is taken wherever it is.
            let outer = at.types.iter().any(|(own, types)| *own == object && types.contains(&ty));
            merge(self.out.typed.entry((object, ty)).or_default(), touched, every || !outer);
        }
    }

    fn pair(&mut self, pair: &Pair, at: &At) {
        let inner = self.under(pair.condition.as_ref(), at.clone());
        if !self.reads {
            let values = self.written(pair);
            let inner = self.also(&pair.also, inner);
            self.touch(&pair.target, &inner, values);
            return;
        }
        let values = match pair.transforms.first() {
            Some(Transform::Codes(codes)) if codes.otherwise.is_none() => {
                Values::These(codes.table.read(self.direction).map(str::to_owned).collect())
            }
            _ => Values::Any,
        };
        self.source(&pair.source, &inner, values);
        for transform in &pair.transforms {
            match transform {
                Transform::Script(script) => self.inputs(&script.inputs, &inner),
                Transform::Convert(convert) => {
                    if let Some(Argument::Source(path)) = &convert.argument {
                        self.touch(path, &inner, Values::Any);
                    }
                }
                Transform::Codes(_) | Transform::Ref { .. } | Transform::Key { .. } => {}
            }
        }
    }

    /// Values that a pair can write.
    fn written(&self, pair: &Pair) -> Values {
        let mut values = match (pair.transforms.last(), &pair.source) {
            (Some(Transform::Codes(codes)), _) => {
                let mut values =
                    Values::These(codes.table.written(self.direction).map(str::to_owned).collect());
                values.add(codes.otherwise.as_ref().map(Values::text).unwrap_or_default());
                values
            }
            (None, Source::Constant(constant)) => Values::constant(constant),
            _ => Values::Any,
        };
        values.add(pair.default.as_ref().map(Values::constant).unwrap_or_default());
        values
    }

    fn source(&mut self, source: &Source, at: &At, values: Values) {
        match source {
            Source::Path(path) => self.touch(path, at, values),
            Source::Query(query) => self.looked_at(query.reads(), at, &values),
            Source::Script(script) => self.inputs(&script.inputs, at),
            Source::Constant(_) => {}
        }
    }

    fn inputs(&mut self, inputs: &[(Box<str>, Source)], at: &At) {
        for (_, source) in inputs {
            match source {
                Source::Path(path) => self.touch_as(path, at, false, Values::Any),
                other => self.source(other, at, Values::Any),
            }
        }
    }
}
