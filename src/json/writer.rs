//! Text to JSON strings, with the fewest escapes RFC 8259 allows; what is not ASCII stays as it is.

use super::plain::plain_end;

/// Most bytes that are copied at once.
///
/// From some two thousand on the C library leaves a copy to one instruction of the processor (`rep movsb`), which takes several
/// times as long as its loop where the processor does that badly.
const COPY_BYTES_MAX: usize = 2_000;

/// Appends a piece of text that may be long.
#[inline]
pub(super) fn push_long(out: &mut String, text: &str) {
    let mut rest = text;
    while rest.len() > COPY_BYTES_MAX {
        let (part, behind) = rest.split_at(rest.floor_char_boundary(COPY_BYTES_MAX));
        out.push_str(part);
        rest = behind;
    }
    out.push_str(rest);
}

/// Appends `text` to `out` as a JSON string, quotes included.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    write_escaped(out, text);
    out.push('"');
}

/// Appends `text` to `out` as the inside of a JSON string. True if an escape was needed.
pub(super) fn write_escaped(out: &mut String, text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = plain_end(bytes, 0);
    if at == bytes.len() {
        out.push_str(text);
        return false;
    }
    let mut from = 0;
    loop {
        out.push_str(text.get(from..at).unwrap_or_default());
        let Some(byte) = bytes.get(at) else { return true };
        write_escape(out, *byte);
        from = at + 1;
        at = plain_end(bytes, from);
    }
}

fn write_escape(out: &mut String, byte: u8) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    out.push('\\');
    match byte {
        b'"' | b'\\' => out.push(char::from(byte)),
        b'\n' => out.push('n'),
        b'\r' => out.push('r'),
        b'\t' => out.push('t'),
        0x08 => out.push('b'),
        0x0c => out.push('f'),
        _ => {
            out.push_str("u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 0xf)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_appended_as_it_is() {
        for text in ["", "short", &"x".repeat(COPY_BYTES_MAX), &"x€".repeat(3 * COPY_BYTES_MAX)] {
            let mut out = String::from("-");
            push_long(&mut out, text);
            assert_eq!(out, format!("-{text}"));
        }
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        let cases = [
            ("", r#""""#),
            ("plain/é😀\u{7f}\u{2028}", "\"plain/é😀\u{7f}\u{2028}\""),
            ("\"\\\n\r\t\u{8}\u{c}", r#""\"\\\n\r\t\b\f""#),
            ("\0\u{1f}x", r#""\u0000\u001fx""#),
        ];
        for (text, json) in cases {
            let mut out = String::new();
            write_string(&mut out, text);
            assert_eq!(out, json);
        }
    }
}
