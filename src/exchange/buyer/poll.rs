//! What was bought is asked for where its Seller has no hub (`polling:` of the partner), and told as an event would be.
//!
//! One task for each thing, made in the commit that keeps it, so that a crash forgets none. What is told is a change of its
//! state or of that of one of its items against what is kept; the kept is changed in the commit that postpones the task, so
//! nothing is told twice unless that commit was lost.

use std::sync::Arc;

use super::{
    super::{error::ExchangeError, follow::is_final, request::Received, story::Story, tasks::End},
    ask::ask,
    keep::Keeping,
    message::{self, Parties, Way},
    news,
};
use crate::{
    custody::kind_of,
    ids::{SonataId, TaskId},
    json::{Document, Node},
    plan::PartnerPlan,
    sonata::entity::EntityKind,
    store::{Change, Queue, Task},
};

/// What the payload of such a task is.
const MARK: &[u8] = b"bought";

/// The task that follows what was bought; none where its Seller tells by itself, nobody is to be told, or it is done.
pub fn following(story: &Story<'_>, way: &Way<'_>, id: &SonataId, document: &Document) -> Option<Change> {
    let (partner, kind) = (way.partner, way.exposer.duty.kind);
    let polling = partner.settings().polling.as_ref()?;
    news::notifier_of(partner, kind)?;
    if is_final(kind, document, None) {
        return None;
    }
    let (task, now_ms) = (story.gateway.ports.ids.next().hyphenated().to_string(), story.now_ms());
    let task = TaskId::parse(&task).ok()?;
    let task = Task::new(
        task,
        partner.id().clone(),
        Queue::Poll,
        news::lane(id),
        now_ms,
        bytes::Bytes::from_static(MARK),
    );
    let (due_ms, subject) = (now_ms.saturating_add(ms(polling.every)), Some((kind_of(kind), id.clone())));
    Some(Change::Schedule(Box::new(Task { subject, due_ms, ..task })))
}

fn ms(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// What a task is about, where it is such a task.
pub fn about(task: &Task) -> Option<(EntityKind, &SonataId)> {
    let (kind, id) = task.subject.as_ref().filter(|_| task.payload == MARK)?;
    Some((EntityKind::parse(kind.as_str())?, id))
}

/// Asks how something stands, and tells what changed.
///
/// # Errors
/// Our procurement system could not be told: it is told again.
pub async fn run(
    story: &mut Story<'_>,
    partner: &Arc<PartnerPlan>,
    (kind, id): (EntityKind, &SonataId),
    task: &Task,
) -> Result<End, ExchangeError> {
    let plan = Arc::clone(&story.plan);
    let (Some(polling), Some(notifier)) =
        (partner.settings().polling.as_ref(), news::notifier_of(partner, kind))
    else {
        // It tells by itself by now, or nobody wants to know.
        return Ok(End::Settled(Vec::new()));
    };
    let Some(way) = message::way_to(&plan, partner, &notifier.exposer) else {
        return Ok(End::Dead("the procurement system or the endpoint is not configured any more".to_owned()));
    };
    let Some(kept) = story.gateway.store.entity(partner.id(), &kind_of(kind), id).await? else {
        return Ok(End::Settled(Vec::new()));
    };
    let later = story.now_ms().saturating_add(ms(polling.every));
    let is_late = story.now_ms().saturating_sub(task.made_ms) >= ms(polling.give_up);
    let made = message::look_up(&way, id, &Parties::of(&kept))?;
    let asked = match ask(story, &way, &made).await {
        Ok(asked) => asked,
        Err(error) if is_late => return Ok(End::Dead(format!("given up; last: {error}"))),
        Err(error) => {
            tracing::warn!(id = id.as_str(), %error, "the Seller could not be asked for it; asked again");
            return Ok(End::Later(later, Vec::new()));
        }
    };
    let before =
        kept.document.as_deref().and_then(|bytes| Document::from_text(&String::from_utf8_lossy(bytes)).ok());
    let is_news = states(kind, before.as_ref()) != states(kind, asked.document.as_ref());
    if is_news {
        let status = news::tell_of(story, (&way, notifier), &asked, id).await?;
        if !status.is_success() {
            return news::not_heard(status, notifier, id);
        }
    }
    let changes =
        Keeping::new(&way, &Received::nothing(), &made).entity(story, Some(id), &asked, &made).await?;
    let is_done = asked.document.as_ref().is_some_and(|document| is_final(kind, document, None));
    Ok(match (is_done, is_late && !is_news) {
        (true, _) => End::Settled(changes),
        (false, true) => End::Dead("given up: it is not done".to_owned()),
        (false, false) => End::Later(later, changes),
    })
}

/// The state of something, and those of its items.
fn states(kind: EntityKind, document: Option<&Document>) -> Option<Vec<Option<String>>> {
    let (root, facts) = (document?.root(), kind.facts());
    let state = |node: Node<'_>| {
        facts.state.and_then(|name| node.get(name)?.as_str().map(std::borrow::Cow::into_owned))
    };
    let items = facts.items.and_then(|name| root.get(name)).into_iter().flat_map(Node::elements);
    // Items come in any order.
    let mut of_items: Vec<_> = items
        .map(|item| {
            let id = item.get("id").and_then(Node::as_str).unwrap_or_default();
            Some(format!("{id} {}", state(item).unwrap_or_default()))
        })
        .collect();
    of_items.sort_unstable();
    Some(std::iter::once(state(root)).chain(of_items).collect())
}
