//! What a rule asks that no place, condition and member can say. Each finds what is wrong at one node, and nothing
//! where what it needs to know is not known.

use super::test::{CONTACTS, Case, Wrong, is_there};
use crate::{
    json::{Node, number},
    sonata::FaultCode,
};

/// Lists of a ticket to which both sides add.
const ADDED_TO: [&str; 3] = ["note", "attachment", "relatedIssue"];

fn elements<'n>(node: Node<'n>, list: &str) -> impl Iterator<Item = Node<'n>> + use<'n> {
    node.get(list).into_iter().flat_map(Node::elements)
}

fn is(node: Node<'_>, member: &str, text: &str) -> bool {
    node.get(member).is_some_and(|value| value.is_text(text))
}

/// What tells an element of a list from the others.
fn key(element: Node<'_>) -> Option<Node<'_>> {
    element.get("id").or_else(|| element.get("attachmentId"))
}

/// The element of a list that is the same one, by its id, or by all of it where it has none.
fn same_one<'n>(list: Option<Node<'n>>, element: Node<'_>) -> Option<Node<'n>> {
    list?.elements().find(|other| match (key(element), key(*other)) {
        (Some(own), Some(other)) => own.eq_value(other),
        (None, None) => element.eq_value(*other),
        _ => false,
    })
}

/// What the entity was at the node: the node's counterpart among the kept items, or the entity.
fn before<'a>(case: &Case<'a>) -> Option<Node<'a>> {
    counterpart(case, case.facts.stored?)
}

/// What the Buyer sent at the node.
fn sent<'a>(case: &Case<'a>) -> Option<Node<'a>> {
    counterpart(case, case.facts.request?)
}

fn counterpart<'a>(case: &Case<'a>, whole: Node<'a>) -> Option<Node<'a>> {
    if case.node.id() == case.message.id() {
        return Some(whole);
    }
    let id = case.node.get("id")?;
    let (list, _) = case
        .message
        .members()
        .find(|(_, list)| list.is_array() && list.elements().any(|element| element.id() == case.node.id()))?;
    whole.get(&list)?.elements().find(|item| item.get("id").is_some_and(|own| own.eq_value(id)))
}

pub(super) fn spatial_reference(case: &Case<'_>, wrong: &mut Wrong) {
    let value = case.node.get("spatialRef").and_then(Node::as_str);
    if value.is_some_and(|value| !case.facts.agreed.has_spatial_reference(&value)) {
        wrong.push((FaultCode::InvalidValue, case.pointer("spatialRef")));
    }
}

pub(super) fn postcode(case: &Case<'_>, wrong: &mut Wrong) {
    let country = case.node.get("country").and_then(Node::as_str);
    let needs = country.is_some_and(|country| case.facts.agreed.needs_postcode(&country));
    if needs && !case.node.get("postcode").is_some_and(is_there) {
        wrong.push((FaultCode::MissingProperty, case.pointer("postcode")));
    }
}

pub(super) fn type_as_submitted(case: &Case<'_>, wrong: &mut Wrong) {
    let submitted = case.at("/submittedGeographicAddress.@type");
    let differs = |own: Node<'_>| submitted.is_some_and(|submitted| !own.eq_value(submitted));
    if case.node.get("@type").is_some_and(differs) {
        wrong.push((FaultCode::InvalidValue, case.pointer("@type")));
    }
}

/// Of the product of an item that adds one.
pub(super) fn offering_or_specification(case: &Case<'_>, wrong: &mut Wrong) {
    if !action_is(case, "add") {
        return;
    }
    let has = |member: &str| case.node.get(member).is_some_and(is_there);
    match (has("productOffering"), has("productSpecification")) {
        (false, false) => wrong.push((FaultCode::MissingProperty, case.pointer("productOffering"))),
        (true, true) => wrong.push((FaultCode::UnexpectedProperty, case.pointer("productSpecification"))),
        _ => {}
    }
}

/// Whether the item that a product is of has this action.
fn action_is(case: &Case<'_>, action: &str) -> bool {
    let items = elements(case.message, "productOfferingQualificationItem");
    let own = |item: &Node<'_>| item.get("product").is_some_and(|product| product.id() == case.node.id());
    items.into_iter().find(own).is_some_and(|item| is(item, "action", action))
}

pub(super) fn type_of_offering(case: &Case<'_>, wrong: &mut Wrong) {
    if case.facts.agreed.offering_types.is_empty() {
        return;
    }
    let Some(own) = case.at("productConfiguration.@type").and_then(Node::as_str) else { return };
    let named =
        ["productOffering.id", "productSpecification.id"].into_iter().filter_map(|place| case.at(place));
    for id in named.filter_map(Node::as_str) {
        let Some(types) = case.facts.agreed.types_of(&id) else { continue };
        let products = case.facts.products;
        let meant = products.resolve(&own);
        let is_one = |known: &String| {
            let urns = meant.as_ref().zip(products.known(known));
            urns.is_some_and(|(own, known)| own.urn() == known.urn())
        };
        if !types.iter().any(is_one) {
            wrong.push((FaultCode::InvalidValue, case.pointer("productConfiguration.@type")));
            return;
        }
    }
}

/// Of a list: no two elements have one id.
pub(super) fn ids_differ(case: &Case<'_>, wrong: &mut Wrong) {
    let mut seen = std::collections::HashSet::new();
    for (index, item) in case.node.elements().enumerate() {
        let Some(id) = item.get("id").and_then(Node::as_str) else { continue };
        if !seen.insert(id) {
            wrong.push((FaultCode::InvalidValue, case.pointer(&format!("{index}.id"))));
        }
    }
}

pub(super) fn an_item_is_terminated(case: &Case<'_>, wrong: &mut Wrong) {
    an_item_is(case, "terminatedWithError", wrong);
}

pub(super) fn an_item_is_in_progress(case: &Case<'_>, wrong: &mut Wrong) {
    an_item_is(case, "inProgress", wrong);
}

fn an_item_is(case: &Case<'_>, state: &str, wrong: &mut Wrong) {
    let mut items = elements(case.message, "productOfferingQualificationItem");
    if !items.any(|item| is(item, "state", state)) {
        wrong.push((FaultCode::InvalidValue, case.pointer("state")));
    }
}

pub(super) fn an_item_is_subject_to_a_check(case: &Case<'_>, wrong: &mut Wrong) {
    let subject =
        |item: Node<'_>| item.get("subjectToFeasibilityCheck").and_then(Node::as_bool) == Some(true);
    if !elements(case.message, "quoteItem").any(subject) {
        wrong.push((FaultCode::InvalidValue, case.pointer("quoteLevel")));
    }
}

/// Terms in one unit only: what a month is in days was agreed on elsewhere.
pub(super) fn term_is_not_shorter(case: &Case<'_>, wrong: &mut Wrong) {
    let part = |term: &str, part: &str| case.node.get(term)?.get("duration")?.get(part);
    let same_units = part("requestedQuoteItemTerm", "units")
        .zip(part("quoteItemTerm", "units"))
        .is_some_and(|(asked, told)| asked.eq_value(told));
    let amount = |term: &str| part(term, "amount").and_then(Node::number);
    let Some((asked, told)) = amount("requestedQuoteItemTerm").zip(amount("quoteItemTerm")) else { return };
    if same_units && number::compare(told, asked).is_lt() {
        wrong.push((FaultCode::InvalidValue, case.pointer("state")));
    }
}

/// A note that is neither in the Buyer's message nor was kept before is the Seller's.
pub(super) fn notes_of_seller(case: &Case<'_>, wrong: &mut Wrong) {
    added_by_seller(case, "note", wrong);
}

pub(super) fn additions_of_seller(case: &Case<'_>, wrong: &mut Wrong) {
    for list in ADDED_TO {
        added_by_seller(case, list, wrong);
    }
}

fn added_by_seller(case: &Case<'_>, list: &str, wrong: &mut Wrong) {
    let known = [sent(case), before(case)].map(|known| known.and_then(|known| known.get(list)));
    for (index, element) in elements(case.node, list).enumerate() {
        let is_new = known.iter().all(|known| same_one(*known, element).is_none());
        if is_new && !is(element, "source", "seller") {
            wrong.push((FaultCode::InvalidValue, case.pointer(&format!("{list}.{index}.source"))));
        }
    }
}

/// A note that was not kept before is the Buyer's.
pub(super) fn notes_of_buyer(case: &Case<'_>, wrong: &mut Wrong) {
    added_by_buyer(case, "note", wrong);
}

pub(super) fn additions_of_buyer(case: &Case<'_>, wrong: &mut Wrong) {
    for list in ADDED_TO {
        added_by_buyer(case, list, wrong);
    }
}

fn added_by_buyer(case: &Case<'_>, list: &str, wrong: &mut Wrong) {
    let Some(before) = before(case) else { return };
    for (index, element) in elements(case.node, list).enumerate() {
        if same_one(before.get(list), element).is_none() && !is(element, "source", "buyer") {
            wrong.push((FaultCode::InvalidValue, case.pointer(&format!("{list}.{index}.source"))));
        }
    }
}

/// Each element that was kept is told, unchanged.
pub(super) fn notes_stay(case: &Case<'_>, wrong: &mut Wrong) {
    stays(case, "note", |_| true, wrong);
}

pub(super) fn additions_stay(case: &Case<'_>, wrong: &mut Wrong) {
    stays(case, "note", |_| true, wrong);
    stays(case, "attachment", |_| true, wrong);
}

/// A list that is sent repeats what it had; one that is not sent changes nothing.
pub(super) fn notes_are_appended(case: &Case<'_>, wrong: &mut Wrong) {
    if case.node.get("note").is_some() {
        stays(case, "note", |_| true, wrong);
    }
}

pub(super) fn lists_of_seller_stay(case: &Case<'_>, wrong: &mut Wrong) {
    for list in ADDED_TO.into_iter().filter(|list| case.node.get(list).is_some()) {
        stays(case, list, |element| is(element, "source", "seller"), wrong);
    }
    contacts_of_seller_stay(case, wrong);
}

fn stays(case: &Case<'_>, list: &str, which: impl Fn(Node<'_>) -> bool, wrong: &mut Wrong) {
    let Some(before) = before(case) else { return };
    let now = case.node.get(list);
    for kept in elements(before, list).filter(|kept| which(*kept)) {
        match same_one(now, kept) {
            None => return wrong.push((FaultCode::MissingProperty, case.pointer(list))),
            Some(own) if !own.eq_value(kept) => wrong.push((FaultCode::InvalidValue, own.pointer())),
            Some(_) => {}
        }
    }
}

/// A contact in a role of the Seller is one that was kept.
pub(super) fn contacts_of_seller_stay(case: &Case<'_>, wrong: &mut Wrong) {
    let Some(before) = before(case) else { return };
    for (index, contact) in elements(case.node, CONTACTS).enumerate() {
        let role = contact.get("role").and_then(Node::as_str).unwrap_or_default();
        let of_seller = role.starts_with("seller") || role == "cancelProductOrderSellerContact";
        if of_seller && !elements(before, CONTACTS).any(|kept| kept.eq_value(contact)) {
            wrong.push((FaultCode::InvalidValue, case.pointer(&format!("{CONTACTS}.{index}"))));
        }
    }
}

/// An item's expected date differs from before, and neither it nor the order has a note more.
pub(super) fn new_date_has_note(case: &Case<'_>, wrong: &mut Wrong) {
    let Some(item) = before(case) else { return };
    let date = |item: Node<'_>| item.get("expectedCompletionDate").and_then(Node::as_str).map(String::from);
    let (Some(old), Some(new)) = (date(item), date(case.node)) else { return };
    let notes = |whole: Option<Node<'_>>, item: Node<'_>| {
        whole.map_or(0, |whole| elements(whole, "note").count()) + elements(item, "note").count()
    };
    if old != new && notes(Some(case.message), case.node) <= notes(case.facts.stored, item) {
        wrong.push((FaultCode::MissingProperty, case.pointer("note")));
    }
}

pub(super) fn new_resolution_has_note(case: &Case<'_>, wrong: &mut Wrong) {
    let Some(before) = case.facts.stored else { return };
    let differs = |member: &str| {
        before.get(member).zip(case.node.get(member)).is_some_and(|(old, new)| !old.eq_value(new))
    };
    let notes = |ticket: Node<'_>| elements(ticket, "note").count();
    if differs("expectedResolutionDate") && notes(case.node) <= notes(before) {
        wrong.push((FaultCode::MissingProperty, case.pointer("note")));
    }
}

pub(super) fn product_stays(case: &Case<'_>, wrong: &mut Wrong) {
    let id = |item: Node<'_>| {
        item.get("product").and_then(|product| product.get("id"))?.as_str().map(String::from)
    };
    let Some(kept) = before(case).and_then(id) else { return };
    match id(case.node) {
        None => wrong.push((FaultCode::MissingProperty, case.pointer("product.id"))),
        Some(own) if own != kept => wrong.push((FaultCode::InvalidValue, case.pointer("product.id"))),
        Some(_) => {}
    }
}

pub(super) fn every_item_is_answered(case: &Case<'_>, wrong: &mut Wrong) {
    let Some(stored) = case.facts.stored else { return };
    let answered = case.node.get("chargeItem");
    if elements(stored, "chargeItem").any(|item| same_one(answered, item).is_none()) {
        wrong.push((FaultCode::MissingProperty, case.pointer("chargeItem")));
    }
}

pub(super) fn attachment_is_there(case: &Case<'_>, wrong: &mut Wrong) {
    let has = |member: &str| case.node.get(member).is_some_and(is_there);
    match (has("url"), has("content"), has("mimeType")) {
        (true, ..) | (_, true, true) => {}
        (false, true, false) => wrong.push((FaultCode::MissingProperty, case.pointer("mimeType"))),
        (false, false, true) => wrong.push((FaultCode::MissingProperty, case.pointer("content"))),
        (false, false, false) => wrong.push((FaultCode::MissingProperty, case.pointer("url"))),
    }
}

pub(super) fn seller_wrote_a_note(case: &Case<'_>, wrong: &mut Wrong) {
    if !elements(case.node, "note").any(|note| is(note, "source", "seller")) {
        wrong.push((FaultCode::MissingProperty, case.pointer("note")));
    }
}

pub(super) fn ticket_is_open(case: &Case<'_>, wrong: &mut Wrong) {
    kept_is(
        case,
        "status",
        |status| !["closed", "assessingCancellation", "cancelled"].contains(&status),
        wrong,
    );
}

pub(super) fn appointment_is_confirmed(case: &Case<'_>, wrong: &mut Wrong) {
    kept_is(case, "status", |status| status == "confirmed", wrong);
}

/// By what was last told of the work order.
pub(super) fn work_order_is_open(case: &Case<'_>, wrong: &mut Wrong) {
    kept_is(case, "state", |state| state == "open", wrong);
}

/// The state of the kept entity, which is told of the whole message.
fn kept_is(case: &Case<'_>, member: &str, is_good: impl Fn(&str) -> bool, wrong: &mut Wrong) {
    let state = case.facts.stored.and_then(|stored| stored.get(member)).and_then(Node::as_str);
    if state.is_some_and(|state| !is_good(&state)) {
        wrong.push((FaultCode::OtherIssue, String::new()));
    }
}
