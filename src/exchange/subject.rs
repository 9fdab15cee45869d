//! The entity that an operation names: by the path's id, or by what the body refers to.

use std::{borrow::Cow, collections::BTreeMap};

use super::{error::ExchangeError, request::Received, story::Story};
use crate::{
    custody::{self, Owner, TEST_MARK, kind_of},
    ids::{BackendId, BuyerId, LegacyId, SellerId, SonataId},
    json::{Document, Limits},
    mapping::apply::{KeyPair, KeyText},
    plan::PartnerPlan,
    sonata::{
        Fault, FaultCode,
        entity::{Act, Duty, EntityKind},
    },
    store::{self, Entity},
};

/// An entity of this partner, as far as we know it.
#[derive(Debug)]
pub struct Subject {
    /// What it is.
    pub kind: EntityKind,
    /// The id that the partner knows.
    pub id: SonataId,
    /// Its id at the legacy system.
    pub legacy_id: Option<LegacyId>,
    /// The legacy system that has it.
    pub backend: Option<BackendId>,
    /// What is kept of it; none where only the pair of ids is known.
    pub entity: Option<Entity>,
    /// The kept document.
    pub document: Option<Document>,
    /// The create message.
    pub request: Option<Document>,
    /// Keys of its elements on both sides.
    pub keys: Vec<KeyPair>,
    /// The message of a partner on another release that made it, where this may change that.
    pub sent: Option<Box<Entity>>,
    /// The entity that it belongs to: the order of a charge.
    pub parent: Option<Box<Subject>>,
}

impl Subject {
    /// An entity of which nothing is known but its ids.
    pub fn named(kind: EntityKind, id: SonataId, legacy_id: LegacyId, backend: &BackendId) -> Self {
        Self {
            kind,
            id,
            legacy_id: Some(legacy_id),
            backend: Some(backend.clone()),
            entity: None,
            document: None,
            request: None,
            keys: Vec::new(),
            sent: None,
            parent: None,
        }
    }

    /// An entity of which somebody is told that it is as this document has it.
    pub fn told(kind: EntityKind, id: SonataId, document: Document) -> Self {
        Self {
            kind,
            id,
            legacy_id: None,
            backend: None,
            entity: None,
            document: Some(document),
            request: None,
            keys: Vec::new(),
            sent: None,
            parent: None,
        }
    }

    fn kept(kind: EntityKind, entity: Entity, keys: &[store::KeyPair]) -> Result<Self, ExchangeError> {
        Ok(Self {
            kind,
            id: entity.id.clone(),
            legacy_id: entity.legacy_id.clone(),
            backend: entity.backend.clone(),
            document: entity.document.as_ref().map(stored).transpose()?,
            request: entity.request.as_ref().map(stored).transpose()?,
            keys: keys.iter().filter_map(of_store).collect(),
            entity: Some(entity),
            sent: None,
            parent: None,
        })
    }

    /// Whether it was made by a test.
    pub fn is_test(&self) -> bool {
        self.keys.iter().any(|pair| &*pair.group == TEST_MARK)
    }

    /// The keys of its elements and of those of the entity that it belongs to.
    pub fn all_keys(&self) -> Vec<KeyPair> {
        let parent = self.parent.iter().flat_map(|parent| &parent.keys);
        self.keys.iter().chain(parent).cloned().collect()
    }
}

/// Whose entities an exchange may see.
///
/// # Errors
/// None in practice: the query was checked.
pub fn owner(partner: &PartnerPlan, received: &Received) -> Result<Owner, ExchangeError> {
    let bad = |error: crate::ids::IdError| ExchangeError::Internal(error.to_string());
    Ok(Owner {
        partner: partner.id().clone(),
        buyer: received.parameter("buyerId").map(BuyerId::parse).transpose().map_err(bad)?,
        seller: received.parameter("sellerId").map(SellerId::parse).transpose().map_err(bad)?,
    })
}

/// The entity that the operation names; none where it names none.
///
/// # Errors
/// 404 for an id of the path, 422 `referenceNotFound` for one of the body, that this partner does not have.
pub async fn find(
    story: &Story<'_>,
    owner: &Owner,
    partner: &PartnerPlan,
    duty: &Duty,
    received: &Received,
) -> Result<Option<Subject>, ExchangeError> {
    if let Some((_, id)) = received.path.first() {
        let id = SonataId::parse(id).map_err(|_| ExchangeError::NotFound)?;
        let found = load(story, owner, &keepers(partner, duty.kind), duty.kind, id).await?;
        let mut found = found.ok_or(ExchangeError::NotFound)?;
        if received.sent.is_some() && duty.act == Act::Update {
            found.sent = sent(story, owner, &found).await?;
        }
        return Ok(Some(found));
    }
    let Some((kind, members)) = duty.about else { return Ok(None) };
    let root = received.body.as_ref().map(Document::root);
    let node = root.and_then(|root| members.iter().try_fold(root, |node, member| node.get(member)));
    let Some(text) = node.and_then(crate::json::Node::as_str) else { return Ok(None) };
    let unknown = || {
        let pointer = format!("/{}", members.join("/"));
        let fault = Fault::new(FaultCode::ReferenceNotFound, pointer, "there is no such entity");
        ExchangeError::Contract(vec![fault])
    };
    let id = SonataId::parse(&text).map_err(|_| unknown())?;
    load(story, owner, &keepers(partner, kind), kind, id).await?.map(Some).ok_or_else(unknown)
}

/// The message of a partner on another release that made it.
async fn sent(
    story: &Story<'_>,
    owner: &Owner,
    made: &Subject,
) -> Result<Option<Box<Entity>>, ExchangeError> {
    let sent = custody::sent(&story.gateway.store, &owner.partner, made.kind, &made.id).await?;
    Ok(sent.map(Box::new))
}

/// Where entities of a kind may be: at the backends that keep the kind, else at any that a route leads to.
pub fn keepers(partner: &PartnerPlan, kind: EntityKind) -> Cow<'_, [BackendId]> {
    match partner.keepers(kind) {
        [] => partner.routes().iter().map(|route| route.settings.backend.value.clone()).collect(),
        keepers => Cow::Borrowed(keepers),
    }
}

/// What is kept of an entity and of the one that it belongs to, or at least its legacy id at the first of these
/// backends that has one.
///
/// # Errors
/// The store's.
pub async fn load(
    story: &Story<'_>,
    owner: &Owner,
    backends: &[BackendId],
    kind: EntityKind,
    id: SonataId,
) -> Result<Option<Subject>, ExchangeError> {
    let found = load_all(story, owner, backends, kind, vec![id]).await?;
    let Some(mut subject) = found.into_values().next() else { return Ok(None) };
    let parent = subject.entity.as_ref().and_then(|entity| entity.parent.clone());
    if let (Some(kind), Some(id)) = (kind.facts().parent, parent) {
        let found = load_all(story, owner, backends, kind, vec![id]).await?;
        subject.parent = found.into_values().next().map(Box::new);
    }
    Ok(Some(subject))
}

/// The same of many of a kind at once, without what they belong to; what this partner does not have is missing.
///
/// # Errors
/// The store's.
pub async fn load_all(
    story: &Story<'_>,
    owner: &Owner,
    backends: &[BackendId],
    kind: EntityKind,
    mut ids: Vec<SonataId>,
) -> Result<BTreeMap<SonataId, Subject>, ExchangeError> {
    let mut found = BTreeMap::new();
    let named = |(id, legacy_id, backend): (SonataId, LegacyId, &BackendId)| {
        (id.clone(), Subject::named(kind, id, legacy_id, backend))
    };
    if kind.has_legacy_ids() {
        let Some(backend) = backends.first() else { return Ok(found) };
        let legacy = |id: SonataId| Some((LegacyId::parse(id.as_str()).ok()?, id));
        found.extend(ids.into_iter().filter_map(legacy).map(|(legacy, id)| named((id, legacy, backend))));
        return Ok(found);
    }
    let (store, partner) = (&story.gateway.store, &owner.partner);
    for (id, subject) in kept(story, owner, kind, ids.clone()).await? {
        ids.retain(|wanted| *wanted != id);
        let entity = subject.entity.as_ref();
        if entity.is_some_and(|entity| entity.buyer == owner.buyer && entity.seller == owner.seller) {
            found.insert(id, subject);
        }
    }
    for backend in backends {
        if ids.is_empty() {
            break;
        }
        let wanted = ids.iter().map(|id| (kind_of(kind), id.clone())).collect();
        for ((_, id), legacy_id) in store.to_legacy(partner, backend, wanted).await? {
            ids.retain(|wanted| *wanted != id);
            found.extend([named((id, legacy_id, backend))]);
        }
    }
    Ok(found)
}

/// What is kept of entities of a kind, whichever Buyer of the partner's they are for.
///
/// # Errors
/// The store's.
pub async fn kept(
    story: &Story<'_>,
    owner: &Owner,
    kind: EntityKind,
    ids: Vec<SonataId>,
) -> Result<BTreeMap<SonataId, Subject>, ExchangeError> {
    let (store, partner) = (&story.gateway.store, &owner.partner);
    let mut found = BTreeMap::new();
    for (id, entity) in store.entities(partner, &kind_of(kind), ids).await? {
        let keys = store.keys(partner, &kind_of(kind), &id).await?;
        found.insert(id, Subject::kept(kind, entity, &keys)?);
    }
    Ok(found)
}

/// What we stored was a document within limits when it was stored; limits may have been lowered since.
///
/// # Errors
/// None in practice.
pub fn stored(bytes: &bytes::Bytes) -> Result<Document, ExchangeError> {
    let limits = Limits { bytes_max: usize::MAX, ..Limits::default() };
    Document::parse(bytes.clone(), &limits)
        .map_err(|error| ExchangeError::Internal(format!("what is stored is no document: {error}")))
}

/// A pair of keys as the store has it: texts in JSON form, so that `10` and `"10"` stay apart.
pub fn to_store(pair: &KeyPair) -> store::KeyPair {
    let form = |key: &KeyText| match key {
        KeyText::Number(number) => String::from(&**number),
        KeyText::Text(text) => {
            let mut out = String::new();
            crate::json::writer::write_string(&mut out, text);
            out
        }
    };
    store::KeyPair {
        group: String::from(&*pair.group),
        sonata: form(&pair.sonata),
        legacy: form(&pair.legacy),
    }
}

/// A pair of keys as mappings have it.
pub fn of_store(pair: &store::KeyPair) -> Option<KeyPair> {
    let key = |text: &str| {
        let document = Document::from_text(text).ok()?;
        let root = document.root();
        match root.as_str() {
            Some(text) => Some(KeyText::Text(text.into())),
            None => root.number().map(|number| KeyText::Number(number.into())),
        }
    };
    Some(KeyPair {
        group: pair.group.as_str().into(),
        sonata: key(&pair.sonata)?,
        legacy: key(&pair.legacy)?,
    })
}
