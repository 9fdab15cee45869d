//! Which request is whose.

use std::borrow::Cow;

use bytes::Bytes;
use percent_encoding::percent_decode_str;

use super::article::Sku;
use super::page::Query;
use super::reply::{Complaint, Refusal, Reply};
use super::state::State;
use super::{
    address, asset, avail, bill, charge, check, control, field, info, offer, order, pack, pricelist, site,
    task, ticket,
};

/// A request as the desk sees it.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub method: &'a str,
    /// Without the query.
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub body: &'a Bytes,
}

/// Does what is asked.
pub(super) fn answer(state: &mut State, request: &Request<'_>) -> Reply {
    let segments: Vec<Cow<'_, str>> = request
        .path
        .split('/')
        .skip(1)
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy())
        .collect();
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    let query = Query::new(request.query);
    if let ["sim", rest @ ..] = segments.as_slice() {
        return control::answer(state, request.method, rest, &query, request.body);
    }
    if let ("POST", ["soap", "tickets"]) = (request.method, segments.as_slice()) {
        return ticket::answer(state, request.body);
    }
    desk(state, request, &segments, &query).unwrap_or_else(|| Err(nowhere())).unwrap_or_else(Reply::from)
}

/// What the desk says to whom a path means; none where nobody does this.
fn desk(state: &mut State, request: &Request<'_>, segments: &[&str], query: &Query) -> Found {
    match segments {
        ["addr" | "purchase", ..] | ["v2", "offers" | "sites" | "assets" | "checks", ..] => {
            offers_and_addresses(state, request, segments, query)
        }
        ["v2", ..] => price_list(state, request, segments, query),
        ["fs", ..] => field_service(state, request, segments, query),
        ["orders" | "packs", ..] => orders_and_packs(state, request, segments, query),
        _ => tasks_and_charges(state, request, segments, query),
    }
}

fn nowhere() -> Refusal {
    Refusal::Unknown(Complaint { code: "E00", pos: String::new(), t: "no such desk" })
}

type Found = Option<Result<Reply, Refusal>>;

fn offers_and_addresses(state: &mut State, request: &Request<'_>, segments: &[&str], query: &Query) -> Found {
    Some(match (request.method, segments) {
        ("POST", ["addr", "check"]) => address::check(state, request.body),
        ("GET", ["addr", no]) => address::get(state, no),
        ("GET", ["v2", "sites"]) => site::list(query),
        ("GET", ["v2", "sites", no]) => site::get(no),
        ("GET", ["v2", "assets"]) => asset::list(state, query),
        ("GET", ["v2", "assets", no]) => asset::get(state, no),
        ("POST", ["v2", "checks"]) => check::create(state, request.body),
        ("GET", ["v2", "checks"]) => check::list(state, query),
        ("GET", ["v2", "checks", no]) => check::get(state, no),
        // Purchasing hears what became of what it asked other carriers for; the journal has it.
        ("PUT", ["purchase", "offers" | "packs", _]) => Ok(Reply { status: 204, ..Reply::nothing() }),
        ("POST", ["v2", "offers"]) => offer::create(state, request.body),
        ("GET", ["v2", "offers"]) => offer::list(state, query),
        ("GET", ["v2", "offers", no]) => offer::get(state, no),
        ("DELETE", ["v2", "offers", no]) => offer::withdraw(state, no),
        ("POST", ["v2", "offers", no, "decline"]) => offer::decline(state, no, request.body),
        _ => return None,
    })
}

fn price_list(state: &State, request: &Request<'_>, segments: &[&str], query: &Query) -> Found {
    Some(match (request.method, segments) {
        ("GET", ["v2", "groups"]) => pricelist::list_groups(query),
        ("GET", ["v2", "groups", no]) => pricelist::group(no),
        ("GET", ["v2", "articles"]) => pricelist::list_articles(query),
        ("GET", ["v2", "articles", no]) => pricelist::article_row(no),
        ("GET", ["v2", "makes"]) => pricelist::list_makes(query),
        ("GET", ["v2", "makes", sku]) => pricelist::make_row(sku),
        ("POST", ["v2", "avail"]) => avail::avail(state, request.body),
        ("POST", ["v2", "prices"]) => avail::prices(state, request.body),
        _ => return None,
    })
}

fn field_service(state: &mut State, request: &Request<'_>, segments: &[&str], query: &Query) -> Found {
    Some(match (request.method, segments) {
        ("GET", ["fs", "jobs"]) => field::jobs(state, query),
        ("GET", ["fs", "jobs", no]) => field::job(state, no),
        ("POST", ["fs", "slots"]) => field::slots(state, request.body),
        ("POST", ["fs", "visits"]) => field::agree(state, request.body),
        ("GET", ["fs", "visits"]) => field::visits(state, query),
        ("GET", ["fs", "visits", no]) => field::visit(state, no),
        ("PUT", ["fs", "visits", no]) => field::move_visit(state, no, request.body),
        ("DELETE", ["fs", "visits", no]) => field::call_off(state, no),
        _ => return None,
    })
}

fn orders_and_packs(state: &mut State, request: &Request<'_>, segments: &[&str], query: &Query) -> Found {
    Some(match (request.method, segments) {
        ("GET", ["orders"]) => order::list(state, query),
        ("GET", ["orders", "changes"]) => order::changes(state, query),
        ("GET", ["orders", no]) => order::get(state, no),
        ("POST", ["orders", "end"]) => order::create(state, None, request.body),
        ("POST", ["orders", endpoint]) => {
            order::create(state, Some(Sku::from_endpoint(endpoint)?), request.body)
        }
        ("PUT", ["orders", no, "info"]) => info::order(state, no, request.body),
        ("POST", ["orders", no, "storno"]) => task::cancel_order(state, no, request.body),
        ("POST", ["orders", no, "wish"]) => task::wish(state, no, request.body),
        ("POST", ["packs"]) => pack::create(state, request.body),
        ("GET", ["packs"]) => pack::list(state, query),
        ("GET", ["packs", no]) => pack::get(state, no),
        ("DELETE", ["packs", no]) => pack::discard(state, no),
        ("PUT", ["packs", no, "info"]) => info::pack(state, no, request.body),
        ("POST", ["packs", no, "storno"]) => task::cancel_pack(state, no, request.body),
        _ => return None,
    })
}

fn tasks_and_charges(state: &mut State, request: &Request<'_>, segments: &[&str], query: &Query) -> Found {
    Some(match (request.method, segments) {
        ("POST", ["stornos"]) => task::cancel_named(state, request.body),
        ("POST", ["wishes"]) => task::wish_named(state, request.body),
        ("GET", ["stornos"]) => task::stornos(state, query),
        ("GET", ["stornos", no]) => task::storno(state, no),
        ("GET", ["wishes"]) => task::wishes(state, query),
        ("GET", ["wishes", no]) => task::wish_row(state, no),
        ("GET", ["bill", "invoices"]) => bill::invoices(state, query),
        ("GET", ["bill", "invoices", no]) => bill::invoice(state, no),
        ("GET", ["bill", "positions", no]) => bill::position(state, no),
        ("GET", ["charges"]) => charge::list(state, query),
        ("GET", ["charges", no]) => charge::get(state, no),
        ("POST", ["charges", no, "answer"]) => charge::answer(state, no, request.body),
        _ => return None,
    })
}
