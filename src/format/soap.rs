//! SOAP 1.1 and 1.2: the envelope around a document, and what is a fault.

use super::{
    FormatError, Names, read,
    tree::{self, Element},
    write,
};
use crate::json::{Builder, Document, Limits};

pub(super) const NAMESPACE_1_1: &str = "http://schemas.xmlsoap.org/soap/envelope/";
pub(super) const NAMESPACE_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";

/// Which SOAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoapVersion {
    /// `text/xml` with a `SOAPAction` header.
    V1_1,
    /// `application/soap+xml`, the action a parameter of it.
    V1_2,
}

/// How a backend speaks SOAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soap {
    /// Which SOAP.
    pub version: SoapVersion,
    /// Path of all calls from the base address, beginning with `/`.
    pub path: Box<str>,
    /// The action of a call; none: empty in SOAP 1.1, left out in SOAP 1.2.
    pub action: Option<Action>,
}

/// The action of a call: the operation's name between two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// Before the name.
    pub before: Box<str>,
    /// Behind it; none where the pattern does not have the name.
    pub after: Option<Box<str>>,
}

impl Action {
    /// Reads `urn:x#{operation}`.
    #[must_use]
    pub fn parse(pattern: &str) -> Self {
        match pattern.split_once("{operation}") {
            Some((before, after)) => Self { before: before.into(), after: Some(after.into()) },
            None => Self { before: pattern.into(), after: None },
        }
    }

    /// The action of one operation.
    #[must_use]
    pub fn of(&self, operation: &str) -> String {
        match &self.after {
            Some(after) => format!("{}{operation}{after}", self.before),
            None => self.before.to_string(),
        }
    }
}

impl SoapVersion {
    fn namespace(self) -> &'static str {
        match self {
            Self::V1_1 => NAMESPACE_1_1,
            Self::V1_2 => NAMESPACE_1_2,
        }
    }

    /// Media type of its messages.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::V1_1 => "text/xml",
            Self::V1_2 => "application/soap+xml",
        }
    }
}

/// A document in an envelope; without one, the operation's name as an empty element.
pub(super) fn wrap(
    version: SoapVersion,
    operation: &str,
    document: Option<&Document>,
    names: &Names,
) -> Result<String, FormatError> {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><soap:Envelope xmlns:soap=\"");
    out.push_str(version.namespace());
    out.push_str("\"><soap:Body>");
    if let Some(document) = document {
        write::one_root(&mut out, document.root(), names)?;
    } else {
        let mut builder = Builder::new();
        let (root, empty) = (builder.object(), builder.object());
        builder.set(root, operation, empty);
        write::one_root(&mut out, builder.finish(root).root(), names)?;
    }
    out.push_str("</soap:Body></soap:Envelope>");
    Ok(out)
}

/// What is in an envelope: the elements of its body as a document, and the code where it is a fault.
pub(super) fn unwrap(
    version: SoapVersion,
    (bytes, content_type): (&[u8], Option<&str>),
    names: &Names,
    limits: &Limits,
) -> Result<(Document, Option<String>), FormatError> {
    let envelope = tree::parse(bytes, content_type, limits)?;
    if envelope.name != "Envelope" {
        return Err(FormatError::Envelope("the root is another element"));
    }
    if envelope.namespace != version.namespace() {
        return Err(FormatError::Envelope("the namespace is that of another version"));
    }
    let bodies = envelope.children.iter().filter(|child| child.name == "Body");
    let mut bodies = bodies.filter(|child| child.namespace == envelope.namespace);
    let (Some(body), None) = (bodies.next(), bodies.next()) else {
        return Err(FormatError::Envelope("it has not one body"));
    };
    let fault = body.child("Fault").filter(|fault| fault.namespace == envelope.namespace);
    match fault {
        Some(fault) => {
            let (code, document) = told(version, fault, names, limits)?;
            Ok((document, Some(code)))
        }
        None => Ok((read::document(&body.children, names, limits)?, None)),
    }
}

/// A fault in one form for both versions: `{ "Fault": { "code", "reason", "detail" } }`. The code is without prefixes,
/// subcodes of SOAP 1.2 behind it as SOAP 1.1 has them: `Sender.NotFound`.
fn told(
    version: SoapVersion,
    fault: &Element,
    names: &Names,
    limits: &Limits,
) -> Result<(String, Document), FormatError> {
    let text = |element: Option<&Element>| element.map(|one| one.text.trim().to_owned()).unwrap_or_default();
    let (code, reason, detail) = match version {
        SoapVersion::V1_1 => {
            let code = without_prefix(&text(fault.child("faultcode"))).to_owned();
            (code, text(fault.child("faultstring")), fault.child("detail"))
        }
        SoapVersion::V1_2 => {
            let mut parts = Vec::new();
            let mut next = fault.child("Code");
            while let Some(code) = next {
                parts.push(without_prefix(&text(code.child("Value"))).to_owned());
                next = code.child("Subcode");
            }
            let reason = text(fault.child("Reason").and_then(|reason| reason.child("Text")));
            (parts.join("."), reason, fault.child("Detail"))
        }
    };
    let mut builder = Builder::new();
    let (root, told) = (builder.object(), builder.object());
    for (name, value) in [("code", code.clone()), ("reason", reason)] {
        let value = builder.string(value);
        builder.set(told, name, value);
    }
    if let Some(detail) = detail {
        let inside = builder.object();
        read::members(&mut builder, inside, &detail.children, names, limits)?;
        if detail.children.is_empty() && !detail.text.trim().is_empty() {
            let text = builder.string(detail.text.as_str());
            builder.set(inside, "#text", text);
        }
        builder.set(told, "detail", inside);
    }
    builder.set(root, "Fault", told);
    Ok((code, builder.finish(root)))
}

fn without_prefix(code: &str) -> &str {
    code.split_once(':').map_or(code, |(_, local)| local)
}
