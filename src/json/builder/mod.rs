//! A document in the making: a tree that is written out of order and ends in one pass.
//!
//! Values live in an arena and are named by [`Slot`]s. A copied node costs nothing until the end, when its
//! text and its table rows are spliced as they are; a copied array or object that is read into or written
//! into is opened by one level, its children staying copies. Nothing here fails: what makes no sense (a
//! member of an array, a slot inside itself) has a defined, harmless outcome, so that the result is always
//! valid JSON.

mod finish;
mod name;
mod patch;

use std::borrow::Cow;

use self::name::{MemberName, bit};
pub use self::{
    name::{Name, Seen},
    patch::{Fresh, Patch, Placing},
};
use super::{
    node::{Kind, Node},
    number,
    plain::same,
};

/// A value under construction. Belongs to the builder that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot(u32);

/// A tree of values that becomes a [`super::Document`]; `'s` is the life of the documents copied from.
#[derive(Debug, Default)]
pub struct Builder<'s> {
    values: Vec<Value<'s>>,
    /// Members of all objects: each knows the next of its object.
    members: Vec<Member<'s>>,
}

#[derive(Debug, Clone)]
enum Value<'s> {
    Null,
    Bool(bool),
    Number(Cow<'s, str>),
    Text(Cow<'s, str>),
    Copy(Node<'s>),
    Object(Object),
    Array(Vec<Slot>),
}

/// Where the members of an object stand.
#[derive(Debug, Clone, Copy)]
struct Object {
    first: u32,
    last: u32,
    count: u32,
    /// The bits of all names: a clear bit means that a name is not there.
    seen: u64,
}

impl Object {
    const EMPTY: Self = Self { first: NOWHERE, last: NOWHERE, count: 0, seen: 0 };
}

#[derive(Debug, Clone)]
struct Member<'s> {
    name: MemberName<'s>,
    value: Slot,
    next: u32,
}

/// The place of no member.
const NOWHERE: u32 = u32::MAX;

impl<'s> Builder<'s> {
    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        // Most answers have more than this; fewer reallocations on the way there.
        Self { values: Vec::with_capacity(128), members: Vec::with_capacity(128) }
    }

    /// A new `null`.
    pub fn null(&mut self) -> Slot {
        self.add(Value::Null)
    }

    /// A new `true` or `false`.
    pub fn boolean(&mut self, value: bool) -> Slot {
        self.add(Value::Bool(value))
    }

    /// A new number, written exactly as `text`. A text that is no JSON number ([`number::is_number`]) is
    /// written as a string instead, so that the document stays valid whatever is passed.
    pub fn number(&mut self, text: impl Into<Cow<'s, str>>) -> Slot {
        let text = text.into();
        let is_number = number::is_number(&text);
        self.add(if is_number { Value::Number(text) } else { Value::Text(text) })
    }

    /// A new number from an integer.
    pub fn integer(&mut self, value: i64) -> Slot {
        self.add(Value::Number(value.to_string().into()))
    }

    /// A new string that stands for `text`, which is given without escapes.
    pub fn string(&mut self, text: impl Into<Cow<'s, str>>) -> Slot {
        self.add(Value::Text(text.into()))
    }

    /// A copy of `node`: its text stays exactly as it is, white space and escapes inside included.
    #[inline]
    pub fn copy(&mut self, node: Node<'s>) -> Slot {
        self.add(if node.rows() == 0 { Value::Null } else { Value::Copy(node) })
    }

    /// A new object without members.
    #[inline]
    pub fn object(&mut self) -> Slot {
        self.add(Value::Object(Object::EMPTY))
    }

    /// A new array without elements.
    pub fn array(&mut self) -> Slot {
        self.add(Value::Array(Vec::new()))
    }

    /// What kind of value this is. A slot of another builder may be null.
    #[must_use]
    #[inline]
    pub fn kind(&self, slot: Slot) -> Kind {
        match self.value(slot) {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Number,
            Value::Text(_) => Kind::String,
            Value::Copy(node) => node.kind(),
            Value::Object(_) => Kind::Object,
            Value::Array(_) => Kind::Array,
        }
    }

    /// The node that a slot is an unchanged copy of.
    #[must_use]
    pub fn source(&self, slot: Slot) -> Option<Node<'s>> {
        match self.value(slot) {
            Value::Copy(node) => Some(*node),
            _ => None,
        }
    }

    /// The text of a string, without escapes; none for other kinds.
    #[must_use]
    pub fn text(&self, slot: Slot) -> Option<Cow<'_, str>> {
        match self.value(slot) {
            Value::Text(text) => Some(Cow::Borrowed(text)),
            Value::Copy(node) => node.as_str(),
            _ => None,
        }
    }

    /// The text of a number; none for other kinds.
    #[must_use]
    pub fn number_text(&self, slot: Slot) -> Option<&str> {
        match self.value(slot) {
            Value::Number(text) => Some(text),
            Value::Copy(node) => node.number(),
            _ => None,
        }
    }

    /// The value of `true` or `false`; none for other kinds.
    #[must_use]
    pub fn bool_value(&self, slot: Slot) -> Option<bool> {
        match self.value(slot) {
            Value::Bool(value) => Some(*value),
            Value::Copy(node) => node.as_bool(),
            _ => None,
        }
    }

    /// Number of members or elements; 0 for other kinds.
    #[must_use]
    pub fn len(&self, slot: Slot) -> usize {
        match self.value(slot) {
            Value::Object(object) => object.count as usize,
            Value::Array(elements) => elements.len(),
            Value::Copy(node) => node.len(),
            _ => 0,
        }
    }

    /// Whether there is no member or element; true for other kinds.
    #[must_use]
    pub fn is_empty(&self, slot: Slot) -> bool {
        self.len(slot) == 0
    }

    /// Puts `value` under `name`: in the place of a member of that name, else behind the last one.
    ///
    /// False, and nothing is written, if `object` is no object. A slot put in two places is written twice; a
    /// slot put inside itself is written there as null.
    pub fn set(&mut self, object: Slot, name: impl Into<Cow<'s, str>>, value: Slot) -> bool {
        self.put(object, MemberName::Text(name.into()), value).is_some()
    }

    /// The same under a prepared name, which costs less: whether the member is a new one, none if `object` is no
    /// object.
    #[inline]
    pub fn set_known(&mut self, object: Slot, name: &'s Name, value: Slot) -> Option<bool> {
        self.put(object, MemberName::Known(name), value)
    }

    /// The same under the name that `source` stands under, written as it is there. False also if it is no member.
    pub fn set_as(&mut self, object: Slot, source: Node<'s>, value: Slot) -> bool {
        MemberName::of(source).is_some_and(|name| self.put(object, name, value).is_some())
    }

    /// The value under `name`; none if `object` is no object or lacks it. Opens a copied object.
    pub fn get(&mut self, object: Slot, name: &str) -> Option<Slot> {
        self.get_named(object, name, bit(name))
    }

    /// The same by a prepared name, which costs less.
    #[inline]
    pub fn get_known(&mut self, object: Slot, name: &Name) -> Option<Slot> {
        self.get_named(object, name, name.bit())
    }

    fn get_named(&mut self, object: Slot, name: &str, bit: u64) -> Option<Slot> {
        // An absent member is no reason to open a copy.
        if let Value::Copy(node) = self.value(object) {
            node.get(name)?;
        }
        let object = self.object_of(object)?;
        let at = self.find(object, name, bit)?;
        self.members.get(at).map(|member| member.value)
    }

    /// Whether `object` is an object with a member called `name`. Opens nothing.
    #[must_use]
    pub fn has(&self, object: Slot, name: &str) -> bool {
        match self.value(object) {
            Value::Object(object) => self.find(*object, name, bit(name)).is_some(),
            Value::Copy(node) => node.get(name).is_some(),
            _ => false,
        }
    }

    /// Takes the member called `name` away; its former value, if there was one.
    pub fn remove(&mut self, object: Slot, name: &str) -> Option<Slot> {
        self.get(object, name)?;
        let mut links = self.object_of(object)?;
        let at = self.find(links, name, bit(name))?;
        let Member { value, next, .. } = *self.members.get(at)?;
        let at = super::table::position(at);
        let mut before = None;
        let mut walked = links.first;
        while walked != at {
            before = Some(walked);
            walked = self.members.get(walked as usize)?.next;
        }
        match before.and_then(|before| self.members.get_mut(before as usize)) {
            Some(before) => before.next = next,
            None => links.first = next,
        }
        if links.last == at {
            links.last = before.unwrap_or(NOWHERE);
        }
        links.count -= 1;
        self.relink(object, links);
        Some(value)
    }

    /// Names and values of an object, in order; nothing for other kinds. Opens a copied object.
    pub fn members(&mut self, object: Slot) -> impl Iterator<Item = (&str, Slot)> {
        let first = self.object_of(object).map_or(NOWHERE, |object| object.first);
        let members = &self.members;
        let all = std::iter::successors(members.get(first as usize), |last| members.get(last.next as usize));
        all.map(|member| (member.name.text(), member.value))
    }

    /// Puts `value` behind the last element. False, and nothing is written, if `array` is no array.
    pub fn push(&mut self, array: Slot, value: Slot) -> bool {
        let Some(elements) = self.elements_mut(array) else { return false };
        elements.push(value);
        true
    }

    /// Puts `value` in the place of the element at `index`. False if there is no such element.
    pub fn replace(&mut self, array: Slot, index: usize, value: Slot) -> bool {
        let element = self.elements_mut(array).and_then(|elements| elements.get_mut(index));
        element.map(|element| *element = value).is_some()
    }

    /// Takes the element at `index` away; its former value, if there was one.
    pub fn remove_at(&mut self, array: Slot, index: usize) -> Option<Slot> {
        let elements = self.elements_mut(array)?;
        (index < elements.len()).then(|| elements.remove(index))
    }

    /// The element at `index`, counted from 0. Opens a copied array.
    pub fn at(&mut self, array: Slot, index: usize) -> Option<Slot> {
        self.elements(array).get(index).copied()
    }

    /// Values of an array, in order; nothing for other kinds. Opens a copied array.
    pub fn elements(&mut self, array: Slot) -> &[Slot] {
        self.elements_mut(array).map(|elements| elements.as_slice()).unwrap_or_default()
    }

    #[inline]
    fn add(&mut self, value: Value<'s>) -> Slot {
        let slot = Slot(super::table::position(self.values.len()));
        self.values.push(value);
        slot
    }

    #[inline]
    fn value(&self, slot: Slot) -> &Value<'s> {
        self.values.get(slot.0 as usize).unwrap_or(&Value::Null)
    }

    /// Where the members of an object stand; it is opened if it is a copy.
    #[inline]
    fn object_of(&mut self, slot: Slot) -> Option<Object> {
        if let Value::Copy(_) = self.value(slot) {
            self.open(slot);
        }
        match self.value(slot) {
            Value::Object(object) => Some(*object),
            _ => None,
        }
    }

    fn relink(&mut self, slot: Slot, object: Object) {
        if let Some(value) = self.values.get_mut(slot.0 as usize) {
            *value = Value::Object(object);
        }
    }

    /// The place of the member of this name.
    #[inline]
    fn find(&self, object: Object, name: &str, bit: u64) -> Option<usize> {
        if object.seen & bit == 0 { None } else { place_of(&self.members, object, name) }
    }

    #[inline]
    fn put(&mut self, slot: Slot, name: MemberName<'s>, value: Slot) -> Option<bool> {
        let Some(Value::Object(object)) = self.values.get_mut(slot.0 as usize) else {
            return self.put_in_copy(slot, name, value);
        };
        let bit = name.bit();
        if object.seen & bit != 0
            && let Some(at) = place_of(&self.members, *object, name.text())
        {
            self.members.get_mut(at)?.value = value;
            return Some(false);
        }
        append(&mut self.members, object, Member { name, value, next: NOWHERE }, bit);
        Some(true)
    }

    /// The same where no object of our own stands: it is opened.
    #[cold]
    fn put_in_copy(&mut self, slot: Slot, name: MemberName<'s>, value: Slot) -> Option<bool> {
        self.object_of(slot)?;
        self.put(slot, name, value)
    }

    /// The elements of an array, opened if it is a copy.
    fn elements_mut(&mut self, slot: Slot) -> Option<&mut Vec<Slot>> {
        self.open(slot);
        match self.values.get_mut(slot.0 as usize) {
            Some(Value::Array(elements)) => Some(elements),
            _ => None,
        }
    }

    /// Turns a copied array or object into one of our own whose children are copies.
    fn open(&mut self, slot: Slot) {
        let Value::Copy(node) = *self.value(slot) else { return };
        let opened = match node.kind() {
            Kind::Object => {
                let mut object = Object::EMPTY;
                for child in node.values() {
                    let Some(name) = MemberName::of(child) else { continue };
                    let (value, bit) = (self.add(Value::Copy(child)), name.bit());
                    append(&mut self.members, &mut object, Member { name, value, next: NOWHERE }, bit);
                }
                Value::Object(object)
            }
            Kind::Array => Value::Array(node.elements().map(|value| self.add(Value::Copy(value))).collect()),
            _ => return,
        };
        if let Some(value) = self.values.get_mut(slot.0 as usize) {
            *value = opened;
        }
    }
}

/// The place of an object's member of this name.
fn place_of(members: &[Member<'_>], object: Object, name: &str) -> Option<usize> {
    let mut at = object.first as usize;
    loop {
        let member = members.get(at)?;
        if same(member.name.text().as_bytes(), name.as_bytes()) {
            return Some(at);
        }
        at = member.next as usize;
    }
}

/// Adds a member behind the last one of an object.
#[inline]
fn append<'s>(members: &mut Vec<Member<'s>>, object: &mut Object, member: Member<'s>, bit: u64) {
    let at = super::table::position(members.len());
    members.push(member);
    match members.get_mut(object.last as usize) {
        Some(last) if object.count > 0 => last.next = at,
        _ => object.first = at,
    }
    object.last = at;
    object.count += 1;
    object.seen |= bit;
}
