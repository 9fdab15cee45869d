//! The price list: groups of articles, articles, and what an article is built by.

use jiff::civil::{Date, date};
use serde::Serialize;

use super::article::Sku;
use super::day;
use super::info::{DESK, Desk};
use super::page::{Query, page};
use super::reply::{Refusal, Reply};

/// A group of articles.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    grp_no: &'static str,
    nm: &'static str,
    t: &'static str,
    #[serde(serialize_with = "day::plain")]
    upd: Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    up: Option<&'static str>,
    subs: Vec<&'static str>,
    arts: Vec<&'static str>,
}

/// An article as it stands in the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Article {
    pub art_no: &'static str,
    nm: &'static str,
    pub sku: Sku,
    grp: &'static str,
    /// `V` sold, `A` announced, `T` on trial, `S` stopped, `E` not sold any more, `W` not supported any more, `X`
    /// gone, `N` never came.
    st: &'static str,
    upd: Date,
    /// Countries by alpha-3, segments and channels.
    lands: &'static [&'static str],
    segs: &'static [&'static str],
    /// The rate, in kbit/s.
    pub kbps: i64,
}

/// Number, name, text, group above.
const GROUPS: &[(&str, &str, &str, Option<&str>)] = &[
    ("K1", "Access", "Everything that connects a place", None),
    ("K2", "Ethernet access", "Ports and lines", Some("K1")),
    ("K3", "Internet access", "Internet with everything in it", Some("K1")),
];

const fn article(
    art_no: &'static str,
    nm: &'static str,
    sku: Sku,
    (grp, st): (&'static str, &'static str),
    upd: Date,
    kbps: i64,
) -> Article {
    Article { art_no, nm, sku, grp, st, upd, lands: &["DEU", "CHE", "AUT"], segs: &["carrier"], kbps }
}

/// The list, falling by group.
pub(super) const ARTICLES: &[Article] = &[
    article("007", "Operator port 100M", Sku::Uni, ("K2", "V"), date(2026, 3, 1), 100_000),
    article("008", "Operator port 1G", Sku::Uni, ("K2", "V"), date(2026, 3, 1), 1_000_000),
    article("011", "Customer port 1G", Sku::Unis, ("K2", "V"), date(2026, 5, 15), 1_000_000),
    Article {
        lands: &["DEU"],
        segs: &["carrier", "enterprise"],
        ..article("020", "Line to the interconnect", Sku::Ovc, ("K2", "V"), date(2026, 6, 1), 0)
    },
    article("021", "Line between ports", Sku::Evc, ("K2", "A"), date(2026, 9, 1), 0),
    Article {
        segs: &["enterprise"],
        ..article("030", "Internet Basic", Sku::Inet, ("K3", "V"), date(2026, 7, 1), 100_000)
    },
    article("031", "Internet Plus", Sku::Inet, ("K3", "T"), date(2026, 10, 1), 1_000_000),
    article("001", "Internet 2M", Sku::Inet, ("K3", "E"), date(2024, 1, 1), 2_000),
];

/// A row of the list, and with the second half an article.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    art_no: &'static str,
    nm: &'static str,
    t: String,
    #[serde(serialize_with = "day::plain")]
    upd: Date,
    st: &'static str,
    agr: &'static str,
    sku: Sku,
    grps: [&'static str; 1],
    chans: [&'static str; 2],
    segs: &'static [&'static str],
    lands: Vec<Land>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    more: Option<More>,
}

#[derive(Debug, Serialize)]
struct Land {
    land: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct More {
    hist: Vec<Step>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    desk: Desk,
    terms: Vec<Term>,
    steps: [Phase; 2],
    needs: Vec<Need>,
    places: [Place; 1],
}

#[derive(Debug, Serialize)]
struct Step {
    st: &'static str,
    #[serde(serialize_with = "day::plain")]
    dat: Date,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Term {
    term_m: i64,
    renew: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Phase {
    nm: &'static str,
    t: &'static str,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Need {
    sku: Sku,
    typ: &'static str,
    min: i64,
    max: i64,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Place {
    role: &'static str,
    min: i64,
    max: i64,
}

const PHASES: [Phase; 2] =
    [Phase { nm: "survey", t: "The place was looked at" }, Phase { nm: "built", t: "The line stands" }];
const PLACES: [Place; 1] = [Place { role: "I", min: 1, max: 1 }];

impl Article {
    fn row(&self) -> Row {
        Row {
            art_no: self.art_no,
            nm: self.nm,
            t: format!("{}, by the month", self.nm),
            upd: self.upd,
            st: self.st,
            agr: "MSA-2026",
            sku: self.sku,
            grps: [self.grp],
            chans: ["web", "api"],
            segs: self.segs,
            lands: self.lands.iter().map(|land| Land { land }).collect(),
            more: None,
        }
    }

    fn whole(&self) -> Row {
        let before = (self.st == "V").then(|| Step { st: "A", dat: day::after(self.upd, -60) });
        let mut hist: Vec<Step> = before.into_iter().collect();
        hist.push(Step { st: self.st, dat: self.upd });
        let more = More {
            hist,
            why: (self.st == "E").then_some("Nobody wants it any more"),
            desk: DESK,
            terms: [12, 24, 36].map(|term_m| Term { term_m, renew: "J" }).into(),
            steps: PHASES,
            needs: needs(self.sku),
            places: PLACES,
        };
        Row { more: Some(more), ..self.row() }
    }
}

/// What has to stand before it can be built.
fn needs(sku: Sku) -> Vec<Need> {
    match sku {
        Sku::Ovc => vec![Need { sku: Sku::Uni, typ: "U", min: 1, max: 1 }],
        Sku::Evc | Sku::Evpl => vec![Need { sku: Sku::Unis, typ: "U", min: 2, max: 2 }],
        Sku::Lan => vec![Need { sku: Sku::Unis, typ: "U", min: 1, max: 1 }],
        _ => Vec::new(),
    }
}

fn groups() -> impl Iterator<Item = Group> {
    GROUPS.iter().map(|&(grp_no, nm, t, up)| Group {
        grp_no,
        nm,
        t,
        upd: date(2026, 1, 15),
        up,
        subs: GROUPS.iter().filter(|row| row.3 == Some(grp_no)).map(|row| row.0).collect(),
        arts: ARTICLES.iter().filter(|row| row.grp == grp_no).map(|row| row.art_no).collect(),
    })
}

/// `GET /v2/groups`.
pub(super) fn list_groups(query: &Query) -> Result<Reply, Refusal> {
    let rows = groups().filter(|group| query.takes_maybe("up", group.up));
    Ok(Reply::row(&page(query, rows)?))
}

/// `GET /v2/groups/{no}`.
pub(super) fn group(number: &str) -> Result<Reply, Refusal> {
    let found = groups().find(|group| group.grp_no == number);
    found.map(|group| Reply::row(&group)).ok_or_else(|| Refusal::unknown("grpNo"))
}

/// `GET /v2/articles`.
pub(super) fn list_articles(query: &Query) -> Result<Reply, Refusal> {
    let rows = ARTICLES.iter().filter(|row| {
        query.takes("st", row.st)
            && query.takes("grp", row.grp)
            && query.takes("sku", row.sku.code())
            && (query.get("land").is_none() || row.lands.iter().any(|land| query.takes("land", land)))
    });
    Ok(Reply::row(&page(query, rows.map(Article::row))?))
}

/// `GET /v2/articles/{no}`.
pub(super) fn article_row(number: &str) -> Result<Reply, Refusal> {
    let found = ARTICLES.iter().find(|row| row.art_no == number);
    found.map(|row| Reply::row(&row.whole())).ok_or_else(|| Refusal::unknown("artNo"))
}

/// What articles are built by.
#[derive(Debug, Serialize)]
struct Make {
    sku: Sku,
    nm: &'static str,
    t: String,
    /// `J` in use, `N` not any more.
    live: &'static str,
    #[serde(serialize_with = "day::plain")]
    upd: Date,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    more: Option<MakeMore>,
}

#[derive(Debug, Serialize)]
struct MakeMore {
    needs: Vec<Need>,
    places: [Place; 1],
    steps: [Phase; 2],
}

fn make(sku: Sku, whole: bool) -> Make {
    Make {
        sku,
        nm: sku.price_name(),
        t: format!("{} {}", sku.price_name(), sku.code()),
        live: if sku == Sku::Ipuni { "N" } else { "J" },
        upd: date(2026, 2, 1),
        more: whole.then(|| MakeMore { needs: needs(sku), places: PLACES, steps: PHASES }),
    }
}

/// `GET /v2/makes`.
pub(super) fn list_makes(query: &Query) -> Result<Reply, Refusal> {
    let rows = Sku::ALL.into_iter().map(|sku| make(sku, false)).filter(|row| query.takes("live", row.live));
    Ok(Reply::row(&page(query, rows)?))
}

/// `GET /v2/makes/{sku}`.
pub(super) fn make_row(code: &str) -> Result<Reply, Refusal> {
    let sku = Sku::from_code(code).ok_or_else(|| Refusal::unknown("sku"))?;
    Ok(Reply::row(&make(sku, true)))
}
