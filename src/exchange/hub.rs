//! Subscriptions at a function's hub: the gateway keeps them itself, whatever serves the rest of the function.

use http::{HeaderMap, StatusCode, request::Parts};
use hyper::body::Body;
use tokio::time::timeout_at;

use super::{
    error::ExchangeError,
    request::{Received, receive},
    story::Story,
    subject,
    wire::Answer,
};
use crate::{
    custody::Owner,
    json::{Builder, Document, Node},
    legacy::Unresolved,
    notify::{self, SUBSCRIPTIONS_MAX, Subscription, Subscriptions, Wanted},
    plan::{PartnerPlan, Route, Served},
    sonata::{Fault, FaultCode, events::HubAct},
    store::{Batch, Conflict, StoreError},
};

/// How often a change is tried again that another one came before.
const TRIES_MAX: usize = 8;

/// Registers, answers or removes a subscription.
///
/// # Errors
/// 501 where the partner is not told of the function; 404 for an id that it does not have; what is wrong with callback or
/// query.
pub async fn answer<B>(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
    act: HubAct,
    (head, body): (&Parts, B),
) -> Result<Answer, ExchangeError>
where
    B: Body<Data = bytes::Bytes>,
{
    let served = partner.served(route.function(), &route.operation.operation_id);
    let settings = partner.notifications().filter(|_| matches!(served, Served::Gateway));
    let settings = settings.ok_or(ExchangeError::NotServed)?;
    let received = receive(story, partner, route, head, body).await?;
    let owner = subject::owner(partner, &received)?;
    let body = match act {
        HubAct::Register => {
            let subscription = asked(story, settings, route, &owner, &received).await?;
            let shown = shown(&subscription);
            story.entity = Some(subscription.id.clone());
            change(story, route, &owner, |list| {
                if list.len() >= SUBSCRIPTIONS_MAX {
                    let reason = format!("there are {SUBSCRIPTIONS_MAX} subscriptions already; remove some");
                    return Err(refused(FaultCode::OtherIssue, "", &reason));
                }
                list.push(subscription.clone());
                Ok(())
            })
            .await?;
            shown.bytes()
        }
        HubAct::Retrieve => {
            let id = id(&received)?;
            let (store, function) = (&story.gateway.store, route.function());
            let all = Subscriptions::load(store, &owner.partner, function).await?.list;
            let found = all.iter().find(|one| is_meant(one, &owner, &id)).ok_or(ExchangeError::NotFound)?;
            story.entity = Some(id);
            shown(found).bytes()
        }
        HubAct::Remove => {
            let id = id(&received)?;
            change(story, route, &owner, |list| {
                let before = list.len();
                list.retain(|one| !is_meant(one, &owner, &id));
                if list.len() < before { Ok(()) } else { Err(ExchangeError::NotFound) }
            })
            .await?;
            story.entity = Some(id);
            bytes::Bytes::new()
        }
    };
    let status = StatusCode::from_u16(route.operation.success_status).unwrap_or(StatusCode::OK);
    Ok(Answer { status, body, headers: HeaderMap::new() })
}

fn id(received: &Received) -> Result<String, ExchangeError> {
    received.path.first().map(|(_, id)| id.clone()).ok_or(ExchangeError::NotFound)
}

/// Another Buyer's is as unknown as another partner's.
fn is_meant(subscription: &Subscription, owner: &Owner, id: &str) -> bool {
    subscription.id == id && subscription.is_of((owner.buyer.as_ref(), owner.seller.as_ref()))
}

/// What is asked for, once nothing is wrong with it.
async fn asked(
    story: &Story<'_>,
    settings: &notify::Settings,
    route: &Route<'_>,
    owner: &Owner,
    received: &Received,
) -> Result<Subscription, ExchangeError> {
    let root = received.body.as_ref().map(Document::root);
    let text = |name: &str| {
        root.and_then(|root| root.get(name)).and_then(Node::as_str).map(std::borrow::Cow::into_owned)
    };
    let query = text("query");
    Wanted::parse(route.function(), query.as_deref().unwrap_or_default())
        .map_err(|reason| refused(FaultCode::InvalidValue, "/query", &reason))?;
    let callback = text("callback").unwrap_or_default();
    let bad = |reason: &str| refused(FaultCode::InvalidValue, "/callback", reason);
    let url = notify::callback(&callback).map_err(|reason| bad(&reason))?;
    // Where all events go elsewhere, nobody ever goes there.
    if settings.base_url.is_none() {
        let resolving = story.gateway.legacy.resolve(&settings.guard, &url);
        match timeout_at(story.moment.deadline, resolving).await {
            Ok(Err(Unresolved::Refused(why))) => return Err(bad(&format!("the callback is refused: {why}"))),
            // A name that is not known now may be known when there is something to tell; it is checked again then.
            Ok(Ok(()) | Err(Unresolved::Unknown(_))) | Err(_) => {}
        }
    }
    Ok(Subscription {
        id: story.gateway.ports.ids.next().to_string(),
        callback,
        query,
        buyer: owner.buyer.clone(),
        seller: owner.seller.clone(),
    })
}

fn refused(code: FaultCode, pointer: &str, reason: &str) -> ExchangeError {
    ExchangeError::Contract(vec![Fault::new(code, pointer, reason)])
}

/// Changes the subscriptions of a hub, whoever else changes them at the same time.
async fn change(
    story: &Story<'_>,
    route: &Route<'_>,
    owner: &Owner,
    mut with: impl FnMut(&mut Vec<Subscription>) -> Result<(), ExchangeError>,
) -> Result<(), ExchangeError> {
    let (store, partner) = (&story.gateway.store, &owner.partner);
    for _ in 0..TRIES_MAX {
        let mut all = Subscriptions::load(store, partner, route.function()).await?;
        with(&mut all.list)?;
        let batch = Batch::new(partner.clone()).with(all.kept(story.now_ms()));
        match store.commit(batch).await {
            Err(StoreError::Conflict(Conflict::Version | Conflict::Exists)) => {}
            ended => return Ok(ended?),
        }
    }
    Err(StoreError::Conflict(Conflict::Version).into())
}

/// `EventSubscription`.
fn shown(subscription: &Subscription) -> Document {
    let mut builder = Builder::new();
    let root = builder.object();
    let members = [
        ("id", Some(subscription.id.as_str())),
        ("callback", Some(subscription.callback.as_str())),
        ("query", subscription.query.as_deref()),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            let value = builder.string(value);
            builder.set(root, name, value);
        }
    }
    builder.finish(root)
}
