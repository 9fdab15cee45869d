//! A Buyer that wants its answer at once (`instantSyncQuote`, `instantSyncQualification`) is never told to wait: the standard
//! knows no state for that (section 4 of the digest; MEF 115, MEF 87 R24).
//!
//! A legacy system that takes its time is asked again while the exchange may last, as `complete:` says. What is not there by
//! then cannot be provided: the Buyer is told so, what was reserved is given back (`expires:`), and what the legacy system
//! says of it later changes nothing.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{call::legacy_id, follow, reply::Reply, story::Story, subject::Subject, work::Work};
use crate::{
    ids::{LegacyId, SonataId},
    json::{Builder, Document, Node},
    mapping::operation::{Answer, OperationProgram},
    plan::MappedOperation,
    sonata::entity::{Act, EntityKind},
};

/// Time until it is asked again first, in milliseconds; twice as long after each time.
const PAUSE_MS_MIN: u64 = 100;

/// The longest time between two askings, in milliseconds.
const PAUSE_MS_MAX: u64 = 2000;

/// Of the time that an exchange may take, what is left for the answer: so many parts of a hundred.
const LEFT_PERCENT: u32 = 10;

/// States in which a request is worked on.
const OPEN: [&str; 3] = ["acknowledged", "inProgress", "inProgress.draft"];

/// A kind that may be asked for at once.
pub struct Row {
    kind: EntityKind,
    /// The member of the request that says so.
    asked: &'static str,
    /// What it is, and each of its items, where there is no answer.
    unanswered: &'static str,
}

static ROWS: [Row; 2] = [
    Row { kind: EntityKind::Quote, asked: "instantSyncQuote", unanswered: "unableToProvide" },
    Row {
        kind: EntityKind::ProductOfferingQualification,
        asked: "instantSyncQualification",
        unanswered: "terminatedWithError",
    },
];

/// What a request is that wants its answer at once; none of all others.
pub fn wanted(work: &Work<'_>) -> Option<&'static Row> {
    let row = ROWS.iter().find(|row| row.kind == work.duty.kind && work.duty.act == Act::Create)?;
    let asked = work.received.body.as_ref()?.root().get(row.asked)?;
    (asked.as_bool() == Some(true)).then_some(row)
}

/// Whether an answer says that it is to come.
pub fn is_open(row: &Row, document: &Document) -> bool {
    let state = row.kind.facts().state.and_then(|name| document.root().get(name));
    state.is_some_and(|state| OPEN.iter().any(|open| state.is_text(open)))
}

/// Whether what a legacy system says of an entity comes after its end: nothing is reserved for it any more.
pub fn is_late(kind: EntityKind, kept: Option<&Document>, said: Option<&Document>) -> bool {
    let Some(row) = ROWS.iter().find(|row| row.kind == kind) else { return false };
    let state = |document: Option<&Document>| {
        let state = document?.root().get(row.kind.facts().state?)?;
        state.as_str().map(std::borrow::Cow::into_owned)
    };
    let (kept, said) = (state(kept), state(said));
    kept.as_deref() == Some(row.unanswered) && said.is_some() && said != kept
}

/// The message that nothing can be said in time.
pub fn unanswered(row: &Row, work: &Work<'_>) -> Document {
    let mut builder = Builder::new();
    let root = builder.object();
    let facts = row.kind.facts();
    let own = builder.string(row.unanswered);
    builder.set(root, facts.state.unwrap_or("state"), own);
    if let Some(name) = facts.items {
        let items = builder.array();
        let asked = work.received.body.as_ref().and_then(|body| body.root().get(name));
        for id in asked.into_iter().flat_map(Node::elements).filter_map(|item| item.get("id")) {
            let item = builder.object();
            let (id, state) = (builder.copy(id), builder.string(row.unanswered));
            builder.set(item, "id", id);
            builder.set(item, "state", state);
            let errors = builder.array();
            let error = builder.object();
            let (code, value) = (builder.string("otherIssue"), builder.string("No answer in time."));
            builder.set(error, "code", code);
            builder.set(error, "value", value);
            builder.push(errors, error);
            builder.set(item, "terminationError", errors);
            builder.push(items, item);
        }
        builder.set(root, name, items);
    }
    builder.finish(root)
}

/// The last reply about something that was asked for at once, and how it is read where that differs; none where the first
/// one says all, or there is nothing to ask by.
pub async fn wait(
    story: &Story<'_>,
    work: &Work<'_>,
    id: Option<&SonataId>,
    replies: &[Reply],
) -> Option<(Reply, Arc<OperationProgram>)> {
    wanted(work)?;
    let (program, last) = (&work.operation.program, replies.last()?);
    let complete = program.complete.as_ref().filter(|complete| !complete.each_item)?;
    if follow::is_last(complete, last) {
        return None;
    }
    let legacy = LegacyId::parse(&legacy_id(program, last)?).ok()?;
    let subject = Subject::named(work.duty.kind, id?.clone(), legacy, &work.backend.id);
    let (mut turns, mut found) = (Turns::of(story, PAUSE_MS_MIN), None);
    while turns.next().await {
        let way = (work.operation, work.backend, work.home);
        match follow::ask(story, work.partner, &subject, way, (&complete.poll, None)).await {
            Ok(reply) => {
                let is_last = follow::is_last(complete, &reply);
                found = Some((reply, Arc::clone(&complete.poll)));
                if is_last {
                    return found;
                }
            }
            Err(error) => tracing::debug!(%error, "what was asked for at once could not be asked for again"),
        }
    }
    found
}

/// The moments at which something that takes its time is asked for again while an exchange waits for it.
pub struct Turns {
    until: Instant,
    pause: Duration,
}

impl Turns {
    /// Those that are left to an exchange, with time for its answer. The first is after so many milliseconds.
    pub fn of(story: &Story<'_>, pause_ms_min: u64) -> Self {
        let whole = story.moment.deadline.duration_since(story.moment.started);
        let until = story.moment.deadline - whole * LEFT_PERCENT / 100;
        Self { until, pause: Duration::from_millis(pause_ms_min) }
    }

    /// Waits for the next; false where there is none any more.
    pub async fn next(&mut self) -> bool {
        let next = Instant::now() + self.pause;
        if next >= self.until {
            return false;
        }
        sleep_until(next).await;
        self.pause = (self.pause * 2).min(Duration::from_millis(PAUSE_MS_MAX));
        true
    }
}

/// The operation, with the reply of an asking read as its own.
pub fn read_as(operation: &MappedOperation, poll: &OperationProgram) -> MappedOperation {
    let own = &operation.program;
    let answer: Answer = poll.answer.clone();
    let program = Arc::new(OperationProgram { answer, ..OperationProgram::clone(own) });
    MappedOperation { program, ..operation.clone() }
}

/// Says that what was wanted at once is not there in time.
pub fn tell(story: &mut Story<'_>, work: &Work<'_>) {
    let kind = work.duty.kind.name();
    story.finding("late", &format!("a {kind} was wanted at once and is not there: it cannot be provided"));
}
