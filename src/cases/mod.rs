//! Cases: real exchanges as four files, played through the real exchange with the legacy system's answers at hand.
//!
//! A case is golden test, bench input, fuzz seed and documentation at once. Its folder lies beside the mappings:
//!
//! ```text
//! mappings/acme/cases/quote/createQuote.two-items/
//!   case.yaml                what it shows, partner, clock, cases that go before it, members to ignore
//!   1-sonata-request.json    { "POST": "/mefApi/…/quote", "headers": {…}, "body": … }
//!   2-legacy-request.json    the call that must be made (2a, 2b … where there are several)
//!   3-legacy-response.json   { "status": 201, "body": … } or { "fault": "timeout" }
//!   4-sonata-response.json   { "status": 201, "headers": {…}, "body": … }
//!
//! Of what our procurement system asks for, the first and the last are `1-legacy-request.json` and
//! `4-legacy-response.json`, those between `2-sonata-request.json` and `3-sonata-response.json`.
//! ```
//!
//! A message that a legacy system sends by itself is a case of other files:
//!
//! ```text
//!   1-legacy-message.json    { "PUT": "/bss/orders/P-2001", "body": … }
//!   4-legacy-answer.json     { "status": 204 }
//!   5-sonata-told.json       { "entities": { "productOrder/…": {…} }, "events": [ { "eventType": …, "event": {…} } ] }
//! ```
//!
//! Everything but the sockets is the program's own: plan, check, mapping, custody, store. A case without `2` and
//! `3` proves that nothing reached the legacy system.

pub mod compare;
pub mod differ;
mod findings;
pub mod form;
pub mod message;
pub mod mutate;
pub mod play;
pub mod record;
pub mod round;
pub mod stand;
mod told;
pub mod update;
