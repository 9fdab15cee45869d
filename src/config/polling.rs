//! A Seller without a hub: how often it is asked for what was bought, and for how long.

use std::time::Duration;

use super::{code, number::Number, partner::Side};
use crate::text::{Diagnostic, Diagnostics, yaml::Fields};

/// The numbers of `polling`.
pub(super) const NUMBERS: &[Number] = &[EVERY, AGE];

const EVERY: Number = Number::new(
    "every_ms",
    60_000,
    (1000, 86_400_000),
    "time between two askings for one thing that was bought and is not done",
);

const AGE: Number =
    Number::new("give_up_days", 90, (1, 3650), "how long one thing is asked for before it is left to people");

/// How what was bought is followed where nobody tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Polling {
    /// Between two askings for one thing.
    pub every: Duration,
    /// From its purchase to giving up.
    pub give_up: Duration,
}

impl Polling {
    /// Reads `polling`; none where the Seller tells by itself.
    pub(super) fn read(fields: &mut Fields<'_>, side: Side, out: &mut Diagnostics) -> Option<Self> {
        let entry = fields.entry("polling")?;
        let mut inner = Fields::section(Some(&entry.value), "`polling`", out);
        let polling = Self { every: EVERY.millis(&mut inner, out), give_up: AGE.days(&mut inner, out) };
        inner.finish(out);
        if side == Side::Seller {
            let fault =
                Diagnostic::error(code::ONE_OF, "a partner that buys from us is not asked for anything");
            out.push(fault.at(entry.key_span).hint("remove `polling`, or write `side: buyer`"));
        }
        Some(polling)
    }
}
