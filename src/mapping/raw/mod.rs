//! Mapping files as they are written: nothing resolved, nothing merged, every word with its place.
//!
//! Reading ends in plain data that mirrors the files; what is wrong with their structure is told here, all at
//! once. What the words mean (paths, types, code tables, scripts) is the compiler's, which sees the schema and
//! the overlay beside them. Nothing here is kept once a plan is built.

mod bridge;
mod exposed;
mod news;
mod operation;
mod overlay;
mod read;
mod read_bridge;
mod read_exposed;
mod read_news;
mod read_operation;
mod read_overlay;
mod read_rule;
mod read_set;
mod recover;
mod rule;
mod set;

pub use bridge::{BridgeFile, OperationRule, ProductRule, TypeRule};
pub use exposed::{Expose, Notify, Problems, Seller};
pub use news::{News, Receive, Watch};
pub use operation::{
    Answer, AnswerFrom, Body, Call, Complete, Conduct, On, Operation, Paging, Statuses, Undo,
};
pub use overlay::{Change, CodesChange, OverlayFile};
pub use read_bridge::read_bridge;
pub use read_operation::operations;
pub use read_overlay::read_overlay;
pub use read_set::{read_codes, read_function, read_set};
pub use recover::Recover;
pub use rule::{
    Branch, Condition, Default, Directed, ElseBranch, Inputs, KeySpec, Lossy, Numbered, Only, Otherwise,
    Phases, Refuse, Rule, ScriptText,
};
pub use set::{CodeRow, CodeSide, CodeTable, FunctionFile, NamespaceOf, ProductName, SetFile, Shape};

use crate::text::{
    Hint, Slips, Span, repair,
    yaml::{Scalar, Style},
};
use std::ops::Range;

/// A word of a mapping file with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    content: Box<str>,
    span: Span,
    scalar: Option<Scalar>,
}

impl Text {
    /// A scalar; its place is the text without quotes.
    pub fn of(scalar: &Scalar) -> Self {
        let span = scalar.span_of(0..scalar.text.len());
        Self { content: scalar.text.as_str().into(), span, scalar: Some(scalar.clone()) }
    }

    /// A key, or any other word that stands at one place as a whole.
    pub fn at(text: &str, span: Span) -> Self {
        Self { content: text.into(), span, scalar: None }
    }

    /// The text, quotes and escapes resolved.
    pub fn as_str(&self) -> &str {
        &self.content
    }

    /// Where it stands, without quotes.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Where it stands, quotes included.
    pub fn whole(&self) -> Span {
        self.scalar.as_ref().map_or(self.span, Scalar::span)
    }

    /// Where it ends, quotes included; nothing stands there.
    pub fn end(&self) -> Span {
        let span = self.scalar.as_ref().map_or(self.span, Scalar::span);
        Span { start: span.end, ..span }
    }

    /// Where a stretch of it stands, in bytes of the text; for faults inside paths, queries and scripts.
    pub fn part(&self, range: Range<usize>) -> Span {
        match &self.scalar {
            Some(scalar) => scalar.span_of(range),
            None => self.span,
        }
    }

    /// A text as it is written inside of this one.
    pub fn escaped(&self, text: &str) -> String {
        match self.scalar.as_ref().map(|scalar| scalar.style) {
            Some(Style::DoubleQuoted) => text.replace('\\', "\\\\").replace('"', "\\\""),
            Some(Style::SingleQuoted) => text.replace('\'', "''"),
            _ => text.to_owned(),
        }
    }

    /// The hint to write the text with one slip of the hand taken back, where that makes it good.
    pub fn mended(&self, place: usize, slips: Slips<'_>, good: impl FnMut(&str) -> bool) -> Option<Hint> {
        let (range, put) = repair(self.as_str(), place, slips, good)?;
        Some(self.replaced(range, &put))
    }

    /// The hint to write a text in the place of a stretch of this one.
    pub fn replaced(&self, range: Range<usize>, put: &str) -> Hint {
        let mut whole = self.as_str().to_owned();
        whole.replace_range(range.clone(), put);
        Hint::from(format!("write `{whole}`")).putting_at(self.part(range), self.escaped(put))
    }

    /// Where the word at a byte stands: up to the next blank or bracket, at least one character.
    pub fn word_at(&self, offset: usize) -> Span {
        let mut start = offset.min(self.content.len());
        while !self.content.is_char_boundary(start) {
            start -= 1;
        }
        let rest = self.content.get(start..).unwrap_or_default();
        let stop = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '@'));
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let length = rest.find(stop).unwrap_or(rest.len()).max(first);
        self.part(start..start + length)
    }
}

impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.content)
    }
}
