//! Lists: the legacy system's pages are walked, and of what they hold only this partner's entities are answered.
//!
//! The legacy system knows no partner, so ownership is decided by the pairs of ids that are kept here: an entity
//! that was never told to this partner is not in its list. The order is that of the legacy system.

use http::{HeaderMap, HeaderName, HeaderValue};

mod filter;
mod page;

use std::collections::HashSet;

use super::{
    answer::{array, hold_as},
    call::{self, Broken},
    calls::Origin,
    error::ExchangeError,
    facts::{StoryTexts, facts},
    reply::Reply,
    story::Story,
    wire::Answer,
    work::Work,
};
use crate::{
    json::{Document, Node},
    mapping::{
        apply::References,
        operation::{self, Paging},
        value::Value,
    },
    store::Batch,
};
use page::Listing;

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
const X_RESULT_COUNT: HeaderName = HeaderName::from_static("x-result-count");
const X_PAGINATION_THROTTLED: HeaderName = HeaderName::from_static("x-pagination-throttled");

/// Entities that one legacy page is asked for.
const LEGACY_PAGE_ITEMS: u64 = 100;

/// Which part of the list is wanted.
struct Window {
    offset: usize,
    limit: usize,
    /// Whether we set the limit, not the Buyer: what it cuts off is then told as throttled.
    is_ours: bool,
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
    let legacy_id = legacy_id.as_ref();
    let legacy_id = legacy_id
        .ok_or_else(|| ExchangeError::Internal("a list needs `legacy_id` in its `answer`".to_owned()))?;
    let listing = Listing { elements, legacy_id, program };
    let texts = StoryTexts::of(story);
    let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, None);
    let limits = &story.plan.settings().gateway.limits;
    let body = work.route.operation.success_body();
    // The work order list of grace answers one object: the first that fits, of those from `offset` on.
    let answers_one = body.is_some_and(|body| !body.is_array());
    let window = window(work, if answers_one { 1 } else { limits.page_items_max });
    let pages_max = u64::try_from(limits.calls_max).unwrap_or(u64::MAX);
    let (mut wanted, mut matched, mut page) = (Vec::new(), 0usize, 0u64);
    let mut met = HashSet::new();
    let throttled = loop {
        let reply = match fetch(story, work, headers, &facts, page).await {
            // What this partner does not have, nothing is about: an empty list (MEF 116 R12, MEF 122 R11).
            Err(ExchangeError::Refused(failures)) if page::are_unknown(&failures) => break false,
            reply => reply?,
        };
        let mut kept = Batch::new(work.owner.partner.clone());
        for listed in listing.entities(story, work, &facts, &reply, 0..usize::MAX, &met).await? {
            if !filter::passes(listed.document.root(), &work.received.query) {
                continue;
            }
            if matched >= window.offset && wanted.len() < window.limit {
                wanted.push(cut(story, work, &listed.document)?);
                kept.changes.extend(listed.changes);
            }
            matched += 1;
        }
        if !kept.changes.is_empty() {
            story.gateway.store.commit(kept).await?;
        }
        met = listing.legacy_ids(&reply);
        page += 1;
        let Some(paging) = &work.operation.program.paging else { break false };
        if is_last(paging, &reply, listing.array(&reply).map_or(0, Node::len), page) {
            break false;
        }
        if page >= pages_max {
            break true;
        }
    };
    let headers = if work.route.operation.paged {
        let more = throttled || (window.is_ours && window.offset + wanted.len() < matched);
        page_headers((!throttled).then_some(matched), wanted.len(), more)
    } else {
        HeaderMap::new()
    };
    let body = match wanted.first() {
        _ if !answers_one => array(&wanted),
        Some(one) => one.clone(),
        None => return Err(ExchangeError::NotFound),
    };
    Ok(Answer { status: work.success_status(), body: body.bytes(), headers })
}

/// `X-Total-Count` where it is known, `X-Result-Count`, and whether there is more (MEF 115 R58).
fn page_headers(total: Option<usize>, count: usize, more: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(total) = total {
        headers.insert(X_TOTAL_COUNT, HeaderValue::from(total));
    }
    headers.insert(X_RESULT_COUNT, HeaderValue::from(count));
    headers.insert(X_PAGINATION_THROTTLED, HeaderValue::from_static(if more { "true" } else { "false" }));
    headers
}

fn window(work: &Work<'_>, page_items_max: usize) -> Window {
    let number = |name: &str| work.received.parameter(name).and_then(|text| text.parse::<usize>().ok());
    let asked = number("limit").filter(|limit| *limit <= page_items_max);
    let limit = asked.unwrap_or(page_items_max);
    Window { offset: number("offset").unwrap_or(0), limit, is_ours: asked.is_none() }
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
        wire: work.wire(),
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
    let calling = work.calling(story, &origin, headers);
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

/// An entity cut to what the list's type has of it.
fn cut(story: &mut Story<'_>, work: &Work<'_>, document: &Document) -> Result<Document, ExchangeError> {
    let body = work.route.operation.success_body();
    match body.map(|body| body.item.unwrap_or(body.value)) {
        Some(ty) => hold_as(story, work, document, ty),
        None => Ok(document.clone()),
    }
}
