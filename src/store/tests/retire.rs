//! What ended long ago goes, and only that.

use std::sync::Arc;

use bytes::Bytes;

use super::{super::*, acme, create, kind, legacy, on_each, page, partner, quote, sonata};
use crate::ids::TaskId;

fn order() -> Kind {
    Kind::new("productOrder")
}

/// Quotes end as `accepted` or `expired`, before 100; orders as `completed`, before 50.
fn rules() -> Arc<[Retirement]> {
    let rule = |kind: Kind, items: &'static str, ended: &[&str], before_ms| Retirement {
        kind,
        items: Some(Kind::new(items)),
        ended: ended.iter().map(|state| (*state).to_owned()).collect(),
        before_ms,
    };
    [
        rule(kind(), "quoteItem", &["accepted", "expired"], 100),
        rule(order(), "productOrderItem", &["completed"], 50),
    ]
    .into()
}

fn ended(id: &str, state: &str, at_ms: i64) -> Entity {
    Entity {
        state: Some(state.to_owned()),
        created_ms: at_ms,
        updated_ms: at_ms,
        ..quote(id, &format!("O-{id}"))
    }
}

/// Walks to the end in steps of so many rows; how many of each kind went.
async fn walk(store: &Store, rows: usize) -> Vec<(String, u64)> {
    let (mut from, mut sums) = (None, std::collections::BTreeMap::<String, u64>::new());
    loop {
        let retired = store.retire(rules(), from, rows).await.unwrap();
        for (kind, count) in retired.removed {
            *sums.entry(kind.as_str().to_owned()).or_default() += count;
        }
        from = retired.next;
        if from.is_none() {
            return sums.into_iter().collect();
        }
    }
}

async fn left(store: &Store, name: &str, kind: &Kind) -> String {
    let found = store.list(&partner(name), kind, page(100)).await.unwrap().entities;
    let mut ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    ids.join(" ")
}

#[tokio::test]
async fn only_what_ended_long_ago_and_nothing_needs_goes() {
    on_each(async |store| {
        let charge =
            |id: &str, state: &str, of: &str| Entity { parent: Some(sonata(of)), ..ended(id, state, 10) };
        let orders = [
            ("o-old", "completed", 40),
            ("o-young", "completed", 60),
            ("o-open", "inProgress", 1),
            ("o-owner", "completed", 40),
        ];
        for (id, state, at_ms) in orders {
            store
                .commit(create("globex", Entity { kind: order(), ..ended(id, state, at_ms) }))
                .await
                .unwrap();
        }
        let quotes = [
            ended("old", "expired", 99),
            Entity { updated_ms: 100, ..ended("moved", "expired", 5) },
            ended("open", "inProgress", 5),
            ended("timed", "expired", 5),
            // It belongs to an order that is kept, to one that goes, and to one that is not there.
            charge("of-kept", "accepted", "o-young"),
            charge("of-open", "accepted", "o-open"),
            charge("of-nothing", "accepted", "o-gone"),
            // It has not ended, and so its order stays.
            charge("unended", "inProgress", "o-owner"),
            // A walk ends at the first that is too young, as those behind it are younger.
            ended("young", "expired", 100),
        ];
        for entity in quotes {
            store.commit(create("globex", entity)).await.unwrap();
        }
        store.commit(create("initech", ended("old", "expired", 1))).await.unwrap();
        let task = Task {
            subject: Some((kind(), sonata("timed"))),
            ..Task::new(
                TaskId::parse("t").unwrap(),
                partner("globex"),
                Queue::Timer,
                "l".to_owned(),
                0,
                Bytes::new(),
            )
        };
        store.commit(Batch::new(partner("globex")).with(Change::Schedule(Box::new(task)))).await.unwrap();
        let pairs =
            vec![KeyPair { group: "quoteItem".to_owned(), sonata: "a".to_owned(), legacy: "10".to_owned() }];
        let item = |id: &str| Reference {
            kind: Kind::new("quoteItem"),
            sonata_id: sonata(id),
            backend: acme(),
            legacy_id: legacy(id),
        };
        let batch = Batch::new(partner("globex"))
            .with(Change::Remember { kind: kind(), id: sonata("old"), pairs: pairs.clone() })
            .with(Change::Remember { kind: kind(), id: sonata("young"), pairs })
            .with(Change::Refer(item("old/a")))
            .with(Change::Refer(item("older/a")));
        store.commit(batch).await.unwrap();

        assert_eq!(walk(&store, 3).await, [("productOrder".to_owned(), 1), ("quote".to_owned(), 3)]);
        assert_eq!(left(&store, "globex", &kind()).await, "moved of-kept of-open open timed unended young");
        assert_eq!(left(&store, "globex", &order()).await, "o-open o-owner o-young");
        assert_eq!(left(&store, "initech", &kind()).await, "");
        // With it went what was known by its id, and nothing else.
        let globex = partner("globex");
        let items = ["old/a", "older/a"].map(|id| (Kind::new("quoteItem"), sonata(id)));
        let wanted = [(kind(), sonata("old")), (kind(), sonata("young"))].into_iter().chain(items).collect();
        let found = store.to_legacy(&globex, &acme(), wanted).await.unwrap();
        let mut found: Vec<&str> = found.keys().map(|(_, id)| id.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, ["older/a", "young"]);
        let keys = async |id: &str| store.keys(&globex, &kind(), &sonata(id)).await.unwrap().len();
        assert_eq!((keys("old").await, keys("young").await), (0, 1));
        // Once nothing waits, and its order is gone, it goes as well.
        let give_up = Change::Unschedule { queue: Queue::Timer, kind: kind(), id: sonata("timed") };
        store.commit(Batch::new(globex.clone()).with(give_up)).await.unwrap();
        assert_eq!(walk(&store, 100).await, [("quote".to_owned(), 1)]);
        assert_eq!(walk(&store, 100).await, []);
        // An id that is free may be taken again.
        store.commit(create("globex", ended("old", "expired", 99))).await.unwrap();
        assert!(left(&store, "globex", &kind()).await.contains(" old "));
    })
    .await;
}

#[tokio::test]
async fn what_is_forgotten_goes_in_small_steps() {
    on_each(async |store| {
        for number in 0..1200 {
            let key = IdempotencyKey { operation: "quote.createQuote".to_owned(), key: format!("k{number}") };
            let begin = Change::Begin { key, body_hash: [1; 32], exchange: super::exchange("e"), at_ms: 5 };
            store.commit(Batch::new(partner("globex")).with(begin)).await.unwrap();
        }
        let mut steps = Vec::new();
        loop {
            match store.forget(0, 6, 0).await.unwrap() {
                0 => break,
                rows => steps.push(rows),
            }
        }
        assert_eq!(steps, [500, 500, 200]);
    })
    .await;
}
