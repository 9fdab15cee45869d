//! `segue sdk`.

use std::{path::Path, process::ExitCode};

use super::output::say;
use crate::sonata::import::{import_sdk, write};

/// Reads the interface files of every known release below `folder` that is there, and writes facts and index.
pub fn import(folder: &Path, into: &Path) -> anyhow::Result<ExitCode> {
    for path in write(&import_sdk(folder)?, into)? {
        say(&path.display().to_string());
    }
    Ok(ExitCode::SUCCESS)
}
