//! Tables, and how an older file becomes the current one.

use rusqlite::Connection;

use super::StoreError;

/// Marks the file as ours: `SEGU`.
const APPLICATION_ID: i64 = 0x5345_4755;

/// One entry per version, in order; an entry that was released is never changed.
const MIGRATIONS: [&str; 3] = [V1, V2, V3];

const V1: &str = "
CREATE TABLE entities (
    partner TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    buyer TEXT, seller TEXT, backend TEXT, legacy_id TEXT, parent TEXT,
    version INTEGER NOT NULL, state TEXT, external_id TEXT,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    document BLOB, request BLOB, legacy BLOB
) STRICT;
CREATE UNIQUE INDEX entities_by_id ON entities (partner, kind, id);
CREATE INDEX entities_by_state ON entities (partner, kind, state);
CREATE INDEX entities_by_external_id ON entities (partner, kind, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX entities_by_parent ON entities (partner, kind, parent) WHERE parent IS NOT NULL;

CREATE TABLE refs (
    seq INTEGER PRIMARY KEY,
    partner TEXT NOT NULL, backend TEXT NOT NULL, kind TEXT NOT NULL,
    sonata_id TEXT NOT NULL, legacy_id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX refs_by_sonata ON refs (partner, backend, kind, sonata_id);
CREATE INDEX refs_by_legacy ON refs (partner, backend, kind, legacy_id);

CREATE TABLE keys (
    partner TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL,
    key_group TEXT NOT NULL, sonata TEXT NOT NULL, legacy TEXT NOT NULL,
    PRIMARY KEY (partner, kind, id, key_group, sonata)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    partner TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL,
    body_hash BLOB NOT NULL, exchange TEXT NOT NULL, begun_ms INTEGER NOT NULL,
    status INTEGER, answer BLOB, entity_kind TEXT, entity_id TEXT,
    PRIMARY KEY (partner, operation, key)
) STRICT;
CREATE INDEX idempotency_by_time ON idempotency (begun_ms);

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    partner TEXT NOT NULL, exchange TEXT NOT NULL, operation TEXT NOT NULL, call TEXT NOT NULL,
    step TEXT NOT NULL, backend TEXT, request_hash BLOB, status INTEGER, reply BLOB, at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX journal_by_exchange ON journal (partner, exchange);
CREATE INDEX journal_by_intent ON journal (at_ms) WHERE step = 'intent';
";

/// The log in front of the database: up to where it is in here.
const V2: &str = "
CREATE TABLE log (segment INTEGER NOT NULL, start_bytes INTEGER NOT NULL, chain INTEGER NOT NULL) STRICT;
INSERT INTO log VALUES (0, 0, 0);
";

/// Documents stay in the log: which record of it has them, and how much of each segment is still needed.
const V3: &str = "
ALTER TABLE entities ADD COLUMN segment INTEGER;
ALTER TABLE entities ADD COLUMN start_bytes INTEGER;
ALTER TABLE entities ADD COLUMN record_bytes INTEGER;
CREATE TABLE segments (segment INTEGER PRIMARY KEY, live_bytes INTEGER NOT NULL) STRICT;
";

/// Brings a new, an older or the current file to the current version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let refuse = |text: &str| StoreError::Open(text.to_owned());
    // Immediate: two processes that start at once migrate one after the other.
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let application: i64 = transaction.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (application != 0 || tables != 0) {
        return Err(refuse("the file is another program's database"));
    }
    let version: i64 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let done = usize::try_from(version).map_err(|_| refuse("the file's version is negative"))?;
    let Some(todo) = MIGRATIONS.get(done..) else {
        return Err(refuse("the file was written by a newer version of Segue"));
    };
    for sql in todo {
        transaction.execute_batch(sql)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    let current = i64::try_from(MIGRATIONS.len()).map_err(|_| refuse("too many versions"))?;
    transaction.pragma_update(None, "user_version", current)?;
    transaction.commit()?;
    Ok(())
}
