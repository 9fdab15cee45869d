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
/// becomes of it, or [`Patch::cut`] it off, and [`Patch::leave`]. What turns out to be nothing is [`Patch::abandon`]ed and cut off.
#[derive(Debug)]
pub struct Patch<'d> {
    root: Node<'d>,
    writer: Writer,
    /// What comes before is written or left out.
    at: Place,
    /// Whether what is there follows what is written; else the children up to the next one that is reached are left out.
    follows: bool,
    /// Whether a comma comes before it.
    has_comma: bool,
    /// Objects and arrays that were entered.
    entered: Vec<Entered<'d>>,
    /// Those of them that are in the writer.
    begun: Vec<Begun>,
}

#[derive(Debug)]
struct Entered<'d> {
    source: &'d Record,
    /// Children that stay or are written.
    count: u32,
    /// Behind the last child that was dealt with and stays.
    behind: Place,
}

/// An object or array that is in the writer.
#[derive(Debug)]
struct Begun {
    /// Its row there.
    row: u32,
    /// As it was when it was entered, as nothing is written before there is a change.
    before: Before,
}

/// What was written and where, to go back to.
#[derive(Debug, Clone, Copy)]
struct Before {
    text: u32,
    rows: u32,
    at: Place,
    follows: bool,
    has_comma: bool,
}

/// A new value.
#[derive(Debug, Clone, Copy)]
pub enum Fresh<'b, 's> {
    /// A text, without escapes.
    Text(&'b str),
    /// What a builder made.
    Built(&'b Builder<'s>, Slot),
    /// What stands in another document.
    Copy(Node<'b>),
}

/// A value that is being written in another place.
#[derive(Debug, Clone, Copy)]
pub struct Placing<'d> {
    node: Node<'d>,
    /// The row of an array around it.
    array: Option<usize>,
    before: Before,
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
            has_comma: false,
            entered: Vec::with_capacity(DEPTH_GUESS),
            begun: Vec::new(),
        }
    }

    /// Goes into an object or array.
    #[inline]
    pub fn enter(&mut self, node: Node<'d>) {
        let source = node.row();
        let behind = (source.start + 1, source.id + 1);
        self.entered.push(Entered { source, count: 0, behind });
        // One that is placed elsewhere is begun already.
        if source.id < self.at.1 {
            self.begin_entered();
        }
    }

    /// Of what has its row already; so it is not what is taken back together with what is in it.
    fn begin_entered(&mut self) {
        let before = self.before();
        let row = before.rows.wrapping_sub(1);
        self.begun.push(Begun { row, before: Before { rows: row, ..before } });
    }

    /// Goes on to a child, which stays or is replaced.
    #[inline]
    pub fn reach(&mut self, child: Node<'d>) {
        if !self.follows {
            self.resume(child.row());
        }
    }

    fn resume(&mut self, child: &Record) {
        self.has_comma = self.count() > 0;
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
            // Not where what was reached last is what is left out.
            if innermost.behind.0 > self.at.0 {
                self.copy_to(innermost.behind);
            }
            (self.follows, self.has_comma) = (false, false);
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
        let before = self.before();
        let (name, array) = self.begin(name, is_wrapped);
        let source = node.row();
        let writer = &mut self.writer;
        let rows = position(writer.nodes.len()).wrapping_sub(source.id);
        let mut row = source.relocated(&Shift::by(writer.here().wrapping_sub(source.start), rows));
        (row.name, row.name_len) = name;
        writer.nodes.push(row);
        self.at = (source.start, source.id + 1);
        self.follows = true;
        Placing { node, array, before }
    }

    /// Ends that, beside the members of the node itself or of what it stands in.
    pub fn placed_beside(&mut self, placing: &Placing<'d>) {
        let source = placing.node.row();
        self.copy_to((source.end, source.next));
        self.wrap(placing.array);
        self.follows = false;
        if let Some(innermost) = self.entered.last_mut() {
            innermost.count += 1;
        }
    }

    /// Takes it back; what was entered since is abandoned.
    pub fn unplace(&mut self, placing: &Placing<'d>) {
        self.go_back(&placing.before);
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
        if self.begun.len() > self.entered.len()
            && let Some(Begun { row, .. }) = self.begun.pop()
        {
            self.end(&left, row);
        }
    }

    /// Goes out of what was entered last as if it had not been entered.
    pub fn abandon(&mut self) {
        self.entered.pop();
        if self.begun.len() > self.entered.len()
            && let Some(Begun { before, .. }) = self.begun.pop()
        {
            self.go_back(&before);
        }
    }

    /// Goes into an object whose members become members of what was entered last, which may be that object.
    pub fn hoist(&mut self, node: Node<'d>) {
        self.cut();
        let count = self.count();
        self.enter(node);
        if self.begun.len() < self.entered.len() {
            self.begin_entered();
        }
        if let Some(innermost) = self.entered.last_mut() {
            innermost.count = count;
        }
    }

    /// Goes out of that.
    pub fn hoisted(&mut self) {
        self.cut();
        let Some(left) = self.entered.pop() else { return };
        self.begun.truncate(self.entered.len());
        if let Some(innermost) = self.entered.last_mut() {
            innermost.count = left.count;
        }
    }

    fn end(&mut self, left: &Entered<'_>, row: u32) {
        let source = left.source;
        if !self.follows {
            self.writer.text.push(if source.kind() == Kind::Object { '}' } else { ']' });
            self.at = (source.end, source.next);
            self.follows = true;
        }
        let here = self.writer.here() + u32::from(self.has_comma);
        let end = here.wrapping_add(source.end.wrapping_sub(self.at.0));
        let next = position(self.writer.nodes.len()).wrapping_add(source.next.wrapping_sub(self.at.1));
        if let Some(row) = self.writer.nodes.get_mut(row as usize) {
            row.close(end, next, left.count);
        }
    }

    /// How many children of what was entered last stay or are written so far.
    #[inline]
    #[must_use]
    pub fn count(&self) -> u32 {
        self.entered.last().map_or(0, |innermost| innermost.count)
    }

    #[inline]
    fn before(&self) -> Before {
        Before {
            text: self.writer.here(),
            rows: position(self.writer.nodes.len()),
            at: self.at,
            follows: self.follows,
            has_comma: self.has_comma,
        }
    }

    fn go_back(&mut self, before: &Before) {
        self.writer.text.truncate(before.text as usize);
        self.writer.nodes.truncate(before.rows as usize);
        (self.at, self.follows, self.has_comma) = (before.at, before.follows, before.has_comma);
        // What was begun since then is not any more.
        while self.begun.last().is_some_and(|last| last.before.rows >= before.rows) {
            self.begun.pop();
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
        if self.writer.nodes.capacity() == 0 {
            let root = self.root;
            self.writer.text.reserve(root.raw().len() + GROWTH_GUESS.0);
            self.writer.nodes.reserve(root.rows() + GROWTH_GUESS.1);
            self.begun.reserve(DEPTH_GUESS);
        }
        let before = self.before();
        let rows = before.rows.wrapping_sub(self.at.1);
        for entered in self.entered.iter().skip(self.begun.len()) {
            self.begun.push(Begun { row: entered.source.id.wrapping_add(rows), before });
        }
        let writer = &mut self.writer;
        if std::mem::take(&mut self.has_comma) {
            writer.text.push(',');
        }
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
            Fresh::Copy(node) => self.splice(node, name),
        }
    }
}
