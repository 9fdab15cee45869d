//! Trust, certificates, HTTP/2 and access tokens, against a double that speaks TLS.

use std::sync::Mutex;

use http::{Request, Response, Uri, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use rcgen::KeyPair;
use rustls::ServerConfig;

use super::tls_server::{Authority, Identity, serve};
use super::*;
use crate::legacy::tls::CERTIFICATES_MAX;

/// What the double was asked: version, path, authorization, body.
type Asked = (Version, String, Option<String>, String);

#[derive(Clone, Default)]
struct Double {
    asked: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
    /// Answers of `/token`, in order; the last one is repeated.
    tokens: Arc<Mutex<Vec<(u16, String)>>>,
    /// Tokens that the API lets in; none lets everybody in.
    accepted: Arc<Mutex<Option<String>>>,
}

impl Double {
    async fn start(&self, tls: Option<ServerConfig>) -> u16 {
        let (double, connections) = (self.clone(), Arc::clone(&self.connections));
        let opened = move || {
            connections.fetch_add(1, Ordering::Relaxed);
        };
        serve(tls, opened, move |request| {
            let double = double.clone();
            async move { double.answer(request).await }
        })
        .await
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (head, body) = request.into_parts();
        let body = String::from_utf8(body.collect().await?.to_bytes().to_vec()).unwrap();
        let path = head.uri.path().to_owned();
        let authorization = head.headers.get(header::AUTHORIZATION);
        let authorization = authorization.map(|value| value.to_str().unwrap().to_owned());
        let (status, text) = if path == "/token" {
            let mut tokens = self.tokens.lock().unwrap();
            if tokens.len() > 1 { tokens.remove(0) } else { tokens[0].clone() }
        } else {
            let accepted = self.accepted.lock().unwrap().clone();
            let let_in = accepted.is_none_or(|token| authorization == Some(format!("Bearer {token}")));
            (if let_in { 200 } else { 401 }, "{}".to_owned())
        };
        self.asked.lock().unwrap().push((head.version, path, authorization, body));
        Ok(Response::builder().status(status).body(Full::new(Bytes::from(text))).unwrap())
    }

    fn asked(&self, path: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.1 == path).cloned().collect()
    }

    fn gives(&self, answers: &[(u16, &str)]) {
        *self.tokens.lock().unwrap() =
            answers.iter().map(|(status, text)| (*status, (*text).to_owned())).collect();
    }
}

fn secure(port: u16, ca: &Authority, client: Option<&Identity>) -> BackendSettings {
    let key = client.map(|client| Secret::new(client.key.clone()));
    let client = client.zip(key.as_ref());
    let client =
        client.map(|(client, key)| ClientIdentity { certificate: client.certificate.as_bytes(), key });
    let mut settings = settings(&format!("https://localhost:{port}"));
    settings.tls = Some(Tls::new(Some(ca.pem.as_bytes()), client).unwrap());
    settings.connect_ms_max = 5_000;
    settings.answer_ms_max = 5_000;
    settings
}

const API: &str = "/v2/offers";
const BOTH: &[&[u8]] = &[b"h2", b"http/1.1"];

#[tokio::test]
async fn only_the_named_authority_is_trusted_and_our_certificate_is_shown_where_asked() {
    let (ours, other) = (Authority::new(), Authority::new());
    let client = ours.sign("segue");
    let stranger = other.sign("segue");
    let double = Double::default();
    let open = double.start(Some(ours.server(None, &[]))).await;
    let closed = double.start(Some(ours.server(Some(&ours), &[]))).await;
    let rows = [
        (open, &ours, None, true),
        (open, &other, None, false),
        (closed, &ours, Some(&client), true),
        (closed, &ours, None, false),
        (closed, &ours, Some(&stranger), false),
    ];
    for (number, (port, ca, client, works)) in rows.into_iter().enumerate() {
        let result = call(&secure(port, ca, client), Method::POST).await;
        assert_eq!(result.is_ok(), works, "row {number}: {result:?}");
    }
    // Without a trust of its own, the system's authorities decide, and none of them signed this one.
    let mut system = settings(&format!("https://localhost:{open}"));
    system.connect_ms_max = 5_000;
    let error = call(&system, Method::POST).await.unwrap_err();
    assert_eq!((error.kind, error.sent), (LegacyErrorKind::Connect, Sent::No));
    assert_eq!(double.asked(API).len(), 2);
}

#[test]
fn trust_that_cannot_be_used_is_told() {
    let authority = Authority::new();
    let (one, two) = (authority.sign("one"), authority.sign("two"));
    let tls = |ca: &str, certificate: &str, key: &str| {
        let key = Secret::new(key);
        let client = ClientIdentity { certificate: certificate.as_bytes(), key: &key };
        Tls::new(Some(ca.as_bytes()), Some(client)).unwrap_err().to_string()
    };
    assert_eq!(tls("nothing", &one.certificate, &one.key), "`ca` holds no usable certificate");
    assert_eq!(tls(&authority.pem, "", &one.key), "`client_certificate` holds no usable certificate");
    assert!(tls(&authority.pem, &one.certificate, "secret text").starts_with("`client_key` holds no"));
    let mixed = tls(&authority.pem, &one.certificate, &two.key);
    assert!(mixed.contains("do not belong together"), "{mixed}");
    let many = |count: usize| Tls::new(Some(authority.pem.repeat(count).as_bytes()), None).map(|_| ());
    assert_eq!(many(CERTIFICATES_MAX), Ok(()));
    let told = many(CERTIFICATES_MAX + 1).unwrap_err().to_string();
    assert_eq!(told, "`ca` holds no usable certificate");
}

/// Of a connection that stands and says nothing any more, HTTP/2 knows long before the answer is due.
#[tokio::test]
async fn a_silent_connection_of_http_2_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (heard, hears) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.unwrap();
        heard.send(()).unwrap();
        // It stands, whatever comes.
        while stream.read(&mut preface).await.is_ok_and(|read| read > 0) {}
    });
    let settings = BackendSettings {
        http_version: HttpVersion::Http2,
        answer_ms_max: 600_000,
        ..settings(&format!("http://127.0.0.1:{port}"))
    };
    let calling = tokio::spawn(async move {
        let late = Instant::now() + Duration::from_mins(10);
        backends().call(&settings, request(Method::POST, Some("{}")), late).await
    });
    hears.await.unwrap();
    // Some seconds before the ping, at the ping, and when its answer is due.
    for (seconds, is_over) in [(15, false), (7, false), (3, false), (4, true)] {
        assert!(!calling.is_finished());
        forward(seconds).await;
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(calling.is_finished(), is_over, "after {seconds} s more");
    }
    let error = calling.await.unwrap().unwrap_err();
    assert_eq!((error.kind, error.sent), (LegacyErrorKind::Closed, Sent::Maybe), "{error}");
}

#[tokio::test]
async fn http_2_is_spoken_where_both_sides_can() {
    let authority = Authority::new();
    let old: &[&[u8]] = &[b"http/1.1"];
    let rows = [
        (Some(BOTH), HttpVersion::Http2, Version::HTTP_2),
        (Some(BOTH), HttpVersion::Http1, Version::HTTP_11),
        (Some(old), HttpVersion::Http2, Version::HTTP_11),
        (None, HttpVersion::Http2, Version::HTTP_2),
        (None, HttpVersion::Http1, Version::HTTP_11),
    ];
    for (number, (offered, version, spoken)) in rows.into_iter().enumerate() {
        // A double of its own: a pool opens connections that it no longer needs, and they may come in later.
        let double = Double::default();
        let port = double.start(offered.map(|offered| authority.server(None, offered))).await;
        let mut settings = match offered {
            Some(_) => secure(port, &authority, None),
            None => settings(&format!("http://127.0.0.1:{port}")),
        };
        settings.http_version = version;
        let backends = backends();
        backends.call(&settings, request(Method::POST, Some("{}")), soon()).await.unwrap();
        let calls = (0..4).map(|_| backends.call(&settings, request(Method::GET, None), soon()));
        for reply in futures_util::future::join_all(calls).await {
            reply.unwrap();
        }
        let asked = double.asked(API);
        assert_eq!(asked.len(), 5);
        assert!(asked.iter().all(|asked| asked.0 == spoken), "row {number}: {asked:?}");
        if spoken == Version::HTTP_2 {
            assert_eq!(double.connections.load(Ordering::Relaxed), 1, "row {number}");
        }
    }
}

fn token(value: &str, expires_in_s: u64) -> String {
    format!(r#"{{"access_token":"{value}","token_type":"Bearer","expires_in":{expires_in_s}}}"#)
}

fn credentials(port: u16, proof: ClientProof) -> Credentials {
    let token_url: Uri = format!("http://127.0.0.1:{port}/token").parse().unwrap();
    let (scope, audience) = (Some("offers orders".to_owned()), None);
    let client_id = "acme gw".to_owned();
    Credentials::OAuth2(Box::new(OAuth2 { token_url, client_id, proof, scope, audience }))
}

async fn guarded(answers: &[(u16, &str)]) -> (Double, BackendSettings) {
    let double = Double::default();
    double.gives(answers);
    let port = double.start(None).await;
    let mut settings = settings(&format!("http://127.0.0.1:{port}"));
    settings.credentials = credentials(port, ClientProof::SecretBasic(Secret::new("s:1")));
    (settings.answer_ms_max, settings.in_flight_max) = (5_000, 64);
    (double, settings)
}

#[tokio::test]
async fn a_client_shows_who_it_is_in_three_ways() {
    let (double, mut settings) = guarded(&[(200, &token("t1", 300))]).await;
    let Credentials::OAuth2(basic) = settings.credentials.clone() else { unreachable!() };
    let port = basic.token_url.port_u16().unwrap();
    let pem = KeyPair::generate().unwrap().serialize_pem();
    let key = JwtKey::parse(&Secret::new(pem), Some("k1".to_owned())).unwrap();
    let form = "grant_type=client_credentials&scope=offers+orders";
    let jwt_type = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
    let rows = [
        (ClientProof::SecretBasic(Secret::new("s:1")), Some("Basic YWNtZStndzpzJTNBMQ=="), form.to_owned()),
        (
            ClientProof::SecretPost(Secret::new("s:1")),
            None,
            format!("{form}&client_id=acme+gw&client_secret=s%3A1"),
        ),
        (
            ClientProof::PrivateKeyJwt(key),
            None,
            format!("{form}&client_id=acme+gw&client_assertion_type={jwt_type}&client_assertion=ey"),
        ),
    ];
    for (proof, authorization, body) in rows {
        settings.credentials = credentials(port, proof);
        call(&settings, Method::POST).await.unwrap();
        let (_, _, shown, sent) = double.asked("/token").pop().unwrap();
        assert_eq!(shown.as_deref(), authorization);
        assert!(sent.starts_with(&body), "{sent}");
        assert_eq!(double.asked(API).pop().unwrap().2.as_deref(), Some("Bearer t1"));
    }
}

#[tokio::test]
async fn one_token_serves_many_calls_until_it_is_due() {
    let (double, settings) = guarded(&[(200, &token("t1", 100)), (200, &token("t2", 100))]).await;
    let backends = backends();
    let burst = || {
        let calls = (0..50).map(|_| backends.call(&settings, request(Method::GET, None), soon()));
        futures_util::future::join_all(calls)
    };
    assert!(burst().await.iter().all(Result::is_ok));
    assert_eq!(double.asked("/token").len(), 1, "one fetches for all");
    forward(79).await;
    assert!(burst().await.iter().all(Result::is_ok));
    assert_eq!(double.asked("/token").len(), 1);
    forward(2).await;
    assert!(burst().await.iter().all(Result::is_ok));
    assert_eq!(double.asked("/token").len(), 2, "one fetches anew before the end");
    assert!(double.asked(API)[100..].iter().any(|asked| asked.2.as_deref() == Some("Bearer t2")));
}

/// Lets time pass at once. Not while anything waits for a socket: time would run away.
async fn forward(seconds: u64) {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(seconds)).await;
    tokio::time::resume();
}

#[tokio::test]
async fn an_endpoint_that_is_down_ends_nothing_before_its_time() {
    let (double, settings) = guarded(&[(200, &token("t1", 100)), (503, "{}")]).await;
    let backends = backends();
    let call = async || backends.call(&settings, request(Method::POST, None), soon()).await;
    call().await.unwrap();
    forward(90).await;
    for _ in 0..5 {
        call().await.unwrap();
    }
    assert_eq!(double.asked("/token").len(), 2, "asked once, then left alone for a while");
    forward(11).await;
    let error = call().await.unwrap_err();
    assert_eq!((error.kind, error.sent), (LegacyErrorKind::NoToken, Sent::No));
    assert!(error.detail.contains("503"), "{error}");
    call().await.unwrap_err();
    assert_eq!(double.asked("/token").len(), 3);
    assert_eq!(double.asked(API).len(), 6, "nothing is sent without a token");
    double.gives(&[(200, &token("t2", 100))]);
    forward(1).await;
    call().await.unwrap();
}

#[tokio::test]
async fn a_token_that_is_taken_back_is_fetched_anew_once() {
    let (double, settings) = guarded(&[(200, &token("t1", 100)), (200, &token("t2", 100))]).await;
    *double.accepted.lock().unwrap() = Some("t2".to_owned());
    let backends = backends();
    let reply = backends.call(&settings, request(Method::POST, Some("{}")), soon()).await.unwrap();
    assert_eq!(reply.status, StatusCode::OK);
    *double.accepted.lock().unwrap() = Some("t3".to_owned());
    let reply = backends.call(&settings, request(Method::POST, Some("{}")), soon()).await.unwrap();
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "the mapping may say what that means");
    assert_eq!(double.asked(API).len(), 4);
    assert_eq!(double.asked("/token").len(), 3);
}

#[tokio::test]
async fn what_is_no_token_is_told_without_what_it_holds() {
    let long = token(&"x".repeat(20_000), 1);
    let huge = token(&"x".repeat(70_000), 1);
    let rows = [
        (200, "<html>", "without a JSON body"),
        (400, r#"{"error":"invalid_client","error_description":"hunter-2"}"#, "`invalid_client`"),
        (200, r#"{"access_token":"hunter-2","token_type":"mac"}"#, "no bearer token"),
        (200, r#"{"token_type":"bearer"}"#, "no usable access_token"),
        (200, r#"{"access_token":"a\nb","token_type":"bearer"}"#, "no usable access_token"),
        (200, long.as_str(), "no usable access_token"),
        (200, huge.as_str(), "too large"),
    ];
    for (status, body, told) in rows {
        let (_, settings) = guarded(&[(status, body)]).await;
        let error = call(&settings, Method::GET).await.unwrap_err();
        assert_eq!((error.kind, error.sent), (LegacyErrorKind::NoToken, Sent::No));
        let text = error.to_string();
        assert!(text.contains(told) && !text.contains("hunter-2"), "{text}");
    }
    let (_, settings) = guarded(&[(200, &token("hunter-2", 1))]).await;
    let backends = backends();
    backends.call(&settings, request(Method::GET, None), soon()).await.unwrap();
    assert!(!format!("{backends:?} {settings:?}").contains("hunter-2"));
    // Nor is one that is said to be longer than is believed.
    let (double, settings) = guarded(&[(200, &token("a", 1_000_000_000))]).await;
    let backends = self::backends();
    for (seconds, fetched) in [(0, 1), (86_000, 1), (400, 2)] {
        forward(seconds).await;
        backends.call(&settings, request(Method::GET, None), soon()).await.unwrap();
        assert_eq!(double.asked("/token").len(), fetched);
    }
    // A life that is not said is not taken for ever.
    let (double, settings) = guarded(&[(200, r#"{"access_token":"a","token_type":"bearer"}"#)]).await;
    let backends = self::backends();
    for (seconds, fetched) in [(0, 1), (200, 1), (100, 2)] {
        forward(seconds).await;
        backends.call(&settings, request(Method::GET, None), soon()).await.unwrap();
        assert_eq!(double.asked("/token").len(), fetched);
    }
}
