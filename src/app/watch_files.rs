//! Tells when files below some folders changed and have come to rest.
//!
//! Editors and deployments write in several steps, so a change is told only after a quiet time; the reader then
//! still reads what has changed twice and takes what it read only if both readings agree.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _, event::ModifyKind};
use tokio::sync::mpsc;

use crate::config::Changed;

/// A running watch; dropping it ends it.
pub struct Watch {
    _watcher: RecommendedWatcher,
    changes: mpsc::Receiver<()>,
    seen: Arc<Mutex<Seen>>,
    quiet: Duration,
}

/// What was seen since somebody looked.
struct Seen {
    changed: Changed,
    /// Whether folders came or have another place, or that is not known.
    is_moved: bool,
}

impl Seen {
    fn note(&mut self, event: notify::Result<Event>, folders: &[PathBuf]) {
        let Some(event) = event.ok().filter(|event| !event.need_rescan() && !event.paths.is_empty()) else {
            *self = Self { changed: Changed::Anywhere, is_moved: true };
            return;
        };
        let is_content = matches!(event.kind, EventKind::Modify(ModifyKind::Data(_)));
        for path in event.paths {
            self.is_moved |= !is_content && (path.is_dir() || folders.contains(&path));
            if folders.iter().any(|folder| path.starts_with(folder)) {
                self.changed.also(path);
            } else {
                self.changed = Changed::Anywhere;
            }
        }
    }
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
        let seen = Arc::new(Mutex::new(Seen { changed: Changed::nowhere(), is_moved: false }));
        let (noted, own) = (Arc::clone(&seen), folders.to_vec());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.as_ref().is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                return;
            }
            // Noted before the change is told: whoever hears of that sees this.
            noted.lock().unwrap_or_else(PoisonError::into_inner).note(event, &own);
            let _ = sender.try_send(());
        })?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::Recursive)?;
        }
        Ok(Self { _watcher: watcher, changes, seen, quiet })
    }

    /// What changed since this was asked, and whether a folder came or has another place, or that is not known: then one that is
    /// watched may be another one under its old name, and the watch should begin again.
    pub fn take(&self) -> (Changed, bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { changed, is_moved } =
            std::mem::replace(&mut *seen, Seen { changed: Changed::nowhere(), is_moved: false });
        (changed, is_moved)
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

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, Flag, MetadataKind, RemoveKind, RenameMode};

    #[test]
    fn what_is_seen_is_told_by_its_place_and_what_is_not_known_makes_everything_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let (file, inner) = (root.join("a.yaml"), root.join("inner"));
        std::fs::write(&file, "").unwrap();
        std::fs::create_dir(&inner).unwrap();
        let content = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let attribute = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        let at = |path: &PathBuf| Changed::At([path.clone()].into());
        let of = |kind, path: &PathBuf| Ok(Event::new(kind).add_path(path.clone()));
        let rows: Vec<(notify::Result<Event>, Changed, bool)> = vec![
            (of(content, &file), at(&file), false),
            (of(renamed, &file), at(&file), false),
            (of(attribute, &file), at(&file), false),
            (of(EventKind::Create(CreateKind::File), &file), at(&file), false),
            (of(EventKind::Remove(RemoveKind::File), &root.join("gone")), at(&root.join("gone")), false),
            (of(EventKind::Create(CreateKind::Folder), &inner), at(&inner), true),
            (of(renamed, &inner), at(&inner), true),
            (of(EventKind::Remove(RemoveKind::Folder), &root), at(&root), true),
            (of(content, &PathBuf::from("/elsewhere")), Changed::Anywhere, false),
            (Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan)), Changed::Anywhere, true),
            (Err(notify::Error::generic("lost")), Changed::Anywhere, true),
        ];
        for (event, changed, is_moved) in rows {
            let shown = format!("{event:?}");
            let mut seen = Seen { changed: Changed::nowhere(), is_moved: false };
            seen.note(event, std::slice::from_ref(&root));
            assert_eq!((seen.changed, seen.is_moved), (changed, is_moved), "{shown}");
        }
    }
}
