//! Values to try a place with, and what has to come back of them.

use super::claims::Claim;
use crate::mapping::{
    convert::{Class, Context, Converter},
    direction::Direction,
    program::{CodesUse, Transform},
    schema::{Kind, TypeId, Types},
    value::Value,
};

/// How deep an object is made up that a rule carries whole.
const DEPTH_MAX: usize = 3;
/// A value that no code table is meant to have.
pub(super) const OTHER: &str = "something else";
const TEXTS: &[&str] = &["B-17", "Käse & Co", "0071", "a \"b\" \\ c/d", " two  words ", "x"];
const NUMBERS: &[&str] = &["7", "0", "-12.50", "1234567890123456789"];
const INTEGERS: &[&str] = &["7", "0", "42", "1500"];

/// What is known of the type of a place.
pub(super) type Typed<'t> = Option<(&'t dyn Types, TypeId)>;

/// Values that a place can have which a rule reads with these transforms, never none.
pub(super) fn candidates(
    transforms: &[Transform],
    direction: Direction,
    typed: Typed<'_>,
) -> Vec<Value<'static>> {
    let found = match transforms.first() {
        Some(Transform::Codes(codes)) => coded(codes, direction, typed),
        Some(Transform::Convert(convert)) => convert.converter.samples(direction),
        Some(Transform::Ref { .. } | Transform::Key { .. } | Transform::Script(_)) => plain(None, 0),
        None => plain(typed, 0),
    };
    let is_array = typed.is_some_and(|(types, ty)| types.kind(ty) == Kind::Array);
    let scalars = |value: &Value<'static>| !matches!(value, Value::Array(_) | Value::Object(_));
    let whole = matches!(transforms.first(), Some(Transform::Codes(_) | Transform::Ref { .. }));
    if is_array && whole && found.iter().all(scalars) {
        let with_next = found.iter().zip(found.iter().cycle().skip(1));
        return with_next.map(|(one, next)| Value::Array(vec![one.clone(), next.clone()])).collect();
    }
    if found.is_empty() { plain(typed, 0) } else { found }
}

/// The values of a code table that the type allows, and where the table answers for any other, one more.
fn coded(codes: &CodesUse, direction: Direction, typed: Typed<'_>) -> Vec<Value<'static>> {
    let written = codes.table.writes(direction.reverse());
    let allowed = typed.map(|(types, ty)| values(types, ty)).unwrap_or_default();
    let mut found: Vec<&str> = codes.table.read(direction).collect();
    if !allowed.is_empty() {
        found.retain(|code| allowed.iter().any(|own| own == code));
    }
    if codes.otherwise.is_some() {
        match allowed.iter().find(|own| !found.contains(&own.as_str())) {
            Some(own) => found.push(own),
            None if allowed.is_empty() => found.push(OTHER),
            None => {}
        }
    }
    found.into_iter().map(|code| written.write(code).into_owned()).collect()
}

/// The values of an enumeration, of its elements where it is of an array.
fn values(types: &dyn Types, mut ty: TypeId) -> Vec<String> {
    while let (Kind::Array, Some(element)) = (types.kind(ty), types.element(ty)) {
        ty = element;
    }
    types.values(ty)
}

/// Values of a type; of none that is known, texts.
fn plain(typed: Typed<'_>, depth: usize) -> Vec<Value<'static>> {
    let texts = || TEXTS.iter().map(|text| Value::text(*text)).collect();
    let numbers = |list: &[&'static str]| list.iter().map(|text| Value::Number((*text).into())).collect();
    let Some((types, ty)) = typed else { return texts() };
    let allowed = types.values(ty);
    if !allowed.is_empty() && types.kind(ty) == Kind::Text {
        return allowed.into_iter().map(Value::text).collect();
    }
    match types.kind(ty) {
        Kind::Text | Kind::Any => texts(),
        Kind::Number => numbers(NUMBERS),
        Kind::Integer => numbers(INTEGERS),
        Kind::Boolean => vec![Value::Bool(true), Value::Bool(false)],
        Kind::Array => {
            let elements = plain(types.element(ty).map(|element| (types, element)), depth + 1);
            let two = elements.iter().zip(elements.iter().skip(1)).take(2);
            let one = elements.first().map(|one| Value::Array(vec![one.clone()]));
            two.map(|(one, other)| Value::Array(vec![one.clone(), other.clone()])).chain(one).collect()
        }
        Kind::Object if depth >= DEPTH_MAX => vec![Value::Object(Vec::new())],
        Kind::Object => {
            let members = types.members(ty, None).into_iter().filter_map(|(name, member)| {
                let value = plain(Some((types, member.ty)), depth + 1).into_iter().next()?;
                Some((name.into(), value))
            });
            vec![Value::Object(members.collect())]
        }
    }
}

/// What has to come back of a value that leaves in this direction.
pub(super) fn expected(claim: &Claim, direction: Direction, value: &Value<'static>) -> Value<'static> {
    let (away, home) = (claim.transforms(direction), claim.transforms(direction.reverse()));
    let (Some(away), Some(home)) = (away.first(), home.first()) else { return value.clone() };
    match (away, home) {
        (Transform::Convert(one), Transform::Convert(other))
            if claim.is_pair() || one.converter.name() == other.converter.name() =>
        {
            let is_two_way =
                one.converter.class() != Class::OneWay && other.converter.class() != Class::OneWay;
            let canonical = || there_and_back(&one.converter, direction, value);
            is_two_way.then(canonical).flatten().unwrap_or_else(|| value.clone())
        }
        // Of several spellings of the legacy side one is written: that is the canonical one.
        (Transform::Codes(one), Transform::Codes(other)) if direction == Direction::ToSonata => {
            spelled(one, other, value).unwrap_or_else(|| value.clone())
        }
        _ => value.clone(),
    }
}

fn there_and_back(
    converter: &Converter,
    direction: Direction,
    value: &Value<'static>,
) -> Option<Value<'static>> {
    let currency = |value: &Value<'static>| {
        let unit = value.member("unit");
        if unit.is_absent() { Value::text(super::CURRENCY) } else { unit }
    };
    let argument = currency(value);
    let context = Context { argument: converter.path_argument().map(|_| &argument) };
    let there = converter.apply(direction, value.clone(), context).ok()?.into_owned();
    let back = converter.apply(direction.reverse(), there, context).ok()?.into_owned();
    (!back.is_absent()).then_some(back)
}

/// The written spelling of a row of the table; of what the table does not have, the value itself.
fn spelled(one: &CodesUse, other: &CodesUse, value: &Value<'static>) -> Option<Value<'static>> {
    let each = |value: &Value<'static>| {
        let sonata = one.table.translate(Direction::ToSonata, value).ok()?.into_owned();
        let back = other.table.translate(Direction::ToLegacy, &sonata).ok()?.into_owned();
        Some(back)
    };
    match value.elements() {
        Some(elements) => elements.iter().map(each).collect::<Option<Vec<_>>>().map(Value::Array),
        None => each(value),
    }
}
