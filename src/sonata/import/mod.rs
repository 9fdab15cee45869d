//! From the SDK's interface files to facts (`segue sdk import FOLDER`).
//!
//! Reads `OpenAPI` 3.0.1 and JSON Schema draft-07 files as YAML, follows references across files, names what the
//! files leave unnamed, and writes [`facts`]. Sentences are left behind. Whatever it does not know
//! it refuses, so that no requirement is lost silently. The order of what it writes follows the source, so the
//! same input gives the same bytes.
//!
//! How a discriminator's circle is broken: a base names its derived types (`+ when`), a derived type names its
//! base after the colon, and only the members of a base are inherited, never its choice.

mod api;
mod product;
mod schema;
mod share;
mod tree;

pub use product::{ImportedFile, UnusedFiles, import_products};
pub use tree::Tree;

use super::{Release, facts};
use crate::text::Span;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// Why the SDK could not be imported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ImportError {
    /// File, and what in it.
    pub place: String,
    /// What is wrong.
    pub message: String,
    /// The schema that says it, in the sources that the tree was read into.
    pub span: Option<Span>,
    /// What was probably meant there.
    pub near: Option<String>,
}

impl ImportError {
    pub(super) fn new(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { place: place.into(), message: message.into(), span: None, near: None }
    }

    /// The same, where nothing nearer was named, at this schema.
    fn within(mut self, span: Span) -> Self {
        self.span = self.span.or(Some(span));
        self
    }
}

/// Facts by path below `src/sonata/facts`, such as `grace/quote`, without the ending.
pub type FactsFiles = BTreeMap<String, facts::File>;

/// Imports every interface file of a release that names a known function, and all typed product schemas.
///
/// # Errors
/// The first file that cannot be expressed as facts.
pub fn import(release: Release, tree: &Tree) -> Result<FactsFiles, ImportError> {
    let mut files = FactsFiles::new();
    for (path, root) in tree.below("productApi/") {
        let (function, file) = api::import(path, root)?;
        files.insert(format!("{release}/{}", function.name()), file);
    }
    let products = product::import(tree)?;
    if !products.products.is_empty() {
        files.insert(format!("{release}/products"), products);
    }
    Ok(files)
}

/// What an SDK has: the files of facts, each stored once, and the index that says which release takes which.
#[derive(Debug, Default)]
pub struct Imported {
    /// Files by path below `src/sonata/facts`.
    pub files: FactsFiles,
    /// The index, `src/sonata/facts/releases`.
    pub index: String,
}

/// Imports from a folder of the SDK, as `segue sdk import FOLDER` does, every known release that is there.
///
/// # Errors
/// The first file that cannot be read or expressed as facts; that no known release is there.
pub fn import_sdk(folder: &Path) -> Result<Imported, ImportError> {
    let mut releases = Vec::new();
    for release in Release::all() {
        let tree = Tree::read(folder, release)?;
        if !tree.is_empty() {
            let files = import(release, &tree);
            let files = files
                .map_err(|error| ImportError { place: format!("{release}: {}", error.place), ..error })?;
            releases.push((release, files));
        }
    }
    if releases.is_empty() {
        return Err(ImportError::new(folder.display().to_string(), "no release that this version knows"));
    }
    Ok(share::share(releases))
}

/// Writes facts and index below a folder; files that are already the same are left alone. Returns the paths written.
///
/// # Errors
/// A file that cannot be written.
pub fn write(imported: &Imported, folder: &Path) -> Result<Vec<PathBuf>, ImportError> {
    let mut written = Vec::new();
    let files = imported.files.iter().map(|(path, file)| (format!("{path}.facts"), file.to_string()));
    for (path, text) in files.chain([(share::INDEX.to_owned(), imported.index.clone())]) {
        let path = folder.join(path);
        let fail = |error: io::Error| ImportError::new(path.display().to_string(), error.to_string());
        if fs::read_to_string(&path).is_ok_and(|own| own == text) {
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        fs::write(&path, text).map_err(fail)?;
        written.push(path);
    }
    Ok(written)
}

#[cfg(test)]
mod tests;
