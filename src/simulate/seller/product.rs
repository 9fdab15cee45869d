//! The inventory: what orders have built.

use serde_json::{Value, json};

use super::super::release::Age;
use super::State;
use super::kind::{ORDER, PRODUCT};
use super::things::{rows, rows_mut, text};

/// Does what the items of an order say that are completed and have not been done yet.
pub(super) fn delivered(state: &mut State, order: &str) {
    let Some(body) = state.thing(&ORDER, order) else { return };
    if !["completed", "partial"].contains(&text(body, "state")) {
        return;
    }
    let items: Vec<Value> = rows(body, "productOrderItem")
        .iter()
        .filter(|item| text(item, "state") == "completed")
        .cloned()
        .collect();
    for item in items {
        let product = item.get("product").cloned().unwrap_or_default();
        let own = text(&product, "id").to_owned();
        match text(&item, "action") {
            "add" => added(state, order, &item),
            "modify" => modified(state, &own, &product),
            _ => ended(state, &own),
        }
    }
}

fn added(state: &mut State, order: &str, item: &Value) {
    let product = item.get("product").unwrap_or(&Value::Null);
    let mut body = json!({ "productOrderItem": [ {
        "productOrderId": order, "productOrderItemId": text(item, "id"), "productOrderHref": state.href(&ORDER, order)
    } ] });
    for name in ["productOffering", "productSpecification", "productConfiguration"] {
        if let Some(value) = product.get(name) {
            body[name] = value.clone();
        }
    }
    if let Some(account) = item.get("billingAccount").filter(|_| state.settings.release.age != Age::Celine) {
        body["billingAccount"] = account.clone();
    }
    if let Some(term) = item.get("itemTerm") {
        body["productTerm"] = term.clone();
    }
    if let Some(id) = state.thing(&ORDER, order).and_then(|order| order.get("externalId")) {
        body["externalId"] = id.clone();
    }
    body["lastUpdateDate"] = json!(state.now());
    let made = state.make(&PRODUCT, body, false);
    let own = text(item, "id");
    if let Some(order) = state.thing_mut(&ORDER, order)
        && let Some(item) = rows_mut(order, "productOrderItem").find(|one| text(one, "id") == own)
    {
        item["product"]["id"] = json!(made);
    }
}

fn modified(state: &mut State, id: &str, product: &Value) {
    let now = state.now();
    let Some(body) = state.thing_mut(&PRODUCT, id) else { return };
    if let Some(configuration) = product.get("productConfiguration") {
        body["productConfiguration"] = configuration.clone();
    }
    body["lastUpdateDate"] = json!(now);
}

fn ended(state: &mut State, id: &str) {
    let now = state.now();
    let Some(body) = state.thing_mut(&PRODUCT, id) else { return };
    body["lastUpdateDate"] = json!(now);
    body["terminationDate"] = json!(now);
    state.change_to(&PRODUCT, id, "terminated");
}
