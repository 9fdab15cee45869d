//! Connections that read beside the one that commits.

use std::{
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{
    super::StoreError,
    connect::{Connection, Connector, Role},
};

/// Connections are made when first needed and kept.
#[derive(Debug)]
pub(super) struct Pool {
    connector: Arc<Connector>,
    idle: Mutex<Vec<Arc<Connection>>>,
    permits: Semaphore,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Pool {
    pub(super) fn new(connector: Arc<Connector>, connections_max: usize) -> Self {
        Self { connector, idle: Mutex::default(), permits: Semaphore::new(connections_max.max(1)) }
    }

    /// A connection that nobody else uses; given back when it is dropped.
    pub(super) async fn get(&self) -> Result<Borrowed<'_>, StoreError> {
        let permit = self.permits.acquire().await.map_err(|error| StoreError::Failed(error.to_string()))?;
        let kept = loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match kept {
                // The server may have ended it meanwhile.
                Some(connection) if connection.is_closed() => {}
                kept => break kept,
            }
        };
        let connection = match kept {
            Some(connection) => connection,
            None => Arc::new(self.connector.connect(Role::Reads).await?),
        };
        Ok(Borrowed { connection, pool: self, _permit: permit })
    }
}

/// See [`Pool::get`].
pub(super) struct Borrowed<'p> {
    connection: Arc<Connection>,
    pool: &'p Pool,
    _permit: SemaphorePermit<'p>,
}

impl Deref for Borrowed<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if !self.connection.is_closed() {
            let connection = Arc::clone(&self.connection);
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
