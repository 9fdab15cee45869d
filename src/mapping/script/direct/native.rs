//! The functions that a walk knows; the others are the engine's.

use std::fmt;

use rhai::INT;
use rust_decimal::{Decimal, prelude::ToPrimitive};

use super::super::exact;
use super::{
    operate::operand,
    value::{Elements, Heap, TEXT_BYTES_GUESS, Val},
};

/// Takes its arguments, the object before a dot first; none where the engine has to say.
type Work = for<'d> fn(&[Val<'d>], &mut Heap<'d>) -> Option<Val<'d>>;

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
    ("contains", 2, |of, heap| text_test(of, heap, |text, part| text.contains(part))),
    ("starts_with", 2, |of, heap| text_test(of, heap, |text, part| text.starts_with(part))),
    ("ends_with", 2, |of, heap| text_test(of, heap, |text, part| text.ends_with(part))),
    ("trim", 1, trim),
    ("to_upper", 1, |of, heap| heap.changed(text(of, heap)?.to_uppercase())),
    ("to_lower", 1, |of, heap| heap.changed(text(of, heap)?.to_lowercase())),
    ("replace", 3, replace),
    ("split", 2, split),
    ("join", 2, join),
    ("pad_left", 3, pad_left),
    ("sub_string", 3, sub_string),
    ("to_string", 1, to_string),
    ("parse_int", 1, |of, heap| text(of, heap)?.trim().parse().ok().map(Val::Integer)),
    ("parse_decimal", 1, |of, heap| Decimal::from_str_exact(text(of, heap)?.trim()).ok().map(Val::Decimal)),
    ("to_int", 1, to_int),
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
    /// Whether it has this name.
    pub fn is(self, name: &str) -> bool {
        self.0 == name
    }

    /// Its value.
    pub fn call<'d>(self, arguments: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
        (self.1)(arguments, heap)
    }
}

fn text<'h, 'd>(of: &[Val<'d>], heap: &'h Heap<'d>) -> Option<&'h str> {
    text_at(of, 0, heap)
}

fn text_at<'h, 'd>(of: &[Val<'d>], place: usize, heap: &'h Heap<'d>) -> Option<&'h str> {
    heap.text(*of.get(place)?)
}

fn text_test<'d>(of: &[Val<'d>], heap: &Heap<'d>, test: impl Fn(&str, &str) -> bool) -> Option<Val<'d>> {
    Some(Val::Bool(test(text(of, heap)?, text_at(of, 1, heap)?)))
}

fn trim<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    match of.first()? {
        Val::Text(text) => Some(Val::Text(text.trim())),
        made => {
            let trimmed = heap.text(*made)?.trim().to_owned();
            Some(heap.made(trimmed))
        }
    }
}

fn to_string<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let mut text = String::new();
    heap.show(*of.first()?, &mut text)?;
    heap.changed(text)
}

fn count<'d>(number: usize) -> Option<Val<'d>> {
    INT::try_from(number).ok().map(Val::Integer)
}

fn len<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let value = *of.first()?;
    if let Val::Part(node) = value {
        return count(node.len());
    }
    if let Some(text) = heap.text(value) {
        return count(text.chars().count());
    }
    count(match heap.elements(value)? {
        Elements::Given(node) => node.len(),
        Elements::Made(elements) => elements.len(),
    })
}

fn is_empty<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    match len(of, heap)? {
        Val::Integer(length) => Some(Val::Bool(length == 0)),
        _ => None,
    }
}

fn replace<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let (text, from, to) = (text(of, heap)?, text_at(of, 1, heap)?, text_at(of, 2, heap)?);
    // Each place may grow the text: paid before it is made.
    let most = text.len().checked_mul(to.len().max(1))?;
    if from.is_empty() || most / 16 > heap.fuel as usize {
        return None;
    }
    let replaced = text.replace(from, to);
    heap.take_text(most)?;
    Some(heap.made(replaced))
}

fn split<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let whole = *of.first()?;
    let by = text_at(of, 1, heap).filter(|by| !by.is_empty())?;
    let parts: Vec<Val<'d>> = if let Val::Text(text) = whole {
        text.split(by).map(Val::Text).collect()
    } else {
        let parts: Vec<String> = heap.text(whole)?.split(by).map(str::to_owned).collect();
        parts.into_iter().map(|part| heap.made(part)).collect()
    };
    for part in &parts {
        let bytes = heap.text(*part)?.len();
        heap.take(2)?;
        heap.take_text(bytes)?;
    }
    Some(heap.array(parts))
}

fn join<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let (array, by) = (*of.first()?, *of.get(1)?);
    let mut joined = String::with_capacity(TEXT_BYTES_GUESS);
    let between = |heap: &mut Heap<'d>, joined: &mut String, place: usize| {
        let by = heap.text(by)?;
        let bytes = by.len();
        if place > 0 {
            joined.push_str(by);
        }
        heap.take(1)?;
        heap.take_text(bytes)
    };
    match heap.elements(array)? {
        Elements::Given(node) => {
            for (place, element) in node.elements().enumerate() {
                between(heap, &mut joined, place)?;
                heap.show_element(element, &mut joined)?;
            }
        }
        Elements::Made(elements) => {
            let elements = elements.to_vec();
            for (place, element) in elements.into_iter().enumerate() {
                between(heap, &mut joined, place)?;
                heap.show(element, &mut joined)?;
            }
        }
    }
    // Of an array without elements, too, it has to be a text.
    heap.text(by)?;
    heap.changed(joined)
}

fn pad_left<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let (text, Val::Integer(length), fill) = (text(of, heap)?, of.get(1)?, text_at(of, 2, heap)?) else {
        return None;
    };
    let wanted = usize::try_from(*length).unwrap_or(0).saturating_sub(text.chars().count());
    let most = wanted.checked_mul(fill.len().max(1))?;
    if most / 16 > heap.fuel as usize {
        return None;
    }
    if wanted == 0 {
        return of.first().copied();
    }
    let mut padded = String::with_capacity(most + text.len());
    padded.extend(fill.chars().cycle().take(wanted));
    padded.push_str(text);
    heap.take_text(most)?;
    heap.changed(padded)
}

fn sub_string<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let (whole, Val::Integer(start), Val::Integer(length)) = (*of.first()?, of.get(1)?, of.get(2)?) else {
        return None;
    };
    // A negative start counts from the end: the engine does that.
    let (start, length) = (usize::try_from(*start).ok()?, usize::try_from(*length).unwrap_or(0));
    // What a message or the script has is not copied.
    if let Val::Text(text) = whole {
        let part = part(text, start, length);
        heap.take_text(part.len())?;
        return Some(Val::Text(part));
    }
    let part = part(heap.text(whole)?, start, length).to_owned();
    heap.changed(part)
}

/// So many characters of a text, or as many as there are.
fn part(text: &str, start: usize, length: usize) -> &str {
    if text.is_ascii() {
        let start = start.min(text.len());
        let end = start.saturating_add(length).min(text.len());
        return text.get(start..end).unwrap_or_default();
    }
    let behind = |text: &str, count: usize| text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    let rest = text.get(behind(text, start)..).unwrap_or_default();
    rest.get(..behind(rest, length)).unwrap_or_default()
}

fn whole<'d>(of: &[Val<'d>], round: fn(&Decimal) -> Decimal) -> Option<Val<'d>> {
    match of.first()? {
        Val::Integer(integer) => Some(Val::Integer(*integer)),
        Val::Decimal(decimal) => Some(Val::Decimal(round(decimal))),
        _ => None,
    }
}

/// Without what stands behind the point.
fn to_int<'d>(of: &[Val<'d>], _: &mut Heap<'d>) -> Option<Val<'d>> {
    match of.first()? {
        Val::Integer(integer) => Some(Val::Integer(*integer)),
        Val::Decimal(decimal) => decimal.to_i64().map(Val::Integer),
        _ => None,
    }
}

fn divide<'d>(of: &[Val<'d>], _: &mut Heap<'d>) -> Option<Val<'d>> {
    let (left, right, Val::Integer(decimals)) = (*of.first()?, *of.get(1)?, of.get(2)?) else { return None };
    Val::of_dynamic(&exact::divide_rounded(operand(left)?, operand(right)?, *decimals).ok()?)
}

fn get<'d>(of: &[Val<'d>], heap: &mut Heap<'d>) -> Option<Val<'d>> {
    let (array, Val::Integer(index)) = (*of.first()?, of.get(1)?) else { return None };
    let place = usize::try_from(*index).ok()?;
    heap.elements(array)?;
    Some(heap.element(array, place).unwrap_or(Val::Unit))
}
