//! What goes to a legacy system and what comes back.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, uri::PathAndQuery};

/// A call, as the mapping built it.
#[derive(Debug, Clone)]
pub struct LegacyRequest {
    /// HTTP method.
    pub method: Method,
    /// Path and query below the backend's base URL, percent-encoded, beginning with `/`.
    pub path_and_query: PathAndQuery,
    /// Headers of the mapping and those forwarded; what this port sets itself is dropped from them.
    pub headers: HeaderMap,
    /// The message, and its media type; `None` sends no body.
    pub body: Option<(HeaderValue, Bytes)>,
}

/// A whole answer, whatever its status.
#[derive(Debug, Clone)]
pub struct LegacyReply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers; their names are lower case.
    pub headers: HeaderMap,
    /// The decoded body.
    pub body: Bytes,
}

impl LegacyReply {
    /// An answer as it was read.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        Self { status, headers, body }
    }

    /// `Content-Type`, parameters included; none when absent or unreadable.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.headers.get(header::CONTENT_TYPE)?.to_str().ok()
    }
}
