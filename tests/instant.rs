//! A quote that is wanted at once from a legacy system that takes its time.

use segue::{
    ids::{PartnerId, SonataId},
    store::{Kind, Queue},
};
use serde_json::{Value, json};

use super::support::{Answer, Bed, Folders, JSON, QUOTE, Setup, bounded, capture, quote, uni, until};

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

/// Qualifications as this desk takes them.
const POQ: &str = r#"
function: poq
shapes:
  check:
    sonata: [ ProductOfferingQualification_Create, ProductOfferingQualification ]
    fields:
      - { legacy: hdr.mode, value: D }
      - { sonata: state, legacy: st, codes: check-state, only: answer }
      - sonata: "productOfferingQualificationItem[*]"
        legacy: "lines[*]"
        key: { sonata: id, legacy: lineNo, number: { start: 10, step: 10 }, remember: true }
        fields:
          - { sonata: action, legacy: act, codes: item-action, only: request }
          - { legacy: sku, value: UNI-O }
          - { sonata: product.productConfiguration.maximumServiceFrameSize, legacy: frame, only: request }
          - { sonata: state, legacy: st, codes: check-state, only: answer }
          - { sonata: serviceabilityConfidence, value: green, only: answer, if: { legacy: "@.st == 'F'" } }
operations:
  createProductOfferingQualification:
    call: POST /v2/checks
    request: check
    answer: check
    legacy_id: chkNo
    complete: { poll: "GET /v2/checks/{legacy.id}", every: 1s, give_up: 90d, until: "@.st != 'N' && @.st != 'W'" }
  retrieveProductOfferingQualification: { call: "GET /v2/checks/{legacy.id}", answer: check }
receives:
  PUT /bss/checks/{no}: { updates: productOfferingQualification, legacy_id: "path:no", fields: [ { sonata: state, legacy: st, codes: check-state } ] }
"#;

const CHECK_STATES: &str = "
check-state:
  - { sonata: acknowledged, legacy: N }
  - { sonata: inProgress, legacy: W }
  - { sonata: done.ready, legacy: F }
";

const POQ_PATH: &str = "/mefApi/sonata/productOfferingQualification/v7/productOfferingQualification";

fn qualification() -> Value {
    let contact =
        |role: &str| json!({ "role": role, "name": "J", "number": "1", "emailAddress": "j@buyer.example" });
    json!({
        "instantSyncQualification": true,
        "provideAlternative": false,
        "relatedContactInformation": [contact("buyerContactInformation")],
        "productOfferingQualificationItem": [ { "id": "a", "action": "add", "product": uni(1522) } ],
    })
}

const TOLD: &str = r#"
function: quote
receives:
  PUT /bss/offers/{no}: { updates: quote, legacy_id: "path:no", fields: [ { sonata: state, legacy: status, codes: quote-state } ] }
"#;

/// A machine with other work takes its time, too.
const SOON: &str = "exchange_deadline_ms_max: 4000";

async fn bed(deadline: &'static str) -> Bed {
    let folders = Folders::new(&Setup { limits: deadline, ..Setup::default() }).await;
    for (from, to) in EDITS {
        folders.edit("mappings/tiny/quote.yaml", from, to);
    }
    folders.write("mappings/tiny/told.yaml", TOLD);
    folders.write("mappings/tiny/poq.yaml", POQ);
    folders.edit("mappings/tiny/codes.yaml", "\norder-state:", &format!("{CHECK_STATES}order-state:"));
    Bed::on(folders).await
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
        let bed = bed(SOON).await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_qualification_that_is_not_there_in_time_ends_with_an_error_and_stays_so() {
    bounded(async {
        let bed = bed(SOON).await;
        let answer = bed.post(POQ_PATH, &qualification()).await;
        assert_eq!(
            (answer.status, answer.member("state").as_str()),
            (201, "terminatedWithError"),
            "{answer:?}"
        );
        let item = &answer.json()["productOfferingQualificationItem"][0];
        assert_eq!(
            (&item["state"], &item["terminationError"][0]["code"]),
            (&json!("terminatedWithError"), &json!("otherIssue"))
        );
        assert_eq!((open(&bed, Queue::Poll).await, open(&bed, Queue::Continue).await), (0, 0));

        // The desk ends its check and says so: too late.
        let number = bed.received().iter().flat_map(|entry| entry.made.clone()).next().unwrap();
        let (to, path) = (bed.gateway.internal_address().unwrap(), format!("/bss/checks/{number}"));
        let told = bed.client.send(to, "PUT", &path, &[JSON], r#"{"st":"F"}"#.into()).await;
        assert_eq!(told.status, 204, "{told:?}");
        let again = bed.get(&format!("{POQ_PATH}/{}", answer.member("id"))).await;
        assert_eq!((again.status, again.member("state").as_str()), (200, "terminatedWithError"), "{again:?}");
        bed.gateway.stop().await.unwrap();
    })
    .await;
}
