//! From checked rules to what runs: one program per use, sides resolved to source and target.
//!
//! What is wrong was told by the survey; here a rule that cannot be lowered is left out. Only what shows in a
//! single message is told here: two writers of one place, and keys that nothing defines.

use super::Compiler;
use super::again::Lowered;
use super::condition::{OnSide, equalities, parts};
use super::form::{Body, Form, form};
use super::scope::{Place, Required, Scope};
use super::writers::{Branches, Writers, place};
use crate::json::query::Condition;
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::path::{FieldPath, Literal, Term};
use crate::mapping::program::{
    self, Action, FailureCode, OnFailure, OneOf, Origin, Otherwise, Phase, Program, Refusal,
};
use crate::mapping::raw::{self, Branch, ElseBranch, Rule, Text};
use crate::text::{Diagnostic, Diagnostics, Hint, Span, suggest};
use std::sync::Arc;

/// One program in the making.
pub(super) struct Use {
    pub name: String,
    pub phase: Phase,
    pub direction: Direction,
    pub writers: Writers,
    pub groups: Vec<KeyGroup>,
    /// Sonata places with `echo: false`.
    pub not_echoed: Vec<Box<str>>,
    /// How many times branches of their own began.
    pub branches: u32,
    /// What was numbered so far: groups and branches.
    pub before: u64,
    /// What rules are lowered to, where that is kept.
    pub lowered: Option<Lowered>,
    /// What the set without overlay has.
    pub known: Option<Arc<Lowered>>,
}

/// A keyed group: by name and by the arrays that it joins.
pub(super) struct KeyGroup {
    pub name: Box<str>,
    /// Sonata array, legacy array and the key members; none while it is only referred to.
    pub arrays: Option<(String, String)>,
    /// First `key(name)` that refers to it.
    pub asked: Option<Span>,
}

/// Where a rule stands.
#[derive(Clone)]
pub(super) struct Here<'c> {
    pub scope: Scope,
    /// Absolute place of the scope on the Sonata side.
    pub sonata: String,
    /// Absolute place of the scope on the legacy side.
    pub legacy: String,
    /// Address of the group.
    pub address: String,
    pub shapes: Vec<&'c str>,
    pub branches: Branches,
    /// The scope at the newer release, in a bridge.
    pub opposite: Option<Scope>,
}

/// The two paths of a rule, by what is done with them.
pub(super) struct Sides {
    pub source: FieldPath,
    pub target: FieldPath,
    pub sonata: FieldPath,
    pub legacy: FieldPath,
    /// The Sonata place; of its element where the path ends in `[*]`.
    pub place: Place,
    pub required: Required,
    /// The place at the newer release, in a bridge.
    pub opposite: Option<Place>,
}

impl Use {
    /// A program for a phase.
    pub fn new(name: String, phase: Phase, direction: Direction) -> Self {
        let (writers, groups, not_echoed) = (Writers::default(), Vec::new(), Vec::new());
        let (lowered, known) = (None, None);
        Self { name, phase, direction, writers, groups, not_echoed, branches: 0, before: 0, lowered, known }
    }

    /// The side that is read.
    pub fn read(&self) -> OnSide {
        match self.direction {
            Direction::ToLegacy => OnSide::Sonata,
            Direction::ToSonata => OnSide::Legacy,
        }
    }

    /// The side that is written.
    pub fn written(&self) -> OnSide {
        match self.direction {
            Direction::ToLegacy => OnSide::Legacy,
            Direction::ToSonata => OnSide::Sonata,
        }
    }
}

impl Here<'_> {
    /// The outermost scope of a message.
    pub fn message(scope: Scope) -> Self {
        Self {
            scope,
            sonata: "$".to_owned(),
            legacy: "$".to_owned(),
            address: String::new(),
            shapes: Vec::new(),
            branches: Branches::default(),
            opposite: None,
        }
    }

    /// The absolute place of the scope on the side that is written.
    pub fn base(&self, us: &Use) -> &str {
        match us.written() {
            OnSide::Sonata => &self.sonata,
            OnSide::Legacy => &self.legacy,
        }
    }

    /// The absolute place of what is written.
    pub fn target(&self, us: &Use, path: &FieldPath) -> String {
        place(self.base(us), path)
    }
}

impl<'c> Compiler<'c> {
    /// Lowers the rules of a whole message.
    pub(super) fn program(&mut self, rules: &'c [Rule], here: &Here<'c>, mut us: Use) -> (Program, Use) {
        let rules = self.lower_rules(rules, here, &mut us);
        for group in &us.groups {
            if let (Some(at), None) = (group.asked, &group.arrays) {
                let known = us.groups.iter().filter(|other| other.arrays.is_some()).map(|other| &*other.name);
                let hint = suggest(&group.name, known).map(Hint::meant);
                let hint = hint.or(Some("a group is named by the last word of its Sonata path".into()));
                let message = format!("no group with `key:` is called `{}` in this message", group.name);
                let fault = Diagnostic::error(code::UNKNOWN_KEY_GROUP, message).at(at);
                self.out.push(fault.maybe_hint(hint));
            }
        }
        let names = us.groups.iter().map(|group| group.name.clone()).collect();
        (Program::of_marked(us.name.as_str(), us.phase, us.direction, rules, names), us)
    }

    pub(super) fn lower_rule(
        &mut self,
        rule: &'c Rule,
        here: &Here<'c>,
        us: &mut Use,
    ) -> Option<program::Rule> {
        match form(rule, &mut Diagnostics::new())? {
            Form::Drop => None,
            Form::Pair { sonata, legacy } => {
                let sides = self.sides(sonata, legacy, here, us)?;
                self.lower_pair(rule, &sides, here, us)
            }
            Form::Given { on_sonata, target, source } => {
                self.lower_given(rule, on_sonata, target, source, here, us)
            }
            Form::Group { sonata, legacy, body } => {
                let sides = self.sides(sonata, legacy, here, us)?;
                self.lower_group(rule, &sides, body, here, us)
            }
            Form::OneOf { branches, otherwise } => self.lower_one_of(rule, branches, otherwise, here, us),
        }
    }

    /// The paths of a rule in this use; none where the message does not have the Sonata place.
    fn sides(&mut self, sonata: &Text, legacy: &Text, here: &Here<'c>, us: &Use) -> Option<Sides> {
        let sonata = self.field_path(sonata.as_str())?;
        let legacy = self.field_path(legacy.as_str())?;
        let (place, required) = here.scope.find(self.schema, &sonata)?;
        let opposite = self.opposite_place(&legacy, here);
        let required = match &opposite {
            Some((_, required)) if us.written() == OnSide::Legacy => *required,
            _ => required,
        };
        let opposite = opposite.map(|(place, _)| place);
        let (source, target) = match us.direction {
            Direction::ToLegacy => (sonata.clone(), legacy.clone()),
            Direction::ToSonata => (legacy.clone(), sonata.clone()),
        };
        Some(Sides { source, target, sonata, legacy, place, required, opposite })
    }

    /// A place at the newer release where a condition is known to hold.
    pub(super) fn opposite_narrowed(condition: Option<&raw::Condition>, mut place: Place) -> Place {
        let text = condition.and_then(|condition| parts(condition, OnSide::Legacy, OnSide::Legacy).text);
        let parsed = text.and_then(|text| Condition::parse(text.as_str()).ok());
        for term in parsed.iter().flat_map(equalities) {
            if let Literal::Text(text) = &term.value {
                place =
                    place.knowing(term.members.iter().map(ToString::to_string).collect(), text.to_string());
            }
        }
        place
    }

    /// The place at the newer release, in a bridge.
    pub(super) fn opposite_place(&self, path: &FieldPath, here: &Here<'c>) -> Option<(Place, Required)> {
        let (api, scope) = (self.opposite.as_ref()?, here.opposite.as_ref()?);
        Some(scope.find(&**api, path).unwrap_or((Place::default(), Required::No)))
    }

    /// A rule with its origin and what its failure does.
    pub(super) fn rule(
        &mut self,
        rule: &Rule,
        required: Required,
        action: Action,
        here: &Here<'c>,
        us: &Use,
    ) -> program::Rule {
        let omit = rule.omit_on_error.unwrap_or(
            required == Required::No || (us.written() == OnSide::Legacy && self.opposite.is_none()),
        );
        let on_failure = if us.phase == Phase::Answer && omit { OnFailure::Omit } else { OnFailure::Fail };
        let address = super::overlay::address(&here.address, rule);
        let reason = |direction| {
            let directed = rule.lossy.as_ref()?.of(direction)?;
            Some(Box::from(directed.as_str()))
        };
        let lossy =
            program::Lossy { to_legacy: reason(Direction::ToLegacy), to_sonata: reason(Direction::ToSonata) };
        let origin = self.origin(rule.span, &address);
        let words = rule.sonata.as_ref().map_or(rule.span, Text::span);
        self.spans.insert((origin.file.clone(), origin.line, origin.column), words);
        let marks = program::Marks::default();
        program::Rule::marked(program::RuleBody { origin, on_failure, action, lossy, marks }, us.direction)
    }

    /// Where something was written.
    pub(super) fn origin(&mut self, span: Span, address: &str) -> Origin {
        let (line, column) = self.sources.line_column(span);
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Origin {
            file: self.file(span.source),
            line: number(line),
            column: number(column),
            address: address.into(),
        }
    }

    /// What is tested on the source and what is written to the target, of an `if:` at a Sonata place. `Err` where
    /// the message can never meet it.
    pub(super) fn lower_condition(
        &mut self,
        condition: Option<&raw::Condition>,
        here: &Place,
        us: &Use,
    ) -> Result<(Option<Condition>, Box<[Term]>), ()> {
        let Some(condition) = condition else { return Ok((None, Box::default())) };
        let read = parts(condition, us.read(), us.read());
        let written = parts(condition, us.written(), us.read());
        let tested = if read.is_empty() { None } else { self.tested(&read, here)? };
        let also = if written.is_empty() { Vec::new() } else { self.written(&written, here) };
        Ok((tested, also.into()))
    }

    /// Whether a phase is among those that `required:` names.
    pub(super) fn required(rule: &Rule, us: &Use) -> bool {
        rule.required.is_some_and(|(phases, _)| match us.phase {
            Phase::Request | Phase::Event => phases.request,
            Phase::Answer => phases.answer,
        })
    }

    fn lower_one_of(
        &mut self,
        rule: &'c Rule,
        branches: &'c [Branch],
        otherwise: Option<&'c ElseBranch>,
        here: &Here<'c>,
        us: &mut Use,
    ) -> Option<program::Rule> {
        let (lowered, number) = self.lower_branches(branches, here, us);
        let otherwise = match otherwise {
            None => Otherwise::Nothing,
            Some(ElseBranch::Fields(rules)) => {
                let mut inner = here.clone();
                inner.in_branch(number, usize::MAX);
                Otherwise::Rules(self.lower_rules(rules, &inner, us).into())
            }
            Some(ElseBranch::Refuse(refuse)) => Otherwise::Refuse(Self::refusal(refuse, us)),
        };
        if lowered.is_empty() && matches!(otherwise, Otherwise::Nothing | Otherwise::Refuse(_)) {
            return None;
        }
        let action = Action::OneOf(program::Shared::new(OneOf { branches: lowered.into(), otherwise }));
        Some(self.rule(rule, Required::No, action, here, us))
    }

    /// Branches of `one_of` or `rows`, and the number under which they exclude each other.
    pub(super) fn lower_branches(
        &mut self,
        branches: &'c [Branch],
        here: &Here<'c>,
        us: &mut Use,
    ) -> (Vec<program::Branch>, u32) {
        let number = us.numbered();
        let mut list = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let place = &here.scope.here;
            let Ok((condition, also)) = self.lower_condition(branch.condition.as_ref(), place, us) else {
                continue;
            };
            let narrowed = self.narrowed(branch.condition.as_ref(), place);
            let mut inner = Here { scope: here.scope.at(narrowed), ..here.clone() };
            inner.opposite = here.opposite.as_ref().map(|scope| {
                scope.at(Self::opposite_narrowed(branch.condition.as_ref(), scope.here.clone()))
            });
            inner.in_branch(number, index);
            us.terms(here.base(us), &also);
            let mut rules = self.lower_rules(&branch.fields, &inner, us);
            if let Some(shape) = &branch.shape {
                rules.extend(self.lower_shape(shape, &inner, us));
            }
            let origin = self.origin(branch.span, &here.address);
            self.spans.insert((origin.file.clone(), origin.line, origin.column), branch.span);
            list.push(program::Branch { origin, condition, also, rules: rules.into() });
        }
        (list, number)
    }

    /// The rules of a shape at a place.
    pub(super) fn lower_shape(&mut self, name: &Text, here: &Here<'c>, us: &mut Use) -> Vec<program::Rule> {
        let found =
            self.set.shape(name.as_str()).filter(|(_, shape)| !here.shapes.contains(&shape.name.as_str()));
        let Some((_, shape)) = found else { return Vec::new() };
        let mut inner = here.clone();
        inner.shapes.push(shape.name.as_str());
        self.lower_rules(&shape.fields, &inner, us)
    }

    fn refusal(refuse: &raw::Refuse, us: &Use) -> Refusal {
        let code = FailureCode::parse(refuse.code.as_str()).unwrap_or(FailureCode::OtherIssue);
        let at = refuse.at.as_ref().filter(|_| us.read() == OnSide::Sonata);
        let at = at.and_then(|text| FieldPath::parse(text.as_str()).ok());
        let reason = refuse.reason.as_ref().map_or("the value is not accepted", Text::as_str).into();
        Refusal { code, at, reason }
    }

    /// The scope and rules of a group's body, written in the order of the rules.
    pub(super) fn lower_body(&mut self, body: Body<'c>, inner: &Here<'c>, us: &mut Use) -> program::Body {
        match body {
            Body::Fields(rules) => program::Body::Rules(self.lower_rules(rules, inner, us).into()),
            Body::Shape(name) => program::Body::Rules(self.lower_shape(name, inner, us).into()),
            Body::Rows(branches) => program::Body::Rows(self.lower_branches(branches, inner, us).0.into()),
        }
    }
}
