//! Groups and alternatives.

use super::*;
use crate::mapping::program::FailureCode;

#[test]
fn a_group_that_wrote_nothing_writes_no_object() {
    check(
        &request(vec![
            group(
                "term",
                "t.u",
                vec![constant("standard", "name"), pair("n", "n"), group("in", "in", vec![pair("x", "x")])],
            ),
            pair("z", "z"),
        ]),
        &[
            (r#"{"term":{"n":1},"z":2}"#, r#"{"t":{"u":{"name":"standard","n":1}},"z":2}"#),
            (r#"{"term":{"in":{"x":1}}}"#, r#"{"t":{"u":{"name":"standard","in":{"x":1}}}}"#),
            (r#"{"term":{},"z":2}"#, r#"{"z":2}"#),
            (r#"{"term":null}"#, "nothing"),
            (r#"{"term":{"in":{}}}"#, "nothing"),
            (r#"{"term":5}"#, "/term invalidValue: an object is expected"),
        ],
    );
}

#[test]
fn a_group_at_the_scope_takes_back_its_constants_too() {
    check(
        &request(vec![
            pair("a", "a"),
            group("g", ".", vec![constant("K", "k.l"), pair("b", "b")]),
            constant("Z", "z"),
        ]),
        &[
            (r#"{"a":1,"g":{"b":2}}"#, r#"{"a":1,"k":{"l":"K"},"b":2,"z":"Z"}"#),
            (r#"{"a":1,"g":{}}"#, r#"{"a":1,"z":"Z"}"#),
        ],
    );
    check(
        &answer(vec![group(".", "term", vec![pair("termM", "duration"), constant("standard", "name")])]),
        &[(r#"{"termM":12}"#, r#"{"term":{"duration":12,"name":"standard"}}"#), ("{}", "nothing")],
    );
}

#[test]
fn what_is_read_into_nothing_makes_no_group() {
    let converter =
        std::sync::Arc::new(crate::mapping::convert::Converter::parse("boolean(J, absent)").unwrap());
    let flag = pair_with("renew", "renewal", |pair| {
        pair.transforms = Box::new([Transform::Convert(ConvertUse { converter, argument: None })]);
    });
    let default = pair_with("m", "n", |pair| pair.default = Some(Constant::Literal(text("D"))));
    check(
        &answer(vec![group(".", "term", vec![flag, default, pair("termM", "duration")])]),
        &[
            (r#"{"termM":1}"#, r#"{"term":{"renewal":false,"n":"D","duration":1}}"#),
            (r#"{"renew":"J"}"#, r#"{"term":{"renewal":true,"n":"D"}}"#),
            ("{}", "nothing"),
        ],
    );
}

#[test]
fn groups_merge_into_one_object() {
    check(
        &request(vec![
            group("a", "hdr", vec![pair("x", "x")]),
            pair("q", "q"),
            group("b", "hdr", vec![pair("y", "y"), constant("C", "c")]),
        ]),
        &[
            (r#"{"a":{"x":1},"b":{"y":2},"q":0}"#, r#"{"hdr":{"x":1,"y":2,"c":"C"},"q":0}"#),
            (r#"{"a":{"x":1},"b":{}}"#, r#"{"hdr":{"x":1}}"#),
        ],
    );
}

#[test]
fn a_keyed_element_is_found_or_made() {
    let contact = "relatedContactInformation[?@.role=='buyer']";
    check(
        &answer(vec![
            group("hdr", contact, vec![pair("cNm", "name"), pair("cMail", "mail")]),
            pair("tel", "relatedContactInformation[?@.role=='buyer'].number"),
            pair("other", "relatedContactInformation[?@.role=='seller' && @.n==1].name"),
        ]),
        &[
            (
                r#"{"hdr":{"cNm":"J"},"tel":"12","other":"O"}"#,
                r#"{"relatedContactInformation":[{"role":"buyer","name":"J","number":"12"},{"role":"seller","n":1,"name":"O"}]}"#,
            ),
            (r#"{"hdr":{}}"#, "nothing"),
            (r#"{"tel":"1"}"#, r#"{"relatedContactInformation":[{"role":"buyer","number":"1"}]}"#),
        ],
    );
    check(
        &request(vec![group(contact, "hdr", vec![pair("name", "cNm")])]),
        &[
            (
                r#"{"relatedContactInformation":[{"role":"x","name":"N"},{"role":"buyer","name":"J"}]}"#,
                r#"{"hdr":{"cNm":"J"}}"#,
            ),
            (r#"{"relatedContactInformation":[]}"#, "nothing"),
            (
                r#"{"relatedContactInformation":[{"role":"buyer"},{"role":"buyer"}]}"#,
                "/relatedContactInformation invalidValue: two elements are there where one is expected",
            ),
        ],
    );
}

#[test]
fn a_keyed_element_may_be_written_whole() {
    check(
        &answer(vec![pair("addr", "place[?@.role=='A']"), pair("nr", "place[?@.role=='A'].nr")]),
        &[(r#"{"addr":{"street":"S"},"nr":"7"}"#, r#"{"place":[{"street":"S","role":"A","nr":"7"}]}"#)],
    );
}

#[test]
fn a_condition_of_a_group_is_written_with_it() {
    let there = request(vec![group_if("@.kind == 'a'", "@.typ=='A'", ("g", "h"), vec![pair("x", "x")])]);
    check(
        &there,
        &[
            (r#"{"g":{"kind":"a","x":1}}"#, r#"{"h":{"typ":"A","x":1}}"#),
            (r#"{"g":{"kind":"b","x":1}}"#, "nothing"),
            (r#"{"g":{"kind":"a"}}"#, "nothing"),
        ],
    );
}

#[test]
fn a_scope_can_be_written_as_a_whole() {
    check(&request(vec![pair("a", ".")]), &[(r#"{"a":[1,2]}"#, "[1,2]"), ("{}", "nothing")]);
    check(
        &request(vec![group("a", "b", vec![pair("v", ".")])]),
        &[(r#"{"a":{"v":5}}"#, r#"{"b":5}"#), (r#"{"a":{}}"#, "nothing")],
    );
}

fn products(otherwise: Otherwise, to_legacy: bool) -> OneOf {
    let (ovc, uni) = (vec![pair("mtu", "svc.mtu")], vec![pair("links", "svc.links")]);
    let branches = if to_legacy {
        [
            branch("@['@type'] == 'ovc'", "@.sku=='EVPLA'", ovc),
            branch("@['@type'] == 'uni'", "@.sku=='UNI-O'", uni),
        ]
    } else {
        [
            branch("@.sku == 'EVPLA'", "@['@type']=='ovc'", vec![pair("svc.mtu", "mtu")]),
            branch("@.sku == 'UNI-O'", "@['@type']=='uni'", vec![pair("svc.links", "links")]),
        ]
    };
    OneOf { branches: branches.into(), otherwise }
}

#[test]
fn the_first_branch_that_holds_is_taken() {
    let one_of = |otherwise, to_legacy| {
        vec![rule("product", Action::OneOf(Shared::new(products(otherwise, to_legacy))))]
    };
    let refusal = Refusal {
        code: FailureCode::InvalidValue,
        at: Some(path("@type")),
        reason: "product not sold".into(),
    };
    check(
        &request(one_of(Otherwise::Refuse(refusal), true)),
        &[
            (r#"{"@type":"uni","links":2,"mtu":9}"#, r#"{"sku":"UNI-O","svc":{"links":2}}"#),
            (r#"{"@type":"ovc"}"#, r#"{"sku":"EVPLA"}"#),
            (r#"{"@type":"x"}"#, "/@type invalidValue: product not sold"),
            ("{}", "/@type invalidValue: product not sold"),
        ],
    );
    check(
        &answer(one_of(Otherwise::Rules([pair("sku", "name")].into()), false)),
        &[
            (r#"{"sku":"EVPLA","svc":{"mtu":9}}"#, r#"{"@type":"ovc","mtu":9}"#),
            (r#"{"sku":"Q"}"#, r#"{"name":"Q"}"#),
        ],
    );
    check(&answer(one_of(Otherwise::Nothing, false)), &[(r#"{"sku":"Q"}"#, "nothing")]);
}

#[test]
fn a_required_group_must_write() {
    let required = group("g", "h", vec![pair("x", "x")]);
    let Action::Group(mut inner) = required.action.clone() else { panic!() };
    inner.required = true;
    let program = request(vec![rule("g", Action::Group(inner))]);
    check(
        &program,
        &[
            (r#"{"g":{"x":1}}"#, r#"{"h":{"x":1}}"#),
            (r#"{"g":{}}"#, "/g missingProperty: a required attribute is missing"),
            (r#"{"g":1}"#, "/g invalidValue: an object is expected"),
        ],
    );
}
