//! What the Buyer sent, what the legacy system said, and what was known before, become one document.
//!
//! In that order of precedence: an attribute of the create message is returned unchanged (MEF 115 R26, MEF 123
//! R16, MEF 121 R15), a newer answer wins over what was kept, and what nobody says any more stays, because old
//! systems forget. Objects merge member by member; contacts and notes, to which both sides add, by role and id;
//! every other array comes whole from the first that has it.

use std::cmp::Ordering;

use crate::json::{Builder, Node, Slot};

/// Attributes that are never merged inside: the product payload is the Buyer's as a whole.
const WHOLE: [&str; 1] = ["productConfiguration"];

/// Arrays to which both sides add elements, and the member that tells them apart.
const SHARED: [(&str, &str); 2] = [("relatedContactInformation", "role"), ("note", "id")];

/// The same place in the documents that have it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sources<'s> {
    /// The Buyer's message.
    pub(super) request: Option<Node<'s>>,
    /// The mapped answer.
    pub(super) mapped: Option<Node<'s>>,
    /// The entity as it was.
    pub(super) kept: Option<Node<'s>>,
}

impl<'s> Sources<'s> {
    /// In order of precedence.
    pub(super) fn all(self) -> impl Iterator<Item = Node<'s>> {
        [self.request, self.mapped, self.kept].into_iter().flatten()
    }

    /// The member of this name in each.
    pub(super) fn member(self, name: &str) -> Self {
        let of = |node: Option<Node<'s>>| node.and_then(|node| node.get(name));
        Self { request: of(self.request), mapped: of(self.mapped), kept: of(self.kept) }
    }

    /// The member `name`, which is `value` in the source of this place, in it and in those that come later; none where
    /// an earlier one has it. `seen` are the names of each source, and `bit` is the name's.
    fn later(self, rank: usize, value: Node<'s>, (name, bit): (&str, Seen), seen: [Seen; 3]) -> Option<Self> {
        let mut found = [self.request, self.mapped, self.kept];
        for (place, (node, seen)) in found.iter_mut().zip(seen).enumerate() {
            *node = match place.cmp(&rank) {
                Ordering::Equal => Some(value),
                _ if !seen.may_have(bit) => None,
                Ordering::Greater => node.and_then(|node| node.get(name)),
                Ordering::Less if node.is_some_and(|node| node.get(name).is_some()) => return None,
                Ordering::Less => None,
            };
        }
        let [request, mapped, kept] = found;
        Some(Self { request, mapped, kept })
    }

    /// The element with this `id` in each.
    pub(super) fn element(self, id: &str) -> Self {
        let of = |node: Option<Node<'s>>| {
            node.and_then(|node| node.elements().find(|one| one.get("id").is_some_and(|own| own.is_text(id))))
        };
        Self { request: of(self.request), mapped: of(self.mapped), kept: of(self.kept) }
    }
}

/// Names as 64 bits: most that are not among them are known by that.
#[derive(Debug, Clone, Copy)]
struct Seen(u64);

impl Seen {
    /// Any name may be there.
    const ALL: Self = Self(u64::MAX);

    fn of(node: Option<Node<'_>>) -> Self {
        let mut seen = Self(0);
        for member in node.into_iter().flat_map(Node::values) {
            seen = seen.with(member);
        }
        seen
    }

    /// With the name that a node stands under; one with escapes may be any.
    #[inline]
    fn with(self, member: Node<'_>) -> Self {
        member.plain_name().map_or(Self::ALL, |name| self.with_name(name))
    }

    #[inline]
    fn with_name(self, name: &[u8]) -> Self {
        let byte = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
        let bit = name.len() + byte(name.first()) * 5 + byte(name.last()) * 3;
        Self(self.0 | 1 << (bit & 63))
    }

    fn may_have(self, bit: Self) -> bool {
        self.0 & bit.0 != 0
    }
}

/// Merges into one builder.
pub(super) struct Merger<'s, 'p> {
    pub(super) builder: Builder<'s>,
    /// Names from the root to where the merge is, joined by dots; elements of arrays add nothing.
    path: String,
    /// Paths at which the mapped value wins over the Buyer's (`echo: false`).
    echo_off: &'p [Box<str>],
}

impl<'s, 'p> Merger<'s, 'p> {
    pub(super) fn new(echo_off: &'p [Box<str>]) -> Self {
        Self { builder: Builder::new(), path: String::new(), echo_off }
    }

    /// Merges all members but those of `except` into `object`, each name once, the first source's order first.
    pub(super) fn members(&mut self, object: Slot, from: Sources<'s>, except: &[&str]) {
        let sources = [from.request, from.mapped, from.kept];
        let seen = sources.map(Seen::of);
        let excepted = except.iter().fold(Seen(0), |seen, name| seen.with_name(name.as_bytes()));
        for (rank, source) in sources.into_iter().enumerate() {
            let others = seen.iter().enumerate().filter(|(place, _)| *place != rank);
            let elsewhere = others.fold(excepted, |all, (_, seen)| Seen(all.0 | seen.0));
            for value in source.into_iter().flat_map(Node::values) {
                let bit = Seen(0).with(value);
                // Most members stand in one source alone, and then there is nothing to merge.
                if !elsewhere.may_have(bit) {
                    let copied = self.builder.copy(value);
                    self.builder.set_as(object, value, copied);
                    continue;
                }
                let name = value.name().unwrap_or_default();
                if except.contains(&name.as_ref()) {
                    continue;
                }
                let Some(all) = from.later(rank, value, (&name, bit), seen) else { continue };
                let merged = self.member(all, &name);
                self.builder.set_as(object, value, merged);
            }
        }
    }

    /// Merges what its sources say of the member of this name.
    fn member(&mut self, from: Sources<'s>, name: &str) -> Slot {
        // Most members stand in one source alone, and then it is nothing to merge.
        let mut all = from.all();
        if let (Some(only), None) = (all.next(), all.next()) {
            return self.builder.copy(only);
        }
        drop(all);
        self.inside(name, |merger| merger.value(from, name))
    }

    /// Runs `work` one level down, inside the member of this name.
    pub(super) fn inside<T>(&mut self, name: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        if length > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        let result = work(self);
        self.path.truncate(length);
        result
    }

    fn value(&mut self, from: Sources<'s>, name: &str) -> Slot {
        let Some(first) = from.all().next() else { return self.builder.null() };
        if let Some(mapped) = from.mapped
            && self.echo_off.iter().any(|path| **path == *self.path)
        {
            return self.builder.copy(mapped);
        }
        if WHOLE.contains(&name) {
            return self.builder.copy(first);
        }
        if let Some((_, key)) = SHARED.iter().find(|(array, _)| *array == name)
            && from.all().all(Node::is_array)
        {
            return self.shared(from, key);
        }
        if from.all().all(Node::is_object) {
            let object = self.builder.object();
            self.members(object, from, &[]);
            return object;
        }
        self.builder.copy(first)
    }

    /// The elements of all sources, an element whose key an earlier source has left out. Two of one source stay
    /// both: several contacts may have one role.
    fn shared(&mut self, from: Sources<'s>, key: &str) -> Slot {
        let array = self.builder.array();
        for (index, source) in from.all().enumerate() {
            for element in source.elements() {
                let own = element.get(key).and_then(Node::as_str);
                let same = |other: Node<'_>| own.is_some() && other.get(key).and_then(Node::as_str) == own;
                if !from.all().take(index).any(|earlier| earlier.elements().any(same)) {
                    let copy = self.builder.copy(element);
                    self.builder.push(array, copy);
                }
            }
        }
        array
    }
}
