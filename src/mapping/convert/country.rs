//! Countries by ISO 3166-1: code or name in, code or name out.
//!
//! Contracts before irene have the country as free text, old systems as one of three codes, so every known
//! name is read and one is written. The facts are in `countries.txt`.

use std::{collections::HashMap, sync::LazyLock};

use foldhash::fast::RandomState;

use super::{ConvertError, text_of};
use crate::mapping::value::{Value, quoted};

/// How a country is spelled on one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountryForm {
    Name,
    Alpha2,
    Alpha3,
    Numeric,
}

impl CountryForm {
    pub fn from_word(word: &str) -> Self {
        match word {
            "alpha2" => Self::Alpha2,
            "alpha3" => Self::Alpha3,
            "numeric" => Self::Numeric,
            _ => Self::Name,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Name => "the name of a country",
            Self::Alpha2 => "a two-letter country code",
            Self::Alpha3 => "a three-letter country code",
            Self::Numeric => "a numeric country code",
        }
    }
}

/// One country in its four spellings.
#[derive(Debug)]
struct Country {
    alpha2: &'static str,
    alpha3: &'static str,
    numeric: &'static str,
    name: &'static str,
}

struct Facts {
    countries: Vec<Country>,
    by_code: HashMap<&'static str, usize, RandomState>,
    /// As it is written.
    by_own_name: HashMap<&'static str, usize, RandomState>,
    /// By every name, [`folded`].
    by_name: HashMap<String, usize, RandomState>,
}

static FACTS: LazyLock<Facts> = LazyLock::new(|| {
    let mut facts = Facts {
        countries: Vec::new(),
        by_code: HashMap::default(),
        by_own_name: HashMap::default(),
        by_name: HashMap::default(),
    };
    for line in include_str!("countries.txt").lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('|');
        let mut field = || fields.next().unwrap_or_default();
        let country = Country { alpha2: field(), alpha3: field(), numeric: field(), name: field() };
        let place = facts.countries.len();
        for code in [country.alpha2, country.alpha3, country.numeric] {
            facts.by_code.insert(code, place);
        }
        facts.by_own_name.insert(country.name, place);
        for name in fields.chain([country.name]) {
            facts.by_name.insert(folded(name), place);
        }
        facts.countries.push(country);
    }
    facts
});

/// Names are compared without regard to case and runs of blanks.
fn folded(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

fn find(text: &str, form: CountryForm) -> Option<&'static Country> {
    let facts = &*FACTS;
    let place = match form {
        CountryForm::Name => facts.by_own_name.get(text).or_else(|| facts.by_name.get(&folded(text))),
        CountryForm::Alpha2 if text.len() == 2 => facts.by_code.get(text.to_ascii_uppercase().as_str()),
        CountryForm::Alpha3
            if text.len() == 3
                && text.is_char_boundary(1)
                && !text.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            facts.by_code.get(text.to_ascii_uppercase().as_str())
        }
        // A number has lost its leading zeros.
        CountryForm::Numeric if text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 3 => {
            facts.by_code.get(format!("{text:0>3}").as_str())
        }
        _ => None,
    };
    place.and_then(|place| facts.countries.get(*place))
}

/// The country in another form.
pub(super) fn translate(
    value: &Value<'_>,
    from: CountryForm,
    to: CountryForm,
) -> Result<Value<'static>, ConvertError> {
    let text = text_of(value)?;
    let country = find(text.trim(), from)
        .ok_or_else(|| ConvertError::domain(format!("{} is not {}", quoted(&text), from.words())))?;
    Ok(Value::text(match to {
        CountryForm::Name => country.name,
        CountryForm::Alpha2 => country.alpha2,
        CountryForm::Alpha3 => country.alpha3,
        CountryForm::Numeric => country.numeric,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_its_form_and_no_name_is_shared() {
        let facts = &*FACTS;
        assert_eq!(facts.countries.len(), 249);
        assert_eq!(facts.by_code.len(), 3 * 249);
        for country in &facts.countries {
            assert!(country.alpha2.len() == 2 && country.alpha2.bytes().all(|b| b.is_ascii_uppercase()));
            assert!(country.alpha3.len() == 3 && country.alpha3.bytes().all(|b| b.is_ascii_uppercase()));
            assert!(country.numeric.len() == 3 && country.numeric.bytes().all(|b| b.is_ascii_digit()));
        }
        let names: usize = include_str!("countries.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('|').skip(3).map(folded).collect::<std::collections::HashSet<_>>().len())
            .sum();
        assert_eq!(facts.by_name.len(), names, "two countries share a name");
    }

    #[test]
    fn synonyms_are_read_and_one_spelling_is_written() {
        for (text, from, to, wanted) in [
            ("united states  of america", CountryForm::Name, CountryForm::Alpha3, "USA"),
            ("Germany", CountryForm::Name, CountryForm::Alpha2, "DE"),
            ("UK", CountryForm::Name, CountryForm::Name, "United Kingdom"),
            ("Türkiye", CountryForm::Name, CountryForm::Alpha2, "TR"),
            ("pol", CountryForm::Alpha3, CountryForm::Name, "Poland"),
            ("4", CountryForm::Numeric, CountryForm::Name, "Afghanistan"),
            (" DE ", CountryForm::Alpha2, CountryForm::Numeric, "276"),
        ] {
            let got = translate(&Value::text(text), from, to).expect(text);
            assert_eq!(got.as_text().as_deref(), Some(wanted), "{text}");
        }
        for (text, from) in [
            ("Atlantis", CountryForm::Name),
            ("POL", CountryForm::Alpha2),
            ("276", CountryForm::Alpha3),
            ("1234", CountryForm::Numeric),
            ("", CountryForm::Name),
        ] {
            assert!(translate(&Value::text(text), from, CountryForm::Name).is_err(), "{text}");
        }
    }
}
