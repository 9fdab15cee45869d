//! Converters of arrays.

use super::{ConvertError, ConvertErrorKind, number::Exact, number_of};
use crate::{json::Kind, mapping::value::Value};

fn elements<'d>(value: &Value<'d>) -> Result<Vec<Value<'d>>, ConvertError> {
    value.elements().ok_or_else(|| ConvertError::kind("an array", value))
}

/// Another converter on every element; the message says which element failed.
pub(super) fn each<'d>(
    value: &Value<'d>,
    convert: impl Fn(Value<'d>) -> Result<Value<'d>, ConvertError>,
) -> Result<Value<'d>, ConvertError> {
    let mut converted = Vec::new();
    for (place, element) in elements(value)?.into_iter().enumerate() {
        let element = convert(element).map_err(|error| ConvertError {
            message: format!("element {place}: {}", error.message),
            ..error
        })?;
        converted.push(element);
    }
    Ok(Value::Array(converted))
}

/// A value as an array of one, an array of one as its value.
pub(super) fn one(value: Value<'_>) -> Result<Value<'_>, ConvertError> {
    if value.kind() != Some(Kind::Array) {
        return Ok(Value::Array(vec![value]));
    }
    let mut elements = elements(&value)?;
    match (elements.pop(), elements.len()) {
        (None, _) => Ok(Value::Absent),
        (Some(only), 0) if only.kind() != Some(Kind::Array) => Ok(only),
        (Some(_), 0) => Err(ConvertError::domain("the only element is an array itself")),
        (Some(_), others) => Err(ConvertError {
            kind: ConvertErrorKind::OutOfDomain,
            message: format!("one element is expected, not {}", others + 1),
        }),
    }
}

pub(super) fn first<'d>(value: &Value<'d>) -> Result<Value<'d>, ConvertError> {
    Ok(elements(value)?.into_iter().next().unwrap_or(Value::Absent))
}

pub(super) fn count(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    Ok(Value::Number(elements(value)?.len().to_string().into()))
}

pub(super) fn sum(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    let mut total = Exact::parse("0").ok_or_else(ConvertError::overflow)?;
    for element in elements(value)? {
        total = total.plus(&number_of(&element)?).ok_or_else(ConvertError::overflow)?;
    }
    Ok(Value::Number(total.to_text().into()))
}

/// The least or greatest number, as written; of equal ones the first.
pub(super) fn extreme<'d>(value: &Value<'d>, greatest: bool) -> Result<Value<'d>, ConvertError> {
    let mut best: Option<(Exact, Value<'d>)> = None;
    for element in elements(value)? {
        let number = number_of(&element)?;
        let better = best.as_ref().is_none_or(|(known, _)| {
            let order = number.compare(known);
            if greatest { order.is_gt() } else { order.is_lt() }
        });
        if better {
            best = Some((number, element));
        }
    }
    Ok(best.map_or(Value::Absent, |(_, element)| element))
}
