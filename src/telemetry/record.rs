//! One structured log line per exchange.

use std::time::Duration;

use super::trace::{TraceContext, hex};

/// What is said of an exchange when it has ended. No payload, no credential, no query string.
#[derive(Debug, Clone)]
pub struct ExchangeRecord<'a> {
    /// The exchange's own id, which every other line of it repeats.
    pub exchange: &'a str,
    /// Its place in the caller's trace.
    pub trace: TraceContext,
    /// The partner, once identified.
    pub partner: Option<&'a str>,
    /// The function (`quote`), once routed.
    pub function: Option<&'a str>,
    /// The operationId (`createQuote`), once routed.
    pub operation: Option<&'a str>,
    /// HTTP method as received.
    pub method: &'a str,
    /// HTTP status that was answered.
    pub status: u16,
    /// The problem's `code` where one was answered.
    pub code: Option<&'a str>,
    /// How it ended: `ok`, or whose fault it was.
    pub outcome: &'a str,
    /// Internal text for the operator; never shown to the partner.
    pub detail: Option<&'a str>,
    /// The Sonata id of the entity that was created, read or changed.
    pub entity: Option<&'a str>,
    /// Whether it is a test.
    pub is_test: bool,
    /// The plan that it ran on.
    pub plan_generation: u64,
    /// Bytes received and sent in bodies.
    pub bytes: (usize, usize),
    /// Number of findings recorded.
    pub findings: usize,
    /// Number of legacy calls made.
    pub legacy_calls: usize,
    /// From the first byte read to the answer handed to the server.
    pub total: Duration,
    /// Of that, waiting for legacy systems.
    pub legacy: Duration,
}

/// The log target of these lines, for filters such as `segue::access=off`.
pub const ACCESS_TARGET: &str = "segue::access";

impl ExchangeRecord<'_> {
    /// Writes the line; a failure of ours is a warning, everything else is information.
    pub fn log(&self) {
        let mut trace_id = [0; 32];
        let trace_id = hex(&mut trace_id, self.trace.trace_id);
        macro_rules! line {
            ($level:expr) => {
                tracing::event!(
                    target: ACCESS_TARGET,
                    $level,
                    exchange = self.exchange,
                    trace_id,
                    partner = self.partner,
                    function = self.function,
                    operation = self.operation,
                    method = self.method,
                    status = self.status,
                    code = self.code,
                    outcome = self.outcome,
                    detail = self.detail,
                    entity = self.entity,
                    test = self.is_test.then_some(true),
                    plan_generation = self.plan_generation,
                    bytes_in = self.bytes.0,
                    bytes_out = self.bytes.1,
                    findings = self.findings,
                    legacy_calls = self.legacy_calls,
                    total_us = micros(self.total),
                    legacy_us = micros(self.legacy),
                )
            };
        }
        if self.status >= 500 { line!(tracing::Level::WARN) } else { line!(tracing::Level::INFO) }
    }
}

/// Findings of one exchange that are warnings in the log: a list of a thousand elements with the same slip says it often
/// enough. The others are for who looks closer; metrics and the exchange's own line count all.
pub const FINDINGS_LOGGED_MAX: usize = 20;

/// Writes the line of the `number`th finding of an exchange, counted from one.
pub fn finding(exchange: &str, number: usize, code: &str, text: &str) {
    if number <= FINDINGS_LOGGED_MAX {
        tracing::warn!(exchange, code, finding = text, "finding");
    } else {
        tracing::debug!(exchange, code, finding = text, "finding");
    }
    if number == FINDINGS_LOGGED_MAX {
        tracing::warn!(exchange, "further findings of this exchange are only counted");
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::log::tests::captured;

    #[test]
    fn so_many_findings_of_an_exchange_have_a_line() {
        let lines =
            |count| captured(|| (1..=count).for_each(|number| finding("e-1", number, "K102", "a state")));
        assert_eq!(lines(3).lines().count(), 3);
        let text = lines(FINDINGS_LOGGED_MAX + 100);
        assert_eq!(text.matches("K102").count(), FINDINGS_LOGGED_MAX);
        assert_eq!(text.lines().count(), FINDINGS_LOGGED_MAX + 1);
        assert!(text.lines().last().unwrap().contains("only counted"), "{text}");
    }

    #[test]
    fn the_line_is_json_and_holds_the_fields() {
        let record = ExchangeRecord {
            exchange: "e-1",
            trace: TraceContext::new(10, 11),
            partner: Some("globex"),
            function: Some("quote"),
            operation: Some("createQuote"),
            method: "POST",
            status: 201,
            code: None,
            outcome: "ok",
            detail: None,
            entity: Some("q-1"),
            is_test: true,
            plan_generation: 3,
            bytes: (6700, 3000),
            findings: 1,
            legacy_calls: 2,
            total: Duration::from_micros(1500),
            legacy: Duration::from_micros(1100),
        };
        let text = captured(|| record.log());
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["exchange"], "e-1");
        assert_eq!(line["trace_id"], "0000000000000000000000000000000a");
        assert_eq!((&line["status"], &line["test"]), (&201.into(), &true.into()));
        assert_eq!(line["bytes_in"], 6700);
        assert_eq!(line["legacy_us"], 1100);
        assert_eq!(line.get("code"), None);
        let text = captured(|| ExchangeRecord { status: 500, ..record }.log());
        assert!(text.contains("\"WARN\""), "{text}");
    }
}
