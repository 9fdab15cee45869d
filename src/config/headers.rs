//! Which headers of a request go on to a legacy system, and how their names are written.

use super::code;
use crate::text::{
    Diagnostic, Diagnostics,
    yaml::{Fields, Node, Scalar, text_of},
};
use http::HeaderName;

/// Headers that belong to one connection, to one message or to the partner alone.
const NEVER_FORWARDED: &[&str] = &[
    "accept-encoding",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers towards one legacy system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers {
    /// Headers of the partner's request that go on; all others stay. Never credentials, never those of the
    /// connection.
    pub forward: Vec<HeaderName>,
    /// How names are written.
    pub case: HeaderCase,
}

/// How header names are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HeaderCase {
    /// `x-request-id`
    #[default]
    Lower,
    /// `X-Request-Id`, for systems that compare letter by letter.
    Title,
}

impl Headers {
    pub(super) fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let Some(mut fields) =
            node.filter(|node| !node.is_absent()).and_then(|node| Fields::of(node, "`headers`", out))
        else {
            return Self::default();
        };
        let forward = forwarded(
            ("forward", "forwarded"),
            fields.sequence("forward", false, out).unwrap_or_default(),
            out,
        );
        let cases = [("lower", HeaderCase::Lower), ("title", HeaderCase::Title)];
        let case = fields.choice("case", &cases, out).unwrap_or_default();
        fields.finish(out);
        Self { forward, case }
    }
}

/// A header name.
pub(super) fn name(scalar: &Scalar, out: &mut Diagnostics) -> Option<HeaderName> {
    let name = HeaderName::from_bytes(scalar.text.as_bytes()).ok();
    if name.is_none() {
        let message = format!("`{}` is no header name", scalar.text);
        out.push(
            Diagnostic::error(code::BAD_HEADER, message).at(scalar.span()).hint("letters, digits and dashes"),
        );
    }
    name
}

/// Names of headers that may leave an exchange, each once.
pub(super) fn forwarded(
    (what, done): (&str, &str),
    nodes: &[Node],
    out: &mut Diagnostics,
) -> Vec<HeaderName> {
    let mut forward: Vec<HeaderName> = Vec::new();
    for node in nodes {
        let Some(name) = text_of(node, what, out).and_then(|scalar| name(scalar, out)) else {
            continue;
        };
        if NEVER_FORWARDED.contains(&name.as_str()) {
            let message = format!("`{name}` is never {done}");
            let hint = "remove it; it belongs to the partner or to one connection";
            out.push(Diagnostic::error(code::BAD_HEADER, message).at(node.span).hint(hint));
        } else if forward.contains(&name) {
            out.push(Diagnostic::error(code::TWICE, format!("`{name}` stands twice")).at(node.span));
        } else {
            forward.push(name);
        }
    }
    forward
}
