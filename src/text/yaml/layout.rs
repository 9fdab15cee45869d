//! The one layout of shipped YAML, for `segue fmt`.
//!
//! Two blanks a level, lists below keys indented, `{ a: b }` and `[ a, b ]` with a blank inside. What was written in
//! braces or brackets stays so where it fits in [`WIDTH_MAX`] characters and becomes a block otherwise; a block stays a
//! block. Scalars stay as they were written, quotes included. Comments stay with what they stood before or behind;
//! those behind lines that follow each other share a column. Of several empty lines one stays, none at the beginning
//! of a block.

use super::{Node, Value, comments::Comments};
use crate::text::{Diagnostics, SourceId, Sources};

/// Longest line of what is written in braces or brackets, in characters, comments behind it apart.
pub const WIDTH_MAX: usize = 160;

/// Lines longer than this do not share the column of their comments with others, in characters.
const ALIGNED_MAX: usize = 100;

/// Why a text is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// It is no YAML that this program reads; what is wrong was told.
    #[error("it has errors")]
    Broken,
    /// What would be written does not say the same: something that nobody writes, such as a key of several lines.
    #[error("what would be written says something else")]
    Meaning,
}

/// The same file in the one layout. It says the same, with the same comments in the same order.
///
/// # Errors
/// [`LayoutError`]; what is wrong with the file goes to `out`.
pub fn laid_out(sources: &Sources, id: SourceId, out: &mut Diagnostics) -> Result<String, LayoutError> {
    let before = out.error_count();
    let root = super::load(sources, id, out).filter(|_| out.error_count() == before);
    let root = root.ok_or(LayoutError::Broken)?;
    let text = sources.text(id);
    let comments = Comments::of(text, &root);
    let written = Printer::new(text, &comments).print(&root);
    let (mut again, mut faults) = (Sources::new(), Diagnostics::new());
    let copy = again.add("", written.as_str());
    let same = super::load(&again, copy, &mut faults).filter(|_| !faults.has_errors()).is_some_and(|node| {
        says_the_same(&root, &node) && comments.texts().eq(Comments::of(&written, &node).texts())
    });
    if same { Ok(written) } else { Err(LayoutError::Meaning) }
}

/// Whether two trees have the same keys and texts, written in the same styles.
fn says_the_same(left: &Node, right: &Node) -> bool {
    match (&left.value, &right.value) {
        (Value::Scalar(left), Value::Scalar(right)) => (&left.text, left.style) == (&right.text, right.style),
        (Value::Sequence(left), Value::Sequence(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| says_the_same(left, right))
        }
        (Value::Mapping(left), Value::Mapping(right)) => {
            let mut pairs = left.iter().zip(right);
            left.len() == right.len()
                && pairs
                    .all(|(left, right)| left.key == right.key && says_the_same(&left.value, &right.value))
        }
        _ => false,
    }
}

/// One line to be.
struct Line {
    text: String,
    /// The comment behind it and the column in which it stood.
    comment: Option<(usize, String)>,
}

/// What ends a block, and whether what is in it stands in the column of the block around it.
#[derive(Clone, Copy)]
struct Around {
    /// Where the next thing after the block begins, in bytes.
    limit: usize,
    /// Column of the entries of the block around it.
    column: Option<usize>,
}

struct Printer<'t> {
    text: &'t str,
    comments: &'t Comments<'t>,
    /// The next comment.
    next: usize,
    lines: Vec<Line>,
    /// A dash, and its indentation, that waits for the first line of what it stands before.
    dash: Option<(usize, String)>,
    /// Where the last thing written ends, in bytes of the text.
    last: usize,
    /// Whether nothing was written yet in this block.
    is_fresh: bool,
}

impl<'t> Printer<'t> {
    fn new(text: &'t str, comments: &'t Comments<'t>) -> Self {
        Self { text, comments, next: 0, lines: Vec::new(), dash: None, last: 0, is_fresh: true }
    }

    fn print(mut self, root: &Node) -> String {
        let around = Around { limit: self.text.len(), column: None };
        self.before(start(root), 0);
        if self.is_block(root) || self.flat(root).is_none_or(|flat| !fits(0, &flat)) {
            match &root.value {
                Value::Scalar(_) => self.value(0, "", root, around),
                _ => self.block(root, 0, around),
            }
        } else {
            self.value(0, "", root, around);
        }
        while self.comments.get(self.next).is_some() {
            self.comment(0);
        }
        finished(&self.lines)
    }

    /// The entries of a mapping or list, a line or more for each.
    fn block(&mut self, node: &Node, indent: usize, around: Around) {
        self.is_fresh = true;
        let column = self.column(start(node));
        let starts: Vec<usize> = match &node.value {
            Value::Mapping(entries) => entries.iter().map(|entry| entry.key_span.start as usize).collect(),
            Value::Sequence(nodes) => nodes.iter().map(start).collect(),
            Value::Scalar(_) => Vec::new(),
        };
        let limit = |index: usize| starts.get(index + 1).copied().unwrap_or(around.limit);
        match &node.value {
            Value::Mapping(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    self.before(entry.key_span.start as usize, indent);
                    let key = self.raw(entry.key_span.start as usize, entry.key_span.end as usize);
                    self.last = entry.key_span.end as usize;
                    let around = Around { limit: limit(index), column: Some(column) };
                    self.value(indent, &format!("{key}:"), &entry.value, around);
                }
            }
            Value::Sequence(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    self.before(start(node), indent);
                    let around = Around { limit: limit(index), column: Some(column) };
                    self.value(indent, "-", node, around);
                }
            }
            Value::Scalar(_) => {}
        }
        if self.is_flow(node) {
            self.before(node.span.end as usize, indent);
            self.last = self.last.max(node.span.end as usize);
        } else {
            self.close(column, indent, around);
        }
    }

    /// Comments at the end of a block, as far as they stand in its column or deeper.
    fn close(&mut self, column: usize, indent: usize, around: Around) {
        let least = if around.column.is_some_and(|outer| outer >= column) { column + 1 } else { column };
        while let Some(comment) = self.comments.get(self.next) {
            if comment.start >= around.limit || !comment.is_alone || comment.column < least {
                return;
            }
            self.comment(indent);
        }
    }

    /// What stands behind a key, a dash, or by itself.
    fn value(&mut self, indent: usize, lead: &str, node: &Node, around: Around) {
        let with = |rest: &str| if lead.is_empty() { rest.to_owned() } else { format!("{lead} {rest}") };
        if let Some(block) = self.comments.block_scalar(node) {
            self.line(indent, &with(&block.header));
            self.behind(block.header_end, self.text.len());
            let blanks = " ".repeat(indent + 2);
            for line in &block.lines {
                let text = if line.is_empty() { String::new() } else { format!("{blanks}{line}") };
                self.lines.push(Line { text, comment: None });
            }
            self.last = block.end;
        } else if node.is_absent() {
            self.line(indent, lead);
            self.behind(self.last, self.text.len());
        } else if let Some(flat) = self.flat(node).filter(|flat| self.is_short(node, indent, &with(flat))) {
            self.line(indent, &with(&flat));
            self.last = node.span.end as usize;
            self.behind(self.last, self.text.len());
        } else if node.as_scalar().is_some() {
            self.lines_of_scalar(indent, &with(self.raw(start(node), node.span.end as usize)));
            self.last = node.span.end as usize;
            self.behind(self.last, self.text.len());
        } else if lead == "-" {
            self.before(first(node), indent);
            let dashes = self.dashes(indent);
            self.dash = Some((self.dash.take().map_or(indent, |(outer, _)| outer), dashes));
            self.block(node, indent + 2, around);
        } else {
            self.line(indent, lead);
            self.behind(self.last, first(node));
            self.block(node, indent + 2, around);
        }
    }

    /// A dash behind those that already wait.
    fn dashes(&self, indent: usize) -> String {
        self.dash
            .as_ref()
            .map_or_else(|| format!("{}- ", " ".repeat(indent)), |(_, waiting)| format!("{waiting}- "))
    }

    /// A scalar of several lines: those after the first begin where their line begins, two blanks in.
    fn lines_of_scalar(&mut self, indent: usize, text: &str) {
        let mut lines = text.split('\n').map(without_blanks);
        self.line(indent, lines.next().unwrap_or_default());
        for line in lines {
            let line = line.trim_start();
            let text =
                if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(indent + 2)) };
            self.lines.push(Line { text, comment: None });
        }
    }

    /// Whether a line is short enough, or cannot be broken.
    fn is_short(&self, node: &Node, indent: usize, text: &str) -> bool {
        let is_empty = match &node.value {
            Value::Scalar(_) => true,
            Value::Sequence(nodes) => nodes.is_empty(),
            Value::Mapping(entries) => entries.is_empty(),
        };
        is_empty || (!self.is_block(node) && fits(indent, text))
    }

    fn line(&mut self, indent: usize, text: &str) {
        let lead = self.dash.take().map_or_else(|| " ".repeat(indent), |(_, dashes)| dashes);
        self.lines.push(Line { text: format!("{lead}{text}"), comment: None });
        self.is_fresh = false;
    }

    /// Comments and at most one empty line before what begins at a byte.
    fn before(&mut self, at: usize, indent: usize) {
        while self.comments.get(self.next).is_some_and(|comment| comment.start < at) {
            self.comment(indent);
        }
        self.blank(at);
    }

    /// The next comment, on a line of its own.
    fn comment(&mut self, indent: usize) {
        let Some(comment) = self.comments.get(self.next) else { return };
        self.next += 1;
        self.blank(comment.start);
        let indent = self.dash.as_ref().map_or(indent, |(outer, _)| *outer);
        self.lines.push(Line { text: format!("{}{}", " ".repeat(indent), comment.text), comment: None });
        self.last = comment.start + comment.text.len();
        self.is_fresh = false;
    }

    /// An empty line, where one stands between the last thing written and this.
    fn blank(&mut self, at: usize) {
        let gap = self.text.get(self.last..at).unwrap_or_default();
        // Up to the next thing that is written: behind a dash that stands alone it would be somewhere else.
        let blanks = gap.trim_start_matches(',').chars().take_while(|c| c.is_whitespace());
        let is_blank = blanks.filter(|c| *c == '\n').count() > 1;
        if is_blank && !self.is_fresh && self.dash.is_none() {
            self.lines.push(Line { text: String::new(), comment: None });
        }
        self.last = self.last.max(at);
    }

    /// The comment behind what ends at a byte, on the same line and before what comes at another.
    fn behind(&mut self, end: usize, until: usize) {
        let Some(comment) = self.comments.get(self.next).filter(|comment| !comment.is_alone) else { return };
        let is_here =
            comment.start < until && self.text.get(end..comment.start).is_some_and(|gap| !gap.contains('\n'));
        if let (true, Some(line)) = (is_here, self.lines.last_mut()) {
            line.comment = Some((comment.column, comment.text.to_owned()));
            self.next += 1;
            self.last = comment.start + comment.text.len();
        }
    }

    /// All of a node on one line; none where a comment or a line break stands in it.
    fn flat(&self, node: &Node) -> Option<String> {
        if self.comments.block_scalar(node).is_some() || self.comments.is_any_in(node.span) {
            return None;
        }
        Some(match &node.value {
            Value::Scalar(_) => {
                let raw = self.raw(start(node), node.span.end as usize);
                (!raw.contains('\n')).then(|| raw.to_owned())?
            }
            Value::Sequence(nodes) if nodes.is_empty() => "[]".to_owned(),
            Value::Mapping(entries) if entries.is_empty() => "{}".to_owned(),
            Value::Sequence(nodes) => {
                let parts = nodes.iter().map(|node| self.flat(node)).collect::<Option<Vec<_>>>()?;
                format!("[ {} ]", parts.join(", "))
            }
            Value::Mapping(entries) => {
                let parts = entries.iter().map(|entry| {
                    let key = self.raw(entry.key_span.start as usize, entry.key_span.end as usize);
                    let value = self.flat(&entry.value)?;
                    Some(if value.is_empty() { format!("{key}:") } else { format!("{key}: {value}") })
                });
                format!("{{ {} }}", parts.collect::<Option<Vec<_>>>()?.join(", "))
            }
        })
    }

    fn raw(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn is_flow(&self, node: &Node) -> bool {
        let open = self.text.as_bytes().get(start(node));
        match &node.value {
            Value::Scalar(_) => false,
            Value::Mapping(_) => open == Some(&b'{'),
            // A list in the column of its key begins where its first element does, which may have a bracket of its own.
            Value::Sequence(nodes) => {
                open == Some(&b'[') && nodes.first().is_none_or(|first| start(first) > start(node))
            }
        }
    }

    fn is_block(&self, node: &Node) -> bool {
        node.as_scalar().is_none() && !self.is_flow(node)
    }

    /// Column of a byte, in characters from 0.
    fn column(&self, at: usize) -> usize {
        let before = self.raw(0, at);
        before.rsplit('\n').next().unwrap_or_default().chars().count()
    }
}

fn start(node: &Node) -> usize {
    node.span.start as usize
}

/// Where the first key or element of a node begins.
fn first(node: &Node) -> usize {
    match &node.value {
        Value::Scalar(_) => start(node),
        Value::Sequence(nodes) => nodes.first().map_or_else(|| start(node), first),
        Value::Mapping(entries) => {
            entries.first().map_or_else(|| start(node), |entry| entry.key_span.start as usize)
        }
    }
}

/// A line without the blanks at its end, which say nothing before a line break but for one behind a backslash.
fn without_blanks(line: &str) -> &str {
    let short = line.trim_end();
    if short.ends_with('\\') { line } else { short }
}

fn fits(indent: usize, text: &str) -> bool {
    indent + text.chars().count() <= WIDTH_MAX
}

/// The lines as one text, comments in their columns.
fn finished(lines: &[Line]) -> String {
    let mut columns: Vec<usize> = Vec::with_capacity(lines.len());
    let width = |line: &Line| line.text.chars().count();
    let own = |line: &Line| line.comment.as_ref().map_or(0, |(column, _)| (*column).max(width(line) + 2));
    let is_aligned = |line: &Line| line.comment.is_some() && width(line) <= ALIGNED_MAX;
    for run in lines.chunk_by(|left, right| is_aligned(left) && is_aligned(right)) {
        let column = run.iter().map(own).max().unwrap_or(0);
        columns.extend(run.iter().map(|_| column));
    }
    let mut text = String::new();
    for (line, column) in lines.iter().zip(columns) {
        text.push_str(&line.text);
        if let Some((_, comment)) = &line.comment {
            text.extend(std::iter::repeat_n(' ', column.saturating_sub(width(line))));
            text.push_str(comment);
        }
        text.push('\n');
    }
    text
}
