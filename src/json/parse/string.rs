//! Strings: their end, and whether their escapes are sound.

use super::{Fault, ParseCode, Parser};

impl Parser<'_> {
    /// Reads a string whose opening quote is at `quote`: where it ends, and whether it contains escapes.
    #[inline]
    pub(super) fn string(&self, quote: usize) -> Result<(usize, bool), Fault> {
        let start = quote + 1;
        let end = self.stops.next(start);
        if self.bytes.get(end) == Some(&b'"') && end - start <= self.limits.string_bytes_max {
            return Ok((end + 1, false));
        }
        self.rest_of_string(start, end)
    }

    /// The slow way, for a string with an escape or a fault at `at`.
    #[cold]
    fn rest_of_string(&self, start: usize, mut at: usize) -> Result<(usize, bool), Fault> {
        loop {
            at = match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => self.escape(at)?,
                Some(_) => return Err(Fault::new(ParseCode::ControlCharacter, at)),
                None => return Err(Fault::new(ParseCode::UnexpectedEnd, at)),
            };
            at = self.stops.next(at);
        }
        if at - start > self.limits.string_bytes_max {
            return Err(Fault::new(ParseCode::StringTooLong, start - 1));
        }
        Ok((at + 1, true))
    }

    /// Passes the escape at `start`, both halves of a surrogate pair together: where it ends.
    fn escape(&self, start: usize) -> Result<usize, Fault> {
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(start + 2),
            Some(b'u') => match self.unit(start)? {
                0xd800..=0xdbff => {
                    if self.bytes.get(start + 6..start + 8) != Some(b"\\u") {
                        return Err(Fault::new(ParseCode::LoneSurrogate, start));
                    }
                    match self.unit(start + 6)? {
                        0xdc00..=0xdfff => Ok(start + 12),
                        _ => Err(Fault::new(ParseCode::LoneSurrogate, start)),
                    }
                }
                0xdc00..=0xdfff => Err(Fault::new(ParseCode::LoneSurrogate, start)),
                _ => Ok(start + 6),
            },
            Some(_) => Err(Fault::new(ParseCode::InvalidEscape, start)),
            None => Err(Fault::new(ParseCode::UnexpectedEnd, self.bytes.len())),
        }
    }

    /// The four hexadecimal digits of the escape that begins at `start`.
    fn unit(&self, start: usize) -> Result<u32, Fault> {
        let mut unit = 0;
        for at in start + 2..start + 6 {
            let Some(byte) = self.bytes.get(at) else {
                return Err(Fault::new(ParseCode::UnexpectedEnd, self.bytes.len()));
            };
            let Some(digit) = char::from(*byte).to_digit(16) else {
                return Err(Fault::new(ParseCode::InvalidEscape, start));
            };
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }
}
