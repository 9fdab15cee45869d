//! The files of a bridge, read and put together.

use super::super::Effective;
use crate::mapping::bridge::ProductPair;
use crate::mapping::diagnostic as code;
use crate::mapping::raw::{BridgeFile, ProductRule, SetFile, Shape, Text, read_bridge};
use crate::text::{Diagnostic, Diagnostics, FileSet, Hint, Sources, yaml};
use std::sync::Arc;

/// A bridge as written.
pub(super) struct BridgeSource {
    /// The older release.
    pub older: Text,
    /// The newer one.
    pub newer: Text,
    /// Its files, in the order of their paths.
    pub files: Vec<BridgeFile>,
}

/// Reads the files of a folder; what is wrong with their structure is told.
pub(super) fn read_bridge_files(
    files: &FileSet,
    sources: &mut Sources,
    out: &mut Diagnostics,
) -> Option<BridgeSource> {
    let mut read: Vec<BridgeFile> = Vec::new();
    for (path, text) in files.iter().filter(|(path, _)| !path.contains('/')) {
        if std::path::Path::new(path).extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let id = sources.add(&files.shown(path), text.clone());
        let Some(file) = yaml::load(sources, id, out).and_then(|node| read_bridge(&node, out)) else {
            continue;
        };
        if let Some(first) = read.first() {
            for (own, other) in [(&file.releases.0, &first.releases.0), (&file.releases.1, &first.releases.1)]
            {
                if own.as_str() != other.as_str() {
                    let message = format!("the other files of this folder speak of {other}");
                    let fault = Diagnostic::error(code::FORM, message).at(own.span());
                    out.push(fault.hint(Hint::meant(other.as_str())));
                }
            }
        }
        read.push(file);
    }
    let Some(first) = read.first() else {
        let message = format!("the bridge {} has no file", files.root());
        out.push(Diagnostic::error(code::NO_FILE, message));
        return None;
    };
    let (older, newer) = first.releases.clone();
    Some(BridgeSource { older, newer, files: read })
}

impl BridgeSource {
    /// What is said of products.
    pub fn products(&self) -> Vec<ProductPair> {
        let texts = |texts: &[Text]| texts.iter().map(|text| text.as_str().into()).collect();
        let pairs = |file: &BridgeFile| -> Vec<ProductPair> {
            let pair = |product: &ProductRule| ProductPair {
                function: file.function.as_ref().map(|function| function.as_str().into()),
                older: texts(&product.older),
                newer: texts(&product.newer),
                reason: product.drop.as_ref().map(|reason| reason.as_str().into()),
            };
            file.products.iter().map(pair).collect()
        };
        self.files.iter().flat_map(pairs).collect()
    }

    /// What the compiler takes: these messages, each a shape, with the tables of all files.
    pub fn effective(&self, messages: impl Iterator<Item = Shape>) -> Effective {
        let set = SetFile {
            release: Some(self.older.clone()),
            backend: None,
            products: Vec::new(),
            namespaces: Vec::new(),
            lists: Vec::new(),
        };
        Effective {
            set: Arc::new(set),
            tables: self.files.iter().flat_map(|file| file.tables.iter().cloned().map(Arc::new)).collect(),
            shapes: messages.map(|shape| (None, Arc::new(shape))).collect(),
            operations: Vec::new(),
            receives: Arc::new([]),
            watches: Arc::new([]),
            exposes: Arc::new([]),
            problems: Arc::new([]),
            notifies: Arc::new([]),
            functions_named: Arc::new([]),
            functions: None,
        }
    }
}
