//! The desk's own XML: small trees in, text out, and the SOAP 1.1 envelope around both.

use std::fmt::Write as _;

use quick_xml::{NsReader, events::Event, name::ResolveResult};

const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// Levels of a message.
const DEPTH_MAX: usize = 12;
/// Elements of a message.
const ELEMENTS_MAX: usize = 5_000;

/// One element; attributes have no namespaces here.
#[derive(Debug, Clone, Default)]
pub(super) struct Xml {
    pub name: String,
    pub space: String,
    pub attributes: Vec<(String, String)>,
    pub children: Vec<Xml>,
    pub text: String,
}

impl Xml {
    /// The text of a child, without white space around it; empty counts as absent.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    pub fn all<'x>(&'x self, name: &'x str) -> impl Iterator<Item = &'x Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// As it goes out, in the default namespace that stands around it.
    pub fn write(&self, out: &mut String) {
        let _ = write!(out, "<{}", self.name);
        for (name, value) in &self.attributes {
            let _ = write!(out, " {name}=\"{}\"", quick_xml::escape::escape(value.as_str()));
        }
        out.push('>');
        out.push_str(&quick_xml::escape::escape(self.text.as_str()));
        self.children.iter().for_each(|child| child.write(out));
        let _ = write!(out, "</{}>", self.name);
    }
}

/// The first element of the body of an envelope.
pub(super) fn read(bytes: &[u8]) -> Option<Xml> {
    let root = parse(std::str::from_utf8(bytes).ok()?)?;
    let body = root.child("Body").filter(|body| root.space == ENVELOPE && body.space == ENVELOPE)?;
    body.children.first().cloned()
}

fn parse(text: &str) -> Option<Xml> {
    let mut reader = NsReader::from_str(text);
    let mut open: Vec<Xml> = Vec::new();
    let mut elements = 0;
    loop {
        let (space, event) = reader.read_resolved_event().ok()?;
        let space = match space {
            ResolveResult::Bound(space) => space.into_inner().to_owned(),
            _ => String::new(),
        };
        match event {
            Event::Start(ref start) | Event::Empty(ref start) => {
                elements += 1;
                if open.len() >= DEPTH_MAX || elements > ELEMENTS_MAX {
                    return None;
                }
                let mut element =
                    Xml { name: start.local_name().into_inner().to_owned(), space, ..Xml::default() };
                for attribute in start.attributes() {
                    let attribute = attribute.ok()?;
                    if attribute.key.as_namespace_binding().is_none() {
                        let value =
                            attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?.into_owned();
                        let name = attribute.key.local_name().into_inner().to_owned();
                        element.attributes.push((name, value));
                    }
                }
                if matches!(event, Event::Start(_)) {
                    open.push(element);
                } else {
                    open.last_mut()?.children.push(element);
                }
            }
            Event::End(_) => {
                let done = open.pop()?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Some(done),
                }
            }
            Event::Text(text) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&text.xml10_content());
                }
            }
            Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character = match (reference.resolve_char_ref().ok()?, &*reference) {
                    (Some(character), _) => character,
                    (None, "lt") => '<',
                    (None, "gt") => '>',
                    (None, "amp") => '&',
                    (None, "quot") => '"',
                    (None, "apos") => '\'',
                    (None, _) => return None,
                };
                open.last_mut()?.text.push(character);
            }
            Event::DocType(_) | Event::Eof => return None,
            Event::Comment(_) | Event::PI(_) | Event::Decl(_) => {}
        }
    }
}

/// An envelope with this inside its body.
pub(super) fn envelope(inside: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<SOAP-ENV:Envelope xmlns:SOAP-ENV=\"{ENVELOPE}\">\
         <SOAP-ENV:Body>{inside}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )
    .into_bytes()
}
