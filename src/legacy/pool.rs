//! Runtime state of all backends: connections and permits, kept by name across reloads.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::time::Instant;

use super::{
    BackendSettings, LegacyError, LegacyReply, LegacyRequest,
    client::{Client, ConnectionKey},
    gate::Gate,
};
use crate::{body::earlier, ids::BackendId, telemetry::Metrics};

/// Connection pools that one backend keeps: the live plan's, and the last one's while its exchanges end.
const CLIENTS_MAX: usize = 2;

/// What one backend keeps outside the plan.
#[derive(Debug, Default)]
struct Backend {
    gate: Gate,
    /// Newest last.
    clients: Mutex<Vec<(ConnectionKey, Client)>>,
}

/// All backends that were called or prepared. Shared by all exchanges.
#[derive(Debug)]
pub struct Backends {
    metrics: Arc<Metrics>,
    running: Mutex<HashMap<BackendId, Arc<Backend>>>,
}

impl Backends {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, running: Mutex::default() }
    }

    /// Builds the client of a backend, so that what cannot work shows when the plan is loaded.
    ///
    /// # Errors
    /// The operator's text: TLS cannot be set up, for example because the system has no root certificates.
    pub fn prepare(&self, settings: &BackendSettings) -> Result<(), String> {
        self.backend(&settings.id).client(settings).map(drop)
    }

    /// Forgets the backends that the live plan does not name. Calls in flight end undisturbed.
    pub fn retain(&self, live: &HashSet<BackendId>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|id, _| live.contains(id));
    }

    /// Makes one call and counts it.
    ///
    /// A call that was closed before any byte of an answer is made once more where the method is idempotent,
    /// because that is what a pooled connection looks like that the backend gave up in the same moment.
    ///
    /// # Errors
    /// [`LegacyError`]; every answer that arrives whole is no error, whatever its status.
    pub async fn call(
        &self,
        settings: &BackendSettings,
        request: LegacyRequest,
        deadline: Instant,
    ) -> Result<LegacyReply, LegacyError> {
        let started = Instant::now();
        let result = self.backend(&settings.id).call(settings, request, deadline).await;
        let outcome = match &result {
            Ok(reply) => match reply.status.as_u16() {
                ..200 => "1xx",
                200..300 => "2xx",
                300..400 => "3xx",
                400..500 => "4xx",
                500.. => "5xx",
            },
            Err(error) => error.kind.as_str(),
        };
        self.metrics.legacy_call(settings.id.as_str(), outcome, started.elapsed());
        result
    }

    fn backend(&self, id: &BackendId) -> Arc<Backend> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(running.entry(id.clone()).or_default())
    }
}

impl Backend {
    async fn call(
        &self,
        settings: &BackendSettings,
        request: LegacyRequest,
        deadline: Instant,
    ) -> Result<LegacyReply, LegacyError> {
        let _permit = self.gate.enter(settings.in_flight_max, settings.queue_max, deadline).await?;
        let client = self.client(settings).map_err(LegacyError::unusable)?;
        let answer_by = earlier(deadline, Instant::now(), settings.answer_ms_max);
        let first = client.send(settings, &request, answer_by, deadline).await;
        match first {
            Err(failed) if failed.before_answer && request.method.is_idempotent() => {
                client.send(settings, &request, answer_by, deadline).await.map_err(|failed| failed.error)
            }
            other => other.map_err(|failed| failed.error),
        }
    }

    fn client(&self, settings: &BackendSettings) -> Result<Client, String> {
        let key = ConnectionKey::of(settings);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().rev().find(|(known, _)| *known == key) {
            return Ok(client.clone());
        }
        let client = Client::new(settings)?;
        if clients.len() == CLIENTS_MAX {
            clients.remove(0);
        }
        clients.push((key, client.clone()));
        Ok(client)
    }
}
