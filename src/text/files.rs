//! A folder's texts, read once.

use super::{SourceId, Sources};
use std::{collections::BTreeMap, sync::Arc};

/// Texts by their path below one folder, in the order of the paths.
///
/// Read once and handed on, so that a hash over it covers exactly what was compiled, even while an editor is
/// writing. Paths use `/` whatever the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSet {
    root: String,
    files: BTreeMap<String, Arc<str>>,
}

impl FileSet {
    /// An empty set; `root` is put before each path where a diagnostic shows it, and is no part of the content.
    pub fn new(root: impl Into<String>) -> Self {
        Self { root: root.into(), files: BTreeMap::new() }
    }

    /// A set from memory, for tests and for hashing.
    pub fn of<'a>(root: &str, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut set = Self::new(root);
        for (path, text) in files {
            set.insert(path, text);
        }
        set
    }

    /// Takes a text; the one that was under this path is replaced.
    pub fn insert(&mut self, path: impl Into<String>, text: impl Into<Arc<str>>) {
        self.files.insert(path.into(), text.into());
    }

    /// Leaves out what is under this path.
    pub fn remove(&mut self, path: &str) {
        self.files.remove(path);
    }

    /// Text under a path below the root.
    pub fn get(&self, path: &str) -> Option<&Arc<str>> {
        self.files.get(path)
    }

    /// Paths and texts in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The folder as shown.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The path as shown: root and path.
    pub fn shown(&self, path: &str) -> String {
        match self.root.as_str() {
            "" => path.to_owned(),
            root => format!("{}/{path}", root.trim_end_matches('/')),
        }
    }

    /// Adds the text under a path to the sources; `None` where there is none.
    pub fn open(&self, path: &str, sources: &mut Sources) -> Option<SourceId> {
        let text = self.files.get(path)?;
        Some(sources.add(&self.shown(path), text.clone()))
    }
}
