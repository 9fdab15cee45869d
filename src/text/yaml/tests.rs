//! Laws of reading YAML, its limits, and the readers of fields.

use super::*;
use crate::text::{Diagnostics, Sources, code};
use proptest::prelude::*;

fn read(text: &str, limits: &Limits) -> (Sources, Option<Node>, Diagnostics) {
    let mut sources = Sources::new();
    let id = sources.add("a.yaml", text);
    let mut out = Diagnostics::new();
    let node = load_with(&sources, id, limits, &mut out);
    (sources, node, out)
}

fn codes(out: &Diagnostics) -> Vec<&'static str> {
    out.iter().map(|diagnostic| diagnostic.code.0).collect()
}

/// Every node below, and the scalars with the span of their node.
fn visit<'n>(node: &'n Node, each: &mut impl FnMut(&'n Node)) {
    each(node);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(elements) => elements.iter().for_each(|element| visit(element, each)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| visit(&entry.value, each)),
    }
}

#[test]
fn limits_hold_exactly() {
    let limits = Limits { bytes_max: 40, depth_max: 3, nodes_max: 8 };
    for (text, expected) in [
        ("[[[a]]]", None),
        ("[[[[a]]]]", Some(code::TOO_DEEP)),
        ("a:\n  b:\n    c: 1", None),
        ("a:\n  b:\n    c:\n      d: 1", Some(code::TOO_DEEP)),
        ("[1,2,3,4,5,6,7]", None),
        ("[1,2,3,4,5,6,7,8]", Some(code::TOO_MANY_NODES)),
        ("'23456789 123456789 123456789 12345678'", None),
        ("'23456789 123456789 123456789 12345678 x'", Some(code::TOO_LARGE)),
    ] {
        let (_, node, out) = read(text, &limits);
        assert_eq!(codes(&out), expected.iter().map(|code| code.0).collect::<Vec<_>>(), "{text}");
        assert_eq!(node.is_none(), expected.is_some(), "{text}");
    }
    // Far beyond what a stack would take.
    let (_, node, out) = read(&"[".repeat(100_000), &Limits::default());
    assert!(node.is_none() && out.has_errors());
    let (_, node, out) = read(&"- ".repeat(100_000), &Limits::default());
    assert!(node.is_none() && out.has_errors());
}

#[test]
fn scalars_stay_text() {
    let (_, node, out) =
        read("[ NO, 007, 1.10, off, ~, 12:30, 0x1F, \"\\u00e9\", 'it''s' ]", &Limits::default());
    assert!(out.is_empty());
    let node = node.unwrap();
    let texts: Vec<&str> = node.as_sequence().unwrap().iter().filter_map(Node::as_text).collect();
    assert_eq!(texts, ["NO", "007", "1.10", "off", "~", "12:30", "0x1F", "é", "it's"]);
}

#[test]
fn spans_are_those_of_the_text() {
    let text = "ä: { b: [ x, 'y z' ] }   # c\nlist:\n  - one\n  - k: v\nlast: |\n  t\n  u\n";
    let (sources, node, out) = read(text, &Limits::default());
    assert!(out.is_empty());
    let node = node.unwrap();
    let slice = |node: &Node| sources.slice(node.span).to_owned();
    assert_eq!(slice(node.get("ä").unwrap()), "{ b: [ x, 'y z' ] }");
    assert_eq!(slice(node.get("ä").unwrap().get("b").unwrap()), "[ x, 'y z' ]");
    assert_eq!(slice(&node.get("ä").unwrap().get("b").unwrap().as_sequence().unwrap()[1]), "'y z'");
    assert_eq!(slice(node.get("list").unwrap()), "- one\n  - k: v");
    assert_eq!(slice(&node.get("list").unwrap().as_sequence().unwrap()[1]), "k: v");
    assert_eq!(sources.slice(node.as_mapping().unwrap()[1].key_span), "list");
    assert_eq!(node.get("last").unwrap().as_text(), Some("t\nu\n"));
}

#[test]
fn fields_are_read_typed_and_leave_nothing_unsaid() {
    let text = "name: x\ncount: 12\non: true\nmode: fast\nlist: one\nextra: { a: 1 }\nempty: ''\nnmae: y";
    let (_, node, mut out) = read(text, &Limits::default());
    let node = node.unwrap();
    let mut fields = Fields::of(&node, "this", &mut out).unwrap();
    assert_eq!(fields.require_text("name", &mut out), Some("x"));
    assert_eq!(fields.integer("count", 1..=12, &mut out), Some(12));
    assert_eq!(fields.integer("count", 1..=11, &mut out), None);
    assert_eq!(fields.boolean("on", &mut out), Some(true));
    assert_eq!(fields.choice("mode", &[("fast", 1), ("slow", 2)], &mut out), Some(1));
    assert_eq!(fields.sequence("list", true, &mut out).unwrap().len(), 1);
    assert_eq!(fields.sequence("list", false, &mut out), None);
    assert_eq!(fields.mapping("extra", &mut out).unwrap()[0].key, "a");
    assert_eq!(fields.text("empty", &mut out), None);
    assert_eq!(fields.text("absent", &mut out), None);
    assert_eq!(fields.require("needed", &mut out), None);
    fields.finish(&mut out);
    assert_eq!(codes(&out), ["Y125", "Y122", "Y127", "Y121", "Y120"]);
    assert_eq!(
        out.iter().last().unwrap().hint.as_ref().map(crate::text::Hint::as_str),
        Some("did you mean `name`?")
    );
    assert!(Fields::of(node.get("name").unwrap(), "this", &mut out).is_none());
}

/// A tree as JSON is, which is YAML too.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let text = "[a-zé𝄞:#{}\\[\\],&*!|>'\"%@ \\\\-]{0,8}";
    let leaf = text.prop_map(serde_json::Value::String);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::Array),
            prop::collection::btree_map("[a-zé: #]{1,6}", inner, 0..4)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

fn same(node: &Node, value: &serde_json::Value) -> bool {
    match (&node.value, value) {
        (Value::Scalar(scalar), serde_json::Value::String(text)) => scalar.text == *text,
        (Value::Sequence(elements), serde_json::Value::Array(values)) => {
            elements.len() == values.len()
                && elements.iter().zip(values).all(|(node, value)| same(node, value))
        }
        (Value::Mapping(entries), serde_json::Value::Object(members)) => {
            entries.len() == members.len()
                && entries
                    .iter()
                    .all(|entry| members.get(&entry.key).is_some_and(|value| same(&entry.value, value)))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn quoted_trees_come_back(value in json(), indented: bool) {
        let text = if indented { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let (sources, node, out) = read(&text, &Limits::default());
        prop_assert!(out.is_empty(), "{}\n{text}", out.render_text(&sources));
        prop_assert!(same(&node.unwrap(), &value), "{text}");
    }

    #[test]
    fn anything_is_read_or_told(text in "[a-cé𝄞:#{}\\[\\](),&*!|>'\"%@~<\\\\ \\n\\r\\t\\-0-9.]{0,60}") {
        let (sources, node, out) = read(&text, &Limits::default());
        prop_assert!(node.is_some() || out.has_errors(), "{text:?}");
        // Rendering takes every place that was told.
        let shown = out.render_text(&sources);
        prop_assert_eq!(shown.is_empty(), out.is_empty());
        serde_json::from_str::<serde_json::Value>(&out.render_json(&sources)).unwrap();
        let Some(node) = node else { return Ok(()) };
        let mut faults = Vec::new();
        visit(&node, &mut |node| {
            let span = node.span;
            if text.get(span.start as usize..span.end as usize).is_none() {
                faults.push(format!("{span:?} is no part of {text:?}"));
            }
            let Some(scalar) = node.as_scalar() else { return };
            for at in 0..=scalar.text.len() {
                let place = scalar.span_of(at..scalar.text.len());
                if place.start > place.end || place.end as usize > text.len() {
                    faults.push(format!("{place:?} lies outside of {text:?}"));
                }
            }
        });
        prop_assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    #[test]
    fn unquoted_words_are_found_where_they_stand(words in prop::collection::vec("[a-zé]{1,5}", 1..6), indent in 1usize..5) {
        let pad = " ".repeat(indent);
        let forms = [
            format!("k: {}\n", words.join(" ")),
            format!("k: '{}'\n", words.join(" ")),
            format!("k: \"{}\"\n", words.join(" ")),
            format!("k:\n{pad}{}\n", words.join(&format!("\n{pad}"))),
            format!("k: |\n{pad}{}\n", words.join(&format!("\n{pad}"))),
            format!("k: >-\n{pad}{}\n", words.join(&format!("\n{pad}"))),
        ];
        for form in forms {
            let (sources, node, out) = read(&form, &Limits::default());
            prop_assert!(out.is_empty(), "{form}");
            let node = node.unwrap();
            let scalar = node.get("k").unwrap().as_scalar().unwrap();
            let mut from = 0;
            for word in &words {
                let place = scalar.span_of(from..from + word.len());
                prop_assert_eq!(sources.slice(place), word.as_str(), "{}", form);
                from += word.len() + 1;
            }
        }
    }
}

#[test]
fn a_quote_that_nothing_opened_is_told_and_an_apostrophe_is_not() {
    for (text, expected) in [
        ("a: x\"", 1),
        ("a: x'", 1),
        ("a: { b: two words' }", 1),
        ("a: those of the Buyers'", 0),
        ("a: one 'word'", 0),
        ("a: some\n  text\"", 0),
        ("a: \"x\"", 0),
    ] {
        let (_, _, out) = read(text, &Limits::default());
        assert_eq!(out.len(), expected, "{text}: {:?}", codes(&out));
    }
}
