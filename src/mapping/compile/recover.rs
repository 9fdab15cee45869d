//! How it is found out whether a call was made of which nobody knows how it ended: `recover:`.

use super::Compiler;
use super::operation::Making;
use super::scope::Scope;
use super::template::Speaks;
use crate::mapping::diagnostic as code;
use crate::mapping::operation::{
    Answer, Call, Handling, On, OperationProgram, Recover, StatusMatch, Then, Total,
};
use crate::mapping::path::{Anchor, FieldPath};
use crate::mapping::program::FailureCode;
use crate::mapping::raw::{self, Text};
use crate::text::Diagnostic;
use std::sync::Arc;

/// Time after which it is believed that nothing was made, unless said, in milliseconds.
const SURE_AFTER_MS: u64 = 60_000;

/// The most of it, in milliseconds: one day.
const SURE_AFTER_MS_MAX: u64 = 86_400_000;

impl<'c> Compiler<'c> {
    /// How what a call made is looked up.
    pub(super) fn recover(
        &mut self,
        raw: &'c raw::Call,
        index: usize,
        scope: &Scope,
        making: &Making<'c>,
    ) -> Option<Recover> {
        let own = raw.recover.as_ref()?;
        self.check_makes(making, "recover", own.span);
        let fault = |message: &str| Diagnostic::error(code::RECOVER, message).at(own.span);
        if raw.call.as_str().starts_with("GET ") || raw.call.as_str().starts_with("HEAD ") {
            let fault = fault("this call changes nothing: it is made again");
            self.out.push(fault.hint("take `recover` out"));
        }
        if own.each.is_none() && own.none.is_empty() && own.condition.is_none() {
            let hint = "add `none: { status: 404 }`, or `each:` with the array in which it would stand";
            self.out.push(fault("no reply says that nothing was made").hint(hint));
        }
        if own.each.is_some() && own.same.is_empty() {
            let hint = "add `same: { custRef: hdr.custRef }`: a place of an element, and of what was sent";
            self.out.push(fault("nothing says which element is the one").hint(hint));
        }
        for entry in &own.none {
            let is_any = entry.condition.is_none() && entry.fault.is_none() && entry.text.is_none();
            if is_any && entry.statuses.0.is_empty() {
                let fault = Diagnostic::error(code::ON_ENTRY, "this entry would take every reply");
                self.out.push(fault.at(entry.span).hint("add `status:`, `if:`, `fault:` or `text:`"));
            }
        }
        let each = raw.each.is_some();
        let names = &making.names;
        let speaks = Speaks { calls: names, own: index, undo: false, each, scope, is_watch: false };
        let find = self.call_target(&own.call, &speaks);
        let request = self.request(own.request.as_ref(), scope, &format!("{} recover", names[index]), making);
        let speaks = Speaks { undo: true, ..speaks };
        let read = own.read.as_ref().map(|text| self.call_target(text, &speaks));
        let elements = own.each.as_ref().map(|text| self.elements(text));
        let condition = own.condition.as_ref().map(|text| self.condition_text(text));
        let same: Vec<_> = own.same.iter().map(|(found, sent)| self.same(found, sent)).collect();
        let total = own.total.as_ref().map(|text| self.total(text));
        let sure_after = own.sure_after.as_ref().map(|text| self.within(text, 0, SURE_AFTER_MS_MAX));
        let none = self.none(&own.none, names[index].as_str());
        let find = find?;
        let read = read.map_or(Some(None), |read| read.map(Some))?;
        let mut targets = vec![(&own.call, &find)];
        targets.extend(own.read.as_ref().zip(read.as_ref()));
        self.check_later(making, &targets);
        self.check_recovered(making, own, &find);
        let mut find = self.later_call(&format!("{} recover", names[index]), own.span, find, making);
        find.request = request.map(|(program, _)| program);
        let read =
            read.map(|target| self.later_call(&format!("{} read", names[index]), own.span, target, making));
        let total = total.map_or(Some(None), |total| total.map(Some))?;
        if let Some(text) = own.total.as_ref().filter(|_| !matches!(total, None | Some(Total::Body(_)))) {
            let fault = Diagnostic::error(code::RECOVER, "the number is looked for in the reply's body");
            self.out.push(fault.at(text.span()).hint("write `total: $.meta.count`"));
        }
        Some(Recover {
            each: elements.map_or(Some(None), |path| path.map(Some))?,
            condition: condition.map_or(Some(None), |condition| condition.map(Some))?,
            same: same.into_iter().collect::<Option<_>>()?,
            total: match total {
                Some(Total::Body(query)) => Some(query),
                _ => None,
            },
            sure_after_ms: sure_after.unwrap_or(Some(SURE_AFTER_MS))?,
            find: alone(making, find, none),
            read: read.map(|call| alone(making, call, Vec::new())),
        })
    }

    /// Either all calls that change something can be looked up, or none: what became of the others would stay unknown.
    pub(super) fn check_recovers(&mut self, making: &Making<'_>) {
        let calls = &making.operation.calls;
        if calls.iter().all(|call| call.recover.is_none()) {
            return;
        }
        for (call, name) in calls.iter().zip(&making.names) {
            let changes = !call.call.as_str().starts_with("GET ") && !call.call.as_str().starts_with("HEAD ");
            if changes && call.recover.is_none() {
                let message =
                    format!("what the call `{name}` made cannot be looked up, and that of others can");
                let fault = Diagnostic::error(code::RECOVER, message).at(call.call.span());
                self.out.push(fault.hint("give it `recover:`, or take that of the others out"));
            }
        }
    }

    fn same(&mut self, found: &Text, sent: &Text) -> Option<(FieldPath, FieldPath)> {
        let (found, sent) = (self.path(found), self.path(sent));
        Some((found?, FieldPath { anchor: Anchor::Root, ..sent? }))
    }

    /// Replies that say that there is nothing become a problem, which nobody is told.
    fn none(&mut self, raw: &'c [raw::On], name: &str) -> Vec<On> {
        let mut list = Vec::new();
        for entry in raw {
            let condition = entry.condition.as_ref().map(|text| self.condition_text(text));
            let Some(condition) = condition.map_or(Some(None), |condition| condition.map(Some)) else {
                continue;
            };
            let statuses =
                entry.statuses.0.iter().map(|(from, to)| Some(StatusMatch { from: *from, to: *to }));
            let mut statuses: Vec<Option<StatusMatch>> = statuses.collect();
            if statuses.is_empty() {
                statuses.push(None);
            }
            list.extend(statuses.into_iter().map(|status| On {
                origin: self.origin(entry.span, &format!("{name} none")),
                call: None,
                status,
                condition: condition.clone(),
                fault: entry.fault.as_ref().map(|text| text.as_str().into()),
                text: entry.text.as_ref().map(|text| text.as_str().into()),
                then: Then::Problem { code: FailureCode::ReferenceNotFound, at: None, reason: None },
            }));
        }
        list
    }
}

/// A program of one call, whose reply is not mapped.
fn alone(making: &Making<'_>, call: Call, on: Vec<On>) -> Arc<OperationProgram> {
    Arc::new(OperationProgram {
        operation_id: making.operation.id.as_str().into(),
        origin: call.origin.clone(),
        handling: Handling::Legacy,
        calls: Box::new([call]),
        answer: Answer::Empty,
        on: on.into(),
        paging: None,
        filters: Box::default(),
        order: None,
        complete: None,
        expires: None,
    })
}
