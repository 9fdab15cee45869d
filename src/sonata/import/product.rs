//! Product schemas: many small files that refer to each other, to facts.

use super::{
    ImportError, Tree,
    schema::{Refs, Schemas, settle_partial, text_of},
    tree::stem,
};
use crate::{
    sonata::facts::{File, Product, Type},
    text::{Span, yaml::Node},
};
use std::collections::{BTreeMap, BTreeSet};

/// Folder of the product schemas in the SDK.
const FOLDER: &str = "productSchema/";

/// Where a definition stands: file, and its name there (empty for the file's root).
type Place = (String, String);

/// Imports every file that has an `$id`, and what they refer to.
///
/// A definition keeps its name; where two files use one name, each gets its file's stem before it. The root of a
/// file is called as the file, with its folder behind it where several files are called so.
pub(super) fn import(tree: &Tree) -> Result<File, ImportError> {
    let roots = tree.below(FOLDER).filter_map(|(path, root)| Some((path, text_of(root, "$id")?)));
    import_roots(tree, FOLDER, roots).map(|(file, _)| file)
}

/// Files that have no `$id` and that no product refers to, each with its root.
pub type UnusedFiles = Vec<(String, Span)>;

/// Where the `$id` of a file stands, and what the file says.
pub type ImportedFile = (Span, Result<File, ImportError>);

/// Imports every file below a folder of the tree that has an `$id`, each by itself with what it refers to, so that
/// all that is wrong is told at once.
pub fn import_products(tree: &Tree, folder: &str) -> (Vec<ImportedFile>, UnusedFiles) {
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut products = Vec::new();
    for (path, root) in tree.below(folder) {
        let Some(urn) = text_of(root, "$id") else { continue };
        used.insert(path.to_owned());
        let imported = import_roots(tree, folder, std::iter::once((path, urn)));
        let file = imported.map(|(file, files)| {
            used.extend(files);
            file
        });
        products.push((root.get("$id").map_or(root.span, |id| id.span), file));
    }
    // A fault ends an import before all that it refers to is known: what is unused is then not known either.
    let is_known = products.iter().all(|(_, file)| file.is_ok());
    let unused = tree.below(folder).filter(|(path, _)| is_known && !used.contains(*path));
    let unused = unused.map(|(path, root)| (path.to_owned(), root.span)).collect();
    (products, unused)
}

/// The products of these files with all that they refer to, and the files that were referred to.
fn import_roots<'t>(
    tree: &'t Tree,
    folder: &'t str,
    roots: impl Iterator<Item = (&'t str, &'t str)>,
) -> Result<(File, BTreeSet<String>), ImportError> {
    let mut names = Names::of(tree, folder);
    let mut products = Vec::new();
    for (path, urn) in roots {
        let type_name = names.name(path, "")?;
        products.push(Product { urn: urn.to_owned(), type_name });
    }
    let mut defined: BTreeMap<Place, Vec<Type>> = BTreeMap::new();
    while let Some(place) = names.wanted.pop_first() {
        if defined.contains_key(&place) {
            continue;
        }
        let (path, definition) = &place;
        let node = find(tree, path, definition)
            .ok_or_else(|| ImportError::new(path.clone(), format!("no definition {definition}")))?;
        let name = names.name(path, definition)?;
        names.file.clone_from(path);
        let mut schemas = Schemas { refs: &mut names, types: Vec::new(), file: path.clone() };
        schemas.define(&name, node)?;
        let types = schemas.types;
        defined.insert(place, types);
    }
    let files = defined.keys().map(|(path, _)| path.clone()).collect();
    let mut types: Vec<Type> = defined.into_values().flatten().collect();
    settle_partial(&mut types);
    products.sort_by(|left, right| left.urn.cmp(&right.urn));
    Ok((File { api: None, operations: Vec::new(), products, types }, files))
}

fn find<'t>(tree: &'t Tree, path: &str, definition: &str) -> Option<&'t Node> {
    let root = tree.get(path)?;
    if definition.is_empty() { Some(root) } else { root.get("definitions")?.get(definition) }
}

/// Names of definitions, and which are still to be defined.
struct Names {
    /// What the root of each file is called, by the file's path.
    roots: BTreeMap<String, String>,
    /// Files by the name of a definition.
    files: BTreeMap<String, Vec<String>>,
    /// File whose references are being read.
    file: String,
    wanted: BTreeSet<Place>,
}

impl Names {
    fn of(tree: &Tree, folder: &str) -> Self {
        let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, root) in tree.below(folder) {
            for entry in root.get("definitions").and_then(Node::as_mapping).unwrap_or_default() {
                files.entry(entry.key.clone()).or_default().push(path.to_owned());
            }
        }
        let mut stems: BTreeMap<&str, usize> = BTreeMap::new();
        tree.below(folder).for_each(|(path, _)| *stems.entry(stem(path)).or_default() += 1);
        let roots = tree.below(folder).map(|(path, _)| {
            let name = match (stems.get(stem(path)), path.rsplit('/').nth(1)) {
                (Some(2..), Some(folder)) => format!("{}.{folder}", stem(path)),
                _ => stem(path).to_owned(),
            };
            (path.to_owned(), name)
        });
        Self { roots: roots.collect(), files, file: String::new(), wanted: BTreeSet::new() }
    }

    /// What the root of a file is called.
    fn root(&self, path: &str) -> String {
        self.roots.get(path).cloned().unwrap_or_else(|| stem(path).to_owned())
    }

    /// The file that is meant by a path that names none: files of billie name those of another folder as they are
    /// seen from one deeper. It is the only one that ends so.
    fn meant(&self, path: String, relative: &str) -> String {
        if self.roots.contains_key(&path) {
            return path;
        }
        let end = format!("/{}", relative.trim_start_matches("../"));
        let mut found = self.roots.keys().filter(|known| known.ends_with(&end));
        match (found.next(), found.next()) {
            (Some(only), None) => only.clone(),
            _ => path,
        }
    }

    /// The name of a definition, which from now on is wanted.
    fn name(&mut self, path: &str, definition: &str) -> Result<String, ImportError> {
        self.wanted.insert((path.to_owned(), definition.to_owned()));
        if definition.is_empty() {
            return Ok(self.root(path));
        }
        match self.files.get(definition).map(Vec::as_slice) {
            Some([only]) if only == path => Ok(definition.to_owned()),
            Some(several) if several.iter().any(|file| file == path) => {
                Ok(format!("{}.{definition}", self.root(path)))
            }
            _ => Err(ImportError::new(path, format!("no definition {definition}"))),
        }
    }
}

impl Refs for Names {
    fn resolve(&mut self, reference: &str) -> Result<String, ImportError> {
        let (file, definition) = reference.split_once('#').unwrap_or((reference, ""));
        let definition = definition.strip_prefix("/definitions/").unwrap_or(definition).to_owned();
        let path = if file.is_empty() {
            self.file.clone()
        } else {
            // One file of billie names the files beside it without their ending.
            let is_whole = file.rsplit('/').next().is_some_and(|name| name.contains('.'));
            let ending = if is_whole { "" } else { ".yaml" };
            let relative = [file, ending].concat();
            self.meant(beside(&self.file, &relative), &relative)
        };
        self.name(&path, &definition)
    }
}

/// A relative path as seen from a file.
fn beside(file: &str, relative: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in relative.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}
