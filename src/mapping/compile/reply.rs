//! What replies become: the answer, or what `on:` makes of them, and how lists are paged.

use super::literal;
use super::lower::Use;
use super::operation::Making;
use super::scope::{Found, Missing};
use super::writers::Places;
use super::{Compiler, steps};
use crate::mapping::diagnostic as code;
use crate::mapping::operation::{Answer, Blamed, On, StatusMatch, Then};
use crate::mapping::path::{Anchor, FieldPath};
use crate::mapping::program::Phase;
use crate::mapping::raw::{self, AnswerFrom, Text};
use crate::text::Diagnostic;
use std::sync::Arc;

/// What is known of an answer besides.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Places whose mapped value wins over what the Buyer sent.
    pub not_echoed: Vec<Box<str>>,
    /// Places that its rules write.
    pub written: Places,
}

impl<'c> Compiler<'c> {
    pub(super) fn answer(&mut self, making: &Making<'c>, told: &mut Told) -> Option<Answer> {
        let title = format!("{}.{} answer", making.function, making.operation.id);
        let us = Use::new(title, Phase::Answer, self.side.direction(Phase::Answer));
        let Some(raw) = &making.operation.answer else {
            return Some(Answer::Empty);
        };
        let mut scope = self.answer_scope(making);
        let Some(body) = &raw.body else { return Some(Answer::Empty) };
        self.check_answer_form(raw, making);
        let ty = making.facts.answer.as_deref();
        let mut into_path = None;
        if let AnswerFrom::Calls { into } = &raw.from {
            let (path, place) = self.each(into, &scope)?;
            scope = scope.at(place);
            into_path = Some(path);
        }
        let root = scope.root.ty;
        let made = self.body_program(body, &scope, us, (ty, into_path.as_ref()))?;
        told.not_echoed.extend(made.not_echoed.iter().cloned());
        told.written = Arc::clone(&made.places);
        // What is kept writes what it wrote, and was told of then.
        if let (Some(root), false) = (root, made.is_kept) {
            let built = (&*made.program, into_path.as_ref());
            self.check_provided(root, making.function, &making.facts, built, raw.span);
        }
        let program = made.program;
        Some(match &raw.from {
            AnswerFrom::Reply => Answer::Reply(program),
            AnswerFrom::Calls { .. } => Answer::Calls { into: into_path?, program },
            AnswerFrom::Elements { each, legacy_id } => {
                let legacy_id = legacy_id.as_ref().and_then(|text| self.path(text));
                Answer::Each { elements: self.elements(each)?, legacy_id, program }
            }
        })
    }

    /// The array of a reply, from its root.
    pub(super) fn elements(&mut self, text: &Text) -> Option<FieldPath> {
        let path = self.path(text)?;
        if !path.every {
            let fault = Diagnostic::error(code::ELEMENTS, "this does not name the elements of an array");
            self.out.push(fault.at(text.span()).hint(format!("write `{text}[*]`")));
            return None;
        }
        Some(FieldPath { anchor: Anchor::Root, ..path })
    }

    fn check_answer_form(&mut self, raw: &raw::Answer, making: &Making<'_>) {
        let list = matches!(raw.from, AnswerFrom::Elements { .. });
        let id = &making.operation.id;
        let fault = |message: String| Diagnostic::error(code::ANSWER, message).at(raw.span);
        if making.facts.answer.is_none() {
            self.out.push(fault(format!("the answer of `{id}` has no body")).hint("leave `answer:` out"));
        } else if list && !making.facts.list {
            let hint = "write `answer: SHAPE`, with the array as a group inside the shape";
            self.out.push(fault(format!("the answer of `{id}` is no list")).hint(hint));
        } else if making.facts.list && !list {
            let hint = "write `answer: { each: \"items[*]\", shape: SHAPE }`";
            self.out.push(fault(format!("the answer of `{id}` is a list")).hint(hint));
        }
        if let (true, AnswerFrom::Elements { legacy_id: None, .. }) = (making.facts.list, &raw.from) {
            let hint = "add `legacy_id: no`: where an element has its id";
            self.out.push(fault("a list does not say whose its elements are".to_owned()).hint(hint));
        }
        if matches!(raw.from, AnswerFrom::Calls { .. })
            && !making.operation.calls.iter().any(|call| call.each.is_some())
        {
            self.out
                .push(fault("`each: calls` needs a call per item".to_owned()).hint("give a call `each:`"));
        }
    }

    /// What is made and asked for later needs the id under which it is asked for.
    pub(super) fn check_made(&mut self, making: &Making<'c>) {
        let operation = making.operation;
        let is_named = operation.calls.iter().any(|call| call.legacy_id.is_some());
        let (Some(call), true) = (operation.calls.first(), making.facts.makes && !is_named) else { return };
        let speaks = |text: &Text| text.as_str().contains("{legacy.id}");
        let later = operation.complete.iter().map(|later| &later.poll);
        let own = later.chain(operation.expires.iter().map(|later| &later.call)).find(|text| speaks(text));
        let of_kin = || {
            let others = self.set.operations.iter().filter(|(function, _)| **function == *making.function);
            let kin = others.filter(|(_, other)| {
                let facts = self.schema.operation(making.function, other.id.as_str());
                facts.is_some_and(|facts| facts.answer.is_some() && facts.answer == making.facts.answer)
            });
            let mut calls = kin.flat_map(|(_, other)| other.calls.iter().map(|call| &call.call));
            calls.find(|text| speaks(text))
        };
        let Some(text) = own.or_else(of_kin) else { return };
        let message = format!("nothing says the id that `{text}` speaks of");
        let fault = Diagnostic::warning(code::NO_LEGACY_ID, message).at(call.call.span());
        self.out.push(fault.hint("add `legacy_id: no`: where the reply has it"));
    }

    pub(super) fn on_list(
        &mut self,
        raw: &'c [raw::On],
        call: Option<usize>,
        making: &Making<'c>,
        list: &mut Vec<On>,
    ) {
        self.check_on_order(raw);
        for entry in raw {
            let condition = entry.condition.as_ref().and_then(|text| self.condition_text(text));
            let Some(then) = self.then(entry, making) else { continue };
            let origin = self.origin(entry.span, &format!("{} on", making.operation.id));
            let text = entry.text.as_ref().map(|text| text.as_str().into());
            let fault: Option<Box<str>> = entry.fault.as_ref().map(|fault| fault.as_str().into());
            let on = |status: Option<StatusMatch>, then: Then| On {
                origin: origin.clone(),
                call,
                status,
                condition: condition.clone(),
                fault: fault.clone(),
                text: Clone::clone(&text),
                then,
            };
            if entry.statuses.0.is_empty() {
                list.push(on(None, then));
                continue;
            }
            for (from, to) in &entry.statuses.0 {
                list.push(on(Some(StatusMatch { from: *from, to: *to }), copied(&then)));
            }
        }
    }

    fn then(&mut self, entry: &raw::On, making: &Making<'_>) -> Option<Then> {
        if let Some(node) = &entry.answer {
            return match literal::document(node) {
                Ok(document) => Some(Then::Answer(document)),
                Err(message) => {
                    self.out.push(Diagnostic::error(code::CONSTANT, message).at(node.span));
                    None
                }
            };
        }
        let code = self.failure_code(entry.problem.as_ref()?)?;
        let at = match &entry.at {
            None => None,
            Some(text) => Some(self.blamed(text, making)?),
        };
        Some(Then::Problem { code, at, reason: entry.reason.as_ref().map(|text| text.as_str().into()) })
    }

    /// A place of the request that a problem points at. `quoteItem[*].product.id` is the `product.id` of the element
    /// that the call was made for, else the array.
    fn blamed(&mut self, text: &Text, making: &Making<'_>) -> Option<Blamed> {
        let (head, tail) = match text.as_str().split_once("[*].") {
            Some((head, tail)) => (head, Some(tail)),
            None => (text.as_str(), None),
        };
        let parameter = |part: &str, list: &[String]| {
            let known = list.iter().any(|known| known == head);
            known.then(|| FieldPath::parse(&format!("{part}:{head}")).ok()).flatten()
        };
        let named = parameter("path", &making.facts.path).or_else(|| parameter("query", &making.facts.query));
        if let Some(path) = named {
            return Some(Blamed { path, within: None });
        }
        let (Ok(path), Ok(within)) = (FieldPath::parse(head), tail.map(FieldPath::parse).transpose()) else {
            let _ = self.path(text);
            return None;
        };
        let steps = path.steps.len();
        let path = FieldPath { every: path.every || within.is_some(), ..path };
        let scope = self.request_scope(making);
        let found = match (scope.resolve(self.schema, &path, &mut Vec::new()), &within) {
            (Found::Place(place, _), Some(tail)) => {
                match scope.at(place).resolve(self.schema, tail, &mut Vec::new()) {
                    Found::Missing(missing) => {
                        Found::Missing(Missing { step: steps + 1 + missing.step, ..missing })
                    }
                    found @ Found::Place(..) => found,
                }
            }
            (found, _) => found,
        };
        if let Found::Missing(missing) = found {
            let at = steps::span_of_missing(text, &missing);
            let fault = Diagnostic::error(code::NO_SUCH_PLACE, missing.message);
            self.out.push(fault.at(at).maybe_hint(missing.hint));
            return None;
        }
        Some(Blamed { path, within })
    }
}

fn copied(then: &Then) -> Then {
    match then {
        Then::Problem { code, at, reason } => {
            Then::Problem { code: *code, at: at.clone(), reason: reason.clone() }
        }
        Then::Answer(document) => Then::Answer(document.clone()),
    }
}
