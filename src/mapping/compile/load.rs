//! The files of a mapping set, read and put together; nothing is resolved yet.

use super::effective::Effective;
use crate::mapping::diagnostic as code;
use crate::mapping::raw::{
    CodeTable, FunctionFile, OverlayFile, SetFile, Text, read_codes, read_function, read_overlay, read_set,
};
use crate::text::{Diagnostic, Diagnostics, FileSet, Hint, SourceId, Sources, suggest, yaml};
use std::{collections::HashSet, sync::Arc};

/// File with the set's own settings.
const SET: &str = "set.yaml";
/// File with the code tables.
const CODES: &str = "codes.yaml";
/// File with the named functions of scripts.
const FUNCTIONS: &str = "functions.rhai";

/// Overlays that may lie on each other.
pub const OVERLAYS_MAX: usize = 8;

/// A mapping set as written.
pub(super) struct SetSource {
    /// `set.yaml`
    pub set: SetFile,
    /// `codes.yaml`
    pub tables: Vec<CodeTable>,
    /// All other YAML files, in the order of their paths.
    pub files: Vec<FunctionFile>,
    /// `functions.rhai`
    pub functions: Option<(SourceId, Arc<str>)>,
}

/// A partner's overlay as written.
#[derive(Debug, Clone)]
pub struct OverlaySource {
    /// The file.
    pub file: OverlayFile,
}

/// Reads the files of one mapping set; folders below it (its cases) are left alone.
///
/// Everything wrong with their structure is told; `None` where there is no `set.yaml`, or a file that is not YAML.
pub fn read_set_files(files: &FileSet, sources: &mut Sources, out: &mut Diagnostics) -> Option<Effective> {
    let mut set = None;
    let mut tables = Vec::new();
    let mut list = Vec::new();
    let mut functions = None;
    let mut unreadable = false;
    for (path, text) in files.iter().filter(|(path, _)| !path.contains('/')) {
        if path == FUNCTIONS {
            let id = sources.add(&files.shown(path), text.clone());
            functions = Some((id, text.clone()));
        }
        let yaml = std::path::Path::new(path).extension().is_some_and(|extension| extension == "yaml");
        if !yaml {
            if let Some(told) = unread(path, &files.shown(path)) {
                out.push(told);
            }
            continue;
        }
        let id = sources.add(&files.shown(path), text.clone());
        let Some(node) = yaml::load(sources, id, out) else {
            unreadable = true;
            continue;
        };
        match path {
            SET => set = read_set(&node, out),
            CODES => tables = read_codes(&node, out),
            _ => list.extend(read_function(&node, out)),
        }
    }
    if files.get(SET).is_none() {
        let message = format!("the mapping set {} has no {SET}", files.root());
        out.push(Diagnostic::error(code::NO_FILE, message).hint("write at least `language: 1` into it"));
    }
    let source = SetSource { set: set?, tables, files: list, functions };
    refuse_doubles(&source, out);
    // Everything that such a file has would be told as not there.
    (!unreadable).then(|| Effective::of(source))
}

/// What is told of a file that is meant as one of the set, and is called otherwise.
fn unread(path: &str, shown: &str) -> Option<Diagnostic> {
    let hint = match path.rsplit_once('.')? {
        (name, "yml") => format!("call it `{name}.yaml`"),
        (_, "rhai") if path != FUNCTIONS => format!("put its functions into {FUNCTIONS}"),
        _ => return None,
    };
    Some(Diagnostic::warning(code::NO_FILE, format!("`{shown}` is not read")).hint(hint))
}

/// Reads an overlay and those that it lies on, the one nearest to the set first.
///
/// `extends: PARTNER/SET` names the overlay of another partner, or of none, beside the folder of this one. What is
/// not there, an overlay that lies on itself and more than [`OVERLAYS_MAX`] of them are told.
pub fn read_overlays(
    files: &FileSet,
    path: &str,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Vec<OverlaySource> {
    let (mut read, mut paths) = (Vec::new(), vec![path.to_owned()]);
    let mut named: Option<Text> = None;
    while let Some(path) = paths.last().cloned() {
        let at = |fault: Diagnostic| match &named {
            Some(named) => fault.at(named.span()),
            None => fault,
        };
        let Some(id) = files.open(&path, sources) else {
            let message = format!("there is no overlay {}", files.shown(&path));
            let near = named.as_ref().and_then(|named| near_overlay(files, &paths, named.as_str()));
            out.push(at(Diagnostic::error(code::NO_FILE, message)).maybe_hint(near.map(Hint::meant)));
            break;
        };
        let overlay = yaml::load(sources, id, out).and_then(|node| read_overlay(&node, out));
        let Some(overlay) = overlay else { break };
        let base = overlay.extends.clone().filter(|extends| extends.as_str().contains('/'));
        read.push(OverlaySource { file: overlay });
        let Some(base) = base else { break };
        let next = overlay_path(&path, base.as_str());
        if paths.contains(&next) {
            let fault = Diagnostic::error(code::OVERLAY_CIRCLE, "this overlay lies on itself in the end");
            out.push(fault.at(base.span()).hint("one of them extends the mapping set"));
            break;
        }
        if paths.len() >= OVERLAYS_MAX {
            let message = format!("more than {OVERLAYS_MAX} overlays lie on each other");
            out.push(Diagnostic::error(code::OVERLAYS, message).at(base.span()).hint("put some together"));
            break;
        }
        paths.push(next);
        named = Some(base);
    }
    read.reverse();
    read
}

/// The name of an overlay that there is, like the one that led to the last of these paths; none of those that came before.
fn near_overlay(files: &FileSet, paths: &[String], name: &str) -> Option<String> {
    let folder = paths.last()?.strip_suffix(".yaml")?.strip_suffix(name)?;
    let others = files.iter().map(|(path, _)| path).filter(|path| paths.iter().all(|own| own != path));
    let names = others.filter_map(|path| path.strip_prefix(folder)?.strip_suffix(".yaml"));
    suggest(name, names).map(str::to_owned)
}

/// The path of the overlay that another at `path` extends by this name.
pub fn overlay_path(path: &str, name: &str) -> String {
    let folder = path.rsplit_once('/').and_then(|(partner, _)| partner.rsplit_once('/'));
    match folder {
        Some((folder, _)) => format!("{folder}/{name}.yaml"),
        None => format!("{name}.yaml"),
    }
}

/// Names that two files give: within one file YAML refuses them already.
fn refuse_doubles(source: &SetSource, out: &mut Diagnostics) {
    let mut shapes = HashSet::new();
    let mut operations = HashSet::new();
    for file in &source.files {
        for shape in &file.shapes {
            if !shapes.insert(shape.name.as_str()) {
                let message = format!("another file has a shape `{}`", shape.name);
                let fault = Diagnostic::error(code::TWICE, message).at(shape.name.span());
                out.push(fault.hint("names of shapes are those of the whole mapping set; rename one"));
            }
        }
        let function = file.function.as_ref().map_or("", |function| function.as_str());
        for operation in &file.operations {
            if !operations.insert((function, operation.id.as_str())) {
                let message = format!("another file has `{}` of this function", operation.id);
                out.push(Diagnostic::error(code::TWICE, message).at(operation.id.span()));
            }
        }
    }
}
