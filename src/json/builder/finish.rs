//! The one pass that turns the tree into text and table together.

use super::{Builder, Kind, Node, Slot, Value, name::MemberName};
use crate::json::{
    document::Document,
    table::{NAME_ESCAPED, Record, position},
    writer::write_escaped,
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
        let mut is_open = vec![false; self.values.len()];
        let mut outer: Vec<Open> = Vec::with_capacity(DEPTH_GUESS);
        let mut opened = writer.value(self.value(root), root, NO_NAME);
        // What is around the root: it has no more children.
        let mut inner = Open { slot: root, record: 0, next: super::NOWHERE, count: 0, is_object: true };
        loop {
            if let Some(open) = opened.take() {
                set(&mut is_open, open.slot, true);
                outer.push(std::mem::replace(&mut inner, open));
            }
            let child = if inner.is_object {
                self.members.get(inner.next as usize).map(|member| {
                    inner.next = member.next;
                    (member.value, writer.name(&member.name, inner.count == 0))
                })
            } else {
                self.element(inner.slot, inner.next).map(|element| {
                    inner.next += 1;
                    writer.comma(inner.count);
                    (element, NO_NAME)
                })
            };
            if let Some((slot, name)) = child {
                inner.count += 1;
                let value = self.value(slot);
                let is_inside_itself = matches!(value, Value::Object(_) | Value::Array(_))
                    && is_open.get(slot.0 as usize).copied().unwrap_or(true);
                opened = if is_inside_itself {
                    writer.scalar(Kind::Null, name, "null");
                    None
                } else {
                    writer.value(value, slot, name)
                };
                continue;
            }
            let Some(around) = outer.pop() else { break };
            writer.end(&inner);
            set(&mut is_open, inner.slot, false);
            inner = around;
        }
        Document::from_parts(writer.text, writer.nodes)
    }

    fn element(&self, array: Slot, index: u32) -> Option<Slot> {
        match self.value(array) {
            Value::Array(elements) => elements.get(index as usize).copied(),
            _ => None,
        }
    }
}

fn set(flags: &mut [bool], slot: Slot, to: bool) {
    if let Some(flag) = flags.get_mut(slot.0 as usize) {
        *flag = to;
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

/// Where a member name stands in the text, as a table row has it.
type NameSpan = (u32, u32);

/// Of what is no member.
const NO_NAME: NameSpan = (0, 0);

struct Writer {
    text: String,
    nodes: Vec<Record>,
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

    /// Writes a whole scalar or copy, or begins an array or object.
    #[inline]
    fn value(&mut self, value: &Value<'_>, slot: Slot, name: NameSpan) -> Option<Open> {
        match value {
            Value::Copy(node) => self.splice(*node, name),
            Value::Text(text) => self.string(text, name),
            Value::Number(text) => self.scalar(Kind::Number, name, text),
            Value::Object(object) => {
                let record = self.bracket('{', Kind::Object, name);
                return Some(Open { slot, record, next: object.first, count: 0, is_object: true });
            }
            Value::Array(_) => {
                let record = self.bracket('[', Kind::Array, name);
                return Some(Open { slot, record, next: 0, count: 0, is_object: false });
            }
            Value::Null => self.scalar(Kind::Null, name, "null"),
            Value::Bool(true) => self.scalar(Kind::Bool, name, "true"),
            Value::Bool(false) => self.scalar(Kind::Bool, name, "false"),
        }
        None
    }

    fn string(&mut self, text: &str, name: NameSpan) {
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

    fn bracket(&mut self, bracket: char, kind: Kind, name: NameSpan) -> usize {
        let start = self.here();
        self.text.push(bracket);
        self.row(kind, false, start, name);
        self.nodes.len() - 1
    }

    fn comma(&mut self, done: u32) {
        if done > 0 {
            self.text.push(',');
        }
    }

    #[inline]
    fn name(&mut self, name: &MemberName<'_>, is_first: bool) -> NameSpan {
        let (start, escaped) = name.write(&mut self.text, is_first);
        // Behind the name stand its quote and its colon.
        let len = position(self.text.len() - start - 2);
        (position(start), if escaped { len | NAME_ESCAPED } else { len })
    }

    fn scalar(&mut self, kind: Kind, name: NameSpan, text: &str) {
        let start = self.here();
        self.text.push_str(text);
        self.row(kind, false, start, name);
    }

    /// Copies a node's text as it is, and its rows moved to where they now stand.
    fn splice(&mut self, node: Node<'_>, name: NameSpan) {
        let here = position(self.nodes.len());
        let bytes = self.here().wrapping_sub(position(node.span().0));
        let rows = here.wrapping_sub(node.id().index());
        self.text.push_str(node.raw());
        match node.subtree() {
            // Most copies are of one value without parts.
            [only] => self.nodes.push(only.relocated(bytes, rows)),
            all => self.nodes.extend(all.iter().map(|row| row.relocated(bytes, rows))),
        }
        if let Some(row) = self.nodes.get_mut(here as usize) {
            (row.name, row.name_len) = name;
        }
    }

    fn row(&mut self, kind: Kind, escaped: bool, start: u32, name: NameSpan) {
        let next = position(self.nodes.len() + 1);
        let record = Record::new(kind, escaped, (start, self.here()), name, next);
        self.nodes.push(record);
    }

    fn here(&self) -> u32 {
        position(self.text.len())
    }
}
