//! Bridges between two neighbouring releases: what carries the messages of one over to the other.
//!
//! A bridge is compiled by the mapping language's own compiler, with the older release in the place of the Sonata side and
//! the newer one in that of the legacy side. So *up* is [`Direction::ToLegacy`] and *down* is [`Direction::ToSonata`].

use super::apply::{Applied, Failure, Input, References, apply, apply_in_part, apply_onward, apply_traced};
use super::direction::Direction;
use super::facts::Facts;
use super::path::Part;
use super::program::{Action, Program};
use super::trace::{Outcome, Row, source_of};
use crate::json::Document;
use std::collections::{BTreeMap, HashMap};
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
    /// Products whose `@type` or attributes differ, and those that only one has.
    pub products: Vec<ProductPair>,
}

/// A product in both releases, or in one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPair {
    /// The function in whose messages this holds; none: in all.
    pub function: Option<Box<str>>,
    /// What stands in `@type` at the older release; the first is written. Empty: the newer one alone has the product.
    pub older: Box<[Box<str>]>,
    /// What stands there at the newer one.
    pub newer: Box<[Box<str>]>,
    /// Why there is no counterpart; its configuration is then carried as it is.
    pub reason: Option<Box<str>>,
}

impl ProductPair {
    /// What stands in `@type` before it goes that way, and what is written; none: it has no counterpart.
    #[must_use]
    pub fn sides(&self, way: Way) -> (&[Box<str>], Option<&str>) {
        let (from, to) = match way {
            Way::Up => (&self.older, &self.newer),
            Way::Down => (&self.newer, &self.older),
        };
        (from, to.first().map(AsRef::as_ref))
    }
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
    carried(steps, document, facts, false)
}

/// The same of an answer to something that has happened: what cannot be carried is left out and found, whatever the contract
/// requires.
///
/// # Errors
/// As [`carry`], for a step that reached a limit.
pub fn carry_in_part(
    steps: &[Arc<Program>],
    document: &Document,
    facts: &dyn Facts,
) -> Result<Carried, (usize, Vec<Failure>)> {
    carried(steps, document, facts, true)
}

fn carried(
    steps: &[Arc<Program>],
    document: &Document,
    facts: &dyn Facts,
    leaves_out: bool,
) -> Result<Carried, (usize, Vec<Failure>)> {
    let references = References::new();
    let mut carried = Carried::default();
    let mut index = 0;
    while let Some(program) = steps.get(index) {
        let read = carried.body.as_ref().unwrap_or(document);
        let input = Input::new(Some(read.root()), facts, &references);
        let onward =
            program.splice.onward().filter(|onward| !leaves_out && onward.count <= steps.len() - index);
        let together = onward.and_then(|onward| Some((onward.count, apply_onward(program, onward, &input)?)));
        if let Some((count, body)) = together {
            carried.body = Some(body);
            index += count;
            continue;
        }
        let applied = if leaves_out { apply_in_part(program, &input) } else { apply(program, &input) };
        let Applied { body, findings, .. } = applied.map_err(|failures| (index, failures))?;
        carried.findings.extend(findings);
        carried.body = body;
        index += 1;
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

/// A request on its way over: its body and its query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// The body, if it has one.
    pub body: Option<Document>,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
}

/// What a request with query parameters comes over as. A step that has no rules for the query leaves it as it is.
///
/// # Errors
/// As [`carry`].
pub fn carry_request(
    steps: &[Arc<Program>],
    request: &Request,
    facts: &dyn Facts,
) -> Result<Request, (usize, Vec<Failure>)> {
    let references = References::new();
    let mut carried = request.clone();
    for (index, program) in steps.iter().enumerate() {
        let body = carried.body.as_ref().map(Document::root);
        let input = Input { query: &carried.query, ..Input::new(body, facts, &references) };
        let applied = apply(program, &input).map_err(|failures| (index, failures))?;
        let query = if has_query(program) { applied.query } else { carried.query };
        carried = Request { body: applied.body, query };
    }
    Ok(carried)
}

/// Whether a program says what becomes of query parameters.
fn has_query(program: &Program) -> bool {
    program.rules.iter().any(|rule| match &rule.action {
        Action::Pair(pair) => pair.target.part == Part::Query,
        _ => false,
    })
}

/// The query parameters of a request that none of its steps reads, by name.
pub fn unread(steps: &[Arc<Program>], request: &Request, facts: &dyn Facts) -> Vec<String> {
    let Some(program) = steps.first().filter(|program| has_query(program)) else { return Vec::new() };
    let references = References::new();
    let body = request.body.as_ref().map(Document::root);
    let input = Input { query: &request.query, ..Input::new(body, facts, &references) };
    let (_, rows) = apply_traced(program, &input);
    let is_read = |name: &str| {
        rows.iter().any(|row| {
            row.outcome == Outcome::Written
                && row.source.strip_prefix("query:/").is_some_and(|own| own == name)
        })
    };
    let names = request.query.iter().map(|(name, _)| name.as_str());
    names.filter(|name| !is_read(name)).map(str::to_owned).collect()
}

/// The place in a document before the steps that a place after them was made from; none where a bridge made it up.
///
/// `pointer` is a JSON Pointer into what the steps made of the document. Of a place that does not exist, such as that of a
/// missing member, the place where it should be.
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
    let (_, rows) = apply_traced(last, &Input::new(Some(read.root()), facts, &references));
    let place = read_from(&rows, read, pointer)?;
    place_before(before, document, facts, &place)
}

/// Where the rule reads that writes a place. What it carries over as a whole has the same inside.
fn read_from(rows: &[Row], read: &Document, pointer: &str) -> Option<String> {
    let above = rows.iter().filter(|row| row.outcome == Outcome::Written);
    let above = above.filter_map(|row| {
        let rest = pointer.strip_prefix(row.target.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then_some((row, rest))
    });
    let Some((row, rest)) = above.max_by_key(|(row, _)| row.target.len()) else {
        return source_of(rows, pointer);
    };
    let inside = format!("{}{rest}", row.source);
    let holder = inside.rsplit_once('/').map_or("", |(holder, _)| holder);
    let is_there = rest.is_empty() || read.root().resolve(holder).is_some();
    Some(if is_there { inside } else { row.source.clone() })
}

/// For every place of a document that the steps read, the places of what comes over that are made of it.
#[derive(Debug, Default)]
pub struct Places {
    /// Of each step, what is read and what is written of it.
    steps: Vec<HashMap<String, Vec<String>>>,
}

impl Places {
    /// Those of a document.
    #[must_use]
    pub fn of(steps: &[Arc<Program>], document: &Document, facts: &dyn Facts) -> Self {
        let references = References::new();
        let (mut places, mut read) = (Self::default(), document.clone());
        for program in steps {
            let (applied, rows) = apply_traced(program, &Input::new(Some(read.root()), facts, &references));
            let mut made: HashMap<String, Vec<String>> = HashMap::new();
            for row in rows.into_iter().filter(|row| row.outcome == Outcome::Written) {
                made.entry(row.source).or_default().push(row.target);
            }
            places.steps.push(made);
            let Ok(Applied { body: Some(body), .. }) = applied else { break };
            read = body;
        }
        places
    }

    /// Where a place comes to: it, or what it stands in, was read, and that was written.
    #[must_use]
    pub fn after(&self, pointer: &str) -> Vec<String> {
        let mut at = vec![pointer.to_owned()];
        for made in &self.steps {
            let mut next = Vec::new();
            for place in &at {
                let mut outer = place.as_str();
                loop {
                    let rest = place.strip_prefix(outer).unwrap_or_default();
                    next.extend(made.get(outer).into_iter().flatten().map(|to| format!("{to}{rest}")));
                    let Some((holder, _)) = outer.rsplit_once('/') else { break };
                    outer = holder;
                }
            }
            at = next;
        }
        at
    }
}
