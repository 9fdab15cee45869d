//! A time as text, written without a format that would be read again each time.

use jiff::{Timestamp, tz::Offset};

/// Digits after the point of the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Three, as messages have it.
    Millis,
    /// Six, as log lines have it.
    Micros,
}

/// Appends a time in UTC as RFC 3339, such as `2026-11-21T08:00:00.000Z`; what is finer is cut off.
pub fn write(out: &mut String, at: Timestamp, precision: Precision) {
    let at = Offset::UTC.to_datetime(at);
    let (date, time) = (at.date(), at.time());
    let year = u32::from(date.year().unsigned_abs());
    if date.year() < 0 {
        // Before our era: nothing that a message of ours is about, but no reason to say something else.
        out.push('-');
    }
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let two = |number: i8| u32::from(number.unsigned_abs());
    place::<0, 4>(&mut text, year);
    place::<5, 2>(&mut text, two(date.month()));
    place::<8, 2>(&mut text, two(date.day()));
    place::<11, 2>(&mut text, two(time.hour()));
    place::<14, 2>(&mut text, two(time.minute()));
    place::<17, 2>(&mut text, two(time.second()));
    let nanoseconds = time.subsec_nanosecond().unsigned_abs();
    let text = match precision {
        Precision::Millis => {
            place::<20, 3>(&mut text, nanoseconds / 1_000_000);
            text[23] = b'Z';
            &text[..24]
        }
        Precision::Micros => {
            place::<20, 6>(&mut text, nanoseconds / 1000);
            &text[..]
        }
    };
    out.push_str(std::str::from_utf8(text).unwrap_or_default());
}

/// Writes the last `WIDTH` digits of a number from `AT` on.
#[inline]
fn place<const AT: usize, const WIDTH: usize>(text: &mut [u8; 27], number: u32) {
    let mut left = number;
    for at in (AT..AT + WIDTH).rev() {
        text[at] = b'0' + (left % 10) as u8;
        left /= 10;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_what_the_format_says(seconds in -62_000_000_000_i64..253_000_000_000, nanos in 0..1_000_000_000) {
            let at = Timestamp::new(seconds, nanos).unwrap();
            for (precision, format) in [
                (Precision::Millis, "%Y-%m-%dT%H:%M:%S.%3fZ"),
                (Precision::Micros, "%Y-%m-%dT%H:%M:%S.%6fZ"),
            ] {
                let mut text = String::new();
                write(&mut text, at, precision);
                prop_assert_eq!(text, at.strftime(format).to_string());
            }
        }
    }
}
