//! Entities that the gateway keeps for a partner (`custody: { quote: gateway }`), or that people make (`manual`): retrieve and
//! list are answered from the store, and the legacy system is not asked. What it says by itself, or when it is polled, is in the store already.

use http::HeaderMap;

use super::{Window, cut, filter::Filters, page_headers};
use crate::{
    config::Custody,
    custody::{Owner, kind_of},
    exchange::{
        answer::{array, hold, success},
        by_hand,
        error::ExchangeError,
        request::Received,
        story::Story,
        subject, ways,
        wire::Answer,
        work::Work,
    },
    ids::SonataId,
    json::Document,
    plan::{PartnerPlan, Route, Served},
    sonata::entity::{Act, Duty, duty_of},
    store::ListFilter,
};

/// Entities that are read at once, where they are filtered here.
const READ_AT_ONCE: u64 = 500;

/// Entities that one list looks at; what is beyond is told as throttled.
const LOOKED_AT_MAX: u64 = 100_000;

/// What an operation does, where it is answered from the store for this partner.
pub fn duty(partner: &PartnerPlan, route: &Route<'_>) -> Option<&'static Duty> {
    let (function, id) = (route.function(), &route.operation.operation_id);
    let duty = duty_of(function, id).filter(|duty| matches!(duty.act, Act::Retrieve | Act::List))?;
    let served = partner.served(function, id);
    let by_hand = match served {
        Served::Manual => true,
        Served::Unmapped | Served::Unrouted => by_hand::is_made(partner, duty.kind),
        Served::Mapped(_) | Served::Gateway => duty.act == Act::List && by_hand::is_made(partner, duty.kind),
        Served::Off => false,
    };
    let is_kept = by_hand || partner.settings().custody.get(&duty.kind) == Some(&Custody::Gateway);
    (is_kept && !matches!(served, Served::Off)).then_some(duty)
}

/// Answers from the store; none where it does not have a whole entity, and only the legacy system can tell.
///
/// # Errors
/// 404 for what this partner does not have; the store's.
pub async fn answer(
    story: &mut Story<'_>,
    (partner, route, duty): (&PartnerPlan, &Route<'_>, &'static Duty),
    received: &Received,
    owner: &Owner,
) -> Result<Option<Answer>, ExchangeError> {
    let way = ways::nowhere(&story.plan, partner, route)?;
    let work = Work {
        partner,
        route,
        operation: &way.operation,
        duty,
        received,
        owner,
        backend: &way.backend,
        home: &way.home,
        subject: None,
        once: None,
    };
    if duty.act == Act::List { list(story, &work).await.map(Some) } else { one(story, &work).await }
}

async fn one(story: &mut Story<'_>, work: &Work<'_>) -> Result<Option<Answer>, ExchangeError> {
    let id = work.received.path.first().and_then(|(_, id)| SonataId::parse(id).ok());
    let id = id.ok_or(ExchangeError::NotFound)?;
    let kind = work.duty.kind;
    let Some(entity) = work.owner.find(&story.gateway.store, kind, &id).await? else {
        // What the Buyer made we would have; the rest the legacy system may know.
        return if kind.is_made_by_buyer() { Err(ExchangeError::NotFound) } else { Ok(None) };
    };
    let Some(document) = &entity.document else { return Ok(None) };
    let document = hold(story, work, subject::stored(document)?)?;
    story.entity = Some(id.as_str().to_owned());
    Ok(Some(success(work, &document)))
}

async fn list(story: &mut Story<'_>, work: &Work<'_>) -> Result<Answer, ExchangeError> {
    let window = Window::of(work, story.plan.settings().gateway.limits.page_items_max);
    let attribute = work.duty.kind.facts().state.unwrap_or("state");
    let by_store = |name: &str| name == attribute || name == "externalId";
    let of = |name: &str| {
        let query = work.received.query.iter().filter(move |(own, _)| own == name);
        query.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let rest: Vec<_> = work.received.query.iter().filter(|(name, _)| !by_store(name)).cloned().collect();
    let filters = Filters::of(work.route.function(), &rest, &[]).map_err(ExchangeError::Query)?;
    let external = of("externalId");
    let filter = ListFilter {
        states: of(attribute),
        external_id: external.first().cloned(),
        parent: None,
        buyer: work.owner.buyer.clone(),
        seller: work.owner.seller.clone(),
        ..ListFilter::default()
    };
    let (found, total, is_whole) = if filters.is_empty() {
        let filter = ListFilter { offset: window.offset, limit: window.limit, ..filter };
        let (found, total) = read(story, work, filter).await?;
        (found, total, true)
    } else {
        filtered(story, work, &filters, filter, window).await?
    };
    let mut wanted = Vec::with_capacity(found.len());
    for document in &found {
        wanted.push(cut(story, work, document)?);
    }
    let is_cut = window.is_ours && window.end() < total;
    let headers = if work.route.operation.paged {
        page_headers(is_whole.then_some(total), wanted.len(), is_cut || !is_whole)
    } else {
        HeaderMap::new()
    };
    Ok(Answer { status: work.success_status(), body: array(&wanted).bytes(), headers })
}

/// One page, and how many there are.
async fn read(
    story: &Story<'_>,
    work: &Work<'_>,
    filter: ListFilter,
) -> Result<(Vec<Document>, u64), ExchangeError> {
    let page = story.gateway.store.list(&work.owner.partner, &kind_of(work.duty.kind), filter).await?;
    let documents = page.entities.iter().filter_map(|entity| entity.document.as_ref());
    Ok((documents.map(subject::stored).collect::<Result<_, _>>()?, page.total))
}

/// What passes filters that the store does not know: the wanted part, how many pass, and whether all were looked at.
async fn filtered(
    story: &Story<'_>,
    work: &Work<'_>,
    filters: &Filters<'_>,
    filter: ListFilter,
    window: Window,
) -> Result<(Vec<Document>, u64, bool), ExchangeError> {
    let (mut wanted, mut matched, mut offset) = (Vec::new(), 0, 0);
    loop {
        let page = ListFilter { offset, limit: READ_AT_ONCE, ..filter.clone() };
        let (documents, total) = read(story, work, page).await?;
        for document in documents.into_iter().filter(|document| filters.passes(document.root())) {
            if (window.offset..window.end()).contains(&matched) {
                wanted.push(document);
            }
            matched += 1;
        }
        offset += READ_AT_ONCE;
        if offset >= total || offset >= LOOKED_AT_MAX {
            return Ok((wanted, matched, offset >= total));
        }
    }
}
