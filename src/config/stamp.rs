//! Files and folders that were read before: what the file system says of them tells whether they must be read again.

use crate::text::{FileSet, FileText};
use std::{
    collections::{BTreeSet, HashMap},
    fs::Metadata,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a file must have been left alone when it is read, for its times to tell of the next change: file systems
/// count time in steps, and two changes in one step look like one.
const REST: Duration = Duration::from_secs(2);

/// Where something changed since folders were read, as a watch over them told: whole paths of files and folders, below the
/// folders as they were named to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Nobody knows, so everything is looked at.
    Anywhere,
    /// There and nowhere else.
    At(BTreeSet<PathBuf>),
}

/// Paths that are told apart; of more, everything is looked at.
const CHANGED_MAX: usize = 256;

impl Changed {
    /// Nothing has changed.
    #[must_use]
    pub fn nowhere() -> Self {
        Self::At(BTreeSet::new())
    }

    /// Here, too.
    pub fn also(&mut self, path: PathBuf) {
        if let Self::At(paths) = self {
            paths.insert(path);
            if paths.len() > CHANGED_MAX {
                *self = Self::Anywhere;
            }
        }
    }

    /// Wherever the other says, too.
    pub fn and(&mut self, other: Self) {
        match other {
            Self::Anywhere => *self = Self::Anywhere,
            Self::At(paths) => paths.into_iter().for_each(|path| self.also(path)),
        }
    }

    /// Whether a file, or a folder itself, may be another one.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        match self {
            Self::Anywhere => true,
            Self::At(paths) => paths.contains(path),
        }
    }

    /// Whether something may have come into a folder, or gone from it, or changed right in it.
    pub(super) fn is_right_in(&self, folder: &Path) -> bool {
        match self {
            Self::Anywhere => true,
            Self::At(paths) => paths.iter().any(|path| path.parent() == Some(folder)),
        }
    }
}

/// A folder as it was read. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct ReadBefore {
    /// Files by their path below the folder.
    pub(super) files: Arc<HashMap<Arc<str>, KnownFile>>,
    /// Folders likewise, each with `/` at its end, with the names in them.
    pub(super) folders: Arc<HashMap<String, KnownFolder>>,
    /// The texts.
    pub(super) texts: FileSet,
    /// Files whose texts were read and not taken over from the reading before.
    pub(super) read: Vec<Arc<str>>,
    /// How many files are new, gone or have another text than in the reading before.
    pub(super) changes: usize,
}

impl ReadBefore {
    /// Whether another reading found the same files with the same texts.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.texts == other.texts
    }

    /// How many files are new, gone or have another text than in the reading before.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.changes
    }

    /// The texts.
    #[must_use]
    pub fn texts(&self) -> &FileSet {
        &self.texts
    }

    /// Whether something with this path below the folder was a folder.
    pub(super) fn has_folder(&self, below: &str) -> bool {
        below.is_empty() || self.folders.contains_key(&format!("{below}/"))
    }

    /// Whether those files that were read have the same texts still, in the folder that they were read from. The others,
    /// which had not changed, are not looked at.
    #[must_use]
    pub fn is_at_rest(&self, folder: &Path) -> bool {
        self.read.iter().all(|below| {
            let now = super::files::text(&folder.join(&**below));
            self.texts.get(below).zip(now.ok()).is_some_and(|(known, now)| **known == *now)
        })
    }
}

/// A file with its text.
#[derive(Debug, Clone)]
pub(super) struct KnownFile {
    pub stamp: Stamp,
    pub file: Arc<FileText>,
}

/// A folder with the names of what is in it, and whether that is a folder.
#[derive(Debug, Clone)]
pub(super) struct KnownFolder {
    pub stamp: Stamp,
    pub entries: Arc<[(Box<str>, bool)]>,
    /// Whether some of it are links: what they lead to changes without a trace here.
    pub has_links: bool,
}

/// What a file system says of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Device and inode: a file that was replaced is another one.
    file: (u64, u64),
    bytes: u64,
    /// When its content and when its attributes changed, in seconds and nanoseconds.
    changed: [(i64, i64); 2],
    /// Whether it had been left alone long enough when it was looked at.
    is_at_rest: bool,
}

impl Stamp {
    /// What is known of a file at this time.
    pub fn of(meta: &Metadata, now: SystemTime) -> Self {
        let changed = [(meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec())];
        let last = changed.iter().map(|(seconds, _)| *seconds).max().unwrap_or(i64::MAX);
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let rest = i64::try_from(now.saturating_sub(REST.as_secs())).unwrap_or(0);
        Self { file: (meta.dev(), meta.ino()), bytes: meta.size(), changed, is_at_rest: last < rest }
    }

    /// That of what cannot be known to be unchanged.
    pub fn unknown() -> Self {
        Self { file: (0, 0), bytes: 0, changed: [(0, 0); 2], is_at_rest: false }
    }

    /// Whether what was read under this stamp is what is there under the other, which is of now.
    pub fn vouches_for(&self, now: &Self) -> bool {
        self.is_at_rest && Self { is_at_rest: true, ..*now } == *self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_left_alone_are_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "1").unwrap();
        let meta = std::fs::metadata(&path).unwrap();
        #[expect(clippy::disallowed_methods, reason = "the file just written carries the machine's time")]
        let now = SystemTime::now();
        let fresh = Stamp::of(&meta, now);
        assert!(!fresh.vouches_for(&fresh));
        let later = Stamp::of(&meta, now + REST * 2);
        assert!(later.vouches_for(&fresh) && later.vouches_for(&later));
        std::fs::write(&path, "12").unwrap();
        assert!(!later.vouches_for(&Stamp::of(&std::fs::metadata(&path).unwrap(), now)));
        // A clock that goes wrong makes nothing trusted.
        assert!(!Stamp::of(&meta, UNIX_EPOCH).vouches_for(&fresh));
    }
}
