//! Folders: orders that belong together, under the caller's number or ours.

use std::cmp::Reverse;

use jiff::civil::Date;
use serde::Serialize;

use super::day;
use super::form::{Complaints, Form, body};
use super::info::{self, DESK, Desk, Text};
use super::order::{CANCELLED, DONE, FAILED, Order, Owner, RECEIVED};
use super::page::{Query, page};
use super::progress;
use super::reply::{Complaint, Refusal, Reply};
use super::state::State;

/// Some orders are done and some failed or were cancelled.
const PARTLY: u8 = 45;

/// A folder as it is kept.
#[derive(Debug)]
pub(super) struct Pack {
    pub number: String,
    pub cust_ref: Option<String>,
    pub proj_ref: Option<String>,
    cdat: Date,
    cur: &'static str,
    pub txt: Vec<Text>,
    pub orders: Vec<u64>,
}

/// A folder as it is written, and with `orders` absent a row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rc: Option<u8>,
    pack_no: &'a str,
    st: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    cust_ref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proj_ref: Option<&'a str>,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    done_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    off_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cur: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    desk: Option<Desk>,
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<Vec<&'a Order>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    txt: Option<&'a [Text]>,
}

/// The folder of a number, opened when it is new; without a number a new one. Gives the number.
pub(super) fn open(state: &mut State, number: Option<&str>, owner: &Owner) -> String {
    if let Some(number) = number
        && state.pack(number).is_some()
    {
        return number.to_owned();
    }
    let cdat = state.today;
    let mut opened = String::new();
    let key = state.packs.add(|ours| {
        number.unwrap_or(&ours).clone_into(&mut opened);
        Pack {
            number: opened.clone(),
            cust_ref: owner.cust_ref.clone(),
            proj_ref: owner.proj_ref.clone(),
            cdat,
            cur: owner.cur,
            txt: Vec::new(),
            orders: Vec::new(),
        }
    });
    state.pack_numbers.insert(opened.clone(), key);
    // Numbers of folders that were forgotten go with them, now and then.
    if state.pack_numbers.len() > 2 * state.packs.numbers_kept() {
        let packs = &state.packs;
        state.pack_numbers.retain(|_, key| packs.get(*key).is_some());
    }
    opened
}

/// `POST /packs`: opens a folder before the first order is in it.
pub(super) fn create(state: &mut State, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let owner = Owner::read(&form, &mut out);
    let asked = form.text("packNo", 40, &mut out);
    for row in form.rows("ctc", "lineNo", &mut out) {
        info::read_contact(&row, &mut out);
    }
    let remarks = info::read_remarks(&form, &mut out);
    out.settle()?;
    if let Some(number) = asked
        && state.pack(number).is_some()
    {
        return Err(Refusal::Conflict(Complaint {
            code: "E11",
            pos: number.to_owned(),
            t: "folder is there",
        }));
    }
    if owner.blocked {
        return Err(Refusal::Business("account blocked"));
    }
    let number = open(state, asked, &owner);
    let today = state.today;
    if let Some(pack) = state.pack_mut(&number) {
        info::add(&mut pack.txt, remarks.iter(), today);
    }
    let row = row(state, &number).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::made(&row, vec![number.clone()]))
}

/// `DELETE /packs/{no}`: throws a folder away in which nothing is left to do or to show.
pub(super) fn discard(state: &mut State, number: &str) -> Result<Reply, Refusal> {
    let pack = state.pack(number).ok_or_else(|| Refusal::unknown("no"))?;
    if orders(state, pack).iter().any(|order| order.st != CANCELLED) {
        return Err(Refusal::conflict("no", "orders in it"));
    }
    let reply = row(state, number).map(|row| Reply::made(&row, vec![number.to_owned()]));
    state.pack_numbers.remove(number);
    reply.ok_or_else(|| Refusal::unknown("no"))
}

/// Whether the folder already has that line.
pub(super) fn has_line(state: &State, number: &str, line_no: i64) -> bool {
    let Some(pack) = state.pack(number) else { return false };
    pack.orders.iter().filter_map(|&key| state.orders.get(key)).any(|order| order.line_no == line_no)
}

/// The orders of a folder, falling by line.
pub(super) fn orders<'a>(state: &'a State, pack: &Pack) -> Vec<&'a Order> {
    let mut orders: Vec<&Order> = pack.orders.iter().filter_map(|&key| state.orders.get(key)).collect();
    orders.sort_by_key(|order| Reverse(order.line_no));
    orders
}

/// The lowest open state, else what became of them.
fn standing(orders: &[&Order]) -> u8 {
    let open = orders.iter().filter(|order| !order.closed()).map(|order| order.st).min();
    let any = |st| orders.iter().any(|order| order.st == st);
    match open {
        None if orders.is_empty() => RECEIVED,
        Some(st) => st,
        None if any(DONE) && (any(FAILED) || any(CANCELLED)) => PARTLY,
        None if any(DONE) => DONE,
        None if any(FAILED) => FAILED,
        None => CANCELLED,
    }
}

fn brief<'a>(pack: &'a Pack, orders: &[&Order]) -> Row<'a> {
    let st = standing(orders);
    let latest = |of: fn(&Order) -> Option<Date>| orders.iter().filter_map(|order| of(order)).max();
    Row {
        rc: None,
        pack_no: &pack.number,
        st,
        cust_ref: pack.cust_ref.as_deref(),
        proj_ref: pack.proj_ref.as_deref(),
        cdat: pack.cdat,
        done_date: if st == DONE { latest(|order| order.done_date) } else { None },
        off_date: if st == CANCELLED { latest(|order| order.off_date) } else { None },
        cur: None,
        desk: None,
        orders: None,
        txt: None,
    }
}

/// A folder as it is written.
pub(super) fn row<'a>(state: &'a State, number: &str) -> Option<Row<'a>> {
    let pack = state.pack(number)?;
    let orders = orders(state, pack);
    let row = brief(pack, &orders);
    let (cur, desk, txt) = (Some(pack.cur), Some(DESK), Some(pack.txt.as_slice()));
    Some(Row { rc: Some(0), cur, desk, txt, orders: Some(orders), ..row })
}

/// `GET /packs/{no}`.
pub(super) fn get(state: &mut State, number: &str) -> Result<Reply, Refusal> {
    if state.advance_on_read {
        for key in state.pack(number).map(|pack| pack.orders.clone()).unwrap_or_default() {
            progress::step_order(state, key);
        }
    }
    row(state, number).map(|row| Reply::row(&row)).ok_or_else(|| Refusal::unknown("no"))
}

/// `GET /packs`.
pub(super) fn list(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let (from, to) = query.days("from", "to")?;
    let kept = state.packs.iter().filter(|pack| state.pack_numbers.contains_key(&pack.number));
    let rows = kept.map(|pack| brief(pack, &orders(state, pack)));
    let rows = rows.filter(|row| query.takes("st", &row.st.to_string()) && (from..=to).contains(&row.cdat));
    Ok(Reply::row(&page(query, rows)?))
}
