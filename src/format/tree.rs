//! XML as a tree of elements, read under limits. Everything else in this room works on it.

use std::borrow::Cow;

use quick_xml::{
    NsReader,
    events::{BytesStart, Event},
    name::ResolveResult,
};

use super::{FormatError, charset, name};
use crate::json::Limits;

/// `xsi:nil` and its like.
pub(super) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Most attributes of one element, declarations of namespaces included.
const ATTRIBUTES_MAX: usize = 256;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub name: String,
    /// Empty: none.
    pub namespace: String,
    pub attributes: Vec<Attribute>,
    pub children: Vec<Element>,
    /// Everything between the tags that is no element; only white space where there are children.
    pub text: String,
}

/// One attribute that is no declaration of a namespace.
#[derive(Debug)]
pub(super) struct Attribute {
    pub name: String,
    /// Empty: none.
    pub namespace: String,
    pub value: String,
}

impl Element {
    /// Whether `xsi:nil` says that there is no value.
    pub fn is_nil(&self) -> bool {
        let mut nil = self.attributes.iter().filter(|one| one.namespace == XSI && one.name == "nil");
        nil.any(|one| matches!(one.value.trim(), "true" | "1"))
    }

    /// The child of this name, whatever its namespace.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }
}

/// Reads one document; `content_type` may declare its character set.
pub(super) fn parse(
    bytes: &[u8],
    content_type: Option<&str>,
    limits: &Limits,
) -> Result<Element, FormatError> {
    if bytes.len() > limits.bytes_max {
        return Err(FormatError::Limit { what: "bytes", max: limits.bytes_max });
    }
    let declared = content_type.and_then(charset::declared_in_header);
    let text = charset::decode(bytes, declared.or_else(|| charset::declared_in_xml(bytes)))?;
    Parser { reader: NsReader::from_str(&text), limits, nodes: 0, open: Vec::new(), root: None }.run()
}

struct Parser<'t> {
    reader: NsReader<&'t [u8]>,
    limits: &'t Limits,
    nodes: usize,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Parser<'_> {
    fn run(mut self) -> Result<Element, FormatError> {
        loop {
            let offset = self.reader.buffer_position();
            let event = self.reader.read_resolved_event();
            let (namespace, event) = event.map_err(|error| syntax(offset, error.to_string()))?;
            let namespace = match (&event, namespace) {
                (Event::Start(_) | Event::Empty(_), namespace) => uri(&namespace, offset)?,
                _ => String::new(),
            };
            match event {
                Event::Start(start) => self.begin(&start, namespace, offset)?,
                Event::Empty(start) => {
                    self.begin(&start, namespace, offset)?;
                    self.end()?;
                }
                Event::End(_) => self.end()?,
                Event::Text(text) => self.text(&text.xml10_content(), offset)?,
                Event::CData(text) if self.open.is_empty() => {
                    return Err(syntax(offset, format!("{} bytes outside the root", text.len())));
                }
                Event::CData(text) => self.text(&text.xml10_content(), offset)?,
                Event::GeneralRef(reference) => {
                    let character = reference.resolve_char_ref();
                    let character = character.map_err(|error| syntax(offset, error.to_string()))?;
                    let character = match (character, &*reference) {
                        (Some(character), _) => character,
                        (None, "lt") => '<',
                        (None, "gt") => '>',
                        (None, "amp") => '&',
                        (None, "quot") => '"',
                        (None, "apos") => '\'',
                        (None, _) => return Err(FormatError::Entity),
                    };
                    if self.open.is_empty() {
                        return Err(syntax(offset, "text outside the root".to_owned()));
                    }
                    self.text(character.encode_utf8(&mut [0; 4]), offset)?;
                }
                Event::DocType(_) => return Err(FormatError::Doctype),
                Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
                Event::Eof => break,
            }
        }
        let end = self.reader.buffer_position();
        if !self.open.is_empty() {
            return Err(syntax(end, "an element is not closed".to_owned()));
        }
        self.root.ok_or_else(|| syntax(end, "no element".to_owned()))
    }

    fn begin(&mut self, start: &BytesStart<'_>, namespace: String, offset: u64) -> Result<(), FormatError> {
        if self.open.is_empty() && self.root.is_some() {
            return Err(syntax(offset, "a second root".to_owned()));
        }
        if self.open.len() >= self.limits.depth_max {
            return Err(FormatError::Limit { what: "levels", max: self.limits.depth_max });
        }
        let mut element = Element {
            name: self.name(start.local_name().into_inner(), offset)?,
            namespace,
            ..Element::default()
        };
        self.count()?;
        for (index, attribute) in start.attributes().enumerate() {
            if index >= ATTRIBUTES_MAX {
                return Err(FormatError::Limit { what: "attributes of an element", max: ATTRIBUTES_MAX });
            }
            let attribute = attribute.map_err(|error| syntax(offset, error.to_string()))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            self.count()?;
            let (namespace, name) = self.reader.resolver().resolve_attribute(attribute.key);
            let (namespace, name) = (uri(&namespace, offset)?, self.name(name.into_inner(), offset)?);
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
            let value = value.map_err(|_| FormatError::Entity)?;
            self.fits(value.len())?;
            if !name::is_text(&value) || attribute.value.contains('<') {
                return Err(syntax(offset, "a character that XML does not have".to_owned()));
            }
            if element.attributes.iter().any(|one| one.name == name && one.namespace == namespace) {
                return Err(syntax(offset, "an attribute twice".to_owned()));
            }
            element.attributes.push(Attribute { name, namespace, value: value.into_owned() });
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) -> Result<(), FormatError> {
        let Some(element) = self.open.pop() else { return Ok(()) };
        if !element.children.is_empty() && !element.text.trim_matches(WHITE).is_empty() {
            return Err(FormatError::Mixed(element.name));
        }
        match self.open.last_mut() {
            Some(parent) => {
                if parent.children.len() >= self.limits.elements_max {
                    return Err(FormatError::Limit {
                        what: "elements in an element",
                        max: self.limits.elements_max,
                    });
                }
                parent.children.push(element);
            }
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str, offset: u64) -> Result<(), FormatError> {
        if !name::is_text(text) {
            return Err(syntax(offset, "a character that XML does not have".to_owned()));
        }
        let Some(element) = self.open.last_mut() else {
            let blank = text.trim_matches(WHITE).is_empty();
            return if blank { Ok(()) } else { Err(syntax(offset, "text outside the root".to_owned())) };
        };
        let max = self.limits.string_bytes_max;
        if element.text.len() + text.len() > max {
            return Err(FormatError::Limit { what: "bytes of one text", max });
        }
        element.text.push_str(text);
        Ok(())
    }

    fn count(&mut self) -> Result<(), FormatError> {
        self.nodes += 1;
        let max = self.limits.nodes_max;
        if self.nodes > max {
            return Err(FormatError::Limit { what: "elements and attributes", max });
        }
        Ok(())
    }

    fn fits(&self, bytes: usize) -> Result<(), FormatError> {
        let max = self.limits.string_bytes_max;
        if bytes > max { Err(FormatError::Limit { what: "bytes of one text", max }) } else { Ok(()) }
    }

    fn name(&self, text: &str, offset: u64) -> Result<String, FormatError> {
        self.fits(text.len())?;
        if name::is_name(text) {
            Ok(text.to_owned())
        } else {
            Err(syntax(offset, "a name that is none".to_owned()))
        }
    }
}

/// White space as XML has it.
pub(super) const WHITE: [char; 4] = [' ', '\t', '\n', '\r'];

fn uri(resolved: &ResolveResult<'_>, offset: u64) -> Result<String, FormatError> {
    match resolved {
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Bound(namespace) => {
            // A reference in a namespace's name is legal, and nobody writes one.
            let text: Cow<'_, str> = namespace.into_inner().into();
            Ok(text.into_owned())
        }
        ResolveResult::Unknown(_) => Err(syntax(offset, "a prefix without a namespace".to_owned())),
    }
}

fn syntax(offset: u64, detail: String) -> FormatError {
    FormatError::Syntax { offset, detail }
}
