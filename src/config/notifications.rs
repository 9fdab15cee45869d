//! `notifications:` of a partner: whether and how it is told of what changes.

use super::{Credentials, Tls, backend, code, number::Number, read::Context, words};
use crate::{
    sonata::{Function, events::functions_with_events},
    text::{
        Diagnostic, Diagnostics,
        yaml::{Fields, Node, Scalar, text_of},
    },
};
use http::Uri;
use std::{collections::BTreeMap, net::IpAddr, time::Duration};

const RETRY_HOURS: Number = Number::new(
    "retry_hours",
    24,
    (24, 720),
    "how long an event is tried until it is a dead letter; it waits from 1 second to 15 minutes in between",
);
const ANSWER_MS: Number = Number::new(
    "answer_ms",
    10_000,
    (100, 60_000),
    "time that a listener has from the request to the end of its answer",
);
const IN_FLIGHT_MAX: Number =
    Number::new("in_flight_max", 8, (1, 64), "events on their way to one listener at one time");

pub(super) const NUMBERS: &[Number] = &[RETRY_HOURS, ANSWER_MS, IN_FLIGHT_MAX];

/// How a partner is told of what changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notifications {
    /// The functions that it is told of; none written: all that have events.
    pub functions: Vec<Function>,
    /// Where its events go in the place of the callbacks that it registers.
    pub base_url: Option<Uri>,
    /// What stands between the callback and `/listener` in the place of what its release says.
    pub base_paths: BTreeMap<Function, String>,
    /// How long an event is tried.
    pub retry: Duration,
    /// Time of one try.
    pub answer: Duration,
    /// Tries to one listener at one time.
    pub in_flight_max: usize,
    /// Listeners that are not at a public address, or not encrypted.
    pub allow: Vec<Allowed>,
    /// How we show listeners who we are.
    pub credentials: Credentials,
    /// Own trust, or our certificate, towards listeners.
    pub tls: Option<Tls>,
}

/// A listener that is allowed beside those at public addresses over https.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Any address of this network.
    Network(IpAddr, u8),
    /// Whatever address this name has.
    Name(String),
    /// This host and port, unencrypted and whatever address it has.
    Plain(String, u16),
}

impl Notifications {
    /// `off` (the default), `on`, or `on` with settings.
    pub(super) fn read(node: Option<&Node>, context: &Context<'_>, out: &mut Diagnostics) -> Option<Self> {
        let node = node.filter(|node| !node.is_absent())?;
        match node.as_text() {
            Some("off") => return None,
            Some("on") => return Some(Self::default()),
            _ => {}
        }
        let mut fields = Fields::of(node, "`notifications`", out)?;
        let functions = functions(&mut fields, out);
        let base_url = fields.scalar("base_url", out).filter(|scalar| scalar.text != "none");
        let base_url = base_url.and_then(|scalar| backend::base_url(scalar, out));
        let base_paths = base_paths(&mut fields, out);
        let retry = RETRY_HOURS.hours(&mut fields, out);
        let answer = ANSWER_MS.millis(&mut fields, out);
        let in_flight_max = IN_FLIGHT_MAX.size(&mut fields, out);
        let allow = fields.sequence("allow", true, out).unwrap_or_default();
        let allow =
            allow.iter().filter_map(|node| Allowed::read(text_of(node, "allow", out)?, out)).collect();
        let credentials = Credentials::read(fields.take("credentials"), context, out);
        let tls = fields.take("tls").and_then(|node| Tls::read(node, context, out));
        fields.finish(out);
        Some(Self { functions, base_url, base_paths, retry, answer, in_flight_max, allow, credentials, tls })
    }
}

impl Default for Notifications {
    fn default() -> Self {
        let (mut fields, mut out) = (Fields::default(), Diagnostics::new());
        Self {
            functions: Vec::new(),
            base_url: None,
            base_paths: BTreeMap::new(),
            retry: RETRY_HOURS.hours(&mut fields, &mut out),
            answer: ANSWER_MS.millis(&mut fields, &mut out),
            in_flight_max: IN_FLIGHT_MAX.size(&mut fields, &mut out),
            allow: Vec::new(),
            credentials: Credentials::None,
            tls: None,
        }
    }
}

fn functions(fields: &mut Fields<'_>, out: &mut Diagnostics) -> Vec<Function> {
    let nodes = fields.sequence("functions", true, out).unwrap_or_default();
    let mut all = Vec::new();
    for node in nodes {
        let Some(scalar) = text_of(node, "functions", out) else { continue };
        let Some(function) = told(&scalar.text, node.span, out) else { continue };
        if all.contains(&function) {
            out.push(Diagnostic::error(code::TWICE, format!("`{}` stands twice", scalar.text)).at(node.span));
        } else {
            all.push(function);
        }
    }
    all
}

/// A function that has events.
fn told(text: &str, span: crate::text::Span, out: &mut Diagnostics) -> Option<Function> {
    let function = words::function(text, span, out)?;
    if !functions_with_events().any(|known| known == function) {
        let known: Vec<&str> = functions_with_events().map(Function::name).collect();
        let fault = Diagnostic::error(code::UNKNOWN_NAME, format!("`{text}` has no events")).at(span);
        out.push(fault.hint(format!("functions with events: {}", known.join(", "))));
        return None;
    }
    Some(function)
}

fn base_paths(fields: &mut Fields<'_>, out: &mut Diagnostics) -> BTreeMap<Function, String> {
    let mut paths = BTreeMap::new();
    for entry in fields.mapping("base_paths", out).unwrap_or_default() {
        let function = told(&entry.key, entry.key_span, out);
        let Some(scalar) = text_of(&entry.value, &entry.key, out) else { continue };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte);
        let path = scalar.text.trim_end_matches('/');
        let segments = || path.split('/').skip(1);
        let good = path.starts_with('/')
            && path.bytes().all(plain)
            && segments().all(|segment| !matches!(segment, "" | "." | ".."));
        if !good {
            let fault = Diagnostic::error(code::BAD_BASE_PATH, "this is no base path").at(scalar.span());
            out.push(
                fault
                    .hint("write it as `/mefApi/sonata/quoteNotification/v8`; `/listener` follows by itself"),
            );
        }
        if let Some(function) = function.filter(|_| good) {
            paths.insert(function, path.to_owned());
        }
    }
    paths
}

impl Allowed {
    fn read(scalar: &Scalar, out: &mut Diagnostics) -> Option<Self> {
        let found = Self::parse(&scalar.text);
        if found.is_none() {
            let message = format!("`{}` names no listener", scalar.text);
            let hint = "write a host name, an IP address, a network such as 10.0.0.0/8, or http://host:port";
            out.push(Diagnostic::error(code::BAD_LISTENER, message).at(scalar.span()).hint(hint));
        }
        found
    }

    fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("http://") {
            let authority: http::uri::Authority = rest.trim_end_matches('/').parse().ok()?;
            let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
            let plain = !rest.contains('@') && !host.is_empty();
            return plain.then(|| Self::Plain(host, authority.port_u16().unwrap_or(80)));
        }
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        if let Ok(address) = address.parse::<IpAddr>() {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            let prefix =
                prefix.map_or(Some(bits), |prefix| prefix.parse().ok().filter(|one| *one <= bits))?;
            return Some(Self::Network(address, prefix));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let labels = || text.split('.');
        let is_name = labels().all(|label| !label.is_empty() && label.bytes().all(plain))
            && labels().next_back().is_some_and(|last| last.bytes().any(|byte| byte.is_ascii_alphabetic()));
        is_name.then(|| Self::Name(text.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_named_in_four_ways() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let name = |text: &str| Some(Allowed::Name(text.to_owned()));
        let rows = [
            ("10.0.0.0/8", Some(Allowed::Network(ip("10.0.0.0"), 8))),
            ("127.0.0.1", Some(Allowed::Network(ip("127.0.0.1"), 32))),
            ("fd00::/8", Some(Allowed::Network(ip("fd00::"), 8))),
            ("Listener.Buyer.example", name("listener.buyer.example")),
            ("localhost", name("localhost")),
            ("http://127.0.0.1:9000", Some(Allowed::Plain("127.0.0.1".to_owned(), 9000))),
            ("http://buyer.internal/", Some(Allowed::Plain("buyer.internal".to_owned(), 80))),
            ("http://[::1]:9000", Some(Allowed::Plain("::1".to_owned(), 9000))),
            ("https://buyer.example", None),
            ("http://buyer.example/path", None),
            ("http://user@buyer.example", None),
            ("10.0.0.0/33", None),
            ("10.0.0.0/", None),
            ("10.0.0", None),
            ("buyer..example", None),
            ("*.example", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(Allowed::parse(text), expected, "{text}");
        }
    }
}
