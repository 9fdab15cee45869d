use crate::json::{Builder, Document, Kind, Name, Seen};

/// What is built must read like its own text.
pub(super) fn assert_coherent(document: &Document) {
    let again = Document::from_text(document.text()).unwrap();
    assert_eq!(document.node_count(), again.node_count());
    let mut stack = vec![(document.root(), again.root())];
    while let Some((built, parsed)) = stack.pop() {
        assert_eq!(built.id(), parsed.id());
        assert_eq!(built.span(), parsed.span());
        assert_eq!(built.name(), parsed.name());
        assert_eq!(
            (built.kind(), built.len(), built.as_str()),
            (parsed.kind(), parsed.len(), parsed.as_str())
        );
        assert_eq!(built.pointer(), parsed.pointer());
        stack.extend(built.values().zip(parsed.values()));
    }
}

#[test]
fn a_tree_is_written_out_of_order() {
    let source = Document::from_text(r#"{ "n" : 1.10, "o" : { "k" : [ 1e2 , "\u00e9" ] } }"#).unwrap();
    let mut builder = Builder::new();
    let root = builder.object();
    let list = builder.array();
    let copied = builder.copy(source.root().get("o").unwrap());
    builder.set(root, "list", list);
    builder.set(root, "o", copied);
    let text = builder.string("a\"b\né");
    builder.push(list, text);
    let number = builder.number("12345678901234567890");
    builder.push(list, number);
    let not_a_number = builder.number("1,5");
    builder.push(list, not_a_number);
    for slot in [builder.null(), builder.boolean(true), builder.boolean(false), builder.integer(-7)] {
        builder.push(list, slot);
    }
    let n = builder.copy(source.root().get("n").unwrap());
    builder.set(root, "q\"", n);
    let (empty_object, empty_array) = (builder.object(), builder.array());
    builder.set(root, "", empty_object);
    builder.set(root, "e", empty_array);
    let document = builder.finish(root);
    assert_eq!(
        document.text(),
        r#"{"list":["a\"b\né",12345678901234567890,"1,5",null,true,false,-7],"#.to_owned()
            + r#""o":{ "k" : [ 1e2 , "\u00e9" ] },"q\"":1.10,"":{},"e":[]}"#
    );
    assert_coherent(&document);
}

#[test]
fn a_copy_is_opened_when_it_is_written_into() {
    let source = Document::from_text(
        r#"{"a":{"x\u0041":[1, 2],"y":{ "z":1 }},"b":[ {"c":1}, {"c":2} ],"s":"t","n":1,"t":true}"#,
    )
    .unwrap();
    let mut builder = Builder::new();
    let root = builder.copy(source.root());
    assert_eq!((builder.kind(root), builder.len(root), builder.is_empty(root)), (Kind::Object, 5, false));
    assert!(builder.get(root, "missing").is_none() && builder.source(root).is_some());
    assert!(builder.has(root, "a") && builder.source(root).is_some());
    let object = builder.get(root, "a").unwrap();
    assert!(builder.source(root).is_none() && builder.source(object).is_some());
    let list = builder.get(object, "xA").unwrap();
    let three = builder.integer(3);
    builder.push(list, three);
    let rows = builder.get(root, "b").unwrap();
    let last = builder.at(rows, 1).unwrap();
    let new = builder.string("new");
    builder.set(last, "c", new);
    assert!(builder.remove_at(rows, 0).is_some() && builder.remove_at(rows, 7).is_none());
    let text = builder.get(root, "s").unwrap();
    let number = builder.get(root, "n").unwrap();
    let flag = builder.get(root, "t").unwrap();
    assert_eq!(builder.text(text).as_deref(), Some("t"));
    assert_eq!((builder.number_text(number), builder.bool_value(flag)), (Some("1"), Some(true)));
    assert!(builder.remove(root, "n").is_some() && builder.remove(root, "n").is_none());
    let names: Vec<_> = builder.members(root).map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["a", "b", "s", "t"]);
    let document = builder.finish(root);
    assert_eq!(
        document.text(),
        r#"{"a":{"x\u0041":[1,2,3],"y":{ "z":1 }},"b":[{"c":"new"}],"s":"t","t":true}"#
    );
    assert_coherent(&document);
}

#[test]
fn prepared_and_copied_names_are_those_of_their_texts() {
    let source = Document::from_text(r#"{"pl":1,"e\u0073c":2}"#).unwrap();
    let names: Vec<Name> = ["pl", "esc", "q\"", ""].map(Name::from).into();
    let mut builder = Builder::new();
    let root = builder.object();
    for child in source.root().values() {
        let value = builder.copy(child);
        assert!(builder.set_as(root, child, value));
    }
    let new: Vec<_> = names
        .iter()
        .map(|name| {
            let value = builder.string(&**name);
            builder.set_known(root, name, value)
        })
        .collect();
    assert_eq!(new, [Some(false), Some(false), Some(true), Some(true)]);
    let (element, no_object) = (builder.copy(source.root()), builder.null());
    assert!(
        !builder.set_as(root, source.root(), element)
            && builder.set_known(element, &names[0], root).is_some()
    );
    assert!(builder.set_known(no_object, &names[0], element).is_none());
    let document = builder.finish(root);
    assert_eq!(document.text(), r#"{"pl":"pl","e\u0073c":"esc","q\"":"q\"","":""}"#);
    assert_coherent(&document);
}

#[test]
fn members_keep_their_order_however_many_come_and_go() {
    let mut builder = Builder::new();
    let root = builder.object();
    let mut expected = Vec::new();
    for number in 0..300_u32 {
        let value = builder.integer(number.into());
        // Only lengths, beginnings and ends tell names apart at once: most of these are alike in them.
        let name = format!("n{number}x");
        assert!(builder.set(root, name.clone(), value));
        expected.push(name);
        if number % 3 == 0 {
            let at = number as usize * 7 % expected.len();
            assert!(builder.remove(root, &expected.remove(at)).is_some());
        }
    }
    for gone in [expected.remove(0), expected.pop().unwrap()] {
        assert!(builder.remove(root, &gone).is_some() && !builder.has(root, &gone));
    }
    let value = builder.null();
    builder.set(root, "last", value);
    expected.push("last".to_owned());
    let names: Vec<_> = builder.members(root).map(|(name, _)| name.to_owned()).collect();
    assert_eq!((names.len(), builder.len(root)), (expected.len(), expected.len()));
    assert_eq!(names, expected);
    let document = builder.finish(root);
    assert!(document.root().members().map(|(name, _)| name).eq(expected.iter().map(String::as_str)));
    assert_coherent(&document);
}

#[test]
fn what_makes_no_sense_stays_harmless() {
    let mut builder = Builder::new();
    let (object, array, text) = (builder.object(), builder.array(), builder.string("x"));
    assert!(!builder.set(array, "a", text) && !builder.push(object, text) && !builder.set(text, "a", text));
    assert!(builder.get(array, "a").is_none() && builder.at(object, 0).is_none());
    assert!(!builder.replace(array, 0, text));
    builder.set(object, "self", object);
    builder.set(object, "list", array);
    builder.push(array, object);
    builder.push(array, text);
    builder.push(array, text);
    let document = builder.finish(object);
    assert_eq!(document.text(), r#"{"self":null,"list":[null,"x","x"]}"#);
    assert_coherent(&document);
}

#[test]
fn any_node_becomes_a_document() {
    let source = Document::from_text(r#"{"a":[ 1 ,{"b" : "\/"}],"c":"d"}"#).unwrap();
    for pointer in ["", "/a", "/a/1", "/a/1/b", "/c"] {
        let node = source.root().resolve(pointer).unwrap();
        let document = Document::of(node);
        assert_eq!(document.text(), node.raw());
        assert_eq!(document.root().name(), None);
        assert_coherent(&document);
    }
}

#[test]
fn names_that_are_there_are_never_told_absent() {
    let source = Document::from_text(r#"{"a":1,"role":2,"\u0062":3,"@type":{"x":4}}"#).unwrap();
    let (all, inner) = (Seen::of(source.root()), Seen::of(source.root().get("@type").unwrap()));
    for name in ["a", "role", "b", "@type"] {
        assert!(all.may_have(&Name::new(name)), "{name}");
    }
    assert!(inner.may_have(&Name::new("x")) && !inner.may_have(&Name::new("role")));
    let scalar = source.root().get("a").unwrap();
    assert!(Seen::ALL.may_have(&Name::new("a")) && !Seen::of(scalar).may_have(&Name::new("a")));
}
