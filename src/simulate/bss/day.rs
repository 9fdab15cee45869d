//! Days as the desk writes them: `dd.mm.yyyy`, local to Europe/Berlin and without a zone.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serializer;

/// Reads `dd.mm.yyyy`, with all its digits.
pub(super) fn read(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[2] != b'.' || bytes[5] != b'.' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i16> {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let (day, month, year) = (number(0..2)?, number(3..5)?, number(6..10)?);
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// Writes `dd.mm.yyyy`.
pub(super) fn write(date: Date) -> String {
    format!("{:02}.{:02}.{:04}", date.day(), date.month(), date.year())
}

/// The date so many days later, or the same where the calendar ends.
pub(super) fn after(date: Date, days: i64) -> Date {
    date.checked_add(days.days()).unwrap_or(date)
}

/// For serde: writes a day.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
pub(super) fn plain<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&write(*date))
}

/// For serde: writes a day that may be absent.
#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde gives references")]
pub(super) fn maybe<S: Serializer>(date: &Option<Date>, serializer: S) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => plain(date, serializer),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_whole_or_not_at_all() {
        for text in ["28.10.2026", "01.01.2000", "29.02.2028"] {
            assert_eq!(write(read(text).unwrap()), text);
        }
        for text in [
            "28.10.26",
            "29.02.2026",
            "32.01.2026",
            "2026-10-28",
            "+1.01.2026",
            "28.10.2026 ",
            "2a.10.2026",
            "äb.1.2026",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
