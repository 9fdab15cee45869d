//! What is said about a source: code, severity, one short sentence, place, hint.
//!
//! Checks push to a list and go on, so that everything wrong is told at once.

use super::{Code, Fix, Hint, Sources, Span};

/// Diagnostics kept in one list; what comes after is only counted.
pub const DIAGNOSTICS_MAX: usize = 1000;

/// What follows from a diagnostic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The files are not used.
    Error,
    /// The files are used; probably something else was meant.
    Warning,
    /// For information.
    Note,
}

impl Severity {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// One thing that is said about a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable number.
    pub code: Code,
    /// What follows from it.
    pub severity: Severity,
    /// One short sentence without a full stop.
    pub message: String,
    /// Where; `None` where no text is to blame, such as a file that is not there.
    pub span: Option<Span>,
    /// A few words under the caret.
    pub label: Option<String>,
    /// What to do about it; following it works.
    pub hint: Option<Hint>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note.
    pub fn note(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        Self { code, severity, message: message.into(), span: None, label: None, hint: None }
    }

    /// The same, with its place.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// The same, with words under the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same, with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with a hint where there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<impl Into<Hint>>) -> Self {
        self.hint = hint.map(Into::into).or(self.hint);
        self
    }

    /// The replacement that its hint speaks of, where there is one.
    pub fn fix(&self, sources: &Sources) -> Option<Fix> {
        self.hint.as_ref()?.fix(self.span, sources)
    }
}

/// All that is said about a set of sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    errors: usize,
    left_out: usize,
}

impl Diagnostics {
    /// Nothing said.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; beyond [`DIAGNOSTICS_MAX`] it is only counted.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        if self.list.len() < DIAGNOSTICS_MAX {
            self.list.push(diagnostic);
        } else {
            self.left_out += 1;
        }
    }

    /// Adds all of another list.
    pub fn append(&mut self, other: Diagnostics) {
        self.left_out += other.left_out;
        let listed = other.list.iter().filter(|d| d.severity == Severity::Error).count();
        self.errors += other.errors - listed;
        for diagnostic in other.list {
            self.push(diagnostic);
        }
    }

    /// Whether anything forbids the use of the sources.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Errors, those that were only counted included.
    pub fn error_count(&self) -> usize {
        self.errors
    }

    /// Diagnostics that were only counted.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Kept diagnostics.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Kept diagnostics in their present order.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// Puts them in the order of path, place and code, and drops repetitions: the same sources always give the
    /// same list, whatever the order of the checks. Those without a place come first.
    pub fn sort(&mut self, sources: &Sources) {
        let place =
            |d: &Diagnostic| d.span.map(|span| (sources.path(span.source).to_owned(), span.start, span.end));
        self.list.sort_by_cached_key(|d| (place(d), d.code, d.severity, d.message.clone()));
        // One file is a source of its own for each partner that reads it.
        self.list.dedup_by(|later, earlier| {
            let same_but_place = |d: &Diagnostic| (d.code, d.severity, d.message.clone(), d.hint.clone());
            place(later) == place(earlier) && same_but_place(later) == same_but_place(earlier)
        });
        if self.left_out == 0 {
            self.errors = self.list.iter().filter(|d| d.severity == Severity::Error).count();
        }
    }

    /// The same in order; see [`Diagnostics::sort`].
    #[must_use]
    pub fn sorted(mut self, sources: &Sources) -> Self {
        self.sort(sources);
        self
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}
