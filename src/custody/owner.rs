//! Whose an entity is.

use crate::{
    ids::{BuyerId, PartnerId, SellerId, SonataId},
    sonata::entity::EntityKind,
    store::{Entity, Kind, Store, StoreError},
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
