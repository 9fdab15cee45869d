//! Rules inside one object, and alternatives.

use super::run::{Run, Scope, Trouble, Wrote, read};
use super::target::{Container, Target};
use crate::json::Kind;
use crate::mapping::program::{Branch, FailureCode, Group, OneOf, Otherwise, Rule};

impl<'m> Run<'m> {
    #[inline(never)]
    pub fn group(&mut self, rule: &'m Rule, group: &'m Group, scope: Scope<'m>, target: Target<'_>) -> Wrote {
        let before = self.complaints();
        let wrote = self.try_group(rule, group, scope, target).unwrap_or_else(|trouble| {
            let at = (scope, Some(&group.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&group.target), target));
            Wrote::Nothing
        });
        if wrote == Wrote::Nothing && group.required && self.complaints() == before {
            let trouble = Trouble::sender(FailureCode::MissingProperty, "a required attribute is missing");
            let at = (scope, Some(&group.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&group.target), target));
        }
        wrote
    }

    fn try_group(
        &mut self,
        rule: &'m Rule,
        group: &'m Group,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        self.count_search(&group.source, scope)?;
        let Some(node) = read(&group.source, scope)?.filter(|node| !node.is_null()) else {
            self.passed_over(&rule.origin, (scope, &group.source), (&group.target, target), true);
            return Ok(Wrote::Nothing);
        };
        if !group.source.is_scope() && !matches!(node.kind(), Kind::Object | Kind::Array) {
            return Err(Trouble::sender(FailureCode::InvalidValue, "an object is expected").at(node));
        }
        let inner = scope.at(node);
        if !self.holds(inner, group.condition.as_ref()) {
            self.passed_over(&rule.origin, (scope, &group.source), (&group.target, target), false);
            return Ok(Wrote::Nothing);
        }
        let (mark, rows) = self.mark();
        let slot = self.open(target, &group.target, Container::Object)?;
        let pointer = self.target_pointer(target, &group.target);
        let object = Target { slot, pointer: &pointer };
        self.terms(&group.also, slot)?;
        let wrote = self.rules(&group.rules, inner, object);
        let current = self.current(slot);
        if current != slot && !group.target.is_scope() && wrote > Wrote::Nothing {
            self.put(target, &group.target, current)?;
        }
        Ok(self.close(mark, rows, wrote))
    }

    #[inline(never)]
    pub fn one_of(
        &mut self,
        rule: &'m Rule,
        one_of: &'m OneOf,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Wrote {
        let Some(branch) = one_of.branches.iter().find(|branch| self.holds(scope, branch.condition.as_ref()))
        else {
            return self.otherwise(rule, &one_of.otherwise, scope, target);
        };
        self.branch(rule, branch, scope, target)
    }

    /// Writes the terms and runs the rules of a branch that was taken. That it was taken is news from the
    /// message, so its terms stay even where its rules write nothing.
    pub fn branch(
        &mut self,
        rule: &'m Rule,
        branch: &'m Branch,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Wrote {
        let mut wrote = Wrote::Nothing;
        if !branch.also.is_empty() {
            match self.terms(&branch.also, target.slot) {
                Ok(()) => {
                    wrote = Wrote::Message;
                    self.record_branch(branch, scope, target);
                }
                Err(trouble) => {
                    self.fail((&branch.origin, rule.on_failure), trouble, (scope, None), (None, target));
                }
            }
        }
        wrote.max(self.rules(&branch.rules, scope, target))
    }

    fn otherwise(
        &mut self,
        rule: &'m Rule,
        otherwise: &'m Otherwise,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Wrote {
        match otherwise {
            Otherwise::Nothing => Wrote::Nothing,
            Otherwise::Rules(rules) => self.rules(rules, scope, target),
            Otherwise::Refuse(refusal) => {
                let trouble = Trouble::sender(refusal.code, &*refusal.reason);
                let at = (scope, refusal.at.as_ref());
                self.fail((&rule.origin, rule.on_failure), trouble, at, (None, target));
                Wrote::Nothing
            }
        }
    }
}
