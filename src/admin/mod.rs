//! The second port: what an operator and a scraper ask.
//!
//! `GET /live`, `GET /ready`, `GET /metrics`, `GET /plan`, `POST /reload`. It answers JSON or the exposition
//! format, is meant for loopback or a private network, and never shows a payload or a credential.

use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tower::{service_fn, util::BoxCloneSyncService};

use crate::{
    plan::{Plan, PlanHandle, Served},
    telemetry::metrics::Metrics,
};

/// Someone who asks for a reload and waits for what comes of it: `Ok` the new generation, `Err` the diagnostics.
pub type ReloadRequest = oneshot::Sender<Result<u64, String>>;

/// What the admin port shows.
#[derive(Clone)]
pub struct Admin {
    /// The live plan.
    pub plan: PlanHandle,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Where a reload is asked for.
    pub reload: mpsc::Sender<ReloadRequest>,
}

/// The service of the admin listener; it does not read bodies.
pub type AdminService<B> = BoxCloneSyncService<Request<B>, Response<Full<Bytes>>, Infallible>;

/// Makes the service.
#[must_use]
pub fn service<B: Send + 'static>(admin: Admin) -> AdminService<B> {
    BoxCloneSyncService::new(service_fn(move |request: Request<B>| {
        let admin = admin.clone();
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        async move { Ok(answer(&admin, &method, &path).await) }
    }))
}

const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn answer(admin: &Admin, method: &Method, path: &str) -> Response<Full<Bytes>> {
    match (method, path) {
        (&Method::GET, "/live") => json_answer(StatusCode::OK, &json!({ "live": true })),
        (&Method::GET, "/ready") => json_answer(
            StatusCode::OK,
            &json!({ "ready": true, "generation": admin.plan.load().generation() }),
        ),
        (&Method::GET, "/metrics") => text_answer(StatusCode::OK, METRICS_TYPE, admin.metrics.render()),
        (&Method::GET, "/plan") => json_answer(StatusCode::OK, &describe(&admin.plan.load())),
        (&Method::POST, "/reload") => reload(admin).await,
        (_, "/live" | "/ready" | "/metrics" | "/plan" | "/reload") => {
            let allowed = if path == "/reload" { "POST" } else { "GET" };
            let mut answer = json_answer(StatusCode::METHOD_NOT_ALLOWED, &json!({ "allow": allowed }));
            answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
            answer
        }
        _ => json_answer(StatusCode::NOT_FOUND, &json!({ "error": "no such page" })),
    }
}

async fn reload(admin: &Admin) -> Response<Full<Bytes>> {
    let (reply, result) = oneshot::channel();
    if admin.reload.try_send(reply).is_err() {
        return json_answer(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({ "error": "a reload is already waiting" }),
        );
    }
    match result.await {
        Ok(Ok(generation)) => json_answer(StatusCode::OK, &json!({ "generation": generation })),
        Ok(Err(diagnostics)) => {
            text_answer(StatusCode::UNPROCESSABLE_ENTITY, "text/plain; charset=utf-8", diagnostics)
        }
        Err(_) => {
            json_answer(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": "the program is stopping" }))
        }
    }
}

/// The plan in words: partners, operations and how each is served.
fn describe(plan: &Plan) -> Value {
    let partners = plan.partners().map(|partner| {
        let operations = partner.operations().map(|(function, operation, served)| {
            json!({ "function": function.name(), "operationId": operation, "served": served_as(served) })
        });
        json!({
            "partner": partner.id().as_str(),
            "mapping": partner.settings().mapping.value,
            "operations": operations.collect::<Vec<_>>(),
        })
    });
    json!({ "generation": plan.generation(), "hash": plan.hash(), "partners": partners.collect::<Vec<_>>() })
}

fn served_as(served: &Served) -> &'static str {
    match served {
        Served::Mapped(_) => "legacy",
        Served::Manual => "manual",
        Served::Off => "off",
        Served::Unmapped => "unmapped",
    }
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    text_answer(status, "application/json", body.to_string())
}

fn text_answer(status: StatusCode, media_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(media_type));
    answer
}
