//! Rules that an overlay leaves alone are not lowered again: what each of them was lowered to, and what that did to its
//! message, is kept with the set without overlay and done again.

use super::form::excluded;
use super::lower::{Here, KeyGroup, Use};
use super::parts::hash_of;
use super::writers::{Branches, Elements, Places, place};
use super::{Compiler, HashMap};
use crate::mapping::path::{FieldPath, Step, Term};
use crate::mapping::program::{self, KeyGroupId, Program};
use crate::mapping::raw::Rule;
use crate::text::{Diagnostics, Sources, Span};
use std::ops::Range;
use std::sync::Arc;

/// What lowering does to a message, beside making its rules.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A rule, or a key, writes a place.
    Write(Arc<str>, Branches, Span),
    /// A group writes the elements of an array.
    Elements(Arc<str>, Elements),
    /// A place is written along with others.
    Along(Arc<str>),
    /// What is mapped at a Sonata place wins over the echo.
    NotEchoed(Box<str>),
    /// `key(name)` refers to a group.
    Asked(Box<str>, Span),
    /// A group joins two arrays.
    Keyed(Box<str>, (String, String)),
    /// Branches of their own begin.
    Numbered,
}

/// What the rules of one message were lowered to.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    deeds: Vec<Deed>,
    /// By a hash of what decides over it: the rule, where it stands, and what was numbered before it.
    rules: HashMap<u64, Made>,
}

/// What came of one rule: which of the deeds are its own, and those of rules in it, and the rule.
type Made = (Range<usize>, program::Rule);

/// What was made of one message.
#[derive(Debug, Clone)]
pub(super) struct MadeProgram {
    pub program: Arc<Program>,
    /// The places that it writes.
    pub places: Places,
    /// Sonata places with `echo: false`.
    pub not_echoed: Arc<[Box<str>]>,
    /// Whether it is that of the set without overlay.
    pub is_kept: bool,
    /// What its rules were lowered to, where an overlay may leave them alone.
    lowered: Option<Arc<Lowered>>,
}

impl MadeProgram {
    pub fn new(program: Program, us: Use) -> Self {
        Self {
            program: Arc::new(program),
            places: Arc::new(us.writers.places().cloned().collect()),
            not_echoed: us.not_echoed.into(),
            is_kept: false,
            lowered: us.lowered.map(Arc::new),
        }
    }

    /// The same, of a set with an overlay.
    pub fn kept(&self) -> Self {
        Self { is_kept: true, ..self.clone() }
    }

    /// What the rules of the same message were lowered to.
    pub fn lowered_as(&self, us: &Use) -> Option<Arc<Lowered>> {
        let own = &self.program;
        let is_same = *own.name == *us.name && own.phase == us.phase && own.direction == us.direction;
        self.lowered.clone().filter(|_| is_same)
    }

    /// Whether a program is this one, and does the same beside.
    pub fn is(&self, program: &Program, us: &Use) -> bool {
        *self.program == *program
            && *self.not_echoed == *us.not_echoed
            && self.places.iter().eq(us.writers.places())
    }
}

impl Use {
    /// Notes that a rule, or a key, writes a place.
    pub fn write(
        &mut self,
        place: Arc<str>,
        branches: &Branches,
        at: Span,
        sources: &Sources,
        out: &mut Diagnostics,
    ) {
        self.note(|| Deed::Write(Arc::clone(&place), branches.clone(), at));
        self.writers.write(place, branches, at, sources, out);
    }

    /// Notes that a group writes the elements of an array.
    pub fn elements(
        &mut self,
        place: Arc<str>,
        elements: Elements,
        sources: &Sources,
        out: &mut Diagnostics,
    ) {
        self.note(|| Deed::Elements(Arc::clone(&place), elements.clone()));
        self.writers.elements(place, elements, sources, out);
    }

    /// Notes a place that is written along with others.
    pub fn along(&mut self, place: Arc<str>) {
        self.note(|| Deed::Along(Arc::clone(&place)));
        self.writers.along(place);
    }

    /// Notes terms that are written into the object at a place.
    pub fn terms(&mut self, place: &str, terms: &[Term]) {
        for term in terms {
            self.along(format!("{place}.{}", term.members.join(".")).into());
        }
    }

    /// Notes what keyed elements on the way of a path write.
    pub fn keyed_steps(&mut self, base: &str, path: &FieldPath) {
        for (index, step) in path.steps.iter().enumerate() {
            if let Step::Keyed(terms) = step {
                let steps = path.steps[..=index].into();
                let element = place(base, &FieldPath { steps, every: false, ..path.clone() });
                self.terms(&element, terms);
            }
        }
    }

    /// Notes that what is mapped at a Sonata place wins over the echo.
    pub fn not_echoed(&mut self, place: Box<str>) {
        self.note(|| Deed::NotEchoed(place.clone()));
        self.not_echoed.push(place);
    }

    fn note(&mut self, deed: impl FnOnce() -> Deed) {
        if let Some(lowered) = &mut self.lowered {
            lowered.deeds.push(deed());
        }
    }

    /// The number of branches that exclude each other, or of elements that stand apart.
    pub fn numbered(&mut self) -> u32 {
        self.note(|| Deed::Numbered);
        self.branches += 1;
        self.before = hash_of(&(self.before, self.branches));
        self.branches
    }

    /// The group that `key(name)` refers to.
    pub fn asked(&mut self, name: &str, at: Span) -> KeyGroupId {
        self.note(|| Deed::Asked(name.into(), at));
        self.before = hash_of(&(self.before, name));
        let found = self.groups.iter().position(|group| *group.name == *name);
        let index = found.unwrap_or_else(|| {
            self.groups.push(KeyGroup { name: name.into(), arrays: None, asked: None });
            self.groups.len() - 1
        });
        self.groups[index].asked.get_or_insert(at);
        KeyGroupId(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// The group of a keyed rule; two rules on the same arrays are one group.
    pub fn keyed(&mut self, name: &str, arrays: (String, String)) -> KeyGroupId {
        self.note(|| Deed::Keyed(name.into(), arrays.clone()));
        self.before = hash_of(&(self.before, name, &arrays));
        let same = self.groups.iter().position(|group| group.arrays.as_ref() == Some(&arrays));
        let free = || self.groups.iter().position(|group| *group.name == *name && group.arrays.is_none());
        let index = same.or_else(free).unwrap_or_else(|| {
            let taken = self.groups.iter().filter(|group| group.name.starts_with(name)).count();
            let name = if taken == 0 { name.into() } else { format!("{name}#{}", taken + 1).into() };
            self.groups.push(KeyGroup { name, arrays: None, asked: None });
            self.groups.len() - 1
        });
        self.groups[index].arrays = Some(arrays);
        KeyGroupId(u16::try_from(index).unwrap_or(u16::MAX))
    }

    /// The rule that the set without overlay has, if there is one; what lowering it did to the message is done.
    fn again(&mut self, key: u64, sources: &Sources, out: &mut Diagnostics) -> Option<program::Rule> {
        let known = self.known.clone()?;
        let (deeds, rule) = known.rules.get(&key)?;
        for deed in known.deeds.get(deeds.clone())? {
            match deed {
                Deed::Write(place, branches, at) => {
                    self.write(Arc::clone(place), branches, *at, sources, out);
                }
                Deed::Elements(place, elements) => {
                    self.elements(Arc::clone(place), elements.clone(), sources, out);
                }
                Deed::Along(place) => self.along(Arc::clone(place)),
                Deed::NotEchoed(place) => self.not_echoed(place.clone()),
                Deed::Asked(name, at) => {
                    self.asked(name, *at);
                }
                Deed::Keyed(name, arrays) => {
                    self.keyed(name, arrays.clone());
                }
                Deed::Numbered => {
                    self.numbered();
                }
            }
        }
        Some(rule.clone())
    }
}

impl<'c> Compiler<'c> {
    /// Lowers rules of one scope, in their order.
    pub(super) fn lower_rules(
        &mut self,
        rules: &'c [Rule],
        here: &Here<'c>,
        us: &mut Use,
    ) -> Vec<program::Rule> {
        let at = here.hash();
        let mut lowered = Vec::new();
        for rule in rules {
            if !(excluded(rule, us.phase, us.direction) || self.copied.contains(&rule.span)) {
                lowered.extend(self.lower_once(rule, at, here, us));
            }
        }
        lowered
    }

    /// Lowers a rule, or takes what the set without overlay has.
    fn lower_once(
        &mut self,
        rule: &'c Rule,
        at: u64,
        here: &Here<'c>,
        us: &mut Use,
    ) -> Option<program::Rule> {
        let key = hash_of(&(at, us.before, rule.span));
        if us.known.is_some()
            && self.keeps(rule)
            && let Some(made) = us.again(key, self.sources, &mut self.out)
        {
            return Some(made);
        }
        let first = us.lowered.as_ref().map_or(0, |lowered| lowered.deeds.len());
        self.rules_lowered += 1;
        let made = self.lower_rule(rule, here, us)?;
        if let Some(lowered) = &mut us.lowered {
            lowered.rules.insert(key, (first..lowered.deeds.len(), made.clone()));
        }
        Some(made)
    }
}

impl Here<'_> {
    /// All that lowering a rule here depends on, but what stands before it.
    fn hash(&self) -> u64 {
        hash_of(&(&self.scope.here, &self.sonata, &self.legacy, &self.address, &self.shapes, &self.branches))
    }

    /// Inside a branch: of which alternative, and which of its branches.
    pub fn in_branch(&mut self, number: u32, index: usize) {
        let branch = (number, u32::try_from(index).unwrap_or(u32::MAX));
        self.branches = self.branches.iter().copied().chain([branch]).collect();
    }
}
