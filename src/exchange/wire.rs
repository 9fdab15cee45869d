//! Answers, on their way to becoming HTTP messages.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

/// Media type of every body that a partner gets.
pub const MEDIA_TYPE: &str = "application/json;charset=utf-8";

/// What an exchange answers.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// The body; empty for none.
    pub body: Bytes,
    /// Headers beside the media type.
    pub headers: HeaderMap,
}

/// The HTTP message of an answer.
pub fn render(answer: Answer) -> Response<Full<Bytes>> {
    let has_body = !answer.body.is_empty();
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    if has_body && !response.headers().contains_key(header::CONTENT_TYPE) {
        let media_type = HeaderValue::from_static(MEDIA_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, media_type);
    }
    response
}
