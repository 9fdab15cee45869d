//! `backends/NAME.yaml`: one legacy system.

use super::{
    Credentials, Headers, Tls, code,
    number::Number,
    read::{Context, name_of},
    wire,
};
use crate::{
    format::Format,
    ids::BackendId,
    text::{
        Diagnostic, Diagnostics, Spanned,
        yaml::{Fields, Node, Scalar},
    },
};
use http::Uri;
use std::time::Duration;

const CONNECT_MS: Number = Number::new("connect_ms", 500, (10, 60_000), "time to connect");
const ANSWER_MS: Number = Number::new(
    "answer_ms",
    8000,
    (10, 600_000),
    "time from the request to the whole answer, within the exchange's deadline",
);
const IDLE_MS: Number =
    Number::new("idle_ms", 30_000, (0, 600_000), "time that an unused connection is kept");

pub(super) const TIMEOUT_NUMBERS: &[Number] = &[CONNECT_MS, ANSWER_MS, IDLE_MS];

const IN_FLIGHT_MAX: Number = Number::new("in_flight_max", 64, (1, 10_000), "calls at one time");
const QUEUE_MAX: Number =
    Number::new("queue_max", 128, (0, 100_000), "calls that wait; one more fails at once");
const ANSWER_BYTES_MAX: Number =
    Number::new("answer_bytes_max", 4_194_304, (1024, 268_435_456), "largest answer, after decompression");

pub(super) const LIMIT_NUMBERS: &[Number] = &[IN_FLIGHT_MAX, QUEUE_MAX, ANSWER_BYTES_MAX];

/// One legacy system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// Its name, which is the file's.
    pub id: BackendId,
    /// `http` or `https`, a host, and perhaps a path that every call's path is put behind (without a `/` at its
    /// end). No user, query or fragment.
    pub base_url: Uri,
    /// Form of its messages.
    pub format: Format,
    /// Its interface file, a path below the configuration folder.
    pub openapi: Option<Spanned<String>>,
    /// How we show who we are.
    pub credentials: Credentials,
    /// How long we wait.
    pub timeouts: Timeouts,
    /// How much we ask and take.
    pub limits: BackendLimits,
    /// Which headers go on.
    pub headers: Headers,
    /// Its own trust, or our certificate.
    pub tls: Option<Tls>,
    /// Version of HTTP.
    pub http: HttpVersion,
    /// Whether it is no legacy system but a partner that sells to us, whom a route names.
    pub is_seller: bool,
}

/// Version of HTTP towards a legacy system.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpVersion {
    /// `1.1`
    #[default]
    Http1,
    /// `2`: offered with 1.1 over https, taken as agreed over http.
    Http2,
}

/// How long the gateway waits for a backend; the deadline of the exchange ends every wait earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// Time to connect.
    pub connect: Duration,
    /// Time from sending the request to the end of the answer.
    pub answer: Duration,
    /// Time that an unused connection is kept.
    pub idle: Duration,
}

/// How much a backend is asked at one time, and how much is taken from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendLimits {
    /// Calls at one time.
    pub in_flight_max: usize,
    /// Calls that wait for one of those; one more fails at once.
    pub queue_max: usize,
    /// Largest answer in bytes, after decompression.
    pub answer_bytes_max: usize,
}

impl Backend {
    pub(super) fn read(
        node: &Node,
        stem: &str,
        context: &Context<'_>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let mut fields = Fields::of(node, "a backend file", out)?;
        let id = name_of(&mut fields, "backend", stem, out).and_then(|name| BackendId::parse(name).ok());
        let format = wire::format(fields.take("format"), out);
        let openapi = fields
            .scalar("openapi", out)
            .map(|scalar| Spanned::new(scalar.text.trim_start_matches("./").to_owned(), scalar.span()));
        let headers = Headers::read(fields.take("headers"), out);
        // Everything wrong is told at once, also of one whose name is wrong.
        let unnamed = BackendId::parse("-").ok()?;
        let reached = Self::reached(&mut fields, unnamed, context, out);
        fields.finish(out);
        Some(Self { id: id?, format, openapi, headers, ..reached? })
    }

    /// What says how a system is reached and spoken to, in a file of whatever it is: `base_url`, `credentials`, `timeouts`,
    /// `limits`, `tls`, `http`. It speaks JSON.
    pub(super) fn reached(
        fields: &mut Fields<'_>,
        id: BackendId,
        context: &Context<'_>,
        out: &mut Diagnostics,
    ) -> Option<Self> {
        let url = fields.require_scalar("base_url", out);
        let base_url = url.and_then(|scalar| base_url(scalar, out));
        let credentials_node = fields.take("credentials");
        let credentials = Credentials::read(credentials_node, context, out);
        let timeouts = Timeouts::read(fields.take("timeouts"), out);
        let limits = BackendLimits::read(fields.take("limits"), out);
        let tls_key = fields.entry("tls").map(|entry| entry.key_span);
        let tls = fields.take("tls").and_then(|node| Tls::read(node, context, out));
        let versions = [("1.1", HttpVersion::Http1), ("2", HttpVersion::Http2)];
        let http = fields.choice("http", &versions, out).unwrap_or_default();
        if let (Some(base_url), Some(_), Some(scalar)) = (&base_url, credentials_node, url)
            && base_url.scheme_str() == Some("http")
            && !is_this_machine(base_url)
        {
            let message = "the credentials go to another machine unencrypted";
            out.push(Diagnostic::warning(code::UNENCRYPTED, message).at(scalar.span()).hint("use https"));
        }
        if let (Some(span), Some(base_url)) = (tls_key, &base_url)
            && !is_encrypted(base_url)
            // Of credentials that cannot be read it is not known where they come from.
            && (credentials_node.is_none() || credentials != Credentials::None)
            && !credentials.token_url().is_some_and(is_encrypted)
        {
            let message = "`tls` has no effect: it is reached over plain http";
            let hint = "write `base_url` as https://, or remove `tls`";
            out.push(Diagnostic::error(code::TLS_UNUSED, message).at(span).hint(hint));
        }
        let (format, openapi, headers) = (Format::default(), None, Headers::default());
        Some(Self {
            id,
            base_url: base_url?,
            format,
            openapi,
            credentials,
            timeouts,
            limits,
            headers,
            tls,
            http,
            is_seller: false,
        })
    }
}

impl Timeouts {
    fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`timeouts`", out);
        let timeouts = Self {
            connect: CONNECT_MS.millis(&mut fields, out),
            answer: ANSWER_MS.millis(&mut fields, out),
            idle: IDLE_MS.millis(&mut fields, out),
        };
        fields.finish(out);
        timeouts
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::read(None, &mut Diagnostics::new())
    }
}

impl BackendLimits {
    fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`limits`", out);
        let limits = Self {
            in_flight_max: IN_FLIGHT_MAX.size(&mut fields, out),
            queue_max: QUEUE_MAX.size(&mut fields, out),
            answer_bytes_max: ANSWER_BYTES_MAX.size(&mut fields, out),
        };
        fields.finish(out);
        limits
    }
}

impl Default for BackendLimits {
    fn default() -> Self {
        Self::read(None, &mut Diagnostics::new())
    }
}

pub(super) fn base_url(scalar: &Scalar, out: &mut Diagnostics) -> Option<Uri> {
    let trimmed = scalar.text.trim_end_matches('/');
    let uri = trimmed.parse::<Uri>().ok().filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
            && !trimmed.contains(['#', '@', '?'])
            && uri
                .authority()
                .is_none_or(|authority| authority.port().is_none() || authority.port_u16().is_some())
    });
    if uri.is_none() {
        let hint = "write it as \"https://host:port/path\", without user, query and fragment";
        out.push(Diagnostic::error(code::BAD_URL, "this is no base URL").at(scalar.span()).hint(hint));
    }
    uri
}

fn is_encrypted(uri: &Uri) -> bool {
    uri.scheme_str() == Some("https")
}

pub(super) fn is_this_machine(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
