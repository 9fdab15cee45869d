//! What is acknowledged and not yet in the database.
//!
//! Batches are in the log first and in the database a little later, many at once. Between the two, reads look here
//! before they look there. The committer looks as well: whether a batch fits is decided before it is written, by
//! what it and its neighbours would find. What was changed twice is here once: that is what the database takes in.

use std::collections::{HashMap, hash_map::Entry};

use indexmap::IndexMap;
use rusqlite::Connection;
use uuid::Uuid;

use super::{
    Batch, Change, Conflict, Entity, IdempotencyKey, JournalEntry, KeyPair, Kind, Reference, Remembered,
    RememberedAnswer, Step, StoreError, column, log::Spot, read,
};
use crate::ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId};

/// The entity of a partner.
pub(super) type EntityKey = (PartnerId, Kind, SonataId);

/// The reference of a partner's entity in one legacy system.
type ReferenceKey = (PartnerId, BackendId, Kind, SonataId);

/// An entity as it is to be.
#[derive(Debug, Clone)]
pub(super) struct Staged {
    pub(super) entity: Entity,
    /// Where the log has its documents; `None` where it has none, or there is no log.
    pub(super) spot: Option<Spot>,
    /// Whether the database surely has no row of it.
    pub(super) is_new: bool,
}

/// Changes as reads see them; a change that is not here is seen in the database. In the order in which things came.
#[derive(Debug, Default)]
pub(super) struct Overlay {
    pub(super) entities: IndexMap<EntityKey, Staged>,
    pub(super) to_legacy: IndexMap<ReferenceKey, LegacyId>,
    to_sonata: HashMap<(PartnerId, BackendId, Kind, LegacyId), SonataId>,
    pub(super) keys: HashMap<EntityKey, Vec<KeyPair>>,
    /// `None`: given back.
    pub(super) idempotency: HashMap<(PartnerId, IdempotencyKey), Option<Remembered>>,
    pub(super) journal: IndexMap<(PartnerId, ExchangeId), Vec<JournalEntry>>,
    /// A reference took another legacy id. Which entity the former one belongs to now only the database can tell.
    pub(super) moved: bool,
}

impl Overlay {
    /// The entity.
    pub(super) fn entity(&self, partner: &PartnerId, kind: &Kind, id: &SonataId) -> Option<Entity> {
        let staged = self.entities.get(&(partner.clone(), kind.clone(), id.clone()))?;
        Some(staged.entity.clone())
    }

    /// The legacy id of an entity.
    pub(super) fn legacy_id(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        kind: &Kind,
        id: &SonataId,
    ) -> Option<&LegacyId> {
        self.to_legacy.get(&(partner.clone(), backend.clone(), kind.clone(), id.clone()))
    }

    /// The newest entity with a legacy id.
    pub(super) fn sonata_id(
        &self,
        partner: &PartnerId,
        backend: &BackendId,
        kind: &Kind,
        id: &LegacyId,
    ) -> Option<&SonataId> {
        self.to_sonata.get(&(partner.clone(), backend.clone(), kind.clone(), id.clone()))
    }

    /// The key pairs that are added to those of the database.
    pub(super) fn keys(&self, partner: &PartnerId, kind: &Kind, id: &SonataId) -> Vec<KeyPair> {
        self.keys.get(&(partner.clone(), kind.clone(), id.clone())).cloned().unwrap_or_default()
    }

    /// What is kept under a key; inner `None` where it was given back.
    #[expect(clippy::option_option, reason = "not in the overlay, and given back there, are two answers")]
    pub(super) fn idempotency(
        &self,
        partner: &PartnerId,
        key: &IdempotencyKey,
    ) -> Option<Option<Remembered>> {
        self.idempotency.get(&(partner.clone(), key.clone())).cloned()
    }

    /// Takes over what a later overlay says, which is empty then.
    pub(super) fn take(&mut self, later: &mut Self) {
        self.entities.extend(later.entities.drain(..));
        self.to_legacy.extend(later.to_legacy.drain(..));
        self.to_sonata.extend(later.to_sonata.drain());
        for (entity, pairs) in later.keys.drain() {
            remember(self.keys.entry(entity).or_default(), pairs);
        }
        self.idempotency.extend(later.idempotency.drain());
        for (exchange, entries) in later.journal.drain(..) {
            self.journal.entry(exchange).or_default().extend(entries);
        }
        self.moved |= std::mem::take(&mut later.moved);
    }

    fn clear(&mut self) {
        self.entities.clear();
        self.to_legacy.clear();
        self.to_sonata.clear();
        self.keys.clear();
        self.idempotency.clear();
        self.journal.clear();
        self.moved = false;
    }
}

/// Whether an exchange meant to change something and has come to its end with these steps.
pub(super) fn is_whole(entries: &[JournalEntry]) -> bool {
    entries.iter().any(|entry| entry.step == Step::Intent)
        && entries.iter().any(|entry| entry.step == Step::Done && entry.call.is_empty())
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

/// The greatest UUID of each group of rows: whatever is greater is not in the database, and need not be looked for
/// there. New ids are ordered by time, so that most are.
#[derive(Debug, Default)]
pub(super) struct Newest {
    entities: HashMap<(PartnerId, Kind), Option<Uuid>>,
    references: HashMap<(PartnerId, BackendId, Kind), Option<Uuid>>,
}

/// Whether `id` is greater than all before; it is one of them from then on.
fn is_newest(known: &mut Option<Uuid>, id: &SonataId) -> bool {
    let Some(id) = column::uuid(id.as_str()) else { return false };
    let is_newest = known.is_none_or(|known| known < id);
    if is_newest {
        *known = Some(id);
    }
    is_newest
}

/// What a group of batches would make of the store, while it is put together.
pub(super) struct Stage<'s> {
    /// What this group changes.
    pub(super) staged: Overlay,
    /// What the batch that is added changes; empty between two.
    batch: Overlay,
    /// What earlier groups changed and the database does not have.
    overlay: &'s Overlay,
    /// The database.
    db: &'s Connection,
    /// What the database cannot have.
    newest: &'s mut Newest,
    /// The log has it already: it did fit.
    is_decided: bool,
}

impl<'s> Stage<'s> {
    /// Nothing yet.
    pub(super) fn new(
        overlay: &'s Overlay,
        db: &'s Connection,
        newest: &'s mut Newest,
        is_decided: bool,
    ) -> Self {
        Self { staged: Overlay::default(), batch: Overlay::default(), overlay, db, newest, is_decided }
    }

    /// Adds a batch if it fits, or says why it does not and adds nothing of it. `spots` are those of its entities,
    /// in order.
    pub(super) fn add(&mut self, batch: Batch, spots: &[Option<Spot>]) -> Result<(), StoreError> {
        let mut spots = spots.iter().copied();
        for change in batch.changes {
            if let Err(error) = self.change(&batch.partner, change, &mut spots) {
                self.batch.clear();
                return Err(error);
            }
        }
        self.staged.take(&mut self.batch);
        Ok(())
    }

    fn change(
        &mut self,
        partner: &PartnerId,
        change: Change,
        spots: &mut impl Iterator<Item = Option<Spot>>,
    ) -> Result<(), StoreError> {
        match change {
            Change::Create(entity) => {
                let is_free = self.is_decided
                    || self.is_new(partner, &entity)?
                    || self.version(partner, &entity)?.is_none();
                if !is_free {
                    return Err(Conflict::Exists.into());
                }
                self.put_entity(partner, *entity, spots.next().flatten(), true)
            }
            Change::Update(mut entity) => {
                if !self.is_decided && self.version(partner, &entity)? != Some(entity.version) {
                    return Err(Conflict::Version.into());
                }
                entity.version = entity.version.saturating_add(1);
                self.put_entity(partner, *entity, spots.next().flatten(), false)
            }
            Change::Refer(reference) => self.refer(partner, reference),
            Change::Remember { kind, id, pairs } => {
                remember(self.batch.keys.entry((partner.clone(), kind, id)).or_default(), pairs);
                Ok(())
            }
            Change::Begin { key, body_hash, exchange, at_ms } => {
                if !self.is_decided && self.idempotency(partner, &key)?.is_some() {
                    return Err(Conflict::Key.into());
                }
                let begun = Remembered { body_hash, exchange, begun_ms: at_ms, answer: None };
                self.batch.idempotency.insert((partner.clone(), key), Some(begun));
                Ok(())
            }
            Change::Finish { key, status, answer, entity } => {
                let mut known = self.idempotency(partner, &key)?.ok_or(Conflict::Key)?;
                known.answer = Some(RememberedAnswer { status, body: answer, entity });
                self.batch.idempotency.insert((partner.clone(), key), Some(known));
                Ok(())
            }
            Change::Abandon { key, exchange } => self.abandon(partner, key, &exchange),
            Change::Journal(entry) => {
                let exchange = (partner.clone(), entry.exchange.clone());
                self.batch.journal.entry(exchange).or_default().push(*entry);
                Ok(())
            }
        }
    }

    fn is_new(&mut self, partner: &PartnerId, entity: &Entity) -> Result<bool, StoreError> {
        let newest = match self.newest.entities.entry((partner.clone(), entity.kind.clone())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(read::newest(self.db, partner, &entity.kind)?),
        };
        Ok(is_newest(newest, &entity.id))
    }

    fn is_new_reference(&mut self, partner: &PartnerId, r: &Reference) -> Result<bool, StoreError> {
        let rows = (partner.clone(), r.backend.clone(), r.kind.clone());
        let newest = match self.newest.references.entry(rows) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(read::newest_reference(self.db, partner, &r.backend, &r.kind)?)
            }
        };
        Ok(is_newest(newest, &r.sonata_id))
    }

    /// The entity as it is, where the database does not have it so.
    fn near(&self, key: &EntityKey) -> Option<&Staged> {
        [&self.batch, &self.staged, self.overlay].into_iter().find_map(|one| one.entities.get(key))
    }

    /// The version of the entity as it is.
    fn version(&self, partner: &PartnerId, entity: &Entity) -> Result<Option<u64>, StoreError> {
        match self.near(&(partner.clone(), entity.kind.clone(), entity.id.clone())) {
            Some(known) => Ok(Some(known.entity.version)),
            None => read::version(self.db, partner, &entity.kind, &entity.id),
        }
    }

    fn put_entity(
        &mut self,
        partner: &PartnerId,
        entity: Entity,
        spot: Option<Spot>,
        is_created: bool,
    ) -> Result<(), StoreError> {
        if i64::try_from(entity.version).is_err() {
            return Err(StoreError::Failed("a version beyond 63 bits".to_owned()));
        }
        if let (Some(backend), Some(legacy_id)) = (&entity.backend, &entity.legacy_id) {
            let (backend, legacy_id) = (backend.clone(), legacy_id.clone());
            let (kind, sonata_id) = (entity.kind.clone(), entity.id.clone());
            self.refer(partner, Reference { kind, sonata_id, backend, legacy_id })?;
        }
        let key = (partner.clone(), entity.kind.clone(), entity.id.clone());
        let is_new = is_created || self.near(&key).is_some_and(|near| near.is_new);
        // What the log has may be an entity that was there and is only elsewhere in the log now.
        let is_new = is_new && !self.is_decided;
        self.batch.entities.insert(key, Staged { entity, spot, is_new });
        Ok(())
    }

    fn refer(&mut self, partner: &PartnerId, r: Reference) -> Result<(), StoreError> {
        let sonata = (partner.clone(), r.backend.clone(), r.kind.clone(), r.sonata_id.clone());
        let levels = [&self.batch, &self.staged, self.overlay];
        let near = levels.into_iter().find_map(|one| one.to_legacy.get(&sonata)).cloned();
        let known = match near {
            Some(known) => Some(known),
            None if self.is_new_reference(partner, &r)? => None,
            None => read::legacy_id(self.db, partner, &r.backend, (&r.kind, &r.sonata_id))?,
        };
        match known {
            Some(known) if known == r.legacy_id => return Ok(()),
            Some(_) => self.batch.moved = true,
            None => {}
        }
        self.batch.to_legacy.insert(sonata, r.legacy_id.clone());
        let legacy = (partner.clone(), r.backend, r.kind, r.legacy_id);
        self.batch.to_sonata.insert(legacy, r.sonata_id);
        Ok(())
    }

    fn idempotency(
        &self,
        partner: &PartnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Remembered>, StoreError> {
        let levels = [&self.batch, &self.staged, self.overlay];
        match levels.into_iter().find_map(|one| one.idempotency(partner, key)) {
            Some(known) => Ok(known),
            None => read::idempotency(self.db, partner, key),
        }
    }

    fn abandon(
        &mut self,
        partner: &PartnerId,
        key: IdempotencyKey,
        exchange: &ExchangeId,
    ) -> Result<(), StoreError> {
        let known = self.idempotency(partner, &key)?;
        if known.is_some_and(|known| known.exchange == *exchange && known.answer.is_none()) {
            self.batch.idempotency.insert((partner.clone(), key), None);
        }
        Ok(())
    }
}
