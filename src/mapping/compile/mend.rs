//! Scripts that do not compile, with one slip of the hand taken back.

use super::Compiler;
use super::values::is_taken;
use crate::mapping::diagnostic as code;
use crate::mapping::raw::Text;
use crate::mapping::script::{Functions, Script, ScriptError, is_reserved};
use crate::text::{Diagnostic, Hint, Slips, SourceId, Span, repair, source_offset, suggest};
use std::ops::Range;

const KEYWORDS: &[&str] = &[
    "if", "else", "let", "for", "in", "return", "throw", "while", "loop", "switch", "true", "false", "const",
    "fn", "break", "continue",
];

/// What goes wrong in a script, and what was meant.
const SLIPS: Slips<'_> = Slips {
    written: &[
        (" = ", " == "),
        (" and ", " && "),
        (" or ", " || "),
        (" not ", " !"),
        (" & ", " && "),
        (" | ", " || "),
    ],
    missing: &[")", "}", "\"", "]", ";", ",", "(", "{", "["],
};

/// Words that are tried at most: those next to the place.
const WORDS_MAX: usize = 6;

/// A text that cannot be read, with one word or sign put right.
fn mended(text: &str, place: usize, good: impl Fn(&str) -> bool) -> Option<(Range<usize>, String)> {
    let mut words: Vec<Range<usize>> = words(text).collect();
    words.sort_by_key(|word| word.start.abs_diff(place).min(word.end.abs_diff(place)));
    words.truncate(WORDS_MAX);
    let keyword = words.into_iter().find_map(|word| {
        let own = &text[word.clone()];
        let near = suggest(own, KEYWORDS.iter().copied().filter(|known| *known != own))?;
        let mut tried = text.to_owned();
        tried.replace_range(word.clone(), near);
        good(&tried).then(|| (word, near.to_owned()))
    });
    keyword.or_else(|| repair(text, place, SLIPS, &good))
}

fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].find(letter)?;
        let end = text[start..].find(|c| !letter(c)).map_or(text.len(), |length| start + length);
        at = end;
        Some(start..end)
    })
}

/// What is told of a file of functions that does not compile.
pub(super) fn functions_fault(id: SourceId, text: &str, error: ScriptError) -> Diagnostic {
    let span = |range: Range<usize>| Span {
        source: id,
        start: source_offset(range.start),
        end: source_offset(range.end),
    };
    let at = span(error.offset..error.offset + error.length);
    let known = error.hint.clone().filter(Hint::is_change);
    let hint = known.or_else(|| {
        let (range, put) = mended(text, error.offset, |tried| Functions::compile(tried).is_ok())?;
        let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let end = text[range.end..].find('\n').map_or(text.len(), |at| range.end + at);
        let line = format!("{}{put}{}", &text[start..range.start], &text[range.end..end]);
        Some(Hint::from(format!("write `{}`", line.trim())).putting_at(span(range), put))
    });
    Diagnostic::error(code::FUNCTIONS, error.message).at(at).maybe_hint(hint.or(error.hint))
}

impl Compiler<'_> {
    /// Tells of a script that does not compile: where one of its inputs is misspelt, there.
    pub(super) fn script_fault(&mut self, text: &Text, inputs: &[(Text, Text)], error: ScriptError) {
        let script = text.as_str();
        let read: Vec<&str> = words(script).map(|word| &script[word]).collect();
        let is_input = |word: &str| inputs.iter().any(|(name, _)| name.as_str() == word);
        let open = || read.iter().copied().filter(|word| !is_input(word) && !KEYWORDS.contains(word));
        for (name, path) in inputs.iter().filter(|(name, _)| !read.contains(&name.as_str())) {
            if let Some(near) = suggest(name.as_str(), open()) {
                // An input is mostly called as what it reads: then it is the script that has a slip.
                // Where case is all that differs, it decides.
                let is_case = name.as_str().eq_ignore_ascii_case(near);
                let is_of_path = |word: &str| {
                    if is_case {
                        return path.as_str().contains(word);
                    }
                    path.as_str().to_ascii_lowercase().contains(&word.to_ascii_lowercase())
                };
                let word = words(script).find(|word| &script[word.clone()] == near);
                if let (Some(word), true, false) = (word, is_of_path(name.as_str()), is_of_path(near)) {
                    let message = format!("`{near}` is not known here");
                    let fault = Diagnostic::error(code::SCRIPT, message).at(text.part(word));
                    self.out.push(fault.hint(Hint::meant(name.as_str())));
                    return;
                }
                let message = format!("the script does not read `{name}`");
                let fault = Diagnostic::error(code::SCRIPT_INPUT, message).at(name.span());
                self.out.push(fault.hint(Hint::meant(near)));
                return;
            }
        }
        let at = text.part(error.offset..error.offset + error.length.max(1));
        let known = error.hint.clone().filter(Hint::is_change);
        let functions = self.known.scripts.functions();
        let names: Vec<&str> = inputs.iter().map(|(name, _)| name.as_str()).collect();
        let good = |tried: &str| Script::compile(tried, &names, &functions).is_ok();
        let hint = known.or_else(|| {
            let arity = arity(script, &error, &names, &read, good);
            let (range, put) = arity.or_else(|| mended(script, error.offset, good))?;
            Some(text.replaced(range, &put))
        });
        self.out.push(Diagnostic::error(code::SCRIPT, error.message).at(at).maybe_hint(hint.or(error.hint)));
    }

    /// Whether the name of an input is one that it may have; one that is not is told.
    pub(super) fn input_name(&mut self, name: &Text, script: &Text) -> bool {
        let message = if is_taken(name) {
            format!("`{name}` is there already")
        } else if is_reserved(name.as_str()) {
            format!("`{name}` is a word of Rhai")
        } else {
            return true;
        };
        let read = words(script.as_str()).map(|word| &script.as_str()[word]);
        let near =
            suggest(name.as_str(), read.filter(|word| *word != name.as_str() && !KEYWORDS.contains(word)));
        let hint = near.map_or_else(|| "give the input another name".into(), Hint::meant);
        self.out.push(Diagnostic::error(code::SCRIPT_INPUT, message).at(name.span()).hint(hint));
        false
    }
}

/// The call at the place of an error with an argument less, or with the only input that the script does not read.
fn arity(
    script: &str,
    error: &ScriptError,
    names: &[&str],
    read: &[&str],
    good: impl Fn(&str) -> bool,
) -> Option<(Range<usize>, String)> {
    let open = error.offset + error.length;
    script.get(open..)?.strip_prefix('(')?;
    let close = closing(script, open)?;
    let inner = &script[open + 1..close];
    let cut = inner.rfind(',').unwrap_or(0);
    let less = (open + 1 + cut..close, String::new());
    let unread = names.iter().find(|name| !read.contains(name));
    let separator = if inner.trim().is_empty() { "" } else { ", " };
    let more = unread.map(|name| (close..close, format!("{separator}{name}")));
    let tries = more.into_iter().chain((!inner.is_empty()).then_some(less));
    tries.into_iter().find(|(range, put)| {
        let mut tried = script.to_owned();
        tried.replace_range(range.clone(), put);
        good(&tried)
    })
}

/// Where the parenthesis at a place is closed.
fn closing(text: &str, open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    text.char_indices().skip_while(|(at, _)| *at < open).find_map(|(at, letter)| {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (letter == ')' && depth == 0).then_some(at)
    })
}
