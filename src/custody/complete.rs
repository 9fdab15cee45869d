//! An entity's document: the merge, and what only the Seller's side knows.

use std::{borrow::Cow, fmt};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    Finding, FindingCode, Machines,
    merge::{Merger, Sources},
    state::{Way, aggregate, decide},
};
use crate::{
    json::{Builder, Document, Node, Slot},
    sonata::entity::{EntityFacts, EntityKind},
};

/// The Seller's contact of a partner's settings (`settings.desk`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SellerContact {
    /// Name of the desk or person.
    pub name: String,
    /// Mail address.
    pub email_address: String,
    /// Telephone number.
    pub number: String,
    /// Organization, where one is given.
    pub organization: Option<String>,
}

/// What an entity's document is made of.
#[derive(Debug, Clone, Copy)]
pub struct Completing<'a> {
    /// What it is.
    pub kind: EntityKind,
    /// The Buyer's create message, with later changes of the Buyer in it.
    pub request: Option<&'a Document>,
    /// The mapped answer of the legacy system.
    pub mapped: Option<&'a Document>,
    /// Whether the answer speaks of some of the items only: what it does not have is not missing.
    pub is_part: bool,
    /// The document as it was.
    pub kept: Option<&'a Document>,
    /// Its Sonata id.
    pub id: &'a str,
    /// Its URL, from [`href`]; none is written where none is given.
    pub href: Option<&'a str>,
    /// The time of the exchange, as RFC 3339.
    pub now: &'a str,
    /// The Seller's contact, where the partner's settings have one.
    pub seller: Option<&'a SellerContact>,
    /// Paths of attributes whose mapped value wins over the Buyer's (`echo: false`): names joined by dots, without
    /// indices, such as `quoteItem.requestedQuoteItemTerm`.
    pub echo_off: &'a [Box<str>],
}

/// An entity's document, and what was learnt on the way.
#[derive(Debug, Clone)]
pub struct Completed {
    /// The whole entity.
    pub document: Document,
    /// Its state, where the kind has one.
    pub state: Option<String>,
    /// The Buyer's own id for it.
    pub external_id: Option<String>,
    /// Whether it differs from what was kept; true for a new one.
    pub changed: bool,
    /// What the legacy answer did that the standard does not allow.
    pub findings: Vec<Finding>,
}

/// Attributes that say when a state was reached, written when it is and nobody gave another time.
const REACHED: [(EntityKind, Level, &str, &[&str]); 7] = [
    (
        EntityKind::ProductOfferingQualification,
        Level::Own,
        "effectiveQualificationDate",
        &["done.ready", "done.unableToProvide", "terminatedWithError"],
    ),
    (EntityKind::TroubleTicket, Level::Own, "resolutionDate", &["resolved", "closed"]),
    (EntityKind::Incident, Level::Own, "closedDate", &["closed"]),
    (
        EntityKind::Quote,
        Level::Own,
        "effectiveQuoteCompletionDate",
        &["approved.orderable", "approved.orderableAlternate", "answered", "unableToProvide"],
    ),
    (EntityKind::ProductOrder, Level::Own, "completionDate", &["completed"]),
    (EntityKind::ProductOrder, Level::Own, "cancellationDate", &["cancelled"]),
    (EntityKind::ProductOrder, Level::Item, "completionDate", &["completed"]),
];

/// Attributes that a state forbids (MEF 87 R30; MEF 123 R47).
const FORBIDDEN: [(EntityKind, Level, &str, &[&str]); 5] = [
    (EntityKind::ProductOfferingQualification, Level::Item, "serviceabilityConfidence", NOT_QUALIFIED),
    (EntityKind::ProductOfferingQualification, Level::Item, "installationInterval", NOT_QUALIFIED),
    (EntityKind::ProductOfferingQualification, Level::Item, "guaranteedUntilDate", NOT_QUALIFIED),
    (
        EntityKind::ProductOfferingQualification,
        Level::Item,
        "alternateProductOfferingProposal",
        NOT_QUALIFIED,
    ),
    (EntityKind::ProductOrder, Level::Item, "expectedCompletionDate", &["cancelled", "failed"]),
];

/// States of an item of which nothing was found out.
const NOT_QUALIFIED: &[&str] = &["terminatedWithError", "done.abandoned"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Own,
    Item,
}

/// What a path segment may hold besides letters and digits (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The URL of an entity: the public URL of the gateway, the partner's prefix and the API's base path
/// (`/mefApi/sonata/quoteManagement/v8`), the resource and the id.
#[must_use]
pub fn href(public_url: &str, [prefix, base_path]: [&str; 2], kind: EntityKind, id: &str) -> String {
    let before = [public_url.trim_end_matches('/'), prefix, base_path, "/", kind.facts().resource, "/"];
    // Our own ids need no encoding.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let id = if id.bytes().all(is_plain) { id.into() } else { Cow::from(utf8_percent_encode(id, SEGMENT)) };
    let mut url = String::with_capacity(before.iter().map(|part| part.len()).sum::<usize>() + id.len());
    for part in before {
        url.push_str(part);
    }
    url.push_str(&id);
    url
}

/// The answer to a request that keeps no entity: the request's attributes unchanged, the mapped ones beside them.
#[must_use]
pub fn echo(request: &Document, mapped: Option<&Document>, echo_off: &[Box<str>]) -> Document {
    let mut merger = Merger::new(echo_off);
    let from = Sources { request: Some(request.root()), mapped: mapped.map(Document::root), kept: None };
    let root = merger.builder.object();
    merger.members(root, from, &[]);
    merger.builder.finish(root)
}

/// Makes or renews an entity's document. Pure: the same input gives the same text.
#[must_use]
pub fn complete(input: &Completing<'_>) -> Completed {
    let facts = input.kind.facts();
    let from = Sources {
        request: input.request.map(Document::root),
        mapped: input.mapped.map(Document::root),
        kept: input.kept.map(Document::root),
    };
    let machines = Machines::of(input.kind, from.request.or(from.kept));
    let mut work = Work { input, facts, machines, merger: Merger::new(input.echo_off), findings: Vec::new() };
    let root = work.merger.builder.object();
    work.identify(root);
    let own = [facts.state, facts.history, facts.created, facts.items, Some("href"), Some("id")];
    work.merger.members(root, from, &own.map(|name| name.unwrap_or("id")));
    let item_states = facts.items.map(|items| work.items(root, from, items)).unwrap_or_default();
    work.date(root, from);
    let state = work.own_state(root, from, &item_states);
    work.contact(root);
    let external_id = work.merger.builder.get(root, "externalId");
    let external_id = external_id.and_then(|slot| work.merger.builder.text(slot).map(Cow::into_owned));
    let document = work.merger.builder.finish(root);
    let changed = input.kept.is_none_or(|kept| !kept.root().eq_value(document.root()));
    Completed { document, state, external_id, changed, findings: work.findings }
}

/// Moves an entity that was kept into a state, by the Buyer's wish ([`super::may_move`] was asked) or by a timer.
#[must_use]
pub fn move_to(kind: EntityKind, kept: &Document, state: &str, now: &str) -> Completed {
    let mut builder = Builder::new();
    let object = builder.object();
    let value = builder.string(state);
    builder.set(object, kind.facts().state.unwrap_or("state"), value);
    let mapped = builder.finish(object);
    let text = |name: &str| kept.root().get(name).and_then(Node::as_str);
    let (id, href) = (text("id").unwrap_or_default(), text("href"));
    complete(&Completing {
        kind,
        request: None,
        mapped: Some(&mapped),
        is_part: false,
        kept: Some(kept),
        id: &id,
        href: href.as_deref(),
        now,
        seller: None,
        echo_off: &[],
    })
}

struct Work<'s, 'i> {
    input: &'i Completing<'s>,
    facts: &'static EntityFacts,
    machines: Machines,
    merger: Merger<'s, 'i>,
    findings: Vec<Finding>,
}

impl<'s> Work<'s, '_> {
    fn identify(&mut self, root: Slot) {
        let id = self.merger.builder.string(self.input.id);
        self.merger.builder.set(root, "id", id);
        if let Some(href) = self.input.href {
            let href = self.merger.builder.string(href);
            self.merger.builder.set(root, "href", href);
        }
    }

    /// When it was made: once, by us; of what the Seller made, such as a charge, when the legacy system says.
    fn date(&mut self, root: Slot, from: Sources<'s>) {
        let Some(created) = self.facts.created else { return };
        let told = from.mapped.filter(|_| from.request.is_none());
        let told = || told.and_then(|mapped| mapped.get(created));
        let date = match from.kept.and_then(|kept| kept.get(created)).or_else(told) {
            Some(date) => self.merger.builder.copy(date),
            None => self.merger.builder.string(self.input.now),
        };
        self.merger.builder.set(root, created, date);
    }

    /// One item for each that the Buyer asked for; without a Buyer's message, for each that is known.
    fn items(&mut self, root: Slot, from: Sources<'s>, name: &'static str) -> ItemStates {
        let lists = from.member(name);
        let mut states = ItemStates::default();
        let array = self.merger.builder.array();
        let Some(leading) = lists.request.or(lists.kept).or(lists.mapped) else { return states };
        let mut ids = Vec::new();
        let added = lists.mapped.filter(|_| lists.request.is_none());
        for element in leading.elements().chain(added.into_iter().flat_map(Node::elements)) {
            let Some(id) = element.get("id").and_then(Node::as_str) else { continue };
            if ids.contains(&id) {
                continue;
            }
            let item = lists.element(&id);
            if lists.mapped.is_some() && item.mapped.is_none() && !self.input.is_part {
                let message = format!("{name} {id} is missing from the answer");
                self.findings.push(Finding::new(FindingCode::MissingItem, message));
            }
            let slot = self.merger.builder.object();
            let own: &[&str] =
                match (self.facts.item_history, self.facts.state.filter(|_| self.machines.item.is_some())) {
                    (Some(history), Some(state)) => &[history, state],
                    (Some(one), None) | (None, Some(one)) => &[one],
                    (None, None) => &[],
                };
            self.merger.inside(name, |merger| merger.members(slot, item, own));
            states.add(self.item_state(slot, item, from.mapped, &format_args!("{name} {id}")));
            self.merger.builder.push(array, slot);
            ids.push(id);
        }
        self.unknown_items(lists.mapped, &ids, name);
        self.merger.builder.set(root, name, array);
        states
    }

    fn unknown_items(&mut self, mapped: Option<Node<'s>>, ids: &[Cow<'s, str>], name: &str) {
        let elements = mapped.into_iter().flat_map(Node::elements);
        let unknown = elements
            .filter(|element| element.get("id").and_then(Node::as_str).is_none_or(|own| !ids.contains(&own)))
            .count();
        if unknown > 0 {
            let message = format!("{name}: {unknown} in the answer that nobody asked for");
            self.findings.push(Finding::new(FindingCode::UnknownItem, message));
        }
    }

    /// The item's state and whether the answer said it. An answer that speaks only of the whole speaks of each
    /// item too, as far as items have that state.
    fn item_state(
        &mut self,
        slot: Slot,
        item: Sources<'s>,
        parent: Option<Node<'s>>,
        what: &dyn fmt::Display,
    ) -> Option<(String, bool)> {
        let (Some(machine), Some(attribute)) = (self.machines.item, self.facts.state) else { return None };
        let text = |node: Option<Node<'s>>| node.and_then(|node| node.get(attribute)).and_then(Node::as_str);
        let own = text(item.mapped);
        let inherited = text(parent).filter(|state| own.is_none() && machine.has(state));
        let before = text(item.kept);
        let mut way = decide(machine, before.as_deref(), own.as_deref().or(inherited.as_deref()), what);
        if own.is_none() {
            // The whole may move where an item cannot; only what the item itself says is held against it.
            way.finding = None;
        }
        let state = self.settle(slot, item.kept, attribute, self.facts.item_history, way, Level::Item)?;
        Some((state, own.is_some()))
    }

    fn own_state(&mut self, root: Slot, from: Sources<'s>, items: &ItemStates) -> Option<String> {
        let attribute = self.facts.state?;
        let text = |node: Option<Node<'s>>| node.and_then(|node| node.get(attribute)).and_then(Node::as_str);
        let (before, mapped) = (text(from.kept), text(from.mapped));
        let derived = aggregate(self.input.kind, &items.states).filter(|_| items.said && mapped.is_none());
        let way = match self.machines.own {
            Some(machine) => {
                decide(machine, before.as_deref(), mapped.as_deref().or(derived), &self.input.kind.name())
            }
            None => Way { states: mapped.into_iter().map(Cow::into_owned).collect(), finding: None },
        };
        self.settle(root, from.kept, attribute, self.facts.history, way, Level::Own)
    }

    /// Writes state, history and dates; the state that it is in now.
    fn settle(
        &mut self,
        slot: Slot,
        kept: Option<Node<'s>>,
        attribute: &'static str,
        history: Option<&'static str>,
        way: Way,
        level: Level,
    ) -> Option<String> {
        self.findings.extend(way.finding);
        let before = kept.and_then(|kept| kept.get(attribute)).and_then(Node::as_str);
        let state = way.states.last().cloned().or(before.map(Cow::into_owned))?;
        let value = self.merger.builder.string(state.clone());
        self.merger.builder.set(slot, attribute, value);
        let entered = !way.states.is_empty();
        if let Some(history) = history {
            self.history(slot, kept.and_then(|kept| kept.get(history)), attribute, history, way.states);
        }
        self.dates(slot, level, &state, entered);
        Some(state)
    }

    /// Appends what was gone through; nothing that was written before changes (MEF 115 R36, MEF 123 R19, R23).
    fn history(
        &mut self,
        slot: Slot,
        kept: Option<Node<'s>>,
        attribute: &'static str,
        name: &'static str,
        states: Vec<String>,
    ) {
        let builder = &mut self.merger.builder;
        let array = match kept.filter(|kept| kept.is_array()) {
            Some(kept) => builder.copy(kept),
            None => builder.array(),
        };
        for state in states {
            let step = builder.object();
            let date = builder.string(self.input.now);
            let state = builder.string(state);
            builder.set(step, "changeDate", date);
            builder.set(step, attribute, state);
            builder.push(array, step);
        }
        builder.set(slot, name, array);
    }

    fn dates(&mut self, slot: Slot, level: Level, state: &str, entered: bool) {
        let builder = &mut self.merger.builder;
        let applies = |row: &&(EntityKind, Level, &'static str, &[&str])| {
            row.0 == self.input.kind && row.1 == level && row.3.contains(&state)
        };
        for (_, _, attribute, _) in REACHED.iter().filter(applies) {
            if entered && !builder.has(slot, attribute) {
                let now = builder.string(self.input.now);
                builder.set(slot, *attribute, now);
            }
        }
        for (_, _, attribute, _) in FORBIDDEN.iter().filter(applies) {
            builder.remove(slot, attribute);
        }
    }

    /// Adds the Seller's contact unless the answer has one in its role (MEF 115 R30, MEF 123 R17, R76).
    fn contact(&mut self, root: Slot) {
        const CONTACTS: &str = "relatedContactInformation";
        let Some(role) = self.facts.seller_role else { return };
        let builder = &mut self.merger.builder;
        let contacts = builder.get(root, CONTACTS).unwrap_or_else(|| {
            let contacts = builder.array();
            builder.set(root, CONTACTS, contacts);
            contacts
        });
        for contact in builder.elements(contacts).to_vec() {
            let own = builder.source(contact).and_then(|node| node.get("role"));
            if own.is_some_and(|own| own.is_text(role)) {
                return;
            }
        }
        let Some(seller) = self.input.seller else {
            // Owed once, when the entity is made; later answers do not repeat the finding.
            if self.input.kept.is_none() {
                let message = format!(
                    "no contact in the role {role}: neither the mapping nor `desk` in the partner's settings gives one"
                );
                self.findings.push(Finding::new(FindingCode::NoSellerContact, message));
            }
            if builder.is_empty(contacts) {
                builder.remove(root, CONTACTS);
            }
            return;
        };
        let contact = builder.object();
        let rows = [
            ("role", Some(role)),
            ("name", Some(seller.name.as_str())),
            ("emailAddress", Some(seller.email_address.as_str())),
            ("number", Some(seller.number.as_str())),
            ("organization", seller.organization.as_deref()),
        ];
        for (name, text) in rows {
            let Some(text) = text else { continue };
            let value = builder.string(text);
            builder.set(contact, name, value);
        }
        builder.push(contacts, contact);
    }
}

/// The states of all items, and whether the answer itself gave one of them.
#[derive(Debug, Default)]
struct ItemStates {
    states: Vec<String>,
    said: bool,
}

impl ItemStates {
    fn add(&mut self, state: Option<(String, bool)>) {
        if let Some((state, said)) = state {
            self.states.push(state);
            self.said |= said;
        }
    }
}
