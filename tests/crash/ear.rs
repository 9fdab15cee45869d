//! A Buyer's listener, which outlives the process under test.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::Value;

use super::{super::support::doors, fleet::Fleet, plan::Moment};

/// One event, as it came for the first time.
#[derive(Debug, Clone)]
pub struct Heard {
    pub event_type: String,
    /// The entity.
    pub id: String,
    /// `eventTime`, RFC 3339 in UTC with milliseconds.
    pub at: String,
}

#[derive(Default)]
struct State {
    heard: Vec<Heard>,
    known: HashSet<String>,
    again: u64,
    is_holding: bool,
    held: usize,
}

/// The listener.
#[derive(Clone)]
pub struct Ear {
    state: Arc<Mutex<State>>,
    fleet: Fleet,
}

impl Ear {
    /// Listens; its address.
    pub async fn open(fleet: Fleet) -> (Self, SocketAddr) {
        let ear = Self { state: Arc::default(), fleet };
        let own = ear.clone();
        let answer = move |request| {
            let own = own.clone();
            async move { own.answer(request).await }
        };
        let address = doors::open(doors::anywhere(), answer).await;
        (ear, address)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every event once, in the order in which they came first.
    pub fn heard(&self) -> Vec<Heard> {
        self.lock().heard.clone()
    }

    /// How often an event came that had come before.
    pub fn again(&self) -> u64 {
        self.lock().again
    }

    /// From now on no event is answered, or all are again. One that was not answered was not heard.
    pub fn hold(&self, is_holding: bool) {
        let mut state = self.lock();
        state.is_holding = is_holding;
        state.held = 0;
    }

    /// How many wait for an answer, or did.
    pub fn held(&self) -> usize {
        self.lock().held
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let mut answer = Response::new(Full::default());
        let Ok(body) = request.into_body().collect().await else {
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            return answer;
        };
        let body: Value = serde_json::from_slice(&body.to_bytes()).unwrap();
        let is_held = {
            let mut state = self.lock();
            state.held += usize::from(state.is_holding);
            state.is_holding
        };
        if is_held {
            std::future::pending::<()>().await;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        {
            let mut state = self.lock();
            if state.known.insert(text(&body["eventId"])) {
                state.heard.push(Heard {
                    event_type: text(&body["eventType"]),
                    id: text(&body["event"]["id"]),
                    at: text(&body["eventTime"]),
                });
            } else {
                state.again += 1;
            }
        }
        self.fleet.hit(Moment::Heard);
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer
    }
}
