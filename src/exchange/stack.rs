//! What stands around every exchange, whatever it is about.

use std::{any::Any, convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use tower::{
    ServiceBuilder, ServiceExt, limit::GlobalConcurrencyLimitLayer, load_shed::LoadShedLayer, service_fn,
    util::BoxCloneSyncService,
};
use tower_http::catch_panic::CatchPanicLayer;

use super::{Gateway, seller};

/// The service that `server` runs for each request of a partner.
pub type SonataService = BoxCloneSyncService<Request<Incoming>, Response<Full<Bytes>>, Infallible>;

/// Assembles the layers, outermost first.
///
/// - The panic guard stands outside: nothing within may take the process or the connection down. It answers the
///   500 problem that every operation has.
/// - Admission stands inside it and outside the exchange: over `in_flight_max` a request is refused at once with
///   403 `tooManyUsers` (Sonata up to kylie has no 429), before its body is read. Waiting would only move the
///   queue to where it cannot be seen.
///
/// Deadline and body limits are not layers: they are known only once the partner is, inside the exchange.
#[must_use]
pub fn sonata(gateway: Arc<Gateway>, in_flight_max: usize) -> SonataService {
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
    BoxCloneSyncService::new(service_fn(move |request| {
        let (guarded, gateway) = (guarded.clone(), Arc::clone(&gateway));
        async move {
            // The exchange always answers, so what is left of errors is the load that was shed.
            let Ok(answer) = guarded.oneshot(request).await else {
                return Ok(super::problem::overloaded(&gateway));
            };
            // The guard changes the body's type; the body is whole already, so collecting it copies nothing.
            let (head, body) = answer.into_parts();
            let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            Ok(Response::from_parts(head, Full::new(bytes)))
        }
    }))
}

/// The answer in place of a panic: what went wrong is in the log alone.
#[expect(clippy::needless_pass_by_value, reason = "the layer hands the payload over")]
fn panicked(payload: Box<dyn Any + Send>) -> Response<Full<Bytes>> {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no text");
    tracing::error!(panic = text, "an exchange panicked");
    let body =
        Bytes::from_static(br#"{"code":"internalError","reason":"The request could not be processed."}"#);
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(super::problem::MEDIA_TYPE));
    answer
}
