//! Places of the steps inside the text of a path, so that a caret stands under the one that is wrong.

use super::scope::Missing;
use crate::mapping::raw::Text;
use crate::text::Span;
use std::ops::Range;

/// Byte ranges of the steps of a path's text, in order: names without their dots, brackets as a whole.
pub(super) fn ranges(text: &str) -> Vec<Range<usize>> {
    let start = ["query:", "path:", "header:", "body:"]
        .iter()
        .find(|prefix| text.starts_with(*prefix))
        .map_or(usize::from(text.starts_with('$')), |prefix| prefix.len());
    let mut list = Vec::new();
    if start > 1 && !text.starts_with("body:") {
        // The name of a parameter or header may hold dots.
        list.extend((start < text.len()).then_some(start..text.len()));
        return list;
    }
    let mut at = start;
    while let Some(first) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let end = match first {
            '.' => {
                at += 1;
                continue;
            }
            '[' => bracket_end(text, at),
            _ => text[at..].find(['.', '[']).map_or(text.len(), |length| at + length),
        };
        list.push(at..end);
        at = end;
    }
    list
}

fn bracket_end(text: &str, open: usize) -> usize {
    let mut quote = None;
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, character) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match (quote, character) {
            _ if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(end), _) => quote = Some(end).filter(|end| *end != character),
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => depth += 1,
            (None, ']') if depth == 1 => return at + 1,
            (None, ']') => depth -= 1,
            (None, _) => {}
        }
    }
    text.len()
}

/// Where one step of a path stands in its file.
pub(super) fn span_of(text: &Text, step: usize) -> Span {
    match ranges(text.as_str()).get(step) {
        Some(range) => text.part(range.clone()),
        None => text.span(),
    }
}

/// Where that stands which a path does not find.
pub(super) fn span_of_missing(text: &Text, missing: &Missing) -> Span {
    missing_range(text.as_str(), missing).map_or_else(|| text.span(), |range| text.part(range))
}

/// The same in a text by itself.
pub(super) fn missing_range(text: &str, missing: &Missing) -> Option<Range<usize>> {
    let step = ranges(text).get(missing.step)?.clone();
    let word = missing.word.as_ref().and_then(|word| word_range(text.get(step.clone())?, word));
    Some(word.map_or(step.clone(), |word| step.start + word.start..step.start + word.end))
}

/// Where a word stands in a longer text: its last occurrence as a whole word, else the text.
pub(super) fn word_in(text: &Text, word: &str) -> Span {
    word_range(text.as_str(), word).map_or_else(|| text.span(), |range| text.part(range))
}

fn word_range(text: &str, word: &str) -> Option<Range<usize>> {
    let whole = |at: usize| {
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !letter(text[..at].chars().next_back()) && !letter(text[at + word.len()..].chars().next())
    };
    let at = text.rmatch_indices(word).map(|(at, _)| at).find(|at| !word.is_empty() && whole(*at))?;
    Some(at..at + word.len())
}

#[cfg(test)]
mod tests {
    use super::ranges;

    #[test]
    fn steps_are_found_in_the_text() {
        for (text, steps) in [
            (".", vec![]),
            ("a.b", vec!["a", "b"]),
            ("$.adr[*]", vec!["adr", "[*]"]),
            ("a['x.y'].c", vec!["a", "['x.y']", "c"]),
            ("p[?@.r=='A]' && @['@type']=='B'].id", vec!["p", "[?@.r=='A]' && @['@type']=='B']", "id"]),
            ("query:state", vec!["state"]),
            ("query:quoteDate.gt", vec!["quoteDate.gt"]),
        ] {
            let found: Vec<_> = ranges(text).into_iter().map(|range| &text[range]).collect();
            assert_eq!(found, steps, "{text}");
        }
    }
}
