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
    message,
};
use crate::{
    ids::{LegacyId, SonataId},
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
            if let Err(error) = keep_one(&story, partner, notifier.exposer.contract).await {
                let (partner, function) = (partner.id().as_str(), function.name());
                tracing::warn!(partner, function, %error, "no subscription at the Seller; tried again");
                failed += 1;
            }
        }
    }
    failed
}

async fn keep_one(
    story: &Story<'_>,
    partner: &PartnerPlan,
    contract: &'static Contract,
) -> Result<(), ExchangeError> {
    let function = contract.function;
    let internal = |error: String| ExchangeError::Internal(error);
    let (kind, id) =
        (Kind::new(KIND), SonataId::parse(function.name()).map_err(|e| internal(e.to_string()))?);
    let wanted = wanted(story, partner, function);
    let kept = story.gateway.store.entity(partner.id(), &kind, &id).await?;
    let is_as_wanted =
        |kept: &Entity| kept.document.as_ref() == Some(&wanted) && kept.state.as_deref() == Some(SUBSCRIBED);
    if kept.as_ref().is_some_and(is_as_wanted) {
        return Ok(());
    }
    let hub = format!("{}/hub", contract.base_path());
    if let Some(old) = kept.as_ref().and_then(|kept| kept.legacy_id.as_ref()) {
        remove(story, partner, &hub, old).await?;
    }
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

/// Removes a subscription; one that is gone by itself is as good as one that was removed.
async fn remove(
    story: &Story<'_>,
    partner: &PartnerPlan,
    hub: &str,
    old: &LegacyId,
) -> Result<(), ExchangeError> {
    let path = format!("{hub}/{}", utf8_percent_encode(old.as_str(), SEGMENT));
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
    let events: Vec<&str> = own.map(|one| &*one.notify.event).collect();
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
    let mut path = path.to_owned();
    append_query(&mut path, message::only_parties(partner.settings()).iter());
    let path_and_query =
        PathAndQuery::try_from(path).map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let request = LegacyRequest { method, path_and_query, headers: HeaderMap::new(), body };
    let answer = story.gateway.legacy.call(endpoint, request, story.moment.deadline).await;
    let answer = answer.map_err(|error| ExchangeError::Legacy { call: "hub".to_owned(), error })?;
    Ok((answer.status, answer.body))
}
