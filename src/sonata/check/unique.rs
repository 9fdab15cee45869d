//! Whether no two elements of a list are equal.

use crate::json::{Kind, Node};
use std::collections::{BTreeMap, HashSet};

/// Up to this many elements, in this many bytes together, are compared with each other, which makes no texts of them.
const COMPARED_MAX: usize = 8;
const COMPARED_BYTES_MAX: usize = 4096;

/// Whether all elements differ, by JSON equality. Time grows with the size of the list, not with its square.
pub(super) fn holds(array: Node<'_>) -> bool {
    if array.len() < 2 {
        return true;
    }
    if array.len() <= COMPARED_MAX && array.raw().len() <= COMPARED_BYTES_MAX {
        let mut elements = array.elements();
        return std::iter::from_fn(|| Some((elements.next()?, elements.clone())))
            .all(|(element, mut others)| others.all(|other| !element.eq_value(other)));
    }
    let mut seen = HashSet::with_capacity(array.len());
    array.elements().all(|element| {
        let mut key = String::new();
        write(element, &mut key);
        seen.insert(key)
    })
}

/// A text that two values share if and only if they are equal: members sorted, escapes resolved, numbers by value.
fn write(node: Node<'_>, key: &mut String) {
    match node.kind() {
        Kind::Null | Kind::Bool => key.push_str(node.raw()),
        Kind::Number => write_number(node.raw(), key),
        Kind::String => write_text(&node.as_str().unwrap_or_default(), key),
        Kind::Array => {
            key.push('[');
            for element in node.elements() {
                write(element, key);
                key.push(',');
            }
            key.push(']');
        }
        Kind::Object => {
            key.push('{');
            let members: BTreeMap<_, _> = node.members().collect();
            for (name, value) in members {
                write_text(&name, key);
                write(value, key);
            }
            key.push('}');
        }
    }
}

/// The length before the text stands for an end mark.
fn write_text(text: &str, key: &mut String) {
    key.push('"');
    key.push_str(&text.len().to_string());
    key.push(':');
    key.push_str(text);
}

fn write_number(text: &str, key: &mut String) {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, power) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return key.push('0');
    }
    let trailing = digits.len() - digits.trim_end_matches('0').len();
    // An exponent beyond 64 bits is compared as it is spelled.
    let Ok(power) = power.parse::<i64>() else { return key.push_str(text) };
    let shift = i64::try_from(trailing).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
    let exponent = power.saturating_add(shift).to_string();
    key.extend([sign, significant, "e", &exponent]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn equal_however_spelled() {
        let equal = [
            "[1, 1.0]",
            "[100, 1e2]",
            "[0, -0.0]",
            "[0.5, 5E-1]",
            r#"["a", "\u0061"]"#,
            r#"[{"a":1,"b":2}, {"b":2.0,"a":1}]"#,
            "[[], 1, []]",
            "[null, true, null]",
        ];
        let different = [
            r#"[1, "1"]"#,
            "[]",
            "[10, 1]",
            "[0, null, false]",
            r#"[["a","b"], ["a,b"]]"#,
            r#"["a", "A"]"#,
            "[1, -1]",
        ];
        // The same among others, too many to be compared with each other.
        let longer = |text: &str| {
            let more: Vec<String> = (0..=COMPARED_MAX).map(|number| format!("\"more {number}\"")).collect();
            let sep = if text == "[]" { "" } else { "," };
            format!("[{}{sep}{}", more.join(","), text.get(1..).unwrap_or_default())
        };
        let unique = |text: &str| holds(Document::from_text(text).unwrap().root());
        for text in equal {
            assert!(!unique(text), "{text}");
            assert!(!unique(&longer(text)), "{text}");
        }
        for text in different {
            assert!(unique(text), "{text}");
            assert!(unique(&longer(text)), "{text}");
        }
    }
}
