//! One file for all releases whose contract is the same.
//!
//! Contracts are the same if every operation asks and answers the same: same methods, paths, parameters, statuses,
//! and same types by name. Version and segment of the path do not count, nor the order in which a file says things,
//! nor types that no operation reaches; those stand in the index, or say nothing.

use super::{FactsFiles, Imported};
use crate::sonata::{
    Function, Release,
    facts::{Discriminator, Expression, File, Form, Member, Type},
    shelf::{HEADER, PRODUCTS},
};
use std::{collections::BTreeSet, fmt::Write};

/// Name of the index below the folder of facts.
pub(super) const INDEX: &str = "releases";

/// Stores each contract below the oldest release that has it.
pub(super) fn share(releases: Vec<(Release, FactsFiles)>) -> Imported {
    let mut shared = Imported { files: FactsFiles::new(), index: format!("{HEADER}\n") };
    // What is stored, by its path, as it is compared.
    let mut known: Vec<(String, File)> = Vec::new();
    for (release, files) in releases {
        let function = |file: &File| file.api.as_ref().and_then(|api| Function::parse(&api.function));
        let mut files: Vec<_> = files.into_iter().collect();
        files.sort_by_key(|(_, file)| (file.api.is_none(), function(file)));
        for (path, file) in files {
            let plain = plain(&file);
            let stored = known.iter().find(|(_, other)| *other == plain).map(|(path, _)| path.clone());
            let (place, is_new) = stored.map_or_else(|| (path.clone(), true), |place| (place, false));
            let line = match &file.api {
                Some(api) => format!("{release} {} {} {} {place}", api.function, api.version, api.segment),
                None => format!("{release} {PRODUCTS} {place}"),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(shared.index, "{line}");
            if is_new {
                known.push((path.clone(), plain));
                shared.files.insert(path, file);
            }
        }
    }
    shared
}

/// The file as it is compared.
fn plain(file: &File) -> File {
    let mut plain = file.clone();
    if let Some(api) = &mut plain.api {
        api.version.clear();
        api.segment.clear();
        let reached = reached(file);
        plain.types.retain(|type_| reached.contains(type_.name.as_str()));
    }
    plain.operations.sort_by(|one, other| (&one.path, &one.method).cmp(&(&other.path, &other.method)));
    for operation in &mut plain.operations {
        operation.query.sort_by(by_name);
    }
    plain.products.sort_by(|one, other| one.urn.cmp(&other.urn));
    plain.types.sort_by(|one, other| one.name.cmp(&other.name));
    for type_ in &mut plain.types {
        type_.one_of.iter_mut().for_each(|group| group.sort());
        match &mut type_.form {
            Form::Enum(values) => values.sort(),
            Form::Object(object) => {
                object.members.sort_by(by_name);
                object.bases.sort();
                object.require.sort();
                if let Some(Discriminator::Cases(_, cases)) = &mut object.discriminator {
                    cases.sort();
                }
            }
            Form::Value(_) => {}
        }
    }
    plain
}

fn by_name(one: &Member, other: &Member) -> std::cmp::Ordering {
    one.name.cmp(&other.name)
}

/// Names of the types that operations reach.
fn reached(file: &File) -> BTreeSet<&str> {
    let mut waiting: Vec<&str> = Vec::new();
    for operation in &file.operations {
        waiting.extend(operation.query.iter().filter_map(|parameter| named(&parameter.value)));
        waiting.extend(operation.request.iter().filter_map(named));
        let bodies = operation.responses.iter().filter_map(|response| response.body.as_ref());
        waiting.extend(bodies.filter_map(named));
    }
    let mut reached = BTreeSet::new();
    while let Some(name) = waiting.pop() {
        if reached.insert(name) {
            let found = file.types.iter().find(|type_| type_.name == name);
            if let Some(type_) = found {
                names_in(type_, &mut waiting);
            }
        }
    }
    reached
}

fn names_in<'f>(type_: &'f Type, names: &mut Vec<&'f str>) {
    names.extend(type_.one_of.iter().flatten().map(String::as_str));
    match &type_.form {
        Form::Enum(_) => {}
        Form::Value(value) => names.extend(named(value)),
        Form::Object(object) => {
            names.extend(object.bases.iter().map(String::as_str));
            names.extend(object.members.iter().filter_map(|member| named(&member.value)));
            if let Some(Discriminator::Cases(_, cases)) = &object.discriminator {
                names.extend(cases.iter().map(|(_, name)| name.as_str()));
            }
        }
    }
}

/// The type that an expression names, of itself or of its elements.
fn named(expression: &Expression) -> Option<&str> {
    match expression {
        Expression::Named(name) => Some(name),
        Expression::Array(array) => named(&array.item),
        Expression::Scalar(_) => None,
    }
}
