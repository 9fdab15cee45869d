//! One source to one place: reading, transforming, writing.

use super::run::{Run, Scope, Trouble, Wrote, read};
use super::target::Target;
use crate::json::{Kind, Node, Seen};
use crate::mapping::codes::CodeError;
use crate::mapping::convert::{Context, ConvertErrorKind};
use crate::mapping::direction::Direction;
use crate::mapping::path::{Anchor, FieldPath, Part, Step};
use crate::mapping::program::{
    Argument, CodesUse, ConvertUse, FailureCode, Pair, Rule, ScriptUse, Source, Transform,
};
use crate::mapping::script::{Call, ScriptFailureKind};
use crate::mapping::trace::Outcome;
use crate::mapping::value::Value;

/// Inputs that most scripts do with.
const INPUTS_FEW: usize = 4;

/// What a value that is written came from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Message,
    Constant,
    Default,
}

impl Origin {
    fn outcome(self) -> Outcome {
        match self {
            Self::Message => Outcome::Written,
            Self::Constant => Outcome::Constant,
            Self::Default => Outcome::Default,
        }
    }
}

impl<'m> Run<'m> {
    /// A pair that has nothing to do where its source is absent, which most are and most of whose sources are.
    #[inline]
    pub fn plain(
        &mut self,
        rule: &'m Rule,
        pair: &'m Pair,
        (scope, seen): (Scope<'m>, Seen),
        target: Target<'_>,
    ) -> Wrote {
        let Source::Path(path) = &pair.source else { return Wrote::Nothing };
        if let (Anchor::Scope, Some(Step::Member(name))) = (path.anchor, path.steps.first())
            && !seen.may_have(name)
        {
            return Wrote::Nothing;
        }
        match path.member(scope.node, scope.root) {
            Some(node) if !node.is_null() => self.plain_node(rule, pair, (node, scope), target),
            _ => Wrote::Nothing,
        }
    }

    #[inline(never)]
    fn plain_node(
        &mut self,
        rule: &'m Rule,
        pair: &'m Pair,
        (node, scope): (Node<'m>, Scope<'m>),
        target: Target<'_>,
    ) -> Wrote {
        let written = if pair.transforms.is_empty() {
            let slot = self.builder.copy(node);
            self.put(target, &pair.target, slot)
        } else {
            match self.transformed(pair, Value::Node(node), scope, target) {
                Ok(value) if value.is_absent() => return Wrote::Nothing,
                Ok(value) => {
                    let slot = value.build(&mut self.builder);
                    self.put(target, &pair.target, slot)
                }
                Err(trouble) => Err(trouble),
            }
        };
        match written {
            Ok(()) => Wrote::Message,
            Err(trouble) => {
                let to = (Some(&pair.target), target);
                self.fail((&rule.origin, rule.on_failure), trouble, (scope, source_path(&pair.source)), to);
                Wrote::Nothing
            }
        }
    }

    /// What becomes of a value on its way; `null` counts as absent unless the pair may write it.
    fn transformed(
        &mut self,
        pair: &'m Pair,
        mut value: Value<'m>,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Value<'m>, Trouble<'m>> {
        for transform in &pair.transforms {
            value = self.transform(transform, value, scope, target)?;
        }
        if !pair.transforms.is_empty() && value.is_null() && !pair.null_allowed {
            value = Value::Absent;
        }
        Ok(value)
    }

    #[inline(never)]
    pub fn pair(&mut self, rule: &'m Rule, pair: &'m Pair, scope: Scope<'m>, target: Target<'_>) -> Wrote {
        if !self.holds(scope, pair.condition.as_ref()) {
            self.record_pair(rule, pair, (scope, target), (None, Outcome::ConditionFalse));
            return Wrote::Nothing;
        }
        let written = self.pair_value(pair, scope, target).and_then(|value| {
            let (value, origin) = match (value, &pair.default) {
                ((Value::Absent, _), Some(default)) => (Self::constant(default), Origin::Default),
                (value, _) => value,
            };
            if value.is_absent() {
                if pair.required {
                    let message = "a required attribute is missing";
                    return Err(Trouble::sender(FailureCode::MissingProperty, message));
                }
                if self.trace.is_some() {
                    self.record_pair(rule, pair, (scope, target), (None, Outcome::Absent));
                }
                return Ok(Wrote::Nothing);
            }
            let wrote = if origin == Origin::Message { Wrote::Message } else { Wrote::Constant };
            let shown = self.trace.is_some().then(|| value.excerpt());
            self.write(&pair.target, target, value)?;
            if !pair.also.is_empty() {
                self.terms(&pair.also, target.slot)?;
            }
            if self.trace.is_some() {
                self.record_pair(rule, pair, (scope, target), (shown, origin.outcome()));
            }
            Ok(wrote)
        });
        written.unwrap_or_else(|trouble| {
            let to = (Some(&pair.target), target);
            let source = source_path(&pair.source);
            self.fail((&rule.origin, rule.on_failure), trouble, (scope, source), to);
            Wrote::Nothing
        })
    }

    /// The value that a pair writes, before its default, and what it is: the message's or the mapping's own.
    /// Absent where there is none.
    fn pair_value(
        &mut self,
        pair: &'m Pair,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<(Value<'m>, Origin), Trouble<'m>> {
        let mut value = self.source_value(&pair.source, scope)?;
        if value.is_null() {
            if pair.null_allowed {
                return Ok((Value::Null, Origin::Message));
            }
            value = Value::Absent;
        }
        let origin = match &pair.source {
            Source::Constant(_) => Origin::Constant,
            Source::Script(script) if script.inputs.is_empty() => Origin::Constant,
            // A converter may read something into nothing: `boolean(J, absent)`.
            _ if value.is_absent() => Origin::Default,
            _ => Origin::Message,
        };
        Ok((self.transformed(pair, value, scope, target)?, origin))
    }

    pub fn source_value(&mut self, source: &'m Source, scope: Scope<'m>) -> Result<Value<'m>, Trouble<'m>> {
        match source {
            Source::Path(path) => self.path_value(path, scope),
            Source::Query(query) => {
                if query.singular().is_some() {
                    return Ok(Value::of(query.first(scope.node, scope.root)));
                }
                if query.text().starts_with('$') {
                    self.count_comparisons(scope.root.document().node_count())?;
                }
                let mut nodes = query.select(scope.node, scope.root).into_iter().map(Value::Node);
                Ok(match (nodes.next(), nodes.len()) {
                    (None, _) => Value::Absent,
                    (Some(only), 0) => only,
                    (Some(first), _) => Value::Array(std::iter::once(first).chain(nodes).collect()),
                })
            }
            Source::Constant(constant) => Ok(Self::constant(constant)),
            Source::Script(script) => self.script(script, None, scope),
        }
    }

    fn path_value(&mut self, path: &'m FieldPath, scope: Scope<'m>) -> Result<Value<'m>, Trouble<'m>> {
        self.count_search(path, scope)?;
        let parameters = match path.part {
            Part::Body => return Ok(Value::of(read(path, scope)?)),
            Part::Query => self.input.query,
            Part::Path => self.input.path,
            Part::Header => self.input.headers,
        };
        let Some(Step::Member(name)) = path.steps.first() else { return Ok(Value::Absent) };
        let matching = parameters.iter().filter(|(own, _)| {
            if path.part == Part::Header { own.eq_ignore_ascii_case(name) } else { **own == **name }
        });
        let mut values = matching.map(|(_, value)| Value::Text(value.as_str().into()));
        let Some(first) = values.next() else { return Ok(Value::Absent) };
        let mut all = vec![first];
        all.extend(values);
        Ok(if all.len() == 1 { all.remove(0) } else { Value::Array(all) })
    }

    pub fn transform(
        &mut self,
        transform: &'m Transform,
        value: Value<'m>,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Value<'m>, Trouble<'m>> {
        match transform {
            Transform::Convert(convert) => self.convert(convert, value, scope, target),
            _ if value.is_absent_or_null() => Ok(Value::Absent),
            Transform::Codes(codes) => self.codes(codes, &value),
            Transform::Script(script) => self.script(script, Some(value), scope),
            Transform::Ref { kind, each } => {
                per_element(value, *each, &mut |value| self.reference(kind, &value))
            }
            Transform::Key { group, each } => {
                per_element(value, *each, &mut |value| self.sibling(*group, &value))
            }
        }
    }

    fn convert(
        &mut self,
        convert: &'m ConvertUse,
        value: Value<'m>,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Value<'m>, Trouble<'m>> {
        let direction = self.program.direction;
        if value.is_absent_or_null() && !convert.converter.reads_absent(direction) {
            return Ok(Value::Absent);
        }
        let argument = match &convert.argument {
            None => None,
            Some(Argument::Source(path)) => Some(self.path_value(path, scope)?),
            Some(Argument::Target(path)) => self.written_value(target, path),
        };
        let context = Context { argument: argument.as_ref() };
        convert.converter.apply(direction, value, context).map_err(|error| {
            let code = match error.kind {
                ConvertErrorKind::Half => FailureCode::MissingProperty,
                ConvertErrorKind::WrongKind
                | ConvertErrorKind::OutOfDomain
                | ConvertErrorKind::Ambiguous
                | ConvertErrorKind::Overflow => FailureCode::InvalidValue,
            };
            Trouble::sender(code, error.message)
        })
    }

    /// A scalar that has been written.
    fn written_value(&mut self, target: Target<'_>, path: &'m FieldPath) -> Option<Value<'m>> {
        let slot = self.written(target, path)?;
        match self.builder.kind(slot) {
            Kind::String => self.builder.text(slot).map(|text| Value::Text(text.into_owned().into())),
            Kind::Number => self.builder.number_text(slot).map(|text| Value::Number(text.to_owned().into())),
            Kind::Bool => self.builder.bool_value(slot).map(Value::Bool),
            _ => None,
        }
    }

    fn codes(&self, codes: &'m CodesUse, value: &Value<'m>) -> Result<Value<'m>, Trouble<'m>> {
        let direction = self.program.direction;
        let Some(elements) = value.elements() else {
            if !codes.all {
                return Self::code(codes, self.input.tables.of(&codes.table).translate(direction, value));
            }
            let mut found = self.all_codes(codes, direction, value)?;
            return Ok(if found.len() == 1 { found.remove(0) } else { Value::Array(found) });
        };
        let mut all = Vec::with_capacity(elements.len());
        for element in elements {
            if codes.all {
                all.extend(self.all_codes(codes, direction, &element)?);
            } else {
                let table = self.input.tables.of(&codes.table);
                all.push(Self::code(codes, table.translate(direction, &element))?);
            }
        }
        Ok(Value::Array(all))
    }

    fn all_codes(
        &self,
        codes: &'m CodesUse,
        direction: Direction,
        value: &Value<'m>,
    ) -> Result<Vec<Value<'m>>, Trouble<'m>> {
        match self.input.tables.of(&codes.table).translate_all(direction, value) {
            Ok(found) => Ok(found),
            Err(error) => Self::code(codes, Err(error)).map(|otherwise| vec![otherwise]),
        }
    }

    /// What a table said, or what is written where it has no answer.
    fn code(codes: &'m CodesUse, said: Result<Value<'m>, CodeError>) -> Result<Value<'m>, Trouble<'m>> {
        said.or_else(|error| match &codes.otherwise {
            Some(otherwise) => Ok(Self::literal_value(otherwise)),
            None => Err(Trouble::sender(FailureCode::InvalidValue, error.to_string())),
        })
    }

    fn reference(&self, kind: &'m str, value: &Value<'m>) -> Result<Value<'m>, Trouble<'m>> {
        let found = value.as_scalar_text().and_then(|id| self.input.references.get(kind, &id));
        found.map(|id| Value::Text(id.into())).ok_or_else(|| {
            let message = format!("there is no {kind} {}", value.excerpt());
            Trouble::sender(FailureCode::ReferenceNotFound, message)
        })
    }

    fn script(
        &mut self,
        script: &'m ScriptUse,
        value: Option<Value<'m>>,
        scope: Scope<'m>,
    ) -> Result<Value<'m>, Trouble<'m>> {
        let mut few = [const { Value::Absent }; INPUTS_FEW];
        let mut many = Vec::new();
        let all = if script.inputs.len() > INPUTS_FEW {
            many.resize(script.inputs.len(), Value::Absent);
            &mut many[..]
        } else {
            &mut few[..]
        };
        for ((_, source), input) in script.inputs.iter().zip(all.iter_mut()) {
            *input = match source {
                // A script's input is never a script: the compiler makes none, and this bounds the depth.
                Source::Script(_) => Value::Absent,
                source => self.source_value(source, scope)?,
            };
        }
        let value = value.unwrap_or(Value::Absent);
        let call = Call { inputs: all, value: &value, index: scope.index, facts: self.input.facts };
        let (made, steps) = script.script.run_counted(call);
        self.count_steps(steps)?;
        made.map_err(|failure| match failure.kind {
            // The script itself refused the value, in words meant for the sender.
            ScriptFailureKind::Thrown => Trouble::sender(FailureCode::InvalidValue, failure.message),
            ScriptFailureKind::Limit | ScriptFailureKind::Fault => Trouble::mapping(failure.message),
        })
    }

    /// Writes a value at a place of any part.
    fn write(
        &mut self,
        path: &'m FieldPath,
        target: Target<'_>,
        value: Value<'m>,
    ) -> Result<(), Trouble<'m>> {
        if path.part == Part::Body {
            let slot = value.build(&mut self.builder);
            return self.put(target, path, slot);
        }
        let Some(Step::Member(name)) = path.steps.first() else { return Ok(()) };
        let values = value.elements().unwrap_or_else(|| vec![value]);
        for value in values {
            self.count_value()?;
            let Some(text) = value.as_scalar_text() else {
                let message = format!("`{path}` takes a single value, not {}", value.kind_name());
                return Err(Trouble::mapping(message));
            };
            let entry = (name.to_string(), text.into_owned());
            match path.part {
                Part::Query => self.applied.query.push(entry),
                Part::Path => self.applied.path.push(entry),
                Part::Header | Part::Body => self.applied.headers.push(entry),
            }
        }
        Ok(())
    }
}

fn per_element<'m>(
    value: Value<'m>,
    each: bool,
    work: &mut dyn FnMut(Value<'m>) -> Result<Value<'m>, Trouble<'m>>,
) -> Result<Value<'m>, Trouble<'m>> {
    match value.elements() {
        Some(elements) if each => elements.into_iter().map(work).collect::<Result<_, _>>().map(Value::Array),
        _ => work(value),
    }
}

/// The path that a source reads; of a script its first input's.
pub(super) fn source_path(source: &Source) -> Option<&FieldPath> {
    match source {
        Source::Path(path) => Some(path),
        Source::Script(script) => script.inputs.iter().find_map(|(_, source)| match source {
            Source::Path(path) => Some(path),
            _ => None,
        }),
        Source::Query(_) | Source::Constant(_) => None,
    }
}
