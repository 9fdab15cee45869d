//! What the overlay holds, as SQL. Every statement names the partner.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use rusqlite::{CachedStatement, Connection, OptionalExtension as _, Row, params, params_from_iter};

use super::{
    Entity, IdempotencyKey, JournalEntry, KeyPair, Remembered, StoreError,
    column::{Cell, Words},
    log::{Position, Spot},
    overlay::{Overlay, Staged, is_whole},
    tasks,
};
use crate::ids::{BackendId, BuyerId, ExchangeId, LegacyId, PartnerId, SellerId};

/// Brings everything into the database, inside the caller's transaction. A part may be in there already where that is
/// unsure.
pub(super) fn apply(
    db: &Connection,
    words: &mut Words,
    overlay: &Overlay,
    is_unsure: bool,
) -> Result<(), StoreError> {
    let mut live = Live::default();
    let mut entities = Entities::prepare(db)?;
    for ((partner, ..), staged) in &overlay.entities {
        if staged.is_new && !is_unsure {
            entities.insert(words, partner, staged)?;
        } else {
            live.remove(entities.replace(words, partner, staged)?);
        }
        live.add(staged.spot);
    }
    refer(db, words, overlay)?;
    remember(db, words, overlay)?;
    for ((partner, key), known) in &overlay.idempotency {
        match known {
            Some(known) => keep_key(db, partner.as_str(), key, known)?,
            None => free_key(db, partner.as_str(), key)?,
        }
    }
    let mut known = Journals::default();
    for ((partner, exchange), entries) in &overlay.journal {
        // What began and ended within this transaction needs nobody's attention.
        if is_whole(entries) && !known.has(db, partner, exchange)? {
            continue;
        }
        for entry in entries {
            journal(db, partner.as_str(), entry)?;
        }
    }
    tasks::apply(db, words, &overlay.agenda, is_unsure)?;
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

/// The statements that write entities.
struct Entities<'c> {
    db: &'c Connection,
    insert: CachedStatement<'c>,
    update: CachedStatement<'c>,
}

impl<'c> Entities<'c> {
    fn prepare(db: &'c Connection) -> Result<Self, StoreError> {
        let insert =
            "INSERT INTO entities (partner, kind, id, buyer, seller, backend, legacy_id, parent, version,
                 state, external_id, created_ms, updated_ms, document, request, legacy, segment, start_bytes,
                 record_bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
        let update = "UPDATE entities SET buyer = ?4, seller = ?5, backend = ?6, legacy_id = ?7, parent = ?8,
                 version = ?9, state = ?10, external_id = ?11, created_ms = ?12, updated_ms = ?13,
                 document = ?14, request = ?15, legacy = ?16, segment = ?17, start_bytes = ?18,
                 record_bytes = ?19
             WHERE partner = ?1 AND kind = ?2 AND id = ?3";
        Ok(Self { db, insert: db.prepare_cached(insert)?, update: db.prepare_cached(update)? })
    }

    fn insert(&mut self, words: &mut Words, partner: &PartnerId, staged: &Staged) -> Result<(), StoreError> {
        columns(self.db, &mut self.insert, words, partner, staged).map(drop)
    }

    /// Changes the row or makes it; returns where the log has the documents of the row as it was.
    fn replace(
        &mut self,
        words: &mut Words,
        partner: &PartnerId,
        staged: &Staged,
    ) -> Result<Option<Spot>, StoreError> {
        let former = spot(self.db, partner.as_str(), &staged.entity)?;
        if columns(self.db, &mut self.update, words, partner, staged)? == 0 {
            self.insert(words, partner, staged)?;
        }
        Ok(former)
    }
}

/// Where there is a log, it has the documents, and the row says where. Returns how many rows there were.
fn columns(
    db: &Connection,
    statement: &mut CachedStatement<'_>,
    words: &mut Words,
    partner: &PartnerId,
    staged: &Staged,
) -> Result<usize, StoreError> {
    let Staged { entity: e, spot, .. } = staged;
    let inline = |document: &Option<bytes::Bytes>| match spot {
        Some(_) => None,
        None => document.clone(),
    };
    let spot = |of: fn(&Spot) -> u64| spot.as_ref().map(|spot| number(of(spot))).transpose();
    let changed = statement.execute(params![
        words.number(db, partner.as_str())?,
        words.number(db, e.kind.as_str())?,
        Cell::id(e.id.as_str()),
        e.buyer.as_ref().map(BuyerId::as_str),
        e.seller.as_ref().map(SellerId::as_str),
        words.number_or_null(db, e.backend.as_ref().map(BackendId::as_str))?,
        e.legacy_id.as_ref().map(LegacyId::as_str),
        e.parent.as_ref().map(|parent| Cell::id(parent.as_str())),
        number(e.version)?,
        words.number_or_null(db, e.state.as_deref())?,
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

/// Where the log has the documents of an entity.
pub(super) fn spot(db: &Connection, partner: &str, entity: &Entity) -> Result<Option<Spot>, StoreError> {
    let sql = "SELECT segment, start_bytes, record_bytes FROM entities
        WHERE partner = (SELECT number FROM words WHERE word = ?1)
            AND kind = (SELECT number FROM words WHERE word = ?2) AND id = ?3";
    let row = params![partner, entity.kind.as_str(), Cell::id(entity.id.as_str())];
    let found = db.prepare_cached(sql)?.query_row(row, |row| Spot::read(row, 0)).optional()?;
    Ok(found.flatten())
}

/// Rows that one statement writes, where there are as many.
const ROWS: usize = 16;

/// Writes rows, many with one statement. What stands before and behind the rows in the statement is `sql`.
fn write_rows<const N: usize>(
    db: &Connection,
    sql: [&str; 2],
    rows: &[[Cell<'_>; N]],
) -> Result<(), StoreError> {
    let row = format!("(?{})", ", ?".repeat(N - 1));
    let text = |rows: usize| [sql[0], &vec![row.as_str(); rows].join(", "), sql[1]].concat();
    let mut many = db.prepare_cached(&text(ROWS))?;
    let chunks = rows.chunks_exact(ROWS);
    let rest = chunks.remainder();
    for chunk in chunks {
        many.execute(params_from_iter(chunk.as_flattened()))?;
    }
    let mut one = db.prepare_cached(&text(1))?;
    for row in rest {
        one.execute(params_from_iter(row))?;
    }
    Ok(())
}

fn refer(db: &Connection, words: &mut Words, overlay: &Overlay) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(overlay.to_legacy.len());
    let mut made: i64 = db.prepare_cached("SELECT refs_made FROM log")?.query_row([], |row| row.get(0))?;
    for ((partner, backend, kind, sonata_id), legacy_id) in &overlay.to_legacy {
        made += 1;
        rows.push([
            Cell::Number(words.number(db, partner.as_str())?),
            Cell::Number(words.number(db, backend.as_str())?),
            Cell::Number(words.number(db, kind.as_str())?),
            Cell::id(sonata_id.as_str()),
            Cell::Text(legacy_id.as_str()),
            Cell::Number(made),
        ]);
    }
    if rows.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO refs (partner, backend, kind, sonata_id, legacy_id, seq) VALUES ";
    // One that is there keeps its place in the order in which they came.
    let update =
        " ON CONFLICT (partner, backend, kind, sonata_id) DO UPDATE SET legacy_id = excluded.legacy_id";
    write_rows(db, [insert, update], &rows)?;
    db.prepare_cached("UPDATE log SET refs_made = ?1")?.execute([made])?;
    Ok(())
}

fn remember(db: &Connection, words: &mut Words, overlay: &Overlay) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(overlay.keys.len());
    for ((partner, kind, id), pairs) in &overlay.keys {
        let (partner, kind) = (words.number(db, partner.as_str())?, words.number(db, kind.as_str())?);
        for KeyPair { group, sonata, legacy } in pairs {
            let group = words.number(db, group)?;
            let entity = [Cell::Number(partner), Cell::Number(kind), Cell::id(id.as_str())];
            let [partner, kind, id] = entity;
            rows.push([partner, kind, id, Cell::Number(group), Cell::Text(sonata), Cell::Text(legacy)]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO keys (partner, kind, id, key_group, sonata, legacy) VALUES ";
    let update = " ON CONFLICT (partner, kind, id, key_group, sonata) DO UPDATE SET legacy = excluded.legacy";
    write_rows(db, [insert, update], &rows)
}

/// What is known of the journals in the database.
#[derive(Default)]
struct Journals<'o> {
    /// The greatest exchange of each partner: whatever is greater is not there. Exchanges are ordered by time.
    newest: HashMap<&'o PartnerId, Option<String>>,
}

impl<'o> Journals<'o> {
    fn has(
        &mut self,
        db: &Connection,
        partner: &'o PartnerId,
        exchange: &ExchangeId,
    ) -> Result<bool, StoreError> {
        let newest = match self.newest.entry(partner) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                let sql = "SELECT max(exchange) FROM journal WHERE partner = ?1";
                unknown.insert(db.prepare_cached(sql)?.query_row([partner.as_str()], |row| row.get(0))?)
            }
        };
        if newest.as_deref().is_none_or(|newest| newest < exchange.as_str()) {
            return Ok(false);
        }
        let sql = "SELECT 1 FROM journal WHERE partner = ?1 AND exchange = ?2";
        Ok(db.prepare_cached(sql)?.exists([partner.as_str(), exchange.as_str()])?)
    }
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
        e.request_crc.map(u32::to_le_bytes),
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

/// Exchanges, keys and dead letters that are forgotten at once, of each.
const FORGOTTEN_MAX: i64 = 500;

/// Forgets finished exchanges of the journal, idempotency keys and dead letters older than given; returns how many rows.
pub(super) fn forget(
    db: &Connection,
    journal_before_ms: i64,
    idempotency_before_ms: i64,
    dead_before_ms: i64,
) -> Result<usize, StoreError> {
    let journal = db.execute(
        "DELETE FROM journal WHERE seq IN (
             SELECT j.seq FROM (
                 SELECT partner, exchange FROM journal AS i
                 WHERE i.step = 'intent' AND i.at_ms < ?1 AND EXISTS (
                     SELECT 1 FROM journal AS d
                     WHERE d.partner = i.partner AND d.exchange = i.exchange AND d.step = 'done' AND d.call = ''
                         AND d.at_ms < ?1)
                 LIMIT ?2) AS i
             JOIN journal AS j ON j.partner = i.partner AND j.exchange = i.exchange)",
        [journal_before_ms, FORGOTTEN_MAX],
    )?;
    let keys = db.execute(
        "DELETE FROM idempotency WHERE rowid IN (SELECT rowid FROM idempotency WHERE begun_ms < ?1 LIMIT ?2)",
        [idempotency_before_ms, FORGOTTEN_MAX],
    )?;
    let dead = db.execute(
        "DELETE FROM tasks WHERE seq IN (SELECT seq FROM tasks WHERE dead_ms < ?1 LIMIT ?2)",
        [dead_before_ms, FORGOTTEN_MAX],
    )?;
    Ok(journal + keys + dead)
}
