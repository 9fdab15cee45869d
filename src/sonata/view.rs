//! Types to read: what the mapping checker, coverage and documentation ask of a contract.

use super::{
    Types,
    types::{Choice, Format, Kind, ObjectRules, Type, TypeId},
};

/// A type of a contract or product. Copying it is free.
#[derive(Debug, Clone, Copy)]
pub struct TypeView<'t> {
    types: &'t Types,
    id: TypeId,
}

/// A member of an object type.
#[derive(Debug, Clone, Copy)]
pub struct MemberView<'t> {
    /// Its name.
    pub name: &'t str,
    /// Whether it must be there.
    pub required: bool,
    /// Its type.
    pub value: TypeView<'t>,
    /// What holds if it is absent, as text.
    pub default: Option<&'t str>,
}

/// Types that hold of one value together, at most; names that stand for each other in a circle end here.
const PARTS_MAX: usize = 32;

/// How an object type chooses among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polymorphism<'t> {
    /// It does not.
    None,
    /// By the value of this member, one of [`TypeView::derived_names`].
    Cases(&'t str),
    /// By the value of this member, which names a product schema.
    Product(&'t str),
}

impl<'t> TypeView<'t> {
    /// Looks at a type of these types.
    #[must_use]
    pub fn new(types: &'t Types, id: TypeId) -> Self {
        Self { types, id }
    }

    /// Its number.
    pub fn id(self) -> TypeId {
        self.id
    }

    fn type_(self) -> &'t Type {
        self.types.get(self.id)
    }

    fn at(self, id: TypeId) -> Self {
        Self { types: self.types, id }
    }

    /// This type and those that hold besides.
    fn parts(self) -> impl Iterator<Item = &'t Type> {
        let mut parts = vec![self.type_()];
        let mut next = 0;
        while let Some(part) = parts.get(next).filter(|_| next < PARTS_MAX) {
            parts.extend(part.all_of.iter().map(|id| self.types.get(*id)));
            next += 1;
        }
        parts.into_iter()
    }

    /// Its name; of an unnamed type the owner's and the member's, such as `listQuote.state`.
    pub fn name(self) -> Option<&'t str> {
        self.type_().name.as_deref().or_else(|| self.parts().find_map(|part| part.name.as_deref()))
    }

    /// What a value must be.
    pub fn kind(self) -> Kind {
        let own = self.parts().map(|part| part.kind).find(|kind| *kind != Kind::Any);
        own.unwrap_or_else(|| {
            let mut kinds = self.alternatives().map(TypeView::kind);
            match kinds.next() {
                Some(first) if kinds.all(|kind| kind == first) => first,
                _ if self.parts().any(|part| part.object.is_some()) => Kind::Object,
                _ => Kind::Any,
            }
        })
    }

    fn object(self) -> impl Iterator<Item = &'t ObjectRules> {
        self.parts().filter_map(|part| part.object.as_deref())
    }

    /// The member of this name: its own, or one that an alternative has (then not required).
    pub fn member(self, name: &str) -> Option<MemberView<'t>> {
        let own = self.object().find_map(|object| object.member(name).filter(|member| member.described));
        if let Some(member) = own {
            return Some(self.member_view(member));
        }
        let other = self.alternatives().find_map(|alternative| alternative.member(name))?;
        Some(MemberView { required: false, ..other })
    }

    /// The member of this name where the discriminator has this value: also what the derived type adds.
    pub fn member_as(self, name: &str, literal: Option<&str>) -> Option<MemberView<'t>> {
        let derived = literal.and_then(|literal| self.derived(literal));
        derived.unwrap_or(self).member(name)
    }

    /// Members, sorted by name; those of alternatives are not among them.
    pub fn members(self) -> impl Iterator<Item = MemberView<'t>> {
        let described =
            self.object().flat_map(|object| object.members.iter().filter(|member| member.described));
        described.map(move |member| self.member_view(member))
    }

    /// Members that are required and of which nothing else is said.
    pub fn bare_members(self) -> impl Iterator<Item = MemberView<'t>> {
        let bare = self.object().flat_map(|object| object.members.iter().filter(|member| !member.described));
        bare.map(move |member| self.member_view(member))
    }

    fn member_view(self, member: &'t super::types::Member) -> MemberView<'t> {
        let (name, required, default) = (&*member.name, member.required, member.default.as_deref());
        MemberView { name, required, value: self.at(member.value), default }
    }

    /// Whether objects of it may hold anything, because nothing is said of them.
    pub fn is_open(self) -> bool {
        matches!(self.kind(), Kind::Any | Kind::Object)
            && self.members().next().is_none()
            && self.alternatives().next().is_none()
    }

    /// How it chooses among derived types.
    pub fn polymorphism(self) -> Polymorphism<'t> {
        match self.choice() {
            Some(Choice::Cases(cases)) => Polymorphism::Cases(&cases.member),
            Some(Choice::Product(member)) => Polymorphism::Product(member),
            None => Polymorphism::None,
        }
    }

    fn choice(self) -> Option<&'t Choice> {
        self.object().find_map(|object| object.choice.as_ref())
    }

    /// The type where the discriminator has this value; it has the base's members too.
    pub fn derived(self, value: &str) -> Option<TypeView<'t>> {
        let Some(Choice::Cases(cases)) = self.choice() else { return None };
        cases.of(value).map(|id| self.at(id))
    }

    /// Values of the discriminator.
    pub fn derived_names(self) -> impl Iterator<Item = &'t str> {
        let cases = match self.choice() {
            Some(Choice::Cases(cases)) => &*cases.types,
            _ => &[],
        };
        cases.iter().map(|(name, _)| name.as_ref())
    }

    /// Types of which exactly one holds.
    pub fn alternatives(self) -> impl Iterator<Item = TypeView<'t>> {
        self.parts().flat_map(|part| part.one_of.iter().flatten()).map(move |id| self.at(*id))
    }

    /// Type of the elements of a list.
    pub fn item(self) -> Option<TypeView<'t>> {
        self.parts().find_map(|part| part.array.as_deref()).map(|array| self.at(array.item))
    }

    /// Least and greatest number of elements of a list.
    pub fn items_bounds(self) -> (u32, Option<u32>) {
        let size = self.parts().find_map(|part| part.array.as_deref()).map(|array| array.size);
        size.map_or((0, None), |size| (size.min.unwrap_or(0), size.max))
    }

    /// Allowed texts; empty if any text is.
    pub fn enum_values(self) -> impl Iterator<Item = &'t str> {
        let rules = self.parts().filter_map(|part| part.text.as_deref());
        rules.flat_map(|rules| rules.values.iter().map(AsRef::as_ref))
    }

    /// Format of a text, if it is one that is checked.
    pub fn format(self) -> Option<Format> {
        self.parts().find_map(|part| part.text.as_deref()?.format)
    }

    /// Greatest length of a text in characters.
    pub fn length_max(self) -> Option<u32> {
        self.parts().find_map(|part| part.text.as_deref()?.length.max)
    }
}
