//! The second port: what an operator and a scraper ask.
//!
//! `GET /live`, `GET /ready`, `GET /metrics`, `GET /plan`, `POST /reload`, `GET /events`, `POST /events/replay`,
//! `/attention`, `/work`, `GET` and `POST /record`, and
//! `POST /workbench/…` for who writes mappings. It answers JSON or the exposition format, is meant for loopback or a
//! private network, and never shows a credential. Payloads of partners are shown by `/record`, where the configuration
//! allows it, and masked; and by `/work` to who has to answer them.

mod attention;
mod events;
mod record;
mod work;
mod workbench;

pub use attention::{Attention, AttentionAnswer, AttentionRequest};
pub use events::{EventAnswer, EventRequest, Events};
pub use record::{Record, RecordAnswer, RecordRequest, Records};
pub use work::{WorkAnswer, WorkList, WorkRequest};

use std::{convert::Infallible, path::PathBuf, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::body::Body;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tower::{service_fn, util::BoxCloneSyncService};

use crate::{
    plan::{Plan, PlanHandle},
    telemetry::metrics::Metrics,
};

/// Someone who asks for a reload and waits for what comes of it: `Ok` the new generation, `Err` the diagnostics.
pub type ReloadRequest = oneshot::Sender<Result<u64, String>>;

/// What `GET /ready` finds.
#[derive(Debug, Clone)]
pub struct Readiness {
    /// Whether a change can be acknowledged; else the operator's text.
    pub store: Result<(), String>,
    /// Whether the Sonata listener accepts: not while the program drains.
    pub is_accepting: bool,
    /// Every backend of the plan with its state. One that is down is shown, but partners are better served an
    /// error than nothing: it does not make the gateway unready.
    pub backends: Vec<(String, String)>,
}

/// Finds out, when asked.
pub type ReadinessProbe = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Readiness> + Send>> + Send + Sync>;

/// What the admin port shows.
#[derive(Clone)]
pub struct Admin {
    /// The live plan.
    pub plan: PlanHandle,
    /// The metrics.
    pub metrics: Arc<Metrics>,
    /// Asks the parts whether they are ready.
    pub readiness: ReadinessProbe,
    /// Where a reload is asked for.
    pub reload: mpsc::Sender<ReloadRequest>,
    /// Folder of the configuration, which the workbench reads anew for every question.
    pub config: PathBuf,
    /// Questions on the workbench that may still begin: each takes a thread until it is answered.
    pub workbench: Arc<Semaphore>,
    /// Records exchanges.
    pub records: Records,
    /// Knows what is on its way to listeners.
    pub events: Events,
    /// Knows what needs attention.
    pub attention: Attention,
    /// Knows what people have to do.
    pub work: WorkList,
}

/// Questions on the workbench that are worked on at once. Others are told to come back: they must not take the
/// processors from the partners.
pub const WORKBENCH_AT_ONCE_MAX: usize = 2;

/// The service of the admin listener; only the workbench and the list of work read bodies.
pub type AdminService<B> = BoxCloneSyncService<Request<B>, Response<Full<Bytes>>, Infallible>;

/// Makes the service.
#[must_use]
pub fn service<B>(admin: Admin) -> AdminService<B>
where
    B: Body<Data = Bytes> + Send + 'static,
{
    BoxCloneSyncService::new(service_fn(move |request: Request<B>| {
        let admin = admin.clone();
        async move {
            let path = request.uri().path();
            if path == "/work" || path.starts_with("/work/") {
                return Ok(work::answer(&admin.work, request).await);
            }
            let (parts, body) = request.into_parts();
            Ok(match parts.uri.path().strip_prefix("/workbench/").and_then(workbench::Task::parse) {
                Some(task) if parts.method == Method::POST => {
                    workbench::answer(&admin, task, &parts.headers, body).await
                }
                Some(_) => not_allowed("POST"),
                None => answer(&admin, &parts.method, &parts.uri).await,
            })
        }
    }))
}

const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

async fn answer(admin: &Admin, method: &Method, uri: &Uri) -> Response<Full<Bytes>> {
    if let Some(below) = uri.path().strip_prefix("/attention")
        && (below.is_empty() || below.starts_with('/'))
    {
        let query = uri.query().unwrap_or_default();
        return match attention::answer(&admin.attention, method, below, query).await {
            Ok((status, body)) => json_answer(status, &body),
            Err(allowed) => not_allowed(allowed),
        };
    }
    match (method, uri.path()) {
        (&Method::GET, "/live") => json_answer(StatusCode::OK, &json!({ "live": true })),
        (&Method::GET, "/ready") => readiness((admin.readiness)().await, admin.plan.load().generation()),
        (&Method::GET, "/metrics") => text_answer(StatusCode::OK, METRICS_TYPE, admin.metrics.render()),
        (&Method::GET, "/plan") => json_answer(StatusCode::OK, &describe(&admin.plan.load())),
        (&Method::POST, "/reload") => reload(admin).await,
        (&Method::GET, "/record") => {
            json_answer(StatusCode::OK, &json!({ "recording": (admin.records.is_running)() }))
        }
        (&Method::POST, "/record") => {
            let (status, body) = record::answer(&admin.records, uri.query().unwrap_or_default()).await;
            json_answer(status, &body)
        }
        (&Method::GET, "/events") | (&Method::POST, "/events/replay") => {
            let query = uri.query().unwrap_or_default();
            let (status, body) = events::answer(&admin.events, method, uri.path(), query).await;
            json_answer(status, &body)
        }
        (_, "/reload" | "/events/replay") => not_allowed("POST"),
        (_, "/record") => not_allowed("GET, POST"),
        (_, "/live" | "/ready" | "/metrics" | "/plan" | "/events") => not_allowed("GET"),
        _ => json_answer(StatusCode::NOT_FOUND, &json!({ "error": "no such page" })),
    }
}

fn not_allowed(allowed: &'static str) -> Response<Full<Bytes>> {
    let mut answer = json_answer(StatusCode::METHOD_NOT_ALLOWED, &json!({ "allow": allowed }));
    answer.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static(allowed));
    answer
}

fn readiness(found: Readiness, generation: u64) -> Response<Full<Bytes>> {
    let is_ready = found.store.is_ok() && found.is_accepting;
    let backends: serde_json::Map<String, Value> =
        found.backends.into_iter().map(|(name, state)| (name, Value::String(state))).collect();
    let body = json!({
        "ready": is_ready,
        "plan": generation,
        "store": found.store.err().unwrap_or_else(|| "ok".to_owned()),
        "listeners": if found.is_accepting { "accepting" } else { "draining" },
        "backends": backends,
    });
    json_answer(if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
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
            let ways =
                partner.targets(function, operation).iter().filter(|way| way.served.mapped().is_some());
            let ways = ways.map(|way| json!({ "backend": way.backend.as_str(), "mapping": &*way.mapping }));
            json!({
                "function": function.name(),
                "operationId": operation,
                "served": served.as_str(),
                "ways": ways.collect::<Vec<_>>(),
            })
        });
        json!({
            "partner": partner.id().as_str(),
            "mappings": partner.mappings().map(|name| &**name).collect::<Vec<_>>(),
            "operations": operations.collect::<Vec<_>>(),
        })
    });
    json!({ "generation": plan.generation(), "hash": plan.hash(), "partners": partners.collect::<Vec<_>>() })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_store_and_listener_decide_whether_it_is_ready() {
        let rows = [
            (Ok(()), true, "up", 200),
            (Ok(()), true, "down", 200),
            (Ok(()), false, "up", 503),
            (Err("disk full"), true, "up", 503),
        ];
        for (store, is_accepting, backend, status) in rows {
            let found = Readiness {
                store: store.map_err(str::to_owned),
                is_accepting,
                backends: vec![("acme".to_owned(), backend.to_owned())],
            };
            let answer = readiness(found, 7);
            assert_eq!(answer.status(), status);
            let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
            let body: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body["ready"], status == 200);
            assert_eq!(body["plan"], 7);
            assert_eq!(body["store"], store.err().unwrap_or("ok"));
            assert_eq!(body["backends"]["acme"], backend);
        }
    }
}
