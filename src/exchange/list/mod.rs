//! Lists: the legacy system's pages are walked, and of what they hold only this partner's entities are answered.
//!
//! The legacy system knows no partner, so ownership of what the Buyer made is decided by the pairs of ids that are
//! kept here: an entity that was never told to this partner is not in its list, and the whole legacy list is walked.
//! What only the legacy system makes is the partner's because the legacy list is; where no filter is left to apply
//! here either, the Buyer's part of the list is the legacy system's, and only its pages are read. The order is that
//! of the legacy system. Never more than one legacy page and one answer are held. Where several legacy systems keep
//! parts of a list, `merge` reads them as one.

mod filter;
pub mod kept;
mod key;
mod merge;
mod page;
mod walk;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use super::{
    answer::{array, hold_as},
    call,
    calls::Origin,
    error::ExchangeError,
    facts::{Known, StoryTexts, facts},
    reply::Reply,
    story::Story,
    wire::Answer,
    work::Work,
};
use crate::{json::Document, mapping::operation, store::Batch};
use filter::Filters;
use page::Listing;
use walk::{Asked, Page, Walk};

const X_TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
const X_RESULT_COUNT: HeaderName = HeaderName::from_static("x-result-count");
const X_PAGINATION_THROTTLED: HeaderName = HeaderName::from_static("x-pagination-throttled");

/// Which part of the list is wanted.
#[derive(Debug, Clone, Copy)]
struct Window {
    offset: u64,
    limit: u64,
    /// Whether we set the limit, not the Buyer: what it cuts off is then told as throttled.
    is_ours: bool,
}

impl Window {
    fn of(work: &Work<'_>, page_items_max: usize) -> Self {
        let number = |name: &str| work.received.parameter(name).and_then(|text| text.parse::<u64>().ok());
        let most = u64::try_from(page_items_max).unwrap_or(u64::MAX);
        let asked = number("limit").filter(|limit| *limit <= most);
        Self { offset: number("offset").unwrap_or(0), limit: asked.unwrap_or(most), is_ours: asked.is_none() }
    }

    fn end(self) -> u64 {
        self.offset.saturating_add(self.limit)
    }
}

/// A list as it is being read.
struct Reading<'r, 'w> {
    listing: Listing<'r>,
    work: &'r Work<'w>,
    facts: &'r Known<'r>,
    filters: Filters<'r>,
    window: Window,
    /// Whether the legacy list is the answer's, element by element.
    is_direct: bool,
    wanted: Vec<Document>,
    /// How many entities passed.
    matched: u64,
}

/// How a list is read, as the mapping says.
fn listing_of<'l>(work: &'l Work<'_>) -> Result<Listing<'l>, ExchangeError> {
    match &work.operation.program.answer {
        operation::Answer::Each { elements, legacy_id: Some(legacy_id), program } => {
            Ok(Listing { elements, legacy_id, program })
        }
        _ => Err(ExchangeError::Internal("a list is answered with `answer: { each: … }`".to_owned())),
    }
}

/// Answers a list, of which `others` keep parts as well.
///
/// # Errors
/// The first thing that fails; a list is never answered in part.
pub async fn answer(
    story: &mut Story<'_>,
    work: &Work<'_>,
    others: &[Work<'_>],
    headers: &HeaderMap,
) -> Result<Answer, ExchangeError> {
    let texts = StoryTexts::of(story);
    let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, None);
    let limits = &story.plan.settings().gateway.limits;
    let (page_items_max, pages_max) = (limits.page_items_max, limits.calls_max);
    let body = work.route.operation.success_body();
    // The work order list of grace answers one object: the first that fits, of those from `offset` on.
    let answers_one = body.is_some_and(|body| !body.is_array());
    let window = Window::of(work, if answers_one { 1 } else { page_items_max });
    let (wanted, total, is_whole) = if others.is_empty() {
        let mut reading = Reading::begin(work, &facts, window)?;
        let (total, is_whole) = reading.read(story, headers, pages_max).await?;
        (reading.wanted, total, is_whole)
    } else {
        let works: Vec<Work<'_>> = std::iter::once(work).chain(others).copied().collect();
        let merged =
            merge::read(story, (work.partner.id(), &works), headers, &facts, window, pages_max).await?;
        (merged.wanted, merged.total, merged.total.is_some())
    };
    let headers = if work.route.operation.paged {
        let is_cut = match total {
            Some(total) => window.is_ours && window.end() < total,
            None => false,
        };
        page_headers(total, wanted.len(), is_cut || !is_whole)
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

impl<'r, 'w> Reading<'r, 'w> {
    fn begin(work: &'r Work<'w>, facts: &'r Known<'r>, window: Window) -> Result<Self, ExchangeError> {
        let program = &work.operation.program;
        let filters = Filters::of(work.route.function(), &work.received.query, &program.filters);
        let filters = filters.map_err(ExchangeError::Query)?;
        Ok(Self {
            listing: listing_of(work)?,
            work,
            facts,
            is_direct: work.duty.kind.is_adopted_by_list() && filters.is_empty(),
            filters,
            window,
            wanted: Vec::new(),
            matched: 0,
        })
    }

    /// Walks the list. How many entities it has, where that is known, and whether nothing was left out untold.
    async fn read(
        &mut self,
        story: &mut Story<'_>,
        headers: &HeaderMap,
        pages_max: usize,
    ) -> Result<(Option<u64>, bool), ExchangeError> {
        let paging = self.work.operation.program.paging.as_ref();
        let from = if self.is_direct { self.window.offset } else { 0 };
        let mut walk = Walk::begin(paging, &self.work.backend.base_url, from, pages_max);
        loop {
            let asked = walk.asked(if self.is_direct { self.left(&walk) } else { u64::MAX });
            let started = Instant::now();
            let page = fetch(story, self.work, headers, self.facts, &asked).await;
            story.legacy += started.elapsed();
            story.legacy_calls += 1;
            let (reply, address) = match page {
                // What this partner does not have, nothing is about: an empty list (MEF 116 R12, MEF 122 R11).
                Err(ExchangeError::Refused(failures)) if page::are_unknown(&failures) => {
                    return Ok((Some(0), true));
                }
                page => page?,
            };
            let call = self.work.operation.program.calls.first().map_or("", |call| &call.name);
            let found = self.listing.found(&reply, call)?;
            self.take(story, &walk, &reply, found).await?;
            let page = Page {
                reply: &reply,
                found: found as u64,
                ids: self.listing.legacy_ids(&reply),
                address: &address,
                call,
            };
            let goes_on = walk.advance(&asked, page)?;
            let is_full = self.is_direct && walk.position() >= self.window.end();
            if goes_on && !is_full && walk.may_go_on() {
                continue;
            }
            let (total, counted) = if self.is_direct {
                (walk.total().map(|total| total.max(walk.end().unwrap_or(0))), walk.end())
            } else {
                (None, Some(self.matched))
            };
            let total = total.or(counted.filter(|_| !goes_on));
            return Ok((total, !goes_on || (is_full && total.is_some())));
        }
    }

    /// How many elements are wanted still.
    fn left(&self, walk: &Walk<'_>) -> u64 {
        self.window.end().saturating_sub(walk.position().max(self.window.offset))
    }

    /// Takes of a page what is wanted, and keeps what must be kept before it is told.
    async fn take(
        &mut self,
        story: &mut Story<'_>,
        walk: &Walk<'_>,
        reply: &Reply,
        found: usize,
    ) -> Result<(), ExchangeError> {
        let (work, window) = (self.work, self.window);
        let within = |place: u64| {
            let place = place.saturating_sub(walk.position());
            usize::try_from(place).unwrap_or(usize::MAX).min(found)
        };
        let positions = if self.is_direct { within(window.offset)..within(window.end()) } else { 0..found };
        let listed = self.listing.entities(story, work, self.facts, reply, positions, walk.met()).await?;
        let mut kept = Batch::new(work.owner.partner.clone());
        for one in listed {
            if !self.filters.passes(one.document.root()) {
                continue;
            }
            let is_wanted = self.is_direct || (window.offset..window.end()).contains(&self.matched);
            if is_wanted {
                self.wanted.push(cut(story, work, &one.document)?);
                kept.changes.extend(one.changes);
            }
            self.matched += 1;
        }
        if !kept.changes.is_empty() {
            story.gateway.store.commit(kept).await?;
        }
        Ok(())
    }
}

/// `X-Total-Count` where it is known, `X-Result-Count`, and whether there is more (MEF 115 R58).
fn page_headers(total: Option<u64>, count: usize, more: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(total) = total {
        headers.insert(X_TOTAL_COUNT, HeaderValue::from(total));
    }
    headers.insert(X_RESULT_COUNT, HeaderValue::from(count));
    headers.insert(X_PAGINATION_THROTTLED, HeaderValue::from_static(if more { "true" } else { "false" }));
    headers
}

/// One page of the legacy list, and path and query that it was asked for by.
async fn fetch(
    story: &Story<'_>,
    work: &Work<'_>,
    headers: &HeaderMap,
    facts: &Known<'_>,
    asked: &Asked,
) -> Result<(Reply, String), ExchangeError> {
    let program = &*work.operation.program;
    let origin = Origin { calls_max: 1, ..work.origin(story, facts) };
    let planned = origin.plan(program)?;
    let needed = origin.references(&planned);
    let references = super::references::to_legacy(story, work, &needed).await?;
    let origin = Origin { references: &references, ..origin };
    let mut prepared = origin.prepare(&planned)?;
    let missing = || ExchangeError::Internal("a list makes one call".to_owned());
    let one = prepared.first_mut().ok_or_else(missing)?;
    one.query.extend(asked.query.iter().cloned());
    let address = match &asked.address {
        Some(address) => address.clone(),
        None => origin.address(&one.planned.call.target, &one.query, None, &[], None)?,
    };
    one.address = Some(address.clone());
    let calling = work.calling(story, &origin, headers);
    Ok((call::one(story, &calling, one, &[]).await?, address))
}

/// An entity cut to what the list's type has of it.
fn cut(story: &mut Story<'_>, work: &Work<'_>, document: &Document) -> Result<Document, ExchangeError> {
    let body = work.route.operation.success_body();
    match body.map(|body| body.item.unwrap_or(body.value)) {
        Some(ty) => hold_as(story, work, document, ty),
        None => Ok(document.clone()),
    }
}
