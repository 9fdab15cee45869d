//! What a tree of YAML does not keep: comments, and how texts of the forms `|` and `>` stand in the file.

use super::{Node, Style, Value};
use crate::text::Span;
use std::collections::BTreeMap;

/// One comment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Comment<'t> {
    /// Byte of its `#`.
    pub start: usize,
    /// From its `#` to the end of its line, without blanks there.
    pub text: &'t str,
    /// Column of its `#`, in characters from 0.
    pub column: usize,
    /// Whether nothing stands before it on its line.
    pub is_alone: bool,
}

/// A text of the form `|` or `>`.
#[derive(Debug, Clone)]
pub(super) struct BlockScalar<'t> {
    /// Its indicators; an indentation is two.
    pub header: String,
    /// Byte behind the indicators.
    pub header_end: usize,
    /// Its lines without their common indentation.
    pub lines: Vec<&'t str>,
    /// Byte behind the last character of its last line.
    pub end: usize,
}

/// The comments of a file in order, and its block scalars by the byte at which their content begins.
#[derive(Debug)]
pub(super) struct Comments<'t> {
    list: Vec<Comment<'t>>,
    blocks: BTreeMap<u32, BlockScalar<'t>>,
}

impl<'t> Comments<'t> {
    /// Those of a file that was read as this tree.
    pub fn of(text: &'t str, root: &Node) -> Self {
        let mut scalars = Vec::new();
        collect(root, &mut scalars);
        scalars.sort_unstable_by_key(|(span, _)| (span.start, span.end));
        let mut found = Self { list: Vec::new(), blocks: BTreeMap::new() };
        let mut at = 0;
        for (span, style) in scalars {
            let (start, end) = (span.start as usize, span.end as usize);
            if matches!(style, Style::Literal | Style::Folded) {
                let header = found.gap(text, at, text.len(), true);
                let block = block_scalar(text, header);
                found.gap(text, block.header_end, line_end(text, block.header_end), false);
                at = block.end;
                found.blocks.insert(span.start, block);
            } else {
                found.gap(text, at, start, false);
                at = end.max(at);
            }
        }
        found.gap(text, at, text.len(), false);
        found
    }

    /// The comment of an index.
    pub fn get(&self, index: usize) -> Option<&Comment<'t>> {
        self.list.get(index)
    }

    /// What they say, in order.
    pub fn texts(&self) -> impl Iterator<Item = &'t str> {
        self.list.iter().map(|comment| comment.text)
    }

    /// Whether one stands inside a span.
    pub fn is_any_in(&self, span: Span) -> bool {
        let next = self.list.partition_point(|comment| comment.start < span.start as usize);
        self.list.get(next).is_some_and(|comment| comment.start < span.end as usize)
    }

    /// How a text of the form `|` or `>` stands in the file; none for any other node.
    pub fn block_scalar(&self, node: &Node) -> Option<&BlockScalar<'t>> {
        let style = node.as_scalar()?.style;
        matches!(style, Style::Literal | Style::Folded).then(|| self.blocks.get(&node.span.start)).flatten()
    }

    /// Takes the comments of a stretch without scalars; ends at the indicator of a block scalar where one is due, and
    /// says where it ended.
    fn gap(&mut self, text: &'t str, from: usize, to: usize, is_header_due: bool) -> usize {
        let mut at = from;
        while let Some(rest) = text.get(at..to) {
            let Some(next) = rest.find(['#', '|', '>']) else { return to };
            let start = at + next;
            let before = text.get(..start).unwrap_or_default();
            let is_comment = before.is_empty() || before.ends_with([' ', '\n', '\r']);
            at = start + 1;
            if !rest.get(next..).unwrap_or_default().starts_with('#') {
                if is_header_due {
                    return start;
                }
            } else if is_comment {
                let line = before.rsplit('\n').next().unwrap_or_default();
                let end = line_end(text, start);
                self.list.push(Comment {
                    start,
                    text: text.get(start..end).unwrap_or_default().trim_end(),
                    column: line.chars().count(),
                    is_alone: line.trim().is_empty(),
                });
                at = end;
            }
        }
        to
    }
}

/// Spans and styles of keys and values.
fn collect(node: &Node, out: &mut Vec<(Span, Style)>) {
    match &node.value {
        Value::Scalar(scalar) => out.push((node.span, scalar.style)),
        Value::Sequence(nodes) => nodes.iter().for_each(|node| collect(node, out)),
        Value::Mapping(entries) => {
            for entry in entries {
                out.push((entry.key_span, Style::Plain));
                collect(&entry.value, out);
            }
        }
    }
}

fn line_end(text: &str, from: usize) -> usize {
    text.get(from..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| from + length)
}

/// The block scalar whose indicator stands at a byte.
fn block_scalar(text: &str, at: usize) -> BlockScalar<'_> {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.find(|c: char| !matches!(c, '|' | '>' | '+' | '-' | '0'..='9')).unwrap_or(rest.len());
    let indicators = rest.get(..length).unwrap_or_default();
    let header_end = at + length;
    let begin = (line_end(text, header_end) + 1).min(text.len());
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let lines = || text.get(begin..).unwrap_or_default().split_inclusive('\n');
    let explicit = indicators.chars().find_map(|c| c.to_digit(10));
    let written = lines().find(|line| !line.trim().is_empty()).map_or(0, blanks);
    // An explicit indentation counts from the line of the key or dash.
    let indent = explicit.map_or(written, |digit| parent_indent(text, at) + digit as usize);
    let mut content: Vec<&str> = Vec::new();
    let mut end = begin;
    for line in lines() {
        if !line.trim().is_empty() && blanks(line) < indent.max(1) {
            break;
        }
        content.push(line.get(indent..).unwrap_or_default().trim_end_matches(['\n', '\r']));
        end += line.len();
    }
    if !indicators.contains('+') {
        // Empty lines at the end say nothing then; they part what follows.
        while content.last().is_some_and(|line| line.is_empty()) {
            content.pop();
            let before = text.get(..end).unwrap_or_default();
            end = before.strip_suffix('\n').unwrap_or(before).rfind('\n').map_or(begin, |at| at + 1);
        }
    }
    let header = indicators.chars().map(|c| if c.is_ascii_digit() { '2' } else { c }).collect();
    // Before its line break, as all else ends.
    let end = text.get(..end).map_or(end, |before| before.strip_suffix('\n').unwrap_or(before).len());
    BlockScalar { header, header_end, lines: content, end: end.max(header_end) }
}

/// Indentation of the key or dash that an indicator stands behind.
fn parent_indent(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mut column = 0;
    let mut rest = line;
    loop {
        let trimmed = rest.trim_start_matches(' ');
        column += rest.len() - trimmed.len();
        match trimmed.strip_prefix("- ") {
            // The scalar is the dash's own unless a key or another dash follows.
            Some(after) if !after.trim().is_empty() => {
                column += 2;
                rest = after;
            }
            _ => return column,
        }
    }
}
