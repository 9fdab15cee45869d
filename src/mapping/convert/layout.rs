//! Dates in formats of fixed width, such as `%d.%m.%Y`, which most legacy systems write: without a general parser.
//!
//! What does not fit to the byte is left to that parser, which decides what else a format allows.

use jiff::civil;

/// A format whose every piece has one width.
#[derive(Debug, Clone)]
pub(super) struct Layout(Box<[Piece]>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Day,
    Month,
    /// Four digits.
    Year,
    Byte(u8),
}

impl Layout {
    /// Of a format that says day, month and year once each, with nothing but marks between them.
    pub fn of(format: &str) -> Option<Self> {
        let mut pieces = Vec::new();
        let mut bytes = format.bytes();
        while let Some(byte) = bytes.next() {
            pieces.push(match byte {
                b'%' => match bytes.next()? {
                    b'd' => Piece::Day,
                    b'm' => Piece::Month,
                    b'Y' => Piece::Year,
                    _ => return None,
                },
                b'.' | b'-' | b'/' => Piece::Byte(byte),
                _ => return None,
            });
        }
        let once = |piece| pieces.iter().filter(|own| **own == piece).count() == 1;
        let is_whole = once(Piece::Day) && once(Piece::Month) && once(Piece::Year);
        is_whole.then(|| Self(pieces.into()))
    }

    /// The date that a text of exactly this layout tells.
    pub fn read(&self, text: &str) -> Option<civil::Date> {
        let mut rest = text.as_bytes();
        let (mut year, mut month, mut day) = (0, 0, 0);
        for piece in &self.0 {
            match piece {
                Piece::Byte(byte) => rest = rest.strip_prefix(&[*byte])?,
                Piece::Day => (day, rest) = two(rest)?,
                Piece::Month => (month, rest) = two(rest)?,
                Piece::Year => {
                    let (century, behind) = two(rest)?;
                    let (of_century, behind) = two(behind)?;
                    (year, rest) = (i16::from(century) * 100 + i16::from(of_century), behind);
                }
            }
        }
        if !rest.is_empty() {
            return None;
        }
        civil::Date::new(year, month, day).ok()
    }

    /// The text of a date; none for a year that has not four digits.
    pub fn write(&self, date: civil::Date) -> Option<String> {
        if !(1000..=9999).contains(&date.year()) {
            return None;
        }
        let mut text = String::with_capacity(self.0.len() + 5);
        for piece in &self.0 {
            match piece {
                Piece::Byte(byte) => text.push(char::from(*byte)),
                Piece::Day => push_two(&mut text, date.day().into()),
                Piece::Month => push_two(&mut text, date.month().into()),
                Piece::Year => {
                    push_two(&mut text, date.year() / 100);
                    push_two(&mut text, date.year() % 100);
                }
            }
        }
        Some(text)
    }
}

fn two(bytes: &[u8]) -> Option<(i8, &[u8])> {
    let (&[tens, ones], rest) = bytes.split_first_chunk::<2>()?;
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    Some((i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok()?, rest))
}

/// A number below 100.
fn push_two(text: &mut String, number: i16) {
    for digit in [number / 10, number % 10] {
        text.push(char::from(b'0' + u8::try_from(digit % 10).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::{ToSpan, fmt::strtime};

    #[test]
    fn dates_are_read_and_written_as_the_general_parser_does() {
        let mut compared = 0;
        for format in ["%d.%m.%Y", "%Y-%m-%d", "%Y%m%d", "%m/%d/%Y", "%d%m%Y", ".%Y..%d-%m/"] {
            let layout = Layout::of(format).unwrap();
            let mut date = civil::date(1, 1, 1);
            while date.year() < 9998 {
                let text = strtime::format(format, date).unwrap();
                if let Some(written) = layout.write(date) {
                    assert_eq!(written, text, "{format}");
                    compared += 1;
                }
                // Every place that may be another byte, too short and too long.
                let broken = text.bytes().enumerate().flat_map(|(at, _)| {
                    ["0", "9", "+", " ", "x", "", "11"].map(|new| {
                        let mut other = text.clone();
                        other.replace_range(at..=at, new);
                        other
                    })
                });
                for text in broken.chain([text.clone()]) {
                    if let Some(read) = layout.read(&text) {
                        let general = strtime::parse(format, &text).and_then(|broken| broken.to_date());
                        assert_eq!(general.ok(), Some(read), "{text} as {format}");
                        compared += 1;
                    }
                }
                date = date.checked_add(271.weeks().days(3)).unwrap();
            }
        }
        assert!(compared > 5_000, "{compared}");
        for other in ["%d.%m.%y", "%d %m %Y", "%d.%m.%Y %H", "%d.%m", "%Y%m%d%", "%d.%d.%m.%Y", "%-d.%m.%Y"] {
            assert!(Layout::of(other).is_none(), "{other}");
        }
    }
}
