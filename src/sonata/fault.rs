//! Faults: what is wrong with a message, in the standard's own terms.

use std::fmt;

/// Longest reason, in characters: `Error.reason` of all releases.
pub const REASON_CHARS_MAX: usize = 255;

/// Codes of `Error422Code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultCode {
    /// A property that must be there is not.
    MissingProperty,
    /// A value of the wrong kind, outside its bounds or enumeration.
    InvalidValue,
    /// A text not of its format or pattern.
    InvalidFormat,
    /// What it refers to is not known.
    ReferenceNotFound,
    /// A property that is not known.
    UnexpectedProperty,
    /// An answer would hold too many records.
    TooManyRecords,
    /// Something else, such as a change that the state does not allow.
    OtherIssue,
}

impl FaultCode {
    /// All codes, in the standard's order.
    pub const ALL: [FaultCode; 7] = [
        Self::MissingProperty,
        Self::InvalidValue,
        Self::InvalidFormat,
        Self::ReferenceNotFound,
        Self::UnexpectedProperty,
        Self::TooManyRecords,
        Self::OtherIssue,
    ];

    /// The code on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingProperty => "missingProperty",
            Self::InvalidValue => "invalidValue",
            Self::InvalidFormat => "invalidFormat",
            Self::ReferenceNotFound => "referenceNotFound",
            Self::UnexpectedProperty => "unexpectedProperty",
            Self::TooManyRecords => "tooManyRecords",
            Self::OtherIssue => "otherIssue",
        }
    }

    /// The code of this name, as mappings write it.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }
}

impl fmt::Display for FaultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What kind of thing.
    pub code: FaultCode,
    /// Where, as JSON Pointer (RFC 6901) into the sender's payload; of a missing property, where it should be.
    /// Empty for the whole payload.
    pub pointer: String,
    /// Why, in at most [`REASON_CHARS_MAX`] characters that may be shown to the partner.
    pub reason: String,
}

impl Fault {
    /// A fault; the reason is cut where it is too long.
    pub fn new(code: FaultCode, pointer: impl Into<String>, reason: impl AsRef<str>) -> Self {
        Self { code, pointer: pointer.into(), reason: bounded(reason.as_ref(), REASON_CHARS_MAX) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {:?}: {}", self.code, self.pointer, self.reason)
    }
}

/// A text of at most so many characters, the last of which then is `…`; control characters become blanks.
pub(super) fn bounded(text: &str, chars_max: usize) -> String {
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    let mut cut: String = text.chars().take(chars_max).map(clean).collect();
    if text.chars().nth(chars_max).is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}
