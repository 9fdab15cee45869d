//! Tells when files below some folders changed and have come to rest.
//!
//! Editors and deployments write in several steps, so a change is told only after a quiet time; the reader then
//! still reads twice and takes what it read only if both readings agree.

use std::{path::PathBuf, time::Duration};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// A running watch; dropping it ends it.
pub struct Watch {
    _watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
    quiet: Duration,
}

/// Longest time for which changes that never come to rest put a reload off, in milliseconds.
pub const RESTLESS_MS_MAX: u64 = 10_000;

impl Watch {
    /// Watches `folders` and all below them. `quiet` is the time without change after which one is told.
    ///
    /// # Errors
    /// The operating system refuses: no such folder, or no watches left.
    pub fn start(folders: &[PathBuf], quiet: Duration) -> Result<Self, notify::Error> {
        // One place is enough: a change that finds it taken is told by the one that took it.
        let (sender, changes) = mpsc::channel(1);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let read_only = |event: &notify::Event| matches!(event.kind, EventKind::Access(_));
            if !event.as_ref().is_ok_and(read_only) {
                let _ = sender.try_send(());
            }
        })?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::Recursive)?;
        }
        Ok(Self { _watcher: watcher, changes, quiet })
    }

    /// Waits for a change, then for the quiet time after the last one, but never longer than
    /// [`RESTLESS_MS_MAX`]. `false`: the watch has ended.
    pub async fn changed(&mut self) -> bool {
        if self.changes.recv().await.is_none() {
            return false;
        }
        let restless = tokio::time::sleep(Duration::from_millis(RESTLESS_MS_MAX));
        tokio::pin!(restless);
        loop {
            tokio::select! {
                () = &mut restless => return true,
                next = tokio::time::timeout(self.quiet, self.changes.recv()) => match next {
                    Ok(Some(())) => {}
                    Ok(None) => return false,
                    Err(_) => return true,
                },
            }
        }
    }
}
