//! The one pass that turns the tree into text and table together.

use super::{Builder, Kind, Member, Node, Slot, Value};
use crate::json::{
    document::Document,
    table::{NAME_ESCAPED, Record, position},
    writer::write_escaped,
};

/// Starting size of the text for each value that is not a copy, in bytes.
const VALUE_BYTES_GUESS: usize = 24;

impl Builder<'_> {
    /// The document that `root` stands for; what hangs elsewhere is dropped.
    #[must_use]
    pub fn finish(self, root: Slot) -> Document {
        let mut writer = Writer::for_values(&self.values);
        let mut open: Vec<Open> = Vec::new();
        let mut is_open = vec![false; self.values.len()];
        let mut next = Some((root, None));
        while let Some((slot, name)) = next.take() {
            let at = slot.0 as usize;
            if is_open.get(at).copied().unwrap_or(false) {
                writer.scalar(Kind::Null, name, "null");
            } else if let Some(record) = writer.begin(self.value(slot), name) {
                if let Some(flag) = is_open.get_mut(at) {
                    *flag = true;
                }
                open.push(Open { slot, record, done: 0 });
            }
            while let Some(top) = open.last_mut() {
                next = writer.next_child(self.value(top.slot), top.done);
                if next.is_some() {
                    top.done += 1;
                    break;
                }
                writer.end(self.value(top.slot), top.record, top.done);
                if let Some(flag) = is_open.get_mut(top.slot.0 as usize) {
                    *flag = false;
                }
                open.pop();
            }
        }
        Document::from_parts(writer.text, writer.nodes)
    }
}

/// An array or object that is being written.
struct Open {
    slot: Slot,
    record: usize,
    done: usize,
}

/// Where a member name stands in the text, as a table row has it.
type NameSpan = Option<(u32, u32)>;

struct Writer {
    text: String,
    nodes: Vec<Record>,
}

impl Writer {
    fn for_values(values: &[Value<'_>]) -> Self {
        let mut bytes = values.len() * VALUE_BYTES_GUESS;
        let mut rows = values.len();
        for value in values {
            if let Value::Copy(node) = value {
                let (start, end) = node.span();
                bytes += end - start;
                rows += node.subtree().len();
            }
        }
        Self { text: String::with_capacity(bytes), nodes: Vec::with_capacity(rows) }
    }

    /// Writes a whole scalar or copy, or begins an array or object and says which row is to be ended.
    fn begin(&mut self, value: &Value<'_>, name: NameSpan) -> Option<usize> {
        match value {
            Value::Null => self.scalar(Kind::Null, name, "null"),
            Value::Bool(true) => self.scalar(Kind::Bool, name, "true"),
            Value::Bool(false) => self.scalar(Kind::Bool, name, "false"),
            Value::Number(text) => self.scalar(Kind::Number, name, text),
            Value::Text(text) => {
                let start = self.here();
                self.text.push('"');
                let escaped = write_escaped(&mut self.text, text);
                self.text.push('"');
                self.row(Kind::String, escaped, start, name);
            }
            Value::Copy(node) => self.splice(*node, name),
            Value::Object(_) => return Some(self.bracket('{', Kind::Object, name)),
            Value::Array(_) => return Some(self.bracket('[', Kind::Array, name)),
        }
        None
    }

    /// Writes what stands before child number `done`, and says which child it is.
    fn next_child(&mut self, value: &Value<'_>, done: usize) -> Option<(Slot, NameSpan)> {
        match value {
            Value::Object(members) => {
                let member = members.get(done)?;
                self.comma(done);
                let name = self.name(member);
                Some((member.value, Some(name)))
            }
            Value::Array(elements) => {
                let element = elements.get(done)?;
                self.comma(done);
                Some((*element, None))
            }
            _ => None,
        }
    }

    fn end(&mut self, value: &Value<'_>, record: usize, count: usize) {
        self.text.push(if matches!(value, Value::Object(_)) { '}' } else { ']' });
        let (end, next) = (self.here(), position(self.nodes.len()));
        if let Some(record) = self.nodes.get_mut(record) {
            record.close(end, next, position(count));
        }
    }

    fn bracket(&mut self, bracket: char, kind: Kind, name: NameSpan) -> usize {
        let start = self.here();
        self.text.push(bracket);
        self.row(kind, false, start, name);
        self.nodes.len() - 1
    }

    fn comma(&mut self, done: usize) {
        if done > 0 {
            self.text.push(',');
        }
    }

    fn name(&mut self, member: &Member<'_>) -> (u32, u32) {
        self.text.push('"');
        let start = self.here();
        let escaped = match member.raw {
            Some(raw) => {
                self.text.push_str(raw);
                true
            }
            None => write_escaped(&mut self.text, &member.name),
        };
        let len = self.here() - start;
        self.text.push_str("\":");
        (start, if escaped { len | NAME_ESCAPED } else { len })
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
            (row.name, row.name_len) = name.unwrap_or_default();
        }
    }

    fn row(&mut self, kind: Kind, escaped: bool, start: u32, name: NameSpan) {
        let next = position(self.nodes.len() + 1);
        let record = Record::new(kind, escaped, (start, self.here()), name.unwrap_or_default(), next);
        self.nodes.push(record);
    }

    fn here(&self) -> u32 {
        position(self.text.len())
    }
}
