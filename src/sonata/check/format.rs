//! Formats of texts, as JSON Schema validators read them.

use crate::sonata::Format;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a text has the format.
pub(super) fn holds(format: Format, text: &str) -> bool {
    match format {
        Format::DateTime => is_date_time(text.as_bytes()),
        Format::Date => is_date(text.as_bytes()),
        Format::Uri => fluent_uri::Uri::parse(text).is_ok(),
        Format::Ipv4 => text.parse::<Ipv4Addr>().is_ok(),
        Format::Ipv6 => text.parse::<Ipv6Addr>().is_ok(),
    }
}

/// The same for the bytes of a text; false also where only the text can tell.
pub(super) fn surely_holds(format: Format, text: &[u8]) -> bool {
    match format {
        Format::DateTime => is_date_time(text),
        Format::Date => is_date(text),
        Format::Uri | Format::Ipv4 | Format::Ipv6 => false,
    }
}

/// RFC 3339 `date-time`: the offset is not optional, a leap second only at the end of a UTC day.
fn is_date_time(text: &[u8]) -> bool {
    let Some((date, rest)) = text.split_at_checked(10) else { return false };
    let Some((b'T' | b't', rest)) = rest.split_first() else { return false };
    is_date(date) && is_time(rest)
}

/// RFC 3339 `full-date`.
fn is_date(text: &[u8]) -> bool {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return false };
    let (Some(century), Some(year)) = (two(y1, y2), two(y3, y4)) else { return false };
    let (Some(month), Some(day)) = (two(m1, m2), two(d1, d2)) else { return false };
    let year = century * 100 + year;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=days).contains(&day)
}

/// RFC 3339 `full-time`.
fn is_time(text: &[u8]) -> bool {
    let &[h1, h2, b':', m1, m2, b':', s1, s2, ref rest @ ..] = text else { return false };
    let (Some(hour), Some(minute), Some(second)) = (two(h1, h2), two(m1, m2), two(s1, s2)) else {
        return false;
    };
    if hour > 23 || minute > 59 || second > 60 {
        return false;
    }
    let offset = match rest {
        [b'.', fraction @ ..] => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            &fraction[digits..]
        }
        rest => rest,
    };
    let Some(offset) = offset_minutes(offset) else { return false };
    let utc = (i32::from(hour) * 60 + i32::from(minute) - offset).rem_euclid(24 * 60);
    second < 60 || utc == 24 * 60 - 1
}

/// Minutes east of UTC.
fn offset_minutes(text: &[u8]) -> Option<i32> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
            let minutes = i32::from(hour) * 60 + i32::from(minute);
            let is_valid = hour <= 23 && minute <= 59;
            is_valid.then_some(if sign == b'-' { -minutes } else { minutes })
        }
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<u16> {
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    is_number.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_times() {
        let valid = [
            "2024-02-29T00:00:00Z",
            "2024-01-31t23:59:59.123456789z",
            "1990-12-31T23:59:60Z",
            "1990-12-31T15:59:60-08:00",
            "2021-06-01T08:00:00+23:59",
        ];
        let invalid = [
            "",
            "2023-02-29T00:00:00Z",
            "2023-09-31T00:00:00Z",
            "2023-00-10T00:00:00Z",
            "2023-13-10T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "2023-01-01 00:00:00Z",
            "2023-01-01T00:00:00",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2023-01-01T00:00:60Z",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00+2:00",
            "2023-01-01T00:00:00+24:00",
            "2023-01-01T00:00:00ZZ",
            "2020-09-112T00:00:00Z",
            "2023-01-01T00:00:00.422Z0",
            "２023-01-01T00:00:00Z",
        ];
        for text in valid {
            assert!(holds(Format::DateTime, text), "{text}");
        }
        for text in invalid {
            assert!(!holds(Format::DateTime, text), "{text}");
        }
        assert!(holds(Format::Date, "2000-02-29") && !holds(Format::Date, "1900-02-29"));
    }
}
