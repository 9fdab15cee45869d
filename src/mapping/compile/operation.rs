//! Operations: which calls are made, and what their replies become.

use super::form::Ways;
use super::lower::{Here, Use};
use super::scope::{Found, Missing, Place, Scope};
use super::survey::At;
use super::template::{Speaks, duration_ms};
use super::writers::place;
use super::{CompiledOperation, CompiledSet, Compiler, literal};
use crate::json::query::Condition;
use crate::mapping::diagnostic as code;
use crate::mapping::operation::{Answer, Call, Handling, On, OperationProgram, Paging, StatusMatch, Then};
use crate::mapping::path::{Anchor, FieldPath};
use crate::mapping::program::{Phase, Program};
use crate::mapping::raw::{self, AnswerFrom, Body, Conduct, Operation, Rule, Text};
use crate::mapping::schema::OperationFacts;
use crate::text::{Diagnostic, suggest};
use std::sync::Arc;

/// One operation in the making.
struct Making<'c> {
    function: &'c str,
    operation: &'c Operation,
    facts: OperationFacts,
    names: Vec<String>,
}

impl<'c> Compiler<'c> {
    /// Compiles all operations of the set.
    pub(super) fn operations(&mut self) -> CompiledSet {
        self.check_functions();
        let mut compiled = CompiledSet {
            release: self.set.set.release.as_ref().map(|text| text.as_str().to_owned()),
            backend: self.set.set.backend.as_ref().map(|text| text.as_str().to_owned()),
            ..CompiledSet::default()
        };
        for (function, operation) in &self.set.operations {
            if let Some(program) = self.operation(function, operation) {
                compiled.operations.insert(format!("{function}.{}", operation.id), program);
            }
        }
        self.tell_unused();
        compiled
    }

    fn check_functions(&mut self) {
        let known = self.schema.functions();
        for name in &self.set.functions_named {
            if !known.iter().any(|known| known == name.as_str()) {
                let near = suggest(name.as_str(), known.iter().map(String::as_str));
                let hint = near.map_or_else(|| known.join(", "), |near| format!("did you mean `{near}`?"));
                let message = format!("the release has no function `{name}`");
                self.out.push(Diagnostic::error(code::UNKNOWN_FUNCTION, message).at(name.span()).hint(hint));
            }
        }
    }

    fn operation(&mut self, function: &'c str, operation: &'c Operation) -> Option<CompiledOperation> {
        let Some(facts) = self.schema.operation(function, operation.id.as_str()) else {
            if self.schema.functions().iter().any(|known| known == function) {
                let known = self.schema.operations(function);
                let near = suggest(operation.id.as_str(), known.iter().map(String::as_str));
                let message = format!("{function} has no operation `{}`", operation.id);
                let fault = Diagnostic::error(code::UNKNOWN_OPERATION, message).at(operation.id.span());
                self.out.push(fault.maybe_hint(near.map(|near| format!("did you mean `{near}`?"))));
            }
            return None;
        };
        let names = operation.calls.iter().map(|call| match &call.name {
            Some(name) => name.as_str().to_owned(),
            None => operation.id.as_str().to_owned(),
        });
        let making = Making { function, operation, facts, names: names.collect() };
        self.check_call_names(operation);
        let calls: Vec<_> =
            operation.calls.iter().enumerate().filter_map(|(i, call)| self.call(call, i, &making)).collect();
        let mut not_echoed = Vec::new();
        let answer = match operation.conduct {
            Conduct::Legacy => self.answer(&making, &mut not_echoed),
            Conduct::Manual | Conduct::Off => Some(Answer::Empty),
        };
        let mut on = Vec::new();
        for (index, call) in operation.calls.iter().enumerate() {
            self.on_list(&call.on, Some(index), &making, &mut on);
        }
        self.on_list(&operation.on, None, &making, &mut on);
        let program = OperationProgram {
            operation_id: operation.id.as_str().into(),
            origin: self.origin(operation.id.span(), operation.id.as_str()),
            handling: match operation.conduct {
                Conduct::Legacy => Handling::Legacy,
                Conduct::Manual => Handling::Manual,
                Conduct::Off => Handling::Off,
            },
            calls: calls.into(),
            answer: answer?,
            on: on.into(),
            paging: operation.paging.as_ref().and_then(|paging| self.paging(paging)),
            complete: None,
        };
        Some(CompiledOperation { program: Arc::new(program), not_echoed: not_echoed.into() })
    }

    fn check_call_names(&mut self, operation: &Operation) {
        let names: Vec<_> = operation.calls.iter().filter_map(|call| call.name.as_ref()).collect();
        for (index, name) in names.iter().enumerate() {
            if names[..index].iter().any(|other| other.as_str() == name.as_str()) {
                let message = format!("there is another call `{name}`");
                self.out.push(Diagnostic::error(code::TWICE, message).at(name.span()));
            }
            if matches!(
                name.as_str(),
                "legacy" | "item" | "facts" | "reply" | "calls" | "query" | "path" | "header"
            ) {
                let message = format!("`{name}` has a meaning of its own in addresses");
                self.out.push(
                    Diagnostic::error(code::CALL_NAME, message).at(name.span()).hint("choose another name"),
                );
            }
        }
    }

    /// The Sonata side of the request.
    fn request_scope(&self, making: &Making<'_>) -> Scope {
        let ty = making.facts.request.as_ref().and_then(|name| self.schema.root(making.function, name));
        let mut scope = Scope::message(ty);
        scope.body = making.facts.request.is_some();
        scope.query = Some(making.facts.query.clone());
        scope.path = Some(making.facts.path.clone());
        scope
    }

    /// The Sonata side of the answer, or of its elements.
    fn answer_scope(&self, making: &Making<'_>) -> Scope {
        let ty = making.facts.answer.as_ref().and_then(|name| self.schema.root(making.function, name));
        let mut scope = Scope::message(ty);
        scope.body = making.facts.answer.is_some();
        scope
    }

    fn call(&mut self, raw: &'c raw::Call, index: usize, making: &Making<'c>) -> Option<Call> {
        let mut scope = self.request_scope(making);
        let each = raw.each.as_ref().map(|text| self.each(text, &scope));
        if let Some(each) = &each {
            scope = scope.at(each.as_ref().map(|(_, place)| place.clone()).unwrap_or_default());
        }
        let condition = self.call_condition(raw.condition.as_ref(), &scope);
        let narrowed = self.narrowed(raw.condition.as_ref(), &scope.here);
        scope = scope.at(narrowed);
        if let (Some((_, span)), None) = (raw.parallel, &raw.each) {
            let fault =
                Diagnostic::error(code::KEY_IDLE, "`parallel` has no effect on a single call").at(span);
            self.out.push(fault.hint("it goes with `each:`"));
        }
        let speaks = Speaks { calls: &making.names, own: index, undo: false, each: each.is_some() };
        let name = making.names[index].as_str();
        let target = self.call_target(&raw.call, &speaks);
        let request = self.request(raw.request.as_ref(), &scope, name, making);
        let legacy_id = raw.legacy_id.as_ref().and_then(|text| self.path(text));
        let undo = raw.undo.as_ref().and_then(|undo| self.undo(undo, raw, index, &scope, making));
        let after = self.after(raw, index, making);
        let cache_ms = raw.cache.as_ref().and_then(|text| self.duration(text));
        Some(Call {
            name: name.into(),
            origin: self.origin(raw.span, name),
            target: target?,
            each: each.map(|each| each.map(|(path, _)| path)).map_or(Some(None), |each| each.map(Some))?,
            condition,
            after,
            parallel: raw.parallel.map_or(1, |(count, _)| u16::try_from(count).unwrap_or(1)),
            request,
            legacy_id,
            cache_ms,
            undo: undo.map(Box::new),
        })
    }

    fn duration(&mut self, text: &Text) -> Option<u64> {
        let ms = duration_ms(text.as_str());
        if ms.is_none() {
            let fault = Diagnostic::error(code::DURATION, format!("`{text}` is no duration")).at(text.span());
            self.out.push(fault.hint("write a number and a unit: 30s, 10m, 12h, 90d"));
        }
        ms
    }

    fn undo(
        &mut self,
        undo: &'c raw::Undo,
        raw: &'c raw::Call,
        index: usize,
        scope: &Scope,
        making: &Making<'c>,
    ) -> Option<Call> {
        let speaks = Speaks { calls: &making.names, own: index, undo: true, each: raw.each.is_some() };
        let name = format!("{} undo", making.names[index]);
        let target = self.call_target(&undo.call, &speaks);
        let request = self.request(undo.request.as_ref(), scope, &name, making);
        Some(Call {
            origin: self.origin(undo.call.span(), &name),
            name: name.into(),
            target: target?,
            each: None,
            condition: None,
            after: None,
            parallel: 1,
            request,
            legacy_id: None,
            cache_ms: None,
            undo: None,
        })
    }

    /// The call that `after:` names, which must stand before.
    fn after(&mut self, raw: &raw::Call, index: usize, making: &Making<'_>) -> Option<usize> {
        let mut found = None;
        for name in &raw.after {
            let at = making.names.iter().position(|own| own == name.as_str());
            match at {
                Some(at) if at < index => found = found.max(Some(at)),
                Some(_) => {
                    let message = format!("the call `{name}` does not stand before this one");
                    self.out.push(Diagnostic::error(code::CALL_NAME, message).at(name.span()));
                }
                None => {
                    let near = suggest(name.as_str(), making.names.iter().map(String::as_str));
                    let fault = Diagnostic::error(code::CALL_NAME, format!("there is no call `{name}`"));
                    let hint = near.map(|near| format!("did you mean `{near}`?"));
                    self.out.push(fault.at(name.span()).maybe_hint(hint));
                }
            }
        }
        found
    }

    /// An array of the request, and the place of its elements.
    fn each(&mut self, text: &Text, scope: &Scope) -> Option<(FieldPath, Place)> {
        let path = self.path(text)?;
        if !path.every {
            let fault = Diagnostic::error(code::ELEMENTS, "this does not name the elements of an array");
            self.out.push(fault.at(text.span()).hint(format!("write `{text}[*]`")));
            return None;
        }
        match scope.resolve(self.schema, &path, &mut Vec::new()) {
            Found::Place(place, _) => Some((path, place)),
            Found::Missing(missing) => {
                let fault = Diagnostic::error(code::NO_SUCH_PLACE, missing.message);
                let at = super::steps::span_of(text, missing.step);
                self.out.push(fault.at(at).maybe_hint(missing.hint));
                None
            }
        }
    }

    fn call_condition(&mut self, condition: Option<&'c raw::Condition>, scope: &Scope) -> Option<Condition> {
        let condition = condition?;
        let us = Use::new(String::new(), Phase::Request, self.side.direction(Phase::Request));
        let at = At::message(scope.clone(), Ways::only(us.direction));
        self.survey_condition(Some(condition), &at);
        self.lower_condition(Some(condition), &scope.here, &us).ok()?.0
    }

    fn request(
        &mut self,
        body: Option<&'c Body>,
        scope: &Scope,
        name: &str,
        making: &Making<'c>,
    ) -> Option<Arc<Program>> {
        let title = if name == making.operation.id.as_str() {
            format!("{}.{} request", making.function, making.operation.id)
        } else {
            format!("{}.{} {name} request", making.function, making.operation.id)
        };
        let us = Use::new(title, Phase::Request, self.side.direction(Phase::Request));
        let ty = making.facts.request.as_deref();
        self.body_program(body?, scope, us, (ty, None)).map(|(program, _)| program)
    }

    /// Surveys and lowers a shape or rules for one message; `base` is where the scope stands in the whole message, if
    /// not at its root.
    fn body_program(
        &mut self,
        body: &'c Body,
        scope: &Scope,
        us: Use,
        (ty, base): (Option<&str>, Option<&FieldPath>),
    ) -> Option<(Arc<Program>, Use)> {
        let at = At::message(scope.clone(), Ways::only(us.direction));
        let mut here = Here::message(scope.clone());
        if let Some(base) = base {
            here.sonata = place("$", base);
        }
        let rules: &'c [Rule] = match body {
            Body::Fields(_, rules) => {
                self.survey_rules(rules, &at);
                rules
            }
            Body::Shape(name) => {
                let shape = self.shape(name, &[])?;
                let whole = scope.here == scope.root;
                if let (Some(ty), true) = (ty.filter(|_| whole), !shape.sonata.is_empty())
                    && !shape.sonata.iter().any(|name| name.as_str() == ty)
                {
                    let message =
                        format!("the shape `{name}` is not for `{ty}`, the message of this operation");
                    let fault = Diagnostic::error(code::SHAPE_TYPE, message).at(name.span());
                    self.out.push(fault.hint(format!("add `{ty}` to its `sonata:` list")));
                    return None;
                }
                here.shapes.push(shape.name.as_str());
                // A shape that says its types was surveyed for them, both ways.
                if shape.sonata.is_empty() || !whole {
                    self.survey_shape(name, &at);
                }
                &shape.fields
            }
        };
        let (program, us) = self.program(rules, &here, us);
        Some((Arc::new(program), us))
    }

    fn answer(&mut self, making: &Making<'c>, not_echoed: &mut Vec<Box<str>>) -> Option<Answer> {
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
        let (program, us) = self.body_program(body, &scope, us, (ty, into_path.as_ref()))?;
        not_echoed.extend(us.not_echoed.iter().cloned());
        if let (Some(root), None) = (root, &into_path) {
            self.check_provided(root, making.function, &making.facts, &us.writers, raw.span);
        }
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
    fn elements(&mut self, text: &Text) -> Option<FieldPath> {
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
        if matches!(raw.from, AnswerFrom::Calls { .. })
            && !making.operation.calls.iter().any(|call| call.each.is_some())
        {
            self.out
                .push(fault("`each: calls` needs a call per item".to_owned()).hint("give a call `each:`"));
        }
    }

    fn on_list(&mut self, raw: &'c [raw::On], call: Option<usize>, making: &Making<'c>, list: &mut Vec<On>) {
        for entry in raw {
            let condition = entry.condition.as_ref().and_then(|text| self.condition_text(text));
            let Some(then) = self.then(entry, making) else { continue };
            let origin = self.origin(entry.span, &format!("{} on", making.operation.id));
            let text = entry.text.as_ref().map(|text| text.as_str().into());
            let on = |status: Option<StatusMatch>, then: Then| On {
                origin: origin.clone(),
                call,
                status,
                condition: condition.clone(),
                fault: None,
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

    /// A place of the request that a problem points at; elements may stand anywhere in it.
    fn blamed(&mut self, text: &Text, making: &Making<'_>) -> Option<FieldPath> {
        // `quoteItem[*].product.id` names no single place: the part up to the array is what can be pointed at.
        let (head, tail) = match text.as_str().split_once("[*].") {
            Some((head, tail)) => (head, Some(tail)),
            None => (text.as_str(), None),
        };
        let scope = self.request_scope(making);
        let known = |name: &str, list: &[String]| list.iter().any(|known| known == name);
        if known(head, &making.facts.path) {
            return FieldPath::parse(&format!("path:{head}")).ok();
        }
        if known(head, &making.facts.query) {
            return FieldPath::parse(&format!("query:{head}")).ok();
        }
        let Ok(path) = FieldPath::parse(head) else {
            let _ = self.path(text);
            return None;
        };
        let steps = path.steps.len();
        let array = FieldPath { every: path.every || tail.is_some(), ..path };
        let found = match (scope.resolve(self.schema, &array, &mut Vec::new()), tail.map(FieldPath::parse)) {
            (Found::Place(place, _), Some(Ok(tail))) => {
                match scope.at(place).resolve(self.schema, &tail, &mut Vec::new()) {
                    Found::Missing(missing) => {
                        Found::Missing(Missing { step: steps + 1 + missing.step, ..missing })
                    }
                    found @ Found::Place(..) => found,
                }
            }
            (found, _) => found,
        };
        if let Found::Missing(missing) = found {
            let fault = Diagnostic::error(code::NO_SUCH_PLACE, missing.message);
            let at = super::steps::span_of(text, missing.step);
            self.out.push(fault.at(at).maybe_hint(missing.hint));
            return None;
        }
        Some(array)
    }

    fn paging(&mut self, raw: &raw::Paging) -> Option<Paging> {
        let total = match &raw.total {
            None => None,
            Some(text) => {
                self.check_query(text, None);
                Some(crate::json::query::Query::parse(text.as_str()).ok()?)
            }
        };
        let parameter = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().into());
        Some(Paging {
            page: parameter(&raw.page).or_else(|| parameter(&raw.offset)),
            size: parameter(&raw.size),
            first: raw.first,
            counts_records: raw.offset.is_some(),
            total,
        })
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
