//! Arrays: elements, keys, merging.

use super::*;
use crate::mapping::apply::KeyText;

#[test]
fn every_element_goes_into_one() {
    check(
        &request(vec![
            each("items[*]", "lines[*]", vec![constant("L", "k"), pair("a", "b")]),
            pair("z", "z"),
        ]),
        &[
            (r#"{"items":[{"a":1},{"a":2}],"z":0}"#, r#"{"lines":[{"k":"L","b":1},{"k":"L","b":2}],"z":0}"#),
            (r#"{"items":[]}"#, r#"{"lines":[]}"#),
            (r#"{"items":null}"#, "nothing"),
            (r#"{"items":[{},{"a":1}]}"#, r#"{"lines":[{"k":"L","b":1}]}"#),
            (r#"{"items":[{}]}"#, "nothing"),
            (r#"{"items":{"a":1}}"#, "/items invalidValue: an array is expected"),
        ],
    );
}

#[test]
fn scalars_and_roots_are_arrays_too() {
    check(
        &request(vec![each("tags[*]", "hdr.t[*]", vec![pair(".", ".")])]),
        &[(r#"{"tags":["a",1.0,null,"b"]}"#, r#"{"hdr":{"t":["a",1.0,"b"]}}"#)],
    );
    check(
        &answer(vec![each("items[*]", "[*]", vec![pair("no", "id")])]),
        &[(r#"{"items":[{"no":1},{"no":2}]}"#, r#"[{"id":1},{"id":2}]"#), (r#"{"items":[]}"#, "[]")],
    );
    check(
        &request(vec![each("[*]", "items[*]", vec![pair("id", "no")])]),
        &[(r#"[{"id":1}]"#, r#"{"items":[{"no":1}]}"#)],
    );
}

#[test]
fn elements_are_chosen_by_a_condition_that_is_written_back() {
    let chosen = |test: &str, also: &str, source: &str, target: &str, name: (&str, &str)| {
        each_with(source, target, vec![pair(name.0, name.1)], |each| {
            each.condition = condition(test);
            each.also = terms(also);
        })
    };
    check(
        &request(vec![chosen("@.role == 'x'", "@.typ=='X'", "c[*]", "k[*]", ("name", "nm"))]),
        &[(r#"{"c":[{"role":"y","name":"a"},{"role":"x","name":"b"}]}"#, r#"{"k":[{"typ":"X","nm":"b"}]}"#)],
    );
    check(
        &answer(vec![
            chosen("@.typ == 'X'", "@.role=='x'", "k[*]", "c[*]", ("nm", "name")),
            chosen("@.typ == 'Y'", "@.role=='y'", "k[*]", "c[*]", ("nm", "name")),
        ]),
        &[(
            r#"{"k":[{"typ":"Y","nm":"a"},{"typ":"X","nm":"b"}]}"#,
            r#"{"c":[{"role":"x","name":"b"},{"role":"y","name":"a"}]}"#,
        )],
    );
}

fn numbered(rules: Vec<Rule>) -> Rule {
    each_with("quoteItem[*]", "lines[*]", rules, |each| {
        each.key = Some(key("id", "lineNo", KeyForm::Number, Some((10, 10))));
    })
}

fn sibling(source: &str, target: &str) -> Rule {
    pair_with(source, target, |pair| {
        pair.transforms = Box::new([Transform::Key { group: KeyGroupId(0), each: false }]);
    })
}

fn pairs(known: &[(&str, &str)]) -> Vec<KeyPair> {
    let pair = |(sonata, legacy): &(&str, &str)| KeyPair {
        group: "quoteItem".into(),
        sonata: KeyText::Text((*sonata).into()),
        legacy: KeyText::Number((*legacy).into()),
    };
    known.iter().map(pair).collect()
}

fn with_keys(program: &Program, body: &str, known: &[(&str, &str)]) -> (String, Vec<KeyPair>) {
    let references = References::new();
    let remembered = pairs(known);
    let with =
        With { query: &[], remembered: &remembered, references: &references, limits: Limits::default() };
    let mut result = run_with(program, body, &with);
    let keys = result.as_mut().map(|applied| std::mem::take(&mut applied.keys)).unwrap_or_default();
    (shown(&result), keys)
}

#[test]
fn keys_are_counted_referred_to_and_remembered() {
    let program = request(vec![numbered(vec![pair("action", "act"), sibling("uni", "uniLine")])]);
    let body = r#"{"quoteItem":[{"id":"1","action":"add","uni":"B"},{"id":"B","action":"add"}]}"#;
    let (made, keys) = with_keys(&program, body, &[]);
    assert_eq!(made, r#"{"lines":[{"lineNo":10,"act":"add","uniLine":20},{"lineNo":20,"act":"add"}]}"#);
    assert_eq!(keys, pairs(&[("1", "10"), ("B", "20")]));

    // A later message of the same entity: what is known stays, what is new is counted on.
    let body = r#"{"quoteItem":[{"id":"C"},{"id":"B"}]}"#;
    let (made, keys) = with_keys(&program, body, &[("1", "10"), ("B", "20")]);
    assert_eq!(made, r#"{"lines":[{"lineNo":30},{"lineNo":20}]}"#);
    assert_eq!(keys, pairs(&[("C", "30")]));

    let (told, _) = with_keys(&program, r#"{"quoteItem":[{"id":"1","uni":"9"}]}"#, &[]);
    assert_eq!(told, "/quoteItem/0/uni invalidValue: no element with the key '9' is there");
}

#[test]
fn keys_come_back_by_what_was_remembered() {
    let mut rule =
        each_with("lines[*]", "quoteItem[*]", vec![pair("st", "state"), sibling("uniLine", "uni")], |each| {
            each.key = Some(key("lineNo", "id", KeyForm::Text, None));
        });
    let body = r#"{"lines":[{"lineNo":20,"st":"A"},{"lineNo":10.0,"st":"B","uniLine":20}]}"#;
    let program = answer(vec![rule]);
    let known = [("1", "10"), ("B", "20")];
    let made = r#"{"quoteItem":[{"id":"B","state":"A"},{"id":"1","state":"B","uni":"B"}]}"#;
    assert_eq!(with_keys(&program, body, &known), (made.to_owned(), Vec::new()));
    // Nothing remembered: the key itself, as the side has it.
    assert_eq!(with_keys(&program, r#"{"lines":[{"lineNo":20}]}"#, &[]).0, r#"{"quoteItem":[{"id":"20"}]}"#);
    // XML has texts where numbers were sent, and others have it the other way round.
    let retold = r#"{"lines":[{"lineNo":"20","st":"A"},{"lineNo":"10","st":"B","uniLine":"20"}]}"#;
    assert_eq!(with_keys(&program, retold, &known).0, made);
    let told = "/lines/0/lineNo invalidValue: no element with the key '020' is known";
    assert_eq!(with_keys(&program, r#"{"lines":[{"lineNo":"020"}]}"#, &known).0, told);
    // An element that is not among those remembered is never passed on as if it were.
    let body = r#"{"lines":[{"lineNo":30,"st":"A"},{"lineNo":10,"st":"B"}]}"#;
    let told = "/lines/0/lineNo invalidValue: no element with the key 30 is known";
    assert_eq!(with_keys(&program, body, &known).0, told);
    rule = program.rules.into_iter().next().unwrap();
    rule.on_failure = OnFailure::Omit;
    let program = answer(vec![rule]);
    assert_eq!(with_keys(&program, body, &known).0, r#"{"quoteItem":[{"id":"1","state":"B"}]}"#);
}

#[test]
fn bad_keys_are_refused() {
    let program = request(vec![numbered(vec![])]);
    for (body, told) in [
        (
            r#"{"quoteItem":[{"id":"1"},{"id":"1"}]}"#,
            "/quoteItem/1/id invalidValue: two elements have the key '1'",
        ),
        (r#"{"quoteItem":[{}]}"#, "/quoteItem/0/id missingProperty: the key of the element is missing"),
        (r#"{"quoteItem":[{"id":{}}]}"#, "/quoteItem/0/id invalidValue: a key is a text or a number"),
    ] {
        assert_eq!(shown(&run(&program, body)), told);
    }
    let items: Vec<_> = (0..40).map(|n| format!(r#"{{"id":{}}}"#, n % 39)).collect();
    let body = format!(r#"{{"quoteItem":[{}]}}"#, items.join(","));
    assert_eq!(shown(&run(&program, &body)), "/quoteItem/39/id invalidValue: two elements have the key 0");
}

#[test]
fn groups_with_equal_keys_merge() {
    let program =
        request(vec![numbered(vec![pair("a", "a")]), pair("z", "z"), numbered(vec![pair("b", "b")])]);
    let (made, keys) =
        with_keys(&program, r#"{"quoteItem":[{"id":"x","a":1,"b":2},{"id":"y","b":3}],"z":0}"#, &[]);
    assert_eq!(made, r#"{"lines":[{"lineNo":10,"a":1,"b":2},{"lineNo":20,"b":3}],"z":0}"#);
    assert_eq!(keys.len(), 2);
}

#[test]
fn a_key_can_be_referred_to_before_its_group() {
    let program = request(vec![sibling("main", "mainLine"), numbered(vec![])]);
    let body = r#"{"main":"b","quoteItem":[{"id":"a"},{"id":"b"}]}"#;
    assert_eq!(with_keys(&program, body, &[]).0, r#"{"mainLine":20,"lines":[{"lineNo":10},{"lineNo":20}]}"#);
}

#[test]
fn a_required_array_needs_an_element() {
    let needed = each_with("a[*]", "b[*]", vec![pair("x", "x")], |each| each.required = true);
    let told = "/a missingProperty: at least one element is required";
    check(
        &request(vec![needed]),
        &[("{}", told), (r#"{"a":[]}"#, told), (r#"{"a":[{"x":1}]}"#, r#"{"b":[{"x":1}]}"#)],
    );
}

#[test]
fn what_is_written_is_limited() {
    let program = request(vec![each("a[*]", "b[*]", vec![pair(".", ".")])]);
    let body = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(100));
    let references = References::new();
    let limits = Limits { values_max: 50, ..Limits::default() };
    let with = With { query: &[], remembered: &[], references: &references, limits };
    let failures = run_with(&program, &body, &with).unwrap_err();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].message, "more than 50 values would be written");
}
