//! Converters of single values: numbers as texts, flags, percentages.

use super::{ConvertError, number_of, text_of};
use crate::{
    json::Kind,
    mapping::value::{Value, quoted},
};

/// Canonical text of a whole number.
pub(super) fn integer(value: &Value<'_>) -> Result<String, ConvertError> {
    let number = number_of(value)?;
    if !number.is_integer() {
        return Err(ConvertError::domain(format!("{} is not a whole number", value.excerpt())));
    }
    Ok(number.reduced(0).to_text())
}

/// Canonical text of a decimal number; its decimals are kept.
pub(super) fn decimal(value: &Value<'_>) -> Result<String, ConvertError> {
    number_of(value).map(|number| number.to_text())
}

/// A text that is the text of a JSON number, as that number.
pub(super) fn number_of_text(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    numeral(value).map(|text| Value::Number(text.into()))
}

/// A number's own text.
pub(super) fn text_of_number(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    numeral(value).map(Value::text)
}

fn numeral(value: &Value<'_>) -> Result<String, ConvertError> {
    let text = text_of(value)?;
    if crate::json::number::is_number(&text) {
        return Ok(text);
    }
    Err(ConvertError::domain(format!("{} cannot be written as a number", quoted(&text))))
}

/// The number with its decimal point moved, without needless zeros.
pub(super) fn scaled(value: &Value<'_>, places: i32) -> Result<Value<'static>, ConvertError> {
    let number = number_of(value)?.shifted(places).ok_or_else(ConvertError::overflow)?;
    Ok(Value::Number(number.reduced(0).to_text().into()))
}

/// One legacy spelling of a truth value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spelling {
    /// The attribute is left out.
    Absent,
    /// A JSON boolean.
    Bool(bool),
    /// A JSON number, by its text.
    Number(String),
    /// A JSON text.
    Text(String),
}

impl Spelling {
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn write(&self) -> Value<'static> {
        match self {
            Self::Absent => Value::Absent,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => Value::Number(number.clone().into()),
            Self::Text(text) => Value::Text(text.clone().into()),
        }
    }

    fn reads(&self, text: &str) -> bool {
        match self {
            Self::Absent => false,
            Self::Bool(truth) => text == if *truth { "true" } else { "false" },
            Self::Number(own) | Self::Text(own) => own == text,
        }
    }
}

/// The arguments of `boolean`.
#[derive(Debug, Clone)]
pub(super) struct Flags {
    /// How true is spelled.
    pub yes: Spelling,
    /// How false is spelled.
    pub no: Spelling,
    /// What an absent or empty legacy value means.
    pub absent: Option<bool>,
}

impl Flags {
    pub fn reads_absent(&self) -> bool {
        self.absent.is_some()
    }

    pub fn to_legacy(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        match value.as_bool() {
            Some(true) => Ok(self.yes.write()),
            Some(false) => Ok(self.no.write()),
            None => Err(ConvertError::kind("a boolean", value)),
        }
    }

    pub fn to_sonata(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        let text = match value.kind() {
            None | Some(Kind::Null) => return Ok(self.absent.map_or(Value::Absent, Value::Bool)),
            Some(Kind::Object | Kind::Array) => return Err(ConvertError::kind("a flag", value)),
            Some(_) => value.as_scalar_text().unwrap_or_default(),
        };
        if self.yes.reads(&text) {
            return Ok(Value::Bool(true));
        }
        if self.no.reads(&text) {
            return Ok(Value::Bool(false));
        }
        match self.absent {
            Some(truth) if text.is_empty() => Ok(Value::Bool(truth)),
            _ => Err(ConvertError::domain(format!(
                "{} is neither of the two spellings of a flag",
                value.excerpt()
            ))),
        }
    }
}
