//! What readers ask for, noted for the test that holds the forms of editors against them.

use crate::text::Span;
use std::cell::RefCell;

/// What was asked of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// Keys of a mapping.
    Keys(Vec<&'static str>),
    /// One of these words.
    Words(Vec<&'static str>),
    /// A whole number within these bounds.
    Bounds(u64, u64),
}

thread_local! {
    static NOTED: RefCell<Option<Vec<(Span, What)>>> = const { RefCell::new(None) };
}

/// Notes what is asked while [`during`] runs on this thread.
pub(super) fn note(span: Option<Span>, what: impl FnOnce() -> What) {
    NOTED.with_borrow_mut(|noted| {
        if let (Some(noted), Some(span)) = (noted, span) {
            noted.push((span, what()));
        }
    });
}

/// What is asked while `read` runs.
pub(crate) fn during<T>(read: impl FnOnce() -> T) -> (T, Vec<(Span, What)>) {
    NOTED.set(Some(Vec::new()));
    let value = read();
    (value, NOTED.take().unwrap_or_default())
}
