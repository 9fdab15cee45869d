//! Names that must not be mixed up: each is parsed once at the edge and carried as its own type.

use std::{borrow::Borrow, fmt, sync::Arc};

/// Longest accepted name or identifier, in bytes.
pub const ID_BYTES_MAX: usize = 256;

/// Why a text is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("an identifier must not be empty")]
    Empty,
    /// More than [`ID_BYTES_MAX`] bytes.
    #[error("an identifier has at most {ID_BYTES_MAX} bytes")]
    TooLong,
    /// A control character, which could break a log line or a header.
    #[error("an identifier must not contain control characters")]
    Control,
}

fn parse(text: &str) -> Result<Arc<str>, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong);
    }
    if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) && text.chars().any(char::is_control) {
        return Err(IdError::Control);
    }
    Ok(text.into())
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text of 1 to [`ID_BYTES_MAX`] bytes without control characters.
            ///
            /// # Errors
            /// [`IdError`] says which bound the text breaks.
            pub fn parse(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }

            /// The text as given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

identifier!(
    /// A trading relationship, as named by its file in `config/partners/`.
    PartnerId
);
identifier!(
    /// The Buyer that a requesting entity speaks for (query parameter `buyerId`).
    BuyerId
);
identifier!(
    /// The Seller that a responding entity speaks for (query parameter `sellerId`).
    SellerId
);
identifier!(
    /// A legacy system, as named by its file in `config/backends/`.
    BackendId
);
identifier!(
    /// One exchange: a `UUIDv7` in text form.
    ExchangeId
);
identifier!(
    /// An identifier that a Sonata message carries for an entity.
    SonataId
);
identifier!(
    /// An identifier that a legacy system gave to an entity.
    LegacyId
);

identifier!(
    /// A task of the store: a `UUIDv7` in text form.
    TaskId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold() {
        assert_eq!(PartnerId::parse(""), Err(IdError::Empty));
        assert_eq!(PartnerId::parse("a\nb"), Err(IdError::Control));
        assert!(PartnerId::parse(&"x".repeat(ID_BYTES_MAX)).is_ok());
        assert_eq!(PartnerId::parse(&"x".repeat(ID_BYTES_MAX + 1)), Err(IdError::TooLong));
    }
}
