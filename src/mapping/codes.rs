//! Code tables: pairs of values that only the integrator can know.
//!
//! A row has values of both sides that mean the same: the first of a side is written, all of them are read.
//! A side that is empty has no counterpart. Values are compared by their written form, so a legacy number
//! `40` meets a row that says `40`; what is written is a text, number or boolean as the table declares for
//! that side (`legacy_type: number`). Differs from a converter in that its domain is its rows.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::{
    direction::Direction,
    value::{Value, quoted},
};

/// What the values of one side are written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodeType {
    /// JSON texts.
    #[default]
    Text,
    /// JSON numbers; every value of the side has to be one.
    Number,
    /// JSON booleans; every value of the side has to be `true` or `false`.
    Boolean,
}

impl CodeType {
    /// The type for a word of `legacy_type:` or `sonata_type:`.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "text" => Self::Text,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            _ => return None,
        })
    }

    fn accepts(self, code: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Number => crate::json::number::is_number(code),
            Self::Boolean => matches!(code, "true" | "false"),
        }
    }

    /// A code as what it is written as.
    #[must_use]
    pub fn write(self, code: &str) -> Value<'_> {
        match self {
            Self::Text => Value::Text(code.into()),
            Self::Number => Value::Number(code.into()),
            Self::Boolean => Value::Bool(code == "true"),
        }
    }
}

/// Values of the two sides that mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    /// Values of the Sonata side, the written one first; empty: no counterpart.
    pub sonata: Vec<String>,
    /// Values of the legacy side, the written one first; empty: no counterpart.
    pub legacy: Vec<String>,
}

impl Row {
    fn read(&self, direction: Direction) -> &[String] {
        match direction {
            Direction::ToLegacy => &self.sonata,
            Direction::ToSonata => &self.legacy,
        }
    }

    fn written(&self, direction: Direction) -> &[String] {
        self.read(direction.reverse())
    }
}

/// A code table, ready to be read in both directions.
#[derive(Debug, Clone)]
pub struct CodeTable {
    rows: Vec<Row>,
    sonata_type: CodeType,
    legacy_type: CodeType,
    by_sonata: Places,
    by_legacy: Places,
}

/// The rows by the values of one side, as their bytes. Equal tables are to show themselves alike, so the hash is a fixed one; what it is
/// filled with are the integrator's values.
type Places = HashMap<Box<[u8]>, usize, FixedState>;

/// A value that more than one row has on the same side: read that way, only the first row is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// The value.
    pub code: String,
    /// The row that is found, counted from 0.
    pub first: usize,
    /// The row that never is.
    pub again: usize,
}

/// Why a table has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// No row has the value.
    #[error("the value {0} is not known")]
    Unknown(String),
    /// The row has no counterpart on the other side.
    #[error("the value {0} has no counterpart")]
    NoCounterpart(String),
    /// The value is an object, an array or null.
    #[error("a single value is expected, not {0}")]
    WrongKind(&'static str),
}

impl CodeTable {
    /// A table of these rows.
    #[must_use]
    pub fn new(rows: Vec<Row>, sonata_type: CodeType, legacy_type: CodeType) -> Self {
        let index = |direction| -> Places {
            let mut places = Places::default();
            for (row, own) in rows.iter().enumerate() {
                for code in own.read(direction) {
                    // The first row of a value counts.
                    places.entry(code.as_bytes().into()).or_insert(row);
                }
            }
            places
        };
        let (by_sonata, by_legacy) = (index(Direction::ToLegacy), index(Direction::ToSonata));
        Self { rows, sonata_type, legacy_type, by_sonata, by_legacy }
    }

    /// The rows, in the order of the table.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What is written in this direction.
    #[must_use]
    pub fn writes(&self, direction: Direction) -> CodeType {
        match direction {
            Direction::ToLegacy => self.legacy_type,
            Direction::ToSonata => self.sonata_type,
        }
    }

    /// The counterpart of a text, number or boolean: the first value of the row's other side.
    ///
    /// # Errors
    /// [`CodeError`] when no row has the value or its row has no counterpart.
    pub fn translate(&self, direction: Direction, value: &Value<'_>) -> Result<Value<'_>, CodeError> {
        let row = self.row(direction, value)?;
        match row.written(direction).first() {
            Some(code) => Ok(self.writes(direction).write(code)),
            None => Err(CodeError::NoCounterpart(value.excerpt())),
        }
    }

    /// Every counterpart of a value: what a filter by it has to ask for.
    ///
    /// # Errors
    /// As [`CodeTable::translate`].
    pub fn translate_all(
        &self,
        direction: Direction,
        value: &Value<'_>,
    ) -> Result<Vec<Value<'_>>, CodeError> {
        let codes = self.row(direction, value)?.written(direction);
        if codes.is_empty() {
            return Err(CodeError::NoCounterpart(value.excerpt()));
        }
        Ok(codes.iter().map(|code| self.writes(direction).write(code)).collect())
    }

    /// The counterpart of a text that is given as the bytes of a document, where that is a text; none, too, where
    /// [`CodeTable::translate`] would tell what is wrong.
    #[must_use]
    pub fn text_of(&self, direction: Direction, text: &[u8]) -> Option<&str> {
        let code = self.found(direction, text)?.written(direction).first()?;
        (self.writes(direction) == CodeType::Text).then_some(code)
    }

    fn row(&self, direction: Direction, value: &Value<'_>) -> Result<&Row, CodeError> {
        let text = value.as_scalar_text().ok_or_else(|| CodeError::WrongKind(value.kind_name()))?;
        self.found(direction, text.as_bytes()).ok_or_else(|| CodeError::Unknown(value.excerpt()))
    }

    fn found(&self, direction: Direction, text: &[u8]) -> Option<&Row> {
        let places = match direction {
            Direction::ToLegacy => &self.by_sonata,
            Direction::ToSonata => &self.by_legacy,
        };
        self.rows.get(*places.get(text)?)
    }

    /// Values that are read in this direction and stand in more than one row. A pair of both directions
    /// must have none in either; a rule of one direction none in its own.
    #[must_use]
    pub fn duplicates(&self, direction: Direction) -> Vec<Duplicate> {
        let mut first: HashMap<&str, usize> = HashMap::new();
        let mut duplicates = Vec::new();
        for (again, row) in self.rows.iter().enumerate() {
            for code in row.read(direction) {
                match first.get(code.as_str()) {
                    Some(first) => duplicates.push(Duplicate { code: code.clone(), first: *first, again }),
                    None => {
                        first.insert(code, again);
                    }
                }
            }
        }
        duplicates
    }

    /// Values that do not have the declared type of their side: the row, counted from 0, and the value.
    #[must_use]
    pub fn mistyped(&self) -> Vec<(usize, String)> {
        let mut wrong = Vec::new();
        for (place, row) in self.rows.iter().enumerate() {
            let sonata = row.sonata.iter().filter(|code| !self.sonata_type.accepts(code));
            let legacy = row.legacy.iter().filter(|code| !self.legacy_type.accepts(code));
            wrong.extend(sonata.chain(legacy).map(|code| (place, quoted(code))));
        }
        wrong
    }

    /// Whether there and back is the same value for all that is read: one value on each side of every row
    /// and none twice. Otherwise it is the first value of its row.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.rows.iter().all(|row| row.sonata.len() == 1 && row.legacy.len() == 1)
            && self.duplicates(Direction::ToLegacy).is_empty()
            && self.duplicates(Direction::ToSonata).is_empty()
    }

    /// Values that this direction can write, in the order of the rows.
    pub fn written(&self, direction: Direction) -> impl Iterator<Item = &str> {
        self.rows.iter().filter_map(move |row| row.written(direction).first().map(String::as_str))
    }

    /// Values that this direction reads, in the order of the rows.
    pub fn read(&self, direction: Direction) -> impl Iterator<Item = &str> {
        self.rows.iter().flat_map(move |row| row.read(direction).iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(sonata: &[&str], legacy: &[&str]) -> Row {
        let owned = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect();
        Row { sonata: owned(sonata), legacy: owned(legacy) }
    }

    fn states() -> CodeTable {
        let rows = vec![row(&["done"], &["40", "41"]), row(&["expired"], &[]), row(&[], &["99"])];
        CodeTable::new(rows, CodeType::Text, CodeType::Number)
    }

    #[test]
    fn the_first_is_written_and_all_are_read() {
        let table = states();
        let number = Value::Number("41".into());
        assert_eq!(table.translate(Direction::ToSonata, &number).unwrap().as_text().as_deref(), Some("done"));
        let text = Value::text("41");
        assert_eq!(table.translate(Direction::ToSonata, &text).unwrap().as_text().as_deref(), Some("done"));
        let written = table.translate(Direction::ToLegacy, &Value::text("done")).unwrap();
        assert_eq!(written.as_number(), Some("40"));
        let all = table.translate_all(Direction::ToLegacy, &Value::text("done")).unwrap();
        assert_eq!(all.iter().filter_map(Value::as_number).collect::<Vec<_>>(), ["40", "41"]);
        assert!(table.mistyped().is_empty() && !table.is_exact());
    }

    #[test]
    fn what_has_no_counterpart_is_refused_by_name() {
        let table = states();
        let refused = |direction, value: Value<'_>| table.translate(direction, &value).unwrap_err();
        assert_eq!(
            refused(Direction::ToLegacy, Value::text("expired")),
            CodeError::NoCounterpart("'expired'".into())
        );
        assert_eq!(
            refused(Direction::ToSonata, Value::Number("99".into())),
            CodeError::NoCounterpart("99".into())
        );
        assert_eq!(refused(Direction::ToLegacy, Value::text("Done")), CodeError::Unknown("'Done'".into()));
        assert_eq!(refused(Direction::ToLegacy, Value::Null), CodeError::WrongKind("null"));
        assert!(table.translate_all(Direction::ToLegacy, &Value::text("expired")).is_err());
    }

    #[test]
    fn duplicates_are_told_by_direction() {
        let table = CodeTable::new(
            vec![row(&["a"], &["1"]), row(&["a"], &["2"]), row(&["b", "b"], &["x"])],
            CodeType::Text,
            CodeType::Number,
        );
        let told: Vec<_> =
            table.duplicates(Direction::ToLegacy).into_iter().map(|d| (d.code, d.first, d.again)).collect();
        assert_eq!(told, [("a".to_owned(), 0, 1), ("b".to_owned(), 2, 2)]);
        assert!(table.duplicates(Direction::ToSonata).is_empty());
        assert_eq!(table.mistyped(), [(2, "'x'".to_owned())]);
    }
}
