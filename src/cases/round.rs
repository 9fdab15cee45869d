//! Round trips of a plan: every request program with the answer program that reads what it writes.
//!
//! The answer is the operation's own where that reads back anything, else the one of its function that reads back most:
//! what `createX` sends, `retrieveX` answers. Programs that several partners share are tried once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
};

use http::Method;

use super::{
    form::Case,
    message::{Body, RequestFile},
};
use crate::{
    json::Document,
    mapping::{
        direction::Direction,
        operation::{Answer, CallTarget, TemplatePart},
        path::FieldPath,
        program::Program,
        round::{Example, Report, Use, claims_of, examine},
        schema::{Interface, Schema as _, TypeId, Types},
        value::Value,
    },
    plan::{ContractSchema, MappedOperation, PartnerPlan, Plan},
    sonata::{Function, catalogue, entity::duty_of},
};

/// Messages of cases that are tried per direction of a use.
const EXAMPLES_MAX: usize = 12;

/// One use and what came of it.
#[derive(Debug)]
pub struct Round {
    /// The partners whose mapping has it.
    pub partners: Vec<String>,
    /// The mapping set.
    pub mapping: Arc<str>,
    /// The request: `quote.createQuote`, and the call where there are several.
    pub there: String,
    /// The operation whose answer reads it back.
    pub back: String,
    /// What was proved, tested, and lost.
    pub report: Report,
}

impl Round {
    /// How it is called in reports.
    #[must_use]
    pub fn name(&self) -> String {
        let back = if self.there.split(' ').next() == Some(&self.back) {
            String::new()
        } else {
            format!(" and {}", self.back)
        };
        format!("{} {}{back}", self.mapping, self.there)
    }
}

/// An operation of one mapping set of a partner.
struct Mapped {
    function: Function,
    operation_id: &'static str,
    mapping: Arc<str>,
    backend: String,
    operation: MappedOperation,
}

/// A program to the legacy side.
struct There<'p> {
    mapped: &'p Mapped,
    title: String,
    program: &'p Arc<Program>,
    each: Option<&'p FieldPath>,
    target: &'p CallTarget,
}

/// A program back.
struct Back<'p> {
    mapped: &'p Mapped,
    program: &'p Arc<Program>,
    into: Option<&'p FieldPath>,
}

/// Tries every use whose name contains `filter`. The same seed makes up the same documents.
#[must_use]
pub fn rounds(plan: &Plan, cases: &BTreeMap<String, Case>, filter: Option<&str>, seed: u64) -> Vec<Round> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut found: Vec<Round> = Vec::new();
    for partner in plan.partners() {
        let mapped = mapped(partner);
        for there in theres(&mapped) {
            let Some(back) = way_back(&there, &mapped) else { continue };
            let round = Round {
                partners: vec![partner.id().to_string()],
                mapping: Arc::clone(&there.mapped.mapping),
                there: there.title.clone(),
                back: format!("{}.{}", back.mapped.function.name(), back.mapped.operation_id),
                report: Report::default(),
            };
            if filter.is_some_and(|filter| !round.name().contains(filter)) {
                continue;
            }
            let mark = fingerprint(&there, &back);
            if let Some(own) = known.get(&mark).and_then(|index| found.get_mut(*index)) {
                own.partners.extend(round.partners);
                continue;
            }
            let trial = Trial { plan, partner, cases, there: &there, back: &back };
            if let Some(report) = trial.examine(seed) {
                known.insert(mark, found.len());
                found.push(Round { report, ..round });
            }
        }
    }
    found
}

/// Every mapped operation, once per mapping set.
fn mapped(partner: &PartnerPlan) -> Vec<Mapped> {
    let mut found = Vec::new();
    for (function, operation_id, _) in partner.operations() {
        let mut seen = BTreeSet::new();
        for target in partner.targets(function, operation_id) {
            let Some(operation) = target.served.mapped() else { continue };
            if seen.insert(Arc::clone(&target.mapping)) {
                let (mapping, backend) = (Arc::clone(&target.mapping), target.backend.to_string());
                let operation = operation.whole();
                found.push(Mapped { function, operation_id, mapping, backend, operation });
            }
        }
    }
    found
}

fn theres(mapped: &[Mapped]) -> Vec<There<'_>> {
    let calls = mapped.iter().flat_map(|mapped| {
        let calls = &mapped.operation.program.calls;
        calls.iter().filter_map(move |call| {
            let name = format!("{}.{}", mapped.function.name(), mapped.operation_id);
            let title = if calls.len() > 1 { format!("{name} {}", call.name) } else { name };
            let (each, target) = (call.each.as_ref(), &call.target);
            Some(There { mapped, title, program: call.request.as_ref()?, each, target })
        })
    });
    calls.collect()
}

fn answer(mapped: &Mapped) -> Option<Back<'_>> {
    match &mapped.operation.program.answer {
        Answer::Reply(program) => Some(Back { mapped, program, into: None }),
        Answer::Calls { into, program } => Some(Back { mapped, program, into: Some(into) }),
        Answer::Empty | Answer::Each { .. } => None,
    }
}

/// The answer that reads back what a request says.
fn way_back<'p>(there: &There<'p>, mapped: &'p [Mapped]) -> Option<Back<'p>> {
    let claims = |back: &Back<'_>| {
        let fits = there.each.map(FieldPath::to_string) == back.into.map(FieldPath::to_string);
        if fits { claims_of(there.program, back.program, there.each) } else { 0 }
    };
    let kind = |mapped: &Mapped| duty_of(mapped.function, mapped.operation_id).map(|duty| duty.kind);
    let own = answer(there.mapped).filter(|back| claims(back) > 0);
    own.or_else(|| {
        let of_function = mapped.iter().filter(|other| {
            other.function == there.mapped.function
                && other.mapping == there.mapped.mapping
                && kind(other).is_some()
                && kind(other) == kind(there.mapped)
                && other.operation_id != there.mapped.operation_id
        });
        let counted = of_function.filter_map(answer).map(|back| (claims(&back), back));
        counted.filter(|(count, _)| *count > 0).max_by_key(|(count, _)| *count).map(|(_, back)| back)
    })
}

fn fingerprint(there: &There<'_>, back: &Back<'_>) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut text = there.mapped.mapping.to_string();
    // Writing into a text cannot fail.
    let _ = write!(text, "\0{}\0{:?}\0{:?}", there.title, there.program.rules, back.program.rules);
    hasher.update(text.as_bytes());
    hasher.finalize().to_hex().to_string()
}

struct Trial<'t> {
    plan: &'t Plan,
    partner: &'t PartnerPlan,
    cases: &'t BTreeMap<String, Case>,
    there: &'t There<'t>,
    back: &'t Back<'t>,
}

impl Trial<'_> {
    fn examine(&self, seed: u64) -> Option<Report> {
        let function = self.there.mapped.function;
        let contract = catalogue().contract(self.partner.release(function), function)?;
        let schema = ContractSchema::new(vec![contract], self.partner.products(function)?.clone());
        let facts = schema.operation(function.name(), self.there.mapped.operation_id)?;
        let request = facts.request.as_ref().and_then(|name| schema.root(function.name(), name));
        let interface = self.plan.interface(&self.back.mapped.backend);
        let legacy =
            interface.as_ref().map(|interface| self.legacy_types(interface.as_ref())).unwrap_or_default();
        let known = self.facts();
        let own = Use {
            there: self.there.program,
            back: self.back.program,
            sonata: request.map(|ty| (&schema as &dyn Types, ty)),
            legacy: &legacy,
            each: self.there.each,
            facts: &known,
        };
        examine(&own, &self.examples(), seed)
    }

    /// What scripts may ask for beside the message: the partner's settings, and made-up ids.
    fn facts(&self) -> Value<'_> {
        let settings = Value::Node(self.partner.settings().settings.root());
        let text = |text: &'static str| Value::text(text);
        let object = |members: Vec<(&'static str, Value<'static>)>| {
            Value::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
        };
        let entity =
            || object(vec![("id", text("own-1")), ("href", text("/own-1")), ("legacy_id", text("L-1"))]);
        let reply = object(vec![
            ("status", Value::integer(200)),
            ("headers", object(Vec::new())),
            ("text", text("")),
        ]);
        let function = self.there.mapped.function;
        let known = vec![
            ("settings".into(), settings.clone()),
            ("partner".into(), settings),
            ("side".into(), text("seller")),
            ("function".into(), text(function.name())),
            ("operation".into(), text(self.there.mapped.operation_id)),
            ("release".into(), text(self.partner.release(function).as_str())),
            ("exchange".into(), text("round-trip")),
            ("now".into(), text("2026-10-28T12:00:00Z")),
            ("entity".into(), entity()),
            ("parent".into(), entity()),
            ("request".into(), object(Vec::new())),
            ("legacy".into(), reply),
        ];
        Value::Object(known)
    }

    /// The type of the good reply that is read back, and of the request for what only that has.
    fn legacy_types<'i>(&self, interface: &'i dyn Interface) -> Vec<(&'i dyn Types, TypeId)> {
        let calls = &self.back.mapped.operation.program.calls;
        let call_of = |target: &CallTarget| {
            let parts = target.path.iter().map(|part| match part {
                TemplatePart::Literal(text) => text,
                _ => "{}",
            });
            interface.call(&target.method, &parts.collect::<String>()).ok()
        };
        let replied = calls.last().and_then(|call| call_of(&call.target)).and_then(|call| {
            let good = call.answers.iter().find(|answer| (200..300).contains(&answer.status.0));
            good.and_then(|answer| answer.body)
        });
        let requested = call_of(self.there.target).and_then(|call| call.request);
        replied.into_iter().chain(requested).map(|ty| (interface as &dyn Types, ty)).collect()
    }

    /// Messages of the cases of both operations.
    fn examples(&self) -> Vec<Example> {
        let mut found = Vec::new();
        let mut counts = [0usize; 2];
        let mut add = |direction: Direction, body: Option<Document>| {
            let count = &mut counts[usize::from(direction == Direction::ToSonata)];
            if let Some(body) = body.filter(|_| *count < EXAMPLES_MAX) {
                *count += 1;
                found.push(Example { direction, body });
            }
        };
        for case in self.cases.values() {
            if self.is_of(case, self.there.mapped) {
                add(Direction::ToLegacy, json(&case.request.body));
            }
            if self.is_of(case, self.back.mapped) {
                for response in case.calls.iter().filter_map(|call| call.response.as_ref()) {
                    add(Direction::ToSonata, json(&response.body).filter(|_| response.status < 300));
                }
            }
        }
        found
    }

    fn is_of(&self, case: &Case, mapped: &Mapped) -> bool {
        case.partner == self.partner.id().as_str() && self.is_asked(&case.request, mapped)
    }

    fn is_asked(&self, request: &RequestFile, mapped: &Mapped) -> bool {
        let path = request.path.split('?').next().unwrap_or_default();
        let Ok(method) = Method::from_bytes(request.method.as_bytes()) else { return false };
        self.partner.route(&method, path).is_ok_and(|route| {
            route.function() == mapped.function && route.operation.operation_id == mapped.operation_id
        })
    }
}

fn json(body: &Body) -> Option<Document> {
    match body {
        Body::Json(document) => Some(document.clone()),
        Body::None | Body::Xml(_) | Body::Raw(_) => None,
    }
}
