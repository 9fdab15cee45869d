//! A Buyer of any release: it has an address validated, qualifies, asks for a quote, orders, follows the order, finds what it
//! bought, opens a ticket and closes it, each as far as its [scenario](Scenario) has it. What happens meanwhile it is told by
//! events, and looks at something only when told that it changed; or it polls.
//!
//! A Seller that is away is asked again, until the Buyer's patience is over. A request that makes something is sent again
//! only where no connection came to be, because nobody can have received it then.

mod http;
mod messages;
mod play;
pub mod scenario;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

use super::listener;
use super::release::Api;
pub use super::release::Release;
use super::script;
use http::Client;
pub use play::play;
pub use scenario::Scenario;
use scenario::{Follow, Step};

/// What a Seller answers that has no hub.
const NOT_IMPLEMENTED: u16 = 501;

/// How a Buyer is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the Seller is: the base of its addresses, such as `http://127.0.0.1:8080`.
    pub seller: String,
    /// What it shows with each request (`Authorization: Bearer`), if anything.
    pub token: Option<String>,
    /// Where it listens for events itself; port 0 takes any.
    pub listener: SocketAddr,
    /// Today; what it wishes lies after it.
    pub today: Date,
    /// How long it waits for anything, in milliseconds.
    pub patience_ms: u64,
    /// What it speaks.
    pub release: Release,
    /// What it does otherwise than usual, and what it expects.
    pub scenario: Scenario,
}

impl Settings {
    /// Of grace, with ten minutes of patience, and nothing otherwise than usual.
    #[must_use]
    pub fn new(seller: String, listener: SocketAddr, today: Date) -> Self {
        let (release, scenario) = (Release::GRACE, Scenario::default());
        Self { seller, token: None, listener, today, patience_ms: 600_000, release, scenario }
    }
}

/// An event as it came in.
#[derive(Debug, Clone)]
pub struct Event {
    /// Where it was sent.
    pub path: String,
    /// Its message.
    pub message: Value,
}

impl Event {
    /// One text of the message; empty where it is not there.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.message.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }
}

#[derive(Debug, Default)]
struct Heard {
    events: Mutex<Vec<Event>>,
    rung: Notify,
}

/// A Buyer that listens.
#[derive(Debug)]
pub struct Buyer {
    client: Client,
    heard: Arc<Heard>,
    listener: listener::Running,
    today: Date,
    patience: Duration,
    release: Release,
    scenario: Scenario,
    /// Whether it asks for what it follows.
    polls: AtomicBool,
}

/// What went otherwise than a Buyer expects.
#[derive(Debug)]
pub struct Unexpected {
    /// In words.
    pub said: String,
    /// Status and body, where the Seller refused.
    pub answer: Option<(u16, Value)>,
}

impl Unexpected {
    fn of(said: String) -> Self {
        Self { said, answer: None }
    }

    /// Whether the Seller has no such thing as what was asked of it.
    fn is_not_implemented(&self) -> bool {
        self.answer.as_ref().is_some_and(|(status, _)| *status == NOT_IMPLEMENTED)
    }
}

impl std::fmt::Display for Unexpected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Unexpected {}

/// What a step of the play comes to.
pub type Done<T> = Result<T, Unexpected>;

/// Starts a Buyer's listener.
///
/// # Errors
/// Those of binding to its address.
pub async fn start(settings: &Settings) -> std::io::Result<Buyer> {
    let heard = Arc::new(Heard::default());
    let own = Arc::clone(&heard);
    let take: listener::Heard = Arc::new(move |path, message| {
        let message = serde_json::from_str(message).unwrap_or_default();
        own.lock().push(Event { path: path.to_owned(), message });
        own.rung.notify_waiters();
    });
    let patience = Duration::from_millis(settings.patience_ms);
    Ok(Buyer {
        client: Client::new(&settings.seller, settings.token.clone(), patience),
        listener: listener::start(settings.listener, take).await?,
        heard,
        today: settings.today,
        patience,
        release: settings.release,
        scenario: settings.scenario.clone(),
        polls: AtomicBool::new(settings.scenario.follow == Follow::Polling),
    })
}

impl Heard {
    // Events are pushed whole, so a poison says nothing.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buyer {
    /// Events so far, in the order in which they came.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.heard.lock().clone()
    }

    fn polls(&self) -> bool {
        self.polls.load(Ordering::Relaxed)
    }

    /// Where something of a function is.
    fn path(&self, api: Api, resource: &str) -> String {
        format!("{}/{resource}", self.release.base(api))
    }

    /// A message as the scenario has it.
    fn message(&self, step: Step, mut message: Value) -> Value {
        for (place, value) in self.scenario.send.get(&step).into_iter().flat_map(script::When::places) {
            script::put(&mut message, place, value);
        }
        message
    }

    /// Holds what came back at last against what the scenario expects.
    fn checked(&self, step: Step, found: Value) -> Done<Value> {
        for (place, wanted) in self.scenario.expect.get(&step).into_iter().flat_map(script::When::places) {
            let own = found.pointer(place).unwrap_or(&Value::Null);
            if own != wanted {
                return Err(Unexpected::of(format!("{place} is {own}, not {wanted}: {found}")));
            }
        }
        Ok(found)
    }

    /// The state that it waits for.
    fn until(&self, step: Step, usual: &str) -> String {
        self.scenario.until.get(&step).cloned().unwrap_or_else(|| usual.to_owned())
    }

    /// Registers its listener at every hub; gives where each registration is. None where it polls.
    ///
    /// # Errors
    /// The Seller does not take it.
    pub async fn register(&self) -> Done<Vec<String>> {
        let callback = format!("http://{}/buyer", self.listener.local_addr);
        let mut registrations = Vec::new();
        if self.polls() {
            return Ok(registrations);
        }
        for api in [Api::Poq, Api::Quote, Api::Order, Api::Ticket] {
            let hub = self.path(api, "hub");
            match self.client.make(&hub, &json!({ "callback": callback })).await {
                Ok(made) => registrations.push(format!("{hub}/{}", text(&made, "id"))),
                Err(error) if error.is_not_implemented() => {
                    self.polls.store(true, Ordering::Relaxed);
                    return Ok(Vec::new());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(registrations)
    }

    /// Takes registrations back.
    ///
    /// # Errors
    /// The Seller does not have one.
    pub async fn unregister(&self, registrations: &[String]) -> Done<()> {
        for registration in registrations {
            self.client.delete(registration).await?;
        }
        Ok(())
    }

    /// Has the address validated at which it wants something; gives the address as the Seller has it.
    ///
    /// # Errors
    /// The Seller does not know it.
    pub async fn validate(&self) -> Done<Value> {
        let message = self.message(Step::Address, messages::address(self.release));
        let path = self.path(Api::Address, "geographicAddressValidation");
        let answer = self.checked(Step::Address, self.client.make(&path, &message).await?)?;
        match answer.get("bestMatchGeographicAddress") {
            Some(best) => Ok(best.clone()),
            None => Err(Unexpected::of(format!("no such address: {answer}"))),
        }
    }

    /// Asks whether what it wants can be had; gives the id of the qualification.
    ///
    /// # Errors
    /// It cannot.
    pub async fn qualify(&self) -> Done<String> {
        let message = messages::qualification((self.release, &self.scenario));
        let path = self.path(Api::Poq, "productOfferingQualification");
        let made = self.client.make(&path, &self.message(Step::Qualification, message)).await?;
        let ready =
            self.until(Step::Qualification, if self.release.is_new() { "done" } else { "done.ready" });
        let id = text(&made, "id").to_owned();
        let answer = if text(&made, "state") == ready {
            made
        } else {
            self.told((&path, &id, 0), "state", &[&ready]).await?
        };
        self.checked(Step::Qualification, answer)?;
        Ok(id)
    }

    /// Asks for a quote that may take its time; gives its id. Without a qualification where that is empty.
    ///
    /// # Errors
    /// The Seller refuses.
    pub async fn ask_quote(&self, qualification: &str) -> Done<String> {
        let message = messages::quote((self.release, &self.scenario), qualification, self.today);
        let path = self.path(Api::Quote, "quote");
        let made = self.client.make(&path, &self.message(Step::Quote, message)).await?;
        Ok(text(&made, "id").to_owned())
    }

    /// Waits to be told that the quote is there; gives it.
    ///
    /// # Errors
    /// It is not, or not within the Buyer's patience, or not as expected.
    pub async fn quoted(&self, id: &str) -> Done<Value> {
        let until = self.until(Step::Quote, "approved.orderable");
        let quote = self.followed((Api::Quote, "quote", id), "state", &[&until]).await?;
        self.checked(Step::Quote, quote)
    }

    /// Orders what was quoted, or what it wants where the quote's id is empty; gives the order's id.
    ///
    /// # Errors
    /// The Seller refuses.
    pub async fn order(&self, quote: &str) -> Done<String> {
        let message = messages::order((self.release, &self.scenario), quote, self.today);
        let path = self.path(Api::Order, "productOrder");
        let made = self.client.make(&path, &self.message(Step::Order, message)).await?;
        Ok(text(&made, "id").to_owned())
    }

    /// Waits to be told that everything is done; gives the order.
    ///
    /// # Errors
    /// It is not, or not within the Buyer's patience, or not as expected.
    pub async fn ordered(&self, id: &str) -> Done<Value> {
        let until = self.until(Step::Order, "completed");
        let order = self.followed((Api::Order, "productOrder", id), "state", &[&until]).await?;
        self.checked(Step::Order, order)
    }

    /// Waits to be told of the order at all; gives it as it is then.
    ///
    /// # Errors
    /// It is not told within the Buyer's patience.
    pub async fn begun(&self, id: &str) -> Done<Value> {
        let until = self.until(Step::Order, "completed");
        self.followed((Api::Order, "productOrder", id), "state", &["inProgress", &until]).await
    }

    /// Finds what the order has built; gives the products, active all of them.
    ///
    /// # Errors
    /// One is not there or not active, or not as expected.
    pub async fn products(&self, order: &str) -> Done<Vec<Value>> {
        let path = self.path(Api::Inventory, "product");
        let list = self.client.get(&format!("{path}?productOrderId={order}")).await?;
        let mut products = Vec::new();
        for row in list.as_array().into_iter().flatten() {
            let product = self.client.get(&format!("{path}/{}", text(row, "id"))).await?;
            if text(&product, "status") != "active" {
                return Err(Unexpected::of(format!("not active: {product}")));
            }
            products.push(self.checked(Step::Products, product)?);
        }
        if products.len() == messages::count(&self.scenario) {
            Ok(products)
        } else {
            Err(Unexpected::of(format!("not what was ordered: {list}")))
        }
    }

    /// Opens a ticket on a product; gives its id.
    ///
    /// # Errors
    /// The Seller refuses.
    pub async fn open_ticket(&self, product: &str) -> Done<String> {
        let message = self.message(Step::Ticket, messages::ticket(self.release, product));
        let made = self.client.make(&self.path(Api::Ticket, "troubleTicket"), &message).await?;
        Ok(text(&made, "id").to_owned())
    }

    /// Waits to be told that somebody has mended it.
    ///
    /// # Errors
    /// Nobody has within the Buyer's patience, or it is not as expected.
    pub async fn resolved(&self, ticket: &str) -> Done<Value> {
        let until = self.until(Step::Ticket, "resolved");
        let found = self.followed((Api::Ticket, "troubleTicket", ticket), "status", &[&until]).await?;
        self.checked(Step::Ticket, found)
    }

    /// Closes the ticket, and waits to be told that it is closed.
    ///
    /// # Errors
    /// The Seller refuses, or does not tell.
    pub async fn close_ticket(&self, ticket: &str) -> Done<Value> {
        let (before, path) = (self.count(ticket), self.path(Api::Ticket, "troubleTicket"));
        self.client.change(&format!("{path}/{ticket}/close")).await?;
        self.told((&path, ticket, before), "status", &["closed"]).await
    }

    /// How many events came about something.
    fn count(&self, id: &str) -> usize {
        self.heard.lock().iter().filter(|event| event.text("/event/id") == id).count()
    }

    /// Follows something from its beginning until it is in one of these states.
    async fn followed(
        &self,
        (api, resource, id): (Api, &str, &str),
        attribute: &str,
        states: &[&str],
    ) -> Done<Value> {
        self.told((&self.path(api, resource), id, 0), attribute, states).await
    }

    /// Looks at something each time that it is told that it changed, after so many events, or time and again where it
    /// polls, until it is in one of these states.
    async fn told(
        &self,
        (path, id, mut told): (&str, &str, usize),
        attribute: &str,
        states: &[&str],
    ) -> Done<Value> {
        let deadline = Instant::now() + self.patience;
        let polls = self.polls();
        let mut last = Value::Null;
        loop {
            let rung = self.heard.rung.notified();
            let count = self.count(id);
            if polls || count > told {
                told = count;
                last = self.client.get(&format!("{path}/{id}")).await?;
                if states.contains(&text(&last, attribute)) {
                    return Ok(last);
                }
                if !polls {
                    continue;
                }
            }
            let is_over = if polls {
                sleep(Duration::from_millis(self.scenario.poll_ms)).await;
                Instant::now() >= deadline
            } else {
                timeout_at(deadline, rung).await.is_err()
            };
            if is_over {
                return Err(Unexpected::of(format!("not in time: {path}/{id} is to be {states:?}: {last}")));
            }
        }
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
