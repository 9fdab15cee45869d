//! What YAML reads otherwise than it looks, told with the form that works.
//!
//! Inside `{ }` and `[ ]` a comma or bracket ends an unquoted text: `{ convert: date(a, b) }` is silently a key
//! `b)` without a value, `{ sonata: quoteItem[*] }` is an error that names the wrong thing. The source line still
//! shows what was meant; it is read here a second time, as its author reads it.

use super::{Entry, Node, Style, Value};
use std::collections::BTreeMap;

use crate::text::{Diagnostic, Diagnostics, Hint, Sources, Span, code, source::offset};

/// Tells what the parser accepted although something else was meant.
pub(super) fn check(sources: &Sources, root: &Node, out: &mut Diagnostics) {
    let mut told = None;
    visit(sources, root, (root, false), &mut told, out);
}

/// The diagnostic for a parser error at a place.
pub(super) fn syntax(sources: &Sources, at: Span, info: &str) -> Diagnostic {
    let (line, column) = sources.line_column(at);
    for line in [line, line.saturating_sub(1)] {
        if let Some(meant) = meant(sources, at, line) {
            return unquoted(&meant);
        }
    }
    let fault = Diagnostic::error(code::SYNTAX, format!("not valid YAML: {info}")).at(at);
    let range = sources.line_range(at.source, line);
    let rest = &sources.text(at.source)[range.start..range.end];
    let next = rest.chars().nth(column - 1).unwrap_or(' ');
    if info.contains("unknown anchor") || info.contains("anchor or alias") {
        return Diagnostic { code: code::ANCHOR, ..fault.hint("text that begins with `*` or `&` is quoted") };
    }
    match next {
        '@' | '`' | '%' | '!' | '&' | '*' => fault.hint(format!("text that begins with `{next}` is quoted")),
        _ if info.contains("expected ',' or") => {
            fault.hint("a `{` or `[` before this place is not closed, or a text in it needs quotes")
        }
        _ if info.contains("mapping values are not allowed") => {
            fault.hint("text that holds `: ` is quoted; otherwise look at the indentation")
        }
        _ => fault,
    }
}

/// `told` is the last line that was told, so that one misreading is told once.
fn visit(
    sources: &Sources,
    node: &Node,
    (root, in_flow): (&Node, bool),
    told: &mut Option<usize>,
    out: &mut Diagnostics,
) {
    let flow = in_flow
        || matches!(
            sources.text(node.span.source).as_bytes().get(node.span.start as usize),
            Some(b'{' | b'[')
        );
    match &node.value {
        Value::Scalar(_) => stray_quote(sources, node, flow, out),
        Value::Sequence(elements) => {
            for element in elements {
                if flow {
                    parentheses(sources, element.span, element, told, out);
                }
                visit(sources, element, (root, flow), told, out);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                if flow {
                    parentheses(sources, entry.value.span, &entry.value, told, out);
                    valueless(sources, entry, (root, entries), told, out);
                }
                visit(sources, &entry.value, (root, flow), told, out);
            }
        }
    }
}

/// An unquoted text with unequal parentheses: a comma has cut it in two.
fn parentheses(sources: &Sources, span: Span, node: &Node, told: &mut Option<usize>, out: &mut Diagnostics) {
    let plain = node.as_scalar().is_some_and(|scalar| scalar.style == Style::Plain);
    let text = node.as_text().unwrap_or("");
    if !plain || text.matches('(').count() == text.matches(')').count() {
        return;
    }
    let (line, _) = sources.line_column(span);
    if *told == Some(line) {
        return;
    }
    *told = Some(line);
    let fault = meant(sources, span, line).map_or_else(
        || Diagnostic::error(code::UNQUOTED, "a comma ends this text").at(span).hint("quote the whole text"),
        |meant| unquoted(&meant),
    );
    out.push(fault);
}

/// An unquoted text that ends in a quote which nothing opened.
fn stray_quote(sources: &Sources, node: &Node, in_flow: bool, out: &mut Diagnostics) {
    let Some(text) =
        node.as_scalar().filter(|scalar| scalar.style == Style::Plain).map(|scalar| &scalar.text)
    else {
        return;
    };
    let Some(quote) = text.chars().last().filter(|last| matches!(last, '"' | '\'')) else { return };
    let written = sources.slice(node.span);
    // A sentence may end in the apostrophe of a plural.
    let is_prose = written.contains('\n') || (quote == '\'' && text.contains(' ') && !in_flow);
    if text.matches(quote).count() != 1 || written.len() < 2 || is_prose {
        return;
    }
    let begin = Span { end: node.span.start, ..node.span };
    let message = "this text ends in a quote, and begins without one";
    let hint = Hint::from(format!("begin it with `{quote}`")).putting_at(begin, quote.to_string());
    out.push(Diagnostic::error(code::UNQUOTED, message).at(node.span).hint(hint));
}

/// A key inside `{ }` to which nothing was written.
fn valueless(
    sources: &Sources,
    entry: &Entry,
    (root, around): (&Node, &[Entry]),
    told: &mut Option<usize>,
    out: &mut Diagnostics,
) {
    let (line, _) = sources.line_column(entry.key_span);
    if !entry.value.is_absent() || *told == Some(line) {
        return;
    }
    *told = Some(line);
    let at = entry.key_span;
    let is_quoted = sources.slice(at).starts_with(['"', '\'']);
    if let Some((key, value)) = entry.key.split_once(':').filter(|_| !is_quoted) {
        let message = format!("`{}` is one key without a value", entry.key);
        let hint = format!("write `{key}: {value}`");
        let colon = offset(at.start as usize + key.len());
        let blank = Span { start: colon + 1, end: colon + 1, ..at };
        let hint = Hint::from(hint).putting_at(blank, " ");
        out.push(Diagnostic::error(code::COLON, message).at(at).hint(hint));
        return;
    }
    if let Some(meant) = meant(sources, at, line) {
        out.push(unquoted(&meant));
        return;
    }
    let message = format!("`{}` has no value", entry.key);
    let hint = match key_before(root, around, entry) {
        Some(key) => {
            let begin = Span { end: at.start, ..at };
            let hint = Hint::from(format!("as others stand in this file, `{key}:` is missing before it"));
            hint.putting_at(begin, format!("{key}: "))
        }
        None => "give it one; if it belongs to the text before the comma, quote that text".into(),
    };
    out.push(Diagnostic::error(code::NO_VALUE, message).at(at).hint(hint));
}

/// What a mapping with all of the keys counts, beside one that has some.
const WHOLE_VOTES: usize = 4;

/// The key that a value without one was meant for: what other mappings of the file with the same keys have besides, most
/// of all with this value. Where few have all of the keys, those count that have some.
fn key_before(root: &Node, around: &[Entry], entry: &Entry) -> Option<String> {
    let own: Vec<&str> =
        around.iter().filter(|one| one.key != entry.key).map(|one| one.key.as_str()).collect();
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        let Some(entries) = node.as_mapping() else {
            open.extend(node.as_sequence().unwrap_or_default());
            continue;
        };
        open.extend(entries.iter().map(|entry| &entry.value));
        let alike = own.iter().filter(|key| entries.iter().any(|entry| entry.key == **key)).count();
        for other in entries.iter().filter(|_| alike > 0) {
            if !own.contains(&other.key.as_str()) && !other.value.is_absent() {
                let same = other.value.as_text() == Some(entry.key.as_str());
                let whole = if alike == own.len() { WHOLE_VOTES } else { 1 };
                *votes.entry(&other.key).or_default() += whole + 1000 * usize::from(same);
            }
        }
    }
    let (key, most) = votes.iter().max_by_key(|(_, votes)| **votes)?;
    let is_only = votes.values().filter(|votes| *votes == most).count() == 1;
    (*most > 1 && is_only).then(|| (*key).to_owned())
}

fn unquoted(meant: &Meant) -> Diagnostic {
    let message = "inside `{ }` or `[ ]` this text must be quoted";
    let key = meant.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
    Diagnostic::error(code::UNQUOTED, message)
        .at(meant.span)
        .hint(Hint::from(format!("write `{key}{}`", quoted(&meant.text))).putting(quoted(&meant.text)))
}

/// The text in quotes that need the fewest escapes.
fn quoted(text: &str) -> String {
    if !text.contains(['"', '\\']) {
        format!("\"{text}\"")
    } else if !text.contains('\'') {
        format!("'{text}'")
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// A text that its author saw as one.
struct Meant {
    key: Option<String>,
    text: String,
    span: Span,
}

/// First unquoted text of a flow collection of this line that needs quotes, read as an author reads it:
/// brackets and parentheses inside a text belong together, and so do quotes inside them.
fn meant(sources: &Sources, at: Span, line: usize) -> Option<Meant> {
    let range = sources.line_range(at.source, line);
    let base = range.start;
    let line = sources.text(at.source).get(range)?;
    let mut from = flow_start(line)?;
    while from < line.len() {
        let rest = &line[from..];
        let item = rest.trim_start_matches([' ', '{', '[', ',', '}', ']']);
        from += rest.len() - item.len();
        if item.is_empty() || item.starts_with('#') {
            return None;
        }
        let key = key_of(item);
        let value = item[key.map_or(0, |(_, end)| end)..].trim_start();
        let start = from + (item.len() - value.len());
        if value.starts_with(['{', '[']) {
            from = start;
            continue;
        }
        let (length, needs_quotes) = extent(value);
        let text = value[..length].trim_end();
        if needs_quotes && !text.is_empty() {
            let (first, last) = (offset(base + start), offset(base + start + text.len()));
            let span = Span { source: at.source, start: first, end: last };
            return Some(Meant { key: key.map(|(key, _)| key.to_owned()), text: text.to_owned(), span });
        }
        from = (start + length).max(from + 1);
        while !line.is_char_boundary(from) {
            from += 1;
        }
    }
    None
}

/// Where the first flow collection of a line begins: after blanks, dashes and keys, at a brace or bracket.
fn flow_start(line: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let trimmed = rest.trim_start_matches([' ', '-']);
        at += rest.len() - trimmed.len();
        if trimmed.starts_with(['{', '[']) {
            return Some(at);
        }
        // A continued flow collection: the line begins with one of its keys.
        let (_, end) = key_of(trimmed)?;
        let value = trimmed[end..].trim_start();
        if !value.starts_with(['{', '[']) {
            return None;
        }
        at += trimmed.len() - value.len();
    }
}

/// The key at the beginning of an item, and where its value begins.
fn key_of(item: &str) -> Option<(&str, usize)> {
    if let Some(quote) = item.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let end = item[1..].find(quote)? + 2;
        return item[end..].starts_with(':').then_some((&item[..end], end + 1));
    }
    let end = item.find(": ")?;
    let key = &item[..end];
    (!key.contains([',', '{', '}', '[', ']', '(', ')'])).then_some((key, end + 1))
}

/// How far a text goes, and whether it needs quotes inside a flow collection.
fn extent(value: &str) -> (usize, bool) {
    if let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
        let end = value[1..].find(quote).map_or(value.len(), |end| end + 2);
        return (end, false);
    }
    let mut needs_quotes = false;
    let mut open: Vec<char> = Vec::new();
    let mut quote = None;
    for (at, character) in value.char_indices() {
        if let Some(end) = quote {
            quote = (character != end).then_some(end);
            continue;
        }
        match character {
            '\'' | '"' if !open.is_empty() => quote = Some(character),
            '[' | '{' | '(' => {
                needs_quotes |= character != '(';
                open.push(character);
            }
            ']' | '}' | ')' if open.pop().is_none() => return (at, needs_quotes),
            ',' if open.is_empty() => return (at, needs_quotes),
            ',' => needs_quotes = true,
            ':' if value[at..].starts_with(": ") => needs_quotes = true,
            _ => {}
        }
    }
    (value.len(), needs_quotes)
}
