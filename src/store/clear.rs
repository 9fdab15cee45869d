//! Gives back what the log no longer needs.
//!
//! Rows refer to documents in the log, and each change of an entity writes its documents anew, so that a segment is
//! needed less and less. One that nothing refers to is removed; of one that is needed to less than a half, what is
//! needed is written again at the log's end, which empties it. Both only where the database has all of it on disk:
//! what a power failure takes back from the database is then still in the log behind.

use std::{fs, io, ops::Range};

use bytes::Bytes;

use super::{
    Batch, Change, Entity, StoreError,
    committer::{Committer, Written},
    log::{self, Spot},
    open::Place,
    read, record, write,
};

impl Committer {
    /// Removes the segments that nothing refers to, and empties one that is hardly needed. Looks only where the log
    /// has come to another segment since.
    pub(super) fn clear(&mut self) -> Result<(), StoreError> {
        let Some(durable) = self.durable_segment() else { return Ok(()) };
        if durable <= self.cleared || self.has_pending() {
            return Ok(());
        }
        self.cleared = durable;
        let half_bytes = self.segment_bytes / 2;
        let sparse = write::sparse(self.connection()?, durable, half_bytes)?;
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
        let Some((log, _)) = &self.log else { return Ok(()) };
        let (end, after) = (log.end().segment, log.after());
        let sparse = write::sparse(self.connection()?, after.segment, 1)?;
        if sparse.iter().any(|(segment, _)| *segment == end) {
            write::move_to(self.connection()?, after)?;
        }
        if let (Some(connection), Some((_, checkpointer))) = (&self.connection, &self.log) {
            checkpointer.now(connection)?;
        }
        sparse.into_iter().try_for_each(|(segment, _)| self.remove(segment))
    }

    fn durable_segment(&self) -> Option<u64> {
        self.log.as_ref().map(|(_, checkpointer)| checkpointer.durable().segment)
    }

    fn remove(&mut self, segment: u64) -> Result<(), StoreError> {
        let Place::File(path) = &self.place else { return Ok(()) };
        match fs::remove_file(log::segment_path(path, segment)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::Failed(error.to_string()))
            }
            _ => write::end_segment(self.connection()?, segment),
        }
    }

    /// Writes what is needed of a segment to the log's end, as one record: it is less than half a segment. Nothing is
    /// pending: the database says what is needed. Whether there was any.
    fn rewrite(&mut self, segment: u64) -> Result<bool, StoreError> {
        let Place::File(path) = self.place.clone() else { return Ok(false) };
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
        let Written { results, .. } = self.write(needed, true)?;
        results.into_iter().collect::<Result<(), _>>()?;
        self.apply()?;
        Ok(any)
    }

    /// Adds those entities of a batch whose documents are read from there.
    fn add_needed(
        &mut self,
        batch: Batch,
        spot: impl Fn(Range<usize>) -> Spot,
        ranges: Vec<Option<Range<usize>>>,
        needed: &mut Vec<Batch>,
    ) -> Result<(), StoreError> {
        let place = self.place.clone();
        let db = self.connection()?;
        let entities = batch.changes.into_iter().filter_map(|change| match change {
            Change::Create(entity) | Change::Update(entity) => Some(entity),
            _ => None,
        });
        for (entity, range) in entities.zip(ranges) {
            let Some(range) = range else { continue };
            if write::spot(db, batch.partner.as_str(), &entity)? != Some(spot(range)) {
                continue;
            }
            if let Some(now) = read::entity(db, &place, &batch.partner, &entity.kind, &entity.id)? {
                needed.push(Batch::new(batch.partner.clone()).with(again(now)));
            }
        }
        Ok(())
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
