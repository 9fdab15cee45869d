//! Lists that legacy systems are asked for again and again: `watch:` in the mappings.
//!
//! A list is asked for once, whoever of the partners its rows speak of, so what it needs belongs to nobody of them: under
//! `house` the store has an entity for each watch, with the cursor, and a task that asks. A row goes the way of a message
//! that a legacy system sends by itself. The cursor is kept when every row of the reply is: what a crash leaves is read
//! again, and what was kept by then changes nothing. A row that cannot be understood is a task of its own, which ends as a
//! dead one, so that the others need not wait and the row can be taken in once the mapping is mended.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, uri::PathAndQuery};
use serde::{Deserialize, Serialize};

use super::{
    Gateway,
    calls::{SEGMENT, append_query},
    concerned::Concerned,
    error::ExchangeError,
    facts::scalar_node,
    news::{Element, Message, Telling, as_reply},
    receive,
    reply::Reply,
    request::json_limits,
    story::Story,
    tasks::{End, pause_ms},
};
use crate::{
    format,
    ids::{PartnerId, SonataId, TaskId},
    json::Document,
    legacy::{BackendSettings, LegacyRequest},
    mapping::{
        news::Watch,
        operation::{Template, TemplatePart},
        path::{Part, Step},
    },
    plan::{PartnerPlan, Plan, Watcher},
    store::{Batch, Change, Entity, Kind, Lease, Queue, Store, StoreError, Task},
};

/// Longest cursor, in bytes; a longer one is none.
const CURSOR_BYTES_MAX: usize = 4096;

/// Largest reply that is kept whole with a row that is not understood, in bytes; of a larger one only the row is.
const WHOLE_BYTES_MAX: usize = 64 * 1024;

/// The kind of what is kept of a watch.
const KIND: &str = "watch";

/// Somebody asks.
const ON: &str = "on";

/// Nobody does: no mapping has it any more.
const OFF: &str = "off";

/// Which list of which legacy system, as which mapping set has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Key {
    backend: String,
    set: String,
    watch: String,
}

/// What is kept of a watch.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    /// By what is asked next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// A row that could not be understood when it came.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    watch: Key,
    /// The reply that has it, as a document; or the row alone.
    reply: String,
    /// Its place there; none: all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

/// Whose what belongs to no partner is. No file can have this name.
///
/// # Errors
/// None: the name is within the bounds of one.
fn house() -> Result<PartnerId, ExchangeError> {
    PartnerId::parse("/").map_err(|error| ExchangeError::Internal(error.to_string()))
}

/// Whether a task is one of ours, and no partner's.
pub fn is_ours(task: &Task) -> bool {
    house().is_ok_and(|house| task.partner == house)
}

impl Key {
    fn hash(&self, more: &[&[u8]]) -> String {
        let mut hasher = blake3::Hasher::new();
        let own = [self.backend.as_bytes(), self.set.as_bytes(), self.watch.as_bytes()];
        for part in own.iter().chain(more) {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let mut bytes = [0; 16];
        hasher.finalize_xof().fill(&mut bytes);
        uuid::Builder::from_custom_bytes(bytes).into_uuid().hyphenated().to_string()
    }

    fn id(&self) -> Result<SonataId, ExchangeError> {
        SonataId::parse(&self.hash(&[])).map_err(|error| ExchangeError::Internal(error.to_string()))
    }

    /// The task that asks, for the so many-th time.
    fn task(&self, made_ms: i64, due_ms: i64, turn: u64) -> Result<Task, ExchangeError> {
        let internal = |error: String| ExchangeError::Internal(error);
        let id = TaskId::parse(&self.hash(&[b"ask", &turn.to_le_bytes()]));
        let id = id.map_err(|error| internal(error.to_string()))?;
        let payload = serde_json::to_vec(self).map_err(|error| internal(error.to_string()))?;
        let lane = format!("{KIND}/{}", self.id()?);
        let task = Task::new(id, house()?, Queue::Poll, lane, made_ms, Bytes::from(payload));
        Ok(Task { due_ms, subject: Some((Kind::new(KIND), self.id()?)), ..task })
    }
}

/// Who asks and who is told: the partners whose mappings watch a list, and the backend.
fn watched<'p>(plan: &'p Plan, key: &Key) -> Vec<(&'p Arc<PartnerPlan>, &'p Watcher, &'p BackendSettings)> {
    let mut all = Vec::new();
    for partner in plan.shared_partners() {
        for watcher in partner.watchers() {
            let is_it = *watcher.set == *key.set && *watcher.watch.name == *key.watch;
            let backend = watcher.backends.iter().find(|id| is_it && id.as_str() == key.backend);
            all.extend(backend.and_then(|id| Some((partner, watcher, &**plan.backend(id)?))));
        }
    }
    all
}

/// Sees to it that every list that a plan watches is asked for; asked by every instance at its start and after a reload.
///
/// # Errors
/// The store's.
pub async fn begin(store: &Store, plan: &Plan, now_ms: i64) -> Result<(), ExchangeError> {
    let mut keys = BTreeSet::new();
    for partner in plan.shared_partners() {
        for watcher in partner.watchers() {
            for backend in &watcher.backends {
                let (set, watch) = (watcher.set.to_string(), watcher.watch.name.to_string());
                keys.insert(Key { backend: backend.as_str().to_owned(), set, watch });
            }
        }
    }
    for key in keys {
        let known = store.entity(&house()?, &Kind::new(KIND), &key.id()?).await?;
        let change = match known {
            Some(entity) if entity.state.as_deref() == Some(ON) => continue,
            Some(entity) => Change::Update(Box::new(Entity { state: Some(ON.to_owned()), ..entity })),
            None => {
                let entity = Entity::new(Kind::new(KIND), key.id()?, now_ms);
                Change::Create(Box::new(Entity { state: Some(ON.to_owned()), ..entity }))
            }
        };
        let turn = u64::try_from(now_ms).unwrap_or_default();
        let task = key.task(now_ms, now_ms, turn)?;
        let batch = Batch::new(house()?).with(change).with(Change::Schedule(Box::new(task)));
        match store.commit(batch).await {
            // Another instance was first.
            Ok(()) | Err(StoreError::Conflict(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What one asking came to.
struct Asked {
    rows: usize,
    told: usize,
    /// By what is asked next; none: the reply did not say.
    cursor: Option<String>,
    every_ms: u64,
}

/// Asks for a list once.
pub async fn run(gateway: &Gateway, lease: Lease, task: Task) {
    if let Err(error) = asked(gateway, &lease, &task).await {
        match error {
            // Somebody else has it by now.
            ExchangeError::Store(StoreError::Conflict(_)) => {}
            error => {
                tracing::warn!(%error, "what a watched list told could not be kept; it is asked for again");
            }
        }
    }
}

async fn asked(gateway: &Gateway, lease: &Lease, task: &Task) -> Result<(), ExchangeError> {
    let house = house()?;
    let commit = async |change: Vec<Change>| {
        let batch = Batch { partner: house.clone(), changes: change };
        gateway.store.commit(batch).await.map_err(ExchangeError::from)
    };
    let Ok(key) = serde_json::from_slice::<Key>(&task.payload) else {
        return commit(vec![Change::Settle { lease: lease.clone() }]).await;
    };
    let now_ms = gateway.ports.clock.now().as_millisecond();
    let Some(entity) = gateway.store.entity(&house, &Kind::new(KIND), &key.id()?).await? else {
        return commit(vec![Change::Settle { lease: lease.clone() }]).await;
    };
    let plan = gateway.plan.load();
    if watched(&plan, &key).is_empty() {
        tracing::info!(backend = key.backend, watch = key.watch, "not watched any more");
        let entity = Entity { state: Some(OFF.to_owned()), updated_ms: now_ms, ..entity };
        let off = Change::Update(Box::new(entity));
        return commit(vec![off, Change::Settle { lease: lease.clone() }]).await;
    }
    let kept: Kept =
        entity.document.as_deref().and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
    match ask(gateway, &plan, &key, kept.cursor.as_deref()).await {
        Ok(asked) => {
            let has_moved = asked.cursor.is_some() && asked.cursor != kept.cursor;
            // There may be more behind what was told.
            let pause_ms = if has_moved && asked.rows > 0 { 0 } else { asked.every_ms };
            let (rows, told) = (asked.rows, asked.told);
            tracing::debug!(backend = key.backend, watch = key.watch, rows, told, "asked for");
            let now_ms = gateway.ports.clock.now().as_millisecond();
            let due_ms = now_ms.saturating_add(i64::try_from(pause_ms).unwrap_or(i64::MAX));
            let cursor = asked.cursor.or(kept.cursor);
            let document = serde_json::to_vec(&Kept { cursor }).map_err(|error| unwritten(&error))?;
            let version = entity.version;
            let entity = Entity { document: Some(Bytes::from(document)), updated_ms: now_ms, ..entity };
            let next = key.task(now_ms, due_ms, version)?;
            let ended = Change::Settle { lease: lease.clone() };
            commit(vec![Change::Update(Box::new(entity)), ended, Change::Schedule(Box::new(next))]).await
        }
        Err(error) => {
            tracing::warn!(backend = key.backend, watch = key.watch, %error, "a watched list is not to be had");
            let due_ms = now_ms.saturating_add(pause_ms(task));
            let note = Some(error.to_string());
            commit(vec![Change::Postpone { lease: lease.clone(), due_ms, note }]).await
        }
    }
}

fn unwritten(error: &serde_json::Error) -> ExchangeError {
    ExchangeError::Internal(error.to_string())
}

/// Asks, and keeps what every row says.
async fn ask(
    gateway: &Gateway,
    plan: &Arc<Plan>,
    key: &Key,
    cursor: Option<&str>,
) -> Result<Asked, ExchangeError> {
    let (head, ()) = Request::new(()).into_parts();
    let mut story = Story::begin(gateway, &head);
    story.is_ours();
    let all = watched(plan, key);
    let gone = || ExchangeError::Internal("nobody watches this".to_owned());
    let (_, watcher, backend) = *all.first().ok_or_else(gone)?;
    let watch = &watcher.watch;
    let reply = call(&story, watcher, backend, cursor).await?;
    let mut asked = Asked { rows: 0, told: 0, cursor: next(watch, &reply), every_ms: watch.every_ms };
    let messages: Vec<_> =
        all.iter().map(|(partner, watcher, backend)| message(partner, watcher, backend, &reply)).collect();
    let concerned = Concerned::by(&gateway.store, &messages).await?;
    for ((partner, watcher, _), message) in all.into_iter().zip(messages) {
        receive::meant_for(&mut story, partner, &watcher.understanding);
        let mut elements = receive::elements(&message);
        asked.rows = elements.len();
        elements.retain(|element| concerned.concerns(&message, *element));
        for element in elements {
            match receive::one(&mut story, &message, element).await {
                Ok(done) => asked.told += done.told,
                Err(error @ (ExchangeError::Store(_) | ExchangeError::Panicked(_))) => return Err(error),
                Err(error) => {
                    tracing::warn!(backend = key.backend, watch = key.watch, %error, "a row is not understood");
                    not_understood(&mut story, partner, key, &reply, element).await?;
                }
            }
        }
    }
    Ok(asked)
}

fn message<'m>(
    partner: &'m PartnerPlan,
    watcher: &'m Watcher,
    backend: &'m BackendSettings,
    reply: &'m Reply,
) -> Message<'m> {
    let (news, understanding) = (&watcher.watch.news, &watcher.understanding);
    let (items, program) = (news.items.as_deref(), &*news.program);
    Message {
        telling: Telling { partner, understanding, items, program, backend, reply, creates: news.creates },
        news,
    }
}

/// Keeps a row for people: it is tried once more on its own, and then dead.
async fn not_understood(
    story: &mut Story<'_>,
    partner: &PartnerPlan,
    key: &Key,
    reply: &Reply,
    element: Element<'_>,
) -> Result<(), ExchangeError> {
    let now_ms = story.now_ms();
    let document = reply.document.as_ref().map(Document::bytes).unwrap_or_default();
    let (reply, index) = match element {
        Some((_, row)) if document.len() > WHOLE_BYTES_MAX => (row.raw().to_owned(), None),
        element => (String::from_utf8_lossy(&document).into_owned(), element.map(|(index, _)| index)),
    };
    let id = TaskId::parse(&story.gateway.ports.ids.next().to_string());
    let id = id.map_err(|error| ExchangeError::Internal(error.to_string()))?;
    let payload =
        serde_json::to_vec(&Row { watch: key.clone(), reply, index }).map_err(|error| unwritten(&error))?;
    let lane = format!("{KIND}/{id}");
    let task = Task::new(id, partner.id().clone(), Queue::Poll, lane, now_ms, Bytes::from(payload));
    let batch = Batch::new(partner.id().clone()).with(Change::Schedule(Box::new(task)));
    Ok(story.gateway.store.commit(batch).await?)
}

/// Takes in a row that was kept for people.
///
/// # Errors
/// The store's.
pub async fn row(
    story: &mut Story<'_>,
    partner: &Arc<PartnerPlan>,
    task: &Task,
) -> Result<End, ExchangeError> {
    let Ok(Row { watch, reply, index }) = serde_json::from_slice(&task.payload) else {
        return Ok(End::Dead("the task says nothing that is understood".to_owned()));
    };
    let plan = Arc::clone(&story.plan);
    let own = watched(&plan, &watch).into_iter().find(|(own, ..)| own.id() == partner.id());
    let Some((_, watcher, backend)) = own else {
        return Ok(End::Dead("the mapping does not watch this any more".to_owned()));
    };
    let limits = json_limits(&plan.settings().gateway.limits);
    let Ok(document) = Document::parse(Bytes::from(reply), &limits) else {
        return Ok(End::Dead("the row cannot be read".to_owned()));
    };
    let raw = document.bytes();
    let pairs = (Vec::new(), Vec::new());
    let reply = as_reply(HeaderMap::new(), (None, &raw), Some(document.clone()), pairs);
    let message = message(partner, watcher, backend, &reply);
    receive::meant_for(story, partner, &watcher.understanding);
    let element = match index {
        None => message.news.each.as_ref().map(|_| (0, document.root())),
        Some(index) => receive::elements(&message).into_iter().nth(index).flatten(),
    };
    match receive::one(story, &message, element).await {
        Ok(_) => Ok(End::Settled(Vec::new())),
        Err(error @ (ExchangeError::Store(_) | ExchangeError::Panicked(_))) => Err(error),
        Err(error) => Ok(End::Dead(format!("a row of `{}` is not understood: {error}", watch.watch))),
    }
}

/// Asks once.
async fn call(
    story: &Story<'_>,
    watcher: &Watcher,
    backend: &BackendSettings,
    cursor: Option<&str>,
) -> Result<Reply, ExchangeError> {
    let watch = &watcher.watch;
    let internal = |what: &str| ExchangeError::Internal(format!("watch `{}`: {what}", watch.name));
    let address = address(watch, cursor.or(watch.from.as_deref()));
    let request = LegacyRequest {
        method: Method::GET,
        path_and_query: PathAndQuery::try_from(address).map_err(|_| internal("no address"))?,
        headers: HeaderMap::new(),
        body: None,
    };
    let answer = story.gateway.legacy.call(backend, request, story.moment.deadline).await;
    let name = || watch.name.to_string();
    let answer = answer.map_err(|error| ExchangeError::Legacy { call: name(), error })?;
    let garbage = |detail: String| ExchangeError::LegacyGarbage { call: name(), detail };
    if !answer.status.is_success() {
        return Err(garbage(format!("status {}", answer.status.as_u16())));
    }
    let names = &watcher.understanding.mapped.names;
    let limits = json_limits(&story.plan.settings().gateway.limits);
    let incoming = format::decode(&backend.format, names, (answer.content_type(), &answer.body), &limits);
    let incoming = incoming.map_err(|error| garbage(error.to_string()))?;
    let array = watch.news.each.as_ref().map(|each| {
        let root = incoming.document.as_ref().map(Document::root);
        root.and_then(|root| each.array().read(root, root).ok().flatten())
    });
    if matches!(array, Some(None)) {
        return Err(garbage("no list where `each` has it".to_owned()));
    }
    let content_type = answer.content_type().map(str::to_owned);
    let pairs = (Vec::new(), Vec::new());
    Ok(as_reply(answer.headers, (content_type.as_deref(), &answer.body), incoming.document, pairs))
}

/// The address, with the cursor in it; parameters with one are left out where there is none.
fn address(watch: &Watch, cursor: Option<&str>) -> String {
    let fill = |template: &Template| -> Option<String> {
        let mut text = String::new();
        for part in template {
            match part {
                TemplatePart::Literal(literal) => text.push_str(literal),
                _ => text.push_str(cursor?),
            }
        }
        Some(text)
    };
    let mut address = String::new();
    for part in &watch.call.target.path {
        match part {
            TemplatePart::Literal(text) => address.push_str(text),
            _ => address.extend(percent_encoding::utf8_percent_encode(cursor.unwrap_or_default(), SEGMENT)),
        }
    }
    let query = watch.call.target.query.iter();
    let pairs: Vec<_> =
        query.filter_map(|(name, template)| Some((name.to_string(), fill(template)?))).collect();
    append_query(&mut address, pairs.iter());
    address
}

/// By what a reply says that is to be asked next.
fn next(watch: &Watch, reply: &Reply) -> Option<String> {
    let path = watch.cursor.as_ref()?;
    let text = if path.part == Part::Header {
        let name = path.steps.first()?;
        let mut headers = reply.headers.iter();
        let own = |key: &str| matches!(name, Step::Member(name) if key.eq_ignore_ascii_case(name));
        headers.find(|(key, _)| own(key)).map(|(_, value)| value.to_owned())
    } else {
        let root = reply.document.as_ref()?.root();
        path.read(root, root).ok()?.and_then(scalar_node).map(std::borrow::Cow::into_owned)
    };
    text.filter(|text| !text.is_empty() && text.len() <= CURSOR_BYTES_MAX)
}
