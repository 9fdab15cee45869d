//! Applies a [`Program`] to a message: pure and synchronous, the same input gives the same output.
//!
//! `program` says what is to be done, this does it: it walks the rules over the received nodes and writes into
//! a builder, splicing what is only carried. It neither parses nor looks anything up by name. What it cannot
//! map is told as [`Failure`]s with their place in the sender's payload, all of them at once; in the answer
//! phase, where the compiler allowed it, as findings beside an answer that lacks the attribute.
//!
//! The files: `run` (one application and its rules), `pair`, `group`, `each`, `join`, `gather` (one form
//! each), `keys` (keys of elements), `index` (finding by key), `target` (writing places), `record` (tracing),
//! `references` (what to resolve before), `splice` (messages that mostly stay).

mod each;
mod gather;
mod group;
mod headers;
mod index;
mod input;
mod join;
mod keypair;
mod keys;
mod outcome;
mod pair;
mod record;
mod references;
mod run;
mod splice;
mod target;
#[cfg(test)]
mod tests;

pub use headers::Headers;
pub use input::{Input, Limits, References};
pub use keypair::{KeyPair, KeyText};
pub use outcome::{Applied, Failure, Fault};
pub use references::{NeededReference, references};

use super::program::{Onward, Program};
use super::trace::Row;
use crate::json::Document;

/// Maps a message.
///
/// # Errors
/// All failures (at least one, at most [`Limits::failures_max`]); nothing of the message may then be sent.
pub fn apply<'m>(program: &'m Program, input: &'m Input<'m>) -> Result<Applied, Vec<Failure>> {
    applied(program, input, false)
}

/// The same of an answer to something that has happened: what cannot be mapped is left out and found, even where the
/// contract requires it.
///
/// # Errors
/// As [`apply`], where a limit was reached, or where the program is none of an answer.
pub fn apply_in_part<'m>(program: &'m Program, input: &'m Input<'m>) -> Result<Applied, Vec<Failure>> {
    applied(program, input, true)
}

/// What a program and those behind it on a way make of a message together; none where not all of it comes over, so that they
/// have to be applied one by one.
pub fn apply_onward<'m>(program: &'m Program, onward: &'m Onward, input: &'m Input<'m>) -> Option<Document> {
    let applied = run::Run::reading(program, input).splice(&onward.splice)?.ok()?;
    applied.body.filter(|_| applied.findings.is_empty())
}

fn applied<'m>(
    program: &'m Program,
    input: &'m Input<'m>,
    leaves_out: bool,
) -> Result<Applied, Vec<Failure>> {
    if let Some(splice) = program.splice.get()
        && input.scope.is_none()
        && input.body.is_some()
    {
        let mut run = run::Run::reading(program, input);
        run.leaves_out = leaves_out;
        if let Some(done) = run.splice(splice) {
            return done;
        }
    }
    let mut run = run::Run::new(program, input, None);
    run.leaves_out = leaves_out;
    run.finish().0
}

/// Maps a message and tells what every rule did; for `segue trace`, coverage and `propertyPath`.
pub fn apply_traced<'m>(
    program: &'m Program,
    input: &'m Input<'m>,
) -> (Result<Applied, Vec<Failure>>, Vec<Row>) {
    run::Run::new(program, input, Some(Vec::new())).finish()
}
