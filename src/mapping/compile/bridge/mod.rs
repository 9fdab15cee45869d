//! Bridges: rules are put beside what the files say, for whatever both contracts have, and the rest is the compiler's.

mod claims;
mod meet;
mod note;
mod query;
mod read;
mod same;
mod types;
mod weave;

use super::form::Ways;
use super::lower::{Here, Use};
use super::scope::{Place, Scope};
use super::survey::At;
use super::{CompileOptions, Compiler, Effective, parts};
use crate::mapping::bridge::{Bridge, Crossing, Passage, Way};
use crate::mapping::diagnostic as code;
use crate::mapping::path::FieldPath;
use crate::mapping::program::{self, Action, Body, Each, OnFailure, Phase, Program};
use crate::mapping::raw::{Rule, Shape, Text};
use crate::mapping::schema::{Interface, OperationFacts, Schema, TypeId};
use crate::text::{Diagnostic, Diagnostics, FileSet, Hint, Sources, Span, suggest};
use read::BridgeSource;
use std::collections::HashMap;
use std::sync::Arc;
use weave::Weaver;

/// The two releases that a bridge is between.
#[derive(Clone)]
pub struct Shores<'s> {
    /// The older release.
    pub older: &'s dyn Schema,
    /// The newer one.
    pub newer: &'s dyn Schema,
    /// The newer one again, as the compiler has the side that is not the standard's; it gives the same types.
    pub api: Arc<dyn Interface>,
}

/// Reads, checks and compiles the bridge in a folder. What is wrong is pushed to `out`; with an error among it there is
/// no result.
pub fn compile_bridge(
    files: &FileSet,
    shores: &Shores<'_>,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<Bridge> {
    let mut told = Diagnostics::new();
    let source = read::read_bridge_files(files, sources, &mut told);
    let bridge = source.map(|source| build(&source, shores, sources, &mut told));
    told.sort(sources);
    let failed = told.has_errors();
    out.append(told);
    bridge.filter(|_| !failed)
}

/// One message of one operation, in both releases.
struct Spec {
    name: String,
    phase: Phase,
    older: Option<TypeId>,
    newer: Option<TypeId>,
    /// Whether the message is an array of these.
    list: bool,
    facts: Option<(OperationFacts, OperationFacts)>,
    rules: Vec<Rule>,
}

/// What makes two messages the same work.
type Same = (Option<TypeId>, Option<TypeId>, bool, bool);

fn build(source: &BridgeSource, shores: &Shores<'_>, sources: &Sources, told: &mut Diagnostics) -> Bridge {
    let mut bridge = Bridge {
        older: source.older.as_str().into(),
        newer: source.newer.as_str().into(),
        ..Bridge::default()
    };
    let (mut plan, mut missing) = (Plan::default(), HashMap::new());
    let older = shores.older.functions();
    for function in shores.newer.functions().into_iter().filter(|name| older.contains(name)) {
        let mut weaver = Weaver::new(&function, source, shores);
        weaver.missing = std::mem::take(&mut missing);
        if let Some(reason) = weaver.dropped() {
            absent(&function, reason, shores, &mut bridge);
            missing = weaver.missing;
            continue;
        }
        plan.function(&function, &mut weaver, &mut bridge);
        missing = std::mem::take(&mut weaver.missing);
        told.append(std::mem::take(&mut weaver.told));
        bridge.notes.extend(std::mem::take(&mut weaver.notes));
    }
    for (_, fault) in missing.into_values().flatten() {
        told.push(fault);
    }
    let mut weaver = Weaver::new("", source, shores);
    weaver.check_products();
    told.append(weaver.told);
    bridge.products = source.products();
    source.check_functions(shores, told);
    source.check_types(shores, told);
    source.check_hit(&plan.hit, told);
    bridge.notes.dedup();
    if told.has_errors() {
        return bridge;
    }
    let effective = source.effective(plan.specs.iter().map(|spec| {
        let name = Text::at(&spec.name, source.older.span());
        Shape { name, sonata: Vec::new(), legacy: None, fields: spec.rules.clone() }
    }));
    let passages = lower(&effective, &plan, shores, sources, told);
    plan.join(&passages, &mut bridge);
    bridge
}

/// Notes that nothing of a function goes over.
fn absent(function: &str, reason: &str, shores: &Shores<'_>, bridge: &mut Bridge) {
    for (schema, way) in [(shores.older, Way::Up), (shores.newer, Way::Down)] {
        for id in schema.operations(function) {
            bridge.absent.push((function.into(), id.into(), way, reason.into()));
        }
    }
}

/// An operation of both releases, its messages by their numbers; none: the same in both.
struct Planned {
    function: String,
    older: String,
    newer: String,
    request: Option<usize>,
    answer: Option<usize>,
}

/// All messages of a bridge.
#[derive(Default)]
struct Plan {
    specs: Vec<Spec>,
    crossings: Vec<Planned>,
    known: HashMap<Same, usize>,
    /// Entries of `operations:` that some operation met.
    hit: Vec<Span>,
}

impl Plan {
    /// Puts the operations into a bridge, with what was made of their messages.
    fn join(self, passages: &[Passage], bridge: &mut Bridge) {
        let passage = |index: Option<usize>| index.and_then(|index| passages.get(index)).cloned();
        for one in self.crossings {
            let (older, newer) = (Box::from(one.older), one.newer.into());
            let request = passage(one.request).unwrap_or_default();
            let answer = passage(one.answer).unwrap_or_default();
            let crossing = Crossing { older, newer, request, answer };
            bridge.operations.insert((one.function.into(), crossing.older.clone()), Arc::new(crossing));
        }
    }

    fn function(&mut self, function: &str, weaver: &mut Weaver<'_>, bridge: &mut Bridge) {
        let (older, newer) = (weaver.shores.older, weaver.shores.newer);
        let (olds, news) = (older.operations(function), newer.operations(function));
        let mut met = Vec::new();
        for id in olds {
            let rule = weaver.operation(&id);
            self.hit.extend(rule.map(|rule| rule.id.span()));
            let other = rule.and_then(|rule| rule.is.as_ref()).map_or(id.as_str(), Text::as_str).to_owned();
            let facts = (older.operation(function, &id), newer.operation(function, &other));
            let drop = rule.and_then(|rule| rule.drop.as_ref());
            let (Some(own), Some(counterpart), None) = (facts.0, facts.1, drop) else {
                weaver.lonely(function, &id, Way::Up, bridge);
                continue;
            };
            let rules = rule.map(|rule| rule.fields.clone()).unwrap_or_default();
            let request = self.request(function, (&id, &other), (&own, &counterpart), rules, weaver);
            let answer = self.answer(function, &id, (&own, &counterpart), weaver);
            met.push(other.clone());
            self.crossings.push(Planned {
                function: function.to_owned(),
                older: id,
                newer: other,
                request,
                answer,
            });
        }
        for id in news.into_iter().filter(|id| !met.contains(id)) {
            self.hit.extend(weaver.operation(&id).map(|rule| rule.id.span()));
            weaver.lonely(function, &id, Way::Down, bridge);
        }
    }

    fn request(
        &mut self,
        function: &str,
        (id, _): (&str, &str),
        (own, other): (&OperationFacts, &OperationFacts),
        written: Vec<Rule>,
        weaver: &mut Weaver<'_>,
    ) -> Option<usize> {
        let (older, newer) = weaver.roots(function, own.request.as_deref(), other.request.as_deref());
        let body = weaver.message(older, newer);
        let query = weaver.query(written, own, other, id);
        if body.is_none() && query.is_none() {
            return None;
        }
        let has_query = query.is_some();
        if !has_query && let Some(known) = self.known.get(&(older, newer, false, true)) {
            return Some(*known);
        }
        let mut rules = match (body, older.is_some() && newer.is_some()) {
            (Some(rules), _) => rules,
            (None, true) => vec![weaver.whole()],
            (None, false) => Vec::new(),
        };
        rules.extend(query.unwrap_or_default());
        if !has_query {
            self.known.insert((older, newer, false, true), self.specs.len());
        }
        self.specs.push(Spec {
            name: format!("{function}.{id} request"),
            phase: Phase::Request,
            older,
            newer,
            list: false,
            facts: has_query.then(|| (own.clone(), other.clone())),
            rules,
        });
        Some(self.specs.len() - 1)
    }

    fn answer(
        &mut self,
        function: &str,
        id: &str,
        (own, other): (&OperationFacts, &OperationFacts),
        weaver: &mut Weaver<'_>,
    ) -> Option<usize> {
        let (older, newer) = weaver.roots(function, own.answer.as_deref(), other.answer.as_deref());
        let list = own.is_array && other.is_array;
        if let Some(known) = self.known.get(&(older, newer, list, false)) {
            return Some(*known);
        }
        let rules = weaver.message(older, newer)?;
        self.known.insert((older, newer, list, false), self.specs.len());
        self.specs.push(Spec {
            name: format!("{function}.{id} answer"),
            phase: Phase::Answer,
            older,
            newer,
            list,
            facts: None,
            rules,
        });
        Some(self.specs.len() - 1)
    }
}

/// Checks the rules of every message on both sides and makes its programs.
fn lower(
    set: &Effective,
    plan: &Plan,
    shores: &Shores<'_>,
    sources: &Sources,
    told: &mut Diagnostics,
) -> Vec<Passage> {
    let options = CompileOptions::default();
    let known = parts::Known::default();
    let mut compiler = Compiler::new(set, shores.older, &options, sources, std::mem::take(told), known);
    compiler.opposite = Some(Arc::clone(&shores.api));
    compiler.check_tables();
    let mut passages = Vec::new();
    for (spec, (_, shape)) in plan.specs.iter().zip(&set.shapes) {
        let rules = &shape.fields;
        let (scope, opposite) = scopes(spec);
        compiler.survey_rules(rules, &At::message(scope.clone(), Ways::BOTH));
        let mut program = |way: Way| {
            let direction = way.direction();
            compiler.check_opposite(rules, spec.phase, direction, scope.clone(), opposite.clone());
            let mut here = Here::message(scope.clone());
            here.opposite = Some(opposite.clone());
            let name = format!("{} {way}", spec.name);
            let (program, _) = compiler.program(rules, &here, Use::new(name, spec.phase, direction));
            Arc::new(if spec.list { of_list(program) } else { program }.spliced())
        };
        passages.push(Passage { up: Some(program(Way::Up)), down: Some(program(Way::Down)) });
    }
    for (_, fault) in std::mem::take(&mut compiler.missing).into_values().flatten() {
        compiler.out.push(fault);
    }
    *told = compiler.out;
    passages
}

/// Where the rules of a message stand, on both sides.
fn scopes(spec: &Spec) -> (Scope, Scope) {
    let scope = |ty: Option<TypeId>, facts: Option<&OperationFacts>| {
        let mut scope = Scope::message(ty);
        scope.body = ty.is_some();
        let query = |facts: &OperationFacts| {
            facts.query.iter().cloned().zip(facts.query_types.iter().copied()).collect()
        };
        scope.query = facts.map(query);
        scope
    };
    let (older, newer) = spec.facts.as_ref().map(|(older, newer)| (older, newer)).unzip();
    (scope(spec.older, older), scope(spec.newer, newer))
}

/// The program of an array whose elements another program carries over.
fn of_list(program: Program) -> Program {
    let array = FieldPath { every: true, ..FieldPath::scope() };
    let Some(first) = program.rules.first() else { return program };
    let rule = program::Rule::new(program::RuleBody {
        origin: first.origin.clone(),
        on_failure: OnFailure::Fail,
        lossy: program::Lossy::default(),
        marks: program::Marks::default(),
        action: Action::Each(program::Shared::new(Each {
            condition: None,
            source: array.clone(),
            target: array,
            key: None,
            required: false,
            also: Box::default(),
            body: Body::Rules(program.rules.clone()),
        })),
    });
    let Program { name, phase, direction, key_groups, .. } = program;
    Program::new(name, phase, direction, vec![rule], key_groups.into())
}

impl BridgeSource {
    /// Tells of functions that not both releases have.
    fn check_functions(&self, shores: &Shores<'_>, told: &mut Diagnostics) {
        let (older, newer) = (shores.older.functions(), shores.newer.functions());
        let both: Vec<&str> = newer.iter().filter(|name| older.contains(name)).map(String::as_str).collect();
        for name in self.files.iter().filter_map(|file| file.function.as_ref()) {
            if !both.contains(&name.as_str()) {
                let message = format!("not both releases have the function `{name}`");
                let hint = suggest(name.as_str(), both.iter().copied()).map(Hint::meant);
                let fault = Diagnostic::error(code::UNKNOWN_FUNCTION, message).at(name.span());
                told.push(fault.maybe_hint(hint));
            }
        }
    }

    /// Tells of entries of `types:` that name types which no function has.
    fn check_types(&self, shores: &Shores<'_>, told: &mut Diagnostics) {
        for file in &self.files {
            let names = |schema: &dyn Schema| -> Vec<String> {
                let own = file.function.as_ref().map(|function| vec![function.as_str().to_owned()]);
                let functions = own.unwrap_or_else(|| schema.functions());
                let names = functions.iter().flat_map(|function| schema.type_names(function));
                names.chain(schema.product_type_names()).collect()
            };
            let (olds, news) = (names(shores.older), names(shores.newer));
            for entry in &file.types {
                let sides = [(&entry.older, &olds, &self.older), (&entry.newer, &news, &self.newer)];
                for (name, known, release) in sides
                    .into_iter()
                    .flat_map(|(all, known, release)| all.iter().map(move |one| (one, known, release)))
                {
                    if !known.iter().any(|known| known == name.as_str()) {
                        let near = suggest(name.as_str(), known.iter().map(String::as_str)).map(Hint::meant);
                        let message = format!("{release} has no type `{name}`");
                        let fault = Diagnostic::error(code::UNKNOWN_TYPE, message).at(name.span());
                        told.push(fault.maybe_hint(near));
                    }
                }
            }
        }
    }

    /// Tells of entries of `operations:` that name none.
    fn check_hit(&self, hit: &[Span], told: &mut Diagnostics) {
        for rule in self.files.iter().flat_map(|file| &file.operations) {
            if !hit.contains(&rule.id.span()) {
                let message = format!("neither release has the operation `{}`", rule.id);
                told.push(Diagnostic::error(code::UNKNOWN_OPERATION, message).at(rule.id.span()));
            }
        }
    }
}

/// The place of the outermost value of a message.
fn root_place(ty: Option<TypeId>) -> Place {
    Place::of(ty)
}
