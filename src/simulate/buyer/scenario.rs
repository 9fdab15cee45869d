//! A Buyer's scenario: what it sends otherwise than usual, and what it expects ([`HELP`]).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::script::{self, NoScenario, When};

/// What can stand in a scenario, in words and by an example.
pub const HELP: &str = r#"SCENARIO
A file of JSON; lines that begin with // are comments. Everything has a default; what is not known is refused, with its line.

{
  // Else by events, where the Seller has a hub.
  "follow": "polling", "poll_ms": 200,
  "steps": [ "address", "qualification", "quote", "order", "products", "ticket" ],
  "items": [ { "id": "port", "offering": "UNI-100", "configuration": { "@type": "urn:…" } } ],
  "send":   { "quote": { "/instantSyncQuote": true, "/externalId": "PO-7" }, "order": { "/productOrderItem/0/note": [] } },
  "expect": { "quote": { "/quoteItem/0/quoteItemPrice/0/price/dutyFreeAmount/value": 99.5 },
              "order": { "/productOrderItem/1/state": "completed" } },
  "until":  { "order": "completed" },
  "refused": { "step": "ticket", "status": 422, "body": { "/0/propertyPath": "/relatedEntity/0/id" } },
  "events": { "productOrderStateChangeEvent": 2 }
}

`send` puts values into places of the messages that it would send (null takes them out; `/name/-` adds to a list), `expect` says
what must stand in what comes back at last (null: nothing), `until` the state that it waits for. What is `refused` ends the
play, well if it is as said. `events` must have come at the end, so often or more. It ends with 0 where everything was as
expected, else with 1."#;

/// A step of the play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Address,
    Qualification,
    Quote,
    Order,
    Products,
    Ticket,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Address, Self::Qualification, Self::Quote, Self::Order, Self::Products, Self::Ticket];
}

/// How it learns of what changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Follow {
    /// By events; by polling where the Seller has no hub.
    #[default]
    Events,
    Polling,
}

/// What it sends otherwise than usual, and what it expects.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    pub(super) follow: Follow,
    /// Time between two looks, in milliseconds.
    pub(super) poll_ms: u64,
    pub(super) steps: Vec<Step>,
    /// What it buys; none: a port and a line.
    pub(super) items: Option<Vec<Item>>,
    pub(super) send: BTreeMap<Step, When>,
    pub(super) expect: BTreeMap<Step, When>,
    pub(super) until: BTreeMap<Step, String>,
    pub(super) refused: Option<Refused>,
    pub(super) events: BTreeMap<String, usize>,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            follow: Follow::default(),
            poll_ms: 500,
            steps: Step::ALL.to_vec(),
            items: None,
            send: BTreeMap::new(),
            expect: BTreeMap::new(),
            until: BTreeMap::new(),
            refused: None,
            events: BTreeMap::new(),
        }
    }
}

/// Something that it buys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub id: String,
    pub offering: String,
    /// `productConfiguration`.
    #[serde(default)]
    pub configuration: Value,
    /// Whether it is installed at the Buyer's address.
    #[serde(default)]
    pub installed: bool,
    /// Other items that it is connected to: relation and id.
    #[serde(default)]
    pub relations: BTreeMap<String, String>,
}

/// A refusal that is expected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refused {
    pub step: Step,
    pub status: u16,
    #[serde(default)]
    pub body: When,
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    /// The text is not JSON, says what is not known here, or is larger than 1 MiB.
    pub fn read(text: &str) -> Result<Self, NoScenario> {
        script::read(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_help_is_understood() {
        let from = HELP.find("\n{\n").unwrap();
        let example = &HELP[from..from + HELP[from..].find("\n}\n").unwrap() + 3];
        let scenario = Scenario::read(example).unwrap();
        assert_eq!((scenario.follow, scenario.steps), (Follow::Polling, Step::ALL.to_vec()));
        assert_eq!(scenario.refused.unwrap().step, Step::Ticket);
        let wrong = Scenario::read("{\n\"expect\": { \"bill\": {} } }").unwrap_err();
        assert!(wrong.line == 2 && wrong.reason.contains("unknown variant `bill`"), "{wrong}");
    }
}
