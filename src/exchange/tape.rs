//! Recording exchanges as they went over the wire, for whoever asked for it.
//!
//! One recording at a time, for one partner and some operations, bounded in exchanges and bytes; its owner bounds the
//! time by dropping it. Nothing is kept without one: the only cost then is one flag per exchange. What is recorded here
//! is not masked; it goes to its owner and nowhere else.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use bytes::Bytes;
use http::{HeaderMap, request::Parts};
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::legacy::{LegacyError, LegacyErrorKind, LegacyReply, LegacyRequest};

/// Exchanges of one recording at most.
pub const EXCHANGES_MAX: usize = 100;

/// What is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The partner's name.
    pub partner: String,
    /// Operations as `function.operationId`.
    pub operations: Vec<String>,
    /// How many exchanges, at most [`EXCHANGES_MAX`].
    pub count: usize,
    /// How many bytes of bodies and addresses together.
    pub bytes_max: usize,
}

/// One exchange, whole.
#[derive(Debug)]
pub struct Tape {
    /// `function.operationId`.
    pub operation: String,
    /// The wall time that the exchange saw.
    pub at: Timestamp,
    /// What the partner sent: method, path with query, headers, body.
    pub request: Message,
    /// The calls in the order in which they were begun, each with what came of it.
    pub calls: Vec<(Message, Answered)>,
    /// What the partner got.
    pub answer: Message,
}

/// A request or an answer.
#[derive(Debug, Default)]
pub struct Message {
    /// Method and path with query; empty in an answer.
    pub line: (String, String),
    /// HTTP status; 0 in a request.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Message {
    fn bytes(&self) -> usize {
        self.line.1.len() + self.body.len()
    }
}

/// What came of a call.
#[derive(Debug)]
pub enum Answered {
    /// Nothing yet: the exchange ended before.
    Not,
    /// A reply.
    Reply(Message),
    /// None, for this reason.
    Failed(LegacyErrorKind),
}

/// An exchange that is being recorded.
#[derive(Debug)]
pub(super) struct Taping {
    request: Message,
    calls: Mutex<Vec<(Message, Answered)>>,
}

impl Taping {
    pub fn begin(head: &Parts) -> Self {
        let path = head.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
        let line = (head.method.as_str().to_owned(), path);
        let request = Message { line, headers: head.headers.clone(), ..Message::default() };
        Self { request, calls: Mutex::default() }
    }

    /// Notes the body of the request.
    pub fn received(&mut self, body: &Bytes) {
        self.request.body = body.clone();
    }

    /// Notes a call; what comes of it is noted under the number that comes back.
    pub fn sent(&self, request: &LegacyRequest) -> usize {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let message = Message {
            line: (request.method.as_str().to_owned(), request.path_and_query.to_string()),
            status: 0,
            headers: request.headers.clone(),
            body: request.body.as_ref().map(|(_, body)| body.clone()).unwrap_or_default(),
        };
        calls.push((message, Answered::Not));
        calls.len() - 1
    }

    /// Notes what came of a call.
    pub fn answered(&self, number: usize, answer: &Result<LegacyReply, LegacyError>) {
        let answered = match answer {
            Ok(reply) => Answered::Reply(Message {
                status: reply.status.as_u16(),
                headers: reply.headers.clone(),
                body: reply.body.clone(),
                ..Message::default()
            }),
            Err(error) => Answered::Failed(error.kind),
        };
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(call) = calls.get_mut(number) {
            call.1 = answered;
        }
    }

    fn end(self, operation: String, at: Timestamp, answer: Message) -> Tape {
        let calls = self.calls.into_inner().unwrap_or_else(PoisonError::into_inner);
        Tape { operation, at, request: self.request, calls, answer }
    }
}

impl Tape {
    fn bytes(&self) -> usize {
        let of_call = |(sent, answered): &(Message, Answered)| {
            sent.bytes() + if let Answered::Reply(reply) = answered { reply.bytes() } else { 0 }
        };
        self.request.bytes() + self.answer.bytes() + self.calls.iter().map(of_call).sum::<usize>()
    }
}

/// What all exchanges are asked whether they are to be recorded.
#[derive(Debug, Default)]
pub struct Recorder {
    is_on: AtomicBool,
    /// Recordings that were begun.
    begun: AtomicU64,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    number: u64,
    wanted: Wanted,
    /// Exchanges that are still wanted.
    left: usize,
    /// Bytes that they may still have.
    bytes_left: usize,
    tapes: mpsc::Sender<Tape>,
}

impl Recorder {
    /// Begins a recording; none where another runs.
    pub fn start(self: &Arc<Self>, wanted: Wanted) -> Option<Recording> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return None;
        }
        let left = wanted.count.clamp(1, EXCHANGES_MAX);
        let (tapes, taken) = mpsc::channel(left);
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        *running = Some(Running { number, left, bytes_left: wanted.bytes_max, wanted, tapes });
        self.is_on.store(true, Ordering::Relaxed);
        Some(Recording { number, tapes: taken, recorder: Arc::clone(self) })
    }

    /// Whether a recording runs.
    pub fn is_running(&self) -> bool {
        self.is_on.load(Ordering::Relaxed)
    }

    /// Notes an exchange from its beginning, if anything is recorded at all.
    pub(super) fn begin(&self, head: &Parts) -> Option<Taping> {
        self.is_on.load(Ordering::Relaxed).then(|| Taping::begin(head))
    }

    /// Hands an exchange over that has ended, if it is wanted.
    pub(super) fn keep(
        &self,
        taping: Taping,
        (partner, operation): (&str, String),
        at: Timestamp,
        answer: Message,
    ) {
        let mut slot = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(running) = slot.as_mut() else { return };
        if running.wanted.partner != partner || !running.wanted.operations.contains(&operation) {
            return;
        }
        let tape = taping.end(operation, at, answer);
        let bytes = tape.bytes();
        let is_kept = bytes <= running.bytes_left && running.tapes.try_send(tape).is_ok();
        running.bytes_left = running.bytes_left.saturating_sub(bytes);
        running.left = running.left.saturating_sub(1);
        if !is_kept || running.left == 0 {
            *slot = None;
            self.is_on.store(false, Ordering::Relaxed);
        }
    }
}

/// A recording that runs until its last exchange came, its bytes are used up, or it is dropped.
#[derive(Debug)]
pub struct Recording {
    number: u64,
    tapes: mpsc::Receiver<Tape>,
    recorder: Arc<Recorder>,
}

impl Recording {
    /// The next exchange; none when the recording is at its end.
    pub async fn next(&mut self) -> Option<Tape> {
        self.tapes.recv().await
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        let mut running = self.recorder.running.lock().unwrap_or_else(PoisonError::into_inner);
        // One that ended by itself may have been followed by another.
        if running.as_ref().is_some_and(|running| running.number == self.number) {
            *running = None;
            self.recorder.is_on.store(false, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(count: usize, bytes_max: usize) -> Wanted {
        Wanted {
            partner: "globex".to_owned(),
            operations: vec!["quote.createQuote".to_owned()],
            count,
            bytes_max,
        }
    }

    /// An exchange of `bytes` bytes comes to its end.
    fn exchange(recorder: &Recorder, partner: &str, operation: &str, bytes: usize) {
        let (head, ()) = http::Request::builder().uri("/").body(()).unwrap().into_parts();
        let Some(mut taping) = recorder.begin(&head) else { return };
        taping.received(&Bytes::from(vec![b'x'; bytes - 1]));
        recorder.keep(taping, (partner, operation.to_owned()), Timestamp::UNIX_EPOCH, Message::default());
    }

    #[test]
    fn only_what_is_wanted_is_recorded_and_only_while_it_is() {
        let recorder = Arc::new(Recorder::default());
        exchange(&recorder, "globex", "quote.createQuote", 1);
        let mut recording = recorder.start(wanted(2, 100)).unwrap();
        assert!(recorder.start(wanted(1, 100)).is_none(), "one at a time");
        exchange(&recorder, "rival", "quote.createQuote", 1);
        exchange(&recorder, "globex", "quote.listQuote", 1);
        assert!(recording.tapes.try_recv().is_err());
        exchange(&recorder, "globex", "quote.createQuote", 1);
        exchange(&recorder, "globex", "quote.createQuote", 2);
        exchange(&recorder, "globex", "quote.createQuote", 3);
        let bytes: Vec<usize> =
            std::iter::from_fn(|| recording.tapes.try_recv().ok()).map(|tape| tape.bytes()).collect();
        assert_eq!(bytes, [1, 2]);
        assert!(!recorder.is_on.load(Ordering::Relaxed));
        let other = recorder.start(wanted(1, 100)).unwrap();
        drop(recording);
        assert!(recorder.is_on.load(Ordering::Relaxed), "the end of the first is not the end of the second");
        drop(other);
        assert!(!recorder.is_on.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn bytes_and_exchanges_are_bounded() {
        let recorder = Arc::new(Recorder::default());
        let mut recording = recorder.start(wanted(EXCHANGES_MAX + 1, 10)).unwrap();
        exchange(&recorder, "globex", "quote.createQuote", 6);
        exchange(&recorder, "globex", "quote.createQuote", 5);
        assert_eq!(recording.next().await.unwrap().bytes(), 6);
        assert!(recording.next().await.is_none(), "the second is too large for what is left");
        let mut recording = recorder.start(wanted(EXCHANGES_MAX + 1, 10_000)).unwrap();
        (0..=EXCHANGES_MAX).for_each(|_| exchange(&recorder, "globex", "quote.createQuote", 1));
        let count = std::iter::from_fn(|| recording.tapes.try_recv().ok()).count();
        assert_eq!(count, EXCHANGES_MAX);
    }
}
