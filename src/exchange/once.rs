//! One effect for a request that names itself, however often it is sent (`idempotency:` of a partner).
//!
//! A request is named by a header, or what it makes by its `externalId`. It is looked for before anything that a first
//! one may have changed is asked about, and taken with the journal's intent; the answer is kept with what was made.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{error::ExchangeError, request::Received, story::Story, wire::Answer};
use crate::{
    custody::{self, Begun, Owner},
    ids::SonataId,
    json::Node,
    plan::{PartnerPlan, Route},
    sonata::entity::{Act, Duty},
    store::{Batch, Change, IdempotencyKey, RememberedAnswer},
};

/// Longest key that is kept as it is, in bytes; of a longer one its hash is.
const KEY_BYTES_MAX: usize = 256;

/// Beginning of keys that are an `externalId`.
const EXTERNAL_ID: &str = "externalId";

/// What names one request.
#[derive(Debug)]
pub struct Once {
    owner: Owner,
    /// At most two: the header's and the `externalId`.
    keys: Vec<IdempotencyKey>,
    /// BLAKE3 of what was asked: the id in the path and the body.
    body_hash: [u8; 32],
}

impl Once {
    /// What names the request, where the partner's settings have something that does and the request has it.
    pub fn of(
        partner: &PartnerPlan,
        route: &Route<'_>,
        duty: &Duty,
        owner: &Owner,
        (received, headers): (&Received, &HeaderMap),
    ) -> Option<Self> {
        let known_by = &partner.settings().idempotency;
        if !matches!(duty.act, Act::Create | Act::Update | Act::Move { .. }) {
            return None;
        }
        let header = known_by.key_header.as_ref().and_then(|name| headers.get(name));
        let header = header.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let is_named = duty.act == Act::Create && known_by.external_id.contains(&route.function());
        let body = received.body.as_ref();
        let own = body.filter(|_| is_named).and_then(|body| body.root().get("externalId"));
        let own = own.and_then(Node::as_str);
        if header.is_none() && own.is_none() {
            return None;
        }
        let operation = [route.function().name(), ".", &route.operation.operation_id].concat();
        let named = [("header", header), (EXTERNAL_ID, own)];
        let keys = named.into_iter().filter_map(|(by, text)| {
            Some(IdempotencyKey { operation: operation.clone(), key: key(by, owner, &text?) })
        });
        let mut hasher = blake3::Hasher::new();
        for (_, value) in &received.path {
            hasher.update(value.as_bytes()).update(b"\n");
        }
        // What was sent, not what a bridge made of it: that may leave out where two differ.
        let text = received.sent.as_ref().or(body).map_or("", |body| body.text());
        hasher.update(text.as_bytes());
        Some(Self { owner: owner.clone(), keys: keys.collect(), body_hash: *hasher.finalize().as_bytes() })
    }

    /// What our procurement system asks for under a number of its own.
    pub fn bought(owner: &Owner, operation: &str, own: &str, asked: &str) -> Self {
        let keys =
            vec![IdempotencyKey { operation: operation.to_owned(), key: key("correlation", owner, own) }];
        Self { owner: owner.clone(), keys, body_hash: *blake3::hash(asked.as_bytes()).as_bytes() }
    }

    /// The first answer, if the request was answered before.
    ///
    /// # Errors
    /// The first is still at work, or was another one.
    pub async fn look(&self, story: &mut Story<'_>) -> Result<Option<Answer>, ExchangeError> {
        let store = &story.gateway.store;
        let known = custody::look(store, &self.owner.partner, &self.keys, &self.body_hash).await?;
        decide(story, known)
    }

    /// Commits the batch with the keys taken, if nobody has one.
    ///
    /// # Errors
    /// As [`Once::look`], or the store's; nothing may be sent then.
    pub async fn begin(
        &self,
        story: &mut Story<'_>,
        mut batch: Batch,
    ) -> Result<Option<Answer>, ExchangeError> {
        batch.changes.extend(self.taken(story));
        let begun = custody::begin(&story.gateway.store, batch).await?;
        decide(story, begun)
    }

    /// What named a request that was begun earlier.
    pub fn begun(owner: &Owner, keys: Vec<IdempotencyKey>) -> Option<Self> {
        (!keys.is_empty()).then(|| Self { owner: owner.clone(), keys, body_hash: [0; 32] })
    }

    /// The changes that take the keys.
    pub fn taken(&self, story: &Story<'_>) -> Vec<Change> {
        let take = |key: &IdempotencyKey| Change::Begin {
            key: key.clone(),
            body_hash: self.body_hash,
            exchange: story.id.clone(),
            at_ms: story.now_ms(),
        };
        self.keys.iter().map(take).collect()
    }

    /// The keys.
    pub fn keys(&self) -> &[IdempotencyKey] {
        &self.keys
    }

    /// The changes that keep the answer for whoever asks again.
    pub fn finish(&self, duty: &Duty, id: Option<&SonataId>, answer: &Answer) -> Vec<Change> {
        let entity = id.map(|id| (custody::kind_of(duty.kind), id.clone()));
        let finish = |key: &IdempotencyKey| Change::Finish {
            key: key.clone(),
            status: answer.status.as_u16(),
            answer: answer.body.clone(),
            entity: entity.clone(),
        };
        self.keys.iter().map(finish).collect()
    }

    /// The changes that free the keys: nothing was done, and it may be tried again.
    pub fn abandon(&self, story: &Story<'_>) -> Vec<Change> {
        let free = |key: &IdempotencyKey| Change::Abandon { key: key.clone(), exchange: story.id.clone() };
        self.keys.iter().map(free).collect()
    }
}

/// Keys of different Buyers and Sellers that one partner speaks for are different keys.
fn key(by: &str, owner: &Owner, text: &str) -> String {
    let buyer = owner.buyer.as_ref().map_or("", |id| id.as_str());
    let seller = owner.seller.as_ref().map_or("", |id| id.as_str());
    let mut key = format!("{by}\n{buyer}\n{seller}\n");
    if text.len() > KEY_BYTES_MAX {
        // It cannot be taken for a text as it came: those are shorter.
        let _ = write!(key, "blake3 of {} bytes: {}", text.len(), blake3::hash(text.as_bytes()));
    } else {
        key.push_str(text);
    }
    key
}

fn decide(story: &mut Story<'_>, known: Begun) -> Result<Option<Answer>, ExchangeError> {
    match known {
        Begun::Fresh => Ok(None),
        Begun::Again(first) => Ok(Some(again(story, first))),
        Begun::Running(_) => Err(ExchangeError::InProgress),
        Begun::OtherBody(key) => {
            Err(ExchangeError::OtherRequest { by_external_id: key.key.starts_with(EXTERNAL_ID) })
        }
    }
}

fn again(story: &mut Story<'_>, first: RememberedAnswer) -> Answer {
    story.entity = first.entity.map(|(_, id)| id.as_str().to_owned());
    let body: Bytes = first.body;
    let status = StatusCode::from_u16(first.status).unwrap_or(StatusCode::OK);
    Answer { status, body, headers: HeaderMap::new() }
}
