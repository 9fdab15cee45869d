//! The files of one interface, and what references among them lead to.

use super::{FILE_BYTES_MAX, FILE_DEPTH_MAX, FILE_NODES_MAX, FILES_MAX, TOO_MUCH};
use crate::text::{
    Diagnostic, Diagnostics, FileSet, SourceId, Sources,
    yaml::{self, Limits, Node, Value},
};
use std::collections::{BTreeMap, HashMap};

/// Parsed files by path, the interface's own and those that it refers to.
#[derive(Debug, Default)]
pub(super) struct Files {
    nodes: BTreeMap<String, Node>,
    paths: HashMap<SourceId, String>,
}

/// What a reference leads to.
pub(super) enum Target<'f> {
    /// A node of one of the files.
    Node(&'f Node),
    /// Another machine, or a form of reference that is not followed.
    Elsewhere,
    /// Nothing.
    Nowhere,
}

impl Files {
    /// Reads a file and all that it refers to, directly or through others.
    pub fn read(set: &FileSet, path: &str, sources: &mut Sources, out: &mut Diagnostics) -> Self {
        let mut files = Self::default();
        let mut waiting = vec![path.to_owned()];
        let limits =
            Limits { bytes_max: FILE_BYTES_MAX, depth_max: FILE_DEPTH_MAX, nodes_max: FILE_NODES_MAX };
        while let Some(path) = waiting.pop() {
            let Some(text) = set.get(&path).filter(|_| !files.nodes.contains_key(&path)) else { continue };
            if files.nodes.len() >= FILES_MAX {
                let message = format!("the interface is spread over more than {FILES_MAX} files");
                out.push(Diagnostic::warning(TOO_MUCH, message));
                break;
            }
            // Descriptions have tabs now and then; the reader refuses them anywhere.
            let id = sources.add(&set.shown(&path), text.replace('\t', " "));
            let Some(node) = yaml::load_with(sources, id, &limits, out) else { continue };
            others(&node, &path, &mut waiting);
            files.paths.insert(id, path.clone());
            files.nodes.insert(path, node);
        }
        files
    }

    /// Root of a file.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Follows a reference that is written in the file of `from`.
    pub fn follow(&self, from: &Node, reference: &str) -> Target<'_> {
        if is_elsewhere(reference) {
            return Target::Elsewhere;
        }
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let Some(home) = self.paths.get(&from.source()) else { return Target::Elsewhere };
        let path = if file.is_empty() { home.clone() } else { beside(home, file) };
        let Some(mut node) = self.nodes.get(&path) else { return Target::Nowhere };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Target::Elsewhere;
        }
        for step in pointer.split('/').skip(1) {
            let step = decoded(step);
            let next = match &node.value {
                Value::Mapping(_) => node.get(&step),
                Value::Sequence(list) => step.parse::<usize>().ok().and_then(|index| list.get(index)),
                Value::Scalar(_) => None,
            };
            let Some(next) = next else { return Target::Nowhere };
            node = next;
        }
        Target::Node(node)
    }
}

fn is_elsewhere(reference: &str) -> bool {
    reference.contains("://") || reference.starts_with("urn:") || reference.starts_with('/')
}

/// Files that a node refers to, as paths of the set.
fn others(node: &Node, home: &str, list: &mut Vec<String>) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        match &node.value {
            Value::Mapping(entries) => {
                for entry in entries {
                    if let (true, Some(text)) = (entry.key == "$ref", entry.value.as_text())
                        && let Some(file) = text.split('#').next().filter(|file| !file.is_empty())
                        && !is_elsewhere(text)
                    {
                        list.push(beside(home, file));
                    }
                    open.push(&entry.value);
                }
            }
            Value::Sequence(elements) => open.extend(elements),
            Value::Scalar(_) => {}
        }
    }
}

/// A path that is written in a file, as a path of the set.
fn beside(home: &str, file: &str) -> String {
    let mut parts: Vec<&str> = home.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A step of a JSON pointer in a URI fragment.
fn decoded(step: &str) -> String {
    let plain = percent_encoding::percent_decode_str(step).decode_utf8_lossy();
    plain.replace("~1", "/").replace("~0", "~")
}
