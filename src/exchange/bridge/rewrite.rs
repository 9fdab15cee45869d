//! Texts that stand in a message otherwise on the two sides of an edge, though no bridge says so: our own addresses, and what a
//! partner calls a product.

use crate::{
    json::{Builder, Document, Node, Slot},
    plan::{PartnerPlan, Plan},
};

/// A document with our own addresses in it as the partner's release has them.
pub fn addressed(plan: &Plan, partner: &PartnerPlan, document: &Document) -> Document {
    let public_url = plan.settings().gateway.listeners.sonata.url.trim_end_matches('/');
    let base = [public_url, &partner.settings().base_path].concat();
    let is_there = |(ours, theirs): &&(String, String)| ours != theirs && document.text().contains(ours);
    let others = partner.edges().flat_map(|edge| &edge.addresses).filter(is_there);
    let others = others.map(|(ours, theirs)| ([&base, &**ours].concat(), [&base, &**theirs].concat()));
    let others: Vec<(String, String)> = others.collect();
    let others: Vec<(&str, &str)> = others.iter().map(|(ours, theirs)| (&**ours, &**theirs)).collect();
    rewritten(document, "href", &others, &|text, (ours, theirs)| {
        Some(format!("{theirs}{}", text.strip_prefix(ours)?))
    })
}

/// What comes of a text by one pair of an old and a new one.
type Renamed = dyn Fn(&str, (&str, &str)) -> Option<String>;

/// A document with other texts in all members of one name; `pairs` are what may be replaced and by what.
pub fn rewritten(document: &Document, name: &str, pairs: &[(&str, &str)], renamed: &Renamed) -> Document {
    if !pairs.iter().any(|(old, _)| document.text().contains(old)) {
        return document.clone();
    }
    let mut work = Work { builder: Builder::new(), name, pairs, renamed };
    let root = work.value(document.root());
    work.builder.finish(root)
}

struct Work<'d, 'w> {
    builder: Builder<'d>,
    name: &'w str,
    pairs: &'w [(&'w str, &'w str)],
    renamed: &'w Renamed,
}

impl<'d> Work<'d, '_> {
    /// As deep as a parsed document is, which is bounded.
    fn value(&mut self, node: Node<'d>) -> Slot {
        let is_inside = node.is_object() || node.is_array();
        if !is_inside || !self.pairs.iter().any(|(old, _)| node.raw().contains(old)) {
            return self.builder.copy(node);
        }
        if node.is_array() {
            let array = self.builder.array();
            for element in node.elements() {
                let element = self.value(element);
                self.builder.push(array, element);
            }
            return array;
        }
        let object = self.builder.object();
        for (name, value) in node.members() {
            let text = value.as_str().filter(|_| name == self.name);
            let other = text.and_then(|text| self.pairs.iter().find_map(|pair| (self.renamed)(&text, *pair)));
            let slot = match other {
                Some(other) => self.builder.string(other),
                None if value.is_object() || value.is_array() => self.value(value),
                None => self.builder.copy(value),
            };
            self.builder.set(object, name, slot);
        }
        object
    }
}
