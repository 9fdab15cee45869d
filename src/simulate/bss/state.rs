//! Everything the desk has in memory.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::civil::Date;

use super::Settings;
use super::article::Sku;
use super::asset::Asset;
use super::bill::Export;
use super::caller::Outbox;
use super::charge::Charge;
use super::check::Check;
use super::fault::Faults;
use super::field::{self, Job, Visit};
use super::gazetteer::{self, Address};
use super::journal::Journal;
use super::offer::Offer;
use super::order::Order;
use super::pack::Pack;
use super::table::Table;
use super::task::{Storno, Wish};
use super::ticket::{self, Ticket};

/// The tables, the clock and the controls.
#[derive(Debug)]
pub(super) struct State {
    pub today: Date,
    pub advance_on_read: bool,
    /// Counts the changes of orders, so that a caller can ask for what is new.
    pub mark: u64,
    pub offers: Table<Offer>,
    pub orders: Table<Order>,
    pub stornos: Table<Storno>,
    pub wishes: Table<Wish>,
    pub charges: Table<Charge>,
    pub packs: Table<Pack>,
    pub jobs: Table<Job>,
    pub visits: Table<Visit>,
    /// Folders by number, the caller's or ours.
    pub pack_numbers: HashMap<String, u64>,
    /// The installed base, by number; what is disconnected stays in it.
    pub assets: BTreeMap<String, Asset>,
    pub checks: Table<Check>,
    next_asset: u64,
    /// Addresses believed, by number, and their order, the newest last.
    believed: HashMap<String, Address>,
    believed_order: VecDeque<String>,
    believed_max: usize,
    pub tickets: Table<Ticket>,
    /// Notices of the house.
    pub notices: Vec<Ticket>,
    /// What the billing export has.
    pub export: Export,
    pub faults: Faults,
    pub journal: Journal,
    /// What is to be told by calling back.
    pub outbox: Outbox,
}

/// Installed before the desk opened.
const INSTALLED: &[(&str, Sku, &str, Option<&str>)] = &[
    ("A4711", Sku::Uni, "UNI-100", Some("ST-204")),
    ("A4712", Sku::Ovc, "OVC-100", None),
    ("A4713", Sku::Unis, "UNI-200", Some("ST-205")),
    ("A4714", Sku::Evc, "EPL-100", None),
    ("A4715", Sku::Inet, "007", Some("ST-206")),
    ("A4716", Sku::Ipuni, "IPU-100", Some("ST-206")),
];

impl State {
    pub fn new(settings: &Settings) -> Self {
        let (rows_max, today) = (settings.rows_max, settings.today);
        let installed = INSTALLED.iter().map(|&(number, sku, article, site)| {
            (number.to_owned(), Asset::before(number, sku, Some(article), site, today))
        });
        let mut state = Self {
            today,
            advance_on_read: settings.advance_on_read,
            mark: 0,
            offers: Table::new("O", 1001, rows_max),
            orders: Table::new("P", 2001, rows_max),
            stornos: Table::new("S", 3001, rows_max),
            wishes: Table::new("W", 4001, rows_max),
            charges: Table::new("C", 5001, rows_max),
            packs: Table::new("K", 501, rows_max),
            jobs: Table::new("J", 6001, rows_max),
            visits: Table::new("T", 6501, rows_max),
            pack_numbers: HashMap::new(),
            assets: installed.collect(),
            checks: Table::new("V", 601, rows_max),
            next_asset: 5001,
            believed: HashMap::new(),
            believed_order: VecDeque::new(),
            believed_max: rows_max,
            tickets: Table::new("T", 6001, rows_max),
            notices: ticket::notices(settings.today),
            export: Export::before(settings.today),
            faults: Faults::default(),
            journal: Journal::new(settings.journal_entries_max),
            outbox: Outbox::of(settings.callback.clone()),
        };
        field::open_books(&mut state);
        state
    }

    /// An address of the gazetteer, or one that was believed.
    pub fn address(&self, number: &str) -> Option<Address> {
        let known = gazetteer::rows().find(|row| row.adr_no == number);
        known.or_else(|| self.believed.get(number).cloned())
    }

    /// Remembers an address that was believed.
    pub fn remember(&mut self, address: Address) {
        let number = address.adr_no.clone();
        if self.believed.insert(number.clone(), address).is_none() {
            self.believed_order.push_back(number);
        }
        if self.believed_order.len() > self.believed_max
            && let Some(oldest) = self.believed_order.pop_front()
        {
            self.believed.remove(&oldest);
        }
    }

    /// The number of the next installed thing.
    pub fn next_asset(&mut self) -> String {
        let number = format!("A{}", self.next_asset);
        self.next_asset += 1;
        number
    }

    /// The next mark of change.
    pub fn next_mark(&mut self) -> u64 {
        self.mark += 1;
        self.mark
    }

    /// The folder of that number.
    pub fn pack(&self, number: &str) -> Option<&Pack> {
        self.packs.get(*self.pack_numbers.get(number)?)
    }

    /// As [`pack`](Self::pack), to change.
    pub fn pack_mut(&mut self, number: &str) -> Option<&mut Pack> {
        self.packs.get_mut(*self.pack_numbers.get(number)?)
    }

    /// The order of that number, to change; the change gets its mark.
    pub fn order_mut(&mut self, number: u64) -> Option<&mut Order> {
        let mark = self.next_mark();
        let order = self.orders.get_mut(number)?;
        order.changed = mark;
        self.outbox.note(&order.no);
        Some(order)
    }
}
