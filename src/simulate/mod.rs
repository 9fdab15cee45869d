//! The far side, played: systems that Segue talks to, for the demonstration, the tests and the benches.
//!
//! This room knows no other room of ours and shares no code with what it tests: a mistake in our document, our
//! converters or our HTTP client cannot hide behind the same mistake here.

pub mod bss;
pub mod buyer;
mod door;
pub mod fault;
pub mod listener;
mod release;
pub mod script;
pub mod seller;
