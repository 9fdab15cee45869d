//! What is kept of what we buy: a note before the Seller is asked, and its entity after.
//!
//! Ids of what is bought are the Seller's. The procurement system's own number of it, where it has one, stands beside it
//! as the id of a legacy system does on the Seller side.

use super::{
    super::{error::ExchangeError, once::Once, request::Received, story::Story, subject, wire::Answer},
    ask::Asked,
    message::{Made, Way, changes},
    poll,
};
use crate::{
    custody::{Owner, kind_of},
    ids::{BuyerId, LegacyId, SellerId, SonataId},
    json::{Document, Node},
    mapping::apply::KeyPair,
    sonata::entity::{Act, EntityKind},
    store::{Batch, Change, Conflict, Entity, JournalEntry, Step, StoreError},
};
use bytes::Bytes;

/// How often what another exchange changed meanwhile is read again.
const TRIES_MAX: usize = 8;

/// Most of a reason that is kept, in bytes.
const WHY_BYTES_MAX: usize = 2000;

/// What is kept around one asking.
pub struct Keeping<'k> {
    way: &'k Way<'k>,
    owner: Owner,
    once: Option<Once>,
    begun: bool,
}

impl<'k> Keeping<'k> {
    /// Nothing yet.
    pub fn new(way: &'k Way<'k>, received: &Received, made: &Made) -> Self {
        let owner = Owner {
            partner: way.partner.id().clone(),
            buyer: made.parties.buyer.as_deref().and_then(|id| BuyerId::parse(id).ok()),
            seller: made.parties.seller.as_deref().and_then(|id| SellerId::parse(id).ok()),
        };
        // What makes something is made once for each number of the procurement system.
        let once = made.correlation.as_ref().filter(|_| way.exposer.duty.act == Act::Create).map(|own| {
            let asked = received.body.as_ref().map_or("", Document::text);
            Once::bought(&owner, &operation(way), own.as_str(), asked)
        });
        Self { way, owner, once, begun: false }
    }

    /// Commits what is about to be sent. The answer is that of the first request under this number, where this one is
    /// not the first.
    ///
    /// # Errors
    /// The store's, or the first has not ended; nothing may be sent then.
    pub async fn begin(
        &mut self,
        story: &mut Story<'_>,
        made: &Made,
    ) -> Result<Option<Answer>, ExchangeError> {
        if !changes(self.way.exposer.duty.act) {
            return Ok(None);
        }
        let mut entry = self.entry(story, self.way.exposer.operation.operation_id.clone(), Step::Intent);
        entry.request_crc = made.request.body.as_ref().map(|(_, body)| crc32fast::hash(body));
        let batch = Batch::new(self.owner.partner.clone()).with(Change::Journal(Box::new(entry)));
        if let Some(once) = &self.once {
            let first = once.begin(story, batch).await?;
            self.begun = first.is_none();
            return Ok(first);
        }
        story.gateway.store.commit(batch).await?;
        self.begun = true;
        Ok(None)
    }

    /// The asking did not end well: over where the Seller did nothing; else it stays for attention.
    pub async fn failed(&self, story: &Story<'_>, error: &ExchangeError) {
        if !self.begun {
            return;
        }
        let is_clear = match error {
            ExchangeError::Legacy { error, .. } => error.retry_is_safe(),
            ExchangeError::Seller(problem) => problem.says_no(),
            _ => false,
        };
        // A Seller that knows the request again may be asked again by whoever is not answered.
        let may_repeat = self.way.partner.settings().idempotency.key_header.is_some();
        let mut changes = Vec::new();
        if is_clear || may_repeat {
            changes.extend(self.once.as_ref().map(|once| once.abandon(story)).unwrap_or_default());
        }
        changes.push(if is_clear { self.done(story) } else { self.why(story, error) });
        let batch = Batch { partner: self.owner.partner.clone(), changes };
        if let Err(error) = story.gateway.store.commit(batch).await {
            tracing::error!(exchange = story.id.as_str(), %error, "what became of an asking could not be kept");
        }
    }

    /// Commits what the Seller did, and hands over what our procurement system is answered; where that could not be
    /// made, what was bought is kept all the same.
    ///
    /// # Errors
    /// That of the answer, or the store's.
    pub async fn keep(
        &self,
        story: &mut Story<'_>,
        asked: &Asked,
        made: &Made,
        answer: Result<Answer, ExchangeError>,
    ) -> Result<Answer, ExchangeError> {
        let ended = self.begun.then(|| self.done(story));
        self.commit(story, asked, made, answer, ended).await
    }

    /// The same of what the Seller said later, which is what whoever asks again is answered from now on.
    ///
    /// # Errors
    /// As [`Keeping::keep`].
    pub async fn keep_last(
        &self,
        story: &mut Story<'_>,
        asked: &Asked,
        made: &Made,
        answer: Result<Answer, ExchangeError>,
    ) -> Result<Answer, ExchangeError> {
        self.commit(story, asked, made, answer, None).await
    }

    async fn commit(
        &self,
        story: &mut Story<'_>,
        asked: &Asked,
        made: &Made,
        answer: Result<Answer, ExchangeError>,
        ended: Option<Change>,
    ) -> Result<Answer, ExchangeError> {
        let id = self.id(asked);
        for _ in 0..TRIES_MAX {
            let mut changes = self.entity(story, id.as_ref(), asked, made).await?;
            changes.extend(ended.clone());
            let finished = answer.as_ref().ok().zip(self.once.as_ref().filter(|_| self.begun));
            changes.extend(match finished {
                Some((answer, once)) => once.finish(self.way.exposer.duty, id.as_ref(), answer),
                None => Vec::new(),
            });
            if changes.is_empty() {
                break;
            }
            let batch = Batch { partner: self.owner.partner.clone(), changes };
            match story.gateway.store.commit(batch).await {
                Ok(()) => break,
                Err(StoreError::Conflict(Conflict::Version | Conflict::Exists)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        story.entity = id.map(|id| id.as_str().to_owned());
        answer
    }

    /// The id of the entity that the answer is.
    fn id(&self, asked: &Asked) -> Option<SonataId> {
        if !matches!(self.way.exposer.duty.act, Act::Create | Act::Retrieve | Act::Update) {
            return None;
        }
        id_of(asked)
    }

    /// What changes of the entity that was made or answered.
    pub async fn entity(
        &self,
        story: &Story<'_>,
        id: Option<&SonataId>,
        asked: &Asked,
        made: &Made,
    ) -> Result<Vec<Change>, ExchangeError> {
        let (Some(id), Some(document)) = (id, &asked.document) else { return Ok(Vec::new()) };
        let duty = self.way.exposer.duty;
        let kind = kind_of(duty.kind);
        let stored = story.gateway.store.entity(&self.owner.partner, &kind, id).await?;
        let (mut changes, bytes) = (Vec::new(), document.bytes());
        let fill = |entity: Entity| filled(entity, duty.kind, document, story.now_ms());
        match stored {
            Some(known) if known.document.as_ref() == Some(&bytes) => {}
            Some(known) => changes.push(Change::Update(Box::new(fill(known)))),
            // What others made, such as an address, stays the Seller's.
            None if duty.act != Act::Create => return Ok(Vec::new()),
            None => {
                changes.push(Change::Create(Box::new(fill(self.fresh(story, id, made)))));
                changes.extend(poll::following(story, self.way, id, document));
            }
        }
        if !made.keys.is_empty() {
            let pairs = made.keys.iter().map(subject::to_store).collect();
            changes.push(Change::Remember { kind, id: id.clone(), pairs });
        }
        Ok(changes)
    }

    /// What was bought, with our procurement system's number of it.
    fn fresh(&self, story: &Story<'_>, id: &SonataId, made: &Made) -> Entity {
        let own = made.correlation.clone().or_else(|| LegacyId::parse(id.as_str()).ok());
        Entity {
            backend: Some(self.way.backend.id.clone()),
            legacy_id: own,
            request: made.body.as_ref().map(Document::bytes),
            ..self.owner.entity(self.way.exposer.duty.kind, id.clone(), story.now_ms())
        }
    }

    fn done(&self, story: &Story<'_>) -> Change {
        Change::Journal(Box::new(self.entry(story, String::new(), Step::Done)))
    }

    fn why(&self, story: &Story<'_>, error: &ExchangeError) -> Change {
        let mut why = error.to_string();
        why.truncate(why.floor_char_boundary(WHY_BYTES_MAX));
        let entry = self.entry(story, String::new(), Step::Answered);
        Change::Journal(Box::new(JournalEntry { reply: Some(Bytes::from(why)), ..entry }))
    }

    fn entry(&self, story: &Story<'_>, call: String, step: Step) -> JournalEntry {
        JournalEntry {
            exchange: story.id.clone(),
            operation: operation(self.way),
            call,
            step,
            backend: Some(self.way.endpoint.id.clone()),
            request_crc: None,
            status: None,
            reply: None,
            at_ms: story.now_ms(),
        }
    }
}

/// An entity as the Seller says that it is.
fn filled(entity: Entity, kind: EntityKind, document: &Document, now_ms: i64) -> Entity {
    let text =
        |name: &str| document.root().get(name).and_then(Node::as_str).map(std::borrow::Cow::into_owned);
    Entity {
        state: kind.facts().state.and_then(text),
        external_id: text("externalId"),
        updated_ms: now_ms,
        document: Some(document.bytes()),
        ..entity
    }
}

/// Function and operation, as the journal names them.
fn operation(way: &Way<'_>) -> String {
    [way.exposer.contract.function.name(), ".", &way.exposer.operation.operation_id].concat()
}

/// The id that the Seller's answer has.
pub fn id_of(asked: &Asked) -> Option<SonataId> {
    let id = asked.document.as_ref()?.root().get("id").and_then(Node::as_str)?;
    SonataId::parse(&id).ok()
}

/// The keys that are known of what the Seller's answer is about, beside those of this message.
///
/// # Errors
/// The store's.
pub async fn keys(
    story: &Story<'_>,
    way: &Way<'_>,
    asked: &Asked,
    own: &[KeyPair],
) -> Result<Vec<KeyPair>, ExchangeError> {
    let mut all = own.to_vec();
    let known = match id_of(asked) {
        Some(id) if matches!(way.exposer.duty.act, Act::Retrieve | Act::Update) => {
            let kind = kind_of(way.exposer.duty.kind);
            story.gateway.store.keys(way.partner.id(), &kind, &id).await?
        }
        _ => Vec::new(),
    };
    all.extend(known.iter().filter_map(subject::of_store));
    Ok(all)
}
