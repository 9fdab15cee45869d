//! The events by which a Seller tells of what changed: facts of the standard, in the words of grace. From dolly on they
//! are the same; what differs before and after is listed by a test, and is for bridges to say.
//!
//! An event carries ids, never data: who is told looks the entity up. Where it is told, and by which type, is the
//! table here; that the notification APIs have exactly these listeners, types and members is held by a test.

use super::{Contract, Function, Release, catalogue, entity::EntityKind};

/// What change makes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The entity is there.
    Created,
    /// Its state is another.
    State,
    /// Its state has become this one.
    StateIs(&'static str),
    /// Another attribute of it than state and history is another.
    Attribute,
    /// An attribute of it has become true.
    Flag(&'static str),
    /// The state of one of its items is another.
    ItemState,
    /// This attribute of one of its items was set, or is another.
    ItemAttribute(&'static str),
    /// One of its items has an element in this array that it did not have; the event carries the element's `name`.
    ItemElement(&'static str),
}

/// One event of the standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFacts {
    /// The function whose hub it is subscribed at.
    pub function: Function,
    /// The kind of the entity whose id it carries.
    pub kind: EntityKind,
    /// What stands behind `/listener/` where it is told.
    pub path: &'static str,
    /// Its `eventType`, which is the path's name but for the catalogue.
    pub event_type: &'static str,
    /// What makes it.
    pub occasion: Occasion,
    /// The member of `event` that names the item, where it is about one (MEF 115 R57, MEF 123 R106).
    pub item: Option<&'static str>,
    /// The member of `event` that names the element of [`Occasion::ItemElement`] (MEF 123 CR7).
    pub element: Option<&'static str>,
}

const fn of(function: Function, kind: EntityKind, name: &'static str, occasion: Occasion) -> EventFacts {
    EventFacts { function, kind, path: name, event_type: name, occasion, item: None, element: None }
}

const fn of_item(
    function: Function,
    kind: EntityKind,
    name: &'static str,
    occasion: Occasion,
    item: &'static str,
) -> EventFacts {
    EventFacts { item: Some(item), ..of(function, kind, name, occasion) }
}

/// The catalogue's listeners end in `StatusChangeEvent` and its types in `StateChangeEvent`.
const fn of_catalog(kind: EntityKind, path: &'static str, event_type: &'static str) -> EventFacts {
    EventFacts { event_type, ..of(Function::CATALOG, kind, path, Occasion::State) }
}

const POQ: EntityKind = EntityKind::ProductOfferingQualification;
const QUOTE: EntityKind = EntityKind::Quote;
const ORDER: EntityKind = EntityKind::ProductOrder;
const CHARGE: EntityKind = EntityKind::Charge;
const TICKET: EntityKind = EntityKind::TroubleTicket;
const INCIDENT: EntityKind = EntityKind::Incident;
const APPOINTMENT: EntityKind = EntityKind::Appointment;
const WORK_ORDER: EntityKind = EntityKind::WorkOrder;
const BILL: EntityKind = EntityKind::CustomerBill;
const CATEGORY: EntityKind = EntityKind::ProductCategory;
const OFFERING: EntityKind = EntityKind::ProductOffering;
const SPECIFICATION: EntityKind = EntityKind::ProductSpecification;

/// All events, in the order in which those of one change are told.
pub static EVENTS: &[EventFacts] = &[
    of(Function::POQ, POQ, "poqCreateEvent", Occasion::Created),
    of_item(Function::POQ, POQ, "poqItemStateChangeEvent", Occasion::ItemState, "poqItemId"),
    of(Function::POQ, POQ, "poqStateChangeEvent", Occasion::State),
    of_item(Function::QUOTE, QUOTE, "quoteItemStateChangeEvent", Occasion::ItemState, "quoteItemId"),
    of(Function::QUOTE, QUOTE, "quoteStateChangeEvent", Occasion::State),
    of_item(
        Function::ORDER,
        ORDER,
        "productOrderItemExpectedCompletionDateSet",
        Occasion::ItemAttribute("expectedCompletionDate"),
        "orderItemId",
    ),
    EventFacts {
        element: Some("milestoneName"),
        ..of_item(
            Function::ORDER,
            ORDER,
            "productSpecificProductOrderItemMilestoneEvent",
            Occasion::ItemElement("milestone"),
            "orderItemId",
        )
    },
    of_item(Function::ORDER, ORDER, "productOrderItemStateChangeEvent", Occasion::ItemState, "orderItemId"),
    of(Function::ORDER, ORDER, "productOrderStateChangeEvent", Occasion::State),
    of(
        Function::ORDER,
        EntityKind::CancelProductOrder,
        "cancelProductOrderStateChangeEvent",
        Occasion::State,
    ),
    of(Function::ORDER, CHARGE, "chargeCreateEvent", Occasion::Created),
    of(Function::ORDER, CHARGE, "chargeStateChangeEvent", Occasion::State),
    of(Function::ORDER, CHARGE, "chargeTimeoutEvent", Occasion::StateIs("timeout")),
    of(
        Function::ORDER,
        EntityKind::ModifyProductOrderItemRequestedDeliveryDate,
        "modifyProductOrderItemRequestedDeliveryDateStateChangeEvent",
        Occasion::State,
    ),
    of(Function::TROUBLE_TICKET, TICKET, "troubleTicketAttributeValueChangeEvent", Occasion::Attribute),
    of(Function::TROUBLE_TICKET, TICKET, "troubleTicketStatusChangeEvent", Occasion::State),
    // A ticket waits in `pending` for something from the Buyer (MEF 124).
    of(
        Function::TROUBLE_TICKET,
        TICKET,
        "troubleTicketInformationRequiredEvent",
        Occasion::StateIs("pending"),
    ),
    of(Function::TROUBLE_TICKET, TICKET, "troubleTicketResolvedEvent", Occasion::StateIs("resolved")),
    of(Function::TROUBLE_TICKET, INCIDENT, "incidentCreateEvent", Occasion::Created),
    of(Function::TROUBLE_TICKET, INCIDENT, "incidentAttributeValueChangeEvent", Occasion::Attribute),
    of(Function::TROUBLE_TICKET, INCIDENT, "incidentStatusChangeEvent", Occasion::State),
    of(Function::APPOINTMENT, APPOINTMENT, "appointmentAttributeValueChangeEvent", Occasion::Attribute),
    of(Function::APPOINTMENT, APPOINTMENT, "appointmentStatusChangeEvent", Occasion::State),
    of(Function::WORK_ORDER, WORK_ORDER, "workOrderCreateEvent", Occasion::Created),
    of(Function::WORK_ORDER, WORK_ORDER, "workOrderStateChangeEvent", Occasion::State),
    of(
        Function::WORK_ORDER,
        WORK_ORDER,
        "workOrderAppointmentRequiredEvent",
        Occasion::Flag("appointmentRequired"),
    ),
    of(Function::BILLING, BILL, "customerBillCreateEvent", Occasion::Created),
    of(Function::BILLING, BILL, "customerBillStateChangeEvent", Occasion::State),
    of(Function::CATALOG, CATEGORY, "categoryCreateEvent", Occasion::Created),
    of(Function::CATALOG, CATEGORY, "categoryAttributeValueChangeEvent", Occasion::Attribute),
    of_catalog(CATEGORY, "categoryStatusChangeEvent", "categoryStateChangeEvent"),
    of(Function::CATALOG, OFFERING, "productOfferingCreateEvent", Occasion::Created),
    of(Function::CATALOG, OFFERING, "productOfferingAttributeValueChangeEvent", Occasion::Attribute),
    of_catalog(OFFERING, "productOfferingStatusChangeEvent", "productOfferingStateChangeEvent"),
    of(Function::CATALOG, SPECIFICATION, "productSpecificationCreateEvent", Occasion::Created),
    of(
        Function::CATALOG,
        SPECIFICATION,
        "productSpecificationAttributeValueChangeEvent",
        Occasion::Attribute,
    ),
    of_catalog(
        SPECIFICATION,
        "productSpecificationStatusChangeEvent",
        "productSpecificationStateChangeEvent",
    ),
];

/// Functions that have events, and so a hub.
pub fn functions_with_events() -> impl Iterator<Item = Function> {
    Function::all().filter(|function| EVENTS.iter().any(|event| event.function == *function))
}

/// The events of a kind of entity, in the order in which those of one change are told.
pub fn events_of(kind: EntityKind) -> impl Iterator<Item = &'static EventFacts> {
    EVENTS.iter().filter(move |event| event.kind == kind)
}

/// The event of this type, at a function's hub.
#[must_use]
pub fn event(function: Function, event_type: &str) -> Option<&'static EventFacts> {
    EVENTS.iter().find(|event| event.function == function && event.event_type == event_type)
}

/// The contract by which a function's events are told in a release; `None` where it has none.
#[must_use]
pub fn listener(release: Release, function: Function) -> Option<&'static Contract> {
    catalogue().contract(release, function.notification()?)
}

/// What an operation does to subscriptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubAct {
    /// `POST /hub`.
    Register,
    /// `GET /hub/{id}`, which not every function has.
    Retrieve,
    /// `DELETE /hub/{id}`.
    Remove,
}

impl HubAct {
    /// What an operation does to subscriptions, if it has to do with them. Their names say the same thing in every API.
    #[must_use]
    pub fn of(operation_id: &str) -> Option<Self> {
        match operation_id {
            "registerListener" => Some(Self::Register),
            "retrieveHub" => Some(Self::Retrieve),
            "unregisterListener" => Some(Self::Remove),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sonata::Operation;
    use std::collections::BTreeSet;

    /// Listeners of other releases that this table does not have, and those of it that they lack: what a bridge has
    /// to say of their events.
    const DIFFERING: &[(&str, &[&str], &[&str])] = &[
        (
            "billie",
            &[
                "productOrderExpectedCompletionDateSet",
                "productSpecificProductOrderMilestoneEvent",
                "modifyProductOrderItemCompletionDateStateChangeEvent",
            ],
            &[
                "modifyProductOrderItemRequestedDeliveryDateStateChangeEvent",
                "incidentCreateEvent",
                "incidentAttributeValueChangeEvent",
                "incidentStatusChangeEvent",
            ],
        ),
        ("celine", &["incidentCreatedEvent", "incidentClosedEvent"], &["incidentCreateEvent"]),
        ("dolly", &[], &[]),
        ("ella", &[], &[]),
        ("fergie", &[], &[]),
        ("grace", &[], &[]),
        (
            "kylie",
            &[
                "productOrderItemExpectedCompletionDateSetEvent",
                "productOfferingStateChangeEvent",
                "productSpecificationStateChangeEvent",
                "geographicAddressValidationStateChangeEvent",
                "cimIncidentCreateEvent",
                "cimIncidentAttributeValueChangeEvent",
                "cimIncidentStatusChangeEvent",
            ],
            &[
                "poqCreateEvent",
                "productOrderItemExpectedCompletionDateSet",
                "categoryStatusChangeEvent",
                "productOfferingStatusChangeEvent",
                "productSpecificationStatusChangeEvent",
            ],
        ),
    ];

    #[test]
    fn the_listeners_of_the_catalogue_are_these() {
        assert_eq!(EVENTS.len(), 37);
        assert!(DIFFERING.iter().map(|row| row.0).eq(catalogue().releases().map(Release::as_str)));
        for (name, more, fewer) in DIFFERING {
            let release = Release::parse(name).unwrap();
            let mut listeners = BTreeSet::new();
            for function in catalogue().functions(release).filter(|function| function.is_notification()) {
                let contract = catalogue().contract(release, function).unwrap();
                let paths = contract.operations.iter().map(Operation::path_text);
                listeners.extend(paths.map(|path| path.strip_prefix("/listener/").map(str::to_owned)));
            }
            let ours = EVENTS.iter().filter(|event| listener(release, event.function).is_some());
            let ours = ours.map(|event| event.path).filter(|path| !fewer.contains(path));
            let ours: BTreeSet<_> =
                ours.chain(more.iter().copied()).map(|path| Some(path.to_owned())).collect();
            assert_eq!(listeners, ours, "{name}");
            assert!(fewer.iter().all(|path| EVENTS.iter().any(|event| event.path == *path)), "{name}");
        }
    }

    #[test]
    fn types_and_members_are_those_of_the_contract() {
        for event in EVENTS {
            let contract = listener(Release::GRACE, event.function).unwrap();
            let path = format!("/listener/{}", event.path);
            let operation = contract.operations.iter().find(|one| one.path_text() == path).unwrap();
            let envelope = contract.view(operation.request.unwrap());
            for name in ["eventId", "eventTime", "eventType", "event"] {
                assert!(envelope.member(name).is_some(), "{path}: {name}");
            }
            let mut types = envelope.member("eventType").unwrap().value.enum_values();
            assert!(types.any(|one| one == event.event_type), "{path}: {}", event.event_type);
            let body = envelope.member("event").unwrap().value;
            let known: Vec<&str> = ["id", "href", "buyerId", "sellerId"].into_iter().collect();
            for name in known.into_iter().chain(event.item).chain(event.element) {
                assert!(body.member(name).is_some(), "{path}: event.{name}");
            }
            assert_eq!(operation.success_status, 204, "{path}");
        }
    }

    #[test]
    fn what_makes_them_exists() {
        for event in EVENTS {
            let facts = event.kind.facts();
            let is_of_item = matches!(
                event.occasion,
                Occasion::ItemState | Occasion::ItemAttribute(_) | Occasion::ItemElement(_)
            );
            assert_eq!(is_of_item, event.item.is_some(), "{}", event.path);
            assert!(!is_of_item || facts.items.is_some(), "{}", event.path);
            if let Occasion::StateIs(state) = event.occasion {
                let machine = crate::sonata::state::machine(facts.machines.0).unwrap();
                assert!(machine.has(state), "{}: {state}", event.path);
            }
        }
    }

    #[test]
    fn eight_functions_have_events() {
        let names: Vec<&str> = functions_with_events().map(Function::name).collect();
        let all = "poq quote order troubleTicket appointment workOrder billing catalog";
        assert_eq!(names.join(" "), all);
    }

    #[test]
    fn every_hub_is_known() {
        for release in catalogue().releases() {
            for operation in catalogue().operations(release) {
                let is_hub = operation.path_text().starts_with("/hub");
                assert_eq!(
                    is_hub,
                    HubAct::of(&operation.operation_id).is_some(),
                    "{}",
                    operation.path_text()
                );
            }
        }
    }
}
