//! `segue fmt`: mapping and configuration files in the one layout.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};

use super::{
    FmtArguments,
    output::{complain, say},
};
use crate::{
    config::{self, files::read_folder},
    text::{
        Diagnostics, Sources,
        yaml::{LayoutError, laid_out},
    },
};

/// Writes files in the one layout, or with `--check` tells those that are not. A file that is broken is told and left
/// as it is.
pub fn run(config: &Path, arguments: &FmtArguments) -> anyhow::Result<ExitCode> {
    let files = if arguments.files.is_empty() { shipped(config)? } else { named(&arguments.files)? };
    let (mut changed, mut refused) = (0usize, 0usize);
    for path in &files {
        match format(path, arguments.check) {
            Ok(false) => {}
            Ok(true) => {
                changed += 1;
                say(&format!(
                    "{} {}",
                    if arguments.check { "not formatted:" } else { "formatted:" },
                    path.display()
                ));
            }
            Err(told) => {
                refused += 1;
                complain(told.trim_end());
            }
        }
    }
    let verb = if arguments.check { "not formatted" } else { "formatted" };
    say(&format!("{} files, {changed} {verb}, {refused} refused", files.len()));
    let is_good = refused == 0 && (changed == 0 || !arguments.check);
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The files of the configuration and of its mappings; interfaces and product schemas are others' files.
fn shipped(config: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut out = Diagnostics::new();
    let is_own =
        |path: &str| !path.starts_with(config::PRODUCTS_FOLDER) && !path.starts_with(config::OPENAPI_FOLDER);
    let found = config::files::read_config(config, &mut out);
    if found.is_empty() {
        bail!("no configuration in {}: give --config DIR, or the files", config.display());
    }
    files.extend(found.iter().filter(|(path, _)| is_own(path)).map(|(path, _)| config.join(path)));
    // Broken settings must not keep their own file from being formatted.
    let mappings =
        config::load(config).settings.map_or_else(|| config.join("../mappings"), |one| one.gateway.mappings);
    files.extend(below(&mappings));
    Ok(files)
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let is_yaml = |path: &str| Path::new(path).extension().is_some_and(|ending| ending == "yaml");
    let found = read_folder(folder, is_yaml, &mut Diagnostics::new());
    found.iter().map(|(path, _)| folder.join(path)).collect()
}

fn named(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(below(path));
        } else if path.is_file() {
            // JSON reads as YAML: a message of a case would be written as what is no JSON any more.
            if !path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml") {
                bail!("{} is no YAML file: its name ends otherwise than in .yaml", path.display());
            }
            files.push(path.clone());
        } else {
            bail!("there is no file {}", path.display());
        }
    }
    Ok(files)
}

/// Whether the file was, or would have to be, changed; what is wrong with it where it cannot be read.
fn format(path: &Path, is_check: bool) -> Result<bool, String> {
    let before = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
    let id = sources.add(&path.display().to_string(), before.replace("\r\n", "\n"));
    let after = laid_out(&sources, id, &mut out).map_err(|error| match error {
        LayoutError::Broken => out.sorted(&sources).render_text(&sources),
        LayoutError::Meaning => format!("{}: left as it is: {error}", path.display()),
    })?;
    if after == before {
        return Ok(false);
    }
    if !is_check {
        replace(path, &after).map_err(|error| format!("{error:#}"))?;
    }
    Ok(true)
}

/// Writes beside the file and puts that in its place, so that a reader never sees half of it.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    // Hidden: a running Segue that watches the folder reads no such file.
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let write = || -> io::Result<()> {
        let permissions = fs::metadata(path)?.permissions();
        fs::write(&beside, text)?;
        fs::set_permissions(&beside, permissions)?;
        fs::File::open(&beside)?.sync_all()?;
        fs::rename(&beside, path)
    };
    write()
        .inspect_err(|_| drop(fs::remove_file(&beside)))
        .with_context(|| format!("cannot write {}", path.display()))
}
