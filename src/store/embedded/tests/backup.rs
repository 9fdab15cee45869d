//! Backups while the store serves, and the way back.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{
    super::backup::{backup, restore},
    crash::id_of,
    *,
};
use crate::store::tests::tasks::{claim, names, schedule, task};

/// Documents that fill segments soon.
fn large(number: usize, version: u64) -> Entity {
    let id = id_of(number);
    let document = Some(Bytes::from(format!("{{\"version\":{version},\"fill\":\"{}\"}}", "x".repeat(600))));
    Entity { version, document, request: Some(Bytes::from(id.clone())), ..quote(&id, &id) }
}

#[tokio::test]
async fn a_backup_has_everything_that_was_acknowledged_in_one_file() {
    let folder = TempDir::new().unwrap();
    let (live, file) = (folder.path().join("live/s.db"), folder.path().join("backup"));
    let store = Store::open(&live, Limits { segment_bytes: 4096, ..Limits::default() }, None).unwrap();
    for number in 0..40 {
        store.commit(create("globex", large(number, 0))).await.unwrap();
        if number == 30 {
            // The rest is in the log alone.
            store.flush().await;
        }
    }
    store.commit(schedule([task("a-1", "a", 10)])).await.unwrap();
    backup(&live, &file).unwrap();
    let names_of = |path: &Path| -> Vec<String> {
        let entries = fs::read_dir(path).unwrap();
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names_of(folder.path()), ["backup", "live"]);
    // It serves on, and what comes now is not in the backup.
    store.commit(create("globex", large(40, 0))).await.unwrap();
    let restored = folder.path().join("other/deep/s.db");
    restore(&file, &restored).unwrap();
    assert_eq!(names_of(restored.parent().unwrap()), ["s.db"]);
    let again = Store::open(&restored, Limits::default(), None).unwrap();
    for number in 0..40 {
        let read = again.entity(&partner("globex"), &kind(), &sonata(&id_of(number))).await.unwrap();
        assert_eq!(read, Some(large(number, 0)));
    }
    assert_eq!(again.list(&partner("globex"), &kind(), page(9)).await.unwrap().total, 40);
    assert_eq!(names(&claim(&again, 10).await), "a-1");
    // And it is a store like any other.
    again.commit(create("globex", large(41, 0))).await.unwrap();
    again.flush().await;
    assert_eq!(again.list(&partner("globex"), &kind(), page(9)).await.unwrap().total, 41);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_of_a_store_that_changes_are_whole() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("s.db");
    // Segments come and go.
    let limits = Limits { segment_bytes: 8192, apply_batches: 16, apply_idle_ms: 5, ..Limits::default() };
    let store = Store::open(&live, limits, None).unwrap();
    for number in 0..20 {
        store.commit(create("globex", large(number, 0))).await.unwrap();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (store, stop) = (store.clone(), Arc::clone(&stop));
        async move {
            let mut version = 0;
            while !stop.load(Ordering::Relaxed) {
                // All of them get a version in one batch.
                let mut batch = Batch::new(partner("globex"));
                for number in 0..20 {
                    let next = Entity { version, ..large(number, version + 1) };
                    batch = batch.with(Change::Update(Box::new(next)));
                }
                store.commit(batch).await.unwrap();
                version += 1;
            }
            version
        }
    });
    let mut before = 0;
    for number in 0..5 {
        let (file, restored) =
            (folder.path().join(format!("backup-{number}")), folder.path().join(format!("r-{number}.db")));
        let from = live.clone();
        tokio::task::spawn_blocking(move || {
            backup(&from, &file).unwrap();
            restore(&file, &restored).unwrap();
        })
        .await
        .unwrap();
        let again =
            Store::open(&folder.path().join(format!("r-{number}.db")), Limits::default(), None).unwrap();
        let list = again.list(&partner("globex"), &kind(), page(99)).await.unwrap();
        let version = list.entities[0].version;
        assert!(version >= before && list.total == 20);
        before = version;
        let whole: Vec<Entity> = (0..20).map(|number| large(number, version)).collect();
        assert_eq!(list.entities, whole, "each is of the same batch, with its documents");
    }
    stop.store(true, Ordering::Relaxed);
    assert!(writer.await.unwrap() > before);
}

#[test]
fn what_is_no_backup_is_refused_and_nothing_is_overwritten() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(backup(&path("none.db"), &path("b")).unwrap_err().to_string().contains("there is no store"));
    drop(Store::open(&path("s.db"), Limits::default(), None).unwrap());
    drop(super::super::log::Log::hold(&path("s.db"), std::time::Duration::from_secs(20)).unwrap());
    fs::write(path("mine"), "mine").unwrap();
    assert!(backup(&path("s.db"), &path("mine")).unwrap_err().to_string().contains("is there already"));
    backup(&path("s.db"), &path("b")).unwrap();
    assert!(restore(&path("b"), &path("s.db")).unwrap_err().to_string().contains("a store is there"));
    fs::write(path("t.db-log3"), "").unwrap();
    assert!(restore(&path("b"), &path("t.db")).unwrap_err().to_string().contains("a store is there"));
    assert!(restore(&path("mine"), &path("u.db")).is_err());
    assert!(restore(&path("missing"), &path("u.db")).is_err());
    // A plain copy of the database has no documents.
    let plain = rusqlite::Connection::open(path("b")).unwrap();
    let row = "INSERT INTO entities (partner, kind, id, version, created_ms, updated_ms, segment) VALUES (1, 1, 'x', 0, 0, 0, 4)";
    plain.execute_batch(row).unwrap();
    assert!(restore(&path("b"), &path("u.db")).unwrap_err().to_string().contains("without its log"));
    plain.execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(restore(&path("b"), &path("u.db")).unwrap_err().to_string().contains("newer version"));
    assert!(!path("u.db").exists());
    assert_eq!(fs::read(path("mine")).unwrap(), b"mine");
}
