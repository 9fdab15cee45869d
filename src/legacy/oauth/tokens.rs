//! The token of one backend while the program runs.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};

use super::{ClientProof, OAuth2};
use crate::{
    json::{Document, Limits, Node},
    legacy::{LegacyError, LegacyErrorKind, LegacyReply, Sent, client::Client},
};

/// Largest answer of a token endpoint, in bytes.
pub(in crate::legacy) const TOKEN_ANSWER_BYTES_MAX: usize = 65_536;
/// Longest token, in bytes: it must fit into a header.
const TOKEN_BYTES_MAX: usize = 16_384;
/// Life of a token whose endpoint does not say, in seconds.
const LIFETIME_S_DEFAULT: u64 = 300;
/// Longest life that is believed, in seconds.
const LIFETIME_S_MAX: u64 = 86_400;
/// A new token is asked for when this share of its life is left …
const REFRESH_SHARE: u32 = 5;
/// … but not earlier than this before its end, in seconds.
const REFRESH_S_MAX: u64 = 60;
/// Pause after a token could not be had, in milliseconds.
const RETRY_PAUSE_MS: u64 = 1_000;
/// What of an endpoint's own words is told to the operator, in characters.
const TOLD_CHARS_MAX: usize = 120;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::legacy) struct Tokens {
    state: Mutex<State>,
    /// Held by the one that fetches.
    fetching: tokio::sync::Mutex<()>,
    assertions: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// What the token was given for.
    credentials: Option<OAuth2>,
    token: Option<Token>,
    /// No token could be had, and is not asked for before then.
    failed: Option<(Instant, LegacyError)>,
}

#[derive(Debug, Clone)]
struct Token {
    /// `Bearer …`, marked as sensitive.
    header: HeaderValue,
    refresh_at: Instant,
    ends_at: Instant,
}

/// What stands there.
enum Standing {
    Fresh(HeaderValue),
    /// Holds, but a new one is due.
    Due(HeaderValue),
    Missing,
    Failed(LegacyError),
}

impl Tokens {
    /// The `Authorization` of a call, fetched where needed before `deadline`.
    pub(in crate::legacy) async fn header(
        &self,
        credentials: &OAuth2,
        client: &Client,
        deadline: Instant,
    ) -> Result<HeaderValue, LegacyError> {
        let old = match self.standing(credentials) {
            Standing::Fresh(header) => return Ok(header),
            Standing::Failed(error) => return Err(error),
            Standing::Due(header) => Some(header),
            Standing::Missing => None,
        };
        let _fetching = if let Some(old) = &old {
            match self.fetching.try_lock() {
                Ok(guard) => guard,
                Err(_) => return Ok(old.clone()),
            }
        } else {
            let late =
                || LegacyError::new(LegacyErrorKind::Deadline, Sent::No).with_detail("waiting for a token");
            timeout_at(deadline, self.fetching.lock()).await.map_err(|_| late())?
        };
        // Whoever held the lock may have done the work.
        match self.standing(credentials) {
            Standing::Fresh(header) => return Ok(header),
            Standing::Failed(error) => return old.ok_or(error),
            Standing::Due(_) | Standing::Missing => {}
        }
        let fetched = self.fetch(credentials, client, deadline).await;
        self.keep(credentials, fetched, old)
    }

    /// Forgets the token that was refused.
    pub(in crate::legacy) fn refused(&self, header: &HeaderValue) {
        let mut state = self.state();
        if state.token.as_ref().is_some_and(|token| token.header == header) {
            state.token = None;
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self, credentials: &OAuth2) -> Standing {
        let now = Instant::now();
        let mut state = self.state();
        if state.credentials.as_ref() != Some(credentials) {
            *state = State { credentials: Some(credentials.clone()), ..State::default() };
        }
        let failed = state.failed.as_ref().filter(|(until, _)| now < *until);
        match &state.token {
            Some(token) if now < token.refresh_at => Standing::Fresh(token.header.clone()),
            Some(token) if now < token.ends_at => match failed {
                Some(_) => Standing::Fresh(token.header.clone()),
                None => Standing::Due(token.header.clone()),
            },
            _ => failed.map_or(Standing::Missing, |(_, error)| Standing::Failed(error.clone())),
        }
    }

    fn keep(
        &self,
        credentials: &OAuth2,
        fetched: Result<Token, LegacyError>,
        old: Option<HeaderValue>,
    ) -> Result<HeaderValue, LegacyError> {
        let mut state = self.state();
        // A reload may have brought other credentials meanwhile: what was fetched serves this call alone.
        let is_current = state.credentials.as_ref() == Some(credentials);
        let token = match fetched {
            Ok(token) => token,
            Err(error) => {
                // Running out of one exchange's time says nothing of the endpoint.
                if is_current && error.kind != LegacyErrorKind::Deadline {
                    let until = Instant::now() + Duration::from_millis(RETRY_PAUSE_MS);
                    state.failed = Some((until, error.clone()));
                }
                return old.ok_or(error);
            }
        };
        let header = token.header.clone();
        if is_current {
            (state.token, state.failed) = (Some(token), None);
        }
        Ok(header)
    }

    async fn fetch(
        &self,
        credentials: &OAuth2,
        client: &Client,
        deadline: Instant,
    ) -> Result<Token, LegacyError> {
        let request = self
            .request(credentials)
            .ok_or_else(|| refusal("the request for a token cannot be made".to_owned()))?;
        let asked_at = Instant::now();
        let reply = client.exchange(request, TOKEN_ANSWER_BYTES_MAX, deadline, deadline).await;
        let reply = reply.map_err(|failed| match failed.error.kind {
            LegacyErrorKind::Deadline => LegacyError::new(LegacyErrorKind::Deadline, Sent::No)
                .with_detail("waiting for the token endpoint"),
            kind => refusal(format!("the token endpoint: {kind}: {}", failed.error.detail)),
        })?;
        token(&reply, asked_at).map_err(refusal)
    }

    fn request(&self, credentials: &OAuth2) -> Option<Request<Full<Bytes>>> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        for (name, value) in [("scope", &credentials.scope), ("audience", &credentials.audience)] {
            if let Some(value) = value {
                form.append_pair(name, value);
            }
        }
        let mut authorization = None;
        match &credentials.proof {
            ClientProof::SecretBasic(secret) => {
                // RFC 6749 section 2.3.1: both are form-encoded first.
                let coded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                let pair = format!("{}:{}", coded(&credentials.client_id), coded(secret.reveal()));
                authorization = Some(sensitive(&format!("Basic {}", STANDARD.encode(pair)))?);
            }
            ClientProof::SecretPost(secret) => {
                form.append_pair("client_id", &credentials.client_id);
                form.append_pair("client_secret", secret.reveal());
            }
            ClientProof::PrivateKeyJwt(key) => {
                let serial = self.assertions.fetch_add(1, Ordering::Relaxed);
                let endpoint = credentials.token_url.to_string();
                let assertion = key.assertion(&credentials.client_id, &endpoint, serial)?;
                form.append_pair("client_id", &credentials.client_id);
                form.append_pair(
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                );
                form.append_pair("client_assertion", &assertion);
            }
        }
        let body = Bytes::from(form.finish());
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = credentials.token_url.clone();
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(authorization) = authorization {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        Some(request)
    }
}

fn refusal(detail: String) -> LegacyError {
    LegacyError::new(LegacyErrorKind::NoToken, Sent::No).with_detail(detail)
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Reads an answer of the endpoint (RFC 6749 section 5). The error is the operator's text.
fn token(reply: &LegacyReply, asked_at: Instant) -> Result<Token, String> {
    let document = Document::parse(reply.body.clone(), &Limits::default());
    let document = document.map_err(|_| format!("status {} without a JSON body", reply.status))?;
    let text = |name: &str| document.root().get(name).and_then(Node::as_str);
    if !reply.status.is_success() {
        let told: String = text("error").unwrap_or_default().chars().take(TOLD_CHARS_MAX).collect();
        return Err(format!("status {}, error `{}`", reply.status, told.escape_debug()));
    }
    if !text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
        return Err("the token endpoint gives no bearer token".to_owned());
    }
    let value = text("access_token").filter(|token| !token.is_empty() && token.len() <= TOKEN_BYTES_MAX);
    let header = value.and_then(|token| sensitive(&format!("Bearer {token}")));
    let header = header.ok_or("the token endpoint gives no usable access_token")?;
    let said = document.root().get("expires_in").and_then(seconds);
    let life_s = said.unwrap_or(LIFETIME_S_DEFAULT).min(LIFETIME_S_MAX);
    let life = Duration::from_secs(life_s);
    let margin = (life / REFRESH_SHARE).min(Duration::from_secs(REFRESH_S_MAX));
    Ok(Token { header, refresh_at: asked_at + life.saturating_sub(margin), ends_at: asked_at + life })
}

/// Whole seconds; some endpoints write them as text.
fn seconds(node: Node<'_>) -> Option<u64> {
    match node.as_str() {
        Some(text) => text.parse().ok(),
        None => u64::try_from(node.as_i64()?).ok(),
    }
}
