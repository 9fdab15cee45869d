//! From facts to types: inheritance resolved, references made numbers.

use super::{
    facts,
    pattern::Pattern,
    types::{
        ArrayRules, Cases, Choice, Format, Group, Held, Kind, Member, NAMES_MAX, NumberRules, TextRules,
        Type, TypeId, Types, TypesError,
    },
};
use crate::json::number::{self, Exact};
use std::{collections::HashMap, sync::Arc};

/// Numbers of types. They are given out before anything is compiled: the named types have the first, in the order of
/// their file, so that what only names types needs none of them compiled.
pub(super) struct Numbers<'f> {
    named: HashMap<&'f str, (TypeId, &'f facts::Type)>,
    /// Unnamed types by how they are written, so that equal ones are one.
    unnamed: HashMap<String, TypeId>,
    /// Numbers that were given out.
    count: usize,
}

impl<'f> Numbers<'f> {
    pub fn new(types: &'f [facts::Type]) -> Result<Self, TypesError> {
        let mut named = HashMap::new();
        for (index, type_) in types.iter().enumerate() {
            if named.insert(type_.name.as_str(), (number(index), type_)).is_some() {
                return Err(fail(&type_.name, "is there twice"));
            }
        }
        Ok(Self { named, unnamed: HashMap::new(), count: types.len() })
    }

    /// The number of a type, and whether it was given out just now.
    pub fn of(&mut self, expression: &facts::Expression) -> Result<(TypeId, bool), TypesError> {
        if let facts::Expression::Named(name) = expression {
            return Ok((self.named(name)?, false));
        }
        let key = expression.to_string();
        if let Some(id) = self.unnamed.get(&key) {
            return Ok((*id, false));
        }
        let id = self.next();
        self.unnamed.insert(key, id);
        Ok((id, true))
    }

    pub fn named(&self, name: &str) -> Result<TypeId, TypesError> {
        self.named.get(name).map(|(id, _)| *id).ok_or_else(|| fail(name, "is not there"))
    }

    fn facts(&self, name: &str) -> Result<&'f facts::Type, TypesError> {
        self.named.get(name).map(|(_, facts)| *facts).ok_or_else(|| fail(name, "is not there"))
    }

    /// Type of the elements where a type is a list.
    pub fn item(&self, expression: &'f facts::Expression) -> Option<&'f facts::Expression> {
        let next = |expression: &&'f facts::Expression| match expression {
            facts::Expression::Named(name) => match &self.named.get(name.as_str())?.1.form {
                facts::Form::Value(value) => Some(value),
                facts::Form::Object(_) | facts::Form::Enum(_) => None,
            },
            facts::Expression::Scalar(_) | facts::Expression::Array(_) => None,
        };
        let mut meant = std::iter::successors(Some(expression), next).take(NAMES_MAX);
        meant.find_map(|expression| match expression {
            facts::Expression::Array(array) => Some(&array.item),
            facts::Expression::Named(_) | facts::Expression::Scalar(_) => None,
        })
    }

    fn next(&mut self) -> TypeId {
        self.count += 1;
        number(self.count - 1)
    }
}

fn number(index: usize) -> TypeId {
    TypeId(u32::try_from(index).unwrap_or(u32::MAX))
}

/// Compiles a file's types.
pub(super) struct Compiler<'f> {
    numbers: Numbers<'f>,
    words: HashMap<String, Arc<str>>,
    /// Unnamed types that have a number and are still to be compiled.
    waiting: Vec<(TypeId, &'f facts::Expression)>,
    out: Types,
}

/// Bases within bases.
const BASES_DEEP_MAX: usize = 16;

/// What is said of a member that is only required.
const ANY: &facts::Expression = &facts::Expression::Scalar(facts::Scalar {
    kind: facts::Kind::Any,
    format: None,
    length: facts::Range { min: None, max: None },
    min: None,
    max: None,
    pattern: None,
});

impl<'f> Compiler<'f> {
    /// All types of a file, and the expressions that its operations name, which have the numbers after the named types'.
    pub fn compile(types: &'f [facts::Type], more: &[&'f facts::Expression]) -> Result<Types, TypesError> {
        let numbers = Numbers::new(types)?;
        let (words, waiting) = (HashMap::new(), Vec::new());
        let mut compiler = Self { numbers, words, waiting, out: Types::default() };
        for expression in more {
            compiler.expression(expression)?;
        }
        for (index, facts) in types.iter().enumerate() {
            let name = compiler.word(&facts.name);
            compiler.out.names.insert(name.clone(), number(index));
            let mut type_ = Type { name: Some(name), ..Type::default() };
            compiler.add(&mut type_, facts, 0)?;
            compiler.put(number(index), type_);
        }
        while let Some((id, expression)) = compiler.waiting.pop() {
            let type_ = compiler.value(expression, 0)?;
            compiler.put(id, type_);
        }
        Ok(compiler.out)
    }

    fn word(&mut self, text: &str) -> Arc<str> {
        if let Some(word) = self.words.get(text) {
            return word.clone();
        }
        let word: Arc<str> = text.into();
        self.words.insert(text.to_owned(), word.clone());
        word
    }

    fn put(&mut self, id: TypeId, type_: Type) {
        let types = &mut self.out.types;
        let index = id.0 as usize;
        if types.len() <= index {
            types.resize_with(index + 1, Type::default);
        }
        if let Some(place) = types.get_mut(index) {
            *place = type_;
        }
    }

    /// Adds to `type_` what a named type says.
    fn add(&mut self, type_: &mut Type, facts: &'f facts::Type, depth: usize) -> Result<(), TypesError> {
        if depth > BASES_DEEP_MAX {
            return Err(fail(&facts.name, "derives from itself"));
        }
        match &facts.form {
            facts::Form::Value(facts::Expression::Named(name)) if depth == 0 => {
                type_.all_of.push(self.numbers.named(name)?);
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
            let types = group.iter().map(|name| self.numbers.named(name)).collect::<Result<_, _>>()?;
            type_.one_of.push(Group { types, tag: None });
        }
        Ok(())
    }

    fn object(
        &mut self,
        type_: &mut Type,
        name: &str,
        facts: &'f facts::Object,
        depth: usize,
    ) -> Result<(), TypesError> {
        if !facts.partial {
            type_.kind = Kind::Object;
        }
        for base in &facts.bases {
            let base = self.numbers.facts(base)?;
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
            let value = self.expression(ANY)?;
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
                    by_value.push((self.word(value), self.numbers.named(type_name)?));
                }
                Some(Choice::Cases(Cases::new(self.word(member), by_value)))
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
            let both = self.numbers.next();
            self.put(both, Type { all_of: vec![first, value], ..Type::default() });
            if let Some(own) = type_
                .object
                .as_mut()
                .and_then(|object| object.members.iter_mut().find(|own| own.name == name))
            {
                own.value = both;
            }
        }
    }

    fn expression(&mut self, expression: &'f facts::Expression) -> Result<TypeId, TypesError> {
        let (id, is_new) = self.numbers.of(expression)?;
        if is_new {
            self.waiting.push((id, expression));
        }
        Ok(id)
    }

    fn value(&mut self, expression: &'f facts::Expression, depth: usize) -> Result<Type, TypesError> {
        let mut type_ = Type::default();
        match expression {
            facts::Expression::Named(name) => {
                let facts = self.numbers.facts(name)?;
                self.add(&mut type_, facts, depth + 1)?;
            }
            facts::Expression::Array(array) => {
                let item = self.expression(&array.item)?;
                type_.kind = Kind::Array;
                type_.array = Some(Box::new(ArrayRules {
                    item,
                    held: Held::default(),
                    size: array.size,
                    unique: array.unique,
                }));
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
        Some(pattern) => Some(Pattern::new(pattern).map_err(|error| fail(pattern, &error.to_string()))?),
        None => None,
    };
    if format.is_some() || pattern.is_some() || !scalar.length.is_open() {
        let rules = TextRules { format, length: scalar.length, pattern, ..TextRules::default() };
        type_.text = Some(Box::new(rules));
    }
    if scalar.min.is_some() || scalar.max.is_some() {
        let bounds = [&scalar.min, &scalar.max];
        if let Some(bound) = bounds.into_iter().flatten().find(|bound| !crate::json::number::is_number(bound))
        {
            return Err(fail(bound, "is no number"));
        }
        type_.number = Some(Box::new(NumberRules {
            whole: whole(scalar.min.as_deref(), i64::MIN).zip(whole(scalar.max.as_deref(), i64::MAX)),
            min: bound(scalar.min.as_deref()),
            max: bound(scalar.max.as_deref()),
        }));
    }
    Ok(())
}

/// A bound as an integer, `open` where there is none.
fn whole(text: Option<&str>, open: i64) -> Option<i64> {
    text.map_or(Some(open), number::to_i64)
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
