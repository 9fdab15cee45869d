//! A time as text, written without a format that would be read again each time.

use std::fmt::Write as _;

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
    match u32::try_from(date.year()) {
        Ok(year) => padded(out, year, 4),
        // Before our era: nothing that a message of ours is about, but no reason to say something else.
        Err(_) => {
            let _ = write!(out, "-{:04}", date.year().unsigned_abs());
        }
    }
    let two = |number: i8| u32::from(number.unsigned_abs());
    for (mark, number) in [
        ('-', two(date.month())),
        ('-', two(date.day())),
        ('T', two(time.hour())),
        (':', two(time.minute())),
        (':', two(time.second())),
    ] {
        out.push(mark);
        padded(out, number, 2);
    }
    let nanoseconds = time.subsec_nanosecond().unsigned_abs();
    out.push('.');
    match precision {
        Precision::Millis => padded(out, nanoseconds / 1_000_000, 3),
        Precision::Micros => padded(out, nanoseconds / 1000, 6),
    }
    out.push('Z');
}

/// The last `width` digits of a number.
fn padded(out: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
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
