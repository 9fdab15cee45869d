//! XML as people read it and as tests compare it: one line an element, one prefix a namespace.

use super::{
    FormatError,
    tree::{self, Element},
    write::escape,
};
use crate::json::Limits;

/// The lines of an XML text that two texts share if they say the same: prefixes are `n0`, `n1`, … in the order of
/// their namespaces' first use, declared at the root; attributes stand in the order of their names; white space
/// between elements, comments and the declaration are left out.
///
/// # Errors
/// [`FormatError`]: it is no XML within the limits of a document.
pub fn lines(text: &str) -> Result<Vec<String>, FormatError> {
    let root = tree::parse(text.as_bytes(), None, &Limits::default())?;
    let mut spaces = Vec::new();
    collect(&root, &mut spaces);
    let mut lines = Vec::new();
    element(&root, 0, &spaces, &mut lines);
    Ok(lines)
}

fn collect(element: &Element, spaces: &mut Vec<String>) {
    let of_attributes = element.attributes.iter().map(|attribute| &attribute.namespace);
    for space in std::iter::once(&element.namespace).chain(of_attributes) {
        if !space.is_empty() && !spaces.contains(space) {
            spaces.push(space.clone());
        }
    }
    for child in &element.children {
        collect(child, spaces);
    }
}

fn qualified(name: &str, namespace: &str, spaces: &[String]) -> String {
    match spaces.iter().position(|space| space == namespace) {
        Some(index) => format!("n{index}:{name}"),
        None => name.to_owned(),
    }
}

fn element(element: &Element, level: usize, spaces: &[String], lines: &mut Vec<String>) {
    let indent = "  ".repeat(level);
    let tag = qualified(&element.name, &element.namespace, spaces);
    let mut line = format!("{indent}<{tag}");
    let mut attribute = |name: &str, value: &str| {
        line.extend([" ", name, "='"]);
        let mut escaped = String::new();
        escape(&mut escaped, value, true);
        line.push_str(&escaped.replace('\'', "&apos;"));
        line.push('\'');
    };
    if level == 0 {
        for (index, space) in spaces.iter().enumerate() {
            attribute(&format!("xmlns:n{index}"), space);
        }
    }
    let mut attributes: Vec<_> = element.attributes.iter().collect();
    attributes.sort_by(|left, right| (&left.name, &left.namespace).cmp(&(&right.name, &right.namespace)));
    for one in attributes {
        attribute(&qualified(&one.name, &one.namespace, spaces), &one.value);
    }
    if element.children.is_empty() && element.text.is_empty() {
        lines.push(line + "/>");
    } else if element.children.is_empty() {
        line.push('>');
        escape(&mut line, &element.text, false);
        lines.push(format!("{line}</{tag}>"));
    } else {
        lines.push(line + ">");
        for child in &element.children {
            self::element(child, level + 1, spaces, lines);
        }
        lines.push(format!("{indent}</{tag}>"));
    }
}
