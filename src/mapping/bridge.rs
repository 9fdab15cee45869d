//! Bridges between two neighbouring releases: what carries the messages of one over to the other.
//!
//! A bridge is compiled by the mapping language's own compiler, with the older release in the place of the Sonata side and
//! the newer one in that of the legacy side. So *up* is [`Direction::ToLegacy`] and *down* is [`Direction::ToSonata`].

use super::apply::{Applied, Failure, Input, References, apply};
use super::direction::Direction;
use super::facts::Facts;
use super::program::Program;
use super::trace::property_path;
use crate::json::Document;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Which way a message goes over a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Way {
    /// From the older release to the newer one.
    Up,
    /// From the newer release to the older one.
    Down,
}

impl Way {
    /// As the compiler has it.
    #[must_use]
    pub fn direction(self) -> Direction {
        match self {
            Self::Up => Direction::ToLegacy,
            Self::Down => Direction::ToSonata,
        }
    }

    /// The way back.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "up",
            Self::Down => "down",
        })
    }
}

/// A bridge between two neighbouring releases, compiled.
#[derive(Debug, Clone, Default)]
pub struct Bridge {
    /// The older release.
    pub older: Box<str>,
    /// The newer one.
    pub newer: Box<str>,
    /// Operations that both have, by function and the older operationId.
    pub operations: BTreeMap<(Box<str>, Box<str>), Arc<Crossing>>,
    /// Operations that only one has.
    pub absent: Vec<Absent>,
    /// What does not come over as it is, in the order of the files.
    pub notes: Vec<Note>,
}

/// An operation that only one release has: function, operationId, the way that has no end, and why.
pub type Absent = (Box<str>, Box<str>, Way, Box<str>);

/// One operation in both releases.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossing {
    /// Its operationId in the older release.
    pub older: Box<str>,
    /// Its operationId in the newer one.
    pub newer: Box<str>,
    /// Its request: body and query.
    pub request: Passage,
    /// Its answer; of a list, all of it.
    pub answer: Passage,
}

/// What carries one message over, each way; none: it is the same in both releases.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Passage {
    /// From the older release to the newer one.
    pub up: Option<Arc<Program>>,
    /// Back.
    pub down: Option<Arc<Program>>,
}

impl Passage {
    /// The program of one way.
    #[must_use]
    pub fn way(&self, way: Way) -> Option<&Arc<Program>> {
        match way {
            Way::Up => self.up.as_ref(),
            Way::Down => self.down.as_ref(),
        }
    }
}

/// Something that does not come over as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The function.
    pub function: Box<str>,
    /// The type that it stands in, at the release that has it.
    pub type_name: Box<str>,
    /// Its place in there.
    pub place: Box<str>,
    /// Which way.
    pub way: Way,
    /// What becomes of it.
    pub fate: Fate,
    /// Why, or what is written.
    pub reason: Box<str>,
}

/// What becomes of something that does not come over as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fate {
    /// It is left out.
    Dropped,
    /// It is made up, as the release that it goes to requires it.
    Synthesised,
    /// A message with it, or without it, is refused.
    Refused,
}

impl Fate {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Synthesised => "synthesised",
            Self::Refused => "refused",
        }
    }
}

impl Bridge {
    /// An operation by the operationId of the release that a way begins at.
    #[must_use]
    pub fn crossing(&self, function: &str, operation_id: &str, way: Way) -> Option<&Arc<Crossing>> {
        match way {
            Way::Up => self.operations.get(&(function.into(), operation_id.into())),
            Way::Down => self
                .operations
                .iter()
                .find(|((own, _), crossing)| **own == *function && *crossing.newer == *operation_id)
                .map(|(_, crossing)| crossing),
        }
    }
}

/// What a message with nothing but a body comes over as.
///
/// `steps` are the programs of neighbouring bridges in the order of the way; without any the document is given back.
///
/// # Errors
/// The failures of the first step that has some, each with its place in what that step was given, and the index of the step.
pub fn carry(
    steps: &[Arc<Program>],
    document: &Document,
    facts: &dyn Facts,
) -> Result<Carried, (usize, Vec<Failure>)> {
    let references = References::new();
    let mut carried = Carried::default();
    for (index, program) in steps.iter().enumerate() {
        let read = carried.body.as_ref().unwrap_or(document);
        let applied = apply(program, &Input::new(Some(read.root()), facts, &references));
        let Applied { body, findings, .. } = applied.map_err(|failures| (index, failures))?;
        carried.findings.extend(findings);
        carried.body = body;
    }
    Ok(carried)
}

/// What came of carrying a message over.
#[derive(Debug, Default)]
pub struct Carried {
    /// The body; none where there was no step, or where nothing was written.
    pub body: Option<Document>,
    /// What was left out of it.
    pub findings: Vec<Failure>,
}

/// The place in a document before the steps that a place after them was made from; none where a bridge made it up.
///
/// `pointer` is a JSON Pointer into what the steps made of the document.
#[must_use]
pub fn place_before(
    steps: &[Arc<Program>],
    document: &Document,
    facts: &dyn Facts,
    pointer: &str,
) -> Option<String> {
    let Some((last, before)) = steps.split_last() else { return Some(pointer.to_owned()) };
    let carried = carry(before, document, facts).ok()?;
    let read = carried.body.as_ref().unwrap_or(document);
    let references = References::new();
    let place = property_path(last, &Input::new(Some(read.root()), facts, &references), pointer)?;
    place_before(before, document, facts, &place)
}
