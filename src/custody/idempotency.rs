//! One effect for one request, however often it is sent.

use crate::{
    ids::PartnerId,
    store::{Batch, Change, Conflict, IdempotencyKey, Remembered, RememberedAnswer, Store, StoreError},
};

/// What is known of a request that names itself by a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the first: the key and everything else in the batch are on disk.
    Fresh,
    /// It was answered: the same answer is due, and no legacy system is called.
    Again(RememberedAnswer),
    /// The first one has not ended, or ended without an answer.
    Running(Remembered),
    /// The key was used with another body: 422.
    OtherBody,
}

/// Takes the key of the batch's [`Change::Begin`], together with everything else in the batch, or says why not.
///
/// A batch without such a change is committed and is fresh. The commit decides, so two at once cannot both be the
/// first; only then is it looked who was, because a key that is taken is rare and a look costs what a commit does.
///
/// # Errors
/// [`StoreError`] when nothing is known.
pub async fn begin(store: &Store, batch: Batch) -> Result<Begun, StoreError> {
    let Some((key, body_hash)) = taken(&batch) else {
        return store.commit(batch).await.map(|()| Begun::Fresh);
    };
    let partner = batch.partner.clone();
    match store.commit(batch).await {
        Ok(()) => Ok(Begun::Fresh),
        Err(StoreError::Conflict(Conflict::Key)) => taken_by(store, &partner, &key, &body_hash).await,
        Err(error) => Err(error),
    }
}

async fn taken_by(
    store: &Store,
    partner: &PartnerId,
    key: &IdempotencyKey,
    body_hash: &[u8; 32],
) -> Result<Begun, StoreError> {
    match store.idempotency(partner, key).await? {
        Some(known) => Ok(judge(known, body_hash)),
        // The other one has given the key back in this moment; its sender may try again.
        None => Err(Conflict::Key.into()),
    }
}

fn taken(batch: &Batch) -> Option<(IdempotencyKey, [u8; 32])> {
    batch.changes.iter().find_map(|change| match change {
        Change::Begin { key, body_hash, .. } => Some((key.clone(), *body_hash)),
        _ => None,
    })
}

fn judge(known: Remembered, body_hash: &[u8; 32]) -> Begun {
    if known.body_hash != *body_hash {
        return Begun::OtherBody;
    }
    match known.answer {
        Some(answer) => Begun::Again(answer),
        None => Begun::Running(known),
    }
}
