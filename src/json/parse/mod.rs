//! The strict reader of RFC 8259: bytes to text and node table in one pass, without recursion.
//!
//! Our own rather than a crate's, because what matters here comes together nowhere else: exact spans,
//! refusal of duplicate members, a limit on everything and errors that name the place.
//!
//! The pass is one loop with its place in a register; what is rare (a fault, white space, an escape, a name that may
//! be there twice) is called.

mod error;
mod fault;
mod limits;
mod names;
mod stops;
mod string;

use bytes::Bytes;

pub use self::{
    error::{ParseCode, ParseError},
    limits::Limits,
};
use self::{fault::Fault, names::COMPARED_MEMBERS_MAX, stops::Stops};
use super::{
    node::{Kind, push_token},
    number,
    table::{NAME_ESCAPED, NOT_NAMED, NameSpan, Record},
};

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
        Err(fault) if fault.code() != ParseCode::UnexpectedEnd => parser.locate(fault),
        _ => parser.locate(Fault::new(ParseCode::InvalidUtf8, valid)),
    }
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    limits: Limits,
    stops: Stops,
    nodes: Vec<Record>,
    /// The array or object that is being read; at first a stand-in for what is around the value.
    inner: Open,
    /// Those around it, outermost (the stand-in) first.
    outer: Vec<Open>,
    /// Name of the member whose value comes next; none in an array.
    name: NameSpan,
    /// Whether a value had begun that had no row yet when reading failed.
    pending: bool,
}

/// An array or object that has not ended.
#[derive(Clone, Copy)]
struct Open {
    /// Its row.
    id: u32,
    /// The bracket that ends it; of the stand-in a byte that no text has.
    closing: u8,
    /// How many members or elements have rows, and how many may have.
    count: u32,
    count_max: u32,
    /// One bit per hash of a member name: a clear bit means that the name is new.
    seen: u64,
}

/// Ends what is around the whole value: no text has this byte.
const NOTHING_OPEN: u8 = 0xff;

impl Open {
    fn is_object(self) -> bool {
        self.closing == b'}'
    }

    fn too_many(self) -> ParseCode {
        if self.is_object() { ParseCode::TooManyMembers } else { ParseCode::TooManyElements }
    }
}

impl<'t> Parser<'t> {
    fn new(text: &'t str, limits: &'t Limits) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            limits: *limits,
            stops: Stops::of(text.as_bytes()),
            nodes: Vec::with_capacity((text.len() / 8 + 1).min(limits.nodes_max)),
            inner: Open { id: 0, closing: NOTHING_OPEN, count: 0, count_max: 1, seen: 0 },
            outer: Vec::with_capacity(limits.depth_max.min(16)),
            name: NOT_NAMED,
            pending: false,
        }
    }

    fn run(&mut self) -> Result<(), Fault> {
        if self.text.starts_with('\u{feff}') {
            return Err(Fault::new(ParseCode::ByteOrderMark, 0));
        }
        let mut at = 0;
        // Each step stands in one place only, so that all of them become one loop.
        loop {
            let mut byte;
            (at, byte) = self.next(at);
            if self.inner.is_object() {
                (at, byte) = self.member_name(at, byte)?;
            }
            if let b'{' | b'[' = byte {
                if let Err(fault) = self.open(byte, at) {
                    return self.in_value(fault);
                }
                (at, byte) = self.next(at + 1);
                if byte != self.inner.closing {
                    continue;
                }
                // Nothing is in it: it ends as any other does.
            } else {
                match self.scalar(at, byte) {
                    Ok(end) => at = end,
                    Err(fault) => return self.in_value(fault),
                }
            }
            // Behind a value: another one, or the end of what it is in.
            loop {
                (at, byte) = self.next(at);
                if byte == b',' && self.inner.closing != NOTHING_OPEN {
                    at += 1;
                    break;
                }
                if byte != self.inner.closing {
                    return self.end(at);
                }
                at += 1;
                self.close(at)?;
            }
        }
    }

    /// A fault in a value that has no row yet.
    #[cold]
    fn in_value(&mut self, fault: Fault) -> Result<(), Fault> {
        self.pending = true;
        Err(fault)
    }

    /// What is neither another value nor the end of an array or object is wrong, unless the text ends here too.
    #[cold]
    fn end(&self, at: usize) -> Result<(), Fault> {
        if self.inner.closing != NOTHING_OPEN {
            Err(self.unexpected(at))
        } else if at < self.bytes.len() {
            Err(Fault::new(ParseCode::TrailingData, at))
        } else {
            Ok(())
        }
    }

    /// Reads a whole scalar that begins at `start` with this byte; where it ends.
    #[inline]
    fn scalar(&mut self, start: usize, byte: u8) -> Result<usize, Fault> {
        let (kind, (end, escaped)) = match byte {
            b'"' => (Kind::String, self.string(start)?),
            b'-' | b'0'..=b'9' => {
                let end = number::scan(self.bytes, start).map_err(|at| self.broken_number(at))?;
                if end - start > self.limits.string_bytes_max {
                    return Err(Fault::new(ParseCode::StringTooLong, start));
                }
                (Kind::Number, (end, false))
            }
            b't' => (Kind::Bool, (self.word(start, "true")?, false)),
            b'f' => (Kind::Bool, (self.word(start, "false")?, false)),
            b'n' => (Kind::Null, (self.word(start, "null")?, false)),
            _ => return Err(self.unexpected(start)),
        };
        self.row(kind, escaped, (start, end))?;
        Ok(end)
    }

    /// Reads an opening bracket and goes into its array or object.
    #[inline]
    fn open(&mut self, bracket: u8, start: usize) -> Result<(), Fault> {
        let (kind, count_max) = match bracket {
            b'{' => (Kind::Object, self.limits.members_max),
            _ => (Kind::Array, self.limits.elements_max),
        };
        if self.outer.len() >= self.limits.depth_max {
            return Err(Fault::new(ParseCode::TooDeep, start));
        }
        let id = narrow(self.nodes.len());
        self.row(kind, false, (start, start + 1))?;
        self.name = NOT_NAMED;
        self.outer.push(self.inner);
        // Both closing brackets stand two places behind their opening ones.
        self.inner = Open { id, closing: bracket + 2, count: 0, count_max: narrow(count_max), seen: 0 };
        Ok(())
    }

    /// Leaves an array or object that ends before `end`.
    #[inline]
    fn close(&mut self, end: usize) -> Result<(), Fault> {
        let Open { id, count, .. } = self.inner;
        if count > COMPARED_MEMBERS_MAX && self.inner.is_object() {
            self.refuse_duplicates()?;
        }
        let next = narrow(self.nodes.len());
        if let Some(record) = self.nodes.get_mut(id as usize) {
            record.close(narrow(end), next, count);
        }
        if let Some(outer) = self.outer.pop() {
            self.inner = outer;
        }
        self.name = NOT_NAMED;
        Ok(())
    }

    /// Reads a member name that begins at `quote`, and its colon: where its value begins, and with which byte.
    #[inline]
    fn member_name(&mut self, quote: usize, byte: u8) -> Result<(usize, u8), Fault> {
        if byte != b'"' {
            return Err(self.unexpected(quote));
        }
        let start = quote + 1;
        let end = self.stops.next(start);
        // Mostly the name ends there, and its colon and its value follow at once.
        if let Some(&[last, b'"', b':', byte]) = self.bytes.get(end - 1..end + 3)
            && end - start <= self.limits.string_bytes_max
        {
            self.name = (narrow(start), narrow(end - start));
            let bit = self.name_bit(start, last, end - start);
            if self.inner.seen & bit != 0 {
                self.compare_names()?;
            }
            self.inner.seen |= bit;
            return Ok(if byte > b' ' { (end + 2, byte) } else { self.behind_blanks(end + 2) });
        }
        self.any_member_name(quote)
    }

    #[inline(never)]
    fn any_member_name(&mut self, quote: usize) -> Result<(usize, u8), Fault> {
        let start = quote + 1;
        let (end, escaped) = self.string(quote)?;
        let len = narrow(end - 1 - start);
        self.name = (narrow(start), if escaped { len | NAME_ESCAPED } else { len });
        // An escaped name may equal any other, and any later one may equal it: all bits.
        let last = self.bytes.get(end - 2).copied().unwrap_or_default();
        let bit = if escaped { u64::MAX } else { self.name_bit(start, last, end - 1 - start) };
        if self.inner.seen & bit != 0 {
            self.compare_names()?;
        }
        self.inner.seen |= bit;
        let (at, byte) = self.next(end);
        if byte != b':' {
            self.pending = true;
            return Err(self.unexpected(at));
        }
        Ok(self.next(at + 1))
    }

    /// Reads the word that begins here; where it ends.
    fn word(&self, start: usize, word: &str) -> Result<usize, Fault> {
        let rest = self.bytes.get(start..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            return Ok(start + word.len());
        }
        let is_cut = word.as_bytes().starts_with(rest);
        Err(if is_cut {
            Fault::new(ParseCode::UnexpectedEnd, self.bytes.len())
        } else {
            Fault::new(ParseCode::InvalidWord, start)
        })
    }

    /// Adds a row and counts it with its parent.
    #[inline]
    fn row(&mut self, kind: Kind, escaped: bool, (start, end): (usize, usize)) -> Result<(), Fault> {
        if self.nodes.len() >= self.limits.nodes_max {
            return Err(Fault::new(ParseCode::TooManyNodes, start));
        }
        if self.inner.count >= self.inner.count_max {
            return Err(Fault::new(self.inner.too_many(), start));
        }
        self.inner.count += 1;
        let next = narrow(self.nodes.len()) + 1;
        self.nodes.push(Record::new(kind, escaped, (narrow(start), narrow(end)), self.name, next));
        Ok(())
    }

    /// The first byte from `at` on that is no white space, and where; 0 at the end (a byte that nothing begins with).
    #[inline]
    fn next(&self, at: usize) -> (usize, u8) {
        match self.bytes.get(at) {
            Some(byte) if *byte > b' ' => (at, *byte),
            _ => self.behind_blanks(at),
        }
    }

    #[inline(never)]
    fn behind_blanks(&self, mut at: usize) -> (usize, u8) {
        const SPACES: u64 = 0x2020_2020_2020_2020;
        loop {
            match self.bytes.get(at) {
                Some(byte) if *byte > b' ' => return (at, *byte),
                Some(b' ' | b'\n' | b'\r' | b'\t') => at += 1,
                _ => return (at, 0),
            }
            // An indented text has many spaces: passed as many as eight at once.
            while let Some(word) = self.bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
                let others = u64::from_le_bytes(*word) ^ SPACES;
                at += (others.trailing_zeros() / 8) as usize;
                if others != 0 {
                    break;
                }
            }
        }
    }

    #[cold]
    fn unexpected(&self, at: usize) -> Fault {
        let code = if at < self.bytes.len() { ParseCode::UnexpectedByte } else { ParseCode::UnexpectedEnd };
        Fault::new(code, at)
    }

    #[cold]
    fn broken_number(&self, at: usize) -> Fault {
        let code = if at < self.bytes.len() { ParseCode::InvalidNumber } else { ParseCode::UnexpectedEnd };
        Fault::new(code, at)
    }

    /// Adds the pointer: one token per open array or object, the pending member or element last.
    #[cold]
    fn locate(&self, fault: Fault) -> ParseError {
        let mut pointer = String::new();
        let open: Vec<Open> = self.outer.iter().copied().chain([self.inner]).skip(1).collect();
        for (depth, parent) in open.iter().enumerate() {
            let child = open.get(depth + 1).and_then(|child| self.nodes.get(child.id as usize));
            let name = match child {
                Some(record) => (record.name, record.name_len),
                None if self.pending => self.name,
                None => break,
            };
            if parent.is_object() {
                push_token(&mut pointer, &self.decoded_name(name));
            } else {
                let begun = u32::from(child.is_some());
                push_token(&mut pointer, &(parent.count - begun).to_string());
            }
        }
        ParseError { code: fault.code(), offset: fault.offset(), pointer }
    }
}

/// A place as rows and faults store it. The bound on bytes keeps every place below 2^29.
#[expect(clippy::cast_possible_truncation, reason = "hot, and within bounds: see `Limits::clamped`")]
fn narrow(at: usize) -> u32 {
    at as u32
}
