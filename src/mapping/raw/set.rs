//! The files of a mapping set as written.

use super::{Expose, Notify, Operation, Otherwise, Problems, Receive, Rule, Text, Watch};
use crate::mapping::codes::CodeType;
use crate::text::Span;

/// `set.yaml`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetFile {
    /// Release of the standard that the set is written against.
    pub release: Option<Text>,
    /// The legacy system.
    pub backend: Option<Text>,
    /// Short names of products.
    pub products: Vec<ProductName>,
    /// Namespaces of XML elements.
    pub namespaces: Vec<NamespaceOf>,
    /// XML elements that are arrays even where they occur once.
    pub lists: Vec<Text>,
}

/// One entry of `namespaces:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamespaceOf {
    /// The whole entry.
    pub span: Span,
    /// The URI; none: its elements are in no namespace.
    pub uri: Option<Text>,
    /// The elements; empty: all that no other entry has.
    pub elements: Vec<Text>,
}

/// One line of `products:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductName {
    /// The short name.
    pub name: Text,
    /// What stands in `@type`: the first is written, all are read.
    pub types: Vec<Text>,
}

/// One code table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeTable {
    /// Its name.
    pub name: Text,
    /// Its rows, in order.
    pub rows: Vec<CodeRow>,
    /// `otherwise:` of the table.
    pub otherwise: Option<Otherwise>,
    /// `sonata_type:`, what values of that side are written as.
    pub sonata_type: CodeType,
    /// `legacy_type:`
    pub legacy_type: CodeType,
}

/// One row: values of the two sides that mean the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// The whole row.
    pub span: Span,
    /// Values of the Sonata side.
    pub sonata: CodeSide,
    /// Values of the legacy side.
    pub legacy: CodeSide,
}

/// One side of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeSide {
    /// Values: the first is written, all are read.
    Values(Vec<Text>),
    /// `absent`: no counterpart.
    Absent(Span),
}

/// One `function:` file, or a file of shapes that several functions use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionFile {
    /// The Sonata function; none in a file that only has shapes.
    pub function: Option<Text>,
    /// The backend of its operations, whatever the partner's routes say.
    pub backend: Option<Text>,
    /// Its shapes, in order.
    pub shapes: Vec<Shape>,
    /// Its operations, in order.
    pub operations: Vec<Operation>,
    /// What its legacy system tells us, in order.
    pub receives: Vec<Receive>,
    /// What we ask it for, in order.
    pub watches: Vec<Watch>,
    /// What our procurement system is offered, in order.
    pub exposes: Vec<Expose>,
    /// How it is told of a problem.
    pub problems: Option<Problems>,
    /// What it is told by itself, in order.
    pub notifies: Vec<Notify>,
}

/// One shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Its name.
    pub name: Text,
    /// Message types that it stands for; empty where its uses say it.
    pub sonata: Vec<Text>,
    /// Its schema in the backend's interface file.
    pub legacy: Option<Text>,
    /// Its rules.
    pub fields: Vec<Rule>,
}
