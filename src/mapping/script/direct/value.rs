//! What a walk computes with.

use std::{borrow::Cow, rc::Rc};

use rhai::INT;
use rust_decimal::Decimal;

use super::super::{bridge, limits};
use crate::{
    json::{Kind, Node},
    mapping::value::Value,
};

/// A value of a script.
#[derive(Debug, Clone)]
pub(super) enum Val<'d> {
    Unit,
    Bool(bool),
    Integer(INT),
    Decimal(Decimal),
    Text(Cow<'d, str>),
    /// An object of a document, or a number that no arithmetic can take.
    Part(Node<'d>),
    /// An object that is no part of a document: `facts`.
    Map(&'d [(Cow<'d, str>, Value<'d>)]),
    Array(Rc<Vec<Val<'d>>>),
}

/// What is left to spend; far less than what the engine's own limits allow, so that none of them is met here.
pub(super) struct Fuel(pub u32);

impl Fuel {
    /// Takes this much; `None` where it is used up.
    pub fn take(&mut self, amount: u32) -> Option<()> {
        self.0 = self.0.checked_sub(amount)?;
        Some(())
    }

    /// Takes what a text of this many bytes costs.
    pub fn text(&mut self, bytes: usize) -> Option<()> {
        self.take(u32::try_from(bytes / 16).ok()?)
    }
}

impl<'d> Val<'d> {
    /// A value of a document.
    pub fn of_node(node: Node<'d>, fuel: &mut Fuel) -> Option<Self> {
        Some(match node.kind() {
            Kind::Null => Self::Unit,
            Kind::Bool => Self::Bool(node.as_bool()?),
            Kind::Number => node.number().and_then(Self::of_number).unwrap_or(Self::Part(node)),
            Kind::String => Self::of_text(node.as_str()?, fuel)?,
            Kind::Object => Self::Part(node),
            Kind::Array => {
                fuel.take(u32::try_from(node.len()).ok()?.checked_mul(2)?)?;
                let elements = node.elements().map(|element| Self::of_node(element, fuel));
                Self::Array(Rc::new(elements.collect::<Option<_>>()?))
            }
        })
    }

    /// A value that was given; objects only where they stay.
    pub fn of(value: &Value<'d>, fuel: &mut Fuel) -> Option<Self> {
        Some(match value {
            Value::Absent | Value::Null => Self::Unit,
            Value::Node(node) => Self::of_node(*node, fuel)?,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(text) => Self::of_number(text)?,
            Value::Text(text) => Self::of_text(text.clone(), fuel)?,
            Value::Array(elements) => {
                fuel.take(u32::try_from(elements.len()).ok()?.checked_mul(2)?)?;
                let elements = elements.iter().map(|element| Self::of(element, fuel));
                Self::Array(Rc::new(elements.collect::<Option<_>>()?))
            }
            Value::Object(_) => return None,
        })
    }

    /// A value of `facts`, or of an object in it.
    pub fn of_fact(value: &'d Value<'d>, fuel: &mut Fuel) -> Option<Self> {
        match value {
            Value::Object(members) if members.len() <= limits::MAP_MEMBERS_MAX => Some(Self::Map(members)),
            value => Self::of(value, fuel),
        }
    }

    fn of_text(text: Cow<'d, str>, fuel: &mut Fuel) -> Option<Self> {
        fuel.text(text.len())?;
        Some(Self::Text(text))
    }

    fn of_number(text: &str) -> Option<Self> {
        match text.parse() {
            // As the bridge reads it.
            Ok(integer) if text != "-0" => Some(Self::Integer(integer)),
            _ => Self::of_dynamic(&bridge::number(text)?),
        }
    }

    /// A number of Rhai.
    pub fn of_dynamic(number: &rhai::Dynamic) -> Option<Self> {
        match number.as_int() {
            Ok(integer) => Some(Self::Integer(integer)),
            Err(_) => number.as_decimal().ok().map(Self::Decimal),
        }
    }

    /// The member of an object; `()` where there is none. `None` where it is no object.
    pub fn member(&self, name: &str, fuel: &mut Fuel) -> Option<Self> {
        match self {
            Self::Part(node) => node.get(name).map_or(Some(Self::Unit), |node| Self::of_node(node, fuel)),
            // The last of a name counts, as it does where the members become a map of Rhai.
            Self::Map(members) => members
                .iter()
                .rev()
                .find(|(own, _)| own == name)
                .map_or(Some(Self::Unit), |(_, value)| Self::of_fact(value, fuel)),
            _ => None,
        }
    }

    /// The same for what the mapping does with it.
    pub fn into_value(self) -> Option<Value<'d>> {
        Some(match self {
            Self::Unit => Value::Absent,
            Self::Bool(truth) => Value::Bool(truth),
            Self::Integer(integer) => Value::integer(integer),
            Self::Decimal(decimal) => Value::Number(decimal.to_string().into()),
            Self::Text(text) => Value::Text(text),
            Self::Part(node) => Value::Node(node),
            // Rhai orders its members by name.
            Self::Map(_) => return None,
            Self::Array(elements) => {
                let elements = Rc::unwrap_or_clone(elements);
                Value::Array(elements.into_iter().map(Self::into_value).collect::<Option<_>>()?)
            }
        })
    }

    /// Whether it is `()`.
    pub fn is_unit(&self) -> bool {
        matches!(self, Self::Unit)
    }

    /// As it stands in a text.
    pub fn shown(&self) -> Option<Cow<'_, str>> {
        Some(match self {
            Self::Text(text) => Cow::Borrowed(&**text),
            Self::Bool(truth) => truth.to_string().into(),
            Self::Integer(integer) => integer.to_string().into(),
            Self::Decimal(decimal) => decimal.to_string().into(),
            Self::Unit | Self::Part(_) | Self::Map(_) | Self::Array(_) => return None,
        })
    }
}
