//! Access tokens of a backend by OAuth 2.0 client credentials (RFC 6749 section 4.4).
//!
//! A token is fetched when it is first needed and again before it ends. One caller fetches, the others go on with the
//! token that still holds, or wait where none does. Where a new one cannot be had the old one serves to its end, and
//! a token endpoint that is down is asked again only after a pause. Tokens are kept outside the plan: a reload
//! forgets none unless the credentials changed.

mod jwt;
mod tokens;

pub use jwt::{JwtKey, JwtKeyError};
pub(super) use tokens::Tokens;

use http::Uri;

use crate::telemetry::Secret;

/// How tokens are had. Comparable, so that a token is used only with the credentials that it was given for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// Where tokens are asked for: `https`, or `http` on this machine.
    pub token_url: Uri,
    /// Who we are there.
    pub client_id: String,
    /// How we show it.
    pub proof: ClientProof,
    /// What is asked for, as the endpoint wants it; none asks for its default.
    pub scope: Option<String>,
    /// Parameter `audience` that some endpoints want.
    pub audience: Option<String>,
}

/// How a client shows who it is at the token endpoint (RFC 6749 section 2.3, RFC 7523).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientProof {
    /// `client_secret_basic`.
    SecretBasic(Secret),
    /// `client_secret_post`.
    SecretPost(Secret),
    /// `private_key_jwt`.
    PrivateKeyJwt(JwtKey),
}
