//! The interface files of one release, read and parsed.

use super::ImportError;
use crate::text::{
    Diagnostics, Sources,
    yaml::{self, Node},
};
use std::{collections::BTreeMap, fs, path::Path};

/// Parsed YAML files by path below the release's folder, with `/` between names.
#[derive(Debug, Default)]
pub struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// Reads `productApi` and `productSchema` below the folder of a release.
    ///
    /// # Errors
    /// A file that cannot be read or is no YAML that Segue accepts.
    pub fn read(folder: &Path) -> Result<Self, ImportError> {
        let mut texts = Vec::new();
        for part in ["productApi", "productSchema"] {
            let path = folder.join(part);
            if path.is_dir() {
                collect(&path, part, &mut texts)?;
            }
        }
        Self::of_texts(texts)
    }

    /// Takes files as paths and texts.
    ///
    /// # Errors
    /// A text that is no YAML that Segue accepts.
    pub fn of_texts(texts: impl IntoIterator<Item = (String, String)>) -> Result<Self, ImportError> {
        let mut tree = Self::default();
        for (path, text) in texts {
            let mut sources = Sources::new();
            let mut diagnostics = Diagnostics::new();
            let shown = path.clone();
            tree.add(path, &shown, &text, &mut sources, &mut diagnostics);
            if diagnostics.has_errors() {
                return Err(ImportError::new(shown, diagnostics.render_text(&sources)));
            }
        }
        Ok(tree)
    }

    /// Reads one file more into the tree, its text into `sources` under the path `shown`; a file that is no YAML
    /// that Segue accepts is told and left out.
    pub fn add(
        &mut self,
        path: String,
        shown: &str,
        text: &str,
        sources: &mut Sources,
        out: &mut Diagnostics,
    ) {
        // Published files have tabs inside sentences, which are dropped; our reader refuses tabs anywhere.
        let id = sources.add(shown, text.replace('\t', " "));
        let mut faults = Diagnostics::new();
        if let Some(node) = yaml::load(sources, id, &mut faults).filter(|_| !faults.has_errors()) {
            self.0.insert(path, node);
        }
        out.append(faults);
    }

    /// Root of a file.
    pub(super) fn get(&self, path: &str) -> Option<&Node> {
        self.0.get(path)
    }

    /// Files below a folder, ordered by path.
    pub(super) fn below<'t>(&'t self, folder: &'t str) -> impl Iterator<Item = (&'t str, &'t Node)> {
        self.0
            .iter()
            .filter(move |(path, _)| path.starts_with(folder))
            .map(|(path, node)| (path.as_str(), node))
    }
}

fn collect(folder: &Path, prefix: &str, texts: &mut Vec<(String, String)>) -> Result<(), ImportError> {
    let fail = |error: std::io::Error| ImportError::new(folder.display().to_string(), error.to_string());
    for entry in fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let path = entry.path();
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if path.is_dir() {
            collect(&path, &name, texts)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            texts.push((name, fs::read_to_string(&path).map_err(fail)?));
        }
    }
    Ok(())
}

/// Last part of a path without what follows its first dot.
pub(super) fn stem(path: &str) -> &str {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file)
}
