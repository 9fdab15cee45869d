//! "Acme", a carrier's order desk as it was built twenty years ago.
//!
//! `config/openapi/acme.yaml` describes its interface: address check, sites, serviceability checks, price list, offers,
//! orders with one endpoint per article, folders, cancellations, changes of the wished date, charges, the installed
//! base, the field service, and the billing export, which tells what is wrong in plain text. It keeps
//! everything in memory and knows nothing of the standard that its callers may speak.
//!
//! **Nothing here is left to chance**: the date is given, numbers are sequential, prices follow from article, rate and
//! term. Work goes on only when somebody says so: `POST /sim/advance`, or by asking when
//! [`Settings::advance_on_read`] is set; with [`Settings::step_ms`] it goes on by itself as well. What moved is told to
//! [`Settings::callback`], where there is one; else callers have to ask.
//!
//! Values that it refuses, so that a caller can have a refusal: postcode `00000` (no duct) and rates above 10 Gbit/s
//! fail a line; a billing account beginning with `X` is answered with 200 and `rc` 8; a term above 48 months is
//! offered with 48; a town beginning with `nowhere` is not found; a place of installation in single fields without
//! house number or postcode is offered subject to survey.
//!
//! Beside them stands the ticket desk, which speaks SOAP.
//!
//! Beside the interface stand the controls, below `/sim` (see [`control`]): time, [faults](fault), the
//! [journal] of everything received, charges that come up, and known assets.

mod address;
mod alone;
mod article;
mod asset;
mod avail;
mod bill;
mod caller;
mod charge;
mod check;
pub mod control;
mod day;
mod field;
mod form;
mod gazetteer;
mod info;
pub mod journal;
mod line;
mod offer;
mod order;
mod pack;
mod page;
mod price;
mod pricelist;
mod progress;
mod reply;
mod route;
mod server;
mod site;
mod soap;
mod state;
mod table;
mod task;
#[cfg(test)]
mod tests;
mod ticket;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

pub use super::fault;
pub use caller::plays_at;
pub use server::{Running, start};
use state::State;

/// How the order desk is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The business day on which it opens; only `POST /sim/advance` moves it.
    pub today: jiff::civil::Date,
    /// Whether asking for an offer, order or folder moves it one step first, so that a caller that polls sees it done.
    pub advance_on_read: bool,
    /// Requests that the journal keeps, the newest; 0 keeps none, for benches.
    pub journal_entries_max: usize,
    /// Rows kept in each table, the newest: the desk forgets older ones.
    pub rows_max: usize,
    /// After how many milliseconds in one place open work moves one step on by itself; `None`: never.
    pub step_ms: Option<u64>,
    /// Time before each answer and after its effect, in milliseconds; the controls are not slowed.
    pub latency_ms: u64,
    /// Who is told of what moved: the base of an address, such as `http://127.0.0.1:8082`.
    pub callback: Option<String>,
}

impl Settings {
    /// The usual settings, opening on `today`.
    pub fn on(today: jiff::civil::Date) -> Self {
        Self {
            today,
            advance_on_read: false,
            journal_entries_max: 10_000,
            rows_max: 100_000,
            step_ms: None,
            latency_ms: 0,
            callback: None,
        }
    }
}

/// The order desk, without its listener; cheap to clone, all clones are the same desk.
#[derive(Debug, Clone)]
pub struct Bss {
    state: Arc<Mutex<State>>,
    /// Rung when something is to be told.
    told: Arc<Notify>,
}

impl Bss {
    /// Opens the desk, with nothing but its gazetteer and its installed base in it.
    pub fn new(settings: &Settings) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(settings))), told: Arc::default() }
    }

    /// What was received, oldest first, as far as it was kept.
    pub fn journal(&self) -> Vec<journal::Entry> {
        self.lock().journal.entries().cloned().collect()
    }

    /// Arranges for a fault, as `POST /sim/faults` does.
    pub fn arrange(&self, fault: fault::Fault) {
        self.lock().faults.arrange(fault);
    }

    /// Has what moves from now on told to who listens there, such as `http://127.0.0.1:8082`.
    pub fn call_back(&self, to: &str) {
        self.lock().outbox.to = Some(to.to_owned());
    }

    // A handler that panicked has left rows that are each whole, so its poison says nothing.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
