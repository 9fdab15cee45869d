//! A document seen through a type: only the members that the type has.
//!
//! A list answers with a summary type (`Quote_Find`), and a Buyer's unknown members are not repeated where they
//! are ignored.

use crate::{
    json::{Builder, Document, Kind, Node, Slot},
    sonata::{Polymorphism, TypeView},
};

/// The members of `node` that `view` has, at every depth. Product payloads and what the contract leaves open stay
/// as they are. A document without anything else comes back as the same text.
#[must_use]
pub fn project(node: Node<'_>, view: TypeView<'_>) -> Document {
    let mut builder = Builder::new();
    let root = projected(&mut builder, node, view).unwrap_or_else(|| builder.copy(node));
    builder.finish(root)
}

/// `None` when nothing has to go, so that the node can be copied whole.
fn projected<'d>(builder: &mut Builder<'d>, node: Node<'d>, view: TypeView<'_>) -> Option<Slot> {
    match node.kind() {
        Kind::Object => object(builder, node, view),
        Kind::Array => array(builder, node, view.item()?),
        _ => None,
    }
}

fn object<'d>(builder: &mut Builder<'d>, node: Node<'d>, view: TypeView<'_>) -> Option<Slot> {
    let literal = match view.polymorphism() {
        Polymorphism::Product(_) => return None,
        Polymorphism::Cases(member) => node.get(member).and_then(Node::as_str),
        Polymorphism::None => None,
    };
    if view.is_open() {
        return None;
    }
    let mut out = None;
    for (index, (name, value)) in node.members().enumerate() {
        let member = view.member_as(&name, literal.as_deref());
        let changed = member.map(|member| projected(builder, value, member.value));
        let slot = match changed {
            // Kept as it is: only written once something before it was not.
            Some(None) if out.is_none() => continue,
            Some(None) => Some(builder.copy(value)),
            Some(changed) => changed,
            None => None,
        };
        let object = *out.get_or_insert_with(|| prefix(builder, node, index));
        if let Some(slot) = slot {
            builder.set(object, name, slot);
        }
    }
    out
}

/// An object with the first members of `node` as they are.
fn prefix<'d>(builder: &mut Builder<'d>, node: Node<'d>, count: usize) -> Slot {
    let object = builder.object();
    for (name, value) in node.members().take(count) {
        let value = builder.copy(value);
        builder.set(object, name, value);
    }
    object
}

fn array<'d>(builder: &mut Builder<'d>, node: Node<'d>, item: TypeView<'_>) -> Option<Slot> {
    let elements: Vec<Option<Slot>> =
        node.elements().map(|element| projected(builder, element, item)).collect();
    if elements.iter().all(Option::is_none) {
        return None;
    }
    let array = builder.array();
    for (element, changed) in node.elements().zip(elements) {
        let slot = changed.unwrap_or_else(|| builder.copy(element));
        builder.push(array, slot);
    }
    Some(array)
}
