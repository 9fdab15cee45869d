//! What is noted while tracing. Nothing here does anything while messages are mapped in earnest.

use super::pair::source_path;
use super::run::{Run, Scope, place};
use super::target::Target;
use crate::json::query::{Origin as QueryOrigin, Step as QueryStep};
use crate::mapping::path::FieldPath;
use crate::mapping::program::{Branch, Origin, Pair, Rule, Source};
use crate::mapping::trace::Outcome;
use crate::mapping::value::Value;

impl<'m> Run<'m> {
    /// Where a group begins: in what was created, and in the trace.
    #[inline]
    pub fn mark(&self) -> (usize, usize) {
        (self.created.len(), self.trace.as_ref().map_or(0, Vec::len))
    }

    /// Notes that constants since a row were taken back.
    pub fn unmark(&mut self, from: usize) {
        for row in self.trace.iter_mut().flatten().skip(from) {
            if matches!(row.outcome, Outcome::Constant | Outcome::Default) {
                row.outcome = Outcome::GroupEmpty;
            }
        }
    }

    /// Notes a group that has nothing to read, or whose condition does not hold.
    pub fn passed_over(
        &mut self,
        origin: &Origin,
        (scope, source): (Scope<'m>, &'m FieldPath),
        (path, target): (&'m FieldPath, Target<'_>),
        absent: bool,
    ) {
        if self.trace.is_none() {
            return;
        }
        let outcome = if absent { Outcome::Absent } else { Outcome::ConditionFalse };
        let from = place(source.part, &source.pointer(scope.node, scope.root));
        let to = self.target_pointer(target, path);
        self.record(origin, (from, String::new()), to, outcome);
    }

    pub fn record_value(
        &mut self,
        origin: &Origin,
        (scope, source): (Scope<'m>, &'m FieldPath),
        value: &Value<'m>,
        (target, path): (Target<'_>, &'m FieldPath),
    ) {
        if self.trace.is_some() {
            let from = place(source.part, &source.pointer(scope.node, scope.root));
            let to = self.target_pointer(target, path);
            self.record(origin, (from, value.excerpt()), to, Outcome::Written);
        }
    }

    /// Notes a pair; `written` is the excerpt of what was written, else what was read is shown.
    pub fn record_pair(
        &mut self,
        rule: &'m Rule,
        pair: &'m Pair,
        (scope, target): (Scope<'m>, Target<'_>),
        (written, outcome): (Option<String>, Outcome),
    ) {
        if self.trace.is_none() {
            return;
        }
        let from = match (&pair.source, source_path(&pair.source)) {
            (_, Some(path)) => place(path.part, &path.pointer(scope.node, scope.root)),
            (Source::Query(query), None) => {
                query.first(scope.node, scope.root).unwrap_or(scope.node).pointer()
            }
            _ => String::new(),
        };
        let to = self.target_pointer(target, &pair.target);
        let read = (from, written.unwrap_or_default());
        self.record(&rule.origin, read.clone(), to, outcome.clone());
        for term in &pair.also {
            let to = term_pointer(target, &term.members);
            self.record(&rule.origin, read.clone(), to, outcome.clone());
        }
    }

    /// Notes the terms of a branch that was taken: they come from what its condition read first.
    pub fn record_branch(&mut self, branch: &'m Branch, scope: Scope<'m>, target: Target<'_>) {
        if self.trace.is_none() {
            return;
        }
        let read = branch.condition.as_ref().and_then(|condition| {
            let first = condition.equalities().first().map(|term| term.path.clone())?;
            let start = if first.origin == QueryOrigin::Root { scope.root } else { scope.node };
            first.steps.iter().try_fold(start, |node, step| match step {
                QueryStep::Name(name) => node.get(name),
                QueryStep::Index(index) => usize::try_from(*index).ok().and_then(|index| node.at(index)),
            })
        });
        let node = read.unwrap_or(scope.node);
        let value = read.map(|node| Value::Node(node).excerpt()).unwrap_or_default();
        for term in &branch.also {
            let to = term_pointer(target, &term.members);
            self.record(&branch.origin, (node.pointer(), value.clone()), to, Outcome::Written);
        }
    }
}

fn term_pointer(target: Target<'_>, members: &[crate::json::Name]) -> String {
    let mut pointer = target.pointer.to_owned();
    for name in members {
        crate::mapping::path::push_token(&mut pointer, name);
    }
    pointer
}
