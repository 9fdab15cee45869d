//! One schema at a time: JSON Schema as the SDK writes it, to types of facts.

use super::ImportError;
use crate::{
    sonata::facts::{Array, Discriminator, Expression, Form, Kind, Member, Object, Range, Scalar, Type},
    text::yaml::{Entry, Node, Style},
};

/// What says nothing about validity.
const IGNORED: &[&str] = &[
    "description",
    "title",
    "example",
    "examples",
    "$schema",
    "$id",
    "$comment",
    "definitions",
    "externalDocs",
    // In product schemas of ella and fergie, which are JSON Schema draft-07, where it is no keyword: a validator
    // refuses null there, and their sentences say that absence is what null would mean.
    "nullable",
];
/// What makes a schema need a name of its own.
const STRUCTURE: &[&str] =
    &["properties", "required", "allOf", "oneOf", "enum", "discriminator", "minProperties"];
/// What else is understood.
const VALUE: &[&str] = &[
    "type",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "default",
    "readOnly",
    "$ref",
];

/// Names what a `$ref` points at.
pub(super) trait Refs {
    /// Name of the type at `reference`, as written in the current file.
    fn resolve(&mut self, reference: &str) -> Result<String, ImportError>;
}

/// Turns schemas of one file into types.
pub(super) struct Schemas<'r> {
    pub refs: &'r mut dyn Refs,
    /// Types so far; a type stands before those that were lifted out of it.
    pub types: Vec<Type>,
    /// File, for messages.
    pub file: String,
}

impl Schemas<'_> {
    fn fail(&self, name: &str, message: impl Into<String>) -> ImportError {
        ImportError::new(format!("{} {name}", self.file), message)
    }

    /// Defines `name` as this schema says.
    pub fn define(&mut self, name: &str, node: &Node) -> Result<(), ImportError> {
        self.define_here(name, node).map_err(|error| error.within(node.span))
    }

    fn define_here(&mut self, name: &str, node: &Node) -> Result<(), ImportError> {
        self.known(name, node)?;
        let at = self.types.len();
        self.types.push(Type { name: name.to_owned(), ..Type::default() });
        let mut one_of = Vec::new();
        let form = if node.get("$ref").is_some() {
            Form::Value(self.expression(name, node)?)
        } else if node.get("enum").is_some() {
            Form::Enum(self.enumeration(name, node)?)
        } else if is_object(node) {
            let mut object = Object { partial: true, ..Object::default() };
            self.object_part(name, node, &mut object, &mut one_of)?;
            Form::Object(object)
        } else {
            self.alternatives(name, node, &mut one_of)?;
            Form::Value(self.value(name, node)?)
        };
        if let Some(type_) = self.types.get_mut(at) {
            type_.form = form;
            type_.one_of = one_of;
        }
        Ok(())
    }

    /// The expression for a schema in place; what needs a name gets `owner`.
    pub fn expression(&mut self, owner: &str, node: &Node) -> Result<Expression, ImportError> {
        self.expression_here(owner, node).map_err(|error| error.within(node.span))
    }

    fn expression_here(&mut self, owner: &str, node: &Node) -> Result<Expression, ImportError> {
        self.known(owner, node)?;
        if let Some(reference) = node.get("$ref") {
            let reference = reference.as_text().ok_or_else(|| self.fail(owner, "$ref is no text"))?;
            return self.refs.resolve(reference).map(Expression::Named);
        }
        if STRUCTURE.iter().any(|key| present(node, key)) {
            self.define(owner, node)?;
            return Ok(Expression::Named(owner.to_owned()));
        }
        self.value(owner, node)
    }

    /// Adds what one part of an `allOf`, or the schema itself, says of an object.
    fn object_part(
        &mut self,
        owner: &str,
        node: &Node,
        object: &mut Object,
        one_of: &mut Vec<Vec<String>>,
    ) -> Result<(), ImportError> {
        self.known(owner, node)?;
        match text_of(node, "type") {
            Some("object") => object.partial = false,
            None => {}
            Some(other) => return Err(self.fail(owner, format!("members beside type {other}"))),
        }
        for part in list(node, "allOf") {
            match part.get("$ref").and_then(Node::as_text) {
                Some(reference) => object.bases.push(self.refs.resolve(reference)?),
                None => self.object_part(owner, part, object, one_of)?,
            }
        }
        let properties = node.get("properties").and_then(Node::as_mapping).unwrap_or_default();
        // Files of dolly and ella have keywords of an object among its members, where no schema can be meant.
        let slipped = |entry: &&Entry| match entry.key.as_str() {
            "required" => entry.value.as_sequence().is_some(),
            key => IGNORED.contains(&key) && entry.value.as_mapping().is_none(),
        };
        let (slipped, properties): (Vec<_>, Vec<_>) = properties.iter().partition(slipped);
        let slipped = slipped.into_iter().flat_map(|entry| entry.value.as_sequence().unwrap_or_default());
        let required: Vec<&str> =
            list(node, "required").iter().chain(slipped).filter_map(Node::as_text).collect();
        for entry in properties {
            let name = entry.key.as_str();
            if name.ends_with('!') || object.members.iter().any(|member| member.name == name) {
                return Err(self.fail(owner, format!("member {name} cannot be expressed")));
            }
            let is_required = required.contains(&name);
            let member = self.member(&format!("{owner}.{name}"), name, is_required, &entry.value)?;
            object.members.push(member);
        }
        for name in required {
            match object.members.iter_mut().find(|member| member.name == name) {
                Some(member) => member.required = true,
                None => object.require.push(name.to_owned()),
            }
        }
        if let Some(least) = self.count(owner, node, "minProperties")? {
            object.members_min = Some(least);
        }
        self.choice(owner, node, object, one_of)
    }

    /// What an object's discriminator and alternatives say.
    fn choice(
        &mut self,
        owner: &str,
        node: &Node,
        object: &mut Object,
        one_of: &mut Vec<Vec<String>>,
    ) -> Result<(), ImportError> {
        if let Some(discriminator) = node.get("discriminator") {
            object.discriminator = Some(self.discriminator(owner, discriminator)?);
        }
        let mut groups = Vec::new();
        self.alternatives(owner, node, &mut groups)?;
        if let Some(Discriminator::Cases(member, cases)) = &object.discriminator {
            // From kylie on a base lists its derived types besides, of which one must hold: the member tells which.
            let is_told =
                |group: &Vec<String>| group.iter().all(|name| cases.iter().any(|(_, of)| of == name));
            if groups.iter().any(is_told) {
                groups.retain(|group| !is_told(group));
                object.require.retain(|name| name != member);
                if let Some(own) = object.members.iter_mut().find(|own| own.name == *member) {
                    own.required = true;
                } else {
                    let value = Expression::Scalar(Scalar { kind: Kind::String, ..Scalar::default() });
                    let (name, required) = (member.clone(), true);
                    object.members.push(Member { name, required, value, default: None, read_only: false });
                }
            }
        }
        one_of.append(&mut groups);
        Ok(())
    }

    fn discriminator(&mut self, owner: &str, node: &Node) -> Result<Discriminator, ImportError> {
        let member =
            text_of(node, "propertyName").ok_or_else(|| self.fail(owner, "discriminator unnamed"))?;
        let Some(mapping) = node.get("mapping").and_then(Node::as_mapping) else {
            return Ok(Discriminator::Product(member.to_owned()));
        };
        let mut cases = Vec::new();
        for entry in mapping {
            let reference = entry.value.as_text().ok_or_else(|| self.fail(owner, "mapping to no text"))?;
            cases.push((entry.key.clone(), self.refs.resolve(reference)?));
        }
        Ok(Discriminator::Cases(member.to_owned(), cases))
    }

    fn alternatives(
        &mut self,
        owner: &str,
        node: &Node,
        one_of: &mut Vec<Vec<String>>,
    ) -> Result<(), ImportError> {
        let mut group = Vec::new();
        for (index, branch) in list(node, "oneOf").iter().enumerate() {
            let name = if let Some(reference) = branch.get("$ref").and_then(Node::as_text) {
                self.refs.resolve(reference)?
            } else {
                let name = format!("{owner}/{}", index + 1);
                self.define(&name, branch)?;
                name
            };
            group.push(name);
        }
        if !group.is_empty() {
            one_of.push(group);
        }
        Ok(())
    }

    /// A member or a query parameter.
    pub fn member(
        &mut self,
        owner: &str,
        name: &str,
        required: bool,
        node: &Node,
    ) -> Result<Member, ImportError> {
        let value = self.expression(owner, node)?;
        let default = text_of(node, "default").map(str::to_owned);
        let read_only = self.flag(owner, node, "readOnly")?;
        Ok(Member { name: name.to_owned(), required, value, default, read_only })
    }

    fn value(&mut self, owner: &str, node: &Node) -> Result<Expression, ImportError> {
        let kind = match text_of(node, "type") {
            Some("array") => return self.array(owner, node),
            // Two members of celine and dolly have bounds and elements of a list and do not say that they are one.
            None if node.get("items").is_some() => return self.array(owner, node),
            None => Kind::Any,
            Some(word) => Kind::ALL
                .into_iter()
                .find(|kind| kind.word() == word && *kind != Kind::Any)
                .ok_or_else(|| self.fail(owner, format!("unknown type {word}")))?,
        };
        let text = |key: &str| text_of(node, key).map(str::to_owned);
        let length =
            Range { min: self.count(owner, node, "minLength")?, max: self.count(owner, node, "maxLength")? };
        let (min, max) = (self.number(owner, node, "minimum")?, self.number(owner, node, "maximum")?);
        let format = text("format");
        Ok(Expression::Scalar(Scalar { kind, format, length, min, max, pattern: text("pattern") }))
    }

    fn array(&mut self, owner: &str, node: &Node) -> Result<Expression, ImportError> {
        let item = match node.get("items") {
            Some(items) => self.expression(owner, items)?,
            None => Expression::Scalar(Scalar::default()),
        };
        let size =
            Range { min: self.count(owner, node, "minItems")?, max: self.count(owner, node, "maxItems")? };
        let unique = self.flag(owner, node, "uniqueItems")?;
        Ok(Expression::Array(Box::new(Array { item, size, unique })))
    }

    /// Values of an enumeration of texts; other values would need their own form.
    fn enumeration(&self, owner: &str, node: &Node) -> Result<Vec<String>, ImportError> {
        // One enumeration of ella is said to be of objects and lists texts, as it rightly says in the next release.
        if !matches!(text_of(node, "type"), None | Some("string" | "object")) {
            return Err(self.fail(owner, "enumeration of something else than texts"));
        }
        let mut values = Vec::new();
        for value in list(node, "enum") {
            let scalar = value.as_scalar().ok_or_else(|| self.fail(owner, "enumeration of structures"))?;
            let plain = scalar.style == Style::Plain;
            let word = scalar.text.to_ascii_lowercase();
            if plain && matches!(word.as_str(), "" | "~" | "null" | "true" | "false") {
                return Err(self.fail(owner, format!("{} is no text", scalar.text)));
            }
            if plain && crate::json::number::is_number(&scalar.text) {
                return Err(self.fail(owner, format!("{} is no text", scalar.text)));
            }
            values.push(scalar.text.clone());
        }
        Ok(values)
    }

    /// A truth value in any of YAML's spellings; false if it is not there.
    pub fn flag(&self, owner: &str, node: &Node, key: &str) -> Result<bool, ImportError> {
        match text_of(node, key) {
            Some("true" | "True" | "TRUE") => Ok(true),
            None | Some("false" | "False" | "FALSE") => Ok(false),
            Some(other) => Err(self.fail(owner, format!("{key} {other} is no truth value"))),
        }
    }

    /// A number with its digits as they are written; none that stands in quotes, which is a text.
    fn number(&self, owner: &str, node: &Node, key: &str) -> Result<Option<String>, ImportError> {
        let Some(value) = node.get(key) else { return Ok(None) };
        match value.as_scalar() {
            Some(scalar) if scalar.style == Style::Plain && crate::json::number::is_number(&scalar.text) => {
                Ok(Some(scalar.text.clone()))
            }
            scalar => {
                let text = scalar.map_or("a structure", |scalar| scalar.text.as_str());
                let near = scalar.map(|scalar| scalar.text.clone());
                let near = near.filter(|text| crate::json::number::is_number(text));
                let quotes = if near.is_some() { ", as it stands in quotes" } else { "" };
                let error = self.fail(owner, format!("{key} {text} is no number{quotes}")).within(value.span);
                Err(ImportError { near, ..error })
            }
        }
    }

    fn count(&self, owner: &str, node: &Node, key: &str) -> Result<Option<u32>, ImportError> {
        let Some(text) = self.number(owner, node, key)? else { return Ok(None) };
        let no_count = |_| {
            let error = self.fail(owner, format!("{key} {text} is no count"));
            error.within(node.get(key).map_or(node.span, |value| value.span))
        };
        let count = text.parse().map_err(no_count)?;
        Ok(Some(count))
    }

    /// Refuses a keyword that is not understood.
    fn known(&self, owner: &str, node: &Node) -> Result<(), ImportError> {
        let entries = node.as_mapping().ok_or_else(|| self.fail(owner, "no schema"))?;
        let is_known = |key: &str| {
            key.starts_with("x-")
                || [IGNORED, STRUCTURE, VALUE].iter().any(|keywords| keywords.contains(&key))
        };
        match entries.iter().find(|entry| !is_known(&entry.key)) {
            Some(entry) => {
                let known = [IGNORED, STRUCTURE, VALUE].into_iter().flatten().copied();
                let near = crate::text::suggest(&entry.key, known).map(str::to_owned);
                let error = self.fail(owner, format!("unknown keyword {}", entry.key)).within(entry.key_span);
                Err(ImportError { near, ..error })
            }
            None => Ok(()),
        }
    }
}

/// Whether the schema says something of objects' members.
fn is_object(node: &Node) -> bool {
    let members = ["properties", "required", "allOf", "discriminator", "minProperties"];
    members.iter().any(|key| present(node, key))
}

/// Whether a keyword is there and says something; `properties:` without a value does not.
fn present(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_absent())
}

/// The text of a scalar member.
pub(super) fn text_of<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::as_text)
}

/// The elements of a list member; nothing if it is absent.
pub(super) fn list<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).and_then(Node::as_sequence).unwrap_or_default()
}

/// A derived or narrowed type is an object if one of its bases is: says so, for readers.
pub(super) fn settle_partial(types: &mut [Type]) {
    loop {
        let typed: Vec<String> = types
            .iter()
            .filter(|type_| matches!(&type_.form, Form::Object(object) if !object.partial))
            .map(|type_| type_.name.clone())
            .collect();
        let mut changed = false;
        for type_ in types.iter_mut() {
            let Form::Object(object) = &mut type_.form else { continue };
            if object.partial && object.bases.iter().any(|base| typed.contains(base)) {
                object.partial = false;
                changed = true;
            }
        }
        if !changed {
            return;
        }
    }
}
