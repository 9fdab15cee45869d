//! How the store fails, and what is then known.

/// What stood against a batch; nothing of the batch was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// The entity was changed since it was read, or is gone.
    #[error("the entity was changed by another exchange")]
    Version,
    /// An entity of this kind and id is there already.
    #[error("the entity exists already")]
    Exists,
    /// The idempotency key is in use: read it to learn by what.
    #[error("the idempotency key is in use")]
    Key,
    /// The lease is lost: somebody else has the task, or it is gone.
    #[error("somebody else has the task, or it is gone")]
    Lease,
    /// No task of this id is buried.
    #[error("no task of this id is buried")]
    Task,
}

/// Why a call of the store did not do what was asked. The texts are for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was done: read again and decide anew.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// Nothing was done: too many batches are waiting.
    #[error("too many changes are waiting for the store")]
    Overloaded,
    /// Nothing was done: the database or its disk refuses.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The commit itself failed: it may or may not have happened. Only reading tells.
    #[error("the store does not know whether it committed: {0}")]
    Unknown(String),
    /// The file cannot be used: not ours, newer than this program, or its folder cannot be made.
    #[error("cannot open the store: {0}")]
    Open(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
