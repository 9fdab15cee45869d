//! The life of an exchange on the Seller side: a partner asks in Sonata, a legacy system answers in its own terms.
//!
//! `seller` is the story, step by step; what a step does is in the file of its name.

use std::{
    panic::AssertUnwindSafe,
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, Request, Response, Version, header, request::Parts};
use http_body_util::Full;
use hyper::body::Body;

use super::{
    Gateway, answer, bridge, buyer, by_hand,
    call::{self, Broken},
    calls::{Origin, Prepared},
    error::ExchangeError,
    facts::{EntityFacts, Known, StoryTexts, facts},
    hub,
    identify::caller,
    instant, inventory,
    journal::Journal,
    list, notices,
    once::Once,
    quotes, references,
    reply::Reply,
    report,
    request::{Received, receive},
    rules,
    stack::panic_text,
    story::Story,
    subject::{self, Subject},
    ways,
    wire::Answer,
    work::Work,
};
use crate::{
    config::Side,
    ids::SonataId,
    json::Document,
    notify::By,
    plan::{Asked, PartnerPlan, Route, RouteError},
    sonata::{
        entity::{Act, Duty, duty_of},
        events::HubAct,
    },
    store::{Batch, Change, Conflict, StoreError},
};

/// How often it is looked what an answer means for an entity that others change meanwhile.
const CHANGE_TRIES_MAX: usize = 8;

/// How often the quotes of an order are read again where another exchange changed them meanwhile.
const QUOTE_TRIES_MAX: usize = 8;

/// What of a refused body the connection may read by itself before the next request, in bytes.
const UNREAD_BYTES_MAX: u64 = 65_536;

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
    let mut body = pin!(body);
    let result = guarded(pin!(seller(&mut story, &head, body.as_mut()))).await;
    let result = pin!(bridge::back(&mut story, result)).await;
    let written = notices::release(&mut story);
    let mut answer = story.end(result);
    if let Some(written) = written {
        answer.extensions_mut().insert(written);
    }
    // What is left of a body has to be read before the next request, or the connection ends: its owner is told.
    let is_read = body.size_hint().upper().is_some_and(|left| left <= UNREAD_BYTES_MAX);
    if !is_read && head.version <= Version::HTTP_11 {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// A panic ends its exchange as any other failure does. The work is pinned where it is: it is large to move.
pub(super) async fn guarded<T>(
    work: Pin<&mut impl Future<Output = Result<T, ExchangeError>>>,
) -> Result<T, ExchangeError> {
    let told = AssertUnwindSafe(work).catch_unwind().await;
    told.unwrap_or_else(|payload| Err(ExchangeError::Panicked(panic_text(&*payload).to_owned())))
}

async fn seller<B>(story: &mut Story<'_>, head: &Parts, body: B) -> Result<Answer, ExchangeError>
where
    B: Body<Data = Bytes>,
{
    if buyer::news::is_listener(&story.plan, head.uri.path()) {
        return buyer::news::hear(story, head, body).await;
    }
    let partner = caller(&story.plan, Side::Seller, head)?;
    story.partner = Some(Arc::clone(&partner));
    let spoken = partner.route(&head.method, head.uri.path()).map_err(no_route)?;
    story.route = Some((spoken.contract, spoken.operation));
    let route = bridge::enter(story, &partner, spoken)?;
    if let Some(act) = HubAct::of(&route.operation.operation_id) {
        return hub::answer(story, &partner, &route, act, (head, body)).await;
    }
    let kept = list::kept::duty(&partner, &route);
    let duty = kept.map_or_else(|| served(story, &partner, &route), Ok)?;
    // What is waited for is pinned where it is made, here and below: handed over, it would be copied.
    let received = pin!(receive(story, &partner, &route, head, body)).await?;
    let owner = subject::owner(&partner, &received)?;
    let what = (&*partner, &route, duty);
    if kept.is_some() {
        if let Some(answer) = list::kept::answer(story, what, &received, &owner).await? {
            return Ok(answer);
        }
        served(story, &partner, &route)?;
    }
    let once = Once::of(&partner, &route, duty, &owner, (&received, &head.headers));
    if let Some(once) = &once
        && let Some(first) = once.look(story).await?
    {
        return Ok(first);
    }
    let named = pin!(ways::named(story, &owner, &partner, duty, &received)).await?;
    if by_hand::is_asked(what, named.subject.as_ref()) {
        return by_hand::answer(story, what, (&received, &owner), once.as_ref()).await;
    }
    let ways = ways::of(&story.plan, &partner, &asked(&route, &received), duty, &named)?;
    story.mapping = Some(Arc::clone(&ways.first.operation));
    let work = Work {
        partner: &partner,
        route: &route,
        operation: &ways.first.operation,
        duty,
        received: &received,
        owner: &owner,
        backend: &ways.first.backend,
        home: &ways.first.home,
        subject: named.subject.as_ref(),
        once: once.as_ref(),
    };
    let others = ways.others.iter().map(|way| work.by(way));
    if duty.act == Act::List {
        let others: Vec<Work<'_>> = others.collect();
        return list::answer(story, &work, &others, &head.headers).await;
    }
    work.may_move()?;
    rules::of_change(story, &work)?;
    pin!(inventory::check(story, &work, &head.headers)).await?;
    pin!(quotes::check(story, &work)).await?;
    let mut answer = pin!(single(story, &work, &head.headers)).await;
    for other in others {
        if !matches!(answer, Err(ExchangeError::NotFound)) {
            break;
        }
        answer = pin!(single(story, &other, &head.headers)).await;
    }
    answer
}

/// What routes go by.
fn asked<'a>(route: &'a Route<'_>, received: &'a Received) -> Asked<'a> {
    Asked {
        function: route.function(),
        operation_id: &route.operation.operation_id,
        buyer: received.parameter("buyerId"),
        seller: received.parameter("sellerId"),
        body: received.body.as_ref().map(Document::root),
    }
}

/// One entity, or an answer that keeps none: map, call, map back, keep, answer.
async fn single(
    story: &mut Story<'_>,
    work: &Work<'_>,
    headers: &HeaderMap,
) -> Result<Answer, ExchangeError> {
    let id = work.entity_id(story)?;
    let href = id.as_ref().map(|id| work.href(story, id)).unwrap_or_default();
    let texts = StoryTexts::of(story);
    let (stored, parent) = work.relations();
    let entity = id.as_ref().map(|id| EntityFacts { id: id.as_str(), href: &href, stored, parent });
    let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, entity);
    let program = &*work.operation.program;
    let item_id = work.item_id()?;
    let remembered = work.subject.map(Subject::all_keys).unwrap_or_default();
    let origin =
        Origin { remembered: &remembered, item_id: item_id.as_deref(), ..work.origin(story, &facts) };
    let planned = origin.plan(program)?;
    let needed = origin.references(&planned);
    let references = pin!(references::to_legacy(story, work, &needed)).await?;
    let origin = Origin { references: &references, ..origin };
    let prepared = origin.prepare(&planned)?;

    let mut journal = Journal::new(work, id.as_ref());
    let first = pin!(journal.begin(story, &prepared)).await?;
    if let Some(first) = first {
        return Ok(first);
    }
    let calling = work.calling(story, &origin, headers);
    let called = pin!(call::run(story, &calling, &prepared)).await;
    let mut replies = match called {
        Ok(replies) => replies,
        Err(broken) => return Err(work.or_not_found(settle(story, work, &journal, *broken).await)),
    };

    // Most are answered at once: what waits is put elsewhere, so that they carry no room for it.
    let waited = match instant::wanted(work) {
        Some(_) => Box::pin(instant::wait(story, work, id.as_ref(), &replies)).await,
        None => None,
    };
    let read_as = waited.as_ref().map(|(_, poll)| instant::read_as(work.operation, poll));
    replies.extend(waited.map(|(reply, _)| reply));
    let work = Work { operation: read_as.as_ref().unwrap_or(work.operation), ..*work };
    pin!(told(story, &work, &journal, (id.as_ref(), &href), (&facts, &prepared, &replies))).await
}

/// Maps the replies back, keeps what they say and answers. Where another exchange changed the entity meanwhile, what the
/// replies say is held against the entity as that one left it.
async fn told(
    story: &mut Story<'_>,
    work: &Work<'_>,
    journal: &Journal<'_>,
    (id, href): (Option<&SonataId>, &str),
    (facts, prepared, replies): (&Known<'_>, &[Prepared<'_>], &[Reply]),
) -> Result<Answer, ExchangeError> {
    let mut fresh: Option<Subject> = None;
    for left in (0..CHANGE_TRIES_MAX).rev() {
        let now = Work { subject: fresh.as_ref().or(work.subject), ..*work };
        if fresh.is_some() && !journal.has_begun() {
            // Nothing was done yet: the other one was simply the first.
            now.may_move()?;
        }
        // Guarded by itself: the legacy system has acted, and a defect of ours must not hide that.
        let (from, wanted) = ((prepared, replies), instant::wanted(work));
        let mut made = guarded(pin!(answer::make(story, &now, id, href, facts, from, None))).await;
        if let (Some(row), Ok(open)) = (wanted, &made)
            && instant::is_open(row, &open.document)
        {
            instant::tell(story, work);
            let instead = instant::unanswered(row, work);
            made = guarded(pin!(answer::make(story, &now, id, href, facts, from, Some(&instead)))).await;
        }
        let made = match made {
            Ok(made) => made,
            Err(error) => {
                keep_unmapped(story, &now, (journal, &error), id, replies).await;
                return Err(error);
            }
        };
        let answer = answer::success(&now, &made.document);
        let mut changes = made.changes;
        changes.extend(journal.ended(story, id, &answer));
        let committed = pin!(commit(story, &now, changes)).await;
        let error = match committed {
            Ok(()) => {
                story.entity = id.map(|id| id.as_str().to_owned());
                return Ok(answer);
            }
            Err(ExchangeError::Store(StoreError::Conflict(Conflict::Version))) if left > 0 => {
                match subject::find(story, work.owner, work.partner, work.duty, work.received).await {
                    Ok(subject) => {
                        fresh = subject;
                        continue;
                    }
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        let changes = journal.unsettled(story, &work.operation.program, replies, &error);
        keep(story, work, changes).await;
        return Err(error);
    }
    Err(ExchangeError::Internal("the entity does not come to rest".to_owned()))
}

/// Commits what an operation did. The quotes that an order accepts move with it, as they are now: another exchange may
/// have changed them since they were looked at.
async fn commit(story: &mut Story<'_>, work: &Work<'_>, changes: Vec<Change>) -> Result<(), ExchangeError> {
    let batch = |changes| Batch { partner: work.owner.partner.clone(), changes };
    for _ in 1..QUOTE_TRIES_MAX {
        let mut accepted = pin!(quotes::accept(story, work, &changes)).await?;
        if accepted.is_empty() {
            break;
        }
        accepted.extend(changes.iter().cloned());
        match notices::commit(story, work.partner, batch(accepted), By::Partner).await {
            Err(StoreError::Conflict(Conflict::Version)) => {}
            ended => return ended.map_err(ExchangeError::from),
        }
    }
    // No quotes, or quotes that do not come to rest: the order stands in any case.
    if changes.is_empty() {
        return Ok(());
    }
    pin!(notices::commit(story, work.partner, batch(changes), By::Partner)).await.map_err(ExchangeError::from)
}

fn no_route(error: RouteError) -> ExchangeError {
    match error {
        RouteError::NoSuchPath => ExchangeError::NoSuchPath,
        RouteError::MethodNotAllowed { allow } => ExchangeError::MethodNotAllowed { allow },
    }
}

/// What the operation does to entities, if it is served at all.
fn served(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    route: &Route<'_>,
) -> Result<&'static Duty, ExchangeError> {
    let (function, operation_id) = (route.function(), &route.operation.operation_id);
    let by_hand = duty_of(function, operation_id)
        .filter(|duty| by_hand::is_served(partner.served(function, operation_id), duty));
    if let Some(duty) = by_hand {
        return Ok(duty);
    }
    if let Err(error) = ways::mapped(partner.served(function, operation_id)) {
        if matches!(error, ExchangeError::Manual) {
            let name = format!("`{}.{operation_id}`", function.name());
            story.finding(
                "manual",
                &format!("{name} is set to manual, and its answer cannot wait for a person"),
            );
        }
        return Err(error);
    }
    duty_of(function, operation_id).ok_or(ExchangeError::NotServed)
}

/// A call failed. Where the legacy system did nothing the exchange is over; else what was answered is kept for
/// attention.
async fn settle(story: &Story<'_>, work: &Work<'_>, journal: &Journal<'_>, broken: Broken) -> ExchangeError {
    let Broken { error, replies, left, unclear } = broken;
    let mut changes = if unclear || !replies.is_empty() {
        journal.unsettled(story, &work.operation.program, &replies, &error)
    } else {
        journal.without_effect(story)
    };
    if left > 0 && journal.has_begun() {
        changes.extend(by_hand::not_taken_back(story, work, left));
    }
    keep(story, work, changes).await;
    error
}

/// The legacy system acted, and we cannot say what it did: the entity, its ids and the raw answer are kept.
async fn keep_unmapped(
    story: &Story<'_>,
    work: &Work<'_>,
    (journal, error): (&Journal<'_>, &ExchangeError),
    id: Option<&SonataId>,
    replies: &[Reply],
) {
    let mut changes = journal.unsettled(story, &work.operation.program, replies, error);
    if let (Act::Create, Some(id)) = (work.duty.act, id) {
        changes.extend(report::unmapped(story, work, id, replies));
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
