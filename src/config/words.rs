//! Names of the standard that a configuration mentions.

use super::code;
use crate::text::{Diagnostic, Diagnostics, Span, suggest};
use std::fmt;

/// Releases of the standard, oldest first.
const RELEASES: &[&str] =
    &["aretha", "billie", "celine", "dolly", "ella", "fergie", "grace", "haley", "irene", "janis", "kylie"];

/// Functions of the standard, as files and commands name them.
const FUNCTIONS: &[&str] = &[
    "address",
    "site",
    "poq",
    "quote",
    "order",
    "inventory",
    "troubleTicket",
    "appointment",
    "workOrder",
    "billing",
    "catalog",
    "availabilityPricing",
];

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $table:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(&'static str);

        impl $name {
            /// The name, if it is one.
            pub fn parse(text: &str) -> Option<Self> {
                $table.iter().find(|known| **known == text).map(|known| Self(known))
            }

            /// The name.
            pub fn as_str(self) -> &'static str {
                self.0
            }

            pub(super) fn read(text: &str, span: Span, out: &mut Diagnostics) -> Option<Self> {
                let name = Self::parse(text);
                if name.is_none() {
                    let hint = match suggest(text, $table.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("known: {}", $table.join(", ")),
                    };
                    let message = format!("`{text}` is no {}", $what);
                    out.push(Diagnostic::error(code::UNKNOWN_NAME, message).at(span).hint(hint));
                }
                name
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
    };
}

name!(
    /// A release of the standard, such as `grace`. Whether its facts are at hand is for the `plan` to say.
    ReleaseName,
    RELEASES,
    "release of the standard"
);
name!(
    /// A function of the standard, such as `quote`.
    FunctionName,
    FUNCTIONS,
    "function of the standard"
);
