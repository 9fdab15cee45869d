//! The controls below `/sim`, which are no part of the interface that is played.
//!
//! | request | what it does |
//! |---|---|
//! | `POST /sim/advance` `{ "no": "P-2001", "steps": 1, "days": 0 }` | lets days go by, then moves that offer, order or folder (or everything, without `no`) so many steps on, as far as it goes |
//! | `POST /sim/faults` | arranges a [fault](super::fault::Fault) |
//! | `GET`, `DELETE /sim/faults` | lists, clears them |
//! | `GET /sim/journal?path=/v2&made=J` | what was received, oldest first; only below a path, only with an effect |
//! | `DELETE /sim/journal` | forgets it and counts from 1 again |
//! | `POST /sim/charges` `{ "no": "P-2001", "typ": "BAU", "nrc": 90000, "mrc": 0 }` | a charge comes up for that order |
//! | `DELETE /sim/charges/C-5001` | Acme takes it back |
//! | `POST /sim/assets` `{ "no": "A9", "sku": "UNI-O", "art": "UNI-100", "site": "ST-201" }` | something was installed before |
//! | `GET /sim/assets` | the installed base |
//! | `GET /sim/callbacks` | messages that wait, were taken and given up |

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::article::Sku;
use super::asset::{Asset, Use};
use super::charge::{self, About, Kind};
use super::day;
use super::fault::Fault;
use super::page::Query;
use super::progress;
use super::reply::Reply;
use super::state::State;

/// Steps after which everything stands still.
const STEPS_MAX: u32 = 20;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Advance {
    no: Option<String>,
    steps: u32,
    days: i64,
}

impl Default for Advance {
    fn default() -> Self {
        Self { no: None, steps: 1, days: 0 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewCharge {
    no: String,
    typ: String,
    #[serde(default)]
    nrc: i64,
    #[serde(default)]
    mrc: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAsset {
    no: String,
    sku: String,
    /// Whether the bookkeepers have blocked it.
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    art: Option<String>,
    #[serde(default)]
    site: Option<String>,
}

/// Does what a control asks.
pub(super) fn answer(state: &mut State, method: &str, path: &[&str], query: &Query, body: &[u8]) -> Reply {
    let done = match (method, path) {
        ("POST", ["advance"]) => read(body).and_then(|advance| advanced(state, &advance)),
        ("POST", ["faults"]) => read::<Fault>(body).map(|fault| {
            state.faults.arrange(fault);
            listed(state)
        }),
        ("GET", ["faults"]) => Ok(listed(state)),
        ("DELETE", ["faults"]) => {
            state.faults.clear();
            Ok(listed(state))
        }
        ("GET", ["journal"]) => Ok(journal(state, query)),
        ("DELETE", ["journal"]) => {
            state.journal.clear();
            Ok(journal(state, query))
        }
        ("POST", ["charges"]) => read(body).and_then(|new| charged(state, &new)),
        ("DELETE", ["charges", no]) if charge::take_back(state, no) => Ok(Reply::row(&json!({ "rc": 0 }))),
        ("DELETE", ["charges", _]) => Err("not open".to_owned()),
        ("POST", ["assets"]) => read(body).and_then(|new| installed(state, new)),
        ("GET", ["callbacks"]) => {
            let outbox = &state.outbox;
            let (waiting, taken, given_up) = (outbox.waiting(), outbox.taken, &outbox.given_up);
            Ok(Reply::row(&json!({ "waiting": waiting, "taken": taken, "givenUp": given_up })))
        }
        ("GET", ["assets"]) => Ok(Reply::row(&installed_base(state))),
        _ => Err("no such control".to_owned()),
    };
    done.unwrap_or_else(|t| Reply::with(400, &json!({ "t": t })))
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn advanced(state: &mut State, advance: &Advance) -> Result<Reply, String> {
    if !(0..=3650).contains(&advance.days) {
        return Err("days from 0 to 3650".to_owned());
    }
    progress::pass(state, advance.days);
    let mut steps = 0;
    while steps < advance.steps.min(STEPS_MAX) && progress::step(state, advance.no.as_deref()) {
        steps += 1;
    }
    Ok(Reply::row(&json!({ "steps": steps, "today": day::write(state.today) })))
}

fn listed(state: &State) -> Reply {
    Reply::row(&json!({ "faults": state.faults.all() }))
}

fn journal(state: &State, query: &Query) -> Reply {
    let fits = |entry: &&super::journal::Entry| {
        query.get("path").is_none_or(|path| entry.path.starts_with(path))
            && (query.get("made") != Some("J") || !entry.made.is_empty())
    };
    let entries: Vec<_> = state.journal.entries().filter(fits).collect();
    Reply::row(&json!({ "count": state.journal.count(), "entries": entries }))
}

fn charged(state: &mut State, new: &NewCharge) -> Result<Reply, String> {
    let kind = Kind::from_code(&new.typ).ok_or("no such kind of charge")?;
    let order = state.orders.find(&new.no).ok_or("no such order")?;
    if order.closed() {
        return Err("closed".to_owned());
    }
    let about = About {
        no: Some(order.no.clone()),
        pack_no: order.pack_no.clone(),
        line_no: Some(order.line_no),
        task: None,
    };
    let number = charge::announce(state, about, kind, new.nrc, new.mrc);
    Ok(Reply::row(&json!({ "rc": 0, "chgNo": number })))
}

/// Number and article of what is in use.
fn installed_base(state: &State) -> std::collections::BTreeMap<&str, Sku> {
    let in_use = state.assets.values().filter(|asset| asset.st != Use::Ended);
    in_use.map(|asset| (asset.asset_no.as_str(), asset.sku)).collect()
}

fn installed(state: &mut State, new: NewAsset) -> Result<Reply, String> {
    let sku = Sku::from_code(&new.sku).ok_or("no such article")?;
    let mut asset = Asset::before(&new.no, sku, new.art.as_deref(), new.site.as_deref(), state.today);
    if new.blocked {
        asset.st = Use::Blocked;
    }
    state.assets.insert(new.no, asset);
    Ok(Reply::row(&json!({ "rc": 0 })))
}
