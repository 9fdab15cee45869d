//! Decimal numbers as text: shifted, compared and written without ever passing through a float.
//!
//! Differs from the decimals of scripts in that it is not bound to 28 digits: shifting the decimal point of
//! a number of any accepted length gives up nothing.

use std::cmp::Ordering;

/// Most digits that a number may have here, before or after the decimal point.
pub const DIGITS_MAX: usize = 64;

/// A number's text with a decimal comma, `1249,90`, from one with a decimal point.
pub(super) fn with_comma(text: &str) -> String {
    text.replace('.', ",")
}

/// The text with a decimal point of one with a decimal comma; points stand between whole thousands: `1.249,90`.
pub(super) fn without_comma(text: &str) -> Option<String> {
    let (whole, fraction) = match text.split_once(',') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let mut groups = whole.split('.');
    let first = groups.next().unwrap_or_default();
    let digits = first.trim_start_matches(['-', '+']).len();
    let rest: Vec<&str> = groups.collect();
    let grouped = rest.is_empty() || (1..=3).contains(&digits);
    if !grouped || rest.iter().any(|group| group.len() != 3) || fraction.is_some_and(|own| own.contains('.'))
    {
        return None;
    }
    let whole = [first, &rest.concat()].concat();
    Some(fraction.map_or(whole.clone(), |fraction| format!("{whole}.{fraction}")))
}

/// A decimal number: `digits` with the decimal point `scale` digits from the right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exact {
    negative: bool,
    /// ASCII digits without leading zeros; empty for zero.
    digits: String,
    scale: usize,
}

impl Exact {
    /// Reads JSON number text; also leading zeros and a leading `+`, which old systems write.
    ///
    /// `None` where the text is no number or has more than [`DIGITS_MAX`] digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], parse_exponent(&rest[at + 1..])?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let wrong = whole.is_empty()
            || (fraction.is_empty() && mantissa.contains('.'))
            || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit());
        if wrong {
            return None;
        }
        let digits = [whole, fraction].concat();
        let number = Self { negative, digits, scale: fraction.len() };
        number.trimmed()?.shifted(exponent)
    }

    fn trimmed(mut self) -> Option<Self> {
        let zeros = self.digits.len() - self.digits.trim_start_matches('0').len();
        self.digits.drain(..zeros);
        if self.digits.is_empty() {
            self.negative = false;
        }
        (self.digits.len() <= DIGITS_MAX && self.scale <= DIGITS_MAX).then_some(self)
    }

    /// The number times ten to the power of `places`; `None` beyond [`DIGITS_MAX`] digits.
    #[must_use]
    pub fn shifted(mut self, places: i32) -> Option<Self> {
        let distance = usize::try_from(places.unsigned_abs()).ok()?;
        if places < 0 {
            self.scale += distance;
        } else {
            let taken = distance.min(self.scale);
            self.scale -= taken;
            if !self.digits.is_empty() {
                if distance - taken > DIGITS_MAX {
                    return None;
                }
                self.digits.push_str(&"0".repeat(distance - taken));
            }
        }
        self.trimmed()
    }

    /// Whether the number has no fraction other than zeros.
    #[must_use]
    pub fn is_integer(&self) -> bool {
        self.scale == 0 || self.clone().reduced(0).scale == 0
    }

    /// Whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// Whether the number is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The number with exactly as many decimals as it needs, but at least `decimals_min`.
    #[must_use]
    pub fn reduced(mut self, decimals_min: usize) -> Self {
        while self.scale > decimals_min && (self.digits.ends_with('0') || self.digits.is_empty()) {
            self.digits.pop();
            self.scale -= 1;
        }
        if self.scale < decimals_min {
            if !self.digits.is_empty() {
                self.digits.push_str(&"0".repeat(decimals_min - self.scale));
            }
            self.scale = decimals_min;
        }
        self
    }

    /// Digits behind the decimal point.
    #[must_use]
    pub fn decimals(&self) -> usize {
        self.scale
    }

    /// The integer, where the number is one that fits.
    #[must_use]
    pub fn to_i128(&self) -> Option<i128> {
        let whole = self.clone().reduced(0);
        if whole.scale > 0 {
            return None;
        }
        if whole.digits.is_empty() {
            return Some(0);
        }
        let magnitude: i128 = whole.digits.parse().ok()?;
        Some(if whole.negative { -magnitude } else { magnitude })
    }

    /// Canonical JSON number text without exponent; trailing zeros are kept.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::with_capacity(self.digits.len() + self.scale + 3);
        if self.negative {
            text.push('-');
        }
        let whole_length = self.digits.len().saturating_sub(self.scale);
        if whole_length == 0 {
            text.push('0');
        } else {
            text.push_str(&self.digits[..whole_length]);
        }
        if self.scale > 0 {
            text.push('.');
            text.push_str(&"0".repeat(self.scale.saturating_sub(self.digits.len())));
            text.push_str(&self.digits[whole_length..]);
        }
        text
    }

    /// Compares by value.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
        }
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        let decimals = self.scale.max(other.scale);
        let (left, right) = (self.clone().reduced(decimals), other.clone().reduced(decimals));
        left.digits.len().cmp(&right.digits.len()).then_with(|| left.digits.cmp(&right.digits))
    }

    /// The sum; `None` beyond [`DIGITS_MAX`] digits.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Option<Self> {
        let decimals = self.scale.max(other.scale);
        let (left, right) = (self.clone().reduced(decimals), other.clone().reduced(decimals));
        let (negative, digits) = if left.negative == right.negative {
            (left.negative, add(left.digits.as_bytes(), right.digits.as_bytes()))
        } else if left.compare_magnitude(&right) == Ordering::Less {
            (right.negative, subtract(right.digits.as_bytes(), left.digits.as_bytes()))
        } else {
            (left.negative, subtract(left.digits.as_bytes(), right.digits.as_bytes()))
        };
        Self { negative, digits, scale: decimals }.trimmed()
    }
}

fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || digits.len() > 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

/// The digit `place` positions from the right, zero beyond the left end.
fn digit(digits: &[u8], place: usize) -> u8 {
    digits.len().checked_sub(place + 1).map_or(0, |at| digits[at] - b'0')
}

fn add(left: &[u8], right: &[u8]) -> String {
    let mut carry = 0;
    let mut sum: Vec<u8> = Vec::with_capacity(left.len().max(right.len()) + 1);
    for place in 0..=left.len().max(right.len()) {
        let digit = digit(left, place) + digit(right, place) + carry;
        sum.push(digit % 10 + b'0');
        carry = digit / 10;
    }
    sum.iter().rev().map(|byte| char::from(*byte)).collect()
}

fn subtract(larger: &[u8], smaller: &[u8]) -> String {
    let mut borrow = 0;
    let mut rest: Vec<u8> = Vec::with_capacity(larger.len());
    for place in 0..larger.len() {
        let (from, take) = (digit(larger, place), digit(smaller, place) + borrow);
        borrow = u8::from(from < take);
        rest.push(from + borrow * 10 - take + b'0');
    }
    rest.iter().rev().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(source: &str) -> Option<String> {
        Exact::parse(source).map(|number| number.to_text())
    }

    #[test]
    fn text_is_kept_or_made_canonical() {
        for (source, wanted) in [
            ("1.10", "1.10"),
            ("-0.0", "0.0"),
            ("007", "7"),
            ("+5", "5"),
            ("1e2", "100"),
            ("15e-3", "0.015"),
            ("12345678901234567890", "12345678901234567890"),
            ("0.1234567890123456789", "0.1234567890123456789"),
        ] {
            assert_eq!(text(source).as_deref(), Some(wanted));
        }
        for source in ["", "-", ".5", "5.", "1e", "1e99999", "1,5", "0x1", "1e400", "１"] {
            assert_eq!(text(source), None, "{source}");
        }
    }

    proptest! {
        #[test]
        fn shifting_there_and_back_gives_the_same_value(mantissa in any::<i64>(), places in 0..30_i32) {
            let number = Exact::parse(&mantissa.to_string()).unwrap();
            let there = number.clone().shifted(-places).unwrap();
            prop_assert_eq!(there.shifted(places).unwrap().to_text(), number.to_text());
        }

        #[test]
        fn sums_and_order_agree_with_integers(left in any::<i64>(), right in any::<i64>()) {
            let (a, b) = (Exact::parse(&left.to_string()).unwrap(), Exact::parse(&right.to_string()).unwrap());
            prop_assert_eq!(a.plus(&b).unwrap().to_i128(), Some(i128::from(left) + i128::from(right)));
            prop_assert_eq!(a.compare(&b), left.cmp(&right));
        }
    }
}
