//! Pairs, constants, queries and scripts: rules that write one place.

use super::Compiler;
use super::condition::OnSide;
use super::form::Given;
use super::lower::{Here, Sides, Use};
use super::scope::{Place, Required};
use super::values::{Conversion, is_query, script_inputs, script_text};
use crate::json::query::Query;
use crate::mapping::convert::Converter;
use crate::mapping::direction::Direction;
use crate::mapping::path::{FieldPath, Part};
use crate::mapping::program::{
    self, Action, Argument, Body, CodesUse, Constant, ConvertUse, Each, OnFailure, Pair, Phase, ScriptUse,
    Source, Transform,
};
use crate::mapping::raw::{Rule, Text};
use std::sync::Arc;

impl<'c> Compiler<'c> {
    /// Two places that say the same.
    pub(super) fn lower_pair(
        &mut self,
        rule: &'c Rule,
        sides: &Sides,
        here: &Here<'c>,
        us: &mut Use,
    ) -> Option<program::Rule> {
        let each = sides.source.every && sides.target.every;
        let at = if each { &sides.place } else { &here.scope.here };
        let (condition, also) = self.lower_condition(rule.condition.as_ref(), at, us).ok()?;
        let transforms = self.transforms(rule, true, us)?;
        self.note_written(rule, &sides.target, here, us);
        let pair = Pair {
            condition: None,
            source: Source::Path(sides.source.clone()),
            transforms: transforms.into(),
            default: self.default(rule, &sides.place, us),
            required: Self::required(rule, us),
            null_allowed: false,
            target: sides.target.array(),
            also: Box::default(),
        };
        let action = if each {
            self.each_value(rule, sides, Pair { required: false, ..pair }, (condition, also), here, us)
        } else {
            Action::Pair(program::Shared::new(Pair { condition, also, ..pair }))
        };
        Some(self.rule(rule, sides.required, action, here, us))
    }

    /// A pair of arrays of single values.
    fn each_value(
        &mut self,
        rule: &'c Rule,
        sides: &Sides,
        pair: Pair,
        (condition, also): (Option<crate::json::query::Condition>, Box<[crate::mapping::path::Term]>),
        here: &Here<'c>,
        us: &Use,
    ) -> Action {
        let pair = Pair { source: Source::Path(FieldPath::scope()), target: FieldPath::scope(), ..pair };
        let mut inner = self.rule(rule, Required::No, Action::Pair(program::Shared::new(pair)), here, us);
        if us.phase != Phase::Answer || sides.required == Required::Yes {
            inner.on_failure = OnFailure::Fail;
        }
        Action::Each(program::Shared::new(Each {
            condition,
            source: sides.source.clone(),
            target: sides.target.clone(),
            key: None,
            required: Self::required(rule, us),
            also,
            body: Body::Rules(vec![inner].into()),
        }))
    }

    /// A place that is written from something else than its counterpart.
    pub(super) fn lower_given(
        &mut self,
        rule: &'c Rule,
        on_sonata: bool,
        target: &Text,
        source: Given<'c>,
        here: &Here<'c>,
        us: &mut Use,
    ) -> Option<program::Rule> {
        if on_sonata != (us.written() == OnSide::Sonata) {
            return None;
        }
        let path = FieldPath::parse(target.as_str()).ok()?;
        let (mut place, mut required) = (None, Required::No);
        if let (false, Some((_, always))) = (on_sonata, self.opposite_place(&path, here)) {
            required = always;
        }
        if on_sonata {
            let (found, always) = here.scope.find(self.schema, &path)?;
            (place, required) = (Some(found), always);
        }
        let (condition, also) = self.lower_condition(rule.condition.as_ref(), &here.scope.here, us).ok()?;
        let source = match source {
            Given::Value(node) => Source::Constant(self.constant(node, place.as_ref())?),
            Given::Query(text) => Source::Query(Query::parse(text.as_str()).ok()?),
            Given::Script => {
                let text = script_text(rule.script.as_ref()?, us.direction)?;
                Source::Script(self.script_use(rule, text, us)?)
            }
        };
        self.note_written(rule, &path, here, us);
        let pair = Pair {
            condition,
            source,
            transforms: self.transforms(rule, false, us)?.into(),
            default: self.default(rule, &place.unwrap_or_default(), us),
            required: Self::required(rule, us),
            null_allowed: false,
            target: path.array(),
            also,
        };
        Some(self.rule(rule, required, Action::Pair(program::Shared::new(pair)), here, us))
    }

    /// What is done to a value, from Sonata: codes, converter, script; the other way from the end. None where a part
    /// of it is not there or does not compile, which was told.
    fn transforms(&mut self, rule: &'c Rule, pair: bool, us: &mut Use) -> Option<Vec<Transform>> {
        let mut list = Vec::new();
        if let Some(name) = &rule.codes {
            let (table, raw) = self.table(name)?;
            let otherwise = self.otherwise(rule, raw, &table, us.direction);
            let path = rule.sonata.as_ref().and_then(|text| FieldPath::parse(text.as_str()).ok());
            let filter = path.is_some_and(|path| path.part == Part::Query);
            let all = us.direction == Direction::ToLegacy && filter;
            list.push(Transform::Codes(CodesUse { table, otherwise, all }));
        }
        if let Some(text) = &rule.convert {
            list.push(self.conversion(text, us)?);
        }
        if let Some(script) = rule.script.as_ref().filter(|_| pair) {
            let text = script_text(script, us.direction)?;
            list.push(Transform::Script(self.script_use(rule, text, us)?));
        }
        if us.direction == Direction::ToSonata {
            list.reverse();
        }
        Some(list)
    }

    fn conversion(&mut self, text: &Text, us: &mut Use) -> Option<Transform> {
        let known = self.known.converters.get(text.as_str()).cloned();
        let converter = if let Some(known) = known {
            known
        } else {
            let converter = Arc::new(Converter::parse(text.as_str()).ok()?);
            self.known.converters.insert(text.as_str().to_owned(), Arc::clone(&converter));
            converter
        };
        Some(match Conversion::of(&converter) {
            Conversion::Entity(kind, each) => Transform::Ref { kind: kind.into(), each },
            Conversion::Key(name, each) => {
                Transform::Key { group: us.asked(&name, super::steps::word_in(text, &name)), each }
            }
            Conversion::Plain => {
                let path = converter.path_argument().map(|argument| FieldPath::parse(&argument.text));
                let argument = match path.transpose().ok()? {
                    None => None,
                    Some(path) if us.read() == OnSide::Legacy => Some(Argument::Source(path)),
                    Some(path) => Some(Argument::Target(path)),
                };
                Transform::Convert(ConvertUse { converter, argument })
            }
        })
    }

    fn script_use(&mut self, rule: &Rule, text: &Text, us: &Use) -> Option<ScriptUse> {
        let inputs = script_inputs(&rule.inputs, us.direction);
        let script = self.script(text, inputs)?;
        let mut list = Vec::new();
        for (name, text) in inputs {
            let source = match FieldPath::parse(text.as_str()) {
                Ok(path) => Source::Path(path),
                Err(_) if is_query(text) => Source::Query(Query::parse(text.as_str()).ok()?),
                Err(_) => return None,
            };
            list.push((name.as_str().into(), source));
        }
        Some(ScriptUse { script, inputs: list.into() })
    }

    fn default(&mut self, rule: &Rule, place: &Place, us: &Use) -> Option<Constant> {
        let node = match us.phase {
            Phase::Answer => rule.default.answer.as_ref(),
            Phase::Request | Phase::Event => rule.default.request.as_ref(),
        };
        let place = (us.written() == OnSide::Sonata).then_some(place);
        self.constant(node?, place)
    }

    /// Notes what a rule writes, and whether it wins over the echo.
    fn note_written(&mut self, rule: &Rule, target: &FieldPath, here: &Here<'c>, us: &mut Use) {
        let place = here.target(us, target);
        if rule.echo == Some(false) && us.written() == OnSide::Sonata {
            us.not_echoed(super::coverage::plain(&place).trim_start_matches("$.").into());
        }
        us.keyed_steps(here.base(us), target);
        us.write(place.into(), &here.branches, rule.span, self.sources, &mut self.out);
    }
}
