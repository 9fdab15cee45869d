//! Reads folders of text files, once and within limits.

use super::code;
use super::stamp::{KnownFile, KnownFolder, ReadBefore, Stamp};
use crate::text::{Diagnostic, Diagnostics, FileSet};
use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::Arc,
    time::SystemTime,
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
    read_config_again(folder, &ReadBefore::default(), out).0
}

/// The same, where it was read before: only what has changed since is read again.
pub(super) fn read_config_again(
    folder: &Path,
    before: &ReadBefore,
    out: &mut Diagnostics,
) -> (FileSet, ReadBefore) {
    let in_rooms = |path: &str| match path.split_once('/') {
        None | Some(("backends" | "partners", _)) => is_yaml(path),
        Some(("products" | "openapi", _)) => is_yaml(path) || has_ending(path, "json"),
        Some(_) => false,
    };
    read_folder_again(folder, in_rooms, before, out)
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
    read_folder_again(folder, wanted, &ReadBefore::default(), out).0
}

/// The same, where it was read before: only what has changed since is read again.
pub fn read_folder_again(
    folder: &Path,
    wanted: impl Fn(&str) -> bool,
    before: &ReadBefore,
    out: &mut Diagnostics,
) -> (FileSet, ReadBefore) {
    let root = folder.display().to_string();
    #[expect(clippy::disallowed_methods, reason = "files carry the machine's time, and are held against it")]
    let (now, read) = (SystemTime::now(), ReadBefore::default());
    let mut walk = Walk { root: &root, read, before, now, wanted, out, new: 0, full: false };
    walk.folder(folder, "", 0);
    let mut read = walk.read;
    // Of those that are not new, the rest of what was there before is gone.
    read.changes += (before.files.len() + walk.new).saturating_sub(read.files.len());
    (read.texts(root), read)
}

struct Walk<'o, W> {
    root: &'o str,
    read: ReadBefore,
    before: &'o ReadBefore,
    /// When the walk began: what changes later is never older.
    now: SystemTime,
    wanted: W,
    out: &'o mut Diagnostics,
    /// Files that were not there before.
    new: usize,
    full: bool,
}

impl<W: Fn(&str) -> bool> Walk<'_, W> {
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let known = match self.entries(folder, prefix) {
            Ok(known) => known,
            Err(error) => return self.unreadable(folder, &error),
        };
        for (name, is_folder) in &*known.entries {
            let path = folder.join(&**name);
            let below = format!("{prefix}{name}");
            if *is_folder {
                if depth + 1 < DEPTH_MAX {
                    self.folder(&path, &format!("{below}/"), depth + 1);
                }
            } else if (self.wanted)(&below) {
                self.file(&path, below);
            }
        }
        self.read.folders.insert(prefix.to_owned(), known);
    }

    /// What is in a folder, hidden files and leftovers of editors left out.
    fn entries(&self, folder: &Path, prefix: &str) -> io::Result<KnownFolder> {
        let stamp = Stamp::of(&fs::metadata(folder)?, self.now);
        let known = self.before.folders.get(prefix).filter(|known| known.stamp.vouches_for(&stamp));
        if let Some(known) = known {
            return Ok(known.clone());
        }
        let (mut entries, mut links) = (Vec::new(), false);
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.') && !name.ends_with('~'))
            else {
                continue;
            };
            let kind = entry.file_type()?;
            links |= kind.is_symlink();
            entries
                .push((name.into(), if kind.is_symlink() { entry.path().is_dir() } else { kind.is_dir() }));
        }
        // What a link leads to may become a folder, or cease to be one, without a trace here.
        let stamp = if links { Stamp::unknown() } else { stamp };
        Ok(KnownFolder { stamp, entries: entries.into() })
    }

    fn file(&mut self, path: &Path, below: String) {
        if self.read.files.len() >= FILES_MAX {
            if !self.full {
                let message = format!("more than {FILES_MAX} files in `{}`", self.root);
                self.out.push(Diagnostic::error(code::TOO_MUCH, message).hint("the rest was not read"));
            }
            self.full = true;
            return;
        }
        // Looked at before it is read, so that a change in between shows the next time.
        let read = fs::metadata(path).map(|meta| Stamp::of(&meta, self.now)).and_then(|stamp| {
            let known = self.before.files.get(&below);
            if let Some(known) = known.filter(|known| known.stamp.vouches_for(&stamp)) {
                return Ok(known.clone());
            }
            let text = text(path)?;
            self.new += usize::from(known.is_none());
            // The same text stays the same in memory.
            let known = known.filter(|known| *known.text == *text).map(|known| Arc::clone(&known.text));
            self.read.changes += usize::from(known.is_none());
            self.read.read.push(below.clone());
            Ok(KnownFile { stamp, text: known.unwrap_or_else(|| text.into()) })
        });
        match read {
            Ok(known) => {
                self.read.files.insert(below, known);
            }
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

/// The text of a file, within bounds.
pub(super) fn text(path: &Path) -> io::Result<String> {
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
