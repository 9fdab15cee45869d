//! A document to XML.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{FormatError, Names, name, tree::XSI};
use crate::json::{Document, Kind, Node};

/// Levels of elements; no message of a legacy system has more.
const DEPTH_MAX: usize = 64;

const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";

/// Writes a document that is an object with one member, the root element.
///
/// # Errors
/// [`FormatError::Unsayable`]: no single root, a name that is none, an array in an array, text beside elements, a
/// control character.
pub fn write_xml(document: &Document, names: &Names) -> Result<String, FormatError> {
    let mut out = String::from(DECLARATION);
    one_root(&mut out, document.root(), names)?;
    Ok(out)
}

/// The only member of an object as an element that declares the namespaces.
pub(super) fn one_root(out: &mut String, root: Node<'_>, names: &Names) -> Result<(), FormatError> {
    let mut writer = Writer { out, names, depth: 0 };
    let mut members = root.members();
    match (members.next(), members.next()) {
        (Some((name, value)), None) if !value.is_array() => writer.element(&name, value),
        _ => Err(unsayable(root, "XML has one root element", false)),
    }
}

struct Writer<'w> {
    out: &'w mut String,
    names: &'w Names,
    depth: usize,
}

impl Writer<'_> {
    fn element(&mut self, name: &str, value: Node<'_>) -> Result<(), FormatError> {
        if !name::is_name(name) {
            return Err(unsayable(value, "this is no name of an XML element", false));
        }
        if self.depth >= DEPTH_MAX {
            return Err(unsayable(value, "XML is not written this deep", false));
        }
        let tag: Cow<'_, str> = match self.names.prefix(name) {
            Some(number) => format!("n{number}:{name}").into(),
            None => name.into(),
        };
        let _ = write!(self.out, "<{tag}");
        if self.depth == 0 {
            for (number, uri) in self.names.declared() {
                let _ = write!(self.out, " xmlns:n{number}=\"");
                escape(self.out, uri, true);
                self.out.push('"');
            }
        }
        match value.kind() {
            Kind::Array => return Err(unsayable(value, "XML has no array in an array", false)),
            Kind::Null => {
                let _ = write!(self.out, " xmlns:xsi=\"{XSI}\" xsi:nil=\"true\"");
            }
            Kind::Object => {
                for (name, value) in value.members() {
                    if let Some(name) = name.strip_prefix('@') {
                        self.attribute(name, value)?;
                    }
                }
            }
            _ => {}
        }
        self.out.push('>');
        let inside = self.out.len();
        self.depth += 1;
        match value.kind() {
            Kind::Object => self.content(value)?,
            _ => self.scalar(value, false)?,
        }
        self.depth -= 1;
        if self.out.len() == inside {
            self.out.pop();
            self.out.push_str("/>");
        } else {
            let _ = write!(self.out, "</{tag}>");
        }
        Ok(())
    }

    /// What stands between the tags of an object: its text, or its elements.
    fn content(&mut self, object: Node<'_>) -> Result<(), FormatError> {
        let text = object.get("#text");
        let elements = || object.members().filter(|(name, _)| !name.starts_with('@') && name != "#text");
        if let Some(text) = text {
            if elements().next().is_some() {
                return Err(unsayable(text, "text beside elements is not written", false));
            }
            return self.scalar(text, false);
        }
        for (name, value) in elements() {
            if value.is_array() {
                for element in value.elements() {
                    self.element(&name, element)?;
                }
            } else {
                self.element(&name, value)?;
            }
        }
        Ok(())
    }

    /// An absent value writes no attribute.
    fn attribute(&mut self, name: &str, value: Node<'_>) -> Result<(), FormatError> {
        if !name::is_name(name) || name == "xmlns" {
            return Err(unsayable(value, "this is no name of an XML attribute", false));
        }
        if value.is_null() {
            return Ok(());
        }
        let _ = write!(self.out, " {name}=\"");
        self.scalar(value, true)?;
        self.out.push('"');
        Ok(())
    }

    fn scalar(&mut self, value: Node<'_>, attribute: bool) -> Result<(), FormatError> {
        let text = match value.kind() {
            Kind::String => value.as_str().unwrap_or_default(),
            Kind::Number | Kind::Bool => Cow::Borrowed(value.raw()),
            Kind::Null => Cow::Borrowed(""),
            Kind::Array | Kind::Object => {
                return Err(unsayable(value, "this place of XML takes a text", false));
            }
        };
        if !name::is_text(&text) {
            return Err(unsayable(value, "a control character cannot be passed on", true));
        }
        escape(self.out, &text, attribute);
        Ok(())
    }
}

/// So that a reader gets back the very text: line ends and, in attributes, all white space but the blank are references.
pub(super) fn escape(out: &mut String, text: &str, attribute: bool) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' if attribute => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            other => out.push(other),
        }
    }
}

pub(super) fn unsayable(node: Node<'_>, what: &'static str, value: bool) -> FormatError {
    FormatError::Unsayable { pointer: node.pointer(), what, value }
}
