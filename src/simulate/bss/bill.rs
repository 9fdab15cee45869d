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

    fn print(&mut self, number: usize, &(acct, back, typ, st, lines): &Printed, today: Date) {
        let first = today.first_of_month();
        let months = |months: i32| first.checked_sub(months.months()).unwrap_or(first);
        let (von, dat) = (months(back), months(back - 1));
        let bis = von.last_of_month();
        let inv_no = format!("R-{number}");
        let mut pos = Vec::new();
        let (mut net, mut fee) = (0, 0);
        for (line, &(typ, txt, art, asset_no, qty, unit, rate, own, surcharge)) in lines.iter().enumerate() {
            let pos_no = format!("{inv_no}-{}", line + 1);
            pos.push(pos_no.clone());
            net += qty * rate;
            fee += surcharge;
            let fees = [Fee {
                typ: "S",
                txt: "Weekend work",
                bp: surcharge * 10_000 / (qty * rate).max(1),
                amt: surcharge,
            }];
            self.positions.push(Position {
                pos_no,
                inv_no: inv_no.clone(),
                st: if own.is_empty() { st } else { own },
                typ,
                txt,
                art,
                asset_no,
                von,
                bis,
                cur: "EUR",
                qty,
                unit,
                rate,
                net: qty * rate,
                tax: vec![vat(qty * rate)],
                fee: fees.into_iter().filter(|fee| fee.amt > 0).collect(),
            });
        }
        let tax = vat(net + fee);
        let gross = net + fee + tax.amt;
        let paid = if st == "B" { gross } else { 0 };
        let pay_no = format!("Z-{number}");
        let payment = Payment { pay_no, dat: day::after(dat, 12), how: "U", amt: paid };
        self.invoices.push(Invoice {
            nr: format!("{:04}{:02}/{acct}", von.year(), von.month()),
            inv_no,
            acct,
            st,
            typ,
            von,
            bis,
            lauf: if typ == "N" { "Z" } else { "S" },
            zyk: "M01",
            dat,
            due: day::after(dat, 14),
            upd: dat,
            cur: "EUR",
            net: net + fee,
            gross,
            disc: 0,
            fee,
            cred: 0,
            open: gross - paid,
            rest: gross - paid,
            ledger: format!("D-{acct}"),
            doc: format!("https://billing.acme.example/print/{number}.pdf"),
            tax: vec![tax],
            paid: [payment].into_iter().filter(|payment| payment.amt > 0).collect(),
            pos,
            desk: DESK,
        });
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
