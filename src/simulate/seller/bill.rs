//! Bills: one for each order that was completed.

use serde_json::{Value, json};

use super::super::release::{Age, Api};
use super::State;
use super::kind::{BILL, BILL_ITEM, ORDER};
use super::things::{rows, text};

/// Who pays where the order does not say.
const ACCOUNT: &str = "BA-1";

fn money(value: f64) -> Value {
    json!({ "unit": "EUR", "value": value })
}

/// Bills an order that is completed, where the release has bills.
pub(super) fn follows(state: &mut State, order: &str) {
    if state.settings.release.version(Api::Billing) == 0 {
        return;
    }
    let Some(body) = state.thing(&ORDER, order).filter(|order| text(order, "state") == "completed").cloned()
    else {
        return;
    };
    let period = json!({ "startDateTime": state.day(-30), "endDateTime": state.day(0) });
    let items = rows(&body, "productOrderItem");
    let account = items.iter().find_map(|item| item.pointer("/billingAccount/id").and_then(Value::as_str));
    let account = account.unwrap_or(ACCOUNT).to_owned();
    let (mut total, mut parts) = (0.0, Vec::new());
    for item in items {
        let once = state
            .settings
            .scenario
            .price(item.pointer("/product/productOffering/id").and_then(Value::as_str))
            .once;
        total += once;
        let id = part(state, order, item, once, &period);
        parts.push(json!({ "id": id, "href": state.href(&BILL_ITEM, &id) }));
    }
    let number = state.id("bill");
    let bill = json!({
        "id": number, "amountDue": money(total), "appliedPayment": [],
        "billingAccount": { "id": account }, "billCycle": "monthly", "billDate": state.now(),
        "billDocument": { "url": format!("https://umbrella.example/bills/{number}") }, "billNo": number,
        "billingPeriod": period, "category": "normal", "credits": money(0.0), "customerBillItem": parts,
        "discounts": money(0.0), "fees": money(0.0), "financialAccount": { "id": account }, "lastUpdate": state.now(),
        "paymentDueDate": state.day(14), "runType": "offCycle", "relatedContactInformation": [],
        "remainingAmount": money(total), "taxExcludedAmount": money(total), "taxIncludedAmount": money(total),
        "taxItem": []
    });
    state.make(&BILL, bill, false);
}

/// One item of a bill; gives its id.
fn part(state: &mut State, order: &str, item: &Value, once: f64, period: &Value) -> String {
    let kind = if state.settings.release.age == Age::Ella { "type" } else { "customerBillItemType" };
    let product = item.pointer("/product/id").and_then(Value::as_str).unwrap_or_default();
    let mut body = json!({
        "appliedTax": [], "appliedFee": [], "description": "what it costs once", "periodCoverage": period,
        "product": { "id": product }, "productName": "product",
        "productOrderItem": { "productOrderId": order, "productOrderItemId": text(item, "id") },
        "taxExcludedAmount": money(once), "unit": "piece", "unitRate": money(once), "unitQuantity": 1
    });
    body[kind] = json!("nonRecurring");
    state.make(&BILL_ITEM, body, false)
}
