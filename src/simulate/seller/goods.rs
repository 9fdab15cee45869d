//! What is sold: addresses that are known, quotes and orders, and the steps that they take.

use serde_json::{Value, json};

use super::answer::fault;
use super::tell;
use super::{Release, State};

/// Where it delivers.
const COUNTRIES: [&str; 3] = ["Germany", "DE", "DEU"];

/// How long a quote holds, in days.
const VALID_DAYS: i64 = 30;

/// The monthly price and the one-off price of everything.
const PRICES: [(&str, f64); 2] = [("recurring", 129.5), ("nonRecurring", 250.0)];

fn now(state: &State) -> String {
    format!("{}T10:00:00.000Z", state.settings.today)
}

/// `POST geographicAddressValidation`: what has a city in a country that is served is known.
pub(super) fn validate(state: &mut State, body: &Value) -> (u16, Value) {
    let Some(address) = body.get("submittedGeographicAddress").filter(|one| one.is_object()) else {
        return missing("/submittedGeographicAddress");
    };
    if state.settings.release.is_new {
        return represented(state, body, address);
    }
    let country = address.get("country").and_then(Value::as_str).unwrap_or_default();
    if !COUNTRIES.contains(&country) {
        let at = "/submittedGeographicAddress/country";
        return (422, json!([fault("invalidValue", at, "this country is not served")]));
    }
    let mut answer = body.clone();
    answer["validationResult"] = json!("success");
    let mut best = address.clone();
    let id = state.id("address");
    best["id"] = json!(id);
    best["hasPublicSite"] = json!(false);
    best["allowsNewSite"] = json!(true);
    state.things.insert(("address", id), best.clone());
    answer["bestMatchGeographicAddress"] = best;
    (200, answer)
}

/// The same of kylie: an address by its representations, and a validation that can be looked up.
fn represented(state: &mut State, body: &Value, address: &Value) -> (u16, Value) {
    let fielded = address["fieldedAddressRepresentation"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (index, one) in fielded.iter().enumerate() {
        let code = one.get("countryCode").and_then(Value::as_str);
        if code.is_some_and(|code| !COUNTRIES.contains(&code)) {
            let at = format!("/submittedGeographicAddress/fieldedAddressRepresentation/{index}/countryCode");
            return (422, json!([fault("invalidValue", &at, "this country is not served")]));
        }
    }
    let (id, address_id) = (state.id("validation"), state.id("address"));
    let mut best = address.clone();
    best["@type"] = json!("GeographicAddress");
    best["id"] = json!(address_id);
    best["hasPublicSite"] = json!("false");
    best["allowsNewSite"] = json!("true");
    state.things.insert(("address", address_id), best.clone());
    let mut answer = body.clone();
    answer["id"] = json!(id);
    answer["state"] = json!("ready");
    answer["bestMatchGeographicAddress"] = best;
    answer["alternateGeographicAddress"] = json!([]);
    state.things.insert(("validation", id), answer.clone());
    let is_instant = body["instantSyncValidation"] == json!(true);
    (if is_instant { 200 } else { 201 }, answer)
}

/// `POST quote`.
pub(super) fn quote(state: &mut State, body: &Value) -> (u16, Value) {
    let faults = item_faults(body, "quoteItem", &["buyerRequestedQuoteLevel", "instantSyncQuote"]);
    if !faults.is_empty() {
        return (422, Value::Array(faults));
    }
    let (id, at) = (state.id("quote"), now(state));
    let (release, [_, version, _]) = (state.settings.release, state.settings.release.versions);
    let mut quote = body.clone();
    quote["id"] = json!(id);
    quote["href"] = json!(format!("/mefApi/sonata/quoteManagement/{version}/quote/{id}"));
    quote["quoteDate"] = json!(at);
    contact(&mut quote, "sellerContactInformation");
    let is_instant = body["instantSyncQuote"] == json!(true);
    to(&mut quote, release, "quoteItem", if is_instant { "approved.orderable" } else { "acknowledged" }, &at);
    if is_instant {
        price(state, &mut quote);
    }
    state.things.insert(("quote", id), quote.clone());
    (201, quote)
}

fn missing(path: &str) -> (u16, Value) {
    (422, json!([fault("missingProperty", path, "this is required")]))
}

/// What is wrong with the items of a quote or an order.
fn item_faults(body: &Value, items: &str, required: &[&str]) -> Vec<Value> {
    let mut faults: Vec<Value> = required
        .iter()
        .filter(|name| body.get(**name).is_none())
        .map(|name| fault("missingProperty", &format!("/{name}"), "this is required"))
        .collect();
    let list = body.get(items).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if list.is_empty() {
        faults.push(fault("missingProperty", &format!("/{items}"), "there must be an item"));
    }
    for (index, item) in list.iter().enumerate() {
        let places = item["product"]["place"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (place, address) in places.iter().enumerate() {
            let country = address.get("country").and_then(Value::as_str);
            if country.is_some_and(|country| !COUNTRIES.contains(&country)) {
                let at = format!("/{items}/{index}/product/place/{place}/country");
                faults.push(fault("invalidValue", &at, "this country is not served"));
            }
        }
    }
    faults
}

/// Who at the Seller can be asked.
fn contact(thing: &mut Value, role: &str) {
    let own = json!({
        "role": role, "name": "Umbrella Wholesale", "number": "+49 69 555 0400",
        "emailAddress": "wholesale@umbrella.example"
    });
    match thing.get_mut("relatedContactInformation").and_then(Value::as_array_mut) {
        Some(list) => list.push(own),
        None => thing["relatedContactInformation"] = json!([own]),
    }
}

/// A thing and its items get into a state.
fn to(thing: &mut Value, release: Release, items: &str, state: &str, at: &str) {
    let step = json!({ "state": state, "changeDate": at });
    thing["state"] = json!(state);
    match thing.get_mut("stateChange").and_then(Value::as_array_mut) {
        Some(steps) => steps.push(step.clone()),
        None => thing["stateChange"] = json!([step]),
    }
    for item in thing.get_mut(items).and_then(Value::as_array_mut).into_iter().flatten() {
        item["state"] = json!(state);
        // Items of quotes have a history from kylie on.
        if items == "productOrderItem" || release.is_new {
            match item.get_mut("stateChange").and_then(Value::as_array_mut) {
                Some(steps) => steps.push(step.clone()),
                None => item["stateChange"] = json!([step]),
            }
        }
    }
}

fn price(state: &State, quote: &mut Value) {
    let until = state.settings.today.saturating_add(jiff::Span::new().days(VALID_DAYS));
    quote["quoteLevel"] = quote["buyerRequestedQuoteLevel"].clone();
    quote["validFor"] =
        json!({ "startDateTime": now(state), "endDateTime": format!("{until}T22:59:59.000Z") });
    quote["effectiveQuoteCompletionDate"] = json!(now(state));
    for item in quote.get_mut("quoteItem").and_then(Value::as_array_mut).into_iter().flatten() {
        let prices = PRICES.iter().map(|(kind, value)| {
            let mut price = json!({
                "name": "Charge", "priceType": kind,
                "price": { "dutyFreeAmount": { "unit": "EUR", "value": value } }
            });
            if *kind == "recurring" {
                let is_new = state.settings.release.is_new;
                price["recurringChargePeriod"] =
                    if is_new { json!({ "amount": 1, "units": "months" }) } else { json!("month") };
            }
            price
        });
        item["quoteItemPrice"] = prices.collect();
        item["quoteItemInstallationInterval"] = json!({ "amount": 20, "units": "businessDays" });
        item["subjectToFeasibilityCheck"] = json!(false);
        if let Some(term) = item.get("requestedQuoteItemTerm").cloned() {
            item["quoteItemTerm"] = json!([term]);
        }
    }
}

/// `POST cancelQuote`, `POST rejectQuote` (kylie: `declineQuote`).
pub(super) fn end_quote(state: &mut State, body: &Value, end: &str) -> (u16, Value) {
    let id = body.get("quoteId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (at, release) = (now(state), state.settings.release);
    let Some(quote) = state.things.get_mut(&("quote", id.clone())) else {
        return (422, json!([fault("referenceNotFound", "/quoteId", "there is no such quote")]));
    };
    if ["cancelled", "declined", "rejected", "expired", "accepted"]
        .iter()
        .any(|over| quote["state"] == json!(over))
    {
        return (422, json!([fault("otherIssue", "/quoteId", "the quote is over")]));
    }
    // An item is not cancelled or declined, it is abandoned.
    to(quote, release, "quoteItem", end, &at);
    for item in quote.get_mut("quoteItem").and_then(Value::as_array_mut).into_iter().flatten() {
        item["state"] = json!("abandoned");
        if let Some(Value::Array(steps)) = item.get_mut("stateChange") {
            steps.pop();
            steps.push(json!({ "state": "abandoned", "changeDate": at }));
        }
    }
    told(state, "quoteManagement", "quoteStateChangeEvent", &id);
    (200, body.clone())
}

/// `POST productOrder`.
pub(super) fn order(state: &mut State, body: &Value) -> (u16, Value) {
    let faults = item_faults(body, "productOrderItem", &[]);
    if !faults.is_empty() {
        return (422, Value::Array(faults));
    }
    let (id, at) = (state.id("order"), now(state));
    let (release, [_, _, version]) = (state.settings.release, state.settings.release.versions);
    let mut order = body.clone();
    order["id"] = json!(id);
    order["href"] = json!(format!("/mefApi/sonata/productOrderingManagement/{version}/productOrder/{id}"));
    order["orderDate"] = json!(at);
    contact(&mut order, "sellerContactInformation");
    to(&mut order, release, "productOrderItem", "acknowledged", &at);
    state.things.insert(("order", id), order.clone());
    (201, order)
}

/// Everything that is under way takes its next step.
pub(super) fn step(state: &mut State) {
    let (at, release) = (now(state), state.settings.release);
    let under_way: Vec<((&'static str, String), String)> = state
        .things
        .iter()
        .filter_map(|(key, thing)| Some((key.clone(), thing.get("state")?.as_str()?.to_owned())))
        .collect();
    for ((kind, id), from) in under_way {
        let Some(next) = after(kind, &from) else { continue };
        let (items, api, event) = match kind {
            "quote" => ("quoteItem", "quoteManagement", "quoteStateChangeEvent"),
            _ => ("productOrderItem", "productOrderingManagement", "productOrderStateChangeEvent"),
        };
        let Some(mut thing) = state.things.get(&(kind, id.clone())).cloned() else { continue };
        to(&mut thing, release, items, next, &at);
        if next == "approved.orderable" {
            price(state, &mut thing);
        }
        if next == "completed" {
            thing["completionDate"] = json!(at);
        }
        state.things.insert((kind, id.clone()), thing);
        told(state, api, event, &id);
    }
}

/// The state after this one; none where it stays.
fn after(kind: &str, state: &str) -> Option<&'static str> {
    match (kind, state) {
        (_, "acknowledged") => Some("inProgress"),
        ("quote", "inProgress") => Some("approved.orderable"),
        ("order", "inProgress") => Some("completed"),
        _ => None,
    }
}

fn told(state: &mut State, api: &str, event_type: &str, id: &str) {
    let event_id = state.id("event");
    let mut event = json!({
        "eventId": event_id, "eventTime": now(state), "eventType": event_type, "event": { "id": id }
    });
    if state.settings.release.is_new {
        let kind = if api == "quoteManagement" { "quote" } else { "order" };
        let thing = state.things.get(&(kind, id.to_owned()));
        event["event"]["state"] = thing.map(|thing| thing["state"].clone()).unwrap_or_default();
    }
    tell::tell(state, api, &event);
}

/// Whether a hub's query wants an event.
pub(super) fn wants(query: &str, event_type: &str) -> bool {
    let mut asked = query.split('&').filter_map(|pair| pair.trim().strip_prefix("eventType"));
    let wanted = |rest: &str| {
        let names = rest.trim_start().trim_start_matches('=');
        names.split(',').any(|name| name.trim() == event_type)
    };
    query.trim().is_empty() || asked.any(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_wants_what_its_query_names() {
        for (query, wanted) in [
            ("", true),
            ("eventType=quoteStateChangeEvent", true),
            ("eventType = a, quoteStateChangeEvent", true),
            ("eventType=a&eventType=quoteStateChangeEvent", true),
            ("eventType=a", false),
        ] {
            assert_eq!(wants(query, "quoteStateChangeEvent"), wanted, "{query}");
        }
    }
}
