//! From text to script: what Rhai checks, and what it leaves for the day the script runs.

use std::sync::OnceLock;

use rhai::{Dynamic, ParseErrorType, Scope};

use super::{
    Functions, Library, Reads, Script, ScriptError,
    direct::{self, Direct},
    engine::{DISABLED, engine},
    exact, functions, limits, offset_of,
    scan::{self, Token},
};
use crate::{
    mapping::value::quoted,
    text::{Hint, suggest},
};

pub(super) const VALUE: &str = "value";
pub(super) const INDEX: &str = "index";
pub(super) const FACTS: &str = "facts";

/// Words that Rhai keeps for itself, so that `x.default` does not parse.
pub(super) const RESERVED: &[&str] = &[
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "const",
    "continue",
    "default",
    "do",
    "else",
    "exit",
    "export",
    "false",
    "fn",
    "for",
    "global",
    "go",
    "goto",
    "if",
    "import",
    "in",
    "is",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "shared",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "this",
    "thread",
    "throw",
    "true",
    "try",
    "until",
    "use",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// What begins a statement, and has a place in functions only.
const STATEMENTS: &[&str] = &["throw ", "return ", "for ", "while ", "loop ", "const "];

pub(super) fn script(text: &str, inputs: &[&str], functions: &Functions) -> Result<Script, ScriptError> {
    bounded(text)?;
    let tokens = scan::tokens(text);
    check_words(&tokens)?;
    let names: Vec<&str> = inputs.iter().copied().chain([VALUE, INDEX, FACTS]).collect();
    for name in inputs {
        if [VALUE, INDEX, FACTS].contains(name) || RESERVED.contains(name) || DISABLED.contains(name) {
            return Err(error(0, 1, format!("{} cannot be the name of an input", quoted(name))));
        }
    }
    let mut scope = Scope::new();
    for name in &names {
        // Not a constant: the compiler would put the value in place of the name.
        scope.push_dynamic(*name, Dynamic::UNIT);
    }
    let ast = engine()
        .compile_expression_with_scope(&scope, text)
        .map_err(|fault| parse_error(text, &fault, &names))?;
    check_calls(&tokens, &functions.0.signatures, false)?;
    let reads = |name| {
        tokens.iter().enumerate().any(|(place, (_, token))| {
            *token == Token::Word(name) && (place == 0 || tokens[place - 1].1 != Token::Sign('.'))
        })
    };
    Ok(Script {
        direct: Direct::of(&ast, inputs, &functions.0.signatures, &functions.0.direct),
        ast,
        whole: OnceLock::new(),
        text: text.to_owned(),
        inputs: inputs.iter().map(|name| Box::from(*name)).collect(),
        functions: functions.clone(),
        reads: Reads { value: reads(VALUE), index: reads(INDEX), facts: reads(FACTS) },
    })
}

pub(super) fn functions(text: &str) -> Result<Functions, ScriptError> {
    bounded(text)?;
    let tokens = scan::tokens(text);
    check_words(&tokens)?;
    let mut ast = engine().compile(text).map_err(|fault| {
        let words = tokens.iter().filter_map(|(_, token)| match token {
            Token::Word(word) if !RESERVED.contains(word) => Some(*word),
            _ => None,
        });
        let told = parse_error(text, &fault, &words.collect::<Vec<_>>());
        declared_otherwise(text, &tokens, &told).unwrap_or(told)
    })?;
    let signatures: Vec<(String, usize)> =
        ast.iter_functions().map(|function| (function.name.to_owned(), function.params.len())).collect();
    for (name, _) in &signatures {
        if functions::find(name).is_some() {
            let offset = text.find(&format!("fn {name}")).map_or(0, |at| at + 3);
            return Err(error(offset, name.len(), format!("{} is a function already", quoted(name))));
        }
    }
    check_calls(&tokens, &signatures, true)?;
    if let Some(offset) = scan::stray(&tokens) {
        return Err(error(offset, 1, "only functions may stand in a file of functions"));
    }
    ast.clear_statements();
    let direct = direct::Library::of(&sources(text, &tokens, &ast), &signatures);
    Ok(Functions(std::sync::Arc::new(Library { ast, text: text.to_owned(), signatures, direct })))
}

/// The body of each function, parsed by itself: Rhai shows the statements of a script, not those of a function.
fn sources(text: &str, tokens: &[(usize, Token<'_>)], ast: &rhai::AST) -> Vec<direct::Source> {
    let bodies = scan::bodies(tokens);
    ast.iter_functions()
        .map(|function| {
            let parameters: Vec<String> = function.params.iter().map(|name| (*name).to_owned()).collect();
            let mut same = bodies
                .iter()
                .filter(|body| body.name == function.name && body.parameters.len() == parameters.len());
            let body = same.next().filter(|body| body.parameters == parameters);
            let mut scope = Scope::new();
            for name in &parameters {
                scope.push_dynamic(name.as_str(), Dynamic::UNIT);
            }
            let body = body.and_then(|body| text.get(body.start..body.end));
            let ast = body.and_then(|body| engine().compile_with_scope(&scope, body).ok());
            direct::Source { parameters, ast }
        })
        .collect()
}

/// What is told where a name that is not known stands more often, comments included, than one like it that stands only
/// where it is declared: then that is the slip.
fn declared_otherwise(
    text: &str,
    tokens: &[(usize, Token<'_>)],
    unknown: &ScriptError,
) -> Option<ScriptError> {
    let name = text.get(unknown.offset..unknown.offset + unknown.length)?;
    let places = |word: &str| tokens.iter().filter(|(_, token)| *token == Token::Word(word)).count();
    let written = |word: &str| {
        text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|own| *own == word).count()
    };
    let variables = tokens.windows(2).filter_map(|pair| match pair {
        [(_, Token::Word("let" | "const")), (at, Token::Word(word))] => Some((*at, *word)),
        _ => None,
    });
    let (offset, near) = variables.chain(scan::parameters(tokens)).find(|(_, word)| {
        *word != name && suggest(name, [*word].into_iter()).is_some() && places(word) == 1
    })?;
    let message = format!("{} is used nowhere, and {} is declared nowhere", quoted(near), quoted(name));
    let hint = Some(Hint::meant(name));
    (places(name) > 1 || written(name) > written(near))
        .then(|| ScriptError { hint, ..error(offset, near.len(), message) })
}

fn error(offset: usize, length: usize, message: impl Into<String>) -> ScriptError {
    ScriptError { offset, length: length.max(1), message: message.into(), hint: None }
}

fn bounded(text: &str) -> Result<(), ScriptError> {
    if text.len() > limits::SOURCE_BYTES_MAX {
        return Err(error(0, 1, format!("a script has at most {} bytes", limits::SOURCE_BYTES_MAX)));
    }
    Ok(())
}

/// Reserved words behind a dot, words that the sandbox has switched off, literals that would be rounded.
fn check_words(tokens: &[(usize, Token<'_>)]) -> Result<(), ScriptError> {
    let mut before = Token::Sign(' ');
    for (offset, token) in tokens {
        match token {
            Token::Word(word) if before == Token::Sign('.') && RESERVED.contains(word) => {
                let index = format!("[\"{word}\"]");
                let hint = Hint::from(format!("write {index} instead of .{word}")).putting(index);
                let message = format!("{} is a word of Rhai and cannot stand behind a dot", quoted(word));
                return Err(ScriptError { hint: Some(hint), ..error(offset - 1, word.len() + 1, message) });
            }
            Token::Word(word) if DISABLED.contains(word) && before != Token::Sign('.') => {
                return Err(error(
                    *offset,
                    word.len(),
                    format!("{} is not available in mappings", quoted(word)),
                ));
            }
            Token::Number(number) => {
                let digits = number.trim_start_matches('0').bytes().filter(u8::is_ascii_digit).count();
                let decimal = number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_'));
                if decimal && digits > usize::try_from(exact::DIGITS_MAX).unwrap_or(0) {
                    let message = format!("a number has at most {} digits", exact::DIGITS_MAX);
                    return Err(error(*offset, number.len(), message));
                }
            }
            _ => {}
        }
        before = *token;
    }
    Ok(())
}

/// The function that other languages spell otherwise: `lower`, `substr`, `toLowerCase`, `length`.
fn of_another_language<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Shorter ones are in too many words.
    const LETTERS_MIN: usize = 3;
    let plain = |name: &str| name.replace('_', "").to_lowercase();
    let word = plain(word);
    let alike = |name: &&str| {
        let name = plain(name);
        let shorter = name.len().min(word.len());
        shorter >= LETTERS_MIN && (name.contains(&word) || word.contains(&name))
    };
    known.filter(alike).max_by_key(|name| plain(name).len().min(word.len()))
}

/// Functions that do not exist, and wrong numbers of arguments.
fn check_calls(
    tokens: &[(usize, Token<'_>)],
    own: &[(String, usize)],
    statements: bool,
) -> Result<(), ScriptError> {
    for call in scan::calls(tokens) {
        let at = |message: String| error(call.offset, call.name.len(), message);
        let counts: Vec<usize> =
            own.iter().filter(|(name, _)| name == call.name).map(|(_, count)| *count).collect();
        let native = functions::find(call.name);
        if counts.is_empty() && native.is_none() {
            let names = || {
                let own = own.iter().map(|(name, _)| name.as_str());
                own.chain(functions::FUNCTIONS.iter().map(|f| f.name))
            };
            let near = suggest(call.name, names()).or_else(|| of_another_language(call.name, names()));
            let hint = near.map(Hint::meant);
            return Err(ScriptError { hint, ..at(format!("there is no function {}", quoted(call.name))) });
        }
        // A method of the set's own function has its object as `this`, not as a parameter.
        let own_arguments = call.arguments - usize::from(call.method);
        let fits = counts.contains(&call.arguments)
            || counts.contains(&own_arguments)
            || native.is_some_and(|f| (f.arguments.0..=f.arguments.1).contains(&call.arguments));
        if !fits {
            let wanted = native.map_or_else(
                || counts.iter().map(usize::to_string).collect::<Vec<_>>().join(" or "),
                |f| match f.arguments {
                    (fewest, most) if fewest == most => fewest.to_string(),
                    (fewest, most) => format!("{fewest} to {most}"),
                },
            );
            let told = if call.method { " (the object before the dot counted)" } else { "" };
            let message =
                format!("{} takes {wanted} arguments{told}, not {}", quoted(call.name), call.arguments);
            return Err(at(message));
        }
        if !statements && native.is_some_and(functions::Function::is_statement) && counts.is_empty() {
            let hint = Some("write a function in functions.rhai".into());
            let message = format!("{} changes a variable and has no value of its own", quoted(call.name));
            return Err(ScriptError { hint, ..at(message) });
        }
    }
    Ok(())
}

fn parse_error(text: &str, fault: &rhai::ParseError, names: &[&str]) -> ScriptError {
    let rhai::ParseError(kind, position) = fault;
    let offset = if position.is_none() { text.len() } else { offset_of(text, *position) };
    let word = text[offset.min(text.len())..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let length = word.unwrap_or(text.len() - offset.min(text.len()));
    let hint = match kind.as_ref() {
        ParseErrorType::VariableUndefined(name) => {
            suggest(name, names.iter().copied().filter(|own| own != name))
                .map(Hint::meant)
                .or_else(|| Some("name it as an input in `in:`".into()))
        }
        _ if STATEMENTS.iter().any(|own| text.get(offset..).is_some_and(|rest| rest.starts_with(own))) => {
            Some("a script is one expression: write a function in functions.rhai".into())
        }
        _ => None,
    };
    let message = match kind.as_ref() {
        ParseErrorType::VariableUndefined(name) => format!("{} is not known here", quoted(name)),
        other => other.to_string(),
    };
    ScriptError { hint, ..error(offset.min(text.len()), length, message) }
}
