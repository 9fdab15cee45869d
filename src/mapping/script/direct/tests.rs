//! A walk gives what the engine gives, or nothing.

use proptest::prelude::*;

use super::super::{Call, Functions, Script};
use crate::{
    json::{Builder, Document},
    mapping::value::Value,
};

/// Fails unless the engine gives this value as well; asked of every walk of every test.
pub(in crate::mapping::script) fn hold_against(script: &Script, call: Call<'_, '_>, value: &Value<'_>) {
    match script.run_in_engine(call) {
        Ok(other) => assert_eq!(shown(value), shown(&other), "{}", script.text()),
        Err(failure) => panic!("{} gives {}, the engine {failure:?}", script.text(), shown(value)),
    }
}

fn shown(value: &Value<'_>) -> String {
    if value.is_absent() {
        return "absent".to_owned();
    }
    let mut builder = Builder::new();
    let slot = value.clone().build(&mut builder);
    builder.finish(slot).text().to_owned()
}

/// Words of the language in functions, to be called with anything.
const FUNCTIONS: &str = r#"
    fn level(level, at_once) { if level == "firm" { 7 } else if at_once { 1 } else { 4 } }
    fn total(list, name) {
        let sum = ();
        for row in list ?? [] {
            let part = row?.deep?[name];
            if part != () { sum = (sum ?? 0) + part; }
        }
        if sum == () { return; }
        if floor(sum) != sum { throw "no whole number"; }
        floor(sum)
    }
    fn first(list, wanted) {
        let place = 0;
        for element in list {
            if element == () { continue; }
            if element == wanted { break; }
            place += 1;
        }
        place
    }
    fn shadowed(x) { let x = x + 1; { let x = x * 2; if x > 10 { return x; } } x }
    fn collected(list) { let all = []; for one in list { all.push(one ?? "none"); } all }
    fn marked(text) { let text = text; text += "!"; text }
    fn parts(text) { text.split(",").join(";") }
    fn nothing(x) { let y = x; }
    fn chosen(x) { let y = if x == 1 { "one" } else { return `not ${x}` }; y + "!" }
    fn again(n) { if n > 3 { n } else { again(n + 1) } }
    fn mapped(list) { list.map(|x| x ?? 0) }
    fn grown(n) { let n = n; n -= 1; n *= 3; n /= 2; n }
"#;

const DOCUMENT: &str = r#"{
    "text": "a\u00e9,b", "empty": "", "int": 7, "decimal": 1.50, "large": 12345678901234567890123456789012345,
    "none": null, "yes": true, "object": {"text": "deep", "name": "text", "a b": 1},
    "list": [1, "x", null, 2.5], "numbers": [3, 4], "gaps": [null, 3, null, 5, 6], "texts": ["a", "b"], "nested": [[1], [2, 3]],
    "rows": [{"deep": {"cir": 20, "eir": 0.5}}, {"deep": {"cir": 30}}, {}]
}"#;

fn leaves() -> impl Strategy<Value = String> {
    let literals = [
        "0",
        "1",
        "7",
        "10",
        "1.5",
        "0.50",
        "true",
        "false",
        "()",
        "\"\"",
        "\"a\"",
        "\"firm\"",
        "\"text\"",
        "\",\"",
        "\"12\"",
        "[]",
        "[1, \"x\"]",
        "-1",
    ];
    let names = [
        "a",
        "b",
        "value",
        "index",
        "facts",
        "facts.now",
        "facts.settings.text",
        "facts.absent",
        "a.text",
        "a?.list",
        "value.rows",
        "value?.numbers",
        "value.object.text",
        "value[\"int\"]",
        "a?.object?[\"a b\"]",
        "value.decimal",
        "value.texts",
        "a.list[1]",
        "value.object",
        "value.large",
        "value.nested",
        "value.none?.x.y",
        "value.yes",
        "value.empty",
        "a[value.object.name]",
    ];
    let all: Vec<&str> = literals.into_iter().chain(names).collect();
    proptest::sample::select(all).prop_map(str::to_owned)
}

/// Operators; those that mean the most more than once.
const OPERATORS: &[&str] =
    &["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "??", "+", "==", "??"];
const METHODS: &[&str] = &[
    "len",
    "is_empty",
    "trim",
    "to_upper",
    "to_lower",
    "to_string",
    "floor",
    "to_int",
    "ceiling",
    "parse_int",
    "parse_decimal",
];
const METHODS_WITH_ONE: &[&str] = &["contains", "starts_with", "ends_with", "split", "join", "get"];
const OWN: &[&str] =
    &["shadowed", "collected", "marked", "parts", "nothing", "chosen", "again", "mapped", "grown"];

fn expressions() -> impl Strategy<Value = String> {
    leaves().prop_recursive(4, 24, 3, |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            4 => (two(), proptest::sample::select(OPERATORS)).prop_map(|((a, b), sign)| format!("({a} {sign} {b})")),
            2 => (inner.clone(), proptest::sample::select(METHODS)).prop_map(|(a, name)| format!("({a}).{name}()")),
            1 => (inner.clone(), proptest::sample::select(METHODS)).prop_map(|(a, name)| format!("{name}({a})")),
            2 => (two(), proptest::sample::select(METHODS_WITH_ONE)).prop_map(|((a, b), name)| format!("({a}).{name}({b})")),
            2 => (inner.clone(), proptest::sample::select(OWN)).prop_map(|(a, name)| format!("{name}({a})")),
            2 => (two(), proptest::sample::select(&["level", "total", "first"][..]))
                .prop_map(|((a, b), name)| format!("{name}({a}, {b})")),
            1 => (two(), inner.clone()).prop_map(|((a, b), c)| format!("if {a} {{ {b} }} else {{ {c} }}")),
            1 => (two(), inner.clone()).prop_map(|((a, b), c)| format!("divide({a}, {b}, {c})")),
            1 => (two(), inner.clone()).prop_map(|((a, b), c)| format!("({a}).replace({b}, {c})")),
            1 => (inner.clone(), 0..5).prop_map(|(a, n)| format!("({a}).pad_left({n}, \"0\")")),
            1 => (two(), 0..5, 0..3).prop_map(|((a, b), n, m)| format!(
                "`x${{({a}).to_string().pad_left({n}, \"0\")}}` + `-${{{b}}}` + ({b}).to_string().pad_left({m}, \"\u{e9}\")"
            )),
            1 => (inner.clone(), 0..5, 0..4).prop_map(|(a, n, m)| format!("({a}).sub_string({n}, {m})")),
            1 => two().prop_map(|(a, b)| format!("#{{ \"z\": {a}, b: {b} }}")),
            1 => two().prop_map(|(a, b)| format!("`x ${{{a}}} ${{{b}}}`")),
            1 => two().prop_map(|(a, b)| format!("({a})?.text?[{b}]")),
            1 => two().prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => inner.clone().prop_map(|a| format!("!({a})")),
            1 => inner.clone().prop_map(|a| format!("-({a})")),
        ]
    })
}

/// Runs a script on the document; [`hold_against`] compares.
fn run(script: &Script, place: &str) -> Option<String> {
    let document = Document::from_text(DOCUMENT).unwrap();
    let root = Value::Node(document.root());
    let facts =
        Value::Object(vec![("settings".into(), root.clone()), ("now".into(), Value::text("2026-11-21"))]);
    let inputs = [if place.is_empty() { root.clone() } else { root.member(place) }, Value::text("12")];
    let call = Call { inputs: &inputs, value: &root, index: Some(2), facts: &facts };
    let direct = script.direct.as_ref().and_then(|direct| direct.run(call, &script.functions.0.direct));
    if let Some(value) = &direct {
        hold_against(script, call, value);
    }
    direct.as_ref().map(shown)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn a_walk_gives_what_the_engine_gives(
        text in expressions(),
        place in proptest::sample::select(&["", "text", "int", "none", "list", "rows", "object", "decimal", "numbers"][..]),
    ) {
        let functions = Functions::compile(FUNCTIONS).unwrap();
        // Some do not compile: too deep, or a statement where a value is needed.
        if let Ok(script) = Script::compile(&text, &["a", "b"], &functions) {
            run(&script, place);
        }
    }
}

#[test]
fn what_scripts_are_made_of_is_walked() {
    let functions = Functions::compile(FUNCTIONS).unwrap();
    for (text, wanted) in [
        ("facts.settings.text", "\"a\u{e9},b\""),
        ("facts.settings.object", r#"{"text": "deep", "name": "text", "a b": 1}"#),
        ("facts.settings.absent?.text", "absent"),
        ("a.list", r#"[1,"x",2.5]"#),
        ("a.large", "12345678901234567890123456789012345"),
        ("a?.rows[1].deep.cir", "30"),
        ("(index + 1) * 10", "30"),
        ("a.none ?? b", "\"12\""),
        ("`${a.int}-${a.decimal}-${a.yes}-${b}`", "\"7-1.50-true-12\""),
        ("if a.texts.is_empty() { () } else { a.texts.len() }", "2"),
        ("a.numbers.join(\",\") + \"!\"", "\"3,4!\""),
        ("level(\"budgetary\", true)", "1"),
        ("total(a.rows, \"cir\")", "50"),
        ("total(a.absent, \"cir\")", "absent"),
        ("first(a.gaps, 5)", "1"),
        ("shadowed(4) + shadowed(7)", "21"),
        ("collected(a.list)", r#"[1,"x","none",2.5]"#),
        ("marked(a.object.text)", "\"deep!\""),
        ("parts(a.text)", "\"a\u{e9};b\""),
        ("nothing(1)", "absent"),
        ("chosen(1) + chosen(2)", "\"one!not 2\""),
        ("again(0)", "4"),
        ("grown(3)", "3"),
        ("a.decimal * 2 - 1 / 4", "2.75"),
        ("a.int >= 7 && !(b < \"1\") || false", "true"),
        ("a.text.sub_string(1, 2)", "\"\u{e9},\""),
        ("a.text.sub_string(9, 2) + \"-\"", "\"-\""),
        (r#"if a.yes { #{ "z": a.int, "b": b.sub_string(0, 1) } } else { () }"#, r#"{"b":"1","z":7}"#),
        ("a.text.sub_string(1, 9).sub_string(1, 1)", "\",\""),
        ("(a.text + b).sub_string(1, 3)", "\"\u{e9},b\""),
        ("b.pad_left(2, \"0\")", "\"12\""),
        ("divide(a.int * 10, 10, 0).to_int() - 1", "6"),
        ("a.decimal.to_int() + a.int.to_int()", "8"),
        ("parse_int(b).to_string().pad_left(4, \"0\")", "\"0012\""),
        (
            "a.int.to_string().pad_left(3, \"\u{e9}\").len() + a.decimal.to_string().pad_left(3, \"0\").len()",
            "7",
        ),
        (
            "`${a.int}-${a.int.to_string().pad_left(2, \"0\")}` + `T${b.to_string().pad_left(1, \"0\")}` + `Z`",
            "\"7-07T12Z\"",
        ),
        ("a?.none?.to_string().pad_left(2, \"0\")", "absent"),
    ] {
        let script = Script::compile(text, &["a", "b"], &functions).unwrap();
        assert_eq!(run(&script, "").as_deref(), Some(wanted), "{text}");
    }
}

#[test]
fn what_fails_or_is_large_is_the_engines() {
    let functions = Functions::compile(
        "fn endless() { let n = 0; for x in [1] { n = endless(); } n } fn refused() { throw \"no\"; }",
    )
    .unwrap();
    let large = format!("\"{}\".len()", "x".repeat(30_000));
    for text in ["1 / 3", "a.int + a.none", "a.text < 1", "a.list.get(-1)", "endless()", "refused()", &large]
    {
        let script = Script::compile(text, &["a", "b"], &functions).unwrap();
        assert_eq!(run(&script, ""), None, "{text:.40}");
    }
}
