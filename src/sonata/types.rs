//! Types as the checker and the mapping checker use them: compiled from facts, inheritance resolved.
//!
//! A [`Type`] is everything that must hold of one value. The members of a base stand in the derived type itself;
//! what two bases say of one member both holds. Where a base is used by name its choice by `@type` applies; where
//! it is derived from, only its members do. Names are shared, references are numbers, members are sorted: a walk
//! over a message allocates nothing for them.

use super::{facts, names::Names};
use crate::json::{self, number::Exact, same};
use regex::Regex;
use std::{collections::HashMap, sync::Arc};

/// A type of one [`Types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub(super) u32);

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

    #[inline]
    pub fn has(self, kind: json::Kind) -> bool {
        self.0 >> kind as u8 & 1 != 0
    }
}

/// Alternatives, of which exactly one holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub types: Box<[TypeId]>,
    /// The member by which each alternative can be told to be wrong before it is tried: all of them enumerate its
    /// texts, as the products' maps do with `mapType`.
    pub tag: Option<Arc<str>>,
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

    fn parse(name: &str) -> Option<Self> {
        let all = [Format::DateTime, Format::Date, Format::Uri, Format::Ipv4, Format::Ipv6];
        all.into_iter().find(|format| format.name() == name)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct TextRules {
    pub format: Option<Format>,
    pub length: facts::Range,
    pub pattern: Option<Regex>,
    /// Allowed texts; empty for any.
    pub values: Box<[Arc<str>]>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct NumberRules {
    pub min: Option<Exact<Box<str>>>,
    pub max: Option<Exact<Box<str>>>,
}

#[derive(Debug, Clone)]
pub(super) struct ArrayRules {
    pub item: TypeId,
    pub size: facts::Range,
    pub unique: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ObjectRules {
    /// Sorted by name.
    pub members: Vec<Member>,
    /// Where they stand, once all are there.
    names: Names,
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

/// Polymorphism.
#[derive(Debug, Clone)]
pub(super) enum Choice {
    /// Member, and types by its value.
    Cases(Arc<str>, Box<[(Arc<str>, TypeId)]>),
    /// The member's value names a product schema.
    Product(Arc<str>),
}

impl ObjectRules {
    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.member_of(name.as_bytes())
    }

    /// The member of this name.
    #[inline]
    pub fn member_of(&self, name: &[u8]) -> Option<&Member> {
        self.names
            .find(name, |place| self.members.get(place).filter(|member| same(member.name.as_bytes(), name)))
    }

    fn index(&mut self) {
        self.names = Names::of(self.members.iter().map(|member| &*member.name));
    }
}

impl Type {
    /// Prepares what a walk asks, once everything is said.
    fn index(&mut self) {
        if let Some(object) = &mut self.object {
            object.index();
        }
        self.kinds = Kinds::of(self.kind);
        self.is_simple =
            self.array.is_none() && self.object.is_none() && self.one_of.is_empty() && self.all_of.is_empty();
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
    /// Compiles the types of a file of facts, and more expressions that the caller gets the numbers of.
    pub(super) fn compile(
        types: &[facts::Type],
        more: &[&facts::Expression],
    ) -> Result<(Self, Vec<TypeId>), TypesError> {
        let mut compiler = Compiler::new(types)?;
        for type_ in types {
            compiler.named(&type_.name)?;
        }
        let more = more.iter().map(|expression| compiler.expression(expression)).collect::<Result<_, _>>()?;
        let mut out = compiler.out;
        out.types.iter_mut().for_each(Type::index);
        out.find_tags();
        Ok((out, more))
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

    fn tag(&self, group: &Group) -> Option<Arc<str>> {
        let (first, others) = group.types.split_first()?;
        let members = &self.get(*first).object.as_ref()?.members;
        let is_tag = |member: &&Member| {
            !self.texts(*first, &member.name).is_empty()
                && others.iter().all(|other| !self.texts(*other, &member.name).is_empty())
        };
        members.iter().find(is_tag).map(|member| member.name.clone())
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
        // Numbers are given out by `compile` only, so the first type stands in for none.
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
            kinds: Kinds::ALL,
        };
        self.types.get(id.0 as usize).unwrap_or(NOTHING)
    }
}

/// Compiles named types on demand; a type gets its number before it is compiled, so that types may recur.
struct Compiler<'f> {
    facts: HashMap<&'f str, &'f facts::Type>,
    words: HashMap<String, Arc<str>>,
    /// Unnamed types by how they are written, so that equal ones are one.
    unnamed: HashMap<String, TypeId>,
    out: Types,
}

/// Bases within bases.
const BASES_DEEP_MAX: usize = 16;

impl<'f> Compiler<'f> {
    fn new(types: &'f [facts::Type]) -> Result<Self, TypesError> {
        let mut facts = HashMap::new();
        for type_ in types {
            if facts.insert(type_.name.as_str(), type_).is_some() {
                return Err(fail(&type_.name, "is there twice"));
            }
        }
        let (words, unnamed) = (HashMap::new(), HashMap::new());
        Ok(Self { facts, words, unnamed, out: Types::default() })
    }

    fn word(&mut self, text: &str) -> Arc<str> {
        self.words.entry(text.to_owned()).or_insert_with(|| text.into()).clone()
    }

    fn push(&mut self, type_: Type) -> TypeId {
        let id = TypeId(u32::try_from(self.out.types.len()).unwrap_or(u32::MAX));
        self.out.types.push(type_);
        id
    }

    fn named(&mut self, name: &str) -> Result<TypeId, TypesError> {
        if let Some(id) = self.out.names.get(name) {
            return Ok(*id);
        }
        let facts = *self.facts.get(name).ok_or_else(|| fail(name, "is not there"))?;
        let word = self.word(name);
        let id = self.push(Type::default());
        self.out.names.insert(word.clone(), id);
        let mut type_ = Type { name: Some(word), ..Type::default() };
        self.add(&mut type_, facts, 0)?;
        if let Some(place) = self.out.types.get_mut(id.0 as usize) {
            *place = type_;
        }
        Ok(id)
    }

    /// Adds to `type_` what a named type says.
    fn add(&mut self, type_: &mut Type, facts: &facts::Type, depth: usize) -> Result<(), TypesError> {
        if depth > BASES_DEEP_MAX {
            return Err(fail(&facts.name, "derives from itself"));
        }
        match &facts.form {
            facts::Form::Value(facts::Expression::Named(name)) if depth == 0 => {
                let id = self.named(name)?;
                type_.all_of.push(id);
            }
            facts::Form::Value(value) => {
                let value = self.value(value, depth)?;
                if !merge(type_, value) {
                    return Err(fail(&facts.name, "cannot be derived from"));
                }
            }
            facts::Form::Enum(values) => {
                type_.kind = Kind::String;
                let values = values.iter().map(|value| self.word(value)).collect();
                type_.text = Some(Box::new(TextRules { values, ..TextRules::default() }));
            }
            facts::Form::Object(object) => self.object(type_, &facts.name, object, depth)?,
        }
        for group in &facts.one_of {
            let types = group.iter().map(|name| self.named(name)).collect::<Result<_, _>>()?;
            type_.one_of.push(Group { types, tag: None });
        }
        Ok(())
    }

    fn object(
        &mut self,
        type_: &mut Type,
        name: &str,
        facts: &facts::Object,
        depth: usize,
    ) -> Result<(), TypesError> {
        if !facts.partial {
            type_.kind = Kind::Object;
        }
        for base in &facts.bases {
            let base = *self.facts.get(base.as_str()).ok_or_else(|| fail(base, "is not there"))?;
            self.add(type_, base, depth + 1)?;
            // A base's choice is for where the base itself is named.
            if let Some(object) = &mut type_.object {
                object.choice = None;
            }
        }
        for member in &facts.members {
            let value = self.expression(&member.value)?;
            let default = member.default.as_deref().map(|text| self.word(text));
            let member = Member {
                name: self.word(&member.name),
                required: member.required,
                described: true,
                value,
                default,
            };
            self.member(type_, member);
        }
        for name in &facts.require {
            let value = self.expression(&facts::Expression::Scalar(facts::Scalar::default()))?;
            let name = self.word(name);
            self.member(type_, Member { name, required: true, described: false, value, default: None });
        }
        let choice = self.choice(name, facts)?;
        let object = type_.object.get_or_insert_default();
        object.members_min = object.members_min.max(facts.members_min.unwrap_or(0));
        if choice.is_some() {
            object.choice = choice;
        }
        let required = object.members.iter().filter(|member| member.required).count();
        object.required_count = u32::try_from(required).unwrap_or(u32::MAX);
        Ok(())
    }

    fn choice(&mut self, name: &str, facts: &facts::Object) -> Result<Option<Choice>, TypesError> {
        Ok(match &facts.discriminator {
            None => None,
            Some(facts::Discriminator::Product(member)) => Some(Choice::Product(self.word(member))),
            Some(facts::Discriminator::Cases(member, cases)) => {
                let mut by_value = Vec::new();
                for (value, type_name) in cases {
                    if type_name == name {
                        return Err(fail(name, "chooses itself"));
                    }
                    by_value.push((self.word(value), self.named(type_name)?));
                }
                Some(Choice::Cases(self.word(member), by_value.into()))
            }
        })
    }

    /// Adds a member; what is said of it twice both holds.
    fn member(&mut self, type_: &mut Type, member: Member) {
        let members = &mut type_.object.get_or_insert_default().members;
        let at = members.binary_search_by(|own| own.name.cmp(&member.name));
        let own = match at {
            Err(at) => return members.insert(at, member),
            Ok(at) => &mut members[at],
        };
        own.required |= member.required;
        own.default = member.default.or(own.default.take());
        if !member.described || own.value == member.value {
            return;
        }
        let both = if own.described { Some(own.value) } else { None };
        own.described = true;
        let (value, name) = (member.value, own.name.clone());
        own.value = value;
        if let Some(first) = both {
            let both = self.push(Type { all_of: vec![first, value], ..Type::default() });
            if let Some(own) = type_
                .object
                .as_mut()
                .and_then(|object| object.members.iter_mut().find(|own| own.name == name))
            {
                own.value = both;
            }
        }
    }

    fn expression(&mut self, expression: &facts::Expression) -> Result<TypeId, TypesError> {
        if let facts::Expression::Named(name) = expression {
            return self.named(name);
        }
        let key = expression.to_string();
        if let Some(id) = self.unnamed.get(&key) {
            return Ok(*id);
        }
        let type_ = self.value(expression, 0)?;
        let id = self.push(type_);
        self.unnamed.insert(key, id);
        Ok(id)
    }

    fn value(&mut self, expression: &facts::Expression, depth: usize) -> Result<Type, TypesError> {
        let mut type_ = Type::default();
        match expression {
            facts::Expression::Named(name) => {
                let facts = *self.facts.get(name.as_str()).ok_or_else(|| fail(name, "is not there"))?;
                self.add(&mut type_, facts, depth + 1)?;
            }
            facts::Expression::Array(array) => {
                let item = self.expression(&array.item)?;
                type_.kind = Kind::Array;
                type_.array = Some(Box::new(ArrayRules { item, size: array.size, unique: array.unique }));
            }
            facts::Expression::Scalar(scalar) => scalar_rules(&mut type_, scalar)?,
        }
        Ok(type_)
    }
}

fn scalar_rules(type_: &mut Type, scalar: &facts::Scalar) -> Result<(), TypesError> {
    type_.kind = match scalar.kind {
        facts::Kind::Any => Kind::Any,
        facts::Kind::String => Kind::String,
        facts::Kind::Number => Kind::Number,
        facts::Kind::Integer => Kind::Integer,
        facts::Kind::Boolean => Kind::Boolean,
        facts::Kind::Object => Kind::Object,
    };
    let format = scalar.format.as_deref().and_then(Format::parse);
    let pattern = match &scalar.pattern {
        Some(pattern) => Some(Regex::new(pattern).map_err(|error| fail(pattern, &error.to_string()))?),
        None => None,
    };
    if format.is_some() || pattern.is_some() || !scalar.length.is_open() {
        let rules = TextRules { format, length: scalar.length, pattern, values: Box::default() };
        type_.text = Some(Box::new(rules));
    }
    if scalar.min.is_some() || scalar.max.is_some() {
        let bounds = [&scalar.min, &scalar.max];
        if let Some(bound) = bounds.into_iter().flatten().find(|bound| !crate::json::number::is_number(bound))
        {
            return Err(fail(bound, "is no number"));
        }
        type_.number = Some(Box::new(NumberRules {
            min: bound(scalar.min.as_deref()),
            max: bound(scalar.max.as_deref()),
        }));
    }
    Ok(())
}

fn bound(text: Option<&str>) -> Option<Exact<Box<str>>> {
    text.map(|text| Exact::of(text.into()))
}

/// Joins what a base that is no object says; false if both say something of the same kind.
fn merge(type_: &mut Type, base: Type) -> bool {
    if base.kind != Kind::Any {
        if type_.kind != Kind::Any && type_.kind != base.kind {
            return false;
        }
        type_.kind = base.kind;
    }
    let clash = (type_.text.is_some() && base.text.is_some())
        || (type_.number.is_some() && base.number.is_some())
        || (type_.array.is_some() && base.array.is_some())
        || (type_.object.is_some() && base.object.is_some());
    type_.text = base.text.or(type_.text.take());
    type_.number = base.number.or(type_.number.take());
    type_.array = base.array.or(type_.array.take());
    type_.object = base.object.or(type_.object.take());
    type_.one_of.extend(base.one_of);
    type_.all_of.extend(base.all_of);
    !clash
}

fn fail(name: &str, message: &str) -> TypesError {
    TypesError { name: name.to_owned(), message: message.to_owned() }
}

#[cfg(test)]
#[path = "tests/types.rs"]
mod tests;
