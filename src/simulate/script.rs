//! The files by which Sellers and Buyers are played: JSON, lines of comment, and places in messages.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;

/// Why a file is no scenario: line and column, counted from 1, and what is wrong there.
#[derive(Debug, PartialEq, Eq)]
pub struct NoScenario {
    /// Line; 0 for the whole file.
    pub line: usize,
    /// Column.
    pub column: usize,
    /// What is wrong.
    pub reason: String,
}

impl std::fmt::Display for NoScenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.reason)
    }
}

impl std::error::Error for NoScenario {}

/// Reads one of the simulators' files: JSON, with lines of comment.
pub(super) fn read<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, NoScenario> {
    if text.len() > FILE_BYTES_MAX {
        return Err(NoScenario { line: 0, column: 0, reason: "the file is larger than 1 MiB".to_owned() });
    }
    // A comment leaves its line empty, so that lines are those of the file.
    let lines: Vec<&str> =
        text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect();
    serde_json::from_str(&lines.join("\n")).map_err(|error| {
        let (line, column, text) = (error.line(), error.column(), error.to_string());
        let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
        NoScenario { line, column, reason }
    })
}

/// Places and what must stand there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, Value>")]
pub(super) struct When(BTreeMap<String, Value>);

impl TryFrom<BTreeMap<String, Value>> for When {
    type Error = String;

    fn try_from(places: BTreeMap<String, Value>) -> Result<Self, String> {
        match places.keys().find(|place| !place.starts_with('/')) {
            Some(place) => Err(format!("`{place}` is no JSON pointer; those begin with `/`")),
            None => Ok(Self(places)),
        }
    }
}

impl When {
    /// The places, and what must stand there.
    pub fn places(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(place, value)| (place.as_str(), value))
    }

    /// Whether a body is meant.
    pub fn meets(&self, body: &Value) -> bool {
        self.0.iter().all(|(place, wanted)| body.pointer(place).unwrap_or(&Value::Null) == wanted)
    }
}

/// Puts a value into a place of a message: a member or an element that is there or is added (`-`: at the end); null takes it
/// out. Nothing happens where what should hold it is not there.
pub(super) fn put(message: &mut Value, place: &str, value: &Value) {
    let Some((outer, name)) = place.rsplit_once('/') else { return };
    let name = name.replace("~1", "/").replace("~0", "~");
    match message.pointer_mut(outer) {
        Some(Value::Object(members)) if value.is_null() => {
            members.remove(&name);
        }
        Some(Value::Object(members)) => {
            members.insert(name, value.clone());
        }
        Some(Value::Array(rows)) => match name.parse::<usize>() {
            Ok(index) if index < rows.len() && value.is_null() => {
                rows.remove(index);
            }
            Ok(index) => {
                if let Some(row) = rows.get_mut(index) {
                    *row = value.clone();
                }
            }
            Err(_) => rows.push(value.clone()),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_put_into_places() {
        let mut message = json!({ "a": [ { "b": 1 }, 2 ], "a/b": 3 });
        for (place, value) in [
            ("/a/0/b", json!(4)),
            ("/a/0/c", json!([])),
            ("/a/1", Value::Null),
            ("/a/-", json!(5)),
            ("/a~1b", Value::Null),
            ("/x/y", json!(6)),
        ] {
            put(&mut message, place, &value);
        }
        assert_eq!(message, json!({ "a": [ { "b": 4, "c": [] }, 5 ] }));
    }

    #[test]
    fn a_file_has_comments_and_is_small() {
        let read = |text: &str| read::<Value>(text).map_err(|wrong| wrong.line);
        assert_eq!(read("// one\n{\n  // two\n}"), Ok(json!({})));
        assert_eq!(read("{\n// one\n ]"), Err(3));
        assert_eq!(read(&" ".repeat(FILE_BYTES_MAX + 1)), Err(0));
    }
}
