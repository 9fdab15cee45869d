//! The room `exchange`.
pub mod ports;
