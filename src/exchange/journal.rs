//! What is on disk before and after a call that changes something.
//!
//! Before the first such call the intent is committed; after the last the whole exchange is done together with what
//! it made. What lies between is found after a crash, and what was answered is kept when we cannot tell it on.

use bytes::Bytes;

use super::{calls::Prepared, error::ExchangeError, reply::Reply, story::Story};
use crate::{
    ids::{BackendId, PartnerId},
    mapping::operation::OperationProgram,
    sonata::entity::Act,
    store::{Batch, Change, JournalEntry, Step},
};

/// The journal of one exchange; nothing is written where no call changes anything.
#[derive(Debug)]
pub struct Journal {
    partner: PartnerId,
    backend: BackendId,
    operation: String,
    begun: bool,
}

impl Journal {
    /// A journal with nothing in it.
    pub fn new(partner: &PartnerId, backend: &BackendId, operation: String) -> Self {
        Self { partner: partner.clone(), backend: backend.clone(), operation, begun: false }
    }

    /// Commits what is about to be sent.
    ///
    /// # Errors
    /// The store's; nothing may be sent then.
    pub async fn begin(
        &mut self,
        story: &Story<'_>,
        act: Act,
        prepared: &[Prepared<'_>],
    ) -> Result<(), ExchangeError> {
        let mut batch = Batch::new(self.partner.clone());
        for one in prepared.iter().filter(|one| one.changes(act)) {
            let mut entry = self.entry(story, one.name(), Step::Intent);
            let body = one.message.as_ref().map(|message| &message.body);
            entry.request_crc = body.map(|body| crc32fast::hash(body));
            batch = batch.with(Change::Journal(Box::new(entry)));
        }
        if batch.changes.is_empty() {
            return Ok(());
        }
        story.gateway.store.commit(batch).await?;
        self.begun = true;
        Ok(())
    }

    /// The change that says that nothing more needs attention; it goes with the commit of what was made.
    pub fn done(&self, story: &Story<'_>) -> Option<Change> {
        self.begun.then(|| Change::Journal(Box::new(self.entry(story, String::new(), Step::Done))))
    }

    /// The changes that keep what was answered, where it could not be told on.
    pub fn answered(&self, story: &Story<'_>, program: &OperationProgram, replies: &[Reply]) -> Vec<Change> {
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

    fn entry(&self, story: &Story<'_>, call: String, step: Step) -> JournalEntry {
        JournalEntry {
            exchange: story.id.clone(),
            operation: self.operation.clone(),
            call,
            step,
            backend: Some(self.backend.clone()),
            request_crc: None,
            status: None,
            reply: None,
            at_ms: story.now_ms(),
        }
    }
}
