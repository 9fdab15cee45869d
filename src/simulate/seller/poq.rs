//! Qualifications: whether something can be had.

use serde_json::{Value, json};

use super::answer::Reply;
use super::kind::POQ;
use super::things::{rows_mut, text};
use super::{State, check};

/// How long an answer holds, in days.
const GUARANTEED_DAYS: i64 = 30;

/// `POST productOfferingQualification`.
pub(super) fn make(state: &mut State, body: &Value) -> Reply {
    let faults = check::message(state, &POQ, body);
    if !faults.is_empty() {
        return Reply::faults(faults);
    }
    let id = state.make(&POQ, body.clone(), body["instantSyncQualification"] == json!(true));
    Reply::made(state.thing(&POQ, &id))
}

/// What a qualification says in its state.
pub(super) fn stands(state: &mut State, id: &str) {
    let (now, until, is_new) = (state.now(), state.day(GUARANTEED_DAYS), state.settings.release.is_new());
    let Some(poq) = state.thing_mut(&POQ, id) else { return };
    if !is_new && text(poq, "state").starts_with("done") {
        poq["effectiveQualificationDate"] = json!(now);
    }
    for item in rows_mut(poq, "productOfferingQualificationItem") {
        if !["done", "done.ready"].contains(&text(item, "state")) {
            continue;
        }
        item["serviceabilityConfidence"] = json!("green");
        item["installationInterval"] = json!({ "amount": 20, "units": "businessDays" });
        item["guaranteedUntilDate"] = json!(until);
        if is_new {
            item["deliveryType"] = json!("onNetWithoutBuild");
        }
    }
}
