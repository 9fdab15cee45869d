//! Gives back what the log no longer needs.
//!
//! Rows refer to documents in the log, and each change of an entity writes its documents anew, so that a segment is
//! needed less and less. One that nothing refers to is removed; of one that is needed to less than a half, what is
//! needed is written again at the log's end, which empties it. Both only where the database has all of it on disk:
//! what a power failure takes back from the database is then still in the log behind.

use std::{fs, io, ops::Range, sync::Arc};

use bytes::Bytes;

use super::{
    Batch, Change, Entity, StoreError,
    applier::Applier,
    core::Written,
    log::{self, Spot},
    open::Place,
    read, record, write,
};
use crate::ids::PartnerId;

impl Applier {
    /// Removes the segments that nothing refers to, and empties one that is hardly needed. Looks only where the log
    /// has come to another segment since, or rows were removed.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        if self.is_thinner {
            if !self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)")? {
                return Ok(());
            }
            (self.is_thinner, self.cleared) = (false, 0);
        }
        let durable = self.durable.segment;
        if durable <= self.cleared {
            return Ok(());
        }
        self.cleared = durable;
        let half_bytes = self.core.limits.segment_bytes / 2;
        let sparse = self.with(|db, _| write::sparse(db, durable, half_bytes))?;
        for (segment, live_bytes) in sparse {
            if live_bytes == 0 {
                self.remove(segment)?;
            } else if self.rewrite(segment)? {
                break;
            }
        }
        Ok(())
    }

    /// Has everything on disk, and leaves no file of the log to which nothing refers.
    pub(super) fn leave(&mut self) -> Result<(), StoreError> {
        let (end, after) = match &self.core.writer()?.log {
            Some(log) => (log.end().segment, log.after()),
            None => return Ok(()),
        };
        let sparse = self.with(|db, _| write::sparse(db, after.segment, 1))?;
        if sparse.iter().any(|(segment, _)| *segment == end) {
            self.with(|db, _| write::move_to(db, after))?;
        }
        if !self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)")? {
            return Err(StoreError::Failed(
                "the database could not be brought to disk: it is being read".to_owned(),
            ));
        }
        sparse.into_iter().try_for_each(|(segment, _)| self.remove(segment))
    }

    fn remove(&mut self, segment: u64) -> Result<(), StoreError> {
        let Place::File(path) = &self.core.place else { return Ok(()) };
        match fs::remove_file(log::segment_path(path, segment)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Failed(error.to_string()))
            }
            _ => self.with(|db, _| write::end_segment(db, segment)),
        }
    }

    /// Writes what is needed of a segment to the log's end, as one record: it is less than half a segment. Whether there
    /// was any.
    fn rewrite(&mut self, segment: u64) -> Result<bool, StoreError> {
        let Place::File(path) = self.core.place.clone() else { return Ok(false) };
        let bytes = fs::read(log::segment_path(&path, segment));
        let bytes = Bytes::from(bytes.map_err(|error| StoreError::Failed(error.to_string()))?);
        let mut needed = Vec::new();
        for (mut payload, from) in log::payloads(&bytes) {
            let end_bytes = from + payload.len() as u64;
            while !payload.is_empty() {
                let (from, mut ranges) = (end_bytes - payload.len() as u64, Vec::new());
                // What cannot be read keeps its segment.
                let Some(batch) = record::read(&mut payload, &mut ranges) else { break };
                self.add_needed(batch, |range| spot(segment, from, &range), ranges, &mut needed)?;
            }
        }
        let any = !needed.is_empty();
        self.write_again(needed)?;
        self.apply()?;
        Ok(any)
    }

    /// Adds those entities of a batch whose documents the database has there.
    fn add_needed(
        &mut self,
        batch: Batch,
        spot: impl Fn(Range<usize>) -> Spot,
        ranges: Vec<Option<Range<usize>>>,
        needed: &mut Vec<(PartnerId, Entity)>,
    ) -> Result<(), StoreError> {
        let place = self.core.place.clone();
        let entities = batch.changes.into_iter().filter_map(|change| match change {
            Change::Create(entity) | Change::Update(entity) => Some(entity),
            _ => None,
        });
        for (entity, range) in entities.zip(ranges) {
            let Some(range) = range else { continue };
            let (partner, spot) = (&batch.partner, spot(range));
            let now = self.with(|db, _| {
                if write::spot(db, partner.as_str(), &entity)? != Some(spot) {
                    return Ok(None);
                }
                read::entity(db, &place, partner, &entity.kind, &entity.id)
            })?;
            needed.extend(now.map(|now| (batch.partner.clone(), now)));
        }
        Ok(())
    }

    /// Writes entities as the database has them, but for those that were changed since: nobody else writes meanwhile.
    fn write_again(&mut self, needed: Vec<(PartnerId, Entity)>) -> Result<(), StoreError> {
        let core = Arc::clone(&self.core);
        let mut writer = core.writer()?;
        let batches: Vec<Batch> = {
            let layers = core.layers();
            let unchanged = needed.into_iter().filter(|(partner, entity)| {
                layers.entity(&(partner.clone(), entity.kind.clone(), entity.id.clone())).is_none()
            });
            unchanged.map(|(partner, now)| Batch::new(partner).with(again(now))).collect()
        };
        let write = |db: &_, _: &mut _| core.write(&mut writer, batches.into_iter(), Some(db), true);
        let Written { results, .. } = self.with(write)?;
        results.into_iter().collect()
    }
}

/// Where an entity of a batch is that begins at `from`.
fn spot(segment: u64, from: u64, range: &Range<usize>) -> Spot {
    let length = u32::try_from(range.len()).unwrap_or(u32::MAX);
    Spot { segment, start_bytes: from + range.start as u64, length }
}

/// The change that leaves an entity as it is.
fn again(entity: Entity) -> Change {
    match entity.version.checked_sub(1) {
        Some(version) => Change::Update(Box::new(Entity { version, ..entity })),
        None => Change::Create(Box::new(entity)),
    }
}
