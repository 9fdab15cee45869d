//! Real sockets on loopback, with clients that misbehave.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep, timeout},
};

use super::*;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Drained>,
}

/// Answers `/slow` after 300 ms, `/stuck` never, `/large` with 8 MB, `/who` with the caller's address.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let peer = request.extensions().get::<PeerIdentity>().cloned().unwrap();
    let body = match request.uri().path() {
        "/slow" => {
            sleep(Duration::from_millis(2500)).await;
            Bytes::from_static(b"late")
        }
        "/stuck" => std::future::pending().await,
        "/large" => Bytes::from(vec![b'x'; 8 << 20]),
        "/who" => Bytes::from(format!("{} {}", peer.address, peer.is_loopback())),
        _ => match request.into_body().collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => Bytes::from_static(b"broken"),
        },
    };
    Ok(Response::new(Full::new(body)))
}

async fn start(limits: Limits) -> Running {
    start_listener(Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap(), limits)
}

fn start_listener(listener: Listener, limits: Limits) -> Running {
    let address = listener.address();
    let (stop, stopped) = oneshot::channel::<()>();
    let ended = tokio::spawn(serve(
        listener,
        hyper::service::service_fn(answer),
        async {
            let _ = stopped.await;
        },
        limits,
    ));
    Running { address, stop, ended }
}

fn quick() -> Limits {
    Limits {
        header_read_ms_max: 200,
        // So much longer than the others that a busy machine cannot take one for another.
        idle_ms_max: 40_000,
        answer_write_ms_max: 400,
        drain_ms_max: 5000,
        ..Limits::default()
    }
}

async fn talk(stream: &mut TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut buffer = [0; 4096];
    let read = timeout(Duration::from_mins(1), stream.read(&mut buffer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&buffer[..read]).into_owned()
}

/// How long until the server closes, in milliseconds.
async fn closed_after(stream: &mut TcpStream) -> u128 {
    let start = Instant::now();
    let mut sink = [0; 4096];
    timeout(Duration::from_mins(1), async { while let Ok(1..) = stream.read(&mut sink).await {} })
        .await
        .expect("the server closes");
    start.elapsed().as_millis()
}

#[tokio::test]
async fn a_request_is_answered_and_knows_its_caller() {
    let server = start(quick()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let me = stream.local_addr().unwrap();
    let text = talk(&mut stream, "GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(text.ends_with(&format!("{me} true")), "{text}");
    let text = talk(&mut stream, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi").await;
    assert!(text.ends_with("hi"), "{text}");
}

#[tokio::test]
async fn open_connections_are_counted() {
    let metrics = std::sync::Arc::new(crate::telemetry::Metrics::new().unwrap());
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let server = start_listener(listener.counted(metrics.clone()), quick());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    talk(&mut stream, "GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(metrics.render().contains("segue_connections 1"));
    server.stop.send(()).unwrap();
    server.ended.await.unwrap();
    assert!(metrics.render().contains("segue_connections 0"));
}

#[tokio::test]
async fn silent_slow_and_idle_callers_are_closed() {
    let server = start(quick()).await;
    for first in ["", "G", "GET / HTTP/1.1\r\nhost:", "PRI * HTTP/2.0\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        let ms = closed_after(&mut stream).await;
        assert!((100..30_000).contains(&ms), "{first:?} closed after {ms} ms");
    }
    let server = start(Limits { idle_ms_max: 600, ..quick() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    talk(&mut stream, "GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let ms = closed_after(&mut stream).await;
    assert!((500..60_000).contains(&ms), "idle closed after {ms} ms");
}

#[tokio::test]
async fn a_header_that_drips_is_cut_off_on_a_kept_connection_too() {
    let server = start(quick()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    talk(&mut stream, "GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let start = Instant::now();
    while stream.write_all(b"G").await.is_ok() {
        assert!(start.elapsed().as_secs() < 30, "still open");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_exchange_longer_than_the_idle_limit_is_not_cut() {
    let server = start(Limits { idle_ms_max: 50, header_read_ms_max: 2000, ..quick() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let text = talk(&mut stream, "GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(text.ends_with("late"), "{text}");
}

#[tokio::test]
async fn a_caller_that_does_not_take_its_answer_is_cut_off() {
    let server = start(Limits { connections_max: 1, ..quick() }).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // The only permit comes back although the first caller never reads.
    let mut second = TcpStream::connect(server.address).await.unwrap();
    let text = talk(&mut second, "GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(text.contains("200 OK"), "{text}");
}

#[tokio::test]
async fn a_header_over_the_limits_is_refused() {
    let server = start(Limits { header_bytes_max: 8192, headers_max: 20, ..quick() }).await;
    let long = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(20_000));
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: y\r\n".repeat(30));
    for text in [long, many] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let answer = talk(&mut stream, &text).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
}

#[tokio::test]
async fn draining_finishes_what_is_in_flight_and_takes_nothing_new() {
    let server = start(quick()).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    talk(&mut idle, "GET /who HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let mut busy = TcpStream::connect(server.address).await.unwrap();
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(500)).await;
    server.stop.send(()).unwrap();
    let text = talk(&mut busy, "").await;
    assert!(text.contains("connection: close") && text.ends_with("late"), "{text}");
    assert_eq!(server.ended.await.unwrap(), Drained { cut: 0 });
    assert!(TcpStream::connect(server.address).await.is_err());
    closed_after(&mut idle).await;
}

#[tokio::test]
async fn draining_ends_at_its_limit() {
    let server = start(Limits { drain_ms_max: 200, ..quick() }).await;
    let mut stuck = TcpStream::connect(server.address).await.unwrap();
    stuck.write_all(b"GET /stuck HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    server.stop.send(()).unwrap();
    assert_eq!(server.ended.await.unwrap(), Drained { cut: 1 });
    assert!((150..40_000).contains(&start.elapsed().as_millis()));
    closed_after(&mut stuck).await;
}

#[tokio::test]
async fn http2_is_understood_by_its_preface() {
    use hyper_util::rt::{TokioExecutor, TokioIo};

    let server = start(quick()).await;
    let stream = TcpStream::connect(server.address).await.unwrap();
    let (mut send, conn) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(conn);
    let request = Request::post("http://a/").body(Full::new(Bytes::from_static(b"hi"))).unwrap();
    let answer = send.send_request(request).await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "hi");
}
