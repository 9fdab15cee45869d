//! Which events a subscription wants: the `query` of its registration.
//!
//! The guides show one attribute, `eventType`, in several forms (MEF 115 R55 and siblings): `eventType=a,b`,
//! `eventType=a&eventType=b`, and with spaces around each part. Nothing, or nothing but spaces, is all events.

use crate::sonata::{
    Function,
    events::{self, EventFacts},
};

/// Longest accepted query, in bytes: all types of the function with the most, several times over.
pub const QUERY_BYTES_MAX: usize = 4096;

/// The events that a subscription wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Every event of the function.
    All,
    /// Events of these types.
    Types(Vec<&'static str>),
}

impl Wanted {
    /// Reads the `query` of a registration at a function's hub.
    ///
    /// # Errors
    /// What is wrong with it, as the Buyer may know it.
    pub fn parse(function: Function, query: &str) -> Result<Self, String> {
        if query.len() > QUERY_BYTES_MAX {
            return Err(format!("a query has at most {QUERY_BYTES_MAX} bytes"));
        }
        if query.trim().is_empty() {
            return Ok(Self::All);
        }
        let mut types = Vec::new();
        for part in query.split('&') {
            let Some((name, values)) = part.split_once('=') else {
                return Err(format!("`{}` is not of the form eventType=NAME", shown(part)));
            };
            if name.trim() != "eventType" {
                return Err(format!("`{}` cannot be asked for; only eventType can", shown(name)));
            }
            for value in values.split(',') {
                let known = events::event(function, value.trim()).ok_or_else(|| unknown(function, value))?;
                if !types.contains(&known.event_type) {
                    types.push(known.event_type);
                }
            }
        }
        Ok(Self::Types(types))
    }

    /// Whether an event is wanted.
    #[must_use]
    pub fn takes(&self, event: &EventFacts) -> bool {
        match self {
            Self::All => true,
            Self::Types(types) => types.contains(&event.event_type),
        }
    }
}

fn unknown(function: Function, value: &str) -> String {
    if value.trim().is_empty() {
        return "eventType has an empty value".to_owned();
    }
    let known = events::EVENTS.iter().filter(|event| event.function == function);
    let known: Vec<&str> = known.map(|event| event.event_type).collect();
    format!("there is no event type `{}` here; there are {}", shown(value), known.join(", "))
}

/// The Buyer's own text, short enough to be repeated.
fn shown(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "quoteStateChangeEvent";
    const ITEM: &str = "quoteItemStateChangeEvent";

    #[test]
    fn every_form_is_read() {
        let rows: [(&str, &[&str]); 10] = [
            ("eventType=quoteStateChangeEvent", &[STATE]),
            ("eventType = quoteStateChangeEvent", &[STATE]),
            ("  eventType=quoteStateChangeEvent  ", &[STATE]),
            ("eventType=quoteStateChangeEvent,quoteItemStateChangeEvent", &[STATE, ITEM]),
            ("eventType=quoteStateChangeEvent, quoteItemStateChangeEvent", &[STATE, ITEM]),
            ("eventType=quoteItemStateChangeEvent&eventType=quoteStateChangeEvent", &[ITEM, STATE]),
            ("eventType = quoteItemStateChangeEvent & eventType = quoteStateChangeEvent", &[ITEM, STATE]),
            ("eventType=quoteStateChangeEvent&eventType=quoteStateChangeEvent", &[STATE]),
            ("eventType=quoteStateChangeEvent,quoteStateChangeEvent", &[STATE]),
            (
                "eventType=quoteStateChangeEvent&eventType=quoteItemStateChangeEvent,quoteStateChangeEvent",
                &[STATE, ITEM],
            ),
        ];
        for (query, types) in rows {
            assert_eq!(Wanted::parse(Function::QUOTE, query), Ok(Wanted::Types(types.to_vec())), "{query:?}");
        }
        for query in ["", "  ", "\t"] {
            assert_eq!(Wanted::parse(Function::QUOTE, query), Ok(Wanted::All), "{query:?}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        let long = format!("eventType={}", "x".repeat(QUERY_BYTES_MAX));
        let rows = [
            ("quoteStateChangeEvent", "not of the form"),
            ("eventType", "not of the form"),
            ("eventType=quoteStateChangeEvent&", "not of the form"),
            ("eventType=", "empty value"),
            ("eventType=quoteStateChangeEvent,", "empty value"),
            ("eventType=,", "empty value"),
            ("eventtype=quoteStateChangeEvent", "only eventType"),
            ("state=approved", "only eventType"),
            ("eventType=quoteStateChangeEvent&state=approved", "only eventType"),
            ("eventType=productOrderStateChangeEvent", "no event type `productOrderStateChangeEvent`"),
            ("eventType=QuoteStateChangeEvent", "there are"),
            ("eventType=quoteStateChangeEvent;quoteItemStateChangeEvent", "no event type"),
            ("eventType==quoteStateChangeEvent", "no event type"),
            (long.as_str(), "at most"),
        ];
        for (query, reason) in rows {
            let refused = Wanted::parse(Function::QUOTE, query).unwrap_err();
            assert!(refused.contains(reason), "{query:?}: {refused}");
        }
    }

    #[test]
    fn the_types_of_the_catalogue_are_those_of_its_messages() {
        let wanted = Wanted::parse(Function::CATALOG, "eventType=categoryStateChangeEvent").unwrap();
        let taken: Vec<&str> =
            events::EVENTS.iter().filter(|event| wanted.takes(event)).map(|event| event.path).collect();
        assert_eq!(taken, ["categoryStatusChangeEvent"]);
        assert!(Wanted::parse(Function::CATALOG, "eventType=categoryStatusChangeEvent").is_err());
    }
}
