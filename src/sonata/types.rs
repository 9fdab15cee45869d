//! Types as the checker and the mapping checker use them: compiled from facts, inheritance resolved.
//!
//! A [`Type`] is everything that must hold of one value. The members of a base stand in the derived type itself;
//! what two bases say of one member both holds. Where a base is used by name its choice by `@type` applies; where
//! it is derived from, only its members do. Names are shared, references are numbers, members are sorted: a walk
//! over a message allocates nothing for them.

use super::{compile::Compiler, facts, names::Names, pattern::Pattern};
use crate::json::{self, Node, number::Exact};
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

/// Types that are each only another's name, in a row at most.
pub(super) const NAMES_MAX: usize = 32;

/// A type of one [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TypeId(pub(super) u32);

impl TypeId {
    /// The number, which is the same in every run.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }

    /// The type of a number that [`Self::number`] gave.
    #[must_use]
    pub fn of(number: u32) -> Self {
        Self(number)
    }
}

/// All types of one contract, or of the products of a release.
#[derive(Debug, Default)]
pub struct Types {
    pub(super) types: Vec<Type>,
    pub(super) names: HashMap<Arc<str>, TypeId>,
}

/// Everything that holds of a value; rules of another kind than the value's do not apply.
#[derive(Debug, Clone, Default)]
pub(super) struct Type {
    /// Name in the standard; names with a `.` or `/` are of our making, for what the standard leaves unnamed.
    pub name: Option<Arc<str>>,
    pub kind: Kind,
    pub text: Option<Box<TextRules>>,
    pub number: Option<Box<NumberRules>>,
    pub array: Option<Box<ArrayRules>>,
    pub object: Option<Box<ObjectRules>>,
    /// Of each group exactly one holds.
    pub one_of: Vec<Group>,
    /// All of these hold too.
    pub all_of: Vec<TypeId>,
    /// Whether it says nothing of the parts of a value, and nothing of it elsewhere.
    pub is_simple: bool,
    /// The kinds of JSON that fit `kind`.
    pub kinds: Kinds,
}

/// A set of the kinds of JSON.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kinds(u8);

impl Kinds {
    const ALL: Self = Self(u8::MAX);

    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Any => Self::ALL,
            Kind::String => Self(1 << json::Kind::String as u8),
            Kind::Number | Kind::Integer => Self(1 << json::Kind::Number as u8),
            Kind::Boolean => Self(1 << json::Kind::Bool as u8),
            Kind::Array => Self(1 << json::Kind::Array as u8),
            Kind::Object => Self(1 << json::Kind::Object as u8),
        }
    }

    /// Whether the value is of one of them.
    #[inline]
    pub fn fit(self, node: Node<'_>) -> bool {
        node.is_of_kinds(self.0)
    }
}

/// Alternatives, of which exactly one holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub types: Box<[TypeId]>,
    /// By what the others can be told to be wrong before they are tried.
    pub tag: Option<Tag>,
}

/// A member whose texts every alternative enumerates, as the products' maps do with `mapType`.
#[derive(Debug, Clone)]
pub(super) struct Tag {
    pub member: Arc<str>,
    /// For each text the alternatives that allow it.
    types: Names<Box<[TypeId]>>,
}

impl Tag {
    /// The alternatives that allow this text.
    #[inline]
    pub fn allowing(&self, text: &[u8]) -> &[TypeId] {
        self.types.find(text).map(AsRef::as_ref).unwrap_or_default()
    }
}

impl<'g> IntoIterator for &'g Group {
    type Item = &'g TypeId;
    type IntoIter = std::slice::Iter<'g, TypeId>;

    fn into_iter(self) -> Self::IntoIter {
        self.types.iter()
    }
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Whatever JSON allows.
    #[default]
    Any,
    /// A string.
    String,
    /// A number.
    Number,
    /// A number without fraction, however spelled.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The word for messages.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Any => "any value",
            Kind::String => "string",
            Kind::Number => "number",
            Kind::Integer => "integer",
            Kind::Boolean => "boolean",
            Kind::Array => "array",
            Kind::Object => "object",
        }
    }
}

/// Formats that are checked; others are only notes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 3339 `date-time`.
    DateTime,
    /// RFC 3339 `full-date`.
    Date,
    /// RFC 3986 URI, absolute.
    Uri,
    /// Dotted decimal.
    Ipv4,
    /// RFC 4291.
    Ipv6,
}

impl Format {
    /// The name in the standard's files.
    pub fn name(self) -> &'static str {
        match self {
            Format::DateTime => "date-time",
            Format::Date => "date",
            Format::Uri => "uri",
            Format::Ipv4 => "ipv4",
            Format::Ipv6 => "ipv6",
        }
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let all = [Format::DateTime, Format::Date, Format::Uri, Format::Ipv4, Format::Ipv6];
        all.into_iter().find(|format| format.name() == name)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct TextRules {
    pub format: Option<Format>,
    pub length: facts::Range,
    pub pattern: Option<Pattern>,
    /// Allowed texts; empty for any.
    pub values: Box<[Arc<str>]>,
    /// The same, to find one.
    pub names: Names,
}

#[derive(Debug, Clone, Default)]
pub(super) struct NumberRules {
    /// Both bounds, where they are integers.
    pub whole: Option<(i64, i64)>,
    pub min: Option<Exact<Box<str>>>,
    pub max: Option<Exact<Box<str>>>,
}

#[derive(Debug, Clone)]
pub(super) struct ArrayRules {
    pub item: TypeId,
    /// The same for a walk.
    pub held: Held,
    pub size: facts::Range,
    pub unique: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ObjectRules {
    /// Sorted by name.
    pub members: Vec<Member>,
    /// The same members, in the same order, to find one by its name and for a walk.
    places: Names<Place>,
    pub required_count: u32,
    pub members_min: u32,
    pub choice: Option<Choice>,
}

#[derive(Debug, Clone)]
pub(super) struct Member {
    pub name: Arc<str>,
    pub required: bool,
    /// Whether the standard describes it; if not it is only required.
    pub described: bool,
    pub value: TypeId,
    pub default: Option<Arc<str>>,
}

/// A member as a walk meets it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub required: bool,
    pub held: Held,
}

/// What must hold of a value, as far as it can be said without its type: of most values everything.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// The type; one that is only another's name stands for that.
    pub value: TypeId,
    pub kinds: Kinds,
    pub rest: Rest,
}

/// What a type says besides the kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Rest {
    /// Nothing.
    #[default]
    Nothing,
    /// Something of the text or number that it is.
    Simple,
    /// Something of its members or elements, which are on their own.
    Members,
    /// Something else of its parts, or in further types.
    Parts,
}

/// Polymorphism.
#[derive(Debug, Clone)]
pub(super) enum Choice {
    /// By the texts of a member.
    Cases(Cases),
    /// The member's value names a product schema.
    Product(Arc<str>),
}

/// Types by the text of a member.
#[derive(Debug, Clone)]
pub(super) struct Cases {
    pub member: Arc<str>,
    pub types: Box<[(Arc<str>, TypeId)]>,
    by_text: Names<TypeId>,
}

impl Cases {
    pub fn new(member: Arc<str>, types: Vec<(Arc<str>, TypeId)>) -> Self {
        let by_text = Names::with(types.iter().cloned());
        Self { member, types: types.into(), by_text }
    }

    /// The type for this text.
    pub fn of(&self, text: &str) -> Option<TypeId> {
        self.by_text.find(text.as_bytes()).copied()
    }
}

impl Choice {
    /// The member that chooses.
    pub fn member(&self) -> &str {
        match self {
            Self::Cases(cases) => &cases.member,
            Self::Product(member) => member,
        }
    }
}

impl ObjectRules {
    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.get(self.places.place_of(name.as_bytes())?)
    }

    /// The same for a walk.
    #[expect(clippy::inline_always, reason = "the half of a check")]
    #[inline(always)]
    pub fn place(&self, name: &[u8]) -> Option<&Place> {
        self.places.find(name)
    }
}

impl Type {
    /// Prepares what a walk asks, once everything is said.
    fn index(&mut self) {
        if let Some(text) = &mut self.text {
            text.names = Names::of(text.values.iter().cloned());
        }
        self.kinds = Kinds::of(self.kind);
        self.is_simple =
            self.array.is_none() && self.object.is_none() && self.one_of.is_empty() && self.all_of.is_empty();
    }

    /// Whether it says nothing but that another type holds.
    fn is_name(&self) -> bool {
        self.kind == Kind::Any
            && self.text.is_none()
            && self.number.is_none()
            && self.array.is_none()
            && self.object.is_none()
            && self.one_of.is_empty()
            && self.all_of.len() == 1
    }
}

/// Why facts give no types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("type {name}: {message}")]
pub struct TypesError {
    /// The type.
    pub name: String,
    /// What is wrong with it.
    pub message: String,
}

impl Types {
    /// Compiles the types of a file of facts, and the expressions that its operations name.
    pub(super) fn compile(types: &[facts::Type], more: &[&facts::Expression]) -> Result<Self, TypesError> {
        let mut out = Compiler::compile(types, more)?;
        out.types.shrink_to_fit();
        out.types.iter_mut().for_each(Type::index);
        out.place_members();
        out.find_tags();
        Ok(out)
    }

    /// What stands for types that cannot be had: nothing is of them.
    pub(super) fn none() -> Self {
        Self::default()
    }

    /// Writes down what of each type a walk needs before it looks at it, where it is referred to.
    fn place_members(&mut self) {
        let ids = (0..).take(self.types.len());
        let held: Vec<Held> = ids.map(|id| self.held(TypeId(id))).collect();
        let held = |id: TypeId| held.get(id.0 as usize).copied().unwrap_or_default();
        for type_ in &mut self.types {
            if let Some(array) = &mut type_.array {
                array.held = held(array.item);
            }
            if let Some(object) = &mut type_.object {
                let place = |member: &Member| Place { required: member.required, held: held(member.value) };
                let members = object.members.iter();
                object.places = Names::with(members.map(|member| (member.name.clone(), place(member))));
            }
        }
    }

    fn held(&self, id: TypeId) -> Held {
        let named =
            |id: &TypeId| Some(self.get(*id)).filter(|type_| type_.is_name())?.all_of.first().copied();
        // Names that stand for each other in a circle end somewhere in it.
        let value = std::iter::successors(Some(id), named).take(NAMES_MAX).last().unwrap_or(id);
        let type_ = self.get(value);
        let says_more = type_.text.is_some() || type_.number.is_some() || type_.kind == Kind::Integer;
        let is_alone = type_.one_of.is_empty()
            && type_.all_of.is_empty()
            && type_.object.as_ref().is_none_or(|object| object.choice.is_none());
        let is_one = match type_.kind {
            Kind::Object => type_.object.is_some() && type_.array.is_none(),
            Kind::Array => type_.array.is_some() && type_.object.is_none(),
            _ => false,
        };
        let rest = match (type_.is_simple, says_more) {
            (false, _) if is_alone && is_one => Rest::Members,
            (false, _) => Rest::Parts,
            (true, true) => Rest::Simple,
            (true, false) => Rest::Nothing,
        };
        Held { value, kinds: type_.kinds, rest }
    }

    /// Finds what tells alternatives from each other, once all types are there.
    fn find_tags(&mut self) {
        let mut found = Vec::new();
        for (at, type_) in self.types.iter().enumerate() {
            found.extend(type_.one_of.iter().enumerate().map(|(index, group)| (at, index, self.tag(group))));
        }
        for (at, index, tag) in found {
            if let Some(group) = self.types.get_mut(at).and_then(|type_| type_.one_of.get_mut(index)) {
                group.tag = tag;
            }
        }
    }

    fn tag(&self, group: &Group) -> Option<Tag> {
        let (first, others) = group.types.split_first()?;
        let members = &self.get(*first).object.as_ref()?.members;
        let is_tag = |member: &&Member| {
            !self.texts(*first, &member.name).is_empty()
                && others.iter().all(|other| !self.texts(*other, &member.name).is_empty())
        };
        let member = members.iter().find(is_tag)?.name.clone();
        let texts: BTreeSet<&Arc<str>> = group.types.iter().flat_map(|id| self.texts(*id, &member)).collect();
        let allowing = |text: &Arc<str>| {
            group.types.iter().copied().filter(|id| self.texts(*id, &member).contains(text)).collect()
        };
        let types = Names::with(texts.iter().map(|text| (Arc::clone(text), allowing(text))));
        Some(Tag { member, types })
    }

    /// The texts that a type allows for a member; none if it does not enumerate them.
    pub(super) fn texts(&self, id: TypeId, name: &str) -> &[Arc<str>] {
        let member = self.get(id).object.as_ref().and_then(|object| object.member(name));
        let rules = member.and_then(|member| self.get(member.value).text.as_ref());
        rules.map(|rules| rules.values.as_ref()).unwrap_or_default()
    }

    /// The type of this name in the standard.
    pub fn named(&self, name: &str) -> Option<TypeId> {
        self.names.get(name).copied()
    }

    /// Names of all types, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(AsRef::as_ref)
    }

    #[inline]
    pub(super) fn get(&self, id: TypeId) -> &Type {
        // Numbers are given out for what is compiled only, so this stands in for no type; no value is of it.
        const NOTHING: &Type = &Type {
            name: None,
            kind: Kind::Any,
            text: None,
            number: None,
            array: None,
            object: None,
            one_of: Vec::new(),
            all_of: Vec::new(),
            is_simple: true,
            kinds: Kinds(0),
        };
        self.types.get(id.0 as usize).unwrap_or(NOTHING)
    }
}

#[cfg(test)]
#[path = "tests/types.rs"]
mod tests;
