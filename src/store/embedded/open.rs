//! Opening connections: where the database is, and how safely it writes.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags};

use super::{StoreError, schema};

/// How long a connection waits for another process's lock.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection; more than there are.
const STATEMENTS_MAX: usize = 64;

/// How the committer's connection works.
///
/// - `synchronous`: a commit is on disk with the next checkpoint. Until then Segue's own log has it.
/// - `temp_store`: nothing is put into files that are made and deleted each time.
/// - `wal_autocheckpoint`: none; there is a thread for it.
/// - `cache_size`: KiB of pages kept in memory.
const WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;
    PRAGMA cache_size = -8192;";

/// Where the rows are.
#[derive(Debug, Clone)]
pub(super) enum Place {
    File(PathBuf),
    Memory,
}

impl Place {
    /// The connection that commits; migrates the file.
    pub(super) fn writer(&self) -> Result<Connection, StoreError> {
        let mut connection = self.connection()?;
        schema::migrate(&mut connection).map_err(|error| match error {
            StoreError::Failed(text) => StoreError::Open(text),
            other => other,
        })?;
        Ok(connection)
    }

    /// A connection that can write, to a file that is as it should be.
    pub(super) fn connection(&self) -> Result<Connection, StoreError> {
        let connection = match self {
            Self::File(path) => Connection::open(path),
            Self::Memory => Connection::open_in_memory(),
        }
        .map_err(cannot_open)?;
        connection.busy_timeout(BUSY).map_err(cannot_open)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.execute_batch(WRITER).map_err(cannot_open)?;
        Ok(connection)
    }

    /// Makes the file's folder.
    pub(super) fn make_folder(&self) -> Result<(), StoreError> {
        match self {
            Self::File(path) => make_folder(path),
            Self::Memory => Ok(()),
        }
    }

    /// A connection that cannot write; `None` for memory, which only its own connection sees.
    pub(super) fn reader(&self) -> Option<Result<Connection, StoreError>> {
        let Self::File(path) = self else { return None };
        let open = || {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
            Ok(connection)
        };
        Some(open().map_err(cannot_open))
    }
}

fn make_folder(path: &Path) -> Result<(), StoreError> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => fs::create_dir_all(folder)
            .map_err(|error| StoreError::Open(format!("{}: {error}", folder.display()))),
        _ => Ok(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "stands in `map_err`")]
fn cannot_open(error: rusqlite::Error) -> StoreError {
    StoreError::Open(error.to_string())
}
