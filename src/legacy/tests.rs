//! Real sockets on loopback, with upstreams that are broken on purpose.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep},
};

mod secure;
mod tls_server;

use super::*;
use crate::{
    format::Format,
    ids::BackendId,
    telemetry::{Metrics, Secret},
};

/// What the upstream does with each request it has read.
#[derive(Clone)]
enum Act {
    /// Sends these bytes and keeps the connection.
    Say(Vec<u8>),
    /// Sends these bytes and closes.
    SayAndClose(Vec<u8>),
    /// Says nothing and keeps the connection.
    Hang,
    /// Reads nothing at all and closes at once.
    Refuse,
}

struct Upstream {
    base: String,
    connections: Arc<AtomicUsize>,
    requests: mpsc::UnboundedReceiver<String>,
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

/// Runs the acts in order, one per request; the last one is repeated.
async fn upstream(acts: Vec<Act>) -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let (tell, requests) = mpsc::unbounded_channel();
    let counted = Arc::clone(&connections);
    let next = Arc::new(AtomicUsize::new(0));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(play(stream, acts.clone(), Arc::clone(&next), tell.clone()));
        }
    });
    Upstream { base, connections, requests }
}

async fn play(
    mut stream: TcpStream,
    acts: Vec<Act>,
    next: Arc<AtomicUsize>,
    tell: mpsc::UnboundedSender<String>,
) {
    loop {
        let at = next.load(Ordering::SeqCst).min(acts.len() - 1);
        if matches!(acts[at], Act::Refuse) {
            next.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let Some(request) = read_request(&mut stream).await else { return };
        let _ = tell.send(request);
        let at = next.fetch_add(1, Ordering::SeqCst).min(acts.len() - 1);
        match &acts[at] {
            Act::Say(bytes) => stream.write_all(bytes).await.unwrap(),
            Act::SayAndClose(bytes) => {
                let _ = stream.write_all(bytes).await;
                return;
            }
            Act::Hang => sleep(Duration::from_mins(1)).await,
            Act::Refuse => return,
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    loop {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        text.extend_from_slice(&buffer[..read]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let Some((head, body)) = so_far.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
            .map_or(0, |text| text.parse().unwrap());
        if body.len() >= length {
            return Some(so_far);
        }
    }
}

fn settings(base: &str) -> BackendSettings {
    BackendSettings {
        id: BackendId::parse("acme").unwrap(),
        base_url: BaseUrl::parse(base).unwrap(),
        credentials: Credentials::None,
        // Long for a busy machine: tests of the limits themselves set shorter ones.
        connect_ms_max: 20_000,
        answer_ms_max: 30_000,
        idle_ms_max: 10_000,
        in_flight_max: 4,
        queue_max: 4,
        response_bytes_max: 100_000,
        forward: vec![HeaderName::from_static("traceparent"), header::AUTHORIZATION],
        header_case: HeaderCase::AsIs,
        format: Format::Json,
        tls: None,
        guard: None,
        is_seller: false,
        http_version: HttpVersion::Http1,
    }
}

fn request(method: Method, body: Option<&'static str>) -> LegacyRequest {
    LegacyRequest {
        method,
        path_and_query: "/v2/offers?st=A1".parse().unwrap(),
        headers: HeaderMap::new(),
        body: body.map(|body| (HeaderValue::from_static("application/json"), Bytes::from(body))),
    }
}

fn backends() -> Backends {
    Backends::new(Arc::new(Metrics::new().unwrap()))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

async fn call(settings: &BackendSettings, method: Method) -> Result<LegacyReply, LegacyError> {
    backends().call(settings, request(method, None), soon()).await
}

#[tokio::test]
async fn the_request_is_what_an_old_system_expects() {
    let mut upstream = upstream(vec![Act::Say(ok("{\"a\":1}"))]).await;
    let mut settings = settings(&format!("{}/bss", upstream.base));
    settings.credentials = Credentials::Basic { user: "segue".into(), password: Secret::new("pw") };
    settings.header_case = HeaderCase::Title;
    let partner = HeaderMap::from_iter([
        (header::AUTHORIZATION, HeaderValue::from_static("Bearer partner")),
        (HeaderName::from_static("traceparent"), HeaderValue::from_static("00-1")),
        (HeaderName::from_static("x-other"), HeaderValue::from_static("no")),
    ]);
    let mut request = request(Method::POST, Some("{\"x\":1}"));
    request.headers = settings.forwarded(&partner);
    request.headers.insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer mapping"));
    request.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(99));
    request.headers.insert("x-ref", HeaderValue::from_static("R1"));
    let reply = backends().call(&settings, request, soon()).await.unwrap();
    assert_eq!((reply.status, &reply.body[..]), (StatusCode::OK, &b"{\"a\":1}"[..]));
    assert_eq!(reply.content_type(), Some("application/json; charset=utf-8"));
    let sent = upstream.requests.recv().await.unwrap();
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, "{\"x\":1}");
    let mut lines: Vec<&str> = head.lines().collect();
    assert_eq!(lines.remove(0), "POST /bss/v2/offers?st=A1 HTTP/1.1");
    lines.sort_unstable();
    let host = format!("Host: {}", upstream.base.trim_start_matches("http://"));
    let agent = format!("User-Agent: segue/{}", env!("CARGO_PKG_VERSION"));
    let expected = [
        "Accept-Encoding: identity",
        "Accept: application/json",
        "Authorization: Basic c2VndWU6cHc=",
        "Content-Length: 7",
        "Content-Type: application/json",
        host.as_str(),
        "Traceparent: 00-1",
        agent.as_str(),
        "X-Ref: R1",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_length_is_sent_even_without_a_body() {
    let mut upstream = upstream(vec![Act::Say(ok(""))]).await;
    let settings = settings(&upstream.base);
    for (method, expected) in [(Method::POST, true), (Method::PUT, true), (Method::GET, false)] {
        call(&settings, method).await.unwrap();
        let sent = upstream.requests.recv().await.unwrap();
        assert_eq!(sent.contains("content-length: 0"), expected, "{sent}");
        assert!(!sent.contains("content-type") && !sent.contains("transfer-encoding"), "{sent}");
    }
}

#[tokio::test]
async fn every_whole_answer_is_an_answer() {
    let html = b"HTTP/1.1 502 Bad\r\ncontent-type: Text/HTML;x=y\r\n\r\n<html>".to_vec();
    let moved = b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec();
    let upstream = upstream(vec![Act::SayAndClose(html), Act::SayAndClose(moved)]).await;
    let settings = settings(&upstream.base);
    let reply = call(&settings, Method::POST).await.unwrap();
    assert_eq!((reply.status.as_u16(), reply.content_type()), (502, Some("Text/HTML;x=y")));
    assert_eq!(&reply.body[..], b"<html>");
    assert_eq!(call(&settings, Method::GET).await.unwrap().status.as_u16(), 302);
}

fn gzipped(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(plain).unwrap();
    let packed = encoder.finish().unwrap();
    let mut out =
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len())
            .into_bytes();
    out.extend(packed);
    out
}

#[tokio::test]
async fn an_encoded_answer_is_decoded_though_not_asked_for() {
    let upstream = upstream(vec![Act::Say(gzipped(b"{\"a\":1}"))]).await;
    let reply = call(&settings(&upstream.base), Method::POST).await.unwrap();
    assert_eq!(&reply.body[..], b"{\"a\":1}");
}

/// Each broken upstream: what it does and what the call becomes; never is a POST sent again.
#[tokio::test]
async fn broken_upstreams_become_their_error_and_the_pool_recovers() {
    use LegacyErrorKind as Kind;

    let raw = |text: &str| text.as_bytes().to_vec();
    let huge = format!("HTTP/1.1 200 OK\r\ncontent-length: 200000\r\n\r\n{}", "x".repeat(200_000));
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        format!("8000\r\n{}\r\n", "x".repeat(0x8000)).repeat(4)
    );
    let rows = [
        ("closes at once", Act::Refuse, Kind::Closed),
        ("closes after the request", Act::SayAndClose(vec![]), Kind::Closed),
        ("closes in the header", Act::SayAndClose(raw("HTTP/1.1 200 OK\r\ncont")), Kind::Closed),
        (
            "promises more than it sends",
            Act::SayAndClose(raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}")),
            Kind::Closed,
        ),
        (
            "closes in a chunk",
            Act::SayAndClose(raw("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\n{}")),
            Kind::Closed,
        ),
        ("is not HTTP", Act::SayAndClose(raw("hello\r\n\r\n")), Kind::Malformed),
        (
            "contradicts itself",
            Act::SayAndClose(raw("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}")),
            Kind::Malformed,
        ),
        ("is too large", Act::Say(huge.into_bytes()), Kind::TooLarge),
        ("is too large in chunks", Act::Say(chunked.into_bytes()), Kind::TooLarge),
        ("is a gzip bomb", Act::Say(gzipped(&vec![b' '; 1_000_000])), Kind::TooLarge),
        (
            "has an unknown encoding",
            Act::Say(raw("HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\n{}")),
            Kind::BadEncoding,
        ),
        ("never answers", Act::Hang, Kind::AnswerTimeout),
        (
            "stops in the body",
            Act::Say(raw("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}")),
            Kind::AnswerTimeout,
        ),
    ];
    for (what, act, kind) in rows {
        let upstream = upstream(vec![act, Act::Say(ok("{}"))]).await;
        let mut settings = settings(&upstream.base);
        let backends = backends();
        if kind == Kind::AnswerTimeout {
            settings.answer_ms_max = 700;
        }
        let error = backends.call(&settings, request(Method::POST, Some("{}")), soon()).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (kind, Sent::Maybe), "{what}: {error}");
        settings.answer_ms_max = 30_000;
        let reply = backends.call(&settings, request(Method::POST, Some("{}")), soon()).await;
        assert_eq!(reply.expect(what).status, 200, "{what}");
        assert!(upstream.connections.load(Ordering::SeqCst) <= 2, "{what}: a POST was repeated");
    }
}

#[tokio::test]
async fn only_an_idempotent_call_is_repeated_and_only_once() {
    let closing = Act::SayAndClose(vec![]);
    for (method, tries) in [(Method::GET, 2), (Method::DELETE, 2), (Method::POST, 1), (Method::PATCH, 1)] {
        let upstream = upstream(vec![closing.clone()]).await;
        let error = call(&settings(&upstream.base), method.clone()).await.unwrap_err();
        assert_eq!((error.kind, error.retry_is_safe()), (LegacyErrorKind::Closed, false));
        assert_eq!(upstream.connections.load(Ordering::SeqCst), tries, "{method}");
    }
    let upstream = upstream(vec![closing, Act::Say(ok("{}"))]).await;
    assert!(call(&settings(&upstream.base), Method::GET).await.is_ok());
}

#[tokio::test]
async fn a_system_that_is_down_was_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = call(&settings(&base), Method::POST).await.unwrap_err();
    assert_eq!((error.kind, error.retry_is_safe()), (LegacyErrorKind::Connect, true), "{error}");
    // A port that answers, but not TLS: the same, within the connect limit.
    let upstream = upstream(vec![Act::Hang]).await;
    let https = upstream.base.replace("http:", "https:");
    let mut settings = settings(&https);
    settings.connect_ms_max = 100;
    settings.answer_ms_max = 5000;
    let error = call(&settings, Method::POST).await.unwrap_err();
    assert!(matches!(error.kind, LegacyErrorKind::ConnectTimeout | LegacyErrorKind::Connect), "{error}");
    assert_eq!(error.sent, Sent::No);
}

#[tokio::test]
async fn the_exchange_deadline_bounds_the_answer_timeout() {
    let upstream = upstream(vec![Act::Hang]).await;
    let settings = BackendSettings { answer_ms_max: 60_000, ..settings(&upstream.base) };
    let deadline = Instant::now() + Duration::from_millis(100);
    let error = backends().call(&settings, request(Method::POST, None), deadline).await.unwrap_err();
    assert_eq!((error.kind, error.sent), (LegacyErrorKind::Deadline, Sent::Maybe));
    assert!(deadline.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn connections_are_shared_and_survive_other_settings() {
    let upstream = upstream(vec![Act::Say(ok("{}"))]).await;
    let mut settings = settings(&upstream.base);
    let backends = backends();
    backends.prepare(&settings).unwrap();
    for ms in [30_300, 30_400, 30_500] {
        settings.answer_ms_max = ms;
        backends.call(&settings, request(Method::POST, None), soon()).await.unwrap();
    }
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
    let live = [settings.id.clone()].into();
    backends.retain(&live);
    backends.call(&settings, request(Method::POST, None), soon()).await.unwrap();
    assert_eq!(upstream.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn permits_bound_the_calls_in_flight() {
    let upstream = upstream(vec![Act::Hang]).await;
    let settings =
        BackendSettings { in_flight_max: 2, queue_max: 1, answer_ms_max: 700, ..settings(&upstream.base) };
    let backends = Arc::new(backends());
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..6 {
        let (backends, settings) = (Arc::clone(&backends), settings.clone());
        calls.spawn(async move {
            backends.call(&settings, request(Method::POST, None), soon()).await.unwrap_err().kind
        });
    }
    let kinds = calls.join_all().await;
    let count = |kind| kinds.iter().filter(|one| **one == kind).count();
    assert_eq!((count(LegacyErrorKind::Overloaded), count(LegacyErrorKind::AnswerTimeout)), (3, 3));
}
