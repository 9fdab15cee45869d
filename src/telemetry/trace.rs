//! W3C Trace Context: what `traceparent` says, and the child that goes on to the legacy system.
//!
//! Ids are random on the wire but not drawn here: the exchange's id port gives them, so that a replayed case
//! sends the same bytes.

use std::fmt;

/// One span's place in a trace, as `traceparent` carries it (W3C Trace Context, version 00).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// The whole trace; never zero.
    pub trace_id: u128,
    /// The span that sends the header; never zero.
    pub parent_id: u64,
    /// Whether the caller records this trace (bit 0 of the flags; other bits are not passed on).
    pub sampled: bool,
}

impl TraceContext {
    /// Starts a trace of our own. A zero, which the standard forbids, becomes one.
    #[must_use]
    pub fn new(trace_id: u128, span_id: u64) -> Self {
        Self { trace_id: trace_id.max(1), parent_id: span_id.max(1), sampled: true }
    }

    /// Reads a `traceparent` header; `None` when it is not one, and the caller then starts a trace.
    ///
    /// A version above 00 is read as far as version 00 goes, as the standard asks.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let version = text.get(0..2)?;
        let known = version == "00";
        if !lower_hex(version) || version == "ff" || (known && bytes.len() != 55) {
            return None;
        }
        if bytes.len() > 55 && bytes[55] != b'-' {
            return None;
        }
        let fields = (text.get(3..35)?, text.get(36..52)?, text.get(53..55)?);
        if bytes[2] != b'-' || bytes[35] != b'-' || bytes[52] != b'-' {
            return None;
        }
        if ![fields.0, fields.1, fields.2].into_iter().all(lower_hex) {
            return None;
        }
        let trace_id = u128::from_str_radix(fields.0, 16).ok().filter(|id| *id != 0)?;
        let parent_id = u64::from_str_radix(fields.1, 16).ok().filter(|id| *id != 0)?;
        let flags = u8::from_str_radix(fields.2, 16).ok()?;
        Some(Self { trace_id, parent_id, sampled: flags & 1 == 1 })
    }

    /// Length of the header value, in bytes.
    pub const TEXT_BYTES: usize = 55;

    /// The header value, written into `buffer`.
    #[must_use]
    pub fn text<'b>(&self, buffer: &'b mut [u8; Self::TEXT_BYTES]) -> &'b str {
        *buffer = *b"00-00000000000000000000000000000000-0000000000000000-00";
        hex(&mut buffer[3..35], self.trace_id);
        hex(&mut buffer[36..52], self.parent_id.into());
        buffer[54] += u8::from(self.sampled);
        std::str::from_utf8(buffer).unwrap_or_default()
    }

    /// The same trace with our own span as the parent: what goes on to the called system.
    #[must_use]
    pub fn child(self, span_id: u64) -> Self {
        Self { parent_id: span_id.max(1), ..self }
    }
}

/// Renders the header value.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut [0; Self::TEXT_BYTES]))
    }
}

/// Fills `out` with the last digits of a number, in lower-case hexadecimal; what it says as text.
pub(super) fn hex(out: &mut [u8], number: u128) -> &str {
    let mut left = number;
    for digit in out.iter_mut().rev() {
        let value = (left & 15) as u8;
        *digit = value + if value < 10 { b'0' } else { b'a' - 10 };
        left >>= 4;
    }
    std::str::from_utf8(out).unwrap_or_default()
}

fn lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn headers_are_read_or_refused() {
        let parsed = TraceContext::parse(GOOD).unwrap();
        assert_eq!(parsed.to_string(), GOOD);
        assert_eq!(parsed.child(7).to_string(), "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000007-01");
        let rows = [
            ("", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", true),
            ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", false),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
            ("00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01", false),
        ];
        for (text, good) in rows {
            assert_eq!(TraceContext::parse(text).is_some(), good, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
            let _ = TraceContext::parse(&text);
        }

        #[test]
        fn there_and_back(trace in 1_u128.., span in 1_u64..) {
            let context = TraceContext::new(trace, span);
            prop_assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
        }
    }
}
