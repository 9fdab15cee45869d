//! What came of trying.

use std::collections::BTreeSet;

use super::{
    LOSSES_MAX, TERM,
    back::Difference,
    claims::{Claim, Trimmed, is_same},
    proof,
    tree::{names, pointer},
    walk::DIRECTIONS,
};
use crate::{
    json::Document,
    mapping::{
        apply::Failure,
        direction::Direction,
        program::{Origin, Transform},
    },
};

/// What can be said of a use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that is claimed comes back, whatever the document.
    Proved,
    /// Everything came back of all documents that were tried.
    Tested,
    /// Something does not come back.
    Lost,
}

impl Verdict {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Tested => "tested",
            Self::Lost => "lost",
        }
    }
}

/// In which way something is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossKind {
    /// A code comes back as another one.
    Code,
    /// A value comes back otherwise, or not at all.
    Value,
    /// An element does not come back.
    Element,
    /// What a condition tests is not written where it is read.
    Condition,
    /// What was written cannot be read.
    Unread,
    /// Elements are joined by what need not be different.
    Key,
    /// The mapping itself failed.
    Defect,
}

impl LossKind {
    /// The word as it is printed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Value => "value",
            Self::Element => "element",
            Self::Condition => "condition",
            Self::Unread => "unread",
            Self::Key => "key",
            Self::Defect => "defect",
        }
    }
}

/// Something that does not come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The direction in which it left.
    pub direction: Direction,
    /// In which way it is lost.
    pub kind: LossKind,
    /// The rule that took it there; none where no single one did.
    pub rule: Option<Origin>,
    /// The rule that brings it back, if that is another one.
    pub other: Option<Origin>,
    /// Where it was: a JSON Pointer, or member names where no document shows it.
    pub place: String,
    /// What went.
    pub sent: String,
    /// What came back.
    pub came: String,
    /// The smallest document that shows it, what is made of it, and what comes back.
    pub example: Option<[String; 3]>,
}

/// What was proved, tested, and lost of a use.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Claims that need no trying.
    pub proved: usize,
    /// Claims that were tried.
    pub tested: usize,
    /// Documents that went there and back.
    pub documents: usize,
    /// Documents of which nothing but refusals came.
    pub refused: usize,
    /// Rules of which nothing is claimed: scripts.
    pub scripts: Vec<Origin>,
    /// Rules that say why what leaves in a direction does not come back.
    pub accepted: Vec<(Origin, Direction, Box<str>)>,
    /// Those of them of which everything came back of all documents that were tried, though they say it does not.
    pub needless: Vec<(Origin, Direction)>,
    /// Rules whose claim no document reached.
    pub untried: Vec<Origin>,
    /// What does not come back, at most [`LOSSES_MAX`].
    pub losses: Vec<Loss>,
    is_proof: bool,
    reached: BTreeSet<usize>,
}

impl Loss {
    pub(super) fn of(trimmed: &Trimmed, difference: &Difference, direction: Direction) -> Self {
        let claim = difference.claim.and_then(|claim| trimmed.claims.get(claim));
        let is_coded = |claim: &Claim| {
            claim.transforms(direction).iter().any(|transform| matches!(transform, Transform::Codes(_)))
        };
        let kind = match claim {
            _ if difference.is_element => LossKind::Element,
            _ if difference.place.is_empty() => LossKind::Unread,
            None if difference.claim == Some(TERM) => LossKind::Condition,
            Some(claim) if is_coded(claim) => LossKind::Code,
            _ => LossKind::Value,
        };
        let (away, home) = match direction {
            Direction::ToLegacy => (claim.map(|claim| &claim.there), claim.map(|claim| &claim.back)),
            Direction::ToSonata => (claim.map(|claim| &claim.back), claim.map(|claim| &claim.there)),
        };
        let is_other = claim.is_some_and(|claim| !claim.is_pair());
        // What only a condition writes comes back by the rule that would have written it.
        let terms = match direction {
            Direction::ToLegacy => &trimmed.sonata_terms,
            Direction::ToSonata => &trimmed.legacy_terms,
        };
        let by_term = || terms.get(&names(&difference.place)).filter(|_| difference.claim == Some(TERM));
        let mut rule = away.or_else(by_term).cloned();
        let mut other = home.filter(|_| is_other).cloned();
        if kind == LossKind::Element {
            let of_array = trimmed.rules_of(direction, &names(&difference.place));
            rule = of_array.0.or(rule);
            other = of_array.1.filter(|other| rule.as_ref().is_none_or(|rule| !is_same(rule, other)));
        }
        Self {
            direction,
            kind,
            rule,
            other,
            place: pointer(&difference.place),
            sent: difference.sent.clone(),
            came: difference.came.clone(),
            example: None,
        }
    }

    pub(super) fn show(&mut self, sent: &Document, between: Option<&Document>, back: Option<&Document>) {
        let text = |document: Option<&Document>| document.map_or("nothing", Document::text).to_owned();
        self.example = Some([text(Some(sent)), text(between), text(back)]);
    }
}

impl Report {
    pub(super) fn of(trimmed: &Trimmed) -> Self {
        let held = || trimmed.claims.iter().filter(|claim| DIRECTIONS.iter().any(|way| claim.holds(*way)));
        let proved = held().filter(|claim| proof::is_exact(claim)).count();
        let mut report = Self {
            proved,
            tested: held().count() - proved,
            scripts: trimmed.scripts.clone(),
            accepted: trimmed.accepted.clone(),
            ..Self::default()
        };
        report.is_proof = report.tested == 0 && proof::is_sound(trimmed);
        report
    }

    /// What can be said of the use.
    pub fn verdict(&self) -> Verdict {
        match (self.losses.is_empty(), self.is_proof) {
            (false, _) => Verdict::Lost,
            (true, true) => Verdict::Proved,
            (true, false) => Verdict::Tested,
        }
    }

    pub(super) fn tried(&mut self, claims: impl Iterator<Item = usize>) {
        self.documents += 1;
        self.reached.extend(claims);
    }

    /// Whether a loss is not known yet; of one rule each kind is told once.
    pub(super) fn is_news(&self, loss: &Loss) -> bool {
        let same = |own: &Option<Origin>| match (own, &loss.rule) {
            (Some(own), Some(rule)) => is_same(own, rule),
            (own, rule) => own.is_none() && rule.is_none(),
        };
        let known = |own: &Loss| own.kind == loss.kind && same(&own.rule);
        self.losses.len() < LOSSES_MAX && !self.losses.iter().any(known)
    }

    /// A failure that is the mapping's own.
    pub(super) fn defect(&mut self, failure: &Failure) {
        let loss = Loss {
            direction: Direction::ToLegacy,
            kind: LossKind::Defect,
            rule: Some(failure.origin.clone()),
            other: None,
            place: failure.source_pointer.clone(),
            sent: failure.target.clone(),
            came: failure.message.clone(),
            example: None,
        };
        if self.is_news(&loss) {
            self.losses.push(loss);
        }
    }

    /// Whether documents reached claims of this rule and lost none of what left in the direction.
    pub(super) fn kept(&self, trimmed: &Trimmed, rule: &Origin, direction: Direction) -> bool {
        let is_by = |claim: &usize| trimmed.claims.get(*claim).is_some_and(|claim| claim.is_by(rule));
        let is_it = |own: &Option<Origin>| own.as_ref().is_some_and(|own| is_same(own, rule));
        let is_lost = |loss: &Loss| {
            loss.direction == direction && (is_it(&loss.rule) || is_it(&loss.other) || loss.rule.is_none())
        };
        self.reached.iter().any(is_by)
            && self.losses.len() < LOSSES_MAX
            && !self.losses.iter().any(is_lost)
            && !proof::losses(trimmed).iter().any(is_lost)
    }

    /// Adds what is known without a document.
    pub(super) fn finish(&mut self, trimmed: &Trimmed) {
        for loss in proof::losses(trimmed) {
            if self.is_news(&loss) {
                self.losses.push(loss);
            }
        }
        let mut untried: Vec<Origin> = Vec::new();
        for (index, claim) in trimmed.claims.iter().enumerate() {
            let other = |other: &usize| {
                let other = trimmed.claims.get(*other);
                other.is_some_and(|other| {
                    is_same(&other.there, &claim.there) || is_same(&other.back, &claim.back)
                })
            };
            if DIRECTIONS.iter().any(|way| claim.holds(*way))
                && !self.reached.contains(&index)
                && !self.reached.iter().any(other)
                && !untried.iter().any(|own| is_same(own, &claim.there))
            {
                untried.push(claim.there.clone());
            }
        }
        self.untried = untried;
    }
}
