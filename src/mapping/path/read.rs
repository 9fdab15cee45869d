//! Reading a field path, and naming the place it means.

use super::{Anchor, FieldPath, Literal, Step, Term};
use crate::json::{Kind, Node, number};

/// Two elements match a keyed element that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous {
    /// Index of the step in [`FieldPath::steps`].
    pub step: usize,
}

impl FieldPath {
    /// The node at this place of a body; of a path with `[*]` the array. None: absent. Allocates nothing.
    ///
    /// A step into something that has no members or elements finds nothing. Paths of other parts than the body
    /// have no node: always none.
    ///
    /// # Errors
    /// [`Ambiguous`] where two elements match a keyed step.
    pub fn read<'d>(&self, scope: Node<'d>, root: Node<'d>) -> Result<Option<Node<'d>>, Ambiguous> {
        if self.part != super::Part::Body {
            return Ok(None);
        }
        let mut node = self.start(scope, root);
        for (index, step) in self.steps.iter().enumerate() {
            let next = match step {
                Step::Member(name) => node.get(name),
                Step::Index(at) => node.at(*at),
                Step::Keyed(terms) => keyed(node, terms).map_err(|()| Ambiguous { step: index })?,
            };
            match next {
                Some(next) => node = next,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// The same of a path that names of members alone lead to ([`FieldPath::is_members`]); none of any other.
    #[inline]
    pub fn member<'d>(&self, scope: Node<'d>, root: Node<'d>) -> Option<Node<'d>> {
        let mut node = self.start(scope, root);
        for step in self.steps.iter() {
            let Step::Member(name) = step else { return None };
            node = node.get(name)?;
        }
        Some(node)
    }

    /// The JSON Pointer of this place from the root: as far as the message has it by its nodes, from there by
    /// the names of the steps. A keyed element that is not there, or twice, ends it at the array.
    ///
    /// For messages only: it walks the document and allocates.
    pub fn pointer(&self, scope: Node<'_>, root: Node<'_>) -> String {
        if self.part != super::Part::Body {
            let mut pointer = String::new();
            append_steps(&mut pointer, &self.steps);
            return pointer;
        }
        let mut node = self.start(scope, root);
        for (index, step) in self.steps.iter().enumerate() {
            let next = match step {
                Step::Member(name) => node.get(name),
                Step::Index(at) => node.at(*at),
                Step::Keyed(terms) => keyed(node, terms).unwrap_or(None),
            };
            let Some(next) = next else {
                let mut pointer = node.pointer();
                append_steps(&mut pointer, self.steps.get(index..).unwrap_or_default());
                return pointer;
            };
            node = next;
        }
        node.pointer()
    }

    #[inline]
    fn start<'d>(&self, scope: Node<'d>, root: Node<'d>) -> Node<'d> {
        match self.anchor {
            Anchor::Scope => scope,
            Anchor::Root => root,
        }
    }
}

/// The one element that has these members; `Err` where there are two.
fn keyed<'d>(array: Node<'d>, terms: &[Term]) -> Result<Option<Node<'d>>, ()> {
    let mut matching = array.elements().filter(|element| terms.iter().all(|term| term.holds(*element)));
    let first = matching.next();
    if matching.next().is_some() { Err(()) } else { Ok(first) }
}

fn append_steps(pointer: &mut String, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Member(name) => push_token(pointer, name),
            Step::Index(index) => push_token(pointer, &index.to_string()),
            Step::Keyed(_) => return,
        }
    }
}

/// Appends one token to a JSON Pointer (RFC 6901).
pub(in crate::mapping) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}

impl Term {
    /// Whether the element has the literal at these members.
    pub fn holds(&self, element: Node<'_>) -> bool {
        let found = self.members.iter().try_fold(element, |node, name| node.get(name));
        found.is_some_and(|node| self.value.is(node))
    }
}

impl Literal {
    /// Whether the node is this constant: JSON equality, numbers by their exact decimal value.
    pub fn is(&self, node: Node<'_>) -> bool {
        match self {
            Self::Null => node.is_null(),
            Self::Bool(value) => node.as_bool() == Some(*value),
            Self::Number(text) => node.number().is_some_and(|own| number::equal(own, text)),
            Self::Text(text) => node.is_text(text),
            Self::EmptyArray => node.kind() == Kind::Array && node.is_empty(),
            Self::EmptyObject => node.kind() == Kind::Object && node.is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn document() -> Document {
        Document::from_text(
            r#"{"a":{"b":1.0,"x y":[10,{"c":"k"}]},
                "place":[{"role":"A","@type":"T","id":"1"},{"role":"B","id":"2"},{"role":"B","id":"3"}],
                "s":"text"}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_path_reads_one_place() {
        let document = document();
        let root = document.root();
        let scope = root.get("a").unwrap();
        for (path, found) in [
            ("b", "1.0"),
            ("['x y'][1].c", "\"k\""),
            ("['x y'][*]", r#"[10,{"c":"k"}]"#),
            ("$.s", "\"text\""),
            (".", r#"{"b":1.0,"x y":[10,{"c":"k"}]}"#),
            ("$.place[?@.role=='A' && @['@type']=='T'].id", "\"1\""),
            ("$.place[?@.role=='A' && @['@type']=='U'].id", "absent"),
            ("$.place[?@.role=='B'].id", "ambiguous at 1"),
            ("b.c", "absent"),
            ("$.s[0]", "absent"),
            ("query:s", "absent"),
        ] {
            let read = match FieldPath::parse(path).unwrap().read(scope, root) {
                Ok(Some(node)) => node.raw().to_owned(),
                Ok(None) => "absent".to_owned(),
                Err(ambiguous) => format!("ambiguous at {}", ambiguous.step),
            };
            assert_eq!(read, found, "{path}");
        }
    }

    #[test]
    fn a_pointer_names_what_is_there_and_what_is_missing() {
        let document = document();
        let root = document.root();
        let scope = root.get("a").unwrap();
        for (path, pointer) in [
            ("b", "/a/b"),
            (".", "/a"),
            ("['x y'][1].c", "/a/x y/1/c"),
            ("q.r", "/a/q/r"),
            ("$.place[?@.role=='A'].@type", "/place/0/@type"),
            ("$.place[?@.role=='C'].id", "/place"),
            ("['a/b~c']", "/a/a~1b~0c"),
            ("query:state", "/state"),
        ] {
            assert_eq!(FieldPath::parse(path).unwrap().pointer(scope, root), pointer, "{path}");
        }
    }
}
