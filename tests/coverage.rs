//! `coverage`: what it says of a mapping whose every attribute is known.

use segue::{
    mapping::{
        compile::{CompileOptions, CompiledSet, compile},
        coverage::{Attribute, By, Cover, Coverage, coverage, replies},
        schema::Schema as _,
    },
    plan::{BackendInterface, ContractSchema},
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

fn schema() -> ContractSchema {
    let release = Release::parse("grace").unwrap();
    let contracts =
        catalogue().functions(release).filter_map(|function| catalogue().contract(release, function));
    ContractSchema::new(contracts.collect(), catalogue().products(release))
}

fn compiled(set: &str, quote: &str) -> CompiledSet {
    let files = [("set.yaml", set), ("codes.yaml", CODES), ("quote.yaml", quote)];
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let files = FileSet::of("m", files);
    let set = compile(&files, None, &schema(), &CompileOptions::default(), &mut sources, &mut out);
    set.unwrap_or_else(|| panic!("{}", out.render_text(&sources)))
}

fn told_of(set: &CompiledSet, id: &str) -> Coverage {
    let schema = schema();
    let facts = schema.operation("quote", id).unwrap();
    let (program, not_echoed) = match set.operations.get(format!("quote.{id}").as_str()) {
        Some(operation) => (Some(&*operation.program), &operation.not_echoed[..]),
        None => (None, &[][..]),
    };
    coverage("quote", program, not_echoed, &facts, &schema)
}

fn by_place(rows: Vec<Attribute>) -> BTreeMap<String, Attribute> {
    let count = rows.len();
    let rows: BTreeMap<_, _> = rows.into_iter().map(|row| (row.place.clone(), row)).collect();
    assert_eq!(rows.len(), count, "a place has two rows");
    rows
}

fn covered(id: &str) -> Rows {
    let coverage = told_of(&compiled("language: 1\n", QUOTE), id);
    [coverage.request, coverage.answer].map(by_place)
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
fn without_a_mapping_every_attribute_is_listed() {
    let [request, answer] = covered("retrieveQuote");
    assert_eq!(request.len(), 2, "{request:?}");
    assert_eq!(told(&answer, "quoteItem.quoteItemPrice.price.dutyFreeAmount.unit"), "never optional");
    assert_eq!(told(&answer, "validFor.endDateTime"), "never optional");
    assert_eq!(told(&answer, "id"), "always duty required");
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

const OVC: &str = "urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all";
const UNI: &str = "urn:mef:lso:spec:sonata:carrier-ethernet-operator-uni:v5.0.0:all";

const SET: &str = r#"
language: 1
products:
  ovc: [ "urn:mef:lso:spec:sonata:access-eline-ovc:v5.0.0:all", "urn:example:not-known" ]
  uni: "urn:mef:lso:spec:sonata:carrier-ethernet-operator-uni:v5.0.0:all"
"#;

const PRODUCTS: &str = r#"
function: quote
shapes:
  item:
    fields:
      - { sonata: product.productConfiguration.maximumFrameSize, legacy: mtu, if: { product: ovc, legacy: "@.k == 1" } }
      - { sonata: product.productConfiguration.linkOam, legacy: oam, if: "@.agreementName", only: request }
      - { legacy: sum, script: "cfg.len()", in: { cfg: product.productConfiguration.ceVlanIdPreservation } }
      - one_of:
          - if: { product: ovc, legacy: "@.sku == 'O'" }
            fields:
              - { sonata: product.productConfiguration.cTagPcpPreservation, legacy: p }
              - { sonata: "product.productConfiguration.enniEp.identifier", legacy: ep }
          - if: { product: uni, sonata: "@.dealReference == 'x'", legacy: "@.sku == 'U'" }
            fields: [ { sonata: product.productConfiguration.linkAggregation, legacy: lag } ]
          - else: { refuse: invalidValue, at: product, reason: "not sold" }
operations:
  createQuote:
    call: POST /o
    request: { fields: [ { sonata: "quoteItem[*]", legacy: "lines[*]", shape: item } ] }
    answer: { fields: [ { sonata: "quoteItem[*]", legacy: "lines[*]", shape: item } ] }
"#;

#[test]
fn configurations_are_covered_by_product() {
    let coverage = told_of(&compiled(SET, PRODUCTS), "createQuote");
    let products: Vec<_> =
        coverage.products.iter().map(|one| (one.place.as_str(), one.urn.as_str())).collect();
    let place = "quoteItem.product.productConfiguration";
    assert_eq!(products, [(place, OVC), (place, UNI)]);
    let [ovc, uni] = <[_; 2]>::try_from(coverage.products).unwrap();
    let ([ovc, ovc_answer], [uni, uni_answer]) =
        ([ovc.request, ovc.answer].map(by_place), [uni.request, uni.answer].map(by_place));
    for (rows, place, expected) in [
        (&ovc, "maximumFrameSize", "always rule echo optional"),
        (&ovc, "cTagPcpPreservation", "always rule echo optional"),
        (&ovc, "enniEp.identifier", "always rule echo optional"),
        (&ovc, "enniEp.colorMap", "never echo optional"),
        (&ovc, "ceVlanIdPreservation", "always rule echo optional"),
        (&ovc, "frameDisposition", "never echo optional"),
        // Its branch is taken of some of them only, and so is the rule with a condition of its own.
        (&uni, "linkAggregation", "conditionally rule echo optional"),
        (&uni, "linkOam", "conditionally rule echo optional"),
        (&uni, "meg", "never echo optional"),
        (&ovc_answer, "maximumFrameSize", "always rule echo optional"),
        (&ovc_answer, "frameDisposition", "always echo optional"),
        (&uni_answer, "linkAggregation", "always rule echo optional"),
    ] {
        assert_eq!(told(rows, place), expected, "{place}");
    }
    assert!(!ovc.contains_key("linkAggregation") && !ovc.contains_key("@type"), "{:?}", ovc.keys());
    assert!(compiled("language: 1\n", QUOTE).operations.len() == 2);
    assert!(told_of(&compiled("language: 1\n", QUOTE), "createQuote").products.is_empty());
}

const INTERFACE: &str = r##"
openapi: 3.0.3
info: { title: t, version: "1" }
paths:
  /o:
    get:
      responses:
        "200":
          description: ok
          content: { application/json: { schema: { type: object, properties: {
            meta: { type: object, properties: { total: { type: integer }, host: { type: string } } },
            items: { type: array, items: { $ref: "#/components/schemas/Offer" } } } } } }
    post:
      responses:
        "200": { description: ok, content: { application/json: { schema: { $ref: "#/components/schemas/Offer" } } } }
        "404": { description: no, content: { application/json: { schema: { type: object, properties: { why: { type: string } } } } } }
components:
  schemas:
    Offer:
      type: object
      required: [ no ]
      properties:
        no: { type: string }
        st: { type: string, enum: [ A, R, X ] }
        a: { type: integer }
        to: { type: string }
        memo: { type: object, properties: { text: { type: string } } }
        lines: { type: array, items: { type: object, properties: {
          no: { type: string }, prices: { type: array, items: { type: object, properties: { v: { type: number } } } },
          seen: { type: string } } } }
"##;

#[test]
fn what_is_never_read_of_a_reply() {
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let files = FileSet::of("", [("openapi/m.yaml", INTERFACE)]);
    let api = BackendInterface::read("m", &files, "openapi/m.yaml", &mut sources, &mut out);
    let api = api.unwrap_or_else(|| panic!("{}", out.render_text(&sources)));
    let paged = QUOTE.replace(
        "request: { fields: [ { sonata: \"query:ext",
        "paging: { page: p, size: s, total: $.meta.total }\n    request: { fields: [ { sonata: \"query:ext",
    );
    assert_ne!(paged, QUOTE);
    let set = compiled("language: 1\n", &paged);
    let of = |id: &str| {
        let replies = replies(&set.operations[format!("quote.{id}").as_str()].program, &api);
        let [reply] = <[_; 1]>::try_from(replies).unwrap();
        assert_eq!(reply.call, id);
        by_place(reply.attributes)
    };
    let made = of("createQuote");
    for (place, expected) in [
        ("no", "never required"),
        ("st", "always rule optional -X"),
        ("a", "always rule optional"),
        ("to", "conditionally rule optional"),
        ("memo", "never optional"),
        ("lines.no", "always rule optional"),
        ("lines.prices", "always rule optional"),
        ("lines.seen", "never optional"),
    ] {
        assert_eq!(told(&made, place), expected, "{place}");
    }
    assert!(!made.contains_key("why"), "{:?}", made.keys());
    let listed = of("listQuote");
    for (place, expected) in [
        ("meta.total", "always rule optional"),
        ("meta.host", "never optional"),
        ("items.no", "always rule required"),
        ("items.st", "always rule optional -X"),
        ("items.lines", "never optional"),
    ] {
        assert_eq!(told(&listed, place), expected, "{place}");
    }
}
