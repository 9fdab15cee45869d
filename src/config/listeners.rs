//! Where the gateway listens.

use super::{backend::base_url, code, later, read::Context};
use crate::{
    telemetry::Secret,
    text::{
        Diagnostic, Diagnostics, Span,
        yaml::{Fields, Node},
    },
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// One address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// IP address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Place in the file; `None` for a default.
    pub span: Option<Span>,
    /// The URL that `href`s begin with, without a slash at the end: `public_url`, or the address.
    pub url: String,
}

impl Listener {
    fn loopback(port: u16) -> Self {
        let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { address, span: None, url: format!("http://{address}") }
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.address.ip().is_loopback()
    }
}

/// All listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listeners {
    /// Partners call here; 127.0.0.1:8080 unless said.
    pub sonata: Listener,
    /// Health, metrics, plan and reload; 127.0.0.1:9090 unless said, and always on loopback as long as it asks for
    /// no credentials.
    pub admin: Listener,
    /// Our own legacy systems call here; 127.0.0.1:8082 unless said.
    pub internal: Listener,
    /// What they show there (RFC 6750); none: they call from this machine.
    pub internal_token: Option<Secret>,
}

impl Listeners {
    /// From the mapping under `listeners`; the defaults where there is none.
    pub(super) fn read(node: Option<&Node>, context: &Context<'_>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`listeners`", out);
        let sonata = listener(&mut fields, "sonata", out).unwrap_or_else(|| Listener::loopback(8080));
        let admin = listener(&mut fields, "admin", out).unwrap_or_else(|| Listener::loopback(9090));
        let (internal, internal_token) = internal(&mut fields, context, out);
        fields.finish(out);
        if let (false, Some(span)) = (admin.is_loopback(), admin.span) {
            let message = "the admin listener is open to other machines and asks for no credentials";
            out.push(Diagnostic::error(code::NOT_LOOPBACK, message).at(span).hint("use 127.0.0.1 or [::1]"));
        }
        let pairs = [(&sonata, &admin), (&sonata, &internal), (&internal, &admin)];
        for (one, other) in pairs.into_iter().filter(|(one, other)| one.address == other.address) {
            if one.address.port() == 0 {
                continue;
            }
            let message = format!("two listeners on {}", one.address);
            let fault = Diagnostic::error(code::SAME_ADDRESS, message).hint("give each its own port");
            out.push(match other.span.or(one.span) {
                Some(span) => fault.at(span),
                None => fault,
            });
        }
        Self { sonata, admin, internal, internal_token }
    }
}

/// The internal listener: without a token only this machine may call, so it must not be open to others.
fn internal(
    fields: &mut Fields<'_>,
    context: &Context<'_>,
    out: &mut Diagnostics,
) -> (Listener, Option<Secret>) {
    let default = Listener::loopback(8082);
    let Some(node) = fields.take("internal") else { return (default, None) };
    let Some(mut inner) = Fields::of(node, "`internal`", out) else { return (default, None) };
    let address = inner.require_scalar("address", out);
    let bearer = inner.take("bearer").filter(|node| !node.is_absent());
    let token = bearer.and_then(|node| context.lookup.resolve(node, "bearer", out));
    if let Some(entry) = inner.entry("tls") {
        out.push(later("TLS on a listener", entry.key_span));
    }
    inner.finish(out);
    let address =
        address.and_then(|scalar| Some((address_of(&scalar.text, scalar.span(), out)?, scalar.span())));
    let Some((address, span)) = address else { return (default, token) };
    let listener = Listener { address, span: Some(span), url: format!("http://{address}") };
    if !listener.is_loopback() && bearer.is_none() {
        let message = "the internal listener is open to other machines and asks for no credentials";
        let fault = Diagnostic::error(code::NOT_LOOPBACK, message).at(span);
        out.push(fault.hint("use 127.0.0.1 or [::1], or add `bearer: { env: NAME }`"));
    }
    (listener, token)
}

fn listener(fields: &mut Fields<'_>, key: &'static str, out: &mut Diagnostics) -> Option<Listener> {
    let node = fields.take(key)?;
    let mut inner = Fields::of(node, &format!("`{key}`"), out)?;
    let address = inner.require_scalar("address", out).map(|scalar| (scalar, scalar.span()));
    let public_url = inner.scalar("public_url", out).and_then(|scalar| base_url(scalar, out));
    let public_url = public_url.map(|url| url.to_string().trim_end_matches('/').to_owned());
    for (known, what) in
        [("tls", "TLS on a listener"), ("credentials", "asking for credentials on a listener")]
    {
        if let Some(entry) = inner.entry(known) {
            out.push(later(what, entry.key_span));
        }
    }
    inner.finish(out);
    let (scalar, span) = address?;
    let address = address_of(&scalar.text, span, out)?;
    let url = public_url.unwrap_or_else(|| format!("http://{address}"));
    Some(Listener { address, span: Some(span), url })
}

/// An IP address with port; names are refused, because what they stand for can change under us.
pub(super) fn address_of(text: &str, span: Span, out: &mut Diagnostics) -> Option<SocketAddr> {
    let address = text.parse().ok();
    if address.is_none() {
        let message = format!("`{text}` is no address");
        let hint = match text.strip_prefix("localhost:") {
            Some(port) => format!("write \"127.0.0.1:{port}\""),
            None => "write an IP address and a port, such as \"127.0.0.1:8080\"".to_owned(),
        };
        out.push(Diagnostic::error(code::BAD_ADDRESS, message).at(span).hint(hint));
    }
    address
}
