//! Strings: their end, and whether their escapes are sound.

use super::{Fault, ParseCode, Parser};

impl Parser<'_> {
    /// Reads a string whose opening quote is here; says whether it contains escapes.
    pub(super) fn string(&mut self) -> Result<bool, Fault> {
        let start = self.at + 1;
        let end = self.stops.next(start);
        if self.bytes.get(end) != Some(&b'"') {
            return self.rest_of_string(start, end);
        }
        if end - start > self.limits.string_bytes_max {
            return Err(Fault::new(ParseCode::StringTooLong, start - 1));
        }
        self.at = end + 1;
        Ok(false)
    }

    /// The slow way, for a string with an escape or a fault at `at`.
    #[cold]
    fn rest_of_string(&mut self, start: usize, at: usize) -> Result<bool, Fault> {
        self.at = at;
        loop {
            match self.bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(Fault::new(ParseCode::ControlCharacter, self.at)),
                None => return Err(Fault::new(ParseCode::UnexpectedEnd, self.at)),
            }
            self.at = self.stops.next(self.at);
        }
        if self.at - start > self.limits.string_bytes_max {
            return Err(Fault::new(ParseCode::StringTooLong, start - 1));
        }
        self.at += 1;
        Ok(true)
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
                        return Err(Fault::new(ParseCode::LoneSurrogate, start));
                    }
                    match self.unit(start + 6)? {
                        0xdc00..=0xdfff => {
                            self.at += 12;
                            Ok(())
                        }
                        _ => Err(Fault::new(ParseCode::LoneSurrogate, start)),
                    }
                }
                0xdc00..=0xdfff => Err(Fault::new(ParseCode::LoneSurrogate, start)),
                _ => {
                    self.at += 6;
                    Ok(())
                }
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
