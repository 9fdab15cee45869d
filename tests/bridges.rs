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
        bridge::{Bridge, Passage, Way, carry},
        compile::{Shores, compile_bridge},
        schema::Interface,
        trace::property_path,
        value::Value,
    },
    plan::{ContractSchema, bridges},
    sonata::{
        self, Contract, Format, Function, Polymorphism, Products, Release, TypeView, catalogue, check, facts,
    },
    text::{Diagnostics, FileSet, Sources},
};
use serde_json::Value as Json;
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::Path,
    sync::{Arc, LazyLock},
};

static NO_PRODUCTS: LazyLock<Products> = LazyLock::new(|| Products::new(Vec::new()));

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
    for (older, newer) in neighbours() {
        let files = bridges::shipped_files(older, newer).unwrap_or_else(|| panic!("{older}-{newer}"));
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let bridge = bridges::compile((older, newer), &files, &mut sources, &mut out);
        assert!(bridge.is_some() && out.is_empty(), "{older}-{newer}\n{}", out.render_text(&sources));
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("mappings/bridges/{older}-{newer}"));
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.map(|name| name.to_str().unwrap().to_owned()).collect();
        names.sort();
        let shipped: Vec<_> = files.iter().map(|(path, _)| path.to_owned()).collect();
        assert_eq!(names, shipped, "{older}-{newer}: the list in src/plan/bridges.rs");
    }
}

#[test]
fn what_a_partner_on_another_release_gets_is_told() {
    let release = |name: &str| Release::parse(name).unwrap();
    let report = bridges::report(release("billie"), release("grace")).join("\n");
    assert!(report.contains("address.createGeographicAddressValidation: same"), "{report}");
    assert!(
        report.contains("order.createModifyProductOrderItemCompletionDate: carried as createModifyProductOrderItemRequestedDeliveryDate"),
        "{report}"
    );
    assert!(
        report.contains("ProductOrderItem.sellerItemIdentifier dropped: celine has no such attribute"),
        "{report}"
    );
    let report = bridges::report(release("kylie"), release("grace")).join("\n");
    assert!(report.contains("quote.declineQuote: same as rejectQuote"), "{report}");
    assert!(report.contains("site.listGeographicSite: refused (grace to kylie: grace filters"), "{report}");
}

/// Sebastiano Vigna's splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound.max(1) as u64).unwrap()
    }
}

/// A value of a type: all that is required, and half of the rest; none where only a product could say what stands there.
fn made(view: TypeView<'_>, name: &str, random: &mut Random, depth: usize) -> Option<Json> {
    let texts: Vec<&str> = view.enum_values().collect();
    if !texts.is_empty() {
        return Some(Json::from(texts[random.below(texts.len())]));
    }
    Some(match view.kind() {
        sonata::Kind::Boolean => Json::from(random.below(2) == 0),
        sonata::Kind::Integer | sonata::Kind::Number => Json::from(1 + random.below(4)),
        sonata::Kind::Array => {
            let (least, most) = view.items_bounds();
            let count = (1 + random.below(2)).max(least as usize).min(most.unwrap_or(9) as usize);
            let elements = (0..count).filter_map(|_| made(view.item()?, name, random, depth + 1));
            Json::Array(elements.collect())
        }
        sonata::Kind::Object => return object(view, random, depth),
        sonata::Kind::Any if name == "validFor" => {
            serde_json::json!({ "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-02-01T00:00:00Z" })
        }
        sonata::Kind::Any if name != "query" => Json::from(1 + random.below(4)),
        sonata::Kind::Any => Json::from("a=b"),
        sonata::Kind::String => Json::from(match (view.format().map(Format::name), name) {
            (Some("date-time"), _) => format!("2026-0{}-01T00:00:00Z", 1 + random.below(9)),
            (Some("date"), _) => format!("2026-0{}-01", 1 + random.below(9)),
            (Some("uri"), _) => "https://example.com/x".to_owned(),
            (_, "country") => "Germany".to_owned(),
            (_, "countryCode") => "DE".to_owned(),
            _ => format!("{name}{}", random.below(90))
                .chars()
                .take(view.length_max().unwrap_or(40) as usize)
                .collect(),
        }),
    })
}

fn object(view: TypeView<'_>, random: &mut Random, depth: usize) -> Option<Json> {
    let (mut own, mut members) = (view, serde_json::Map::new());
    match view.polymorphism() {
        Polymorphism::Product(_) => return None,
        Polymorphism::Cases(member) => {
            let cases: Vec<&str> = view.derived_names().collect();
            let case = cases[random.below(cases.len())];
            own = view.derived(case).unwrap();
            members.insert(member.to_owned(), Json::from(case));
        }
        Polymorphism::None => {}
    }
    let deep = depth > 7;
    for member in own.members().chain(own.bare_members()) {
        let wanted = member.required || (!deep && random.below(3) > 0);
        if !wanted || members.contains_key(member.name) {
            continue;
        }
        if let Some(value) = made(member.value, member.name, random, depth + 1) {
            members.insert(member.name.to_owned(), value);
        }
    }
    Some(Json::Object(members))
}

/// What differs between two documents: the last name of each place, and the place.
fn differing(before: &Json, after: &Json, place: &str, name: &str, all: &mut Vec<(String, String)>) {
    match (before, after) {
        (Json::Object(before), Json::Object(after)) => {
            let nothing = Json::Null;
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let (one, other) =
                    (before.get(name).unwrap_or(&nothing), after.get(name).unwrap_or(&nothing));
                differing(one, other, &format!("{place}/{name}"), name, all);
            }
        }
        (Json::Array(before), Json::Array(after)) if before.len() == after.len() => {
            for (index, (one, other)) in before.iter().zip(after).enumerate() {
                differing(one, other, &format!("{place}/{index}"), name, all);
            }
        }
        (before, after) if before == after => {}
        // Nothing but which kind it is: not even valid.
        (Json::Object(before), Json::Null) if before.keys().eq(["@type"]) => {}
        _ => all.push((name.to_owned(), format!("{place}: {before} became {after}"))),
    }
}

/// One message type on both shores, with its programs.
struct Message {
    what: String,
    passage: Passage,
    older: (&'static Contract, sonata::TypeId),
    newer: (&'static Contract, sonata::TypeId),
}

fn messages(bridge: &Bridge, older: Release, newer: Release) -> Vec<Message> {
    let mut all = Vec::new();
    for ((function, id), crossing) in &bridge.operations {
        let function = Function::parse(function).unwrap();
        let contract = |release| catalogue().contract(release, function).unwrap();
        let (own, other) = (contract(older), contract(newer));
        let (one, two) = (own.operation(id).unwrap(), other.operation(&crossing.newer).unwrap());
        let mut push = |what: &str, passage: &Passage, types: Option<(sonata::TypeId, sonata::TypeId)>| {
            if let (Some((old, new)), Some(_)) = (types, &passage.up) {
                let what = format!("{function}.{id} {what}");
                all.push(Message { what, passage: passage.clone(), older: (own, old), newer: (other, new) });
            }
        };
        push("request", &crossing.request, one.request.zip(two.request));
        let body = |operation: &sonata::Operation| operation.success_body().map(|body| body.value);
        push("answer", &crossing.answer, body(one).zip(body(two)));
    }
    all
}

/// Whether what differs is spoken of by the bridge.
fn is_noted(bridge: &Bridge, name: &str, place: &str) -> bool {
    let names = |place: &str| -> Vec<String> {
        let last = |path: &str| path.rsplit(['.', '/']).next().unwrap_or_default().to_owned();
        place.split(" as ").map(|path| last(path.split('[').next().unwrap_or_default())).collect()
    };
    let steps: Vec<&str> = place.split(['/', ':']).collect();
    let mut noted = bridge.notes.iter().flat_map(|note| names(&note.place));
    noted.any(|noted| noted == name || (!noted.is_empty() && steps.contains(&noted.as_str())))
}

#[test]
fn generated_documents_go_over_and_back() {
    let facts = Document::from_text(r#"{"settings":{},"entity":{"document":{}}}"#).unwrap();
    let facts = Value::Node(facts.root());
    let mut wrong = Vec::new();
    for (older, newer) in neighbours() {
        let bridge = bridges::shipped(older, newer).unwrap();
        let (mut carried, mut refused, mut lossy, mut invalid) = (0, 0, 0, 0);
        for message in messages(&bridge, older, newer) {
            for (way, from) in [(Way::Up, message.older), (Way::Down, message.newer)] {
                let to = if way == Way::Up { message.newer } else { message.older };
                for seed in 0..20 {
                    let mut random = Random(seed * 7919);
                    let Some(before) = made(from.0.view(from.1), "", &mut random, 0) else { continue };
                    let document = Document::from_text(&before.to_string()).unwrap();
                    let there = [Arc::clone(message.passage.way(way).unwrap())];
                    let back = [Arc::clone(message.passage.way(way.reverse()).unwrap())];
                    let over = match carry(&there, &document, &facts) {
                        Ok(over) => over,
                        Err((_, failures)) => {
                            refused += 1;
                            let failure = &failures[0];
                            let name = failure.source_pointer.rsplit('/').next().unwrap_or_default();
                            let is_value = failure.code.as_str() != "missingProperty";
                            if !is_value && !is_noted(&bridge, name, &failure.source_pointer) {
                                wrong.push(format!(
                                    "{older}-{newer} {} {way}: refused {failure:?}",
                                    message.what
                                ));
                            }
                            continue;
                        }
                    };
                    let Some(body) = over.body else { continue };
                    let options = check::Options::new(&NO_PRODUCTS);
                    let found = check::check(body.root(), to.0, to.1, &options);
                    let own = check::check(document.root(), from.0, from.1, &options);
                    if own.is_valid() && over.findings.is_empty() {
                        for fault in &found.faults {
                            let name = fault.pointer.rsplit('/').next().unwrap_or_default();
                            invalid += 1;
                            if !is_noted(&bridge, name, &fault.pointer) {
                                let what = &message.what;
                                wrong.push(format!(
                                    "{older}-{newer} {what} {way} {}: {}",
                                    fault.pointer, fault.reason
                                ));
                            }
                        }
                    }
                    let Ok(again) = carry(&back, &body, &facts) else { continue };
                    let Some(again) = again.body else { continue };
                    carried += 1;
                    let after: Json = serde_json::from_str(again.text()).unwrap();
                    let mut all = Vec::new();
                    differing(&before, &after, "", "", &mut all);
                    lossy += usize::from(!all.is_empty());
                    let all = all.iter().filter(|(name, place)| !is_noted(&bridge, name, place));
                    wrong.extend(
                        all.map(|(_, place)| format!("{older}-{newer} {} {way} {place}", message.what)),
                    );
                }
            }
        }
        println!(
            "{older}-{newer}: {carried} came back, {lossy} of them with noted losses, {refused} refused, {invalid} noted faults"
        );
    }
    wrong.dedup();
    assert!(
        wrong.is_empty(),
        "{}\n{} in all",
        wrong.iter().take(60).cloned().collect::<Vec<_>>().join("\n"),
        wrong.len()
    );
}

/// Functions of a fixture by the name of its folder.
fn functions_of(folder: &str) -> Vec<Function> {
    let names = match folder {
        "workforce" => vec!["appointment", "workOrder", "appointmentNotification", "workOrderNotification"],
        other => vec![other],
    };
    let both = |name: &&str| {
        let function = Function::parse(name);
        [function, function.and_then(Function::notification)]
    };
    names.iter().flat_map(both).flatten().collect()
}

/// What becomes of a published body on its way to another release: nothing to say, or why it is not valid there.
fn published(fixture: &Json, document: &Document, from: Release, to: Release) -> Option<Result<(), String>> {
    let id = fixture["operationId"].as_str()?;
    let is_request = fixture["role"] == "request";
    let has = |function: &Function| catalogue().contract(from, *function)?.operation(id).map(|_| ());
    let function =
        functions_of(fixture["function"].as_str()?).into_iter().find(|function| has(function).is_some())?;
    let line = bridges::Line::between(from, to)?;
    let Some(crossed) = line.operation(function.name(), id) else {
        let (_, why) = line.missing(function.name(), id)?;
        return Some(Err(why.to_owned()));
    };
    let back = bridges::Line::between(to, from)?.operation(function.name(), &crossed.operation_id)?;
    let steps = if is_request { crossed.request } else { back.answer };
    let facts = Document::from_text(r#"{"settings":{},"entity":{"document":{}}}"#).unwrap();
    let over = match carry(&steps, document, &Value::Node(facts.root())) {
        Ok(over) => over,
        Err((_, failures)) => {
            return Some(Err(failures
                .iter()
                .map(|one| format!("{}: {}", one.source_pointer, one.message))
                .collect::<Vec<_>>()
                .join("; ")));
        }
    };
    let contract = catalogue().contract(to, function)?;
    let operation = contract.operation(&crossed.operation_id)?;
    let ty = if is_request { operation.request? } else { operation.success_body()?.value };
    let body = over.body.as_ref().unwrap_or(document);
    let products = catalogue().products(to);
    let found = check::check(body.root(), contract, ty, &check::Options::new(&products));
    // What a product says has an axis of its own.
    let faults = found.faults.iter().filter(|fault| !fault.pointer.contains("/productConfiguration"));
    let told: Vec<String> = faults.map(|fault| format!("{}: {}", fault.pointer, fault.reason)).collect();
    Some(if told.is_empty() { Ok(()) } else { Err(told.join("; ")) })
}

#[test]
fn published_bodies_go_over_or_say_why_not() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/fixtures");
    let Ok(index) = fs::read_to_string(folder.join("index.json")) else {
        println!("skipped: ../shared/fixtures is not here");
        return;
    };
    let index: Vec<Json> = serde_json::from_str(&index).unwrap();
    for from in Release::all() {
        for to in Release::all().filter(|to| *to != from) {
            let (mut valid, mut reasons) = (0, Vec::new());
            for fixture in index.iter().filter(|one| one["release"] == from.as_str() && one["usable"] == true)
            {
                let text = fs::read_to_string(folder.join(fixture["file"].as_str().unwrap())).unwrap();
                let document = Document::from_text(&text).unwrap();
                let own = published(fixture, &document, from, from);
                if own != Some(Ok(())) {
                    continue;
                }
                match published(fixture, &document, from, to) {
                    Some(Ok(())) => valid += 1,
                    Some(Err(why)) => {
                        assert!(!why.is_empty(), "{}", fixture["file"]);
                        reasons.push(format!("  {}: {why}", fixture["name"].as_str().unwrap()));
                    }
                    None => {}
                }
            }
            println!("{from} to {to}: {valid} valid there, {} not\n{}", reasons.len(), reasons.join("\n"));
            let is_near = from.max(to) <= Release::GRACE && from.min(to).as_str() != "billie";
            assert!(!is_near || valid >= reasons.len(), "{from} to {to}: most come over");
        }
    }
}
