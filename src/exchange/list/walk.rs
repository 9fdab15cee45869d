//! The way through the pages of a legacy list: what is asked for next, and when it ends.
//!
//! It ends where the legacy system says so, where a page is not full, or after so many pages. A legacy system that
//! gives a page, a cursor or a link again would never end: that is an error, not an answer.

use std::collections::HashSet;

use crate::{
    exchange::{error::ExchangeError, reply::Reply},
    ids::LegacyId,
    json::{Document, Node},
    legacy::{BaseUrl, link_target},
    mapping::operation::{Paging, PagingWay, Total},
};

/// What a page is asked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Query parameters, besides those of the mapping.
    pub query: Vec<(String, String)>,
    /// Path and query as a whole, in place of the mapping's.
    pub address: Option<String>,
    /// Elements of a full page.
    items: u64,
}

/// A page, read.
pub struct Page<'p> {
    /// The reply.
    pub reply: &'p Reply,
    /// How many elements it has.
    pub found: u64,
    /// The legacy ids of its elements.
    pub ids: HashSet<LegacyId>,
    /// Path and query that it was asked for by.
    pub address: &'p str,
    /// The name of the call.
    pub call: &'p str,
}

impl Page<'_> {
    fn wrong(&self, detail: &str) -> ExchangeError {
        ExchangeError::LegacyGarbage { call: self.call.to_owned(), detail: detail.to_owned() }
    }
}

/// What is asked for next.
#[derive(Debug)]
enum Next {
    /// Nothing but what the mapping says.
    First,
    /// The page of this number, counted from 0.
    Page(u64),
    /// The elements from here on.
    Record,
    Cursor(String),
    Link(String),
}

/// A walk through a list.
pub struct Walk<'w> {
    paging: Option<&'w Paging>,
    base: &'w BaseUrl,
    next: Next,
    /// Place in the list of the first element of the next page, from 0.
    position: u64,
    /// Whether pages were passed over, so that the position follows from their size.
    jumped: bool,
    pages: u64,
    pages_max: u64,
    /// Elements in the whole list, where the legacy system said it.
    total: Option<u64>,
    /// Behind the last element that was seen, where one was.
    reached: Option<u64>,
    met: HashSet<LegacyId>,
    passed: HashSet<String>,
}

impl<'w> Walk<'w> {
    /// A walk from the beginning; or from the page that holds the element at `from`, where pages can be passed over.
    pub fn begin(paging: Option<&'w Paging>, base: &'w BaseUrl, from: u64, pages_max: usize) -> Self {
        let (next, position) = match paging.map(|paging| (&paging.way, paging.items)) {
            Some((PagingWay::Page { .. }, items)) => (Next::Page(from / items), from / items * items),
            Some((PagingWay::Record { .. }, _)) => (Next::Record, from),
            _ => (Next::First, 0),
        };
        Self {
            paging,
            base,
            next,
            position,
            jumped: position > 0,
            pages: 0,
            pages_max: u64::try_from(pages_max).unwrap_or(u64::MAX),
            total: None,
            reached: None,
            met: HashSet::new(),
            passed: HashSet::new(),
        }
    }

    /// Place in the list of the first element of the next page, from 0.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Elements in the whole list, where the legacy system said it.
    pub fn total(&self) -> Option<u64> {
        self.total
    }

    /// How many elements there are, known by having seen the last of them.
    pub fn end(&self) -> Option<u64> {
        self.reached
    }

    /// Whether another page may be asked for.
    pub fn may_go_on(&self) -> bool {
        self.pages < self.pages_max
    }

    /// The legacy ids of the page before.
    pub fn met(&self) -> &HashSet<LegacyId> {
        &self.met
    }

    /// What to ask for next; `wanted` elements are all that is needed.
    pub fn asked(&self, wanted: u64) -> Asked {
        let Some(paging) = self.paging else {
            return Asked { query: Vec::new(), address: None, items: u64::MAX };
        };
        let (mut query, mut items, mut address) = (Vec::new(), paging.items, None);
        match (&paging.way, &self.next) {
            (PagingWay::Page { parameter, first }, Next::Page(number)) => {
                query.push((parameter.to_string(), first.saturating_add(*number).to_string()));
            }
            (PagingWay::Record { parameter, first }, _) => {
                query.push((parameter.to_string(), first.saturating_add(self.position).to_string()));
                if paging.size.is_some() {
                    items = wanted.clamp(1, paging.items);
                }
            }
            (PagingWay::Cursor { parameter, .. }, Next::Cursor(cursor)) => {
                query.push((parameter.to_string(), cursor.clone()));
            }
            (PagingWay::Link { .. }, Next::Link(link)) => address = Some(link.clone()),
            _ => {}
        }
        if let (Some(size), None) = (&paging.size, &address) {
            query.push((size.to_string(), items.to_string()));
        }
        Asked { query, address, items }
    }

    /// Goes past a page. Whether there is another.
    ///
    /// # Errors
    /// The list does not go on as its paging says, or would never end.
    pub fn advance(&mut self, asked: &Asked, page: Page<'_>) -> Result<bool, ExchangeError> {
        self.pages += 1;
        let Some(paging) = self.paging else {
            self.position = page.found;
            self.reached = Some(page.found);
            return Ok(false);
        };
        if !page.ids.is_empty() && page.ids == self.met {
            return Err(page.wrong("the same page of a list again"));
        }
        let end = self.position.saturating_add(page.found);
        self.total = total(paging, page.reply).or(self.total);
        if page.found > 0 || self.position == 0 {
            self.reached = Some(end);
        }
        let is_full = page.found >= asked.items;
        let is_counted = match &paging.way {
            PagingWay::Page { .. } => {
                let is_last = self.total.is_some_and(|total| end >= total) || page.found == 0;
                if self.jumped && page.found != asked.items && !is_last && (self.total.is_some() || is_full) {
                    return Err(page.wrong("a page of a list that is not as large as `items` says"));
                }
                true
            }
            PagingWay::Record { .. } => true,
            PagingWay::Cursor { .. } | PagingWay::Link { .. } => false,
        };
        self.position = end;
        if is_counted {
            self.met = page.ids;
            if let Next::Page(number) = &mut self.next {
                *number = number.saturating_add(1);
            }
            return Ok(page.found > 0 && self.total.map_or(is_full, |total| end < total));
        }
        let Some(next) = self.follow(paging, &page)? else { return Ok(false) };
        let (Next::Cursor(text) | Next::Link(text)) = &next else { return Ok(false) };
        if !self.passed.insert(text.clone()) {
            return Err(page.wrong("the way to a page of a list that was given before"));
        }
        self.next = next;
        self.met = page.ids;
        Ok(true)
    }

    /// Where the page before says that the list goes on; none on the last page.
    fn follow(&self, paging: &Paging, page: &Page<'_>) -> Result<Option<Next>, ExchangeError> {
        match &paging.way {
            PagingWay::Page { .. } | PagingWay::Record { .. } => Ok(None),
            PagingWay::Cursor { next, .. } => {
                let root = page.reply.document.as_ref().map(Document::root);
                let found = root.and_then(|root| next.first(root, root));
                let text = found.and_then(crate::exchange::facts::scalar_node);
                Ok(text.filter(|text| !text.is_empty()).map(|text| Next::Cursor(text.into_owned())))
            }
            PagingWay::Link { relation } => {
                let mut headers = page.reply.headers.iter().filter(|(name, _)| name == "link");
                let Some(link) = headers.find_map(|(_, value)| link_target(value, relation)) else {
                    return Ok(None);
                };
                let followed = self.base.followed(link, page.address);
                let followed = followed.ok_or_else(|| page.wrong("a link that leaves the legacy system"))?;
                Ok(Some(Next::Link(followed)))
            }
        }
    }
}

fn total(paging: &Paging, reply: &Reply) -> Option<u64> {
    match paging.total.as_ref()? {
        Total::Body(query) => {
            let root = reply.document.as_ref()?.root();
            query.first(root, root).and_then(count)
        }
        Total::Header(name) => {
            let (_, value) = reply.headers.iter().find(|(own, _)| **own == **name)?;
            value.trim().parse().ok()
        }
    }
}

/// A number of elements; old systems write it as a text.
fn count(node: Node<'_>) -> Option<u64> {
    let number = node.as_i64().and_then(|number| u64::try_from(number).ok());
    number.or_else(|| node.as_str()?.trim().parse().ok())
}
