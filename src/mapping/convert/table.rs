//! The one table of converters: read by the parser, the checker, the manual and the tests.

use super::{Class, Form};

/// What is said about one converter.
#[derive(Debug)]
pub struct Entry {
    /// The word that is written.
    pub name: &'static str,
    /// What may stand in the parentheses, in order.
    pub parameters: &'static [Parameter],
    /// How much comes back of what went there.
    pub class: Class,
    /// What is given up there and back, as named in `accept:`; for the uses that give it up.
    pub loses: Option<&'static str>,
    /// The legacy side: its JSON kind, and in words.
    pub legacy: (Form, &'static str),
    /// The Sonata side: its JSON kind, and in words.
    pub sonata: (Form, &'static str),
    /// Which values have a counterpart.
    pub domain: &'static str,
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
pub const CONVERTERS: &[Entry] = &[
    Entry {
        name: "integer",
        parameters: &[],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Text, "a text of digits; a number is read too"),
        sonata: (Form::Integer, "an integer"),
        domain: "whole numbers of up to 64 digits; leading zeros are not kept",
        doc: "An integer that the legacy system writes as a text.",
    },
    Entry {
        name: "decimal",
        parameters: &[],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Text, "a text with a decimal point; a number is read too"),
        sonata: (Form::Number, "a number"),
        domain: "decimal numbers of up to 64 digits; trailing zeros are kept, leading zeros are not",
        doc: "A number that the legacy system writes as a text.",
    },
    Entry {
        name: "string",
        parameters: &[],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Number, "a number; a text is read too"),
        sonata: (Form::Text, "a text"),
        domain: "texts that are JSON numbers, written as they are",
        doc: "A text that the legacy system writes as a number.",
    },
    Entry {
        name: "boolean",
        parameters: &[
            required("true", ParameterKind::Scalar),
            required("false", ParameterKind::Scalar),
            optional("absent", ParameterKind::Word(&["false", "true"])),
        ],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Scalar, "one of two spellings; either may be `absent`"),
        sonata: (Form::Boolean, "a boolean"),
        domain: "the two spellings; with `absent` said, nothing or an empty text reads as that",
        doc: "A flag with its two legacy spellings, true first.",
    },
    Entry {
        name: "date",
        parameters: &[
            required("format", ParameterKind::Format),
            optional("edge", ParameterKind::Word(&["start-of-day", "end-of-day"])),
            optional("zone", ParameterKind::Zone),
        ],
        class: Class::Canonical,
        loses: Some("loss-of-time"),
        legacy: (Form::Text, "a date in this format"),
        sonata: (Form::Text, "a date; with an edge a date-time, in UTC, at that edge of the zone's day"),
        domain: "dates that the format can tell; without a zone the day is UTC's",
        doc: "A local date; with start-of-day or end-of-day it stands for an instant.",
    },
    Entry {
        name: "datetime",
        parameters: &[
            required("format", ParameterKind::Format),
            optional("zone", ParameterKind::Zone),
            optional("policy", ParameterKind::Word(POLICIES)),
        ],
        class: Class::Canonical,
        loses: Some("loss-of-seconds"),
        legacy: (Form::Text, "a date and time in this format"),
        sonata: (Form::Text, "a date-time in UTC"),
        domain: "instants that the format can tell; a format without offset needs a zone",
        doc: "A date and time; local times that a clock change skips or repeats are refused unless the policy says which.",
    },
    Entry {
        name: "local-datetime",
        parameters: &[
            required("zone", ParameterKind::Zone),
            optional("policy", ParameterKind::Word(POLICIES)),
            optional("format", ParameterKind::Format),
        ],
        class: Class::Canonical,
        loses: Some("loss-of-seconds"),
        legacy: (Form::Text, "a local time, `2026-10-28T14:30:00` unless a format is given"),
        sonata: (Form::Text, "a date-time in UTC"),
        domain: "local times of the zone",
        doc: "A local date and time without offset.",
    },
    Entry {
        name: "duration",
        parameters: &[required("unit", ParameterKind::Text)],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Integer, "a whole number in this unit; a text of digits is read too"),
        sonata: (Form::Object, "a Duration: { amount, units }"),
        domain: "durations in this unit, hours and minutes also in each other",
        doc: "A Duration whose unit the legacy system leaves unsaid: months, days, hours, minutes, business-days, business-hours, business-minutes, or the contract's own word in quotes.",
    },
    Entry {
        name: "country",
        parameters: &[
            required("sonata", ParameterKind::Word(COUNTRY_FORMS)),
            required("legacy", ParameterKind::Word(COUNTRY_FORMS)),
        ],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Text, "the second form"),
        sonata: (Form::Text, "the first form"),
        domain: "countries of ISO 3166-1; as name, synonyms and any case are read and one spelling is written",
        doc: "A country by name, alpha2, alpha3 or numeric code; the Sonata side's form comes first.",
    },
    Entry {
        name: "currency",
        parameters: &[optional("legacy", ParameterKind::Word(&["alpha3", "numeric"]))],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Text, "an ISO 4217 code, alpha3 unless numeric is said"),
        sonata: (Form::Text, "an ISO 4217 alpha3 code"),
        domain: "currencies of ISO 4217; any case is read",
        doc: "A currency code.",
    },
    Entry {
        name: "money",
        parameters: &[
            required("unit", ParameterKind::Word(&["minor", "major"])),
            required("currency", ParameterKind::PathOrWord),
        ],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Number, "an amount in minor (cents) or major units; a text is read too"),
        sonata: (Form::Object, "a Money: { unit, value }"),
        domain: "amounts that the currency's own decimals can tell; minor units are whole numbers",
        doc: "A Money beside whose amount the legacy system keeps the currency elsewhere.",
    },
    Entry {
        name: "bandwidth",
        parameters: &[required("unit", ParameterKind::Word(RATES))],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Number, "a number in this unit; a text is read too"),
        sonata: (Form::Object, "an information rate: { irValue, irUnits }"),
        domain: "rates of zero and more; written in the largest unit that needs no fraction",
        doc: "An information rate whose unit the legacy system leaves unsaid; decimal multiples.",
    },
    Entry {
        name: "data-size",
        parameters: &[required("unit", ParameterKind::Word(SIZES))],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Integer, "a whole number in this unit; a text is read too"),
        sonata: (Form::Object, "a data size: { dataSizeValue, dataSizeUnits }"),
        domain: "sizes that are whole numbers in both units; written in the largest whole unit",
        doc: "A data size whose unit the legacy system leaves unsaid; binary multiples.",
    },
    Entry {
        name: "percent",
        parameters: &[required("legacy", ParameterKind::Word(&["fraction", "permille", "basis-points"]))],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Number, "16 percent as 0.16, 160 or 1600; a text is read too"),
        sonata: (Form::Number, "the percentage: 16"),
        domain: "decimal numbers of up to 64 digits",
        doc: "A percentage that the legacy system scales otherwise.",
    },
    Entry {
        name: "split",
        parameters: &[required("separator", ParameterKind::Text)],
        class: Class::Exact,
        loses: None,
        legacy: (Form::Text, "one text"),
        sonata: (Form::Array, "an array of texts"),
        domain: "texts without the separator; an empty text is an empty array",
        doc: "A list that the legacy system keeps in one text.",
    },
    Entry {
        name: "join",
        parameters: &[required("separator", ParameterKind::Text)],
        class: Class::Exact,
        loses: None,
        legacy: (Form::Array, "an array of texts"),
        sonata: (Form::Text, "one text"),
        domain: "texts without the separator; an empty array is an empty text",
        doc: "A text that the legacy system keeps as an array.",
    },
    Entry {
        name: "lines",
        parameters: &[required("length", ParameterKind::Count)],
        class: Class::Canonical,
        loses: Some("loss-of-line-ends"),
        legacy: (Form::Array, "an array of lines of at most this many characters"),
        sonata: (Form::Text, "one text with line ends"),
        domain: "any text; long lines break at a blank where there is one",
        doc: "A long text that the legacy system keeps in lines.",
    },
    Entry {
        name: "prefix",
        parameters: &[required("text", ParameterKind::Text)],
        class: Class::Exact,
        loses: None,
        legacy: (Form::Text, "a text that begins with the prefix"),
        sonata: (Form::Text, "the text without it"),
        domain: "on the legacy side, texts that begin with the prefix",
        doc: "A prefix that only the legacy system writes.",
    },
    Entry {
        name: "pad",
        parameters: &[
            required("length", ParameterKind::Count),
            required("character", ParameterKind::Character),
        ],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Text, "a text of at least this length, filled from the left"),
        sonata: (Form::Text, "the text without the filling"),
        domain: "texts of at most this length, in characters; an empty text only where the filling is no digit",
        doc: "A text that the legacy system fills up from the left.",
    },
    Entry {
        name: "truncate",
        parameters: &[required("length", ParameterKind::Count)],
        class: Class::OneWay,
        loses: None,
        legacy: (Form::Text, "a text"),
        sonata: (Form::Text, "a text"),
        domain: "any text",
        doc: "The first characters of a text.",
    },
    Entry {
        name: "case",
        parameters: &[required("legacy", ParameterKind::Word(&["upper", "lower"]))],
        class: Class::Canonical,
        loses: Some("loss-of-case"),
        legacy: (Form::Text, "a text in this case"),
        sonata: (Form::Text, "the text in the other case"),
        domain: "any text",
        doc: "A text in the other case on each side; the legacy side's is named.",
    },
    Entry {
        name: "base64",
        parameters: &[],
        class: Class::Exact,
        loses: None,
        legacy: (Form::Text, "base64 with padding"),
        sonata: (Form::Text, "the text"),
        domain: "UTF-8 texts",
        doc: "A text that the legacy system encodes.",
    },
    Entry {
        name: "parse",
        parameters: &[required("pattern", ParameterKind::Pattern)],
        class: Class::OneWay,
        loses: None,
        legacy: (Form::Text, "a text that matches the whole pattern"),
        sonata: (Form::Any, "an object of the named groups, or the text of the only group"),
        domain: "texts that match; a group that took no part is left out",
        doc: "Takes a text apart by a regular expression.",
    },
    Entry {
        name: "one",
        parameters: &[],
        class: Class::Canonical,
        loses: None,
        legacy: (Form::Any, "a value, or an array of one"),
        sonata: (Form::Any, "an array of one, or the value"),
        domain: "arrays of one element that is no array, and values that are no array; an empty array is nothing",
        doc: "A value on one side, an array of one on the other.",
    },
    Entry {
        name: "each",
        parameters: &[required("converter", ParameterKind::Converter)],
        class: Class::Exact,
        loses: None,
        legacy: (Form::Array, "an array of the converter's legacy form"),
        sonata: (Form::Array, "an array of the converter's Sonata form"),
        domain: "arrays whose every element the converter accepts; class and loss are the converter's",
        doc: "Another converter on every element.",
    },
    Entry {
        name: "first",
        parameters: &[],
        class: Class::OneWay,
        loses: None,
        legacy: (Form::Any, "an array or its element"),
        sonata: (Form::Any, "an array or its element"),
        domain: "any array; an empty one is nothing",
        doc: "The first element of an array.",
    },
    Entry {
        name: "sum",
        parameters: &[],
        class: Class::OneWay,
        loses: None,
        legacy: (Form::Any, "an array of numbers, or their sum"),
        sonata: (Form::Any, "an array of numbers, or their sum"),
        domain: "numbers and texts of numbers; an empty array is 0",
        doc: "The exact sum of an array.",
    },
    Entry {
        name: "min",
        parameters: &[],
        class: Class::OneWay,
        loses: None,
        legacy: (Form::Any, "an array of numbers, or the least"),
        sonata: (Form::Any, "an array of numbers, or the least"),
        domain: "numbers and texts of numbers; an empty array is nothing",
        doc: "The least number of an array, as written.",
    },
    Entry {
        name: "max",
        parameters: &[],
        class: Class::OneWay,
        loses: None,
        legacy: (Form::Any, "an array of numbers, or the greatest"),
        sonata: (Form::Any, "an array of numbers, or the greatest"),
        domain: "numbers and texts of numbers; an empty array is nothing",
        doc: "The greatest number of an array, as written.",
    },
    Entry {
        name: "count",
        parameters: &[],
        class: Class::OneWay,
        loses: None,
        legacy: (Form::Any, "an array, or its length"),
        sonata: (Form::Any, "an array, or its length"),
        domain: "any array",
        doc: "How many elements an array has.",
    },
    Entry {
        name: "ref",
        parameters: &[required("kind", ParameterKind::Text)],
        class: Class::Exact,
        loses: None,
        legacy: (Form::Scalar, "the legacy id of the entity"),
        sonata: (Form::Text, "the Sonata id of the entity"),
        domain: "entities of this kind that custody knows; looked up before the mapping runs",
        doc: "The id of another entity on the other side.",
    },
    Entry {
        name: "key",
        parameters: &[required("group", ParameterKind::Text)],
        class: Class::Exact,
        loses: None,
        legacy: (Form::Scalar, "the legacy key of the sibling"),
        sonata: (Form::Text, "the Sonata key of the sibling"),
        domain: "elements of that group in the same message",
        doc: "The key of a sibling element on the other side.",
    },
];
