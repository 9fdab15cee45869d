//! Which files make the mapping of a partner: its set and the overlays over it.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use crate::{
    config::{self, Changed, Partner, ReadBefore, Settings},
    mapping::compile::{OVERLAYS_MAX, overlay_path},
    text::{Diagnostics, FileSet},
};

/// A partner's overlay over one set, with those that it lies on.
pub(super) struct OverlayFile {
    files: FileSet,
    path: String,
    is_whole: bool,
}

impl OverlayFile {
    /// The texts of the overlays, and the path of the partner's own among them.
    pub fn place(&self) -> (&FileSet, &str) {
        (&self.files, &self.path)
    }

    /// Whether the last of them lies on no other.
    pub fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The texts of all overlays.
    pub fn texts(&self) -> &FileSet {
        &self.files
    }
}

/// The texts of all mapping sets and overlays; cases are no part of the plan.
pub(super) fn read_mappings(settings: &Settings, out: &mut Diagnostics) -> FileSet {
    read_mappings_again(settings, &ReadBefore::default(), &Changed::Anywhere, out).0
}

/// The same, where they were read before and changed there since: only what has changed is read again.
pub(super) fn read_mappings_again(
    settings: &Settings,
    before: &ReadBefore,
    changed: &Changed,
    out: &mut Diagnostics,
) -> (FileSet, ReadBefore) {
    config::files::read_folder_again(&settings.gateway.mappings, is_mapping_file, before, changed, out)
}

/// Whether a path below the mappings folder is a text of a mapping set or of an overlay.
fn is_mapping_file(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    // `yml` is read to be told: who names a file so would wonder why nothing of it counts.
    let text =
        Path::new(path).extension().is_some_and(|kind| kind == "yaml" || kind == "rhai" || kind == "yml");
    text && match parts.as_slice() {
        ["partners", _, _] => true,
        [first, _] => *first != "partners",
        _ => false,
    }
}

/// Texts of mapping files that are not saved yet, by their path below the mappings folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits(BTreeMap<String, Option<Arc<str>>>);

impl Edits {
    /// Takes the text that a file would have; without one the file would be gone. False, and nothing is taken, where
    /// no mapping file can have that path.
    #[must_use]
    pub fn insert(&mut self, path: &str, text: Option<&str>) -> bool {
        let fits = is_mapping_file(path) && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if fits {
            self.0.insert(path.to_owned(), text.map(Into::into));
        }
        fits
    }

    pub(super) fn apply(&self, mappings: &mut FileSet) {
        for (path, text) in &self.0 {
            match text {
                Some(text) => mappings.insert(path.as_str(), Arc::clone(text)),
                None => mappings.remove(path),
            }
        }
    }
}

/// Where a partner's overlay over a set is, if it has one.
pub(super) fn own_overlay(settings: &Partner, name: &str) -> String {
    format!("partners/{}/{name}.yaml", settings.id)
}

/// A partner's overlay over a set, with those that it lies on; none where it has none.
pub(super) fn overlay_files(mappings: &FileSet, settings: &Partner, name: &str) -> Option<OverlayFile> {
    let path = own_overlay(settings, name);
    mappings.file(&path)?;
    let mut files = FileSet::new(mappings.root());
    let (mut next, mut is_whole) = (Some(path.clone()), false);
    // One more than may be: it is told where they are read, as is one that is not there.
    while let Some(path) = next.take() {
        let Some(file) = mappings.file(&path) else {
            // The others are what was meant, perhaps.
            mappings.below("partners/").for_each(|(path, file)| files.share(Arc::clone(path), file));
            break;
        };
        if files.get(&path).is_none() && files.len() <= OVERLAYS_MAX {
            next = base_of(file.text()).map(|base| overlay_path(&path, base));
            is_whole = next.is_none();
            files.share(path.as_str(), file);
        }
    }
    Some(OverlayFile { files, path, is_whole })
}

/// The overlay that another extends, by its line `extends: PARTNER/SET`.
fn base_of(text: &str) -> Option<&str> {
    let line = text.lines().find_map(|line| line.strip_prefix("extends:"))?;
    let value = line.split(" #").next().unwrap_or(line).trim().trim_matches(['"', '\'']);
    value.contains('/').then_some(value)
}

/// The files of a mapping set, as its folder has them; empty where there is no such folder.
pub(super) fn subset(mappings: &FileSet, folder: &str) -> FileSet {
    let mut set = FileSet::new(mappings.shown(folder));
    let folder = format!("{folder}/");
    for (path, file) in mappings.below(&folder) {
        set.share(path.strip_prefix(&folder).unwrap_or(path), file);
    }
    set
}
