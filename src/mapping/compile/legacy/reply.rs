//! Replies: what answers, `on:`, `legacy_id` and `paging` read of them.

use super::super::Compiler;
use super::super::operation::Making;
use super::super::scope::{Found, Place, Scope};
use super::super::steps::missing_range;
use super::Known;
use super::message::Message;
use crate::mapping::diagnostic as code;
use crate::mapping::path::{FieldPath, Part};
use crate::mapping::program::Phase;
use crate::mapping::raw::{AnswerFrom, On, Text};
use crate::mapping::schema::{AnswerFacts, Interface, TypeId};
use crate::text::Diagnostic;
use crate::text::yaml::{Node, Value};
use std::ops::Range;
use std::sync::Arc;

/// Type of a reply's body; the outer `None` where it has no body.
pub(super) type Reply = Option<TypeId>;

impl<'c> Compiler<'c> {
    /// Holds everything that reads replies against them.
    pub(super) fn check_replies(
        &mut self,
        making: &Making<'c>,
        known: &[Option<Known<'c>>],
        api: &Arc<dyn Interface>,
    ) {
        for call in known.iter().flatten() {
            for reply in successes(&call.facts.answers) {
                let at = self.reply(api, &Scope::message(None), reply);
                if let Some(text) = &call.raw.legacy_id {
                    let _ = self.legacy_place(text, &at);
                }
                if let Some(undo) = &call.raw.undo {
                    self.legacy_address(&undo.call, "reply", &at);
                }
                let Some(name) = &call.raw.name else { continue };
                for other in &making.operation.calls {
                    let undo = other.undo.as_ref().map(|undo| &undo.call);
                    for text in undo.into_iter().chain([&other.call]) {
                        self.legacy_address(text, name.as_str(), &at);
                    }
                }
            }
            for entry in call.raw.on.iter().chain(&making.operation.on) {
                self.check_on(entry, &call.facts.answers, api);
            }
        }
        self.check_answer(making, known, api);
        self.check_paging(making, known, api);
    }

    fn check_paging(&mut self, making: &Making<'c>, known: &[Option<Known<'c>>], api: &Arc<dyn Interface>) {
        if let (Some(paging), Some(Some(call))) = (&making.operation.paging, known.first()) {
            for reply in successes(&call.facts.answers) {
                let at = self.reply(api, &Scope::message(None), reply);
                let queries = [&paging.total, &paging.next].into_iter().flatten();
                for text in queries.filter(|text| !text.as_str().starts_with("header:")) {
                    self.legacy_query(text, &at);
                }
            }
        }
    }

    /// What an address has of a reply that it calls by this name, such as `{reply.no}`.
    pub(super) fn legacy_address(&mut self, text: &Text, name: &str, at: &Message<'c>) {
        for range in placeholders(text.as_str(), name) {
            let Some(own) = text.as_str().get(range.clone()) else { continue };
            let Some(path) = FieldPath::parse(own).ok().filter(|path| path.part == Part::Body) else {
                continue;
            };
            let missing = match at.legacy.resolve(&*at.api, &path, &mut Vec::new()) {
                Found::Missing(missing) => {
                    let within = missing_range(own, &missing).unwrap_or(0..own.len());
                    let span = text.part(range.start + within.start..range.start + within.end);
                    let fault = Diagnostic::error(code::NO_LEGACY_PLACE, missing.message).at(span);
                    Some((missing.step, fault.maybe_hint(missing.hint)))
                }
                Found::Place(..) => None,
            };
            self.sighted((text.part(range), "legacy".into()), missing);
        }
    }

    /// A reply as what is read.
    pub(super) fn reply(&self, api: &Arc<dyn Interface>, sonata: &Scope, body: Reply) -> Message<'c> {
        let direction = self.side.direction(Phase::Answer);
        let mut message = Message::new(api, Phase::Answer, direction, sonata.clone(), body);
        message.legacy.body = body.is_some();
        message
    }

    fn check_on(&mut self, entry: &'c On, answers: &[AnswerFacts], api: &Arc<dyn Interface>) {
        let Some(condition) = &entry.condition else { return };
        let meant = |answer: &&AnswerFacts| {
            let (from, to) = answer.status;
            let ranges = &entry.statuses.0;
            ranges.is_empty() || ranges.iter().any(|(first, last)| *first <= to && from <= *last)
        };
        let mut list: Vec<&AnswerFacts> = answers.iter().filter(meant).collect();
        if list.is_empty() {
            list = answers.iter().filter(|answer| answer.status == (0, 0)).collect();
        }
        for answer in list.iter().filter(|answer| answer.body.is_some()) {
            let at = self.reply(api, &Scope::message(None), answer.body);
            self.legacy_condition_text(condition, &at);
        }
    }

    /// Holds what the answer reads against the replies that it is made of.
    pub(super) fn check_answer(
        &mut self,
        making: &Making<'c>,
        known: &[Option<Known<'c>>],
        api: &Arc<dyn Interface>,
    ) {
        let Some(raw) = &making.operation.answer else { return };
        let Some(body) = &raw.body else { return };
        let mut sonata = self.answer_scope(making);
        let calls: Vec<&Known<'c>> = match &raw.from {
            AnswerFrom::Reply | AnswerFrom::Elements { .. } => known.last().into_iter().flatten().collect(),
            AnswerFrom::Calls { into } => {
                let each = self.each(into, &sonata);
                sonata = sonata.at(each.map(|(_, place)| place).unwrap_or_default());
                known.iter().flatten().filter(|call| call.raw.each.is_some()).collect()
            }
        };
        for call in calls {
            for reply in successes(&call.facts.answers) {
                let mut at = self.reply(api, &sonata, reply);
                at.also = stand_ins(making, call).into();
                if let AnswerFrom::Elements { each, legacy_id } = &raw.from {
                    let Some(element) = self.reply_element(each, &at) else { continue };
                    at.legacy = at.legacy.at(element);
                    if let Some(text) = legacy_id {
                        let _ = self.legacy_place(text, &at);
                    }
                }
                self.legacy_body(body, &at);
            }
        }
    }

    fn reply_element(&mut self, each: &Text, at: &Message<'c>) -> Option<Place> {
        self.legacy_place(each, at)
    }
}

/// The texts of the documents that take the place of a call's reply.
fn stand_ins(making: &Making<'_>, call: &Known<'_>) -> Vec<String> {
    let entries = call.raw.on.iter().chain(&making.operation.on);
    let mut open: Vec<&Node> = entries.filter_map(|entry| entry.answer.as_ref()).collect();
    let mut texts = Vec::new();
    while let Some(node) = open.pop() {
        match &node.value {
            Value::Scalar(scalar) => texts.push(scalar.text.clone()),
            Value::Sequence(list) => open.extend(list),
            Value::Mapping(entries) => open.extend(entries.iter().map(|entry| &entry.value)),
        }
    }
    texts
}

/// Where the paths behind a call's name stand in an address: `{reply.no}` and `{calls.customer.no}`.
fn placeholders(address: &str, name: &str) -> Vec<Range<usize>> {
    let opened = address.match_indices('{').map(|(at, _)| at + 1);
    let ranges = opened.filter_map(|start| {
        let inner = address.get(start..)?.split('}').next()?;
        let named = inner.strip_prefix("calls.").unwrap_or(inner);
        let path = named.strip_prefix(name)?.strip_prefix('.')?;
        let end = start + inner.len();
        (!path.is_empty()).then(|| end - path.len()..end)
    });
    ranges.collect()
}

/// Types of the bodies of good replies, each once.
pub(super) fn successes(answers: &[AnswerFacts]) -> Vec<Reply> {
    let good = |answer: &&AnswerFacts| (200..300).contains(&answer.status.0);
    let mut list: Vec<Reply> = answers.iter().filter(good).map(|answer| answer.body).collect();
    if list.is_empty() {
        list.extend(answers.iter().filter(|answer| answer.status == (0, 0)).map(|answer| answer.body));
    }
    if list.iter().any(Option::is_some) {
        list.retain(Option::is_some);
    }
    list.sort();
    list.dedup();
    list
}
