//! Custody's duties on authored documents, and its use of a store in memory.

mod complete;
mod keep;
mod laws;
mod shape;

use crate::json::Document;

fn doc(text: &str) -> Document {
    Document::from_text(text).unwrap()
}

/// Compares ignoring white space and the order of members, and shows both.
fn assert_same(got: &Document, expected: &str) {
    assert!(got.root().eq_value(doc(expected).root()), "\ngot      {}\nexpected {expected}", got.text());
}
