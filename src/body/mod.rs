//! Reading an HTTP body under limits: whole, in time, decoded.
//!
//! Both sides need the same care: `exchange` for what a partner sends and `legacy` for what a backend
//! answers. It stands apart from both, and from `server`, because it knows none of our rooms. A gateway
//! that maps bodies it did not decode does nothing, silently, so an encoding we do not know is refused.

use std::{
    io::Read,
    pin::{Pin, pin},
    time::Duration,
};

use bytes::{Buf, Bytes, BytesMut};
use flate2::bufread::MultiGzDecoder;
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};

/// How much of a body is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyLimits {
    /// Largest body as sent on the wire, in bytes.
    pub wire_bytes_max: usize,
    /// Largest body after decoding, in bytes; this is what a gzip bomb meets.
    pub bytes_max: usize,
    /// Bytes of a body too large that are read and thrown away. Most clients send their whole body before they read
    /// an answer; if the connection closed on them, they would see a broken pipe in place of the reason.
    pub discarded_bytes_max: usize,
}

impl BodyLimits {
    /// One bound for the body as sent and as decoded, in bytes.
    #[must_use]
    pub fn of(bytes_max: usize) -> Self {
        Self { wire_bytes_max: bytes_max, bytes_max, discarded_bytes_max: 0 }
    }
}

/// Why a body was not read. The texts are safe to show to the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More than the limit, on the wire or decoded; the rest stays unread.
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge {
        /// The limit that was met.
        bytes_max: usize,
    },
    /// Not complete before the deadline.
    #[error("the body was not complete in time")]
    Late,
    /// The connection ended, or broke its own framing, before the body was complete.
    #[error("the body ended early")]
    Incomplete,
    /// A `Content-Encoding` that is neither `gzip` nor `identity`.
    #[error("the content encoding is not supported: send gzip or identity")]
    Encoding,
    /// The body says `gzip` and is not, or is cut off.
    #[error("the body is not valid gzip")]
    Corrupt,
}

/// How the sender said that it encoded its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
}

/// Reads the whole body before `deadline` and decodes it, both under `limits`.
///
/// What is too large is not kept: the rest, up to `discarded_bytes_max`, is read and thrown away.
///
/// # Errors
/// [`BodyError`] says which bound was met. The connection is then not fit for another message; hyper closes
/// it when the body is dropped.
pub async fn read<B>(
    headers: &HeaderMap,
    body: B,
    limits: &BodyLimits,
    deadline: Instant,
) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
{
    let encoding = encoding(headers)?;
    let mut body = pin!(body);
    let collected = timeout_at(deadline, collect(body.as_mut(), limits.wire_bytes_max)).await;
    let raw = match collected {
        Ok(Err(error @ BodyError::TooLarge { .. })) => {
            // Whether the rest came in time makes no difference to the answer.
            let _ = timeout_at(deadline, discard(body, limits.discarded_bytes_max)).await;
            return Err(error);
        }
        Ok(raw) => raw?,
        Err(_) => return Err(BodyError::Late),
    };
    match encoding {
        Encoding::Identity if raw.len() > limits.bytes_max => {
            Err(BodyError::TooLarge { bytes_max: limits.bytes_max })
        }
        Encoding::Identity => Ok(raw),
        Encoding::Gzip => gunzip(&raw, limits.bytes_max),
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, BodyError> {
    let mut found = Encoding::Identity;
    let values = headers.get_all(header::CONTENT_ENCODING);
    for value in values {
        let text = value.to_str().map_err(|_| BodyError::Encoding)?;
        for name in text.split(',').map(str::trim) {
            match name {
                "" => {}
                name if name.eq_ignore_ascii_case("identity") => {}
                // Encodings stack; a body packed twice is refused rather than half decoded.
                name if found == Encoding::Identity
                    && (name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip")) =>
                {
                    found = Encoding::Gzip;
                }
                _ => return Err(BodyError::Encoding),
            }
        }
    }
    Ok(found)
}

async fn discard<B>(mut body: Pin<&mut B>, mut left: usize)
where
    B: Body<Data = Bytes>,
{
    if left == 0 {
        return;
    }
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

async fn collect<B>(mut body: Pin<&mut B>, bytes_max: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
{
    let too_large = BodyError::TooLarge { bytes_max };
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(too_large);
    }
    // Most bodies arrive in one frame: keep it as it is, copy only from the second on.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Incomplete)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > bytes_max {
            return Err(too_large);
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn gunzip(raw: &[u8], bytes_max: usize) -> Result<Bytes, BodyError> {
    let mut out = Vec::with_capacity(raw.len().saturating_mul(4).min(bytes_max).max(64));
    let mut decoder = MultiGzDecoder::new(raw.reader());
    // One byte over the limit tells "exactly at the limit" from "more".
    let bound = (bytes_max as u64).saturating_add(1);
    decoder.by_ref().take(bound).read_to_end(&mut out).map_err(|_| BodyError::Corrupt)?;
    if out.len() > bytes_max { Err(BodyError::TooLarge { bytes_max }) } else { Ok(out.into()) }
}

/// The earlier of `deadline` and `from` plus `ms` milliseconds.
///
/// For a limit of its own, such as the time a body may take, inside the deadline of an exchange.
#[must_use]
pub fn earlier(deadline: Instant, from: Instant, ms: u64) -> Instant {
    from.checked_add(Duration::from_millis(ms)).map_or(deadline, |limit| limit.min(deadline))
}

#[cfg(test)]
mod tests;
