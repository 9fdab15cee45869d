//! What goes over the bridges that the program brings along comes back as it was, except for what they say they lose.
//!
//! Documents are made up from the contracts of every release, and carried to every other and back; published ones are
//! carried to every release, where they are valid or the reason is told.

use segue::{
    json::{Document, Node},
    mapping::{
        apply::{Applied, Failure, Input, References, apply, apply_onward, apply_traced},
        bridge::carry,
        program::Program,
        value::Value,
    },
    plan::bridges::{Crossed, Line},
    sonata::{self, Contract, Format, Function, Polymorphism, Products, Release, TypeView, catalogue, check},
};
use serde_json::Value as Json;
use std::{
    collections::{BTreeSet, HashSet},
    fs,
    path::Path,
    sync::Arc,
};

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

/// What makes documents up.
struct Maker<'m> {
    random: Random,
    /// Products of the release.
    products: &'m Products,
    /// `@type` of those to choose from; none: no product is made up.
    urns: &'m [Box<str>],
}

impl Maker<'_> {
    /// A value of a type: all that is required, and half of the rest; none where only a product could say what stands there.
    fn made(&mut self, view: TypeView<'_>, name: &str, depth: usize) -> Option<Json> {
        let random = &mut self.random;
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
                let elements = (0..count).filter_map(|_| self.made(view.item()?, name, depth + 1));
                Json::Array(elements.collect())
            }
            sonata::Kind::Object => return self.object(view, depth),
            sonata::Kind::Any if view.alternatives().next().is_some() => {
                let all: Vec<_> = view.alternatives().collect();
                let one = all[self.random.below(all.len())];
                return self.made(one, name, depth + 1);
            }
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

    fn object(&mut self, view: TypeView<'_>, depth: usize) -> Option<Json> {
        let (mut own, mut members) = (view, serde_json::Map::new());
        match view.polymorphism() {
            Polymorphism::Product(_) => return self.configuration(depth),
            Polymorphism::Cases(member) => {
                let cases: Vec<&str> = view.derived_names().collect();
                let case = cases[self.random.below(cases.len())];
                own = view.derived(case).unwrap();
                members.insert(member.to_owned(), Json::from(case));
            }
            Polymorphism::None => {}
        }
        let deep = depth > 7;
        // Of alternatives one is chosen, and what only others have is left out.
        let names = |one: TypeView<'_>| -> BTreeSet<String> {
            one.members().chain(one.bare_members()).map(|member| member.name.to_owned()).collect()
        };
        let alternatives: Vec<_> = own.alternatives().map(names).collect();
        let chosen = alternatives.get(self.random.below(alternatives.len())).cloned().unwrap_or_default();
        let left_out =
            |name: &str| !chosen.contains(name) && alternatives.iter().any(|names| names.contains(name));
        for member in own.members().chain(own.bare_members()) {
            if left_out(member.name) {
                continue;
            }
            let wanted =
                member.required || chosen.contains(member.name) || (!deep && self.random.below(3) > 0);
            if !wanted || members.contains_key(member.name) {
                continue;
            }
            let value = self.made(member.value, member.name, depth + 1);
            // What says nothing does not come over.
            if let Some(value) = value.filter(|value| member.required || !is_empty(value)) {
                members.insert(member.name.to_owned(), value);
            }
        }
        Some(Json::Object(members))
    }

    fn configuration(&mut self, depth: usize) -> Option<Json> {
        let urn = self.urns.get(self.random.below(self.urns.len()))?;
        let schema = self.products.resolve(urn)?;
        let mut made = self.object(schema.view(), depth.min(3))?;
        made.as_object_mut()?.insert("@type".to_owned(), Json::from(&**urn));
        Some(made)
    }
}

fn is_empty(value: &Json) -> bool {
    match value {
        Json::Object(members) => members.is_empty(),
        Json::Array(elements) => elements.iter().any(is_empty),
        _ => false,
    }
}

/// A value without what is spoken of, and without what is then empty; none: nothing of it is left.
fn pruned(value: &Json, is_spoken: &dyn Fn(&str) -> bool) -> Option<Json> {
    match value {
        Json::Object(members) => {
            let left = members.iter().filter(|(name, _)| !is_spoken(name));
            let left: serde_json::Map<_, _> =
                left.filter_map(|(name, value)| Some((name.clone(), pruned(value, is_spoken)?))).collect();
            // Nothing but which kind it is: not even valid.
            let is_left = !left.is_empty() && !left.keys().eq(["@type"]);
            is_left.then_some(Json::Object(left))
        }
        Json::Array(elements) => {
            let left: Vec<Json> = elements.iter().filter_map(|value| pruned(value, is_spoken)).collect();
            (!left.is_empty()).then_some(Json::Array(left))
        }
        value => Some(value.clone()),
    }
}

/// What differs between two documents: places, and what was and is there.
fn differing(before: &Json, after: &Json, place: &str, all: &mut Vec<String>) {
    match (before, after) {
        (Json::Object(before), Json::Object(after)) => {
            let nothing = Json::Null;
            let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for name in names {
                let (one, other) =
                    (before.get(name).unwrap_or(&nothing), after.get(name).unwrap_or(&nothing));
                differing(one, other, &format!("{place}/{name}"), all);
            }
        }
        (Json::Array(before), Json::Array(after)) if before.len() == after.len() => {
            for (index, (one, other)) in before.iter().zip(after).enumerate() {
                differing(one, other, &format!("{place}/{index}"), all);
            }
        }
        (before, after) if before == after => {}
        _ => all.push(format!("{place}: {before} became {after}")),
    }
}

/// One message of an operation on its way from one release to another.
struct Message {
    what: String,
    function: Function,
    there: Vec<Arc<Program>>,
    back: Vec<Arc<Program>>,
    from: (&'static Contract, sonata::TypeId),
    to: (&'static Contract, sonata::TypeId),
}

/// The messages that go from one release to another through some program: requests as they are sent, answers as they are
/// given to those who asked from the other release. What goes through the same programs is there once.
fn messages(from: Release, to: Release) -> Vec<Message> {
    let (line, reverse) = (Line::between(from, to).unwrap(), Line::between(to, from).unwrap());
    let (mut all, mut known) = (Vec::new(), HashSet::new());
    for function in catalogue().functions(from) {
        let own = catalogue().contract(from, function).unwrap();
        for operation in &*own.operations {
            let id = operation.operation_id.as_str();
            let Some(crossed) = line.operation(function.name(), id) else { continue };
            let Crossed { operation_id, request, answer } = crossed;
            let opposite = reverse.operation(function.name(), &operation_id).unwrap();
            assert_eq!(&*opposite.operation_id, id, "{from} to {to}: {function}.{id} and back");
            let other = catalogue().contract(to, function).unwrap();
            let counterpart = other.operation(&operation_id).unwrap();
            let body = |operation: &sonata::Operation| operation.success_body().map(|body| body.value);
            let requests = operation.request.zip(counterpart.request);
            let answers = body(operation).zip(body(counterpart));
            for (what, there, back, types) in [
                ("request", request, opposite.request, requests),
                ("answer", opposite.answer, answer, answers),
            ] {
                let Some((old, new)) = types else { continue };
                let places: Vec<usize> = there.iter().map(|one| Arc::as_ptr(one) as usize).collect();
                if there.is_empty() || !known.insert((places, old)) {
                    continue;
                }
                let what = format!("{from} to {to}: {function}.{id} {what}");
                all.push(Message { what, function, there, back, from: (own, old), to: (other, new) });
            }
        }
    }
    all
}

/// Names that the notes of a line speak of, function by function.
fn noted(from: Release, to: Release) -> BTreeSet<(String, String)> {
    let line = Line::between(from, to).unwrap();
    let last = |path: &str| path.rsplit(['.', '/']).next().unwrap_or_default().to_owned();
    let names = |place: &str| -> Vec<String> {
        place.split(" as ").map(|path| last(path.split('[').next().unwrap_or_default())).collect()
    };
    let notes = line.notes(false).chain(line.notes(true));
    notes
        .flat_map(|(_, note)| {
            let function = note.function.to_string();
            names(&note.place).into_iter().map(move |name| (function.clone(), name))
        })
        .filter(|(_, name)| !name.is_empty())
        .collect()
}

/// Whether what differs is spoken of.
fn is_noted(noted: &BTreeSet<(String, String)>, function: Function, place: &str) -> bool {
    let mut steps = place.split(['/', ':']).filter(|step| !step.is_empty());
    steps.any(|step| noted.contains(&(function.name().to_owned(), step.to_owned())))
}

/// What was found on the way of all documents between two releases.
#[derive(Default)]
struct Found {
    carried: usize,
    lossy: usize,
    refused: usize,
    faults: usize,
    spliced: usize,
    /// Messages of which several programs made the same at once, and those that were left to each of them.
    joined: usize,
    apart: usize,
    wrong: Vec<String>,
}

/// Holds what is copied in stretches against what the rules make one by one, as they do while tracing.
fn spliced_as_mapped(message: &Message, document: &Document, facts: &Value<'_>, found: &mut Found) {
    let (references, mut read) = (References::new(), document.clone());
    let (mut joined, mut after) = (None, 0);
    for (index, program) in message.there.iter().enumerate() {
        let input = Input::new(Some(read.root()), facts, &references);
        if let Some(onward) = program.splice.onward() {
            joined = apply_onward(program, onward, &input);
            after = index + onward.count;
            found.joined += usize::from(joined.is_some());
            found.apart += usize::from(joined.is_none());
        }
        let (spliced, (mapped, _)) = (apply(program, &input), apply_traced(program, &input));
        let sorted = |failures: &[Failure]| {
            let mut all: Vec<String> = failures.iter().map(|one| format!("{one:?}")).collect();
            all.sort();
            all
        };
        let (own, other) = match (&spliced, &mapped) {
            (Ok(own), Ok(other)) => (sorted(&own.findings), sorted(&other.findings)),
            (Err(own), Err(other)) => (sorted(own), sorted(other)),
            _ => (vec![format!("{spliced:?}")], vec![format!("{mapped:?}")]),
        };
        if own != other {
            found.wrong.push(format!("{}: spliced {own:?}, mapped {other:?}", program.name));
        }
        let (Ok(Applied { body: Some(own), findings, .. }), Ok(other)) = (spliced, mapped) else {
            if let Some(joined) = joined {
                found.wrong.push(format!(
                    "{}: joined {}, and one by one {own:?}",
                    message.what,
                    joined.text()
                ));
            }
            return;
        };
        if joined.is_some() && !findings.is_empty() {
            found.wrong.push(format!("{}: joined, and in part one by one", message.what));
        }
        let is_same = other.body.as_ref().is_some_and(|other| own.root().eq_value(other.root()));
        // What stands in a document must be what its table says.
        let again = Document::from_text(own.text());
        if !is_same || again.is_err() || !is_sound(own.root(), again.unwrap().root()) {
            let other = other.body.as_ref().map(Document::text);
            found.wrong.push(format!("{}: spliced {}, mapped {other:?}", program.name, own.text()));
        }
        found.spliced += usize::from(program.splice.get().is_some());
        if let Some(joined) = joined.take_if(|_| index + 1 == after) {
            let again = Document::from_text(joined.text()).unwrap();
            if !own.root().eq_value(joined.root()) || !is_sound(joined.root(), again.root()) {
                let (one_by_one, joined) = (own.text(), joined.text());
                found.wrong.push(format!("{}: joined {joined}, one by one {one_by_one}", message.what));
            }
        }
        read = own;
    }
}

/// Whether a document that was built has the table of one that was read.
fn is_sound(built: Node<'_>, read: Node<'_>) -> bool {
    let is_alike = (built.span(), built.id(), built.name()) == (read.span(), read.id(), read.name());
    is_alike
        && (built.kind(), built.len(), built.raw()) == (read.kind(), read.len(), read.raw())
        && built.values().zip(read.values()).all(|(built, read)| is_sound(built, read))
}

/// Carries one document over and back.
fn go(
    message: &Message,
    before: &Json,
    noted: &BTreeSet<(String, String)>,
    shelves: [&Products; 2],
    found: &mut Found,
) {
    let facts = Document::from_text(r#"{"settings":{},"entity":{"document":{}}}"#).unwrap();
    let facts = Value::Node(facts.root());
    let document = Document::from_text(&before.to_string()).unwrap();
    let is_noted = |place: &str| is_noted(noted, message.function, place);
    spliced_as_mapped(message, &document, &facts, found);
    let over = match carry(&message.there, &document, &facts) {
        Ok(over) => over,
        Err((_, failures)) => {
            found.refused += 1;
            let failure = &failures[0];
            let is_value = failure.code.as_str() != "missingProperty";
            if !is_value && !is_noted(&failure.source_pointer) {
                found.wrong.push(format!("{}: refused {failure:?}", message.what));
            }
            return;
        }
    };
    let Some(body) = over.body else { return };
    let [own, other] = shelves.map(check::Options::new);
    let own = check::check(document.root(), message.from.0, message.from.1, &own);
    if own.is_valid() && over.findings.is_empty() {
        for fault in check::check(body.root(), message.to.0, message.to.1, &other).faults {
            found.faults += 1;
            // What has nothing left that comes over is not there.
            let is_emptied =
                fault.pointer.contains("/productConfiguration/") && fault.reason.ends_with("is required");
            if !is_emptied && !is_noted(&fault.pointer) {
                found.wrong.push(format!("{} {}: {}", message.what, fault.pointer, fault.reason));
            }
        }
    }
    let Ok(again) = carry(&message.back, &body, &facts) else { return };
    let Some(returned) = again.body else { return };
    found.carried += 1;
    let after: Json = serde_json::from_str(returned.text()).unwrap();
    found.lossy += usize::from(*before != after);
    // What was left out was told.
    let last = |finding: &Failure| finding.source_pointer.rsplit('/').next().unwrap_or_default().to_owned();
    let left_out: BTreeSet<String> = over.findings.iter().chain(&again.findings).map(last).collect();
    let is_spoken = |name: &str| left_out.contains(name) || is_noted(name);
    let [before, after] = [before, &after].map(|one| pruned(one, &is_spoken).unwrap_or_default());
    let mut all = Vec::new();
    differing(&before, &after, "", &mut all);
    found.wrong.extend(all.iter().map(|place| format!("{} {place}", message.what)));
}

/// All releases in pairs, both ways, with how far they are from each other.
fn pairs() -> Vec<(Release, Release, usize)> {
    let all: Vec<Release> = Release::all().collect();
    let index = |release| all.iter().position(|one| *one == release).unwrap();
    let pairs = all.iter().flat_map(|from| all.iter().map(move |to| (*from, *to)));
    pairs.map(|(from, to)| (from, to, index(from).abs_diff(index(to)))).filter(|(.., far)| *far > 0).collect()
}

fn told(name: &str, pairs: impl IntoIterator<Item = (Release, Release, Found)>) {
    let mut wrong = Vec::new();
    for (from, to, found) in pairs {
        let Found { carried, lossy, refused, faults, joined, apart, .. } = found;
        println!(
            "{name}, {from} to {to}: {carried} came back, {lossy} of them with noted losses, {refused} refused, \
             {faults} noted faults, {joined} at once and {apart} not"
        );
        wrong.extend(found.wrong);
    }
    wrong.sort();
    wrong.dedup();
    let first = wrong.iter().take(60).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{first}\n{} in all", wrong.len());
}

#[test]
fn generated_documents_go_over_and_back() {
    let all = pairs().into_iter().map(|(from, to, far)| {
        let (noted, mut found) = (noted(from, to), Found::default());
        let products = Products::new(Vec::new());
        let messages = messages(from, to);
        assert!(!messages.is_empty(), "{from} to {to}");
        for message in &messages {
            for seed in 0..[12, 4, 3, 2, 2, 2][far - 1] {
                let mut maker = Maker { random: Random(seed * 7919), products: &products, urns: &[] };
                if let Some(before) = maker.made(message.from.0.view(message.from.1), "", 0) {
                    go(message, &before, &noted, [&products; 2], &mut found);
                }
            }
        }
        assert!(found.carried > 0 && found.spliced > 0, "{from} to {to}");
        let is_one_step = far == 1 || found.joined > 0 || found.apart == 0;
        assert!(is_one_step, "{from} to {to}: nothing goes at once");
        (from, to, found)
    });
    told("messages", all.collect::<Vec<_>>());
}

#[test]
fn generated_products_go_over_and_back() {
    let all =
        pairs().into_iter().filter(|(from, to, _)| *from.max(to) <= Release::GRACE).map(|(from, to, far)| {
            let (noted, mut found) = (noted(from, to), Found::default());
            let (own, other) = (catalogue().products(from), catalogue().products(to));
            let (line, messages) = (Line::between(from, to).unwrap(), messages(from, to));
            let mut met = BTreeSet::new();
            for message in messages.iter().filter(|one| {
                one.what.contains(".createProductOrder request")
                    || one.what.contains("retrieveProduct answer")
            }) {
                for urn in own.urns() {
                    let urns = [Box::from(urn)];
                    let Ok(counterpart) = line.product(message.function.name(), urn) else { continue };
                    if other.resolve(&counterpart).is_none() {
                        // Of another function.
                        continue;
                    }
                    met.insert(counterpart.to_string());
                    for seed in 0..[6, 3, 2, 2, 2][far - 1] {
                        let mut maker = Maker { random: Random(seed * 7919), products: &own, urns: &urns };
                        let Some(before) = maker.made(message.from.0.view(message.from.1), "", 0) else {
                            continue;
                        };
                        go(message, &before, &noted, [&own, &other], &mut found);
                    }
                }
            }
            assert!(met.len() > 5, "{from} to {to}: {met:?}");
            (from, to, found)
        });
    told("products", all.collect::<Vec<_>>());
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
    let line = Line::between(from, to)?;
    let Some(crossed) = line.operation(function.name(), id) else {
        let (_, why) = line.missing(function.name(), id)?;
        return Some(Err(why.to_owned()));
    };
    let back = Line::between(to, from)?.operation(function.name(), &crossed.operation_id)?;
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
