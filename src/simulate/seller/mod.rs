//! A Seller of any release, played: it validates addresses, quotes and delivers, and tells its subscribers.
//!
//! Thin on purpose: what it answers is by the contract, and what it decides is easy to foresee. It serves Germany and
//! nothing else, quotes at once where that is asked for (`instantSyncQuote`), and otherwise takes steps of its own. Requests
//! are remembered, a fault can be put in the way of the next ones, and a request that names itself
//! (`x-idempotency-key`) has one effect.

mod answer;
mod goods;
mod release;
mod tell;

pub use release::Release;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::civil::Date;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

/// Largest message that is read, in bytes.
const BODY_BYTES_MAX: usize = 4 << 20;

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
    /// Whether listeners can be registered; else hubs answer 501.
    pub has_hub: bool,
    /// What it speaks.
    pub release: Release,
}

impl Settings {
    /// On this day, of grace, with a hub, for anybody, without steps of its own.
    #[must_use]
    pub fn on(today: Date) -> Self {
        Self { today, step_ms: None, client: None, has_hub: true, release: Release::GRACE }
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
}

#[derive(Debug)]
struct State {
    settings: Settings,
    /// Ids given out.
    count: u64,
    things: BTreeMap<(&'static str, String), Value>,
    hubs: BTreeMap<String, Hub>,
    /// Events on their way: where to, and what.
    events: VecDeque<(String, Value)>,
    seen: Vec<Seen>,
    /// Statuses that the next requests are answered with, nothing being done.
    faults: VecDeque<u16>,
    /// Answers to requests that named themselves.
    answered: HashMap<String, (u16, Value)>,
    tokens: Vec<String>,
}

#[derive(Debug, Clone)]
struct Hub {
    /// Segment of the API: `quoteManagement`.
    api: String,
    callback: String,
    query: String,
}

impl Seller {
    fn new(settings: Settings) -> Self {
        let state = State {
            settings,
            count: 0,
            things: BTreeMap::new(),
            hubs: BTreeMap::new(),
            events: VecDeque::new(),
            seen: Vec::new(),
            faults: VecDeque::new(),
            answered: HashMap::new(),
            tokens: Vec::new(),
        };
        Self { state: Arc::new(Mutex::new(state)), news: Arc::new(Notify::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All requests so far.
    #[must_use]
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    /// The next request is answered with this status, and nothing is done; after it, the next of those that are asked for.
    pub fn fail(&self, status: u16) {
        self.lock().faults.push_back(status);
    }

    /// How many listeners are registered.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.lock().hubs.len()
    }

    /// Everything that is under way takes its next step, and its subscribers are told.
    pub fn step(&self) {
        goods::step(&mut self.lock());
        self.news.notify_one();
    }

    /// Tells subscribers of an event again, as a Seller does that was not answered.
    pub fn repeat(&self, event: &Value) {
        tell::tell(&mut self.lock(), "quoteManagement", event);
        self.news.notify_one();
    }
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
    let step = settings.step_ms.map(Duration::from_millis);
    let seller = Seller::new(settings);
    let own = seller.clone();
    let task = tokio::spawn(async move {
        let steps = async {
            let Some(step) = step else { return std::future::pending::<()>().await };
            loop {
                tokio::time::sleep(step).await;
                own.step();
            }
        };
        // All are without end, and end with the task.
        tokio::join!(accept(listener, own.clone()), tell::run(own.clone()), steps);
    });
    Ok(Running { local_addr, seller, task })
}

async fn accept(listener: TcpListener, seller: Seller) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let seller = seller.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| serve(seller.clone(), request));
            let http = hyper::server::conn::http1::Builder::new();
            // A connection that fails concerns nobody but its caller.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn serve(seller: Seller, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let bytes = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return Ok(response(400, &answer::problem("invalidBody", "the body was not read"))),
    };
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    if path == "/oauth2/token" {
        let (status, token) = seller.lock().token(header(AUTHORIZATION.as_str()), &bytes);
        return Ok(response(status, &token));
    }
    let asked = answer::Asked {
        method: head.method.as_str(),
        path,
        query,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        authorization: header(AUTHORIZATION.as_str()),
        key: header("x-idempotency-key"),
    };
    let (status, body) = {
        let mut state = seller.lock();
        let (status, answered) = state.answer(&asked);
        state.seen.push(seen(asked, status));
        (status, answered)
    };
    seller.news.notify_one();
    Ok(response(status, &body))
}

fn seen(asked: answer::Asked<'_>, status: u16) -> Seen {
    let named = [("authorization", asked.authorization), ("x-idempotency-key", asked.key)];
    let headers = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    let more = if asked.query.is_empty() { String::new() } else { format!("?{}", asked.query) };
    Seen {
        method: asked.method.to_owned(),
        path: format!("{}{more}", asked.path),
        headers: headers.collect(),
        body: asked.body,
        status,
    }
}

fn response(status: u16, body: &Value) -> Response<Full<Bytes>> {
    let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let mut response = Response::new(Full::new(bytes));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !body.is_null() {
        let media_type = HeaderValue::from_static("application/json;charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
    }
    if let Some(list) = body.as_array().filter(|_| status == 200) {
        response.headers_mut().insert("x-total-count", HeaderValue::from(list.len()));
    }
    response
}
