//! One row per node, in document order: what makes a text navigable without an owned tree.
//!
//! Positions are `u32`, which the hard bound of [`super::Limits`] on bytes keeps true.

use super::node::Kind;

/// Set in [`Record::name_len`] when the member name contains an escape.
pub(super) const NAME_ESCAPED: u32 = 1 << 31;
/// Set in [`Record::name_len`] when there is no member name.
pub(super) const NO_NAME: u32 = 1 << 30;

const KIND_MASK: u32 = 0b111;
const STRING_ESCAPED: u32 = 0b1000;
const COUNT_SHIFT: u32 = 4;
const COUNT_MAX: u32 = u32::MAX >> COUNT_SHIFT;

/// One node: 32 bytes, so that a row is found by a shift. Children follow their parent; `next` jumps over a whole
/// subtree. Places in the text stand side by side, as numbers of rows do: a copy that stands elsewhere is two additions.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub(super) struct Record {
    /// First byte of the value.
    pub start: u32,
    /// One past the last byte of the value.
    pub end: u32,
    /// First byte of the member name, inside its quotes.
    pub name: u32,
    /// Bytes of the raw member name, with [`NAME_ESCAPED`]; [`NO_NAME`] when the node is no member.
    pub name_len: u32,
    /// Its own number.
    pub id: u32,
    /// Number of the first node that is not in this subtree.
    pub next: u32,
    /// Kind, escape flag and number of children.
    meta: u32,
    /// Nothing: a row is two words of four numbers, which move as such.
    spare: u32,
}

/// What rows are moved by: each number of a row by one of these, added with overflow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shift([u32; 4], [u32; 4]);

impl Shift {
    /// By so many bytes of the text and rows of the table; both wrap around, to move backwards.
    // Where a row is moved it is not to be known which of the numbers stay: it would be moved number by number.
    #[inline(never)]
    pub(super) fn by(bytes: u32, rows: u32) -> Self {
        Self([bytes, bytes, bytes, 0], [rows, rows, 0, 0])
    }
}

/// First byte and length of a member name, as [`Record`] has them.
pub(super) type NameSpan = (u32, u32);

/// Of what is no member.
pub(super) const NOT_NAMED: NameSpan = (0, NO_NAME);

impl Record {
    /// Stands for a node that is not there.
    pub(super) const NOTHING: Self = Self {
        start: 0,
        end: 0,
        name: 0,
        name_len: NO_NAME,
        id: u32::MAX,
        next: u32::MAX,
        meta: Kind::Null as u32,
        spare: 0,
    };

    /// A row of these span and name, the one before `next`; `escaped` is of a string value.
    #[inline]
    pub(super) fn new(kind: Kind, escaped: bool, span: (u32, u32), name: NameSpan, next: u32) -> Self {
        let meta = kind as u32 | if escaped { STRING_ESCAPED } else { 0 };
        Self {
            start: span.0,
            end: span.1,
            name: name.0,
            name_len: name.1,
            id: next.wrapping_sub(1),
            next,
            meta,
            spare: 0,
        }
    }

    /// Whether it stands under a name.
    #[inline]
    pub(super) fn is_member(&self) -> bool {
        self.name_len & NO_NAME == 0
    }

    #[inline]
    pub(super) fn kind(&self) -> Kind {
        match self.meta & KIND_MASK {
            0 => Kind::Null,
            1 => Kind::Bool,
            2 => Kind::Number,
            3 => Kind::String,
            4 => Kind::Array,
            _ => Kind::Object,
        }
    }

    /// The number of its kind, without asking which kinds there are.
    #[inline]
    pub(super) fn kind_number(&self) -> u32 {
        self.meta & KIND_MASK
    }

    #[inline]
    pub(super) fn string_escaped(&self) -> bool {
        self.meta & STRING_ESCAPED != 0
    }

    #[inline]
    pub(super) fn count(&self) -> u32 {
        self.meta >> COUNT_SHIFT
    }

    /// Ends an array or object: its last byte, the first node after it, how many children it has.
    #[inline]
    pub(super) fn close(&mut self, end: u32, next: u32, count: u32) {
        self.end = end;
        self.next = next;
        self.meta = (self.meta & (KIND_MASK | STRING_ESCAPED)) | (count.min(COUNT_MAX) << COUNT_SHIFT);
    }

    /// The same node where it stands otherwise in the text and in the table.
    #[inline]
    pub(super) fn relocated(&self, Shift(text, table): &Shift) -> Self {
        Self {
            start: self.start.wrapping_add(text[0]),
            end: self.end.wrapping_add(text[1]),
            name: self.name.wrapping_add(text[2]),
            name_len: self.name_len.wrapping_add(text[3]),
            id: self.id.wrapping_add(table[0]),
            next: self.next.wrapping_add(table[1]),
            meta: self.meta.wrapping_add(table[2]),
            spare: self.spare.wrapping_add(table[3]),
        }
    }
}

/// A position as the table stores it. Texts never reach the bound at which this would saturate.
#[inline]
pub(super) fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
