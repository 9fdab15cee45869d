//! `watch:`: lists that the legacy system is asked for again and again, each row with what it says of which entity.

use super::Compiler;
use super::after::{EVERY_MS_MAX, EVERY_MS_MIN};
use super::scope::Scope;
use super::template::Speaks;
use crate::mapping::diagnostic as code;
use crate::mapping::news::Watch;
use crate::mapping::operation::{Call, CallTarget, Template, TemplatePart};
use crate::mapping::path::{FieldPath, Part};
use crate::mapping::program::Shared;
use crate::mapping::raw::{self, Text};
use crate::text::Diagnostic;
use std::sync::Arc;

impl<'c> Compiler<'c> {
    /// Compiles everything that is asked for.
    pub(super) fn watches(&mut self) -> Vec<Arc<Watch>> {
        let mut list: Vec<Arc<Watch>> = Vec::new();
        let set = self.set;
        for raw in set.watches.iter() {
            let Some(watch) = self.watch(raw) else { continue };
            if list.iter().any(|other| other.name == watch.name) {
                let fault = Diagnostic::error(code::TWICE, format!("there is another watch `{}`", raw.name));
                self.out.push(fault.at(raw.name.span()));
                continue;
            }
            list.push(Arc::new(watch));
        }
        list
    }

    fn watch(&mut self, raw: &'c raw::Watch) -> Option<Watch> {
        let target = self.watched_target(&raw.call);
        let every_ms = self.within(&raw.every, EVERY_MS_MIN, EVERY_MS_MAX);
        let cursor = raw.cursor.as_ref().map(|text| self.watched_cursor(text));
        if let Some(target) = &target {
            self.check_cursor(raw, target);
        }
        let news = self.news(&raw.news, &raw.name, &[]);
        if let Some(target) = &target {
            self.check_watched(raw, target, news.as_ref().map(|(_, scope)| scope));
        }
        let call = Call {
            name: raw.name.as_str().into(),
            origin: self.origin(raw.call.span(), raw.name.as_str()),
            target: Shared::new(target?),
            each: None,
            condition: None,
            after: None,
            parallel: 1,
            request: None,
            legacy_id: None,
            cache_ms: None,
            undo: None,
            recover: None,
        };
        Some(Watch {
            name: raw.name.as_str().into(),
            call,
            every_ms: every_ms?,
            cursor: cursor.map_or(Some(None), |cursor| cursor.map(Some))?,
            from: raw.from.as_ref().map(|text| text.as_str().into()),
            news: news?.0,
            backend: raw.backend.as_ref().map(|text| text.as_str().into()),
        })
    }

    fn watched_target(&mut self, text: &Text) -> Option<CallTarget> {
        let scope = Scope::message(None);
        let speaks = Speaks { calls: &[], own: 0, undo: false, each: false, scope: &scope, is_watch: true };
        let target = self.call_target(text, &speaks)?;
        if *target.method != *"GET" {
            let fault = Diagnostic::error(code::WATCH, "what is watched is asked for by GET");
            let hint = "a list that has to be asked for otherwise cannot be watched; see `complete:`";
            self.out.push(fault.at(text.span()).hint(hint));
            return None;
        }
        Some(target)
    }

    fn watched_cursor(&mut self, text: &Text) -> Option<FieldPath> {
        let path = self.path(text)?;
        if path.every || !matches!(path.part, Part::Body | Part::Header) {
            let fault = Diagnostic::error(code::WATCH, "the cursor is one place of the reply");
            self.out.push(fault.at(text.span()).hint("write it from the reply's root, such as `$.next`"));
            return None;
        }
        Some(path)
    }

    /// A cursor that is read is sent, and one that is sent is read.
    fn check_cursor(&mut self, raw: &raw::Watch, target: &CallTarget) {
        let in_path = has_cursor(&target.path);
        let is_sent = in_path || target.query.iter().any(|(_, template)| has_cursor(template));
        let (message, at, hint) = match (&raw.cursor, &raw.from) {
            (None, _) if is_sent => {
                ("nothing says where `{cursor}` is from", raw.call.span(), "add `cursor: $.next`")
            }
            (Some(cursor), _) if !is_sent => {
                let hint = "put `{cursor}` into its address: `?since={cursor}`";
                ("the cursor is not put into the call", cursor.span(), hint)
            }
            (_, Some(from)) if !is_sent => {
                ("there is no cursor that would begin here", from.span(), "take `from` out")
            }
            (_, None) if in_path => {
                let hint = "add `from: START`: a path is whole from the first time on";
                ("nothing says what `{cursor}` is at first", raw.call.span(), hint)
            }
            _ => return,
        };
        self.out.push(Diagnostic::error(code::WATCH, message).at(at).hint(hint));
    }
}

fn has_cursor(template: &Template) -> bool {
    template.iter().any(|part| matches!(part, TemplatePart::Cursor))
}
