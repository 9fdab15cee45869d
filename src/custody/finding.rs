//! What a legacy answer did that the standard does not allow, and what was done instead.

use std::fmt;

/// The stable codes of custody's findings; metrics count by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FindingCode {
    /// The state reported cannot follow the state that the entity is in: the old one stays.
    IllegalState,
    /// The state reported is none of the standard's: the old one stays.
    UnknownState,
    /// An item that nobody asked for: it is left out.
    UnknownItem,
    /// No item in the answer for one that was asked for: the Buyer's own attributes stand alone.
    MissingItem,
    /// The Seller's contact is owed, and neither the mapping nor the partner's settings give one.
    NoSellerContact,
}

impl FindingCode {
    /// All codes.
    pub const ALL: [Self; 5] =
        [Self::IllegalState, Self::UnknownState, Self::UnknownItem, Self::MissingItem, Self::NoSellerContact];

    /// The code as metrics, logs and the operator see it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IllegalState => "K101",
            Self::UnknownState => "K102",
            Self::UnknownItem => "K103",
            Self::MissingItem => "K104",
            Self::NoSellerContact => "K105",
        }
    }

    /// What it means, in one sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::IllegalState => "The state reported cannot follow that of the entity, which stays.",
            Self::UnknownState => "The state reported is none of the standard's; the old one stays.",
            Self::UnknownItem => "An item that nobody asked for; it is left out of the answer.",
            Self::MissingItem => "No item for one that was asked for: the Buyer's words stand alone.",
            Self::NoSellerContact => {
                "Neither the mapping nor the partner's `settings: { desk: … }` gives the Seller's contact."
            }
        }
    }
}

/// One finding. The text is for the operator; it names states, items and roles, no other values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub code: FindingCode,
    /// Where and what.
    pub message: String,
}

impl Finding {
    pub(super) fn new(code: FindingCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}
