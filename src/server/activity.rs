//! What a connection is doing: the ground for closing idle ones and slow senders of headers.
//!
//! hyper's own header timeout also runs while a kept-alive connection is idle, does not run before the version
//! of HTTP is known, and not at all for HTTP/2. One watch over all three does, and keeps the two limits apart.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::Written;

/// The two limits that need a connection's activity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the first byte of a header (or accept) to a whole one.
    pub(super) header: Duration,
    /// Without an exchange.
    pub(super) idle: Duration,
}

#[derive(Debug)]
struct State {
    in_flight: usize,
    /// HTTP/2 frames arrive between exchanges too, so bytes do not announce a request there.
    frames: bool,
    header_since: Option<Instant>,
    idle_since: Instant,
    /// Who waits for an answer to be written.
    unwritten: Vec<Written>,
}

/// What one connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    state: Mutex<State>,
    /// Whether anybody waits, so that a flush that nobody waits for takes no lock.
    is_awaited: AtomicBool,
}

impl Activity {
    /// A connection that was just accepted: its first header is due.
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State {
            in_flight: 0,
            frames: false,
            header_since: Some(now),
            idle_since: now,
            unwritten: Vec::new(),
        };
        Self { state: Mutex::new(state), is_awaited: AtomicBool::new(false) }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Bytes arrived.
    pub(super) fn bytes(&self) {
        self.with(|state| {
            if state.in_flight == 0 && !state.frames && state.header_since.is_none() {
                state.header_since = Some(Instant::now());
            }
        });
    }

    /// A whole header arrived: an exchange begins.
    pub(super) fn begin(&self, version: http::Version) {
        self.with(|state| {
            state.in_flight += 1;
            state.header_since = None;
            state.frames = version == http::Version::HTTP_2;
        });
    }

    /// An exchange has its answer, or was given up.
    pub(super) fn end(&self) {
        self.with(|state| {
            state.in_flight = state.in_flight.saturating_sub(1);
            state.idle_since = Instant::now();
        });
    }

    /// Somebody waits for the answer that is about to be written.
    pub(super) fn answering(&self, written: Written) {
        self.with(|state| state.unwritten.push(written));
        self.is_awaited.store(true, Ordering::Release);
    }

    /// Everything that was to be written is with the operating system.
    pub(super) fn flushed(&self) {
        if self.is_awaited.swap(false, Ordering::AcqRel) {
            let told = self.with(|state| std::mem::take(&mut state.unwritten));
            told.iter().for_each(Written::tell);
        }
    }

    /// When the connection is to be closed if nothing happens until then; `None` while an exchange is in
    /// flight, whose own deadline is at work.
    pub(super) fn expires(&self, patience: Patience) -> Option<Instant> {
        self.with(|state| {
            if state.in_flight > 0 {
                return None;
            }
            let idle = state.idle_since + patience.idle;
            Some(state.header_since.map_or(idle, |since| since + patience.header))
        })
    }
}

#[cfg(test)]
mod tests {
    use http::Version;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn header_and_idle_limits_are_kept_apart() {
        let patience = Patience { header: Duration::from_secs(1), idle: Duration::from_secs(10) };
        let start = Instant::now();
        let activity = Activity::new();
        assert_eq!(activity.expires(patience), Some(start + patience.header));
        activity.begin(Version::HTTP_11);
        activity.bytes();
        assert_eq!(activity.expires(patience), None);
        tokio::time::advance(Duration::from_secs(100)).await;
        activity.end();
        let ended = Instant::now();
        assert_eq!(activity.expires(patience), Some(ended + patience.idle));
        tokio::time::advance(Duration::from_secs(5)).await;
        activity.bytes();
        let began = Instant::now();
        tokio::time::advance(Duration::from_millis(500)).await;
        activity.bytes();
        assert_eq!(activity.expires(patience), Some(began + patience.header));
    }

    #[tokio::test(start_paused = true)]
    async fn frames_between_exchanges_are_no_header() {
        let patience = Patience { header: Duration::from_secs(1), idle: Duration::from_secs(10) };
        let activity = Activity::new();
        activity.begin(Version::HTTP_2);
        activity.begin(Version::HTTP_2);
        activity.end();
        assert_eq!(activity.expires(patience), None);
        activity.end();
        activity.bytes();
        assert_eq!(activity.expires(patience), Some(Instant::now() + patience.idle));
    }
}
