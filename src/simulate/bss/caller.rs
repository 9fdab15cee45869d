//! Calling back: whoever gave an address is told of what moved, one message after the other, in the order in which it did.
//!
//! What a request has made or changed stands in its answer and is not told again. A message is sent until it is taken: a
//! caller that is away comes back. Who does not know a number after some tries never will.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, StatusCode, header::CONTENT_TYPE};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::state::State;
use super::{Bss, ticket};

/// Messages that wait; of more, the oldest are thrown away.
const WAITING_MAX: usize = 10_000;

/// Numbers that were given up and are remembered, the newest.
const GIVEN_UP_MAX: usize = 100;

/// Time before a message is sent again, in milliseconds.
const PAUSE_MS: u64 = 100;

/// How often a number is told to who says that it is unknown there: the call that made it may not have come to its end.
const UNKNOWN_TRIES_MAX: u32 = 10;

/// How long who plays a desk has to say so, in milliseconds.
const PLAYS_MS_MAX: u64 = 1000;

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    method: &'static str,
    path: String,
    media_type: &'static str,
    body: Bytes,
    /// The number that it speaks of.
    number: String,
    tries: u32,
}

/// What is to be told, and to whom.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// Where callers listen, such as `http://127.0.0.1:8082`; none: nobody is told.
    pub to: Option<String>,
    /// Numbers that moved since the last look, in order.
    moved: Vec<String>,
    waiting: VecDeque<Message>,
    /// How many messages were taken.
    pub taken: u64,
    /// Numbers of which a message was not.
    pub given_up: VecDeque<String>,
}

impl Outbox {
    /// Nothing to be told yet, to who listens there.
    pub fn of(to: Option<String>) -> Self {
        Self { to, ..Self::default() }
    }

    /// Something moved.
    pub fn note(&mut self, number: &str) {
        if self.to.is_some() && !self.moved.iter().any(|one| one == number) {
            self.moved.push(number.to_owned());
        }
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// Makes messages of what moved, but of what an answer says already.
pub(super) fn collect(state: &mut State, answered: &[String]) {
    for number in std::mem::take(&mut state.outbox.moved) {
        if answered.contains(&number) {
            continue;
        }
        let Some(message) = message(state, &number) else { continue };
        state.outbox.waiting.push_back(message);
        if state.outbox.waiting.len() > WAITING_MAX {
            state.outbox.waiting.pop_front();
        }
    }
}

fn message(state: &State, number: &str) -> Option<Message> {
    let json = |method, path: String, body: Vec<u8>| Message {
        method,
        path,
        media_type: "application/json",
        body: Bytes::from(body),
        number: number.to_owned(),
        tries: 0,
    };
    if let Some(offer) = state.offers.find(number) {
        return Some(json("PUT", format!("/bss/offers/{number}"), written(offer)));
    }
    if let Some(check) = state.checks.find(number) {
        return Some(json("PUT", format!("/bss/checks/{number}"), written(check)));
    }
    if let Some(order) = state.orders.find(number) {
        return Some(json("PUT", format!("/bss/orders/{number}"), written(order)));
    }
    if let Some(charge) = state.charges.find(number) {
        return Some(json("POST", "/bss/charges".to_owned(), written(charge)));
    }
    let ticket = state.tickets.find(number)?;
    let body = ticket::changed(ticket);
    Some(Message { media_type: "text/xml; charset=utf-8", ..json("POST", "/bss/tickets".to_owned(), body) })
}

fn written(row: &impl Serialize) -> Vec<u8> {
    // Rows have text keys and finite numbers: writing them cannot fail.
    serde_json::to_vec(row).unwrap_or_default()
}

/// Sends what waits, without end.
pub(super) async fn run(bss: Bss) {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let wake = Arc::clone(&bss.told);
    loop {
        let next = {
            let state = bss.lock();
            state.outbox.to.clone().zip(state.outbox.waiting.front().cloned())
        };
        let Some((to, message)) = next else {
            wake.notified().await;
            continue;
        };
        let status = send(&client, &to, &message).await;
        let is_taken = status.is_some_and(|status| status.is_success());
        let is_refused = match status {
            Some(StatusCode::NOT_FOUND) => message.tries + 1 >= UNKNOWN_TRIES_MAX,
            Some(status) => status.is_client_error(),
            None => false,
        };
        {
            let outbox = &mut bss.lock().outbox;
            if is_taken || is_refused {
                outbox.waiting.pop_front();
            } else if let Some(first) = outbox.waiting.front_mut() {
                first.tries += 1;
            }
            outbox.taken += u64::from(is_taken);
            if is_refused {
                outbox.given_up.push_back(message.number);
                if outbox.given_up.len() > GIVEN_UP_MAX {
                    outbox.given_up.pop_front();
                }
            }
        }
        if !is_taken {
            sleep(Duration::from_millis(PAUSE_MS)).await;
        }
    }
}

/// The status that a message was answered with; none where nobody answered.
async fn send(
    client: &Client<HttpConnector, Full<Bytes>>,
    to: &str,
    message: &Message,
) -> Option<StatusCode> {
    let request = Request::builder()
        .method(message.method)
        .uri(format!("{to}{}", message.path))
        .header(CONTENT_TYPE, message.media_type)
        .body(Full::new(message.body.clone()));
    let response = client.request(request.ok()?).await.ok()?;
    let status = response.status();
    // Read to its end, so that the connection can be used again.
    _ = response.into_body().collect().await;
    Some(status)
}

/// Whether somebody plays such a desk at an address, so that nobody else need.
pub async fn plays_at(address: SocketAddr) -> bool {
    let client: Client<HttpConnector, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let Ok(uri) = format!("http://{address}/sim/callbacks").parse() else { return false };
    let asked = timeout(Duration::from_millis(PLAYS_MS_MAX), client.get(uri)).await;
    asked.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success()))
}
