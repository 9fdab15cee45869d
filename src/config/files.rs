//! Reads folders of text files, once and within limits.

use super::code;
use super::stamp::{Changed, KnownFile, KnownFolder, ReadBefore, Stamp};
use crate::text::{Diagnostic, Diagnostics, FileSet, FileText};
use std::{
    collections::HashMap,
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
    read_config_again(folder, &ReadBefore::default(), &Changed::Anywhere, out).0
}

/// The same, where it was read before and changed there since: only what has changed is read again.
pub(super) fn read_config_again(
    folder: &Path,
    before: &ReadBefore,
    changed: &Changed,
    out: &mut Diagnostics,
) -> (FileSet, ReadBefore) {
    let in_rooms = |path: &str| match path.split_once('/') {
        None | Some(("backends" | "partners", _)) => is_yaml(path),
        Some(("products" | "openapi", _)) => is_yaml(path) || has_ending(path, "json"),
        Some(_) => false,
    };
    read_folder_again(folder, in_rooms, before, changed, out)
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
    read_folder_again(folder, wanted, &ReadBefore::default(), &Changed::Anywhere, out).0
}

/// The same, where it was read before and changed there since: only what has changed is read again.
pub fn read_folder_again(
    folder: &Path,
    wanted: impl Fn(&str) -> bool,
    before: &ReadBefore,
    changed: &Changed,
    out: &mut Diagnostics,
) -> (FileSet, ReadBefore) {
    #[expect(clippy::disallowed_methods, reason = "files carry the machine's time, and are held against it")]
    let now = SystemTime::now();
    if let Some(read) = edited(folder, before, changed, now) {
        return (read.texts.clone(), read);
    }
    let root = folder.display().to_string();
    let texts = FileSet::new(root.as_str());
    let (files, folders, read) = (HashMap::new(), HashMap::new(), Vec::new());
    let mut walk = Walk {
        root: &root,
        files,
        folders,
        texts,
        read,
        changes: 0,
        before,
        changed,
        now,
        wanted,
        out,
        new: 0,
        full: false,
    };
    walk.folder(folder, "", 0, true);
    let Walk { files, folders, texts, read, changes, new, .. } = walk;
    // Of those that are not new, the rest of what was there before is gone.
    let changes = changes + (before.files.len() + new).saturating_sub(files.len());
    let (files, folders) = (Arc::new(files), Arc::new(folders));
    let read = ReadBefore { files, folders, texts, read, changes };
    (read.texts.clone(), read)
}

/// What was read before, with what has changed: where that is known, and nothing but the texts of files that were there. None where
/// the folder must be walked.
fn edited(folder: &Path, before: &ReadBefore, changed: &Changed, now: SystemTime) -> Option<ReadBefore> {
    let Changed::At(paths) = changed else { return None };
    if before.folders.is_empty() || before.folders.values().any(|folder| folder.has_links) {
        return None;
    }
    let mut edited = ReadBefore { read: Vec::new(), changes: 0, ..before.clone() };
    for path in paths {
        let Ok(below) = path.strip_prefix(folder) else { continue };
        let below = below.to_str()?;
        let Some((name, known)) = before.files.get_key_value(below) else {
            // Editors write beside a file and take that away; what came and what is a folder is found by walking.
            match fs::symlink_metadata(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && !before.has_folder(below) => {
                    continue;
                }
                _ => return None,
            }
        };
        if !fs::symlink_metadata(path).ok()?.is_file() {
            return None;
        }
        let Looked { known, is_changed, is_read } = read(path, Some(known), now).ok()?;
        edited.changes += usize::from(is_changed);
        if is_read {
            edited.read.push(Arc::clone(name));
        }
        if is_changed {
            edited.texts.share(Arc::clone(name), &known.file);
        }
        Arc::make_mut(&mut edited.files).insert(Arc::clone(name), known);
    }
    Some(edited)
}

struct Walk<'o, W> {
    root: &'o str,
    files: HashMap<Arc<str>, KnownFile>,
    folders: HashMap<String, KnownFolder>,
    texts: FileSet,
    read: Vec<Arc<str>>,
    changes: usize,
    before: &'o ReadBefore,
    changed: &'o Changed,
    /// When the walk began: what changes later is never older.
    now: SystemTime,
    wanted: W,
    out: &'o mut Diagnostics,
    /// Files that were not there before.
    new: usize,
    full: bool,
}

impl<W: Fn(&str) -> bool> Walk<'_, W> {
    /// `is_told`: whether what changes below it is told of.
    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize, is_told: bool) {
        let is_told = is_told && !self.changed.is_at(folder);
        let known = match self.entries(folder, prefix, is_told) {
            Ok(known) => known,
            Err(error) => return self.unreadable(folder, &error),
        };
        let is_told = is_told && !known.has_links;
        for (name, is_folder) in &*known.entries {
            let path = folder.join(&**name);
            let below = format!("{prefix}{name}");
            if *is_folder {
                if depth + 1 < DEPTH_MAX {
                    self.folder(&path, &format!("{below}/"), depth + 1, is_told);
                }
            } else if (self.wanted)(&below) {
                self.file(&path, &below, is_told);
            }
        }
        self.folders.insert(prefix.to_owned(), known);
    }

    /// What is in a folder, hidden files and leftovers of editors left out.
    fn entries(&self, folder: &Path, prefix: &str, is_told: bool) -> io::Result<KnownFolder> {
        let known = self.before.folders.get(prefix);
        if let Some(known) =
            known.filter(|known| is_told && !known.has_links && !self.changed.is_right_in(folder))
        {
            return Ok(known.clone());
        }
        let stamp = Stamp::of(&fs::metadata(folder)?, self.now);
        if let Some(known) = known.filter(|known| known.stamp.vouches_for(&stamp)) {
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
        Ok(KnownFolder { stamp, entries: entries.into(), has_links: links })
    }

    fn file(&mut self, path: &Path, below: &str, is_told: bool) {
        if self.files.len() >= FILES_MAX {
            if !self.full {
                let message = format!("more than {FILES_MAX} files in `{}`", self.root);
                self.out.push(Diagnostic::error(code::TOO_MUCH, message).hint("the rest was not read"));
            }
            self.full = true;
            return;
        }
        let before = self.before.files.get_key_value(below);
        let name = before.map_or_else(|| below.into(), |(name, _)| Arc::clone(name));
        let known = before.map(|(_, known)| known);
        if let Some(known) = known.filter(|_| is_told && !self.changed.is_at(path)) {
            return self.take(name, known.clone());
        }
        match read(path, known, self.now) {
            Ok(Looked { known, is_changed, is_read }) => {
                self.new += usize::from(before.is_none());
                self.changes += usize::from(is_changed);
                if is_read {
                    self.read.push(Arc::clone(&name));
                }
                self.take(name, known);
            }
            Err(error) => self.unreadable(path, &error),
        }
    }

    fn take(&mut self, name: Arc<str>, known: KnownFile) {
        self.texts.share(Arc::clone(&name), &known.file);
        self.files.insert(name, known);
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        let message = format!("cannot read `{}`: {error}", path.display());
        let code =
            if error.kind() == io::ErrorKind::FileTooLarge { code::TOO_MUCH } else { code::UNREADABLE };
        self.out.push(Diagnostic::error(code, message));
    }
}

/// A file that was looked at.
struct Looked {
    known: KnownFile,
    /// Whether its text is new or another one.
    is_changed: bool,
    /// Whether its text was read, and not taken over.
    is_read: bool,
}

/// A file with its text, which is taken over where the file system vouches for it.
fn read(path: &Path, known: Option<&KnownFile>, now: SystemTime) -> io::Result<Looked> {
    // Looked at before it is read, so that a change in between shows the next time.
    let stamp = Stamp::of(&fs::metadata(path)?, now);
    if let Some(known) = known.filter(|known| known.stamp.vouches_for(&stamp)) {
        return Ok(Looked { known: known.clone(), is_changed: false, is_read: false });
    }
    let text = text(path)?;
    // The same text stays the same in memory.
    let same = known.filter(|known| **known.file.text() == *text).map(|known| Arc::clone(&known.file));
    let is_changed = same.is_none();
    let file = same.unwrap_or_else(|| Arc::new(FileText::from(text)));
    Ok(Looked { known: KnownFile { stamp, file }, is_changed, is_read: true })
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

    #[test]
    fn what_a_watch_did_not_tell_of_is_not_looked_at_but_behind_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, text: &str| {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        };
        for path in ["a.yaml", "b.yaml", "in/c.yaml", "links/own.yaml", "far/d.txt"] {
            write(path, "1");
        }
        std::os::unix::fs::symlink("../far/d.txt", root.join("links/d.yaml")).unwrap();
        let mut out = Diagnostics::new();
        let read = |before: &ReadBefore, changed: &Changed, out: &mut Diagnostics| {
            read_folder_again(root, is_yaml, before, changed, out)
        };
        let (_, first) = read(&ReadBefore::default(), &Changed::Anywhere, &mut out);
        for path in ["a.yaml", "b.yaml", "in/c.yaml", "in/new.yaml", "far/d.txt"] {
            write(path, "2");
        }
        fs::remove_file(root.join("links/own.yaml")).unwrap();
        let shown = |before: &ReadBefore, changed: &[&str], out: &mut Diagnostics| {
            let mut told = Changed::nowhere();
            for path in changed {
                told.also(root.join(path));
            }
            let (files, read) = read(before, &told, out);
            let shown = files.iter().map(|(path, text)| format!("{path}={text}")).collect::<Vec<_>>();
            (shown.join(" "), read)
        };
        let (files, _) = shown(&first, &[], &mut out);
        assert_eq!(files, "a.yaml=1 b.yaml=1 in/c.yaml=1 links/d.yaml=2");
        let (files, second) = shown(&first, &["a.yaml"], &mut out);
        assert_eq!(files, "a.yaml=2 b.yaml=1 in/c.yaml=1 links/d.yaml=2");
        assert_eq!(second.changes(), 3);
        // A file that came is seen where its folder is; one of a folder that came, too, and all that is there.
        let (files, _) = shown(&second, &["in/new.yaml"], &mut out);
        assert_eq!(files, "a.yaml=2 b.yaml=1 in/c.yaml=1 in/new.yaml=2 links/d.yaml=2");
        let (files, _) = shown(&second, &["in"], &mut out);
        assert_eq!(files, "a.yaml=2 b.yaml=1 in/c.yaml=2 in/new.yaml=2 links/d.yaml=2");
        // Without links what has changed is all that is looked at.
        fs::remove_dir_all(root.join("links")).unwrap();
        let (_, first) = read(&ReadBefore::default(), &Changed::Anywhere, &mut out);
        for path in ["a.yaml", "b.yaml"] {
            write(path, "3");
        }
        let told = |changed: &[&str]| {
            let mut told = Changed::nowhere();
            for path in changed {
                told.also(root.join(path));
            }
            #[expect(clippy::disallowed_methods, reason = "files carry the machine's time")]
            let now = SystemTime::now();
            edited(root, &first, &told, now).map(|read| (read.changes(), read.texts().get("a.yaml").cloned()))
        };
        assert_eq!(told(&["a.yaml"]), Some((1, Some("3".into()))));
        assert_eq!(told(&["b.yaml", "in/c.yaml", "passing"]), Some((1, Some("2".into()))));
        for elsewhere in ["in", "far/d.txt", ""] {
            assert_eq!(told(&["a.yaml", elsewhere]), None, "{elsewhere}");
        }
        let mut many = Changed::nowhere();
        (0..1_000).for_each(|number| many.also(root.join(number.to_string())));
        assert_eq!(many, Changed::Anywhere);
        assert!(out.is_empty());
    }
}
