//! Converters: one spelling of a value on the legacy side, another on the Sonata side.
//!
//! One table, [`converters()`], says what each accepts and what of it comes back; the parser, the checker,
//! the manual and the tests read it. A converter is parsed once when mappings are loaded and then applied
//! in either direction without looking at anything but its value. Code tables ([`super::codes`]) are for
//! values that only the integrator can pair; scripts ([`super::script`]) for what neither can say.

mod arguments;
mod country;
mod currency;
mod layout;
mod list;
mod measure;
pub mod number;
mod parse;
mod sample;
mod scalar;
mod table;
mod text;
mod time;

use super::{
    direction::Direction,
    value::{Value, quoted},
};
use crate::json::Kind;

pub use table::{Entry, Parameter, ParameterKind, converters};

/// How much comes back of what went there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// There and back is the same value.
    Exact,
    /// There and back is the canonical form of the value, and stays so.
    Canonical,
    /// There is no way back: not for a rule of both directions.
    OneWay,
}

/// The JSON kind of one side, for the checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A number without fraction.
    Integer,
    /// A boolean.
    Boolean,
    /// A text, number or boolean, as the arguments say.
    Scalar,
    /// An object.
    Object,
    /// An array.
    Array,
    /// Whatever fits.
    Any,
}

/// A converter that is ready to be applied.
#[derive(Debug, Clone)]
pub struct Converter {
    entry: &'static Entry,
    class: Class,
    loses: Option<&'static str>,
    work: Work,
}

/// What a converter does, its arguments read.
#[derive(Debug, Clone)]
enum Work {
    Integer,
    Decimal { comma: bool },
    String,
    Boolean(scalar::Flags),
    Percent(i32),
    Date(time::Date),
    DateTime(time::DateTime),
    Epoch { milliseconds: bool },
    Duration(measure::Duration),
    Country { sonata: country::CountryForm, legacy: country::CountryForm },
    Currency { numeric: bool },
    Money { minor: bool, comma: bool, currency: CurrencyArgument },
    Bandwidth { unit: usize },
    DataSize { unit: usize },
    Split(String),
    Join(String),
    Lines(usize),
    Prefix(String),
    Pad { length: usize, character: char },
    Truncate(usize),
    Case { upper: bool },
    Base64,
    Json,
    Parse(Box<regex::Regex>),
    One,
    Each(Box<Converter>),
    First,
    Sum,
    Extreme { greatest: bool },
    Count,
    Ref(String),
    Key(String),
}

/// Where the currency of a Money comes from on the legacy side.
#[derive(Debug, Clone, PartialEq, Eq)]
enum CurrencyArgument {
    Literal(String),
    Path(PathArgument),
}

/// An argument that is a path on the legacy side; the compiler makes a legacy path of it, and its value
/// comes in through [`Context::argument`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathArgument {
    /// The parameter's name, such as `currency`.
    pub name: &'static str,
    /// The path as written.
    pub text: String,
    /// Where the path begins in the converter's text, in bytes.
    pub offset: usize,
}

/// A converter that only the engine can carry out: the answer depends on other entities or elements.
///
/// With `each` the value is an array of ids or keys: `each(ref(product))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference<'c> {
    /// `ref(kind)`: the id of another entity.
    Entity {
        /// Kind of entity, as written.
        kind: &'c str,
        /// Whether the value is an array.
        each: bool,
    },
    /// `key(group)`: the key of a sibling element.
    Key {
        /// Name of the group, as written.
        group: &'c str,
        /// Whether the value is an array.
        each: bool,
    },
}

/// What a converter may look at besides its value.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'c, 'd> {
    /// The value at the [`Converter::path_argument`] on the legacy side, where it is known: always when
    /// the legacy side is read; when it is written, only if it has been written already.
    pub argument: Option<&'c Value<'d>>,
}

/// Why a text is no converter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConverterError {
    /// Where in the text, in bytes.
    pub offset: usize,
    /// How much of the text is meant, in bytes.
    pub length: usize,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<crate::text::Hint>,
}

/// Why a value has no counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConvertErrorKind {
    /// The value is of another JSON kind than the converter reads.
    WrongKind,
    /// The value is of the right kind and has no counterpart.
    OutOfDomain,
    /// An object lacks one of the members that only mean something together.
    Half,
    /// The value has more than one counterpart.
    Ambiguous,
    /// The exact result has more digits than are carried.
    Overflow,
}

/// A value that could not be converted.
///
/// The message holds a bounded excerpt of the sender's own value and nothing of ours, so that it may be
/// told to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConvertError {
    /// What sort of failure it is.
    pub kind: ConvertErrorKind,
    /// One short sentence for the sender.
    pub message: String,
}

impl ConvertError {
    fn domain(message: impl Into<String>) -> Self {
        Self { kind: ConvertErrorKind::OutOfDomain, message: message.into() }
    }

    fn kind(wanted: &str, value: &Value<'_>) -> Self {
        Self {
            kind: ConvertErrorKind::WrongKind,
            message: format!("{wanted} is expected, not {}", value.kind_name()),
        }
    }

    fn half(object: &str, member: &str) -> Self {
        Self { kind: ConvertErrorKind::Half, message: format!("{object} needs the attribute '{member}'") }
    }

    fn ambiguous(message: impl Into<String>) -> Self {
        Self { kind: ConvertErrorKind::Ambiguous, message: message.into() }
    }

    fn overflow() -> Self {
        Self {
            kind: ConvertErrorKind::Overflow,
            message: "the number has more digits than can be kept exactly".to_owned(),
        }
    }
}

impl Converter {
    /// Reads a converter as written in `convert:`, such as `date('%d.%m.%Y', end-of-day, 'Europe/Berlin')`.
    ///
    /// # Errors
    /// [`ConverterError`] points at the word that is wrong: an unknown name or argument, a missing one, a
    /// format that cannot be read back, an unknown zone.
    pub fn parse(text: &str) -> Result<Self, ConverterError> {
        parse::converter(text, 0, 0)
    }

    /// The row of the table.
    #[must_use]
    pub fn entry(&self) -> &'static Entry {
        self.entry
    }

    /// The converter's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// How much comes back with these arguments.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// What a pair with these arguments gives up there and back and must say in `accept:`.
    #[must_use]
    pub fn loses(&self) -> Option<&'static str> {
        self.loses
    }

    /// The JSON kind that is written in this direction.
    #[must_use]
    pub fn writes(&self, direction: Direction) -> Form {
        match direction {
            Direction::ToLegacy if matches!(self.work, Work::Money { comma: true, .. }) => Form::Text,
            Direction::ToLegacy => self.entry.legacy.0,
            Direction::ToSonata => self.entry.sonata.0,
        }
    }

    /// The lookup that the engine has to make instead of calling [`Converter::apply`].
    #[must_use]
    pub fn reference(&self) -> Option<Reference<'_>> {
        match &self.work {
            Work::Ref(kind) => Some(Reference::Entity { kind, each: false }),
            Work::Key(group) => Some(Reference::Key { group, each: false }),
            Work::Each(inner) => match &inner.work {
                Work::Ref(kind) => Some(Reference::Entity { kind, each: true }),
                Work::Key(group) => Some(Reference::Key { group, each: true }),
                _ => None,
            },
            _ => None,
        }
    }

    /// The format of its dates or times on the legacy side, as `strftime` has it.
    #[must_use]
    pub fn time_format(&self) -> Option<&str> {
        match &self.work {
            Work::Date(date) => Some(date.format()),
            Work::DateTime(time) => Some(time.format()),
            Work::Each(inner) => inner.time_format(),
            _ => None,
        }
    }

    /// What it writes on the Sonata side, in the contract's words, where that is `date` or `date-time`.
    #[must_use]
    pub fn stamp(&self) -> Option<&'static str> {
        match &self.work {
            Work::Date(date) if !date.is_instant() => Some("date"),
            Work::Date(_) | Work::DateTime(_) | Work::Epoch { .. } => Some("date-time"),
            _ => None,
        }
    }

    /// The texts that it writes on the legacy side, where they are a few words.
    #[must_use]
    pub fn legacy_words(&self) -> Vec<&str> {
        match &self.work {
            Work::Boolean(flags) => {
                [&flags.yes, &flags.no].into_iter().filter_map(scalar::Spelling::text).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The path on the legacy side whose value the converter needs.
    #[must_use]
    pub fn path_argument(&self) -> Option<&PathArgument> {
        match &self.work {
            Work::Money { currency: CurrencyArgument::Path(path), .. } => Some(path),
            Work::Each(inner) => inner.path_argument(),
            _ => None,
        }
    }

    /// Whether an absent value has to be offered in this direction: it means something here.
    #[must_use]
    pub fn reads_absent(&self, direction: Direction) -> bool {
        matches!(&self.work, Work::Boolean(flags) if direction == Direction::ToSonata && flags.reads_absent())
    }

    /// Converts a value in one direction. An absent value stays absent unless [`Converter::reads_absent`];
    /// a null counts as absent.
    ///
    /// # Errors
    /// [`ConvertError`] when the value has no counterpart.
    pub fn apply<'d>(
        &self,
        direction: Direction,
        value: Value<'d>,
        context: Context<'_, 'd>,
    ) -> Result<Value<'d>, ConvertError> {
        if value.is_absent_or_null() && !self.reads_absent(direction) {
            return Ok(Value::Absent);
        }
        match direction {
            Direction::ToLegacy => self.to_legacy(value, context),
            Direction::ToSonata => self.to_sonata(value, context),
        }
    }

    fn to_legacy<'d>(&self, value: Value<'d>, context: Context<'_, 'd>) -> Result<Value<'d>, ConvertError> {
        match &self.work {
            Work::Integer => scalar::integer(&value).map(Value::text),
            Work::Decimal { comma: false } => scalar::decimal(&value).map(Value::text),
            Work::Decimal { comma: true } => {
                scalar::decimal(&value).map(|text| Value::text(number::with_comma(&text)))
            }
            Work::String => scalar::number_of_text(&value),
            Work::Boolean(flags) => flags.to_legacy(&value),
            Work::Percent(places) => scalar::scaled(&value, *places),
            Work::Date(date) => date.to_legacy(&value),
            Work::DateTime(time) => time.to_legacy(&value),
            Work::Epoch { milliseconds } => time::epoch_to_legacy(&value, *milliseconds),
            Work::Duration(duration) => duration.to_legacy(&value),
            Work::Country { sonata, legacy } => country::translate(&value, *sonata, *legacy),
            Work::Currency { numeric } => currency::to_legacy(&value, *numeric),
            Work::Money { minor, comma, currency } => {
                let amount = measure::money_to_legacy(&value, *minor, currency.resolve(context)?.as_deref())?;
                Ok(if *comma { Value::text(number::with_comma(&text_of(&amount)?)) } else { amount })
            }
            Work::Bandwidth { unit } => measure::rate_to_legacy(&value, *unit),
            Work::DataSize { unit } => measure::size_to_legacy(&value, *unit),
            Work::Split(separator) => text::join(&value, separator),
            Work::Join(separator) => text::split(&value, separator),
            Work::Lines(length) => text::to_lines(&value, *length),
            Work::Prefix(prefix) => text::exactly(&value, |text| Ok(format!("{prefix}{text}"))),
            Work::Pad { length, character } => text::pad(&value, *length, *character),
            Work::Case { upper } => text::case(&value, *upper),
            Work::Base64 => text::encode(&value),
            Work::Json => text::to_json(value),
            Work::Each(inner) => list::each(&value, |element| inner.to_legacy(element, context)),
            _ => self.either(value),
        }
    }

    fn to_sonata<'d>(&self, value: Value<'d>, context: Context<'_, 'd>) -> Result<Value<'d>, ConvertError> {
        match &self.work {
            Work::Integer => scalar::integer(&value).map(|number| Value::Number(number.into())),
            Work::Decimal { comma } => {
                let value = if *comma { without_comma(&value)? } else { value };
                scalar::decimal(&value).map(|number| Value::Number(number.into()))
            }
            Work::String => scalar::text_of_number(&value),
            Work::Boolean(flags) => flags.to_sonata(&value),
            Work::Percent(places) => scalar::scaled(&value, -places),
            Work::Date(date) => date.to_sonata(&value),
            Work::DateTime(time) => time.to_sonata(&value),
            Work::Epoch { milliseconds } => time::epoch_to_sonata(&value, *milliseconds),
            Work::Duration(duration) => duration.to_sonata(&value),
            Work::Country { sonata, legacy } => country::translate(&value, *legacy, *sonata),
            Work::Currency { .. } => currency::to_sonata(&value),
            Work::Money { minor, comma, currency } => {
                let value = if *comma { without_comma(&value)? } else { value };
                measure::money_to_sonata(&value, *minor, currency.resolve(context)?.as_deref())
            }
            Work::Bandwidth { unit } => measure::rate_to_sonata(&value, *unit),
            Work::DataSize { unit } => measure::size_to_sonata(&value, *unit),
            Work::Split(separator) => text::split(&value, separator),
            Work::Join(separator) => text::join(&value, separator),
            Work::Lines(length) => text::from_lines(&value, *length),
            Work::Prefix(prefix) => text::strip_prefix(&value, prefix),
            Work::Pad { length, character } => text::strip(&value, *length, *character),
            Work::Case { upper } => text::case(&value, !upper),
            Work::Base64 => text::decode(&value),
            Work::Json => text::from_json(&value),
            Work::Each(inner) => list::each(&value, |element| inner.to_sonata(element, context)),
            _ => self.either(value),
        }
    }

    /// The converters that do the same in both directions.
    fn either<'d>(&self, value: Value<'d>) -> Result<Value<'d>, ConvertError> {
        match &self.work {
            Work::Truncate(length) => {
                text::with(&value, |text| Ok(text.chars().take(*length).collect::<String>()))
            }
            Work::Parse(pattern) => text::parse(&value, pattern),
            Work::One => list::one(value),
            Work::First => list::first(&value),
            Work::Sum => list::sum(&value),
            Work::Extreme { greatest } => list::extreme(&value, *greatest),
            Work::Count => list::count(&value),
            // The engine answers these from its own tables; without it nothing is known.
            _ => Err(ConvertError::domain(format!("no counterpart is known for {}", value.excerpt()))),
        }
    }
}

impl CurrencyArgument {
    fn resolve(&self, context: Context<'_, '_>) -> Result<Option<String>, ConvertError> {
        let text = match self {
            Self::Literal(text) => return Ok(Some(text.clone())),
            Self::Path(_) => match context.argument {
                Some(value) if !value.is_absent_or_null() => value,
                _ => return Ok(None),
            },
        };
        match text.as_text() {
            Some(code) => Ok(Some(code.into_owned())),
            None => Err(ConvertError::kind("a currency code", text)),
        }
    }
}

/// The text of a value that must be one; a number stands for its own text, as old systems mix them up.
fn text_of(value: &Value<'_>) -> Result<String, ConvertError> {
    match value.kind() {
        Some(Kind::String | Kind::Number) => {
            Ok(value.as_scalar_text().map(std::borrow::Cow::into_owned).unwrap_or_default())
        }
        _ => Err(ConvertError::kind("a text", value)),
    }
}

/// The number of a value that must be one, or a text of one.
fn number_of(value: &Value<'_>) -> Result<number::Exact, ConvertError> {
    match value.kind() {
        Some(Kind::String | Kind::Number) => {
            let text = value.as_scalar_text().unwrap_or_default();
            number::Exact::parse(&text)
                .ok_or_else(|| ConvertError::domain(format!("{} is not a number", quoted(&text))))
        }
        _ => Err(ConvertError::kind("a number", value)),
    }
}

/// The number of a text with a decimal comma, points between its thousands; a number is itself.
fn without_comma<'d>(value: &Value<'d>) -> Result<Value<'d>, ConvertError> {
    match value.kind() {
        Some(Kind::String) => {
            let text = value.as_scalar_text().unwrap_or_default();
            let plain = number::without_comma(&text).ok_or_else(|| {
                ConvertError::domain(format!("{} is not a number with a decimal comma", quoted(&text)))
            })?;
            Ok(Value::text(plain))
        }
        _ => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests;
