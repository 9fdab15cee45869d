//! What a rule that lacks something was probably meant to have: a converter, or the place on its other side. It is that of
//! the rules of the set which are most like it.

use super::Compiler;
use super::values::meets;
use crate::mapping::convert::Converter;
use crate::mapping::direction::Direction;
use crate::mapping::raw::{Branch, ElseBranch, Rule, Text};
use crate::mapping::schema::Kind;
use crate::text::Hint;

impl Compiler<'_> {
    /// The hint to write the usual converter in the place of one, or behind the paths where there is none; `kinds`
    /// are those of the Sonata place and of the legacy one, where they are known.
    pub(super) fn usual_converter(&self, rule: &Rule, kinds: (Option<Kind>, Option<Kind>)) -> Option<Hint> {
        let (sonata, legacy) = (rule.sonata.as_ref()?, rule.legacy.as_ref()?);
        let mut best: Option<(usize, &str)> = None;
        let mut rules = Vec::new();
        for (_, shape) in &self.set.shapes {
            gather(&shape.fields, &mut rules);
        }
        let fits = |text: &str| {
            let Ok(converter) = Converter::parse(text) else { return false };
            let fit = |direction, kind: Option<Kind>| {
                kind.is_none_or(|kind| meets(converter.writes(direction), kind))
            };
            fit(Direction::ToSonata, kinds.0) && fit(Direction::ToLegacy, kinds.1)
        };
        for other in rules.iter().filter(|other| other.span != rule.span) {
            let (Some(text), Some(theirs), Some(other)) = (&other.convert, &other.sonata, &other.legacy)
            else {
                continue;
            };
            let alike = 4 * usize::from(last(other) == last(legacy))
                + 4 * usize::from(last(theirs) == last(sonata))
                + 2 * usize::from(end(last(theirs)) == end(last(sonata)))
                + usize::from(end(last(other)) == end(last(legacy)));
            if fits(text.as_str()) {
                let votes = rules
                    .iter()
                    .filter(|one| one.convert.as_ref().is_some_and(|own| own.as_str() == text.as_str()));
                let score = alike * 1000 + votes.count().min(999);
                if best.is_none_or(|(most, _)| score > most) {
                    best = Some((score, text.as_str()));
                }
            }
        }
        let (_, text) = best?;
        let written = quoted(text);
        if let Some(own) = &rule.convert {
            let hint = Hint::from(format!("did you mean `{text}`, as in other rules?"));
            return Some(hint.putting_at(own.whole(), written));
        }
        let words = format!("add `convert: {written}`, as in other rules");
        Some(self.adding(rule, legacy, words, &format!("convert: {written}")))
    }
}

impl Compiler<'_> {
    /// The hint to add the side that a rule lacks, where others say what stands opposite to the side that it has. A
    /// group without such a one has its rules in its own scope.
    pub(super) fn usual_place(&self, rule: &Rule) -> Option<Hint> {
        let (side, own, on_sonata) = match (&rule.sonata, &rule.legacy) {
            (Some(own), None) => ("legacy", own, true),
            (None, Some(own)) => ("sonata", own, false),
            _ => return None,
        };
        let is_group = |rule: &Rule| rule.fields.is_some() || rule.shape.is_some() || rule.rows.is_some();
        let mut rules = Vec::new();
        for (_, shape) in &self.set.shapes {
            gather(&shape.fields, &mut rules);
        }
        let mut best: Option<(usize, &str)> = None;
        for other in rules.into_iter().filter(|other| is_group(other) == is_group(rule)) {
            let (Some(sonata), Some(legacy)) = (&other.sonata, &other.legacy) else { continue };
            let (theirs, opposite) = if on_sonata { (sonata, legacy) } else { (legacy, sonata) };
            let same = |one: &Option<Text>, other: &Option<Text>| {
                one.as_ref().zip(other.as_ref()).is_some_and(|(one, other)| one.as_str() == other.as_str())
            };
            let is_named = own.as_str() != ".";
            let score = 6 * usize::from(is_named && theirs.as_str() == own.as_str())
                + 4 * usize::from(is_named && last(theirs) == last(own))
                + 8 * usize::from(same(&rule.shape, &other.shape))
                + 3 * usize::from(same(&rule.codes, &other.codes))
                + usize::from(same(&rule.convert, &other.convert));
            if score >= 4 && best.is_none_or(|(most, _)| score > most) {
                best = Some((score, opposite.as_str()));
            }
        }
        let (place, why) = match best {
            Some((_, place)) => (place, ", as in other rules"),
            None if is_group(rule) => (".", " if its rules have their places in the scope of this rule"),
            None => return None,
        };
        let clause = format!("{side}: {}", quoted(place));
        Some(self.adding(rule, own, format!("add `{clause}`{why}"), &clause))
    }
}

/// A text as it is written inside braces.
fn quoted(text: &str) -> String {
    let needs_quotes = text.contains([',', '\'', '"', ':', '[', '{', '@', '*']);
    if needs_quotes { format!("\"{text}\"") } else { text.to_owned() }
}

/// The last name of a path.
fn last(text: &Text) -> &str {
    text.as_str().trim_end_matches("[*]").rsplit(['.', ':']).next().unwrap_or_default()
}

/// The last word of a name in mixed case.
fn end(name: &str) -> &str {
    let at =
        name.char_indices().rev().find(|(_, letter)| letter.is_ascii_uppercase()).map_or(0, |(at, _)| at);
    &name[at..]
}

fn gather<'r>(rules: &'r [Rule], all: &mut Vec<&'r Rule>) {
    for rule in rules {
        all.push(rule);
        gather(rule.fields.as_deref().unwrap_or_default(), all);
        let rows = rule.rows.iter().flat_map(|(_, branches)| branches);
        let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
        let inner: Vec<&'r Branch> = rows.chain(branches).collect();
        for branch in inner {
            gather(&branch.fields, all);
        }
        if let Some((_, _, Some(ElseBranch::Fields(rules)))) = &rule.one_of {
            gather(rules, all);
        }
    }
}
