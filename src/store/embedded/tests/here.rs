//! Callers that commit by themselves, where the disk keeps nobody waiting.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::{crash::id_of, *};

/// A disk that always counts as quick.
pub(in crate::store) fn quick() -> Limits {
    Limits { quick_us: u64::MAX, apply_idle_ms: 600_000, ..Limits::default() }
}

/// Until it is known that the disk is quick, and what the database has of quotes.
pub(super) async fn warm(store: &Store) {
    for _ in 0..8 {
        store.probe().await.unwrap();
    }
    store.commit(create("globex", quote(&id_of(0), "O-0"))).await.unwrap();
}

/// What a commit comes to without waiting for another thread; `None` where it waits.
fn at_once(store: &Store, batch: Batch) -> Option<Result<(), StoreError>> {
    match pin!(store.commit(batch)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

#[tokio::test]
async fn where_the_disk_is_quick_a_commit_wakes_nobody_and_is_in_the_files() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    let store = Store::open(&live.join("s.db"), quick(), None).unwrap();
    warm(&store).await;
    for number in 1..5 {
        let id = id_of(number);
        assert_eq!(at_once(&store, create("globex", quote(&id, &id))), Some(Ok(())));
        let dead = folder.path().join(format!("dead-{number}"));
        copy(&live, &dead);
        let reopened = Store::open(&dead.join("s.db"), quick(), None).unwrap();
        let read = async |store: &Store| store.entity(&partner("globex"), &kind(), &sonata(&id)).await;
        assert_eq!(read(&reopened).await, Ok(Some(quote(&id, &id))));
        assert_eq!(read(&store).await, Ok(Some(quote(&id, &id))));
    }
    let slow = Store::open(&folder.path().join("slow.db"), Limits { quick_us: 0, ..quick() }, None).unwrap();
    warm(&slow).await;
    assert_eq!(at_once(&slow, create("globex", quote(&id_of(1), "O-1"))), None);
}

#[tokio::test]
async fn what_does_not_fit_is_refused_on_the_caller_s_thread_too() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&folder.path().join("s.db"), quick(), None).unwrap();
    warm(&store).await;
    let (one, two) = (quote(&id_of(1), "O-1"), quote(&id_of(2), "O-2"));
    assert_eq!(at_once(&store, create("globex", one.clone())), Some(Ok(())));
    let again = create("globex", two).with(Change::Create(Box::new(one.clone())));
    assert_eq!(at_once(&store, again), Some(Err(Conflict::Exists.into())));
    assert_eq!(store.entity(&partner("globex"), &kind(), &sonata(&id_of(2))).await, Ok(None));
    let update = |version| {
        let changed = Entity { version, ..one.clone() };
        Batch::new(partner("globex")).with(Change::Update(Box::new(changed)))
    };
    assert_eq!(at_once(&store, update(0)), Some(Ok(())));
    assert_eq!(at_once(&store, update(0)), Some(Err(Conflict::Version.into())));
    // What the database has is looked for by the store's thread: the caller's does not wait for a disk.
    store.flush().await;
    assert_eq!(at_once(&store, update(1)), None);
    // That one was not waited for, and is done nonetheless.
    store.flush().await;
    assert_eq!(store.commit(update(1)).await, Err(Conflict::Version.into()));
    assert_eq!(store.commit(update(2)).await, Ok(()));
    // An id that is not after all others may be in the database.
    assert_eq!(store.commit(create("globex", quote(&id_of(0), "O-0"))).await, Err(Conflict::Exists.into()));
    // Another partner's rows are not known yet.
    assert_eq!(at_once(&store, create("initech", quote(&id_of(9), "O-9"))), None);
}

#[test]
fn callers_and_the_thread_side_by_side_lose_no_change_and_make_none_twice() {
    const THREADS: usize = 4;
    const TIMES: usize = 150;
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    let limits = Limits { apply_batches: 16, apply_idle_ms: 1, segment_bytes: 8192, ..quick() };
    let store = Store::open(&live.join("s.db"), limits, None).unwrap();
    let run = |future: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future);
    };
    let shared = store.clone();
    run(Box::pin(async move { warm(&shared).await }));
    let work = |thread: usize| {
        let store = store.clone();
        move || {
            run(Box::pin(async move {
                for time in 0..TIMES {
                    let id = id_of(1 + time * THREADS + thread);
                    store.commit(create("globex", quote(&id, &id))).await.unwrap();
                    // All of them count on one entity.
                    loop {
                        let globex = partner("globex");
                        let counted =
                            store.entity(&globex, &kind(), &sonata(&id_of(0))).await.unwrap().unwrap();
                        let update = Batch::new(globex).with(Change::Update(Box::new(counted)));
                        match store.commit(update).await {
                            Ok(()) => break,
                            Err(error) => assert_eq!(error, Conflict::Version.into()),
                        }
                    }
                }
            }));
        }
    };
    let threads: Vec<_> = (0..THREADS).map(|thread| std::thread::spawn(work(thread))).collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let check = |store: Store| {
        run(Box::pin(async move {
            let counted =
                store.entity(&partner("globex"), &kind(), &sonata(&id_of(0))).await.unwrap().unwrap();
            assert_eq!(counted.version, (THREADS * TIMES) as u64);
            let list = store.list(&partner("globex"), &kind(), page(1)).await.unwrap();
            assert_eq!(list.total, (THREADS * TIMES + 1) as u64);
        }));
    };
    check(store.clone());
    drop(store);
    drop(super::super::log::Log::hold(&live.join("s.db"), std::time::Duration::from_secs(20)).unwrap());
    check(Store::open(&live.join("s.db"), limits, None).unwrap());
}

#[tokio::test]
async fn while_the_database_refuses_no_more_is_taken_than_the_bound() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::open(&path, Limits { apply_batches: 4, ..quick() }, None).unwrap();
    warm(&store).await;
    store.flush().await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // Those that the database is taking in, which were as many as may be pending, and as many behind them.
    let (mut taken, mut number) = (0, 0);
    loop {
        number += 1;
        match at_once(&store, create("globex", quote(&id_of(number), "O"))) {
            Some(result) => assert_eq!(result, Ok(())),
            // Handed over because another thread was in the way, or for good.
            None if tokio::time::timeout(std::time::Duration::from_secs(2), store.probe()).await.is_ok() => {}
            None => break,
        }
        taken += 1;
        assert!(taken <= 2 * 4 * 4, "{taken} batches that the database does not have");
    }
    assert!(taken > 4, "{taken}");
    other.execute_batch("ROLLBACK").unwrap();
    store.commit(create("globex", quote(&id_of(number + 1), "O"))).await.unwrap();
    let list = store.list(&partner("globex"), &kind(), page(1)).await.unwrap();
    // With that of the beginning and the last.
    assert_eq!(list.total, number as u64 + 2);
}

#[tokio::test]
async fn bytes_of_the_log_and_of_memory_are_bounds_as_well() {
    for limits in [Limits { apply_log_bytes: 1, ..quick() }, Limits { apply_held_bytes: 1, ..quick() }] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("s.db");
        let store = Store::open(&path, limits, None).unwrap();
        warm(&store).await;
        let db = rusqlite::Connection::open(&path).unwrap();
        // Nothing is asked for, and nothing is idle: only the bound brings it into the database.
        let rows = || db.query_row("SELECT count(*) FROM entities", [], |row| row.get::<_, i64>(0)).unwrap();
        for _ in 0..2000 {
            if rows() == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(rows(), 1, "{limits:?}");
    }
}
