//! What to do about something that is wrong: words and, where it is known, the text to put in its place.

use super::Span;

/// What to do about a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    words: String,
    fix: Option<(Option<Span>, String)>,
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
        self.fix = Some((None, text.into()));
        self
    }

    /// The same, with a text and the place that it takes.
    #[must_use]
    pub fn putting_at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some((Some(span), text.into()));
        self
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.words
    }

    /// The text that is put in the place of what is wrong, if it is known.
    pub fn replacement(&self) -> Option<&str> {
        self.fix.as_ref().map(|(_, text)| text.as_str())
    }

    /// The replacement, of a diagnostic whose caret stands at a place.
    pub(super) fn fix(&self, caret: Option<Span>) -> Option<Fix> {
        let (own, text) = self.fix.as_ref()?;
        Some(Fix { span: own.or(caret)?, text: text.clone() })
    }
}

impl From<String> for Hint {
    fn from(words: String) -> Self {
        Self { words, fix: None }
    }
}

impl From<&str> for Hint {
    fn from(words: &str) -> Self {
        words.to_owned().into()
    }
}
