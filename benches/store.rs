//! What keeping costs: creates as an exchange makes them, durable acknowledgements a second beside those of a bare loop of
//! writes and fdatasync, and with `-- --entities N` lists and memory while a store grows to N entities.
//!
//! `cargo bench --bench store` runs both on a RAM disk, where an fsync costs nothing, and on the disk of the temporary
//! folder. CPU time, system calls and bytes are those that the operating system counted for the store's threads;
//! CPU of the other threads is that beyond the work they are made to do between two commits.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss
)]

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use segue::{
    ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId},
    store::{Batch, Change, Entity, JournalEntry, KeyPair, Kind, Limits, Step, Store},
    telemetry::Metrics,
};
use uuid::Uuid;

#[path = "store/grow.rs"]
mod grow;

const CREATES: usize = 40_000;
const WARM: usize = 5_000;
/// Exchanges under way at once, as in `hop`.
const AT_ONCE: usize = 8;
/// What an exchange computes before each of its two commits.
const WORK: Duration = Duration::from_micros(20);
/// Rows of the second figure, and callers that wait for them at one time.
const ROWS: usize = 100_000;
const WAITING: [usize; 3] = [16, 64, 256];
/// Bytes of a row's document.
const ROW_BYTES: usize = 200;
/// Bytes of one in the log, about: what the bare loop writes for it.
const WRITTEN_BYTES: usize = 320;
/// How often store and bare loop take turns: a disk that others use is another one from second to second.
const TURNS: usize = 9;

fn main() {
    // `cargo test --benches` must not run a load.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    if let Some(count) = after("--entities") {
        return grow::run(count.parse().unwrap());
    }
    let disk = tempfile::tempdir().unwrap();
    for (name, folder) in [("RAM disk", tempfile::tempdir_in("/dev/shm").ok()), ("disk", Some(disk))] {
        let Some(folder) = folder else { continue };
        let creates = if name == "disk" { CREATES / 4 } else { CREATES };
        let only: Option<usize> = after("--waiting").map(|text| text.parse().unwrap());
        if only.is_none() {
            exchanges(name, folder.path(), creates);
        }
        for waiting in WAITING.into_iter().filter(|waiting| only.is_none_or(|only| only == *waiting)) {
            rows(name, folder.path(), waiting, if name == "disk" { ROWS / 4 } else { ROWS });
        }
    }
}

/// The word after another on the command line.
fn after(name: &str) -> Option<String> {
    let mut words = std::env::args();
    words.find(|word| word == name)?;
    words.next()
}

/// What the operating system counted for the store's threads and for all others.
#[derive(Clone, Copy, Default)]
struct Counted {
    store_us: f64,
    others_us: f64,
    switches: f64,
    writes: f64,
    written: f64,
    calls: f64,
}

impl Counted {
    fn now() -> Self {
        let mut counted = Self::default();
        for thread in fs::read_dir("/proc/self/task").unwrap() {
            let folder = thread.unwrap().path();
            let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
            let spent_us =
                text("schedstat").split(' ').next().unwrap().parse::<f64>().unwrap_or_default() / 1e3;
            if text("comm").trim().starts_with("store") {
                counted.store_us += spent_us;
                counted.switches += field(&text("status"), "voluntary_ctxt_switches:");
                let io = text("io");
                counted.writes += field(&io, "syscw:");
                counted.written += field(&io, "wchar:");
                counted.calls += field(&io, "syscr:");
            } else {
                counted.others_us += spent_us;
            }
        }
        counted
    }
}

fn field(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim().parse().ok()).unwrap_or_default()
}

fn exchanges(place: &str, folder: &Path, creates: usize) {
    let store = Store::open(&folder.join("exchanges.db"), Limits::default(), None).unwrap();
    // One worker, as in `hop`.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(at_once(AT_ONCE, WARM, &store, create));
    let (before, started) = (Counted::now(), Instant::now());
    runtime.block_on(at_once(AT_ONCE, creates, &store, create));
    runtime.block_on(store.flush());
    let (after, spent) = (Counted::now(), started.elapsed());
    let of = |field: fn(&Counted) -> f64| (field(&after) - field(&before)) / creates as f64;
    println!(
        "{place}: {AT_ONCE} at once: store {:.1} us CPU a create, others {:.1} us beyond their work, {:.2} waits, \
         {:.1} writes, {:.1} reads, {:.1} KB written, {:.0} creates/s",
        of(|c| c.store_us),
        of(|c| c.others_us) - 2.0 * WORK.as_secs_f64() * 1e6,
        of(|c| c.switches),
        of(|c| c.writes),
        of(|c| c.calls),
        of(|c| c.written) / 1024.0,
        creates as f64 / spent.as_secs_f64(),
    );
}

/// Durable rows a second, and beside them in turns what a bare loop does that writes as many rows as callers wait, and
/// waits for the disk.
fn rows(place: &str, folder: &Path, waiting: usize, rows: usize) {
    let metrics = Arc::new(Metrics::new().unwrap());
    let path = folder.join(format!("rows{waiting}.db"));
    let store = Store::open(&path, Limits::default(), Some(Arc::clone(&metrics))).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (mut ours, mut bare, mut shares) = (Vec::new(), Vec::new(), Vec::new());
    let mut store_us = 0.0;
    let each = rows / TURNS;
    for _ in 0..TURNS {
        let bare_before = synced(folder, waiting, each / 4);
        let (before, started) = (Counted::now(), Instant::now());
        runtime.block_on(at_once(waiting, each, &store, row));
        let rows_a_second = (each / waiting * waiting) as f64 / started.elapsed().as_secs_f64();
        store_us += Counted::now().store_us - before.store_us;
        let bare_now = f64::midpoint(bare_before, synced(folder, waiting, each / 4));
        shares.push(rows_a_second / bare_now);
        ours.push(rows_a_second);
        bare.push(bare_now);
    }
    let median = |figures: &mut Vec<f64>| {
        figures.sort_by(f64::total_cmp);
        figures[figures.len() / 2]
    };
    let (ours, bare, share) = (median(&mut ours), median(&mut bare), median(&mut shares));
    let (least, most) = (shares[0], shares[TURNS - 1]);
    println!(
        "{place}: {waiting} waiting: {ours:.0} durable rows/s, {:.0} a commit, store {:.1} us CPU a row; a bare loop \
         {bare:.0}, of which that is {share:.2} ({least:.2} to {most:.2})",
        counter(&metrics, "segue_store_jobs_total") / counter(&metrics, "segue_store_commits_total"),
        store_us / rows as f64,
    );
}

/// The first counter whose name begins so.
fn counter(metrics: &Metrics, name: &str) -> f64 {
    let text = metrics.render();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Rows a second of writes of so many rows at once, each followed by an fdatasync.
fn synced(folder: &Path, at_once: usize, rows: usize) -> f64 {
    let mut file = fs::File::create(folder.join("bare")).unwrap();
    let buffer = vec![b'r'; at_once * WRITTEN_BYTES];
    let writes = (rows / at_once).max(20);
    let started = Instant::now();
    for _ in 0..writes {
        file.write_all(&buffer).unwrap();
        file.sync_data().unwrap();
    }
    (writes * at_once) as f64 / started.elapsed().as_secs_f64()
}

async fn at_once<F>(tasks: usize, times: usize, store: &Store, work: fn(Store) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..tasks {
        let store = store.clone();
        set.spawn(async move {
            for _ in 0..times / tasks {
                work(store.clone()).await;
            }
        });
    }
    set.join_all().await;
}

fn partner() -> PartnerId {
    PartnerId::parse("globex").unwrap()
}

/// Intent, the legacy system's work, what was made: as `exchange` does it for the reference request.
async fn create(store: Store) {
    let (id, exchange) =
        (Uuid::now_v7().to_string(), ExchangeId::parse(&Uuid::now_v7().to_string()).unwrap());
    let entry = |step, call: &str| JournalEntry {
        exchange: exchange.clone(),
        operation: "quote.createQuote".to_owned(),
        call: call.to_owned(),
        step,
        backend: Some(BackendId::parse("acme").unwrap()),
        request_crc: (step == Step::Intent).then_some(7),
        status: None,
        reply: None,
        at_ms: 1_795_000_000_000,
    };
    spin();
    let intent = Change::Journal(Box::new(entry(Step::Intent, "offer")));
    store.commit(Batch::new(partner()).with(intent)).await.unwrap();
    tokio::task::yield_now().await;
    spin();
    let sonata = SonataId::parse(&id).unwrap();
    let mut entity = Entity::new(Kind::new("quote"), sonata.clone(), 1_795_000_000_000);
    entity.backend = Some(BackendId::parse("acme").unwrap());
    entity.legacy_id = Some(LegacyId::parse(&format!("ANG-{id}")).unwrap());
    entity.state = Some("inProgress".to_owned());
    entity.external_id = Some(format!("B-{id}"));
    entity.request = Some(Bytes::from(vec![b'r'; 6_900]));
    entity.document = Some(Bytes::from(vec![b'd'; 7_900]));
    let pairs =
        vec![KeyPair { group: "quoteItem".to_owned(), sonata: "1".to_owned(), legacy: "10".to_owned() }];
    let batch = Batch::new(partner())
        .with(Change::Create(Box::new(entity)))
        .with(Change::Remember { kind: Kind::new("quote"), id: sonata, pairs })
        .with(Change::Journal(Box::new(entry(Step::Done, ""))));
    store.commit(batch).await.unwrap();
}

async fn row(store: Store) {
    let id = Uuid::now_v7().to_string();
    let mut entity = Entity::new(Kind::new("quote"), SonataId::parse(&id).unwrap(), 1_795_000_000_000);
    entity.document = Some(Bytes::from_static(&[b'd'; ROW_BYTES]));
    store.commit(Batch::new(partner()).with(Change::Create(Box::new(entity)))).await.unwrap();
}

fn spin() {
    let started = Instant::now();
    while started.elapsed() < WORK {
        std::hint::spin_loop();
    }
}
