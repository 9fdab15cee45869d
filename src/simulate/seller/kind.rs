//! What a Seller keeps: one table, with the words of each sort of thing.

use super::super::release::{Age, Api, Release};

/// One sort of thing.
#[derive(Debug)]
pub(super) struct Kind {
    /// Its segment in paths, of every release but where [`Kind::segment`] says otherwise; also its name in scenarios.
    pub name: &'static str,
    /// As operations have it: `createProductOrder`.
    pub noun: &'static str,
    /// What its ids begin with.
    pub short: &'static str,
    pub api: Api,
    /// Its items' attribute; empty: none.
    pub items: &'static str,
    /// `state` or `status`.
    pub attribute: &'static str,
    /// Its history; empty: none.
    pub history: &'static str,
    /// What says when it was made; empty: nothing does.
    pub made: &'static str,
    /// Events: of its making, of its state, and of an item's, with the attribute of the item's id; empty: none.
    pub events: [&'static str; 4],
    /// What a row of a list has; empty: everything.
    pub row: &'static [&'static str],
    /// What lists can be asked for by, beside ids of Buyer and Seller: a name, and the path where it is not the same. Those that
    /// end in `Date` or `DateTime` are asked for with `.gt` and `.lt`.
    pub filters: &'static [(&'static str, &'static str)],
    /// What a message that makes one must have.
    pub required: &'static [&'static str],
}

const NOTHING: Kind = Kind {
    name: "",
    noun: "",
    short: "",
    api: Api::Address,
    items: "",
    attribute: "state",
    history: "",
    made: "",
    events: [""; 4],
    row: &[],
    filters: &[],
    required: &[],
};

pub(super) static VALIDATION: Kind = Kind {
    name: "geographicAddressValidation",
    noun: "GeographicAddressValidation",
    short: "validation",
    events: ["", "geographicAddressValidationStateChangeEvent", "", ""],
    required: &["submittedGeographicAddress"],
    ..NOTHING
};

pub(super) static ADDRESS: Kind =
    Kind { name: "geographicAddress", noun: "GeographicAddress", short: "address", ..NOTHING };

pub(super) static SITE: Kind = Kind {
    name: "geographicSite",
    noun: "GeographicSite",
    short: "site",
    api: Api::Site,
    filters: &[
        ("companyName", ""),
        ("customerName", ""),
        ("description", ""),
        ("siteType", ""),
        ("name", ""),
        ("serviceSiteContactName", "relatedContactInformation.name"),
        ("geographicAddress.id", "place.id"),
        ("streetNr", "place.streetNr"),
        ("streetName", "place.streetName"),
        ("streetType", "place.streetType"),
        ("city", "place.city"),
        ("postcode", "place.postcode"),
        ("country", "place.country"),
    ],
    ..NOTHING
};

pub(super) static POQ: Kind = Kind {
    name: "productOfferingQualification",
    noun: "ProductOfferingQualification",
    short: "poq",
    api: Api::Poq,
    items: "productOfferingQualificationItem",
    history: "stateChange",
    made: "creationDate",
    events: ["poqCreateEvent", "poqStateChangeEvent", "poqItemStateChangeEvent", "poqItemId"],
    row: &["id", "externalId", "projectId", "state", "requestedPOQCompletionDate", "creationDate"],
    filters: &[
        ("state", ""),
        ("externalId", ""),
        ("projectId", ""),
        ("requestedPOQCompletionDate", ""),
        ("creationDate", ""),
    ],
    required: &["relatedContactInformation", "productOfferingQualificationItem"],
    ..NOTHING
};

pub(super) static QUOTE: Kind = Kind {
    name: "quote",
    noun: "Quote",
    short: "quote",
    api: Api::Quote,
    items: "quoteItem",
    history: "stateChange",
    made: "quoteDate",
    events: ["", "quoteStateChangeEvent", "quoteItemStateChangeEvent", "quoteItemId"],
    row: &[
        "id",
        "externalId",
        "projectId",
        "state",
        "quoteDate",
        "quoteLevel",
        "effectiveQuoteCompletionDate",
        "expectedQuoteCompletionDate",
        "requestedQuoteCompletionDate",
    ],
    filters: &[
        ("state", ""),
        ("quoteLevel", ""),
        ("externalId", ""),
        ("projectId", ""),
        ("quoteDate", ""),
        ("requestedQuoteCompletionDate", ""),
        ("expectedQuoteCompletionDate", ""),
        ("effectiveQuoteCompletionDate", ""),
    ],
    required: &["buyerRequestedQuoteLevel", "instantSyncQuote", "quoteItem"],
    ..NOTHING
};

pub(super) static ORDER: Kind = Kind {
    name: "productOrder",
    noun: "ProductOrder",
    short: "order",
    api: Api::Order,
    items: "productOrderItem",
    history: "stateChange",
    made: "orderDate",
    events: ["", "productOrderStateChangeEvent", "productOrderItemStateChangeEvent", "orderItemId"],
    row: &[
        "id",
        "externalId",
        "projectId",
        "state",
        "orderDate",
        "orderVersion",
        "completionDate",
        "cancellationDate",
        "requestedCompletionDate",
    ],
    filters: &[
        ("state", ""),
        ("externalId", ""),
        ("projectId", ""),
        ("orderDate", ""),
        ("completionDate", ""),
        ("cancellationDate", ""),
        ("orderCancellationDate", "cancellationDate"),
        ("requestedCompletionDate", ""),
        ("expectedCompletionDate", ""),
        ("itemRequestedCompletionDate", "productOrderItem.requestedCompletionDate"),
        ("itemExpectedCompletionDate", "productOrderItem.expectedCompletionDate"),
    ],
    required: &["relatedContactInformation", "productOrderItem"],
    ..NOTHING
};

pub(super) static CANCEL: Kind = Kind {
    name: "cancelProductOrder",
    noun: "CancelProductOrder",
    short: "cancel",
    api: Api::Order,
    events: ["", "cancelProductOrderStateChangeEvent", "", ""],
    row: &["id", "state", "productOrder", "cancellationReasonType"],
    filters: &[
        ("productOrderId", "productOrder.productOrderId"),
        ("productOrderExternalId", "productOrder.productOrderExternalId"),
        ("state", ""),
        ("cancellationReasonType", ""),
    ],
    required: &["relatedContactInformation", "productOrder"],
    ..NOTHING
};

pub(super) static MODIFY: Kind = Kind {
    name: "modifyProductOrderItemRequestedDeliveryDate",
    noun: "ModifyProductOrderItemRequestedDeliveryDate",
    short: "modify",
    api: Api::Order,
    made: "creationDate",
    events: ["", "modifyProductOrderItemRequestedDeliveryDateStateChangeEvent", "", ""],
    filters: &[
        ("productOrderId", "productOrderItem.productOrderId"),
        ("state", ""),
        ("expediteIndicator", ""),
        ("requestedCompletionDate", ""),
        ("creationDate", ""),
    ],
    required: &["productOrderItem"],
    ..NOTHING
};

pub(super) static CHARGE: Kind = Kind {
    name: "charge",
    noun: "Charge",
    short: "charge",
    api: Api::Order,
    made: "creationDate",
    events: ["chargeCreateEvent", "chargeStateChangeEvent", "", ""],
    row: &["id", "state", "creationDate", "responseDueDate", "productOrder", "productOrderItem"],
    filters: &[
        ("productOrderId", "productOrderItem.productOrderId"),
        ("productOrderItemId", "productOrderItem.productOrderItemId"),
        ("creationDate", ""),
        ("responseDueDate", ""),
    ],
    ..NOTHING
};

pub(super) static PRODUCT: Kind = Kind {
    name: "product",
    noun: "Product",
    short: "product",
    api: Api::Inventory,
    attribute: "status",
    history: "statusChange",
    made: "startDate",
    row: &[
        "id",
        "href",
        "externalId",
        "status",
        "startDate",
        "lastUpdateDate",
        "productOffering",
        "productSpecification",
        "productOrderItem",
        "productRelationship",
        "billingAccount",
        "relatedSite",
        "place",
    ],
    filters: &[
        ("status", ""),
        ("productSpecificationId", "productSpecification.id"),
        ("productOfferingId", "productOffering.id"),
        ("externalId", ""),
        ("geographicalSiteId", "relatedSite.id"),
        ("relatedProductId", "productRelationship.id"),
        ("billingAccountId", "billingAccount.id"),
        ("productOrderId", "productOrderItem.productOrderId"),
        ("startDate", ""),
        ("lastUpdateDate", ""),
    ],
    ..NOTHING
};

const RELATED: [(&str, &str); 2] =
    [("relatedEntityId", "relatedEntity.id"), ("relatedEntityType", "relatedEntity.@referredType")];

pub(super) static TICKET: Kind = Kind {
    name: "troubleTicket",
    noun: "TroubleTicket",
    short: "ticket",
    api: Api::Ticket,
    attribute: "status",
    history: "statusChange",
    made: "creationDate",
    events: ["", "troubleTicketStatusChangeEvent", "", ""],
    row: &[
        "id",
        "externalId",
        "description",
        "status",
        "ticketType",
        "priority",
        "severity",
        "sellerPriority",
        "sellerSeverity",
        "observedImpact",
        "relatedEntity",
        "creationDate",
        "expectedResolutionDate",
        "resolutionDate",
    ],
    filters: &[
        ("externalId", ""),
        ("priority", ""),
        ("sellerPriority", ""),
        ("severity", ""),
        ("sellerSeverity", ""),
        ("ticketType", ""),
        ("status", ""),
        ("observedImpact", ""),
        RELATED[0],
        RELATED[1],
        ("creationDate", ""),
        ("expectedResolutionDate", ""),
        ("resolutionDate", ""),
    ],
    required: &[
        "description",
        "priority",
        "severity",
        "ticketType",
        "relatedContactInformation",
        "relatedEntity",
    ],
    ..NOTHING
};

pub(super) static INCIDENT: Kind = Kind {
    name: "incident",
    noun: "Incident",
    short: "incident",
    api: Api::Ticket,
    attribute: "status",
    history: "statusChange",
    made: "creationDate",
    events: ["incidentCreateEvent", "incidentStatusChangeEvent", "", ""],
    row: &[
        "id",
        "href",
        "description",
        "status",
        "incidentType",
        "priority",
        "severity",
        "impact",
        "relatedEntity",
        "creationDate",
        "issueStartDate",
        "situationStartDate",
        "expectedClosedDate",
        "closedDate",
    ],
    filters: &[
        ("priority", ""),
        ("severity", ""),
        ("impact", ""),
        ("incidentType", ""),
        ("status", ""),
        RELATED[0],
        RELATED[1],
        ("creationDate", ""),
        ("situationStartDate", ""),
        ("expectedClosedDate", ""),
        ("closedDate", ""),
    ],
    ..NOTHING
};

pub(super) static APPOINTMENT: Kind = Kind {
    name: "appointment",
    noun: "Appointment",
    short: "appointment",
    api: Api::Appointment,
    attribute: "status",
    events: ["", "appointmentStatusChangeEvent", "", ""],
    row: &["id", "href", "relatedPlace", "status", "validFor", "workOrder"],
    filters: &[
        ("workOrderId", "workOrder.id"),
        ("validForDate", "validFor.startDateTime"),
        ("status", ""),
        ("geographicSiteId", "relatedPlace.id"),
        ("geographicAddressId", "relatedPlace.id"),
    ],
    required: &["validFor", "workOrder"],
    ..NOTHING
};

pub(super) static WORK: Kind = Kind {
    name: "workorder",
    noun: "WorkOrder",
    short: "work",
    api: Api::WorkOrder,
    events: ["workOrderCreateEvent", "workOrderStateChangeEvent", "", ""],
    row: &["id", "appointmentRequired", "place", "relatedEntity", "state"],
    filters: &[
        ("geographicalSiteId", "place.id"),
        ("geographicalAddressId", "place.id"),
        RELATED[0],
        RELATED[1],
        ("state", ""),
        ("appointmentRequired", ""),
    ],
    ..NOTHING
};

pub(super) static BILL: Kind = Kind {
    name: "customerBill",
    noun: "CustomerBill",
    short: "bill",
    api: Api::Billing,
    events: ["customerBillCreateEvent", "customerBillStateChangeEvent", "", ""],
    row: &["id", "billingAccount", "billNo", "billingPeriod", "category", "state"],
    filters: &[
        ("billingAccount.id", ""),
        ("billingPeriod.startDateTime", ""),
        ("billingPeriod.endDateTime", ""),
        ("category", ""),
        ("state", ""),
    ],
    ..NOTHING
};

pub(super) static BILL_ITEM: Kind = Kind {
    name: "customerBillItem",
    noun: "CustomerBillItem",
    short: "billItem",
    api: Api::Billing,
    ..NOTHING
};

/// States that items share with what they are items of.
const OF_ITEMS: [&str; 14] = [
    "acknowledged",
    "inProgress",
    "inProgress.draft",
    "approved.orderable",
    "approved.orderableAlternate",
    "answered",
    "unableToProvide",
    "rejected",
    "completed",
    "failed",
    "cancelled",
    "done.ready",
    "done",
    "terminatedWithError",
];

/// All of them.
pub(super) static KINDS: [&Kind; 15] = [
    &VALIDATION,
    &ADDRESS,
    &SITE,
    &POQ,
    &QUOTE,
    &ORDER,
    &CANCEL,
    &MODIFY,
    &CHARGE,
    &PRODUCT,
    &TICKET,
    &INCIDENT,
    &APPOINTMENT,
    &WORK,
    &BILL,
];

impl Kind {
    /// The one that scenarios call so.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.into_iter().find(|kind| kind.name == name)
    }

    /// Its segment in a release's paths.
    pub fn segment(&self, release: Release) -> &'static str {
        if self.name == MODIFY.name { release.modify() } else { self.name }
    }

    /// Whether its items have a history.
    pub fn items_have_history(&self, release: Release) -> bool {
        !self.items.is_empty() && (release.is_new() || self.name != QUOTE.name)
    }

    /// Whether it says when it was made.
    pub fn is_dated(&self, release: Release) -> bool {
        !self.made.is_empty() && (release.is_new() || self.name != POQ.name)
    }

    /// The event of its making; empty: none.
    pub fn create_event(&self, release: Release) -> &'static str {
        let [event, ..] = self.events;
        match (event, release.age) {
            ("poqCreateEvent", Age::Kylie) => "",
            ("incidentCreateEvent", Age::Celine) => "incidentCreatedEvent",
            _ => event,
        }
    }

    /// The event of a change of its state; empty: none.
    pub fn state_event(&self, release: Release) -> &'static str {
        let [_, event, ..] = self.events;
        if self.name == MODIFY.name && release.age == Age::Billie {
            return "modifyProductOrderItemCompletionDateStateChangeEvent";
        }
        event
    }

    /// Where it stands after it was made, and what it goes through by itself.
    pub fn walk(&self, release: Release) -> &'static [&'static str] {
        match self.name {
            "productOfferingQualification" if release.is_new() => &["acknowledged", "inProgress", "done"],
            "productOfferingQualification" => &["acknowledged", "inProgress", "done.ready"],
            "quote" => &["acknowledged", "inProgress", "approved.orderable"],
            "productOrder" => &["acknowledged", "inProgress", "completed"],
            "cancelProductOrder" | "modifyProductOrderItemRequestedDeliveryDate" => &["acknowledged", "done"],
            "charge" => &["awaitingResponse"],
            "product" => &["active"],
            "troubleTicket" => &["acknowledged", "inProgress", "resolved"],
            "incident" => &["created", "inProgress", "closed"],
            "appointment" => &["confirmed"],
            "workorder" => &["open"],
            "customerBill" | "customerBillItem" => &["generated"],
            _ => &[],
        }
    }

    /// The state of its items while it is in this one; none: they stay where they are.
    pub fn of_items(&self, state: &str) -> Option<&'static str> {
        Some(match (self.name, state) {
            ("productOrder", "held.assessingCharge") => "held",
            (
                "productOrder",
                "pending.assessingModification" | "assessingCancellation" | "pendingCancellation",
            ) => "pending",
            ("productOrder", "partial") | ("quote", "accepted" | "expired") => return None,
            ("quote", "cancelled" | "declined") => "abandoned",
            ("productOfferingQualification", "done.unableToProvide") => "done.abandoned",
            (_, state) => return OF_ITEMS.into_iter().find(|own| *own == state),
        })
    }

    /// Whether a thing in this state stays there.
    pub fn is_over(&self, state: &str) -> bool {
        match self.name {
            "quote" => ["accepted", "declined", "expired", "cancelled", "rejected", "unableToProvide"]
                .contains(&state),
            "productOrder" => ["completed", "failed", "partial", "cancelled", "rejected"].contains(&state),
            "troubleTicket" => ["closed", "cancelled"].contains(&state),
            "appointment" => ["completed", "missed", "failed", "cancelled"].contains(&state),
            _ => false,
        }
    }
}
