//! Patterns of texts. Those of the standard that ask for one character of a range are asked without a matcher.

use regex::Regex;
use std::ops::RangeInclusive;

/// A regular expression that matches somewhere in a text.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// Matches wherever one of these bytes stands.
    any_of: Option<RangeInclusive<u8>>,
}

impl Pattern {
    /// Of a regular expression.
    ///
    /// # Errors
    /// It is none.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        Ok(Self { regex: Regex::new(text)?, any_of: range(text) })
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.any_of {
            Some(range) => text.bytes().any(|byte| range.contains(&byte)),
            None => self.regex.is_match(text),
        }
    }

    /// The same for the bytes of a text; false also where only the text can tell.
    #[inline]
    pub fn is_surely_match(&self, text: &[u8]) -> bool {
        self.any_of.as_ref().is_some_and(|range| text.iter().any(|byte| range.contains(byte)))
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
            let pattern = Pattern::new(pattern).unwrap();
            assert_eq!(pattern.any_of.is_some(), is_range, "{pattern:?}");
            for text in ["", "a", "é", "\u{1}", "\n", "éa", "zz", "~", "\u{7f}", "\u{80}"] {
                assert_eq!(pattern.is_match(text), pattern.regex.is_match(text), "{pattern:?} {text:?}");
                let surely = pattern.is_surely_match(text.as_bytes());
                assert!(!surely || pattern.is_match(text), "{pattern:?} {text:?}");
                assert!(surely || !is_range || !pattern.is_match(text), "{pattern:?} {text:?}");
            }
        }
    }
}
