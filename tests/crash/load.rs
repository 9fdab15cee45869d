//! Buyers: each asks, and asks again under the same key until it knows what came of it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    super::support::{self, CANCEL_QUOTE, ORDER, QUOTE},
    fleet::Fleet,
    plan::{Dice, Moment},
    say,
};

/// The header that names a request.
pub const KEY: &str = "x-idempotency-key";

/// What the keys of cancellations begin with.
pub const CANCEL: &str = "cancel-";

/// How often a request that is said to be still at work is sent again: its process is dead then, and what it made was
/// looked up meanwhile by the only other one, at its start.
const STILL_MAX: usize = 600;
/// The same of several instances, none of which knows at once that another one is dead, and of cancellations, which make
/// nothing that could be looked up.
const STILL_MAX_UNKNOWN: usize = 8;

/// What a Buyer knows of one entity.
#[derive(Debug, Clone)]
pub struct Known {
    /// `quote` or `productOrder`.
    pub kind: &'static str,
    /// The Buyer's own id.
    pub name: String,
    /// Its states with their times, as last read: nothing of it may ever change or go.
    pub history: Vec<(String, String)>,
    /// Whether its cancellation was acknowledged.
    pub is_cancelled: bool,
}

#[derive(Default)]
struct State {
    known: BTreeMap<String, Known>,
    /// Keys of requests of which nobody could say what came of them.
    unsure: Vec<String>,
    faults: Vec<String>,
}

/// What all Buyers know together.
#[derive(Clone)]
pub struct Buyers {
    state: Arc<Mutex<State>>,
    fleet: Fleet,
    still_max: usize,
    stop: Arc<AtomicBool>,
    count: Arc<AtomicU64>,
}

/// What came of a request.
enum Came {
    /// It was answered so.
    Answer(support::Answer),
    /// Nobody knows.
    Unsure,
}

impl Buyers {
    /// Buyers of instances that are alone with their store, or not.
    pub fn new(fleet: Fleet, is_alone: bool) -> Self {
        let still_max = if is_alone { STILL_MAX } else { STILL_MAX_UNKNOWN };
        Self { state: Arc::default(), fleet, still_max, stop: Arc::default(), count: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was acknowledged, by its Sonata id.
    pub fn known(&self) -> BTreeMap<String, Known> {
        self.lock().known.clone()
    }

    /// Keys of requests of which nobody could say what came of them.
    pub fn unsure(&self) -> Vec<String> {
        self.lock().unsure.clone()
    }

    /// What must not be, and was.
    pub fn faults(&self) -> Vec<String> {
        self.lock().faults.clone()
    }

    fn fault(&self, text: String) {
        self.lock().faults.push(text);
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// One Buyer, until it is told to stop: it ends what it has begun.
    pub async fn buy(self, mut dice: Dice) {
        while !self.is_over() {
            let number = self.count.fetch_add(1, Ordering::Relaxed);
            match dice.below(10) {
                0..=2 => self.order(&format!("order{number}"), 1 + dice.pick(3)).await,
                3 => self.quote(&format!("sync{number}"), false).await,
                4 | 5 => self.quote(&format!("poll{number}"), true).await,
                6 => self.quote(&format!("tell{number}"), true).await,
                7 => self.quote(&format!("expire{number}"), true).await,
                _ => {
                    let name = format!("wait{number}");
                    self.quote(&name, true).await;
                    tokio::time::sleep(Duration::from_millis(dice.below(200))).await;
                    self.cancel(&name).await;
                }
            }
            tokio::time::sleep(Duration::from_millis(dice.below(40))).await;
        }
    }

    /// Reads what was acknowledged, again and again.
    pub async fn look(self, mut dice: Dice) {
        while !self.is_over() {
            let id = {
                let state = self.lock();
                let count = state.known.len().max(1);
                state.known.keys().nth(dice.pick(count)).cloned()
            };
            if let Some(id) = id {
                self.read(&id).await;
            }
            tokio::time::sleep(Duration::from_millis(dice.below(30))).await;
        }
    }

    /// Has the files read again, again and again.
    pub async fn reload(self, mut dice: Dice) {
        while !self.is_over() {
            tokio::time::sleep(Duration::from_millis(300 + dice.below(500))).await;
            if let Some(to) = self.fleet.any() {
                self.fleet.hit(Moment::Reloaded);
                let _ = say(to.admin, "POST", "/reload", &[], String::new()).await;
            }
        }
    }

    pub async fn quote(&self, name: &str, is_deferred: bool) {
        let mut body = support::quote(name);
        if is_deferred {
            support::deferred(&mut body);
        }
        self.make("quote", QUOTE, name, &body).await;
    }

    async fn order(&self, name: &str, items: usize) {
        self.make("productOrder", ORDER, name, &support::order(name, items)).await;
    }

    async fn make(&self, kind: &'static str, path: &str, name: &str, body: &Value) {
        let Came::Answer(answer) = self.ask("POST", path, name, body).await else { return };
        if answer.status != 201 {
            return self.fault(format!("{name} is refused: {answer:?}"));
        }
        let read = answer.json();
        let id = read["id"].as_str().unwrap_or_default().to_owned();
        if read["externalId"] != name {
            self.fault(format!("{name} is answered as another: {answer:?}"));
        }
        let known = Known { kind, name: name.to_owned(), history: history(&read), is_cancelled: false };
        if self.lock().known.insert(id.clone(), known).is_some() {
            self.fault(format!("{name} has the id of another, {id}"));
        }
        // The same request again is answered as it was.
        if id.ends_with(['0', '1', '2', '3'])
            && let Came::Answer(again) = self.ask("POST", path, name, body).await
            && (again.status, &again.body) != (201, &answer.body)
        {
            self.fault(format!("{name} again is another answer: {answer:?}, then {again:?}"));
        }
    }

    pub async fn cancel(&self, name: &str) {
        let found = self.lock().known.iter().find(|(_, one)| one.name == name).map(|(id, _)| id.clone());
        let Some(id) = found else { return };
        let body = json!({ "quoteId": id, "reason": "not wanted" });
        let key = format!("{CANCEL}{name}");
        let Came::Answer(answer) = self.ask("POST", CANCEL_QUOTE, &key, &body).await else { return };
        if answer.status != 200 {
            return self.fault(format!("{key} is refused: {answer:?}"));
        }
        if let Some(known) = self.lock().known.get_mut(&id) {
            known.is_cancelled = true;
        }
    }

    /// Asks until it is known what came of it.
    async fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> Came {
        let mut still = 0;
        let still_max = if key.starts_with(CANCEL) { STILL_MAX_UNKNOWN } else { self.still_max };
        loop {
            let Some(to) = self.fleet.any() else {
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let headers = [support::JSON, (KEY, key)];
            let said = say(to.sonata, method, path, &headers, body.to_string()).await;
            let pause_ms = match said {
                Ok(answer) if answer.text().contains("still in progress") => {
                    still += 1;
                    200
                }
                // It may be tried again: nothing was done, or it is known what.
                Ok(answer) if answer.status >= 500 => {
                    still += 1;
                    100
                }
                Ok(answer) => {
                    self.fleet.hit(Moment::Answered);
                    return Came::Answer(answer);
                }
                Err(_) => 10,
            };
            if still >= still_max {
                self.lock().unsure.push(key.to_owned());
                return Came::Unsure;
            }
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
    }

    /// Reads an entity, and holds it against what was read before. Its document, where somebody served.
    pub async fn read(&self, id: &str) -> Option<Value> {
        let kind = self.lock().known.get(id)?.kind;
        let to = self.fleet.any()?;
        let path = format!("{}/{id}", if kind == "quote" { QUOTE } else { ORDER });
        let answer = say(to.sonata, "GET", &path, &[], String::new()).await.ok()?;
        if answer.status >= 500 {
            return None;
        }
        if answer.status != 200 {
            self.fault(format!("{kind} {id} was acknowledged and cannot be read: {answer:?}"));
            return None;
        }
        let read = answer.json();
        let now = history(&read);
        let mut state = self.lock();
        let known = state.known.get_mut(id)?;
        let (name, before) = (known.name.clone(), known.history.clone());
        if now.len() >= before.len() {
            known.history.clone_from(&now);
        }
        // Two readers may end in another order than they began: the longer history is the newer.
        let common = now.len().min(before.len());
        if now[..common] != before[..common] {
            state.faults.push(format!("the history of {name} was rewritten: {before:?}, then {now:?}"));
        }
        if read["externalId"] != *name {
            state.faults.push(format!("{name} is read as another: {read}"));
        }
        Some(read)
    }
}

/// The states of an entity and when it came to each.
pub fn history(read: &Value) -> Vec<(String, String)> {
    let text = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
    let steps = read["stateChange"].as_array().into_iter().flatten();
    steps.map(|step| (text(step, "state"), text(step, "changeDate"))).collect()
}
