//! What the plan says of a backend.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri, header,
    uri::{Authority, Parts, PathAndQuery, Scheme},
};

use super::{Guard, OAuth2, Tls};
use crate::{format::Format, ids::BackendId, telemetry::Secret};

/// One legacy system. Times are in milliseconds.
#[derive(Debug, Clone)]
pub struct BackendSettings {
    /// Its name; pools and permits are kept under it.
    pub id: BackendId,
    /// Where it is.
    pub base_url: BaseUrl,
    /// How we prove who we are.
    pub credentials: Credentials,
    /// Time for a connection, TLS included.
    pub connect_ms_max: u64,
    /// Time from a permit to the last byte of the answer; the exchange's deadline bounds it.
    pub answer_ms_max: u64,
    /// Time that an unused connection is kept; shorter than the backend's own, or calls meet closed ones.
    pub idle_ms_max: u64,
    /// Most calls at once.
    pub in_flight_max: usize,
    /// Most calls waiting for a permit; one more is refused at once.
    pub queue_max: usize,
    /// Largest answer, in bytes, as sent and as decoded.
    pub response_bytes_max: usize,
    /// Headers of the partner's request that are passed on. Reserved ones are not, whatever stands here.
    pub forward: Vec<HeaderName>,
    /// How header names are written.
    pub header_case: HeaderCase,
    /// How its messages look.
    pub format: Format,
    /// Its own trust or our certificate; none: the system's authorities.
    pub tls: Option<Tls>,
    /// How it is spoken to.
    pub http_version: HttpVersion,
    /// Which addresses may be connected to, where it is not the operator who names them.
    pub guard: Option<Arc<Guard>>,
    /// Whether it is a partner that sells to us, so that its complaints are the standard's.
    pub is_seller: bool,
}

/// Version of HTTP towards a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HttpVersion {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: offered with HTTP/1.1 where the connection is encrypted, taken as agreed where it is not.
    Http2,
}

/// How header names are written to a backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HeaderCase {
    /// Lower case.
    #[default]
    AsIs,
    /// `Content-Length`: for systems that compare names byte by byte.
    Title,
}

/// How we prove who we are to a backend.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic (RFC 7617).
    Basic {
        /// User name; must not hold a colon.
        user: String,
        /// Password.
        password: Secret,
    },
    /// A token by client credentials (RFC 6749).
    OAuth2(Box<OAuth2>),
    /// A fixed bearer token (RFC 6750).
    Bearer(Secret),
    /// A key in a header of its own.
    ApiKey {
        /// The header.
        header: HeaderName,
        /// The key.
        key: Secret,
    },
}

/// Scheme, authority and path prefix of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    /// As `Host` has it.
    pub(super) host: HeaderValue,
    /// Without `/` at its end.
    pub(super) prefix: String,
}

/// Why a text is no base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("not a URL")]
    Syntax,
    /// Neither `http` nor `https`.
    #[error("the scheme must be http or https")]
    Scheme,
    /// `user:password@`: credentials are references, never part of a URL.
    #[error("a URL must not hold credentials")]
    Credentials,
    /// A query, to which no path could be appended.
    #[error("a base URL must not hold a query")]
    Query,
}

impl BaseUrl {
    /// Takes `http://host[:port][/prefix]`; a `/` at the end is dropped.
    ///
    /// # Errors
    /// [`BaseUrlError`] says what does not fit.
    pub fn parse(text: &str) -> Result<Self, BaseUrlError> {
        let uri: Uri = text.parse().map_err(|_| BaseUrlError::Syntax)?;
        let parts = uri.into_parts();
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            return Err(BaseUrlError::Syntax);
        };
        if scheme != Scheme::HTTP && scheme != Scheme::HTTPS {
            return Err(BaseUrlError::Scheme);
        }
        if authority.as_str().contains('@') {
            return Err(BaseUrlError::Credentials);
        }
        let path = parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/"));
        if path.query().is_some() {
            return Err(BaseUrlError::Query);
        }
        let prefix = path.path().trim_end_matches('/').to_owned();
        let default_port = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let host = match authority.port_u16().filter(|port| *port != default_port) {
            Some(_) => HeaderValue::from_str(authority.as_str()),
            None => HeaderValue::from_str(authority.host()),
        };
        Ok(Self { scheme, authority, host: host.map_err(|_| BaseUrlError::Syntax)?, prefix })
    }

    /// The `Host` of every call, written once.
    pub(super) fn host(&self) -> &HeaderValue {
        &self.host
    }

    /// Where a connection goes.
    #[must_use]
    pub fn host_and_port(&self) -> (String, u16) {
        let host = self.authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        (host, self.authority.port_u16().unwrap_or(if self.is_https() { 443 } else { 80 }))
    }

    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    /// The whole URL of a call.
    ///
    /// # Errors
    /// When prefix and path together are no URL; both were parsed, so only their length can be at fault.
    pub(super) fn join(&self, path: &PathAndQuery) -> Result<Uri, http::Error> {
        let mut parts = Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(if self.prefix.is_empty() {
            path.clone()
        } else {
            PathAndQuery::try_from(format!("{}{path}", self.prefix))?
        });
        Ok(Uri::from_parts(parts)?)
    }
}

/// Headers that this port sets itself, that belong to one connection, or that are the partner's secret.
const RESERVED: [HeaderName; 18] = [
    header::ACCEPT_ENCODING,
    header::AUTHORIZATION,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::COOKIE,
    header::EXPECT,
    header::FORWARDED,
    header::HOST,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::RANGE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("keep-alive"),
];

/// Whether neither a partner nor a mapping may set this header on a legacy request.
pub(super) fn is_reserved(name: &HeaderName) -> bool {
    RESERVED.contains(name)
}

impl BackendSettings {
    /// The headers of a partner's request that are passed on: those of the allow-list, never a reserved one.
    #[must_use]
    pub fn forwarded(&self, partner: &HeaderMap) -> HeaderMap {
        let mut out = HeaderMap::new();
        for name in self.forward.iter().filter(|name| !is_reserved(name)) {
            for value in partner.get_all(name) {
                out.append(name, value.clone());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_are_parsed_and_joined() {
        let join = |base: &str, path: &str| {
            let path = path.parse().unwrap();
            BaseUrl::parse(base).map(|base| base.join(&path).unwrap().to_string())
        };
        assert_eq!(join("http://h:1", "/a?b=c").unwrap(), "http://h:1/a?b=c");
        assert_eq!(join("https://h/", "/a").unwrap(), "https://h/a");
        assert_eq!(join("https://h/bss/v2/", "/a?b").unwrap(), "https://h/bss/v2/a?b");
        let host = |base: &str| BaseUrl::parse(base).unwrap().host().to_str().unwrap().to_owned();
        let rows =
            ["http://h:1", "http://h:80/a", "https://h:80", "https://h:443", "http://[::1]:8081", "http://h"];
        assert_eq!(rows.map(host), ["h:1", "h", "h:80", "h", "[::1]:8081", "h"]);
        assert_eq!(join("h:1", "/"), Err(BaseUrlError::Syntax));
        assert_eq!(join("ftp://h", "/"), Err(BaseUrlError::Scheme));
        assert_eq!(join("http://u:p@h", "/"), Err(BaseUrlError::Credentials));
        assert_eq!(join("http://h/?a", "/"), Err(BaseUrlError::Query));
    }
}
