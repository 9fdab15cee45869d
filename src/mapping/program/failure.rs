//! What can be wrong with a message, in the standard's words.

/// What is wrong, in the words of the standard's problem bodies (422) where the sender is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// `missingProperty`: a required attribute is absent.
    MissingProperty,
    /// `invalidValue`: a value that the mapping cannot say on the other side.
    InvalidValue,
    /// `invalidFormat`: a value whose text is not of its form.
    InvalidFormat,
    /// `referenceNotFound`: an id that is not known.
    ReferenceNotFound,
    /// `unexpectedProperty`: an attribute that may not be there.
    UnexpectedProperty,
    /// `tooManyRecords`: more elements than can be said.
    TooManyRecords,
    /// `otherIssue`: anything else that the sender can mend.
    OtherIssue,
}

impl FailureCode {
    /// All codes.
    pub const ALL: [Self; 7] = [
        Self::MissingProperty,
        Self::InvalidValue,
        Self::InvalidFormat,
        Self::ReferenceNotFound,
        Self::UnexpectedProperty,
        Self::TooManyRecords,
        Self::OtherIssue,
    ];

    /// The standard's word.
    #[must_use]
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

    /// The code of this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}
