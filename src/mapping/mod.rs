//! The mapping language: what an integrator writes, compiled once and applied to documents.

pub mod apply;
pub mod bridge;
pub mod codes;
pub mod compile;
pub mod convert;
pub mod coverage;
pub mod diagnostic;
pub mod direction;
pub mod exposed;
pub mod facts;
pub mod forms;
pub mod mutate;
pub mod news;
pub mod operation;
pub mod path;
pub mod problem;
pub mod program;
pub mod raw;
pub mod round;
pub mod schema;
pub mod script;
pub mod trace;
pub mod value;
