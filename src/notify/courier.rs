//! One try to deliver one event, and what follows from it.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::time::Instant;

use super::Settings;
use crate::{
    ids::BackendId,
    legacy::{Backends, BaseUrl, LegacyErrorKind, LegacyRequest},
};

/// Failures in a row after which a destination is left alone for a while.
const FAILURES_MAX: u32 = 5;
/// The first such while, in milliseconds; each further one is twice as long …
const OPEN_MS_LEAST: u64 = 1000;
/// … up to this.
const OPEN_MS_MOST: u64 = 60_000;
/// Pause after an event could not be delivered, in milliseconds: a half of its age, at least …
const PAUSE_MS_LEAST: i64 = 1000;
/// … and at most.
const PAUSE_MS_MOST: i64 = 15 * 60 * 1000;
/// Pause of an event whose destination has as many under way and waiting as it may, in milliseconds.
const BUSY_MS: i64 = 250;
/// Destinations that are remembered; those without failures are forgotten first.
const CIRCUITS_MAX: usize = 10_000;

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The listener took it.
    Delivered {
        /// Its status.
        status: u16,
    },
    /// It may be taken later.
    Later {
        /// Why it was not, for the operator.
        why: String,
    },
    /// It will never be taken so.
    Never {
        /// Why, for the operator.
        why: String,
    },
    /// It was not tried: the destination is left alone until then.
    Open {
        /// How long.
        left: Duration,
    },
    /// It was not tried: enough is under way to the destination.
    Busy,
}

impl Outcome {
    /// The name in metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered { .. } => "delivered",
            Self::Later { .. } => "failed",
            Self::Never { .. } => "refused",
            Self::Open { .. } => "circuit_open",
            Self::Busy => "busy",
        }
    }
}

/// What becomes of an event that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It is tried again.
    Wait {
        /// When, in milliseconds since 1970.
        due_ms: i64,
        /// Why it waits.
        why: String,
    },
    /// It is a dead letter.
    Bury {
        /// Why.
        why: String,
    },
}

/// An event between two tries.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    /// When it was scheduled, in milliseconds since 1970.
    pub made_ms: i64,
    /// Now.
    pub now_ms: i64,
    /// How often it was put off.
    pub attempts: u32,
    /// How long it is tried, in milliseconds.
    pub retry_ms_max: i64,
    /// Anything between 0 and 1, so that events that failed together do not come again together.
    pub chance: f64,
}

impl Age {
    /// What becomes of an event after a try; none where it was delivered. The pause grows with its age, so that the
    /// number of tries is bounded by the time: about 110 in 24 hours. One that is tried anew by an operator, or waited for
    /// others for long, is put off once at least.
    #[must_use]
    pub fn next(&self, outcome: Outcome) -> Option<Next> {
        let age_ms = self.now_ms.saturating_sub(self.made_ms).max(0);
        let (pause_ms, why) = match outcome {
            Outcome::Delivered { .. } => return None,
            Outcome::Never { why } => return Some(Next::Bury { why }),
            Outcome::Busy => (BUSY_MS, "the listener is busy".to_owned()),
            Outcome::Open { left } => {
                let left_ms = i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
                (left_ms.max(BUSY_MS), "the listener failed for others and is left alone".to_owned())
            }
            Outcome::Later { why } if age_ms >= self.retry_ms_max && self.attempts > 0 => {
                return Some(Next::Bury { why: format!("given up: {why}") });
            }
            Outcome::Later { why } => ((age_ms / 2).clamp(PAUSE_MS_LEAST, PAUSE_MS_MOST), why),
        };
        if age_ms >= self.retry_ms_max.saturating_mul(2) && self.attempts > 0 {
            return Some(Next::Bury { why: format!("given up: {why}") });
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a pause is minutes"
        )]
        let jitter_ms = (pause_ms as f64 * 0.25 * self.chance.clamp(0.0, 1.0)) as i64;
        Some(Next::Wait { due_ms: self.now_ms.saturating_add(pause_ms).saturating_add(jitter_ms), why })
    }
}

/// What is remembered of a destination.
#[derive(Debug, Clone, Copy)]
struct Circuit {
    failures: u32,
    /// Left alone until then.
    open_until: Option<Instant>,
    /// One try is under way to find out.
    is_probed: bool,
}

/// Sends events. Shared by all deliveries; it remembers which destinations failed.
#[derive(Debug)]
pub struct Courier {
    listeners: Backends,
    circuits: Mutex<HashMap<BackendId, Circuit>>,
}

impl Default for Courier {
    fn default() -> Self {
        Self { listeners: Backends::of_listeners(), circuits: Mutex::default() }
    }
}

/// Gives the right to probe back, however the try ends.
struct Probe<'c>(&'c Courier, &'c BackendId);

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        if let Some(circuit) = self.0.circuits().get_mut(self.1) {
            circuit.is_probed = false;
        }
    }
}

impl Courier {
    /// Tries once to deliver a message to `callback` + `path`.
    pub async fn send(
        &self,
        settings: &Settings,
        partner: &str,
        (callback, path): (&BaseUrl, &str),
        body: Bytes,
    ) -> Outcome {
        let callback = settings.base_url.as_ref().unwrap_or(callback);
        let never = |why: String| Outcome::Never { why };
        let Some(destination) = settings.destination(partner, callback) else {
            return never("the callback cannot be used".to_owned());
        };
        if let Some(refused) = destination.guard.as_ref().and_then(|guard| guard.check(callback).err()) {
            return never(format!("the callback is refused: {refused}"));
        }
        let Ok(path_and_query) = path.parse() else {
            return never("the path of the listener cannot be used".to_owned());
        };
        let probe = match self.enter(&destination.id) {
            Ok(is_probe) => is_probe.then(|| Probe(self, &destination.id)),
            Err(left) => return Outcome::Open { left },
        };
        let request = LegacyRequest {
            method: Method::POST,
            path_and_query,
            headers: HeaderMap::new(),
            body: Some((HeaderValue::from_static("application/json;charset=utf-8"), body)),
        };
        // The connection and the wait for a permit stand within it as well.
        let deadline = Instant::now() + Duration::from_millis(settings.answer_ms_max);
        let sent = self.listeners.call(&destination, request, deadline).await;
        let outcome = match &sent {
            Ok(reply) => of_status(reply.status),
            Err(error) => match error.kind {
                LegacyErrorKind::Overloaded => Outcome::Busy,
                LegacyErrorKind::Refused => never(format!("the callback is refused: {error}")),
                _ => Outcome::Later { why: error.to_string() },
            },
        };
        drop(probe);
        self.note(&destination.id, &outcome);
        outcome
    }

    /// Destinations that are left alone now.
    #[must_use]
    pub fn open(&self) -> usize {
        let now = Instant::now();
        let circuits = self.circuits();
        circuits.values().filter(|circuit| circuit.open_until.is_some_and(|until| until > now)).count()
    }

    /// Forgets connections to destinations that have not been used since it was last asked to.
    pub fn forget(&self) {
        let mut circuits = self.circuits();
        let used: HashSet<BackendId> = circuits.keys().cloned().collect();
        circuits.retain(|_, circuit| circuit.failures > 0);
        drop(circuits);
        self.listeners.retain(&used);
    }

    /// Whether a destination may be tried, and whether that is to find out if it is there again.
    fn enter(&self, id: &BackendId) -> Result<bool, Duration> {
        let mut circuits = self.circuits();
        let Some(circuit) = circuits.get_mut(id) else { return Ok(false) };
        let Some(until) = circuit.open_until else { return Ok(false) };
        let left = until.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            return Err(left);
        }
        if circuit.is_probed {
            return Err(Duration::from_millis(OPEN_MS_LEAST));
        }
        circuit.is_probed = true;
        Ok(true)
    }

    /// A listener that answers is there, whatever it answers; one that fails inside or not at all is not.
    fn note(&self, id: &BackendId, outcome: &Outcome) {
        let mut circuits = self.circuits();
        if circuits.len() >= CIRCUITS_MAX && !circuits.contains_key(id) {
            circuits.retain(|_, circuit| circuit.failures > 0);
        }
        let fresh = Circuit { failures: 0, open_until: None, is_probed: false };
        let circuit = circuits.entry(id.clone()).or_insert(fresh);
        match outcome {
            Outcome::Later { .. } => {
                circuit.failures = circuit.failures.saturating_add(1);
                let over = circuit.failures.saturating_sub(FAILURES_MAX);
                if circuit.failures >= FAILURES_MAX {
                    let open_ms = OPEN_MS_LEAST.saturating_mul(1 << over.min(16)).min(OPEN_MS_MOST);
                    circuit.open_until = Some(Instant::now() + Duration::from_millis(open_ms));
                }
            }
            Outcome::Delivered { .. } | Outcome::Never { .. } => *circuit = fresh,
            Outcome::Open { .. } | Outcome::Busy => {}
        }
    }

    fn circuits(&self) -> MutexGuard<'_, HashMap<BackendId, Circuit>> {
        self.circuits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a listener's status means. 204 acknowledges, and so does any other success. What may be another next time is
/// tried again: its own failures, that it has too much to do, and that it does not let us in, which people mend.
fn of_status(status: StatusCode) -> Outcome {
    let told = format!("answered with status {status}");
    match status.as_u16() {
        200..300 => Outcome::Delivered { status: status.as_u16() },
        501 | 505 => Outcome::Never { why: told },
        401 | 403 | 407 | 408 | 409 | 423 | 425 | 429 | 500.. => Outcome::Later { why: told },
        300..=399 => Outcome::Never { why: format!("{told}; redirects are not followed") },
        _ => Outcome::Never { why: told },
    }
}

#[cfg(test)]
#[path = "courier_tests.rs"]
mod tests;
