//! What an exchange made that did not come to its end is looked up (`recover:`), and kept or forgotten.

use bytes::Bytes;
use segue::simulate::bss::fault::{Fault, Kind};
use serde_json::{Value, json};

use super::{
    demonstration::shipped_folders,
    process::Program,
    support::{
        Answer, Bed, Folders, Http, JSON, ORDER, QUOTE, Setup, bounded, order,
        postgres::{Server, on_each, stores},
        quote, until,
    },
};
use segue::cases::form;

/// The look-up of a quote at the legacy system of the tests.
const OF_QUOTE: &str = "    legacy_id: offerNo\n    recover: { call: \"GET /v2/offers?custRef={externalId}\", each: \"items[*]\", total: $.meta.count, same: { custRef: hdr.custRef }, read: \"GET /v2/offers/{reply.offerNo}\", sure_after: 0s }\n    on:";

/// That of the items of an order.
const OF_ITEM: &str = "        legacy_id: no\n        recover: { call: \"GET /packs/{facts.entity.id}\", none: { status: 404 }, each: \"orders[*]\", same: { lineNo: lineNo }, if: \"@.st != 95\", sure_after: 0s }\n";

async fn folders() -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    folders.edit("mappings/tiny/quote.yaml", "    legacy_id: offerNo\n    on:", OF_QUOTE);
    folders.edit("mappings/tiny/order.yaml", "        legacy_id: no\n", OF_ITEM);
    folders.edit("mappings/tiny/order.yaml", "parallel: 2", "parallel: 1");
    named(&folders);
    folders
}

/// Requests of globex are known by what they make.
fn named(folders: &Folders) {
    let path = "config/partners/globex.yaml";
    let text = folders.read(path);
    folders.write(path, &format!("{text}idempotency: {{ external_id: [ quote, order ] }}\n"));
}

impl Bed {
    async fn needing(&self) -> usize {
        self.admin("GET", "/attention").await.json()["attention"].as_array().unwrap().len()
    }

    /// How many requests had an effect at the legacy system.
    fn effects(&self, method: &str, path: &str) -> usize {
        effects(&self.folders, method, path)
    }
}

fn effects(folders: &Folders, method: &str, path: &str) -> usize {
    let journal = folders.bss.bss.journal();
    journal
        .iter()
        .filter(|one| one.method == method && one.path.starts_with(path) && !one.made.is_empty())
        .count()
}

fn lost(acts: bool) -> Fault {
    Fault { acts, method: "POST".to_owned(), ..Fault::of(Kind::Drop) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_was_lost_is_found() {
    on_each(folders, async |bed| {
        // Another partner has a quote under the same name there: that one is not ours.
        let others = bed.post(&format!("/rival{QUOTE}"), &quote("lost")).await;
        assert_eq!(others.status, 201, "{others:?}");
        bed.arrange(lost(true));
        // The first look-up fails: it is asked again.
        bed.arrange(Fault { status: 503, method: "GET".to_owned(), ..Fault::of(Kind::Status) });
        assert_eq!(bed.post(QUOTE, &quote("lost")).await.status, 500);
        assert_eq!(bed.needing().await, 1);
        until(async || bed.needing().await == 0).await;
        let first = bed.post(QUOTE, &quote("lost")).await;
        assert_eq!((first.status, first.member("externalId")), (201, "lost".to_owned()), "{first:?}");
        assert_ne!(first.member("id"), others.member("id"));
        assert_eq!(bed.post(QUOTE, &quote("lost")).await.text(), first.text());
        assert_eq!(bed.effects("POST", "/v2/offers"), 2);
        let kept = bed.get(&format!("{QUOTE}/{}", first.member("id"))).await;
        assert_eq!(
            (kept.status, kept.json()["state"].clone()),
            (200, first.json()["state"].clone()),
            "{kept:?}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_surely_not_made_may_be_sent_again() {
    on_each(folders, async |bed| {
        let others = bed.post(&format!("/rival{QUOTE}"), &quote("never")).await;
        assert_eq!(others.status, 201, "{others:?}");
        bed.arrange(lost(false));
        assert_eq!(bed.post(QUOTE, &quote("never")).await.status, 500);
        assert!(bed.post(QUOTE, &quote("never")).await.text().contains("still in progress"));
        until(async || bed.needing().await == 0).await;
        assert_eq!(bed.effects("POST", "/v2/offers"), 1);
        assert_eq!(bed.post(QUOTE, &quote("never")).await.status, 201);
        assert_eq!(bed.effects("POST", "/v2/offers"), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_none_is_taken() {
    on_each(folders, async |bed| {
        let asked = bed.post(QUOTE, &quote("twin")).await;
        assert_eq!(asked.status, 201, "{asked:?}");
        // Somebody types it in at the desk, twice.
        let typed: Value = serde_json::from_slice(&bed.received()[0].body).unwrap();
        let mut body = typed.clone();
        body["hdr"]["custRef"] = json!("typed");
        for _ in 0..2 {
            let to = bed.folders.bss.local_addr;
            let answer = bed.client.send(to, "POST", "/v2/offers", &[JSON], body.to_string().into()).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        bed.arrange(lost(false));
        assert_eq!(bed.post(QUOTE, &quote("typed")).await.status, 500);
        let asked = async || bed.received().iter().filter(|one| one.path.contains("custRef=typed")).count();
        until(async || asked().await >= 2).await;
        assert_eq!(bed.needing().await, 1);
        assert_eq!(bed.post(QUOTE, &quote("typed")).await.status, 422);
        // A person looks, and it is over.
        let open = bed.admin("GET", "/attention").await.json()["attention"][0].clone();
        assert_eq!(open["lookedInto"], true, "{open}");
        let path = format!("/attention/{}/settle?effect=none", open["exchange"].as_str().unwrap());
        assert_eq!(bed.admin("POST", &path).await.status, 200);
        assert_eq!(bed.post(QUOTE, &quote("typed")).await.status, 201);
    })
    .await;
}

/// A death while the legacy system is at work: what is under way when it comes, and what there is afterwards.
struct Death {
    path: &'static str,
    body: Value,
    /// Requests that the legacy system has done before the one during which the program dies.
    done: usize,
    /// Whether that one is done, too.
    acts: bool,
    /// What the legacy system makes in the end, first by the request that died.
    made: (&'static str, usize, usize),
}

async fn dies(folders: &Folders, shared: Option<(&Server, &str)>, death: &Death) -> Answer {
    let client = Http::new();
    let name = death.body["externalId"].as_str().unwrap();
    let mut program = Program::start(folders);
    let posts = || folders.bss.bss.journal().iter().filter(|one| one.method == "POST").count();
    let before = posts();
    let skip = u32::try_from(death.done).unwrap();
    folders.bss.bss.arrange(Fault { skip, latency_ms: 60_000, ..lost(death.acts) });
    let (to, sent) = (program.sonata, Bytes::from(death.body.to_string()));
    let asking = client.clone();
    let path = death.path;
    let cut = tokio::spawn(async move { asking.try_send(to, "POST", path, &[JSON], sent).await });
    until(async || posts() == before + death.done + 1).await;
    program.signal("-KILL");
    assert_eq!(program.ended().await.code(), None);
    assert!(cut.await.unwrap().is_err(), "{name}");
    assert_eq!(effects(folders, "POST", death.made.0), death.made.1, "{name}");

    if let Some((server, database)) = shared {
        // Others may share this store: an exchange is dead when none could take so long.
        let aged =
            server.client(database).await.execute("UPDATE journal SET at_ms = at_ms - 3600000", &[]).await;
        assert!(aged.unwrap() > 0);
    }
    let program = Program::start(folders);
    let (to, admin) = (program.sonata, program.admin);
    until(async || client.send(admin, "GET", "/attention", &[], Bytes::new()).await.json()["total"] == 0)
        .await;
    let again = client.send(to, "POST", path, &[JSON], death.body.to_string().into()).await;
    assert_eq!(effects(folders, "POST", death.made.0), death.made.2, "{name}: {again:?}");
    assert_eq!((again.status, again.member("externalId").as_str()), (201, name), "{again:?}");
    let third = client.send(to, "POST", path, &[JSON], death.body.to_string().into()).await;
    assert_eq!(third.text(), again.text(), "{name}");
    let path = format!("{path}/{}", again.member("id"));
    if death.path == QUOTE {
        assert_eq!(client.send(to, "GET", &path, &[], Bytes::new()).await.status, 200, "{name}");
    }
    again
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_made_is_found_when_it_starts_again() {
    for server in stores() {
        bounded(async {
            let folders = folders().await;
            let database = match server {
                Some(server) => server.database().await,
                None => String::new(),
            };
            let shared = server.map(|server| (server, database.as_str()));
            if let Some((server, database)) = shared {
                server.setting(database, &folders);
            }
            let deaths = [
                Death { path: QUOTE, body: quote("k1"), done: 0, acts: true, made: ("/v2/offers", 1, 1) },
                Death { path: QUOTE, body: quote("k2"), done: 0, acts: false, made: ("/v2/offers", 1, 2) },
                Death { path: ORDER, body: order("k3", 2), done: 1, acts: true, made: ("/orders/uni", 2, 2) },
                // One of two was made: it is taken back, and both are made when the request comes again.
                Death {
                    path: ORDER,
                    body: order("k4", 2),
                    done: 1,
                    acts: false,
                    made: ("/orders/uni", 3, 5),
                },
            ];
            for death in &deaths {
                dies(&folders, shared, death).await;
            }
            let taken_back = folders.bss.bss.journal();
            assert_eq!(taken_back.iter().filter(|one| one.path.ends_with("/storno")).count(), 1);
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shipped_mappings_find_what_was_made() {
    bounded(async {
        let folders = shipped_folders().await;
        folders.edit("config/segue.yaml", "log_format: text", "log_format: json");
        named(&folders);
        let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/acme/cases");
        let body = |case: &str, name: &str| {
            let case = form::read(&cases.join(case)).unwrap();
            let mut body: Value = serde_json::from_slice(&case.request.body.bytes()).unwrap();
            body["externalId"] = json!(name);
            body
        };
        let one = body("quote/createQuote.one", "shipped-1");
        dies(
            &folders,
            None,
            &Death { path: QUOTE, body: one, done: 0, acts: true, made: ("/v2/offers", 1, 1) },
        )
        .await;
        // The folder and the first of the orders were made, and the second as well, of which nobody was told.
        let evpl = body("order/createProductOrder.evpl", "shipped-2");
        let items = evpl["productOrderItem"].as_array().unwrap().len();
        let death =
            Death { path: ORDER, body: evpl, done: items, acts: true, made: ("/orders/", items, items) };
        let made = dies(&folders, None, &death).await;
        assert_eq!(made.json()["productOrderItem"].as_array().unwrap().len(), items);
        assert_eq!(effects(&folders, "POST", "/packs"), 1);
    })
    .await;
}
