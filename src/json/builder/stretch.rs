//! Members that stand side by side in a received object and stay so: spliced as one piece of text and table.

use super::{Builder, Member, NOWHERE, Object, Seen, Slot, Value, append, name::MemberName};
use crate::json::{
    node::{Node, NodeId},
    table::{Record, position},
};

/// Values and members that most documents that are taken apart do with.
const PIECES_GUESS: usize = 64;

/// Neighbouring members of one object, from the first to the last.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'d> {
    first: Node<'d>,
    last: Node<'d>,
    count: u32,
    /// The bits of all names, as in [`super::Object`].
    seen: u64,
}

impl<'d> Stretch<'d> {
    /// One member.
    #[inline]
    #[must_use]
    pub fn of((member, seen): (Node<'d>, Seen)) -> Self {
        Self { first: member, last: member, count: 1, seen: seen.bits() }
    }

    /// Makes the stretch longer by the member that follows its last one.
    #[inline]
    pub fn extend(&mut self, (next, seen): (Node<'d>, Seen)) {
        self.last = next;
        self.count += 1;
        self.seen |= seen.bits();
    }

    /// How many bytes it has, names and all.
    pub(super) fn bytes(&self) -> usize {
        self.last.span().1.saturating_sub(self.first.span().0)
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        (self.last.id().index() - self.first.id().index()) as usize + self.last.rows()
    }

    /// How many members it has.
    pub(super) fn count(&self) -> u32 {
        self.count
    }

    /// Its text from the quote of the first name on and where that begins, its rows and the number of the first.
    #[inline]
    pub(super) fn parts(&self) -> ((&'d str, u32), (&'d [Record], u32)) {
        let (document, id) = (self.first.document(), self.first.id().index());
        let first = id as usize;
        let rows = document.records().get(first..first + self.rows()).unwrap_or_default();
        let start = rows.first().map_or(0, |row| row.name.saturating_sub(1));
        let text = document.text().get(start as usize..self.last.span().1).unwrap_or_default();
        ((text, start), (rows, id))
    }

    /// The members one by one.
    fn members(self) -> impl Iterator<Item = Node<'d>> {
        let (document, end) = (self.first.document(), self.last.id());
        let follower = move |node: &Node<'d>| {
            let next = node.id().index() + position(node.rows());
            (node.id() < end).then(|| document.node(NodeId::at(next)))
        };
        std::iter::successors(Some(self.first), follower)
    }

    pub(super) fn has(self, name: &str) -> bool {
        self.members().any(|member| member.name().is_some_and(|own| own == name))
    }
}

impl<'s> Builder<'s> {
    /// Puts members of another object behind the last one, as they stand there. False, and nothing is written, if `object`
    /// is no object that was made here. None of their names may be there yet.
    pub fn splice(&mut self, object: Slot, stretch: Stretch<'s>) -> bool {
        let Some(Value::Object(object)) = self.values.get_mut(object.0 as usize) else { return false };
        let name = MemberName::Stretch(position(self.stretches.len()));
        self.stretches.push(stretch);
        append(&mut self.members, object, Member { name, value: Slot(NOWHERE), next: NOWHERE }, stretch.seen);
        // One of them is counted.
        object.count += stretch.count - 1;
        object.is_spliced = true;
        true
    }

    /// Puts `value` behind the last member under the name that `source` stands under, which may not be there yet. False, and
    /// nothing is written, if `object` is no object that was made here, or `source` no member.
    pub fn append_as(&mut self, object: Slot, source: Node<'s>, value: Slot) -> bool {
        let Some(Value::Object(object)) = self.values.get_mut(object.0 as usize) else { return false };
        let Some(name) = MemberName::of(source) else { return false };
        let bit = name.bit();
        append(&mut self.members, object, Member { name, value, next: NOWHERE }, bit);
        true
    }

    /// Makes room for what a copied document is taken apart into, unless there is some.
    #[inline]
    pub fn make_room(&mut self) {
        if self.values.capacity() < PIECES_GUESS {
            self.values.reserve(PIECES_GUESS);
            self.members.reserve(PIECES_GUESS);
            self.stretches.reserve(PIECES_GUESS / 2);
        }
    }

    /// Makes single members of the stretches in an object, so that they are found by name.
    #[cold]
    pub(super) fn unsplice(&mut self, slot: Slot) {
        let Value::Object(old) = self.value(slot) else { return };
        let (mut at, mut object) = (old.first, Object::EMPTY);
        while let Some(member) = self.members.get(at as usize).cloned() {
            at = member.next;
            let MemberName::Stretch(index) = member.name else {
                let bit = member.name.bit();
                append(&mut self.members, &mut object, Member { next: NOWHERE, ..member }, bit);
                continue;
            };
            let Some(stretch) = self.stretches.get(index as usize).copied() else { continue };
            for child in stretch.members() {
                let Some(name) = MemberName::of(child) else { continue };
                let (value, bit) = (self.copy(child), name.bit());
                append(&mut self.members, &mut object, Member { name, value, next: NOWHERE }, bit);
            }
        }
        self.relink(slot, object);
    }

    /// Whether a stretch of this number has a member of this name.
    pub(super) fn stretch_has(&self, index: u32, name: &str) -> bool {
        self.stretches.get(index as usize).is_some_and(|stretch| stretch.has(name))
    }
}
