//! `exposes:` and `problems:`: the Buyer side, on which the same shapes run the other way.

use super::Compiler;
use super::Side;
use super::again::MadeProgram;
use super::lower::Use;
use super::news::{parameters, same};
use super::scope::Scope;
use super::template::{METHODS, Speaks};
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::exposed::{Answer, Expose, Notify, Problems, Seller};
use crate::mapping::problem::ProblemSchema;
use crate::mapping::program::Phase;
use crate::mapping::raw::{self, Text};
use crate::mapping::schema::OperationFacts;
use crate::text::{Diagnostic, Hint, suggest};
use std::sync::Arc;

impl<'c> Compiler<'c> {
    /// Compiles everything that is exposed.
    pub(super) fn exposes(&mut self) -> Vec<Arc<Expose>> {
        let before = std::mem::replace(&mut self.side, Side::Buyer);
        let (set, mut list) = (self.set, Vec::<Arc<Expose>>::new());
        let problems = self.problems();
        for raw in set.exposes.iter() {
            let Some(expose) = self.expose(raw, problems.as_ref()) else { continue };
            if list.iter().any(|other| other.method == expose.method && same(&other.path, &expose.path)) {
                let fault = Diagnostic::error(code::TWICE, "another entry exposes this already");
                self.out.push(fault.at(raw.call.span()));
                continue;
            }
            list.push(Arc::new(expose));
        }
        self.side = before;
        list
    }

    /// Compiles everything that our procurement system is told by itself.
    pub(super) fn notifies(&mut self) -> Vec<Arc<Notify>> {
        let before = std::mem::replace(&mut self.side, Side::Buyer);
        let (set, mut list) = (self.set, Vec::<Arc<Notify>>::new());
        for raw in set.notifies.iter() {
            let Some(notify) = self.notify(raw) else { continue };
            if list.iter().any(|other| other.event == notify.event) {
                let fault = Diagnostic::error(code::TWICE, "another entry tells of this already");
                self.out.push(fault.at(raw.event.span()));
                continue;
            }
            list.push(Arc::new(notify));
        }
        self.side = before;
        list
    }

    fn check_event(&mut self, function: &str, event: &Text) {
        let events = self.schema.events(function);
        if events.is_empty() || events.iter().any(|own| own == event.as_str()) {
            return;
        }
        let near = suggest(event.as_str(), events.iter().map(String::as_str)).map(Hint::meant);
        let message = format!("{function} has no event `{event}`");
        let fault = Diagnostic::error(code::EXPOSES, message).at(event.span());
        self.out.push(fault.hint(near.unwrap_or_else(|| events.join(", ").into())));
    }

    fn notify(&mut self, raw: &'c raw::Notify) -> Option<Notify> {
        let (function, follow) = (raw.function.as_ref()?, raw.follow.as_ref()?);
        self.check_event(function.as_str(), &raw.event);
        let facts = self.exposed_operation(function.as_str(), follow)?;
        if facts.request.is_some() || facts.path.is_empty() || facts.list {
            let fault =
                Diagnostic::error(code::EXPOSES, "an event is followed by a look-up of what it is about");
            self.out.push(fault.at(follow.span()).hint("name an operation such as retrieveQuote"));
            return None;
        }
        let ty = facts.answer.as_ref().and_then(|name| self.schema.root(function.as_str(), name));
        let mut scope = Scope::message(ty);
        scope.body = true;
        let speaks = Speaks { calls: &[], own: 0, undo: false, each: false, scope: &scope, is_watch: false };
        let (call, body) = (raw.call.as_ref()?, raw.request.as_ref()?);
        let target = self.call_target(call, &speaks);
        let us = Use::new(format!("{function} {}", raw.event), Phase::Answer, Direction::ToLegacy);
        let made = self.body_program(body, &scope, us, (facts.answer.as_deref(), None))?;
        if let Some(target) = &target {
            self.check_notified((call, target), body, &scope, &made);
        }
        let follow = Expose {
            origin: self.origin(raw.event.span(), raw.event.as_str()),
            method: "GET".into(),
            path: Box::default(),
            function: function.as_str().into(),
            operation_id: follow.as_str().into(),
            seller: Seller::Only,
            request: None,
            answer: Answer::Whole(made.program),
            status: None,
            correlation: None,
            wait: None,
            problems: None,
        };
        Some(Notify { event: raw.event.as_str().into(), follow: Arc::new(follow), target: target? })
    }

    fn expose(&mut self, raw: &'c raw::Expose, problems: Option<&Arc<Problems>>) -> Option<Expose> {
        let address = self.address(&raw.call, METHODS);
        let names = address.as_ref().map(|(_, path)| parameters(path)).unwrap_or_default();
        let function = raw.function.as_ref()?;
        let facts = self.exposed_operation(function.as_str(), raw.operation.as_ref()?)?;
        let seller = match &raw.seller {
            raw::Seller::Only => Some(Seller::Only),
            raw::Seller::Name(place) => self.told_by(place, &names).map(Seller::Name),
            raw::Seller::Setting(name, place) => {
                self.told_by(place, &names).map(|place| Seller::Setting(name.as_str().into(), place))
            }
        };
        let correlation = raw.correlation.as_ref().map(|place| self.told_by(place, &names));
        if let Some(wait) = raw.wait.as_ref().filter(|_| !facts.makes) {
            let message = format!(
                "`wait` goes with what an operation makes, and `{}` makes nothing",
                raw.operation.as_ref()?
            );
            self.out.push(Diagnostic::error(code::KEY_IDLE, message).at(wait.span()));
        }
        let wait = raw.wait.as_ref().map(|text| self.condition_text(text));
        let asked = self.asked_scope(function.as_str(), &facts);
        self.address = Some(names.iter().map(|name| (*name).to_owned()).collect());
        let request = self.exposed_request(raw, (function.as_str(), &asked), &facts);
        self.address = None;
        let answer = self.exposed_answer(raw, function.as_str(), &facts);
        let (method, path) = address?;
        let told = answer.as_ref().and_then(|(_, told)| told.as_ref());
        self.check_exposed(raw, &asked, told);
        Some(Expose {
            origin: self.origin(raw.call.span(), raw.call.as_str()),
            method: method.into(),
            path: path.into(),
            function: function.as_str().into(),
            operation_id: raw.operation.as_ref()?.as_str().into(),
            seller: seller?,
            request: request?,
            answer: answer?.0,
            status: raw.status.and_then(|status| u16::try_from(status).ok()),
            correlation: correlation.map_or(Some(None), |place| place.map(Some))?,
            wait: wait.map_or(Some(None), |wait| wait.map(Some))?,
            problems: problems.cloned(),
        })
    }

    fn exposed_operation(&mut self, function: &str, id: &Text) -> Option<OperationFacts> {
        let facts = self.schema.operation(function, id.as_str());
        if facts.is_none() && self.schema.functions().iter().any(|known| known == function) {
            let known = self.schema.operations(function);
            let near = suggest(id.as_str(), known.iter().map(String::as_str));
            let message = format!("{function} has no operation `{id}`");
            let fault = Diagnostic::error(code::UNKNOWN_OPERATION, message).at(id.span());
            self.out.push(fault.maybe_hint(near.map(Hint::meant)));
        }
        facts
    }

    /// The outer `None` where something is wrong with it.
    #[expect(clippy::option_option, reason = "wrong and absent are two things")]
    fn exposed_request(
        &mut self,
        raw: &'c raw::Expose,
        (function, scope): (&str, &Scope),
        facts: &OperationFacts,
    ) -> Option<Option<Arc<crate::mapping::program::Program>>> {
        let Some(body) = &raw.request else {
            if facts.request.is_none() && facts.path.is_empty() {
                return Some(None);
            }
            let what = if facts.request.is_some() { "a body" } else { "an id in its path" };
            let message = format!("the operation has {what}, and nothing says what goes there");
            let hint = "add `request:` with a shape, or with `fields` of which one is \
                        `{ legacy: \"path:no\", sonata: \"path:id\" }`";
            self.out.push(Diagnostic::error(code::EXPOSES, message).at(raw.span).hint(hint));
            return None;
        };
        let us = Use::new(format!("{function} {} request", raw.call), Phase::Request, Direction::ToSonata);
        self.body_program(body, scope, us, (facts.request.as_deref(), None)).map(|made| Some(made.program))
    }

    /// The Sonata side of a request.
    fn asked_scope(&self, function: &str, facts: &OperationFacts) -> Scope {
        let ty = facts.request.as_ref().and_then(|name| self.schema.root(function, name));
        let mut scope = Scope::message(ty);
        scope.body = facts.request.is_some();
        let (names, types) = (facts.query.iter().cloned(), facts.query_types.iter().copied());
        scope.query = Some(names.zip(types).collect());
        scope.path = Some(facts.path.iter().map(|name| (name.clone(), None)).collect());
        scope
    }

    /// The answer, and the Sonata side of what makes it.
    fn exposed_answer(
        &mut self,
        raw: &'c raw::Expose,
        function: &str,
        facts: &OperationFacts,
    ) -> Option<(Answer, Option<(Scope, MadeProgram)>)> {
        let Some(body) = &raw.answer else { return Some((Answer::Empty, None)) };
        let fault = |message: &str| Diagnostic::error(code::EXPOSES, message).at(raw.span);
        if facts.answer.is_none() {
            self.out.push(fault("the Seller's answer has no body").hint("leave `answer:` out"));
            return None;
        }
        if facts.list != raw.each.is_some() {
            let told = if facts.list {
                let hint = "write `answer: { each: \"items[*]\", shape: SHAPE }`: the array that they go to";
                fault("the Seller's answer is a list").hint(hint)
            } else {
                fault("the Seller's answer is no list").hint("leave `each:` out")
            };
            self.out.push(told);
            return None;
        }
        let ty = facts.answer.as_ref().and_then(|name| self.schema.root(function, name));
        let mut scope = Scope::message(ty);
        scope.body = true;
        let us = Use::new(format!("{function} {} answer", raw.call), Phase::Answer, Direction::ToLegacy);
        let into = raw.each.as_ref().map(|text| self.elements(text));
        let made = self.body_program(body, &scope, us, (facts.answer.as_deref(), None))?;
        let program = Arc::clone(&made.program);
        let answer = match into {
            Some(into) => Answer::Each { into: into?, program },
            None => Answer::Whole(program),
        };
        Some((answer, Some((scope, made))))
    }

    fn problems(&mut self) -> Option<Arc<Problems>> {
        let set = self.set;
        if let Some(second) = set.problems.get(1) {
            let fault = Diagnostic::error(code::TWICE, "another file says how problems are told already");
            self.out.push(fault.at(second.span).hint("a set says it once"));
        }
        let raw = set.problems.first()?;
        let mut scope = Scope::message(Some(ProblemSchema.problem()));
        scope.body = true;
        let us = Use::new("problems".to_owned(), Phase::Answer, Direction::ToLegacy);
        // What is told is none of the standard's messages: each release has its own, and this stands for all.
        let contracts = std::mem::replace(&mut self.schema, &ProblemSchema);
        let made = self.body_program(&raw.body, &scope, us, (None, None));
        if let Some(made) = &made {
            self.check_told(&raw.body, raw.span, &scope, made);
        }
        self.schema = contracts;
        let status = raw.status.and_then(|status| u16::try_from(status).ok());
        Some(Arc::new(Problems { status, program: made?.program }))
    }
}
