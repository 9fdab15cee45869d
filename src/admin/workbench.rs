//! The workbench over HTTP: mapping files that are not saved yet, checked, tried and counted.
//!
//! `POST /workbench/check`, `/map`, `/trace`, `/coverage`, each with a JSON object: `files` has texts by their path
//! below the mappings folder (`acme/quote.yaml`; `null` for a file that would be gone), the rest are the words of the
//! command of the same name. Every question reads the folders anew; nothing is kept, served or sent.

use std::{
    collections::{BTreeMap, btree_map::IntoIter},
    path::Path,
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Body;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json, value::RawValue};
use tokio::time::Instant;

use super::{Admin, json_answer, text_answer};
use crate::{
    body::{self, BodyLimits},
    exchange::{ports::Clock, rehearsal::Rehearsed},
    mapping::{direction::Direction, trace::Row},
    plan::{self, Built, Edits, Plan},
    workbench::{self, Message, Misuse, Refusal},
};

/// Largest question, in bytes: some mapping files and a message.
const QUESTION_BYTES_MAX: usize = 4 << 20;
/// How long a question may take to arrive, in seconds.
const QUESTION_SECONDS_MAX: u64 = 10;
/// What a caller is told to wait when others are at work, in seconds.
const RETRY_SECONDS: &str = "1";

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Check,
    Map,
    Trace,
    Coverage,
}

impl Task {
    /// By the last part of its path.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "check" => Some(Self::Check),
            "map" => Some(Self::Map),
            "trace" => Some(Self::Trace),
            "coverage" => Some(Self::Coverage),
            _ => None,
        }
    }
}

/// The object that is sent. What a task has no use for is ignored; what no task knows is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(default)]
    files: BTreeMap<String, Option<String>>,
    partner: Option<String>,
    operation: Option<String>,
    mapping: Option<String>,
    direction: Option<String>,
    call: Option<String>,
    #[serde(default)]
    query: BTreeMap<String, Values>,
    #[serde(default)]
    path: BTreeMap<String, String>,
    status: Option<u16>,
    now: Option<String>,
    /// The message, where it is JSON.
    body: Option<Box<RawValue>>,
    /// The message as text, where it is not.
    text: Option<String>,
}

/// A parameter, once or several times.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Many(Vec<String>),
}

/// What is answered to `map` and `trace`.
#[derive(Serialize)]
struct Tried {
    good: bool,
    diagnostics: Value,
    refusals: Vec<Refusal>,
    messages: Vec<Mapped>,
}

/// One message that was mapped: `POST /lines?x=y` of a call, `answer`, `answer[2]`.
#[derive(Serialize)]
struct Mapped {
    name: String,
    good: bool,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Box<RawValue>>,
    /// What is sent, where that is no JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    wire: Option<String>,
    /// Why it could not be mapped, or what was left out of it.
    findings: Vec<Refusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rules: Option<Vec<Rule>>,
}

/// What one rule did at one place.
#[derive(Serialize)]
struct Rule {
    #[serde(rename = "rule")]
    origin: String,
    address: String,
    source: String,
    value: String,
    target: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Answers one question.
pub(super) async fn answer<B>(
    admin: &Admin,
    task: Task,
    headers: &HeaderMap,
    body: B,
) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
{
    // A page of another origin may send a form or a text to a loopback port, but not JSON without asking first.
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json");
    }
    let Ok(permit) = admin.workbench.clone().try_acquire_owned() else {
        let mut busy = refusal(StatusCode::SERVICE_UNAVAILABLE, "others are at work");
        busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
        return busy;
    };
    let deadline = Instant::now() + Duration::from_secs(QUESTION_SECONDS_MAX);
    let limits = BodyLimits { discarded_bytes_max: QUESTION_BYTES_MAX, ..BodyLimits::of(QUESTION_BYTES_MAX) };
    let bytes = match body::read(headers, body, &limits, deadline).await {
        Ok(bytes) => bytes,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    // Serde would take an array for the object's values in their order.
    if bytes.trim_ascii_start().first().is_some_and(|first| *first != b'{') {
        return refusal(StatusCode::BAD_REQUEST, "send a JSON object");
    }
    let question: Question = match serde_json::from_slice(&bytes) {
        Ok(question) => question,
        Err(error) => return refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (config, plan) = (admin.config.clone(), admin.plan.load());
    let worked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work(task, question, &config, &plan)
    });
    match worked.await {
        Ok(Ok(text)) => text_answer(StatusCode::OK, "application/json", text),
        Ok(Err(misuse)) => refusal(StatusCode::UNPROCESSABLE_ENTITY, &misuse.0),
        Err(_) => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the question could not be worked on"),
    }
}

fn refusal(status: StatusCode, reason: &str) -> Response<Full<Bytes>> {
    json_answer(status, &json!({ "error": reason }))
}

fn work(task: Task, mut question: Question, config: &Path, live: &Plan) -> Result<String, Misuse> {
    let edits = edits(std::mem::take(&mut question.files).into_iter())?;
    // What is taken over compiled says nothing again: only where its findings are not asked for.
    let previous = (task != Task::Check).then_some(live);
    let built = plan::load_edited(config, previous, &edits);
    match task {
        Task::Check => Ok(finished(&built, json!({}))),
        Task::Coverage => coverage(&built, &question),
        Task::Map | Task::Trace => tried(&built, &message(question)?, task == Task::Trace),
    }
}

fn edits(files: IntoIter<String, Option<String>>) -> Result<Edits, Misuse> {
    let mut edits = Edits::default();
    for (path, text) in files {
        if !edits.insert(&path, text.as_deref()) {
            let form = "`SET/FILE.yaml`, `SET/FILE.rhai` or `partners/PARTNER/SET.yaml`";
            return Err(Misuse(format!(
                "no mapping file is called `{path}`: below the mappings folder, {form}"
            )));
        }
    }
    Ok(edits)
}

/// The answer of a task, with what every answer has.
fn finished(built: &Built, mut value: Value) -> String {
    value["good"] = built.plan.is_some().into();
    value["diagnostics"] = built.diagnostics.to_json(&built.sources);
    value.to_string()
}

fn coverage(built: &Built, question: &Question) -> Result<String, Misuse> {
    let Some(plan) = &built.plan else { return Ok(finished(built, json!({}))) };
    let rows =
        workbench::coverage::covered(plan, question.partner.as_deref(), question.operation.as_deref())?;
    Ok(finished(built, workbench::coverage::as_json(&rows)))
}

fn message(question: Question) -> Result<Message, Misuse> {
    let missing = |word: &str| Misuse(format!("`{word}` is missing"));
    let direction = question.direction.ok_or_else(|| missing("direction"))?;
    let both = [Direction::ToLegacy, Direction::ToSonata];
    workbench::known("direction", &direction, both.iter().map(|one| one.as_str()))?;
    let now = match question.now {
        Some(text) => text.parse::<Timestamp>().map_err(|_| Misuse(format!("`{text}` is no time")))?,
        None => Clock::System.now(),
    };
    let body = match (question.body, question.text) {
        (Some(_), Some(_)) => return Err(Misuse("give `body` or `text`, not both".to_owned())),
        (Some(body), None) => Box::<str>::from(body).into_string(),
        (None, text) => text.unwrap_or_default(),
    };
    let query = question.query.into_iter().flat_map(|(name, values)| {
        let values = match values {
            Values::One(value) => vec![value],
            Values::Many(values) => values,
        };
        values.into_iter().map(move |value| (name.clone(), value))
    });
    Ok(Message {
        partner: question.partner.ok_or_else(|| missing("partner"))?,
        operation: question.operation.ok_or_else(|| missing("operation"))?,
        mapping: question.mapping,
        direction: if direction == both[0].as_str() { both[0] } else { both[1] },
        call: question.call,
        query: query.collect(),
        path: question.path.into_iter().collect(),
        status: question.status.unwrap_or(200),
        now,
        body: body.into(),
    })
}

fn tried(built: &Built, message: &Message, traced: bool) -> Result<String, Misuse> {
    let Some(plan) = &built.plan else { return Ok(finished(built, json!({}))) };
    let outcome = workbench::rehearse(plan, message)?;
    let tried = Tried {
        good: outcome.is_good(),
        diagnostics: built.diagnostics.to_json(&built.sources),
        refusals: outcome.refusals,
        messages: outcome.messages.into_iter().map(|message| mapped(message, traced)).collect(),
    };
    serde_json::to_string(&tried).map_err(|error| Misuse(error.to_string()))
}

fn mapped(message: Rehearsed, traced: bool) -> Mapped {
    let good = message.result.is_ok();
    let (headers, body, findings) = match message.result {
        // What the document holds is JSON: it is passed on as it is written.
        Ok(applied) => (
            applied.headers.into_iter().collect(),
            applied.body.and_then(|body| RawValue::from_string(body.text().to_owned()).ok()),
            applied.findings,
        ),
        Err(failures) => (BTreeMap::new(), None, failures),
    };
    Mapped {
        name: message.name,
        good,
        headers,
        body,
        wire: message.wire,
        findings: findings.iter().map(Refusal::from).collect(),
        rules: traced.then(|| message.rows.iter().map(Rule::from).collect()),
    }
}

impl From<&Row> for Rule {
    fn from(row: &Row) -> Self {
        Self {
            origin: row.origin.to_string(),
            address: row.origin.address.to_string(),
            source: row.source.clone(),
            value: row.value.clone(),
            target: row.target.clone(),
            outcome: row.outcome.word(),
            reason: row.outcome.reason().map(str::to_owned),
        }
    }
}
