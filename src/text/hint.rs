//! What to do about something that is wrong: words and, where it is known, the text to put in its place.

use super::{Sources, Span, source::offset};

/// What to do about a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    words: String,
    change: Option<Change>,
}

/// What a hint changes; texts that stand in the file already are looked up when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Change {
    /// A text takes the place of another: of what the caret stands under, if none is said.
    Put(Option<Span>, String),
    /// Two stretches change places, the first before the second.
    Swap(Span, Span),
    /// An entry or element goes, with the comma or the line that belongs to it.
    Remove(Span),
    /// Texts are put before and behind something.
    Wrap(Span, &'static str, &'static str),
    /// A list becomes the value of a key: one of lines by a line above it, one in brackets inside of braces.
    Key(Span, &'static str),
}

/// A replacement that makes good what a diagnostic tells; tools may apply it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced; where it is empty, the text is put in between.
    pub span: Span,
    /// What stands there then.
    pub text: String,
}

impl Hint {
    /// That another word was meant, which takes the place of what the caret stands under.
    pub fn meant(near: impl Into<String>) -> Self {
        let near = near.into();
        Self::from(format!("did you mean `{near}`?")).putting(near)
    }

    /// The same, with the text that takes the place of what the caret stands under.
    #[must_use]
    pub fn putting(mut self, text: impl Into<String>) -> Self {
        self.change = Some(Change::Put(None, text.into()));
        self
    }

    /// The same, with a text and the place that it takes.
    #[must_use]
    pub fn putting_at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.change = Some(Change::Put(Some(span), text.into()));
        self
    }

    /// The same, with two stretches of a file that change places, the first before the second.
    #[must_use]
    pub fn swapping(mut self, first: Span, second: Span) -> Self {
        self.change = Some(Change::Swap(first, second));
        self
    }

    /// The same, with an entry of a mapping or an element of a list that goes.
    #[must_use]
    pub fn removing(mut self, span: Span) -> Self {
        self.change = Some(Change::Remove(span));
        self
    }

    /// The same, with texts that are put before and behind a stretch.
    #[must_use]
    pub fn wrapping(mut self, span: Span, before: &'static str, behind: &'static str) -> Self {
        self.change = Some(Change::Wrap(span, before, behind));
        self
    }

    /// The same, with a key that is put before a list which stands where a mapping with that key is meant.
    #[must_use]
    pub fn keyed(mut self, list: Span, key: &'static str) -> Self {
        self.change = Some(Change::Key(list, key));
        self
    }

    /// Whether it says what to put where.
    pub fn is_change(&self) -> bool {
        self.change.is_some()
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.words
    }

    /// The replacement, of a diagnostic whose caret stands at a place.
    pub(super) fn fix(&self, caret: Option<Span>, sources: &Sources) -> Option<Fix> {
        Some(match self.change.as_ref()? {
            Change::Put(own, text) => Fix { span: own.or(caret)?, text: text.clone() },
            Change::Swap(first, second) => {
                let between = Span { start: first.end, end: second.start, ..*first };
                let parts = [*second, between, *first].map(|span| sources.slice(span));
                Fix { span: first.to(*second), text: parts.concat() }
            }
            Change::Remove(span) => Fix { span: with_separator(*span, sources), text: String::new() },
            Change::Key(span, key) => with_key(*span, key, sources)?,
            Change::Wrap(span, before, behind) => {
                Fix { span: *span, text: format!("{before}{}{behind}", sources.slice(*span)) }
            }
        })
    }
}

/// A list with a key before it, which is indented below the one that the list stands under.
fn with_key(list: Span, key: &str, sources: &Sources) -> Option<Fix> {
    let written = sources.slice(list);
    if written.starts_with('[') {
        return Some(Fix { span: list, text: format!("{{ {key}: {written} }}") });
    }
    let before = sources.text(list.source).get(..list.start as usize)?;
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    let indent = before.get(line..).filter(|indent| indent.trim().is_empty())?;
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let above = before.get(..line)?.lines().rev().find(is_code)?;
    let under = above.len() - above.trim_start_matches([' ', '-']).len();
    let at = Span { start: offset(line), end: offset(line), ..list };
    Some(Fix { span: at, text: format!("{}{key}:\n", " ".repeat(indent.len().min(under + 2))) })
}

/// An entry or element with what goes with it: the comma before it or behind it, else its line.
fn with_separator(span: Span, sources: &Sources) -> Span {
    let text = sources.text(span.source);
    let before = text.get(..span.start as usize).unwrap_or_default();
    let behind = text.get(span.end as usize..).unwrap_or_default();
    let kept = before.trim_end_matches(' ');
    if let Some(kept) = kept.strip_suffix(',') {
        return Span { start: offset(kept.len()), ..span };
    }
    if kept.ends_with(['{', '[']) {
        let rest = behind.trim_start_matches(' ');
        let rest = rest.strip_prefix(',').map_or(rest, |rest| rest.trim_start_matches(' '));
        return Span { end: offset(text.len() - rest.len()), ..span };
    }
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = behind.find('\n').map_or(text.len(), |at| span.end as usize + at + 1);
    Span { start: offset(start), end: offset(end), ..span }
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        Self { words, change: None }
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}
