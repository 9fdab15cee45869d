//! The queries. Every one names the partner first, and so does every index.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
};

use bytes::Bytes;
use tokio_postgres::{Row, types::ToSql};

use super::{
    super::{
        Entity, Holding, IdempotencyKey, JournalEntry, KeyPair, Kind, ListFilter, Page, Queue, Remembered,
        RememberedAnswer, Sizes, Step, StoreError,
    },
    change::text,
    connect::Connection,
    get,
};
use crate::ids::{BackendId, BuyerId, ExchangeId, IdError, LegacyId, PartnerId, SellerId, SonataId};

const ENTITY: &str = "kind, id, buyer, seller, backend, legacy_id, parent, version, state, external_id,
    created_ms, updated_ms, document, request, legacy";

type Parse<T> = fn(&str) -> Result<T, IdError>;

/// A column that was an identifier when it was written.
pub(super) fn id<T>(row: &Row, at: usize, parse: Parse<T>) -> Result<T, StoreError> {
    parse(get(row, at)?).map_err(|error| StoreError::Failed(error.to_string()))
}

pub(super) fn id_or_null<T>(row: &Row, at: usize, parse: Parse<T>) -> Result<Option<T>, StoreError> {
    let text: Option<&str> = get(row, at)?;
    text.map(parse).transpose().map_err(|error| StoreError::Failed(error.to_string()))
}

fn blob(row: &Row, at: usize) -> Result<Option<Bytes>, StoreError> {
    Ok(get::<Option<&[u8]>>(row, at)?.map(Bytes::copy_from_slice))
}

pub(super) fn kind(row: &Row, at: usize) -> Result<Kind, StoreError> {
    get::<String>(row, at).map(Kind::new)
}

pub(super) fn count(row: &Row, at: usize) -> Result<u64, StoreError> {
    get::<i64>(row, at).map(|number| u64::try_from(number).unwrap_or_default())
}

fn entity(row: &Row) -> Result<Entity, StoreError> {
    Ok(Entity {
        kind: kind(row, 0)?,
        id: id(row, 1, SonataId::parse)?,
        buyer: id_or_null(row, 2, BuyerId::parse)?,
        seller: id_or_null(row, 3, SellerId::parse)?,
        backend: id_or_null(row, 4, BackendId::parse)?,
        legacy_id: id_or_null(row, 5, LegacyId::parse)?,
        parent: id_or_null(row, 6, SonataId::parse)?,
        version: count(row, 7)?,
        state: get(row, 8)?,
        external_id: get(row, 9)?,
        created_ms: get(row, 10)?,
        updated_ms: get(row, 11)?,
        document: blob(row, 12)?,
        request: blob(row, 13)?,
        legacy: blob(row, 14)?,
    })
}

pub(super) async fn entities(
    db: &Connection,
    partner: &PartnerId,
    kind: &Kind,
    wanted: &[SonataId],
) -> Result<HashMap<SonataId, Entity>, StoreError> {
    let sql = format!("SELECT {ENTITY} FROM entities WHERE partner = $1 AND kind = $2 AND id = ANY($3)");
    let ids: Vec<&str> = wanted.iter().map(SonataId::as_str).collect();
    let rows = db.query(&sql, &[&partner.as_str(), &kind.as_str(), &ids]).await?;
    rows.iter().map(|row| entity(row).map(|entity| (entity.id.clone(), entity))).collect()
}

pub(super) async fn list(
    db: &Connection,
    partner: &PartnerId,
    kind: &Kind,
    filter: &ListFilter,
) -> Result<Page, StoreError> {
    let (partner, kind, external_id) =
        (partner.as_str(), kind.as_str(), filter.external_id.as_deref().map(text));
    let parent = filter.parent.as_ref().map(SonataId::as_str);
    let (buyer, seller) =
        (filter.buyer.as_ref().map(BuyerId::as_str), filter.seller.as_ref().map(SellerId::as_str));
    let mut condition = String::from("partner = $1 AND kind = $2");
    let mut values: Vec<&(dyn ToSql + Sync)> = vec![&partner, &kind];
    let rows: [(&str, bool, &(dyn ToSql + Sync)); 5] = [
        ("external_id = ", external_id.is_some(), &external_id),
        ("parent = ", parent.is_some(), &parent),
        ("buyer = ", buyer.is_some(), &buyer),
        ("seller = ", seller.is_some(), &seller),
        ("state = ANY", !filter.states.is_empty(), &filter.states),
    ];
    for (column, _, value) in rows.into_iter().filter(|(_, is_asked, _)| *is_asked) {
        values.push(value);
        let _ = write!(condition, " AND {column}(${})", values.len());
    }
    let total = db.query(&format!("SELECT count(*) FROM entities WHERE {condition}"), &values).await?;
    let total = total.first().map_or(Ok(0), |row| count(row, 0))?;
    let most = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (limit, offset) = (most(filter.limit), most(filter.offset));
    values.extend([&limit as &(dyn ToSql + Sync), &offset]);
    let sql = format!(
        "SELECT {ENTITY} FROM entities WHERE {condition} ORDER BY seq LIMIT ${} OFFSET ${}",
        values.len() - 1,
        values.len()
    );
    let entities = db.query(&sql, &values).await?.iter().map(entity).collect::<Result<_, _>>()?;
    Ok(Page { entities, total })
}

pub(super) async fn to_legacy(
    db: &Connection,
    partner: &PartnerId,
    backend: &BackendId,
    wanted: &[(Kind, SonataId)],
) -> Result<HashMap<(Kind, SonataId), LegacyId>, StoreError> {
    let sql = "SELECT kind, sonata_id, legacy_id FROM refs
        JOIN unnest($3::text[], $4::text[]) AS wanted (kind, sonata_id) USING (kind, sonata_id)
        WHERE partner = $1 AND backend = $2";
    let (kinds, ids): (Vec<&str>, Vec<&str>) =
        wanted.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
    let rows = db.query(sql, &[&partner.as_str(), &backend.as_str(), &kinds, &ids]).await?;
    let pair = |row: &Row| Ok(((kind(row, 0)?, id(row, 1, SonataId::parse)?), id(row, 2, LegacyId::parse)?));
    rows.iter().map(pair).collect()
}

pub(super) async fn to_sonata(
    db: &Connection,
    partner: &PartnerId,
    backend: &BackendId,
    wanted: &[(Kind, LegacyId)],
) -> Result<HashMap<(Kind, LegacyId), SonataId>, StoreError> {
    // Of several the newest, which comes last.
    let sql = "SELECT kind, legacy_id, sonata_id FROM refs
        JOIN unnest($3::text[], $4::text[]) AS wanted (kind, legacy_id) USING (kind, legacy_id)
        WHERE partner = $1 AND backend = $2 ORDER BY seq";
    let (kinds, ids): (Vec<&str>, Vec<&str>) =
        wanted.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
    let rows = db.query(sql, &[&partner.as_str(), &backend.as_str(), &kinds, &ids]).await?;
    let pair = |row: &Row| Ok(((kind(row, 0)?, id(row, 1, LegacyId::parse)?), id(row, 2, SonataId::parse)?));
    rows.iter().map(pair).collect()
}

pub(super) async fn holders(
    db: &Connection,
    backend: &BackendId,
    wanted: &[(Kind, LegacyId)],
) -> Result<HashSet<Holding>, StoreError> {
    let sql = "SELECT DISTINCT partner, kind, legacy_id FROM refs
        JOIN unnest($2::text[], $3::text[]) AS wanted (kind, legacy_id) USING (kind, legacy_id)
        WHERE backend = $1";
    let (kinds, ids): (Vec<&str>, Vec<&str>) =
        wanted.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
    let rows = db.query(sql, &[&backend.as_str(), &kinds, &ids]).await?;
    let one = |row: &Row| Ok((id(row, 0, PartnerId::parse)?, kind(row, 1)?, id(row, 2, LegacyId::parse)?));
    rows.iter().map(one).collect()
}

pub(super) async fn keys(
    db: &Connection,
    partner: &PartnerId,
    kind: &Kind,
    id: &SonataId,
) -> Result<Vec<KeyPair>, StoreError> {
    let sql = "SELECT key_group, sonata, legacy FROM keys WHERE partner = $1 AND kind = $2 AND id = $3
        ORDER BY key_group, sonata";
    let rows = db.query(sql, &[&partner.as_str(), &kind.as_str(), &id.as_str()]).await?;
    let pair = |row: &Row| Ok(KeyPair { group: get(row, 0)?, sonata: get(row, 1)?, legacy: get(row, 2)? });
    rows.iter().map(pair).collect()
}

pub(super) async fn idempotency(
    db: &Connection,
    partner: &PartnerId,
    key: &IdempotencyKey,
) -> Result<Option<Remembered>, StoreError> {
    let sql = "SELECT body_hash, exchange, begun_ms, status, answer, entity_kind, entity_id FROM idempotency
        WHERE partner = $1 AND operation = $2 AND key = $3";
    let rows = db.query(sql, &[&partner.as_str(), &text(&key.operation), &text(&key.key)]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    let broken =
        |what: &str| StoreError::Failed(format!("the database has {what} of an idempotency key broken"));
    let body_hash = get::<&[u8]>(row, 0)?.try_into().map_err(|_| broken("the hash"))?;
    let entity_kind = get::<Option<String>>(row, 5)?.map(Kind::new);
    let entity = entity_kind.zip(id_or_null(row, 6, SonataId::parse)?);
    let answer = match get::<Option<i32>>(row, 3)? {
        None => None,
        Some(status) => Some(RememberedAnswer {
            status: u16::try_from(status).map_err(|_| broken("the status"))?,
            body: blob(row, 4)?.unwrap_or_default(),
            entity,
        }),
    };
    let exchange = id(row, 1, ExchangeId::parse)?;
    Ok(Some(Remembered { body_hash, exchange, begun_ms: get(row, 2)?, answer }))
}

pub(super) async fn journal(
    db: &Connection,
    partner: &PartnerId,
    exchange: &ExchangeId,
) -> Result<Vec<JournalEntry>, StoreError> {
    let sql =
        "SELECT exchange, operation, call, step, backend, request_crc, status, reply, at_ms FROM journal
        WHERE partner = $1 AND exchange = $2 ORDER BY seq";
    let rows = db.query(sql, &[&partner.as_str(), &exchange.as_str()]).await?;
    let broken = || StoreError::Failed("the database has a step of a journal broken".to_owned());
    let entry = |row: &Row| {
        let word: &str = get(row, 3)?;
        Ok(JournalEntry {
            exchange: id(row, 0, ExchangeId::parse)?,
            operation: get(row, 1)?,
            call: get(row, 2)?,
            step: Step::ALL.into_iter().find(|step| step.as_str() == word).ok_or_else(broken)?,
            backend: id_or_null(row, 4, BackendId::parse)?,
            request_crc: get::<Option<i64>>(row, 5)?.and_then(|crc| u32::try_from(crc).ok()),
            status: get::<Option<i32>>(row, 6)?.and_then(|status| u16::try_from(status).ok()),
            reply: blob(row, 7)?,
            at_ms: get(row, 8)?,
        })
    };
    rows.iter().map(entry).collect()
}

pub(super) async fn unfinished(
    db: &Connection,
    partner: &PartnerId,
    before_ms: i64,
    limit: u32,
) -> Result<Vec<ExchangeId>, StoreError> {
    let sql = "SELECT i.exchange FROM journal AS i
        WHERE i.partner = $1 AND i.step = 'intent' AND i.at_ms < $2 AND NOT EXISTS (
            SELECT 1 FROM journal AS d
            WHERE d.partner = $1 AND d.exchange = i.exchange AND d.step = 'done' AND d.call = '')
        GROUP BY i.exchange ORDER BY min(i.seq) LIMIT $3";
    let rows = db.query(sql, &[&partner.as_str(), &before_ms, &i64::from(limit)]).await?;
    rows.iter().map(|row| id(row, 0, ExchangeId::parse)).collect()
}

pub(super) async fn sizes(db: &Connection, entities: bool) -> Result<Sizes, StoreError> {
    let rows = db.query("SELECT pg_database_size(current_database())", &[]).await?;
    let bytes = rows.first().map_or(Ok(0), |row| count(row, 0))?;
    let sql =
        "SELECT queue, count(*) FILTER (WHERE dead_ms IS NULL), count(*) FILTER (WHERE dead_ms IS NOT NULL)
        FROM tasks GROUP BY queue";
    let mut tasks = Vec::new();
    for row in db.query(sql, &[]).await? {
        if let Some(queue) = Queue::parse(get(&row, 0)?) {
            tasks.push((queue, count(&row, 1)?, count(&row, 2)?));
        }
    }
    let mut kinds = Vec::new();
    if entities {
        for row in db.query("SELECT kind, count(*) FROM entities GROUP BY kind", &[]).await? {
            kinds.push((get(&row, 0)?, count(&row, 1)?));
        }
    }
    let (entities, tasks) = (Sizes::bounded(kinds), Sizes::all(&tasks));
    Ok(Sizes { bytes: vec![("database", bytes)], entities, tasks })
}

/// Exchanges, keys and dead letters that are forgotten at once, of each.
const FORGOTTEN_MAX: i64 = 500;

pub(super) async fn forget(
    db: &Connection,
    journal_before_ms: i64,
    idempotency_before_ms: i64,
    dead_before_ms: i64,
) -> Result<usize, StoreError> {
    let journal = "WITH old AS MATERIALIZED (
            SELECT partner, exchange FROM journal AS i
            WHERE i.step = 'intent' AND i.at_ms < $1 AND EXISTS (
                SELECT 1 FROM journal AS d
                WHERE d.partner = i.partner AND d.exchange = i.exchange AND d.step = 'done' AND d.call = ''
                    AND d.at_ms < $1)
            LIMIT $2)
        DELETE FROM journal AS j USING old WHERE j.partner = old.partner AND j.exchange = old.exchange";
    let keys = "DELETE FROM idempotency WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM idempotency WHERE begun_ms < $1 LIMIT $2))";
    let dead = "DELETE FROM tasks WHERE seq = ANY(ARRAY(SELECT seq FROM tasks WHERE dead_ms < $1 LIMIT $2))";
    let rows = db.execute(journal, &[&journal_before_ms, &FORGOTTEN_MAX]).await?
        + db.execute(keys, &[&idempotency_before_ms, &FORGOTTEN_MAX]).await?
        + db.execute(dead, &[&dead_before_ms, &FORGOTTEN_MAX]).await?;
    Ok(usize::try_from(rows).unwrap_or(usize::MAX))
}
