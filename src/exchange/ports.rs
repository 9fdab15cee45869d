//! What an exchange takes from outside: the time, new identifiers and the way to legacy systems.
//!
//! Time and identifiers are sampled once per exchange, here and nowhere else, so that a case, a replay and an
//! expiry are decided by their inputs alone. A case puts fixed values in; the program puts the real ones.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use tokio::time::Instant;
use uuid::Uuid;

use crate::legacy::{
    BackendSettings, Backends, BaseUrl, Guard, LegacyError, LegacyReply, LegacyRequest, Unresolved,
};

/// Where the wall time of an exchange comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still: every exchange of a case sees this moment.
    Fixed(Timestamp),
}

impl Clock {
    /// The wall time now, with the clock's own precision.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where wall time enters an exchange")]
            Self::System => Timestamp::now(),
            Self::Fixed(at) => *at,
        }
    }
}

/// Where new identifiers come from.
#[derive(Debug, Clone)]
pub enum Ids {
    /// Time-ordered and random (`UUIDv7`).
    Random,
    /// 1, 2, 3 … in the form of a UUID, so that a case can name what it will get.
    Counted(Arc<AtomicU64>),
}

impl Ids {
    /// Identifiers counted from one.
    #[must_use]
    pub fn counted() -> Self {
        Self::Counted(Arc::default())
    }

    /// An identifier that was not given before.
    #[must_use]
    pub fn next(&self) -> Uuid {
        match self {
            #[expect(clippy::disallowed_methods, reason = "the one place where random identifiers enter")]
            Self::Random => Uuid::now_v7(),
            Self::Counted(last) => Uuid::from_u128(u128::from(last.fetch_add(1, Ordering::Relaxed) + 1)),
        }
    }
}

/// The time of one exchange: sampled when its request head was read.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Wall time, as it appears in messages and in the store.
    pub wall: Timestamp,
    /// Monotonic time, for durations.
    pub started: Instant,
    /// When everything that the exchange does must have ended.
    pub deadline: Instant,
}

/// Time and identifiers together.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Wall time.
    pub clock: Clock,
    /// Identifiers.
    pub ids: Ids,
}

/// A call under way.
pub type Calling<'c> = Pin<Box<dyn Future<Output = Result<LegacyReply, LegacyError>> + Send + 'c>>;

/// A place that is looked up.
pub type Resolving<'c> = Pin<Box<dyn Future<Output = Result<(), Unresolved>> + Send + 'c>>;

/// The way to legacy systems: the network, or what a case has at hand.
pub trait LegacyPort: Send + Sync {
    /// Makes one call; the answer is whole when it comes.
    fn call<'c>(
        &'c self,
        backend: &'c BackendSettings,
        request: LegacyRequest,
        deadline: Instant,
    ) -> Calling<'c>;

    /// Whether a place that a partner names may be gone to. Without a network nothing is looked up.
    fn resolve<'c>(&'c self, guard: &'c Guard, url: &'c BaseUrl) -> Resolving<'c> {
        Box::pin(async { guard.check(url).map_err(Unresolved::Refused) })
    }
}

impl LegacyPort for Backends {
    fn call<'c>(
        &'c self,
        backend: &'c BackendSettings,
        request: LegacyRequest,
        deadline: Instant,
    ) -> Calling<'c> {
        Box::pin(Backends::call(self, backend, request, deadline))
    }

    fn resolve<'c>(&'c self, guard: &'c Guard, url: &'c BaseUrl) -> Resolving<'c> {
        Box::pin(async { guard.resolve(url).await.map(drop) })
    }
}
