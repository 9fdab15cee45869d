//! What is claimed of a round trip, and whether it is true.
//!
//! Two programs are each other's way back where one writes places of a legacy message that the other reads. Every place
//! that comes back is a claim, by one rule that is read both ways or by two: there and back is the same value, or its
//! canonical form. A claim is *proved* where nothing but exact tables and converters stand on the way, *tested* by
//! documents that are made up from both sides' rules and types and by those of the cases, *not claimed* for scripts.
//! What does not hold is shown with the smallest document that shows it, and the rule.
//!
//! The files: `walk` (places of rules), `claims` (what is claimed), `fill`, `leaf`, `demand` (making up documents),
//! `back` (there and back), `shrink` (the smallest), `proof` (what needs no trying), `adopt` (documents of cases).

mod adopt;
mod back;
mod chance;
mod claims;
mod demand;
mod fill;
mod leaf;
mod proof;
mod report;
mod shrink;
mod tree;
mod walk;

pub use report::{Loss, LossKind, Report, Verdict};

use back::{Difference, Refused, Road};
use claims::{Trimmed, trimmed};
use fill::{Filled, Recipe, by_rule, fill};
use tree::Seg;
use walk::Bases;

use super::{
    direction::Direction,
    path::{FieldPath, Step},
    program::{Action, Origin, Program, Rule, Source},
    schema::{TypeId, Types},
    value::Value,
};
use crate::json::Document;

/// Documents that are made up per direction of a use.
pub const DOCUMENTS_MAX: usize = 40;
/// Tries to make one up: conditions that cannot be met together, values that are all refused.
const ATTEMPTS_MAX: usize = 72;
/// Losses that are told of one use.
pub const LOSSES_MAX: usize = 20;
/// Claim of a value that only a condition writes.
const TERM: usize = usize::MAX;
/// The currency of legacy messages that are made up.
const CURRENCY: &str = "EUR";

/// Two programs that may be each other's way back.
#[derive(Clone, Copy)]
pub struct Use<'u> {
    /// To the legacy side.
    pub there: &'u Program,
    /// To the Sonata side.
    pub back: &'u Program,
    /// The type of the Sonata message, where it is known.
    pub sonata: Option<(&'u dyn Types, TypeId)>,
    /// The types of the legacy message, as far as they are known: of the reply, and of the request for what no reply
    /// has. The first that has a place says what it is.
    pub legacy: &'u [(&'u dyn Types, TypeId)],
    /// The array of the Sonata message whose elements are mapped by themselves.
    pub each: Option<&'u FieldPath>,
    /// What scripts see as `facts`.
    pub facts: &'u Value<'u>,
}

/// A message that was really sent, or is in a case.
#[derive(Clone, Debug)]
pub struct Example {
    /// The way that it went.
    pub direction: Direction,
    /// Its body.
    pub body: Document,
}

/// How many claims two programs have.
pub fn claims_of(there: &Program, back: &Program, each: Option<&FieldPath>) -> usize {
    trimmed(&unwrapped(there), &unwrapped(back), &bases(each)).claims.len()
}

/// Proves or tries out what is claimed; none where nothing is. The same seed makes up the same documents.
pub fn examine(own: &Use<'_>, examples: &[Example], seed: u64) -> Option<Report> {
    let trimmed = trimmed(&unwrapped(own.there), &unwrapped(own.back), &bases(own.each));
    if trimmed.claims.is_empty() {
        return None;
    }
    let base: Vec<Seg> = own.each.map(names_of).unwrap_or_default();
    let road = Road { trimmed: &trimmed, facts: own.facts, base: &base };
    let mut report = Report::of(&trimmed);
    for direction in [Direction::ToLegacy, Direction::ToSonata] {
        try_out(own, &road, direction, examples, seed, &mut report);
    }
    report.finish(&trimmed);
    report.needless = needless(own, &road, &report, examples, seed);
    Some(report)
}

fn try_out(
    own: &Use<'_>,
    road: &Road<'_>,
    direction: Direction,
    examples: &[Example],
    seed: u64,
    report: &mut Report,
) {
    let mut trial = Trial { road, direction, report };
    trial.made_up(own, seed);
    for example in examples.iter().filter(|example| example.direction == direction) {
        trial.adopted(example);
    }
}

/// Rules that say that they give something up, and of which nothing is lost if it is claimed all the same.
///
/// Of a group that says so for all that is in it this cannot be told, as its parts are claimed one by one.
fn needless(
    own: &Use<'_>,
    road: &Road<'_>,
    told: &Report,
    examples: &[Example],
    seed: u64,
) -> Vec<(Origin, Direction)> {
    if told.accepted.is_empty() {
        return Vec::new();
    }
    let trimmed = road.trimmed.claiming_all();
    let road = Road { trimmed: &trimmed, ..*road };
    let mut found = Vec::new();
    for direction in [Direction::ToLegacy, Direction::ToSonata] {
        let mut report = Report::default();
        try_out(own, &road, direction, examples, seed, &mut report);
        let accepted = told.accepted.iter().filter(|(_, own, _)| *own == direction);
        let kept = accepted.filter(|(rule, ..)| report.kept(&trimmed, rule, direction));
        found.extend(kept.map(|(rule, ..)| (rule.clone(), direction)));
    }
    found
}

fn bases(each: Option<&FieldPath>) -> Bases {
    Bases { sonata: each.map_or_else(|| "$".to_owned(), |each| walk::named("$", "$", each)) }
}

fn names_of(path: &FieldPath) -> Vec<Seg> {
    let names = path.steps.iter().filter_map(|step| match step {
        Step::Member(name) => Some(Seg::Name((**name).into())),
        Step::Index(_) | Step::Keyed(_) => None,
    });
    names.collect()
}

/// The program without what only puts its whole message somewhere on the legacy side, as `at:` of a SOAP call does,
/// and without what the mapping itself writes around that.
fn unwrapped(program: &Program) -> Program {
    let own = |rule: &Rule| match &rule.action {
        Action::Pair(pair) => !matches!(&pair.source, Source::Path(_) | Source::Query(_)),
        _ => false,
    };
    let wrapper = |rule: &Rule| {
        let Action::Group(group) = &rule.action else { return None };
        let (sonata, legacy) = match program.direction {
            Direction::ToLegacy => (&group.source, &group.target),
            Direction::ToSonata => (&group.target, &group.source),
        };
        let is_wrapper = sonata.is_scope() && !legacy.is_scope() && group.condition.is_none();
        is_wrapper.then(|| group.rules.to_vec())
    };
    let mut others = program.rules.iter().filter(|rule| !own(rule));
    let inner = others.next().filter(|_| others.next().is_none()).and_then(wrapper);
    let rules = inner.unwrap_or_else(|| program.rules.to_vec());
    Program::new(program.name.clone(), program.phase, program.direction, rules, program.key_groups.to_vec())
}

/// One direction being tried.
struct Trial<'t, 'r> {
    road: &'t Road<'r>,
    direction: Direction,
    report: &'t mut Report,
}

impl Trial<'_, '_> {
    fn trimmed(&self) -> &Trimmed {
        self.road.trimmed
    }

    fn made_up(&mut self, own: &Use<'_>, seed: u64) {
        let trimmed = self.road.trimmed;
        let by_rule = by_rule(&trimmed.claims, self.direction);
        let (program, types, each) = match self.direction {
            Direction::ToLegacy => (&trimmed.there, own.sonata.as_slice(), own.each),
            Direction::ToSonata => (&trimmed.back, own.legacy, None),
        };
        let recipe = Recipe { program, trimmed, by_rule: &by_rule, types, each };
        let mut made = 0;
        for attempt in 0..ATTEMPTS_MAX {
            if made == DOCUMENTS_MAX {
                break;
            }
            let number = u64::try_from(attempt).unwrap_or_default();
            let seed = seed.wrapping_add(number << 32);
            let Some(mut filled) = fill(&recipe, seed, (attempt, attempt % 3 == 0)) else { continue };
            made += usize::from(self.tried(&mut filled));
        }
    }

    fn adopted(&mut self, example: &Example) {
        for mut filled in adopt::adopted(self.road, example) {
            self.tried(&mut filled);
        }
    }

    /// Sends one document and takes it back; whether that said anything.
    fn tried(&mut self, filled: &mut Filled) -> bool {
        match self.road.trip(filled, self.direction) {
            Ok(trip) => {
                let claims = filled.tree.leaves().into_iter().filter_map(|(_, leaf)| leaf.claim);
                self.report.tried(claims);
                // A branch that is not taken loses all that is in it: that is told, not what follows from it.
                let causes = trip.differences.iter().any(|one| one.claim == Some(TERM));
                for difference in trip.differences.iter().filter(|one| !causes || one.claim == Some(TERM)) {
                    self.lost(filled, difference);
                }
                true
            }
            Err(Refused::Values(_)) => {
                self.report.refused += 1;
                false
            }
            Err(Refused::Mapping(failure)) => {
                self.report.refused += 1;
                self.report.defect(&failure);
                false
            }
        }
    }

    fn lost(&mut self, filled: &Filled, difference: &Difference) {
        let loss = Loss::of(self.trimmed(), difference, self.direction);
        if !self.report.is_news(&loss) {
            return;
        }
        let (smallest, trip) = shrink::shrunk(self.road, filled, self.direction, difference);
        let trip = trip.or_else(|| self.road.once(&smallest, self.direction).ok());
        let shown = trip.as_ref().and_then(|trip| {
            let fits =
                |own: &&Difference| own.claim == difference.claim && own.is_element == difference.is_element;
            trip.differences.iter().find(fits)
        });
        let mut loss = shown.map_or(loss, |own| Loss::of(self.trimmed(), own, self.direction));
        if let Some(trip) = trip {
            loss.show(&smallest.tree.document(), trip.between.as_ref(), trip.back.as_ref());
        }
        self.report.losses.push(loss);
    }
}
