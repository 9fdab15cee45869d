//! Changing one rule of compiled operations, to see whether anything notices.
//!
//! A rule is a place of a file: one that several operations or several places of one message share is changed
//! wherever it was compiled for one direction. Changing is done on the compiled form, because a mapping with a rule
//! less need not compile: what is asked here is whether a case holds the rule, not whether the checker does.

mod edit;

use std::{fmt, sync::Arc};

use super::{
    direction::Direction,
    operation::{Answer, OperationProgram},
    path::Term,
    program::{Action, Body, Branch, OnFailure, Origin, Otherwise, Pair, Program, Rule, Source, Transform},
};
use edit::Edit;

/// What is done to a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is not there.
    Dropped,
    /// It applies always.
    ConditionDropped,
    /// It writes another constant.
    ConstantChanged,
    /// Its code table writes the value of the next row; refuses where there is no other.
    CodesShifted,
    /// The value goes as it is: without converter, reference, key or script.
    ConverterDropped,
    /// Nothing is written where the value is absent.
    DefaultDropped,
    /// What the other side's condition says is not written.
    TermsDropped,
    /// Keys are counted from another number.
    NumberingChanged,
    /// What no branch takes is passed over.
    RefusalDropped,
    /// The call takes every element.
    CallConditionDropped,
    /// The row of `on:` is not there.
    OnDropped,
}

impl Change {
    /// Whether it is a change of a rule of a program, and not of what is around programs.
    #[must_use]
    pub fn is_of_program(self) -> bool {
        !matches!(self, Self::CallConditionDropped | Self::OnDropped)
    }

    /// In words, after the rule's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dropped | Self::OnDropped => "dropped",
            Self::ConditionDropped => "condition dropped",
            Self::ConstantChanged => "constant changed",
            Self::CodesShifted => "codes shifted",
            Self::ConverterDropped => "converter dropped",
            Self::DefaultDropped => "default dropped",
            Self::TermsDropped => "terms of its condition dropped",
            Self::NumberingChanged => "numbering changed",
            Self::RefusalDropped => "refusal dropped",
            Self::CallConditionDropped => "condition of the call dropped",
        }
    }
}

/// One change to one rule. Ordered by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mutant {
    /// File, line and column of the rule.
    pub place: (Arc<str>, u32, u32),
    /// Which of the rule's readings is changed.
    pub direction: Way,
    /// The change.
    pub change: Change,
}

/// The place with the direction: `acme/quote.yaml:12:9 (to_legacy)`.
impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, line, column) = &self.place;
        write!(f, "{file}:{line}:{column}")?;
        match self.direction {
            Way::ToLegacy => f.write_str(" (to_legacy)"),
            Way::ToSonata => f.write_str(" (to_sonata)"),
        }
    }
}

/// A direction, in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// To the legacy system.
    ToLegacy,
    /// To the partner.
    ToSonata,
}

impl From<Direction> for Way {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::ToLegacy => Self::ToLegacy,
            Direction::ToSonata => Self::ToSonata,
        }
    }
}

/// All changes that can be made to an operation, with the address of each rule.
#[must_use]
pub fn mutants(operation: &OperationProgram) -> Vec<(Mutant, Arc<str>)> {
    let mut found = Vec::new();
    let mut add = |origin: &Origin, direction: Way, change: Change| {
        let place = (Arc::clone(&origin.file), origin.line, origin.column);
        found.push((Mutant { place, direction, change }, Arc::clone(&origin.address)));
    };
    for call in &operation.calls {
        if call.condition.is_some() {
            add(&call.origin, Way::ToLegacy, Change::CallConditionDropped);
        }
    }
    for on in &operation.on {
        add(&on.origin, Way::ToSonata, Change::OnDropped);
    }
    for program in programs(operation) {
        let direction = program.direction.into();
        list(&program.rules, &mut |origin, change| add(origin, direction, change));
    }
    found
}

/// The operation with one change; none where it does not have the rule.
#[must_use]
pub fn mutated(operation: &OperationProgram, mutant: &Mutant) -> Option<OperationProgram> {
    let mut edit = Edit { mutant, changed: false };
    let mut operation = operation.clone();
    for call in &mut operation.calls {
        if mutant.change == Change::CallConditionDropped && edit.is_at(&call.origin, Way::ToLegacy) {
            edit.changed |= call.condition.take().is_some();
        }
        let undo = call.undo.as_mut().and_then(|undo| undo.request.as_mut());
        call.request.iter_mut().chain(undo).for_each(|program| edit.program(program));
    }
    if mutant.change == Change::OnDropped {
        let before = operation.on.len();
        let kept = operation.on.into_iter().filter(|on| !edit.is_at(&on.origin, Way::ToSonata));
        operation.on = kept.collect();
        edit.changed |= operation.on.len() < before;
    }
    match &mut operation.answer {
        Answer::Empty => {}
        Answer::Reply(program) | Answer::Each { program, .. } | Answer::Calls { program, .. } => {
            edit.program(program);
        }
    }
    edit.changed.then_some(operation)
}

/// The operation with all programs of one direction replaced: by one that refuses every message, or by one that
/// writes nothing. What neither of them disturbs never runs these programs.
#[must_use]
pub fn probed(operation: &OperationProgram, direction: Way, refuses: bool) -> OperationProgram {
    let mut probed = operation.clone();
    let replace = |program: &mut Arc<Program>| {
        if direction == program.direction.into() {
            let rules = if refuses { vec![edit::refusal(&operation.origin)] } else { Vec::new() };
            *program = Arc::new(Program::new(
                program.name.clone(),
                program.phase,
                program.direction,
                rules,
                Vec::new(),
            ));
        }
    };
    probed.calls.iter_mut().filter_map(|call| call.request.as_mut()).for_each(replace);
    match &mut probed.answer {
        Answer::Empty => {}
        Answer::Reply(program) | Answer::Each { program, .. } | Answer::Calls { program, .. } => {
            replace(program);
        }
    }
    probed
}

fn programs(operation: &OperationProgram) -> impl Iterator<Item = &Program> {
    let answer = match &operation.answer {
        Answer::Empty => None,
        Answer::Reply(program) | Answer::Each { program, .. } | Answer::Calls { program, .. } => {
            Some(program)
        }
    };
    let calls = operation.calls.iter().flat_map(|call| std::iter::once(call).chain(call.undo.as_deref()));
    calls.filter_map(|call| call.request.as_ref()).chain(answer).map(AsRef::as_ref)
}

/// What a rule is made of, as far as changes go.
struct Parts<'r> {
    condition: bool,
    also: &'r [Term],
    rules: Vec<&'r [Rule]>,
    branches: &'r [Branch],
}

fn with_body<'r>(parts: Parts<'r>, body: &'r Body) -> Parts<'r> {
    match body {
        Body::Rules(rules) => Parts { rules: vec![&**rules], ..parts },
        Body::Rows(branches) => Parts { branches, ..parts },
    }
}

fn parts(action: &Action) -> Parts<'_> {
    let none = Parts { condition: false, also: &[], rules: Vec::new(), branches: &[] };
    match action {
        Action::Pair(pair) => Parts { condition: pair.condition.is_some(), also: &pair.also, ..none },
        Action::Group(group) => {
            let condition = group.condition.is_some();
            Parts { condition, also: &group.also, rules: vec![&group.rules], ..none }
        }
        Action::Each(each) => {
            with_body(Parts { condition: each.condition.is_some(), also: &each.also, ..none }, &each.body)
        }
        Action::Join(join) => {
            with_body(Parts { condition: join.condition.is_some(), also: &join.also, ..none }, &join.body)
        }
        Action::Append(append) => {
            let condition = append.condition.is_some();
            Parts { condition, also: &append.also, rules: vec![&append.rules], ..none }
        }
        Action::Gather(gather) => Parts { branches: &gather.branches, ..none },
        Action::OneOf(one_of) => {
            let rules = match &one_of.otherwise {
                Otherwise::Rules(rules) => vec![&**rules],
                Otherwise::Nothing | Otherwise::Refuse(_) => Vec::new(),
            };
            Parts { branches: &one_of.branches, rules, ..none }
        }
    }
}

fn list(rules: &[Rule], add: &mut impl FnMut(&Origin, Change)) {
    for rule in rules {
        add(&rule.origin, Change::Dropped);
        let parts = parts(&rule.action);
        of_scope(&rule.origin, parts.condition, parts.also, add);
        match &rule.action {
            Action::Pair(pair) => of_pair(pair, &mut |change| add(&rule.origin, change)),
            Action::Each(each) if each.key.as_ref().is_some_and(|key| key.number.is_some()) => {
                add(&rule.origin, Change::NumberingChanged);
            }
            // What is left out in any case is left out without it too: only the finding is another.
            Action::OneOf(one_of)
                if matches!(one_of.otherwise, Otherwise::Refuse(_)) && rule.on_failure == OnFailure::Fail =>
            {
                add(&rule.origin, Change::RefusalDropped);
            }
            _ => {}
        }
        for rules in parts.rules {
            list(rules, add);
        }
        for branch in parts.branches {
            add(&branch.origin, Change::Dropped);
            of_scope(&branch.origin, branch.condition.is_some(), &branch.also, add);
            list(&branch.rules, add);
        }
    }
}

fn of_scope(origin: &Origin, condition: bool, also: &[Term], add: &mut impl FnMut(&Origin, Change)) {
    if condition {
        add(origin, Change::ConditionDropped);
    }
    if !also.is_empty() {
        add(origin, Change::TermsDropped);
    }
}

fn of_pair(pair: &Pair, add: &mut impl FnMut(Change)) {
    if matches!(pair.source, Source::Constant(_)) {
        add(Change::ConstantChanged);
    }
    if pair.default.is_some() {
        add(Change::DefaultDropped);
    }
    for transform in &pair.transforms {
        add(match transform {
            Transform::Codes(_) => Change::CodesShifted,
            Transform::Convert(_) | Transform::Ref { .. } | Transform::Key { .. } | Transform::Script(_) => {
                Change::ConverterDropped
            }
        });
    }
}
