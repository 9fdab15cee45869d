//! What needs attention: exchanges that meant to change something at a legacy system, and of which nobody knows how
//! they ended, or whose effect could neither be told on nor taken back.
//!
//! The journal has them. An exchange that ends so says why; one of which the process died says nothing, and is found
//! because it is older than any that could still be at work. A person looks into the legacy system, and settles it.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{
    ids::{BackendId, ExchangeId, PartnerId, SonataId},
    store::{Batch, Change, IdempotencyKey, JournalEntry, Kind, Queue, Step, Store, StoreError},
};

/// The kind of the subject of work of people that is about an exchange.
pub const OF_EXCHANGE: &str = "exchange";

/// Open exchanges of one partner that are looked at at once.
pub const LOOKED_AT_MAX: u32 = 1000;

/// What an exchange writes into the journal about itself, at its intent: the keys that it took, and its request where
/// what it made can be looked up.
#[must_use]
pub fn intent_note(keys: &[IdempotencyKey], request: Option<&Kept>) -> Bytes {
    let keys: Vec<(&str, &str)> = keys.iter().map(|one| (one.operation.as_str(), one.key.as_str())).collect();
    // Written as it goes, without a tree of values: this is on the way of every request that can be looked up. Neither
    // can fail, as all of it is text.
    let Some(kept) = request else { return Bytes::from(serde_json::to_vec(&keys).unwrap_or_default()) };
    let mut note = serde_json::to_vec(&Written { keys, request: kept }).unwrap_or_default();
    if let Some(body) = &kept.body {
        note.push(b'\n');
        note.extend_from_slice(body);
    }
    Bytes::from(note)
}

/// The text of a note that has a request in it.
#[derive(Serialize)]
struct Written<'n> {
    keys: Vec<(&'n str, &'n str)>,
    request: &'n Kept,
}

/// What is kept of a request until it is known what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The Sonata id that what it makes was given.
    pub id: String,
    /// Query parameters, decoded.
    pub query: Vec<(String, String)>,
    /// Path parameters, decoded.
    pub path: Vec<(String, String)>,
    /// Headers that name the request or that a look-up reads; names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as the partner sent it, where a bridge carried it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<String>,
    /// The body as received.
    #[serde(skip)]
    pub body: Option<Bytes>,
}

/// One call of such an exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCall {
    /// Its name in the mapping, with the element's index where it has one.
    pub name: String,
    /// Where it stands: about to be sent (which says nothing of whether it was), or answered and not taken back.
    pub step: Step,
    /// CRC-32 of what was to be sent, by which the legacy system's own log may know it.
    pub request_crc: Option<u32>,
    /// HTTP status of the answer.
    pub status: Option<u16>,
    /// The answer as received.
    pub reply: Option<bytes::Bytes>,
}

/// One exchange that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// Whose it is.
    pub partner: PartnerId,
    /// The exchange, as the log names it.
    pub exchange: ExchangeId,
    /// Function and operation, such as `order.createProductOrder`.
    pub operation: String,
    /// The legacy system.
    pub backend: Option<BackendId>,
    /// When it began to change something, in milliseconds since 1970.
    pub at_ms: i64,
    /// Why it ended so, for the operator; `None` where the process died under it.
    pub why: Option<String>,
    /// Its calls that change something, in the order in which they were journaled.
    pub calls: Vec<OpenCall>,
    /// The keys that it took: they stay taken until it is settled.
    pub keys: Vec<IdempotencyKey>,
    /// Its request, where what it made can be looked up.
    pub kept: Option<Kept>,
}

/// What a person found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing was done, or it was taken back by hand: the request may be sent again.
    None,
    /// It was done. A repeat of the request is still refused, so that it is not done twice.
    Made,
}

/// Settling did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSettled {
    /// No such exchange of this partner is open, or it may still be at work.
    #[error("no such exchange of this partner needs attention")]
    NotOpen,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The exchanges of a partner that need attention, oldest first, at most `LOOKED_AT_MAX`. One that began after
/// `quiet_ms` (milliseconds since 1970) and did not say that it ended may still be at work, and is not among them.
///
/// # Errors
/// [`StoreError`] when it could not be read.
pub async fn open(store: &Store, partner: &PartnerId, quiet_ms: i64) -> Result<Vec<Open>, StoreError> {
    let mut found = Vec::new();
    for exchange in store.unfinished(partner, i64::MAX, LOOKED_AT_MAX).await? {
        found.extend(one(store, partner, exchange, quiet_ms).await?);
    }
    Ok(found)
}

/// An exchange that has not come to its end, whether or not it is still at work; `None` where it has.
///
/// # Errors
/// [`StoreError`] when it could not be read.
pub async fn unfinished(
    store: &Store,
    partner: &PartnerId,
    exchange: &ExchangeId,
) -> Result<Option<Open>, StoreError> {
    let entries = store.journal(partner, exchange).await?;
    Ok(read(partner, exchange.clone(), &entries))
}

/// Ends an exchange that needs attention, with its name given back where nothing was done.
///
/// # Errors
/// [`NotSettled`].
pub async fn settle(
    store: &Store,
    (partner, exchange): (&PartnerId, &ExchangeId),
    effect: Effect,
    (now_ms, quiet_ms): (i64, i64),
) -> Result<Open, NotSettled> {
    // The exchange may be older than any that a list would still show.
    let open = one(store, partner, exchange.clone(), quiet_ms).await?.ok_or(NotSettled::NotOpen)?;
    let done = JournalEntry {
        exchange: exchange.clone(),
        operation: open.operation.clone(),
        call: String::new(),
        step: Step::Done,
        backend: open.backend.clone(),
        request_crc: None,
        status: None,
        reply: None,
        at_ms: now_ms,
    };
    let mut batch = Batch::new(partner.clone()).with(Change::Journal(Box::new(done)));
    batch.changes.extend(taken_from_list(exchange));
    if effect == Effect::None {
        let free = |key: &IdempotencyKey| Change::Abandon { key: key.clone(), exchange: exchange.clone() };
        batch.changes.extend(open.keys.iter().map(free));
    }
    store.commit(batch).await?;
    Ok(open)
}

/// What takes an exchange from the list of what people have to do; nothing where it cannot be named.
#[must_use]
pub fn taken_from_list(exchange: &ExchangeId) -> Option<Change> {
    let id = SonataId::parse(exchange.as_str()).ok()?;
    Some(Change::Unschedule { queue: Queue::Work, kind: Kind::new(OF_EXCHANGE), id })
}

async fn one(
    store: &Store,
    partner: &PartnerId,
    exchange: ExchangeId,
    quiet_ms: i64,
) -> Result<Option<Open>, StoreError> {
    let entries = store.journal(partner, &exchange).await?;
    Ok(read(partner, exchange, &entries).filter(|open| open.why.is_some() || open.at_ms < quiet_ms))
}

/// What the journal says of one exchange; `None` where it is done or meant to change nothing.
fn read(partner: &PartnerId, exchange: ExchangeId, entries: &[JournalEntry]) -> Option<Open> {
    let first = entries.iter().find(|entry| entry.step == Step::Intent)?;
    if entries.iter().any(|entry| entry.call.is_empty() && entry.step == Step::Done) {
        return None;
    }
    let mut open = Open {
        partner: partner.clone(),
        exchange,
        operation: first.operation.clone(),
        backend: first.backend.clone(),
        at_ms: first.at_ms,
        why: None,
        calls: Vec::new(),
        keys: Vec::new(),
        kept: None,
    };
    for entry in entries {
        let note = || entry.reply.as_ref().map(|note| String::from_utf8_lossy(note).into_owned());
        match (entry.call.as_str(), entry.step) {
            ("", Step::Intent) => {
                (open.keys, open.kept) = entry.reply.as_ref().map(intent).unwrap_or_default();
            }
            ("", _) => open.why = note().or(open.why),
            (name, step) => {
                let known = open.calls.iter_mut().find(|call| call.name == name);
                let call = OpenCall {
                    name: name.to_owned(),
                    step,
                    request_crc: entry.request_crc,
                    status: entry.status,
                    reply: entry.reply.clone(),
                };
                match known {
                    Some(known) => {
                        *known = OpenCall { request_crc: known.request_crc.or(call.request_crc), ..call };
                    }
                    None => open.calls.push(call),
                }
            }
        }
    }
    Some(open)
}

/// What [`intent_note`] wrote.
fn intent(note: &Bytes) -> (Vec<IdempotencyKey>, Option<Kept>) {
    #[derive(Deserialize)]
    struct Note {
        keys: Vec<(String, String)>,
        request: Kept,
    }
    let of = |pairs: Vec<(String, String)>| {
        pairs.into_iter().map(|(operation, key)| IdempotencyKey { operation, key }).collect()
    };
    let line = note.iter().position(|byte| *byte == b'\n');
    let head = note.slice(..line.unwrap_or(note.len()));
    if let Ok(Note { keys, request }) = serde_json::from_slice(&head) {
        let body = line.map(|line| note.slice(line.saturating_add(1)..));
        return (of(keys), Some(Kept { body, ..request }));
    }
    (of(serde_json::from_slice(&head).unwrap_or_default()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_read_as_it_was_written() {
        let keys = vec![IdempotencyKey { operation: "quote.createQuote".to_owned(), key: "a\nb".to_owned() }];
        assert_eq!(intent(&intent_note(&keys, None)), (keys.clone(), None));
        assert_eq!(intent(&Bytes::from_static(b"nonsense")), (Vec::new(), None));
        for body in [None, Some(Bytes::from_static(b"{\n\"a\": 1\n}\n")), Some(Bytes::new())] {
            let pair = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
            let kept = Kept {
                id: "q".to_owned(),
                query: pair("buyerId", "b\n1"),
                path: Vec::new(),
                headers: pair("x-key", "k"),
                sent: body.as_ref().map(|_| "{\n}".to_owned()),
                body,
            };
            assert_eq!(intent(&intent_note(&keys, Some(&kept))), (keys.clone(), Some(kept)));
        }
    }
}
