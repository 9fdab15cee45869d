//! `segue sdk`.

use std::{path::Path, process::ExitCode};

use super::output::{complain, say};
use crate::sonata::{
    Release,
    import::{Tree, import as import_release, write},
};

/// Reads the interface files of every known release below `folder` that is there, and writes its facts.
pub fn import(folder: &Path, into: &Path) -> anyhow::Result<ExitCode> {
    let mut found = false;
    for release in Release::ALL {
        let source = folder.join(release.as_str());
        // Contracts of other releases come with the issue that serves them.
        if release != Release::Grace || !source.is_dir() {
            continue;
        }
        found = true;
        let files = import_release(release, &Tree::read(&source)?)?;
        for path in write(&files, into)? {
            say(&path.display().to_string());
        }
    }
    if !found {
        complain(&format!("no release that this version imports below {}", folder.display()));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
