//! Events: whom to tell of what, and their way to listeners, tried again until they are taken.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper_util::client::legacy::{self, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::super::release::Api;
use super::kind::Kind;
use super::scenario::Order;
use super::things::{rows, text};
use super::{Seller, State};

/// How often an event is tried.
const TRIES_MAX: usize = 20;

/// Time between two tries, in milliseconds.
const PAUSE_MS: u64 = 200;

/// Time that a listener has for its answer, in milliseconds.
const ANSWER_MS_MAX: u64 = 10_000;

/// Events that wait at most; what comes then is not told.
const WAITING_MAX: usize = 100_000;

/// Who is to be told of a function.
#[derive(Debug, Clone)]
pub(super) struct Hub {
    pub api: Api,
    pub callback: String,
    pub query: String,
    /// `buyerId` and `sellerId` of the registration; events repeat them.
    pub ids: [Option<String>; 2],
}

impl Hub {
    /// As a Buyer sees it.
    pub fn told(&self, id: &str) -> Value {
        json!({ "id": id, "callback": self.callback, "query": self.query })
    }
}

/// An event on its way.
#[derive(Debug)]
pub(super) struct Outgoing {
    url: String,
    event: Value,
    /// What is shown with it.
    token: Option<String>,
    /// Not before this.
    from: Instant,
}

/// Tells everybody who wants it of something that happened to a thing, or to an item of it.
pub(super) fn thing(state: &mut State, kind: &Kind, event_type: &str, id: &str, item: Option<&str>) {
    if event_type.is_empty() || state.settings.release.listener(kind.api).is_none() {
        return;
    }
    let is_new = state.settings.release.is_new();
    let event_id = state.id("event");
    let mut about = json!({ "id": id, "href": state.href(kind, id) });
    let [_, _, item_event, item_id] = kind.events;
    if let Some(item) = item {
        about[item_id] = json!(item);
    }
    let tells_state =
        is_new && (event_type == item_event || event_type == kind.state_event(state.settings.release));
    if let Some(body) = state.thing(kind, id).filter(|_| tells_state) {
        let of_item = |item: &str| rows(body, kind.items).iter().find(|own| text(own, "id") == item);
        let stands = match item {
            Some(item) => of_item(item).map(|own| text(own, "state")).unwrap_or_default(),
            None => text(body, kind.attribute),
        };
        about[kind.attribute] = json!(stands);
        // kylie requires `status` of a work order, and describes `state`.
        if kind.name == "workorder" {
            about["status"] = json!(stands);
        }
    }
    // ella spells the types of its bills' events otherwise than their paths.
    let spelt = match event_type {
        "customerBillCreateEvent" if state.settings.release.name == "ella" => "CustomerBillCreateEvent",
        "customerBillStateChangeEvent" if state.settings.release.name == "ella" => {
            "CustomerBillStateChangeEvent"
        }
        other => other,
    };
    let event = json!({ "eventId": event_id, "eventTime": state.now(), "eventType": spelt, "event": about });
    tell(state, kind.api, event_type, &event);
}

/// Puts an event on its way to everybody who wants it, as the scenario has it.
pub(super) fn tell(state: &mut State, api: Api, event_type: &str, event: &Value) {
    let Some(listener) = state.settings.release.listener(api) else { return };
    let scenario = std::sync::Arc::clone(&state.settings.scenario);
    let own = scenario.events.iter().find(|own| own.of == event_type && own.when.meets(event));
    let (copies, after_ms) = own.map_or((1, 0), |own| (own.copies, own.after_ms));
    let is_new = state.settings.release.is_new();
    let from = Instant::now() + Duration::from_millis(after_ms);
    let mut going = Vec::new();
    for hub in state.hubs.values().filter(|hub| hub.api == api && wants(&hub.query, event_type)) {
        let callback = hub.callback.trim_end_matches('/');
        let mut url = format!("{callback}/mefApi/sonata/{listener}/listener/{event_type}");
        let mut event = event.clone();
        let ids = ["buyerId", "sellerId"].into_iter().zip(&hub.ids);
        let shown: Vec<(&str, &String)> = ids.filter_map(|(name, id)| Some((name, id.as_ref()?))).collect();
        if is_new && !shown.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(shown).finish();
            url = format!("{url}?{query}");
        } else {
            for (name, id) in shown {
                event["event"][name] = json!(id);
            }
        }
        for _ in 0..copies {
            let token = state.settings.token.clone();
            going.push(Outgoing { url: url.clone(), event: event.clone(), token, from });
        }
    }
    if own.is_some_and(|own| own.order == Order::AfterNext) {
        state.held.append(&mut going);
        return;
    }
    if !going.is_empty() {
        going.append(&mut state.held);
    }
    let room = WAITING_MAX.saturating_sub(state.events.len());
    state.events.extend(going.into_iter().take(room));
}

/// Delivers without end.
pub(super) async fn run(seller: Seller) {
    let http: legacy::Client<HttpConnector, Full<Bytes>> =
        legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    loop {
        let now = Instant::now();
        let (next, due) = {
            let mut state = seller.lock();
            let ready = state.events.iter().position(|one| one.from <= now);
            let next = ready.and_then(|index| state.events.remove(index));
            (next, state.events.iter().map(|one| one.from).min())
        };
        match (next, due) {
            (Some(next), _) => deliver(&http, &next).await,
            (None, Some(due)) => {
                tokio::select! {
                    () = sleep_until(due) => {}
                    () = seller.news.notified() => {}
                }
            }
            (None, None) => seller.news.notified().await,
        }
    }
}

async fn deliver(http: &legacy::Client<HttpConnector, Full<Bytes>>, outgoing: &Outgoing) {
    for _ in 0..TRIES_MAX {
        let mut request = Request::post(&outgoing.url).header(CONTENT_TYPE, "application/json;charset=utf-8");
        if let Some(token) = &outgoing.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let Ok(request) = request.body(Full::new(Bytes::from(outgoing.event.to_string()))) else { return };
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

/// Whether a hub's query wants an event.
fn wants(query: &str, event_type: &str) -> bool {
    let mut asked = query.split('&').filter_map(|pair| pair.trim().strip_prefix("eventType"));
    let wanted = |rest: &str| {
        let names = rest.trim_start().trim_start_matches('=');
        names.split(',').any(|name| name.trim() == event_type)
    };
    query.trim().is_empty() || asked.any(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_wants_what_its_query_names() {
        for (query, wanted) in [
            ("", true),
            ("eventType=quoteStateChangeEvent", true),
            ("eventType = a, quoteStateChangeEvent", true),
            ("eventType=a&eventType=quoteStateChangeEvent", true),
            ("eventType=a", false),
        ] {
            assert_eq!(wants(query, "quoteStateChangeEvent"), wanted, "{query}");
        }
    }
}
