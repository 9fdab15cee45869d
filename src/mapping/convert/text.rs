//! Converters of texts: parts, lines, filling, case, encoding, patterns.

use std::borrow::Cow;

use super::{ConvertError, text_of};
use crate::{
    json::{Builder, Document},
    mapping::value::{Value, quoted},
};

/// Applies a function to the text of a value.
pub(super) fn with(
    value: &Value<'_>,
    work: impl FnOnce(&str) -> Result<String, ConvertError>,
) -> Result<Value<'static>, ConvertError> {
    work(&text_of(value)?).map(Value::text)
}

/// As [`with`], of texts only: a number would not come back as one, so exact converters refuse it.
pub(super) fn exactly(
    value: &Value<'_>,
    work: impl FnOnce(&str) -> Result<String, ConvertError>,
) -> Result<Value<'static>, ConvertError> {
    work(&only_text(value)?).map(Value::text)
}

fn only_text(value: &Value<'_>) -> Result<String, ConvertError> {
    value.as_text().map(Cow::into_owned).ok_or_else(|| ConvertError::kind("a text", value))
}

/// One text as an array; an empty text is an empty array.
pub(super) fn split(value: &Value<'_>, separator: &str) -> Result<Value<'static>, ConvertError> {
    let text = only_text(value)?;
    if text.is_empty() {
        return Ok(Value::Array(Vec::new()));
    }
    Ok(Value::Array(text.split(separator).map(|part| Value::text(part.to_owned())).collect()))
}

/// An array as one text; refuses what [`split`] would not give back.
pub(super) fn join(value: &Value<'_>, separator: &str) -> Result<Value<'static>, ConvertError> {
    let elements = value.elements().ok_or_else(|| ConvertError::kind("an array", value))?;
    let parts = elements.iter().map(only_text).collect::<Result<Vec<_>, _>>()?;
    let joined = parts.join(separator);
    let back = joined.split(separator).take(parts.len() + 1).count();
    let same = if parts.is_empty() { 0 } else { back };
    if same != parts.len() || parts == [""] || !joined.split(separator).zip(&parts).all(|(a, b)| a == b) {
        return Err(ConvertError::domain(format!("an element holds the separator {}", quoted(separator))));
    }
    Ok(Value::text(joined))
}

/// A text as lines of at most `length` characters.
pub(super) fn to_lines(value: &Value<'_>, length: usize) -> Result<Value<'static>, ConvertError> {
    let lines = wrapped(&text_of(value)?, length);
    Ok(Value::Array(lines.into_iter().map(Value::text).collect()))
}

/// Lines as one text; a line that is too long is broken as it would be written.
pub(super) fn from_lines(value: &Value<'_>, length: usize) -> Result<Value<'static>, ConvertError> {
    let elements = value.elements().ok_or_else(|| ConvertError::kind("an array", value))?;
    let lines = elements.iter().map(text_of).collect::<Result<Vec<_>, _>>()?;
    Ok(Value::text(wrapped(&lines.join("\n"), length).join("\n")))
}

fn wrapped(text: &str, length: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if !text.is_empty() {
        for line in text.split('\n') {
            wrap(line.trim_end_matches('\r'), length, &mut lines);
        }
    }
    lines
}

/// Breaks at the last blank that leaves a first part within the length; without one, within the word.
fn wrap(line: &str, length: usize, lines: &mut Vec<String>) {
    let mut rest = line;
    while let Some((limit, _)) = rest.char_indices().nth(length) {
        let fits = rest[limit..].chars().next().map_or(limit, |next| limit + next.len_utf8());
        let (part, tail) = match rest[..fits].rfind(' ') {
            Some(blank) if blank > 0 => (&rest[..blank], &rest[blank + 1..]),
            _ => rest.split_at(limit),
        };
        lines.push(part.to_owned());
        rest = tail;
    }
    lines.push(rest.to_owned());
}

/// The text behind a prefix that must be there.
pub(super) fn strip_prefix(value: &Value<'_>, prefix: &str) -> Result<Value<'static>, ConvertError> {
    exactly(value, |text| match text.strip_prefix(prefix) {
        Some(rest) => Ok(rest.to_owned()),
        None => Err(ConvertError::domain(format!("{} does not begin with {}", quoted(text), quoted(prefix)))),
    })
}

/// The text filled from the left.
pub(super) fn pad(value: &Value<'_>, length: usize, character: char) -> Result<Value<'static>, ConvertError> {
    with(value, |text| {
        let text = unpadded(text, length, character)?;
        let missing = length.saturating_sub(text.chars().count());
        Ok(std::iter::repeat_n(character, missing).chain(text.chars()).collect())
    })
}

/// The text without the filling.
pub(super) fn strip(
    value: &Value<'_>,
    length: usize,
    character: char,
) -> Result<Value<'static>, ConvertError> {
    with(value, |text| unpadded(text, length, character).map(ToOwned::to_owned))
}

/// Nothing but filling is an empty text, unless the filling is a digit: then it is that digit, and an empty
/// text cannot be told from it.
fn unpadded(text: &str, length: usize, character: char) -> Result<&str, ConvertError> {
    if text.chars().count() > length {
        return Err(ConvertError::domain(format!("{} is longer than {length} characters", quoted(text))));
    }
    let rest = text.trim_start_matches(character);
    if !rest.is_empty() || !character.is_ascii_digit() {
        return Ok(rest);
    }
    match text.char_indices().next_back() {
        Some((last, _)) => Ok(&text[last..]),
        None => Err(ConvertError::domain("an empty text cannot be filled with digits")),
    }
}

/// The text in one case.
pub(super) fn case(value: &Value<'_>, upper: bool) -> Result<Value<'static>, ConvertError> {
    with(value, |text| Ok(if upper { text.to_uppercase() } else { text.to_lowercase() }))
}

/// Named groups as an object, the only group as a text.
pub(super) fn parse(value: &Value<'_>, pattern: &regex::Regex) -> Result<Value<'static>, ConvertError> {
    let text = text_of(value)?;
    let Some(found) = pattern.captures(&text) else {
        return Err(ConvertError::domain(format!("{} does not have the expected form", quoted(&text))));
    };
    let group = |found: Option<regex::Match<'_>>| {
        found.map_or(Value::Absent, |found| Value::text(found.as_str().to_owned()))
    };
    let named: Vec<_> = pattern
        .capture_names()
        .flatten()
        .map(|name| (name.to_owned().into(), group(found.name(name))))
        .filter(|(_, value)| !value.is_absent())
        .collect();
    if pattern.capture_names().flatten().next().is_some() {
        return Ok(Value::Object(named));
    }
    Ok(group(found.get(1).or_else(|| found.get(0))))
}

/// The text of a value as JSON, without blanks.
pub(super) fn to_json(value: Value<'_>) -> Result<Value<'static>, ConvertError> {
    if value.is_null() {
        return Err(ConvertError::domain("null has no counterpart"));
    }
    let mut builder = Builder::new();
    // Owned, so that escapes are written one way only.
    let root = value.into_owned().build(&mut builder);
    Ok(Value::text(builder.finish(root).text().to_owned()))
}

/// What a JSON text says.
pub(super) fn from_json(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    let text = only_text(value)?;
    let document = Document::from_text(&text);
    let document = document.map_err(|_| ConvertError::domain(format!("{} is not JSON", quoted(&text))))?;
    if document.root().is_null() {
        return Err(ConvertError::domain("null has no counterpart"));
    }
    Ok(Value::Node(document.root()).into_owned())
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648 base64 with padding.
pub(super) fn encode(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    exactly(value, |text| {
        let mut encoded = String::with_capacity(text.len().div_ceil(3) * 4);
        for chunk in text.as_bytes().chunks(3) {
            let bits = chunk
                .iter()
                .enumerate()
                .fold(0_u32, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
            for place in 0..4 {
                let six = (bits >> (18 - 6 * place)) & 63;
                let letter = ALPHABET.get(six as usize).copied().unwrap_or(b'=');
                encoded.push(if place <= chunk.len() { char::from(letter) } else { '=' });
            }
        }
        Ok(encoded)
    })
}

/// The text of a base64 text; only the one canonical encoding is read, so that there and back is exact.
pub(super) fn decode(value: &Value<'_>) -> Result<Value<'static>, ConvertError> {
    let refused = |text: &str| ConvertError::domain(format!("{} is not base64 of a text", quoted(text)));
    let encoded = only_text(value)?;
    let mut bytes = Vec::with_capacity(encoded.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for letter in encoded.trim_end_matches('=').bytes() {
        let six = ALPHABET.iter().position(|known| *known == letter).ok_or_else(|| refused(&encoded))?;
        bits = (bits << 6 | u32::try_from(six).unwrap_or_default()) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).unwrap_or_default());
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| refused(&encoded))?;
    let decoded = Value::text(text);
    match encode(&decoded)?.as_text() {
        Some(again) if again == encoded => Ok(decoded),
        _ => Err(refused(&encoded)),
    }
}
