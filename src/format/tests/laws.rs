//! A document that XML can say comes back the same.

use proptest::prelude::*;

use crate::format::{Names, Namespace, lines, read_xml, write_xml};
use crate::json::{Document, Limits, writer::write_string};

fn names() -> Names {
    let some = Namespace { uri: "urn:x".into(), elements: vec!["a".into(), "list".into()] };
    Names::new(vec![some, Namespace { uri: "urn:y".into(), elements: Vec::new() }], ["list".into()])
}

/// Text that XML has, with everything that must be escaped.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        4 => prop::char::range(' ', '~'),
        2 => prop::sample::select(vec!['<', '>', '&', '"', '\'', ']', '\r', '\n', '\t', ' ']),
        1 => prop::char::range('\u{a0}', '\u{d7ff}'),
        1 => prop::char::range('\u{10000}', '\u{10ffff}'),
    ];
    prop::collection::vec(character, 0..12).prop_map(|characters| characters.into_iter().collect())
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}

/// A value as JSON: a text, null, an element with attributes, or one with elements and lists.
fn value() -> impl Strategy<Value = String> {
    let attributes = || prop::collection::btree_map("@[a-c]", text(), 1..3);
    let leaf = prop_oneof![
        4 => text().prop_map(|text| quoted(&text)),
        1 => Just("null".to_owned()),
        2 => (attributes(), text().prop_filter("empty is left out", |text| !text.is_empty())).prop_map(|(mut all, text)| {
            all.insert("~".to_owned(), text);
            let pairs = all.iter().map(|(name, value)| format!("{}:{}", quoted(if name == "~" { "#text" } else { name }), quoted(value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let repeated =
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| format!("[{}]", all.join(",")));
        let list = prop::collection::vec(inner.clone(), 1..3).prop_map(|all| format!("[{}]", all.join(",")));
        let members = prop::collection::btree_map("[a-d]", prop_oneof![3 => inner, 1 => repeated], 1..4);
        (prop::option::of(attributes()), members, prop::option::of(list)).prop_map(
            |(attributes, members, list)| {
                let mut pairs = Vec::new();
                for (name, value) in attributes.unwrap_or_default() {
                    pairs.push(format!("{}:{}", quoted(&name), quoted(&value)));
                }
                pairs.extend(members.iter().map(|(name, value)| format!("{}:{value}", quoted(name))));
                pairs.extend(list.map(|list| format!("\"list\":{list}")));
                format!("{{{}}}", pairs.join(","))
            },
        )
    })
}

proptest! {
    #[test]
    fn there_and_back_is_the_same(value in value()) {
        let names = names();
        let document = Document::from_text(&format!("{{\"root\":{value}}}")).unwrap();
        let xml = write_xml(&document, &names).unwrap();
        let back = read_xml(xml.as_bytes(), None, &names, &Limits::default()).unwrap();
        prop_assert_eq!(back.text(), document.text(), "{}", xml);
        let shown = lines(&xml).unwrap();
        prop_assert_eq!(&lines(&shown.join("\n")).unwrap(), &shown);
    }

    #[test]
    fn any_text_is_read_or_refused(xml in "(<[ab/!?&;='\" x:\\[\\]-]{0,6}>|[ab<>&;#x1 ]){0,12}") {
        if let Ok(document) = read_xml(xml.as_bytes(), None, &names(), &Limits::default()) {
            let again = write_xml(&document, &names()).unwrap();
            let back = read_xml(again.as_bytes(), None, &names(), &Limits::default()).unwrap();
            prop_assert_eq!(back.text(), document.text());
        }
    }
}
