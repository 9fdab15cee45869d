//! The rules of one message, each at its place on both sides.

use super::super::Compiler;
use super::super::condition::{OnSide, equalities, parts};
use super::super::form::{Body, Form, Given, excluded, form};
use super::super::scope::{Found, Place};
use super::super::steps::{span_of, span_of_missing, word_in};
use super::super::values::{is_query, script_inputs};
use super::OWN_HEADERS;
use super::message::Message;
use crate::json::query::{self, Condition, Query, Read};
use crate::mapping::diagnostic as code;
use crate::mapping::path::{Anchor, FieldPath, Part, Step};
use crate::mapping::raw::{self, Branch, ElseBranch, Rule, Text};
use crate::text::{Diagnostic, Diagnostics, Hint, suggest};
use std::sync::Arc;

impl<'c> Compiler<'c> {
    /// A shape or rules for a whole message.
    pub(super) fn legacy_body(&mut self, body: &'c raw::Body, at: &Message<'c>) {
        match body {
            raw::Body::Fields(_, rules) => self.legacy_rules(rules, at),
            raw::Body::Shape(name) => self.legacy_shape(name, at),
        }
    }

    /// Rules at a place.
    pub(super) fn legacy_rules(&mut self, rules: &'c [Rule], at: &Message<'c>) {
        for rule in rules.iter().filter(|rule| !excluded(rule, at.phase, at.direction)) {
            self.legacy_rule(rule, at);
        }
    }

    fn legacy_rule(&mut self, rule: &'c Rule, at: &Message<'c>) {
        match form(rule, &mut Diagnostics::new()) {
            None | Some(Form::Drop) => {}
            Some(Form::Pair { sonata, legacy }) => {
                let Some(place) = at.sonata_place(self.schema, sonata) else { return };
                self.legacy_condition(rule.condition.as_ref(), at);
                if let Some(counterpart) = self.legacy_place(legacy, at) {
                    self.legacy_pair(rule, (sonata, &place), (legacy, &counterpart), at);
                }
                self.legacy_inputs(rule, at);
            }
            Some(Form::Given { on_sonata, target, source }) => {
                self.legacy_given(rule, on_sonata, target, source, at);
            }
            Some(Form::Group { sonata, legacy, body }) => self.legacy_group(rule, sonata, legacy, body, at),
            Some(Form::OneOf { branches, otherwise }) => {
                self.legacy_branches(branches, at);
                if let Some(ElseBranch::Fields(rules)) = otherwise {
                    self.legacy_rules(rules, at);
                }
            }
        }
    }

    fn legacy_given(
        &mut self,
        rule: &'c Rule,
        on_sonata: bool,
        target: &Text,
        source: Given<'c>,
        at: &Message<'c>,
    ) {
        if on_sonata == at.writes() {
            return;
        }
        if on_sonata {
            if at.sonata_place(self.schema, target).is_none() {
                return;
            }
            self.legacy_condition(rule.condition.as_ref(), at);
            match source {
                Given::Query(text) => self.legacy_query(text, at),
                Given::Script => self.legacy_inputs(rule, at),
                Given::Value(_) => {}
            }
            return;
        }
        let place = self.legacy_place(target, at);
        if let (Some(place), Given::Value(node)) = (place, source) {
            self.legacy_constant(node, target, &place, at);
        }
    }

    fn legacy_group(
        &mut self,
        rule: &'c Rule,
        sonata: &Text,
        legacy: &Text,
        body: Body<'c>,
        at: &Message<'c>,
    ) {
        let Some(place) = at.sonata_place(self.schema, sonata) else { return };
        let Some(counterpart) = self.legacy_place(legacy, at) else { return };
        let narrowed = self.narrowed(rule.condition.as_ref(), &place);
        let inner = at.inside(narrowed, counterpart);
        self.legacy_condition(rule.condition.as_ref(), &inner);
        if let Some(key) = &rule.key
            && let Some(place) = self.legacy_place(&key.legacy, &inner)
            && key.number.is_some()
        {
            self.legacy_number(&key.legacy, &place, &inner);
        }
        if let Some((_, pairs)) = &rule.join
            && is_legacy_elsewhere(sonata, legacy)
        {
            for (element, scope) in pairs {
                let _ = (self.legacy_place(element, &inner), self.legacy_place(scope, at));
            }
        }
        match body {
            Body::Fields(rules) => self.legacy_rules(rules, &inner),
            Body::Rows(branches) => self.legacy_branches(branches, &inner),
            Body::Shape(name) => self.legacy_shape(name, &inner),
        }
    }

    fn legacy_branches(&mut self, branches: &'c [Branch], at: &Message<'c>) {
        for branch in branches {
            let here = &at.sonata.here;
            let products =
                branch.condition.as_ref().map(|condition| parts(condition, OnSide::Sonata, OnSide::Sonata));
            if products.is_some_and(|parts| !parts.products.is_empty()) && self.configuration(here).is_none()
            {
                // This message has no product: the branch is not in it.
                continue;
            }
            let narrowed = self.narrowed(branch.condition.as_ref(), here);
            let inner = at.inside(narrowed, at.legacy.here.clone());
            self.legacy_condition(branch.condition.as_ref(), &inner);
            self.legacy_rules(&branch.fields, &inner);
            if let Some(shape) = &branch.shape {
                self.legacy_shape(shape, &inner);
            }
        }
    }

    fn legacy_shape(&mut self, name: &Text, at: &Message<'c>) {
        let Some((_, shape)) = self.set.shape(name.as_str()) else { return };
        if at.shapes.contains(&shape.name.as_str()) {
            return;
        }
        if let Some(reference) = &shape.legacy {
            self.legacy_reference(reference, at);
        }
        self.legacy_rules(&shape.fields, &at.within(shape.name.as_str()));
    }

    /// What a shape says of its schema, against the messages that it is used for.
    fn legacy_reference(&mut self, reference: &Text, at: &Message<'c>) {
        let Some(ty) = at.api.schema(reference.as_str()) else {
            let known = at.api.references();
            let near = suggest(reference.as_str(), known.iter().map(String::as_str));
            let message = format!("{} has no schema `{reference}`", at.api.title());
            let fault = Diagnostic::error(code::LEGACY_SCHEMA, message).at(reference.span());
            let hint = match near {
                Some(near) => Hint::meant(near),
                None => "write `#/components/schemas/NAME`".to_owned().into(),
            };
            self.out.push(fault.hint(hint));
            return;
        };
        let other = at.legacy.here.ty.filter(|used| *used != ty).map(|_| {
            let message = format!("no call uses this shape for `{reference}`");
            let fault = Diagnostic::error(code::LEGACY_SHAPE, message).at(reference.span());
            (0, fault.hint("name the schema of the call's body, or leave `legacy:` out of the shape"))
        });
        self.sighted((reference.span(), "legacy schema".into()), other);
    }

    /// The place of a legacy path; one that the interface does not have is told: at once where it is written, and
    /// where it is read if no message of its shape has it.
    pub(super) fn legacy_place(&mut self, text: &Text, at: &Message<'c>) -> Option<Place> {
        let path = FieldPath::parse(text.as_str()).ok()?;
        match path.part {
            Part::Query | Part::Header if at.writes() || at.is_asked => {
                return self.legacy_parameter(text, &path, at);
            }
            Part::Query | Part::Header | Part::Path => return Some(Place::default()),
            Part::Body => {}
        }
        let found = at.legacy.resolve(&*at.api, &path, &mut Vec::new());
        let Found::Missing(missing) = found else {
            if let Found::Place(place, _) = found {
                self.sighted((text.span(), "legacy".into()), None);
                return Some(place);
            }
            return None;
        };
        let (step, span) = (missing.step, span_of_missing(text, &missing));
        let fault =
            Diagnostic::error(code::NO_LEGACY_PLACE, missing.message).at(span).maybe_hint(missing.hint);
        if at.writes() {
            // Told here: nothing more need be said of it where it is read.
            self.sighted((text.span(), "legacy".into()), None);
            self.out.push(fault);
        } else {
            self.sighted((text.span(), "legacy".into()), Some((step, fault)));
        }
        None
    }

    fn legacy_parameter(&mut self, text: &Text, path: &FieldPath, at: &Message<'c>) -> Option<Place> {
        let Some(Step::Member(name)) = path.steps.first() else { return None };
        if path.part == Part::Query {
            let ty = self.check_parameter(name, span_of(text, 0), &at.query, &at.api)?;
            return Some(Place::of(Some(ty)));
        }
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        if let Some(found) = at.headers.iter().find(|one| same(&one.name)) {
            return Some(Place::of(Some(found.ty)));
        }
        if !OWN_HEADERS.iter().any(|own| same(own)) {
            let near = suggest(name, at.headers.iter().map(|one| one.name.as_str()));
            let message = format!("{} does not list the header `{name}` in this call", at.api.title());
            let fault = Diagnostic::warning(code::NO_SUCH_PARAMETER, message).at(span_of(text, 0));
            self.out.push(fault.maybe_hint(near.map(Hint::meant)));
        }
        Some(Place::default())
    }

    /// What a condition reads of the legacy side, or what it lets write there.
    fn legacy_condition(&mut self, condition: Option<&raw::Condition>, at: &Message<'c>) {
        let Some(condition) = condition else { return };
        let read = if at.writes() { OnSide::Sonata } else { OnSide::Legacy };
        let Some(text) = parts(condition, OnSide::Legacy, read).text else { return };
        self.legacy_condition_text(text, at);
    }

    /// A condition on the legacy side.
    pub(super) fn legacy_condition_text(&mut self, text: &Text, at: &Message<'c>) {
        let Ok(condition) = Condition::parse(text.as_str()) else { return };
        self.legacy_reads(text, &condition.reads(), at);
        for one in condition.comparisons() {
            let steps: Option<Arc<[Step]>> = one.path.steps.iter().map(member).collect();
            let (Some(steps), query::Literal::Text(value)) = (steps, one.literal) else { continue };
            let anchor = if one.path.origin == query::Origin::Root { Anchor::Root } else { Anchor::Scope };
            let path = FieldPath { part: Part::Body, anchor, steps, every: false };
            if let Found::Place(Place { ty: Some(ty), .. }, _) =
                at.legacy.resolve(&*at.api, &path, &mut Vec::new())
            {
                self.legacy_code(value, ty, word_in(text, value), &[], at);
            }
        }
        for term in equalities(&condition) {
            let steps = term.members.iter().map(|name| Step::Member(name.clone())).collect();
            let path = FieldPath { part: Part::Body, anchor: Anchor::Scope, steps, every: false };
            match at.legacy.resolve(&*at.api, &path, &mut Vec::new()) {
                Found::Missing(missing) if at.writes() => {
                    let name = term.members.get(missing.step).map(|name| &**name).unwrap_or_default();
                    let fault = Diagnostic::error(code::NO_LEGACY_PLACE, missing.message);
                    self.out.push(fault.at(word_in(text, name)).maybe_hint(missing.hint));
                }
                Found::Missing(_) | Found::Place(..) => {}
            }
        }
    }

    /// What a query reads of the legacy side.
    pub(super) fn legacy_query(&mut self, text: &Text, at: &Message<'c>) {
        if let Ok(query) = Query::parse(text.as_str()) {
            self.legacy_reads(text, &query.reads(), at);
        }
    }

    /// Places that a condition or query reads; where its side is written, those that are there count as well.
    fn legacy_reads(&mut self, text: &Text, reads: &[Read], at: &Message<'c>) {
        for read in reads {
            let found = at.legacy.read(&*at.api, read);
            if at.writes() && found.is_err() {
                continue;
            }
            let missing = found.err().map(|(name, message, hint)| {
                let fault = Diagnostic::error(code::NO_LEGACY_PLACE, message);
                (read.steps.len(), fault.at(word_in(text, &name)).maybe_hint(hint))
            });
            self.sighted((text.span(), format!("legacy {read}").into()), missing);
        }
    }

    /// What a script reads of the legacy side.
    fn legacy_inputs(&mut self, rule: &Rule, at: &Message<'c>) {
        if at.writes() || rule.script.is_none() {
            return;
        }
        for (_, path) in script_inputs(&rule.inputs, at.direction) {
            if FieldPath::parse(path.as_str()).is_err() && is_query(path) {
                self.legacy_query(path, at);
            } else {
                let _ = self.legacy_place(path, at);
            }
        }
    }
}

fn member(step: &query::Step) -> Option<Step> {
    match step {
        query::Step::Name(name) => Some(Step::Member((&**name).into())),
        query::Step::Index(_) => None,
    }
}

/// Whether a joined array stands elsewhere on the legacy side, rather than on the Sonata side.
fn is_legacy_elsewhere(sonata: &Text, legacy: &Text) -> bool {
    let (Ok(sonata), Ok(legacy)) = (FieldPath::parse(sonata.as_str()), FieldPath::parse(legacy.as_str()))
    else {
        return false;
    };
    !(sonata.every && (!legacy.every || (sonata.anchor == Anchor::Root && legacy.anchor != Anchor::Root)))
}
