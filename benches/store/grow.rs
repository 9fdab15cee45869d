//! A store that grows: lists by state and by the Buyer's own id, and what the process holds in memory.

use std::{fs, time::Instant};

use bytes::Bytes;
use segue::{
    ids::SonataId,
    store::{Batch, Change, Entity, Kind, Limits, ListFilter, Page, Store},
};
use uuid::Uuid;

use super::partner;

/// Entities in one commit, while it grows.
const AT_ONCE: usize = 500;
/// Looks at each size, of which the median is told.
const LOOKS: usize = 21;
/// One of so many is in the rare state.
const RARE: usize = 10_000;
const STATES: [&str; 4] = ["inProgress", "accepted", "expired", "cancelled"];

/// Grows to `most` entities, and tells ten times on the way what lists take and what is held.
pub fn run(most: usize) {
    let folder = tempfile::tempdir().unwrap();
    println!("{most} entities in {}", folder.path().display());
    let store = Store::open(&folder.path().join("many.db"), Limits::default(), None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let step = (most / 10).max(AT_ONCE);
        let mut made = 0;
        while made < most {
            let started = Instant::now();
            let end = (made + step).min(most);
            while made < end {
                let numbers = made..(made + AT_ONCE).min(end);
                made = numbers.end;
                let all = numbers.map(|number| Change::Create(Box::new(entity(number))));
                store.commit(Batch { partner: partner(), changes: all.collect() }).await.unwrap();
            }
            store.flush().await;
            tell(&store, made, started.elapsed().as_secs_f64(), step).await;
        }
    });
    let bytes: u64 =
        fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    println!("on disk: {:.1} GB", bytes as f64 / 1e9);
}

fn entity(number: usize) -> Entity {
    let id = SonataId::parse(&Uuid::now_v7().to_string()).unwrap();
    let mut entity = Entity::new(Kind::new("quote"), id, 1_795_000_000_000);
    let state = if number % RARE == 7 { "rejected" } else { STATES[number % STATES.len()] };
    entity.state = Some(state.to_owned());
    // In no order.
    let mixed = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    entity.external_id = Some(format!("B-{mixed:016x}"));
    entity.document = Some(Bytes::from_static(&[b'd'; super::ROW_BYTES]));
    entity
}

async fn tell(store: &Store, made: usize, seconds: f64, step: usize) {
    let name = |number: usize| format!("B-{:016x}", (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let state =
        |state: &str| ListFilter { states: vec![state.to_owned()], limit: 100, ..ListFilter::default() };
    let filters = [
        ("externalId", ListFilter { external_id: Some(name(made / 3)), limit: 100, ..ListFilter::default() }),
        ("both", ListFilter { external_id: Some(name(made / 3)), ..state(STATES[made / 3 % 4]) }),
        ("a rare state", state("rejected")),
        ("a common one", state(STATES[1])),
        ("its 1000th page", ListFilter { offset: 100_000.min(made as u64 / 8), ..state(STATES[1]) }),
    ];
    let mut told = Vec::new();
    for (what, filter) in filters {
        let mut took = Vec::new();
        for _ in 0..LOOKS {
            let started = Instant::now();
            let page: Page = store.list(&partner(), &Kind::new("quote"), filter.clone()).await.unwrap();
            took.push(started.elapsed().as_secs_f64() * 1e3);
            assert!(page.total > 0 && !page.entities.is_empty(), "{what}");
        }
        took.sort_by(f64::total_cmp);
        told.push(format!("{what} {:.2}", took[LOOKS / 2]));
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let held = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1024.0
    };
    println!(
        "{made:>9}: {:>6.0} rows/s; {:.0} MiB anonymous, {:.0} resident (most ever {:.0}); lists in ms: {}",
        step as f64 / seconds,
        held("RssAnon:"),
        held("VmRSS:"),
        held("VmHWM:"),
        told.join(", "),
    );
}
