//! One exchange while it runs: what it is about, and what is said of it when it ends.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Response, request::Parts};
use http_body_util::Full;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Gateway,
    bridge::Passing,
    error::{Blame, ExchangeError},
    ports::Moment,
    problem, receive,
    tape::{Message, Taping},
    wire::{Answer, render},
};
use crate::{
    ids::{ExchangeId, TaskId},
    plan::{MappedOperation, PartnerPlan, Plan},
    sonata::{Contract, Operation},
    telemetry::{self, ExchangeRecord, TraceContext, metrics, stamp},
};

/// One exchange.
pub struct Story<'g> {
    /// What all exchanges share.
    pub gateway: &'g Gateway,
    /// The plan that the whole exchange runs on.
    pub plan: Arc<Plan>,
    /// When it began and when it must have ended.
    pub moment: Moment,
    /// Its id.
    pub id: ExchangeId,
    /// Its place in the caller's trace.
    pub trace: TraceContext,
    /// The partner, once identified.
    pub partner: Option<Arc<PartnerPlan>>,
    /// Contract and operation, once routed: in the partner's own release.
    pub route: Option<(&'static Contract, &'static Operation)>,
    /// The mapping of the operation, once found.
    pub mapping: Option<Arc<MappedOperation>>,
    /// The entity that it made, read or changed.
    pub entity: Option<String>,
    /// Time spent waiting for legacy systems; calls side by side count as one.
    pub legacy: Duration,
    /// Legacy calls made.
    pub legacy_calls: usize,
    /// Findings recorded.
    pub findings: usize,
    /// Deliveries that wait for the answer to be written.
    pub held: Vec<TaskId>,
    /// What stands between the partner's release and the mapping, if something does.
    pub(super) passing: Option<Box<Passing>>,
    /// What is recorded of it, if anybody wants that.
    pub(super) taping: Option<Taping>,
    method: String,
    bytes_in: usize,
}

impl<'g> Story<'g> {
    /// Begins an exchange: time, id and plan are taken once.
    pub fn begin(gateway: &'g Gateway, head: &Parts) -> Self {
        let plan = gateway.plan.load();
        let started = Instant::now();
        let deadline = started + plan.settings().gateway.limits.exchange_deadline_max;
        let moment = Moment { wall: gateway.ports.clock.now(), started, deadline };
        let id = gateway.ports.ids.next();
        let (trace_id, span_id) = (id.as_u128(), gateway.ports.ids.next().as_u128());
        #[expect(clippy::cast_possible_truncation, reason = "the low half of a UUIDv7 is its random part")]
        let span_id = span_id as u64;
        let caller = head.headers.get("traceparent").and_then(|value| value.to_str().ok());
        let trace = match caller.and_then(TraceContext::parse) {
            Some(caller) => caller.child(span_id),
            None => TraceContext::new(trace_id, span_id),
        };
        Self {
            gateway,
            plan,
            moment,
            id: exchange_id(id),
            trace,
            partner: None,
            route: None,
            mapping: None,
            entity: None,
            legacy: Duration::ZERO,
            legacy_calls: 0,
            findings: 0,
            held: Vec::new(),
            passing: None,
            taping: gateway.recorder.begin(head),
            method: head.method.as_str().to_owned(),
            bytes_in: 0,
        }
    }

    /// Wall time in milliseconds since 1970, as the store has it.
    pub fn now_ms(&self) -> i64 {
        self.moment.wall.as_millisecond()
    }

    /// Wall time as messages have it, RFC 3339 with milliseconds.
    pub fn now_text(&self) -> String {
        time_text(self.moment.wall)
    }

    /// Notes the request's body.
    pub fn read(&mut self, body: &Bytes) {
        self.bytes_in = body.len();
        if let Some(taping) = &mut self.taping {
            taping.received(body);
        }
    }

    /// Notes something that is not right and did not end the exchange, for the operator.
    pub fn finding(&mut self, code: &'static str, text: &str) {
        self.findings += 1;
        self.gateway.metrics.finding(code);
        telemetry::finding(self.id.as_str(), self.findings, code, text);
    }

    /// Whether all that its partner does is a test.
    pub fn is_test(&self) -> bool {
        self.partner.as_ref().is_some_and(|partner| partner.settings().policy.is_test)
    }

    /// Makes it one that no partner asked for: nothing of it is recorded.
    pub fn is_ours(&mut self) {
        self.taping = None;
    }

    /// As [`Story::end`], for who calls is our own legacy system.
    pub fn end_ours(self, result: Result<Answer, ExchangeError>) -> Response<Full<Bytes>> {
        self.end_with(result, receive::refusal)
    }

    /// The same where who called has its own way of being told what is wrong.
    pub fn end_with(
        self,
        result: Result<Answer, ExchangeError>,
        refusal: impl FnOnce(&ExchangeError) -> (Answer, &'static str),
    ) -> Response<Full<Bytes>> {
        let (answer, outcome, code, detail) = match result {
            Ok(answer) => (answer, metrics::Outcome::Ok, None, None),
            Err(error) => {
                let (answer, code) = refusal(&error);
                (answer, outcome(&error), Some(code), Some(self.detail(&error)))
            }
        };
        self.close(answer, outcome, code, detail.as_deref())
    }

    /// Ends the exchange: renders what came of it, counts it and writes its line.
    pub fn end(self, result: Result<Answer, ExchangeError>) -> Response<Full<Bytes>> {
        let operation = self.route.map(|(_, operation)| operation);
        let (answer, outcome, code, detail) = match result {
            Ok(answer) => (answer, metrics::Outcome::Ok, None, None),
            Err(error) => {
                let (answer, code) = problem::answer(&error, operation);
                if let ExchangeError::Refused(failures) | ExchangeError::Mapping(failures) = &error {
                    for failure in failures {
                        self.gateway.metrics.mapping_error(failure.code.as_str());
                    }
                }
                (answer, outcome(&error), Some(code), Some(self.detail(&error)))
            }
        };
        self.close(answer, outcome, code, detail.as_deref())
    }

    fn close(
        mut self,
        answer: Answer,
        outcome: metrics::Outcome,
        code: Option<&'static str>,
        detail: Option<&str>,
    ) -> Response<Full<Bytes>> {
        let operation = self.route.map(|(_, operation)| operation);
        let total = self.moment.started.elapsed();
        self.count(outcome, total);
        let record = ExchangeRecord {
            exchange: self.id.as_str(),
            trace: self.trace,
            partner: self.partner.as_ref().map(|partner| partner.id().as_str()),
            function: operation.map(|operation| operation.function.name()),
            operation: operation.map(|operation| operation.operation_id.as_str()),
            method: &self.method,
            status: answer.status.as_u16(),
            code,
            outcome: outcome.as_str(),
            detail,
            entity: self.entity.as_deref(),
            is_test: self.is_test(),
            plan_generation: self.plan.generation(),
            bytes: (self.bytes_in, answer.body.len()),
            findings: self.findings,
            legacy_calls: self.legacy_calls,
            total,
            legacy: self.legacy,
        };
        record.log();
        if let Some(taping) = self.taping.take() {
            self.hand_over(taping, &answer);
        }
        render(answer)
    }

    /// To who wants exchanges recorded; one that meant no operation is none.
    fn hand_over(&self, taping: Taping, answer: &Answer) {
        let Some((partner, (contract, operation))) = self.partner.as_ref().zip(self.route) else { return };
        let operation = format!("{}.{}", contract.function.name(), operation.operation_id);
        let answer = Message {
            status: answer.status.as_u16(),
            headers: answer.headers.clone(),
            body: answer.body.clone(),
            ..Message::default()
        };
        self.gateway.recorder.keep(taping, (partner.id().as_str(), operation), self.moment.wall, answer);
    }

    /// What the operator is told. A panic knows nothing of the mapping that it happened in, but we do.
    fn detail(&self, error: &ExchangeError) -> String {
        match (error, &self.mapping) {
            (ExchangeError::Panicked(_), Some(mapping)) => {
                format!("{error} (in {:?})", mapping.program.origin)
            }
            _ => error.to_string(),
        }
    }

    fn count(&self, outcome: metrics::Outcome, total: Duration) {
        let names =
            self.route.map(|(_, operation)| (operation.function.name(), operation.operation_id.as_str()));
        let (function, operation) = names.unwrap_or((metrics::NONE, metrics::NONE));
        self.gateway.metrics.exchange(function, operation, outcome, total, self.legacy);
        if let Some(partner) = &self.partner {
            self.gateway.metrics.partner_exchange(partner.id().as_str(), outcome);
            if self.is_test() {
                self.gateway.metrics.test_exchange(outcome);
            }
        }
    }
}

/// A time as messages have it, RFC 3339 with milliseconds.
pub fn time_text(at: jiff::Timestamp) -> String {
    let mut text = String::with_capacity(24);
    stamp::write(&mut text, at, stamp::Precision::Millis);
    text
}

fn exchange_id(id: Uuid) -> ExchangeId {
    // The text of a UUID is within the bounds of an id.
    match ExchangeId::parse(&*id.hyphenated().encode_lower(&mut Uuid::encode_buffer())) {
        Ok(id) => id,
        Err(_) => unreachable!("a UUID is an id"),
    }
}

fn outcome(error: &ExchangeError) -> metrics::Outcome {
    match error.blame() {
        Blame::Buyer => metrics::Outcome::Buyer,
        Blame::Legacy => metrics::Outcome::Legacy,
        Blame::Gateway => metrics::Outcome::Gateway,
        Blame::NotOffered => metrics::Outcome::NotImplemented,
    }
}
