//! The controls below `/sim`, which are no part of the standard.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /sim/step` `{ "of": "productOrder", "id": "order-0001" }` | that thing (or everything) takes its next step |
//! | `POST /sim/state` `{ "of": "quote", "id": "quote-0001", "state": "expired", "items": {} }` | it gets into that state, and its Buyers are told |
//! | `POST /sim/charges` `{ "order": "order-0001", "item": "1", "once": 90, "blocking": true }` | something is to be paid for |
//! | `POST /sim/incidents` `{ … }` | an incident begins; what is left out is filled in |
//! | `POST /sim/faults`, `GET`, `DELETE` | arranges a [fault](super::super::fault::Fault), lists, clears them |
//! | `DELETE /sim/tokens` | no token is good any more |
//! | `DELETE /sim/hubs` | forgets who is to be told |
//! | `GET /sim/journal` | what was asked, oldest first |

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::answer::Reply;
use super::kind::{CHARGE, ORDER};
use super::scenario::{SellerFault, Sort, Step};
use super::{State, order, ticket};

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Which {
    of: Option<Sort>,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Into {
    of: Sort,
    id: String,
    state: String,
    #[serde(default)]
    items: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCharge {
    order: String,
    item: String,
    once: f64,
    #[serde(default)]
    blocking: bool,
}

/// Does what a control asks.
pub(super) fn answer(state: &mut State, method: &str, path: &str, body: &[u8]) -> Reply {
    let done = match (method, path) {
        ("POST", "step") => read(body).and_then(|which| stepped(state, &which)),
        ("POST", "state") => read(body).and_then(|into| moved(state, into)),
        ("POST", "charges") => read(body).and_then(|new| charged(state, &new)),
        ("POST", "incidents") => read(body).map(|new| json!({ "id": ticket::begins(state, new) })),
        ("POST", "faults") => read(body).map(|SellerFault(fault)| {
            state.faults.arrange(fault);
            json!({ "faults": state.faults.all() })
        }),
        ("GET", "faults") => Ok(json!({ "faults": state.faults.all() })),
        ("DELETE", what) => forgotten(state, what),
        ("GET", "journal") => Ok(state.seen.iter().map(row).collect()),
        _ => Err("no such control".to_owned()),
    };
    match done {
        Ok(body) => Reply::of(200, body),
        Err(reason) => Reply::of(400, json!({ "reason": reason })),
    }
}

fn row(seen: &super::Seen) -> Value {
    json!({ "method": seen.method, "path": seen.path, "body": seen.body, "status": seen.status })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn stepped(state: &mut State, which: &Which) -> Result<Value, String> {
    match (which.of, &which.id) {
        (None, None) => state.step(None),
        (Some(Sort(kind)), Some(id)) => {
            state.thing(kind, id).ok_or("no such thing")?;
            state.step_one(&(kind.name, id.clone()));
        }
        _ => return Err("both `of` and `id`, or neither".to_owned()),
    }
    Ok(json!({}))
}

fn forgotten(state: &mut State, what: &str) -> Result<Value, String> {
    match what {
        "faults" => state.faults.clear(),
        "tokens" => state.tokens.clear(),
        "hubs" => state.hubs.clear(),
        _ => return Err("no such control".to_owned()),
    }
    Ok(json!({}))
}

fn charged(state: &mut State, new: &NewCharge) -> Result<Value, String> {
    state.thing(&ORDER, &new.order).ok_or("no such order")?;
    let id = order::charge(state, &new.order, &new.item, new.once, new.blocking);
    Ok(state.thing(&CHARGE, &id).cloned().unwrap_or_default())
}

fn moved(state: &mut State, into: Into) -> Result<Value, String> {
    let Sort(kind) = into.of;
    state.thing(kind, &into.id).ok_or("no such thing")?;
    state.walk(kind, &into.id, &[]);
    state.change(kind, &into.id, &Step { state: into.state, after_ms: None, items: into.items });
    Ok(state.thing(kind, &into.id).cloned().unwrap_or_default())
}
