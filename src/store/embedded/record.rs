//! A batch as the bytes that the log keeps.
//!
//! Numbers are little-endian; a text or blob is its length (4 bytes) and its bytes; what may be missing begins with a
//! byte, 0 or 1. The log's own record says how long all of it is and whether it is whole, so whatever does not read
//! here is a defect or another version, never a torn write.

use std::ops::Range;

use bytes::Bytes;

use super::{
    Batch, Change, Entity, IdempotencyKey, JournalEntry, KeyPair, Kind, Lease, Queue, Reference, Step, Task,
    repeats::{self, Piece},
};
use crate::ids::{BackendId, BuyerId, ExchangeId, IdError, LegacyId, PartnerId, SellerId, SonataId, TaskId};

/// Added to the tag of an entity whose document is written as pieces of its request.
const REPEATING: u8 = 15;

/// The tag of a changed one.
const REPEATING_UPDATE: u8 = REPEATING + 1;

/// Most pieces that a document is written as.
const PIECES_MAX: usize = 256;

/// Bytes that pieces must spare.
const SPARED_BYTES_MIN: usize = 256;

/// Appends a batch, and to `entities` where in `to` each of its entities is that has documents.
pub(super) fn write(batch: &Batch, to: &mut Vec<u8>, entities: &mut Vec<Option<Range<usize>>>) {
    text(to, batch.partner.as_str());
    number(to, batch.changes.len() as u64);
    for change in &batch.changes {
        let start = to.len();
        write_change(change, to);
        if let Change::Create(entity) | Change::Update(entity) = change {
            let has_documents = documents(entity).any(|document| document.is_some());
            entities.push(has_documents.then_some(start..to.len()));
        }
    }
}

fn documents(entity: &Entity) -> impl Iterator<Item = Option<&Bytes>> {
    [entity.document.as_ref(), entity.request.as_ref(), entity.legacy.as_ref()].into_iter()
}

/// The entity that [`write()`] has put there.
pub(super) fn entity(mut bytes: Bytes) -> Option<Entity> {
    match Reader(&mut bytes).change()? {
        Change::Create(entity) | Change::Update(entity) => Some(*entity),
        _ => None,
    }
}

fn write_change(change: &Change, to: &mut Vec<u8>) {
    match change {
        Change::Create(entity) => write_entity(0, entity, to),
        Change::Update(entity) => write_entity(1, entity, to),
        Change::Refer(reference) => {
            to.push(2);
            text(to, reference.kind.as_str());
            text(to, reference.sonata_id.as_str());
            text(to, reference.backend.as_str());
            text(to, reference.legacy_id.as_str());
        }
        Change::Remember { kind, id, pairs } => {
            to.push(3);
            text(to, kind.as_str());
            text(to, id.as_str());
            number(to, pairs.len() as u64);
            for pair in pairs {
                text(to, &pair.group);
                text(to, &pair.sonata);
                text(to, &pair.legacy);
            }
        }
        Change::Begin { key, body_hash, exchange, at_ms } => {
            to.push(4);
            write_key(key, to);
            to.extend_from_slice(body_hash);
            text(to, exchange.as_str());
            to.extend_from_slice(&at_ms.to_le_bytes());
        }
        Change::Finish { key, status, answer, entity } => {
            to.push(5);
            write_key(key, to);
            to.extend_from_slice(&status.to_le_bytes());
            blob(to, answer);
            if some(to, entity.as_ref()).is_some()
                && let Some((kind, id)) = entity
            {
                text(to, kind.as_str());
                text(to, id.as_str());
            }
        }
        Change::Abandon { key, exchange } => {
            to.push(6);
            write_key(key, to);
            text(to, exchange.as_str());
        }
        Change::Journal(entry) => write_journal(entry, to),
        Change::Schedule(task) => write_task(task, to),
        Change::Settle { lease } => about_task(10, &lease.id, to),
        Change::Postpone { lease, due_ms, note } => write_postponed(lease, *due_ms, note.as_deref(), to),
        Change::Bury { lease, note, at_ms } => {
            about_task(12, &lease.id, to);
            text(to, note);
            time(to, *at_ms);
        }
        Change::Revive { id, due_ms } => {
            about_task(13, id, to);
            time(to, *due_ms);
        }
        Change::Unschedule { queue, kind, id } => {
            to.push(14);
            text(to, queue.as_str());
            text(to, kind.as_str());
            text(to, id.as_str());
        }
    }
}

/// What begins with the id of a task.
fn about_task(tag: u8, id: &TaskId, to: &mut Vec<u8>) {
    to.push(tag);
    text(to, id.as_str());
}

fn write_postponed(lease: &Lease, due_ms: i64, note: Option<&str>, to: &mut Vec<u8>) {
    about_task(11, &lease.id, to);
    time(to, due_ms);
    if let Some(note) = some(to, note) {
        text(to, note);
    }
}

fn write_task(task: &Task, to: &mut Vec<u8>) {
    to.push(9);
    text(to, task.id.as_str());
    text(to, task.partner.as_str());
    text(to, task.queue.as_str());
    text(to, &task.lane);
    if some(to, task.subject.as_ref()).is_some()
        && let Some((kind, id)) = &task.subject
    {
        text(to, kind.as_str());
        text(to, id.as_str());
    }
    time(to, task.due_ms);
    time(to, task.made_ms);
    to.extend_from_slice(&task.attempts.to_le_bytes());
    if let Some(note) = some(to, task.note.as_deref()) {
        text(to, note);
    }
    blob(to, &task.payload);
}

fn write_entity(tag: u8, entity: &Entity, to: &mut Vec<u8>) {
    let repeating = repeating(entity);
    to.push(if repeating.is_some() { tag + REPEATING } else { tag });
    text(to, entity.kind.as_str());
    text(to, entity.id.as_str());
    let texts = [
        entity.buyer.as_ref().map(BuyerId::as_str),
        entity.seller.as_ref().map(SellerId::as_str),
        entity.backend.as_ref().map(BackendId::as_str),
        entity.legacy_id.as_ref().map(LegacyId::as_str),
        entity.parent.as_ref().map(SonataId::as_str),
        entity.state.as_deref(),
        entity.external_id.as_deref(),
    ];
    for one in texts {
        if let Some(one) = some(to, one) {
            text(to, one);
        }
    }
    number(to, entity.version);
    to.extend_from_slice(&entity.created_ms.to_le_bytes());
    to.extend_from_slice(&entity.updated_ms.to_le_bytes());
    if let Some((document, request, pieces)) = repeating {
        blob(to, request);
        write_pieces(document, &pieces, to);
        if let Some(legacy) = some(to, entity.legacy.as_ref()) {
            blob(to, legacy);
        }
        return;
    }
    for one in documents(entity) {
        if let Some(one) = some(to, one) {
            blob(to, one);
        }
    }
}

/// Document and request of an entity where the document repeats enough of the request.
fn repeating(entity: &Entity) -> Option<(&Bytes, &Bytes, Vec<Piece>)> {
    let (document, request) = (entity.document.as_ref()?, entity.request.as_ref()?);
    let pieces = repeats::pieces(document, request);
    let spared_bytes: usize = pieces.iter().map(|piece| piece.repeated.len()).sum();
    (spared_bytes >= SPARED_BYTES_MIN && pieces.len() <= PIECES_MAX).then_some((document, request, pieces))
}

/// How many pieces; of each its own bytes, and where the others begin and how many they are; what follows the last one.
fn write_pieces(document: &Bytes, pieces: &[Piece], to: &mut Vec<u8>) {
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let mut done = 0;
    to.extend_from_slice(&length(pieces.len()));
    for Piece { own, repeated } in pieces {
        blob(to, document.get(own.clone()).unwrap_or_default());
        to.extend_from_slice(&length(repeated.start));
        to.extend_from_slice(&length(repeated.len()));
        done = own.end + repeated.len();
    }
    blob(to, document.get(done..).unwrap_or_default());
}

fn write_key(key: &IdempotencyKey, to: &mut Vec<u8>) {
    text(to, &key.operation);
    text(to, &key.key);
}

fn write_journal(entry: &JournalEntry, to: &mut Vec<u8>) {
    to.push(8);
    text(to, entry.exchange.as_str());
    text(to, &entry.operation);
    text(to, &entry.call);
    text(to, entry.step.as_str());
    if let Some(backend) = some(to, entry.backend.as_ref()) {
        text(to, backend.as_str());
    }
    if let Some(crc) = some(to, entry.request_crc) {
        to.extend_from_slice(&crc.to_le_bytes());
    }
    if let Some(status) = some(to, entry.status) {
        to.extend_from_slice(&status.to_le_bytes());
    }
    if let Some(reply) = some(to, entry.reply.as_deref()) {
        blob(to, reply);
    }
    to.extend_from_slice(&entry.at_ms.to_le_bytes());
}

fn number(to: &mut Vec<u8>, number: u64) {
    to.extend_from_slice(&number.to_le_bytes());
}

fn time(to: &mut Vec<u8>, time_ms: i64) {
    to.extend_from_slice(&time_ms.to_le_bytes());
}

fn text(to: &mut Vec<u8>, text: &str) {
    blob(to, text.as_bytes());
}

/// Lengths fit: a group that comes near 4 GiB is refused before (see `log`).
fn blob(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    to.extend_from_slice(bytes);
}

fn some<T>(to: &mut Vec<u8>, value: Option<T>) -> Option<T> {
    to.push(u8::from(value.is_some()));
    value
}

/// Reads the next batch and leaves what follows it; `None` where the bytes are none of ours. Where its entities are
/// is told as by [`write()`], in bytes from where `from` began.
pub(super) fn read(from: &mut Bytes, entities: &mut Vec<Option<Range<usize>>>) -> Option<Batch> {
    let whole = from.len();
    let mut reader = Reader(from);
    let partner = reader.id(PartnerId::parse)?;
    let count = reader.number()?;
    let mut batch = Batch::new(partner);
    for _ in 0..count {
        let start = whole - reader.0.len();
        let change = reader.change()?;
        if let Change::Create(entity) | Change::Update(entity) = &change {
            let has_documents = documents(entity).any(|document| document.is_some());
            entities.push(has_documents.then_some(start..whole - reader.0.len()));
        }
        batch.changes.push(change);
    }
    Some(batch)
}

/// Takes from the front; every method answers `None` where too little is left.
struct Reader<'b>(&'b mut Bytes);

impl Reader<'_> {
    fn take(&mut self, bytes: usize) -> Option<Bytes> {
        (bytes <= self.0.len()).then(|| self.0.split_to(bytes))
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.as_ref().try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn time(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    fn blob(&mut self) -> Option<Bytes> {
        let length = u32::from_le_bytes(self.array()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.blob()?.into()).ok()
    }

    fn id<T>(&mut self, parse: impl Fn(&str) -> Result<T, IdError>) -> Option<T> {
        parse(std::str::from_utf8(&self.blob()?).ok()?).ok()
    }

    fn kind(&mut self) -> Option<Kind> {
        self.text().map(Kind::new)
    }

    /// Outer `None`: not ours.
    #[expect(clippy::option_option, reason = "what is not ours and what is absent are two answers")]
    fn maybe<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        match self.byte()? {
            0 => Some(None),
            1 => read(self).map(Some),
            _ => None,
        }
    }

    fn change(&mut self) -> Option<Change> {
        Some(match self.byte()? {
            0 => Change::Create(Box::new(self.entity(false)?)),
            1 => Change::Update(Box::new(self.entity(false)?)),
            REPEATING => Change::Create(Box::new(self.entity(true)?)),
            REPEATING_UPDATE => Change::Update(Box::new(self.entity(true)?)),
            2 => Change::Refer(Reference {
                kind: self.kind()?,
                sonata_id: self.id(SonataId::parse)?,
                backend: self.id(BackendId::parse)?,
                legacy_id: self.id(LegacyId::parse)?,
            }),
            3 => {
                let (kind, id, count) = (self.kind()?, self.id(SonataId::parse)?, self.number()?);
                let mut pairs = Vec::new();
                for _ in 0..count {
                    pairs.push(KeyPair { group: self.text()?, sonata: self.text()?, legacy: self.text()? });
                }
                Change::Remember { kind, id, pairs }
            }
            4 => Change::Begin {
                key: self.key()?,
                body_hash: self.array()?,
                exchange: self.id(ExchangeId::parse)?,
                at_ms: self.time()?,
            },
            5 => Change::Finish {
                key: self.key()?,
                status: self.array().map(u16::from_le_bytes)?,
                answer: self.blob()?,
                entity: self.maybe(|one| one.kind().zip(one.id(SonataId::parse)))?,
            },
            6 => Change::Abandon { key: self.key()?, exchange: self.id(ExchangeId::parse)? },
            // With the hash that an earlier version had, which is not kept.
            7 => Change::Journal(Box::new(self.journal(|one| one.array::<32>().map(drop).map(|()| None))?)),
            8 => {
                Change::Journal(Box::new(self.journal(|one| one.array().map(u32::from_le_bytes).map(Some))?))
            }
            tag => return self.task_change(tag),
        })
    }

    fn task_change(&mut self, tag: u8) -> Option<Change> {
        Some(match tag {
            9 => Change::Schedule(Box::new(self.task()?)),
            10 => Change::Settle { lease: self.lease()? },
            11 => {
                Change::Postpone { lease: self.lease()?, due_ms: self.time()?, note: self.maybe(Self::text)? }
            }
            12 => Change::Bury { lease: self.lease()?, note: self.text()?, at_ms: self.time()? },
            13 => Change::Revive { id: self.id(TaskId::parse)?, due_ms: self.time()? },
            14 => {
                Change::Unschedule { queue: self.queue()?, kind: self.kind()?, id: self.id(SonataId::parse)? }
            }
            _ => return None,
        })
    }

    fn queue(&mut self) -> Option<Queue> {
        Queue::parse(std::str::from_utf8(&self.blob()?).ok()?)
    }

    /// Nobody has anything after a restart, so only the task matters.
    fn lease(&mut self) -> Option<Lease> {
        Some(Lease { id: self.id(TaskId::parse)?, queue: None, lane: 0, token: 0 })
    }

    fn task(&mut self) -> Option<Task> {
        Some(Task {
            id: self.id(TaskId::parse)?,
            partner: self.id(PartnerId::parse)?,
            queue: self.queue()?,
            lane: self.text()?,
            subject: self.maybe(|one| one.kind().zip(one.id(SonataId::parse)))?,
            due_ms: self.time()?,
            made_ms: self.time()?,
            attempts: u32::from_le_bytes(self.array()?),
            note: self.maybe(Self::text)?,
            dead_ms: None,
            payload: self.blob()?,
        })
    }

    fn key(&mut self) -> Option<IdempotencyKey> {
        Some(IdempotencyKey { operation: self.text()?, key: self.text()? })
    }

    fn entity(&mut self, is_repeating: bool) -> Option<Entity> {
        let mut entity = Entity {
            kind: self.kind()?,
            id: self.id(SonataId::parse)?,
            buyer: self.maybe(|one| one.id(BuyerId::parse))?,
            seller: self.maybe(|one| one.id(SellerId::parse))?,
            backend: self.maybe(|one| one.id(BackendId::parse))?,
            legacy_id: self.maybe(|one| one.id(LegacyId::parse))?,
            parent: self.maybe(|one| one.id(SonataId::parse))?,
            state: self.maybe(Self::text)?,
            external_id: self.maybe(Self::text)?,
            version: self.number()?,
            created_ms: self.time()?,
            updated_ms: self.time()?,
            document: None,
            request: None,
            legacy: None,
        };
        if is_repeating {
            let request = self.blob()?;
            entity.document = Some(self.pieces(&request)?);
            entity.request = Some(request);
        } else {
            entity.document = self.maybe(Self::blob)?;
            entity.request = self.maybe(Self::blob)?;
        }
        entity.legacy = self.maybe(Self::blob)?;
        Some(entity)
    }

    /// What [`write_pieces`] has put there.
    fn pieces(&mut self, request: &Bytes) -> Option<Bytes> {
        let length = |one: &mut Self| usize::try_from(u32::from_le_bytes(one.array()?)).ok();
        let count = length(self).filter(|count| *count <= PIECES_MAX)?;
        let mut document = Vec::with_capacity(request.len());
        for _ in 0..count {
            document.extend_from_slice(&self.blob()?);
            let (start, bytes) = (length(self)?, length(self)?);
            document.extend_from_slice(request.get(start..start.checked_add(bytes)?)?);
        }
        document.extend_from_slice(&self.blob()?);
        Some(document.into())
    }

    fn journal(&mut self, crc: impl FnOnce(&mut Self) -> Option<Option<u32>>) -> Option<JournalEntry> {
        Some(JournalEntry {
            exchange: self.id(ExchangeId::parse)?,
            operation: self.text()?,
            call: self.text()?,
            step: {
                let word = self.text()?;
                Step::ALL.into_iter().find(|step| step.as_str() == word)?
            },
            backend: self.maybe(|one| one.id(BackendId::parse))?,
            request_crc: self.maybe(crc)?.flatten(),
            status: self.maybe(|one| one.array().map(u16::from_le_bytes))?,
            reply: self.maybe(Self::blob)?,
            at_ms: self.time()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_repeats_its_request_is_written_once_and_read_whole() {
        let long = (0..200).map(|n| format!("\"member {n}\":{n},")).collect::<Vec<_>>().concat();
        let request = Bytes::from(format!("{{{long}\"end\":0}}"));
        let document = Bytes::from(format!("{{\"id\":\"q-1\",{long}\"end\":0,\"state\":\"acknowledged\"}}"));
        let plain = Bytes::from_static(b"{}");
        for (tag, document, request, legacy) in [
            (0, Some(&document), Some(&request), None),
            (1, Some(&document), Some(&request), Some(&plain)),
            (0, Some(&request), Some(&request), None),
            (1, Some(&plain), Some(&request), None),
            (0, Some(&document), None, Some(&plain)),
            (1, None, Some(&request), None),
            (0, None, None, None),
        ] {
            let mut entity = Entity::new(Kind::new("quote"), SonataId::parse("q-1").unwrap(), 7);
            (entity.document, entity.request, entity.legacy) =
                (document.cloned(), request.cloned(), legacy.cloned());
            let mut bytes = Vec::new();
            write_entity(tag, &entity, &mut bytes);
            let is_repeating = document.is_some_and(|one| *one != plain) && request.is_some();
            assert_eq!(bytes[0], if is_repeating { tag + REPEATING } else { tag });
            let most =
                [&request, &legacy].iter().filter_map(|one| **one).map(Bytes::len).sum::<usize>() + 400;
            assert!(!is_repeating || bytes.len() < most, "{} bytes", bytes.len());
            assert_eq!(super::entity(Bytes::from(bytes.clone())), Some(entity));
            // A piece that the request does not have is none of ours, as is whatever ends too early.
            for end in 0..bytes.len() {
                assert_eq!(super::entity(Bytes::copy_from_slice(&bytes[..end])), None, "{end}");
            }
        }
    }

    #[test]
    fn the_journal_of_an_earlier_version_is_read() {
        let entry = JournalEntry {
            exchange: ExchangeId::parse("e-1").unwrap(),
            operation: "quote.createQuote".to_owned(),
            call: "offers".to_owned(),
            step: Step::Intent,
            backend: None,
            request_crc: Some(7),
            status: Some(200),
            reply: None,
            at_ms: 5,
        };
        let mut now = Vec::new();
        write_journal(&entry, &mut now);
        let read = |bytes: &[u8]| match Reader(&mut Bytes::copy_from_slice(bytes)).change() {
            Some(Change::Journal(entry)) => Some(*entry),
            _ => None,
        };
        assert_eq!(read(&now), Some(entry.clone()));
        // It had another tag, and 32 bytes in the place of the four.
        let crc = now.windows(5).position(|bytes| bytes == [1, 7, 0, 0, 0]).unwrap() + 1;
        let mut before = now.clone();
        before[0] = 7;
        before.splice(crc..crc + 4, [9; 32]);
        assert_eq!(read(&before), Some(JournalEntry { request_crc: None, ..entry }));
    }
}
