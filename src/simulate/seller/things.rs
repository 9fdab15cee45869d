//! What a Seller keeps: things of all sorts, made, changed, and moved on.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::release::{Api, Release};
use super::kind::Kind;
use super::scenario::Step;
use super::{State, THINGS_MAX, effect, tell};

/// Something that is kept.
#[derive(Debug)]
pub(super) struct Thing {
    pub kind: &'static Kind,
    pub body: Value,
    /// Steps that it takes by itself.
    pub plan: VecDeque<Step>,
    /// When it takes the next one; none: when it is told to.
    pub due: Option<Instant>,
}

/// The key of a thing: its sort and its id.
pub(super) type Key = (&'static str, String);

/// A text of a body; empty where there is none.
pub(super) fn text<'v>(body: &'v Value, name: &str) -> &'v str {
    body.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The rows of an array; none where there is none.
pub(super) fn rows<'v>(body: &'v Value, name: &str) -> &'v [Value] {
    body.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The rows of an array, to be changed.
pub(super) fn rows_mut<'v>(body: &'v mut Value, name: &str) -> impl Iterator<Item = &'v mut Value> {
    body.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Adds a row to an array, which is made where there is none.
pub(super) fn push(body: &mut Value, name: &str, row: Value) {
    match body.get_mut(name).and_then(Value::as_array_mut) {
        Some(rows) => rows.push(row),
        None => body[name] = Value::Array(vec![row]),
    }
}

impl State {
    /// A new id.
    pub fn id(&mut self, of: &str) -> String {
        self.count += 1;
        format!("{of}-{:04}", self.count)
    }

    /// The time: the morning of its day, and a little later with each id that was given out.
    pub fn now(&self) -> String {
        let ms = i64::try_from(self.count % 3_000_000).unwrap_or_default();
        let morning = self.settings.today.at(10, 0, 0, 0);
        let now = morning.saturating_add(jiff::Span::new().milliseconds(ms));
        format!("{}Z", now.strftime("%Y-%m-%dT%H:%M:%S.%3f"))
    }

    /// So many days after its day.
    pub fn day(&self, days: i64) -> String {
        let day = self.settings.today.saturating_add(jiff::Span::new().days(days));
        format!("{day}T10:00:00.000Z")
    }

    /// Where something is.
    pub fn href(&self, kind: &Kind, id: &str) -> String {
        let release = self.settings.release;
        format!("{}{}/{}/{id}", self.address, release.base(kind.api), kind.segment(release))
    }

    /// Something that is kept.
    pub fn thing(&self, kind: &Kind, id: &str) -> Option<&Value> {
        self.things.get(&(kind.name, id.to_owned())).map(|thing| &thing.body)
    }

    /// The same, to be changed.
    pub fn thing_mut(&mut self, kind: &Kind, id: &str) -> Option<&mut Value> {
        self.things.get_mut(&(kind.name, id.to_owned())).map(|thing| &mut thing.body)
    }

    /// All of a sort, in the order in which they were made.
    pub fn all(&self, kind: &'static Kind) -> impl Iterator<Item = &Value> {
        self.things.values().filter(move |thing| thing.kind.name == kind.name).map(|thing| &thing.body)
    }

    /// Keeps something new: with an id, a state and what it goes through. Gives its id. Nobody is told of a state that the
    /// answer tells, but of that it was made.
    pub fn make(&mut self, kind: &'static Kind, mut body: Value, is_at_once: bool) -> String {
        let release = self.settings.release;
        let id = match text(&body, "id") {
            "" => self.id(kind.short),
            own => own.to_owned(),
        };
        body["id"] = json!(id);
        if kind.api != Api::Address {
            body["href"] = json!(self.href(kind, &id));
        }
        let (mut first, mut plan) = self.plan(kind, &body);
        if is_at_once && let Some(last) = plan.pop_back() {
            first = last;
            plan.clear();
        }
        if kind.is_dated(release) && text(&body, kind.made).is_empty() {
            body[kind.made] = json!(self.now());
        }
        let due = self.due(&plan);
        let key: Key = (kind.name, id.clone());
        if self.things.len() >= THINGS_MAX {
            self.things.shift_remove_index(0);
        }
        self.things.insert(key, Thing { kind, body, plan, due });
        if !first.state.is_empty() {
            let stays = self.thing(kind, &id).map(|body| text(body, kind.attribute).to_owned());
            let first = match stays {
                // What is in stock stands where the scenario says.
                Some(state) if !state.is_empty() => Step { state, ..Step::default() },
                _ => first,
            };
            self.enter(kind, &id, &first);
        }
        let event = kind.create_event(release);
        if !event.is_empty() {
            tell::thing(self, kind, event, &id, None);
        }
        id
    }

    /// Where something begins and what it goes through.
    fn plan(&self, kind: &Kind, body: &Value) -> (Step, VecDeque<Step>) {
        let of_state = |state: &&str| Step { state: (*state).to_owned(), ..Step::default() };
        let walk = kind.walk(self.settings.release);
        let first = walk.first().map(of_state).unwrap_or_default();
        let own = self
            .settings
            .scenario
            .walks
            .iter()
            .find(|own| own.of.0.name == kind.name && own.when.meets(body));
        let mut plan: VecDeque<Step> = match own {
            Some(own) => own.steps.iter().cloned().collect(),
            None => walk.iter().skip(1).map(of_state).collect(),
        };
        match own {
            Some(own) if own.at_once => (plan.pop_back().unwrap_or(first), VecDeque::new()),
            _ => (first, plan),
        }
    }

    fn due(&self, plan: &VecDeque<Step>) -> Option<Instant> {
        let ms = plan.front()?.after_ms.or(self.settings.step_ms)?;
        Some(Instant::now() + Duration::from_millis(ms))
    }

    /// Gives something another way to go.
    pub fn walk(&mut self, kind: &Kind, id: &str, states: &[&str]) {
        let plan: VecDeque<Step> =
            states.iter().map(|state| Step { state: (*state).to_owned(), ..Step::default() }).collect();
        let due = self.due(&plan);
        if let Some(thing) = self.things.get_mut(&(kind.name, id.to_owned())) {
            (thing.plan, thing.due) = (plan, due);
        }
    }

    /// Something gets into a state, and everybody who wants to be is told.
    pub fn change(&mut self, kind: &'static Kind, id: &str, step: &Step) {
        let moved = self.enter(kind, id, step);
        let release = self.settings.release;
        tell::thing(self, kind, kind.state_event(release), id, None);
        let [_, _, event, _] = kind.events;
        for item in moved {
            tell::thing(self, kind, event, id, Some(&item));
        }
        effect::after(self, kind, id);
    }

    /// The same, into a state alone.
    pub fn change_to(&mut self, kind: &'static Kind, id: &str, state: &str) {
        self.change(kind, id, &Step { state: state.to_owned(), ..Step::default() });
    }

    /// Something gets into a state; the ids of its items that get into another one.
    fn enter(&mut self, kind: &'static Kind, id: &str, step: &Step) -> Vec<String> {
        let (at, release) = (self.now(), self.settings.release);
        let mut state = step.state.clone();
        let Some(thing) = self.thing_mut(kind, id) else { return Vec::new() };
        if state == "approved.orderable" && text(thing, "buyerRequestedQuoteLevel") == "budgetary" {
            "answered".clone_into(&mut state);
        }
        thing[kind.attribute] = json!(state);
        if !kind.history.is_empty() {
            push(thing, kind.history, json!({ (kind.attribute): state, "changeDate": at }));
        }
        let moved = items(thing, (kind, release), &state, (step, &at));
        effect::before(self, kind, id);
        moved
    }

    /// Takes the next step of everything, or of what is due by now.
    pub fn step(&mut self, now: Option<Instant>) {
        let is_due = |thing: &Thing| match now {
            None => !thing.plan.is_empty(),
            Some(now) => thing.due.is_some_and(|due| due <= now),
        };
        let moving: Vec<Key> =
            self.things.iter().filter(|(_, thing)| is_due(thing)).map(|(key, _)| key.clone()).collect();
        for key in moving {
            self.step_one(&key);
        }
    }

    /// Takes the next step of one thing.
    pub fn step_one(&mut self, key: &Key) {
        let Some(thing) = self.things.get_mut(key) else { return };
        let (kind, next) = (thing.kind, thing.plan.pop_front());
        let rest = thing.plan.clone();
        let due = self.due(&rest);
        if let Some(thing) = self.things.get_mut(key) {
            thing.due = due;
        }
        if let Some(next) = next {
            self.change(kind, &key.1, &next);
        }
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Instant> {
        self.things.values().filter_map(|thing| thing.due).min()
    }
}

/// The items of a thing that gets into a state get into theirs; gives those that get into another one.
fn items(
    thing: &mut Value,
    (kind, release): (&Kind, Release),
    state: &str,
    (step, at): (&Step, &str),
) -> Vec<String> {
    let mut moved = Vec::new();
    let of_all = kind.of_items(state);
    for item in rows_mut(thing, kind.items) {
        let own = text(item, "id").to_owned();
        let Some(next) = step.items.get(&own).map(String::as_str).or(of_all) else { continue };
        if text(item, "state") == next {
            continue;
        }
        item["state"] = json!(next);
        if kind.items_have_history(release) {
            push(item, "stateChange", json!({ "state": next, "changeDate": at }));
        }
        moved.push(own);
    }
    moved
}
