//! Text of a field path to steps, and back.

use std::fmt;

use super::{Anchor, FieldPath, Literal, Part, Step, Term};
use crate::json::{Name, number};
use crate::text::Hint;

/// Why a text is no field path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PathError {
    /// Byte offset into the text of the path.
    pub offset: usize,
    /// One short sentence.
    pub message: String,
    /// What to write instead, where that is known.
    pub hint: Option<Hint>,
}

/// Steps and terms beyond these have no use; they bound what a hostile mapping can cost.
const STEPS_MAX: usize = 64;
const TERMS_MAX: usize = 16;

pub(super) fn parse(text: &str) -> Result<FieldPath, PathError> {
    let mut reader = Reader { text, at: 0 };
    for (prefix, part) in [("query:", Part::Query), ("path:", Part::Path), ("header:", Part::Header)] {
        if let Some(name) = text.strip_prefix(prefix) {
            return part_path(part, name, prefix.len());
        }
    }
    if text.starts_with("body:") {
        reader.at = "body:".len();
    }
    reader.path()
}

fn part_path(part: Part, name: &str, offset: usize) -> Result<FieldPath, PathError> {
    if name.is_empty() || name.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(error(offset, "a parameter or header name is expected here", None));
    }
    let name = if part == Part::Header { name.to_ascii_lowercase() } else { name.to_owned() };
    let steps = [Step::Member(name.into())].into();
    Ok(FieldPath { part, anchor: Anchor::Root, steps, every: false })
}

fn error(offset: usize, message: impl Into<String>, hint: Option<&'static str>) -> PathError {
    PathError { offset, message: message.into(), hint: hint.map(Hint::from) }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(' ').len();
    }

    fn expect(&mut self, word: &str) -> Result<(), PathError> {
        if self.eat(word) { Ok(()) } else { Err(error(self.at, format!("`{word}` is expected here"), None)) }
    }

    fn path(&mut self) -> Result<FieldPath, PathError> {
        if self.rest().is_empty() {
            return Err(error(self.at, "a path is empty", Some("`.` names the scope itself")));
        }
        if self.rest() == "." {
            return Ok(FieldPath::scope());
        }
        let anchor = if self.eat("$") { Anchor::Root } else { Anchor::Scope };
        let mut steps = Vec::new();
        let mut every = false;
        // After `$` and after every step a name needs its dot; at the start of a scope path it has none.
        let mut first = anchor == Anchor::Scope;
        while let Some(next) = self.peek() {
            if every {
                return Err(error(
                    self.at,
                    "nothing may follow `[*]`",
                    Some(
                        "nested arrays are nested groups: write a group at the array and this path inside it",
                    ),
                ));
            }
            if steps.len() >= STEPS_MAX {
                return Err(error(self.at, format!("a path has at most {STEPS_MAX} steps"), None));
            }
            match next {
                '[' => {
                    every = self.eat("[*]");
                    if !every {
                        steps.push(self.bracket()?);
                    }
                }
                '.' if !first => {
                    self.at += 1;
                    steps.push(Step::Member(self.name()?.into()));
                }
                _ if first => steps.push(Step::Member(self.name()?.into())),
                next => {
                    let hint =
                        (next == ' ').then_some("a name with other characters is written ['any name']");
                    return Err(error(self.at, "`.` or `[` is expected here", hint));
                }
            }
            first = false;
        }
        Ok(FieldPath { part: Part::Body, anchor, steps: steps.into(), every })
    }

    /// A plain name: everything up to the next dot, bracket or blank.
    fn name(&mut self) -> Result<&'t str, PathError> {
        let rest = self.rest();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '#' | '$' | ':');
        let end = rest.find(|c| !plain(c)).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or_default();
        if name.is_empty() {
            let hint = match rest.chars().next() {
                Some('.') => Some("`..` has no place to write to; name every step"),
                Some('*') => Some("`[*]` stands at the end of a path: `lines[*]`"),
                _ => Some("a name with other characters is written ['any name']"),
            };
            return Err(error(self.at, "a member name is expected here", hint));
        }
        if name == "@" {
            return Err(error(
                self.at,
                "`@` is for conditions and queries; a field path begins with a name",
                Some("leave `@.` out"),
            ));
        }
        self.at += end;
        Ok(name)
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        let open = self.at;
        self.expect("[")?;
        let step = match self.peek() {
            Some('\'' | '"') => Step::Member(self.quoted()?.into()),
            Some('?') => {
                self.at += 1;
                Step::Keyed(self.terms()?.into())
            }
            Some(c) if c.is_ascii_digit() => {
                let digits = self.take_while(|c| c.is_ascii_digit());
                let index = digits.parse().map_err(|_| error(open + 1, "the index is too large", None))?;
                Step::Index(index)
            }
            _ => {
                return Err(error(
                    self.at,
                    "an index, a quoted name, `*` or a keyed element is expected here",
                    Some("[0], ['any name'], [*] or [?@.role=='A']"),
                ));
            }
        };
        self.expect("]")?;
        Ok(step)
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn terms(&mut self) -> Result<Vec<Term>, PathError> {
        let mut terms: Vec<Term> = Vec::new();
        loop {
            self.blanks();
            let start = self.at;
            let members = self.term_members()?;
            self.blanks();
            if !self.eat("==") {
                return Err(error(
                    self.at,
                    "only `==` can stand in a keyed element",
                    Some("other comparisons belong into `if:`, which only reads"),
                ));
            }
            self.blanks();
            let value = self.literal()?;
            self.blanks();
            if terms.iter().any(|term| term.members[..] == members[..]) {
                return Err(error(start, "this member is compared twice", None));
            }
            terms.push(Term { members: members.into(), value });
            if terms.len() > TERMS_MAX {
                return Err(error(start, format!("a keyed element has at most {TERMS_MAX} terms"), None));
            }
            if !self.eat("&&") {
                if self.rest().starts_with("||") {
                    return Err(error(self.at, "a keyed element is joined by `&&` only", None));
                }
                return Ok(terms);
            }
        }
    }

    fn term_members(&mut self) -> Result<Vec<Name>, PathError> {
        self.expect("@")?;
        let mut members = Vec::new();
        loop {
            if self.eat(".") {
                members.push(self.name()?.into());
            } else if self.rest().starts_with("['") || self.rest().starts_with("[\"") {
                self.at += 1;
                members.push(self.quoted()?.into());
                self.expect("]")?;
            } else if members.is_empty() {
                return Err(error(self.at, "a member is expected here", Some("@.role=='A'")));
            } else {
                return Ok(members);
            }
        }
    }

    fn literal(&mut self) -> Result<Literal, PathError> {
        match self.peek() {
            Some('\'' | '"') => Ok(Literal::Text(self.quoted()?.into())),
            Some(c) if c == '-' || c.is_ascii_digit() => {
                let start = self.at;
                let text =
                    self.take_while(|c| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E'));
                if number::is_number(text) {
                    Ok(Literal::Number(text.into()))
                } else {
                    Err(error(start, "this is not a JSON number", None))
                }
            }
            _ => match self.take_while(|c| c.is_ascii_alphabetic()) {
                "true" => Ok(Literal::Bool(true)),
                "false" => Ok(Literal::Bool(false)),
                "null" => Ok(Literal::Null),
                _ => {
                    Err(error(self.at, "a literal is expected here", Some("text is written in quotes: 'A'")))
                }
            },
        }
    }

    fn quoted(&mut self) -> Result<String, PathError> {
        let open = self.at;
        let Some(quote) = self.peek() else { return Err(error(open, "a quote is expected here", None)) };
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            if c == quote {
                self.at = open + offset + 1;
                return Ok(out);
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some((_, c @ ('\\' | '\'' | '"' | '/'))) => out.push(c),
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                _ => return Err(error(open + offset, "this escape is not known", None)),
            }
        }
        Err(error(open, "the quote is not closed", None))
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            Part::Body => {}
            Part::Query => f.write_str("query:")?,
            Part::Path => f.write_str("path:")?,
            Part::Header => f.write_str("header:")?,
        }
        if self.is_scope() {
            return f.write_str(".");
        }
        let mut dot = self.part == Part::Body && self.anchor == Anchor::Root;
        if dot {
            f.write_str("$")?;
        }
        for step in self.steps.iter() {
            match step {
                Step::Member(name) if self.part != Part::Body => f.write_str(name)?,
                Step::Member(name) => write_name(f, name, dot)?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Keyed(terms) => {
                    for (i, term) in terms.iter().enumerate() {
                        f.write_str(if i == 0 { "[?@" } else { " && @" })?;
                        for name in &term.members {
                            write_name(f, name, true)?;
                        }
                        write!(f, "=={}", term.value)?;
                    }
                    f.write_str("]")?;
                }
            }
            dot = true;
        }
        if self.every { f.write_str("[*]") } else { Ok(()) }
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str, dot: bool) -> fmt::Result {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@' | '#' | ':');
    // `@['@type']` is what RFC 9535 accepts in a filter; elsewhere the short form reads better.
    if name.is_empty() || !name.chars().all(plain) {
        return write!(f, "['{}']", name.replace('\\', "\\\\").replace('\'', "\\'"));
    }
    if dot { write!(f, ".{name}") } else { f.write_str(name) }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write!(f, "'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
            Self::EmptyArray => f.write_str("[]"),
            Self::EmptyObject => f.write_str("{}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        FieldPath::parse(text).map_or_else(|e| format!("{}: {}", e.offset, e.message), |p| p.to_string())
    }

    #[test]
    fn paths_are_shown_as_they_are_written() {
        for text in [
            ".",
            "hdr.custRef",
            "@type",
            "a.@type",
            "$",
            "$.adr[*]",
            "[*]",
            "lines[0].x",
            "a['any name'].b",
            "a['it\\'s']",
            "place[?@.role=='A' && @.@type=='B'].id",
            "x[?@.n==10 && @.b.c==true].y",
            "query:state",
            "path:id",
            "header:x-ref",
        ] {
            assert_eq!(shown(text), text);
        }
        assert_eq!(shown("place[?@.role=='A' && @['@type']==\"B\"]"), "place[?@.role=='A' && @.@type=='B']");
        assert_eq!(shown("body:supplier"), "supplier");
        assert_eq!(shown("header:X-Ref"), "header:x-ref");
    }

    #[test]
    fn what_is_no_path_is_told_where() {
        for (text, said) in [
            ("", "0: a path is empty"),
            ("a..b", "2: a member name is expected here"),
            ("a[*].b", "4: nothing may follow `[*]`"),
            ("a b", "1: `.` or `[` is expected here"),
            ("a[", "2: an index, a quoted name, `*` or a keyed element is expected here"),
            ("a[?@.x!='y']", "6: only `==` can stand in a keyed element"),
            ("a[?@.x=='y' || @.z=='w']", "12: a keyed element is joined by `&&` only"),
            ("a[?@.x==01]", "8: this is not a JSON number"),
            ("a[?@.x==y]", "9: a literal is expected here"),
            ("a['x", "2: the quote is not closed"),
            ("a[?@.x=='1' && @.x=='2']", "15: this member is compared twice"),
            ("query:", "6: a parameter or header name is expected here"),
        ] {
            assert_eq!(shown(text), said, "{text}");
        }
    }
}
