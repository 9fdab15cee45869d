//! One event as one line of JSON.
//!
//! Our own rather than the JSON format of `tracing-subscriber`, which makes a map of values of every event: the line
//! of an exchange cost as much as a third of what mediating it does. The members are the same, in the same order:
//! time, level, the event's fields as they come, target.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

use super::stamp;

/// Bytes that the line of an exchange takes, about.
const LINE_BYTES: usize = 640;

/// Bytes that a value takes with what stands around its name, about.
const VALUE_BYTES: usize = 48;

/// Writes events as JSON lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::with_capacity(LINE_BYTES);
        line.push_str("{\"timestamp\":\"");
        #[expect(
            clippy::disallowed_methods,
            reason = "a line says when it was written, whatever it is about"
        )]
        stamp::write(&mut line, Timestamp::now(), stamp::Precision::Micros);
        line.push_str("\",\"level\":\"");
        line.push_str(event.metadata().level().as_str());
        line.push('"');
        event.record(&mut Members(&mut line));
        line.push_str(",\"target\":");
        text(&mut line, event.metadata().target());
        line.push_str("}\n");
        writer.write_str(&line)
    }
}

/// Writes the fields of an event as members of an object that has one already.
struct Members<'l>(&'l mut String);

impl Members<'_> {
    fn name(&mut self, field: &Field) {
        // A name stands in our own source, where it is a word; only what comes from outside needs escaping.
        let name = field.name();
        self.0.reserve(name.len() + VALUE_BYTES);
        self.0.push_str(",\"");
        self.0.push_str(name);
        self.0.push_str("\":");
    }

    /// A value whose own text is JSON.
    fn bare(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field);
        // Writing into memory does not fail.
        let _ = write!(self.0, "{value}");
    }
}

impl Visit for Members<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() { self.bare(field, value) } else { self.bare(field, "null") }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.name(field);
        digits(self.0, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field);
        self.0.push_str(if value { "true" } else { "false" });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.name(field);
        text(self.0, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.name(field);
        self.0.push('"');
        let _ = write!(Escaping(self.0), "{value:?}");
        self.0.push('"');
    }
}

/// A whole number, without what a formatter looks at first.
fn digits(line: &mut String, number: u64) {
    let mut text = [b'0'; 20];
    let (mut left, mut first) = (number, text.len() - 1);
    for (place, digit) in text.iter_mut().enumerate().rev() {
        *digit += (left % 10) as u8;
        left /= 10;
        first = place;
        if left == 0 {
            break;
        }
    }
    let written = text.get(first..).and_then(|text| std::str::from_utf8(text).ok());
    line.push_str(written.unwrap_or("0"));
}

/// A JSON string.
fn text(line: &mut String, value: &str) {
    line.push('"');
    escape(line, value);
    line.push('"');
}

/// Writes into a JSON string what is formatted in pieces.
struct Escaping<'l>(&'l mut String);

impl fmt::Write for Escaping<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        escape(self.0, piece);
        Ok(())
    }
}

/// The inside of a JSON string. Everything below a blank is escaped, so that no text from outside can break a line.
fn escape(line: &mut String, value: &str) {
    let mut rest = value;
    while let Some(at) = rest.bytes().position(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        let (plain, from) = rest.split_at(at);
        line.push_str(plain);
        let mut characters = from.chars();
        match characters.next() {
            Some(c @ ('"' | '\\')) => line.extend(['\\', c]),
            Some('\n') => line.push_str("\\n"),
            Some(c) => {
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            }
            None => {}
        }
        rest = characters.as_str();
    }
    line.push_str(rest);
}
