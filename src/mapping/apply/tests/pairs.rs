//! Pairs: absent, null and empty; transforms, defaults, duties; parts other than the body.

use super::*;
use crate::json::query::Query;
use crate::mapping::apply::Fault;
use crate::mapping::codes::{CodeTable, CodeType, Row};
use crate::mapping::convert::Converter;
use crate::mapping::path::Part;
use crate::mapping::program::Argument;

fn states(all: bool, otherwise: Option<Literal>) -> Transform {
    let row = |sonata: &[&str], legacy: &[&str]| Row {
        sonata: sonata.iter().map(ToString::to_string).collect(),
        legacy: legacy.iter().map(ToString::to_string).collect(),
    };
    let rows = vec![row(&["approved"], &["A1", "A2"]), row(&["inProgress"], &["B"]), row(&["expired"], &[])];
    let table = Arc::new(CodeTable::new(rows, CodeType::Text, CodeType::Text));
    Transform::Codes(CodesUse { table, otherwise, all })
}

fn converting(text: &str, argument: Option<Argument>) -> Transform {
    Transform::Convert(ConvertUse { converter: Arc::new(Converter::parse(text).unwrap()), argument })
}

fn through(transform: Transform, source: &str, target: &str) -> Rule {
    pair_with(source, target, |pair| pair.transforms = Box::new([transform]))
}

#[test]
fn a_pair_copies_what_is_there_as_it_is_spelled() {
    check(
        &request(vec![
            pair("externalId", "hdr.custRef"),
            pair("n", "hdr.deep.n"),
            pair("['a b']", "['c d'][0].e"),
        ]),
        &[
            (r#"{"externalId":"B-\u0031","n":1.10}"#, r#"{"hdr":{"custRef":"B-\u0031","deep":{"n":1.10}}}"#),
            (r#"{"n":{"x" : [ ]}}"#, r#"{"hdr":{"deep":{"n":{"x" : [ ]}}}}"#),
            (r#"{"a b":[]}"#, r#"{"c d":[{"e":[]}]}"#),
            (r#"{"externalId":null}"#, "nothing"),
            ("{}", "nothing"),
            ("[]", "nothing"),
        ],
    );
}

#[test]
fn members_stand_in_the_order_of_the_rules() {
    check(
        &request(vec![constant("C", "c"), pair("b", "b"), pair("a", "a"), pair("c2", "x.c")]),
        &[(r#"{"a":1,"b":2,"c2":3}"#, r#"{"c":"C","b":2,"a":1,"x":{"c":3}}"#), ("{}", r#"{"c":"C"}"#)],
    );
}

#[test]
fn null_is_absent_unless_the_target_takes_it() {
    let default = Some(Constant::Literal(text("D")));
    check(
        &request(vec![
            pair_with("a", "a", |pair| pair.null_allowed = true),
            pair_with("b", "b", |pair| pair.default = default),
            pair_with("c", "c", |pair| pair.required = true),
        ]),
        &[
            (r#"{"a":null,"b":null,"c":0}"#, r#"{"a":null,"b":"D","c":0}"#),
            (r#"{"c":false}"#, r#"{"b":"D","c":false}"#),
            (r#"{"c":null}"#, "/c missingProperty: a required attribute is missing"),
        ],
    );
}

#[test]
fn codes_are_read_both_ways() {
    let there = request(vec![through(states(false, None), "state", "st")]);
    check(
        &there,
        &[
            (r#"{"state":"approved"}"#, r#"{"st":"A1"}"#),
            (r#"{"state":"expired"}"#, "/state invalidValue: the value 'expired' has no counterpart"),
            (r#"{"state":"new"}"#, "/state invalidValue: the value 'new' is not known"),
            ("{}", "nothing"),
        ],
    );
    let back = answer(vec![through(states(false, Some(text("inProgress"))), "st", "state")]);
    check(
        &back,
        &[(r#"{"st":"A2"}"#, r#"{"state":"approved"}"#), (r#"{"st":"?"}"#, r#"{"state":"inProgress"}"#)],
    );
}

#[test]
fn a_filter_asks_for_all_legacy_values() {
    let program = request(vec![
        through(states(true, None), "query:state", "query:st"),
        pair("query:limit", "header:X-Limit"),
        pair("query:none", "query:none"),
    ]);
    let references = References::new();
    let query: Vec<_> = [("state", "approved"), ("state", "inProgress"), ("limit", "5")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    let with = With { query: &query, remembered: &[], references: &references, limits: Limits::default() };
    let applied = run_with(&program, "{}", &with).unwrap();
    let st: Vec<_> = applied.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(st, ["st=A1", "st=A2", "st=B"]);
    assert_eq!(applied.headers, [("x-limit".to_owned(), "5".to_owned())]);
    assert!(applied.body.is_none());

    let query = [("state".to_owned(), "gone".to_owned())];
    let with = With { query: &query, ..with };
    let failure = run_with(&program, "{}", &with).unwrap_err().remove(0);
    assert_eq!((failure.part, &*failure.source_pointer), (Part::Query, "/state"));
}

#[test]
fn converters_get_their_argument_from_the_legacy_side() {
    let money = || Converter::parse("money(minor, currency: $.cur)").unwrap();
    let argument = || path(&money().path_argument().unwrap().text);
    let back = answer(vec![through(
        converting("money(minor, currency: $.cur)", Some(Argument::Source(argument()))),
        "x.mrc",
        "price",
    )]);
    check(&back, &[(r#"{"x":{"mrc":12550},"cur":"EUR"}"#, r#"{"price":{"unit":"EUR","value":125.50}}"#)]);
    let there = request(vec![
        pair("unit", "cur"),
        through(
            converting("money(minor, currency: $.cur)", Some(Argument::Target(argument()))),
            "price",
            "x.mrc",
        ),
    ]);
    check(
        &there,
        &[(r#"{"unit":"EUR","price":{"unit":"EUR","value":125.5}}"#, r#"{"cur":"EUR","x":{"mrc":12550}}"#)],
    );
}

#[test]
fn absent_is_offered_to_a_converter_that_reads_it() {
    let flag = || converting("boolean(J, absent)", None);
    check(
        &answer(vec![through(flag(), "renew", "renewal")]),
        &[(r#"{"renew":"J"}"#, r#"{"renewal":true}"#), ("{}", r#"{"renewal":false}"#)],
    );
    check(
        &request(vec![through(flag(), "renewal", "renew")]),
        &[
            (r#"{"renewal":true}"#, r#"{"renew":"J"}"#),
            (r#"{"renewal":false}"#, "nothing"),
            ("{}", "nothing"),
        ],
    );
}

#[test]
fn queries_give_nothing_one_or_an_array() {
    let from = |query: &str| {
        let source = Source::Query(Query::parse(query).unwrap());
        request(vec![rule(query, Action::Pair(Shared::new(blank(source, "x"))))])
    };
    let body = r#"{"a":[{"n":1},{"n":2}],"b":{"c":3}}"#;
    check(&from("$.a[*].n"), &[(body, r#"{"x":[1,2]}"#)]);
    check(&from("$.a[?@.n > 1].n"), &[(body, r#"{"x":2}"#)]);
    check(&from("$.a[?@.n > 2].n"), &[(body, "nothing")]);
    check(&from("@.b.c"), &[(body, r#"{"x":3}"#)]);
}

#[test]
fn a_condition_reads_here_and_is_written_there() {
    let there = request(vec![pair_with("a", "a", |pair| {
        pair.condition = condition("@.kind == 'x'");
        pair.also = terms("@.typ=='X' && @.sub.n==1");
    })]);
    check(
        &there,
        &[
            (r#"{"kind":"x","a":1}"#, r#"{"a":1,"typ":"X","sub":{"n":1}}"#),
            (r#"{"kind":"y","a":1}"#, "nothing"),
            (r#"{"kind":"x"}"#, "nothing"),
        ],
    );
}

#[test]
fn references_are_asked_for_and_used() {
    let reference = |each| Transform::Ref { kind: "product".into(), each };
    let program = request(vec![each(
        "items[*]",
        "lines[*]",
        vec![
            through(reference(false), "product.id", "assetNo"),
            through(reference(true), "others", "others"),
        ],
    )]);
    let body = r#"{"items":[{"product":{"id":"p1"}},{"product":{"id":"p2"},"others":["p1","p3"]},{}]}"#;
    let document = Document::from_text(body).unwrap();
    let facts = Value::Object(Vec::new());
    let mut resolved = References::new();
    let asked = |resolved: &References| {
        let input = Input {
            body: Some(document.root()),
            scope: None,
            index: None,
            query: &[],
            path: &[],
            headers: crate::mapping::apply::Headers::none(),
            facts: &facts,
            references: resolved,
            remembered: &[],
            tables: &crate::mapping::program::Tables::NONE,
            limits: Limits::default(),
        };
        let needed = crate::mapping::apply::references(&program, &input);
        let needed: Vec<_> = needed.into_iter().map(|n| format!("{} {}", n.kind, n.id)).collect();
        (needed, shown(&apply(&program, &input)))
    };
    let (needed, failed) = asked(&resolved);
    assert_eq!(needed, ["product p1", "product p2", "product p1", "product p3"]);
    assert!(
        failed.starts_with("/items/0/product/id referenceNotFound: there is no product 'p1'; "),
        "{failed}"
    );
    for (id, legacy) in [("p1", "A1"), ("p2", "A2"), ("p3", "A3")] {
        resolved.insert("product", id, legacy);
    }
    let expected = r#"{"lines":[{"assetNo":"A1"},{"assetNo":"A2","others":["A1","A3"]}]}"#;
    assert_eq!(asked(&resolved).1, expected);
}

#[test]
fn all_failures_are_told_up_to_a_limit() {
    let needed = |name: &str| pair_with(name, name, |pair| pair.required = true);
    let program = request(vec![needed("a"), needed("b.c"), pair("d", "d"), needed("e")]);
    let failures = run(&program, r#"{"b":{},"d":1}"#).unwrap_err();
    let told: Vec<_> = failures.iter().map(|f| (&*f.source_pointer, &*f.target)).collect();
    assert_eq!(told, [("/a", "a"), ("/b/c", "b.c"), ("/e", "e")]);
    assert!(failures.iter().all(|failure| failure.fault == Fault::Sender));
    let references = References::new();
    let limits = Limits { failures_max: 2, ..Limits::default() };
    let with = With { query: &[], remembered: &[], references: &references, limits };
    assert_eq!(run_with(&program, "{}", &with).unwrap_err().len(), 2);
}

#[test]
fn an_answer_may_leave_out_and_say_so() {
    let mut optional = through(states(false, None), "st", "state");
    optional.on_failure = OnFailure::Omit;
    let mut program = answer(vec![pair("id", "id"), optional]);
    let applied = run(&program, r#"{"id":"1","st":"?"}"#).unwrap();
    assert_eq!(applied.body.unwrap().text(), r#"{"id":"1"}"#);
    assert_eq!((applied.findings.len(), &*applied.findings[0].source_pointer), (1, "/st"));
    program.phase = Phase::Request;
    assert_eq!(run(&program, r#"{"id":"1","st":"?"}"#).unwrap_err().len(), 1);
}

#[test]
fn what_stands_in_the_way_is_a_defect_of_the_mapping() {
    let program = request(vec![pair("a", "x"), pair("b", "x.y"), pair("b", "z[1]"), pair("a", "query:q")]);
    let failures = run(&program, r#"{"a":{"q":1},"b":2}"#).unwrap_err();
    assert!(failures.iter().all(|failure| failure.fault == Fault::Mapping));
    let told: Vec<_> = failures.iter().map(|failure| &*failure.target).collect();
    assert_eq!(told, ["z[1]", "query:q"]);
    let failures = run(&program, r#"{"a":"text","b":2}"#).unwrap_err();
    assert_eq!(failures[0].target, "x.y");
}
