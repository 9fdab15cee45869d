//! Serving: one task per connection, a permit each, and the drain at the end.

use std::{
    convert::Infallible,
    future::poll_fn,
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    task::{Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, service::Service};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    Credential, Limits, Listener, PeerIdentity, Written,
    activity::{Activity, Patience},
    io::TimedIo,
};

/// Most exchanges at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 100;

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that still had an exchange in flight when `drain_ms_max` had passed, and were cut.
    pub cut: usize,
}

/// What a connection is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Draining,
    Cut,
}

/// Serves until `shutdown` completes, then drains.
///
/// Each request reaches `service` with a [`PeerIdentity`] among its extensions. Draining closes the listener
/// at once, lets exchanges in flight end within `drain_ms_max`, and cuts off what is left.
pub async fn serve<S>(
    listener: Listener,
    service: S,
    shutdown: impl Future<Output = ()>,
    limits: Limits,
) -> Drained
where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let http = Arc::new(protocol(&limits));
    let permits = Arc::new(Semaphore::new(limits.connections_max as usize));
    let (phase, _) = watch::channel(Phase::Open);
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            accepted = next(&listener, &permits) => accepted,
        };
        let Some((permit, stream, peer)) = accepted else { break };
        let identity =
            PeerIdentity { address: peer, listener: listener.address(), credential: Credential::None };
        let one = connection(Arc::clone(&http), stream, service.clone(), identity, limits, phase.subscribe());
        let counted = listener.count();
        tokio::spawn(async move {
            one.await;
            drop((permit, counted));
        });
    }
    drop(listener);
    drain(&permits, &phase, &limits).await
}

async fn next(
    listener: &Listener,
    permits: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    let (stream, peer) = listener.accept().await;
    Some((permit, stream, peer))
}

async fn drain(permits: &Semaphore, phase: &watch::Sender<Phase>, limits: &Limits) -> Drained {
    phase.send_replace(Phase::Draining);
    let all = limits.connections_max;
    let drained = timeout(Duration::from_millis(limits.drain_ms_max), permits.acquire_many(all)).await;
    if drained.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = (all as usize).saturating_sub(permits.available_permits());
    phase.send_replace(Phase::Cut);
    tracing::warn!(cut, drain_ms_max = limits.drain_ms_max, "cut off what was still in flight");
    let _ = permits.acquire_many(all).await;
    Drained { cut }
}

fn protocol(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes_max.max(8192))
        .max_headers(limits.headers_max)
        .half_close(false);
    http.http2()
        .max_header_list_size(u32::try_from(limits.header_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS_MAX);
    http
}

/// Counts an exchange as running until its answer is there or it is dropped.
struct Running(Arc<Activity>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.end();
    }
}

async fn connection<S>(
    http: Arc<auto::Builder<TokioExecutor>>,
    stream: TcpStream,
    service: S,
    identity: PeerIdentity,
    limits: Limits,
    mut phase: watch::Receiver<Phase>,
) where
    S: Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let activity = Arc::new(Activity::new());
    let watched = Arc::clone(&activity);
    let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
        watched.begin(request.version());
        let running = Running(Arc::clone(&watched));
        request.extensions_mut().insert(identity.clone());
        let answer = service.call(request);
        let watched = Arc::clone(&watched);
        async move {
            let mut answer = answer.await;
            drop(running);
            if let Ok(answer) = &mut answer
                && let Some(written) = answer.extensions_mut().remove::<Written>()
            {
                watched.answering(written);
            }
            answer
        }
    });
    let write_max = Duration::from_millis(limits.answer_write_ms_max);
    let io = TokioIo::new(TimedIo::new(stream, Arc::clone(&activity), write_max));
    let mut conn = pin!(http.serve_connection(io, service));
    let mut watch = pin!(expiry(&activity, &limits));
    let mut told = Phase::Open;
    loop {
        tokio::select! {
            biased;
            ended = conn.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%error, "connection ended");
                }
                return;
            }
            // Polled after the connection, so that it sees what the connection just did.
            () = watch.as_mut() => return,
            changed = phase.changed() => {
                // The sender outlives every connection that holds a permit; without it there is no server.
                let now = if changed.is_ok() { *phase.borrow_and_update() } else { Phase::Cut };
                match now {
                    Phase::Cut => return,
                    Phase::Draining if told == Phase::Open => conn.as_mut().graceful_shutdown(),
                    Phase::Draining | Phase::Open => {}
                }
                told = now;
            }
        }
    }
}

/// Ends when the connection is to be closed for doing nothing, or too little.
///
/// One timer per connection: it is moved only when the end comes nearer, and looks again when it fires, so an
/// exchange on a busy connection costs no timer.
async fn expiry(activity: &Activity, limits: &Limits) {
    let header = Duration::from_millis(limits.header_read_ms_max);
    let patience = Patience { header, idle: Duration::from_millis(limits.idle_ms_max) };
    let mut timer = pin!(sleep(header));
    poll_fn(|cx| {
        loop {
            let expires = activity.expires(patience);
            if let Some(expires) = expires
                && expires < timer.deadline()
            {
                timer.as_mut().reset(expires);
            }
            ready!(timer.as_mut().poll(cx));
            match expires {
                Some(expires) if expires <= timer.deadline() => return Poll::Ready(()),
                Some(expires) => timer.as_mut().reset(expires),
                None => timer.as_mut().reset(Instant::now() + patience.idle),
            }
        }
    })
    .await;
}
