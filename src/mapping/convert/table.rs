//! The one table of converters: read by the parser, the checker, the manual and the tests.

mod arrays;
mod texts;
mod values;

use super::{Class, ConvertErrorKind, Form};

/// What is said about one converter.
#[derive(Debug)]
pub struct Entry {
    /// The word that is written.
    pub name: &'static str,
    /// What may stand in the parentheses, in order.
    pub parameters: &'static [Parameter],
    /// How much comes back of what went there.
    pub class: Class,
    /// What may be given up there and back, as named in `accept:`; the arguments say whether, and which.
    pub loses: &'static [&'static str],
    /// The legacy side: its JSON kind, and in words.
    pub legacy: (Form, &'static str),
    /// The Sonata side: its JSON kind, and in words.
    pub sonata: (Form, &'static str),
    /// Which values have a counterpart.
    pub domain: &'static str,
    /// How what is written looks, whatever was read: on the legacy side, on the Sonata side.
    pub canonical: (&'static str, &'static str),
    /// How values without counterpart are refused.
    pub errors: &'static [ConvertErrorKind],
    /// The converter as it is written, a legacy value and its Sonata value, both canonical, as JSON. A one-way one
    /// makes the shorter of the other, or the legacy value into the Sonata value.
    pub examples: &'static [(&'static str, &'static str, &'static str)],
    /// Sonata values that its arguments may take, as JSON: what round trips are tried with.
    pub samples: &'static [&'static str],
    /// What it does, in one line.
    pub doc: &'static str,
}

/// One parameter of a converter.
#[derive(Debug)]
pub struct Parameter {
    /// The word before the `:` when it is named.
    pub name: &'static str,
    /// What is accepted.
    pub kind: ParameterKind,
    /// Whether it may be left out.
    pub required: bool,
}

/// What a parameter accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Any text; quoted where it holds `,` `(` or `)`.
    Text,
    /// A scalar of the legacy side: a quoted text, a bare number, `true`, `false`, or `absent`.
    Scalar,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number from 1 to 10000.
    Count,
    /// One character.
    Character,
    /// A date or time format of `strftime`.
    Format,
    /// An IANA time zone, such as `Europe/Berlin`.
    Zone,
    /// Another converter.
    Converter,
    /// A path on the legacy side, such as `$.cur`, or a word that stands for itself.
    PathOrWord,
    /// A regular expression.
    Pattern,
}

const fn required(name: &'static str, kind: ParameterKind) -> Parameter {
    Parameter { name, kind, required: true }
}

const fn optional(name: &'static str, kind: ParameterKind) -> Parameter {
    Parameter { name, kind, required: false }
}

/// Ways to read a local time that a clock change skips or shows twice.
pub(super) const POLICIES: &[&str] = &["refuse", "earlier", "later", "compatible"];
/// Marks before the decimals of a number.
pub(super) const MARKS: &[&str] = &["point", "comma"];
/// Ways to spell a country.
pub(super) const COUNTRY_FORMS: &[&str] = &["name", "alpha2", "alpha3", "numeric"];
/// Units of time as the converter names them; `TimeUnit` of the contract in the same order.
pub(super) const TIME_UNITS: &[&str] =
    &["months", "days", "hours", "minutes", "business-days", "business-hours", "business-minutes"];
/// Units of an information rate, smallest first.
pub(super) const RATES: &[&str] = &["bps", "kbps", "mbps", "gbps"];
/// Units of a data size, smallest first.
pub(super) const SIZES: &[&str] =
    &["bytes", "kbytes", "mbytes", "gbytes", "tbytes", "pbytes", "ebytes", "zbytes", "ybytes"];

/// Every converter, in the order of the manual.
pub fn converters() -> impl Iterator<Item = &'static Entry> {
    [values::ROWS, texts::ROWS, arrays::ROWS].into_iter().flatten()
}
