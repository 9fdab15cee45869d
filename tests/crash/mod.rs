//! Kills the program at planned moments, under load, against a legacy system and a listener that outlive it, and looks
//! afterwards whether anything was lost, done twice, untold or told in another order.
//!
//! A few kills run with the tests (`kills.rs`), thousands by `cargo test --bench crash -- --kills N --seed S`. What is not
//! tried here is a machine that loses its power: a killed process leaves what it wrote in the system's memory.

pub mod check;
pub mod desk;
pub mod ear;
pub mod fleet;
pub mod load;
pub mod plan;

use std::{net::SocketAddr, path::Path, time::Duration};

use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::time::Instant;

use super::support::Answer;
use check::Tally;
use desk::Desk;
use ear::Ear;
use fleet::Fleet;
use load::Buyers;
use plan::{Dice, Moment};

/// How long a kill waits for its moment.
const MOMENT_MAX: Duration = Duration::from_secs(5);

/// How long one request may take.
const REQUEST_MAX: Duration = Duration::from_secs(20);

/// Buyers at one time.
const BUYERS: u64 = 6;

/// Longest exchange, in milliseconds, as configured here.
pub const DEADLINE_MS: u64 = 3_000;

/// What one run is.
#[derive(Debug, Clone)]
pub struct Run {
    pub seed: u64,
    pub kills: usize,
    pub instances: usize,
    /// A PostgreSQL database of its own; the embedded store without one.
    pub postgres: Option<String>,
}

/// Does one run; what it found and what went wrong. Nothing went wrong where the second is empty.
pub async fn run(run: &Run) -> (Tally, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::new(folder.path().join("config"), run.instances);
    let (desk, desk_at) = Desk::open(fleet.clone()).await;
    let (ear, ear_at) = Ear::open(fleet.clone()).await;
    write(&folder, run, desk_at, ear_at);
    let mut dice = Dice::new(run.seed);
    for instance in 0..run.instances {
        assert!(fleet.start(instance).await);
    }
    subscribe(&fleet, ear_at).await;

    let buyers = Buyers::new(fleet.clone(), run.postgres.is_none());
    let mut at_work = tokio::task::JoinSet::new();
    for _ in 0..BUYERS {
        at_work.spawn(buyers.clone().buy(Dice::new(dice.roll())));
    }
    at_work.spawn(buyers.clone().look(Dice::new(dice.roll())));
    at_work.spawn(buyers.clone().reload(Dice::new(dice.roll())));
    for kill in plan::plan(run.seed, run.kills, run.instances) {
        if kill.moment == Moment::Began {
            fleet.kill(kill.instance);
            fleet.arm(kill);
            fleet.start(kill.instance).await;
            fleet.struck(MOMENT_MAX).await;
        } else {
            fleet.arm(kill);
            fleet.struck(MOMENT_MAX).await;
        }
        tokio::time::sleep(Duration::from_millis(kill.away_ms)).await;
        assert!(fleet.start(kill.instance).await);
    }
    buyers.stop();
    while let Some(ended) = at_work.join_next().await {
        ended.unwrap();
    }
    let found = check::Found { run, desk: &desk, ear: &ear, buyers: &buyers, fleet: &fleet };
    found.check(folder.path()).await
}

async fn subscribe(fleet: &Fleet, ear: SocketAddr) {
    let hubs = [
        ("quoteManagement/v8", "quoteStateChangeEvent,quoteItemStateChangeEvent"),
        ("productOrderingManagement/v10", "productOrderStateChangeEvent,productOrderItemStateChangeEvent"),
    ];
    for (api, types) in hubs {
        let body = serde_json::json!({ "callback": format!("http://{ear}/buyer"), "query": format!("eventType={types}") });
        let to = fleet.any().unwrap().sonata;
        let path = format!("/mefApi/sonata/{api}/hub");
        let made = say(to, "POST", &path, &[super::support::JSON], body.to_string()).await.unwrap();
        assert_eq!(made.status, 201, "{made:?}");
    }
}

/// One request on a connection of its own: nothing of an instance that was killed is in the way of the next.
///
/// # Errors
/// It was not answered, or not whole.
pub async fn say(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> Result<Answer, String> {
    let said = async {
        let stream = tokio::net::TcpStream::connect(to).await.map_err(|error| error.to_string())?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
        let driver = tokio::spawn(connection);
        let mut request = Request::builder().method(method).uri(path).header("host", to.to_string());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::<bytes::Bytes>::from(body)).map_err(|error| error.to_string())?;
        let (head, body) =
            sender.send_request(request).await.map_err(|error| error.to_string())?.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        driver.abort();
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    };
    tokio::time::timeout(REQUEST_MAX, said).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

/// A time so many milliseconds from now.
#[expect(clippy::disallowed_methods, reason = "the gateway runs by the clock of the machine")]
pub fn in_ms(ms: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_millis(ms)).to_string()
}

/// Waits until something holds, at most for so long.
pub async fn within<F: AsyncFnMut() -> bool>(most: Duration, mut holds: F) -> bool {
    let end = Instant::now() + most;
    while !holds().await {
        if Instant::now() > end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    true
}

/// The configuration, and the mapping set of the end-to-end tests with what goes on after an answer.
fn write(folder: &TempDir, run: &Run, desk: SocketAddr, ear: SocketAddr) {
    let put = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let store = match &run.postgres {
        None => "{ embedded: ../data/segue.db }".to_owned(),
        Some(url) => {
            put("config/secrets/store", url);
            "{ postgres: { url: { file: secrets/store } } }".to_owned()
        }
    };
    put(
        "config/segue.yaml",
        &format!(
            "listeners:\n  sonata: {{ address: \"127.0.0.1:0\" }}\n  admin: {{ address: \"127.0.0.1:0\" }}\n  internal: {{ address: \"127.0.0.1:0\" }}\n\
             store: {store}\nmappings: ../mappings\ntelemetry: {{ log_format: json }}\n\
             limits: {{ exchange_deadline_ms_max: {DEADLINE_MS}, answer_write_ms_max: 100 }}\nreload: {{ watch: false }}\n"
        ),
    );
    put("config/backends/acme.yaml", &format!("backend: acme\nbase_url: \"http://{desk}\"\n"));
    put(
        "config/partners/globex.yaml",
        &format!(
            "partner: globex\nidentify: {{ loopback: true }}\nside: seller\nrelease: {{ default: grace }}\nmapping: tiny\n\
             routes: [ {{ backend: acme }} ]\ncustody: {{ quote: gateway, productOrder: gateway }}\n\
             idempotency: {{ key_header: {} }}\nnotifications: {{ allow: [ \"http://{ear}\" ], answer_ms: 500 }}\n\
             settings: {{ desk: {{ name: Desk, emailAddress: desk@seller.example, number: \"+49 30 1\" }} }}\n",
            load::KEY
        ),
    );
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tiny");
    for entry in std::fs::read_dir(tiny).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_str().unwrap().to_owned();
        let mut text = std::fs::read_to_string(entry.path()).unwrap();
        for (file, from, to) in EDITS {
            if *file == name {
                assert!(text.contains(from), "{file} has no `{from}`");
                text = text.replace(from, to);
            }
        }
        put(&format!("mappings/tiny/{name}"), &text);
    }
    put("mappings/tiny/told.yaml", TOLD);
}

/// What the mapping set has beside its operations.
const TOLD: &str = r#"
function: quote
receives:
  PUT /bss/offers/{no}:
    updates: quote
    legacy_id: "path:no"
    fields:
      - { sonata: state, legacy: status, codes: quote-state }
      - { sonata: validFor.endDateTime, legacy: until }
"#;

const EDITS: &[(&str, &str, &str)] = &[
    (
        "quote.yaml",
        "    legacy_id: offerNo\n    on:",
        "    legacy_id: offerNo\n    recover: { call: \"GET /v2/offers?custRef={externalId}\", each: \"items[*]\", same: { custRef: hdr.custRef }, read: \"GET /v2/offers/{reply.offerNo}\", sure_after: 0s }\n    expires: { call: \"POST /v2/offers/{legacy.id}/release\" }\n    complete: { poll: \"GET /v2/offers/{legacy.id}\", every: 1s, give_up: 90d, until: \"@.status != 'C' && @.status != 'B'\" }\n    on:",
    ),
    (
        "order.yaml",
        "    answer: {",
        "    complete: { each: item, poll: \"GET /orders/{item.legacy.id}\", every: 1s, give_up: 90d, until: \"@.st == 40\" }\n    answer: {",
    ),
    (
        "order.yaml",
        "        legacy_id: no\n",
        "        legacy_id: no\n        recover: { call: \"GET /packs/{facts.entity.id}\", none: { status: 404 }, each: \"orders[*]\", same: { lineNo: lineNo }, if: \"@.st != 95\", sure_after: 0s }\n",
    ),
    (
        "codes.yaml",
        "    - { sonata: inProgress, legacy: [ 20, 30 ] }\n",
        "    - { sonata: inProgress, legacy: [ 20, 30 ] }\n    - { sonata: completed, legacy: 40 }\n",
    ),
];
