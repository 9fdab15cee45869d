//! What is wrong with a message that makes something: all of it at once, each at its place.

use serde_json::Value;

use super::super::release::Age;
use super::State;
use super::answer::fault;
use super::kind::{Kind, QUOTE};
use super::things::{rows, text};

/// Where it delivers.
pub(super) const COUNTRIES: [&str; 3] = ["Germany", "DE", "DEU"];

/// Faults of a message.
pub(super) fn message(state: &State, kind: &Kind, body: &Value) -> Vec<Value> {
    let mut faults: Vec<Value> = kind
        .required
        .iter()
        .chain(more(state, kind))
        .filter(|name| body.get(**name).is_none_or(Value::is_null))
        .map(|name| missing(&format!("/{name}")))
        .collect();
    if kind.items.is_empty() {
        return faults;
    }
    let items = rows(body, kind.items);
    if items.is_empty() && body.get(kind.items).is_some() {
        faults.push(missing(&format!("/{}", kind.items)));
    }
    for (index, one) in items.iter().enumerate() {
        let at = format!("/{}/{index}", kind.items);
        item(state, &at, one, &mut faults);
        let is_again = items.iter().take(index).any(|other| text(other, "id") == text(one, "id"));
        if is_again && !text(one, "id").is_empty() {
            faults.push(fault("invalidValue", &format!("{at}/id"), "another item has this id"));
        }
    }
    faults
}

/// What some releases want beside.
fn more(state: &State, kind: &Kind) -> &'static [&'static str] {
    let release = state.settings.release;
    match kind.name {
        "productOfferingQualification" if release.is_new() => {
            &["instantSyncQualification", "provideAlternative"]
        }
        "cancelProductOrder" | "modifyProductOrderItemRequestedDeliveryDate"
            if release.has_order_versions() =>
        {
            &["orderVersion"]
        }
        "troubleTicket" if release.age >= Age::Celine => &["observedImpact"],
        "appointment" if release.age >= Age::Ella => &["relatedContactInformation"],
        _ => &[],
    }
}

fn missing(at: &str) -> Value {
    fault("missingProperty", at, "this is required")
}

/// Faults of one item.
fn item(state: &State, at: &str, item: &Value, faults: &mut Vec<Value>) {
    for name in ["id", "action"] {
        if text(item, name).is_empty() {
            faults.push(missing(&format!("{at}/{name}")));
        }
    }
    let action = text(item, "action");
    if !["", "add", "modify", "delete"].contains(&action) {
        faults.push(fault("invalidValue", &format!("{at}/action"), "add, modify or delete"));
    }
    let product = item.get("product").unwrap_or(&Value::Null);
    if ["modify", "delete"].contains(&action) && text(product, "id").is_empty() {
        faults.push(missing(&format!("{at}/product/id")));
    }
    places(at, product, faults);
    let quote = item.pointer("/quoteItem/quoteId").and_then(Value::as_str);
    if quote.is_some_and(|quote| state.thing(&QUOTE, quote).is_none()) {
        faults.push(fault("referenceNotFound", &format!("{at}/quoteItem/quoteId"), "there is no such quote"));
    }
}

/// Faults of the places of a product.
fn places(at: &str, product: &Value, faults: &mut Vec<Value>) {
    for (index, place) in rows(product, "place").iter().enumerate() {
        let at = format!("{at}/product/place/{index}");
        if place.get("country").and_then(Value::as_str).is_some_and(|own| !COUNTRIES.contains(&own)) {
            faults.push(elsewhere(&format!("{at}/country")));
        }
        let known = place.get("place").unwrap_or(&Value::Null);
        faults.extend(representations(&format!("{at}/place"), known));
    }
}

/// Faults of kylie's addresses: countries that are not served.
pub(super) fn representations(at: &str, address: &Value) -> Vec<Value> {
    let fielded = rows(address, "fieldedAddressRepresentation").iter().enumerate();
    let elsewhere_of = |(index, one): (usize, &Value)| {
        let code = one.get("countryCode").and_then(Value::as_str)?;
        (!COUNTRIES.contains(&code))
            .then(|| elsewhere(&format!("{at}/fieldedAddressRepresentation/{index}/countryCode")))
    };
    fielded.filter_map(elsewhere_of).collect()
}

fn elsewhere(at: &str) -> Value {
    fault("invalidValue", at, "this country is not served")
}
