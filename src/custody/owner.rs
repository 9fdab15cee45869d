//! Whose an entity is.

use crate::{
    ids::{BuyerId, PartnerId, SellerId, SonataId},
    sonata::entity::EntityKind,
    store::{Change, Entity, KeyPair, Kind, Store, StoreError},
};

/// For whom an exchange is made: the partner, and where a side represents several, for which of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The trading relationship.
    pub partner: PartnerId,
    /// The request's `buyerId`, where it must have one.
    pub buyer: Option<BuyerId>,
    /// The request's `sellerId`, where it must have one.
    pub seller: Option<SellerId>,
}

/// The group of a pair of keys that marks an entity as made by a test; no mapping can use this name.
pub const TEST_MARK: &str = "{test}";

/// The change that marks a new entity as made by a test.
#[must_use]
pub fn as_test(kind: Kind, id: SonataId) -> Change {
    let (group, mark) = (TEST_MARK.to_owned(), "\"yes\"".to_owned());
    let pairs = vec![KeyPair { group, sonata: mark.clone(), legacy: mark }];
    Change::Remember { kind, id, pairs }
}

/// The name under which the store keeps entities of this kind.
#[must_use]
pub fn kind_of(kind: EntityKind) -> Kind {
    Kind::new(kind.name())
}

impl Owner {
    /// The entity, if it is this owner's. Another Buyer's is as unknown as another partner's.
    ///
    /// # Errors
    /// [`StoreError`] when it could not be read.
    pub async fn find(
        &self,
        store: &Store,
        kind: EntityKind,
        id: &SonataId,
    ) -> Result<Option<Entity>, StoreError> {
        let found = store.entity(&self.partner, &kind_of(kind), id).await?;
        Ok(found.filter(|entity| entity.buyer == self.buyer && entity.seller == self.seller))
    }

    /// A new entity of this owner.
    #[must_use]
    pub fn entity(&self, kind: EntityKind, id: SonataId, created_ms: i64) -> Entity {
        Entity {
            buyer: self.buyer.clone(),
            seller: self.seller.clone(),
            ..Entity::new(kind_of(kind), id, created_ms)
        }
    }
}
