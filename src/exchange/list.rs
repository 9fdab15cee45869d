//! Lists: the legacy system's pages are walked, and of what they hold only this partner's entities are answered.
//!
//! The legacy system knows no partner, so ownership is decided by the pairs of ids that are kept here: an entity
//! that was never told to this partner is not in its list. The order is that of the legacy system.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    answer::{hold_as, map_reply},
    call::{self, Broken},
    calls::{Origin, place},
    error::ExchangeError,
    facts::{StoryTexts, facts},
    reply::Reply,
    seller::{Work, calling, success_status},
    story::{Answer, Story},
};
use crate::{
    custody::kind_of,
    ids::{LegacyId, SonataId},
    json::{Builder, Document},
    mapping::{
        apply::References,
        operation::{self, Paging},
        path::FieldPath,
        program::Program,
        value::Value,
    },
};

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
const X_RESULT_COUNT: HeaderName = HeaderName::from_static("x-result-count");
const X_PAGINATION_THROTTLED: HeaderName = HeaderName::from_static("x-pagination-throttled");

/// Entities that one legacy page is asked for.
const LEGACY_PAGE_ITEMS: u64 = 100;

/// Which part of the list is wanted.
struct Window {
    offset: usize,
    limit: usize,
}

/// Answers a list.
///
/// # Errors
/// The first thing that fails; a list is never answered in part.
pub async fn answer(
    story: &mut Story<'_>,
    work: &Work<'_>,
    headers: &HeaderMap,
) -> Result<Answer, ExchangeError> {
    let operation::Answer::Each { elements, legacy_id, program } = &work.operation.program.answer else {
        return Err(ExchangeError::Internal("a list is answered with `answer: { each: … }`".to_owned()));
    };
    let texts = StoryTexts::of(story);
    let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, None);
    let limits = &story.plan.settings().gateway.limits;
    let window = window(work, limits.page_items_max);
    let (mut wanted, mut matched, mut page) = (Vec::new(), 0usize, 0u64);
    let pages_max = u64::try_from(limits.calls_max).unwrap_or(u64::MAX);
    let throttled = loop {
        let reply = fetch(story, work, headers, &facts, page).await?;
        let found = count(elements, &reply);
        for (position, id) in owned(story, work, elements, legacy_id.as_ref(), &reply).await? {
            if matched >= window.offset && wanted.len() < window.limit {
                wanted.push(one(story, work, program, &facts, elements, &reply, position, &id).await?);
            }
            matched += 1;
        }
        page += 1;
        let Some(paging) = &work.operation.program.paging else { break false };
        if is_last(paging, &reply, found, page) {
            break false;
        }
        if page >= pages_max {
            break true;
        }
    };
    let count = wanted.len();
    let document = array(&wanted);
    let mut headers = HeaderMap::new();
    let mut set = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    if work.route.operation.paged {
        if !throttled {
            set(X_TOTAL_COUNT, matched.to_string());
        }
        set(X_RESULT_COUNT, count.to_string());
        set(X_PAGINATION_THROTTLED, (throttled || window.offset + count < matched).to_string());
    }
    Ok(Answer { status: success_status(work.route), body: document.bytes(), headers })
}

fn window(work: &Work<'_>, page_items_max: usize) -> Window {
    let number = |name: &str| work.received.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let limit = number("limit").unwrap_or(page_items_max).min(page_items_max);
    Window { offset: number("offset").unwrap_or(0), limit }
}

/// One page of the legacy list.
async fn fetch(
    story: &mut Story<'_>,
    work: &Work<'_>,
    headers: &HeaderMap,
    facts: &Value<'_>,
    page: u64,
) -> Result<Reply, ExchangeError> {
    let program = &*work.operation.program;
    let nothing = References::new();
    let origin = Origin {
        received: work.received,
        stored: None,
        facts,
        references: &nothing,
        remembered: &[],
        legacy_id: None,
        item_id: None,
        calls_max: 1,
    };
    let planned = origin.plan(program)?;
    let needed = origin.references(&planned);
    let references =
        super::references::to_legacy(story, &work.owner.partner, &work.backend.id, &needed).await?;
    let origin = Origin { references: &references, ..origin };
    let mut prepared = origin.prepare(&planned)?;
    if let (Some(paging), Some(one)) = (&program.paging, prepared.first_mut()) {
        one.query.extend(page_parameters(paging, page));
    }
    let calling = calling(story, work, &origin, headers);
    let replies = call::run(story, &calling, &prepared).await.map_err(|broken| {
        let Broken { error, .. } = *broken;
        error
    })?;
    replies.into_iter().next().ok_or_else(|| ExchangeError::Internal("a list makes one call".to_owned()))
}

fn page_parameters(paging: &Paging, page: u64) -> Vec<(String, String)> {
    let number =
        if paging.counts_records { paging.first + page * LEGACY_PAGE_ITEMS } else { paging.first + page };
    let mut pairs = Vec::new();
    if let Some(name) = &paging.page {
        pairs.push((name.to_string(), number.to_string()));
    }
    if let Some(name) = &paging.size {
        pairs.push((name.to_string(), LEGACY_PAGE_ITEMS.to_string()));
    }
    pairs
}

fn is_last(paging: &Paging, reply: &Reply, found: usize, pages: u64) -> bool {
    if paging.page.is_none() || found == 0 {
        return true;
    }
    let root = reply.document.as_ref().map(Document::root);
    let total = paging.total.as_ref().zip(root).and_then(|(query, root)| query.first(root, root));
    match total.and_then(crate::json::Node::as_i64) {
        Some(total) => i64::try_from(pages * LEGACY_PAGE_ITEMS).is_ok_and(|seen| seen >= total),
        None => (found as u64) < LEGACY_PAGE_ITEMS,
    }
}

fn count(elements: &FieldPath, reply: &Reply) -> usize {
    array_of(elements, reply).map_or(0, crate::json::Node::len)
}

fn array_of<'r>(elements: &FieldPath, reply: &'r Reply) -> Option<crate::json::Node<'r>> {
    let root = reply.document.as_ref()?.root();
    elements.array().read(root, root).ok()?
}

/// Positions of the elements that this partner owns, with the ids that it knows them by.
async fn owned(
    story: &Story<'_>,
    work: &Work<'_>,
    elements: &FieldPath,
    legacy_id: Option<&FieldPath>,
    reply: &Reply,
) -> Result<Vec<(usize, SonataId)>, ExchangeError> {
    let Some(array) = array_of(elements, reply) else { return Ok(Vec::new()) };
    let path = legacy_id
        .ok_or_else(|| ExchangeError::Internal("a list needs `legacy_id` in its `answer`".to_owned()))?;
    let ids: Vec<(usize, LegacyId)> = array
        .elements()
        .enumerate()
        .filter_map(|(position, element)| Some((position, LegacyId::parse(&place(path, element)?).ok()?)))
        .collect();
    let kind = kind_of(work.duty.kind);
    let wanted = ids.iter().map(|(_, id)| (kind.clone(), id.clone())).collect();
    let store = &story.gateway.store;
    let known = store.to_sonata(&work.owner.partner, &work.backend.id, wanted).await?;
    let mut owned = Vec::new();
    for (position, legacy) in ids {
        let Some(id) = known.get(&(kind.clone(), legacy)) else { continue };
        // Where the partner speaks for several Buyers, each sees only its own.
        let entity = store.entity(&work.owner.partner, &kind, id).await?;
        let mine = |entity: &crate::store::Entity| {
            entity.buyer == work.owner.buyer && entity.seller == work.owner.seller
        };
        if entity.as_ref().is_none_or(mine) {
            owned.push((position, id.clone()));
        }
    }
    Ok(owned)
}

/// One element of the answer: mapped, completed with what is kept of the entity, cut to the list's type.
#[expect(clippy::too_many_arguments, reason = "an element is what all of these say of it")]
async fn one(
    story: &mut Story<'_>,
    work: &Work<'_>,
    program: &Program,
    facts: &Value<'_>,
    elements: &FieldPath,
    reply: &Reply,
    position: usize,
    id: &SonataId,
) -> Result<Document, ExchangeError> {
    let element = array_of(elements, reply).and_then(|array| array.at(position));
    let element = element.ok_or_else(|| ExchangeError::Internal("an element went away".to_owned()))?;
    let mapped = map_reply(story, work, program, facts, &[], reply, Some((position, element))).await?;
    let stored =
        super::subject::load(story, work.owner, &work.backend.id, work.duty.kind, id.clone()).await?;
    let href = super::seller::href(story, work, id);
    let completed = crate::custody::complete(&crate::custody::Completing {
        kind: work.duty.kind,
        request: stored.as_ref().and_then(|subject| subject.request.as_ref()),
        mapped: mapped.document.as_ref(),
        kept: stored.as_ref().and_then(|subject| subject.document.as_ref()),
        id: id.as_str(),
        href: Some(&href),
        now: &story.now_text(),
        seller: None,
        echo_off: &work.operation.echo_off,
    });
    let body = work.route.operation.success_body();
    match body.and_then(|body| body.item) {
        Some(ty) => hold_as(story, work, &completed.document, ty),
        None => Ok(completed.document),
    }
}

fn array(elements: &[Document]) -> Document {
    let mut builder = Builder::new();
    let root = builder.array();
    for element in elements {
        let element = builder.copy(element.root());
        builder.push(root, element);
    }
    builder.finish(root)
}
