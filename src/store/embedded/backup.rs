//! Backups of a store, also of one that serves: one file, a database that has all documents in it.
//!
//! The store's database is a moment of the log, and rows refer to documents in the log. So the log's segments are linked
//! before the database is copied and once more after it: whatever the copy refers to is there, even if the store gives it
//! back meanwhile. Then the rows get their documents, and what the log has beyond the copy is taken in as at a start
//! after a sudden end. What was acknowledged before the backup began is in it, and each batch is in it whole or not.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OpenFlags, params};

use super::{
    Kind, Limits, StoreError,
    applier::Applier,
    column,
    log::{self, Spot},
    open::{self, Place},
    record, schema, write,
};

/// How often it is begun anew because the store gave back a segment in the wrong moment.
const TRIES_MAX: usize = 10;

/// Rows that get their documents in one transaction.
const ROWS: i64 = 500;

/// Writes a backup of the store at `path` into `to`, which must not be there yet. Another process may serve the store
/// meanwhile.
///
/// # Errors
/// [`StoreError::Open`] says what is in the way; then there is no backup.
pub fn backup(path: &Path, to: &Path) -> Result<(), StoreError> {
    if !path.exists() {
        return Err(refuse(path, "there is no store"));
    }
    if to.exists() {
        return Err(refuse(to, "is there already"));
    }
    let _one = one_at_a_time(path)?;
    let mut last = None;
    for _ in 0..TRIES_MAX {
        let work = Work::new(path, to)?;
        match work.make() {
            Ok(()) => return work.keep(to),
            // Only one that came at the wrong moment may do the next time.
            Err(Stopped::Gone(error)) => last = Some(cannot(to, &error)),
            Err(Stopped::Failed(error)) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| refuse(to, "nothing was written")))
}

/// Makes the store at `path` from a backup. No store may be there.
///
/// # Errors
/// [`StoreError::Open`] says what is in the way; then nothing was changed.
pub fn restore(backup: &Path, path: &Path) -> Result<(), StoreError> {
    if path.exists() || !segments(path)?.is_empty() {
        return Err(refuse(
            path,
            "a store is there: move it away, with its log, before another takes its place",
        ));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(backup, flags).map_err(|error| cannot(backup, &error))?;
    check(&db).map_err(|error| cannot(backup, &error))?;
    drop(db);
    Place::File(path.to_owned()).make_folder()?;
    let copy = log::beside(path, "-restore");
    let copied = fs::copy(backup, &copy)
        .and_then(|_| File::open(&copy)?.sync_all())
        .and_then(|()| fs::hard_link(&copy, path))
        .and_then(|()| sync_folder(path));
    let removed = fs::remove_file(&copy);
    copied.and(removed).map_err(|error| cannot(path, &error))
}

/// Whether this is a backup, whole and of a version that is known.
fn check(db: &Connection) -> Result<(), StoreError> {
    let number = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0));
    let failed = |why: &str| Err(StoreError::Failed(why.to_owned()));
    if number("PRAGMA application_id")? != schema::APPLICATION_ID {
        return failed("it is no backup of a store");
    }
    if usize::try_from(number("PRAGMA user_version")?).is_ok_and(|version| version > schema::MIGRATIONS.len())
    {
        return failed("it was written by a newer version of Segue");
    }
    if number("SELECT count(*) FROM (SELECT 1 FROM entities WHERE segment IS NOT NULL LIMIT 1)")? != 0 {
        return failed("it is the database of a store without its log: use `segue store backup`");
    }
    let told: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if told == "ok" { Ok(()) } else { failed(&told) }
}

/// Why a backup was not made.
enum Stopped {
    /// The store gave back what was needed.
    Gone(io::Error),
    Failed(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl From<rusqlite::Error> for Stopped {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Two folders that go when it is dropped.
struct Work {
    /// The store.
    path: PathBuf,
    /// Links to its segments, beside it: only there can they be links. Never written to.
    links: PathBuf,
    /// Where the backup comes about, beside its place.
    made: PathBuf,
}

impl Drop for Work {
    fn drop(&mut self) {
        for folder in [&self.links, &self.made] {
            if let Err(error) = fs::remove_dir_all(folder) {
                tracing::warn!(folder = %folder.display(), %error, "what a backup left could not be removed");
            }
        }
    }
}

impl Work {
    fn new(path: &Path, to: &Path) -> Result<Self, StoreError> {
        let (links, made) = (log::beside(path, "-backup"), log::beside(to, ".partial"));
        for folder in [&links, &made] {
            // What one that was cut off has left.
            let removed = match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
            removed.and_then(|()| fs::create_dir_all(folder)).map_err(|error| cannot(folder, &error))?;
        }
        Ok(Self { path: path.to_owned(), links, made })
    }

    /// The database that becomes the backup.
    fn database(&self) -> PathBuf {
        self.made.join("s.db")
    }

    /// What the links are named after.
    fn linked(&self) -> PathBuf {
        self.links.join("s.db")
    }

    fn make(&self) -> Result<(), Stopped> {
        self.link()?;
        self.copy_database()?;
        self.link()?;
        let db = Connection::open(self.database())?;
        let from = write::position(&db)?;
        // What a killed process has written and the database does not know stands from there on.
        let mut tail = segments(&self.linked())?;
        tail.retain(|segment| *segment >= from.segment);
        let has_gap = tail.iter().zip(from.segment..).any(|(segment, expected)| *segment != expected);
        if has_gap || (from.start_bytes > 0 && tail.is_empty()) {
            return Err(Stopped::Gone(io::Error::other("a part of the log was given back meanwhile")));
        }
        for segment in tail {
            let (linked, made) = (self.linked(), self.database());
            let copied = fs::copy(log::segment_path(&linked, segment), log::segment_path(&made, segment));
            copied.map_err(|error| cannot(&self.made, &error))?;
        }
        take_in(&db, &self.linked())?;
        db.execute_batch("DELETE FROM segments")?;
        drop(db);
        let after = {
            // All segments are read to their end, however long they are.
            let limits = Limits { segment_bytes: 1, ..Limits::default() };
            let applier = Applier::open(Place::File(self.database()), limits, None)?;
            let writer = applier.core.writer()?;
            writer.log.as_ref().map(log::Log::after)
        };
        let db = Connection::open(self.database())?;
        take_in(&db, &self.database())?;
        db.execute_batch("DELETE FROM segments")?;
        if let Some(after) = after {
            write::move_to(&db, after)?;
        }
        // One file from here on.
        db.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        check(&db)?;
        drop(db);
        Ok(())
    }

    /// Links the segments of the log as they are now; where they cannot be linked they are copied.
    fn link(&self) -> Result<(), StoreError> {
        for segment in segments(&self.path)? {
            let (from, to) =
                (log::segment_path(&self.path, segment), log::segment_path(&self.linked(), segment));
            if to.exists() {
                continue;
            }
            let linked = fs::hard_link(&from, &to).or_else(|_| fs::copy(&from, &to).map(drop));
            match linked {
                // Given back since: if it is needed all the same, whoever needs it says so.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                linked => linked.map_err(|error| cannot(&self.links, &error))?,
            }
        }
        Ok(())
    }

    fn copy_database(&self) -> Result<(), Stopped> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db =
            Connection::open_with_flags(&self.path, flags).map_err(|error| cannot(&self.path, &error))?;
        db.busy_timeout(open::BUSY)?;
        let application: i64 = db.query_row("PRAGMA application_id", [], |row| row.get(0))?;
        let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if application != schema::APPLICATION_ID || usize::try_from(version) != Ok(schema::MIGRATIONS.len()) {
            return Err(refuse(&self.path, "it is not a store of this version of Segue").into());
        }
        let database = self.database();
        let to = database.to_str().ok_or_else(|| refuse(&database, "its path is not UTF-8"))?;
        db.execute("VACUUM INTO ?1", [to])?;
        Ok(())
    }

    /// Puts the backup into its place.
    fn keep(self, to: &Path) -> Result<(), StoreError> {
        let kept = File::open(self.database())
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::hard_link(self.database(), to))
            .and_then(|()| sync_folder(to));
        kept.map_err(|error| cannot(to, &error))
    }
}

/// Gives rows the documents that the log of the database at `path` has.
fn take_in(db: &Connection, path: &Path) -> Result<(), Stopped> {
    let sql =
        "SELECT seq, (SELECT word FROM words WHERE number = kind), id, segment, start_bytes, record_bytes
        FROM entities WHERE seq > ?1 AND segment IS NOT NULL ORDER BY seq LIMIT ?2";
    let update =
        "UPDATE entities SET document = ?2, request = ?3, legacy = ?4, segment = NULL, start_bytes = NULL,
        record_bytes = NULL WHERE seq = ?1";
    let mut after = 0;
    loop {
        let row = |row: &rusqlite::Row<'_>| {
            let id = column::id_text(row, 2)?.map(std::borrow::Cow::into_owned);
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, id, Spot::read(row, 3)?))
        };
        let rows =
            db.prepare_cached(sql)?.query_map(params![after, ROWS], row)?.collect::<Result<Vec<_>, _>>()?;
        let Some((last, ..)) = rows.last() else { return Ok(()) };
        after = *last;
        db.execute_batch("BEGIN")?;
        for (seq, kind, id, spot) in rows {
            let Some(spot) = spot else { continue };
            let bytes = spot.bytes(path).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => Stopped::Gone(error),
                _ => cannot(path, &error).into(),
            })?;
            let entity = record::entity(bytes)
                .filter(|entity| entity.kind == Kind::new(kind) && Some(entity.id.as_str()) == id.as_deref());
            let entity =
                entity.ok_or_else(|| refuse(path, "the log has another record where documents should be"))?;
            let documents = [&entity.document, &entity.request, &entity.legacy].map(|one| one.as_deref());
            let [document, request, legacy] = documents;
            db.prepare_cached(update)?.execute(params![seq, document, request, legacy])?;
        }
        db.execute_batch("COMMIT")?;
    }
}

/// The segments of a log, in order.
pub(super) fn segments(path: &Path) -> Result<Vec<u64>, StoreError> {
    let begin = log::beside(path, "-log");
    let (Some(folder), Some(begin)) = (begin.parent(), begin.file_name().and_then(|name| name.to_str()))
    else {
        return Ok(Vec::new());
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| cannot(folder, &error))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry.map_err(|error| cannot(folder, &error))?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(begin));
        found.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    found.sort_unstable();
    Ok(found)
}

/// Two backups of one store would be in each other's way.
fn one_at_a_time(path: &Path) -> Result<File, StoreError> {
    let lock = log::beside(path, "-backup-lock");
    let file = File::create(&lock).map_err(|error| cannot(&lock, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(_) => Err(refuse(path, "another backup of it is under way")),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn refuse(path: &Path, why: &str) -> StoreError {
    StoreError::Open(format!("{}: {why}", path.display()))
}

fn cannot(path: &Path, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Open(format!("{}: {error}", path.display()))
}
