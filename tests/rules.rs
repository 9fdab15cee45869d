//! The numbered rules: each finds what breaks it and nothing in what does not, by the examples in `tests/rules`; none
//! refuses what the guides themselves publish; what another part keeps is held by the test that the rule names.

use segue::{
    json::Document,
    sonata::{
        Function, Release, catalogue,
        rules::{self, Agreed, Broken, Facts, Level, Rule, RuleBook, Stage},
    },
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use super::support::{Bed, Folders, QUOTE, Setup, bounded, quote};

const STAGES: [Stage; 4] = [Stage::Query, Stage::Request, Stage::Change, Stage::Answer];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document(value: &Value) -> Document {
    Document::from_text(&value.to_string()).unwrap()
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten();
    texts.map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn agreed(value: &Value) -> Agreed {
    let types = value["offering_types"].as_object().into_iter().flatten();
    Agreed {
        spatial_references: texts(&value["spatial_references"]),
        postcode_countries: texts(&value["postcode_countries"]),
        offering_types: types.map(|(id, types)| (id.clone(), texts(types))).collect(),
    }
}

/// What a rule finds in a message of an operation, at whichever stage it looks.
fn found(rule: &Rule, operation: &str, example: &Value, message: &Value) -> Vec<String> {
    let levels: BTreeMap<&'static str, Level> =
        rules::all().iter().map(|rule| (rule.id, Level::Reject)).collect();
    let book = RuleBook::of(&levels, |_| rule.release());
    let known = |name: &str| Some(&example[name]).filter(|known| !known.is_null()).map(document);
    let (request, stored, agreed) = (known("request"), known("stored"), agreed(&example["agreed"]));
    let products = catalogue().products(rule.release());
    let facts = Facts {
        request: request.as_ref().map(Document::root),
        stored: stored.as_ref().map(Document::root),
        agreed: &agreed,
        products: &products,
    };
    let message = document(message);
    let mut all = Vec::new();
    for function in rule.functions {
        for stage in STAGES {
            all.extend(book.rules(*function, operation).broken(stage, message.root(), &facts));
        }
    }
    let own = all.into_iter().filter(|broken| broken.rule.id == rule.id);
    let mut own: Vec<String> = own
        .map(|broken| format!("{} {}", broken.fault.code, broken.fault.pointer).trim_end().to_owned())
        .collect();
    own.sort();
    own.dedup();
    own
}

fn examples() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(root().join("tests/rules")).unwrap() {
        let path = entry.unwrap().path();
        let file: BTreeMap<String, Value> = serde_saphyr::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (id, examples) in file {
            match examples {
                Value::Array(several) => all.extend(several.into_iter().map(|one| (id.clone(), one))),
                one => all.push((id, one)),
            }
        }
    }
    all
}

#[test]
fn every_rule_finds_what_breaks_it_and_nothing_else() {
    let (mut wrong, mut shown) = (Vec::new(), BTreeSet::new());
    for (id, example) in examples() {
        let Some(rule) = rules::find(&id) else { panic!("{id} is no rule") };
        let on = example["on"].as_str().unwrap_or_else(|| panic!("{id}: on which operation"));
        let mut expected = texts(&example["faults"]);
        expected.sort();
        expected.dedup();
        assert!(!expected.is_empty(), "{id}: what breaks it has faults");
        for (which, expected) in [("good", Vec::new()), ("bad", expected)] {
            assert!(!example[which].is_null(), "{id}: {which}");
            let mut example = example.clone();
            if which == "good" && !example["stored_good"].is_null() {
                example["stored"] = example["stored_good"].take();
            }
            let found = found(rule, on, &example, &example[which]);
            if found != expected {
                wrong.push(format!("{id}, {which}: {found:?}, not {expected:?}"));
            }
        }
        shown.insert(rule.id);
    }
    let checked = rules::all().iter().filter(|rule| rule.is_checked());
    let without: Vec<&str> = checked.map(|rule| rule.id).filter(|id| !shown.contains(id)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(without.is_empty(), "without an example in tests/rules: {without:?}");
}

#[test]
fn rules_are_well_formed_and_speak_of_what_there_is() {
    let mut ids = BTreeSet::new();
    for rule in rules::all() {
        let parts: Vec<&str> = rule.id.split(':').collect();
        assert_eq!(parts.len(), 3, "{}", rule.id);
        assert_eq!(Release::parse(parts[1]), Some(rule.release()), "{}", rule.id);
        assert!(ids.insert(rule.id), "{} stands twice", rule.id);
        assert!(rule.asks.ends_with('.') && rule.asks.len() <= 200, "{}: {}", rule.id, rule.asks);
        assert!(rule.is_checked() || rule.kept_by().is_some() || rule.not_checked().is_some(), "{}", rule.id);
        for (operation, _) in rule.operations() {
            let known = rule.functions.iter().any(|function| {
                let contract = catalogue().contract(rule.release(), *function);
                contract.is_some_and(|contract| contract.operation(operation).is_some())
            });
            assert!(known, "{}: {operation}", rule.id);
        }
        if let Some((_, test)) = rule.kept_by() {
            let (file, name) = test.split_once(' ').unwrap();
            let text =
                fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert!(text.contains(&format!("fn {name}(")), "{}: {file} has no test {name}", rule.id);
        }
    }
}

/// A published body of grace, by function, operation and role.
struct Published {
    name: String,
    function: Function,
    operation: String,
    is_request: bool,
    body: Document,
}

fn published() -> Option<Vec<Published>> {
    let folder = root().join("../shared/fixtures");
    let Ok(index) = fs::read_to_string(folder.join("index.json")) else {
        println!("skipped: {} is not there", folder.display());
        return None;
    };
    let index: Vec<Value> = serde_json::from_str(&index).unwrap();
    let wanted = index.iter().filter(|one| {
        one["release"] == "grace"
            && one["usable"] == true
            && matches!(one["role"].as_str(), Some("request" | "response"))
            && one["validation"]["apiErrors"].as_array().is_none_or(Vec::is_empty)
    });
    let read = wanted.filter_map(|one| {
        let operation = one["operationId"].as_str()?;
        let functions = match one["function"].as_str()? {
            "workforce" => vec!["appointment", "workOrder"],
            other => vec![other],
        };
        let function = functions.into_iter().filter_map(Function::parse).find(|function| {
            let contract = catalogue().contract(Release::GRACE, *function);
            contract.is_some_and(|contract| contract.operation(operation).is_some())
        })?;
        let text = fs::read_to_string(folder.join(one["file"].as_str()?)).unwrap();
        Some(Published {
            name: one["name"].as_str()?.to_owned(),
            function,
            operation: operation.to_owned(),
            is_request: one["role"] == "request",
            body: Document::from_text(&text).unwrap(),
        })
    });
    Some(read.collect())
}

/// What a published body breaks under the defaults.
fn broken(published: &Published) -> Vec<Broken> {
    let (agreed, products) = (Agreed::default(), catalogue().products(Release::GRACE));
    let facts = Facts { request: None, stored: None, agreed: &agreed, products: &products };
    let book = RuleBook::of(&BTreeMap::new(), |_| Release::GRACE);
    let rules = book.rules(published.function, &published.operation);
    let stage = if published.is_request { Stage::Request } else { Stage::Answer };
    let root = published.body.root();
    let messages = if root.is_array() { root.elements().collect() } else { vec![root] };
    messages.into_iter().flat_map(|message| rules.broken(stage, message, &facts)).collect()
}

#[test]
fn nothing_that_is_published_is_refused_by_a_default() {
    let Some(all) = published() else { return };
    assert!(all.len() > 40, "{}", all.len());
    let mut refused = Vec::new();
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for one in &all {
        for Broken { rule, level, fault } in broken(one) {
            *counted.entry(rule.id).or_default() += 1;
            if level == Level::Reject {
                refused.push(format!("{}: {} at {}", one.name, rule.id, fault.pointer));
            }
        }
    }
    println!("{} published bodies; broken: {counted:?}", all.len());
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

/// A gateway whose partners have these lines of their own.
async fn bed(lines: &[(&str, &str)]) -> Bed {
    let folders = Folders::new(&Setup::default()).await;
    for (partner, lines) in lines {
        let path = format!("config/partners/{partner}.yaml");
        let text = folders.read(&path);
        folders.write(&path, &format!("{text}{lines}\n"));
    }
    Bed::on(folders).await
}

#[tokio::test]
async fn levels_decide_what_becomes_of_a_message() {
    bounded(async {
        let bed = bed(&[
            ("rival", "rules: { \"115:grace:R43\": off, \"115:grace:R32\": reject }\npolicy: { answer_findings: fail }"),
            ("several", "rules: { \"115:grace:R43\": warn }\npolicy: { on_demand: true }"),
        ])
        .await;
        let told = |answer: &super::support::Answer| {
            let faults = answer.json();
            let faults = faults.as_array().unwrap_or_else(|| panic!("{answer:?}")).clone();
            faults.iter().map(|fault| fault["propertyPath"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };

        // Faults against the contract and the guides are told at once, each place once, and nobody is called.
        let mut wrong = quote("x");
        wrong["instantSyncQuote"] = json!(1);
        wrong["quoteItem"] = json!([ { "id": "a" }, { "id": "a", "action": "add" } ]);
        let refused = bed.post(QUOTE, &wrong).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        let mut places = told(&refused);
        places.sort();
        let expected = [
            "/instantSyncQuote",
            "/quoteItem/0/action",
            "/quoteItem/0/product",
            "/quoteItem/1/id",
            "/quoteItem/1/product",
            "/quoteItem/1/product/productConfiguration",
            "/quoteItem/1/product/productOffering",
        ];
        assert_eq!(places, expected, "{refused:?}");
        assert!(bed.received().is_empty());

        // One partner's setting is nobody else's; what is refused of an answer is refused as the policy says.
        let mut bare = quote("y");
        bare["quoteItem"][0]["product"].as_object_mut().unwrap().remove("productOffering");
        assert_eq!(told(&bed.post(QUOTE, &bare).await), ["/quoteItem/0/product/productOffering"]);
        assert!(bed.received().is_empty());
        let failed = bed.post(&format!("/rival{QUOTE}"), &bare).await;
        assert_eq!((failed.status, bed.received().len()), (500, 1), "{failed:?}");

        // On demand.
        let several = format!("/several{QUOTE}?buyerId=b1");
        assert_eq!(bed.post(&several, &bare).await.status, 201);
        bare["buyerRequestedQuoteLevel"] = json!("budgetary");
        assert_eq!(told(&bed.post(&several, &bare).await), ["/buyerRequestedQuoteLevel"]);
    })
    .await;
}
