//! An order accepts the quotes that its items name (MEF 115, section 6: approved to accepted).
//!
//! Whether they may be accepted is looked at before anything is asked of the legacy system; they move in the commit that
//! keeps the order.

use std::collections::BTreeMap;

use super::{
    error::ExchangeError,
    report::move_to,
    story::Story,
    subject::{self, Subject},
    timers,
    work::Work,
};
use crate::{
    custody,
    ids::SonataId,
    json::{Document, Node},
    sonata::{
        Fault, FaultCode, Function,
        entity::{Act, EntityKind},
    },
    store::Change,
};

/// The state that an ordered quote is in.
const ACCEPTED: &str = "accepted";

/// The quotes that an order's items name, with the places where they do.
fn named(work: &Work<'_>) -> Vec<(String, SonataId)> {
    if (work.duty.act, work.duty.kind) != (Act::Create, EntityKind::ProductOrder) {
        return Vec::new();
    }
    let root = work.received.body.as_ref().map(Document::root);
    let items = root.and_then(|root| root.get("productOrderItem"));
    let elements = items.into_iter().flat_map(Node::elements).enumerate();
    let named = elements.filter_map(|(index, item)| {
        let id = item.get("quoteItem")?.get("quoteId")?.as_str()?;
        Some((format!("/productOrderItem/{index}/quoteItem/quoteId"), SonataId::parse(&id).ok()?))
    });
    named.collect()
}

async fn load(
    story: &Story<'_>,
    work: &Work<'_>,
    named: &[(String, SonataId)],
) -> Result<BTreeMap<SonataId, Subject>, ExchangeError> {
    let mut ids: Vec<SonataId> = named.iter().map(|(_, id)| id.clone()).collect();
    ids.sort();
    ids.dedup();
    let backends = subject::keepers(work.partner, EntityKind::Quote);
    subject::load_all(story, work.owner, &backends, EntityKind::Quote, ids).await
}

/// Refuses an order of a quote that may not be ordered: one that is expired, cancelled, declined, ordered before or not
/// ready. One that this partner does not have is told as well, where its quotes are made here.
///
/// # Errors
/// 422 at each item whose quote is in the way.
pub async fn check(story: &Story<'_>, work: &Work<'_>) -> Result<(), ExchangeError> {
    let named = named(work);
    if named.is_empty() {
        return Ok(());
    }
    let found = load(story, work, &named).await?;
    let keeps_quotes = work.partner.served(Function::QUOTE, "createQuote").mapped().is_some();
    let faults = named.into_iter().filter_map(|(pointer, id)| {
        let Some(quote) = found.get(&id) else {
            return keeps_quotes.then(|| {
                Fault::new(FaultCode::ReferenceNotFound, pointer, format!("there is no quote '{id}'"))
            });
        };
        let document = quote.document.as_ref()?.root();
        if timers::is_over(EntityKind::Quote, document, story.moment.wall) {
            return Some(Fault::new(FaultCode::OtherIssue, pointer, "the quote has expired"));
        }
        let illegal = custody::may_move(EntityKind::Quote, document, ACCEPTED).err()?;
        let reason = format!("the quote is in state {} and cannot be ordered", illegal.from);
        Some(Fault::new(FaultCode::OtherIssue, pointer, &reason))
    });
    let faults: Vec<Fault> = faults.collect();
    if faults.is_empty() { Ok(()) } else { Err(ExchangeError::Contract(faults)) }
}

/// What accepts the quotes of an order that is made by `made`. One that was moved meanwhile stays as it is: the order
/// stands, and that is told as a finding. From then on the quote belongs to the order, and is kept as long.
///
/// # Errors
/// The store's.
pub async fn accept(
    story: &mut Story<'_>,
    work: &Work<'_>,
    made: &[Change],
) -> Result<Vec<Change>, ExchangeError> {
    let named = named(work);
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let order = made.iter().find_map(|change| match change {
        Change::Create(entity) if entity.kind == custody::kind_of(EntityKind::ProductOrder) => {
            Some(&entity.id)
        }
        _ => None,
    });
    let mut changes = Vec::new();
    for quote in load(story, work, &named).await?.into_values() {
        changes.extend(move_to(story, &work.owner.partner, &quote, ACCEPTED));
    }
    for change in &mut changes {
        if let Change::Update(quote) = change
            && quote.state.as_deref() == Some(ACCEPTED)
        {
            quote.parent = order.cloned();
        }
    }
    Ok(changes)
}
