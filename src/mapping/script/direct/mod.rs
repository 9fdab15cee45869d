//! Scripts without the engine: most are walked over what Rhai parsed, at a hundredth of the engine's cost.
//!
//! An evaluation of Rhai resolves every operator and property by hashing names and types; a script of four lines
//! costs as much as mapping the rest of a message. So a script whose words are all known here is lowered once to a
//! [tree] with its names resolved, and walked on the nodes of the message where they stand.
//!
//! Rhai decides what a script means. The walk knows only what ends well: whatever would fail, refuse, round or use
//! much ([`eval::FUEL`]) ends it, and the engine runs the script from its beginning, which is possible because
//! scripts change nothing. In tests every walk is held against the engine's result.

mod eval;
mod lower;
mod native;
mod operate;
#[cfg(test)]
pub(super) mod tests;
mod tree;
mod value;

use rhai::AST;

use super::Call;
use crate::mapping::value::Value;
pub(super) use lower::Source;

/// The functions of a set; none where the walk does not know a word of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Library(Box<[Option<tree::Body>]>);

impl Library {
    /// Lowers the functions of a set, in the order of its signatures.
    pub fn of(sources: &[Source], signatures: &[(String, usize)]) -> Self {
        let mut bodies: Vec<Option<tree::Body>> = sources
            .iter()
            .map(|source| lower::body(source.ast.as_ref()?.statements(), &source.parameters, &[], signatures))
            .collect();
        // A function that calls one that is not known is not known either.
        loop {
            let unknown = bodies.iter().position(|body| {
                body.as_ref().is_some_and(|body| {
                    body.calls.iter().any(|call| bodies.get(*call).is_none_or(Option::is_none))
                })
            });
            let Some(body) = unknown.and_then(|place| bodies.get_mut(place)) else { break };
            *body = None;
        }
        Self(bodies.into())
    }
}

/// A script that can be walked.
#[derive(Debug, Clone)]
pub(super) struct Direct(tree::Body);

impl Direct {
    /// Lowers an expression, unless the walk does not know a word of it.
    pub fn of(ast: &AST, inputs: &[&str], signatures: &[(String, usize)], library: &Library) -> Option<Self> {
        let body = lower::body(ast.statements(), &[], inputs, signatures)?;
        let known = body.calls.iter().all(|call| library.0.get(*call).is_some_and(Option::is_some));
        known.then_some(Self(body))
    }

    /// Its value; none where the engine has to say.
    pub fn run<'d>(&'d self, call: Call<'_, 'd>, library: &'d Library) -> Option<Value<'d>> {
        eval::run(&self.0, call, &library.0)
    }
}
