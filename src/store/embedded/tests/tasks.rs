//! Tasks in files.

use super::*;
use crate::store::tests::tasks::{change, claim, id, names, schedule, settle, task};

#[tokio::test]
async fn tasks_are_in_the_files_when_they_are_acknowledged() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    let store = Store::open(&live.join("s.db"), Limits::default(), None).unwrap();
    let subject = Some((kind(), sonata("q-1")));
    let about = Task { subject, ..task("c-1", "c", 10) };
    store
        .commit(schedule([task("a-1", "a", 10), task("a-2", "a", 10), task("b-1", "b", 10), about]))
        .await
        .unwrap();
    let mut dead = 0;
    // What a machine that stops here would find due; nobody has anything then.
    let mut found = async |store: &Store| {
        dead += 1;
        let copied = folder.path().join(format!("dead-{dead}"));
        copy(&live, &copied);
        let reopened = Store::open(&copied.join("s.db"), Limits::default(), None).unwrap();
        let now = names(&claim(&reopened, 20).await);
        // And once more, with all of it in the database.
        drop(reopened);
        let _ = store;
        let again = Store::open(&copied.join("s.db"), Limits::default(), None).unwrap();
        assert_eq!(names(&claim(&again, 20).await), now);
        now
    };
    assert_eq!(found(&store).await, "a-1 b-1 c-1");
    let held = claim(&store, 10).await;
    assert_eq!(found(&store).await, "a-1 b-1 c-1");
    settle(&store, &held[0].0).await.unwrap();
    assert_eq!(found(&store).await, "a-2 b-1 c-1");
    store.flush().await;
    let later = Change::Postpone { lease: held[1].0.clone(), due_ms: 5000, note: None };
    store.commit(change(later)).await.unwrap();
    assert_eq!(found(&store).await, "a-2 c-1");
    let give_up = Change::Unschedule { queue: Queue::Delivery, kind: kind(), id: sonata("q-1") };
    store.commit(change(give_up)).await.unwrap();
    assert_eq!(found(&store).await, "a-2");
    let second = claim(&store, 20).await;
    let bury = Change::Bury { lease: second[0].0.clone(), note: "gone".to_owned(), at_ms: 30 };
    store.commit(change(bury)).await.unwrap();
    assert_eq!(found(&store).await, "");
    store.commit(change(Change::Revive { id: id("a-2"), due_ms: 1 })).await.unwrap();
    assert_eq!(found(&store).await, "a-2");
}

#[tokio::test]
async fn what_is_due_much_later_wakes_nobody_and_is_found() {
    let store = Store::memory().unwrap();
    let wake = store.wake(Queue::Delivery);
    let late = LOOK_MS_MAX + 1;
    let made = |name: &str, lane: &str, due_ms| Task { made_ms: 0, ..task(name, lane, due_ms) };
    store.commit(schedule([made("a-1", "a", late), made("b-1", "b", late + 1)])).await.unwrap();
    assert!(!wake.has_changed().unwrap());
    assert_eq!(store.next_due(Queue::Delivery).await, Ok(Some(late)));
    assert_eq!(names(&claim(&store, late).await), "a-1");
    store.commit(schedule([made("c-1", "c", late), made("d-1", "d", LOOK_MS_MAX)])).await.unwrap();
    assert!(wake.has_changed().unwrap(), "one of them is due before anybody looks by himself");
}

#[tokio::test]
async fn memory_does_not_grow_with_what_waits() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&folder.path().join("s.db"), Limits::default(), None).unwrap();
    for group in 0..20 {
        let timers =
            (0..200).map(|no| task(&format!("t-{group}-{no}"), &format!("l-{group}-{no}"), 10_000 + no));
        store.commit(schedule(timers)).await.unwrap();
        store.commit(schedule([task(&format!("u-{group}"), "one lane", 1)])).await.unwrap();
    }
    store.flush().await;
    assert_eq!(names(&claim(&store, 10).await), "u-0");
    assert_eq!(store.next_due(Queue::Delivery).await, Ok(Some(1010)));
    assert_eq!(store.embedded().unwrap().shared_core().desk().held_in_memory(), (0, 1));
    // Finding what is due is a walk along an index, from its beginning, with nothing sorted.
    let db = rusqlite::Connection::open(folder.path().join("s.db")).unwrap();
    let plan: Vec<String> = db
        .prepare(&format!("EXPLAIN QUERY PLAN {}", super::super::tasks::MARKED))
        .unwrap()
        .query_map(rusqlite::params!["delivery", 0, 0, 9], |row| row.get(3))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(
        plan.iter().any(|line| line.contains("USING INDEX tasks_by_due (queue=? AND due_ms>?)")
            || line.contains("USING INDEX tasks_by_due (queue=? AND (due_ms,rowid)>(?,?))")),
        "{plan:?}"
    );
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{plan:?}");
}
