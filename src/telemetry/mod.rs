//! What the operator sees: metrics, one log line per exchange, trace context.
//!
//! It knows no other room, so every room may use it. Nothing here takes a payload: what is not passed in
//! cannot leak. Secrets travel in [`Secret`], which no formatter opens.

mod gather;
mod line;
pub mod log;
pub mod metrics;
pub mod record;
pub mod secret;
pub mod stamp;
pub mod trace;

pub use metrics::Metrics;
pub use record::{ExchangeRecord, finding};
pub use secret::Secret;
pub use trace::TraceContext;
