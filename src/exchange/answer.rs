//! What goes back: the replies are mapped, custody adds what the legacy system does not know, the contract is held
//! against the result, and what must be kept is put together for one commit.

use std::pin::pin;

use bytes::Bytes;
use http::HeaderMap;

use super::{
    call::legacy_id,
    calls::{ITEM_LEGACY_IDS, Prepared},
    error::ExchangeError,
    facts::{Known, with_reply},
    follow,
    references::{self, new_id},
    reply::Reply,
    report::{self, Said},
    rules,
    story::Story,
    subject::Subject,
    wire::Answer,
    work::Work,
};
use crate::{
    config::AnswerFindings,
    custody,
    ids::{LegacyId, SonataId},
    json::{Builder, Document, Node},
    mapping::{
        apply::{self, Failure, Input, KeyPair, KeyText, References},
        operation,
        path::{FieldPath, Step},
        program::Program,
    },
    plan::PartnerPlan,
    sonata::{
        Contract, Fault, Options, UnknownMembers,
        check::{Accepted, check},
        entity::{Act, EntityKind},
    },
    store::Change,
};

/// An answer, and what must be kept before it may be told.
pub struct Made {
    /// The body of the answer.
    pub document: Document,
    /// What goes into the one commit.
    pub changes: Vec<Change>,
}

/// What came of mapping the replies.
#[derive(Default)]
pub struct Mapped {
    /// The message on the Sonata side; none where the operation maps none.
    pub document: Option<Document>,
    /// References that are new to this partner.
    pub changes: Vec<Change>,
    /// Keys to remember.
    pub keys: Vec<KeyPair>,
}

/// Makes the answer of an operation on one entity, or of one that keeps none. `instead` is what is answered in the place
/// of what the replies say, and goes no further.
///
/// # Errors
/// The mapping cannot say what the legacy system answered, or the result breaks the contract.
pub async fn make(
    story: &mut Story<'_>,
    work: &Work<'_>,
    id: Option<&SonataId>,
    href: &str,
    facts: &Known<'_>,
    (prepared, replies): (&[Prepared<'_>], &[Reply]),
    instead: Option<&Document>,
) -> Result<Made, ExchangeError> {
    let mut keys = work.subject.map(Subject::all_keys).unwrap_or_default();
    let earlier = keys.len();
    keys.extend(prepared.iter().flat_map(|one| one.keys.iter().cloned()));
    let mapped = match instead {
        Some(document) => Mapped { document: Some(document.clone()), ..Mapped::default() },
        None => pin!(map(story, work, facts, &keys, prepared, replies)).await?,
    };
    let mut remembered: Vec<KeyPair> = keys.split_off(earlier);
    remembered.extend(mapped.keys);
    remembered.extend(item_ids(work, prepared, replies));
    let mut changes = mapped.changes;
    let document = match (work.duty.act, id) {
        (Act::Ask, _) | (_, None) => echo(work, mapped.document.as_ref()),
        (Act::Move { state }, Some(_)) => {
            changes.extend(report::moved(story, work, state));
            echo(work, mapped.document.as_ref())
        }
        (_, Some(id)) => {
            let said = Said {
                mapped: mapped.document.as_ref(),
                replies,
                keys: &remembered,
                is_part: false,
                is_heard: false,
            };
            let reported = report::report(story, work, (id, href), &said);
            changes.extend(reported.changes);
            if instead.is_some() {
                changes.extend(follow::giving_back(story, work, id));
            } else if work.duty.act == Act::Create {
                let made = (id, &reported.document);
                changes.extend(follow::following(story, work, made, replies, &remembered));
            }
            reported.document
        }
    };
    let document = hold(story, work, document)?;
    Ok(Made { document, changes })
}

/// The success of an operation with this body.
pub fn success(work: &Work<'_>, document: &Document) -> Answer {
    let has_body = work.route.operation.success_body().is_some();
    let body = if has_body { document.bytes() } else { Bytes::new() };
    Answer { status: work.success_status(), body, headers: HeaderMap::new() }
}

async fn map(
    story: &mut Story<'_>,
    work: &Work<'_>,
    facts: &Known<'_>,
    keys: &[KeyPair],
    prepared: &[Prepared<'_>],
    replies: &[Reply],
) -> Result<Mapped, ExchangeError> {
    match &work.operation.program.answer {
        operation::Answer::Empty | operation::Answer::Each { .. } => Ok(Mapped::default()),
        operation::Answer::Reply(program) => match replies.last() {
            Some(reply) => pin!(map_reply(story, work, program, facts, keys, reply, None)).await,
            None => Ok(Mapped::default()),
        },
        operation::Answer::Calls { into, program } => {
            let mut all = Mapped::default();
            let mut elements = Vec::new();
            let mut in_order: Vec<&Reply> = replies.iter().filter(|reply| reply.item.is_some()).collect();
            in_order.sort_by_key(|reply| reply.item);
            for reply in in_order {
                let mapped = map_reply(story, work, program, facts, keys, reply, None).await?;
                all.changes.extend(mapped.changes);
                all.keys.extend(mapped.keys);
                elements.push((element_id(prepared, reply), mapped.document));
            }
            all.document = Some(gather(into, &elements));
            Ok(all)
        }
    }
}

/// Maps one reply, or one element of it (a list).
pub async fn map_reply(
    story: &mut Story<'_>,
    work: &Work<'_>,
    program: &Program,
    facts: &Known<'_>,
    keys: &[KeyPair],
    reply: &Reply,
    element: Option<(usize, Node<'_>)>,
) -> Result<Mapped, ExchangeError> {
    let facts = with_reply(facts, work.received.body.as_ref(), reply);
    let nothing = References::new();
    let input = Input {
        body: reply.document.as_ref().map(Document::root),
        scope: element.map(|(_, element)| element),
        index: element.map(|(index, _)| index),
        query: &reply.query,
        path: &reply.path,
        headers: &reply.headers,
        facts: &facts,
        references: &nothing,
        remembered: keys,
        tables: &work.operation.tables,
        limits: apply::Limits::default(),
    };
    let needed = apply::references(program, &input);
    let (references, changes) = pin!(adopt(story, work, needed)).await?;
    let input = Input { references: &references, ..input };
    let applied = apply::apply(program, &input).map_err(ExchangeError::Mapping)?;
    applied.findings.iter().for_each(|finding| tell(story, finding));
    Ok(Mapped { document: applied.body, changes, keys: applied.keys })
}

/// Sonata ids for the legacy ids that an answer names, and what keeps the new ones; what was never told to this partner gets a new one.
pub async fn adopt(
    story: &Story<'_>,
    work: &Work<'_>,
    needed: Vec<apply::NeededReference>,
) -> Result<(References, Vec<Change>), ExchangeError> {
    let wanted = needed.iter().filter_map(|need| {
        let legacy = LegacyId::parse(&need.id).ok()?;
        if EntityKind::parse(&need.kind).is_some_and(|kind| kind.is_made_by_buyer() || kind.has_legacy_ids())
        {
            return None;
        }
        Some((crate::store::Kind::new(need.kind.to_string()), legacy))
    });
    let wanted: Vec<_> = wanted.collect();
    let mut fresh = Vec::new();
    for _ in &wanted {
        fresh.push(new_id(story)?);
    }
    let mut fresh = fresh.into_iter();
    let (store, partner, backend) = (&story.gateway.store, &work.owner.partner, work.home);
    // As many ids were made as could be asked for; the last serves a count that cannot be.
    let spare = new_id(story)?;
    let adopted =
        custody::adopt(store, partner, backend, wanted, || fresh.next().unwrap_or_else(|| spare.clone()))
            .await?;
    let mut references = references::to_sonata(story, work, &needed).await?;
    for ((kind, legacy), id) in &adopted.ids {
        references.insert(kind.as_str(), legacy.as_str(), id.as_str());
    }
    let changes = adopted.changes.into_iter().map(|change| belonging(story, work, change));
    Ok((references, changes.collect()))
}

/// An entity that an order's answer names for the first time, such as a charge, belongs to that order.
fn belonging(story: &Story<'_>, work: &Work<'_>, change: Change) -> Change {
    let Change::Refer(reference) = &change else { return change };
    let kind = EntityKind::parse(reference.kind.as_str());
    let belongs = |kind: &EntityKind| kind.facts().parent == Some(work.duty.kind);
    let (Some(kind), Some(parent)) = (kind.filter(belongs), work.subject) else { return change };
    let mut entity = work.owner.entity(kind, reference.sonata_id.clone(), story.now_ms());
    entity.backend = Some(reference.backend.clone());
    entity.legacy_id = Some(reference.legacy_id.clone());
    entity.parent = Some(parent.id.clone());
    Change::Create(Box::new(entity))
}

pub fn tell(story: &mut Story<'_>, finding: &Failure) {
    story.finding(finding.code.as_str(), &format!("{}: {}", finding.origin, finding.message));
}

/// The `id` of the element that a call was made for: the reply does not know it.
fn element_id(prepared: &[Prepared<'_>], reply: &Reply) -> Option<String> {
    let of_reply = |one: &&Prepared<'_>| {
        one.planned.index == reply.call && one.planned.element.map(|(position, _)| position) == reply.item
    };
    let (_, element) = prepared.iter().find(of_reply)?.planned.element?;
    element.get("id")?.as_str().map(std::borrow::Cow::into_owned)
}

/// `answer: { each: calls, into: … }`: one element per reply, each with the id of its item.
pub fn gather(into: &FieldPath, elements: &[(Option<String>, Option<Document>)]) -> Document {
    let mut builder = Builder::new();
    let array = builder.array();
    for (id, document) in elements {
        let element = match document {
            Some(document) => builder.copy(document.root()),
            None => builder.object(),
        };
        if let Some(id) = id {
            let id = builder.string(id.as_str());
            builder.set(element, "id", id);
        }
        builder.push(array, element);
    }
    let mut value = array;
    for step in into.steps.iter().rev() {
        if let Step::Member(name) = step {
            let object = builder.object();
            builder.set(object, name.as_ref(), value);
            value = object;
        }
    }
    builder.finish(value)
}

/// Legacy ids of items, one per reply of an `each` call that names one.
fn item_ids(work: &Work<'_>, prepared: &[Prepared<'_>], replies: &[Reply]) -> Vec<KeyPair> {
    let pairs = replies.iter().filter_map(|reply| {
        let id = element_id(prepared, reply)?;
        let legacy = legacy_id(&work.operation.program, reply)?;
        Some(KeyPair {
            group: ITEM_LEGACY_IDS.into(),
            sonata: KeyText::Text(id.into()),
            legacy: KeyText::Text(legacy.into()),
        })
    });
    pairs.collect()
}

/// The request's attributes with what was mapped.
pub fn echo(work: &Work<'_>, mapped: Option<&Document>) -> Document {
    match &work.received.body {
        Some(request) => custody::echo(request, mapped, &work.operation.echo_off),
        None => mapped.cloned().unwrap_or_else(empty_object),
    }
}

fn empty_object() -> Document {
    let mut builder = Builder::new();
    let root = builder.object();
    builder.finish(root)
}

/// Holds our own answer against the contract: what the standard does not know is taken out, what it misses is told.
/// An operation on one entity whose answer is an array all the same (a bill by its id) answers an array of one.
pub fn hold(story: &mut Story<'_>, work: &Work<'_>, document: Document) -> Result<Document, ExchangeError> {
    let Some(body) = work.route.operation.success_body() else { return Ok(document) };
    let Some(item) = body.item else { return hold_as(story, work, &document, body.value) };
    Ok(array(&[hold_as(story, work, &document, item)?]))
}

/// An array of these elements.
pub fn array(elements: &[Document]) -> Document {
    let mut builder = Builder::new();
    let root = builder.array();
    for element in elements {
        let element = builder.copy(element.root());
        builder.push(root, element);
    }
    builder.finish(root)
}

/// As [`hold`], for a message of this type.
pub fn hold_as(
    story: &mut Story<'_>,
    work: &Work<'_>,
    document: &Document,
    ty: crate::sonata::TypeId,
) -> Result<Document, ExchangeError> {
    rules::of_answer(story, work, document.root())?;
    let received = work.received.body.as_ref();
    let accepted = received.map(|document| Accepted { document, passed: &work.received.passed });
    fit(story, work.partner, (work.route.contract, ty), accepted, document)
}

/// Holds a message of ours against a type of a contract, without what the guides say of it.
///
/// # Errors
/// The partner's policy wants no answer in place of one that is not as the standard has it.
pub fn fit(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    (contract, ty): (&'static Contract, crate::sonata::TypeId),
    accepted: Option<Accepted<'_>>,
    document: &Document,
) -> Result<Document, ExchangeError> {
    let products = partner
        .products(contract.function)
        .ok_or_else(|| ExchangeError::Internal("the release has no products".to_owned()))?;
    let policy = &partner.settings().policy;
    // What the Buyer's own products may have wrong, its echo in our answer may.
    let product_faults = policy.product_payload;
    let options = Options { product_faults, accepted, ..Options::new(products) };
    let projected = || custody::project(document.root(), contract.view(ty));
    let checked = check(document.root(), contract, ty, &options);
    if checked.is_valid() && checked.unknown.is_empty() {
        debug_assert_eq!(projected().text(), document.root().raw(), "nothing is unknown, so nothing goes");
        return Ok(document.clone());
    }
    let document = projected();
    let checked = check(document.root(), contract, ty, &options);
    if checked.is_valid() {
        return Ok(document);
    }
    match policy.answer_findings {
        AnswerFindings::Fail => Err(ExchangeError::AnswerContract(checked.faults)),
        AnswerFindings::Send => {
            for fault in &checked.faults {
                story.finding(
                    fault.code.as_str(),
                    &format!("our answer at {}: {}", fault.pointer, fault.reason),
                );
            }
            Ok(document)
        }
    }
}

/// What is wrong with an entity of which somebody says something, and was not before: faults against the contract, and
/// members that it does not have.
///
/// # Errors
/// None in practice: a release has products.
pub fn new_faults(
    work: &Work<'_>,
    before: Option<&Document>,
    after: &Document,
) -> Result<Vec<Fault>, ExchangeError> {
    let Some(body) = work.route.operation.success_body() else { return Ok(Vec::new()) };
    let ty = body.item.unwrap_or(body.value);
    let products = work.partner.products(work.route.function());
    let products =
        products.ok_or_else(|| ExchangeError::Internal("the release has no products".to_owned()))?;
    let options = Options { unknown_members: UnknownMembers::Reject, ..Options::new(products) };
    let of = |document: &Document| check(document.root(), work.route.contract, ty, &options).faults;
    let known = before.map(of).unwrap_or_default();
    Ok(of(after).into_iter().filter(|fault| !known.contains(fault)).collect())
}
