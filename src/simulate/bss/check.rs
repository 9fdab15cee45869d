//! `POST /v2/checks`: whether something can be had at a place, and how soon; answered at once, or worked on.
//!
//! What a line comes to is a number: 1 it is there, 2 somebody has to dig or look, 3 not at this place. A rate that is
//! not sold on an internet access is answered with the highest that is, where the caller wants such proposals. A place that does not exist
//! ends a line with an error, and the other lines are given up.

use std::cmp::Reverse;

use jiff::civil::Date;
use serde::Serialize;

use super::article::{KBPS_MAX, Sku};
use super::day;
use super::form::{Complaints, Form, body};
use super::info::{DESK, Desk};
use super::line::{self, Beside, Line};
use super::offer::{Message, lead_days};
use super::page::{Query, page};
use super::reply::{Refusal, Reply};
use super::state::State;

/// Days that an answer holds.
const HOLDS_DAYS: i64 = 60;

/// Where a check or a line of one stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Standing {
    #[serde(rename = "N")]
    New,
    #[serde(rename = "W")]
    Working,
    #[serde(rename = "F")]
    Finished,
    #[serde(rename = "E")]
    Error,
    #[serde(rename = "V")]
    GivenUp,
}

impl Standing {
    fn code(self) -> &'static str {
        match self {
            Self::New => "N",
            Self::Working => "W",
            Self::Finished => "F",
            Self::Error => "E",
            Self::GivenUp => "V",
        }
    }
}

/// A check as it is kept and written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Check {
    rc: u8,
    chk_no: String,
    st: Standing,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    plan_date: Option<Date>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    done_date: Option<Date>,
    desk: Desk,
    lines: Vec<Row>,
    alt: Vec<Proposal>,
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
struct Row {
    line_no: i64,
    st: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    erg: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_days: Option<i64>,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    holds_to: Option<Date>,
}

/// What could be had instead.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Proposal {
    line_no: i64,
    alt_no: i64,
    sku: Sku,
    #[serde(skip_serializing_if = "Option::is_none")]
    art_no: Option<String>,
    kbps: i64,
    lead_days: i64,
}

#[derive(Debug, Default)]
struct Plan {
    lines: Vec<Row>,
    alt: Vec<Proposal>,
    msg: Vec<Message>,
}

/// A row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Short<'a> {
    chk_no: &'a str,
    st: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    cust_ref: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proj_ref: Option<&'a str>,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    wish_date: Option<Date>,
}

/// The head as it was read.
#[derive(Default)]
struct Head {
    later: bool,
    proposals: bool,
    cust_ref: Option<String>,
    proj_ref: Option<String>,
    wish_date: Option<Date>,
    blocked: bool,
}

impl Head {
    fn read(hdr: &Form<'_>, out: &mut Complaints) -> Self {
        for (name, characters_max) in
            [("channel", 20), ("cNm", 80), ("cTel", 40), ("cExt", 10), ("cMail", 80), ("cOrg", 80)]
        {
            hdr.text(name, characters_max, out);
        }
        Self {
            later: hdr.letter("mode", &["S", "D"], out) == Some("D"),
            proposals: hdr.flag("alt", out).unwrap_or(false),
            cust_ref: hdr.text("custRef", 40, out).map(str::to_owned),
            proj_ref: hdr.text("projRef", 40, out).map(str::to_owned),
            wish_date: hdr.day("wishDate", out),
            blocked: hdr.text("acct", 40, out).is_some_and(|account| account.starts_with('X')),
        }
    }
}

/// `POST /v2/checks`.
pub(super) fn create(state: &mut State, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    form.require("hdr", &mut out);
    form.require("lines", &mut out);
    let head = form.inside("hdr", &mut out).map(|hdr| Head::read(&hdr, &mut out)).unwrap_or_default();
    let rows = form.rows("lines", "lineNo", &mut out);
    let read: Vec<_> = rows.iter().map(|row| Line::read(row, None, state, &mut out)).collect();
    let lines: Vec<Line> = read.into_iter().flatten().collect();
    if rows.is_empty() {
        out.push("E02", "lines", "no line");
    }
    let numbers = line::numbers(&rows, &mut out);
    let beside = Beside::read(&form, &numbers, &mut out);
    out.settle()?;
    for (line, row) in lines.iter().zip(&rows) {
        line.check_asset(row.place(), state)?;
    }
    if head.blocked {
        return Err(Refusal::Business("account blocked"));
    }
    let plan = plan(&lines, &beside, head.proposals, state.today);
    let later = head.later;
    let today = state.today;
    let key = state.checks.add(|chk_no| new(chk_no, head, plan, today));
    if !later {
        finish(state, key);
    }
    let check = state.checks.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::made(check, vec![check.chk_no.clone()]))
}

fn new(chk_no: String, head: Head, plan: Plan, today: Date) -> Check {
    let open = |row: &Row| Row {
        line_no: row.line_no,
        st: Standing::New,
        erg: None,
        why: None,
        lead_days: None,
        holds_to: None,
    };
    Check {
        rc: 0,
        chk_no,
        st: Standing::New,
        cdat: today,
        plan_date: Some(day::after(today, 2)),
        done_date: None,
        desk: DESK,
        lines: plan.lines.iter().map(open).collect(),
        alt: Vec::new(),
        msg: Vec::new(),
        cust_ref: head.cust_ref,
        proj_ref: head.proj_ref,
        wish_date: head.wish_date,
        plan,
    }
}

/// Works out what will be answered, in falling order of the lines.
fn plan(lines: &[Line], beside: &Beside, proposals: bool, today: Date) -> Plan {
    let mut sorted: Vec<&Line> = lines.iter().collect();
    sorted.sort_by_key(|line| Reverse(line.line_no));
    let impossible = sorted.iter().any(|line| beside.nowhere(line.line_no));
    let mut plan = Plan::default();
    for line in sorted {
        let line_no = line.line_no;
        if impossible {
            let here = beside.nowhere(line_no);
            if here {
                plan.msg.push(Message { line_no, code: "E22", t: "place not found" });
            }
            let st = if here { Standing::Error } else { Standing::GivenUp };
            plan.lines.push(Row { line_no, st, erg: None, why: None, lead_days: None, holds_to: None });
            continue;
        }
        let (erg, why) = if beside.no_duct(line_no) {
            (3, Some("no duct"))
        } else if line.build.kbps > KBPS_MAX {
            (3, Some("rate not sold"))
        } else if beside.survey(line_no) {
            (2, Some("somebody has to look"))
        } else {
            (1, None)
        };
        let lead = lead_days(line);
        if erg == 3 && !beside.no_duct(line_no) && proposals && line.sku == Sku::Inet {
            let (sku, art_no) = (line.sku, line.art_no.clone());
            plan.alt.push(Proposal { line_no, alt_no: 1, sku, art_no, kbps: KBPS_MAX, lead_days: lead });
        }
        let lead = if erg == 2 { lead + 60 } else { lead };
        let holds_to = (erg == 1).then(|| day::after(today, HOLDS_DAYS));
        let lead_days = (erg < 3).then_some(lead);
        plan.lines.push(Row { line_no, st: Standing::Finished, erg: Some(erg), why, lead_days, holds_to });
    }
    plan
}

impl Check {
    /// Its number, while somebody works on it or will.
    pub fn open(&self) -> Option<&str> {
        matches!(self.st, Standing::New | Standing::Working).then_some(&self.chk_no)
    }
}

/// Moves a check one step on; false when there is nothing left to do.
pub(super) fn step(state: &mut State, key: u64) -> bool {
    let moved = moved(state, key);
    if let Some(check) = state.checks.get(key).filter(|_| moved) {
        state.outbox.note(&check.chk_no);
    }
    moved
}

fn moved(state: &mut State, key: u64) -> bool {
    match state.checks.get_mut(key) {
        Some(check) if check.st == Standing::New => {
            check.st = Standing::Working;
            check.lines.iter_mut().for_each(|line| line.st = Standing::Working);
            true
        }
        Some(check) if check.st == Standing::Working => {
            finish(state, key);
            true
        }
        _ => false,
    }
}

/// Puts what was planned into the check.
fn finish(state: &mut State, key: u64) {
    let today = state.today;
    let Some(check) = state.checks.get_mut(key) else { return };
    let plan = std::mem::take(&mut check.plan);
    (check.lines, check.alt, check.msg) = (plan.lines, plan.alt, plan.msg);
    let error = check.lines.iter().any(|line| line.st == Standing::Error);
    check.st = if error { Standing::Error } else { Standing::Finished };
    (check.plan_date, check.done_date) = (None, Some(today));
}

/// `GET /v2/checks/{no}`.
pub(super) fn get(state: &mut State, number: &str) -> Result<Reply, Refusal> {
    let key = state.checks.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    if state.advance_on_read {
        step(state, key);
    }
    state.checks.get(key).map(|check| Reply::row(&check)).ok_or_else(|| Refusal::unknown("no"))
}

/// `GET /v2/checks`.
pub(super) fn list(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let (from, to) = query.days("from", "to")?;
    let rows = state.checks.iter().filter(|check| {
        query.takes("st", check.st.code())
            && query.takes_maybe("custRef", check.cust_ref.as_deref())
            && query.takes_maybe("projRef", check.proj_ref.as_deref())
            && (from..=to).contains(&check.cdat)
    });
    let rows = rows.map(|check| Short {
        chk_no: &check.chk_no,
        st: check.st,
        cust_ref: check.cust_ref.as_deref(),
        proj_ref: check.proj_ref.as_deref(),
        cdat: check.cdat,
        wish_date: check.wish_date,
    });
    Ok(Reply::row(&page(query, rows)?))
}
