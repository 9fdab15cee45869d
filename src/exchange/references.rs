//! Ids of other entities: what programs ask for is resolved in one batch before they run.

use super::{calls::ITEM_LEGACY_IDS, error::ExchangeError, story::Story, work::Work};
use crate::{
    ids::{BackendId, LegacyId, SonataId},
    mapping::apply::{KeyPair, KeyText, NeededReference, References},
    sonata::entity::EntityKind,
    store::{Change, Kind, Reference},
};

/// Sonata ids to the legacy system's. What this partner does not have stays unresolved, and the mapping tells it
/// at its place (`referenceNotFound`).
///
/// # Errors
/// The store's.
pub async fn to_legacy(
    story: &Story<'_>,
    work: &Work<'_>,
    needed: &[NeededReference],
) -> Result<References, ExchangeError> {
    let mut references = own_counterparts(needed);
    let wanted = needed.iter().filter(|need| !has_legacy_ids(&need.kind));
    let wanted =
        wanted.filter_map(|need| Some((Kind::new(need.kind.to_string()), SonataId::parse(&need.id).ok()?)));
    let mut wanted: Vec<(Kind, SonataId)> = wanted.collect();
    let own = &work.backend.id;
    for backend in sources(work, own, wanted.iter().map(|(kind, _)| kind)) {
        let here = wanted.iter().filter(|(kind, _)| may_be_at(work, own, backend, kind)).cloned().collect();
        let found = story.gateway.store.to_legacy(&work.owner.partner, backend, here).await?;
        wanted.retain(|one| !found.contains_key(one));
        for ((kind, id), legacy) in found {
            references.insert(kind.as_str(), id.as_str(), legacy.as_str());
        }
        if wanted.is_empty() {
            break;
        }
    }
    Ok(references)
}

/// Legacy ids of what the Buyer makes, to the ids that this partner knows. One that it does not have stays
/// unresolved: an answer that names another partner's order must not make it this partner's.
///
/// # Errors
/// The store's.
pub async fn to_sonata(
    story: &Story<'_>,
    work: &Work<'_>,
    needed: &[NeededReference],
) -> Result<References, ExchangeError> {
    let mut references = own_counterparts(needed);
    let made =
        |need: &&NeededReference| EntityKind::parse(&need.kind).is_some_and(EntityKind::is_made_by_buyer);
    let wanted = needed.iter().filter(made);
    let wanted =
        wanted.filter_map(|need| Some((Kind::new(need.kind.to_string()), LegacyId::parse(&need.id).ok()?)));
    let mut wanted: Vec<(Kind, LegacyId)> = wanted.collect();
    let own = work.home;
    for backend in sources(work, own, wanted.iter().map(|(kind, _)| kind)) {
        let here = wanted.iter().filter(|(kind, _)| may_be_at(work, own, backend, kind)).cloned().collect();
        let found = story.gateway.store.to_sonata(&work.owner.partner, backend, here).await?;
        wanted.retain(|one| !found.contains_key(one));
        for ((kind, legacy), id) in found {
            references.insert(kind.as_str(), legacy.as_str(), id.as_str());
        }
        if wanted.is_empty() {
            break;
        }
    }
    Ok(references)
}

/// Where ids of these kinds are looked up: at the backend itself, then at those that keep what it does not, such as for
/// a ticket system the order that a ticket is about.
fn sources<'w, 'k>(
    work: &'w Work<'_>,
    own: &'w BackendId,
    kinds: impl Iterator<Item = &'k Kind>,
) -> Vec<&'w BackendId> {
    let mut backends: Vec<&BackendId> = Vec::new();
    for backend in kinds.flat_map(|kind| std::iter::once(own).chain(keepers(work, kind))) {
        if !backends.contains(&backend) {
            backends.push(backend);
        }
    }
    backends
}

/// See [`Work::sources`].
fn may_be_at(work: &Work<'_>, own: &BackendId, backend: &BackendId, kind: &Kind) -> bool {
    let keepers = keepers(work, kind);
    own == backend || (keepers.contains(backend) && !keepers.contains(own))
}

fn keepers<'w>(work: &'w Work<'_>, kind: &Kind) -> &'w [BackendId] {
    EntityKind::parse(kind.as_str()).map_or(&[], |kind| work.partner.keepers(kind))
}

/// Whether both sides name entities of this kind by the same ids.
pub fn has_legacy_ids(kind: &str) -> bool {
    EntityKind::parse(kind).is_some_and(EntityKind::has_legacy_ids)
}

/// The ids that are the same on both sides.
fn own_counterparts(needed: &[NeededReference]) -> References {
    let mut references = References::new();
    for need in needed.iter().filter(|need| has_legacy_ids(&need.kind)) {
        references.insert(&need.kind, need.id.clone(), need.id.clone());
    }
    references
}

/// A new id for an entity.
///
/// # Errors
/// None in practice: a UUID is within the bounds of an id.
pub fn new_id(story: &Story<'_>) -> Result<SonataId, ExchangeError> {
    let id = story.gateway.ports.ids.next();
    SonataId::parse(&*id.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
        .map_err(|error| ExchangeError::Internal(error.to_string()))
}

/// What stands between the id of an entity and that of its item, where a legacy system has an id for the item.
const ITEM_MARK: char = '/';

/// The reference by which an item of an entity is found when the legacy system names it: a pair of ids like any other,
/// the item being named by its entity's id and its own. None for what is no item's legacy id, or too long for one.
pub fn item_reference(work: &Work<'_>, entity: &SonataId, pair: &KeyPair) -> Option<Change> {
    let items = work.duty.kind.facts().items.filter(|_| &*pair.group == ITEM_LEGACY_IDS)?;
    let (KeyText::Text(item), KeyText::Text(legacy) | KeyText::Number(legacy)) = (&pair.sonata, &pair.legacy)
    else {
        return None;
    };
    Some(Change::Refer(Reference {
        kind: Kind::new(items),
        sonata_id: SonataId::parse(&format!("{entity}{ITEM_MARK}{item}")).ok()?,
        backend: work.backend.id.clone(),
        legacy_id: LegacyId::parse(legacy).ok()?,
    }))
}

/// The ids of an entity and of its item, of what an item is referred to by.
pub fn item_of(id: &SonataId) -> Option<(SonataId, &str)> {
    let (entity, item) = id.as_str().split_once(ITEM_MARK)?;
    Some((SonataId::parse(entity).ok()?, item))
}
