//! The people who come: their jobs, the hours at which they can come, and the visits that were agreed.
//!
//! A job is opened for every new port that is ordered, and some are on the books when the desk opens. Visits begin at
//! 8, 10, 13 and 15 o'clock on working days, take two hours, and nobody comes before the second day from today.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};
use serde::Serialize;

use super::day;
use super::form::{Complaints, Form, body};
use super::gazetteer::Address;
use super::info::{self, DESK, Desk, Text};
use super::page::{Query, page};
use super::reply::{Complaint, Refusal, Reply};
use super::state::State;

/// A day and the minutes since its midnight, local.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hour(Date, u16);

impl Hour {
    /// Reads `dd.mm.yyyy hh:mm`, with all its digits.
    fn read(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(' ')?;
        let (hour, minute) = time.split_once(':')?;
        if [hour, minute].iter().any(|part| part.len() != 2 || !part.bytes().all(|b| b.is_ascii_digit())) {
            return None;
        }
        let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour < 24 && minute < 60).then_some(Self(day::read(date)?, hour * 60 + minute))
    }
}

impl Serialize for Hour {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = day::write(self.0);
        // Writing into a text cannot fail.
        _ = write!(text, " {:02}:{:02}", self.1 / 60, self.1 % 60);
        serializer.serialize_str(&text)
    }
}

/// Hours at which a visit may begin, in minutes, and how long it takes.
const BEGINNINGS: [u16; 4] = [8 * 60, 10 * 60, 13 * 60, 15 * 60];
const MINUTES: u16 = 120;
/// Days until somebody can come, and how far the books go.
const DAYS_MIN: i64 = 2;
const DAYS_MAX: i64 = 90;
/// Hours told at once.
const TOLD_MAX: usize = 10;

/// From and to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Slot {
    von: Hour,
    bis: Hour,
}

/// An address as a row of a table.
#[derive(Debug, Clone, Serialize)]
struct Where {
    role: &'static str,
    #[serde(flatten)]
    address: Address,
}

/// A job.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
pub(super) struct Job {
    job_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    acct: Option<String>,
    /// `O` open, `P` planned, `A` in work, `E` done, `N` could not be done, `S` called off.
    st: &'static str,
    /// Whether somebody has to be there.
    term: &'static str,
    dur_min: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<Hour>,
    adr: Vec<Where>,
    tasks: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pack_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_no: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asset_no: Option<&'static str>,
    visits: Vec<String>,
    desk: Desk,
    txt: Vec<Text>,
}

impl Job {
    fn plan(&mut self, visit_no: &str, von: Hour) {
        (self.st, self.plan) = ("P", Some(von));
        self.visits.push(visit_no.to_owned());
    }
}

/// A visit.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
pub(super) struct Visit {
    visit_no: String,
    job_no: String,
    /// `B` agreed, `A` they are there, `E` done, `V` we missed it, `F` nobody opened, `S` called off.
    st: &'static str,
    #[serde(flatten)]
    slot: Slot,
    adr: Vec<Where>,
    txt: Vec<Text>,
}

/// Account, state, appointment, address, asset, task.
#[rustfmt::skip]
const BOOKED: &[(&str, &str, &str, &str, &str, &str)] = &[
    ("4711", "O", "J", "G-100001", "A4711", "Replace the network termination"),
    ("4711", "A", "N", "G-100003", "A4712", "Splice the line"),
    ("4711", "E", "J", "G-100001", "A4711", "Measure the port"),
    ("4711", "O", "J", "G-100003", "A4713", "Move the port to another room"),
    ("4799", "O", "J", "G-100004", "A4714", "Look at the line"),
];

/// Writes the jobs that are on the books when the desk opens.
pub(super) fn open_books(state: &mut State) {
    for &(acct, st, term, adr_no, asset_no, task) in BOOKED {
        let place = state.address(adr_no);
        state.jobs.add(|job_no| Job {
            st,
            term,
            asset_no: Some(asset_no),
            ..new_job(job_no, Some(acct.to_owned()), place, task)
        });
    }
}

fn new_job(job_no: String, acct: Option<String>, place: Option<Address>, task: &'static str) -> Job {
    Job {
        job_no,
        acct,
        st: "O",
        term: "J",
        dur_min: MINUTES,
        plan: None,
        adr: place.into_iter().map(|address| Where { role: "I", address }).collect(),
        tasks: vec![task],
        pack_no: None,
        line_no: None,
        asset_no: None,
        visits: Vec::new(),
        desk: DESK,
        txt: Vec::new(),
    }
}

/// Opens the job of a line of a folder.
pub(super) fn open_for(
    state: &mut State,
    (pack_no, line_no): (&str, i64),
    acct: Option<String>,
    place: Option<Address>,
) {
    state.jobs.add(|job_no| Job {
        pack_no: Some(pack_no.to_owned()),
        line_no: Some(line_no),
        ..new_job(job_no, acct, place, "Install the port")
    });
}

/// `GET /fs/jobs`.
pub(super) fn jobs(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let rows = state.jobs.iter().filter(|job| {
        query.takes_maybe("acct", job.acct.as_deref())
            && query.takes("st", job.st)
            && query.takes("term", job.term)
            && query.takes_maybe("packNo", job.pack_no.as_deref())
    });
    Ok(Reply::row(&page(query, rows)?))
}

/// `GET /fs/jobs/{no}`.
pub(super) fn job(state: &State, number: &str) -> Result<Reply, Refusal> {
    state.jobs.find(number).map(Reply::row).ok_or_else(|| Refusal::unknown("jobNo"))
}

/// Reads the columns `von` and `bis`.
fn read_slot(form: &Form<'_>, out: &mut Complaints) -> Option<Slot> {
    let mut hour = |name: &str| {
        form.require(name, out);
        let text = form.text(name, 20, out)?;
        let read = Hour::read(text);
        if read.is_none() {
            out.push("E03", form.pos(name), "date and time expected, dd.mm.yyyy hh:mm");
        }
        read
    };
    let (von, bis) = (hour("von"), hour("bis"));
    let slot = Slot { von: von?, bis: bis? };
    if slot.bis <= slot.von {
        out.push("E33", form.pos("bis"), "ends before it begins");
    }
    Some(slot)
}

/// All hours at which nobody is anywhere else, falling by time.
fn free(state: &State) -> impl Iterator<Item = Slot> {
    let days = (DAYS_MIN..DAYS_MAX).map(|days| day::after(state.today, days));
    let days = days.filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
    let slots = days
        .flat_map(|day| BEGINNINGS.map(|from| Slot { von: Hour(day, from), bis: Hour(day, from + MINUTES) }));
    slots.filter(|slot| !state.visits.iter().any(|visit| visit.st != "S" && visit.slot == *slot))
}

/// `POST /fs/slots`.
pub(super) fn slots(state: &State, bytes: &[u8]) -> Result<Reply, Refusal> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        job_no: &'a str,
        slots: Vec<Slot>,
    }
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    form.require("jobNo", &mut out);
    let number = form.text("jobNo", 20, &mut out).unwrap_or_default();
    let rows = form.rows("wish", "nr", &mut out);
    let wishes: Vec<Slot> = rows.iter().filter_map(|row| read_slot(row, &mut out)).collect();
    out.settle()?;
    let job = state.jobs.find(number).ok_or_else(|| Refusal::unknown("jobNo"))?;
    if job.st != "O" {
        return Err(Refusal::conflict("jobNo", "job is not open"));
    }
    let within = |slot: &Slot| wishes.iter().any(|wish| wish.von <= slot.von && slot.bis <= wish.bis);
    let slots = free(state).filter(within).take(TOLD_MAX).collect();
    Ok(Reply::row(&Answer { job_no: number, slots }))
}

/// Reads what a visit is agreed with; contacts are printed and not kept.
fn read_visit(form: &Form<'_>, out: &mut Complaints) -> Vec<info::Remark> {
    for row in form.rows("ctc", "lineNo", out) {
        info::read_contact(&row, out);
    }
    info::read_remarks(form, out)
}

fn check_free(state: &State, slot: Slot) -> Result<(), Refusal> {
    if free(state).any(|one| one == slot) {
        return Ok(());
    }
    Err(Refusal::Conflict(Complaint { code: "E32", pos: "von".to_owned(), t: "nobody is free then" }))
}

/// `POST /fs/visits`.
pub(super) fn agree(state: &mut State, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    form.require("jobNo", &mut out);
    let number = form.text("jobNo", 20, &mut out).unwrap_or_default();
    let slot = read_slot(&form, &mut out);
    let remarks = read_visit(&form, &mut out);
    out.settle()?;
    let Some(slot) = slot else { return Err(Refusal::Business("no hour")) };
    let job = state.jobs.find(number).ok_or_else(|| Refusal::unknown("jobNo"))?;
    if job.st != "O" {
        return Err(Refusal::conflict("jobNo", "job is not open"));
    }
    check_free(state, slot)?;
    let (job_no, adr, today) = (job.job_no.clone(), job.adr.clone(), state.today);
    let mut txt = Vec::new();
    info::add(&mut txt, remarks.iter(), today);
    let key = state.visits.add(|visit_no| Visit { visit_no, job_no, st: "B", slot, adr, txt });
    let visit = state.visits.get(key).ok_or_else(|| Refusal::unknown("visitNo"))?;
    let visit_no = visit.visit_no.clone();
    if let Some(job) = state.jobs.number(number).and_then(|key| state.jobs.get_mut(key)) {
        job.plan(&visit_no, slot.von);
    }
    Ok(Reply::made(visit, vec![visit_no]))
}

/// `GET /fs/visits`.
pub(super) fn visits(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let (from, to) = query.days("from", "to")?;
    let rows = state.visits.iter().filter(|visit| {
        query.takes("jobNo", &visit.job_no)
            && query.takes("st", visit.st)
            && (from..=to).contains(&visit.slot.von.0)
    });
    Ok(Reply::row(&page(query, rows)?))
}

/// `GET /fs/visits/{no}`.
pub(super) fn visit(state: &State, number: &str) -> Result<Reply, Refusal> {
    state.visits.find(number).map(Reply::row).ok_or_else(|| Refusal::unknown("visitNo"))
}

/// The number of a visit that may still be changed.
fn agreed(state: &State, number: &str) -> Result<u64, Refusal> {
    let key = state.visits.number(number).ok_or_else(|| Refusal::unknown("visitNo"))?;
    let visit = state.visits.get(key).ok_or_else(|| Refusal::unknown("visitNo"))?;
    if visit.st == "B" { Ok(key) } else { Err(Refusal::conflict("visitNo", "too late")) }
}

/// `PUT /fs/visits/{no}`: another hour, more remarks.
pub(super) fn move_visit(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let slot = if form.has("von") || form.has("bis") { read_slot(&form, &mut out) } else { None };
    let remarks = read_visit(&form, &mut out);
    out.settle()?;
    let key = agreed(state, number)?;
    if let Some(slot) = slot
        && state.visits.get(key).is_some_and(|visit| visit.slot != slot)
    {
        check_free(state, slot)?;
    }
    let today = state.today;
    let Some(visit) = state.visits.get_mut(key) else { return Err(Refusal::unknown("visitNo")) };
    visit.slot = slot.unwrap_or(visit.slot);
    info::add(&mut visit.txt, remarks.iter(), today);
    let (job_no, von) = (visit.job_no.clone(), visit.slot.von);
    if let Some(job) = state.jobs.number(&job_no).and_then(|key| state.jobs.get_mut(key)) {
        job.plan = Some(von);
    }
    let visit = state.visits.get(key).ok_or_else(|| Refusal::unknown("visitNo"))?;
    Ok(Reply::made(visit, vec![number.to_owned()]))
}

/// `DELETE /fs/visits/{no}`: the job is open again.
pub(super) fn call_off(state: &mut State, number: &str) -> Result<Reply, Refusal> {
    let key = agreed(state, number)?;
    let Some(visit) = state.visits.get_mut(key) else { return Err(Refusal::unknown("visitNo")) };
    visit.st = "S";
    let job_no = visit.job_no.clone();
    if let Some(job) = state.jobs.number(&job_no).and_then(|key| state.jobs.get_mut(key)) {
        job.st = "O";
        job.plan = None;
    }
    let visit = state.visits.get(key).ok_or_else(|| Refusal::unknown("visitNo"))?;
    Ok(Reply::made(visit, vec![number.to_owned()]))
}
