//! A small pool of connections that read beside the one that writes.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{StoreError, open::Place};

/// Connections are opened when first needed and kept. In memory there is one for everything, which only its own
/// database has.
#[derive(Clone)]
pub(super) struct Readers(Arc<Pool>);

struct Pool {
    place: Place,
    idle: Mutex<Vec<Connection>>,
    /// In memory: everybody's.
    shared: Mutex<Option<Connection>>,
    permits: Semaphore,
}

impl Readers {
    pub(super) fn new(place: Place, readers_max: usize) -> Self {
        let permits = Semaphore::new(readers_max.max(1));
        Self(Arc::new(Pool { place, idle: Mutex::default(), shared: Mutex::default(), permits }))
    }

    /// Runs `query` on a connection of the pool, off the asynchronous threads where there is a disk to wait for.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        if matches!(self.0.place, Place::Memory) {
            return self.with(query);
        }
        let _permit =
            self.0.permits.acquire().await.map_err(|error| StoreError::Failed(error.to_string()))?;
        let pool = self.clone();
        let work = tokio::task::spawn_blocking(move || pool.with(query));
        work.await.map_err(|error| StoreError::Failed(error.to_string()))?
    }

    /// Runs `query` on a connection of the pool, on the caller's thread.
    pub(super) fn with<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if matches!(self.0.place, Place::Memory) {
            let mut shared = self.0.shared.lock().unwrap_or_else(PoisonError::into_inner);
            return match &*shared {
                Some(connection) => query(connection),
                None => query(shared.insert(self.0.place.writer()?)),
            };
        }
        let kept = self.idle().pop();
        let connection = match kept {
            Some(connection) => connection,
            None => match self.0.place.reader() {
                Some(opened) => opened?,
                None => return Err(StoreError::Failed("nothing to read from".to_owned())),
            },
        };
        let result = query(&connection);
        // One that failed may be broken: the next read opens another.
        if !matches!(result, Err(StoreError::Failed(_))) {
            self.idle().push(connection);
        }
        result
    }

    /// Closes the connections that nobody uses.
    pub(super) fn close(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
