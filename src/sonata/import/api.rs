//! An `OpenAPI` file: operations, and the types that they use.

use super::{
    ImportError,
    schema::{Refs, Schemas, list, settle_partial, text_of},
    tree::stem,
};
use crate::{
    sonata::{
        Function,
        facts::{Api, Expression, File, Operation, Response},
    },
    text::yaml::{Entry, Node},
};

/// Methods that an operation may have, as `OpenAPI` writes them.
const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];
/// What stands before the segment in the server's URL.
const BASE: &str = "/mefApi/sonata/";

/// References within one `OpenAPI` file.
struct ComponentRefs;

impl Refs for ComponentRefs {
    fn resolve(&mut self, reference: &str) -> Result<String, ImportError> {
        let name = reference.strip_prefix("#/components/schemas/");
        name.map(str::to_owned).ok_or_else(|| ImportError::new(reference, "reference out of the components"))
    }
}

/// Reads one API file.
pub(super) fn import(path: &str, root: &Node) -> Result<(Function, File), ImportError> {
    let fail = |message: &str| ImportError::new(path, message);
    let function = Function::of_file(stem(path)).ok_or_else(|| fail("no known function"))?;
    let info = root.get("info").ok_or_else(|| fail("no info"))?;
    let version = text_of(info, "version").ok_or_else(|| fail("no version"))?;
    let url = list(root, "servers").first().and_then(|server| text_of(server, "url"));
    let (_, after) = url.and_then(|url| url.split_once(BASE)).ok_or_else(|| fail("no Sonata server"))?;
    let (segment, major) =
        after.trim_end_matches('/').split_once("/v").ok_or_else(|| fail("no version in URL"))?;
    if version.split('.').next() != Some(major) {
        return Err(fail("the version of the URL is not that of the file"));
    }
    let api = Api {
        function: function.name().to_owned(),
        version: version.to_owned(),
        segment: segment.to_owned(),
    };
    let mut refs = ComponentRefs;
    let mut schemas = Schemas { refs: &mut refs, types: Vec::new(), file: path.to_owned() };
    let components = root.get("components").and_then(|components| components.get("schemas"));
    for entry in components.and_then(Node::as_mapping).unwrap_or_default() {
        schemas.define(&entry.key, &entry.value)?;
    }
    let mut operations = Vec::new();
    for item in root.get("paths").and_then(Node::as_mapping).unwrap_or_default() {
        for entry in item.value.as_mapping().unwrap_or_default() {
            operations.push(operation(&mut schemas, &item.key, entry)?);
        }
    }
    let mut types = schemas.types;
    settle_partial(&mut types);
    Ok((function, File { api: Some(api), operations, products: Vec::new(), types }))
}

fn operation(schemas: &mut Schemas<'_>, path: &str, entry: &Entry) -> Result<Operation, ImportError> {
    let place = format!("{} {} {path}", schemas.file, entry.key);
    let fail = |message: &str| ImportError::new(place.clone(), message);
    if !METHODS.contains(&entry.key.as_str()) {
        return Err(fail("something else than an operation below a path"));
    }
    let id = text_of(&entry.value, "operationId").ok_or_else(|| fail("no operationId"))?;
    let mut query = Vec::new();
    for parameter in list(&entry.value, "parameters") {
        let name = text_of(parameter, "name").ok_or_else(|| fail("a parameter without name"))?;
        let schema = parameter.get("schema").ok_or_else(|| fail("a parameter without schema"))?;
        match text_of(parameter, "in") {
            Some("path") if path.contains(&format!("{{{name}}}")) => {}
            Some("query") => {
                let required = schemas.flag(id, parameter, "required")?;
                query.push(schemas.member(&format!("{id}.{name}"), name, required, schema)?);
            }
            _ => return Err(fail("a parameter that is neither in the path nor in the query")),
        }
    }
    let owner = format!("{id}.request");
    let request = match entry.value.get("requestBody") {
        Some(request) => content(schemas, &owner, request)?,
        None => None,
    };
    let mut responses = Vec::new();
    for response in entry.value.get("responses").and_then(Node::as_mapping).unwrap_or_default() {
        let status = response.key.parse().map_err(|_| fail("a status that is no number"))?;
        let body = content(schemas, &format!("{id}.{status}"), &response.value)?;
        let paged =
            response.value.get("headers").is_some_and(|headers| headers.get("X-Total-Count").is_some());
        responses.push(Response { status, body, paged });
    }
    responses.sort_by_key(|response| response.status);
    let method = entry.key.to_uppercase();
    Ok(Operation { method, path: path.to_owned(), id: id.to_owned(), query, request, responses })
}

/// Type of a body; the media types of the SDK are all JSON, whatever they are called.
fn content(schemas: &mut Schemas<'_>, owner: &str, node: &Node) -> Result<Option<Expression>, ImportError> {
    let Some(content) = node.get("content").and_then(Node::as_mapping) else { return Ok(None) };
    let [media] = content else { return Err(ImportError::new(owner, "not exactly one media type")) };
    let schema = media.value.get("schema").ok_or_else(|| ImportError::new(owner, "a body without schema"))?;
    schemas.expression(owner, schema).map(Some)
}
