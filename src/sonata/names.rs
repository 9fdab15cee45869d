//! Finding a name among many by one number first: a check looks up every member of a message.

/// Slots for every name, at least: so many are empty that a search soon ends.
const SLOTS_PER_NAME: usize = 3;

/// Places of names in a list, by a number that is made of the name: a name stands in the slot of its number or, where
/// that was taken, soon behind it.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Place and 1; 0 where no name stands. A power of two, or none at all.
    slots: Box<[u32]>,
}

impl Names {
    /// Of a list of names, in its order.
    pub fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let names: Vec<&str> = names.collect();
        if names.is_empty() {
            return Self::default();
        }
        let mut slots = vec![0; (names.len() * SLOTS_PER_NAME).next_power_of_two()];
        let mask = slots.len() - 1;
        for (place, name) in (1..).zip(names) {
            let mut at = number(name.as_bytes());
            while slots.get(at & mask).is_some_and(|taken| *taken != 0) {
                at += 1;
            }
            if let Some(slot) = slots.get_mut(at & mask) {
                *slot = place;
            }
        }
        Self { slots: slots.into() }
    }

    /// The place of the name, of which `is` says whether it stands there.
    #[inline]
    pub fn find<T>(&self, name: &[u8], is: impl Fn(usize) -> Option<T>) -> Option<T> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = number(name);
        loop {
            let place = self.slots.get(at & mask)?.checked_sub(1)?;
            if let Some(found) = is(place as usize) {
                return Some(found);
            }
            at += 1;
        }
    }
}

/// Of length, beginning and end, where names of the standard differ.
#[inline]
fn number(name: &[u8]) -> usize {
    let (first, last) = match (name.first_chunk::<8>(), name.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (short(name), 0),
    };
    let mixed = (first ^ last.rotate_left(29) ^ name.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize
}

/// Of up to seven bytes.
#[inline]
fn short(name: &[u8]) -> u64 {
    match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
        }
        _ => name.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_at_its_place() {
        let names: Vec<String> =
            (0..500).map(|n| format!("{}{n}", "oneWayFrameDelay".repeat(n % 3))).collect();
        let found = Names::of(names.iter().map(String::as_str));
        let place = |name: &str| found.find(name.as_bytes(), |place| (names[place] == name).then_some(place));
        for (expected, name) in names.iter().enumerate() {
            assert_eq!(place(name), Some(expected), "{name}");
        }
        for absent in ["", "a", "absent", "oneWayFrameDelay500", "oneWayFrameDelay"] {
            assert_eq!(place(absent), None, "{absent}");
        }
        assert_eq!(Names::default().find(b"", Some), None);
    }
}
