//! The life of one exchange; the only room that sees most others.
//!
//! [`stack`] is what stands around every exchange, [`seller`] the story of one on the Seller side, `buyer` its mirror. The steps of the
//! story are files of their own: `request` (what came), `calls` and `call` (what goes to the legacy system),
//! `answer` (what goes back), `list` (lists, which are many answers). Where a step fails it says what happened
//! ([`error`]); what the partner is told is decided in `problem`, and nowhere else.

mod answer;
pub mod bridge;
pub mod buyer;
pub mod by_hand;
mod call;
mod calls;
mod concerned;
pub mod error;
mod facts;
mod follow;
mod hub;
mod identify;
mod instant;
mod inventory;
mod journal;
mod list;
mod news;
pub mod notices;
mod once;
pub mod ports;
mod problem;
mod quotes;
pub mod receive;
pub mod recover;
mod references;
pub mod rehearsal;
mod reply;
mod report;
mod request;
mod rules;
pub mod seller;
pub mod stack;
mod story;
mod subject;
pub mod tape;
pub mod tasks;
mod timers;
pub mod watch;
mod ways;
mod wire;
mod work;

use std::sync::Arc;

use crate::{plan::PlanHandle, store::Store, telemetry::Metrics};
use ports::{LegacyPort, Ports};
use tape::Recorder;

/// What all exchanges share.
pub struct Gateway {
    /// Where the live plan is.
    pub plan: PlanHandle,
    /// What outlives a request.
    pub store: Store,
    /// The way to legacy systems.
    pub legacy: Arc<dyn LegacyPort>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Time and identifiers.
    pub ports: Ports,
    /// Who wants exchanges recorded, if anybody does.
    pub recorder: Arc<Recorder>,
}
