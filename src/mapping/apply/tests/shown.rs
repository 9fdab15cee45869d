//! Traces, and the way back from what was written to what was read.

use super::*;
use crate::mapping::apply::apply_traced;
use crate::mapping::trace::{Outcome, Row, property_path, source_of};

fn traced(program: &Program, body: &str) -> Vec<Row> {
    with_input(body, |input| apply_traced(program, input).1)
}

fn with_input<T>(body: &str, work: impl FnOnce(&Input<'_>) -> T) -> T {
    let document = Document::from_text(body).unwrap();
    let (facts, references) = (Value::Object(Vec::new()), References::new());
    work(&Input {
        body: Some(document.root()),
        scope: None,
        index: None,
        query: &[],
        path: &[],
        headers: crate::mapping::apply::Headers::none(),
        facts: &facts,
        references: &references,
        remembered: &[],
        tables: &crate::mapping::program::Tables::NONE,
        limits: Limits::default(),
    })
}

fn told(rows: &[Row]) -> Vec<String> {
    let name = |outcome: &Outcome| match outcome {
        Outcome::Failed(why) | Outcome::Omitted(why) => why.clone(),
        other => format!("{other:?}"),
    };
    rows.iter()
        .map(|row| format!("{} {} > {} {}", row.source, row.value, row.target, name(&row.outcome)))
        .collect()
}

fn quote() -> Program {
    let one_of = OneOf {
        branches: [branch("@.product.t == 'ovc'", "@.sku=='EVPLA'", vec![pair("product.mtu", "mtu")])].into(),
        otherwise: Otherwise::Nothing,
    };
    let place = append("place[?@.role=='A']", "$.adr[*]", ("lineNo", "lineNo"), vec![pair("city", "ort")]);
    let items = vec![
        pair("action", "act"),
        rule("product", Action::OneOf(Shared::new(one_of))),
        group("term", "t", vec![constant("S", "name"), pair("n", "n")]),
        place,
    ];
    request(vec![
        pair("externalId", "hdr.custRef"),
        pair("gone", "hdr.gone"),
        each_with("quoteItem[*]", "lines[*]", items, |each| {
            each.key = Some(key("id", "lineNo", KeyForm::Number, Some((10, 10))));
        }),
    ])
}

const BODY: &str = r#"{"externalId":"B-1","quoteItem":[{"id":"1","action":"add","term":{}},
    {"id":"2","product":{"t":"ovc","mtu":1526},"place":[{"role":"B"},{"role":"A","city":"Berlin"}],"term":{"n":3}}]}"#;

#[test]
fn a_trace_tells_what_every_rule_did() {
    assert_eq!(
        told(&traced(&quote(), BODY)),
        [
            "/externalId 'B-1' > /hdr/custRef Written",
            "/gone  > /hdr/gone Absent",
            "/quoteItem/0/id 10 > /lines/0/lineNo Written",
            "/quoteItem/0/action 'add' > /lines/0/act Written",
            " 'S' > /lines/0/t/name GroupEmpty",
            "/quoteItem/0/term/n  > /lines/0/t/n Absent",
            "/quoteItem/0/place  > /adr Absent",
            "/quoteItem/1/id 20 > /lines/1/lineNo Written",
            "/quoteItem/1/action  > /lines/1/act Absent",
            "/quoteItem/1/product/t 'ovc' > /lines/1/sku Written",
            "/quoteItem/1/product/mtu 1526 > /lines/1/mtu Written",
            " 'S' > /lines/1/t/name Constant",
            "/quoteItem/1/term/n 3 > /lines/1/t/n Written",
            "/quoteItem/1/place/1/city 'Berlin' > /adr/0/ort Written",
        ]
    );
}

#[test]
fn a_complaint_about_what_was_sent_finds_what_was_received() {
    for (target, source) in [
        ("/hdr/custRef", Some("/externalId")),
        ("/lines/1/sku", Some("/quoteItem/1/product/t")),
        ("/lines/1/mtu", Some("/quoteItem/1/product/mtu")),
        ("/lines/1/lineNo", Some("/quoteItem/1/id")),
        ("/adr/0/ort", Some("/quoteItem/1/place/1/city")),
        ("/lines/1", Some("/quoteItem/1/id")),
        ("/hdr/custRef/inside", Some("/externalId")),
        ("/lines/1/t/name", None),
        ("/nowhere", None),
    ] {
        let found = with_input(BODY, |input| property_path(&quote(), input, target));
        assert_eq!(found.as_deref(), source, "{target}");
    }
}

#[test]
fn failures_are_in_the_trace() {
    let program = request(vec![pair_with("a", "x.y", |pair| pair.required = true)]);
    let rows = traced(&program, "{}");
    assert_eq!(told(&rows), ["/a  > /x/y a required attribute is missing"]);
    assert_eq!(source_of(&rows, "/x/y"), None);
}

#[test]
fn tracing_changes_nothing() {
    with_input(BODY, |input| {
        let program = quote();
        let (plain, (traced, _)) = (apply(&program, input), apply_traced(&program, input));
        assert_eq!(shown(&plain), shown(&traced));
    });
}
