//! `POST /record?partner=…&operation=…&count=…&seconds=…`: the next exchanges of a partner, masked, as files of cases.
//!
//! The answer comes when the last exchange came, or time or bytes are used up; who goes away before ends the recording.

use std::{pin::Pin, sync::Arc};

use http::StatusCode;
use serde_json::{Value, json};

/// Exchanges, unless said.
const COUNT: u32 = 1;
/// Seconds that are waited, unless said.
const SECONDS: u64 = 60;
/// Operations of one recording.
const OPERATIONS_MAX: usize = 20;

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRequest {
    /// The partner.
    pub partner: String,
    /// Operations as `function.operationId`; at least one.
    pub operations: Vec<String>,
    /// How many exchanges.
    pub count: u32,
    /// How long they are waited for, in seconds.
    pub seconds: u64,
}

/// What came of it: status and JSON body.
pub type RecordAnswer = (StatusCode, Value);

/// Records, when asked.
pub type Record =
    Arc<dyn Fn(RecordRequest) -> Pin<Box<dyn Future<Output = RecordAnswer> + Send>> + Send + Sync>;

/// What the port knows of recordings.
#[derive(Clone)]
pub struct Records {
    /// Records.
    pub record: Record,
    /// Whether a recording runs.
    pub is_running: Arc<dyn Fn() -> bool + Send + Sync>,
}

pub(super) async fn answer(records: &Records, query: &str) -> RecordAnswer {
    match parse(query) {
        Ok(request) => (records.record)(request).await,
        Err(reason) => (StatusCode::BAD_REQUEST, json!({ "error": reason })),
    }
}

fn parse(query: &str) -> Result<RecordRequest, String> {
    let mut request =
        RecordRequest { partner: String::new(), operations: Vec::new(), count: COUNT, seconds: SECONDS };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let number = || format!("`{name}` is a whole number from 1, not `{value}`");
        match name.as_ref() {
            "partner" => request.partner = value.into_owned(),
            "operation" => request.operations.push(value.into_owned()),
            "count" => request.count = value.parse().ok().filter(|count| *count > 0).ok_or_else(number)?,
            "seconds" => {
                request.seconds = value.parse().ok().filter(|count| *count > 0).ok_or_else(number)?;
            }
            _ => return Err(format!("`{name}` is none of partner, operation, count and seconds")),
        }
    }
    if request.partner.is_empty() || request.operations.is_empty() {
        return Err("say `partner` and at least one `operation`".to_owned());
    }
    if request.operations.len() > OPERATIONS_MAX {
        return Err(format!("more than {OPERATIONS_MAX} operations"));
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_refused() {
        let request =
            parse("partner=globex&operation=quote.createQuote&operation=quote.listQuote&count=2").unwrap();
        assert_eq!((request.partner.as_str(), request.operations.len()), ("globex", 2));
        assert_eq!((request.count, request.seconds), (2, SECONDS));
        let many = format!("partner=a{}", "&operation=b.c".repeat(OPERATIONS_MAX + 1));
        let wrong = [
            "",
            "partner=a",
            "operation=a.b",
            "partner=a&operation=b.c&count=0",
            "partner=a&operation=b.c&seconds=x",
        ];
        for query in wrong.into_iter().chain(["partner=a&operation=b.c&when=now", many.as_str()]) {
            assert!(parse(query).is_err(), "{query}");
        }
    }
}
