//! The files of a mapping set, read and put together; nothing is resolved yet.

use crate::mapping::diagnostic as code;
use crate::mapping::raw::{
    CodeTable, FunctionFile, OverlayFile, SetFile, read_codes, read_function, read_overlay, read_set,
};
use crate::text::{Diagnostic, Diagnostics, FileSet, SourceId, Sources, yaml};
use std::{collections::HashSet, sync::Arc};

/// File with the set's own settings.
const SET: &str = "set.yaml";
/// File with the code tables.
const CODES: &str = "codes.yaml";
/// File with the named functions of scripts.
const FUNCTIONS: &str = "functions.rhai";

/// A mapping set as written.
#[derive(Debug, Clone)]
pub struct SetSource {
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
pub fn read_set_files(files: &FileSet, sources: &mut Sources, out: &mut Diagnostics) -> Option<SetSource> {
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
    (!unreadable).then_some(source)
}

/// Reads one overlay file.
pub fn read_overlay_file(id: SourceId, sources: &Sources, out: &mut Diagnostics) -> Option<OverlaySource> {
    let node = yaml::load(sources, id, out)?;
    Some(OverlaySource { file: read_overlay(&node, out)? })
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
