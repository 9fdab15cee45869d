//! The listener: HTTP/1.1, and the ways in which an answer can go wrong on the wire.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Sleep, sleep};

use super::fault::{Fault, Kind};
use super::journal::Entry;
use super::reply::Reply;
use super::{Bss, Settings, alone, caller, route};

/// Largest message that is read, in bytes.
const BODY_BYTES_MAX: usize = 8 << 20;

/// A desk that listens. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Running {
    /// Where it listens; with port 0 asked for, the port that was given.
    pub local_addr: SocketAddr,
    /// The desk itself, for its journal and faults.
    pub bss: Bss,
    task: JoinHandle<()>,
}

impl Running {
    /// Stops listening and closes every connection.
    pub async fn stop(mut self) {
        self.task.abort();
        // The join error is the abort that was just asked for.
        _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Opens a desk and lets it listen on `address`.
///
/// # Errors
/// Those of binding to the address.
pub async fn start(address: SocketAddr, settings: Settings) -> io::Result<Running> {
    let listener = TcpListener::bind(address).await?;
    let local_addr = listener.local_addr()?;
    let bss = Bss::new(&settings);
    let (own, latency) = (bss.clone(), Duration::from_millis(settings.latency_ms));
    let work = settings.step_ms.map(|step_ms| alone::run(bss.clone(), Duration::from_millis(step_ms)));
    let task = tokio::spawn(async move {
        // All three are without end, and end with the task.
        let work = async {
            match work {
                Some(work) => work.await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(accept(listener, own.clone(), latency), caller::run(own), work);
    });
    Ok(Running { local_addr, bss, task })
}

async fn accept(listener: TcpListener, bss: Bss, latency: Duration) {
    // The connections end with this task: the set aborts them when it is dropped.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // A connection that failed before it was accepted concerns nobody but its caller.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        _ = stream.set_nodelay(true);
        connections.spawn(serve(stream, bss.clone(), latency));
    }
}

async fn serve(stream: TcpStream, bss: Bss, latency: Duration) {
    let surplus = Arc::new(Surplus::default());
    let wire = Wire { stream, surplus: Arc::clone(&surplus) };
    let service = service_fn(move |request| handle((bss.clone(), latency), Arc::clone(&surplus), request));
    // An error here is a caller that went away, or a fault that was asked for.
    _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(wire), service).await;
}

async fn handle(
    (bss, latency): (Bss, Duration),
    surplus: Arc<Surplus>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, io::Error> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return Err(io::Error::other(error)),
    };
    let path = head.uri.path();
    let asked = route::Request { method: head.method.as_str(), path, query: head.uri.query(), body: &body };
    if path.starts_with("/sim/") {
        let reply = {
            let mut state = bss.lock();
            let reply = route::answer(&mut state, &asked);
            caller::collect(&mut state, &[]);
            reply
        };
        bss.told.notify_one();
        return Ok(plain(reply));
    }
    let own = head
        .headers
        .get("x-sim-fault")
        .and_then(|value| serde_json::from_slice::<Fault>(value.as_bytes()).ok());
    let fault = match own {
        Some(fault) => Some(fault),
        None => bss.lock().faults.take(asked.method, path),
    };
    let reply = act(&bss, &asked, fault.as_ref());
    // After the effect: a caller that gives up waiting has still been served.
    let late = latency + Duration::from_millis(fault.as_ref().map_or(0, |fault| fault.latency_ms));
    if !late.is_zero() {
        sleep(late).await;
    }
    match fault {
        None => Ok(plain(reply)),
        Some(fault) => broken(reply, &fault, &surplus),
    }
}

/// Does what is asked, as far as the fault lets it, and writes it down.
fn act(bss: &Bss, asked: &route::Request<'_>, fault: Option<&Fault>) -> Reply {
    let mut state = bss.lock();
    let mut reply = match fault {
        Some(fault) if !fault.lets_act() => Reply::nothing(),
        _ => route::answer(&mut state, asked),
    };
    let made = std::mem::take(&mut reply.made);
    caller::collect(&mut state, &made);
    bss.told.notify_one();
    state.journal.write(|n| Entry {
        n,
        method: asked.method.to_owned(),
        path: asked.query.map_or_else(|| asked.path.to_owned(), |query| format!("{}?{query}", asked.path)),
        body: asked.body.clone(),
        status: fault.map_or(reply.status, |fault| status_of(fault, reply.status)),
        made,
        fault: fault.map(|fault| fault.kind.name()),
    });
    reply
}

fn status_of(fault: &Fault, own: u16) -> u16 {
    match fault.kind {
        Kind::Status => fault.status,
        Kind::Drop => 0,
        Kind::Garbage | Kind::Html | Kind::Rc8 => 200,
        Kind::Text => 503,
        _ => own,
    }
}

fn plain(reply: Reply) -> Response<Outgoing> {
    response(reply.status, reply.media_type, Outgoing::Whole(Some(reply.body.into())))
}

fn response(status: u16, media_type: &'static str, body: Outgoing) -> Response<Outgoing> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn replaced(status: u16, media_type: &'static str, body: &'static [u8]) -> Response<Outgoing> {
    response(status, media_type, Outgoing::Whole(Some(Bytes::from_static(body))))
}

/// Breaks the answer as the fault says; an error closes the connection at once.
fn broken(reply: Reply, fault: &Fault, surplus: &Surplus) -> Result<Response<Outgoing>, io::Error> {
    let body = Bytes::from(reply.body);
    let own = |body| response(reply.status, reply.media_type, body);
    let half = body.len() / 2;
    Ok(match fault.kind {
        Kind::Late => own(Outgoing::Whole(Some(body))),
        Kind::Drop => return Err(io::Error::other("dropped as asked")),
        Kind::Status => {
            let row = br#"{"err":[{"code":"E99","t":"system error"}]}"#;
            replaced(fault.status, "application/json", row)
        }
        Kind::Garbage => replaced(200, "application/json", b"\xff\xfe{\"offerNo\": O-1, ]]"),
        Kind::Html => replaced(200, "text/html", b"<html><body><h1>Maintenance</h1></body></html>"),
        Kind::Text => replaced(503, "text/plain", b"SYSTEM DOWN, TRY LATER\r\n"),
        Kind::Rc8 => replaced(200, "application/json", br#"{"rc":8,"t":"day end running"}"#),
        Kind::Short => {
            let length = body.len();
            let pieces = vec![body.slice(..half)];
            with_length(own(Outgoing::pieces(pieces, 0, true)), length)
        }
        Kind::Drip => {
            let length = body.len();
            let pieces = body.chunks(16).map(|piece| body.slice_ref(piece)).collect();
            with_length(own(Outgoing::pieces(pieces, fault.pause_ms, false)), length)
        }
        Kind::Length => {
            surplus.add(&body[half..]);
            own(Outgoing::Whole(Some(body.slice(..half))))
        }
        Kind::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(&body)?;
            let mut response = own(Outgoing::Whole(Some(encoder.finish()?.into())));
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Kind::Huge => {
            let mut padded = vec![b' '; fault.bytes];
            padded.extend_from_slice(&body);
            own(Outgoing::Whole(Some(padded.into())))
        }
    })
}

fn with_length(mut response: Response<Outgoing>, length: usize) -> Response<Outgoing> {
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// A body on its way out.
enum Outgoing {
    Whole(Option<Bytes>),
    Pieces { pieces: std::vec::IntoIter<Bytes>, pause: Duration, sleep: Option<Pin<Box<Sleep>>>, fails: bool },
}

impl Outgoing {
    fn pieces(pieces: Vec<Bytes>, pause_ms: u64, fails: bool) -> Self {
        let pause = Duration::from_millis(pause_ms);
        Self::Pieces { pieces: pieces.into_iter(), pause, sleep: None, fails }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Pieces { pieces, pause, sleep: waiting, fails } => {
                if let Some(waiting) = waiting {
                    ready!(waiting.as_mut().poll(cx));
                }
                *waiting = (!pause.is_zero()).then(|| Box::pin(sleep(*pause)));
                match pieces.next() {
                    Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                    None if *fails => Poll::Ready(Some(Err(io::Error::other("cut as asked")))),
                    None => Poll::Ready(None),
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Pieces { .. } => SizeHint::default(),
        }
    }
}

/// Bytes that follow an answer on the wire although its length does not count them.
#[derive(Default)]
struct Surplus {
    any: AtomicBool,
    bytes: Mutex<Vec<u8>>,
}

impl Surplus {
    fn add(&self, bytes: &[u8]) {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        self.any.store(true, Ordering::Release);
    }
}

/// A connection that writes the surplus after what was flushed.
struct Wire {
    stream: TcpStream,
    surplus: Arc<Surplus>,
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.surplus.any.load(Ordering::Acquire) {
            let mut bytes = this.surplus.bytes.lock().unwrap_or_else(PoisonError::into_inner);
            while !bytes.is_empty() {
                let written = ready!(Pin::new(&mut this.stream).poll_write(cx, &bytes))?;
                bytes.drain(..written);
            }
            this.surplus.any.store(false, Ordering::Release);
        }
        Pin::new(&mut this.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
