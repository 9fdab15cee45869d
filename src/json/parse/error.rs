//! What can be wrong with a text that should be JSON: as data, and as a short reason fit for a partner.

use std::fmt;

/// Longest pointer that a reason quotes, in bytes, so that the whole stays under 255 characters.
const POINTER_SHOWN_BYTES_MAX: usize = 160;

/// What is wrong. The first group breaks RFC 8259, the second our stricter reading of it, the third a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ParseCode {
    /// The text ends before the value does; also an empty text.
    #[error("the text ends too early")]
    UnexpectedEnd,
    /// A byte that cannot stand there.
    #[error("unexpected character")]
    UnexpectedByte,
    /// Neither `true` nor `false` nor `null`.
    #[error("unknown word")]
    InvalidWord,
    /// Not a number by RFC 8259 clause 6.
    #[error("malformed number")]
    InvalidNumber,
    /// A backslash that begins no escape of RFC 8259 clause 7.
    #[error("malformed escape")]
    InvalidEscape,
    /// A control character that is not escaped.
    #[error("unescaped control character")]
    ControlCharacter,
    /// Something follows the value.
    #[error("text after the value")]
    TrailingData,
    /// Not UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,

    /// The text begins with a byte order mark.
    #[error("byte order mark")]
    ByteOrderMark,
    /// An escaped surrogate without its other half: no text.
    #[error("lone surrogate")]
    LoneSurrogate,
    /// An object has two members of one name.
    #[error("duplicate member")]
    DuplicateMember,

    /// More than [`super::Limits::bytes_max`].
    #[error("too many bytes")]
    TooManyBytes,
    /// More than [`super::Limits::depth_max`].
    #[error("nested too deep")]
    TooDeep,
    /// More than [`super::Limits::members_max`].
    #[error("too many members")]
    TooManyMembers,
    /// More than [`super::Limits::elements_max`].
    #[error("too many elements")]
    TooManyElements,
    /// More than [`super::Limits::string_bytes_max`].
    #[error("string or number too long")]
    StringTooLong,
    /// More than [`super::Limits::nodes_max`].
    #[error("too many values")]
    TooManyNodes,
}

/// Why a text was refused, and where.
///
/// The `Display` text is meant for whoever sent it: at most 255 characters, without control characters, and
/// of the content only member names on the way to the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong.
    pub code: ParseCode,
    /// Byte at which it was noticed, counted from 0.
    pub offset: usize,
    /// JSON Pointer of the value that was being read there.
    pub pointer: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.code, self.offset)?;
        if self.pointer.is_empty() {
            return Ok(());
        }
        f.write_str(", in ")?;
        let mut shown = 0;
        for character in self.pointer.chars() {
            shown += character.len_utf8();
            if shown > POINTER_SHOWN_BYTES_MAX {
                return f.write_str("...");
            }
            let safe = if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
            write!(f, "{safe}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseError {}
