//! A place in a document: what everything else reads JSON through.

use std::{borrow::Cow, fmt};

use super::{
    document::Document,
    number,
    plain::same,
    table::{NAME_ESCAPED, NO_NAME, Record},
    unescape::unescape,
};

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`.
    Null = 0,
    /// `true` or `false`.
    Bool = 1,
    /// A number, of any size and precision.
    Number = 2,
    /// A string.
    String = 3,
    /// An array.
    Array = 4,
    /// An object.
    Object = 5,
}

impl Kind {
    /// The name that JSON Schema gives this kind, for messages.
    #[inline]
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Number of a node within its document, in document order; the value itself is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The outermost value.
    pub const ROOT: Self = Self(0);

    /// The number itself.
    #[must_use]
    pub fn index(self) -> u32 {
        self.0
    }
}

/// One value of a document. Copying it is free.
#[derive(Clone, Copy)]
pub struct Node<'d> {
    document: &'d Document,
    /// Its row, found once: what follows is read without looking it up again.
    record: &'d Record,
}

impl<'d> Node<'d> {
    #[inline]
    pub(super) fn new(document: &'d Document, id: NodeId) -> Self {
        Self { document, record: document.records().get(id.0 as usize).unwrap_or(&Record::NOTHING) }
    }

    /// The document that this node is of; clone it to keep the node (as `(Document, NodeId)`) beyond `'d`.
    #[inline]
    #[must_use]
    pub fn document(self) -> &'d Document {
        self.document
    }

    /// Where this node stands in its document's table.
    #[inline]
    #[must_use]
    pub fn id(self) -> NodeId {
        NodeId(self.record.id)
    }

    /// What kind of value this is.
    #[inline]
    #[must_use]
    pub fn kind(self) -> Kind {
        self.record.kind()
    }

    /// Whether the value is of one of these kinds: of each the bit `1 << kind as u8`.
    #[inline]
    #[must_use]
    pub fn is_of_kinds(self, kinds: u8) -> bool {
        u32::from(kinds) >> self.record.kind_number() & 1 != 0
    }

    /// The exact text of the value, as received.
    #[inline]
    #[must_use]
    pub fn raw(self) -> &'d str {
        let record = self.record;
        self.slice(record.start, record.end)
    }

    /// First byte and one past the last byte of the value in [`Document::text`].
    #[must_use]
    pub fn span(self) -> (usize, usize) {
        let record = self.record;
        (record.start as usize, record.end as usize)
    }

    /// The member name that this node stands under, unless it is an element or the root.
    #[inline]
    #[must_use]
    pub fn name(self) -> Option<Cow<'d, str>> {
        let (raw, is_escaped) = self.written_name()?;
        Some(if is_escaped { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) })
    }

    /// The bytes of the member name that this node stands under, where it is written without escapes; none for an
    /// element, the root, or an escaped name ([`Node::name`] has that). Cheaper than the name, for looking it up.
    #[inline]
    #[must_use]
    pub fn plain_name(self) -> Option<&'d [u8]> {
        let record = self.record;
        let (start, len) = (record.name as usize, record.name_len as usize);
        if record.name_len & (NAME_ESCAPED | NO_NAME) != 0 {
            return None;
        }
        self.document.text().as_bytes().get(start..start + len)
    }

    /// The text that a string stands for; borrowed unless it contains escapes. None for other kinds.
    #[inline]
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'d, str>> {
        let record = self.record;
        (record.kind() == Kind::String).then(|| {
            let inside = self.slice(record.start + 1, record.end.saturating_sub(1));
            if record.string_escaped() { Cow::Owned(unescape(inside)) } else { Cow::Borrowed(inside) }
        })
    }

    /// The bytes of a string that is written without escapes; none for other strings and other kinds. Cheaper than
    /// the text, for looking at them.
    #[inline]
    #[must_use]
    pub fn plain_text(self) -> Option<&'d [u8]> {
        let record = self.record;
        let is_plain = record.kind() == Kind::String && !record.string_escaped();
        let inside = (record.start as usize).saturating_add(1)..(record.end as usize).saturating_sub(1);
        if is_plain { self.document.text().as_bytes().get(inside) } else { None }
    }

    /// Whether this is a string that stands for exactly `text`. Never allocates unless escapes occur.
    #[must_use]
    pub fn is_text(self, text: &str) -> bool {
        self.as_str().is_some_and(|own| own == text)
    }

    /// The value of `true` and `false`; none for other kinds.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        (self.kind() == Kind::Bool).then(|| self.raw() == "true")
    }

    /// The text of a number, as received; none for other kinds. See [`number`] for comparing.
    #[inline]
    #[must_use]
    pub fn number(self) -> Option<&'d str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// The value of an integer of at most 18 bytes that is written without point and exponent, as most integers are;
    /// none of others. Cheaper than [`Node::as_i64`].
    #[inline]
    #[must_use]
    pub fn plain_whole(self) -> Option<i64> {
        let (start, end) = self.span();
        let text = self.document.text().as_bytes().get(start..end)?;
        if self.kind() == Kind::Number { number::plain_whole(text) } else { None }
    }

    /// The value of a number that is an integer in the range of `i64`, however spelled (`1e2` is 100).
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        self.number().and_then(number::to_i64)
    }

    /// Whether this is `null`.
    #[inline]
    #[must_use]
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether this is an object.
    #[inline]
    #[must_use]
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// Whether this is an array.
    #[inline]
    #[must_use]
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// The value of the member called `name`; none if this is no object or lacks it.
    #[inline]
    #[must_use]
    pub fn get(self, name: &str) -> Option<Node<'d>> {
        if self.record.kind() != Kind::Object {
            return None;
        }
        let rows = self.document.records();
        let (mut at, end) = (self.record.id.wrapping_add(1), self.record.next);
        while at < end {
            let record = rows.get(at as usize)?;
            if record.name_len as usize == name.len() {
                if self.is_named(record, name.as_bytes()) {
                    return Some(Node { document: self.document, record });
                }
            } else if record.name_len & NAME_ESCAPED != 0 && self.means(record, name) {
                return Some(Node { document: self.document, record });
            }
            at = record.next;
        }
        None
    }

    /// Whether a row bears a name, written with escapes.
    #[cold]
    #[inline(never)]
    fn means(self, record: &Record, name: &str) -> bool {
        unescape(self.slice_of_name(record)) == name
    }

    /// Whether a row bears a name, without escapes and as long as its own.
    #[inline]
    fn is_named(self, record: &Record, name: &[u8]) -> bool {
        let start = record.name as usize;
        let own = self.document.text().as_bytes().get(start..).and_then(|rest| rest.get(..name.len()));
        own.is_some_and(|own| same(own, name))
    }

    /// The element at `index`, counted from 0; none if this is no array or is shorter.
    #[must_use]
    pub fn at(self, index: usize) -> Option<Node<'d>> {
        self.elements().nth(index)
    }

    /// Number of members or elements; 0 for other kinds.
    #[inline]
    #[must_use]
    pub fn len(self) -> usize {
        self.record.count() as usize
    }

    /// Whether there is no member or element; true for other kinds.
    #[inline]
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Names and values of an object, in the order in which they stand; nothing for other kinds.
    #[inline]
    #[must_use]
    pub fn members(self) -> Members<'d> {
        Members(self.children(Kind::Object))
    }

    /// Values of an array; nothing for other kinds.
    #[inline]
    #[must_use]
    pub fn elements(self) -> Elements<'d> {
        Elements(self.children(Kind::Array))
    }

    /// Values of an array or of an object; nothing for other kinds.
    #[inline]
    #[must_use]
    pub fn values(self) -> Elements<'d> {
        Elements(self.children(self.kind()))
    }

    /// The JSON Pointer (RFC 6901) of this node from the root; empty for the root.
    ///
    /// Found by walking down from the root: for messages, not for every node of a document.
    #[must_use]
    pub fn pointer(self) -> String {
        let mut pointer = String::new();
        let mut at = self.document.root();
        while at.record.id < self.record.id {
            let is_array = at.is_array();
            let child = at.values().enumerate().find(|(_, child)| self.record.id < child.record.next);
            let Some((index, child)) = child else { break };
            if is_array {
                push_token(&mut pointer, &index.to_string());
            } else {
                push_token(&mut pointer, &child.name().unwrap_or_default());
            }
            at = child;
        }
        pointer
    }

    /// The node that a JSON Pointer (RFC 6901), read from this node, names.
    #[must_use]
    pub fn resolve(self, pointer: &str) -> Option<Node<'d>> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer.strip_prefix('/')?.split('/').try_fold(self, |node, token| match node.kind() {
            Kind::Object if token.contains('~') => node.get(&token.replace("~1", "/").replace("~0", "~")),
            Kind::Object => node.get(token),
            Kind::Array if token == "0" || !token.starts_with(['0', '+']) => node.at(token.parse().ok()?),
            _ => None,
        })
    }

    /// JSON equality: same kind and value, member order aside, numbers by exact decimal value.
    #[must_use]
    pub fn eq_value(self, other: Node<'_>) -> bool {
        if self.kind() != other.kind() {
            return false;
        }
        match self.kind() {
            Kind::Null => true,
            Kind::Bool => self.raw() == other.raw(),
            Kind::Number => number::equal(self.raw(), other.raw()),
            Kind::String => match (self.plain_text(), other.plain_text()) {
                (Some(own), Some(text)) => own == text,
                _ => self.as_str() == other.as_str(),
            },
            Kind::Array => {
                self.len() == other.len() && self.elements().zip(other.elements()).all(|(a, b)| a.eq_value(b))
            }
            Kind::Object => {
                let mut others = other.values();
                self.len() == other.len()
                    && self.values().all(|value| {
                        // Mostly both are in one order.
                        let near = others.next().filter(|near| near.has_name_of(value));
                        let counterpart = near.or_else(|| other.get(&value.name().unwrap_or_default()));
                        counterpart.is_some_and(|counterpart| value.eq_value(counterpart))
                    })
            }
        }
    }

    /// Whether two members bear one name, which is written without escapes in both.
    #[inline]
    fn has_name_of(self, other: Node<'_>) -> bool {
        self.plain_name().zip(other.plain_name()).is_some_and(|(own, name)| same(own, name))
    }

    /// Its row.
    #[inline]
    pub(super) fn row(self) -> &'d Record {
        self.record
    }

    /// The rows of this node and everything in it.
    pub(super) fn subtree(self) -> &'d [Record] {
        let (id, next) = (self.record.id as usize, self.record.next as usize);
        self.document.records().get(id..next).unwrap_or_default()
    }

    /// How many rows [`Node::subtree`] has: 0 of a node that is not there.
    #[inline]
    pub(super) fn rows(self) -> usize {
        self.record.next.wrapping_sub(self.record.id) as usize
    }

    /// The member name as it stands in the text, without quotes, and whether escapes are in it; none of an element or
    /// the root.
    #[inline]
    pub(super) fn written_name(self) -> Option<(&'d str, bool)> {
        let record = self.record;
        record.is_member().then(|| (self.slice_of_name(record), record.name_len & NAME_ESCAPED != 0))
    }

    #[inline]
    fn slice_of_name(self, record: &Record) -> &'d str {
        self.slice(record.name, record.name + (record.name_len & !(NAME_ESCAPED | NO_NAME)))
    }

    #[inline]
    fn slice(self, start: u32, end: u32) -> &'d str {
        self.document.text().get(start as usize..end as usize).unwrap_or_default()
    }

    #[inline]
    fn children(self, kind: Kind) -> Children<'d> {
        let record = self.record;
        let is_parent = record.kind() == kind && matches!(kind, Kind::Array | Kind::Object);
        let left = if is_parent { record.count() } else { 0 };
        let rows = self.document.records();
        Children { document: self.document, rows, at: record.id.wrapping_add(1), left }
    }
}

/// Sizes only, as for [`Document`].
impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = self.span();
        write!(f, "Node({} {} at {start}..{end})", self.record.id, self.kind().name())
    }
}

/// Appends one reference token to a JSON Pointer, escaped by RFC 6901 clause 3.
pub(super) fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

#[derive(Clone)]
struct Children<'d> {
    document: &'d Document,
    rows: &'d [Record],
    /// Row of the next child.
    at: u32,
    left: u32,
}

impl<'d> Iterator for Children<'d> {
    type Item = Node<'d>;

    #[inline]
    fn next(&mut self) -> Option<Node<'d>> {
        self.left = self.left.checked_sub(1)?;
        let record = self.rows.get(self.at as usize)?;
        self.at = record.next;
        Some(Node { document: self.document, record })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// Names and values of an object; see [`Node::members`].
#[derive(Clone)]
pub struct Members<'d>(Children<'d>);

impl<'d> Iterator for Members<'d> {
    type Item = (Cow<'d, str>, Node<'d>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let node = self.0.next()?;
        Some((node.name().unwrap_or_default(), node))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Members<'_> {}

/// Values of an array or object; see [`Node::elements`] and [`Node::values`].
#[derive(Clone)]
pub struct Elements<'d>(Children<'d>);

impl<'d> Iterator for Elements<'d> {
    type Item = Node<'d>;

    #[inline]
    fn next(&mut self) -> Option<Node<'d>> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Elements<'_> {}
