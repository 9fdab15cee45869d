//! A table of names, looked up by the bytes that stand in a document.

use super::{node::Node, plain::same, table::position};

/// Names of up to so many bytes are compared by their [`Words`] alone.
const WORDS_BYTES: usize = 24;
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
    words: Words,
    /// The number of the name.
    number: u32,
}

impl Slot {
    const FREE: Self = Self { words: Words { head: 0, middle: 0, tail: 0, len: u32::MAX }, number: 0 };

    #[inline]
    fn is_free(&self) -> bool {
        self.words.len == u32::MAX
    }
}

/// The first eight bytes of a name, those behind them and the last ones, and its length: they overlap where it is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Words {
    head: u64,
    middle: u64,
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
        let mut slots = vec![Slot::FREE; count].into_boxed_slice();
        let shift = u64::BITS - count.trailing_zeros();
        for (number, name) in (0..).zip(&texts) {
            let words = Words::of(name.as_bytes());
            let first = words.slot(shift);
            let free = (first..count).chain(0..first).find(|at| slots.get(*at).is_some_and(Slot::is_free));
            if let Some(slot) = free.and_then(|at| slots.get_mut(at)) {
                *slot = Slot { words, number };
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
        let words = Words::of(name);
        // Apart, as without a call all of this is done in registers.
        if name.len() > WORDS_BYTES {
            return self.find_long(name, words);
        }
        let mut at = words.slot(self.shift);
        while let Some(slot) = self.slots.get(at) {
            if slot.words == words {
                return Some(slot.number as usize);
            }
            if slot.is_free() {
                break;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
        None
    }

    #[inline(never)]
    fn find_long(&self, name: &[u8], words: Words) -> Option<usize> {
        let first = words.slot(self.shift);
        let slots = self.slots.iter().skip(first).chain(self.slots.iter().take(first));
        let mut own = slots.take_while(|slot| !slot.is_free()).filter(|slot| slot.words == words);
        own.find(|slot| self.is_all(slot.number, name)).map(|slot| slot.number as usize)
    }

    /// Whether what is between these words is the same, too.
    fn is_all(&self, number: u32, name: &[u8]) -> bool {
        self.texts.get(number as usize).is_some_and(|own| same(own.as_bytes(), name))
    }
}

impl Words {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let len = position(name.len());
        let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) else {
            let head = short(name);
            return Self { head, middle: 0, tail: 0, len };
        };
        let (head, tail) = (u64::from_le_bytes(*head), u64::from_le_bytes(*tail));
        let behind = name.get(8..16).filter(|_| name.len() > 16).and_then(<[u8]>::first_chunk);
        Self { head, middle: behind.map_or(tail, |behind| u64::from_le_bytes(*behind)), tail, len }
    }

    /// The slot where a name stands, if another one does not.
    #[inline]
    fn slot(self, shift: u32) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(29) ^ u64::from(self.len);
        usize::try_from(mixed.wrapping_mul(SPREAD) >> shift).unwrap_or_default()
    }
}

/// The bytes of a name of fewer than eight.
#[inline]
fn short(name: &[u8]) -> u64 {
    match (name.first_chunk(), name.last_chunk()) {
        (Some(head), Some(tail)) => {
            u64::from(u32::from_le_bytes(*head)) | u64::from(u32::from_le_bytes(*tail)) << 32
        }
        _ => match name {
            [one, two, three] => u64::from(u32::from_le_bytes([*one, *two, *three, 0])),
            [one, two] => u64::from(u32::from_le_bytes([*one, *two, 0, 0])),
            [one] => u64::from(*one),
            _ => 0,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Named, Names};
    use crate::json::Document;

    #[test]
    fn a_member_has_the_number_of_its_name() {
        // Of several lengths, some alike at both ends.
        let own = [
            "abc",
            "axc",
            "",
            "@type",
            "a",
            "ab",
            "abcd",
            "abcdefgh",
            "abcdefgh-abcdefgh",
            "abcdefgh=abcdefgh",
            "abcdefghabcdefgh-abcdefghabcdefgh",
            "abcdefghabcdefgh=abcdefghabcdefgh",
        ];
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
