//! A first look at the text of a query, before the parser's.
//!
//! The parser's tree has no positions, turns number literals into floats or refuses them, and lets a name
//! such as `a in` pass. So this scan finds the number literals and function names with their places, puts a
//! `0` of the same width where each number was, and refuses what the parser would misread.

use super::{super::number, QUERY_BYTES_MAX, QueryError};

/// What the scan found.
pub(super) struct Scanned {
    /// The text with every number literal replaced by `0` and blanks; every place stays the same.
    pub plain: String,
    /// The number literals, in the order written.
    pub numbers: Vec<Box<str>>,
    /// Where each function name begins, in the order written.
    pub functions: Vec<usize>,
}

const FUNCTIONS: [&str; 5] = ["length", "count", "value", "match", "search"];

/// Scans a whole query.
pub(super) fn query(text: &str) -> Result<Scanned, QueryError> {
    Scan::new(text, Vec::new()).run()
}

/// Scans a condition, as though it stood within `[?` and `]`.
pub(super) fn condition(text: &str) -> Result<Scanned, QueryError> {
    Scan::new(text, vec![Group::Filter]).run()
}

/// What an open bracket holds: numbers are indexes in a selection and literals elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Selection,
    Filter,
    Parenthesis,
}

struct Scan<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    groups: Vec<Group>,
    /// Groups that the text itself did not open.
    given: usize,
    found: Scanned,
}

impl<'t> Scan<'t> {
    fn new(text: &'t str, groups: Vec<Group>) -> Self {
        let found = Scanned { plain: String::new(), numbers: Vec::new(), functions: Vec::new() };
        Self { text, bytes: text.as_bytes(), at: 0, given: groups.len(), groups, found }
    }

    fn run(mut self) -> Result<Scanned, QueryError> {
        if self.text.len() > QUERY_BYTES_MAX {
            return Err(self.error(0, format!("longer than {QUERY_BYTES_MAX} bytes")));
        }
        while let Some(byte) = self.bytes.get(self.at).copied() {
            let start = self.at;
            match byte {
                b'\'' | b'"' => self.string(byte)?,
                b'.' => self.dot()?,
                b'[' => self.groups.push(Group::Selection),
                b'(' => self.groups.push(Group::Parenthesis),
                b']' | b')' => self.close(byte)?,
                b'?' => self.enter_filter(),
                b',' => self.next_selector()?,
                b'-' | b'0'..=b'9' if self.groups.last() != Some(&Group::Selection) => self.number()?,
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word()?,
                b'=' => self.equals()?,
                _ => {}
            }
            self.at = self.at.max(start + 1);
            self.keep(start);
        }
        if self.groups.len() > self.given {
            return Err(self.error(self.at, "a bracket is not closed"));
        }
        Ok(self.found)
    }

    /// Takes over what was read since `start`, unless a number took its place.
    fn keep(&mut self, start: usize) {
        let from = start.max(self.found.plain.len());
        while self.at < self.bytes.len() && !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        self.found.plain.push_str(self.text.get(from..self.at).unwrap_or_default());
    }

    fn string(&mut self, quote: u8) -> Result<(), QueryError> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at) {
                Some(b'\\') => self.at += 2,
                Some(byte) if *byte == quote => break,
                Some(_) => self.at += 1,
                None => return Err(self.error(start, "a string is not closed")),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// A dot and the name after it.
    fn dot(&mut self) -> Result<(), QueryError> {
        let dot = self.at;
        self.at += 1;
        match self.bytes.get(self.at) {
            Some(b'.') => Err(self
                .error(dot, "`..` is not supported: its cost grows with the message, so name the members")),
            Some(b'@' | b'#') => {
                let end = self.text.len();
                let rest = self.text.get(self.at + 1..end).unwrap_or_default();
                let len = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
                let name = self.text.get(self.at..=self.at + len).unwrap_or_default();
                Err(self.error(dot, format!("`.{name}` is no shorthand: write `['{name}']`")))
            }
            Some(byte) if byte.is_ascii_whitespace() => Err(self.error(self.at, "white space after `.`")),
            Some(b'*') => {
                self.at += 1;
                Ok(())
            }
            _ => self.shorthand(),
        }
    }

    fn shorthand(&mut self) -> Result<(), QueryError> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let len = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        if len == 0 || rest.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(self.error(start, "a member name must follow `.`"));
        }
        self.at += len;
        let after = rest.get(len..).unwrap_or_default();
        let blanks = after.len() - after.trim_start_matches([' ', '\t', '\n', '\r']).len();
        if blanks > 0 && after.get(blanks..).is_some_and(|next| next.starts_with(is_name)) {
            let reason =
                "an operator is missing here; a name that contains white space is written as ['a name']";
            return Err(self.error(self.at + blanks, reason));
        }
        if after.starts_with('-') {
            return Err(self.error(self.at, "a name that contains `-` is written as ['a-name']"));
        }
        Ok(())
    }

    fn close(&mut self, bracket: u8) -> Result<(), QueryError> {
        let fits = match self.groups.last() {
            Some(Group::Parenthesis) => bracket == b')',
            Some(_) => bracket == b']',
            None => false,
        };
        if !fits || self.groups.len() <= self.given {
            return Err(self.error(self.at, format!("unexpected `{}`", char::from(bracket))));
        }
        self.groups.pop();
        Ok(())
    }

    fn enter_filter(&mut self) {
        if let Some(group @ Group::Selection) = self.groups.last_mut() {
            *group = Group::Filter;
        }
    }

    fn next_selector(&mut self) -> Result<(), QueryError> {
        let is_given = self.groups.len() <= self.given;
        match self.groups.last_mut() {
            Some(Group::Filter) if is_given => {
                Err(self.error(self.at, "a condition has no list: join terms with `&&` or `||`"))
            }
            Some(group @ Group::Filter) => {
                *group = Group::Selection;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn number(&mut self) -> Result<(), QueryError> {
        let start = self.at;
        let end = number::scan(self.bytes, start).map_err(|at| self.error(at, "malformed number"))?;
        let text = self.text.get(start..end).unwrap_or_default();
        if self.text.get(end..).is_some_and(|rest| rest.starts_with(|c: char| is_name(c) || c == '.')) {
            return Err(self.error(end, "malformed number"));
        }
        self.found.numbers.push(text.into());
        self.found.plain.push('0');
        self.found.plain.extend(std::iter::repeat_n(' ', text.len() - 1));
        self.at = end;
        Ok(())
    }

    /// `true`, `false`, `null` or the name of a function.
    fn word(&mut self) -> Result<(), QueryError> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let len = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        let word = rest.get(..len).unwrap_or_default();
        self.at += len;
        if rest.get(len..).is_some_and(|after| after.starts_with('(')) {
            if !FUNCTIONS.contains(&word) {
                let known = FUNCTIONS.join(", ");
                return Err(self.error(start, format!("unknown function `{word}`: RFC 9535 has {known}")));
            }
            self.found.functions.push(start);
        } else if !matches!(word, "true" | "false" | "null") {
            let reason =
                format!("`{word}` means nothing here: a text is quoted, a path begins with `@` or `$`");
            return Err(self.error(start, reason));
        }
        Ok(())
    }

    fn equals(&mut self) -> Result<(), QueryError> {
        let before = self.at.checked_sub(1).and_then(|at| self.bytes.get(at));
        let is_pair = matches!(before, Some(b'!' | b'<' | b'>' | b'='));
        if is_pair || self.bytes.get(self.at + 1) == Some(&b'=') {
            if !is_pair {
                self.at += 2;
            }
            return Ok(());
        }
        Err(self.error(self.at, "`=` is no operator: write `==`"))
    }

    fn error(&self, at: usize, message: impl Into<String>) -> QueryError {
        QueryError::new(at.min(self.text.len()), message)
    }
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_' || !character.is_ascii()
}
