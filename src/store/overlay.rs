//! What is acknowledged and not yet in the database.
//!
//! Batches are in the log first and in the database a little later, many at once. Between the two, reads look here
//! before they look there. The committer looks as well: whether a batch fits is decided before it is written, by
//! what it and its neighbours would find.

use std::collections::{HashMap, hash_map::Entry};

use rusqlite::Connection;

use super::{
    Batch, Change, Conflict, Entity, IdempotencyKey, KeyPair, Kind, Reference, Remembered, RememberedAnswer,
    StoreError, read,
};
use crate::ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId};

/// The entity of a partner.
type EntityKey = (PartnerId, Kind, SonataId);

/// Changes as reads see them; a change that is not here is seen in the database.
#[derive(Debug, Clone, Default)]
pub(super) struct Overlay {
    entities: HashMap<EntityKey, Entity>,
    to_legacy: HashMap<(PartnerId, BackendId, Kind, SonataId), LegacyId>,
    to_sonata: HashMap<(PartnerId, BackendId, Kind, LegacyId), SonataId>,
    keys: HashMap<EntityKey, Vec<KeyPair>>,
    /// `None`: given back.
    idempotency: HashMap<(PartnerId, IdempotencyKey), Option<Remembered>>,
    /// A reference took another legacy id. Which entity the former one belongs to now only the database can tell.
    pub(super) moved: bool,
}

impl Overlay {
    /// The entity.
    pub(super) fn entity(&self, partner: &PartnerId, kind: &Kind, id: &SonataId) -> Option<Entity> {
        self.entities.get(&(partner.clone(), kind.clone(), id.clone())).cloned()
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

    /// Takes over what a later overlay says.
    pub(super) fn take(&mut self, later: Self) {
        self.entities.extend(later.entities);
        self.to_legacy.extend(later.to_legacy);
        self.to_sonata.extend(later.to_sonata);
        for (entity, pairs) in later.keys {
            remember(self.keys.entry(entity).or_default(), pairs);
        }
        self.idempotency.extend(later.idempotency);
        self.moved |= later.moved;
    }
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

/// The greatest id of each group of rows: whatever is greater is not in the database, and need not be looked for
/// there. New ids are ordered by time, so that most are.
#[derive(Debug, Default)]
pub(super) struct Newest {
    entities: HashMap<(PartnerId, Kind), Option<SonataId>>,
    references: HashMap<(PartnerId, BackendId, Kind), Option<SonataId>>,
}

/// Whether `id` is greater than all before; it is one of them from then on.
fn is_newest(known: &mut Option<SonataId>, id: &SonataId) -> bool {
    let is_newest = known.as_ref().is_none_or(|known| known.as_str() < id.as_str());
    if is_newest {
        *known = Some(id.clone());
    }
    is_newest
}

/// What a group of batches would make of the store, while it is put together.
pub(super) struct Stage<'s> {
    /// What this group changes.
    pub(super) staged: Overlay,
    /// What earlier groups changed and the database does not have.
    pub(super) overlay: &'s Overlay,
    /// The database.
    pub(super) db: &'s Connection,
    /// What the database cannot have.
    pub(super) newest: &'s mut Newest,
}

impl Stage<'_> {
    /// Adds a batch if it fits, or says why it does not and adds nothing of it.
    pub(super) fn add(&mut self, batch: &Batch) -> Result<(), StoreError> {
        // One that can only fail at its first change leaves nothing behind.
        let last = batch.changes.iter().rposition(may_conflict);
        let before = last.is_some_and(|last| last > 0).then(|| self.staged.clone());
        for change in &batch.changes {
            if let Err(error) = self.change(&batch.partner, change) {
                if let Some(before) = before {
                    self.staged = before;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    fn change(&mut self, partner: &PartnerId, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Create(entity) => {
                if !self.is_new(partner, entity)? && self.version(partner, entity)?.is_some() {
                    return Err(Conflict::Exists.into());
                }
                self.put_entity(partner, entity, entity.version)
            }
            Change::Update(entity) => {
                if self.version(partner, entity)? != Some(entity.version) {
                    return Err(Conflict::Version.into());
                }
                self.put_entity(partner, entity, entity.version.saturating_add(1))
            }
            Change::Refer(reference) => self.refer(partner, reference),
            Change::Remember { kind, id, pairs } => {
                let entity = (partner.clone(), kind.clone(), id.clone());
                remember(self.staged.keys.entry(entity).or_default(), pairs.iter().cloned());
                Ok(())
            }
            Change::Begin { key, body_hash, exchange, at_ms } => {
                if self.idempotency(partner, key)?.is_some() {
                    return Err(Conflict::Key.into());
                }
                let begun = Remembered {
                    body_hash: *body_hash,
                    exchange: exchange.clone(),
                    begun_ms: *at_ms,
                    answer: None,
                };
                self.staged.idempotency.insert((partner.clone(), key.clone()), Some(begun));
                Ok(())
            }
            Change::Finish { key, status, answer, entity } => {
                let mut known = self.idempotency(partner, key)?.ok_or(Conflict::Key)?;
                let (status, body, entity) = (*status, answer.clone(), entity.clone());
                known.answer = Some(RememberedAnswer { status, body, entity });
                self.staged.idempotency.insert((partner.clone(), key.clone()), Some(known));
                Ok(())
            }
            Change::Abandon { key, exchange } => self.abandon(partner, key, exchange),
            Change::Journal(_) => Ok(()),
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

    /// The version of the entity as it is.
    fn version(&self, partner: &PartnerId, entity: &Entity) -> Result<Option<u64>, StoreError> {
        let key = (partner.clone(), entity.kind.clone(), entity.id.clone());
        match self.staged.entities.get(&key).or_else(|| self.overlay.entities.get(&key)) {
            Some(known) => Ok(Some(known.version)),
            None => read::version(self.db, partner, &entity.kind, &entity.id),
        }
    }

    fn put_entity(&mut self, partner: &PartnerId, entity: &Entity, version: u64) -> Result<(), StoreError> {
        if i64::try_from(version).is_err() {
            return Err(StoreError::Failed("a version beyond 63 bits".to_owned()));
        }
        if let (Some(backend), Some(legacy_id)) = (&entity.backend, &entity.legacy_id) {
            let (backend, legacy_id) = (backend.clone(), legacy_id.clone());
            let (kind, sonata_id) = (entity.kind.clone(), entity.id.clone());
            self.refer(partner, &Reference { kind, sonata_id, backend, legacy_id })?;
        }
        let key = (partner.clone(), entity.kind.clone(), entity.id.clone());
        self.staged.entities.insert(key, Entity { version, ..entity.clone() });
        Ok(())
    }

    fn refer(&mut self, partner: &PartnerId, r: &Reference) -> Result<(), StoreError> {
        let sonata = (partner.clone(), r.backend.clone(), r.kind.clone(), r.sonata_id.clone());
        let near =
            self.staged.to_legacy.get(&sonata).or_else(|| self.overlay.to_legacy.get(&sonata)).cloned();
        let known = match near {
            Some(known) => Some(known),
            None if self.is_new_reference(partner, r)? => None,
            None => {
                let row = [partner.as_str(), r.backend.as_str(), r.kind.as_str(), r.sonata_id.as_str()];
                read::legacy_id(self.db, row)?
            }
        };
        match known {
            Some(known) if known == r.legacy_id => return Ok(()),
            Some(_) => self.staged.moved = true,
            None => {}
        }
        self.staged.to_legacy.insert(sonata, r.legacy_id.clone());
        let legacy = (partner.clone(), r.backend.clone(), r.kind.clone(), r.legacy_id.clone());
        self.staged.to_sonata.insert(legacy, r.sonata_id.clone());
        Ok(())
    }

    fn idempotency(
        &self,
        partner: &PartnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Remembered>, StoreError> {
        let near = self.staged.idempotency(partner, key).or_else(|| self.overlay.idempotency(partner, key));
        match near {
            Some(known) => Ok(known),
            None => read::idempotency(self.db, partner, key),
        }
    }

    fn abandon(
        &mut self,
        partner: &PartnerId,
        key: &IdempotencyKey,
        exchange: &ExchangeId,
    ) -> Result<(), StoreError> {
        let known = self.idempotency(partner, key)?;
        if known.is_some_and(|known| known.exchange == *exchange && known.answer.is_none()) {
            self.staged.idempotency.insert((partner.clone(), key.clone()), None);
        }
        Ok(())
    }
}

fn may_conflict(change: &Change) -> bool {
    // Reading what is known may fail for any of these.
    !matches!(change, Change::Remember { .. } | Change::Journal(_))
}
