//! `POST /addr/check` and `GET /addr/{no}`.
//!
//! The gazetteer is small, so a rule makes it plausible: an address in a town that it does not have is believed, and
//! gets a number of its own that stays the same for the same address. A town beginning with `nowhere`, the postcode
//! `00000`, and a country that is not three capital letters are not found.

use serde::Serialize;

use super::form::{Complaints, Form, body};
use super::gazetteer::{self, Address, COLUMNS, Columns, plain};
use super::reply::{Complaint, Refusal, Reply};
use super::state::State;

/// The kinds of address.
pub(super) const KINDS: &[&str] = &["F", "Z", "R", "L", "G", "S"];

#[derive(Debug, Serialize)]
struct Hits {
    res: &'static str,
    hits: Vec<Hit>,
}

#[derive(Debug, Serialize)]
struct Hit {
    score: u8,
    best: &'static str,
    #[serde(flatten)]
    address: Address,
}

/// Columns without which an address of this kind is none.
fn needed(kind: &str) -> &'static [&'static str] {
    match kind {
        "F" => &["str", "ort", "land"],
        "Z" => &["z1", "ort", "land"],
        "R" => &["adrNo"],
        "L" => &["refTyp", "refNo"],
        "G" => &["lon", "lat", "crs"],
        _ => &["siteNo"],
    }
}

/// Reads the columns of an address; which of them must be there follows from its kind.
pub(super) fn read(row: &Form<'_>, out: &mut Complaints) -> (&'static str, Columns) {
    row.require("typ", out);
    let kind = row.letter("typ", KINDS, out).unwrap_or("F");
    for name in needed(kind) {
        row.require(name, out);
    }
    let mut columns = Columns::default();
    for &(name, characters_max) in COLUMNS {
        if let Some(text) = row.text(name, characters_max, out) {
            columns.set(name, text);
        }
    }
    let country = columns.get("land");
    let alpha_3 = country.len() == 3 && country.bytes().all(|b| b.is_ascii_uppercase());
    if !country.is_empty() && !alpha_3 {
        out.push("E07", row.pos("land"), "country expected, alpha-3");
    }
    (kind, columns)
}

/// `POST /addr/check`.
pub(super) fn check(state: &mut State, bytes: &[u8]) -> Result<Reply, Refusal> {
    let message = body(bytes)?;
    let form = Form::root(&message);
    let mut out = Complaints::default();
    let (kind, asked) = read(&form, &mut out);
    let similar_wanted = form.flag("alt", &mut out).unwrap_or(false);
    let number = form.text("adrNo", 40, &mut out);
    out.settle()?;
    let found = match kind {
        "R" => number
            .and_then(|number| state.address(number))
            .map(|address| Hits { res: "O", hits: vec![best(address)] }),
        "S" => None,
        "F" => fields(state, &asked, similar_wanted),
        _ => believe(state, kind, &asked).map(|address| Hits { res: "O", hits: vec![best(address)] }),
    };
    let nothing = || Refusal::Unknown(Complaint { code: "E04", pos: String::new(), t: "address not found" });
    found.map(|hits| Reply::row(&hits)).ok_or_else(nothing)
}

/// `GET /addr/{no}`.
pub(super) fn get(state: &State, number: &str) -> Result<Reply, Refusal> {
    state.address(number).map(|address| Reply::row(&address)).ok_or_else(|| Refusal::unknown("no"))
}

fn best(address: Address) -> Hit {
    Hit { score: 100, best: "J", address }
}

/// Looks for single fields: the same street and town, then the house number.
fn fields(state: &mut State, asked: &Columns, similar_wanted: bool) -> Option<Hits> {
    let same = |row: &Address, name: &str| plain(row.columns.get(name)) == plain(asked.get(name));
    let street = street_key(asked.get("str"), asked.get("strTyp"));
    let in_street = |row: &Address| {
        same(row, "ort")
            && row.columns.get("land") == asked.get("land")
            && street_key(row.columns.get("str"), row.columns.get("strTyp")) == street
    };
    let rows: Vec<Address> = gazetteer::rows().filter(in_street).collect();
    let house = asked.get("nr");
    let exact = rows.iter().find(|row| !house.is_empty() && same(row, "nr")).cloned();
    let exact = match exact {
        Some(row) => Some(row),
        None if rows.is_empty() && !house.is_empty() => Some(believe(state, "F", asked)?),
        None => None,
    };
    let mut hits: Vec<Hit> = exact.iter().cloned().map(best).collect();
    if similar_wanted || hits.is_empty() {
        let others = rows.into_iter().filter(|row| Some(row) != exact.as_ref());
        hits.extend(others.map(|address| Hit { score: 70, best: "N", address }));
        if hits.iter().all(|hit| hit.best == "J") {
            hits.extend(neighbours(state, asked));
        }
    }
    let res = if exact.is_some() { "O" } else { "P" };
    (!hits.is_empty()).then_some(Hits { res, hits })
}

/// The street as it is compared, whether or not its kind is a column of its own.
fn street_key(street: &str, kind: &str) -> String {
    let mut key = plain(street);
    key.push_str(&plain(kind));
    for ending in ["strasse", "street", "str", "st"] {
        if let Some(short) = key.strip_suffix(ending) {
            return short.to_owned();
        }
    }
    key
}

/// Two similar addresses: the house itself with the next letter, or the first houses of the street.
fn neighbours(state: &mut State, asked: &Columns) -> Vec<Hit> {
    let house = asked.get("nr").to_owned();
    let changes =
        if house.is_empty() { [("nr", "1"), ("nr", "2")] } else { [("nrSfx", "A"), ("nrSfx", "B")] };
    let made = changes.into_iter().filter_map(|(name, value)| {
        let mut columns = asked.clone();
        columns.set(name, value);
        let address = believe(state, "F", &columns)?;
        Some(Hit { score: 80, best: "N", address })
    });
    made.collect()
}

/// Believes an address that the gazetteer does not have, and remembers it under a number that follows from it.
fn believe(state: &mut State, kind: &'static str, asked: &Columns) -> Option<Address> {
    if plain(asked.get("ort")).starts_with("nowhere") || asked.get("plz") == "00000" {
        return None;
    }
    if kind == "L" && asked.get("refNo").starts_with('0') {
        return None;
    }
    let mut hash: u32 = 2_166_136_261; // FNV-1a: the number only has to be stable and spread.
    for &(name, _) in COLUMNS {
        for byte in plain(asked.get(name)).bytes().chain([0]) {
            hash = (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
        }
    }
    let adr_no = format!("G-{}", 1_000_000 + u64::from(hash));
    let public = if hash.is_multiple_of(2) { "J" } else { "N" };
    let address = Address { adr_no, typ: kind, columns: asked.clone(), pub_site: public, new_site: "J" };
    state.remember(address.clone());
    Some(address)
}
