//! One page of a legacy list: which of its elements are this partner's, and what each is in Sonata.
//!
//! Ids are looked up for the page as a whole, not element by element. What an element brings along that must be kept
//! before it may be told (a new id, an id of something that it names) goes with it: only what is answered is kept.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use crate::{
    custody::kind_of,
    exchange::{
        answer::{Mapped, adopt, map_reply, tell},
        calls::place,
        error::ExchangeError,
        facts::{EntityFacts, Known, StoryTexts, facts, with_reply},
        references::{has_legacy_ids, new_id},
        reply::Reply,
        story::Story,
        subject::{self, Subject},
        work::Work,
    },
    ids::{LegacyId, SonataId},
    json::{Document, Kind as JsonKind, Node},
    mapping::{
        apply::{self, Input, NeededReference, References},
        path::FieldPath,
        program::{FailureCode, Program},
    },
    store::{Change, Kind, Reference},
};

/// How an operation reads a legacy list.
pub struct Listing<'l> {
    /// The array.
    pub elements: &'l FieldPath,
    /// Where an element names its legacy id.
    pub legacy_id: &'l FieldPath,
    /// Maps one element.
    pub program: &'l Program,
}

/// An entity of the partner's, whole.
pub struct Listed {
    /// What is kept of it, with what the legacy system says now.
    pub document: Document,
    /// What must be kept before it is told.
    pub changes: Vec<Change>,
}

/// An element, and whose it is.
struct Claimed<'r> {
    position: usize,
    node: Node<'r>,
    claim: Claim,
}

enum Claim {
    /// The partner's, with what keeps its new id.
    Own(Box<Subject>, Option<Change>),
    /// Whose it is follows from what it belongs to, which only its mapped form names.
    ByParent(LegacyId),
}

impl Listing<'_> {
    /// The array of a page; none where the reply has none.
    pub fn array<'r>(&self, reply: &'r Reply) -> Option<Node<'r>> {
        let root = reply.document.as_ref()?.root();
        self.elements.array().read(root, root).ok()?
    }

    /// How many elements a page has.
    ///
    /// # Errors
    /// An object stands where the list should: one element alone, which some legacy systems write so, is not nothing.
    pub fn found(&self, reply: &Reply, call: &str) -> Result<usize, ExchangeError> {
        let found = self.array(reply);
        if found.is_some_and(|node| node.kind() == JsonKind::Object) {
            let detail = format!("`{}` is one object, and no list", self.elements);
            return Err(ExchangeError::LegacyGarbage { call: call.to_owned(), detail });
        }
        Ok(found.map_or(0, Node::len))
    }

    /// The partner's entities among the elements at these positions of a page, in order. Elements in `met` were on
    /// the page before: a list that moves while it is read shows them twice.
    ///
    /// # Errors
    /// The store's, or the mapping cannot say what an element is.
    pub async fn entities(
        &self,
        story: &mut Story<'_>,
        work: &Work<'_>,
        facts: &Known<'_>,
        reply: &Reply,
        positions: Range<usize>,
        met: &HashSet<LegacyId>,
    ) -> Result<Vec<Listed>, ExchangeError> {
        let claimed = self.claimed(story, work, reply, positions, met).await?;
        let told = with_reply(facts, None, reply);
        let nothing = References::new();
        let needed: Vec<Vec<NeededReference>> = claimed
            .iter()
            .map(|one| apply::references(self.program, &input(work, reply, one, (&told, &nothing))))
            .collect();
        let (references, changes) = adopt(story, work, needed.iter().flatten().cloned().collect()).await?;
        let fresh = by_legacy_id(changes);
        let mut listed = Vec::new();
        for (one, needed) in claimed.into_iter().zip(needed) {
            let mut applied = apply::apply(self.program, &input(work, reply, &one, (&told, &references)));
            let mut changes: Vec<Change> =
                needed.iter().filter_map(|need| fresh.get(&key_of(need)).cloned()).collect();
            let element = (one.position, one.node);
            let subject = match one.claim {
                Claim::Own(subject, change) => {
                    changes.extend(change);
                    *subject
                }
                // An order that is not this partner's has no counterpart: neither has what belongs to it.
                Claim::ByParent(_) if applied.as_ref().is_err_and(|failures| are_unknown(failures)) => {
                    continue;
                }
                Claim::ByParent(legacy) => {
                    let mapped = applied.as_ref().ok().and_then(|applied| applied.body.as_ref());
                    let Some((subject, change)) = of_parent(story, work, legacy, mapped).await? else {
                        continue;
                    };
                    changes.push(change);
                    subject
                }
            };
            if subject.parent.is_some() {
                let mapped = self.within_parent(story, work, &subject, reply, element).await?;
                changes.extend(mapped.changes);
                applied = Ok(apply::Applied { body: mapped.document, ..apply::Applied::default() });
            }
            let applied = applied.map_err(ExchangeError::Mapping)?;
            applied.findings.iter().for_each(|finding| tell(story, finding));
            listed
                .push(Listed { document: completed(story, work, &subject, applied.body.as_ref()), changes });
        }
        Ok(listed)
    }

    /// The legacy ids of a page.
    pub fn legacy_ids(&self, reply: &Reply) -> HashSet<LegacyId> {
        let elements = self.array(reply).into_iter().flat_map(Node::elements);
        elements.filter_map(|element| self.legacy_id_of(element)).collect()
    }

    fn legacy_id_of(&self, element: Node<'_>) -> Option<LegacyId> {
        LegacyId::parse(&place(self.legacy_id, element)?).ok()
    }

    /// The elements that are the partner's, or may be.
    async fn claimed<'r>(
        &self,
        story: &mut Story<'_>,
        work: &Work<'_>,
        reply: &'r Reply,
        positions: Range<usize>,
        met: &HashSet<LegacyId>,
    ) -> Result<Vec<Claimed<'r>>, ExchangeError> {
        let Some(array) = self.array(reply) else { return Ok(Vec::new()) };
        let (mut named, mut here) = (Vec::new(), HashSet::new());
        let elements = array.elements().enumerate().skip(positions.start).take(positions.len());
        for (position, node) in elements {
            match self.legacy_id_of(node) {
                Some(legacy) if met.contains(&legacy) || !here.insert(legacy.clone()) => {}
                Some(legacy) => named.push((position, node, legacy)),
                None => story.finding("noLegacyId", &format!("an element without id at {}", node.pointer())),
            }
        }
        let kind = kind_of(work.duty.kind);
        let known = if work.duty.kind.has_legacy_ids() {
            HashMap::new()
        } else {
            let wanted = named.iter().map(|(_, _, legacy)| (kind.clone(), legacy.clone())).collect();
            story.gateway.store.to_sonata(&work.owner.partner, &work.backend.id, wanted).await?
        };
        let mut claimed = Vec::with_capacity(named.len());
        for (position, node, legacy) in named {
            let known = known.get(&(kind.clone(), legacy.clone())).cloned();
            if let Some(claim) = claim(story, work, legacy, known).await? {
                claimed.push(Claimed { position, node, claim });
            }
        }
        Ok(claimed)
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

fn input<'i>(
    work: &'i Work<'_>,
    reply: &'i Reply,
    one: &Claimed<'i>,
    (facts, references): (&'i Known<'i>, &'i References),
) -> Input<'i> {
    Input {
        scope: Some(one.node),
        index: Some(one.position),
        headers: &reply.headers,
        tables: &work.operation.tables,
        ..Input::new(reply.document.as_ref().map(Document::root), facts, references)
    }
}

pub fn are_unknown(failures: &[apply::Failure]) -> bool {
    failures.iter().all(|failure| failure.code == FailureCode::ReferenceNotFound)
}

fn by_legacy_id(changes: Vec<Change>) -> HashMap<(String, String), Change> {
    let key = |kind: &Kind, legacy: &LegacyId| (kind.as_str().to_owned(), legacy.as_str().to_owned());
    let keyed = changes.into_iter().filter_map(|change| {
        let key = match &change {
            Change::Refer(reference) => key(&reference.kind, &reference.legacy_id),
            Change::Create(entity) => key(&entity.kind, entity.legacy_id.as_ref()?),
            _ => return None,
        };
        Some((key, change))
    });
    keyed.collect()
}

fn key_of(need: &NeededReference) -> (String, String) {
    (need.kind.to_string(), need.id.clone())
}

/// Whose an element is; none where it is not this partner's.
async fn claim(
    story: &Story<'_>,
    work: &Work<'_>,
    legacy: LegacyId,
    known: Option<SonataId>,
) -> Result<Option<Claim>, ExchangeError> {
    let kind = work.duty.kind;
    let own = |subject, change| Ok(Some(Claim::Own(Box::new(subject), change)));
    if has_legacy_ids(kind.name()) {
        let Ok(id) = SonataId::parse(legacy.as_str()) else { return Ok(None) };
        return own(Subject::named(kind, id, legacy, &work.backend.id), None);
    }
    if let Some(id) = known {
        // None: another Buyer's of the same partner.
        let stored =
            subject::load(story, work.owner, std::slice::from_ref(&work.backend.id), kind, id).await?;
        return stored.map_or(Ok(None), |stored| own(stored, None));
    }
    if kind.facts().parent.is_some() {
        return Ok((!kind.is_made_by_buyer()).then_some(Claim::ByParent(legacy)));
    }
    if !kind.is_adopted_by_list() {
        return Ok(None);
    }
    let id = new_id(story)?;
    let change = adopted(story, work, id.clone(), legacy.clone());
    own(Subject::named(kind, id, legacy, &work.backend.id), Some(change))
}

/// Keeps the pair of ids of an entity that this partner is told of for the first time; where a partner speaks for
/// several, with the one that was told.
fn adopted(story: &Story<'_>, work: &Work<'_>, sonata_id: SonataId, legacy_id: LegacyId) -> Change {
    let backend = work.backend.id.clone();
    if work.owner.buyer.is_none() && work.owner.seller.is_none() {
        return Change::Refer(Reference { kind: kind_of(work.duty.kind), sonata_id, backend, legacy_id });
    }
    let mut entity = work.owner.entity(work.duty.kind, sonata_id, story.now_ms());
    entity.backend = Some(backend);
    entity.legacy_id = Some(legacy_id);
    Change::Create(Box::new(entity))
}

/// An entity that this partner is told of for the first time, and which is the partner's if what it belongs to is.
async fn of_parent(
    story: &Story<'_>,
    work: &Work<'_>,
    legacy: LegacyId,
    mapped: Option<&Document>,
) -> Result<Option<(Subject, Change)>, ExchangeError> {
    let kind = work.duty.kind;
    let Some(parent_kind) = kind.facts().parent else { return Ok(None) };
    let root = mapped.map(Document::root);
    let named = ["productOrder", "productOrderItem"].into_iter().find_map(|member| {
        root?.get(member)?.get("productOrderId")?.as_str().and_then(|id| SonataId::parse(&id).ok())
    });
    let Some(id) = named else { return Ok(None) };
    let parent =
        subject::load(story, work.owner, std::slice::from_ref(&work.backend.id), parent_kind, id).await?;
    let Some(parent) = parent.filter(|parent| parent.entity.is_some()) else { return Ok(None) };
    let id = new_id(story)?;
    let mut entity = work.owner.entity(kind, id.clone(), story.now_ms());
    entity.backend = Some(work.backend.id.clone());
    entity.legacy_id = Some(legacy.clone());
    entity.parent = Some(parent.id.clone());
    let parent = Some(Box::new(parent));
    let subject = Subject {
        entity: Some(entity.clone()),
        parent,
        ..Subject::named(kind, id, legacy, &work.backend.id)
    };
    Ok(Some((subject, Change::Create(Box::new(entity)))))
}

/// The whole entity: what is kept of it, with what the legacy system says now.
fn completed(story: &Story<'_>, work: &Work<'_>, stored: &Subject, mapped: Option<&Document>) -> Document {
    let href = work.href(story, &stored.id);
    let completed = crate::custody::complete(&crate::custody::Completing {
        kind: work.duty.kind,
        request: stored.request.as_ref(),
        mapped,
        is_part: false,
        kept: stored.document.as_ref(),
        id: stored.id.as_str(),
        href: Some(&href),
        now: &story.now_text(),
        seller: None,
        echo_off: &work.operation.echo_off,
    });
    completed.document
}
