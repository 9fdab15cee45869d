//! The installed base: what stands at the customers', with the columns that its orders gave it.
//!
//! It grows when an order for something new is done; a change writes the changed columns over, a disconnection ends a
//! row, which stays to be looked up. `siteNo` is where it stands, if that is one of the [sites](super::site).

use std::collections::HashMap;

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Map, Value};

use super::article::Sku;
use super::day;
use super::info::{DESK, Desk};
use super::order::Order;
use super::page::{Query, page};
use super::price::{Act, Price};
use super::reply::{Refusal, Reply};
use super::state::State;

/// Where an installed thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum Use {
    /// In use.
    #[serde(rename = "A")]
    Active,
    /// In use, and an order that changes it is open.
    #[serde(rename = "U")]
    Changing,
    /// In use, and an order that disconnects it is open.
    #[serde(rename = "K")]
    Ending,
    /// Blocked by the bookkeepers.
    #[serde(rename = "G")]
    Blocked,
    /// Disconnected.
    #[serde(rename = "E")]
    Ended,
}

impl Use {
    /// The code written in the column `st`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Active => "A",
            Self::Changing => "U",
            Self::Ending => "K",
            Self::Blocked => "G",
            Self::Ended => "E",
        }
    }
}

/// An installed thing as it is kept and written.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the columns are the desk's own names")]
pub(super) struct Asset {
    rc: u8,
    pub asset_no: String,
    pub sku: Sku,
    pub st: Use,
    pub acct: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    art_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cust_ref: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pack_no: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_no: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    site_no: Option<String>,
    #[serde(serialize_with = "day::plain")]
    start: Date,
    #[serde(serialize_with = "day::plain")]
    chg_date: Date,
    #[serde(serialize_with = "day::maybe", skip_serializing_if = "Option::is_none")]
    end_date: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    term_m: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renew: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roll_m: Option<i64>,
    cur: &'static str,
    desk: Desk,
    chg: Vec<Price>,
    #[serde(flatten)]
    columns: Map<String, Value>,
}

impl Asset {
    /// Something that was installed before the desk opened, on the account of the demonstration.
    pub fn before(number: &str, sku: Sku, art_no: Option<&str>, site_no: Option<&str>, today: Date) -> Self {
        let start = day::after(today, -400);
        Self {
            rc: 0,
            asset_no: number.to_owned(),
            sku,
            st: Use::Active,
            acct: "4711".to_owned(),
            art_no: art_no.map(str::to_owned),
            cust_ref: None,
            pack_no: None,
            line_no: None,
            site_no: site_no.map(str::to_owned),
            start,
            chg_date: start,
            end_date: None,
            term_m: None,
            renew: None,
            roll_m: None,
            cur: "EUR",
            desk: DESK,
            chg: Vec::new(),
            columns: Map::new(),
        }
    }

    /// What an order has built.
    pub fn built(number: &str, order: &Order, today: Date) -> Self {
        let mut asset = Self::before(number, order.sku, None, None, today);
        (asset.start, asset.acct) = (today, order.acct.clone());
        asset.changed(order, today);
        (asset.pack_no, asset.line_no) = (Some(order.pack_no.clone()), Some(order.line_no));
        asset.cust_ref.clone_from(&order.cust_ref);
        asset
    }

    /// Writes what an order has changed over what was.
    pub fn changed(&mut self, order: &Order, today: Date) {
        (self.st, self.chg_date, self.cur) = (Use::Active, today, order.cur);
        (self.term_m, self.renew, self.roll_m) = (Some(order.term_m), Some(order.renew), order.roll_m);
        self.chg.clone_from(&order.chg);
        // A change is paid once, the thing itself by the month.
        self.chg.iter_mut().for_each(|price| price.line_no = 0);
        if order.art_no.is_some() {
            self.art_no.clone_from(&order.art_no);
        }
        if order.site_no.is_some() {
            self.site_no.clone_from(&order.site_no);
        }
        self.columns.extend(order.columns.clone());
    }

    /// Ends it.
    pub fn ended(&mut self, today: Date) {
        (self.st, self.chg_date, self.end_date) = (Use::Ended, today, Some(today));
    }

    /// Puts the asset at the other end of a line in its place, now that it is known.
    pub fn connect(&mut self, column: &str, number: &str) {
        self.columns.insert(column.to_owned(), number.into());
        self.columns.remove(if column == "uniAsset" { "uniLine" } else { "uniLineZ" });
    }

    fn mentions(&self, number: &str) -> bool {
        ["uniAsset", "uniAssetZ"]
            .iter()
            .any(|column| self.columns.get(*column).is_some_and(|own| own == number))
    }
}

/// The open orders on installed things: what is done to each.
fn open_orders(state: &State) -> HashMap<&str, Act> {
    let open = state.orders.iter().filter(|order| !order.closed());
    open.filter_map(|order| Some((order.asset_no.as_deref()?, order.act))).collect()
}

fn row(asset: &Asset, open: &HashMap<&str, Act>) -> Asset {
    let st = match open.get(asset.asset_no.as_str()) {
        Some(Act::Change) if asset.st == Use::Active => Use::Changing,
        Some(Act::Disconnect) if asset.st == Use::Active => Use::Ending,
        _ => asset.st,
    };
    Asset { st, ..asset.clone() }
}

/// `GET /v2/assets/{no}`.
pub(super) fn get(state: &State, number: &str) -> Result<Reply, Refusal> {
    let asset = state.assets.get(number).ok_or_else(|| Refusal::unknown("no"))?;
    Ok(Reply::row(&row(asset, &open_orders(state))))
}

/// `GET /v2/assets`: by account, and what else is asked for.
pub(super) fn list(state: &State, query: &Query) -> Result<Reply, Refusal> {
    let started = query.days("from", "to")?;
    let changed = query.days("chgFrom", "chgTo")?;
    let rows = state.assets.values().filter(|asset| {
        query.takes("acct", &asset.acct)
            && query.takes("sku", asset.sku.code())
            && query.takes_maybe("artNo", asset.art_no.as_deref())
            && query.takes_maybe("custRef", asset.cust_ref.as_deref())
            && query.takes_maybe("siteNo", asset.site_no.as_deref())
            && query.takes_maybe("packNo", asset.pack_no.as_deref())
            && query.get("uses").is_none_or(|number| asset.mentions(number))
            && (started.0..=started.1).contains(&asset.start)
            && (changed.0..=changed.1).contains(&asset.chg_date)
    });
    let open = open_orders(state);
    let rows = rows.map(|asset| row(asset, &open)).filter(|asset| query.takes("st", asset.st.code()));
    Ok(Reply::row(&page(query, rows)?))
}
