//! What each operation does to entities.

use super::EntityKind;
use crate::sonata::Function;

/// What an operation does to entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Makes an entity from the request body; the answer repeats the request's attributes.
    Create,
    /// Answers one entity, named by the path's `id`.
    Retrieve,
    /// Answers those of the caller's entities that pass the filters.
    List,
    /// Changes the entity named by the path's `id`.
    Update,
    /// Moves the entity that the path's `id` or the body names into a state; the answer repeats the request.
    Move {
        /// The state that it is in afterwards.
        state: &'static str,
    },
    /// Answers without keeping an entity; the answer repeats the request's attributes.
    Ask,
}

/// One row of the table of duties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duty {
    pub(super) function: Function,
    pub(super) operation_id: &'static str,
    /// What is done.
    pub act: Act,
    /// The kind that is made, answered or changed.
    pub kind: EntityKind,
    /// The entity that the request body names besides, and the members by which it names it.
    pub about: Option<(EntityKind, &'static [&'static str])>,
    /// The members by which the request body names an item of that entity.
    pub item: Option<&'static [&'static str]>,
}

const fn duty(function: Function, operation_id: &'static str, act: Act, kind: EntityKind) -> Duty {
    Duty { function, operation_id, act, kind, about: None, item: None }
}

const QUOTE_ID: Option<(EntityKind, &[&str])> = Some((EntityKind::Quote, &["quoteId"]));
const ORDER_ID: Option<(EntityKind, &[&str])> =
    Some((EntityKind::ProductOrder, &["productOrder", "productOrderId"]));
const ITEM_ORDER_ID: Option<(EntityKind, &[&str])> =
    Some((EntityKind::ProductOrder, &["productOrderItem", "productOrderId"]));

const WORK_ORDER_ID: Option<(EntityKind, &[&str])> = Some((EntityKind::WorkOrder, &["workOrder", "id"]));

const POQ: EntityKind = EntityKind::ProductOfferingQualification;
const MODIFY: EntityKind = EntityKind::ModifyProductOrderItemRequestedDeliveryDate;

/// All operations that have to do with entities.
pub(super) static DUTIES: &[Duty] = &[
    duty(Function::ADDRESS, "createGeographicAddressValidation", Act::Ask, EntityKind::GeographicAddress),
    duty(Function::ADDRESS, "retrieveGeographicAddress", Act::Retrieve, EntityKind::GeographicAddress),
    duty(Function::SITE, "retrieveGeographicSite", Act::Retrieve, EntityKind::GeographicSite),
    duty(Function::SITE, "listGeographicSite", Act::List, EntityKind::GeographicSite),
    duty(Function::POQ, "createProductOfferingQualification", Act::Create, POQ),
    duty(Function::POQ, "retrieveProductOfferingQualification", Act::Retrieve, POQ),
    duty(Function::POQ, "listProductOfferingQualification", Act::List, POQ),
    duty(Function::QUOTE, "createQuote", Act::Create, EntityKind::Quote),
    duty(Function::QUOTE, "retrieveQuote", Act::Retrieve, EntityKind::Quote),
    duty(Function::QUOTE, "listQuote", Act::List, EntityKind::Quote),
    Duty {
        about: QUOTE_ID,
        ..duty(Function::QUOTE, "cancelQuote", Act::Move { state: "cancelled" }, EntityKind::Quote)
    },
    Duty {
        about: QUOTE_ID,
        ..duty(Function::QUOTE, "rejectQuote", Act::Move { state: "declined" }, EntityKind::Quote)
    },
    duty(Function::ORDER, "createProductOrder", Act::Create, EntityKind::ProductOrder),
    duty(Function::ORDER, "retrieveProductOrder", Act::Retrieve, EntityKind::ProductOrder),
    duty(Function::ORDER, "listProductOrder", Act::List, EntityKind::ProductOrder),
    duty(Function::ORDER, "patchProductOrder", Act::Update, EntityKind::ProductOrder),
    Duty {
        about: ORDER_ID,
        ..duty(Function::ORDER, "createCancelProductOrder", Act::Create, EntityKind::CancelProductOrder)
    },
    duty(Function::ORDER, "retrieveCancelProductOrder", Act::Retrieve, EntityKind::CancelProductOrder),
    duty(Function::ORDER, "listCancelProductOrder", Act::List, EntityKind::CancelProductOrder),
    duty(Function::ORDER, "retrieveCharge", Act::Retrieve, EntityKind::Charge),
    duty(Function::ORDER, "listCharge", Act::List, EntityKind::Charge),
    duty(Function::ORDER, "patchCharge", Act::Update, EntityKind::Charge),
    Duty {
        about: ITEM_ORDER_ID,
        item: Some(&["productOrderItem", "productOrderItemId"]),
        ..duty(Function::ORDER, "createModifyProductOrderItemRequestedDeliveryDate", Act::Create, MODIFY)
    },
    duty(Function::ORDER, "retrieveModifyProductOrderItemRequestedDeliveryDate", Act::Retrieve, MODIFY),
    duty(Function::ORDER, "listModifyProductOrderItemRequestedDeliveryDate", Act::List, MODIFY),
    duty(Function::INVENTORY, "retrieveProduct", Act::Retrieve, EntityKind::Product),
    duty(Function::INVENTORY, "listProduct", Act::List, EntityKind::Product),
    duty(Function::TROUBLE_TICKET, "createTroubleTicket", Act::Create, EntityKind::TroubleTicket),
    duty(Function::TROUBLE_TICKET, "retrieveTroubleTicket", Act::Retrieve, EntityKind::TroubleTicket),
    duty(Function::TROUBLE_TICKET, "listTroubleTicket", Act::List, EntityKind::TroubleTicket),
    duty(Function::TROUBLE_TICKET, "patchTroubleTicket", Act::Update, EntityKind::TroubleTicket),
    duty(
        Function::TROUBLE_TICKET,
        "cancelTroubleTicket",
        Act::Move { state: "assessingCancellation" },
        EntityKind::TroubleTicket,
    ),
    duty(
        Function::TROUBLE_TICKET,
        "closeTroubleTicket",
        Act::Move { state: "closed" },
        EntityKind::TroubleTicket,
    ),
    duty(
        Function::TROUBLE_TICKET,
        "reopenTroubleTicket",
        Act::Move { state: "reopened" },
        EntityKind::TroubleTicket,
    ),
    duty(Function::TROUBLE_TICKET, "retrieveIncident", Act::Retrieve, EntityKind::Incident),
    duty(Function::TROUBLE_TICKET, "listIncident", Act::List, EntityKind::Incident),
    duty(Function::BILLING, "listCustomerBill", Act::List, EntityKind::CustomerBill),
    duty(Function::BILLING, "retrieveCustomerBill", Act::Retrieve, EntityKind::CustomerBill),
    duty(Function::BILLING, "retrieveCustomerBillItem", Act::Retrieve, EntityKind::CustomerBillItem),
    duty(Function::CATALOG, "listCategory", Act::List, EntityKind::ProductCategory),
    duty(Function::CATALOG, "retrieveCategory", Act::Retrieve, EntityKind::ProductCategory),
    duty(Function::CATALOG, "listProductOffering", Act::List, EntityKind::ProductOffering),
    duty(Function::CATALOG, "retrieveProductOffering", Act::Retrieve, EntityKind::ProductOffering),
    duty(Function::CATALOG, "listProductSpecification", Act::List, EntityKind::ProductSpecification),
    duty(Function::CATALOG, "retrieveProductSpecification", Act::Retrieve, EntityKind::ProductSpecification),
    duty(
        Function::AVAILABILITY_PRICING,
        "productOfferingAvailabilityRequest",
        Act::Ask,
        EntityKind::ProductOffering,
    ),
    duty(Function::AVAILABILITY_PRICING, "pricingDiscoveryRequest", Act::Ask, EntityKind::ProductOffering),
    duty(Function::WORK_ORDER, "listWorkOrder", Act::List, EntityKind::WorkOrder),
    duty(Function::WORK_ORDER, "retrieveWorkOrder", Act::Retrieve, EntityKind::WorkOrder),
    Duty {
        about: WORK_ORDER_ID,
        ..duty(Function::APPOINTMENT, "createSearchTimeSlot", Act::Ask, EntityKind::WorkOrder)
    },
    Duty {
        about: WORK_ORDER_ID,
        ..duty(Function::APPOINTMENT, "createAppointment", Act::Create, EntityKind::Appointment)
    },
    duty(Function::APPOINTMENT, "listAppointment", Act::List, EntityKind::Appointment),
    duty(Function::APPOINTMENT, "retrieveAppointment", Act::Retrieve, EntityKind::Appointment),
    duty(Function::APPOINTMENT, "patchAppointment", Act::Update, EntityKind::Appointment),
    duty(
        Function::APPOINTMENT,
        "cancelAppointment",
        Act::Move { state: "cancelled" },
        EntityKind::Appointment,
    ),
];

/// What an operation does to entities; none where it has to do with none (hubs, listeners).
#[must_use]
pub fn duty_of(function: Function, operation_id: &str) -> Option<&'static Duty> {
    DUTIES.iter().find(|duty| duty.function == function && duty.operation_id == operation_id)
}

/// The operation that answers one entity of a kind by its id.
#[must_use]
pub fn retrieval_of(kind: EntityKind) -> Option<(Function, &'static str)> {
    let duty = DUTIES.iter().find(|duty| duty.kind == kind && duty.act == Act::Retrieve)?;
    Some((duty.function, duty.operation_id))
}

/// The operation by which a Buyer makes an entity of a kind.
#[must_use]
pub fn creation_of(kind: EntityKind) -> Option<(Function, &'static str)> {
    let duty = DUTIES.iter().find(|duty| duty.kind == kind && duty.act == Act::Create)?;
    Some((duty.function, duty.operation_id))
}

impl Duty {
    /// Whether the answer repeats the request's attributes.
    #[must_use]
    pub fn echoes(&self) -> bool {
        matches!(self.act, Act::Create | Act::Move { .. } | Act::Ask)
    }

    /// Names of attributes that custody provides in the answer, at any depth.
    pub fn kept(&self) -> impl Iterator<Item = &'static str> + use<> {
        let facts = self.kind.facts();
        let own = ["id", "href", "relatedContactInformation", "changeDate"].into_iter();
        own.chain([facts.state, facts.history, facts.created].into_iter().flatten())
    }
}
