//! What stands around every exchange, whatever it is about.

use std::{any::Any, convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tokio::{sync::mpsc, time::timeout};
use tower::{
    Service as _, ServiceBuilder, ServiceExt, limit::GlobalConcurrencyLimitLayer, load_shed::LoadShedLayer,
    service_fn, util::BoxCloneSyncService,
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{Gateway, seller};

/// The service that `server` runs for each request of a partner.
pub type SonataService = BoxCloneSyncService<Request<Incoming>, Response<Full<Bytes>>, Infallible>;

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

/// Assembles the layers, outermost first.
///
/// - Each exchange is a task of its own: a caller that goes away, or whose time is over, does not end it in the
///   middle, where a legacy system may have acted and nothing is kept yet. [`Unfinished`] waits for these tasks.
/// - The panic guard stands outside of what is left: nothing within may take the process or the connection down.
///   It answers the 500 problem that every operation has. The exchange has a guard of its own, which knows what
///   the exchange was about.
/// - Admission stands inside it and outside the exchange: over `in_flight_max` a request is refused at once with
///   403 `tooManyUsers` (Sonata up to kylie has no 429), before its body is read. Waiting would only move the
///   queue to where it cannot be seen.
///
/// Body limits are no layer: they are known only once the partner is, inside the exchange.
#[must_use]
pub fn sonata(gateway: Arc<Gateway>, in_flight_max: usize) -> (SonataService, Unfinished) {
    let (alive, ended) = mpsc::channel::<Infallible>(1);
    let exchange = {
        let gateway = Arc::clone(&gateway);
        service_fn(move |request| {
            let gateway = Arc::clone(&gateway);
            async move { Ok::<_, Infallible>(seller::exchange(&gateway, request).await) }
        })
    };
    let guarded = ServiceBuilder::new()
        .layer(CatchPanicLayer::custom(panicked))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(in_flight_max))
        .service(exchange);
    let service = BoxCloneSyncService::new(service_fn(move |request| {
        let (mut guarded, gateway, alive) = (guarded.clone(), Arc::clone(&gateway), alive.clone());
        async move {
            let deadline_max = gateway.plan.load().settings().gateway.limits.exchange_deadline_max;
            let task = tokio::spawn(async move {
                // Shedding load is always ready; the permit is held by the task, not by the caller's wait for it.
                let answer = match guarded.ready().await {
                    Ok(guarded) => guarded.call(request).await,
                    Err(error) => Err(error),
                };
                drop(alive);
                // The exchange always answers, so what is left of errors is the load that was shed.
                let Ok(answer) = answer else { return super::problem::overloaded(&gateway) };
                // The guard changes the body's type; the body is whole already, so collecting it copies nothing.
                let (head, body) = answer.into_parts();
                let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
                Response::from_parts(head, Full::new(bytes))
            });
            let last_words = Duration::from_millis(LAST_WORDS_MS_MAX);
            Ok(match timeout(deadline_max + last_words, task).await {
                Ok(Ok(answer)) => answer,
                Ok(Err(_)) => internal_error(),
                Err(_) => super::problem::late(),
            })
        }
    }));
    (service, Unfinished(ended))
}

/// The answer in place of a panic: what went wrong is in the log alone.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the payload over")]
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
