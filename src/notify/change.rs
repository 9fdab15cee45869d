//! Which events a change of an entity makes.

use std::collections::BTreeMap;

use crate::{
    json::Node,
    sonata::{
        entity::EntityKind,
        events::{EventFacts, Occasion, events_of},
    },
};

/// The state of what a catalogue has, which custody does not look after, and its history.
const STATE_OF_CATALOG: &str = "lifecycleStatus";
const HISTORY_OF_CATALOG: &str = "statusTransition";

/// One thing to tell. Nothing of the entity is in it but what names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which event it is.
    pub facts: &'static EventFacts,
    /// The item that it is about, by the Buyer's id of it.
    pub item: Option<String>,
    /// The name of the item's element that it is about.
    pub element: Option<String>,
}

/// How the partner came by what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// By an exchange of its own: what its answer makes or shows for the first time is no news. A create is told by its
    /// synchronous answer (MEF 123 section 6.16), but for a qualification (MEF 87 R45).
    Partner,
    /// By somebody else: the legacy system, a timer, a person.
    Other,
}

/// The events that a change makes, in the order in which they are told: items before the whole. `before` is the document
/// as it was, none where there was none.
///
/// Of an entity that is new only that it is there is told, never the state that it begins with.
#[must_use]
pub fn changed(kind: EntityKind, before: Option<Node<'_>>, after: Node<'_>, by: By) -> Vec<Event> {
    let Some(before) = before else {
        let is_news = by == By::Other || kind == EntityKind::ProductOfferingQualification;
        let of_creation = |event: &&'static EventFacts| match event.occasion {
            Occasion::Created => is_news,
            Occasion::Flag(name) => by == By::Other && is_true(after, name),
            _ => false,
        };
        return events_of(kind).filter(of_creation).map(whole).collect();
    };
    events_of(kind).flat_map(|facts| of_change(facts, before, after)).collect()
}

fn of_change(facts: &'static EventFacts, before: Node<'_>, after: Node<'_>) -> Vec<Event> {
    let state = facts.kind.facts().state.unwrap_or(STATE_OF_CATALOG);
    let differs = |name: &str| !same(before.get(name), after.get(name));
    let holds = match facts.occasion {
        Occasion::Created => false,
        Occasion::State => differs(state) && after.get(state).is_some(),
        Occasion::StateIs(wanted) => {
            differs(state) && after.get(state).is_some_and(|state| state.is_text(wanted))
        }
        Occasion::Attribute => attribute_differs(facts, before, after),
        Occasion::Flag(name) => !is_true(before, name) && is_true(after, name),
        Occasion::ItemState | Occasion::ItemAttribute(_) | Occasion::ItemElement(_) => {
            return of_items(facts, before, after);
        }
    };
    if holds { vec![whole(facts)] } else { Vec::new() }
}

fn of_items(facts: &'static EventFacts, before: Node<'_>, after: Node<'_>) -> Vec<Event> {
    let Some(array) = facts.kind.facts().items else { return Vec::new() };
    let id = |item: Node<'_>| item.get("id").and_then(Node::as_str).map(std::borrow::Cow::into_owned);
    let mut earlier: BTreeMap<String, Node<'_>> = BTreeMap::new();
    for item in before.get(array).into_iter().flat_map(Node::elements) {
        if let Some(id) = id(item) {
            earlier.insert(id, item);
        }
    }
    let mut events = Vec::new();
    for item in after.get(array).into_iter().flat_map(Node::elements) {
        let Some(id) = id(item) else { continue };
        let was = earlier.get(&id).copied();
        let event = |element| Event { facts, item: Some(id.clone()), element };
        let set = |name: &str| {
            let (was, is) = (was.and_then(|was| was.get(name)), item.get(name));
            is.is_some() && !same(was, is)
        };
        match facts.occasion {
            Occasion::ItemState if set("state") => events.push(event(None)),
            Occasion::ItemAttribute(name) if set(name) => events.push(event(None)),
            Occasion::ItemElement(name) => {
                let known = was.and_then(|was| was.get(name));
                for one in item.get(name).into_iter().flat_map(Node::elements) {
                    let is_known = known.is_some_and(|known| known.elements().any(|was| was.eq_value(one)));
                    if !is_known {
                        let name = one.get("name").and_then(Node::as_str);
                        events.push(event(name.map(std::borrow::Cow::into_owned)));
                    }
                }
            }
            _ => {}
        }
    }
    events
}

/// Whether an attribute is another that no other event tells of and that does not follow from the state.
fn attribute_differs(facts: &EventFacts, before: Node<'_>, after: Node<'_>) -> bool {
    let own = facts.kind.facts();
    let is_told = |name: &str| {
        [own.state, own.history].contains(&Some(name))
            || ["href", "lastUpdate", STATE_OF_CATALOG, HISTORY_OF_CATALOG].contains(&name)
    };
    let names =
        |node: Node<'_>| -> Vec<String> { node.members().map(|(name, _)| name.into_owned()).collect() };
    let mut all = names(before);
    all.extend(names(after));
    all.iter().any(|name| !is_told(name) && !same(before.get(name), after.get(name)))
}

fn whole(facts: &'static EventFacts) -> Event {
    Event { facts, item: None, element: None }
}

fn is_true(document: Node<'_>, name: &str) -> bool {
    document.get(name).and_then(Node::as_bool) == Some(true)
}

fn same(one: Option<Node<'_>>, other: Option<Node<'_>>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.eq_value(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    /// The events of a change, as `type`, `type/item` or `type/item/element`.
    fn told(kind: EntityKind, before: Option<&str>, after: &str, by: By) -> Vec<String> {
        let document = |text: &str| Document::from_text(text).unwrap();
        let (before, after) = (before.map(document), document(after));
        let events = changed(kind, before.as_ref().map(Document::root), after.root(), by);
        let text = |event: Event| {
            let parts = [Some(event.facts.event_type.to_owned()), event.item, event.element];
            parts.into_iter().flatten().collect::<Vec<_>>().join("/")
        };
        events.into_iter().map(text).collect()
    }

    #[test]
    fn what_is_new_is_told_once_and_without_its_state() {
        use EntityKind as K;
        let none: &[&str] = &[];
        let rows: [(K, &str, &[&str], &[&str]); 8] = [
            (K::Quote, r#"{"state":"acknowledged"}"#, none, none),
            (K::Quote, r#"{"state":"approved.orderable","quoteItem":[{"id":"1","state":"x"}]}"#, none, none),
            (K::ProductOrder, r#"{"state":"acknowledged"}"#, none, none),
            (
                K::ProductOfferingQualification,
                r#"{"state":"done.ready"}"#,
                &["poqCreateEvent"],
                &["poqCreateEvent"],
            ),
            (K::Charge, r#"{"state":"awaitingResponse"}"#, none, &["chargeCreateEvent"]),
            (K::Incident, r#"{"status":"created"}"#, none, &["incidentCreateEvent"]),
            (
                K::WorkOrder,
                r#"{"state":"open","appointmentRequired":true}"#,
                none,
                &["workOrderCreateEvent", "workOrderAppointmentRequiredEvent"],
            ),
            (K::CustomerBill, r#"{"state":"new"}"#, none, &["customerBillCreateEvent"]),
        ];
        for (kind, after, to_maker, to_others) in rows {
            assert_eq!(told(kind, None, after, By::Partner), to_maker, "{}", kind.name());
            assert_eq!(told(kind, None, after, By::Other), to_others, "{}", kind.name());
        }
    }

    #[test]
    fn every_change_makes_its_events() {
        use EntityKind as K;
        let rows: [(K, &str, &str, &[&str]); 16] = [
            (K::Quote, r#"{"state":"a"}"#, r#"{"state":"a","quoteDate":"x"}"#, &[]),
            (K::Quote, r#"{"state":"a"}"#, r#"{"state":"b"}"#, &["quoteStateChangeEvent"]),
            (
                K::Quote,
                r#"{"state":"a","quoteItem":[{"id":"1","state":"x"},{"id":"2","state":"x"}]}"#,
                r#"{"state":"b","quoteItem":[{"id":"1","state":"x"},{"id":"2","state":"y"}]}"#,
                &["quoteItemStateChangeEvent/2", "quoteStateChangeEvent"],
            ),
            // Items are known by their id, wherever they stand.
            (
                K::Quote,
                r#"{"quoteItem":[{"id":"1","state":"x"},{"id":"2","state":"y"}]}"#,
                r#"{"quoteItem":[{"id":"2","state":"y"},{"id":"1","state":"x"}]}"#,
                &[],
            ),
            (
                K::ProductOfferingQualification,
                r#"{"state":"a"}"#,
                r#"{"state":"b"}"#,
                &["poqStateChangeEvent"],
            ),
            (
                K::ProductOrder,
                r#"{"productOrderItem":[{"id":"1","state":"x"}]}"#,
                r#"{"productOrderItem":[{"id":"1","state":"x","expectedCompletionDate":"d"}]}"#,
                &["productOrderItemExpectedCompletionDateSet/1"],
            ),
            (
                K::ProductOrder,
                r#"{"productOrderItem":[{"id":"1","milestone":[{"name":"a","date":"d"}]}]}"#,
                r#"{"productOrderItem":[{"id":"1","milestone":[{"name":"a","date":"d"},{"name":"b","date":"e"}]}]}"#,
                &["productSpecificProductOrderItemMilestoneEvent/1/b"],
            ),
            (
                K::CancelProductOrder,
                r#"{"state":"a"}"#,
                r#"{"state":"b"}"#,
                &["cancelProductOrderStateChangeEvent"],
            ),
            (
                K::Charge,
                r#"{"state":"a"}"#,
                r#"{"state":"timeout"}"#,
                &["chargeStateChangeEvent", "chargeTimeoutEvent"],
            ),
            (
                K::TroubleTicket,
                r#"{"status":"a"}"#,
                r#"{"status":"pending","statusChange":[1]}"#,
                &["troubleTicketStatusChangeEvent", "troubleTicketInformationRequiredEvent"],
            ),
            (
                K::TroubleTicket,
                r#"{"status":"a","note":[]}"#,
                r#"{"status":"a","note":[1]}"#,
                &["troubleTicketAttributeValueChangeEvent"],
            ),
            (
                K::TroubleTicket,
                r#"{"status":"a"}"#,
                r#"{"status":"resolved","resolutionDate":"d"}"#,
                &[
                    "troubleTicketAttributeValueChangeEvent",
                    "troubleTicketStatusChangeEvent",
                    "troubleTicketResolvedEvent",
                ],
            ),
            // An attribute that is gone is another, too.
            (
                K::Appointment,
                r#"{"status":"a","note":[]}"#,
                r#"{"status":"a"}"#,
                &["appointmentAttributeValueChangeEvent"],
            ),
            (
                K::WorkOrder,
                r#"{"appointmentRequired":false}"#,
                r#"{"appointmentRequired":true}"#,
                &["workOrderAppointmentRequiredEvent"],
            ),
            (
                K::ProductCategory,
                r#"{"lifecycleStatus":"a"}"#,
                r#"{"lifecycleStatus":"b"}"#,
                &["categoryStateChangeEvent"],
            ),
            (K::GeographicAddress, r#"{"a":1}"#, r#"{"a":2}"#, &[]),
        ];
        for (kind, before, after, expected) in rows {
            for by in [By::Partner, By::Other] {
                assert_eq!(told(kind, Some(before), after, by), expected, "{}: {after}", kind.name());
                assert!(told(kind, Some(before), before, by).is_empty(), "{}: {before}", kind.name());
            }
        }
    }
}
