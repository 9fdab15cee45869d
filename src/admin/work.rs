//! `GET /work`, `GET /work/ID`, `POST /work/ID/answer`, `POST /work/ID/done`: what people have to do. Who answers must see
//! what was asked, so one piece of work is shown with the entity that it is about.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Body;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{json_answer, not_allowed};
use crate::body::{self, BodyLimits};

/// Largest answer of a person, in bytes.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// How long an answer may take to arrive, in seconds.
const ANSWER_SECONDS_MAX: u64 = 10;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkRequest {
    /// All, or that of one partner, oldest first.
    List {
        /// The partner.
        partner: Option<String>,
    },
    /// One piece with its entity.
    Show {
        /// Its id.
        id: String,
    },
    /// A person says how the entity is now.
    Answer {
        /// The piece.
        id: String,
        /// As much of the entity in Sonata as there is to say, in JSON.
        body: Bytes,
    },
    /// A person has done what there is no answer to.
    Done {
        /// The piece.
        id: String,
    },
}

/// What came of it: status and JSON body.
pub type WorkAnswer = (StatusCode, Value);

/// Answers, when asked.
pub type WorkList =
    Arc<dyn Fn(WorkRequest) -> Pin<Box<dyn Future<Output = WorkAnswer> + Send>> + Send + Sync>;

/// Answers what stands below `/work`.
pub(super) async fn answer<B>(list: &WorkList, request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
{
    let (parts, body) = request.into_parts();
    let refuse = |status, reason: &str| json_answer(status, &json!({ "error": reason }));
    let below = parts.uri.path().strip_prefix("/work").unwrap_or_default();
    let names: Vec<&str> = below.split('/').filter(|name| !name.is_empty()).collect();
    let asked = match (names.as_slice(), &parts.method) {
        ([], &Method::GET) => match partner(parts.uri.query().unwrap_or_default()) {
            Ok(partner) => WorkRequest::List { partner },
            Err(reason) => return refuse(StatusCode::BAD_REQUEST, reason),
        },
        ([id], &Method::GET) => WorkRequest::Show { id: (*id).to_owned() },
        ([id, "done"], &Method::POST) => WorkRequest::Done { id: (*id).to_owned() },
        ([id, "answer"], &Method::POST) => {
            // A page of another origin may send a form or a text to a loopback port, but not JSON without asking first.
            let media_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let essence = media_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case("application/json") {
                return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json");
            }
            let deadline = Instant::now() + Duration::from_secs(ANSWER_SECONDS_MAX);
            let limits =
                BodyLimits { discarded_bytes_max: ANSWER_BYTES_MAX, ..BodyLimits::of(ANSWER_BYTES_MAX) };
            match body::read(&parts.headers, body, &limits, deadline).await {
                Ok(body) => WorkRequest::Answer { id: (*id).to_owned(), body },
                Err(error) => return refuse(StatusCode::BAD_REQUEST, &error.to_string()),
            }
        }
        ([] | [_], _) => return not_allowed("GET"),
        ([_, "done" | "answer"], _) => return not_allowed("POST"),
        _ => return refuse(StatusCode::NOT_FOUND, "no such page"),
    };
    let (status, told) = list(asked).await;
    json_answer(status, &told)
}

fn partner(query: &str) -> Result<Option<String>, &'static str> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    match (pairs.next(), pairs.next()) {
        (None, _) => Ok(None),
        (Some((name, partner)), None) if name == "partner" => Ok(Some(partner.into_owned())),
        _ => Err("nothing but `partner` can be asked for"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was asked of the list, told back.
    async fn asked(method: &str, path: &str, media_type: &str, body: &str) -> (u16, String) {
        let list: WorkList = Arc::new(|request| {
            Box::pin(async move { (StatusCode::OK, Value::String(format!("{request:?}"))) })
        });
        let request = Request::builder().method(method).uri(path).header("content-type", media_type);
        let request = request.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
        let answer = answer(&list, request).await;
        let status = answer.status().as_u16();
        let body = http_body_util::BodyExt::collect(answer.into_body()).await.unwrap().to_bytes();
        let told: Value = serde_json::from_slice(&body).unwrap();
        (status, told.as_str().map_or_else(|| told.to_string(), str::to_owned))
    }

    #[tokio::test]
    async fn words_are_read_and_refused() {
        let rows = [
            ("GET", "/work", "", "", 200, "List { partner: None }"),
            ("GET", "/work?partner=a", "", "", 200, "List { partner: Some(\"a\") }"),
            ("GET", "/work/t", "", "", 200, "Show { id: \"t\" }"),
            ("POST", "/work/t/done", "", "", 200, "Done { id: \"t\" }"),
            (
                "POST",
                "/work/t/answer",
                "application/json; a=b",
                "{}",
                200,
                "Answer { id: \"t\", body: b\"{}\" }",
            ),
            ("POST", "/work/t/answer", "text/plain", "{}", 415, ""),
            ("GET", "/work?partnr=a", "", "", 400, ""),
            ("GET", "/work?partner=a&partner=b", "", "", 400, ""),
            ("POST", "/work", "", "", 405, ""),
            ("GET", "/work/t/answer", "", "", 405, ""),
            ("GET", "/work/t/u", "", "", 404, ""),
        ];
        for (method, path, media_type, body, status, told) in rows {
            let found = asked(method, path, media_type, body).await;
            assert_eq!(found.0, status, "{method} {path}");
            assert!(status != 200 || found.1 == told, "{method} {path}: {found:?}");
        }
        let long = "x".repeat(ANSWER_BYTES_MAX + 1);
        assert_eq!(asked("POST", "/work/t/answer", "application/json", &long).await.0, 400);
    }
}
