//! The listener of everything that is played: HTTP/1.1, requests read whole, and the ways in which an answer can go wrong on
//! the wire.

use std::io::{self, Write as _};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep};

use super::fault::{Fault, Kind};

/// Largest message that is read, in bytes.
const BODY_BYTES_MAX: usize = 8 << 20;

/// What a request is answered with.
#[derive(Debug)]
pub(super) struct Answer {
    /// Without a fault, what is written.
    pub response: Response<Bytes>,
    /// Time before it is written, in milliseconds; what was asked for has been done by then.
    pub late_ms: u64,
    /// What goes wrong with it. Faults with an answer of their own ([`Kind::Status`], [`Kind::Rc8`]) are put into `response` by
    /// who answers.
    pub fault: Option<Fault>,
}

impl Answer {
    /// At once, and nothing goes wrong.
    pub fn of(response: Response<Bytes>) -> Self {
        Self { response, late_ms: 0, fault: None }
    }
}

/// A response; without a media type where there is no body.
pub(super) fn response(status: u16, media_type: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let body = body.into();
    let is_empty = body.is_empty();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if !is_empty {
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    response
}

/// Accepts connections without end, and gives each request to `handle`. Connections end with the future.
pub(super) async fn accept<H>(listener: TcpListener, handle: H)
where
    H: Fn(&Parts, &Bytes) -> Answer + Clone + Send + Sync + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        // A connection that failed before it was accepted concerns nobody but its caller.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        _ = stream.set_nodelay(true);
        connections.spawn(serve(stream, handle.clone()));
    }
}

async fn serve<H>(stream: TcpStream, handle: H)
where
    H: Fn(&Parts, &Bytes) -> Answer + Clone + Send + Sync + 'static,
{
    let surplus = Arc::new(Surplus::default());
    let wire = Wire { stream, surplus: Arc::clone(&surplus) };
    let service = service_fn(move |request| answer(handle.clone(), Arc::clone(&surplus), request));
    // An error here is a caller that went away, or a fault that was asked for.
    _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(wire), service).await;
}

async fn answer<H>(
    handle: H,
    surplus: Arc<Surplus>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, io::Error>
where
    H: Fn(&Parts, &Bytes) -> Answer,
{
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(io::Error::other)?.to_bytes();
    let Answer { response, late_ms, fault } = handle(&head, &body);
    // After the effect: a caller that gives up waiting has still been served.
    if late_ms > 0 {
        sleep(Duration::from_millis(late_ms)).await;
    }
    match fault {
        None => Ok(response.map(|body| Outgoing::Whole(Some(body)))),
        Some(fault) => broken(response, &fault, &surplus),
    }
}

fn replaced(status: u16, media_type: &'static str, body: &'static [u8]) -> Response<Outgoing> {
    response(status, media_type, Bytes::from_static(body)).map(|body| Outgoing::Whole(Some(body)))
}

/// Breaks the answer as the fault says; an error closes the connection at once.
fn broken(
    response: Response<Bytes>,
    fault: &Fault,
    surplus: &Surplus,
) -> Result<Response<Outgoing>, io::Error> {
    let (mut head, body) = response.into_parts();
    if let Some(seconds) = fault.retry_after_s {
        head.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    let own = |body| Response::from_parts(head.clone(), body);
    let half = body.len() / 2;
    Ok(match fault.kind {
        Kind::Late | Kind::Status | Kind::Rc8 => own(Outgoing::Whole(Some(body))),
        Kind::Drop => return Err(io::Error::other("dropped as asked")),
        Kind::Garbage => replaced(200, "application/json", b"\xff\xfe{\"id\": O-1, ]]"),
        Kind::Html => replaced(200, "text/html", b"<html><body><h1>Maintenance</h1></body></html>"),
        Kind::Text => replaced(503, "text/plain", b"SYSTEM DOWN, TRY LATER\r\n"),
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
