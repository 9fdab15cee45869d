//! Offers: asked for, worked on, offered, declined or withdrawn.

use jiff::civil::Date;
use serde::Serialize;

use super::day;
use super::form::{Complaints, Form, body};
use super::info::{DESK, Desk};
use super::line::{self, Beside, Line};
use super::page::{Query, page};
use super::price::{self, Act, Price};
use super::reply::{Refusal, Reply};
use super::state::State;

/// Where an offer or a line of one stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Standing {
    #[serde(rename = "C")]
    New,
    #[serde(rename = "B")]
    Working,
    #[serde(rename = "A1")]
    Offered,
    #[serde(rename = "A2")]
    OtherTerms,
    #[serde(rename = "A3")]
    Indicative,
    #[serde(rename = "X")]
    Impossible,
    #[serde(rename = "Y")]
    Declined,
    #[serde(rename = "Z")]
    Withdrawn,
}

impl Standing {
    fn code(self) -> &'static str {
        match self {
            Self::New => "C",
            Self::Working => "B",
            Self::Offered => "A1",
            Self::OtherTerms => "A2",
            Self::Indicative => "A3",
            Self::Impossible => "X",
            Self::Declined => "Y",
            Self::Withdrawn => "Z",
        }
    }
}

/// Longest term that is sold, in months; longer ones are offered with it.
const TERM_MONTHS_MAX: i64 = 48;

/// Days that an offer holds.
const VALID_DAYS: i64 = 30;

/// Currencies in which the desk writes offers.
const CURRENCIES: &[&str] = &["EUR", "USD", "GBP", "CHF", "JPY", "HUF", "PLN"];

/// An offer as it is kept and written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
pub(super) struct Offer {
    rc: u8,
    pub offer_no: String,
    pub status: Standing,
    lvl: &'static str,
    cur: &'static str,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    plan_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    done_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    valid_to: Option<Date>,
    desk: Desk,
    lines: Vec<OfferLine>,
    chg: Vec<Price>,
    msg: Vec<Message>,
    #[serde(skip)]
    cust_ref: Option<String>,
    #[serde(skip)]
    proj_ref: Option<String>,
    #[serde(skip)]
    wish_date: Option<Date>,
    #[serde(skip)]
    plan: Plan,
}

/// A line as it is answered.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct OfferLine {
    line_no: i64,
    st: Standing,
    term_m: i64,
    renew: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    roll_m: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_days: Option<i64>,
    survey: &'static str,
}

/// Something to say about a line.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub line_no: i64,
    pub code: &'static str,
    pub t: &'static str,
}

/// What working on the offer will bring; it follows from the message alone.
#[derive(Debug)]
struct Plan {
    status: Standing,
    lvl: &'static str,
    lines: Vec<OfferLine>,
    chg: Vec<Price>,
    msg: Vec<Message>,
}

/// A row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    offer_no: &'a str,
    status: Standing,
    lvl: &'static str,
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
}

impl<'a> Row<'a> {
    fn of(offer: &'a Offer) -> Self {
        Self {
            offer_no: &offer.offer_no,
            status: offer.status,
            lvl: offer.lvl,
            cust_ref: offer.cust_ref.as_deref(),
            proj_ref: offer.proj_ref.as_deref(),
            cdat: offer.cdat,
            wish_date: offer.wish_date,
            plan_date: offer.plan_date,
            done_date: offer.done_date,
        }
    }
}

/// The head as it was read.
struct Head {
    budgetary: bool,
    later: bool,
    cur: &'static str,
    cust_ref: Option<String>,
    proj_ref: Option<String>,
    wish_date: Option<Date>,
    blocked: bool,
}

impl Head {
    fn read(form: &Form<'_>, out: &mut Complaints) -> Self {
        for (name, characters_max) in [
            ("channel", 20),
            ("t", 200),
            ("cNm", 80),
            ("cTel", 40),
            ("cExt", 10),
            ("cMail", 80),
            ("cOrg", 80),
        ] {
            form.text(name, characters_max, out);
        }
        form.number("prio", 0, 9, out);
        Self {
            budgetary: form.letter("lvl", &["F", "B"], out) == Some("B"),
            later: form.letter("mode", &["S", "D"], out) == Some("D"),
            cur: read_currency(form, out),
            cust_ref: form.text("custRef", 40, out).map(str::to_owned),
            proj_ref: form.text("projRef", 40, out).map(str::to_owned),
            wish_date: form.day("wishDate", out),
            blocked: form.text("acct", 40, out).is_some_and(|account| account.starts_with('X')),
        }
    }
}

/// The currency of a head; euros when left out.
pub(super) fn read_currency(form: &Form<'_>, out: &mut Complaints) -> &'static str {
    form.letter("cur", CURRENCIES, out).unwrap_or("EUR")
}

/// `POST /v2/offers`.
pub(super) fn create(state: &mut State, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    form.require("hdr", &mut out);
    form.require("lines", &mut out);
    let head = form.inside("hdr", &mut out).map(|hdr| Head::read(&hdr, &mut out));
    let rows = form.rows("lines", "lineNo", &mut out);
    let read: Vec<_> = rows.iter().map(|row| Line::read(row, None, state, &mut out)).collect();
    let lines: Vec<Line> = read.into_iter().flatten().collect();
    if rows.is_empty() {
        out.push("E02", "lines", "no line");
    }
    let numbers = line::numbers(&rows, &mut out);
    let beside = Beside::read(&form, &numbers, &mut out);
    out.settle()?;
    let Some(head) = head else { return Err(Refusal::Business("no head")) };
    for (line, row) in lines.iter().zip(&rows) {
        line.check_asset(row.place(), state)?;
    }
    if head.blocked {
        return Err(Refusal::Business("account blocked"));
    }
    let plan = plan(&lines, &beside, head.budgetary);
    let key = state.offers.add(|offer_no| new(offer_no, &head, plan, state.today));
    if !head.later {
        finish(state, key);
    }
    reply(state, key)
}

fn new(offer_no: String, head: &Head, plan: Plan, today: Date) -> Offer {
    let open =
        |line: &OfferLine| OfferLine { st: Standing::New, lead_days: None, survey: "N", ..line.clone() };
    Offer {
        rc: 0,
        offer_no,
        status: Standing::New,
        lvl: if head.budgetary { "B" } else { "F" },
        cur: head.cur,
        cdat: today,
        plan_date: Some(day::after(today, 5)),
        done_date: None,
        valid_to: None,
        desk: DESK,
        lines: plan.lines.iter().map(open).collect(),
        chg: Vec::new(),
        msg: Vec::new(),
        cust_ref: head.cust_ref.clone(),
        proj_ref: head.proj_ref.clone(),
        wish_date: head.wish_date,
        plan,
    }
}

/// Works out what will be offered. Lines and prices come in falling order of their line.
fn plan(lines: &[Line], beside: &Beside, budgetary: bool) -> Plan {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| std::cmp::Reverse(line.line_no));
    let obstacles: Vec<_> = sorted.iter().map(|line| beside.obstacle(line)).collect();
    let possible = obstacles.iter().all(Option::is_none);
    let mut plan =
        Plan { status: Standing::Offered, lvl: "F", lines: Vec::new(), chg: Vec::new(), msg: Vec::new() };
    for (line, obstacle) in sorted.into_iter().zip(obstacles) {
        let term_m = line.term_months.min(TERM_MONTHS_MAX);
        let survey = possible && !budgetary && beside.survey(line.line_no);
        let st = match obstacle {
            Some(_) => Standing::Impossible,
            None if !possible => Standing::Withdrawn,
            None if budgetary => Standing::Indicative,
            None if term_m != line.term_months => Standing::OtherTerms,
            None => Standing::Offered,
        };
        if let Some(obstacle) = obstacle {
            plan.msg.push(Message { line_no: line.line_no, code: obstacle.code, t: obstacle.t });
        }
        if st == Standing::OtherTerms {
            plan.msg.push(Message { line_no: line.line_no, code: "W48", t: "term shortened" });
            plan.status = Standing::OtherTerms;
        }
        if survey {
            plan.lvl = "S";
        }
        if possible {
            plan.chg.extend(price::prices(line.line_no, line.sku, line.act, line.build, term_m));
        }
        plan.lines.push(OfferLine {
            line_no: line.line_no,
            st,
            term_m,
            renew: line.renew,
            roll_m: line.roll_months,
            lead_days: possible.then(|| lead_days(line)),
            survey: if survey { "J" } else { "N" },
        });
    }
    if budgetary {
        (plan.status, plan.lvl) = (Standing::Indicative, "B");
    }
    if !possible {
        plan.status = Standing::Impossible;
    }
    plan
}

/// Days until a line stands.
pub(super) fn lead_days(line: &Line) -> i64 {
    match line.act {
        Act::New => line.sku.lead_days(),
        Act::Change => 5,
        Act::Disconnect => 3,
    }
}

impl Offer {
    /// Whether somebody works on it, or will.
    pub fn open(&self) -> bool {
        matches!(self.status, Standing::New | Standing::Working)
    }
}

/// Moves an offer one step on; false when there is nothing left to do.
pub(super) fn step(state: &mut State, key: u64) -> bool {
    let moved = moved(state, key);
    if let Some(offer) = state.offers.get(key).filter(|_| moved) {
        state.outbox.note(&offer.offer_no);
    }
    moved
}

fn moved(state: &mut State, key: u64) -> bool {
    match state.offers.get_mut(key) {
        Some(offer) if offer.status == Standing::New => {
            offer.status = Standing::Working;
            offer.lines.iter_mut().for_each(|line| line.st = Standing::Working);
            true
        }
        Some(offer) if offer.status == Standing::Working => {
            finish(state, key);
            true
        }
        _ => false,
    }
}

/// Puts what was planned into the offer.
fn finish(state: &mut State, key: u64) {
    let today = state.today;
    let Some(offer) = state.offers.get_mut(key) else { return };
    offer.status = offer.plan.status;
    offer.lvl = offer.plan.lvl;
    offer.lines = std::mem::take(&mut offer.plan.lines);
    offer.chg = std::mem::take(&mut offer.plan.chg);
    offer.msg = std::mem::take(&mut offer.plan.msg);
    if offer.status != Standing::Impossible {
        offer.done_date = Some(today);
        offer.valid_to = Some(day::after(today, VALID_DAYS));
    }
    offer.plan_date = None;
}

fn reply(state: &State, key: u64) -> Result<Reply, Refusal> {
    let offer = state.offers.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::made(offer, vec![offer.offer_no.clone()]))
}

/// `GET /v2/offers/{no}`.
pub(super) fn get(state: &mut State, number: &str) -> Result<Reply, Refusal> {
    let key = state.offers.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    if state.advance_on_read {
        step(state, key);
    }
    state.offers.get(key).map(|offer| Reply::row(&offer)).ok_or_else(|| Refusal::unknown("no"))
}

/// `GET /v2/offers`.
pub(super) fn list(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let (from, to) = query.days("from", "to")?;
    let rows = state.offers.iter().filter(|offer| {
        query.get("custRef").is_none_or(|asked| offer.cust_ref.as_deref() == Some(asked))
            && query.takes("st", offer.status.code())
            && query.takes("lvl", offer.lvl)
            && (from..=to).contains(&offer.cdat)
    });
    Ok(Reply::row(&page(query, rows.map(Row::of))?))
}

/// `DELETE /v2/offers/{no}`: while nothing is offered yet.
pub(super) fn withdraw(state: &mut State, number: &str) -> Result<Reply, Refusal> {
    let before = [Standing::New, Standing::Working];
    close(state, number, &before, Standing::Withdrawn, "nothing to withdraw")
}

/// `POST /v2/offers/{no}/decline`: what was offered.
pub(super) fn decline(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    super::task::read_why(bytes)?;
    let before = [Standing::Offered, Standing::OtherTerms];
    close(state, number, &before, Standing::Declined, "nothing offered")
}

fn close(
    state: &mut State,
    number: &str,
    before: &[Standing],
    after: Standing,
    t: &'static str,
) -> Result<Reply, Refusal> {
    let key = state.offers.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    let offer = state.offers.get_mut(key).ok_or_else(|| Refusal::unknown("no"))?;
    if !before.contains(&offer.status) {
        return Err(Refusal::conflict("no", t));
    }
    offer.status = after;
    offer.plan_date = None;
    reply(state, key)
}

/// Refuses an order on an offer that is not there or not offered.
pub(super) fn check_orderable(state: &State, number: &str) -> Result<(), Refusal> {
    let offer = state.offers.find(number).ok_or_else(|| Refusal::unknown("offerNo"))?;
    match offer.status {
        Standing::Offered | Standing::OtherTerms => Ok(()),
        _ => Err(Refusal::conflict("offerNo", "not offered")),
    }
}
