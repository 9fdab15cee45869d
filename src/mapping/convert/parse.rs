//! From the text of a converter to the converter: names and arguments against the table.

use super::{
    Converter, ConverterError, CurrencyArgument, Entry, ParameterKind, PathArgument, Work,
    arguments::{self, Call, NESTING_MAX, Written},
    converters,
    country::CountryForm,
    currency, measure,
    scalar::{Flags, Spelling},
    table, time,
};
use crate::{
    mapping::value::quoted,
    text::{Hint, suggest},
};

/// Largest accepted regular expression once compiled, in bytes.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// Reads one converter; positions count from `base`.
pub(super) fn converter(text: &str, base: usize, nesting: usize) -> Result<Converter, ConverterError> {
    let call = arguments::read(text, base)?;
    let Some(entry) = converters().find(|entry| entry.name == call.name) else {
        return Err(unknown(&call));
    };
    let bound = Bound::bind(entry, &call)?;
    let work = work(&bound, nesting)?;
    let (mut class, mut loses) = (entry.class, entry.loses.first().copied());
    match &work {
        Work::Each(inner) => (class, loses) = (inner.class, inner.loses),
        Work::Date(date) => loses = date.loses(),
        Work::DateTime(time) => loses = time.loses(),
        _ => {}
    }
    Ok(Converter { entry, class, loses, work })
}

fn unknown(call: &Call) -> ConverterError {
    let near = suggest(&call.name, converters().map(|entry| entry.name));
    ConverterError {
        offset: call.offset,
        length: call.name.len(),
        message: format!("there is no converter {}", quoted(&call.name)),
        hint: near.map(Hint::meant),
    }
}

/// The arguments of a call, each at its parameter.
struct Bound<'c> {
    entry: &'static Entry,
    call: &'c Call,
    values: Vec<Option<&'c Written>>,
}

impl<'c> Bound<'c> {
    /// Named arguments go to their parameter, the others to the next free one that accepts them: a quoted
    /// text passes over an optional parameter that takes only words.
    fn bind(entry: &'static Entry, call: &'c Call) -> Result<Self, ConverterError> {
        let mut values: Vec<Option<&'c Written>> = vec![None; entry.parameters.len()];
        let mut next = 0;
        for written in &call.arguments {
            let place = if let Some(key) = &written.key {
                entry.parameters.iter().position(|parameter| parameter.name == key)
            } else {
                (next..entry.parameters.len()).find(|place| {
                    let parameter = &entry.parameters[*place];
                    let words_only = matches!(parameter.kind, ParameterKind::Word(_));
                    values[*place].is_none() && (parameter.required || !(words_only && written.quoted))
                })
            };
            let Some(place) = place else {
                return Err(Self::too_many(entry, written));
            };
            if values[place].is_some() {
                return Err(written.error(format!("`{}` is given twice", entry.parameters[place].name)));
            }
            if written.key.is_none() {
                next = place + 1;
            }
            Self::check(entry.parameters[place].kind, written)?;
            values[place] = Some(written);
        }
        for (parameter, value) in entry.parameters.iter().zip(&values) {
            if parameter.required && value.is_none() {
                return Err(ConverterError {
                    offset: call.offset,
                    length: call.name.len(),
                    message: format!("`{}` needs its argument `{}`", entry.name, parameter.name),
                    hint: Some(signature(entry).into()),
                });
            }
        }
        Ok(Self { entry, call, values })
    }

    fn too_many(entry: &'static Entry, written: &Written) -> ConverterError {
        let near = written.key.as_ref().and_then(|key| {
            let near = suggest(key, entry.parameters.iter().map(|parameter| parameter.name))?;
            Some(Hint::from(format!("did you mean `{near}:`?")).putting(near))
        });
        let message = match &written.key {
            Some(key) => format!("`{}` has no argument {}", entry.name, quoted(key)),
            None if entry.parameters.is_empty() => format!("`{}` takes no arguments", entry.name),
            None => format!("`{}` takes no further argument here", entry.name),
        };
        let place = match &written.key {
            Some(key) => {
                ConverterError { offset: written.start, length: key.len(), ..written.error(message) }
            }
            None => written.error(message),
        };
        ConverterError { hint: near.or_else(|| Some(signature(entry).into())), ..place }
    }

    fn check(kind: ParameterKind, written: &Written) -> Result<(), ConverterError> {
        match kind {
            ParameterKind::Word(words) if written.quoted || !words.contains(&written.text.as_str()) => {
                let near = suggest(&written.text, words.iter().copied());
                let hint = near.map_or_else(|| format!("one of: {}", words.join(", ")).into(), Hint::meant);
                let message = format!("{} is not accepted here", quoted(&written.text));
                Err(ConverterError { hint: Some(hint), ..written.error(message) })
            }
            ParameterKind::Text | ParameterKind::Format if written.text.is_empty() => {
                Err(written.error("the text must not be empty"))
            }
            _ => Ok(()),
        }
    }

    fn get(&self, name: &str) -> Option<&'c Written> {
        let place = self.entry.parameters.iter().position(|parameter| parameter.name == name)?;
        self.values.get(place).copied().flatten()
    }

    fn word(&self, name: &str) -> Option<&'c str> {
        self.get(name).map(|written| written.text.as_str())
    }

    fn required(&self, name: &str) -> Result<&'c Written, ConverterError> {
        self.get(name).ok_or_else(|| ConverterError {
            offset: self.call.offset,
            length: self.call.name.len(),
            message: format!("`{}` needs its argument `{name}`", self.entry.name),
            hint: None,
        })
    }

    fn text(&self, name: &str) -> Result<String, ConverterError> {
        self.required(name).map(|written| written.text.clone())
    }

    fn count(&self, name: &str) -> Result<usize, ConverterError> {
        let written = self.required(name)?;
        match written.text.parse() {
            Ok(count @ 1..=10_000) => Ok(count),
            _ => Err(written.error("a whole number from 1 to 10000 is expected")),
        }
    }

    /// The place of a word in a list that the table has accepted.
    fn place(&self, name: &str, words: &[&str]) -> Result<usize, ConverterError> {
        let written = self.required(name)?;
        words
            .iter()
            .position(|word| *word == written.text)
            .ok_or_else(|| written.error(format!("one of: {}", words.join(", "))))
    }

    fn zone(&self) -> Result<Option<jiff::tz::TimeZone>, ConverterError> {
        let Some(written) = self.get("zone") else { return Ok(None) };
        time::zone(&written.text).map(Some).map_err(|near| ConverterError {
            hint: near.map(|name| Hint::from(format!("did you mean '{name}'?")).putting(format!("'{name}'"))),
            ..written.error(format!("there is no time zone {}", quoted(&written.text)))
        })
    }
}

/// How a converter is written, for hints: `date(format, [edge], [zone])`.
fn signature(entry: &Entry) -> String {
    let parameters: Vec<String> = entry
        .parameters
        .iter()
        .map(
            |parameter| {
                if parameter.required { parameter.name.to_owned() } else { format!("[{}]", parameter.name) }
            },
        )
        .collect();
    if parameters.is_empty() {
        return format!("write `{}`", entry.name);
    }
    format!("write `{}({})`", entry.name, parameters.join(", "))
}

fn work(bound: &Bound<'_>, nesting: usize) -> Result<Work, ConverterError> {
    Ok(match bound.entry.name {
        "integer" => Work::Integer,
        "decimal" => Work::Decimal { comma: bound.word("mark") == Some("comma") },
        "string" => Work::String,
        "boolean" => Work::Boolean(flags(bound)?),
        "percent" => Work::Percent(match bound.word("legacy") {
            Some("permille") => 1,
            Some("basis-points") => 2,
            _ => -2,
        }),
        "date" => Work::Date(date(bound)?),
        "datetime" | "local-datetime" => Work::DateTime(datetime(bound)?),
        "epoch" => Work::Epoch { milliseconds: bound.word("unit") == Some("milliseconds") },
        "duration" => Work::Duration(duration(bound)?),
        "country" => Work::Country {
            sonata: CountryForm::from_word(bound.word("sonata").unwrap_or_default()),
            legacy: CountryForm::from_word(bound.word("legacy").unwrap_or_default()),
        },
        "currency" => Work::Currency { numeric: bound.word("legacy") == Some("numeric") },
        "money" => Work::Money {
            minor: bound.word("unit") == Some("minor"),
            comma: bound.word("mark") == Some("comma"),
            currency: money_currency(bound)?,
        },
        "bandwidth" => Work::Bandwidth { unit: bound.place("unit", table::RATES)? },
        "data-size" => Work::DataSize { unit: bound.place("unit", table::SIZES)? },
        "ref" => Work::Ref(bound.text("kind")?),
        "key" => Work::Key(bound.text("group")?),
        "each" => Work::Each(Box::new(inner(bound, nesting)?)),
        _ => text_or_list(bound)?,
    })
}

fn text_or_list(bound: &Bound<'_>) -> Result<Work, ConverterError> {
    Ok(match bound.entry.name {
        "split" => Work::Split(bound.text("separator")?),
        "join" => Work::Join(bound.text("separator")?),
        "lines" => Work::Lines(bound.count("length")?),
        "prefix" => Work::Prefix(bound.text("text")?),
        "pad" => Work::Pad { length: bound.count("length")?, character: character(bound)? },
        "truncate" => Work::Truncate(bound.count("length")?),
        "case" => Work::Case { upper: bound.word("legacy") == Some("upper") },
        "base64" => Work::Base64,
        "json" => Work::Json,
        "parse" => Work::Parse(Box::new(pattern(bound)?)),
        "one" => Work::One,
        "first" => Work::First,
        "sum" => Work::Sum,
        "min" => Work::Extreme { greatest: false },
        "max" => Work::Extreme { greatest: true },
        "count" => Work::Count,
        other => return Err(bound.required(other)?.error("this converter is not built")),
    })
}

fn flags(bound: &Bound<'_>) -> Result<Flags, ConverterError> {
    let flags = Flags {
        yes: spelling(bound.required("true")?),
        no: spelling(bound.required("false")?),
        absent: bound.word("absent").map(|word| word == "true"),
    };
    if flags.yes == flags.no {
        return Err(bound.required("false")?.error("true and false are spelled alike"));
    }
    // What is left out for one of the values has to mean that value when it is read.
    let absent = match (&flags.yes, &flags.no, flags.absent) {
        (Spelling::Absent, _, Some(false)) | (_, Spelling::Absent, Some(true)) => {
            return Err(bound
                .required("absent")?
                .error("an absent value would be written as one and read as the other"));
        }
        (Spelling::Absent, _, _) => Some(true),
        (_, Spelling::Absent, _) => Some(false),
        (_, _, said) => said,
    };
    Ok(Flags { absent, ..flags })
}

fn spelling(written: &Written) -> Spelling {
    if written.quoted {
        return Spelling::Text(written.text.clone());
    }
    match written.text.as_str() {
        "absent" => Spelling::Absent,
        "true" => Spelling::Bool(true),
        "false" => Spelling::Bool(false),
        text if crate::json::number::is_number(text) => Spelling::Number(text.to_owned()),
        text => Spelling::Text(text.to_owned()),
    }
}

fn date(bound: &Bound<'_>) -> Result<time::Date, ConverterError> {
    let format = bound.required("format")?;
    let edge = bound
        .word("edge")
        .map(|word| if word == "start-of-day" { time::Edge::Start } else { time::Edge::End });
    if edge.is_none()
        && let Some(zone) = bound.get("zone")
    {
        let hint = Some("add start-of-day or end-of-day, or leave the zone out".into());
        return Err(ConverterError { hint, ..zone.error("a date without an edge of the day has no zone") });
    }
    parts(format)?;
    time::Date::new(&format.text, edge, bound.zone()?).map_err(|message| format.error(message))
}

/// A format like `dd.MM.yyyy` would be nothing but letters, and one that says a part twice writes it twice.
fn parts(format: &Written) -> Result<(), ConverterError> {
    let text = format.text.as_str();
    if !text.contains('%') {
        let hint = "`%d.%m.%Y %H:%M:%S` is written 28.10.2026 14:30:05";
        return Err(ConverterError {
            hint: Some(hint.into()),
            ..format.error("a format names its parts by `%`")
        });
    }
    let meant = |message: String, text: String| {
        let hint = Hint::from(format!("did you mean '{text}'?")).putting(format!("'{text}'"));
        Err(ConverterError { hint: Some(hint), ..format.error(message) })
    };
    let mut seen: Vec<char> = Vec::new();
    let (mut before, mut rest) = (String::new(), text);
    while let Some((plain, behind)) = rest.split_once('%') {
        // Between the mark and the letter stand flags and a width: `%-d`, `%3f`, `%:z`.
        let flags = behind.find(|c: char| c.is_ascii_alphabetic() || c == '%').unwrap_or(behind.len());
        let (flags, behind) = behind.split_at(flags);
        let Some(letter) = behind.chars().next() else { break };
        rest = behind.strip_prefix(letter).unwrap_or_default();
        before.push_str(plain);
        if letter != '%' && seen.contains(&letter) {
            // The year of other languages has as many letters as digits.
            let once =
                if text.contains("%y%y") { text.replace("%y%y", "%Y") } else { format!("{before}{rest}") };
            return meant(format!("the format says `%{letter}` twice"), once);
        }
        before.extend(["%", flags]);
        before.push(letter);
        if letter != '%' && rest.starts_with(letter) {
            let once = format!("{before}{}", rest.trim_start_matches(letter));
            return meant(format!("behind `%{letter}` stands `{letter}` once more, as a letter"), once);
        }
        seen.push(letter);
    }
    Ok(())
}

fn datetime(bound: &Bound<'_>) -> Result<time::DateTime, ConverterError> {
    let policy = time::Policy::from_word(bound.word("policy"));
    let (text, place) = match bound.get("format") {
        Some(written) => {
            parts(written)?;
            (written.text.as_str(), written)
        }
        None => ("%Y-%m-%dT%H:%M:%S", bound.required("zone")?),
    };
    time::DateTime::new(text, bound.zone()?, policy).map_err(|message| place.error(message))
}

fn duration(bound: &Bound<'_>) -> Result<measure::Duration, ConverterError> {
    let written = bound.required("unit")?;
    if written.quoted {
        return Ok(measure::Duration(written.text.clone()));
    }
    let unit = table::TIME_UNITS.iter().position(|unit| *unit == written.text);
    unit.and_then(measure::Duration::of_place).ok_or_else(|| {
        let near = suggest(&written.text, table::TIME_UNITS.iter().copied());
        let known = table::TIME_UNITS.join(", ");
        let hint = near.map_or_else(|| format!("one of: {known}").into(), Hint::meant);
        ConverterError {
            hint: Some(hint),
            ..written.error(format!("there is no unit {}", quoted(&written.text)))
        }
    })
}

/// Quoted, or three capital letters: the currency itself; anything else is a path on the legacy side.
fn money_currency(bound: &Bound<'_>) -> Result<CurrencyArgument, ConverterError> {
    let written = bound.required("currency")?;
    let code = written.text.len() == 3 && written.text.bytes().all(|byte| byte.is_ascii_uppercase());
    if !written.quoted && !code {
        let path = PathArgument { name: "currency", text: written.text.clone(), offset: written.offset };
        return Ok(CurrencyArgument::Path(path));
    }
    match currency::find(&written.text) {
        Some(currency) => Ok(CurrencyArgument::Literal(currency.code.to_owned())),
        None => Err(ConverterError {
            hint: currency::near(&written.text).map(Hint::meant),
            ..written.error(format!("{} is not a currency of ISO 4217", quoted(&written.text)))
        }),
    }
}

fn character(bound: &Bound<'_>) -> Result<char, ConverterError> {
    let written = bound.required("character")?;
    let mut characters = written.text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => Ok(character),
        _ => Err(written.error("one character is expected")),
    }
}

/// The whole text has to match: half a match would lose the rest without a word.
fn pattern(bound: &Bound<'_>) -> Result<regex::Regex, ConverterError> {
    let written = bound.required("pattern")?;
    // Alone first, so that a parenthesis too many is not made good by the ones put around it.
    regex::Regex::new(&written.text)
        .and_then(|_| {
            regex::RegexBuilder::new(&format!("^(?:{})$", written.text)).size_limit(PATTERN_BYTES_MAX).build()
        })
        .map_err(|error| {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            written.error(format!("the pattern cannot be read: {last}"))
        })
}

fn inner(bound: &Bound<'_>, nesting: usize) -> Result<Converter, ConverterError> {
    let written = bound.required("converter")?;
    if nesting >= NESTING_MAX {
        return Err(written.error("converters are nested too deeply"));
    }
    let base = written.offset + usize::from(written.quoted);
    let inner = converter(&written.text, base, nesting + 1)?;
    if inner.reference().is_some() && nesting > 0 {
        return Err(written.error(format!("`{}` cannot stand deeper than in one `each`", inner.name())));
    }
    Ok(inner)
}
