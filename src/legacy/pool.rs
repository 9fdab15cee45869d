//! Runtime state of all backends: connections and permits, kept by name across reloads.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderValue, StatusCode};
use tokio::time::Instant;

use super::{
    BackendSettings, Credentials, LegacyError, LegacyReply, LegacyRequest, OAuth2,
    client::{Client, ConnectionKey},
    gate::Gate,
    health::{BackendState, Heard},
    oauth::Tokens,
};
use crate::{body::earlier, ids::BackendId, telemetry::Metrics};

/// Connection pools that one backend keeps: the live plan's, and the last one's while its exchanges end, each with that
/// of its token endpoint.
const CLIENTS_MAX: usize = 4;

/// What one backend keeps outside the plan.
#[derive(Debug, Default)]
struct Backend {
    gate: Gate,
    heard: Heard,
    /// Newest last.
    clients: Mutex<Vec<(ConnectionKey, Client)>>,
    tokens: Tokens,
}

/// All backends that were called or prepared. Shared by all exchanges.
#[derive(Debug)]
pub struct Backends {
    /// Who counts calls; nobody where others do.
    metrics: Option<Arc<Metrics>>,
    running: Mutex<HashMap<BackendId, Arc<Backend>>>,
}

impl Backends {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), running: Mutex::default() }
    }

    /// For listeners of partners: calls are not counted as those of legacy systems.
    #[must_use]
    pub fn of_listeners() -> Self {
        Self { metrics: None, running: Mutex::default() }
    }

    /// Builds the client of a backend, so that what cannot work shows when the plan is loaded.
    ///
    /// # Errors
    /// The operator's text: TLS cannot be set up, for example because the system has no root certificates.
    pub fn prepare(&self, settings: &BackendSettings) -> Result<(), String> {
        let backend = self.backend(&settings.id);
        backend.client(settings)?;
        if let Credentials::OAuth2(credentials) = &settings.credentials {
            backend.token_client(settings, credentials)?;
        }
        Ok(())
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
        let backend = self.backend(&settings.id);
        let result = backend.call(settings, request, deadline).await;
        backend.heard.note(result.as_ref().map(drop).map_err(|error| error.kind));
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
        if let Some(metrics) = &self.metrics {
            metrics.legacy_call(settings.id.as_str(), outcome, started.elapsed());
        }
        result
    }

    /// Whether a backend is there: by its last call, or by a connection that is tried now.
    pub async fn state(&self, settings: &BackendSettings) -> BackendState {
        self.backend(&settings.id).heard.state(settings).await
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
        let token = self.token(settings, answer_by).await?;
        let reply = attempt(&client, settings, &request, token.as_ref(), answer_by, deadline).await?;
        let Some(token) = token.filter(|_| reply.status == StatusCode::UNAUTHORIZED) else {
            return Ok(reply);
        };
        // The token was taken back before its time. Whoever is not let in has not acted, so that once more is safe.
        self.tokens.refused(&token);
        let token = self.token(settings, answer_by).await?;
        attempt(&client, settings, &request, token.as_ref(), answer_by, deadline).await
    }

    /// The access token where the backend wants one.
    async fn token(
        &self,
        settings: &BackendSettings,
        answer_by: Instant,
    ) -> Result<Option<HeaderValue>, LegacyError> {
        let Credentials::OAuth2(credentials) = &settings.credentials else { return Ok(None) };
        let client = self.token_client(settings, credentials).map_err(LegacyError::unusable)?;
        self.tokens.header(credentials, &client, answer_by).await.map(Some)
    }

    fn token_client(&self, settings: &BackendSettings, credentials: &OAuth2) -> Result<Client, String> {
        let key = ConnectionKey::of_tokens(settings, credentials).map_err(|error| error.to_string())?;
        self.client_of(key, settings)
    }

    fn client(&self, settings: &BackendSettings) -> Result<Client, String> {
        self.client_of(ConnectionKey::of(settings), settings)
    }

    fn client_of(&self, key: ConnectionKey, settings: &BackendSettings) -> Result<Client, String> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().rev().find(|(known, _)| *known == key) {
            return Ok(client.clone());
        }
        let client = Client::new(&key, settings.tls.as_ref())?;
        if clients.len() == CLIENTS_MAX {
            clients.remove(0);
        }
        clients.push((key, client.clone()));
        Ok(client)
    }
}

/// A call, and once more where it met a connection that the backend had given up.
async fn attempt(
    client: &Client,
    settings: &BackendSettings,
    request: &LegacyRequest,
    token: Option<&HeaderValue>,
    answer_by: Instant,
    deadline: Instant,
) -> Result<LegacyReply, LegacyError> {
    let first = client.send(settings, request, token, answer_by, deadline).await;
    let result = match first {
        Err(failed) if failed.before_answer && request.method.is_idempotent() => {
            client.send(settings, request, token, answer_by, deadline).await
        }
        other => other,
    };
    result.map_err(|failed| failed.error)
}
