//! Charges that come up during work: announced, answered by the customer, or too late.

use jiff::civil::Date;
use serde::Serialize;

use super::day;
use super::form::{Complaints, Form, body};
use super::info::{self, Remark, Text};
use super::order::{FAILED, IN_WORK, WAITING};
use super::page::{Query, page};
use super::reply::{Refusal, Reply};
use super::state::State;
use super::task;

/// Days that the customer has to answer.
const ANSWER_DAYS: i64 = 14;

/// Where a charge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Standing {
    #[serde(rename = "O")]
    Open,
    #[serde(rename = "E")]
    Answered,
    #[serde(rename = "T")]
    Late,
    #[serde(rename = "Z")]
    TakenBack,
}

impl Standing {
    fn code(self) -> &'static str {
        match self {
            Self::Open => "O",
            Self::Answered => "E",
            Self::Late => "T",
            Self::TakenBack => "Z",
        }
    }
}

/// What a charge is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Kind {
    /// Cancellation.
    #[serde(rename = "STO")]
    Storno,
    /// Construction.
    #[serde(rename = "BAU")]
    Construction,
    /// Connection.
    #[serde(rename = "ANS")]
    Connection,
    /// Disconnection.
    #[serde(rename = "ABB")]
    Disconnection,
    /// Hurry.
    #[serde(rename = "EXP")]
    Hurry,
    /// Other.
    #[serde(rename = "SON")]
    Other,
}

impl Kind {
    /// The kind of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        let known = [
            ("STO", Self::Storno),
            ("BAU", Self::Construction),
            ("ANS", Self::Connection),
            ("ABB", Self::Disconnection),
            ("EXP", Self::Hurry),
            ("SON", Self::Other),
        ];
        known.into_iter().find(|(name, _)| *name == code).map(|(_, kind)| kind)
    }
}

/// The task that waits for the answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    /// A cancellation.
    Storno(u64),
    /// A change of the wished date.
    Wish(u64),
}

/// What a charge is about.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub no: Option<String>,
    pub pack_no: String,
    pub line_no: Option<i64>,
    pub task: Option<Task>,
}

/// A charge as it is kept and written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Charge {
    rc: u8,
    pub chg_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    no: Option<String>,
    pack_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_no: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sto_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wish_no: Option<String>,
    pub st: Standing,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(serialize_with = "day::plain")]
    pub due_date: Date,
    cur: &'static str,
    pos: Vec<Position>,
    #[serde(skip)]
    task: Option<Task>,
}

/// One position of a charge.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Position {
    pos_no: i64,
    typ: Kind,
    act: &'static str,
    block: &'static str,
    mrc: i64,
    nrc: i64,
    per: &'static str,
    ok: &'static str,
    txt: Vec<Text>,
}

/// A row of the list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    chg_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    no: Option<&'a str>,
    pack_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_no: Option<i64>,
    st: Standing,
    #[serde(serialize_with = "day::plain")]
    cdat: Date,
    #[serde(serialize_with = "day::plain")]
    due_date: Date,
}

impl<'a> Row<'a> {
    fn of(charge: &'a Charge) -> Self {
        Self {
            chg_no: &charge.chg_no,
            no: charge.no.as_deref(),
            pack_no: &charge.pack_no,
            line_no: charge.line_no,
            st: charge.st,
            cdat: charge.cdat,
            due_date: charge.due_date,
        }
    }
}

/// Announces a charge of one position, and writes its number where it belongs. Gives the number.
pub(super) fn announce(state: &mut State, about: About, kind: Kind, nrc: i64, mrc: i64) -> String {
    let cdat = state.today;
    let order = about.no.as_deref().and_then(|no| state.orders.number(no));
    let cur = order.and_then(|key| state.orders.get(key)).map_or("EUR", |order| order.cur);
    let storno = about.task.and_then(|task| match task {
        Task::Storno(key) => state.stornos.get(key).map(|storno| storno.sto_no.clone()),
        Task::Wish(_) => None,
    });
    let wish = about.task.and_then(|task| match task {
        Task::Wish(key) => state.wishes.get(key).map(|wish| wish.wish_no.clone()),
        Task::Storno(_) => None,
    });
    let mut number = String::new();
    state.charges.add(|chg_no| {
        number.clone_from(&chg_no);
        let position = Position {
            pos_no: 1,
            typ: kind,
            act: "N",
            block: "J",
            mrc,
            nrc,
            per: "M",
            ok: "O",
            txt: Vec::new(),
        };
        Charge {
            rc: 0,
            chg_no,
            no: about.no,
            pack_no: about.pack_no,
            line_no: about.line_no,
            sto_no: storno,
            wish_no: wish,
            st: Standing::Open,
            cdat,
            due_date: day::after(cdat, ANSWER_DAYS),
            cur,
            pos: vec![position],
            task: about.task,
        }
    });
    match about.task {
        Some(Task::Storno(key)) => {
            if let Some(storno) = state.stornos.get_mut(key) {
                storno.chg_no = Some(number.clone());
            }
        }
        Some(Task::Wish(key)) => {
            if let Some(wish) = state.wishes.get_mut(key) {
                wish.chg_no = Some(number.clone());
            }
        }
        None => {}
    }
    if let Some(order) = order.and_then(|key| state.order_mut(key)) {
        order.chg_nos.push(number.clone());
    }
    state.outbox.note(&number);
    number
}

/// Whether an order waits for an answer to a charge that no task asked for.
pub(super) fn open_for(state: &State, number: &str) -> bool {
    let waits = |charge: &Charge| {
        charge.st == Standing::Open && charge.task.is_none() && charge.no.as_deref() == Some(number)
    };
    state.charges.iter().any(waits)
}

/// `POST /charges/{no}/answer`: yes or no to every position, once.
pub(super) fn answer(state: &mut State, number: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    form.require("pos", &mut out);
    let mut answers: Vec<(i64, &'static str, Vec<Remark>)> = Vec::new();
    for row in form.rows("pos", "posNo", &mut out) {
        row.require("posNo", &mut out);
        row.require("ok", &mut out);
        let remarks = info::read_remarks(&row, &mut out);
        let pos_no = row.number("posNo", 1, 999, &mut out);
        let ok = row.letter("ok", &["J", "N"], &mut out);
        answers.extend(pos_no.zip(ok).map(|(pos_no, ok)| (pos_no, ok, remarks)));
    }
    out.settle()?;
    let today = state.today;
    let key = state.charges.number(number).ok_or_else(|| Refusal::unknown("no"))?;
    let charge = state.charges.get_mut(key).ok_or_else(|| Refusal::unknown("no"))?;
    if charge.st != Standing::Open {
        return Err(Refusal::conflict("no", "not open"));
    }
    let mut out = Complaints::default();
    for position in &charge.pos {
        if answers.iter().filter(|(pos_no, ..)| *pos_no == position.pos_no).count() != 1 {
            out.push("E40", format!("pos/{}", position.pos_no), "one answer expected");
        }
    }
    for (pos_no, ..) in &answers {
        if !charge.pos.iter().any(|position| position.pos_no == *pos_no) {
            out.push("E08", format!("pos/{pos_no}"), "no such line");
        }
    }
    out.settle()?;
    for position in &mut charge.pos {
        for (_, ok, remarks) in answers.iter().filter(|(pos_no, ..)| *pos_no == position.pos_no) {
            position.ok = ok;
            info::add(&mut position.txt, remarks.iter(), today);
        }
    }
    let accepted = charge.pos.iter().all(|position| position.ok == "J");
    let mut made = vec![number.to_owned()];
    made.extend(settle(state, key, Standing::Answered, accepted));
    let charge = state.charges.get(key).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::made(charge, made))
}

/// Closes a charge and does what waited for it; gives the numbers changed.
fn settle(state: &mut State, key: u64, standing: Standing, accepted: bool) -> Vec<String> {
    let Some(charge) = state.charges.get_mut(key) else { return Vec::new() };
    charge.st = standing;
    state.outbox.note(&charge.chg_no);
    let (task, order) = (charge.task, charge.no.clone());
    match task {
        Some(Task::Storno(key)) => settle_storno(state, key, accepted),
        Some(Task::Wish(key)) => settle_wish(state, key, accepted),
        None => {
            let order = order.and_then(|no| state.orders.number(&no)).and_then(|key| state.order_mut(key));
            let Some(order) = order else { return Vec::new() };
            if order.st == WAITING {
                order.st = if accepted { IN_WORK } else { FAILED };
            }
            vec![order.no.clone()]
        }
    }
}

fn settle_storno(state: &mut State, key: u64, accepted: bool) -> Vec<String> {
    let Some(storno) = state.stornos.get_mut(key) else { return Vec::new() };
    let mut changed = vec![storno.sto_no.clone()];
    storno.st = if accepted { task::Standing::Done } else { task::Standing::Refused };
    storno.deny = if accepted { None } else { Some("charge declined") };
    if accepted {
        let orders = storno.orders.clone();
        changed.extend(task::close_orders(state, &orders));
    }
    changed
}

fn settle_wish(state: &mut State, key: u64, accepted: bool) -> Vec<String> {
    let Some(wish) = state.wishes.get_mut(key) else { return Vec::new() };
    let (order, wish_date) = (wish.order, wish.wish_date);
    let changed = vec![wish.wish_no.clone()];
    wish.st = if accepted { task::Standing::Done } else { task::Standing::Refused };
    wish.deny = if accepted { None } else { Some("charge declined") };
    if accepted {
        task::grant(state, order, wish_date, true);
    }
    changed
}

/// Closes the charges whose day of answer is past.
pub(super) fn expire(state: &mut State) {
    let today = state.today;
    for key in state.charges.numbers() {
        let Some(charge) = state.charges.get_mut(key) else { continue };
        if charge.st == Standing::Open && charge.due_date < today {
            charge.pos.iter_mut().for_each(|position| position.ok = "N");
            settle(state, key, Standing::Late, false);
        }
    }
}

/// Takes a charge back; false when it was not open.
pub(super) fn take_back(state: &mut State, number: &str) -> bool {
    let Some(key) = state.charges.number(number) else { return false };
    let Some(charge) = state.charges.get_mut(key) else { return false };
    if charge.st != Standing::Open {
        return false;
    }
    charge.pos.iter_mut().for_each(|position| position.ok = "Z");
    settle(state, key, Standing::TakenBack, true);
    true
}

/// `GET /charges/{no}`.
pub(super) fn get(state: &State, number: &str) -> Result<Reply, Refusal> {
    state.charges.find(number).map(|row| Reply::row(&row)).ok_or_else(|| Refusal::unknown("no"))
}

/// `GET /charges`.
pub(super) fn list(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let (from, to) = query.days("from", "to")?;
    let (due_from, due_to) = query.days("dueFrom", "dueTo")?;
    let rows = state.charges.iter().filter(|charge| {
        query.takes_maybe("no", charge.no.as_deref())
            && query.takes("packNo", &charge.pack_no)
            && query.takes("st", charge.st.code())
            && (from..=to).contains(&charge.cdat)
            && (due_from..=due_to).contains(&charge.due_date)
    });
    Ok(Reply::row(&page(query, rows.map(Row::of))?))
}
