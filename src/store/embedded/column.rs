//! How columns hold what is long or repeated: short, because every index repeats it.
//!
//! Words that come again and again (partners, kinds, legacy systems, states) are numbers of the table `words`. An id
//! that is a UUID is its 16 bytes; any other id is the text that it is.

use std::{borrow::Cow, collections::HashMap};

use foldhash::fast::RandomState;
use rusqlite::{
    Connection, OptionalExtension as _, Row, ToSql, params,
    types::{FromSqlError, ToSqlOutput, Type, ValueRef},
};
use uuid::{Uuid, fmt::Hyphenated};

use super::StoreError;

/// Bytes of a UUID.
const UUID_BYTES: usize = 16;

/// Most words that are kept in memory; the table has more where there are more.
const WORDS_MAX: usize = 4096;

/// What a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell<'t> {
    /// The number of a word, or any other.
    Number(i64),
    /// An id that is a UUID in its canonical text.
    Uuid(Uuid),
    /// Any other id or text.
    Text(&'t str),
}

impl<'t> Cell<'t> {
    /// The column of an id.
    pub(super) fn id(text: &'t str) -> Self {
        match uuid(text) {
            Some(uuid) => Self::Uuid(uuid),
            None => Self::Text(text),
        }
    }
}

/// The UUID whose canonical text this is: only that one comes back as it was.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    let text: &[u8; Hyphenated::LENGTH] = text.as_bytes().try_into().ok()?;
    // Of this length only the text with hyphens is read.
    if text.iter().any(u8::is_ascii_uppercase) { None } else { Uuid::try_parse_ascii(text).ok() }
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>, rusqlite::Error> {
        let value = match self {
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Uuid(uuid) => ValueRef::Blob(uuid.as_bytes()),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}

/// The text of an id's column; `None` where nothing is in it.
pub(super) fn id_text<'r>(row: &'r Row<'_>, at: usize) -> Result<Option<Cow<'r, str>>, rusqlite::Error> {
    let broken =
        |error: FromSqlError| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, error.into());
    match row.get_ref(at)? {
        ValueRef::Blob(bytes) if bytes.len() == UUID_BYTES => {
            let uuid = Uuid::from_slice(bytes).map_err(|error| broken(FromSqlError::Other(error.into())))?;
            Ok(Some(Cow::Owned(uuid.hyphenated().to_string())))
        }
        value => Ok(value.as_str_or_null().map_err(broken)?.map(Cow::Borrowed)),
    }
}

/// The numbers of words. After a transaction that failed they are to be forgotten: it may have made some of them.
#[derive(Debug, Default)]
pub(super) struct Words(HashMap<Box<str>, i64, RandomState>);

impl Words {
    /// The number of a word, which the table has from then on.
    pub(super) fn number(&mut self, db: &Connection, word: &str) -> Result<i64, StoreError> {
        if let Some(number) = self.0.get(word) {
            return Ok(*number);
        }
        let sql = "SELECT number FROM words WHERE word = ?1";
        let known = db.prepare_cached(sql)?.query_row([word], |row| row.get(0)).optional()?;
        let number = if let Some(number) = known {
            number
        } else {
            db.prepare_cached("INSERT INTO words (word) VALUES (?1)")?.execute(params![word])?;
            db.last_insert_rowid()
        };
        if self.0.len() >= WORDS_MAX {
            self.0.clear();
        }
        self.0.insert(word.into(), number);
        Ok(number)
    }

    /// As [`Words::number`], of a word that may be missing.
    pub(super) fn number_or_null(
        &mut self,
        db: &Connection,
        word: Option<&str>,
    ) -> Result<Option<i64>, StoreError> {
        word.map(|word| self.number(db, word)).transpose()
    }

    /// Forgets all.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_text_of_a_uuid_is_short() {
        let canonical = "0193e5a2-89ab-7cde-8f01-23456789abcd";
        assert_eq!(uuid(canonical).unwrap().hyphenated().to_string(), canonical);
        assert_eq!(Cell::id(canonical), Cell::Uuid(Uuid::try_parse(canonical).unwrap()));
        let others = [
            "0193E5A2-89ab-7cde-8f01-23456789abcd",
            "0193e5a2-89ab-7cde-8f01-23456789abcg",
            "0193e5a289ab-7cde-8f01-23456789abcd-",
            "0193e5a2089ab07cde08f01023456789abcd",
            "0193e5a2-89ab-7cde-8f01-23456789abc",
            "0193e5a289ab7cde8f0123456789abcd",
            "-",
        ];
        for other in others {
            assert_eq!(Cell::id(other), Cell::Text(other));
        }
    }
}
