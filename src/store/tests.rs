//! One suite for every adapter's promises.

use bytes::Bytes;
use tempfile::TempDir;

use super::*;
use crate::{
    ids::{BackendId, ExchangeId, LegacyId, PartnerId, SonataId},
    telemetry::Secret,
};
use std::time::Duration;

mod retire;
pub(super) mod server;
pub(super) mod tasks;
mod tasks_model;

impl server::Server {
    pub(super) fn settings(&self, database: &str) -> PostgresSettings {
        PostgresSettings {
            url: Secret::new(self.url(database)),
            tls: None,
            connections_max: 4,
            connect_max: Duration::from_secs(10),
            statement_max: Duration::from_secs(30),
            queue_max: 4096,
        }
    }

    /// An instance on a database.
    pub(super) async fn instance(&self, database: &str) -> Store {
        Store::postgres(&self.settings(database), None).await.unwrap()
    }

    /// An instance on a database of its own.
    pub(super) async fn store(&self) -> Store {
        self.instance(&self.database().await).await
    }
}

pub(super) fn partner(name: &str) -> PartnerId {
    PartnerId::parse(name).unwrap()
}

pub(super) fn kind() -> Kind {
    Kind::new("quote")
}

pub(super) fn sonata(id: &str) -> SonataId {
    SonataId::parse(id).unwrap()
}

pub(super) fn legacy(id: &str) -> LegacyId {
    LegacyId::parse(id).unwrap()
}

pub(super) fn acme() -> BackendId {
    BackendId::parse("acme").unwrap()
}

pub(super) fn exchange(id: &str) -> ExchangeId {
    ExchangeId::parse(id).unwrap()
}

pub(super) fn quote(id: &str, legacy_id: &str) -> Entity {
    Entity {
        backend: Some(acme()),
        legacy_id: Some(legacy(legacy_id)),
        state: Some("inProgress".to_owned()),
        external_id: Some(format!("B-{id}")),
        document: Some(Bytes::from_static(b"{\"price\":1.10}")),
        ..Entity::new(kind(), sonata(id), 1000)
    }
}

pub(super) fn create(name: &str, entity: Entity) -> Batch {
    Batch::new(partner(name)).with(Change::Create(Box::new(entity)))
}

/// Runs a test on every adapter, if there is a PostgreSQL server. Of the embedded one a folder stands behind the first. There once with what was committed still before the
/// database, once with it in there, and once with callers that commit by themselves.
pub(super) async fn on_each<F: Future<Output = ()>>(test: impl Fn(Store) -> F) {
    let folder = TempDir::new().unwrap();
    test(Store::open(&folder.path().join("deep/er/segue.db"), Limits::default(), None).unwrap()).await;
    let at_once = Limits { apply_batches: 1, ..Limits::default() };
    test(Store::open(&folder.path().join("segue.db"), at_once, None).unwrap()).await;
    let quick = Store::open(&folder.path().join("quick.db"), super::embedded::quick(), None).unwrap();
    for _ in 0..8 {
        quick.probe().await.unwrap();
    }
    test(quick).await;
    test(Store::memory().unwrap()).await;
    if let Some(server) = server::get() {
        test(server.store().await).await;
    }
}

#[tokio::test]
async fn an_entity_comes_back_as_it_was_and_only_to_its_partner() {
    on_each(async |store| {
        let entity = Entity {
            buyer: Some(crate::ids::BuyerId::parse("b").unwrap()),
            seller: Some(crate::ids::SellerId::parse("s").unwrap()),
            parent: Some(sonata("p")),
            request: Some(Bytes::from_static(b"{\"n\": 12345678901234567890}")),
            legacy: Some(Bytes::from_static(b"\xff\x00")),
            ..quote("q-1", "O-1")
        };
        store.commit(create("globex", entity.clone())).await.unwrap();
        let read = async |name: &str, kind: &str, id: &str| {
            let kind = Kind::new(kind.to_owned());
            store.entity(&partner(name), &kind, &sonata(id)).await.unwrap()
        };
        assert_eq!(read("globex", "quote", "q-1").await, Some(entity));
        assert_eq!(read("initech", "quote", "q-1").await, None);
        assert_eq!(read("globex", "productOrder", "q-1").await, None);
        // The same ids of another partner stand beside, in both directions of the references too.
        store.commit(create("initech", quote("q-1", "O-2"))).await.unwrap();
        let wanted = vec![(kind(), sonata("q-1")), (kind(), sonata("q-2"))];
        let found = store.to_legacy(&partner("initech"), &acme(), wanted).await.unwrap();
        assert_eq!(found, [((kind(), sonata("q-1")), legacy("O-2"))].into());
        let wanted = vec![(kind(), legacy("O-1")), (kind(), legacy("O-2"))];
        let found = store.to_sonata(&partner("globex"), &acme(), wanted).await.unwrap();
        assert_eq!(found, [((kind(), legacy("O-1")), sonata("q-1"))].into());
        assert_eq!(store.list(&partner("globex"), &kind(), page(9)).await.unwrap().total, 1);
    })
    .await;
}

pub(super) fn page(limit: u64) -> ListFilter {
    ListFilter { limit, ..ListFilter::default() }
}

#[tokio::test]
async fn many_entities_are_read_at_once() {
    on_each(async |store| {
        let kept: Vec<Entity> = (0..3).map(|no| quote(&format!("q-{no}"), &format!("O-{no}"))).collect();
        for entity in &kept {
            store.commit(create("globex", entity.clone())).await.unwrap();
        }
        store.flush().await; // these are read from the database, the next one before it is there
        store.commit(create("globex", quote("q-3", "O-3"))).await.unwrap();
        store.commit(create("initech", quote("q-4", "O-4"))).await.unwrap();
        let wanted = ["q-0", "q-2", "q-3", "q-4", "q-5"].map(sonata).to_vec();
        let mut found = store.entities(&partner("globex"), &kind(), wanted).await.unwrap();
        assert_eq!(found.remove(&sonata("q-2")).as_ref(), kept.get(2));
        let mut rest: Vec<_> = found.keys().map(SonataId::as_str).collect();
        rest.sort_unstable();
        assert_eq!(rest, ["q-0", "q-3"]);
    })
    .await;
}

#[tokio::test]
async fn a_batch_happens_whole_or_not_at_all() {
    on_each(async |store| {
        store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
        let batch = create("globex", quote("q-2", "O-2")).with(Change::Create(Box::new(quote("q-1", "O-3"))));
        assert_eq!(store.commit(batch).await, Err(Conflict::Exists.into()));
        assert_eq!(store.entity(&partner("globex"), &kind(), &sonata("q-2")).await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn of_two_changes_of_one_version_one_wins() {
    on_each(async |store| {
        store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
        let change = |state: &str| {
            let entity = Entity { state: Some(state.to_owned()), updated_ms: 2000, ..quote("q-1", "O-1") };
            Batch::new(partner("globex")).with(Change::Update(Box::new(entity)))
        };
        let (cancel, order) =
            tokio::join!(store.commit(change("cancelled")), store.commit(change("accepted")));
        assert_eq!((cancel, order), (Ok(()), Err(Conflict::Version.into())));
        let read = store.entity(&partner("globex"), &kind(), &sonata("q-1")).await.unwrap().unwrap();
        assert_eq!((read.version, read.state.as_deref(), read.updated_ms), (1, Some("cancelled"), 2000));
        let missing = Batch::new(partner("initech")).with(Change::Update(Box::new(quote("q-1", "O-1"))));
        assert_eq!(store.commit(missing).await, Err(Conflict::Version.into()));
    })
    .await;
}

#[tokio::test]
async fn lists_filter_page_and_count() {
    on_each(async |store| {
        for number in 0..25 {
            let state = if number % 5 == 0 { "cancelled" } else { "inProgress" };
            let entity = Entity { state: Some(state.to_owned()), ..quote(&format!("q-{number}"), "O") };
            store.commit(create("globex", entity)).await.unwrap();
        }
        let list = async |filter| {
            let page = store.list(&partner("globex"), &kind(), filter).await.unwrap();
            (
                page.entities.into_iter().map(|e| e.id.as_str().to_owned()).collect::<Vec<_>>().join(" "),
                page.total,
            )
        };
        assert_eq!(list(ListFilter { offset: 23, ..page(10) }).await, ("q-23 q-24".to_owned(), 25));
        let cancelled = ListFilter { states: vec!["cancelled".to_owned(), "x' OR 1".to_owned()], ..page(2) };
        assert_eq!(list(cancelled).await, ("q-0 q-5".to_owned(), 5));
        let one = ListFilter { external_id: Some("B-q-7".to_owned()), ..page(10) };
        assert_eq!(list(one).await, ("q-7".to_owned(), 1));
        assert_eq!(list(ListFilter { parent: Some(sonata("p")), ..page(10) }).await, (String::new(), 0));
    })
    .await;
}

#[tokio::test]
async fn a_legacy_id_that_comes_again_belongs_to_the_newer_entity() {
    on_each(async |store| {
        store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
        store.commit(create("globex", quote("q-2", "O-1"))).await.unwrap();
        let found =
            store.to_sonata(&partner("globex"), &acme(), vec![(kind(), legacy("O-1"))]).await.unwrap();
        assert_eq!(found[&(kind(), legacy("O-1"))], sonata("q-2"));
        let both = vec![(kind(), sonata("q-1")), (kind(), sonata("q-2"))];
        assert_eq!(store.to_legacy(&partner("globex"), &acme(), both).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn whoever_has_a_legacy_id_is_found() {
    on_each(async |store| {
        store.commit(create("globex", quote("q-1", "O-1"))).await.unwrap();
        store.commit(create("initech", quote("q-2", "O-1"))).await.unwrap();
        store.flush().await; // these are found in the database, the next ones before they are there
        store.commit(create("umbrella", quote("q-3", "O-1"))).await.unwrap();
        store.commit(create("umbrella", quote("q-4", "O-2"))).await.unwrap();
        store.commit(create("hooli", quote("q-5", "O-3"))).await.unwrap();
        let holders = async |backend: &BackendId, kind: &str, ids: &[&str]| {
            let wanted = ids.iter().map(|id| (Kind::new(kind.to_owned()), legacy(id))).collect();
            let mut found: Vec<_> = store.holders(backend, wanted).await.unwrap().into_iter().collect();
            found.sort_by(|one, other| (&one.2, &one.0).cmp(&(&other.2, &other.0)));
            found.into_iter().map(|(who, _, id)| format!("{} {}", id.as_str(), who.as_str())).collect()
        };
        let found: Vec<String> = holders(&acme(), "quote", &["O-1", "O-2", "O-9"]).await;
        assert_eq!(found, ["O-1 globex", "O-1 initech", "O-1 umbrella", "O-2 umbrella"]);
        let (other, none) = (BackendId::parse("other").unwrap(), Vec::<String>::new());
        assert_eq!(holders(&other, "quote", &["O-1"]).await, none);
        assert_eq!(holders(&acme(), "productOrder", &["O-1"]).await, none);
        assert_eq!(holders(&acme(), "quote", &[]).await, none);
    })
    .await;
}

#[tokio::test]
async fn keys_are_remembered_per_entity() {
    on_each(async |store| {
        let pair = |sonata: &str, legacy: &str| KeyPair {
            group: "quoteItem".to_owned(),
            sonata: sonata.to_owned(),
            legacy: legacy.to_owned(),
        };
        let remember = |pairs| {
            Batch::new(partner("globex")).with(Change::Remember { kind: kind(), id: sonata("q-1"), pairs })
        };
        store.commit(remember(vec![pair("a", "10"), pair("b", "20")])).await.unwrap();
        store.commit(remember(vec![pair("b", "30")])).await.unwrap();
        let keys = store.keys(&partner("globex"), &kind(), &sonata("q-1")).await.unwrap();
        assert_eq!(keys, [pair("a", "10"), pair("b", "30")]);
        assert_eq!(store.keys(&partner("globex"), &kind(), &sonata("q-2")).await, Ok(vec![]));
    })
    .await;
}

#[tokio::test]
async fn an_idempotency_key_is_taken_once_and_keeps_the_answer() {
    on_each(async |store| {
        let key = IdempotencyKey { operation: "quote.createQuote".to_owned(), key: "k-1".to_owned() };
        let begin = |id: &str| Change::Begin {
            key: key.clone(),
            body_hash: [7; 32],
            exchange: exchange(id),
            at_ms: 5,
        };
        let batch = |change| Batch::new(partner("globex")).with(change);
        store.commit(batch(begin("e-1"))).await.unwrap();
        assert_eq!(store.commit(batch(begin("e-2"))).await, Err(Conflict::Key.into()));
        // Only its own exchange frees it.
        let abandon = |id: &str| Change::Abandon { key: key.clone(), exchange: exchange(id) };
        store.commit(batch(abandon("e-2"))).await.unwrap();
        let read = async || store.idempotency(&partner("globex"), &key).await.unwrap();
        assert_eq!(read().await.unwrap().exchange, exchange("e-1"));
        store.commit(batch(abandon("e-1"))).await.unwrap();
        assert_eq!(read().await, None);
        store.commit(batch(begin("e-3"))).await.unwrap();
        let entity = Some((kind(), sonata("q-1")));
        let answer = Bytes::from_static(b"{}");
        let finish =
            Change::Finish { key: key.clone(), status: 201, answer: answer.clone(), entity: entity.clone() };
        store.commit(batch(finish)).await.unwrap();
        store.commit(batch(abandon("e-3"))).await.unwrap();
        let remembered = read().await.unwrap();
        assert_eq!((remembered.body_hash, remembered.begun_ms), ([7; 32], 5));
        assert_eq!(remembered.answer, Some(RememberedAnswer { status: 201, body: answer, entity }));
        assert_eq!(store.idempotency(&partner("initech"), &key).await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn the_journal_shows_what_needs_attention_until_it_is_done() {
    on_each(async |store| {
        let entry = |id: &str, call: &str, step, at_ms| JournalEntry {
            exchange: exchange(id),
            operation: "order.createProductOrder".to_owned(),
            call: call.to_owned(),
            step,
            backend: Some(acme()),
            request_crc: Some(1),
            status: (step == Step::Answered).then_some(201),
            reply: (step == Step::Answered).then(|| Bytes::from_static(b"{\"no\":7}")),
            at_ms,
        };
        let write = async |entry: JournalEntry| {
            store.commit(Batch::new(partner("globex")).with(Change::Journal(Box::new(entry)))).await.unwrap();
        };
        let steps = [entry("e-1", "uni[0]", Step::Intent, 10), entry("e-1", "uni[0]", Step::Answered, 20)];
        for step in &steps {
            write(step.clone()).await;
        }
        write(entry("e-2", "uni[0]", Step::Intent, 15)).await;
        write(entry("e-2", "uni[0]", Step::Done, 16)).await;
        assert_eq!(store.journal(&partner("globex"), &exchange("e-1")).await.unwrap(), steps);
        let open = async |name: &str, before| {
            let found = store.unfinished(&partner(name), before, 10).await.unwrap();
            found.into_iter().map(|id| id.as_str().to_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(open("globex", 100).await, "e-1 e-2");
        assert_eq!((open("globex", 12).await, open("initech", 100).await), ("e-1".to_owned(), String::new()));
        write(entry("e-2", "", Step::Done, 30)).await;
        assert_eq!(open("globex", 100).await, "e-1");
        // Only what is done may be forgotten.
        assert_eq!(store.forget(25, 0, 0).await, Ok(0));
        assert_eq!(store.forget(1000, 0, 0).await, Ok(3));
        assert_eq!(open("globex", 100).await, "e-1");
    })
    .await;
}
