//! The port to legacy systems: one request out, one whole answer in, inside a deadline.
//!
//! Here is only what HTTP needs: pools, permits, credentials, limits, and the honest word on whether a failed
//! call may have acted. What a status or a body means is the mapping's to say (`on:`), so every answer that
//! arrives whole is an answer, whatever its status. Redirects are never followed.
//!
//! Pools and permits are keyed by backend outside the plan, so a reload forgets nothing; the settings come
//! with each call from the plan that the exchange runs on.

mod client;
mod error;
mod gate;
mod guard;
mod health;
mod link;
mod message;
mod oauth;
mod pool;
mod settings;
mod tls;

pub use error::{LegacyError, LegacyErrorKind, Sent};
pub use guard::{Guard, Refused, Unresolved};
pub use health::BackendState;
pub use link::link_target;
pub use message::{LegacyReply, LegacyRequest};
pub use oauth::{ClientProof, JwtKey, JwtKeyError, OAuth2};
pub use pool::Backends;
pub use settings::{BackendSettings, BaseUrl, BaseUrlError, Credentials, HeaderCase, HttpVersion};
pub use tls::{ClientIdentity, Tls, TlsError};

#[cfg(test)]
mod tests;
