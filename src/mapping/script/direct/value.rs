//! What a walk computes with.

use std::{borrow::Cow, fmt::Write as _};

use rhai::INT;
use rust_decimal::Decimal;

use super::super::{bridge, limits};
use crate::{
    json::{Kind, Node},
    mapping::{facts::Facts, value::Value},
};

/// Digits of a number that is an integer of 64 bits at first sight.
const INTEGER_DIGITS_MAX: usize = 18;
/// Size that most texts which are put together do with, in bytes.
pub(super) const TEXT_BYTES_GUESS: usize = 32;

/// A value of a script: small and copied freely. What a script makes stands in its [`Heap`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Val<'d> {
    Unit,
    Bool(bool),
    Integer(INT),
    Decimal(Decimal),
    /// A text that was given or that the script writes out.
    Text(&'d str),
    /// A text that the script made, by its place.
    Made(usize),
    /// An object of a document, or a number that no arithmetic can take.
    Part(Node<'d>),
    /// An array of a document where it stands; all in it may be opened ([`Heap::list`]).
    List(Node<'d>),
    /// An array that the script made or may change, by its place.
    Array(usize),
    /// `facts`
    Facts,
    /// An object in `facts` that is no part of a document, by its place.
    Map(usize),
    /// An object that the script made, by its place; it is only given back.
    Object(usize),
}

/// Texts, arrays and objects of one walk, and what is left to spend: far less than what the engine's own limits
/// allow, so that none of them is met here.
pub(super) struct Heap<'d> {
    pub fuel: u32,
    facts: &'d dyn Facts,
    texts: Vec<String>,
    arrays: Vec<Array<'d>>,
    maps: Vec<Vec<(Cow<'d, str>, Value<'d>)>>,
    objects: Vec<Vec<(&'d str, Val<'d>)>>,
}

struct Array<'d> {
    elements: Vec<Val<'d>>,
    /// Whether more than one variable may stand for it: then it is copied before it is changed.
    shared: bool,
}

/// The elements of an array, wherever it stands.
pub(super) enum Elements<'h, 'd> {
    Given(Node<'d>),
    Made(&'h [Val<'d>]),
}

impl Val<'_> {
    /// A number of Rhai.
    pub fn of_dynamic(number: &rhai::Dynamic) -> Option<Self> {
        match number.as_int() {
            Ok(integer) => Some(Self::Integer(integer)),
            Err(_) => number.as_decimal().ok().map(Self::Decimal),
        }
    }

    fn of_number(text: &str) -> Option<Self> {
        if let [digit @ b'0'..=b'9'] = text.as_bytes() {
            return Some(Self::Integer(INT::from(digit - b'0')));
        }
        match text.parse() {
            // As the bridge reads it.
            Ok(integer) if text != "-0" => Some(Self::Integer(integer)),
            _ => Self::of_dynamic(&bridge::number(text)?),
        }
    }

    /// Whether it is `()`.
    #[inline]
    pub fn is_unit(self) -> bool {
        matches!(self, Self::Unit)
    }
}

impl<'d> Heap<'d> {
    pub fn new(fuel: u32, facts: &'d dyn Facts) -> Self {
        Self { fuel, facts, texts: Vec::new(), arrays: Vec::new(), maps: Vec::new(), objects: Vec::new() }
    }

    /// Takes this much; `None` where it is used up.
    #[inline]
    pub fn take(&mut self, amount: u32) -> Option<()> {
        self.fuel = self.fuel.checked_sub(amount)?;
        Some(())
    }

    /// Takes what a text of this many bytes costs.
    #[inline]
    pub fn take_text(&mut self, bytes: usize) -> Option<()> {
        self.take(u32::try_from(bytes / 16).ok()?)
    }

    /// A text that the script makes.
    pub fn made(&mut self, text: String) -> Val<'d> {
        self.texts.push(text);
        Val::Made(self.texts.len() - 1)
    }

    /// The same, paid for.
    pub fn changed(&mut self, text: String) -> Option<Val<'d>> {
        self.take_text(text.len())?;
        Some(self.made(text))
    }

    /// An array that the script makes.
    pub fn array(&mut self, elements: Vec<Val<'d>>) -> Val<'d> {
        self.arrays.push(Array { elements, shared: false });
        Val::Array(self.arrays.len() - 1)
    }

    /// An object that the script makes, its members in the order of their names.
    pub fn object(&mut self, members: Vec<(&'d str, Val<'d>)>) -> Val<'d> {
        self.objects.push(members);
        Val::Object(self.objects.len() - 1)
    }

    /// Notes that another variable may stand for this value from now on.
    #[inline]
    pub fn share(&mut self, value: Val<'d>) {
        if let Val::Array(place) = value
            && let Some(array) = self.arrays.get_mut(place)
        {
            array.shared = true;
        }
    }

    /// Adds an element to what a variable holds: what the variable holds then.
    pub fn push(&mut self, array: Val<'d>, element: Val<'d>) -> Option<Val<'d>> {
        if let Val::Array(place) = array
            && let Some(own) = self.arrays.get_mut(place)
            && !own.shared
        {
            own.elements.push(element);
            return Some(array);
        }
        let mut elements = match self.elements(array)? {
            Elements::Made(elements) => elements.to_vec(),
            Elements::Given(node) => {
                let elements: Vec<Node<'d>> = node.elements().collect();
                elements.into_iter().map(|element| self.opened(element)).collect::<Option<_>>()?
            }
        };
        elements.push(element);
        Some(self.array(elements))
    }

    /// A value of a document.
    #[inline]
    pub fn of_node(&mut self, node: Node<'d>) -> Option<Val<'d>> {
        match node.kind() {
            Kind::Object => return Some(Val::Part(node)),
            Kind::String => self.take_text(node.raw().len())?,
            Kind::Array => self.list(node)?,
            _ => {}
        }
        self.opened(node)
    }

    /// Pays for an array and everything in it that the engine would open with it.
    fn list(&mut self, node: Node<'d>) -> Option<()> {
        self.take(u32::try_from(node.len()).ok()?.checked_mul(2)?)?;
        for element in node.elements() {
            match element.kind() {
                Kind::String => self.take_text(element.raw().len())?,
                Kind::Array => self.list(element)?,
                _ => {}
            }
        }
        Some(())
    }

    /// A value of a document that is paid for.
    pub fn opened(&mut self, node: Node<'d>) -> Option<Val<'d>> {
        Some(match node.kind() {
            Kind::Null => Val::Unit,
            Kind::Bool => Val::Bool(node.as_bool()?),
            Kind::Number => node.number().and_then(Val::of_number).unwrap_or(Val::Part(node)),
            Kind::String => self.of_text(node.as_str()?),
            Kind::Object => Val::Part(node),
            Kind::Array => Val::List(node),
        })
    }

    fn of_text(&mut self, text: Cow<'d, str>) -> Val<'d> {
        match text {
            Cow::Borrowed(text) => Val::Text(text),
            Cow::Owned(text) => self.made(text),
        }
    }

    /// A value that was given; objects only where they stay.
    pub fn of(&mut self, value: &Value<'d>) -> Option<Val<'d>> {
        Some(match value {
            Value::Absent | Value::Null => Val::Unit,
            Value::Node(node) => self.of_node(*node)?,
            Value::Bool(truth) => Val::Bool(*truth),
            Value::Number(text) => Val::of_number(text)?,
            Value::Text(text) => {
                self.take_text(text.len())?;
                self.of_text(text.clone())
            }
            Value::Array(elements) => {
                self.take(u32::try_from(elements.len()).ok()?.checked_mul(2)?)?;
                let elements = elements.iter().map(|element| self.of(element));
                let elements = elements.collect::<Option<_>>()?;
                self.array(elements)
            }
            Value::Object(_) => return None,
        })
    }

    /// A value of `facts`, or of an object in it.
    fn of_fact(&mut self, value: Value<'d>) -> Option<Val<'d>> {
        match value {
            Value::Object(members) if members.len() <= limits::MAP_MEMBERS_MAX => {
                self.maps.push(members);
                Some(Val::Map(self.maps.len() - 1))
            }
            value => self.of(&value),
        }
    }

    /// The member of an object; `()` where there is none. `None` where it is no object.
    #[inline]
    pub fn member(&mut self, object: Val<'d>, name: &str) -> Option<Val<'d>> {
        match object {
            Val::Part(node) => match node.get(name) {
                Some(node) => self.of_node(node),
                // A number has none.
                None => Some(Val::Unit),
            },
            Val::Facts | Val::Map(_) => self.fact(object, name),
            _ => None,
        }
    }

    fn fact(&mut self, object: Val<'d>, name: &str) -> Option<Val<'d>> {
        let value = match object {
            Val::Map(place) => {
                // The last of a name counts, as it does where the members become a map of Rhai.
                let found = self.maps.get(place)?.iter().rev().find(|(own, _)| own == name);
                found.map_or(Value::Absent, |(_, value)| value.clone())
            }
            _ => self.facts.member(name),
        };
        self.of_fact(value)
    }

    /// The text of a value that is one.
    #[inline]
    pub fn text(&self, value: Val<'d>) -> Option<&str> {
        match value {
            Val::Text(text) => Some(text),
            Val::Made(place) => self.texts.get(place).map(String::as_str),
            _ => None,
        }
    }

    /// The elements of a value that is an array.
    pub fn elements(&self, value: Val<'d>) -> Option<Elements<'_, 'd>> {
        match value {
            Val::List(node) => Some(Elements::Given(node)),
            Val::Array(place) => self.arrays.get(place).map(|array| Elements::Made(&array.elements)),
            _ => None,
        }
    }

    /// The element of an array; none beyond its end.
    pub fn element(&mut self, array: Val<'d>, index: usize) -> Option<Val<'d>> {
        let element = match self.elements(array)? {
            Elements::Made(elements) => *elements.get(index)?,
            Elements::Given(node) => self.opened(node.at(index)?)?,
        };
        self.share(element);
        Some(element)
    }

    /// Appends a value as it stands in a text.
    pub fn show(&self, value: Val<'d>, out: &mut String) -> Option<()> {
        match value {
            Val::Text(_) | Val::Made(_) => out.push_str(self.text(value)?),
            Val::Bool(truth) => out.push_str(if truth { "true" } else { "false" }),
            Val::Integer(integer) => write!(out, "{integer}").ok()?,
            Val::Decimal(decimal) => out.push_str(&decimal.to_string()),
            Val::Unit
            | Val::Part(_)
            | Val::List(_)
            | Val::Array(_)
            | Val::Facts
            | Val::Map(_)
            | Val::Object(_) => return None,
        }
        Some(())
    }

    /// Appends an element of an array of a document as it stands in a text.
    pub fn show_element(&mut self, element: Node<'d>, out: &mut String) -> Option<()> {
        if let Some(number) = element.number()
            && number.len() <= INTEGER_DIGITS_MAX
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            // As an integer writes itself.
            out.push_str(number);
            return Some(());
        }
        let value = self.opened(element)?;
        self.show(value, out)
    }

    /// The same for what the mapping does with it.
    pub fn into_value(mut self, value: Val<'d>) -> Option<Value<'d>> {
        match value {
            Val::Made(place) => {
                self.texts.get_mut(place).map(|text| Value::Text(std::mem::take(text).into()))
            }
            value => self.value(value),
        }
    }

    fn value(&mut self, value: Val<'d>) -> Option<Value<'d>> {
        Some(match value {
            Val::Unit => Value::Absent,
            Val::Bool(truth) => Value::Bool(truth),
            Val::Integer(integer) => Value::integer(integer),
            Val::Decimal(decimal) => Value::Number(decimal.to_string().into()),
            Val::Text(text) => Value::Text(Cow::Borrowed(text)),
            Val::Made(place) => Value::Text(self.texts.get(place)?.clone().into()),
            Val::Part(node) => Value::Node(node),
            // Rhai orders its members by name.
            Val::Facts | Val::Map(_) => return None,
            Val::Object(place) => {
                let members = self.objects.get(place)?.clone();
                let member = |(name, value): (&'d str, _)| Some((Cow::Borrowed(name), self.value(value)?));
                Value::Object(members.into_iter().map(member).collect::<Option<_>>()?)
            }
            Val::Array(place) => {
                let elements = std::mem::take(&mut self.arrays.get_mut(place)?.elements);
                let values = elements.iter().map(|element| self.value(*element)).collect::<Option<_>>()?;
                // The same array may stand in several places.
                self.arrays.get_mut(place)?.elements = elements;
                Value::Array(values)
            }
            Val::List(node) => {
                let element = |element| self.opened(element).and_then(|element| self.value(element));
                Value::Array(node.elements().map(element).collect::<Option<_>>()?)
            }
        })
    }
}
