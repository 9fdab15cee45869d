//! Plain text inside strings: passed eight bytes at a time, because most of a message is that.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// First place from `at` on of a byte that cannot stand in a string as it is (quote, backslash or control
/// character), or the end of `bytes`.
#[inline]
pub(super) fn plain_end(bytes: &[u8], at: usize) -> usize {
    // The first word is apart: most strings end within it.
    match word(bytes, at).map(stops) {
        Some(0) => far_end(bytes, at + 8),
        Some(found) => at + first(found),
        None => tail_end(bytes, at),
    }
}

/// Whether two names are the same, without a call: most have two or three words.
#[inline]
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    let len = left.len();
    if len != right.len() {
        return false;
    }
    if len < 8 {
        // Both halves of it, which overlap.
        let halves = |name: &[u8]| [half(name, 0), half(name, len.wrapping_sub(4))];
        return if len >= 4 { halves(left) == halves(right) } else { left.iter().eq(right) };
    }
    if word(left, 0) != word(right, 0) || word(left, len - 8) != word(right, len - 8) {
        return false;
    }
    let mut at = 8;
    while at + 8 < len {
        if word(left, at) != word(right, at) {
            return false;
        }
        at += 8;
    }
    true
}

/// Four bytes from `at` on, none if there are not so many.
#[inline]
fn half(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes: [u8; 4] = bytes.get(at..)?.get(..4)?.try_into().ok()?;
    Some(u32::from_le_bytes(bytes))
}

#[inline(never)]
fn far_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(found) = word(bytes, at).map(stops) {
        if found != 0 {
            return at + first(found);
        }
        at += 8;
    }
    tail_end(bytes, at)
}

/// The end among the last bytes, fewer than a word.
fn tail_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    // The last word overlaps what was passed already; a stop in there would make the marks above it unsure.
    let last = bytes.last_chunk::<8>().map(|chunk| stops(u64::from_le_bytes(*chunk)));
    if last == Some(0) {
        return bytes.len();
    }
    let is_plain = |byte: &&u8| **byte >= 0x20 && **byte != b'"' && **byte != b'\\';
    at + rest.iter().take_while(is_plain).count()
}

/// Eight bytes from `at` on, none if there are not so many.
#[inline]
fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes: [u8; 8] = bytes.get(at..)?.get(..8)?.try_into().ok()?;
    Some(u64::from_le_bytes(bytes))
}

/// Marks the high bit of the first byte that ends plain text. Marks beyond the first may be wrong (borrows run
/// upwards), so only the lowest one counts, and none means none.
fn stops(word: u64) -> u64 {
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5c);
    let quotes = quote.wrapping_sub(ONES) & !quote;
    let backslashes = backslash.wrapping_sub(ONES) & !backslash;
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
}

fn first(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_as_they_are_equal() {
        for len in 0..40 {
            let name: Vec<u8> = (0..len).map(|at| b'a' + at % 26).collect();
            assert!(same(&name, &name.clone()));
            for at in 0..name.len() {
                let mut other = name.clone();
                other[at] ^= 1;
                assert!(!same(&name, &other), "{len} at {at}");
                assert!(!same(&name, &name[..at]) && !same(&name[at + 1..], &name));
            }
        }
    }

    #[test]
    fn every_byte_at_every_place_is_judged_as_one_by_one() {
        let is_stop = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        for len in 0..20 {
            for place in 0..len {
                for byte in 0..=255 {
                    // A second stop behind, and one before the place where reading begins.
                    let mut bytes = vec![b'x'; len];
                    bytes[place] = byte;
                    for from in 0..=len {
                        if from > 0 {
                            bytes[from - 1] = if from - 1 == place { byte } else { b'"' };
                        }
                        let expected = (from..len).find(|at| is_stop(bytes[*at])).unwrap_or(len);
                        assert_eq!(plain_end(&bytes, from), expected, "{bytes:?} from {from}");
                        if from > 0 && from - 1 != place {
                            bytes[from - 1] = b'x';
                        }
                    }
                }
            }
        }
    }
}
