//! Quotes.

use serde_json::{Value, json};

use super::answer::{Reply, fault};
use super::check;
use super::kind::QUOTE;
use super::things::{rows_mut, text};
use super::{State, contact};

/// How long a quote holds, in days.
const VALID_DAYS: i64 = 30;

/// `POST quote`.
pub(super) fn make(state: &mut State, body: &Value) -> Reply {
    let faults = check::message(state, &QUOTE, body);
    if !faults.is_empty() {
        return Reply::faults(faults);
    }
    let mut quote = body.clone();
    contact(&mut quote, "sellerContactInformation");
    let id = state.make(&QUOTE, quote, body["instantSyncQuote"] == json!(true));
    Reply::made(state.thing(&QUOTE, &id))
}

/// What an offer says once it is one.
pub(super) fn stands(state: &mut State, id: &str) {
    let (now, until, is_new) = (state.now(), state.day(VALID_DAYS), state.settings.release.is_new());
    let scenario = std::sync::Arc::clone(&state.settings.scenario);
    let Some(quote) = state.thing_mut(&QUOTE, id) else { return };
    if !(text(quote, "state").starts_with("approved.") || text(quote, "state") == "answered") {
        return;
    }
    quote["quoteLevel"] = quote["buyerRequestedQuoteLevel"].clone();
    quote["validFor"] = json!({ "startDateTime": now, "endDateTime": until });
    quote["effectiveQuoteCompletionDate"] = json!(now);
    for item in rows_mut(quote, "quoteItem") {
        let offering = item.pointer("/product/productOffering/id").and_then(Value::as_str);
        let price = scenario.price(offering);
        let of = |kind: &str, value: f64| {
            let mut one = json!({
                "name": "Charge", "priceType": kind,
                "price": { "dutyFreeAmount": { "unit": price.unit, "value": value } }
            });
            if kind == "recurring" {
                one["recurringChargePeriod"] =
                    if is_new { json!({ "amount": 1, "units": "months" }) } else { json!("month") };
            }
            one
        };
        item["quoteItemPrice"] = json!([of("recurring", price.monthly), of("nonRecurring", price.once)]);
        item["quoteItemInstallationInterval"] = json!({ "amount": 20, "units": "businessDays" });
        item["subjectToFeasibilityCheck"] = json!(false);
        if let Some(term) = item.get("requestedQuoteItemTerm").cloned() {
            item["quoteItemTerm"] = json!([term]);
        }
    }
}

/// `POST cancelQuote`, `POST rejectQuote` (kylie: `declineQuote`).
pub(super) fn end(state: &mut State, body: &Value, end: &str) -> Reply {
    let id = text(body, "quoteId").to_owned();
    let Some(quote) = state.thing(&QUOTE, &id) else {
        return Reply::faults(vec![fault("referenceNotFound", "/quoteId", "there is no such quote")]);
    };
    let is_offer = text(quote, "state").starts_with("approved.");
    if QUOTE.is_over(text(quote, "state")) || (end == "declined" && !is_offer) {
        return Reply::faults(vec![fault("otherIssue", "/quoteId", "not in this state")]);
    }
    state.walk(&QUOTE, &id, &[]);
    state.change_to(&QUOTE, &id, end);
    Reply::of(200, body.clone())
}
