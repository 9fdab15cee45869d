//! The standard, as data.
pub mod facts;
pub mod import;
mod release;
pub use release::{Function, Release};
