//! A mapping set with one partner's overlays over it.

use super::load::{OverlaySource, SetSource};
use super::overlay;
use crate::mapping::raw::{CodeTable, Operation, Receive, SetFile, Shape};
use crate::text::{Diagnostics, SourceId};
use std::sync::Arc;

/// What is compiled: the set's rules, each still with the place where it was written, be that the set or the
/// overlay.
#[derive(Debug, Clone)]
pub struct Effective {
    /// `set.yaml`
    pub set: SetFile,
    /// Code tables.
    pub tables: Vec<CodeTable>,
    /// Shapes with the function of their file, in the order of files and lines.
    pub shapes: Vec<(Option<Box<str>>, Shape)>,
    /// Operations with their function.
    pub operations: Vec<(Box<str>, Operation)>,
    /// What the legacy system tells us.
    pub receives: Vec<Receive>,
    /// `function:` words with their places, for checking.
    pub functions_named: Vec<crate::mapping::raw::Text>,
    /// `functions.rhai`
    pub functions: Option<(SourceId, Arc<str>)>,
}

impl Effective {
    /// A shape by name, with the function of its file.
    pub fn shape(&self, name: &str) -> Option<&(Option<Box<str>>, Shape)> {
        self.shapes.iter().find(|(_, shape)| shape.name.as_str() == name)
    }
}

/// Puts overlays over a set, the first nearest to it; changes that hit nothing are told.
pub fn effective(
    set: &SetSource,
    name: &str,
    overlays: &[OverlaySource],
    out: &mut Diagnostics,
) -> Effective {
    let mut effective = Effective {
        set: set.set.clone(),
        tables: set.tables.clone(),
        shapes: Vec::new(),
        operations: Vec::new(),
        receives: Vec::new(),
        functions_named: Vec::new(),
        functions: set.functions.clone(),
    };
    for file in &set.files {
        let function: Option<Box<str>> = file.function.as_ref().map(|function| function.as_str().into());
        effective.functions_named.extend(file.function.clone());
        effective.shapes.extend(file.shapes.iter().map(|shape| (function.clone(), shape.clone())));
        let function = function.unwrap_or_default();
        effective
            .receives
            .extend(file.receives.iter().map(|one| Receive { backend: file.backend.clone(), ..one.clone() }));
        effective.operations.extend(file.operations.iter().map(|operation| {
            let backend = operation.backend.clone().or_else(|| file.backend.clone());
            (function.clone(), Operation { backend, ..operation.clone() })
        }));
    }
    for overlay in overlays {
        overlay::apply(&mut effective, &overlay.file, name, out);
    }
    effective
}
