//! One interface: its calls and its types.

use super::NOT_OPENAPI;
use super::files::Files;
use super::reader::Reader;
use super::types::{Type, TypeIndex};
use crate::text::{Diagnostic, Diagnostics, FileSet, Sources, suggest};

/// The interface of a legacy system.
#[derive(Debug, Clone)]
pub struct Api {
    pub(super) operations: Vec<Operation>,
    /// What the system calls by itself (`webhooks:`), those that are named by a path.
    pub(super) sent: Vec<Operation>,
    pub(super) types: Vec<Type>,
    pub(super) schemas: Vec<(Box<str>, TypeIndex)>,
    /// Paths of its servers, which calls may or may not repeat.
    pub(super) prefixes: Vec<Box<str>>,
}

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Upper case: `POST`.
    pub method: Box<str>,
    /// As written: `/v2/offers/{no}`.
    pub path: Box<str>,
    /// Parameters of the query, the path and headers.
    pub parameters: Vec<Parameter>,
    /// Type of the request body; none: it takes none.
    pub body: Option<TypeIndex>,
    /// Its replies.
    pub answers: Vec<Answer>,
}

/// A parameter of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Where it stands.
    pub place: ParameterPlace,
    /// Its name; of a header as written.
    pub name: Box<str>,
    /// Its type.
    pub ty: TypeIndex,
    /// Whether it must be sent.
    pub required: bool,
}

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterPlace {
    /// In the query.
    Query,
    /// In a header.
    Header,
    /// In the path.
    Path,
}

/// A reply of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// First status; 0 for `default`.
    pub from: u16,
    /// Last status, inclusive; 0 for `default`.
    pub to: u16,
    /// Type of its body; none: it has none.
    pub body: Option<TypeIndex>,
}

/// Why there is no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCall {
    /// No such path.
    Path {
        /// One that looks like it.
        near: Option<String>,
    },
    /// The path has other methods.
    Method {
        /// The path as written there.
        path: String,
        /// Its methods.
        methods: Vec<String>,
    },
}

impl Api {
    /// Reads the interface at a path of `files`, and what it refers to beside it. `None` where it is none that can be
    /// checked against, which is told.
    pub fn read(files: &FileSet, path: &str, sources: &mut Sources, out: &mut Diagnostics) -> Option<Self> {
        let read = Files::read(files, path, sources, out);
        let root = read.get(path)?;
        let version = root.get("openapi").and_then(|node| node.as_text());
        if !version.is_some_and(|version| version.starts_with("3.0") || version.starts_with("3.1")) {
            let fault = Diagnostic::warning(
                NOT_OPENAPI,
                "this is no OpenAPI 3.0 or 3.1: nothing is checked against it",
            );
            let at = root.get("openapi").or(root.get("swagger")).map_or(root.span, |node| node.span);
            let at = if at == root.span { crate::text::Span { end: at.start, ..at } } else { at };
            out.push(fault.at(at).hint("the file begins with `openapi: 3.0.3`, or the like"));
            return None;
        }
        Some(Reader::new(&read, out).api(root))
    }

    /// A call by method and path. `{}` in the path stands for what is filled in when the call is made.
    ///
    /// # Errors
    /// [`NoCall`] says what there is instead.
    pub fn find(&self, method: &str, path: &str) -> Result<&Operation, NoCall> {
        self.find_in(&self.operations, method, path)
    }

    /// What the system calls by itself (`webhooks:`), by method and path; none where the interface says nothing of that at all.
    ///
    /// # Errors
    /// [`NoCall`] says what there is instead.
    pub fn find_sent(&self, method: &str, path: &str) -> Option<Result<&Operation, NoCall>> {
        (!self.sent.is_empty()).then(|| self.find_in(&self.sent, method, path))
    }

    fn find_in<'a>(&self, all: &'a [Operation], method: &str, path: &str) -> Result<&'a Operation, NoCall> {
        let stripped = self.prefixes.iter().filter_map(|prefix| path.strip_prefix(&**prefix));
        let paths: Vec<&str> = std::iter::once(path).chain(stripped).collect();
        let mut fitting: Vec<(usize, &Operation)> = Vec::new();
        for path in &paths {
            let fits = all.iter().filter_map(|one| Some((fit(&one.path, path)?, one)));
            fitting.extend(fits);
            if !fitting.is_empty() {
                break;
            }
        }
        let best = fitting.iter().map(|(literal, _)| *literal).max();
        fitting.retain(|(literal, _)| Some(*literal) == best);
        if let Some((_, found)) = fitting.iter().find(|(_, one)| *one.method == *method) {
            return Ok(found);
        }
        if let Some((_, first)) = fitting.first() {
            let methods = fitting.iter().map(|(_, one)| one.method.to_string()).collect();
            return Err(NoCall::Method { path: first.path.to_string(), methods });
        }
        Err(NoCall::Path { near: near(all, path) })
    }

    /// A type of this interface; that of which nothing is known where the index is not of it.
    #[must_use]
    pub fn ty(&self, index: TypeIndex) -> Option<&Type> {
        self.types.get(index.0 as usize)
    }

    /// The named schemas.
    pub fn schemas(&self) -> impl Iterator<Item = (&str, TypeIndex)> {
        self.schemas.iter().map(|(name, ty)| (&**name, *ty))
    }

    /// Number of calls.
    #[must_use]
    pub fn operation_count(&self) -> usize {
        self.operations.len()
    }
}

fn near(all: &[Operation], path: &str) -> Option<String> {
    let shown: Vec<String> = all.iter().map(|one| blank(&one.path)).collect();
    let near = suggest(path, shown.iter().map(String::as_str))?;
    let at = shown.iter().position(|shown| shown == near)?;
    all.get(at).map(|one| one.path.to_string())
}

/// How many segments of a path are the same text in both; none where it does not fit.
fn fit(template: &str, path: &str) -> Option<usize> {
    let mut literal = 0;
    let (mut own, mut asked) = (template.split('/'), path.split('/'));
    loop {
        match (own.next(), asked.next()) {
            (None, None) => return Some(literal),
            (Some(own), Some(asked)) if own.contains('{') => {
                if asked.is_empty() {
                    return None;
                }
            }
            (Some(own), Some(asked)) if own == asked => literal += 1,
            _ => return None,
        }
    }
}

/// A template with `{}` for its parameters.
fn blank(template: &str) -> String {
    let segments = template.split('/').map(|segment| if segment.contains('{') { "{}" } else { segment });
    segments.collect::<Vec<_>>().join("/")
}
