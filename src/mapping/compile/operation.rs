//! Operations: which calls are made, and with which messages. What replies become is `reply`'s.

use super::again::{Lowered, MadeProgram};
use super::form::Ways;
use super::lower::{Here, Use};
use super::reply::Told;
use super::scope::{Found, Place, Scope};
use super::survey::At;
use super::template::{Speaks, duration_ms};
use super::writers::{Places, place};
use super::{CompiledOperation, CompiledSet, Compiler};
use crate::json::query::Condition;
use crate::mapping::diagnostic as code;
use crate::mapping::operation::{Answer, Call, Handling, OperationProgram};
use crate::mapping::path::FieldPath;
use crate::mapping::program::{Phase, Program, Shared, Tables};
use crate::mapping::raw::{self, Body, Conduct, Operation, Rule, Text};
use crate::mapping::schema::OperationFacts;
use crate::text::{Diagnostic, Hint, suggest};
use std::sync::Arc;

/// One operation in the making.
pub(super) struct Making<'c> {
    pub function: &'c str,
    pub operation: &'c Operation,
    pub facts: OperationFacts,
    /// Names of the calls, in order.
    pub names: Vec<String>,
}

impl<'c> Compiler<'c> {
    /// The set without its operations.
    pub(super) fn empty(&mut self) -> CompiledSet {
        CompiledSet {
            release: self.set.set.release.as_ref().map(|text| (text.as_str().to_owned(), text.span())),
            backend: self.set.set.backend.as_ref().map(|text| (text.as_str().to_owned(), text.span())),
            names: Arc::new(self.xml_names()),
            ..CompiledSet::default()
        }
    }

    pub(super) fn check_functions(&mut self) {
        let known = self.schema.functions();
        for name in self.set.functions_named.iter() {
            if !known.iter().any(|known| known == name.as_str()) {
                let near = suggest(name.as_str(), known.iter().map(String::as_str));
                let hint = near.map_or_else(|| known.join(", ").into(), Hint::meant);
                let message = format!("the release has no function `{name}`");
                self.out.push(Diagnostic::error(code::UNKNOWN_FUNCTION, message).at(name.span()).hint(hint));
            }
        }
    }

    pub(super) fn operation(
        &mut self,
        function: &'c str,
        operation: &'c Operation,
    ) -> Option<CompiledOperation> {
        let Some(facts) = self.schema.operation(function, operation.id.as_str()) else {
            if self.schema.functions().iter().any(|known| known == function) {
                let known = self.schema.operations(function);
                let near = suggest(operation.id.as_str(), known.iter().map(String::as_str));
                let message = format!("{function} has no operation `{}`", operation.id);
                let fault = Diagnostic::error(code::UNKNOWN_OPERATION, message).at(operation.id.span());
                self.out.push(fault.maybe_hint(near.map(Hint::meant)));
            }
            return None;
        };
        let names = operation.calls.iter().map(|call| match &call.name {
            Some(name) => name.as_str().to_owned(),
            None => operation.id.as_str().to_owned(),
        });
        let making = Making { function, operation, facts, names: names.collect() };
        self.check_call_names(operation);
        let (mut calls, mut sent) = (Vec::new(), Vec::new());
        for (index, raw) in operation.calls.iter().enumerate() {
            if let Some((call, written)) = self.call(raw, index, &making) {
                self.check_root(operation, raw, &written);
                calls.push(call);
                sent.push((index, written));
            }
        }
        self.check_recovers(&making);
        self.check_made(&making);
        self.check_legacy(&making, &calls, &sent);
        let mut told = Told::default();
        let answer = match operation.conduct {
            Conduct::Legacy => self.answer(&making, &mut told),
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
            paging: self.list_paging(&making),
            filters: self.filters(&making, &calls, &told.written),
            order: self.order(&making, &told.written),
            complete: self.complete(&making, answer.as_ref()),
            expires: self.expires(&making).map(Shared::new),
            calls: calls.into(),
            answer: answer?,
            on: on.into(),
        };
        let backend = operation.backend.as_ref().map(|text| (text.as_str().into(), text.span()));
        let (program, not_echoed) = (Arc::new(program), told.not_echoed.into());
        Some(CompiledOperation { program, not_echoed, backend, tables: Tables::NONE })
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
    pub(super) fn request_scope(&self, making: &Making<'_>) -> Scope {
        let ty = making.facts.request.as_ref().and_then(|name| self.schema.root(making.function, name));
        let mut scope = Scope::message(ty);
        scope.body = making.facts.request.is_some();
        let (names, types) = (making.facts.query.iter().cloned(), making.facts.query_types.iter().copied());
        scope.query = Some(names.zip(types).collect());
        scope.path = Some(making.facts.path.iter().map(|name| (name.clone(), None)).collect());
        scope
    }

    /// The Sonata side of the answer, or of its elements.
    pub(super) fn answer_scope(&self, making: &Making<'_>) -> Scope {
        let ty = making.facts.answer.as_ref().and_then(|name| self.schema.root(making.function, name));
        let mut scope = Scope::message(ty);
        scope.body = making.facts.answer.is_some();
        scope
    }

    /// A call, and the places that its request writes.
    fn call(&mut self, raw: &'c raw::Call, index: usize, making: &Making<'c>) -> Option<(Call, Places)> {
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
        let speaks = Speaks {
            calls: &making.names,
            own: index,
            undo: false,
            each: each.is_some(),
            scope: &scope,
            is_watch: false,
        };
        let name = making.names[index].as_str();
        let target = self.call_target(&raw.call, &speaks);
        let request = self.request(raw.request.as_ref(), &scope, name, making);
        let (request, written) = request.unzip();
        let legacy_id = raw.legacy_id.as_ref().and_then(|text| self.path(text));
        let undo = raw.undo.as_ref().and_then(|undo| self.undo(undo, raw, index, &scope, making));
        let recover = self.recover(raw, index, &scope, making);
        let after = self.after(raw, index, making);
        let cache_ms = raw.cache.as_ref().and_then(|text| self.duration(text));
        let call = Call {
            name: name.into(),
            origin: self.origin(raw.span, name),
            target: Shared::new(target?),
            each: each.map(|each| each.map(|(path, _)| path)).map_or(Some(None), |each| each.map(Some))?,
            condition,
            after,
            parallel: raw.parallel.map_or(1, |(count, _)| u16::try_from(count).unwrap_or(1)),
            request,
            legacy_id,
            cache_ms,
            undo: undo.map(Shared::new),
            recover: recover.map(Shared::new),
        };
        Some((call, written.unwrap_or_default()))
    }

    pub(super) fn duration(&mut self, text: &Text) -> Option<u64> {
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
        let speaks = Speaks {
            calls: &making.names,
            own: index,
            undo: true,
            each: raw.each.is_some(),
            scope,
            is_watch: false,
        };
        let name = format!("{} undo", making.names[index]);
        let target = self.call_target(&undo.call, &speaks);
        let request = self.request(undo.request.as_ref(), scope, &name, making);
        let request = request.map(|(program, _)| program);
        Some(Call {
            origin: self.origin(undo.call.span(), &name),
            name: name.into(),
            target: Shared::new(target?),
            each: None,
            condition: None,
            after: None,
            parallel: 1,
            request,
            legacy_id: None,
            cache_ms: None,
            undo: None,
            recover: None,
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
                    let hint = near.map(Hint::meant);
                    self.out.push(fault.at(name.span()).maybe_hint(hint));
                }
            }
        }
        found
    }

    /// An array of the request, and the place of its elements.
    pub(super) fn each(&mut self, text: &Text, scope: &Scope) -> Option<(FieldPath, Place)> {
        let path = self.path(text)?;
        if !path.every {
            let fault = Diagnostic::error(code::ELEMENTS, "this does not name the elements of an array");
            self.out.push(fault.at(text.span()).hint(format!("write `{text}[*]`")));
            return None;
        }
        match scope.resolve(self.schema, &path, &mut Vec::new()) {
            Found::Place(place, _) => Some((path, place)),
            Found::Missing(missing) => {
                let at = super::steps::span_of_missing(text, &missing);
                let fault = Diagnostic::error(code::NO_SUCH_PLACE, missing.message);
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

    pub(super) fn request(
        &mut self,
        body: Option<&'c Body>,
        scope: &Scope,
        name: &str,
        making: &Making<'c>,
    ) -> Option<(Arc<Program>, Places)> {
        let title = if name == making.operation.id.as_str() {
            format!("{}.{} request", making.function, making.operation.id)
        } else {
            format!("{}.{} {name} request", making.function, making.operation.id)
        };
        let us = Use::new(title, Phase::Request, self.side.direction(Phase::Request));
        let ty = making.facts.request.as_deref();
        let made = self.body_program(body?, scope, us, (ty, None))?;
        Some((made.program, made.places))
    }

    /// Surveys and lowers a shape or rules for one message; `base` is where the scope stands in the whole message, if
    /// not at its root.
    pub(super) fn body_program(
        &mut self,
        body: &'c Body,
        scope: &Scope,
        mut us: Use,
        (ty, base): (Option<&str>, Option<&FieldPath>),
    ) -> Option<MadeProgram> {
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
        let number = self.programs.len();
        let known = self.over.as_ref().and_then(|over| over.program(self.part, number));
        us.known = known.and_then(|known| known.lowered_as(&us));
        us.lowered = self.keeps_lowered.then(Lowered::default);
        let (program, us) = self.program(rules, &here, us);
        let made = match known {
            Some(known) if known.is(&program, &us) => known.kept(),
            _ => MadeProgram::new(program, us),
        };
        self.programs.push(made.clone());
        Some(made)
    }
}
