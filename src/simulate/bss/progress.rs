//! Work going on: one step at a time, and only when somebody says so.

use super::asset::Asset;
use super::charge::{self, About, Kind};
use super::offer::Message;
use super::order::{CHECKING, DONE, FAILED, IN_WORK, RECEIVED, WAITING};
use super::price::Act;
use super::state::State;
use super::{check, day, offer, task, ticket};

/// Moves an order one step on: received, checking, in work, waiting when a charge is open, done. False when nothing
/// was left to do, or a cancellation is under way.
pub(super) fn step_order(state: &mut State, key: u64) -> bool {
    let Some(order) = state.orders.get(key) else { return false };
    let (st, number, obstacle) = (order.st, order.no.clone(), order.obstacle);
    if order.closed() || !task::undisturbed(state, order) {
        return false;
    }
    match st {
        RECEIVED => set(state, key, CHECKING),
        CHECKING => match obstacle {
            Some(obstacle) => {
                let Some(order) = state.order_mut(key) else { return false };
                order.msg.push(Message { line_no: order.line_no, code: obstacle.code, t: obstacle.t });
                order.st = FAILED;
                order.plan_date = None;
            }
            None => start_work(state, key),
        },
        WAITING if charge::open_for(state, &number) => return false,
        IN_WORK if charge::open_for(state, &number) => set(state, key, WAITING),
        _ => complete(state, key),
    }
    true
}

fn set(state: &mut State, key: u64, st: u8) {
    if let Some(order) = state.order_mut(key) {
        order.st = st;
    }
}

/// Begins the work; an order in a hurry that was placed so gets its charge now.
fn start_work(state: &mut State, key: u64) {
    set(state, key, IN_WORK);
    let Some(order) = state.orders.get(key) else { return };
    if order.expr == "J" && order.chg_nos.is_empty() {
        let about = About {
            no: Some(order.no.clone()),
            pack_no: order.pack_no.clone(),
            line_no: Some(order.line_no),
            task: None,
        };
        charge::announce(state, about, Kind::Hurry, 25_000, 0);
        set(state, key, WAITING);
    }
}

/// Ends the work, and writes it into the installed base: what is new gets its number there.
fn complete(state: &mut State, key: u64) {
    let today = state.today;
    let Some(order) = state.orders.get(key) else { return };
    let (act, known) = (order.act, order.asset_no.clone());
    let number = match known {
        Some(number) if act != Act::New => number,
        _ => state.next_asset(),
    };
    let Some(order) = state.orders.get(key) else { return };
    match (act, state.assets.get_mut(&number)) {
        (Act::New, _) => {
            state.assets.insert(number.clone(), Asset::built(&number, order, today));
        }
        (Act::Change, Some(asset)) => asset.changed(order, today),
        (Act::Disconnect, Some(asset)) => asset.ended(today),
        (_, None) => {}
    }
    let pack_no = order.pack_no.clone();
    let Some(order) = state.order_mut(key) else { return };
    order.st = DONE;
    order.done_date = Some(today);
    order.asset_no = Some(number);
    connect(state, &pack_no);
}

/// Lines of a folder that name a port by its line name it by its number from when both stand.
fn connect(state: &mut State, pack_no: &str) {
    let Some(pack) = state.pack(pack_no) else { return };
    let built = pack.orders.iter().filter_map(|&key| state.orders.get(key)).filter(|order| order.st == DONE);
    let built: Vec<_> =
        built.filter_map(|order| Some((order.line_no, order.asset_no.clone()?, order.ports))).collect();
    for (_, number, ports) in &built {
        for (column, line_no) in ["uniAsset", "uniAssetZ"].into_iter().zip(ports) {
            let port = built.iter().find(|(own, ..)| Some(*own) == *line_no);
            if let (Some((_, port, _)), Some(asset)) = (port, state.assets.get_mut(number)) {
                asset.connect(column, port);
            }
        }
    }
}

/// The numbers of what is worked on, or would be.
pub(super) fn open(state: &State) -> Vec<String> {
    let checks = state.checks.iter().filter_map(|check| check.open());
    let offers = state.offers.iter().filter(|offer| offer.open()).map(|offer| offer.offer_no.as_str());
    let orders = state.orders.iter().filter(|order| !order.closed()).map(|order| order.no.as_str());
    let tickets = state.tickets.iter().filter_map(|ticket| ticket.open());
    checks.chain(offers).chain(orders).chain(tickets).map(str::to_owned).collect()
}

/// Moves whatever has this number one step on, or everything when there is none; false when nothing moved.
pub(super) fn step(state: &mut State, number: Option<&str>) -> bool {
    let Some(number) = number else {
        let mut moved = false;
        for key in state.checks.numbers() {
            moved |= check::step(state, key);
        }
        for key in state.offers.numbers() {
            moved |= offer::step(state, key);
        }
        for key in state.orders.numbers() {
            moved |= step_order(state, key);
        }
        for key in state.tickets.numbers() {
            moved |= ticket::step(state, key);
        }
        return moved;
    };
    if let Some(key) = state.offers.number(number) {
        return offer::step(state, key);
    }
    if let Some(key) = state.checks.number(number) {
        return check::step(state, key);
    }
    if let Some(key) = state.tickets.number(number) {
        return ticket::step(state, key);
    }
    if let Some(key) = state.orders.number(number) {
        return step_order(state, key);
    }
    let orders = state.pack(number).map(|pack| pack.orders.clone()).unwrap_or_default();
    let moved: Vec<bool> = orders.into_iter().map(|key| step_order(state, key)).collect();
    moved.contains(&true)
}

/// Lets days go by.
pub(super) fn pass(state: &mut State, days: i64) {
    state.today = day::after(state.today, days);
    charge::expire(state);
}
