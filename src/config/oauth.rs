//! `credentials: { oauth2: … }` of a backend.

use super::{
    backend::{base_url, is_this_machine},
    code,
    read::Context,
};
use crate::{
    telemetry::Secret,
    text::{
        Diagnostic, Diagnostics, Span,
        yaml::{Fields, Node},
    },
};
use http::Uri;

/// OAuth 2.0 client credentials (RFC 6749 section 4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuth2 {
    /// The token endpoint: `https`, or `http` on this machine.
    pub token_url: Uri,
    /// Who we are there.
    pub client_id: String,
    /// How we show it.
    pub proof: ClientProof,
    /// What is asked for; none asks for the endpoint's default.
    pub scope: Option<String>,
    /// Parameter `audience` of the request.
    pub audience: Option<String>,
}

/// How the client shows who it is; named as in the registry of token endpoint authentication methods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientProof {
    /// `client_secret_basic`.
    SecretBasic(Secret),
    /// `client_secret_post`.
    SecretPost(Secret),
    /// `private_key_jwt` (RFC 7523).
    PrivateKeyJwt {
        /// PEM.
        key: Secret,
        /// What the endpoint knows its public half by.
        key_id: Option<String>,
        /// Where the key is referred to.
        span: Span,
    },
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Basic,
    Post,
    Jwt,
}

const METHODS: [(&str, Method); 3] = [
    ("client_secret_basic", Method::Basic),
    ("client_secret_post", Method::Post),
    ("private_key_jwt", Method::Jwt),
];

pub(super) fn read(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<OAuth2> {
    let mut fields = Fields::of(node, "`oauth2`", out)?;
    let url = fields.require_scalar("token_url", out);
    let token_url = url.and_then(|scalar| base_url(scalar, out));
    let client_id = fields.require_text("client_id", out).map(str::to_owned);
    let (scope, audience) = (own(fields.text("scope", out)), own(fields.text("audience", out)));
    let (secret, key) = (fields.take("client_secret"), fields.take("private_key"));
    let key_id = fields.entry("key_id").zip(fields.text("key_id", out));
    let method = fields.choice("auth_method", &METHODS, out);
    let span = fields.span();
    fields.finish(out);
    if let (Some(token_url), Some(scalar)) = (&token_url, url)
        && token_url.scheme_str() == Some("http")
        && !is_this_machine(token_url)
    {
        let message = "the secret goes to another machine unencrypted";
        out.push(Diagnostic::error(code::UNENCRYPTED, message).at(scalar.span()).hint("use https"));
    }
    if let (Some((entry, _)), None) = (key_id, key) {
        let message = "`key_id` names a `private_key`, which is not there";
        out.push(Diagnostic::error(code::ONE_OF, message).at(entry.key_span).hint("remove `key_id`"));
    }
    let proof = match (secret, key, method) {
        (Some(node), None, None | Some(Method::Basic)) => {
            context.lookup.resolve(node, "client_secret", out).map(ClientProof::SecretBasic)
        }
        (Some(node), None, Some(Method::Post)) => {
            context.lookup.resolve(node, "client_secret", out).map(ClientProof::SecretPost)
        }
        (None, Some(node), None | Some(Method::Jwt)) => {
            let key = context.lookup.resolve_key(node, "private_key", out);
            let key_id = key_id.map(|(_, id)| id.to_owned());
            key.map(|key| ClientProof::PrivateKeyJwt { key, key_id, span: node.span })
        }
        _ => {
            let message = "the client shows who it is in one way";
            let hint = "write `client_secret` with `auth_method: client_secret_basic` (the default) or \
                        `client_secret_post`, or `private_key` for `private_key_jwt`";
            let fault = Diagnostic::error(code::ONE_OF, message).hint(hint);
            out.push(match span {
                Some(span) => fault.at(span),
                None => fault,
            });
            None
        }
    };
    Some(OAuth2 { token_url: token_url?, client_id: client_id?, proof: proof?, scope, audience })
}

fn own(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
