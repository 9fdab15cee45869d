//! Reading helpers that every kind of mapping file uses.

use super::Text;
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics, Hint,
    yaml::{Entry, Fields, Node},
};

/// A text under a key.
pub(super) fn text(fields: &mut Fields<'_>, key: &'static str, out: &mut Diagnostics) -> Option<Text> {
    fields.scalar(key, out).map(Text::of)
}

/// A text under a key that must be there.
pub(super) fn required_text(
    fields: &mut Fields<'_>,
    key: &'static str,
    out: &mut Diagnostics,
) -> Option<Text> {
    fields.require_scalar(key, out).map(Text::of)
}

/// A text, or a list of texts.
pub(super) fn texts(fields: &mut Fields<'_>, key: &'static str, out: &mut Diagnostics) -> Vec<Text> {
    let nodes = fields.sequence(key, true, out).unwrap_or_default();
    nodes.iter().filter_map(|node| text_of(node, key, out)).collect()
}

/// The text of a node.
pub(super) fn text_of(node: &Node, what: &str, out: &mut Diagnostics) -> Option<Text> {
    crate::text::yaml::text_of(node, what, out).map(Text::of)
}

/// Names and texts of a mapping with free keys.
pub(super) fn pairs(node: &Node, what: &str, out: &mut Diagnostics) -> Vec<(Text, Text)> {
    let Some(entries) = node.as_mapping() else {
        out.push(wrong(node, format!("`{what}` is a mapping of names to paths")));
        return Vec::new();
    };
    entries.iter().filter_map(|entry| Some((key(entry), text_of(&entry.value, what, out)?))).collect()
}

/// The key of an entry as a text.
pub(super) fn key(entry: &Entry) -> Text {
    Text::at(&entry.key, entry.key_span)
}

/// A fault of structure at a node.
pub(super) fn wrong(node: &Node, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code::FORM, format!("{}, not {}", message.into(), node.kind_name())).at(node.span)
}

/// A list of rules where a mapping is that has them under `fields`.
pub(super) fn rules_without_key(node: &Node, what: &str) -> Option<Diagnostic> {
    node.as_sequence()?;
    let hint = Hint::from("rules stand under `fields:`").keyed(node.span, "fields");
    Some(wrong(node, format!("{what} is a mapping")).hint(hint))
}

/// Refuses keys that the language has but this version does not run yet.
pub(super) fn refuse_later(fields: &mut Fields<'_>, keys: &[&'static str], out: &mut Diagnostics) {
    for key in keys {
        if let Some(entry) = fields.entry(key) {
            later(entry, out);
        }
    }
}

/// Says that a key is valid but not available yet.
pub(super) fn later(entry: &Entry, out: &mut Diagnostics) {
    let message = format!("`{}` is not available yet", entry.key);
    let hint = "the word is part of the language, but this version does not run it; take it out for now";
    out.push(Diagnostic::error(code::NOT_YET, message).at(entry.key_span).hint(hint));
}

/// One of some words under a key, with the code of a structural fault.
pub(super) fn word<T: Copy>(
    fields: &mut Fields<'_>,
    key: &'static str,
    words: &[(&'static str, T)],
    out: &mut Diagnostics,
) -> Option<(T, crate::text::Span)> {
    let entry = fields.entry(key)?;
    let value = crate::text::yaml::choice_of(&entry.value, key, words, out)?;
    Some((value, entry.value.span))
}

/// The elements of a sequence, or a fault.
pub(super) fn sequence<'n>(node: &'n Node, what: &str, out: &mut Diagnostics) -> &'n [Node] {
    node.as_sequence().unwrap_or_else(|| {
        let hint = crate::text::yaml::as_list(node, format!("write a list: `{what}: [ … ]`"));
        out.push(wrong(node, format!("`{what}` is a list")).hint(hint));
        &[]
    })
}
