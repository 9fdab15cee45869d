//! One effect for one request, however often it is sent.

use crate::{
    ids::PartnerId,
    store::{Batch, Change, Conflict, IdempotencyKey, Remembered, RememberedAnswer, Store, StoreError},
};

/// How often a key is tried to take that another one gives back meanwhile.
const TRIES_MAX: usize = 3;

/// What is known of a request that names itself by keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is the first. Of [`begin`]: the keys and everything else in the batch are on disk.
    Fresh,
    /// It was answered: the same answer is due, and no legacy system is called.
    Again(RememberedAnswer),
    /// The first one has not ended, or ended without an answer.
    Running(Remembered),
    /// This key was used with another body: 422.
    OtherBody(IdempotencyKey),
}

/// What is known under the first of these keys that is taken.
///
/// # Errors
/// [`StoreError`] when nothing is known.
pub async fn look(
    store: &Store,
    partner: &PartnerId,
    keys: &[IdempotencyKey],
    body_hash: &[u8; 32],
) -> Result<Begun, StoreError> {
    for key in keys {
        if let Some(known) = store.idempotency(partner, key).await? {
            return Ok(judge(key, known, body_hash));
        }
    }
    Ok(Begun::Fresh)
}

/// Takes the keys of the batch's [`Change::Begin`], together with everything else in the batch, or says why not.
///
/// A batch without such a change is committed and is fresh. The commit decides, so two at once cannot both be the
/// first; only then is it looked who was, because a key that is taken is rare and a look costs what a commit does.
///
/// # Errors
/// [`StoreError`] when nothing is known; [`Conflict::Key`] where others take a key and give it back all the time.
pub async fn begin(store: &Store, batch: Batch) -> Result<Begun, StoreError> {
    let (keys, body_hash) = taken(&batch);
    if keys.is_empty() {
        return store.commit(batch).await.map(|()| Begun::Fresh);
    }
    for _ in 0..TRIES_MAX {
        match store.commit(batch.clone()).await {
            Ok(()) => return Ok(Begun::Fresh),
            Err(StoreError::Conflict(Conflict::Key)) => {}
            Err(error) => return Err(error),
        }
        match look(store, &batch.partner, &keys, &body_hash).await? {
            // The other one has given the key back in this moment.
            Begun::Fresh => {}
            known => return Ok(known),
        }
    }
    Err(Conflict::Key.into())
}

/// The keys that a batch takes, and the hash of their body.
fn taken(batch: &Batch) -> (Vec<IdempotencyKey>, [u8; 32]) {
    let (mut keys, mut hash) = (Vec::new(), [0; 32]);
    for change in &batch.changes {
        if let Change::Begin { key, body_hash, .. } = change {
            keys.push(key.clone());
            hash = *body_hash;
        }
    }
    (keys, hash)
}

fn judge(key: &IdempotencyKey, known: Remembered, body_hash: &[u8; 32]) -> Begun {
    if known.body_hash != *body_hash {
        return Begun::OtherBody(key.clone());
    }
    match known.answer {
        Some(answer) => Begun::Again(answer),
        None => Begun::Running(known),
    }
}
