//! The life of an exchange on the Seller side: a partner asks in Sonata, a legacy system answers in its own terms.
//!
//! `seller` is the story, step by step; what a step does is in the file of its name.

use std::{borrow::Cow, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, Request, Response, StatusCode, request::Parts};
use http_body_util::Full;
use hyper::body::Body;

use super::{
    Gateway, answer,
    call::{self, Broken, Calling},
    calls::Origin,
    error::ExchangeError,
    facts::{EntityFacts, StoryTexts, facts},
    journal::Journal,
    list, references,
    request::{Received, json_limits, receive},
    stack::panic_text,
    story::{Answer, Story},
    subject::{self, Subject},
};
use crate::{
    custody::{self, Owner},
    ids::{BackendId, SonataId},
    json::{Document, Node},
    legacy::BackendSettings,
    mapping::apply::References,
    plan::{MappedOperation, PartnerPlan, Plan, Route, RouteError, Served},
    server::PeerIdentity,
    sonata::{
        Fault, FaultCode,
        entity::{Act, Duty, duty_of},
    },
    store::Batch,
};

/// Runs one exchange from request head to answer. It always answers.
pub async fn exchange<B>(gateway: &Gateway, request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
{
    let _in_flight = gateway.metrics.in_flight();
    let (head, body) = request.into_parts();
    let mut story = Story::begin(gateway, &head);
    // No timeout around the whole: it would end the story where a legacy system has acted and nothing is kept. Body
    // and calls each end at the deadline by themselves, and what follows them waits for nothing but the store.
    let result = guarded(seller(&mut story, &head, body)).await;
    story.end(result)
}

/// A panic ends its exchange as any other failure does.
async fn guarded<T>(work: impl Future<Output = Result<T, ExchangeError>>) -> Result<T, ExchangeError> {
    let told = AssertUnwindSafe(work).catch_unwind().await;
    told.unwrap_or_else(|payload| Err(ExchangeError::Panicked(panic_text(&*payload).to_owned())))
}

/// What the middle of the story works on.
pub struct Work<'w> {
    /// The partner.
    pub partner: &'w PartnerPlan,
    /// Contract and operation.
    pub route: &'w Route<'w>,
    /// The mapping.
    pub operation: &'w MappedOperation,
    /// What the operation does to entities.
    pub duty: &'static Duty,
    /// The request.
    pub received: &'w Received,
    /// Whose entities it may see.
    pub owner: &'w Owner,
    /// The legacy system.
    pub backend: &'w BackendSettings,
    /// The entity that the operation names.
    pub subject: Option<&'w Subject>,
}

async fn seller<B>(story: &mut Story<'_>, head: &Parts, body: B) -> Result<Answer, ExchangeError>
where
    B: Body<Data = Bytes>,
{
    let partner = identify(&story.plan, head)?;
    story.partner = Some(Arc::clone(&partner));
    let route = partner.route(&head.method, head.uri.path()).map_err(no_route)?;
    story.route = Some((route.contract, route.operation));
    let (operation, duty) = served(&partner, &route)?;
    story.mapping = Some(Arc::clone(&operation));
    let received = receive(story, &partner, &route, head, body).await?;
    let owner = subject::owner(&partner, &received)?;
    let body = received.body.as_ref().map(Document::root);
    let routed = partner.backend(body).ok_or(ExchangeError::NotServed)?.clone();
    let subject = subject::find(story, &owner, &routed, duty, &received).await?;
    let backend = backend(
        &story.plan,
        subject.as_ref().and_then(|subject| subject.backend.as_ref()).unwrap_or(&routed),
    )?;
    let work = Work {
        partner: &partner,
        route: &route,
        operation: &operation,
        duty,
        received: &received,
        owner: &owner,
        backend: &backend,
        subject: subject.as_ref(),
    };
    may_move(&work)?;
    match duty.act {
        Act::List => list::answer(story, &work, &head.headers).await,
        _ => single(story, &work, &head.headers).await,
    }
}

/// One entity, or an answer that keeps none: map, call, map back, keep, answer.
async fn single(
    story: &mut Story<'_>,
    work: &Work<'_>,
    headers: &HeaderMap,
) -> Result<Answer, ExchangeError> {
    let id = entity_id(story, work)?;
    let href = id.as_ref().map(|id| href(story, work, id)).unwrap_or_default();
    let texts = StoryTexts::of(story);
    let (stored, parent) = relations(work);
    let entity = id.as_ref().map(|id| EntityFacts { id: id.as_str(), href: &href, stored, parent });
    let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, entity);
    let (program, nothing) = (&*work.operation.program, References::new());
    let item_id = item_id(work)?;
    let remembered = work.subject.map(Subject::all_keys).unwrap_or_default();
    let origin = Origin {
        received: work.received,
        stored: work.subject.and_then(|subject| subject.document.as_ref()),
        facts: &facts,
        references: &nothing,
        remembered: &remembered,
        legacy_id: work
            .subject
            .and_then(|subject| subject.legacy_id.as_ref())
            .map(crate::ids::LegacyId::as_str),
        item_id: item_id.as_deref(),
        calls_max: story.plan.settings().gateway.limits.calls_max,
    };
    let planned = origin.plan(program)?;
    let needed = origin.references(&planned);
    let references = references::to_legacy(story, &work.owner.partner, &work.backend.id, &needed).await?;
    let origin = Origin { references: &references, ..origin };
    let prepared = origin.prepare(&planned)?;

    let mut journal = Journal::new(&work.owner.partner, &work.backend.id, operation_name(work));
    journal.begin(story, &prepared).await?;
    let calling = calling(story, work, &origin, headers);
    let replies = match call::run(story, &calling, &prepared).await {
        Ok(replies) => replies,
        Err(broken) => return Err(settle(story, work, &journal, *broken).await),
    };

    // Guarded by itself: the legacy system has acted, and a defect of ours must not hide that.
    let made = guarded(answer::make(story, work, id.as_ref(), &href, &facts, &prepared, &replies)).await;
    match made {
        Ok(made) => {
            let batch = Batch { partner: work.owner.partner.clone(), changes: made.changes };
            let batch = journal.done(story).into_iter().fold(batch, Batch::with);
            if !batch.changes.is_empty()
                && let Err(error) = story.gateway.store.commit(batch).await
            {
                let changes = journal.answered(story, &work.operation.program, &replies);
                keep(story, work, changes).await;
                return Err(error.into());
            }
            story.entity = id.map(|id| id.as_str().to_owned());
            Ok(answer::success(work, &made.document))
        }
        Err(error) => {
            keep_unmapped(story, work, &journal, id.as_ref(), &replies).await;
            Err(error)
        }
    }
}

/// Nobody proves who they are yet: a loopback caller on a loopback listener is the partner configured so.
fn identify(plan: &Plan, head: &Parts) -> Result<Arc<PartnerPlan>, ExchangeError> {
    let peer = head.extensions.get::<PeerIdentity>();
    if !peer.is_some_and(PeerIdentity::is_loopback) {
        return Err(ExchangeError::UnknownPartner);
    }
    plan.loopback_partner(head.uri.path()).cloned().ok_or(ExchangeError::UnknownPartner)
}

fn no_route(error: RouteError) -> ExchangeError {
    match error {
        RouteError::NoSuchPath => ExchangeError::NoSuchPath,
        RouteError::MethodNotAllowed { allow } => ExchangeError::MethodNotAllowed { allow },
    }
}

fn served(
    partner: &PartnerPlan,
    route: &Route<'_>,
) -> Result<(Arc<MappedOperation>, &'static Duty), ExchangeError> {
    let operation_id = &route.operation.operation_id;
    let duty = duty_of(route.function(), operation_id);
    match (partner.served(route.function(), operation_id), duty) {
        (Served::Mapped(operation), Some(duty)) => Ok((Arc::clone(operation), duty)),
        (Served::Manual, _) => Err(ExchangeError::Manual),
        (Served::Mapped(_) | Served::Off | Served::Unmapped, _) => Err(ExchangeError::NotServed),
    }
}

fn backend(plan: &Plan, id: &BackendId) -> Result<Arc<BackendSettings>, ExchangeError> {
    let backend = plan.backend(id).cloned();
    backend.ok_or_else(|| ExchangeError::Internal(format!("backend `{id}` is not configured")))
}

/// The Buyer may only move an entity where its state machine allows it (section 4 of the guides).
fn may_move(work: &Work<'_>) -> Result<(), ExchangeError> {
    let (Act::Move { state }, Some(subject)) = (work.duty.act, work.subject) else { return Ok(()) };
    let Some(document) = &subject.document else { return Ok(()) };
    custody::may_move(subject.kind, document.root(), state).map_err(|illegal| ExchangeError::Conflict {
        pointer: work.duty.about.map(|(_, members)| format!("/{}", members.join("/"))),
        reason: illegal.to_string(),
    })
}

/// The id of the entity that the operation makes or answers.
fn entity_id(story: &Story<'_>, work: &Work<'_>) -> Result<Option<SonataId>, ExchangeError> {
    match work.duty.act {
        Act::Create => references::new_id(story).map(Some),
        Act::Retrieve | Act::Update | Act::Move { .. } => Ok(work.subject.map(|subject| subject.id.clone())),
        Act::List | Act::Ask => Ok(None),
    }
}

/// What is stored of the entity itself, and the entity that it belongs to.
fn relations<'w>(work: &Work<'w>) -> (Option<&'w Subject>, Option<&'w Subject>) {
    match work.duty.act {
        Act::Create => (None, work.subject),
        _ => (work.subject, work.subject.and_then(|subject| subject.parent.as_deref())),
    }
}

/// The item that the request names outside of any array.
///
/// # Errors
/// 422 `referenceNotFound` where the entity does not have it.
fn item_id<'w>(work: &Work<'w>) -> Result<Option<Cow<'w, str>>, ExchangeError> {
    let (Some(body), Some(members)) = (&work.received.body, work.duty.item) else { return Ok(None) };
    let named = members.iter().try_fold(body.root(), |node, member| node.get(member));
    let Some(id) = named.and_then(Node::as_str) else { return Ok(None) };
    let stored =
        work.subject.and_then(|subject| Some((subject.kind.facts().items?, subject.document.as_ref()?)));
    let items = stored.and_then(|(items, document)| document.root().get(items));
    if items.is_some_and(|items| {
        items.elements().all(|item| item.get("id").and_then(Node::as_str).as_ref() != Some(&id))
    }) {
        let pointer = format!("/{}", members.join("/"));
        let fault = Fault::new(FaultCode::ReferenceNotFound, pointer, "there is no such item");
        return Err(ExchangeError::Contract(vec![fault]));
    }
    Ok(Some(id))
}

pub(super) fn href(story: &Story<'_>, work: &Work<'_>, id: &SonataId) -> String {
    let listener = story.plan.settings().gateway.listeners.sonata.address;
    let base_path = format!("{}{}", work.partner.settings().base_path, work.route.contract.base_path());
    custody::href(&format!("http://{listener}"), &base_path, work.duty.kind, id.as_str())
}

fn operation_name(work: &Work<'_>) -> String {
    format!("{}.{}", work.route.function().name(), work.route.operation.operation_id)
}

pub(super) fn calling<'c, 'm>(
    story: &Story<'_>,
    work: &'c Work<'m>,
    origin: &'c Origin<'m>,
    headers: &HeaderMap,
) -> Calling<'c, 'm> {
    let mut forwarded = work.backend.forwarded(headers);
    if work.backend.forward.iter().any(|name| name == "traceparent")
        && let Ok(value) = http::HeaderValue::from_str(&story.trace.to_string())
    {
        forwarded.insert("traceparent", value);
    }
    let limits = json_limits(&story.plan.settings().gateway.limits);
    let limits = crate::json::Limits { bytes_max: work.backend.response_bytes_max, ..limits };
    Calling { program: &work.operation.program, origin, backend: work.backend, forwarded, limits }
}

/// A call failed. Where the legacy system did nothing the exchange is over; else what was answered is kept for
/// attention.
async fn settle(story: &Story<'_>, work: &Work<'_>, journal: &Journal, broken: Broken) -> ExchangeError {
    let Broken { error, replies, unclear } = broken;
    let mut changes = journal.answered(story, &work.operation.program, &replies);
    if !unclear && replies.is_empty() {
        changes.extend(journal.done(story));
    }
    keep(story, work, changes).await;
    error
}

/// The legacy system acted, and we cannot say what it did: the entity, its ids and the raw answer are kept.
async fn keep_unmapped(
    story: &Story<'_>,
    work: &Work<'_>,
    journal: &Journal,
    id: Option<&SonataId>,
    replies: &[super::reply::Reply],
) {
    let mut changes = journal.answered(story, &work.operation.program, replies);
    if let (Act::Create, Some(id)) = (work.duty.act, id) {
        changes.push(answer::unmapped(story, work, id, replies));
    }
    keep(story, work, changes).await;
}

async fn keep(story: &Story<'_>, work: &Work<'_>, changes: Vec<crate::store::Change>) {
    if changes.is_empty() {
        return;
    }
    let batch = Batch { partner: work.owner.partner.clone(), changes };
    if let Err(error) = story.gateway.store.commit(batch).await {
        tracing::error!(exchange = story.id.as_str(), %error, "what the legacy system did could not be kept");
    }
}

/// The status that the operation promises.
pub(super) fn success_status(route: &Route<'_>) -> StatusCode {
    StatusCode::from_u16(route.operation.success_status).unwrap_or(StatusCode::OK)
}
