//! The text of a converter, `name(argument, 'quoted', key: value)`, taken apart with positions.
//!
//! Only the form is read here; what an argument means is said by the converter's entry in the table.

use super::ConverterError;

/// Deepest nesting of converters in one text, such as `each(one)`.
pub const NESTING_MAX: usize = 4;

/// A name with its arguments, as written.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub name: String,
    pub offset: usize,
    pub arguments: Vec<Written>,
}

/// One argument, as written.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub key: Option<String>,
    pub text: String,
    pub quoted: bool,
    /// Where the argument begins, its key included, in bytes.
    pub start: usize,
    /// Where the argument's text begins, in bytes.
    pub offset: usize,
    pub length: usize,
}

impl Written {
    /// An error that points at this argument.
    pub fn error(&self, message: impl Into<String>) -> ConverterError {
        ConverterError {
            offset: self.offset,
            length: self.length.max(1),
            message: message.into(),
            hint: None,
        }
    }
}

/// Reads one call; `base` is added to every position, for calls inside calls.
pub(super) fn read(text: &str, base: usize) -> Result<Call, ConverterError> {
    let mut reader = Reader { text, at: 0, base };
    reader.skip_blanks();
    let offset = reader.at;
    let name = reader.name().to_owned();
    if name.is_empty() {
        return Err(reader.error("a converter begins with its name"));
    }
    reader.skip_blanks();
    let mut arguments = Vec::new();
    if reader.eat(b'(') {
        loop {
            reader.skip_blanks();
            if arguments.is_empty() && reader.eat(b')') {
                break;
            }
            arguments.push(reader.argument()?);
            reader.skip_blanks();
            if reader.eat(b')') {
                break;
            }
            if !reader.eat(b',') {
                return Err(reader.error("`,` or `)` is expected after an argument"));
            }
        }
    }
    reader.skip_blanks();
    if reader.at < text.len() {
        return Err(reader.error("nothing may follow the converter"));
    }
    Ok(Call { name, offset: base + offset, arguments })
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    base: usize,
}

impl Reader<'_> {
    fn error(&self, message: &str) -> ConverterError {
        ConverterError { offset: self.base + self.at, length: 1, message: message.to_owned(), hint: None }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn name(&mut self) -> &str {
        let start = self.at;
        while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_')) {
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    fn argument(&mut self) -> Result<Written, ConverterError> {
        let start = self.at;
        let key = self.name().to_owned();
        self.skip_blanks();
        let key = if !key.is_empty() && self.eat(b':') {
            self.skip_blanks();
            Some(key)
        } else {
            self.at = start;
            None
        };
        let offset = self.at;
        let quoted = matches!(self.peek(), Some(b'\'' | b'"'));
        let text = if quoted { self.quoted()? } else { self.bare()? };
        if text.is_empty() && !quoted {
            return Err(self.error("an argument is expected here"));
        }
        let length = if quoted { self.at - offset } else { text.len() };
        Ok(Written { key, text, quoted, start: self.base + start, offset: self.base + offset, length })
    }

    /// A quoted text; the quote itself is written twice, as in YAML.
    fn quoted(&mut self) -> Result<String, ConverterError> {
        let quote = self.text.as_bytes()[self.at];
        let opened = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(length) = self.text[self.at..].find(char::from(quote)) else {
                self.at = opened;
                return Err(self.error("the quoted text does not end"));
            };
            text.push_str(&self.text[self.at..self.at + length]);
            self.at += length + 1;
            if !self.eat(quote) {
                return Ok(text);
            }
            text.push(char::from(quote));
        }
    }

    /// Everything up to the `,` or `)` of this call; brackets and quotes inside are skipped as a whole.
    fn bare(&mut self) -> Result<String, ConverterError> {
        let start = self.at;
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b',' | b')' if open == 0 => break,
                b'(' | b'[' => open += 1,
                b')' | b']' => open = open.saturating_sub(1),
                b'\'' | b'"' => {
                    self.quoted()?;
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        if self.peek().is_none() {
            return Err(self.error("`)` is missing"));
        }
        Ok(self.text[start..self.at].trim_end().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_with_their_places() {
        let call = read("money(minor, currency: $.a[?@.b=='x,y)'].cur)", 10).unwrap();
        assert_eq!((call.name.as_str(), call.offset), ("money", 10));
        assert_eq!(call.arguments[0].text, "minor");
        assert_eq!(call.arguments[1].key.as_deref(), Some("currency"));
        assert_eq!(call.arguments[1].text, "$.a[?@.b=='x,y)'].cur");
        assert_eq!(call.arguments[1].offset, 10 + 23);
    }

    #[test]
    fn quotes_double_and_may_hold_anything() {
        let call = read("split('; '', (')", 0).unwrap();
        assert_eq!(call.arguments[0].text, "; ', (");
        assert!(call.arguments[0].quoted);
        assert_eq!(call.arguments[0].length, "'; '', ('".len());
    }

    #[test]
    fn each_fault_has_its_place() {
        for (text, offset) in
            [("", 0), ("a b", 2), ("a(", 2), ("a('x", 2), ("a(b", 3), ("a(b,)", 4), ("a(b) c", 5), ("(x)", 0)]
        {
            assert_eq!(read(text, 0).expect_err(text).offset, offset, "{text}");
        }
    }
}
