//! From nodes of files to calls and types.

use super::api::{Answer, Api, Operation, Parameter, ParameterPlace};
use super::files::{Files, Target};
use super::flat::Flat;
use super::types::{Kind, Rest, Type, TypeIndex};
use super::{DEPTH_MAX, NO_TARGET, TOO_MUCH, TYPES_MAX};
use crate::text::{
    Diagnostic, Diagnostics, Span,
    yaml::{Entry, Node, Style},
};
use std::collections::HashMap;

/// Methods of a path item.
const METHODS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options", "trace"];

/// Reading one interface.
pub(super) struct Reader<'f, 'o> {
    files: &'f Files,
    out: &'o mut Diagnostics,
    types: Vec<Type>,
    /// Types that were asked for, by the place of their node.
    known: HashMap<Span, TypeIndex>,
    /// Those that are not read yet.
    waiting: Vec<(TypeIndex, &'f Node)>,
    full: bool,
}

impl<'f, 'o> Reader<'f, 'o> {
    /// A reader of these files.
    pub fn new(files: &'f Files, out: &'o mut Diagnostics) -> Self {
        let (types, known, waiting) = (vec![Type::any()], HashMap::new(), Vec::new());
        Self { files, out, types, known, waiting, full: false }
    }

    /// Reads the interface whose root this is.
    pub fn api(mut self, root: &'f Node) -> Api {
        let mut schemas = Vec::new();
        let components = root.get("components").and_then(|node| node.get("schemas"));
        for entry in components.and_then(Node::as_mapping).unwrap_or_default() {
            schemas.push((entry.key.as_str().into(), self.type_of(&entry.value)));
        }
        let mut operations = Vec::new();
        for entry in root.get("paths").and_then(Node::as_mapping).unwrap_or_default() {
            self.path_item(entry, &mut operations);
        }
        let mut sent = Vec::new();
        let hooks = root.get("webhooks").and_then(Node::as_mapping).unwrap_or_default();
        for entry in hooks.iter().filter(|entry| entry.key.starts_with('/')) {
            self.path_item(entry, &mut sent);
        }
        while let Some((index, node)) = self.waiting.pop() {
            let read = self.flat(node, 0).into_type();
            if let Some(place) = self.types.get_mut(index.0 as usize) {
                *place = read;
            }
        }
        let servers = root.get("servers").and_then(Node::as_sequence).unwrap_or_default();
        let prefixes = servers.iter().filter_map(|server| prefix(server.get("url")?.as_text()?));
        Api { operations, sent, types: self.types, schemas, prefixes: prefixes.collect() }
    }

    /// The node itself, or what it refers to; none where that is elsewhere or nowhere.
    fn resolved(&mut self, node: &'f Node) -> Option<&'f Node> {
        let mut node = node;
        for _ in 0..DEPTH_MAX {
            let Some(reference) = node.get("$ref") else { return Some(node) };
            node = self.target(node, reference)?;
        }
        None
    }

    fn target(&mut self, node: &'f Node, reference: &'f Node) -> Option<&'f Node> {
        let text = reference.as_text()?;
        match self.files.follow(node, text) {
            Target::Node(target) => Some(target),
            Target::Elsewhere => None,
            Target::Nowhere => {
                let fault = Diagnostic::warning(NO_TARGET, format!("`{text}` leads nowhere"));
                self.out.push(fault.at(reference.span).hint("what stands here is not checked"));
                None
            }
        }
    }

    fn path_item(&mut self, entry: &'f Entry, operations: &mut Vec<Operation>) {
        let Some(item) = self.resolved(&entry.value) else { return };
        let shared: Vec<Parameter> = self.parameters(item);
        for method in METHODS {
            let Some(node) = item.get(method) else { continue };
            let mut parameters = self.parameters(node);
            for parameter in &shared {
                let same = |own: &Parameter| own.place == parameter.place && own.name == parameter.name;
                if !parameters.iter().any(same) {
                    parameters.push(parameter.clone());
                }
            }
            let body = node.get("requestBody").map(|node| match self.resolved(node) {
                Some(body) => self.content(body).unwrap_or(TypeIndex::ANY),
                None => TypeIndex::ANY,
            });
            let answers = self.answers(node);
            let path = entry.key.as_str().into();
            let method = method.to_ascii_uppercase().into();
            operations.push(Operation { method, path, parameters, body, answers });
        }
    }

    fn parameters(&mut self, node: &'f Node) -> Vec<Parameter> {
        let mut list = Vec::new();
        for node in node.get("parameters").and_then(Node::as_sequence).unwrap_or_default() {
            let Some(node) = self.resolved(node) else { continue };
            let (Some(name), Some(place)) =
                (node.get("name").and_then(Node::as_text), node.get("in").and_then(Node::as_text))
            else {
                continue;
            };
            let place = match place {
                "query" => ParameterPlace::Query,
                "header" => ParameterPlace::Header,
                "path" => ParameterPlace::Path,
                _ => continue,
            };
            let ty = match node.get("schema") {
                Some(schema) => self.type_of(schema),
                None => TypeIndex::ANY,
            };
            let required = is_true(node.get("required"));
            list.push(Parameter { place, name: name.into(), ty, required });
        }
        list
    }

    fn answers(&mut self, node: &'f Node) -> Vec<Answer> {
        let mut list = Vec::new();
        for entry in node.get("responses").and_then(Node::as_mapping).unwrap_or_default() {
            let (from, to) = match entry.key.as_str() {
                "default" => (0, 0),
                key => match (key.parse::<u16>(), key.chars().next().and_then(|c| c.to_digit(10))) {
                    (Ok(status), _) => (status, status),
                    (_, Some(hundred))
                        if key.get(1..).is_some_and(|rest| rest.eq_ignore_ascii_case("xx")) =>
                    {
                        let from = u16::try_from(hundred).unwrap_or_default() * 100;
                        (from, from + 99)
                    }
                    _ => continue,
                },
            };
            let body = match self.resolved(&entry.value) {
                Some(answer) if answer.get("content").is_none() => None,
                Some(answer) => Some(self.content(answer).unwrap_or(TypeIndex::ANY)),
                None => Some(TypeIndex::ANY),
            };
            list.push(Answer { from, to, body });
        }
        list
    }

    /// The type of a body: of JSON where there are several media types.
    fn content(&mut self, node: &'f Node) -> Option<TypeIndex> {
        let content = node.get("content")?.as_mapping()?;
        let is_json =
            |entry: &&Entry| entry.key.starts_with("application/json") || entry.key.contains("+json");
        let entry = content.iter().find(is_json).or(content.first())?;
        Some(self.type_of(entry.value.get("schema")?))
    }

    /// The type of a schema; it is read later, so that types may contain themselves.
    fn type_of(&mut self, node: &'f Node) -> TypeIndex {
        // A bare reference is what it refers to, so that two uses of a schema are one type.
        let bare = node.as_mapping().is_some_and(|entries| entries.len() == 1);
        let node = if bare {
            match self.resolved(node) {
                Some(node) => node,
                None => return TypeIndex::ANY,
            }
        } else {
            node
        };
        if let Some(known) = self.known.get(&node.span) {
            return *known;
        }
        if self.types.len() >= TYPES_MAX {
            if !self.full {
                let message = format!("the interface has more than {TYPES_MAX} types");
                self.out.push(Diagnostic::warning(TOO_MUCH, message).at(node.span));
            }
            self.full = true;
            return TypeIndex::ANY;
        }
        let index = TypeIndex(u32::try_from(self.types.len()).unwrap_or(0));
        self.types.push(Type::any());
        self.known.insert(node.span, index);
        self.waiting.push((index, node));
        index
    }

    fn flat(&mut self, node: &'f Node, depth: usize) -> Flat {
        let mut flat = Flat::default();
        if depth > DEPTH_MAX {
            let message = format!("references and combinations are deeper than {DEPTH_MAX} here");
            self.out.push(Diagnostic::warning(TOO_MUCH, message).at(node.span));
            return flat;
        }
        if let Some(reference) = node.get("$ref") {
            match self.target(node, reference) {
                Some(target) => flat = self.flat(target, depth + 1),
                None => return flat,
            }
        }
        flat.and(self.said(node));
        for one in node.get("allOf").and_then(Node::as_sequence).unwrap_or_default() {
            let one = self.flat(one, depth + 1);
            flat.and(one);
        }
        for word in ["anyOf", "oneOf"] {
            let Some(list) = node.get(word).and_then(Node::as_sequence) else { continue };
            let list = list.iter().map(|one| self.flat(one, depth + 1)).collect();
            match Flat::any_of(list) {
                Some(alternatives) => flat.and(alternatives),
                None => flat.rest = Some(Rest::Open),
            }
        }
        flat
    }

    /// What a schema says by itself.
    fn said(&mut self, node: &'f Node) -> Flat {
        let mut flat = Flat::default();
        (flat.kinds, flat.null_only) = kinds(node);
        for entry in node.get("properties").and_then(Node::as_mapping).unwrap_or_default() {
            let read_only = is_true(entry.value.get("readOnly"));
            flat.members.push((entry.key.as_str().into(), self.type_of(&entry.value), read_only));
        }
        let required = node.get("required").and_then(Node::as_sequence).unwrap_or_default();
        flat.required.extend(required.iter().filter_map(Node::as_text).map(Into::into));
        flat.rest = match node.get("additionalProperties") {
            _ if node.get("patternProperties").is_some() => Some(Rest::Open),
            None => None,
            Some(node) => match node.as_text() {
                Some("false") => Some(Rest::Closed),
                Some(_) => Some(Rest::Open),
                None if node.as_mapping().is_some_and(<[Entry]>::is_empty) => Some(Rest::Open),
                None => Some(Rest::Of(self.type_of(node))),
            },
        };
        let items = node.get("items").filter(|items| items.as_mapping().is_some());
        flat.element = items.filter(|_| node.get("prefixItems").is_none()).map(|items| self.type_of(items));
        flat.values = values(node);
        flat.format = node.get("format").and_then(Node::as_text).map(Into::into);
        flat
    }
}

/// Values of `enum` or `const`, `null` left out; none where one is no scalar, as then nothing is compared.
fn values(node: &Node) -> Option<Vec<Box<str>>> {
    let is_null =
        |node: &&Node| node.as_scalar().is_some_and(|text| text.style == Style::Plain && text.is_null());
    let list = node.get("enum").and_then(Node::as_sequence);
    let list = list.map(|list| list.iter().filter(|node| !is_null(node)).collect());
    let list: Vec<&Node> = list.or(node.get("const").map(|node| vec![node]))?;
    list.into_iter().map(|node| node.as_text().map(Into::into)).collect()
}

/// Kinds of `type`, and whether nothing but `null` is among them.
fn kinds(node: &Node) -> (Vec<Kind>, bool) {
    let words: Vec<&str> = match node.get("type") {
        None => Vec::new(),
        Some(node) => match node.as_sequence() {
            Some(list) => list.iter().filter_map(Node::as_text).collect(),
            None => node.as_text().into_iter().collect(),
        },
    };
    (words.iter().filter(|word| **word != "null").map(|word| kind(word)).collect(), words == ["null"])
}

fn kind(word: &str) -> Kind {
    match word {
        "object" => Kind::Object,
        "array" => Kind::Array,
        "string" => Kind::Text,
        "number" => Kind::Number,
        "integer" => Kind::Integer,
        "boolean" => Kind::Boolean,
        _ => Kind::Any,
    }
}

fn is_true(node: Option<&Node>) -> bool {
    node.and_then(Node::as_text) == Some("true")
}

/// The path of a server's address without its last `/`; none where there is no path, or it has variables.
fn prefix(url: &str) -> Option<Box<str>> {
    let path = match url.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => url,
    };
    let path = path.trim_end_matches('/');
    (path.starts_with('/') && !path.contains('{')).then(|| path.into())
}
