//! Elements of an array elsewhere that belong to the scope, read and written.

use super::index::{Bucket, Index};
use super::run::{Run, Scope, Trouble, Wrote, read};
use super::target::{Container, Target};
use crate::json::{Node, NodeId, Slot};
use crate::mapping::path::FieldPath;
use crate::mapping::program::{Append, Body, FailureCode, Join, JoinTarget, Rule, Take};

/// Most elements of an array that a join looks through, however often: beyond that it is indexed.
const WALKED_MAX: usize = 16;

/// An array that a join has looked into.
pub(super) struct Joined<'m> {
    join: &'m Join,
    array: NodeId,
    elements: Vec<Node<'m>>,
    /// By the first member that is joined on.
    index: Index<'m>,
}

impl<'m> Run<'m> {
    #[inline(never)]
    pub fn join(&mut self, rule: &'m Rule, join: &'m Join, scope: Scope<'m>, target: Target<'_>) -> Wrote {
        let (JoinTarget::One(path) | JoinTarget::Every(path)) = &join.target;
        let before = self.complaints();
        let wrote = self.try_join(rule, join, scope, (path, target)).unwrap_or_else(|trouble| {
            let at = (scope, Some(&join.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(path), target));
            Wrote::Nothing
        });
        if wrote == Wrote::Nothing && join.required && self.complaints() == before {
            let trouble = Trouble::sender(FailureCode::MissingProperty, "no element belongs to this one");
            let at = (scope, Some(&join.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(path), target));
        }
        wrote
    }

    fn try_join(
        &mut self,
        rule: &'m Rule,
        join: &'m Join,
        scope: Scope<'m>,
        (path, target): (&'m FieldPath, Target<'_>),
    ) -> Result<Wrote, Trouble<'m>> {
        let Some(source) = self.array(rule, &join.source, scope, (path, target))? else {
            return Ok(Wrote::Nothing);
        };
        let taken = self.joined(join, source, scope)?;
        let wrote = self.write_joined(rule, join, (&taken, scope), (path, target));
        self.spare = taken;
        wrote
    }

    fn write_joined(
        &mut self,
        rule: &'m Rule,
        join: &'m Join,
        (taken, scope): (&[(usize, Node<'m>)], Scope<'m>),
        (path, target): (&'m FieldPath, Target<'_>),
    ) -> Result<Wrote, Trouble<'m>> {
        if taken.is_empty() {
            self.passed_over(&rule.origin, (scope, &join.source), (path, target), true);
            return Ok(Wrote::Nothing);
        }
        let (mark, rows) = self.mark();
        let mut wrote = Wrote::Nothing;
        match &join.target {
            JoinTarget::One(_) => {
                if let Some((_, second)) = taken.get(1) {
                    let message = "two elements belong to one that has room for one";
                    return Err(Trouble::sender(FailureCode::InvalidValue, message).at(*second));
                }
                let slot = self.open(target, path, Container::Object)?;
                let pointer = self.target_pointer(target, path);
                self.terms(&join.also, slot)?;
                for (index, element) in taken.iter().copied() {
                    if let Body::Rules(rules) = &join.body {
                        let place = Target { slot, pointer: &pointer };
                        wrote = wrote.max(self.rules(rules, scope.element(element, index), place));
                    }
                }
            }
            JoinTarget::Every(_) => {
                let slot = self.open(target, path, Container::Array)?;
                let pointer = self.target_pointer(target, path);
                let array = Target { slot, pointer: &pointer };
                for (index, element) in taken.iter().copied() {
                    let inner = scope.element(element, index);
                    wrote = wrote.max(match &join.body {
                        Body::Rules(rules) => self.element(&join.also, rules, inner, array)?,
                        Body::Rows(branches) => self.rows(rule, branches, inner, array)?,
                    });
                }
            }
        }
        Ok(self.close(mark, rows, wrote))
    }

    /// The elements that belong to the scope, with their places in their array; hand the list back when it is done
    /// with ([`Run::spare`]).
    pub fn joined(
        &mut self,
        join: &'m Join,
        source: Node<'m>,
        scope: Scope<'m>,
    ) -> Result<Vec<(usize, Node<'m>)>, Trouble<'m>> {
        let mut taken = std::mem::take(&mut self.spare);
        taken.clear();
        self.take_joined(join, source, scope, &mut taken).map(|()| taken)
    }

    fn take_joined(
        &mut self,
        join: &'m Join,
        source: Node<'m>,
        scope: Scope<'m>,
        taken: &mut Vec<(usize, Node<'m>)>,
    ) -> Result<(), Trouble<'m>> {
        let mut first = None;
        for (_, ours) in &join.on {
            // What is absent equals nothing.
            let Some(value) = read(ours, scope)?.filter(|node| !node.is_null()) else { return Ok(()) };
            first = first.or(Some(value));
        }
        let is_simple = join.on.first().is_none_or(|(theirs, _)| theirs.is_members());
        if source.len() <= WALKED_MAX && is_simple {
            self.count_comparisons(source.len())?;
            for (index, element) in source.elements().enumerate() {
                if self.belongs(join, scope, scope.element(element, index))? {
                    taken.push((index, element));
                    if join.take == Take::First {
                        break;
                    }
                }
            }
            return Ok(());
        }
        let at = self.joined_array(join, source, scope)?;
        let Some(joined) = self.joined.get(at) else { return Ok(()) };
        let candidates: Vec<usize> = match first {
            Some(first) => joined.index.candidates(|| Bucket::of(first)).collect(),
            None => (0..joined.elements.len()).collect(),
        };
        self.count_comparisons(candidates.len())?;
        for index in candidates {
            let element = self.joined.get(at).and_then(|joined| joined.elements.get(index));
            let Some(element) = element.copied() else { continue };
            if self.belongs(join, scope, scope.element(element, index))? {
                taken.push((index, element));
                if join.take == Take::First {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether an element has what the scope has where they are joined.
    fn belongs(&mut self, join: &'m Join, scope: Scope<'m>, inner: Scope<'m>) -> Result<bool, Trouble<'m>> {
        for (theirs, ours) in &join.on {
            let Some(theirs) = read(theirs, inner)? else { return Ok(false) };
            if !read(ours, scope)?.is_some_and(|ours| theirs.eq_value(ours)) {
                return Ok(false);
            }
        }
        Ok(self.holds(inner, join.condition.as_ref()))
    }

    /// Where in [`Run::joined`] the array stands, by the first member of this join; indexed when first joined.
    fn joined_array(
        &mut self,
        join: &'m Join,
        source: Node<'m>,
        scope: Scope<'m>,
    ) -> Result<usize, Trouble<'m>> {
        let known = self
            .joined
            .iter()
            .position(|joined| std::ptr::eq(joined.join, join) && joined.array == source.id());
        if let Some(at) = known {
            return Ok(at);
        }
        let mut index = Index::of(source.len());
        let elements: Vec<_> = source.elements().collect();
        if let Some((theirs, _)) = join.on.first() {
            for (place, element) in elements.iter().enumerate() {
                if let Some(node) = read(theirs, scope.element(*element, place))? {
                    index.add(|| Bucket::of(node), place);
                }
            }
        }
        // An array below the scope is another one each time; only one at the root is worth keeping.
        self.joined.retain(|joined| !std::ptr::eq(joined.join, join));
        self.joined.push(Joined { join, array: source.id(), elements, index });
        Ok(self.joined.len() - 1)
    }

    #[inline(never)]
    pub fn append(
        &mut self,
        rule: &'m Rule,
        append: &'m Append,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Wrote {
        let before = self.complaints();
        let wrote = self.try_append(rule, append, scope, target).unwrap_or_else(|trouble| {
            let at = (scope, Some(&append.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&append.target), target));
            Wrote::Nothing
        });
        if wrote == Wrote::Nothing && append.required && self.complaints() == before {
            let trouble = Trouble::sender(FailureCode::MissingProperty, "a required attribute is missing");
            let at = (scope, Some(&append.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&append.target), target));
        }
        wrote
    }

    fn try_append(
        &mut self,
        rule: &'m Rule,
        append: &'m Append,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        if append.source.every {
            let Some(source) = self.array(rule, &append.source, scope, (&append.target, target))? else {
                return Ok(Wrote::Nothing);
            };
            let mut wrote = Wrote::Nothing;
            for (index, element) in source.elements().enumerate() {
                if self.is_exhausted() {
                    break;
                }
                wrote = wrote.max(self.append_one(append, scope.element(element, index), target)?);
            }
            return Ok(wrote);
        }
        let Some(node) = read(&append.source, scope)?.filter(|node| !node.is_null()) else {
            self.passed_over(&rule.origin, (scope, &append.source), (&append.target, target), true);
            return Ok(Wrote::Nothing);
        };
        self.append_one(append, scope.at(node), target)
    }

    fn append_one(
        &mut self,
        append: &'m Append,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        if !self.holds(scope, append.condition.as_ref()) {
            return Ok(Wrote::Nothing);
        }
        let (mark, rows) = self.mark();
        let slot = self.appended_element(&append.copy, target)?;
        self.terms(&append.also, slot)?;
        let pointer = self.append_pointer(target, &append.target);
        let wrote = self.rules(&append.rules, scope, Target { slot, pointer: &pointer });
        self.push_appended(&append.target, target, slot, wrote, (mark, rows))
    }

    /// A new element that begins with the members it is joined by.
    pub fn appended_element(
        &mut self,
        copy: &'m [(FieldPath, FieldPath)],
        target: Target<'_>,
    ) -> Result<Slot, Trouble<'m>> {
        let slot = self.new_element()?;
        for (from, to) in copy {
            let Some(value) = self.written(target, from) else {
                return Err(Trouble::mapping(format!(
                    "`{from}`, which joins the element, is not written yet"
                )));
            };
            self.put(Target { slot, pointer: "" }, to, value)?;
        }
        Ok(slot)
    }

    /// Opens the array only now: an array that nothing is appended to does not come into being.
    pub fn push_appended(
        &mut self,
        path: &'m FieldPath,
        target: Target<'_>,
        slot: Slot,
        wrote: Wrote,
        marks: (usize, usize),
    ) -> Result<Wrote, Trouble<'m>> {
        if wrote < Wrote::Message {
            return Ok(self.close(marks.0, marks.1, wrote));
        }
        let array = self.open(target, path, Container::Array)?;
        self.append_element(Target { slot: array, pointer: "" }, slot, wrote, marks)
    }

    /// The pointer of the element that would be appended next; empty unless tracing.
    pub fn append_pointer(&mut self, target: Target<'_>, path: &'m FieldPath) -> String {
        if self.trace.is_none() {
            return String::new();
        }
        let len = self.written(target, path).map_or(0, |array| self.builder.len(array));
        format!("{}/{len}", self.target_pointer(target, path))
    }
}
