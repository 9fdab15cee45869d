//! A text that cannot be read, with one slip of the hand taken back.
//!
//! Slips are few: a sign that is missing, one that is another language's, two letters exchanged. What is tried is read
//! again by whoever refused the text, so that a repair is never a guess about the grammar.

use std::ops::Range;

/// Texts that are tried at most; each is read once.
const TRIES_MAX: usize = 400;

/// What is taken back.
#[derive(Debug, Clone, Copy)]
pub struct Slips<'s> {
    /// What was written, and what was meant.
    pub written: &'s [(&'s str, &'s str)],
    /// Signs that may be missing anywhere.
    pub missing: &'s [&'s str],
}

/// The single replacement nearest to a place (a byte of the text) with which the text is good, if there is one.
pub fn repair(
    text: &str,
    place: usize,
    slips: Slips<'_>,
    mut good: impl FnMut(&str) -> bool,
) -> Option<(Range<usize>, String)> {
    let mut tries: Vec<(usize, Range<usize>, &str)> = Vec::new();
    for (order, (written, meant)) in slips.written.iter().enumerate() {
        for (at, _) in text.match_indices(written) {
            let end = at + written.len();
            let distance =
                if (at..=end).contains(&place) { 0 } else { at.abs_diff(place).min(end.abs_diff(place)) };
            tries.push((distance * 64 + order, at..end, meant));
        }
    }
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    for at in ends {
        for (order, sign) in slips.missing.iter().enumerate() {
            // What is missing is missed behind its place, and more probably at the end of a word.
            let inside = is_letter(text[..at].chars().next_back()) && is_letter(text[at..].chars().next());
            let behind_blank =
                text[..at].ends_with(' ') && !matches!(*sign, "'" | "\"" | "(" | "[" | "{" | "@." | "@");
            let distance = at.abs_diff(place)
                + usize::from(at > place)
                + 8 * usize::from(inside)
                + 4 * usize::from(behind_blank);
            tries.push((distance * 64 + 32 + order, at..at, sign));
        }
    }
    tries.sort_by_key(|(rank, range, _)| (*rank, range.start));
    tries.truncate(TRIES_MAX);
    tries.into_iter().find_map(|(_, range, put)| {
        let mut tried = text.to_owned();
        tried.replace_range(range.clone(), put);
        good(&tried).then(|| (range, put.to_owned()))
    })
}

fn is_letter(c: Option<char>) -> bool {
    c.is_some_and(|c| c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::{Slips, repair};

    const SLIPS: Slips<'_> = Slips { written: &[(" = ", " == ")], missing: &[")", "'"] };

    #[test]
    fn one_slip_is_taken_back_where_it_is() {
        let balanced = |text: &str| {
            text.matches('(').count() == text.matches(')').count()
                && !text.contains(" = ")
                && !text.contains('!')
        };
        let mended = |text: &str, place| {
            repair(text, place, SLIPS, balanced).map(|(range, put)| {
                let mut text = text.to_owned();
                text.replace_range(range, &put);
                text
            })
        };
        assert_eq!(mended("(a = b)", 3).as_deref(), Some("(a == b)"));
        assert_eq!(mended("f(a, b", 6).as_deref(), Some("f(a, b)"));
        assert_eq!(mended("!", 0), None);
    }
}
