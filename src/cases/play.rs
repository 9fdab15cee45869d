//! Playing a case: the program's own exchange, with the case's legacy system in place of the network.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use tokio::time::Instant;
use tracing::instrument::WithSubscriber as _;

use super::{
    compare::{Difference, compare},
    findings::Findings,
    form::{Case, CaseCall, answer_file, call_name},
    message::{Body, RequestFile, ResponseFile},
    told::{self, Seen},
};
use crate::{
    config::Identify,
    exchange::{
        Gateway,
        ports::{Calling, Clock, Ids, LegacyPort, Ports},
        receive, seller,
    },
    json::Document,
    legacy::{BackendSettings, LegacyError, LegacyErrorKind, LegacyReply, LegacyRequest, Sent},
    plan::PlanHandle,
    server::{Credential, PeerIdentity},
    store::{Store, StoreError},
    telemetry::Metrics,
};

/// What happened when a case was played.
#[derive(Debug, Default)]
pub struct Played {
    /// Where it was not what the case says; empty when all is well.
    pub faults: Vec<String>,
    /// The calls that were made, and what answered them.
    pub calls: Vec<(RequestFile, ResponseFile)>,
    /// What the partner got, or the legacy system that sent a message.
    pub answer: ResponseFile,
    /// What such a message changed and told.
    pub told: Option<Document>,
    /// What the operator was told beside that, each as `code: text`: what was left out of the answer, or is not as the
    /// standard has it.
    pub findings: Vec<String>,
}

/// Why a case could not be played at all.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// `after` names a case that is not there, or that waits for this one.
    #[error("`after` names `{0}`, which is no case beside this one or comes after it")]
    After(String),
    /// The store or the metrics of a case cannot be made.
    #[error("{0}")]
    Setup(String),
}

/// Plays a case after those that it comes after.
///
/// # Errors
/// [`PlayError`]; differences are no error but part of what is returned.
pub async fn play(
    case: &Case,
    cases: &BTreeMap<String, Case>,
    plan: &PlanHandle,
    stand: Option<Arc<dyn LegacyPort>>,
) -> Result<Played, PlayError> {
    let setup = |error: &dyn std::fmt::Display| PlayError::Setup(error.to_string());
    let store = Store::memory().map_err(|error| setup(&error))?;
    let metrics = Arc::new(Metrics::new().map_err(|error| setup(&error))?);
    let ids = Ids::counted();
    let mut before = Vec::new();
    gather(case, cases, &mut before, &mut Vec::new())?;
    let mut last = Played::default();
    for one in before {
        let legacy = Arc::new(Script::new(&one.calls, stand.clone()));
        let gateway = Gateway {
            plan: plan.clone(),
            store: store.clone(),
            legacy: Arc::clone(&legacy) as Arc<dyn LegacyPort>,
            metrics: Arc::clone(&metrics),
            ports: Ports { clock: Clock::Fixed(one.clock), ids: ids.clone() },
            recorder: Arc::default(),
        };
        last = play_one(one, &gateway, &legacy).await;
    }
    Ok(last)
}

/// The cases to play, each once, those that come before first.
fn gather<'c>(
    case: &'c Case,
    cases: &'c BTreeMap<String, Case>,
    out: &mut Vec<&'c Case>,
    open: &mut Vec<&'c str>,
) -> Result<(), PlayError> {
    if out.iter().any(|known| known.name == case.name) {
        return Ok(());
    }
    open.push(&case.name);
    for name in &case.after {
        let before = cases.get(name).filter(|_| !open.contains(&name.as_str()));
        gather(before.ok_or_else(|| PlayError::After(name.clone()))?, cases, out, open)?;
    }
    open.pop();
    out.push(case);
    Ok(())
}

/// An answer as a case keeps it.
fn answered(head: &http::response::Parts, body: &Bytes) -> ResponseFile {
    let headers = head.headers.iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    ResponseFile {
        status: head.status.as_u16(),
        headers: headers.collect(),
        body: Body::of(body),
        fault: None,
    }
}

async fn play_one(case: &Case, gateway: &Gateway, legacy: &Script) -> Played {
    let plan = gateway.plan.load();
    let partner = plan.partner(&case.partner).filter(|_| !case.is_message && !case.is_bought);
    let known_by = partner.map(|partner| partner.settings().identify.value.clone());
    let request = match build(&case.request, known_by) {
        Ok(request) => request,
        Err(error) => {
            return Played { faults: vec![format!("the request: {error}")], ..Played::default() };
        }
    };
    let findings = Findings::default();
    let before =
        if case.is_message { told::look(&gateway.store, &case.partner).await } else { Ok(Seen::default()) };
    let answering = async {
        if case.is_message || case.is_bought {
            receive::exchange(gateway, request).await
        } else {
            seller::exchange(gateway, request).await
        }
    };
    let (head, body) = answering.with_subscriber(findings.clone()).await.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let answer = answered(&head, &bytes);
    let state = std::mem::take(&mut *legacy.state.lock().unwrap_or_else(PoisonError::into_inner));
    let mut faults = compare_calls(case, &state);
    match &case.answer {
        Some(expected) => faults.extend(compare_answer(case, expected, &answer)),
        None => faults.push(format!("{} is missing", answer_file(case))),
    }
    let told = if case.is_message { compare_told(case, gateway, before, &mut faults).await } else { None };
    Played { faults, calls: state.made, answer, told, findings: findings.take() }
}

/// A request as its partner sends it, which shows who it is.
fn build(file: &RequestFile, known_by: Option<Identify>) -> Result<Request<Full<Bytes>>, String> {
    let body = file.body.bytes();
    let mut request = Request::builder().method(file.method.as_str()).uri(file.path.as_str());
    let typed = file.headers.iter().any(|(name, _)| name == "content-type");
    if !body.is_empty() && !typed {
        request = request.header(header::CONTENT_TYPE, "application/json;charset=utf-8");
    }
    for (name, value) in &file.headers {
        request = request.header(name, value);
    }
    let shows = file.headers.iter().any(|(name, _)| name == "authorization");
    if let Some(Identify::Token(token)) = known_by.filter(|_| !shows) {
        request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.reveal()));
    }
    let mut request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let peer = PeerIdentity { address: loopback, listener: loopback, credential: Credential::None };
    request.extensions_mut().insert(peer);
    Ok(request)
}

fn compare_calls(case: &Case, state: &State) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, (actual, _)) in state.made.iter().enumerate() {
        let matched = state.matched.get(index).copied().flatten();
        let Some(expected) = matched.and_then(|place| case.calls.get(place)) else {
            faults.push(format!("a call that the case does not have: {} {}", actual.method, actual.path));
            continue;
        };
        let name = call_name(case, 2, &expected.letter);
        match &expected.request {
            Some(expected) => faults.extend(compare_request(&name, expected, actual, &case.ignore)),
            None => faults.push(format!("{name} is missing")),
        }
    }
    let lacking = case.calls.iter().enumerate().filter(|(place, _)| !state.matched.contains(&Some(*place)));
    faults.extend(lacking.map(|(_, expected)| not_sent(case, expected)));
    faults
}

fn not_sent(case: &Case, expected: &CaseCall) -> String {
    let line = expected.request.as_ref().map(|request| format!("{} {}", request.method, request.path));
    format!("{} was not sent: {}", call_name(case, 2, &expected.letter), line.unwrap_or_default())
}

fn compare_request(
    name: &str,
    expected: &RequestFile,
    actual: &RequestFile,
    ignore: &[String],
) -> Vec<String> {
    let mut faults = Vec::new();
    if (&expected.method, &expected.path) != (&actual.method, &actual.path) {
        let line = |file: &RequestFile| format!("{} {}", file.method, file.path);
        faults.push(format!("{name}: expected {}, got {}", line(expected), line(actual)));
    }
    faults.extend(compare_headers(name, &expected.headers, &actual.headers));
    faults.extend(compare_bodies(name, &expected.body, &actual.body, ignore));
    faults
}

/// What a message changed and told, held against what the case says.
async fn compare_told(
    case: &Case,
    gateway: &Gateway,
    before: Result<Seen, StoreError>,
    faults: &mut Vec<String>,
) -> Option<Document> {
    let after = told::look(&gateway.store, &case.partner).await;
    let (before, after) = match (before, after) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(error), _) | (_, Err(error)) => {
            faults.push(error.to_string());
            return None;
        }
    };
    let told = told::told(&before, &after);
    match &case.told {
        Some(expected) => {
            let found = compare(expected.root(), told.root(), &case.ignore);
            faults.extend(found.iter().map(|difference| differs("5-sonata-told", difference)));
        }
        None => faults.push("5-sonata-told is missing".to_owned()),
    }
    Some(told)
}

fn compare_answer(case: &Case, expected: &ResponseFile, actual: &ResponseFile) -> Vec<String> {
    let (name, ignore) = (answer_file(case).trim_end_matches(".json"), &case.ignore);
    let mut faults = Vec::new();
    if expected.status != actual.status {
        faults.push(format!("{name}: expected status {}, got {}", expected.status, actual.status));
    }
    faults.extend(compare_headers(name, &expected.headers, &actual.headers));
    faults.extend(compare_bodies(name, &expected.body, &actual.body, ignore));
    faults
}

/// Only headers that the case names are compared.
fn compare_headers(name: &str, expected: &[(String, String)], actual: &[(String, String)]) -> Vec<String> {
    let wrong = expected.iter().filter_map(|(key, value)| {
        let found = actual.iter().find(|(other, _)| other == key).map(|(_, value)| value.as_str());
        (found != Some(value)).then(|| format!("{name}: header {key}: expected {value:?}, got {found:?}"))
    });
    wrong.collect()
}

fn compare_bodies(name: &str, expected: &Body, actual: &Body, ignore: &[String]) -> Vec<String> {
    match (expected, actual) {
        (Body::None, Body::None) => Vec::new(),
        (Body::Json(expected), Body::Json(actual)) | (Body::Xml(expected), Body::Xml(actual)) => {
            let found = compare(expected.root(), actual.root(), ignore);
            found.iter().map(|difference| differs(name, difference)).collect()
        }
        (expected, actual) if expected.bytes() == actual.bytes() => Vec::new(),
        (expected, actual) => {
            let text =
                |body: &Body| String::from_utf8_lossy(&body.bytes()).chars().take(200).collect::<String>();
            vec![format!("{name}: expected body {:?}, got {:?}", text(expected), text(actual))]
        }
    }
}

fn differs(name: &str, difference: &Difference) -> String {
    let side = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or("nothing");
        text.chars().take(200).collect::<String>()
    };
    let place = if difference.pointer.is_empty() { "/" } else { &difference.pointer };
    format!("{name} {place}: expected {}, got {}", side(&difference.expected), side(&difference.actual))
}

/// The case's legacy system.
struct Script {
    calls: Vec<CaseCall>,
    stand: Option<Arc<dyn LegacyPort>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    made: Vec<(RequestFile, ResponseFile)>,
    /// For each call made, the call of the case that it was taken for.
    matched: Vec<Option<usize>>,
}

impl Script {
    fn new(calls: &[CaseCall], stand: Option<Arc<dyn LegacyPort>>) -> Self {
        Self { calls: calls.to_vec(), stand, state: Mutex::default() }
    }

    /// Takes the call of the case that is meant: of those not made yet the first with the same address and body,
    /// else with the same address, else the first. Calls side by side come in any order.
    fn take(&self, actual: &RequestFile) -> Option<ResponseFile> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let free: Vec<usize> =
            (0..self.calls.len()).filter(|place| !state.matched.contains(&Some(*place))).collect();
        let same_line = |place: &usize| {
            let request = self.calls.get(*place).and_then(|call| call.request.as_ref());
            request.is_some_and(|request| request.method == actual.method && request.path == actual.path)
        };
        let same_body = |place: &usize| {
            let request = self.calls.get(*place).and_then(|call| call.request.as_ref());
            request.is_some_and(|request| compare_bodies("", &request.body, &actual.body, &[]).is_empty())
        };
        let place = free.iter().find(|place| same_line(place) && same_body(place));
        let place =
            place.or_else(|| free.iter().find(|place| same_line(place))).or_else(|| free.first()).copied();
        let response = place.and_then(|place| self.calls.get(place)).and_then(|call| call.response.clone());
        state.matched.push(place);
        state.made.push((actual.clone(), response.clone().unwrap_or_default()));
        response
    }

    fn answered(&self, actual: &RequestFile, response: ResponseFile) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |one: &&mut (RequestFile, ResponseFile)| one.0.path == actual.path && one.1.status == 0;
        if let Some(one) = state.made.iter_mut().rev().find(same) {
            one.1 = response;
        }
    }
}

impl LegacyPort for Script {
    fn call<'c>(
        &'c self,
        backend: &'c BackendSettings,
        request: LegacyRequest,
        deadline: Instant,
    ) -> Calling<'c> {
        Box::pin(async move {
            let actual = file_of(&request);
            if let Some(response) = self.take(&actual) {
                return reply(&response);
            }
            match &self.stand {
                Some(stand) => {
                    let result = stand.call(backend, request, deadline).await;
                    if let Ok(reply) = &result {
                        self.answered(&actual, response_of(reply));
                    }
                    result
                }
                None => Err(failed(LegacyErrorKind::Connect, Sent::No)),
            }
        })
    }
}

fn file_of(request: &LegacyRequest) -> RequestFile {
    let headers = request.headers.iter();
    let headers =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    RequestFile {
        method: request.method.as_str().to_owned(),
        path: request.path_and_query.as_str().to_owned(),
        headers: headers.collect(),
        body: request.body.as_ref().map(|(_, body)| Body::of(body)).unwrap_or_default(),
    }
}

fn response_of(reply: &LegacyReply) -> ResponseFile {
    ResponseFile {
        status: reply.status.as_u16(),
        headers: Vec::new(),
        body: Body::of(&reply.body),
        fault: None,
    }
}

/// The fault that a reply is by name.
fn broken(fault: &str) -> LegacyError {
    match fault {
        "connect" => failed(LegacyErrorKind::Connect, Sent::No),
        "timeout" => failed(LegacyErrorKind::AnswerTimeout, Sent::Maybe),
        "too-large" => failed(LegacyErrorKind::TooLarge, Sent::Maybe),
        "overloaded" => failed(LegacyErrorKind::Overloaded, Sent::No),
        _ => failed(LegacyErrorKind::Closed, Sent::Maybe),
    }
}

fn reply(response: &ResponseFile) -> Result<LegacyReply, LegacyError> {
    if let Some(fault) = response.fault.as_deref() {
        return Err(broken(fault));
    }
    let mut headers = HeaderMap::new();
    let typed = response.headers.iter().any(|(name, _)| name == "content-type");
    if !typed {
        let media_type = match response.body {
            Body::Raw(_) => "text/plain",
            Body::Xml(_) => "text/xml",
            Body::None | Body::Json(_) => "application/json",
        };
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::OK);
    Ok(LegacyReply::new(status, headers, response.body.bytes()))
}

fn failed(kind: LegacyErrorKind, sent: Sent) -> LegacyError {
    LegacyError { kind, sent, detail: "as the case says".to_owned() }
}
