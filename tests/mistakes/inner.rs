//! Slips inside paths, conditions, converters and scripts: what a text becomes, and what the slip is.

use super::slip::{Dice, misspelt};
use std::ops::Range;

/// A replaced stretch of a text, by what, and what the slip is.
pub type Slip = (&'static str, Range<usize>, String);

/// Words of a text outside of quotes: letters, digits, `_` and a leading `@`.
pub fn words(text: &str) -> Vec<Range<usize>> {
    let mut list = Vec::new();
    let mut quote = None;
    let mut start = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = quote.is_none() && (letter.is_alphanumeric() || letter == '_');
        match (inside, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                list.push(from..at);
                start = None;
            }
            _ => {}
        }
        match quote {
            Some(end) if letter == end => quote = None,
            None if matches!(letter, '\'' | '"' | '`') => quote = Some(letter),
            _ => {}
        }
    }
    list
}

/// Texts in quotes, without them.
pub fn literals(text: &str) -> Vec<Range<usize>> {
    let mut list = Vec::new();
    let mut open: Option<(usize, char)> = None;
    for (at, letter) in text.char_indices() {
        match open {
            Some((from, end)) if letter == end => {
                list.push(from..at);
                open = None;
            }
            None if matches!(letter, '\'' | '"') => open = Some((at + 1, letter)),
            _ => {}
        }
    }
    list
}

fn misspell(text: &str, range: &Range<usize>, dice: &mut Dice) -> Option<Slip> {
    let (what, word) = misspelt(&text[range.clone()], dice)?;
    Some((what, range.clone(), word))
}

/// A name of a path misspelt.
pub fn path_name(text: &str, dice: &mut Dice) -> Option<Slip> {
    let names: Vec<_> = words(text)
        .into_iter()
        .filter(|range| {
            let name = &text[range.clone()];
            let is_part = text[range.end..].starts_with(':');
            !is_part && !name.bytes().all(|byte| byte.is_ascii_digit())
        })
        .collect();
    misspell(text, dice.one(&names)?, dice)
}

/// One of some texts taken away or put in the place of another, where it stands.
fn swapped(
    text: &str,
    table: &[(&'static str, &'static str, &'static str)],
    dice: &mut Dice,
) -> Option<Slip> {
    let mut all = Vec::new();
    for (from, to, what) in table {
        let hits = text.match_indices(from);
        let alone = |at: usize| {
            // `==` is not to be found in `!==`, nor `=` in `==`.
            let around = [text[..at].chars().next_back(), text[at + from.len()..].chars().next()];
            !from.contains('=') || !around.into_iter().flatten().any(|c| c == '=')
        };
        all.extend(
            hits.map(|(at, _)| at).filter(|at| alone(*at)).map(|at| (*what, at..at + from.len(), *to)),
        );
    }
    let (what, range, to) = dice.one(&all)?.clone();
    Some((what, range, to.to_owned()))
}

/// A path that is none any more.
pub fn path_form(text: &str, dice: &mut Dice) -> Option<Slip> {
    const TABLE: &[(&str, &str, &str)] = &[
        (".", "..", "a dot twice"),
        (".", "/", "a slash for a dot"),
        ("[*]", "[]", "no star"),
        ("[*]", "*", "no brackets"),
        ("[*]", "[*", "no bracket"),
        ("]", "", "no bracket"),
        ("==", "=", "one equals sign"),
        ("'", "", "no quote"),
        ("@.", "", "no @"),
        ("&&", "and", "a word for an operator"),
        ("?", "", "no question mark"),
    ];
    (text.len() > 1).then(|| swapped(text, TABLE, dice)).flatten()
}

/// A condition that is none any more.
pub fn condition_form(text: &str, dice: &mut Dice) -> Option<Slip> {
    const TABLE: &[(&str, &str, &str)] = &[
        (" == ", " = ", "one equals sign"),
        (" == ", " === ", "three equals signs"),
        (" == ", " eq ", "a word for an operator"),
        (" && ", " and ", "a word for an operator"),
        (" || ", " or ", "a word for an operator"),
        (" && ", " & ", "one sign of two"),
        (" || ", " | ", "one sign of two"),
        (" != ", " <> ", "another language's operator"),
        (" != ", " =! ", "signs exchanged"),
        ("'", "", "no quote"),
        ("@.", "", "no @"),
        ("@.", "@", "no dot"),
        ("]", "", "no bracket"),
        (")", "", "no parenthesis"),
        ("?@", "@", "no question mark"),
    ];
    swapped(text, TABLE, dice)
}

/// A script that is none any more, or speaks of what is not there.
pub fn script(text: &str, dice: &mut Dice) -> Option<Slip> {
    const TABLE: &[(&str, &str, &str)] = &[
        ("(", "", "no parenthesis"),
        (")", "", "no parenthesis"),
        ("\"", "", "no quote"),
        ("{", "", "no brace"),
        ("}", "", "no brace"),
        (" == ", " = ", "one equals sign"),
        (" && ", " and ", "a word for an operator"),
        (" || ", " or ", "a word for an operator"),
        (", ", " ", "no comma"),
        (";", "", "no semicolon"),
        ("[", "", "no bracket"),
        ("]", "", "no bracket"),
    ];
    match dice.below(10) {
        0..6 => script_word(text, dice),
        6..9 => swapped(text, TABLE, dice).or_else(|| script_word(text, dice)),
        _ => arity(text, dice).or_else(|| script_word(text, dice)),
    }
}

/// A word of a script that is a function, a variable or a keyword: members of values are not known before they are there.
fn script_word(text: &str, dice: &mut Dice) -> Option<Slip> {
    let names: Vec<_> = words(text)
        .into_iter()
        .filter(|range| {
            let is_member = text[..range.start].ends_with('.') || text[..range.start].ends_with("?.");
            let is_call = text[range.end..].starts_with('(');
            let number = text[range.clone()].starts_with(|c: char| c.is_ascii_digit());
            (!is_member || is_call) && !number
        })
        .collect();
    misspell(text, dice.one(&names)?, dice)
}

/// An argument too few or too many.
fn arity(text: &str, dice: &mut Dice) -> Option<Slip> {
    let calls: Vec<_> = words(text)
        .into_iter()
        .filter(|range| text[range.end..].starts_with('(') && !text[..range.start].ends_with("fn "))
        .filter_map(|range| {
            let close = text[range.end..].find([')', '(', '{']).map(|at| range.end + at)?;
            let close = if close == range.end {
                range.end + 1 + text[range.end + 1..].find([')', '('])?
            } else {
                close
            };
            text[close..].starts_with(')').then_some(range.end + 1..close)
        })
        .collect();
    let inner = dice.one(&calls)?.clone();
    let arguments = &text[inner.clone()];
    Some(match (arguments.rfind(','), dice.below(2)) {
        (Some(comma), 0) => ("an argument too few", inner.start + comma..inner.end, String::new()),
        _ if arguments.trim().is_empty() => ("an argument too many", inner, "1".to_owned()),
        _ => ("an argument too many", inner.end..inner.end, ", 1".to_owned()),
    })
}

/// A converter that is none any more, or has an argument that it does not take.
pub fn converter(text: &str, dice: &mut Dice) -> Option<Slip> {
    const TABLE: &[(&str, &str, &str)] = &[
        (")", "", "no parenthesis"),
        ("(", "", "no parenthesis"),
        ("'", "", "no quote"),
        (", ", " ", "no comma"),
        ("%Y", "%y%y", "a wrong format"),
        ("%m", "%mm", "a wrong format"),
    ];
    if dice.below(4) == 0 {
        return swapped(text, TABLE, dice);
    }
    let zones = literals(text).into_iter().filter(|range| text[range.clone()].contains('/'));
    let mut all: Vec<_> = words(text).into_iter().filter(|range| is_argument(text, range)).collect();
    all.extend(zones);
    let range = dice.one(&all)?.clone();
    // A word with dashes is one word.
    misspell(text, &range, dice)
}

/// Whether a word is not part of a path.
fn is_argument(text: &str, range: &Range<usize>) -> bool {
    !text[..range.start].ends_with(['.', '$'])
}
