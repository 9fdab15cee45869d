use crate::json::{Document, Kind, Node};

const TEXT: &str = r#"{ "id":"Q1", "n":1.10, "t":true, "f":false, "z":null, "a\u0062":"x\ny",
  "items":[ {"a":1}, [], {"a/b":{"~":[10,20]}} ], "":0, "o":{} }"#;

fn document() -> Document {
    Document::from_text(TEXT).unwrap()
}

#[test]
fn scalars_are_read_by_kind() {
    let document = document();
    let root = document.root();
    let id = root.get("id").unwrap();
    assert_eq!((id.kind(), id.as_str().as_deref(), id.raw()), (Kind::String, Some("Q1"), "\"Q1\""));
    assert!(id.is_text("Q1") && !id.is_text("Q2"));
    assert_eq!(root.get("n").unwrap().number(), Some("1.10"));
    assert_eq!(root.get("t").unwrap().as_bool(), Some(true));
    assert_eq!(root.get("f").unwrap().as_bool(), Some(false));
    assert!(root.get("z").unwrap().is_null());
    assert_eq!(root.get("ab").unwrap().as_str().as_deref(), Some("x\ny"));
    assert_eq!(root.get("").unwrap().as_i64(), Some(0));
    assert_eq!(root.get("z").unwrap().as_str(), None);
    assert!(root.get("missing").is_none() && id.get("id").is_none() && root.at(0).is_none());
}

#[test]
fn arrays_and_objects_keep_their_order() {
    let document = document();
    let root = document.root();
    let names: Vec<_> = root.members().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["id", "n", "t", "f", "z", "ab", "items", "", "o"]);
    assert_eq!((root.len(), root.members().len()), (9, 9));
    let items = root.get("items").unwrap();
    assert_eq!(
        items.elements().map(Node::raw).collect::<Vec<_>>(),
        [r#"{"a":1}"#, "[]", r#"{"a/b":{"~":[10,20]}}"#]
    );
    assert_eq!(items.at(2).unwrap().get("a/b").unwrap().get("~").unwrap().at(1).unwrap().raw(), "20");
    assert!(items.at(3).is_none() && items.at(1).unwrap().is_empty() && root.get("o").unwrap().is_empty());
    assert_eq!(
        items.members().count() + root.elements().count() + root.get("n").unwrap().values().count(),
        0
    );
}

#[test]
fn pointers_name_their_nodes() {
    let document = document();
    let deep = document.root().resolve("/items/2/a~1b/~0/1").unwrap();
    assert_eq!(deep.raw(), "20");
    for id in 0..document.node_count() {
        let node = document.root().resolve(&pointer_of(&document, id)).unwrap();
        assert_eq!(node.id().index() as usize, id);
    }
    for bad in ["x", "/items/02", "/items/3", "/items/-", "/items/+1", "/id/0", "/items/ 1"] {
        assert!(document.root().resolve(bad).is_none(), "{bad}");
    }
}

fn pointer_of(document: &Document, index: usize) -> String {
    let mut stack = vec![document.root()];
    while let Some(node) = stack.pop() {
        if node.id().index() as usize == index {
            return node.pointer();
        }
        stack.extend(node.values());
    }
    panic!("no node {index}");
}

#[test]
fn equality_is_of_values() {
    let equal = [
        ("1.10", "1.1"),
        ("100", "1e2"),
        ("-0.0", "0"),
        (r#""\u0061""#, r#""a""#),
        (r#"{"a":[1,{}],"b":null}"#, r#"{ "b":null, "\u0061":[1.0,{}] }"#),
    ];
    let different = [
        ("9007199254740993", "9007199254740992"),
        ("1", "\"1\""),
        ("null", "false"),
        ("true", "false"),
        ("[1,2]", "[2,1]"),
        ("[1]", "[1,1]"),
        (r#"{"a":1}"#, r#"{"b":1}"#),
        (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        (r#"{"a":null}"#, "{}"),
        ("[]", "{}"),
    ];
    for (left, right) in equal {
        let (left, right) = (Document::from_text(left).unwrap(), Document::from_text(right).unwrap());
        assert!(left.root().eq_value(right.root()) && right.root().eq_value(left.root()), "{}", left.text());
    }
    for (left, right) in different {
        let (left, right) = (Document::from_text(left).unwrap(), Document::from_text(right).unwrap());
        assert!(
            !left.root().eq_value(right.root()) && !right.root().eq_value(left.root()),
            "{}",
            left.text()
        );
    }
}

#[test]
fn debug_shows_no_content() {
    let document = document();
    assert_eq!(format!("{document:?}"), format!("Document({} bytes, 18 nodes)", TEXT.len()));
    assert_eq!(format!("{:?}", document.root().get("id").unwrap()), "Node(1 string at 7..11)");
}
