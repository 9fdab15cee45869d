//! A list that several legacy systems keep parts of, answered as one.
//!
//! They follow each other, or are mixed where all come sorted by the same attribute. Each entity is answered once, as
//! the first that tells it does. To know where the second list begins, the first must have been read to its end: so
//! everything is read, as for a filter that is settled here, within the calls of one exchange. The first page of each
//! is needed in any case: these are asked for side by side, and later ones where several are needed at once. One
//! legacy page of each is held, the ids of what was passed, and the answer.

use std::collections::{HashSet, VecDeque};

use futures_util::future::join_all;
use http::HeaderMap;
use tokio::time::Instant;

use super::{
    Window, cut, fetch,
    filter::Filters,
    key::Key,
    listing_of,
    page::{Listed, Listing, are_unknown},
    walk::{Asked, Page, Walk},
};
use crate::{
    exchange::{error::ExchangeError, facts::Known, reply::Reply, story::Story, work::Work},
    ids::PartnerId,
    json::{Document, Node},
    mapping::operation::Order,
    store::Batch,
};

/// Pages that are asked for side by side.
const PAGES_AT_ONCE_MAX: usize = 8;

/// One of the lists, as it is being read.
struct Source<'s, 'w> {
    work: &'s Work<'w>,
    listing: Listing<'s>,
    filters: Filters<'s>,
    walk: Walk<'s>,
    /// What was read and not passed on.
    ready: VecDeque<Listed>,
    goes_on: bool,
}

impl<'s, 'w> Source<'s, 'w> {
    fn begin(work: &'s Work<'w>, pages_max: usize) -> Result<Self, ExchangeError> {
        let program = &work.operation.program;
        let filters = Filters::of(work.route.function(), &work.received.query, &program.filters);
        Ok(Self {
            work,
            listing: listing_of(work)?,
            filters: filters.map_err(ExchangeError::Query)?,
            walk: Walk::begin(program.paging.as_ref(), &work.backend.base_url, 0, pages_max),
            ready: VecDeque::new(),
            goes_on: true,
        })
    }

    /// Takes in the page that was asked for.
    async fn take(
        &mut self,
        story: &mut Story<'_>,
        facts: &Known<'_>,
        asked: &Asked,
        page: Result<(Reply, String), ExchangeError>,
    ) -> Result<(), ExchangeError> {
        let (reply, address) = match page {
            // What this legacy system does not have, nothing there is about.
            Err(ExchangeError::Refused(failures)) if are_unknown(&failures) => {
                self.goes_on = false;
                return Ok(());
            }
            page => page?,
        };
        let call = self.work.operation.program.calls.first().map_or("", |call| &call.name);
        let found = self.listing.found(&reply, call)?;
        let met = self.walk.met();
        let listed = self.listing.entities(story, self.work, facts, &reply, 0..found, met).await?;
        self.ready.extend(listed.into_iter().filter(|one| self.filters.passes(one.document.root())));
        let page = Page {
            reply: &reply,
            found: found as u64,
            ids: self.listing.legacy_ids(&reply),
            address: &address,
            call,
        };
        self.goes_on = self.walk.advance(asked, page)?;
        Ok(())
    }

    /// Whether the next entity of this list is known only when its next page was read.
    fn is_empty(&self) -> bool {
        self.goes_on && self.ready.is_empty()
    }
}

/// Reads the next page of each of these lists, side by side.
async fn read_next(
    sources: Vec<&mut Source<'_, '_>>,
    story: &mut Story<'_>,
    headers: &HeaderMap,
    facts: &Known<'_>,
) -> Result<(), ExchangeError> {
    let asked: Vec<Asked> = sources.iter().map(|source| source.walk.asked(u64::MAX)).collect();
    let (started, shared) = (Instant::now(), &*story);
    let pages = sources.iter().zip(&asked);
    let pages = pages.map(|(source, asked)| fetch(shared, source.work, headers, facts, asked));
    let pages = join_all(pages).await;
    story.legacy += started.elapsed();
    story.legacy_calls += pages.len();
    for ((source, asked), page) in sources.into_iter().zip(&asked).zip(pages) {
        source.take(story, facts, asked, page).await?;
    }
    Ok(())
}

/// What came of reading.
pub struct Merged {
    /// The Buyer's window.
    pub wanted: Vec<Document>,
    /// How many entities there are, where all were seen.
    pub total: Option<u64>,
}

/// Reads the lists of several legacy systems as one.
///
/// # Errors
/// The first thing that fails at any of them; a list is never answered in part.
pub async fn read(
    story: &mut Story<'_>,
    (owner, works): (&PartnerId, &[Work<'_>]),
    headers: &HeaderMap,
    facts: &Known<'_>,
    window: Window,
    pages_max: usize,
) -> Result<Merged, ExchangeError> {
    let sources: Result<Vec<_>, _> = works.iter().map(|work| Source::begin(work, pages_max)).collect();
    let mut sources = sources?;
    let order = common_order(works);
    let (mut wanted, mut matched) = (Vec::new(), 0);
    let mut told: HashSet<String> = HashSet::new();
    let mut pages_left = pages_max;
    let mut kept = Batch::new(owner.clone());
    for group in sources.chunks_mut(PAGES_AT_ONCE_MAX) {
        let first: Vec<_> = group.iter_mut().take(pages_left).collect();
        pages_left -= first.len();
        read_next(first, story, headers, facts).await?;
    }
    loop {
        let mut empty = to_read(&mut sources, order);
        if !empty.is_empty() {
            empty.truncate(PAGES_AT_ONCE_MAX.min(pages_left));
            if empty.is_empty() {
                break;
            }
            pages_left -= empty.len();
            read_next(empty, story, headers, facts).await?;
            continue;
        }
        let Some((work, one)) = take_first(&mut sources, order) else { break };
        let id = one.document.root().get("id").and_then(Node::as_str).map(std::borrow::Cow::into_owned);
        if id.is_some_and(|id| !told.insert(id)) {
            continue;
        }
        if (window.offset..window.end()).contains(&matched) {
            wanted.push(cut(story, work, &one.document)?);
            kept.changes.extend(one.changes);
        }
        matched += 1;
    }
    if !kept.changes.is_empty() {
        story.gateway.store.commit(kept).await?;
    }
    let is_whole = sources.iter().all(|source| !source.goes_on && source.ready.is_empty());
    Ok(Merged { wanted, total: is_whole.then_some(matched) })
}

/// What all lists come sorted by, if that is one and the same.
fn common_order<'w>(works: &'w [Work<'_>]) -> Option<&'w Order> {
    let mut orders = works.iter().map(|work| work.operation.program.order.as_ref());
    let first = orders.next()??;
    orders.all(|order| order == Some(first)).then_some(first)
}

/// The lists of which a page must be read before the next entity is known.
fn to_read<'s, 'l, 'w>(
    sources: &'s mut [Source<'l, 'w>],
    order: Option<&Order>,
) -> Vec<&'s mut Source<'l, 'w>> {
    let mut open = sources.iter_mut().filter(|source| source.goes_on || !source.ready.is_empty());
    match order {
        Some(_) => open.filter(|source| source.is_empty()).collect(),
        None => open.next().into_iter().filter(|source| source.is_empty()).collect(),
    }
}

/// The next entity: of those that are first in their lists the least, or the earliest list's.
fn take_first<'l, 'w>(
    sources: &mut [Source<'l, 'w>],
    order: Option<&Order>,
) -> Option<(&'l Work<'w>, Listed)> {
    let heads = sources.iter().enumerate().filter_map(|(index, source)| Some((index, source.ready.front()?)));
    let index = match order {
        None => heads.map(|(index, _)| index).next()?,
        Some(order) => {
            let keyed = heads.map(|(index, one)| (index, Key::of(one.document.root(), order)));
            // Of equal ones the first: `min_by` keeps it.
            keyed.min_by(|(_, left), (_, right)| left.compare(right, order.is_falling))?.0
        }
    };
    let source = sources.get_mut(index)?;
    Some((source.work, source.ready.pop_front()?))
}
