//! What a legacy system says of an entity by itself: which entity is meant, and what becomes of it.
//!
//! A message is understood as the answer to a look-up of the entity would be, so that one shape serves both. It may
//! speak of an item only; the other items stay as they were. What it says goes the way of every other report.

use bytes::Bytes;
use http::HeaderMap;

use super::{
    answer::{Mapped, gather, hold, map_reply},
    error::ExchangeError,
    facts::{EntityFacts, StoryTexts, facts, scalar_node},
    instant, notices,
    references::item_of,
    reply::Reply,
    report::{Said, report},
    request::Received,
    story::Story,
    subject::{self, Subject},
    work::Work,
};
use crate::{
    config::Represented,
    custody::{Owner, kind_of},
    format,
    ids::{LegacyId, PartnerId, SonataId},
    json::{Document, Node},
    legacy::BackendSettings,
    mapping::{
        apply::Headers,
        news::News,
        path::{FieldPath, Part, Step},
        program::Program,
    },
    notify::By,
    plan::{PartnerPlan, Route, Understanding},
    sonata::entity::EntityKind,
    store::{Batch, Change, Conflict, Kind, StoreError},
};

/// How often what another exchange changed meanwhile is read again before a message is given up.
const TRIES_MAX: usize = 8;

/// Something said by a legacy system, and how it is understood for one partner.
#[derive(Clone, Copy)]
pub struct Telling<'t> {
    /// The partner whose entities it may speak of.
    pub partner: &'t PartnerPlan,
    /// How it is understood.
    pub understanding: &'t Understanding,
    /// The array of the entity, where it speaks of items.
    pub items: Option<&'t str>,
    /// Maps it.
    pub program: &'t Program,
    /// Who says it.
    pub backend: &'t BackendSettings,
    /// What was said, as a reply.
    pub reply: &'t Reply,
    /// Whether something of which nothing was heard before is new.
    pub creates: bool,
}

/// A message that a legacy system sent by itself: what it speaks of is found by the ids in it.
#[derive(Clone, Copy)]
pub struct Message<'t> {
    /// What it says.
    pub telling: Telling<'t>,
    /// Which words of the mapping are its.
    pub news: &'t News,
}

/// Names and values, in order.
type Pairs = Vec<(String, String)>;

/// One thing that a message speaks of: its element, where it speaks of several.
pub type Element<'e> = Option<(usize, Node<'e>)>;

/// Whom a message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// The entity.
    pub id: SonataId,
    /// Its item, where it speaks of one only.
    pub item: Option<String>,
}

impl Message<'_> {
    /// The legacy id that an element names; none where it names none.
    pub fn legacy_id(&self, element: Element<'_>) -> Option<LegacyId> {
        self.named(&self.news.legacy_id, element)
    }

    /// The legacy id that stands at a path of an element; none where there is none.
    pub fn named(&self, path: &FieldPath, element: Element<'_>) -> Option<LegacyId> {
        let named = match path.steps.first() {
            Some(Step::Member(name)) => Some(name),
            _ => None,
        };
        let is_it = |key: &str| named.is_some_and(|name| key.eq_ignore_ascii_case(name));
        let of = |pairs: &[(String, String)]| {
            pairs.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value.clone())
        };
        let text = match path.part {
            Part::Body => {
                let root = self.telling.reply.document.as_ref()?.root();
                let scope = element.map_or(root, |(_, element)| element);
                let node = path.read(scope, root).ok()??;
                scalar_node(node).map(std::borrow::Cow::into_owned)
            }
            Part::Path => of(&self.telling.reply.path),
            Part::Query => of(&self.telling.reply.query),
            Part::Header => {
                let mut headers = self.telling.reply.headers.iter();
                headers.find(|(key, _)| is_it(key)).map(|(_, value)| value.to_owned())
            }
        };
        LegacyId::parse(&text?).ok()
    }

    /// Whom a legacy id means: an entity of this partner that we know.
    ///
    /// # Errors
    /// The store's.
    pub async fn meant(&self, story: &Story<'_>, legacy: &LegacyId) -> Result<Option<Meant>, ExchangeError> {
        let kind = self.news.items.as_deref().unwrap_or(&self.news.kind);
        let found = self.known(story, kind, legacy).await?;
        Ok(match (&self.news.items, found) {
            (_, None) => None,
            (None, Some(id)) => Some(Meant { id, item: None }),
            (Some(_), Some(id)) => item_of(&id).map(|(id, item)| Meant { id, item: Some(item.to_owned()) }),
        })
    }

    async fn known(
        &self,
        story: &Story<'_>,
        kind: &str,
        legacy: &LegacyId,
    ) -> Result<Option<SonataId>, ExchangeError> {
        if EntityKind::parse(kind).is_some_and(EntityKind::has_legacy_ids) {
            return Ok(SonataId::parse(legacy.as_str()).ok());
        }
        let wanted = vec![(Kind::new(kind.to_owned()), legacy.clone())];
        let found = story
            .gateway
            .store
            .to_sonata(self.telling.partner.id(), &self.telling.backend.id, wanted)
            .await?;
        Ok(found.into_values().next())
    }

    /// Whether a new entity is this partner's by one of its settings. One that speaks for several Buyers is not meant: the
    /// message does not say for which.
    pub fn is_theirs(&self, element: Element<'_>) -> bool {
        let Some((setting, path)) = &self.news.whose else { return false };
        let settings = self.telling.partner.settings();
        let parties = &settings.represents;
        let is_one =
            matches!(parties.buyers, Represented::One) && matches!(parties.sellers, Represented::One);
        let own = settings.settings.root().get(setting).and_then(scalar_node);
        let said = self.named(path, element);
        is_one && said.is_some_and(|said| own.is_some_and(|own| *own == *said.as_str()))
    }

    /// What a new entity belongs to, and whose it is by that; none where this partner does not have it.
    ///
    /// # Errors
    /// The store's.
    pub async fn parent(
        &self,
        story: &Story<'_>,
        element: Element<'_>,
    ) -> Result<Option<Subject>, ExchangeError> {
        let Some((word, path)) = &self.news.of else { return Ok(None) };
        let (Some(legacy), Some((kind, items))) = (self.named(path, element), EntityKind::named(word)) else {
            return Ok(None);
        };
        let Some(found) = self.known(story, word, &legacy).await? else { return Ok(None) };
        let id = if items.is_some() { item_of(&found).map(|(id, _)| id) } else { Some(found) };
        let Some(id) = id else { return Ok(None) };
        self.telling.load(story, kind, id).await
    }

    /// Keeps what an element says of an entity that nobody has heard of.
    ///
    /// # Errors
    /// As [`Telling::update`]; 404 where it belongs to nothing that this partner has.
    pub async fn create(
        &self,
        story: &mut Story<'_>,
        legacy: LegacyId,
        element: Element<'_>,
    ) -> Result<(), ExchangeError> {
        let of = self.parent(story, element).await?;
        if of.is_none() && !self.is_theirs(element) {
            return Err(ExchangeError::NotFound);
        }
        let kind = self.telling.understanding.kind;
        let id = self.new_id(&legacy)?;
        let parent = of.filter(|of| kind.facts().parent == Some(of.kind)).map(Box::new);
        let subject =
            Subject { parent, ..Subject::named(kind, id.clone(), legacy, &self.telling.backend.id) };
        match self.telling.keep(story, &subject, None, element).await {
            // The same message came twice at once: the other one has made it.
            Err(ExchangeError::Store(StoreError::Conflict(Conflict::Exists))) => {
                self.telling.update(story, &Meant { id, item: None }, element).await
            }
            ended => ended,
        }
    }

    /// The id of what a legacy system makes follows from its id there, so that two messages that come at once cannot
    /// make two of it.
    fn new_id(&self, legacy: &LegacyId) -> Result<SonataId, ExchangeError> {
        let mut hasher = blake3::Hasher::new();
        let parts = [
            self.telling.partner.id().as_str(),
            self.telling.backend.id.as_str(),
            &self.news.kind,
            legacy.as_str(),
        ];
        for part in parts {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        SonataId::parse(&id.hyphenated().to_string())
            .map_err(|error| ExchangeError::Internal(error.to_string()))
    }
}

impl Telling<'_> {
    /// What is kept of an entity, whoever of the partner's it is for.
    ///
    /// # Errors
    /// The store's.
    pub async fn load(
        &self,
        story: &Story<'_>,
        kind: EntityKind,
        id: SonataId,
    ) -> Result<Option<Subject>, ExchangeError> {
        let owner = owner(story, self.partner.id(), kind, &id).await?;
        if kind.has_legacy_ids()
            && let Some(kept) = subject::kept(story, &owner, kind, vec![id.clone()]).await?.remove(&id)
        {
            return Ok(Some(kept));
        }
        subject::load(story, &owner, std::slice::from_ref(&self.backend.id), kind, id).await
    }

    /// Keeps what an element says of an entity that we know. It is committed when this returns.
    ///
    /// # Errors
    /// The mapping cannot say it, or the store's.
    pub async fn update(
        &self,
        story: &mut Story<'_>,
        meant: &Meant,
        element: Element<'_>,
    ) -> Result<(), ExchangeError> {
        for _ in 0..TRIES_MAX {
            let found = self.load(story, self.understanding.kind, meant.id.clone()).await?;
            let subject = found.ok_or(ExchangeError::NotFound)?;
            match self.keep(story, &subject, meant.item.as_deref(), element).await {
                Err(ExchangeError::Store(StoreError::Conflict(_))) => {}
                ended => return ended,
            }
        }
        Err(ExchangeError::Store(StoreError::Conflict(Conflict::Version)))
    }

    async fn keep(
        &self,
        story: &mut Story<'_>,
        subject: &Subject,
        item: Option<&str>,
        element: Element<'_>,
    ) -> Result<(), ExchangeError> {
        let changes = self.changes(story, subject, item, element).await?;
        let batch = Batch { partner: self.partner.id().clone(), changes };
        // What a catalogue has may be old when it is heard of for the first time: that is no news then.
        let is_old = subject.entity.is_none() && subject.kind.has_legacy_ids() && !self.creates;
        if !batch.changes.is_empty() {
            let by = if is_old { By::Partner } else { By::Other };
            notices::commit(story, self.partner, batch, by).await?;
        }
        story.entity = Some(subject.id.as_str().to_owned());
        Ok(())
    }

    /// What is to be committed for what was said of an entity, or of one of its items.
    ///
    /// # Errors
    /// The mapping cannot say it, or the store's.
    pub async fn changes(
        &self,
        story: &mut Story<'_>,
        subject: &Subject,
        item: Option<&str>,
        element: Element<'_>,
    ) -> Result<Vec<Change>, ExchangeError> {
        let (received, route) =
            (Received::nothing(), Route::to(self.understanding.contract, self.understanding.operation));
        let entity = subject.entity.as_ref().or(subject.parent.as_ref().and_then(|one| one.entity.as_ref()));
        let owner = Owner {
            partner: self.partner.id().clone(),
            buyer: entity.and_then(|entity| entity.buyer.clone()),
            seller: entity.and_then(|entity| entity.seller.clone()),
        };
        let work = Work {
            partner: self.partner,
            route: &route,
            operation: &self.understanding.mapped,
            duty: self.understanding.duty,
            received: &received,
            owner: &owner,
            backend: self.backend,
            home: &self.backend.id,
            subject: Some(subject),
            once: None,
        };
        let mapped = self.map(story, &work, item, element).await?;
        if instant::is_late(subject.kind, subject.document.as_ref(), mapped.document.as_ref()) {
            let (kind, id) = (subject.kind.name(), subject.id.as_str());
            story.finding("late", &format!("what is said of the {kind} {id} comes after its end"));
            return Ok(Vec::new());
        }
        let said = Said {
            mapped: mapped.document.as_ref(),
            replies: &[],
            keys: &mapped.keys,
            is_part: item.is_some(),
            is_heard: true,
        };
        let href = work.href(story, &subject.id);
        let reported = report(story, &work, (&subject.id, &href), &said);
        // What is wrong with it is told to the operator now, not when the Buyer asks; it is kept all the same.
        if let Err(error) = hold(story, &work, reported.document) {
            story.finding("contract", &error.to_string());
        }
        let mut changes = mapped.changes;
        changes.extend(reported.changes);
        Ok(changes)
    }

    /// The entity as far as an element speaks of it.
    async fn map(
        &self,
        story: &mut Story<'_>,
        work: &Work<'_>,
        item: Option<&str>,
        element: Element<'_>,
    ) -> Result<Mapped, ExchangeError> {
        let texts = StoryTexts::of(story);
        let href = work.subject.map(|subject| work.href(story, &subject.id)).unwrap_or_default();
        let (stored, parent) = work.relations();
        let entity =
            work.subject.map(|subject| EntityFacts { id: subject.id.as_str(), href: &href, stored, parent });
        let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, entity);
        let keys = work.subject.map(Subject::all_keys).unwrap_or_default();
        let mut mapped = map_reply(story, work, self.program, &facts, &keys, self.reply, element).await?;
        if let (Some(item), Some(items)) = (item, self.items) {
            let into = FieldPath::parse(items).map_err(|error| ExchangeError::Internal(error.message))?;
            mapped.document = Some(gather(&into, &[(Some(item.to_owned()), mapped.document)]));
        }
        Ok(mapped)
    }
}

/// For whom an entity is kept.
async fn owner(
    story: &Story<'_>,
    partner: &PartnerId,
    kind: EntityKind,
    id: &SonataId,
) -> Result<Owner, ExchangeError> {
    let kept = story.gateway.store.entity(partner, &kind_of(kind), id).await?;
    let (buyer, seller) = kept.map(|entity| (entity.buyer, entity.seller)).unwrap_or_default();
    Ok(Owner { partner: partner.clone(), buyer, seller })
}

/// A message in the place of a reply; with the values of its query and of its path.
pub fn as_reply(
    headers: HeaderMap,
    (content_type, raw): (Option<&str>, &Bytes),
    document: Option<Document>,
    (query, path): (Pairs, Pairs),
) -> Reply {
    let is_utf8 = std::str::from_utf8(raw).is_ok();
    let text = if is_utf8 { None } else { format::text(content_type, raw).ok() };
    let headers = Headers::new(headers);
    Reply { call: 0, item: None, status: 200, headers, raw: raw.clone(), text, document, query, path }
}
