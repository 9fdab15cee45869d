//! The shipped demonstration over real sockets: its configuration, its mappings, its requests, its legacy system.

use std::path::Path;

use segue::{cases::form, simulate::bss};
use serde_json::{Value, json};

use super::support::{Bed, Folders, JSON, ORDER, PRODUCT, QUOTE, bounded};

/// The day of the shipped cases: their wished dates lie after it.
const TODAY: jiff::civil::Date = jiff::civil::date(2026, 11, 21);

/// The shipped files, but for the addresses and the place of the store.
pub async fn shipped_folders() -> Folders {
    shipped_around(bss::Settings::on(TODAY)).await
}

/// The same around a legacy system that is set up so.
pub async fn shipped_around(settings: bss::Settings) -> Folders {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let desk = bss::start(([127, 0, 0, 1], 0).into(), settings).await.unwrap();
    let folders = Folders::around(desk);
    for path in [
        "config/segue.yaml",
        "config/backends/acme.yaml",
        "config/backends/acme-tickets.yaml",
        "config/partners/globex.yaml",
        "config/openapi/acme.yaml",
    ] {
        folders.write(path, &std::fs::read_to_string(package.join(path)).unwrap());
    }
    let mappings = package.join("mappings");
    folders.edit("config/segue.yaml", "mappings: ../mappings", &format!("mappings: {}", mappings.display()));
    folders.edit("config/segue.yaml", "127.0.0.1:8080", "127.0.0.1:0");
    folders.edit("config/segue.yaml", "127.0.0.1:8082", "127.0.0.1:0");
    folders.edit("config/segue.yaml", "127.0.0.1:9090", "127.0.0.1:0");
    folders.edit("config/segue.yaml", "\ndemonstration:", "\n# demonstration:");
    for backend in ["config/backends/acme.yaml", "config/backends/acme-tickets.yaml"] {
        folders.edit(backend, "127.0.0.1:8081", &folders.bss.local_addr.to_string());
    }
    folders
}

/// A gateway on them.
async fn shipped() -> Bed {
    Bed::on(shipped_folders().await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_cases_show_happens_with_the_simulated_system() {
    bounded(async {
        let bed = shipped().await;
        let to = bed.gateway.sonata_address();
        let cases = form::find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings")).unwrap();
        let mut played = 0;
        for case in &cases {
            let Some(expected) = case.answer.as_ref().filter(|answer| answer.status == 201) else { continue };
            let odd = case
                .calls
                .iter()
                .any(|call| call.response.as_ref().is_none_or(|response| response.status != 200));
            // Cases of other partners, after others, or about what the legacy system answers are not for this.
            if odd || case.partner != "globex" || !case.after.is_empty() {
                continue;
            }
            let path = &case.request.path;
            let answer = bed.client.send(to, "POST", path, &[JSON], case.request.body.bytes()).await;
            assert_eq!(answer.status, expected.status, "{}: {answer:?}", case.name);
            played += 1;
        }
        assert!(played >= 20, "{played} cases were played");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_is_ordered_and_done() {
    bounded(async {
        let bed = shipped().await;
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases");
        let asked = form::read(&cases.join("quote/createQuote.one")).unwrap();
        let quoted = bed.send("POST", QUOTE, asked.request.body.bytes()).await;
        assert_eq!(quoted.status, 201, "{quoted:?}");
        let ordered = form::read(&cases.join("order/createProductOrder.from-quote")).unwrap();
        let mut body: serde_json::Value = serde_json::from_slice(&ordered.request.body.bytes()).unwrap();
        body["productOrderItem"][0]["quoteItem"]["quoteId"] = json!(quoted.member("id"));
        let made = bed.post(ORDER, &body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("{ORDER}/{}", made.member("id"));
        assert_eq!(bed.get(&path).await.status, 200);
        let list = bed.get(ORDER).await;
        assert_eq!((list.status, &list.json()[0]["id"]), (200, &json!(made.member("id"))), "{list:?}");
        let desk = bed.folders.bss.local_addr;
        let steps = bed.client.send(desk, "POST", "/sim/advance", &[JSON], r#"{ "steps": 20 }"#.into()).await;
        assert_eq!(steps.status, 200, "{steps:?}");
        let done = bed.get(&path).await;
        assert_eq!(done.member("state"), "completed", "{done:?}");
        assert_eq!(
            done.json()["productOrderItem"][0]["product"]["productConfiguration"],
            body["productOrderItem"][0]["product"]["productConfiguration"]
        );
    })
    .await;
}

/// A product whose bandwidth is changed: the quote case that has it, its item, its offering, and where the rate is.
const BANDWIDTHS: [(&str, &str, &str, &str); 3] = [
    (
        "createQuote.epl",
        "evc",
        "EPL-100",
        "/productConfiguration/evcEndPointA/ingressBandwidthProfilePerClassofServiceName/0/bwpFlow/cir",
    ),
    (
        "createQuote.ovc-and-uni",
        "line",
        "OVC-100",
        "/productConfiguration/uniEp/ingressBandwidthProfilePerClassOfServiceName/0/bwpFlow/cir",
    ),
    (
        "createQuote.internet",
        "ia",
        "007",
        "/productConfiguration/ipUni/egressBandwidthProfileEnvelope/0/maxIr",
    ),
];

/// A shipped request's body, with other items.
fn shipped_request(case: &str, items: &str, with: Vec<Value>) -> Value {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases");
    let mut body: Value =
        serde_json::from_slice(&form::read(&cases.join(case)).unwrap().request.body.bytes()).unwrap();
    if !with.is_empty() {
        body[items] = Value::Array(with);
    }
    body
}

/// An item of a quote as one of an order.
fn as_ordered(item: &Value) -> Value {
    let ports = item["quoteItemRelationship"].as_array().cloned().unwrap_or_default();
    json!({
        "id": item["id"], "action": item["action"], "product": item["product"],
        "requestedCompletionDate": "2027-03-31T21:59:59Z", "requestedItemTerm": item["requestedQuoteItemTerm"],
        "productOrderItemRelationship": ports
    })
}

async fn all_done(bed: &Bed) {
    let desk = bed.folders.bss.local_addr;
    let steps = bed.client.send(desk, "POST", "/sim/advance", &[JSON], r#"{ "steps": 20 }"#.into()).await;
    assert_eq!(steps.status, 200, "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bandwidths_of_what_was_bought_are_changed() {
    bounded(async {
        for (case, item_id, offering, rate) in BANDWIDTHS {
            let bed = shipped().await;
            let quote = shipped_request(&format!("quote/{case}"), "quoteItem", Vec::new());
            let items = quote["quoteItem"].as_array().unwrap();
            let order = |items| shipped_request("order/createProductOrder.uni", "productOrderItem", items);
            let made = bed.post(ORDER, &order(items.iter().map(as_ordered).collect())).await;
            assert_eq!(made.status, 201, "{case}: {made:?}");
            all_done(&bed).await;
            let done = bed.get(&format!("{ORDER}/{}", made.member("id"))).await.json();
            assert_eq!(done["state"], "completed", "{case}");
            let bought = done["productOrderItem"]
                .as_array()
                .unwrap()
                .iter()
                .find(|item| item["id"] == item_id)
                .unwrap();
            let id = bought["product"]["id"].as_str().unwrap();

            let list = bed.get(&format!("{PRODUCT}?productOfferingId={offering}&status=active")).await.json();
            assert!(list.as_array().unwrap().iter().any(|product| product["id"] == id), "{case}: {list}");
            let path = format!("{PRODUCT}/{id}");
            let product = bed.get(&path).await.json();
            let wanted = items.iter().find(|item| item["id"] == item_id).unwrap();
            assert_eq!(product.pointer(rate), wanted["product"].pointer(rate), "{case}");

            let mut change = wanted.clone();
            let faster = json!({ "irValue": 80, "irUnits": "MBPS" });
            change["action"] = json!("modify");
            change["quoteItemRelationship"] = json!([]);
            change["product"]["id"] = json!(id);
            change["product"]["productRelationship"] = product["productRelationship"].clone();
            if product["productRelationship"].is_null() {
                change["product"].as_object_mut().unwrap().remove("productRelationship");
            }
            *change["product"].pointer_mut(rate).unwrap() = faster.clone();
            let mut asked = quote.clone();
            asked["quoteItem"] = json!([change]);
            let quoted = bed.post(QUOTE, &asked).await;
            assert_eq!(quoted.status, 201, "{case}: {quoted:?}");

            let mut elsewhere = as_ordered(&change);
            elsewhere["product"]["productOffering"]["id"] = json!("ANOTHER");
            let refused = bed.post(ORDER, &order(vec![elsewhere])).await;
            let pointer = "/productOrderItem/0/product/productOffering/id";
            assert_eq!(
                (refused.status, &refused.json()[0]["propertyPath"]),
                (422, &json!(pointer)),
                "{case}"
            );

            let ordered = bed.post(ORDER, &order(vec![as_ordered(&change)])).await;
            assert_eq!(ordered.status, 201, "{case}: {ordered:?}");
            let changing = bed.get(&path).await.json();
            assert_eq!(
                (&changing["status"], changing.pointer(rate)),
                (&json!("active.pendingChange"), product.pointer(rate))
            );
            all_done(&bed).await;
            let changed = bed.get(&path).await.json();
            assert_eq!(
                (&changed["status"], changed.pointer(rate)),
                (&json!("active"), Some(&faster)),
                "{case}"
            );
            assert_eq!(changed["productRelationship"], product["productRelationship"], "{case}");
        }
    })
    .await;
}

/// Events that no case of a message tells of: one is told where the Buyer asks, Acme knows no milestones, and the contract
/// gives a category no state.
const NOT_TOLD: [&str; 3] =
    ["poqCreateEvent", "productSpecificProductOrderItemMilestoneEvent", "categoryStateChangeEvent"];

#[test]
fn cases_tell_of_every_event() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases");
    let mut told = std::collections::BTreeSet::new();
    for function in std::fs::read_dir(cases).unwrap() {
        for case in std::fs::read_dir(function.unwrap().path()).unwrap() {
            let Ok(text) = std::fs::read_to_string(case.unwrap().path().join("5-sonata-told.json")) else {
                continue;
            };
            let document: Value = serde_json::from_str(&text).unwrap();
            let events = document["events"].as_array().unwrap().iter();
            told.extend(events.map(|event| event["eventType"].as_str().unwrap().to_owned()));
        }
    }
    let all = segue::sonata::events::EVENTS.iter().map(|event| event.event_type);
    let missing: Vec<_> = all.filter(|event| !told.contains(*event)).collect();
    assert_eq!(missing, NOT_TOLD);
}
