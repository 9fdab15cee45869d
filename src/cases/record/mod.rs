//! Making cases of recorded exchanges: masked before they leave the program, in the form of a case's files.

mod mask;
mod text;

pub use mask::{Masker, tells_of_people};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};

use super::message::{Body, RequestFile, ResponseFile};
use crate::{
    exchange::tape::{Answered, Message, Tape},
    json::{Document, Limits},
    legacy::LegacyErrorKind,
};

/// Headers of replies that a mapping or the paging of lists may read; none of them shows a credential.
const OF_REPLIES: &[&str] = &["content-type", "link", "retry-after", "x-total-count", "x-result-count"];

/// A recorded exchange as the files of a case, masked.
#[derive(Debug)]
pub struct Recorded {
    /// `function.operationId`.
    pub operation: String,
    /// The time that the exchange saw.
    pub clock: String,
    /// Names and texts of the files, without `case.yaml`.
    pub files: Vec<(String, String)>,
}

/// The files of an exchange. Of its headers only those in `headers` are kept, and of replies those that a mapping or a
/// list reads.
#[must_use]
pub fn recorded(tape: &Tape, masker: &mut Masker, headers: &[HeaderName]) -> Recorded {
    let replies = tape.calls.iter().filter_map(|(_, answered)| match answered {
        Answered::Reply(reply) => Some(reply),
        Answered::Not | Answered::Failed(_) => None,
    });
    let sent = tape.calls.iter().map(|(sent, _)| sent);
    for message in [&tape.request, &tape.answer].into_iter().chain(sent).chain(replies) {
        learn(message, masker);
    }
    let kept = |map: &HeaderMap, masker: &Masker| of(map, masker, |name| headers.contains(name));
    let mut files = vec![(
        "1-sonata-request.json".to_owned(),
        request(&tape.request, masker, kept(&tape.request.headers, masker)),
    )];
    for (index, (sent, answered)) in tape.calls.iter().enumerate() {
        let letter = if tape.calls.len() == 1 { String::new() } else { letter(index) };
        let action = of(&sent.headers, masker, |name| name == "soapaction");
        files.push((format!("2{letter}-legacy-request.json"), request(sent, masker, action)));
        files.push((format!("3{letter}-legacy-response.json"), answer(answered, masker, headers)));
    }
    files.push(("4-sonata-response.json".to_owned(), response(&tape.answer, masker, Vec::new())));
    Recorded { operation: tape.operation.clone(), clock: tape.at.to_string(), files }
}

/// `a`, `b` … as [`super::form`] reads them; what is beyond has no place in a case.
fn letter(index: usize) -> String {
    u8::try_from(index)
        .ok()
        .filter(|index| *index < 26)
        .map_or_else(|| format!("z{index}"), |index| char::from(b'a' + index).to_string())
}

fn learn(message: &Message, masker: &mut Masker) {
    match parsed(&message.body) {
        Some(document) => masker.learn(&document),
        None => text::learn(&String::from_utf8_lossy(&message.body), masker),
    }
}

/// Bodies were within the limits of their sides when they were read; here they only have to be documents.
fn parsed(body: &Bytes) -> Option<Document> {
    let limits = Limits { nodes_max: 10_000_000, string_bytes_max: usize::MAX, ..Limits::default() };
    Document::parse(body.clone(), &limits).ok().filter(|_| !body.is_empty())
}

fn masked(body: &Bytes, masker: &Masker) -> Body {
    match (parsed(body), std::str::from_utf8(body)) {
        (Some(document), _) => Body::of(&Bytes::from(masker.mask(&document))),
        (None, Ok(text)) => Body::of(&Bytes::from(text::masked(text, masker))),
        // Whom bytes without a form tell of, nobody knows: their length is all that is kept.
        (None, Err(_)) => Body::Raw(Bytes::from(vec![0xff; body.len()])),
    }
}

fn of(map: &HeaderMap, masker: &Masker, is_kept: impl Fn(&HeaderName) -> bool) -> Vec<(String, String)> {
    let kept = map.iter().filter(|(name, _)| is_kept(name));
    kept.filter_map(|(name, value)| Some((name.as_str().to_owned(), masker.mask_text(value.to_str().ok()?))))
        .collect()
}

fn request(message: &Message, masker: &Masker, headers: Vec<(String, String)>) -> String {
    let (method, path) = message.line.clone();
    let body = masked(&message.body, masker);
    RequestFile { method, path: text::address(&path, masker), headers, body }.print()
}

fn response(message: &Message, masker: &Masker, headers: Vec<(String, String)>) -> String {
    let body = masked(&message.body, masker);
    ResponseFile { status: message.status, headers, body, fault: None }.print()
}

fn answer(answered: &Answered, masker: &Masker, headers: &[HeaderName]) -> String {
    let fault = match answered {
        Answered::Reply(reply) => {
            let is_json = reply.headers.get("content-type").is_none_or(|value| value == "application/json");
            let is_kept = |name: &HeaderName| {
                let is_read = OF_REPLIES.contains(&name.as_str()) && !(is_json && name == "content-type");
                is_read || headers.contains(name)
            };
            return response(reply, masker, of(&reply.headers, masker, is_kept));
        }
        Answered::Not => "closed",
        Answered::Failed(kind) => fault(*kind),
    };
    ResponseFile { fault: Some(fault.to_owned()), ..ResponseFile::default() }.print()
}

/// The word of a case that is nearest to a failure.
fn fault(kind: LegacyErrorKind) -> &'static str {
    match kind {
        LegacyErrorKind::AnswerTimeout | LegacyErrorKind::Deadline => "timeout",
        LegacyErrorKind::TooLarge => "too-large",
        LegacyErrorKind::Overloaded => "overloaded",
        LegacyErrorKind::Closed | LegacyErrorKind::Malformed | LegacyErrorKind::BadEncoding => "closed",
        _ => "connect",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn message(line: (&str, &str), status: u16, body: &str) -> Message {
        let line = (line.0.to_owned(), line.1.to_owned());
        Message { line, status, headers: HeaderMap::new(), body: Bytes::from(body.to_owned()) }
    }

    #[test]
    fn an_exchange_becomes_files_without_people_and_credentials() {
        let contact = r#"{"c":{"emailAddress":"ada@globex.example","name":"Ada Buyer"},"n":1.10}"#;
        let mut request = message(("POST", "/quote?note=Ada+Buyer&x=1"), 0, contact);
        for (name, value) in
            [("authorization", "Bearer hunter-2"), ("x-channel", "web"), ("cookie", "a=hunter-2")]
        {
            request.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let sent = message(("POST", "/offers"), 0, r#"{"nm":"Ada Buyer","mail":"ada@globex.example"}"#);
        let mut reply = message(("", ""), 201, "<Row><nm>ADA BUYER</nm><no>7</no></Row>");
        reply.headers.insert("content-type", HeaderValue::from_static("text/xml"));
        reply.headers.insert("set-cookie", HeaderValue::from_static("s=hunter-2"));
        let mut lost = message(("GET", "/more"), 0, "");
        lost.headers.insert("authorization", HeaderValue::from_static("Basic hunter-2"));
        let tape = Tape {
            operation: "quote.createQuote".to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            request,
            calls: vec![(sent, Answered::Reply(reply)), (lost, Answered::Failed(LegacyErrorKind::Deadline))],
            answer: message(("", ""), 201, contact),
        };
        let mut masker = Masker::new([1; 32], &[]);
        let recorded = recorded(&tape, &mut masker, &[HeaderName::from_static("x-channel")]);
        let names: Vec<&str> = recorded.files.iter().map(|(name, _)| name.as_str()).collect();
        let wanted = [
            "1-sonata-request.json",
            "2a-legacy-request.json",
            "3a-legacy-response.json",
            "2b-legacy-request.json",
            "3b-legacy-response.json",
            "4-sonata-response.json",
        ];
        assert_eq!(names, wanted);
        let all: String = recorded.files.iter().map(|(_, text)| text.as_str()).collect();
        for word in ["hunter-2", "Ada", "ADA", "Buyer", "globex.example"] {
            assert!(!all.contains(word), "{word}: {all}");
        }
        let file = |index: usize| recorded.files[index].1.as_str();
        assert!(
            file(0).contains("x-channel") && file(0).contains("1.10") && file(0).contains("&x=1"),
            "{all}"
        );
        assert!(file(2).contains("text/xml") && file(2).contains("<no>7</no>"), "{all}");
        assert!(file(4).contains("timeout"), "{all}");
        let name = masker.replaced("Ada Buyer");
        assert!(file(1).contains(&name) && file(2).contains(&name.to_ascii_uppercase()), "{all}");
    }
}
