//! `GET /v2/sites` and `GET /v2/sites/{no}`: the rooms that Acme knows, some of everybody's, some of one customer.
//!
//! The list takes any column; texts are compared without case and accents, as the gazetteer does.

use serde::Serialize;

use super::gazetteer::{self, Address, plain};
use super::page::{Query, page};
use super::reply::{Refusal, Reply};

/// A site as it is kept: number, name, firm, customer, remark, kind, who is there, number of its address.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
pub(super) struct Site {
    pub site_no: &'static str,
    bez: &'static str,
    firma: &'static str,
    kunde: &'static str,
    info: &'static str,
    /// `O` open to all, `K` of one customer.
    typ: &'static str,
    ansp: &'static str,
    adr_no: &'static str,
}

#[rustfmt::skip]
const SITES: &[[&str; 8]] = &[
    ["ST-201", "Alexander House", "Exchange Rooms AG", "", "meet-me room, level 0", "O", "Front Desk", "G-100001"],
    ["ST-202", "Alexander House 2", "Exchange Rooms AG", "", "", "O", "Front Desk", "G-100002"],
    ["ST-203", "Main Tower", "Harbour Trade Bank", "Harbour Trade Bank", "rack 14", "K", "Facility Services", "G-100003"],
    ["ST-204", "Kontorhaus", "Kontorhaus Betrieb", "Kontorhaus Mieter", "", "K", "Porter", "G-100004"],
    ["ST-205", "Altmarkt", "Sachsen Rechner", "", "", "O", "Night Shift", "G-100005"],
    ["ST-206", "Zürich West", "Exchange Rooms AG", "", "key at the desk", "O", "Front Desk", "G-100006"],
    ["ST-207", "Boston One", "East Carrier Hotels", "", "", "O", "Lobby", "G-100008"],
];

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    rc: Option<u8>,
    site_no: &'static str,
    bez: &'static str,
    firma: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kunde: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    info: &'static str,
    art: &'static str,
    ansp: Person,
    #[serde(flatten)]
    address: Option<Address>,
}

#[derive(Debug, Serialize)]
struct Person {
    nm: &'static str,
    tel: String,
    mail: &'static str,
}

fn sites() -> impl Iterator<Item = Site> {
    SITES.iter().map(|&[site_no, bez, firma, kunde, info, typ, ansp, adr_no]| Site {
        site_no,
        bez,
        firma,
        kunde,
        info,
        typ,
        ansp,
        adr_no,
    })
}

/// The site at an address of the gazetteer.
pub(super) fn at(adr_no: &str) -> Option<Site> {
    sites().find(|site| site.adr_no == adr_no)
}

fn address(site: &Site) -> Option<Address> {
    gazetteer::rows().find(|row| row.adr_no == site.adr_no)
}

fn row(site: &Site) -> Row {
    let tel = format!("+49 30 555 {}", site.site_no.trim_start_matches("ST-"));
    Row {
        rc: None,
        site_no: site.site_no,
        bez: site.bez,
        firma: site.firma,
        kunde: site.kunde,
        info: site.info,
        art: site.typ,
        ansp: Person { nm: site.ansp, tel, mail: "sites@acme.example" },
        address: address(site),
    }
}

/// `GET /v2/sites/{no}`.
pub(super) fn get(number: &str) -> Result<Reply, Refusal> {
    let site = sites().find(|site| site.site_no == number).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::row(&Row { rc: Some(0), ..row(&site) }))
}

/// `GET /v2/sites`.
pub(super) fn list(query: &Query) -> Result<Reply, Refusal> {
    let rows = sites().filter(|site| fits(site, query));
    Ok(Reply::row(&page(query, rows.map(|site| row(&site)))?))
}

fn fits(site: &Site, query: &Query) -> bool {
    let address = address(site);
    let column = |name: &str| match name {
        "bez" => site.bez,
        "firma" => site.firma,
        "kunde" => site.kunde,
        "info" => site.info,
        "art" => site.typ,
        "ansp" => site.ansp,
        "adrNo" => site.adr_no,
        _ => address.as_ref().map_or("", |address| address.columns.get(name)),
    };
    let names = [
        "bez", "firma", "kunde", "info", "art", "ansp", "adrNo", "str", "strTyp", "nr", "plz", "ort", "land",
    ];
    names.into_iter().all(|name| query.get(name).is_none_or(|asked| plain(asked) == plain(column(name))))
}
