//! What only the PostgreSQL store promises: instances beside each other, and a server that goes away.

use std::{collections::HashSet, sync::Arc, time::Duration};

use super::*;
use crate::store::{
    Change, Conflict, Store,
    tests::{
        create, kind, partner, quote,
        server::{self, Server},
        sonata,
        tasks::{change, claim, names, schedule, settle, task},
    },
};

/// Two instances on one database.
async fn two(server: &Server) -> (String, Store, Store) {
    let database = server.database().await;
    // They start at once, and one of them makes the tables.
    let (one, other) = tokio::join!(server.instance(&database), server.instance(&database));
    (database, one, other)
}

#[tokio::test]
async fn of_two_instances_that_change_one_entity_one_wins() {
    let Some(server) = server::get() else { return };
    let (_, one, other) = two(server).await;
    one.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
    let read = other.entity(&partner("globex"), &kind(), &sonata("q-1")).await.unwrap();
    assert_eq!(read, Some(quote("q-1", "O-1")));
    let update = |state: &str| {
        let entity = Entity { state: Some(state.to_owned()), ..quote("q-1", "O-1") };
        Batch::new(partner("globex")).with(Change::Update(Box::new(entity)))
    };
    let (a, b) = tokio::join!(one.commit(update("accepted")), other.commit(update("cancelled")));
    let lost = Err(Conflict::Version.into());
    assert!((a == Ok(()) && b == lost) || (a == lost && b == Ok(())), "{a:?} {b:?}");
    assert_eq!(other.commit(create("globex", quote("q-1", "O-1"))).await, Err(Conflict::Exists.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instances_never_have_the_same_task_and_keep_the_order_of_lanes() {
    let Some(server) = server::get() else { return };
    let (_, one, other) = two(server).await;
    for round in 0..10 {
        let tasks = (0..20).map(|lane| task(&format!("t-{lane}-{round}"), &format!("l-{lane}"), 1));
        // Either of them adds to the lanes.
        let by = if round % 2 == 0 { &one } else { &other };
        by.commit(schedule(tasks)).await.unwrap();
    }
    let done = Arc::new(std::sync::Mutex::new(Vec::new()));
    let work = |store: Store| {
        let done = Arc::clone(&done);
        tokio::spawn(async move {
            loop {
                let claimed = store.claim(Queue::Delivery, 10, 60_000, 5).await.unwrap();
                if claimed.is_empty() && store.next_due(Queue::Delivery).await.unwrap().is_none() {
                    return;
                }
                for (lease, task) in claimed {
                    done.lock().unwrap().push(task.id.as_str().to_owned());
                    settle(&store, &lease).await.unwrap();
                }
            }
        })
    };
    let workers = [work(one.clone()), work(one.clone()), work(other.clone()), work(other.clone())];
    for worker in workers {
        tokio::time::timeout(Duration::from_mins(1), worker).await.expect("a lane stands still").unwrap();
    }
    let done = done.lock().unwrap();
    assert_eq!((done.len(), done.iter().collect::<HashSet<_>>().len()), (200, 200));
    for lane in 0..20 {
        let begin = format!("t-{lane}-");
        let order: Vec<_> = done.iter().filter_map(|name| name.strip_prefix(&begin)).collect();
        assert_eq!(order, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], "lane {lane}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lanes_that_everybody_changes_at_once_always_have_a_first_task() {
    let Some(server) = server::get() else { return };
    let (database, one, other) = two(server).await;
    let work = |store: Store, who: u8| {
        tokio::spawn(async move {
            for round in 0..60 {
                let tasks =
                    (0..3).map(|lane| task(&format!("t-{who}-{round}-{lane}"), &format!("l-{lane}"), 1));
                store.commit(schedule(tasks)).await.unwrap();
                for (lease, _) in store.claim(Queue::Delivery, 10, 60_000, 2).await.unwrap() {
                    settle(&store, &lease).await.unwrap();
                }
                let give_up = Change::Unschedule { queue: Queue::Delivery, kind: kind(), id: sonata("q-1") };
                store.commit(change(give_up)).await.unwrap();
            }
        })
    };
    for worker in [work(one.clone(), 0), work(other.clone(), 1), work(one, 2), work(other, 3)] {
        worker.await.unwrap();
    }
    let wrong = "SELECT count(*) FROM (SELECT lane_key FROM tasks WHERE dead_ms IS NULL
        GROUP BY lane_key HAVING count(*) FILTER (WHERE head) <> 1) AS lanes";
    let wrong: i64 = server.client(&database).await.query_one(wrong, &[]).await.unwrap().get(0);
    assert_eq!(wrong, 0);
}

#[tokio::test]
async fn what_a_killed_instance_had_is_taken_over_when_its_lease_ends() {
    let Some(server) = server::get() else { return };
    let (_, one, other) = two(server).await;
    one.commit(schedule([task("a-1", "a", 10), task("a-2", "a", 10)])).await.unwrap();
    let held = claim(&one, 10).await;
    drop(one);
    assert_eq!(names(&claim(&other, 1009).await), "");
    let taken = claim(&other, 1010).await;
    assert_eq!(names(&taken), "a-1");
    assert_eq!(settle(&other, &held[0].0).await, Err(Conflict::Lease.into()));
    settle(&other, &taken[0].0).await.unwrap();
    assert_eq!(names(&claim(&other, 1010).await), "a-2");
}

#[tokio::test]
async fn a_connection_that_broke_is_made_again() {
    let Some(server) = server::get() else { return };
    let database = server.database().await;
    let store = server.instance(&database).await;
    store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = $1 AND pid <> pg_backend_pid() AND application_name = 'segue'";
    let admin = server.client(&database).await;
    assert!(!admin.query(end, &[&database]).await.unwrap().is_empty());
    // The first may meet the broken connection and says so; nothing hangs, and nothing is done twice.
    let mut tries = 0;
    while let Err(error) = store.commit(create("globex", quote("q-2", "O-2"))).await {
        assert!(matches!(error, StoreError::Failed(_) | StoreError::Unknown(_)), "{error}");
        tries += 1;
        assert!(tries < 3);
    }
    while store.entity(&partner("globex"), &kind(), &sonata("q-2")).await.is_err() {
        tries += 1;
        assert!(tries < 6);
    }
    assert!(store.entity(&partner("globex"), &kind(), &sonata("q-2")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_batch_that_fails_keeps_no_other_from_being_committed() {
    let Some(server) = server::get() else { return };
    let store = server.store().await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..60 {
        let store = store.clone();
        let id = format!("q-{}", if number % 10 == 9 { number - 1 } else { number });
        waiting.spawn(async move { store.commit(create("globex", quote(&id, &id))).await });
    }
    let results = waiting.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 54);
    assert!(results.iter().all(|r| matches!(r, Ok(()) | Err(StoreError::Conflict(Conflict::Exists)))));
}

#[tokio::test]
async fn what_waits_shares_a_transaction() {
    let Some(server) = server::get() else { return };
    let metrics = Arc::new(Metrics::new().unwrap());
    let settings = server.settings(&server.database().await);
    let store = Store::postgres(&settings, Some(Arc::clone(&metrics))).await.unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..200 {
        let (store, id) = (store.clone(), format!("q-{number}"));
        waiting.spawn(async move { store.commit(create("globex", quote(&id, &id))).await.unwrap() });
    }
    waiting.join_all().await;
    let text = metrics.render();
    let counted = |name: &str| -> u32 {
        text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().parse().unwrap()
    };
    assert_eq!(counted("segue_store_jobs_total"), 200);
    assert!(counted("segue_store_commits_total{outcome=\"committed\"}") < 20, "{text}");
}

#[tokio::test]
async fn texts_that_the_database_cannot_hold_are_kept_nearly() {
    let Some(server) = server::get() else { return };
    let store = server.store().await;
    let odd = Entity { external_id: Some("a\0b".to_owned()), ..quote("q-1", "O-1") };
    store.commit(create("globex", odd)).await.unwrap();
    let filter = ListFilter { external_id: Some("a\0b".to_owned()), limit: 9, ..ListFilter::default() };
    let page = store.list(&partner("globex"), &kind(), filter).await.unwrap();
    assert_eq!(page.entities[0].external_id.as_deref(), Some("a\u{fffd}b"));
}

#[tokio::test]
async fn tls_is_used_where_it_is_asked_for_and_holds_the_server_to_its_name() {
    let Some(server) = server::get() else { return };
    let database = server.database().await;
    drop(server.instance(&database).await);
    let config = |ca: &str| {
        use rustls::pki_types::{CertificateDer, pem::PemObject as _};
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        Some(Arc::new(builder.unwrap().with_root_certificates(roots).with_no_client_auth()))
    };
    let settings = Settings { tls: config(&server.ca), ..server.settings(&database) };
    let store = Store::postgres(&settings, None).await.unwrap();
    store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
    let encrypted = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE ssl AND datname = $1 AND application_name = 'segue'";
    let row = server.client(&database).await.query_one(encrypted, &[&database]).await.unwrap();
    assert!(row.get::<_, i64>(0) > 0);
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    let settings = Settings { tls: config(&other), ..server.settings(&database) };
    assert!(matches!(Store::postgres(&settings, None).await, Err(StoreError::Open(_))));
    // The certificate is not the address's.
    let url = Secret::new(server.url(&database).replace("localhost", "127.0.0.1"));
    let settings = Settings { url, tls: config(&server.ca), ..server.settings(&database) };
    assert!(matches!(Store::postgres(&settings, None).await, Err(StoreError::Open(_))));
}

#[tokio::test]
async fn databases_that_cannot_be_used_are_refused_without_the_password() {
    let Some(server) = server::get() else { return };
    let database = server.database().await;
    drop(server.instance(&database).await);
    let open = async |url: String| {
        let settings = Settings {
            url: Secret::new(url),
            connect_max: Duration::from_millis(500),
            ..server.settings(&database)
        };
        let error = Store::postgres(&settings, None).await.unwrap_err();
        assert!(matches!(error, StoreError::Open(_)), "{error:?}");
        let text = format!("{error} {error:?} {settings:?}");
        assert!(!text.contains("unused"), "{text}");
        text
    };
    let url = server.url(&database);
    assert!(open(url.replace("postgresql:", "gopher:")).await.contains("cannot be read"));
    assert!(open("user=segue password=unused".to_owned()).await.contains("names no host"));
    assert!(open(format!("{url}?sslmode=require")).await.contains("add `tls: {}`"));
    open("postgresql://segue:unused@127.0.0.1:1/segue".to_owned()).await;
    assert!(open(server.url("nowhere")).await.contains("does not exist"));
    server.client(&database).await.batch_execute("UPDATE segue_schema SET version = 99").await.unwrap();
    assert!(open(url).await.contains("newer version"));
    // Tables of somebody else.
    let foreign = server.database().await;
    server.client(&foreign).await.batch_execute("CREATE TABLE entities (a int)").await.unwrap();
    assert!(open(server.url(&foreign)).await.contains("already exists"));
}

#[test]
fn lanes_of_other_names_have_other_numbers() {
    let of = |partner_name: &str, queue, lane: &str| {
        super::change::lane_key(&Task {
            partner: partner(partner_name),
            queue,
            lane: lane.to_owned(),
            ..task("t", "l", 1)
        })
    };
    let keys = [
        of("globex", Queue::Delivery, "ab"),
        of("globex", Queue::Timer, "ab"),
        of("globex", Queue::Delivery, "a"),
        of("globexd", Queue::Delivery, "b"),
    ];
    assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
    assert_eq!(keys[0], of("globex", Queue::Delivery, "ab"));
}
