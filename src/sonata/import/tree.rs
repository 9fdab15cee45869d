//! The interface files of one release, read and parsed.

use super::ImportError;
use crate::{
    json::Document,
    sonata::Release,
    text::{
        Diagnostics, Sources,
        yaml::{self, Node},
    },
};
use std::{collections::BTreeMap, fs, path::Path};

/// Which file serves which release, where a copy of the SDK keeps each file once.
const MANIFEST: &str = "manifest.json";
/// Folders of a release that are read.
const PARTS: [&str; 2] = ["productApi/", "productSchema/"];
/// What stands in two files of billie for a list that they do not have; alone on its line, it is no YAML.
const PLACEHOLDER: &str = "XXXXX";

/// Parsed YAML files by path below the release's folder, with `/` between names.
#[derive(Debug, Default)]
pub struct Tree(BTreeMap<String, Node>);

impl Tree {
    /// Reads `productApi` and `productSchema` of a release out of a folder of the SDK: as its manifest says, or all
    /// that stands below the release's own folder. Empty if there is no such release.
    ///
    /// # Errors
    /// A file that cannot be read or is no YAML that Segue accepts.
    pub fn read(folder: &Path, release: Release) -> Result<Self, ImportError> {
        let mut texts = Vec::new();
        if let Some(files) = listed(folder, release)? {
            for (path, place) in files.into_iter().filter(|(path, _)| is_read(path)) {
                let fail = |error: std::io::Error| ImportError::new(place.clone(), error.to_string());
                texts.push((path, fs::read_to_string(folder.join(&place)).map_err(fail)?));
            }
            return Self::of_texts(texts);
        }
        for part in PARTS {
            let path = folder.join(release.as_str()).join(part);
            if path.is_dir() {
                collect(&path, part.trim_end_matches('/'), &mut texts)?;
            }
        }
        Self::of_texts(texts)
    }

    /// Whether there is no file.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
        let text = text.replace('\t', " ");
        let text = if text.contains(PLACEHOLDER) { without_placeholders(&text) } else { text };
        let id = sources.add(shown, text);
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

fn is_read(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "yaml")
        && PARTS.iter().any(|part| path.starts_with(part))
}

/// Blank lines where a placeholder stands alone, so that positions stay.
fn without_placeholders(text: &str) -> String {
    let blank = " ".repeat(PLACEHOLDER.len());
    let lines = text.split('\n').map(|line| if line == PLACEHOLDER { &blank } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// Files of a release by the manifest, each with its place below the SDK's folder; nothing if there is no manifest.
fn listed(folder: &Path, release: Release) -> Result<Option<Vec<(String, String)>>, ImportError> {
    let path = folder.join(MANIFEST);
    if !path.is_file() {
        return Ok(None);
    }
    let fail =
        |error: &dyn std::fmt::Display| ImportError::new(path.display().to_string(), error.to_string());
    let text = fs::read_to_string(&path).map_err(|error| fail(&error))?;
    let document = Document::from_text(&text).map_err(|error| fail(&error))?;
    let Some(files) = document.root().get(release.as_str()) else { return Ok(Some(Vec::new())) };
    let place = |(path, node): (std::borrow::Cow<'_, str>, crate::json::Node<'_>)| {
        Some((path.into_owned(), node.as_str()?.into_owned()))
    };
    Ok(Some(files.members().filter_map(place).collect()))
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
