//! The mapping language: what an integrator writes, compiled once and applied to documents.

pub mod path;
