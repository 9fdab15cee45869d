//! Duplicate members: found without hashing whole names, and without quadratic time for hostile objects.

use std::borrow::Cow;

use super::{Fault, NAME_ESCAPED, NameSpan, ParseCode, Parser, narrow};
use crate::json::unescape::unescape;

/// Up to this many members of one object are compared with each other as they come; larger objects are
/// sorted by name when they end.
pub(super) const COMPARED_MEMBERS_MAX: u32 = 16;

impl<'t> Parser<'t> {
    /// One of 64 bits, from what distinguishes plain names cheaply: length, first and last byte. The quotes around an
    /// empty name stand in for what it lacks.
    #[inline]
    pub(super) fn name_bit(&self, start: usize, last: u8, len: usize) -> u64 {
        let first = self.bytes.get(start).map_or(0, |byte| usize::from(*byte));
        1 << ((len + first * 5 + usize::from(last) * 3) & 63)
    }

    /// Refuses the pending name if one of the first members of the object bears it.
    #[inline(never)]
    pub(super) fn compare_names(&mut self) -> Result<(), Fault> {
        if self.inner.count >= COMPARED_MEMBERS_MAX {
            return Ok(());
        }
        let (mut id, end) = (self.inner.id + 1, narrow(self.nodes.len()));
        while id < end {
            let Some(record) = self.nodes.get(id as usize) else { break };
            if self.same_name(self.name, (record.name, record.name_len)) {
                self.pending = true;
                return Err(Fault::new(ParseCode::DuplicateMember, self.name.0 as usize - 1));
            }
            id = record.next;
        }
        Ok(())
    }

    /// Sorts the names of the innermost object, whose members all have rows; equal neighbours are refused.
    #[cold]
    pub(super) fn refuse_duplicates(&mut self) -> Result<(), Fault> {
        let mut names = Vec::with_capacity(self.inner.count as usize);
        let mut id = self.inner.id + 1;
        while let Some(record) = self.nodes.get(id as usize) {
            let name = (record.name, record.name_len);
            names.push((self.decoded_name(name), name));
            id = record.next;
        }
        names.sort_unstable();
        let twice = names.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1);
        match twice.min() {
            None => Ok(()),
            Some(name) => {
                // The pointer names the second of the two, as it does in a small object.
                (self.name, self.pending) = (name, true);
                Err(Fault::new(ParseCode::DuplicateMember, name.0 as usize - 1))
            }
        }
    }

    pub(super) fn decoded_name(&self, name: NameSpan) -> Cow<'t, str> {
        let start = name.0 as usize;
        let raw = self.text.get(start..start + (name.1 & !NAME_ESCAPED) as usize).unwrap_or_default();
        if name.1 & NAME_ESCAPED == 0 { raw.into() } else { unescape(raw).into() }
    }

    fn same_name(&self, left: NameSpan, right: NameSpan) -> bool {
        if (left.1 | right.1) & NAME_ESCAPED != 0 {
            return self.decoded_name(left) == self.decoded_name(right);
        }
        let raw = |(start, len): (u32, u32)| self.bytes.get(start as usize..(start + len) as usize);
        left.1 == right.1 && raw(left) == raw(right)
    }
}
