//! Whether batches fit, decided before they are written: after that they are acknowledged.

mod tasks;

use std::sync::Mutex;

use rusqlite::Connection;
use uuid::Uuid;

use super::{
    Batch, Change, Conflict, Entity, IdempotencyKey, Kind, Reference, Remembered, RememberedAnswer,
    StoreError, agenda, column,
    desk::Desk,
    log::Spot,
    overlay::{EntityKey, HashMap, Layers, Overlay, ReferenceKey, Staged, remember},
    read,
};
use crate::ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId};

/// The greatest UUID that the database has of each group of rows: whatever is greater need not be looked for there.
/// New ids are ordered by time, so that most are.
#[derive(Debug, Default)]
pub(super) struct Newest {
    entities: HashMap<(PartnerId, Kind), Option<Uuid>>,
    references: HashMap<(PartnerId, BackendId, Kind), Option<Uuid>>,
    /// The last place in the order of all tasks.
    tasks_made: i64,
}

/// Whether `id` is greater than all that are known; `None` while none are.
fn lacks(known: Option<&Option<Uuid>>, id: &SonataId) -> Option<bool> {
    let known = known?;
    Some(column::uuid(id.as_str()).is_some_and(|id| known.is_none_or(|known| known < id)))
}

/// The greatest UUID of each group of `ids`; there are few groups.
fn greatest<'o, G: PartialEq>(ids: impl Iterator<Item = (G, &'o SonataId)>) -> Vec<(G, Uuid)> {
    let mut groups: Vec<(G, Uuid)> = Vec::new();
    for (group, id) in ids {
        let Some(id) = column::uuid(id.as_str()) else { continue };
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, greatest)) => *greatest = id.max(*greatest),
            None => groups.push((group, id)),
        }
    }
    groups
}

impl Newest {
    /// Nothing is known but the last place in the order of all tasks.
    pub(super) fn after(tasks_made: i64) -> Self {
        Self { tasks_made, ..Self::default() }
    }

    /// The database has this now.
    pub(super) fn raise(&mut self, overlay: &Overlay) {
        let entities = overlay.entities.keys().map(|(partner, kind, id)| ((partner, kind), id));
        for ((partner, kind), id) in greatest(entities) {
            if let Some(known) = self.entities.get_mut(&(partner.clone(), kind.clone())) {
                *known = (*known).max(Some(id));
            }
        }
        let references = overlay.to_legacy.keys().map(|(p, backend, kind, id)| ((p, backend, kind), id));
        for ((partner, backend, kind), id) in greatest(references) {
            if let Some(known) = self.references.get_mut(&(partner.clone(), backend.clone(), kind.clone())) {
                *known = (*known).max(Some(id));
            }
        }
    }

    fn lacks_entity(&self, partner: &PartnerId, kind: &Kind, id: &SonataId) -> Option<bool> {
        lacks(self.entities.get(&(partner.clone(), kind.clone())), id)
    }

    fn lacks_reference(&self, (partner, backend, kind, id): &ReferenceKey) -> Option<bool> {
        lacks(self.references.get(&(partner.clone(), backend.clone(), kind.clone())), id)
    }

    /// Whether the batch can be decided by what is known here and in the overlays, and needs no look into the
    /// database, neither before nor after.
    pub(super) fn suffices(&self, layers: &Layers, batch: &Batch) -> bool {
        let partner = &batch.partner;
        let refers = |kind: &Kind, id: &SonataId, backend: &BackendId, legacy_id: &LegacyId| {
            let key = (partner.clone(), backend.clone(), kind.clone(), id.clone());
            match layers.legacy_id(&key) {
                Some(known) => known == legacy_id,
                None => self.lacks_reference(&key) == Some(true),
            }
        };
        let entity = |entity: &Entity| {
            let key = (partner.clone(), entity.kind.clone(), entity.id.clone());
            let is_known = layers.entity(&key).is_some()
                || self.lacks_entity(partner, &entity.kind, &entity.id) == Some(true);
            let reference = entity.backend.as_ref().zip(entity.legacy_id.as_ref());
            is_known && reference.is_none_or(|(b, legacy_id)| refers(&entity.kind, &entity.id, b, legacy_id))
        };
        batch.changes.iter().all(|change| match change {
            Change::Create(one) | Change::Update(one) => entity(one),
            Change::Refer(r) => refers(&r.kind, &r.sonata_id, &r.backend, &r.legacy_id),
            Change::Begin { key, .. } | Change::Finish { key, .. } | Change::Abandon { key, .. } => {
                layers.idempotency(&(partner.clone(), key.clone())).is_some()
            }
            Change::Revive { id, .. } => agenda::planned(layers.agendas(), id).is_some(),
            Change::Remember { .. }
            | Change::Journal(_)
            | Change::Schedule(_)
            | Change::Settle { .. }
            | Change::Postpone { .. }
            | Change::Bury { .. }
            | Change::Unschedule { .. } => true,
        })
    }
}

/// What a group changes, and what its next batch does. Boxed: they are handed on, and large.
pub(super) type Overlays = (Box<Overlay>, Box<Overlay>);

/// What a group of batches would make of the store, while it is put together.
pub(super) struct Stage<'s> {
    /// What this group changes.
    staged: Box<Overlay>,
    /// What the batch that is added changes; empty between two.
    batch: Box<Overlay>,
    /// What earlier groups changed and the database does not have.
    layers: &'s Layers,
    /// The database; `None` where the caller knows that it is not needed.
    db: Option<&'s Connection>,
    /// What the database cannot have.
    newest: &'s mut Newest,
    /// Who has which task; `None` where nobody has any.
    desk: Option<&'s Mutex<Desk>>,
    /// The log has it already: it did fit.
    is_decided: bool,
}

impl<'s> Stage<'s> {
    /// Nothing yet.
    /// A group that begins, in two overlays that are empty.
    pub(super) fn new(
        (staged, batch): Overlays,
        layers: &'s Layers,
        db: Option<&'s Connection>,
        newest: &'s mut Newest,
        is_decided: bool,
    ) -> Self {
        Self { staged, batch, layers, db, newest, desk: None, is_decided }
    }

    /// With those who have tasks.
    pub(super) fn with_desk(self, desk: &'s Mutex<Desk>) -> Self {
        Self { desk: Some(desk), ..self }
    }

    /// What the group changes, and an empty overlay.
    pub(super) fn end(self) -> Overlays {
        (self.staged, self.batch)
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
        if self.staged.is_empty() {
            std::mem::swap(&mut self.staged, &mut self.batch);
        } else {
            self.staged.take(&mut self.batch);
        }
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
                if !self.is_decided && self.version(partner, &entity)?.is_some() {
                    return Err(Conflict::Exists.into());
                }
                self.put_entity(partner, entity, spots.next().flatten(), true)
            }
            Change::Update(mut entity) => {
                if !self.is_decided && self.version(partner, &entity)? != Some(entity.version) {
                    return Err(Conflict::Version.into());
                }
                entity.version = entity.version.saturating_add(1);
                self.put_entity(partner, entity, spots.next().flatten(), false)
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
            Change::Schedule(task) => self.schedule(partner, *task),
            Change::Settle { lease } => self.give_back(partner, &lease, |_| None),
            Change::Postpone { lease, due_ms, note } => {
                self.give_back(partner, &lease, |task| Some(task.postponed(due_ms, note)))
            }
            Change::Bury { lease, note, at_ms } => {
                self.give_back(partner, &lease, |task| Some(task.buried(at_ms, note)))
            }
            Change::Revive { id, due_ms } => self.revive(partner, &id, due_ms),
            Change::Unschedule { queue, kind, id } => {
                let subject = (partner.clone(), queue, kind, id);
                self.batch.agenda.unscheduled.insert(subject, self.newest.tasks_made);
                Ok(())
            }
        }
    }

    fn levels(&self) -> impl Iterator<Item = &Overlay> {
        [&*self.batch, &*self.staged].into_iter().chain(self.layers.each())
    }

    fn db(&self) -> Result<&'s Connection, StoreError> {
        self.db.ok_or_else(|| StoreError::Failed("a change needs the database to be decided".to_owned()))
    }

    /// The version of the entity as it is.
    fn version(&mut self, partner: &PartnerId, entity: &Entity) -> Result<Option<u64>, StoreError> {
        let key = (partner.clone(), entity.kind.clone(), entity.id.clone());
        if let Some(known) = self.levels().find_map(|one| one.entities.get(&key)) {
            return Ok(Some(known.entity.version));
        }
        let known = self.newest.lacks_entity(partner, &entity.kind, &entity.id);
        let lacks = if let Some(lacks) = known {
            lacks
        } else {
            let newest = read::newest(self.db()?, partner, &entity.kind)?;
            let group = (partner.clone(), entity.kind.clone());
            lacks(Some(self.newest.entities.entry(group).or_insert(newest)), &entity.id) == Some(true)
        };
        if lacks { Ok(None) } else { read::version(self.db()?, partner, &entity.kind, &entity.id) }
    }

    fn put_entity(
        &mut self,
        partner: &PartnerId,
        mut entity: Box<Entity>,
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
        if spot.is_some() {
            (entity.document, entity.request, entity.legacy) = (None, None, None);
        }
        let key: EntityKey = (partner.clone(), entity.kind.clone(), entity.id.clone());
        // What the log has may be an entity that was there and is only elsewhere in the log now; what is frozen is in
        // the database by the time this comes there.
        let is_near_and_new = || {
            let near = [&self.batch, &self.staged, &self.layers.current];
            near.into_iter().find_map(|one| one.entities.get(&key)).is_some_and(|near| near.is_new)
        };
        let is_new = !self.is_decided && (is_created || is_near_and_new());
        self.batch.entities.insert(key, Staged { entity, spot, is_new });
        Ok(())
    }

    fn refer(&mut self, partner: &PartnerId, r: Reference) -> Result<(), StoreError> {
        let sonata = (partner.clone(), r.backend.clone(), r.kind.clone(), r.sonata_id.clone());
        let near = self.levels().find_map(|one| one.to_legacy.get(&sonata)).cloned();
        let known = match near {
            Some(known) => Some(known),
            None if self.lacks_reference(&sonata)? => None,
            None => read::legacy_id(self.db()?, partner, &r.backend, (&r.kind, &r.sonata_id))?,
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

    fn lacks_reference(&mut self, key: &ReferenceKey) -> Result<bool, StoreError> {
        if let Some(lacks) = self.newest.lacks_reference(key) {
            return Ok(lacks);
        }
        let (partner, backend, kind, id) = key;
        let newest = read::newest_reference(self.db()?, partner, backend, kind)?;
        let group = (partner.clone(), backend.clone(), kind.clone());
        Ok(lacks(Some(self.newest.references.entry(group).or_insert(newest)), id) == Some(true))
    }

    fn idempotency(
        &self,
        partner: &PartnerId,
        key: &IdempotencyKey,
    ) -> Result<Option<Remembered>, StoreError> {
        let known = (partner.clone(), key.clone());
        match self.levels().find_map(|one| one.idempotency.get(&known)) {
            Some(known) => Ok(known.clone()),
            None => read::idempotency(self.db()?, partner, key),
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
