//! One entity as it is kept.

use std::borrow::Cow;

use bytes::Bytes;

use crate::ids::{BackendId, BuyerId, LegacyId, PartnerId, SellerId, SonataId};

/// That a partner has an entity of a kind by this id of a legacy system.
pub type Holding = (PartnerId, Kind, LegacyId);

/// What an entity is: `quote`, `productOrder`, `productOrderItem`; the word that `ref(...)` takes in a mapping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// The kind of this name.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An entity of one partner: a quote, an order, a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// What it is.
    pub kind: Kind,
    /// The id that the partner knows.
    pub id: SonataId,
    /// The Buyer it was created for, where the partner represents several.
    pub buyer: Option<BuyerId>,
    /// The Seller it was created with, where we represent several.
    pub seller: Option<SellerId>,
    /// The legacy system that holds it.
    pub backend: Option<BackendId>,
    /// Its id there.
    pub legacy_id: Option<LegacyId>,
    /// The entity that it belongs to: the order of a charge, the quote of a cancellation.
    pub parent: Option<SonataId>,
    /// Number of changes since it was created; compare-and-set goes by it.
    pub version: u64,
    /// The state of its Sonata form.
    pub state: Option<String>,
    /// The Buyer's own id for it.
    pub external_id: Option<String>,
    /// When it was created, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was last changed, in milliseconds since 1970.
    pub updated_ms: i64,
    /// Its current Sonata form; `None` when the legacy system acted but its answer could not be mapped.
    pub document: Option<Bytes>,
    /// The Buyer's create message, as received.
    pub request: Option<Bytes>,
    /// The legacy system's last answer as received, where it could not be mapped.
    pub legacy: Option<Bytes>,
}

impl Entity {
    /// A new entity with nothing known but what it is and when it was made.
    #[must_use]
    pub fn new(kind: Kind, id: SonataId, created_ms: i64) -> Self {
        Self {
            kind,
            id,
            buyer: None,
            seller: None,
            backend: None,
            legacy_id: None,
            parent: None,
            version: 0,
            state: None,
            external_id: None,
            created_ms,
            updated_ms: created_ms,
            document: None,
            request: None,
            legacy: None,
        }
    }
}

/// Which entities of one kind to list; an empty field does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Any of these states.
    pub states: Vec<String>,
    /// The Buyer's own id.
    pub external_id: Option<String>,
    /// The entity it belongs to.
    pub parent: Option<SonataId>,
    /// The Buyer it was created for.
    pub buyer: Option<BuyerId>,
    /// The Seller it was created with.
    pub seller: Option<SellerId>,
    /// Entities to skip, oldest first.
    pub offset: u64,
    /// Most entities to return.
    pub limit: u64,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The entities, oldest first.
    pub entities: Vec<Entity>,
    /// How many match in all.
    pub total: u64,
}
