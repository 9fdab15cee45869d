//! Orders, and what changes them: updates, cancellations, other dates and charges.

use serde_json::{Value, json};

use super::super::release::Age;
use super::answer::{Reply, fault, problem};
use super::check;
use super::kind::{CANCEL, CHARGE, Kind, MODIFY, ORDER, QUOTE};
use super::things::{push, rows, rows_mut, text};
use super::{State, contact, product, tell};

/// How long a Buyer has to answer a charge, in days.
const RESPONSE_DAYS: i64 = 5;

/// What an order's update may change, and what its items' may.
const CHANGEABLE: [&str; 6] =
    ["externalId", "projectId", "note", "relatedContactInformation", "description", "productOrderItem"];
const ITEM_CHANGEABLE: [&str; 4] =
    ["note", "relatedContactInformation", "endCustomerName", "relatedBuyerPON"];

/// `POST productOrder`.
pub(super) fn make(state: &mut State, body: &Value) -> Reply {
    let mut faults = check::message(state, &ORDER, body);
    let items = rows(body, "productOrderItem");
    let mut quotes: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let at = format!("/productOrderItem/{index}");
        if state.settings.release.is_new() && text(item, "requestedCompletionDate").is_empty() {
            faults.push(fault(
                "missingProperty",
                &format!("{at}/requestedCompletionDate"),
                "this is required",
            ));
        }
        let Some(id) = item.pointer("/quoteItem/quoteId").and_then(Value::as_str) else { continue };
        let Some(quote) = state.thing(&QUOTE, id) else { continue };
        if !text(quote, "state").starts_with("approved.") {
            faults.push(fault(
                "otherIssue",
                &format!("{at}/quoteItem/quoteId"),
                "not to be ordered any more",
            ));
        } else if !quotes.iter().any(|own| own == id) {
            quotes.push(id.to_owned());
        }
    }
    if !faults.is_empty() {
        return Reply::faults(faults);
    }
    let mut order = body.clone();
    contact(&mut order, "sellerContactInformation");
    if state.settings.release.has_order_versions() {
        order["orderVersion"] = json!("1");
    }
    let id = state.make(&ORDER, order, false);
    for quote in quotes {
        state.walk(&QUOTE, &quote, &[]);
        state.change_to(&QUOTE, &quote, "accepted");
    }
    Reply::made(state.thing(&ORDER, &id))
}

/// What an order says in its state.
pub(super) fn stands(state: &mut State, id: &str) {
    let (now, expected) = (state.now(), state.day(20));
    let Some(order) = state.thing_mut(&ORDER, id) else { return };
    match text(order, "state") {
        "completed" | "partial" => order["completionDate"] = json!(now),
        "cancelled" => order["cancellationDate"] = json!(now),
        _ => {}
    }
    for item in rows_mut(order, "productOrderItem") {
        match text(item, "state") {
            "inProgress" if item.get("expectedCompletionDate").is_none() => {
                let wished = item.get("requestedCompletionDate").cloned();
                item["expectedCompletionDate"] = wished.unwrap_or_else(|| json!(expected));
                if let Some(term) = item.get("requestedItemTerm").cloned() {
                    item["itemTerm"] = json!([term]);
                }
            }
            "completed" if item.get("completionDate").is_none() => item["completionDate"] = json!(now),
            "cancelled" | "failed" => {
                item.as_object_mut().map(|item| item.remove("expectedCompletionDate"));
            }
            _ => {}
        }
    }
}

/// What follows from an order's state.
pub(super) fn follows(state: &mut State, id: &str) {
    let release = state.settings.release;
    let Some(order) = state.thing(&ORDER, id) else { return };
    let begins = text(order, "state") == "inProgress" && rows(order, "stateChange").len() == 2;
    let items: Vec<String> =
        rows(order, "productOrderItem").iter().map(|item| text(item, "id").to_owned()).collect();
    if begins {
        let event = if release.is_new() {
            "productOrderItemExpectedCompletionDateSetEvent"
        } else {
            "productOrderItemExpectedCompletionDateSet"
        };
        for item in &items {
            tell::thing(state, &ORDER, event, id, Some(item));
        }
        if state.settings.scenario.charges_orders
            && let Some(item) = items.first()
        {
            charge(state, id, item, 90.0, true);
        }
    }
    product::delivered(state, id);
}

/// `PATCH productOrder/{id}`.
pub(super) fn change(state: &mut State, id: &str, body: &Value) -> Reply {
    let versions = state.settings.release.has_order_versions();
    let Some(order) = state.thing_mut(&ORDER, id) else { return Reply::not_found() };
    if ORDER.is_over(text(order, "state")) {
        return Reply::conflict("the order is over");
    }
    if versions && text(body, "orderVersion") != text(order, "orderVersion") {
        return Reply::conflict("another version of the order is there");
    }
    let known =
        |item: &Value| rows(order, "productOrderItem").iter().any(|own| text(own, "id") == text(item, "id"));
    if !rows(body, "productOrderItem").iter().all(known) {
        return Reply::of(400, problem("invalidBody", "there is no such item"));
    }
    for name in CHANGEABLE.iter().filter(|name| **name != "productOrderItem") {
        if let Some(value) = body.get(*name) {
            order[*name] = value.clone();
        }
    }
    for item in rows_mut(order, "productOrderItem") {
        let news = rows(body, "productOrderItem").iter().find(|news| text(news, "id") == text(item, "id"));
        for (name, value) in ITEM_CHANGEABLE.iter().filter_map(|name| Some((name, news?.get(*name)?))) {
            item[*name] = value.clone();
        }
    }
    if versions {
        let next: u32 = text(order, "orderVersion").parse().unwrap_or(1) + 1;
        order["orderVersion"] = json!(next.to_string());
    }
    Reply::of(200, order.clone())
}

/// `POST cancelProductOrder`.
pub(super) fn cancel(state: &mut State, body: &Value) -> Reply {
    let id =
        body.pointer("/productOrder/productOrderId").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(refused) = refused(state, &CANCEL, body, &id, "/productOrder/productOrderId") {
        return refused;
    }
    let mut task = body.clone();
    if state.settings.release.age >= Age::Dolly && text(&task, "cancellationReasonType").is_empty() {
        task["cancellationReasonType"] = json!("commercial");
    }
    let made = state.make(&CANCEL, task, false);
    if state.thing(&ORDER, &id).is_some_and(|order| text(order, "state") == "acknowledged") {
        state.change_to(&ORDER, &id, "inProgress");
    }
    state.walk(&ORDER, &id, &[]);
    state.change_to(&ORDER, &id, "assessingCancellation");
    Reply::made(state.thing(&CANCEL, &made))
}

/// Why a task about an order cannot be taken.
fn refused(state: &State, kind: &Kind, body: &Value, id: &str, at: &str) -> Option<Reply> {
    let faults = check::message(state, kind, body);
    if !faults.is_empty() {
        return Some(Reply::faults(faults));
    }
    let Some(order) = state.thing(&ORDER, id) else {
        return Some(Reply::faults(vec![fault("referenceNotFound", at, "there is no such order")]));
    };
    let stands = text(order, "state");
    (!["acknowledged", "inProgress"].contains(&stands))
        .then(|| Reply::faults(vec![fault("otherIssue", at, "not in this state")]))
}

/// What follows from a cancellation's state.
pub(super) fn cancelled(state: &mut State, id: &str) {
    let Some(task) = state.thing(&CANCEL, id).cloned() else { return };
    let order = task.pointer("/productOrder/productOrderId").and_then(Value::as_str).unwrap_or_default();
    match text(&task, "state") {
        "done" => {
            let reason = task.get("cancellationReason").cloned();
            if let (Some(order), Some(reason)) = (state.thing_mut(&ORDER, order), reason) {
                order["cancellationReason"] = reason;
            }
            state.walk(&ORDER, order, &["pendingCancellation", "cancelled"]);
        }
        "rejected" | "done.declined" => state.walk(&ORDER, order, &["inProgress", "completed"]),
        _ => {}
    }
}

/// `POST modifyProductOrderItemRequestedDeliveryDate`.
pub(super) fn modify(state: &mut State, body: &Value) -> Reply {
    let of = |name: &str| body.pointer(&format!("/productOrderItem/{name}")).and_then(Value::as_str);
    let id = of("productOrderId").unwrap_or_default().to_owned();
    if let Some(refused) = refused(state, &MODIFY, body, &id, "/productOrderItem/productOrderId") {
        return refused;
    }
    let mut task = body.clone();
    if state.settings.release.age == Age::Billie && task.get("expediteIndicator").is_none() {
        task["expediteIndicator"] = json!(false);
    }
    let made = state.make(&MODIFY, task, false);
    state.walk(&ORDER, &id, &[]);
    if state.thing(&ORDER, &id).is_some_and(|order| text(order, "state") == "acknowledged") {
        state.change_to(&ORDER, &id, "inProgress");
    }
    state.change_to(&ORDER, &id, "pending.assessingModification");
    Reply::made(state.thing(&MODIFY, &made))
}

/// What follows from another date.
pub(super) fn modified(state: &mut State, id: &str) {
    let Some(task) = state.thing(&MODIFY, id).cloned() else { return };
    let of = |name: &str| task.pointer(&format!("/productOrderItem/{name}")).and_then(Value::as_str);
    let (order, item) =
        (of("productOrderId").unwrap_or_default(), of("productOrderItemId").unwrap_or_default());
    if text(&task, "state") == "done"
        && let Some(order) = state.thing_mut(&ORDER, order)
        && let Some(item) = rows_mut(order, "productOrderItem").find(|own| text(own, "id") == item)
    {
        if let Some(date) = task.get("requestedCompletionDate") {
            item["requestedCompletionDate"] = date.clone();
            item["expectedCompletionDate"] = date.clone();
        }
        if let Some(expedite) = task.get("expediteIndicator") {
            item["expediteIndicator"] = expedite.clone();
        }
    }
    if ["done", "rejected", "done.declined"].contains(&text(&task, "state")) {
        state.walk(&ORDER, order, &["inProgress", "completed"]);
    }
}

/// Something is to be paid for before an item goes on; gives the charge's id. A blocking one holds the order.
pub(super) fn charge(state: &mut State, order: &str, item: &str, once: f64, is_blocking: bool) -> String {
    let release = state.settings.release;
    let mut row = json!({
        "id": "1", "activityType": "new", "blocking": is_blocking, "state": "awaitingResponse",
        "price": { "dutyFreeAmount": { "unit": "EUR", "value": once } }
    });
    let words: [(&str, &str); 2] = match release.age {
        Age::Billie | Age::Celine => [("chargeType", "nonRecurring"), ("description", "construction")],
        _ => [("priceType", "nonRecurring"), ("priceCategory", "construction")],
    };
    for (name, word) in words {
        row[name] = json!(word);
    }
    let body = json!({
        "responseDueDate": state.day(RESPONSE_DAYS), "chargeItem": [row],
        "productOrderItem": { "productOrderId": order, "productOrderItemId": item }
    });
    let made = state.make(&CHARGE, body, false);
    let href = state.href(&CHARGE, &made);
    if let Some(order) = state.thing_mut(&ORDER, order)
        && let Some(item) = rows_mut(order, "productOrderItem").find(|own| text(own, "id") == item)
    {
        push(item, "charge", json!({ "id": made, "href": href }));
    }
    if is_blocking {
        state.walk(&ORDER, order, &[]);
        state.change_to(&ORDER, order, "held.assessingCharge");
    }
    made
}

/// `PATCH charge/{id}`: the Buyer says of each item whether it pays.
pub(super) fn answer_charge(state: &mut State, id: &str, body: &Value) -> Reply {
    let Some(charge) = state.thing_mut(&CHARGE, id) else { return Reply::not_found() };
    if text(charge, "state") != "awaitingResponse" {
        return Reply::conflict("the charge is over");
    }
    for item in rows_mut(charge, "chargeItem") {
        let said = rows(body, "chargeItem").iter().find(|said| text(said, "id") == text(item, "id"));
        let Some(said) = said.and_then(|said| said.get("acceptanceIndicator")) else {
            return Reply::of(400, problem("invalidBody", "each item of the charge is to be answered"));
        };
        item["acceptanceIndicator"] = said.clone();
        item["state"] = json!(if said == "accepted" { "acceptedByBuyer" } else { "declinedByBuyer" });
    }
    let is_accepted = rows(charge, "chargeItem").iter().all(|item| text(item, "state") == "acceptedByBuyer");
    let order =
        charge.pointer("/productOrderItem/productOrderId").and_then(Value::as_str).unwrap_or_default();
    let order = order.to_owned();
    state.change_to(&CHARGE, id, "completed");
    if state.thing(&ORDER, &order).is_some_and(|order| text(order, "state") == "held.assessingCharge") {
        state.walk(&ORDER, &order, &["inProgress", if is_accepted { "completed" } else { "failed" }]);
    }
    match state.thing(&CHARGE, id) {
        Some(charge) => Reply::of(200, charge.clone()),
        None => Reply::not_found(),
    }
}
