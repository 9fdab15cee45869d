//! What goes on after an operation was answered: `complete:` and `expires:`.

use super::Compiler;
use super::lower::Use;
use super::operation::Making;
use super::template::Speaks;
use crate::mapping::diagnostic as code;
use crate::mapping::operation::{Answer, Call, CallTarget, Complete, Handling, OperationProgram};
use crate::mapping::program::{Phase, Program, Shared};
use crate::mapping::raw::{Body, Text};
use crate::text::Diagnostic;
use std::sync::Arc;

/// The least time between two askings, in milliseconds: a legacy system has other callers.
pub(super) const EVERY_MS_MIN: u64 = 1000;

/// The most, in milliseconds: seven days.
pub(super) const EVERY_MS_MAX: u64 = 7 * 86_400_000;

/// When following ends at the latest, in milliseconds: ten years.
const GIVE_UP_MS_MAX: u64 = 3650 * 86_400_000;

impl<'c> Compiler<'c> {
    /// How work that outlives its call is followed.
    pub(super) fn complete(&mut self, making: &Making<'c>, answer: Option<&Answer>) -> Option<Complete> {
        let raw = making.operation.complete.as_ref()?;
        self.check_makes(making, "complete", raw.span);
        let each_item = raw.each.is_some();
        if let Some(word) = raw.each.as_ref().filter(|word| word.as_str() != "item") {
            let fault = Diagnostic::error(code::FORM, format!("`each: {word}` is not known here"));
            self.out.push(fault.at(word.span()).hint("write `each: item`, or leave it out"));
        }
        let own = raw.answer.as_ref().map(|body| self.complete_answer(body, making));
        let program = match answer {
            _ if own.is_some() => {
                if each_item {
                    let fault = Diagnostic::error(code::KEY_IDLE, "`answer` has no effect with `each: item`");
                    let hint = "what is asked per item is read as `answer: { each: calls, … }` reads it";
                    self.out.push(fault.at(raw.span).hint(hint));
                }
                own.flatten()
            }
            Some(Answer::Calls { program, .. }) if each_item => Some(Arc::clone(program)),
            Some(Answer::Reply(program)) if !each_item => Some(Arc::clone(program)),
            // What is wrong with it was told.
            None => None,
            _ => {
                let message = "nothing says how what is asked for is read";
                let fault = Diagnostic::error(code::ANSWER, message).at(raw.span);
                let hint = if each_item {
                    "`each: item` goes with `answer: { each: calls, … }`"
                } else {
                    "it is read as `answer:` reads the operation's reply; per item, add `each: item`"
                };
                self.out.push(fault.hint(hint));
                None
            }
        };
        let target = self.later_target(&raw.poll, making, each_item);
        let every_ms = self.within(&raw.every, EVERY_MS_MIN, EVERY_MS_MAX);
        let give_up_ms = self.within(&raw.give_up, every_ms.unwrap_or(EVERY_MS_MIN), GIVE_UP_MS_MAX);
        let until = self.condition_text(&raw.until);
        let target = target?;
        self.check_later(making, &[(&raw.poll, &target)]);
        self.check_completed(making, raw, &target);
        let mut call = self.later_call("complete", raw.span, target, making);
        let request = self.request(raw.request.as_ref(), &self.request_scope(making), "complete", making);
        call.request = request.map(|(program, _)| program);
        let poll = OperationProgram {
            operation_id: making.operation.id.as_str().into(),
            origin: call.origin.clone(),
            handling: Handling::Legacy,
            calls: Box::new([call]),
            answer: Answer::Reply(program?),
            on: Shared::default(),
            paging: None,
            filters: Box::default(),
            order: None,
            complete: None,
            expires: None,
        };
        let (poll, until) = (Arc::new(poll), until?);
        Some(Complete { each_item, poll, every_ms: every_ms?, give_up_ms: give_up_ms?, until })
    }

    /// How the reply of an asking is read that looks different from the operation's own.
    fn complete_answer(&mut self, body: &'c Body, making: &Making<'c>) -> Option<Arc<Program>> {
        let title = format!("{}.{} complete answer", making.function, making.operation.id);
        let us = Use::new(title, Phase::Answer, self.side.direction(Phase::Answer));
        let scope = self.answer_scope(making);
        Some(self.body_program(body, &scope, us, (making.facts.answer.as_deref(), None))?.program)
    }

    /// The call that is made when what the operation made has expired.
    pub(super) fn expires(&mut self, making: &Making<'c>) -> Option<Call> {
        let raw = making.operation.expires.as_ref()?;
        self.check_makes(making, "expires", raw.call.span());
        let target = self.later_target(&raw.call, making, false)?;
        self.check_later(making, &[(&raw.call, &target)]);
        let mut call = self.later_call("expires", raw.call.span(), target, making);
        let scope = self.request_scope(making);
        let request = self.request(raw.request.as_ref(), &scope, "expires", making);
        call.request = request.map(|(program, _)| program);
        Some(call)
    }

    pub(super) fn check_makes(&mut self, making: &Making<'_>, word: &str, at: crate::text::Span) {
        if !making.facts.makes {
            let message = format!(
                "`{word}` goes with what an operation makes, and `{}` makes nothing",
                making.operation.id
            );
            self.out.push(Diagnostic::error(code::KEY_IDLE, message).at(at));
        }
    }

    /// An address that is called later, when the reply of no call is at hand.
    fn later_target(&mut self, text: &Text, making: &Making<'_>, each: bool) -> Option<CallTarget> {
        let scope = self.request_scope(making);
        self.call_target(
            text,
            &Speaks { calls: &[], own: 0, undo: false, each, scope: &scope, is_watch: false },
        )
    }

    pub(super) fn later_call(
        &mut self,
        name: &str,
        at: crate::text::Span,
        target: CallTarget,
        making: &Making<'_>,
    ) -> Call {
        Call {
            name: name.into(),
            origin: self.origin(at, &format!("{} {name}", making.operation.id)),
            target: Shared::new(target),
            each: None,
            condition: None,
            after: None,
            parallel: 1,
            request: None,
            legacy_id: None,
            cache_ms: None,
            undo: None,
            recover: None,
        }
    }

    /// A duration within bounds, in milliseconds.
    pub(super) fn within(&mut self, text: &Text, min_ms: u64, max_ms: u64) -> Option<u64> {
        let ms = self.duration(text)?;
        if (min_ms..=max_ms).contains(&ms) {
            return Some(ms);
        }
        let message = format!("`{text}` is outside of its bounds");
        let hint = format!("from {} to {} seconds", min_ms / 1000, max_ms / 1000);
        self.out.push(Diagnostic::error(code::DURATION, message).at(text.span()).hint(hint));
        None
    }
}
