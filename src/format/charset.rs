//! Bytes to text: UTF-8, and what old systems write instead.

use std::borrow::Cow;

use super::FormatError;

/// Text of bytes. A byte order mark decides, then what the sender declares, else it is UTF-8.
pub(super) fn decode<'b>(bytes: &'b [u8], declared: Option<&str>) -> Result<Cow<'b, str>, FormatError> {
    if let Some(rest) = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]) {
        return utf8(rest);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return utf16(rest, u16::from_be_bytes);
    }
    let declared = declared.unwrap_or("utf-8");
    match declared.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => utf8(bytes),
        "us-ascii" | "ascii" if bytes.is_ascii() => utf8(bytes),
        "us-ascii" | "ascii" => Err(FormatError::Charset("US-ASCII".to_owned())),
        "iso-8859-1" | "latin1" => Ok(bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into()),
        "windows-1252" | "cp1252" => {
            let text: Option<String> = bytes.iter().map(|byte| windows_1252(*byte)).collect();
            text.map(Cow::Owned).ok_or_else(|| FormatError::Charset("windows-1252".to_owned()))
        }
        _ => Err(FormatError::UnknownCharset(declared.chars().take(40).collect())),
    }
}

/// `encoding="…"` of an XML declaration at the beginning of bytes in an encoding that writes ASCII as ASCII.
pub(super) fn declared_in_xml(bytes: &[u8]) -> Option<&str> {
    const DECLARATION_BYTES_MAX: usize = 256;
    let bytes = bytes.strip_prefix(b"<?xml")?;
    let end = bytes.iter().take(DECLARATION_BYTES_MAX).position(|byte| *byte == b'>')?;
    let text = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let value = text.split_once("encoding")?.1.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value.get(1..)?.split(quote).next()
}

/// `charset=…` of a content type.
pub(super) fn declared_in_header(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let pairs = parameters.filter_map(|parameter| parameter.split_once('='));
    let mut charsets = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.next().map(|(_, value)| value.trim().trim_matches('"'))
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, FormatError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| FormatError::Charset("UTF-8".to_owned()))
}

fn utf16(bytes: &[u8], unit: impl Fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, FormatError> {
    let wrong = || FormatError::Charset("UTF-16".to_owned());
    let pairs = bytes.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map(&unit));
    let units = pairs.collect::<Result<Vec<u16>, _>>().map_err(|_| wrong())?;
    String::from_utf16(&units).map(Cow::Owned).map_err(|_| wrong())
}

/// Where it differs from ISO 8859-1; none where it has no character.
fn windows_1252(byte: u8) -> Option<char> {
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’',
        '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().filter(|character| *character != '\0'),
        _ => Some(char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_read() {
        type Row = (&'static [u8], Option<&'static str>, Result<&'static str, ()>);
        let rows: [Row; 12] = [
            ("ä€".as_bytes(), None, Ok("ä€")),
            (b"\xef\xbb\xbfa", Some("iso-8859-1"), Ok("a")),
            (b"\xff\xfea\0", None, Ok("a")),
            (b"\xfe\xff\0a", Some("utf-16"), Ok("a")),
            (b"\xfe\xff\0", None, Err(())),
            (b"\xff\xfe\x00\xd8", None, Err(())),
            (b"\xe4", Some("ISO-8859-1"), Ok("ä")),
            (b"\x80\xe4", Some("windows-1252"), Ok("€ä")),
            (b"\x81", Some("windows-1252"), Err(())),
            (b"\xe4", None, Err(())),
            (b"\xe4", Some("us-ascii"), Err(())),
            (b"a", Some("ebcdic"), Err(())),
        ];
        for (bytes, declared, text) in rows {
            let read = decode(bytes, declared);
            assert_eq!(read.as_deref().map_err(|_| ()), text, "{bytes:?} {declared:?}");
        }
    }

    #[test]
    fn where_it_is_declared() {
        assert_eq!(declared_in_xml(b"<?xml version='1.0' encoding='x-1'?><a/>"), Some("x-1"));
        assert_eq!(declared_in_xml(b"<?xml version=\"1.0\" encoding = \"b\" ?>"), Some("b"));
        assert_eq!(declared_in_xml(b"<?xml version='1.0'?><a encoding='z'/>"), None);
        assert_eq!(declared_in_xml(b"<a encoding='z'/>"), None);
        assert_eq!(declared_in_header("text/xml; a=b; Charset=\"Latin1\""), Some("Latin1"));
        assert_eq!(declared_in_header("text/xml"), None);
    }
}
