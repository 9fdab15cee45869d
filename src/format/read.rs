//! XML to a document.

use std::collections::HashMap;

use super::{
    FormatError, Names,
    tree::{self, Element, XSI},
};
use crate::json::{Builder, Document, Limits, Slot};

/// Namespaces whose attributes speak about the message, not about its matter.
const ABOUT: [&str; 3] = [XSI, super::soap::NAMESPACE_1_1, super::soap::NAMESPACE_1_2];

/// Reads an XML document: an object with the root's name as its only member.
///
/// # Errors
/// [`FormatError`]: not well-formed, a document type, an entity, mixed content, or more than `limits` allow.
pub fn read_xml(
    bytes: &[u8],
    content_type: Option<&str>,
    names: &Names,
    limits: &Limits,
) -> Result<Document, FormatError> {
    let root = tree::parse(bytes, content_type, limits)?;
    document(std::slice::from_ref(&root), names, limits)
}

/// Elements beside each other as the members of a document.
pub(super) fn document(
    elements: &[Element],
    names: &Names,
    limits: &Limits,
) -> Result<Document, FormatError> {
    let mut builder = Builder::new();
    let root = builder.object();
    members(&mut builder, root, elements, names, limits)?;
    Ok(builder.finish(root))
}

/// Puts elements into an object, those of one name into an array where they are several or a list.
pub(super) fn members<'t>(
    builder: &mut Builder<'t>,
    object: Slot,
    elements: &'t [Element],
    names: &Names,
    limits: &Limits,
) -> Result<(), FormatError> {
    let mut groups: Vec<Vec<&'t Element>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for element in elements {
        let place = *places.entry(&element.name).or_insert(groups.len());
        match groups.get_mut(place) {
            None => groups.push(vec![element]),
            Some(group) if group.first().is_some_and(|other| other.namespace != element.namespace) => {
                return Err(FormatError::Ambiguous(element.name.clone()));
            }
            Some(group) => group.push(element),
        }
    }
    if groups.len() > limits.members_max {
        return Err(FormatError::Limit { what: "names in one element", max: limits.members_max });
    }
    for group in groups {
        let Some(first) = group.first() else { continue };
        let name = first.name.as_str();
        if group.len() == 1 && !names.is_list(name) {
            let slot = value(builder, first, names, limits)?;
            builder.set(object, name, slot);
            continue;
        }
        let array = builder.array();
        for element in group {
            let slot = value(builder, element, names, limits)?;
            builder.push(array, slot);
        }
        builder.set(object, name, array);
    }
    Ok(())
}

/// Bounded by the depth that the tree was read with.
fn value<'t>(
    builder: &mut Builder<'t>,
    element: &'t Element,
    names: &Names,
    limits: &Limits,
) -> Result<Slot, FormatError> {
    if element.is_nil() {
        return Ok(builder.null());
    }
    let mut attributes = element.attributes.iter().filter(|one| !ABOUT.contains(&one.namespace.as_str()));
    let Some(first) = attributes.next() else {
        if element.children.is_empty() {
            return Ok(builder.string(element.text.as_str()));
        }
        let object = builder.object();
        members(builder, object, &element.children, names, limits)?;
        return Ok(object);
    };
    let object = builder.object();
    for attribute in std::iter::once(first).chain(attributes) {
        let name = format!("@{}", attribute.name);
        // `p:xmlns` is a name that could not be written again.
        if builder.has(object, &name) || attribute.name == "xmlns" {
            return Err(FormatError::Ambiguous(attribute.name.clone()));
        }
        let text = builder.string(attribute.value.as_str());
        builder.set(object, name, text);
    }
    if !element.children.is_empty() {
        members(builder, object, &element.children, names, limits)?;
    } else if !element.text.is_empty() {
        let text = builder.string(element.text.as_str());
        builder.set(object, "#text", text);
    }
    Ok(object)
}
