//! Prices: they follow from article, rate, classes and term, and from nothing else.

use serde::Serialize;

use super::article::{Build, Sku};

/// One row per price; `mrc` by `per`, `nrc` once, both in minor units of the message's currency.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Price {
    pub line_no: i64,
    pub txt: &'static str,
    pub mrc: i64,
    pub nrc: i64,
    pub per: &'static str,
}

/// What is done to an installed thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Act {
    /// New.
    #[serde(rename = "N")]
    New,
    /// Changed.
    #[serde(rename = "C")]
    Change,
    /// Disconnected.
    #[serde(rename = "D")]
    Disconnect,
}

/// The price rows of a line.
pub(super) fn prices(line_no: i64, sku: Sku, act: Act, build: Build, term_months: i64) -> Vec<Price> {
    let row = |txt, mrc, nrc| Price { line_no, txt, mrc, nrc, per: "M" };
    if act == Act::Disconnect {
        return vec![row("Disconnection", 0, 10_000)];
    }
    let (month, start, month_per_mbps) = sku.price();
    let full = month + month_per_mbps * (build.kbps / 1000);
    // Percent of the list price by term: short terms cost more, long ones less, and from three years the start is free.
    let (percent, start) = match term_months {
        ..12 => (110, start),
        12..24 => (100, start),
        24..36 => (95, start),
        _ => (90, 0),
    };
    let start = if act == Act::Change { 5_000 } else { start };
    let mut rows = vec![row(sku.price_name(), full * percent / 100, start)];
    if build.classes > 0 {
        rows.push(row("CoS", 1_000 * build.classes, 0));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_follow_from_rate_classes_and_term() {
        let build = Build { kbps: 70_000, classes: 1 };
        let pairs = |act, term| -> Vec<_> {
            prices(10, Sku::Ovc, act, build, term).iter().map(|p| (p.txt, p.mrc, p.nrc)).collect()
        };
        assert_eq!(pairs(Act::New, 12), [("Line", 12_550, 50_000), ("CoS", 1_000, 0)]);
        assert_eq!(pairs(Act::New, 36), [("Line", 11_295, 0), ("CoS", 1_000, 0)]);
        assert_eq!(pairs(Act::Change, 1), [("Line", 13_805, 5_000), ("CoS", 1_000, 0)]);
        assert_eq!(pairs(Act::Disconnect, 12), [("Disconnection", 0, 10_000)]);
    }
}
