//! What is looked at when all is over: the store, the legacy system's journal, what Buyers know and what they were told.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use segue::{
    ids::PartnerId,
    store::{self, Kind, ListFilter, PostgresSettings, Step, Store},
    telemetry::Secret,
};
use tokio::time::Instant;

use super::{
    Run, desk::Desk, desk::Done, ear::Ear, ear::Heard, fleet::Fleet, load::Buyers, load::Known, within,
};

/// How long a task is lent beyond the time that it may take, in milliseconds.
const LEASE_MARGIN_MS: u64 = 10_000;

/// Within which time the work of killed instances is taken over, in milliseconds: the longest lease, and the longest
/// that an instance looks away.
pub const TAKEN_OVER_MS_MAX: u64 = super::DEADLINE_MS + LEASE_MARGIN_MS + 1_000;

/// What follows the take-over until nothing is left to do, in milliseconds: two polls, events and their pauses on a busy
/// machine.
const THEN_MS_MAX: u64 = 15_000;

/// How long it may take until all is told that is owed after the load.
const QUIET_MAX: Duration = Duration::from_secs(90);

/// What a run was like.
#[derive(Debug, Default, Clone)]
pub struct Tally {
    pub kills: usize,
    /// Entities that were acknowledged.
    pub acknowledged: usize,
    /// Requests that the legacy system got.
    pub requests: u64,
    /// Creates of which nobody can say what came of them, and which are shown as needing attention.
    pub unsure: usize,
    /// Exchanges that need attention, cancellations apart.
    pub attention: usize,
    /// Cancellations of which nobody can say what came of them: they make nothing that could be looked up.
    pub cancels_unsure: usize,
    /// Events that came, and how often one came again.
    pub events: (usize, u64),
    /// Tasks that dead instances had when the last of them died.
    pub left: usize,
    /// How long it took, from the death of the last, until all of them were done and told; the start of the one that did
    /// them is in it.
    pub taken_over: Duration,
}

/// All that there is to be looked at.
pub struct Found<'f> {
    pub run: &'f Run,
    pub desk: &'f Desk,
    pub ear: &'f Ear,
    pub buyers: &'f Buyers,
    pub fleet: &'f Fleet,
}

impl Found<'_> {
    pub async fn check(&self, folder: &Path) -> (Tally, Vec<String>) {
        let mut tally = Tally::default();
        let mut faults = Vec::new();
        self.settles(QUIET_MAX, &mut faults).await;
        let store_of = async || match &self.run.postgres {
            None => Store::open(&folder.join("data/segue.db"), store::Limits::default(), None).unwrap(),
            Some(url) => Store::postgres(&settings(url), None).await.unwrap(),
        };
        // All die while they are at work, and one comes back.
        self.dies_at_work().await;
        if let Some(url) = &self.run.postgres {
            tally.left = leases(url).await;
        }
        self.desk.hold(false);
        self.ear.hold(false);
        let died = Instant::now();
        assert!(self.fleet.start(0).await);
        let most = Duration::from_millis(TAKEN_OVER_MS_MAX + THEN_MS_MAX);
        self.settles(most, &mut faults).await;
        tally.taken_over = died.elapsed();
        self.fleet.kill(0);

        let store = store_of().await;
        let unsure = self.buyers.unsure();
        let (keys, attention) = attention(&store).await;
        for key in unsure.iter().filter(|key| !keys.contains(*key)) {
            faults.push(format!("nobody knows what came of {key}, and it does not need attention"));
        }
        let known = self.buyers.known();
        faults.extend(self.buyers.faults());
        faults.extend(kept(&store, &known).await);
        let done = self.desk.done();
        faults.extend(once(&done));
        tally.kills = self.fleet.kills();
        tally.acknowledged = known.len();
        tally.requests = done.requests;
        tally.cancels_unsure = unsure.iter().filter(|key| is_cancel(key)).count();
        tally.unsure = unsure.len() - tally.cancels_unsure;
        tally.attention = attention;
        tally.events = (self.ear.heard().len(), self.ear.again());
        (tally, faults)
    }

    /// Waits until all has come to its end that is to, and all was told that is owed.
    async fn settles(&self, most: Duration, faults: &mut Vec<String>) {
        let mut left = Vec::new();
        let is_quiet = within(most, async || {
            left = self.owed().await;
            left.is_empty()
        })
        .await;
        if !is_quiet {
            faults.push(format!("{} things are still owed: {:#?}", left.len(), &left[..left.len().min(5)]));
        }
    }

    /// What is to come still.
    async fn owed(&self) -> Vec<String> {
        let done = self.desk.done();
        let mut left: Vec<String> = Vec::new();
        let unreleased = done.expiring.iter().filter(|number| !done.released.contains_key(*number));
        left.extend(unreleased.map(|number| format!("what was reserved for {number} is to be given back")));
        for id in self.buyers.known().keys() {
            if self.buyers.read(id).await.is_none() {
                left.push(format!("{id} cannot be read"));
            }
        }
        left.extend(self.looked_into().await);
        let mut heard: BTreeMap<String, Vec<Heard>> = BTreeMap::new();
        for one in self.ear.heard() {
            heard.entry(one.id.clone()).or_default().push(one);
        }
        for (id, known) in &self.buyers.known() {
            let state = known.history.last().map(|(state, _)| state.as_str()).unwrap_or_default();
            let letters = known.name.trim_end_matches(|c: char| c.is_ascii_digit());
            let wanted = match letters {
                "order" => "completed",
                "expire" => "expired",
                "wait" if known.is_cancelled => "cancelled",
                "wait" => state,
                _ => "approved.orderable",
            };
            if state != wanted {
                left.push(format!("{} is {state}, not {wanted}", known.name));
            }
            let told = heard.get(id).map(Vec::as_slice).unwrap_or_default();
            left.extend(untold(known, told));
        }
        left
    }

    /// What is looked up still.
    async fn looked_into(&self) -> Option<String> {
        let to = self.fleet.any()?;
        let told = super::say(to.admin, "GET", "/attention", &[], String::new()).await.ok()?.json();
        let rows = told["attention"].as_array()?.iter().filter(|row| row["lookedInto"] == true);
        let count = rows.count();
        (count > 0).then(|| format!("{count} exchanges are looked into: {told}"))
    }

    /// Kills all while they poll and deliver.
    async fn dies_at_work(&self) {
        let polled = self.buyers.quote("poll999999", true);
        let cancelled = self.buyers.quote("wait999999", true);
        tokio::join!(polled, cancelled);
        self.desk.hold(true);
        // The poll hangs until its deadline, the delivery for half a second.
        within(Duration::from_secs(5), async || self.desk.held() >= 2).await;
        self.ear.hold(true);
        self.buyers.cancel("wait999999").await;
        within(Duration::from_secs(5), async || self.ear.held() >= 1).await;
        for instance in 0..self.run.instances {
            self.fleet.kill(instance);
        }
    }
}

/// Whether all was told of an entity that is owed, and in its order. Steps that were taken at one time are told at once.
pub fn untold(known: &Known, told: &[Heard]) -> Option<String> {
    let times: BTreeSet<&str> = known.history.iter().map(|(_, at)| at.as_str()).collect();
    let (least, most) = (times.len().saturating_sub(1), known.history.len().saturating_sub(1));
    let states = told.iter().filter(|one| {
        one.event_type == "quoteStateChangeEvent" || one.event_type == "productOrderStateChangeEvent"
    });
    let states: Vec<&Heard> = states.collect();
    if states.len() < least || states.len() > most {
        let count = states.len();
        return Some(format!(
            "{}: {count} changes told of {least} to {most}: {:?}",
            known.name, known.history
        ));
    }
    // The first of those that came too early.
    let early = told.windows(2).find(|pair| pair[1].at < pair[0].at)?;
    Some(format!("{} is told out of order: {early:?}", known.name))
}

/// Nothing may have been done twice.
pub fn once(done: &Done) -> Vec<String> {
    let mut faults = Vec::new();
    for (what, numbers) in &done.made {
        let standing = numbers.iter().filter(|number| !done.undone.contains_key(*number));
        let standing: Vec<&String> = standing.collect();
        if standing.len() > 1 {
            faults.push(format!("{what} was done more than once: {standing:?}"));
        }
    }
    for (number, times) in done.withdrawn.iter().chain(&done.undone).filter(|(_, times)| **times > 1) {
        faults.push(format!("{number} was withdrawn {times} times"));
    }
    faults
}

fn settings(url: &str) -> PostgresSettings {
    PostgresSettings {
        url: Secret::new(url.to_owned()),
        tls: None,
        connections_max: 2,
        connect_max: Duration::from_secs(10),
        statement_max: Duration::from_secs(30),
        queue_max: 4096,
    }
}

/// Tasks that somebody has.
async fn leases(url: &str) -> usize {
    let (client, driver) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    let driver = tokio::spawn(driver);
    let rows = client.query("SELECT 1 FROM tasks WHERE lease IS NOT NULL", &[]).await.unwrap();
    driver.abort();
    rows.len()
}

/// Whether a request was one to cancel something, by its key.
fn is_cancel(key: &str) -> bool {
    key.starts_with(super::load::CANCEL)
}

/// The keys of what needs attention, and how many exchanges that are, cancellations apart.
async fn attention(store: &Store) -> (BTreeSet<String>, usize) {
    let partner = PartnerId::parse("globex").unwrap();
    let open = store.unfinished(&partner, i64::MAX, 100_000).await.unwrap();
    let (mut keys, mut count) = (BTreeSet::new(), 0);
    for exchange in &open {
        let mut own = BTreeSet::new();
        for entry in store.journal(&partner, exchange).await.unwrap() {
            let note = entry.reply.filter(|_| entry.call.is_empty() && entry.step == Step::Intent);
            // The request stands behind the first line, where what it makes can be looked up.
            let note = note.as_deref().and_then(|note| note.split(|byte| *byte == b'\n').next());
            let note: serde_json::Value =
                note.and_then(|note| serde_json::from_slice(note).ok()).unwrap_or_default();
            let taken = note.get("keys").unwrap_or(&note).as_array().cloned().unwrap_or_default();
            let names = taken.iter().filter_map(|pair| pair[1].as_str()?.lines().last());
            own.extend(names.map(str::to_owned));
        }
        count += usize::from(!own.iter().any(|key| is_cancel(key)));
        keys.extend(own);
    }
    (keys, count)
}

/// What was acknowledged is in the store, with at least the history that was read.
async fn kept(store: &Store, known: &BTreeMap<String, Known>) -> Vec<String> {
    let partner = PartnerId::parse("globex").unwrap();
    let mut faults = Vec::new();
    for kind in ["quote", "productOrder"] {
        let mut found = BTreeMap::new();
        loop {
            let filter = ListFilter { offset: found.len() as u64, limit: 1000, ..ListFilter::default() };
            let page = store.list(&partner, &Kind::new(kind), filter).await.unwrap();
            let count = page.entities.len();
            found.extend(page.entities.into_iter().map(|one| (one.id.as_str().to_owned(), one)));
            if count < 1000 {
                break;
            }
        }
        for (id, one) in known.iter().filter(|(_, one)| one.kind == kind) {
            let Some(entity) = found.get(id) else {
                faults.push(format!("{} was acknowledged and is not in the store", one.name));
                continue;
            };
            let document = entity.document.as_deref().unwrap_or_default();
            let history = super::load::history(&serde_json::from_slice(document).unwrap_or_default());
            if !history.starts_with(&one.history) {
                faults.push(format!("{}: {:?} was read, {history:?} is kept", one.name, one.history));
            }
        }
    }
    faults
}
