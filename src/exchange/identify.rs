//! Who calls on the Sonata listener: the same for what partners ask and for what Sellers tell.

use std::sync::Arc;

use http::{header, request::Parts};

use super::error::ExchangeError;
use crate::{
    config::Side,
    plan::{PartnerPlan, Plan, Shown},
    server::PeerIdentity,
};

/// The partner to which we are this that a request comes from: by the token that it shows, or where loopback is enough by the
/// machine and the path.
///
/// # Errors
/// It is nobody's.
pub fn caller(plan: &Plan, side: Side, head: &Parts) -> Result<Arc<PartnerPlan>, ExchangeError> {
    let peer = head.extensions.get::<PeerIdentity>();
    let shown = Shown { is_local: peer.is_some_and(PeerIdentity::is_loopback), token: token(head) };
    plan.caller(side, head.uri.path(), shown).cloned().ok_or(ExchangeError::UnknownPartner)
}

/// The token that a request shows, if it shows one.
pub fn token(head: &Parts) -> Option<&str> {
    head.headers.get(header::AUTHORIZATION)?.to_str().ok().and_then(bearer)
}

/// The token of `Bearer TOKEN`; the scheme is written in letters of any size (RFC 9110).
fn bearer(text: &str) -> Option<&str> {
    let (scheme, token) = text.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim()).filter(|token| !token.is_empty())
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn tokens_stand_behind_their_scheme() {
        let rows = [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("Bearer  ", None),
            ("abc", None),
        ];
        for (text, expected) in rows {
            assert_eq!(bearer(text), expected, "{text}");
        }
    }
}
