//! Mappings held against the interface of the backend that they speak to: its calls, parameters, bodies and replies.
//!
//! A walk of its own over the rules of each message, as one shape stands for several legacy types: what is written
//! must be there in every message that writes it, what is read in one of all. Nothing is made here, and nothing that the
//! interface does not describe is told.

mod message;
mod reply;
mod required;
mod rules;
mod sent;
mod texts;
mod value;

use super::Compiler;
use super::operation::Making;
use super::scope::Scope;
use super::steps::word_in;
use super::writers::Places;
use crate::mapping::coverage::written_always;
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::operation::{Call, CallTarget, TemplatePart};
use crate::mapping::program::Phase;
use crate::mapping::raw::{self, Conduct, Rule, Text};
use crate::mapping::schema::{AnswerFacts, CallFacts, Interface, NoCall, ParameterFacts, TypeId};
use crate::text::{Diagnostic, Hint, Span, suggest};
use message::Message;
use std::{collections::BTreeSet, sync::Arc};

/// Headers that every call has, or that are not the message's: interfaces do not list them.
const OWN_HEADERS: &[&str] = &["accept", "accept-language", "authorization", "content-type", "user-agent"];

/// The places that the request of a call writes, by the index of the call.
pub(super) type Sent = Vec<(usize, Places)>;

/// One call as the interface has it.
struct Known<'c> {
    raw: &'c raw::Call,
    facts: CallFacts,
}

impl<'c> Compiler<'c> {
    /// Holds an operation against the interfaces of the backends that it may be sent to.
    pub(super) fn check_legacy(&mut self, making: &Making<'c>, calls: &[Call], sent: &Sent) {
        if making.operation.conduct != Conduct::Legacy {
            return;
        }
        for (api, typed) in self.described(making.operation.backend.as_ref()) {
            self.check_calls(making, calls, sent, &api, typed);
        }
        if self.wire(making.operation).is_xml() {
            self.check_texts(making);
        }
    }

    /// Holds what is read of replies that are XML against what they can have: texts.
    fn check_texts(&mut self, making: &Making<'c>) {
        let answer = AnswerFacts { status: (200, 299), body: Some(texts::PLACE) };
        let facts = CallFacts { answers: vec![answer], ..CallFacts::default() };
        let known = making.operation.calls.iter().map(|raw| Some(Known { raw, facts: facts.clone() }));
        let api: Arc<dyn Interface> = Arc::new(texts::Texts);
        self.check_answer(making, &known.collect::<Vec<_>>(), &api);
    }

    /// Holds calls that are made after an operation was answered against the interfaces.
    pub(super) fn check_later(&mut self, making: &Making<'c>, calls: &[(&'c Text, &CallTarget)]) {
        self.check_addresses(making.operation.backend.as_ref(), calls);
    }

    /// Holds what is read of the reply of a look-up against the interfaces.
    pub(super) fn check_recovered(&mut self, making: &Making<'c>, own: &'c raw::Recover, asked: &CallTarget) {
        for (api, typed) in self.described(making.operation.backend.as_ref()) {
            let path: String = asked.path.iter().map(shown).collect();
            let Some(facts) = api.call(&asked.method, &path).ok().filter(|_| typed) else { continue };
            for reply in reply::successes(&facts.answers) {
                let mut at = self.reply(&api, &Scope::message(None), reply);
                if let Some(each) = &own.each {
                    let Some(element) = self.legacy_place(each, &at) else { continue };
                    at.legacy = at.legacy.at(element);
                }
                if let Some(text) = &own.condition {
                    self.legacy_condition_text(text, &at);
                }
                for (found, _) in &own.same {
                    let _ = self.legacy_place(found, &at);
                }
                if let Some(read) = &own.read {
                    self.legacy_address(read, "reply", &at);
                }
            }
        }
    }

    /// Holds what ends the asking for what an operation made against the replies that it is read of.
    pub(super) fn check_completed(
        &mut self,
        making: &Making<'c>,
        raw: &'c raw::Complete,
        asked: &CallTarget,
    ) {
        for (api, typed) in self.described(making.operation.backend.as_ref()) {
            let path: String = asked.path.iter().map(shown).collect();
            let Some(facts) = api.call(&asked.method, &path).ok().filter(|_| typed) else { continue };
            for reply in reply::successes(&facts.answers) {
                let at = self.reply(&api, &Scope::message(None), reply);
                self.legacy_condition_text(&raw.until, &at);
            }
        }
    }

    /// Holds calls against the interfaces of the backend that is named, or of those that are routed to.
    pub(super) fn check_addresses(&mut self, own: Option<&Text>, calls: &[(&'c Text, &CallTarget)]) {
        for (api, _) in self.described(own) {
            for (text, target) in calls {
                self.check_call(text, target, &api);
            }
        }
    }

    /// Holds what our procurement system is told of by itself against the schema that its shape names: no call of an
    /// interface has such a message.
    pub(super) fn check_told(
        &mut self,
        body: &'c raw::Body,
        at: Span,
        scope: &Scope,
        made: &super::again::MadeProgram,
    ) {
        let raw::Body::Shape(name) = body else { return };
        let shape = self.set.shape(name.as_str());
        let Some(reference) = shape.and_then(|(_, shape)| shape.legacy.as_ref()) else { return };
        for (api, _) in self.described(None).into_iter().filter(|(_, typed)| *typed) {
            let ty = api.schema(reference.as_str());
            let message = Message::new(&api, Phase::Answer, Direction::ToLegacy, scope.clone(), ty);
            self.legacy_body(body, &message);
            if let Some(ty) = ty {
                let sure = written_always(&made.program);
                self.check_required(ty, (&made.places, &sure), (Phase::Answer, at), &api);
            }
        }
    }

    /// Holds the rules of a message of a bridge against the newer release, for one way.
    pub(super) fn check_opposite(
        &mut self,
        rules: &'c [Rule],
        phase: Phase,
        direction: Direction,
        scope: Scope,
        opposite: Scope,
    ) {
        let Some(api) = self.opposite.clone() else { return };
        let mut message = Message::new(&api, phase, direction, scope, None);
        let query = opposite.query.as_deref().unwrap_or_default().iter();
        let parameter = |(name, ty): &(String, Option<TypeId>)| {
            Some(ParameterFacts { name: name.clone(), ty: (*ty)?, required: false })
        };
        message.query = query.filter_map(parameter).collect();
        message.legacy = opposite;
        self.legacy_rules(rules, &message);
    }

    /// The interfaces of the backends that an operation may be sent to, and whether they tell types of bodies.
    fn described(&self, own: Option<&Text>) -> Vec<(Arc<dyn Interface>, bool)> {
        let names: Vec<String> = match (own, &self.set.set.backend) {
            (Some(own), _) => vec![own.as_str().to_owned()],
            (None, Some(own)) if self.routes.is_empty() => vec![own.as_str().to_owned()],
            (None, _) => self.routes.clone(),
        };
        // Bodies of XML have paths of their own, which the schemas of an interface do not tell.
        let typed = |name: &String| !self.xml_backends.contains(name);
        let known = names.iter().filter_map(|name| Some((self.interfaces.get(name).cloned()?, typed(name))));
        known.collect()
    }

    fn check_calls(
        &mut self,
        making: &Making<'c>,
        calls: &[Call],
        sent: &Sent,
        api: &Arc<dyn Interface>,
        typed: bool,
    ) {
        let mut known = Vec::new();
        for ((index, written), call) in sent.iter().zip(calls) {
            let Some(raw) = making.operation.calls.get(*index) else { continue };
            let scope = self.call_scope(raw, making);
            let facts = self.check_call(&raw.call, &call.target, api);
            if let Some(facts) = &facts {
                self.check_request(raw.request.as_ref(), &scope, facts, api, typed);
                self.check_sent_again(raw, &scope, facts, api, typed);
                self.check_sent(&raw.call, &call.target, facts, written, making, api);
                if let (Some(ty), Some(_), true) = (facts.request, &raw.request, typed) {
                    let sure = call.request.as_deref().map(written_always).unwrap_or_default();
                    self.check_required(ty, (written, &sure), (Phase::Request, raw.call.span()), api);
                }
            }
            if let (Some(undo), Some(made)) = (&raw.undo, &call.undo)
                && let Some(facts) = self.check_call(&undo.call, &made.target, api)
            {
                self.check_request(undo.request.as_ref(), &scope, &facts, api, typed);
            }
            known.push(facts.map(|facts| Known { raw, facts }));
        }
        if typed {
            self.check_replies(making, &known, api);
        }
    }

    /// The Sonata side of a call.
    fn call_scope(&mut self, raw: &'c raw::Call, making: &Making<'c>) -> Scope {
        let mut scope = self.request_scope(making);
        if let Some(text) = &raw.each {
            let each = self.each(text, &scope);
            scope = scope.at(each.map(|(_, place)| place).unwrap_or_default());
        }
        let narrowed = self.narrowed(raw.condition.as_ref(), &scope.here);
        scope.at(narrowed)
    }

    /// The facts of a call; one that the interface does not have is told.
    fn check_call(
        &mut self,
        text: &Text,
        target: &CallTarget,
        api: &Arc<dyn Interface>,
    ) -> Option<CallFacts> {
        if target.soap.is_some() {
            return None;
        }
        let path: String = target.path.iter().map(shown).collect();
        let missing = match api.call(&target.method, &path) {
            Ok(facts) => return Some(facts),
            Err(missing) => missing,
        };
        self.no_such_call(text, &target.method, missing, api.title());
        None
    }

    /// Tells that an address is not among the calls of an interface of this title.
    fn no_such_call(&mut self, text: &Text, method: &str, missing: NoCall, title: &str) {
        let whole = text.as_str();
        let start = method.len() + 1;
        let end = whole.find('?').unwrap_or(whole.len()).max(start);
        let (message, hint, at) = match missing {
            NoCall::Path { near } => {
                let own = whole.get(start..end).unwrap_or_default();
                let near = near.map(|near| Hint::meant(filled(&near, own)));
                (format!("{title} has no such path"), near, text.part(start..end))
            }
            NoCall::Method { path: known, methods } => {
                let message = format!("{title} has no `{method}` of `{known}`");
                (message, Some(other_method(&methods, "")), text.part(0..method.len()))
            }
        };
        self.out.push(Diagnostic::error(code::NO_SUCH_CALL, message).at(at).maybe_hint(hint));
    }

    fn check_request(
        &mut self,
        body: Option<&'c raw::Body>,
        scope: &Scope,
        facts: &CallFacts,
        api: &Arc<dyn Interface>,
        typed: bool,
    ) {
        let Some(body) = body else { return };
        let direction = self.side.direction(Phase::Request);
        let mut message = Message::new(api, Phase::Request, direction, scope.clone(), facts.request);
        message.legacy.body = facts.request.is_some();
        if !typed {
            message.untyped();
        }
        message.parameters(facts);
        self.legacy_body(body, &message);
    }

    /// What a look-up compares with what it found: places of the request.
    fn check_sent_again(
        &mut self,
        raw: &'c raw::Call,
        scope: &Scope,
        facts: &CallFacts,
        api: &Arc<dyn Interface>,
        typed: bool,
    ) {
        let direction = self.side.direction(Phase::Request);
        let mut message = Message::new(api, Phase::Request, direction, scope.clone(), facts.request);
        message.parameters(facts);
        for (_, sent) in
            raw.recover.iter().filter(|_| typed && facts.request.is_some()).flat_map(|own| &own.same)
        {
            let _ = self.legacy_place(sent, &message);
        }
    }

    /// Parameters that stand in the address or are written for paging, and those that nothing writes.
    fn check_sent(
        &mut self,
        text: &Text,
        target: &CallTarget,
        facts: &CallFacts,
        written: &Places,
        making: &Making<'c>,
        api: &Arc<dyn Interface>,
    ) {
        let mut query: BTreeSet<&str> =
            written.iter().filter_map(|place| place.strip_prefix("query:")).collect();
        for (name, value) in &target.query {
            query.insert(name);
            let ty = self.check_parameter(name, word_in(text, name), &facts.query, api);
            if let (Some(ty), [TemplatePart::Literal(value)]) = (ty, &**value) {
                self.check_legacy_enum(value, ty, word_in(text, value), api);
            }
        }
        if let Some(paging) = &making.operation.paging {
            let names = [&paging.page, &paging.offset, &paging.cursor, &paging.size];
            for name in names.into_iter().flatten() {
                query.insert(name.as_str());
                self.check_parameter(name.as_str(), name.span(), &facts.query, api);
            }
        }
        self.check_lacking(text, facts, &query, written, api);
    }

    /// Required parameters that nothing writes.
    fn check_lacking(
        &mut self,
        text: &Text,
        facts: &CallFacts,
        query: &BTreeSet<&str>,
        written: &Places,
        api: &Arc<dyn Interface>,
    ) {
        let lacks = |name: &str| {
            let message = format!("{} requires the parameter `{name}`, and nothing writes it", api.title());
            let fault = Diagnostic::warning(code::LEGACY_REQUIRED, message).at(text.span());
            fault.hint("add a rule for it, or write it into the address")
        };
        for parameter in facts.query.iter().filter(|one| one.required) {
            if !query.contains(parameter.name.as_str()) {
                self.out.push(lacks(&parameter.name));
            }
        }
        for parameter in facts.headers.iter().filter(|one| one.required) {
            let is_own = OWN_HEADERS.iter().any(|own| own.eq_ignore_ascii_case(&parameter.name));
            let is_written = |place: &Arc<str>| {
                place.strip_prefix("header:").is_some_and(|name| name.eq_ignore_ascii_case(&parameter.name))
            };
            if !is_own && !written.iter().any(is_written) {
                self.out.push(lacks(&parameter.name));
            }
        }
    }

    /// The type of a query parameter; one that the call does not have is told.
    fn check_parameter(
        &mut self,
        name: &str,
        at: Span,
        known: &[ParameterFacts],
        api: &Arc<dyn Interface>,
    ) -> Option<crate::mapping::schema::TypeId> {
        if let Some(found) = known.iter().find(|one| one.name == name) {
            return Some(found.ty);
        }
        let near = suggest(name, known.iter().map(|one| one.name.as_str()));
        let message = format!("{} has no query parameter `{name}` in this call", api.title());
        let fault = Diagnostic::error(code::NO_SUCH_PARAMETER, message).at(at);
        self.out.push(fault.maybe_hint(near.map(Hint::meant)));
        None
    }
}

/// What to write in the place of a method, with what stands behind it.
fn other_method(methods: &[String], behind: &str) -> Hint {
    match methods {
        [only] => Hint::meant(format!("{only}{behind}")),
        several => format!("it has {}", several.join(", ")).into(),
    }
}

/// A path of an interface with the values that stand in its place, such as `{legacy.id}` for its `{no}`.
fn filled(near: &str, own: &str) -> String {
    if near.split('/').count() != own.split('/').count() {
        return near.to_owned();
    }
    let one = |(near, own): (&str, &str)| if near.contains('{') { own.to_owned() } else { near.to_owned() };
    near.split('/').zip(own.split('/')).map(one).collect::<Vec<_>>().join("/")
}

fn shown(part: &TemplatePart) -> &str {
    match part {
        TemplatePart::Literal(text) => text,
        _ => "{}",
    }
}
