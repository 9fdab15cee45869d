//! Values that have the same name in both releases and are not the same: kinds, formats, words and lengths.

use super::super::scope::Place;
use super::weave::{Both, Weaver};
use crate::mapping::bridge::{Fate, Way};
use crate::mapping::diagnostic as code;
use crate::mapping::raw::{Rule, Text};
use crate::mapping::schema::{Kind, Limits, TypeId};
use crate::text::{Diagnostic, Hint};

impl Weaver<'_> {
    /// Tells of values that are carried as they are, and that one release has in another form.
    pub fn tell_types(&mut self, rule: &Rule, (own, other): (TypeId, TypeId), both: &Both) {
        let path = rule.sonata.as_ref().map_or(".", Text::as_str).to_owned();
        let (kind, wanted) = (self.shores.older.kind(own), self.shores.newer.kind(other));
        if !fits(kind, wanted) {
            let (kind, wanted) = (kind.as_str(), wanted.as_str());
            return self.tell_pair(rule, &path, &format!("is {kind}"), &format!("is {wanted}"), PAIR_HINT);
        }
        let way = match (kind, wanted) {
            (Kind::Number, Kind::Integer) => Some(Way::Up),
            (Kind::Integer, Kind::Number) => Some(Way::Down),
            _ => None,
        };
        if let Some(way) = way {
            self.noted(both, &path, way, Fate::Refused, "it has to be a whole number there");
        }
        let (format, wanted) = (self.shores.older.format(own), self.shores.newer.format(other));
        if let (Some(format), Some(wanted)) = (format, wanted)
            && format != wanted
        {
            let (has, other) = (format!("has the format `{format}`"), format!("has the format `{wanted}`"));
            return self.tell_pair(rule, &path, &has, &other, PAIR_HINT);
        }
        self.tell_words(rule, &path, (own, other));
    }

    /// Tells of a text whose words are others, or whose words one release alone names.
    fn tell_words(&mut self, rule: &Rule, path: &str, (own, other): (TypeId, TypeId)) {
        let (olds, news) = (self.shores.older.values(own), self.shores.newer.values(other));
        let lonely = |words: &[String], others: &[String]| {
            if others.is_empty() {
                return None;
            }
            if words.is_empty() {
                return Some("any text".to_owned());
            }
            words.iter().find(|word| !others.contains(word)).map(|word| format!("`{word}`"))
        };
        let (up, down) = (lonely(&olds, &news), lonely(&news, &olds));
        let (Some(word), is_older) = (up.clone().or(down), up.is_some()) else { return };
        let (allowed, refused) = (format!("may be {word}"), format!("may not be {word}"));
        let (has, lacks) = if is_older { (allowed, refused) } else { (refused, allowed) };
        self.tell_pair(rule, path, &has, &lacks, "give the pair a code table: `codes: NAME`");
    }

    fn tell_pair(&mut self, rule: &Rule, path: &str, own: &str, other: &str, hint: &'static str) {
        let (older, newer) = (&self.source.older, &self.source.newer);
        let message = format!("`{path}` {own} in {older} and {other} in {newer}");
        if self.lost.insert((message.clone(), path.to_owned(), true)) {
            self.told.push(Diagnostic::error(code::TYPES, message).at(rule.span).hint(Hint::from(hint)));
        }
    }

    /// Notes where one release allows less of a value that both have: shorter texts, fewer elements.
    ///
    /// Such a value is carried, and the check of the other contract refuses it.
    pub fn note_limits(&mut self, both: &Both, name: &str, (own, other): (TypeId, TypeId)) {
        if self.is_product {
            return;
        }
        let (old, new) = (self.shores.older.limits(own), self.shores.newer.limits(other));
        let (format, wanted) = (self.shores.older.format(own), self.shores.newer.format(other));
        match (format, wanted) {
            (None, Some(format)) => self.note_format(both, name, Way::Up, &format),
            (Some(format), None) => self.note_format(both, name, Way::Down, &format),
            _ => {}
        }
        for (way, from, to) in [(Way::Up, old, new), (Way::Down, new, old)] {
            for reason in narrowed(from, to) {
                self.noted(both, name, way, Fate::Refused, &reason);
            }
        }
        let elements = (self.shores.older.element(own), self.shores.newer.element(other));
        if let (Some(own), Some(other)) = elements {
            self.note_limits(both, name, (own, other));
        } else {
            self.note_members(own, other);
        }
    }

    fn note_format(&mut self, both: &Both, name: &str, way: Way, format: &str) {
        self.noted(both, name, way, Fate::Refused, &format!("it has the format `{format}` there"));
    }

    /// The same for the members of two types that are carried whole.
    fn note_members(&mut self, own: TypeId, other: TypeId) {
        if self.same.get(&(own, other)) != Some(&true) || !self.limited.insert((own, other)) {
            return;
        }
        let both = Both { older: Place::of(Some(own)), newer: Place::of(Some(other)) };
        let cases = self.shores.older.variants(own);
        for case in std::iter::once(None).chain(cases.iter().map(|case| Some(case.as_str()))) {
            let news = self.shores.newer.members(other, case);
            for (name, own) in self.shores.older.members(own, case) {
                if let Some((_, other)) = news.iter().find(|(known, _)| *known == name) {
                    self.note_limits(&both, &name, (own.ty, other.ty));
                }
            }
        }
    }
}

const PAIR_HINT: &str = "give the pair a `script:` or `convert:` between them";

fn fits(own: Kind, other: Kind) -> bool {
    let is_number = |kind: Kind| matches!(kind, Kind::Number | Kind::Integer);
    own == other || own == Kind::Any || other == Kind::Any || (is_number(own) && is_number(other))
}

/// In what one allows less than the other.
fn narrowed(from: Limits, to: Limits) -> Vec<String> {
    let is_less = |from: Option<u32>, to: Option<u32>| to.filter(|to| from.is_none_or(|from| from > *to));
    let mut reasons = Vec::new();
    if let Some(most) = is_less(from.length_max, to.length_max) {
        reasons.push(format!("it has at most {most} characters there"));
    }
    if let Some(most) = is_less(from.items_max, to.items_max) {
        reasons.push(format!("it has at most {most} elements there"));
    }
    if to.items_min > from.items_min {
        reasons.push(format!("it has at least {} elements there", to.items_min));
    }
    reasons
}
