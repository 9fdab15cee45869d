//! Removes entities that ended long ago, in PostgreSQL: each step is one statement, which looks again at what it removes.

use super::{
    super::retire::{Bookmark, Retired, Retirement},
    super::{Kind, Queue, StoreError},
    connect::Connection,
    get,
};

/// The next place that has rows, by the index.
const FOLLOWING: &str = "SELECT partner, kind, state FROM entities
    WHERE (partner, kind, state) > ($1, $2, $3) ORDER BY partner, kind, state LIMIT 1";

const STEP: &str = "WITH seen AS MATERIALIZED (
        SELECT seq, id, created_ms FROM entities
        WHERE partner = $1 AND kind = $2 AND state = $3 AND seq > $4 ORDER BY seq LIMIT $5),
    gone AS (
        DELETE FROM entities AS e USING seen
        WHERE e.partner = $1 AND e.kind = $2 AND e.id = seen.id AND e.state = $3 AND e.updated_ms < $6
            AND NOT EXISTS (SELECT 1 FROM tasks AS t WHERE t.partner = $1 AND t.queue = ANY($7) AND t.kind = $2
                AND t.subject = e.id AND t.dead_ms IS NULL)
            AND NOT EXISTS (SELECT 1 FROM entities AS o
                WHERE o.partner = $1 AND o.kind = ANY($8) AND o.id = e.parent)
            AND NOT EXISTS (SELECT 1 FROM entities AS c
                WHERE c.partner = $1 AND c.kind = ANY($8) AND c.parent = e.id
                    AND NOT EXISTS (SELECT 1 FROM unnest($9::text[], $10::text[]) AS ended (kind, state)
                        WHERE ended.kind = c.kind AND ended.state = c.state))
        RETURNING e.id, e.backend),
    own AS (DELETE FROM refs AS r USING gone
        WHERE r.partner = $1 AND r.backend = gone.backend AND r.kind = $2 AND r.sonata_id = gone.id),
    items AS (DELETE FROM refs AS r USING gone
        WHERE r.partner = $1 AND r.backend = gone.backend AND r.kind = $11
            AND r.sonata_id > gone.id || '/' AND r.sonata_id < gone.id || '0'),
    keys AS (DELETE FROM keys AS k USING gone WHERE k.partner = $1 AND k.kind = $2 AND k.id = gone.id)
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM seen), (SELECT max(seq) FROM seen),
        (SELECT max(created_ms) FROM seen)";

/// One step: looks at up to `limit` rows from `from` on.
pub(super) async fn step(
    db: &Connection,
    rules: &[Retirement],
    from: Option<Bookmark>,
    limit: usize,
) -> Result<Retired, StoreError> {
    let queues: Vec<&str> = Queue::ALL.iter().map(|queue| queue.as_str()).collect();
    let kinds: Vec<&str> = rules.iter().map(|rule| rule.kind.as_str()).collect();
    let pairs =
        || rules.iter().flat_map(|rule| rule.ended.iter().map(|state| (rule.kind.as_str(), state.as_str())));
    let (ended_kinds, ended_states): (Vec<&str>, Vec<&str>) = pairs().unzip();
    let mut retired = Retired::default();
    let mut left = i64::try_from(limit.max(1)).unwrap_or(i64::MAX);
    let mut at = match from {
        Some(mark) => mark,
        None => match following(db, &Default::default()).await? {
            Some(first) => first,
            None => return Ok(retired),
        },
    };
    loop {
        if left == 0 {
            retired.next = Some(at);
            return Ok(retired);
        }
        let [partner, kind, state] = &at.place;
        let rule = rules.iter().find(|rule| rule.kind.as_str() == kind && rule.ended.contains(state));
        if let Some(rule) = rule {
            let items = rule.items.as_ref().map(Kind::as_str);
            let rows = db
                .query(
                    STEP,
                    &[
                        partner,
                        kind,
                        state,
                        &at.seq,
                        &left,
                        &rule.before_ms,
                        &queues,
                        &kinds,
                        &ended_kinds,
                        &ended_states,
                        &items,
                    ],
                )
                .await?;
            let Some(row) = rows.first() else { return Ok(retired) };
            let (gone, seen): (i64, i64) = (get(row, 0)?, get(row, 1)?);
            let (last, youngest): (Option<i64>, Option<i64>) = (get(row, 2)?, get(row, 3)?);
            retired.add(&rule.kind, u64::try_from(gone).unwrap_or_default());
            let is_last = seen < left || youngest.is_some_and(|at_ms| at_ms >= rule.before_ms);
            left -= seen;
            if let (Some(last), false) = (last, is_last) {
                at.seq = last;
                retired.next = Some(at);
                return Ok(retired);
            }
        }
        match following(db, &at.place).await? {
            Some(next) => at = next,
            None => return Ok(retired),
        }
    }
}

async fn following(db: &Connection, place: &[String; 3]) -> Result<Option<Bookmark>, StoreError> {
    let [partner, kind, state] = place;
    let rows = db.query(FOLLOWING, &[partner, kind, state]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Bookmark { place: [get(row, 0)?, get(row, 1)?, get(row, 2)?], seq: 0 }))
}
