//! Places of the steps inside the text of a path, so that a caret stands under the one that is wrong.

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

/// Where a word stands in a longer text: its last occurrence as a whole word, else the text.
pub(super) fn word_in(text: &Text, word: &str) -> Span {
    let inner = text.as_str();
    let whole = |at: usize| {
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !letter(inner[..at].chars().next_back()) && !letter(inner[at + word.len()..].chars().next())
    };
    match inner.rmatch_indices(word).map(|(at, _)| at).find(|at| whole(*at)) {
        Some(at) if !word.is_empty() => text.part(at..at + word.len()),
        _ => text.span(),
    }
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
