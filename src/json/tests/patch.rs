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

#[test]
fn what_changes_inside_stays_where_it_is_and_may_be_taken_back() {
    let text = r#"{"a":{"b":[ {"c":1,"d":2} , {"c":3} ,{"d":4}]},"e":{"f":{"g":1}},"h":0}"#;
    let source = Document::from_text(text).unwrap();
    for (is_back, expected) in [
        (false, r#"{"a":{"b":[ {"d":2} , {} ,{"d":4}]},"e":{"f":{}},"h":0}"#),
        (true, r#"{"a":{"b":[ {"d":2},{"d":4}]},"h":0}"#),
    ] {
        let mut patch = Patch::new(source.root());
        each(&mut patch, source.root(), |patch, child, name| {
            let mark = patch.mark();
            patch.reach(child);
            match name {
                "a" => each(patch, child, |patch, array, _| {
                    patch.reach(array);
                    patch.enter(array);
                    for element in array.elements() {
                        let mark = patch.mark();
                        patch.reach(element);
                        let mut left = 0;
                        each(patch, element, |patch, member, name| {
                            if name == "c" {
                                patch.cut();
                            } else {
                                keep(patch, member);
                            }
                            left = patch.count();
                        });
                        if is_back && left == 0 {
                            patch.back_to(&mark);
                            patch.cut();
                        } else {
                            patch.keep(element);
                        }
                    }
                    patch.leave();
                    patch.keep(array);
                }),
                "e" => each(patch, child, |patch, inner, _| {
                    patch.reach(inner);
                    each(patch, inner, |patch, _, _| patch.cut());
                    patch.keep(inner);
                }),
                _ => {}
            }
            if is_back && name == "e" {
                patch.back_to(&mark);
                patch.cut();
            } else {
                patch.keep(child);
            }
        });
        let document = patch.finish().unwrap();
        assert_coherent(&document);
        assert_eq!(document.text(), expected);
    }
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
