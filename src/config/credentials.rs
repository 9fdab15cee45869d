//! How the gateway shows a legacy system who it is.

use super::{
    code, headers,
    oauth::{self, OAuth2},
    read::Context,
};
use crate::{
    telemetry::Secret,
    text::{
        Diagnostic, Diagnostics, SourceId, Span,
        yaml::{Fields, Node, Value},
    },
};
use http::HeaderName;

/// Credentials of one backend; the secrets were looked up when the configuration was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// The system asks for none.
    None,
    /// RFC 7617.
    Basic {
        /// User name; no colon.
        user: String,
        /// Its password.
        password: Secret,
    },
    /// A token by client credentials (RFC 6749 section 4.4).
    OAuth2(Box<OAuth2>),
    /// RFC 6750, in the `Authorization` header.
    Bearer(Secret),
    /// A header of the system's own.
    ApiKey {
        /// The header.
        header: HeaderName,
        /// Its value.
        key: Secret,
    },
}

impl Credentials {
    pub(super) fn read(node: Option<&Node>, context: &Context<'_>, out: &mut Diagnostics) -> Self {
        let Some(mut fields) =
            node.filter(|node| !node.is_absent()).and_then(|node| Fields::of(node, "`credentials`", out))
        else {
            return Self::None;
        };
        let (basic, bearer, api_key) = (fields.take("basic"), fields.take("bearer"), fields.take("api_key"));
        let oauth2 = fields.take("oauth2");
        let given = [basic.is_some(), bearer.is_some(), api_key.is_some(), oauth2.is_some()];
        if given.into_iter().filter(|given| *given).count() != 1
            && let Some(span) = fields.span()
        {
            let message = "a backend has one kind of credentials";
            let hint = "write one of `basic`, `bearer`, `api_key`, `oauth2`, or leave `credentials` out";
            out.push(Diagnostic::error(code::ONE_OF, message).at(span).hint(hint));
        }
        fields.finish(out);
        let read = if let Some(node) = basic {
            basic_of(node, context, out)
        } else if let Some(node) = bearer {
            context.lookup.resolve(node, "bearer", out).map(Self::Bearer)
        } else if let Some(node) = oauth2 {
            oauth::read(node, context, out).map(|oauth2| Self::OAuth2(Box::new(oauth2)))
        } else {
            api_key.and_then(|node| api_key_of(node, context, out))
        };
        read.unwrap_or(Self::None)
    }

    /// Where the gateway gets a token for this backend, if it needs one.
    pub(super) fn token_url(&self) -> Option<&http::Uri> {
        match self {
            Self::OAuth2(oauth2) => Some(&oauth2.token_url),
            Self::None | Self::Basic { .. } | Self::Bearer(_) | Self::ApiKey { .. } => None,
        }
    }
}

fn basic_of(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<Credentials> {
    let mut fields = Fields::of(node, "`basic`", out)?;
    let user = fields.require_scalar("user", out);
    let password =
        fields.require("password", out).and_then(|node| context.lookup.resolve(node, "password", out));
    fields.finish(out);
    let user = user?;
    if user.text.contains(':') || user.text.chars().any(char::is_control) {
        let message = "a user name has no colon and no control characters";
        out.push(Diagnostic::error(code::SECRET_UNUSABLE, message).at(user.span()));
    }
    Some(Credentials::Basic { user: user.text.clone(), password: password? })
}

fn api_key_of(node: &Node, context: &Context<'_>, out: &mut Diagnostics) -> Option<Credentials> {
    let mut fields = Fields::of(node, "`api_key`", out)?;
    let header = fields.require_scalar("header", out).and_then(|scalar| headers::name(scalar, out));
    let key = fields.require("key", out).and_then(|node| context.lookup.resolve(node, "key", out));
    fields.finish(out);
    Some(Credentials::ApiKey { header: header?, key: key? })
}

/// Keys below `credentials` whose texts are no secrets.
const OPEN_KEYS: &[&str] = &[
    "user",
    "header",
    "env",
    "file",
    "token_url",
    "client_id",
    "scope",
    "audience",
    "auth_method",
    "key_id",
];

/// Places where a secret may have been written, so that no diagnostic shows them.
pub(super) fn literals(root: &Node) -> Vec<Span> {
    let mut spans = Vec::new();
    let of_listeners = root.get("notifications").and_then(|node| node.get("credentials"));
    for node in root.get("credentials").into_iter().chain(of_listeners) {
        collect(node, &mut spans);
    }
    let url = root.get("store").and_then(|store| store.get("postgres")).and_then(|store| store.get("url"));
    if let Some(url) = url {
        collect(url, &mut spans);
    }
    // A URL may hold a user and a password.
    spans.extend(
        root.get("base_url")
            .filter(|node| node.as_text().is_some_and(|url| url.contains('@')))
            .map(|n| n.span),
    );
    spans
}

fn collect(node: &Node, spans: &mut Vec<Span>) {
    match &node.value {
        Value::Scalar(scalar) if scalar.is_absent() => {}
        Value::Scalar(_) => spans.push(node.span),
        Value::Sequence(elements) => elements.iter().for_each(|element| collect(element, spans)),
        Value::Mapping(entries) => {
            for entry in entries.iter().filter(|entry| !OPEN_KEYS.contains(&entry.key.as_str())) {
                collect(&entry.value, spans);
            }
        }
    }
}

/// Ends of lines that look like a secret, in a file that may not even be YAML.
pub(super) fn suspicious(text: &str, source: SourceId) -> Vec<Span> {
    const WORDS: &[&str] = &["password", "bearer", "secret", "token", "key"];
    let mut spans = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.to_ascii_lowercase();
        let values = WORDS.iter().flat_map(|word| lower.match_indices(word).map(|(at, _)| at + word.len()));
        for at in values {
            let value =
                lower[at..].trim_start_matches(['"', '\'', ' ']).strip_prefix(':').unwrap_or("").trim();
            if !value.is_empty() && !value.starts_with(['{', '#', '|', '>']) {
                let from = start + line.trim_end().len() - value.len();
                spans.push(Span { source, start: offset(from), end: offset(start + line.len()) });
            }
        }
        start += line.len();
    }
    spans
}

fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
