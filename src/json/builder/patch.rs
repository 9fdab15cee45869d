//! A received document with changes, written from front to back.
//!
//! Whoever looks for changes goes through a document in its order and says what becomes of each child. Nothing is copied before
//! there is a change; what stays between two changes is one piece of text and table, and an object or array that changes only
//! inside is not taken apart: its brackets, names and commas are in those pieces, and its row is put right when it is left.

use super::{Builder, Name, Slot, Value, finish::Writer, name::MemberName};
use crate::json::{
    document::Document,
    node::{Kind, Node},
    table::{NOT_NAMED, NameSpan, Record, Shift, position},
    writer::push_long,
};

/// Arrays and objects inside each other, that most documents do with.
const DEPTH_GUESS: usize = 16;
/// Bytes and rows that most changes add at most.
const GROWTH_GUESS: (usize, usize) = (512, 16);

/// A place in the received document: a byte, and a row.
type Place = (u32, u32);

/// A received document with changes.
///
/// The order of calls is that of the document: [`Patch::enter`] an object or array, for each child [`Patch::reach`] it and say what
/// becomes of it, or [`Patch::cut`] it off, and [`Patch::leave`].
#[derive(Debug)]
pub struct Patch<'d> {
    root: Node<'d>,
    writer: Writer,
    /// What comes before is written or left out.
    at: Place,
    /// Whether what is there follows what is written; else a comma may have to come between.
    follows: bool,
    /// Objects and arrays that were entered.
    entered: Vec<Entered<'d>>,
    /// How many of these are in the writer.
    begun: usize,
}

#[derive(Debug)]
struct Entered<'d> {
    source: &'d Record,
    /// Its row in the writer, once it is there.
    row: u32,
    /// Children that stay or are written.
    count: u32,
    /// Behind the last child that was dealt with and stays.
    behind: Place,
}

/// What a patch can go back to.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    text: usize,
    rows: usize,
    at: Place,
    follows: bool,
    begun: usize,
    depth: usize,
    count: u32,
    behind: Place,
}

/// A new value.
#[derive(Debug, Clone, Copy)]
pub enum Fresh<'b, 's> {
    /// A text, without escapes.
    Text(&'b str),
    /// What a builder made.
    Built(&'b Builder<'s>, Slot),
}

/// A value that is being written in another place.
#[derive(Debug, Clone, Copy)]
pub struct Placing<'d> {
    node: Node<'d>,
    /// The row of an array around it.
    array: Option<usize>,
}

impl<'d> Patch<'d> {
    /// A document without changes.
    #[must_use]
    pub fn new(root: Node<'d>) -> Self {
        Self {
            root,
            writer: Writer::default(),
            at: (root.row().start, root.row().id),
            follows: true,
            entered: Vec::with_capacity(DEPTH_GUESS),
            begun: 0,
        }
    }

    /// Goes into an object or array.
    #[inline]
    pub fn enter(&mut self, node: Node<'d>) {
        let source = node.row();
        // One that is placed elsewhere is begun already.
        let is_begun = source.id < self.at.1;
        let row = position(self.writer.nodes.len()).wrapping_sub(1);
        let behind = (source.start + 1, source.id + 1);
        self.entered.push(Entered { source, row, count: 0, behind });
        if is_begun {
            self.begun = self.entered.len();
        }
    }

    /// Goes on to a child, which stays or is replaced.
    #[inline]
    pub fn reach(&mut self, child: Node<'d>) {
        if !self.follows {
            self.resume(child.row());
        }
    }

    fn resume(&mut self, child: &Record) {
        if self.count() > 0 {
            self.writer.text.push(',');
        }
        let start = if child.is_member() { child.name - 1 } else { child.start };
        self.at = (start, child.id);
        self.follows = true;
    }

    /// A child that was reached stays, with what was changed in it.
    #[inline]
    pub fn keep(&mut self, child: Node<'d>) {
        if let Some(innermost) = self.entered.last_mut() {
            innermost.count += 1;
            innermost.behind = (child.row().end, child.row().next);
        }
    }

    /// Leaves out what follows the last child that stays, until the next one is reached.
    #[inline]
    pub fn cut(&mut self) {
        if self.follows
            && let Some(innermost) = self.entered.last()
        {
            self.copy_to(innermost.behind);
            self.follows = false;
        }
    }

    /// Writes another value in the place of a child that was reached.
    pub fn replace(&mut self, child: Node<'d>, value: Fresh<'_, '_>) {
        let row = child.row();
        self.copy_to((row.start, row.id));
        let name = row.name.wrapping_add(self.writer.here().wrapping_sub(row.start));
        self.writer.fresh(value, if row.is_member() { (name, row.name_len) } else { NOT_NAMED });
        self.at = (row.end, row.next);
        self.keep(child);
    }

    /// Writes a new member, or one of an array of one.
    pub fn insert(&mut self, name: &Name, value: Fresh<'_, '_>, is_wrapped: bool) {
        let (name, array) = self.begin(name, is_wrapped);
        self.writer.fresh(value, name);
        self.wrap(array);
        if let Some(innermost) = self.entered.last_mut() {
            innermost.count += 1;
        }
    }

    /// Writes the members of an object that a builder made.
    pub fn insert_members(&mut self, builder: &Builder<'_>, object: Slot) {
        let Value::Object(object) = builder.value(object) else { return };
        let mut at = object.first;
        while let Some(member) = builder.members.get(at as usize) {
            at = member.next;
            self.cut();
            let name = self.writer.name(&member.name, self.count() == 0);
            builder.write(&mut self.writer, member.value, name);
            if let Some(innermost) = self.entered.last_mut() {
                innermost.count += 1;
            }
        }
    }

    /// Begins to write a node under another name, or as the one element of an array there. It can be entered then.
    pub fn place(&mut self, name: &Name, node: Node<'d>, is_wrapped: bool) -> Placing<'d> {
        let (name, array) = self.begin(name, is_wrapped);
        let source = node.row();
        let writer = &mut self.writer;
        let rows = position(writer.nodes.len()).wrapping_sub(source.id);
        let mut row = source.relocated(&Shift::by(writer.here().wrapping_sub(source.start), rows));
        (row.name, row.name_len) = name;
        writer.nodes.push(row);
        self.at = (source.start, source.id + 1);
        self.follows = true;
        Placing { node, array }
    }

    /// Ends that, in the place of a child.
    pub fn placed(&mut self, placing: Placing<'d>, child: Node<'d>) {
        let (source, row) = (placing.node.row(), child.row());
        if placing.array.is_some() || source.id != row.id {
            self.copy_to((source.end, source.next));
            self.wrap(placing.array);
            self.at = (row.end, row.next);
        }
        self.keep(child);
    }

    /// Goes out of what was entered last.
    #[inline]
    pub fn leave(&mut self) {
        let Some(left) = self.entered.pop() else { return };
        if self.begun > self.entered.len() {
            self.begun = self.entered.len();
            self.end(&left);
        }
    }

    fn end(&mut self, left: &Entered<'_>) {
        let source = left.source;
        if !self.follows {
            self.writer.text.push(if source.kind() == Kind::Object { '}' } else { ']' });
            self.at = (source.end, source.next);
            self.follows = true;
        }
        let end = self.writer.here().wrapping_add(source.end.wrapping_sub(self.at.0));
        let next = position(self.writer.nodes.len()).wrapping_add(source.next.wrapping_sub(self.at.1));
        if let Some(row) = self.writer.nodes.get_mut(left.row as usize) {
            row.close(end, next, left.count);
        }
    }

    /// How many children of what was entered last stay or are written so far.
    #[inline]
    #[must_use]
    pub fn count(&self) -> u32 {
        self.entered.last().map_or(0, |innermost| innermost.count)
    }

    /// What is written and where, to go back to as long as what was entered last is not left.
    #[inline]
    #[must_use]
    pub fn mark(&self) -> Mark {
        let (count, behind) =
            self.entered.last().map_or((0, (0, 0)), |innermost| (innermost.count, innermost.behind));
        Mark {
            text: self.writer.text.len(),
            rows: self.writer.nodes.len(),
            at: self.at,
            follows: self.follows,
            begun: self.begun,
            depth: self.entered.len(),
            count,
            behind,
        }
    }

    /// Takes back what was done since.
    pub fn back_to(&mut self, mark: &Mark) {
        self.writer.text.truncate(mark.text);
        self.writer.nodes.truncate(mark.rows);
        (self.at, self.follows, self.begun) = (mark.at, mark.follows, mark.begun);
        self.entered.truncate(mark.depth);
        if let Some(innermost) = self.entered.last_mut() {
            (innermost.count, innermost.behind) = (mark.count, mark.behind);
        }
    }

    /// The document; none if nothing was changed.
    #[must_use]
    pub fn finish(mut self) -> Option<Document> {
        if self.writer.nodes.is_empty() {
            return None;
        }
        let root = self.root.row();
        self.copy_to((root.end, root.next));
        if let Some(first) = self.writer.nodes.first_mut() {
            (first.name, first.name_len) = NOT_NAMED;
        }
        Some(Document::from_parts(self.writer.text, self.writer.nodes))
    }

    /// Writes the name of a new member, and the bracket of an array if there is to be one.
    fn begin(&mut self, name: &Name, is_wrapped: bool) -> (NameSpan, Option<usize>) {
        self.cut();
        let is_first = self.count() == 0;
        let name = self.writer.name(&MemberName::Known(name), is_first);
        if !is_wrapped {
            return (name, None);
        }
        let array = self.writer.nodes.len();
        self.writer.plain(Kind::Array, name, "[");
        (NOT_NAMED, Some(array))
    }

    /// Ends an array of one.
    fn wrap(&mut self, array: Option<usize>) {
        let Some(array) = array else { return };
        self.writer.text.push(']');
        let (end, next) = (self.writer.here(), position(self.writer.nodes.len()));
        if let Some(row) = self.writer.nodes.get_mut(array) {
            row.close(end, next, 1);
        }
    }

    /// Copies all that is not yet copied up to a place, with what was entered on the way.
    fn copy_to(&mut self, (byte, row): Place) {
        let writer = &mut self.writer;
        if writer.nodes.capacity() == 0 {
            let root = self.root;
            writer.text.reserve(root.raw().len() + GROWTH_GUESS.0);
            writer.nodes.reserve(root.rows() + GROWTH_GUESS.1);
        }
        let rows = position(writer.nodes.len()).wrapping_sub(self.at.1);
        for entered in self.entered.iter_mut().skip(self.begun) {
            entered.row = entered.source.id.wrapping_add(rows);
        }
        self.begun = self.entered.len();
        writer.copy(self.root.document(), (self.at, (byte, row)), rows);
        self.at = (byte, row);
    }
}

impl Writer {
    /// Copies text and rows of a document between two places; its rows are moved by `rows`.
    #[inline]
    fn copy(&mut self, source: &Document, ((byte, row), (byte_end, row_end)): (Place, Place), rows: u32) {
        let shift = Shift::by(self.here().wrapping_sub(byte), rows);
        push_long(&mut self.text, source.text().get(byte as usize..byte_end as usize).unwrap_or_default());
        let rows = source.records().get(row as usize..row_end as usize).unwrap_or_default();
        self.nodes.extend(rows.iter().map(|row| row.relocated(&shift)));
    }

    fn fresh(&mut self, value: Fresh<'_, '_>, name: NameSpan) {
        match value {
            Fresh::Text(text) => self.string(text, name),
            Fresh::Built(builder, slot) => builder.write(self, slot, name),
        }
    }
}
