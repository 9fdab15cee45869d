//! What happens by itself when its time has come: a quote whose `validFor` is over expires (MEF 115, section 6).
//!
//! The time stands in the entity, and a durable task with the store: each change of the entity sets the task anew where
//! the time differs. What the task finds decides, not what it was made for.

use bytes::Bytes;
use jiff::Timestamp;

use super::{error::ExchangeError, report::Changed, story::Story};
use crate::{
    custody::kind_of,
    ids::{PartnerId, TaskId},
    json::{Document, Node},
    sonata::entity::EntityKind,
    store::{Change, Queue, Task},
};

/// A state that is left by itself at a time that the entity names.
struct Row {
    kind: EntityKind,
    /// States that are left.
    from: &'static [&'static str],
    /// Members from the entity to the time.
    at: &'static [&'static str],
    /// The state that follows.
    to: &'static str,
}

static ROWS: [Row; 1] = [Row {
    kind: EntityKind::Quote,
    from: &["approved.orderable", "approved.orderableAlternate", "answered"],
    at: &["validFor", "endDateTime"],
    to: "expired",
}];

/// What an entity becomes by itself, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The time, in milliseconds since 1970.
    pub at_ms: i64,
    /// The state.
    pub to: &'static str,
}

/// What an entity becomes by itself, and when; none where nothing happens by itself.
pub fn due(kind: EntityKind, document: &Document) -> Option<Due> {
    let root = document.root();
    let state = root.get(kind.facts().state?)?.as_str()?;
    let row = ROWS.iter().find(|row| row.kind == kind && row.from.contains(&&*state))?;
    let at = row.at.iter().try_fold(root, |node, member| node.get(member))?;
    let at: Timestamp = at.as_str()?.parse().ok()?;
    Some(Due { at_ms: at.as_millisecond(), to: row.to })
}

/// What sets the timer of an entity that changed; nothing where its time did not.
pub fn set(story: &Story<'_>, partner: &PartnerId, changed: &Changed<'_>) -> Vec<Change> {
    let of = |document: Option<&Document>| due(changed.kind, document?);
    let (before, after) = (of(changed.before), of(changed.after));
    if before == after {
        return Vec::new();
    }
    let (kind, id) = (kind_of(changed.kind), changed.entity.id.clone());
    let mut changes = Vec::new();
    if before.is_some() {
        changes.push(Change::Unschedule { queue: Queue::Timer, kind: kind.clone(), id: id.clone() });
    }
    let at = after.map(|due| due.at_ms.to_string()).unwrap_or_default();
    let purpose = ["timer", kind.as_str(), id.as_str(), &at];
    if let (Some(due), Ok(task)) = (after, task_id(story, &purpose)) {
        let lane = format!("{}/{id}", kind.as_str());
        let task = Task::new(task, partner.clone(), Queue::Timer, lane, story.now_ms(), Bytes::new());
        let task = Task { due_ms: due.at_ms, subject: Some((kind, id)), ..task };
        changes.push(Change::Schedule(Box::new(task)));
    }
    changes
}

/// The id of a task of this exchange. It follows from what the task is for, and takes no identifier that a case counts.
///
/// # Errors
/// None in practice: a UUID is within the bounds of an id.
pub fn task_id(story: &Story<'_>, purpose: &[&str]) -> Result<TaskId, ExchangeError> {
    id_of(purpose.iter().copied().chain([story.id.as_str()]))
}

/// The id that follows from these texts.
///
/// # Errors
/// As [`task_id`].
pub fn id_of<'p>(parts: impl Iterator<Item = &'p str>) -> Result<TaskId, ExchangeError> {
    let mut text = Vec::with_capacity(128);
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    let bytes = blake3::hash(&text).as_bytes().first_chunk().copied().unwrap_or_default();
    let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
    TaskId::parse(&id.hyphenated().to_string()).map_err(|error| ExchangeError::Internal(error.to_string()))
}

/// Whether the time of an entity is over, so that it is in fact in the state that follows, whether or not its timer has
/// run yet.
pub fn is_over(kind: EntityKind, entity: Node<'_>, now: Timestamp) -> bool {
    due(kind, &Document::of(entity)).is_some_and(|due| due.at_ms <= now.as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_states_that_may_expire_have_a_time() {
        let rows = [
            (r#"{"state":"approved.orderable","validFor":{"endDateTime":"2026-10-01T00:00:00Z"}}"#, true),
            (r#"{"state":"answered","validFor":{"endDateTime":"2026-10-01T00:00:00+02:00"}}"#, true),
            (r#"{"state":"accepted","validFor":{"endDateTime":"2026-10-01T00:00:00Z"}}"#, false),
            (r#"{"state":"approved.orderable","validFor":{"endDateTime":"soon"}}"#, false),
            (r#"{"state":"approved.orderable"}"#, false),
        ];
        for (text, expected) in rows {
            let document = Document::from_text(text).unwrap();
            assert_eq!(due(EntityKind::Quote, &document).is_some(), expected, "{text}");
            let (early, late) =
                ("2026-09-01T00:00:00Z".parse().unwrap(), "2026-11-01T00:00:00Z".parse().unwrap());
            assert!(!is_over(EntityKind::Quote, document.root(), early));
            assert_eq!(is_over(EntityKind::Quote, document.root(), late), expected, "{text}");
            assert_eq!(due(EntityKind::ProductOrder, &document), None);
        }
        for row in &ROWS {
            let machine = crate::sonata::state::machine(row.kind.facts().machines.0).unwrap();
            let known = row.from.iter().filter(|from| machine.has(from));
            assert!(known.clone().count() > 0 && known.clone().all(|from| machine.may_move(from, row.to)));
        }
    }
}
