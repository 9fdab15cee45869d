//! What must outlive a request: entities, references, remembered keys, idempotency, the journal, work to be done later.
//!
//! [`Store`] is the handle: [`Store::commit`] takes a [`Batch`] whose changes happen together or not at all and
//! returns once they are durable; reads run beside it. Behind it is one of two adapters: `embedded` keeps all in files
//! of this machine, `postgres` in a database that several instances share. Every call carries the partner, and every row
//! and every index begins with it: no query can meet another partner's row; only workers claim tasks of all partners.
//! Custody decides what is stored; here is only how. Times come in as milliseconds since 1970, because the clock is a
//! port.

mod batch;
mod embedded;
mod entity;
mod error;
mod handle;
mod postgres;
mod retire;
mod sizes;
mod task;

pub use batch::{
    Batch, Change, IdempotencyKey, JournalEntry, KeyPair, Reference, Remembered, RememberedAnswer, Step,
};
pub use embedded::{Limits, backup, restore};
pub use entity::{Entity, Holding, Kind, ListFilter, Page};
pub use error::{Conflict, StoreError};
pub use handle::Store;
pub use postgres::Settings as PostgresSettings;
pub use retire::{Bookmark, Retired, Retirement};
pub use sizes::{KINDS_MAX, Sizes};
pub use task::{
    CLAIM_TASKS_MAX, LANE_BYTES_MAX, LOOK_MS_MAX, Lease, NOTE_BYTES_MAX, PAYLOAD_BYTES_MAX, Queue, Task,
    TaskPage,
};

#[cfg(test)]
mod tests;
