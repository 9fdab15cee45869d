//! The billing export: invoices of an account and their positions, as the print run left them.
//!
//! It is older than the rest of the desk. It cannot be written to, and what is wrong it says in plain text.

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde::Serialize;

use super::day;
use super::info::{DESK, Desk};
use super::page::{Query, page};
use super::reply::{Refusal, Reply};
use super::state::State;

/// An invoice, and with everything but its first columns absent a row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Invoice {
    inv_no: String,
    /// The number printed on the paper.
    nr: String,
    acct: &'static str,
    /// `N` printed, `F` due, `B` paid.
    st: &'static str,
    /// `N` invoice, `D` second print, `T` trial print.
    typ: &'static str,
    #[serde(serialize_with = "day::plain")]
    von: Date,
    #[serde(serialize_with = "day::plain")]
    bis: Date,
    /// `Z` in the cycle, `S` out of it.
    lauf: &'static str,
    zyk: &'static str,
    #[serde(serialize_with = "day::plain")]
    dat: Date,
    #[serde(serialize_with = "day::plain")]
    due: Date,
    #[serde(serialize_with = "day::plain")]
    upd: Date,
    cur: &'static str,
    net: i64,
    gross: i64,
    disc: i64,
    fee: i64,
    cred: i64,
    /// Still to be paid of what is due, and of all.
    open: i64,
    rest: i64,
    ledger: String,
    doc: String,
    tax: Vec<Tax>,
    paid: Vec<Payment>,
    pos: Vec<String>,
    desk: Desk,
}

/// Tax of an invoice or a position, in basis points and minor units.
#[derive(Debug, Serialize)]
struct Tax {
    typ: &'static str,
    txt: &'static str,
    bp: i64,
    amt: i64,
}

/// What was paid.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payment {
    pay_no: String,
    #[serde(serialize_with = "day::plain")]
    dat: Date,
    /// `U` transfer, `S` cheque, `L` direct debit, `B` cash.
    how: &'static str,
    amt: i64,
}

/// A position of an invoice.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Position {
    pos_no: String,
    inv_no: String,
    /// As of the invoice, and `R` disputed, `G` credited, `Z` withdrawn.
    st: &'static str,
    /// `M` by month, `E` once, `V` by use.
    typ: &'static str,
    txt: &'static str,
    art: &'static str,
    asset_no: &'static str,
    #[serde(serialize_with = "day::plain")]
    von: Date,
    #[serde(serialize_with = "day::plain")]
    bis: Date,
    cur: &'static str,
    qty: i64,
    unit: &'static str,
    rate: i64,
    net: i64,
    tax: Vec<Tax>,
    fee: Vec<Fee>,
}

/// A surcharge of a position.
#[derive(Debug, Serialize)]
struct Fee {
    typ: &'static str,
    txt: &'static str,
    bp: i64,
    amt: i64,
}

/// A row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    inv_no: &'a str,
    nr: &'a str,
    acct: &'a str,
    st: &'a str,
    typ: &'a str,
    #[serde(serialize_with = "day::plain")]
    von: Date,
    #[serde(serialize_with = "day::plain")]
    bis: Date,
}

/// The print runs: invoices and positions.
#[derive(Debug, Default)]
pub(super) struct Export {
    invoices: Vec<Invoice>,
    positions: Vec<Position>,
}

/// Account, months back, print, state, positions: type, text, article, asset, quantity, unit, rate in minor units,
/// state where it is not the invoice's, and surcharge.
type Printed = (&'static str, i32, &'static str, &'static str, &'static [Line]);
type Line =
    (&'static str, &'static str, &'static str, &'static str, i64, &'static str, i64, &'static str, i64);

#[rustfmt::skip]
const PRINTED: &[Printed] = &[
    ("4711", 3, "N", "B", &[("M", "Port, monthly", "UNI 100M", "A4711", 1, "month", 9_900, "", 0),
                            ("M", "Line, monthly", "EVPLA 70M", "A4712", 1, "month", 12_550, "", 0)]),
    ("4711", 2, "N", "F", &[("M", "Port, monthly", "UNI 100M", "A4711", 1, "month", 9_900, "", 0),
                            ("M", "Line, monthly", "EVPLA 70M", "A4712", 1, "month", 12_550, "R", 0),
                            ("E", "Move of a port", "UNI 100M", "A4711", 1, "piece", 25_000, "G", 500)]),
    ("4711", 1, "N", "N", &[("M", "Port, monthly", "UNI 100M", "A4711", 1, "month", 9_900, "", 0),
                            ("V", "Traffic above the rate", "INET-B", "A4715", 120, "GB", 15, "", 0)]),
    ("4711", 1, "D", "N", &[("M", "Port, monthly", "UNI 100M", "A4711", 1, "month", 9_900, "", 0)]),
    ("4799", 1, "N", "N", &[("M", "Port, monthly", "UNI 100M", "A4713", 1, "month", 8_900, "", 0)]),
];

impl Export {
    /// What was printed in the months before this day.
    pub fn before(today: Date) -> Self {
        let mut export = Self::default();
        for (index, printed) in PRINTED.iter().enumerate() {
            export.print(7001 + index, printed, today);
        }
        export
    }

    fn print(&mut self, number: usize, printed: &Printed, today: Date) {
        let run = Run::new(number, printed, today);
        let first = self.positions.len();
        let lines = printed.4.iter().enumerate();
        self.positions.extend(lines.map(|(index, line)| run.position(index + 1, line)));
        let positions = self.positions.get(first..).unwrap_or_default();
        self.invoices.push(run.invoice(positions));
    }
}

/// One invoice being printed.
struct Run {
    number: usize,
    inv_no: String,
    acct: &'static str,
    typ: &'static str,
    st: &'static str,
    von: Date,
    bis: Date,
    dat: Date,
}

impl Run {
    fn new(number: usize, &(acct, back, typ, st, _): &Printed, today: Date) -> Self {
        let first = today.first_of_month();
        let months = |months: i32| first.checked_sub(months.months()).unwrap_or(first);
        let (von, dat) = (months(back), months(back - 1));
        Self { number, inv_no: format!("R-{number}"), acct, typ, st, von, bis: von.last_of_month(), dat }
    }

    fn position(&self, index: usize, line: &Line) -> Position {
        let &(typ, txt, art, asset_no, qty, unit, rate, own, surcharge) = line;
        let net = qty * rate;
        let fee = Fee { typ: "S", txt: "Weekend work", bp: surcharge * 10_000 / net.max(1), amt: surcharge };
        Position {
            pos_no: format!("{}-{index}", self.inv_no),
            inv_no: self.inv_no.clone(),
            st: if own.is_empty() { self.st } else { own },
            typ,
            txt,
            art,
            asset_no,
            von: self.von,
            bis: self.bis,
            cur: "EUR",
            qty,
            unit,
            rate,
            net,
            tax: vec![vat(net)],
            fee: [fee].into_iter().filter(|fee| fee.amt > 0).collect(),
        }
    }

    fn invoice(&self, positions: &[Position]) -> Invoice {
        let fee: i64 = positions.iter().flat_map(|position| &position.fee).map(|fee| fee.amt).sum();
        let net = positions.iter().map(|position| position.net).sum::<i64>() + fee;
        let tax = vat(net);
        let gross = net + tax.amt;
        let paid = if self.st == "B" { gross } else { 0 };
        Invoice {
            inv_no: self.inv_no.clone(),
            nr: format!("{:04}{:02}/{}", self.von.year(), self.von.month(), self.acct),
            acct: self.acct,
            st: self.st,
            typ: self.typ,
            von: self.von,
            bis: self.bis,
            lauf: if self.typ == "N" { "Z" } else { "S" },
            zyk: "M01",
            dat: self.dat,
            due: day::after(self.dat, 14),
            upd: self.dat,
            cur: "EUR",
            net,
            gross,
            disc: 0,
            fee,
            cred: 0,
            open: gross - paid,
            rest: gross - paid,
            ledger: format!("D-{}", self.acct),
            doc: format!("https://billing.acme.example/print/{}.pdf", self.number),
            tax: vec![tax],
            paid: self.payment(paid).into_iter().collect(),
            pos: positions.iter().map(|position| position.pos_no.clone()).collect(),
            desk: DESK,
        }
    }

    fn payment(&self, amt: i64) -> Option<Payment> {
        let dat = day::after(self.dat, 12);
        (amt > 0).then(|| Payment { pay_no: format!("Z-{}", self.number), dat, how: "U", amt })
    }
}

fn vat(net: i64) -> Tax {
    Tax { typ: "L", txt: "VAT", bp: 1_900, amt: (net * 19 + 50) / 100 }
}

/// `GET /bill/invoices`: those whose period lies within the days asked for.
pub(super) fn invoices(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let days = |from, to| query.days(from, to).map_err(|_| Refusal::Text(400, "BAD DATE"));
    let ((from, from_to), (to_from, to)) = (days("vonAb", "vonBis")?, days("bisAb", "bisBis")?);
    if query.get("acct").is_none() {
        return Err(Refusal::Text(400, "ACCOUNT MISSING"));
    }
    let rows = state.export.invoices.iter().filter(|invoice| {
        query.takes("acct", invoice.acct)
            && query.takes("st", invoice.st)
            && query.takes("typ", invoice.typ)
            && (from..=from_to).contains(&invoice.von)
            && (to_from..=to).contains(&invoice.bis)
    });
    let rows = rows.map(|invoice| Row {
        inv_no: &invoice.inv_no,
        nr: &invoice.nr,
        acct: invoice.acct,
        st: invoice.st,
        typ: invoice.typ,
        von: invoice.von,
        bis: invoice.bis,
    });
    Ok(Reply::row(&page(query, rows).map_err(|_| Refusal::Text(400, "BAD PAGE"))?))
}

/// `GET /bill/invoices/{no}`.
pub(super) fn invoice(state: &State, number: &str) -> Result<Reply, Refusal> {
    let found = state.export.invoices.iter().find(|invoice| invoice.inv_no == number);
    found.map(Reply::row).ok_or(Refusal::Text(404, "INVOICE NOT ON FILE"))
}

/// `GET /bill/positions/{no}`.
pub(super) fn position(state: &State, number: &str) -> Result<Reply, Refusal> {
    let found = state.export.positions.iter().find(|position| position.pos_no == number);
    found.map(Reply::row).ok_or(Refusal::Text(404, "POSITION NOT ON FILE"))
}
