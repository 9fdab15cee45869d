//! Who wants to be told of what: the subscriptions at one function's hub.
//!
//! All subscriptions of a partner at one hub are one entity, so that a change finds them with one look by key, on every
//! store and in every instance, and so that they change one after the other.

use bytes::Bytes;

use super::Wanted;
use crate::{
    ids::{BuyerId, PartnerId, SellerId, SonataId},
    json::{Builder, Document, Limits, Node},
    sonata::{Function, events::EventFacts},
    store::{Change, Entity, Kind, Store, StoreError},
};

/// Subscriptions of one partner at one hub.
pub const SUBSCRIPTIONS_MAX: usize = 100;

/// The name under which the store keeps subscriptions.
pub const KIND: &str = "eventSubscription";

/// One subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id, which the Buyer knows.
    pub id: String,
    /// Where its events go.
    pub callback: String,
    /// Which events it wants, as it was written; none where nothing was.
    pub query: Option<String>,
    /// The `buyerId` of its registration, which its events repeat (MEF 115 R5).
    pub buyer: Option<BuyerId>,
    /// The `sellerId` of its registration.
    pub seller: Option<SellerId>,
}

/// Whom something is about or who asks: the parties of an entity and of a request.
pub type Parties<'p> = (Option<&'p BuyerId>, Option<&'p SellerId>);

impl Subscription {
    /// Whether it is of these parties.
    #[must_use]
    pub fn is_of(&self, (buyer, seller): Parties<'_>) -> bool {
        self.buyer.as_ref() == buyer && self.seller.as_ref() == seller
    }

    /// Whether it wants an event.
    #[must_use]
    pub fn takes(&self, event: &EventFacts) -> bool {
        // What cannot be read any more was good once: rather too much is told than too little.
        let wanted = Wanted::parse(event.function, self.query.as_deref().unwrap_or_default());
        wanted.map_or(true, |wanted| wanted.takes(event))
    }
}

/// The subscriptions at one hub.
#[derive(Debug, Clone)]
pub struct Subscriptions {
    /// All of them, oldest first.
    pub list: Vec<Subscription>,
    /// As they are kept; none where there never was one.
    entity: Option<Entity>,
    id: SonataId,
}

impl Subscriptions {
    /// Those of a partner at the hub of a function.
    ///
    /// # Errors
    /// The store's.
    pub async fn load(store: &Store, partner: &PartnerId, function: Function) -> Result<Self, StoreError> {
        let id = SonataId::parse(function.name()).map_err(|error| StoreError::Failed(error.to_string()))?;
        let entity = store.entity(partner, &Kind::new(KIND), &id).await?;
        let list = match entity.as_ref().and_then(|entity| entity.document.as_ref()) {
            None => Vec::new(),
            Some(bytes) => {
                let limits = Limits { bytes_max: usize::MAX, ..Limits::default() };
                let document = Document::parse(bytes.clone(), &limits)
                    .map_err(|error| StoreError::Failed(format!("subscriptions: {error}")))?;
                document.root().elements().filter_map(read).collect()
            }
        };
        Ok(Self { list, entity, id })
    }

    /// The change that keeps them as they are now. It fails where somebody else was first.
    #[must_use]
    pub fn kept(self, now_ms: i64) -> Change {
        let is_new = self.entity.is_none();
        let fresh = || Entity::new(Kind::new(KIND), self.id.clone(), now_ms);
        let mut entity = self.entity.unwrap_or_else(fresh);
        entity.document = Some(written(&self.list));
        entity.updated_ms = now_ms;
        if is_new { Change::Create(Box::new(entity)) } else { Change::Update(Box::new(entity)) }
    }
}

fn read(node: Node<'_>) -> Option<Subscription> {
    let text = |name: &str| node.get(name).and_then(Node::as_str).map(std::borrow::Cow::into_owned);
    Some(Subscription {
        id: text("id")?,
        callback: text("callback")?,
        query: text("query"),
        buyer: text("buyerId").and_then(|id| BuyerId::parse(&id).ok()),
        seller: text("sellerId").and_then(|id| SellerId::parse(&id).ok()),
    })
}

fn written(list: &[Subscription]) -> Bytes {
    let mut builder = Builder::new();
    let root = builder.array();
    for one in list {
        let object = builder.object();
        let members = [
            ("id", Some(one.id.as_str())),
            ("callback", Some(one.callback.as_str())),
            ("query", one.query.as_deref()),
            ("buyerId", one.buyer.as_ref().map(BuyerId::as_str)),
            ("sellerId", one.seller.as_ref().map(SellerId::as_str)),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                let value = builder.string(value);
                builder.set(object, name, value);
            }
        }
        builder.push(root, object);
    }
    builder.finish(root).bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Batch, Conflict};

    #[tokio::test]
    async fn they_are_kept_one_change_after_the_other() {
        let (store, partner) = (Store::memory().unwrap(), PartnerId::parse("globex").unwrap());
        let load = || Subscriptions::load(&store, &partner, Function::QUOTE);
        let one = |id: &str| Subscription {
            id: id.to_owned(),
            callback: "https://buyer.example/a?b".to_owned(),
            query: Some("eventType = quoteStateChangeEvent".to_owned()),
            buyer: Some(BuyerId::parse("b1").unwrap()),
            seller: None,
        };
        let keep = |them: Subscriptions| store.commit(Batch::new(partner.clone()).with(them.kept(5)));
        let (mut first, mut other) = (load().await.unwrap(), load().await.unwrap());
        first.list.push(one("1"));
        keep(first).await.unwrap();
        other.list.push(one("2"));
        assert_eq!(keep(other).await, Err(Conflict::Exists.into()));
        let (mut second, mut late) = (load().await.unwrap(), load().await.unwrap());
        assert_eq!(second.list, [one("1")]);
        second.list.push(Subscription { query: None, buyer: None, ..one("2") });
        keep(second).await.unwrap();
        late.list.clear();
        assert_eq!(keep(late).await, Err(Conflict::Version.into()));
        let kept = load().await.unwrap().list;
        assert_eq!(kept.len(), 2);
        assert_eq!((kept[1].query.as_deref(), kept[1].buyer.as_ref()), (None, None));
        assert!(Subscriptions::load(&store, &partner, Function::ORDER).await.unwrap().list.is_empty());
    }
}
