//! Limits of the gateway.

use super::number::Number;
use crate::text::{
    Diagnostics,
    yaml::{Fields, Node},
};
use std::time::Duration;

const BODY_BYTES_MAX: Number = Number::new(
    "body_bytes_max",
    1_048_576,
    (1024, 67_108_864),
    "largest request body, after decompression; beyond it 400 invalidBody",
);
const DEPTH_MAX: Number =
    Number::new("depth_max", 64, (8, 256), "objects and arrays inside each other; beyond it 400 invalidBody");
const MEMBERS_MAX: Number =
    Number::new("members_max", 10_000, (100, 1_000_000), "members of one object and elements of one array");
const NODES_MAX: Number = Number::new("nodes_max", 200_000, (1000, 10_000_000), "values in one body");
const STRING_BYTES_MAX: Number =
    Number::new("string_bytes_max", 262_144, (256, 16_777_216), "length of one text in a body");
const HEADER_BYTES_MAX: Number =
    Number::new("header_bytes_max", 32_768, (8192, 262_144), "request line and headers together");
const FAULTS_MAX: Number = Number::new("faults_max", 100, (1, 1000), "faults that one 422 answer lists");
const PAGE_ITEMS_MAX: Number = Number::new(
    "page_items_max",
    100,
    (1, 1000),
    "entities in one page of a list, whatever limit the Buyer asks for",
);
const IN_FLIGHT_MAX: Number = Number::new(
    "in_flight_max",
    1024,
    (1, 100_000),
    "exchanges at one time; one more is 403 tooManyUsers at once",
);
const CONNECTIONS_MAX: Number =
    Number::new("connections_max", 4096, (1, 1_000_000), "open connections of one listener");
const EXCHANGE_DEADLINE_MS_MAX: Number = Number::new(
    "exchange_deadline_ms_max",
    30_000,
    (100, 600_000),
    "whole exchange, legacy calls included; beyond it 500 internalError",
);
const HEADER_READ_MS_MAX: Number =
    Number::new("header_read_ms_max", 10_000, (100, 120_000), "time a client may take to send its headers");
const BODY_READ_MS_MAX: Number =
    Number::new("body_read_ms_max", 20_000, (100, 600_000), "time a client may take to send its body");
const ANSWER_WRITE_MS_MAX: Number =
    Number::new("answer_write_ms_max", 20_000, (100, 600_000), "time a client may take to read its answer");
const DRAIN_MS_MAX: Number =
    Number::new("drain_ms_max", 20_000, (0, 600_000), "time that exchanges in flight get after SIGTERM");
const CALLS_MAX: Number = Number::new("calls_max", 200, (1, 10_000), "legacy calls of one exchange");
const DEAD_LETTER_HOURS_MAX: Number = Number::new(
    "dead_letter_hours_max",
    2160,
    (1, 87_600),
    "how long work that was given up is kept, to be looked at or taken up again",
);
const JOURNAL_HOURS_MAX: Number = Number::new(
    "journal_hours_max",
    720,
    (1, 87_600),
    "how long the journal of an exchange that ended well is kept",
);
const IDEMPOTENCY_HOURS_MAX: Number = Number::new(
    "idempotency_hours_max",
    168,
    (1, 87_600),
    "how long the answer to a repeated request is kept",
);

/// All of them, in the order of the shipped file.
pub(super) const NUMBERS: &[Number] = &[
    BODY_BYTES_MAX,
    DEPTH_MAX,
    MEMBERS_MAX,
    NODES_MAX,
    STRING_BYTES_MAX,
    HEADER_BYTES_MAX,
    FAULTS_MAX,
    PAGE_ITEMS_MAX,
    IN_FLIGHT_MAX,
    CONNECTIONS_MAX,
    EXCHANGE_DEADLINE_MS_MAX,
    HEADER_READ_MS_MAX,
    BODY_READ_MS_MAX,
    ANSWER_WRITE_MS_MAX,
    DRAIN_MS_MAX,
    CALLS_MAX,
    JOURNAL_HOURS_MAX,
    IDEMPOTENCY_HOURS_MAX,
    DEAD_LETTER_HOURS_MAX,
];

/// How much the gateway takes, keeps and waits for. Defaults and bounds are those of the shipped file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body in bytes, counted after decompression. Beyond it the exchange ends with 400
    /// `invalidBody`, the rest unread.
    pub body_bytes_max: usize,
    /// Objects and arrays inside each other in a body.
    pub depth_max: usize,
    /// Members of one object, and elements of one array.
    pub members_max: usize,
    /// Values of one body.
    pub nodes_max: usize,
    /// Length of one text in a body, in bytes.
    pub string_bytes_max: usize,
    /// Request line and headers together, in bytes.
    pub header_bytes_max: usize,
    /// Faults that one 422 answer lists.
    pub faults_max: usize,
    /// Entities in one page of a list.
    pub page_items_max: usize,
    /// Exchanges at one time; one more is answered 403 `tooManyUsers` at once.
    pub in_flight_max: usize,
    /// Open connections of one listener.
    pub connections_max: usize,
    /// Whole exchange from its first byte to its answer, legacy calls included.
    pub exchange_deadline_max: Duration,
    /// Time a client may take to send its headers.
    pub header_read_max: Duration,
    /// Time a client may take to send its body.
    pub body_read_max: Duration,
    /// Time a client may take to read its answer.
    pub answer_write_max: Duration,
    /// Time that exchanges in flight get after SIGTERM.
    pub drain_max: Duration,
    /// Legacy calls of one exchange.
    pub calls_max: usize,
    /// How long the journal of an exchange that ended well is kept; one that needs attention stays.
    pub journal_max: Duration,
    /// How long the answer to a repeated request is kept.
    pub idempotency_max: Duration,
    /// How long a task that was given up is kept.
    pub dead_letter_max: Duration,
}

impl Limits {
    /// From the mapping under `limits`; the defaults where there is none.
    pub(super) fn read(node: Option<&Node>, out: &mut Diagnostics) -> Self {
        let mut fields = Fields::section(node, "`limits`", out);
        let limits = Self {
            body_bytes_max: BODY_BYTES_MAX.size(&mut fields, out),
            depth_max: DEPTH_MAX.size(&mut fields, out),
            members_max: MEMBERS_MAX.size(&mut fields, out),
            nodes_max: NODES_MAX.size(&mut fields, out),
            string_bytes_max: STRING_BYTES_MAX.size(&mut fields, out),
            header_bytes_max: HEADER_BYTES_MAX.size(&mut fields, out),
            faults_max: FAULTS_MAX.size(&mut fields, out),
            page_items_max: PAGE_ITEMS_MAX.size(&mut fields, out),
            in_flight_max: IN_FLIGHT_MAX.size(&mut fields, out),
            connections_max: CONNECTIONS_MAX.size(&mut fields, out),
            exchange_deadline_max: EXCHANGE_DEADLINE_MS_MAX.millis(&mut fields, out),
            header_read_max: HEADER_READ_MS_MAX.millis(&mut fields, out),
            body_read_max: BODY_READ_MS_MAX.millis(&mut fields, out),
            answer_write_max: ANSWER_WRITE_MS_MAX.millis(&mut fields, out),
            drain_max: DRAIN_MS_MAX.millis(&mut fields, out),
            calls_max: CALLS_MAX.size(&mut fields, out),
            journal_max: JOURNAL_HOURS_MAX.hours(&mut fields, out),
            idempotency_max: IDEMPOTENCY_HOURS_MAX.hours(&mut fields, out),
            dead_letter_max: DEAD_LETTER_HOURS_MAX.hours(&mut fields, out),
        };
        fields.finish(out);
        limits
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::read(None, &mut Diagnostics::new())
    }
}
