//! What a Seller tells its Buyers by itself: who wants to know what, what a change is told as, and how it is delivered.
//!
//! [`changed`] says which events a change of an entity makes, and [`Wanted`] which of them a subscription wants: both are
//! pure. [`task()`] makes tasks of them, which are committed with the change; a [`Courier`] makes one try to deliver one,
//! and [`Age::next`] says what follows from that. When that happens is the workers' to say.

mod change;
mod courier;
mod query;
mod settings;
mod subscription;
mod task;

pub use change::{By, Event, changed};
pub use courier::{Age, Courier, Next, Outcome};
pub use query::{QUERY_BYTES_MAX, Wanted};
pub use settings::{Settings, callback};
pub use subscription::{KIND, Parties, SUBSCRIPTIONS_MAX, Subscription, Subscriptions};
pub use task::{About, Message, When, task};
