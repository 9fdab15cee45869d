//! Every file in `tests/bridges` is a case: two made-up contracts, a bridge between them, messages in, messages out.
//!
//! A case begins with a line of what it shows. `>>> older.facts` and `>>> newer.facts` are contracts of the function `quote`
//! (of several functions: `older.NAME.facts`), other files are the bridge's, messages come each after
//! `>>> OPERATION request up`, or `answer`, or `down`, before the body optionally a line `?query`. What is expected stands after
//! `===` in the same order, and at last what the bridge says of itself. `UPDATE_EXPECT=1 cargo test bridge_cases` writes what
//! comes out.

use segue::{
    json::Document,
    mapping::{
        apply::{self, Input, References},
        bridge::{Bridge, Way},
        compile::{Shores, compile_bridge},
        schema::Interface,
        trace::property_path,
        value::Value,
    },
    plan::{ContractSchema, bridges, comparison::Comparison},
    sonata::{Contract, Products, Release, facts},
    text::{Diagnostics, FileSet, Sources},
};
use std::{fmt::Write as _, fs, path::Path, sync::Arc};

/// Whether a file of a case is a contract, and no bridge.
fn is_contract(path: &str) -> bool {
    std::path::Path::new(path).extension().is_some_and(|kind| kind == "facts")
}

/// A schema of the contracts of one side of a case.
fn schema(files: &[(&str, &str)], side: &str) -> Arc<ContractSchema> {
    let own = files.iter().filter(|(path, _)| path.starts_with(side) && is_contract(path));
    let contracts = own.map(|(path, text)| {
        let file = facts::read(text).unwrap_or_else(|error| panic!("{path}: {error}"));
        let contract = Contract::compile(&file).unwrap_or_else(|error| panic!("{path}: {error}"));
        &*Box::leak(Box::new(contract))
    });
    Arc::new(ContractSchema::new(contracts.collect(), Products::new(Vec::new())).shore(side))
}

/// Compiles the bridge of a case.
pub fn compiled(files: &[(&str, &str)]) -> (Option<Bridge>, Diagnostics, Sources) {
    let (older, newer) = (schema(files, "older"), schema(files, "newer"));
    let shores = Shores { older: &*older, newer: &*newer, api: Arc::clone(&newer) as Arc<dyn Interface> };
    let own = files.iter().copied().filter(|(path, _)| !is_contract(path));
    let files = FileSet::of("bridges/older-newer", own);
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let bridge = compile_bridge(&files, &shores, &mut sources, &mut out);
    assert_eq!(bridge.is_none(), out.has_errors());
    (bridge, out, sources)
}

fn carried(bridge: &Bridge, heading: &str, message: &str) -> String {
    let words: Vec<_> = heading.split_whitespace().collect();
    let [operation, phase, way, rest @ ..] = words.as_slice() else {
        panic!("{heading}: OPERATION PHASE WAY")
    };
    let way = if *way == "up" { Way::Up } else { Way::Down };
    let Some(crossing) = bridge.crossing("quote", operation, way) else {
        return "no such operation\n".into();
    };
    let passage = if *phase == "request" { &crossing.request } else { &crossing.answer };
    let Some(program) = passage.way(way) else { return "the same\n".into() };
    let (query, body) = match message.strip_prefix('?') {
        Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
        None => ("", message),
    };
    let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let document = (!body.trim().is_empty()).then(|| Document::from_text(body).unwrap());
    let facts = Document::from_text(r#"{"settings":{"level":"firm"}}"#).unwrap();
    let (facts, references) = (Value::Node(facts.root()), References::new());
    let mut input = Input::new(document.as_ref().map(Document::root), &facts, &references);
    input.query = &query;
    let mut text = String::new();
    match apply::apply(program, &input) {
        Ok(applied) => {
            for (name, value) in &applied.query {
                writeln!(text, "?{name}={value}").unwrap();
            }
            if let Some(body) = &applied.body {
                writeln!(text, "{}", body.text()).unwrap();
            }
            for finding in &applied.findings {
                writeln!(text, "finding {}: {}", finding.source_pointer, finding.message).unwrap();
            }
            if let [place] = rest {
                writeln!(text, "{place} was {:?}", property_path(program, &input, place)).unwrap();
            }
        }
        Err(failures) => {
            for failure in failures {
                let code = failure.code.as_str();
                writeln!(text, "refused {} {code}: {}", failure.source_pointer, failure.message).unwrap();
            }
        }
    }
    text
}

fn play(files: &[(&str, &str)]) -> String {
    let is_message = |path: &str| path.contains(' ');
    let own: Vec<_> = files.iter().copied().filter(|(path, _)| !is_message(path)).collect();
    let (bridge, told, sources) = compiled(&own);
    let mut text = told.render_text(&sources);
    let Some(bridge) = bridge else { return text };
    for (heading, message) in files.iter().filter(|(path, _)| is_message(path)) {
        writeln!(text, ">>> {heading}").unwrap();
        text.push_str(&carried(&bridge, heading, message));
    }
    text.push_str(">>> notes\n");
    for (function, operation, way, reason) in &bridge.absent {
        writeln!(text, "{function}.{operation} {way} absent: {reason}").unwrap();
    }
    for note in &bridge.notes {
        let fate = note.fate.as_str();
        writeln!(text, "{}.{} {} {fate}: {}", note.type_name, note.place, note.way, note.reason).unwrap();
    }
    text
}

#[test]
fn bridge_cases() {
    #[expect(clippy::disallowed_methods, reason = "a switch of this test, not of the program")]
    let updating = std::env::var("UPDATE_EXPECT").is_ok();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bridges");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let (input, expected) = text.split_once("\n===\n").unwrap_or((text.trim_end(), ""));
        let parts = input.split("\n>>> ").skip(1);
        let files: Vec<_> = parts.map(|part| part.split_once('\n').unwrap_or((part, ""))).collect();
        let out = play(&files);
        if out == expected {
            continue;
        }
        if updating {
            fs::write(&path, format!("{input}\n===\n{out}")).unwrap();
        }
        wrong.push(format!("{}:\n{out}", path.display()));
    }
    assert!(wrong.is_empty() || updating, "{}", wrong.join("\n"));
}

/// Neighbours in the line of releases.
fn neighbours() -> Vec<(Release, Release)> {
    let all: Vec<Release> = Release::all().collect();
    all.windows(2).map(|pair| (pair[0], pair[1])).collect()
}

#[test]
fn shipped_bridges_are_without_fault_and_whole() {
    let mut wrong = Vec::new();
    for (older, newer) in neighbours() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("mappings/bridges/{older}-{newer}"));
        let mut files = FileSet::new(format!("mappings/bridges/{older}-{newer}"));
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            files.insert(entry.file_name().to_str().unwrap(), fs::read_to_string(entry.path()).unwrap());
        }
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let bridge = bridges::compile((older, newer), &files, &mut sources, &mut out);
        if bridge.is_none() || !out.is_empty() {
            wrong.push(format!("{older}-{newer}\n{}", out.render_text(&sources)));
        }
        let shipped = bridges::shipped_files(older, newer).unwrap_or_else(|| panic!("{older}-{newer}"));
        let is_same = files.iter().eq(shipped.iter());
        if !is_same {
            wrong
                .push(format!("{older}-{newer}: the list in src/plan/bridges.rs, and what is built with it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_partner_on_another_release_gets_is_told() {
    let release = |name: &str| Release::parse(name).unwrap();
    let report = |partner: &str, mapping: &str| {
        Comparison::between(release(partner), release(mapping)).unwrap().lines().join("\n")
    };
    let billie = report("billie", "grace");
    for line in [
        "address.createGeographicAddressValidation: same",
        "order.createModifyProductOrderItemCompletionDate: carried as createModifyProductOrderItemRequestedDeliveryDate",
        "ProductOrderItem.sellerItemIdentifier dropped: celine has no such attribute",
        "product from the partner, urn:mef:lso:spec:sonata:access-eline:v2.0.0:order: carried as \
         urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all",
        "product from the partner, urn:mef:lso:spec:cantata-sonata:eplan:v0.1.0:poq: refused (billie to celine: \
         celine has each end point as a product of its own), carried as it is",
    ] {
        assert!(billie.contains(line), "{line}\n{billie}");
    }
    let kylie = report("kylie", "grace");
    assert!(kylie.contains("quote.declineQuote: carried as rejectQuote"), "{kylie}");
    assert!(kylie.contains("site.listGeographicSite: refused (grace to kylie: grace filters"), "{kylie}");
}
