//! Subscriptions and deliveries, at a real listener.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use segue::{
    ids::{PartnerId, SonataId, TaskId},
    json::Document,
    notify::{self, About, Subscription, When},
    sonata::{Function, entity::EntityKind, events},
    store::{Batch, Change, Queue, Store},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::support::{self, Answer, Bed, CANCEL_QUOTE, Folders, QUOTE, Setup, bounded, doors, quote, until};

const HUB: &str = "/mefApi/sonata/quoteManagement/v8/hub";
const ORDER_HUB: &str = "/mefApi/sonata/productOrderingManagement/v10/hub";
const STATE: &str = "/mefApi/sonata/quoteNotification/v8/listener/quoteStateChangeEvent";

/// What a listener got.
#[derive(Debug, Clone)]
pub struct Got {
    pub path: String,
    pub body: Value,
}

/// A Buyer's listener: what it answers is arranged by the ids of events' entities and paths; otherwise 204.
#[derive(Clone, Default)]
pub struct Listener {
    got: Arc<Mutex<Vec<Got>>>,
    /// Answers to come, in their order, by a part of the path; 0 never answers.
    arranged: Arc<Mutex<HashMap<String, Vec<u16>>>>,
}

impl Listener {
    pub async fn start(&self, at: SocketAddr) -> SocketAddr {
        let own = self.clone();
        let answer = move |request| {
            let own = own.clone();
            async move { own.answer(request).await }
        };
        doors::open(at, answer).await
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        self.got.lock().unwrap().push(Got { path: path.clone(), body });
        let status = {
            let mut arranged = self.arranged.lock().unwrap();
            let fitting = arranged.iter_mut().find(|(part, _)| path.contains(part.as_str()));
            match fitting {
                Some((_, answers)) if answers.len() > 1 => answers.remove(0),
                Some((_, answers)) => answers.first().copied().unwrap_or(204),
                None => 204,
            }
        };
        if status == 0 {
            std::future::pending::<()>().await;
        }
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        if (300..400).contains(&status) {
            answer.headers_mut().insert("location", "/elsewhere".parse().unwrap());
        }
        answer
    }

    /// These answers to requests whose path has `part`; the last one for good.
    fn arrange(&self, part: &str, answers: &[u16]) {
        self.arranged.lock().unwrap().insert(part.to_owned(), answers.to_vec());
    }

    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn ids(&self) -> Vec<String> {
        let got = self.got();
        got.iter().map(|one| one.body["eventId"].as_str().unwrap().to_owned()).collect()
    }
}

fn any() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Folders in which all partners are told, at unencrypted listeners on these addresses.
async fn folders(listeners: &[SocketAddr]) -> Folders {
    // One that is there has answered by then also where the machine has other work.
    folders_with(listeners, 10_000).await
}

/// The same with another wait for each answer, in milliseconds.
async fn folders_with(listeners: &[SocketAddr], answer_ms: u64) -> Folders {
    let folders = Folders::new(&Setup::default()).await;
    let allow: Vec<String> = listeners.iter().map(|one| format!("\"http://{one}\"")).collect();
    for partner in ["globex", "rival", "several"] {
        let path = format!("config/partners/{partner}.yaml");
        let text = folders.read(&path);
        folders.write(
            &path,
            &format!("{text}notifications: {{ allow: [ {} ], answer_ms: {answer_ms} }}\n", allow.join(", ")),
        );
    }
    folders
}

async fn bed(folders: Folders) -> Bed {
    Bed::on(folders).await
}

async fn register(bed: &Bed, hub: &str, callback: &str, query: Option<&str>) -> Answer {
    let mut body = json!({ "callback": callback });
    if let Some(query) = query {
        body["query"] = json!(query);
    }
    bed.post(hub, &body).await
}

/// A quote that takes its time, and so can be cancelled.
fn deferred(external_id: &str) -> Value {
    let mut body = quote(external_id);
    support::deferred(&mut body);
    body
}

fn globex() -> PartnerId {
    PartnerId::parse("globex").unwrap()
}

/// Schedules state changes of entities, as exchanges would: `(entity, event id)`.
async fn schedule(store: &Store, subscription: &str, events: &[(&str, &str)]) {
    let subscription = Subscription {
        id: subscription.to_owned(),
        callback: String::new(),
        query: None,
        buyer: None,
        seller: None,
    };
    #[expect(clippy::disallowed_methods, reason = "the gateway runs by the clock of the machine")]
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let facts = events::event(Function::QUOTE, "quoteStateChangeEvent").unwrap();
    let document = Document::from_text("{}").unwrap();
    let partner = globex();
    let mut batch = Batch::new(globex());
    for (entity, event_id) in events {
        let id = SonataId::parse(entity).unwrap();
        let about = About {
            partner: &partner,
            kind: EntityKind::Quote,
            id: &id,
            document: document.root(),
            at: "2026-10-01T12:00:00.000Z",
        };
        let event = notify::Event { facts, item: None, element: None };
        #[expect(clippy::disallowed_methods, reason = "any id does that nobody has")]
        let task_id = TaskId::parse(&uuid::Uuid::now_v7().to_string()).unwrap();
        let when = When { now_ms, due_ms: now_ms };
        let task = notify::task((task_id, event_id), &event, &about, &subscription, when);
        batch = batch.with(Change::Schedule(Box::new(task)));
    }
    store.commit(batch).await.unwrap();
}

/// What the program prints.
async fn segue(arguments: Vec<String>) -> String {
    let run = move || {
        let output =
            std::process::Command::new(env!("CARGO_BIN_EXE_segue")).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn waiting(store: &Store, is_dead: bool) -> u64 {
    store.tasks(&globex(), Queue::Delivery, is_dead, (0, 0)).await.unwrap().total
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subscriptions_are_kept_by_the_gateway() {
    bounded(async {
        let listener = Listener::default();
        let address = listener.start(any()).await;
        let bed = bed(folders(&[address]).await).await;
        let callback = format!("http://{address}/listenerEndpoint");
        let query = "eventType = quoteStateChangeEvent";
        let made = register(&bed, HUB, &callback, Some(query)).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.member("id");
        assert_eq!(made.json(), json!({ "id": id, "callback": callback, "query": query }));
        // Up to grace the hub of quotes has no GET, that of orders has.
        let path = format!("{HUB}/{id}");
        assert_eq!(bed.get(&path).await.status, 405);
        let order = register(&bed, ORDER_HUB, &callback, None).await;
        let order_path = format!("{ORDER_HUB}/{}", order.member("id"));
        let again = bed.get(&order_path).await;
        assert_eq!((again.status, again.json()), (200, order.json()));
        // Another partner's, another hub's and none at all are equally unknown.
        for path in
            [format!("/rival{path}"), format!("{ORDER_HUB}/{id}"), format!("{HUB}/{}", order.member("id"))]
        {
            bed.send("DELETE", &path, "").await.assert_problem(&path, 404, "notFound");
        }
        bed.get(&format!("/rival{order_path}")).await.assert_problem("foreign", 404, "notFound");
        // Where several Buyers are spoken for, each has its own.
        let several = format!("/several{ORDER_HUB}?buyerId=b1");
        let theirs = register(&bed, &several, &callback, None).await;
        assert_eq!(theirs.status, 201, "{theirs:?}");
        let their_path = |buyer: &str| format!("/several{ORDER_HUB}/{}?buyerId={buyer}", theirs.member("id"));
        assert_eq!(bed.get(&their_path("b1")).await.status, 200);
        bed.get(&their_path("b2")).await.assert_problem("another Buyer", 404, "notFound");
        for status in [204, 404] {
            assert_eq!(bed.send("DELETE", &path, "").await.status, status);
        }
        assert!(listener.got().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_delivered_to_is_refused() {
    bounded(async {
        let bed = bed(folders(&[]).await).await;
        let good = "http://127.0.0.1:9/a";
        let rows = [
            (good, None, "https"),
            ("https://127.0.0.1/a", None, "public"),
            ("https://localhost/a", None, "public"),
            ("https://10.0.0.1", None, "public"),
            ("https://169.254.169.254/latest", None, "public"),
            ("https://[::1]/a", None, "public"),
            ("https://[::ffff:10.0.0.1]/a", None, "public"),
            ("https://8.8.8.8/?a=1", None, "query"),
            ("https://u:p@8.8.8.8/", None, "credentials"),
            ("nonsense", None, "callback"),
            ("https://8.8.8.8", Some("state=approved"), "eventType"),
            ("https://8.8.8.8", Some("eventType=nothing"), "nothing"),
        ];
        for (callback, query, told) in rows {
            let answer = register(&bed, HUB, callback, query).await;
            assert_eq!(answer.status, 400, "{callback} {query:?}: {answer:?}");
            assert!(answer.text().contains(told), "{callback} {query:?}: {answer:?}");
        }
        assert_eq!(bed.post(HUB, &json!({ "query": "" })).await.status, 400);
        // A name may be known by the time that something is to be told; it is checked then.
        assert_eq!(register(&bed, HUB, "https://name.that.is.invalid/a", None).await.status, 201);
        // An address that is written out is not looked up.
        assert_eq!(register(&bed, HUB, "https://8.8.8.8/a", Some("")).await.status, 201);
        // A partner without notifications, and functions that it is not told of.
        let plain = Bed::start().await;
        register(&plain, HUB, good, None).await.assert_problem("off", 501, "notImplemented");
        bed.folders.edit("config/partners/globex.yaml", "{ allow: [", "{ functions: [ order ], allow: [");
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        register(&bed, HUB, "https://8.8.8.8", None).await.assert_problem("not told", 501, "notImplemented");
        assert_eq!(register(&bed, ORDER_HUB, "https://8.8.8.8", None).await.status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_told_once_to_who_asked_for_it() {
    bounded(async {
        let listener = Listener::default();
        let address = listener.start(any()).await;
        let bed = bed(folders(&[address]).await).await;
        let url = |name: &str| format!("http://{address}/{name}");
        for (name, query) in [
            ("all", ""),
            ("states", "eventType=quoteStateChangeEvent"),
            ("items", "eventType = quoteItemStateChangeEvent"),
        ] {
            assert_eq!(register(&bed, HUB, &url(name), Some(query)).await.status, 201);
        }
        assert_eq!(register(&bed, ORDER_HUB, &url("orders"), None).await.status, 201);
        assert_eq!(register(&bed, &format!("/rival{HUB}"), &url("rival"), None).await.status, 201);
        let made = bed.post(QUOTE, &deferred("q")).await;
        assert_eq!(made.status, 201, "{made:?}");
        let id = made.member("id");
        let cancelled = bed.post(CANCEL_QUOTE, &json!({ "quoteId": id })).await;
        assert_eq!(cancelled.status, 200, "{cancelled:?}");
        until(async || {
            listener.got().iter().filter(|one| one.path.ends_with("quoteStateChangeEvent")).count() == 2
        })
        .await;
        until(async || waiting(bed.gateway.store(), false).await == 0).await;
        let got = listener.got();
        let mut paths: Vec<&str> = got.iter().map(|one| one.path.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        let states = [format!("/all{STATE}"), format!("/states{STATE}")];
        for path in &states {
            let one = got.iter().find(|one| one.path == *path).unwrap();
            assert_eq!(one.body["eventType"], "quoteStateChangeEvent");
            assert_eq!(one.body["event"]["id"], json!(id));
            assert_eq!(one.body["event"]["href"], made.json()["href"]);
            assert!(one.body["eventTime"].as_str().unwrap().ends_with('Z'));
            assert_eq!(got.iter().filter(|one| one.path == *path).count(), 1, "{path}");
        }
        assert!(paths.iter().all(|path| path.starts_with("/all/")
            || path.starts_with("/states/")
            || path.starts_with("/items/")));
        let items = got.iter().filter(|one| one.path.starts_with("/items/"));
        assert!(items.clone().all(|one| one.body["event"]["quoteItemId"] == "a"), "{got:?}");
        let metrics = bed.admin("GET", "/metrics").await.text();
        let delivered = format!("segue_deliveries_total{{outcome=\"delivered\"}} {}", got.len());
        assert!(metrics.contains(&delivered), "{metrics}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_are_tried_again_in_order_and_refusals_are_dead_letters() {
    bounded(async {
        let listener = Listener::default();
        let address = listener.start(any()).await;
        let bed = bed(folders(&[address]).await).await;
        let store = bed.gateway.store();
        let hub = async |name: &str| {
            register(&bed, HUB, &format!("http://{address}/{name}"), None).await.member("id")
        };
        let (retried, redirected) = (hub("retried").await, hub("redirected").await);
        listener.arrange("/retried", &[500, 204]);
        listener.arrange("/redirected", &[307, 404, 204]);
        schedule(store, &retried, &[("q", "r1"), ("q", "r2"), ("q", "r3")]).await;
        schedule(store, &redirected, &[("q", "d1"), ("q", "d2"), ("q", "d3")]).await;
        until(async || waiting(store, false).await == 0).await;
        let of = |path: &str| -> Vec<String> {
            let got = listener.got().into_iter().filter(|one| one.path.starts_with(path));
            got.map(|one| one.body["eventId"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(of("/retried"), ["r1", "r1", "r2", "r3"]);
        assert_eq!(of("/redirected"), ["d1", "d2", "d3"]);
        assert!(of("/elsewhere").is_empty(), "a redirect was followed");
        let dead = store.tasks(&globex(), Queue::Delivery, true, (0, 10)).await.unwrap().tasks;
        let notes: Vec<&str> = dead.iter().filter_map(|task| task.note.as_deref()).collect();
        assert!(notes.len() == 2 && notes[0].contains("307") && notes[1].contains("404"), "{notes:?}");
        // An operator finds them, and has them tried again.
        let list = bed.admin("GET", "/events?partner=globex&dead=true").await.json();
        assert_eq!((&list["total"], list["events"].as_array().unwrap().len()), (&json!(2), 2), "{list}");
        let (first, second) = (&list["events"][0], &list["events"][1]);
        assert_eq!((&first["eventId"], &first["entity"]), (&json!("d1"), &json!("quote/q")), "{list}");
        let id = first["id"].as_str().unwrap();
        let shown = bed.admin("GET", &format!("/events?partner=globex&id={id}")).await.json();
        assert_eq!(shown["message"]["eventId"], "d1", "{shown}");
        assert_eq!(bed.admin("GET", &format!("/events?partner=rival&id={id}")).await.status, 404);
        assert_eq!(bed.admin("POST", &format!("/events/replay?partner=rival&id={id}")).await.status, 404);
        let again = bed.admin("POST", &format!("/events/replay?partner=globex&id={id}")).await;
        assert_eq!((again.status, again.json()), (200, json!({ "replayed": 1 })));
        until(async || of("/redirected").len() == 4).await;
        let admin = bed.gateway.admin_address().to_string();
        let told = segue(vec![
            "events".into(),
            "replay".into(),
            "--partner".into(),
            "globex".into(),
            "--all".into(),
            "--admin".into(),
            admin.clone(),
        ])
        .await;
        assert_eq!(told, "1 events are tried again\n");
        until(async || of("/redirected").len() == 5).await;
        assert_eq!(of("/redirected")[3..], ["d1", second["eventId"].as_str().unwrap()]);
        until(async || waiting(store, false).await == 0).await;
        let told = segue(vec![
            "events".into(),
            "list".into(),
            "--partner".into(),
            "globex".into(),
            "--dead".into(),
            "--admin".into(),
            admin,
        ])
        .await;
        assert_eq!(told, "0 events were given up\n");
        // Where the address is no longer allowed it is not gone to, whatever was registered.
        bed.folders.edit("config/partners/globex.yaml", &address.to_string(), "192.0.2.1:80");
        assert_eq!(bed.admin("POST", "/reload").await.status, 200);
        schedule(store, &retried, &[("q", "r4")]).await;
        until(async || waiting(store, true).await == 1).await;
        assert_eq!(of("/retried").len(), 4);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_listener_delays_nobody() {
    bounded(async {
        let (dead, live) = (Listener::default(), Listener::default());
        let addresses = [dead.start(any()).await, live.start(any()).await];
        dead.arrange("/", &[0]);
        let bed = bed(folders_with(&addresses, 2_000).await).await;
        let store = bed.gateway.store();
        let mut hubs = Vec::new();
        for address in addresses {
            hubs.push(register(&bed, HUB, &format!("http://{address}"), None).await.member("id"));
        }
        let names: Vec<(String, String)> =
            (0..400).map(|number| (format!("q{number}"), format!("e{number}"))).collect();
        let events: Vec<(&str, &str)> =
            names.iter().map(|(one, other)| (one.as_str(), other.as_str())).collect();
        schedule(store, &hubs[0], &events).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        schedule(store, &hubs[1], &events).await;
        let began = Instant::now();
        // What is not at the live one is for the dead one.
        until(async || waiting(store, false).await == 400).await;
        let taken = began.elapsed();
        let ids: HashSet<String> = live.ids().into_iter().collect();
        assert_eq!(ids.len(), 400);
        // The dead one would hold them for minutes.
        assert!(taken < Duration::from_mins(1), "{taken:?}");
        // A circuit keeps most from being tried at all.
        until(async || bed.admin("GET", "/metrics").await.text().contains("outcome=\"circuit_open\"")).await;
        assert!(dead.got().len() < 100, "{}", dead.got().len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_outlives_the_process() {
    bounded(async {
        // Nobody listens there yet.
        let address = tokio::net::TcpListener::bind(any()).await.unwrap().local_addr().unwrap();
        let first = bed(folders(&[address]).await).await;
        assert_eq!(register(&first, HUB, &format!("http://{address}"), None).await.status, 201);
        let id = first.post(QUOTE, &deferred("q")).await.member("id");
        assert_eq!(first.post(CANCEL_QUOTE, &json!({ "quoteId": id })).await.status, 200);
        let page = first.gateway.store().tasks(&globex(), Queue::Delivery, false, (0, 10)).await.unwrap();
        let expected: Vec<String> =
            page.tasks.iter().map(|task| notify::Message::read(&task.payload).unwrap().event_id).collect();
        assert!(!expected.is_empty());
        first.gateway.stop().await.unwrap();
        let listener = Listener::default();
        listener.start(address).await;
        let second = Bed::on(first.folders).await;
        until(async || waiting(second.gateway.store(), false).await == 0).await;
        let (mut ids, mut expected) = (listener.ids(), expected);
        ids.sort();
        expected.sort();
        assert_eq!(ids, expected);
    })
    .await;
}
