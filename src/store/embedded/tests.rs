//! What only the embedded store promises: its files, and what a sudden end leaves of them.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::store::{
    Store,
    tests::{acme, create, exchange, kind, legacy, on_each, page, partner, quote, sonata},
};

mod backup;
mod crash;
mod here;
mod migrate;
mod retire;
mod tasks;

pub(in crate::store) use here::quick;

#[tokio::test]
async fn what_waits_shares_a_commit_and_a_conflict_stays_alone() {
    let folder = TempDir::new().unwrap();
    let metrics = std::sync::Arc::new(crate::telemetry::Metrics::new().unwrap());
    let store = Store::open(&folder.path().join("s.db"), Limits::default(), Some(metrics.clone())).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..200 {
        let store = store.clone();
        // Every tenth id is taken by its neighbour.
        let id = format!("q-{}", if number % 10 == 9 { number - 1 } else { number });
        tasks.spawn(async move { store.commit(create("globex", quote(&id, &id))).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 180);
    assert!(results.iter().all(|r| matches!(r, Ok(()) | Err(StoreError::Conflict(Conflict::Exists)))));
    let text = metrics.render();
    let commits: u32 = text
        .lines()
        .find_map(|line| line.strip_prefix("segue_store_commits_total{outcome=\"committed\"} "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(commits < 100, "{commits} commits for 200 batches");
    assert!(text.contains("segue_store_jobs_total 200"), "{text}");
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let folder = TempDir::new().unwrap();
    let limits = Limits { queue_max: 1, readers_max: 1, ..Limits::default() };
    let store = Store::open(&folder.path().join("s.db"), limits, None).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let store = store.clone();
        tasks.spawn(async move { store.commit(create("globex", quote(&format!("q-{number}"), "O"))).await });
    }
    let results = tasks.join_all().await;
    assert!(results.contains(&Err(StoreError::Overloaded)), "{results:?}");
    assert!(results.contains(&Ok(())), "{results:?}");
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        // The shared-memory index is rebuilt from the log, as after a crash.
        if path.extension().is_none_or(|ext| ext != "db-shm") {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_in_the_files_at_that_moment() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    let store = Store::open(&live.join("s.db"), Limits::default(), None).unwrap();
    for number in 0..5 {
        store.commit(create("globex", quote(&format!("q-{number}"), "O"))).await.unwrap();
        // No close, no checkpoint: what a machine that stops here would find.
        let dead = folder.path().join(format!("dead-{number}"));
        copy(&live, &dead);
        let reopened = Store::open(&dead.join("s.db"), Limits::default(), None).unwrap();
        let page = reopened.list(&partner("globex"), &kind(), page(100)).await.unwrap();
        assert_eq!(page.total, number + 1);
    }
}

/// Not a test: the child of the next one. It reads a path and writes until it is killed.
#[test]
#[ignore = "the child process of a_killed_process_loses_nothing"]
fn writes_until_killed() {
    let mut path = String::new();
    std::io::stdin().read_line(&mut path).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(Path::new(path.trim()), Limits::default(), None).unwrap();
        for number in 0..1_000_000 {
            let id = format!("q-{number}");
            store.commit(create("globex", quote(&id, &id))).await.unwrap();
            println!("acknowledged {id}");
            std::io::stdout().flush().unwrap();
        }
    });
}

#[tokio::test]
async fn a_killed_process_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::embedded::tests::writes_until_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", path.display()).unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let told = |line: String| line.split_once("acknowledged ").map(|(_, id)| id.to_owned());
    let mut acknowledged: Vec<String> = lines.by_ref().filter_map(told).take(40).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    acknowledged.extend(lines.filter_map(told));
    assert!(acknowledged.len() >= 40);
    let store = Store::open(&path, Limits::default(), None).unwrap();
    for id in &acknowledged {
        assert!(store.entity(&partner("globex"), &kind(), &sonata(id)).await.unwrap().is_some(), "{id}");
    }
}

#[test]
fn files_that_are_not_ours_are_refused() {
    let folder = TempDir::new().unwrap();
    let open = |name: &str| Store::open(&folder.path().join(name), Limits::default(), None).unwrap_err();
    let foreign = rusqlite::Connection::open(folder.path().join("foreign.db")).unwrap();
    foreign.execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(open("foreign.db").to_string().contains("another program"));
    drop(Store::open(&folder.path().join("newer.db"), Limits::default(), None).unwrap());
    let newer = rusqlite::Connection::open(folder.path().join("newer.db")).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    assert!(open("newer.db").to_string().contains("newer version"));
    std::fs::write(folder.path().join("text.db"), "not a database, but long enough to be one".repeat(50))
        .unwrap();
    assert!(matches!(open("text.db"), StoreError::Open(_)));
    assert!(matches!(open("text.db/sub.db"), StoreError::Open(_)));
}
