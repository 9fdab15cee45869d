//! From the parser's positions, which count characters, to bytes; and from a scalar's text back to the file.

use super::{Scalar, Style};
use crate::text::{Span, source::offset};

/// Byte of each character of a text.
pub(super) struct Offsets {
    /// `None` where every character is one byte.
    bytes: Option<Vec<u32>>,
    len: u32,
}

impl Offsets {
    pub(super) fn of(text: &str) -> Self {
        let len = offset(text.len());
        let table = || text.char_indices().map(|(at, _)| offset(at)).collect();
        Self { bytes: (!text.is_ascii()).then(table), len }
    }

    /// Byte at which a character starts; the end of the text where there are fewer.
    pub(super) fn byte(&self, character: usize) -> u32 {
        match &self.bytes {
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.len),
            None => offset(character).min(self.len),
        }
    }
}

/// A scalar with the runs in which its text stands in the file.
///
/// `span` is the parser's: quotes included; of a block scalar from the first content line, perhaps beyond the last.
pub(super) fn scalar(file: &str, text: String, style: Style, span: Span) -> Scalar {
    let (start, end) = (span.start as usize, span.end as usize);
    let raw = file.get(start..end).unwrap_or("");
    let quote = usize::from(matches!(style, Style::SingleQuoted | Style::DoubleQuoted));
    let content = raw.get(quote..).unwrap_or("");
    // A block scalar's span may begin before the indentation of its first line or after it.
    let indent = if matches!(style, Style::Literal | Style::Folded) { indent_of(content, &text) } else { 0 };
    let content_start = offset(start + quote + indent);
    let verbatim = content.get(indent..).is_some_and(|rest| rest.starts_with(&text));
    let runs = if verbatim { Box::default() } else { align(content, &text, style, start + quote) };
    Scalar { text, style, content_start, span, runs }
}

fn indent_of(content: &str, text: &str) -> usize {
    let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\n', '\r']).len();
    blanks(content).saturating_sub(blanks(text))
}

/// Walks text and source side by side and notes where they get out of step.
fn align(raw: &str, text: &str, style: Style, start: usize) -> Box<[(u32, u32)]> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut at = 0;
    for (in_text, character) in text.char_indices() {
        at += skipped(&raw[at..], character, style);
        let rest = &raw[at..];
        let (in_text, in_file) = (offset(in_text), offset(start + at));
        let in_step = runs.last().is_some_and(|(text, file)| in_file - file == in_text - text);
        if !in_step {
            runs.push((in_text, in_file));
        }
        at += width(rest, character, style);
    }
    runs.into_boxed_slice()
}

/// Bytes of the source that stand for nothing before this character of the text: indentation, folded breaks.
fn skipped(rest: &str, wanted: char, style: Style) -> usize {
    if rest.starts_with(wanted) {
        return 0;
    }
    // A folded break is a blank in the text: the blank stands where the break is.
    if wanted == ' ' && rest.starts_with(['\n', '\r']) {
        return 0;
    }
    let blank = rest.len() - rest.trim_start_matches([' ', '\n', '\r']).len();
    let after = &rest[blank..];
    let escaped = style == Style::DoubleQuoted && after.starts_with('\\');
    if after.starts_with(wanted) || escaped { blank } else { 0 }
}

/// Bytes of the source that one character of the text takes.
fn width(rest: &str, wanted: char, style: Style) -> usize {
    if style == Style::SingleQuoted && rest.starts_with("''") {
        return 2;
    }
    if style == Style::DoubleQuoted && rest.starts_with('\\') {
        let escape = rest[1..].chars().next();
        return match escape {
            Some('x') => 4,
            Some('u') => 6,
            Some('U') => 10,
            Some(other) => 1 + other.len_utf8(),
            None => 1,
        }
        .min(rest.len());
    }
    if rest.starts_with(wanted) {
        return wanted.len_utf8();
    }
    if wanted == ' ' && rest.starts_with(['\n', '\r']) {
        return rest.len() - rest.trim_start_matches([' ', '\n', '\r']).len();
    }
    0
}

#[cfg(test)]
mod tests {
    use super::super::{Value, load};
    use crate::text::{Diagnostics, Sources};

    /// For each word of the scalar under `k`, the text of the file at the place given for it.
    fn words(file: &str) -> Vec<(String, String)> {
        let mut sources = Sources::new();
        let id = sources.add("a.yaml", file);
        let mut out = Diagnostics::new();
        let node = load(&sources, id, &mut out).unwrap();
        assert!(out.is_empty(), "{}", out.render_text(&sources));
        let Value::Scalar(scalar) = &node.get("k").unwrap().value else { panic!("no scalar") };
        let mut list = Vec::new();
        let mut from = 0;
        for word in scalar.text.split_inclusive([' ', '\n']) {
            let word_end = from + word.trim_end().len();
            let place = scalar.span_of(from..word_end);
            list.push((scalar.text[from..word_end].to_owned(), sources.slice(place).to_owned()));
            from += word.len();
        }
        list
    }

    #[test]
    fn words_of_scalars_are_found_in_the_file() {
        for file in [
            "k: one two",
            "ä: é\nk: 'one two'\n",
            "k: \"one two\"  # c\n",
            "{ é: x, k: one two }",
            "k: one\n  two\n  three\n",
            "k: 'one\n  two\n\n  three'\n",
            "k: |\n  one ö two\n  three\n",
            "k: |2\n  one\n    deeper two\n\n  three\n",
            "k: |-\n      one\n        deeper two\n",
            "a:\n  - x\nk: >\n  one two\n  three\n\n  four\n",
        ] {
            for (word, place) in words(file) {
                assert_eq!(word, place, "{file}");
            }
        }
    }

    #[test]
    fn escapes_are_stepped_over() {
        let at = words("k: 'it''s two'");
        assert_eq!(at, [("it's".into(), "it''s".into()), ("two".into(), "two".into())]);
        let at = words(r#"k: "\u00e9\n\"two\" three""#);
        assert_eq!(at[2], ("three".into(), "three".into()));
        assert_eq!(at[1].1, r#"\"two\"#);
    }
}
