//! What the overlay holds, as SQL. Every statement names the partner.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{
    Entity, IdempotencyKey, JournalEntry, KeyPair, Remembered, StoreError,
    log::{Position, Spot},
    overlay::{EntityKey, Overlay, Staged, is_whole},
};
use crate::ids::{BackendId, BuyerId, ExchangeId, LegacyId, PartnerId, SellerId, SonataId};

/// Brings everything into the database, inside the caller's transaction. A part may be in there already where that is
/// unsure.
pub(super) fn apply(db: &Connection, overlay: &Overlay, is_unsure: bool) -> Result<(), StoreError> {
    let mut live = Live::default();
    for ((partner, ..), staged) in &overlay.entities {
        if staged.is_new && !is_unsure {
            insert(db, partner.as_str(), staged)?;
        } else {
            live.remove(replace(db, partner.as_str(), staged)?);
        }
        live.add(staged.spot);
    }
    for ((partner, backend, kind, sonata_id), legacy_id) in &overlay.to_legacy {
        let row = [partner.as_str(), backend.as_str(), kind.as_str(), sonata_id.as_str(), legacy_id.as_str()];
        refer(db, row)?;
    }
    for (entity, pairs) in &overlay.keys {
        remember(db, entity, pairs)?;
    }
    for ((partner, key), known) in &overlay.idempotency {
        match known {
            Some(known) => keep_key(db, partner.as_str(), key, known)?,
            None => free_key(db, partner.as_str(), key)?,
        }
    }
    for ((partner, exchange), entries) in &overlay.journal {
        // What began and ended within this transaction needs nobody's attention.
        if is_whole(entries) && !has_journal(db, partner, exchange)? {
            continue;
        }
        for entry in entries {
            journal(db, partner.as_str(), entry)?;
        }
    }
    live.write(db)
}

/// By how many bytes what rows refer to has grown, for each segment of the log.
#[derive(Default)]
struct Live(BTreeMap<u64, i64>);

impl Live {
    fn add(&mut self, spot: Option<Spot>) {
        if let Some(spot) = spot {
            *self.0.entry(spot.segment).or_default() += i64::from(spot.length);
        }
    }

    fn remove(&mut self, spot: Option<Spot>) {
        if let Some(spot) = spot {
            *self.0.entry(spot.segment).or_default() -= i64::from(spot.length);
        }
    }

    fn write(&self, db: &Connection) -> Result<(), StoreError> {
        let mut upsert = db.prepare_cached(
            "INSERT INTO segments (segment, live_bytes) VALUES (?1, ?2)
             ON CONFLICT (segment) DO UPDATE SET live_bytes = live_bytes + excluded.live_bytes",
        )?;
        for (segment, grown) in &self.0 {
            upsert.execute(params![number(*segment)?, grown])?;
        }
        Ok(())
    }
}

/// SQLite's integers have a sign.
fn number(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Failed("a number beyond 63 bits".to_owned()))
}

/// Where there is a log, it has the documents, and the row says where.
fn columns(db: &Connection, sql: &str, partner: &str, staged: &Staged) -> Result<usize, StoreError> {
    let Staged { entity: e, spot, .. } = staged;
    let inline = |document: &Option<bytes::Bytes>| match spot {
        Some(_) => None,
        None => document.clone(),
    };
    let spot = |of: fn(&Spot) -> u64| spot.as_ref().map(|spot| number(of(spot))).transpose();
    let changed = db.prepare_cached(sql)?.execute(params![
        partner,
        e.kind.as_str(),
        e.id.as_str(),
        e.buyer.as_ref().map(BuyerId::as_str),
        e.seller.as_ref().map(SellerId::as_str),
        e.backend.as_ref().map(BackendId::as_str),
        e.legacy_id.as_ref().map(LegacyId::as_str),
        e.parent.as_ref().map(SonataId::as_str),
        number(e.version)?,
        e.state,
        e.external_id,
        e.created_ms,
        e.updated_ms,
        inline(&e.document).as_deref(),
        inline(&e.request).as_deref(),
        inline(&e.legacy).as_deref(),
        spot(|spot| spot.segment)?,
        spot(|spot| spot.start_bytes)?,
        spot(|spot| u64::from(spot.length))?,
    ])?;
    Ok(changed)
}

fn insert(db: &Connection, partner: &str, staged: &Staged) -> Result<(), StoreError> {
    let sql = "INSERT INTO entities (partner, kind, id, buyer, seller, backend, legacy_id, parent, version, state,
             external_id, created_ms, updated_ms, document, request, legacy, segment, start_bytes, record_bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
    columns(db, sql, partner, staged).map(drop)
}

/// Changes the row or makes it; returns where the log has the documents of the row as it was.
fn replace(db: &Connection, partner: &str, staged: &Staged) -> Result<Option<Spot>, StoreError> {
    let former = spot(db, partner, &staged.entity)?;
    let sql = "UPDATE entities SET buyer = ?4, seller = ?5, backend = ?6, legacy_id = ?7, parent = ?8,
             version = ?9, state = ?10, external_id = ?11, created_ms = ?12, updated_ms = ?13, document = ?14,
             request = ?15, legacy = ?16, segment = ?17, start_bytes = ?18, record_bytes = ?19
         WHERE partner = ?1 AND kind = ?2 AND id = ?3";
    if columns(db, sql, partner, staged)? == 0 {
        insert(db, partner, staged)?;
    }
    Ok(former)
}

/// Where the log has the documents of an entity.
pub(super) fn spot(db: &Connection, partner: &str, entity: &Entity) -> Result<Option<Spot>, StoreError> {
    let sql = "SELECT segment, start_bytes, record_bytes FROM entities
        WHERE partner = ?1 AND kind = ?2 AND id = ?3";
    let row = [partner, entity.kind.as_str(), entity.id.as_str()];
    let found = db.prepare_cached(sql)?.query_row(row, |row| Spot::read(row, 0)).optional()?;
    Ok(found.flatten())
}

/// `row` is partner, backend, kind, Sonata id, legacy id.
fn refer(db: &Connection, row: [&str; 5]) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO refs (partner, backend, kind, sonata_id, legacy_id) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (partner, backend, kind, sonata_id) DO UPDATE SET legacy_id = excluded.legacy_id",
    )?
    .execute(row)?;
    Ok(())
}

fn remember(db: &Connection, (partner, kind, id): &EntityKey, pairs: &[KeyPair]) -> Result<(), StoreError> {
    let mut insert = db.prepare_cached(
        "INSERT INTO keys (partner, kind, id, key_group, sonata, legacy) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (partner, kind, id, key_group, sonata) DO UPDATE SET legacy = excluded.legacy",
    )?;
    for pair in pairs {
        let row = [partner.as_str(), kind.as_str(), id.as_str(), &pair.group, &pair.sonata, &pair.legacy];
        insert.execute(row)?;
    }
    Ok(())
}

fn keep_key(
    db: &Connection,
    partner: &str,
    key: &IdempotencyKey,
    known: &Remembered,
) -> Result<(), StoreError> {
    let answer = known.answer.as_ref();
    let entity = answer.and_then(|answer| answer.entity.as_ref());
    db.prepare_cached(
        "INSERT INTO idempotency (partner, operation, key, body_hash, exchange, begun_ms, status, answer,
             entity_kind, entity_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (partner, operation, key) DO UPDATE SET body_hash = excluded.body_hash,
             exchange = excluded.exchange, begun_ms = excluded.begun_ms, status = excluded.status,
             answer = excluded.answer, entity_kind = excluded.entity_kind, entity_id = excluded.entity_id",
    )?
    .execute(params![
        partner,
        key.operation,
        key.key,
        known.body_hash,
        known.exchange.as_str(),
        known.begun_ms,
        answer.map(|answer| answer.status),
        answer.map(|answer| &answer.body[..]),
        entity.map(|(kind, _)| kind.as_str()),
        entity.map(|(_, id)| id.as_str()),
    ])?;
    Ok(())
}

fn free_key(db: &Connection, partner: &str, key: &IdempotencyKey) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM idempotency WHERE partner = ?1 AND operation = ?2 AND key = ?3")?
        .execute([partner, &key.operation, &key.key])?;
    Ok(())
}

fn has_journal(db: &Connection, partner: &PartnerId, exchange: &ExchangeId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM journal WHERE partner = ?1 AND exchange = ?2";
    Ok(db.prepare_cached(sql)?.exists([partner.as_str(), exchange.as_str()])?)
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
    db.prepare_cached("UPDATE log SET segment = ?1, start_bytes = ?2, chain = ?3")?.execute(params![
        number(end.segment)?,
        number(end.start_bytes)?,
        end.chain
    ])?;
    Ok(())
}

/// The segments before `end` whose records rows refer to with less than `below_bytes`, and with how many.
pub(super) fn sparse(db: &Connection, end: u64, below_bytes: u64) -> Result<Vec<(u64, u64)>, StoreError> {
    let sql =
        "SELECT segment, live_bytes FROM segments WHERE segment < ?1 AND live_bytes < ?2 ORDER BY segment";
    let unsigned = |row: &Row<'_>, at| row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or_default());
    let row = |row: &Row<'_>| Ok((unsigned(row, 0)?, unsigned(row, 1)?));
    let found = db
        .prepare_cached(sql)?
        .query_map([number(end)?, number(below_bytes)?], row)?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// Says that the log has a segment, even if no row ever refers to it.
pub(super) fn begin_segment(db: &Connection, segment: u64) -> Result<(), StoreError> {
    let sql = "INSERT INTO segments (segment, live_bytes) VALUES (?1, 0) ON CONFLICT (segment) DO NOTHING";
    db.prepare_cached(sql)?.execute([number(segment)?])?;
    Ok(())
}

/// Forgets a segment whose file is gone.
pub(super) fn end_segment(db: &Connection, segment: u64) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM segments WHERE segment = ?1")?.execute([number(segment)?])?;
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
