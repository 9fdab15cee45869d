//! Remarks and contacts: read with a message, added later, and the names at Acme that every answer carries.

use jiff::civil::Date;
use serde::Serialize;

use super::day;
use super::form::{Complaints, Form, body};
use super::reply::{Refusal, Reply};
use super::state::State;

/// Who at Acme works on it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Desk {
    nm: &'static str,
    tel: &'static str,
    mail: &'static str,
}

/// The order desk.
pub(super) const DESK: Desk = Desk { nm: "Order Desk", tel: "+49 30 555 0100", mail: "desk@acme.example" };

/// A remark as it was read.
#[derive(Debug, Clone)]
pub(super) struct Remark {
    pub line_no: i64,
    pub text: String,
    by: Option<String>,
    side: &'static str,
    day: Option<Date>,
}

/// A remark as it is kept and written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Text {
    line_no: i64,
    nr: usize,
    t: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    side: &'static str,
    #[serde(serialize_with = "day::plain")]
    dat: Date,
}

/// Reads the table `txt`.
pub(super) fn read_remarks(form: &Form<'_>, out: &mut Complaints) -> Vec<Remark> {
    let rows = form.rows("txt", "nr", out);
    let read = |row: &Form<'_>, out: &mut Complaints| {
        row.require("t", out);
        row.number("nr", 1, 9999, out);
        Remark {
            line_no: row.number("lineNo", 0, 9990, out).unwrap_or(0),
            text: row.text("t", 400, out).unwrap_or_default().to_owned(),
            by: row.text("by", 60, out).map(str::to_owned),
            side: row.letter("side", &["K", "A"], out).unwrap_or("K"),
            day: row.day("dat", out),
        }
    };
    rows.iter().map(|row| read(row, out)).collect()
}

/// Reads a row of the table `ctc`; the desk prints contacts on its papers and does not keep them. Gives its line.
pub(super) fn read_contact(row: &Form<'_>, out: &mut Complaints) -> i64 {
    row.require("lineNo", out);
    row.require("typ", out);
    row.letter("typ", &["K", "T", "L", "P", "I", "R", "S"], out);
    for (name, characters_max) in [("nm", 80), ("tel", 40), ("ext", 10), ("mail", 80), ("org", 80)] {
        row.text(name, characters_max, out);
    }
    row.number("lineNo", 0, 9990, out).unwrap_or(0)
}

/// Adds remarks to those kept, and numbers them on.
pub(super) fn add<'a>(texts: &mut Vec<Text>, remarks: impl Iterator<Item = &'a Remark>, today: Date) {
    for remark in remarks {
        texts.push(Text {
            line_no: remark.line_no,
            nr: texts.len() + 1,
            t: remark.text.clone(),
            by: remark.by.clone(),
            side: remark.side,
            dat: remark.day.unwrap_or(today),
        });
    }
}

/// What a later message adds.
struct Additions {
    customer_ref: Option<String>,
    project_ref: Option<String>,
    lines: Vec<i64>,
    remarks: Vec<Remark>,
}

fn read(bytes: &[u8]) -> Result<Additions, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let mut lines = Vec::new();
    for row in form.rows("lines", "lineNo", &mut out) {
        row.require("lineNo", &mut out);
        lines.extend(row.number("lineNo", 10, 9990, &mut out));
        row.text("endCust", 80, &mut out);
        row.text("pon", 40, &mut out);
    }
    for row in form.rows("ctc", "lineNo", &mut out) {
        lines.push(read_contact(&row, &mut out));
    }
    let additions = Additions {
        customer_ref: form.text("custRef", 40, &mut out).map(str::to_owned),
        project_ref: form.text("projRef", 40, &mut out).map(str::to_owned),
        lines,
        remarks: read_remarks(&form, &mut out),
    };
    out.settle()?;
    Ok(additions)
}

/// `PUT /orders/{no}/info`.
pub(super) fn order(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let additions = read(bytes)?;
    let today = state.today;
    let key = state.orders.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    let order = state.orders.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    if order.closed() {
        return Err(Refusal::conflict("no", "closed"));
    }
    let Some(order) = state.order_mut(key) else { return Err(Refusal::unknown("no")) };
    if additions.customer_ref.is_some() {
        order.cust_ref = additions.customer_ref;
    }
    if additions.project_ref.is_some() {
        order.proj_ref = additions.project_ref;
    }
    add(&mut order.txt, additions.remarks.iter(), today);
    Ok(Reply::made(order, vec![number.to_owned()]))
}

/// `PUT /packs/{no}/info`: the head's remarks go to the folder, a line's to its order.
pub(super) fn pack(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let additions = read(bytes)?;
    let today = state.today;
    let orders = state.pack(number).ok_or_else(|| Refusal::unknown("no"))?.orders.clone();
    let line_of = |key: &u64| state.orders.get(*key).map(|order| order.line_no);
    let lines: Vec<i64> = orders.iter().filter_map(line_of).collect();
    let mut out = Complaints::default();
    for line in additions.lines.iter().chain(additions.remarks.iter().map(|remark| &remark.line_no)) {
        if *line != 0 && !lines.contains(line) {
            out.push("E08", format!("lines/{line}"), "no such line");
        }
    }
    out.settle()?;
    if orders.iter().filter_map(|&key| state.orders.get(key)).all(super::order::Order::closed) {
        return Err(Refusal::conflict("no", "closed"));
    }
    for key in orders {
        let Some(order) = state.order_mut(key) else { continue };
        let own = order.line_no;
        add(&mut order.txt, additions.remarks.iter().filter(|remark| remark.line_no == own), today);
        order.cust_ref = additions.customer_ref.clone().or(order.cust_ref.take());
        order.proj_ref = additions.project_ref.clone().or(order.proj_ref.take());
    }
    if let Some(pack) = state.pack_mut(number) {
        pack.cust_ref = additions.customer_ref.or(pack.cust_ref.take());
        pack.proj_ref = additions.project_ref.or(pack.proj_ref.take());
        add(&mut pack.txt, additions.remarks.iter().filter(|remark| remark.line_no == 0), today);
    }
    let row = super::pack::row(state, number).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::made(&row, vec![number.to_owned()]))
}
