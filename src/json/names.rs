//! A table of names, looked up by the bytes that stand in a document.

use super::{node::Node, plain::same, table::position};

/// Some names with their numbers, which count from 0 in the order given.
///
/// For the members of an object, of which few have names of one length: those are all that a name is compared with.
#[derive(Debug, Clone)]
pub struct Names {
    /// In the order of their lengths.
    own: Box<[(Box<str>, u32)]>,
    /// Where those of a length begin, by the length; one more at the end.
    starts: Box<[u32]>,
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
        let mut own: Vec<(Box<str>, u32)> = names.into_iter().map(Box::from).zip(0..).collect();
        own.sort_by_key(|(text, _)| text.len());
        let lengths = own.last().map_or(0, |(longest, _)| longest.len() + 2);
        let starts =
            (0..lengths).map(|len| position(own.partition_point(|(text, _)| text.len() < len))).collect();
        Self { own: own.into(), starts }
    }

    /// The names by their numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let mut own: Vec<&(Box<str>, u32)> = self.own.iter().collect();
        own.sort_by_key(|(_, number)| *number);
        own.into_iter().map(|(text, _)| &**text)
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
        let [from, to] = self.starts.get(name.len()..)?.first_chunk()?;
        let mut alike = self.own.get(*from as usize..*to as usize)?.iter();
        alike.find(|(text, _)| same(text.as_bytes(), name)).map(|(_, number)| *number as usize)
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
        assert_eq!((names.find(b"n600"), names.find(b""), names.find(b"n6000")), (None, None, None));
        assert!(names.texts().eq(&own));
    }
}
