//! Every form of the compiled language in both directions, and the laws that hold for all of them.

mod arrays;
mod groups;
mod joins;
mod laws;
mod pairs;
mod programs;
mod shown;

use std::sync::Arc;

use super::{Applied, Failure, Input, KeyPair, Limits, References, apply, apply_traced};
use crate::json::Document;
use crate::json::query::Condition;
use crate::mapping::direction::Direction;
use crate::mapping::path::{FieldPath, Literal, Step, Term};
use crate::mapping::program::{
    Action, Append, Body, Branch, CodesUse, Constant, ConvertUse, Each, Gather, Group, Join, JoinTarget, Key,
    KeyForm, KeyGroupId, Marks, Numbering, OnFailure, OneOf, Origin, Otherwise, Pair, Phase, Program,
    Refusal, Rule, RuleBody, Shared, Source, Take, Transform,
};
use crate::mapping::value::Value;

pub fn path(text: &str) -> FieldPath {
    FieldPath::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub fn condition(text: &str) -> Option<Condition> {
    (!text.is_empty()).then(|| Condition::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// Terms as the inside of a keyed element: `@.a=='b'`.
pub fn terms(text: &str) -> Box<[Term]> {
    if text.is_empty() {
        return Box::default();
    }
    match &path(&format!("x[?{text}]")).steps[1] {
        Step::Keyed(terms) => terms.clone(),
        step => panic!("{step:?}"),
    }
}

pub fn origin(address: &str) -> Origin {
    Origin { file: Arc::from("quote.yaml"), line: 1, column: 1, address: Arc::from(address) }
}

pub fn rule(address: &str, action: Action) -> Rule {
    Rule::new(RuleBody {
        origin: origin(address),
        on_failure: OnFailure::Fail,
        action,
        lossy: crate::mapping::program::Lossy::default(),
        marks: Marks::default(),
    })
}

pub fn blank(source: Source, target: &str) -> Pair {
    Pair {
        condition: None,
        source,
        transforms: Box::default(),
        default: None,
        required: false,
        null_allowed: false,
        target: path(target),
        also: Box::default(),
    }
}

pub fn pair_with(source: &str, target: &str, change: impl FnOnce(&mut Pair)) -> Rule {
    let mut pair = blank(Source::Path(path(source)), target);
    change(&mut pair);
    rule(source, Action::Pair(Shared::new(pair)))
}

pub fn pair(source: &str, target: &str) -> Rule {
    pair_with(source, target, |_| ())
}

pub fn text(value: &str) -> Literal {
    Literal::Text(value.into())
}

pub fn constant(value: &str, target: &str) -> Rule {
    let source = Source::Constant(Constant::Literal(text(value)));
    rule(target, Action::Pair(Shared::new(blank(source, target))))
}

pub fn group_if(test: &str, also: &str, (source, target): (&str, &str), rules: Vec<Rule>) -> Rule {
    let group = Group {
        condition: condition(test),
        source: path(source),
        target: path(target),
        required: false,
        also: terms(also),
        rules: rules.into(),
    };
    rule(source, Action::Group(Shared::new(group)))
}

pub fn group(source: &str, target: &str, rules: Vec<Rule>) -> Rule {
    group_if("", "", (source, target), rules)
}

pub fn each_with(source: &str, target: &str, rules: Vec<Rule>, change: impl FnOnce(&mut Each)) -> Rule {
    let mut each = Each {
        condition: None,
        source: path(source),
        target: path(target),
        key: None,
        required: false,
        also: Box::default(),
        body: Body::Rules(rules.into()),
    };
    change(&mut each);
    rule(source, Action::Each(Shared::new(each)))
}

pub fn each(source: &str, target: &str, rules: Vec<Rule>) -> Rule {
    each_with(source, target, rules, |_| ())
}

pub fn key(source: &str, target: &str, form: KeyForm, number: Option<(i64, i64)>) -> Key {
    Key {
        group: KeyGroupId(0),
        source: path(source),
        target: path(target),
        form,
        number: number.map(|(start, step)| Numbering { start, step }),
        remember: true,
    }
}

pub fn branch(test: &str, also: &str, rules: Vec<Rule>) -> Branch {
    Branch { origin: origin(test), condition: condition(test), also: terms(also), rules: rules.into() }
}

pub fn join(source: &str, on: (&str, &str), target: JoinTarget, body: Body) -> Join {
    Join {
        condition: None,
        source: path(source),
        on: Box::new([(path(on.0), path(on.1))]),
        take: Take::All,
        target,
        required: false,
        also: Box::default(),
        body,
    }
}

pub fn append(source: &str, target: &str, copy: (&str, &str), rules: Vec<Rule>) -> Rule {
    let append = Append {
        condition: None,
        source: path(source),
        target: path(target),
        copy: Box::new([(path(copy.0), path(copy.1))]),
        required: false,
        also: Box::default(),
        rules: rules.into(),
    };
    rule(source, Action::Append(Shared::new(append)))
}

pub fn program(phase: Phase, direction: Direction, rules: Vec<Rule>) -> Program {
    Program::new("quote.yaml createQuote", phase, direction, rules, vec!["quoteItem".into()])
}

pub fn request(rules: Vec<Rule>) -> Program {
    program(Phase::Request, Direction::ToLegacy, rules)
}

pub fn answer(rules: Vec<Rule>) -> Program {
    program(Phase::Answer, Direction::ToSonata, rules)
}

/// What a program makes of a body and what else it is given.
pub struct With<'w> {
    pub query: &'w [(String, String)],
    pub remembered: &'w [KeyPair],
    pub references: &'w References,
    pub limits: Limits,
}

pub fn run_with(program: &Program, body: &str, with: &With<'_>) -> Result<Applied, Vec<Failure>> {
    let document = Document::from_text(body).unwrap();
    let facts = Value::Object(Vec::new());
    let input = Input {
        body: Some(document.root()),
        scope: None,
        index: None,
        query: with.query,
        path: &[],
        headers: crate::mapping::apply::Headers::none(),
        facts: &facts,
        references: with.references,
        remembered: with.remembered,
        tables: &crate::mapping::program::Tables::NONE,
        limits: with.limits,
    };
    let mapped = apply(program, &input);
    // Tracing takes the long way where mapping in earnest takes a short one.
    let (traced, _) = apply_traced(program, &input);
    assert_eq!(shown(&mapped), shown(&traced), "of {body}");
    let findings =
        |result: &Result<Applied, Vec<Failure>>| result.as_ref().map_or(0, |one| one.findings.len());
    assert_eq!(findings(&mapped), findings(&traced), "of {body}");
    mapped
}

pub fn run(program: &Program, body: &str) -> Result<Applied, Vec<Failure>> {
    let references = References::new();
    let with = With { query: &[], remembered: &[], references: &references, limits: Limits::default() };
    run_with(program, body, &with)
}

/// The body that was made, `nothing`, or the failures: pointer, code and message.
pub fn shown(result: &Result<Applied, Vec<Failure>>) -> String {
    match result {
        Ok(applied) => applied.body.as_ref().map_or("nothing".to_owned(), |body| body.text().to_owned()),
        Err(failures) => {
            let told = |f: &Failure| format!("{} {}: {}", f.source_pointer, f.code.as_str(), f.message);
            failures.iter().map(told).collect::<Vec<_>>().join("; ")
        }
    }
}

/// Maps every left text and compares with the right one.
pub fn check(program: &Program, cases: &[(&str, &str)]) {
    for (body, expected) in cases {
        assert_eq!(shown(&run(program, body)), *expected, "of {body}");
    }
}
