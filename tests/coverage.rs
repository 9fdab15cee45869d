//! `coverage`: what it says of a mapping whose every attribute is known.

use segue::{
    mapping::{
        compile::{CompileOptions, compile},
        coverage::{Attribute, By, Cover, coverage},
        schema::Schema as _,
    },
    plan::ContractSchema,
    sonata::{Release, catalogue},
    text::{Diagnostics, FileSet, Sources},
};
use std::collections::BTreeMap;

const CODES: &str = "level: [ { sonata: firm, legacy: F }, { sonata: budgetary, legacy: B } ]
state: [ { sonata: accepted, legacy: A }, { sonata: rejected, legacy: R } ]
";

const QUOTE: &str = r#"
function: quote
shapes:
  item:
    fields:
      - { sonata: action, legacy: act, only: request }
      - { sonata: product.id, legacy: prod, only: request }
      - { sonata: quoteItemPrice, legacy: prices, only: answer }
  quote:
    fields:
      - { sonata: externalId, legacy: ref, only: request }
      - { sonata: description, legacy: text, only: request, if: "@.projectId" }
      - { sonata: buyerRequestedQuoteLevel, legacy: lvl, codes: level, only: request }
      - { sonata: state, legacy: st, codes: state, only: answer }
      - { sonata: "relatedContactInformation[?@.role=='buyerContactInformation'].name", legacy: cNm, only: request }
      - one_of:
          - if: { legacy: "@.a == 1" }
            fields: [ { sonata: quoteLevel, value: firm }, { sonata: validFor.endDateTime, legacy: to } ]
          - else: { fields: [ { sonata: quoteLevel, value: budgetary } ] }
        only: answer
      - { sonata: "quoteItem[*]", legacy: "lines[*]", key: { sonata: id, legacy: no }, shape: item }
operations:
  createQuote: { call: POST /o, request: quote, answer: quote }
  listQuote:
    call: GET /o
    request: { fields: [ { sonata: "query:externalId", legacy: "query:ref" } ] }
    answer: { each: "items[*]", legacy_id: no, fields: [ { sonata: state, legacy: st, codes: state } ] }
"#;

/// Rows of the request and of the answer of an operation, by place.
type Rows = [BTreeMap<String, Attribute>; 2];

fn covered(id: &str) -> Rows {
    let release = Release::parse("grace").unwrap();
    let contracts =
        catalogue().functions(release).filter_map(|function| catalogue().contract(release, function));
    let schema = ContractSchema::new(contracts.collect(), catalogue().products(release));
    let files = [("set.yaml", "language: 1\n"), ("codes.yaml", CODES), ("quote.yaml", QUOTE)];
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let files = FileSet::of("m", files);
    let set = compile(&files, None, &schema, &CompileOptions::default(), &mut sources, &mut out);
    let set = set.unwrap_or_else(|| panic!("{}", out.render_text(&sources)));
    let operation = &set.operations[&format!("quote.{id}")];
    let facts = schema.operation("quote", id).unwrap();
    let coverage = coverage("quote", &operation.program, &operation.not_echoed, &facts, &schema);
    [coverage.request, coverage.answer].map(|rows| {
        let count = rows.len();
        let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.place.clone(), row)).collect();
        assert_eq!(rows.len(), count, "a place has two rows");
        rows
    })
}

/// `cover by… required|optional -uncoded…`
fn told(rows: &BTreeMap<String, Attribute>, place: &str) -> String {
    let row = rows.get(place).unwrap_or_else(|| panic!("no {place} in {:?}", rows.keys()));
    let mut words = vec![row.cover.as_str().to_owned()];
    words.extend(row.by.iter().map(|by| by.as_str().to_owned()));
    words.push(if row.required { "required" } else { "optional" }.to_owned());
    words.extend(row.uncoded.iter().map(|value| format!("-{value}")));
    words.join(" ")
}

#[test]
fn what_is_read_of_a_request() {
    let [request, _] = covered("createQuote");
    for (place, expected) in [
        ("externalId", "always rule echo optional"),
        ("description", "conditionally rule echo optional"),
        ("projectId", "always rule echo optional"),
        ("buyerRequestedQuoteLevel", "always rule echo required"),
        ("instantSyncQuote", "never echo required"),
        ("relatedContactInformation.name", "conditionally rule echo required"),
        ("relatedContactInformation.emailAddress", "never echo required"),
        ("quoteItem.action", "always rule echo required"),
        ("quoteItem.id", "always rule echo required"),
        ("quoteItem.product.id", "always rule echo optional"),
        ("quoteItem.product.place", "never echo optional"),
        ("quoteItem.note", "never echo optional"),
        ("query:buyerId", "always duty optional"),
    ] {
        assert_eq!(told(&request, place), expected, "{place}");
    }
    let [request, _] = covered("listQuote");
    assert_eq!(told(&request, "query:externalId"), "always rule duty optional");
    assert_eq!(told(&request, "query:offset"), "always duty optional");
    assert_eq!(told(&request, "query:projectId"), "always duty optional");
}

#[test]
fn what_is_written_of_an_answer() {
    let [_, answer] = covered("createQuote");
    for (place, expected) in [
        ("externalId", "always echo optional"),
        ("id", "always duty required"),
        ("quoteLevel", "always rule optional -firmSubjectToFeasibilityCheck"),
        ("validFor.endDateTime", "conditionally rule optional"),
        ("quoteItem.quoteItemPrice", "always rule optional"),
        ("quoteItem.id", "always rule echo duty required"),
    ] {
        assert_eq!(told(&answer, place), expected, "{place}");
    }
    let state = &answer["state"];
    assert_eq!((state.cover, state.by.as_slice()), (Cover::Always, [By::Rule, By::Duty].as_slice()));
    assert!(state.uncoded.iter().any(|value| value == "expired"), "{state:?}");
    assert!(!state.uncoded.iter().any(|value| value == "accepted"), "{state:?}");
}
