//! Patterns of `match` and `search`: I-Regexp (RFC 9485), compiled when the query is parsed.

use regex::{Regex, RegexBuilder};

/// Size of one compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Regex);

impl Pattern {
    /// Compiles `text`; `whole` asks that it match the whole string rather than some part.
    pub(super) fn compile(text: &str, whole: bool) -> Result<Self, String> {
        let mut pattern = String::with_capacity(text.len() + 8);
        pattern.push_str(if whole { r"\A(?:" } else { "(?:" });
        translate(text, &mut pattern);
        pattern.push_str(if whole { r")\z" } else { ")" });
        // The bare text is compiled too: `a)|(b` must not close the group around it.
        Regex::new(text).map_err(|error| reason(&error))?;
        let built = RegexBuilder::new(&pattern).size_limit(PATTERN_BYTES_MAX).build();
        built.map(Self).map_err(|error| reason(&error))
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// A dot outside a class means anything but the two line ends (RFC 9485 clause 5.3).
fn translate(text: &str, pattern: &mut String) {
    let mut in_class = false;
    let mut escaped = false;
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '.' if !in_class => {
                pattern.push_str(r"[^\n\r]");
                continue;
            }
            _ => {}
        }
        pattern.push(character);
    }
}

/// The last line of the crate's message says what is wrong; those before it draw the pattern.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim().trim_start_matches("error: ").to_owned()
}
