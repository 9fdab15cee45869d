//! Applies a [`Program`] to a message: pure and synchronous, the same input gives the same output.
//!
//! `program` says what is to be done, this does it: it walks the rules over the received nodes and writes into
//! a builder, splicing what is only carried. It neither parses nor looks anything up by name. What it cannot
//! map is told as [`Failure`]s with their place in the sender's payload, all of them at once; in the answer
//! phase, where the compiler allowed it, as findings beside an answer that lacks the attribute.
//!
//! The files: `run` (one application and its rules), `pair`, `group`, `each`, `join`, `gather` (one form
//! each), `keys` (keys of elements), `index` (finding by key), `target` (writing places), `record` (tracing),
//! `references` (what to resolve before).

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
mod target;
#[cfg(test)]
mod tests;

pub use headers::Headers;
pub use input::{Input, Limits, References};
pub use keypair::{KeyPair, KeyText};
pub use outcome::{Applied, Failure, Fault};
pub use references::{NeededReference, references};

use super::program::Program;
use super::trace::Row;

/// Maps a message.
///
/// # Errors
/// All failures (at least one, at most [`Limits::failures_max`]); nothing of the message may then be sent.
pub fn apply<'m>(program: &'m Program, input: &'m Input<'m>) -> Result<Applied, Vec<Failure>> {
    run::Run::new(program, input, None).finish().0
}

/// Maps a message and tells what every rule did; for `segue trace`, coverage and `propertyPath`.
pub fn apply_traced<'m>(
    program: &'m Program,
    input: &'m Input<'m>,
) -> (Result<Applied, Vec<Failure>>, Vec<Row>) {
    run::Run::new(program, input, Some(Vec::new())).finish()
}
