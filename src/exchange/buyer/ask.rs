//! Asking the Seller: again where that is safe and there is time, and what its answer is.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use tokio::time::{Instant, sleep};

use super::{
    super::{
        error::{Complaint, ExchangeError, SellerProblem},
        request::json_limits,
        story::Story,
    },
    abroad::home,
    keep::id_of,
    message::{Made, Parties, Way, changes},
};
use crate::{
    json::{Document, Kind, Limits, Node},
    legacy::{LegacyError, LegacyErrorKind, LegacyReply},
    sonata::entity::Act,
};

/// How often a Seller is asked for one thing.
const TRIES_MAX: usize = 3;

/// How long is waited before it is asked again, in milliseconds; twice as long each time.
const PAUSE_MS: u64 = 200;

/// Most complaints of one problem that are told on.
const COMPLAINTS_MAX: usize = 100;

/// Most characters of a text of a problem.
const TEXT_CHARS_MAX: usize = 500;

/// A good answer.
pub struct Asked {
    /// As it came.
    pub reply: LegacyReply,
    /// Its body, in the Seller's words.
    pub said: Option<Document>,
    /// The same in ours.
    pub document: Option<Document>,
    /// For whom it was asked.
    pub parties: Parties,
}

/// Sends the request, and reads what comes back.
///
/// # Errors
/// The Seller was not reached, refused, or answered what cannot be read.
pub async fn ask(story: &mut Story<'_>, way: &Way<'_>, made: &Made) -> Result<Asked, ExchangeError> {
    let call = &way.exposer.operation.operation_id;
    let started = Instant::now();
    let reply = tried(story, way, made).await;
    story.legacy += started.elapsed();
    let mut reply = reply.map_err(|error| ExchangeError::Legacy { call: call.clone(), error })?;
    let limits = json_limits(&story.plan.settings().gateway.limits);
    let limits = Limits { bytes_max: way.endpoint.response_bytes_max, ..limits };
    let document =
        if reply.body.is_empty() { Ok(None) } else { Document::parse(reply.body.clone(), &limits).map(Some) };
    if !reply.status.is_success() {
        return Err(ExchangeError::Seller(Box::new(problem(
            call,
            reply.status,
            document.ok().flatten().as_ref(),
        ))));
    }
    let garbage = |detail: String| ExchangeError::LegacyGarbage { call: call.clone(), detail };
    let said = document.map_err(|error| garbage(error.to_string()))?;
    let abroad = way.abroad()?;
    if said.is_none() && abroad.operation.success_body().is_some() {
        return Err(garbage("no body".to_owned()));
    }
    if reply.status.as_u16() == abroad.operation.success_status
        && let Ok(status) = StatusCode::from_u16(way.exposer.operation.success_status)
    {
        reply.status = status;
    }
    let document = said.as_ref().map(|said| home(story, way, said)).transpose().map_err(garbage)?;
    let asked = Asked { reply, said, document, parties: made.parties.clone() };
    if way.exposer.duty.act == Act::Create && id_of(&asked).is_none() {
        // Something was made, and nothing says what: people have to ask.
        return Err(garbage("no id of what was made".to_owned()));
    }
    Ok(asked)
}

async fn tried(story: &mut Story<'_>, way: &Way<'_>, made: &Made) -> Result<LegacyReply, LegacyError> {
    let deadline = story.moment.deadline;
    // What changes nothing may be asked twice; what changes something only where the Seller knows it again.
    let key = key(story, way, made);
    let mut request = made.request.clone();
    if let Some((name, value)) = &key {
        request.headers.insert(name, value.clone());
    }
    let may_repeat = key.is_some() || !changes(way.exposer.duty.act);
    let mut pause = Duration::from_millis(PAUSE_MS);
    for left in (0..TRIES_MAX).rev() {
        story.legacy_calls += 1;
        let answer = story.gateway.legacy.call(way.endpoint, request.clone(), deadline).await;
        let is_passing = match &answer {
            Ok(reply) => may_repeat && is_passing(reply.status),
            Err(error) => {
                let may = error.retry_is_safe() || may_repeat;
                may && !matches!(
                    error.kind,
                    LegacyErrorKind::Deadline | LegacyErrorKind::Overloaded | LegacyErrorKind::Refused
                )
            }
        };
        if left == 0 || !is_passing || Instant::now() + pause >= deadline {
            return answer;
        }
        sleep(pause).await;
        pause *= 2;
    }
    Err(LegacyError { kind: LegacyErrorKind::Deadline, sent: crate::legacy::Sent::No, detail: String::new() })
}

/// Whether a status says that something in front of the Seller is not there for a moment.
fn is_passing(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

/// The header by which the Seller knows a request again (`idempotency.key_header`): the same for the same request under
/// the same number of our procurement system, so that what is sent again after a crash is known as well.
fn key(story: &Story<'_>, way: &Way<'_>, made: &Made) -> Option<(HeaderName, HeaderValue)> {
    if !changes(way.exposer.duty.act) {
        return None;
    }
    let name = way.partner.settings().idempotency.key_header.clone()?;
    let mut hasher = blake3::Hasher::new();
    let own = made.correlation.as_ref().map_or(story.id.as_str(), |own| own.as_str());
    for part in [way.partner.id().as_str(), made.request.path_and_query.as_str(), own] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    if let Some((_, body)) = &made.request.body {
        hasher.update(body);
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    let text = uuid::Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string();
    Some((name, HeaderValue::try_from(text).ok()?))
}

/// What the Seller says is wrong: one problem, or a list of them (422).
pub fn problem(call: &str, status: StatusCode, document: Option<&Document>) -> SellerProblem {
    let text = |node: Node<'_>, name: &str| {
        let text = node.get(name).and_then(Node::as_str)?;
        Some(text.chars().take(TEXT_CHARS_MAX).collect::<String>())
    };
    let complaint = |node: Node<'_>| Complaint {
        code: text(node, "code"),
        reason: text(node, "reason").or_else(|| text(node, "message")),
        path: text(node, "propertyPath").map(|path| pointer(&path)),
        at: None,
    };
    let complaints = match document {
        Some(document) if document.root().kind() == Kind::Array => {
            document.root().elements().take(COMPLAINTS_MAX).map(complaint).collect()
        }
        Some(document) => vec![complaint(document.root())],
        None => Vec::new(),
    };
    SellerProblem { call: call.to_owned(), status: status.as_u16(), complaints }
}

/// A `propertyPath` as JSON Pointer: some write `$.quoteItem[0].action`, or leave the first slash out.
fn pointer(text: &str) -> String {
    if text.is_empty() || text.starts_with('/') {
        return text.to_owned();
    }
    let text = text.strip_prefix("$.").or_else(|| text.strip_prefix('$')).unwrap_or(text);
    let text = text.replace(['[', '.'], "/").replace(']', "");
    format!("/{}", text.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_pointers() {
        let rows = [
            ("", ""),
            ("/quoteItem/0/action", "/quoteItem/0/action"),
            ("quoteItem/0", "/quoteItem/0"),
            ("$.quoteItem[0].action", "/quoteItem/0/action"),
            ("quoteItem[0]", "/quoteItem/0"),
        ];
        for (text, expected) in rows {
            assert_eq!(pointer(text), expected, "{text}");
        }
    }

    #[test]
    fn one_problem_and_a_list_are_read_and_nonsense_is_none() {
        let read = |text: &str| {
            problem("createQuote", StatusCode::UNPROCESSABLE_ENTITY, Document::from_text(text).ok().as_ref())
        };
        let list =
            read(r#"[{"code":"invalidValue","reason":"no","propertyPath":"/a"},{"code":"otherIssue"}]"#);
        assert_eq!(list.complaints.len(), 2);
        assert_eq!(list.complaints[0].path.as_deref(), Some("/a"));
        assert_eq!(
            read(r#"{"code":"internalError","reason":"x"}"#).complaints[0].code.as_deref(),
            Some("internalError")
        );
        assert_eq!(read("<html>").complaints.len(), 0);
    }
}
