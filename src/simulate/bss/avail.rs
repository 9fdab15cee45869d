//! What can be had at a place ready made, and what it costs.

use serde::Serialize;

use super::article::{Build, Sku};
use super::asset::Use;
use super::form::{Complaints, Form, body};
use super::price::{self, Act, Price};
use super::pricelist::{ARTICLES, Article};
use super::reply::{Complaint, Refusal, Reply};
use super::state::State;

/// The articles that are kept ready made; the others are built as they are ordered.
const READY: [Sku; 3] = [Sku::Ovc, Sku::Uni, Sku::Unis];

/// What was asked for.
struct Question<'a> {
    act: Act,
    sku: Option<Sku>,
    conf_no: Option<&'a str>,
}

fn unknown(code: &'static str, pos: &str, t: &'static str) -> Refusal {
    Refusal::Unknown(Complaint { code, pos: pos.to_owned(), t })
}

/// What is installed under a number and in use.
fn installed(state: &State, number: &str) -> Result<Sku, Refusal> {
    let found = state.assets.get(number).filter(|asset| asset.st != Use::Ended);
    found.map(|asset| asset.sku).ok_or_else(|| unknown("E18", "assetNo", "asset not found"))
}

/// Reads a question and looks up whatever it names.
fn read<'a>(form: &Form<'a>, state: &State) -> Result<Question<'a>, Refusal> {
    let mut out = Complaints::default();
    form.require("act", &mut out);
    let change = form.letter("act", &["N", "C"], &mut out) == Some("C");
    let code = form.text("sku", 20, &mut out);
    let conf_no = form.text("confNo", 40, &mut out);
    let asset_no = form.text("assetNo", 40, &mut out);
    let address = form.text("adrNo", 40, &mut out);
    form.text("siteNo", 40, &mut out);
    for row in form.rows("rels", "nr", &mut out) {
        row.text("typ", 20, &mut out);
        row.text("assetNo", 40, &mut out);
    }
    let sku = code.and_then(Sku::from_code);
    if code.is_some() && sku.is_none_or(|sku| !READY.contains(&sku)) {
        out.push("E21", "sku", "not kept ready made");
    }
    if change && asset_no.is_none() {
        out.push("E02", "assetNo", "missing");
    }
    out.settle()?;
    if address.is_some_and(|number| state.address(number).is_none()) {
        return Err(unknown("E04", "adrNo", "address not found"));
    }
    let installed = asset_no.map(|number| installed(state, number)).transpose()?;
    Ok(Question { act: if change { Act::Change } else { Act::New }, sku: sku.or(installed), conf_no })
}

/// An article ready made.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ready {
    conf_no: String,
    art_no: &'static str,
    sku: Sku,
    lead_days: i64,
    #[serde(flatten)]
    columns: Columns,
}

/// The columns of what is ready made.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Columns {
    Line(Line),
    Port(Port),
}

/// A line: its rate is agreed when it is ordered.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    mtu: i64,
    cos: &'static str,
    vlan_keep: &'static str,
    meg_lvl: &'static str,
    l2cp: &'static str,
    ep_a: &'static str,
    ep_z: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    links: i64,
    speed: &'static str,
    conn: &'static str,
    lag: &'static str,
    frame: i64,
    ep_max: i64,
    vlan_max: i64,
    oam: &'static str,
    meg: &'static str,
    l2cp: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dvlan: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    virt: Option<&'static str>,
}

fn port(article: &Article) -> Port {
    let operator = article.sku == Sku::Uni;
    Port {
        links: 1,
        speed: if article.kbps < 1_000_000 { "100BASE_LX10" } else { "1000BASE_LX" },
        conn: "LC",
        lag: "N",
        frame: 1_600,
        ep_max: 8,
        vlan_max: 64,
        oam: "J",
        meg: "N",
        l2cp: "B2",
        dvlan: operator.then_some(1),
        virt: (!operator).then_some("P"),
    }
}

const LINE: Line =
    Line { mtu: 1_600, cos: "low", vlan_keep: "P", meg_lvl: "5", l2cp: "B", ep_a: "A", ep_z: "Z" };

fn ready(article: &Article) -> Ready {
    Ready {
        conf_no: format!("F-{}", article.art_no),
        art_no: article.art_no,
        sku: article.sku,
        lead_days: article.sku.lead_days(),
        columns: if article.sku == Sku::Ovc { Columns::Line(LINE) } else { Columns::Port(port(article)) },
    }
}

/// `POST /v2/avail`.
pub(super) fn avail(state: &State, bytes: &[u8]) -> Result<Reply, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        opts: Vec<Ready>,
    }
    let message = body(bytes)?;
    let asked = read(&Form::root(&message), state)?;
    let articles = ARTICLES
        .iter()
        .filter(|article| READY.contains(&article.sku) && asked.sku.is_none_or(|sku| sku == article.sku));
    Ok(Reply::row(&Answer { opts: articles.map(ready).collect() }))
}

/// What an article costs for a term; its prices are in the table beside.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
struct Term {
    line_no: i64,
    pr_no: String,
    art_no: &'static str,
    term_m: i64,
    renew: &'static str,
    lead_days: i64,
    extra: &'static str,
}

/// The article that is kept ready made under a number.
fn named(number: &str) -> Option<&'static Article> {
    let number = number.strip_prefix("F-")?;
    ARTICLES.iter().find(|article| article.art_no == number && READY.contains(&article.sku))
}

/// `POST /v2/prices`.
pub(super) fn prices(state: &State, bytes: &[u8]) -> Result<Reply, Refusal> {
    #[derive(Serialize)]
    struct Answer {
        cur: &'static str,
        terms: Vec<Term>,
        chg: Vec<Price>,
    }
    let message = body(bytes)?;
    let asked = read(&Form::root(&message), state)?;
    let article =
        asked.conf_no.and_then(named).ok_or_else(|| unknown("E10", "confNo", "number not found"))?;
    if asked.sku.is_some_and(|sku| sku != article.sku) {
        return Err(Refusal::conflict("confNo", "not for this asset"));
    }
    let months: &[i64] = if asked.act == Act::Change { &[12] } else { &[12, 24, 36] };
    let (mut terms, mut chg) = (Vec::new(), Vec::new());
    for (line_no, &term_m) in (10..).step_by(10).zip(months) {
        let build = Build { kbps: article.kbps, classes: 0 };
        chg.extend(price::prices(line_no, article.sku, asked.act, build, term_m));
        terms.push(Term {
            line_no,
            pr_no: format!("L-{}-{term_m}", article.art_no),
            art_no: article.art_no,
            term_m,
            renew: "J",
            lead_days: article.sku.lead_days(),
            extra: if term_m < 24 { "J" } else { "N" },
        });
    }
    Ok(Reply::row(&Answer { cur: "EUR", terms, chg }))
}
