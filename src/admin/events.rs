//! `GET /events` and `POST /events/replay`: what is on its way to a partner's listeners, and what was given up.
//!
//! An event carries ids only, so that showing one shows nothing of an entity.

use std::{pin::Pin, sync::Arc};

use http::{Method, StatusCode};
use serde_json::{Value, json};

/// Events of one list, unless said.
const LIMIT: u64 = 50;
/// Events of one list at most.
const LIMIT_MAX: u64 = 500;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventRequest {
    /// A page of a partner's events.
    List {
        /// The partner.
        partner: String,
        /// Those that were given up, or those that wait.
        is_dead: bool,
        /// Events to skip.
        offset: u64,
        /// Most events.
        limit: u64,
    },
    /// One event with its message.
    Show {
        /// The partner.
        partner: String,
        /// Its delivery.
        id: String,
    },
    /// Events that were given up are tried again.
    Replay {
        /// The partner.
        partner: String,
        /// Their deliveries; empty for all.
        ids: Vec<String>,
    },
}

/// What came of it: status and JSON body.
pub type EventAnswer = (StatusCode, Value);

/// Answers, when asked.
pub type Events =
    Arc<dyn Fn(EventRequest) -> Pin<Box<dyn Future<Output = EventAnswer> + Send>> + Send + Sync>;

pub(super) async fn answer(events: &Events, method: &Method, path: &str, query: &str) -> EventAnswer {
    match parse(method, path, query) {
        Ok(request) => events(request).await,
        Err(reason) => (StatusCode::BAD_REQUEST, json!({ "error": reason })),
    }
}

fn parse(method: &Method, path: &str, query: &str) -> Result<EventRequest, String> {
    let (mut partner, mut ids, mut is_dead, mut is_all) = (String::new(), Vec::new(), false, false);
    let (mut offset, mut limit) = (0, LIMIT);
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let number = || value.parse().map_err(|_| format!("`{name}` is a whole number, not `{value}`"));
        let truth = || match value.as_ref() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("`{name}` is true or false, not `{value}`")),
        };
        match name.as_ref() {
            "partner" => partner = value.into_owned(),
            "id" => ids.push(value.into_owned()),
            "dead" => is_dead = truth()?,
            "all" => is_all = truth()?,
            "offset" => offset = number()?,
            "limit" => limit = number()?.min(LIMIT_MAX),
            _ => return Err(format!("`{name}` is none of partner, id, dead, all, offset and limit")),
        }
    }
    if partner.is_empty() {
        return Err("say `partner`".to_owned());
    }
    match (method == Method::POST, path, ids.as_slice(), is_all) {
        (false, "/events", [], false) => Ok(EventRequest::List { partner, is_dead, offset, limit }),
        (false, "/events", [id], false) => Ok(EventRequest::Show { partner, id: id.clone() }),
        (true, "/events/replay", [], true) => Ok(EventRequest::Replay { partner, ids: Vec::new() }),
        (true, "/events/replay", [_, ..], false) => Ok(EventRequest::Replay { partner, ids }),
        (true, ..) => Err("say one `id` or more, or `all=true`".to_owned()),
        _ => Err("say one `id` at most".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_refused() {
        let partner = "globex".to_owned();
        let list =
            |is_dead, offset, limit| EventRequest::List { partner: partner.clone(), is_dead, offset, limit };
        let replay = |ids: &[&str]| EventRequest::Replay {
            partner: partner.clone(),
            ids: ids.iter().map(ToString::to_string).collect(),
        };
        let get = [
            ("partner=globex", Some(list(false, 0, LIMIT))),
            ("partner=globex&dead=true&offset=7&limit=9000", Some(list(true, 7, LIMIT_MAX))),
            (
                "partner=globex&id=a",
                Some(EventRequest::Show { partner: partner.clone(), id: "a".to_owned() }),
            ),
            ("partner=globex&id=a&id=b", None),
            ("partner=globex&dead=yes", None),
            ("partner=globex&limit=-1", None),
            ("partner=globex&state=x", None),
            ("", None),
        ];
        for (query, expected) in get {
            assert_eq!(parse(&Method::GET, "/events", query).ok(), expected, "{query}");
        }
        let post = [
            ("partner=globex&id=a&id=b", Some(replay(&["a", "b"]))),
            ("partner=globex&all=true", Some(replay(&[]))),
            ("partner=globex&all=true&id=a", None),
            ("partner=globex", None),
            ("all=true", None),
        ];
        for (query, expected) in post {
            assert_eq!(parse(&Method::POST, "/events/replay", query).ok(), expected, "{query}");
        }
    }
}
