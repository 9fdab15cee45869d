//! The one pass that turns the tree into text and table together.

use super::{Builder, Kind, Node, Slot, Value, name::MemberName};
use crate::json::{
    document::Document,
    table::{NAME_ESCAPED, NOT_NAMED, NameSpan, Record, Shift, position},
    writer::{push_long, write_escaped},
};

/// Starting size of the text for each value that is not a copy and for each name, in bytes.
const VALUE_BYTES_GUESS: usize = 20;
/// Arrays and objects inside each other, that most documents do with.
const DEPTH_GUESS: usize = 16;

impl Builder<'_> {
    /// The document that `root` stands for; what hangs elsewhere is dropped.
    #[must_use]
    pub fn finish(self, root: Slot) -> Document {
        let mut writer = Writer::for_values(&self);
        self.write(&mut writer, root, NOT_NAMED);
        Document::from_parts(writer.text, writer.nodes)
    }

    /// Writes a value under a name that is written already.
    pub(super) fn write(&self, writer: &mut Writer, root: Slot, name: NameSpan) {
        let Some(first) = writer.open(self.value(root), root, name) else { return };
        let mut open: Vec<Open> = Vec::with_capacity(DEPTH_GUESS);
        open.push(first);
        while let Some(mut inner) = open.pop() {
            let opened = if inner.is_object {
                self.write_members(writer, &mut inner, &open)
            } else {
                self.write_elements(writer, &mut inner, &open)
            };
            if let Some(opened) = opened {
                open.push(inner);
                open.push(opened);
            } else {
                writer.end(&inner);
            }
        }
    }

    /// Writes members from where an object was left up to the next one to go into, which is begun; none: to the end.
    fn write_members(&self, writer: &mut Writer, inner: &mut Open, outer: &[Open]) -> Option<Open> {
        while let Some(member) = self.members.get(inner.next as usize) {
            inner.next = member.next;
            let name = writer.name(&member.name, inner.count == 0);
            inner.count += 1;
            let value = self.value(member.value);
            if let Value::Object(_) | Value::Array(_) = value {
                let opened = writer.begin(value, member.value, name, (inner.slot, outer));
                if opened.is_some() {
                    return opened;
                }
            } else {
                writer.scalar(value, name);
            }
        }
        None
    }

    /// The same of the elements of an array.
    fn write_elements(&self, writer: &mut Writer, inner: &mut Open, outer: &[Open]) -> Option<Open> {
        let Value::Array(elements) = self.value(inner.slot) else { return None };
        while let Some(element) = elements.get(inner.next as usize) {
            inner.next += 1;
            if inner.count > 0 {
                writer.text.push(',');
            }
            inner.count += 1;
            let value = self.value(*element);
            if let Value::Object(_) | Value::Array(_) = value {
                let opened = writer.begin(value, *element, NOT_NAMED, (inner.slot, outer));
                if opened.is_some() {
                    return opened;
                }
            } else {
                writer.scalar(value, NOT_NAMED);
            }
        }
        None
    }
}

/// An array or object that is being written.
struct Open {
    slot: Slot,
    record: usize,
    /// Place of the next member, or index of the next element.
    next: u32,
    /// Children that are written.
    count: u32,
    is_object: bool,
}

/// Text and table of a document, written together.
#[derive(Debug, Default)]
pub(super) struct Writer {
    pub text: String,
    pub nodes: Vec<Record>,
}

impl Writer {
    fn for_values(builder: &Builder<'_>) -> Self {
        let mut bytes = (builder.values.len() + builder.members.len()) * VALUE_BYTES_GUESS;
        let mut rows = builder.values.len();
        for value in &builder.values {
            if let Value::Copy(node) = value {
                let (start, end) = node.span();
                bytes += end - start;
                rows += node.rows();
            }
        }
        Self { text: String::with_capacity(bytes), nodes: Vec::with_capacity(rows) }
    }

    /// Begins an array or object; one that is inside itself is written there as null.
    fn begin(
        &mut self,
        value: &Value<'_>,
        slot: Slot,
        name: NameSpan,
        (inner, outer): (Slot, &[Open]),
    ) -> Option<Open> {
        if slot == inner || outer.iter().any(|open| open.slot == slot) {
            self.plain(Kind::Null, name, "null");
            return None;
        }
        self.open(value, slot, name)
    }

    fn open(&mut self, value: &Value<'_>, slot: Slot, name: NameSpan) -> Option<Open> {
        let (is_object, next) = match value {
            Value::Object(object) => (true, object.first),
            Value::Array(_) => (false, 0),
            other => {
                self.scalar(other, name);
                return None;
            }
        };
        let (bracket, kind) = if is_object { ('{', Kind::Object) } else { ('[', Kind::Array) };
        let (start, record) = (self.here(), self.nodes.len());
        self.text.push(bracket);
        self.row(kind, false, start, name);
        Some(Open { slot, record, next, count: 0, is_object })
    }

    /// Writes a value that nothing is in, or a copy.
    #[inline]
    fn scalar(&mut self, value: &Value<'_>, name: NameSpan) {
        match value {
            Value::Copy(node) => self.splice(*node, name),
            Value::Text(text) => self.string(text, name),
            Value::Number(text) => self.plain(Kind::Number, name, text),
            Value::Bool(true) => self.plain(Kind::Bool, name, "true"),
            Value::Bool(false) => self.plain(Kind::Bool, name, "false"),
            Value::Null | Value::Object(_) | Value::Array(_) => self.plain(Kind::Null, name, "null"),
        }
    }

    #[inline]
    pub fn string(&mut self, text: &str, name: NameSpan) {
        let start = self.here();
        self.text.push('"');
        let escaped = write_escaped(&mut self.text, text);
        self.text.push('"');
        self.row(Kind::String, escaped, start, name);
    }

    fn end(&mut self, open: &Open) {
        self.text.push(if open.is_object { '}' } else { ']' });
        let (end, next) = (self.here(), position(self.nodes.len()));
        if let Some(record) = self.nodes.get_mut(open.record) {
            record.close(end, next, open.count);
        }
    }

    #[inline]
    pub fn name(&mut self, name: &MemberName<'_>, is_first: bool) -> NameSpan {
        let (start, escaped) = name.write(&mut self.text, is_first);
        // Behind the name stand its quote and its colon.
        let len = position(self.text.len() - start - 2);
        (position(start), if escaped { len | NAME_ESCAPED } else { len })
    }

    #[inline]
    pub fn plain(&mut self, kind: Kind, name: NameSpan, text: &str) {
        let start = self.here();
        self.text.push_str(text);
        self.row(kind, false, start, name);
    }

    /// Copies a node's text as it is, and its rows moved to where they now stand.
    #[inline]
    pub fn splice(&mut self, node: Node<'_>, name: NameSpan) {
        let bytes = self.here().wrapping_sub(position(node.span().0));
        let rows = position(self.nodes.len()).wrapping_sub(node.id().index());
        push_long(&mut self.text, node.raw());
        let Some((first, below)) = node.subtree().split_first() else { return };
        let shift = Shift::by(bytes, rows);
        let mut first = first.relocated(&shift);
        (first.name, first.name_len) = name;
        self.nodes.push(first);
        // Most copies are of one value without parts.
        if !below.is_empty() {
            self.nodes.extend(below.iter().map(|row| row.relocated(&shift)));
        }
    }

    #[inline]
    fn row(&mut self, kind: Kind, escaped: bool, start: u32, name: NameSpan) {
        let next = position(self.nodes.len() + 1);
        let record = Record::new(kind, escaped, (start, self.here()), name, next);
        self.nodes.push(record);
    }

    #[inline]
    pub fn here(&self) -> u32 {
        position(self.text.len())
    }
}
