//! The simulated Buyer and the simulated Seller: against each other in every release, the Buyer's messages held against the
//! contract, and the Buyer against the program itself.

use std::{path::Path, process::Command, sync::Arc};

use bytes::Bytes;
use segue::{
    simulate::{
        buyer,
        fault::{Fault, Kind},
        seller,
    },
    sonata::{Release, catalogue},
};
use serde_json::{Value, json};

use super::{
    life,
    process::Program,
    selling::{TODAY, assert_fits, hearing, local},
    support::{Http, JSON, bounded, until},
};

/// Things without a configuration, so that no release has to know its schema.
const PLAIN: &str = r#""items": [ { "id": "a", "offering": "UNI-100", "installed": true },
    { "id": "b", "offering": "OVC-100", "relations": { "CONNECTS_TO_UNI": "a" } } ]"#;

async fn seller_of(release: &str, scenario: &str) -> seller::Running {
    let release = seller::Release::named(release).unwrap();
    let scenario = Arc::new(seller::Scenario::read(scenario).unwrap());
    let settings = seller::Settings { release, scenario, step_ms: Some(5), ..seller::Settings::on(TODAY) };
    seller::start(local(), settings).await.unwrap()
}

/// Plays a Buyer against a Seller; what it said, and how it ended.
async fn played(seller: &seller::Running, release: &str, scenario: &str) -> (Vec<String>, buyer::Done<()>) {
    let own = buyer::Settings {
        patience_ms: 60_000,
        release: buyer::Release::named(release).unwrap(),
        scenario: buyer::Scenario::read(scenario).unwrap(),
        ..buyer::Settings::new(format!("http://{}", seller.local_addr), local(), TODAY)
    };
    let buyer = buyer::start(&own).await.unwrap();
    let said = std::sync::Mutex::new(Vec::new());
    let done = buyer::play(&buyer, |line| said.lock().unwrap().push(line.to_owned())).await;
    (said.into_inner().unwrap(), done)
}

/// Holds everything that a Buyer sent against the contract.
fn assert_sent(release: Release, seen: &[seller::Seen]) {
    for one in seen.iter().filter(|one| !one.body.is_null()) {
        let functions = catalogue().functions(release).filter_map(|own| catalogue().contract(release, own));
        let mut all = functions.flat_map(|own| own.operations.iter().map(move |operation| (own, operation)));
        let (contract, operation) = all
            .find(|(own, operation)| {
                operation.method.as_str() == one.method
                    && format!("{}{}", own.base_path(), operation.path_text()) == one.path
            })
            .unwrap_or_else(|| panic!("{release}: {} {}", one.method, one.path));
        assert_fits(release, contract.function, operation.request.unwrap(), &one.body, &one.path);
    }
}

#[tokio::test]
async fn a_buyer_and_a_seller_of_any_release_understand_each_other() {
    for release in catalogue().releases() {
        for seller_says in ["{}", r#"{ "has_hub": false }"#] {
            bounded(async {
                let seller = seller_of(release.as_str(), seller_says).await;
                let buyer_says = format!(
                    r#"{{ {PLAIN}, "poll_ms": 5,
                        "expect": {{ "quote": {{ "/quoteItem/1/quoteItemPrice/0/price/dutyFreeAmount/value": 129.5 }},
                                     "order": {{ "/productOrderItem/1/state": "completed", "/cancellationDate": null }} }} }}"#
                );
                let (said, done) = played(&seller, release.as_str(), &buyer_says).await;
                assert!(done.is_ok(), "{release} {seller_says}: {done:?}\n{said:#?}");
                let has_hub = seller_says == "{}";
                assert_eq!(said[0].starts_with("registered"), has_hub, "{said:?}");
                assert!(said.iter().any(|line| line.ends_with("is closed")), "{said:?}");
                assert_eq!(seller.seller.listeners(), 0, "registrations are taken back");
                assert_sent(release, &seller.seller.seen());
            })
            .await;
        }
    }
    // Products of the demonstration are grace's.
    bounded(async {
        let seller = seller_of("grace", "{}").await;
        let (said, done) = played(&seller, "grace", "{}").await;
        assert!(done.is_ok(), "{done:?}\n{said:#?}");
        assert_sent(Release::GRACE, &seller.seller.seen());
    })
    .await;
}

#[tokio::test]
async fn scenarios_decide_what_happens_and_what_is_expected() {
    let seller_says = r#"{
        "prices": [ { "offering": "OVC-100", "monthly": 7.5, "once": 1, "unit": "USD" } ],
        "walks": [ { "of": "productOrder", "when": { "/externalId": "half" },
                     "steps": [ { "state": "inProgress", "after_ms": 1 },
                                { "state": "partial", "items": { "a": "completed", "b": "failed" } } ] },
                   { "of": "quote", "when": { "/externalId": "now" }, "at_once": true,
                     "steps": [ { "state": "unableToProvide" } ] } ],
        "refusals": [ { "operation": "createTroubleTicket", "status": 422, "code": "otherIssue", "reason": "go away",
                        "path": "/description", "when": { "/externalId": "bad" } } ],
        "events": [ { "of": "quoteStateChangeEvent", "copies": 2, "after_ms": 20 } ],
        "charges_orders": false
    }"#;
    for (more, expected) in [
        (
            r#""send": { "order": { "/externalId": "half" } }, "until": { "order": "partial" },
               "steps": [ "quote", "order" ], "events": { "quoteStateChangeEvent": 4 },
               "expect": { "quote": { "/quoteItem/1/quoteItemPrice/0/price/dutyFreeAmount": { "unit": "USD", "value": 7.5 } },
                           "order": { "/productOrderItem/0/state": "completed", "/productOrderItem/1/state": "failed" } }"#,
            "",
        ),
        (
            r#""send": { "quote": { "/externalId": "now" } }, "steps": [ "quote" ], "follow": "polling", "poll_ms": 1,
               "until": { "quote": "unableToProvide" }"#,
            "",
        ),
        (
            r#""send": { "ticket": { "/externalId": "bad" } },
               "refused": { "step": "ticket", "status": 422, "body": { "/0/propertyPath": "/description" } }"#,
            "",
        ),
        (r#""send": { "ticket": { "/externalId": "bad" } }"#, "go away"),
        (r#""refused": { "step": "address", "status": 422 }"#, "Address was not refused"),
        (
            r#""steps": [ "quote" ], "expect": { "quote": { "/quoteItem/0/state": "expired" } }"#,
            "/quoteItem/0/state is \"approved.orderable\", not \"expired\"",
        ),
    ] {
        bounded(async {
            let seller = seller_of("grace", seller_says).await;
            let (said, done) = played(&seller, "grace", &format!("{{ {PLAIN}, {more} }}")).await;
            match done {
                Ok(()) => assert_eq!(expected, "", "{said:#?}"),
                Err(error) => {
                    assert!(
                        !expected.is_empty() && error.to_string().contains(expected),
                        "{error}\n{said:#?}"
                    );
                }
            }
        })
        .await;
    }
}

#[tokio::test]
async fn events_come_out_of_order_and_never() {
    bounded(async {
        let seller_says = r#"{ "events": [
            { "of": "quoteStateChangeEvent", "when": { "/event/id": "quote-0005" }, "order": "after_next" },
            { "of": "quoteItemStateChangeEvent", "copies": 0 } ] }"#;
        let release = seller::Release::GRACE;
        let scenario = Arc::new(seller::Scenario::read(seller_says).unwrap());
        let seller =
            seller::start(local(), seller::Settings { release, scenario, ..seller::Settings::on(TODAY) })
                .await
                .unwrap();
        let (listener, heard) = hearing().await;
        let (http, to) = (Http::new(), seller.local_addr);
        let hub = json!({ "callback": format!("http://{}", listener.local_addr) }).to_string();
        let made = http.send(to, "POST", "/mefApi/sonata/quoteManagement/v8/hub", &[JSON], hub.into()).await;
        assert_eq!(made.status, 201, "{made:?}");
        let quote = json!({ "buyerRequestedQuoteLevel": "firm", "instantSyncQuote": false, "quoteItem": [
            { "id": "1", "action": "delete", "product": { "id": "p" } } ] });
        let mut ids = Vec::new();
        for _ in 0..2 {
            let body = Bytes::from(quote.to_string());
            let made = http.send(to, "POST", "/mefApi/sonata/quoteManagement/v8/quote", &[JSON], body).await;
            ids.push(made.member("id"));
        }
        assert_eq!(ids[1], "quote-0005", "the scenario's id");
        // The second quote's first event waits until the first one's next.
        seller.seller.step();
        until(async || heard.lock().unwrap().len() == 1).await;
        seller.seller.step();
        until(async || heard.lock().unwrap().len() == 3).await;
        let told: Vec<Value> =
            heard.lock().unwrap().iter().map(|(_, event)| event["event"]["id"].clone()).collect();
        assert_eq!(told, [ids[0].as_str(), &ids[0], &ids[1]]);
    })
    .await;
}

#[tokio::test]
async fn a_seller_has_faults_and_tokens_that_end() {
    bounded(async {
        let client = Some(("segue".to_owned(), "secret".to_owned()));
        let scenario = Arc::new(
            seller::Scenario::read(
                r#"{ "faults": [
            { "kind": "status", "status": 429, "retry_after_s": 7, "path": "/mefApi" } ] }"#,
            )
            .unwrap(),
        );
        let settings = seller::Settings { client, scenario, ..seller::Settings::on(TODAY) };
        let seller = seller::start(local(), settings).await.unwrap();
        let (http, to) = (Http::new(), seller.local_addr);
        let path = "/mefApi/sonata/quoteManagement/v8/quote";
        let ask = async |token: &str| {
            let bearer = format!("Bearer {token}");
            http.try_send(to, "GET", path, &[("authorization", &bearer)], Bytes::new()).await
        };
        let limited = ask("").await.unwrap();
        assert_eq!((limited.status, &limited.headers["retry-after"]), (429, &"7".parse().unwrap()));
        assert_eq!(ask("").await.unwrap().status, 401);
        let form = ("content-type", "application/x-www-form-urlencoded");
        let asked = Bytes::from("grant_type=client_credentials&client_id=segue&client_secret=secret");
        let token = http.send(to, "POST", "/oauth2/token", &[form], asked).await.member("access_token");
        let listed = ask(&token).await.unwrap();
        assert_eq!((listed.status, &listed.headers["x-total-count"]), (200, &"0".parse().unwrap()));
        for (kind, status, part) in
            [(Kind::Html, 200, "<html>"), (Kind::Garbage, 200, "O-1"), (Kind::Text, 503, "DOWN")]
        {
            seller.seller.arrange(Fault::of(kind));
            let broken = ask(&token).await.unwrap();
            assert!(broken.status == status && broken.text().contains(part), "{broken:?}");
        }
        seller.seller.arrange(Fault::of(Kind::Drop));
        assert!(ask(&token).await.is_err());
        let arranged = Bytes::from(r#"{ "kind": "status", "status": 502 }"#);
        assert_eq!(http.send(to, "POST", "/sim/faults", &[JSON], arranged).await.status, 200);
        assert_eq!(ask(&token).await.unwrap().status, 502);
        for wrong in [r#"{ "kind": "rc8" }"#, r#"{ "kind": "boring" }"#, "["] {
            assert_eq!(http.send(to, "POST", "/sim/faults", &[JSON], wrong.into()).await.status, 400);
        }
        assert_eq!(http.send(to, "DELETE", "/sim/tokens", &[], Bytes::new()).await.status, 200);
        assert_eq!(ask(&token).await.unwrap().status, 401);
    })
    .await;
}

/// The program as a Buyer; how it ended, and what it said.
async fn run_buyer(seller: &str, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_segue"));
    command.args(["simulate", "buyer", "--seller", seller, "--patience", "100"]).args(more);
    if !more.contains(&"--address") {
        command.args(["--address", "127.0.0.1:0"]);
    }
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (output.status.code(), said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_as_a_buyer_tells_by_its_status_whether_all_was_as_expected() {
    bounded(async {
        let (folders, _) = life::folders(true).await;
        let program = Program::start(&folders);
        let seller = format!("http://{}", program.sonata);
        folders.write(
            "play.json",
            r#"{ "follow": "polling", "poll_ms": 50,
            "expect": { "order": { "/externalId": "GX-O-1", "/productOrderItem/0/state": "completed" } } }"#,
        );
        let file = folders.path("play.json");
        let (status, said) = run_buyer(&seller, &["--scenario", file.to_str().unwrap()]).await;
        assert_eq!(status, Some(0), "{said}");
        folders.write(
            "play.json",
            r#"{ "steps": [ "address" ],
            "expect": { "address": { "/bestMatchGeographicAddress/city": "Paris" } }, "follow": "polling" }"#,
        );
        let (status, said) = run_buyer(&seller, &["--scenario", file.to_str().unwrap()]).await;
        assert!(status == Some(1) && said.contains("not \"Paris\""), "{said}");
        folders.write("play.json", "{\n\"step\": [] }");
        let (status, said) = run_buyer(&seller, &["--scenario", file.to_str().unwrap()]).await;
        assert!(status != Some(0) && said.contains("line 2, column"), "{said}");
    })
    .await;
}

/// A Buyer of another release lives a whole life with the shipped partner of that release: it is told of everything in
/// its own words, by code that knows nothing of bridges.
async fn lives(release: &str, partner: &str, account: &str) {
    let (folders, listener) = life::folders(true).await;
    let path = format!("config/partners/{partner}.yaml");
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap();
    assert!(text.contains("http://127.0.0.1:8083"), "{text}");
    folders.write(&path, &text.replace("http://127.0.0.1:8083", &format!("http://{listener}")));
    let accounts = [0, 1].map(|item| (format!("/productOrderItem/{item}/billingAccount/id"), json!(account)));
    let order: serde_json::Map<String, Value> = accounts.into_iter().collect();
    let events = json!({ "quoteStateChangeEvent": 2, "productOrderStateChangeEvent": 2 });
    folders.write("play.json", &json!({ "send": { "order": order }, "events": events }).to_string());
    let program = Program::start(&folders);
    let (seller, file) = (format!("http://{}/{partner}", program.sonata), folders.path("play.json"));
    let (file, at) = (file.to_str().unwrap(), listener.to_string());
    let more = ["--release", release, "--scenario", file, "--address", &at];
    let (status, said) = run_buyer(&seller, &more).await;
    assert_eq!(status, Some(0), "{said}");
    for step in ["is completed", "is active", "is closed"] {
        assert!(said.contains(step), "{step}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_buyer_on_billie_lives_with_the_program() {
    bounded(lives("billie", "wayne", "4714")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_buyer_on_kylie_lives_with_the_program() {
    bounded(lives("kylie", "stark", "4715")).await;
}
