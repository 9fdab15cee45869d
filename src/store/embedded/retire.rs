//! Removes entities that ended long ago, in SQLite. The log's segments have their documents: see `clear`.

use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Value};

use super::{
    super::retire::{Bookmark, Retired, Retirement},
    StoreError,
    column::id_text,
};
use crate::store::Queue;

/// Partner, kind and state, by the numbers of their words.
type Place = [i64; 3];

/// One step: looks at up to `limit` rows from `from` on, in one transaction.
pub(super) fn step(
    db: &Connection,
    rules: &[Retirement],
    from: Option<&Bookmark>,
    limit: usize,
) -> Result<Retired, StoreError> {
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let done = walk(db, rules, from, limit)
        .and_then(|retired| Ok(db.prepare_cached("COMMIT")?.execute([]).map(|_| retired)?));
    // Where the disk is full SQLite has rolled back by itself.
    if done.is_err() && !db.is_autocommit() {
        db.execute_batch("ROLLBACK")?;
    }
    done
}

fn walk(
    db: &Connection,
    rules: &[Retirement],
    from: Option<&Bookmark>,
    limit: usize,
) -> Result<Retired, StoreError> {
    let kinds = Kinds::of(db, rules)?;
    let mut retired = Retired::default();
    let mut left = limit.max(1);
    let (mut place, mut seq) = match from {
        Some(mark) => (number_of(mark)?, mark.seq),
        None => ([0, 0, 0], i64::MIN),
    };
    if from.is_none() {
        match following(db, place)? {
            Some(first) => place = first,
            None => return Ok(retired),
        }
    }
    loop {
        if left == 0 {
            retired.next = Some(Bookmark { place: place.map(|number| number.to_string()), seq });
            return Ok(retired);
        }
        if let Some(kind) = kinds.ended(place) {
            let rule = kind.rule;
            let rows = rows(db, place, seq, left)?;
            let is_last = rows.len() < left;
            left -= rows.len();
            let mut removed = 0;
            let mut is_young = false;
            for row in rows {
                seq = row.seq;
                is_young = row.created_ms >= rule.before_ms;
                if is_young {
                    break;
                }
                if row.updated_ms < rule.before_ms && kinds.is_free(db, place, &row)? {
                    remove(db, place, kind.items, &row)?;
                    removed += 1;
                }
            }
            retired.add(&rule.kind, removed);
            if !is_last && !is_young {
                retired.next = Some(Bookmark { place: place.map(|number| number.to_string()), seq });
                return Ok(retired);
            }
        }
        match following(db, place)? {
            Some(next) => (place, seq) = (next, i64::MIN),
            None => return Ok(retired),
        }
    }
}

fn number_of(mark: &Bookmark) -> Result<Place, StoreError> {
    let [partner, kind, state] = &mark.place;
    let number = |text: &String| {
        text.parse().map_err(|_| StoreError::Failed("a bookmark of another store".to_owned()))
    };
    Ok([number(partner)?, number(kind)?, number(state)?])
}

/// The next place behind one that has rows; each look is one by the index.
fn following(db: &Connection, [partner, kind, state]: Place) -> Result<Option<Place>, StoreError> {
    const STATE: &str = "SELECT min(state) FROM entities WHERE partner = ?1 AND kind = ?2 AND state > ?3";
    const KIND: &str = "SELECT min(kind) FROM entities WHERE partner = ?1 AND kind > ?2";
    const PARTNER: &str = "SELECT min(partner) FROM entities WHERE partner > ?1";
    let one = |sql: &str, values: &[i64]| -> Result<Option<i64>, StoreError> {
        Ok(db.prepare_cached(sql)?.query_row(rusqlite::params_from_iter(values), |row| row.get(0))?)
    };
    if let Some(state) = one(STATE, &[partner, kind, state])? {
        return Ok(Some([partner, kind, state]));
    }
    let (mut partner, mut kind) = (partner, kind);
    loop {
        match one(KIND, &[partner, kind])? {
            Some(next) => {
                kind = next;
                // One that has no state at all never ends.
                if let Some(state) = one(STATE, &[partner, kind, 0])? {
                    return Ok(Some([partner, kind, state]));
                }
            }
            None => match one(PARTNER, &[partner])? {
                Some(next) => (partner, kind) = (next, 0),
                None => return Ok(None),
            },
        }
    }
}

/// One row that is looked at.
struct Ended {
    seq: i64,
    id: Value,
    text: String,
    parent: Option<Value>,
    backend: Option<i64>,
    created_ms: i64,
    updated_ms: i64,
    spot: (Option<i64>, Option<i64>),
}

fn rows(
    db: &Connection,
    [partner, kind, state]: Place,
    seq: i64,
    limit: usize,
) -> Result<Vec<Ended>, StoreError> {
    let sql = "SELECT seq, id, parent, backend, created_ms, updated_ms, segment, record_bytes FROM entities
        WHERE partner = ?1 AND kind = ?2 AND state = ?3 AND seq > ?4 ORDER BY seq LIMIT ?5";
    let row = |row: &Row<'_>| {
        Ok(Ended {
            seq: row.get(0)?,
            id: row.get(1)?,
            text: id_text(row, 1)?.unwrap_or_default().into_owned(),
            parent: row.get(2)?,
            backend: row.get(3)?,
            created_ms: row.get(4)?,
            updated_ms: row.get(5)?,
            spot: (row.get(6)?, row.get(7)?),
        })
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_map(params![partner, kind, state, seq, limit], row)?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// The kinds that end, by the numbers of their words.
struct Kinds<'r> {
    all: Vec<KindRow<'r>>,
    queues: Vec<i64>,
}

struct KindRow<'r> {
    rule: &'r Retirement,
    number: i64,
    items: Option<i64>,
    ended: Vec<i64>,
}

impl<'r> Kinds<'r> {
    fn of(db: &Connection, rules: &'r [Retirement]) -> Result<Self, StoreError> {
        let number = |word: &str| -> Result<Option<i64>, StoreError> {
            let sql = "SELECT number FROM words WHERE word = ?1";
            Ok(db.prepare_cached(sql)?.query_row([word], |row| row.get(0)).optional()?)
        };
        let mut all = Vec::new();
        for rule in rules {
            let Some(own) = number(rule.kind.as_str())? else { continue };
            let items = rule.items.as_ref().map(|items| number(items.as_str())).transpose()?.flatten();
            let mut ended = Vec::new();
            for state in &rule.ended {
                ended.extend(number(state)?);
            }
            all.push(KindRow { rule, number: own, items, ended });
        }
        let queues = Queue::ALL.iter().filter_map(|queue| number(queue.as_str()).transpose());
        Ok(Self { all, queues: queues.collect::<Result<_, _>>()? })
    }

    /// The kind of a place, where those in it have ended.
    fn ended(&self, [_, kind, state]: Place) -> Option<&KindRow<'r>> {
        self.all.iter().find(|row| row.number == kind && row.ended.contains(&state))
    }

    /// Whether nothing needs it any more.
    fn is_free(&self, db: &Connection, [partner, kind, _]: Place, row: &Ended) -> Result<bool, StoreError> {
        let mut task = db.prepare_cached(
            "SELECT 1 FROM tasks WHERE partner = ?1 AND queue = ?2 AND kind = ?3 AND subject = ?4 AND dead_ms IS NULL",
        )?;
        for queue in &self.queues {
            if task.exists(params![partner, queue, kind, row.id])? {
                return Ok(false);
            }
        }
        let mut owner =
            db.prepare_cached("SELECT 1 FROM entities WHERE partner = ?1 AND kind = ?2 AND id = ?3")?;
        let mut owned =
            db.prepare_cached("SELECT state FROM entities WHERE partner = ?1 AND kind = ?2 AND parent = ?3")?;
        for other in &self.all {
            if let Some(parent) = &row.parent
                && owner.exists(params![partner, other.number, parent])?
            {
                return Ok(false);
            }
            let mut states = owned.query(params![partner, other.number, row.id])?;
            while let Some(found) = states.next()? {
                let state: Option<i64> = found.get(0)?;
                if !state.is_some_and(|state| other.ended.contains(&state)) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

fn remove(
    db: &Connection,
    [partner, kind, _]: Place,
    items: Option<i64>,
    row: &Ended,
) -> Result<(), StoreError> {
    db.prepare_cached("DELETE FROM entities WHERE seq = ?1")?.execute([row.seq])?;
    db.prepare_cached("DELETE FROM keys WHERE partner = ?1 AND kind = ?2 AND id = ?3")?
        .execute(params![partner, kind, row.id])?;
    if let Some(backend) = row.backend {
        db.prepare_cached(
            "DELETE FROM refs WHERE partner = ?1 AND backend = ?2 AND kind = ?3 AND sonata_id = ?4",
        )?
        .execute(params![partner, backend, kind, row.id])?;
        if let Some(items) = items {
            // `0` follows `/`.
            let (from, to) = (format!("{}/", row.text), format!("{}0", row.text));
            db.prepare_cached(
                "DELETE FROM refs WHERE partner = ?1 AND backend = ?2 AND kind = ?3 AND sonata_id > ?4 AND sonata_id < ?5",
            )?
            .execute(params![partner, backend, items, from, to])?;
        }
    }
    if let (Some(segment), Some(bytes)) = row.spot {
        db.prepare_cached("UPDATE segments SET live_bytes = live_bytes - ?2 WHERE segment = ?1")?
            .execute([segment, bytes])?;
    }
    Ok(())
}
