use bytes::Bytes;

use crate::{
    custody::{Begun, Owner, adopt, begin},
    ids::{BackendId, BuyerId, ExchangeId, LegacyId, PartnerId, SonataId},
    sonata::entity::EntityKind,
    store::{Batch, Change, IdempotencyKey, Kind, RememberedAnswer, Store},
};

fn partner() -> PartnerId {
    PartnerId::parse("globex").unwrap()
}

fn owner(buyer: Option<&str>) -> Owner {
    Owner { partner: partner(), buyer: buyer.map(|buyer| BuyerId::parse(buyer).unwrap()), seller: None }
}

fn key() -> IdempotencyKey {
    IdempotencyKey { operation: "quote.createQuote".to_owned(), key: "k".to_owned() }
}

fn attempt(exchange: &str, body: u8) -> Batch {
    Batch::new(partner()).with(Change::Begin {
        key: key(),
        body_hash: [body; 32],
        exchange: ExchangeId::parse(exchange).unwrap(),
        at_ms: 1,
    })
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let store = Store::memory().unwrap();
    let race = tokio::join!(begin(&store, attempt("e-1", 1)), begin(&store, attempt("e-2", 1)));
    // Which of the two is first is open; that one is, and the other learns who, is not.
    let (winner, loser) = if race.0 == Ok(Begun::Fresh) { ("e-1", race.1) } else { ("e-2", race.0) };
    assert!(matches!(loser, Ok(Begun::Running(known)) if known.exchange.as_str() == winner));
    assert_eq!(begin(&store, attempt("e-3", 2)).await, Ok(Begun::OtherBody(key())));
    let answer = RememberedAnswer { status: 201, body: Bytes::from_static(b"{}"), entity: None };
    let finish = Change::Finish { key: key(), status: 201, answer: answer.body.clone(), entity: None };
    store.commit(Batch::new(partner()).with(finish)).await.unwrap();
    assert_eq!(begin(&store, attempt("e-4", 1)).await, Ok(Begun::Again(answer)));
    assert_eq!(begin(&store, attempt("e-5", 2)).await, Ok(Begun::OtherBody(key())));
    // Without a key every request is the first.
    assert_eq!(begin(&store, Batch::new(partner())).await, Ok(Begun::Fresh));
}

#[tokio::test]
async fn another_buyers_entity_is_unknown() {
    let store = Store::memory().unwrap();
    let id = SonataId::parse("q-1").unwrap();
    let entity = owner(Some("b1")).entity(EntityKind::Quote, id.clone(), 5);
    let batch = Batch::new(partner()).with(Change::Create(Box::new(entity.clone())));
    store.commit(batch).await.unwrap();
    let find = async |buyer| owner(buyer).find(&store, EntityKind::Quote, &id).await.unwrap();
    assert_eq!(find(Some("b1")).await, Some(entity));
    assert_eq!((find(Some("b2")).await, find(None).await), (None, None));
}

#[tokio::test]
async fn ids_that_the_legacy_system_names_are_adopted_once() {
    let store = Store::memory().unwrap();
    let acme = BackendId::parse("acme").unwrap();
    let address = |id: &str| (Kind::new("geographicAddress"), LegacyId::parse(id).unwrap());
    let mut next = 0;
    let mut new_id = || {
        next += 1;
        SonataId::parse(&format!("s-{next}")).unwrap()
    };
    let wanted = vec![address("1"), address("2"), address("1")];
    let first = adopt(&store, &partner(), &acme, wanted, &mut new_id).await.unwrap();
    assert_eq!((first.ids.len(), first.changes.len()), (2, 2));
    let batch = Batch { partner: partner(), changes: first.changes };
    store.commit(batch).await.unwrap();
    let second =
        adopt(&store, &partner(), &acme, vec![address("2"), address("3")], &mut new_id).await.unwrap();
    assert_eq!((second.ids[&address("2")].as_str(), second.ids[&address("3")].as_str()), ("s-2", "s-3"));
    assert_eq!(second.changes.len(), 1);
}
