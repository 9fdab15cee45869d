//! The files of a case: HTTP messages written as JSON, bodies kept to the letter.

use bytes::Bytes;

use crate::{
    format,
    json::{Builder, Document, Kind, Node, writer::write_string},
};

/// A request as a file of a case has it.
#[derive(Debug, Clone, Default)]
pub struct RequestFile {
    /// HTTP method; the file's first member name.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Headers beside those that the player sets itself.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
}

/// A response as a file of a case has it.
#[derive(Debug, Clone, Default)]
pub struct ResponseFile {
    /// HTTP status; 0 in a file that only says how the call fails.
    pub status: u16,
    /// Headers that count; others are not compared.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// How the call fails instead of being answered: one of [`FAULTS`].
    pub fault: Option<String>,
}

/// A body in one of the forms that a file can hold.
#[derive(Debug, Clone, Default)]
pub enum Body {
    /// No body.
    #[default]
    None,
    /// `body`: JSON, kept as written in the file.
    Json(Document),
    /// `xml`: lines of XML, as [`format::lines`] writes them.
    Xml(Document),
    /// `text`: any text, `hex`: any bytes.
    Raw(Bytes),
}

impl Body {
    /// The body as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        match self {
            Self::None => Bytes::new(),
            Self::Json(document) => document.bytes(),
            Self::Xml(lines) => {
                let lines = lines.root().elements().filter_map(Node::as_str).collect::<Vec<_>>();
                lines.join("\n").into()
            }
            Self::Raw(bytes) => bytes.clone(),
        }
    }

    /// What was sent or answered, in the form in which a file would hold it.
    #[must_use]
    pub fn of(bytes: &Bytes) -> Self {
        if bytes.is_empty() {
            return Self::None;
        }
        if let Some(xml) = std::str::from_utf8(bytes).ok().and_then(Self::xml) {
            return xml;
        }
        Document::parse(bytes.clone(), &crate::json::Limits::default())
            .map_or_else(|_| Self::Raw(bytes.clone()), Self::Json)
    }

    /// XML as its lines, so that two texts that say the same are the same body; none for any other text.
    fn xml(text: &str) -> Option<Self> {
        let lines = Some(text).filter(|text| text.starts_with('<'))?;
        let lines = format::lines(lines).ok()?;
        let mut builder = Builder::new();
        let root = builder.array();
        for line in lines {
            let line = builder.string(line);
            builder.push(root, line);
        }
        Some(Self::Xml(builder.finish(root)))
    }
}

/// Why a file is no message of a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not JSON, or not within its limits.
    #[error("not JSON: {0}")]
    Json(String),
    /// A member that a message does not have, or of another kind.
    #[error("{0}")]
    Form(String),
}

/// How a call may fail in a case.
pub const FAULTS: [&str; 5] = ["connect", "timeout", "closed", "too-large", "overloaded"];

const METHODS: [&str; 5] = ["GET", "POST", "PATCH", "PUT", "DELETE"];

impl RequestFile {
    /// Reads `{ "POST": path, "headers": {…}, "body": … }`.
    ///
    /// # Errors
    /// [`MessageError`] names the member that does not fit.
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        let document = Document::from_text(text).map_err(|error| MessageError::Json(error.to_string()))?;
        let mut file = Self::default();
        for (name, value) in document.root().members() {
            match name.as_ref() {
                method if METHODS.contains(&method) => {
                    method.clone_into(&mut file.method);
                    file.path = text_of(&name, value)?;
                }
                "headers" => file.headers = headers(value)?,
                _ => file.body = body(&name, value)?,
            }
        }
        if file.method.is_empty() {
            return Err(MessageError::Form(
                "a request begins with its method: { \"POST\": \"/path\" }".into(),
            ));
        }
        Ok(file)
    }

    /// The file's text: what [`RequestFile::parse`] reads, for people.
    #[must_use]
    pub fn print(&self) -> String {
        let mut members = vec![(self.method.clone(), quoted(&self.path))];
        print_rest(&mut members, &self.headers, &self.body);
        print_members(&members)
    }
}

impl ResponseFile {
    /// Reads `{ "status": 201, "headers": {…}, "body": … }` or `{ "fault": "timeout" }`.
    ///
    /// # Errors
    /// [`MessageError`] names the member that does not fit.
    pub fn parse(text: &str) -> Result<Self, MessageError> {
        let document = Document::from_text(text).map_err(|error| MessageError::Json(error.to_string()))?;
        let mut file = Self::default();
        for (name, value) in document.root().members() {
            match name.as_ref() {
                "status" => {
                    let status = value.as_i64().and_then(|number| u16::try_from(number).ok());
                    file.status = status.ok_or_else(|| MessageError::Form("`status` is a number".into()))?;
                }
                "fault" => file.fault = Some(fault(&text_of(&name, value)?)?),
                "headers" => file.headers = headers(value)?,
                _ => file.body = body(&name, value)?,
            }
        }
        if file.status == 0 && file.fault.is_none() {
            return Err(MessageError::Form("a response has a `status` or a `fault`".into()));
        }
        Ok(file)
    }

    /// The file's text: what [`ResponseFile::parse`] reads, for people.
    #[must_use]
    pub fn print(&self) -> String {
        let mut members = Vec::new();
        if let Some(fault) = &self.fault {
            members.push(("fault".to_owned(), quoted(fault)));
        } else {
            members.push(("status".to_owned(), self.status.to_string()));
        }
        print_rest(&mut members, &self.headers, &self.body);
        print_members(&members)
    }
}

fn fault(word: &str) -> Result<String, MessageError> {
    if FAULTS.contains(&word) {
        return Ok(word.to_owned());
    }
    Err(MessageError::Form(format!("`{word}` is no fault: write one of {}", FAULTS.join(", "))))
}

fn text_of(name: &str, value: Node<'_>) -> Result<String, MessageError> {
    let text = value.as_str().ok_or_else(|| MessageError::Form(format!("`{name}` is a text")))?;
    Ok(text.into_owned())
}

fn headers(value: Node<'_>) -> Result<Vec<(String, String)>, MessageError> {
    let pairs = value.members().map(|(name, value)| Ok((name.to_ascii_lowercase(), text_of(&name, value)?)));
    pairs.collect()
}

fn xml(value: Node<'_>) -> Result<Body, MessageError> {
    let lines: Option<Vec<_>> = value.elements().map(Node::as_str).collect();
    let text = lines.map(|lines| lines.join("\n")).or(value.as_str().map(Into::into));
    let body = text.as_deref().and_then(|text| Body::xml(text.trim()));
    body.ok_or_else(|| MessageError::Form("`xml` is the lines of well-formed XML, or one text".into()))
}

fn hex(text: &str) -> Result<Body, MessageError> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let pairs = digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16));
    let bytes = pairs.collect::<Result<Vec<u8>, _>>();
    bytes
        .map(|bytes| Body::Raw(bytes.into()))
        .map_err(|_| MessageError::Form("`hex` is pairs of hexadecimal digits".into()))
}

fn body(name: &str, value: Node<'_>) -> Result<Body, MessageError> {
    match name {
        "body" => Ok(Body::Json(Document::of(value))),
        "xml" => xml(value),
        "text" => Ok(Body::Raw(text_of(name, value)?.into())),
        "hex" => hex(&text_of(name, value)?),
        _ => Err(MessageError::Form(format!(
            "`{name}` is no member of a message: it has a method or `status`, `headers`, and `body`, `xml`, `text`, `hex` or `fault`"
        ))),
    }
}

fn print_rest(members: &mut Vec<(String, String)>, headers: &[(String, String)], body: &Body) {
    if !headers.is_empty() {
        let pairs: Vec<String> =
            headers.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value))).collect();
        members.push(("headers".to_owned(), format!("{{ {} }}", pairs.join(", "))));
    }
    match body {
        Body::None => {}
        Body::Json(document) => {
            let mut text = String::new();
            print_node(&mut text, document.root(), 1);
            members.push(("body".to_owned(), text));
        }
        Body::Xml(lines) => {
            let mut text = String::new();
            print_node(&mut text, lines.root(), 1);
            members.push(("xml".to_owned(), text));
        }
        Body::Raw(bytes) => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                members.push(("text".to_owned(), quoted(text)));
            } else {
                let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
                let hex: String = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
                members.push(("hex".to_owned(), quoted(&hex)));
            }
        }
    }
}

fn print_members(members: &[(String, String)]) -> String {
    let lines: Vec<String> =
        members.iter().map(|(name, value)| format!("  {}: {value}", quoted(name))).collect();
    format!("{{\n{}\n}}\n", lines.join(",\n"))
}

/// Widest container that is printed on one line, in characters.
const LINE_MAX: usize = 90;

/// Prints a node for people, two blanks a level; short containers of scalars stay on one line. Texts and numbers
/// stay as they are to the letter.
pub fn print_node(out: &mut String, node: Node<'_>, level: usize) {
    let flat =
        || node.values().all(|value| !matches!(value.kind(), Kind::Object | Kind::Array) || value.is_empty());
    match node.kind() {
        Kind::Object | Kind::Array if node.is_empty() => {
            out.push_str(if node.is_object() { "{}" } else { "[]" });
        }
        Kind::Object | Kind::Array => {
            let (open, close) = if node.is_object() { ("{", "}") } else { ("[", "]") };
            let children = print_children(node, level + 1);
            let width: usize = children.iter().map(|child| child.chars().count() + 2).sum();
            if flat() && width + 2 * level < LINE_MAX && !node.raw().contains('\n')
                || flat() && width < LINE_MAX / 2
            {
                out.extend([open, " ", &children.join(", "), " ", close]);
            } else {
                let indent = "  ".repeat(level + 1);
                let body = children.join(&format!(",\n{indent}"));
                out.extend([open, "\n", &indent, &body, "\n", &"  ".repeat(level), close]);
            }
        }
        _ => out.push_str(node.raw()),
    }
}

fn print_children(node: Node<'_>, level: usize) -> Vec<String> {
    let mut children = Vec::new();
    for value in node.values() {
        let mut text = String::new();
        if let Some(name) = value.name() {
            text = format!("{}: ", quoted(&name));
        }
        print_node(&mut text, value, level);
        children.push(text);
    }
    children
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    write_string(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_printed_message_reads_back() {
        let text = r#"{ "POST": "/quote?buyerId=a", "headers": { "X-A": "b" }, "body": { "n": 1.10, "a": [{ "s": "\u0041" }] } }"#;
        let file = RequestFile::parse(text).unwrap();
        let again = RequestFile::parse(&file.print()).unwrap();
        assert_eq!((again.method.as_str(), again.path.as_str()), ("POST", "/quote?buyerId=a"));
        assert_eq!(again.headers, [("x-a".to_owned(), "b".to_owned())]);
        assert!(file.print().contains("1.10") && file.print().contains(r"\u0041"));
    }

    #[test]
    fn bodies_that_are_no_json() {
        let file = ResponseFile::parse(r#"{ "status": 502, "text": "<html>" }"#).unwrap();
        assert_eq!(file.body.bytes(), "<html>");
        let file = RequestFile::parse(r#"{ "POST": "/q", "hex": "7b ff" }"#).unwrap();
        assert_eq!(file.body.bytes(), Bytes::from_static(&[0x7b, 0xff]));
        assert!(file.print().contains("7bff"));
    }

    #[test]
    fn xml_is_compared_by_what_it_says() {
        let file = RequestFile::parse(
            r#"{ "POST": "/s", "xml": [ "<a xmlns='u' c='1' b='2'>", " <d/>", "</a>" ] }"#,
        );
        let other = Bytes::from("<?xml version='1.0'?><x:a xmlns:x='u' b='2' c=\"1\"><x:d></x:d></x:a>");
        let (Body::Xml(left), Body::Xml(right)) = (file.unwrap().body, Body::of(&other)) else { panic!() };
        assert_eq!(left.text(), right.text());
        let printed = ResponseFile { status: 200, body: Body::of(&other), ..ResponseFile::default() }.print();
        let again = ResponseFile::parse(&printed).unwrap();
        assert_eq!(again.body.bytes(), Body::of(&other).bytes(), "{printed}");
        assert!(RequestFile::parse(r#"{ "POST": "/s", "xml": [ "<a>" ] }"#).is_err());
        assert!(RequestFile::parse(r#"{ "POST": "/s", "xml": {} }"#).is_err());
    }

    #[test]
    fn what_is_no_message() {
        assert!(RequestFile::parse("{}").is_err());
        assert!(ResponseFile::parse("{}").is_err());
        assert!(ResponseFile::parse(r#"{ "fault": "timeout" }"#).is_ok());
        let misspelt = ResponseFile::parse(r#"{ "fault": "time-out" }"#).unwrap_err().to_string();
        assert!(misspelt.contains("time-out") && misspelt.contains("timeout"), "{misspelt}");
        assert!(
            RequestFile::parse(r#"{ "POST": "/q", "bodi": {} }"#).unwrap_err().to_string().contains("bodi")
        );
    }
}
