//! Rules for every element of an array.

use super::run::{Run, Scope, Trouble, Wrote, read};
use super::target::{Container, Target};
use crate::json::{Node, Slot};
use crate::mapping::path::push_token;
use crate::mapping::program::{Body, Branch, Each, FailureCode, Key, OnFailure, Rule};

impl<'m> Run<'m> {
    #[inline(never)]
    pub fn each(&mut self, rule: &'m Rule, each: &'m Each, scope: Scope<'m>, target: Target<'_>) -> Wrote {
        let before = self.complaints();
        let wrote = self.try_each(rule, each, scope, target).unwrap_or_else(|trouble| {
            let at = (scope, Some(&each.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&each.target), target));
            Wrote::Nothing
        });
        if each.required && self.complaints() == before {
            let source = read(&each.source, scope).ok().flatten();
            if source.is_none_or(Node::is_empty) {
                let trouble =
                    Trouble::sender(FailureCode::MissingProperty, "at least one element is required");
                let at = (scope, Some(&each.source));
                self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&each.target), target));
            }
        }
        wrote
    }

    fn try_each(
        &mut self,
        rule: &'m Rule,
        each: &'m Each,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        let Some(source) = self.array(rule, &each.source, scope, (&each.target, target))? else {
            return Ok(Wrote::Nothing);
        };
        let (mark, rows) = self.mark();
        let array = self.open(target, &each.target, Container::Array)?;
        if source.is_empty() {
            return Ok(Wrote::Message);
        }
        let pointer = self.target_pointer(target, &each.target);
        let place = Target { slot: array, pointer: &pointer };
        if let Some(key) = &each.key {
            self.settle(rule, each, key, source, scope);
        }
        let mut wrote = Wrote::Nothing;
        for (index, element) in source.elements().enumerate() {
            if self.is_exhausted() {
                break;
            }
            let inner = scope.element(element, index);
            if !self.holds(inner, each.condition.as_ref()) {
                continue;
            }
            wrote = wrote.max(match &each.body {
                Body::Rows(branches) => self.rows(rule, branches, inner, place)?,
                Body::Rules(rules) => match &each.key {
                    Some(key) => self.keyed_element(rule, each, (key, rules), inner, place)?,
                    None => self.element(&each.also, rules, inner, place)?,
                },
            });
        }
        Ok(self.close(mark, rows, wrote))
    }

    /// Reads an array; absent and `null` are none, anything else that is no array is a failure.
    pub fn array(
        &mut self,
        rule: &'m Rule,
        path: &'m crate::mapping::path::FieldPath,
        scope: Scope<'m>,
        to: (&'m crate::mapping::path::FieldPath, Target<'_>),
    ) -> Result<Option<Node<'m>>, Trouble<'m>> {
        self.count_search(path, scope)?;
        match read(path, scope)? {
            Some(node) if node.is_array() => Ok(Some(node)),
            Some(node) if !node.is_null() => {
                Err(Trouble::sender(FailureCode::InvalidValue, "an array is expected").at(node))
            }
            _ => {
                self.passed_over(&rule.origin, (scope, path), to, true);
                Ok(None)
            }
        }
    }

    /// Appends one element made by rules, if they write something from the message.
    pub fn element(
        &mut self,
        also: &'m [crate::mapping::path::Term],
        rules: &'m [Rule],
        scope: Scope<'m>,
        array: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        let (mark, rows) = self.mark();
        let slot = self.new_element()?;
        self.terms(also, slot)?;
        let pointer = self.next_pointer(array);
        let wrote = self.rules(rules, scope, Target { slot, pointer: &pointer });
        self.append_element(array, slot, wrote, (mark, rows))
    }

    /// The target element with this element's key: the one that an earlier group made of it, or a new one.
    fn keyed_element(
        &mut self,
        rule: &'m Rule,
        each: &'m Each,
        (key, rules): (&'m Key, &'m [Rule]),
        scope: Scope<'m>,
        array: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        let entry = self.entry(key.group, scope.index.unwrap_or_default());
        let Some((value, known)) = entry.and_then(|entry| Some((entry.target.clone()?, entry.slot))) else {
            if rule.on_failure == OnFailure::Fail {
                // Nothing of it is sent, but whatever else is wrong with the element is told with the key.
                let slot = self.new_element()?;
                let pointer = self.next_pointer(array);
                self.rules(rules, scope, Target { slot, pointer: &pointer });
            }
            return Ok(Wrote::Nothing);
        };
        if let Some(slot) = known {
            let at = self.builder.elements(array.slot).iter().position(|element| *element == slot);
            let mut pointer = array.pointer.to_owned();
            if self.trace.is_some() {
                push_token(&mut pointer, &at.unwrap_or_default().to_string());
            }
            self.terms(&each.also, slot)?;
            let place = Target { slot, pointer: &pointer };
            return Ok(self.rules(rules, scope, place).max(Wrote::Message));
        }
        let slot = self.new_element()?;
        let pointer = self.next_pointer(array);
        let place = Target { slot, pointer: &pointer };
        self.record_value(&rule.origin, (scope, &key.source), &value, (place, &key.target));
        let value = value.build(&mut self.builder);
        self.put(place, &key.target, value)?;
        self.terms(&each.also, slot)?;
        self.builder.push(array.slot, slot);
        if let Some(entry) = self.entry(key.group, scope.index.unwrap_or_default()) {
            entry.slot = Some(slot);
        }
        self.rules(rules, scope, place);
        Ok(Wrote::Message)
    }

    /// One element per branch whose condition holds.
    pub fn rows(
        &mut self,
        rule: &'m Rule,
        branches: &'m [Branch],
        scope: Scope<'m>,
        array: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        let mut wrote = Wrote::Nothing;
        for branch in branches {
            if !self.holds(scope, branch.condition.as_ref()) {
                continue;
            }
            let (mark, rows) = self.mark();
            let slot = self.new_element()?;
            let pointer = self.next_pointer(array);
            let written = self.branch(rule, branch, scope, Target { slot, pointer: &pointer });
            wrote = wrote.max(self.append_element(array, slot, written, (mark, rows))?);
        }
        Ok(wrote)
    }

    pub fn new_element(&mut self) -> Result<Slot, Trouble<'m>> {
        self.count_value()?;
        Ok(self.builder.object())
    }

    /// Pushes a finished element, or takes back what it did elsewhere.
    pub fn append_element(
        &mut self,
        array: Target<'_>,
        slot: Slot,
        wrote: Wrote,
        (mark, rows): (usize, usize),
    ) -> Result<Wrote, Trouble<'m>> {
        let wrote = self.close(mark, rows, wrote);
        if wrote == Wrote::Message {
            let element = self.current(slot);
            if !self.builder.push(array.slot, element) {
                return Err(Trouble::mapping("elements are written where another rule wrote no array"));
            }
        }
        Ok(wrote)
    }

    /// The pointer of the element that comes next; empty unless tracing.
    pub fn next_pointer(&self, array: Target<'_>) -> String {
        if self.trace.is_none() {
            return String::new();
        }
        format!("{}/{}", array.pointer, self.builder.len(array.slot))
    }
}
