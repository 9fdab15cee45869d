//! Strings: found eight bytes at a time, because most of a message is inside them.

use super::{Fault, ParseCode, Parser};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Marks the high bit of the first byte in `word` that ends plain text: quote, backslash or control
/// character. Marks beyond the first may be wrong (borrows run upwards), so only the lowest one counts.
fn stops(word: u64) -> u64 {
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5c);
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
}

impl Parser<'_> {
    /// Reads a string whose opening quote is here; says whether it contains escapes.
    pub(super) fn string(&mut self) -> Result<bool, Fault> {
        let start = self.at + 1;
        let mut escaped = false;
        self.at = start;
        loop {
            self.at = self.plain_until(self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err((ParseCode::ControlCharacter, self.at)),
                None => return Err((ParseCode::UnexpectedEnd, self.at)),
            }
        }
        if self.at - start > self.limits.string_bytes_max {
            return Err((ParseCode::StringTooLong, start - 1));
        }
        self.at += 1;
        Ok(escaped)
    }

    /// First place from `at` on where plain text ends.
    fn plain_until(&self, mut at: usize) -> usize {
        while let Some(chunk) = self.bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
            let found = stops(u64::from_le_bytes(*chunk));
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        while let Some(byte) = self.bytes.get(at) {
            if *byte < 0x20 || *byte == b'"' || *byte == b'\\' {
                break;
            }
            at += 1;
        }
        at
    }

    /// Passes one escape, both halves of a surrogate pair together.
    fn escape(&mut self) -> Result<(), Fault> {
        let start = self.at;
        match self.bytes.get(start + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => match self.unit(start)? {
                0xd800..=0xdbff => {
                    if self.bytes.get(start + 6..start + 8) != Some(b"\\u") {
                        return Err((ParseCode::LoneSurrogate, start));
                    }
                    match self.unit(start + 6)? {
                        0xdc00..=0xdfff => {
                            self.at += 12;
                            Ok(())
                        }
                        _ => Err((ParseCode::LoneSurrogate, start)),
                    }
                }
                0xdc00..=0xdfff => Err((ParseCode::LoneSurrogate, start)),
                _ => {
                    self.at += 6;
                    Ok(())
                }
            },
            Some(_) => Err((ParseCode::InvalidEscape, start)),
            None => Err((ParseCode::UnexpectedEnd, self.bytes.len())),
        }
    }

    /// The four hexadecimal digits of the escape that begins at `start`.
    fn unit(&self, start: usize) -> Result<u32, Fault> {
        let mut unit = 0;
        for at in start + 2..start + 6 {
            let Some(byte) = self.bytes.get(at) else {
                return Err((ParseCode::UnexpectedEnd, self.bytes.len()));
            };
            let Some(digit) = char::from(*byte).to_digit(16) else {
                return Err((ParseCode::InvalidEscape, start));
            };
            unit = unit * 16 + digit;
        }
        Ok(unit)
    }
}
