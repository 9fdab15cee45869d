//! Legacy names and words that stand once in the set and look like one that stands often: where no interface says what
//! there is, that is all that shows a slip of the hand.

use super::Compiler;
use crate::json::query::{Condition, Literal, Step};
use crate::mapping::diagnostic as code;
use crate::mapping::path::{self, FieldPath, Part};
use crate::mapping::raw::{self, AnswerFrom, Body, Branch, ElseBranch, Rule, Text};
use crate::text::{Diagnostic, Hint, Span, suggest};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Shorter names are too much alike to tell anything, unless a longer one stands often.
const LETTERS_MIN: usize = 3;
/// How often that is.
const OFTEN_MIN: usize = 3;
/// Names of so many letters, the same ones, are hardly two names.
const TWIN_LETTERS_MIN: usize = 8;

/// Words by what they are a word of, with the places where they stand.
#[derive(Default)]
struct Seen {
    words: BTreeMap<(String, String), Vec<Span>>,
}

impl Seen {
    fn note(&mut self, of: &str, word: &str, at: Span) {
        let places = self.words.entry((of.to_owned(), word.to_owned())).or_default();
        // A shape of several messages stands at one place.
        if !places.contains(&at) {
            places.push(at);
        }
    }

    fn path(&mut self, text: &Text) {
        let Ok(parsed) = FieldPath::parse(text.as_str()) else { return };
        // Parts of an address are named by the address.
        if parsed.part == Part::Path {
            return;
        }
        for (index, step) in parsed.steps.iter().enumerate() {
            if let path::Step::Member(name) = step {
                self.note("", name, super::steps::span_of(text, index));
            }
        }
    }

    /// Names that a condition reads and compares with something.
    fn names(&mut self, text: &Text) {
        let Ok(condition) = Condition::parse(text.as_str()) else { return };
        for one in condition.comparisons() {
            for step in &one.path.steps {
                if let Step::Name(name) = step {
                    self.note("", name, super::steps::word_in(text, name));
                }
            }
        }
    }

    fn condition(&mut self, text: &Text) {
        let Ok(condition) = Condition::parse(text.as_str()) else { return };
        for one in condition.comparisons() {
            if let (Some(Step::Name(name)), Literal::Text(word)) = (one.path.steps.last(), one.literal) {
                self.note(name, word, super::steps::word_in(text, word));
            }
        }
    }
}

impl Compiler<'_> {
    /// Tells which legacy words stand once and are near one that stands several times.
    pub(super) fn check_once(&mut self) {
        let set = self.set;
        let mut seen = Seen::default();
        if let Some(over) = &self.over {
            for rule in over.fresh() {
                rules(std::slice::from_ref(rule), true, &mut seen);
            }
            if seen.words.keys().all(|word| self.known.words.contains(word)) {
                return;
            }
            seen = Seen::default();
        }
        for (_, shape) in &set.shapes {
            rules(&shape.fields, false, &mut seen);
        }
        for (_, operation) in &set.operations {
            if !self.is_described(operation.backend.as_ref()) {
                seen_operation(self, operation, &mut seen);
            }
        }
        let received = set.receives.iter().map(|one| (&one.news, &one.backend));
        let watched = set.watches.iter().map(|one| (&one.news, &one.backend));
        for (news, backend) in received.chain(watched) {
            if !self.is_described(backend.as_ref()) {
                seen_news(self, news, &mut seen);
            }
        }
        for one in set.problems.iter() {
            let shape = match &one.body {
                Body::Shape(name) => set.shape(name.as_str()),
                Body::Fields(..) => None,
            };
            if shape.is_none_or(|(_, shape)| shape.legacy.is_none()) {
                seen_body(self, Some(&one.body), &mut seen);
            }
        }
        if self.over.is_none() {
            self.known.words = Arc::new(seen.words.keys().cloned().collect());
        }
        for ((of, word), places) in &seen.words {
            let [at] = places.as_slice() else { continue };
            let is_short = |word: &str| word.chars().count() < LETTERS_MIN;
            let (own, places_min) = (letters(word), if is_short(word) { OFTEN_MIN } else { 2 });
            // Of two long names with the same letters, either may be the slip: both are told.
            let is_twin = |near: &str| of.is_empty() && own.len() >= TWIN_LETTERS_MIN && letters(near) == own;
            let often = seen.words.iter().filter(|((other, near), places)| {
                other == of
                    && near != word
                    && !is_short(near)
                    && (places.len() >= places_min || is_twin(near))
            });
            let Some(near) = suggest(word, often.map(|((_, word), _)| word.as_str())) else { continue };
            if near.chars().count().abs_diff(word.chars().count()) > 1 || !is_slip(word, near) {
                continue;
            }
            let message = format!("`{word}` stands only here, and `{near}` elsewhere");
            let fault = Diagnostic::warning(code::STANDS_ONCE, message).at(*at);
            self.out.push(fault.hint(Hint::meant(near)));
        }
    }

    /// Whether there is an interface of the backend that is named, or may be of those that are routed to.
    fn is_described(&self, own: Option<&Text>) -> bool {
        let named = own.or(self.set.set.backend.as_ref());
        named.is_none_or(|name| self.interfaces.contains_key(name.as_str()))
    }
}

/// The letters of a word, in an order of their own.
fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

/// Whether two words differ by one slip: a letter more, less or other, two letters exchanged, or case.
fn is_slip(word: &str, near: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (word.chars().collect(), near.chars().collect());
    let first = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - first;
    let last = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (own, other) = (a.len() - first - last, b.len() - first - last);
    let exchanged = own == 2 && other == 2 && a[first] == b[first + 1] && a[first + 1] == b[first];
    (own <= 1 && other <= 1) || exchanged || word.eq_ignore_ascii_case(near)
}

/// Everything that is said to a system that nothing describes, and read of what it says.
fn seen_operation(compiler: &Compiler<'_>, operation: &raw::Operation, seen: &mut Seen) {
    for call in &operation.calls {
        seen_body(compiler, call.request.as_ref(), seen);
        call.legacy_id.iter().for_each(|path| seen.path(path));
    }
    if let Some(answer) = &operation.answer {
        if let AnswerFrom::Elements { each, legacy_id } = &answer.from {
            legacy_id.iter().chain([each]).for_each(|path| seen.path(path));
        }
        seen_body(compiler, answer.body.as_ref(), seen);
    }
    if let Some(complete) = &operation.complete {
        seen_body(compiler, complete.request.as_ref(), seen);
        seen_body(compiler, complete.answer.as_ref(), seen);
        seen.names(&complete.until);
    }
}

/// What a system that nothing describes says by itself.
fn seen_news(compiler: &Compiler<'_>, news: &raw::News, seen: &mut Seen) {
    let places = news.of.iter().chain(&news.whose).map(|(_, place)| place);
    places.chain(&news.each).chain(&news.legacy_id).for_each(|path| seen.path(path));
    seen_body(compiler, news.body.as_ref(), seen);
}

/// A message to a system that nothing describes, with the shapes that it is made of.
fn seen_body(compiler: &Compiler<'_>, body: Option<&Body>, seen: &mut Seen) {
    let mut open = Vec::new();
    match body {
        None => return,
        Some(Body::Fields(_, fields)) => {
            rules(fields, true, seen);
            shapes(fields, &mut open);
        }
        Some(Body::Shape(name)) => open.push(name.as_str()),
    }
    let mut done = Vec::new();
    while let Some(name) = open.pop() {
        if done.contains(&name) {
            continue;
        }
        done.push(name);
        if let Some((_, shape)) = compiler.set.shape(name) {
            rules(&shape.fields, true, seen);
            shapes(&shape.fields, &mut open);
        }
    }
}

fn shapes<'r>(list: &'r [Rule], open: &mut Vec<&'r str>) {
    for rule in list {
        open.extend(rule.shape.as_ref().map(Text::as_str));
        for inner in inner(rule) {
            shapes(inner, open);
        }
    }
}

fn inner(rule: &Rule) -> impl Iterator<Item = &Vec<Rule>> {
    let rows = rule.rows.iter().flat_map(|(_, branches)| branches);
    let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
    let otherwise = rule.one_of.iter().filter_map(|(_, _, otherwise)| match otherwise {
        Some(ElseBranch::Fields(rules)) => Some(rules),
        _ => None,
    });
    rule.fields.iter().chain(rows.chain(branches).map(|branch| &branch.fields)).chain(otherwise)
}

/// `named`: whether the names of paths are looked at, else only the words that conditions compare with.
fn rules(list: &[Rule], named: bool, seen: &mut Seen) {
    for rule in list {
        let rows = rule.rows.iter().flat_map(|(_, branches)| branches);
        let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
        let all: Vec<&Branch> = rows.chain(branches).collect();
        if named {
            rule.legacy.iter().for_each(|path| seen.path(path));
        }
        let conditions = all.iter().filter_map(|branch| branch.condition.as_ref());
        for condition in conditions.chain(&rule.condition) {
            match condition {
                raw::Condition::Sides { legacy: Some(text), .. } if named => seen.names(text),
                raw::Condition::Sides { legacy: Some(text), .. } => seen.condition(text),
                _ => {}
            }
        }
        for list in inner(rule) {
            rules(list, named, seen);
        }
    }
}
