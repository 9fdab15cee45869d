//! From the raw inside of a JSON string to the text it stands for.

/// Replaces every escape of `raw`, the inside of a string that the parser accepted.
pub(super) fn unescape(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        text.push_str(rest.get(..at).unwrap_or_default());
        let escape = rest.get(at + 1..).unwrap_or_default();
        let (character, len) = one(escape);
        text.push(character);
        rest = escape.get(len..).unwrap_or_default();
    }
    text.push_str(rest);
    text
}

/// The character of one escape (without its backslash) and how many bytes the escape takes.
fn one(escape: &str) -> (char, usize) {
    match escape.as_bytes().first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => {
            let unit = hex4(escape, 1);
            if (0xd800..0xdc00).contains(&unit) {
                let low = hex4(escape, 7);
                let scalar = 0x1_0000 + ((unit - 0xd800) << 10) + (low.wrapping_sub(0xdc00) & 0x3ff);
                (char::from_u32(scalar).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
            } else {
                (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 5)
            }
        }
        Some(&other) => (char::from(other), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}

fn hex4(text: &str, at: usize) -> u32 {
    text.get(at..at + 4).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or(0xfffd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_read() {
        let cases = [
            ("", ""),
            ("plain", "plain"),
            (r#"\"\\\/\b\f\n\r\t"#, "\"\\/\u{8}\u{c}\n\r\t"),
            (r"a\u00e9b", "aéb"),
            (r"\ud83d\ude00!", "😀!"),
            (r"\uD83D\uDE00", "😀"),
            (r"😀\u0000", "😀\0"),
        ];
        for (raw, text) in cases {
            assert_eq!(unescape(raw), text, "{raw}");
        }
    }
}
