//! A Buyer of the demonstration: it has an address validated, qualifies, asks for a quote, orders two things, follows the
//! order, finds what it bought, opens a ticket and closes it. What happens meanwhile it is told by events: it looks at
//! something only when told that it changed.
//!
//! A Seller that is away is asked again, until the Buyer's patience is over. A request that makes something is sent again
//! only where no connection came to be, because nobody can have received it then.

mod http;
mod messages;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::listener;
use http::Client;

const ADDRESS: &str = "/mefApi/sonata/geographicAddressManagement/v7/geographicAddressValidation";
const QUALIFICATION: &str = "/mefApi/sonata/productOfferingQualification/v7/productOfferingQualification";
const QUOTE: &str = "/mefApi/sonata/quoteManagement/v8/quote";
const ORDER: &str = "/mefApi/sonata/productOrderingManagement/v10/productOrder";
const PRODUCT: &str = "/mefApi/sonata/productInventory/v7/product";
const TICKET: &str = "/mefApi/sonata/troubleTicket/v4/troubleTicket";

/// Hubs at which it registers.
const HUBS: [&str; 4] = [
    "/mefApi/sonata/productOfferingQualification/v7/hub",
    "/mefApi/sonata/quoteManagement/v8/hub",
    "/mefApi/sonata/productOrderingManagement/v10/hub",
    "/mefApi/sonata/troubleTicket/v4/hub",
];

/// How a Buyer is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the Seller is: the base of its addresses, such as `http://127.0.0.1:8080`.
    pub seller: String,
    /// Where it listens for events itself; port 0 takes any.
    pub listener: SocketAddr,
    /// Today; what it wishes lies after it.
    pub today: Date,
    /// How long it waits for anything, in milliseconds.
    pub patience_ms: u64,
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
}

/// What went otherwise than a Buyer expects, in words.
#[derive(Debug)]
pub struct Unexpected(pub String);

impl std::fmt::Display for Unexpected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
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
        client: Client::new(&settings.seller, patience),
        listener: listener::start(settings.listener, take).await?,
        heard,
        today: settings.today,
        patience,
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

    /// Registers its listener at every hub; gives where each registration is.
    ///
    /// # Errors
    /// The Seller does not take it.
    pub async fn register(&self) -> Done<Vec<String>> {
        let callback = format!("http://{}/buyer", self.listener.local_addr);
        let mut registrations = Vec::new();
        for hub in HUBS {
            let made = self.client.make(hub, &serde_json::json!({ "callback": callback })).await?;
            registrations.push(format!("{hub}/{}", text(&made, "id")));
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
        let answer = self.client.make(ADDRESS, &messages::address()).await?;
        match answer.get("bestMatchGeographicAddress") {
            Some(best) => Ok(best.clone()),
            None => Err(Unexpected(format!("no such address: {answer}"))),
        }
    }

    /// Asks whether a port and a line to it can be had; gives the id of the qualification.
    ///
    /// # Errors
    /// They cannot.
    pub async fn qualify(&self) -> Done<String> {
        let answer = self.client.make(QUALIFICATION, &messages::qualification()).await?;
        match text(&answer, "state") {
            "done.ready" => Ok(text(&answer, "id").to_owned()),
            _ => Err(Unexpected(format!("not to be had: {answer}"))),
        }
    }

    /// Asks for a quote that may take its time; gives its id.
    ///
    /// # Errors
    /// The Seller refuses.
    pub async fn ask_quote(&self, qualification: &str) -> Done<String> {
        let message = messages::quote(qualification, self.today);
        Ok(text(&self.client.make(QUOTE, &message).await?, "id").to_owned())
    }

    /// Waits to be told that the quote is there; gives it.
    ///
    /// # Errors
    /// It is not, or not within the Buyer's patience.
    pub async fn quoted(&self, id: &str) -> Done<Value> {
        self.told((QUOTE, id, 0), "state", &["approved.orderable"]).await
    }

    /// Orders both things on the quote; gives the order's id.
    ///
    /// # Errors
    /// The Seller refuses.
    pub async fn order(&self, quote: &str) -> Done<String> {
        Ok(text(&self.client.make(ORDER, &messages::order(quote, self.today)).await?, "id").to_owned())
    }

    /// Waits to be told that everything is done; gives the order.
    ///
    /// # Errors
    /// It is not, or not within the Buyer's patience.
    pub async fn ordered(&self, id: &str) -> Done<Value> {
        self.told((ORDER, id, 0), "state", &["completed"]).await
    }

    /// Waits to be told of the order at all; gives it as it is then.
    ///
    /// # Errors
    /// It is not told within the Buyer's patience.
    pub async fn begun(&self, id: &str) -> Done<Value> {
        self.told((ORDER, id, 0), "state", &["inProgress", "completed"]).await
    }

    /// Finds what the order has built; gives the products, active all of them.
    ///
    /// # Errors
    /// One is not there or not active.
    pub async fn products(&self, order: &str) -> Done<Vec<Value>> {
        let list = self.client.get(&format!("{PRODUCT}?productOrderId={order}")).await?;
        let mut products = Vec::new();
        for row in list.as_array().into_iter().flatten() {
            let product = self.client.get(&format!("{PRODUCT}/{}", text(row, "id"))).await?;
            if text(&product, "status") != "active" {
                return Err(Unexpected(format!("not active: {product}")));
            }
            products.push(product);
        }
        if products.len() == messages::ITEMS {
            Ok(products)
        } else {
            Err(Unexpected(format!("not what was ordered: {list}")))
        }
    }

    /// Opens a ticket on a product; gives its id.
    ///
    /// # Errors
    /// The Seller refuses.
    pub async fn open_ticket(&self, product: &str) -> Done<String> {
        Ok(text(&self.client.make(TICKET, &messages::ticket(product)).await?, "id").to_owned())
    }

    /// Waits to be told that somebody has mended it.
    ///
    /// # Errors
    /// Nobody has within the Buyer's patience.
    pub async fn resolved(&self, ticket: &str) -> Done<Value> {
        self.told((TICKET, ticket, 0), "status", &["resolved"]).await
    }

    /// Closes the ticket, and waits to be told that it is closed.
    ///
    /// # Errors
    /// The Seller refuses, or does not tell.
    pub async fn close_ticket(&self, ticket: &str) -> Done<Value> {
        let before = self.count(ticket);
        self.client.change(&format!("{TICKET}/{ticket}/close")).await?;
        self.told((TICKET, ticket, before), "status", &["closed"]).await
    }

    /// How many events came about something.
    fn count(&self, id: &str) -> usize {
        self.heard.lock().iter().filter(|event| event.text("/event/id") == id).count()
    }

    /// Looks at something each time that it is told that it changed, after so many events, until it is in one of these
    /// states.
    async fn told(
        &self,
        (path, id, mut told): (&str, &str, usize),
        attribute: &str,
        states: &[&str],
    ) -> Done<Value> {
        let deadline = Instant::now() + self.patience;
        let mut last = Value::Null;
        loop {
            let rung = self.heard.rung.notified();
            let count = self.count(id);
            if count > told {
                told = count;
                last = self.client.get(&format!("{path}/{id}")).await?;
                if states.contains(&text(&last, attribute)) {
                    return Ok(last);
                }
                continue;
            }
            if timeout_at(deadline, rung).await.is_err() {
                return Err(Unexpected(format!("not told in time that {path}/{id} is {states:?}: {last}")));
            }
        }
    }
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Plays the whole life once, and says what happened.
///
/// # Errors
/// The first thing that went otherwise.
pub async fn play(buyer: &Buyer, say: impl Fn(&str)) -> Done<()> {
    let registrations = buyer.register().await?;
    say(&format!("registered: events come to http://{}/buyer", buyer.listener.local_addr));
    let address = buyer.validate().await?;
    say(&format!("address {} validated", text(&address, "id")));
    let qualification = buyer.qualify().await?;
    say(&format!("qualification {qualification}: a port and a line can be had"));
    let quote = buyer.ask_quote(&qualification).await?;
    say(&format!("quote {quote} asked for; it takes its time"));
    buyer.quoted(&quote).await?;
    say(&format!("quote {quote} is approved.orderable"));
    let order = buyer.order(&quote).await?;
    say(&format!("order {order} of two items placed"));
    buyer.begun(&order).await?;
    say(&format!("order {order} is in work"));
    buyer.ordered(&order).await?;
    say(&format!("order {order} is completed"));
    let products = buyer.products(&order).await?;
    for product in &products {
        say(&format!("product {} is active", text(product, "id")));
    }
    let product = products.first().map(|product| text(product, "id")).unwrap_or_default();
    let ticket = buyer.open_ticket(product).await?;
    say(&format!("ticket {ticket} opened"));
    buyer.resolved(&ticket).await?;
    say(&format!("ticket {ticket} is resolved"));
    buyer.close_ticket(&ticket).await?;
    say(&format!("ticket {ticket} is closed"));
    buyer.unregister(&registrations).await?;
    let events = buyer.events();
    say(&format!("{} events:", events.len()));
    for event in &events {
        let item = ["orderItemId", "quoteItemId", "poqItemId"]
            .iter()
            .map(|name| event.text(&format!("/event/{name}")))
            .find(|item| !item.is_empty());
        let item = item.map(|item| format!(" item {item}")).unwrap_or_default();
        say(&format!("  {} {}{item}", event.text("/eventType"), event.text("/event/id")));
    }
    Ok(())
}
