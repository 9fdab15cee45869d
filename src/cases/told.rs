//! What a message of a legacy system changed: the partner's entities as they are then, and the events that are on their way.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    custody,
    ids::PartnerId,
    json::{Builder, Document, Limits},
    notify,
    sonata::entity::EntityKind,
    store::{ListFilter, Queue, Store, StoreError},
};

/// Entities of a kind, and events, that are looked at; a case has few.
const LOOKED_AT_MAX: u64 = 1000;

/// What a store had at a moment.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// By `kind/id`, in the order of kinds: the version and the document.
    entities: BTreeMap<String, (u64, Option<Document>)>,
    events: Vec<(String, Document)>,
}

/// Looks at what is kept for a partner.
///
/// # Errors
/// The store's.
pub(super) async fn look(store: &Store, partner: &str) -> Result<Seen, StoreError> {
    let partner = PartnerId::parse(partner).map_err(|error| StoreError::Failed(error.to_string()))?;
    let mut seen = Seen::default();
    let read = |bytes: bytes::Bytes| Document::parse(bytes, &Limits::default()).ok();
    for kind in EntityKind::all() {
        let filter = ListFilter { limit: LOOKED_AT_MAX, ..ListFilter::default() };
        for entity in store.list(&partner, &custody::kind_of(kind), filter).await?.entities {
            let name = format!("{}/{}", kind.name(), entity.id);
            seen.entities.insert(name, (entity.version, entity.document.and_then(read)));
        }
    }
    for task in store.tasks(&partner, Queue::Delivery, false, (0, LOOKED_AT_MAX)).await?.tasks {
        if let Some(message) = notify::Message::read(&task.payload).and_then(|message| read(message.body)) {
            seen.events.push((task.id.as_str().to_owned(), message));
        }
    }
    Ok(seen)
}

/// `{ "entities": { "quote/ID": … }, "events": [ { "eventType": …, "event": … } ] }`: what is another since, and what is new.
pub(super) fn told(before: &Seen, after: &Seen) -> Document {
    let mut builder = Builder::new();
    let (root, entities, events) = (builder.object(), builder.object(), builder.array());
    for (name, (version, document)) in &after.entities {
        let is_same = before.entities.get(name).is_some_and(|(known, _)| known == version);
        if let (false, Some(document)) = (is_same, document) {
            let document = builder.copy(document.root());
            builder.set(entities, name.as_str(), document);
        }
    }
    let known: BTreeSet<&str> = before.events.iter().map(|(id, _)| id.as_str()).collect();
    for (_, message) in after.events.iter().filter(|(id, _)| !known.contains(id.as_str())) {
        let event = builder.object();
        for name in ["eventType", "event"] {
            if let Some(value) = message.root().get(name) {
                let value = builder.copy(value);
                builder.set(event, name, value);
            }
        }
        builder.push(events, event);
    }
    builder.set(root, "entities", entities);
    builder.set(root, "events", events);
    builder.finish(root)
}
