//! Reads folders of text files, once and within limits.

use super::code;
use crate::text::{Diagnostic, Diagnostics, FileSet};
use std::{
    fs,
    io::{self, Read},
    path::Path,
};

/// Files of one folder that are read at most.
const FILES_MAX: usize = 20_000;
/// Folders inside each other.
const DEPTH_MAX: usize = 8;
/// Folder of the product schemas, below the configuration folder.
pub const PRODUCTS_FOLDER: &str = "products/";
/// Folder of the interface files of backends, below the configuration folder.
pub const OPENAPI_FOLDER: &str = "openapi/";
/// Largest file, in bytes; a little beyond what the YAML reader takes, so that it can tell.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// The texts of a configuration folder: `segue.yaml`, `backends/*.yaml`, `partners/*.yaml`, product schemas below
/// `products/`, interface files below `openapi/`, and any other YAML beside them, which is told as stray. `secrets/` is never read here.
pub fn read_config(folder: &Path, out: &mut Diagnostics) -> FileSet {
    let in_rooms = |path: &str| match path.split_once('/') {
        None | Some(("backends" | "partners", _)) => is_yaml(path),
        Some(("products" | "openapi", _)) => is_yaml(path) || has_ending(path, "json"),
        Some(_) => false,
    };
    read_folder(folder, in_rooms, out)
}

fn is_yaml(path: &str) -> bool {
    has_ending(path, "yaml") || has_ending(path, "yml")
}

fn has_ending(path: &str, wanted: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == wanted)
}

/// The texts below a folder whose path (relative, with `/`) is wanted. Hidden files and folders are left out, as
/// are the leftovers of editors. What cannot be read is told; the rest is read all the same.
pub fn read_folder(folder: &Path, wanted: impl Fn(&str) -> bool, out: &mut Diagnostics) -> FileSet {
    let root = folder.display().to_string();
    let mut walk = Walk { files: FileSet::new(root), wanted, out, full: false };
    walk.folder(folder, "", 0);
    walk.files
}

struct Walk<'o, W> {
    files: FileSet,
    wanted: W,
    out: &'o mut Diagnostics,
    full: bool,
}

impl<W: Fn(&str) -> bool> Walk<'_, W> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(folder, &error),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.unreadable(folder, &error),
            };
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.') && !name.ends_with('~'))
            else {
                continue;
            };
            let path = entry.path();
            let below = format!("{prefix}{name}");
            if path.is_dir() {
                if depth + 1 < DEPTH_MAX {
                    self.folder(&path, &format!("{below}/"), depth + 1);
                }
            } else if (self.wanted)(&below) {
                self.file(&path, below);
            }
        }
    }

    fn file(&mut self, path: &Path, below: String) {
        if self.files.len() >= FILES_MAX {
            if !self.full {
                let message = format!("more than {FILES_MAX} files in `{}`", self.files.root());
                self.out.push(Diagnostic::error(code::TOO_MUCH, message).hint("the rest was not read"));
            }
            self.full = true;
            return;
        }
        match text(path) {
            Ok(text) => self.files.insert(below, text),
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let message = format!("cannot read `{}`: {error}", path.display());
        let code =
            if error.kind() == io::ErrorKind::FileTooLarge { code::TOO_MUCH } else { code::UNREADABLE };
        self.out.push(Diagnostic::error(code, message));
    }
}

fn text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        let message = format!("it has more than {FILE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        io::Error::new(io::ErrorKind::InvalidData, format!("it is not UTF-8 at byte {at}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wanted_files_are_read_and_faults_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, bytes) in [
            ("segue.yaml", b"a: 1".as_slice()),
            ("backends/b.yaml", b"b: 1"),
            ("backends/.b.yaml.swp", b"no"),
            ("backends/b.yaml~", b"no"),
            ("secrets/s.yaml", b"no"),
            ("partners/bad.yaml", b"a: \xff"),
            ("stray.yml", b"x"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), bytes).unwrap();
        }
        let mut out = Diagnostics::new();
        let files = read_config(root, &mut out);
        let paths: Vec<_> = files.iter().map(|(path, _)| path).collect();
        assert_eq!(paths, ["backends/b.yaml", "segue.yaml", "stray.yml"]);
        assert_eq!(out.len(), 1);
        assert!(out.iter().next().unwrap().message.ends_with("not UTF-8 at byte 3"));

        let mut out = Diagnostics::new();
        assert!(read_config(&root.join("absent"), &mut out).is_empty());
        assert_eq!(out.error_count(), 1);
    }
}
