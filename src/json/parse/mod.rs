//! The strict reader of RFC 8259: bytes to text and node table in one pass, without recursion.
//!
//! Our own rather than a crate's, because what matters here comes together nowhere else: exact spans,
//! refusal of duplicate members, a limit on everything and errors that name the place.

mod error;
mod limits;
mod string;

use bytes::Bytes;

pub use self::{
    error::{ParseCode, ParseError},
    limits::Limits,
};
use super::{
    node::{Kind, push_token},
    number,
    table::{NAME_ESCAPED, Record, position},
    unescape::unescape,
};

/// Up to this many members of one object are compared with each other as they come; larger objects are
/// sorted by name when they end, so that hostile ones cost no quadratic time.
const COMPARED_MEMBERS_MAX: u32 = 16;

/// A code and the byte it was noticed at; the pointer is found only when it is needed.
type Fault = (ParseCode, usize);

/// Reads `bytes` as one JSON value: its text, and the rows of its nodes.
pub(super) fn parse(bytes: Bytes, limits: &Limits) -> Result<(String, Vec<Record>), ParseError> {
    let limits = limits.clamped();
    if bytes.len() > limits.bytes_max {
        return Err(ParseError {
            code: ParseCode::TooManyBytes,
            offset: limits.bytes_max,
            pointer: String::new(),
        });
    }
    let text = match String::from_utf8(Vec::from(bytes)) {
        Ok(text) => text,
        Err(error) => return Err(invalid_utf8(&error, &limits)),
    };
    let mut parser = Parser::new(&text, &limits);
    match parser.run() {
        Ok(()) => {
            let nodes = parser.nodes;
            Ok((text, nodes))
        }
        Err(fault) => Err(parser.locate(fault)),
    }
}

/// Reads the valid part for the place, unless something is wrong before it already.
#[cold]
fn invalid_utf8(error: &std::string::FromUtf8Error, limits: &Limits) -> ParseError {
    let valid = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default());
    let mut parser = Parser::new(&text, limits);
    match parser.run() {
        Err(fault) if fault.0 != ParseCode::UnexpectedEnd => parser.locate(fault),
        _ => parser.locate((ParseCode::InvalidUtf8, valid)),
    }
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    limits: &'t Limits,
    at: usize,
    nodes: Vec<Record>,
    open: Vec<Open>,
    /// Name of the member whose value comes next.
    name: (u32, u32),
    /// Whether a member or element has begun whose value has no row yet.
    pending: bool,
}

/// An array or object that has not ended.
struct Open {
    id: u32,
    is_object: bool,
    count: u32,
    /// One bit per hash of a member name: a clear bit means that the name is new.
    seen: u64,
}

/// What follows a value.
enum After {
    Value,
    End,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, limits: &'t Limits) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            limits,
            at: 0,
            nodes: Vec::with_capacity((text.len() / 8 + 1).min(limits.nodes_max)),
            open: Vec::with_capacity(limits.depth_max.min(16)),
            name: (0, 0),
            pending: false,
        }
    }

    fn run(&mut self) -> Result<(), Fault> {
        if self.text.starts_with('\u{feff}') {
            return Err((ParseCode::ByteOrderMark, 0));
        }
        loop {
            self.value()?;
            if let After::End = self.after_values()? {
                break;
            }
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err((ParseCode::TrailingData, self.at)),
        }
    }

    /// Reads a whole scalar, or opens an array or object up to its first value.
    fn value(&mut self) -> Result<(), Fault> {
        let start = self.at_byte()?;
        match self.bytes.get(start) {
            Some(b'"') => {
                let escaped = self.string()?;
                self.row(Kind::String, escaped, start)
            }
            Some(b'{') => self.open(Kind::Object, start),
            Some(b'[') => self.open(Kind::Array, start),
            Some(b'-' | b'0'..=b'9') => {
                self.at = number::scan(self.bytes, start).map_err(|at| self.broken_number(at))?;
                if self.at - start > self.limits.string_bytes_max {
                    return Err((ParseCode::StringTooLong, start));
                }
                self.row(Kind::Number, false, start)
            }
            Some(b't') => self.word("true", Kind::Bool),
            Some(b'f') => self.word("false", Kind::Bool),
            Some(b'n') => self.word("null", Kind::Null),
            _ => Err((ParseCode::UnexpectedByte, start)),
        }
    }

    /// Reads commas and closing brackets up to the next value or the end of the outermost one.
    fn after_values(&mut self) -> Result<After, Fault> {
        loop {
            let Some(open) = self.open.last() else {
                return Ok(After::End);
            };
            if self.pending {
                return Ok(After::Value);
            }
            let is_object = open.is_object;
            let at = self.at_byte()?;
            match (self.bytes.get(at), is_object) {
                (Some(b','), true) => {
                    self.at += 1;
                    self.member_name()?;
                    return Ok(After::Value);
                }
                (Some(b','), false) => {
                    self.at += 1;
                    self.pending = true;
                    return Ok(After::Value);
                }
                (Some(b'}'), true) | (Some(b']'), false) => self.close()?,
                _ => return Err((ParseCode::UnexpectedByte, at)),
            }
        }
    }

    fn open(&mut self, kind: Kind, start: usize) -> Result<(), Fault> {
        if self.open.len() >= self.limits.depth_max {
            return Err((ParseCode::TooDeep, start));
        }
        self.at += 1;
        let id = position(self.nodes.len());
        self.row(kind, false, start)?;
        let is_object = kind == Kind::Object;
        self.open.push(Open { id, is_object, count: 0, seen: 0 });
        match (self.at_byte().map(|at| self.bytes.get(at))?, is_object) {
            (Some(b'}'), true) | (Some(b']'), false) => self.close(),
            (_, true) => self.member_name(),
            (_, false) => {
                self.pending = true;
                Ok(())
            }
        }
    }

    fn close(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        if open.is_object && open.count > COMPARED_MEMBERS_MAX {
            self.refuse_duplicates(open.id)?;
        }
        self.at += 1;
        let next = position(self.nodes.len());
        if let Some(record) = self.nodes.get_mut(open.id as usize) {
            record.close(position(self.at), next, open.count);
        }
        Ok(())
    }

    /// Reads a member name and its colon.
    fn member_name(&mut self) -> Result<(), Fault> {
        let start = self.at_byte()?;
        if self.bytes.get(start) != Some(&b'"') {
            return Err((ParseCode::UnexpectedByte, start));
        }
        let escaped = self.string()?;
        let len = position(self.at - start - 2);
        self.name = (position(start + 1), if escaped { len | NAME_ESCAPED } else { len });
        self.pending = true;
        self.note_name(escaped)?;
        let colon = self.at_byte()?;
        if self.bytes.get(colon) != Some(&b':') {
            return Err((ParseCode::UnexpectedByte, colon));
        }
        self.at += 1;
        Ok(())
    }

    /// Refuses the pending name if one of the first members of the object bears it.
    fn note_name(&mut self, escaped: bool) -> Result<(), Fault> {
        let raw = self.raw_name(self.name);
        let bit = if escaped { u64::MAX } else { name_bit(raw) };
        let Some(open) = self.open.last_mut() else { return Ok(()) };
        let maybe_known = open.seen & bit != 0;
        open.seen |= bit;
        if !maybe_known || open.count >= COMPARED_MEMBERS_MAX {
            return Ok(());
        }
        let (mut id, end) = (open.id + 1, position(self.nodes.len()));
        while id < end {
            let Some(record) = self.nodes.get(id as usize) else { break };
            let other = (record.name, record.name_len);
            if self.same_name(self.name, other) {
                return Err((ParseCode::DuplicateMember, self.name.0 as usize - 1));
            }
            id = record.next;
        }
        Ok(())
    }

    /// Sorts the names of an object whose members all have rows; two neighbours that are equal are refused.
    #[cold]
    fn refuse_duplicates(&mut self, object: u32) -> Result<(), Fault> {
        let mut names = Vec::new();
        let mut id = object + 1;
        while let Some(record) = self.nodes.get(id as usize) {
            names.push((self.decoded_name((record.name, record.name_len)), (record.name, record.name_len)));
            id = record.next;
        }
        names.sort_unstable();
        let twice = names.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[1].1);
        match twice.min() {
            None => Ok(()),
            Some(name) => {
                // The pointer names the second of the two, as it does in a small object.
                let count = position(names.len());
                drop(names);
                self.name = name;
                self.pending = true;
                self.open.push(Open { id: object, is_object: true, count, seen: 0 });
                Err((ParseCode::DuplicateMember, name.0 as usize - 1))
            }
        }
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), Fault> {
        let start = self.at;
        let found = self.bytes.get(start..start + word.len());
        if found != Some(word.as_bytes()) {
            let rest = self.bytes.get(start..).unwrap_or_default();
            let ends = word.as_bytes().starts_with(rest);
            let code = if ends { ParseCode::UnexpectedEnd } else { ParseCode::InvalidWord };
            return Err((code, if ends { self.bytes.len() } else { start }));
        }
        self.at += word.len();
        self.row(kind, false, start)
    }

    /// Adds a row that ends here and counts it with its parent.
    fn row(&mut self, kind: Kind, escaped: bool, start: usize) -> Result<(), Fault> {
        let mut name = (0, 0);
        if self.nodes.len() >= self.limits.nodes_max {
            return Err((ParseCode::TooManyNodes, start));
        }
        if let Some(open) = self.open.last_mut() {
            let (max, code) = if open.is_object {
                name = self.name;
                (self.limits.members_max, ParseCode::TooManyMembers)
            } else {
                (self.limits.elements_max, ParseCode::TooManyElements)
            };
            if open.count as usize >= max {
                return Err((code, start));
            }
            open.count += 1;
        }
        let next = position(self.nodes.len() + 1);
        self.nodes.push(Record::new(kind, escaped, (position(start), position(self.at)), name, next));
        self.pending = false;
        Ok(())
    }

    /// Skips white space; the next byte's place.
    fn at_byte(&mut self) -> Result<usize, Fault> {
        match self.peek() {
            Some(_) => Ok(self.at),
            None => Err((ParseCode::UnexpectedEnd, self.at)),
        }
    }

    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes.get(self.at) {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                other => return other.copied(),
            }
        }
    }

    fn broken_number(&self, at: usize) -> Fault {
        let code = if at < self.bytes.len() { ParseCode::InvalidNumber } else { ParseCode::UnexpectedEnd };
        (code, at)
    }

    fn raw_name(&self, (start, len): (u32, u32)) -> &'t str {
        let start = start as usize;
        self.text.get(start..start + (len & !NAME_ESCAPED) as usize).unwrap_or_default()
    }

    fn decoded_name(&self, name: (u32, u32)) -> std::borrow::Cow<'t, str> {
        let raw = self.raw_name(name);
        if name.1 & NAME_ESCAPED == 0 { raw.into() } else { unescape(raw).into() }
    }

    fn same_name(&self, left: (u32, u32), right: (u32, u32)) -> bool {
        if (left.1 | right.1) & NAME_ESCAPED != 0 {
            return self.decoded_name(left) == self.decoded_name(right);
        }
        left.1 == right.1 && self.raw_name(left) == self.raw_name(right)
    }

    /// Adds the pointer: one token per open array or object, the pending member or element last.
    #[cold]
    fn locate(&self, (code, offset): Fault) -> ParseError {
        let mut pointer = String::new();
        let inner = self.open.iter().skip(1).map(Some).chain([None]);
        for (open, inner) in self.open.iter().zip(inner) {
            let name = match inner.and_then(|open| self.nodes.get(open.id as usize)) {
                Some(record) => (record.name, record.name_len),
                None if self.pending => self.name,
                None => break,
            };
            if open.is_object {
                push_token(&mut pointer, &self.decoded_name(name));
            } else {
                let index = if inner.is_some() { open.count.saturating_sub(1) } else { open.count };
                push_token(&mut pointer, &index.to_string());
            }
        }
        ParseError { code, offset, pointer }
    }
}

/// One of 64 bits, from what distinguishes names cheaply: length, first and last byte.
fn name_bit(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let (first, last) = (bytes.first().copied().unwrap_or(0), bytes.last().copied().unwrap_or(0));
    let mixed = (bytes.len() as u64) ^ (u64::from(first) << 2) ^ u64::from(last).wrapping_mul(7);
    1 << (mixed & 63)
}
