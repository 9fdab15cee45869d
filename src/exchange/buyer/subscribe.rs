//! Subscriptions at Sellers, kept as the configuration wants them: one at each hub whose events somebody is told of.
//!
//! What is subscribed is an entity of the partner (`sellerHub`, by the function), with what the hub was told in it. Where the
//! mappings tell of other events, or the callback is another, the old one is removed and a new one made.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, uri::PathAndQuery};
use percent_encoding::utf8_percent_encode;

use super::{
    super::{
        Gateway,
        calls::{SEGMENT, append_query},
        error::ExchangeError,
        story::Story,
        wire::MEDIA_TYPE,
    },
    message::Parties,
};
use crate::{
    config::{Partner, Represented},
    ids::{BuyerId, LegacyId, SellerId, SonataId},
    json::{Builder, Document, Node},
    legacy::LegacyRequest,
    plan::PartnerPlan,
    sonata::{Contract, Function},
    store::{Batch, Change, Entity, Kind},
};

/// The kind under which subscriptions are kept.
const KIND: &str = "sellerHub";

/// The state of one that the hub has; others have none.
const SUBSCRIBED: &str = "subscribed";

/// Makes what is missing and removes what is too much, at all Sellers. The number of hubs where that failed: it is to be
/// tried again.
pub async fn keep(gateway: &Gateway) -> usize {
    let (head, ()) = Request::new(()).into_parts();
    let mut story = Story::begin(gateway, &head);
    story.is_ours();
    let plan = std::sync::Arc::clone(&story.plan);
    let mut failed = 0;
    for partner in plan.partners() {
        let mut functions: Vec<Function> = Vec::new();
        for notifier in partner.notifiers() {
            let function = notifier.exposer.contract.function;
            if functions.contains(&function) {
                continue;
            }
            functions.push(function);
            for parties in parties(partner.settings()) {
                let Ok(abroad) = &notifier.exposer.abroad else { continue };
                if let Err(error) = keep_one(&story, partner, abroad.contract, &parties).await {
                    let (partner, function) = (partner.id().as_str(), function.name());
                    tracing::warn!(partner, function, %error, "no subscription at the Seller; tried again");
                    failed += 1;
                }
            }
        }
    }
    failed
}

/// For whom a hub is subscribed to: for each that a side speaks for by itself (MEF 115 R1 to R4 and siblings).
fn parties(settings: &Partner) -> Vec<Parties> {
    fn texts<T>(represented: &Represented<T>, text: impl Fn(&T) -> &str) -> Vec<Option<String>> {
        match represented {
            Represented::One => vec![None],
            Represented::Several(ids) => ids.iter().map(|id| Some(text(id).to_owned())).collect(),
        }
    }
    let sellers = texts(&settings.represents.sellers, SellerId::as_str);
    let buyers = texts(&settings.represents.buyers, BuyerId::as_str);
    let pairs = buyers.into_iter().flat_map(|buyer| {
        sellers.iter().map(move |seller| Parties { buyer: buyer.clone(), seller: seller.clone() })
    });
    pairs.collect()
}

/// What a subscription is kept under: the function, and for whom it is where that has to be said.
fn name(function: Function, parties: &Parties) -> Result<SonataId, ExchangeError> {
    let parts = [Some(function.name()), parties.buyer.as_deref(), parties.seller.as_deref()];
    let name = match parts {
        [Some(function), None, None] => function.to_owned(),
        // Of a fixed length, whatever the ids are.
        parts => {
            let text = parts.map(|part| format!("{part:?}")).concat();
            format!("{}-{}", function.name(), &blake3::hash(text.as_bytes()).to_hex()[..32])
        }
    };
    SonataId::parse(&name).map_err(|error| ExchangeError::Internal(error.to_string()))
}

async fn keep_one(
    story: &Story<'_>,
    partner: &PartnerPlan,
    contract: &'static Contract,
    parties: &Parties,
) -> Result<(), ExchangeError> {
    let function = contract.function;
    let (kind, id) = (Kind::new(KIND), name(function, parties)?);
    // A Seller that is asked has no hub; what is subscribed there from before is not wanted any more.
    let is_asked = partner.settings().polling.is_some();
    let wanted = wanted(story, partner, function);
    let kept = story.gateway.store.entity(partner.id(), &kind, &id).await?;
    let is_as_wanted =
        |kept: &Entity| kept.document.as_ref() == Some(&wanted) && kept.state.as_deref() == Some(SUBSCRIBED);
    if kept.as_ref().is_some_and(is_as_wanted) && !is_asked {
        return Ok(());
    }
    let mut hub = format!("{}/hub", contract.base_path());
    if let Some(old) = kept.as_ref().and_then(|kept| kept.legacy_id.as_ref()) {
        let query = shown(contract, "unregisterListener", parties);
        remove(story, partner, (&hub, &query), old).await?;
    }
    if is_asked {
        if let Some(kept) = kept.filter(|kept| kept.state.is_some()) {
            let ended = Entity { state: None, legacy_id: None, updated_ms: story.now_ms(), ..kept };
            let change = Change::Update(Box::new(ended));
            story.gateway.store.commit(Batch::new(partner.id().clone()).with(change)).await?;
        }
        return Ok(());
    }
    append_query(&mut hub, shown(contract, "registerListener", parties).iter());
    let (status, reply) = send(story, partner, Method::POST, &hub, Some(wanted.clone())).await?;
    if !status.is_success() {
        return Err(ExchangeError::LegacyStatus {
            status: status.as_u16(),
            call: "registerListener".to_owned(),
        });
    }
    let given = Document::from_text(&String::from_utf8_lossy(&reply)).ok();
    let given = given.as_ref().and_then(|given| given.root().get("id")).and_then(Node::as_str);
    let entity = Entity {
        state: Some(SUBSCRIBED.to_owned()),
        legacy_id: given.and_then(|given| LegacyId::parse(&given).ok()),
        document: Some(wanted),
        updated_ms: story.now_ms(),
        ..kept.clone().unwrap_or_else(|| Entity::new(kind, id, story.now_ms()))
    };
    let entity = Box::new(entity);
    let change = if kept.is_some() { Change::Update(entity) } else { Change::Create(entity) };
    story.gateway.store.commit(Batch::new(partner.id().clone()).with(change)).await?;
    tracing::info!(partner = partner.id().as_str(), function = function.name(), "subscribed at the Seller");
    Ok(())
}

/// For whom it is, as far as the release lets a hub know.
fn shown(contract: &Contract, operation: &str, parties: &Parties) -> Vec<(String, String)> {
    let known = contract.operation(operation).map_or(&[][..], |operation| &operation.query);
    let is_known = |(name, _): &(String, String)| known.iter().any(|one| one.name == *name);
    parties.query().into_iter().filter(is_known).collect()
}

/// Removes a subscription; one that is gone by itself is as good as one that was removed.
async fn remove(
    story: &Story<'_>,
    partner: &PartnerPlan,
    (hub, query): (&str, &[(String, String)]),
    old: &LegacyId,
) -> Result<(), ExchangeError> {
    let mut path = format!("{hub}/{}", utf8_percent_encode(old.as_str(), SEGMENT));
    append_query(&mut path, query.iter());
    let (status, _) = send(story, partner, Method::DELETE, &path, None).await?;
    if status.is_success() || status == StatusCode::NOT_FOUND {
        return Ok(());
    }
    Err(ExchangeError::LegacyStatus { status: status.as_u16(), call: "unregisterListener".to_owned() })
}

/// What the hub is to be told: where we listen, and which events are wanted.
fn wanted(story: &Story<'_>, partner: &PartnerPlan, function: Function) -> Bytes {
    let url = &story.plan.settings().gateway.listeners.sonata.url;
    let callback = format!("{url}{}", partner.settings().base_path);
    let own = partner.notifiers().iter().filter(|one| one.exposer.contract.function == function);
    let events: Vec<&str> = own.map(|one| &*one.event_type).collect();
    let query = format!("eventType={}", events.join(","));
    let mut builder = Builder::new();
    let root = builder.object();
    for (name, text) in [("callback", callback), ("query", query)] {
        let text = builder.string(text);
        builder.set(root, name, text);
    }
    builder.finish(root).bytes()
}

async fn send(
    story: &Story<'_>,
    partner: &PartnerPlan,
    method: Method,
    path: &str,
    body: Option<Bytes>,
) -> Result<(StatusCode, Bytes), ExchangeError> {
    let endpoint = partner.endpoint().ok_or(ExchangeError::NotServed)?;
    let body = body.map(|body| (HeaderValue::from_static(MEDIA_TYPE), body));
    let path_and_query =
        PathAndQuery::try_from(path).map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let request = LegacyRequest { method, path_and_query, headers: HeaderMap::new(), body };
    let answer = story.gateway.legacy.call(endpoint, request, story.moment.deadline).await;
    let answer = answer.map_err(|error| ExchangeError::Legacy { call: "hub".to_owned(), error })?;
    Ok((answer.status, answer.body))
}
