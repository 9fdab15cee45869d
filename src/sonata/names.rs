//! Finding a name among many by one number first: a check looks up every member of a message.

use std::sync::Arc;

/// Slots for every name, at least: so many are empty that a search soon ends.
const SLOTS_PER_NAME: usize = 3;

/// A list of names, found by a number that is made of the name: a name stands in the slot of its number or, where
/// that was taken, soon behind it.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<T = ()> {
    /// Place and 1; 0 where no name stands. A power of two, or none at all.
    slots: Box<[u32]>,
    keys: Box<[(Key, T)]>,
}

/// A name as it is compared: up to 32 bytes are four words of it.
#[derive(Debug, Clone)]
struct Key {
    ends: Ends,
    /// The words beside its ends, of a name of more than 16 bytes.
    inner: [u64; 2],
    name: Arc<str>,
}

impl Key {
    fn of(name: Arc<str>) -> Self {
        Self { ends: Ends::of(name.as_bytes()), inner: inner(name.as_bytes()), name }
    }

    #[inline]
    fn is(&self, ends: Ends, name: &[u8]) -> bool {
        self.ends.first == ends.first
            && self.ends.last == ends.last
            && self.name.len() == name.len()
            && (name.len() <= 16
                || self.inner == inner(name) && (name.len() <= 32 || is_same(self.name.as_bytes(), name)))
    }
}

#[inline(never)]
fn is_same(left: &[u8], right: &[u8]) -> bool {
    left == right
}

impl Names<()> {
    /// Of a list of names, in its order.
    pub fn of(names: impl Iterator<Item = Arc<str>>) -> Self {
        Self::with(names.map(|name| (name, ())))
    }
}

impl<T> Names<T> {
    /// Of names and what each stands for.
    pub fn with(names: impl Iterator<Item = (Arc<str>, T)>) -> Self {
        let keys: Box<[(Key, T)]> = names.map(|(name, value)| (Key::of(name), value)).collect();
        if keys.is_empty() {
            return Self { slots: Box::default(), keys };
        }
        let mut slots = vec![0; (keys.len() * SLOTS_PER_NAME).next_power_of_two()];
        let mask = slots.len() - 1;
        for (place, (key, _)) in (1..).zip(&keys) {
            let mut at = key.ends.number(key.name.len());
            while slots.get(at & mask).is_some_and(|taken| *taken != 0) {
                at += 1;
            }
            if let Some(slot) = slots.get_mut(at & mask) {
                *slot = place;
            }
        }
        Self { slots: slots.into(), keys }
    }

    /// What the name stands for, of equal ones the first.
    #[expect(clippy::inline_always, reason = "the half of a check, and called from few places")]
    #[inline(always)]
    pub fn find(&self, name: &[u8]) -> Option<&T> {
        self.entry(name).map(|(_, value)| value)
    }

    /// Its place in the list.
    pub fn place_of(&self, name: &[u8]) -> Option<usize> {
        self.entry(name).map(|(place, _)| place)
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn entry(&self, name: &[u8]) -> Option<(usize, &T)> {
        let ends = Ends::of(name);
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = ends.number(name.len());
        loop {
            let place = self.slots.get(at & mask)?.checked_sub(1)? as usize;
            let (key, value) = self.keys.get(place)?;
            if key.is(ends, name) {
                return Some((place, value));
            }
            at += 1;
        }
    }

    /// Whether there is no name.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

/// The first and the last eight bytes of a name; all of a shorter one are the first, and nothing is the last.
#[derive(Debug, Clone, Copy)]
struct Ends {
    first: u64,
    last: u64,
}

impl Ends {
    #[inline]
    fn of(name: &[u8]) -> Self {
        if name.len() < 8 {
            return Self { first: short(name), last: 0 };
        }
        Self { first: word(name, 0), last: word(name, name.len() - 8) }
    }

    /// Of length, beginning and end, where names of the standard differ.
    #[inline]
    fn number(self, len: usize) -> usize {
        let mixed = (self.first ^ self.last.rotate_left(29) ^ len as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 40) as usize
    }
}

/// The second word from the front and from the back of a name of more than 16 bytes; zeros of others.
#[inline]
fn inner(name: &[u8]) -> [u64; 2] {
    if name.len() <= 16 { [0; 2] } else { [word(name, 8), word(name, name.len() - 16)] }
}

/// Eight bytes from `at` on; 0 if there are not so many.
#[inline]
fn word(name: &[u8], at: usize) -> u64 {
    let bytes = name.get(at..).and_then(|rest| rest.get(..8)).and_then(|word| word.try_into().ok());
    u64::from_le_bytes(bytes.unwrap_or_default())
}

/// Of up to seven bytes: with their number, all of them.
#[inline]
fn short(name: &[u8]) -> u64 {
    if name.len() < 4 {
        let byte = |at: usize| name.get(at).map_or(0, |byte| u64::from(*byte));
        return byte(0) | byte(name.len() / 2) << 8 | byte(name.len().wrapping_sub(1)) << 16;
    }
    let half = |at: usize| {
        let bytes = name.get(at..).and_then(|rest| rest.get(..4)).and_then(|word| word.try_into().ok());
        u64::from(u32::from_le_bytes(bytes.unwrap_or_default()))
    };
    half(0) | half(name.len() - 4) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_at_its_place() {
        let names: Vec<String> =
            (0..500).map(|n| format!("{}{n}", "oneWayFrameDelay".repeat(n % 3))).collect();
        let all = |names: &[String]| Names::of(names.iter().map(|name| name.as_str().into()));
        let found = all(&names);
        let place = |name: &str| found.place_of(name.as_bytes());
        for (expected, name) in names.iter().enumerate() {
            assert_eq!(place(name), Some(expected), "{name}");
        }
        for absent in ["", "a", "absent", "oneWayFrameDelay500", "oneWayFrameDelay"] {
            assert_eq!(place(absent), None, "{absent}");
        }
        assert_eq!(Names::<u8>::default().find(b""), None);
        // Alike at both ends, and of every length; the empty name is one too.
        let names: Vec<String> =
            (0..40).flat_map(|n| ["-", "+"].map(|mark| mark.repeat(n))).skip(1).collect();
        let found = all(&names);
        for (expected, name) in names.iter().enumerate() {
            assert_eq!(found.place_of(name.as_bytes()), Some(expected), "{name}");
            let mut other = name.clone().into_bytes();
            for at in 0..other.len() {
                other[at] ^= 1;
                let is_known = names.iter().position(|name| name.as_bytes() == other);
                assert_eq!(found.place_of(&other), is_known, "{other:?}");
                other[at] ^= 1;
            }
        }
    }
}
