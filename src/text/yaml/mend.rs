//! A file that is no YAML, with one slip of the hand taken back.
//!
//! The parser stops where it can no longer go on, which is often a line behind the slip. So the lines around that are
//! tried with what is most often forgotten; of what can be read then, the file is taken whose keys stand most as they
//! stand elsewhere in it, and of equals one whose lines are indented by even numbers of blanks.

use super::{Node, Style, Value};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

/// Files that are tried at most; each is read once.
const TRIES_MAX: usize = 120;
/// Lines around the place that are looked at, before and behind.
const LINES: usize = 2;
/// Lines before the place in which a quote, brace or bracket is looked for that opens and does not close: the parser reads on.
const OPEN_LINES: usize = 8;
/// Longest line that is looked at, in bytes: what can be missing in it grows with it.
const LINE_BYTES_MAX: usize = 400;
/// Largest file that is tried, in bytes: every try reads it whole.
const FILE_BYTES_MAX: usize = 256 << 10;

/// One slip taken back.
pub(super) struct Mended {
    /// What is replaced, in bytes.
    pub range: Range<usize>,
    /// By what.
    pub put: String,
    /// What was wrong, in words.
    pub what: &'static str,
}

/// The change near a line (from 0) after which `read` can read the file.
pub(super) fn mend(text: &str, line: usize, read: impl Fn(&str) -> Option<Node>) -> Option<Mended> {
    if text.len() > FILE_BYTES_MAX {
        return None;
    }
    let mut tries = Vec::new();
    let lines: Vec<(usize, &str)> = lines(text).collect();
    let near =
        (0..=LINES).flat_map(|by| [line.checked_sub(by), line.checked_add(by).filter(|_| by == 1)]).flatten();
    let is_open = |index: &usize| lines.get(*index).is_some_and(|(_, code)| is_open(code));
    let open = (LINES + 1..=OPEN_LINES).filter_map(|by| line.checked_sub(by)).filter(is_open);
    for index in open.chain(near) {
        if let Some((start, code)) = lines.get(index).filter(|(_, code)| code.len() <= LINE_BYTES_MAX) {
            list_key(*start, code, index, &lines, &mut tries);
            inside(*start, code, &mut tries);
            indentations(*start, code, index, &lines, &mut tries);
        }
    }
    tries.truncate(TRIES_MAX);
    let mut best: Option<((usize, usize), Mended)> = None;
    for mended in tries {
        let mut tried = text.to_owned();
        tried.replace_range(mended.range.clone(), &mended.put);
        let Some(node) = read(&tried) else { continue };
        // A line that became part of the text above it has no odd key any more, and is odder than one.
        let odd = (odd_keys(&node) + 2 * odd_texts(&node, &tried), odd_lines(&tried));
        if best.as_ref().is_none_or(|(least, _)| odd < *least) {
            best = Some((odd, mended));
        }
    }
    best.map(|(_, mended)| mended)
}

/// Whether a line opens what it does not close.
fn is_open(code: &str) -> bool {
    let count = |sign: char| code.matches(sign).count();
    count('"') % 2 == 1 || count('{') > count('}') || count('[') > count(']')
}

/// Lines with their beginnings, comments left out.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        let start = at;
        at += line.len();
        let line = line.trim_end_matches(['\n', '\r']);
        let code = line.find(" #").map_or(line, |comment| &line[..comment]).trim_end();
        (start, if code.trim_start().starts_with('#') { "" } else { code })
    })
}

/// What may be missing within a line.
fn inside(start: usize, code: &str, tries: &mut Vec<Mended>) {
    let mut put = |at: usize, length: usize, put: &str, what: &'static str| {
        let range = start + at..start + at + length;
        tries.push(Mended { range, put: put.to_owned(), what });
    };
    let bytes = code.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(b' ');
    let mut ends: Vec<usize> = (0..code.len()).filter(|index| matches!(at(*index), b',' | b' ')).collect();
    ends.retain(|index| at(*index) == b',' || matches!(at(index + 1), b'}' | b']'));
    ends.push(code.len());
    let starts = (1..code.len()).filter(|index| at(index - 1) == b' ' && at(*index) != b' ');
    for quote in ['"', '\''] {
        if code.matches(quote).count() % 2 == 1 {
            let quote = quote.to_string();
            starts
                .clone()
                .chain(ends.iter().copied())
                .for_each(|index| put(index, 0, &quote, "a quote is missing here"));
        }
    }
    for (open, close, shut) in [('{', '}', " }"), ('[', ']', " ]")] {
        if code.matches(open).count() > code.matches(close).count() {
            for index in ends.iter().rev() {
                put(*index, 0, shut, "a bracket or brace is not closed before here");
            }
        }
    }
    for index in 1..code.len().saturating_sub(1) {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if at(index) == b':'
            && word(at(index - 1))
            && at(index + 1) != b' '
            && !code[index + 1..].starts_with("//")
        {
            put(index + 1, 0, " ", "a blank is missing here, behind the colon");
        }
        let comma = at(index) == b' ' && !matches!(at(index - 1), b',' | b':' | b'{' | b'[' | b'-' | b' ');
        let rest = code.get(index + 1..).unwrap_or_default();
        let key = rest.split([' ', ',']).next().is_some_and(|word| word.ends_with(':'));
        if comma && (key || at(index + 1) == b'{') {
            put(index, 1, ", ", "a comma is missing here");
        }
    }
    let indent = code.len() - code.trim_start().len();
    if code[indent..].starts_with('-') && at(indent + 1) != b' ' && code.len() > indent + 1 {
        put(indent + 1, 0, " ", "a blank is missing here, behind the dash");
    }
    if (1..code.len()).any(|index| at(index) == b' ') && !code.ends_with(':') && !code.contains(": ") {
        put(code.len(), 0, ":", "a colon is missing here");
    }
}

/// The key of a list that begins below an entry of a mapping: it is that of the other lists of the file whose elements
/// begin as this one's do.
fn list_key(start: usize, code: &str, index: usize, lines: &[(usize, &str)], tries: &mut Vec<Mended>) {
    let is_code = |(_, line): &&(usize, &str)| !line.trim().is_empty();
    let (Some(own), Some((_, above))) = (element(code), lines[..index].iter().rev().find(is_code)) else {
        return;
    };
    let key_at = above.len() - above.trim_start_matches([' ', '-']).len();
    let is_entry = above.get(key_at..).is_some_and(|entry| entry.contains(": "));
    let width = code.len() - code.trim_start().len();
    if !is_entry || width < key_at {
        return;
    }
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut before = "";
    for (_, line) in lines.iter().filter(is_code) {
        let key = before.trim_start_matches([' ', '-']).strip_suffix(':');
        if let Some(key) = key.filter(|_| element(line) == Some(own)) {
            *votes.entry(key).or_default() += 1;
        }
        before = line;
    }
    if let Some((key, _)) = votes.into_iter().max_by_key(|(_, count)| *count) {
        let put = format!("{}{key}:\n", " ".repeat(key_at));
        tries.push(Mended {
            range: start..start,
            put,
            what: "the key of the list that begins here is missing",
        });
    }
}

/// The first word of an element of a list.
fn element(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("- ")?;
    rest.trim_start_matches(['{', ' ']).split([':', ' ']).next()
}

/// The indentations of the lines around, for a line that may have another.
fn indentations(start: usize, code: &str, index: usize, lines: &[(usize, &str)], tries: &mut Vec<Mended>) {
    if code.trim().is_empty() {
        return;
    }
    let own = code.len() - code.trim_start().len();
    let around = lines.iter().enumerate().filter(|(other, _)| other.abs_diff(index) <= 6 && *other != index);
    let mut widths: Vec<usize> = around
        .filter(|(_, (_, line))| !line.trim().is_empty())
        .map(|(_, (_, line))| line.len() - line.trim_start_matches(' ').len())
        .flat_map(|width| [width, width + 2])
        .collect();
    // As the line above, if it may; else as little else as possible.
    let above = lines[..index].iter().rev().find(|(_, line)| !line.trim().is_empty());
    let above = above.map(|(_, line)| line.len() - line.trim_start().len());
    widths.sort_by_key(|width| (Some(*width) != above, width.abs_diff(own), *width));
    widths.dedup();
    for width in widths {
        let put = " ".repeat(width);
        if !code.starts_with(&put) || width != own {
            let what = "this line is indented otherwise than those around it";
            tries.push(Mended { range: start..start + own, put, what });
        }
    }
}

/// Lines that are indented by an odd number of blanks.
fn odd_lines(text: &str) -> usize {
    let widths = lines(text).map(|(_, line)| line.len() - line.trim_start_matches(' ').len());
    widths.filter(|width| width % 2 == 1).count()
}

/// Keys that stand in the file only once below the key that they stand below.
fn odd_keys(root: &Node) -> usize {
    let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
    let mut open = vec![("", root)];
    while let Some((above, node)) = open.pop() {
        match &node.value {
            Value::Scalar(_) => {}
            Value::Sequence(list) => open.extend(list.iter().map(|node| (above, node))),
            Value::Mapping(entries) => {
                for entry in entries {
                    *seen.entry((above, &entry.key)).or_default() += 1;
                    open.push((&entry.key, &entry.value));
                }
            }
        }
    }
    seen.values().filter(|count| **count == 1).count()
}

/// Texts without quotes that go on in the next line, or hold what looks like a key.
fn odd_texts(node: &Node, text: &str) -> usize {
    match &node.value {
        Value::Scalar(scalar) => {
            let written = text.get(node.span.start as usize..node.span.end as usize);
            usize::from(scalar.style == Style::Plain && written.is_some_and(|own| own.contains(['\n', ':'])))
        }
        Value::Sequence(list) => list.iter().map(|node| odd_texts(node, text)).sum(),
        Value::Mapping(entries) => entries.iter().map(|entry| odd_texts(&entry.value, text)).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Diagnostics, Sources, yaml::load};

    fn read(text: &str) -> Option<Node> {
        let (mut sources, mut out) = (Sources::new(), Diagnostics::new());
        let id = sources.add("a.yaml", text);
        load(&sources, id, &mut out).filter(|_| !out.has_errors())
    }

    /// A list that lacks its last bracket, in a line of so many bytes and a file of so many.
    fn unclosed(line_bytes: usize, file_bytes: usize) -> String {
        let line = format!("a: [ {} ", "x".repeat(line_bytes - "a: [ ".len()));
        format!("{line}\n#{}", " ".repeat(file_bytes - line.len() - 2))
    }

    #[test]
    fn long_lines_and_large_files_are_left_as_they_are() {
        for (line_bytes, file_bytes, is_mended) in [
            (LINE_BYTES_MAX, 1_000, true),
            (LINE_BYTES_MAX + 1, 1_000, false),
            (100, FILE_BYTES_MAX, true),
            (100, FILE_BYTES_MAX + 1, false),
        ] {
            let text = unclosed(line_bytes, file_bytes);
            assert_eq!(text.len(), file_bytes);
            assert_eq!(mend(&text, 0, read).is_some(), is_mended, "{line_bytes} {file_bytes}");
        }
    }

    #[test]
    fn a_quote_is_looked_for_where_it_opens() {
        let text = "a:\n  b: { c: \"d }\n  e: 1\n  f: 2\n  g: 3\n  h: { i: \"j\" }\n";
        let mended = mend(text, 5, read).unwrap();
        assert_eq!((mended.range, mended.put.as_str()), (16..16, "\""));
    }

    #[test]
    fn a_brace_is_looked_for_where_it_opens() {
        let text = "a:\n  b: { c: d\n\ne:\n  GET /x/{y}:\n    f: g\n    h: { i: j }\n";
        let mended = mend(text, 4, read).unwrap();
        assert_eq!((mended.range, mended.put.as_str()), (14..14, " }"));
    }

    #[test]
    fn a_list_without_its_key_has_that_of_lists_like_it() {
        let text = "a:\n  - b: 1\n    c:\n      - { d: 1 }\n    e:\n      - f: 2\n  - b: 2 # no key\n      - { d: 2 }\n";
        let mended = mend(text, 7, read).unwrap();
        assert_eq!((mended.range, mended.put.as_str()), (74..74, "    c:\n"));
    }

    #[test]
    fn of_two_lines_that_may_be_wrong_it_is_the_odd_one() {
        let text = "a: b\nproperties:\n   speed: { c: d }\n  frame: { c: d }\n";
        let mended = mend(text, 3, read).unwrap();
        assert_eq!((&text[mended.range], mended.put.as_str()), ("   ", "  "));
    }

    #[test]
    fn places_within_a_character_are_passed_over() {
        assert!(mend("a: { b c: 1, 𝄞é 𝄞: 2 ", 0, |_| None).is_none());
    }
}
