//! The log in front of the database: what is in it is acknowledged, and the documents stay in it.
//!
//! Files beside the database, `NAME-log0` and so on. Each holds one segment: records one after the other, each with
//! length, checksum and the batches of one group. A group is one write and one fsync. The checksum goes on from that
//! of the record before, so what was written after a torn record and never acknowledged is no continuation. The
//! database says up to where it has everything: from there the log is read again at start. What lies before is kept
//! as long as rows of the database refer to documents in it (see `clear`).

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use rusqlite::Row;

use super::StoreError;

/// Most bytes in one record; its length stands in four.
pub(super) const RECORD_BYTES_MAX: usize = 1 << 30;

/// Length and checksum.
const HEAD_BYTES: usize = 8;

/// Zeros that are written ahead of the log's end at once, in bytes, where the disk keeps callers waiting: a record that is
/// written over them makes the file no longer, so that the file system need not write down where its bytes are and that
/// it has grown.
const AHEAD_BYTES: u64 = 1 << 20;

/// How often it is looked whether the other process has ended.
const LOOK: Duration = Duration::from_millis(5);

/// A place between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    /// Number of the segment, from 0; never reused.
    pub(super) segment: u64,
    /// Bytes before it in the segment.
    pub(super) start_bytes: u64,
    /// Checksum of the record before it.
    pub(super) chain: u32,
}

/// Where one entity is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    /// The segment.
    pub(super) segment: u64,
    /// Bytes before it in the segment.
    pub(super) start_bytes: u64,
    /// Its bytes.
    pub(super) length: u32,
}

impl Spot {
    /// The three columns from `at` on; `None` where nothing is in them.
    pub(super) fn read(row: &Row<'_>, at: usize) -> Result<Option<Self>, rusqlite::Error> {
        let number =
            |at| row.get::<_, Option<i64>>(at).map(|number| number.and_then(|n| u64::try_from(n).ok()));
        let (Some(segment), Some(start_bytes)) = (number(at)?, number(at + 1)?) else { return Ok(None) };
        Ok(Some(Self { segment, start_bytes, length: row.get(at + 2)? }))
    }

    /// The bytes there, in the log of the database at `path`.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where the segment is gone.
    pub(super) fn bytes(self, path: &Path) -> io::Result<Bytes> {
        let mut bytes = vec![0; usize::try_from(self.length).map_err(io::Error::other)?];
        File::open(segment_path(path, self.segment))?.read_exact_at(&mut bytes, self.start_bytes)?;
        Ok(bytes.into())
    }
}

/// The log of one database, held by one process.
pub(super) struct Log {
    /// The database's path, to which the files' names are added.
    path: PathBuf,
    /// A record begins before this many bytes of its segment, however long it then is.
    segment_bytes: u64,
    /// Where the next record goes.
    end: Position,
    /// The file of that segment; `None` until something is written.
    file: Option<File>,
    /// Bytes that the file has, zeros ahead of the end included.
    file_bytes: u64,
    /// Whether the last fsync kept callers waiting.
    is_slow: bool,
    /// Keeps the lock.
    _held: File,
}

impl Log {
    /// Makes this process the only one that writes the log of the database at `path`, until the file is closed.
    ///
    /// # Errors
    /// [`StoreError::Open`] where another process has it for longer than `patience`.
    pub(super) fn hold(path: &Path, patience: Duration) -> Result<File, StoreError> {
        hold(path, patience)
            .map_err(|error| StoreError::Open(format!("the log of {}: {error}", path.display())))
    }

    /// Opens the log that belongs to the database at `path`, and reads what is in it from `from` on: `each` takes the
    /// payload of each record, and where it ends. One segment at a time is in memory.
    ///
    /// # Errors
    /// [`StoreError::Open`] where a part of it is missing, and those of `each`.
    pub(super) fn open(
        path: &Path,
        segment_bytes: u64,
        from: Position,
        held: File,
        mut each: impl FnMut(Bytes, Position) -> Result<(), StoreError>,
    ) -> Result<Self, StoreError> {
        let cannot = |error: io::Error| StoreError::Open(format!("the log of {}: {error}", path.display()));
        let (path, is_slow) = (path.to_owned(), false);
        let mut log =
            Self { path, segment_bytes, end: from, file: None, file_bytes: 0, is_slow, _held: held };
        while let Some(bytes) = log.segment().map_err(cannot)? {
            while let Some((payload, next)) = next_record(&bytes, log.end) {
                each(payload, next)?;
                log.end = next;
            }
            if log.end.start_bytes < segment_bytes {
                break;
            }
            log.end = following(log.end);
        }
        Ok(log)
    }

    /// Where the next record goes.
    pub(super) fn end(&self) -> Position {
        self.end
    }

    /// The start of the next segment: for it, no file need be there.
    pub(super) fn after(&self) -> Position {
        following(self.end)
    }

    /// What is in the segment where the log ends; `None` where nothing was ever written.
    fn segment(&self) -> io::Result<Option<Bytes>> {
        let bytes = match fs::read(segment_path(&self.path, self.end.segment)) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.end.start_bytes == 0 => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        if (bytes.len() as u64) < self.end.start_bytes {
            return Err(io::Error::other("it is shorter than the database knows"));
        }
        Ok(Some(bytes))
    }

    /// Empties `buffer` but for room for the head of a record, and says where that record will be.
    pub(super) fn begin(&mut self, buffer: &mut Vec<u8>) -> Position {
        if self.end.start_bytes >= self.segment_bytes {
            self.end = following(self.end);
            self.file = None;
        }
        buffer.clear();
        buffer.resize(HEAD_BYTES, 0);
        self.end
    }

    /// Makes one record of `buffer`, whose first bytes are left free for the head (see [`Log::begin`]), writes it and
    /// waits for the disk; says for how long it waited. Where that is longer than `quick`, later records find room
    /// that the file has already.
    ///
    /// # Errors
    /// [`StoreError::Failed`] where nothing was written, [`StoreError::Unknown`] where the disk did not say.
    pub(super) fn append(&mut self, buffer: &mut [u8], quick: Duration) -> Result<Duration, StoreError> {
        if self.file.is_none() {
            let opened = self.open_segment().and_then(|file| Ok((file.metadata()?.len(), file)));
            let (bytes, file) = opened.map_err(|error| StoreError::Failed(error.to_string()))?;
            (self.file, self.file_bytes) = (Some(file), bytes);
        }
        let Some(file) = &self.file else { return Err(StoreError::Failed("no log".to_owned())) };
        let payload_bytes = buffer.len().saturating_sub(HEAD_BYTES);
        let Some((head, payload)) = buffer.split_at_mut_checked(HEAD_BYTES) else {
            return Err(StoreError::Failed("a record without a head".to_owned()));
        };
        if payload_bytes > RECORD_BYTES_MAX {
            return Err(StoreError::Failed("a batch is too large for the log".to_owned()));
        }
        let chain = checksum(self.end, payload);
        let length = u32::try_from(payload_bytes).unwrap_or(u32::MAX);
        let (length_at, chain_at) = head.split_at_mut(4);
        length_at.copy_from_slice(&length.to_le_bytes());
        chain_at.copy_from_slice(&chain.to_le_bytes());
        if let Err(error) = file.write_all_at(buffer, self.end.start_bytes) {
            // A part of a record is none, and the next one is written over it.
            self.file = None;
            return Err(StoreError::Failed(error.to_string()));
        }
        let end_bytes = self.end.start_bytes + buffer.len() as u64;
        if end_bytes > self.file_bytes {
            self.file_bytes = end_bytes;
            let ahead =
                if self.is_slow { AHEAD_BYTES.min(self.segment_bytes.saturating_sub(end_bytes)) } else { 0 };
            if ahead > 0 {
                let zeros = vec![0; usize::try_from(ahead).unwrap_or_default()];
                // Where there is no room for them, there still is for the record.
                let _ = file.write_all_at(&zeros, end_bytes);
                self.file_bytes += ahead;
            }
        }
        #[expect(clippy::disallowed_methods, reason = "who commits goes by how long the disk takes")]
        let written = Instant::now();
        if let Err(error) = file.sync_data() {
            self.forget();
            return Err(StoreError::Unknown(error.to_string()));
        }
        self.end = Position { start_bytes: end_bytes, chain, ..self.end };
        let waited = written.elapsed();
        self.is_slow = waited > quick;
        Ok(waited)
    }

    /// After an fsync that failed: what stands at the end should not be taken for a record. The next one is written
    /// over it, into a file that is opened anew.
    fn forget(&mut self) {
        if let Some(file) = self.file.take()
            && let Err(error) =
                file.write_all_at(&[0; HEAD_BYTES], self.end.start_bytes).and_then(|()| file.sync_data())
        {
            tracing::error!(%error, "a record that was not acknowledged may come back");
        }
    }

    fn open_segment(&self) -> io::Result<File> {
        let path = segment_path(&self.path, self.end.segment);
        let is_new = !path.exists();
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        if is_new {
            // So that the file's name is on disk before anything in it is acknowledged.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(file)
    }
}

/// The file of a segment of the log of the database at `path`.
pub(super) fn segment_path(path: &Path, segment: u64) -> PathBuf {
    beside(path, &format!("-log{segment}"))
}

/// A file beside the database at `path`.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// One process writes a log: two would write over each other.
fn hold(path: &Path, patience: Duration) -> io::Result<File> {
    let file = File::create(beside(path, "-lock"))?;
    #[expect(clippy::disallowed_methods, reason = "a bound on real time, before any exchange")]
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < patience => thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another process has it")),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn following(end: Position) -> Position {
    Position { segment: end.segment + 1, start_bytes: 0, chain: end.chain }
}

fn checksum(at: Position, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(at.chain);
    hasher.update(&at.segment.to_le_bytes());
    hasher.update(&at.start_bytes.to_le_bytes());
    hasher.update(&(payload.len() as u64).to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

/// The record at `at`, if a whole one is there.
fn next_record(segment: &Bytes, at: Position) -> Option<(Bytes, Position)> {
    let (payload, chain) = record_at(segment, at.start_bytes)?;
    if checksum(at, &payload) != chain {
        return None;
    }
    let start_bytes = at.start_bytes + (HEAD_BYTES + payload.len()) as u64;
    Some((payload, Position { start_bytes, chain, ..at }))
}

/// What stands at `start_bytes` as a record, and its checksum.
fn record_at(segment: &Bytes, start_bytes: u64) -> Option<(Bytes, u32)> {
    let start = usize::try_from(start_bytes).ok()?;
    let length = u32::from_le_bytes(segment.get(start..start + 4)?.try_into().ok()?);
    let chain = u32::from_le_bytes(segment.get(start + 4..start + HEAD_BYTES)?.try_into().ok()?);
    let (from, length) = (start + HEAD_BYTES, usize::try_from(length).ok()?);
    segment.get(from..from.checked_add(length)?)?;
    (length > 0).then(|| (segment.slice(from..from + length), chain))
}

/// The payloads of a segment, each with where it begins. They are not checked: whatever the database refers to was.
pub(super) fn payloads(segment: &Bytes) -> impl Iterator<Item = (Bytes, u64)> {
    let mut start_bytes = 0;
    std::iter::from_fn(move || {
        let (payload, _) = record_at(segment, start_bytes)?;
        let from = start_bytes + HEAD_BYTES as u64;
        start_bytes = from + payload.len() as u64;
        Some((payload, from))
    })
}
