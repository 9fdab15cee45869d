//! What is said of an entity, and what is kept of it from then on.
//!
//! An answer, a message of the legacy system, an asking in the background, a person, a timer: whoever says something of
//! an entity, what becomes of it is decided here. [`changed`] is the one place through which every change of an entity
//! goes, with its document before and after. Of what only the ids are known nothing is said yet: that a partner is told
//! of an entity by another's answer is no change of it.

use super::{
    call::legacy_id,
    references::item_reference,
    reply::Reply,
    story::Story,
    subject::{Subject, stored, to_store},
    timers,
    work::Work,
};
use crate::{
    custody::{self, Completed, Completing, SellerContact, kind_of},
    ids::{LegacyId, PartnerId, SonataId},
    json::{Document, Node},
    mapping::apply::KeyPair,
    sonata::entity::{Act, EntityKind},
    store::{Change, Entity},
};

/// What was said of an entity.
#[derive(Debug, Clone, Copy)]
pub struct Said<'s> {
    /// The message in Sonata, or as much of it as was said.
    pub mapped: Option<&'s Document>,
    /// The replies that it was made of.
    pub replies: &'s [Reply],
    /// Keys of its elements that are new.
    pub keys: &'s [KeyPair],
    /// Whether only some of its items were spoken of.
    pub is_part: bool,
    /// Whether the legacy system said it by itself: then also what has no state is kept, as those who subscribed are told of
    /// what changes of it next.
    pub is_heard: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Reported {
    /// The entity as it is now.
    pub document: Document,
    /// What must be kept before that may be told; nothing where nothing is new.
    pub changes: Vec<Change>,
}

/// One entity before and after.
#[derive(Debug)]
pub struct Changed<'c> {
    /// What it is.
    pub kind: EntityKind,
    /// As it is to be kept.
    pub entity: Entity,
    /// Whether nothing was kept of it before.
    pub is_new: bool,
    /// Its document before; none where there was none.
    pub before: Option<&'c Document>,
    /// Its document now.
    pub after: Option<&'c Document>,
}

/// The entity of an operation after something was said of it: its document, history and state, with what the standard
/// does not allow told as findings.
pub fn report(
    story: &mut Story<'_>,
    work: &Work<'_>,
    (id, href): (&SonataId, &str),
    said: &Said<'_>,
) -> Reported {
    let now = story.now_text();
    let patched = patched(work);
    let completed = complete(work, id, (href, &now), said, patched.as_ref());
    for finding in &completed.findings {
        story.finding(finding.code.as_str(), &finding.message);
    }
    let mut changes = keep(story, work, id, &completed, patched.as_ref(), said);
    let known = !changes.is_empty() || work.subject.is_some_and(|subject| subject.entity.is_some());
    if known && !said.keys.is_empty() {
        let pairs = said.keys.iter().map(to_store).collect();
        changes.push(Change::Remember { kind: kind_of(work.duty.kind), id: id.clone(), pairs });
        changes.extend(said.keys.iter().filter_map(|pair| item_reference(work, id, pair)));
    }
    Reported { document: completed.document, changes }
}

/// What the standard does not allow of what is said of an entity; nothing is kept.
pub fn findings(
    work: &Work<'_>,
    (id, href): (&SonataId, &str),
    now: &str,
    said: &Said<'_>,
) -> Vec<custody::Finding> {
    complete(work, id, (href, now), said, patched(work).as_ref()).findings
}

/// Every change of an entity: what is to be committed for it.
pub fn changed(story: &Story<'_>, partner: &PartnerId, changed: Changed<'_>) -> Vec<Change> {
    let attribute = changed.kind.facts().state.unwrap_or("state");
    let state = |document: Option<&Document>| {
        document.and_then(|document| document.root().get(attribute)).map_or("none", Node::raw).to_owned()
    };
    let (from, to) = (changed.before, changed.after);
    let (kind, id) = (changed.kind.name(), changed.entity.id.as_str());
    tracing::debug!(kind, id, from = state(from), to = state(to), "an entity changed");
    let timers = timers::set(story, partner, &changed);
    let mark = (changed.is_new && story.is_test())
        .then(|| custody::as_test(kind_of(changed.kind), changed.entity.id.clone()));
    let entity = Box::new(changed.entity);
    let own = if changed.is_new { Change::Create(entity) } else { Change::Update(entity) };
    std::iter::once(own).chain(mark).chain(timers).collect()
}

/// The create message with the Buyer's change in it, where the operation is one.
fn patched(work: &Work<'_>) -> Option<Document> {
    let before = work.subject.and_then(|subject| subject.request.as_ref());
    match (work.duty.act, before, &work.received.body) {
        (Act::Update, Some(before), Some(patch)) => {
            Some(custody::patched(before, patch, work.duty.kind.facts().items))
        }
        _ => None,
    }
}

fn complete(
    work: &Work<'_>,
    id: &SonataId,
    (href, now): (&str, &str),
    said: &Said<'_>,
    patched: Option<&Document>,
) -> Completed {
    let seller = seller_contact(work);
    let (stored, own) = (work.subject, matches!(work.duty.act, Act::Create));
    let kept = stored.filter(|_| !own).and_then(|subject| subject.document.as_ref());
    let before = stored.filter(|_| !own).and_then(|subject| subject.request.as_ref());
    let request = match work.duty.act {
        Act::Create => work.received.body.as_ref(),
        _ => patched.or(before),
    };
    custody::complete(&Completing {
        kind: work.duty.kind,
        request,
        mapped: said.mapped,
        is_part: said.is_part,
        kept,
        id: id.as_str(),
        href: Some(href),
        now,
        seller: seller.as_ref(),
        echo_off: &work.operation.echo_off,
    })
}

fn seller_contact(work: &Work<'_>) -> Option<SellerContact> {
    let desk = work.partner.settings().settings.root().get("desk")?;
    let text = |name: &str| desk.get(name).and_then(Node::as_str).map(std::borrow::Cow::into_owned);
    Some(SellerContact {
        name: text("name")?,
        email_address: text("emailAddress")?,
        number: text("number")?,
        organization: text("organization"),
    })
}

/// The change that keeps an entity: a new one, one that we first hear of, or one that changed.
fn keep(
    story: &Story<'_>,
    work: &Work<'_>,
    id: &SonataId,
    completed: &Completed,
    patched: Option<&Document>,
    said: &Said<'_>,
) -> Vec<Change> {
    let subject = work.subject.filter(|_| !matches!(work.duty.act, Act::Create));
    let stored = subject.and_then(|subject| subject.entity.as_ref());
    // What has neither state nor create message, such as an address, stays the legacy system's.
    let is_theirs =
        work.duty.kind.facts().state.is_none() && !(said.is_heard && work.duty.kind.has_legacy_ids());
    if (stored.is_some() && !completed.changed) || is_theirs {
        return Vec::new();
    }
    let mut entity = match stored {
        Some(entity) => entity.clone(),
        None => fresh(story, work, id, said.replies),
    };
    entity.state.clone_from(&completed.state);
    entity.external_id.clone_from(&completed.external_id);
    entity.document = Some(completed.document.bytes());
    entity.updated_ms = story.now_ms();
    // The raw answer is kept only where it could not be mapped.
    entity.legacy = None;
    if let Some(patched) = patched {
        entity.request = Some(patched.bytes());
    }
    let own = Changed {
        kind: work.duty.kind,
        entity,
        is_new: stored.is_none(),
        before: subject.and_then(|subject| subject.document.as_ref()),
        after: Some(&completed.document),
    };
    let mut changes = changed(story, &work.owner.partner, own);
    changes.extend(sent(story, work, id));
    changes
}

/// The change that keeps what a partner on another release sent, as it sent it.
fn sent(story: &Story<'_>, work: &Work<'_>, id: &SonataId) -> Option<Change> {
    let message = work.received.sent.as_ref()?;
    match work.duty.act {
        Act::Create => custody::keep_sent(work.owner, (work.duty.kind, id), message, story.now_ms()),
        Act::Update => {
            let kept = work.subject?.sent.as_deref()?;
            let before = stored(kept.request.as_ref()?).ok()?;
            let after = custody::patched(&before, message, work.duty.kind.facts().items);
            Some(custody::change_sent(kept, &after, story.now_ms()))
        }
        _ => None,
    }
}

/// The entity of a create whose answer could not be mapped: its ids and the raw answer, without a document.
pub fn unmapped(story: &Story<'_>, work: &Work<'_>, id: &SonataId, replies: &[Reply]) -> Vec<Change> {
    let mut entity = fresh(story, work, id, replies);
    entity.legacy = replies.last().map(|reply| reply.raw.clone());
    let own = Changed { kind: work.duty.kind, entity, is_new: true, before: None, after: None };
    let mut changes = changed(story, &work.owner.partner, own);
    changes.extend(sent(story, work, id));
    changes
}

fn fresh(story: &Story<'_>, work: &Work<'_>, id: &SonataId, replies: &[Reply]) -> Entity {
    let mut entity = work.owner.entity(work.duty.kind, id.clone(), story.now_ms());
    let program = &work.operation.program;
    let (of_items, of_whole): (Vec<&Reply>, Vec<&Reply>) =
        replies.iter().partition(|reply| reply.item.is_some());
    let of_reply = of_whole.into_iter().find_map(|reply| legacy_id(program, reply));
    // The legacy system has a counterpart for each item only: it knows the whole by the id that we gave it.
    let own = (matches!(work.duty.act, Act::Create) && !of_items.is_empty()).then(|| id.as_str().to_owned());
    let known = work.subject.filter(|_| !matches!(work.duty.act, Act::Create));
    let of_subject = known.and_then(|subject| subject.legacy_id.clone());
    entity.backend = Some(work.backend.id.clone());
    entity.legacy_id = of_reply.or(own).and_then(|id| LegacyId::parse(&id).ok()).or(of_subject);
    let parent = work.subject.and_then(|subject| subject.parent.as_ref());
    entity.parent = parent.map(|parent| parent.id.clone());
    if matches!(work.duty.act, Act::Create) {
        entity.request = work.received.body.as_ref().map(Document::bytes);
        entity.parent = work.subject.map(|subject| subject.id.clone());
    }
    entity
}

/// The Buyer moved an entity: its state follows.
pub fn moved(story: &mut Story<'_>, work: &Work<'_>, state: &str) -> Vec<Change> {
    work.subject.map(|subject| move_to(story, &work.owner.partner, subject, state)).unwrap_or_default()
}

/// An entity whose document is kept moves into a state, by the Buyer's wish or by our own clock.
pub fn move_to(story: &mut Story<'_>, partner: &PartnerId, subject: &Subject, state: &str) -> Vec<Change> {
    let (Some(mut entity), Some(before)) = (subject.entity.clone(), subject.document.as_ref()) else {
        return Vec::new();
    };
    let completed = custody::move_to(subject.kind, before, state, &story.now_text());
    for finding in &completed.findings {
        story.finding(finding.code.as_str(), &finding.message);
    }
    entity.state = completed.state;
    entity.document = Some(completed.document.bytes());
    entity.updated_ms = story.now_ms();
    let (kind, after) = (subject.kind, Some(&completed.document));
    changed(story, partner, Changed { kind, entity, is_new: false, before: Some(before), after })
}
