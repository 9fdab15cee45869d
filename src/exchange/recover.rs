//! What became of an exchange that did not come to its end: what it made is looked up, and kept, or its name is free.
//!
//! The mapping says how (`recover:` of each call that changes something). A task does it, after a crash as well as after
//! an answer that was lost, until it is known; what is not known after seven days is left to people. That nothing was
//! made is believed only some time after the call: until then it may still be on its way.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use http::HeaderMap;

use super::{
    answer,
    call::{self, Calling},
    calls::{Origin, Planned, Prepared, place},
    error::ExchangeError,
    facts::{EntityFacts, StoryTexts, facts, scalar_node},
    journal::Journal,
    once::Once,
    quotes,
    references::{self, item_of},
    reply::Reply,
    request::Received,
    story::Story,
    subject::{self, Subject},
    tasks::{End, pause_ms},
    timers::id_of,
    ways::keeper,
    work::Work,
};
use crate::{
    custody::{self, Kept, Open, kind_of},
    ids::{ExchangeId, LegacyId, PartnerId, SonataId},
    json::{Document, Node},
    mapping::{
        apply::Headers,
        operation::{Call, CallTarget, OperationProgram, Recover, TemplatePart},
        path::{Part, Step},
    },
    plan::{PartnerPlan, Route},
    sonata::{Function, entity::duty_of},
    store::{Change, Entity, Kind, Queue, Task},
};

/// How long it is tried before it is left to people, in milliseconds: seven days.
const GIVE_UP_MS: i64 = 7 * 86_400_000;

/// How long after an exchange ended with nobody knowing how it is looked into first, in milliseconds.
const FIRST_MS: i64 = 2_000;

/// First word of the payload and of the lane of such a task.
const MARK: &str = "recover ";

/// What became of a call.
enum Look {
    /// It was made; this stands for its reply.
    Made(Box<Reply>),
    /// The legacy system has nothing of it.
    None,
    /// Nobody can tell, for this reason.
    Unclear(String),
}

/// What became of all calls.
enum Outcome {
    /// It is over: these changes say so.
    Over(Vec<Change>),
    /// It is too early to believe that nothing was made: not before this, in milliseconds since 1970.
    Early(i64),
    /// Nobody can tell, for this reason.
    Unclear(String),
}

/// What has to be kept of a request, so that what it makes can be looked up; none where the mapping does not say how.
pub fn kept(work: &Work<'_>, id: Option<&SonataId>) -> Option<Kept> {
    let id = id.filter(|_| is_recoverable(&work.operation.program))?;
    let recovers = work.operation.program.calls.iter().filter_map(|call| call.recover.as_deref());
    let mut names: Vec<&str> = recovers.flat_map(headers_of).collect();
    names.extend(work.partner.settings().idempotency.key_header.as_ref().map(http::HeaderName::as_str));
    let received = work.received;
    let headers =
        received.headers.iter().filter(|(name, _)| names.iter().any(|own| own.eq_ignore_ascii_case(name)));
    Some(Kept {
        id: id.as_str().to_owned(),
        query: received.query.clone(),
        path: received.path.clone(),
        headers: headers.cloned().collect(),
        body: received.body.as_ref().map(Document::bytes),
        sent: received.sent.as_ref().map(|sent| sent.text().to_owned()),
    })
}

fn is_recoverable(program: &OperationProgram) -> bool {
    program.calls.iter().any(|call| call.recover.is_some())
}

/// Headers of the request that a look-up's address names.
fn headers_of(recover: &Recover) -> Vec<&str> {
    let targets = recover.find.calls.iter().chain(recover.read.iter().flat_map(|read| &read.calls));
    let parts = targets.flat_map(|call| parts(&call.target));
    let named = parts.filter_map(|part| match part {
        TemplatePart::Request(path) if path.part == Part::Header => match path.steps.first()? {
            Step::Member(name) => Some(&**name),
            _ => None,
        },
        _ => None,
    });
    named.collect()
}

fn parts(target: &CallTarget) -> impl Iterator<Item = &TemplatePart> {
    target.path.iter().chain(target.query.iter().flat_map(|(_, template)| template))
}

/// The task that looks into an exchange; there is at most one for each.
///
/// # Errors
/// None in practice: its id is within bounds.
pub fn task(partner: &PartnerId, exchange: &ExchangeId, now_ms: i64) -> Result<Task, ExchangeError> {
    let named = format!("{MARK}{exchange}");
    let id = id_of([MARK, partner.as_str(), exchange.as_str()].into_iter())?;
    let payload = Bytes::from(named.clone());
    Ok(Task::new(id, partner.clone(), Queue::Continue, named, now_ms, payload))
}

/// The exchange that a task is to look into, where it is such a task.
pub fn about(task: &Task) -> Option<ExchangeId> {
    ExchangeId::parse(std::str::from_utf8(&task.payload).ok()?.strip_prefix(MARK)?).ok()
}

/// The change that has an exchange looked into that ends now with nobody knowing how.
pub fn looking_up(story: &Story<'_>, work: &Work<'_>, id: Option<&SonataId>) -> Option<Change> {
    id.filter(|_| is_recoverable(&work.operation.program))?;
    let due_ms = story.now_ms().saturating_add(FIRST_MS);
    let task = task(&work.owner.partner, &story.id, story.now_ms()).ok()?;
    Some(Change::Schedule(Box::new(Task { due_ms, ..task })))
}

/// Looks into an exchange.
///
/// # Errors
/// Something failed that may go better the next time.
pub async fn run(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    (exchange, task): (&ExchangeId, &Task),
) -> Result<End, ExchangeError> {
    let open = custody::unfinished(&story.gateway.store, partner.id(), exchange).await?;
    let Some((open, kept)) = open.and_then(|mut open| open.kept.take().map(|kept| (open, kept))) else {
        return Ok(End::Settled(Vec::new()));
    };
    // What follows is what it would have done itself.
    story.id = exchange.clone();
    let why = match look_into(story, partner, (&open, kept)).await {
        Ok(Outcome::Over(changes)) => return Ok(End::Settled(changes)),
        Ok(Outcome::Early(at_ms)) => return Ok(End::Later(at_ms, Vec::new())),
        Ok(Outcome::Unclear(why)) => why,
        Err(error) => error.to_string(),
    };
    tracing::warn!(exchange = exchange.as_str(), why, "what it made cannot be told yet");
    if story.now_ms().saturating_sub(open.at_ms) >= GIVE_UP_MS {
        return Ok(End::Dead(format!("given up; last: {why}")));
    }
    Ok(End::Later(story.now_ms().saturating_add(pause_ms(task)), Vec::new()))
}

async fn look_into(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    (open, kept): (&Open, Kept),
) -> Result<Outcome, ExchangeError> {
    let gone = |what: &str| Ok(Outcome::Unclear(format!("{what} is not there any more")));
    let Some((function, operation_id)) = open.operation.split_once('.') else { return gone("the operation") };
    let Some(function) = Function::parse(function) else { return gone("the function") };
    let Some(contract) = partner.contract(function) else { return gone("the contract") };
    let Some(operation) = contract.operation(operation_id) else { return gone("the operation") };
    let Some(duty) = duty_of(function, operation_id) else { return gone("the operation") };
    let Some(backend) = &open.backend else { return gone("the backend") };
    let Some(way) = keeper(&story.plan, partner, (function, operation_id), backend) else {
        return gone("the mapping");
    };
    let id = SonataId::parse(&kept.id).map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let received = received(kept)?;
    let owner = subject::owner(partner, &received)?;
    let subject = subject::find(story, &owner, partner, duty, &received).await?;
    let once = Once::begun(&owner, open.keys.clone());
    let route = Route::to(contract, operation);
    story.route = Some((contract, operation));
    story.mapping = Some(Arc::clone(&way.operation));
    let work = Work {
        partner,
        route: &route,
        operation: &way.operation,
        duty,
        received: &received,
        owner: &owner,
        backend: &way.backend,
        home: &way.home,
        subject: subject.as_ref(),
        once: once.as_ref(),
    };
    resume(story, &work, &id, open.at_ms).await
}

fn received(kept: Kept) -> Result<Received, ExchangeError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &kept.headers {
        if let (Ok(name), Ok(value)) =
            (http::HeaderName::try_from(name.as_str()), http::HeaderValue::from_str(value))
        {
            headers.append(name, value);
        }
    }
    let body = kept.body.as_ref().map(subject::stored).transpose()?;
    let (query, path) = (kept.query, kept.path);
    let sent = kept.sent.map(|text| subject::stored(&Bytes::from(text))).transpose()?;
    Ok(Received { query, path, headers: Headers::open(headers), body, passed: Vec::new(), sent })
}

/// Maps the request as it was mapped, looks up each of its calls, and goes on as if they had been answered now.
async fn resume(
    story: &mut Story<'_>,
    work: &Work<'_>,
    id: &SonataId,
    at_ms: i64,
) -> Result<Outcome, ExchangeError> {
    let href = work.href(story, id);
    let texts = StoryTexts::of(story);
    let (stored, parent) = work.relations();
    let entity = EntityFacts { id: id.as_str(), href: &href, stored, parent };
    let facts = facts(work.partner, (work.route.contract, work.route.operation), &texts, Some(entity));
    let item_id = work.item_id()?;
    let remembered = work.subject.map(Subject::all_keys).unwrap_or_default();
    let origin =
        Origin { remembered: &remembered, item_id: item_id.as_deref(), ..work.origin(story, &facts) };
    let planned = origin.plan(&work.operation.program)?;
    let needed = origin.references(&planned);
    let references = references::to_legacy(story, work, &needed).await?;
    let origin = Origin { references: &references, ..origin };
    let prepared = origin.prepare(&planned)?;
    let calling = work.calling(story, &origin, &HeaderMap::new());

    let mut looking = Looking { work, id, calling: &calling, told: BTreeMap::new() };
    let all = match looking.all(story, &prepared).await? {
        Ok(all) => all,
        Err(why) => return Ok(Outcome::Unclear(why)),
    };
    let journal = Journal::resumed(work, Some(id));
    if all.is_missing || all.made == 0 {
        return not_made(story, &calling, &journal, (all, at_ms)).await;
    }
    let answered = answer::make(story, work, Some(id), &href, &facts, (&prepared, &all.replies), None).await;
    let answered = match answered {
        Ok(answered) => answered,
        Err(error) => return Ok(Outcome::Unclear(format!("it was made, and cannot be told: {error}"))),
    };
    let mut changes = as_new(story, work, id, answered.changes).await?;
    changes.extend(journal.ended(story, Some(id), &answer::success(work, &answered.document)));
    let accepted = quotes::accept(story, work, &changes).await?;
    changes.extend(accepted);
    let kind = work.duty.kind.name();
    tracing::warn!(
        exchange = story.id.as_str(),
        kind,
        id = id.as_str(),
        "what it made was found and is kept"
    );
    Ok(Outcome::Over(changes))
}

/// Not all of it was made: what was is taken back, and the request may be sent again.
async fn not_made(
    story: &Story<'_>,
    calling: &Calling<'_, '_>,
    journal: &Journal<'_>,
    (all, at_ms): (All, i64),
) -> Result<Outcome, ExchangeError> {
    let sure_ms = at_ms.saturating_add(sure_after_ms(calling.program));
    if story.now_ms() < sure_ms {
        return Ok(Outcome::Early(sure_ms));
    }
    let All { made, mut replies, .. } = all;
    let calls = &calling.program.calls;
    replies.retain(|reply| calls.get(reply.call).is_some_and(|call| call.recover.is_some()));
    let left = call::take_back(story, calling, replies).await.len();
    if left > 0 {
        return Ok(Outcome::Unclear(format!("{made} of its calls were made, {left} cannot be taken back")));
    }
    tracing::warn!(exchange = story.id.as_str(), taken_back = made, "it made nothing: it may be sent again");
    Ok(Outcome::Over(journal.without_effect(story)))
}

fn sure_after_ms(program: &OperationProgram) -> i64 {
    let all = program.calls.iter().filter_map(|call| call.recover.as_deref());
    i64::try_from(all.map(|recover| recover.sure_after_ms).max().unwrap_or_default()).unwrap_or(i64::MAX)
}

/// Where the exchange kept its entity without a document, that one is completed.
async fn as_new(
    story: &Story<'_>,
    work: &Work<'_>,
    id: &SonataId,
    changes: Vec<Change>,
) -> Result<Vec<Change>, ExchangeError> {
    let kind = kind_of(work.duty.kind);
    let Some(known) = story.gateway.store.entity(work.partner.id(), &kind, id).await? else {
        return Ok(changes);
    };
    let changes = changes.into_iter().map(|change| match change {
        Change::Create(entity) if entity.kind == kind && entity.id == *id => {
            Change::Update(Box::new(Entity { version: known.version, ..*entity }))
        }
        other => other,
    });
    Ok(changes.collect())
}

/// The look-ups of one exchange.
struct Looking<'l, 'm> {
    work: &'l Work<'m>,
    id: &'l SonataId,
    calling: &'l Calling<'l, 'm>,
    /// What was replied, by address, where nothing else was sent; none: there is nothing.
    told: BTreeMap<String, Option<Arc<Reply>>>,
}

/// What became of all calls.
struct All {
    /// In order; also of calls that change nothing.
    replies: Vec<Reply>,
    /// Calls that were made.
    made: usize,
    /// Whether one was not.
    is_missing: bool,
}

impl<'m> Looking<'_, 'm> {
    /// What became of all calls, or why nobody can tell.
    async fn all(
        &mut self,
        story: &Story<'_>,
        prepared: &[Prepared<'m>],
    ) -> Result<Result<All, String>, ExchangeError> {
        let mut all = All { replies: Vec::with_capacity(prepared.len()), made: 0, is_missing: false };
        for one in prepared {
            if !one.changes(self.work.duty.act) {
                // It asks: it is asked again, if anything was made of what was answered.
                if !all.is_missing {
                    all.replies.push(call::one(story, self.calling, one, &all.replies).await?);
                }
                continue;
            }
            match self.look(story, one, &all.replies).await? {
                Look::Made(reply) => {
                    all.made += 1;
                    all.replies.push(*reply);
                }
                Look::None => all.is_missing = true,
                Look::Unclear(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(all))
    }

    async fn look(
        &mut self,
        story: &Story<'_>,
        one: &Prepared<'m>,
        earlier: &[Reply],
    ) -> Result<Look, ExchangeError> {
        let call = one.planned.call;
        let unsaid = || format!("the mapping does not say how `{}` is looked up", call.name);
        let Some(recover) = call.recover.as_deref() else { return Ok(Look::Unclear(unsaid())) };
        let Some(find) = recover.find.calls.first() else { return Ok(Look::Unclear(unsaid())) };
        if needs(find).any(|call| earlier.iter().all(|reply| reply.call != call)) {
            // What it would follow was not made.
            return Ok(Look::None);
        }
        let told = self.ask(story, (&recover.find, find), one, earlier).await?;
        let Some(told) = told else { return Ok(Look::None) };
        let Some(document) = &told.document else {
            return Ok(Look::Unclear(format!("the look-up of `{}` is answered with nothing", call.name)));
        };
        let found = match self.found(story, recover, one, document).await? {
            Ok(found) => found,
            Err(look) => return Ok(look),
        };
        let mut reply = match (&recover.read, found) {
            (Some(read), found) => self.read(story, read, one, earlier, &told, found).await?,
            (None, found) => standing_for(&told, found),
        };
        reply.call = one.planned.index;
        reply.item = one.planned.element.map(|(position, _)| position);
        let Some(path) = &call.legacy_id else { return Ok(Look::Made(Box::new(reply))) };
        let id = reply.document.as_ref().and_then(|document| place(path, document.root()));
        match id.and_then(|id| LegacyId::parse(&id).ok()) {
            None => Ok(Look::Unclear(format!("what `{}` made is found without its id", call.name))),
            Some(id) if self.is_known(story, &id, one).await? => {
                Ok(Look::Unclear(format!("what is found for `{}` is another entity's: {id}", call.name)))
            }
            Some(_) => Ok(Look::Made(Box::new(reply))),
        }
    }

    /// Asks the legacy system; none where it says for sure that there is nothing.
    async fn ask(
        &mut self,
        story: &Story<'_>,
        (program, find): (&'m Arc<OperationProgram>, &'m Call),
        one: &Prepared<'m>,
        earlier: &[Reply],
    ) -> Result<Option<Arc<Reply>>, ExchangeError> {
        let planned = [Planned { index: 0, call: find, element: one.planned.element }];
        let asked = self.calling.origin.prepare(&planned)?;
        let missing = || ExchangeError::Internal("there is nothing to ask".to_owned());
        let asked = asked.into_iter().next().ok_or_else(missing)?;
        let element = one.planned.element;
        let address = self.calling.origin.address(&find.target, &asked.query, element, earlier, None)?;
        if let Some(told) = self.told.get(&address).filter(|_| asked.message.is_none()) {
            return Ok(told.clone());
        }
        let is_plain = asked.message.is_none();
        let asked = Prepared { address: Some(address.clone()), ..asked };
        let told = match call::one(story, &self.calling.with(program), &asked, earlier).await {
            Ok(reply) => Some(Arc::new(reply)),
            Err(ExchangeError::LegacyProblem(_)) => None,
            Err(error) => return Err(error),
        };
        if is_plain {
            self.told.insert(address, told.clone());
        }
        Ok(told)
    }

    /// The one thing in a reply that the call made, and that is nobody else's.
    async fn found<'d>(
        &self,
        story: &Story<'_>,
        recover: &Recover,
        one: &Prepared<'m>,
        document: &'d Document,
    ) -> Result<Result<Node<'d>, Look>, ExchangeError> {
        let (root, name) = (document.root(), &one.planned.call.name);
        let unclear = |why: &str| Ok(Err(Look::Unclear(format!("the look-up of `{name}` {why}"))));
        let sent = self.calling.origin.asked(&one.planned);
        let same = |found: Node<'d>| {
            recover.same.iter().all(|(own, other)| {
                let own = own.read(found, root).ok().flatten().and_then(scalar_node);
                let sent = sent.as_ref().map(Document::root);
                let sent = sent.and_then(|sent| scalar_node(other.read(sent, sent).ok()??));
                own.is_some() && own == sent
            })
        };
        let fits =
            |found: Node<'d>| recover.condition.as_ref().is_none_or(|condition| condition.holds(found, root));
        let Some(each) = &recover.each else {
            return match (fits(root), same(root)) {
                (true, true) => Ok(Ok(root)),
                (false, _) => Ok(Err(Look::None)),
                (true, false) => unclear("finds something else than what was sent"),
            };
        };
        let Some(array) = each.array().read(root, root).ok().flatten() else {
            return unclear("is answered without the array of what was found");
        };
        let count = array.elements().count();
        if let Some(total) = &recover.total {
            let said = total.first(root, root).and_then(|node| node.raw().parse::<usize>().ok());
            if said.is_none_or(|said| said > count) {
                return unclear("is not answered in full");
            }
        }
        let mut one_of: Option<Node<'d>> = None;
        for element in array.elements().filter(|element| fits(*element) && same(*element)) {
            let id =
                one.planned.call.legacy_id.as_ref().and_then(|path| path.read(element, root).ok().flatten());
            let id = id.and_then(scalar_node).and_then(|id| LegacyId::parse(&id).ok());
            let is_known = match id {
                Some(id) => self.is_known(story, &id, one).await?,
                None => false,
            };
            if is_known {
                continue;
            }
            if one_of.replace(element).is_some() {
                return unclear("finds several");
            }
        }
        Ok(one_of.ok_or(Look::None))
    }

    /// Whether a legacy id is that of something that a partner has already, by another exchange.
    async fn is_known(
        &self,
        story: &Story<'_>,
        legacy: &LegacyId,
        one: &Prepared<'m>,
    ) -> Result<bool, ExchangeError> {
        let duty = self.work.duty;
        let items = duty.kind.facts().items.filter(|_| one.planned.element.is_some());
        let kind = items.map_or_else(|| kind_of(duty.kind), Kind::new);
        for partner in story.plan.partners() {
            let wanted = vec![(kind.clone(), legacy.clone())];
            let found = story.gateway.store.to_sonata(partner.id(), &self.work.backend.id, wanted).await?;
            let is_own =
                |id: &SonataId| id == self.id || item_of(id).is_some_and(|(entity, _)| entity == *self.id);
            if found.values().any(|id| !is_own(id)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn read(
        &self,
        story: &Story<'_>,
        read: &'m Arc<OperationProgram>,
        one: &Prepared<'m>,
        earlier: &[Reply],
        told: &Reply,
        found: Node<'_>,
    ) -> Result<Reply, ExchangeError> {
        let missing = || ExchangeError::Internal("there is nothing to read".to_owned());
        let call = read.calls.first().ok_or_else(missing)?;
        let own = standing_for(told, found);
        let element = one.planned.element;
        let address = self.calling.origin.address(&call.target, &[], element, earlier, Some(&own))?;
        let planned = Planned { index: 0, call, element };
        let asked = Prepared {
            planned,
            message: None,
            address: Some(address),
            query: Vec::new(),
            headers: Vec::new(),
            keys: Vec::new(),
        };
        call::one(story, &self.calling.with(read), &asked, earlier).await
    }
}

/// What was found, as if it were the reply.
fn standing_for(told: &Reply, found: Node<'_>) -> Reply {
    let document = Document::of(found);
    Reply {
        call: 0,
        item: None,
        status: told.status,
        headers: Headers::default(),
        raw: document.bytes(),
        text: None,
        document: Some(document),
        query: Vec::new(),
        path: Vec::new(),
    }
}

/// The calls whose replies an address names.
fn needs(call: &Call) -> impl Iterator<Item = usize> {
    parts(&call.target).filter_map(|part| match part {
        TemplatePart::Reply { call: Some(call), .. } => Some(*call),
        _ => None,
    })
}
