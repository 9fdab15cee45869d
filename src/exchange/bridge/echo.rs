//! What a partner sent is told to it again as it sent it, although a bridge may have dropped some of it and changed the form
//! of some.

use std::{cell::OnceCell, sync::Arc};

use crate::{
    json::{Builder, Document, Node, Slot},
    mapping::{
        bridge::{self, Places},
        facts::Facts,
        program::Program,
    },
};

/// The answer with what was sent in it: members that the answer lacks, and values that nobody changed since they came
/// over. `document` is the answer as it came back, `written` as it was before; `over` is what was sent as the bridges
/// were given it, with the same members.
pub fn echoed(
    (sent, over, steps): (&Document, &Document, &[Arc<Program>]),
    (document, written): (&Document, &Document),
    facts: &dyn Facts,
) -> Document {
    let change = Change { sent: over, steps, written, facts, known: OnceCell::new() };
    let mut echo = Echo { builder: Builder::new(), change };
    let root = echo.value(document.root(), sent.root(), &mut String::new());
    echo.builder.finish(root)
}

/// What is told again as a whole or not at all: parts of a product in two forms would be no product.
const WHOLE: &str = "productConfiguration";

/// Whether the answer says of a place what the partner said of it.
struct Change<'e> {
    /// What was sent, as the bridges were given it.
    sent: &'e Document,
    /// What carried it over.
    steps: &'e [Arc<Program>],
    written: &'e Document,
    facts: &'e dyn Facts,
    /// Where the places of what was sent came to, and what came over; found out when something differs.
    known: OnceCell<(Places, Option<Document>)>,
}

impl Change<'_> {
    /// Whether nobody changed what the place came to since it came over; what came to nothing was changed by nobody.
    fn is_none(&self, pointer: &str) -> bool {
        let (places, over) = self.known.get_or_init(|| {
            let over = bridge::carry(self.steps, self.sent, self.facts).ok().and_then(|carried| carried.body);
            (Places::of(self.steps, self.sent, self.facts), over)
        });
        let Some(over) = over else { return false };
        places.after(pointer).iter().all(|place| {
            let asked = over.root().resolve(place);
            let told = self.written.root().resolve(place);
            asked.is_none_or(|asked| told.is_some_and(|told| told.eq_value(asked)))
        })
    }

    /// The same of all that stands in a place. As deep as a parsed document is, which is bounded.
    fn is_none_inside(&self, sent: Node<'_>, pointer: &mut String) -> bool {
        let length = pointer.len();
        let inside = |pointer: &mut String, name: &str, value: Node<'_>| {
            push(pointer, name);
            let is_none = self.is_none_inside(value, pointer);
            pointer.truncate(length);
            is_none
        };
        if sent.is_object() {
            return sent.members().all(|(name, value)| inside(pointer, &name, value));
        }
        if sent.is_array() {
            let mut elements = sent.elements().enumerate();
            return elements.all(|(index, value)| inside(pointer, &index.to_string(), value));
        }
        self.is_none(pointer)
    }
}

struct Echo<'d, 'e> {
    builder: Builder<'d>,
    change: Change<'e>,
}

impl<'d> Echo<'d, '_> {
    /// As deep as parsed documents are, which is bounded.
    fn value(&mut self, told: Node<'d>, sent: Node<'d>, place: &mut String) -> Slot {
        if told.raw() == sent.raw() {
            return self.builder.copy(told);
        }
        if told.is_object() && sent.is_object() {
            return self.object(told, sent, place);
        }
        if told.is_array() && sent.is_array() {
            return self.array(told, sent, place);
        }
        let is_scalar = |node: Node<'_>| !node.is_object() && !node.is_array();
        if is_scalar(told) && is_scalar(sent) && !told.eq_value(sent) && self.change.is_none(place) {
            return self.builder.copy(sent);
        }
        self.builder.copy(told)
    }

    fn object(&mut self, told: Node<'d>, sent: Node<'d>, place: &mut String) -> Slot {
        let object = self.builder.object();
        let length = place.len();
        for (name, value) in told.members() {
            let slot = match sent.get(&name) {
                Some(own) if name == WHOLE => {
                    push(place, &name);
                    let is_same = value.eq_value(own) || self.change.is_none_inside(own, place);
                    place.truncate(length);
                    self.builder.copy(if is_same { own } else { value })
                }
                Some(own) => {
                    push(place, &name);
                    let slot = self.value(value, own, place);
                    place.truncate(length);
                    slot
                }
                None => self.builder.copy(value),
            };
            self.builder.set(object, name, slot);
        }
        for (name, value) in sent.members().filter(|(name, _)| told.get(name).is_none()) {
            let slot = self.builder.copy(value);
            self.builder.set(object, name, slot);
        }
        object
    }

    /// Elements are the same by their `id`, or by their place where they have none: what the Seller adds comes last.
    fn array(&mut self, told: Node<'d>, sent: Node<'d>, place: &mut String) -> Slot {
        let id = |node: Node<'d>| node.get("id").and_then(Node::as_str);
        let by_id =
            sent.elements().all(|one| id(one).is_some()) && told.elements().all(|one| id(one).is_some());
        let array = self.builder.array();
        let length = place.len();
        for (index, element) in told.elements().enumerate() {
            let mut all = sent.elements().enumerate();
            let own = if by_id {
                all.find(|(_, own)| id(*own) == id(element))
            } else {
                all.nth(index).filter(|_| told.len() >= sent.len())
            };
            let slot = match own {
                Some((index, own)) => {
                    push(place, &index.to_string());
                    self.value(element, own, place)
                }
                None => self.builder.copy(element),
            };
            place.truncate(length);
            self.builder.push(array, slot);
        }
        array
    }
}

fn push(place: &mut String, name: &str) {
    place.push('/');
    place.push_str(&name.replace('~', "~0").replace('/', "~1"));
}
