//! How soon events arrive: so many a second to a hundred listeners of one partner, all well, and then with one that takes
//! every event and never answers.
//!
//! `cargo bench --bench events [-- --seconds 20 --rate 1000]` runs the gateway in this process, its store on disk. Events are
//! scheduled as exchanges do it, each of another entity, ten milliseconds' worth in one commit; an event is late by the
//! time from that commit's call to its arrival at the listener.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

#[allow(dead_code)]
#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use segue::{
    app,
    ids::{PartnerId, SonataId, TaskId},
    json::Document,
    notify::{self, About, Subscription, When},
    sonata::{Function, entity::EntityKind, events},
    store::{Batch, Change, Queue, Store},
};
use support::{Bed, Folders, Http, Setup, doors};

const LISTENERS: usize = 100;
/// Milliseconds of events in one commit.
const TICK_MS: u64 = 10;
const HUB: &str = "/mefApi/sonata/quoteManagement/v8/hub";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --benches` must not run a load.
    if !words.iter().any(|word| word == "--bench") {
        return;
    }
    let number = |name: &str, default: u64| {
        let at = words.iter().position(|word| word == name);
        at.and_then(|at| words.get(at + 1)).map_or(default, |text| text.parse().expect(name))
    };
    let (seconds, rate) = (number("--seconds", 20), number("--rate", 1000));
    // The listeners have threads of their own, as Buyers have machines of their own.
    let listeners =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let ears: Vec<Ear> = listeners.block_on(async {
        let mut ears = Vec::new();
        for _ in 0..LISTENERS {
            ears.push(Ear::open().await);
        }
        ears
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let bed = bed(&ears).await;
        let subscriptions = subscribe(&bed, &ears).await;
        for (what, dead) in [("all well", None), ("one dead", Some(0))] {
            if let Some(dead) = dead {
                ears[dead].die();
            }
            let load = Load { store: bed.gateway.store(), subscriptions: &subscriptions, ears: &ears };
            load.run(what, dead, (seconds, rate)).await;
        }
        // The dead one has events left, and its connections would be waited for.
        std::process::exit(0);
    });
}

/// One Buyer's listener.
#[derive(Clone)]
struct Ear {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<(usize, Instant)>>>,
    is_dead: Arc<std::sync::atomic::AtomicBool>,
}

impl Ear {
    async fn open() -> Self {
        let (heard, is_dead) = (Arc::default(), Arc::default());
        let ear = Self { address: doors::anywhere(), heard, is_dead };
        let own = ear.clone();
        let answer = move |request| {
            let own = own.clone();
            async move { own.answer(request).await }
        };
        Self { address: doors::open(doors::anywhere(), answer).await, ..ear }
    }

    fn die(&self) {
        self.is_dead.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let body = request.into_body().collect().await.unwrap().to_bytes();
        if self.is_dead.load(std::sync::atomic::Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let came = Instant::now();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let number = body["event"]["id"].as_str().unwrap().trim_start_matches("e-").parse().unwrap();
        self.heard.lock().unwrap().push((number, came));
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer
    }
}

async fn bed(ears: &[Ear]) -> Bed {
    let folders = Folders::new(&Setup::default()).await;
    let allow: Vec<String> = ears.iter().map(|ear| format!("\"http://{}\"", ear.address)).collect();
    let path = "config/partners/globex.yaml";
    let text = folders.read(path);
    folders.write(path, &format!("{text}notifications: {{ allow: [ {} ] }}\n", allow.join(", ")));
    let gateway = app::start(&folders.config()).await.unwrap();
    Bed { folders, gateway, client: Http::new() }
}

async fn subscribe(bed: &Bed, ears: &[Ear]) -> Vec<String> {
    let mut ids = Vec::new();
    for ear in ears {
        let made =
            bed.post(HUB, &serde_json::json!({ "callback": format!("http://{}/b", ear.address) })).await;
        assert_eq!(made.status, 201, "{made:?}");
        ids.push(made.member("id"));
    }
    ids
}

struct Load<'l> {
    store: &'l Store,
    subscriptions: &'l [String],
    ears: &'l [Ear],
}

impl Load<'_> {
    async fn run(&self, what: &str, dead: Option<usize>, (seconds, rate): (u64, u64)) {
        self.ears.iter().for_each(|ear| ear.heard.lock().unwrap().clear());
        let each = (rate * TICK_MS / 1000).max(1) as usize;
        let ticks = seconds * 1000 / TICK_MS;
        let mut sent = Vec::with_capacity(each * ticks as usize);
        let mut tick = tokio::time::interval(Duration::from_millis(TICK_MS));
        let started = Instant::now();
        for _ in 0..ticks {
            tick.tick().await;
            let first = sent.len();
            let at = Instant::now();
            sent.extend(std::iter::repeat_n(at, each));
            self.store.commit(self.batch(first..first + each)).await.unwrap();
        }
        let scheduled = started.elapsed();
        let wanted = sent.len() - dead.map_or(0, |_| sent.len().div_ceil(LISTENERS));
        let count = || {
            let living = self.ears.iter().enumerate().filter(|(at, _)| Some(*at) != dead);
            living.map(|(_, ear)| ear.heard.lock().unwrap().len()).sum::<usize>()
        };
        let patience = Instant::now() + Duration::from_mins(1);
        while count() < wanted && Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut late: Vec<f64> = Vec::with_capacity(wanted);
        for ear in self.ears {
            let heard = ear.heard.lock().unwrap();
            late.extend(heard.iter().map(|(number, came)| (*came - sent[*number]).as_secs_f64() * 1e3));
        }
        late.sort_by(f64::total_cmp);
        let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
        let waiting = self.store.tasks(&globex(), Queue::Delivery, false, (0, 0)).await.unwrap().total;
        println!(
            "{what}: {:.0} events/s scheduled, {} of {wanted} arrived at {} listeners; late by {:.1} ms (median), {:.1} \
             (99 of 100), {:.1} (most); {waiting} wait for the dead",
            sent.len() as f64 / scheduled.as_secs_f64(),
            late.len(),
            LISTENERS - usize::from(dead.is_some()),
            at(0.5),
            at(0.99),
            at(1.0),
        );
    }

    /// One event for each number, to the listeners by turns.
    fn batch(&self, numbers: std::ops::Range<usize>) -> Batch {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let facts = events::event(Function::QUOTE, "quoteStateChangeEvent").unwrap();
        let document = Document::from_text("{}").unwrap();
        let partner = globex();
        let mut batch = Batch::new(globex());
        for number in numbers {
            let subscription = Subscription {
                id: self.subscriptions[number % LISTENERS].clone(),
                callback: String::new(),
                query: None,
                buyer: None,
                seller: None,
            };
            let id = SonataId::parse(&format!("e-{number}")).unwrap();
            let about = About {
                partner: &partner,
                kind: EntityKind::Quote,
                id: &id,
                document: document.root(),
                at: "2026-10-01T12:00:00.000Z",
            };
            let event = notify::Event { facts, item: None, element: None };
            let (task, event_id) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::now_v7().to_string());
            let when = When { now_ms, due_ms: now_ms };
            let task =
                notify::task((TaskId::parse(&task).unwrap(), &event_id), &event, &about, &subscription, when);
            batch = batch.with(Change::Schedule(Box::new(task)));
        }
        batch
    }
}

fn globex() -> PartnerId {
    PartnerId::parse("globex").unwrap()
}
