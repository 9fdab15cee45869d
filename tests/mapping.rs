//! Every file in `tests/mapping` is a case: a mapping set, messages in, messages out.
//!
//! A case begins with a line of what it shows; one that begins with `Buyer` is compiled for that side. The files of
//! the set (and `partner.yaml`, an overlay) follow, each after `>>> PATH`, then messages, each after
//! `>>> OPERATION request`, `>>> OPERATION request CALL` or `>>> OPERATION answer`: a body, before it optionally a
//! line `?query`.
//! What is expected stands after `===` in the same order. Keys that a message leaves are remembered for those
//! that follow; a reference `x` is known as `sonata-x` and `legacy-x`, but for `unknown`.
//! `UPDATE_EXPECT=1 cargo test mapping_cases` writes what comes out.

use segue::{
    json::Document,
    mapping::{
        apply::{self, Applied, Failure, Input, KeyPair, References},
        compile::{self, CompileOptions, CompiledOperation, CompiledSet, Side},
        direction::Direction,
        operation::Answer,
        path::Part,
        program::Program,
        value::Value,
    },
    plan::ContractSchema,
    sonata::{Release, catalogue},
    text::{Diagnostics, FileSet, Sources},
};
use std::{fmt::Write as _, fs, path::Path};

/// The partner's overlay, where a case has one.
const OVERLAY: &str = "partner.yaml";

fn compiled(files: &[(&str, &str)], side: Side) -> Result<CompiledSet, String> {
    let release = Release::parse("grace").unwrap();
    let contracts =
        catalogue().functions(release).filter_map(|function| catalogue().contract(release, function));
    let schema = ContractSchema::new(contracts.collect(), catalogue().products(release));
    let set = "language: 1\nrelease: grace\nbackend: acme\n";
    let (overlay, files): (Vec<_>, Vec<_>) = files.iter().copied().partition(|(path, _)| *path == OVERLAY);
    let files = FileSet::of("mappings/acme", [("set.yaml", set)].into_iter().chain(files));
    let partner = FileSet::of("mappings/partners/globex", overlay);
    let overlay = partner.get(OVERLAY).is_some().then_some((&partner, OVERLAY));
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let aliases = vec![("urn:alias:uni".to_owned(), "operator-uni".to_owned())];
    let options = CompileOptions { side, aliases, ..CompileOptions::default() };
    let compiled = compile::compile(&files, overlay, &schema, &options, &mut sources, &mut out);
    compiled.ok_or_else(|| out.render_text(&sources))
}

/// The program of a message, and the array of which each element is mapped by itself.
fn program<'c>(operation: &'c CompiledOperation, phase: &str) -> Option<(&'c Program, Option<String>)> {
    let program = &operation.program;
    if let Some(call) = phase.strip_prefix("request") {
        let mut calls = program.calls.iter();
        let call = calls.find(|own| call.is_empty() || *own.name == *call.trim_start())?;
        return Some((call.request.as_deref()?, call.each.as_ref().map(ToString::to_string)));
    }
    match &program.answer {
        Answer::Empty => None,
        Answer::Reply(program) | Answer::Calls { program, .. } => Some((program, None)),
        Answer::Each { elements, program, .. } => Some((program, Some(elements.to_string()))),
    }
}

fn map(program: &Program, each: Option<&str>, message: &str, remembered: &mut Vec<KeyPair>) -> String {
    let (query, body) = match message.strip_prefix('?') {
        Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
        None => ("", message),
    };
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let document = (!body.trim().is_empty()).then(|| Document::from_text(body).unwrap());
    let root = document.as_ref().map(Document::root);
    let facts = Document::from_text(r#"{"partner":{"account":"G-1"},"now":"2026-10-01T00:00:00Z"}"#).unwrap();
    let facts = Value::Node(facts.root());
    let scopes: Vec<_> = match (each, root) {
        (Some(path), Some(root)) => {
            let path = segue::mapping::path::FieldPath::parse(path).unwrap();
            path.read(root, root)
                .unwrap()
                .into_iter()
                .flat_map(segue::json::Node::elements)
                .map(Some)
                .collect()
        }
        _ => vec![None],
    };
    let unresolved = References::new();
    let mut told = String::new();
    for (index, scope) in scopes.into_iter().enumerate() {
        let known = remembered.clone();
        let mut references = References::new();
        let input = |references| Input {
            body: root,
            scope,
            index: scope.map(|_| index),
            query: &query,
            path: &[],
            headers: segue::mapping::apply::Headers::none(),
            facts: &facts,
            references,
            remembered: &known,
            tables: &segue::mapping::program::Tables::NONE,
            limits: apply::Limits::default(),
        };
        for needed in apply::references(program, &input(&unresolved)) {
            writeln!(told, "refers to {} {}", needed.kind, needed.id).unwrap();
            let (from, to) = match program.direction {
                Direction::ToLegacy => ("sonata-", "legacy-"),
                Direction::ToSonata => ("legacy-", "sonata-"),
            };
            if let Some(id) = needed.id.strip_prefix(from).filter(|id| *id != "unknown") {
                references.insert(&needed.kind, needed.id.clone(), format!("{to}{id}"));
            }
        }
        match apply::apply(program, &input(&references)) {
            Ok(applied) => {
                tell(&mut told, &applied);
                remembered.extend(applied.keys);
            }
            Err(failures) => failures.iter().for_each(|failure| tell_failure(&mut told, "fails", failure)),
        }
    }
    told
}

fn tell(told: &mut String, applied: &Applied) {
    if let Some(body) = &applied.body {
        writeln!(told, "{}", body.text()).unwrap();
    }
    let parts = [("query", &applied.query), ("path", &applied.path), ("header", &applied.headers)];
    for (part, values) in parts {
        for (name, value) in values {
            writeln!(told, "{part} {name}={value}").unwrap();
        }
    }
    for pair in &applied.keys {
        writeln!(told, "remembers {} {} = {}", pair.group, pair.sonata.to_json(), pair.legacy.to_json())
            .unwrap();
    }
    applied.findings.iter().for_each(|finding| tell_failure(told, "leaves out", finding));
}

fn tell_failure(told: &mut String, word: &str, failure: &Failure) {
    let part = if failure.part == Part::Body { String::new() } else { format!("{:?} ", failure.part) };
    let Failure { source_pointer, code, message, origin, target, .. } = failure;
    writeln!(told, "{word} {part}{source_pointer} {}: {message} ({origin} > {target})", code.as_str())
        .unwrap();
}

fn run(input: &str) -> String {
    let mut parts = input.split("\n>>> ").skip(1).map(|part| part.split_once('\n').unwrap_or((part, "")));
    let (files, messages): (Vec<_>, Vec<_>) = parts.by_ref().partition(|(path, _)| path.contains('.'));
    let side = if input.starts_with("Buyer") { Side::Buyer } else { Side::Seller };
    let compiled = match compiled(&files, side) {
        Ok(compiled) => compiled,
        Err(told) => return told,
    };
    let mut remembered = Vec::new();
    let mut told = String::new();
    for (what, body) in messages {
        let (operation, phase) = what.split_once(' ').unwrap();
        let found = compiled.operations.iter().find(|(name, _)| name.ends_with(&format!(".{operation}")));
        let (_, operation) = found.unwrap_or_else(|| panic!("no operation {operation}"));
        let (program, each) = program(operation, phase).unwrap_or_else(|| panic!("nothing maps {what}"));
        write!(told, ">>> {what}\n{}", map(program, each.as_deref(), body, &mut remembered)).unwrap();
    }
    told
}

/// A set as an editor leaves it half-way: whatever is missing, all is told and nothing ends the program.
#[test]
fn damaged_sets_are_told() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mapping/manual.txt")).unwrap();
    let input = text.split_once("\n===\n").unwrap().0;
    let parts = input.split("\n>>> ").skip(1).map(|part| part.split_once('\n').unwrap());
    let files: Vec<_> = parts.filter(|(path, _)| path.contains('.')).collect();
    for (index, (path, whole)) in files.iter().enumerate() {
        for at in (0..whole.len()).step_by(41).filter(|at| whole.is_char_boundary(*at)) {
            for (from, to) in [(at + 1, ""), (at, "]"), (at, "{ x: '"), (at + 9, "..")] {
                let Some(rest) = whole.get(from..) else { continue };
                let damaged = format!("{}{to}{rest}", &whole[..at]);
                let mut files = files.clone();
                files[index] = (path, damaged.as_str());
                if let Err(told) = compiled(&files, Side::Seller) {
                    assert!(told.contains("error["), "{told}");
                }
            }
        }
    }
}

#[test]
fn mapping_cases_come_out_as_written() {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the program")]
    let update = std::env::var("UPDATE_EXPECT").is_ok();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mapping");
    let mut wrong = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let (input, expected) = text.split_once("\n===\n").unwrap_or((text.trim_end(), ""));
        let told = run(input);
        if told != expected && update {
            fs::write(&path, format!("{input}\n===\n{told}")).unwrap();
        } else if told != expected {
            wrong.push(format!("{}\n--- expected\n{expected}--- came\n{told}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
