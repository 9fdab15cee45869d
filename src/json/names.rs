//! A table of member names, looked up by the bytes that stand in a document.

use super::{builder::Seen, node::Node, plain::same};

/// Names are put apart by this many classes.
const CLASSES: usize = 64;

/// Some names with their numbers, which count from 0 in the order given.
#[derive(Debug, Clone)]
pub struct Names {
    /// Of each class the first name, counted from 1; 0: none.
    first: [u16; CLASSES],
    entries: Box<[Entry]>,
}

#[derive(Debug, Clone)]
struct Entry {
    name: Box<str>,
    /// The next name of the class, counted from 1; 0: none.
    next: u16,
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
    /// The greatest number of names that a table has.
    pub const COUNT_MAX: usize = 4_096;

    /// A table of these names; none if there are more than [`Names::COUNT_MAX`].
    #[must_use]
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        let (mut first, mut entries) = ([0; CLASSES], Vec::new());
        for name in names {
            let head = first.get_mut(class(Seen::of_name(name.as_bytes())))?;
            entries.push(Entry { name: name.into(), next: *head });
            *head = u16::try_from(entries.len()).ok()?;
        }
        (entries.len() <= Self::COUNT_MAX).then(|| Self { first, entries: entries.into() })
    }

    /// Which of the names a member stands under.
    #[inline]
    #[must_use]
    pub fn of(&self, member: Node<'_>) -> Named {
        let Some(name) = member.plain_name() else { return Named::Unclear };
        let mut at = self.first.get(class(Seen::of_name(name))).copied().unwrap_or_default();
        while let Some(entry) = self.entries.get(usize::from(at).wrapping_sub(1)) {
            if same(entry.name.as_bytes(), name) {
                return Named::Known(usize::from(at) - 1);
            }
            at = entry.next;
        }
        Named::Otherwise
    }
}

/// One of the classes for each of the bits.
#[inline]
fn class(seen: Seen) -> usize {
    seen.bits().trailing_zeros() as usize % CLASSES
}

#[cfg(test)]
mod tests {
    use super::{Named, Names};
    use crate::json::Document;

    #[test]
    fn a_member_has_the_number_of_its_name() {
        // `abc` and `axc` are of one class.
        let names = Names::new(["abc", "axc", "", "@type"]).unwrap();
        let document =
            Document::from_text(r#"{"axc":1,"abc":2,"ayc":3,"":4,"@type":5,"\u0061bc ":6}"#).unwrap();
        let found: Vec<_> = document.root().values().map(|member| names.of(member)).collect();
        let known = Named::Known;
        assert_eq!(found, [known(1), known(0), Named::Otherwise, known(2), known(3), Named::Unclear]);
        assert_eq!(names.of(document.root()), Named::Unclear);
    }

    #[test]
    fn there_is_a_most_of_names() {
        let many = |count: usize| (0..count).map(|number| format!("n{number}")).collect::<Vec<_>>();
        let table = |count: usize| Names::new(many(count).iter().map(String::as_str));
        assert!(table(Names::COUNT_MAX).is_some());
        assert!(table(Names::COUNT_MAX + 1).is_none());
    }
}
