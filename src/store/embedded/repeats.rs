//! What one text repeats of another one, so that the log has it once: an entity's document is mostly what the Buyer
//! asked for, word by word, and both are kept.

use std::ops::Range;

use memchr::memmem;

/// Bytes that are looked for, taken from the original at some places.
const ANCHOR_BYTES: usize = 32;

/// From one such place to the next, in bytes.
const STRIDE_BYTES: usize = 128;

/// By how many bytes something may stand further behind than where it would if all of the original were repeated.
const SLACK_BYTES: usize = 256;

/// Places that are looked for in vain, at most.
const MISSES_MAX: usize = 16;

/// What is repeated in fewer bytes is not worth a note.
const REPEATED_BYTES_MIN: usize = 64;

/// A stretch of a text: bytes of its own, and then bytes that stand in the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where its own bytes are in the text.
    pub(super) own: Range<usize>,
    /// Where the others are in the original.
    pub(super) repeated: Range<usize>,
}

/// The beginning of a text as pieces; what follows the last one is the text's own. Not the best that could be found,
/// but found in little more than one reading of both.
pub(super) fn pieces(text: &[u8], original: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut done, mut misses) = (0, 0);
    // Where both begin to differ is not looked for: what is the same before a place is found with it.
    let mut at = STRIDE_BYTES;
    while misses < MISSES_MAX
        && let Some(anchor) = original.get(at..at + ANCHOR_BYTES)
    {
        let rest = split(text, done).1;
        // What follows in the original has to find room behind it.
        let added = rest.len().saturating_sub(original.len() - at);
        let near = rest.get(..added + ANCHOR_BYTES + SLACK_BYTES).unwrap_or(rest);
        let found = memmem::find(near, anchor).map(|found| {
            let before = same_end(split(rest, found).0, split(original, at).0);
            let behind = same_start(split(rest, found).1, split(original, at).1);
            (found - before, at - before..at + behind)
        });
        match found {
            Some((start, repeated)) if repeated.len() >= REPEATED_BYTES_MIN => {
                at = repeated.end + STRIDE_BYTES;
                let own = done..done + start;
                done = own.end + repeated.len();
                pieces.push(Piece { own, repeated });
            }
            _ => {
                at += STRIDE_BYTES;
                misses += 1;
            }
        }
    }
    pieces
}

fn split(bytes: &[u8], at: usize) -> (&[u8], &[u8]) {
    bytes.split_at_checked(at).unwrap_or_default()
}

const BLOCK_BYTES: usize = 64;

/// How many bytes both begin with.
fn same_start(left: &[u8], right: &[u8]) -> usize {
    let blocks = left.as_chunks::<BLOCK_BYTES>().0.iter().zip(right.as_chunks::<BLOCK_BYTES>().0);
    let same = blocks.take_while(|(left, right)| left == right).count() * BLOCK_BYTES;
    let (left, right) = (split(left, same).1, split(right, same).1);
    same + left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// How many bytes both end with.
fn same_end(left: &[u8], right: &[u8]) -> usize {
    let (lefts, rights) = (left.as_rchunks::<BLOCK_BYTES>().1, right.as_rchunks::<BLOCK_BYTES>().1);
    let blocks = lefts.iter().rev().zip(rights.iter().rev());
    let same = blocks.take_while(|(left, right)| left == right).count() * BLOCK_BYTES;
    let (left, right) = (split(left, left.len() - same).0, split(right, right.len() - same).0);
    same + left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text, put together from its pieces; and how many of its bytes stand in the original.
    fn joined(text: &str, original: &str) -> (String, usize) {
        let (mut joined, mut repeated, mut done) = (String::new(), 0, 0);
        for piece in pieces(text.as_bytes(), original.as_bytes()) {
            assert_eq!(piece.own.start, done, "{text} of {original}");
            joined.push_str(&text[piece.own.clone()]);
            joined.push_str(&original[piece.repeated.clone()]);
            repeated += piece.repeated.len();
            done = piece.own.end + piece.repeated.len();
        }
        joined.push_str(&text[done..]);
        (joined, repeated)
    }

    #[test]
    fn what_a_text_repeats_is_found_and_put_together_again() {
        let words =
            |from: usize, to: usize| (from..to).map(|n| format!("word {n}, ")).collect::<Vec<_>>().concat();
        let all = words(0, 400);
        let (first, second) = (words(0, 150), words(150, 400));
        let near = |bytes: usize| bytes - bytes / 10..=bytes;
        for (text, original, repeated) in [
            (all.clone(), all.clone(), near(all.len())),
            (format!("{{\"id\":7,{all}}}"), format!("{{{all}}}"), near(all.len() + 1)),
            // Something stands between, and something is missing.
            (format!("{first}something else{second}"), all.clone(), near(all.len())),
            (second.clone(), all.clone(), near(second.len())),
            // The other way around only one half is found.
            (format!("{second}{first}"), all.clone(), near(second.len())),
            (all.replace("word", "Wort"), all.clone(), 0..=0),
            (String::new(), all.clone(), 0..=0),
            (all.clone(), String::new(), 0..=0),
            (words(0, 3), words(0, 3), 0..=0),
            ("a".repeat(5_000), "a".repeat(9_000), near(5_000)),
            ("a".repeat(9_000), "a".repeat(5_000), near(5_000)),
        ] {
            let (joined, found) = joined(&text, &original);
            assert_eq!(joined, text);
            assert!(repeated.contains(&found), "{found} bytes, {repeated:?} expected of {}", text.len());
        }
    }

    #[test]
    fn a_text_that_repeats_nothing_is_looked_through_a_bounded_number_of_times() {
        let original = (0..20_000).map(|n| format!("{n:x}")).collect::<Vec<_>>().concat();
        assert_eq!(pieces("-".repeat(1 << 20).as_bytes(), original.as_bytes()), []);
        // Little is repeated at many places: none of it is noted.
        let parts = original.as_bytes().chunks(40).map(String::from_utf8_lossy);
        let text = parts.collect::<Vec<_>>().join("------------------------");
        assert_eq!(pieces(text.as_bytes(), original.as_bytes()), []);
    }
}
