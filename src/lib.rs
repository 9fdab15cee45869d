//! Segue mediates between LSO Sonata and a legacy BSS.
//!
//! Rooms in reading order; `ARCHITECTURE.md` says who may know whom and why.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod admin;
pub mod app;
pub mod body;
pub mod cases;
pub mod cli;
pub mod config;
pub mod custody;
pub mod exchange;
pub mod format;
pub mod ids;
pub mod json;
pub mod legacy;
pub mod mapping;
pub mod notify;
pub mod openapi;
pub mod plan;
pub mod server;
pub mod simulate;
pub mod sonata;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod workbench;
