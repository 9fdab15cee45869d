//! What must outlive a request: entities, references, remembered keys, idempotency, the journal.
//!
//! [`Store`] is the handle: [`Store::commit`] takes a [`Batch`] whose changes happen together or not at all and
//! returns once they are on disk; reads run beside it. Whatever waits goes into the log with one write and one fsync, on
//! the caller's thread where that takes no time, and from there into the database, thousands at once; documents stay in
//! the log. Every call carries the partner, and every row and every index begins with it: no query can meet another
//! partner's row. Custody decides what is stored; here is only
//! how. Times come in as milliseconds since 1970, because the clock is a port.

mod agenda;
mod applier;
mod batch;
mod claim;
mod clear;
mod column;
mod committer;
mod core;
mod desk;
mod entity;
mod error;
mod handle;
mod inbox;
mod log;
mod open;
mod overlay;
mod read;
mod readers;
mod record;
mod schema;
mod stage;
mod task;
mod tasks;
mod write;

pub use batch::{Batch, Change, IdempotencyKey, JournalEntry, KeyPair, Reference, Step};
pub use entity::{Entity, Kind, ListFilter, Page};
pub use error::{Conflict, StoreError};
pub use handle::{CLAIM_TASKS_MAX, Limits, Store};
pub use read::{Remembered, RememberedAnswer};
pub use task::{LANE_BYTES_MAX, Lease, NOTE_BYTES_MAX, PAYLOAD_BYTES_MAX, Queue, Task, TaskPage};

#[cfg(test)]
mod tests;
