//! `facts` in scripts and addresses: whether there is what they speak of.

use super::Compiler;
use crate::mapping::diagnostic as code;
use crate::mapping::raw::Text;
use crate::text::{Diagnostic, Hint, suggest};
use std::ops::Range;

/// Facts, and what is known to stand below each; none where that is a document.
const FACTS: &[(&str, &[&str])] = &[
    ("partner", &["id"]),
    ("settings", &[]),
    ("side", &[]),
    ("function", &[]),
    ("operation", &[]),
    ("release", &[]),
    ("test", &[]),
    ("exchange", &[]),
    ("now", &[]),
    ("entity", ENTITY),
    ("parent", ENTITY),
    ("legacy", &["status", "headers", "text"]),
    ("request", &[]),
];

const ENTITY: &[&str] = &["id", "href", "legacy_id", "document"];

impl Compiler<'_> {
    /// Tells what a script reads of `facts` that there is not.
    pub(super) fn check_facts(&mut self, text: &Text) {
        let script = text.as_str();
        for (at, _) in script.match_indices("facts") {
            let before = script[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '\'' | '`')) {
                continue;
            }
            let Some(first) = member(script, at + "facts".len()) else { continue };
            let second = member(script, first.end);
            if let Some((range, message, hint)) = self.missing_fact(script, &first, second.as_ref()) {
                let fault = Diagnostic::error(code::NO_FACT, message).at(text.part(range));
                self.out.push(fault.maybe_hint(hint));
            }
        }
    }

    /// What is wrong with `facts.FIRST.SECOND`: where, and what to write.
    pub(super) fn missing_fact(
        &self,
        text: &str,
        first: &Range<usize>,
        second: Option<&Range<usize>>,
    ) -> Option<(Range<usize>, String, Option<Hint>)> {
        let name = &text[first.clone()];
        let Some((_, below)) = FACTS.iter().find(|(known, _)| *known == name) else {
            let near = suggest(name, FACTS.iter().map(|(known, _)| *known));
            return Some((first.clone(), format!("there is no fact `{name}`"), near.map(Hint::meant)));
        };
        let second = second?.clone();
        let inner = &text[second.clone()];
        let of_partner = matches!(name, "partner" | "settings");
        let own = self.settings.iter().flatten().filter(|_| of_partner).map(String::as_str);
        let known: Vec<&str> = below.iter().copied().chain(own).collect();
        let open = below.is_empty() && !of_partner || of_partner && self.settings.is_none();
        if open || known.contains(&inner) {
            return None;
        }
        let near = suggest(inner, known.iter().copied()).map(Hint::meant);
        let message = match name {
            "settings" | "partner" => format!("the partner has no setting `{inner}`"),
            _ => format!("`facts.{name}` has no `{inner}`"),
        };
        Some((second, message, near))
    }
}

/// The name behind a dot at a place, if one stands there and is not called.
fn member(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = text.get(at..)?;
    let start = at + rest.strip_prefix('.').map(|_| 1).or_else(|| rest.strip_prefix("?.").map(|_| 2))?;
    let name = &text[start..];
    let end =
        name.find(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(text.len(), |length| start + length);
    (end > start && !text[end..].starts_with('(')).then_some(start..end)
}
