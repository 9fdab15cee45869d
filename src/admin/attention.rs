//! `GET /attention`, `GET /attention/EXCHANGE`, `POST /attention/EXCHANGE/settle?effect=none|made`: exchanges that may have
//! done something at a legacy system, and of which nobody knows how they ended. What was answered is not shown: it is a
//! partner's or a legacy system's payload. Its length, its status and the checksum of what was sent are.

use std::{pin::Pin, sync::Arc};

use http::{Method, StatusCode};
use serde_json::{Value, json};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttentionRequest {
    /// All, or those of one partner.
    List {
        /// The partner.
        partner: Option<String>,
    },
    /// One exchange with its calls.
    Show {
        /// Its id.
        exchange: String,
    },
    /// A person looked into it.
    Settle {
        /// Its id.
        exchange: String,
        /// Whether something was done and stays; else the request may be sent again.
        is_made: bool,
    },
}

/// What came of it: status and JSON body.
pub type AttentionAnswer = (StatusCode, Value);

/// Knows what needs attention.
pub type Attention =
    Arc<dyn Fn(AttentionRequest) -> Pin<Box<dyn Future<Output = AttentionAnswer> + Send>> + Send + Sync>;

/// Answers what stands below `/attention`; `path` is what follows that. `Err` has the methods that there are.
pub(super) async fn answer(
    attention: &Attention,
    method: &Method,
    path: &str,
    query: &str,
) -> Result<AttentionAnswer, &'static str> {
    match parse(method, path, query)? {
        Ok(request) => Ok(attention(request).await),
        Err((status, reason)) => Ok((status, json!({ "error": reason }))),
    }
}

type Parsed = Result<AttentionRequest, (StatusCode, String)>;

fn parse(method: &Method, path: &str, query: &str) -> Result<Parsed, &'static str> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let refuse = |reason: &str| Ok(Err((StatusCode::BAD_REQUEST, reason.to_owned())));
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (parts.as_slice(), method) {
        ([], &Method::GET) => match (pairs.next(), pairs.next()) {
            (None, _) => Ok(Ok(AttentionRequest::List { partner: None })),
            (Some((name, partner)), None) if name == "partner" => {
                Ok(Ok(AttentionRequest::List { partner: Some(partner.into_owned()) }))
            }
            _ => refuse("nothing but `partner` can be asked for"),
        },
        ([exchange], &Method::GET) => Ok(Ok(AttentionRequest::Show { exchange: (*exchange).to_owned() })),
        ([exchange, "settle"], &Method::POST) => {
            let effect = match (pairs.next(), pairs.next()) {
                (Some((name, effect)), None) if name == "effect" => effect,
                _ => return refuse("say `effect=none` or `effect=made`"),
            };
            let is_made = match effect.as_ref() {
                "none" => false,
                "made" => true,
                _ => return refuse("`effect` is `none` or `made`"),
            };
            Ok(Ok(AttentionRequest::Settle { exchange: (*exchange).to_owned(), is_made }))
        }
        ([] | [_], _) => Err("GET"),
        ([_, "settle"], _) => Err("POST"),
        _ => Ok(Err((StatusCode::NOT_FOUND, "no such page".to_owned()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_refused() {
        let settle = |is_made| AttentionRequest::Settle { exchange: "e".to_owned(), is_made };
        let rows = [
            ("GET", "", "", AttentionRequest::List { partner: None }),
            ("GET", "", "partner=globex", AttentionRequest::List { partner: Some("globex".to_owned()) }),
            ("GET", "/e", "", AttentionRequest::Show { exchange: "e".to_owned() }),
            ("POST", "/e/settle", "effect=none", settle(false)),
            ("POST", "/e/settle", "effect=made", settle(true)),
        ];
        for (method, path, query, expected) in rows {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(parse(&method, path, query), Ok(Ok(expected)), "{path}?{query}");
        }
        for (method, path, query) in [
            ("GET", "", "partnr=a"),
            ("GET", "", "partner=a&partner=b"),
            ("POST", "/e/settle", ""),
            ("POST", "/e/settle", "effect=perhaps"),
            ("POST", "/e/settle", "effect=none&effect=made"),
            ("GET", "/e/f/g", ""),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert!(matches!(parse(&method, path, query), Ok(Err(_))), "{path}?{query}");
        }
        assert_eq!(parse(&Method::POST, "", ""), Err("GET"));
        assert_eq!(parse(&Method::GET, "/e/settle", ""), Err("POST"));
    }
}
