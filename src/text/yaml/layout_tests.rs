//! Laws of the layout: it changes no value, no style and no comment, and nothing the second time.
#![expect(clippy::format_push_string, reason = "texts of tests, where nothing is counted")]

use super::*;
use crate::text::{Diagnostics, Sources};
use proptest::prelude::*;

fn laid(text: &str) -> Result<String, LayoutError> {
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let id = sources.add("a.yaml", text);
    laid_out(&sources, id, &mut out)
}

/// What a document says, in one line that the layout has no part in.
fn said(text: &str) -> String {
    fn of(node: &Node, out: &mut String) {
        match &node.value {
            Value::Scalar(scalar) => out.push_str(&format!("{:?}{:?}", scalar.style, scalar.text)),
            Value::Sequence(nodes) => {
                out.push('[');
                for node in nodes {
                    of(node, out);
                }
                out.push(']');
            }
            Value::Mapping(entries) => {
                for entry in entries {
                    out.push_str(&format!("{:?}=", entry.key));
                    of(&entry.value, out);
                }
            }
        }
    }
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let id = sources.add("a.yaml", text);
    let node = load(&sources, id, &mut out);
    assert!(!out.has_errors(), "{text}\n{}", out.render_text(&sources));
    let mut said = String::new();
    of(&node.unwrap(), &mut said);
    said
}

fn check(text: &str) {
    let once = laid(text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
    assert_eq!(said(text), said(&once), "\n{text}\n--- became\n{once}");
    let twice = laid(&once).unwrap_or_else(|error| panic!("{error}:\n{once}"));
    assert!(twice == once, "\n{text}\n--- became\n{once}\n--- and then\n{twice}");
    let comments = |text: &str| text.matches("#c").count();
    assert_eq!(comments(text), comments(&once), "\n{text}\n--- became\n{once}");
}

#[test]
fn a_list_in_the_column_of_its_key_is_none_in_brackets() {
    for first in ["[]", "[ x, y ]", "{ x: y }"] {
        check(&format!("e: #c behind\n- {first}\n- 'a' #c of a\n- b\n"));
    }
}

#[test]
fn the_layout_is_the_documented_one() {
    let rows = [
        ("{a: 1,b:   [x,y],c: {},d: []}", "{ a: 1, b: [ x, y ], c: {}, d: [] }\n"),
        ("a:\n- b: 1\n  c: 2\n-   d\n", "a:\n  - b: 1\n    c: 2\n  - d\n"),
        ("a:\n    b: 1\n\n\n    c: 2\n\n", "a:\n  b: 1\n\n  c: 2\n"),
        ("# head\n\na: 1\n# tail\n", "# head\n\na: 1\n# tail\n"),
        ("a: 1   # x\nbcd: 2 # y\n", "a: 1    # x\nbcd: 2  # y\n"),
        ("a:\n  b: 1\n  # of b\n# of c\nc: 2\n", "a:\n  b: 1\n  # of b\n# of c\nc: 2\n"),
        ("a:\n- b\n# of c\nc: 2\n", "a:\n  - b\n# of c\nc: 2\n"),
        ("a: { b: 1, # x\n     c: 2 }\n", "a:\n  b: 1     # x\n  c: 2\n"),
        ("a:   |-\n      x\n       y\nb: 1\n", "a: |-\n  x\n   y\nb: 1\n"),
        ("a:\n  - # x\n    b: 1\n", "a:\n  # x\n  - b: 1\n"),
        ("a: 'x\n\n      y'\n", "a: 'x\n\n  y'\n"),
        ("- - a\n  - b: 1\n    c: 2\n", "- - a\n  - b: 1\n    c: 2\n"),
    ];
    for (text, wanted) in rows {
        assert_eq!(laid(text).as_deref(), Ok(wanted), "{text}");
        check(text);
    }
}

#[test]
fn what_is_long_becomes_a_block() {
    let long = "x".repeat(WIDTH_MAX);
    let text = format!("- {{ a: {long}, b: {{ c: 1 }} }}\n");
    assert_eq!(laid(&text).unwrap(), format!("- a: {long}\n  b: {{ c: 1 }}\n"));
    check(&text);
    let fits = format!("a: [ {} ]\n", "x".repeat(WIDTH_MAX - 7));
    assert_eq!(laid(&fits).unwrap(), fits);
    let beyond = format!("a: [ {} ]\n", "x".repeat(WIDTH_MAX - 6));
    assert_eq!(laid(&beyond).unwrap(), format!("a:\n  - {}\n", "x".repeat(WIDTH_MAX - 6)));
}

#[test]
fn what_is_broken_is_refused() {
    for text in ["a: [", "a: 1\na: 2\n", "", "a:\n\t- b", "{ a: b(c, d) }"] {
        assert_eq!(laid(text), Err(LayoutError::Broken), "{text}");
    }
    assert_eq!(laid("? |\n  a\n  b\n: 1\n"), Err(LayoutError::Meaning));
}

/// A document to be written in some way.
#[derive(Debug, Clone)]
enum Doc {
    Scalar(String, u8),
    List(Vec<Doc>, u8),
    Map(Vec<(String, Doc)>, u8),
}

fn doc() -> impl Strategy<Value = Doc> {
    let word = "[a-z]{1,6}( [a-z#:]{1,5}){0,2}";
    let leaf = (word, any::<u8>())
        .prop_map(|(text, style)| Doc::Scalar(text.replace(" #", " x#").replace(": ", ":"), style));
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            (proptest::collection::vec(inner.clone(), 0..5), any::<u8>())
                .prop_map(|(list, style)| Doc::List(list, style)),
            (proptest::collection::btree_map("[a-z]{1,4}", inner, 0..5), any::<u8>())
                .prop_map(|(map, style)| Doc::Map(map.into_iter().collect(), style)),
        ]
    })
}

struct Writer {
    out: String,
    /// Decides comments, empty lines and indentations, one byte after the other.
    dice: Vec<u8>,
    at: usize,
}

impl Writer {
    fn roll(&mut self) -> u8 {
        self.at += 1;
        self.dice[self.at % self.dice.len()]
    }

    /// What may stand before an entry.
    fn before(&mut self, indent: usize) {
        match self.roll() % 8 {
            0 => self.out.push_str("\n\n"),
            1 => self.out.push_str(&format!("{}#c own\n", " ".repeat(indent))),
            2 => self
                .out
                .push_str(&format!("\n{}#c odd\n\n", " ".repeat(indent + usize::from(self.dice[0] % 3)))),
            _ => {}
        }
    }

    fn end_of_line(&mut self) {
        let text = match self.roll() % 6 {
            0 => " #c behind\n",
            1 => "     #c far behind\n",
            _ => "\n",
        };
        self.out.push_str(text);
    }

    fn flow(&mut self, doc: &Doc) {
        match doc {
            Doc::Scalar(text, style) => self.out.push_str(&match style % 3 {
                0 if !text.ends_with(':') => text.clone(),
                1 => format!("'{text}'"),
                _ => format!("\"{text}\""),
            }),
            Doc::List(list, _) => {
                self.out.push('[');
                for (index, doc) in list.iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { "" });
                    self.flow(doc);
                }
                self.out.push(']');
            }
            Doc::Map(map, _) => {
                self.out.push('{');
                for (index, (key, doc)) in map.iter().enumerate() {
                    self.out.push_str(if index > 0 { ", " } else { " " });
                    self.out.push_str(&format!("{key}: "));
                    self.flow(doc);
                }
                self.out.push('}');
            }
        }
    }

    /// What stands behind a key or dash at `indent`, up to the end of the line.
    fn value(&mut self, doc: &Doc, indent: usize, is_dash: bool) {
        match doc {
            Doc::Scalar(text, style) if style % 7 == 5 || style % 7 == 6 => {
                let sign = if style % 7 == 5 { '|' } else { '>' };
                let chomp = ["", "-", "+"][usize::from(style % 3)];
                let deep = " ".repeat(indent + 1 + usize::from(style % 4));
                self.out.push_str(&format!(" {sign}{chomp}\n{deep}{text}\n{deep}  {text}\n\n{deep}{text}\n"));
            }
            Doc::Scalar(text, style) if style % 7 == 4 => {
                let deep = " ".repeat(indent + 3);
                self.out.push_str(&format!(" \"{text}\n{deep}{text}\n\n{deep}{text}\""));
                self.end_of_line();
            }
            Doc::List(list, style) if !list.is_empty() && style % 2 == 0 => {
                self.end_of_line();
                let deeper = if is_dash {
                    indent + 1 + usize::from(style % 3)
                } else {
                    indent + usize::from(style % 3)
                };
                self.list(list, deeper);
            }
            Doc::Map(map, style) if !map.is_empty() && style % 2 == 0 => {
                self.end_of_line();
                self.map(map, indent + 1 + usize::from(style % 4));
            }
            other => {
                self.out.push(' ');
                self.flow(other);
                self.end_of_line();
            }
        }
    }

    fn list(&mut self, list: &[Doc], indent: usize) {
        for doc in list {
            self.before(indent);
            self.out.push_str(&format!("{}-", " ".repeat(indent)));
            self.value(doc, indent, true);
        }
    }

    fn map(&mut self, map: &[(String, Doc)], indent: usize) {
        for (key, doc) in map {
            self.before(indent);
            self.out.push_str(&format!("{}{key}:", " ".repeat(indent)));
            self.value(doc, indent, false);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_document_keeps_what_it_says(doc in doc(), dice in proptest::collection::vec(any::<u8>(), 64)) {
        let mut writer = Writer { out: String::new(), dice, at: 0 };
        match &doc {
            Doc::List(list, _) if !list.is_empty() => writer.list(list, 0),
            Doc::Map(map, _) if !map.is_empty() => writer.map(map, 0),
            other => writer.flow(other),
        }
        check(&writer.out);
    }
}
