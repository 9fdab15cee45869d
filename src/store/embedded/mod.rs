//! The embedded adapter: a log, and SQLite behind it.
//!
//! Whatever waits goes into the log with one write and one fsync, on the caller's thread where that takes no time, and
//! from there into the database, thousands at once; documents stay in the log.

mod agenda;
mod applier;
mod backup;
mod claim;
mod clear;
mod column;
mod committer;
mod core;
mod desk;
mod handle;
mod inbox;
mod log;
mod open;
mod overlay;
mod read;
mod readers;
mod record;
mod repeats;
mod retire;
mod schema;
mod stage;
mod tasks;
mod write;

pub use backup::{backup, restore};
pub(super) use handle::Embedded;
pub use handle::Limits;

use super::{
    Batch, Bookmark, CLAIM_TASKS_MAX, Change, Conflict, Entity, Holding, IdempotencyKey, JournalEntry,
    KeyPair, Kind, LOOK_MS_MAX, Lease, ListFilter, Page, Queue, Reference, Remembered, RememberedAnswer,
    Retired, Retirement, Sizes, Step, StoreError, Task, TaskPage,
};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(super) use tests::quick;
