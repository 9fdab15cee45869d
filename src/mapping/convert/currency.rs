//! Currencies by ISO 4217: their codes, and how many decimals their minor unit has. The facts are in
//! `currencies.txt`; precious metals, bonds and test codes are no currencies here.

use std::{collections::HashMap, sync::LazyLock};

use super::{ConvertError, text_of};
use crate::{
    mapping::value::{Value, quoted},
    text::suggest,
};

/// One currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Currency {
    /// Three letters.
    pub code: &'static str,
    /// Three digits.
    pub numeric: &'static str,
    /// Digits behind the decimal point of an amount in the major unit.
    pub decimals: usize,
}

static FACTS: LazyLock<HashMap<&'static str, Currency>> = LazyLock::new(|| {
    let mut facts = HashMap::new();
    for line in include_str!("currencies.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split(' ');
        let mut field = || fields.next().unwrap_or_default();
        let (code, numeric) = (field(), field());
        let currency = Currency { code, numeric, decimals: field().parse().unwrap_or(2) };
        facts.insert(code, currency);
        facts.insert(numeric, currency);
    }
    facts
});

/// The currency of a code in any case, or of a numeric code.
pub(super) fn find(text: &str) -> Option<Currency> {
    let text = text.trim();
    if !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return FACTS.get(format!("{text:0>3}").as_str()).copied();
    }
    FACTS.get(text).or_else(|| FACTS.get(text.to_ascii_uppercase().as_str())).copied()
}

/// The known code that a text is most like.
pub(super) fn near(text: &str) -> Option<&'static str> {
    let mut codes: Vec<&str> = FACTS.values().map(|currency| currency.code).collect();
    codes.sort_unstable();
    suggest(text, codes.into_iter())
}

/// As [`find`], with the refusal.
pub(super) fn known(text: &str) -> Result<Currency, ConvertError> {
    find(text).ok_or_else(|| ConvertError::domain(format!("{} is not a currency code", quoted(text))))
}

pub(super) fn to_legacy(value: &Value<'_>, numeric: bool) -> Result<Value<'static>, ConvertError> {
    let currency = known(&text_of(value)?)?;
    Ok(Value::text(if numeric { currency.numeric } else { currency.code }))
}

pub(super) fn to_sonata(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    known(&text_of(value)?).map(|currency| Value::text(currency.code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_its_form() {
        for (key, currency) in &*FACTS {
            assert!(
                key.len() == 3 && currency.code.len() == 3 && currency.numeric.len() == 3,
                "{currency:?}"
            );
            assert!(currency.decimals <= 4, "{currency:?}");
        }
        for (code, decimals) in
            [("EUR", 2), ("usd", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("978", 2), ("8", 2)]
        {
            assert_eq!(find(code).expect(code).decimals, decimals);
        }
        assert!(find("XAU").is_none() && find("EURO").is_none() && find("").is_none());
    }
}
