//! A mapping set with one partner's overlays over it.

use super::load::{OverlaySource, SetSource};
use super::overlay;
use crate::mapping::raw::{
    CodeTable, Expose, Notify, Operation, Problems, Receive, SetFile, Shape, Text, Watch,
};
use crate::text::{Diagnostics, SourceId};
use std::sync::Arc;

/// What is compiled: the set's rules, each still with the place where it was written, be that the set or the
/// overlay. What no overlay touches is shared with the set: cloning costs counts of references.
#[derive(Debug, Clone)]
pub struct Effective {
    /// `set.yaml`
    pub set: Arc<SetFile>,
    /// Code tables.
    pub tables: Vec<Arc<CodeTable>>,
    /// Shapes with the function of their file, in the order of files and lines.
    pub shapes: Vec<(Option<Arc<str>>, Arc<Shape>)>,
    /// Operations with their function.
    pub operations: Vec<(Arc<str>, Arc<Operation>)>,
    /// What the legacy system tells us.
    pub receives: Arc<[Receive]>,
    /// What we ask it for.
    pub watches: Arc<[Watch]>,
    /// What our procurement system is offered.
    pub exposes: Arc<[Expose]>,
    /// How it is told of a problem; more than one is a fault.
    pub problems: Arc<[Problems]>,
    /// What it is told by itself.
    pub notifies: Arc<[Notify]>,
    /// `function:` words with their places, for checking.
    pub functions_named: Arc<[Text]>,
    /// `functions.rhai`
    pub functions: Option<(SourceId, Arc<str>)>,
}

impl Effective {
    /// A set without overlay.
    pub(super) fn of(set: SetSource) -> Self {
        let mut effective = Self {
            set: Arc::new(set.set),
            tables: set.tables.into_iter().map(Arc::new).collect(),
            shapes: Vec::new(),
            operations: Vec::new(),
            receives: Arc::new([]),
            watches: Arc::new([]),
            exposes: Arc::new([]),
            problems: Arc::new([]),
            notifies: Arc::new([]),
            functions_named: set.files.iter().filter_map(|file| file.function.clone()).collect(),
            functions: set.functions,
        };
        let (mut receives, mut watches) = (Vec::new(), Vec::new());
        let (mut exposes, mut problems, mut notifies) = (Vec::new(), Vec::new(), Vec::new());
        for file in set.files {
            exposes.extend(file.exposes);
            problems.extend(file.problems);
            notifies.extend(file.notifies);
            let received = file.receives.into_iter();
            receives.extend(received.map(|one| Receive { backend: file.backend.clone(), ..one }));
            let watched = file.watches.into_iter();
            watches.extend(watched.map(|one| Watch { backend: file.backend.clone(), ..one }));
            let function: Option<Arc<str>> = file.function.as_ref().map(|function| function.as_str().into());
            let shapes = file.shapes.into_iter().map(|shape| (function.clone(), Arc::new(shape)));
            effective.shapes.extend(shapes);
            let function = function.unwrap_or_default();
            effective.operations.extend(file.operations.into_iter().map(|operation| {
                let backend = operation.backend.clone().or_else(|| file.backend.clone());
                (function.clone(), Arc::new(Operation { backend, ..operation }))
            }));
        }
        (effective.receives, effective.watches) = (receives.into(), watches.into());
        (effective.exposes, effective.problems) = (exposes.into(), problems.into());
        effective.notifies = notifies.into();
        effective
    }

    /// The same with overlays over it, the first nearest to the set; changes that hit nothing are told. `name` is that
    /// of the set, which an overlay's `extends:` must name.
    #[must_use]
    pub fn with(&self, name: &str, overlays: &[OverlaySource], out: &mut Diagnostics) -> Self {
        let mut effective = self.clone();
        for overlay in overlays {
            overlay::apply(&mut effective, &overlay.file, name, out);
        }
        effective
    }

    /// A shape by name, with the function of its file.
    pub fn shape(&self, name: &str) -> Option<&(Option<Arc<str>>, Arc<Shape>)> {
        self.shapes.iter().find(|(_, shape)| shape.name.as_str() == name)
    }

    /// A code table by name.
    pub fn table(&self, name: &str) -> Option<&Arc<CodeTable>> {
        self.tables.iter().find(|table| table.name.as_str() == name)
    }
}
