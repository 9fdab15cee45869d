//! Which ids of other entities a message needs, told before it is mapped.
//!
//! The exchange resolves them in one batch and hands the answers in as [`super::References`]; mapping itself
//! stays pure. The walk goes down the same rules by the same scopes, but only where a `ref` is.

use super::Input;
use super::run::{Run, Scope, outermost, read};
use super::target::Target;
use crate::mapping::path::FieldPath;
use crate::mapping::program::{Action, Body, Branch, Otherwise, Pair, Program, Rule, Transform};
use crate::mapping::value::Value;

/// An id that a message refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeededReference {
    /// Kind of entity, as the mapping names it.
    pub kind: Box<str>,
    /// The id on the source side.
    pub id: String,
}

/// The ids that mapping this message will ask for, in the order of the rules; an id that several places have
/// is told for each. What cannot be read is left out here and told by [`super::apply`].
pub fn references<'m>(program: &'m Program, input: &'m Input<'m>) -> Vec<NeededReference> {
    if !program.has_references {
        return Vec::new();
    }
    let mut walk = Walk { run: Run::reading(program, input), needed: Vec::new() };
    walk.rules(&program.rules, outermost(input));
    walk.needed
}

struct Walk<'m> {
    /// Reads and transforms for us; nothing is written with it.
    run: Run<'m>,
    needed: Vec<NeededReference>,
}

impl<'m> Walk<'m> {
    fn rules(&mut self, rules: &'m [Rule], scope: Scope<'m>) {
        for rule in rules.iter().filter(|rule| rule.marks.has_references) {
            match &rule.action {
                Action::Pair(pair) => self.pair(pair, scope),
                Action::Group(group) => {
                    if let Ok(Some(node)) = read(&group.source, scope)
                        && self.run.holds(scope.at(node), group.condition.as_ref())
                    {
                        self.rules(&group.rules, scope.at(node));
                    }
                }
                Action::Each(each) => self.elements(&each.source, scope, |walk, inner| {
                    if walk.run.holds(inner, each.condition.as_ref()) {
                        walk.body(&each.body, inner);
                    }
                }),
                Action::Join(join) => {
                    if let Ok(Some(array)) = read(&join.source, scope) {
                        for (index, element) in self.run.joined(join, array, scope).unwrap_or_default() {
                            self.body(&join.body, scope.element(element, index));
                        }
                    }
                }
                Action::Append(append) if append.source.every => {
                    self.elements(&append.source, scope, |walk, inner| {
                        if walk.run.holds(inner, append.condition.as_ref()) {
                            walk.rules(&append.rules, inner);
                        }
                    });
                }
                Action::Append(append) => {
                    if let Ok(Some(node)) = read(&append.source, scope)
                        && self.run.holds(scope.at(node), append.condition.as_ref())
                    {
                        self.rules(&append.rules, scope.at(node));
                    }
                }
                Action::Gather(gather) => {
                    self.elements(&gather.source, scope, |walk, inner| walk.first(&gather.branches, inner));
                }
                Action::OneOf(one_of) => {
                    if one_of.branches.iter().any(|branch| self.run.holds(scope, branch.condition.as_ref())) {
                        self.first(&one_of.branches, scope);
                    } else if let Otherwise::Rules(rules) = &one_of.otherwise {
                        self.rules(rules, scope);
                    }
                }
            }
        }
    }

    fn elements(
        &mut self,
        path: &'m FieldPath,
        scope: Scope<'m>,
        mut work: impl FnMut(&mut Self, Scope<'m>),
    ) {
        if let Ok(Some(array)) = read(path, scope) {
            for (index, element) in array.elements().enumerate() {
                // A limit was reached: mapping will tell.
                if self.run.is_exhausted() {
                    return;
                }
                work(self, scope.element(element, index));
            }
        }
    }

    fn body(&mut self, body: &'m Body, scope: Scope<'m>) {
        match body {
            Body::Rules(rules) => self.rules(rules, scope),
            Body::Rows(branches) => {
                for branch in branches {
                    if self.run.holds(scope, branch.condition.as_ref()) {
                        self.rules(&branch.rules, scope);
                    }
                }
            }
        }
    }

    fn first(&mut self, branches: &'m [Branch], scope: Scope<'m>) {
        if let Some(branch) = branches.iter().find(|branch| self.run.holds(scope, branch.condition.as_ref()))
        {
            self.rules(&branch.rules, scope);
        }
    }

    fn pair(&mut self, pair: &'m Pair, scope: Scope<'m>) {
        if !self.run.holds(scope, pair.condition.as_ref()) {
            return;
        }
        let Ok(mut value) = self.run.source_value(&pair.source, scope) else { return };
        let nowhere = Target { slot: self.run.root, pointer: "" };
        for transform in &pair.transforms {
            if let Transform::Ref { kind, .. } = transform {
                return self.note(kind, &value);
            }
            match self.run.transform(transform, value, scope, nowhere) {
                Ok(next) => value = next,
                Err(_) => return,
            }
        }
    }

    fn note(&mut self, kind: &str, value: &Value<'m>) {
        let values = value.elements().unwrap_or_else(|| vec![value.clone()]);
        for element in values {
            if let Some(id) = element.as_scalar_text() {
                self.needed.push(NeededReference { kind: kind.into(), id: id.into_owned() });
            }
        }
    }
}
