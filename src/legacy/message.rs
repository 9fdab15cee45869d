//! What goes to a legacy system and what comes back.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header, uri::PathAndQuery};

/// A call, as the mapping built it.
#[derive(Debug, Clone)]
pub struct LegacyRequest {
    /// HTTP method.
    pub method: Method,
    /// Path and query below the backend's base URL, percent-encoded, beginning with `/`.
    pub path_and_query: PathAndQuery,
    /// Headers of the mapping and those forwarded; what this port sets itself is dropped from them.
    pub headers: HeaderMap,
    /// JSON text; `None` sends no body.
    pub body: Option<Bytes>,
}

/// A whole answer, whatever its status.
#[derive(Debug, Clone)]
pub struct LegacyReply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers; their names are lower case.
    pub headers: HeaderMap,
    /// Media type in lower case without parameters; `None` when absent or unreadable.
    pub content_type: Option<String>,
    /// The decoded body.
    pub body: Bytes,
}

impl LegacyReply {
    /// An answer as it was read; the media type is taken from the headers.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, body: Bytes) -> Self {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
            .filter(|text| !text.is_empty());
        Self { status, headers, content_type, body }
    }

    /// Whether the media type says JSON (`application/json` or `+json`).
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.content_type.as_deref().is_some_and(|text| text == "application/json" || text.ends_with("+json"))
    }
}
