//! A Seller of any release, played: addresses, sites, qualifications, quotes, orders with what changes them, the inventory,
//! trouble tickets and incidents, work orders and appointments, and bills, as far as the release has them.
//!
//! What it answers is by the contract of its release, and what it decides is easy to foresee: it serves Germany and nothing
//! else, answers at once where that is asked for, and otherwise takes steps by its own clock, or when it is told to. It keeps what
//! it made, tells subscribers of what changes, and a request that names itself (`x-idempotency-key`) has one effect. A
//! [scenario](Scenario) has it do otherwise, and the [controls](control) below `/sim` while it runs.

mod answer;
mod bill;
mod check;
pub mod control;
mod effect;
mod kind;
mod list;
mod order;
mod place;
mod poq;
mod product;
mod quote;
pub mod scenario;
mod tell;
mod things;
mod ticket;

pub use super::release::Release;
pub use scenario::Scenario;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, HeaderValue};
use hyper::http::request::Parts;
use indexmap::IndexMap;
use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::door::{self, Answer};
use super::fault::{Fault, Faults, Kind as Wrong};
use super::release::Api;
use answer::{Asked, Reply};
use things::{Key, Thing};

/// Requests that are remembered, the newest.
const SEEN_MAX: usize = 100_000;

/// Things that are kept, the newest.
const THINGS_MAX: usize = 100_000;

/// Answers that are kept for requests that name themselves, the newest.
const ANSWERED_MAX: usize = 10_000;

/// Registrations at most; more are refused.
const HUBS_MAX: usize = 1_000;

/// How it is played.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its day.
    pub today: Date,
    /// Time between two steps of what is under way, in milliseconds; none: it takes them when it is told to.
    pub step_ms: Option<u64>,
    /// Id and secret of the client that may have tokens (`POST /oauth2/token`), and must show one with each request; none:
    /// nobody is asked who he is.
    pub client: Option<(String, String)>,
    /// What it shows listeners with each event (`Authorization: Bearer`), if anything.
    pub token: Option<String>,
    /// Whether listeners can be registered; else hubs answer 501.
    pub has_hub: bool,
    /// What it speaks.
    pub release: Release,
    /// What it does otherwise than usual.
    pub scenario: Arc<Scenario>,
}

impl Settings {
    /// On this day, of grace, with a hub, for anybody, without steps of its own.
    #[must_use]
    pub fn on(today: Date) -> Self {
        Self {
            today,
            step_ms: None,
            client: None,
            token: None,
            has_hub: true,
            release: Release::GRACE,
            scenario: Arc::default(),
        }
    }
}

/// One request that it got.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers that matter here: `authorization` and `x-idempotency-key`, where they were sent.
    pub headers: BTreeMap<String, String>,
    /// The body; null where there was none.
    pub body: Value,
    /// The status that was answered.
    pub status: u16,
}

/// A Seller; its clones are the same one.
#[derive(Debug, Clone)]
pub struct Seller {
    state: Arc<Mutex<State>>,
    /// Something is to be told.
    news: Arc<Notify>,
    /// Something takes steps by itself.
    steps: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    settings: Settings,
    /// What stands before its paths: `http://127.0.0.1:8084`.
    address: String,
    /// Ids given out.
    count: u64,
    /// What it keeps, in the order in which it was made.
    things: IndexMap<Key, Thing>,
    hubs: IndexMap<String, tell::Hub>,
    /// Events on their way.
    events: VecDeque<tell::Outgoing>,
    /// Events that wait for the next one to go first.
    held: Vec<tell::Outgoing>,
    seen: VecDeque<Seen>,
    faults: Faults,
    /// How often each refusal of the scenario was used.
    refused: HashMap<usize, u32>,
    /// Answers to requests that named themselves.
    answered: IndexMap<String, Reply>,
    /// Tokens, and until when they are good.
    tokens: Vec<(String, Instant)>,
}

impl Seller {
    fn new(settings: Settings, address: String) -> Self {
        let mut faults = Faults::default();
        for fault in &settings.scenario.faults {
            faults.arrange(fault.0.clone());
        }
        let mut state = State {
            settings,
            address,
            count: 0,
            things: IndexMap::new(),
            hubs: IndexMap::new(),
            events: VecDeque::new(),
            held: Vec::new(),
            seen: VecDeque::new(),
            faults,
            refused: HashMap::new(),
            answered: IndexMap::new(),
            tokens: Vec::new(),
        };
        state.stock();
        Self { state: Arc::new(Mutex::new(state)), news: Arc::default(), steps: Arc::default() }
    }

    // What was changed is each whole, so a poison says nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All requests so far, as far as they are remembered.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.iter().cloned().collect()
    }

    /// The next request is answered with this status, and nothing is done; after it, the next of those that are asked for.
    pub fn fail(&self, status: u16) {
        let path = "/mefApi".to_owned();
        self.arrange(Fault { path, status, ..Fault::of(Wrong::Status) });
    }

    /// Arranges for a fault, as `POST /sim/faults` does.
    pub fn arrange(&self, fault: Fault) {
        self.lock().faults.arrange(fault);
    }

    /// How many listeners are registered.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.lock().hubs.len()
    }

    /// Everything that is under way takes its next step, and its subscribers are told.
    pub fn step(&self) {
        self.lock().step(None);
        self.ring();
    }

    /// Tells subscribers of an event of a quote again, as a Seller does that was not answered.
    pub fn repeat(&self, event: &Value) {
        let event_type = event["eventType"].as_str().unwrap_or_default();
        tell::tell(&mut self.lock(), Api::Quote, event_type, event);
        self.ring();
    }

    /// Has whoever delivers and whoever moves things on look again.
    fn ring(&self) {
        self.news.notify_one();
        self.steps.notify_one();
    }

    /// Moves on what is due, without end.
    async fn run(self) {
        loop {
            let due = {
                let mut state = self.lock();
                state.step(Some(Instant::now()));
                state.next_due()
            };
            self.news.notify_one();
            match due {
                Some(due) => {
                    tokio::select! {
                        () = sleep_until(due) => {}
                        () = self.steps.notified() => {}
                    }
                }
                None => self.steps.notified().await,
            }
        }
    }

    /// Answers a request.
    fn handle(&self, head: &Parts, bytes: &Bytes) -> Answer {
        let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        let mut state = self.lock();
        if let Some(control) = path.strip_prefix("/sim/") {
            let reply = control::answer(&mut state, head.method.as_str(), control, bytes);
            drop(state);
            self.ring();
            return Answer::of(response(&reply));
        }
        let fault = state.faults.take(head.method.as_str(), path);
        let late_ms = fault.as_ref().map_or(0, |fault| fault.latency_ms);
        let is_left = fault.as_ref().is_some_and(|fault| !fault.lets_act());
        let asked = Asked {
            method: head.method.as_str(),
            path,
            query,
            body: if bytes.is_empty() { Some(Value::Null) } else { serde_json::from_slice(bytes).ok() },
            authorization: header(AUTHORIZATION.as_str()),
            key: header("x-idempotency-key"),
        };
        let is_token = path == "/oauth2/token";
        let mut reply = match (is_left, is_token) {
            (true, _) => Reply::of(0, Value::Null),
            (false, true) => state.token(asked.authorization, bytes),
            (false, false) => state.answer(&asked),
        };
        if let Some(Fault { kind: Wrong::Status, status, .. }) = fault {
            reply = Reply::of(status, answer::problem("internalError", "a fault that was asked for"));
        }
        if !is_token {
            state.note(asked, reply.status);
        }
        drop(state);
        self.ring();
        Answer { response: response(&reply), late_ms, fault }
    }
}

impl State {
    /// What there is from the beginning.
    fn stock(&mut self) {
        let scenario = Arc::clone(&self.settings.scenario);
        place::stock(self);
        for (sort, bodies) in &scenario.stock {
            for body in bodies {
                let mut body = Value::Object(body.clone());
                if sort.0.name == kind::INCIDENT.name {
                    ticket::incident(self, &mut body);
                }
                let id = self.make(sort.0, body, false);
                // It stands where it stands.
                self.walk(sort.0, &id, &[]);
            }
        }
    }

    /// Remembers a request.
    fn note(&mut self, asked: Asked<'_>, status: u16) {
        let named = [("authorization", asked.authorization), ("x-idempotency-key", asked.key)];
        let headers =
            named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let more = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
        if self.seen.len() >= SEEN_MAX {
            self.seen.pop_front();
        }
        self.seen.push_back(Seen {
            method: asked.method.to_owned(),
            path: format!("{}{more}", asked.path),
            headers: headers.collect(),
            body: asked.body.unwrap_or_default(),
            status,
        });
    }
}

/// Who at the Seller can be asked.
fn contact(thing: &mut Value, role: &str) {
    let own = json!({
        "role": role, "name": "Umbrella Wholesale", "number": "+49 69 555 0400",
        "emailAddress": "wholesale@umbrella.example"
    });
    things::push(thing, "relatedContactInformation", own);
}

fn response(reply: &Reply) -> hyper::Response<Bytes> {
    let bytes = if reply.body.is_null() { Bytes::new() } else { Bytes::from(reply.body.to_string()) };
    let mut response = door::response(reply.status, "application/json;charset=utf-8", bytes);
    if let (Some(total), Some(page)) = (reply.total, reply.body.as_array()) {
        response.headers_mut().insert("x-total-count", HeaderValue::from(total));
        response.headers_mut().insert("x-result-count", HeaderValue::from(page.len()));
    }
    response
}

/// A Seller that listens. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Running {
    /// Where it listens; with port 0 asked for, the port that was given.
    pub local_addr: SocketAddr,
    /// The Seller itself.
    pub seller: Seller,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a Seller and lets it listen on `address`.
///
/// # Errors
/// Those of binding to the address.
pub async fn start(address: SocketAddr, settings: Settings) -> io::Result<Running> {
    let listener = TcpListener::bind(address).await?;
    let local_addr = listener.local_addr()?;
    let seller = Seller::new(settings, format!("http://{local_addr}"));
    let (own, desk) = (seller.clone(), seller.clone());
    let task = tokio::spawn(async move {
        let doors = door::accept(listener, move |head: &Parts, body: &Bytes| desk.handle(head, body));
        // All are without end, and end with the task.
        tokio::join!(doors, tell::run(own.clone()), own.run());
    });
    Ok(Running { local_addr, seller, task })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn things_take_their_steps_by_their_own_clock() {
        let scenario = r#"{ "walks": [ { "of": "quote", "steps": [
            { "state": "inProgress", "after_ms": 60000 }, { "state": "rejected", "after_ms": 3600000 } ] } ] }"#;
        let scenario = Arc::new(Scenario::read(scenario).unwrap());
        let seller = Seller::new(
            Settings { scenario, ..Settings::on(jiff::civil::date(2026, 11, 21)) },
            String::new(),
        );
        let clock = tokio::spawn(seller.clone().run());
        let id = seller.lock().make(&kind::QUOTE, json!({ "quoteItem": [ { "id": "1" } ] }), false);
        seller.ring();
        for (after_ms, state) in
            [(59_990, "acknowledged"), (20, "inProgress"), (3_599_980, "inProgress"), (20, "rejected")]
        {
            sleep(Duration::from_millis(after_ms)).await;
            let seller = seller.lock();
            let quote = seller.thing(&kind::QUOTE, &id).unwrap();
            assert_eq!((&quote["state"], &quote["quoteItem"][0]["state"]), (&json!(state), &json!(state)));
        }
        clock.abort();
    }

    fn asked<'r>(method: &'r str, path: &'r str, key: Option<&'r str>, body: Value) -> Asked<'r> {
        Asked { method, path, query: "", body: Some(body), authorization: None, key }
    }

    #[test]
    fn what_is_kept_has_limits() {
        let seller = Seller::new(Settings::on(jiff::civil::date(2026, 11, 21)), String::new());
        let mut state = seller.lock();
        let hub = json!({ "callback": "http://127.0.0.1:1" });
        for _ in 0..HUBS_MAX {
            let path = "/mefApi/sonata/quoteManagement/v8/hub";
            assert_eq!(state.answer(&asked("POST", path, None, hub.clone())).status, 201);
        }
        assert_eq!(
            state.answer(&asked("POST", "/mefApi/sonata/quoteManagement/v8/hub", None, hub)).status,
            403
        );
        let quote = "/mefApi/sonata/quoteManagement/v8/quote";
        for key in 0..=ANSWERED_MAX {
            let key = key.to_string();
            state.answer(&asked("GET", quote, Some(&key), Value::Null));
        }
        assert_eq!(state.answered.len(), ANSWERED_MAX);
        for _ in 0..=THINGS_MAX {
            state.make(&kind::ADDRESS, json!({}), false);
        }
        assert_eq!(state.things.len(), THINGS_MAX);
        for _ in 0..=SEEN_MAX {
            state.note(asked("GET", "/", None, Value::Null), 200);
        }
        assert_eq!(state.seen.len(), SEEN_MAX);
    }
}
