//! `segue store`: a backup of the embedded store, also while Segue serves, and the way back.

use std::{path::Path, process::ExitCode};

use anyhow::bail;

use super::{StoreArguments, StoreCommand, message::load, output::say};
use crate::{config, store};

/// Makes a backup of the configured store, or the configured store of a backup.
pub fn run(config: &Path, arguments: &StoreArguments) -> anyhow::Result<ExitCode> {
    let Some(plan) = load(config, None) else { return Ok(ExitCode::FAILURE) };
    let config::Store::Embedded(path) = &plan.settings().gateway.store else {
        bail!("the store is a PostgreSQL database: its own tools back it up (pg_dump, or archiving its log)");
    };
    match &arguments.command {
        StoreCommand::Backup { file } => {
            store::backup(path, file)?;
            say(&format!("{}: a backup of {}\n", file.display(), path.display()));
        }
        StoreCommand::Restore { file } => {
            store::restore(file, path)?;
            say(&format!("{}: made from {}\n", path.display(), file.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}
