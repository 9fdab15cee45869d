//! The numbered requirements of the guides that a gateway can check, as data.
//!
//! A [`Rule`] says what one paragraph of one guide asks, in our own words, and where that is looked at: by a few
//! `Test`s over a message (`test`), or in a part of Segue that does it anyway (`Kept::By`), or nowhere, and then
//! why. What the interface files already say is the contract's ([`super::check()`]) and not said again.
//!
//! Paragraphs are renumbered between releases, so an id names guide, release and paragraph: `115:grace:R23`. An id
//! that was released never means anything else. Where a guide gives a number twice, or a rule is ours, a word stands
//! behind it.
//!
//! [`RuleBook`] is what a partner's settings leave of it, by operation: made once for a plan, and shared by all partners
//! that set nothing.

mod agreed;
mod program;
mod special;
mod tables;
mod test;

pub use agreed::Agreed;
pub use program::{Broken, RuleBook, Rules};
pub use test::{Facts, Stage};

use std::{collections::HashMap, sync::LazyLock};

use super::{Function, Release};
use test::Test;

/// What becomes of a message that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nobody looks.
    Off,
    /// The message goes on, the operator is told.
    Warn,
    /// A request is refused; an answer is treated as one that breaks the contract.
    Reject,
}

impl Level {
    /// Words of the configuration.
    pub const WORDS: [(&'static str, Self); 3] =
        [("off", Self::Off), ("warn", Self::Warn), ("reject", Self::Reject)];

    /// The word of the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Reject => "reject",
        }
    }
}

/// Whose message a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The Buyer's.
    Buyer,
    /// The Seller's, which is our own.
    Seller,
    /// Either, held against what else is known: the request of an answer, what was kept, the inventory.
    State,
}

impl Side {
    /// The letter of tables: `B`, `S`, `X`.
    #[must_use]
    pub fn letter(self) -> &'static str {
        match self {
            Self::Buyer => "B",
            Self::Seller => "S",
            Self::State => "X",
        }
    }
}

/// Where a rule is looked after.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kept {
    /// By these tests.
    Here(&'static [Test]),
    /// By another part of Segue whatever the settings say: which, and the test that holds it (`file name`).
    By(&'static str, &'static str),
    /// Not at all: why.
    Not(&'static str),
}

/// One requirement.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Guide, release and paragraph: `115:grace:R23`.
    pub id: &'static str,
    /// The functions of whose messages it speaks.
    pub functions: &'static [Function],
    /// Whose message it is about.
    pub side: Side,
    /// What holds where nothing is set.
    pub default: Level,
    /// What it asks, in a sentence that a partner may read.
    pub asks: &'static str,
    /// Why the default is what it is, where that needs a word.
    pub why: Option<&'static str>,
    kept: Kept,
}

/// The release whose paragraphs the tables number.
const RELEASE: Release = Release::GRACE;

/// All rules, in the order of the tables.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(tables::all);

/// Rules by id.
static BY_ID: LazyLock<HashMap<&'static str, &'static Rule>> =
    LazyLock::new(|| all().iter().map(|rule| (rule.id, rule)).collect());

/// All rules, by function.
#[must_use]
pub fn all() -> &'static [Rule] {
    &RULES
}

/// The rule of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Rule> {
    BY_ID.get(id).copied()
}

impl Rule {
    /// The release that numbers it so.
    #[must_use]
    pub fn release(&self) -> Release {
        RELEASE
    }

    /// How the guide and its paragraph are told: `MEF 115 R23`.
    #[must_use]
    pub fn cited(&self) -> String {
        let mut parts = self.id.split(':');
        let (guide, paragraph) = (parts.next().unwrap_or_default(), parts.next_back().unwrap_or_default());
        match paragraph.split('.').next().unwrap_or_default() {
            "onDemand" => "on demand".to_owned(),
            paragraph => format!("MEF {guide} {paragraph}"),
        }
    }

    /// Whether its level can be set: it is checked here.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        matches!(self.kept, Kept::Here(_))
    }

    /// The part of Segue that keeps it whatever is set, and the test that holds it: a file and the name in it.
    #[must_use]
    pub fn kept_by(&self) -> Option<(&'static str, &'static str)> {
        match self.kept {
            Kept::By(part, test) => Some((part, test)),
            Kept::Here(_) | Kept::Not(_) => None,
        }
    }

    /// Why nobody checks it.
    #[must_use]
    pub fn not_checked(&self) -> Option<&'static str> {
        match self.kept {
            Kept::Not(why) => Some(why),
            Kept::Here(_) | Kept::By(..) => None,
        }
    }

    /// Whether it speaks of this function in this release.
    #[must_use]
    pub fn is_of(&self, function: Function, release: Release) -> bool {
        release == RELEASE && self.functions.contains(&function)
    }

    /// The operations whose messages are looked at, and when; one stands as often as it is.
    pub fn operations(&self) -> impl Iterator<Item = (&'static str, Stage)> + use<> {
        self.tests().iter().flat_map(|test| test.operations.iter().map(|operation| (*operation, test.stage)))
    }

    pub(crate) fn tests(&self) -> &'static [Test] {
        match self.kept {
            Kept::Here(tests) => tests,
            Kept::By(..) | Kept::Not(_) => &[],
        }
    }
}
