//! Where strings may end: every byte of the text judged in advance, sixty-four at a time.
//!
//! The loops have no branch and a fixed length, so that the compiler makes vector instructions of them; finding the
//! end of a string is then a shift and a count of zeros, however long it is.

const BLOCK_BYTES: usize = 64;
/// Multiplied with eight bytes that are 0 or 1 each, puts them side by side into the highest byte.
const GATHER: u64 = 0x0102_0408_1020_4080;

/// One bit for every byte of a text that cannot stand in a string as it is: quote, backslash, control character.
/// Places behind the end are marked too.
pub(super) struct Stops(Vec<u64>);

impl Stops {
    pub fn of(bytes: &[u8]) -> Self {
        let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
        let mut marks = Vec::with_capacity(blocks.len() + 1);
        marks.extend(blocks.iter().map(judge));
        let mut last = [0; BLOCK_BYTES];
        for (place, byte) in last.iter_mut().zip(rest) {
            *place = *byte;
        }
        marks.push(judge(&last));
        Self(marks)
    }

    /// First marked place from `at` on, at most the length of the text.
    #[inline]
    pub fn next(&self, at: usize) -> usize {
        let marks = self.0.get(at / BLOCK_BYTES).map_or(1, |marks| marks >> (at % BLOCK_BYTES));
        if marks == 0 { self.far(at / BLOCK_BYTES + 1) } else { at + marks.trailing_zeros() as usize }
    }

    /// First marked place in this block or a later one.
    #[inline(never)]
    fn far(&self, mut block: usize) -> usize {
        loop {
            match self.0.get(block) {
                Some(0) => block += 1,
                Some(marks) => return block * BLOCK_BYTES + marks.trailing_zeros() as usize,
                None => return block * BLOCK_BYTES,
            }
        }
    }
}

fn judge(block: &[u8; BLOCK_BYTES]) -> u64 {
    #[expect(clippy::needless_bitwise_bool, reason = "no branch, so that a block is judged by vectors")]
    let is_stop = |byte: u8| u8::from((byte < 0x20) | (byte == b'"') | (byte == b'\\'));
    let mut flags = [0; BLOCK_BYTES];
    let mut at = 0;
    while at < BLOCK_BYTES {
        flags[at] = is_stop(block[at]);
        at += 1;
    }
    let mut marks = 0;
    let mut place = 0;
    for word in flags.as_chunks::<8>().0 {
        marks |= (u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56) << place;
        place += 8;
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_judged_as_one_by_one() {
        let is_stop = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        for len in [0, 1, 63, 64, 65, 127, 128, 200] {
            // All bytes are judged by one block; elsewhere those at the bounds will do.
            let bytes_judged: Vec<u8> =
                if len == 65 { (0..=255).collect() } else { b"\0\x1f !\"#[\\]\x7f\x80\xa2\xdc\xff".to_vec() };
            let mut bytes = vec![b'x'; len];
            for place in 0..len {
                for byte in &bytes_judged {
                    bytes[place] = *byte;
                    let stops = Stops::of(&bytes);
                    for from in [0, place.saturating_sub(1), place, place + 1] {
                        let expected = (from..len).find(|at| is_stop(bytes[*at])).unwrap_or(len);
                        assert_eq!(stops.next(from), expected, "{byte} at {place} of {len} from {from}");
                    }
                }
                bytes[place] = if place % 50 == 49 { b'"' } else { b'x' };
            }
        }
    }
}
