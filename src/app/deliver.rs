//! Deliveries: events on their way to the listeners of partners.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use http::Uri;
use tokio::{sync::watch, time::MissedTickBehavior};

use super::workers::{Handler, LEASE_MARGIN_MS};
use crate::{
    exchange::{
        Gateway,
        bridge::{Letter, letter},
    },
    notify::{self, Age, Courier, Message, Next, Outcome, Settings, Subscription, Subscriptions},
    plan::PartnerPlan,
    store::{Batch, Change, Conflict, Lease, Queue, StoreError, Task},
    telemetry::metrics::Metrics,
};

/// Deliveries at one time, to all listeners together.
const AT_ONCE_MAX: usize = 256;

/// How often waiting and dead events are counted, in seconds.
const COUNT_EVERY_S: u64 = 15;

/// Delivers events.
pub struct Deliveries {
    gateway: Arc<Gateway>,
    courier: Courier,
    /// How long a delivery is lent, in milliseconds, and for which generation of the plan that holds.
    lease_ms: Mutex<(u64, i64)>,
}

/// Where an event goes.
struct Destination {
    partner: Arc<PartnerPlan>,
    settings: Arc<Settings>,
    subscription: Subscription,
}

/// Why an event goes nowhere.
enum Nowhere {
    /// Nobody wants it any more.
    Unsubscribed,
    /// It waits: nothing can be said now.
    Later(String),
}

impl Deliveries {
    /// Deliveries of a gateway.
    pub fn new(gateway: Arc<Gateway>) -> Self {
        Self { gateway, courier: Courier::default(), lease_ms: Mutex::default() }
    }

    async fn destination(&self, task: &Task, message: &Message) -> Result<Destination, Nowhere> {
        let plan = self.gateway.plan.load();
        let partner = plan.partner(task.partner.as_str());
        let partner = partner.ok_or_else(|| Nowhere::Later("the partner is not configured".to_owned()))?;
        let function = message.facts.function;
        let settings = partner.notifications().filter(|settings| settings.tells(function));
        let settings =
            settings.ok_or_else(|| Nowhere::Later("the partner is not told of this function".to_owned()))?;
        let all = Subscriptions::load(&self.gateway.store, &task.partner, function).await;
        let all = all.map_err(|error| Nowhere::Later(error.to_string()))?;
        let subscription = all.list.into_iter().find(|one| one.id == message.subscription);
        Ok(Destination {
            partner: Arc::clone(partner),
            settings: Arc::clone(settings),
            subscription: subscription.ok_or(Nowhere::Unsubscribed)?,
        })
    }

    async fn attempt(&self, task: &Task, message: &Message, to: &Destination) -> Outcome {
        let callback = match notify::callback(&to.subscription.callback) {
            Ok(callback) => callback,
            Err(why) => return Outcome::Never { why },
        };
        let now = self.gateway.ports.clock.now();
        let Letter { path, body } = match letter(&self.gateway.plan.load(), &to.partner, message, now) {
            Ok(letter) => letter,
            Err(why) => return Outcome::Never { why },
        };
        self.courier.send(&to.settings, task.partner.as_str(), (&callback, &path), body).await
    }

    async fn deliver(&self, lease: Lease, task: &Task) {
        let began = tokio::time::Instant::now();
        let metrics = &self.gateway.metrics;
        let Some(message) = Message::read(&task.payload) else {
            let bury = self.bury(lease, "it is no event that this version knows".to_owned());
            return self.end(task, bury).await;
        };
        let to = match self.destination(task, &message).await {
            Ok(to) => Ok(to),
            Err(Nowhere::Unsubscribed) => {
                metrics.delivery("unsubscribed", Duration::ZERO);
                told(task, &message, "unsubscribed", "", "");
                return self.end(task, Change::Settle { lease }).await;
            }
            Err(Nowhere::Later(why)) => Err(Outcome::Later { why }),
        };
        let retry_ms_max = to.as_ref().map_or(i64::MAX / 4, |to| to.settings.retry_ms_max);
        let host = to.as_ref().map(|to| host(&to.subscription.callback)).unwrap_or_default();
        let outcome = match to {
            Ok(to) => self.attempt(task, &message, &to).await,
            Err(outcome) => outcome,
        };
        metrics.delivery(outcome.as_str(), began.elapsed());
        let now_ms = self.now_ms();
        let (made_ms, attempts) = (task.made_ms, task.attempts);
        let age = Age { made_ms, now_ms, attempts, retry_ms_max, chance: self.chance() };
        let change = match age.next(outcome) {
            None => {
                told(task, &message, "delivered", &host, "");
                Change::Settle { lease }
            }
            Some(Next::Wait { due_ms, why }) => Change::Postpone { lease, due_ms, note: Some(why) },
            Some(Next::Bury { why }) => {
                metrics.delivery("dead", Duration::ZERO);
                told(task, &message, "dead", &host, &why);
                self.bury(lease, why)
            }
        };
        self.end(task, change).await;
    }

    fn bury(&self, lease: Lease, note: String) -> Change {
        Change::Bury { lease, note, at_ms: self.now_ms() }
    }

    async fn end(&self, task: &Task, change: Change) {
        let batch = Batch::new(task.partner.clone()).with(change);
        match self.gateway.store.commit(batch).await {
            // Somebody else has it, or it was given up.
            Ok(()) | Err(StoreError::Conflict(Conflict::Lease)) => {}
            Err(error) => {
                tracing::warn!(task = task.id.as_str(), %error, "a delivery is done again: its end could not be kept");
            }
        }
    }

    fn now_ms(&self) -> i64 {
        self.gateway.ports.clock.now().as_millisecond()
    }

    /// Of the random part of an id.
    fn chance(&self) -> f64 {
        let [.., low] = self.gateway.ports.ids.next().into_bytes();
        f64::from(low) / 255.0
    }

    /// Counts what waits and what is dead, and forgets what is not used, until `stopped` says so.
    pub async fn watch(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut tick = tokio::time::interval(Duration::from_secs(COUNT_EVERY_S));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                _ = tick.tick() => {}
            }
            self.count(&self.gateway.metrics).await;
            self.courier.forget();
        }
    }

    async fn count(&self, metrics: &Metrics) {
        let (mut waiting, mut dead) = (0u64, 0u64);
        let plan = self.gateway.plan.load();
        for partner in plan.partners().filter(|partner| partner.notifications().is_some()) {
            for (is_dead, sum) in [(false, &mut waiting), (true, &mut dead)] {
                let page = self.gateway.store.tasks(partner.id(), Queue::Delivery, is_dead, (0, 0)).await;
                *sum = sum.saturating_add(page.map_or(0, |page| page.total));
            }
        }
        metrics.deliveries(waiting, dead, self.courier.open());
    }
}

impl Handler for Deliveries {
    fn queue(&self) -> Queue {
        Queue::Delivery
    }

    fn at_once_max(&self) -> usize {
        AT_ONCE_MAX
    }

    /// Longer than any listener may take for its answer.
    fn lease_ms(&self) -> i64 {
        let plan = self.gateway.plan.load();
        let mut known = self.lease_ms.lock().unwrap_or_else(PoisonError::into_inner);
        if known.1 == 0 || known.0 != plan.generation() {
            let answers = plan.partners().filter_map(|partner| Some(partner.notifications()?.answer_ms_max));
            let longest = i64::try_from(answers.max().unwrap_or_default()).unwrap_or(i64::MAX);
            *known = (plan.generation(), longest.saturating_add(LEASE_MARGIN_MS));
        }
        known.1
    }

    fn run(&self, lease: Lease, task: Task) -> BoxFuture<'_, ()> {
        Box::pin(async move { self.deliver(lease, &task).await })
    }
}

/// Host and port of a callback; its path may name what is nobody else's business.
fn host(callback: &str) -> String {
    callback.parse::<Uri>().ok().and_then(|uri| Some(uri.authority()?.to_string())).unwrap_or_default()
}

/// One line for each event that comes to its end.
fn told(task: &Task, message: &Message, outcome: &'static str, host: &str, why: &str) {
    let (partner, entity) = (task.partner.as_str(), task.subject.as_ref().map(|(_, id)| id.as_str()));
    let (event, event_type) = (message.event_id.as_str(), message.facts.event_type);
    let attempts = task.attempts.saturating_add(1);
    if outcome == "dead" {
        tracing::warn!(partner, event, event_type, entity, outcome, host, attempts, why, "event");
    } else {
        tracing::info!(partner, event, event_type, entity, outcome, host, attempts, "event");
    }
}
