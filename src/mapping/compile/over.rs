//! What an overlay leaves alone, rule by rule: what is neither changed nor reads what is changed is neither surveyed
//! nor lowered again.

use super::again::MadeProgram;
use super::parts::Part;
use super::reach::{Names, Reach};
use super::{Effective, HashMap, HashSet, overlay};
use crate::mapping::raw::Rule;
use crate::text::{SourceId, Span};
use std::sync::Arc;

/// A set without overlay, as one with an overlay is compiled from it.
pub(super) struct Over<'c> {
    /// The set without overlay.
    pub base: &'c Effective,
    parts: &'c [Arc<Part>],
    /// Shapes that are changed, or that read what is changed, by name.
    shapes: HashSet<&'c str>,
    /// Tables that are changed.
    tables: HashSet<&'c str>,
    /// Files of the set.
    sources: HashSet<SourceId>,
    /// Rules, and whether each is as it was and reads nothing that is changed.
    rules: HashMap<Span, bool>,
    /// Outermost rules that the overlay wrote.
    fresh: Vec<&'c Rule>,
    /// Whether changed shapes no longer name all shapes and tables that they named: only whole parts tell whether others do.
    pub loses_names: bool,
}

impl<'c> Over<'c> {
    /// What `set`, the base with an overlay, has of the base. `reach` are those of the base's parts.
    pub fn new(base: &'c Effective, set: &'c Effective, parts: &'c [Arc<Part>], reach: &[Reach]) -> Self {
        let changed = |own: &Arc<_>, other: &Arc<_>| !Arc::ptr_eq(own, other);
        let shapes: Vec<bool> =
            set.shapes.iter().zip(&base.shapes).map(|(own, other)| changed(&own.1, &other.1)).collect();
        let tables: Vec<bool> =
            set.tables.iter().zip(&base.tables).map(|(own, other)| !Arc::ptr_eq(own, other)).collect();
        let touched = set.shapes.iter().zip(reach).filter(|(_, reach)| reach.meets(&shapes, &tables));
        let mut over = Self {
            base,
            parts,
            shapes: touched.map(|((_, shape), _)| shape.name.as_str()).collect(),
            tables: set
                .tables
                .iter()
                .zip(&tables)
                .filter(|(_, is)| **is)
                .map(|(own, _)| own.name.as_str())
                .collect(),
            sources: base.shapes.iter().map(|(_, shape)| shape.name.span().source).collect(),
            rules: HashMap::default(),
            fresh: Vec::new(),
            loses_names: false,
        };
        over.sources.extend(base.operations.iter().map(|(_, operation)| operation.id.span().source));
        for ((_, own), (_, other)) in set.shapes.iter().zip(&base.shapes) {
            if !Arc::ptr_eq(own, other) {
                let mut before = HashMap::default();
                index(&other.fields, &mut before);
                over.rules.extend(before.keys().map(|span| (*span, false)));
                let mut kept = HashMap::default();
                over.compare(&own.fields, &before, &mut kept);
                over.rules.extend(kept);
                over.loses_names |= loses_names(&own.fields, &other.fields);
            }
        }
        over
    }

    /// Whether a rule, of either set, is in both and reads the same in both.
    pub fn keeps(&mut self, rule: &Rule) -> bool {
        if let Some(known) = self.rules.get(&rule.span) {
            return *known;
        }
        let keeps = self.sources.contains(&rule.span.source) && self.reads_the_same(rule);
        self.rules.insert(rule.span, keeps);
        keeps
    }

    /// What the base makes of a message, by the number of the message in its part.
    pub fn program(&self, part: usize, number: usize) -> Option<&'c MadeProgram> {
        self.parts.get(part)?.programs().get(number)
    }

    /// The base's part.
    pub fn part(&self, part: usize) -> Option<&'c Part> {
        self.parts.get(part).map(|part| &**part)
    }

    /// Outermost rules that the overlay wrote.
    pub fn fresh(&self) -> &[&'c Rule] {
        &self.fresh
    }

    fn reads_the_same(&self, rule: &Rule) -> bool {
        let mut names = Names::default();
        names.rules(std::slice::from_ref(rule));
        names.shapes.iter().all(|name| !self.shapes.contains(name))
            && names.tables.iter().all(|name| !self.tables.contains(name))
    }

    fn compare(&mut self, rules: &'c [Rule], before: &HashMap<Span, &Rule>, kept: &mut HashMap<Span, bool>) {
        for rule in rules {
            if !self.sources.contains(&rule.span.source) {
                self.fresh.push(rule);
                continue;
            }
            let same = before.get(&rule.span).is_some_and(|before| *before == rule);
            let keeps = same && self.reads_the_same(rule);
            // Two rules at one place are both kept, or none.
            kept.entry(rule.span).and_modify(|both| *both &= keeps).or_insert(keeps);
            if !keeps {
                for inner in overlay::inner(rule) {
                    self.compare(inner, before, kept);
                }
            }
        }
    }
}

fn loses_names(own: &[Rule], before: &[Rule]) -> bool {
    let (mut names, mut known) = (Names::default(), Names::default());
    names.rules(own);
    known.rules(before);
    let lost = |own: &[&str], before: &[&str]| before.iter().any(|name| !own.contains(name));
    lost(&names.shapes, &known.shapes) || lost(&names.tables, &known.tables)
}

fn index<'r>(rules: &'r [Rule], all: &mut HashMap<Span, &'r Rule>) {
    for rule in rules {
        overlay::inner(rule).for_each(|inner| index(inner, all));
        all.insert(rule.span, rule);
    }
}
