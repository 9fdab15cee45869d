//! Writing facts: the one form that the importer's output and the committed files have.

use super::{
    Array, Discriminator, Expression, File, Form, Member, Object, Operation, Range, Scalar, Type, token,
};
use std::fmt::{self, Display, Formatter};

/// First line of every file; the number is that of the form.
pub(super) const HEADER: &str = "facts 1";

impl Display for File {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(api) = &self.api {
            writeln!(f, "api {} {} {}", api.function, api.version, api.segment)?;
        }
        for operation in &self.operations {
            write_operation(f, operation)?;
        }
        if !self.products.is_empty() {
            writeln!(f)?;
        }
        for product in &self.products {
            writeln!(f, "product {} {}", token::word(&product.urn), token::word(&product.type_name))?;
        }
        for type_ in &self.types {
            write_type(f, type_)?;
        }
        Ok(())
    }
}

fn write_operation(f: &mut Formatter<'_>, operation: &Operation) -> fmt::Result {
    writeln!(f, "\noperation {} {} {}", operation.method, operation.path, token::word(&operation.id))?;
    for parameter in &operation.query {
        write!(f, "  query ")?;
        write_member(f, parameter)?;
    }
    if let Some(request) = &operation.request {
        writeln!(f, "  request {request}")?;
    }
    for response in &operation.responses {
        write!(f, "  {}", response.status)?;
        if let Some(body) = &response.body {
            write!(f, " {body}")?;
        }
        writeln!(f, "{}", if response.paged { " paged" } else { "" })?;
    }
    Ok(())
}

fn write_type(f: &mut Formatter<'_>, type_: &Type) -> fmt::Result {
    let name = token::word(&type_.name);
    match &type_.form {
        Form::Object(object) => write_object(f, &name, object)?,
        Form::Enum(values) => {
            writeln!(f, "\nenum {name}")?;
            for value in values {
                writeln!(f, "  {}", token::word(value))?;
            }
        }
        Form::Value(value) => writeln!(f, "\nvalue {name} {value}")?,
    }
    for group in &type_.one_of {
        writeln!(f, "  + oneof {}", words(group))?;
    }
    Ok(())
}

fn write_object(f: &mut Formatter<'_>, name: &str, object: &Object) -> fmt::Result {
    let keyword = if object.partial { "partial" } else { "object" };
    write!(f, "\n{keyword} {name}")?;
    if !object.bases.is_empty() {
        write!(f, " : {}", words(&object.bases))?;
    }
    writeln!(f)?;
    for member in &object.members {
        write!(f, "  ")?;
        write_member(f, member)?;
    }
    if !object.require.is_empty() {
        writeln!(f, "  + require {}", words(&object.require))?;
    }
    if let Some(least) = object.members_min {
        writeln!(f, "  + members {least}")?;
    }
    match &object.discriminator {
        None => {}
        Some(Discriminator::Product(member)) => writeln!(f, "  + product {}", token::word(member))?,
        Some(Discriminator::Cases(member, cases)) => {
            for (value, type_name) in cases {
                let member = token::word(member);
                writeln!(f, "  + when {member} {} {}", token::word(value), token::word(type_name))?;
            }
        }
    }
    Ok(())
}

fn write_member(f: &mut Formatter<'_>, member: &Member) -> fmt::Result {
    let mark = if member.required { "!" } else { "" };
    write!(f, "{}{mark} {}", token::word(&member.name), member.value)?;
    if let Some(default) = &member.default {
        write!(f, " default {}", token::word(default))?;
    }
    writeln!(f, "{}", if member.read_only { " readonly" } else { "" })
}

fn words(names: &[String]) -> String {
    names.iter().map(|name| token::word(name)).collect::<Vec<_>>().join(" ")
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Named(name) => f.write_str(&token::word(name)),
            Expression::Scalar(scalar) => scalar.fmt(f),
            Expression::Array(array) => array.fmt(f),
        }
    }
}

impl Display for Scalar {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.word())?;
        if let Some(format) = &self.format {
            write!(f, " format {}", token::word(format))?;
        }
        if !self.length.is_open() {
            write!(f, " length {}", self.length)?;
        }
        if let Some(min) = &self.min {
            write!(f, " min {min}")?;
        }
        if let Some(max) = &self.max {
            write!(f, " max {max}")?;
        }
        if let Some(pattern) = &self.pattern {
            write!(f, " pattern {}", token::word(pattern))?;
        }
        Ok(())
    }
}

impl Display for Array {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", self.item)?;
        if !self.size.is_open() {
            write!(f, " {}", self.size)?;
        }
        f.write_str(if self.unique { " unique" } else { "" })
    }
}

impl Display for Range {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let text = |bound: Option<u32>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        write!(f, "{}..{}", text(self.min), text(self.max))
    }
}
