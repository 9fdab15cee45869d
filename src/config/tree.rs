//! Settings whose form is the integrator's own.

use crate::text::yaml::{Node, Style, Value};

/// A free-form value, as JSON has them; numbers keep their text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree {
    /// `~`, `null` or nothing, unquoted.
    Null,
    /// `true` or `false`, unquoted.
    Boolean(bool),
    /// An unquoted JSON number, such as `12` or `1.10`; `007` is a text.
    Number(String),
    /// Everything else.
    Text(String),
    /// A sequence.
    List(Vec<Tree>),
    /// A mapping, in the order written.
    Members(Vec<(String, Tree)>),
}

impl Tree {
    pub(super) fn of(node: &Node) -> Self {
        match &node.value {
            Value::Scalar(scalar) if scalar.is_null() => Self::Null,
            Value::Scalar(scalar) if scalar.style == Style::Plain => match scalar.text.as_str() {
                "true" => Self::Boolean(true),
                "false" => Self::Boolean(false),
                text if is_json_number(text) => Self::Number(text.to_owned()),
                text => Self::Text(text.to_owned()),
            },
            Value::Scalar(scalar) => Self::Text(scalar.text.clone()),
            Value::Sequence(elements) => Self::List(elements.iter().map(Self::of).collect()),
            Value::Mapping(entries) => Self::Members(
                entries.iter().map(|entry| (entry.key.clone(), Self::of(&entry.value))).collect(),
            ),
        }
    }
}

/// Whether a text is a number by the grammar of RFC 8259, section 6.
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
mod tests {
    use super::is_json_number;

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-0", "12", "1.10", "1e2", "1E+2", "-0.5e-3", "12345678901234567890"] {
            assert!(is_json_number(text), "{text}");
        }
        for text in ["", "-", "007", "+1", "1.", ".5", "1e", "0x1f", "1_000", "12:30", "١"] {
            assert!(!is_json_number(text), "{text}");
        }
    }
}
