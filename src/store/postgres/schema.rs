//! Tables, and how an older database becomes the current one.

use super::{super::StoreError, connect::Connection, failed};

/// One entry per version, in order; an entry that was released is never changed.
const MIGRATIONS: [&str; 2] = [V1, V2];

/// Oldest server that knows all that is asked of it.
const SERVER_MIN: i32 = 130_000;

/// Under this lock one instance migrates at a time: `SEGU`, and the lock's number. No other lock has two numbers.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1397049173, 1)";

const V1: &str = r#"
CREATE TABLE entities (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    partner text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
    buyer text COLLATE "C", seller text COLLATE "C", backend text COLLATE "C", legacy_id text COLLATE "C",
    parent text COLLATE "C", version bigint NOT NULL, state text COLLATE "C", external_id text COLLATE "C",
    created_ms bigint NOT NULL, updated_ms bigint NOT NULL,
    document bytea, request bytea, legacy bytea,
    PRIMARY KEY (partner, kind, id)
);
CREATE INDEX entities_by_seq ON entities (partner, kind, seq);
CREATE INDEX entities_by_state ON entities (partner, kind, state, seq);
CREATE INDEX entities_by_external_id ON entities (partner, kind, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX entities_by_parent ON entities (partner, kind, parent) WHERE parent IS NOT NULL;

CREATE TABLE refs (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    partner text COLLATE "C" NOT NULL, backend text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL,
    sonata_id text COLLATE "C" NOT NULL, legacy_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (partner, backend, kind, sonata_id)
);
CREATE INDEX refs_by_legacy ON refs (partner, backend, kind, legacy_id, seq);

CREATE TABLE keys (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    partner text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL,
    key_group text COLLATE "C" NOT NULL, sonata text COLLATE "C" NOT NULL, legacy text COLLATE "C" NOT NULL,
    PRIMARY KEY (partner, kind, id, key_group, sonata)
);

CREATE TABLE idempotency (
    partner text COLLATE "C" NOT NULL, operation text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
    body_hash bytea NOT NULL, exchange text COLLATE "C" NOT NULL, begun_ms bigint NOT NULL,
    status integer, answer bytea, entity_kind text COLLATE "C", entity_id text COLLATE "C",
    PRIMARY KEY (partner, operation, key)
);
CREATE INDEX idempotency_by_time ON idempotency (begun_ms);

CREATE TABLE journal (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner text COLLATE "C" NOT NULL, exchange text COLLATE "C" NOT NULL, operation text COLLATE "C" NOT NULL,
    call text COLLATE "C" NOT NULL, step text COLLATE "C" NOT NULL, backend text COLLATE "C",
    request_crc bigint, status integer, reply bytea, at_ms bigint NOT NULL
);
CREATE INDEX journal_by_exchange ON journal (partner, exchange);
CREATE INDEX journal_by_intent ON journal (at_ms) WHERE step = 'intent';

CREATE SEQUENCE tasks_made;
CREATE SEQUENCE leases_made;
CREATE TABLE tasks (
    seq bigint PRIMARY KEY DEFAULT nextval('tasks_made'),
    id text COLLATE "C" NOT NULL UNIQUE, partner text COLLATE "C" NOT NULL, queue text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL, lane_key bigint NOT NULL,
    kind text COLLATE "C", subject text COLLATE "C", due_ms bigint NOT NULL, made_ms bigint NOT NULL,
    attempts bigint NOT NULL, note text COLLATE "C", dead_ms bigint, head boolean NOT NULL,
    lease bigint, lease_until_ms bigint, payload bytea NOT NULL
);
CREATE INDEX tasks_by_lane ON tasks (lane_key, seq) WHERE dead_ms IS NULL;
CREATE INDEX tasks_by_due ON tasks (queue, due_ms, seq) WHERE head;
CREATE INDEX tasks_by_lease ON tasks (queue, lease_until_ms) WHERE lease IS NOT NULL;
CREATE INDEX tasks_by_subject ON tasks (partner, queue, kind, subject)
    WHERE subject IS NOT NULL AND dead_ms IS NULL;
CREATE INDEX tasks_by_death ON tasks (partner, queue, dead_ms) WHERE dead_ms IS NOT NULL;
"#;

/// A legacy id is found without knowing whose it is.
const V2: &str = "
DROP INDEX refs_by_legacy;
CREATE INDEX refs_by_legacy ON refs (backend, kind, legacy_id, partner, seq);
";

/// Brings a new, an older or the current database to the current version.
pub(super) async fn migrate(db: &Connection) -> Result<(), StoreError> {
    let done = migrate_in(db).await;
    if done.is_err() {
        // What began ends with the session in any case.
        let _ = db.client.batch_execute("ROLLBACK").await;
    }
    done.map_err(|error| match error {
        StoreError::Failed(text) => StoreError::Open(text),
        other => other,
    })
}

async fn migrate_in(db: &Connection) -> Result<(), StoreError> {
    let refuse = |text: &str| StoreError::Open(text.to_owned());
    let asked = "SELECT current_setting('server_version_num')::int4, current_setting('server_encoding')";
    let rows = db.query(asked, &[]).await?;
    let row = rows.first().ok_or_else(|| refuse("the database does not tell its version"))?;
    let (version, encoding): (i32, String) = (super::get(row, 0)?, super::get(row, 1)?);
    if version < SERVER_MIN {
        return Err(refuse("PostgreSQL is older than version 13"));
    }
    if encoding != "UTF8" {
        return Err(refuse("the database is not encoded in UTF-8"));
    }
    let batch = async |sql: &str| db.client.batch_execute(sql).await.map_err(|error| failed(&error));
    // However long another instance, or a change of a great table, takes.
    batch("BEGIN; SET LOCAL statement_timeout = 0").await?;
    batch(LOCK).await?;
    batch("CREATE TABLE IF NOT EXISTS segue_schema (version integer NOT NULL)").await?;
    let rows = db.query("SELECT version FROM segue_schema", &[]).await?;
    let version: i32 = rows.first().map_or(Ok(0), |row| super::get(row, 0))?;
    let done = usize::try_from(version).map_err(|_| refuse("the database's version is negative"))?;
    let Some(todo) = MIGRATIONS.get(done..) else {
        return Err(refuse("the database was written by a newer version of Segue"));
    };
    for sql in todo {
        batch(sql).await?;
    }
    if !todo.is_empty() {
        let current = MIGRATIONS.len();
        batch(&format!("DELETE FROM segue_schema; INSERT INTO segue_schema VALUES ({current})")).await?;
    }
    batch("COMMIT").await
}
