//! YAML to the files of a mapping set.

use super::read::{self, key, rules_without_key, sequence, text, texts, wrong};
use super::read_exposed::{exposes, notifies as notifies_of, problems};
use super::read_news::{receives, watches};
use super::read_rule::{named, otherwise, rules};
use super::{
    CodeRow, CodeSide, CodeTable, FunctionFile, NamespaceOf, ProductName, SetFile, Shape, operations,
};
use crate::mapping::codes::CodeType;
use crate::mapping::diagnostic as code;
use crate::text::{
    Diagnostic, Diagnostics, Hint,
    yaml::{Fields, Node, Value},
};

/// Version of the language that this reads.
const LANGUAGE: u64 = 1;

/// Words of `sonata_type:` and `legacy_type:`.
const CODE_TYPES: &[(&str, CodeType)] =
    &[("text", CodeType::Text), ("number", CodeType::Number), ("boolean", CodeType::Boolean)];

/// Keys of function files that are part of the language and not run yet.
const LATER: &[&str] = &["bridge", "copy", "types", "events"];

/// Reads `set.yaml`.
pub fn read_set(node: &Node, out: &mut Diagnostics) -> Option<SetFile> {
    let mut fields = Fields::of(node, "a mapping set", out)?;
    if let Some(entry) = fields.entry("language") {
        let version = crate::text::yaml::integer_of(&entry.value, "language", 1..=u64::from(u32::MAX), out);
        if version.is_some_and(|version| version != LANGUAGE) {
            let message = "this version of the mapping language is not known";
            let fault = Diagnostic::error(code::LANGUAGE, message).at(entry.value.span);
            let hint = Hint::from(format!("write `language: {LANGUAGE}`")).putting(LANGUAGE.to_string());
            out.push(fault.hint(hint));
        }
    } else {
        fields.missing_as("language", &LANGUAGE.to_string(), "", out);
    }
    let products = fields.take("products").map(|node| products(node, out)).unwrap_or_default();
    let set = SetFile {
        release: text(&mut fields, "release", out),
        backend: text(&mut fields, "backend", out),
        products,
        namespaces: fields.take("namespaces").map(|node| namespaces(node, out)).unwrap_or_default(),
        lists: texts(&mut fields, "lists", out),
    };
    fields.finish(out);
    Some(set)
}

fn namespaces(node: &Node, out: &mut Diagnostics) -> Vec<NamespaceOf> {
    let mut list = Vec::new();
    for node in sequence(node, "namespaces", out) {
        let Some(mut fields) = Fields::of(node, "an entry of `namespaces`", out) else { continue };
        let namespace = NamespaceOf {
            span: node.span,
            uri: text(&mut fields, "uri", out),
            elements: texts(&mut fields, "elements", out),
        };
        fields.finish(out);
        if namespace.uri.is_none() && namespace.elements.is_empty() {
            out.push(wrong(node, "a namespace has a `uri`, or `elements` that are in none"));
        }
        list.push(namespace);
    }
    list
}

/// Short names of products, each with the texts of its `@type`.
pub(super) fn products(node: &Node, out: &mut Diagnostics) -> Vec<ProductName> {
    let mut list = Vec::new();
    for (name, node) in named(node, "products", out) {
        let nodes = match &node.value {
            Value::Sequence(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let types: Vec<_> = nodes.iter().filter_map(|node| read::text_of(node, "products", out)).collect();
        if types.is_empty() && nodes.is_empty() {
            out.push(wrong(node, "a product is the text of its `@type`, or a list of them"));
        }
        if !types.is_empty() {
            list.push(ProductName { name, types });
        }
    }
    list
}

/// Reads `codes.yaml`.
pub fn read_codes(node: &Node, out: &mut Diagnostics) -> Vec<CodeTable> {
    named(node, "codes", out).into_iter().map(|(name, node)| table(name, node, out)).collect()
}

/// One code table.
pub(super) fn table(name: super::Text, node: &Node, out: &mut Diagnostics) -> CodeTable {
    if node.as_mapping().is_none() {
        let (sonata_type, legacy_type) = (CodeType::Text, CodeType::Text);
        return CodeTable { name, rows: rows(node, out), otherwise: None, sonata_type, legacy_type };
    }
    let mut table = table(name, &Node { value: Value::Sequence(Vec::new()), ..node.clone() }, out);
    if let Some(mut fields) = Fields::of(node, "a code table", out) {
        table.rows = fields.require("rows", out).map(|node| rows(node, out)).unwrap_or_default();
        table.otherwise = fields.take("otherwise").map(otherwise);
        table.sonata_type = fields.choice("sonata_type", CODE_TYPES, out).unwrap_or_default();
        table.legacy_type = fields.choice("legacy_type", CODE_TYPES, out).unwrap_or_default();
        fields.finish(out);
    }
    table
}

/// The rows of a table.
pub(super) fn rows(node: &Node, out: &mut Diagnostics) -> Vec<CodeRow> {
    sequence(node, "a code table", out).iter().filter_map(|node| row(node, out)).collect()
}

fn row(node: &Node, out: &mut Diagnostics) -> Option<CodeRow> {
    let mut fields = Fields::of(node, "a row of a code table", out)?;
    let sonata = fields.require("sonata", out).and_then(|node| side(node, out));
    let legacy = fields.require("legacy", out).and_then(|node| side(node, out));
    fields.finish(out);
    let (sonata, legacy) = (sonata?, legacy?);
    if let (CodeSide::Absent(_), CodeSide::Absent(span)) = (&sonata, &legacy) {
        out.push(
            Diagnostic::error(code::CODE_ROW, "a row with `absent` on both sides says nothing").at(*span),
        );
        return None;
    }
    Some(CodeRow { span: node.span, sonata, legacy })
}

fn side(node: &Node, out: &mut Diagnostics) -> Option<CodeSide> {
    let nodes = match &node.value {
        Value::Scalar(scalar)
            if scalar.text == "absent" && scalar.style == crate::text::yaml::Style::Plain =>
        {
            return Some(CodeSide::Absent(node.span));
        }
        Value::Sequence(nodes) => nodes.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let values: Vec<_> = nodes.iter().filter_map(|node| read::text_of(node, "a code", out)).collect();
    if nodes.is_empty() {
        out.push(Diagnostic::error(code::CODE_ROW, "this side of the row has no value").at(node.span));
    }
    (!values.is_empty()).then_some(CodeSide::Values(values))
}

/// Reads a file of shapes and operations.
pub fn read_function(node: &Node, out: &mut Diagnostics) -> Option<FunctionFile> {
    let mut fields = Fields::of(node, "a mapping file", out)?;
    let function = text(&mut fields, "function", out);
    let backend = text(&mut fields, "backend", out);
    let shapes = fields.take("shapes").map(|node| shapes(node, out)).unwrap_or_default();
    let entry = fields.entry("operations");
    if let (Some(entry), None) = (entry, &function) {
        let fault =
            Diagnostic::error(code::NO_FUNCTION, "operations belong to a function, and none is named");
        out.push(fault.at(entry.key_span).hint("begin the file with `function: quote`, or the like"));
    }
    let operations = entry.map(|entry| operations(&entry.value, out)).unwrap_or_default();
    let receives = fields.take("receives").map(|node| receives(node, out)).unwrap_or_default();
    let watches = fields.take("watch").map(|node| watches(node, out)).unwrap_or_default();
    let exposed = fields.entry("exposes");
    if let (Some(entry), None) = (exposed, &function) {
        let fault =
            Diagnostic::error(code::NO_FUNCTION, "what is exposed belongs to a function, and none is named");
        out.push(fault.at(entry.key_span).hint("begin the file with `function: quote`, or the like"));
    }
    let exposes = exposed.map(|entry| exposes(&entry.value, function.as_ref(), out)).unwrap_or_default();
    let notifies = fields.take("notifies");
    let notifies = notifies.map(|node| notifies_of(node, function.as_ref(), out)).unwrap_or_default();
    let problems = fields.take("problems").and_then(|node| problems(node, out));
    read::refuse_later(&mut fields, LATER, out);
    fields.finish(out);
    Some(FunctionFile {
        function,
        backend,
        shapes,
        operations,
        receives,
        watches,
        exposes,
        problems,
        notifies,
    })
}

/// The shapes of a file.
pub(super) fn shapes(node: &Node, out: &mut Diagnostics) -> Vec<Shape> {
    let Some(entries) = node.as_mapping() else {
        out.push(wrong(node, "`shapes` is a mapping of names to shapes"));
        return Vec::new();
    };
    let mut list = Vec::new();
    for entry in entries {
        if let Some(fault) = rules_without_key(&entry.value, "a shape") {
            out.push(fault);
            continue;
        }
        let Some(mut fields) = Fields::of(&entry.value, "a shape", out) else { continue };
        let shape = Shape {
            name: key(entry),
            sonata: texts(&mut fields, "sonata", out),
            legacy: text(&mut fields, "legacy", out),
            fields: fields.require("fields", out).map(|node| rules(node, out)).unwrap_or_default(),
        };
        fields.finish(out);
        list.push(shape);
    }
    list
}
