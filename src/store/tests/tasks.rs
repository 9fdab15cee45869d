//! Work that is done later: in order, once, whoever crashes.

use super::*;
use crate::ids::TaskId;

pub(in crate::store) fn id(name: &str) -> TaskId {
    TaskId::parse(name).unwrap()
}

pub(in crate::store) fn task(name: &str, lane: &str, due_ms: i64) -> Task {
    let payload = Bytes::from(format!("{{\"of\":\"{name}\"}}"));
    Task { due_ms, ..Task::new(id(name), partner("globex"), Queue::Delivery, lane.to_owned(), 1, payload) }
}

pub(in crate::store) fn schedule(tasks: impl IntoIterator<Item = Task>) -> Batch {
    let changes = tasks.into_iter().map(|task| Change::Schedule(Box::new(task)));
    Batch { changes: changes.collect(), ..Batch::new(partner("globex")) }
}

pub(in crate::store) fn change(change: Change) -> Batch {
    Batch::new(partner("globex")).with(change)
}

/// What is lent at a time, for a second.
pub(in crate::store) async fn claim(store: &Store, now_ms: i64) -> Vec<(Lease, Task)> {
    store.claim(Queue::Delivery, now_ms, 1000, 10).await.unwrap()
}

pub(in crate::store) fn names(claimed: &[(Lease, Task)]) -> String {
    claimed.iter().map(|(_, task)| task.id.as_str()).collect::<Vec<_>>().join(" ")
}

/// As [`on_each`], each once more with the database asked to take in what is there whenever `test` says so.
async fn with_and_without_flush<F: Future<Output = ()>>(test: impl Fn(Store, bool) -> F) {
    on_each(|store| test(store, false)).await;
    on_each(|store| test(store, true)).await;
}

pub(in crate::store) async fn settle(store: &Store, lease: &Lease) -> Result<(), StoreError> {
    store.commit(change(Change::Settle { lease: lease.clone() })).await
}

#[tokio::test]
async fn a_lane_is_done_in_order_one_at_a_time() {
    with_and_without_flush(async |store, flush| {
        let pause = async || {
            if flush {
                store.flush().await;
            }
        };
        // The second is due before the first, and the third before all.
        let lane = [task("a-1", "a", 20), task("a-2", "a", 10), task("a-3", "a", 5)];
        store.commit(schedule(lane)).await.unwrap();
        pause().await;
        store.commit(schedule([task("b-1", "b", 15)])).await.unwrap();
        pause().await;
        assert_eq!(store.next_due(Queue::Delivery).await, Ok(Some(15)));
        assert_eq!(names(&claim(&store, 14).await), "");
        let first = claim(&store, 30).await;
        assert_eq!(names(&first), "b-1 a-1");
        assert_eq!(first[1].1, task("a-1", "a", 20));
        assert_eq!(names(&claim(&store, 40).await), "", "each is done by one");
        pause().await;
        // One that is postponed is waited for.
        let note = Some("busy".to_owned());
        let later = Change::Postpone { lease: first[1].0.clone(), due_ms: 100, note: note.clone() };
        store.commit(change(later)).await.unwrap();
        pause().await;
        settle(&store, &first[0].0).await.unwrap();
        assert_eq!(names(&claim(&store, 99).await), "");
        assert_eq!(store.next_due(Queue::Delivery).await, Ok(Some(100)));
        let again = claim(&store, 100).await;
        assert_eq!(again[0].1, Task { attempts: 1, note, ..task("a-1", "a", 100) });
        // One that is buried is not.
        let bury = Change::Bury { lease: again[0].0.clone(), note: "gone".to_owned(), at_ms: 101 };
        store.commit(change(bury)).await.unwrap();
        pause().await;
        for name in ["a-2", "a-3", ""] {
            let next = claim(&store, 102).await;
            assert_eq!(names(&next), name);
            for (lease, _) in next {
                settle(&store, &lease).await.unwrap();
            }
            pause().await;
        }
        assert_eq!(store.next_due(Queue::Delivery).await, Ok(None));
        for queue in [Queue::Timer, Queue::Poll, Queue::Continue] {
            assert_eq!(store.claim(queue, i64::MAX, 1, 9).await, Ok(Vec::new()));
        }
        let dead = store.tasks(&partner("globex"), Queue::Delivery, true, (0, 9)).await.unwrap();
        assert_eq!(
            (dead.total, dead.tasks[0].dead_ms, dead.tasks[0].note.as_deref()),
            (1, Some(101), Some("gone"))
        );
        assert_eq!(store.tasks(&partner("globex"), Queue::Delivery, false, (0, 9)).await.unwrap().total, 0);
    })
    .await;
}

#[tokio::test]
async fn a_lease_that_ended_goes_to_another_and_the_first_can_do_nothing() {
    with_and_without_flush(async |store, flush| {
        store.commit(schedule([task("a-1", "a", 10), task("a-2", "a", 10)])).await.unwrap();
        if flush {
            store.flush().await;
        }
        let slow = claim(&store, 10).await;
        assert_eq!(store.next_due(Queue::Delivery).await, Ok(Some(1010)));
        assert_eq!(names(&claim(&store, 1009).await), "");
        let quick = claim(&store, 1010).await;
        assert_eq!(names(&quick), "a-1");
        // Nothing of a batch happens that gives back what is lost.
        let batch = create("globex", quote("q-1", "O-1")).with(Change::Settle { lease: slow[0].0.clone() });
        assert_eq!(store.commit(batch).await, Err(Conflict::Lease.into()));
        assert_eq!(store.entity(&partner("globex"), &kind(), &sonata("q-1")).await, Ok(None));
        let foreign = Batch::new(partner("initech")).with(Change::Settle { lease: quick[0].0.clone() });
        assert_eq!(store.commit(foreign).await, Err(Conflict::Lease.into()));
        let batch = create("globex", quote("q-1", "O-1"))
            .with(Change::Settle { lease: quick[0].0.clone() })
            .with(Change::Schedule(Box::new(task("a-3", "a", 7))));
        store.commit(batch).await.unwrap();
        assert_eq!(settle(&store, &quick[0].0).await, Err(Conflict::Lease.into()), "given back");
        let next = claim(&store, 1011).await;
        assert_eq!(names(&next), "a-2");
        // One that ended and that nobody else took is still good.
        settle(&store, &next[0].0).await.unwrap();
        let next = claim(&store, 5000).await;
        assert_eq!(names(&next), "a-3");
        store.release(next.iter().map(|(lease, _)| lease.clone()).collect()).await;
        assert_eq!(settle(&store, &next[0].0).await, Err(Conflict::Lease.into()), "given back");
        assert_eq!(names(&claim(&store, 5000).await), "a-3");
    })
    .await;
}

#[tokio::test]
async fn what_is_about_an_entity_is_given_up_at_once() {
    with_and_without_flush(async |store, flush| {
        let about = |name: &str, lane: &str, quote: &str| Task {
            subject: Some((kind(), sonata(quote))),
            ..task(name, lane, 10)
        };
        let tasks = [about("a-1", "a", "q-1"), about("a-2", "a", "q-2"), about("b-1", "b", "q-1")];
        store.commit(schedule(tasks)).await.unwrap();
        if flush {
            store.flush().await;
        }
        let held = claim(&store, 10).await;
        assert_eq!(names(&held), "a-1 b-1");
        let give_up = Change::Unschedule { queue: Queue::Delivery, kind: kind(), id: sonata("q-1") };
        // What settles the last of them may give up the others, and schedule anew.
        let batch = change(give_up.clone())
            .with(Change::Settle { lease: held[1].0.clone() })
            .with(Change::Schedule(Box::new(about("c-1", "c", "q-1"))));
        store.commit(batch).await.unwrap();
        assert_eq!(settle(&store, &held[0].0).await, Err(Conflict::Lease.into()));
        let next = claim(&store, 10).await;
        assert_eq!(names(&next), "a-2 c-1");
        // Another queue's and another partner's stay.
        let timer = Change::Unschedule { queue: Queue::Timer, kind: kind(), id: sonata("q-2") };
        store.commit(change(timer)).await.unwrap();
        let other = Batch::new(partner("initech"));
        store
            .commit(other.with(Change::Unschedule {
                queue: Queue::Delivery,
                kind: kind(),
                id: sonata("q-2"),
            }))
            .await
            .unwrap();
        settle(&store, &next[0].0).await.unwrap();
        store.commit(change(give_up)).await.unwrap();
        assert_eq!(names(&claim(&store, 5000).await), "");
        assert_eq!(store.tasks(&partner("globex"), Queue::Delivery, false, (0, 9)).await.unwrap().total, 0);
    })
    .await;
}

#[tokio::test]
async fn what_was_buried_comes_back_at_the_end_of_its_lane() {
    with_and_without_flush(async |store, flush| {
        let pause = async || {
            if flush {
                store.flush().await;
            }
        };
        store.commit(schedule([task("a-1", "a", 10), task("a-2", "a", 10)])).await.unwrap();
        pause().await;
        let revive = |name: &str| change(Change::Revive { id: id(name), due_ms: 50 });
        assert_eq!(store.commit(revive("a-1")).await, Err(Conflict::Task.into()), "it is open");
        assert_eq!(store.commit(revive("a-9")).await, Err(Conflict::Task.into()));
        let held = claim(&store, 10).await;
        let bury = Change::Bury { lease: held[0].0.clone(), note: "gone".to_owned(), at_ms: 11 };
        store.commit(change(bury)).await.unwrap();
        pause().await;
        let foreign = Batch::new(partner("initech")).with(Change::Revive { id: id("a-1"), due_ms: 1 });
        assert_eq!(store.commit(foreign).await, Err(Conflict::Task.into()));
        store.commit(revive("a-1")).await.unwrap();
        pause().await;
        assert_eq!(store.tasks(&partner("globex"), Queue::Delivery, true, (0, 9)).await.unwrap().total, 0);
        for expected in ["a-2", "a-1"] {
            let next = claim(&store, 50).await;
            assert_eq!(names(&next), expected);
            settle(&store, &next[0].0).await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn what_waits_can_be_made_due() {
    with_and_without_flush(async |store, flush| {
        store.commit(schedule([task("a-1", "a", 1000), task("a-2", "a", 1000)])).await.unwrap();
        store.commit(schedule([task("b-1", "b", 5)])).await.unwrap();
        if flush {
            store.flush().await;
        }
        let held = claim(&store, 5).await;
        let mut wake = store.wake(Queue::Delivery);
        let wanted = ["a-1", "a-2", "b-1", "gone"].map(id).to_vec();
        store.hasten(&partner("initech"), wanted.clone(), 1).await.unwrap();
        assert!(!wake.has_changed().unwrap(), "they are another partner's");
        store.hasten(&partner("globex"), wanted, 20).await.unwrap();
        wake.changed().await.unwrap();
        assert_eq!(store.next_due(Queue::Delivery).await, Ok(Some(20)));
        let next = claim(&store, 20).await;
        assert_eq!(names(&next), "a-1");
        store
            .commit(
                change(Change::Settle { lease: held[0].0.clone() })
                    .with(Change::Settle { lease: next[0].0.clone() }),
            )
            .await
            .unwrap();
        assert_eq!(names(&claim(&store, 20).await), "a-2");
    })
    .await;
}

#[tokio::test]
async fn lists_of_tasks_have_pages_and_keep_partners_apart() {
    on_each(async |store| {
        store.commit(schedule((0..5).map(|no| task(&format!("t-{no}"), "a", 100 - no)))).await.unwrap();
        let page = store.tasks(&partner("globex"), Queue::Delivery, false, (1, 2)).await.unwrap();
        let names: Vec<_> = page.tasks.iter().map(|task| task.id.as_str()).collect();
        assert_eq!((names, page.total), (vec!["t-3", "t-2"], 5));
        for (name, queue) in [("initech", Queue::Delivery), ("globex", Queue::Timer)] {
            assert_eq!(store.tasks(&partner(name), queue, false, (0, 9)).await.unwrap().total, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_is_woken_by_its_queue_only() {
    on_each(async |store| {
        let (mut delivery, timer) = (store.wake(Queue::Delivery), store.wake(Queue::Timer));
        store.commit(schedule([task("a-1", "a", 10)])).await.unwrap();
        delivery.changed().await.unwrap();
        settle(&store, &claim(&store, 10).await[0].0).await.unwrap();
        delivery.changed().await.unwrap();
        store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
        assert!(!delivery.has_changed().unwrap() && !timer.has_changed().unwrap());
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused_whole() {
    on_each(async |store| {
        let long = Task { lane: "x".repeat(LANE_BYTES_MAX + 1), ..task("a-1", "a", 10) };
        let refused = store.commit(schedule([task("a-0", "a", 1), long])).await;
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
        assert_eq!(names(&claim(&store, 10).await), "");
    })
    .await;
}

#[tokio::test]
async fn dead_letters_are_forgotten_and_sizes_told() {
    on_each(async |store| {
        store
            .commit(schedule([task("a-1", "a", 10), task("a-2", "a", 10), task("b-1", "b", 10)]))
            .await
            .unwrap();
        store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
        for (lease, _) in claim(&store, 10).await {
            store.commit(change(Change::Bury { lease, note: "gone".to_owned(), at_ms: 20 })).await.unwrap();
        }
        store.flush().await;
        let counted = async || {
            let sizes = store.sizes(true).await.unwrap();
            assert_eq!(sizes.entities, [("quote".to_owned(), 1)]);
            assert!(sizes.bytes.iter().all(|(_, bytes)| *bytes > 0), "{:?}", sizes.bytes);
            assert_eq!(sizes.tasks.len(), Queue::ALL.len());
            sizes.tasks.into_iter().find(|(queue, ..)| *queue == Queue::Delivery).unwrap()
        };
        assert_eq!(counted().await, (Queue::Delivery, 1, 2));
        assert_eq!(store.forget(0, 0, 20).await, Ok(0));
        assert_eq!(store.forget(0, 0, 21).await, Ok(2));
        assert_eq!(counted().await, (Queue::Delivery, 1, 0));
        assert_eq!(store.sizes(false).await.unwrap().entities, []);
        assert_eq!(names(&claim(&store, 10).await), "a-2");
    })
    .await;
}
