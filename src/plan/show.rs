//! The effective mapping of a partner as text: its set with its overlay over it.

use std::{fmt::Write as _, path::Path};

use super::sets::{overlay_files, read_mappings, subset};
use crate::{
    config::{self, Partner},
    mapping::compile::{read_overlays, read_set_files, show},
    text::{Diagnostics, FileSet, Sources},
};

/// The effective mapping of a partner: the operation `function.operationId`, or all without one, with the shapes
/// that they use, each line with the place where it was written; of every mapping set that its routes speak. None
/// where the folders cannot be read; empty where no set has such an operation.
///
/// What is wrong with the files is not told here: [`super::load()`] does.
#[must_use]
pub fn effective_mapping(config: &Path, partner: &str, operation: Option<&str>) -> Option<String> {
    let settings = config::load(config).settings?;
    let mappings = read_mappings(&settings, &mut Diagnostics::new());
    let partner = settings.partners.get(partner)?;
    let mut sets: Vec<(&str, Vec<String>)> = Vec::new();
    for (index, route) in partner.routes.iter().enumerate() {
        let name = &route.mapping.as_ref().unwrap_or(&partner.mapping).value;
        let place = format!("routes[{index}] to {}", route.backend.value);
        match sets.iter_mut().find(|(own, _)| own == name) {
            Some((_, places)) => places.push(place),
            None => sets.push((name, vec![place])),
        }
    }
    let is_one = sets.len() == 1;
    let mut whole = String::new();
    for (name, places) in sets {
        let text = of_set(&mappings, partner, name, operation)?;
        if !is_one && !text.is_empty() {
            // Writing to a text does not fail.
            let _ = writeln!(whole, "# mapping set {name}: {}", places.join(", "));
        }
        whole.push_str(&text);
    }
    Some(whole)
}

fn of_set(mappings: &FileSet, settings: &Partner, name: &str, operation: Option<&str>) -> Option<String> {
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let set = read_set_files(&subset(mappings, name), &mut sources, &mut out)?;
    let overlays = overlay_files(mappings, settings, name).map(|overlay| {
        let (files, path) = overlay.place();
        read_overlays(files, path, &mut sources, &mut out)
    });
    let effective = set.with(name, &overlays.unwrap_or_default(), &mut out);
    Some(show(&effective, operation, &sources))
}
