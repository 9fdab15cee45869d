//! What a legacy system tells by itself, on the internal listener.

use bytes::Bytes;
use segue::{
    ids::PartnerId,
    store::{Kind, ListFilter},
};
use serde_json::{Value, json};

use super::support::{
    Answer, Bed, Folders, JSON, ORDER, QUOTE, Setup, bounded, capture, deferred, order, quote,
};

/// What the tests' mapping set receives, beside a look-up that says nothing.
const TOLD: &str = r#"
function: order
shapes:
  told:
    fields:
      - { sonata: state, legacy: st, codes: told-state, on_error: fail }
      - { sonata: expectedCompletionDate, legacy: plan, convert: "date('%d.%m.%Y', end-of-day, 'Europe/Berlin')" }
operations:
  retrieveProductOrder: { call: "GET /packs/{legacy.id}", answer: {} }
receives:
  PUT /bss/orders/{no}: { updates: productOrderItem, legacy_id: "path:no", shape: told }
  POST /bss/orders: { updates: productOrderItem, each: "orders[*]", legacy_id: no, shape: told, status: 202 }
  POST /bss/charges:
    creates: charge
    of: { productOrderItem: order }
    legacy_id: chgNo
    fields:
      - { sonata: state, legacy: st, codes: told-charge }
      - { sonata: productOrderItem.productOrderId, script: facts.parent.id }
"#;

const CODES: &str = r"
told-state:
  - { sonata: acknowledged, legacy: new }
  - { sonata: inProgress, legacy: work }
  - { sonata: completed, legacy: done }
  - { sonata: failed, legacy: lost }
told-charge:
  - { sonata: awaitingResponse, legacy: O }
  - { sonata: completed, legacy: E }
";

/// Acme's interface says what Acme tells, which is something else.
fn plain(folders: &Folders) {
    folders.edit("config/backends/acme.yaml", "openapi: openapi/acme.yaml\n", "");
}

async fn bed() -> Bed {
    let folders = Folders::new(&Setup::default()).await;
    plain(&folders);
    folders.write("mappings/tiny/told.yaml", TOLD);
    let codes = folders.read("mappings/tiny/codes.yaml");
    folders.write("mappings/tiny/codes.yaml", &format!("{codes}{CODES}"));
    Bed::on(folders).await
}

impl Bed {
    /// A message of the legacy system.
    async fn told(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = Bytes::from(body.to_string());
        self.client.send(self.gateway.internal_address().unwrap(), method, path, &[JSON], body).await
    }

    /// The numbers that the legacy system gave to orders, in the order of their items.
    fn numbers(&self) -> Vec<String> {
        let made = self.received().into_iter().filter(|entry| entry.path.starts_with("/orders/uni"));
        // Calls side by side come in any order.
        let line = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["lineNo"].as_i64();
        let mut made: Vec<_> = made.map(|entry| (line(&entry.body), entry.made)).collect();
        made.sort();
        made.into_iter().flat_map(|(_, made)| made).collect()
    }
}

fn states(history: &Value) -> Vec<String> {
    let steps = history.as_array().unwrap().iter();
    steps.map(|step| step["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_is_told_and_the_order_follows() {
    bounded(async {
        capture::install();
        let bed = bed().await;
        let made = bed.post(ORDER, &order("told", 2)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.member("id");
        let path = format!("{ORDER}/{id}");
        let numbers = bed.numbers();
        assert_eq!(numbers.len(), 2, "{numbers:?}");

        let told = bed.told("PUT", &format!("/bss/orders/{}", numbers[0]), &json!({ "st": "work" })).await;
        assert_eq!((told.status, told.body.len()), (204, 0), "{told:?}");
        let read = bed.get(&path).await.json();
        assert_eq!((&read["state"], &read["productOrderItem"][0]["state"]), (&"inProgress".into(), &"inProgress".into()));
        assert_eq!(read["productOrderItem"][1]["state"], "acknowledged", "{read}");

        // Legal steps are put in between, the order is done when all of it is, and nothing is told twice.
        for _ in 0..2 {
            let all = json!({ "orders": [ { "no": numbers[0], "st": "done" }, { "no": numbers[1], "st": "done" } ] });
            assert_eq!(bed.told("POST", "/bss/orders", &all).await.status, 202);
        }
        let read = bed.get(&path).await.json();
        assert_eq!(states(&read["stateChange"]), ["acknowledged", "inProgress", "completed"], "{read}");
        let items = &read["productOrderItem"];
        assert_eq!(states(&items[1]["stateChange"]), ["acknowledged", "inProgress", "completed"], "{read}");
        assert!(read["completionDate"].is_string() && items[0]["completionDate"].is_string(), "{read}");

        // What the standard does not allow is a finding, and changes nothing.
        let lines = || capture::lines(&["K101", "inProgress cannot follow completed"]).len();
        let before = lines();
        let told = bed.told("PUT", &format!("/bss/orders/{}", numbers[0]), &json!({ "st": "work" })).await;
        assert_eq!(told.status, 204, "{told:?}");
        assert_eq!(bed.get(&path).await.json(), read);
        assert!(lines() > before);
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_taken_in_is_told_plainly() {
    bounded(async {
        let bed = bed().await;
        assert_eq!(bed.post(ORDER, &order("told", 1)).await.status, 201);
        let number = &bed.numbers()[0];
        let known = format!("/bss/orders/{number}");
        let rows = [
            ("PUT", "/bss/orders/P-0", r#"{"st":"work"}"#, 404, r#""unknown":["P-0"]"#),
            ("PUT", "/acme/bss/orders/P-0", r#"{"st":"work"}"#, 404, r#""unknown":["P-0"]"#),
            ("PUT", "/other/bss/orders/P-0", r#"{"st":"work"}"#, 404, "error"),
            ("POST", "/bss/nothing", "{}", 404, "error"),
            ("GET", &known, "", 405, "error"),
            ("PUT", &known, "{", 400, "error"),
            ("POST", "/bss/orders", r#"{"orders":[{"st":"work"}]}"#, 400, "does not name"),
            ("PUT", &known, r#"{"st":"odd"}"#, 422, "error"),
            ("POST", "/bss/charges", r#"{"chgNo":"C-1","order":"P-0","st":"O"}"#, 404, "C-1"),
        ];
        for (method, path, body, status, text) in rows {
            let body = Bytes::from(body);
            let answer =
                bed.client.send(bed.gateway.internal_address().unwrap(), method, path, &[JSON], body).await;
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            assert!(answer.text().contains(text), "{method} {path}: {answer:?}");
            assert_eq!(answer.headers.contains_key("allow"), status == 405);
        }
        // Of several, what is known is told; the others are named.
        let both = json!({ "orders": [ { "no": "P-0", "st": "work" }, { "no": number, "st": "work" } ] });
        let answer = bed.told("POST", "/bss/orders", &both).await;
        assert_eq!((answer.status, &answer.json()["unknown"]), (200, &json!(["P-0"])), "{answer:?}");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_charge_comes_into_being_once_for_who_has_the_order() {
    bounded(async {
        let bed = bed().await;
        let several = "/several";
        let made = bed.post(&format!("{several}{ORDER}?buyerId=b2"), &order("told", 1)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let message = json!({ "chgNo": "C-9", "order": bed.numbers()[0], "st": "O" });
        let again = (0..4).map(|_| bed.told("POST", "/bss/charges", &message));
        for answer in futures_util::future::join_all(again).await {
            assert_eq!(answer.status, 204, "{answer:?}");
        }
        let store = bed.gateway.store();
        let filter = || ListFilter { limit: 10, ..ListFilter::default() };
        let charges = |partner: &str| {
            let partner = PartnerId::parse(partner).unwrap();
            async move { store.list(&partner, &Kind::new("charge"), filter()).await.unwrap() }
        };
        let kept = charges("several").await;
        assert_eq!(kept.total, 1, "{kept:?}");
        let charge = &kept.entities[0];
        assert_eq!(charge.parent.as_ref().unwrap().as_str(), made.member("id"));
        assert_eq!(charge.buyer.as_ref().unwrap().as_str(), "b2");
        assert_eq!(charge.state.as_deref(), Some("awaitingResponse"));
        assert_eq!(charge.version, 0, "the same message changes nothing");
        assert_eq!(charges("globex").await.total, 0);
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_asked_for_a_token_shows_it() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        plain(&folders);
        folders.write("mappings/tiny/told.yaml", TOLD);
        let codes = folders.read("mappings/tiny/codes.yaml");
        folders.write("mappings/tiny/codes.yaml", &format!("{codes}{CODES}"));
        folders.write("config/secrets/internal", "a-token-of-the-bss\n");
        let internal = "internal: { address: \"127.0.0.1:0\"";
        folders.edit(
            "config/segue.yaml",
            internal,
            &format!("{internal}, bearer: {{ file: secrets/internal }}"),
        );
        let bed = Bed::on(folders).await;
        let send = |token: &'static str| {
            let to = bed.gateway.internal_address().unwrap();
            let headers = [JSON, ("authorization", token)];
            let client = bed.client.clone();
            async move { client.send(to, "PUT", "/bss/orders/P-0", &headers, "{}".into()).await.status }
        };
        assert_eq!(send("Bearer other").await, 401);
        assert_eq!(send("a-token-of-the-bss").await, 401);
        assert_eq!(send("Bearer a-token-of-the-bss").await, 404);
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_partner_that_has_it_is_told() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        let told = "function: quote\nreceives:\n  \
            PUT /bss/offers/{no}: { updates: quote, legacy_id: \"path:no\", fields: [ { sonata: state, legacy: status, codes: quote-state } ] }\n";
        folders.write("mappings/tiny/told.yaml", told);
        let bed = Bed::on(folders).await;
        let mut asked = quote("deferred");
        deferred(&mut asked);
        let made = bed.post(&format!("/rival{QUOTE}"), &asked).await;
        assert_eq!(made.member("state"), "inProgress", "{made:?}");
        let offer = bed.received().into_iter().flat_map(|entry| entry.made).next().unwrap();
        let told = bed.told("PUT", &format!("/bss/offers/{offer}"), &json!({ "status": "A1" })).await;
        assert_eq!(told.status, 204, "{told:?}");
        let partner = PartnerId::parse("rival").unwrap();
        let id = segue::ids::SonataId::parse(&made.member("id")).unwrap();
        let kept = bed.gateway.store().entity(&partner, &Kind::new("quote"), &id).await.unwrap().unwrap();
        assert_eq!(kept.state.as_deref(), Some("approved.orderable"));
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_listened_to_where_nothing_is_received() {
    bounded(async {
        let folders = Folders::new(&Setup::default()).await;
        folders.edit("config/segue.yaml", "  internal: { address: \"127.0.0.1:0\" }\n", "");
        let gateway = segue::app::start(&folders.config()).await.unwrap();
        assert_eq!(gateway.internal_address(), None);
        gateway.stop().await.unwrap();
    })
    .await;
}
