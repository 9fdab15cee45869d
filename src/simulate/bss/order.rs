//! Orders: one per line, each article at its own endpoint.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value};

use super::article::Sku;
use super::day;
use super::field;
use super::form::{Complaints, Form, body};
use super::info::{self, DESK, Desk, Text};
use super::line::{Beside, Line, Obstacle};
use super::offer::{self, Message};
use super::pack;
use super::page::{Query, page};
use super::price::{self, Act, Price};
use super::progress;
use super::reply::{Complaint, Refusal, Reply};
use super::state::State;

/// Received; may still be cancelled for nothing.
pub(super) const RECEIVED: u8 = 10;
/// Being checked; cancelling costs.
pub(super) const CHECKING: u8 = 20;
/// In work; too late to cancel.
pub(super) const IN_WORK: u8 = 30;
/// Waiting for the customer's answer to a charge.
pub(super) const WAITING: u8 = 35;
/// Done.
pub(super) const DONE: u8 = 40;
/// Failed.
pub(super) const FAILED: u8 = 90;
/// Cancelled.
pub(super) const CANCELLED: u8 = 95;

/// An order as it is kept and written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    rc: u8,
    pub no: String,
    pub pack_no: String,
    pub line_no: i64,
    pub sku: Sku,
    pub act: Act,
    pub st: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asset_no: Option<String>,
    #[serde(serialize_with = "day::plain")]
    pub cdat: Date,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    pub wish_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    pub plan_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    pub done_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    pub off_date: Option<Date>,
    pub expr: &'static str,
    pub term_m: i64,
    pub renew: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roll_m: Option<i64>,
    pub cur: &'static str,
    pub chg_nos: Vec<String>,
    desk: Desk,
    pub chg: Vec<Price>,
    pub txt: Vec<Text>,
    pub msg: Vec<Message>,
    #[serde(skip)]
    pub cust_ref: Option<String>,
    #[serde(skip)]
    pub proj_ref: Option<String>,
    /// The mark of its last change.
    #[serde(skip)]
    pub changed: u64,
    /// What will be in the way when it is checked.
    #[serde(skip)]
    pub obstacle: Option<Obstacle>,
    /// What the installed base gets of it when it is done.
    #[serde(skip)]
    pub acct: String,
    #[serde(skip)]
    pub art_no: Option<String>,
    #[serde(skip)]
    pub site_no: Option<String>,
    #[serde(skip)]
    pub columns: Map<String, Value>,
    /// The lines of the ports that it names by their line.
    #[serde(skip)]
    pub ports: [Option<i64>; 2],
}

impl Order {
    /// Whether nothing can happen to it any more.
    pub fn closed(&self) -> bool {
        matches!(self.st, DONE | FAILED | CANCELLED)
    }
}

/// A row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    no: &'a str,
    pack_no: &'a str,
    line_no: i64,
    sku: Sku,
    act: Act,
    st: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    cust_ref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proj_ref: Option<&'a str>,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    wish_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    plan_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    done_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    off_date: Option<Date>,
}

impl<'a> Row<'a> {
    fn of(order: &'a Order) -> Self {
        Self {
            no: &order.no,
            pack_no: &order.pack_no,
            line_no: order.line_no,
            sku: order.sku,
            act: order.act,
            st: order.st,
            cust_ref: order.cust_ref.as_deref(),
            proj_ref: order.proj_ref.as_deref(),
            cdat: order.cdat,
            wish_date: order.wish_date,
            plan_date: order.plan_date,
            done_date: order.done_date,
            off_date: order.off_date,
        }
    }
}

/// The row `hdr`, of an order or a folder.
pub(super) struct Owner {
    pub cust_ref: Option<String>,
    pub proj_ref: Option<String>,
    pub cur: &'static str,
    pub acct: Option<String>,
    pub blocked: bool,
}

impl Owner {
    /// Reads the row, which has to be there.
    pub fn read(form: &Form<'_>, out: &mut Complaints) -> Self {
        form.require("hdr", out);
        let Some(hdr) = form.inside("hdr", out) else {
            return Self { cust_ref: None, proj_ref: None, cur: "EUR", acct: None, blocked: false };
        };
        for (name, characters_max) in
            [("channel", 20), ("cNm", 80), ("cTel", 40), ("cExt", 10), ("cMail", 80), ("cOrg", 80)]
        {
            hdr.text(name, characters_max, out);
        }
        let acct = hdr.text("acct", 40, out).map(str::to_owned);
        Self {
            cust_ref: hdr.text("custRef", 40, out).map(str::to_owned),
            proj_ref: hdr.text("projRef", 40, out).map(str::to_owned),
            cur: offer::read_currency(&hdr, out),
            blocked: acct.as_ref().is_some_and(|account| account.starts_with('X')),
            acct,
        }
    }
}

/// The head and the columns that only orders have.
struct Head {
    pack_no: Option<String>,
    owner: Owner,
    wish_date: Option<Date>,
    hurry: bool,
    offer_no: Option<String>,
}

impl Head {
    fn read(form: &Form<'_>, today: Date, out: &mut Complaints) -> Self {
        let head = Self {
            pack_no: form.text("packNo", 40, out).map(str::to_owned),
            owner: Owner::read(form, out),
            wish_date: form.day("wishDate", out),
            hurry: form.flag("expr", out).unwrap_or(false),
            offer_no: form.text("offerNo", 20, out).map(str::to_owned),
        };
        if head.wish_date.is_some_and(|day| day < today) {
            out.push("E14", form.pos("wishDate"), "date is past");
        }
        form.number("offerLine", 10, 9990, out);
        for (name, characters_max) in [("endCust", 80), ("pon", 40), ("prio", 20)] {
            form.text(name, characters_max, out);
        }
        head
    }
}

/// `POST /orders/{article}`, and without an article `POST /orders/end`, which disconnects whatever the asset is.
pub(super) fn create(state: &mut State, endpoint: Option<Sku>, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let head = Head::read(&form, state.today, &mut out);
    let line = Line::read(&form, endpoint, state, &mut out);
    if endpoint.is_none() && line.as_ref().is_some_and(|line| line.act != Act::Disconnect) {
        out.push("E12", "act", "only D here");
    }
    let numbers: Vec<i64> = form.glance("lineNo").into_iter().collect();
    let beside = Beside::read(&form, &numbers, &mut out);
    out.settle()?;
    let Some(line) = line else { return Err(Refusal::Business("no line")) };
    line.check_asset("", state)?;
    if let Some(number) = &head.offer_no {
        offer::check_orderable(state, number)?;
    }
    if let Some(number) = &head.pack_no
        && pack::has_line(state, number, line.line_no)
    {
        let pos = format!("{number}/{}", line.line_no);
        return Err(Refusal::Conflict(Complaint { code: "E11", pos, t: "line is there" }));
    }
    if head.owner.blocked {
        return Err(Refusal::Business("account blocked"));
    }
    let acct = head.owner.acct.clone();
    let pack_no = pack::open(state, head.pack_no.as_deref(), &head.owner);
    let (today, changed) = (state.today, state.next_mark());
    let key = state.orders.add(|no| new(no, pack_no.clone(), &line, &beside, head, today, changed));
    if let Some(pack) = state.pack_mut(&pack_no) {
        pack.orders.push(key);
    }
    if line.act == Act::New && matches!(line.sku, Sku::Uni | Sku::Unis) {
        field::open_for(state, (&pack_no, line.line_no), acct, beside.place(line.line_no).cloned());
    }
    let order = state.orders.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::made(order, vec![order.no.clone()]))
}

fn new(
    no: String,
    pack_no: String,
    line: &Line,
    beside: &Beside,
    head: Head,
    today: Date,
    changed: u64,
) -> Order {
    let soonest = day::after(today, offer::lead_days(line));
    let mut txt = Vec::new();
    info::add(&mut txt, beside.remarks.iter(), today);
    Order {
        rc: 0,
        no,
        pack_no,
        line_no: line.line_no,
        sku: line.sku,
        act: line.act,
        st: RECEIVED,
        asset_no: line.asset_no.clone(),
        cdat: today,
        wish_date: head.wish_date,
        plan_date: Some(head.wish_date.map_or(soonest, |wish| wish.max(soonest))),
        done_date: None,
        off_date: None,
        expr: if head.hurry { "J" } else { "N" },
        term_m: line.term_months,
        renew: line.renew,
        roll_m: line.roll_months,
        cur: head.owner.cur,
        chg_nos: Vec::new(),
        desk: DESK,
        chg: price::prices(line.line_no, line.sku, line.act, line.build, line.term_months),
        txt,
        msg: Vec::new(),
        cust_ref: head.owner.cust_ref,
        proj_ref: head.owner.proj_ref,
        changed,
        obstacle: beside.obstacle(line),
        acct: head.owner.acct.unwrap_or_default(),
        art_no: line.art_no.clone(),
        site_no: beside.site_no(line.line_no),
        ports: ["uniLine", "uniLineZ"].map(|column| line.columns.get(column).and_then(Value::as_i64)),
        columns: line.columns.clone(),
    }
}

/// `GET /orders/{no}`.
pub(super) fn get(state: &mut State, number: &str) -> Result<Reply, Refusal> {
    let key = state.orders.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    if state.advance_on_read {
        progress::step_order(state, key);
    }
    state.orders.get(key).map(|order| Reply::row(&order)).ok_or_else(|| Refusal::unknown("no"))
}

/// `GET /orders`.
pub(super) fn list(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let (from, to) = query.days("from", "to")?;
    let rows = state.orders.iter().filter(|order| {
        query.takes("st", &order.st.to_string())
            && query.takes("packNo", &order.pack_no)
            && query.takes("sku", order.sku.code())
            && (from..=to).contains(&order.cdat)
    });
    Ok(Reply::row(&page(query, rows.map(Row::of))?))
}

/// `GET /orders/changes`: every order changed after a mark, once, as it now stands.
pub(super) fn changes(state: &State, query: &Query) -> Result<Reply, Refusal> {
    #[derive(Serialize)]
    struct Changes<'a> {
        next: String,
        orders: Vec<&'a Order>,
    }
    let since: u64 = match query.get("since").unwrap_or("0").parse() {
        Ok(mark) => mark,
        Err(_) => return Err(Refusal::unknown("since")),
    };
    let mut orders: Vec<&Order> = state.orders.iter().filter(|order| order.changed > since).collect();
    orders.sort_by_key(|order| order.changed);
    Ok(Reply::row(&Changes { next: state.mark.to_string(), orders }))
}
