//! `application/x-www-form-urlencoded`, both ways.

use super::{FormatError, write::unsayable};
use crate::json::{Builder, Document, Kind, Limits, Node};

/// Writes the members of a flat object in their order; an array of scalars repeats its name, null is left out.
pub(super) fn write(document: &Document) -> Result<String, FormatError> {
    let root = document.root();
    if !root.is_object() {
        return Err(unsayable(root, "a form has fields", false));
    }
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, value) in root.members() {
        match value.kind() {
            Kind::Null => {}
            Kind::Array => {
                for element in value.elements() {
                    out.append_pair(&name, &scalar(element)?);
                }
            }
            _ => {
                out.append_pair(&name, &scalar(value)?);
            }
        }
    }
    Ok(out.finish())
}

fn scalar(node: Node<'_>) -> Result<std::borrow::Cow<'_, str>, FormatError> {
    match node.kind() {
        Kind::String => Ok(node.as_str().unwrap_or_default()),
        Kind::Number | Kind::Bool => Ok(node.raw().into()),
        Kind::Null | Kind::Array | Kind::Object => Err(unsayable(node, "a form has no nested fields", false)),
    }
}

/// Reads fields as texts; a name that comes again makes an array.
pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Document, FormatError> {
    let limit = |what, max| Err(FormatError::Limit { what, max });
    if bytes.len() > limits.bytes_max {
        return limit("bytes", limits.bytes_max);
    }
    let mut fields: Vec<(String, Vec<String>)> = Vec::new();
    for (count, (name, value)) in form_urlencoded::parse(bytes).enumerate() {
        if count >= limits.members_max {
            return limit("fields", limits.members_max);
        }
        if name.len().max(value.len()) > limits.string_bytes_max {
            return limit("bytes of one text", limits.string_bytes_max);
        }
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values.push(value.into_owned()),
            None => fields.push((name.into_owned(), vec![value.into_owned()])),
        }
    }
    let mut builder = Builder::new();
    let root = builder.object();
    for (name, values) in fields {
        let mut slots: Vec<_> = values.into_iter().map(|value| builder.string(value)).collect();
        let slot = match (slots.len(), slots.pop()) {
            (1, Some(only)) => only,
            (_, last) => {
                let array = builder.array();
                for slot in slots.into_iter().chain(last) {
                    builder.push(array, slot);
                }
                array
            }
        };
        builder.set(root, name, slot);
    }
    Ok(builder.finish(root))
}
