//! Which places of a side a program reads or writes, how surely, and with which values.

use crate::json::query::{self, Condition, Read, ReadStep};
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

/// Where a rule stands on the side that is looked at.
#[derive(Clone)]
struct At {
    place: String,
    certain: bool,
}

struct Walk<'p> {
    direction: Direction,
    /// Whether the side that is read is looked at, else the one that is written.
    reads: bool,
    root: &'p str,
    out: Touched,
}

/// Whether a branch is taken by what type the standard's message says that it has.
fn is_by_type(branch: &Branch) -> bool {
    let reads = branch.condition.as_ref().map(Condition::reads).unwrap_or_default();
    let is_type = |read: &Read| matches!(read.steps.last(), Some(ReadStep::One(query::Step::Name(name))) if **name == *"@type");
    !reads.is_empty() && reads.iter().all(is_type)
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
pub(super) fn of_call(call: &Call, out: &mut Touched) {
    let mut walk = Walk { direction: Direction::ToLegacy, reads: true, root: "$", out: std::mem::take(out) };
    let mut at = At { place: "$".to_owned(), certain: true };
    if let Some(each) = &call.each {
        at = walk.at(each, &at);
    }
    walk.condition(call.condition.as_ref(), &at);
    at.certain &= call.condition.is_none();
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
pub(super) fn written(program: &Program, root: &str) -> Touched {
    let mut walk = Walk { direction: program.direction, reads: false, root, out: Touched::new() };
    walk.rules(&program.rules, &At { place: root.to_owned(), certain: true });
    walk.out
}

/// The place of a path by its member names.
pub(super) fn names(from: &str, path: &FieldPath) -> String {
    let members = path.steps.iter().filter_map(|step| match step {
        Step::Member(name) => Some(name),
        Step::Index(_) | Step::Keyed(_) => None,
    });
    members.fold(from.to_owned(), |place, name| format!("{place}.{name}"))
}

impl Walk<'_> {
    /// The path of the side that is looked at, among the two of a rule.
    fn side<'r>(&self, source: &'r FieldPath, target: &'r FieldPath) -> &'r FieldPath {
        if self.reads { source } else { target }
    }

    fn note(&mut self, place: String, touch: Touch) {
        let own = self.out.entry(place).or_default();
        own.always |= touch.always;
        own.whole |= touch.whole;
        own.values.add(touch.values);
    }

    /// The scope that a path leads to; what keyed elements on the way know is touched along.
    fn at(&mut self, path: &FieldPath, from: &At) -> At {
        let root = path.anchor == Anchor::Root;
        let mut at =
            At { place: if root { self.root } else { &from.place }.to_owned(), certain: from.certain };
        for step in &path.steps {
            match step {
                Step::Member(name) => at.place = format!("{}.{name}", at.place),
                Step::Index(_) => {}
                Step::Keyed(terms) => {
                    at.certain = false;
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
            self.note(place, Touch { always: at.certain, whole: true, values });
        }
    }

    /// Terms that a rule writes along, where that side is written.
    fn also(&mut self, terms: &[Term], at: &At) {
        if !self.reads {
            self.terms(terms, at);
        }
    }

    /// A pair carries all that is below its place.
    fn touch(&mut self, path: &FieldPath, at: &At, values: Values) {
        self.touch_as(path, at, true, values);
    }

    fn touch_as(&mut self, path: &FieldPath, at: &At, whole: bool, values: Values) {
        if path.part == Part::Body {
            let At { place, certain } = self.at(path, at);
            self.note(place, Touch { always: certain, whole, values });
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
            self.note(place, Touch { always: at.certain, whole: false, values: values.clone() });
        }
    }

    /// What a condition looks at, where that side is read.
    fn condition(&mut self, condition: Option<&Condition>, at: &At) {
        if let (Some(condition), true) = (condition, self.reads) {
            self.looked_at(condition.reads(), at, &Values::None);
        }
    }

    fn rules(&mut self, rules: &[Rule], at: &At) {
        for rule in rules {
            self.action(&rule.action, at);
        }
    }

    fn action(&mut self, action: &Action, at: &At) {
        match action {
            Action::Pair(pair) => self.pair(pair, at),
            Action::Group(group) => {
                let at = self.at(self.side(&group.source, &group.target), at);
                let at = self.under(group.condition.as_ref(), at);
                self.also(&group.also, &at);
                self.rules(&group.rules, &at);
            }
            Action::Each(each) => {
                let at = self.at(self.side(&each.source, &each.target), at);
                let at = self.under(each.condition.as_ref(), at);
                if let Some(key) = &each.key {
                    self.touch(self.side(&key.source, &key.target), &at, Values::Any);
                }
                self.also(&each.also, &at);
                self.body(&each.body, &at);
            }
            Action::Join(join) => {
                let (JoinTarget::One(target) | JoinTarget::Every(target)) = &join.target;
                let at = self.at(self.side(&join.source, target), at);
                let at = self.under(join.condition.as_ref(), at);
                self.also(&join.also, &at);
                self.body(&join.body, &at);
            }
            Action::Append(append) => {
                let at = self.at(self.side(&append.source, &append.target), at);
                let at = self.under(append.condition.as_ref(), at);
                self.also(&append.also, &at);
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
                    Otherwise::Nothing => (None, !self.reads && one_of.branches.iter().all(is_by_type)),
                    Otherwise::Rules(rules) => (Some(&**rules), true),
                    Otherwise::Refuse(_) => (None, true),
                };
                self.branches(&one_of.branches, rules, every, at);
            }
        }
    }

    fn under(&mut self, condition: Option<&Condition>, mut at: At) -> At {
        self.condition(condition, &at);
        at.certain &= condition.is_none();
        at
    }

    fn body(&mut self, body: &Body, at: &At) {
        match body {
            Body::Rules(rules) => self.rules(rules, at),
            Body::Rows(branches) => self.branches(branches, None, true, at),
        }
    }

    /// Branches of which one is taken; a place is only sure where each has it, and one is taken in `every` case.
    fn branches(&mut self, branches: &[Branch], otherwise: Option<&[Rule]>, every: bool, at: &At) {
        let before = std::mem::take(&mut self.out);
        let mut taken = Vec::new();
        for branch in branches {
            self.also(&branch.also, at);
            self.rules(&branch.rules, at);
            taken.push(std::mem::take(&mut self.out));
        }
        if let Some(rules) = otherwise {
            self.rules(rules, at);
            taken.push(std::mem::take(&mut self.out));
        }
        self.out = before;
        let sure = |place: &str| {
            every && taken.iter().all(|branch| branch.get(place).is_some_and(|touch| touch.always))
        };
        let sure: BTreeSet<String> =
            taken.iter().flat_map(Touched::keys).filter(|p| sure(p)).cloned().collect();
        for (place, touch) in taken.into_iter().flatten() {
            let always = sure.contains(&place);
            self.note(place, Touch { always, ..touch });
        }
        for branch in branches {
            self.condition(branch.condition.as_ref(), at);
        }
    }

    fn pair(&mut self, pair: &Pair, at: &At) {
        let inner = self.under(pair.condition.as_ref(), at.clone());
        if !self.reads {
            let values = self.written(pair);
            self.touch(&pair.target, &inner, values);
            self.also(&pair.also, &inner);
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
