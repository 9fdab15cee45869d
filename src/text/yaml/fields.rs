//! Typed reading of one mapping: what is asked for is known, what is left over is an error with a suggestion.

#[cfg(test)]
use super::asked;
use super::{Entry, Node, Scalar, Style, Value};
use crate::text::{Diagnostic, Diagnostics, Hint, Span, code, suggest};
use std::ops::RangeInclusive;

/// The keys of one mapping, taken one by one.
///
/// Every reader pushes what is wrong to `out` and gives `None`, so that reading goes on. [`Fields::finish`] ends
/// it: keys that nobody asked for are errors, and every key that was asked for is a possible suggestion.
///
/// The default is a mapping without keys, so that defaults are read the same way as values.
#[derive(Debug, Default)]
pub struct Fields<'n> {
    entries: &'n [Entry],
    span: Option<Span>,
    asked: Vec<&'static str>,
    taken: Vec<bool>,
}

impl<'n> Fields<'n> {
    /// The keys of a mapping; `what` is put in the message where the node is none ("`what` is a mapping").
    pub fn of(node: &'n Node, what: &str, out: &mut Diagnostics) -> Option<Fields<'n>> {
        let Some(entries) = node.as_mapping() else {
            out.push(wrong_kind(node, &format!("{what} is a mapping")));
            return None;
        };
        Some(Self { entries, span: Some(node.span), asked: Vec::new(), taken: vec![false; entries.len()] })
    }

    /// The keys of a section that may be missing or hold nothing but comments: then there are none.
    pub fn section(node: Option<&'n Node>, what: &str, out: &mut Diagnostics) -> Fields<'n> {
        node.filter(|node| !node.is_absent()).and_then(|node| Fields::of(node, what, out)).unwrap_or_default()
    }

    /// Place of the whole mapping; `None` for the default.
    pub fn span(&self) -> Option<Span> {
        self.span
    }

    /// The entry of a key, if it is there.
    pub fn entry(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.asked.push(key);
        let index = self.entries.iter().position(|entry| entry.key == key)?;
        self.taken[index] = true;
        Some(&self.entries[index])
    }

    /// The value of a key, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The value of a key that must be there.
    pub fn require(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'n Node> {
        let found = self.take(key);
        if found.is_none() {
            self.missing(key, out);
        }
        found
    }

    /// A text, if the key is there.
    pub fn text(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'n str> {
        self.scalar(key, out).map(|scalar| scalar.text.as_str())
    }

    /// A text that must be there.
    pub fn require_text(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'n str> {
        self.require_scalar(key, out).map(|scalar| scalar.text.as_str())
    }

    /// A scalar with some text in it, if the key is there.
    pub fn scalar(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'n Scalar> {
        text_of(self.take(key)?, key, out)
    }

    /// A scalar with some text in it, that must be there.
    pub fn require_scalar(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'n Scalar> {
        text_of(self.require(key, out)?, key, out)
    }

    /// `true` or `false`, if the key is there.
    pub fn boolean(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<bool> {
        boolean_of(self.take(key)?, key, out)
    }

    /// A whole number within bounds, if the key is there.
    pub fn integer(
        &mut self,
        key: &'static str,
        bounds: RangeInclusive<u64>,
        out: &mut Diagnostics,
    ) -> Option<u64> {
        integer_of(self.take(key)?, key, bounds, out)
    }

    /// One of some words, if the key is there; what comes back is the second of its pair.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        out: &mut Diagnostics,
    ) -> Option<T> {
        choice_of(self.take(key)?, key, words, out)
    }

    /// The elements of a sequence, if the key is there; a single scalar or mapping counts as a sequence of one
    /// where `one` allows it.
    pub fn sequence(&mut self, key: &'static str, one: bool, out: &mut Diagnostics) -> Option<&'n [Node]> {
        let node = self.take(key)?;
        match &node.value {
            Value::Sequence(elements) => Some(elements),
            Value::Scalar(scalar) if one && !scalar.is_absent() => Some(std::slice::from_ref(node)),
            Value::Mapping(_) if one => Some(std::slice::from_ref(node)),
            _ => {
                out.push(
                    wrong_kind(node, &format!("`{key}` is a sequence"))
                        .hint(as_list(node, format!("write `{key}: [ … ]`"))),
                );
                None
            }
        }
    }

    /// The entries of a mapping with free keys, if the key is there.
    pub fn mapping(&mut self, key: &'static str, out: &mut Diagnostics) -> Option<&'n [Entry]> {
        let node = self.take(key)?;
        let entries = node.as_mapping();
        if entries.is_none() {
            out.push(wrong_kind(node, &format!("`{key}` is a mapping")));
        }
        entries
    }

    /// Makes a key known without reading it, for keys that are valid but read elsewhere.
    pub fn allow(&mut self, key: &'static str) {
        let _ = self.entry(key);
    }

    /// The entries that nobody asked for so far; they count as taken. For mappings with free keys beside known ones.
    pub fn rest(&mut self) -> Vec<&'n Entry> {
        let free = self
            .entries
            .iter()
            .zip(&self.taken)
            .filter(|(_, taken)| !**taken)
            .map(|(entry, _)| entry)
            .collect();
        self.taken.fill(true);
        free
    }

    /// Says that a required key is missing which has one good value, or one that is written as a rule: it is proposed at the
    /// beginning of the file.
    pub fn missing_as(&self, key: &str, value: &str, why: &str, out: &mut Diagnostics) {
        let Some(span) = self.span else { return self.missing(key, out) };
        let begin = Span { end: span.start, ..span };
        let hint = Hint::from(format!("write `{key}: {value}`{why}"));
        let fault = Diagnostic::error(code::MISSING_KEY, format!("the key `{key}` is missing"));
        let fault = fault.at(Span { end: (span.start + 1).min(span.end), ..span });
        let is_renamed = self.renamed(key).is_some();
        if is_renamed {
            self.missing(key, out);
        } else {
            out.push(fault.hint(hint.putting_at(begin, format!("{key}: {value}\n"))));
        }
    }

    /// A key that nobody knows and that looks like this one.
    fn renamed(&self, key: &str) -> Option<&str> {
        let unknown = self.entries.iter().zip(&self.taken).filter(|(_, taken)| !**taken);
        suggest(key, unknown.map(|(entry, _)| entry.key.as_str()))
    }

    /// Says that a required key is missing.
    pub fn missing(&self, key: &str, out: &mut Diagnostics) {
        let hint = self.renamed(key).map(|near| format!("is `{near}` meant to be `{key}`?"));
        let fault =
            Diagnostic::error(code::MISSING_KEY, format!("the key `{key}` is missing")).maybe_hint(hint);
        // One character, because the whole mapping may be a page long.
        out.push(match self.span {
            Some(span) => fault.at(Span { end: (span.start + 1).min(span.end), ..span }),
            None => fault,
        });
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self, out: &mut Diagnostics) {
        #[cfg(test)]
        asked::note(self.span, || asked::What::Keys(self.asked.clone()));
        for (entry, _) in self.entries.iter().zip(&self.taken).filter(|(_, taken)| !**taken) {
            let fault = Diagnostic::error(code::UNKNOWN_KEY, format!("unknown key `{}`", entry.key))
                .at(entry.key_span);
            let hint = match suggest(&entry.key, self.asked.iter().copied()) {
                Some(near) => Hint::meant(near),
                None if self.asked.is_empty() => "no key is known here".into(),
                None => format!("known here: {}", listed(self.asked.iter().copied())).into(),
            };
            out.push(fault.hint(hint));
        }
    }
}

/// The scalar of a node that must hold some text; `what` names it in the message.
pub fn text_of<'n>(node: &'n Node, what: &str, out: &mut Diagnostics) -> Option<&'n Scalar> {
    let Some(scalar) = node.as_scalar() else {
        out.push(wrong_kind(node, &format!("`{what}` is a single text")));
        return None;
    };
    if scalar.text.is_empty() {
        out.push(Diagnostic::error(code::EMPTY_TEXT, format!("`{what}` is empty")).at(node.span));
        return None;
    }
    Some(scalar)
}

/// `true` or `false`.
pub fn boolean_of(node: &Node, what: &str, out: &mut Diagnostics) -> Option<bool> {
    let scalar = text_of(node, what, out)?;
    match (scalar.style, scalar.text.as_str()) {
        (Style::Plain, "true") => Some(true),
        (Style::Plain, "false") => Some(false),
        _ => {
            let message = format!("`{what}` is true or false, not `{}`", scalar.text);
            let meant = match scalar.text.to_ascii_lowercase().as_str() {
                "yes" | "on" | "y" | "true" | "1" => Some("true"),
                "no" | "off" | "n" | "false" | "0" => Some("false"),
                word => suggest(word, ["true", "false"].into_iter()),
            };
            let hint = Hint::from("write true or false, unquoted");
            let hint =
                meant.map_or(hint, |word| Hint::from(format!("write `{word}`, unquoted")).putting(word));
            out.push(Diagnostic::error(code::NOT_BOOLEAN, message).at(node.span).hint(hint));
            None
        }
    }
}

/// A whole number within bounds.
pub fn integer_of(
    node: &Node,
    what: &str,
    bounds: RangeInclusive<u64>,
    out: &mut Diagnostics,
) -> Option<u64> {
    let scalar = text_of(node, what, out)?;
    let (least, most) = (bounds.start(), bounds.end());
    #[cfg(test)]
    asked::note(Some(node.span), || asked::What::Bounds(*least, *most));
    let digits = scalar.style == Style::Plain && scalar.text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || (scalar.text.len() > 1 && scalar.text.starts_with('0')) {
        let message = format!("`{what}` is a whole number, not `{}`", scalar.text);
        let hint = Hint::from(format!("write a number from {least} to {most}, unquoted and without unit"));
        let hint = match meant_number(&scalar.text).filter(|number| bounds.contains(number)) {
            Some(number) => hint.putting(number.to_string()),
            None => hint,
        };
        out.push(Diagnostic::error(code::NOT_INTEGER, message).at(node.span).hint(hint));
        return None;
    }
    let number = scalar.text.parse().ok().filter(|number| bounds.contains(number));
    if number.is_none() {
        let message = format!("`{what}` is {}, outside its bounds", scalar.text);
        let hint = format!("write a number from {least} to {most}");
        out.push(Diagnostic::error(code::OUT_OF_RANGE, message).at(node.span).hint(hint));
    }
    number
}

/// The number that a text was meant to be: with its unit, with separators, with letters that look like digits.
fn meant_number(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ' ' | ',')).collect();
    let unit = digits.trim_end_matches(|c: char| c.is_ascii_lowercase() || c == '%');
    let unit = if unit.is_empty() { &digits } else { unit };
    unit.replace(['O', 'o'], "0").replace(['l', 'I'], "1").parse().ok()
}

/// One of some words.
pub fn choice_of<T: Copy>(
    node: &Node,
    what: &str,
    words: &[(&'static str, T)],
    out: &mut Diagnostics,
) -> Option<T> {
    let scalar = text_of(node, what, out)?;
    let text = &scalar.text;
    #[cfg(test)]
    asked::note(Some(node.span), || asked::What::Words(words.iter().map(|(word, _)| *word).collect()));
    if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
        return Some(*value);
    }
    let names = || words.iter().map(|(word, _)| *word);
    let hint = match suggest(text, names()) {
        Some(near) if scalar.style != Style::Plain => Hint::meant(near).putting(format!("\"{near}\"")),
        Some(near) => Hint::meant(near),
        None => format!("known here: {}", listed(names())).into(),
    };
    let message = format!("`{what}` cannot be `{text}`");
    out.push(Diagnostic::error(code::NOT_A_CHOICE, message).at(node.span).hint(hint));
    None
}

/// The hint to write a value as a list of one, where it stands on one line.
pub fn as_list(node: &Node, words: impl Into<String>) -> Hint {
    let hint = Hint::from(words.into());
    let is_block = node
        .as_mapping()
        .is_some_and(|entries| entries.first().is_some_and(|one| one.key_span.start == node.span.start));
    if is_block || node.is_absent() { hint } else { hint.wrapping(node.span, "[ ", " ]") }
}

fn wrong_kind(node: &Node, expected: &str) -> Diagnostic {
    Diagnostic::error(code::WRONG_KIND, format!("{expected}, not {}", node.kind_name())).at(node.span)
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    /// Words that a hint lists at most.
    const WORDS_MAX: usize = 20;
    let mut list: Vec<&str> = words.collect();
    list.dedup();
    let more = list.len() > WORDS_MAX;
    list.truncate(WORDS_MAX);
    let mut text = list.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    if more {
        text.push_str(", …");
    }
    text
}
