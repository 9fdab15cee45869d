//! The way back of `rows`: source elements that are parts of one row make one target element.

use super::run::{Run, Scope, Trouble, Wrote, read};
use super::target::{Container, Target};
use crate::json::{Node, Slot};
use crate::mapping::program::{FailureCode, Gather, Rule};

/// A row in the making.
struct Row<'m> {
    key: Vec<Option<Node<'m>>>,
    /// Which branches it has.
    taken: Vec<bool>,
    slot: Slot,
    pointer: String,
    wrote: Wrote,
}

impl<'m> Run<'m> {
    #[inline(never)]
    pub fn gather(
        &mut self,
        rule: &'m Rule,
        gather: &'m Gather,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Wrote {
        let before = self.complaints();
        let wrote = self.try_gather(rule, gather, scope, target).unwrap_or_else(|trouble| {
            let at = (scope, Some(&gather.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&gather.target), target));
            Wrote::Nothing
        });
        if wrote == Wrote::Nothing && gather.required && self.complaints() == before {
            let trouble = Trouble::sender(FailureCode::MissingProperty, "at least one element is required");
            let at = (scope, Some(&gather.source));
            self.fail((&rule.origin, rule.on_failure), trouble, at, (Some(&gather.target), target));
        }
        wrote
    }

    fn try_gather(
        &mut self,
        rule: &'m Rule,
        gather: &'m Gather,
        scope: Scope<'m>,
        target: Target<'_>,
    ) -> Result<Wrote, Trouble<'m>> {
        let Some(source) = self.array(rule, &gather.source, scope, (&gather.target, target))? else {
            return Ok(Wrote::Nothing);
        };
        if source.is_empty() && gather.copy.is_empty() {
            self.open(target, &gather.target, Container::Array)?;
            return Ok(Wrote::Message);
        }
        let marks = self.mark();
        let mut rows: Vec<Row<'m>> = Vec::new();
        for (index, element) in source.elements().enumerate() {
            if self.is_exhausted() {
                break;
            }
            let inner = scope.element(element, index);
            let taken =
                gather.branches.iter().position(|branch| self.holds(inner, branch.condition.as_ref()));
            let Some((at, branch)) = taken.and_then(|at| Some((at, gather.branches.get(at)?))) else {
                let trouble =
                    Trouble::sender(FailureCode::InvalidValue, "no branch takes this element").at(element);
                self.fail(
                    (&rule.origin, rule.on_failure),
                    trouble,
                    (inner, None),
                    (Some(&gather.target), target),
                );
                continue;
            };
            let row = self.row_of(gather, &mut rows, (at, inner), target)?;
            let Some(row) = rows.get_mut(row) else { continue };
            let place = Target { slot: row.slot, pointer: &row.pointer };
            row.wrote = row.wrote.max(self.branch(rule, branch, inner, place));
        }
        let mut wrote = Wrote::Nothing;
        for row in rows {
            let marks = (self.mark().0, marks.1);
            wrote = wrote.max(self.push_appended(&gather.target, target, row.slot, row.wrote, marks)?);
        }
        Ok(self.close(marks.0, marks.1, wrote))
    }

    /// The row that an element is part of: with equal key members and without this branch yet; else a new one.
    fn row_of(
        &mut self,
        gather: &'m Gather,
        rows: &mut Vec<Row<'m>>,
        (branch, scope): (usize, Scope<'m>),
        target: Target<'_>,
    ) -> Result<usize, Trouble<'m>> {
        let mut key = Vec::with_capacity(gather.row_key.len());
        for path in &gather.row_key {
            key.push(read(path, scope)?);
        }
        self.count_comparisons(rows.len())?;
        let free = |row: &Row<'m>| !row.taken.get(branch).copied().unwrap_or(true);
        let found = if key.is_empty() {
            rows.len().checked_sub(1).filter(|last| rows.get(*last).is_some_and(free))
        } else {
            rows.iter().position(|row| free(row) && same_key(&row.key, &key))
        };
        let at = if let Some(at) = found {
            at
        } else {
            let slot = self.appended_element(&gather.copy, target)?;
            let ahead = rows.len();
            let pointer = self.append_pointer(target, &gather.target);
            let pointer = ahead_by(&pointer, ahead);
            let taken = vec![false; gather.branches.len()];
            rows.push(Row { key, taken, slot, pointer, wrote: Wrote::Nothing });
            ahead
        };
        if let Some(taken) = rows.get_mut(at).and_then(|row| row.taken.get_mut(branch)) {
            *taken = true;
        }
        Ok(at)
    }
}

fn same_key(left: &[Option<Node<'_>>], right: &[Option<Node<'_>>]) -> bool {
    left.iter().zip(right).all(|(left, right)| match (left, right) {
        (Some(left), Some(right)) => left.eq_value(*right),
        (None, None) => true,
        _ => false,
    })
}

/// The pointer of the element that many places behind; empty stays empty.
fn ahead_by(pointer: &str, places: usize) -> String {
    match pointer.rsplit_once('/') {
        Some((array, index)) => format!("{array}/{}", index.parse::<usize>().unwrap_or(0) + places),
        None => String::new(),
    }
}
