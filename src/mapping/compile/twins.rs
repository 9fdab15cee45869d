//! What stands twice, and what something before it leaves nothing to: copied rules and rows, branches and entries of
//! `on:` that can never be reached.

use super::condition::{OnSide, parts};
use super::form::Ways;
use super::{Compiler, HashMap};
use crate::mapping::diagnostic as code;
use crate::mapping::direction::Direction;
use crate::mapping::raw::{self, Branch, Condition, On, Rule, Text};
use crate::text::{Diagnostic, Hint, Span};
use std::collections::BTreeSet;

impl Compiler<'_> {
    /// The text of a stretch, however it is spread over lines.
    fn plain(&self, span: Span) -> String {
        self.sources.slice(span).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Tells which rules of one list stand there a second time, word for word.
    pub(super) fn check_copies(&mut self, rules: &[Rule]) {
        // Rules without a key of their own are not written but put beside those that are, in a bridge.
        let written = rules.iter().filter(|rule| !rule.keys.is_empty());
        // What stands twice has the same two sides: the whole text of most rules need not be looked at.
        let mut alike: HashMap<_, usize> = HashMap::default();
        written.clone().for_each(|rule| *alike.entry(sides(rule)).or_insert(0) += 1);
        let often = written.filter(|rule| alike.get(&sides(rule)).is_some_and(|count| *count > 1));
        self.copies(often.map(|rule| rule.span).collect(), "rule");
    }

    /// Tells which rows of a table stand there a second time.
    pub(super) fn check_row_copies(&mut self, table: &raw::CodeTable) {
        self.copies(table.rows.iter().map(|row| row.span).collect(), "row");
    }

    fn copies(&mut self, spans: Vec<Span>, what: &str) {
        let mut seen: HashMap<String, Span> = HashMap::default();
        for span in spans {
            if let Some(first) = seen.insert(self.plain(span), span) {
                self.copied.insert(span);
                let message = format!("this {what} stands twice, word for word");
                let fault = Diagnostic::error(code::STANDS_TWICE, message).at(span);
                let place = self.sources.place(first);
                let hint =
                    format!("the other is at {place}; take one of them out, or change what was copied");
                self.out.push(fault.hint(Hint::from(hint).removing(span)));
            }
        }
    }

    /// Tells which branches an earlier one leaves nothing to, in every direction in which they are used.
    pub(super) fn check_reached(&mut self, branches: &[Branch], ways: Ways) {
        for (index, branch) in branches.iter().enumerate() {
            let Some(condition) = &branch.condition else { continue };
            let before = branches.iter().take(index);
            let twin = before
                .filter_map(|other| other.condition.as_ref())
                .find(|other| same(condition, other, ways));
            let Some(twin) = twin else { continue };
            let fault =
                Diagnostic::error(code::UNREACHED, "this branch can never be reached").at(condition.span());
            let taken =
                format!("what it takes is taken by the branch at {}", self.sources.place(twin.span()));
            let hint = match self.condition_of_kin(branch, branches) {
                Some(other) => {
                    let text = self.sources.slice(other).to_owned();
                    let words = format!("{taken}; elsewhere these rules have `{}`", self.plain(other));
                    Hint::from(words).putting(text)
                }
                None => taken.into(),
            };
            self.out.push(fault.hint(hint));
        }
    }

    /// The condition that a branch with the same shapes has elsewhere, if none of these branches has it.
    fn condition_of_kin(&self, branch: &Branch, branches: &[Branch]) -> Option<Span> {
        let own = shapes(branch);
        if own.is_empty() {
            return None;
        }
        let taken: BTreeSet<String> =
            branches.iter().filter_map(|one| Some(self.plain(one.condition.as_ref()?.span()))).collect();
        let mut all = Vec::new();
        for (_, shape) in &self.set.shapes {
            gather(&shape.fields, &mut all);
        }
        let kin = all.into_iter().filter(|other| shapes(other) == own);
        let conditions = kin.filter_map(|other| match &other.condition {
            Some(Condition::Sides { span, .. }) => Some(*span),
            _ => None,
        });
        let mut free = conditions.filter(|span| !taken.contains(&self.plain(*span)));
        free.next()
    }

    /// Tells which entries of `on:` an earlier one leaves nothing to.
    pub(super) fn check_on_order(&mut self, list: &[On]) {
        for (index, entry) in list.iter().enumerate() {
            let Some(before) = list.iter().take(index).position(|other| covers(other, entry)) else {
                continue;
            };
            let Some(other) = list.get(before) else { continue };
            let fault = Diagnostic::error(code::UNREACHED, "this entry can never be reached").at(entry.span);
            let place = self.sources.place(other.span);
            let words = format!("every reply that it takes is taken by the one at {place}: order decides");
            let next = before + 1 == index && !covers(entry, other);
            let hint = Hint::from(words);
            self.out.push(fault.hint(if next { hint.swapping(other.span, entry.span) } else { hint }));
        }
    }
}

/// The texts of a rule's sides.
fn sides(rule: &Rule) -> (Option<&str>, Option<&str>) {
    (rule.sonata.as_ref().map(Text::as_str), rule.legacy.as_ref().map(Text::as_str))
}

/// Whether two conditions test the same where either is read.
fn same(one: &Condition, other: &Condition, ways: Ways) -> bool {
    let tested = |condition: &Condition, side: OnSide| {
        let read = parts(condition, side, side);
        let products: BTreeSet<String> = read.products.iter().map(|name| name.as_str().to_owned()).collect();
        (products, read.text.map(|text| text.as_str().to_owned()))
    };
    ways.list().all(|direction| {
        let side = if direction == Direction::ToLegacy { OnSide::Sonata } else { OnSide::Legacy };
        let own = tested(one, side);
        (!own.0.is_empty() || own.1.is_some()) && own == tested(other, side)
    })
}

/// Names of the shapes that a branch uses, itself or in its rules.
fn shapes(branch: &Branch) -> BTreeSet<String> {
    let own = branch.fields.iter().filter_map(|rule| rule.shape.as_ref()).chain(&branch.shape);
    own.map(|name| name.as_str().to_owned()).collect()
}

fn gather<'r>(rules: &'r [Rule], all: &mut Vec<&'r Branch>) {
    for rule in rules {
        gather(rule.fields.as_deref().unwrap_or_default(), all);
        let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
        for branch in branches {
            all.push(branch);
            gather(&branch.fields, all);
        }
    }
}

/// Whether an entry of `on:` takes every reply that another takes.
fn covers(wide: &On, narrow: &On) -> bool {
    if wide.statuses.0.is_empty() && wide.condition.is_none() && wide.fault.is_none() && wide.text.is_none() {
        // Without a criterion it is no entry, which is told where it is read.
        return false;
    }
    let equal = |one: &Option<Text>, other: &Option<Text>| {
        one.as_ref().is_none_or(|one| other.as_ref().is_some_and(|other| other.as_str() == one.as_str()))
    };
    let statuses =
        wide.statuses.0.is_empty()
            || (!narrow.statuses.0.is_empty()
                && narrow.statuses.0.iter().all(|(from, to)| {
                    wide.statuses.0.iter().any(|(first, last)| first <= from && to <= last)
                }));
    // A fault's code is taken with all that begin with it and a dot.
    let fault = wide.fault.as_ref().is_none_or(|wide| {
        narrow.fault.as_ref().is_some_and(|narrow| {
            let rest = narrow.as_str().strip_prefix(wide.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    });
    statuses && fault && equal(&wide.condition, &narrow.condition) && equal(&wide.text, &narrow.text)
}
