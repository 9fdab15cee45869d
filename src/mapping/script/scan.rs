//! The words of a script, for what Rhai does not check when it compiles: functions that do not exist,
//! arities, words that cannot be a property, literals that would be rounded.

/// One word or sign of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'t> {
    /// An identifier or keyword.
    Word(&'t str),
    /// A number literal.
    Number(&'t str),
    /// Any other literal.
    Literal,
    /// One sign of an operator or bracket.
    Sign(char),
}

/// The tokens with their byte offsets. Comments are left out; what stands in `${…}` of a text template is
/// read as if it stood in parentheses. An unfinished literal ends the scan: the compiler tells of it.
pub(super) fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let mut scanner = Scanner { text, at: 0, found: Vec::new() };
    scanner.run(false);
    scanner.found
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    found: Vec<(usize, Token<'t>)>,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Scans to the end, or to the `}` that closes an interpolation.
    fn run(&mut self, inside: bool) {
        let mut open = 0_usize;
        while let Some(next) = self.rest().chars().next() {
            let start = self.at;
            match next {
                '/' if self.rest().starts_with("//") => self.skip_past("\n"),
                '/' if self.rest().starts_with("/*") => self.comment(),
                '"' | '\'' => self.quoted(next),
                '`' => self.template(),
                _ if next.is_whitespace() => self.at += next.len_utf8(),
                _ if next.is_ascii_digit() => self.number(),
                _ if next.is_alphabetic() || next == '_' => {
                    let end = self.rest().find(|c: char| !(c.is_alphanumeric() || c == '_'));
                    self.at = end.map_or(self.text.len(), |end| start + end);
                    self.found.push((start, Token::Word(&self.text[start..self.at])));
                }
                '}' if inside && open == 0 => {
                    self.at += 1;
                    return;
                }
                _ => {
                    open = match next {
                        '{' => open + 1,
                        '}' => open.saturating_sub(1),
                        _ => open,
                    };
                    self.at += next.len_utf8();
                    self.found.push((start, Token::Sign(next)));
                }
            }
        }
    }

    fn skip_past(&mut self, end: &str) {
        self.at = self.rest().find(end).map_or(self.text.len(), |found| self.at + found + end.len());
    }

    /// Block comments nest.
    fn comment(&mut self) {
        let mut depth = 0_usize;
        while !self.rest().is_empty() {
            if self.rest().starts_with("/*") {
                depth += 1;
                self.at += 2;
            } else if self.rest().starts_with("*/") {
                depth -= 1;
                self.at += 2;
                if depth == 0 {
                    return;
                }
            } else {
                self.at += self.rest().chars().next().map_or(1, char::len_utf8);
            }
        }
    }

    fn quoted(&mut self, quote: char) {
        self.found.push((self.at, Token::Literal));
        self.at += 1;
        while let Some(next) = self.rest().chars().next() {
            self.at += next.len_utf8();
            if next == '\\' {
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
            } else if next == quote {
                return;
            }
        }
    }

    fn template(&mut self) {
        self.found.push((self.at, Token::Literal));
        self.at += 1;
        while let Some(next) = self.rest().chars().next() {
            if self.rest().starts_with("``") {
                self.at += 2;
            } else if self.rest().starts_with("${") {
                self.at += 2;
                self.found.push((self.at, Token::Sign('(')));
                self.run(true);
                self.found.push((self.at, Token::Sign(')')));
            } else {
                self.at += next.len_utf8();
                if next == '`' {
                    return;
                }
            }
        }
    }

    /// Digits, and a fraction if a digit follows the point: `1.len()` and `0..9` are not numbers.
    fn number(&mut self) {
        let start = self.at;
        let word =
            |text: &str| text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        self.at += word(self.rest());
        let mut after = self.rest().chars();
        if after.next() == Some('.') && after.next().is_some_and(|digit| digit.is_ascii_digit()) {
            self.at += 1;
            self.at += word(self.rest());
        }
        self.found.push((start, Token::Number(&self.text[start..self.at])));
    }
}

/// A call of a function by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call<'t> {
    pub name: &'t str,
    pub offset: usize,
    /// Arguments, the object before the dot counted as the first.
    pub arguments: usize,
    pub method: bool,
}

/// Every call by name in a script; definitions (`fn name(…)`) are none.
pub(super) fn calls<'t>(tokens: &[(usize, Token<'t>)]) -> Vec<Call<'t>> {
    let mut found = Vec::new();
    for (place, window) in tokens.windows(2).enumerate() {
        let [(offset, Token::Word(name)), (_, Token::Sign('('))] = window else { continue };
        let before = place.checked_sub(1).and_then(|before| tokens.get(before)).map(|(_, token)| *token);
        if before == Some(Token::Word("fn")) || is_control(name) {
            continue;
        }
        let method = before == Some(Token::Sign('.')) && !is_range(tokens, place);
        let arguments = count_arguments(&tokens[place + 2..]) + usize::from(method);
        found.push(Call { name, offset: *offset, arguments, method });
    }
    found
}

/// The first token that belongs to no function definition.
pub(super) fn stray(tokens: &[(usize, Token<'_>)]) -> Option<usize> {
    let (mut open, mut defining) = (0_usize, false);
    for (offset, token) in tokens {
        match token {
            Token::Word("private") if open == 0 && !defining => {}
            Token::Word("fn") if open == 0 && !defining => defining = true,
            Token::Sign('(' | '[' | '{') if defining => open += 1,
            Token::Sign(')' | ']') if defining => open = open.saturating_sub(1),
            Token::Sign('}') if defining => {
                open = open.saturating_sub(1);
                defining = open > 0;
            }
            _ if defining => {}
            _ => return Some(*offset),
        }
    }
    None
}

/// The definition of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Body<'t> {
    pub name: &'t str,
    pub parameters: Vec<&'t str>,
    /// Where its statements begin and end, without the braces; in bytes.
    pub start: usize,
    pub end: usize,
}

/// The functions that are defined by `fn name(parameter, …) { … }`.
pub(super) fn bodies<'t>(tokens: &[(usize, Token<'t>)]) -> Vec<Body<'t>> {
    let mut found = Vec::new();
    for (place, window) in tokens.windows(3).enumerate() {
        let [(_, Token::Word("fn")), (_, Token::Word(name)), (_, Token::Sign('('))] = window else {
            continue;
        };
        let mut rest = tokens.iter().skip(place + 3);
        let listed = rest.by_ref().map(|(_, token)| *token).take_while(|token| *token != Token::Sign(')'));
        let parameters = listed.filter_map(|token| match token {
            Token::Word(parameter) => Some(parameter),
            _ => None,
        });
        let parameters = parameters.collect();
        let Some((open, Token::Sign('{'))) = rest.next() else { continue };
        let mut depth = 1_usize;
        let close = rest.find(|(_, token)| {
            match token {
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let Some((end, _)) = close else { continue };
        found.push(Body { name, parameters, start: open + 1, end: *end });
    }
    found
}

/// The parameters of all functions that are defined, and where each stands in the text, in bytes.
pub(super) fn parameters<'t>(tokens: &[(usize, Token<'t>)]) -> impl Iterator<Item = (usize, &'t str)> {
    let heads = tokens.windows(3).enumerate().filter(|(_, window)| {
        matches!(window, [(_, Token::Word("fn")), (_, Token::Word(_)), (_, Token::Sign('('))])
    });
    heads.flat_map(move |(place, _)| {
        let listed = tokens.iter().skip(place + 3).take_while(|(_, token)| *token != Token::Sign(')'));
        listed.filter_map(|(at, token)| match token {
            Token::Word(word) => Some((*at, *word)),
            _ => None,
        })
    })
}

/// Words that may stand before a parenthesis without being a call.
fn is_control(word: &str) -> bool {
    matches!(
        word,
        "if" | "else"
            | "while"
            | "until"
            | "for"
            | "in"
            | "switch"
            | "return"
            | "throw"
            | "loop"
            | "do"
            | "let"
            | "const"
            | "catch"
    )
}

fn is_range(tokens: &[(usize, Token<'_>)], place: usize) -> bool {
    place >= 2 && tokens[place - 2].1 == Token::Sign('.')
}

/// Commas at the call's own level; a closure's parameters stand between `|` and are skipped.
fn count_arguments(after: &[(usize, Token<'_>)]) -> usize {
    let (mut open, mut commas, mut any, mut parameters) = (0_usize, 0, false, false);
    let mut before = Token::Sign('(');
    for (_, token) in after {
        match token {
            Token::Sign('(' | '[' | '{') => open += 1,
            Token::Sign(')') if open == 0 => break,
            Token::Sign(')' | ']' | '}') => open = open.saturating_sub(1),
            Token::Sign('|') if open == 0 => {
                // A bar where a value is expected opens a closure's parameters; `||` has none.
                parameters = !parameters && matches!(before, Token::Sign('(' | ','));
            }
            Token::Sign(',') if open == 0 && !parameters => commas += 1,
            _ => {}
        }
        any = true;
        before = *token;
    }
    if any { commas + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_found_with_their_arity() {
        let text = "prio(level, [1, 2]) + `a ${up(x)}` + \"no(1)\" /* no() */ + y.map(|a, b| f(a, b)).len() // no()\n + 1.5.round(2) - (0..n())";
        let tokens = tokens(text);
        let found: Vec<_> =
            calls(&tokens).into_iter().map(|call| (call.name, call.arguments, call.method)).collect();
        assert_eq!(
            found,
            [
                ("prio", 2, false),
                ("up", 1, false),
                ("map", 2, true),
                ("f", 2, false),
                ("len", 1, true),
                ("round", 2, true),
                ("n", 0, false)
            ]
        );
    }

    #[test]
    fn unfinished_text_ends_the_scan() {
        for text in ["\"abc", "`a${", "/* a", "'", "`${`${`"] {
            tokens(text);
        }
    }
}
