//! What a sudden end leaves of the log, wherever it comes.

use std::{fmt::Write as _, fs, time::Duration};

use super::{super::log, *};

fn limits(segment_bytes: u64) -> Limits {
    Limits { segment_bytes, ..Limits::default() }
}

const START: log::Position = log::Position { segment: 0, start_bytes: 0, chain: 0 };

fn open(path: &Path) -> (log::Log, Vec<Vec<u8>>) {
    // Another test that starts a process has this one's files open too, until that process is begun.
    let held = log::Log::hold(path, Duration::from_secs(5)).unwrap();
    let mut records = Vec::new();
    let each = |payload: Bytes, _| {
        records.push(payload.to_vec());
        Ok(())
    };
    let log = log::Log::open(path, 1 << 20, START, held, each).unwrap();
    (log, records)
}

fn append(log: &mut log::Log, payload: &[u8]) {
    append_where(log, payload, Duration::MAX);
}

/// Where an fsync within `quick` keeps nobody waiting.
fn append_where(log: &mut log::Log, payload: &[u8], quick: Duration) {
    let mut buffer = Vec::new();
    log.begin(&mut buffer);
    buffer.extend_from_slice(payload);
    log.append(&mut buffer, quick).unwrap();
}

#[test]
fn a_log_that_ends_anywhere_is_read_up_to_the_last_whole_record() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let payloads: Vec<Vec<u8>> = (1_u8..12).map(|number| vec![number; usize::from(number) * 7]).collect();
    let mut ends = vec![0];
    let (mut log, _) = open(&path);
    for payload in &payloads {
        append(&mut log, payload);
        ends.push(usize::try_from(log.end().start_bytes).unwrap());
    }
    drop(log);
    let file = folder.path().join("s.db-log0");
    let whole = fs::read(&file).unwrap();
    assert_eq!(ends.last(), Some(&whole.len()));
    for cut in 0..=whole.len() {
        let expected = ends.iter().filter(|end| **end <= cut).count() - 1;
        // Cut off, never written (zeros), or of an earlier use of the file.
        for filler in [None, Some(0), Some(0xA5), Some(0x5A)] {
            let mut bytes = whole[..cut].to_vec();
            if let Some(filler) = filler {
                bytes.resize(whole.len() + 9, filler);
            }
            fs::write(&file, &bytes).unwrap();
            let (mut log, records) = open(&path);
            assert_eq!(records, payloads[..expected], "cut at {cut}, filled with {filler:?}");
            if cut % 16 == 0 {
                append(&mut log, b"after");
                drop(log);
                assert_eq!(open(&path).1.len(), expected + 1, "cut at {cut}, filled with {filler:?}");
            }
        }
    }
}

#[test]
fn where_the_disk_is_slow_records_are_written_over_zeros_and_read_all_the_same() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let length = |segment| fs::metadata(log::segment_path(&path, segment)).unwrap().len();
    // One that ends in the middle of the segment, one that comes near its end, and one that goes beyond.
    let payloads: Vec<Vec<u8>> =
        [10, 400_000, 600_000, 40_000, 90_000, 9].map(|length| vec![7; length]).to_vec();
    let (mut log, _) = open(&path);
    let mut lengths = Vec::new();
    for (number, payload) in payloads.iter().enumerate() {
        append_where(&mut log, payload, Duration::ZERO);
        lengths.push(length(log.end().segment));
        if number == 2 {
            drop(log);
            log = open(&path).0;
        }
    }
    let (whole, last) = (1 << 20, payloads.iter().take(5).map(|payload| payload.len() as u64 + 8).sum());
    // The first fsync tells that the disk is slow; the segment's end bounds what is written ahead.
    assert_eq!(lengths, [18, whole, whole, whole, last, whole]);
    drop(log);
    assert_eq!(open(&path).1, payloads);
}

#[test]
fn every_broken_byte_ends_the_log_before_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let (mut log, _) = open(&path);
    for payload in [b"one", b"two", b"six"] {
        append(&mut log, payload);
    }
    drop(log);
    let file = folder.path().join("s.db-log0");
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&file, &bytes).unwrap();
        assert_eq!(open(&path).1.len(), at / (whole.len() / 3), "byte {at}");
    }
}

#[test]
fn what_was_written_after_a_torn_record_never_comes_back() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let (mut log, _) = open(&path);
    append(&mut log, b"kept");
    append(&mut log, b"torn");
    append(&mut log, b"lost");
    drop(log);
    let file = folder.path().join("s.db-log0");
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    // As long as the torn one, so that the lost one would follow it.
    append(&mut open(&path).0, b"new!");
    assert_eq!(open(&path).1, [b"kept".to_vec(), b"new!".to_vec()]);
}

#[test]
fn one_process_has_the_log() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let held = log::Log::hold(&path, Duration::ZERO).unwrap();
    assert!(matches!(log::Log::hold(&path, Duration::ZERO), Err(StoreError::Open(_))));
    drop(held);
    log::Log::hold(&path, Duration::from_secs(5)).unwrap();
}

/// Ids as they are made: callers that commit by themselves can decide about them.
pub(super) fn id_of(number: usize) -> String {
    format!("0193e5a2-0000-7000-8000-{number:012x}")
}

/// Batches with everything that a batch can hold.
fn everything(number: usize) -> Batch {
    let id = id_of(number);
    let key = IdempotencyKey { operation: "quote.createQuote".to_owned(), key: id.clone() };
    let entity = Entity {
        buyer: Some(crate::ids::BuyerId::parse("b").unwrap()),
        parent: Some(sonata("p")),
        request: Some(Bytes::from(vec![b'r'; number * 50])),
        legacy: Some(Bytes::from_static(b"\xff\x00")),
        ..quote(&id, &id)
    };
    let entry = JournalEntry {
        exchange: exchange(&id),
        operation: "quote.createQuote".to_owned(),
        call: "offer".to_owned(),
        step: Step::Answered,
        backend: Some(acme()),
        request_crc: Some(3),
        status: Some(200),
        reply: Some(Bytes::from_static(b"{}")),
        at_ms: 7,
    };
    let begin = Change::Begin { key: key.clone(), body_hash: [9; 32], exchange: exchange(&id), at_ms: 5 };
    let finish = Change::Finish {
        key: key.clone(),
        status: 201,
        answer: Bytes::from_static(b"{}"),
        entity: Some((kind(), sonata(&id))),
    };
    let other = IdempotencyKey { key: format!("other-{number}"), ..key };
    let pair = KeyPair { group: "quoteItem".to_owned(), sonata: "a".to_owned(), legacy: "10".to_owned() };
    let reference = Reference {
        kind: Kind::new("product"),
        sonata_id: sonata(&id),
        backend: acme(),
        legacy_id: legacy("P-1"),
    };
    create("globex", entity.clone())
        .with(Change::Update(Box::new(Entity { state: Some("accepted".to_owned()), ..entity })))
        .with(Change::Refer(reference))
        .with(Change::Remember { kind: kind(), id: sonata(&id), pairs: vec![pair] })
        .with(begin)
        .with(finish)
        .with(Change::Begin { key: other.clone(), body_hash: [8; 32], exchange: exchange(&id), at_ms: 5 })
        .with(Change::Abandon { key: other, exchange: exchange(&id) })
        .with(Change::Journal(Box::new(entry)))
}

/// All that can be read of the partner, as text.
async fn all(store: &Store, numbers: usize) -> String {
    let mut told = String::new();
    for number in 0..numbers {
        let id = id_of(number);
        let key = |key: String| IdempotencyKey { operation: "quote.createQuote".to_owned(), key };
        let globex = partner("globex");
        write!(told, "{:?}", store.entity(&globex, &kind(), &sonata(&id)).await).unwrap();
        write!(told, "{:?}", store.keys(&globex, &kind(), &sonata(&id)).await).unwrap();
        write!(told, "{:?}", store.idempotency(&globex, &key(id.clone())).await).unwrap();
        write!(told, "{:?}", store.idempotency(&globex, &key(format!("other-{number}"))).await).unwrap();
        write!(told, "{:?}", store.to_legacy(&globex, &acme(), vec![(kind(), sonata(&id))]).await).unwrap();
        let wanted = vec![(Kind::new("product"), legacy("P-1"))];
        write!(told, "{:?}", store.to_sonata(&globex, &acme(), wanted).await).unwrap();
    }
    told
}

#[tokio::test]
async fn the_log_the_overlay_and_the_database_say_the_same() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    let later = Limits { apply_idle_ms: 600_000, ..Limits::default() };
    let store = Store::open(&live.join("s.db"), later, None).unwrap();
    for number in 0..6 {
        store.commit(everything(number)).await.unwrap();
    }
    let overlaid = all(&store, 8).await;
    assert!(overlaid.contains("accepted") && !overlaid.contains("other"), "{overlaid}");
    copy(&live, &folder.path().join("dead"));
    let replayed = Store::open(&folder.path().join("dead/s.db"), Limits::default(), None).unwrap();
    assert_eq!(all(&replayed, 8).await, overlaid);
    store.flush().await;
    assert_eq!(all(&store, 8).await, overlaid);
    let globex = partner("globex");
    for number in 0..6 {
        let exchange = exchange(&id_of(number));
        let journal = store.journal(&globex, &exchange).await.unwrap();
        assert_eq!((replayed.journal(&globex, &exchange).await.unwrap(), journal.len()), (journal, 1));
    }
}

#[tokio::test]
async fn a_store_whose_log_is_cut_has_whole_batches_only() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    // The database must not have come further than the log is cut.
    let later = Limits { apply_idle_ms: 600_000, ..quick() };
    let store = Store::open(&live.join("s.db"), later, None).unwrap();
    let mut ends = Vec::new();
    for number in 0..3 {
        store.commit(everything(number)).await.unwrap();
        ends.push(fs::metadata(live.join("s.db-log0")).unwrap().len());
    }
    for cut in (0..=ends[2]).step_by(97).chain(ends.iter().flat_map(|end| [end - 1, *end])) {
        let dead = folder.path().join(format!("dead-{cut}"));
        copy(&live, &dead);
        fs::OpenOptions::new().write(true).open(dead.join("s.db-log0")).unwrap().set_len(cut).unwrap();
        let cut_off = Store::open(&dead.join("s.db"), Limits::default(), None).unwrap();
        let total = cut_off.list(&partner("globex"), &kind(), page(9)).await.unwrap().total;
        assert_eq!(total, ends.iter().filter(|end| **end <= cut).count() as u64, "cut at {cut}");
    }
}

#[tokio::test]
async fn what_is_no_longer_needed_of_the_log_is_cleared_and_nothing_is_lost() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    let limits = Limits { apply_batches: 4, ..limits(4096) };
    let store = Store::open(&live.join("s.db"), limits, None).unwrap();
    let globex = partner("globex");
    let document = |number: u64| Some(Bytes::from(format!("document {number}").repeat(20)));
    // Never changed: what is cleared around it must take it along.
    store.commit(create("globex", Entity { document: document(0), ..quote("old", "O") })).await.unwrap();
    store.commit(create("globex", Entity { document: document(0), ..quote("new", "N") })).await.unwrap();
    let log_files =
        || (0..999).filter(|slot| live.join(format!("s.db-log{slot}")).exists()).collect::<Vec<_>>();
    let mut seen = Vec::new();
    for number in 1..=400 {
        let entity = Entity { document: document(number), version: number - 1, ..quote("new", "N") };
        let update = Batch::new(globex.clone()).with(Change::Update(Box::new(entity)));
        store.commit(update).await.unwrap();
        if number % 50 > 0 {
            continue;
        }
        store.flush().await;
        let dead = folder.path().join(format!("dead-{number}"));
        copy(&live, &dead);
        let found = Store::open(&dead.join("s.db"), limits, None).unwrap();
        for store in [&store, &found] {
            let read = async |id: &str| store.entity(&globex, &kind(), &sonata(id)).await.unwrap().unwrap();
            let (old, new) = (read("old").await, read("new").await);
            assert_eq!((old.version, old.document), (0, document(0)));
            assert_eq!((new.version, new.document), (number, document(number)));
        }
        seen.push(log_files());
        // For the checkpoint, which is made beside.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // 400 changes make some 50 files.
    let last = seen.last().unwrap();
    assert!(last.len() < 20 && !last.contains(&0), "{seen:?}");
}

#[tokio::test]
async fn documents_of_another_record_are_not_answered() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let store = Store::open(&path, Limits::default(), None).unwrap();
    store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
    store.flush().await;
    let read = || async { store.entity(&partner("globex"), &kind(), &sonata("q-1")).await };
    assert_eq!(read().await.unwrap().unwrap().document, quote("q-1", "O-1").document);
    let file = folder.path().join("s.db-log0");
    let whole = fs::read(&file).unwrap();
    let at = whole.windows(3).position(|bytes| bytes == b"q-1").unwrap();
    let mut other = whole;
    other[at + 2] = b'2';
    fs::write(&file, other).unwrap();
    assert!(matches!(read().await, Err(StoreError::Failed(_))));
    fs::remove_file(&file).unwrap();
    assert!(matches!(read().await, Err(StoreError::Failed(_))));
}

#[tokio::test]
async fn what_began_and_ended_before_the_database_took_it_in_leaves_no_journal() {
    let folder = TempDir::new().unwrap();
    let later = Limits { apply_idle_ms: 600_000, ..Limits::default() };
    let store = Store::open(&folder.path().join("s.db"), later, None).unwrap();
    let globex = partner("globex");
    let write = async |id: &str, call: &str, step| {
        let entry = JournalEntry {
            exchange: exchange(id),
            operation: "quote.createQuote".to_owned(),
            call: call.to_owned(),
            step,
            backend: None,
            request_crc: None,
            status: None,
            reply: None,
            at_ms: 7,
        };
        store.commit(Batch::new(globex.clone()).with(Change::Journal(Box::new(entry)))).await.unwrap();
    };
    let rows = async |id: &str| store.journal(&globex, &exchange(id)).await.unwrap().len();
    write("whole", "offer", Step::Intent).await;
    write("open", "offer", Step::Intent).await;
    write("open", "offer", Step::Done).await;
    write("whole", "", Step::Done).await;
    assert_eq!((rows("whole").await, rows("open").await), (0, 2));
    // What began before is ended there, however often it begins again.
    write("open", "offer", Step::Intent).await;
    write("open", "", Step::Done).await;
    assert_eq!(rows("open").await, 4);
    assert!(store.unfinished(&globex, 100, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_log_that_is_missing_is_no_empty_log() {
    let folder = TempDir::new().unwrap();
    let live = folder.path().join("live");
    let store = Store::open(&live.join("s.db"), Limits::default(), None).unwrap();
    store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
    store.flush().await;
    let dead = folder.path().join("dead");
    copy(&live, &dead);
    fs::remove_file(dead.join("s.db-log0")).unwrap();
    assert!(matches!(Store::open(&dead.join("s.db"), Limits::default(), None), Err(StoreError::Open(_))));
}

#[tokio::test]
async fn a_store_that_is_closed_is_its_database_and_the_documents() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    for number in 0..3 {
        let store = Store::open(&path, Limits::default(), None).unwrap();
        let id = format!("q-{number}");
        // The first time there are no documents yet, and nothing of the log is needed.
        let document = (number > 0).then(|| Bytes::from(id.clone()));
        store.commit(create("globex", Entity { document, ..quote(&id, &id) })).await.unwrap();
        let list = store.list(&partner("globex"), &kind(), page(9)).await.unwrap();
        let documents: Vec<_> = list.entities.into_iter().filter_map(|entity| entity.document).collect();
        assert_eq!((list.total, documents.len() as u64), (number + 1, number));
        drop(store);
        // Whoever opens it waits for the one that closes it.
        drop(log::Log::hold(&path, Duration::from_secs(20)).unwrap());
        let exists = |ending: &str| folder.path().join(format!("s.db{ending}")).exists();
        let found = [exists(""), exists("-log0"), exists("-log1"), exists("-log2")];
        assert_eq!(found, [true, false, number > 0, false]);
    }
}

#[tokio::test]
async fn a_reference_that_moves_is_read_so_at_once() {
    on_each(async |store| {
        let globex = partner("globex");
        store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
        store.commit(create("globex", quote("q-2", "O-1"))).await.unwrap();
        let moved = Change::Update(Box::new(Entity { version: 0, ..quote("q-2", "O-2") }));
        store.commit(Batch::new(globex.clone()).with(moved)).await.unwrap();
        let wanted = vec![(kind(), legacy("O-1")), (kind(), legacy("O-2"))];
        let found = store.to_sonata(&globex, &acme(), wanted).await.unwrap();
        assert_eq!(found[&(kind(), legacy("O-1"))], sonata("q-1"));
        assert_eq!(found[&(kind(), legacy("O-2"))], sonata("q-2"));
    })
    .await;
}
