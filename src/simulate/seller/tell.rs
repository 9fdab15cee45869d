//! Events on their way to listeners: one after the other, tried again until they are taken.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{Seller, State, goods};

/// How often an event is tried.
const TRIES_MAX: usize = 20;

/// Time between two tries, in milliseconds.
const PAUSE_MS: u64 = 200;

/// Time that a listener has for its answer, in milliseconds.
const ANSWER_MS_MAX: u64 = 10_000;

/// Puts an event on its way to everybody who wants it.
pub(super) fn tell(state: &mut State, api: &str, event: &Value) {
    let event_type = event["eventType"].as_str().unwrap_or_default().to_owned();
    let [of_quotes, of_orders] = state.settings.release.listeners;
    let listener = if api == "quoteManagement" { of_quotes } else { of_orders };
    for hub in state.hubs.values().filter(|hub| hub.api == api && goods::wants(&hub.query, &event_type)) {
        let callback = hub.callback.trim_end_matches('/');
        let url = format!("{callback}/mefApi/sonata/{listener}/listener/{event_type}");
        state.events.push_back((url, event.clone()));
    }
}

/// Delivers without end.
pub(super) async fn run(seller: Seller) {
    let http: legacy::Client<HttpConnector, Full<Bytes>> =
        legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    loop {
        let next = seller.lock().events.pop_front();
        match next {
            Some((url, event)) => deliver(&http, &url, &event).await,
            None => seller.news.notified().await,
        }
    }
}

async fn deliver(http: &legacy::Client<HttpConnector, Full<Bytes>>, url: &str, event: &Value) {
    for _ in 0..TRIES_MAX {
        let request = Request::post(url).header(CONTENT_TYPE, "application/json;charset=utf-8");
        let Ok(request) = request.body(Full::new(Bytes::from(event.to_string()))) else { return };
        let answer = timeout(Duration::from_millis(ANSWER_MS_MAX), async {
            let answer = http.request(request).await.ok()?;
            let status = answer.status();
            // Read to its end, so that the connection ends well.
            let _ = answer.into_body().collect().await;
            Some(status)
        });
        if answer.await.ok().flatten().is_some_and(|status| status.is_success()) {
            return;
        }
        sleep(Duration::from_millis(PAUSE_MS)).await;
    }
}
