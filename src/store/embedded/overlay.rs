//! What is acknowledged and not yet in the database.
//!
//! Batches are in the log first and in the database a little later, thousands at once. Between the two, reads look
//! here before they look there. Whether a batch fits is decided here as well, before it is written. What was changed
//! twice is here once: that is what the database takes in. Documents are not here: the log has them.

use std::sync::Arc;

use foldhash::fast::RandomState;

use super::{
    Entity, Holding, IdempotencyKey, JournalEntry, KeyPair, Kind, Remembered, Step,
    agenda::Agenda,
    log::{Position, Spot},
};
use crate::ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId};

/// Maps that are short-lived and looked into several times for each commit; their seeds are random.
pub(super) type IndexMap<K, V> = indexmap::IndexMap<K, V, RandomState>;
pub(super) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// The entity of a partner.
pub(super) type EntityKey = (PartnerId, Kind, SonataId);

/// The reference of a partner's entity in one legacy system.
pub(super) type ReferenceKey = (PartnerId, BackendId, Kind, SonataId);

/// An entity as it is to be.
#[derive(Debug, Clone)]
pub(super) struct Staged {
    /// Without its documents where the log has them.
    pub(super) entity: Box<Entity>,
    /// Where the log has its documents; `None` where it has none, or there is no log.
    pub(super) spot: Option<Spot>,
    /// Whether the database surely has no row of it when it takes this in.
    pub(super) is_new: bool,
}

/// Changes as reads see them; a change that is not here is seen in the database. In the order in which things came.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    pub(super) entities: IndexMap<EntityKey, Staged>,
    pub(super) to_legacy: IndexMap<ReferenceKey, LegacyId>,
    pub(super) to_sonata: HashMap<(PartnerId, BackendId, Kind, LegacyId), SonataId>,
    pub(super) keys: IndexMap<EntityKey, Vec<KeyPair>>,
    /// `None`: given back.
    pub(super) idempotency: HashMap<(PartnerId, IdempotencyKey), Option<Remembered>>,
    pub(super) journal: IndexMap<(PartnerId, ExchangeId), Vec<JournalEntry>>,
    /// A reference took another legacy id. Which entity the former one belongs to now only the database can tell.
    pub(super) moved: bool,
    pub(super) agenda: Agenda,
}

impl Overlay {
    /// Takes over what a later overlay says, which is empty then. How many bytes it let go: what an exchange noted for
    /// the case that it does not come to its end is of no use once it did, and is most of what would be held.
    pub(super) fn take(&mut self, later: &mut Self) -> usize {
        self.entities.extend(later.entities.drain(..));
        self.to_legacy.extend(later.to_legacy.drain(..));
        self.to_sonata.extend(later.to_sonata.drain());
        for (entity, pairs) in later.keys.drain(..) {
            remember(self.keys.entry(entity).or_default(), pairs);
        }
        self.idempotency.extend(later.idempotency.drain());
        let mut freed_bytes = 0;
        for (exchange, entries) in later.journal.drain(..) {
            let known = self.journal.entry(exchange).or_default();
            known.extend(entries);
            if is_whole(known) {
                freed_bytes += forget_intents(known);
            }
        }
        self.moved |= std::mem::take(&mut later.moved);
        self.agenda.take(&mut later.agenda);
        freed_bytes
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        self.entities.is_empty()
            && self.to_legacy.is_empty()
            && self.to_sonata.is_empty()
            && self.keys.is_empty()
            && self.idempotency.is_empty()
            && self.journal.is_empty()
            && !self.moved
            && self.agenda.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.entities.clear();
        self.to_legacy.clear();
        self.to_sonata.clear();
        self.keys.clear();
        self.idempotency.clear();
        self.journal.clear();
        self.moved = false;
        self.agenda.clear();
    }
}

/// How much is in an overlay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Pending {
    /// Batches.
    pub(super) batches: usize,
    /// Bytes of their records, documents apart.
    pub(super) held_bytes: usize,
    /// Bytes of the log that are read again after a sudden end.
    pub(super) log_bytes: u64,
}

impl Pending {
    /// Whether any bound of `max` is reached.
    pub(super) fn reaches(self, max: Self) -> bool {
        self.batches >= max.batches || self.held_bytes >= max.held_bytes || self.log_bytes >= max.log_bytes
    }

    pub(super) fn add(&mut self, more: Self) {
        self.batches += more.batches;
        self.held_bytes += more.held_bytes;
        self.log_bytes += more.log_bytes;
    }

    /// So many bytes are not held any longer.
    pub(super) fn free(&mut self, bytes: usize) {
        self.held_bytes = self.held_bytes.saturating_sub(bytes);
    }
}

/// What the database takes in next, and up to where the log is in it then.
#[derive(Debug)]
pub(super) struct Frozen {
    pub(super) overlay: Overlay,
    /// `None` in memory.
    pub(super) end: Option<Position>,
    /// What the desk knows it by.
    pub(super) generation: u64,
}

/// What the database does not have: what it is taking in, and what came since.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) current: Overlay,
    /// How much is in `current`.
    pub(super) pending: Pending,
    pub(super) frozen: Option<Arc<Frozen>>,
}

impl Layers {
    /// The overlays, the newer one first.
    pub(super) fn each(&self) -> impl Iterator<Item = &Overlay> {
        std::iter::once(&self.current).chain(self.frozen.as_ref().map(|frozen| &frozen.overlay))
    }

    /// What they say of tasks, the newer one first.
    pub(super) fn agendas(&self) -> impl Iterator<Item = &Agenda> {
        self.each().map(|one| &one.agenda)
    }

    /// Whether there is nothing that the database does not have.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.batches == 0 && self.frozen.is_none()
    }

    /// The entity, without its documents where the log has them.
    pub(super) fn entity(&self, key: &EntityKey) -> Option<&Staged> {
        self.each().find_map(|one| one.entities.get(key))
    }

    /// The legacy id of an entity.
    pub(super) fn legacy_id(&self, key: &ReferenceKey) -> Option<&LegacyId> {
        self.each().find_map(|one| one.to_legacy.get(key))
    }

    /// The newest entity with a legacy id.
    pub(super) fn sonata_id(&self, key: &(PartnerId, BackendId, Kind, LegacyId)) -> Option<&SonataId> {
        self.each().find_map(|one| one.to_sonata.get(key))
    }

    /// Which partners have one of these legacy ids. A walk over all that is not in the database yet, which is bounded.
    pub(super) fn holders(
        &self,
        backend: &BackendId,
        wanted: &[(Kind, LegacyId)],
    ) -> std::collections::HashSet<Holding> {
        let wanted: std::collections::HashSet<(&Kind, &LegacyId)> =
            wanted.iter().map(|(kind, id)| (kind, id)).collect();
        let all = self.each().flat_map(|one| one.to_sonata.keys());
        let own = all.filter(|(_, own, kind, id)| own == backend && wanted.contains(&(kind, id)));
        own.map(|(partner, _, kind, id)| (partner.clone(), kind.clone(), id.clone())).collect()
    }

    /// The key pairs that are added to those of the database.
    pub(super) fn keys(&self, key: &EntityKey) -> Vec<KeyPair> {
        let (mut pairs, frozen) = (Vec::new(), self.frozen.as_ref().map(|frozen| &frozen.overlay));
        for one in frozen.into_iter().chain([&self.current]) {
            remember(&mut pairs, one.keys.get(key).into_iter().flatten().cloned());
        }
        pairs
    }

    /// What is kept under a key; inner `None` where it was given back.
    #[expect(clippy::option_option, reason = "not in the overlay, and given back there, are two answers")]
    pub(super) fn idempotency(&self, key: &(PartnerId, IdempotencyKey)) -> Option<Option<&Remembered>> {
        self.each().find_map(|one| one.idempotency.get(key)).map(Option::as_ref)
    }
}

/// Whether an exchange meant to change something and has come to its end with these steps.
pub(super) fn is_whole(entries: &[JournalEntry]) -> bool {
    entries.iter().any(|entry| entry.step == Step::Intent)
        && entries.iter().any(|entry| entry.step == Step::Done && entry.call.is_empty())
}

/// Drops what an exchange noted at its intents; how many bytes. What was answered stays: where the database has the
/// beginning of the exchange already, it takes in the rest as it came.
fn forget_intents(entries: &mut [JournalEntry]) -> usize {
    let intents = entries.iter_mut().filter(|entry| entry.step == Step::Intent);
    intents.filter_map(|entry| entry.reply.take()).map(|note| note.len()).sum()
}

/// Adds pairs; a Sonata key that is there gets the new legacy key.
pub(super) fn remember(pairs: &mut Vec<KeyPair>, newer: impl IntoIterator<Item = KeyPair>) {
    for pair in newer {
        match pairs.iter_mut().find(|one| one.group == pair.group && one.sonata == pair.sonata) {
            Some(one) => *one = pair,
            None => pairs.push(pair),
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn entry(call: &str, step: Step, reply: &'static str) -> JournalEntry {
        JournalEntry {
            exchange: ExchangeId::parse("e-1").unwrap(),
            operation: "quote.createQuote".to_owned(),
            call: call.to_owned(),
            step,
            backend: None,
            request_crc: Some(7),
            status: None,
            reply: Some(Bytes::from_static(reply.as_bytes())).filter(|reply| !reply.is_empty()),
            at_ms: 5,
        }
    }

    #[test]
    fn what_an_exchange_noted_at_its_beginning_is_held_until_its_end() {
        let key = (PartnerId::parse("globex").unwrap(), ExchangeId::parse("e-1").unwrap());
        let mut overlay = Overlay::default();
        let mut take = |entries: Vec<JournalEntry>| {
            let mut later = Overlay::default();
            later.journal.insert(key.clone(), entries);
            let freed_bytes = overlay.take(&mut later);
            let replies = overlay.journal[&key].iter().map(|entry| entry.reply.as_ref().map(Bytes::len));
            (freed_bytes, replies.collect::<Vec<_>>())
        };
        let noted = vec![entry("offer", Step::Intent, ""), entry("", Step::Intent, "request")];
        assert_eq!(take(noted), (0, vec![None, Some(7)]));
        // One call is answered, and nothing has ended.
        let answered = vec![entry("offer", Step::Answered, "reply"), entry("offer", Step::Done, "")];
        assert_eq!(take(answered), (0, vec![None, Some(7), Some(5), None]));
        assert_eq!(take(vec![entry("", Step::Done, "")]), (7, vec![None, None, Some(5), None, None]));
        assert_eq!(take(Vec::new()).0, 0);
    }
}
