//! A folder's texts, read once.

use super::{SourceId, Sources};
use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, OnceLock},
};

/// A text with its hash, both shared by all sets that have it.
#[derive(Debug)]
pub struct FileText {
    text: Arc<str>,
    hash: OnceLock<blake3::Hash>,
}

impl FileText {
    /// The text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Its hash, which is made once.
    pub fn hash(&self) -> &blake3::Hash {
        self.hash.get_or_init(|| blake3::hash(self.text.as_bytes()))
    }
}

impl<T: Into<Arc<str>>> From<T> for FileText {
    fn from(text: T) -> Self {
        Self { text: text.into(), hash: OnceLock::new() }
    }
}

impl PartialEq for FileText {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.text == other.text
    }
}

impl Eq for FileText {}

/// Texts by their path below one folder, in the order of the paths.
///
/// Read once and handed on, so that a hash over it covers exactly what was compiled, even while an editor is
/// writing. Paths use `/` whatever the platform. Cloning is cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSet {
    root: String,
    files: Arc<BTreeMap<Arc<str>, Arc<FileText>>>,
}

impl FileSet {
    /// An empty set; `root` is put before each path where a diagnostic shows it, and is no part of the content.
    pub fn new(root: impl Into<String>) -> Self {
        Self { root: root.into(), files: Arc::default() }
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
    pub fn insert(&mut self, path: impl Into<Arc<str>>, text: impl Into<Arc<str>>) {
        self.share(path, &Arc::new(FileText::from(text)));
    }

    /// The same of a text that other sets have.
    pub fn share(&mut self, path: impl Into<Arc<str>>, file: &Arc<FileText>) {
        Arc::make_mut(&mut self.files).insert(path.into(), Arc::clone(file));
    }

    /// Leaves out what is under this path.
    pub fn remove(&mut self, path: &str) {
        Arc::make_mut(&mut self.files).remove(path);
    }

    /// Text under a path below the root.
    pub fn get(&self, path: &str) -> Option<&Arc<str>> {
        self.files.get(path).map(|file| &file.text)
    }

    /// The same, to be shared with another set.
    pub fn file(&self, path: &str) -> Option<&Arc<FileText>> {
        self.files.get(path)
    }

    /// Paths and texts in the order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<str>)> {
        self.files.iter().map(|(path, file)| (&**path, &file.text))
    }

    /// The same, to be shared with another set.
    pub fn files(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<FileText>)> {
        self.files.iter()
    }

    /// Those below a path, which ends with `/`.
    pub fn below<'f>(&'f self, folder: &'f str) -> impl Iterator<Item = (&'f Arc<str>, &'f Arc<FileText>)> {
        let from = (Bound::Included(folder), Bound::Unbounded);
        self.files.range::<str, _>(from).take_while(move |(path, _)| path.starts_with(folder))
    }

    /// Whether these are the same texts in memory, which is seen without looking at any.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.files, &other.files)
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
        let text = self.get(path)?;
        Some(sources.add(&self.shown(path), Arc::clone(text)))
    }
}
