//! The effective mapping of a partner as text: its set with its overlay over it.

use std::path::Path;

use super::sets::{partner_files, read_mappings};
use crate::{
    config::{self, Partner},
    mapping::compile::{effective, read_overlay_file, read_set_files, show},
    text::{Diagnostics, FileSet, Sources},
};

/// The effective mapping of a partner: the operation `function.operationId`, or all without one, with the shapes
/// that they use, each line with the place where it was written. None where the folders cannot be read; empty
/// where the mapping has no such operation.
///
/// What is wrong with the files is not told here: [`super::load()`] does.
#[must_use]
pub fn effective_mapping(config: &Path, partner: &str, operation: Option<&str>) -> Option<String> {
    let settings = config::load(config).settings?;
    let mappings = read_mappings(&settings, &mut Diagnostics::new());
    of_partner(&mappings, settings.partners.get(partner)?, operation)
}

fn of_partner(mappings: &FileSet, settings: &Partner, operation: Option<&str>) -> Option<String> {
    let files = partner_files(mappings, settings);
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let set = read_set_files(&files.set, &mut sources, &mut out)?;
    let overlay = files.overlay.as_ref().and_then(|overlay| {
        let (files, path) = overlay.place();
        let id = files.open(path, &mut sources)?;
        read_overlay_file(id, &sources, &mut out)
    });
    let effective = effective(&set, &settings.mapping.value, overlay.as_ref(), &mut out);
    Some(show(&effective, operation, &sources))
}
