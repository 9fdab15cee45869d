//! Reloading: a good plan takes the place of the old one, a bad one never does, and nobody who is served notices.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use segue::simulate::bss::fault::{Fault, Kind};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::support::{Bed, JSON, QUOTE, Setup, bounded, capture, quote, until};

const CODES: &str = "mappings/tiny/codes.yaml";
const FIRM: &str = "- { sonata: firm, legacy: F }\n";
const FIRM_AND_BUDGETARY: &str = "- { sonata: firm, legacy: F }\n  - { sonata: budgetary, legacy: B }\n";

fn budgetary() -> Value {
    let mut body = quote("b");
    body["buyerRequestedQuoteLevel"] = json!("budgetary");
    body
}

async fn generation(bed: &Bed) -> u64 {
    bed.admin("GET", "/plan").await.json()["generation"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_plan_is_told_and_the_old_one_stays() {
    bounded(async {
        capture::install();
        let bed = Bed::start().await;
        let before = bed.admin("GET", "/plan").await.json();
        let rows = [
            ("mappings/tiny/quote.yaml", "codes: level", "codes: levle", "quote.yaml:"),
            (
                "mappings/tiny/quote.yaml",
                "instantSyncQuote, legacy",
                "instantSinkQuote, legacy",
                "quote.yaml:",
            ),
            ("mappings/tiny/functions.rhai", "while true", "while true while", "functions.rhai:"),
            (CODES, "level:", "level: [", "codes.yaml:"),
            ("config/partners/rival.yaml", "side: seller", "side: saler", "rival.yaml:"),
            ("config/backends/acme.yaml", "base_url", "base_ulr", "acme.yaml:"),
            ("config/segue.yaml", "mappings: ../mappings", "mapings: ../mappings", "segue.yaml:"),
        ];
        for (number, (path, from, to, place)) in rows.into_iter().enumerate() {
            bed.folders.edit(path, from, to);
            let answer = bed.admin("POST", "/reload").await;
            let text = answer.text();
            assert_eq!(answer.status, 422, "{path}: {text}");
            assert!(text.contains("error[") && text.contains(place) && text.contains('^'), "{path}: {text}");
            assert_eq!(bed.admin("GET", "/plan").await.json(), before, "{path}");
            let metrics = bed.admin("GET", "/metrics").await.text();
            let refused = format!("segue_reloads_total{{outcome=\"refused\"}} {}", number + 1);
            assert!(metrics.contains(&refused), "{path}: {metrics}");
            bed.assert_recovered(path).await;
            bed.folders.edit(path, to, from);
        }
        // Two at once are both told.
        bed.folders.edit(CODES, "sonata: firm", "sonata: frim");
        bed.folders.edit("config/partners/rival.yaml", "mapping: tiny", "mapping: tyni");
        let text = bed.admin("POST", "/reload").await.text();
        assert!(text.contains("codes.yaml:") && text.contains("rival.yaml:"), "{text}");
        bed.folders.edit(CODES, "sonata: frim", "sonata: firm");
        bed.folders.edit("config/partners/rival.yaml", "mapping: tyni", "mapping: tiny");
        let answer = bed.admin("POST", "/reload").await;
        assert_eq!((answer.status, answer.json()["generation"].as_u64()), (200, Some(2)), "{answer:?}");
        // What is set up once is not changed behind anyone's back.
        bed.folders.edit("config/segue.yaml", "limits: {  }", "limits: { in_flight_max: 4711 }");
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        let told = capture::lines(&["takes effect at the next start only", "\"limits of listeners\""]);
        assert!(!told.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_file_is_taken_without_dropping_what_runs() {
    bounded(async {
        let bed = Bed::with(Setup { reload: "debounce_ms: 50", ..Setup::default() }).await;
        bed.post(QUOTE, &budgetary())
            .await
            .assert_faults("before", &[("invalidValue", "/buyerRequestedQuoteLevel")]);
        bed.arrange(Fault { latency_ms: 1000, ..Fault::of(Kind::Late) });
        let (client, to) = (bed.client.clone(), bed.gateway.sonata_address());
        let slow = tokio::spawn(async move {
            client.send(to, "POST", QUOTE, &[JSON], quote("slow").to_string().into()).await
        });
        until(async || bed.received().len() == 1).await;
        bed.folders.edit(CODES, FIRM, FIRM_AND_BUDGETARY);
        until(async || generation(&bed).await >= 2).await;
        let answer = bed.post(QUOTE, &budgetary()).await;
        assert_ne!(answer.status, 422, "the new plan knows the code: {answer:?}");
        let slow = slow.await.unwrap();
        assert_eq!((slow.status, slow.member("externalId")), (201, "slow".to_owned()), "{slow:?}");

        // Editors and deployments put a new file in the place of the old one.
        let old = bed.folders.read(CODES).replace(FIRM_AND_BUDGETARY, FIRM);
        bed.folders.write("mappings/tiny/codes.new", &old);
        std::fs::rename(bed.folders.path("mappings/tiny/codes.new"), bed.folders.path(CODES)).unwrap();
        until(async || generation(&bed).await >= 3).await;
        // The mappings move to another folder, which is watched from then on.
        for name in ["set.yaml", "codes.yaml", "functions.rhai", "quote.yaml", "order.yaml", "address.yaml"] {
            bed.folders
                .write(&format!("moved/tiny/{name}"), &bed.folders.read(&format!("mappings/tiny/{name}")));
        }
        bed.folders.edit("config/segue.yaml", "../mappings", "../moved");
        until(async || generation(&bed).await >= 4).await;
        bed.folders.edit("moved/tiny/codes.yaml", FIRM, FIRM_AND_BUDGETARY);
        until(async || generation(&bed).await >= 5).await;

        // A file that is written in two steps is taken when it is whole; a broken one is not taken at all.
        let live = generation(&bed).await;
        bed.folders.write("moved/tiny/codes.yaml", "level:\n  - { sonata: firm,");
        until(async || {
            let metrics = bed.admin("GET", "/metrics").await.text();
            metrics.contains("segue_reloads_total{outcome=\"refused\"}")
        })
        .await;
        assert_eq!(generation(&bed).await, live);
        bed.assert_recovered("a broken file").await;
    })
    .await;
}

/// The interface file is no mapping and no setting: that it alone has changed is seen all the same, and what it does
/// not have is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interface_file_that_changes_by_itself_is_read_again() {
    bounded(async {
        const FILE: &str = "config/openapi/acme.yaml";
        let bed = Bed::with(Setup { reload: "debounce_ms: 50", ..Setup::default() }).await;
        let whole = bed.folders.read(FILE);
        bed.folders.write(FILE, &whole.replace("  /v2/offers:\n", "  /v2/papers:\n"));
        let refused = async || {
            let metrics = bed.admin("GET", "/metrics").await.text();
            metrics.contains("segue_reloads_total{outcome=\"refused\"}")
        };
        until(refused).await;
        assert_eq!(generation(&bed).await, 1);
        let answer = bed.admin("POST", "/reload").await;
        assert_eq!(answer.status, 422);
        let told = answer.text();
        assert!(told.contains("M601") && told.contains("mappings/tiny/quote.yaml:"), "{told}");
        bed.assert_recovered("the last good plan stays").await;
        bed.folders.write(FILE, &whole.replace("title: ", "title: New "));
        until(async || generation(&bed).await == 2).await;
        bed.assert_recovered("a new interface").await;
    })
    .await;
}

/// A partner's own product, beside which a newer version of the line's schema would stand as well.
const FIBRE: &str = "$id: urn:globex:lso:spec:sonata:dark-fibre:v1.0.0:all\ntype: object\nrequired: [ pairs ]\n\
                     properties:\n  pairs: { type: integer, minimum: 1 }\n  \
                     maximumServiceFrameSize: { type: integer }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_product_schema_that_is_dropped_in_is_checked_from_then_on() {
    bounded(async {
        let bed = Bed::with(Setup { reload: "debounce_ms: 50", ..Setup::default() }).await;
        let mut body = quote("fibre");
        body["quoteItem"][0]["product"]["productConfiguration"] =
            json!({ "@type": "urn:globex:lso:spec:sonata:dark-fibre:v1.0.0:all", "pairs": 0 });
        let of = |member: &str| format!("/quoteItem/0/product/productConfiguration/{member}");
        let answer = bed.post(QUOTE, &body).await;
        answer.assert_faults("not known", &[("invalidValue", of("@type").as_str())]);
        bed.folders.write("config/products/fibre.yaml", FIBRE);
        until(async || generation(&bed).await >= 2).await;
        let answer = bed.post(QUOTE, &body).await;
        answer.assert_faults("none of a pair", &[("invalidValue", of("pairs").as_str())]);
        body["quoteItem"][0]["product"]["productConfiguration"]["pairs"] = json!(2);
        assert_eq!(bed.post(QUOTE, &body).await.status, 201);
        // One that cannot be checked takes nothing away.
        bed.folders.write("config/products/fibre.yaml", &FIBRE.replace("minimum", "minimun"));
        let answer = bed.admin("POST", "/reload").await;
        assert_eq!(answer.status, 422);
        assert!(answer.text().contains("error[P107]: this product cannot be checked"), "{}", answer.text());
        assert_eq!(bed.post(QUOTE, &body).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reloads_under_traffic_fail_nobody() {
    bounded(async {
        let bed = Bed::start().await;
        let (to, stop) = (bed.gateway.sonata_address(), Arc::new(AtomicBool::new(false)));
        let mut traffic = JoinSet::new();
        for _ in 0..4 {
            let (client, stop) = (bed.client.clone(), Arc::clone(&stop));
            traffic.spawn(async move {
                let mut served = 0;
                while !stop.load(Ordering::Relaxed) {
                    let answer = client.send(to, "POST", QUOTE, &[JSON], quote("t").to_string().into()).await;
                    assert_eq!(answer.status, 201, "{answer:?}");
                    let path = format!("{QUOTE}/{}", answer.member("id"));
                    let answer = client.send(to, "GET", &path, &[], "".into()).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                    served += 2;
                }
                served
            });
        }
        for number in 0..200 {
            // Every other one has something new.
            let (from, into) =
                if number % 4 == 0 { (FIRM, FIRM_AND_BUDGETARY) } else { (FIRM_AND_BUDGETARY, FIRM) };
            if number % 2 == 0 {
                bed.folders.edit(CODES, from, into);
            }
            let answer = bed.admin("POST", "/reload").await;
            assert_eq!(
                (answer.status, answer.json()["generation"].as_u64()),
                (200, Some(number + 2)),
                "{answer:?}"
            );
        }
        stop.store(true, Ordering::Relaxed);
        let mut served = 0;
        while let Some(done) = traffic.join_next().await {
            served += done.unwrap();
        }
        assert!(served > 50, "{served}");
        let metrics = bed.admin("GET", "/metrics").await.text();
        assert!(metrics.contains("segue_plan_generation 201"), "{metrics}");
    })
    .await;
}
