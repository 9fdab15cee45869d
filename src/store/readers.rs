//! A small pool of connections that read beside the committer.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{StoreError, open::Place};

/// Connections are opened when first needed and kept.
pub(super) struct Readers {
    place: Place,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(place: Place, readers_max: usize) -> Self {
        Self { place, idle: Mutex::default(), permits: Semaphore::new(readers_max.max(1)) }
    }

    /// Runs `query` on a connection of the pool, off the asynchronous threads.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _permit = self.permits.acquire().await.map_err(|error| StoreError::Failed(error.to_string()))?;
        let pool = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || {
            let kept = pool.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match kept {
                Some(connection) => connection,
                None => match pool.place.reader() {
                    Some(opened) => opened?,
                    None => return Err(StoreError::Failed("nothing to read from".to_owned())),
                },
            };
            let result = query(&connection);
            // One that failed may be broken: the next read opens another.
            if !matches!(result, Err(StoreError::Failed(_))) {
                pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            result
        });
        work.await.map_err(|error| StoreError::Failed(error.to_string()))?
    }
}
