//! What is on disk before and after a call that changes something.
//!
//! Before the first such call the intent is committed; after the last the whole exchange is done together with what
//! it made. What lies between is found after a crash, and what was answered is kept when we cannot tell it on.

use bytes::Bytes;

use super::{
    calls::Prepared, error::ExchangeError, recover, reply::Reply, story::Story, wire::Answer, work::Work,
};
use crate::{
    custody,
    ids::SonataId,
    mapping::operation::OperationProgram,
    store::{Batch, Change, JournalEntry, Step},
};

/// Most of a reason that is kept, in bytes.
const WHY_BYTES_MAX: usize = 2000;

/// The journal of one exchange; nothing is written where no call changes anything.
pub struct Journal<'w> {
    work: Work<'w>,
    /// What the exchange makes.
    id: Option<&'w SonataId>,
    begun: bool,
    /// Whether it is that of an exchange which did not come to its end, and is looked into now.
    is_resumed: bool,
}

impl<'w> Journal<'w> {
    /// A journal with nothing in it.
    pub fn new(work: &Work<'w>, id: Option<&'w SonataId>) -> Self {
        Self { work: *work, id, begun: false, is_resumed: false }
    }

    /// The journal of an exchange that did not come to its end; the story bears that one's id.
    pub fn resumed(work: &Work<'w>, id: Option<&'w SonataId>) -> Self {
        Self { work: *work, id, begun: true, is_resumed: true }
    }

    /// Commits what is about to be sent, and takes what names the request. The answer is that of the first one, where
    /// this one turns out not to be.
    ///
    /// # Errors
    /// The store's, or somebody has the name; nothing may be sent then.
    pub async fn begin(
        &mut self,
        story: &mut Story<'_>,
        prepared: &[Prepared<'_>],
    ) -> Result<Option<Answer>, ExchangeError> {
        let act = self.work.duty.act;
        let mut batch = Batch::new(self.work.owner.partner.clone());
        for one in prepared.iter().filter(|one| one.changes(act)) {
            let mut entry = self.entry(story, one.name(), Step::Intent);
            let body = one.message.as_ref().map(|message| &message.body);
            entry.request_crc = body.map(|body| crc32fast::hash(body));
            batch = batch.with(Change::Journal(Box::new(entry)));
        }
        let kept = if batch.changes.is_empty() { None } else { recover::kept(&self.work, self.id) };
        if self.work.once.is_some() || kept.is_some() {
            // What takes a name must be found with it if it does not come to its end, and what can be looked up with
            // what was asked for.
            let keys = self.work.once.map(super::once::Once::keys).unwrap_or_default();
            let whole = self.entry(story, String::new(), Step::Intent);
            let whole = JournalEntry { reply: Some(custody::intent_note(keys, kept.as_ref())), ..whole };
            batch = batch.with(Change::Journal(Box::new(whole)));
        }
        if let Some(once) = self.work.once {
            let first = once.begin(story, batch).await?;
            self.begun = first.is_none();
            return Ok(first);
        }
        if batch.changes.is_empty() {
            return Ok(None);
        }
        story.gateway.store.commit(batch).await?;
        self.begun = true;
        Ok(None)
    }

    /// Whether something was committed before the calls: only then something may have been done.
    pub fn has_begun(&self) -> bool {
        self.begun
    }

    /// The changes that go with the commit of what was made: nothing more needs attention, and whoever asks again gets
    /// this answer.
    pub fn ended(&self, story: &Story<'_>, id: Option<&SonataId>, answer: &Answer) -> Vec<Change> {
        let kept = self.work.once.map(|once| once.finish(self.work.duty, id, answer)).unwrap_or_default();
        self.done(story).chain(kept).collect()
    }

    /// The changes of an exchange that had no effect: nothing needs attention, and it may be tried again.
    pub fn without_effect(&self, story: &Story<'_>) -> Vec<Change> {
        let freed = self.work.once.map(|once| once.abandon(story)).unwrap_or_default();
        self.done(story).chain(freed).collect()
    }

    /// The changes that say that nothing more needs attention, of nobody.
    fn done(&self, story: &Story<'_>) -> impl Iterator<Item = Change> {
        let done =
            self.begun.then(|| Change::Journal(Box::new(self.entry(story, String::new(), Step::Done))));
        let listed = self.is_resumed.then(|| custody::taken_from_list(&story.id)).flatten();
        done.into_iter().chain(listed)
    }

    /// The changes that keep what was answered, where it could not be told on.
    fn answered(&self, story: &Story<'_>, program: &OperationProgram, replies: &[Reply]) -> Vec<Change> {
        if !self.begun {
            return Vec::new();
        }
        let kept = replies.iter().map(|reply| {
            let name = program.calls.get(reply.call).map_or("", |call| &call.name);
            let name = reply.item.map_or_else(|| name.to_owned(), |item| format!("{name}[{item}]"));
            let mut entry = self.entry(story, name, Step::Answered);
            entry.status = Some(reply.status);
            entry.reply = Some(reply.raw.clone()).filter(|raw: &Bytes| !raw.is_empty());
            Change::Journal(Box::new(entry))
        });
        kept.collect()
    }

    /// The changes that say that it ended and needs attention, and why: what was answered is there and was not taken back.
    pub fn unsettled(
        &self,
        story: &Story<'_>,
        program: &OperationProgram,
        replies: &[Reply],
        why: &ExchangeError,
    ) -> Vec<Change> {
        let mut changes = self.answered(story, program, replies);
        let why = match replies.len() {
            0 => why.to_string(),
            calls => format!("{why}; answered and not taken back: {calls} calls"),
        };
        changes.extend(self.begun.then(|| self.why(story, why)));
        if self.begun && !self.is_resumed {
            changes.extend(recover::looking_up(story, &self.work, self.id));
        }
        changes
    }

    /// The change that says why it needs attention.
    pub fn why(&self, story: &Story<'_>, mut why: String) -> Change {
        why.truncate(why.floor_char_boundary(WHY_BYTES_MAX));
        let entry = self.entry(story, String::new(), Step::Answered);
        Change::Journal(Box::new(JournalEntry { reply: Some(Bytes::from(why)), ..entry }))
    }

    fn entry(&self, story: &Story<'_>, call: String, step: Step) -> JournalEntry {
        JournalEntry {
            exchange: story.id.clone(),
            operation: self.work.operation_name(),
            call,
            step,
            backend: Some(self.work.backend.id.clone()),
            request_crc: None,
            status: None,
            reply: None,
            at_ms: story.now_ms(),
        }
    }
}
