//! `segue serve`.

use std::{path::Path, process::ExitCode};

/// Serves until told to stop; findings in what it should serve are printed, and the status is then 1.
pub fn run(config: &Path) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match runtime.block_on(crate::app::serve(config)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            super::output::complain(&format!("segue: {error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}
