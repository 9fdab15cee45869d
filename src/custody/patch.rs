//! A Buyer's change of what it sent before (PATCH; MEF 123 R52 to R58).

use crate::json::{Builder, Document, Node, Slot};

/// `base` with the attributes of `patch` in the place of its own: objects by member, the elements of the array
/// `items` by their `id`, other arrays whole, because a Buyer sends an array such as `note` with all its elements.
///
/// An item that `base` does not have is left out: an order gains no items by a change.
#[must_use]
pub fn patched(base: &Document, patch: &Document, items: Option<&str>) -> Document {
    let mut builder = Builder::new();
    let root = object(&mut builder, base.root(), patch.root(), items);
    builder.finish(root)
}

fn object<'d>(builder: &mut Builder<'d>, base: Node<'d>, patch: Node<'d>, items: Option<&str>) -> Slot {
    let root = builder.copy(base);
    for (name, new) in patch.members() {
        let old = base.get(&name);
        let slot = match old {
            Some(old) if items == Some(&*name) && old.is_array() => elements(builder, old, new),
            Some(old) if old.is_object() && new.is_object() => object(builder, old, new, None),
            _ => builder.copy(new),
        };
        builder.set(root, name, slot);
    }
    root
}

fn elements<'d>(builder: &mut Builder<'d>, base: Node<'d>, patch: Node<'d>) -> Slot {
    let array = builder.array();
    for old in base.elements() {
        let id = old.get("id").and_then(Node::as_str);
        let same = |new: &Node<'d>| id.is_some() && new.get("id").and_then(Node::as_str) == id;
        let slot = match patch.elements().find(same) {
            Some(new) => object(builder, old, new, None),
            None => builder.copy(old),
        };
        builder.push(array, slot);
    }
    array
}
