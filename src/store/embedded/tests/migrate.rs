//! Files of earlier versions are brought up to date, and say the same.

use super::{super::schema, *};

/// A file as version 3 wrote it: ids that are UUIDs and others, and columns that are empty.
fn version_3(path: &Path) {
    let db = rusqlite::Connection::open(path).unwrap();
    for sql in &schema::MIGRATIONS[..3] {
        db.execute_batch(sql).unwrap();
    }
    db.execute_batch(&format!(
        "PRAGMA application_id = {}; PRAGMA user_version = 3;",
        schema::APPLICATION_ID
    ))
    .unwrap();
    db.execute_batch(
        "INSERT INTO entities (partner, kind, id, buyer, backend, legacy_id, parent, version, state, external_id,
             created_ms, updated_ms, document)
         VALUES ('globex', 'quote', '0193e5a2-0000-7000-8000-0000000000ff', 'b', 'acme', 'O-1',
             '0193e5a2-0000-7000-8000-00000000000a', 4, 'inProgress', 'B-1', 1, 2, x'7b7d'),
            ('globex', 'quote', '0193E5A2-0000-7000-8000-0000000000FF', NULL, NULL, NULL, 'q-0', 0, NULL, NULL, 3, 3,
             NULL),
            ('initech', 'quote', '0193e5a2000070008000-0000000000ff-----', NULL, NULL, NULL, NULL, 0, 'x', NULL, 5, 5,
             NULL);
         INSERT INTO refs (seq, partner, backend, kind, sonata_id, legacy_id)
         VALUES (3, 'globex', 'acme', 'quote', 'z', 'O-1'),
             (7, 'globex', 'acme', 'quote', '0193e5a2-0000-7000-8000-0000000000ff', 'O-1');
         INSERT INTO keys VALUES ('globex', 'quote', '0193e5a2-0000-7000-8000-0000000000ff', 'quoteItem', '1', '10');",
    )
    .unwrap();
}

#[tokio::test]
async fn a_file_of_version_3_says_the_same_as_before() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    version_3(&path);
    let store = Store::open(&path, Limits::default(), None).unwrap();
    let globex = partner("globex");
    let uuid = "0193e5a2-0000-7000-8000-0000000000ff";
    let first = store.entity(&globex, &kind(), &sonata(uuid)).await.unwrap().unwrap();
    assert_eq!(
        first,
        Entity {
            buyer: Some(crate::ids::BuyerId::parse("b").unwrap()),
            backend: Some(acme()),
            legacy_id: Some(legacy("O-1")),
            parent: Some(sonata("0193e5a2-0000-7000-8000-00000000000a")),
            version: 4,
            state: Some("inProgress".to_owned()),
            external_id: Some("B-1".to_owned()),
            updated_ms: 2,
            document: Some(Bytes::from_static(b"{}")),
            ..Entity::new(kind(), sonata(uuid), 1)
        }
    );
    // Another spelling is another id.
    let other = store.entity(&globex, &kind(), &sonata(&uuid.to_uppercase())).await.unwrap().unwrap();
    assert_eq!((other.parent, other.state, other.created_ms), (Some(sonata("q-0")), None, 3));
    let odd = sonata("0193e5a2000070008000-0000000000ff-----");
    assert!(store.entity(&partner("initech"), &kind(), &odd).await.unwrap().is_some());
    let wanted = vec![(kind(), legacy("O-1"))];
    assert_eq!(
        store.to_sonata(&globex, &acme(), wanted.clone()).await.unwrap()[&wanted[0]],
        sonata(uuid),
        "the newer one"
    );
    assert_eq!(store.keys(&globex, &kind(), &sonata(uuid)).await.unwrap().len(), 1);
    let child = ListFilter { parent: first.parent.clone(), ..page(9) };
    assert_eq!(store.list(&globex, &kind(), child).await.unwrap().entities, std::slice::from_ref(&first));
    // What comes now comes after what was there, and is held against it.
    assert_eq!(store.commit(create("globex", first)).await, Err(Conflict::Exists.into()));
    store.commit(create("globex", quote("q-9", "O-1"))).await.unwrap();
    store.flush().await;
    let found = store.to_sonata(&globex, &acme(), wanted.clone()).await.unwrap();
    assert_eq!(found[&wanted[0]], sonata("q-9"));
    let list = store.list(&globex, &kind(), page(9)).await.unwrap();
    let ids: Vec<_> = list.entities.iter().map(|entity| entity.id.as_str()).collect();
    assert_eq!(ids, [uuid, &uuid.to_uppercase(), "q-9"]);
    let views = rusqlite::Connection::open(&path).unwrap();
    let told: (String, String) = views
        .query_row("SELECT partner, id FROM readable_entities WHERE state = 'inProgress'", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(told, ("globex".to_owned(), uuid.to_owned()));
    let reference: i64 = views.query_row("SELECT max(seq) FROM readable_refs", [], |row| row.get(0)).unwrap();
    assert_eq!(reference, 8);
}
