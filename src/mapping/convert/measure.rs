//! Converters between a legacy number whose unit is understood and a Sonata object that names it.

use std::borrow::Cow;

use super::{ConvertError, ConvertErrorKind, currency, number::Exact, number_of, text_of};
use crate::{
    json::Kind,
    mapping::value::{Value, quoted},
};

/// `TimeUnit` of the contract, in the order of [`super::table::TIME_UNITS`].
const CONTRACT_TIME_UNITS: &[&str] = &[
    "calendarMonths",
    "calendarDays",
    "calendarHours",
    "calendarMinutes",
    "businessDays",
    "businessHours",
    "businessMinutes",
];
/// `InformationRateUnits` of the product schemas, smallest first.
const RATE_UNITS: &[&str] = &["BPS", "KBPS", "MBPS", "GBPS"];
/// `DataSizeUnits` of the product schemas, smallest first.
const SIZE_UNITS: &[&str] =
    &["BYTES", "KBYTES", "MBYTES", "GBYTES", "TBYTES", "PBYTES", "EBYTES", "ZBYTES", "YBYTES"];

/// Digits of a number that is seen at once to be in its plainest form.
const PLAIN_DIGITS_MAX: usize = 18;

fn pair<'d>(first: (&'static str, Value<'d>), second: (&'static str, Value<'d>)) -> Value<'d> {
    Value::Object(vec![(Cow::Borrowed(first.0), first.1), (Cow::Borrowed(second.0), second.1)])
}

fn number_value(number: &Exact) -> Value<'static> {
    Value::Number(number.to_text().into())
}

/// Both members of an object that means nothing without either.
fn halves<'d>(
    value: &Value<'d>,
    object: &str,
    first: &str,
    second: &str,
) -> Result<(Value<'d>, Value<'d>), ConvertError> {
    if value.kind() != Some(Kind::Object) {
        return Err(ConvertError::kind(object, value));
    }
    let (one, other) = (value.member(first), value.member(second));
    if one.is_absent_or_null() {
        return Err(ConvertError::half(object, first));
    }
    if other.is_absent_or_null() {
        return Err(ConvertError::half(object, second));
    }
    Ok((one, other))
}

fn whole(value: &Value<'_>) -> Result<Exact, ConvertError> {
    let number = number_of(value)?;
    if number.is_integer() {
        Ok(number.reduced(0))
    } else {
        Err(ConvertError::domain(format!("{} is not a whole number", value.excerpt())))
    }
}

/// The text of a number that is written as [`Exact::to_text`] would write it, and whole.
fn plain_whole<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    let text = value.as_scalar_text()?;
    let digits = text.as_bytes();
    let is_plain = match digits {
        [b'1'..=b'9', rest @ ..] => rest.len() < PLAIN_DIGITS_MAX && rest.iter().all(u8::is_ascii_digit),
        rest => rest == b"0",
    };
    is_plain.then_some(text)
}

fn unit_place(units: &[&str], value: &Value<'_>) -> Result<usize, ConvertError> {
    let unit = text_of(value)?;
    units
        .iter()
        .position(|known| *known == unit)
        .ok_or_else(|| ConvertError::domain(format!("the unit {} is not known", quoted(&unit))))
}

/// The argument of `duration`: the contract's word for the unit.
#[derive(Debug, Clone)]
pub(super) struct Duration(pub String);

impl Duration {
    /// The unit for the word of the mapping language at this place of the table.
    pub fn of_place(place: usize) -> Option<Self> {
        CONTRACT_TIME_UNITS.get(place).map(|unit| Self((*unit).to_owned()))
    }

    pub fn to_sonata(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        let amount = match plain_whole(value) {
            Some(plain) => Value::Number(plain.into_owned().into()),
            None => number_value(&whole(value)?),
        };
        Ok(pair(("amount", amount), ("units", Value::text(self.0.clone()))))
    }

    pub fn to_legacy(&self, value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
        let (amount, units) = halves(value, "a duration", "amount", "units")?;
        if let Some(plain) = plain_whole(&amount)
            && units.as_text().is_some_and(|units| units == self.0)
        {
            return Ok(Value::Number(plain.into_owned().into()));
        }
        let (amount, units) = (whole(&amount)?, text_of(&units)?);
        if units == self.0 {
            return Ok(number_value(&amount));
        }
        let refused = || {
            ConvertError::domain(format!(
                "a duration in {} cannot be told in {}",
                quoted(&units),
                quoted(&self.0)
            ))
        };
        // Of the contract's units only these two pairs have a fixed ratio.
        let (from, to) = (units.strip_suffix("Hours"), self.0.strip_suffix("Minutes"));
        let count = amount.to_i128().ok_or_else(ConvertError::overflow)?;
        let told = if from.is_some() && from == to {
            count.checked_mul(60).ok_or_else(ConvertError::overflow)?
        } else {
            let (from, to) = (units.strip_suffix("Minutes"), self.0.strip_suffix("Hours"));
            if from.is_none() || from != to || count % 60 != 0 {
                return Err(refused());
            }
            count / 60
        };
        Ok(Value::Number(told.to_string().into()))
    }
}

/// Digits with a point before the last so many of them.
fn with_point(digits: &str, decimals: usize) -> String {
    let mut text = String::with_capacity(digits.len().max(decimals) + 2);
    let (whole, fraction) =
        digits.split_at_checked(digits.len().saturating_sub(decimals)).unwrap_or_default();
    text.push_str(if whole.is_empty() { "0" } else { whole });
    if decimals > 0 {
        text.push('.');
        text.extend(std::iter::repeat_n('0', decimals - fraction.len()));
        text.push_str(fraction);
    }
    text
}

pub(super) fn money_to_sonata(
    value: &Value<'_>,
    minor: bool,
    code: Option<&str>,
) -> Result<Value<'static>, ConvertError> {
    let code = code.ok_or_else(|| ConvertError {
        kind: ConvertErrorKind::Half,
        message: "an amount needs its currency".to_owned(),
    })?;
    let currency = currency::known(code)?;
    let decimals = currency.decimals;
    if minor && let Some(units) = plain_whole(value) {
        let amount = Value::Number(with_point(&units, decimals).into());
        return Ok(pair(("unit", Value::text(currency.code)), ("value", amount)));
    }
    let amount = if minor {
        whole(value)?.shifted(-places(decimals)).ok_or_else(ConvertError::overflow)?
    } else {
        number_of(value)?
    };
    let amount = number_value(&amount.reduced(decimals));
    Ok(pair(("unit", Value::text(currency.code)), ("value", amount)))
}

pub(super) fn money_to_legacy(
    value: &Value<'_>,
    minor: bool,
    expected: Option<&str>,
) -> Result<Value<'static>, ConvertError> {
    let (unit, amount) = halves(value, "an amount of money", "unit", "value")?;
    let currency = currency::known(&text_of(&unit)?)?;
    if let Some(expected) = expected {
        let expected = currency::known(expected)?;
        if expected.code != currency.code {
            return Err(ConvertError::domain(format!(
                "the amount is in {}, not in {}",
                currency.code, expected.code
            )));
        }
    }
    let number = number_of(&amount)?;
    if !minor {
        return Ok(number_value(&number.reduced(currency.decimals)));
    }
    let shifted = number.shifted(places(currency.decimals)).ok_or_else(ConvertError::overflow)?;
    if !shifted.is_integer() {
        return Err(ConvertError::domain(format!(
            "{} has more decimals than {} has",
            amount.excerpt(),
            currency.code
        )));
    }
    Ok(number_value(&shifted.reduced(0)))
}

fn places(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Decimal places between two information rate units.
fn rate_places(from: usize, to: usize) -> i32 {
    3 * (places(from) - places(to))
}

fn not_negative(number: Exact) -> Result<Exact, ConvertError> {
    if number.is_negative() {
        return Err(ConvertError::domain("a value below zero has no meaning here"));
    }
    Ok(number)
}

pub(super) fn rate_to_sonata(value: &Value<'_>, unit: usize) -> Result<Value<'static>, ConvertError> {
    let rate = not_negative(number_of(value)?)?;
    let mut best = (if rate.is_zero() { unit } else { 0 }, rate.clone());
    if !rate.is_zero() {
        for place in 0..RATE_UNITS.len() {
            let told = rate.clone().shifted(rate_places(unit, place)).ok_or_else(ConvertError::overflow)?;
            if place == 0 || told.is_integer() {
                best = (place, told);
            }
        }
    }
    let units = RATE_UNITS.get(best.0).copied().unwrap_or_default();
    Ok(pair(("irValue", number_value(&best.1.reduced(0))), ("irUnits", Value::text(units))))
}

pub(super) fn rate_to_legacy(value: &Value<'_>, unit: usize) -> Result<Value<'static>, ConvertError> {
    let (rate, units) = halves(value, "an information rate", "irValue", "irUnits")?;
    let from = unit_place(RATE_UNITS, &units)?;
    let rate = not_negative(number_of(&rate)?)?;
    let told = rate.shifted(rate_places(from, unit)).ok_or_else(ConvertError::overflow)?;
    Ok(number_value(&told.reduced(0)))
}

/// Bytes in one of the unit at this place.
fn bytes_in(place: usize) -> i128 {
    1_i128 << (10 * place)
}

fn count(value: &Value<'_>) -> Result<i128, ConvertError> {
    not_negative(whole(value)?)?.to_i128().ok_or_else(ConvertError::overflow)
}

pub(super) fn size_to_sonata(value: &Value<'_>, unit: usize) -> Result<Value<'static>, ConvertError> {
    let bytes = count(value)?.checked_mul(bytes_in(unit)).ok_or_else(ConvertError::overflow)?;
    let place = if bytes == 0 {
        unit
    } else {
        (0..SIZE_UNITS.len()).rev().find(|place| bytes % bytes_in(*place) == 0).unwrap_or_default()
    };
    let told = (bytes / bytes_in(place)).to_string();
    let units = SIZE_UNITS.get(place).copied().unwrap_or_default();
    Ok(pair(("dataSizeValue", Value::Number(told.into())), ("dataSizeUnits", Value::text(units))))
}

pub(super) fn size_to_legacy(value: &Value<'_>, unit: usize) -> Result<Value<'static>, ConvertError> {
    let (size, units) = halves(value, "a data size", "dataSizeValue", "dataSizeUnits")?;
    let from = unit_place(SIZE_UNITS, &units)?;
    let bytes = count(&size)?.checked_mul(bytes_in(from)).ok_or_else(ConvertError::overflow)?;
    if bytes % bytes_in(unit) != 0 {
        let wanted = SIZE_UNITS.get(unit).copied().unwrap_or_default();
        return Err(ConvertError::domain(format!("the size is no whole number of {wanted}")));
    }
    Ok(Value::Number((bytes / bytes_in(unit)).to_string().into()))
}
