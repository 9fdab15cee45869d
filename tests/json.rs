//! The document against `serde_json`: written by the one and read by the other, arbitrary and broken bytes, and
//! the corpus of the fuzz target `parse`.

use std::{fs, path::Path};

use proptest::prelude::*;
use segue::json::Document;
use serde_json::{Map, Value};

#[path = "laws/json.rs"]
mod law;

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e300..1e300_f64).prop_map(Value::from),
        (-1000..1000_i32).prop_map(|n| Value::from(f64::from(n) / 100.0)),
    ];
    let text = prop_oneof![any::<String>(), "[a-zA-Z@\\\\\"/\u{0}-\u{20}é😀]{0,12}", "[a-z]{0,40}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text.clone().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        let members = proptest::collection::vec((text.clone(), inner.clone()), 0..20);
        prop_oneof![
            proptest::collection::vec(inner, 0..8).prop_map(Value::from),
            members.prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Bytes that look like JSON more often than not.
fn almost_json() -> impl Strategy<Value = Vec<u8>> {
    let token = proptest::sample::select(
        [
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "\"\\u0061\"",
            "\\",
            "\\u",
            "\\ud83d",
            "\\ude00",
            "u00e9",
            "0",
            "1",
            "-",
            "+",
            ".",
            "e",
            "E5",
            "true",
            "false",
            "null",
            "nul",
            " ",
            "\n",
            "\t",
            "\u{1}",
            "é",
            "😀",
            "{\"a\":",
            "\u{feff}",
        ]
        .as_slice(),
    );
    proptest::collection::vec(token, 0..16).prop_map(|tokens| tokens.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_serde_json_writes_is_read(value in value(), pretty in any::<bool>()) {
        let write = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        let text = write(&value).unwrap();
        let document = Document::from_text(&text).unwrap();
        law::same(document.root(), &value);
        law::parse_law(text.as_bytes());
    }

    #[test]
    fn any_bytes_are_judged_rightly(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        law::parse_law(&bytes);
    }

    #[test]
    fn almost_json_is_judged_rightly(bytes in almost_json()) {
        law::parse_law(&bytes);
    }

    #[test]
    fn broken_json_is_judged_rightly(value in value(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0..4_usize) {
        let mut bytes = serde_json::to_vec(&value).unwrap();
        let start = at.index(bytes.len() + 1);
        let end = (start + cut).min(bytes.len());
        bytes.splice(start..end, (cut != 3).then_some(byte));
        law::parse_law(&bytes);
    }
}

#[test]
fn fuzz_corpus_is_judged_rightly() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/parse");
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        law::parse_law(&fs::read(entry.unwrap().path()).unwrap());
        files += 1;
    }
    assert!(files >= 20, "only {files} files in the corpus");
}
