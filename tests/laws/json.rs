//! What holds for the document whatever bytes come: one law for the fuzz target, the replay of its corpus and
//! the property tests. `serde_json` is the oracle.

use segue::json::{Builder, Document, Kind, Limits, Node, ParseCode, ParseError, Slot};
use serde_json::Value;

/// Documents with more nodes are compared as a whole but not node by node.
const NODES_EXAMINED_MAX: usize = 200;

/// Panics unless `bytes` are accepted or refused rightly and, if accepted, kept exactly.
pub fn parse_law(bytes: &[u8]) {
    match Document::parse(bytes.to_vec(), &Limits::default()) {
        Ok(document) => accepted(bytes, &document),
        Err(error) => refused(bytes, &error),
    }
}

fn refused(bytes: &[u8], error: &ParseError) {
    assert!(error.offset <= bytes.len(), "{error:?}");
    let reason = error.to_string();
    assert!(reason.chars().count() <= 255 && !reason.chars().any(char::is_control), "{reason:?}");
    match error.code {
        ParseCode::InvalidUtf8 => {
            assert_eq!(std::str::from_utf8(bytes).unwrap_err().valid_up_to(), error.offset);
        }
        ParseCode::UnexpectedEnd
        | ParseCode::UnexpectedByte
        | ParseCode::InvalidWord
        | ParseCode::InvalidNumber
        | ParseCode::InvalidEscape
        | ParseCode::ControlCharacter
        | ParseCode::TrailingData => {
            let other = serde_json::from_slice::<serde::de::IgnoredAny>(bytes);
            assert!(other.is_err(), "refused although it is JSON: {error:?}");
        }
        // Stricter than RFC 8259: nothing to compare with.
        ParseCode::ByteOrderMark
        | ParseCode::LoneSurrogate
        | ParseCode::DuplicateMember
        | ParseCode::TooManyBytes
        | ParseCode::TooDeep
        | ParseCode::TooManyMembers
        | ParseCode::TooManyElements
        | ParseCode::StringTooLong
        | ParseCode::TooManyNodes => {}
    }
}

fn accepted(bytes: &[u8], document: &Document) {
    assert_eq!(document.text().as_bytes(), bytes);
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => same(document.root(), &value),
        Err(error) => assert!(error.to_string().starts_with("number out of range"), "{error}"),
    }
    if document.node_count() <= NODES_EXAMINED_MAX {
        visit(document.root());
        rewritten(document);
    }
}

/// The same value as `serde_json` read, as far as a float can tell.
pub fn same(node: Node<'_>, value: &Value) {
    match value {
        Value::Null => assert!(node.is_null()),
        Value::Bool(value) => assert_eq!(node.as_bool(), Some(*value)),
        Value::Number(number) => {
            let text = node.number().expect("a number");
            let (ours, theirs) = (text.parse::<f64>().expect("a float"), number.as_f64().expect("a float"));
            // The oracle may be off in the last place.
            let is_close = (ours - theirs).abs() <= ours.abs() * 1e-14 + f64::MIN_POSITIVE;
            assert!(is_close, "{text}: {ours} and {theirs}");
            if let Some(integer) = number.as_i64() {
                assert_eq!(node.as_i64(), Some(integer));
            }
        }
        Value::String(text) => assert!(node.is_text(text), "{} is not {text:?}", node.raw()),
        Value::Array(elements) => {
            assert_eq!((node.kind(), node.len()), (Kind::Array, elements.len()));
            node.elements().zip(elements).for_each(|(node, value)| same(node, value));
        }
        Value::Object(members) => {
            assert_eq!((node.kind(), node.len()), (Kind::Object, members.len()));
            for (name, value) in members {
                same(node.get(name).expect("the member"), value);
            }
        }
    }
}

/// Every node: its text alone is it, its pointer finds it, a copy of it is identical.
fn visit(node: Node<'_>) {
    let alone = Document::from_text(node.raw()).expect("a value by itself");
    assert!(alone.root().eq_value(node) && node.eq_value(alone.root()));
    let found = node.document().root().resolve(&node.pointer()).expect("what the pointer names");
    assert_eq!(found.id(), node.id());
    let copy = Document::of(node);
    assert_eq!(copy.text(), node.raw());
    identical(copy.root(), alone.root());
    node.values().for_each(visit);
}

/// Two documents of one text have one table.
fn identical(left: Node<'_>, right: Node<'_>) {
    assert_eq!((left.id(), left.kind(), left.span()), (right.id(), right.kind(), right.span()));
    assert_eq!((left.name(), left.as_str(), left.len()), (right.name(), right.as_str(), right.len()));
    left.values().zip(right.values()).for_each(|(left, right)| identical(left, right));
}

/// Built anew from what its nodes say, and opened to the last level, a document stays the same value; what is
/// built reads like its text.
fn rewritten(document: &Document) {
    let mut builder = Builder::new();
    let root = rebuild(&mut builder, document.root());
    let rebuilt = builder.finish(root);
    let mut builder = Builder::new();
    let root = builder.copy(document.root());
    open(&mut builder, root);
    for built in [rebuilt, builder.finish(root)] {
        assert!(built.root().eq_value(document.root()), "{} became {}", document.text(), built.text());
        identical(built.root(), Document::from_text(built.text()).expect("built JSON").root());
    }
}

fn rebuild<'d>(builder: &mut Builder<'d>, node: Node<'d>) -> Slot {
    match node.kind() {
        Kind::Null => builder.null(),
        Kind::Bool => builder.boolean(node.as_bool().expect("a boolean")),
        Kind::Number => builder.number(node.raw()),
        Kind::String => builder.string(node.as_str().expect("a string")),
        Kind::Array => {
            let array = builder.array();
            for element in node.elements() {
                let value = rebuild(builder, element);
                assert!(builder.push(array, value));
            }
            array
        }
        Kind::Object => {
            let object = builder.object();
            for (name, member) in node.members() {
                let value = rebuild(builder, member);
                assert!(builder.set(object, name, value));
            }
            object
        }
    }
}

fn open(builder: &mut Builder<'_>, slot: Slot) {
    let mut children = builder.elements(slot).to_vec();
    children.extend(builder.members(slot).map(|(_, value)| value));
    for child in children {
        open(builder, child);
    }
}
