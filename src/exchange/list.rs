//! Lists: the legacy system's pages are walked, and of what they hold only this partner's entities are answered.
//!
//! The legacy system knows no partner, so ownership is decided by the pairs of ids that are kept here: an entity
//! that was never told to this partner is not in its list. The order is that of the legacy system.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{
    answer::{Mapped, hold_as, map_reply},
    call::{self, Broken},
    calls::{Origin, place},
    error::ExchangeError,
    facts::{EntityFacts, StoryTexts, facts},
    filter,
    reply::Reply,
    story::Story,
    subject::Subject,
    wire::Answer,
    work::Work,
};
use crate::{
    custody::kind_of,
    ids::{LegacyId, SonataId},
    json::{Builder, Document, Node},
    mapping::{
        apply::References,
        operation::{self, Paging},
        path::FieldPath,
        program::Program,
        value::Value,
    },
    store::{Batch, Change},
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
    let window = window(work, limits.page_items_max);
    let pages_max = u64::try_from(limits.calls_max).unwrap_or(u64::MAX);
    let (mut wanted, mut matched, mut page) = (Vec::new(), 0usize, 0u64);
    let throttled = loop {
        let reply = fetch(story, work, headers, &facts, page).await?;
        for document in listing.owned(story, work, &facts, &reply).await? {
            if !filter::passes(document.root(), &work.received.query) {
                continue;
            }
            if matched >= window.offset && wanted.len() < window.limit {
                wanted.push(cut(story, work, document)?);
            }
            matched += 1;
        }
        page += 1;
        let Some(paging) = &work.operation.program.paging else { break false };
        if is_last(paging, &reply, count(elements, &reply), page) {
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
    Ok(Answer { status: work.success_status(), body: array(&wanted).bytes(), headers })
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

fn count(elements: &FieldPath, reply: &Reply) -> usize {
    array_of(elements, reply).map_or(0, crate::json::Node::len)
}

fn array_of<'r>(elements: &FieldPath, reply: &'r Reply) -> Option<crate::json::Node<'r>> {
    let root = reply.document.as_ref()?.root();
    elements.array().read(root, root).ok()?
}

/// How the operation reads a legacy list.
struct Listing<'l> {
    /// The array.
    elements: &'l FieldPath,
    /// Where an element names its legacy id.
    legacy_id: &'l FieldPath,
    /// Maps one element.
    program: &'l Program,
}

impl Listing<'_> {
    /// The entities of a page that this partner owns, each mapped and completed with what is kept of it.
    async fn owned(
        &self,
        story: &mut Story<'_>,
        work: &Work<'_>,
        facts: &Value<'_>,
        reply: &Reply,
    ) -> Result<Vec<Document>, ExchangeError> {
        let Some(array) = array_of(self.elements, reply) else { return Ok(Vec::new()) };
        let ids: Vec<(usize, LegacyId)> = array
            .elements()
            .enumerate()
            .filter_map(|(position, element)| {
                Some((position, LegacyId::parse(&place(self.legacy_id, element)?).ok()?))
            })
            .collect();
        let kind = kind_of(work.duty.kind);
        let wanted = ids.iter().map(|(_, id)| (kind.clone(), id.clone())).collect();
        let known = story.gateway.store.to_sonata(&work.owner.partner, &work.backend.id, wanted).await?;
        let mut owned = Vec::new();
        for (position, legacy) in ids {
            let Some(element) = array.at(position) else { continue };
            let known = known.get(&(kind.clone(), legacy.clone()));
            if known.is_none() && work.duty.kind.is_made_by_buyer() {
                continue;
            }
            let mapped =
                map_reply(story, work, self.program, facts, &[], reply, Some((position, element))).await?;
            let id = match known {
                Some(id) => id.clone(),
                None => match met(story, work, legacy, mapped.document.as_ref()).await? {
                    Some(id) => id,
                    None => continue,
                },
            };
            let stored =
                super::subject::load(story, work.owner, &work.backend.id, work.duty.kind, id).await?;
            // None: another Buyer's of the same partner.
            let Some(stored) = stored else { continue };
            let mapped = match &stored.parent {
                Some(_) => self.within_parent(story, work, &stored, reply, (position, element)).await?,
                None => mapped,
            };
            owned.push(completed(story, work, &stored, mapped.document.as_ref()));
        }
        Ok(owned)
    }

    /// The element once more, now that it is known what it belongs to: the mapping may need the parent's items.
    async fn within_parent(
        &self,
        story: &mut Story<'_>,
        work: &Work<'_>,
        stored: &Subject,
        reply: &Reply,
        element: (usize, Node<'_>),
    ) -> Result<Mapped, ExchangeError> {
        let (texts, href) = (StoryTexts::of(story), work.href(story, &stored.id));
        let parent = stored.parent.as_deref();
        let entity = EntityFacts { id: stored.id.as_str(), href: &href, stored: Some(stored), parent };
        let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, Some(entity));
        map_reply(story, work, self.program, &facts, &[], reply, Some(element)).await
    }
}

/// An entity that this partner is told of for the first time: it is the partner's if what it belongs to is. Its pair
/// of ids is kept before anyone is told.
async fn met(
    story: &Story<'_>,
    work: &Work<'_>,
    legacy: LegacyId,
    mapped: Option<&Document>,
) -> Result<Option<SonataId>, ExchangeError> {
    let Some(kind) = work.duty.kind.facts().parent else { return Ok(None) };
    let root = mapped.map(Document::root);
    let named = ["productOrder", "productOrderItem"].into_iter().find_map(|member| {
        root?.get(member)?.get("productOrderId")?.as_str().and_then(|id| SonataId::parse(&id).ok())
    });
    let Some(parent) = named else { return Ok(None) };
    if work.owner.find(&story.gateway.store, kind, &parent).await?.is_none() {
        return Ok(None);
    }
    let id = super::references::new_id(story)?;
    let mut entity = work.owner.entity(work.duty.kind, id.clone(), story.now_ms());
    entity.backend = Some(work.backend.id.clone());
    entity.legacy_id = Some(legacy);
    entity.parent = Some(parent);
    let batch = Batch::new(work.owner.partner.clone()).with(Change::Create(Box::new(entity)));
    story.gateway.store.commit(batch).await?;
    Ok(Some(id))
}

/// The whole entity: what is kept of it, with what the legacy system says now.
fn completed(story: &Story<'_>, work: &Work<'_>, stored: &Subject, mapped: Option<&Document>) -> Document {
    let href = work.href(story, &stored.id);
    let completed = crate::custody::complete(&crate::custody::Completing {
        kind: work.duty.kind,
        request: stored.request.as_ref(),
        mapped,
        kept: stored.document.as_ref(),
        id: stored.id.as_str(),
        href: Some(&href),
        now: &story.now_text(),
        seller: None,
        echo_off: &work.operation.echo_off,
    });
    completed.document
}

/// An entity cut to what the list's type has of it.
fn cut(story: &mut Story<'_>, work: &Work<'_>, document: Document) -> Result<Document, ExchangeError> {
    let body = work.route.operation.success_body();
    match body.and_then(|body| body.item) {
        Some(ty) => hold_as(story, work, &document, ty),
        None => Ok(document),
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
