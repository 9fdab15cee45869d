//! A scenario: what a Seller does otherwise than usual, from a small file of JSON ([`HELP`]).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::fault::{Fault, Kind as Wrong};
use super::super::script::{self, NoScenario, When};
use super::kind::Kind;

/// What can stand in a scenario, in words and by an example.
pub const HELP: &str = r#"SCENARIO
A file of JSON; lines that begin with // are comments. Everything has a default; what is not known is refused, with its line.

{
  "prices":   [ { "offering": "UNI-100", "monthly": 99.5, "once": 0, "unit": "EUR" } ],
  "walks":    [ { "of": "productOrder", "when": { "/externalId": "PO-2" },
                  "steps": [ { "state": "inProgress", "after_ms": 500 },
                             { "state": "partial", "items": { "1": "completed", "2": "failed" } } ] } ],
  "refusals": [ { "operation": "createQuote", "when": { "/quoteItem/0/action": "delete" }, "times": 1,
                  "status": 422, "code": "invalidValue", "reason": "not here", "path": "/quoteItem/0/action" } ],
  "events":   [ { "of": "quoteStateChangeEvent", "when": { "/event/id": "quote-0001" }, "copies": 2, "after_ms": 300 },
                { "of": "productOrderStateChangeEvent", "order": "after_next" } ],
  "stock":    { "incident": [ { "id": "I-1", "status": "created" } ] },
  "faults":   [ { "kind": "status", "status": 429, "retry_after_s": 2, "path": "/mefApi", "skip": 3, "count": 1 } ],
  // No hub (501): Buyers have to ask. Tokens are good for 5 seconds. Each order is held by a charge.
  "has_hub": false, "token_s": 5, "charges_orders": true
}

`when` names places by JSON pointers and what must stand there (null: nothing); walks and refusals look at what the Buyer sent,
events at the event. The first that fits is taken. A walk follows the state that a create message is answered with; "at_once": true
has its last step taken before that answer, `after_ms` is the time after the step before. `copies` is how often an event is sent
(0: never); "order": "after_next" has it overtaken by the next one. What is in `stock` is there from the beginning. Kinds of
faults: late (with latency_ms), status, drop, short, garbage, html, text, drip, length, gzip, huge; "acts": true has the request
take effect all the same.

CONTROLS
POST /sim/step {}                                       everything takes its next step; or one: {"of": "quote", "id": "…"}
POST /sim/state {"of": "quote", "id": "…", "state": "expired", "items": {}}
POST /sim/charges {"order": "…", "item": "1", "once": 90, "blocking": true}
POST /sim/incidents {}                                  an incident begins; what is left out is filled in
POST, GET, DELETE /sim/faults                           as in a scenario
DELETE /sim/tokens, DELETE /sim/hubs                    are forgotten
GET /sim/journal                                        what was asked, oldest first"#;

/// What a Seller does otherwise than usual.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    pub(super) prices: Vec<Price>,
    pub(super) walks: Vec<Walk>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) events: Vec<Telling>,
    pub(super) faults: Vec<SellerFault>,
    pub(super) stock: BTreeMap<Sort, Vec<Map<String, Value>>>,
    pub(super) has_hub: Option<bool>,
    /// How long a token is good, in seconds.
    pub(super) token_s: Option<u64>,
    /// Whether each order is charged for: it is held until its Buyer accepts.
    pub(super) charges_orders: bool,
}

/// The name of a sort of thing.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Sort(pub &'static Kind);

impl TryFrom<String> for Sort {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let names = || super::kind::KINDS.map(|kind| kind.name).join(", ");
        Kind::named(&name).map(Self).ok_or_else(|| format!("no `{name}` is sold here, but {}", names()))
    }
}

impl PartialEq for Sort {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Sort {}

impl PartialOrd for Sort {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sort {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.name.cmp(other.0.name)
    }
}

/// A fault as a Seller can have it.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Fault")]
pub(super) struct SellerFault(pub Fault);

impl TryFrom<Fault> for SellerFault {
    type Error = &'static str;

    fn try_from(fault: Fault) -> Result<Self, Self::Error> {
        match fault.kind {
            Wrong::Rc8 => Err("`rc8` is a fault of the BSS"),
            Wrong::Status if !(100..600).contains(&fault.status) => Err("a status is from 100 to 599"),
            _ => Ok(Self(fault)),
        }
    }
}

/// What an offering costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Price {
    /// Its id; none: any.
    pub offering: Option<String>,
    pub monthly: f64,
    pub once: f64,
    pub unit: String,
}

impl Default for Price {
    fn default() -> Self {
        Self { offering: None, monthly: 129.5, once: 250.0, unit: "EUR".to_owned() }
    }
}

/// What some things go through.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Walk {
    pub of: Sort,
    #[serde(default)]
    pub when: When,
    #[serde(default)]
    pub at_once: bool,
    pub steps: Vec<Step>,
}

/// One step of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    pub state: String,
    /// Time after the step before, in milliseconds; none: the Seller's own.
    #[serde(default)]
    pub after_ms: Option<u64>,
    /// Items that go elsewhere than the whole, by their ids.
    #[serde(default)]
    pub items: BTreeMap<String, String>,
}

/// A request that is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    /// As the contract calls it: `createProductOrder`.
    pub operation: String,
    #[serde(default)]
    pub when: When,
    /// How often; none: each time.
    #[serde(default)]
    pub times: Option<u32>,
    pub status: u16,
    pub code: String,
    pub reason: String,
    /// `propertyPath` of 422.
    #[serde(default)]
    pub path: Option<String>,
}

/// How some events are told.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Telling {
    /// Its `eventType`.
    pub of: String,
    #[serde(default)]
    pub when: When,
    #[serde(default = "once")]
    pub copies: u32,
    #[serde(default)]
    pub after_ms: u64,
    #[serde(default)]
    pub order: Order,
}

fn once() -> u32 {
    1
}

/// When an event is sent, seen from the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    /// In its turn.
    #[default]
    InTurn,
    /// After the one that comes next.
    AfterNext,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The text is not JSON, says what is not known here, or is larger than 1 MiB.
    pub fn read(text: &str) -> Result<Self, NoScenario> {
        script::read(text)
    }

    /// The price of an offering.
    pub(super) fn price(&self, offering: Option<&str>) -> Price {
        let fits = |price: &&Price| price.offering.is_none() || price.offering.as_deref() == offering;
        self.prices.iter().find(fits).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The example of the help.
    fn described() -> &'static str {
        let from = HELP.find("\n{\n").unwrap();
        &HELP[from..from + HELP[from..].find("\n}\n").unwrap() + 3]
    }

    #[test]
    fn what_is_described_is_understood() {
        let scenario = Scenario::read(described()).unwrap();
        assert_eq!((scenario.walks.len(), scenario.faults.len(), scenario.stock.len()), (1, 1, 1));
        assert!(scenario.price(Some("UNI-100")).monthly < 100.0);
        assert!(scenario.price(Some("OVC-100")).monthly > 100.0);
        assert!(scenario.walks[0].when.meets(&json!({ "externalId": "PO-2" })));
        assert!(!scenario.walks[0].when.meets(&json!({})));
        assert_eq!((scenario.events[0].copies, scenario.events[1].order), (2, Order::AfterNext));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, reason) in [
            ("{\n// fine\n\"prices\": [ }", 3, "expected value"),
            ("{\n\"walks\": [\n{ \"of\": \"boat\",\n\"steps\": [] } ] }", 3, "no `boat` is sold here"),
            ("{\n\n\"price\": [] }", 3, "unknown field `price`"),
            ("{ \"refusals\": [\n{ \"operation\": \"createQuote\" } ] }", 2, "missing field `status`"),
            ("{ \"faults\": [ {},\n { \"kind\": \"rc8\" } ] }", 2, "a fault of the BSS"),
            ("{ \"faults\": [ { \"kind\": \"status\",\n \"status\": 7 } ] }", 2, "from 100 to 599"),
            (
                "{ \"walks\": [ { \"of\": \"quote\", \"steps\": [],\n \"when\": { \"id\": 1 } } ] }",
                2,
                "no JSON pointer",
            ),
        ] {
            let wrong = Scenario::read(text).unwrap_err();
            assert!(wrong.line == line && wrong.reason.contains(reason), "{text}: {wrong}");
        }
    }
}
