//! Tests of the room through its face.

mod builder;
mod node;
mod parse;
mod patch;
mod query;
