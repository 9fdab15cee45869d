//! Events as tasks of the store: what is scheduled with a change, and what a delivery finds again.

use bytes::Bytes;

use super::{Event, Subscription};
use crate::{
    ids::{BuyerId, PartnerId, SellerId, SonataId, TaskId},
    json::{Builder, Document, Node},
    sonata::{
        Function,
        entity::EntityKind,
        events::{self, EventFacts},
    },
    store::{Kind, Queue, Task},
};

/// What an event is about.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Whose entity it is.
    pub partner: &'a PartnerId,
    /// What it is.
    pub kind: EntityKind,
    /// Its id.
    pub id: &'a SonataId,
    /// Its document.
    pub document: Node<'a>,
    /// When it changed, RFC 3339.
    pub at: &'a str,
}

/// When it is told.
#[derive(Debug, Clone, Copy)]
pub struct When {
    /// Now, in milliseconds since 1970.
    pub now_ms: i64,
    /// When it is due.
    pub due_ms: i64,
}

/// The task that delivers an event to a subscription. All of one entity and subscription are done one after the other.
#[must_use]
pub fn task(
    (id, event_id): (TaskId, &str),
    event: &Event,
    about: &About<'_>,
    subscription: &Subscription,
    when: When,
) -> Task {
    let payload = payload(event_id, event, about, subscription);
    let lane = format!("{}/{}/{}", subscription.id, about.kind.name(), about.id.as_str());
    Task {
        subject: Some((Kind::new(about.kind.name()), about.id.clone())),
        due_ms: when.due_ms,
        ..Task::new(id, about.partner.clone(), Queue::Delivery, lane, when.now_ms, payload)
    }
}

fn payload(event_id: &str, event: &Event, about: &About<'_>, subscription: &Subscription) -> Bytes {
    let mut builder = Builder::new();
    let inner = builder.object();
    let href = about.document.get("href").and_then(Node::as_str);
    let members = [
        ("id", Some(about.id.as_str())),
        ("href", href.as_deref()),
        (event.facts.item.unwrap_or_default(), event.item.as_deref()),
        (event.facts.element.unwrap_or_default(), event.element.as_deref()),
        ("buyerId", subscription.buyer.as_ref().map(BuyerId::as_str)),
        ("sellerId", subscription.seller.as_ref().map(SellerId::as_str)),
    ];
    for (name, value) in members {
        if let (false, Some(value)) = (name.is_empty(), value) {
            let value = builder.string(value);
            builder.set(inner, name, value);
        }
    }
    let envelope = builder.object();
    for (name, value) in
        [("eventId", event_id), ("eventTime", about.at), ("eventType", event.facts.event_type)]
    {
        let value = builder.string(value);
        builder.set(envelope, name, value);
    }
    builder.set(envelope, "event", inner);
    let root = builder.object();
    let state = state(event, about);
    let members = [
        ("function", Some(event.facts.function.name())),
        ("subscription", Some(subscription.id.as_str())),
        ("state", state.as_deref()),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            let value = builder.string(value);
            builder.set(root, name, value);
        }
    }
    builder.set(root, "message", envelope);
    builder.finish(root).bytes()
}

/// The state of what an event is about, as it was when it was told: from kylie on events carry it.
fn state<'a>(event: &Event, about: &About<'a>) -> Option<std::borrow::Cow<'a, str>> {
    let facts = about.kind.facts();
    let is_item = |item: &Node<'a>| {
        event.item.as_deref().is_some_and(|id| item.get("id").is_some_and(|own| own.is_text(id)))
    };
    let own = match (event.facts.item, facts.items) {
        (Some(_), Some(items)) => about.document.get(items)?.elements().find(is_item)?,
        _ => about.document,
    };
    own.get(facts.state?)?.as_str()
}

/// What a delivery needs of its task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Which event it is.
    pub facts: &'static EventFacts,
    /// The subscription that it goes to.
    pub subscription: String,
    /// The state that the entity, or the item, had then.
    pub state: Option<String>,
    /// Its `eventId`: the same however often it is sent.
    pub event_id: String,
    /// What is sent.
    pub body: Bytes,
}

impl Message {
    /// Of the payload of a task; none where it is not one of ours.
    #[must_use]
    pub fn read(payload: &Bytes) -> Option<Self> {
        let document = Document::parse(payload.clone(), &crate::json::Limits::default()).ok()?;
        let text = |node: Node<'_>, name: &str| Some(node.get(name)?.as_str()?.into_owned());
        let message = document.root().get("message")?;
        let function = Function::parse(&text(document.root(), "function")?)?;
        Some(Self {
            facts: events::event(function, &text(message, "eventType")?)?,
            subscription: text(document.root(), "subscription")?,
            state: text(document.root(), "state"),
            event_id: text(message, "eventId")?,
            body: Bytes::copy_from_slice(message.raw().as_bytes()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        notify::{By, changed},
        sonata::{Options, Release, catalogue, check},
    };

    #[test]
    fn every_event_is_as_the_contract_has_it_and_is_read_back() {
        let (partner, id) = (PartnerId::parse("globex").unwrap(), SonataId::parse("e-1").unwrap());
        let subscription = Subscription {
            id: "s-1".to_owned(),
            callback: "https://buyer.example".to_owned(),
            query: None,
            buyer: Some(BuyerId::parse("b1").unwrap()),
            seller: Some(SellerId::parse("s1").unwrap()),
        };
        let document =
            Document::from_text(r#"{"id":"e-1","href":"https://s.example/q/e-1","state":"s","status":"s"}"#)
                .unwrap();
        let when = When { now_ms: 5, due_ms: 9 };
        for facts in events::EVENTS {
            let event = Event {
                facts,
                item: facts.item.map(|_| "1".to_owned()),
                element: facts.element.map(|_| "m".to_owned()),
            };
            let about = About {
                partner: &partner,
                kind: facts.kind,
                id: &id,
                document: document.root(),
                at: "2026-10-01T12:00:00.000Z",
            };
            let task = task((TaskId::parse("t").unwrap(), "ev-1"), &event, &about, &subscription, when);
            assert_eq!((task.due_ms, task.made_ms, task.queue), (9, 5, Queue::Delivery));
            assert_eq!(task.lane, format!("s-1/{}/e-1", facts.kind.name()));
            let read = Message::read(&task.payload).unwrap();
            assert_eq!(
                (read.facts, read.subscription.as_str(), read.event_id.as_str()),
                (facts, "s-1", "ev-1")
            );
            let has_state = facts.item.is_none() && facts.kind.facts().state.is_some();
            assert_eq!(read.state.as_deref(), has_state.then_some("s"), "{}", facts.path);
            let contract = events::listener(Release::GRACE, facts.function).unwrap();
            let path = format!("/listener/{}", facts.path);
            let operation = contract.operations.iter().find(|one| one.path_text() == path).unwrap();
            let body = Document::parse(read.body, &crate::json::Limits::default()).unwrap();
            let products = catalogue().products(Release::GRACE);
            let checked = check(body.root(), contract, operation.request.unwrap(), &Options::new(&products));
            assert!(checked.is_valid() && checked.unknown.is_empty(), "{path}: {:?}", checked.faults);
            for (name, value) in [("buyerId", "b1"), ("sellerId", "s1"), ("id", "e-1")] {
                let member = body.root().get("event").and_then(|event| event.get(name)).unwrap();
                assert!(member.is_text(value), "{path}: {name}");
            }
        }
        assert!(Message::read(&Bytes::from_static(b"{}")).is_none());
        let quote = Document::from_text(r#"{"state":"b"}"#).unwrap();
        let before = Document::from_text(r#"{"state":"a"}"#).unwrap();
        assert_eq!(changed(EntityKind::Quote, Some(before.root()), quote.root(), By::Other).len(), 1);
    }
}
