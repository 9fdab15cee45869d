//! One pooled client, and the translation of its failures.

use std::{
    convert::Infallible,
    error::Error as _,
    fmt, io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio::time::{Instant, timeout, timeout_at};
use tower::Service;

use super::{
    BackendSettings, BaseUrl, BaseUrlError, Credentials, Guard, HeaderCase, HttpVersion, LegacyError,
    LegacyErrorKind, LegacyReply, LegacyRequest, OAuth2, Refused, Sent, Tls, guard::Resolver,
    settings::is_reserved,
};
use crate::body::{self, BodyError, BodyLimits};

/// Largest header of an answer, in bytes.
const ANSWER_HEADER_BYTES_MAX: u32 = 65_536;

/// A connection of HTTP/2 is asked whether it still stands, in milliseconds …
const HTTP2_PING_MS: u64 = 20_000;
/// … and given up without an answer for this long, in milliseconds.
const HTTP2_PING_ANSWER_MS_MAX: u64 = 5_000;

const USER_AGENT: &str = concat!("segue/", env!("CARGO_PKG_VERSION"));

/// What decides whether a pool fits: two settings that agree in it share connections.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ConnectionKey {
    base_url: BaseUrl,
    connect_ms_max: u64,
    idle_ms_max: u64,
    in_flight_max: usize,
    header_case: HeaderCase,
    http_version: HttpVersion,
    /// Of trust and certificate.
    tls: Option<[u8; 32]>,
    guard: Option<Arc<Guard>>,
}

impl ConnectionKey {
    pub(super) fn of(settings: &BackendSettings) -> Self {
        Self {
            base_url: settings.base_url.clone(),
            connect_ms_max: settings.connect_ms_max,
            idle_ms_max: settings.idle_ms_max,
            in_flight_max: settings.in_flight_max,
            header_case: settings.header_case,
            http_version: settings.http_version,
            tls: settings.tls.as_ref().map(Tls::fingerprint),
            guard: settings.guard.clone(),
        }
    }

    /// For the token endpoint of a backend, which is spoken to with the same trust.
    pub(super) fn of_tokens(settings: &BackendSettings, credentials: &OAuth2) -> Result<Self, BaseUrlError> {
        let parts = credentials.token_url.clone().into_parts();
        let authority = parts.authority.as_ref().map_or("", http::uri::Authority::as_str);
        let scheme = parts.scheme.as_ref().map_or("", http::uri::Scheme::as_str);
        let base_url = BaseUrl::parse(&format!("{scheme}://{authority}"))?;
        let own = Self::of(settings);
        // It is the operator who names the endpoint.
        Ok(Self {
            base_url,
            header_case: HeaderCase::AsIs,
            http_version: HttpVersion::Http1,
            guard: None,
            ..own
        })
    }
}

/// A pool; cheap to clone.
#[derive(Clone)]
pub(super) struct Client(legacy::Client<Connector, Noticed>);

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// A failed attempt.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: LegacyError,
    /// The connection was closed before any byte of an answer: perhaps it was a stale one.
    pub(super) before_answer: bool,
}

impl From<LegacyError> for Failed {
    fn from(error: LegacyError) -> Self {
        Self { error, before_answer: false }
    }
}

impl LegacyError {
    pub(super) fn unusable(detail: String) -> Self {
        Self::new(LegacyErrorKind::Connect, Sent::No).with_detail(detail)
    }
}

impl Client {
    /// A pool for what the key says; `tls` is what the key has the fingerprint of.
    pub(super) fn new(key: &ConnectionKey, tls: Option<&Tls>) -> Result<Self, String> {
        let connector =
            Connector { inner: connector(key, tls)?, connect_max: Duration::from_millis(key.connect_ms_max) };
        // Over TLS both sides agree on the version; without it there is nothing to agree by.
        let is_agreed = key.http_version == HttpVersion::Http2 && !key.base_url.is_https();
        let client = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_millis(key.idle_ms_max))
            .pool_max_idle_per_host(key.in_flight_max)
            .http1_max_buf_size(ANSWER_HEADER_BYTES_MAX as usize)
            .http1_title_case_headers(key.header_case == HeaderCase::Title)
            .http2_only(is_agreed)
            .http2_max_header_list_size(ANSWER_HEADER_BYTES_MAX)
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(Duration::from_millis(HTTP2_PING_MS))
            .http2_keep_alive_timeout(Duration::from_millis(HTTP2_PING_ANSWER_MS_MAX))
            .build(connector);
        Ok(Self(client))
    }

    /// One attempt: the request out, the whole answer in, before `answer_by`, which is `deadline` or earlier.
    pub(super) async fn send(
        &self,
        settings: &BackendSettings,
        request: &LegacyRequest,
        token: Option<&HeaderValue>,
        answer_by: Instant,
        deadline: Instant,
    ) -> Result<LegacyReply, Failed> {
        let request =
            build(settings, request, token).map_err(|error| LegacyError::unusable(error.to_string()))?;
        self.exchange(request, settings.response_bytes_max, answer_by, deadline).await
    }

    /// One request that is built out, the whole answer of at most `answer_bytes_max` bytes in.
    pub(super) async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        answer_bytes_max: usize,
        answer_by: Instant,
        deadline: Instant,
    ) -> Result<LegacyReply, Failed> {
        let taken = Arc::new(AtomicBool::new(false));
        let request = request.map(|body| Noticed { body, taken: Arc::clone(&taken) });
        let late =
            if answer_by == deadline { LegacyErrorKind::Deadline } else { LegacyErrorKind::AnswerTimeout };
        let answer = match timeout_at(answer_by, self.0.request(request)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(failed(&error)),
            Err(_) => return Err(LegacyError::new(late, reached(&taken)).into()),
        };
        let (head, body) = answer.into_parts();
        let limits = BodyLimits::of(answer_bytes_max);
        let body = body::read(&head.headers, body, &limits, answer_by).await.map_err(|error| {
            let kind = match error {
                BodyError::TooLarge { .. } => LegacyErrorKind::TooLarge,
                BodyError::Late => late,
                BodyError::Incomplete => LegacyErrorKind::Closed,
                BodyError::Encoding | BodyError::Corrupt => LegacyErrorKind::BadEncoding,
            };
            LegacyError::new(kind, Sent::Maybe).with_detail(format!("status {}: {error}", head.status))
        })?;
        Ok(LegacyReply::new(head.status, head.headers, body))
    }
}

/// Whether a call that ran out of time had a connection to be sent on.
fn reached(taken: &AtomicBool) -> Sent {
    if taken.load(Ordering::Relaxed) { Sent::Maybe } else { Sent::No }
}

/// A body that notes when a connection first asks for it, which it does before it sends anything of the request.
struct Noticed {
    body: Full<Bytes>,
    taken: Arc<AtomicBool>,
}

impl Body for Noticed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.taken.store(true, Ordering::Relaxed);
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.taken.store(true, Ordering::Relaxed);
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.taken.store(true, Ordering::Relaxed);
        self.body.size_hint()
    }
}

fn failed(error: &legacy::Error) -> Failed {
    let detail = chain(error);
    if error.is_connect() {
        if sources(error).any(<dyn std::error::Error>::is::<Refused>) {
            return LegacyError::new(LegacyErrorKind::Refused, Sent::No).with_detail(detail).into();
        }
        let timed_out = sources(error).any(|source| {
            source.downcast_ref::<io::Error>().is_some_and(|io| io.kind() == io::ErrorKind::TimedOut)
        });
        let kind = if timed_out { LegacyErrorKind::ConnectTimeout } else { LegacyErrorKind::Connect };
        return LegacyError::new(kind, Sent::No).with_detail(detail).into();
    }
    let malformed = sources(error)
        .filter_map(|source| source.downcast_ref::<hyper::Error>())
        .any(|source| source.is_parse() || source.is_parse_too_large());
    let kind = if malformed { LegacyErrorKind::Malformed } else { LegacyErrorKind::Closed };
    // Where hyper knows that nothing was sent on a stale connection, its client has tried again by itself.
    let error = LegacyError::new(kind, Sent::Maybe).with_detail(detail);
    Failed { error, before_answer: !malformed }
}

fn sources(error: &legacy::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let now = next?;
        next = now.source();
        Some(now)
    })
}

fn chain(error: &legacy::Error) -> String {
    use fmt::Write as _;

    let mut text = error.to_string();
    for source in sources(error) {
        let _ = write!(text, ": {source}");
    }
    text
}

fn build(
    settings: &BackendSettings,
    request: &LegacyRequest,
    token: Option<&HeaderValue>,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let mut out =
        Request::new(Full::new(request.body.as_ref().map(|(_, body)| body.clone()).unwrap_or_default()));
    *out.method_mut() = request.method.clone();
    *out.uri_mut() = settings.base_url.join(&request.path_and_query)?;
    let headers = out.headers_mut();
    for (name, value) in &request.headers {
        if !is_reserved(name) {
            headers.append(name, value.clone());
        }
    }
    let mut set = |name, value| headers.insert(name, value);
    // HTTP/2 has `:authority` for it; where it was offered and not taken, the client writes `Host` itself.
    if settings.http_version == HttpVersion::Http1 {
        set(header::HOST, settings.base_url.host().clone());
    }
    if let Some((media_type, body)) = &request.body {
        set(header::CONTENT_TYPE, media_type.clone());
        set(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    } else if matches!(request.method, Method::POST | Method::PUT | Method::PATCH) {
        set(header::CONTENT_LENGTH, HeaderValue::from(0));
    }
    set(header::ACCEPT, HeaderValue::from_static(settings.format.accept()));
    set(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    set(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
    authenticate(headers, &settings.credentials, token)?;
    Ok(out)
}

fn authenticate(
    headers: &mut HeaderMap,
    credentials: &Credentials,
    token: Option<&HeaderValue>,
) -> Result<(), http::Error> {
    let (name, text) = match credentials {
        Credentials::None => return Ok(()),
        Credentials::OAuth2(_) => {
            if let Some(token) = token {
                headers.insert(header::AUTHORIZATION, token.clone());
            }
            return Ok(());
        }
        Credentials::Basic { user, password } => {
            let pair = format!("{user}:{}", password.reveal());
            (header::AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)))
        }
        Credentials::Bearer(token) => (header::AUTHORIZATION, format!("Bearer {}", token.reveal())),
        Credentials::ApiKey { header, key } => (header.clone(), key.reveal().to_owned()),
    };
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

fn connector(
    key: &ConnectionKey,
    tls: Option<&Tls>,
) -> Result<HttpsConnector<HttpConnector<Resolver>>, String> {
    // Addresses that are written out are not looked up.
    if let Some(refused) = key.guard.as_ref().and_then(|guard| guard.check(&key.base_url).err()) {
        return Err(refused.to_string());
    }
    let mut http = HttpConnector::new_with_resolver(Resolver(key.guard.clone()));
    http.enforce_http(false);
    http.set_nodelay(true);
    let provider = aws_lc_rs::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = if let Some(tls) = tls {
        builder.with_tls_config(tls.config())
    } else if key.base_url.is_https() {
        builder
            .with_provider_and_native_roots(provider)
            .map_err(|error| format!("no usable root certificates: {error}"))?
    } else {
        // Reading the system's certificates takes time and may fail; plain HTTP needs none.
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        builder.with_tls_config(config)
    };
    let builder = builder.https_or_http();
    Ok(match key.http_version {
        HttpVersion::Http1 => builder.enable_http1().wrap_connector(http),
        HttpVersion::Http2 => builder.enable_all_versions().wrap_connector(http),
    })
}

/// Connects within a limit that counts name resolution, TCP and TLS together.
#[derive(Clone)]
struct Connector {
    inner: HttpsConnector<HttpConnector<Resolver>>,
    connect_max: Duration,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

impl Service<Uri> for Connector {
    type Response = <HttpsConnector<HttpConnector<Resolver>> as Service<Uri>>::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.inner.call(uri);
        let connect_max = self.connect_max;
        Box::pin(async move {
            match timeout(connect_max, connecting).await {
                Ok(connected) => connected,
                Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
            }
        })
    }
}
