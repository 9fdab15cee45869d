//! A legacy system that outlives the process under test, and its own journal of what it did.
//!
//! It sells what it is asked for as often as it is asked: nothing here hides that something was asked for twice. It can be
//! asked what it sold under the Buyer's own id, and under the name of a pack. What the Buyer's own id begins with says how an offer goes on: `poll` is offered when it was asked about twice, `tell` is told,
//! `expire` is told with little time left, `wait` waits to be cancelled; `sync` is offered at once.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{super::support::doors, fleet::Fleet, plan::Moment, say};

/// How long an offer that expires holds once it is told, in milliseconds.
const HOLDS_MS: i64 = 400;

/// What it did, by what was asked for.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// Offers and orders that were made, by the Buyer's id and line.
    pub made: BTreeMap<String, Vec<String>>,
    /// How often each was taken back, by its number.
    pub undone: BTreeMap<String, usize>,
    /// How often each offer was withdrawn, by its number.
    pub withdrawn: BTreeMap<String, usize>,
    /// How often what was reserved for an offer was given back, by its number.
    pub released: BTreeMap<String, usize>,
    /// Offers that expire, and were told so.
    pub expiring: Vec<String>,
    /// Requests in all.
    pub requests: u64,
}

/// An offer, or one line of an order.
#[derive(Debug, Default)]
struct Row {
    /// The Buyer's own id.
    name: String,
    status: &'static str,
    /// 0 of an offer.
    step: i64,
    asked: u32,
    /// Numbers of an offer's lines.
    lines: Vec<Value>,
    /// The pack that an order's line belongs to, as it was named, and the line.
    pack: String,
    line: Value,
}

/// What became of an order's line that was taken back.
const TAKEN_BACK: i64 = 95;

#[derive(Default)]
struct State {
    done: Done,
    rows: BTreeMap<String, Row>,
    /// Requests for this path prefix wait: none is answered.
    is_holding: bool,
    held: usize,
}

/// The legacy system.
#[derive(Clone)]
pub struct Desk {
    state: Arc<Mutex<State>>,
    fleet: Fleet,
}

impl Desk {
    /// Opens it; its address.
    pub async fn open(fleet: Fleet) -> (Self, SocketAddr) {
        let desk = Self { state: Arc::default(), fleet };
        let own = desk.clone();
        let answer = move |request| {
            let own = own.clone();
            async move { own.answer(request).await }
        };
        let address = doors::open(doors::anywhere(), answer).await;
        (desk, address)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it did.
    pub fn done(&self) -> Done {
        self.lock().done.clone()
    }

    /// From now on whoever asks how something stands gets no answer, or one again.
    pub fn hold(&self, is_holding: bool) {
        let mut state = self.lock();
        state.is_holding = is_holding;
        state.held = 0;
    }

    /// How many wait for that answer, or did.
    pub fn held(&self) -> usize {
        self.lock().held
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        // A request that came whole is done, whoever still waits for its answer: this runs on its own.
        let Ok(body) = body.collect().await else { return answer(StatusCode::BAD_REQUEST, &json!({})) };
        let own = self.clone();
        let work = async move { own.work(&head.method, &head.uri, &body.to_bytes()).await };
        tokio::spawn(work).await.unwrap_or_else(|_| answer(StatusCode::INTERNAL_SERVER_ERROR, &json!({})))
    }

    async fn work(&self, method: &Method, uri: &Uri, body: &[u8]) -> Response<Full<Bytes>> {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        self.lock().done.requests += 1;
        if *method == Method::GET {
            return self.look(uri).await;
        }
        self.fleet.hit(Moment::Asked);
        let parts: Vec<&str> = uri.path().split('/').filter(|part| !part.is_empty()).collect();
        let done = match (method, parts.as_slice()) {
            (&Method::POST, ["v2", "offers"]) => self.offer(&body),
            (&Method::POST, ["orders", "uni"]) => self.order(&body),
            (&Method::DELETE, ["v2", "offers", no]) => self.withdraw(no),
            (&Method::POST, ["v2", "offers", no, "release"]) => {
                *self.lock().done.released.entry((*no).to_owned()).or_default() += 1;
                Some(json!({}))
            }
            (&Method::POST, ["orders", no, "storno"]) => {
                let mut state = self.lock();
                if let Some(row) = state.rows.get_mut(*no) {
                    row.step = TAKEN_BACK;
                }
                *state.done.undone.entry((*no).to_owned()).or_default() += 1;
                Some(json!({}))
            }
            _ => None,
        };
        self.fleet.hit(Moment::Acted);
        match done {
            Some(body) => answer(StatusCode::OK, &body),
            None => answer(StatusCode::NOT_FOUND, &json!({})),
        }
    }

    async fn look(&self, uri: &Uri) -> Response<Full<Bytes>> {
        self.fleet.hit(Moment::Polled);
        let is_held = {
            let mut state = self.lock();
            state.held += usize::from(state.is_holding);
            state.is_holding
        };
        if is_held {
            std::future::pending::<()>().await;
        }
        let found = match uri.query().and_then(|query| query.strip_prefix("custRef=")) {
            Some(name) => Some(self.offers_of(name)),
            None => uri.path().strip_prefix("/packs/").map(|pack| self.pack(pack)),
        };
        if let Some(found) = found {
            return found;
        }
        let number = uri.path().rsplit('/').next().unwrap_or_default();
        let mut state = self.lock();
        let Some(row) = state.rows.get_mut(number) else { return answer(StatusCode::NOT_FOUND, &json!({})) };
        row.asked += 1;
        if row.asked >= 2 && row.name.starts_with("poll") && row.status == "C" {
            row.status = "A1";
        }
        if row.step > 0 && row.step != TAKEN_BACK {
            row.step = if row.step == 10 { 20 } else { 40 };
        }
        answer(StatusCode::OK, &shown(number, row))
    }

    /// The offers that were made under the Buyer's own id.
    fn offers_of(&self, name: &str) -> Response<Full<Bytes>> {
        let state = self.lock();
        let rows = state.rows.iter().filter(|(_, row)| row.step == 0 && row.name == name);
        let rows: Vec<Value> =
            rows.map(|(number, row)| json!({ "offerNo": number, "custRef": row.name })).collect();
        answer(StatusCode::OK, &json!({ "items": rows }))
    }

    /// What was ordered under the name of a pack; nobody knows one of which nothing was.
    fn pack(&self, pack: &str) -> Response<Full<Bytes>> {
        let state = self.lock();
        let rows = state.rows.iter().filter(|(_, row)| row.step > 0 && row.pack == pack);
        let rows: Vec<Value> =
            rows.map(|(number, row)| json!({ "no": number, "st": row.step, "lineNo": row.line })).collect();
        let status = if rows.is_empty() { StatusCode::NOT_FOUND } else { StatusCode::OK };
        answer(status, &json!({ "orders": rows }))
    }

    fn offer(&self, body: &Value) -> Option<Value> {
        let name = body["hdr"]["custRef"].as_str()?.to_owned();
        let status = if body["hdr"]["mode"] == "S" { "A1" } else { "C" };
        let lines = body["lines"].as_array()?.iter().map(|line| line["lineNo"].clone()).collect();
        let row = Row { name: name.clone(), status, lines, ..Row::default() };
        let number = self.keep(format!("{name}/"), "Q", row);
        let expires = name.starts_with("expire");
        if expires || name.starts_with("tell") {
            let own = self.clone();
            let number = number.clone();
            tokio::spawn(async move { own.tell(&number, expires).await });
        }
        let state = self.lock();
        Some(shown(&number, state.rows.get(&number)?))
    }

    fn order(&self, body: &Value) -> Option<Value> {
        let name = body["hdr"]["custRef"].as_str()?.to_owned();
        let (pack, line) = (body["packNo"].as_str()?.to_owned(), body["lineNo"].clone());
        let row = Row { name: name.clone(), step: 10, pack, line, ..Row::default() };
        let number = self.keep(format!("{name}/{}", body["lineNo"]), "P", row);
        let state = self.lock();
        Some(shown(&number, state.rows.get(&number)?))
    }

    fn keep(&self, key: String, prefix: &str, row: Row) -> String {
        let mut state = self.lock();
        let number = format!("{prefix}-{}", state.rows.len() + 1);
        state.rows.insert(number.clone(), row);
        state.done.made.entry(key).or_default().push(number.clone());
        number
    }

    fn withdraw(&self, number: &str) -> Option<Value> {
        let mut state = self.lock();
        let row = state.rows.get_mut(number)?;
        row.status = "Z";
        *state.done.withdrawn.entry(number.to_owned()).or_default() += 1;
        Some(json!({}))
    }

    /// Tells that an offer is made, until somebody took it. An offer of which nobody will ever know is told for a while.
    async fn tell(&self, number: &str, expires: bool) {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let until = if expires { HOLDS_MS } else { 86_400_000 };
        if let Some(row) = self.lock().rows.get_mut(number) {
            row.status = "A1";
        }
        for _ in 0..200 {
            let message = json!({ "status": "A1", "until": super::in_ms(until) });
            if let Some(to) = self.fleet.any() {
                self.fleet.hit(Moment::Telling);
                let path = format!("/bss/offers/{number}");
                let said = say(to.internal, "PUT", &path, &[], message.to_string()).await;
                if said.is_ok_and(|said| said.status == 204) {
                    if expires {
                        self.lock().done.expiring.push(number.to_owned());
                    }
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn shown(number: &str, row: &Row) -> Value {
    if row.step > 0 {
        json!({ "no": number, "st": row.step })
    } else {
        // How long one holds that expires is told, and not said otherwise when it is asked about.
        let until = (!row.name.starts_with("expire")).then_some("31.12.2035");
        let lines: Vec<Value> =
            row.lines.iter().map(|line| json!({ "lineNo": line, "st": row.status })).collect();
        json!({ "rc": 0, "offerNo": number, "status": row.status, "validTo": until, "lines": lines })
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    answer
}
