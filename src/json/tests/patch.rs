use proptest::prelude::*;

use super::builder::assert_coherent;
use crate::json::{Builder, Document, Fresh, Name, Node, Patch};

/// What becomes of the members of an object.
fn each<'d>(patch: &mut Patch<'d>, object: Node<'d>, mut what: impl FnMut(&mut Patch<'d>, Node<'d>, &str)) {
    patch.enter(object);
    for child in object.values() {
        what(patch, child, &child.name().unwrap_or_default());
    }
    patch.leave();
}

fn keep<'d>(patch: &mut Patch<'d>, child: Node<'d>) {
    patch.reach(child);
    patch.keep(child);
}

/// The text that is left of a document in which each member of the outermost object is dealt with.
fn patched(text: &str, what: impl for<'d> Fn(&mut Patch<'d>, Node<'d>, &str)) -> Option<String> {
    let source = Document::from_text(text).unwrap();
    let mut patch = Patch::new(source.root());
    each(&mut patch, source.root(), what);
    patch.finish().map(|document| {
        assert_coherent(&document);
        document.text().to_owned()
    })
}

const TEXT: &str = r#" { "a":1 , "b" : {"x":[ 2,{"y":3} ],"z":[]}, "c\n":"4", "d":null,"e":5} "#;

#[test]
fn what_is_not_changed_is_not_written() {
    assert_eq!(patched(TEXT, |patch, child, _| keep(patch, child)), None);
}

#[test]
fn members_are_left_out_wherever_they_stand() {
    let without = |names: &'static [&'static str]| {
        patched(
            TEXT,
            |patch, child, name| if names.contains(&name) { patch.cut() } else { keep(patch, child) },
        )
        .unwrap()
    };
    let b = r#""b" : {"x":[ 2,{"y":3} ],"z":[]}"#;
    assert_eq!(without(&["a"]), format!(r#"{{{b}, "c\n":"4", "d":null,"e":5}}"#));
    assert_eq!(without(&["b", "d"]), r#"{ "a":1,"c\n":"4","e":5}"#);
    assert_eq!(without(&["c\n", "d", "e"]), format!(r#"{{ "a":1 , {b}}}"#));
    assert_eq!(without(&["a", "b", "c\n", "d", "e"]), "{}");
}

#[test]
fn values_are_replaced_inserted_and_placed() {
    let (new, other) = (Name::new("n\"ew"), Name::new("other"));
    let made = patched(TEXT, |patch, child, name| {
        let mut builder = Builder::default();
        match name {
            "a" => {
                patch.reach(child);
                patch.replace(child, Fresh::Text("\n"));
            }
            "b" => {
                let placing = patch.place(&new, child.get("x").unwrap(), true);
                patch.placed(placing, child);
            }
            "c\n" => {
                let placing = patch.place(&other, child, false);
                patch.placed(placing, child);
                let object = builder.object();
                let seven = builder.integer(7);
                builder.set(object, "i", seven);
                builder.set(object, "j", object);
                patch.insert_members(&builder, object);
            }
            "d" => patch.insert(&Name::new("in"), Fresh::Text("t"), true),
            _ => keep(patch, child),
        }
    });
    let rest = r#""other":"4","i":7,"j":{"i":7,"j":null},"in":["t"],"e":5"#;
    assert_eq!(made.unwrap(), format!(r#"{{ "a":"\n","n\"ew":[[ 2,{{"y":3}} ]],{rest}}}"#));
}

/// Goes into each object and array, leaves out every `c`, and, if asked to, what then is empty.
fn without_c<'d>(patch: &mut Patch<'d>, node: Node<'d>, is_abandoned: bool) -> bool {
    patch.enter(node);
    for child in node.values() {
        if child.name().is_some_and(|name| name == "c") {
            patch.cut();
            continue;
        }
        patch.reach(child);
        let is_entered = child.is_object() || child.is_array();
        if !is_entered || without_c(patch, child, is_abandoned) { patch.keep(child) } else { patch.cut() }
    }
    let stays = patch.count() > 0 || !is_abandoned;
    if stays {
        patch.leave();
    } else {
        patch.abandon();
    }
    stays
}

#[test]
fn what_changes_inside_stays_where_it_is_or_is_abandoned() {
    for (text, left, full) in [
        (
            r#"{"a":{"b":[ {"c":1,"d":2} , {"c":3} ,{"d":4}]},"e":{"f":{"c":1}},"h":0}"#,
            r#"{"a":{"b":[ {"d":2} , {} ,{"d":4}]},"e":{"f":{}},"h":0}"#,
            r#"{"a":{"b":[ {"d":2},{"d":4}]},"h":0}"#,
        ),
        (r#"{"e":{},"c":1,"f":{"c":1,"g":[]},"h":0}"#, r#"{"e":{},"f":{"g":[]},"h":0}"#, r#"{"h":0}"#),
        (r#"{"c":1,"e":[{"c":1}],"f":[[{"c":1}],[1]]}"#, r#"{"e":[{}],"f":[[{}],[1]]}"#, r#"{"f":[[1]]}"#),
        (r#"{"h":0,"c":1,"e":[{"c":1}],"i":1}"#, r#"{"h":0,"e":[{}],"i":1}"#, r#"{"h":0,"i":1}"#),
    ] {
        let source = Document::from_text(text).unwrap();
        for (is_abandoned, expected) in [(false, left), (true, full)] {
            let mut patch = Patch::new(source.root());
            assert!(without_c(&mut patch, source.root(), is_abandoned));
            let document = patch.finish().unwrap();
            assert_coherent(&document);
            assert_eq!(document.text(), expected);
        }
    }
}

#[test]
fn what_is_placed_may_be_taken_back() {
    let source = Document::from_text(r#"{"a":1,"b":{"c":2,"d":3},"e":4}"#).unwrap();
    let other = Document::from_text(r#"[{"x":[1.0]},2]"#).unwrap();
    let (name, new) = (Name::new("z"), Name::new("new"));
    let mut patch = Patch::new(source.root());
    each(&mut patch, source.root(), |patch, child, own| {
        if own != "b" {
            return keep(patch, child);
        }
        let placing = patch.place(&name, child, true);
        without_c(patch, child, true);
        patch.unplace(&placing);
        patch.insert(&new, Fresh::Copy(other.root().at(0).unwrap()), true);
    });
    let document = patch.finish().unwrap();
    assert_coherent(&document);
    assert_eq!(document.text(), r#"{"a":1,"new":[{"x":[1.0]}],"e":4}"#);
}

#[test]
fn an_object_is_entered_where_it_is_placed() {
    let source = Document::from_text(r#"{"a":[{"b":1,"c":2},3],"d":4}"#).unwrap();
    let name = Name::new("z");
    for (is_wrapped, expected) in [(false, r#"{"z":{"c":2},"d":4}"#), (true, r#"{"z":[{"c":2}],"d":4}"#)] {
        let mut patch = Patch::new(source.root());
        each(&mut patch, source.root(), |patch, child, own| {
            if own == "d" {
                return keep(patch, child);
            }
            let first = child.at(0).unwrap();
            let placing = patch.place(&name, first, is_wrapped);
            each(patch, first, |patch, inner, name| {
                if name == "b" {
                    patch.cut();
                } else {
                    keep(patch, inner);
                }
            });
            patch.placed(placing, child);
        });
        let document = patch.finish().unwrap();
        assert_coherent(&document);
        assert_eq!(document.text(), expected);
    }
}

#[test]
fn members_become_those_of_another_object() {
    let text = r#"{"a":1,"b":{"c":2,"d":{"e":3},"f":4},"g":5,"h":[{"i":6}]}"#;
    let source = Document::from_text(text).unwrap();
    for (left_out, expected) in [
        ("f", r#"{"a":1,"c":2,"d":{"e":3},"g":5,"h":[{"i":6}]}"#),
        ("d", r#"{"a":1,"c":2,"f":4,"g":5,"h":[{"i":6}]}"#),
        ("a", r#"{"c":2,"d":{"e":3},"f":4,"g":5,"h":[{"i":6}]}"#),
        ("cdf", r#"{"a":1,"g":5,"h":[{"i":6}]}"#),
        ("acdfg", r#"{"h":[{"i":6}]}"#),
        ("acdfgh", "{}"),
    ] {
        let mut patch = Patch::new(source.root());
        each(&mut patch, source.root(), |patch, child, name| match name {
            "b" => {
                patch.hoist(child);
                for member in child.values() {
                    let is_out = left_out.contains(&*member.name().unwrap());
                    if is_out { patch.cut() } else { keep(patch, member) }
                }
                patch.hoisted();
            }
            name if left_out.contains(name) => patch.cut(),
            _ => keep(patch, child),
        });
        let document = patch.finish().unwrap();
        assert_coherent(&document);
        assert_eq!(document.text(), expected);
    }
}

#[test]
fn an_object_becomes_a_member_of_itself() {
    let source = Document::from_text(r#"[{"a":1,"b":{"c":2},"d":4},5]"#).unwrap();
    let (name, inner) = (Name::new("z"), Name::new("y"));
    for (is_wrapped, expected) in [
        (false, r#"[{"a":1,"z":{"b":{},"d":4},"y":{"a":1,"b":{"c":2},"d":4},"d":4},5]"#),
        (true, r#"[{"a":1,"z":[{"b":{},"d":4}],"y":[{"a":1,"b":{"c":2},"d":4}],"d":4},5]"#),
    ] {
        let mut patch = Patch::new(source.root());
        each_element(&mut patch, source.root(), |patch, object| {
            patch.enter(object);
            for child in object.values() {
                if child.name().unwrap() == "a" { keep(patch, child) } else { patch.cut() }
            }
            let placing = patch.place(&name, object, is_wrapped);
            each(patch, object, |patch, child, name| match name {
                "a" => patch.cut(),
                "b" => {
                    patch.reach(child);
                    each(patch, child, |patch, _, _| patch.cut());
                    patch.keep(child);
                }
                _ => keep(patch, child),
            });
            patch.placed_beside(&placing);
            let placing = patch.place(&inner, object, is_wrapped);
            patch.placed_beside(&placing);
            patch.hoist(object);
            for child in object.values() {
                if child.name().unwrap() == "d" { keep(patch, child) } else { patch.cut() }
            }
            patch.hoisted();
            patch.leave();
        });
        let document = patch.finish().unwrap();
        assert_coherent(&document);
        assert_eq!(document.text(), expected);
    }
}

/// Goes into the elements of an array that are objects.
fn each_element<'d>(patch: &mut Patch<'d>, array: Node<'d>, mut what: impl FnMut(&mut Patch<'d>, Node<'d>)) {
    patch.enter(array);
    for element in array.elements() {
        patch.reach(element);
        if element.is_object() {
            what(patch, element);
        }
        patch.keep(element);
    }
    patch.leave();
}

/// What is done with a document, as it comes, and the text that is then to be there.
struct Deeds {
    deeds: std::vec::IntoIter<u8>,
    /// Of names that are made up.
    serial: usize,
}

impl Deeds {
    fn next(&mut self) -> u8 {
        self.deeds.next().unwrap_or(0)
    }

    fn name(&mut self) -> Name {
        self.serial += 1;
        Name::new(&format!("new{}", self.serial))
    }

    /// Does something to an object or array that was reached or placed; its text, none if it is abandoned.
    fn inside<'d>(&mut self, patch: &mut Patch<'d>, node: Node<'d>) -> Option<String> {
        if !(node.is_object() || node.is_array()) || self.next().is_multiple_of(3) {
            return Some(node.raw().to_owned());
        }
        patch.enter(node);
        let mut children = self.children(patch, node);
        if node.is_object() && self.next().is_multiple_of(5) {
            let (name, is_wrapped) = (self.name(), self.next().is_multiple_of(2));
            let placing = patch.place(&name, node, is_wrapped);
            match self.inside(patch, node) {
                Some(text) => {
                    patch.placed_beside(&placing);
                    children.push(written(&name, &text, is_wrapped));
                }
                None => patch.unplace(&placing),
            }
        }
        assert_eq!(patch.count() as usize, children.len());
        if self.next().is_multiple_of(4) {
            patch.abandon();
            return None;
        }
        patch.leave();
        let children = children.join(",");
        Some(if node.is_object() { format!("{{{children}}}") } else { format!("[{children}]") })
    }

    /// Does something to each child.
    fn children<'d>(&mut self, patch: &mut Patch<'d>, node: Node<'d>) -> Vec<String> {
        let mut children = Vec::new();
        for child in node.values() {
            let own = |text: &str| match child.name() {
                Some(name) => format!("\"{name}\":{text}"),
                None => text.to_owned(),
            };
            match (self.next() % 8, node.is_object()) {
                (3, _) => patch.cut(),
                (4, _) => {
                    patch.reach(child);
                    patch.replace(child, Fresh::Text("\u{e9}\n"));
                    children.push(own("\"\u{e9}\\n\""));
                }
                (5, true) => {
                    let (name, is_wrapped) = (self.name(), self.next().is_multiple_of(2));
                    let inner = child.at(0).unwrap_or(child);
                    let placing = patch.place(&name, inner, is_wrapped);
                    if let Some(text) = self.inside(patch, inner) {
                        patch.placed(placing, child);
                        children.push(written(&name, &text, is_wrapped));
                    } else {
                        patch.unplace(&placing);
                        patch.cut();
                    }
                }
                (6, true) => {
                    let name = self.name();
                    patch.insert(&name, Fresh::Copy(child), false);
                    children.push(written(&name, child.raw(), false));
                }
                (7, true) if child.is_object() => {
                    patch.hoist(child);
                    children.extend(self.children(patch, child));
                    patch.hoisted();
                }
                _ => {
                    patch.reach(child);
                    if let Some(text) = self.inside(patch, child) {
                        patch.keep(child);
                        children.push(own(&text));
                    } else {
                        patch.cut();
                    }
                }
            }
        }
        children
    }
}

fn written(name: &str, text: &str, is_wrapped: bool) -> String {
    if is_wrapped { format!("\"{name}\":[{text}]") } else { format!("\"{name}\":{text}") }
}

/// Documents, in which each name is there once.
fn documents() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("1.10"), Just("null"), Just("\"a\\u00e9\""), Just("{}"), Just("[]")];
    let tree = leaf.prop_map(str::to_owned).prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            2 => proptest::collection::vec(inner.clone(), 0..5)
                .prop_map(|children| format!("{{{}}}", children.iter().map(|child| format!("\"#\" : {child}")).collect::<Vec<_>>().join(" , "))),
            1 => proptest::collection::vec(inner, 0..4).prop_map(|children| format!("[ {}]", children.join(","))),
        ]
    });
    tree.prop_map(|text| {
        let mut parts = text.split('#');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.enumerate().fold(first, |text, (number, part)| format!("{text}n{number}{part}"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn whatever_is_done_the_text_and_the_table_are_as_one(
        text in documents(),
        deeds in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let source = Document::from_text(&text).unwrap();
        let mut patch = Patch::new(source.root());
        let mut deeds = Deeds { deeds: deeds.into_iter(), serial: 0 };
        if let Some(expected) = deeds.inside(&mut patch, source.root()) {
            let document = patch.finish().unwrap_or(source);
            assert_coherent(&document);
            let expected = Document::from_text(&expected).unwrap();
            prop_assert_eq!(compact(document.root()), compact(expected.root()));
        }
    }
}

/// The text of a node without blanks.
fn compact(node: Node<'_>) -> String {
    let children = || {
        node.values().map(|child| match child.name() {
            Some(name) => format!("{name:?}:{}", compact(child)),
            None => compact(child),
        })
    };
    match (node.is_object(), node.is_array()) {
        (true, _) => format!("{{{}}}", children().collect::<Vec<_>>().join(",")),
        (_, true) => format!("[{}]", children().collect::<Vec<_>>().join(",")),
        _ => node.raw().to_owned(),
    }
}
