//! One message out, one answer in, in the format of a backend.

use std::borrow::Cow;

use bytes::Bytes;

use super::{
    FormatError, Names, Soap, SoapVersion, charset, form, read, soap,
    write::{self, unsayable},
};
use crate::json::{Builder, Document, Limits};

/// Form of a backend's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Format {
    /// JSON both ways.
    #[default]
    Json,
    /// XML both ways.
    Xml,
    /// SOAP both ways.
    Soap(Soap),
    /// Forms out; what comes in is read by its media type.
    Form,
    /// Plain text: an answer is one string.
    Text,
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// `Content-Type`; visible ASCII, whatever the mapping says.
    pub content_type: Cow<'static, str>,
    /// `SOAPAction`, quotes included.
    pub soap_action: Option<String>,
    /// The body.
    pub body: Bytes,
}

/// An answer, read.
#[derive(Debug, Clone, Default)]
pub struct Incoming {
    /// What it says; none: nothing.
    pub document: Option<Document>,
    /// Where it is a SOAP fault, whatever its status.
    pub fault: Option<Fault>,
}

/// A SOAP fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Its code without prefixes: `Server.NotFound`, `Sender.NotFound`.
    pub code: String,
}

impl Fault {
    /// Whether `code` names this fault, one that holds it (`Server` holds `Server.NotFound`), or all (`*`).
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        let rest = self.code.strip_prefix(code);
        code == "*" || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }

    /// Whether it blames the message: nothing was done.
    #[must_use]
    pub fn blames_sender(&self) -> bool {
        ["Client", "Sender", "MustUnderstand", "VersionMismatch"].iter().any(|code| self.is(code))
    }
}

impl Format {
    /// Its word in a backend's settings.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Soap(_) => "soap",
            Self::Form => "form",
            Self::Text => "text",
        }
    }

    /// Whether its messages are XML.
    #[must_use]
    pub fn is_xml(&self) -> bool {
        matches!(self, Self::Xml | Self::Soap(_))
    }

    /// What a call says that it takes.
    #[must_use]
    pub fn accept(&self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml, text/xml",
            Self::Soap(soap) => soap.version.media_type(),
            Self::Form | Self::Text => "*/*",
        }
    }
}

/// Writes a message. `operation` is that of `call: SOAP …`, which is sent even without a document.
///
/// # Errors
/// [`FormatError::Unsayable`]: the format cannot say the document.
pub fn encode(
    format: &Format,
    names: &Names,
    operation: Option<&str>,
    document: Option<&Document>,
) -> Result<Option<Outgoing>, FormatError> {
    let plain =
        |content_type: Cow<'static, str>, body: Bytes| Outgoing { content_type, soap_action: None, body };
    if let Format::Soap(soap) = format {
        let operation = operation.unwrap_or_default();
        let body = soap::wrap(soap.version, operation, document, names)?.into();
        let action = soap.action.as_ref().map(|action| action.of(operation));
        return Ok(Some(match (soap.version, action) {
            (SoapVersion::V1_1, action) => Outgoing {
                soap_action: Some(format!("\"{}\"", action.unwrap_or_default())),
                ..plain("text/xml; charset=utf-8".into(), body)
            },
            (SoapVersion::V1_2, None) => plain("application/soap+xml; charset=utf-8".into(), body),
            (SoapVersion::V1_2, Some(action)) => {
                plain(format!("application/soap+xml; charset=utf-8; action=\"{action}\"").into(), body)
            }
        }));
    }
    let Some(document) = document else { return Ok(None) };
    Ok(Some(match format {
        Format::Xml => {
            plain("application/xml; charset=utf-8".into(), write::write_xml(document, names)?.into())
        }
        Format::Form => plain("application/x-www-form-urlencoded".into(), form::write(document)?.into()),
        Format::Text => {
            let text = document.root().as_str();
            let text = text.ok_or_else(|| unsayable(document.root(), "plain text has no members", false))?;
            plain("text/plain; charset=utf-8".into(), text.into_owned().into())
        }
        Format::Json | Format::Soap(_) => plain("application/json".into(), document.bytes()),
    }))
}

/// Reads an answer; an empty one says nothing, without being wrong.
///
/// # Errors
/// [`FormatError`]: it is none of this format, or more than `limits` allow.
pub fn decode(
    format: &Format,
    names: &Names,
    (content_type, body): (Option<&str>, &Bytes),
    limits: &Limits,
) -> Result<Incoming, FormatError> {
    if body.is_empty() {
        return Ok(Incoming::default());
    }
    let essence = content_type.and_then(media_type);
    let kind = essence.as_deref().map(kind_of);
    let wrong = |wanted| Err(FormatError::MediaType { found: essence.clone().unwrap_or_default(), wanted });
    let document = |document| Incoming { document: Some(document), fault: None };
    let json = || Document::parse(body.clone(), limits).map_err(|error| FormatError::Json(error.to_string()));
    let xml = || read::read_xml(body, content_type, names, limits);
    let plain = || text(content_type, body).map(|text| string(&text));
    if kind == Some(Kind::Multipart) {
        return Err(FormatError::Multipart);
    }
    match (format, kind) {
        (Format::Json, None) | (Format::Json | Format::Form, Some(Kind::Json)) => Ok(document(json()?)),
        (Format::Xml, None) | (Format::Xml | Format::Form, Some(Kind::Xml)) => Ok(document(xml()?)),
        (Format::Text, None) | (Format::Text | Format::Form, Some(Kind::Text)) => Ok(document(plain()?)),
        (Format::Form, None | Some(Kind::Form)) => Ok(document(form::read(body, limits)?)),
        (Format::Soap(soap), None | Some(Kind::Xml)) => {
            let (document, code) = soap::unwrap(soap.version, (body, content_type), names, limits)?;
            Ok(Incoming { document: Some(document), fault: code.map(|code| Fault { code }) })
        }
        (Format::Json, _) => wrong("JSON"),
        (Format::Xml | Format::Soap(_), _) => wrong("XML"),
        (Format::Form, _) => wrong("a form, JSON, XML or plain text"),
        (Format::Text, _) => wrong("plain text"),
    }
}

/// A body as text, in the character set that its content type names.
///
/// # Errors
/// [`FormatError::Charset`] and [`FormatError::UnknownCharset`].
pub fn text(content_type: Option<&str>, body: &[u8]) -> Result<String, FormatError> {
    let declared = content_type.and_then(charset::declared_in_header);
    let is_xml = content_type.and_then(media_type).is_some_and(|essence| kind_of(&essence) == Kind::Xml);
    let declared = declared.or_else(|| charset::declared_in_xml(body).filter(|_| is_xml));
    charset::decode(body, declared).map(Cow::into_owned)
}

/// The media type of a content type, in lower case and without parameters.
#[must_use]
pub fn media_type(content_type: &str) -> Option<String> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    Some(essence).filter(|essence| !essence.is_empty())
}

/// What a media type promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Xml,
    Form,
    Text,
    Multipart,
    Other,
}

fn kind_of(essence: &str) -> Kind {
    match essence {
        "application/json" | "text/json" => Kind::Json,
        "application/xml" | "text/xml" => Kind::Xml,
        "application/x-www-form-urlencoded" => Kind::Form,
        "text/plain" => Kind::Text,
        other if other.ends_with("+json") => Kind::Json,
        other if other.ends_with("+xml") && other != "application/xop+xml" => Kind::Xml,
        other if other.starts_with("multipart/") || other == "application/xop+xml" => Kind::Multipart,
        _ => Kind::Other,
    }
}

fn string(text: &str) -> Document {
    let mut builder = Builder::new();
    let root = builder.string(text.to_owned());
    builder.finish(root)
}
