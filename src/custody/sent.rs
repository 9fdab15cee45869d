//! What a partner on another release sent, beside what a bridge made of it: the answer owes it to the partner as it was.

use super::Owner;
use crate::{
    ids::{IdError, PartnerId, SonataId},
    json::Document,
    sonata::entity::EntityKind,
    store::{Change, Entity, Kind, Store, StoreError},
};

/// The one state of these: they end with what they belong to.
const STATE: &str = "sent";

/// The name under which messages are kept that made something of a kind, and the states in which they may go with it.
#[must_use]
pub fn sent_kind(kind: EntityKind) -> (Kind, [&'static str; 1]) {
    (Kind::new(format!("{STATE}/{}", kind.name())), [STATE])
}

/// Its own, so that nothing that looks by an entity's id finds both.
fn id_of(id: &SonataId) -> Result<SonataId, IdError> {
    SonataId::parse(&format!("{STATE}/{id}"))
}

/// What is kept of the message that made an entity; the message itself is the `request`.
///
/// # Errors
/// The store's.
pub async fn sent(
    store: &Store,
    partner: &PartnerId,
    kind: EntityKind,
    id: &SonataId,
) -> Result<Option<Entity>, StoreError> {
    let Ok(id) = id_of(id) else { return Ok(None) };
    store.entity(partner, &sent_kind(kind).0, &id).await
}

/// The change that keeps the message which makes an entity.
#[must_use]
pub fn keep_sent(
    owner: &Owner,
    (kind, id): (EntityKind, &SonataId),
    message: &Document,
    now_ms: i64,
) -> Option<Change> {
    let own = id_of(id).ok()?;
    let entity = Entity {
        kind: sent_kind(kind).0,
        state: Some(STATE.to_owned()),
        parent: Some(id.clone()),
        request: Some(message.bytes()),
        ..owner.entity(kind, own, now_ms)
    };
    Some(Change::Create(Box::new(entity)))
}

/// The change that keeps it with the partner's change in it.
#[must_use]
pub fn change_sent(kept: &Entity, message: &Document, now_ms: i64) -> Change {
    let entity = Entity { request: Some(message.bytes()), updated_ms: now_ms, ..kept.clone() };
    Change::Update(Box::new(entity))
}
