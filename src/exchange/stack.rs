//! What stands around every exchange, whatever it is about.

use std::{
    any::Any,
    convert::Infallible,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::Incoming,
    service::{Service, service_fn},
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, mpsc},
    time::timeout,
};

use super::{Gateway, receive, seller};

/// What `server` runs for each request of a partner.
pub trait SonataService:
    Service<Request<Incoming>, Response = Response<Full<Bytes>>, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + 'static
{
}

impl<S> SonataService for S where
    S: Service<
            Request<Incoming>,
            Response = Response<Full<Bytes>>,
            Error = Infallible,
            Future: Send + 'static,
        > + Clone
        + Send
        + 'static
{
}

/// Time after its deadline that an exchange gets to say itself what happened, in milliseconds.
const LAST_WORDS_MS_MAX: u64 = 500;

/// The exchanges that are not at their end, their callers being there or gone.
#[derive(Debug)]
pub struct Unfinished(mpsc::Receiver<Infallible>);

impl Unfinished {
    /// Returns when the service and all its clones are gone and the last exchange has ended.
    pub async fn done(mut self) {
        // Nothing is ever sent: the end of the channel is the message.
        let _ = self.0.recv().await;
    }
}

/// The service that `server` runs for each request of a partner.
///
/// - A caller that goes away, or whose time is over, does not end an exchange in the middle, where a legacy system may
///   have acted and nothing is kept yet: what is left of it becomes a task of its own (`Finishing`). [`Unfinished`]
///   waits for all.
/// - The panic guard is outermost: nothing within may take the process or the connection down. It answers the 500
///   problem that every operation has. The exchange has a guard of its own, which knows what the exchange was about.
/// - Admission stands inside it and outside the exchange: over `in_flight_max` a request is refused at once with
///   403 `tooManyUsers` (Sonata up to kylie has no 429), before its body is read. Waiting would only move the
///   queue to where it cannot be seen.
///
/// Body limits stand inside the exchange: they are known only once the partner is.
#[must_use]
pub fn sonata(gateway: Arc<Gateway>, in_flight_max: usize) -> (impl SonataService, Unfinished) {
    service(gateway, in_flight_max, Caller::Partner)
}

/// The service of the internal listener, for messages of our own legacy systems: the same guards, and permits of its own.
#[must_use]
pub fn internal(gateway: Arc<Gateway>, in_flight_max: usize) -> (impl SonataService, Unfinished) {
    service(gateway, in_flight_max, Caller::Legacy)
}

/// Who calls on a listener.
#[derive(Debug, Clone, Copy)]
enum Caller {
    Partner,
    Legacy,
}

fn service(gateway: Arc<Gateway>, in_flight_max: usize, caller: Caller) -> (impl SonataService, Unfinished) {
    let (alive, ended) = mpsc::channel::<Infallible>(1);
    let permits = Arc::new(Semaphore::new(in_flight_max.min(Semaphore::MAX_PERMITS)));
    let service = service_fn(move |request: Request<Incoming>| {
        let deadline_max = gateway.plan.load().settings().gateway.limits.exchange_deadline_max;
        let limit = deadline_max + Duration::from_millis(LAST_WORDS_MS_MAX);
        // The exchange holds its permit to its end, however long its caller waits for it.
        let admitted = Arc::clone(&permits).try_acquire_owned().map(|permit| {
            let (gateway, held) = (Arc::clone(&gateway), (permit, alive.clone()));
            Finishing::new(async move {
                let answer = match caller {
                    Caller::Partner => seller::exchange(&gateway, request).await,
                    Caller::Legacy => receive::exchange(&gateway, request).await,
                };
                drop(held);
                answer
            })
        });
        let admitted = admitted.map_err(|_| match caller {
            Caller::Partner => super::problem::overloaded(&gateway),
            Caller::Legacy => super::problem::overloaded_for_legacy(),
        });
        async move {
            Ok(match admitted {
                Ok(exchange) => timeout(limit, exchange).await.unwrap_or_else(|_| super::problem::late()),
                Err(overloaded) => overloaded,
            })
        }
    });
    (service, Unfinished(ended))
}

/// An exchange that runs to its end whatever becomes of whoever waits for it: in the caller's own task while the
/// caller is there, so that it costs no task and no thread switch, and when it is dropped before its end, in a task
/// of its own. A panic in it is the answer of [`panicked`].
struct Finishing(Option<Work>);

type Work = Pin<Box<dyn Future<Output = Response<Full<Bytes>>> + Send>>;

impl Finishing {
    fn new(exchange: impl Future<Output = Response<Full<Bytes>>> + Send + 'static) -> Self {
        Self(Some(Box::pin(exchange)))
    }
}

impl Future for Finishing {
    type Output = Response<Full<Bytes>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(exchange) = &mut self.0 else { return Poll::Pending };
        match AssertUnwindSafe(exchange).catch_unwind().poll_unpin(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(ended) => {
                self.0 = None;
                Poll::Ready(ended.unwrap_or_else(panicked))
            }
        }
    }
}

impl Drop for Finishing {
    fn drop(&mut self) {
        // Outside of a runtime nothing runs any more; the journal has what was under way. The task must not be a
        // `Finishing` again: a runtime that shuts down drops what is spawned on it at once.
        if let (Some(exchange), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(
                AssertUnwindSafe(exchange).catch_unwind().map(|ended| drop(ended.unwrap_or_else(panicked))),
            );
        }
    }
}

/// The answer in place of a panic: what went wrong is in the log alone.
#[expect(clippy::needless_pass_by_value, reason = "the guard hands the payload over")]
fn panicked(payload: Box<dyn Any + Send>) -> Response<Full<Bytes>> {
    tracing::error!(panic = panic_text(&*payload), "an exchange panicked");
    internal_error()
}

/// The text of a panic.
pub(super) fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no text")
}

fn internal_error() -> Response<Full<Bytes>> {
    let body =
        Bytes::from_static(br#"{"code":"internalError","reason":"The request could not be processed."}"#);
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(super::wire::MEDIA_TYPE));
    answer
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_exchange_whose_caller_is_gone_comes_to_its_end() {
        let (go, gone) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel::<()>();
        let mut exchange = Finishing::new(async move {
            let _ = gone.await;
            let _ = tell.send(());
            internal_error()
        });
        assert!((&mut exchange).now_or_never().is_none());
        drop(exchange);
        go.send(()).unwrap();
        told.await.unwrap();
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let answer = Finishing::new(async { panic!("a defect") }).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn what_is_dropped_with_its_runtime_ends_there() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.spawn(Finishing::new(std::future::pending()));
        runtime.block_on(tokio::task::yield_now());
        drop(runtime);
        drop(Finishing::new(std::future::pending()));
    }
}
