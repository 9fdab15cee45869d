//! Patterns of texts. Those of the standard that ask for one character of a range are asked without a matcher.

use regex::Regex;
use std::ops::RangeInclusive;

/// A regular expression that matches somewhere in a text.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Matches wherever one of these bytes stands: no matcher is kept.
    AnyOf(RangeInclusive<u8>),
    /// Any other.
    Regex(Regex),
}

impl Pattern {
    /// Of a regular expression.
    ///
    /// # Errors
    /// It is none.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        Ok(match range(text) {
            Some(range) => Self::AnyOf(range),
            None => Self::Regex(Regex::new(text)?),
        })
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Self::AnyOf(range) => text.bytes().any(|byte| range.contains(&byte)),
            Self::Regex(regex) => regex.is_match(text),
        }
    }

    /// The same for the bytes of a text; false also where only the text can tell.
    #[inline]
    pub fn is_surely_match(&self, text: &[u8]) -> bool {
        match self {
            Self::AnyOf(range) => text.iter().any(|byte| range.contains(byte)),
            Self::Regex(_) => false,
        }
    }
}

/// The range of `[a-z]` and `[a-z]+`, where both ends are ASCII and mean themselves.
fn range(pattern: &str) -> Option<RangeInclusive<u8>> {
    let class = pattern.strip_suffix('+').unwrap_or(pattern);
    let &[b'[', first, b'-', last, b']'] = class.as_bytes() else { return None };
    let means_itself = |byte: u8| byte.is_ascii() && !b"^\\[]-&~".contains(&byte);
    (means_itself(first) && means_itself(last) && first <= last).then_some(first..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_matcher_says() {
        for (pattern, is_range) in [
            ("[ -\u{7f}]+", true),
            ("[a-f]", true),
            ("[^-a]+", false),
            ("[a-é]+", false),
            ("[a-c]*", false),
            ("[a-c]{2}", false),
            ("^[a-c]+", false),
        ] {
            let regex = Regex::new(pattern).unwrap();
            let pattern = Pattern::new(pattern).unwrap();
            assert_eq!(matches!(pattern, Pattern::AnyOf(_)), is_range, "{pattern:?}");
            for text in ["", "a", "é", "\u{1}", "\n", "éa", "zz", "~", "\u{7f}", "\u{80}"] {
                assert_eq!(pattern.is_match(text), regex.is_match(text), "{pattern:?} {text:?}");
                let surely = pattern.is_surely_match(text.as_bytes());
                assert!(!surely || pattern.is_match(text), "{pattern:?} {text:?}");
                assert!(surely || !is_range || !pattern.is_match(text), "{pattern:?} {text:?}");
            }
        }
    }
}
