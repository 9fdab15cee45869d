//! Tables, and how an older file becomes the current one.

use rusqlite::Connection;

use super::StoreError;

/// Marks the file as ours: `SEGU`.
pub(super) const APPLICATION_ID: i64 = 0x5345_4755;

/// One entry per version, in order; an entry that was released is never changed.
pub(super) const MIGRATIONS: [&str; 6] = [V1, V2, V3, V4, V5, V6];

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

/// Short columns: repeated words are numbers, UUIDs are 16 bytes (see `column`). References and keys need no row beside
/// their index. What operators read is in the views.
const V4: &str = "
CREATE TABLE words (number INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO words (word)
    SELECT partner FROM entities UNION SELECT kind FROM entities UNION
    SELECT backend FROM entities WHERE backend IS NOT NULL UNION
    SELECT state FROM entities WHERE state IS NOT NULL UNION
    SELECT partner FROM refs UNION SELECT kind FROM refs UNION SELECT backend FROM refs UNION
    SELECT partner FROM keys UNION SELECT kind FROM keys UNION SELECT key_group FROM keys;

ALTER TABLE entities RENAME TO entities_v3;
DROP INDEX entities_by_id;
DROP INDEX entities_by_state;
DROP INDEX entities_by_external_id;
DROP INDEX entities_by_parent;
CREATE TABLE entities (
    seq INTEGER PRIMARY KEY,
    partner INTEGER NOT NULL, kind INTEGER NOT NULL, id ANY NOT NULL,
    buyer TEXT, seller TEXT, backend INTEGER, legacy_id TEXT, parent ANY,
    version INTEGER NOT NULL, state INTEGER, external_id TEXT,
    created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    document BLOB, request BLOB, legacy BLOB,
    segment INTEGER, start_bytes INTEGER, record_bytes INTEGER
) STRICT;
INSERT INTO entities SELECT rowid,
    (SELECT number FROM words WHERE word = partner), (SELECT number FROM words WHERE word = kind), SHORT(id),
    buyer, seller, (SELECT number FROM words WHERE word = backend), legacy_id, SHORT(parent),
    version, (SELECT number FROM words WHERE word = state), external_id,
    created_ms, updated_ms, document, request, legacy, segment, start_bytes, record_bytes
    FROM entities_v3 ORDER BY rowid;
CREATE UNIQUE INDEX entities_by_id ON entities (partner, kind, id);
CREATE INDEX entities_by_state ON entities (partner, kind, state);
CREATE INDEX entities_by_external_id ON entities (partner, kind, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX entities_by_parent ON entities (partner, kind, parent) WHERE parent IS NOT NULL;
DROP TABLE entities_v3;

ALTER TABLE refs RENAME TO refs_v3;
DROP INDEX refs_by_sonata;
DROP INDEX refs_by_legacy;
CREATE TABLE refs (
    partner INTEGER NOT NULL, backend INTEGER NOT NULL, kind INTEGER NOT NULL,
    sonata_id ANY NOT NULL, legacy_id TEXT NOT NULL, seq INTEGER NOT NULL,
    PRIMARY KEY (partner, backend, kind, sonata_id)
) STRICT, WITHOUT ROWID;
INSERT INTO refs SELECT
    (SELECT number FROM words WHERE word = partner), (SELECT number FROM words WHERE word = backend),
    (SELECT number FROM words WHERE word = kind), SHORT(sonata_id), legacy_id, seq
    FROM refs_v3;
CREATE INDEX refs_by_legacy ON refs (partner, backend, kind, legacy_id, seq);
ALTER TABLE log ADD COLUMN refs_made INTEGER NOT NULL DEFAULT 0;
UPDATE log SET refs_made = (SELECT coalesce(max(seq), 0) FROM refs_v3);
DROP TABLE refs_v3;

ALTER TABLE keys RENAME TO keys_v3;
CREATE TABLE keys (
    partner INTEGER NOT NULL, kind INTEGER NOT NULL, id ANY NOT NULL,
    key_group INTEGER NOT NULL, sonata TEXT NOT NULL, legacy TEXT NOT NULL,
    PRIMARY KEY (partner, kind, id, key_group, sonata)
) STRICT, WITHOUT ROWID;
INSERT INTO keys SELECT
    (SELECT number FROM words WHERE word = partner), (SELECT number FROM words WHERE word = kind), SHORT(id),
    (SELECT number FROM words WHERE word = key_group), sonata, legacy
    FROM keys_v3;
DROP TABLE keys_v3;

CREATE VIEW readable_entities AS SELECT seq,
    (SELECT word FROM words WHERE number = partner) AS partner,
    (SELECT word FROM words WHERE number = kind) AS kind, LONG(id) AS id, buyer, seller,
    (SELECT word FROM words WHERE number = backend) AS backend, legacy_id, LONG(parent) AS parent, version,
    (SELECT word FROM words WHERE number = state) AS state, external_id, created_ms, updated_ms
    FROM entities;
CREATE VIEW readable_refs AS SELECT
    (SELECT word FROM words WHERE number = partner) AS partner,
    (SELECT word FROM words WHERE number = backend) AS backend,
    (SELECT word FROM words WHERE number = kind) AS kind, LONG(sonata_id) AS sonata_id, legacy_id, seq
    FROM refs;
";

/// Work to be done later. The first open task of each lane has `head`.
const V5: &str = "
CREATE TABLE tasks (
    seq INTEGER PRIMARY KEY,
    id ANY NOT NULL, partner INTEGER NOT NULL, queue INTEGER NOT NULL, lane TEXT NOT NULL,
    kind INTEGER, subject ANY, due_ms INTEGER NOT NULL, made_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL, note TEXT, dead_ms INTEGER, head INTEGER NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX tasks_by_id ON tasks (id);
CREATE INDEX tasks_by_lane ON tasks (partner, queue, lane) WHERE dead_ms IS NULL;
CREATE INDEX tasks_by_due ON tasks (queue, due_ms) WHERE head = 1;
CREATE INDEX tasks_by_subject ON tasks (partner, queue, kind, subject)
    WHERE subject IS NOT NULL AND dead_ms IS NULL;
CREATE INDEX tasks_by_death ON tasks (partner, queue, dead_ms) WHERE dead_ms IS NOT NULL;

CREATE VIEW readable_tasks AS SELECT seq, LONG(id) AS id,
    (SELECT word FROM words WHERE number = partner) AS partner,
    (SELECT word FROM words WHERE number = queue) AS queue, lane,
    (SELECT word FROM words WHERE number = kind) AS kind, LONG(subject) AS subject,
    due_ms, made_ms, attempts, note, dead_ms, head, payload
    FROM tasks;
";

/// A legacy id is found without knowing whose it is.
const V6: &str = "
DROP INDEX refs_by_legacy;
CREATE INDEX refs_by_legacy ON refs (backend, kind, legacy_id, partner, seq);
";

/// The 16 bytes of a UUID in its canonical text, and of any other id the text.
fn short(id: &str) -> String {
    let long = long(&format!("unhex(replace({id}, '-', ''))"));
    format!("CASE WHEN length({id}) = 36 AND {long} = {id} THEN unhex(replace({id}, '-', '')) ELSE {id} END")
}

/// The canonical text of 16 bytes, and any text as it is.
fn long(id: &str) -> String {
    let part = |from, length| format!("substr(hex({id}), {from}, {length})");
    let parts = [part(1, 8), part(9, 4), part(13, 4), part(17, 4), part(21, 12)].join(" || '-' || ");
    format!("CASE typeof({id}) WHEN 'blob' THEN lower({parts}) ELSE {id} END")
}

/// The text of a migration, with `SHORT(column)` and `LONG(column)` written out.
fn written_out(sql: &str) -> String {
    let mut out = sql.to_owned();
    for column in ["id", "parent", "sonata_id", "subject"] {
        out = out.replace(&format!("SHORT({column})"), &short(column));
        out = out.replace(&format!("LONG({column})"), &long(column));
    }
    out
}

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
        transaction.execute_batch(&written_out(sql))?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    let current = i64::try_from(MIGRATIONS.len()).map_err(|_| refuse("too many versions"))?;
    transaction.pragma_update(None, "user_version", current)?;
    transaction.commit()?;
    Ok(())
}
