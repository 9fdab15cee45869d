//! `identify` of a partner: how it is known when it calls.

use super::{code, later, read::Context};
use crate::{
    telemetry::Secret,
    text::{
        Diagnostic, Diagnostics, Spanned,
        yaml::{Fields, Node},
    },
};

/// How a partner is known when it calls.
#[derive(Debug, Clone)]
pub enum Identify {
    /// By nothing but the machine: only on a Sonata listener that no other machine reaches.
    Loopback,
    /// By a token that it shows (RFC 6750): `Authorization: Bearer …`.
    Token(Secret),
}

impl Identify {
    pub(super) fn read(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<Spanned<Self>> {
        let mut fields = Fields::of(node, "`identify`", out)?;
        let loopback = fields.boolean("loopback", out);
        let token = fields.take("token").filter(|node| !node.is_absent());
        for (key, what) in [
            ("oauth2", "identification by OAuth 2.0"),
            ("certificate", "identification by client certificate"),
        ] {
            if let Some(entry) = fields.entry(key) {
                out.push(later(what, entry.key_span));
            }
        }
        fields.finish(out);
        let own = match (loopback, token) {
            (None, Some(token)) => Self::Token(context.lookup.resolve(token, "token", out)?),
            (Some(true), None) => Self::Loopback,
            _ => {
                let fault =
                    Diagnostic::error(code::ONE_OF, "a partner is identified in one way").at(node.span);
                let hint = "write `identify: { loopback: true }`, or `{ token: { env: NAME } }`";
                out.push(fault.hint(hint));
                Self::Loopback
            }
        };
        Some(Spanned::new(own, node.span))
    }
}
