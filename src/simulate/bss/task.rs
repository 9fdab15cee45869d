//! Cancellations and changes of the wished date: tasks on an order or a folder, done at once or after a charge.

use jiff::civil::Date;
use serde::Serialize;

use super::charge::{self, About};
use super::day;
use super::form::{Complaints, Form, body};
use super::info::{self, DESK, Desk};
use super::order::{CANCELLED, IN_WORK, Order, RECEIVED};
use super::pack;
use super::page::{Query, page};
use super::reply::{Refusal, Reply};
use super::state::State;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Standing {
    /// Waiting for the answer to a charge.
    #[serde(rename = "K")]
    Charged,
    /// Done.
    #[serde(rename = "E")]
    Done,
    /// Refused.
    #[serde(rename = "A")]
    Refused,
}

impl Standing {
    fn code(self) -> &'static str {
        match self {
            Self::Charged => "K",
            Self::Done => "E",
            Self::Refused => "A",
        }
    }
}

/// A cancellation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Storno {
    rc: u8,
    pub sto_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    no: Option<String>,
    pub pack_no: String,
    pub st: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why_typ: Option<&'static str>,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chg_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny: Option<&'static str>,
    desk: Desk,
    /// The orders that it cancels.
    #[serde(skip)]
    pub orders: Vec<u64>,
}

/// A change of the wished date.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
pub(super) struct Wish {
    rc: u8,
    pub wish_no: String,
    no: String,
    pack_no: String,
    line_no: i64,
    pub st: Standing,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    pub wish_date: Option<Date>,
    pub expr: &'static str,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chg_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deny: Option<&'static str>,
    /// The order that it is about.
    #[serde(skip)]
    pub order: u64,
}

/// Why somebody does not want something.
pub(super) struct Why {
    why: Option<String>,
    why_typ: Option<&'static str>,
}

/// Reads a reason; an empty message is none.
pub(super) fn read_why(bytes: &[u8]) -> Result<Why, Refusal> {
    if bytes.is_empty() {
        return Ok(Why { why: None, why_typ: None });
    }
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let why = Why {
        why: form.text("why", 200, &mut out).map(str::to_owned),
        why_typ: form.letter("whyTyp", &["T", "K"], &mut out),
    };
    for row in form.rows("ctc", "lineNo", &mut out) {
        info::read_contact(&row, &mut out);
    }
    out.settle()?;
    Ok(why)
}

/// An order, a folder, and a line of that folder.
type Subject = (Option<String>, Option<String>, Option<i64>);

/// What a task that was posted on its own is about.
fn read_subject(bytes: &[u8]) -> Result<Subject, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let no = form.text("no", 20, &mut out).map(str::to_owned);
    let pack_no = form.text("packNo", 40, &mut out).map(str::to_owned);
    let line_no = form.number("lineNo", 10, 9990, &mut out);
    if no.is_none() && pack_no.is_none() {
        form.require("packNo", &mut out);
    }
    out.settle()?;
    Ok((no, pack_no, line_no))
}

/// The number of the order that a folder has at a line.
fn order_at(state: &State, pack_no: &str, line_no: i64) -> Option<String> {
    let orders = pack::orders(state, state.pack(pack_no)?);
    orders.into_iter().find(|order| order.line_no == line_no).map(|order| order.no.clone())
}

/// `POST /stornos`: of the order `no`, of the line `lineNo` of the folder `packNo`, or of the whole folder.
pub(super) fn cancel_named(state: &mut State, bytes: &[u8]) -> Result<Reply, Refusal> {
    match read_subject(bytes)? {
        (Some(no), ..) => cancel_order(state, &no, bytes),
        (None, Some(pack_no), Some(line_no)) => {
            let no = order_at(state, &pack_no, line_no).ok_or_else(|| Refusal::unknown("lineNo"))?;
            cancel_order(state, &no, bytes)
        }
        (None, pack_no, _) => cancel_pack(state, &pack_no.unwrap_or_default(), bytes),
    }
}

/// `POST /wishes`: of the order `no`, or of the line `lineNo` of the folder `packNo`.
pub(super) fn wish_named(state: &mut State, bytes: &[u8]) -> Result<Reply, Refusal> {
    let no = match read_subject(bytes)? {
        (Some(no), ..) => no,
        (None, pack_no, line_no) => {
            let found =
                pack_no.zip(line_no).and_then(|(pack_no, line_no)| order_at(state, &pack_no, line_no));
            found.ok_or_else(|| Refusal::unknown("lineNo"))?
        }
    };
    wish(state, &no, bytes)
}

/// `POST /orders/{no}/storno`.
pub(super) fn cancel_order(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let why = read_why(bytes)?;
    let key = state.orders.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    let order = state.orders.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    let pack_no = order.pack_no.clone();
    cancel(state, Some(number.to_owned()), pack_no, vec![key], why)
}

/// `POST /packs/{no}/storno`.
pub(super) fn cancel_pack(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let why = read_why(bytes)?;
    let orders = state.pack(number).ok_or_else(|| Refusal::unknown("no"))?.orders.clone();
    cancel(state, None, number.to_owned(), orders, why)
}

/// Cancels the orders that are open; free when all were only received, with a charge when any is checked already.
fn cancel(
    state: &mut State,
    no: Option<String>,
    pack_no: String,
    orders: Vec<u64>,
    why: Why,
) -> Result<Reply, Refusal> {
    let standing = |key: &u64| state.orders.get(*key).map(|order| order.st);
    if orders.iter().filter_map(standing).any(|st| (IN_WORK..CANCELLED).contains(&st)) {
        return Err(Refusal::conflict("no", "too late"));
    }
    let open: Vec<u64> =
        orders.into_iter().filter(|key| standing(key).is_some_and(|st| st < IN_WORK)).collect();
    if open.is_empty() {
        return Err(Refusal::conflict("no", "cancelled already"));
    }
    let waits = |storno: &Storno| {
        storno.st == Standing::Charged && storno.orders.iter().any(|key| open.contains(key))
    };
    if state.stornos.iter().any(waits) {
        return Err(Refusal::conflict("no", "storno is under way"));
    }
    let free = open.iter().filter_map(standing).all(|st| st == RECEIVED);
    let cdat = state.today;
    let key = state.stornos.add(|sto_no| Storno {
        rc: 0,
        sto_no,
        no: no.clone(),
        pack_no: pack_no.clone(),
        st: if free { Standing::Done } else { Standing::Charged },
        why: why.why,
        why_typ: why.why_typ,
        cdat,
        chg_no: None,
        deny: None,
        desk: DESK,
        orders: open.clone(),
    });
    let mut made = Vec::new();
    if free {
        made = close_orders(state, &open);
    } else {
        let about = About { no, pack_no, line_no: None, task: Some(charge::Task::Storno(key)) };
        made.push(charge::announce(state, about, charge::Kind::Storno, 15_000, 0));
    }
    let storno = state.stornos.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    made.insert(0, storno.sto_no.clone());
    Ok(Reply::made(storno, made))
}

/// Puts orders into 95; gives their numbers.
pub(super) fn close_orders(state: &mut State, orders: &[u64]) -> Vec<String> {
    let today = state.today;
    let mut closed = Vec::with_capacity(orders.len());
    for &key in orders {
        let Some(order) = state.order_mut(key) else { continue };
        order.st = CANCELLED;
        order.off_date = Some(today);
        order.plan_date = None;
        closed.push(order.no.clone());
    }
    closed
}

/// `POST /orders/{no}/wish`.
pub(super) fn wish(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let wish_date = form.day("wishDate", &mut out);
    let hurry = form.flag("expr", &mut out);
    if wish_date.is_none() && hurry.is_none() {
        form.require("wishDate", &mut out);
    }
    if wish_date.is_some_and(|day| day < state.today) {
        out.push("E14", "wishDate", "date is past");
    }
    out.settle()?;
    let order_key = state.orders.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    let order = state.orders.get(order_key).ok_or_else(|| Refusal::unknown("no"))?;
    if order.closed() {
        return Err(Refusal::conflict("no", "closed"));
    }
    let (no, pack_no, line_no) = (order.no.clone(), order.pack_no.clone(), order.line_no);
    let charged = hurry == Some(true);
    let cdat = state.today;
    let about = |key| About {
        no: Some(no.clone()),
        pack_no: pack_no.clone(),
        line_no: Some(line_no),
        task: Some(charge::Task::Wish(key)),
    };
    let key = state.wishes.add(|wish_no| Wish {
        rc: 0,
        wish_no,
        no: no.clone(),
        pack_no: pack_no.clone(),
        line_no,
        st: if charged { Standing::Charged } else { Standing::Done },
        wish_date,
        expr: if charged { "J" } else { "N" },
        cdat,
        chg_no: None,
        deny: None,
        order: order_key,
    });
    let mut made = Vec::new();
    if charged {
        made.push(charge::announce(state, about(key), charge::Kind::Hurry, 25_000, 0));
    } else {
        grant(state, order_key, wish_date, false);
        made.push(no.clone());
    }
    let wish = state.wishes.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    made.insert(0, wish.wish_no.clone());
    Ok(Reply::made(wish, made))
}

/// Moves an order to the date wished.
pub(super) fn grant(state: &mut State, order: u64, wish_date: Option<Date>, hurry: bool) {
    let Some(order) = state.order_mut(order) else { return };
    if wish_date.is_some() {
        order.wish_date = wish_date;
        order.plan_date = wish_date;
    }
    if hurry {
        order.expr = "J";
    }
}

/// `GET /stornos`.
pub(super) fn stornos(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let rows = state.stornos.iter().filter(|storno| {
        query.takes_maybe("no", storno.no.as_deref())
            && query.takes("packNo", &storno.pack_no)
            && query.takes("st", storno.st.code())
            && query.takes_maybe("whyTyp", storno.why_typ)
    });
    Ok(Reply::row(&page(query, rows)?))
}

/// `GET /stornos/{no}`.
pub(super) fn storno(state: &State, number: &str) -> Result<Reply, Refusal> {
    state.stornos.find(number).map(|row| Reply::row(&row)).ok_or_else(|| Refusal::unknown("no"))
}

/// `GET /wishes`.
pub(super) fn wishes(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let (from, to) = query.days("from", "to")?;
    let rows = state.wishes.iter().filter(|wish| {
        query.takes("no", &wish.no)
            && query.takes("packNo", &wish.pack_no)
            && query.takes("st", wish.st.code())
            && query.takes("expr", wish.expr)
            && (from..=to).contains(&wish.cdat)
    });
    Ok(Reply::row(&page(query, rows)?))
}

/// `GET /wishes/{no}`.
pub(super) fn wish_row(state: &State, number: &str) -> Result<Reply, Refusal> {
    state.wishes.find(number).map(|row| Reply::row(&row)).ok_or_else(|| Refusal::unknown("no"))
}

/// Whether nobody waits for this order to be cancelled.
pub(super) fn undisturbed(state: &State, order: &Order) -> bool {
    let Some(key) = state.orders.number(&order.no) else { return true };
    !state.stornos.iter().any(|storno| storno.st == Standing::Charged && storno.orders.contains(&key))
}
