//! YAML read safely: an owned tree in which every key and value keeps its place.
//!
//! Scalars stay the text that was written (`NO`, `007`, `1.10`, `off`, `~`); what they mean is decided by the
//! reader, who knows what is expected there ([`Fields`]). What YAML can do beyond a tree of texts is refused:
//! anchors, aliases, tags, merge keys, several documents, duplicate keys, keys that are no text, tabs. And what
//! YAML reads silently otherwise than it looks, mostly unquoted text inside `{ }`, is told with the quoted form.

#[cfg(test)]
pub(crate) mod asked;
mod comments;
mod fields;
mod layout;
mod load;
mod mend;
mod misread;
mod offsets;

pub use fields::{Fields, as_list, boolean_of, choice_of, integer_of, text_of};
pub use layout::{LayoutError, WIDTH_MAX, laid_out};
pub use load::{Limits, load, load_with};

#[cfg(test)]
mod layout_tests;
#[cfg(test)]
mod tests;

use super::{SourceId, Span};
use std::ops::Range;

/// A value with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// From the first to the last character, quotes and braces included; of a block sequence or mapping, from
    /// its first to the end of its last element.
    pub span: Span,
    /// What stands there.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, quoted or not; an absent value is an empty plain one.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order written; no key twice.
    Mapping(Vec<Entry>),
}

/// One key of a mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, unquoted.
    pub key: String,
    /// Its place, quotes included.
    pub key_span: Span,
    /// Its value.
    pub value: Node,
}

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A text and how it stood in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and escapes resolved.
    pub text: String,
    /// How it was written.
    pub style: Style,
    /// Byte of the file at which the text begins.
    pub content_start: u32,
    /// The whole scalar, quotes included.
    span: Span,
    /// Where text and file run in step: (byte of the text, byte of the file), ascending. Empty where one run
    /// from `content_start` holds for all of it.
    runs: Box<[(u32, u32)]>,
}

impl Scalar {
    /// The whole scalar, quotes included.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Whether nothing was written at all.
    pub fn is_absent(&self) -> bool {
        self.style == Style::Plain && self.text.is_empty()
    }

    /// Whether this is what YAML calls null, unquoted: nothing, `~` or `null`.
    pub fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(self.text.as_str(), "" | "~" | "null")
    }

    /// Place in the file of a stretch of the text (in bytes of the text), so that a fault inside a path or a
    /// script gets its caret. Exact where the text stands in the file as it is; where escapes or folded lines
    /// lie between, the nearest place that is known.
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let start = self.place(range.start);
        let end = match range.end.checked_sub(1) {
            Some(last) if range.end > range.start => self.place(last) + 1,
            _ => start,
        };
        Span { source: self.span.source, start, end: end.max(start).min(self.span.end.max(start)) }
    }

    fn place(&self, at: usize) -> u32 {
        let at = super::source::offset(at.min(self.text.len()));
        let index = self.runs.partition_point(|(text, _)| *text <= at);
        let (text, file) = match index.checked_sub(1) {
            Some(before) => self.runs[before],
            None => (0, self.content_start),
        };
        (file + (at - text)).min(self.span.end)
    }
}

impl Node {
    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        if let Value::Scalar(scalar) = &self.value { Some(scalar) } else { None }
    }

    /// The text of a scalar.
    pub fn as_text(&self) -> Option<&str> {
        self.as_scalar().map(|scalar| scalar.text.as_str())
    }

    /// The elements of a sequence.
    pub fn as_sequence(&self) -> Option<&[Node]> {
        if let Value::Sequence(elements) = &self.value { Some(elements) } else { None }
    }

    /// The entries of a mapping.
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        if let Value::Mapping(entries) = &self.value { Some(entries) } else { None }
    }

    /// Value of a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Whether no value was written.
    pub fn is_absent(&self) -> bool {
        self.as_scalar().is_some_and(Scalar::is_absent)
    }

    /// What this is, for a message: `a mapping`, `a sequence`, `text`, `nothing`.
    pub fn kind_name(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_absent() => "nothing",
            Value::Scalar(_) => "a single value",
            Value::Sequence(_) => "a sequence",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// The file.
    pub fn source(&self) -> SourceId {
        self.span.source
    }
}
