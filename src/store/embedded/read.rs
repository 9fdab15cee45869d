//! The queries. Every one names the partner first, and so does every index.

use std::{io, path::Path};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use uuid::Uuid;

use super::{
    Entity, IdempotencyKey, JournalEntry, KeyPair, Kind, ListFilter, Page, Queue, Remembered,
    RememberedAnswer, Sizes, Step, StoreError, backup,
    column::{self, Cell},
    log::{self, Spot},
    open::Place,
    overlay::Staged,
    record,
};
use crate::ids::{BackendId, BuyerId, ExchangeId, IdError, LegacyId, PartnerId, SellerId, SonataId};

const ENTITY: &str = "(SELECT word FROM words WHERE number = kind), id, buyer, seller,
    (SELECT word FROM words WHERE number = backend), legacy_id, parent, version,
    (SELECT word FROM words WHERE number = state), external_id,
    created_ms, updated_ms, document, request, legacy, segment, start_bytes, record_bytes";

/// The rows of one entity; the parameters are partner, kind and id.
const ONE: &str = "partner = (SELECT number FROM words WHERE word = ?1)
    AND kind = (SELECT number FROM words WHERE word = ?2) AND id = ?3";

/// The references of one kind; the parameters are partner, legacy system and kind.
const REFERENCES: &str = "partner = (SELECT number FROM words WHERE word = ?1)
    AND backend = (SELECT number FROM words WHERE word = ?2)
    AND kind = (SELECT number FROM words WHERE word = ?3)";

type Sql<T> = Result<T, rusqlite::Error>;

/// A column that was an identifier when it was written.
pub(super) fn id<T>(row: &Row<'_>, at: usize, parse: impl Fn(&str) -> Result<T, IdError>) -> Sql<T> {
    let missing = || rusqlite::Error::InvalidColumnType(at, "an id".to_owned(), Type::Null);
    id_or_null(row, at, parse)?.ok_or_else(missing)
}

pub(super) fn id_or_null<T>(
    row: &Row<'_>,
    at: usize,
    parse: impl Fn(&str) -> Result<T, IdError>,
) -> Sql<Option<T>> {
    let broken = |error| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error));
    column::id_text(row, at)?.map(|text| parse(&text).map_err(broken)).transpose()
}

fn blob(row: &Row<'_>, at: usize) -> Sql<Option<Bytes>> {
    Ok(row.get::<_, Option<Vec<u8>>>(at)?.map(Bytes::from))
}

fn count(row: &Row<'_>, at: usize) -> Sql<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

fn entity_of(row: &Row<'_>) -> Sql<Entity> {
    Ok(Entity {
        kind: id(row, 0, |text| Ok(Kind::new(text.to_owned())))?,
        id: id(row, 1, SonataId::parse)?,
        buyer: id_or_null(row, 2, BuyerId::parse)?,
        seller: id_or_null(row, 3, SellerId::parse)?,
        backend: id_or_null(row, 4, BackendId::parse)?,
        legacy_id: id_or_null(row, 5, LegacyId::parse)?,
        parent: id_or_null(row, 6, SonataId::parse)?,
        version: count(row, 7)?,
        state: row.get(8)?,
        external_id: row.get(9)?,
        created_ms: row.get(10)?,
        updated_ms: row.get(11)?,
        document: blob(row, 12)?,
        request: blob(row, 13)?,
        legacy: blob(row, 14)?,
    })
}

/// How often an entity is read whose documents are moved meanwhile.
const TRIES: usize = 4;

type Spotted = (Entity, Option<Spot>);

fn spotted(row: &Row<'_>) -> Sql<Spotted> {
    Ok((entity_of(row)?, Spot::read(row, 15)?))
}

pub(super) fn entity(
    db: &Connection,
    place: &Place,
    partner: &PartnerId,
    kind: &Kind,
    id: &SonataId,
) -> Result<Option<Entity>, StoreError> {
    let sql = format!("SELECT {ENTITY} FROM entities WHERE {ONE}");
    let row = params![partner.as_str(), kind.as_str(), Cell::id(id.as_str())];
    for _ in 0..TRIES {
        let Some((entity, spot)) = db.prepare_cached(&sql)?.query_row(row, spotted).optional()? else {
            return Ok(None);
        };
        if let Some(entity) = with_documents(place, entity, spot)? {
            return Ok(Some(entity));
        }
    }
    Err(StoreError::Failed(format!("the log has lost the documents of {} {}", kind.as_str(), id.as_str())))
}

/// The entity that an overlay has or, where it is not there, the database.
pub(super) fn near_or_far(
    db: &Connection,
    place: &Place,
    near: Option<Staged>,
    (partner, kind, id): (&PartnerId, &Kind, &SonataId),
) -> Result<Option<Entity>, StoreError> {
    if let Some(Staged { entity, spot, .. }) = near
        && let Some(entity) = with_documents(place, *entity, spot)?
    {
        return Ok(Some(entity));
    }
    entity(db, place, partner, kind, id)
}

/// The entity with its documents; `None` where the segment is gone, as after they were moved.
fn with_documents(place: &Place, entity: Entity, spot: Option<Spot>) -> Result<Option<Entity>, StoreError> {
    let (Some(spot), Place::File(path)) = (spot, place) else { return Ok(Some(entity)) };
    let cannot = |why: &str| {
        let (kind, id) = (entity.kind.as_str(), entity.id.as_str());
        StoreError::Failed(format!("the log does not give the documents of {kind} {id}: {why}"))
    };
    let bytes = match spot.bytes(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(cannot(&error.to_string())),
    };
    match record::entity(bytes) {
        Some(kept) if kept.kind == entity.kind && kept.id == entity.id => {
            let Entity { document, request, legacy, .. } = kept;
            Ok(Some(Entity { document, request, legacy, ..entity }))
        }
        _ => Err(cannot("another record is there")),
    }
}

/// The version of an entity that is there.
pub(super) fn version(
    db: &Connection,
    partner: &PartnerId,
    kind: &Kind,
    id: &SonataId,
) -> Result<Option<u64>, StoreError> {
    let sql = format!("SELECT version FROM entities WHERE {ONE}");
    let row = params![partner.as_str(), kind.as_str(), Cell::id(id.as_str())];
    Ok(db.prepare_cached(&sql)?.query_row(row, |row| count(row, 0)).optional()?)
}

/// The greatest UUID among the ids of a kind.
pub(super) fn newest(db: &Connection, partner: &PartnerId, kind: &Kind) -> Result<Option<Uuid>, StoreError> {
    let sql = "SELECT id FROM entities WHERE partner = (SELECT number FROM words WHERE word = ?1)
        AND kind = (SELECT number FROM words WHERE word = ?2) AND id >= x'' ORDER BY id DESC LIMIT 1";
    greatest(db, sql, &[partner.as_str(), kind.as_str()])
}

/// The greatest UUID among the ids of a kind that have a legacy id in this legacy system.
pub(super) fn newest_reference(
    db: &Connection,
    partner: &PartnerId,
    backend: &BackendId,
    kind: &Kind,
) -> Result<Option<Uuid>, StoreError> {
    let sql = format!(
        "SELECT sonata_id FROM refs WHERE {REFERENCES} AND sonata_id >= x'' ORDER BY sonata_id DESC LIMIT 1"
    );
    greatest(db, &sql, &[partner.as_str(), backend.as_str(), kind.as_str()])
}

fn greatest(db: &Connection, sql: &str, row: &[&str]) -> Result<Option<Uuid>, StoreError> {
    let id = |row: &Row<'_>| Ok(column::id_text(row, 0)?.and_then(|text| column::uuid(&text)));
    let found = db.prepare_cached(sql)?.query_row(rusqlite::params_from_iter(row), id).optional()?;
    Ok(found.flatten())
}

pub(super) fn list(
    db: &Connection,
    place: &Place,
    partner: &PartnerId,
    kind: &Kind,
    filter: &ListFilter,
) -> Result<Page, StoreError> {
    let mut condition = String::from(
        "partner = (SELECT number FROM words WHERE word = ?) AND kind = (SELECT number FROM words WHERE word = ?)",
    );
    let mut values = vec![Cell::Text(partner.as_str()), Cell::Text(kind.as_str())];
    let equal = [
        ("external_id", filter.external_id.as_deref().map(Cell::Text)),
        ("parent", filter.parent.as_ref().map(|id| Cell::id(id.as_str()))),
        ("buyer", filter.buyer.as_ref().map(|id| Cell::Text(id.as_str()))),
        ("seller", filter.seller.as_ref().map(|id| Cell::Text(id.as_str()))),
    ];
    for (column, value) in equal {
        if let Some(value) = value {
            condition.extend([" AND ", column, " = ?"]);
            values.push(value);
        }
    }
    if !filter.states.is_empty() {
        let places = vec!["?"; filter.states.len()].join(", ");
        let numbers = ["SELECT number FROM words WHERE word IN (", places.as_str(), ")"].concat();
        condition.extend([" AND state IN (", numbers.as_str(), ")"]);
        values.extend(filter.states.iter().map(|state| Cell::Text(state)));
    }
    let bound = || rusqlite::params_from_iter(values.iter());
    let sql = format!("SELECT count(*) FROM entities WHERE {condition}");
    let total = db.prepare_cached(&sql)?.query_row(bound(), |row| count(row, 0))?;
    let (limit, offset) = (filter.limit.min(i64::MAX as u64), filter.offset.min(i64::MAX as u64));
    let sql =
        format!("SELECT {ENTITY} FROM entities WHERE {condition} ORDER BY seq LIMIT {limit} OFFSET {offset}");
    // Not cached: the page is part of the text.
    let rows: Vec<Spotted> = db.prepare(&sql)?.query_map(bound(), spotted)?.collect::<Sql<_>>()?;
    let mut entities = Vec::with_capacity(rows.len());
    for (row, spot) in rows {
        let id = row.id.clone();
        match with_documents(place, row, spot)? {
            Some(entity) => entities.push(entity),
            None => entities.extend(entity(db, place, partner, kind, &id)?),
        }
    }
    Ok(Page { entities, total })
}

pub(super) fn sizes(db: &Connection, place: &Place, entities: bool) -> Result<Sizes, StoreError> {
    let sql = "SELECT (SELECT word FROM words WHERE number = queue), count(*) FILTER (WHERE dead_ms IS NULL),
            count(*) FILTER (WHERE dead_ms IS NOT NULL)
        FROM tasks GROUP BY queue";
    let tasks = |row: &Row<'_>| Ok((Queue::parse(row.get_ref(0)?.as_str()?), count(row, 1)?, count(row, 2)?));
    let tasks: Vec<_> = db.prepare_cached(sql)?.query_map([], tasks)?.collect::<Sql<_>>()?;
    let known: Vec<_> =
        tasks.into_iter().filter_map(|(queue, open, dead)| Some((queue?, open, dead))).collect();
    let mut kinds = Vec::new();
    if entities {
        let sql = "SELECT (SELECT word FROM words WHERE number = kind), count(*) FROM entities GROUP BY kind";
        let kind = |row: &Row<'_>| Ok((row.get(0)?, count(row, 1)?));
        kinds = db.prepare_cached(sql)?.query_map([], kind)?.collect::<Sql<_>>()?;
    }
    let bytes = match place {
        Place::Memory => Vec::new(),
        Place::File(path) => {
            let of = |path: &Path| std::fs::metadata(path).map_or(0, |told| told.len());
            let log = backup::segments(path)?.into_iter().map(|one| of(&log::segment_path(path, one))).sum();
            vec![("database", of(path) + of(&log::beside(path, "-wal"))), ("log", log)]
        }
    };
    Ok(Sizes { bytes, entities: Sizes::bounded(kinds), tasks: Sizes::all(&known) })
}

pub(super) fn legacy_id(
    db: &Connection,
    partner: &PartnerId,
    backend: &BackendId,
    (kind, sonata_id): (&Kind, &SonataId),
) -> Result<Option<LegacyId>, StoreError> {
    let sql = format!("SELECT legacy_id FROM refs WHERE {REFERENCES} AND sonata_id = ?4");
    let row = params![partner.as_str(), backend.as_str(), kind.as_str(), Cell::id(sonata_id.as_str())];
    Ok(db.prepare_cached(&sql)?.query_row(row, |row| id(row, 0, LegacyId::parse)).optional()?)
}

pub(super) fn sonata_id(
    db: &Connection,
    partner: &PartnerId,
    backend: &BackendId,
    (kind, legacy_id): (&Kind, &LegacyId),
) -> Result<Option<SonataId>, StoreError> {
    let sql =
        format!("SELECT sonata_id FROM refs WHERE {REFERENCES} AND legacy_id = ?4 ORDER BY seq DESC LIMIT 1");
    let row = [partner.as_str(), backend.as_str(), kind.as_str(), legacy_id.as_str()];
    Ok(db.prepare_cached(&sql)?.query_row(row, |row| id(row, 0, SonataId::parse)).optional()?)
}

pub(super) fn holders(
    db: &Connection,
    backend: &BackendId,
    (kind, legacy_id): (&Kind, &LegacyId),
) -> Result<Vec<PartnerId>, StoreError> {
    let sql = "SELECT DISTINCT (SELECT word FROM words WHERE number = partner) FROM refs
        WHERE backend = (SELECT number FROM words WHERE word = ?1)
        AND kind = (SELECT number FROM words WHERE word = ?2) AND legacy_id = ?3";
    let row = [backend.as_str(), kind.as_str(), legacy_id.as_str()];
    Ok(db.prepare_cached(sql)?.query_map(row, |row| id(row, 0, PartnerId::parse))?.collect::<Sql<_>>()?)
}

pub(super) fn keys(
    db: &Connection,
    partner: &PartnerId,
    kind: &Kind,
    id: &SonataId,
) -> Result<Vec<KeyPair>, StoreError> {
    let sql = format!(
        "SELECT (SELECT word FROM words WHERE number = key_group), sonata, legacy FROM keys WHERE {ONE}"
    );
    let pair = |row: &Row<'_>| Ok(KeyPair { group: row.get(0)?, sonata: row.get(1)?, legacy: row.get(2)? });
    let row = params![partner.as_str(), kind.as_str(), Cell::id(id.as_str())];
    Ok(db.prepare_cached(&sql)?.query_map(row, pair)?.collect::<Sql<_>>()?)
}

pub(super) fn idempotency(
    db: &Connection,
    partner: &PartnerId,
    key: &IdempotencyKey,
) -> Result<Option<Remembered>, StoreError> {
    let sql = "SELECT body_hash, exchange, begun_ms, status, answer, entity_kind, entity_id
               FROM idempotency WHERE partner = ?1 AND operation = ?2 AND key = ?3";
    let remembered = |row: &Row<'_>| {
        let kind = id_or_null(row, 5, |text| Ok(Kind::new(text.to_owned())))?;
        let entity = kind.zip(id_or_null(row, 6, SonataId::parse)?);
        let answer = match row.get(3)? {
            Some(status) => {
                Some(RememberedAnswer { status, body: blob(row, 4)?.unwrap_or_default(), entity })
            }
            None => None,
        };
        let exchange = id(row, 1, ExchangeId::parse)?;
        Ok(Remembered { body_hash: row.get(0)?, exchange, begun_ms: row.get(2)?, answer })
    };
    let row = [partner.as_str(), &key.operation, &key.key];
    Ok(db.prepare_cached(sql)?.query_row(row, remembered).optional()?)
}

pub(super) fn journal(
    db: &Connection,
    partner: &PartnerId,
    exchange: &ExchangeId,
) -> Result<Vec<JournalEntry>, StoreError> {
    let sql = "SELECT exchange, operation, call, step, backend, request_hash, status, reply, at_ms
               FROM journal WHERE partner = ?1 AND exchange = ?2 ORDER BY seq";
    let entry = |row: &Row<'_>| {
        let word = row.get_ref(3)?.as_str()?;
        let step = Step::ALL.into_iter().find(|step| step.as_str() == word);
        let unknown = || rusqlite::Error::InvalidColumnType(3, word.to_owned(), Type::Text);
        Ok(JournalEntry {
            exchange: id(row, 0, ExchangeId::parse)?,
            operation: row.get(1)?,
            call: row.get(2)?,
            step: step.ok_or_else(unknown)?,
            backend: id_or_null(row, 4, BackendId::parse)?,
            request_crc: row.get::<_, Option<Vec<u8>>>(5)?.and_then(crc),
            status: row.get(6)?,
            reply: blob(row, 7)?,
            at_ms: row.get(8)?,
        })
    };
    let row = [partner.as_str(), exchange.as_str()];
    Ok(db.prepare_cached(sql)?.query_map(row, entry)?.collect::<Sql<_>>()?)
}

/// What an earlier version kept there is a hash of another kind.
fn crc(kept: Vec<u8>) -> Option<u32> {
    kept.try_into().ok().map(u32::from_le_bytes)
}

pub(super) fn unfinished(
    db: &Connection,
    partner: &PartnerId,
    before_ms: i64,
    limit: u32,
) -> Result<Vec<ExchangeId>, StoreError> {
    let sql = "SELECT DISTINCT i.exchange FROM journal AS i
               WHERE i.partner = ?1 AND i.step = 'intent' AND i.at_ms < ?2 AND NOT EXISTS (
                   SELECT 1 FROM journal AS d
                   WHERE d.partner = ?1 AND d.exchange = i.exchange AND d.step = 'done' AND d.call = '')
               ORDER BY i.seq LIMIT ?3";
    let found = db
        .prepare_cached(sql)?
        .query_map(params![partner.as_str(), before_ms, limit], |row| id(row, 0, ExchangeId::parse))?
        .collect::<Sql<_>>()?;
    Ok(found)
}
