//! The texts that were read, each kept once, and places in them.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

/// One file of [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

/// A stretch of one file, in bytes; `start == end` points between two characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// Byte after the last.
    pub end: u32,
}

impl Span {
    /// From the beginning of this span to the end of another in the same file.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span { source: self.source, start: self.start, end: other.end.max(self.start) }
    }
}

/// A value that was read, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// What was read.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value and its place.
    pub const fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

#[derive(Debug, Clone)]
struct Source {
    path: Arc<str>,
    text: Arc<str>,
    /// Byte at which each line starts.
    lines: Arc<[u32]>,
    /// Stretches that are never printed.
    hidden: Vec<Span>,
}

impl Source {
    fn new(path: Arc<str>, text: Arc<str>) -> Self {
        let after_breaks =
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| offset(at + 1));
        let lines = std::iter::once(0).chain(after_breaks).collect();
        Self { path, text, lines, hidden: Vec::new() }
    }
}

#[derive(Debug, Clone)]
struct Entry {
    source: Arc<Source>,
    /// Whether it was read since these sources are renewed.
    is_read: bool,
}

impl Entry {
    fn new(path: Arc<str>, text: Arc<str>) -> Self {
        Self { source: Arc::new(Source::new(path, text)), is_read: true }
    }
}

/// All texts that were read, with their paths as the reader should see them.
///
/// Cloning is cheap: the texts are shared. A text that is added again under its path keeps its id, also in
/// [`Sources::renewed`] ones, so that what was read of it and has not changed need not be read again.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    list: Vec<Entry>,
    by_path: Arc<HashMap<Arc<str>, SourceId>>,
    /// Ids of texts that are there no more.
    free: Vec<SourceId>,
    /// One for all that were renewed from the same first ones.
    origin: Arc<()>,
}

impl Sources {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a text under the path that diagnostics show. Offsets are 32 bits wide: what lies beyond 4 GiB of
    /// one text cannot be pointed at (loaders refuse long before).
    pub fn add(&mut self, path: &str, text: impl Into<Arc<str>>) -> SourceId {
        let text = text.into();
        let known = self.by_path.get(path).copied();
        if let Some((id, entry)) = known.and_then(|id| Some((id, self.list.get_mut(id.0 as usize)?))) {
            if is_same(&entry.source.text, &text) {
                entry.is_read = true;
                return id;
            }
            if !entry.is_read {
                *entry = Entry::new(Arc::clone(&entry.source.path), text);
                return id;
            }
        }
        let entry = Entry::new(path.into(), text);
        let path = Arc::clone(&entry.source.path);
        let free = self.free.pop().and_then(|id| Some((id, self.list.get_mut(id.0 as usize)?)));
        let id = if let Some((id, slot)) = free {
            *slot = entry;
            id
        } else {
            self.list.push(entry);
            SourceId(offset(self.list.len() - 1))
        };
        Arc::make_mut(&mut self.by_path).insert(path, id);
        id
    }

    /// Takes a text again that has an id since it was read before these sources were renewed; false, and nothing is done, where
    /// something else has that id now.
    pub fn keep(&mut self, id: SourceId, text: &Arc<str>) -> bool {
        let entry = self.list.get_mut(id.0 as usize);
        let entry = entry.filter(|entry| Arc::ptr_eq(&entry.source.text, text));
        entry.map(|entry| entry.is_read = true).is_some()
    }

    /// The id of a path.
    pub fn find(&self, path: &str) -> Option<SourceId> {
        self.by_path.get(path).copied()
    }

    /// The same, to be read again: a path keeps its id, whatever its text is then.
    #[must_use]
    pub fn renewed(&self) -> Self {
        let mut renewed = self.clone();
        renewed.list.iter_mut().for_each(|entry| entry.is_read = false);
        renewed
    }

    /// Whether ids of the other sources mean the same paths here, because these were renewed from them.
    #[must_use]
    pub fn continues(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.origin, &other.origin)
    }

    /// Lets go of what was not read since these sources are renewed.
    pub fn forget_unread(&mut self) {
        let empty: Arc<str> = "".into();
        for (index, entry) in self.list.iter_mut().enumerate() {
            let id = SourceId(offset(index));
            if !entry.is_read && !entry.source.path.is_empty() {
                if self.by_path.get(&entry.source.path) == Some(&id) {
                    Arc::make_mut(&mut self.by_path).remove(&entry.source.path);
                }
                *entry = Entry::new(Arc::clone(&empty), Arc::clone(&empty));
                self.free.push(id);
            }
        }
    }

    /// Path as shown; empty for an id of other `Sources`.
    pub fn path(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| &source.path)
    }

    /// Whole text; empty for an id of other `Sources`.
    pub fn text(&self, id: SourceId) -> &str {
        self.get(id).map_or("", |source| &source.text)
    }

    /// The text of a span; empty where the span does not fit the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text(span.source).get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of the beginning of a span, both from 1, the column in characters.
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        self.line_column_at(span.source, span.start)
    }

    /// Line and column of one byte, both from 1, the column in characters.
    pub fn line_column_at(&self, id: SourceId, at: u32) -> (usize, usize) {
        let Some(source) = self.get(id) else { return (1, 1) };
        let line = source.lines.partition_point(|start| *start <= at).max(1);
        let start = source.lines[line - 1] as usize;
        let end = (at as usize).min(source.text.len());
        let column =
            source.text.as_bytes()[start.min(end)..end].iter().filter(|byte| (**byte & 0xC0) != 0x80).count();
        (line, column + 1)
    }

    /// `file:line:column` of the beginning of a span.
    pub fn place(&self, span: Span) -> String {
        let (line, column) = self.line_column(span);
        format!("{}:{line}:{column}", self.path(span.source))
    }

    /// Bytes from the start of the line (from 1) to its end, the line break left out.
    pub(super) fn line_range(&self, id: SourceId, line: usize) -> std::ops::Range<usize> {
        let Some(source) = self.get(id) else { return 0..0 };
        let Some(start) = line.checked_sub(1).and_then(|index| source.lines.get(index)) else { return 0..0 };
        let start = *start as usize;
        let end = source.lines.get(line).map_or(source.text.len(), |next| *next as usize - 1);
        let end = if source.text[start..end].ends_with('\r') { end - 1 } else { end };
        start..end
    }

    /// Keeps the text of a span out of everything that is printed, because it may be a secret: a diagnostic there
    /// names its place without showing the line, and its words without that text.
    pub fn hide(&mut self, span: Span) {
        let entry = self.list.get_mut(span.source.0 as usize);
        if let Some(entry) = entry.filter(|entry| !entry.source.hidden.contains(&span)) {
            Arc::make_mut(&mut entry.source).hidden.push(span);
        }
    }

    /// Whether a stretch of a file, in bytes, touches a hidden one.
    pub(super) fn is_hidden(&self, id: SourceId, range: &std::ops::Range<usize>) -> bool {
        let touches = |span: &Span| (span.start as usize) < range.end && (span.end as usize) > range.start;
        self.get(id).is_some_and(|source| source.hidden.iter().any(touches))
    }

    /// A message about a file, with `…` for each part between backquotes that tells something hidden.
    pub(super) fn masked<'m>(&self, id: SourceId, message: &'m str) -> Cow<'m, str> {
        let Some(source) = self.get(id).filter(|source| !source.hidden.is_empty()) else {
            return message.into();
        };
        let blank = [' ', '{', '}', '"', '\'', ',', '\n', '\r'];
        let secrets: Vec<&str> =
            source.hidden.iter().map(|span| self.slice(*span).trim_matches(blank)).collect();
        let tells = |part: &str| {
            let part = part.trim_matches(blank);
            let related = |secret: &&str| part.contains(*secret) || secret.contains(part);
            !part.is_empty() && secrets.iter().filter(|secret| !secret.is_empty()).any(related)
        };
        let parts = message.split('`').enumerate();
        let parts = parts.map(|(index, part)| if index % 2 == 1 && tells(part) { "…" } else { part });
        parts.collect::<Vec<_>>().join("`").into()
    }

    /// Ids of all files, in the order in which they were added.
    pub fn ids(&self) -> impl Iterator<Item = SourceId> + use<> {
        (0..offset(self.list.len())).map(SourceId)
    }

    fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize).map(|entry| &*entry.source)
    }
}

/// Whether two texts are the same; most of those that are lie at the same place.
fn is_same(one: &Arc<str>, other: &Arc<str>) -> bool {
    Arc::ptr_eq(one, other) || one == other
}

/// A byte offset in the width that spans use; beyond 4 GiB it stays at the end.
pub fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let mut sources = Sources::new();
        let id = sources.add("a.yaml", "ä: 1\r\nbé𝄞: x\n");
        let at = u32::try_from(sources.text(id).find('x').unwrap()).unwrap();
        assert_eq!(sources.line_column_at(id, at), (2, 6));
        assert_eq!(sources.place(Span { source: id, start: 0, end: 2 }), "a.yaml:1:1");
        assert_eq!(&sources.text(id)[sources.line_range(id, 1)], "ä: 1");
        assert_eq!(&sources.text(id)[sources.line_range(id, 2)], "bé𝄞: x");
        assert_eq!(sources.line_column_at(id, 999), (3, 1));
    }

    #[test]
    fn a_path_keeps_its_id_when_it_is_read_again() {
        let mut sources = Sources::new();
        let (a, b) = (sources.add("a", "one"), sources.add("b", "two"));
        assert_eq!(sources.add("a", "one"), a);
        assert_ne!(sources.add("a", "another text under the same path"), a);
        let mut again = sources.renewed();
        assert!(again.continues(&sources) && !again.continues(&Sources::new()));
        assert_eq!(again.add("b", "two, changed"), b);
        assert_eq!((again.text(b), sources.text(b)), ("two, changed", "two"));
        // Only the same text in memory is kept by its id alone.
        let text: Arc<str> = "another text under the same path".into();
        let (kept, other) = (sources.add("kept", Arc::clone(&text)), Arc::<str>::from(&*text));
        let mut later = sources.renewed();
        assert!(later.keep(kept, &text) && !later.keep(kept, &other) && !later.keep(SourceId(99), &text));
        later.forget_unread();
        assert_eq!((later.text(kept), later.text(b), later.find("kept")), (&*text, "", Some(kept)));
        again.forget_unread();
        assert_eq!(again.text(a), "");
        // What is forgotten makes room.
        let before = again.ids().count();
        let c = again.add("c", "three");
        assert_eq!((again.ids().count(), again.path(c)), (before, "c"));
        assert_eq!(again.add("b", "two, changed"), b);
    }
}
