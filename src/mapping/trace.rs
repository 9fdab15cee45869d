//! What every rule did with a message, and the way back from a written place to what it was read from.
//!
//! Nothing of this is recorded while messages are mapped in earnest: mapping is pure, so it is done again with
//! tracing when somebody asks.

use super::apply::{Input, apply_traced};
use super::program::{Origin, Program};

/// What one rule did at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The rule.
    pub origin: Origin,
    /// JSON Pointer of what was read, `/quoteItem/1/action`; of a parameter `query:/state`; empty for constants
    /// and for the root.
    pub source: String,
    /// Excerpt of what was written, bounded; empty where nothing was.
    pub value: String,
    /// JSON Pointer of what was or would have been written; of a parameter `query:/st`.
    pub target: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a rule at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Written from the source.
    Written,
    /// The mapping's own was written: a constant, or a script that reads nothing of the message.
    Constant,
    /// The default was written, or what a converter reads into nothing.
    Default,
    /// Nothing there to read.
    Absent,
    /// Its condition did not hold.
    ConditionFalse,
    /// A constant or default that was taken back because nothing else of its group wrote.
    GroupEmpty,
    /// Left out with a finding; the reason.
    Omitted(String),
    /// Failed; the reason.
    Failed(String),
}

impl Outcome {
    /// In words, without the reason.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Constant => "constant",
            Self::Default => "default",
            Self::Absent => "absent",
            Self::ConditionFalse => "condition false",
            Self::GroupEmpty => "taken back: its group is empty",
            Self::Omitted(_) => "omitted",
            Self::Failed(_) => "failed",
        }
    }

    /// Why it was left out or failed.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Omitted(reason) | Self::Failed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// The place of the source message that a place of the target message was written from.
///
/// Turns a complaint about what we sent (`/lines/0/sku`) into a pointer into what we received. A place that a
/// rule wrote as part of something larger, or only parts of, counts as well: the nearest wins. None where the
/// mapping wrote it of its own, or where nothing was written there.
pub fn property_path<'m>(program: &'m Program, input: &'m Input<'m>, target: &str) -> Option<String> {
    let (_, rows) = apply_traced(program, input);
    source_of(&rows, target)
}

/// [`property_path`] on rows that are at hand.
pub fn source_of(rows: &[Row], target: &str) -> Option<String> {
    let written = || rows.iter().filter(|row| row.outcome == Outcome::Written);
    // The rule that wrote the place, or what contains it: the deepest.
    let above = written()
        .filter(|row| is_within(target, &row.target))
        .max_by_key(|row| row.target.len())
        .map(|row| row.source.clone());
    // Else the first rule that wrote something inside of it tells the neighbourhood.
    above.or_else(|| written().find(|row| is_within(&row.target, target)).map(|row| row.source.clone()))
}

/// Whether the pointer `place` is `container` or inside it.
fn is_within(place: &str, container: &str) -> bool {
    place.strip_prefix(container).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
