//! What an offer's line and an order have in common: the line, its address, the remarks and contacts beside it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::address;
use super::article::{Build, KBPS_MAX, Sku};
use super::asset::Use;
use super::form::{Complaints, Form};
use super::gazetteer::{Address, plain};
use super::info::{self, Remark};
use super::price::Act;
use super::reply::{Complaint, Refusal};
use super::site;
use super::state::State;

/// A line as it was read.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
pub(super) struct Line {
    pub line_no: i64,
    pub act: Act,
    pub sku: Sku,
    pub asset_no: Option<String>,
    pub term_months: i64,
    pub renew: &'static str,
    pub roll_months: Option<i64>,
    pub build: Build,
    pub art_no: Option<String>,
    /// The article's own columns as they were sent.
    pub columns: Map<String, Value>,
}

/// What stands beside the lines.
#[derive(Debug, Default)]
pub(super) struct Beside {
    sites: HashMap<i64, Site>,
    places: HashMap<i64, Address>,
    pub remarks: Vec<Remark>,
}

#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
struct Site {
    no_duct: bool,
    survey: bool,
    nowhere: bool,
    site_no: Option<String>,
}

/// Why a line cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Obstacle {
    pub code: &'static str,
    pub t: &'static str,
}

impl Beside {
    /// Reads the tables `adr`, `ctc` and `txt` of a message; each row has to belong to a line, or to the head.
    pub fn read(form: &Form<'_>, lines: &[i64], out: &mut Complaints) -> Self {
        let mut beside = Self::default();
        for row in form.rows("adr", "lineNo", out) {
            // Where there is one line only, as in an order, the address need not say of which it is.
            let only = if let [line_no] = lines { Some(*line_no) } else { None };
            if only.is_none() {
                row.require("lineNo", out);
            }
            let line_no = row.number("lineNo", 0, 9990, out).or(only).unwrap_or(0);
            let adr_no = row.text("adrNo", 40, out);
            let site_no = row.text("siteNo", 40, out);
            row.letter("role", &["I", "O"], out);
            let (kind, columns) = address::read(&row, out);
            belongs(line_no, lines, &row, out);
            let place = Address {
                adr_no: adr_no.unwrap_or_default().to_owned(),
                typ: kind,
                columns: columns.clone(),
                ..Address::default()
            };
            beside.places.entry(line_no).or_insert(place);
            let single = kind == "F";
            let site = beside.sites.entry(line_no).or_default();
            site.no_duct |= columns.get("plz") == "00000";
            site.nowhere |= plain(columns.get("ort")).starts_with("nowhere");
            let by_address = || adr_no.and_then(site::at).map(|site| site.site_no);
            site.site_no = site_no.or_else(by_address).map(str::to_owned).or(site.site_no.take());
            site.survey |= single && (columns.get("nr").is_empty() || columns.get("plz").is_empty());
        }
        for row in form.rows("ctc", "lineNo", out) {
            belongs(info::read_contact(&row, out), lines, &row, out);
        }
        beside.remarks = info::read_remarks(form, out);
        for (remark, row) in beside.remarks.iter().zip(form.rows("txt", "nr", out)) {
            belongs(remark.line_no, lines, &row, out);
        }
        beside
    }

    /// The place of a line, as it was given.
    pub fn place(&self, line_no: i64) -> Option<&Address> {
        self.places.get(&line_no)
    }

    /// Whether the place of a line has to be looked at before it can be promised.
    pub fn survey(&self, line_no: i64) -> bool {
        self.sites.get(&line_no).is_some_and(|site| site.survey)
    }

    /// Whether there is no such place.
    pub fn nowhere(&self, line_no: i64) -> bool {
        self.sites.get(&line_no).is_some_and(|site| site.nowhere)
    }

    /// Whether nothing lies in the ground there.
    pub fn no_duct(&self, line_no: i64) -> bool {
        self.sites.get(&line_no).is_some_and(|site| site.no_duct)
    }

    /// The site that a line goes to, where it is one.
    pub fn site_no(&self, line_no: i64) -> Option<String> {
        self.sites.get(&line_no)?.site_no.clone()
    }

    /// What stands in the way of a line, if anything.
    pub fn obstacle(&self, line: &Line) -> Option<Obstacle> {
        if self.sites.get(&line.line_no).is_some_and(|site| site.no_duct) {
            return Some(Obstacle { code: "E21", t: "no duct" });
        }
        (line.build.kbps > KBPS_MAX).then_some(Obstacle { code: "E22", t: "rate not sold" })
    }
}

fn belongs(line_no: i64, lines: &[i64], row: &Form<'_>, out: &mut Complaints) {
    if line_no != 0 && !lines.contains(&line_no) {
        out.push("E08", row.place(), "no such line");
    }
}

impl Line {
    /// Reads a line; the article is the endpoint's where there is one, else the column's. A disconnection may leave
    /// it out: the thing itself says what it is.
    pub fn read(row: &Form<'_>, endpoint: Option<Sku>, state: &State, out: &mut Complaints) -> Option<Self> {
        row.require("lineNo", out);
        let line_no = row.number("lineNo", 10, 9990, out);
        if line_no.is_some_and(|number| number % 10 != 0) {
            out.push("E09", row.place(), "line numbers go by ten");
        }
        row.require("act", out);
        let act = row.letter("act", &["N", "C", "D"], out).map(|letter| match letter {
            "N" => Act::New,
            "C" => Act::Change,
            _ => Act::Disconnect,
        });
        let asset_no = row.text("assetNo", 40, out).map(str::to_owned);
        let sku = match &asset_no {
            // Of a thing that is not known any article will do: it is refused before the article counts.
            Some(number) if act == Some(Act::Disconnect) && !row.has("sku") && endpoint.is_none() => {
                Some(state.assets.get(number).map_or(Sku::Ovc, |asset| asset.sku))
            }
            _ => read_sku(row, endpoint, out),
        };
        let art_no = row.text("artNo", 40, out).map(str::to_owned);
        for (name, characters_max) in [("agrmt", 80), ("chkRef", 60), ("chkLine", 20), ("dealRef", 60)] {
            row.text(name, characters_max, out);
        }
        row.number("wishDays", 0, 365, out);
        if act.is_some_and(|act| act != Act::New) && asset_no.is_none() {
            out.push("E19", row.pos("assetNo"), "asset number needed");
        }
        if act == Some(Act::New) && asset_no.is_some() {
            out.push("E19", row.pos("assetNo"), "asset number is ours to give");
        }
        let term_months = row.number("termM", 1, 60, out).unwrap_or(12);
        let renew = row.letter("renew", &["J", "N", "R"], out).unwrap_or("N");
        let roll_months = row.number("rollM", 1, 12, out);
        if (renew == "R") != roll_months.is_some() {
            out.push("E02", row.pos("rollM"), "goes with renew R");
        }
        let build = sku.map(|sku| sku.read(row, out)).unwrap_or_default();
        let (line_no, act, sku) = (line_no?, act?, sku?);
        let columns = sku.columns_of(row);
        Some(Self { line_no, act, sku, asset_no, term_months, renew, roll_months, build, art_no, columns })
    }

    /// Refuses a line about a thing that is not installed, or is another article.
    pub fn check_asset(&self, place: &str, state: &State) -> Result<(), Refusal> {
        let Some(number) = &self.asset_no else { return Ok(()) };
        let pos = if place.is_empty() { "assetNo".to_owned() } else { place.to_owned() };
        match state.assets.get(number) {
            None => Err(Refusal::Unknown(Complaint { code: "E18", pos, t: "asset not known" })),
            Some(asset) if asset.st == Use::Ended => {
                Err(Refusal::Unknown(Complaint { code: "E18", pos, t: "asset is disconnected" }))
            }
            Some(asset) if asset.sku != self.sku => {
                Err(Refusal::Wrong(vec![Complaint { code: "E20", pos, t: "asset is another article" }]))
            }
            Some(_) => Ok(()),
        }
    }
}

fn read_sku(row: &Form<'_>, endpoint: Option<Sku>, out: &mut Complaints) -> Option<Sku> {
    if endpoint.is_none() {
        row.require("sku", out);
    }
    let Some(code) = row.text("sku", 20, out) else { return endpoint };
    let place = if row.place().is_empty() { "sku" } else { row.place() };
    let Some(sku) = Sku::from_code(code) else {
        out.push("E17", place, "article not sold");
        return None;
    };
    if endpoint.is_some_and(|endpoint| endpoint != sku) {
        out.push("E17", place, "article of another desk");
        return None;
    }
    Some(sku)
}

/// The line numbers, those of faulty lines too, so that what stands beside them is not blamed. Each may stand once.
pub(super) fn numbers(rows: &[Form<'_>], out: &mut Complaints) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(rows.len());
    for number in rows.iter().filter_map(|row| row.glance("lineNo")) {
        if numbers.contains(&number) {
            out.push("E11", format!("lines/{number}"), "line twice");
        }
        numbers.push(number);
    }
    numbers
}
