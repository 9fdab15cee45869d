//! Entities, and what each operation does to them: facts of the standard that the interface files do not state.
//!
//! The interface files say what messages look like; the guides say that a create message is repeated in its answer
//! (MEF 115 R26, MEF 123 R16, MEF 121 R15), that histories grow, that ids are the Seller's. These tables say it for
//! custody and for the mapping checker, so that a mapping need not. Up to grace nothing of this differs between
//! releases.

mod duty;

pub use duty::{Act, Duty, creation_of, duty_of, retrieval_of};

/// A kind of entity that one party keeps and the other names by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKind {
    /// An address that validation returned (MEF 121).
    GeographicAddress,
    /// A site (MEF 122).
    GeographicSite,
    /// A product offering qualification (MEF 87).
    ProductOfferingQualification,
    /// A quote (MEF 115).
    Quote,
    /// A product order (MEF 123).
    ProductOrder,
    /// A request to cancel a product order (MEF 123).
    CancelProductOrder,
    /// A charge that came up during fulfilment (MEF 123).
    Charge,
    /// A request to change the delivery date of an order item (MEF 123).
    ModifyProductOrderItemRequestedDeliveryDate,
    /// A trouble ticket (MEF 124).
    TroubleTicket,
    /// An incident that the Seller tells of (MEF 124).
    Incident,
    /// A product of the inventory (MEF 116).
    Product,
    /// A bill of a billing account (MEF 141).
    CustomerBill,
    /// A position of a bill (MEF 141).
    CustomerBillItem,
    /// A group of offerings in the catalogue (MEF 142).
    ProductCategory,
    /// What the Seller offers (MEF 142).
    ProductOffering,
    /// What an offering is made by (MEF 142).
    ProductSpecification,
    /// Work of the Seller's people on site, made by the Seller (MEF 137).
    WorkOrder,
    /// When the Seller's people come for a work order (MEF 137).
    Appointment,
}

/// Whose ids the partner names the entities of a kind by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// Ours: a pair of ids is kept for each entity that a partner was told of, and no other is the partner's.
    Ours,
    /// The legacy system's own, told as they are, as those of a public catalogue: nothing is kept, and any partner
    /// may ask for any id.
    Legacy,
}

/// What is fixed about a kind.
struct Row {
    kind: EntityKind,
    name: &'static str,
    facts: EntityFacts,
}

/// The attributes of an entity that custody looks after. A name is absent where the entity has no such attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntityFacts {
    /// Attribute of the state.
    pub state: Option<&'static str>,
    /// State of a new entity whose state the mapping does not say.
    pub state_first: Option<&'static str>,
    /// Array that holds the history of states; its elements name the state as [`EntityFacts::state`] does and the
    /// time as `changeDate`.
    pub history: Option<&'static str>,
    /// Attribute with the time at which the entity was made.
    pub created: Option<&'static str>,
    /// Array of the items, which are known by the Buyer's `id`.
    pub items: Option<&'static str>,
    /// Array of the items' own history of states.
    pub item_history: Option<&'static str>,
    /// Role under which the Seller's contact is added to `relatedContactInformation`.
    pub seller_role: Option<&'static str>,
    /// The kind that an entity of this kind belongs to: the order of a charge.
    pub parent: Option<EntityKind>,
    /// Whose ids its entities have.
    pub ids: Ids,
    /// Below the API's base path, the resource that `href` names.
    pub resource: &'static str,
    /// Name of its state machine in [`super::state`], and of its items'.
    pub machines: (&'static str, &'static str),
}

const NOTHING: EntityFacts = EntityFacts {
    state: None,
    state_first: None,
    history: None,
    created: None,
    items: None,
    item_history: None,
    seller_role: None,
    parent: None,
    ids: Ids::Ours,
    resource: "",
    machines: ("", ""),
};

static KINDS: &[Row] = &[
    Row {
        kind: EntityKind::GeographicAddress,
        name: "geographicAddress",
        facts: EntityFacts { resource: "geographicAddress", ..NOTHING },
    },
    Row {
        kind: EntityKind::GeographicSite,
        name: "geographicSite",
        facts: EntityFacts { resource: "geographicSite", ..NOTHING },
    },
    Row {
        kind: EntityKind::ProductOfferingQualification,
        name: "productOfferingQualification",
        facts: EntityFacts {
            state: Some("state"),
            state_first: Some("acknowledged"),
            history: Some("stateChange"),
            created: None,
            items: Some("productOfferingQualificationItem"),
            item_history: Some("stateChange"),
            seller_role: Some("sellerContactInformation"),
            parent: None,
            resource: "productOfferingQualification",
            ids: Ids::Ours,
            machines: ("poq", "poqItem"),
        },
    },
    Row {
        kind: EntityKind::Quote,
        name: "quote",
        facts: EntityFacts {
            state: Some("state"),
            state_first: Some("acknowledged"),
            history: Some("stateChange"),
            created: Some("quoteDate"),
            items: Some("quoteItem"),
            item_history: None,
            seller_role: Some("sellerContactInformation"),
            parent: None,
            ids: Ids::Ours,
            resource: "quote",
            machines: ("quoteFirm", "quoteItemFirm"),
        },
    },
    Row {
        kind: EntityKind::ProductOrder,
        name: "productOrder",
        facts: EntityFacts {
            state: Some("state"),
            state_first: Some("acknowledged"),
            history: Some("stateChange"),
            created: Some("orderDate"),
            items: Some("productOrderItem"),
            item_history: Some("stateChange"),
            seller_role: Some("sellerContact"),
            parent: None,
            ids: Ids::Ours,
            resource: "productOrder",
            machines: ("productOrder", "productOrderItem"),
        },
    },
    Row {
        kind: EntityKind::CancelProductOrder,
        name: "cancelProductOrder",
        facts: EntityFacts {
            state: Some("state"),
            state_first: Some("acknowledged"),
            seller_role: Some("cancelProductOrderSellerContact"),
            parent: Some(EntityKind::ProductOrder),
            resource: "cancelProductOrder",
            machines: ("cancelProductOrder", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::Charge,
        name: "charge",
        facts: EntityFacts {
            state: Some("state"),
            state_first: Some("awaitingResponse"),
            created: Some("creationDate"),
            items: Some("chargeItem"),
            parent: Some(EntityKind::ProductOrder),
            resource: "charge",
            machines: ("charge", "chargeItem"),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::ModifyProductOrderItemRequestedDeliveryDate,
        name: "modifyProductOrderItemRequestedDeliveryDate",
        facts: EntityFacts {
            state: Some("state"),
            state_first: Some("acknowledged"),
            created: Some("creationDate"),
            parent: Some(EntityKind::ProductOrder),
            resource: "modifyProductOrderItemRequestedDeliveryDate",
            machines: ("modifyProductOrderItemRequestedDeliveryDate", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::Product,
        name: "product",
        facts: EntityFacts {
            state: Some("status"),
            history: Some("statusChange"),
            resource: "product",
            machines: ("product", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::TroubleTicket,
        name: "troubleTicket",
        facts: EntityFacts {
            state: Some("status"),
            state_first: Some("acknowledged"),
            history: Some("statusChange"),
            created: Some("creationDate"),
            seller_role: Some("sellerTicketContact"),
            resource: "troubleTicket",
            machines: ("troubleTicket", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::Incident,
        name: "incident",
        facts: EntityFacts {
            state: Some("status"),
            history: Some("statusChange"),
            created: Some("creationDate"),
            resource: "incident",
            machines: ("incident", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::CustomerBill,
        name: "customerBill",
        facts: EntityFacts {
            state: Some("state"),
            resource: "customerBill",
            machines: ("customerBill", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::CustomerBillItem,
        name: "customerBillItem",
        facts: EntityFacts {
            state: Some("state"),
            resource: "customerBillItem",
            machines: ("customerBillItem", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::ProductCategory,
        name: "productCategory",
        facts: EntityFacts { ids: Ids::Legacy, resource: "category", ..NOTHING },
    },
    Row {
        kind: EntityKind::ProductOffering,
        name: "productOffering",
        facts: EntityFacts { ids: Ids::Legacy, resource: "productOffering", ..NOTHING },
    },
    Row {
        kind: EntityKind::ProductSpecification,
        name: "productSpecification",
        facts: EntityFacts { ids: Ids::Legacy, resource: "productSpecification", ..NOTHING },
    },
    Row {
        kind: EntityKind::WorkOrder,
        name: "workOrder",
        facts: EntityFacts {
            state: Some("state"),
            resource: "workorder",
            machines: ("workOrder", ""),
            ..NOTHING
        },
    },
    Row {
        kind: EntityKind::Appointment,
        name: "appointment",
        facts: EntityFacts {
            state: Some("status"),
            state_first: Some("confirmed"),
            resource: "appointment",
            machines: ("appointment", ""),
            ..NOTHING
        },
    },
];

impl EntityKind {
    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|row| row.kind)
    }

    /// The kind of this name, as `ref(…)` writes it.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        KINDS.iter().find(|row| row.name == name).map(|row| row.kind)
    }

    /// The kind of this name, or the kind whose items have it: `productOrderItem` are those of a product order.
    #[must_use]
    pub fn named(name: &str) -> Option<(Self, Option<&'static str>)> {
        if let Some(kind) = Self::parse(name) {
            return Some((kind, None));
        }
        let row = KINDS.iter().find(|row| row.facts.items == Some(name))?;
        Some((row.kind, row.facts.items))
    }

    /// The name in mappings, in the store and in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// What custody looks after.
    #[must_use]
    pub fn facts(self) -> &'static EntityFacts {
        &self.row().facts
    }

    /// Whether the Buyer makes entities of this kind. Such an entity is the Buyer's that made it: that a legacy
    /// system names one does not make it anybody else's.
    #[must_use]
    pub fn is_made_by_buyer(self) -> bool {
        creation_of(self).is_some()
    }

    /// Whether a partner names its entities by the legacy system's own ids.
    #[must_use]
    pub fn has_legacy_ids(self) -> bool {
        self.facts().ids == Ids::Legacy
    }

    /// Whether an entity that a legacy list names for the first time becomes the partner's by that: its query is the
    /// partner's own, and nobody else says whose the entity is.
    #[must_use]
    pub fn is_adopted_by_list(self) -> bool {
        !self.is_made_by_buyer() && self.facts().parent.is_none()
    }

    fn row(self) -> &'static Row {
        KINDS.iter().find(|row| row.kind == self).unwrap_or(&KINDS[0])
    }
}

#[cfg(test)]
mod tests {
    use super::{duty::DUTIES, *};
    use crate::sonata::{Release, catalogue};

    #[test]
    fn the_table_speaks_of_operations_that_exist() {
        for duty in DUTIES {
            let contract = catalogue().contract(Release::GRACE, duty.function).unwrap();
            let operation = contract.operation(duty.operation_id);
            assert!(operation.is_some(), "{}", duty.operation_id);
            let has_id = operation.unwrap().path_text().contains("{id}");
            let by_path = match duty.act {
                Act::Retrieve | Act::Update => true,
                Act::Move { .. } => duty.about.is_none(),
                Act::Create | Act::List | Act::Ask => false,
            };
            assert_eq!(has_id, by_path, "{}", duty.operation_id);
        }
    }

    #[test]
    fn the_attributes_exist() {
        for duty in DUTIES.iter().filter(|duty| matches!(duty.act, Act::Retrieve)) {
            let contract = catalogue().contract(Release::GRACE, duty.function).unwrap();
            let body = contract.operation(duty.operation_id).unwrap().success_body().unwrap();
            let view = contract.view(body.item.unwrap_or(body.value));
            let facts = duty.kind.facts();
            for name in [facts.state, facts.history, facts.created, facts.items].into_iter().flatten() {
                assert!(view.member(name).is_some(), "{}: {name}", duty.kind.name());
            }
        }
    }

    #[test]
    fn the_state_machines_exist() {
        for kind in EntityKind::all() {
            let facts = kind.facts();
            for name in [facts.machines.0, facts.machines.1].into_iter().filter(|name| !name.is_empty()) {
                let machine = crate::sonata::state::machine(name);
                assert_eq!(machine.map(|machine| machine.attribute), facts.state, "{name}");
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for kind in EntityKind::all() {
            assert_eq!(EntityKind::parse(kind.name()), Some(kind));
            let items = kind.facts().items;
            assert!(items.is_none_or(|items| EntityKind::named(items) == Some((kind, Some(items)))));
            let found = retrieval_of(kind).and_then(|(function, id)| duty_of(function, id));
            assert!(found.is_some_and(|duty| duty.kind == kind), "{}", kind.name());
        }
    }
}
