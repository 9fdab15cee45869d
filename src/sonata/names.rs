//! Finding a name among many by one number first: a check looks up every member of a message.

/// Places of names in a list, by a number that is made of the name. Two names may share a number, so that what is
/// found is to be compared.
#[derive(Debug, Clone, Default)]
pub(super) struct Names(Box<[(u32, u32)]>);

impl Names {
    /// Of a list of names, in its order.
    pub fn of<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut places: Vec<(u32, u32)> =
            (0..).zip(names).map(|(place, name)| (number(name), place)).collect();
        places.sort_unstable();
        Self(places.into())
    }

    /// Places where the name may stand.
    pub fn places(&self, name: &str) -> impl Iterator<Item = usize> {
        let wanted = number(name);
        let first = self.0.partition_point(|(number, _)| *number < wanted);
        let same =
            self.0.get(first..).unwrap_or_default().iter().take_while(move |(number, _)| *number == wanted);
        same.map(|(_, place)| *place as usize)
    }
}

/// Of length, beginning and end, where names of the standard differ.
fn number(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let (first, last) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => (bytes.iter().fold(0, |all, byte| (all << 8) | u64::from(*byte)), 0),
    };
    let mixed = (first ^ last.rotate_left(29) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_among_its_places() {
        let names: Vec<String> =
            (0..500).map(|n| format!("{}{n}", "oneWayFrameDelay".repeat(n % 3))).collect();
        let found = Names::of(names.iter().map(String::as_str));
        for (place, name) in names.iter().enumerate() {
            assert!(found.places(name).any(|other| other == place), "{name}");
            assert!(found.places(name).count() < 8, "{name}");
        }
        assert_eq!(found.places("absent").filter(|place| names[*place] == "absent").count(), 0);
        assert_eq!(Names::default().places("").count(), 0);
    }
}
