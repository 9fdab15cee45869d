//! As much of Rust's lexical form as the house rules need: words, signs, texts; comments are left out.

use std::{collections::BTreeSet, ops::Range};

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Word,
    Sign,
    Text,
}

/// One token and the line on which it begins, from 1.
#[derive(Debug, Clone, Copy)]
pub struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    pub line: usize,
}

/// The tokens of a file.
pub fn of(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let rest = &text[at..];
        let (length, kind) = next(rest);
        if let Some(kind) = kind {
            tokens.push(Token { kind, text: &rest[..length], line });
        }
        line += rest[..length].matches('\n').count();
        at += length;
    }
    tokens
}

fn next(rest: &str) -> (usize, Option<Kind>) {
    let first = rest.chars().next().unwrap();
    if rest.starts_with("//") {
        return (rest.find('\n').unwrap_or(rest.len()), None);
    }
    if rest.starts_with("/*") {
        return (block_comment(rest), None);
    }
    if let Some(length) = raw_text(rest) {
        return (length, Some(Kind::Text));
    }
    match first {
        '"' => (quoted(rest, 1, '"'), Some(Kind::Text)),
        '\'' => (character_or_lifetime(rest), Some(Kind::Text)),
        _ if rest.starts_with("b\"") || rest.starts_with("c\"") => (quoted(rest, 2, '"'), Some(Kind::Text)),
        _ if rest.starts_with("b'") => (quoted(rest, 2, '\''), Some(Kind::Text)),
        _ if first.is_alphanumeric() || first == '_' => {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (end, Some(Kind::Word))
        }
        _ if rest.starts_with("::") || rest.starts_with("->") => (2, Some(Kind::Sign)),
        _ if first.is_whitespace() => (first.len_utf8(), None),
        _ => (first.len_utf8(), Some(Kind::Sign)),
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut at, mut depth) = (2, 1);
    while depth > 0 && at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
        } else {
            at += rest[at..].chars().next().unwrap().len_utf8();
        }
    }
    at
}

fn raw_text(rest: &str) -> Option<usize> {
    let hashes = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let count = hashes.len() - hashes.trim_start_matches('#').len();
    let content = hashes[count..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(count));
    let length = content.find(&end)? + end.len();
    Some(rest.len() - content.len() + length)
}

fn quoted(rest: &str, from: usize, end: char) -> usize {
    let mut escaped = false;
    for (at, character) in rest[from..].char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == end => return from + at + character.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut characters = rest[1..].chars();
    let first = characters.next().unwrap_or('\'');
    if first == '\\' || characters.next() == Some('\'') {
        return quoted(rest, 1, '\'');
    }
    rest[1..].find(|c: char| !c.is_alphanumeric() && c != '_').map_or(rest.len(), |end| end + 1)
}

/// Path of the module that a file is, from the crate root; empty for the root itself and for the binary.
pub fn module_of(path: &str) -> Vec<String> {
    let inner = path.strip_prefix("src/").unwrap().strip_suffix(".rs").unwrap();
    let mut parts: Vec<String> = inner.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// Rooms that the `crate::` and `super::` paths of a file lead to, with the line; `self` and `$crate` included.
pub fn rooms_named(text: &str, file_module: &[String]) -> Vec<(usize, String)> {
    let tokens = of(text);
    let mut rooms = Vec::new();
    let mut module = file_module.to_vec();
    // Braces that are open, and whether each belongs to a module in the file.
    let mut braces: Vec<bool> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        match token.text {
            "{" => {
                let of_module = at >= 2 && tokens[at - 2].text == "mod" && tokens[at - 1].kind == Kind::Word;
                if of_module {
                    module.push(tokens[at - 1].text.to_owned());
                }
                braces.push(of_module);
            }
            "}" if braces.pop() == Some(true) => {
                module.pop();
            }
            "crate" | "super" if token.kind == Kind::Word => {
                let (next, targets) = targets(&tokens, at, &module);
                rooms.extend(targets.into_iter().map(|target| (token.line, target)));
                at = next;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    rooms
}

/// Where a path leads that begins here: the first names below the crate root, and the token to go on with.
fn targets(tokens: &[Token<'_>], start: usize, module: &[String]) -> (usize, Vec<String>) {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut base = if text(start) == "crate" { 0 } else { module.len().saturating_sub(1) };
    let mut at = start + 1;
    while text(at) == "::" && text(at + 1) == "super" {
        base = base.saturating_sub(1);
        at += 2;
    }
    // `pub(crate)`, `pub(super)` and the like name nothing.
    if text(at) != "::" {
        return (at, Vec::new());
    }
    if base > 0 {
        return (at + 1, vec![module[0].clone()]);
    }
    if text(at + 1) != "{" {
        return (at + 2, vec![text(at + 1).to_owned()]);
    }
    let mut targets = Vec::new();
    let mut depth = 0;
    let mut first = true;
    at += 1;
    loop {
        match text(at) {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => first = true,
            "" => break,
            word if depth == 1 && first => {
                first = false;
                if word != "self" {
                    targets.push(word.to_owned());
                }
            }
            _ => {}
        }
        first |= text(at) == "{" && depth == 1;
        at += 1;
        if depth == 0 {
            break;
        }
    }
    (at, targets)
}

/// Lines of the modules that are compiled for tests only.
pub fn test_lines(tokens: &[Token<'_>]) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    let is = |at: usize, texts: &[&str]| {
        texts
            .iter()
            .enumerate()
            .all(|(index, text)| tokens.get(at + index).is_some_and(|token| token.text == *text))
    };
    let mut at = 0;
    while at < tokens.len() {
        if is(at, &["#", "[", "cfg", "(", "test", ")", "]"]) {
            let end = block(tokens, at).map_or(at, |block| block.end - 1);
            lines.extend(tokens[at].line..=tokens[end].line);
            at = end;
        }
        at += 1;
    }
    lines
}

/// First line and number of lines of each function that has a body.
pub fn functions(tokens: &[Token<'_>]) -> Vec<(usize, usize)> {
    let mut functions = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let named = tokens.get(at + 1).is_some_and(|next| next.kind == Kind::Word);
        if token.kind == Kind::Word
            && token.text == "fn"
            && named
            && let Some(block) = block(tokens, at)
        {
            functions.push((token.line, tokens[block.end - 1].line - token.line + 1));
        }
    }
    functions
}

/// The braces that follow, unless a semicolon outside of brackets comes first.
fn block(tokens: &[Token<'_>], from: usize) -> Option<Range<usize>> {
    let mut brackets = 0;
    let mut start = from;
    loop {
        match tokens.get(start)?.text {
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets -= 1,
            ";" if brackets == 0 => return None,
            "{" if brackets == 0 => break,
            _ => {}
        }
        start += 1;
    }
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match (token.kind, token.text) {
            (Kind::Sign, "{") => depth += 1,
            (Kind::Sign, "}") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(start..at + 1);
        }
    }
    None
}
