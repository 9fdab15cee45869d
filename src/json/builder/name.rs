//! Names of members, in the forms in which a document in the making has them.

use std::{
    borrow::{Borrow, Cow},
    fmt,
    hash::{Hash, Hasher},
    ops::Deref,
};

use crate::json::{node::Node, unescape::unescape, writer::write_escaped};

/// The name of a member, prepared once for being written into many documents.
///
/// Reads as the text that it is, without escapes.
#[derive(Clone)]
pub struct Name {
    text: Box<str>,
    /// Comma, name in quotes, colon: as it stands behind another member.
    written: Box<str>,
    is_escaped: bool,
    bit: u64,
}

impl Name {
    /// Of the name as it is, without escapes.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut written = String::from(",\"");
        let is_escaped = write_escaped(&mut written, text);
        written.push_str("\":");
        Self { text: text.into(), written: written.into(), is_escaped, bit: bit(text) }
    }

    #[inline]
    pub(super) fn bit(&self) -> u64 {
        self.bit
    }
}

/// Names of an object's members as 64 bits: most names that it does not have are known by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen(u64);

impl Seen {
    /// Of which any name may be there.
    pub const ALL: Self = Self(u64::MAX);

    /// Of the members of an object.
    #[must_use]
    pub fn of(object: Node<'_>) -> Self {
        // A name with escapes may be any.
        let bits = object.values().map(|member| member.plain_name().map_or(u64::MAX, bit_of));
        Self(bits.fold(0, |all, bit| all | bit))
    }

    /// False where no member has this name.
    #[inline]
    #[must_use]
    pub fn may_have(self, name: &Name) -> bool {
        self.0 & name.bit != 0
    }
}

/// Of a member of a builder.
#[derive(Debug, Clone)]
pub(super) enum MemberName<'s> {
    Known(&'s Name),
    /// Without anything that JSON escapes.
    Plain(&'s str),
    /// As its source wrote it, and what that means.
    Escaped(&'s str, Box<str>),
    /// Of which nothing is known.
    Text(Cow<'s, str>),
}

impl<'s> MemberName<'s> {
    /// The name that a node stands under, unless it is an element or the root.
    #[inline]
    pub fn of(node: Node<'s>) -> Option<Self> {
        Some(match node.written_name()? {
            (plain, false) => Self::Plain(plain),
            (raw, true) => Self::Escaped(raw, unescape(raw).into()),
        })
    }

    /// The name without escapes.
    #[inline]
    pub fn text(&self) -> &str {
        match self {
            Self::Known(name) => name,
            Self::Plain(text) => text,
            Self::Escaped(_, text) => text,
            Self::Text(text) => text,
        }
    }

    #[inline]
    pub fn bit(&self) -> u64 {
        if let Self::Known(name) = self { name.bit } else { bit(self.text()) }
    }

    /// Appends the name, with its colon and, unless it is the first, a comma: where it then stands without its
    /// quotes, and whether that has escapes.
    #[inline]
    pub fn write(&self, out: &mut String, is_first: bool) -> (usize, bool) {
        if let Self::Known(name) = self {
            let start = out.len() + 2 - usize::from(is_first);
            out.push_str(if is_first { name.written.get(1..).unwrap_or_default() } else { &name.written });
            return (start, name.is_escaped);
        }
        out.push_str(if is_first { "\"" } else { ",\"" });
        let start = out.len();
        let is_escaped = match self {
            Self::Known(_) => false,
            Self::Plain(text) => {
                out.push_str(text);
                false
            }
            Self::Escaped(raw, _) => {
                out.push_str(raw);
                true
            }
            Self::Text(text) => write_escaped(out, text),
        };
        out.push_str("\":");
        (start, is_escaped)
    }
}

/// One of 64 bits, from what distinguishes names cheaply: length, first and last byte.
#[inline]
pub(super) fn bit(text: &str) -> u64 {
    bit_of(text.as_bytes())
}

#[inline]
fn bit_of(bytes: &[u8]) -> u64 {
    let byte = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let number = bytes.len() + byte(bytes.first()) * 5 + byte(bytes.last()) * 3;
    1 << (number & 63)
}

impl Deref for Name {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        &self.text
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        self
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for Name {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<Box<str>> for Name {
    fn from(text: Box<str>) -> Self {
        Self::new(&text)
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.text, f)
    }
}
