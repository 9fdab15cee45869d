//! A document in the making: a tree that is written out of order and ends in one pass.
//!
//! Values live in an arena and are named by [`Slot`]s. A copied node costs nothing until the end, when its
//! text and its table rows are spliced as they are; a copied array or object that is read into or written
//! into is opened by one level, its children staying copies. Nothing here fails: what makes no sense (a
//! member of an array, a slot inside itself) has a defined, harmless outcome, so that the result is always
//! valid JSON.

mod finish;

use std::borrow::Cow;

use super::{
    node::{Kind, Node},
    number,
};

/// A value under construction. Belongs to the builder that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slot(u32);

/// A tree of values that becomes a [`super::Document`]; `'s` is the life of the documents copied from.
#[derive(Debug, Default)]
pub struct Builder<'s> {
    values: Vec<Value<'s>>,
}

#[derive(Debug, Clone)]
enum Value<'s> {
    Null,
    Bool(bool),
    Number(Cow<'s, str>),
    Text(Cow<'s, str>),
    Copy(Node<'s>),
    Object(Vec<Member<'s>>),
    Array(Vec<Slot>),
}

#[derive(Debug, Clone)]
struct Member<'s> {
    name: Cow<'s, str>,
    /// The name as its source wrote it, if it was copied with escapes in it.
    raw: Option<&'s str>,
    value: Slot,
}

impl<'s> Builder<'s> {
    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        // Most answers have more than this; fewer reallocations on the way there.
        Self { values: Vec::with_capacity(64) }
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
    pub fn copy(&mut self, node: Node<'s>) -> Slot {
        self.add(if node.subtree().is_empty() { Value::Null } else { Value::Copy(node) })
    }

    /// A new object without members.
    pub fn object(&mut self) -> Slot {
        self.add(Value::Object(Vec::new()))
    }

    /// A new array without elements.
    pub fn array(&mut self) -> Slot {
        self.add(Value::Array(Vec::new()))
    }

    /// What kind of value this is. A slot of another builder may be null.
    #[must_use]
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
            Value::Object(members) => members.len(),
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
        let name = name.into();
        let Some(members) = self.members_mut(object) else { return false };
        match members.iter_mut().find(|member| member.name == name) {
            Some(member) => member.value = value,
            None => members.push(Member { name, raw: None, value }),
        }
        true
    }

    /// The value under `name`; none if `object` is no object or lacks it. Opens a copied object.
    pub fn get(&mut self, object: Slot, name: &str) -> Option<Slot> {
        if let Value::Copy(node) = self.value(object) {
            // An absent member is no reason to open the copy.
            node.get(name)?;
        }
        let members = self.members_mut(object)?;
        members.iter().find(|member| member.name == name).map(|member| member.value)
    }

    /// Whether `object` is an object with a member called `name`. Opens nothing.
    #[must_use]
    pub fn has(&self, object: Slot, name: &str) -> bool {
        match self.value(object) {
            Value::Object(members) => members.iter().any(|member| member.name == name),
            Value::Copy(node) => node.get(name).is_some(),
            _ => false,
        }
    }

    /// Takes the member called `name` away; its former value, if there was one.
    pub fn remove(&mut self, object: Slot, name: &str) -> Option<Slot> {
        self.get(object, name)?;
        let members = self.members_mut(object)?;
        let at = members.iter().position(|member| member.name == name)?;
        Some(members.remove(at).value)
    }

    /// Names and values of an object, in order; nothing for other kinds. Opens a copied object.
    pub fn members(&mut self, object: Slot) -> impl Iterator<Item = (&str, Slot)> {
        let members = self.members_mut(object).map(|members| members.as_slice());
        members.unwrap_or_default().iter().map(|member| (&*member.name, member.value))
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

    fn add(&mut self, value: Value<'s>) -> Slot {
        let slot = Slot(super::table::position(self.values.len()));
        self.values.push(value);
        slot
    }

    fn value(&self, slot: Slot) -> &Value<'s> {
        self.values.get(slot.0 as usize).unwrap_or(&Value::Null)
    }

    /// The members of an object, opened if it is a copy.
    fn members_mut(&mut self, slot: Slot) -> Option<&mut Vec<Member<'s>>> {
        self.open(slot);
        match self.values.get_mut(slot.0 as usize) {
            Some(Value::Object(members)) => Some(members),
            _ => None,
        }
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
                let member = |(name, value): (Cow<'s, str>, Node<'s>)| Member {
                    raw: matches!(name, Cow::Owned(_)).then(|| value.raw_name()),
                    name,
                    value: self.add(Value::Copy(value)),
                };
                Value::Object(node.members().map(member).collect())
            }
            Kind::Array => Value::Array(node.elements().map(|value| self.add(Value::Copy(value))).collect()),
            _ => return,
        };
        if let Some(value) = self.values.get_mut(slot.0 as usize) {
            *value = opened;
        }
    }
}
