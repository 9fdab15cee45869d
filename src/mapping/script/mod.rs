//! Scripts: expressions of Rhai where selecting and pairing do not suffice.
//!
//! A script is compiled once against its named inputs and then run any number of times by any number of
//! threads. It sees its inputs, `value` (the pair's source), `index` (the place of the element in its array)
//! and `facts`, and nothing else: no clock, no file, no other script's variables. Numbers are exact or an
//! error, absent values cannot be mistaken for something, and every evaluation ends: [`limits`] and
//! [`STEPS_MAX`] bound what it may use.

mod bridge;
mod compile;
mod direct;
mod engine;
mod exact;
mod functions;
pub mod limits;
mod meter;
mod scan;

use std::sync::{Arc, OnceLock};

use rhai::{AST, Dynamic, EvalAltResult, INT, Position, Scope};

use super::{facts::Facts, value::Value};
pub use functions::{FUNCTIONS, Function};
pub use meter::STEPS_MAX;

/// Whether Rhai keeps a word for itself, so that no input can have it as its name.
pub fn is_reserved(word: &str) -> bool {
    compile::RESERVED.contains(&word) || engine::DISABLED.contains(&word)
}

/// Named functions of a mapping set, compiled once and shared by its scripts.
#[derive(Debug, Clone, Default)]
pub struct Functions(Arc<Library>);

#[derive(Debug, Default)]
struct Library {
    ast: AST,
    text: String,
    /// Name and number of parameters.
    signatures: Vec<(String, usize)>,
    direct: direct::Library,
}

impl Functions {
    /// Compiles a file of functions, such as `functions.rhai`.
    ///
    /// # Errors
    /// The first thing that is wrong: it does not parse, calls a function that does not exist, or holds
    /// statements outside of functions.
    pub fn compile(text: &str) -> Result<Self, ScriptError> {
        compile::functions(text)
    }

    /// Name and number of parameters of every function.
    pub fn signatures(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.signatures.iter().map(|(name, parameters)| (name.as_str(), *parameters))
    }
}

/// An expression, compiled.
#[derive(Debug, Clone)]
pub struct Script {
    /// Without the functions of its set.
    ast: AST,
    /// With them, once the engine has run it, which is not often.
    whole: OnceLock<AST>,
    text: String,
    inputs: Box<[Box<str>]>,
    functions: Functions,
    reads: Reads,
    /// How it is run without the engine, where it can be.
    direct: Option<direct::Direct>,
}

/// Which of the names that every script may use a script does use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reads {
    /// `value`: the source of the pair.
    pub value: bool,
    /// `index`: the place of the element in its array, from 0.
    pub index: bool,
    /// `facts`.
    pub facts: bool,
}

/// What a script is run on.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c, 'd> {
    /// One value for each input that the script was compiled with, in that order; a missing one is absent.
    pub inputs: &'c [Value<'d>],
    /// `value`.
    pub value: &'c Value<'d>,
    /// `index`; absent outside of arrays.
    pub index: Option<usize>,
    /// `facts`
    pub facts: &'d dyn Facts,
}

/// Why a text is no script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScriptError {
    /// Where in the text, in bytes.
    pub offset: usize,
    /// How much of the text is meant, in bytes; at least 1.
    pub length: usize,
    /// What is wrong, one sentence.
    pub message: String,
    /// What to write instead.
    pub hint: Option<crate::text::Hint>,
}

/// What stopped a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScriptFailureKind {
    /// `throw`: the script itself refused.
    Thrown,
    /// A limit of the sandbox.
    Limit,
    /// An operation that failed: arithmetic, a missing value, a wrong type.
    Fault,
}

/// A script that did not return a value.
///
/// The message is for the log and the operator; of [`ScriptFailureKind::Thrown`] it is what the script said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScriptFailure {
    /// What stopped it.
    pub kind: ScriptFailureKind,
    /// One sentence; a limit is named.
    pub message: String,
    /// Where in the script's text, in bytes, as far as known.
    pub offset: Option<usize>,
    /// The function of the set in which it happened, and where in the file of functions, in bytes.
    pub function: Option<(String, usize)>,
}

impl Script {
    /// Compiles an expression that may use these inputs, `value`, `index` and `facts`.
    ///
    /// # Errors
    /// The first thing that is wrong: it does not parse, uses an unknown name or function, a reserved word
    /// as a property, or a literal that cannot be exact.
    pub fn compile(text: &str, inputs: &[&str], functions: &Functions) -> Result<Self, ScriptError> {
        compile::script(text, inputs, functions)
    }

    /// The names of the inputs, in the order in which their values are given.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(AsRef::as_ref)
    }

    /// Which of the common names it uses; what it does not use need not be provided.
    #[must_use]
    pub fn reads(&self) -> Reads {
        self.reads
    }

    /// The text, as compiled.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Runs the script. Ends in bounded time whatever the script does.
    ///
    /// # Errors
    /// [`ScriptFailure`] with the place in the script.
    pub fn run<'d>(&'d self, call: Call<'_, 'd>) -> Result<Value<'d>, ScriptFailure> {
        self.run_counted(call).0
    }

    /// The same, and how many steps it took; none where it was run without the engine, which is quick.
    pub fn run_counted<'d>(&'d self, call: Call<'_, 'd>) -> (Result<Value<'d>, ScriptFailure>, u64) {
        if let Some(value) =
            self.direct.as_ref().and_then(|direct| direct.run(call, &self.functions.0.direct))
        {
            #[cfg(test)]
            direct::tests::hold_against(self, call, &value);
            return (Ok(value), 0);
        }
        let evaluation = meter::Evaluation::begin();
        let made = self.evaluated(call, &evaluation);
        let spent = evaluation.spent();
        (made, spent)
    }

    #[cfg(test)]
    fn run_in_engine<'d>(&self, call: Call<'_, 'd>) -> Result<Value<'d>, ScriptFailure> {
        self.evaluated(call, &meter::Evaluation::begin())
    }

    fn evaluated<'d>(
        &self,
        call: Call<'_, 'd>,
        evaluation: &meter::Evaluation,
    ) -> Result<Value<'d>, ScriptFailure> {
        let outcome = self
            .scope(call)
            .and_then(|mut scope| engine::engine().eval_ast_with_scope::<Dynamic>(&mut scope, self.whole()));
        if let Some(stop) = evaluation.stopped() {
            // Whatever came out of it: `sort` and `try` may have gone on after the limit was met.
            let place = outcome.err().map(|error| self.place(&error)).unwrap_or_default();
            return Err(stopped(stop, place));
        }
        let result = outcome.map_err(|error| self.failure(&error))?;
        let facts = if self.reads.facts { call.facts.all() } else { Value::Absent };
        let given = call.inputs.iter().chain([call.value, &facts]).collect();
        let value = bridge::Returned { given }.value(result);
        value.map_err(|message| ScriptFailure {
            kind: ScriptFailureKind::Fault,
            message,
            offset: None,
            function: None,
        })
    }

    fn whole(&self) -> &AST {
        if self.functions.0.signatures.is_empty() {
            return &self.ast;
        }
        self.whole.get_or_init(|| self.functions.0.ast.merge(&self.ast))
    }

    fn scope(&self, call: Call<'_, '_>) -> exact::Raised<Scope<'_>> {
        let mut scope = Scope::new();
        for (place, name) in self.inputs.iter().enumerate() {
            let value = call.inputs.get(place).map_or(Ok(Dynamic::UNIT), bridge::into_script)?;
            scope.push_dynamic(name.as_ref(), value);
        }
        if self.reads.value {
            scope.push_dynamic(compile::VALUE, bridge::into_script(call.value)?);
        }
        if self.reads.index {
            let index = call.index.and_then(|index| INT::try_from(index).ok());
            scope.push_dynamic(compile::INDEX, index.map_or(Dynamic::UNIT, Dynamic::from_int));
        }
        if self.reads.facts {
            scope.push_dynamic(compile::FACTS, bridge::into_script(&call.facts.all())?);
        }
        Ok(scope)
    }

    fn failure(&self, error: &EvalAltResult) -> ScriptFailure {
        let (inner, _) = bridge::innermost(error);
        let kind = match inner {
            EvalAltResult::ErrorRuntime(..) => ScriptFailureKind::Thrown,
            EvalAltResult::ErrorTooManyOperations(..)
            | EvalAltResult::ErrorTooManyVariables(..)
            | EvalAltResult::ErrorStackOverflow(..)
            | EvalAltResult::ErrorDataTooLarge(..)
            | EvalAltResult::ErrorTerminated(..) => ScriptFailureKind::Limit,
            _ => ScriptFailureKind::Fault,
        };
        let message = match inner {
            EvalAltResult::ErrorRuntime(thrown, _) => thrown.to_string(),
            EvalAltResult::ErrorArithmetic(message, _) => message.clone(),
            EvalAltResult::ErrorStackOverflow(_) => {
                format!("more than {} nested calls", limits::CALL_LEVELS_MAX)
            }
            EvalAltResult::ErrorTooManyOperations(_) | EvalAltResult::ErrorTerminated(..) => steps_message(),
            other => {
                let mut plain = other.to_string();
                if let Some(at) = plain.rfind(" (line ") {
                    plain.truncate(at);
                }
                plain
            }
        };
        let (offset, function) = self.place(error);
        ScriptFailure { kind, message, offset, function }
    }

    /// Where an error happened: in the script, and in a function of the set if it was inside one.
    fn place(&self, error: &EvalAltResult) -> (Option<usize>, Option<(String, usize)>) {
        let mut outer = (error.position() != Position::NONE).then(|| error.position());
        let mut function = None;
        let mut error = error;
        while let EvalAltResult::ErrorInFunctionCall(name, _, inner, position) = error {
            let known = self.functions.0.signatures.iter().any(|(known, _)| known == name);
            if known && function.is_none() {
                outer = Some(*position);
            }
            if known {
                function = Some(name.clone());
            } else if function.is_none() && inner.position() != Position::NONE {
                outer = Some(inner.position());
            }
            error = inner;
        }
        let function = function.map(|name| (name, offset_of(&self.functions.0.text, error.position())));
        (outer.map(|position| offset_of(&self.text, position)), function)
    }
}

fn steps_message() -> String {
    format!("the script takes more than {STEPS_MAX} steps")
}

fn stopped(stop: meter::Stop, place: (Option<usize>, Option<(String, usize)>)) -> ScriptFailure {
    let (kind, message) = match stop {
        meter::Stop::Steps => (ScriptFailureKind::Limit, steps_message()),
        meter::Stop::Refused(message) => (ScriptFailureKind::Fault, message),
    };
    ScriptFailure { kind, message, offset: place.0, function: place.1 }
}

/// The byte at a position of Rhai, which counts lines and characters from 1.
fn offset_of(text: &str, position: Position) -> usize {
    let (Some(line), column) = (position.line(), position.position().unwrap_or(1)) else { return 0 };
    let mut start = 0;
    for (number, content) in text.split_inclusive('\n').enumerate() {
        if number + 1 == line {
            let inside =
                content.char_indices().nth(column.saturating_sub(1)).map_or(content.len(), |(at, _)| at);
            return start + inside;
        }
        start += content.len();
    }
    text.len()
}

#[cfg(test)]
mod tests;
