//! Tells when files below some folders changed and have come to rest.
//!
//! Editors and deployments write in several steps, so a change is told only after a quiet time; the reader then
//! still reads what has changed twice and takes what it read only if both readings agree.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind};
use tokio::sync::mpsc;

/// A running watch; dropping it ends it.
pub struct Watch {
    _watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
    /// Whether more happened than that files that were there were written.
    is_moved: Arc<AtomicBool>,
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
        let is_moved = Arc::new(AtomicBool::new(false));
        let moved = Arc::clone(&is_moved);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let kind = event.map(|event| event.kind);
            if matches!(kind, Ok(EventKind::Access(_))) {
                return;
            }
            // Told before the change is: whoever sees that sees this.
            if !matches!(kind, Ok(EventKind::Modify(ModifyKind::Data(_)))) {
                moved.store(true, Ordering::Release);
            }
            let _ = sender.try_send(());
        })?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::Recursive)?;
        }
        Ok(Self { _watcher: watcher, changes, is_moved, quiet })
    }

    /// Whether a file or folder came, went or has another place, or that is not known: then a folder that is watched may be
    /// another one under its old name, and the watch should begin again.
    pub fn is_moved(&self) -> bool {
        self.is_moved.load(Ordering::Acquire)
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
