//! Numbers as decimal texts: compared by exact value, never through a float.
//!
//! A number of RFC 8259 is a text; `1.10`, `1.1` and `11e-1` are the same value in different spelling. These
//! functions take texts that [`is_number`] accepts (every number node is one) and never lose a digit.

use std::cmp::Ordering;

/// Exponents are exact up to this size; beyond it they count as this size.
const EXPONENT_MAX: i128 = 1_000_000_000_000_000_000_000_000_000_000_000_000;

/// Whether `text` is a number by RFC 8259 clause 6, with nothing around it.
#[must_use]
pub fn is_number(text: &str) -> bool {
    scan(text.as_bytes(), 0) == Ok(text.len())
}

/// End of the number that begins at `start`, or the byte at which it breaks off.
#[inline]
pub(super) fn scan(bytes: &[u8], start: usize) -> Result<usize, usize> {
    if let Some(b'1'..=b'9') = bytes.get(start) {
        let mut at = start + 1;
        while let Some(b'0'..=b'9') = bytes.get(at) {
            at += 1;
        }
        if !matches!(bytes.get(at), Some(b'.' | b'e' | b'E')) {
            return Ok(at);
        }
    }
    scan_any(bytes, start)
}

fn scan_any(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        if let Some(b'+' | b'-') = bytes.get(at) {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// End of a run of at least one digit.
fn digits(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut at = start;
    while let Some(b'0'..=b'9') = bytes.get(at) {
        at += 1;
    }
    if at == start { Err(at) } else { Ok(at) }
}

/// Orders two numbers by value; `-0` equals `0`.
#[must_use]
pub fn compare(left: &str, right: &str) -> Ordering {
    Exact::of(left).compare(&Exact::of(right))
}

/// A number prepared for being compared, with many others or more than once.
#[derive(Debug, Clone, Copy)]
pub struct Exact<T> {
    text: T,
    small: Option<Small>,
}

impl<T: AsRef<str>> Exact<T> {
    /// Of the text of a number.
    #[must_use]
    pub fn of(text: T) -> Self {
        Self { small: Small::read(text.as_ref()), text }
    }

    /// The number as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_ref()
    }

    /// Orders two numbers by value; `-0` equals `0`.
    #[inline]
    #[must_use]
    pub fn compare<U: AsRef<str>>(&self, other: &Exact<U>) -> Ordering {
        match (self.small, other.small) {
            (Some(left), Some(right)) => left.compare(right),
            _ => compare_any(self.text(), other.text()),
        }
    }
}

fn compare_any(left: &str, right: &str) -> Ordering {
    let (left, right) = (Decimal::read(left), Decimal::read(right));
    let magnitude = || left.compare_magnitude(&right);
    match (left.sign(), right.sign()) {
        (1, 1) => magnitude(),
        (-1, -1) => magnitude().reverse(),
        (l, r) => l.cmp(&r),
    }
}

/// Whether two numbers have the same value, however spelled.
#[must_use]
pub fn equal(left: &str, right: &str) -> bool {
    compare(left, right) == Ordering::Equal
}

/// Whether the value is an integer, however spelled: `2`, `2.0` and `2e3` are, `2.5` and `2e-1` are not.
#[must_use]
pub fn is_integer(text: &str) -> bool {
    if Small::read(text).is_some_and(|small| small.places == 0) {
        return true;
    }
    let decimal = Decimal::read(text);
    decimal.sign() == 0 || decimal.exponent >= i128::from(super::table::position(decimal.significant()))
}

/// Longest text of a [`Small`] number, in bytes: that many digits fit into an `i64`, and two of them side by side
/// into an `i128`.
const SMALL_BYTES_MAX: usize = 18;

/// A number without an exponent and of few digits, which most numbers of messages are.
#[derive(Debug, Clone, Copy)]
struct Small {
    /// All digits, the point left out.
    digits: i64,
    /// How many of them stand behind the point.
    places: u32,
}

impl Small {
    fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() > SMALL_BYTES_MAX {
            return None;
        }
        let (sign, rest) = match bytes {
            [b'-', rest @ ..] => (-1, rest),
            _ => (1, bytes),
        };
        let (mut digits, mut places, mut is_fraction) = (0, 0, 0);
        for byte in rest {
            match byte {
                b'0'..=b'9' => {
                    digits = digits * 10 + i64::from(byte - b'0');
                    places += is_fraction;
                }
                b'.' => is_fraction = 1,
                _ => return None,
            }
        }
        Some(Self { digits: sign * digits, places })
    }

    fn compare(self, other: Self) -> Ordering {
        if self.places == other.places {
            return self.digits.cmp(&other.digits);
        }
        // Neither has more than 18 places.
        let (left, right) = (i128::from(self.digits), i128::from(other.digits));
        let by = |places: u32| 10_i128.pow(places);
        (left * by(other.places)).cmp(&(right * by(self.places)))
    }
}

/// See [`super::Node::plain_whole`].
#[inline]
pub(super) fn plain_whole(text: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if text.len() > SMALL_BYTES_MAX {
        return None;
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if is_negative { -value } else { value })
}

/// The value as an `i64` if it is an integer in that range, however spelled.
#[must_use]
pub fn to_i64(text: &str) -> Option<i64> {
    if let Ok(value) = text.parse() {
        return Some(value);
    }
    let decimal = Decimal::read(text);
    if decimal.sign() == 0 {
        return Some(0);
    }
    if !is_integer(text) || decimal.exponent > 19 {
        return None;
    }
    let mut value: i128 = 0;
    let mut digits = decimal.digits();
    for _ in 0..decimal.exponent {
        value = value * 10 + i128::from(digits.next().unwrap_or(b'0') - b'0');
    }
    i64::try_from(if decimal.negative { -value } else { value }).ok()
}

/// A number taken apart: 0.d1d2d3... times ten to the power of `exponent`, d1 not zero.
struct Decimal<'t> {
    negative: bool,
    /// Digits before the point without leading zeros, then digits after it; together without leading and
    /// trailing zeros. Both empty for zero.
    whole: &'t [u8],
    fraction: &'t [u8],
    exponent: i128,
}

impl<'t> Decimal<'t> {
    fn read(text: &'t str) -> Self {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, power) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = whole.trim_start_matches('0').as_bytes();
        let fraction = fraction.trim_end_matches('0').as_bytes();
        let power = read_exponent(power);
        let places = |digits: &[u8]| i128::from(super::table::position(digits.len()));
        if whole.is_empty() {
            let zeros = fraction.iter().take_while(|digit| **digit == b'0').count();
            let significant = fraction.get(zeros..).unwrap_or_default();
            let exponent = power - places(fraction) + places(significant);
            return Self { negative, whole, fraction: significant, exponent };
        }
        let exponent = power + places(whole);
        let whole = if fraction.is_empty() { trim_end(whole) } else { whole };
        Self { negative, whole, fraction, exponent }
    }

    /// -1, 0 or 1.
    fn sign(&self) -> i8 {
        match (self.significant(), self.negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    fn significant(&self) -> usize {
        self.whole.len() + self.fraction.len()
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.iter().chain(self.fraction).copied()
    }

    /// Orders two values other than zero without their signs. A text that is a proper prefix of the other
    /// is the smaller one, because trailing zeros are gone.
    fn compare_magnitude(&self, other: &Decimal<'_>) -> Ordering {
        self.exponent.cmp(&other.exponent).then_with(|| self.digits().cmp(other.digits()))
    }
}

fn trim_end(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0').count();
    digits.get(..digits.len() - zeros).unwrap_or_default()
}

fn read_exponent(text: &str) -> i128 {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, text.get(1..).unwrap_or_default()),
        Some(b'+') => (false, text.get(1..).unwrap_or_default()),
        _ => (false, text),
    };
    let digits = digits.trim_start_matches('0');
    let size = if digits.len() > 36 {
        EXPONENT_MAX
    } else {
        digits.bytes().fold(0, |sum, digit| sum * 10 + i128::from(digit.wrapping_sub(b'0')))
    };
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_exact_value() {
        // Each line in ascending order; entries of one group are equal.
        let ascending: &[&[&str]] = &[
            &["-1e999999999999999999999"],
            &["-12345678901234567891"],
            &["-12345678901234567890"],
            &["-1.5", "-15e-1"],
            &["-1e-400"],
            &["0", "-0", "0.0", "-0.00e5", "0e999999999"],
            &["1e-999999999999999999999"],
            &["0.1", "1e-1", "0.10", "10e-2"],
            &["0.10000000000000000001"],
            &["0.30000000000000000"],
            &["0.30000000000000000001"],
            &["1", "1.0", "1e0", "10e-1", "0.1e1", "1E+0"],
            &["1.1", "1.10", "11e-1"],
            &["99", "9.9e1"],
            &["100", "1e2", "1E2", "100.0", "0.001e5"],
            &["101"],
            &["9007199254740992"],
            &["9007199254740993"],
            &["12345678901234567890"],
            &["12345678901234567891"],
            &["1e400"],
            &["1e99999999999999999998"],
            &["1e99999999999999999999", "10e99999999999999999998"],
        ];
        for (i, lower) in ascending.iter().enumerate() {
            for (j, upper) in ascending.iter().enumerate() {
                for (left, right) in lower.iter().flat_map(|l| upper.iter().map(move |r| (l, r))) {
                    assert_eq!(compare(left, right), i.cmp(&j), "{left} and {right}");
                }
            }
        }
    }

    #[test]
    fn plain_integers_are_read_as_they_are() {
        for text in ["0", "-0", "7", "-120", "999999999999999999", "-99999999999999999"] {
            assert_eq!(plain_whole(text.as_bytes()), to_i64(text), "{text}");
        }
        for text in ["7.0", "1e2", "0.5", "-1.5", "9999999999999999999", "-999999999999999999"] {
            assert_eq!(plain_whole(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn integers_are_found_by_value() {
        for (text, value) in [
            ("0", Some(0)),
            ("-0.0", Some(0)),
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("1e2", Some(100)),
            ("1.5e1", Some(15)),
            ("-120e-1", Some(-12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808.0", Some(i64::MIN)),
        ] {
            assert!(is_integer(text), "{text}");
            assert_eq!(to_i64(text), value, "{text}");
        }
        for text in ["9223372036854775808.0", "1e19", "1e99999999999999999999999999999999999999999"] {
            assert!(is_integer(text), "{text}");
            assert_eq!(to_i64(text), None, "{text}");
        }
        for text in ["0.5", "1.5e0", "12e-1", "1e-99999999999999999999999999999999999999999"] {
            assert!(!is_integer(text), "{text}");
            assert_eq!(to_i64(text), None, "{text}");
        }
    }

    #[test]
    fn grammar_is_that_of_rfc_8259() {
        for text in ["0", "-0", "10", "1.5", "-1.50e+10", "1E-2", "0e0"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "1.5.5", "--1"] {
            assert!(!is_number(text), "{text}");
        }
    }
}
