//! Tests on a PostgreSQL server, where the machine has one.

// The tests inside of the crate, which these cannot reach, have the same server by the same file.
#[allow(dead_code)]
#[path = "../../src/store/tests/server.rs"]
mod server;

pub use server::{Server, get};

use super::{Bed, Folders, bounded};

/// The stores on which a test runs: the embedded one, and the server where there is one.
pub fn stores() -> Vec<Option<&'static Server>> {
    [None].into_iter().chain(get().map(Some)).collect()
}

/// Runs a test on each store, in folders of its own.
pub async fn on_each(folders: impl AsyncFn() -> Folders, test: impl AsyncFn(Bed)) {
    for server in stores() {
        let folders = folders().await;
        if let Some(server) = server {
            server.setting(&server.database().await, &folders);
        }
        bounded(async { test(Bed::on(folders).await).await }).await;
    }
}

impl Server {
    /// Has a test's gateway keep everything in a database, in the place of the embedded store.
    pub fn setting(&self, database: &str, folders: &Folders) {
        folders.write("config/secrets/store", &format!("{}\n", self.url(database)));
        let postgres = "store: { postgres: { url: { file: secrets/store } } }";
        folders.edit("config/segue.yaml", "store: { embedded: ../data/segue.db }", postgres);
    }
}
