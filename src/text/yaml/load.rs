//! From the parser's events to [`Node`]s, and what is refused on the way.

use super::{Entry, Node, Style, Value, mend, misread, offsets, offsets::Offsets};
use crate::text::{Code, Diagnostic, Diagnostics, Hint, SourceId, Sources, Span, code};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError};
use std::collections::HashMap;

/// How much one file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Size of the file in bytes; 1 MiB unless said.
    pub bytes_max: usize,
    /// Mappings and sequences inside each other; 32 unless said.
    pub depth_max: usize,
    /// Keys, values, mappings and sequences together; 100 000 unless said.
    pub nodes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes_max: 1 << 20, depth_max: 32, nodes_max: 100_000 }
    }
}

/// Reads a file under the limits that hold unless said; see [`load_with`].
pub fn load(sources: &Sources, id: SourceId, out: &mut Diagnostics) -> Option<Node> {
    load_with(sources, id, &Limits::default(), out)
}

/// Reads one file into a tree.
///
/// What is wrong goes to `out`. `None` where no tree can be had. A tree may come back beside errors, so that
/// the reader can tell what else is wrong: whether the file may be used is for `out` to say.
pub fn load_with(sources: &Sources, id: SourceId, limits: &Limits, out: &mut Diagnostics) -> Option<Node> {
    load_once(sources, id, limits, true, out)
}

/// `mends`: whether a slip of the hand is looked for where the file is no YAML.
fn load_once(
    sources: &Sources,
    id: SourceId,
    limits: &Limits,
    mends: bool,
    out: &mut Diagnostics,
) -> Option<Node> {
    let text = sources.text(id);
    let whole = Span { source: id, start: 0, end: 0 };
    if text.len() > limits.bytes_max {
        let message = format!("the file has {} bytes, more than {}", text.len(), limits.bytes_max);
        out.push(Diagnostic::error(code::TOO_LARGE, message).at(whole).hint("split it"));
        return None;
    }
    let mut builder = Builder {
        sources,
        id,
        text,
        offsets: Offsets::of(text),
        limits,
        out,
        open: Vec::new(),
        root: None,
        nodes: 0,
    };
    let tab = builder.tabs(mends);
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(pair) => pair,
            Err(error) => {
                if !tab {
                    builder.syntax(&error, mends);
                }
                return None;
            }
        };
        let span = builder.span(span);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                let fault = Diagnostic::error(code::SEVERAL_DOCUMENTS, "a second document begins here");
                builder.out.push(fault.at(span).hint("move it to a file of its own"));
                break;
            }
        }
        builder.event(event, span)?;
    }
    let Some(root) = builder.root else {
        out.push(Diagnostic::error(code::EMPTY_FILE, "the file is empty").at(whole));
        return None;
    };
    if root.is_absent() {
        out.push(Diagnostic::error(code::EMPTY_FILE, "the file is empty").at(whole));
        return None;
    }
    misread::check(sources, &root, out);
    Some(root)
}

/// A mapping or sequence whose end was not met yet.
struct Open {
    start: Span,
    children: Children,
}

enum Children {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, places: HashMap<String, Span>, key: Option<Key> },
}

/// A key that waits for its value.
struct Key {
    text: String,
    span: Span,
    /// Whether the entry is dropped, because the key was refused.
    refused: bool,
}

struct Builder<'s, 'o> {
    sources: &'s Sources,
    id: SourceId,
    text: &'s str,
    offsets: Offsets,
    limits: &'s Limits,
    out: &'o mut Diagnostics,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
}

impl Builder<'_, '_> {
    /// Tells the first tab, and whether there is one: the parser accepts some of them, editors show none of them.
    fn tabs(&mut self, mends: bool) -> bool {
        let Some(at) = self.text.find('\t') else { return false };
        let start = crate::text::source::offset(at);
        let span = Span { source: self.id, start, end: start + 1 };
        let fault = Diagnostic::error(code::TAB, "a tab stands here").at(span);
        let hint = Hint::from("use spaces; inside double quotes write \\t");
        let mended = mends.then(|| self.mended(span)).flatten();
        let hint = mended.map_or(hint.clone(), |(place, mended)| hint.putting_at(place, mended.put));
        self.out.push(fault.hint(hint));
        true
    }

    /// A slip of the hand near a place, taken back.
    fn mended(&self, at: Span) -> Option<(Span, mend::Mended)> {
        let (line, _) = self.sources.line_column(at);
        let read = |text: &str| {
            let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
            let id = sources.add("", text);
            load_once(&sources, id, self.limits, false, &mut out).filter(|_| !out.has_errors())
        };
        let mended = mend::mend(self.text, line - 1, read)?;
        let place = |at: usize| crate::text::source::offset(at);
        Some((
            Span { source: self.id, start: place(mended.range.start), end: place(mended.range.end) },
            mended,
        ))
    }

    /// The span in bytes, without blanks that the parser took with it.
    fn span(&self, span: saphyr_parser::Span) -> Span {
        let start = self.offsets.byte(span.start.index());
        let end = self.offsets.byte(span.end.index()).max(start);
        Span { source: self.id, start, end }
    }

    fn trimmed(&self, span: Span) -> Span {
        let text = self.sources.slice(span).trim_end();
        Span { end: span.start + crate::text::source::offset(text.len()), ..span }
    }

    /// Takes one event; `None` where reading must end.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    ScalarStyle::Literal => Style::Literal,
                    ScalarStyle::Folded => Style::Folded,
                };
                self.refuse_decoration(anchor, tag.is_some(), span);
                let scalar = offsets::scalar(self.text, text.into_owned(), style, span);
                self.node(Node { span: self.trimmed(span), value: Value::Scalar(scalar) })
            }
            Event::Alias(_) => {
                let fault = Diagnostic::error(code::ANCHOR, "an alias stands here").at(span);
                self.out.push(fault.hint("write the value out; text that begins with `*` is quoted"));
                let scalar = offsets::scalar(self.text, String::new(), Style::Plain, span);
                self.node(Node { span, value: Value::Scalar(scalar) })
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), span);
                self.enter(span, Children::Sequence(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_decoration(anchor, tag.is_some(), span);
                let children = Children::Mapping { entries: Vec::new(), places: HashMap::new(), key: None };
                self.enter(span, children)
            }
            Event::SequenceEnd | Event::MappingEnd => self.leave(span),
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Some(()),
        }
    }

    fn refuse_decoration(&mut self, anchor: usize, tag: bool, span: Span) {
        if anchor != 0 {
            let fault = Diagnostic::error(code::ANCHOR, "an anchor stands before this").at(span);
            self.out
                .push(fault.hint("write the value where it is needed; text that begins with `&` is quoted"));
        }
        if tag {
            let fault = Diagnostic::error(code::TAG, "a tag stands before this").at(span);
            self.out.push(fault.hint("drop it; text that begins with `!` is quoted"));
        }
    }

    fn enter(&mut self, start: Span, children: Children) -> Option<()> {
        if self.open.len() >= self.limits.depth_max {
            let message =
                format!("more than {} mappings and sequences inside each other", self.limits.depth_max);
            return self.stop(code::TOO_DEEP, message, start);
        }
        self.count(start)?;
        self.open.push(Open { start, children });
        Some(())
    }

    fn leave(&mut self, end: Span) -> Option<()> {
        let open = self.open.pop()?;
        // The parser's end takes blanks and comments with it; the bracket itself is one byte.
        let flow = matches!(self.text.as_bytes().get(open.start.start as usize), Some(b'{' | b'['))
            && matches!(self.text.as_bytes().get(end.start as usize), Some(b'}' | b']'));
        let last = match &open.children {
            Children::Sequence(elements) => elements.last().map(|node| node.span),
            Children::Mapping { entries, .. } => {
                entries.last().map(|entry| entry.key_span.to(entry.value.span))
            }
        };
        let span = if flow {
            Span { end: end.start + 1, ..open.start }
        } else {
            open.start.to(last.unwrap_or(open.start))
        };
        let value = match open.children {
            Children::Sequence(elements) => Value::Sequence(elements),
            Children::Mapping { entries, .. } => Value::Mapping(entries),
        };
        self.place(Node { span: self.trimmed(span), value });
        Some(())
    }

    fn node(&mut self, node: Node) -> Option<()> {
        self.count(node.span)?;
        self.place(node);
        Some(())
    }

    fn count(&mut self, span: Span) -> Option<()> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes_max {
            let message = format!("more than {} keys and values", self.limits.nodes_max);
            return self.stop(code::TOO_MANY_NODES, message, span);
        }
        Some(())
    }

    fn stop(&mut self, code: Code, message: String, span: Span) -> Option<()> {
        self.out.push(Diagnostic::error(code, message).at(span));
        None
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, node: Node) {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match &mut open.children {
            Children::Sequence(elements) => elements.push(node),
            Children::Mapping { entries, places, key } => match key.take() {
                None => *key = Some(begin(node, places, self.sources, self.out)),
                Some(Key { refused: true, .. }) => {}
                Some(Key { text, span, .. }) => {
                    entries.push(Entry { key: text, key_span: span, value: node });
                }
            },
        }
    }

    /// The parser's own error, with what the author probably meant.
    fn syntax(&mut self, error: &ScanError, mends: bool) {
        let start = self.offsets.byte(error.marker().index());
        let at = Span { source: self.id, start, end: start };
        let told = misread::syntax(self.sources, at, error.info());
        let Some((place, mended)) = mends.then(|| self.mended(at)).flatten() else {
            return self.out.push(told);
        };
        // Text that needs quotes is told by them, if nothing simpler is wrong on its line.
        let same_line = |span: Span| self.sources.line_column(span).0 == self.sources.line_column(place).0;
        let is_comma = mended.put == ", ";
        if told.code == code::UNQUOTED && told.span.is_some_and(same_line) && !is_comma {
            return self.out.push(told);
        }
        let fault = Diagnostic::error(code::SYNTAX, format!("not valid YAML: {}", mended.what)).at(place);
        let words = match mended.put.trim() {
            "" => "indent it as they are, or put a blank in".to_owned(),
            key if mended.put.ends_with('\n') => format!("put a line `{key}` before it"),
            sign => format!("put `{sign}` in"),
        };
        self.out.push(fault.hint(Hint::from(words).putting_at(place, mended.put)));
    }
}

/// Takes a node as the key of the next entry.
fn begin(node: Node, places: &mut HashMap<String, Span>, sources: &Sources, out: &mut Diagnostics) -> Key {
    let span = node.span;
    let Value::Scalar(scalar) = node.value else {
        let fault = Diagnostic::error(code::KEY_NOT_TEXT, "a key is a single text").at(span);
        out.push(fault.hint("quote it, if this is meant as text"));
        return Key { text: String::new(), span, refused: true };
    };
    let text = scalar.text;
    if text == "<<" && scalar.style == Style::Plain {
        out.push(
            Diagnostic::error(code::MERGE_KEY, "the merge key `<<`").at(span).hint("write the members out"),
        );
        return Key { text, span, refused: true };
    }
    if let Some(first) = places.get(&text) {
        let (line, column) = sources.line_column(*first);
        let message = format!("the key `{text}` stands twice");
        let fault = Diagnostic::error(code::DUPLICATE_KEY, message).at(span);
        out.push(fault.label(format!("first at {line}:{column}")).hint("remove one of the two"));
        return Key { text, span, refused: true };
    }
    places.insert(text.clone(), span);
    Key { text, span, refused: false }
}
