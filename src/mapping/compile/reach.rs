//! Which shapes and tables a part of a set can read: what an overlay must leave alone for the part to stay as it is.

use super::{Effective, HashMap};
use crate::mapping::raw::{Body, Branch, ElseBranch, Operation, Rule, Text};

/// The shapes and tables that a part reads, itself or by shapes that it uses, by their index in the set.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    shapes: Box<[usize]>,
    tables: Box<[usize]>,
}

impl Reach {
    /// Whether it holds one of those that are marked.
    pub fn meets(&self, shapes: &[bool], tables: &[bool]) -> bool {
        let marked = |list: &[usize], marks: &[bool]| {
            list.iter().any(|index| marks.get(*index).copied().unwrap_or(true))
        };
        marked(&self.shapes, shapes) || marked(&self.tables, tables)
    }
}

/// Names that stand in rules.
#[derive(Default)]
pub(super) struct Names<'r> {
    pub shapes: Vec<&'r str>,
    pub tables: Vec<&'r str>,
}

impl<'r> Names<'r> {
    pub fn rules(&mut self, rules: &'r [Rule]) {
        for rule in rules {
            self.shapes.extend(rule.shape.iter().map(Text::as_str));
            self.tables.extend(rule.codes.iter().map(Text::as_str));
            self.rules(rule.fields.as_deref().unwrap_or_default());
            let rows = rule.rows.iter().flat_map(|(_, branches)| branches);
            let branches = rule.one_of.iter().flat_map(|(_, branches, _)| branches);
            rows.chain(branches).for_each(|branch| self.branch(branch));
            if let Some((_, _, Some(ElseBranch::Fields(rules)))) = &rule.one_of {
                self.rules(rules);
            }
        }
    }

    fn branch(&mut self, branch: &'r Branch) {
        self.shapes.extend(branch.shape.iter().map(Text::as_str));
        self.rules(&branch.fields);
    }

    fn body(&mut self, body: &'r Body) {
        match body {
            Body::Shape(name) => self.shapes.push(name.as_str()),
            Body::Fields(_, rules) => self.rules(rules),
        }
    }

    fn operation(&mut self, operation: &'r Operation) {
        for call in &operation.calls {
            let undo = call.undo.as_ref().and_then(|undo| undo.request.as_ref());
            let recover = call.recover.as_ref().and_then(|recover| recover.request.as_ref());
            call.request.iter().chain(undo).chain(recover).for_each(|body| self.body(body));
        }
        let complete = operation.complete.iter().flat_map(|one| one.request.iter().chain(&one.answer));
        let expires = operation.expires.iter().filter_map(|one| one.request.as_ref());
        complete.chain(expires).for_each(|body| self.body(body));
        operation.answer.iter().filter_map(|answer| answer.body.as_ref()).for_each(|body| self.body(body));
    }
}

/// The reach of every part of a set: its shapes, then its operations, then what is received and exposed.
pub(super) fn of_parts(set: &Effective) -> Vec<Reach> {
    let index = |(index, name)| (name, index);
    let by_shape: HashMap<&str, usize> =
        set.shapes.iter().map(|(_, shape)| shape.name.as_str()).enumerate().map(index).collect();
    let by_table: HashMap<&str, usize> =
        set.tables.iter().map(|table| table.name.as_str()).enumerate().map(index).collect();
    let of_shapes: Vec<Names<'_>> = set
        .shapes
        .iter()
        .map(|(_, shape)| {
            let mut names = Names::default();
            names.rules(&shape.fields);
            names
        })
        .collect();
    let closed = |first: Names<'_>, own: Option<usize>| {
        let mut shapes: Vec<usize> = own.into_iter().collect();
        let mut tables: Vec<usize> =
            first.tables.iter().filter_map(|name| by_table.get(name).copied()).collect();
        let mut open: Vec<usize> =
            first.shapes.iter().filter_map(|name| by_shape.get(name).copied()).collect();
        open.extend(own);
        let mut seen = vec![false; of_shapes.len()];
        while let Some(index) = open.pop() {
            if seen.get(index).copied().unwrap_or(true) {
                continue;
            }
            seen[index] = true;
            shapes.push(index);
            if let Some(names) = of_shapes.get(index) {
                tables.extend(names.tables.iter().filter_map(|name| by_table.get(name).copied()));
                open.extend(names.shapes.iter().filter_map(|name| by_shape.get(name).copied()));
            }
        }
        for list in [&mut shapes, &mut tables] {
            list.sort_unstable();
            list.dedup();
        }
        Reach { shapes: shapes.into(), tables: tables.into() }
    };
    let shapes = (0..set.shapes.len()).map(|index| closed(Names::default(), Some(index)));
    let operations = set.operations.iter().map(|(_, operation)| {
        let mut names = Names::default();
        names.operation(operation);
        closed(names, None)
    });
    let mut received = Names::default();
    let news = set.receives.iter().map(|one| &one.news).chain(set.watches.iter().map(|one| &one.news));
    news.filter_map(|news| news.body.as_ref()).for_each(|body| received.body(body));
    let exposed = set.exposes.iter().flat_map(|one| one.request.iter().chain(&one.answer));
    let exposed = exposed.chain(set.notifies.iter().filter_map(|one| one.request.as_ref()));
    exposed.chain(set.problems.iter().map(|one| &one.body)).for_each(|body| received.body(body));
    shapes.chain(operations).chain([closed(received, None)]).collect()
}
