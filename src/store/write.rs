//! The changes of a batch, as SQL. Every statement names the partner.

use rusqlite::{Connection, ErrorCode, Row, params};

use super::{
    Batch, Change, Conflict, Entity, IdempotencyKey, JournalEntry, KeyPair, Kind, Reference, StoreError,
    log::Position,
};
use crate::ids::{BackendId, BuyerId, ExchangeId, LegacyId, SellerId, SonataId};

/// Does all changes of a batch inside the caller's savepoint.
pub(super) fn apply(db: &Connection, batch: &Batch) -> Result<(), StoreError> {
    let partner = batch.partner.as_str();
    for change in &batch.changes {
        match change {
            Change::Create(entity) => create(db, partner, entity)?,
            Change::Update(entity) => update(db, partner, entity)?,
            Change::Refer(reference) => refer(db, partner, reference)?,
            Change::Remember { kind, id, pairs } => remember(db, partner, kind, id, pairs)?,
            Change::Begin { key, body_hash, exchange, at_ms } => {
                begin(db, partner, key, body_hash, exchange, *at_ms)?;
            }
            Change::Finish { key, status, answer, entity } => {
                finish(db, partner, key, *status, answer, entity.as_ref())?;
            }
            Change::Abandon { key, exchange } => abandon(db, partner, key, exchange)?,
            Change::Journal(entry) => journal(db, partner, entry)?,
        }
    }
    Ok(())
}

/// A taken primary key or unique index is `conflict`; everything else is a failure.
fn taken(conflict: Conflict) -> impl Fn(rusqlite::Error) -> StoreError {
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => conflict.into(),
        _ => error.into(),
    }
}

fn create(db: &Connection, partner: &str, e: &Entity) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO entities (partner, kind, id, buyer, seller, backend, legacy_id, parent, version, state,
             external_id, created_ms, updated_ms, document, request, legacy)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )?
    .execute(params![
        partner,
        e.kind.as_str(),
        e.id.as_str(),
        e.buyer.as_ref().map(BuyerId::as_str),
        e.seller.as_ref().map(SellerId::as_str),
        e.backend.as_ref().map(BackendId::as_str),
        e.legacy_id.as_ref().map(LegacyId::as_str),
        e.parent.as_ref().map(SonataId::as_str),
        version(e.version)?,
        e.state,
        e.external_id,
        e.created_ms,
        e.updated_ms,
        e.document.as_deref(),
        e.request.as_deref(),
        e.legacy.as_deref(),
    ])
    .map_err(taken(Conflict::Exists))?;
    refer_entity(db, partner, e)
}

fn update(db: &Connection, partner: &str, e: &Entity) -> Result<(), StoreError> {
    let changed = db
        .prepare_cached(
            "UPDATE entities SET buyer = ?5, seller = ?6, backend = ?7, legacy_id = ?8, parent = ?9,
                 version = ?4 + 1, state = ?10, external_id = ?11, updated_ms = ?12, document = ?13,
                 request = ?14, legacy = ?15
             WHERE partner = ?1 AND kind = ?2 AND id = ?3 AND version = ?4",
        )?
        .execute(params![
            partner,
            e.kind.as_str(),
            e.id.as_str(),
            version(e.version)?,
            e.buyer.as_ref().map(BuyerId::as_str),
            e.seller.as_ref().map(SellerId::as_str),
            e.backend.as_ref().map(BackendId::as_str),
            e.legacy_id.as_ref().map(LegacyId::as_str),
            e.parent.as_ref().map(SonataId::as_str),
            e.state,
            e.external_id,
            e.updated_ms,
            e.document.as_deref(),
            e.request.as_deref(),
            e.legacy.as_deref(),
        ])?;
    if changed == 0 {
        return Err(Conflict::Version.into());
    }
    refer_entity(db, partner, e)
}

fn version(version: u64) -> Result<i64, StoreError> {
    i64::try_from(version).map_err(|_| StoreError::Failed("a version beyond 63 bits".to_owned()))
}

fn refer_entity(db: &Connection, partner: &str, e: &Entity) -> Result<(), StoreError> {
    let (Some(backend), Some(legacy_id)) = (&e.backend, &e.legacy_id) else { return Ok(()) };
    insert_reference(db, [partner, backend.as_str(), e.kind.as_str(), e.id.as_str(), legacy_id.as_str()])
}

fn refer(db: &Connection, partner: &str, r: &Reference) -> Result<(), StoreError> {
    let row = [partner, r.backend.as_str(), r.kind.as_str(), r.sonata_id.as_str(), r.legacy_id.as_str()];
    insert_reference(db, row)
}

/// `row` is partner, backend, kind, Sonata id, legacy id.
fn insert_reference(db: &Connection, row: [&str; 5]) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO refs (partner, backend, kind, sonata_id, legacy_id) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (partner, backend, kind, sonata_id) DO UPDATE SET legacy_id = excluded.legacy_id",
    )?
    .execute(row)?;
    Ok(())
}

fn remember(
    db: &Connection,
    partner: &str,
    kind: &Kind,
    id: &SonataId,
    pairs: &[KeyPair],
) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT INTO keys (partner, kind, id, key_group, sonata, legacy) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (partner, kind, id, key_group, sonata) DO UPDATE SET legacy = excluded.legacy",
    )?;
    for pair in pairs {
        insert.execute([partner, kind.as_str(), id.as_str(), &pair.group, &pair.sonata, &pair.legacy])?;
    }
    Ok(())
}

fn begin(
    db: &Connection,
    partner: &str,
    key: &IdempotencyKey,
    body_hash: &[u8; 32],
    exchange: &ExchangeId,
    at_ms: i64,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO idempotency (partner, operation, key, body_hash, exchange, begun_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![partner, key.operation, key.key, body_hash, exchange.as_str(), at_ms])
    .map_err(taken(Conflict::Key))?;
    Ok(())
}

fn finish(
    db: &Connection,
    partner: &str,
    key: &IdempotencyKey,
    status: u16,
    answer: &[u8],
    entity: Option<&(Kind, SonataId)>,
) -> Result<(), StoreError> {
    let changed = db
        .prepare_cached(
            "UPDATE idempotency SET status = ?4, answer = ?5, entity_kind = ?6, entity_id = ?7
             WHERE partner = ?1 AND operation = ?2 AND key = ?3",
        )?
        .execute(params![
            partner,
            key.operation,
            key.key,
            status,
            answer,
            entity.map(|(kind, _)| kind.as_str()),
            entity.map(|(_, id)| id.as_str()),
        ])?;
    if changed == 0 { Err(Conflict::Key.into()) } else { Ok(()) }
}

fn abandon(
    db: &Connection,
    partner: &str,
    key: &IdempotencyKey,
    exchange: &ExchangeId,
) -> Result<(), StoreError> {
    db.prepare_cached(
        "DELETE FROM idempotency
         WHERE partner = ?1 AND operation = ?2 AND key = ?3 AND exchange = ?4 AND status IS NULL",
    )?
    .execute([partner, &key.operation, &key.key, exchange.as_str()])?;
    Ok(())
}

fn journal(db: &Connection, partner: &str, e: &JournalEntry) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO journal (partner, exchange, operation, call, step, backend, request_hash, status, reply,
             at_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        partner,
        e.exchange.as_str(),
        e.operation,
        e.call,
        e.step.as_str(),
        e.backend.as_ref().map(BackendId::as_str),
        e.request_hash.as_ref().map(|hash| &hash[..]),
        e.status,
        e.reply.as_deref(),
        e.at_ms,
    ])?;
    Ok(())
}

/// Up to where the log is in the database.
pub(super) fn position(db: &Connection) -> Result<Position, StoreError> {
    let sql = "SELECT segment, start_bytes, chain FROM log";
    let row = |row: &Row<'_>| {
        let number = |at| row.get::<_, i64>(at).map(|number| u64::try_from(number).unwrap_or_default());
        Ok(Position { segment: number(0)?, start_bytes: number(1)?, chain: row.get(2)? })
    };
    Ok(db.prepare_cached(sql)?.query_row([], row)?)
}

/// Says up to where the log is in the database.
pub(super) fn move_to(db: &Connection, end: Position) -> Result<(), StoreError> {
    let number =
        |number| i64::try_from(number).map_err(|_| StoreError::Failed("a log without end".to_owned()));
    db.prepare_cached("UPDATE log SET segment = ?1, start_bytes = ?2, chain = ?3")?.execute(params![
        number(end.segment)?,
        number(end.start_bytes)?,
        end.chain
    ])?;
    Ok(())
}

/// Forgets finished exchanges of the journal and idempotency keys older than given; returns how many rows.
pub(super) fn forget(
    db: &Connection,
    journal_before_ms: i64,
    idempotency_before_ms: i64,
) -> Result<usize, StoreError> {
    let journal = db.execute(
        "DELETE FROM journal WHERE seq IN (
             SELECT j.seq FROM journal AS i
             JOIN journal AS j ON j.partner = i.partner AND j.exchange = i.exchange
             WHERE i.step = 'intent' AND i.at_ms < ?1 AND EXISTS (
                 SELECT 1 FROM journal AS d
                 WHERE d.partner = i.partner AND d.exchange = i.exchange AND d.step = 'done' AND d.call = ''
                     AND d.at_ms < ?1))",
        [journal_before_ms],
    )?;
    let keys = db.execute("DELETE FROM idempotency WHERE begun_ms < ?1", [idempotency_before_ms])?;
    Ok(journal + keys)
}
