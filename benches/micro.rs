//! What each step of an exchange costs by itself, on authored documents of the reference sizes.
//!
//! `cargo bench --bench micro` times them, `serde_json` beside them in the same run. Wall clocks differ from
//! machine to machine: compare ratios. `benches/instructions.sh` counts instructions instead, through
//! `--count STEP TIMES`, which runs one step that many times and nothing else.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

use std::{fmt::Write as _, hint::black_box};

use criterion::{Criterion, Throughput};
use segue::json::{Builder, Document, Limits, Node, Slot};

/// A step under measurement: its name and what it does once.
type Step<'i> = (&'static str, Box<dyn Fn() + 'i>);

/// Items of the quote, which make it 6.7 KB.
const ITEMS: usize = 7;

fn main() {
    let quote = quote(ITEMS);
    let document = Document::from_text(&quote).unwrap();
    let value: serde_json::Value = serde_json::from_str(&quote).unwrap();
    let steps = steps(&quote, &document, &value);
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--count") {
        count(&steps, &arguments[at + 1..]);
        return;
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("json");
    group.throughput(Throughput::Bytes(quote.len() as u64));
    for (name, step) in &steps {
        group.bench_function(*name, |bencher| bencher.iter(step));
    }
    group.finish();
    criterion.final_summary();
}

/// `STEP TIMES`
fn count(steps: &[Step<'_>], arguments: &[String]) {
    let [name, times] = arguments else { panic!("--count STEP TIMES") };
    let (_, step) = steps.iter().find(|(known, _)| known == name).unwrap();
    for _ in 0..times.parse::<usize>().unwrap() {
        step();
    }
}

fn steps<'i>(quote: &'i str, document: &'i Document, value: &'i serde_json::Value) -> Vec<Step<'i>> {
    let limits = Limits::default();
    vec![
        (
            "parse",
            Box::new(move || {
                black_box(Document::parse(black_box(quote).as_bytes().to_vec(), &limits).unwrap());
            }),
        ),
        (
            "parse-serde_json",
            Box::new(move || {
                black_box(serde_json::from_slice::<serde_json::Value>(black_box(quote).as_bytes()).unwrap());
            }),
        ),
        (
            "read-30-fields",
            Box::new(move || {
                black_box(read_fields(black_box(document).root()));
            }),
        ),
        (
            "write-copied",
            Box::new(move || {
                let mut builder = Builder::new();
                let root = builder.copy(black_box(document).root());
                builder.get(root, "quoteItem");
                black_box(builder.finish(root));
            }),
        ),
        (
            "write-built",
            Box::new(move || {
                let mut builder = Builder::new();
                let root = rebuild(&mut builder, black_box(document).root());
                black_box(builder.finish(root));
            }),
        ),
        (
            "write-serde_json",
            Box::new(move || {
                black_box(serde_json::to_vec(black_box(value)).unwrap());
            }),
        ),
    ]
}

/// The fields that a mapping of a quote reads: a few of the head, the same of every item.
fn read_fields(root: Node<'_>) -> usize {
    let mut bytes = 0;
    for name in ["externalId", "buyerRequestedQuoteLevel", "requestedQuoteCompletionDate", "instantSyncQuote"]
    {
        bytes += root.get(name).map_or(0, |node| node.raw().len());
    }
    for item in root.get("quoteItem").into_iter().flat_map(Node::elements).take(6) {
        let product = item.get("product").and_then(|product| product.get("productConfiguration"));
        bytes += item.get("id").map_or(0, |node| node.raw().len());
        bytes += item.get("action").map_or(0, |node| node.raw().len());
        bytes += product.and_then(|product| product.get("@type")).map_or(0, |node| node.raw().len());
        bytes +=
            product.and_then(|product| product.get("maximumFrameSize")).map_or(0, |node| node.raw().len());
    }
    bytes
}

fn rebuild<'d>(builder: &mut Builder<'d>, node: Node<'d>) -> Slot {
    if node.is_object() {
        let object = builder.object();
        for (name, member) in node.members() {
            let value = rebuild(builder, member);
            builder.set(object, name, value);
        }
        object
    } else if node.is_array() {
        let array = builder.array();
        for element in node.elements() {
            let value = rebuild(builder, element);
            builder.push(array, value);
        }
        array
    } else if let Some(text) = node.as_str() {
        builder.string(text)
    } else {
        builder.copy(node)
    }
}

/// An authored quote request in the manner of the standard, as compact JSON.
fn quote(items: usize) -> String {
    let mut text = String::from(
        r#"{"externalId":"BQ-2026-004711","buyerRequestedQuoteLevel":"firm","instantSyncQuote":false,"#,
    );
    text.push_str(
        r#""requestedQuoteCompletionDate":"2026-12-04T09:00:00.000Z","description":"Head office and "#,
    );
    text.push_str(r#"six branches \u2013 second offer","relatedContactInformation":[{"role":"buyerContactInformation","#);
    text.push_str(r#""name":"Ada Example","emailAddress":"ada@globex.example","number":"+49 30 5550100"},"#);
    text.push_str(
        r#"{"role":"buyerTechnicalContact","name":"Bob Example","emailAddress":"bob@globex.example","#,
    );
    text.push_str(
        r#""number":"+49 30 5550101"}],"note":[{"id":"1","author":"Ada Example","source":"buyer","#,
    );
    text.push_str(
        r#""date":"2026-11-20T08:15:30.250Z","text":"Please quote the six branches as one project; "#,
    );
    text.push_str(
        r"the frame agreement of this year holds for all of them. Installation before the end of the ",
    );
    text.push_str(
        r"first quarter is wanted, but not at the price of a second visit to any of the sites. The ",
    );
    text.push_str(r#"rooms are open on working days from eight to five."}],"quoteItem":["#);
    for item in 1..=items {
        if item > 1 {
            text.push(',');
        }
        write!(
            text,
            concat!(
                r#"{{"id":"item-{item}","action":"add","requestedQuoteItemTerm":{{"name":"standard","duration":"#,
                r#"{{"amount":36,"units":"calendarMonths"}},"endOfTermAction":"autoRenew"}},"product":"#,
                r#"{{"productConfiguration":{{"@type":"urn:example:products:access-line:v1.0:all","#,
                r#""maximumFrameSize":1526,"vlanPreservation":true,"circuitEndPoint":[{{"identifier":"ep-{item}","#,
                r#""ingressBandwidth":{{"cir":{{"irValue":{item}00.50,"irUnits":"MBPS"}},"#,
                r#""eir":{{"irValue":0,"irUnits":"MBPS"}}}},"classOfService":"medium"}}],"nniReference":null}},"#,
                r#""place":[{{"@type":"FieldedAddress","role":"INSTALL_LOCATION","streetNr":"{item}2a","#,
                r#""streetName":"Hauptstraße","city":"Köln","postcode":"5066{item}","country":"DE","#,
                r#""geographicSubAddress":{{"levelType":"floor","levelNumber":"{item}"}}}}]}},"#,
                r#""quoteItemRelationship":[{{"id":"item-1","relationshipType":"CONNECTS_TO_UNI"}}],"#,
                r#""agreementName":"Frame 2026"}}"#
            ),
            item = item
        )
        .unwrap();
    }
    text.push_str("]}");
    text
}
