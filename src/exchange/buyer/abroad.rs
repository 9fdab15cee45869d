//! The way to a Seller on another release and back: what mappings make and read, and all that is kept, is in our words.
//!
//! A request is carried over when it is mapped, and held against the Seller's own contract then; an answer is carried home
//! once it was held against that. So whoever works with either in between sees one release only.

use super::{
    super::{
        answer::tell,
        bridge::{before, place, query_came_over},
        error::ExchangeError,
        facts::{Known, StoryTexts, facts},
        problem::fault_code,
        story::Story,
    },
    message::Way,
};
use crate::{
    json::Document,
    mapping::{
        apply::{Failure, Fault as MappingFault},
        bridge::{self, Request},
        path::Part,
    },
    plan::Abroad,
    sonata::Fault,
};

impl<'p> Way<'p> {
    /// What the operation is at the Seller.
    ///
    /// # Errors
    /// Its release does not have it.
    pub fn abroad(&self) -> Result<&'p Abroad, ExchangeError> {
        let abroad = self.exposer.abroad.as_ref();
        abroad.map(|abroad| &**abroad).map_err(|why| ExchangeError::NotSold { why: why.to_string() })
    }
}

/// A request in the Seller's words.
///
/// # Errors
/// What of it cannot be said there, at places of ours; the release does not have it; a query parameter that would make a
/// list longer does not come over.
pub fn over(way: &Way<'_>, asked: &Request, known: &Known<'_>) -> Result<Request, ExchangeError> {
    let abroad = way.abroad()?;
    let mut carried = bridge::carry_request(&abroad.request, asked, known)
        .map_err(|(step, failures)| unsayable(abroad, asked, known, (step, failures)))?;
    query_came_over((abroad.operation, &abroad.request), (asked, &mut carried), known)?;
    Ok(carried)
}

/// Failures of a bridge as faults of our request; a defect of the bridge is ours.
fn unsayable(
    abroad: &Abroad,
    asked: &Request,
    known: &Known<'_>,
    (step, failures): (usize, Vec<Failure>),
) -> ExchangeError {
    if failures.iter().any(|failure| failure.fault != MappingFault::Sender) {
        return ExchangeError::Refused(failures);
    }
    let steps = abroad.request.get(..step).unwrap_or_default();
    let fault = |failure: Failure| {
        let at = if failure.part == Part::Body { failure.source_pointer } else { String::new() };
        Fault::new(fault_code(failure.code), at, failure.message)
    };
    ExchangeError::Contract(before(steps, asked, known, failures).into_iter().map(fault).collect())
}

/// Where a place of what goes to the Seller stands in our own words.
pub fn place_of(way: &Way<'_>, ours: Option<&Document>, known: &Known<'_>, pointer: &str) -> String {
    match &way.exposer.abroad {
        Ok(abroad) => place(&abroad.request, ours, known, pointer),
        Err(_) => pointer.to_owned(),
    }
}

/// The Seller's answer in our words.
///
/// # Errors
/// It cannot be said in them: why.
pub fn home(story: &mut Story<'_>, way: &Way<'_>, said: &Document) -> Result<Document, String> {
    let steps = way.exposer.abroad.as_ref().map_or(&[][..], |abroad| &abroad.answer);
    if steps.is_empty() {
        return Ok(said.clone());
    }
    let texts = StoryTexts::of(story);
    let known = facts(way.partner, (way.exposer.contract, way.exposer.operation), &texts, None);
    let carried = bridge::carry(steps, said, &known).map_err(|(_, failures)| {
        let first = failures.first();
        let at = first.map_or("", |failure| failure.source_pointer.as_str());
        let why = first.map_or("", |failure| failure.message.as_str());
        format!("what cannot be said in our release, at {at:?}: {why}")
    })?;
    carried.findings.iter().for_each(|finding| tell(story, finding));
    Ok(carried.body.unwrap_or_else(|| said.clone()))
}
