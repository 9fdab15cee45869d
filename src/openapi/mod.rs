//! Interface files of legacy systems: `OpenAPI` 3.0 and 3.1, as far as mappings can be held against them.
//!
//! Calls, their parameters, bodies and replies, and the types of all these. A file is read once and is not obeyed:
//! what is not understood here (a keyword, a reference to another machine, a form of schema) is open, which means
//! unchecked, and never a fault. Only what cannot be meant is told, as a warning.

mod api;
mod files;
mod flat;
mod reader;
mod types;

#[cfg(test)]
mod tests;

pub use api::{Answer, Api, NoCall, Operation, Parameter, ParameterPlace};
pub use types::{Kind, Member, Rest, Type, TypeIndex};

use crate::text::{Code, Meaning};

/// Files that one interface may be spread over.
pub const FILES_MAX: usize = 200;
/// Types of one interface; what is beyond is unchecked.
pub const TYPES_MAX: usize = 50_000;
/// References and combinations inside each other, before a member or element is reached; what is deeper is unchecked.
pub const DEPTH_MAX: usize = 32;
/// Size of one file, in bytes.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Keys, values, mappings and sequences of one file.
pub const FILE_NODES_MAX: usize = 400_000;
/// Mappings and sequences of one file inside each other.
pub const FILE_DEPTH_MAX: usize = 64;

/// `O101`: a file that is no `OpenAPI` of a known version.
const NOT_OPENAPI: Code = Code("O101");
/// `O102`: a reference that leads nowhere.
const NO_TARGET: Code = Code("O102");
/// `O103`: more than is looked at.
const TOO_MUCH: Code = Code("O103");

/// Codes of this room.
pub const CODES: &[Meaning] = &[
    Meaning::new(NOT_OPENAPI, "The file is no OpenAPI 3.0 or 3.1: mappings are not checked against it."),
    Meaning::new(NO_TARGET, "The reference leads nowhere: what stands there is not checked."),
    Meaning::new(TOO_MUCH, "The interface is larger than what is looked at: the rest is not checked."),
];
