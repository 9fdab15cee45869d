//! Trouble tickets, incidents, and the work that they make: work orders and appointments.

use serde_json::{Value, json};

use super::super::release::{Age, Api};
use super::answer::{Reply, fault};
use super::kind::{ADDRESS, APPOINTMENT, INCIDENT, Kind, TICKET, WORK};
use super::things::{push, rows, text};
use super::{State, check, contact, tell};

/// What a ticket's update may change.
const CHANGEABLE: [&str; 10] = [
    "attachment",
    "externalId",
    "issueStartDate",
    "note",
    "observedImpact",
    "priority",
    "relatedContactInformation",
    "relatedIssue",
    "severity",
    "troubleTicketRelationship",
];

/// What an appointment's update may change.
const MOVABLE: [&str; 5] = ["attachment", "note", "relatedPlace", "relatedContactInformation", "validFor"];

/// `POST troubleTicket`.
pub(super) fn make(state: &mut State, body: &Value) -> Reply {
    let faults = check::message(state, &TICKET, body);
    if !faults.is_empty() {
        return Reply::faults(faults);
    }
    let mut ticket = body.clone();
    ticket["sellerPriority"] = body["priority"].clone();
    ticket["sellerSeverity"] = body["severity"].clone();
    contact(&mut ticket, "sellerTicketContact");
    let id = state.make(&TICKET, ticket, false);
    Reply::made(state.thing(&TICKET, &id))
}

/// What a ticket or an incident says in its state.
pub(super) fn stands(state: &mut State, kind: &Kind, id: &str) {
    let (now, soon) = (state.now(), state.day(2));
    let Some(thing) = state.thing_mut(kind, id) else { return };
    match (kind.name, text(thing, "status")) {
        ("troubleTicket", "inProgress") => thing["expectedResolutionDate"] = json!(soon),
        ("troubleTicket", "resolved") => thing["resolutionDate"] = json!(now),
        ("incident", "closed") => thing["closedDate"] = json!(now),
        _ => {}
    }
}

/// What follows from a ticket's state: somebody is sent, and it is told that it is mended.
pub(super) fn follows(state: &mut State, id: &str) {
    let Some(ticket) = state.thing(&TICKET, id) else { return };
    match text(ticket, "status") {
        "resolved" => tell::thing(state, &TICKET, "troubleTicketResolvedEvent", id, None),
        "pending" => tell::thing(state, &TICKET, "troubleTicketInformationRequiredEvent", id, None),
        "inProgress" if ticket.get("workOrder").is_none() => send(state, id),
        _ => {}
    }
}

/// A work order for a ticket, where the release has one.
fn send(state: &mut State, ticket: &str) {
    let release = state.settings.release;
    if release.version(Api::WorkOrder) == 0 {
        return;
    }
    let Some(at) = state.all(&ADDRESS).next().map(|address| text(address, "id").to_owned()) else { return };
    let mut body = json!({
        "appointmentRequired": true, "task": ["look at it", "mend it"],
        "duration": { "timeDurationValue": 2, "timeDurationUnits": "HOUR" },
        "place": [place(state, &at)],
        "relatedEntity": [{ "@referredType": "TroubleTicket", "role": "cause", "id": ticket }]
    });
    // dolly requires an attribute that it does not describe.
    if release.age == Age::Dolly {
        body["tasks"] = body["task"].clone();
    }
    contact(&mut body, "sellerWorkOrderContact");
    let made = state.make(&WORK, body, false);
    let href = state.href(&WORK, &made);
    if let Some(ticket) = state.thing_mut(&TICKET, ticket) {
        push(ticket, "workOrder", json!({ "id": made, "href": href }));
    }
    tell::thing(state, &WORK, "workOrderAppointmentRequiredEvent", &made, None);
}

/// A known address, as places are written.
fn place(state: &State, address: &str) -> Value {
    let known = json!({ "@type": "GeographicAddressRef", "id": address });
    if state.settings.release.is_new() {
        return json!({ "role": "INSTALL_LOCATION", "place": known });
    }
    let mut place = known;
    place["role"] = json!("INSTALL_LOCATION");
    place
}

/// `PATCH troubleTicket/{id}`.
pub(super) fn change(state: &mut State, id: &str, body: &Value) -> Reply {
    let Some(ticket) = state.thing_mut(&TICKET, id) else { return Reply::not_found() };
    if TICKET.is_over(text(ticket, "status")) {
        return Reply::conflict("the ticket is over");
    }
    for (name, value) in CHANGEABLE.iter().filter_map(|name| Some((name, body.get(*name)?))) {
        ticket[*name] = value.clone();
    }
    let ticket = ticket.clone();
    if text(&ticket, "status") == "pending" {
        state.walk(&TICKET, id, &["inProgress", "resolved"]);
    }
    Reply::of(200, ticket)
}

/// `POST troubleTicket/{id}/cancel`, `/close`, `/reopen`.
pub(super) fn turn(state: &mut State, id: &str, verb: &str, body: &Value) -> Reply {
    let Some(ticket) = state.thing(&TICKET, id) else { return Reply::not_found() };
    let stands = text(ticket, "status").to_owned();
    let (from, to): (&[&str], &[&str]) = match verb {
        "cancel" => (&["acknowledged", "inProgress", "pending"], &["assessingCancellation", "cancelled"]),
        "close" => (&["resolved"], &["closed"]),
        "reopen" => (&["resolved"], &["reopened", "inProgress", "resolved"]),
        _ => return Reply::not_found(),
    };
    if verb == "reopen" && text(body, "reason").is_empty() {
        return Reply::faults(vec![fault("missingProperty", "/reason", "this is required")]);
    }
    if !from.contains(&stands.as_str()) {
        return Reply::faults(vec![fault("otherIssue", "", "not in this state")]);
    }
    let (first, rest) = to.split_first().unwrap_or((&"", &[]));
    state.walk(&TICKET, id, rest);
    state.change_to(&TICKET, id, first);
    Reply::of(204, Value::Null)
}

/// `POST appointment`.
pub(super) fn appoint(state: &mut State, body: &Value) -> Reply {
    let mut faults = check::message(state, &APPOINTMENT, body);
    let work = body.pointer("/workOrder/id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let known = state.thing(&WORK, &work).cloned();
    if faults.is_empty() && known.is_none() {
        faults.push(fault("referenceNotFound", "/workOrder/id", "there is no such work order"));
    }
    if !faults.is_empty() {
        return Reply::faults(faults);
    }
    let mut appointment = body.clone();
    if appointment.get("relatedPlace").is_none()
        && let Some(place) = known.as_ref().and_then(|work| rows(work, "place").first())
    {
        appointment["relatedPlace"] = place.clone();
    }
    let id = state.make(&APPOINTMENT, appointment, false);
    let href = state.href(&APPOINTMENT, &id);
    let start = body.pointer("/validFor/startDateTime").cloned();
    if let Some(work) = state.thing_mut(&WORK, &work) {
        push(work, "appointment", json!({ "id": id, "href": href }));
        // dolly does not say when it is planned for.
        if let Some(start) = start.filter(|_| work.get("tasks").is_none()) {
            work["plannedExecutionDate"] = start;
        }
    }
    state.change_to(&WORK, &work, "planned");
    Reply::made(state.thing(&APPOINTMENT, &id))
}

/// `PATCH appointment/{id}`: another time.
pub(super) fn reappoint(state: &mut State, id: &str, body: &Value) -> Reply {
    let Some(appointment) = state.thing_mut(&APPOINTMENT, id) else { return Reply::not_found() };
    if APPOINTMENT.is_over(text(appointment, "status")) {
        return Reply::conflict("the appointment is over");
    }
    for (name, value) in MOVABLE.iter().filter_map(|name| Some((name, body.get(*name)?))) {
        appointment[*name] = value.clone();
    }
    let appointment = appointment.clone();
    tell::thing(state, &APPOINTMENT, "appointmentAttributeValueChangeEvent", id, None);
    Reply::of(200, appointment)
}

/// `POST appointment/{id}/cancel`: the work waits for another one.
pub(super) fn disappoint(state: &mut State, id: &str) -> Reply {
    let Some(appointment) = state.thing(&APPOINTMENT, id) else { return Reply::not_found() };
    if APPOINTMENT.is_over(text(appointment, "status")) {
        return Reply::faults(vec![fault("otherIssue", "", "the appointment is over")]);
    }
    let work = appointment.pointer("/workOrder/id").and_then(Value::as_str).unwrap_or_default().to_owned();
    state.walk(&APPOINTMENT, id, &[]);
    state.change_to(&APPOINTMENT, id, "cancelled");
    state.change_to(&WORK, &work, "open");
    Reply::of(204, Value::Null)
}

/// `POST searchTimeSlot`: what is asked for can be had.
pub(super) fn slots(body: &Value) -> Reply {
    let mut answer = body.clone();
    answer["availableTimeSlot"] = body.get("requestedTimeSlot").cloned().unwrap_or_else(|| json!([]));
    Reply::of(201, answer)
}

/// Completes an incident that is to be told: what the scenario or a control says of it, and what it leaves out.
pub(super) fn incident(state: &State, body: &mut Value) {
    let age = state.settings.release.age;
    let began = if age == Age::Celine { "issueStartDate" } else { "situationStartDate" };
    let kind =
        if age >= Age::Grace || age == Age::Fergie || age == Age::Ella { "repair" } else { "maintenance" };
    let mut usual = json!({
        "description": "a line is being mended", "incidentType": kind, "priority": "medium", "severity": "moderate",
        "relatedEntity": [{ "@referredType": "Product", "role": "affected", "id": "product-0001" }]
    });
    usual[began] = json!(state.now());
    if age >= Age::Ella {
        usual["impact"] = json!("degraded");
    }
    contact(&mut usual, "incidentContact");
    for (name, value) in usual.as_object_mut().into_iter().flatten() {
        if body.get(name.as_str()).is_none() {
            body[name.as_str()] = value.take();
        }
    }
}

/// An incident begins; gives its id.
pub(super) fn begins(state: &mut State, mut body: Value) -> String {
    incident(state, &mut body);
    state.make(&INCIDENT, body, false)
}
