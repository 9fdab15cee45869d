//! Constants: from what stands in the file to JSON, typed by the place they are written to.

use crate::json::Document;
use crate::json::number::is_number;
use crate::mapping::path::Literal;
use crate::mapping::program::Constant;
use crate::mapping::schema::Kind;
use crate::text::yaml::{Node, Scalar, Style, Value};

/// The constant that a node stands for at a place of a kind; `None` kind: not known.
///
/// Where the kind is known the text is read as that kind: `007` and `NO` stay texts where text is expected. Where
/// it is not, unquoted numbers, `true`, `false` and `null` are what they look like, and all else is text.
///
/// # Errors
/// One sentence, where the text can never be of the kind.
pub(super) fn constant(node: &Node, kind: Option<Kind>) -> Result<Constant, String> {
    let kind = kind.filter(|kind| *kind != Kind::Any);
    match &node.value {
        Value::Scalar(scalar) => scalar_literal(scalar, kind).map(Constant::Literal),
        Value::Sequence(_) if kind.is_some_and(|kind| kind != Kind::Array) => Err(never("a list", kind)),
        Value::Mapping(_) if kind.is_some_and(|kind| kind != Kind::Object) => Err(never("a mapping", kind)),
        Value::Sequence(list) if list.is_empty() => Ok(Constant::Literal(Literal::EmptyArray)),
        Value::Mapping(entries) if entries.is_empty() => Ok(Constant::Literal(Literal::EmptyObject)),
        _ => document(node).map(Constant::Document),
    }
}

/// The JSON document that a node stands for, kinds not known.
///
/// # Errors
/// One sentence, where it cannot be written as JSON.
pub(super) fn document(node: &Node) -> Result<Document, String> {
    let mut text = String::new();
    write(node, &mut text);
    Document::from_text(&text).map_err(|error| error.to_string())
}

fn write(node: &Node, out: &mut String) {
    match &node.value {
        Value::Scalar(scalar) => match scalar_literal(scalar, None) {
            Ok(Literal::Null) => out.push_str("null"),
            Ok(Literal::Bool(truth)) => out.push_str(if truth { "true" } else { "false" }),
            Ok(Literal::Number(number)) => out.push_str(&number),
            _ => crate::json::writer::write_string(out, &scalar.text),
        },
        Value::Sequence(list) => {
            out.push('[');
            for (index, node) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(node, out);
            }
            out.push(']');
        }
        Value::Mapping(entries) => {
            out.push('{');
            for (index, entry) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                crate::json::writer::write_string(out, &entry.key);
                out.push(':');
                write(&entry.value, out);
            }
            out.push('}');
        }
    }
}

fn scalar_literal(scalar: &Scalar, kind: Option<Kind>) -> Result<Literal, String> {
    let text = scalar.text.as_str();
    let plain = scalar.style == Style::Plain;
    let as_text = || Literal::Text(text.into());
    match kind {
        Some(Kind::Text) => Ok(as_text()),
        Some(Kind::Boolean) => match text {
            "true" => Ok(Literal::Bool(true)),
            "false" => Ok(Literal::Bool(false)),
            _ => Err(never(&format!("`{text}`"), kind)),
        },
        Some(Kind::Number) if is_number(text) => Ok(Literal::Number(text.into())),
        Some(Kind::Integer)
            if crate::json::number::is_number(text) && crate::json::number::is_integer(text) =>
        {
            Ok(Literal::Number(text.into()))
        }
        Some(_) => Err(never(&format!("`{text}`"), kind)),
        None if !plain => Ok(as_text()),
        None => Ok(match text {
            "" | "~" | "null" => Literal::Null,
            "true" => Literal::Bool(true),
            "false" => Literal::Bool(false),
            number if is_number(number) => Literal::Number(number.into()),
            _ => as_text(),
        }),
    }
}

fn never(what: &str, kind: Option<Kind>) -> String {
    format!("{what} can never be {}", kind.map_or("this", Kind::as_str))
}

/// The text of a literal, as enumerations compare it.
pub(super) fn enum_text(literal: &Literal) -> Option<&str> {
    match literal {
        Literal::Text(text) | Literal::Number(text) => Some(text),
        Literal::Bool(true) => Some("true"),
        Literal::Bool(false) => Some("false"),
        _ => None,
    }
}
