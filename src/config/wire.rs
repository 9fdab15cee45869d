//! `format:` of a backend: how its messages look.

use super::code;
use crate::{
    format::{Action, Format, Soap, SoapVersion},
    text::{
        Diagnostic, Diagnostics,
        yaml::{Fields, Node, Scalar, choice_of},
    },
};

/// Formats that are a word; `soap` may have settings.
const FORMATS: &[(&str, Word)] = &[
    ("json", Word::Json),
    ("xml", Word::Xml),
    ("soap", Word::Soap),
    ("form", Word::Form),
    ("text", Word::Text),
];

#[derive(Clone, Copy)]
enum Word {
    Json,
    Xml,
    Soap,
    Form,
    Text,
}

/// `json`, another word, or `{ soap: { version, path, action } }`; JSON where nothing is said.
pub(super) fn format(node: Option<&Node>, out: &mut Diagnostics) -> Format {
    let Some(node) = node else { return Format::Json };
    if node.as_mapping().is_some() {
        let Some(mut fields) = Fields::of(node, "`format`", out) else { return Format::Json };
        let settings = fields.require("soap", out);
        fields.finish(out);
        return settings.map_or(Format::Json, |node| soap(Some(node), out));
    }
    match choice_of(node, "format", FORMATS, out) {
        Some(Word::Json) | None => Format::Json,
        Some(Word::Xml) => Format::Xml,
        Some(Word::Form) => Format::Form,
        Some(Word::Text) => Format::Text,
        Some(Word::Soap) => soap(None, out),
    }
}

fn soap(node: Option<&Node>, out: &mut Diagnostics) -> Format {
    let mut fields = Fields::section(node, "`soap`", out);
    let versions = [("1.1", SoapVersion::V1_1), ("1.2", SoapVersion::V1_2)];
    let version = fields.choice("version", &versions, out).unwrap_or(SoapVersion::V1_1);
    let path = fields.scalar("path", out).and_then(|scalar| path(scalar, out));
    let action = fields.scalar("action", out).and_then(|scalar| action(scalar, out));
    fields.finish(out);
    Format::Soap(Soap { version, path: path.unwrap_or_else(|| "/".into()), action })
}

fn path(scalar: &Scalar, out: &mut Diagnostics) -> Option<Box<str>> {
    let text = scalar.text.as_str();
    let parsed =
        text.parse::<http::uri::PathAndQuery>().is_ok() && text.starts_with('/') && !text.contains('#');
    if !parsed {
        let fault = Diagnostic::error(code::BAD_URL, "this is no path").at(scalar.span());
        out.push(fault.hint("write it as \"/services/tickets\"; the host is that of `base_url`"));
    }
    parsed.then(|| text.into())
}

/// What stands in a header between quotes.
fn action(scalar: &Scalar, out: &mut Diagnostics) -> Option<Action> {
    let text = scalar.text.as_str();
    let rest = text.replacen("{operation}", "", 1);
    let good = rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '{' | '}'));
    if !good {
        let fault = Diagnostic::error(code::BAD_URL, "this is no SOAP action").at(scalar.span());
        out.push(fault.hint("write it as \"urn:example:tickets#{operation}\""));
    }
    good.then(|| Action::parse(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Sources, yaml};

    fn read(text: &str) -> Option<Format> {
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let id = sources.add("backend.yaml", text);
        let node = yaml::load(&sources, id, &mut out).unwrap();
        let format = format(node.get("format"), &mut out);
        (!out.has_errors()).then_some(format)
    }

    #[test]
    fn formats_are_words_or_have_settings() {
        let soap = |version, path: &str, action: Option<&str>| {
            Some(Format::Soap(Soap { version, path: path.into(), action: action.map(Action::parse) }))
        };
        let rows = [
            ("a: b", Some(Format::Json)),
            ("format: json", Some(Format::Json)),
            ("format: xml", Some(Format::Xml)),
            ("format: form", Some(Format::Form)),
            ("format: text", Some(Format::Text)),
            ("format: soap", soap(SoapVersion::V1_1, "/", None)),
            ("format: { soap: { version: 1.2 } }", soap(SoapVersion::V1_2, "/", None)),
            (
                "format: { soap: { path: /a/b, action: \"urn:x#{operation}\" } }",
                soap(SoapVersion::V1_1, "/a/b", Some("urn:x#{operation}")),
            ),
            ("format: yaml", None),
            ("format: { json: {} }", None),
            ("format: { soap: { version: 1.3 } }", None),
            ("format: { soap: { path: a } }", None),
            ("format: { soap: { action: \"a b\" } }", None),
            ("format: { soap: { action: '\"' } }", None),
            ("format: { soap: { action: \"{op}\" } }", None),
        ];
        for (text, format) in rows {
            assert_eq!(read(text), format, "{text}");
        }
    }
}
