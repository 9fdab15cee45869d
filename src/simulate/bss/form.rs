//! Reading the caller's message: every value is looked at once, every complaint is collected.
//!
//! Members that the desk does not know are ignored, as it always did.

use jiff::civil::Date;
use serde_json::{Map, Value};

use super::day;
use super::reply::{Complaint, Refusal};

/// The complaints about one message.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<Complaint>);

impl Complaints {
    pub fn push(&mut self, code: &'static str, pos: impl Into<String>, t: &'static str) {
        self.0.push(Complaint { code, pos: pos.into(), t });
    }

    /// Refuses the message when there is any complaint.
    pub fn settle(self) -> Result<(), Refusal> {
        if self.0.is_empty() { Ok(()) } else { Err(Refusal::Wrong(self.0)) }
    }
}

/// Reads the body as one table row, or refuses it.
pub(super) fn body(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(Refusal::Wrong(vec![Complaint { code: "E01", pos: String::new(), t: "not readable" }])),
    }
}

/// A row of the message and its place in it, such as `lines/20`.
#[derive(Debug, Clone)]
pub(super) struct Form<'a> {
    row: &'a Map<String, Value>,
    pos: String,
}

impl<'a> Form<'a> {
    /// The message itself.
    pub fn root(row: &'a Map<String, Value>) -> Self {
        Self { row, pos: String::new() }
    }

    /// The place of a column of this row.
    pub fn pos(&self, name: &str) -> String {
        if self.pos.is_empty() { name.to_owned() } else { format!("{}/{name}", self.pos) }
    }

    /// The place of this row.
    pub fn place(&self) -> &str {
        &self.pos
    }

    fn value(&self, name: &str) -> Option<&'a Value> {
        self.row.get(name).filter(|value| !value.is_null())
    }

    /// A row inside this one.
    pub fn inside(&self, name: &str, out: &mut Complaints) -> Option<Self> {
        let row = self.value(name)?.as_object();
        if row.is_none() {
            out.push("E03", self.pos(name), "row expected");
        }
        Some(Self { row: row?, pos: self.pos(name) })
    }

    /// The rows of a table; each is placed by the number in its column `key`, else by its position from 1.
    pub fn rows(&self, name: &str, key: &str, out: &mut Complaints) -> Vec<Self> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let Value::Array(values) = value else {
            out.push("E03", self.pos(name), "table expected");
            return Vec::new();
        };
        let mut rows = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            match value {
                Value::Object(row) => {
                    let number = row.get(key).and_then(Value::as_u64).unwrap_or(index as u64 + 1);
                    rows.push(Self { row, pos: format!("{}/{number}", self.pos(name)) });
                }
                _ => out.push("E03", format!("{}/{}", self.pos(name), index + 1), "row expected"),
            }
        }
        rows
    }

    /// Text of at most `characters_max` characters; empty counts as absent.
    pub fn text(&self, name: &str, characters_max: usize, out: &mut Complaints) -> Option<&'a str> {
        match self.value(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) if text.len() <= characters_max || text.chars().count() <= characters_max => {
                Some(text)
            }
            Value::String(_) => self.complain(name, "too long", out),
            _ => self.complain(name, "text expected", out),
        }
    }

    /// A whole number within bounds.
    pub fn number(&self, name: &str, low: i64, high: i64, out: &mut Complaints) -> Option<i64> {
        match self.value(name)?.as_i64() {
            Some(number) if (low..=high).contains(&number) => Some(number),
            Some(_) => self.complain(name, "out of range", out),
            None => self.complain(name, "whole number expected", out),
        }
    }

    /// A whole number if it is one, without a complaint if not.
    pub fn glance(&self, name: &str) -> Option<i64> {
        self.value(name)?.as_i64()
    }

    /// `J` or `N`.
    pub fn flag(&self, name: &str, out: &mut Complaints) -> Option<bool> {
        self.letter(name, &["J", "N"], out).map(|letter| letter == "J")
    }

    /// One of some codes.
    pub fn letter(&self, name: &str, known: &[&'static str], out: &mut Complaints) -> Option<&'static str> {
        let text = self.text(name, 20, out)?;
        let found = known.iter().find(|code| **code == text).copied();
        found.or_else(|| self.complain(name, "code not known", out))
    }

    /// A day, `dd.mm.yyyy`.
    pub fn day(&self, name: &str, out: &mut Complaints) -> Option<Date> {
        let text = self.text(name, 20, out)?;
        day::read(text).or_else(|| self.complain(name, "date expected, dd.mm.yyyy", out))
    }

    /// A column as it was sent.
    pub fn copy(&self, name: &str) -> Option<Value> {
        self.value(name).cloned()
    }

    /// Whether a column is there.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Complains with `E02` when a column that must be there is absent.
    pub fn require(&self, name: &str, out: &mut Complaints) {
        if !self.has(name) {
            out.push("E02", self.pos(name), "missing");
        }
    }

    fn complain<T>(&self, name: &str, t: &'static str, out: &mut Complaints) -> Option<T> {
        out.push("E03", self.pos(name), t);
        None
    }
}
