//! Segue mediates between LSO Sonata and a legacy BSS.
//!
//! Rooms in reading order; `ARCHITECTURE.md` says who may know whom and why.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod ids;
pub mod text;
pub mod json;
pub mod sonata;
pub mod mapping;
pub mod config;
pub mod plan;
pub mod legacy;
pub mod store;
pub mod custody;
pub mod simulate;
pub mod exchange;
pub mod server;
pub mod admin;
pub mod telemetry;
pub mod cli;
