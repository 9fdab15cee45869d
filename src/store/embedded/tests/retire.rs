//! What retention removes is given back by the log as well.

use std::sync::Arc;

use super::{super::log::segment_path, *};

#[tokio::test]
async fn the_log_gives_back_what_retention_removed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let limits = Limits { segment_bytes: 8 * 1024, apply_batches: 1, ..Limits::default() };
    let store = Store::open(&path, limits, None).unwrap();
    let segments = || (0..10_000).filter(|number| segment_path(&path, *number).exists()).count();
    let ended = |number: usize, state: &str| {
        let name = format!("q-{number}");
        Entity {
            state: Some(state.to_owned()),
            document: Some(vec![b'x'; 500].into()),
            ..quote(&name, &name)
        }
    };
    for number in 0..400 {
        // One of a hundred goes on.
        let state = if number % 100 == 7 { "inProgress" } else { "expired" };
        store.commit(create("globex", ended(number, state))).await.unwrap();
    }
    store.flush().await;
    let before = segments();
    assert!(before > 20, "{before}");
    let rules: Arc<[Retirement]> =
        [Retirement { kind: kind(), items: None, ended: vec!["expired".to_owned()], before_ms: 2000 }].into();
    let (mut from, mut removed) = (None, 0);
    loop {
        let retired = store.retire(Arc::clone(&rules), from, 50).await.unwrap();
        removed += retired.removed.iter().map(|(_, count)| count).sum::<u64>();
        from = retired.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(removed, 396);
    // One that has only some that go on is emptied at each look; there are four of them.
    for number in 1000..1010 {
        store.commit(create("globex", ended(number, "inProgress"))).await.unwrap();
        store.flush().await;
        store.retire(Arc::clone(&rules), None, 50).await.unwrap();
    }
    let after = segments();
    assert!(after <= 4, "{after} of {before} segments are left");
    let left = async |store: &Store| {
        let found = store.list(&partner("globex"), &kind(), page(100)).await.unwrap();
        assert!(found.entities.iter().all(|one| one.document.as_ref().is_some_and(|text| text.len() == 500)));
        found.total
    };
    assert_eq!(left(&store).await, 14);
    drop(store);
    assert_eq!(left(&Store::open(&path, limits, None).unwrap()).await, 14);
}
