//! Items that change or end a product are held against the inventory before anything is done.
//!
//! The look-up is the partner's own `inventory.retrieveProduct`, where it is mapped; else what was kept of the product
//! when it was last told. One look-up per product, several side by side, all within the exchange's deadline.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::{
    answer::map_reply,
    call,
    calls::Origin,
    error::{ExchangeError, LegacyProblem},
    facts::{EntityFacts, StoryTexts, facts},
    reply::Reply,
    request::Received,
    story::Story,
    subject::{self, Subject},
    ways::{self, Way},
    work::Work,
};
use crate::{
    custody::{self, Owner, Repeating},
    ids::{BackendId, SonataId},
    json::Document,
    mapping::{operation, program::FailureCode},
    plan::Route,
    sonata::{
        Function,
        entity::{Act, EntityKind, duty_of},
    },
};

/// Look-ups of one exchange that run side by side.
const LOOK_UPS_AT_ONCE_MAX: usize = 8;

/// The operation of the standard that tells what a product is.
const LOOK_UP: &str = "retrieveProduct";

/// Holds the items of a create message against the inventory.
///
/// # Errors
/// 422 with everything that does not repeat it; or the look-up failed, and nothing was done.
pub async fn check(
    story: &mut Story<'_>,
    work: &Work<'_>,
    headers: &http::HeaderMap,
) -> Result<(), ExchangeError> {
    let (Act::Create, Some(body)) = (work.duty.act, &work.received.body) else { return Ok(()) };
    let items = custody::repeating(work.duty.kind, body.root()).map_err(ExchangeError::Contract)?;
    if items.is_empty() {
        return Ok(());
    }
    let sources = work.sources(EntityKind::Product);
    let products = products(story, work.owner, sources, &items).await?;
    let told = tell(story, work, headers, (&items, &products)).await?;
    let of_function = work.partner.products(work.route.function());
    let same_type = |own: &str, other: &str| {
        let urn =
            |ty: &str| of_function.and_then(|products| products.resolve(ty)).map(|it| it.urn().to_owned());
        urn(own).is_some_and(|own| urn(other) == Some(own))
    };
    let faults = items.iter().flat_map(|item| match told.get(&item.product) {
        Some(Told::As(document)) => item.differences(document.root(), same_type),
        Some(Told::Gone) => vec![item.unknown()],
        // What this partner does not have has no counterpart, which the mapping tells.
        None => Vec::new(),
    });
    let faults: Vec<_> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(ExchangeError::Contract(faults)) }
}

/// What came of looking for a product.
enum Told {
    As(Document),
    Gone,
}

/// The products that the items name, each once, as far as they are this partner's.
///
/// # Errors
/// There are more than calls are allowed; nothing was looked for then. Or the store's.
pub async fn products(
    story: &Story<'_>,
    owner: &Owner,
    backends: &[BackendId],
    items: &[Repeating<'_>],
) -> Result<BTreeMap<SonataId, Subject>, ExchangeError> {
    let ids: BTreeSet<SonataId> = items.iter().map(|item| item.product.clone()).collect();
    let calls_max = story.plan.settings().gateway.limits.calls_max;
    if ids.len() > calls_max {
        let message = format!("the request names {} products, {calls_max} are allowed", ids.len());
        return Err(ExchangeError::Body(message));
    }
    subject::load_all(story, owner, backends, EntityKind::Product, ids.into_iter().collect()).await
}

/// Each product as the inventory tells it now, or as it was kept where no look-up is mapped.
async fn tell(
    story: &mut Story<'_>,
    work: &Work<'_>,
    headers: &http::HeaderMap,
    (items, products): (&[Repeating<'_>], &BTreeMap<SonataId, Subject>),
) -> Result<BTreeMap<SonataId, Told>, ExchangeError> {
    let contract = work.partner.contract(Function::INVENTORY);
    let operation = contract.and_then(|contract| contract.operation(LOOK_UP));
    let duty = duty_of(Function::INVENTORY, LOOK_UP);
    // A product may be at another legacy system than the one that this request goes to.
    let plan = std::sync::Arc::clone(&story.plan);
    let mut told = BTreeMap::new();
    let mut all: Vec<(&Subject, Way)> = Vec::new();
    for (id, subject) in products {
        let own = subject.backend.as_ref().unwrap_or(&work.backend.id);
        match ways::keeper(&plan, work.partner, (Function::INVENTORY, LOOK_UP), own) {
            Some(way) => all.push((subject, way)),
            None => told.extend(subject.document.clone().map(|kept| (id.clone(), Told::As(kept)))),
        }
    }
    let (Some(contract), Some(operation), Some(duty)) = (contract, operation, duty) else { return Ok(told) };
    let (route, received) = (Route::to(contract, operation), Received::nothing());
    let looking_up = Work { route: &route, duty, received: &received, once: None, ..*work };
    for wave in all.chunks(LOOK_UPS_AT_ONCE_MAX) {
        let looking = wave.iter().map(|(subject, way)| {
            let work = Work { subject: Some(subject), ..looking_up.by(way) };
            look_up(story, work, headers)
        });
        let started = tokio::time::Instant::now();
        let replies = join_all(looking).await;
        story.legacy += started.elapsed();
        story.legacy_calls += replies.len();
        for ((subject, way), reply) in wave.iter().zip(replies) {
            let work = Work { subject: Some(subject), ..looking_up.by(way) };
            let Some(reply) = or_gone(reply.map_err(|error| work.or_not_found(error)), subject, items)?
            else {
                told.insert(subject.id.clone(), Told::Gone);
                continue;
            };
            let operation::Answer::Reply(program) = &way.operation.program.answer else { continue };
            let (texts, href) = (StoryTexts::of(story), work.href(story, &subject.id));
            let entity =
                EntityFacts { id: subject.id.as_str(), href: &href, stored: Some(*subject), parent: None };
            let facts = facts(work.partner, (contract, operation), &texts, Some(entity));
            let found = map_reply(story, &work, program, &facts, &[], &reply, None).await?;
            told.extend(found.document.map(|document| (subject.id.clone(), Told::As(document))));
        }
    }
    Ok(told)
}

/// What a look-up was answered with; none where it says that there is no such product. What else the mapping tells is
/// told where the request names the product.
fn or_gone(
    reply: Result<Reply, ExchangeError>,
    subject: &Subject,
    items: &[Repeating<'_>],
) -> Result<Option<Reply>, ExchangeError> {
    match reply {
        Ok(reply) => Ok(Some(reply)),
        Err(ExchangeError::NotFound) => Ok(None),
        Err(ExchangeError::LegacyProblem(problem)) if problem.code == FailureCode::ReferenceNotFound => {
            Ok(None)
        }
        Err(ExchangeError::LegacyProblem(problem)) => {
            let item = items.iter().find(|item| item.product == subject.id);
            let pointer = item.map(|item| format!("{}/id", item.pointer));
            Err(ExchangeError::LegacyProblem(LegacyProblem { pointer, ..problem }))
        }
        Err(error) => Err(error),
    }
}

/// The one call that a look-up makes.
async fn look_up(
    story: &Story<'_>,
    work: Work<'_>,
    headers: &http::HeaderMap,
) -> Result<Reply, ExchangeError> {
    let texts = StoryTexts::of(story);
    let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, None);
    let origin = Origin { calls_max: 1, ..work.origin(story, &facts) };
    let planned = origin.plan(&work.operation.program)?;
    let prepared = origin.prepare(&planned)?;
    let one =
        prepared.first().ok_or_else(|| ExchangeError::Internal("a look-up makes one call".to_owned()))?;
    call::one(story, &work.calling(story, &origin, headers), one, &[]).await
}
