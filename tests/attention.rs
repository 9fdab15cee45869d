//! What may have been done at a legacy system and nobody knows: found, listed, settled.

use bytes::Bytes;
use segue::{
    exchange::ports::Clock,
    ids::{BackendId, ExchangeId, PartnerId},
    simulate::bss::fault::{Fault, Kind},
    store::{Batch, Change, IdempotencyKey, JournalEntry, Limits, Step, Store},
};
use serde_json::{Value, json};

use super::support::{Bed, Folders, QUOTE, Setup, bounded, postgres::on_each, quote, until};

async fn folders() -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    let path = "config/partners/globex.yaml";
    folders.write(path, &format!("{}idempotency: {{ external_id: quote }}\n", folders.read(path)));
    folders
}

impl Bed {
    async fn attention(&self) -> Vec<Value> {
        let answer = self.admin("GET", "/attention").await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let told = answer.json();
        let open = told["attention"].as_array().unwrap().clone();
        assert_eq!(told["total"], open.len(), "{told}");
        open
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_needs_attention_until_it_is_settled() {
    on_each(folders, async |bed| {
        assert_eq!(bed.post(QUOTE, &quote("good")).await.status, 201);
        // What surely had no effect needs none.
        bed.arrange(Fault { status: 400, method: "POST".to_owned(), ..Fault::of(Kind::Status) });
        assert!(bed.post(QUOTE, &quote("refused")).await.status >= 400);
        assert_eq!(bed.attention().await, Vec::<Value>::new());

        bed.arrange(Fault { acts: true, method: "POST".to_owned(), ..Fault::of(Kind::Drop) });
        assert_eq!(bed.post(QUOTE, &quote("lost")).await.status, 500);
        let open = bed.attention().await;
        assert_eq!(open.len(), 1, "{open:?}");
        let one = &open[0];
        assert_eq!((&one["partner"], &one["operation"]), (&json!("globex"), &json!("quote.createQuote")));
        assert_eq!((&one["backend"], &one["repeatsRefused"]), (&json!("acme"), &json!(true)));
        assert_eq!((&one["calls"][0]["step"], &one["calls"][0]["status"]), (&json!("intent"), &Value::Null));
        assert!(one["why"].as_str().unwrap().starts_with("call `"), "{one}");
        let path = format!("/attention/{}", one["exchange"].as_str().unwrap());
        assert_eq!(bed.admin("GET", &path).await.json(), *one);
        assert_eq!(bed.admin("GET", "/attention?partner=rival").await.json()["total"], 0);
        assert_eq!(bed.admin("GET", "/attention?partner=nobody").await.status, 404);
        assert_eq!(bed.admin("POST", "/attention").await.status, 405);

        // Nothing came of it, somebody found: the Buyer may send it again.
        assert_eq!(bed.post(QUOTE, &quote("lost")).await.status, 422);
        let settled = bed.admin("POST", &format!("{path}/settle?effect=none")).await;
        assert_eq!((settled.status, &settled.json()["settled"]), (200, one), "{settled:?}");
        assert_eq!(bed.attention().await, Vec::<Value>::new());
        for path in [path.clone(), "/attention/no-such".to_owned()] {
            assert_eq!(bed.admin("GET", &path).await.status, 404);
            assert_eq!(bed.admin("POST", &format!("{path}/settle?effect=made")).await.status, 404);
        }
        assert_eq!(bed.post(QUOTE, &quote("lost")).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_effect_that_stays_is_not_repeated() {
    on_each(folders, async |bed| {
        bed.arrange(Fault { method: "POST".to_owned(), ..Fault::of(Kind::Garbage) });
        assert_eq!(bed.post(QUOTE, &quote("made")).await.status, 500);
        let open = bed.attention().await;
        // It answered something: that is kept, and not shown.
        assert_eq!(
            (&open[0]["calls"][0]["step"], &open[0]["calls"][0]["status"]),
            (&json!("answered"), &json!(200))
        );
        assert!(open[0]["calls"][0]["replyBytes"].as_u64().unwrap() > 0, "{open:?}");
        let path = format!("/attention/{}/settle?effect=made", open[0]["exchange"].as_str().unwrap());
        assert_eq!(bed.admin("POST", &path).await.status, 200);
        assert_eq!(bed.attention().await, Vec::<Value>::new());
        let calls = bed.received().len();
        assert_eq!(bed.post(QUOTE, &quote("made")).await.status, 422);
        assert_eq!(bed.received().len(), calls);
    })
    .await;
}

/// What is on disk after a process died between the legacy system's answer and the commit of it.
async fn died(folders: &Folders, body: &Value) {
    let store = Store::open(&folders.path("data/segue.db"), Limits::default(), None).unwrap();
    let exchange = ExchangeId::parse("019a0000-0000-7000-8000-00000000dead").unwrap();
    let key = IdempotencyKey {
        operation: "quote.createQuote".to_owned(),
        key: format!("externalId\n\n\n{}", body["externalId"].as_str().unwrap()),
    };
    let at_ms = Clock::System.now().as_millisecond();
    let entry = |call: &str, note: Option<Bytes>| {
        Change::Journal(Box::new(JournalEntry {
            exchange: exchange.clone(),
            operation: "quote.createQuote".to_owned(),
            call: call.to_owned(),
            step: Step::Intent,
            backend: Some(BackendId::parse("acme").unwrap()),
            request_crc: Some(7),
            status: None,
            reply: note,
            at_ms,
        }))
    };
    let note = json!([[key.operation, key.key]]).to_string();
    let begin = Change::Begin {
        body_hash: *blake3::hash(body.to_string().as_bytes()).as_bytes(),
        exchange: exchange.clone(),
        key,
        at_ms,
    };
    let batch = Batch::new(PartnerId::parse("globex").unwrap())
        .with(entry("createQuote", None))
        .with(entry("", Some(note.into())))
        .with(begin);
    store.commit(batch).await.unwrap();
    store.flush().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_process_left_is_found_at_the_start() {
    bounded(async {
        let bed = Bed::on(folders().await).await;
        let body = quote("dead");
        bed.gateway.stop().await.unwrap();
        died(&bed.folders, &body).await;
        let bed = Bed::on(bed.folders).await;
        until(async || bed.admin("GET", "/metrics").await.text().contains("\nsegue_attention 1\n")).await;
        let open = bed.attention().await;
        assert_eq!(open.len(), 1, "{open:?}");
        assert_eq!(open[0]["why"], "the process ended under it");
        assert_eq!(open[0]["calls"].as_array().unwrap().len(), 1, "{open:?}");
        assert_eq!(open[0]["calls"][0]["requestCrc32"], "00000007");
        assert!(bed.post(QUOTE, &body).await.text().contains("still in progress"));
        assert!(bed.received().is_empty());
        let path = format!("/attention/{}/settle?effect=none", open[0]["exchange"].as_str().unwrap());
        assert_eq!(bed.admin("POST", &path).await.status, 200);
        assert_eq!(bed.post(QUOTE, &body).await.status, 201);
    })
    .await;
}
