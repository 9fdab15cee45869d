//! What a legacy system sends by itself: `exposes:`, `notifies:` and `receives:` against the webhooks and calls of its interface.

use super::super::Compiler;
use super::super::again::MadeProgram;
use super::super::scope::Scope;
use super::message::Message;
use super::reply::successes;
use super::{filled, other_method};
use crate::mapping::coverage::written_always;
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::operation::CallTarget;
use crate::mapping::program::Phase;
use crate::mapping::raw::{self, Text};
use crate::mapping::schema::{CallFacts, Interface, NoCall};
use crate::text::{Diagnostic, Hint};
use std::sync::Arc;

impl<'c> Compiler<'c> {
    /// Holds an entry of `exposes:` against what the interfaces say of it.
    pub(in crate::mapping::compile) fn check_exposed(
        &mut self,
        raw: &'c raw::Expose,
        asked: &Scope,
        told: Option<&(Scope, MadeProgram)>,
    ) {
        for (api, facts) in self.sent(None, &raw.call) {
            let mut message =
                Message::new(&api, Phase::Request, Direction::ToSonata, asked.clone(), facts.request);
            message.legacy.body = facts.request.is_some();
            message.asked(&facts);
            let seller = match &raw.seller {
                raw::Seller::Only => None,
                raw::Seller::Name(place) | raw::Seller::Setting(_, place) => Some(place),
            };
            for place in seller.into_iter().chain(&raw.correlation) {
                let _ = self.legacy_place(place, &message);
            }
            if let Some(body) = &raw.request {
                self.legacy_body(body, &message);
            }
            let (Some(body), Some((scope, made))) = (&raw.answer, told) else { continue };
            for reply in successes(&facts.answers) {
                let mut message =
                    Message::new(&api, Phase::Answer, Direction::ToLegacy, scope.clone(), reply);
                message.legacy.body = reply.is_some();
                if let Some(each) = &raw.each {
                    let Some(element) = self.legacy_place(each, &message) else { continue };
                    message.legacy = message.legacy.at(element);
                }
                self.legacy_body(body, &message);
                if let Some(ty) = message.legacy.here.ty {
                    let sure = written_always(&made.program);
                    self.check_required(ty, (&made.places, &sure), (Phase::Answer, raw.call.span()), &api);
                }
            }
        }
    }

    /// Holds what our procurement system is told of by itself against the call of its interface.
    pub(in crate::mapping::compile) fn check_notified(
        &mut self,
        (text, target): (&'c Text, &CallTarget),
        body: &'c raw::Body,
        scope: &Scope,
        made: &MadeProgram,
    ) {
        for (api, typed) in self.described(None) {
            let Some(facts) = self.check_call(text, target, &api) else { continue };
            if !typed {
                continue;
            }
            let mut message =
                Message::new(&api, Phase::Answer, Direction::ToLegacy, scope.clone(), facts.request);
            message.legacy.body = facts.request.is_some();
            message.parameters(&facts);
            self.legacy_body(body, &message);
            if let Some(ty) = facts.request {
                // To the one who is called it is a request, whatever the standard makes of it.
                let sure = written_always(&made.program);
                self.check_required(ty, (&made.places, &sure), (Phase::Request, text.span()), &api);
            }
        }
    }

    /// Holds an entry of `receives:` against what the interfaces say of it.
    pub(in crate::mapping::compile) fn check_received(
        &mut self,
        text: &'c Text,
        backend: Option<&Text>,
        news: &'c raw::News,
        scope: &Scope,
    ) {
        for (api, facts) in self.sent(backend, text) {
            let direction = self.side.direction(Phase::Answer);
            let mut message = Message::new(&api, Phase::Answer, direction, scope.clone(), facts.request);
            message.legacy.body = facts.request.is_some();
            message.asked(&facts);
            self.legacy_news(news, message);
        }
    }

    /// Holds an entry of `watch:` against the reply that it is asked for.
    pub(in crate::mapping::compile) fn check_watched(
        &mut self,
        raw: &'c raw::Watch,
        target: &CallTarget,
        scope: Option<&Scope>,
    ) {
        for (api, typed) in self.described(raw.backend.as_ref()) {
            let Some(facts) = self.check_call(&raw.call, target, &api).filter(|_| typed) else { continue };
            let sonata = scope.cloned().unwrap_or_else(|| Scope::message(None));
            for reply in successes(&facts.answers) {
                let message = self.reply(&api, &sonata, reply);
                if let Some(cursor) = &raw.cursor {
                    let _ = self.legacy_place(cursor, &message);
                }
                if scope.is_some() {
                    self.legacy_news(&raw.news, message);
                }
            }
        }
    }

    /// What a message of the legacy system says, at its places.
    fn legacy_news(&mut self, news: &'c raw::News, mut message: Message<'c>) {
        let places = news.of.iter().chain(&news.whose).map(|(_, place)| place);
        for place in places {
            let _ = self.legacy_place(place, &message);
        }
        if let Some(each) = &news.each {
            let Some(element) = self.legacy_place(each, &message) else { return };
            message.legacy = message.legacy.at(element);
        }
        if let Some(place) = &news.legacy_id {
            let _ = self.legacy_place(place, &message);
        }
        if let Some(body) = &news.body {
            self.legacy_body(body, &message);
        }
    }

    /// The interfaces that have a message among those that their systems send, and what they say of it; one that
    /// none has is told.
    fn sent(&mut self, own: Option<&Text>, text: &Text) -> Vec<(Arc<dyn Interface>, CallFacts)> {
        let Some((method, path)) = text.as_str().split_once(' ') else { return Vec::new() };
        let (mut known, mut missing) = (Vec::new(), None);
        for (api, typed) in self.described(own) {
            match api.sent(method, path.trim()) {
                Some(Ok(facts)) if typed => known.push((api, facts)),
                Some(Ok(_)) | None => {}
                Some(Err(fault)) => missing = missing.or(Some((api, fault))),
            }
        }
        if let (true, Some((api, missing))) = (known.is_empty(), missing) {
            // The address is a key: what is put right is put right as a whole.
            let (what, hint) = match missing {
                NoCall::Path { near } => {
                    let near =
                        near.map(|near| Hint::meant(format!("{method} {}", filled(&near, path.trim()))));
                    ("such path".to_owned(), near)
                }
                NoCall::Method { path: known, methods } => {
                    let hint = other_method(&methods, &format!(" {}", path.trim()));
                    (format!("`{method}` of `{known}`"), Some(hint))
                }
            };
            let message = format!("{} has no {what} among its webhooks", api.title());
            self.out.push(Diagnostic::error(code::NO_SUCH_CALL, message).at(text.span()).maybe_hint(hint));
        }
        known
    }
}
