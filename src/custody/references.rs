//! Ids that a legacy system names and the partner must be able to name.

use std::collections::HashMap;

use crate::{
    ids::{BackendId, LegacyId, PartnerId, SonataId},
    store::{Change, Kind, Reference, Store, StoreError},
};

/// Sonata ids for legacy ids, and what must be committed before they are told to anyone.
#[derive(Debug, Default)]
pub struct Adopted {
    /// An id for each that was asked for.
    pub ids: HashMap<(Kind, LegacyId), SonataId>,
    /// References that are new.
    pub changes: Vec<Change>,
}

/// Finds the Sonata ids of entities that a legacy answer names, and gives new ones to those that this partner has
/// not met: an address that was found, a product that an order brought about.
///
/// The other direction, ids in a Buyer's request, is [`Store::to_legacy`]: there an unknown id is the Buyer's
/// fault and never adopted.
///
/// # Errors
/// [`StoreError`] when the known ones could not be read.
pub async fn adopt(
    store: &Store,
    partner: &PartnerId,
    backend: &BackendId,
    wanted: Vec<(Kind, LegacyId)>,
    mut new_id: impl FnMut() -> SonataId,
) -> Result<Adopted, StoreError> {
    if wanted.is_empty() {
        return Ok(Adopted::default());
    }
    let mut adopted =
        Adopted { ids: store.to_sonata(partner, backend, wanted.clone()).await?, changes: Vec::new() };
    for key in wanted {
        if adopted.ids.contains_key(&key) {
            continue;
        }
        let (kind, legacy_id) = key.clone();
        let sonata_id = new_id();
        let reference = Reference { kind, sonata_id: sonata_id.clone(), backend: backend.clone(), legacy_id };
        adopted.changes.push(Change::Refer(reference));
        adopted.ids.insert(key, sonata_id);
    }
    Ok(adopted)
}
