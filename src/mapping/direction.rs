//! Which way a value travels between the two sides of a rule.

use std::fmt;

/// Which way a value travels.
///
/// In a bridge between two releases the first side stands in for Sonata and the second for the legacy system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the Sonata side to the legacy side.
    ToLegacy,
    /// From the legacy side to the Sonata side.
    ToSonata,
}

impl Direction {
    /// The way back.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::ToLegacy => Self::ToSonata,
            Self::ToSonata => Self::ToLegacy,
        }
    }

    /// The word of the mapping language: `to_legacy` or `to_sonata`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToLegacy => "to_legacy",
            Self::ToSonata => "to_sonata",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
