//! Reading facts. Strict: an unknown word is an error, because facts are written by a program.

use super::{
    Api, Array, Discriminator, Expression, File, Form, Kind, Member, Object, Operation, Product, Range,
    Response, Scalar, Type, token, write::HEADER,
};
use std::{iter::Peekable, vec::IntoIter};

/// Where and why a text is no facts file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct FactsError {
    /// Line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
}

type Words = Peekable<IntoIter<String>>;

/// Reads a facts file.
///
/// # Errors
/// The first line that is not understood.
pub fn read(text: &str) -> Result<File, FactsError> {
    let mut file = File::default();
    for (index, line) in text.lines().enumerate() {
        let fail = |message: String| FactsError { line: index + 1, message };
        if index == 0 {
            if line != HEADER {
                return Err(fail(format!("expected {HEADER:?}")));
            }
            continue;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = token::split(line).map_err(|error| fail(error.to_owned()))?.into_iter().peekable();
        let read = match line.strip_prefix("  ") {
            Some(_) => indented(&mut file, &mut words),
            None => top(&mut file, &mut words),
        };
        read.map_err(fail)?;
        if let Some(word) = words.next() {
            return Err(fail(format!("unexpected {word:?}")));
        }
    }
    Ok(file)
}

fn top(file: &mut File, words: &mut Words) -> Result<(), String> {
    let keyword = next(words)?;
    match keyword.as_str() {
        "api" => {
            let (function, version, segment) = (next(words)?, next(words)?, next(words)?);
            file.api = Some(Api { function, version, segment });
        }
        "operation" => {
            let (method, path, id) = (next(words)?, next(words)?, next(words)?);
            let (query, request, responses) = (Vec::new(), None, Vec::new());
            file.operations.push(Operation { method, path, id, query, request, responses });
        }
        "product" => file.products.push(Product { urn: next(words)?, type_name: next(words)? }),
        "object" | "partial" => {
            let name = next(words)?;
            let mut object = Object { partial: keyword == "partial", ..Object::default() };
            if words.next_if(|word| word == ":").is_some() {
                object.bases = rest(words);
            }
            file.types.push(Type { name, form: Form::Object(object), one_of: Vec::new() });
        }
        "enum" => {
            file.types.push(Type { name: next(words)?, form: Form::Enum(Vec::new()), one_of: Vec::new() });
        }
        "value" => {
            let name = next(words)?;
            let form = Form::Value(expression(words)?);
            file.types.push(Type { name, form, one_of: Vec::new() });
        }
        other => return Err(format!("unknown keyword {other:?}")),
    }
    Ok(())
}

fn indented(file: &mut File, words: &mut Words) -> Result<(), String> {
    let Some(type_) = file.types.last_mut() else {
        return operation_line(file.operations.last_mut().ok_or("nothing to belong to")?, words);
    };
    if words.next_if(|word| word == "+").is_some() {
        return directive(type_, words);
    }
    match &mut type_.form {
        Form::Object(object) => object.members.push(member(words)?),
        Form::Enum(values) => values.push(next(words)?),
        Form::Value(_) => return Err("a value has no members".to_owned()),
    }
    Ok(())
}

fn operation_line(operation: &mut Operation, words: &mut Words) -> Result<(), String> {
    let keyword = next(words)?;
    match keyword.as_str() {
        "query" => operation.query.push(member(words)?),
        "request" => operation.request = Some(expression(words)?),
        status => {
            let status = status.parse().map_err(|_| format!("unknown keyword {status:?}"))?;
            let is_paged = |words: &mut Words| words.next_if(|word| word == "paged").is_some();
            let mut paged = is_paged(words);
            let body = if words.peek().is_some() { Some(expression(words)?) } else { None };
            paged |= is_paged(words);
            operation.responses.push(Response { status, body, paged });
        }
    }
    Ok(())
}

fn directive(type_: &mut Type, words: &mut Words) -> Result<(), String> {
    let keyword = next(words)?;
    if keyword == "oneof" {
        type_.one_of.push(rest(words));
        return Ok(());
    }
    let Form::Object(object) = &mut type_.form else {
        return Err(format!("{keyword:?} belongs to an object"));
    };
    match keyword.as_str() {
        "require" => object.require = rest(words),
        "members" => object.members_min = Some(number(&next(words)?)?),
        "product" => object.discriminator = Some(Discriminator::Product(next(words)?)),
        "when" => {
            let (member, value, type_name) = (next(words)?, next(words)?, next(words)?);
            match &mut object.discriminator {
                Some(Discriminator::Cases(own, cases)) if *own == member => cases.push((value, type_name)),
                None => object.discriminator = Some(Discriminator::Cases(member, vec![(value, type_name)])),
                Some(_) => return Err("two discriminators".to_owned()),
            }
        }
        other => return Err(format!("unknown directive {other:?}")),
    }
    Ok(())
}

fn member(words: &mut Words) -> Result<Member, String> {
    let name = words.next().ok_or("a name is missing")?;
    let (name, required) = if name.starts_with('"') {
        let required = words.next_if(|word| word == "!").is_some();
        (token::text(&name).to_owned(), required)
    } else {
        match name.strip_suffix('!') {
            Some(name) => (name.to_owned(), true),
            None => (name, false),
        }
    };
    let value = expression(words)?;
    let default = if words.next_if(|word| word == "default").is_some() { Some(next(words)?) } else { None };
    let read_only = words.next_if(|word| word == "readonly").is_some();
    Ok(Member { name, required, value, default, read_only })
}

fn expression(words: &mut Words) -> Result<Expression, String> {
    let first = words.next().ok_or("a type is missing")?;
    if first == "[" {
        return array(words);
    }
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == first) else {
        return Ok(Expression::Named(token::text(&first).to_owned()));
    };
    let mut scalar = Scalar { kind, ..Scalar::default() };
    while let Some(keyword) =
        words.next_if(|word| matches!(word.as_str(), "format" | "length" | "min" | "max" | "pattern"))
    {
        let value = next(words)?;
        match keyword.as_str() {
            "format" => scalar.format = Some(value),
            "length" => scalar.length = range(&value)?,
            "min" => scalar.min = Some(value),
            "max" => scalar.max = Some(value),
            _ => scalar.pattern = Some(value),
        }
    }
    Ok(Expression::Scalar(scalar))
}

fn array(words: &mut Words) -> Result<Expression, String> {
    let item = expression(words)?;
    words.next_if(|word| word == "]").ok_or("`]` is missing")?;
    let size = match words.next_if(|word| word.contains("..")) {
        Some(word) => range(&word)?,
        None => Range::default(),
    };
    let unique = words.next_if(|word| word == "unique").is_some();
    Ok(Expression::Array(Box::new(Array { item, size, unique })))
}

fn range(word: &str) -> Result<Range, String> {
    let (min, max) = word.split_once("..").ok_or_else(|| format!("{word:?} is no range"))?;
    let bound = |text: &str| if text.is_empty() { Ok(None) } else { number(text).map(Some) };
    Ok(Range { min: bound(min)?, max: bound(max)? })
}

fn number(word: &str) -> Result<u32, String> {
    word.parse().map_err(|_| format!("{word:?} is no number"))
}

fn next(words: &mut Words) -> Result<String, String> {
    let word = words.next().ok_or("the line ends too early")?;
    Ok(token::text(&word).to_owned())
}

fn rest(words: &mut Words) -> Vec<String> {
    words.map(|word| token::text(&word).to_owned()).collect()
}
