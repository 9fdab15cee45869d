//! A table of names, looked up by the bytes that stand in a document.

use super::{node::Node, plain::same, table::position};

/// Names of up to so many bytes are compared by their [`Ends`] alone.
const ENDS_BYTES: usize = 16;
/// Spreads what it is multiplied with over the high bits: 2^64 by the golden ratio.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Some names with their numbers, which count from 0 in the order given.
///
/// What a walk through a message waits for is memory, so a name is found in one place: what it is compared by stands beside its
/// number, and only of a long one the rest is looked at elsewhere.
#[derive(Debug, Clone)]
pub struct Names {
    /// A power of two, at most half of them in use: a name stands in its own slot or in the next free one.
    slots: Box<[Slot]>,
    /// Bits of a hash that are not in the number of a slot.
    shift: u32,
    /// By number; looked at for long ones only.
    texts: Box<[Box<str>]>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    ends: Ends,
    /// The number of the name; none: [`FREE`].
    number: u32,
}

/// Stands in a slot without a name.
const FREE: u32 = u32::MAX;

impl Slot {
    #[inline]
    fn is_free(&self) -> bool {
        self.number == FREE
    }
}

/// How a name begins and ends, and its length: the two overlap where it is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    head: u64,
    tail: u64,
    len: u32,
}

/// What a member is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// By the name of this number.
    Known(usize),
    /// By another name.
    Otherwise,
    /// By a name that is written with escapes, or by none; it may be any.
    Unclear,
}

impl Names {
    /// A table of these names. Of a name that is there more than once the first is found.
    #[must_use]
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let texts: Box<[Box<str>]> = names.into_iter().map(Box::from).collect();
        // At least two: a shift by all bits is none.
        let count = (texts.len() * 2).max(2).next_power_of_two();
        let mut slots = vec![Slot { ends: Ends::of(b""), number: FREE }; count].into_boxed_slice();
        let shift = u64::BITS - count.trailing_zeros();
        for (number, name) in (0..FREE).zip(&texts) {
            let ends = Ends::of(name.as_bytes());
            let first = ends.slot(shift);
            let free = (first..count).chain(0..first).find(|at| slots.get(*at).is_some_and(Slot::is_free));
            if let Some(slot) = free.and_then(|at| slots.get_mut(at)) {
                *slot = Slot { ends, number };
            }
        }
        Self { slots, shift, texts }
    }

    /// The names by their numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(AsRef::as_ref)
    }

    /// Which of the names a member stands under.
    #[inline]
    #[must_use]
    pub fn of(&self, member: Node<'_>) -> Named {
        let Some(name) = member.plain_name() else { return Named::Unclear };
        self.find(name).map_or(Named::Otherwise, Named::Known)
    }

    /// The number of a name.
    #[inline]
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let ends = Ends::of(name);
        let mut at = ends.slot(self.shift);
        loop {
            let slot = self.slots.get(at).filter(|slot| !slot.is_free())?;
            if slot.ends == ends && (name.len() <= ENDS_BYTES || self.is_all(slot.number, name)) {
                return Some(slot.number as usize);
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    /// Whether what is between the ends is the same, too.
    #[inline]
    fn is_all(&self, number: u32, name: &[u8]) -> bool {
        self.texts.get(number as usize).is_some_and(|own| same(own.as_bytes(), name))
    }
}

impl Ends {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let (head, tail) = match (name.first_chunk(), name.last_chunk()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (name.first_chunk(), name.last_chunk()) {
                (Some(head), Some(tail)) => {
                    (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
                }
                _ => (name.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)), 0),
            },
        };
        Self { head, tail, len: position(name.len()) }
    }

    /// The slot where a name stands, if another one does not.
    #[inline]
    fn slot(self, shift: u32) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(29) ^ u64::from(self.len);
        usize::try_from(mixed.wrapping_mul(SPREAD) >> shift).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, Names};
    use crate::json::Document;

    #[test]
    fn a_member_has_the_number_of_its_name() {
        // Of several lengths, some alike at both ends.
        let own =
            ["abc", "axc", "", "@type", "a", "abcd", "abcdefgh", "abcdefgh-abcdefgh", "abcdefgh=abcdefgh"];
        let names = Names::new(own);
        for (number, name) in own.into_iter().enumerate() {
            let document = Document::from_text(&format!(r#"{{"{name}":1,"{name}x":2}}"#)).unwrap();
            let found: Vec<_> = document.root().values().map(|member| names.of(member)).collect();
            assert_eq!(found, [Named::Known(number), Named::Otherwise], "{name}");
        }
        let text = r#"{"ayc":1,"abcdefgh+abcdefgh":2,"abcdefghabcdefgh":3,"\u0061bc":4,"\u0000":5}"#;
        let document = Document::from_text(text).unwrap();
        let found: Vec<_> = document.root().values().map(|member| names.of(member)).collect();
        let (no, unclear) = (Named::Otherwise, Named::Unclear);
        assert_eq!(found, [no, no, no, unclear, unclear]);
        assert_eq!(names.of(document.root()), unclear);
        assert_eq!(Names::new([]).of(document.root().values().next().unwrap()), no);
    }

    #[test]
    fn of_many_names_each_is_found_and_of_equal_ones_the_first() {
        let own: Vec<String> = (0..1_000).map(|number| format!("n{}", number % 600)).collect();
        let names = Names::new(own.iter().map(String::as_str));
        for (number, name) in own.iter().enumerate() {
            assert_eq!(names.find(name.as_bytes()), Some(number % 600));
        }
        assert_eq!(names.find(b"n600"), None);
    }
}
