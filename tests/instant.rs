//! A quote that is wanted at once from a legacy system that takes its time.

use segue::{
    app,
    ids::{PartnerId, SonataId},
    store::{Kind, Queue},
};
use serde_json::{Value, json};

use super::support::{Answer, Bed, Folders, Http, JSON, QUOTE, Setup, bounded, capture, quote, until};

/// The legacy system is told to take its time, whatever the Buyer wants; it tells by itself, too, and what is reserved is
/// given back.
const EDITS: [(&str, &str); 2] = [
    (
        "- { sonata: instantSyncQuote, legacy: hdr.mode, convert: \"boolean(S, D)\" }",
        "- { legacy: hdr.mode, value: D }",
    ),
    (
        "    legacy_id: offerNo\n    on:",
        "    legacy_id: offerNo\n    complete: { poll: \"GET /v2/offers/{legacy.id}\", every: 1s, give_up: 90d, until: \"@.status != 'C' && @.status != 'B'\" }\n    \
         expires: { call: \"DELETE /v2/offers/{legacy.id}\" }\n    on:",
    ),
];

const TOLD: &str = r#"
function: quote
receives:
  PUT /bss/offers/{no}: { updates: quote, legacy_id: "path:no", fields: [ { sonata: state, legacy: status, codes: quote-state } ] }
"#;

async fn bed(deadline: &'static str) -> Bed {
    let folders = Folders::new(&Setup { limits: deadline, ..Setup::default() }).await;
    for (from, to) in EDITS {
        folders.edit("mappings/tiny/quote.yaml", from, to);
    }
    folders.write("mappings/tiny/told.yaml", TOLD);
    let gateway = app::start(&folders.config()).await.unwrap();
    Bed { folders, gateway, client: Http::new() }
}

async fn advance(bed: &Bed, steps: u32) -> Answer {
    let to = bed.folders.bss.local_addr;
    let body = json!({ "steps": steps }).to_string();
    bed.client.send(to, "POST", "/sim/advance", &[JSON], body.into()).await
}

async fn open(bed: &Bed, queue: Queue) -> u64 {
    let partner = PartnerId::parse("globex").unwrap();
    bed.gateway.store().tasks(&partner, queue, false, (0, 10)).await.unwrap().total
}

fn states(document: &Value) -> Vec<&str> {
    document["stateChange"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_asked_again_while_the_buyer_waits() {
    bounded(async {
        let bed = bed("exchange_deadline_ms_max: 60000").await;
        let desk = async {
            until(async || !bed.received().is_empty()).await;
            advance(&bed, 1).await;
            until(async || bed.received().iter().filter(|entry| entry.method == "GET").count() > 1).await;
            advance(&bed, 1).await
        };
        let asked = quote("at-once");
        let (answer, _) = tokio::join!(bed.post(QUOTE, &asked), desk);
        assert_eq!(
            (answer.status, answer.member("state").as_str()),
            (201, "approved.orderable"),
            "{answer:?}"
        );
        assert_eq!(states(&answer.json()), ["approved.orderable"], "{answer:?}");
        assert_eq!(answer.json()["quoteItem"][0]["state"], "approved.orderable", "{answer:?}");
        assert_eq!((open(&bed, Queue::Poll).await, open(&bed, Queue::Continue).await), (0, 0));
        bed.gateway.stop().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_in_time_cannot_be_provided_and_stays_so() {
    bounded(async {
        capture::install();
        let bed = bed("exchange_deadline_ms_max: 1500").await;
        let answer = bed.post(QUOTE, &quote("too-slow")).await;
        assert_eq!((answer.status, answer.member("state").as_str()), (201, "unableToProvide"), "{answer:?}");
        let made = answer.json();
        assert_eq!(states(&made), ["unableToProvide"], "{made}");
        let item = &made["quoteItem"][0];
        assert_eq!(
            (&item["state"], &item["terminationError"][0]["code"]),
            (&json!("unableToProvide"), &json!("otherIssue"))
        );
        let asked = bed.received().iter().filter(|entry| entry.method == "GET").count();
        assert!(asked >= 2, "it was asked again {asked} times");
        // What was reserved is given back; nobody asks any more.
        let withdrawn =
            async || bed.received().iter().any(|entry| entry.method == "DELETE" && !entry.made.is_empty());
        until(withdrawn).await;
        assert_eq!(open(&bed, Queue::Poll).await, 0);

        // The legacy system answers all the same: too late.
        let number = bed.received().iter().flat_map(|entry| entry.made.clone()).next().unwrap();
        let (to, path) = (bed.gateway.internal_address().unwrap(), format!("/bss/offers/{number}"));
        let told = bed.client.send(to, "PUT", &path, &[JSON], r#"{"status":"A1"}"#.into()).await;
        assert_eq!(told.status, 204, "{told:?}");
        let (partner, id) =
            (PartnerId::parse("globex").unwrap(), SonataId::parse(&answer.member("id")).unwrap());
        let kept = bed.gateway.store().entity(&partner, &Kind::new("quote"), &id).await.unwrap().unwrap();
        assert_eq!((kept.state.as_deref(), kept.version), (Some("unableToProvide"), 0));
        assert!(!capture::lines(&["late", "comes after its end"]).is_empty());
        bed.gateway.stop().await.unwrap();
    })
    .await;
}
