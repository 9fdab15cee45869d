//! Copies SQLite's own log into its file, beside the thread that writes, and knows what is on disk for good.
//!
//! The database is written without an fsync of its own: until a checkpoint, what is in it may be lost when the power
//! fails, and Segue's log still has it. After the checkpoint the log's files up to there may be used again.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, SyncSender},
    },
    thread,
};

use rusqlite::Connection;

use super::{StoreError, log::Position, open::Place, write};

/// The thread, and what it found. It ends with this handle.
pub(super) struct Checkpointer {
    ask: SyncSender<()>,
    found: Arc<Found>,
}

/// What both threads know.
struct Found {
    /// Up to where the database has everything on disk.
    durable: Mutex<Position>,
    /// SQLite lets one checkpoint at a time, and does not wait for another.
    one: Mutex<()>,
}

impl Checkpointer {
    /// Starts the thread. Until the first checkpoint nothing counts as on disk: what a process that was killed has
    /// written may still be lost with the power.
    pub(super) fn start(place: Place) -> Result<Self, StoreError> {
        let durable = Position { segment: 0, start_bytes: 0, chain: 0 };
        let found = Arc::new(Found { durable: Mutex::new(durable), one: Mutex::new(()) });
        let (ask, asked) = mpsc::sync_channel(1);
        let shared = Arc::clone(&found);
        let run = move || {
            let mut connection = None;
            while asked.recv().is_ok() {
                if let Err(error) = beside(&place, &mut connection, &shared) {
                    tracing::warn!(%error, "the database could not be brought to disk; tried again later");
                    connection = None;
                }
            }
        };
        thread::Builder::new()
            .name("store".to_owned())
            .spawn(run)
            .map_err(|error| StoreError::Open(error.to_string()))?;
        Ok(Self { ask, found })
    }

    /// Up to where the database has everything on disk.
    pub(super) fn durable(&self) -> Position {
        *self.found.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The database has come this far; a checkpoint is due once a file of the log can be given free by it.
    pub(super) fn applied(&self, end: Position) {
        if end.segment > self.durable().segment {
            // Where one is asked for already, that one will do.
            let _ = self.ask.try_send(());
        }
    }

    /// A checkpoint on the caller's connection, which waits for readers.
    pub(super) fn now(&self, connection: &Connection) -> Result<(), StoreError> {
        if checkpoint(connection, "PRAGMA wal_checkpoint(TRUNCATE)", &self.found)? {
            Ok(())
        } else {
            Err(StoreError::Failed("the database could not be brought to disk: it is being read".to_owned()))
        }
    }
}

fn beside(place: &Place, kept: &mut Option<Connection>, found: &Found) -> Result<(), StoreError> {
    let connection = match kept {
        Some(connection) => connection,
        none => none.insert(place.connection()?),
    };
    checkpoint(connection, "PRAGMA wal_checkpoint(PASSIVE)", found).map(drop)
}

/// Whether all was copied and synced that the database had when it began.
fn checkpoint(connection: &Connection, sql: &str, found: &Found) -> Result<bool, StoreError> {
    let _one = found.one.lock().unwrap_or_else(PoisonError::into_inner);
    let before = write::position(connection)?;
    let row =
        |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
    let (busy, frames, copied) = connection.prepare_cached(sql)?.query_row([], row)?;
    let is_whole = busy == 0 && frames == copied;
    if is_whole {
        *found.durable.lock().unwrap_or_else(PoisonError::into_inner) = before;
    }
    Ok(is_whole)
}
