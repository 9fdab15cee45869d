//! The reference exchange: a dense quote request of 6.8 KB on one access line, and what Acme answers to it.
#![allow(dead_code, reason = "each bench takes what it needs")]

/// The request of the Buyer, without blanks.
#[must_use]
pub fn request() -> String {
    compact(include_str!("quote-request.json"))
}

/// JSON without the blanks between its tokens.
fn compact(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let keep = |c: &char| {
        let kept = in_string || !c.is_ascii_whitespace();
        in_string ^= *c == '"' && !escaped;
        escaped = *c == '\\' && !escaped;
        kept
    };
    text.chars().filter(keep).collect()
}

/// What the simulated BSS answers to the mapped request.
#[must_use]
pub fn answer() -> String {
    compact(include_str!("offer-answer.json"))
}
