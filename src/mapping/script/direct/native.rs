//! The functions that a walk knows; the others are the engine's.

use std::{borrow::Cow, fmt, rc::Rc};

use rhai::INT;
use rust_decimal::Decimal;

use super::super::exact;
use super::{
    operate::operand,
    value::{Fuel, Val},
};

/// Takes its arguments, the object before a dot first; none where the engine has to say.
type Work = for<'d> fn(&[Val<'d>], &mut Fuel) -> Option<Val<'d>>;

/// A function.
#[derive(Clone, Copy)]
pub(super) struct Native(&'static str, Work);

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Name, number of arguments, work.
const NATIVES: &[(&str, usize, Work)] = &[
    ("len", 1, len),
    ("is_empty", 1, is_empty),
    ("contains", 2, |of, _| text_test(of, |text, part| text.contains(part))),
    ("starts_with", 2, |of, _| text_test(of, |text, part| text.starts_with(part))),
    ("ends_with", 2, |of, _| text_test(of, |text, part| text.ends_with(part))),
    ("trim", 1, |of, _| text(of).map(|text| made(text.trim().to_owned()))),
    ("to_upper", 1, |of, fuel| changed(text(of)?.to_uppercase(), fuel)),
    ("to_lower", 1, |of, fuel| changed(text(of)?.to_lowercase(), fuel)),
    ("replace", 3, replace),
    ("split", 2, split),
    ("join", 2, join),
    ("pad_left", 3, pad_left),
    ("to_string", 1, |of, fuel| changed(of.first()?.shown()?.into_owned(), fuel)),
    ("parse_int", 1, |of, _| text(of)?.trim().parse().ok().map(Val::Integer)),
    ("parse_decimal", 1, |of, _| Decimal::from_str_exact(text(of)?.trim()).ok().map(Val::Decimal)),
    ("floor", 1, |of, _| whole(of, Decimal::floor)),
    ("ceiling", 1, |of, _| whole(of, Decimal::ceil)),
    ("divide", 3, divide),
    ("get", 2, get),
];

/// The function of this name that takes so many arguments.
pub(super) fn find(name: &str, arguments: usize) -> Option<Native> {
    let found = NATIVES.iter().find(|(own, count, _)| *own == name && *count == arguments);
    found.map(|(name, _, work)| Native(name, *work))
}

impl Native {
    /// Its value.
    pub fn call<'d>(self, arguments: &[Val<'d>], fuel: &mut Fuel) -> Option<Val<'d>> {
        (self.1)(arguments, fuel)
    }
}

fn made<'d>(text: String) -> Val<'d> {
    Val::Text(Cow::Owned(text))
}

fn changed<'d>(text: String, fuel: &mut Fuel) -> Option<Val<'d>> {
    fuel.text(text.len())?;
    Some(made(text))
}

fn text<'v>(of: &'v [Val<'_>]) -> Option<&'v str> {
    text_at(of, 0)
}

fn text_at<'v>(of: &'v [Val<'_>], place: usize) -> Option<&'v str> {
    match of.get(place)? {
        Val::Text(text) => Some(text),
        _ => None,
    }
}

fn text_test<'d>(of: &[Val<'d>], test: impl Fn(&str, &str) -> bool) -> Option<Val<'d>> {
    Some(Val::Bool(test(text(of)?, text_at(of, 1)?)))
}

fn count<'d>(number: usize) -> Option<Val<'d>> {
    INT::try_from(number).ok().map(Val::Integer)
}

fn len<'d>(of: &[Val<'d>], _: &mut Fuel) -> Option<Val<'d>> {
    match of.first()? {
        Val::Text(text) => count(text.chars().count()),
        Val::Array(elements) => count(elements.len()),
        Val::Part(node) => count(node.len()),
        _ => None,
    }
}

fn is_empty<'d>(of: &[Val<'d>], _: &mut Fuel) -> Option<Val<'d>> {
    Some(Val::Bool(match of.first()? {
        Val::Text(text) => text.is_empty(),
        Val::Array(elements) => elements.is_empty(),
        Val::Part(node) => node.is_empty(),
        _ => return None,
    }))
}

fn replace<'d>(of: &[Val<'d>], fuel: &mut Fuel) -> Option<Val<'d>> {
    let (text, from, to) = (text(of)?, text_at(of, 1)?, text_at(of, 2)?);
    // Each place may grow the text: paid before it is made.
    fuel.text(text.len().checked_mul(to.len().max(1))?)?;
    (!from.is_empty()).then(|| made(text.replace(from, to)))
}

fn split<'d>(of: &[Val<'d>], fuel: &mut Fuel) -> Option<Val<'d>> {
    let by = text_at(of, 1).filter(|by| !by.is_empty())?;
    let mut parts = Vec::new();
    for part in text(of)?.split(by) {
        fuel.take(2)?;
        fuel.text(part.len())?;
        parts.push(made(part.to_owned()));
    }
    Some(Val::Array(Rc::new(parts)))
}

fn join<'d>(of: &[Val<'d>], fuel: &mut Fuel) -> Option<Val<'d>> {
    let (Val::Array(elements), by) = (of.first()?, text_at(of, 1)?) else { return None };
    let mut text = String::new();
    for (place, element) in elements.iter().enumerate() {
        if place > 0 {
            text.push_str(by);
        }
        text.push_str(&element.shown()?);
        fuel.take(1)?;
        fuel.text(by.len())?;
    }
    changed(text, fuel)
}

fn pad_left<'d>(of: &[Val<'d>], fuel: &mut Fuel) -> Option<Val<'d>> {
    let (text, Val::Integer(length), fill) = (text(of)?, of.get(1)?, text_at(of, 2)?) else { return None };
    let wanted = usize::try_from(*length).unwrap_or(0).saturating_sub(text.chars().count());
    fuel.text(wanted.checked_mul(fill.len().max(1))?)?;
    let mut padded: String = fill.chars().cycle().take(wanted).collect();
    padded.push_str(text);
    changed(padded, fuel)
}

fn whole<'d>(of: &[Val<'d>], round: fn(&Decimal) -> Decimal) -> Option<Val<'d>> {
    match of.first()? {
        Val::Integer(integer) => Some(Val::Integer(*integer)),
        Val::Decimal(decimal) => Some(Val::Decimal(round(decimal))),
        _ => None,
    }
}

fn divide<'d>(of: &[Val<'d>], _: &mut Fuel) -> Option<Val<'d>> {
    let (left, right, Val::Integer(decimals)) = (of.first()?, of.get(1)?, of.get(2)?) else { return None };
    Val::of_dynamic(&exact::divide_rounded(operand(left)?, operand(right)?, *decimals).ok()?)
}

fn get<'d>(of: &[Val<'d>], _: &mut Fuel) -> Option<Val<'d>> {
    let (Val::Array(elements), Val::Integer(index)) = (of.first()?, of.get(1)?) else { return None };
    let place = usize::try_from(*index).ok()?;
    Some(elements.get(place).cloned().unwrap_or(Val::Unit))
}
